/* SPDX-License-Identifier: MIT */
/*
 * The caches of freed ranges, by examples that can be followed on paper: magazines, depots and what
 * trims them, CPUs, and what older releases lack.
 */
#include <string.h>

#include "test.h"

#define LAST32 UINT64_C(0xfffff)
#define LAST48 UINT64_C(0xfffffffff)
#define MAG    127
#define K61    IOMMUSIM_KERNEL(6, 1)
#define K612   IOMMUSIM_KERNEL(6, 12)

static struct iommusim_iova *given_space(unsigned kernel, unsigned nr_cpus)
{
	struct iommusim_iova_config config = { .size = sizeof(config),
		                               .kernel = kernel,
		                               .nr_cpus = nr_cpus };
	struct iommusim_iova *space = NULL;

	assert_ok(iommusim_iova_create(&config, &space));
	return space;
}

static uint64_t take(struct iommusim_iova *space, uint64_t size, uint64_t limit, unsigned cpu)
{
	struct iommusim_iova_request request = { .size = size, .limit = limit, .cpu = cpu };
	uint64_t lo = 0;

	assert_ok(iommusim_iova_alloc_fast(space, &request, &lo));
	return lo;
}

static struct iommusim_iova_stats stats_of(struct iommusim_iova *space)
{
	struct iommusim_iova_stats stats;

	assert_ok(iommusim_iova_stats(space, LAST48, &stats));
	return stats;
}

/* Take @nr single frames from the top down, and free them in that order. */
static void take_and_free(struct iommusim_iova *space, unsigned nr, unsigned cpu)
{
	uint64_t top = 0, lo = 0;

	for (unsigned i = 0; i < nr; i++) {
		assert_ok(iommusim_iova_alloc(space, 1, LAST32, 1, &lo));
		if (!i)
			top = lo;
	}
	for (unsigned i = 0; i < nr; i++)
		assert_ok(iommusim_iova_free_fast(space, top - i, 1, cpu));
}

/* ---- On paper ---- */

static void what_was_freed_last_comes_first(void **state)
{
	struct iommusim_iova *space = given_space(0, 1);

	take_and_free(space, 2, 0);
	assert_int_equal(iommusim_iova_nr_ranges(space), 2);
	assert_int_equal(stats_of(space).nr_cached, 2);
	assert_int_equal(take(space, 1, LAST32, 0), 0xffffe);
	assert_int_equal(take(space, 1, LAST32, 0), 0xfffff);
	assert_int_equal(take(space, 1, LAST32, 0), 0xffffd); /* that is new */
	iommusim_iova_destroy(space);
}

static void a_frame_above_the_limit_is_passed_over(void **state)
{
	struct iommusim_iova *space = given_space(0, 1);

	assert_int_equal(take(space, 1, LAST48, 0), LAST48);
	assert_int_equal(take(space, 1, LAST32, 0), LAST32);
	assert_ok(iommusim_iova_free_fast(space, LAST32, 1, 0));
	assert_ok(iommusim_iova_free_fast(space, LAST48, 1, 0));
	assert_int_equal(take(space, 1, LAST32, 0), LAST32);
	assert_int_equal(take(space, 1, LAST32, 0), LAST32 - 1); /* not LAST48 */
	assert_int_equal(take(space, 1, LAST48, 0), LAST48);
	iommusim_iova_destroy(space);
}

/* The loaded magazine is not empty but of no use: then the tree is asked, not the other one. */
static void the_other_magazine_is_not_searched(void **state)
{
	struct iommusim_iova *space = given_space(0, 1);

	take_and_free(space, MAG, 0);
	assert_int_equal(take(space, 2, LAST48, 0), LAST48 - 1);
	assert_ok(iommusim_iova_free_fast(space, LAST48 - 1, 1, 0)); /* as if for one frame */
	assert_int_equal(take(space, 1, LAST32, 0), LAST32 - MAG);
	iommusim_iova_destroy(space);
}

static void a_limit_below_the_size_wraps_and_any_frame_will_do(void **state)
{
	struct iommusim_iova *space = given_space(0, 1);

	assert_int_equal(take(space, 4, LAST48, 0), LAST48 - 3);
	assert_ok(iommusim_iova_free_fast(space, LAST48 - 3, 4, 0));
	assert_int_equal(take(space, 4, 2, 0), LAST48 - 3);
	iommusim_iova_destroy(space);
}

