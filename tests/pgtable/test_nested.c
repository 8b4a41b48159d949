/* SPDX-License-Identifier: MIT */
/* Two stages by numbers: those of nested_rows.h. */
#include "pgtable/word.h"
#include "nested_rows.h"

struct stages {
	struct iommusim_pgtable *one, *two;
};

static void map(struct iommusim_pgtable *pgtable, uint64_t iova, uint64_t pa, unsigned prot)
{
	struct iommusim_map_pages pages = {
		.iova = iova, .pa = pa, .pgsize = SZ_4K, .count = 1, .prot = prot
	};
	uint64_t mapped;

	if (prot & RW)
		assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
}

static struct iommusim_nested_walk ask(const struct stages *s, uint64_t iova, unsigned access)
{
	struct iommusim_nested_walk walk;

	memset(&walk, 0x5a, sizeof(walk));
	assert_ok(iommusim_pgtable_access_nested(s->one, s->two, iova, access, &walk));
	return walk;
}

/* ---- One row, one end ---- */

static void make_old(struct iommusim_pgtable *pgtable, uint64_t iova)
{
	struct iommusim_marks_request request = { iova, 1, IOMMUSIM_MARK_ACCESSED, 1 };

	if (iova)
		assert_ok(iommusim_pgtable_read_marks(pgtable, &request, NULL, NULL));
}

static struct stages given_stages(const struct row *r)
{
	struct stages s;
	uint64_t data = r->data ? r->data : DATA;

	s.one = given_pgtable(
		(struct iommusim_pgtable_config){ .format = &iommusim_pgtable_arm_lpae_s1,
	                                          .ias = 39,
	                                          .arena_start = r->tables ? r->tables : TABLES });
	s.two = given_pgtable((struct iommusim_pgtable_config){
		.format = &iommusim_pgtable_arm_lpae_s2, .ias = 39 });
	map(s.one, IOVA & ~(SZ_4K - 1), data, r->prot_1);
	for (unsigned i = 0; i < 3; i++)
		map(s.two, TABLES + i * SZ_4K, TABLES_PA + i * SZ_4K, r->tables_prot[i]);
	map(s.two, data, DATA_PA, r->prot_2);
	make_old(s.one, r->old_1);
	make_old(s.two, r->old_2);
	return s;
}

static void destroy(struct stages s)
{
	iommusim_pgtable_destroy(s.one);
	iommusim_pgtable_destroy(s.two);
}

static void says_where_it_ends(void **state)
{
	const struct row *r = *state;
	struct stages s = given_stages(r);
	struct iommusim_nested_walk walk = ask(&s, r->iova, r->access);

	assert_int_equal(walk.stage, r->stage);
	assert_int_equal(walk.is_table, r->is_table);
	assert_int_equal(walk.cause, r->cause);
	assert_int_equal(walk.ipa, r->ipa);
	assert_int_equal(walk.nr_words, r->nr_words);
	assert_int_equal(walk.stage1.nr, r->nr_words_1);
	assert_int_equal(walk.is_mapped, !r->is_table && r->prot_2);
	assert_int_equal(walk.pa, walk.is_mapped ? DATA_PA + 0x678 : 0);
	if (r->stage == 2)
		assert_int_equal(walk.stage2.cause, r->cause);
	if (r->stage == 2 && r->is_table) /* what is behind is not known */
		assert_int_equal(walk.stage1.is_mapped, 0);
	destroy(s);
}

/* ---- Sizes, protections, pairs ---- */

