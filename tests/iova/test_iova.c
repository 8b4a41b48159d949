/* SPDX-License-Identifier: MIT */
/*
 * The allocator by example: scripts of calls small enough to follow on paper, then rounding,
 * reservations, look-ups and refused configs.
 */
#include <stdio.h>
#include <string.h>

#include "test.h"

#define FAIL     UINT64_MAX            /* no room */
#define LAST32   UINT64_C(0xfffff)     /* last 4 KiB frame below 4 GiB */
#define LAST48   UINT64_C(0xfffffffff) /* of a 48-bit space */
#define LAST64   (UINT64_MAX >> 12)
#define HALF     UINT64_C(0xffff0) /* a start that leaves 16 frames below 4 GiB */
#define MOST     16                /* steps of a script */
#define TEXT_MAX 1024

static struct iommusim_iova *given_space(unsigned granule_lg2, uint64_t start)
{
	struct iommusim_iova_config config = { .size = sizeof(config),
		                               .granule_lg2 = granule_lg2,
		                               .start = start };
	struct iommusim_iova *space = NULL;

	assert_ok(iommusim_iova_create(&config, &space));
	return space;
}

/* All ranges in hexadecimal, "1-4 8-8", in ascending order. */
static const char *ranges_text(const struct iommusim_iova *space, char *text)
{
	struct iommusim_iova_range range = { 0, 0 };
	uint64_t from = 0;
	size_t at = 0;

	text[0] = 0;
	while (iommusim_iova_next(space, from, &range)) {
		at += (size_t)snprintf(text + at, TEXT_MAX - at, "%s%llx-%llx", at ? " " : "",
		                       (unsigned long long)range.lo, (unsigned long long)range.hi);
		assert_true(at < TEXT_MAX);
		from = range.hi + 1;
	}
	return text;
}

static void assert_ranges(const struct iommusim_iova *space, const char *want)
{
	char text[TEXT_MAX];

	assert_string_equal(ranges_text(space, text), want);
}

/* ---- Scripts ---- */

enum op { END, PLAIN, ALIGNED, FAST, FREE, RESERVE };

struct step {
	enum op op;
	uint64_t what, limit; /* size and limit; RESERVE: both ends; FREE: a frame */
	uint64_t want;        /* first frame of the result, or FAIL */
	uint64_t max32;       /* afterwards; 0: none known */
};

