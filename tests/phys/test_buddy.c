/* SPDX-License-Identifier: MIT */
/* Taking, splitting and freeing blocks; zones of any shape; what is refused. */
#include "phys_test.h"

/* Sixteen frames, orders 0 to 4, pageblocks of 4 frames. */
static struct iommusim_phys *given_sixteen_frames(void)
{
	return given_zone((struct iommusim_phys_config){ .nr_orders = 5, .pageblock_order = 2 }, 0,
	                  16);
}

static void freeing_the_second_buddy_restores_the_whole_block(void **state)
{
	struct iommusim_phys *phys = given_sixteen_frames();
	iommusim_pfn low = take(phys, 3, KERNEL), high = take(phys, 3, KERNEL);

	assert_int_equal(low, 0);
	assert_int_equal(high, 8);
	assert_ok(iommusim_phys_free(phys, low, 3));
	assert_int_equal(iommusim_phys_nr_free_blocks(phys, 3), 1);
	assert_ok(iommusim_phys_free(phys, high, 3));
	assert_int_equal(iommusim_phys_nr_free_blocks(phys, 4), 1);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void a_split_block_is_freed_page_by_page(void **state)
{
	struct iommusim_phys *phys = given_sixteen_frames();

	assert_int_equal(take(phys, 4, KERNEL), 0);
	assert_ok(iommusim_phys_split(phys, 0, 4));
	assert_ok(iommusim_phys_check(phys));
	for (iommusim_pfn pfn = 16; pfn-- > 0;) {
		assert_int_equal(iommusim_phys_nr_free_blocks(phys, 4), 0);
		assert_ok(iommusim_phys_free(phys, pfn, 0));
		assert_ok(iommusim_phys_check(phys));
	}
	assert_int_equal(iommusim_phys_nr_free_blocks(phys, 4), 1);
	iommusim_phys_destroy(phys);
}

static void memory_that_runs_out_is_a_result_and_not_logged(void **state)
{
	struct iommusim_phys *phys = given_sixteen_frames();
	struct iommusim_page_request req = { .order = 0, .gfp = KERNEL, .node = -1 };
	struct iommusim_page_block block;

	take(phys, 4, KERNEL);
	assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
	req.order = 5;
	assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
	assert_string_equal(iommusim_phys_error(phys), "");
	iommusim_phys_destroy(phys);
}

static void only_a_block_in_use_can_be_freed(void **state)
{
	struct iommusim_phys *phys = given_sixteen_frames();

	take(phys, 2, KERNEL); /* 0 .. 3 */
	assert_err(iommusim_phys_free(phys, 0, 1), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_free(phys, 1, 0), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_free(phys, 4, 2), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_free(phys, 16, 0), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_free(phys, 0, 5), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_free(phys, 0, 2));
	assert_err(iommusim_phys_free(phys, 0, 2), IOMMUSIM_EINVAL);
	assert_string_equal(iommusim_phys_error(phys),
	                    "pfn 0x0 does not start a block in use of order 2");
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void a_compound_block_cannot_be_split(void **state)
{
	struct iommusim_phys *phys = given_sixteen_frames();

	take(phys, 2, KERNEL | IOMMUSIM_GFP_BIT_COMP);
	assert_err(iommusim_phys_split(phys, 0, 2), IOMMUSIM_EINVAL);
	assert_string_equal(iommusim_phys_error(phys), "pfn 0x0 is a compound block");
	assert_ok(iommusim_phys_free(phys, 0, 2));
	iommusim_phys_destroy(phys);
}

static void requests_that_make_no_sense_are_refused(void **state)
{
	struct iommusim_phys *phys = given_sixteen_frames();
	struct iommusim_page_request req = { .gfp = MOVABLE | IOMMUSIM_GFP_BIT_RECLAIMABLE,
		                             .node = -1 };
	struct iommusim_page_block block;

	assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_EINVAL);
	req = (struct iommusim_page_request){ .gfp = KERNEL, .node = 64 };
	assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_EINVAL);
	iommusim_phys_destroy(phys);
}

