/* SPDX-License-Identifier: MIT */
/*
 * Page tables, format by format: a page, a large page, a table's worth of pages in one call; a
 * translation. An argument chooses formats whose name contains it.
 */
#include <string.h>

#include "bench.h"

#define SZ_4K    UINT64_C(0x1000)
#define SZ_16K   UINT64_C(0x4000)
#define SZ_1M    UINT64_C(0x100000)
#define SZ_2M    UINT64_C(0x200000)
#define NR_PAGES (1u << 16) /* 256 MiB of 4K */
#define NR_TABLE 128u       /* calls of a table's worth: their tables fit a second-level cache */
#define HIGH     UINT64_C(0x7f0000000000)
#define LOW      UINT64_C(0x40000000)

/* A format with its page sizes, and where pages go: @nr_large large ones from @large_at on. */
struct world {
	const struct iommusim_pgtable_format *format;
	uint64_t pgsizes, page, large;
	unsigned ias, per_call, nr_large;
	uint64_t iova, pa, large_at;
	struct iommusim_pgtable *pgtable;
	uint64_t sum; /* of translations, so that they are not left out */
};

/* Addresses of 31 bits. */
#define SMALL_WORLD(what, ...)                                                                   \
	{                                                                                        \
		.format = &iommusim_pgtable_##what, .iova = LOW / 2, .pa = LOW, .large_at = LOW, \
		.nr_large = 512, __VA_ARGS__                                                     \
	}

static struct world worlds[] = {
	{ .format = &iommusim_pgtable_arm_lpae_s1, .pgsizes = SZ_4K | SZ_2M, .large = SZ_2M },
	{ .format = &iommusim_pgtable_arm_lpae_s2, .pgsizes = SZ_4K | SZ_2M, .large = SZ_2M },
	{ .format = &iommusim_pgtable_arm_lpae32_s1,
	  .pgsizes = SZ_4K | SZ_2M,
	  .large = SZ_2M,
	  .iova = LOW,
	  .large_at = 2 * LOW,
	  .nr_large = 512 },
	{ .format = &iommusim_pgtable_arm_mali_lpae, .pgsizes = SZ_4K | SZ_2M, .large = SZ_2M },
	{ .format = &iommusim_pgtable_arm_v7s,
	  .pgsizes = SZ_4K | SZ_1M,
	  .large = SZ_1M,
	  .per_call = 256,
	  .iova = LOW,
	  .pa = LOW,
	  .large_at = 2 * LOW,
	  .nr_large = 1024 },
	{ .format = &iommusim_pgtable_dart1,
	  .pgsizes = SZ_16K,
	  .page = SZ_16K,
	  .ias = 36,
	  .per_call = 2048,
	  .iova = LOW },
	{ .format = &iommusim_pgtable_dart2,
	  .pgsizes = SZ_16K,
	  .page = SZ_16K,
	  .ias = 36,
	  .per_call = 2048,
	  .iova = LOW },
	{ .format = &iommusim_pgtable_amd_v1, .large = SZ_2M },
	{ .format = &iommusim_pgtable_amd_v2, .large = SZ_2M },
	/* Off 2M by a page, or 512 pages would become a large one. */
	{ .format = &iommusim_pgtable_vtd_sl,
	  .pgsizes = SZ_4K | SZ_2M,
	  .large = SZ_2M,
	  .pa = UINT64_C(0x100001000) },
	{ .format = &iommusim_pgtable_vtd_fl,
	  .pgsizes = SZ_4K | SZ_2M,
	  .large = SZ_2M,
	  .pa = UINT64_C(0x100001000) },
	{ .format = &iommusim_pgtable_riscv_sv39,
	  .large = SZ_2M,
	  .iova = LOW,
	  .large_at = 2 * LOW,
	  .nr_large = 512 },
	{ .format = &iommusim_pgtable_riscv_sv48_napot,
	  .large = SZ_2M,
	  .iova = LOW,
	  .large_at = 2 * LOW,
	  .nr_large = 512 },
	SMALL_WORLD(exynos_v5, .large = SZ_1M, .per_call = 256),
	SMALL_WORLD(rk_v2, .per_call = 1024),
	SMALL_WORLD(sun50i, .per_call = 256),
	SMALL_WORLD(omap, .large = SZ_1M, .per_call = 256),
	SMALL_WORLD(shmobile, .large = SZ_1M, .per_call = 256),
	SMALL_WORLD(tegra_smmu, .per_call = 1024),
	SMALL_WORLD(s390_zpci, .per_call = 256),
	SMALL_WORLD(linear_mtk1, .per_call = 512),
	SMALL_WORLD(linear_tce, .per_call = 512),
	SMALL_WORLD(etnaviv_v2, .per_call = 1024),
	/* Not where empty entries lead: what is mapped there is not. */
	{ .format = &iommusim_pgtable_ipu_mmu, .per_call = 1024, .iova = LOW / 2, .pa = 2 * LOW },
};

