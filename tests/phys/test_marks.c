/* SPDX-License-Identifier: MIT */
/* Watermarks by the size of the machine, the reserve for lower zones, and what a mark lets pass. */
#include "phys_test.h"

#define WATERMARKS                                   \
	(struct iommusim_phys_config)                \
	{                                            \
		.features = IOMMUSIM_PHYS_WATERMARKS \
	}

static struct iommusim_zone_numbers numbers_of(const struct iommusim_phys *phys, unsigned zone)
{
	struct iommusim_zone_numbers numbers;

	assert_ok(iommusim_phys_numbers(phys, zone, &numbers));
	return numbers;
}

static void one_gibibyte_has_the_marks_of_linux(void **state)
{
	struct iommusim_phys *phys = given_zone(WATERMARKS, 1 << 18, 1 << 18);
	struct iommusim_zone_numbers n = numbers_of(phys, 0);

	assert_int_equal(n.managed, 262144);
	assert_int_equal(n.min, 1024);
	assert_int_equal(n.low, 1286);
	assert_int_equal(n.high, 1548);
	assert_int_equal(n.promo, 1810);
	assert_int_equal(n.boost, 0);
	iommusim_phys_destroy(phys);
}

static void without_features_there_are_no_marks(void **state)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .features = 0 }, 1 << 18, 1 << 18);

	assert_int_equal(numbers_of(phys, 0).min, 0);
	assert_int_equal(numbers_of(phys, 0).promo, 0);
	iommusim_phys_destroy(phys);
}

static const struct iommusim_zone_config three_zones[] = {
	{ .zone = IOMMUSIM_ZONE_DMA, .start_pfn = 0, .nr_frames = 4096 },
	{ .zone = IOMMUSIM_ZONE_DMA32, .start_pfn = 4096, .nr_frames = 1044480 },
	{ .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 1048576, .nr_frames = 3145728 },
};

static struct iommusim_phys *given_three_zones(struct iommusim_phys_config config)
{
	struct iommusim_phys *phys = NULL;

	config.size = sizeof(config);
	config.zones = three_zones;
	config.nr_zones = ARRAY_LEN(three_zones);
	assert_ok(iommusim_phys_create(&config, &phys));
	return phys;
}

static void three_zones_with_huge_pages_keep_67584_kilobytes(void **state)
{
	struct iommusim_phys *phys = given_three_zones(
		(struct iommusim_phys_config){ .features = IOMMUSIM_PHYS_WATERMARKS, .thp = 1 });
	uint64_t sum = 0;

	for (unsigned zone = 0; zone < 3; zone++)
		sum += numbers_of(phys, zone).min;
	assert_in_range(sum, 67584 / 4 - 2, 67584 / 4); /* each zone's share is rounded down */
	iommusim_phys_destroy(phys);
}

static void min_free_kbytes_can_be_set(void **state)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .features = IOMMUSIM_PHYS_WATERMARKS,
	                                                  .min_free_kbytes = 8192 },
	                   1 << 18, 1 << 18);

	assert_int_equal(numbers_of(phys, 0).min, 2048);
	assert_int_equal(numbers_of(phys, 0).low, 2048 + 512); /* a quarter of min is more now */
	iommusim_phys_destroy(phys);
}

/* A zone keeps a share of all that lies above it from requests that could go there. */
static void lower_zones_are_kept_from_requests_for_higher_ones(void **state)
{
	struct iommusim_phys *phys = given_three_zones(WATERMARKS);
	struct iommusim_zone_numbers dma = numbers_of(phys, 0), dma32 = numbers_of(phys, 1),
				     normal = numbers_of(phys, 2);

	assert_int_equal(dma.lowmem_reserve[IOMMUSIM_ZONE_DMA], 0);
	assert_int_equal(dma.lowmem_reserve[IOMMUSIM_ZONE_DMA32], 1044480 / 256);
	assert_int_equal(dma.lowmem_reserve[IOMMUSIM_ZONE_NORMAL], (1044480 + 3145728) / 256);
	assert_int_equal(dma32.lowmem_reserve[IOMMUSIM_ZONE_NORMAL], 3145728 / 256);
	assert_int_equal(dma32.lowmem_reserve[IOMMUSIM_ZONE_DEVICE], 3145728 / 256);
	assert_int_equal(normal.lowmem_reserve[IOMMUSIM_ZONE_MOVABLE], 0);
	iommusim_phys_destroy(phys);
}