static void zones_start_and_end_anywhere(void **state)
{
	for (uint64_t start = 0; start < 20; start++)
		for (uint64_t frames = 1; frames < 40; frames++) {
			struct iommusim_phys_config config = { .nr_orders = 4,
				                               .pageblock_order = 2 };
			struct iommusim_phys *phys = given_zone(config, start, frames);

			assert_int_equal(iommusim_phys_nr_free(phys), frames);
			assert_ok(iommusim_phys_check(phys));
			for (uint64_t i = 0; i < frames; i++)
				take(phys, 0, KERNEL);
			assert_int_equal(iommusim_phys_nr_free(phys), 0);
			free_pages(phys, start, start + frames - 1);
			assert_int_equal(iommusim_phys_nr_free(phys), frames);
			assert_ok(iommusim_phys_check(phys));
			iommusim_phys_destroy(phys);
		}
}

/* Not at 0, which stands for "not mapped" in every page table. */
static void without_zones_there_is_1_gib_at_4_gib(void **state)
{
	for (unsigned shift = 12; shift <= 16; shift += 2) {
		struct iommusim_phys_config config = { .size = sizeof(config),
			                               .page_shift = shift };
		struct iommusim_zone_info info;
		struct iommusim_phys *phys;

		assert_ok(iommusim_phys_create(&config, &phys));
		assert_int_equal(iommusim_phys_nr_zones(phys), 1);
		assert_ok(iommusim_phys_zone(phys, 0, &info));
		assert_int_equal(info.zone, IOMMUSIM_ZONE_NORMAL);
		assert_int_equal(info.start_pfn << shift, 4 * SZ_1G);
		assert_int_equal(info.nr_free << shift, SZ_1G);
		iommusim_phys_destroy(phys);
	}
}

static void two_zones_may_share_a_block_without_merging(void **state)
{
	struct iommusim_zone_config zones[] = {
		{ .zone = IOMMUSIM_ZONE_DMA32, .start_pfn = 0, .nr_frames = 5 },
		{ .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 5, .nr_frames = 11 },
	};
	struct iommusim_phys_config config = {
		.size = sizeof(config), .nr_orders = 5, .zones = zones, .nr_zones = 2
	};
	struct iommusim_phys *phys;

	assert_ok(iommusim_phys_create(&config, &phys));
	assert_int_equal(iommusim_phys_nr_free_blocks(phys, 4), 0);
	assert_int_equal(iommusim_phys_nr_free_blocks(phys, 0), 2); /* 4 and 5 */
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static struct iommusim_phys *given_three_zones(void)
{
	static const struct iommusim_zone_config zones[] = {
		{ .zone = IOMMUSIM_ZONE_DMA, .start_pfn = 0, .nr_frames = 16 },
		{ .zone = IOMMUSIM_ZONE_DMA32, .start_pfn = 16, .nr_frames = 16 },
		{ .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 32, .nr_frames = 16 },
	};
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .nr_orders = 5,
		                               .pageblock_order = 2,
		                               .zones = zones,
		                               .nr_zones = 3 };
	struct iommusim_phys *phys;

	assert_ok(iommusim_phys_create(&config, &phys));
	return phys;
}

static void a_request_walks_down_from_the_highest_zone_it_allows(void **state)
{
	struct iommusim_phys *phys = given_three_zones();

	assert_int_equal(take(phys, 4, KERNEL), 32);
	assert_int_equal(take(phys, 4, KERNEL), 16);
	assert_int_equal(take(phys, 4, KERNEL | IOMMUSIM_GFP_BIT_HIGHMEM), 0);
	iommusim_phys_destroy(phys);
	phys = given_three_zones();
	assert_int_equal(take(phys, 4, KERNEL | IOMMUSIM_GFP_BIT_DMA32), 16);
	assert_int_equal(take(phys, 4, KERNEL | IOMMUSIM_GFP_BIT_DMA), 0);
	iommusim_phys_destroy(phys);
}

