/* SPDX-License-Identifier: MIT */
/* Whose pages are taken when a type has none left: the corners beyond the worked examples. */
#include "phys_test.h"

static struct iommusim_phys *given(enum iommusim_fallback fallback, uint64_t start, uint64_t frames)
{
	struct iommusim_phys_config config = { .nr_orders = 5,
		                               .pageblock_order = 4,
		                               .fallback = fallback };

	return given_zone(config, start, frames);
}

/* Frames 8 .. 15 of the zone 8 .. 31 are half a pageblock: generation C may not claim it. */
static void a_pageblock_cut_by_the_zones_start_is_never_claimed(void **state)
{
	struct iommusim_phys *phys = given(IOMMUSIM_FALLBACK_C, 8, 24);

	take_everything_movable(phys);
	free_pages(phys, 8, 15);
	assert_int_equal(take(phys, 0, KERNEL), 8);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 8), IOMMUSIM_MOVABLE);
	assert_list(phys, 2, MOVABLE, "12");
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* Generation A moves the part from the block upwards, and 8 free frames of 16 are enough. */
static void generation_a_takes_the_part_of_a_pageblock_that_the_zone_has(void **state)
{
	struct iommusim_phys *phys = given(IOMMUSIM_FALLBACK_A, 8, 24);

	take_everything_movable(phys);
	free_pages(phys, 8, 15);
	assert_int_equal(take(phys, 0, KERNEL), 8);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 8), IOMMUSIM_UNMOVABLE);
	assert_list(phys, 2, UNMOVABLE, "12");
	iommusim_phys_destroy(phys);
}

/* ... but at the zone's end only the block itself is moved. */
static void generation_a_moves_one_block_where_the_pageblock_crosses_the_zones_end(void **state)
{
	struct iommusim_phys *phys = given(IOMMUSIM_FALLBACK_A, 0, 24);

	take_everything_movable(phys);
	free_pages(phys, 16, 19);
	free_pages(phys, 22, 23);
	assert_int_equal(take(phys, 0, KERNEL), 16);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 16), IOMMUSIM_MOVABLE);
	assert_list(phys, 1, UNMOVABLE, "18");
	assert_list(phys, 1, MOVABLE, "22");
	iommusim_phys_destroy(phys);
}

/* Pages in use that are not movable are like an unmovable request's own. */
static void a_block_of_unmovable_pages_is_claimed_though_little_is_free(void **state)
{
	static const enum iommusim_fallback generations[] = { IOMMUSIM_FALLBACK_A,
		                                              IOMMUSIM_FALLBACK_C };

	for (size_t i = 0; i < ARRAY_LEN(generations); i++) {
		struct iommusim_phys *phys = given(generations[i], 0, 16);

		while (iommusim_phys_nr_free(phys))
			take(phys, 0, KERNEL);
		assert_ok(iommusim_phys_set_pageblock_type(phys, 0, IOMMUSIM_MOVABLE));
		free_pages(phys, 4, 7);
		free_pages(phys, 13, 13);
		assert_int_equal(take(phys, 1, KERNEL), 4);
		assert_int_equal(iommusim_phys_pageblock_type(phys, 0), IOMMUSIM_UNMOVABLE);
		assert_list(phys, 1, UNMOVABLE, "6");
		assert_list(phys, 0, UNMOVABLE, "13");
		assert_ok(iommusim_phys_check(phys));
		iommusim_phys_destroy(phys);
	}
}

/* Reclaimable before movable, whatever their sizes at one order. */
static void types_are_raided_in_order_of_preference(void **state)
{
	struct iommusim_phys *phys = given(IOMMUSIM_FALLBACK_C, 0, 48);

	assert_int_equal(take(phys, 4, KERNEL | IOMMUSIM_GFP_BIT_RECLAIMABLE), 0);
	assert_int_equal(take(phys, 4, MOVABLE), 16);
	assert_int_equal(take(phys, 4, MOVABLE), 32);
	assert_ok(iommusim_phys_free(phys, 16, 4));
	assert_ok(iommusim_phys_free(phys, 0, 4));
	assert_int_equal(take(phys, 4, KERNEL), 0);
	assert_int_equal(take(phys, 4, KERNEL), 16);
	iommusim_phys_destroy(phys);
}

/* A whole pageblock of DMA32 is taken before a part of one of NORMAL is. */
static void a_lower_zone_is_tried_before_a_pageblock_is_broken_up(void **state)
{
	static const struct iommusim_zone_config zones[] = {
		{ .zone = IOMMUSIM_ZONE_DMA32, .start_pfn = 0, .nr_frames = 32 },
		{ .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 32, .nr_frames = 16 },
	};
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .nr_orders = 5,
		                               .pageblock_order = 4,
		                               .zones = zones,
		                               .nr_zones = 2 };
	struct iommusim_phys *phys;

	assert_ok(iommusim_phys_create(&config, &phys));
	assert_int_equal(take(phys, 3, MOVABLE), 32); /* 40 is left, of order 3, movable */
	assert_int_equal(take(phys, 0, KERNEL), 0);
	assert_int_equal(take(phys, 3, KERNEL), 8);
	assert_int_equal(take(phys, 4, KERNEL), 16);
	assert_int_equal(take(phys, 3, KERNEL), 40); /* nothing else is left */
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* Blocks of the highest order keep no leaf until they are cut, so this is the whole list. */
static void cma_pages_are_never_taken(void **state)
{
	struct iommusim_phys *phys = given(IOMMUSIM_FALLBACK_C, 0, 16);
	struct iommusim_page_request req = { .order = 0, .gfp = KERNEL, .node = -1 };
	struct iommusim_page_block block;

	take(phys, 4, MOVABLE);
	assert_ok(iommusim_phys_set_pageblock_type(phys, 0, IOMMUSIM_CMA));
	assert_ok(iommusim_phys_free(phys, 0, 4));
	assert_list(phys, 4, CMA, "0");
	assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
	iommusim_phys_destroy(phys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pageblock_cut_by_the_zones_start_is_never_claimed),
		cmocka_unit_test(generation_a_takes_the_part_of_a_pageblock_that_the_zone_has),
		cmocka_unit_test(
			generation_a_moves_one_block_where_the_pageblock_crosses_the_zones_end),
		cmocka_unit_test(a_block_of_unmovable_pages_is_claimed_though_little_is_free),
		cmocka_unit_test(types_are_raided_in_order_of_preference),
		cmocka_unit_test(a_lower_zone_is_tried_before_a_pageblock_is_broken_up),
		cmocka_unit_test(cma_pages_are_never_taken),
	};

	return RUN_TESTS(tests);
}
