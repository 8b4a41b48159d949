/* SPDX-License-Identifier: MIT */
/* AMD and Intel: trees that grow, ranges that choose their sizes, and where Linux would stop. */
#include "pgtable/word.h"
#include "pgtable_test.h"

#define K6_1  IOMMUSIM_KERNEL(6, 1)
#define K6_12 IOMMUSIM_KERNEL(6, 12)
#define RW    (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)

static struct iommusim_pgtable_info info_of(const struct iommusim_pgtable *pgtable)
{
	return iommusim_pgtable_info(pgtable);
}

/* The last word that a walk of @iova reads. */
static uint64_t word_of(const struct iommusim_pgtable *pgtable, uint64_t iova)
{
	struct iommusim_pgtable_walk walk;

	iommusim_pgtable_walk(pgtable, iova, &walk);
	return walk.step[walk.nr - 1].word;
}

/* ---- AMD v1 ---- */

static struct iommusim_pgtable *given_amd_v1(unsigned kernel)
{
	return given_pgtable((struct iommusim_pgtable_config){ .format = &iommusim_pgtable_amd_v1,
	                                                       .kernel = kernel });
}

static void the_first_table_gets_another_above_it(void **state)
{
	struct iommusim_pgtable *pgtable = given_amd_v1(K6_12);
	uint64_t old = info_of(pgtable).root;

	map_ok(pgtable, SZ_4K, SZ_1G, SZ_4K, 1);
	assert_int_equal(info_of(pgtable).nr_levels, 3);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, UINT64_C(1) << 60), 0);
	map_ok(pgtable, UINT64_C(1) << 60, 2 * SZ_1G, SZ_4K, 1);
	assert_int_equal(info_of(pgtable).nr_levels, 6);
	assert_int_not_equal(info_of(pgtable).root, old);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_4K), SZ_1G);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, (UINT64_C(1) << 60) + 3),
	                 2 * SZ_1G + 3);
	map_ok(pgtable, 0 - SZ_4K, 0, SZ_4K, 1); /* the very last page */
	assert_int_equal(unmap(pgtable, 0 - SZ_4K, SZ_4K, 1), SZ_4K);
	assert_int_equal(info_of(pgtable).nr_levels, 6);
	iommusim_pgtable_destroy(pgtable);
}

static void boot_options_of_6_12_leave_fewer_page_sizes(void **state)
{
	static const struct {
		unsigned kernel;
		uint64_t asked, want;
	} rows[] = {
		{ K6_12, SZ_4K | SZ_1M, UINT64_C(0xfff7ffffff000) },
		{ K6_12, SZ_4K, SZ_4K },
		{ K6_12, SZ_4K | SZ_2M | SZ_1G, SZ_4K | SZ_2M | SZ_1G },
		{ K6_12, SZ_4K | SZ_2M, UINT64_C(0xfff7ffffff000) },
		{ K6_1, SZ_4K, UINT64_C(0xffffff7ffffff000) },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct iommusim_pgtable *pgtable = given_pgtable(
			(struct iommusim_pgtable_config){ .format = &iommusim_pgtable_amd_v1,
		                                          .kernel = rows[i].kernel,
		                                          .pgsizes = rows[i].asked });

		assert_int_equal(info_of(pgtable).pgsizes, rows[i].want);
		iommusim_pgtable_destroy(pgtable);
	}
}

/* Linux aliases, hardware does not: the levels say what there is. */
static void a_walker_refuses_what_the_levels_do_not_cover(void **state)
{
	struct iommusim_pgtable *pgtable = given_amd_v1(K6_12);
	uint64_t beyond = UINT64_C(1) << 39;

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 1);
	assert_int_equal(iommusim_pgtable_access(pgtable, 0, IOMMUSIM_ACCESS_READ, NULL),
	                 IOMMUSIM_FAULT_NONE);
	assert_int_equal(iommusim_pgtable_access(pgtable, beyond, IOMMUSIM_ACCESS_READ, NULL),
	                 IOMMUSIM_FAULT_ADDRESS_SIZE);
	map_ok(pgtable, beyond, SZ_1G, SZ_4K, 1);
	assert_int_equal(iommusim_pgtable_access(pgtable, beyond, IOMMUSIM_ACCESS_READ, NULL),
	                 IOMMUSIM_FAULT_NONE);
	assert_int_equal(iommusim_pgtable_access(pgtable, 2 * beyond, IOMMUSIM_ACCESS_READ, NULL),
	                 IOMMUSIM_FAULT_NOT_PRESENT);
	iommusim_pgtable_destroy(pgtable);
}

/* The next level of a word at the top is not the one below: what is read there does not count. */
static void a_walk_ends_at_a_table_word_that_is_reserved(void **state)
{
	struct iommusim_pgtable *pgtable = given_amd_v1(K6_12);
	struct iommusim_pgtable_walk walk;

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 1);
	pt_put(pgtable->ops->words, pgtable->root, 0,
	       pt_get(pgtable->ops->words, pgtable->root, 0) ^ 0x600);
	assert_int_equal(iommusim_pgtable_access(pgtable, 0, IOMMUSIM_ACCESS_READ, &walk),
	                 IOMMUSIM_FAULT_RESERVED);
	assert_int_equal(walk.nr, 1);
	assert_int_equal(walk.is_mapped, 0);
	iommusim_pgtable_destroy(pgtable);
}

