/* SPDX-License-Identifier: MIT */
/* Apple's DART: what it may be configured to, and the bits that its words lose. */
#include "pgtable_test.h"

#define DART_1 &iommusim_pgtable_dart1
#define DART_2 &iommusim_pgtable_dart2

static struct iommusim_pgtable *given(const struct iommusim_pgtable_format *format, uint64_t pgsize,
                                      unsigned oas)
{
	return given_pgtable((struct iommusim_pgtable_config){
		.format = format, .pgsizes = pgsize, .ias = 32, .oas = oas });
}

static uint64_t word_of(const struct iommusim_pgtable *pgtable, uint64_t iova)
{
	struct iommusim_pgtable_walk walk;

	iommusim_pgtable_walk(pgtable, iova, &walk);
	return walk.step[walk.nr - 1].word;
}

static const struct config_row {
	const char *name;
	struct iommusim_pgtable_config config;
	unsigned nr_roots; /* 0: refused */
} config_rows[] = {
	{ "one table", { .format = DART_1, .pgsizes = SZ_16K, .ias = 36, .oas = 36 }, 1 },
	{ "two tables", { .format = DART_2, .pgsizes = SZ_16K, .ias = 37, .oas = 42 }, 2 },
	{ "four tables", { .format = DART_1, .pgsizes = SZ_4K, .ias = 32, .oas = 42 }, 4 },
	{ "more than four", { .format = DART_1, .pgsizes = SZ_4K, .ias = 33, .oas = 36 }, 0 },
	{ "a walk that does not snoop",
	  { .format = DART_1, .pgsizes = SZ_16K, .ias = 32, .oas = 36, .is_noncoherent = 1 },
	  0 },
	{ "an output width that is none",
	  { .format = DART_2, .pgsizes = SZ_16K, .ias = 32, .oas = 40 },
	  0 },
	{ "more input than output",
	  { .format = DART_1, .pgsizes = SZ_16K, .ias = 37, .oas = 36 },
	  0 },
	{ "two page sizes",
	  { .format = DART_1, .pgsizes = SZ_4K | SZ_16K, .ias = 32, .oas = 36 },
	  0 },
	{ "pages of 64K", { .format = DART_1, .pgsizes = SZ_64K, .ias = 32, .oas = 36 }, 0 },
	{ "a quirk",
	  { .format = DART_1,
	    .pgsizes = SZ_16K,
	    .ias = 32,
	    .oas = 36,
	    .quirks = IOMMUSIM_QUIRK_ARM_NS },
	  0 },
};

static void is_configured_as_linux_does(void **state)
{
	const struct config_row *r = *state;
	struct iommusim_pgtable_config config = r->config;
	struct iommusim_pgtable *pgtable = NULL;

	config.size = sizeof(config);
	assert_err(iommusim_pgtable_create(&config, &pgtable), r->nr_roots ? 0 : IOMMUSIM_EINVAL);
	if (pgtable)
		assert_int_equal(iommusim_pgtable_info(pgtable).nr_roots, r->nr_roots);
	iommusim_pgtable_destroy(pgtable);
}

/* A table of 512 words takes a whole CPU page of 16K. */
static void tables_are_at_least_a_cpu_page(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
		.format = DART_1, .page_shift = 14, .pgsizes = SZ_4K, .ias = 30, .oas = 36 });

	assert_int_equal(iommusim_pgtable_info(pgtable).root_bytes, SZ_16K);
	assert_int_equal(iommusim_pgtable_info(pgtable).table_bytes, SZ_16K);
	iommusim_pgtable_destroy(pgtable);
}

/* Words of DART 1 hold bits 35:12, whatever oas says; so do those of a run. */
static void dart_1_loses_what_is_above_36_bits(void **state)
{
	struct iommusim_pgtable *pgtable = given(DART_1, SZ_4K, 42);
	uint64_t top = UINT64_C(1) << 36;

	map_ok(pgtable, 0, top - SZ_4K, SZ_4K, 3);
	assert_int_equal(word_of(pgtable, 0), 0xffffff003 | UINT64_C(0xfff) << 40);
	assert_int_equal(word_of(pgtable, SZ_4K), 0x3 | UINT64_C(0xfff) << 40);
	assert_int_equal(word_of(pgtable, 2 * SZ_4K), 0x1003 | UINT64_C(0xfff) << 40);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 2 * SZ_4K), SZ_4K);
	iommusim_pgtable_destroy(pgtable);
}

/* Words of DART 2 hold multiples of 16K, tables too: of four pages of 4K all lead to the first. */
static void dart_2_loses_what_is_below_16k(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
		.format = DART_2, .page_shift = 14, .pgsizes = SZ_4K, .ias = 32, .oas = 42 });

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 6);
	for (uint64_t i = 0; i < 6; i++) {
		uint64_t want = SZ_1G + (i < 4 ? 0 : SZ_16K);

		assert_int_equal(word_of(pgtable, i * SZ_4K),
		                 want >> 4 | UINT64_C(0xfff) << 40 | 3);
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, i * SZ_4K + 5), want + 5);
	}
	assert_int_equal(unmap(pgtable, 0, SZ_4K, 6), 6 * SZ_4K);
	iommusim_pgtable_destroy(pgtable);
}

static void dart_2_has_42_bits(void **state)
{
	struct iommusim_pgtable *pgtable = given(DART_2, SZ_16K, 42);
	uint64_t last = (UINT64_C(1) << 42) - SZ_16K;

	map_ok(pgtable, 0, last - SZ_16K, SZ_16K, 2);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_16K), last);
	assert_err(try_map(pgtable, SZ_1M, last + SZ_16K, SZ_16K, 1), IOMMUSIM_ERANGE);
	iommusim_pgtable_destroy(pgtable);
}

int main(void)
{
	struct CMUnitTest tests[4 + ARRAY_LEN(config_rows)] = {
		cmocka_unit_test(tables_are_at_least_a_cpu_page),
		cmocka_unit_test(dart_1_loses_what_is_above_36_bits),
		cmocka_unit_test(dart_2_loses_what_is_below_16k),
		cmocka_unit_test(dart_2_has_42_bits),
	};
	size_t nr = 4;

	for (size_t i = 0; i < ARRAY_LEN(config_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(is_configured_as_linux_does, &config_rows[i]);
	return RUN_TESTS(tests);
}
