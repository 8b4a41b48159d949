/* SPDX-License-Identifier: MIT */
/* Worked examples of the page allocator, without per-CPU lists and watermarks: B1 to B6. */
#include "phys_test.h"

/* What the last fallback was told to be. */
struct seen {
	struct iommusim_event fallback;
	unsigned nr;
};

static void see(void *ctx, const struct iommusim_event *event)
{
	struct seen *seen = ctx;

	if (event->kind != IOMMUSIM_EVENT_FALLBACK)
		return;
	seen->fallback = *event;
	seen->nr++;
}

static struct iommusim_phys *given(struct seen *seen, enum iommusim_fallback fallback,
                                   uint64_t frames)
{
	struct iommusim_host host = { .size = sizeof(host), .event = see, .event_ctx = seen };
	struct iommusim_phys_config config = { .fallback = fallback, .host = &host };

	memset(seen, 0, sizeof(*seen));
	return given_zone(config, 0, frames);
}

static void assert_fallback(const struct seen *seen, iommusim_pfn pfn, unsigned fallback_order,
                            unsigned change_ownership)
{
	assert_int_equal(seen->fallback.pfn, pfn);
	assert_int_equal(seen->fallback.order, 0);
	assert_int_equal(seen->fallback.other_order, fallback_order);
	assert_int_equal(seen->fallback.flag, change_ownership);
}

static void fresh_memory_is_listed_upwards_in_the_largest_blocks(void **state)
{
	struct iommusim_phys *phys = given_zone((struct iommusim_phys_config){ 0 }, 0, 4096);

	assert_list(phys, 10, MOVABLE, "0 1024 2048 3072");
	iommusim_phys_destroy(phys);
	phys = given_zone((struct iommusim_phys_config){ 0 }, 1, 4095);
	for (unsigned order = 0; order < 10; order++) {
		char text[8];

		snprintf(text, sizeof(text), "%u", 1u << order);
		assert_list(phys, order, MOVABLE, text);
	}
	assert_list(phys, 10, MOVABLE, "1024 2048 3072");
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* B1, B2, B3: both generations agree. */
static void the_first_unmovable_page_takes_a_whole_block_of_the_highest_order(void **state)
{
	enum iommusim_fallback fallback = *(enum iommusim_fallback *)*state;
	struct seen seen;
	struct iommusim_phys *phys = given(&seen, fallback, 4096);

	assert_int_equal(take(phys, 0, KERNEL), 0);
	assert_fallback(&seen, 0, 10, 1);
	assert_int_equal(seen.fallback.migratetype, IOMMUSIM_UNMOVABLE);
	assert_int_equal(seen.fallback.other_type, IOMMUSIM_MOVABLE);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 0), IOMMUSIM_UNMOVABLE);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 512), IOMMUSIM_UNMOVABLE);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 1024), IOMMUSIM_MOVABLE);
	for (unsigned order = 0; order < 10; order++) {
		char first[8];

		snprintf(first, sizeof(first), "%u", 1u << order);
		assert_list(phys, order, UNMOVABLE, first);
		assert_list(phys, order, MOVABLE, "");
	}
	assert_list(phys, 10, UNMOVABLE, "");
	assert_list(phys, 10, MOVABLE, "1024 2048 3072");

	assert_int_equal(take(phys, 4, KERNEL), 16);
	assert_int_equal(take(phys, 4, KERNEL), 32);
	assert_list(phys, 4, UNMOVABLE, "48");
	assert_int_equal(seen.nr, 1);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* B3: with 16 taken and 32 free, a block of order 4 may soon grow: it goes to the tail. */
static void a_block_that_may_soon_merge_is_kept_cold(void **state)
{
	struct seen seen;
	struct iommusim_phys *phys = given(&seen, IOMMUSIM_FALLBACK_C, 4096);

	assert_int_equal(take(phys, 0, KERNEL), 0);
	assert_int_equal(take(phys, 4, KERNEL), 16);
	assert_int_equal(take(phys, 5, KERNEL), 32);
	assert_int_equal(take(phys, 4, KERNEL), 64); /* 80 is left at order 4 */
	assert_ok(iommusim_phys_free(phys, 32, 5));
	assert_ok(iommusim_phys_free(phys, 0, 0));
	assert_list(phys, 4, UNMOVABLE, "80 0");
	iommusim_phys_destroy(phys);
}

static void a_block_that_will_not_merge_goes_to_the_head(void **state)
{
	struct seen seen;
	struct iommusim_phys *phys = given(&seen, IOMMUSIM_FALLBACK_C, 4096);

	assert_int_equal(take(phys, 0, KERNEL), 0);
	assert_int_equal(take(phys, 4, KERNEL), 16);
	assert_int_equal(take(phys, 4, KERNEL), 32); /* 48 is left at order 4 */
	assert_ok(iommusim_phys_free(phys, 0, 0));
	assert_list(phys, 4, UNMOVABLE, "0 48");
	iommusim_phys_destroy(phys);
}

/* B4: all in use as movable but 0-63 and 512-515. */
static struct iommusim_phys *given_two_holes(struct seen *seen, enum iommusim_fallback fallback)
{
	struct iommusim_phys *phys = given(seen, fallback, 1024);

	take_everything_movable(phys);
	free_pages(phys, 0, 63);
	free_pages(phys, 512, 515);
	assert_list(phys, 6, MOVABLE, "0");
	assert_list(phys, 2, MOVABLE, "512");
	return phys;
}