static void the_255th_frame_pushes_a_magazine_to_the_depot(void **state)
{
	struct iommusim_iova *space = given_space(0, 1);

	take_and_free(space, 254, 0);
	assert_int_equal(stats_of(space).nr_depot, 0);
	assert_int_equal(iommusim_iova_pending(space), 0);
	assert_int_equal(take(space, 1, LAST32, 0), LAST32 - 253);
	assert_ok(iommusim_iova_free_fast(space, LAST32 - 253, 1, 0));
	take_and_free(space, 1, 0);
	assert_int_equal(stats_of(space).nr_depot, 1);
	assert_int_equal(stats_of(space).nr_cached, 255);
	assert_int_equal(iommusim_iova_pending(space), 1);
	iommusim_iova_destroy(space);
}

static void cpus_share_the_depot_only(void **state)
{
	struct iommusim_iova *space = given_space(0, 2);

	take_and_free(space, 254, 0);
	assert_int_equal(take(space, 1, LAST32, 1), LAST32 - 254); /* CPU 1 has nothing */
	take_and_free(space, 1, 0);
	/* The depot got what CPU 0 had loaded: the frames freed second. */
	assert_int_equal(take(space, 1, LAST32, 1), LAST32 - 253);
	assert_int_equal(stats_of(space).nr_depot, 0);
	iommusim_iova_destroy(space);
}

static void a_depot_above_the_number_of_cpus_is_trimmed_one_by_one(void **state)
{
	struct iommusim_iova *space = given_space(K612, 2);

	take_and_free(space, 127 * 6, 0);
	assert_int_equal(stats_of(space).nr_depot, 4);
	assert_int_equal(iommusim_iova_trim(space, 1u << 1), 0); /* another order */
	assert_int_equal(iommusim_iova_trim(space, 1), 1);
	assert_int_equal(stats_of(space).nr_depot, 3);
	assert_int_equal(iommusim_iova_nr_ranges(space), 127 * 5);
	assert_int_equal(iommusim_iova_trim(space, 1), 1);
	assert_int_equal(iommusim_iova_trim(space, 1), 1); /* finds nothing to do, and is over */
	assert_int_equal(stats_of(space).nr_depot, 2);
	assert_int_equal(iommusim_iova_trim(space, 1), 0);
	iommusim_iova_destroy(space);
}

static void an_old_depot_has_32_magazines_and_is_never_trimmed(void **state)
{
	struct iommusim_iova *space = given_space(K61, 1);

	take_and_free(space, 127 * 34, 0);
	assert_int_equal(stats_of(space).nr_depot, 32);
	assert_int_equal(iommusim_iova_nr_ranges(space), 127 * 34);
	take_and_free(space, 1, 0); /* one more goes to the tree, and with it 126 others */
	assert_int_equal(stats_of(space).nr_depot, 32);
	assert_int_equal(iommusim_iova_nr_ranges(space), 127 * 33 + 1);
	assert_int_equal(iommusim_iova_pending(space), 0);
	iommusim_iova_destroy(space);
}

static void no_room_empties_the_caches_if_asked(void **state)
{
	struct iommusim_iova *space = given_space(0, 2);
	struct iommusim_iova_request request = { .size = 64, .limit = 127, .cpu = 1 };
	uint64_t lo = 0;

	for (unsigned i = 0; i < 127; i++)
		assert_int_equal(take(space, 1, 127, 0), 127 - i);
	for (unsigned i = 0; i < 127; i++)
		assert_ok(iommusim_iova_free_fast(space, 127 - i, 1, 0));
	assert_err(iommusim_iova_alloc_fast(space, &request, &lo), IOMMUSIM_ENOMEM);
	assert_int_equal(iommusim_iova_max32(space), 64);
	request.flush = 1; /* although 64 frames are refused at once now */
	assert_ok(iommusim_iova_alloc_fast(space, &request, &lo));
	assert_int_equal(lo, 64);
	assert_int_equal(stats_of(space).nr_cached, 0);
	iommusim_iova_destroy(space);
}

