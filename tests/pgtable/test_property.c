/* SPDX-License-Identifier: MIT */
/*
 * Mapping and unmapping at random in every format, judged by the independent walkers: they visit
 * all that a table's words lead to, and find the pages that were mapped, each where it should be
 * and with the permissions asked for, and nothing else.
 *
 * usage: test_property [NR_SEEDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "property_rows.h"

#define NR_STEPS       60u
#define NR_STEPS_QUICK 20u /* without arguments */
#define NR_REGIONS     6u
#define TABLES_BYTES   (UINT64_C(64) << 20)

static unsigned nr_seeds = 1;

struct bench {
	const struct property_row *row;
	struct isim_rng rng;
	struct iommusim_pgtable *pgtable;
	struct iommusim_domain *domain;
	struct walk_config walker;
	struct model model;
	uint64_t granule, pgsizes, oas, region[NR_REGIONS];
	unsigned char *tables; /* from tables_at on */
	uint64_t tables_at, tables_used, tables_live;
	uint64_t nr_mapped, nr_unmapped, nr_pages, nr_asked;
};

static uint64_t below(struct bench *b, uint64_t n)
{
	return isim_rng_below(&b->rng, n);
}

/* ---- Memory for tables: freed ones become rubbish, which no walk may meet ---- */

static int alloc_table(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	struct bench *b = ctx;

	*pa = (b->tables_at + b->tables_used + bytes - 1) & ~(bytes - 1);
	b->tables_used = *pa + bytes - b->tables_at;
	b->tables_live += bytes;
	return b->tables_used > TABLES_BYTES ? -IOMMUSIM_ENOMEM : 0;
}

static void free_table(void *ctx, uint64_t pa, uint64_t bytes)
{
	struct bench *b = ctx;

	memset(b->tables + (pa - b->tables_at), 0xa5, (size_t)bytes);
	b->tables_live -= bytes;
}

static void *table_at(void *ctx, uint64_t pa)
{
	struct bench *b = ctx;

	return pa - b->tables_at < TABLES_BYTES ? b->tables + (pa - b->tables_at) : NULL;
}

static int read_tables(void *ctx, uint64_t pa, unsigned char *bytes, unsigned nr)
{
	struct bench *b = ctx;

	if (pa - b->tables_at >= b->tables_used)
		return 0;
	memcpy(bytes, b->tables + (pa - b->tables_at), nr);
	return 1;
}

/* ---- Looking ---- */

/* The registers may change as tables grow. */
static void read_registers(struct bench *b)
{
	struct iommusim_pgtable_info info = iommusim_pgtable_info(b->pgtable);

	b->walker.nr_levels = info.nr_levels;
	for (unsigned i = 0; i < 4; i++)
		b->walker.root[i] = info.nr_roots > 1 || !i ? info.roots[i] : 0;
}

/* The library's own answers are the walker's, up to the level where its walk ends. */
static void assert_library_agrees(struct bench *b, uint64_t iova, const struct walk_answer *answer)
{
	struct iommusim_pgtable_walk walked;
	int is_mapped = answer->cause == WALK_MAPPED;

	iommusim_pgtable_walk(b->pgtable, iova, &walked);
	assert_int_equal(walked.is_mapped, is_mapped);
	assert_int_equal(walked.step[walked.nr - 1].level, answer->level);
	assert_int_equal(iommusim_pgtable_iova_to_phys(b->pgtable, iova),
	                 is_mapped ? answer->pa : 0);
	if (!is_mapped) {
		assert_int_equal(walked.cause, IOMMUSIM_FAULT_NOT_PRESENT);
		return;
	}
	assert_int_equal(walked.cause, IOMMUSIM_FAULT_NONE);
	assert_int_equal(walked.size, answer->size);
	assert_int_equal(walked.pa + (iova & (walked.size - 1)), answer->pa);
	assert_int_equal(walked.prot & walk_told(&b->walker), answer->prot & walk_told(&b->walker));
}

/* Ask the walker of one address; the model knows what is right. */
static struct walk_answer look(struct bench *b, uint64_t iova)
{
	struct walk_answer answer = walk(&b->walker, iova);
	const struct extent *extent = model_at(&b->model, iova);

	b->nr_asked++;
	if (!extent) {
		if (answer.cause != WALK_RANGE)
			assert_int_equal(answer.cause, WALK_ABSENT);
		return answer;
	}
	assert_int_equal(answer.cause, WALK_MAPPED);
	assert_int_equal(answer.pa, extent->pa + (iova - extent->iova));
	assert_int_equal(answer.prot & walk_told(&b->walker),
	                 walk_expected(&b->walker, extent->prot));
	return answer;
}

static void look_and_compare(struct bench *b, uint64_t iova)
{
	struct walk_answer answer = look(b, iova);

	if (answer.cause != WALK_RANGE)
		assert_library_agrees(b, iova, &answer);
}

