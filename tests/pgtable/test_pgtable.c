/* SPDX-License-Identifier: MIT */
/* Mapping, splitting, replacing; copies; what is looked at from outside; failures at every point.
 */
#include "pgtable_test.h"

#define S1 (&iommusim_pgtable_arm_lpae_s1)

static uint64_t nr_tables(const struct iommusim_pgtable *pgtable)
{
	return iommusim_pgtable_info(pgtable).nr_tables;
}

/* ---- Mapping ---- */

/* Two levels, whose largest block has 2 MiB: as Linux does, a call goes down as far as it can. */
static void a_page_above_the_start_level_makes_tables_and_fails(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1, .ias = 30 });

	assert_int_equal(iommusim_pgtable_info(pgtable).nr_levels, 2);
	assert_err(try_map(pgtable, 0, SZ_1G, SZ_1G, 1), IOMMUSIM_EINVAL);
	assert_int_equal(nr_tables(pgtable), 2);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 0), 0);
	assert_int_equal(unmap(pgtable, 0, SZ_1G, 1), 0);
	map_ok(pgtable, 0, SZ_1G, SZ_4K, 1); /* in the table that is there */
	assert_int_equal(nr_tables(pgtable), 2);
	assert_err(try_map(pgtable, 0, SZ_1G, SZ_1G, 1), IOMMUSIM_EINVAL);
	assert_int_equal(unmap(pgtable, 0, SZ_1G, 1), 0);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 0), SZ_1G);
	map_ok(pgtable, SZ_2M, SZ_1G, SZ_2M, 1);
	assert_err(try_map(pgtable, SZ_2M, SZ_1G, SZ_1G, 1), IOMMUSIM_EEXIST);
	iommusim_pgtable_destroy(pgtable);
}

static void a_call_stops_at_the_end_of_a_table(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });
	struct iommusim_map_pages pages = { .iova = 510 * SZ_4K,
		                            .pa = SZ_1G,
		                            .pgsize = SZ_4K,
		                            .count = 8,
		                            .prot = IOMMUSIM_PROT_READ };
	uint64_t mapped;

	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	assert_int_equal(mapped, 2 * SZ_4K);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 511 * SZ_4K + 7),
	                 SZ_1G + SZ_4K + 7);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 512 * SZ_4K), 0);
	iommusim_pgtable_destroy(pgtable);
}

static void a_leaf_in_the_way_is_an_error_and_nothing_is_written(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });

	map_ok(pgtable, 5 * SZ_4K, SZ_1G, SZ_4K, 1);
	assert_err(try_map(pgtable, 3 * SZ_4K, 0, SZ_4K, 4), IOMMUSIM_EEXIST);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 3 * SZ_4K), 0);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 5 * SZ_4K), SZ_1G);
	map_ok(pgtable, SZ_2M, SZ_2M, SZ_2M, 1);
	assert_err(try_map(pgtable, SZ_2M + SZ_4K, 0, SZ_4K, 1), IOMMUSIM_EEXIST);
	iommusim_pgtable_destroy(pgtable);
}

static void a_table_in_the_way_is_freed(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 512);
	assert_int_equal(nr_tables(pgtable), 4);
	map_ok(pgtable, 0, SZ_2M, SZ_2M, 1);
	assert_int_equal(nr_tables(pgtable), 3);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_4K), SZ_2M + SZ_4K);
	map_ok(pgtable, SZ_2M, SZ_1G, SZ_4K, 1); /* the freed table is used again, all zeros */
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_2M + SZ_4K), 0);
	iommusim_pgtable_destroy(pgtable);
}

