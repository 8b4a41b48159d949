/* SPDX-License-Identifier: MIT */
/*
 * Policies with one mistake each, such as people make. Each is found, and the world that shows
 * it is made as small as 8 pages of request or less.
 */
#include "test.h"

#include <stdio.h>
#include <string.h>

#define R IOMMUSIM_GFP_BIT_NORETRY
#define D IOMMUSIM_GFP_BIT_DIRECT_RECLAIM

#define ARGS                                                                            \
	const struct iommusim_policy *policy, const struct iommusim_chunk_request *req, \
		const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run

static unsigned high_bit(uint64_t x)
{
	unsigned n = 0;

	while (x >>= 1)
		n++;
	return n;
}

/* What a mistake changes in the loop that consults the page sizes. */
struct mistake {
	unsigned one_too_few, one_too_many; /* pages */
	unsigned restores;                  /* a failed order is tried again for the next chunk */
	unsigned no_granule;                /* order 0 is tried as well, whatever the page sizes */
	unsigned full_effort;               /* never NORETRY */
	unsigned half_hearted;              /* always NORETRY */
	unsigned nofail;                    /* NOFAIL at the last order */
	unsigned beyond;                    /* one order above the largest */
	unsigned upwards;                   /* the smallest useful order first */
	unsigned whispers;                  /* says success when memory ran out */
	unsigned whole; /* keeps blocks whole that are freed singly: see below */
};

/* The orders that may be tried for @left pages. */
static uint64_t orders_for(const struct mistake *m, const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, uint64_t left)
{
	uint64_t mask = plan->mask | (m->no_granule ? 1 : 0) |
	                (m->beyond ? UINT64_C(1) << (req->max_order + 1) : 0);

	mask &= (UINT64_C(2) << (req->max_order + m->beyond)) - 1;
	return mask & ((UINT64_C(2) << high_bit(left)) - 1);
}

static int one_chunk(const struct mistake *m, const struct iommusim_chunk_request *req,
                     struct iommusim_chunk_run *run, uint64_t *mask)
{
	while (*mask) {
		unsigned order = m->upwards ? high_bit(*mask & (~*mask + 1)) : high_bit(*mask);
		uint64_t rest = *mask & ~(UINT64_C(1) << order);
		uint32_t retry = (rest && !m->full_effort) || m->half_hearted ? R : 0;
		uint32_t nofail = !rest && m->nofail ? IOMMUSIM_GFP_BIT_NOFAIL : 0;
		int err = iommusim_chunk_get(run, order, req->gfp | retry | nofail);

		if (err != -IOMMUSIM_ENOMEM)
			return err;
		*mask = rest;
	}
	return -IOMMUSIM_ENOMEM;
}

static int loop(ARGS)
{
	const struct mistake *m = policy->params;
	uint64_t count = plan->count + m->one_too_many - m->one_too_few, got = 0, failed = 0;
	int err = 0;

	(void)policy;
	while (!err && got < count) {
		uint64_t mask = orders_for(m, req, plan, count - got) & ~failed, before = mask;
		unsigned used;

		err = one_chunk(m, req, run, &mask);
		if (err)
			break;
		used = m->upwards ? high_bit(mask & (~mask + 1)) : high_bit(mask);
		if (!m->restores)
			failed |= before & ~mask;
		got += UINT64_C(1) << used;
	}
	return m->whispers && err == -IOMMUSIM_ENOMEM ? 0 : err;
}

/* Steps down from a block that it drops instead of keeping it. */
static int drops_and_counts(ARGS)
{
	uint64_t left = plan->count;
	int err = 0;

	(void)policy;
	while (!err && left) {
		err = iommusim_chunk_try(run, 0, req->gfp, NULL);
		if (!err)
			err = left == 2 ? iommusim_chunk_drop(run) : iommusim_chunk_keep(run);
		left--;
	}
	return err;
}

/* Remembers in a static variable what failed for another buffer. */
static unsigned remembered;

static int remembers(ARGS)
{
	uint64_t left = plan->count;
	int err = 0;

	(void)policy;
	while (!err && left) {
		unsigned order = high_bit(left);

		if (order > req->max_order)
			order = req->max_order;
		if (order > remembered)
			order = remembered;
		err = iommusim_chunk_get(run, order, req->gfp | (order ? R : 0));
		if (err == -IOMMUSIM_ENOMEM && order) {
			remembered = order - 1;
			err = 0;
		} else if (!err) {
			left -= UINT64_C(1) << order;
		}
	}
	return err;
}

/* Never gives up: orders from 0 up and down again, for every page. */
static int tries_everything(ARGS)
{
	int err = -IOMMUSIM_ENOMEM;

	(void)policy;
	for (uint64_t got = 0; got < plan->count; got++) {
		for (unsigned order = req->max_order; order > 0; order--) {
			err = iommusim_chunk_try(run, order, req->gfp | R, NULL);
			if (!err)
				err = iommusim_chunk_drop(run);
			if (err && err != -IOMMUSIM_ENOMEM)
				return err;
		}
		err = iommusim_chunk_get(run, 0, req->gfp);
		if (err)
			return err;
	}
	return 0;
}