/* The number that everyone knows: 4 x (4 + 1) + 4. */
static void four_levels_over_four_read_24_words(void **state)
{
	struct stages s = {
		given_pgtable((struct iommusim_pgtable_config){ .format = &iommusim_pgtable_vtd_fl,
		                                                .arena_start = TABLES }),
		given_pgtable(
			(struct iommusim_pgtable_config){ .format = &iommusim_pgtable_vtd_sl }),
	};
	struct iommusim_nested_walk walk;

	map(s.one, IOVA & ~(SZ_4K - 1), DATA, RW);
	map(s.two, DATA, DATA_PA, R);
	for (unsigned i = 0; i < 4; i++) /* not as a large page */
		map(s.two, TABLES + i * SZ_4K, TABLES_PA + (4 - i) * SZ_4K, R);
	walk = ask(&s, IOVA, IOMMUSIM_ACCESS_READ);
	assert_int_equal(walk.cause, IOMMUSIM_FAULT_NONE);
	assert_int_equal(walk.nr_words, 24);
	assert_int_equal(walk.pa, DATA_PA + 0x678);
	assert_int_equal(walk.prot, R);
	assert_int_equal(ask(&s, IOVA, IOMMUSIM_ACCESS_WRITE).cause, IOMMUSIM_FAULT_PERMISSION);
	destroy(s);
}

static const struct size_row {
	const char *name;
	uint64_t size_1, size_2, want;
	unsigned nr_words;
} size_rows[] = {
	{ "a page in a block is a page", SZ_4K, SZ_2M, SZ_4K, 3 * 3 + 2 },
	{ "a block in pages is a page", SZ_2M, SZ_4K, SZ_4K, 2 * 3 + 3 },
	{ "a block in a block is a block", SZ_2M, SZ_2M, SZ_2M, 2 * 3 + 2 },
	{ "a block in a larger one", SZ_2M, SZ_1G, SZ_2M, 2 * 3 + 1 },
};

static void the_smaller_page_counts(void **state)
{
	const struct size_row *r = *state;
	struct stages s = {
		given_pgtable(
			(struct iommusim_pgtable_config){ .format = &iommusim_pgtable_arm_lpae_s1,
		                                          .ias = 39,
		                                          .arena_start = TABLES }),
		given_pgtable((struct iommusim_pgtable_config){
			.format = &iommusim_pgtable_arm_lpae_s2, .ias = 39 }),
	};
	struct iommusim_nested_walk walk;

	/* ipa 0xc0000000 and on, to which 8 GiB are added: all but the offset of the page */
	map_ok(s.one, 0, 3 * SZ_1G, r->size_1, 1);
	map_ok(s.two, 3 * SZ_1G, 11 * SZ_1G, r->size_2, 1);
	map_ok(s.two, TABLES, SZ_1G, SZ_2M, 1);
	walk = ask(&s, 0x123, IOMMUSIM_ACCESS_WRITE);
	assert_int_equal(walk.cause, IOMMUSIM_FAULT_NONE);
	assert_int_equal(walk.size, r->want);
	assert_int_equal(walk.pa, 11 * SZ_1G + 0x123);
	assert_int_equal(walk.nr_words, r->nr_words);
	destroy(s);
}

static const struct prot_row {
	const char *name;
	unsigned prot_1, prot_2, want;
} prot_rows[] = {
	{ "what both grant is granted", RW, RW, RW },
	{ "stage 2 takes the write", RW, R, R },
	{ "stage 1 takes the write", R, RW, R },
	{ "each forbids to execute", RW | NX, RW, RW | NX },
	{ "either forbids to execute", RW, RW | NX, RW | NX },
	{ "privileged pages stay so", RW | IOMMUSIM_PROT_PRIV, RW, RW | IOMMUSIM_PROT_PRIV },
	{ "cached where both say so", RW | IOMMUSIM_PROT_CACHE, RW | IOMMUSIM_PROT_CACHE,
	  RW | IOMMUSIM_PROT_CACHE },
	{ "not cached where one says so", RW, RW | IOMMUSIM_PROT_CACHE, RW },
	{ "device memory of either", RW | IOMMUSIM_PROT_CACHE, RW | IOMMUSIM_PROT_MMIO,
	  RW | IOMMUSIM_PROT_MMIO },
};