static void look_around(struct bench *b, uint64_t iova, uint64_t size)
{
	look_and_compare(b, iova);
	look_and_compare(b, iova + size - 1);
	if (iova > b->row->start)
		look_and_compare(b, iova - 1);
	if (iova + size)
		look_and_compare(b, iova + size);
	for (unsigned i = 0; i < 4; i++)
		look_and_compare(b, iova + below(b, size));
}

/* All of the space, page by page and hole by hole: every word that can be reached is read. */
static void look_everywhere(struct bench *b)
{
	uint64_t iova = b->row->start, last = b->row->start + (UINT64_MAX >> (64 - b->row->bits));
	uint64_t mapped = 0, end;

	for (;;) {
		struct walk_answer answer = look(b, iova);

		if (answer.cause == WALK_RANGE)
			break;
		end = (iova | (answer.size - 1)) + 1;
		if (answer.cause == WALK_MAPPED) {
			assert_int_equal(iova & (answer.size - 1), 0);
			look(b, end - 1);
			mapped += answer.size;
			b->nr_pages++;
		}
		if (end - 1 >= last)
			break;
		iova = end;
	}
	assert_int_equal(mapped, model_bytes(&b->model));
}

/* ---- Doing ---- */

/* Mostly a small one; as large as fits. */
static uint64_t choose_size(struct bench *b)
{
	uint64_t left = b->pgsizes;

	while (left & (left - 1) && below(b, 2))
		left &= left - 1;
	return left & ~(left - 1);
}

/* A range of the space that does not end with it, and pages of memory for it. 0: there are none. */
static int choose_map(struct bench *b, struct iommusim_map *map)
{
	uint64_t size = choose_size(b), space = UINT64_MAX >> (64 - b->row->bits);
	uint64_t region = b->region[below(b, NR_REGIONS)], nr_places;

	map->size = size * (1 + below(b, below(b, 4) ? 20 : 600));
	map->iova = (region & ~(size - 1)) + below(b, size == b->granule ? 2000 : 4) * size;
	map->prot = 1 + (unsigned)below(b, 3) + ((unsigned)below(b, 16) << 2);
	if (map->iova > space || map->size > space - map->iova ||
	    map->size >= UINT64_C(1) << b->oas)
		return 0;
	nr_places = ((UINT64_C(1) << b->oas) - map->size) / size;
	if (!nr_places)
		return 0;
	map->iova += b->row->start;
	map->pa = (1 + below(b, nr_places)) * size; /* not 0, which means "not mapped" */
	if (b->row->flags & WALK_DUMMY && b->row->dummy - map->pa < map->size)
		return 0; /* what is mapped there is not */
	return !model_touches(&b->model, map->iova, map->size);
}

static void map_step(struct bench *b)
{
	struct iommusim_map map = { .size = 0 };

	if (!choose_map(b, &map))
		return;
	assert_ok(iommusim_domain_map(b->domain, &map));
	model_add(&b->model, (struct extent){ map.iova, map.size, map.pa, map.prot });
	b->nr_mapped++;
	read_registers(b);
	look_around(b, map.iova, map.size);
}

/* Where leaves go as a whole or not at all, the range is made to end with them. */
static void widen_to_leaves(struct bench *b, uint64_t *iova, uint64_t *end)
{
	uint64_t first = walk(&b->walker, *iova).size, last = walk(&b->walker, *end - 1).size;

	*iova &= ~(first - 1);
	*end = ((*end - 1) | (last - 1)) + 1;
}

static void unmap_range(struct bench *b, uint64_t iova, uint64_t end)
{
	assert_int_equal(iommusim_domain_unmap(b->domain, iova, end - iova), end - iova);
	model_cut(&b->model, iova, end - iova);
	b->nr_unmapped++;
	read_registers(b);
	look_around(b, iova, end - iova);
}

static void unmap_step(struct bench *b)
{
	const struct extent *extent;
	uint64_t iova, end, pages;

	if (!b->model.nr)
		return;
	extent = &b->model.extent[below(b, b->model.nr)];
	pages = extent->size / b->granule;
	iova = below(b, 3) ? below(b, pages) : 0;
	end = below(b, 3) ? iova + 1 + below(b, pages - iova) : pages;
	iova = extent->iova + iova * b->granule;
	end = extent->iova + end * b->granule;
	if (b->row->is_whole)
		widen_to_leaves(b, &iova, &end);
	unmap_range(b, iova, end);
}

