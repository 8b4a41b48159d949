/* SPDX-License-Identifier: MIT */
/*
 * Random calls against the obvious allocator. Frames, hints, the size that failed and ranges must
 * be the same after every step. A call that needs host memory fails first, changes nothing, and is
 * repeated.
 */
#include <stdlib.h>

#include "iova/oracle.h"

#include "base/rng.h"
#include "iova/space.h"

#define STEPS 4000

/* ---- The walk ---- */

/* @top is the last frame that calls ask for: just above 4 GiB, so that both hints are used. */
static const struct world {
	const char *name;
	unsigned granule_lg2;
	uint64_t start, top, largest, seed;
	int most; /* ranges at a time, with the anchor */
} worlds[] = {
	{ "32 frames below 4 GiB, 32 above, small sizes", 27, 1, 63, 5, 1, 160 },
	{ "64 frames below 4 GiB, 64 above, sizes up to 20", 26, 1, 127, 20, 2, 160 },
	{ "the space starts in the middle", 26, 40, 150, 9, 3, 160 },
	{ "the space starts above 4 GiB", 28, 20, 90, 6, 4, 160 },
	{ "everything lies below 4 GiB", 24, 1, 255, 40, 5, 160 },
	{ "one frame below 4 GiB", 32, 1, 60, 4, 6, 160 },
	{ "4 KiB frames around 4 GiB", 12, 0xfffd0, 0x10003f, 12, 7, 160 },
	{ "sizes on both sides of the rounding", 23, 1, 1000, 70, 8, 160 },
	{ "single frames", 26, 1, 90, 1, 9, 160 },
	{ "a thousand ranges on both sides", 22, 1, 2047, 3, 11, 1100 },
	{ "a thousand ranges of up to 40 frames below 4 GiB", 16, 1, 0x3fff, 40, 12, 1100 },
	{ "the top of a 64-bit space", 1, (UINT64_MAX >> 1) - 99, UINT64_MAX >> 1, 10, 10, 160 },
};

struct walk {
	const struct world *world;
	struct isim_rng rng;
	struct iommusim_fault *fault;
	struct iommusim_iova *space;
	struct oracle oracle;
	unsigned check_every; /* steps; hints are checked after each */
	unsigned nr_taken, nr_refused, nr_failed;
};

static void assert_same_state(const struct walk *walk)
{
	assert_int_equal(walk->space->hint32, walk->oracle.hint32);
	assert_int_equal(walk->space->hint64, walk->oracle.hint64);
	assert_int_equal(iommusim_iova_max32(walk->space), walk->oracle.max32);
	assert_int_equal(iommusim_iova_nr_ranges(walk->space), walk->oracle.nr - 1);
}

static void assert_same(const struct walk *walk)
{
	const struct oracle *o = &walk->oracle;
	struct iommusim_iova_range range = { 0, 0 };
	uint64_t from = 0;

	assert_same_state(walk);
	for (int i = 0; i < o->nr - 1; i++) {
		assert_int_equal(iommusim_iova_next(walk->space, from, &range), 1);
		assert_int_equal(range.lo, o->range[i].lo);
		assert_int_equal(range.hi, o->range[i].hi);
		from = range.hi + 1;
	}
	assert_int_equal(iommusim_iova_next(walk->space, from, &range), 0);
}

static uint64_t lowest_of(const struct world *w)
{
	return w->start > 8 ? w->start - 8 : 0;
}

static uint64_t some_frame(struct walk *walk)
{
	return isim_rng_range(&walk->rng, lowest_of(walk->world), walk->world->top);
}

/* The last frame below 4 GiB, the top, anything between them, and numbers that wrap. */
static uint64_t some_limit(struct walk *walk)
{
	switch (isim_rng_below(&walk->rng, 16)) {
	case 0:
		return some_frame(walk);
	case 1:
		return isim_rng_below(&walk->rng, walk->oracle.d32);
	case 2:
		return walk->oracle.d32;
	case 3:
		return isim_rng_below(&walk->rng, 8) ? walk->world->top : UINT64_MAX;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
		return walk->world->top;
	default:
		return walk->oracle.d32 - 1;
	}
}

