/* SPDX-License-Identifier: MIT */
/* What is found in which built-in policy; worlds as text; every host failure. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#define BIT_OF(name) (1u << IOMMUSIM_INVARIANT_##name)

/* The invariants that @policy breaks in the first @nr worlds of seed 1. */
static uint32_t broken_in(const struct iommusim_policy *policy, uint64_t nr)
{
	uint32_t broken = 0;

	for (uint64_t i = 0; i < nr; i++) {
		struct iommusim_world world;
		struct iommusim_verdict verdict;

		iommusim_world_generate(1, i, &world);
		assert_ok(iommusim_check_world(policy, &world, NULL, &verdict));
		broken |= verdict.broken;
	}
	return broken;
}

static const struct row {
	const char *name, *policy;
	uint32_t broken;
} rows[] = {
	{ "P1 restarts: too many attempts, a vain order, unmappable runs", "P1",
	  BIT_OF(MAPPABLE) | BIT_OF(NO_FINDING) | BIT_OF(ALIGNED) | BIT_OF(NO_VAIN_ORDER) |
	          BIT_OF(BOUNDED) },
	{ "P2 has a vain order and unmappable runs", "P2",
	  BIT_OF(MAPPABLE) | BIT_OF(NO_FINDING) | BIT_OF(NO_VAIN_ORDER) },
	{ "P3 as P2", "P3", BIT_OF(MAPPABLE) | BIT_OF(NO_FINDING) | BIT_OF(NO_VAIN_ORDER) },
	{ "P4 is off by one order, uses freed blocks", "P4",
	  BIT_OF(NO_FINDING) | BIT_OF(NO_VAIN_ORDER) },
	{ "P4b is off by one order", "P4b", BIT_OF(NO_VAIN_ORDER) },
	{ "P5 is right", "P5", 0 },
	{ "A1 lays chunks off their pages, and forgets one", "A1",
	  BIT_OF(MAPPABLE) | BIT_OF(NO_FINDING) | BIT_OF(ALIGNED) | BIT_OF(NO_VAIN_ORDER) |
	          BIT_OF(OPPORTUNISTIC) | BIT_OF(BOUNDED) },
	{ "A4 looks at no page size", "A4", BIT_OF(MAPPABLE) | BIT_OF(NO_VAIN_ORDER) },
	{ "V1 never says NORETRY", "V1",
	  BIT_OF(MAPPABLE) | BIT_OF(ALIGNED) | BIT_OF(NO_VAIN_ORDER) | BIT_OF(OPPORTUNISTIC) |
	          BIT_OF(BOUNDED) },
};

static void breaks_what_it_is_known_for(void **state)
{
	const struct row *r = *state;
	const struct iommusim_policy *policy = iommusim_policy_find(r->policy);

	assert_int_equal(broken_in(policy, 1500), r->broken);
}

/* No policy breaks what the library itself must hold. */
static void no_policy_loses_a_page(void **state)
{
	const struct iommusim_policy *policy;

	for (size_t i = 0; (policy = iommusim_policy_at(i)) != NULL; i++)
		assert_int_equal(broken_in(policy, 200) &
		                         (BIT_OF(KEEPS_PAGES) | BIT_OF(RIGHT_COUNT) |
		                          BIT_OF(LEGAL_FREE) | BIT_OF(GIVES_UP_CLEANLY) |
		                          BIT_OF(DETERMINISTIC) | BIT_OF(INDEPENDENT)),
		                 0);
}

/* Worlds have no area: what asks for a contiguous range gets none, and loses nothing. */
static void without_an_area_a_contiguous_range_is_not_had(void **state)
{
	static const char *const policies[] = { "A1", "A2", "A3", "A4" };

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		const struct iommusim_policy *policy = iommusim_policy_find(policies[i]);

		for (uint64_t n = 0; n < 200; n++) {
			struct iommusim_world world;
			struct iommusim_verdict verdict;

			iommusim_world_generate(1, n, &world);
			world.attrs |= IOMMUSIM_ATTR_FORCE_CONTIGUOUS;
			assert_ok(iommusim_check_world(policy, &world, NULL, &verdict));
			assert_int_equal(verdict.result, -IOMMUSIM_ENOMEM);
			assert_int_equal(verdict.attempts, 0);
			assert_int_equal(verdict.broken, 0);
		}
	}
}

