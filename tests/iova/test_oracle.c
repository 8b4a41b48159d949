/* SPDX-License-Identifier: MIT */
/*
 * Random calls against the obvious allocator: an array of ranges in ascending order, the anchor at
 * its end, every search from one end to the other. Frames, shortcuts and ranges must be the same
 * after every step. A call that needs host memory fails first, changes nothing, and is repeated.
 */
#include <string.h>

#include "test.h"

#include "base/rng.h"

#define STEPS 4000
#define MOST  160 /* ranges at a time, with the anchor */

/* ---- The oracle ---- */

/* A hint is the range that ends at that frame: the end of a range never moves. */
struct oracle {
	struct iommusim_iova_range range[MOST];
	int nr;
	uint64_t start, last, d32, max32, hint32, hint64;
};

static struct oracle empty_oracle(uint64_t start, unsigned granule_lg2)
{
	uint64_t d32 = UINT64_C(0x100000000) >> granule_lg2;
	struct oracle o = { .range = { { UINT64_MAX, UINT64_MAX } }, .nr = 1, .start = start };

	o.last = UINT64_MAX >> granule_lg2;
	o.d32 = o.max32 = d32;
	o.hint32 = o.hint64 = UINT64_MAX;
	return o;
}

static int index_of_end(const struct oracle *o, uint64_t hi)
{
	int i = 0;

	while (o->range[i].hi != hi)
		i++;
	return i;
}

static int first_from(const struct oracle *o, uint64_t lo)
{
	int i = 0;

	while (o->range[i].lo < lo)
		i++;
	return i;
}

static void put(struct oracle *o, uint64_t lo, uint64_t hi)
{
	int i = first_from(o, lo);

	memmove(&o->range[i + 1], &o->range[i], (size_t)(o->nr - i) * sizeof(o->range[0]));
	o->range[i] = (struct iommusim_iova_range){ lo, hi };
	o->nr++;
}

static uint64_t alignment_of(uint64_t size)
{
	uint64_t align = 1;

	while (align && align < size)
		align *= 2;
	return align;
}

/* Down from range @i between @low and @high: 1 if @lo is free. */
static int look_below(const struct oracle *o, int i, const struct iommusim_iova_range *window,
                      uint64_t size, uint64_t mask, uint64_t *lo)
{
	uint64_t high = window->hi;

	for (;;) {
		if (o->range[i].lo < high)
			high = o->range[i].lo;
		*lo = (high - size) & mask;
		if (--i < 0 || *lo > o->range[i].hi || *lo < window->lo)
			break;
	}
	return high >= size && *lo >= window->lo;
}

static int oracle_alloc(struct oracle *o, uint64_t size, uint64_t limit, int aligned, uint64_t *lo)
{
	uint64_t end = limit + 1, mask = aligned ? ~(alignment_of(size) - 1) : ~UINT64_C(0);
	uint64_t hint = end <= o->d32 ? o->hint32 : o->hint64;
	struct iommusim_iova_range below = { o->start, end }, above = { hint + 1, end };

	if (end <= o->d32 && size >= o->max32)
		return -IOMMUSIM_ENOMEM;
	if (!look_below(o, index_of_end(o, hint), &below, size, mask, lo) &&
	    (hint >= end || !look_below(o, first_from(o, end), &above, size, mask, lo))) {
		o->max32 = size;
		return -IOMMUSIM_ENOMEM;
	}
	put(o, *lo, *lo + size - 1);
	*(*lo + size - 1 < o->d32 ? &o->hint32 : &o->hint64) = *lo + size - 1;
	return 0;
}

static void oracle_free(struct oracle *o, uint64_t frame)
{
	for (int i = 0; i < o->nr - 1; i++) {
		struct iommusim_iova_range r = o->range[i];
		uint64_t next = o->range[i + 1].hi;

		if (frame < r.lo || frame > r.hi)
			continue;
		if (r.hi == o->hint32 ||
		    (r.hi < o->d32 && r.lo >= o->range[index_of_end(o, o->hint32)].lo))
			o->hint32 = next;
		if (r.lo < o->d32)
			o->max32 = o->d32;
		if (r.lo >= o->range[index_of_end(o, o->hint64)].lo)
			o->hint64 = next;
		o->nr--;
		memmove(&o->range[i], &o->range[i + 1], (size_t)(o->nr - i) * sizeof(o->range[0]));
		return;
	}
}

