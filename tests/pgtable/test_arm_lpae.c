/* SPDX-License-Identifier: MIT */
/* Arm long descriptors: every word as the kernel's own code wrote it, and what a configuration is.
 */
#include "pgtable_test.h"

#define R IOMMUSIM_PROT_READ
#define W IOMMUSIM_PROT_WRITE
#define C IOMMUSIM_PROT_CACHE
#define X IOMMUSIM_PROT_NOEXEC
#define M IOMMUSIM_PROT_MMIO
#define P IOMMUSIM_PROT_PRIV

#define S1 (&iommusim_pgtable_arm_lpae_s1)
#define S2 (&iommusim_pgtable_arm_lpae_s2)

#define PAGE_PA  UINT64_C(0x40001000)
#define BLOCK_PA UINT64_C(0x40200000)

/* ---- Words ---- */

/* S1 page and 2M block, S1 page with NS and with HD, S2 page and 2M block. */
static const struct word_row {
	const char *name;
	unsigned prot;
	uint64_t want[6];
} word_rows[] = {
	{ "the words of r",
	  R,
	  { UINT64_C(0x40001ec3), UINT64_C(0x40200ec1), UINT64_C(0x40001ee3), UINT64_C(0x40001ec3),
	    UINT64_C(0x40001657), UINT64_C(0x40200655) } },
	{ "the words of w",
	  W,
	  { UINT64_C(0x40001e43), UINT64_C(0x40200e41), UINT64_C(0x40001e63),
	    UINT64_C(0x8000040001e43), UINT64_C(0x40001697), UINT64_C(0x40200695) } },
	{ "the words of rw",
	  R | W,
	  { UINT64_C(0x40001e43), UINT64_C(0x40200e41), UINT64_C(0x40001e63),
	    UINT64_C(0x8000040001e43), UINT64_C(0x400016d7), UINT64_C(0x402006d5) } },
	{ "the words of rc",
	  R | C,
	  { UINT64_C(0x40001fc7), UINT64_C(0x40200fc5), UINT64_C(0x40001fe7), UINT64_C(0x40001fc7),
	    UINT64_C(0x4000177f), UINT64_C(0x4020077d) } },
	{ "the words of rwc",
	  R | W | C,
	  { UINT64_C(0x40001f47), UINT64_C(0x40200f45), UINT64_C(0x40001f67),
	    UINT64_C(0x8000040001f47), UINT64_C(0x400017ff), UINT64_C(0x402007fd) } },
	{ "the words of rx",
	  R | X,
	  { UINT64_C(0x60000040001ec3), UINT64_C(0x60000040200ec1), UINT64_C(0x60000040001ee3),
	    UINT64_C(0x60000040001ec3), UINT64_C(0x60000040001657), UINT64_C(0x60000040200655) } },
	{ "the words of rwx",
	  R | W | X,
	  { UINT64_C(0x60000040001e43), UINT64_C(0x60000040200e41), UINT64_C(0x60000040001e63),
	    UINT64_C(0x68000040001e43), UINT64_C(0x600000400016d7), UINT64_C(0x600000402006d5) } },
	{ "the words of rwcx",
	  R | W | C | X,
	  { UINT64_C(0x60000040001f47), UINT64_C(0x60000040200f45), UINT64_C(0x60000040001f67),
	    UINT64_C(0x68000040001f47), UINT64_C(0x600000400017ff), UINT64_C(0x600000402007fd) } },
	{ "the words of rm",
	  R | M,
	  { UINT64_C(0x40001ecb), UINT64_C(0x40200ec9), UINT64_C(0x40001eeb), UINT64_C(0x40001ecb),
	    UINT64_C(0x40001647), UINT64_C(0x40200645) } },
	{ "the words of rwm",
	  R | W | M,
	  { UINT64_C(0x40001e4b), UINT64_C(0x40200e49), UINT64_C(0x40001e6b),
	    UINT64_C(0x8000040001e4b), UINT64_C(0x400016c7), UINT64_C(0x402006c5) } },
	{ "the words of rwxm",
	  R | W | X | M,
	  { UINT64_C(0x60000040001e4b), UINT64_C(0x60000040200e49), UINT64_C(0x60000040001e6b),
	    UINT64_C(0x68000040001e4b), UINT64_C(0x600000400016c7), UINT64_C(0x600000402006c5) } },
	{ "the words of rp",
	  R | P,
	  { UINT64_C(0x40001e83), UINT64_C(0x40200e81), UINT64_C(0x40001ea3), UINT64_C(0x40001e83),
	    UINT64_C(0x40001657), UINT64_C(0x40200655) } },
	{ "the words of rwp",
	  R | W | P,
	  { UINT64_C(0x40001e03), UINT64_C(0x40200e01), UINT64_C(0x40001e23),
	    UINT64_C(0x8000040001e03), UINT64_C(0x400016d7), UINT64_C(0x402006d5) } },
	{ "the words of rwcp",
	  R | W | C | P,
	  { UINT64_C(0x40001f07), UINT64_C(0x40200f05), UINT64_C(0x40001f27),
	    UINT64_C(0x8000040001f07), UINT64_C(0x400017ff), UINT64_C(0x402007fd) } },
};

