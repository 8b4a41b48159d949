/* SPDX-License-Identifier: MIT */
/* Reclaim: which kinds are taken, at what cost, and how many. */
#include "book.h"

#include "phys/slow.h"

#define FRAMES 2048u

/* A zone that is full of @nr[kind] frames of each kind, all of them a caller's. */
static struct iommusim_phys *given_kinds(struct book *book, const unsigned *nr)
{
	struct iommusim_phys_config config = { .features = IOMMUSIM_PHYS_RECLAIM };
	struct iommusim_phys *phys = given_zone(config, 0, FRAMES);

	*book = given_book(FRAMES);
	for (unsigned kind = 1; kind < IOMMUSIM_PAGE_RESERVED; kind++)
		for (unsigned i = 0; i < nr[kind]; i++) {
			struct iommusim_page_request req = { .gfp = MOVABLE, .kind = kind };
			struct iommusim_page_block block;

			assert_ok(iommusim_phys_alloc(phys, &req, &block));
			book_add(book, block.pfn, 0, kind);
		}
	book_owns(book, phys);
	return phys;
}

static void finish(struct iommusim_phys *phys, struct book *book)
{
	assert_ok(iommusim_phys_check(phys));
	book_compare(book, phys);
	assert_int_equal(iommusim_phys_nr_free(phys), FRAMES - book->nr_taken);
	book_finish(book);
	iommusim_phys_destroy(phys);
}

static const unsigned some_of_each[IOMMUSIM_NR_PAGE_KINDS] = {
	[IOMMUSIM_PAGE_KERNEL] = 100, [IOMMUSIM_PAGE_SLAB] = 200,  [IOMMUSIM_PAGE_CACHE] = 400,
	[IOMMUSIM_PAGE_DIRTY] = 50,   [IOMMUSIM_PAGE_ANON] = 500,  [IOMMUSIM_PAGE_HUGE] = 3,
	[IOMMUSIM_PAGE_MOVABLE] = 70, [IOMMUSIM_PAGE_PINNED] = 80,
};

static void all_that_can_be_taken_is(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_kinds(&book, some_of_each);
	struct iommusim_reclaim_counts counts;

	iommusim_phys_set_swap(phys, 100000);
	assert_ok(iommusim_phys_reclaim(phys, 0, UINT64_MAX, &counts));
	assert_int_equal(counts.nr_clean, 400);
	assert_int_equal(counts.nr_written, 50);
	assert_int_equal(counts.nr_shrunk, 200);
	assert_int_equal(counts.nr_swapped, 503);
	assert_int_equal(iommusim_phys_swap_left(phys), 100000 - 503);
	assert_int_equal(book.nr_takes, 1153);
	finish(phys, &book);
}

static void without_swap_anonymous_memory_stays(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_kinds(&book, some_of_each);
	struct iommusim_reclaim_counts counts;

	assert_ok(iommusim_phys_reclaim(phys, 0, UINT64_MAX, &counts));
	assert_int_equal(counts.nr_swapped, 0);
	iommusim_phys_set_swap(phys, 7);
	assert_ok(iommusim_phys_reclaim(phys, 0, UINT64_MAX, &counts));
	assert_int_equal(counts.nr_swapped, 7);
	assert_int_equal(iommusim_phys_swap_left(phys), 0);
	finish(phys, &book);
}

static void no_more_is_taken_than_is_asked_for(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_kinds(&book, some_of_each);
	struct iommusim_reclaim_counts counts;

	iommusim_phys_set_swap(phys, 1000);
	assert_ok(iommusim_phys_reclaim(phys, 0, 60, &counts));
	assert_int_equal(book.nr_takes, 60);
	assert_int_equal(counts.nr_clean + counts.nr_written + counts.nr_shrunk + counts.nr_swapped,
	                 60);
	/* 500 of 1153 are anonymous, and three of ten of those that are met: about 11. */
	assert_in_range(counts.nr_swapped, 1, 25);
	finish(phys, &book);
}

static void without_an_owner_a_callers_page_stays(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_kinds(&book, some_of_each);
	struct iommusim_reclaim_counts counts;

	assert_ok(iommusim_phys_set_owner(phys, NULL));
	assert_ok(iommusim_phys_reclaim(phys, 0, 300, &counts));
	assert_int_equal(counts.nr_clean, 0);
	book_owns(&book, phys);
	book.refuse = 1;
	assert_ok(iommusim_phys_reclaim(phys, 0, UINT64_MAX, &counts));
	assert_true(book.nr_refused > 0);
	assert_int_equal(counts.nr_clean + counts.nr_written + counts.nr_shrunk, book.nr_takes);
	finish(phys, &book);
}

static void a_fork_tells_nobody_and_a_zone_must_exist(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_kinds(&book, some_of_each), *copy;
	struct iommusim_page_owner owner = { .size = sizeof(owner) };

	assert_ok(iommusim_phys_fork(phys, &copy));
	assert_ok(iommusim_phys_reclaim(copy, 0, UINT64_MAX, NULL));
	assert_ok(iommusim_phys_compact(copy, NULL));
	assert_int_equal(book.nr_takes + book.nr_moves, 0);
	assert_err(iommusim_phys_reclaim(copy, 1, 1, NULL), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_set_owner(copy, &owner)); /* all of it zeros: nobody */
	iommusim_phys_destroy(copy);
	finish(phys, &book);
}