static int falls_back(const struct iommusim_policy *policy,
                      const struct iommusim_chunk_request *req,
                      const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = iommusim_chunk_contiguous(run, plan->count, 0);

	return err == -IOMMUSIM_ENOMEM ? iommusim_policy_dma_iommu_6_4.alloc(
						 &iommusim_policy_dma_iommu_6_4, req, plan, run)
	                               : err;
}

static void a_policy_may_go_on_without_a_range(void **state)
{
	struct iommusim_policy policy = { .size = sizeof(policy), .alloc = falls_back };

	assert_int_equal(broken_in(&policy, 500), 0);
}

/* A world in which @policy breaks @invariant, made small. */
static struct iommusim_world smallest(const char *name, unsigned invariant)
{
	const struct iommusim_policy *policy = iommusim_policy_find(name);
	struct iommusim_world world;

	for (uint64_t i = 0;; i++) {
		struct iommusim_verdict verdict;

		iommusim_world_generate(1, i, &world);
		assert_ok(iommusim_check_world(policy, &world, NULL, &verdict));
		if (verdict.broken >> invariant & 1)
			break;
	}
	assert_true(iommusim_world_shrink(policy, invariant, NULL, &world) > 0);
	return world;
}

static const struct known {
	const char *name, *policy;
	unsigned invariant;
	uint64_t pages; /* of the smallest request */
} known[] = {
	{ "a single page is off a granule of two", "P3", IOMMUSIM_INVARIANT_MAPPABLE, 1 },
	{ "a vain order takes a page size of two", "P4", IOMMUSIM_INVARIANT_NO_VAIN_ORDER, 1 },
	{ "a chunk off its page takes three", "A1", IOMMUSIM_INVARIANT_ALIGNED, 3 },
	{ "full effort takes two", "V1", IOMMUSIM_INVARIANT_OPPORTUNISTIC, 2 },
	{ "restarts take five", "P1", IOMMUSIM_INVARIANT_BOUNDED, 5 },
	{ "a last resort with NORETRY takes one", "H1", IOMMUSIM_INVARIANT_LAST_RESORT, 1 },
	{ "a page that is forgotten takes one", "A1", IOMMUSIM_INVARIANT_NO_FINDING, 1 },
};

static void shrinks_to_a_few_pages(void **state)
{
	const struct known *k = *state;
	struct iommusim_world world = smallest(k->policy, k->invariant), read;
	char text[4096];

	assert_int_equal((world.bytes + 4095) / 4096, k->pages);
	assert_true(iommusim_world_format(&world, text, sizeof(text)) < 120);
	assert_ok(iommusim_world_parse(text, &read, NULL));
	assert_memory_equal(&read, &world, sizeof(world));
}

static void worlds_are_the_same_as_text(void **state)
{
	static char text[65536];

	(void)state;
	for (uint64_t i = 0; i < 500; i++) {
		struct iommusim_world world, read;

		iommusim_world_generate(7, i, &world);
		assert_true(iommusim_world_format(&world, text, sizeof(text)) < sizeof(text));
		assert_ok(iommusim_world_parse(text, &read, NULL));
		assert_memory_equal(&read, &world, sizeof(world));
	}
	assert_int_equal(
		iommusim_world_format(&(struct iommusim_world){ .page_shift = 12 }, NULL, 0),
		strlen("page=4K order=0 bytes=0 gfp=0x0 attrs=0x0 frames=0 free="));
}