/* The word that a page of @pgsize is mapped with. */
static uint64_t word_of(const struct iommusim_pgtable_config *config, uint64_t pgsize,
                        unsigned prot)
{
	struct iommusim_pgtable *pgtable = given_pgtable(*config);
	struct iommusim_map_pages pages = { .pa = pgsize == SZ_4K ? PAGE_PA : BLOCK_PA,
		                            .pgsize = pgsize,
		                            .count = 1,
		                            .prot = prot };
	struct iommusim_pgtable_walk walk;
	uint64_t mapped;

	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	iommusim_pgtable_walk(pgtable, 0, &walk);
	assert_int_equal(walk.is_mapped, 1);
	assert_int_equal(walk.pa, pages.pa);
	assert_int_equal(walk.size, pgsize);
	iommusim_pgtable_destroy(pgtable);
	return walk.step[walk.nr - 1].word;
}

static void is_written_as_the_kernel_does(void **state)
{
	const struct word_row *r = *state;
	struct iommusim_pgtable_config s1 = { .format = S1 }, s2 = { .format = S2 };
	struct iommusim_pgtable_config ns = { .format = S1, .quirks = IOMMUSIM_QUIRK_ARM_NS };
	struct iommusim_pgtable_config hd = { .format = S1, .quirks = IOMMUSIM_QUIRK_ARM_HD };

	assert_int_equal(word_of(&s1, SZ_4K, r->prot), r->want[0]);
	assert_int_equal(word_of(&s1, SZ_2M, r->prot), r->want[1]);
	assert_int_equal(word_of(&ns, SZ_4K, r->prot), r->want[2]);
	assert_int_equal(word_of(&hd, SZ_4K, r->prot), r->want[3]);
	assert_int_equal(word_of(&s2, SZ_4K, r->prot), r->want[4]);
	assert_int_equal(word_of(&s2, SZ_2M, r->prot), r->want[5]);
}

/* Bits 51:48 of the address move to 15:12, and back. */
static void addresses_of_52_bits_fit_a_64k_granule(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
		.format = S1, .pgsizes = SZ_64K | SZ_512M, .ias = 52, .oas = 52 });
	struct iommusim_map_pages pages = { .iova = SZ_64K,
		                            .pa = UINT64_C(0xf123456780000),
		                            .pgsize = SZ_64K,
		                            .count = 1,
		                            .prot = R | W | C };
	struct iommusim_pgtable_walk walk;
	uint64_t mapped;

	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	iommusim_pgtable_walk(pgtable, SZ_64K, &walk);
	assert_int_equal(walk.step[walk.nr - 1].word, UINT64_C(0x12345678ff47));
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_64K + 5), pages.pa + 5);
	iommusim_pgtable_destroy(pgtable);
}

