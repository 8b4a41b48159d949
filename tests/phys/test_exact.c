/* SPDX-License-Identifier: MIT */
/* A state put together piece by piece is the state that is read back, and is followed by Linux's
 * next steps. */
#include "phys_test.h"

#define ALL (IOMMUSIM_PHYS_WATERMARKS | IOMMUSIM_PHYS_PCP)

static struct iommusim_phys *given_nothing_free(unsigned features)
{
	return given_zone((struct iommusim_phys_config){ .features = features, .nothing_free = 1 },
	                  1024, 8192);
}

static void lists_are_in_the_order_in_which_they_were_put(void **state)
{
	struct iommusim_phys *phys = given_nothing_free(0);
	struct iommusim_list_id list = { 0, 2, IOMMUSIM_MOVABLE };

	assert_ok(iommusim_phys_put_free(phys, list, 1048));
	assert_ok(iommusim_phys_put_free(phys, list, 1024));
	assert_ok(iommusim_phys_put_free(phys, list, 3000));
	list.order = 10;
	assert_ok(iommusim_phys_put_free(phys, list, 4096));
	assert_list(phys, 2, MOVABLE, "1048 1024 3000");
	assert_list(phys, 10, MOVABLE, "4096");
	assert_int_equal(iommusim_phys_nr_free(phys), 12 + 1024);
	assert_ok(iommusim_phys_check(phys));
	assert_int_equal(take(phys, 1, MOVABLE), 1048);
	iommusim_phys_destroy(phys);
}