/* Nobody writes 8K into a word for 1G: a walk over its pages would take 2^17 steps. */
static void a_page_is_not_smaller_than_its_word(void **state)
{
	struct iommusim_pgtable *pgtable = given_amd_v1(K6_12);
	struct iommusim_mapped_range range;

	map_ok(pgtable, SZ_1G, 2 * SZ_1G, SZ_1G, 1);
	pt_put(pgtable->ops->words, pgtable->root, 1, word_of(pgtable, SZ_1G) | UINT64_C(7) << 9);
	assert_int_equal(iommusim_pgtable_next(pgtable, 0, &range), 1);
	assert_int_equal(range.iova, SZ_1G);
	assert_int_equal(range.pgsize, SZ_1G);
	assert_int_equal(range.size, SZ_1G);
	iommusim_pgtable_destroy(pgtable);
}

/* 6.1 looks at the first address alone, and writes it into the first table. */
static void a_page_above_the_tree_grows_it_only_in_6_12(void **state)
{
	uint64_t size = SZ_1G * 1024;
	struct iommusim_pgtable *old = given_amd_v1(K6_1), *new = given_amd_v1(K6_12);

	map_ok(old, 0, size, size, 1);
	map_ok(new, 0, size, size, 1);
	assert_int_equal(info_of(old).nr_levels, 3);
	assert_int_equal(info_of(new).nr_levels, 4);
	assert_int_equal(iommusim_pgtable_iova_to_phys(new, size - 1), 2 * size - 1);
	assert_int_equal(iommusim_pgtable_iova_to_phys(old, size - 1), 0);
	assert_int_equal(iommusim_pgtable_iova_to_phys(old, SZ_1G + 1), size + SZ_1G + 1);
	iommusim_pgtable_destroy(old);
	iommusim_pgtable_destroy(new);
}

/* Each size in its words: equal ones, as many as it takes. */
static void every_power_of_two_is_a_page(void **state)
{
	struct iommusim_pgtable *pgtable = given_amd_v1(K6_12);

	for (unsigned lg2 = 12; lg2 <= 38; lg2++) {
		uint64_t size = UINT64_C(1) << lg2, at = UINT64_C(1) << 50;
		struct iommusim_pgtable_walk walk;

		map_ok(pgtable, at, size, size, 1);
		iommusim_pgtable_walk(pgtable, at + size - 1, &walk);
		assert_int_equal(walk.size, size);
		assert_int_equal(walk.pa, size);
		assert_int_equal(word_of(pgtable, at), word_of(pgtable, at + size - 1));
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, at + size / 2 + 1),
		                 size + size / 2 + 1);
		assert_int_equal(unmap(pgtable, at, SZ_4K, 1), size);
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, at + size - 1), 0);
	}
	iommusim_pgtable_destroy(pgtable);
}

static void unaligned_pages_stop_linux(void **state)
{
	struct iommusim_pgtable *pgtable = given_amd_v1(K6_12);

	assert_err(try_map(pgtable, SZ_4K, 0, 2 * SZ_4K, 1), IOMMUSIM_EBUG);
	assert_err(try_map(pgtable, 0, 1, SZ_4K, 1), IOMMUSIM_EBUG);
	assert_int_equal(info_of(pgtable).nr_bugs, 2);
	assert_non_null(strstr(iommusim_pgtable_error(pgtable), "multiple"));
	assert_int_equal(info_of(pgtable).nr_tables, 1);
	iommusim_pgtable_destroy(pgtable);
}

static void five_levels_are_newer_than_6_1(void **state)
{
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = &iommusim_pgtable_amd_v2,
		                                  .kernel = K6_1,
		                                  .nr_levels = 5 };
	struct iommusim_pgtable *pgtable;

	assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_EINVAL);
	config.kernel = K6_12;
	assert_ok(iommusim_pgtable_create(&config, &pgtable));
	assert_int_equal(info_of(pgtable).ias, 57);
	iommusim_pgtable_destroy(pgtable);
	config.nr_levels = 3;
	assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_EINVAL);
}

/* ---- VT-d ---- */

static struct iommusim_pgtable *given_vtd(unsigned kernel)
{
	return given_pgtable((struct iommusim_pgtable_config){
		.format = &iommusim_pgtable_vtd_sl, .kernel = kernel, .ias = 39 });
}

