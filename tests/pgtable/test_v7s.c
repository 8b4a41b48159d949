/* SPDX-License-Identifier: MIT */
/* Arm short descriptors and Mali's words: as the kernel's code wrote them; splits, defects. */
#include "pgtable_test.h"

#define R IOMMUSIM_PROT_READ
#define W IOMMUSIM_PROT_WRITE
#define C IOMMUSIM_PROT_CACHE
#define X IOMMUSIM_PROT_NOEXEC
#define M IOMMUSIM_PROT_MMIO
#define P IOMMUSIM_PROT_PRIV

#define SZ_16M  (16 * SZ_1M)
#define PGSIZES (SZ_4K | SZ_64K | SZ_1M | SZ_16M)
#define V7S     (&iommusim_pgtable_arm_v7s)
#define MTK     (IOMMUSIM_QUIRK_ARM_NS | IOMMUSIM_QUIRK_NO_PERMS | IOMMUSIM_QUIRK_ARM_MTK_EXT)

/* Small page, large page, section, supersection. */
static const struct word_row {
	const char *name;
	unsigned is_mtk, prot;
	uint32_t want[4];
} word_rows[] = {
	{ "the words of r", 0, R, { 0x40001e72, 0x40011e31, 0x40139c02, 0x41079c02 } },
	{ "the words of w", 0, W, { 0x40001c72, 0x40011c31, 0x40131c02, 0x41071c02 } },
	{ "the words of rw", 0, R | W, { 0x40001c72, 0x40011c31, 0x40131c02, 0x41071c02 } },
	{ "the words of rc", 0, R | C, { 0x40001e7e, 0x40011e3d, 0x40139c0e, 0x41079c0e } },
	{ "the words of rwc", 0, R | W | C, { 0x40001c7e, 0x40011c3d, 0x40131c0e, 0x41071c0e } },
	{ "the words of rx", 0, R | X, { 0x40001e73, 0x40019e31, 0x40139c12, 0x41079c12 } },
	{ "the words of rwx", 0, R | W | X, { 0x40001c73, 0x40019c31, 0x40131c12, 0x41071c12 } },
	{ "the words of rwcx",
	  0,
	  R | W | C | X,
	  { 0x40001c7f, 0x40019c3d, 0x40131c1e, 0x41071c1e } },
	{ "the words of rm", 0, R | M, { 0x40001e36, 0x40010e35, 0x40138c06, 0x41078c06 } },
	{ "the words of rwm", 0, R | W | M, { 0x40001c36, 0x40010c35, 0x40130c06, 0x41070c06 } },
	{ "the words of rwxm",
	  0,
	  R | W | X | M,
	  { 0x40001c37, 0x40018c35, 0x40130c16, 0x41070c16 } },
	{ "the words of rp", 0, R | P, { 0x40001e52, 0x40011e11, 0x40139402, 0x41079402 } },
	{ "the words of rwp", 0, R | W | P, { 0x40001c52, 0x40011c11, 0x40131402, 0x41071402 } },
	{ "the words of rwcp",
	  0,
	  R | W | C | P,
	  { 0x40001c5e, 0x40011c1d, 0x4013140e, 0x4107140e } },
	{ "MediaTek: the words of r", 1, R, { 0x40001e72, 0x40011e31, 0x401b1232, 0x410f1232 } },
	{ "MediaTek: the words of rw",
	  1,
	  R | W,
	  { 0x40001e72, 0x40011e31, 0x401b1232, 0x410f1232 } },
	{ "MediaTek: the words of rc",
	  1,
	  R | C,
	  { 0x40001e7e, 0x40011e3d, 0x401b123e, 0x410f123e } },
	{ "MediaTek: the words of rwc",
	  1,
	  R | W | C,
	  { 0x40001e7e, 0x40011e3d, 0x401b123e, 0x410f123e } },
	{ "MediaTek: the words of rwx",
	  1,
	  R | W | X,
	  { 0x40001e72, 0x40011e31, 0x401b1232, 0x410f1232 } },
};

/* The word that a page of @pgsize at @pa is mapped with. */
static uint64_t word_of(const struct iommusim_pgtable_config *config, uint64_t pgsize, uint64_t pa,
                        unsigned prot)
{
	struct iommusim_pgtable *pgtable = given_pgtable(*config);
	struct iommusim_map_pages pages = {
		.iova = SZ_1G, .pa = pa, .pgsize = pgsize, .count = 1, .prot = prot
	};
	struct iommusim_pgtable_walk walk;
	uint64_t mapped;

	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	iommusim_pgtable_walk(pgtable, SZ_1G + pgsize - 1, &walk);
	assert_int_equal(walk.pa, pa);
	assert_int_equal(walk.size, pgsize);
	iommusim_pgtable_destroy(pgtable);
	return walk.step[walk.nr - 1].word;
}