static void map_one(struct world *world, uint64_t iova, uint64_t pa, uint64_t pgsize,
                    uint64_t count)
{
	struct iommusim_map_pages pages = { .iova = iova,
		                            .pa = pa,
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

/* Page number @i. */
static void map_page(struct world *world, uint64_t i)
{
	map_one(world, world->iova + i * world->page, world->pa + i * world->page, world->page, 1);
}

static void unmap_page(struct world *world, uint64_t i)
{
	unmap_one(world, world->iova + i * world->page, world->page, 1);
}

/* The stride makes every call meet another table than the one before. */
static uint64_t scattered(unsigned i)
{
	return i * 40503u % NR_PAGES;
}

static void map_pages(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		map_page(ctx, i);
}

static void unmap_pages(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		unmap_page(ctx, i);
}

static void map_scattered(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		map_page(ctx, scattered(i));
}

static void unmap_scattered(void *ctx)
{
	for (unsigned i = 0; i < NR_PAGES; i++)
		unmap_page(ctx, scattered(i));
}

static void map_large(void *ctx)
{
	struct world *world = ctx;

	for (unsigned i = 0; i < world->nr_large; i++)
		map_one(world, world->large_at + i * world->large, LOW, world->large, 1);
}

static void unmap_large(void *ctx)
{
	struct world *world = ctx;

	for (unsigned i = 0; i < world->nr_large; i++)
		unmap_one(world, world->large_at + i * world->large, world->large, 1);
}

static void map_tables(void *ctx)
{
	struct world *world = ctx;
	uint64_t bytes = world->per_call * world->page;

	for (unsigned i = 0; i < NR_TABLE; i++)
		map_one(world, world->iova + i * bytes, world->pa + i * bytes, world->page,
		        world->per_call);
}

static void unmap_tables(void *ctx)
{
	struct world *world = ctx;

	for (unsigned i = 0; i < NR_TABLE; i++)
		unmap_one(world, world->iova + i * world->per_call * world->page, world->page,
		          world->per_call);
}

static void translate(void *ctx)
{
	struct world *world = ctx;

	for (unsigned i = 0; i < NR_PAGES; i++)
		world->sum += iommusim_pgtable_iova_to_phys(
			world->pgtable, world->iova + scattered(i) * world->page);
}

/* What is done and undone: @map and @unmap, each of them @ops operations. */
struct pair {
	const char *what;
	uint64_t ops;
	void (*map)(void *), (*unmap)(void *);
};

static void time_one(struct world *world, const char *verb, const struct pair *pair, int is_map)
{
	char name[96];

	snprintf(name, sizeof(name), "%s: %s %s", world->format->name, verb, pair->what);
	bench(&(struct bench){ name, pair->ops, is_map ? pair->unmap : pair->map,
	                       is_map ? pair->map : pair->unmap, world });
}

/* Times the unmap with a map before each run, then the map with an unmap before each. */
static void time_pair(struct world *world, const struct pair *pair)
{
	time_one(world, "unmap", pair, 0);
	pair->map(world);
	time_one(world, "map", pair, 1);
	pair->unmap(world);
}

static void fill_defaults(struct world *world)
{
	world->page = world->page ? world->page : SZ_4K;
	world->per_call = world->per_call ? world->per_call : 512;
	world->nr_large = world->nr_large ? world->nr_large : NR_PAGES;
	world->iova = world->iova ? world->iova : HIGH;
	world->pa = world->pa ? world->pa : UINT64_C(0x100000000);
	world->large_at = world->large_at ? world->large_at : HIGH + (UINT64_C(1) << 32);
}

static void time_world(struct world *world)
{
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = world->format,
		                                  .pgsizes = world->pgsizes,
		                                  .ias = world->ias };
	char name[96], bulk[32];
	struct pair large = { world->large == SZ_1M ? "1M" : "2M", world->nr_large, map_large,
		              unmap_large };
	const char *page = world->page == SZ_16K ? "16K" : "4K";

	fill_defaults(world);
	large.ops = world->nr_large;
	must(iommusim_pgtable_create(&config, &world->pgtable), "create");
	snprintf(name, sizeof(name), "%s, in order", page);
	time_pair(world, &(struct pair){ name, NR_PAGES, map_pages, unmap_pages });
	snprintf(name, sizeof(name), "%s, scattered", page);
	time_pair(world, &(struct pair){ name, NR_PAGES, map_scattered, unmap_scattered });
	if (world->large)
		time_pair(world, &large);
	snprintf(bulk, sizeof(bulk), "%u x %s in one call", world->per_call, page);
	time_pair(world, &(struct pair){ bulk, NR_TABLE, map_tables, unmap_tables });
	map_pages(world);
	snprintf(name, sizeof(name), "%s: translate, scattered", world->format->name);
	bench(&(struct bench){ name, NR_PAGES, NULL, translate, world });
	iommusim_pgtable_destroy(world->pgtable);
}

int main(int argc, char **argv)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
		if (argc > 1 && !strstr(worlds[i].format->name, argv[1]))
			continue;
		time_world(&worlds[i]);
		sum += worlds[i].sum;
	}
	figure("sum of translations", "bytes", (double)sum);
	return 0;
}