static void a_cpu_that_goes_offline_gives_its_frames_back(void **state)
{
	struct iommusim_iova *space = given_space(0, 2);
	struct iommusim_iova_request request = { .size = 1, .limit = LAST32, .cpu = 1 };
	uint64_t lo = 5;

	take_and_free(space, 10, 1);
	assert_err(iommusim_iova_set_online(space, 2, 0), IOMMUSIM_EINVAL);
	assert_ok(iommusim_iova_set_online(space, 1, 0));
	assert_ok(iommusim_iova_set_online(space, 1, 0));
	assert_int_equal(iommusim_iova_nr_ranges(space), 0);
	assert_err(iommusim_iova_set_online(space, 0, 0), IOMMUSIM_EINVAL);
	assert_string_equal(iommusim_iova_error(space), "CPU 0 is the last one");
	assert_err(iommusim_iova_alloc_fast(space, &request, &lo), IOMMUSIM_EINVAL);
	assert_err(iommusim_iova_free_fast(space, 1, 1, 1), IOMMUSIM_EINVAL);
	assert_err(iommusim_iova_free_fast(space, 1, 1, 2), IOMMUSIM_EINVAL);
	assert_int_equal(lo, 5);
	assert_ok(iommusim_iova_set_online(space, 1, 1));
	assert_int_equal(take(space, 1, LAST32, 1), LAST32);
	iommusim_iova_destroy(space);
}

static void keep_event(void *ctx, const struct iommusim_event *event)
{
	*(struct iommusim_event *)ctx = *event;
}

/* What is told is the caller's: that the range waits in a cache, or comes from one, is not. */
static void cached_ranges_are_told_as_others(void **state)
{
	struct iommusim_event event = { .result = 0 };
	struct iommusim_host host = { .size = sizeof(host),
		                      .event = keep_event,
		                      .event_ctx = &event };
	struct iommusim_iova_config config = { .size = sizeof(config),
		                               .nr_cpus = 1,
		                               .host = &host };
	struct iommusim_iova_request too_much = { .size = 33, .limit = 5 };
	struct iommusim_iova *space = NULL;
	uint64_t lo = 0;

	assert_ok(iommusim_iova_create(&config, &space));
	assert_int_equal(take(space, 3, LAST32, 0), LAST32 - 3);
	assert_ok(iommusim_iova_free_fast(space, LAST32 - 3, 3, 0));
	assert_int_equal(event.kind, IOMMUSIM_EVENT_IOVA_FREE);
	assert_int_equal(event.iova, (LAST32 - 3) << 12);
	assert_int_equal(event.size, SZ_16K);
	assert_int_equal(take(space, 4, LAST32, 0), LAST32 - 3);
	assert_int_equal(event.kind, IOMMUSIM_EVENT_IOVA_ALLOC);
	assert_int_equal(event.iova, (LAST32 - 3) << 12);
	assert_int_equal(event.size, SZ_16K);
	assert_err(iommusim_iova_alloc_fast(space, &too_much, &lo), IOMMUSIM_ENOMEM);
	assert_int_equal(event.result, -IOMMUSIM_ENOMEM);
	assert_int_equal(event.iova, 0);
	assert_int_equal(event.size, 33 << 12);
	iommusim_iova_destroy(space);
}

static void without_caches_everything_goes_to_the_tree(void **state)
{
	struct iommusim_iova *space = given_space(0, 0);

	assert_int_equal(take(space, 3, LAST32, 77), LAST32 - 3);
	assert_int_equal(iommusim_iova_nr_ranges(space), 1);
	assert_ok(iommusim_iova_free_fast(space, LAST32 - 3, 3, 78));
	assert_int_equal(iommusim_iova_nr_ranges(space), 0);
	assert_ok(iommusim_iova_free_fast(space, LAST32 - 3, 3, 78)); /* nothing there */
	iommusim_iova_flush(space);
	assert_int_equal(iommusim_iova_trim(space, 63), 0);
	assert_err(iommusim_iova_set_online(space, 0, 1), IOMMUSIM_EINVAL);
	iommusim_iova_destroy(space);
}

static void old_kernels_neither_round_nor_cache(void **state)
{
	struct iommusim_iova *space = given_space(IOMMUSIM_KERNEL(4, 11), 1);
	struct iommusim_iova_range range = { 0, 0 };

	assert_int_equal(take(space, 3, LAST32, 0), LAST32 - 3);
	assert_int_equal(iommusim_iova_find(space, LAST32 - 3, &range), 1);
	assert_int_equal(range.hi, LAST32 - 1);
	assert_ok(iommusim_iova_free_fast(space, LAST32 - 3, 3, 0));
	assert_int_equal(iommusim_iova_nr_ranges(space), 0);
	iommusim_iova_destroy(space);
}

static const struct release {
	const char *name;
	unsigned kernel;
	int above, again; /* the result of a request above the hint, and of a size that failed */
} releases[] = {
	{ "4.19 refuses no size and stays below the hint", IOMMUSIM_KERNEL(4, 19), -12, 0 },
	{ "4.20 refuses a size that failed", IOMMUSIM_KERNEL(4, 20), -12, -12 },
	{ "5.10 stays below the hint", IOMMUSIM_KERNEL(5, 10), -12, -12 },
	{ "5.11 searches above it too", IOMMUSIM_KERNEL(5, 11), 0, -12 },
};

