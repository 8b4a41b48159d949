/* SPDX-License-Identifier: MIT */
/* Page tables: a page, a block, a table's worth of pages in one call; a translation. */
#include "bench.h"

#define SZ_4K    UINT64_C(0x1000)
#define SZ_2M    UINT64_C(0x200000)
#define PER_CALL 512u
#define NR_PAGES (1u << 16) /* 256 MiB */
#define NR_TABLE 128u       /* calls of 512 pages: their tables fit a second-level cache */
#define IOVA     UINT64_C(0x7f0000000000)
#define PA       UINT64_C(0x100000000)

struct world {
	struct iommusim_pgtable *pgtable;
	uint64_t sum; /* of translations, so that they are not left out */
};

static void map_one(struct world *world, uint64_t iova, uint64_t pgsize, uint64_t count)
{
	struct iommusim_map_pages pages = { .iova = iova,
		                            .pa = PA + (iova - IOVA),
		                            .pgsize = pgsize,
		                            .count = count,
		                            .prot = IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE };
	uint64_t mapped;

	must(iommusim_pgtable_map(world->pgtable, &pages, &mapped), "map");
}

static void unmap_one(struct world *world, uint64_t iova, uint64_t pgsize, uint64_t count)
{
	must(iommusim_pgtable_unmap(world->pgtable, iova, pgsize, count, NULL) == pgsize * count
	             ? 0
	             : -IOMMUSIM_EINVAL,
	     "unmap");
}

/* The stride makes every call meet another table than the one before. */
static uint64_t scattered(unsigned i)
{
	return IOVA + (uint64_t)(i * 40503u % NR_PAGES) * SZ_4K;
}

static void map_4k(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		map_one(ctx, IOVA + i * SZ_4K, SZ_4K, 1);
}

static void unmap_4k(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		unmap_one(ctx, IOVA + i * SZ_4K, SZ_4K, 1);
}

static void map_4k_scattered(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		map_one(ctx, scattered(i), SZ_4K, 1);
}

static void unmap_4k_scattered(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		unmap_one(ctx, scattered(i), SZ_4K, 1);
}

static void map_2m(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		map_one(ctx, IOVA + (1u << 30) * UINT64_C(4) + i * SZ_2M, SZ_2M, 1);
}

static void unmap_2m(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		unmap_one(ctx, IOVA + (1u << 30) * UINT64_C(4) + i * SZ_2M, SZ_2M, 1);
}

static void map_tables(void *ctx)
{
	for (unsigned i = 0; i < NR_TABLE; i++)
		map_one(ctx, IOVA + i * SZ_2M, SZ_4K, PER_CALL);
}

static void unmap_tables(void *ctx)
{
	for (unsigned i = 0; i < NR_TABLE; i++)
		unmap_one(ctx, IOVA + i * SZ_2M, SZ_4K, PER_CALL);
}

static void translate(void *ctx)
{
	struct world *world = ctx;

	for (unsigned i = 0; i < NR_PAGES; i++)
		world->sum += iommusim_pgtable_iova_to_phys(world->pgtable, scattered(i));
}

/* Times @unmap with @map before each run, then @map with @unmap before each. */
static void time_pair(struct world *world, const char *map_name, const char *unmap_name,
                      uint64_t ops, void (*map)(void *), void (*unmap)(void *))
{
	bench(&(struct bench){ unmap_name, ops, map, unmap, world });
	map(world);
	bench(&(struct bench){ map_name, ops, unmap, map, world });
	unmap(world);
}

int main(void)
{
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = &iommusim_pgtable_arm_lpae_s1,
		                                  .pgsizes = SZ_4K | SZ_2M };
	struct world world = { .sum = 0 };

	must(iommusim_pgtable_create(&config, &world.pgtable), "create");
	time_pair(&world, "map 4K, in order", "unmap 4K, in order", NR_PAGES, map_4k, unmap_4k);
	time_pair(&world, "map 4K, scattered", "unmap 4K, scattered", NR_PAGES, map_4k_scattered,
	          unmap_4k_scattered);
	time_pair(&world, "map 2M", "unmap 2M", NR_PAGES, map_2m, unmap_2m);
	time_pair(&world, "map 512 x 4K in one call", "unmap 512 x 4K in one call", NR_TABLE,
	          map_tables, unmap_tables);
	map_4k(&world);
	bench(&(struct bench){ "translate, scattered", NR_PAGES, NULL, translate, &world });
	figure("sum of translations", "bytes", (double)world.sum);
	iommusim_pgtable_destroy(world.pgtable);
	return 0;
}