/* Is a request with @gfp granted where @free pages are free, in one block of order 4 and single
 * ones? The marks are those of 1 GiB. */
static int granted(unsigned free, unsigned order, uint32_t gfp, uint64_t boost)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .kernel = IOMMUSIM_KERNEL(6, 1),
	                                                  .features = IOMMUSIM_PHYS_WATERMARKS,
	                                                  .nothing_free = 1 },
	                   1 << 18, 1 << 18);
	struct iommusim_zone_numbers n = numbers_of(phys, 0);
	struct iommusim_page_request req = { .order = order, .gfp = gfp, .node = -1 };
	struct iommusim_page_block block;
	struct iommusim_list_id list = { .order = 4, .type = IOMMUSIM_UNMOVABLE };
	int err;

	assert_ok(iommusim_phys_put_free(phys, list, 1 << 18));
	list.order = 0;
	for (unsigned i = 0; i + 16 < free; i++)
		assert_ok(iommusim_phys_put_free(phys, list, (1 << 18) + 32 + 2 * i));
	n.boost = boost;
	assert_ok(iommusim_phys_set_numbers(phys, 0, &n));
	err = iommusim_phys_alloc(phys, &req, &block);
	if (err)
		assert_err(err, IOMMUSIM_ENOMEM);
	iommusim_phys_destroy(phys);
	return !err;
}

#define HIGH     IOMMUSIM_GFP_BIT_HIGH
#define RECLAIM  IOMMUSIM_GFP_BIT_DIRECT_RECLAIM
#define NORETRY  IOMMUSIM_GFP_BIT_NORETRY
#define ATOMIC61 IOMMUSIM_GFP_ATOMIC_6_1

static void the_low_mark_yields_to_the_minimum(void **state)
{
	assert_true(granted(1300, 0, RECLAIM | NORETRY, 0));
	assert_true(granted(1300, 4, RECLAIM | NORETRY, 0)); /* 1285 is not above low, but min */
	assert_true(granted(1025, 0, RECLAIM | NORETRY, 0));
	assert_false(granted(1024, 0, RECLAIM | NORETRY, 0));
	assert_true(granted(1040, 4, RECLAIM | NORETRY, 0));
	assert_false(granted(1039, 4, RECLAIM | NORETRY, 0));
	assert_false(granted(1300, 5, RECLAIM | NORETRY, 0)); /* there is none so large */
}

/* 1024 less a half for HIGH, less a quarter of that for what cannot wait. */
static void some_requests_dig_deeper(void **state)
{
	assert_true(granted(513, 0, RECLAIM | NORETRY | HIGH, 0));
	assert_false(granted(512, 0, RECLAIM | NORETRY | HIGH, 0));
	assert_true(granted(385, 0, HIGH, 0));
	assert_false(granted(384, 0, HIGH, 0));
	assert_false(granted(1024, 0, 0, 0)); /* NON_BLOCK alone digs no deeper */
	assert_true(granted(17, 0, RECLAIM | IOMMUSIM_GFP_BIT_MEMALLOC, 0));
}

static void a_boost_raises_every_mark(void **state)
{
	assert_false(granted(1024 + 512, 0, RECLAIM | NORETRY, 512));
	assert_true(granted(1024 + 513, 0, RECLAIM | NORETRY, 512));
	assert_true(granted(385, 0, ATOMIC61, 512)); /* which single atomic pages ignore */
	assert_false(granted(385, 0, HIGH, 512));    /* in 6.1 by that bit only */
}

/*
 * Fallback below a pageblock raises the marks, by a pageblock each time, up to 1.5 times the high
 * mark: here each request finds a movable block of order 0 and breaks it off.
 */