static void protections_meet(void **state)
{
	const struct prot_row *r = *state;
	struct row row = { .tables_prot = ALL_RW, .prot_1 = r->prot_1, .prot_2 = r->prot_2 };
	struct stages s = given_stages(&row);

	assert_int_equal(ask(&s, IOVA, IOMMUSIM_ACCESS_READ | IOMMUSIM_ACCESS_PRIV).prot, r->want);
	assert_int_equal(ask(&s, IOVA, IOMMUSIM_ACCESS_READ).cause,
	                 r->want & IOMMUSIM_PROT_PRIV ? IOMMUSIM_FAULT_PERMISSION
	                                              : IOMMUSIM_FAULT_NONE);
	destroy(s);
}

static int starts_with(const struct iommusim_pgtable_format *format, const char *start)
{
	return !strncmp(format->name, start, strlen(start));
}

/* Both are of one kind of hardware, and which of its formats go together. */
static int is_pair(const struct iommusim_pgtable_format *a, const struct iommusim_pgtable_format *b)
{
	if (starts_with(a, "riscv-"))
		return starts_with(b, "riscv-");
	if (a == &iommusim_pgtable_vtd_fl)
		return b == &iommusim_pgtable_vtd_sl;
	if (a == &iommusim_pgtable_amd_v2)
		return b == &iommusim_pgtable_amd_v1;
	if (a == &iommusim_pgtable_arm_v7s || a == &iommusim_pgtable_arm_lpae32_s1)
		return b == &iommusim_pgtable_arm_lpae_s2 || b == &iommusim_pgtable_arm_lpae32_s2;
	return a == &iommusim_pgtable_arm_lpae_s1 && b == &iommusim_pgtable_arm_lpae_s2;
}

static void the_pairs_of_real_hardware_nest(void **state)
{
	const struct iommusim_pgtable_format *a, *b;
	unsigned nr = 0;

	for (size_t i = 0; (a = iommusim_pgtable_format_at(i)); i++)
		for (size_t j = 0; (b = iommusim_pgtable_format_at(j)); j++) {
			assert_int_equal(iommusim_pgtable_nests(a, b), is_pair(a, b));
			nr += is_pair(a, b) != 0;
		}
	assert_int_equal(nr, 1 + 2 * 2 + 1 + 1 + 6 * 6);
}

static void other_pairs_are_refused(void **state)
{
	struct iommusim_pgtable *s1, *s2, *mtk;
	struct iommusim_nested_walk walk = { .nr_words = 77 };

	s1 = given_pgtable(
		(struct iommusim_pgtable_config){ .format = &iommusim_pgtable_arm_lpae_s1 });
	s2 = given_pgtable(
		(struct iommusim_pgtable_config){ .format = &iommusim_pgtable_arm_lpae_s2 });
	mtk = given_pgtable((struct iommusim_pgtable_config){ .format = &iommusim_pgtable_arm_v7s,
	                                                      .quirks = IOMMUSIM_QUIRK_ARM_MTK_EXT |
	                                                                IOMMUSIM_QUIRK_NO_PERMS });
	assert_err(iommusim_pgtable_access_nested(s2, s1, 0, 1, &walk), IOMMUSIM_EINVAL);
	assert_err(iommusim_pgtable_access_nested(s1, s1, 0, 1, &walk), IOMMUSIM_EINVAL);
	assert_err(iommusim_pgtable_access_nested(mtk, s2, 0, 1, &walk), IOMMUSIM_EINVAL);
	assert_err(iommusim_pgtable_mark_nested(mtk, s2, 0, 1, &walk), IOMMUSIM_EINVAL);
	assert_int_equal(walk.nr_words, 77);
	iommusim_pgtable_destroy(s1);
	iommusim_pgtable_destroy(s2);
	iommusim_pgtable_destroy(mtk);
}