/* What a request may do decides what a round takes; it wants 32 frames, or twice a costly block. */
static void a_round_does_what_the_request_may(void **state)
{
	static const struct {
		unsigned order;
		uint32_t gfp;
		unsigned wanted;
		int writes, swaps;
	} rows[] = {
		{ 0, KERNEL, 32, 1, 1 },
		{ 3, KERNEL, 32, 1, 1 },
		{ 4, KERNEL, 32, 1, 1 },
		{ 8, KERNEL, 512, 1, 1 },
		{ 8, KERNEL & ~IOMMUSIM_GFP_BIT_FS, 512, 0, 1 },
		{ 8, IOMMUSIM_GFP_RECLAIM, 400, 0, 0 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct book book;
		struct iommusim_phys *phys = given_kinds(&book, some_of_each);
		struct isim_attempt attempt = { .order = rows[i].order,
			                        .gfp = rows[i].gfp,
			                        .highest = IOMMUSIM_ZONE_NORMAL };
		struct iommusim_usage usage;

		iommusim_phys_set_swap(phys, 1000);
		assert_int_equal(isim_reclaim(phys, &attempt), rows[i].wanted);
		assert_int_equal(book.nr_takes, rows[i].wanted);
		assert_ok(iommusim_phys_usage(phys, 0, &usage));
		if (!rows[i].writes)
			assert_int_equal(usage.callers[IOMMUSIM_PAGE_DIRTY] +
			                         usage.callers[IOMMUSIM_PAGE_SLAB],
			                 250);
		if (!rows[i].swaps)
			assert_int_equal(iommusim_phys_swap_left(phys), 1000);
		finish(phys, &book);
	}
}

static void told(void *ctx, const struct iommusim_event *event)
{
	uint64_t *nr = ctx;

	if (event->kind != IOMMUSIM_EVENT_RECLAIM)
		return;
	nr[event->flag] += event->nr_pages;
	nr[0] += event->nr_scanned;
}

/* The population of a random machine is anonymous, in blocks that are single pages really. */
static void the_populations_pages_are_taken_one_by_one(void **state)
{
	uint64_t nr[IOMMUSIM_NR_PAGE_KINDS] = { 0 };
	struct iommusim_host host = { .size = sizeof(host), .event = told, .event_ctx = nr };
	struct iommusim_phys_config config = { .nothing_free = 1, .host = &host };
	struct iommusim_random_state random = { .order = 9, .seed = 1 };
	struct iommusim_phys *phys = given_zone(config, 0, FRAMES);
	struct iommusim_reclaim_counts counts;

	assert_ok(iommusim_phys_randomize(phys, &random)); /* nothing is free */
	iommusim_phys_set_swap(phys, 333);
	assert_ok(iommusim_phys_reclaim(phys, 0, UINT64_MAX, &counts));
	assert_int_equal(iommusim_phys_nr_free(phys), 333);
	assert_int_equal(nr[IOMMUSIM_PAGE_ANON], 333);
	assert_int_equal(nr[0], counts.nr_scanned);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* A hand that skipped a group, or met one twice before all others, would show here. */
static void every_frame_is_met_in_two_turns(void **state)
{
	static const unsigned sizes[] = { 1, 15, 16, 17, 100, 255, 1000, 2048 };

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		struct iommusim_phys_config config = { .nr_orders = 1 };
		struct iommusim_phys *phys = given_zone(config, 3, sizes[i]);
		struct iommusim_page_request req = { .gfp = MOVABLE, .kind = IOMMUSIM_PAGE_CACHE };
		struct iommusim_reclaim_counts counts;
		struct book book = given_book(sizes[i] + 3);
		struct iommusim_page_block block;

		while (!iommusim_phys_alloc(phys, &req, &block))
			book_add(&book, block.pfn, 0, IOMMUSIM_PAGE_CACHE);
		assert_int_equal(book.nr_taken, sizes[i]);
		book_owns(&book, phys);
		assert_ok(iommusim_phys_reclaim(phys, 0, UINT64_MAX, &counts));
		assert_int_equal(counts.nr_clean, sizes[i]);
		assert_true(counts.nr_scanned <= 2 * sizes[i]);
		book_finish(&book);
		iommusim_phys_destroy(phys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_can_be_taken_is),
		cmocka_unit_test(without_swap_anonymous_memory_stays),
		cmocka_unit_test(no_more_is_taken_than_is_asked_for),
		cmocka_unit_test(without_an_owner_a_callers_page_stays),
		cmocka_unit_test(a_fork_tells_nobody_and_a_zone_must_exist),
		cmocka_unit_test(a_round_does_what_the_request_may),
		cmocka_unit_test(the_populations_pages_are_taken_one_by_one),
		cmocka_unit_test(every_frame_is_met_in_two_turns),
	};

	return RUN_TESTS(tests);
}
