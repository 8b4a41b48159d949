/* SPDX-License-Identifier: MIT */
/*
 * The walkers, judged by tables that the kernel's own code made, and by tables made by hand from
 * the layouts where there is none of those: before they judge the library they must find in them
 * every page that was mapped, and no other.
 */
#include <stdio.h>

#include "layout_linear.h"
#include "layout_radix.h"
#include "layout_s1.h"
#include "layout_s2.h"
#include "layout_soc.h"
#include "layout_two_levels.h"
#include "test.h"

/* All memory is zero but for the words of the example. */
static int read_words(void *ctx, uint64_t pa, unsigned char *bytes, unsigned nr)
{
	const struct example *e = ctx;
	uint64_t word = 0;

	for (size_t i = 0; i < e->nr_runs; i++) {
		const struct run *run = &e->run[i];

		if (pa >= run->table + (uint64_t)run->first * nr &&
		    pa <= run->table + (uint64_t)run->last * nr)
			word = run->word + ((pa - run->table) / nr - run->first) * run->step;
	}
	for (unsigned i = 0; i < nr; i++)
		bytes[e->is_big_endian ? nr - 1 - i : i] = (unsigned char)(word >> 8 * i);
	return 1;
}

static struct walk_answer ask(const struct example *e, uint64_t iova)
{
	struct walk_config config = e->config;

	config.read = read_words;
	config.ctx = (void *)(uintptr_t)e;
	return walk(&config, iova);
}

/* Is @iova in a page that the example maps? */
static int is_mapped(const struct example *e, uint64_t iova)
{
	for (size_t i = 0; i < e->nr_mappings; i++)
		if (iova - e->mapping[i].iova < e->mapping[i].size * e->mapping[i].nr)
			return 1;
	return 0;
}

static void assert_leads_to(const struct example *e, uint64_t iova, uint64_t pa,
                            const struct mapping *m)
{
	struct walk_answer answer = ask(e, iova);

	assert_int_equal(answer.cause, WALK_MAPPED);
	assert_int_equal(answer.pa, pa);
	assert_int_equal(answer.size, m->size);
	assert_int_equal(answer.prot & walk_told(&e->config),
	                 walk_expected(&e->config, letters(m->prot)));
}

static void assert_leads_nowhere(const struct example *e, uint64_t iova)
{
	struct walk_answer answer = ask(e, iova);

	if (!is_mapped(e, iova))
		assert_true(answer.cause == WALK_ABSENT || answer.cause == WALK_RANGE);
}

static void its_pages_and_no_others_are_found(void **state)
{
	const struct example *e = *state;

	for (size_t i = 0; i < e->nr_mappings; i++) {
		const struct mapping *m = &e->mapping[i];

		for (unsigned n = 0; n < m->nr; n++) {
			uint64_t at = n * m->size, last = at + m->size - 1;

			assert_leads_to(e, m->iova + at, m->pa + at, m);
			assert_leads_to(e, m->iova + last, m->pa + last, m);
		}
		assert_leads_nowhere(e, m->iova - 1);
		assert_leads_nowhere(e, m->iova + m->nr * m->size);
	}
	if (e->hole)
		assert_leads_nowhere(e, e->hole);
	assert_true(e->hole || e->nr_mappings);
}

/* Where the example tells how large the first table is, the walker counts as many words. */
static void its_first_table_is_as_large(void **state)
{
	const struct example *e = *state;
	struct walk_geometry g = { .word_bytes = 8 };
	uint64_t bytes;

	e->config.format->geometry(&e->config, 0, &g);
	bytes = UINT64_C(8) << g.level[g.nr_levels - 1].index_lg2;
	if (bytes < UINT64_C(1) << e->config.granule_lg2)
		bytes = UINT64_C(1) << e->config.granule_lg2;
	if (e->root_bytes)
		assert_int_equal(bytes, e->root_bytes);
}

static const struct {
	const struct example *example;
	size_t nr;
} groups[] = {
	{ RUNS(examples_s1) },    { RUNS(examples_s2) },         { RUNS(examples_soc) },
	{ RUNS(examples_radix) }, { RUNS(examples_two_levels) }, { RUNS(examples_linear) },
};

int main(void)
{
	struct CMUnitTest tests[128];
	size_t nr = 0;

	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		for (size_t i = 0; i < groups[g].nr; i++) {
			const struct example *e = &groups[g].example[i];

			tests[nr++] =
				(struct CMUnitTest)TEST_ROW(its_pages_and_no_others_are_found, e);
			if (e->root_bytes)
				tests[nr++] =
					(struct CMUnitTest)TEST_ROW(its_first_table_is_as_large, e);
		}
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("layout examples", tests, nr, NULL, NULL);
}