static void table_words_carry_the_flags_of_the_configuration(void **state)
{
	static const struct {
		uint32_t quirks;
		unsigned is_noncoherent;
		uint64_t want;
	} cases[] = {
		{ 0, 0, UINT64_C(0x800001003) },
		{ 0, 1, UINT64_C(0x80000800001003) },
		{ IOMMUSIM_QUIRK_ARM_NS, 0, UINT64_C(0x8000000800001003) },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
			.format = S1,
			.quirks = cases[i].quirks,
			.is_noncoherent = cases[i].is_noncoherent });
		struct iommusim_pgtable_walk walk;

		map_ok(pgtable, 0, PAGE_PA, SZ_4K, 1);
		iommusim_pgtable_walk(pgtable, 0, &walk);
		assert_int_equal(walk.nr, 4);
		assert_int_equal(walk.step[0].word, cases[i].want);
		iommusim_pgtable_destroy(pgtable);
	}
}

/* ---- Configurations ---- */

/* Hardware sizes, and what is left of them under CPU pages of 4K, 16K and 64K; 0: refused. */
static const struct granule_row {
	const char *name;
	uint64_t pgsizes, want[3];
} granule_rows[] = {
	{ "MMU-500, 4K and 64K", 0x61311000, { 0x40201000, 0x40201000, 0x20010000 } },
	{ "4K, 16K and 64K", 0x62215000, { 0x40201000, 0x2004000, 0x20010000 } },
	{ "4K and 16K", 0x42205000, { 0x40201000, 0x2004000, 0x2004000 } },
	{ "4K only", 0x40201000, { 0x40201000, 0x40201000, 0x40201000 } },
	{ "SMMUv1, 64K and 32-bit long", 0x60211000, { 0x40201000, 0x40201000, 0x20010000 } },
	{ "v7s and AArch64 4K", 0x41311000, { 0x40201000, 0x40201000, 0x10000 } },
	{ "64K only", 0x20010000, { 0x20010000, 0x20010000, 0x20010000 } },
	{ "16K only", 0x2004000, { 0x2004000, 0x2004000, 0x2004000 } },
	{ "no granule", 0x40200000, { 0, 0, 0 } },
	{ "nothing", 0, { 0, 0, 0 } },
};

static void leaves_one_granule(void **state)
{
	const struct granule_row *r = *state;

	for (unsigned i = 0; i < 3; i++) {
		struct iommusim_pgtable_config config = { .size = sizeof(config),
			                                  .format = S1,
			                                  .page_shift = 12 + 2 * i,
			                                  .pgsizes = r->pgsizes };
		struct iommusim_pgtable *pgtable = NULL;

		if (!r->want[i]) {
			assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_EINVAL);
			continue;
		}
		assert_ok(iommusim_pgtable_create(&config, &pgtable));
		assert_int_equal(iommusim_pgtable_info(pgtable).pgsizes, r->want[i]);
		iommusim_pgtable_destroy(pgtable);
	}
}

/* Stage 2 puts up to 16 tables side by side instead of a first level of its own. */
static const struct root_row {
	const char *name;
	unsigned page_shift, ias, oas;
	unsigned want_levels;
	uint64_t want_bytes;
} root_rows[] = {
	{ "4K, 40 bits", 12, 40, 40, 3, 0x2000 },
	{ "4K, 42 bits", 12, 42, 42, 3, 0x8000 },
	{ "4K, 44 bits: 32 entries are too many", 12, 44, 44, 4, 0x1000 },
	{ "4K, 48 bits", 12, 48, 48, 4, 0x1000 },
	{ "16K, 40 bits: not at the first level", 14, 40, 40, 3, 0x4000 },
	{ "16K, 48 bits", 14, 48, 48, 3, 0x8000 },
	{ "64K, 44 bits", 16, 44, 44, 3, 0x10000 },
	{ "64K, 48 bits", 16, 48, 48, 3, 0x10000 },
};