static void releases_search_as_they_did(void **state)
{
	const struct release *r = *state;
	struct iommusim_iova *space = given_space(r->kernel, 0);
	uint64_t lo = 0;

	assert_err(iommusim_iova_alloc(space, 9, 7, 0, &lo), IOMMUSIM_ENOMEM);
	assert_err(iommusim_iova_alloc(space, 9, LAST32, 0, &lo), r->again);
	iommusim_iova_free(space, lo);
	assert_ok(iommusim_iova_alloc(space, 7, 7, 0, &lo));
	assert_err(iommusim_iova_alloc(space, 1, 8, 0, &lo), r->above);
	iommusim_iova_destroy(space);
}

static void stats_count_holes_and_caches(void **state)
{
	struct iommusim_iova *space = given_space(0, 1);
	struct iommusim_iova_stats stats;
	uint64_t lo = 0;

	assert_err(iommusim_iova_stats(space, 0, &stats), IOMMUSIM_EINVAL);
	assert_err(iommusim_iova_stats(space, UINT64_MAX, &stats), IOMMUSIM_EINVAL);
	assert_ok(iommusim_iova_alloc(space, 4, 15, 0, &lo));  /* 12 .. 15 */
	assert_ok(iommusim_iova_alloc(space, 2, 7, 0, &lo));   /* 6 .. 7 */
	assert_ok(iommusim_iova_alloc(space, 9, 108, 0, &lo)); /* 100 .. 108, above the limit */
	assert_ok(iommusim_iova_free_fast(space, 6, 2, 0));
	assert_ok(iommusim_iova_stats(space, 101, &stats));
	assert_int_equal(stats.nr_ranges, 3);
	assert_int_equal(stats.nr_taken, 4 + 2 + 2);
	assert_int_equal(stats.nr_free, 5 + 4 + 84);
	assert_int_equal(stats.nr_holes, 3);
	assert_int_equal(stats.largest_hole, 84);
	assert_int_equal(stats.largest_fit, 36); /* at 64 */
	assert_int_equal(stats.nr_cached, 1);
	assert_int_equal(stats.cached_frames, 2);
	assert_int_equal(stats.fragmentation, 9 * 1000 / 93);
	assert_ok(iommusim_iova_stats(space, UINT64_MAX - 1, &stats));
	assert_int_equal(stats.nr_taken, 15);
	assert_int_equal(stats.fragmentation, 0);
	assert_ok(iommusim_iova_alloc(space, 84, 99, 0, &lo));
	assert_ok(iommusim_iova_stats(space, 101, &stats));
	assert_int_equal(stats.nr_free, 9);
	assert_int_equal(stats.fragmentation, 4 * 1000 / 9);
	iommusim_iova_destroy(space);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_freed_last_comes_first),
		cmocka_unit_test(a_frame_above_the_limit_is_passed_over),
		cmocka_unit_test(the_other_magazine_is_not_searched),
		cmocka_unit_test(a_limit_below_the_size_wraps_and_any_frame_will_do),
		cmocka_unit_test(the_255th_frame_pushes_a_magazine_to_the_depot),
		cmocka_unit_test(cpus_share_the_depot_only),
		cmocka_unit_test(a_depot_above_the_number_of_cpus_is_trimmed_one_by_one),
		cmocka_unit_test(an_old_depot_has_32_magazines_and_is_never_trimmed),
		cmocka_unit_test(no_room_empties_the_caches_if_asked),
		cmocka_unit_test(a_cpu_that_goes_offline_gives_its_frames_back),
		cmocka_unit_test(cached_ranges_are_told_as_others),
		cmocka_unit_test(without_caches_everything_goes_to_the_tree),
		cmocka_unit_test(old_kernels_neither_round_nor_cache),
		cmocka_unit_test(stats_count_holes_and_caches),
	};
	struct CMUnitTest all[ARRAY_LEN(tests) + ARRAY_LEN(releases)];

	memcpy(all, tests, sizeof(tests));
	for (size_t i = 0; i < ARRAY_LEN(releases); i++)
		all[ARRAY_LEN(tests) + i] =
			(struct CMUnitTest)TEST_ROW(releases_search_as_they_did, &releases[i]);
	return RUN_TESTS(all);
}
