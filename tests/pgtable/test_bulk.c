/* SPDX-License-Identifier: MIT */
/*
 * One call for many pages against the obvious way, one call for each: for formats whose calls take
 * pages one after the other both leave the same words and report the same.
 */
#include <stdio.h>

#include "base/rng.h"
#include "format_rows.h"

#define NR_STEPS  120u
#define NR_SEEDS  4u
#define NR_WINDOW 1600u /* pages, under four tables and more */

struct pair {
	const struct format_row *row;
	struct iommusim_pgtable *bulk, *single;
	struct isim_rng rng;
};

static uint64_t size_of(struct pair *pair)
{
	static const unsigned large[] = { 0, 0, 0, 1 };

	return large[isim_rng_below(&pair->rng, 4)] ? pair->row->large : pair->row->page;
}

/* A run of pages of one size somewhere in the window. */
static struct iommusim_map_pages any_pages(struct pair *pair)
{
	const struct format_row *r = pair->row;
	uint64_t pgsize = size_of(pair), bytes = NR_WINDOW * r->page;
	uint64_t at = isim_rng_below(&pair->rng, bytes / pgsize) * pgsize;
	uint64_t most = pgsize == r->page ? 700 : 20;
	struct iommusim_map_pages pages = {
		.iova = r->iova + at,
		.pa = r->pa + isim_rng_below(&pair->rng, 64) * pgsize,
		.pgsize = pgsize,
		.count = 1 + isim_rng_below(&pair->rng, isim_rng_below(&pair->rng, 2) ? 9 : most),
		.prot = 1 + (unsigned)isim_rng_below(&pair->rng, 3),
	};

	return pages;
}

static void map_both(struct pair *pair, const struct iommusim_map_pages *pages)
{
	struct iommusim_map_pages one = *pages;
	uint64_t mapped, done = 0, total = 0;
	int err = iommusim_pgtable_map(pair->bulk, pages, &mapped), one_err = 0;

	one.count = 1;
	for (uint64_t i = 0; !one_err && i < pages->count; i++) {
		one_err = iommusim_pgtable_map(pair->single, &one, &done);
		one.iova += pages->pgsize;
		one.pa += pages->pgsize;
		total += done;
	}
	assert_err(err, -one_err);
	assert_int_equal(mapped, total);
}

/*
 * Where pages go as a whole each step is the smallest page, and the next is behind what went. v7s
 * has no such pages, and steps of the size that was asked for.
 */
static void unmap_both(struct pair *pair, const struct iommusim_map_pages *pages)
{
	uint64_t bytes = pages->pgsize * pages->count, done = 0, iova = pages->iova;
	uint64_t all = unmap(pair->bulk, iova, pages->pgsize, pages->count);
	uint64_t step = pair->row->is_whole ? pair->row->page : pages->pgsize;

	while (done < bytes) {
		struct iommusim_pgtable_walk walk;
		uint64_t one;

		iommusim_pgtable_walk(pair->single, iova, &walk);
		one = unmap(pair->single, iova, step, 1);
		if (!one)
			break;
		done += one;
		if (walk.is_mapped && one > step)
			iova = (iova & ~(walk.size - 1)) + walk.size;
		else
			iova += one;
	}
	assert_int_equal(all, done);
}

static void assert_same_words(const struct pair *pair)
{
	const struct format_row *r = pair->row;

	for (uint64_t i = 0; i < NR_WINDOW + 16; i++) {
		struct iommusim_pgtable_walk a, b;

		iommusim_pgtable_walk(pair->bulk, r->iova + i * r->page, &a);
		iommusim_pgtable_walk(pair->single, r->iova + i * r->page, &b);
		assert_int_equal(a.nr, b.nr);
		for (unsigned j = 0; j < a.nr; j++)
			assert_int_equal(a.step[j].word, b.step[j].word);
	}
	assert_int_equal(iommusim_pgtable_info(pair->bulk).nr_tables,
	                 iommusim_pgtable_info(pair->single).nr_tables);
}

static void does_what_one_call_for_each_does(void **state)
{
	const struct format_row *r = *state;

	for (uint64_t seed = 1; seed <= NR_SEEDS; seed++) {
		struct pair pair = { r, given_format(r), given_format(r), isim_rng_seed(seed) };

		for (unsigned i = 0; i < NR_STEPS; i++) {
			struct iommusim_map_pages pages = any_pages(&pair);

			if (isim_rng_below(&pair.rng, 5) < 3)
				map_both(&pair, &pages);
			else
				unmap_both(&pair, &pages);
			if (i % 8 == 7)
				assert_same_words(&pair);
		}
		iommusim_pgtable_destroy(pair.bulk);
		iommusim_pgtable_destroy(pair.single);
	}
}

/* v7s and AMD; the others take what lies in one table, or a range. */
static int is_page_by_page(const struct format_row *row)
{
	return row->replaces || row->config.format == &iommusim_pgtable_arm_v7s;
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(format_rows)];
	static char names[ARRAY_LEN(tests)][96];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(format_rows); i++) {
		if (!is_page_by_page(&format_rows[i]))
			continue;
		snprintf(names[nr], sizeof(names[nr]), "%s: %s", format_rows[i].name,
		         "one call does what one for each page does");
		tests[nr] = (struct CMUnitTest)TEST_ROW(does_what_one_call_for_each_does,
		                                        &format_rows[i]);
		tests[nr].name = names[nr];
		nr++;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("bulk", tests, nr, NULL, NULL);
}
