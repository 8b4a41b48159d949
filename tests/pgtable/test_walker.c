/* SPDX-License-Identifier: MIT */
/*
 * Random mapping, unmapping and splitting through a domain, and after each step every page that was
 * touched, and its neighbours, looked up by an independent walker and in an obvious model: an array
 * of pages. Tables are in memory of the test's own, so that the walker reads nothing but bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "table_memory.h"
#include "test.h"
#include "walk_arm.h"

#define NR_STEPS   160u
#define NR_SEEDS   6u
#define NR_WINDOWS 3u

/* ---- The model: windows of the IOVA space, page by page ---- */

struct model_page {
	uint64_t pa; /* 0: not mapped */
	unsigned prot;
};

struct world {
	const struct row *row;
	struct memory memory;
	struct iommusim_pgtable *pgtable;
	struct iommusim_domain *domain;
	struct walk_config walker;
	struct isim_rng rng;
	uint64_t window[NR_WINDOWS], pages; /* first iova, granules in each */
	struct model_page *model;           /* NR_WINDOWS times pages */
	uint64_t nr_checked, nr_mapped;
};

#define FORMAT(stage) &iommusim_pgtable_arm_lpae_##stage, &walk_arm_lpae_##stage

static const struct row {
	const char *name;
	const struct iommusim_pgtable_format *format;
	const struct walk_format *walked;
	unsigned granule, ias, oas;
	uint32_t quirks;
} rows[] = {
	{ "stage 1, 4K, 48 bits", FORMAT(s1), 12, 48, 48, 0 },
	{ "stage 1, 4K, 39 bits", FORMAT(s1), 12, 39, 40, 0 },
	{ "stage 1, 4K, 32 bits", FORMAT(s1), 12, 32, 32, 0 },
	{ "stage 1, 16K, 47 bits", FORMAT(s1), 14, 47, 48, 0 },
	{ "stage 1, 16K, 36 bits", FORMAT(s1), 14, 36, 44, 0 },
	{ "stage 1, 64K, 52 bits", FORMAT(s1), 16, 52, 52, 0 },
	{ "stage 1, 64K, 42 bits", FORMAT(s1), 16, 42, 48, 0 },
	{ "stage 2, 4K, 40 bits, two tables side by side", FORMAT(s2), 12, 40, 40, 0 },
	{ "stage 2, 4K, 48 bits", FORMAT(s2), 12, 48, 48, 0 },
	{ "stage 2, 16K, 48 bits, two tables side by side", FORMAT(s2), 14, 48, 48, 0 },
	{ "stage 2, 64K, 48 bits", FORMAT(s2), 16, 48, 52, 0 },
};

static struct model_page *model_at(const struct world *world, unsigned window, uint64_t page)
{
	return &world->model[window * world->pages + page];
}

static void check_page(struct world *world, unsigned window, uint64_t page)
{
	const struct model_page *want = model_at(world, window, page);
	uint64_t iova = world->window[window] + (page << world->row->granule);
	struct walk_answer got = walk(&world->walker, iova);

	world->nr_checked++;
	assert_int_equal(got.cause, want->pa ? WALK_MAPPED : WALK_ABSENT);
	assert_int_equal(iommusim_domain_iova_to_phys(world->domain, iova), want->pa);
	if (!want->pa)
		return;
	assert_int_equal(got.pa, want->pa);
	/* The library's protection bits have the values of the walker's letters. */
	assert_int_equal(got.prot, walk_expected(&world->walker, want->prot));
}

/* The pages @first .. @first + @nr - 1 and two on either side: all of few, some of many. */
static void check_around(struct world *world, unsigned window, uint64_t first, uint64_t nr)
{
	uint64_t from = first < 2 ? 0 : first - 2, to = first + nr + 2;

	if (to > world->pages)
		to = world->pages;
	for (uint64_t page = from; page < to; page++)
		if (page < first + 8 || page + 8 > first + nr ||
		    !isim_rng_below(&world->rng, to - from > 256 ? 64 : 2))
			check_page(world, window, page);
}

/* ---- Steps ---- */

static int is_free(const struct world *world, unsigned window, uint64_t first, uint64_t nr)
{
	for (uint64_t page = first; page < first + nr; page++)
		if (model_at(world, window, page)->pa)
			return 0;
	return 1;
}

/* A run of pages, often a whole block or the rest of one. */
static void choose(struct world *world, unsigned *window, uint64_t *first, uint64_t *nr)
{
	uint64_t block = UINT64_C(1) << (world->row->granule - 3); /* pages under one table */

	*window = (unsigned)isim_rng_below(&world->rng, NR_WINDOWS);
	*first = isim_rng_below(&world->rng, world->pages);
	if (isim_rng_below(&world->rng, 2))
		*first &= ~(block - 1);
	*nr = isim_rng_below(&world->rng, 3) ? 1 + isim_rng_below(&world->rng, 40)
	                                     : block * (1 + isim_rng_below(&world->rng, 2));
	if (*nr > world->pages - *first)
		*nr = world->pages - *first;
}