static uint64_t some_size(struct walk *walk)
{
	uint64_t dice = isim_rng_below(&walk->rng, 400);

	if (dice == 0)
		return (UINT64_C(1) << 63) + 1;
	if (dice == 1)
		return UINT64_MAX;
	return 1 + isim_rng_below(&walk->rng, walk->world->largest);
}

/* @kind: 0 anywhere, 1 aligned, 2 rounded and aligned. */
static int alloc(struct iommusim_iova *space, unsigned kind, uint64_t size, uint64_t limit,
                 uint64_t *lo)
{
	if (kind == 2)
		return iommusim_iova_alloc_fast(
			space, &(struct iommusim_iova_request){ .size = size, .limit = limit }, lo);
	return iommusim_iova_alloc(space, size, limit, (int)kind, lo);
}

static int expect_alloc(struct oracle *o, unsigned kind, uint64_t size, uint64_t limit,
                        uint64_t *lo)
{
	if (kind == 2)
		size = size < 32 ? oracle_alignment_of(size) : size;
	return oracle_alloc(o, size, limit, kind > 0, lo);
}

/* 1: the call failed for want of host memory, and must be repeated; nothing may have changed. */
static int host_failed(struct walk *walk, int err)
{
	walk->fault->fail_at = 0;
	if (err != -IOMMUSIM_EHOST)
		return 0;
	walk->nr_failed++;
	assert_string_equal(iommusim_iova_error(walk->space),
	                    "the host has no memory for an IOVA range");
	assert_same(walk);
	return 1;
}

static void alloc_some(struct walk *walk)
{
	uint64_t size = some_size(walk), limit = some_limit(walk), got = 0, want = 0;
	unsigned kind = (unsigned)isim_rng_below(&walk->rng, 3);
	int err, expected;

	walk->fault->fail_at = walk->fault->nr_allocs + 1;
	err = alloc(walk->space, kind, size, limit, &got);
	if (host_failed(walk, err)) {
		assert_int_equal(got, 0);
		err = alloc(walk->space, kind, size, limit, &got);
	}
	expected = expect_alloc(&walk->oracle, kind, size, limit, &want);
	assert_err(err, expected);
	assert_int_equal(got, err ? 0 : want);
	if (err)
		walk->nr_refused++;
	else
		walk->nr_taken++;
}

/* A frame of some range, or just a frame. */
static void free_some(struct walk *walk)
{
	uint64_t frame = some_frame(walk);

	if (walk->oracle.nr > 1 && isim_rng_below(&walk->rng, 8)) {
		uint64_t i = isim_rng_below(&walk->rng, (uint64_t)walk->oracle.nr - 1);

		frame = isim_rng_range(&walk->rng, walk->oracle.range[i].lo,
		                       walk->oracle.range[i].hi);
	}
	oracle_free(&walk->oracle, frame);
	iommusim_iova_free(walk->space, frame);
}

/* Up to 11 frames; none at all (the end before the start) is refused. */
static void reserve_some(struct walk *walk)
{
	uint64_t lo = some_frame(walk), hi = lo + isim_rng_below(&walk->rng, 12) - 1;
	struct iommusim_iova_range got = { lo, hi }, want = got;
	int err;

	walk->fault->fail_at = walk->fault->nr_allocs + 1;
	err = iommusim_iova_reserve(walk->space, &got);
	if (host_failed(walk, err)) {
		assert_int_equal(got.lo, lo);
		assert_int_equal(got.hi, hi);
		err = iommusim_iova_reserve(walk->space, &got);
	}
	assert_err(err, oracle_reserve(&walk->oracle, &want));
	assert_int_equal(got.lo, want.lo);
	assert_int_equal(got.hi, want.hi);
}