/* Sv39 of stage 2 has no addresses from 2^38 on: no two more bits as Sv39x4 has. */
static void stage_2_of_riscv_is_no_wider(void **state)
{
	struct stages s = {
		given_pgtable((struct iommusim_pgtable_config){
			.format = &iommusim_pgtable_riscv_sv39, .arena_start = TABLES }),
		given_pgtable(
			(struct iommusim_pgtable_config){ .format = &iommusim_pgtable_riscv_sv39 }),
	};
	struct iommusim_nested_walk walk;

	map_ok(s.two, TABLES, SZ_1G, SZ_2M, 1);
	map_ok(s.one, 0, UINT64_C(1) << 38, SZ_4K, 1);
	walk = ask(&s, 0, IOMMUSIM_ACCESS_READ);
	assert_int_equal(walk.stage, 2);
	assert_int_equal(walk.cause, IOMMUSIM_FAULT_ADDRESS_SIZE);
	destroy(s);
}

/* AMD's host tables cover what their levels do. */
static void stage_2_of_amd_is_as_tall_as_its_tree(void **state)
{
	struct stages s = {
		given_pgtable((struct iommusim_pgtable_config){ .format = &iommusim_pgtable_amd_v2,
		                                                .arena_start = TABLES }),
		given_pgtable(
			(struct iommusim_pgtable_config){ .format = &iommusim_pgtable_amd_v1 }),
	};

	map_ok(s.two, TABLES, SZ_1G, SZ_2M, 1);
	map_ok(s.two, 0, SZ_1G, SZ_4K, 1);
	map_ok(s.one, 0, UINT64_C(1) << 39, SZ_4K, 1);
	assert_int_equal(ask(&s, 0, IOMMUSIM_ACCESS_READ).cause, IOMMUSIM_FAULT_ADDRESS_SIZE);
	map_ok(s.two, UINT64_C(1) << 39, SZ_1G, SZ_4K, 1);
	assert_int_equal(ask(&s, 0x123, IOMMUSIM_ACCESS_READ).pa, SZ_1G + 0x123);
	destroy(s);
}

/* ---- Words that lead nowhere ---- */

/* The word of stage 1 at level 1 leads to a table at @pa. */
static void lead_to(struct iommusim_pgtable *p, uint64_t pa)
{
	struct isim_pgtable_live *live = isim_pgtable_find(p, TABLES + SZ_4K, 1);

	assert_non_null(live);
	pt_put(p->ops->words, live->words, 145, p->ops->words->table(p, pa, 1));
}

static void a_table_that_is_not_there_is_first_asked_for(void **state)
{
	struct row row = { .tables_prot = ALL_RW, .prot_1 = RW, .prot_2 = RW };
	struct stages s = given_stages(&row);
	struct iommusim_nested_walk walk;
	uint64_t nowhere = TABLES + SZ_1G;

	lead_to(s.one, nowhere);
	walk = ask(&s, IOVA, IOMMUSIM_ACCESS_READ);
	assert_int_equal(walk.stage, 2);
	assert_int_equal(walk.cause, IOMMUSIM_FAULT_NOT_PRESENT);
	assert_int_equal(walk.is_table, 1);
	assert_int_equal(walk.ipa, nowhere + 325 * 8);
	map(s.two, nowhere, DATA_PA, R);
	walk = ask(&s, IOVA, IOMMUSIM_ACCESS_READ);
	assert_int_equal(walk.stage, 1);
	assert_int_equal(walk.cause, IOMMUSIM_FAULT_TABLE);
	assert_int_equal(walk.nr_words, 2 * 4 + 3);
	assert_int_equal(walk.ipa, nowhere + 325 * 8);
	destroy(s);
}

/* ---- Marks ---- */