static void has_its_first_table(void **state)
{
	const struct root_row *r = *state;
	struct iommusim_pgtable *pgtable = given_pgtable(
		(struct iommusim_pgtable_config){ .format = S2,
	                                          .page_shift = r->page_shift,
	                                          .pgsizes = UINT64_C(1) << r->page_shift,
	                                          .ias = r->ias,
	                                          .oas = r->oas });
	struct iommusim_pgtable_info info = iommusim_pgtable_info(pgtable);

	assert_int_equal(info.nr_levels, r->want_levels);
	assert_int_equal(info.root_bytes, r->want_bytes);
	assert_int_equal(info.nr_tables, 1);
	iommusim_pgtable_destroy(pgtable);
}

static const struct refused_row {
	const char *name;
	struct iommusim_pgtable_config config;
} refused_rows[] = {
	{ "an unknown quirk", { .format = S1, .quirks = 2 } },
	{ "quirks of stage 1 in stage 2", { .format = S2, .quirks = IOMMUSIM_QUIRK_ARM_NS } },
	{ "HD before 6.12",
	  { .format = S1, .kernel = IOMMUSIM_KERNEL(6, 1), .quirks = IOMMUSIM_QUIRK_ARM_HD } },
	{ "a coherent walk with OUTER_WBWA",
	  { .format = S1, .quirks = IOMMUSIM_QUIRK_ARM_OUTER_WBWA } },
	{ "an output width that no register can tell", { .format = S1, .oas = 41 } },
	{ "no room above the granule", { .format = S1, .ias = 12 } },
	{ "an ias above 64", { .format = S1, .ias = 65 } },
	{ "CPU pages of 2K", { .format = S1, .page_shift = 11 } },
	{ "a kernel before 4.4", { .format = S1, .kernel = IOMMUSIM_KERNEL(4, 3) } },
	{ "no format", { .format = NULL } },
	{ "an arena that starts off 1 MiB", { .format = S1, .arena_start = 4096 } },
};

static void is_refused(void **state)
{
	const struct refused_row *r = *state;
	struct iommusim_pgtable_config config = r->config;
	struct iommusim_pgtable *pgtable = NULL;

	config.size = sizeof(config);
	config.pgsizes = SZ_4K | SZ_2M | SZ_1G;
	assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_EINVAL);
	assert_null(pgtable);
}

static void formats_are_found_by_both_names(void **state)
{
	size_t nr = 0;

	for (; iommusim_pgtable_format_at(nr); nr++) {
		const struct iommusim_pgtable_format *format = iommusim_pgtable_format_at(nr);

		assert_ptr_equal(iommusim_pgtable_format_find(format->name), format);
		assert_ptr_equal(iommusim_pgtable_format_find(format->kernel_name), format);
		assert_true(strlen(format->source) && strlen(format->summary));
	}
	assert_true(nr >= 5);
	assert_null(iommusim_pgtable_format_find("x86"));
}

int main(void)
{
	struct CMUnitTest tests[3 + ARRAY_LEN(word_rows) + ARRAY_LEN(granule_rows) +
	                        ARRAY_LEN(root_rows) + ARRAY_LEN(refused_rows)] = {
		cmocka_unit_test(addresses_of_52_bits_fit_a_64k_granule),
		cmocka_unit_test(table_words_carry_the_flags_of_the_configuration),
		cmocka_unit_test(formats_are_found_by_both_names),
	};
	size_t nr = 3;

	for (size_t i = 0; i < ARRAY_LEN(word_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(is_written_as_the_kernel_does, &word_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(granule_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(leaves_one_granule, &granule_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(root_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(has_its_first_table, &root_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(refused_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_refused, &refused_rows[i]);
	return RUN_TESTS(tests);
}