static void text_that_is_no_world_is_refused(void **state)
{
	static const struct {
		const char *text, *at; /* what starts with the field that is wrong */
	} wrong[] = {
		{ "page=8", "page=8" },
		{ "page=4K,", "page=4K," },
		{ "order=3 page=1M frames=4", "page=1M frames=4" },
		{ "page=128K", "page=128K" },
		{ "page=2K", "page=2K" },
		{ "order=14", "order=14" },
		{ "pgsizes=", "pgsizes=" },
		{ "pgsizes=3K", "pgsizes=3K" },
		{ "bytes=0", "bytes=0" },
		{ "bytes=", "bytes=" },
		{ "bytes=99999999999999999999", "bytes=99999999999999999999" },
		{ "bytes=33554433 order=1", "bytes=33554433 order=1" },
		{ "gfp=0x1ffffffff", "gfp=0x1ffffffff" },
		{ "attrs=x", "attrs=x" },
		{ "frames=0 order=1", "frames=0 order=1" },
		{ "frames=8193", "frames=8193" },
		{ "free=16", "free=16" },
		{ "free=3-1", "free=3-1" },
		{ "free=1-", "free=1-" },
		{ "fail=64", "fail=64" },
		{ "order=3 frames=4 order=3 page=4K", "order=3 page=4K" },
		{ "fails=1", "fails=1" },
		{ "page", "page" },
		{ "=4K", "=4K" },
		{ "free=8 frames=8", "free=8 frames=8" },
		{ "pgsizes=16E", "pgsizes=16E" },
		{ "order=-1", "order=-1" },
		{ "free=0,,1", "free=0,,1" },
		{ "page=4K order", "order" },
		{ "page=4K\torder\n", "order\n" },
	};
	struct iommusim_world world = { .bytes = 77 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const char *at = NULL;

		assert_err(iommusim_world_parse(wrong[i].text, &world, &at), IOMMUSIM_EINVAL);
		assert_string_equal(at, wrong[i].at);
		assert_err(iommusim_world_parse(wrong[i].text, &world, NULL), IOMMUSIM_EINVAL);
		assert_int_equal(world.bytes, 77);
	}
	assert_ok(iommusim_world_parse("", &world, NULL));
	assert_int_equal(world.bytes, 4096);
}

static void fields_that_are_not_there_fit_the_others(void **state)
{
	struct iommusim_world world;

	(void)state;
	assert_ok(iommusim_world_parse("frames=3", &world, NULL));
	assert_int_equal(world.free[0], 7);
	assert_ok(iommusim_world_parse(" frames=20 ", &world, NULL));
	assert_memory_equal(world.free, ((const uint8_t[]){ 0xff, 0xff, 0 }), 3);
	assert_ok(iommusim_world_parse("frames=4\n\tfree=\n bytes=1\r\n", &world, NULL));
	assert_int_equal(world.free[0], 0);
	assert_int_equal(world.bytes, 1);
	assert_ok(iommusim_world_parse("bytes=33554433 page=64K", &world, NULL));
	assert_int_equal(world.bytes, 33554433);
}

static void fields_say_what_they_may_be(void **state)
{
	static const char *const names[] = { "page",  "pgsizes", "bytes", "gfp",
		                             "attrs", "frames",  "free",  "fail" };

	(void)state;
	assert_string_equal(iommusim_world_field_text("order=99 page=4K"), "0 to 13");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_non_null(iommusim_world_field_text(names[i]));
	assert_null(iommusim_world_field_text("orders=1"));
	assert_null(iommusim_world_field_text("ord"));
	assert_null(iommusim_world_field_text("=1"));
	assert_null(iommusim_world_field_text(""));
}

static void worlds_out_of_range_are_refused(void **state)
{
	struct iommusim_world world = { .page_shift = 12, .pgsizes = 4096, .bytes = 1 };
	struct iommusim_verdict verdict;

	(void)state;
	assert_err(iommusim_check_world(iommusim_policy_find("P5"), &world, NULL, &verdict),
	           IOMMUSIM_EINVAL);
	assert_int_equal(iommusim_world_shrink(iommusim_policy_find("P5"), 0, NULL, &world),
	                 -IOMMUSIM_EINVAL);
	world.nr_frames = 1;
	assert_ok(iommusim_check_world(iommusim_policy_find("P5"), &world, NULL, &verdict));
	assert_int_equal(verdict.result, -IOMMUSIM_ENOMEM);
	assert_int_equal(iommusim_world_shrink(iommusim_policy_find("P5"), 0, NULL, &world),
	                 -IOMMUSIM_EINVAL); /* nothing is broken */
	world.pgsizes = 8192;
	world.free[0] = 1;
	assert_ok(iommusim_check_world(iommusim_policy_find("P1"), &world, NULL, &verdict));
	assert_int_equal(verdict.broken, 1u << IOMMUSIM_INVARIANT_MAPPABLE);
	assert_int_equal(iommusim_world_shrink(iommusim_policy_find("P1"),
	                                       32 + IOMMUSIM_INVARIANT_MAPPABLE, NULL, &world),
	                 -IOMMUSIM_EINVAL); /* no such invariant */
}