static int oracle_reserve(struct oracle *o, struct iommusim_iova_range *range)
{
	uint64_t lo = range->lo, hi = range->hi;
	int met = 0;

	if (lo > hi || hi > o->last)
		return -IOMMUSIM_EINVAL;
	for (int i = 0; i < o->nr - 1; i++) {
		struct iommusim_iova_range *r = &o->range[i];

		if (r->lo > hi || r->hi < lo) {
			if (met)
				break;
			continue;
		}
		met = 1;
		if (lo < r->lo)
			r->lo = lo;
		if (hi > r->hi)
			lo = r->hi + 1;
		if (lo >= r->lo && hi <= r->hi) {
			*range = *r;
			return 0;
		}
	}
	put(o, lo, hi);
	*range = (struct iommusim_iova_range){ lo, hi };
	return 0;
}

/* ---- The walk ---- */

/* @top is the last frame that calls ask for: just above 4 GiB, so that both hints are used. */
static const struct world {
	const char *name;
	unsigned granule_lg2;
	uint64_t start, top, largest, seed;
} worlds[] = {
	{ "32 frames below 4 GiB, 32 above, small sizes", 27, 1, 63, 5, 1 },
	{ "64 frames below 4 GiB, 64 above, sizes up to 20", 26, 1, 127, 20, 2 },
	{ "the space starts in the middle", 26, 40, 150, 9, 3 },
	{ "the space starts above 4 GiB", 28, 20, 90, 6, 4 },
	{ "everything lies below 4 GiB", 24, 1, 255, 40, 5 },
	{ "one frame below 4 GiB", 32, 1, 60, 4, 6 },
	{ "4 KiB frames around 4 GiB", 12, 0xfffd0, 0x10003f, 12, 7 },
	{ "sizes on both sides of the rounding", 23, 1, 1000, 70, 8 },
	{ "single frames", 26, 1, 90, 1, 9 },
	{ "the top of a 64-bit space", 1, (UINT64_MAX >> 1) - 99, UINT64_MAX >> 1, 10, 10 },
};

struct walk {
	const struct world *world;
	struct isim_rng rng;
	struct iommusim_fault *fault;
	struct iommusim_iova *space;
	struct oracle oracle;
	unsigned nr_taken, nr_refused, nr_failed;
};

static void assert_same(const struct walk *walk)
{
	const struct oracle *o = &walk->oracle;
	struct iommusim_iova_range range = { 0, 0 };
	uint64_t from = 0;

	assert_int_equal(iommusim_iova_max32(walk->space), o->max32);
	assert_int_equal(iommusim_iova_nr_ranges(walk->space), o->nr - 1);
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
		size = size < 32 ? alignment_of(size) : size;
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
	uint64_t want_alloc = i / 100 % 2 ? 35 : 75; /* fill, then drain */
	int full = walk->oracle.nr == MOST - 1;

	if (dice < 2)
		fork_and_go_on(walk);
	else if (dice < 6 && !full)
		reserve_some(walk);
	else if (dice < 6 + want_alloc && !full)
		alloc_some(walk);
	else
		free_some(walk);
	assert_same(walk);
}

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
		             .oracle = empty_oracle(w->start, w->granule_lg2) };

	print_message("# seed %u\n", (unsigned)w->seed);
	assert_ok(iommusim_iova_create(&config, &walk.space));
	return walk;
}

static void every_call_does_what_the_obvious_allocator_does(void **state)
{
	struct iommusim_fault fault = { 0 };
	struct walk walk = given_walk(*state, &fault);

	for (unsigned i = 0; i < STEPS; i++)
		step(&walk, i);
	assert_true(walk.nr_taken > STEPS / 10);
	assert_true(walk.nr_refused > STEPS / 100);
	assert_true(walk.nr_failed > 1);
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

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(worlds) + 1] = {
		cmocka_unit_test(a_fork_is_the_same_and_goes_its_own_way),
	};

	for (size_t i = 0; i < ARRAY_LEN(worlds); i++)
		tests[i + 1] = (struct CMUnitTest)TEST_ROW(
			every_call_does_what_the_obvious_allocator_does, &worlds[i]);
	return RUN_TESTS(tests);
}
