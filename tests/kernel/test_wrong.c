/* SPDX-License-Identifier: MIT */
/*
 * Code in the kernel's idiom that misuses pages and memory: each mistake is found, with the attempt
 * after which it happened, no page is lost in the simulation, and the program goes on.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "wrong.h"

extern const struct iommusim_policy_export wrong_policy;

#define IOMMUSIM_FINDING_0 0u

static const struct row {
	const char *name, *text;
	int kind;
	uint32_t finding;
} rows[] = {
#define LIST(name, finding, text) { #name, text, WRONG_##name, IOMMUSIM_FINDING_##finding },
	WRONGS(LIST)
};

/* Worlds that end well, in several ways, and one in which memory runs out. */
static const char *const worlds[] = {
	"order=3 bytes=32768 frames=16 free=0-15",
	"order=3 bytes=32768 frames=16 free=0-3,5-7,9-12",
	"order=3 bytes=32768 frames=16 free=0-3,5,7,9",
	"order=3 bytes=24576 frames=16 free=0-15",
};

/* What was found in the first of the worlds in which anything was. */
static struct iommusim_verdict judge(const struct iommusim_policy *policy)
{
	struct iommusim_verdict verdict = { .broken = 0 };

	for (size_t i = 0; i < ARRAY_LEN(worlds) && !verdict.findings; i++) {
		struct iommusim_world world;

		assert_ok(iommusim_world_parse(worlds[i], &world, NULL));
		assert_ok(iommusim_check_world(policy, &world, NULL, &verdict));
		/* Whatever it does, the simulation keeps its pages. */
		assert_int_equal(verdict.broken & (1u << IOMMUSIM_INVARIANT_KEEPS_PAGES |
		                                   1u << IOMMUSIM_INVARIANT_GIVES_UP_CLEANLY |
		                                   1u << IOMMUSIM_INVARIANT_DETERMINISTIC),
		                 0);
	}
	return verdict;
}

static void is_found_with_its_attempt(void **state)
{
	const struct row *r = *state;
	const unsigned no_finding = IOMMUSIM_INVARIANT_NO_FINDING;
	struct iommusim_verdict verdict;

	wrong_kind = r->kind;
	verdict = judge(wrong_policy.policy);
	wrong_kind = WRONG_NOTHING;
	assert_int_equal(verdict.findings & r->finding, r->finding);
	assert_int_equal(!verdict.findings, !r->finding);
	if (!r->finding)
		return;
	if (!strstr(verdict.text[no_finding], r->text))
		assert_string_equal(verdict.text[no_finding], r->text);
	assert_true(strstr(verdict.text[no_finding], "attempt") != NULL);
}

/* After all that the same code, without a mistake, does as before. */
static void nothing_is_left_of_it(void **state)
{
	(void)state;
	wrong_kind = WRONG_NOTHING;
	assert_int_equal(judge(wrong_policy.policy).findings, 0);
}

/* The host may fail at any of its allocations in the library: nothing is lost, nothing is found. */
static void the_host_may_fail(void **state)
{
	struct iommusim_world world;
	struct iommusim_verdict verdict;
	int err = -IOMMUSIM_EHOST;

	(void)state;
	assert_ok(iommusim_world_parse(worlds[1], &world, NULL));
	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);

		err = iommusim_check_world(wrong_policy.policy, &world, &host, &verdict);
		assert_int_equal(fault.nr_live, 0);
		if (err)
			assert_err(err, IOMMUSIM_EHOST);
	}
	assert_int_equal(verdict.findings, 0);
}

int main(void)
{
	struct CMUnitTest tests[2 + ARRAY_LEN(rows)];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_found_with_its_attempt, &rows[i]);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(nothing_is_left_of_it);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(the_host_may_fail);
	return RUN_TESTS(tests);
}
