/* SPDX-License-Identifier: MIT */
/*
 * The engine with words of the test's own: big-endian ones, empty entries that are not 0, tables
 * that are freed when they are empty, runs of equal words, larger pages that go whole or not at
 * all.
 */
#include "pgtable/ops.h"
#include "pgtable_test.h"
#include "table_memory.h"

/* ---- Three levels of big-endian words, as a mainframe has them ---- */

#define INVALID  UINT64_C(0x400) /* level 0 */
#define NO_TABLE UINT64_C(0x20)  /* above */
#define RDONLY   UINT64_C(0x200)

static enum isim_word_kind big_kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (word & (level ? NO_TABLE : INVALID))
		return ISIM_WORD_EMPTY;
	return level ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static uint64_t big_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa & ~UINT64_C(0xfff)) | attributes;
}

static uint64_t big_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return pa | (level == 2 ? 7 : 0);
}

static uint64_t big_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & ~UINT64_C(0x7ff);
}

static uint64_t big_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return prot & IOMMUSIM_PROT_WRITE ? 0 : RDONLY;
}

static unsigned big_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | (word & RDONLY ? 0 : IOMMUSIM_PROT_WRITE);
}

static uint64_t big_empty(const struct iommusim_pgtable *p, unsigned level)
{
	return level ? NO_TABLE : INVALID;
}

/* The address stays. */
static uint64_t big_cleared(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word | INVALID;
}

static const uint8_t big_shifts[IOMMUSIM_MAX_LEVELS] = { 12, 20, 31 };
static const uint8_t big_indices[IOMMUSIM_MAX_LEVELS] = { 8, 11, 11 };

static const struct isim_pgtable_words big = {
	.word_bytes = 8,
	.is_big_endian = 1,
	.nr_levels = 3,
	.granule_lg2 = 12,
	.shifts = big_shifts,
	.indices = big_indices,
	.linear_lg2 = 63,
	.even_lg2 = 63,
	.partial = ISIM_PARTIAL_REFUSE,
	.kind = big_kind,
	.leaf = big_leaf,
	.table = big_table,
	.address = big_address,
	.attributes = big_attributes,
	.prot = big_prot,
	.empty = big_empty,
	.cleared = big_cleared,
};

ISIM_PGTABLE_OPS(big);

static int big_configure(struct iommusim_pgtable *p)
{
	p->ops = &big_ops;
	p->info.pgsizes = SZ_4K;
	p->info.ias = 42;
	p->info.oas = 63;
	isim_pgtable_set_geometry(p, &big, 3, 11, 11);
	return 0;
}

static const struct isim_pgtable_impl big_impl = { .configure = big_configure };
static const struct iommusim_pgtable_format big_format = {
	.name = "big", .kernel_name = "big", .word_bytes = 8, .impl = &big_impl
};

/* ---- Two levels of 4-byte words with large pages of 16 words ---- */

#define SMALL 2u
#define LARGE 1u /* at level 0; a table at level 1 */

static enum isim_word_kind small_kind(const struct iommusim_pgtable *p, uint64_t word,
                                      unsigned level)
{
	if (!word)
		return ISIM_WORD_EMPTY;
	return level && (word & 3) == LARGE ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static uint64_t small_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | attributes;
}

static uint64_t small_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return pa | LARGE;
}

static unsigned small_run_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return !level && (word & 3) == LARGE ? 4 : 0;
}

static uint64_t small_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & 0xfffffc00;
}

static uint64_t small_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return form == ISIM_FORM_RUN ? LARGE : SMALL;
}

static unsigned small_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE;
}

static const uint8_t small_shifts[IOMMUSIM_MAX_LEVELS] = { 12, 20 };
static const uint8_t small_indices[IOMMUSIM_MAX_LEVELS] = { 8, 12 };

#define SMALL_WORDS(what, frees)                                                                \
	{                                                                                       \
		.word_bytes = 4, .nr_levels = 2, .granule_lg2 = 12, .shifts = small_shifts,     \
		.indices = small_indices, .linear_lg2 = 32, .even_lg2 = 32, .partial = (what),  \
		.frees_empty_tables = (frees), .kind = small_kind, .leaf = small_leaf,          \
		.table = small_table, .address = small_address, .attributes = small_attributes, \
		.prot = small_prot, .run_lg2 = small_run_lg2                                    \
	}