/* Appends what no allocation can have given. */
static int appends_too_much(ARGS)
{
	struct iommusim_chunk chunk = { .order = 63, .is_split = 1 };

	(void)policy, (void)req, (void)plan;
	return iommusim_chunk_append(run, &chunk);
}

/* Takes frames for its own that no attempt got. */
static int appends_what_it_never_got(ARGS)
{
	struct iommusim_chunk chunk = { .is_split = 1 };
	int err = 0;

	(void)policy;
	for (uint64_t i = 0; !err && i < plan->count; i++) {
		err = iommusim_chunk_take(run, 0, req->gfp, &chunk.pfn);
		chunk.pfn += i == 3;
		if (!err)
			err = iommusim_chunk_append(run, &chunk);
	}
	return err;
}

/* Keeps every block twice, and does not look at what that returns. */
static int keeps_twice(ARGS)
{
	int err = 0;

	(void)policy;
	for (uint64_t i = 0; !err && i < plan->count; i++) {
		err = iommusim_chunk_get(run, 0, req->gfp);
		iommusim_chunk_keep(run);
	}
	return err;
}

/* A number of pages that no machine has. */
static int plans_too_much(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          struct iommusim_chunk_plan *plan)
{
	(void)policy;
	plan->size = req->size;
	plan->count = UINT64_MAX;
	plan->mask = 1;
	return 0;
}

/* Waits for memory that does not come. */
static int never_gives_up(ARGS)
{
	int err = 0;

	(void)policy;
	for (uint64_t i = 0; !err && i < plan->count; i++)
		do
			err = iommusim_chunk_get(run, 0, req->gfp);
		while (err == -IOMMUSIM_ENOMEM);
	return err;
}

/* Gives up without a reason. */
static int gives_up_at_once(ARGS)
{
	(void)policy, (void)req, (void)plan, (void)run;
	return -IOMMUSIM_ENOMEM;
}

static int gives_up_halfway(ARGS)
{
	int err = 0;

	(void)policy;
	for (uint64_t i = 0; !err && i < plan->count; i++)
		err = i == 2 ? -IOMMUSIM_ENOMEM : iommusim_chunk_get(run, 0, req->gfp);
	return err;
}

/* Says that something is wrong, and not what. */
static int stops_without_a_finding(ARGS)
{
	(void)policy, (void)req, (void)plan, (void)run;
	return -IOMMUSIM_EBUG;
}

static int finds_what_has_no_name(ARGS)
{
	(void)policy, (void)req, (void)plan;
	iommusim_chunk_find(run, UINT32_C(1) << 31);
	return -IOMMUSIM_EBUG;
}

/* Rounds the size down. */
static int plan_too_few(const struct iommusim_policy *policy,
                        const struct iommusim_chunk_request *req, struct iommusim_chunk_plan *plan)
{
	(void)policy;
	*plan = (struct iommusim_chunk_plan){ .size = req->size,
		                              .count = req->size >> req->page_shift };
	return 0;
}

static int gets_what_is_planned(ARGS)
{
	int err = 0;

	(void)policy;
	for (uint64_t i = 0; !err && i < plan->count; i++)
		err = iommusim_chunk_get(run, 0, req->gfp);
	return err;
}

static const struct mistake too_few = { .one_too_few = 1 }, too_many = { .one_too_many = 1 },
			    restores = { .restores = 1 }, no_granule = { .no_granule = 1 },
			    full_effort = { .full_effort = 1 }, beyond = { .beyond = 1 },
			    upwards = { .upwards = 1 }, whispers = { .whispers = 1 },
			    half_hearted = { .half_hearted = 1 }, nofail = { .nofail = 1 };