static void types_that_mix_boost_the_marks(void **state)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .features = IOMMUSIM_PHYS_WATERMARKS,
	                                                  .nothing_free = 1 },
	                   1 << 18, 1 << 18);
	struct iommusim_list_id list = { .type = IOMMUSIM_MOVABLE };
	struct iommusim_zone_counters counters;
	uint32_t no_kswapd = RECLAIM | NORETRY | HIGH;

	for (unsigned i = 0; i < 4000; i++)
		assert_ok(iommusim_phys_put_free(phys, list, (1 << 18) + 2 * i));
	assert_ok(iommusim_phys_set_pageblock_type(phys, 1 << 18, IOMMUSIM_MOVABLE));
	for (unsigned i = 0; i < 4000 / 256; i++) /* half of each pageblock is movable */
		for (unsigned at = 0; at < 256; at++)
			assert_ok(iommusim_phys_put_used(phys, (1 << 18) + 512 * i + 2 * at + 1, 0,
			                                 IOMMUSIM_PAGE_MOVABLE));
	take(phys, 0, no_kswapd);
	assert_int_equal(numbers_of(phys, 0).boost, 512);
	assert_ok(iommusim_phys_counters(phys, 0, &counters));
	assert_int_equal(counters.flags & IOMMUSIM_ZONE_FLAG_BOOSTED, 0);
	iommusim_phys_destroy(phys);
}

/* Generation A steals what it may not claim, block after block. */
static void the_boost_has_a_cap(void **state)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .kernel = IOMMUSIM_KERNEL(6, 1),
	                                                  .features = IOMMUSIM_PHYS_WATERMARKS,
	                                                  .nothing_free = 1 },
	                   1 << 18, 1 << 18);
	struct iommusim_list_id list = { .order = 2, .type = IOMMUSIM_MOVABLE };

	for (unsigned i = 0; i < 500; i++) { /* one block in each pageblock */
		iommusim_pfn pfn = (1 << 18) + 512 * i;

		assert_ok(iommusim_phys_put_free(phys, list, pfn));
		for (unsigned at = 4; at < 512; at++)
			assert_ok(iommusim_phys_put_used(phys, pfn + at, 0, IOMMUSIM_PAGE_MOVABLE));
	}
	for (unsigned i = 0; i < 5; i++) {
		struct iommusim_page_request req = { .order = 2, .node = -1 };
		struct iommusim_page_block block;

		req.gfp = IOMMUSIM_GFP_BIT_MEMALLOC | RECLAIM;
		assert_ok(iommusim_phys_alloc(phys, &req, &block));
	}
	assert_int_equal(numbers_of(phys, 0).boost, 2322);
	iommusim_phys_destroy(phys);
}

static void numbers_out_of_range_are_refused(void **state)
{
	struct iommusim_phys *phys = given_zone(WATERMARKS, 1 << 18, 1 << 18);
	struct iommusim_zone_numbers n = numbers_of(phys, 0), bad = n;

	bad.managed = 0;
	assert_err(iommusim_phys_set_numbers(phys, 0, &bad), IOMMUSIM_EINVAL);
	bad = n;
	bad.low = bad.min - 1;
	assert_err(iommusim_phys_set_numbers(phys, 0, &bad), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_set_numbers(phys, 1, &n), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_set_numbers(phys, 0, &n));
	iommusim_phys_destroy(phys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_gibibyte_has_the_marks_of_linux),
		cmocka_unit_test(without_features_there_are_no_marks),
		cmocka_unit_test(three_zones_with_huge_pages_keep_67584_kilobytes),
		cmocka_unit_test(min_free_kbytes_can_be_set),
		cmocka_unit_test(lower_zones_are_kept_from_requests_for_higher_ones),
		cmocka_unit_test(the_low_mark_yields_to_the_minimum),
		cmocka_unit_test(some_requests_dig_deeper),
		cmocka_unit_test(a_boost_raises_every_mark),
		cmocka_unit_test(types_that_mix_boost_the_marks),
		cmocka_unit_test(the_boost_has_a_cap),
		cmocka_unit_test(numbers_out_of_range_are_refused),
	};

	return RUN_TESTS(tests);
}