static void is_written_as_the_kernel_does(void **state)
{
	static const uint64_t sizes[] = { SZ_4K, SZ_64K, SZ_1M, SZ_16M };
	static const uint64_t pas[] = { 0x40001000, 0x40010000, 0x40100000, 0x41000000 };
	const struct word_row *r = *state;
	struct iommusim_pgtable_config v7s = { .format = V7S, .pgsizes = PGSIZES };
	struct iommusim_pgtable_config mtk = {
		.format = V7S, .pgsizes = PGSIZES, .ias = 34, .oas = 35, .quirks = MTK
	};

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(word_of(r->is_mtk ? &mtk : &v7s, sizes[i],
		                         pas[i] | (r->is_mtk ? UINT64_C(7) << 32 : 0), r->prot),
		                 r->want[i]);
}

static const struct mali_row {
	const char *name;
	unsigned prot;
	uint64_t want;
} mali_rows[] = {
	{ "Mali: the word of r", R, UINT64_C(0x0000000040001241) },
	{ "Mali: the word of w", W, UINT64_C(0x0000000040001281) },
	{ "Mali: the word of rw", R | W, UINT64_C(0x00000000400012c1) },
	{ "Mali: the word of rc", R | C, UINT64_C(0x0000000040001245) },
	{ "Mali: the word of rwc", R | W | C, UINT64_C(0x00000000400012c5) },
	{ "Mali: the word of rx", R | X, UINT64_C(0x0060000040001241) },
	{ "Mali: the word of rwx", R | W | X, UINT64_C(0x00600000400012c1) },
	{ "Mali: the word of rwcx", R | W | C | X, UINT64_C(0x00600000400012c5) },
	{ "Mali: the word of rm", R | M, UINT64_C(0x0000000040001249) },
	{ "Mali: the word of rwm", R | W | M, UINT64_C(0x00000000400012c9) },
	{ "Mali: the word of rwxm", R | W | X | M, UINT64_C(0x00600000400012c9) },
	{ "Mali: the word of rp", R | P, UINT64_C(0x0000000040001241) },
	{ "Mali: the word of rwp", R | W | P, UINT64_C(0x00000000400012c1) },
	{ "Mali: the word of rwcp", R | W | C | P, UINT64_C(0x00000000400012c5) },
};

static void is_written_for_mali_as_the_kernel_does(void **state)
{
	const struct mali_row *r = *state;
	struct iommusim_pgtable_config mali = { .format = &iommusim_pgtable_arm_mali_lpae };

	assert_int_equal(word_of(&mali, SZ_4K, 0x40001000, r->prot), r->want);
}

/* ---- Splits ---- */

/* Events of sections that lost their address. */
struct lost {
	unsigned nr;
	uint64_t iova;
};

static void count_lost(void *ctx, const struct iommusim_event *event)
{
	struct lost *lost = ctx;

	assert_int_equal(event->kind, IOMMUSIM_EVENT_ADDRESS_LOST);
	assert_int_equal(event->size, SZ_1M);
	lost->iova = event->iova;
	lost->nr++;
}

static void a_section_that_is_split_loses_its_address_as_in_linux(void **state)
{
	struct lost lost = { 0, 0 };
	struct iommusim_host host = { .size = sizeof(host),
		                      .event = count_lost,
		                      .event_ctx = &lost };
	struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
		.format = V7S, .pgsizes = PGSIZES, .host = &host });

	map_ok(pgtable, SZ_1M, 0x12300000, SZ_1M, 1);
	assert_int_equal(unmap(pgtable, SZ_1M + SZ_4K, SZ_4K, 1), SZ_4K);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_1M + 2 * SZ_4K), 2 * SZ_4K);
	assert_int_equal(lost.nr, 1);
	assert_int_equal(lost.iova, SZ_1M);
	iommusim_pgtable_destroy(pgtable);
}

static void a_section_that_is_split_keeps_its_address_if_told_to(void **state)
{
	struct lost lost = { 0, 0 };
	struct iommusim_host host = { .size = sizeof(host),
		                      .event = count_lost,
		                      .event_ctx = &lost };
	struct iommusim_pgtable *pgtable = given_pgtable(
		(struct iommusim_pgtable_config){ .format = V7S,
	                                          .pgsizes = PGSIZES,
	                                          .section_split = IOMMUSIM_SPLIT_FIXED,
	                                          .host = &host });

	map_ok(pgtable, SZ_16M, 0x42000000, SZ_16M, 1);
	assert_int_equal(unmap(pgtable, SZ_16M + 5 * SZ_1M + SZ_64K, SZ_64K, 1), SZ_64K);
	for (uint64_t at = 0; at < SZ_16M; at += SZ_64K)
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_16M + at + 7),
		                 at == 5 * SZ_1M + SZ_64K ? 0 : 0x42000007 + at);
	assert_int_equal(lost.nr, 0);
	iommusim_pgtable_destroy(pgtable);
}