/* Highmem on top of DMA32 is in no table of the kernel: the lowest zone alone. */
static void dma32_with_highmem_means_zone_dma_only(void **state)
{
	struct iommusim_phys *phys = given_three_zones();
	uint32_t gfp = KERNEL | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_HIGHMEM;
	struct iommusim_page_request req = { .order = 4, .gfp = gfp, .node = -1 };
	struct iommusim_page_block block;

	assert_int_equal(take(phys, 4, gfp), 0);
	assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
	iommusim_phys_destroy(phys);
}

static void a_zone_that_the_kernel_lacks_is_normal(void **state)
{
	struct iommusim_phys *phys = given_zone(
		(struct iommusim_phys_config){ .nr_orders = 5, .configured_zones = 4 }, 0, 32);

	assert_int_equal(take(phys, 4, KERNEL | IOMMUSIM_GFP_BIT_DMA), 0);
	assert_int_equal(take(phys, 4, KERNEL | IOMMUSIM_GFP_BIT_DMA32), 16);
	iommusim_phys_destroy(phys);
}

static void nodes_are_tried_from_the_preferred_one_upwards(void **state)
{
	static const struct iommusim_zone_config zones[] = {
		{ .node = 0, .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 0, .nr_frames = 16 },
		{ .node = 1, .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 16, .nr_frames = 16 },
		{ .node = 2, .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 32, .nr_frames = 16 },
	};
	struct iommusim_phys_config config = {
		.size = sizeof(config), .nr_orders = 5, .zones = zones, .nr_zones = 3
	};
	struct iommusim_page_request req = { .order = 4, .gfp = KERNEL, .node = 1 };
	struct iommusim_page_block block;
	struct iommusim_phys *phys;

	assert_ok(iommusim_phys_create(&config, &phys));
	for (unsigned i = 0; i < 3; i++) {
		static const iommusim_pfn want[] = { 16, 32, 0 };

		assert_ok(iommusim_phys_alloc(phys, &req, &block));
		assert_int_equal(block.pfn, want[i]);
	}
	assert_ok(iommusim_phys_free(phys, 0, 4));
	req.gfp |= IOMMUSIM_GFP_BIT_THISNODE;
	assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
	iommusim_phys_destroy(phys);
}

static void a_fork_shares_nothing(void **state)
{
	struct iommusim_phys *phys = given_sixteen_frames(), *copy;

	take(phys, 1, KERNEL);
	assert_ok(iommusim_phys_fork(phys, &copy));
	assert_int_equal(take(phys, 0, KERNEL), 2);
	assert_int_equal(take(copy, 0, KERNEL), 2);
	assert_ok(iommusim_phys_free(copy, 0, 1));
	iommusim_phys_destroy(phys);
	assert_int_equal(iommusim_phys_nr_free(copy), 15);
	assert_ok(iommusim_phys_check(copy));
	iommusim_phys_destroy(copy);
}