static const struct isim_pgtable_words whole = SMALL_WORDS(ISIM_PARTIAL_WHOLE, 1);
static const struct isim_pgtable_words start = SMALL_WORDS(ISIM_PARTIAL_START, 0);
static const struct isim_pgtable_words refuse = SMALL_WORDS(ISIM_PARTIAL_REFUSE, 0);

ISIM_PGTABLE_OPS(whole);
ISIM_PGTABLE_OPS(start);
ISIM_PGTABLE_OPS(refuse);

static int small_configure(struct iommusim_pgtable *p)
{
	static const struct isim_pgtable_ops *const ops[] = { &whole_ops, &start_ops, &refuse_ops };

	p->ops = ops[p->config.quirks];
	p->info.pgsizes = SZ_4K | SZ_64K | SZ_1M;
	p->info.ias = p->info.oas = 32;
	isim_pgtable_set_geometry(p, &whole, 2, 12, 10);
	isim_pgtable_add_run(p, 0, 4, 16);
	return 0;
}

static const struct isim_pgtable_impl small_impl = { .configure = small_configure,
	                                             .arena_start = 0x40000000 };
static const struct iommusim_pgtable_format small_format = {
	.name = "small", .kernel_name = "small", .word_bytes = 4, .impl = &small_impl
};

static struct iommusim_pgtable *given_small(enum isim_partial partial)
{
	uint32_t which = partial == ISIM_PARTIAL_WHOLE ? 0 : partial == ISIM_PARTIAL_START ? 1 : 2;

	return given_pgtable(
		(struct iommusim_pgtable_config){ .format = &small_format, .quirks = which });
}

static uint64_t phys(const struct iommusim_pgtable *pgtable, uint64_t iova)
{
	return iommusim_pgtable_iova_to_phys(pgtable, iova);
}

/* ---- Tests ---- */

static void big_endian_words_lie_the_highest_byte_first(void **state)
{
	static const unsigned char want[] = { 0, 0, 0, 0, 0x12, 0x34, 0x50, 0 };
	static const unsigned char gone[] = { 0, 0, 0, 0, 0x12, 0x34, 0x54, 0 };
	static const unsigned char empty[] = { 0, 0, 0, 0, 0, 0, 4, 0 };
	struct memory memory = { .next = TABLES_AT };
	struct iommusim_table_memory tables = memory_tables(&memory);
	struct iommusim_pgtable *pgtable = given_pgtable(
		(struct iommusim_pgtable_config){ .format = &big_format, .memory = &tables });
	struct iommusim_pgtable_walk walk;

	map_ok(pgtable, 5 * SZ_4K, 0x12345000, SZ_4K, 7);
	iommusim_pgtable_walk(pgtable, 5 * SZ_4K, &walk);
	assert_int_equal(walk.nr, 3);
	assert_int_equal(walk.step[0].word & 0xfff, 7);
	assert_memory_equal(byte_at(&memory, walk.step[2].table + 5 * 8), want, 8);
	assert_memory_equal(byte_at(&memory, walk.step[2].table + 4 * 8), empty, 8);
	assert_int_equal(phys(pgtable, 11 * SZ_4K + 1), 0x1234b001);
	assert_int_equal(phys(pgtable, 12 * SZ_4K), 0);
	assert_int_equal(unmap(pgtable, 5 * SZ_4K, SZ_4K, 9), 7 * SZ_4K);
	assert_memory_equal(byte_at(&memory, walk.step[2].table + 5 * 8), gone, 8);
	assert_int_equal(phys(pgtable, 5 * SZ_4K), 0);
	map_ok(pgtable, 5 * SZ_4K, SZ_1G, SZ_4K, 1); /* over what is left of the old one */
	assert_int_equal(phys(pgtable, 5 * SZ_4K), SZ_1G);
	assert_err(try_map(pgtable, 4 * SZ_4K, 0, SZ_4K, 2), IOMMUSIM_EEXIST);
	iommusim_pgtable_destroy(pgtable);
	for (unsigned i = 0; i < memory.nr; i++)
		assert_null(memory.table[i].data);
}

static void tables_have_the_size_of_their_level(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = &big_format });

	assert_int_equal(iommusim_pgtable_info(pgtable).root_bytes, SZ_16K);
	assert_int_equal(iommusim_pgtable_info(pgtable).table_bytes, 2048);
	map_ok(pgtable, 0, 0, SZ_4K, 1);
	assert_int_equal(iommusim_pgtable_info(pgtable).tables_bytes, 2 * SZ_16K + 2048);
	iommusim_pgtable_destroy(pgtable);
}

