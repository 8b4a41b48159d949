/* SPDX-License-Identifier: MIT */
/* Simulated memory: what a machine costs, and what a block costs. */
#include <string.h>

#include "base/rng.h"
#include "bench.h"

#define FRAMES_1G (UINT64_C(1) << 18)
#define FRAMES_1T (UINT64_C(1) << 28)
#define NR_PAIRS  1000000u
#define TERABYTES 100u

struct world {
	struct iommusim_phys *phys;
	iommusim_pfn *pfn; /* of every page, in the order in which they are to be freed */
	unsigned order;
	uint64_t bytes; /* of host memory in use */
};

/* A host that counts bytes: the size of a block stands before it. */
union block_header {
	uint64_t bytes;
	max_align_t align;
};

static void *counting_zalloc(void *ctx, size_t bytes)
{
	struct world *world = ctx;
	union block_header *block = calloc(1, sizeof(*block) + bytes);

	if (!block)
		return NULL;
	block->bytes = bytes;
	world->bytes += bytes;
	return block + 1;
}

static void counting_free(void *ctx, void *ptr)
{
	struct world *world = ctx;
	union block_header *block = (union block_header *)ptr - 1;

	world->bytes -= block->bytes;
	free(block);
}

static void create(struct world *world, uint64_t nr_frames)
{
	struct iommusim_host host = { .size = sizeof(host),
		                      .zalloc = counting_zalloc,
		                      .free = counting_free,
		                      .memory_ctx = world };
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = 1 << 20,
		                             .nr_frames = nr_frames };
	struct iommusim_phys_config config = {
		.size = sizeof(config), .zones = &zone, .nr_zones = 1, .host = &host
	};

	must(iommusim_phys_create(&config, &world->phys), "create");
}

static void destroy(struct world *world)
{
	iommusim_phys_destroy(world->phys);
	world->phys = NULL;
}

static void create_terabytes(void *ctx)
{
	for (unsigned i = 0; i < TERABYTES; i++) {
		create(ctx, FRAMES_1T);
		destroy(ctx);
	}
}

static iommusim_pfn take(struct world *world, unsigned order)
{
	struct iommusim_page_request req = { .order = order,
		                             .gfp = IOMMUSIM_GFP_KERNEL,
		                             .node = -1 };
	struct iommusim_page_block block;

	must(iommusim_phys_alloc(world->phys, &req, &block), "alloc");
	return block.pfn;
}

static void pairs(void *ctx)
{
	struct world *world = ctx;

	for (unsigned i = 0; i < NR_PAIRS; i++)
		must(iommusim_phys_free(world->phys, take(world, world->order), world->order),
		     "free");
}

static void fill(void *ctx)
{
	struct world *world = ctx;

	for (uint64_t i = 0; i < FRAMES_1G; i++)
		world->pfn[i] = take(world, 0);
}

static void shuffle(struct world *world)
{
	struct isim_rng rng = isim_rng_seed(1);

	for (uint64_t i = FRAMES_1G; i > 1; i--) {
		uint64_t other = isim_rng_below(&rng, i);
		iommusim_pfn pfn = world->pfn[i - 1];

		world->pfn[i - 1] = world->pfn[other];
		world->pfn[other] = pfn;
	}
}

static void free_all(void *ctx)
{
	struct world *world = ctx;

	for (uint64_t i = 0; i < FRAMES_1G; i++)
		must(iommusim_phys_free(world->phys, world->pfn[i], 0), "free");
}

/* Nothing is free. */
static void start_full(void *ctx)
{
	fill(ctx);
	shuffle(ctx);
}

/* Everything is free, and has metadata. */
static void start_empty(void *ctx)
{
	struct world *world = ctx;

	if (iommusim_phys_nr_free(world->phys) != FRAMES_1G)
		free_all(world);
}

static void show_sizes(struct world *world)
{
	create(world, FRAMES_1T);
	figure("1 TiB, nothing touched", "bytes", (double)world->bytes);
	destroy(world);
	create(world, FRAMES_1G);
	fill(world);
	for (uint64_t i = 0; i < FRAMES_1G; i += 2)
		must(iommusim_phys_free(world->phys, world->pfn[i], 0), "free");
	figure("every second page free", "bytes per page",
	       (double)world->bytes / (double)FRAMES_1G);
	destroy(world);
}

int main(void)
{
	struct world world = { .pfn = calloc(FRAMES_1G, sizeof(*world.pfn)) };

	must(world.pfn ? 0 : -IOMMUSIM_EHOST, "calloc");
	bench(&(struct bench){ "create and destroy 1 TiB", TERABYTES, NULL, create_terabytes,
	                       &world });
	show_sizes(&world);
	create(&world, FRAMES_1G);
	world.order = 0;
	bench(&(struct bench){ "pair of order 0", NR_PAIRS, NULL, pairs, &world });
	world.order = 9;
	bench(&(struct bench){ "pair of order 9", NR_PAIRS, NULL, pairs, &world });
	bench(&(struct bench){ "fill, per page", FRAMES_1G, start_empty, fill, &world });
	free_all(&world);
	bench(&(struct bench){ "free at random, per page", FRAMES_1G, start_full, free_all,
	                       &world });
	destroy(&world);
	free(world.pfn);
	return 0;
}