/* From 6.12 on each pageblock of a large block goes to its own type's list. */
static void a_large_block_is_freed_pageblock_by_pageblock(void **state)
{
	struct iommusim_phys *phys = given_sixteen_frames();

	take(phys, 4, KERNEL);
	assert_ok(iommusim_phys_set_pageblock_type(phys, 4, IOMMUSIM_CMA));
	assert_ok(iommusim_phys_free(phys, 0, 4));
	assert_list(phys, 2, UNMOVABLE, "0");
	assert_list(phys, 2, CMA, "4");
	assert_list(phys, 3, UNMOVABLE, "8");
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static const struct bad_row {
	const char *name;
	struct iommusim_phys_config config;
	int err;
} bad_rows[] = {
	{ "a kernel before 4.4 is refused", { .kernel = IOMMUSIM_KERNEL(3, 10) }, IOMMUSIM_EINVAL },
	{ "a page of 2 KiB is refused", { .page_shift = 11 }, IOMMUSIM_EINVAL },
	{ "fifteen orders are refused", { .nr_orders = 15 }, IOMMUSIM_EINVAL },
	{ "a pageblock above the highest order is refused",
	  { .nr_orders = 4, .pageblock_order = 4 },
	  IOMMUSIM_EINVAL },
	{ "an unknown fallback generation is refused",
	  { .fallback = (enum iommusim_fallback)3 },
	  IOMMUSIM_EINVAL },
};

static void bad_config_is_refused(void **state)
{
	const struct bad_row *r = *state;
	struct iommusim_phys_config config = r->config;
	struct iommusim_phys *phys = NULL;

	config.size = sizeof(config);
	assert_err(iommusim_phys_create(&config, &phys), r->err);
	assert_null(phys);
}

static void bad_zones_are_refused(void **state)
{
	static const struct iommusim_zone_config bad[][2] = {
		{ { .zone = IOMMUSIM_ZONE_NORMAL, .nr_frames = 16 },
		  { .zone = IOMMUSIM_ZONE_DMA, .start_pfn = 15, .nr_frames = 16 } },
		{ { .zone = IOMMUSIM_ZONE_NORMAL, .nr_frames = 16 },
		  { .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 16, .nr_frames = 16 } },
		{ { .zone = IOMMUSIM_ZONE_NORMAL, .nr_frames = 16 },
		  { .zone = IOMMUSIM_ZONE_DMA } },
		{ { .node = 64, .nr_frames = 16 }, { .nr_frames = 1, .start_pfn = 20 } },
		{ { .start_pfn = UINT64_MAX >> 12, .nr_frames = 16 },
		  { .zone = IOMMUSIM_ZONE_NORMAL, .nr_frames = 1 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct iommusim_phys_config config = { .size = sizeof(config),
			                               .zones = bad[i],
			                               .nr_zones = 2 };
		struct iommusim_phys *phys = NULL;

		assert_err(iommusim_phys_create(&config, &phys), IOMMUSIM_EINVAL);
		assert_null(phys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freeing_the_second_buddy_restores_the_whole_block),
		cmocka_unit_test(a_split_block_is_freed_page_by_page),
		cmocka_unit_test(memory_that_runs_out_is_a_result_and_not_logged),
		cmocka_unit_test(only_a_block_in_use_can_be_freed),
		cmocka_unit_test(a_compound_block_cannot_be_split),
		cmocka_unit_test(requests_that_make_no_sense_are_refused),
		cmocka_unit_test(zones_start_and_end_anywhere),
		cmocka_unit_test(without_zones_there_is_1_gib_at_4_gib),
		cmocka_unit_test(two_zones_may_share_a_block_without_merging),
		cmocka_unit_test(a_request_walks_down_from_the_highest_zone_it_allows),
		cmocka_unit_test(dma32_with_highmem_means_zone_dma_only),
		cmocka_unit_test(a_zone_that_the_kernel_lacks_is_normal),
		cmocka_unit_test(nodes_are_tried_from_the_preferred_one_upwards),
		cmocka_unit_test(a_fork_shares_nothing),
		cmocka_unit_test(a_large_block_is_freed_pageblock_by_pageblock),
		TEST_ROW(bad_config_is_refused, &bad_rows[0]),
		TEST_ROW(bad_config_is_refused, &bad_rows[1]),
		TEST_ROW(bad_config_is_refused, &bad_rows[2]),
		TEST_ROW(bad_config_is_refused, &bad_rows[3]),
		TEST_ROW(bad_config_is_refused, &bad_rows[4]),
		cmocka_unit_test(bad_zones_are_refused),
	};

	return RUN_TESTS(tests);
}