static const struct script {
	const char *name;
	unsigned granule_lg2;
	uint64_t start;
	struct step step[MOST];
	const char *ranges; /* in the end */
} scripts[] = {
	{ "holes above the hint stay until a free moves it up",
	  12,
	  1,
	  { { FAST, 1, LAST32, 0xfffff, 0 },
	    { FAST, 1, LAST32, 0xffffe, 0 },
	    { FAST, 3, LAST32, 0xffff8, 0 },
	    { FAST, 1, LAST32, 0xffff7, 0 },
	    { FREE, 0xffffe, 0, 0, 0 },
	    { FAST, 1, LAST32, 0xffffe, 0 },
	    { FAST, 1, LAST32, 0xffffd, 0 },
	    { FAST, 1, LAST32, 0xffffc, 0 } },
	  "ffff7-ffff7 ffff8-ffffb ffffc-ffffc ffffd-ffffd ffffe-ffffe fffff-fffff" },
	{ "the second pass and the size that failed",
	  12,
	  HALF,
	  { { ALIGNED, 8, LAST32, 0xffff8, 0 },
	    { ALIGNED, 4, LAST32, 0xffff4, 0 },
	    { ALIGNED, 8, LAST32, FAIL, 8 },
	    { ALIGNED, 8, LAST32, FAIL, 8 },
	    { ALIGNED, 4, LAST32, 0xffff0, 8 },
	    { ALIGNED, 1, LAST32, FAIL, 1 },
	    { FREE, 0xffff4, 0, 0, 0 },
	    { ALIGNED, 2, LAST32, 0xffff6, 0 },
	    { ALIGNED, 8, LAST32, FAIL, 8 },
	    { ALIGNED, 2, LAST32, 0xffff4, 8 } },
	  "ffff0-ffff3 ffff4-ffff5 ffff6-ffff7 ffff8-fffff" },
	{ "a free at or above the hint moves it, one below does not",
	  12,
	  HALF,
	  { { ALIGNED, 4, LAST32, 0xffffc, 0 },
	    { ALIGNED, 4, LAST32, 0xffff8, 0 },
	    { ALIGNED, 4, LAST32, 0xffff4, 0 },
	    { ALIGNED, 4, LAST32, 0xffff0, 0 },
	    { FREE, 0xffffc, 0, 0, 0 },
	    { ALIGNED, 2, LAST32, 0xffffe, 0 },
	    { FREE, 0xffff0, 0, 0, 0 },
	    { ALIGNED, 2, LAST32, 0xffffc, 0 },
	    { ALIGNED, 2, LAST32, 0xffff2, 0 },
	    { ALIGNED, 2, LAST32, 0xffff0, 0 } },
	  "ffff0-ffff1 ffff2-ffff3 ffff4-ffff7 ffff8-ffffb ffffc-ffffd ffffe-fffff" },
	{ "requests above and below 4 GiB have a hint each",
	  12,
	  1,
	  { { FAST, 256, LAST48, 0xfffffff00, 0 },
	    { FAST, 1, LAST48, 0xffffffeff, 0 },
	    { FAST, 300, LAST48, 0xffffffc00, 0 },
	    { FAST, 512, LAST32, 0xffe00, 0 },
	    { FAST, 33, LAST32, 0xffdc0, 0 },
	    { FAST, 1, LAST48, 0xffffffbff, 0 } },
	  "ffdc0-ffde0 ffe00-fffff ffffffbff-ffffffbff ffffffc00-ffffffd2b "
	  "ffffffeff-ffffffeff fffffff00-fffffffff" },
	{ "a failure above 4 GiB is remembered below it",
	  12,
	  HALF,
	  { { PLAIN, 32, 0x10000f, HALF, 0 },
	    { PLAIN, 1, 0x10000f, FAIL, 1 },
	    { PLAIN, 1, LAST32, FAIL, 1 },
	    { FREE, 0x100003, 0, 0, 0 },
	    { PLAIN, 1, LAST32, 0xfffff, 0 } },
	  "fffff-fffff" },
	{ "a free above 4 GiB does not forget what failed below",
	  12,
	  HALF,
	  { { PLAIN, 16, LAST32, HALF, 0 },
	    { PLAIN, 1, LAST32, FAIL, 1 },
	    { PLAIN, 4, 0x10000f, 0x10000c, 1 },
	    { FREE, 0x10000c, 0, 0, 1 },
	    { PLAIN, 1, LAST32, FAIL, 1 },
	    { FREE, HALF, 0, 0, 0 } },
	  "" },
	{ "only the alignment is rounded, not the size",
	  12,
	  1,
	  { { PLAIN, 3, LAST32, 0xffffd, 0 },
	    { PLAIN, 5, LAST32, 0xffff8, 0 },
	    { ALIGNED, 3, LAST32, 0xffff4, 0 },
	    { ALIGNED, 1, LAST32, 0xffff3, 0 } },
	  "ffff3-ffff3 ffff4-ffff6 ffff8-ffffc ffffd-fffff" },
	{ "a hint below the limit hides the room above it",
	  12,
	  1,
	  { { PLAIN, 1, 0x7ffff, 0x7ffff, 0 },
	    { PLAIN, 1, LAST32, 0x7fffe, 0 },
	    { FREE, 0x7fffe, 0, 0, 0 },
	    { FREE, 0x7ffff, 0, 0, 0 },
	    { PLAIN, 1, LAST32, 0xfffff, 0 } },
	  "fffff-fffff" },
	{ "the second pass ends at the limit",
	  12,
	  0x7fff0,
	  { { PLAIN, 16, 0x7ffff, 0x7fff0, 0 },
	    { PLAIN, 2, 0x80003, 0x80002, 0 },
	    { PLAIN, 1, 0x80001, 0x80001, 0 },
	    { PLAIN, 1, 0x80000, 0x80000, 0 },
	    { PLAIN, 1, 0x80003, FAIL, 1 } },
	  "7fff0-7ffff 80000-80000 80001-80001 80002-80003" },
	{ "limits below the start and limits that wrap leave no room",
	  12,
	  0x100,
	  { { PLAIN, 1, 0xff, FAIL, 1 },
	    { PLAIN, 1, UINT64_MAX, FAIL, 1 },
	    { PLAIN, 1, LAST32, FAIL, 1 },
	    { PLAIN, 1, UINT64_MAX - 1, UINT64_MAX - 1, 1 },
	    { PLAIN, 1, 0x100000, 0x100000, 1 } },
	  "100000-100000 fffffffffffffffe-fffffffffffffffe" },
	{ "sizes near 2^64 find no room",
	  12,
	  1,
	  { { ALIGNED, (UINT64_C(1) << 63) + 1, UINT64_MAX - 1, FAIL, (UINT64_C(1) << 63) + 1 },
	    { PLAIN, UINT64_MAX, UINT64_MAX - 1, FAIL, UINT64_MAX },
	    { PLAIN, UINT64_MAX - 2, UINT64_MAX - 1, 2, UINT64_MAX } },
	  "2-fffffffffffffffe" },
	{ "any frame of a range frees all of it, others are ignored",
	  12,
	  1,
	  { { PLAIN, 4, LAST32, 0xffffc, 0 },
	    { PLAIN, 4, LAST32, 0xffff8, 0 },
	    { FREE, 0xffff7, 0, 0, 0 },
	    { FREE, 0x100000, 0, 0, 0 },
	    { FREE, 0, 0, 0, 0 },
	    { FREE, UINT64_MAX, 0, 0, 0 },
	    { PLAIN, 4, LAST32, 0xffff4, 0 },
	    { FREE, 0xffffa, 0, 0, 0 },
	    { PLAIN, 4, LAST32, 0xffff8, 0 },
	    { FREE, 0xffff7, 0, 0, 0 } },
	  "ffff8-ffffb ffffc-fffff" },
	{ "larger granules have fewer frames below 4 GiB",
	  16,
	  0,
	  { { PLAIN, 1, 0xffff, 0xffff, 0 },
	    { PLAIN, 0xfffe, 0xffff, 1, 0 },
	    { PLAIN, 1, 0xffff, FAIL, 1 },
	    { PLAIN, 1, 0x10000, 0x10000, 1 } },
	  "1-fffe ffff-ffff 10000-10000" },
	{ "reservations move neither hints nor the size that failed",
	  12,
	  HALF,
	  { { ALIGNED, 4, LAST32, 0xffffc, 0 },
	    { RESERVE, 0xffff4, 0xffff7, 0xffff4, 0 },
	    { ALIGNED, 8, LAST32, FAIL, 8 },
	    { RESERVE, 0xffff2, 0xffff3, 0xffff2, 8 },
	    { ALIGNED, 4, LAST32, 0xffff8, 8 },
	    { ALIGNED, 2, LAST32, 0xffff0, 8 } },
	  "ffff0-ffff1 ffff2-ffff3 ffff4-ffff7 ffff8-ffffb ffffc-fffff" },
	{ "a later reservation extends an allocated range downwards, and is freed with it",
	  12,
	  HALF,
	  { { ALIGNED, 4, LAST32, 0xffffc, 0 },
	    { RESERVE, 0xffffa, 0xffffd, 0xffffa, 0 },
	    { ALIGNED, 1, LAST32, 0xffff9, 0 },
	    { FREE, 0xffffb, 0, 0, 0 },
	    { ALIGNED, 4, LAST32, 0xffffc, 0 } },
	  "ffff9-ffff9 ffffc-fffff" },
};