/* A fork that succeeds after the host failed every allocation it needs. */
static struct iommusim_iova *fork_of(struct walk *walk)
{
	uint64_t live = walk->fault->nr_live;
	struct iommusim_iova *copy = NULL;
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		walk->fault->fail_at = walk->fault->nr_allocs + n;
		err = iommusim_iova_fork(walk->space, &copy);
		if (!err)
			break;
		assert_err(err, IOMMUSIM_EHOST);
		assert_null(copy);
		assert_int_equal(walk->fault->nr_live, live);
	}
	walk->fault->fail_at = 0;
	return copy;
}

static void fork_and_go_on(struct walk *walk)
{
	struct iommusim_iova *copy = fork_of(walk);

	iommusim_iova_destroy(walk->space);
	walk->space = copy;
}

static void step(struct walk *walk, unsigned i)
{
	uint64_t dice = isim_rng_below(&walk->rng, 100);
	uint64_t want_alloc = i / (unsigned)walk->world->most % 2 ? 35 : 75; /* fill, drain */
	int full = walk->oracle.nr == walk->world->most - 1;

	if (dice < 2)
		fork_and_go_on(walk);
	else if (dice < 6 && !full)
		reserve_some(walk);
	else if (dice < 6 + want_alloc && !full)
		alloc_some(walk);
	else
		free_some(walk);
	if (i % walk->check_every)
		assert_same_state(walk);
	else
		assert_same(walk);
}

/* Of each world; more than usual with an argument. */
static unsigned nr_steps = STEPS;

static struct walk given_walk(const struct world *w, struct iommusim_fault *fault)
{
	struct iommusim_host host = iommusim_host_failing(fault);
	struct iommusim_iova_config config = { .size = sizeof(config),
		                               .granule_lg2 = w->granule_lg2,
		                               .start = w->start,
		                               .host = &host };
	struct walk walk = { .world = w,
		             .rng = isim_rng_seed(w->seed),
		             .fault = fault,
		             .check_every = nr_steps > STEPS ? 64
		                            : w->most > 160  ? 16
		                                             : 1 };

	oracle_init(&walk.oracle, w->start, w->granule_lg2);
	print_message("# seed %u\n", (unsigned)w->seed);
	assert_ok(iommusim_iova_create(&config, &walk.space));
	return walk;
}

static void every_call_does_what_the_obvious_allocator_does(void **state)
{
	struct iommusim_fault fault = { 0 };
	struct walk walk = given_walk(*state, &fault);

	for (unsigned i = 0; i < nr_steps; i++)
		step(&walk, i);
	assert_true(walk.nr_taken > nr_steps / 10);
	assert_true(walk.nr_refused > nr_steps / 100);
	assert_true(walk.nr_failed > 0);
	iommusim_iova_destroy(walk.space);
	assert_int_equal(fault.nr_live, 0);
}

static void a_fork_is_the_same_and_goes_its_own_way(void **state)
{
	struct iommusim_fault fault = { 0 };
	struct walk walk = given_walk(&worlds[1], &fault), twin;

	for (unsigned i = 0; i < 150; i++)
		step(&walk, i);
	twin = walk;
	twin.space = fork_of(&walk);
	twin.rng = isim_rng_seed(twin.world->seed + 100);
	for (unsigned i = 0; i < 300; i++) {
		step(&walk, i);
		assert_same(&twin);
		step(&twin, i);
		assert_same(&walk);
	}
	iommusim_iova_destroy(walk.space);
	assert_same(&twin);
	iommusim_iova_destroy(twin.space);
	assert_int_equal(fault.nr_live, 0);
}

/* test_iova_oracle [STEPS] */
int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_LEN(worlds) + 1] = {
		cmocka_unit_test(a_fork_is_the_same_and_goes_its_own_way),
	};

	if (argc > 1)
		nr_steps = (unsigned)strtoul(argv[1], NULL, 10);
	for (size_t i = 0; i < ARRAY_LEN(worlds); i++)
		tests[i + 1] = (struct CMUnitTest)TEST_ROW(
			every_call_does_what_the_obvious_allocator_does, &worlds[i]);
	return RUN_TESTS(tests);
}
