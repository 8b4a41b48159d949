/* SPDX-License-Identifier: MIT */
/*
 * Functions in the kernel's idiom make the same attempts as the built-in policies, in 1,000
 * generated worlds each, or as many as asked for.
 *
 * usage: test_kernel_idiom [FIRST STEP NR]: every STEP-th world from number FIRST on, below NR
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "idioms.h"

#define DECLARE(name, policy) extern const struct iommusim_policy_export idiom_##name;
IDIOMS(DECLARE)

static const struct row {
	const char *name, *policy;
	const struct iommusim_policy_export *exported;
} rows[] = {
#define LIST(name, policy) { #name " equals " policy, policy, &idiom_##name },
	IDIOMS(LIST)
};

static uint64_t first, step, nr_worlds = 1000;

static void makes_the_same_attempts(void **state)
{
	const struct row *r = *state;
	const struct iommusim_policy *wanted = iommusim_policy_find(r->policy);

	for (uint64_t i = first; i < nr_worlds; i += step) {
		struct iommusim_difference difference;
		struct iommusim_world world;
		static char text[65536];

		iommusim_world_generate(5, i, &world);
		iommusim_world_suit(&world, r->exported->policy);
		assert_ok(iommusim_check_difference(r->exported->policy, wanted, &world, NULL,
		                                    &difference));
		if (difference.attempt < 0)
			continue;
		iommusim_world_format(&world, text, sizeof(text));
		fail_msg("world %s: attempt %lld: %s, not %s", text, (long long)difference.attempt,
		         difference.text[0], difference.text[1]);
	}
}

/* No finding, and the chunks are placed as the built-in policy places them. */
static void is_judged_as_the_built_in_policy(void **state)
{
	const struct row *r = *state;
	const struct iommusim_policy *wanted = iommusim_policy_find(r->policy);

	for (uint64_t i = first; i < nr_worlds / (nr_worlds > 1000 ? 20 : 5); i += step) {
		struct iommusim_verdict a, b;
		struct iommusim_world world;

		iommusim_world_generate(6, i, &world);
		iommusim_world_suit(&world, r->exported->policy);
		assert_ok(iommusim_check_world(r->exported->policy, &world, NULL, &a));
		assert_ok(iommusim_check_world(wanted, &world, NULL, &b));
		assert_int_equal(!a.findings, !b.findings);
		if (b.findings)
			continue; /* one is ended there, the other when it returns */
		assert_int_equal(a.broken, b.broken);
		assert_int_equal(a.result, b.result);
	}
}

static void says_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(rows[i].exported->abi, IOMMUSIM_POLICY_ABI);
		assert_int_equal(rows[i].exported->policy_bytes, sizeof(struct iommusim_policy));
		assert_non_null(rows[i].exported->kin);
		assert_true(rows[i].exported->kernel >= IOMMUSIM_KERNEL(3, 5));
	}
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[1 + 2 * ARRAY_LEN(rows)] = { cmocka_unit_test(says_what_it_is) };
	size_t nr = 1;

	step = 1;
	if (argc == 4) {
		first = strtoul(argv[1], NULL, 10);
		step = strtoul(argv[2], NULL, 10);
		nr_worlds = strtoul(argv[3], NULL, 10);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(makes_the_same_attempts, &rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(is_judged_as_the_built_in_policy, &rows[i]);
	return RUN_TESTS(tests);
}