static void what_is_out_of_reach_is_refused(void **state)
{
	struct iommusim_pgtable *low = given_pgtable(
		(struct iommusim_pgtable_config){ .format = S1, .ias = 39, .oas = 40 });
	struct iommusim_pgtable *high = given_pgtable((struct iommusim_pgtable_config){
		.format = S1, .ias = 39, .quirks = IOMMUSIM_QUIRK_ARM_TTBR1 });
	uint64_t top = UINT64_C(1) << 39;

	assert_err(try_map(low, top, 0, SZ_4K, 1), IOMMUSIM_ERANGE);
	assert_err(try_map(low, 0, UINT64_C(1) << 40, SZ_4K, 1), IOMMUSIM_ERANGE);
	map_ok(low, top - SZ_4K, (UINT64_C(1) << 40) - SZ_4K, SZ_4K, 1);
	assert_err(try_map(low, 0, 0, SZ_64K, 1), IOMMUSIM_EINVAL);
	assert_err(try_map(low, 0, 0, 0, 1), IOMMUSIM_EINVAL);
	assert_int_equal(unmap(low, top, SZ_4K, 1), 0);
	assert_err(try_map(high, 0, 0, SZ_4K, 1), IOMMUSIM_ERANGE);
	map_ok(high, 0 - SZ_4K, SZ_1G, SZ_4K, 1);
	assert_int_equal(iommusim_pgtable_iova_to_phys(high, 0 - SZ_4K), SZ_1G);
	iommusim_pgtable_destroy(low);
	iommusim_pgtable_destroy(high);
}

static void neither_read_nor_write_is_refused(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });
	struct iommusim_map_pages pages = { .pgsize = SZ_4K,
		                            .count = 1,
		                            .prot = IOMMUSIM_PROT_CACHE };
	uint64_t mapped;

	assert_err(iommusim_pgtable_map(pgtable, &pages, &mapped), IOMMUSIM_EINVAL);
	assert_int_equal(nr_tables(pgtable), 1);
	iommusim_pgtable_destroy(pgtable);
}

/* Tables side by side: a call ends with the table that it began in, not with the memory. */
static void a_call_stops_at_the_end_of_each_table_side_by_side(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
		.format = &iommusim_pgtable_arm_lpae_s2, .ias = 40, .oas = 40 });
	struct iommusim_map_pages pages = { .iova = 500 * SZ_1G,
		                            .pa = 500 * SZ_1G,
		                            .pgsize = SZ_1G,
		                            .count = 600,
		                            .prot = IOMMUSIM_PROT_READ };
	uint64_t mapped;

	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	assert_int_equal(mapped, 12 * SZ_1G);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 512 * SZ_1G), 0);
	pages.iova = pages.pa = 1000 * SZ_1G;
	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	assert_int_equal(mapped, 24 * SZ_1G);
	iommusim_pgtable_destroy(pgtable);
}

/* A granule of 16K and CPU pages of 4K: the first table is half as long as the others. */
static void a_short_first_table_is_not_overrun(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable(
		(struct iommusim_pgtable_config){ .format = S1, .pgsizes = SZ_16K, .ias = 24 });
	struct iommusim_pgtable *copy = NULL;
	struct iommusim_map_pages pages = { .pgsize = SZ_16K,
		                            .count = 2048,
		                            .prot = IOMMUSIM_PROT_READ };
	uint64_t mapped;

	assert_int_equal(iommusim_pgtable_info(pgtable).root_bytes, 8192);
	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	assert_int_equal(mapped, 1024 * SZ_16K);
	assert_ok(iommusim_pgtable_fork(pgtable, NULL, &copy));
	assert_int_equal(unmap(copy, 0, SZ_16K, 2048), 1024 * SZ_16K);
	assert_int_equal(unmap(pgtable, 0, SZ_16K, 2048), 1024 * SZ_16K);
	iommusim_pgtable_destroy(copy);
	iommusim_pgtable_destroy(pgtable);
}

