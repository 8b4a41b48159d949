/* SPDX-License-Identifier: MIT */
/*
 * The IOVA allocator: a pair of free and alloc of random sizes among a thousand, a hundred thousand
 * and ten million ranges, without caches; alloc and free alone; a pair that the caches serve.
 */
#include "bench.h"

#include "base/rng.h"
#include "iova/space.h"

#define LAST48    UINT64_C(0xfffffffff) /* last frame of a 48-bit space */
#define LARGEST   64                    /* frames of a range */
#define NR_PAIRS  100000u
#define NR_PLAIN  100000u
#define NR_CACHED 1000000u

struct world {
	struct iommusim_iova *space;
	struct isim_rng rng;
	uint64_t *lo; /* of the live ranges, in random order */
	uint64_t nr, next;
};

static void create(struct world *world, unsigned nr_cpus, uint64_t room)
{
	struct iommusim_iova_config config = { .size = sizeof(config), .nr_cpus = nr_cpus };

	must(iommusim_iova_create(&config, &world->space), "create");
	world->rng = isim_rng_seed(1);
	world->nr = world->next = 0;
	world->lo = calloc((size_t)room, sizeof(*world->lo));
	must(world->lo ? 0 : -IOMMUSIM_EHOST, "frames");
}

static void destroy(struct world *world)
{
	iommusim_iova_destroy(world->space);
	free(world->lo);
}

static uint64_t take(struct world *world)
{
	uint64_t size = 1 + isim_rng_below(&world->rng, LARGEST), lo = 0;

	must(iommusim_iova_alloc(world->space, size, LAST48, 1, &lo), "alloc");
	return lo;
}

static void pairs(void *ctx)
{
	struct world *world = ctx;

	for (unsigned i = 0; i < NR_PAIRS; i++) {
		uint64_t *lo = &world->lo[world->next];

		iommusim_iova_free(world->space, *lo);
		*lo = take(world);
		world->next = world->next + 1 == world->nr ? 0 : world->next + 1;
	}
}

static void fill(struct world *world, uint64_t nr)
{
	for (; world->nr < nr; world->nr++)
		world->lo[world->nr] = take(world);
	for (uint64_t i = nr; i-- > 1;) {
		uint64_t other = isim_rng_below(&world->rng, i + 1), lo = world->lo[i];

		world->lo[i] = world->lo[other];
		world->lo[other] = lo;
	}
}

/* ---- Memory alone ---- */

#define NR_READS 1000000u

struct cycle {
	uint64_t *next; /* of each line of 64 bytes, all lines in one random cycle */
	uint64_t nr, at;
};

static void reads(void *ctx)
{
	struct cycle *c = ctx;

	for (unsigned i = 0; i < NR_READS; i++)
		c->at = c->next[c->at * 8];
}

/* One read after the other, each where the one before says, in as much memory as the leaves take.
 */
static void time_reads(const struct isim_tree *tree)
{
	struct isim_rng rng = isim_rng_seed(2);
	struct cycle c = { .nr = tree->nr_leaves * (uint64_t)sizeof(*tree->leaf) / 64 };
	char name[80];

	c.next = calloc((size_t)c.nr, 64);
	must(c.next ? 0 : -IOMMUSIM_EHOST, "memory");
	for (uint64_t i = 0; i < c.nr; i++)
		c.next[i * 8] = i;
	for (uint64_t i = c.nr; i-- > 1;) { /* Sattolo's shuffle: one cycle */
		uint64_t other = isim_rng_below(&rng, i), was = c.next[i * 8];

		c.next[i * 8] = c.next[other * 8];
		c.next[other * 8] = was;
	}
	snprintf(name, sizeof(name), "a read of %lu KiB", (unsigned long)(c.nr / 16));
	bench(&(struct bench){ name, NR_READS, NULL, reads, &c });
	free(c.next);
}

static void time_pairs(uint64_t nr)
{
	struct world world;
	char name[80];
	uint64_t start;

	create(&world, 0, nr);
	start = now_ns();
	fill(&world, nr);
	snprintf(name, sizeof(name), "fill with %lu ranges and shuffle, per range",
	         (unsigned long)nr);
	figure(name, "ns", (double)(now_ns() - start) / (double)nr);
	for (unsigned i = 0; i < 5; i++) /* until the holes are those of a space long in use */
		pairs(&world);
	snprintf(name, sizeof(name), "free and alloc among %lu ranges", (unsigned long)nr);
	bench(&(struct bench){ name, NR_PAIRS, NULL, pairs, &world });
	figure("levels of the tree", "levels", world.space->tree.height + 1.0);
	time_reads(&world.space->tree);
	destroy(&world);
}

/* ---- Alloc alone, free alone ---- */

static void empty(void *ctx)
{
	struct world *world = ctx;

	while (world->nr)
		iommusim_iova_free(world->space, world->lo[--world->nr]);
}

static void allocs(void *ctx)
{
	struct world *world = ctx;

	for (; world->nr < NR_PLAIN; world->nr++)
		must(iommusim_iova_alloc(world->space, 1, LAST48, 1, &world->lo[world->nr]),
		     "alloc");
}

static void time_plain(void)
{
	struct world world;

	create(&world, 0, NR_PLAIN);
	bench(&(struct bench){ "alloc of one frame", NR_PLAIN, empty, allocs, &world });
	bench(&(struct bench){ "free of one frame", NR_PLAIN, allocs, empty, &world });
	destroy(&world);
}

/* ---- Cached ---- */

static void cached_pairs(void *ctx)
{
	struct world *world = ctx;
	struct iommusim_iova_request request = { .size = 1, .limit = LAST48, .flush = 1 };

	for (unsigned i = 0; i < NR_CACHED; i++) {
		uint64_t lo = 0;

		must(iommusim_iova_alloc_fast(world->space, &request, &lo), "alloc");
		must(iommusim_iova_free_fast(world->space, lo, 1, 0), "free");
	}
}

static void time_cached(void)
{
	struct world world;

	create(&world, 1, 1);
	bench(&(struct bench){ "cached alloc and free", NR_CACHED, NULL, cached_pairs, &world });
	destroy(&world);
}

int main(void)
{
	static const uint64_t nrs[] = { 1000, 100000, 10000000 };

	time_cached();
	time_plain();
	for (unsigned i = 0; i < 3; i++)
		time_pairs(nrs[i]);
	return 0;
}
