/* SPDX-License-Identifier: MIT */
/* gfp flags as the kernel's trace events print them, and back. */
#include "phys_test.h"

#define BIT(name) IOMMUSIM_GFP_BIT_##name

#define K61  IOMMUSIM_KERNEL(6, 1)
#define K612 IOMMUSIM_KERNEL(6, 12)

static const struct row {
	const char *name; /* also the text */
	uint32_t gfp;
	unsigned kernel;
} rows[] = {
	{ "GFP_KERNEL|__GFP_HIGHMEM|__GFP_NOWARN|__GFP_NORETRY|__GFP_ZERO",
	  IOMMUSIM_GFP_KERNEL | BIT(HIGHMEM) | BIT(NOWARN) | BIT(NORETRY) | BIT(ZERO), K612 },
	{ "GFP_KERNEL|__GFP_HIGHMEM|__GFP_NOWARN|__GFP_ZERO",
	  IOMMUSIM_GFP_KERNEL | BIT(HIGHMEM) | BIT(NOWARN) | BIT(ZERO), K61 },
	{ "__GFP_HIGHMEM|__GFP_IO|__GFP_FS|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP|__GFP_ZERO|"
	  "__GFP_HARDWALL",
	  (IOMMUSIM_GFP_HIGHUSER & ~IOMMUSIM_GFP_RECLAIM) | BIT(NOWARN) | BIT(NORETRY) | BIT(COMP) |
	          BIT(ZERO),
	  K612 },
	{ "GFP_HIGHUSER|__GFP_ZERO", IOMMUSIM_GFP_HIGHUSER | BIT(ZERO), K612 },
	{ "GFP_NOWAIT|__GFP_IO|__GFP_FS", IOMMUSIM_GFP_KERNEL & ~BIT(DIRECT_RECLAIM), K61 },
	{ "__GFP_IO|__GFP_FS|__GFP_KSWAPD_RECLAIM", IOMMUSIM_GFP_KERNEL & ~BIT(DIRECT_RECLAIM),
	  K612 },
	{ "GFP_NOWAIT|__GFP_IO|__GFP_FS",
	  (IOMMUSIM_GFP_KERNEL & ~BIT(DIRECT_RECLAIM)) | BIT(NOWARN), K612 },
	{ "GFP_ATOMIC", IOMMUSIM_GFP_ATOMIC_6_1, K61 },
	{ "GFP_ATOMIC", IOMMUSIM_GFP_ATOMIC_6_12, K612 },
	{ "GFP_KERNEL|GFP_DMA32", IOMMUSIM_GFP_KERNEL | BIT(DMA32), K61 },
	{ "none", 0, K612 },
	{ "GFP_KERNEL|0x10000000", IOMMUSIM_GFP_KERNEL | 0x10000000, K612 },
};

static void prints_and_reads_the_same(void **state)
{
	const struct row *r = *state;
	char text[200];
	uint32_t gfp = ~r->gfp;

	assert_int_equal(iommusim_gfp_format(r->gfp, r->kernel, text, sizeof(text)),
	                 strlen(r->name));
	assert_string_equal(text, r->name);
	assert_ok(iommusim_gfp_parse(r->name, r->kernel, &gfp));
	assert_int_equal(gfp, r->gfp);
}

static void every_value_survives_the_way_there_and_back(void **state)
{
	char text[600];

	for (uint32_t low = 0; low < 0x2000; low++)
		for (uint32_t high = 0; high < 0x1000000; high += 0x2a2000) {
			uint32_t back = 0;

			assert_true(iommusim_gfp_format(low | high, K612, text, sizeof(text)) <
			            sizeof(text));
			assert_ok(iommusim_gfp_parse(text, K612, &back));
			assert_int_equal(back, low | high);
		}
}

static void text_is_cut_where_it_does_not_fit(void **state)
{
	char text[8] = "unused";

	assert_int_equal(iommusim_gfp_format(IOMMUSIM_GFP_KERNEL, K612, text, sizeof(text)), 10);
	assert_string_equal(text, "GFP_KER");
	assert_int_equal(iommusim_gfp_format(IOMMUSIM_GFP_KERNEL, K612, NULL, 0), 10);
}

static void unknown_names_are_refused(void **state)
{
	static const char *const bad[] = { "",   "GFP_KERNEL|", "|GFP_KERNEL",        "GFP_KERNAL",
		                           "0x", "0xg",         "GFP_KERNEL GFP_DMA", "none|none" };
	uint32_t gfp = 7;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(iommusim_gfp_parse(bad[i], K612, &gfp), IOMMUSIM_EINVAL);
	assert_err(iommusim_gfp_parse("__GFP_ATOMIC", K612, &gfp), IOMMUSIM_EINVAL);
	assert_int_equal(gfp, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ROW(prints_and_reads_the_same, &rows[0]),
		TEST_ROW(prints_and_reads_the_same, &rows[1]),
		TEST_ROW(prints_and_reads_the_same, &rows[2]),
		TEST_ROW(prints_and_reads_the_same, &rows[3]),
		TEST_ROW(prints_and_reads_the_same, &rows[4]),
		TEST_ROW(prints_and_reads_the_same, &rows[5]),
		TEST_ROW(prints_and_reads_the_same, &rows[6]),
		TEST_ROW(prints_and_reads_the_same, &rows[7]),
		TEST_ROW(prints_and_reads_the_same, &rows[8]),
		TEST_ROW(prints_and_reads_the_same, &rows[9]),
		TEST_ROW(prints_and_reads_the_same, &rows[10]),
		TEST_ROW(prints_and_reads_the_same, &rows[11]),
		cmocka_unit_test(every_value_survives_the_way_there_and_back),
		cmocka_unit_test(text_is_cut_where_it_does_not_fit),
		cmocka_unit_test(unknown_names_are_refused),
	};

	return RUN_TESTS(tests);
}