/* In all but its first section Linux takes the wrong word for the one that was split. */
static void part_of_a_supersection_goes_only_in_its_first_section(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable(
		(struct iommusim_pgtable_config){ .format = V7S, .pgsizes = PGSIZES });

	map_ok(pgtable, SZ_16M, 0x42000000, SZ_16M, 1);
	assert_int_equal(unmap(pgtable, SZ_16M + SZ_1M, SZ_4K, 1), 0);
	assert_int_equal(iommusim_pgtable_info(pgtable).nr_tables, 1);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_16M + SZ_1M), 0x42100000);
	assert_int_equal(unmap(pgtable, SZ_16M + SZ_1M, SZ_1M, 1), SZ_1M);
	assert_int_equal(unmap(pgtable, SZ_16M, SZ_4K, 1), SZ_4K);
	iommusim_pgtable_destroy(pgtable);
}

/* Differs: Linux goes on behind the table. */
static void words_that_would_leave_their_table_are_refused(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable(
		(struct iommusim_pgtable_config){ .format = V7S, .pgsizes = PGSIZES });

	assert_err(try_map(pgtable, SZ_1M - SZ_4K, 0, SZ_64K, 1), IOMMUSIM_EFAULT);
	assert_err(try_map(pgtable, 0xfff00000, 0, SZ_16M, 1), IOMMUSIM_EFAULT);
	map_ok(pgtable, SZ_1M - SZ_64K, 0, SZ_4K, 16);
	assert_int_equal(unmap(pgtable, SZ_1M - SZ_4K, SZ_64K, 1), 0);
	iommusim_pgtable_destroy(pgtable);
}

static const struct refused_row {
	const char *name;
	struct iommusim_pgtable_config config;
	int want;
} refused_rows[] = {
	{ "an ias above 32", { .ias = 33 }, IOMMUSIM_EINVAL },
	{ "an oas above 32", { .oas = 33 }, IOMMUSIM_EINVAL },
	{ "an ias below a section", { .ias = 19 }, IOMMUSIM_EINVAL },
	{ "an ias above MediaTek's 34", { .ias = 35, .quirks = MTK }, IOMMUSIM_EINVAL },
	{ "MediaTek's addresses with permissions",
	  { .quirks = IOMMUSIM_QUIRK_ARM_MTK_EXT },
	  IOMMUSIM_EINVAL },
	{ "MediaTek's register without its addresses",
	  { .quirks = IOMMUSIM_QUIRK_ARM_MTK_TTBR_EXT },
	  IOMMUSIM_EINVAL },
	{ "a quirk of long descriptors", { .quirks = IOMMUSIM_QUIRK_ARM_TTBR1 }, IOMMUSIM_EINVAL },
	{ "a first table above 4 GiB", { .arena_start = UINT64_C(1) << 32 }, IOMMUSIM_ENOMEM },
};

static void is_refused(void **state)
{
	const struct refused_row *r = *state;
	struct iommusim_pgtable_config config = r->config;
	struct iommusim_pgtable *pgtable = NULL;

	config.size = sizeof(config);
	config.format = V7S;
	config.pgsizes = PGSIZES;
	assert_err(iommusim_pgtable_create(&config, &pgtable), r->want);
	assert_null(pgtable);
}

int main(void)
{
	struct CMUnitTest
		tests[4 + ARRAY_LEN(word_rows) + ARRAY_LEN(mali_rows) + ARRAY_LEN(refused_rows)] = {
			cmocka_unit_test(a_section_that_is_split_loses_its_address_as_in_linux),
			cmocka_unit_test(a_section_that_is_split_keeps_its_address_if_told_to),
			cmocka_unit_test(part_of_a_supersection_goes_only_in_its_first_section),
			cmocka_unit_test(words_that_would_leave_their_table_are_refused),
		};
	size_t nr = 4;

	for (size_t i = 0; i < ARRAY_LEN(word_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(is_written_as_the_kernel_does, &word_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(mali_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_written_for_mali_as_the_kernel_does,
		                                          &mali_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(refused_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_refused, &refused_rows[i]);
	return RUN_TESTS(tests);
}