static void a_mark_is_a_write_to_the_word(void **state)
{
	struct row row = { .tables_prot = ALL_RW,
		           .prot_1 = RW | IOMMUSIM_PROT_PRIV,
		           .old_1 = IOVA };
	struct stages s = given_stages(&row);
	struct iommusim_nested_walk walk;

	assert_int_equal(ask(&s, IOVA, IOMMUSIM_ACCESS_READ).cause, IOMMUSIM_FAULT_ACCESS_FLAG);
	assert_ok(iommusim_pgtable_mark_nested(s.one, s.two, IOVA, IOMMUSIM_MARK_ACCESSED, &walk));
	assert_int_equal(walk.ipa, WORD_0);
	assert_int_equal(walk.nr_words, 3 * 4 + 3);
	walk = ask(&s, IOVA, IOMMUSIM_ACCESS_READ | IOMMUSIM_ACCESS_PRIV);
	assert_int_equal(walk.stage, 2); /* there is no page, but the mark is */
	assert_int_equal(walk.stage1.marks, IOMMUSIM_MARK_ACCESSED);
	/* once more, and whoever may use the page */
	assert_ok(iommusim_pgtable_mark_nested(s.one, s.two, IOVA, IOMMUSIM_MARK_ACCESSED, &walk));
	destroy(s);
}

static void a_mark_needs_a_table_that_may_be_written(void **state)
{
	struct row row = { .tables_prot = { R, R, R }, .prot_1 = RW, .prot_2 = RW, .old_1 = IOVA };
	struct stages s = given_stages(&row);
	struct iommusim_nested_walk walk;

	assert_err(iommusim_pgtable_mark_nested(s.one, s.two, IOVA, IOMMUSIM_MARK_ACCESSED, &walk),
	           IOMMUSIM_EFAULT);
	assert_int_equal(walk.stage, 2);
	assert_int_equal(walk.is_table, 1);
	assert_int_equal(walk.cause, IOMMUSIM_FAULT_PERMISSION);
	assert_int_equal(walk.ipa, WORD_0);
	assert_int_equal(ask(&s, IOVA, IOMMUSIM_ACCESS_READ).cause, IOMMUSIM_FAULT_ACCESS_FLAG);
	destroy(s);
}

static void what_cannot_be_read_cannot_be_marked(void **state)
{
	struct row row = { .tables_prot = { RW, W, RW }, .prot_1 = RW, .prot_2 = RW };
	struct stages s = given_stages(&row);
	struct iommusim_nested_walk walk;

	assert_err(iommusim_pgtable_mark_nested(s.one, s.two, IOVA, IOMMUSIM_MARK_ACCESSED, &walk),
	           IOMMUSIM_EFAULT);
	assert_int_equal(walk.ipa, WORD_1);
	destroy(s);
	row = (struct row){ .tables_prot = ALL_RW, .prot_1 = RW };
	s = given_stages(&row);
	assert_err(iommusim_pgtable_mark_nested(s.one, s.two, IOVA + SZ_4K, IOMMUSIM_MARK_ACCESSED,
	                                        &walk),
	           IOMMUSIM_EINVAL);
	assert_err(
		iommusim_pgtable_mark_nested(s.one, s.two, IOVA, IOMMUSIM_MARK_DIRTY << 1, &walk),
		IOMMUSIM_EINVAL);
	destroy(s);
}

int main(void)
{
	struct CMUnitTest
		tests[9 + ARRAY_LEN(rows) + ARRAY_LEN(size_rows) + ARRAY_LEN(prot_rows)] = {
			cmocka_unit_test(four_levels_over_four_read_24_words),
			cmocka_unit_test(the_pairs_of_real_hardware_nest),
			cmocka_unit_test(other_pairs_are_refused),
			cmocka_unit_test(stage_2_of_riscv_is_no_wider),
			cmocka_unit_test(stage_2_of_amd_is_as_tall_as_its_tree),
			cmocka_unit_test(a_table_that_is_not_there_is_first_asked_for),
			cmocka_unit_test(a_mark_is_a_write_to_the_word),
			cmocka_unit_test(a_mark_needs_a_table_that_may_be_written),
			cmocka_unit_test(what_cannot_be_read_cannot_be_marked),
		};
	size_t nr = 9;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(says_where_it_ends, &rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(size_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(the_smaller_page_counts, &size_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(prot_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(protections_meet, &prot_rows[i]);
	return RUN_TESTS(tests);
}