static int take_fast(struct iommusim_iova *space, uint64_t size, uint64_t limit, uint64_t *lo)
{
	return iommusim_iova_alloc_fast(
		space, &(struct iommusim_iova_request){ .size = size, .limit = limit }, lo);
}

static int perform(struct iommusim_iova *space, const struct step *s, uint64_t *lo)
{
	struct iommusim_iova_range range = { s->what, s->limit };
	int err = 0;

	if (s->op == FAST)
		return take_fast(space, s->what, s->limit, lo);
	if (s->op == FREE)
		iommusim_iova_free(space, s->what);
	else if (s->op == RESERVE)
		err = iommusim_iova_reserve(space, &range);
	else
		return iommusim_iova_alloc(space, s->what, s->limit, s->op == ALIGNED, lo);
	*lo = s->op == RESERVE ? range.lo : 0;
	return err;
}

static void script_runs(void **state)
{
	const struct script *script = *state;
	struct iommusim_iova *space = given_space(script->granule_lg2, script->start);
	uint64_t d32 = iommusim_iova_max32(space);

	assert_int_equal(d32, UINT64_C(0x100000000) >> script->granule_lg2);
	for (const struct step *s = script->step; s < script->step + MOST && s->op != END; s++) {
		uint64_t lo = FAIL;

		assert_err(perform(space, s, &lo), s->want == FAIL ? IOMMUSIM_ENOMEM : 0);
		assert_int_equal(lo, s->want);
		assert_int_equal(iommusim_iova_max32(space), s->max32 ? s->max32 : d32);
	}
	assert_ranges(space, script->ranges);
	assert_string_equal(iommusim_iova_error(space), "");
	iommusim_iova_destroy(space);
}