static void map_step(struct world *world)
{
	uint64_t granule = UINT64_C(1) << world->row->granule, first, nr;
	struct iommusim_map map = { .prot = 1 + (unsigned)isim_rng_below(&world->rng, 3) };
	unsigned window;

	choose(world, &window, &first, &nr);
	if (!is_free(world, window, first, nr))
		return;
	map.prot |= (unsigned)isim_rng_below(&world->rng, 16) << 2;
	map.iova = world->window[window] + first * granule;
	map.size = nr * granule;
	map.pa = isim_rng_below(&world->rng, 4) ? (map.iova & 0x3fffffff) | UINT64_C(0x40000000)
	                                        : (1 + isim_rng_below(&world->rng, 999)) * granule;
	assert_ok(iommusim_domain_map(world->domain, &map));
	for (uint64_t i = 0; i < nr; i++)
		*model_at(world, window, first + i) =
			(struct model_page){ map.pa + i * granule, map.prot };
	world->nr_mapped++;
	check_around(world, window, first, nr);
}

/* A run that is mapped from its first page on, as far as it goes. */
static void unmap_step(struct world *world)
{
	uint64_t granule = UINT64_C(1) << world->row->granule, first, nr, n = 0;
	unsigned window;

	choose(world, &window, &first, &nr);
	while (n < nr && model_at(world, window, first + n)->pa)
		n++;
	if (!n)
		return;
	assert_int_equal(iommusim_domain_unmap(world->domain,
	                                       world->window[window] + first * granule,
	                                       n * granule),
	                 n * granule);
	for (uint64_t i = 0; i < n; i++)
		model_at(world, window, first + i)->pa = 0;
	check_around(world, window, first, n);
}

static struct world *given_world(const struct row *row, uint64_t seed)
{
	struct world *world = calloc(1, sizeof(*world));
	struct iommusim_table_memory memory = { .size = sizeof(memory) };
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = row->format,
		                                  .page_shift = row->granule,
		                                  .pgsizes = UINT64_C(0x62215000) | SZ_1G,
		                                  .ias = row->ias,
		                                  .oas = row->oas,
		                                  .quirks = row->quirks,
		                                  .memory = &memory };
	struct iommusim_driver driver;
	struct iommusim_domain_config domain = { .size = sizeof(domain), .driver = &driver };

	assert_non_null(world);
	memory.ctx = &world->memory;
	memory.alloc_table = alloc_table;
	memory.free_table = free_table;
	memory.table_at = table_at;
	world->row = row;
	world->memory.next = row->oas < 36 ? TABLES_AT >> 4 : TABLES_AT;
	world->rng = isim_rng_seed(seed);
	assert_ok(iommusim_pgtable_create(&config, &world->pgtable));
	driver = iommusim_pgtable_driver(world->pgtable);
	domain.pgsizes = iommusim_pgtable_info(world->pgtable).pgsizes;
	assert_ok(iommusim_domain_create(&domain, &world->domain));
	return world;
}

/* Windows at the bottom, around the middle and at the top of the space. */
static void place_windows(struct world *world)
{
	uint64_t last = (UINT64_C(1) << world->row->ias) - 1, bytes;

	world->pages = UINT64_C(3) << (world->row->granule - 3); /* under three tables */
	bytes = world->pages << world->row->granule;
	world->window[0] = 0;
	world->window[1] = (last / 2 + 1) - bytes / 3;
	world->window[2] = last - bytes + 1;
	world->model = calloc((size_t)(NR_WINDOWS * world->pages), sizeof(*world->model));
	assert_non_null(world->model);
	world->walker = (struct walk_config){
		.format = world->row->walked,
		.granule_lg2 = world->row->granule,
		.ias = world->row->ias,
		.oas = world->row->oas,
		.root = { iommusim_pgtable_info(world->pgtable).root },
		.read = read_tables,
		.ctx = &world->memory,
	};
}

static void destroy(struct world *world)
{
	iommusim_domain_destroy(world->domain);
	iommusim_pgtable_destroy(world->pgtable);
	for (unsigned i = 0; i < world->memory.nr; i++)
		assert_null(world->memory.table[i].data); /* every table is back */
	free(world->model);
	free(world);
}

static void an_independent_walker_finds_every_page(void **state)
{
	uint64_t nr_checked = 0, nr_mapped = 0;

	for (uint64_t seed = 1; seed <= NR_SEEDS; seed++) {
		struct world *world = given_world(*state, seed);

		place_windows(world);
		for (unsigned step = 0; step < NR_STEPS; step++) {
			if (isim_rng_below(&world->rng, 5) < 3)
				map_step(world);
			else
				unmap_step(world);
		}
		nr_checked += world->nr_checked;
		nr_mapped += world->nr_mapped;
		destroy(world);
	}
	printf("# seeds 1 to %u: %lu mappings, %lu pages looked up\n", NR_SEEDS,
	       (unsigned long)nr_mapped, (unsigned long)nr_checked);
	assert_true(nr_mapped > NR_SEEDS * 10);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest)TEST_ROW(an_independent_walker_finds_every_page,
		                                       &rows[i]);
	return RUN_TESTS(tests);
}
