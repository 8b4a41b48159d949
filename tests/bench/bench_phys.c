/* SPDX-License-Identifier: MIT */
/* Simulated memory: what a machine costs, and what a block costs. */
#include <string.h>

#include "base/rng.h"
#include "bench.h"

#define FRAMES_1G  (UINT64_C(1) << 18)
#define FRAMES_16G (UINT64_C(1) << 22)
#define FRAMES_1T  (UINT64_C(1) << 28)
#define NR_MIXED   1000000u
#define NR_PAIRS   1000000u
#define TERABYTES  100u

struct world {
	unsigned features;
	struct iommusim_phys *phys;
	iommusim_pfn *pfn; /* of every page, in the order in which they are to be freed */
	unsigned order;
	uint64_t nr_frames;
	uint64_t bytes; /* of host memory in use */
	/* Blocks in use while orders are mixed. */
	struct held {
		iommusim_pfn pfn;
		unsigned order;
	} * held;
	uint64_t nr_held, used;
	struct isim_rng rng;
	unsigned falling; /* 1: order k is half as likely as k - 1; 0: all are equally likely */
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
		.size = sizeof(config),
		.zones = &zone,
		.nr_zones = 1,
		.host = &host,
		.features = world->features,
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

	for (uint64_t i = 0; i < world->nr_frames; i++)
		world->pfn[i] = take(world, 0);
}

static void shuffle(struct world *world)
{
	struct isim_rng rng = isim_rng_seed(1);

	for (uint64_t i = world->nr_frames; i > 1; i--) {
		uint64_t other = isim_rng_below(&rng, i);
		iommusim_pfn pfn = world->pfn[i - 1];

		world->pfn[i - 1] = world->pfn[other];
		world->pfn[other] = pfn;
	}
}

static void free_all(void *ctx)
{
	struct world *world = ctx;

	for (uint64_t i = 0; i < world->nr_frames; i++)
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

	if (iommusim_phys_nr_free(world->phys) != world->nr_frames)
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

/* ---- Orders mixed, at four fifths full ---- */

static unsigned draw_order(struct world *world)
{
	unsigned order = 0;

	if (!world->falling)
		return (unsigned)isim_rng_below(&world->rng, 11);
	while (order < 10 && isim_rng_next(&world->rng) & 1)
		order++;
	return order;
}

/* Take until so much is in use, or what is free is too small. */
static void take_mixed(struct world *world, uint64_t most)
{
	struct iommusim_page_request req = { .gfp = IOMMUSIM_GFP_KERNEL, .node = -1 };
	struct iommusim_page_block block;

	while (world->used < most) {
		req.order = draw_order(world);
		if (iommusim_phys_alloc(world->phys, &req, &block))
			break;
		world->held[world->nr_held++] = (struct held){ block.pfn, req.order };
		world->used += UINT64_C(1) << req.order;
	}
}

static void drop_one(struct world *world)
{
	uint64_t i = isim_rng_below(&world->rng, world->nr_held);
	struct held held = world->held[i];

	world->held[i] = world->held[--world->nr_held];
	world->used -= UINT64_C(1) << held.order;
	must(iommusim_phys_free(world->phys, held.pfn, held.order), "free");
}

/* Free one, take what that makes room for. */
static void mixed(void *ctx)
{
	struct world *world = ctx;

	for (unsigned calls = 0; calls < NR_MIXED;) {
		uint64_t before = world->nr_held;

		drop_one(world);
		take_mixed(world, world->nr_frames / 5 * 4);
		calls += 1 + (unsigned)(world->nr_held - before + 1);
	}
}

static void mix(struct world *world, unsigned falling, const char *name)
{
	create(world, FRAMES_1G);
	world->nr_frames = FRAMES_1G;
	world->falling = falling;
	world->rng = isim_rng_seed(7);
	world->nr_held = world->used = 0;
	take_mixed(world, FRAMES_1G / 5 * 4);
	bench(&(struct bench){ name, NR_MIXED, NULL, mixed, world });
	destroy(world);
}

static void pair(struct world *world, unsigned order, const char *name)
{
	world->order = order;
	bench(&(struct bench){ name, NR_PAIRS, NULL, pairs, world });
}

/* With per-CPU lists and marks, as in a running kernel. */
static void show_features(struct world *world)
{
	world->features = IOMMUSIM_PHYS_WATERMARKS | IOMMUSIM_PHYS_PCP;
	create(world, FRAMES_1G);
	pair(world, 0, "pair of order 0, per-CPU lists and marks");
	pair(world, 9, "pair of order 9, per-CPU lists and marks");
	destroy(world);
	world->features = 0;
}

static void fill_and_free(struct world *world, uint64_t nr_frames, const char *fill_name,
                          const char *free_name)
{
	create(world, nr_frames);
	world->nr_frames = nr_frames;
	bench(&(struct bench){ fill_name, nr_frames, start_empty, fill, world });
	free_all(world);
	bench(&(struct bench){ free_name, nr_frames, start_full, free_all, world });
	destroy(world);
}

int main(void)
{
	struct world world = { .pfn = calloc(FRAMES_16G, sizeof(*world.pfn)),
		               .held = calloc(FRAMES_1G, sizeof(*world.held)) };
	iommusim_pfn one;

	must(world.pfn && world.held ? 0 : -IOMMUSIM_EHOST, "calloc");
	world.nr_frames = FRAMES_1G;
	bench(&(struct bench){ "create and destroy 1 TiB", TERABYTES, NULL, create_terabytes,
	                       &world });
	show_sizes(&world);
	create(&world, FRAMES_1G);
	pair(&world, 0, "pair of order 0, cutting and merging all of a block");
	one = take(&world, 0);
	pair(&world, 0, "pair of order 0");
	must(iommusim_phys_free(world.phys, one, 0), "free");
	pair(&world, 9, "pair of order 9");
	destroy(&world);
	show_features(&world);
	fill_and_free(&world, FRAMES_1G, "fill 1 GiB, per page", "free 1 GiB at random, per page");
	fill_and_free(&world, FRAMES_16G, "fill 16 GiB, per page",
	              "free 16 GiB at random, per page");
	mix(&world, 0, "all orders alike, four fifths full, per call");
	mix(&world, 1, "falling orders, four fifths full, per call");
	free(world.pfn);
	free(world.held);
	return 0;
}