static void the_host_may_fail_at_any_allocation(void **state)
{
	struct iommusim_world world;
	struct iommusim_verdict verdict;
	int err = -IOMMUSIM_EHOST;

	(void)state;
	assert_ok(iommusim_world_parse("bytes=28672 order=2 frames=8 free=0-7", &world, NULL));
	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);

		memset(&verdict, 0xaa, sizeof(verdict));
		err = iommusim_check_world(iommusim_policy_find("P1"), &world, &host, &verdict);
		assert_int_equal(fault.nr_live, 0);
		if (err) {
			assert_err(err, IOMMUSIM_EHOST);
			assert_int_equal(verdict.broken, 0xaaaaaaaa);
		}
	}
}

static void policies_part_where_they_differ(void **state)
{
	const struct iommusim_policy *p1 = iommusim_policy_find("P1");
	const struct iommusim_policy *p2 = iommusim_policy_find("P2");
	struct iommusim_difference d;
	struct iommusim_world world;

	(void)state;
	assert_ok(
		iommusim_world_parse("bytes=24576 order=2 frames=8 free=0-7 fail=0", &world, NULL));
	assert_ok(iommusim_check_difference(p1, p1, &world, NULL, &d));
	assert_int_equal(d.attempt, -1);
	assert_string_equal(d.text[0], "");
	/* Both try order 2, which fails, then 1; P1 starts again at 2, P2 stays at 1. */
	assert_ok(iommusim_check_difference(p1, p2, &world, NULL, &d));
	assert_int_equal(d.attempt, 2);
	assert_string_equal(
		d.text[0],
		"order 2, GFP_KERNEL|__GFP_HIGHMEM|__GFP_NOWARN|__GFP_NORETRY, got frame 4");
	assert_string_equal(
		d.text[1],
		"order 1, GFP_KERNEL|__GFP_HIGHMEM|__GFP_NOWARN|__GFP_NORETRY, got frame 2");
	assert_true(iommusim_world_shrink_difference(p1, p2, NULL, &world) > 0);
	assert_int_equal(world.bytes, 3 << 12);
	assert_ok(iommusim_check_difference(p1, p2, &world, NULL, &d));
	assert_true(d.attempt >= 0);
	assert_int_equal(iommusim_world_shrink_difference(p1, p1, NULL, &world), -IOMMUSIM_EINVAL);
	world.pgsizes = 0;
	assert_err(iommusim_check_difference(p1, p2, &world, NULL, &d), IOMMUSIM_EINVAL);
}

static int has_pages(void *ctx, const struct iommusim_world *world)
{
	return world->bytes > 5 << 12 ? 1 : *(int *)ctx;
}

static void a_world_shrinks_while_it_shows_something(void **state)
{
	struct iommusim_world world;
	int otherwise = 0;

	(void)state;
	assert_ok(iommusim_world_parse("bytes=81920 frames=64 free=0-63", &world, NULL));
	assert_true(iommusim_world_shrink_while(has_pages, &otherwise, &world) > 0);
	assert_in_range(world.bytes, (5 << 12) + 1, 6 << 12);
	world.bytes = 1 << 12;
	assert_int_equal(iommusim_world_shrink_while(has_pages, &otherwise, &world),
	                 -IOMMUSIM_EINVAL);
	world.bytes = 6 << 12;
	otherwise = -IOMMUSIM_EHOST; /* it is asked of a smaller one, too */
	assert_int_equal(iommusim_world_shrink_while(has_pages, &otherwise, &world),
	                 -IOMMUSIM_EHOST);
	assert_int_equal(world.bytes, 6 << 12);
	otherwise = 0;
	world.nr_frames = IOMMUSIM_CHECK_FRAMES + 1;
	assert_int_equal(iommusim_world_shrink_while(has_pages, &otherwise, &world),
	                 -IOMMUSIM_EINVAL);
}

/* As many attempts as its params say, all dropped. */
static int gives_up(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
                    const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	(void)plan;
	for (const char *left = policy->params; *left; left++)
		if (!iommusim_chunk_try(run, 0, req->gfp, NULL))
			iommusim_chunk_drop(run);
	return -IOMMUSIM_ENOMEM;
}