static void choose_regions(struct bench *b)
{
	unsigned lg2 = b->row->bits < 36 ? 22 : 2 * b->row->config.page_shift - 3;
	uint64_t nr = UINT64_C(1) << (b->row->bits - lg2);

	for (unsigned i = 0; i < NR_REGIONS; i++)
		b->region[i] = (i == 0   ? 0
		                : i == 1 ? nr - 1
		                : i == 2 ? nr / 2
		                         : below(b, nr))
		               << lg2;
}

static void create(struct bench *b)
{
	struct iommusim_table_memory memory = { .size = sizeof(memory),
		                                .ctx = b,
		                                .alloc_table = alloc_table,
		                                .free_table = free_table,
		                                .table_at = table_at };
	struct iommusim_pgtable_config config = b->row->config;
	struct iommusim_domain_config domain = { .size = sizeof(domain) };
	struct iommusim_driver driver;
	struct iommusim_pgtable_info info;

	config.size = sizeof(config);
	config.format = b->row->format;
	config.memory = &memory;
	assert_ok(iommusim_pgtable_create(&config, &b->pgtable));
	info = iommusim_pgtable_info(b->pgtable);
	b->pgsizes = info.pgsizes;
	b->granule = info.pgsizes & ~(info.pgsizes - 1);
	b->oas = info.oas && info.oas < 52 ? info.oas : 52;
	driver = iommusim_pgtable_driver(b->pgtable);
	domain.driver = &driver;
	domain.pgsizes = info.pgsizes;
	assert_ok(iommusim_domain_create(&domain, &b->domain));
}

static struct bench *given_bench(const struct property_row *row, uint64_t seed)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->row = row;
	b->rng = isim_rng_seed(seed);
	b->tables = calloc(1, TABLES_BYTES);
	b->tables_at = UINT64_C(0x40000000);
	assert_non_null(b->tables);
	create(b);
	b->walker = (struct walk_config){ .format = row->walked,
		                          .granule_lg2 = row->config.page_shift,
		                          .ias = row->bits,
		                          .oas = (unsigned)b->oas,
		                          .flags = row->flags,
		                          .start = row->start,
		                          .bytes = (UINT64_MAX >> (64 - row->bits)) + 1,
		                          .dummy = row->dummy,
		                          .read = read_tables,
		                          .ctx = b };
	choose_regions(b);
	read_registers(b);
	return b;
}

static void destroy(struct bench *b)
{
	iommusim_domain_destroy(b->domain);
	iommusim_pgtable_destroy(b->pgtable);
	assert_int_equal(b->tables_live, 0);
	free(b->tables);
	free(b);
}

static unsigned nr_steps = NR_STEPS_QUICK;

static void run_steps(struct bench *b)
{
	for (unsigned step = 1; step <= nr_steps; step++) {
		if (below(b, 5) < 3)
			map_step(b);
		else
			unmap_step(b);
		if (step % 20 == 0)
			look_everywhere(b);
	}
	while (b->model.nr)
		unmap_range(b, b->model.extent[0].iova,
		            b->model.extent[0].iova + b->model.extent[0].size);
	look_everywhere(b);
}

static void its_pages_and_no_others_are_mapped(void **state)
{
	const struct property_row *row = *state;
	uint64_t nr_mapped = 0, nr_unmapped = 0, nr_pages = 0, nr_asked = 0;

	for (unsigned seed = 1; seed <= nr_seeds; seed++) {
		struct bench *b = given_bench(row, seed);

		run_steps(b);
		nr_mapped += b->nr_mapped;
		nr_unmapped += b->nr_unmapped;
		nr_pages += b->nr_pages;
		nr_asked += b->nr_asked;
		destroy(b);
	}
	printf("# %s, seeds 1 to %u: %lu ranges mapped, %lu unmapped, %lu mappings checked, "
	       "%lu addresses\n",
	       row->name, nr_seeds, (unsigned long)nr_mapped, (unsigned long)nr_unmapped,
	       (unsigned long)nr_pages, (unsigned long)nr_asked);
	assert_true(nr_mapped >= nr_steps / 6 * nr_seeds);
}

/* A format that nobody added here has no proof. */
static void every_format_has_a_row(void **state)
{
	const struct iommusim_pgtable_format *format;

	for (size_t i = 0; (format = iommusim_pgtable_format_at(i)); i++) {
		size_t row = 0;

		while (row < ARRAY_LEN(property_rows) && property_rows[row].format != format)
			row++;
		if (row == ARRAY_LEN(property_rows))
			fail_msg("%s has no row", format->name);
	}
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_LEN(property_rows) + 1];
	size_t nr = 0;

	if (argc > 1) {
		nr_seeds = (unsigned)strtoul(argv[1], NULL, 10);
		nr_steps = NR_STEPS;
	}
	for (size_t i = 0; i < ARRAY_LEN(property_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(its_pages_and_no_others_are_mapped,
		                                          &property_rows[i]);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(every_format_has_a_row);
	return RUN_TESTS(tests);
}
