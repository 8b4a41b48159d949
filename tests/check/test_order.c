/* SPDX-License-Identifier: MIT */
/* Policies for one largest order of the page allocator. */
#include "test.h"

/* Single pages, never with the full effort, where the largest order is 10. */
static int singles_of_10(const struct iommusim_policy *policy,
                         const struct iommusim_chunk_request *req,
                         const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = req->max_order == policy->only_order ? 0 : -IOMMUSIM_EBUG;

	for (uint64_t got = 0; !err && got < plan->count; got++)
		err = iommusim_chunk_get(run, 0, req->gfp | IOMMUSIM_GFP_BIT_NORETRY);
	return err;
}

/* With worlds that suit it all is as ever; they keep their order when they are made small. */
static void a_policy_for_one_largest_order_meets_no_other(void **state)
{
	const struct iommusim_policy *p5 = iommusim_policy_find("P5");
	struct iommusim_policy policy = { .size = sizeof(policy), .alloc = singles_of_10 };
	unsigned n = IOMMUSIM_INVARIANT_LAST_RESORT;
	struct iommusim_difference d;
	struct iommusim_verdict verdict;
	struct iommusim_world world, other;

	(void)state;
	policy.only_order = 10;
	assert_ok(iommusim_world_parse("bytes=65536 order=3 frames=40 free=0-31", &world, NULL));
	other = world;
	assert_err(iommusim_check_world(&policy, &world, NULL, &verdict), IOMMUSIM_EINVAL);
	assert_err(iommusim_check_difference(p5, &policy, &world, NULL, &d), IOMMUSIM_EINVAL);
	assert_err(iommusim_check_difference(&policy, p5, &world, NULL, &d), IOMMUSIM_EINVAL);
	assert_int_equal(iommusim_world_shrink(&policy, n, NULL, &world), -IOMMUSIM_EINVAL);
	iommusim_world_suit(&world, p5);
	assert_memory_equal(&world, &other, sizeof(world));
	iommusim_world_suit(&world, &policy);
	other.max_order = 10;
	assert_memory_equal(&world, &other, sizeof(world));
	world.fail = 2;
	assert_ok(iommusim_check_world(&policy, &world, NULL, &verdict));
	assert_true(verdict.broken >> n & 1);
	assert_true(iommusim_world_shrink(&policy, n, NULL, &world) > 0);
	assert_int_equal(world.max_order, 10);
	assert_true(other.bytes > world.bytes);
	assert_ok(iommusim_check_difference(p5, &policy, &other, NULL, &d));
	assert_true(d.attempt >= 0);
	assert_true(iommusim_world_shrink_difference(p5, &policy, NULL, &other) > 0);
	assert_int_equal(other.max_order, 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_for_one_largest_order_meets_no_other),
	};

	return RUN_TESTS(tests);
}