/* What a word cannot hold folds into bits 15:12, page by page, wherever a run crosses the limit. */
static void runs_beyond_the_last_address_fold_page_by_page(void **state)
{
	struct iommusim_pgtable *narrow =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });
	struct iommusim_pgtable *wide = given_pgtable((struct iommusim_pgtable_config){
		.format = S1, .pgsizes = SZ_64K | SZ_512M, .ias = 52, .oas = 52 });
	struct iommusim_pgtable_walk walk;

	map_ok(narrow, 0, UINT64_C(0xfffffffff000), SZ_2M, 1);
	assert_int_equal(unmap(narrow, 2 * SZ_4K, SZ_4K, 11), 11 * SZ_4K);
	iommusim_pgtable_walk(narrow, 14 * SZ_4K, &walk);
	assert_int_equal(walk.step[walk.nr - 1].word, UINT64_C(0xde43));
	map_ok(wide, 0, UINT64_C(0xffffffff50000), SZ_512M, 1);
	assert_int_equal(unmap(wide, 2 * SZ_64K, SZ_64K, 11), 11 * SZ_64K);
	iommusim_pgtable_walk(wide, 14 * SZ_64K, &walk);
	assert_int_equal(walk.step[walk.nr - 1].word, UINT64_C(0x30e43));
	map_ok(wide, SZ_1G, (UINT64_C(1) << 48) - SZ_64K, SZ_64K, 3);
	assert_int_equal(iommusim_pgtable_iova_to_phys(wide, SZ_1G + 2 * SZ_64K),
	                 (UINT64_C(1) << 48) + SZ_64K);
	assert_err(try_map(narrow, SZ_1G, UINT64_C(1) << 48, SZ_4K, 1), IOMMUSIM_ERANGE);
	iommusim_pgtable_destroy(narrow);
	iommusim_pgtable_destroy(wide);
}

static void an_oas_that_was_lowered_is_the_limit(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable(
		(struct iommusim_pgtable_config){ .format = S1, .ias = 52, .oas = 52 });

	assert_int_equal(iommusim_pgtable_info(pgtable).oas, 48);
	assert_err(try_map(pgtable, 0, UINT64_C(1) << 48, SZ_4K, 1), IOMMUSIM_ERANGE);
	assert_err(try_map(pgtable, UINT64_C(1) << 48, 0, SZ_4K, 1), IOMMUSIM_ERANGE);
	iommusim_pgtable_destroy(pgtable);
}

/* Two freed tables, one linked to the other, come back empty. */
static void tables_that_are_used_again_are_empty(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 1);
	map_ok(pgtable, SZ_2M, SZ_1G, SZ_4K, 1);
	assert_int_equal(unmap(pgtable, 0, SZ_2M, 2), 2 * SZ_2M);
	for (uint64_t at = 0; at <= SZ_2M; at += SZ_2M) {
		map_ok(pgtable, at + 5 * SZ_4K, SZ_1G, SZ_4K, 1);
		map_ok(pgtable, at, SZ_1G, SZ_4K, 5);
	}
	assert_int_equal(nr_tables(pgtable), 5);
	iommusim_pgtable_destroy(pgtable);
}

/* ---- Unmapping ---- */

static void part_of_a_block_splits_it_level_by_level(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });

	map_ok(pgtable, SZ_1G, SZ_1G, SZ_1G, 1);
	assert_int_equal(nr_tables(pgtable), 2);
	assert_int_equal(unmap(pgtable, SZ_1G + SZ_2M + 7 * SZ_4K, SZ_4K, 3), 3 * SZ_4K);
	assert_int_equal(nr_tables(pgtable), 4);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_1G + SZ_2M + 6 * SZ_4K),
	                 SZ_1G + SZ_2M + 6 * SZ_4K);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_1G + SZ_2M + 7 * SZ_4K), 0);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_1G + SZ_2M + 10 * SZ_4K),
	                 SZ_1G + SZ_2M + 10 * SZ_4K);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 2 * SZ_1G - 1), 2 * SZ_1G - 1);
	iommusim_pgtable_destroy(pgtable);
}

/* Each split needs two tables: the arena grows while unmapping, too. */
static void many_splits_move_the_arena(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });

	map_ok(pgtable, 0, 0, SZ_1G, 64);
	for (uint64_t i = 0; i < 64; i++) {
		assert_int_equal(unmap(pgtable, i * SZ_1G + SZ_4K, SZ_4K, 1), SZ_4K);
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, i * SZ_1G + SZ_2M),
		                 i * SZ_1G + SZ_2M);
	}
	assert_int_equal(nr_tables(pgtable), 2 + 2 * 64);
	iommusim_pgtable_destroy(pgtable);
}

static void a_block_over_a_table_frees_it_holes_and_all(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 1);
	assert_int_equal(unmap(pgtable, 0, SZ_2M, 1), SZ_2M);
	assert_int_equal(nr_tables(pgtable), 3);
	assert_int_equal(unmap(pgtable, 0, SZ_2M, 1), 0);
	assert_int_equal(unmap(pgtable, 0, SZ_1G, 1), SZ_1G);
	assert_int_equal(nr_tables(pgtable), 2);
	iommusim_pgtable_destroy(pgtable);
}

