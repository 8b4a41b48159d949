/* SPDX-License-Identifier: MIT */
/*
 * The host has no memory: every call fails whole and may be repeated. Two spaces get the same
 * calls; one host fails the first allocation of each call, then the second, until the call
 * succeeds; the other never does. They must stay equal, in what they show and in what they do next.
 */
#include <string.h>

#include "test.h"

#include "base/rng.h"

#define NR_CPUS 3
#define LAST32  UINT64_C(0xfffff)
#define LAST48  UINT64_C(0xfffffffff)
#define MOST    6000 /* ranges at a time */
#define STEPS   60000

static void creation_fails_whole(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_iova_config config = { .size = sizeof(config),
			                               .nr_cpus = NR_CPUS,
			                               .host = &host };
		struct iommusim_iova *space = NULL;

		err = iommusim_iova_create(&config, &space);
		if (err) {
			assert_err(err, IOMMUSIM_EHOST);
			assert_null(space);
		}
		iommusim_iova_destroy(space);
		assert_int_equal(fault.nr_live, 0);
		assert_true(err || n > 5); /* the handle and four arrays */
	}
}

/* ---- Twins ---- */

struct owned {
	uint64_t lo, size;
};

struct twins {
	struct isim_rng rng;
	struct iommusim_fault fault;
	struct iommusim_iova *faulty, *sound;
	struct owned owned[MOST];
	unsigned nr_owned;
	unsigned nr_failed, nr_pushed;
};

static struct iommusim_iova *given_space(unsigned kernel, const struct iommusim_host *host)
{
	struct iommusim_iova_config config = {
		.size = sizeof(config), .kernel = kernel, .nr_cpus = NR_CPUS, .host = host
	};
	struct iommusim_iova *space = NULL;

	assert_ok(iommusim_iova_create(&config, &space));
	return space;
}

/* Let allocation number @n of the next call fail. */
static void fail_next(struct twins *t, uint64_t n)
{
	t->fault.fail_at = t->fault.nr_allocs + n;
}

/* 1: the call failed for want of host memory, and must be repeated. */
static int host_failed(struct twins *t, int err)
{
	t->fault.fail_at = 0;
	t->nr_failed += err == -IOMMUSIM_EHOST;
	return err == -IOMMUSIM_EHOST;
}

static void assert_same_stats(struct twins *t)
{
	struct iommusim_iova_stats a, b;

	assert_ok(iommusim_iova_stats(t->faulty, LAST48, &a));
	assert_ok(iommusim_iova_stats(t->sound, LAST48, &b));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(iommusim_iova_max32(t->faulty), iommusim_iova_max32(t->sound));
	assert_int_equal(iommusim_iova_pending(t->faulty), iommusim_iova_pending(t->sound));
	t->nr_pushed += b.nr_depot > 0;
}

static void assert_same_ranges(const struct twins *t)
{
	struct iommusim_iova_range a = { 0, 0 }, b = { 0, 0 };
	uint64_t from = 0;
	int is_there;

	do {
		is_there = iommusim_iova_next(t->sound, from, &b);
		assert_int_equal(iommusim_iova_next(t->faulty, from, &a), is_there);
		assert_memory_equal(&a, &b, sizeof(a));
		from = a.hi + 1;
	} while (is_there);
}

/* The first one does most of the work, so that its magazines fill. */
static unsigned some_cpu(struct twins *t)
{
	return isim_rng_below(&t->rng, 4) ? 0 : (unsigned)isim_rng_below(&t->rng, NR_CPUS);
}

static struct iommusim_iova_request some_request(struct twins *t)
{
	uint64_t dice = isim_rng_below(&t->rng, 10);

	return (struct iommusim_iova_request){
		.size = dice ? 1 + dice / 8 : isim_rng_range(&t->rng, 1, 80),
		.limit = isim_rng_below(&t->rng, 2) ? LAST32 : LAST48,
		.cpu = some_cpu(t),
		.flush = isim_rng_below(&t->rng, 2) > 0
	};
}

/* @how: 0 and 1 are iommusim_iova_alloc(), 2 is the fast call. */
static int take(struct iommusim_iova *space, unsigned how,
                const struct iommusim_iova_request *request, uint64_t *lo)
{
	if (how == 2)
		return iommusim_iova_alloc_fast(space, request, lo);
	return iommusim_iova_alloc(space, request->size, request->limit, (int)how, lo);
}

static void take_some(struct twins *t)
{
	struct iommusim_iova_request request = some_request(t);
	unsigned how = isim_rng_below(&t->rng, 8) ? 2 : (unsigned)isim_rng_below(&t->rng, 2);
	uint64_t a = 7, b = 7;
	int err;

	if (t->nr_owned == MOST)
		return;
	for (uint64_t n = 1;; n++) {
		fail_next(t, n);
		err = take(t->faulty, how, &request, &a);
		if (!host_failed(t, err))
			break;
		assert_int_equal(a, 7);
	}
	assert_err(take(t->sound, how, &request, &b), err);
	assert_int_equal(a, b);
	if (!err)
		t->owned[t->nr_owned++] = (struct owned){ a, request.size };
}