/* ---- Rounding ---- */

static const struct fast_row {
	const char *name;
	uint64_t size, lo, hi;
} fast_rows[] = {
	{ "1 frame takes 1", 1, 0xfffff, 0xfffff },
	{ "2 frames take 2", 2, 0xffffe, 0xfffff },
	{ "3 frames take 4", 3, 0xffffc, 0xfffff },
	{ "5 frames take 8", 5, 0xffff8, 0xfffff },
	{ "17 frames take 32", 17, 0xfffe0, 0xfffff },
	{ "31 frames take 32", 31, 0xfffe0, 0xfffff },
	{ "32 frames take 32", 32, 0xfffe0, 0xfffff },
	{ "33 frames take 33 of an aligned 64", 33, 0xfffc0, 0xfffe0 },
	{ "300 frames take 300 of an aligned 512", 300, 0xffe00, 0xfff2b },
};

static void small_sizes_are_rounded(void **state)
{
	const struct fast_row *r = *state;
	struct iommusim_iova *space = given_space(0, 0);
	struct iommusim_iova_range range = { 0, 0 };
	uint64_t lo = 0;

	assert_ok(take_fast(space, r->size, LAST32, &lo));
	assert_int_equal(lo, r->lo);
	assert_int_equal(iommusim_iova_find(space, lo, &range), 1);
	assert_int_equal(range.lo, r->lo);
	assert_int_equal(range.hi, r->hi);
	iommusim_iova_destroy(space);
}

/* ---- Reservations ---- */