static void only_frames_in_use_can_be_put(void **state)
{
	struct iommusim_phys *phys = given_nothing_free(ALL);
	struct iommusim_list_id list = { 0, 3, IOMMUSIM_MOVABLE };
	struct iommusim_pcp_id pcp = { 0, 0, 1 };

	assert_ok(iommusim_phys_put_free(phys, list, 1024));
	assert_err(iommusim_phys_put_free(phys, list, 1024), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_put_free(phys, list, 1036), IOMMUSIM_EINVAL); /* not aligned */
	assert_err(iommusim_phys_put_free(phys, list, 512), IOMMUSIM_EINVAL);  /* not there */
	assert_err(iommusim_phys_put_pcp(phys, pcp, IOMMUSIM_MOVABLE, 1030), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_put_used(phys, 1024, 4, IOMMUSIM_PAGE_KERNEL), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_put_used(phys, 1040, 0, IOMMUSIM_PAGE_BY_GFP), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_put_pcp(phys, pcp, IOMMUSIM_MOVABLE, 1040));
	assert_err(iommusim_phys_put_used(phys, 1040, 0, IOMMUSIM_PAGE_ANON), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_free(phys, 1040, 0), IOMMUSIM_EINVAL);
	list.type = IOMMUSIM_NR_MIGRATETYPES;
	assert_err(iommusim_phys_put_free(phys, list, 2048), IOMMUSIM_EINVAL);
	pcp.list = IOMMUSIM_PCP_LISTS;
	assert_err(iommusim_phys_put_pcp(phys, pcp, 0, 2048), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void frames_in_use_are_cut_and_joined(void **state)
{
	struct iommusim_phys *phys = given_nothing_free(0);

	assert_err(iommusim_phys_free(phys, 2048, 0), IOMMUSIM_EINVAL); /* the machine's own */
	assert_ok(iommusim_phys_put_used(phys, 2050, 0, IOMMUSIM_PAGE_ANON));
	assert_ok(iommusim_phys_check(phys));
	assert_int_equal(iommusim_phys_nr_movable(phys, 2048), 1);
	assert_ok(iommusim_phys_put_used(phys, 2048, 3, IOMMUSIM_PAGE_MOVABLE));
	assert_int_equal(iommusim_phys_nr_movable(phys, 2100), 8);
	assert_ok(iommusim_phys_put_used(phys, 2048, 10, IOMMUSIM_PAGE_ANON));
	assert_int_equal(iommusim_phys_nr_movable(phys, 2048 + 600), 512);
	assert_ok(iommusim_phys_check(phys));
	assert_ok(iommusim_phys_free(phys, 2048, 10));
	assert_int_equal(iommusim_phys_nr_free(phys), 1024);
	assert_err(iommusim_phys_nr_movable(phys, 5), IOMMUSIM_EINVAL);
	iommusim_phys_destroy(phys);
}

static void per_cpu_lists_are_what_was_put(void **state)
{
	struct iommusim_phys *phys = given_nothing_free(ALL);
	struct iommusim_pcp_id id = { 0, 0, 4 }; /* order 1, Movable */
	struct iommusim_pcp_state s;
	iommusim_pfn pfns[4];

	assert_ok(iommusim_phys_put_pcp(phys, id, IOMMUSIM_MOVABLE, 1100));
	assert_ok(iommusim_phys_put_pcp(phys, id, IOMMUSIM_MOVABLE, 1300));
	id.list = 13;
	assert_ok(iommusim_phys_put_pcp(phys, id, IOMMUSIM_MOVABLE, 2048));
	assert_ok(iommusim_phys_pcp(phys, id, &s));
	assert_int_equal(s.count, 4 + 512);
	assert_int_equal(iommusim_phys_pcp_list(phys, id, pfns, 4), 1);
	id.list = 4;
	assert_int_equal(iommusim_phys_pcp_list(phys, id, pfns, 1), 1);
	assert_int_equal(iommusim_phys_pcp_list(phys, id, pfns, 4), 2);
	assert_int_equal(pfns[0], 1100);
	assert_int_equal(pfns[1], 1300);
	assert_ok(iommusim_phys_check(phys));
	id.cpu = 1;
	assert_err(iommusim_phys_pcp_list(phys, id, pfns, 4), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_put_pcp(phys, id, 0, 1400), IOMMUSIM_EINVAL);
	iommusim_phys_destroy(phys);
}

static void numbers_are_what_was_set(void **state)
{
	struct iommusim_phys *phys = given_nothing_free(ALL);
	struct iommusim_pcp_id id = { 0, 0, 0 };
	struct iommusim_pcp_state s = { .pending = -3,
		                        .batch = 31,
		                        .high = 825,
		                        .high_min = 800,
		                        .high_max = 14129,
		                        .free_count = 17,
		                        .factor = 5,
		                        .flags = 2 };
	struct iommusim_pcp_state got;
	struct iommusim_zone_counters c = { .nr_reserved_highatomic = 512,
		                            .stat_threshold = 6,
		                            .flags = IOMMUSIM_ZONE_FLAG_BELOW_HIGH };
	struct iommusim_zone_counters was;

	assert_ok(iommusim_phys_set_pcp(phys, id, &s));
	assert_ok(iommusim_phys_pcp(phys, id, &got));
	assert_int_equal(got.pending, s.pending);
	assert_int_equal(got.count, 0);
	assert_int_equal(got.batch, s.batch);
	assert_int_equal(got.high, s.high);
	assert_int_equal(got.high_min, s.high_min);
	assert_int_equal(got.high_max, s.high_max);
	assert_int_equal(got.free_count, s.free_count);
	assert_int_equal(got.factor, s.factor);
	assert_int_equal(got.flags, s.flags);
	assert_ok(iommusim_phys_set_counters(phys, 0, &c));
	assert_ok(iommusim_phys_counters(phys, 0, &was));
	assert_int_equal(was.nr_reserved_highatomic, 512);
	assert_int_equal(was.stat_threshold, 6);
	assert_int_equal(was.flags, IOMMUSIM_ZONE_FLAG_BELOW_HIGH);
	assert_int_equal(was.nr_free_pages, 3); /* none is free, less -3 that it does not know of */
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void numbers_out_of_range_are_refused(void **state)
{
	struct iommusim_phys *phys = given_nothing_free(ALL);
	struct iommusim_pcp_id id = { 0, 0, 0 };
	struct iommusim_pcp_state s, bad;
	struct iommusim_zone_counters c, wrong;

	assert_ok(iommusim_phys_pcp(phys, id, &s));
	bad = s;
	bad.batch = 0;
	assert_err(iommusim_phys_set_pcp(phys, id, &bad), IOMMUSIM_EINVAL);
	bad = s;
	bad.factor = 6;
	assert_err(iommusim_phys_set_pcp(phys, id, &bad), IOMMUSIM_EINVAL);
	bad = s;
	bad.high = -1;
	assert_err(iommusim_phys_set_pcp(phys, id, &bad), IOMMUSIM_EINVAL);
	id.zone = 1;
	assert_err(iommusim_phys_set_pcp(phys, id, &s), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_pcp(phys, id, &s), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_counters(phys, 0, &c));
	wrong = c;
	wrong.flags = 8;
	assert_err(iommusim_phys_set_counters(phys, 0, &wrong), IOMMUSIM_EINVAL);
	wrong = c;
	wrong.stat_threshold = -1;
	assert_err(iommusim_phys_set_counters(phys, 0, &wrong), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_set_counters(phys, 1, &c), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_counters(phys, 1, &c), IOMMUSIM_EINVAL);
	iommusim_phys_destroy(phys);
}

static void a_machine_without_features_has_no_such_state(void **state)
{
	struct iommusim_phys *phys = given_nothing_free(0);
	struct iommusim_pcp_id id = { 0, 0, 0 };
	struct iommusim_pcp_state s;
	struct iommusim_zone_counters c;
	iommusim_pfn pfn;

	assert_err(iommusim_phys_pcp(phys, id, &s), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_counters(phys, 0, &c), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_put_pcp(phys, id, 0, 1024), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_pcp_list(phys, id, &pfn, 1), IOMMUSIM_EINVAL);
	assert_int_equal(iommusim_phys_drain(phys), 0);
	assert_int_equal(iommusim_phys_decay(phys, 0), 0);
	iommusim_phys_destroy(phys);
}

/* 6.1 frees a drained page by the type that it had when it was listed, 6.12 by its pageblock's. */
static void a_drain_goes_by_the_recorded_type_in_6_1(void **state)
{
	static const struct {
		unsigned kernel;
		const char *unmovable, *movable;
	} rows[] = { { IOMMUSIM_KERNEL(6, 1), "1024", "" },
		     { IOMMUSIM_KERNEL(6, 12), "", "1024" } };

	for (unsigned i = 0; i < 2; i++) {
		struct iommusim_phys *phys = given_zone(
			(struct iommusim_phys_config){
				.kernel = rows[i].kernel, .features = ALL, .nothing_free = 1 },
			1024, 8192);
		struct iommusim_pcp_id id = { 0, 0, 0 };

		assert_ok(iommusim_phys_set_pageblock_type(phys, 1024, IOMMUSIM_MOVABLE));
		assert_ok(iommusim_phys_put_pcp(phys, id, IOMMUSIM_UNMOVABLE, 1024));
		assert_int_equal(iommusim_phys_drain(phys), 1);
		assert_list(phys, 0, UNMOVABLE, rows[i].unmovable);
		assert_list(phys, 0, MOVABLE, rows[i].movable);
		iommusim_phys_destroy(phys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_in_the_order_in_which_they_were_put),
		cmocka_unit_test(only_frames_in_use_can_be_put),
		cmocka_unit_test(frames_in_use_are_cut_and_joined),
		cmocka_unit_test(per_cpu_lists_are_what_was_put),
		cmocka_unit_test(numbers_are_what_was_set),
		cmocka_unit_test(numbers_out_of_range_are_refused),
		cmocka_unit_test(a_machine_without_features_has_no_such_state),
		cmocka_unit_test(a_drain_goes_by_the_recorded_type_in_6_1),
	};

	return RUN_TESTS(tests);
}