static void generation_a_steals_from_the_largest_block(void **state)
{
	struct seen seen;
	struct iommusim_phys *phys = given_two_holes(&seen, IOMMUSIM_FALLBACK_A);

	assert_int_equal(take(phys, 0, KERNEL), 0);
	assert_fallback(&seen, 0, 6, 0);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 0), IOMMUSIM_MOVABLE);
	assert_list(phys, 0, UNMOVABLE, "1");
	assert_list(phys, 1, UNMOVABLE, "2");
	assert_list(phys, 2, UNMOVABLE, "4");
	assert_list(phys, 3, UNMOVABLE, "8");
	assert_list(phys, 4, UNMOVABLE, "16");
	assert_list(phys, 5, UNMOVABLE, "32");
	assert_list(phys, 2, MOVABLE, "512");
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void generation_c_takes_the_smallest_block_where_it_may_not_claim(void **state)
{
	struct seen seen;
	struct iommusim_phys *phys = given_two_holes(&seen, IOMMUSIM_FALLBACK_C);

	assert_int_equal(take(phys, 0, KERNEL), 512);
	assert_fallback(&seen, 512, 2, 0);
	assert_list(phys, 0, MOVABLE, "513");
	assert_list(phys, 1, MOVABLE, "514");
	assert_list(phys, 6, MOVABLE, "0");
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* B5: half a pageblock is free, so both generations take the whole pageblock. */
static void a_pageblock_half_free_changes_hands(void **state)
{
	enum iommusim_fallback fallback = *(enum iommusim_fallback *)*state;
	struct seen seen;
	struct iommusim_phys *phys = given(&seen, fallback, 1024);

	take_everything_movable(phys);
	free_pages(phys, 0, 255);
	free_pages(phys, 512, 515);
	assert_int_equal(take(phys, 0, KERNEL), 0);
	assert_fallback(&seen, 0, 8, 1);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 0), IOMMUSIM_UNMOVABLE);
	for (unsigned order = 0; order < 8; order++) {
		char text[8];

		snprintf(text, sizeof(text), "%u", 1u << order);
		assert_list(phys, order, UNMOVABLE, text);
	}
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* B6: both pageblocks Unmovable; order 3 at 0 and order 1 at 512 are free. */
static void a_small_movable_request_takes_the_smallest_block(void **state)
{
	enum iommusim_fallback fallback = *(enum iommusim_fallback *)*state;
	struct seen seen;
	struct iommusim_phys *phys = given(&seen, fallback, 1024);

	while (iommusim_phys_nr_free(phys))
		take(phys, 0, KERNEL);
	free_pages(phys, 0, 7);
	free_pages(phys, 512, 513);
	assert_int_equal(take(phys, 0, MOVABLE), 512);
	if (fallback == IOMMUSIM_FALLBACK_A)
		assert_list(phys, 0, MOVABLE, "513");
	else
		assert_list(phys, 0, UNMOVABLE, "513");
	assert_list(phys, 3, UNMOVABLE, "0");
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* The indices of fixture B: free 4 x 2, 2 x 1, 0 x 64. */
static void indices_are_those_of_the_kernel(void **state)
{
	static const int unusable[] = { 0, 640, 640, 680, 680, 1000, 1000 };
	struct iommusim_zone_info info = { .nr_blocks = {
						   [0] = { 64 }, [2] = { 0, 1 }, [4] = { 2 } } };

	for (unsigned order = 0; order < ARRAY_LEN(unusable); order++)
		assert_int_equal(iommusim_zone_unusable(&info, order), unusable[order]);
	for (unsigned order = 0; order <= 4; order++)
		assert_int_equal(iommusim_zone_extfrag(&info, order), -1000);
	assert_int_equal(iommusim_zone_extfrag(&info, 5), 939);
	assert_int_equal(iommusim_zone_extfrag(&info, 6), 962);
	assert_int_equal(iommusim_zone_extfrag(&info, 10), 984);
	assert_int_equal(iommusim_zone_unusable(&info, 64), 1000); /* orders that nobody has */
	assert_in_range(iommusim_zone_extfrag(&info, 64), 984, 1000);

	memset(&info, 0, sizeof(info));
	assert_int_equal(iommusim_zone_unusable(&info, 0), 1000);
	assert_int_equal(iommusim_zone_extfrag(&info, 0), 0);
	info.nr_blocks[0][0] = 1;
	assert_int_equal(iommusim_zone_extfrag(&info, 1), -500);
}

int main(void)
{
	static enum iommusim_fallback a = IOMMUSIM_FALLBACK_A, c = IOMMUSIM_FALLBACK_C;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_memory_is_listed_upwards_in_the_largest_blocks),
		cmocka_unit_test_prestate(
			the_first_unmovable_page_takes_a_whole_block_of_the_highest_order, &a),
		cmocka_unit_test_prestate(
			the_first_unmovable_page_takes_a_whole_block_of_the_highest_order, &c),
		cmocka_unit_test(a_block_that_may_soon_merge_is_kept_cold),
		cmocka_unit_test(a_block_that_will_not_merge_goes_to_the_head),
		cmocka_unit_test(generation_a_steals_from_the_largest_block),
		cmocka_unit_test(generation_c_takes_the_smallest_block_where_it_may_not_claim),
		cmocka_unit_test_prestate(a_pageblock_half_free_changes_hands, &a),
		cmocka_unit_test_prestate(a_pageblock_half_free_changes_hands, &c),
		cmocka_unit_test_prestate(a_small_movable_request_takes_the_smallest_block, &a),
		cmocka_unit_test_prestate(a_small_movable_request_takes_the_smallest_block, &c),
		cmocka_unit_test(indices_are_those_of_the_kernel),
	};

	return RUN_TESTS(tests);
}