/* What is reserved before, the call, what it stores and what is there afterwards. */
static const struct reserve_row {
	const char *name;
	struct iommusim_iova_range before[2]; /* hi 0: none */
	struct iommusim_iova_range call;
	int err;
	struct iommusim_iova_range stored;
	const char *ranges;
} reserve_rows[] = {
	{ "free frames become a range", { { 0, 0 } }, { 1, 9 }, 0, { 1, 9 }, "1-9" },
	{ "frame 0 can be reserved", { { 0, 0 } }, { 0, 0 }, 0, { 0, 0 }, "0-0" },
	{ "neighbours stay apart", { { 3, 4 } }, { 5, 9 }, 0, { 5, 9 }, "3-4 5-9" },
	{ "what is reserved stays", { { 3, 9 } }, { 4, 8 }, 0, { 3, 9 }, "3-9" },
	{ "a range grows downwards", { { 5, 9 } }, { 3, 6 }, 0, { 3, 9 }, "3-9" },
	{ "a range never grows upwards", { { 3, 6 } }, { 5, 9 }, 0, { 7, 9 }, "3-6 7-9" },
	{ "around a range", { { 4, 6 } }, { 2, 9 }, 0, { 7, 9 }, "2-6 7-9" },
	{ "gaps go upwards", { { 2, 3 }, { 6, 7 } }, { 1, 7 }, 0, { 4, 7 }, "1-3 4-7" },
	{ "around two ranges", { { 2, 3 }, { 6, 7 } }, { 1, 9 }, 0, { 8, 9 }, "1-3 4-7 8-9" },
	{ "from one to another", { { 2, 3 }, { 6, 7 } }, { 3, 6 }, 0, { 4, 7 }, "2-3 4-7" },
	{ "the last frame of the address space",
	  { { 0, 0 } },
	  { LAST64, LAST64 },
	  0,
	  { LAST64, LAST64 },
	  "fffffffffffff-fffffffffffff" },
	{ "one frame more is refused",
	  { { 3, 4 } },
	  { 1, LAST64 + 1 },
	  IOMMUSIM_EINVAL,
	  { 1, LAST64 + 1 },
	  "3-4" },
	{ "an end before the start is refused",
	  { { 3, 4 } },
	  { 4, 3 },
	  IOMMUSIM_EINVAL,
	  { 4, 3 },
	  "3-4" },
};

static void is_reserved(void **state)
{
	const struct reserve_row *r = *state;
	struct iommusim_iova *space = given_space(0, 0);
	struct iommusim_iova_range range = r->call;

	for (unsigned i = 0; i < 2; i++)
		if (r->before[i].hi)
			assert_ok(iommusim_iova_reserve(
				space,
				&(struct iommusim_iova_range){ r->before[i].lo, r->before[i].hi }));
	assert_err(iommusim_iova_reserve(space, &range), r->err);
	assert_int_equal(range.lo, r->stored.lo);
	assert_int_equal(range.hi, r->stored.hi);
	assert_ranges(space, r->ranges);
	iommusim_iova_destroy(space);
}

/* ---- Looking, telling, refusing ---- */

static void ranges_are_found_by_any_of_their_frames(void **state)
{
	struct iommusim_iova *space = given_space(0, 0);
	struct iommusim_iova_range range = { 10, 12 };

	assert_int_equal(iommusim_iova_next(space, 0, &range), 0);
	assert_int_equal(iommusim_iova_nr_ranges(space), 0);
	assert_ok(iommusim_iova_reserve(space, &range));
	assert_int_equal(iommusim_iova_nr_ranges(space), 1);
	range.lo = range.hi = 77;
	assert_int_equal(iommusim_iova_find(space, 9, &range), 0);
	assert_int_equal(iommusim_iova_find(space, 13, &range), 0);
	assert_int_equal(iommusim_iova_find(space, UINT64_MAX, &range), 0);
	assert_int_equal(iommusim_iova_next(space, 13, &range), 0);
	assert_int_equal(range.lo, 77);
	for (uint64_t frame = 10; frame <= 12; frame++) {
		assert_int_equal(iommusim_iova_find(space, frame, &range), 1);
		assert_int_equal(range.hi, 12);
		assert_int_equal(iommusim_iova_next(space, frame, &range), 1);
		assert_int_equal(range.lo, 10);
	}
	iommusim_iova_destroy(space);
}

static void keep_line(void *ctx, const char *line)
{
	snprintf(ctx, 256, "%s", line);
}

static void keep_event(void *ctx, const struct iommusim_event *event)
{
	*(struct iommusim_event *)ctx = *event;
}