/* The page size of the request plays no part. */
static void a_range_becomes_the_largest_pages_that_fit(void **state)
{
	struct iommusim_pgtable *pgtable = given_vtd(K6_12);
	struct iommusim_mapped_range range;

	map_ok(pgtable, SZ_1G - SZ_4K, SZ_1G - SZ_4K, SZ_4K, 1 + 512 * 512 + 512 + 3);
	assert_int_equal(iommusim_pgtable_next(pgtable, SZ_1G, &range), 1);
	assert_int_equal(range.pgsize, SZ_1G);
	assert_int_equal(iommusim_pgtable_next(pgtable, 2 * SZ_1G, &range), 1);
	assert_int_equal(range.pgsize, SZ_2M);
	assert_int_equal(iommusim_pgtable_next(pgtable, 2 * SZ_1G + SZ_2M, &range), 1);
	assert_int_equal(range.pgsize, SZ_4K);
	assert_int_equal(range.size, 3 * SZ_4K);
	iommusim_pgtable_destroy(pgtable);
}

/* Differs: Linux would follow the page as if it were a table. */
static void part_of_a_large_page_cannot_be_followed(void **state)
{
	struct iommusim_pgtable *pgtable = given_vtd(K6_12);

	map_ok(pgtable, SZ_2M, SZ_2M, SZ_2M, 2);
	assert_err(try_map(pgtable, SZ_2M + SZ_4K, 0, SZ_4K, 1), IOMMUSIM_EFAULT);
	assert_int_equal(unmap(pgtable, SZ_2M + SZ_4K, SZ_4K, 1), 0);
	assert_int_equal(unmap(pgtable, SZ_2M, SZ_4K, 513), 0); /* the middle of the second */
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_2M), SZ_2M);
	assert_int_equal(unmap(pgtable, SZ_2M, SZ_4K, 1), SZ_2M);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 2 * SZ_2M), 2 * SZ_2M);
	assert_int_equal(info_of(pgtable).nr_bugs, 0);
	iommusim_pgtable_destroy(pgtable);
}

static void a_range_beyond_the_domain_stops_6_1(void **state)
{
	struct iommusim_pgtable *old = given_vtd(K6_1), *new = given_vtd(K6_12);
	uint64_t last = (UINT64_C(1) << 39) - SZ_4K;

	assert_int_equal(unmap(new, last, SZ_4K, 2), SZ_1G);
	assert_int_equal(info_of(new).nr_bugs, 0);
	assert_int_equal(unmap(old, last, SZ_4K, 2), 0);
	assert_int_equal(info_of(old).nr_bugs, 1);
	assert_err(try_map(old, last, 0, SZ_4K, 2), IOMMUSIM_EFAULT);
	iommusim_pgtable_destroy(old);
	iommusim_pgtable_destroy(new);
}

static void snooping_is_a_bit_of_leaves(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
		.format = &iommusim_pgtable_vtd_sl, .force_snoop = 1 });

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 1);
	assert_int_equal(word_of(pgtable, 0), SZ_1G | 0x803);
	iommusim_pgtable_destroy(pgtable);
}

static const struct width_row {
	const char *name;
	unsigned ias, want_levels; /* 0: refused */
} width_rows[] = {
	{ "VT-d with 39 bits", 39, 3 }, { "VT-d with 48 bits", 48, 4 },
	{ "VT-d with 57 bits", 57, 5 }, { "VT-d with 40 bits", 40, 0 },
	{ "VT-d with 64 bits", 64, 0 },
};

static void has_as_many_levels_as_it_needs(void **state)
{
	const struct width_row *r = *state;
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = &iommusim_pgtable_vtd_sl,
		                                  .pgsizes = SZ_4K,
		                                  .ias = r->ias };
	struct iommusim_pgtable *pgtable = NULL;
	int err = iommusim_pgtable_create(&config, &pgtable);

	assert_err(err, r->want_levels ? 0 : IOMMUSIM_EINVAL);
	if (pgtable)
		assert_int_equal(info_of(pgtable).nr_levels, r->want_levels);
	iommusim_pgtable_destroy(pgtable);
}

int main(void)
{
	struct CMUnitTest tests[13 + ARRAY_LEN(width_rows)] = {
		cmocka_unit_test(the_first_table_gets_another_above_it),
		cmocka_unit_test(boot_options_of_6_12_leave_fewer_page_sizes),
		cmocka_unit_test(a_walker_refuses_what_the_levels_do_not_cover),
		cmocka_unit_test(a_walk_ends_at_a_table_word_that_is_reserved),
		cmocka_unit_test(a_page_is_not_smaller_than_its_word),
		cmocka_unit_test(a_page_above_the_tree_grows_it_only_in_6_12),
		cmocka_unit_test(every_power_of_two_is_a_page),
		cmocka_unit_test(unaligned_pages_stop_linux),
		cmocka_unit_test(five_levels_are_newer_than_6_1),
		cmocka_unit_test(a_range_becomes_the_largest_pages_that_fit),
		cmocka_unit_test(part_of_a_large_page_cannot_be_followed),
		cmocka_unit_test(a_range_beyond_the_domain_stops_6_1),
		cmocka_unit_test(snooping_is_a_bit_of_leaves),
	};
	size_t nr = 13;

	for (size_t i = 0; i < ARRAY_LEN(width_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(has_as_many_levels_as_it_needs, &width_rows[i]);
	return RUN_TESTS(tests);
}