static void a_table_that_was_emptied_is_freed(void **state)
{
	struct iommusim_pgtable *pgtable = given_small(ISIM_PARTIAL_WHOLE);

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 2);
	assert_int_equal(iommusim_pgtable_info(pgtable).nr_tables, 2);
	assert_int_equal(unmap(pgtable, 0, SZ_4K, 1), SZ_4K);
	assert_int_equal(iommusim_pgtable_info(pgtable).nr_tables, 2);
	assert_int_equal(unmap(pgtable, SZ_4K, SZ_4K, 1), SZ_4K);
	assert_int_equal(iommusim_pgtable_info(pgtable).nr_tables, 1);
	map_ok(pgtable, 0, SZ_1G, SZ_1M, 1); /* nothing is in the way */
	assert_int_equal(phys(pgtable, SZ_1M - 1), SZ_1G + SZ_1M - 1);
	iommusim_pgtable_destroy(pgtable);
}

static void pages_that_go_whole_count_whole(void **state)
{
	struct iommusim_pgtable *pgtable = given_small(ISIM_PARTIAL_WHOLE);

	map_ok(pgtable, SZ_64K, SZ_1G, SZ_64K, 2);
	assert_int_equal(phys(pgtable, SZ_64K + 5 * SZ_4K + 1), SZ_1G + 5 * SZ_4K + 1);
	assert_int_equal(unmap(pgtable, SZ_64K + 5 * SZ_4K, SZ_4K, 1), SZ_64K);
	assert_int_equal(phys(pgtable, SZ_64K), 0);
	assert_int_equal(phys(pgtable, 2 * SZ_64K), SZ_1G + SZ_64K);
	map_ok(pgtable, SZ_1M, SZ_1G, SZ_1M, 1);
	assert_int_equal(unmap(pgtable, SZ_1M + SZ_64K, SZ_64K, 1), SZ_1M);
	assert_int_equal(phys(pgtable, SZ_1M), 0);
	iommusim_pgtable_destroy(pgtable);
}

static void pages_may_go_from_their_start_alone(void **state)
{
	struct iommusim_pgtable *pgtable = given_small(ISIM_PARTIAL_START);

	map_ok(pgtable, SZ_64K, SZ_1G, SZ_64K, 1);
	map_ok(pgtable, SZ_1M, SZ_1G, SZ_1M, 1);
	assert_int_equal(unmap(pgtable, SZ_64K + SZ_4K, SZ_4K, 1), 0);
	assert_int_equal(unmap(pgtable, SZ_1M + SZ_4K, SZ_4K, 1), 0);
	assert_int_equal(phys(pgtable, SZ_64K), SZ_1G);
	assert_int_equal(unmap(pgtable, SZ_64K, SZ_4K, 1), SZ_64K);
	assert_int_equal(unmap(pgtable, SZ_1M, SZ_4K, 1), SZ_1M);
	assert_int_equal(phys(pgtable, SZ_1M), 0);
	iommusim_pgtable_destroy(pgtable);
}

static void parts_may_be_refused(void **state)
{
	struct iommusim_pgtable *pgtable = given_small(ISIM_PARTIAL_REFUSE);

	map_ok(pgtable, SZ_64K, SZ_1G, SZ_64K, 2);
	map_ok(pgtable, SZ_1M, SZ_1G, SZ_1M, 1);
	assert_int_equal(unmap(pgtable, SZ_64K, SZ_4K, 15), 0);
	assert_int_equal(unmap(pgtable, SZ_64K + SZ_4K, SZ_4K, 15), 0);
	assert_int_equal(unmap(pgtable, SZ_1M, SZ_64K, 1), 0);
	assert_int_equal(unmap(pgtable, SZ_64K, SZ_4K, 20), SZ_64K);
	assert_int_equal(phys(pgtable, 2 * SZ_64K), SZ_1G + SZ_64K);
	assert_int_equal(unmap(pgtable, 2 * SZ_64K, SZ_64K, 1), SZ_64K);
	assert_int_equal(unmap(pgtable, SZ_1M, SZ_1M, 1), SZ_1M);
	iommusim_pgtable_destroy(pgtable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(big_endian_words_lie_the_highest_byte_first),
		cmocka_unit_test(tables_have_the_size_of_their_level),
		cmocka_unit_test(a_table_that_was_emptied_is_freed),
		cmocka_unit_test(pages_that_go_whole_count_whole),
		cmocka_unit_test(pages_may_go_from_their_start_alone),
		cmocka_unit_test(parts_may_be_refused),
	};

	return RUN_TESTS(tests);
}