static void mistakes_are_logged_and_results_are_told(void **state)
{
	char line[256] = "";
	struct iommusim_event event = { .result = 0 };
	struct iommusim_host host = { .size = sizeof(host),
		                      .log = keep_line,
		                      .log_ctx = line,
		                      .event = keep_event,
		                      .event_ctx = &event };
	struct iommusim_iova_config config = { .size = sizeof(config), .host = &host };
	struct iommusim_iova *space;
	uint64_t lo = 5;

	assert_ok(iommusim_iova_create(&config, &space));
	assert_int_equal(iommusim_iova_granule_lg2(space), 12);
	assert_err(iommusim_iova_alloc(space, 1, 0, 0, &lo), IOMMUSIM_ENOMEM);
	assert_int_equal(event.result, -IOMMUSIM_ENOMEM);
	assert_string_equal(line, "");
	assert_err(iommusim_iova_alloc(space, 0, LAST32, 0, &lo), IOMMUSIM_EINVAL);
	assert_err(take_fast(space, 0, LAST32, &lo), IOMMUSIM_EINVAL);
	assert_string_equal(line, iommusim_iova_error(space));
	assert_string_not_equal(line, "");
	assert_int_equal(lo, 5);
	assert_ok(take_fast(space, 3, LAST48, &lo));
	assert_int_equal(event.kind, IOMMUSIM_EVENT_IOVA_ALLOC);
	assert_int_equal(event.iova, lo << 12);
	assert_int_equal(event.size, 4 << 12);
	iommusim_iova_free(space, lo + 2);
	assert_int_equal(event.kind, IOMMUSIM_EVENT_IOVA_FREE);
	assert_int_equal(event.iova, lo << 12);
	event.kind = IOMMUSIM_EVENT_MAP;
	iommusim_iova_free(space, lo + 2); /* nothing there, nothing to tell */
	assert_int_equal(event.kind, IOMMUSIM_EVENT_MAP);
	iommusim_iova_destroy(space);
}

static void bad_configs_are_refused(void **state)
{
	char line[256] = "";
	struct iommusim_host host = { .size = sizeof(host), .log = keep_line, .log_ctx = line };
	struct {
		struct iommusim_iova_config known;
		uint64_t unknown;
	} config = { { .size = sizeof(config), .granule_lg2 = 33, .host = &host }, 0 };
	struct iommusim_iova *space = NULL;

	assert_err(iommusim_iova_create(NULL, &space), IOMMUSIM_EINVAL);
	assert_err(iommusim_iova_create(&config.known, &space), IOMMUSIM_EINVAL);
	assert_string_equal(line, "granule_lg2 33 is not 1 .. 32");
	config.known.granule_lg2 = 32;
	config.known.start = UINT64_MAX;
	assert_err(iommusim_iova_create(&config.known, &space), IOMMUSIM_EINVAL);
	assert_string_equal(line, "start 2^64 - 1 leaves no frame");
	config.known.start--;
	config.known.kernel = IOMMUSIM_KERNEL(4, 3);
	assert_err(iommusim_iova_create(&config.known, &space), IOMMUSIM_EINVAL);
	assert_string_equal(line, "the kernel is older than 4.4");
	config.known.kernel = 0;
	config.known.nr_cpus = IOMMUSIM_IOVA_MAX_CPUS + 1;
	assert_err(iommusim_iova_create(&config.known, &space), IOMMUSIM_EINVAL);
	assert_string_equal(line, "4097 CPUs are more than 4096");
	config.known.nr_cpus = 1;
	config.unknown = 1;
	assert_err(iommusim_iova_create(&config.known, &space), IOMMUSIM_E2BIG);
	config.unknown = host.size = 0;
	assert_err(iommusim_iova_create(&config.known, &space), IOMMUSIM_EINVAL);
	assert_null(space);
	host.size = sizeof(host);
	assert_ok(iommusim_iova_create(&config.known, &space));
	iommusim_iova_destroy(space);
}

#define NR_ROWS (ARRAY_LEN(scripts) + ARRAY_LEN(fast_rows) + ARRAY_LEN(reserve_rows))

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_found_by_any_of_their_frames),
		cmocka_unit_test(mistakes_are_logged_and_results_are_told),
		cmocka_unit_test(bad_configs_are_refused),
	};
	struct CMUnitTest all[NR_ROWS + ARRAY_LEN(tests)];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(script_runs, &scripts[i]);
	for (size_t i = 0; i < ARRAY_LEN(fast_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(small_sizes_are_rounded, &fast_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(reserve_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(is_reserved, &reserve_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		all[nr++] = tests[i];
	return RUN_TESTS(all);
}