static void a_hole_ends_a_call(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 3);
	map_ok(pgtable, 4 * SZ_4K, SZ_1G, SZ_4K, 1);
	assert_int_equal(unmap(pgtable, 0, SZ_4K, 5), 3 * SZ_4K);
	assert_int_equal(unmap(pgtable, 3 * SZ_4K, SZ_4K, 2), 0);
	assert_int_equal(unmap(pgtable, 4 * SZ_4K, SZ_4K, 0), 0);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 4 * SZ_4K), SZ_1G);
	iommusim_pgtable_destroy(pgtable);
}

/* What a flush is told: 'l' for leaves, 't' for a table. */
struct told {
	char kind[8];
	uint64_t iova[8], bytes[8];
	unsigned nr;
};

static void told_leaves(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count)
{
	struct told *told = ctx;

	told->kind[told->nr] = 'l';
	told->iova[told->nr] = iova;
	told->bytes[told->nr++] = pgsize * count;
}

static void told_table(void *ctx, uint64_t iova, uint64_t bytes)
{
	struct told *told = ctx;

	told->kind[told->nr] = 't';
	told->iova[told->nr] = iova;
	told->bytes[told->nr++] = bytes;
}

static void the_flush_is_told_of_leaves_and_tables(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });
	struct told told = { .nr = 0 };
	struct iommusim_pgtable_flush flush = { &told, told_leaves, told_table };

	map_ok(pgtable, 0, SZ_1G, SZ_2M, 2);
	map_ok(pgtable, 2 * SZ_2M, SZ_1G, SZ_4K, 9);
	assert_int_equal(iommusim_pgtable_unmap(pgtable, 2 * SZ_2M, SZ_4K, 9, &flush), 9 * SZ_4K);
	assert_int_equal(iommusim_pgtable_unmap(pgtable, 0, SZ_2M, 3, &flush), 3 * SZ_2M);
	map_ok(pgtable, 0, SZ_1G, SZ_2M, 1);
	assert_int_equal(iommusim_pgtable_unmap(pgtable, SZ_4K, SZ_4K, 2, &flush), 2 * SZ_4K);
	assert_string_equal(told.kind, "llltl");
	assert_int_equal(told.bytes[0], 9 * SZ_4K);
	assert_int_equal(told.bytes[1] + told.bytes[2], 2 * SZ_2M);
	assert_int_equal(told.iova[3], 2 * SZ_2M);
	assert_int_equal(told.bytes[3], SZ_2M);
	assert_int_equal(told.bytes[4], 2 * SZ_4K);
	iommusim_pgtable_destroy(pgtable);
}

/* ---- Looking from outside ---- */

static void ranges_go_on_as_long_as_pages_adjoin(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });
	struct iommusim_mapped_range range;

	map_ok(pgtable, 510 * SZ_4K, SZ_1G, SZ_4K, 2);
	map_ok(pgtable, SZ_2M, SZ_1G + 2 * SZ_4K, SZ_4K, 3);
	map_ok(pgtable, 2 * SZ_2M, 4 * SZ_2M, SZ_2M, 2);
	assert_int_equal(iommusim_pgtable_next(pgtable, 0, &range), 1);
	assert_int_equal(range.iova, 510 * SZ_4K);
	assert_int_equal(range.size, 5 * SZ_4K);
	assert_int_equal(range.pgsize, SZ_4K);
	assert_int_equal(iommusim_pgtable_next(pgtable, range.iova + range.size, &range), 1);
	assert_int_equal(range.iova, 2 * SZ_2M);
	assert_int_equal(range.pa, 4 * SZ_2M);
	assert_int_equal(range.size, 2 * SZ_2M);
	assert_int_equal(range.prot, IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE);
	assert_int_equal(iommusim_pgtable_next(pgtable, range.iova + range.size - 1, &range), 1);
	assert_int_equal(range.iova, 3 * SZ_2M); /* it starts with the leaf that was asked for */
	assert_int_equal(iommusim_pgtable_next(pgtable, 4 * SZ_2M, &range), 0);
	iommusim_pgtable_destroy(pgtable);
}