static void the_shorter_one_ends_where_they_part(void **state)
{
	struct iommusim_policy policy[2] = {
		{ .size = sizeof(policy[0]), .name = "long", .alloc = gives_up, .params = "...." },
		{ .size = sizeof(policy[0]), .name = "short", .alloc = gives_up, .params = "." }
	};
	struct iommusim_difference d;
	struct iommusim_world world;

	(void)state;
	assert_ok(iommusim_world_parse("frames=1 free=", &world, NULL));
	for (unsigned i = 0; i < 2; i++) {
		assert_ok(iommusim_check_difference(&policy[i], &policy[1 - i], &world, NULL, &d));
		assert_int_equal(d.attempt, 1);
		assert_string_equal(d.text[i], "order 0, GFP_KERNEL, failed");
		assert_string_equal(d.text[1 - i], "gives up without memory (ENOMEM)");
	}
}

static void the_host_may_fail_in_a_comparison(void **state)
{
	const struct iommusim_policy *p1 = iommusim_policy_find("P1");
	struct iommusim_difference d;
	struct iommusim_world world;
	int err = -IOMMUSIM_EHOST;

	(void)state;
	assert_ok(iommusim_world_parse("bytes=28672 order=2 frames=8 free=0-7", &world, NULL));
	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);

		memset(&d, 0xaa, sizeof(d));
		err = iommusim_check_difference(p1, p1, &world, &host, &d);
		assert_int_equal(fault.nr_live, 0);
		if (err) {
			assert_err(err, IOMMUSIM_EHOST);
			assert_int_equal((uint8_t)d.text[0][0], 0xaa);
		}
	}
	assert_int_equal(d.attempt, -1);
}

static void small_worlds_are_counted_and_differ(void **state)
{
	struct iommusim_small_worlds bounds = { 4, 3, 1, IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES };
	uint64_t nr = iommusim_small_worlds_count(&bounds), broken = 0;
	struct iommusim_world last = { 0 };

	(void)state;
	assert_int_equal(nr, 16 * 3 * 3 * 2);
	for (uint64_t i = 0; i < nr; i++) {
		struct iommusim_world world;
		struct iommusim_verdict verdict;

		iommusim_small_worlds_at(&bounds, i, &world);
		assert_true(memcmp(&world, &last, sizeof(world)) != 0);
		last = world;
		assert_ok(iommusim_check_world(iommusim_policy_find("P3"), &world, NULL, &verdict));
		broken += verdict.broken >> IOMMUSIM_INVARIANT_MAPPABLE & 1;
	}
	assert_true(broken > 0 && broken < nr);
	bounds.frames = 17;
	assert_int_equal(iommusim_small_worlds_count(&bounds), 0);
}

static void invariants_have_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < IOMMUSIM_NR_INVARIANTS; i++)
		assert_true(strlen(iommusim_invariant_name(i)) &&
		            strlen(iommusim_invariant_text(i)));
	assert_null(iommusim_invariant_name(IOMMUSIM_NR_INVARIANTS));
	assert_null(iommusim_invariant_text(IOMMUSIM_NR_INVARIANTS));
}

int main(void)
{
	struct CMUnitTest tests[15 + ARRAY_LEN(rows) + ARRAY_LEN(known)] = {
		cmocka_unit_test(no_policy_loses_a_page),
		cmocka_unit_test(worlds_are_the_same_as_text),
		cmocka_unit_test(text_that_is_no_world_is_refused),
		cmocka_unit_test(fields_that_are_not_there_fit_the_others),
		cmocka_unit_test(fields_say_what_they_may_be),
		cmocka_unit_test(worlds_out_of_range_are_refused),
		cmocka_unit_test(the_host_may_fail_at_any_allocation),
		cmocka_unit_test(policies_part_where_they_differ),
		cmocka_unit_test(the_shorter_one_ends_where_they_part),
		cmocka_unit_test(without_an_area_a_contiguous_range_is_not_had),
		cmocka_unit_test(a_policy_may_go_on_without_a_range),
		cmocka_unit_test(the_host_may_fail_in_a_comparison),
		cmocka_unit_test(small_worlds_are_counted_and_differ),
		cmocka_unit_test(invariants_have_names),
		cmocka_unit_test(a_world_shrinks_while_it_shows_something),
	};
	size_t nr = 15;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(breaks_what_it_is_known_for, &rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(shrinks_to_a_few_pages, &known[i]);
	return RUN_TESTS(tests);
}