static void free_some(struct twins *t)
{
	unsigned cpu = some_cpu(t);
	struct owned *o;

	if (!t->nr_owned)
		return;
	o = &t->owned[isim_rng_below(&t->rng, t->nr_owned)];
	fail_next(t, 1);
	assert_ok(iommusim_iova_free_fast(t->faulty, o->lo, o->size, cpu)); /* needs no memory */
	t->fault.fail_at = 0;
	assert_ok(iommusim_iova_free_fast(t->sound, o->lo, o->size, cpu));
	*o = t->owned[--t->nr_owned];
}

static void reserve_some(struct twins *t)
{
	uint64_t lo = isim_rng_below(&t->rng, 0x1000) + 1;
	struct iommusim_iova_range a = { lo, lo + 3 }, b = a;
	uint64_t n = 1;
	int err;

	do {
		fail_next(t, n++);
		err = iommusim_iova_reserve(t->faulty, &a);
	} while (host_failed(t, err));
	assert_err(iommusim_iova_reserve(t->sound, &b), err);
	assert_memory_equal(&a, &b, sizeof(a));
}

/* The fork of the faulty one takes its place. */
static void fork_faulty(struct twins *t)
{
	uint64_t live = t->fault.nr_live;
	struct iommusim_iova *copy = NULL;

	for (uint64_t n = 1;; n++) {
		fail_next(t, n);
		if (!host_failed(t, iommusim_iova_fork(t->faulty, &copy)))
			break;
		assert_null(copy);
		assert_int_equal(t->fault.nr_live, live);
	}
	iommusim_iova_destroy(t->faulty);
	t->faulty = copy;
}

static void work(struct twins *t)
{
	unsigned orders = (unsigned)isim_rng_below(&t->rng, 64);

	fail_next(t, 1);
	if (isim_rng_below(&t->rng, 10)) {
		assert_int_equal(iommusim_iova_trim(t->faulty, orders),
		                 iommusim_iova_trim(t->sound, orders));
	} else {
		iommusim_iova_flush(t->faulty);
		iommusim_iova_flush(t->sound);
	}
	t->fault.fail_at = 0;
}

/* Three thousand steps in which the twins mostly fill, then as many in which they drain. */
static void step(struct twins *t, unsigned i)
{
	uint64_t dice = isim_rng_below(&t->rng, 1000);

	if (dice < 1)
		fork_faulty(t);
	else if (dice < 3)
		work(t);
	else if (dice < 5)
		reserve_some(t);
	else if (dice < (i / 3000 % 2 ? 150u : 850u))
		take_some(t);
	else
		free_some(t);
}

static const struct row {
	const char *name;
	unsigned kernel;
} rows[] = {
	{ "Linux 6.1", IOMMUSIM_KERNEL(6, 1) },
	{ "Linux 6.12", IOMMUSIM_KERNEL(6, 12) },
};

static void calls_fail_whole_and_frees_never(void **state)
{
	const struct row *row = *state;
	static struct twins t;
	struct iommusim_host host;

	memset(&t, 0, sizeof(t));
	t.rng = isim_rng_seed(row->kernel);
	print_message("# seed %u\n", row->kernel);
	host = iommusim_host_failing(&t.fault);
	t.faulty = given_space(row->kernel, &host);
	t.sound = given_space(row->kernel, NULL);
	for (unsigned i = 0; i < STEPS; i++) {
		step(&t, i);
		if (i % 500 == 0) {
			assert_same_stats(&t);
			assert_same_ranges(&t);
		}
	}
	assert_true(t.nr_failed > 100);
	assert_in_range(t.nr_pushed, 10, 10000);
	iommusim_iova_destroy(t.faulty);
	iommusim_iova_destroy(t.sound);
	assert_int_equal(t.fault.nr_live, 0);
}

/* Only a caller that frees twice can make a cache grow beyond what was reserved. */
static void frames_freed_twice_may_find_no_memory(void **state)
{
	struct iommusim_fault fault = { 0 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	struct iommusim_iova *space = given_space(0, &host);
	struct iommusim_iova_stats before, after;
	int err = 0;

	do {
		assert_ok(iommusim_iova_stats(space, LAST48, &before));
		fault.fail_at = fault.nr_allocs + 1;
		err = iommusim_iova_free_fast(space, 5, 1, 0);
		fault.fail_at = 0;
	} while (!err);
	assert_err(err, IOMMUSIM_EHOST);
	assert_string_equal(iommusim_iova_error(space),
	                    "the host has no memory for frames that were freed twice");
	assert_ok(iommusim_iova_stats(space, LAST48, &after));
	assert_memory_equal(&before, &after, sizeof(before));
	assert_ok(iommusim_iova_free_fast(space, 5, 1, 0));
	assert_ok(iommusim_iova_stats(space, LAST48, &after));
	assert_int_equal(after.nr_cached, before.nr_cached + 1);
	assert_int_equal(after.nr_depot, before.nr_depot + 1);
	iommusim_iova_destroy(space);
	assert_int_equal(fault.nr_live, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation_fails_whole),
		TEST_ROW(calls_fail_whole_and_frees_never, &rows[0]),
		TEST_ROW(calls_fail_whole_and_frees_never, &rows[1]),
		cmocka_unit_test(frames_freed_twice_may_find_no_memory),
	};

	return RUN_TESTS(tests);
}