static void the_last_page_of_the_space_is_a_range(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
		.format = S1, .ias = 32, .oas = 32, .quirks = IOMMUSIM_QUIRK_ARM_TTBR1 });
	struct iommusim_mapped_range range;

	map_ok(pgtable, 0 - SZ_4K, SZ_1G, SZ_4K, 1);
	assert_int_equal(iommusim_pgtable_next(pgtable, 0, &range), 1);
	assert_int_equal(range.iova, 0 - SZ_4K);
	assert_int_equal(range.size, SZ_4K);
	assert_int_equal(iommusim_pgtable_next(pgtable, UINT64_MAX, &range), 1);
	iommusim_pgtable_destroy(pgtable);
}

/* Beyond its width an address means its low bits again, but a range ends there. */
static void a_range_does_not_go_on_at_the_bottom(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1, .ias = 39 });
	struct iommusim_mapped_range range;
	uint64_t last = (UINT64_C(1) << 39) - SZ_4K;

	map_ok(pgtable, last, SZ_1G, SZ_4K, 1);
	map_ok(pgtable, 0, SZ_1G + SZ_4K, SZ_4K, 1);
	assert_int_equal(iommusim_pgtable_next(pgtable, SZ_4K, &range), 1);
	assert_int_equal(range.iova, last);
	assert_int_equal(range.size, SZ_4K);
	assert_int_equal(iommusim_pgtable_next(pgtable, last + SZ_4K - 1, &range), 1);
	iommusim_pgtable_destroy(pgtable);
}

static void a_copy_shares_nothing(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable(
					(struct iommusim_pgtable_config){ .format = S1 }),
				*copy = NULL;

	map_ok(pgtable, 0, SZ_1G, SZ_4K, 16);
	assert_ok(iommusim_pgtable_fork(pgtable, NULL, &copy));
	map_ok(copy, 16 * SZ_4K, SZ_1G, SZ_4K, 1); /* in a table that the last call found */
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 16 * SZ_4K), 0);
	assert_int_equal(unmap(pgtable, 0, SZ_4K, 16), 16 * SZ_4K);
	assert_int_equal(iommusim_pgtable_iova_to_phys(copy, 15 * SZ_4K), SZ_1G + 15 * SZ_4K);
	iommusim_pgtable_destroy(pgtable);
	map_ok(copy, SZ_2M, SZ_1G, SZ_4K, 16);
	assert_int_equal(iommusim_pgtable_iova_to_phys(copy, SZ_2M), SZ_1G);
	iommusim_pgtable_destroy(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_above_the_start_level_makes_tables_and_fails),
		cmocka_unit_test(a_call_stops_at_the_end_of_a_table),
		cmocka_unit_test(a_call_stops_at_the_end_of_each_table_side_by_side),
		cmocka_unit_test(a_short_first_table_is_not_overrun),
		cmocka_unit_test(runs_beyond_the_last_address_fold_page_by_page),
		cmocka_unit_test(an_oas_that_was_lowered_is_the_limit),
		cmocka_unit_test(tables_that_are_used_again_are_empty),
		cmocka_unit_test(many_splits_move_the_arena),
		cmocka_unit_test(a_range_does_not_go_on_at_the_bottom),
		cmocka_unit_test(a_leaf_in_the_way_is_an_error_and_nothing_is_written),
		cmocka_unit_test(a_table_in_the_way_is_freed),
		cmocka_unit_test(what_is_out_of_reach_is_refused),
		cmocka_unit_test(neither_read_nor_write_is_refused),
		cmocka_unit_test(part_of_a_block_splits_it_level_by_level),
		cmocka_unit_test(a_block_over_a_table_frees_it_holes_and_all),
		cmocka_unit_test(a_hole_ends_a_call),
		cmocka_unit_test(the_flush_is_told_of_leaves_and_tables),
		cmocka_unit_test(ranges_go_on_as_long_as_pages_adjoin),
		cmocka_unit_test(the_last_page_of_the_space_is_a_range),
		cmocka_unit_test(a_copy_shares_nothing),
	};

	return RUN_TESTS(tests);
}