static const struct row {
	const char *name;
	int (*alloc)(ARGS);
	const struct mistake *mistake;
	unsigned invariant;
} rows[] = {
	{ "one page too few", loop, &too_few, IOMMUSIM_INVARIANT_RIGHT_COUNT },
	{ "one page too many", loop, &too_many, IOMMUSIM_INVARIANT_RIGHT_COUNT },
	{ "a failed order is tried again", loop, &restores, IOMMUSIM_INVARIANT_BOUNDED },
	{ "the page sizes are not looked at", loop, &no_granule, IOMMUSIM_INVARIANT_MAPPABLE },
	{ "NORETRY is forgotten", loop, &full_effort, IOMMUSIM_INVARIANT_OPPORTUNISTIC },
	{ "NORETRY is said of the last order too", loop, &half_hearted,
	  IOMMUSIM_INVARIANT_LAST_RESORT },
	{ "NOFAIL is said of the last order", loop, &nofail, IOMMUSIM_INVARIANT_OPPORTUNISTIC },
	{ "one order too many", loop, &beyond, IOMMUSIM_INVARIANT_NO_VAIN_ORDER },
	{ "the smallest order comes first", loop, &upwards, IOMMUSIM_INVARIANT_ALIGNED },
	{ "out of memory is called success", loop, &whispers, IOMMUSIM_INVARIANT_RIGHT_COUNT },
	{ "the last page but one is given back", drops_and_counts, NULL,
	  IOMMUSIM_INVARIANT_RIGHT_COUNT },
	{ "an order is appended that there is not", appends_too_much, NULL,
	  IOMMUSIM_INVARIANT_RIGHT_COUNT },
	{ "what is appended was never got", appends_what_it_never_got, NULL,
	  IOMMUSIM_INVARIANT_RIGHT_COUNT },
	{ "a block is kept twice", keeps_twice, NULL, IOMMUSIM_INVARIANT_RIGHT_COUNT },
	{ "it never gives up", never_gives_up, NULL, IOMMUSIM_INVARIANT_NO_FINDING },
	{ "a failure is remembered for other buffers", remembers, NULL,
	  IOMMUSIM_INVARIANT_DETERMINISTIC },
	{ "every order is tried for every page", tries_everything, NULL,
	  IOMMUSIM_INVARIANT_BOUNDED },
	{ "it gives up at once", gives_up_at_once, NULL, IOMMUSIM_INVARIANT_LAST_RESORT },
	{ "it gives up though it got all that it asked for", gives_up_halfway, NULL,
	  IOMMUSIM_INVARIANT_LAST_RESORT },
	{ "it stops without a finding", stops_without_a_finding, NULL,
	  IOMMUSIM_INVARIANT_GIVES_UP_CLEANLY },
	{ "its finding has no name", finds_what_has_no_name, NULL, IOMMUSIM_INVARIANT_NO_FINDING },
	{ "the size is rounded down", gets_what_is_planned, NULL, IOMMUSIM_INVARIANT_RIGHT_COUNT },
};

/* A world in which the invariant is broken, among the first ones of seed 1. */
static int find(const struct iommusim_policy *policy, unsigned invariant,
                struct iommusim_world *world)
{
	for (uint64_t i = 0; i < 5000; i++) {
		struct iommusim_verdict verdict;

		iommusim_world_generate(1, i, world);
		remembered = 13;
		assert_ok(iommusim_check_world(policy, world, NULL, &verdict));
		if (verdict.broken >> invariant & 1)
			return 1;
	}
	return 0;
}

static void is_found_and_made_small(void **state)
{
	const struct row *r = *state;
	struct iommusim_policy policy = { .size = sizeof(policy),
		                          .name = r->name,
		                          .plan = r->alloc == gets_what_is_planned ? plan_too_few
		                                                                   : NULL,
		                          .alloc = r->alloc,
		                          .params = r->mistake };
	struct iommusim_world world;
	struct iommusim_verdict verdict;
	char text[1024];

	assert_true(find(&policy, r->invariant, &world));
	remembered = 13;
	if (r->invariant != IOMMUSIM_INVARIANT_DETERMINISTIC) {
		assert_true(iommusim_world_shrink(&policy, r->invariant, NULL, &world) > 0);
		assert_ok(iommusim_check_world(&policy, &world, NULL, &verdict));
		assert_true(verdict.broken >> r->invariant & 1);
		assert_string_not_equal(verdict.text[r->invariant], "");
		assert_true(world.bytes <= UINT64_C(8) << world.page_shift);
		assert_true(iommusim_world_format(&world, text, sizeof(text)) < 160);
	}
}

static void a_plan_may_be_larger_than_memory(void **state)
{
	static const struct mistake none = { 0 };
	struct iommusim_policy policy = { .size = sizeof(policy),
		                          .name = "large",
		                          .plan = plans_too_much,
		                          .alloc = loop,
		                          .params = &none };
	struct iommusim_world world;
	struct iommusim_verdict verdict;

	(void)state;
	iommusim_world_generate(1, 0, &world);
	assert_ok(iommusim_check_world(&policy, &world, NULL, &verdict));
	assert_err(verdict.result, IOMMUSIM_ENOMEM);
	assert_int_equal(verdict.findings, 0);
	assert_string_equal(verdict.text[IOMMUSIM_INVARIANT_BOUNDED], "");
}

static void the_loop_without_a_mistake_is_right(void **state)
{
	static const struct mistake none = { 0 };
	struct iommusim_policy policy = {
		.size = sizeof(policy), .name = "right", .alloc = loop, .params = &none
	};
	uint32_t broken = 0;

	(void)state;
	for (uint64_t i = 0; i < 3000; i++) {
		struct iommusim_world world;
		struct iommusim_verdict verdict;

		iommusim_world_generate(1, i, &world);
		assert_ok(iommusim_check_world(&policy, &world, NULL, &verdict));
		broken |= verdict.broken;
	}
	assert_int_equal(broken, 0);
}

int main(void)
{
	struct CMUnitTest tests[2 + ARRAY_LEN(rows)] = {
		cmocka_unit_test(the_loop_without_a_mistake_is_right),
		cmocka_unit_test(a_plan_may_be_larger_than_memory),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[2 + i] = (struct CMUnitTest)TEST_ROW(is_found_and_made_small, &rows[i]);
	return RUN_TESTS(tests);
}
