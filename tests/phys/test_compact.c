/* SPDX-License-Identifier: MIT */
/* Compaction: what moves where, when a run is tried at all, and how it ends. */
#include "book.h"

#include "phys/slow.h"

#define FRAMES 4096u
#define ASYNC  ISIM_COMPACT_ASYNC
#define LIGHT  ISIM_COMPACT_SYNC_LIGHT
#define FULL   ISIM_COMPACT_SYNC_FULL

#define assert_result(call, result) assert_int_equal(call, IOMMUSIM_COMPACT_##result)

static enum iommusim_compact_result compact(struct iommusim_phys *phys, unsigned order,
                                            uint32_t gfp, enum isim_compact_priority priority)
{
	struct isim_attempt attempt = {
		.order = order, .type = gfp >> 3 & 3, .highest = IOMMUSIM_ZONE_NORMAL, .gfp = gfp
	};

	return isim_compact(phys, &attempt, priority);
}

/* All of 16 MiB is in use as movable single pages of a caller, the first of them of @kind, then
   every second one is free. */
static struct iommusim_phys *given_every_second_page(struct book *book,
                                                     enum iommusim_page_kind kind)
{
	struct iommusim_phys_config config = { .features = IOMMUSIM_PHYS_COMPACTION };
	struct iommusim_phys *phys = given_zone(config, 0, FRAMES);
	struct iommusim_page_request req = { .gfp = MOVABLE, .kind = kind };
	struct iommusim_page_block block;

	*book = given_book(FRAMES);
	assert_ok(iommusim_phys_alloc(phys, &req, &block));
	assert_int_equal(block.pfn, 0);
	take_everything_movable(phys);
	for (iommusim_pfn pfn = 0; pfn < FRAMES; pfn++) {
		if (pfn % 2)
			assert_ok(iommusim_phys_free(phys, pfn, 0));
		else
			book_add(book, pfn, 0, pfn ? IOMMUSIM_PAGE_ANON : kind);
	}
	book_owns(book, phys);
	return phys;
}

static struct iommusim_phys *given_every_second_page_movable(struct book *book)
{
	return given_every_second_page(book, IOMMUSIM_PAGE_ANON);
}

static void finish(struct iommusim_phys *phys, struct book *book)
{
	assert_ok(iommusim_phys_check(phys));
	book_compare(book, phys);
	book_finish(book);
	iommusim_phys_destroy(phys);
}

static void an_unmovable_request_gets_its_block_from_sync_light(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);
	uint64_t nr_free = iommusim_phys_nr_free(phys);

	assert_result(compact(phys, 9, KERNEL, LIGHT), SUCCESS);
	assert_int_equal(iommusim_phys_nr_free_blocks(phys, 9), 1);
	assert_int_equal(book.nr_moves, 256);
	assert_int_equal(iommusim_phys_nr_free(phys), nr_free);
	finish(phys, &book);
}

static void async_leaves_the_pageblocks_of_other_types_alone(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);

	assert_result(compact(phys, 9, KERNEL, ASYNC), COMPLETE);
	assert_int_equal(book.nr_moves, 0);
	assert_result(compact(phys, 9, MOVABLE, ASYNC), SUCCESS);
	assert_int_equal(book.nr_moves, 256);
	finish(phys, &book);
}

static void pages_go_from_the_lowest_pageblock_to_the_highest(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);

	assert_result(compact(phys, 9, MOVABLE, LIGHT), SUCCESS);
	assert_list(phys, 9, MOVABLE, "0");
	/* The odd frames of the last pageblock were free, from 3585 up: 256 are what was needed. */
	assert_int_equal(iommusim_phys_kind(phys, 3585, NULL), IOMMUSIM_PAGE_ANON);
	assert_int_equal(iommusim_phys_kind(phys, 4095, NULL), IOMMUSIM_PAGE_ANON);
	assert_err(iommusim_phys_kind(phys, 3583, NULL), IOMMUSIM_EINVAL);
	finish(phys, &book);
}

static void a_run_goes_on_where_the_last_one_stopped(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);
	iommusim_pfn first, second;

	assert_result(compact(phys, 9, MOVABLE, LIGHT), SUCCESS);
	first = take(phys, 9, MOVABLE);
	assert_result(compact(phys, 9, MOVABLE, LIGHT), SUCCESS);
	second = take(phys, 9, MOVABLE);
	assert_int_equal(first, 0);
	assert_int_equal(second, 512);
	assert_int_equal(book.nr_moves, 512);
	book_add(&book, first, 9, IOMMUSIM_PAGE_ANON);
	book_add(&book, second, 9, IOMMUSIM_PAGE_ANON);
	finish(phys, &book);
}

/* Deferral is about the orders that failed and above: one that works moves the bound above it. */
static void what_works_is_not_put_off(void **state)
{
	struct iommusim_phys *phys = given_zone((struct iommusim_phys_config){ 0 }, 0, 1024);
	struct isim_zone *zone = &phys->zone[0];

	zone->progress.order_failed = 3;
	isim_compact_worked(zone, 2);
	assert_int_equal(zone->progress.order_failed, 3);
	isim_compact_worked(zone, 3);
	assert_int_equal(zone->progress.order_failed, 4);
	isim_compact_worked(zone, 9);
	assert_int_equal(zone->progress.order_failed, 10);
	iommusim_phys_destroy(phys);
}

static void asynchronous_runs_go_on_too(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);

	for (unsigned i = 1; i <= 2; i++) {
		assert_result(compact(phys, 9, MOVABLE, ASYNC), SUCCESS);
		assert_int_equal(phys->zone[0].progress.migrate[0], 512 * i);
		assert_int_equal(phys->zone[0].progress.migrate[1], 0);
		book_add(&book, take(phys, 9, MOVABLE), 9, IOMMUSIM_PAGE_ANON);
	}
	finish(phys, &book);
}

/* The lowest pageblock is Unmovable: emptied, it is one that a movable request may claim. */
static void a_pageblock_of_another_type_is_as_good(void **state)
{
	struct iommusim_phys_config config = { .features = IOMMUSIM_PHYS_COMPACTION };
	struct iommusim_phys *phys = given_zone(config, 0, FRAMES);
	struct book book = given_book(FRAMES);

	take_everything_movable(phys);
	assert_ok(iommusim_phys_set_pageblock_type(phys, 0, IOMMUSIM_UNMOVABLE));
	for (iommusim_pfn pfn = 0; pfn < FRAMES; pfn++) {
		if (pfn % 2)
			assert_ok(iommusim_phys_free(phys, pfn, 0));
		else
			book_add(&book, pfn, 0, IOMMUSIM_PAGE_ANON);
	}
	book_owns(&book, phys);
	assert_result(compact(phys, 9, MOVABLE, LIGHT), SUCCESS);
	assert_int_equal(book.nr_moves, 256);
	assert_list(phys, 9, UNMOVABLE, "0");
	finish(phys, &book);
}

static void a_block_that_is_there_needs_no_work(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);

	assert_result(compact(phys, 9, MOVABLE, LIGHT), SUCCESS);
	assert_result(compact(phys, 9, MOVABLE, LIGHT), SUCCESS);
	assert_int_equal(book.nr_moves, 256);
	finish(phys, &book);
}

static void without_free_memory_it_is_skipped(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);
	struct iommusim_zone_numbers n = { .present = FRAMES, .managed = FRAMES };

	phys->features |= IOMMUSIM_PHYS_WATERMARKS;
	assert_int_equal(iommusim_phys_decay(phys, 0), 0); /* the counter is up to date */
	/* 2048 frames are free: low + 2 * 512 of them are not enough, one less is. */
	n.low = n.high = n.promo = 1024;
	assert_ok(iommusim_phys_set_numbers(phys, 0, &n));
	assert_result(compact(phys, 9, MOVABLE, LIGHT), SKIPPED);
	n.low = 1023;
	assert_ok(iommusim_phys_set_numbers(phys, 0, &n));
	assert_result(compact(phys, 9, MOVABLE, LIGHT), SUCCESS);
	finish(phys, &book);
}

static void where_memory_lacks_it_is_skipped(void **state)
{
	struct iommusim_phys_config config = { .features = IOMMUSIM_PHYS_COMPACTION };
	struct iommusim_phys *phys = given_zone(config, 0, FRAMES);

	take_everything_movable(phys);
	for (iommusim_pfn pfn = 0; pfn < 1088; pfn += 64)
		free_pages(phys, pfn, pfn + 31);
	/* 544 frames in 17 blocks of order 5: 1000 - (1000 + 544000/64) / 17 = 442 at order 6. */
	assert_result(compact(phys, 6, MOVABLE, LIGHT), SKIPPED);
	iommusim_phys_destroy(phys);
}

/* Free blocks that do not touch, @nr[n] of order n, in 64 MiB in use that cannot move. */
static struct iommusim_phys *given_blocks(const unsigned nr[6])
{
	struct iommusim_phys_config config = { .features = IOMMUSIM_PHYS_COMPACTION,
		                               .nothing_free = 1 };
	struct iommusim_phys *phys = given_zone(config, 0, 4 * FRAMES);
	iommusim_pfn pfn = 0;

	for (unsigned order = 0; order < 6; order++)
		for (unsigned i = 0; i < nr[order]; i++, pfn += 64) {
			struct iommusim_list_id list = { .order = order, .type = IOMMUSIM_MOVABLE };

			assert_ok(iommusim_phys_put_free(phys, list, pfn));
		}
	return phys;
}

/* An index of 0 to 500 says that memory lacks; only orders above 3 are judged by it. */
static void the_index_decides_from_order_4_on_and_up_to_500(void **state)
{
	static const struct {
		unsigned order, nr[6];
		int index;
		enum iommusim_compact_result result;
	} cases[] = {
		/* 1000 - (1000 + F * 1000 / 64) / 63: F of 1952 and 1948 frames in 63 blocks. */
		{ 6, { 0, 0, 0, 2, 1, 60 }, 500, IOMMUSIM_COMPACT_SKIPPED },
		{ 6, { 0, 0, 1, 1, 1, 60 }, 501, IOMMUSIM_COMPACT_COMPLETE },
		/* 17 blocks of half the order. */
		{ 4, { 0, 0, 0, 17, 0, 0 }, 442, IOMMUSIM_COMPACT_SKIPPED },
		{ 3, { 0, 0, 17, 0, 0, 0 }, 442, IOMMUSIM_COMPACT_COMPLETE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct iommusim_phys *phys = given_blocks(cases[i].nr);
		struct iommusim_zone_info info;

		assert_ok(iommusim_phys_zone(phys, 0, &info));
		assert_int_equal(iommusim_zone_extfrag(&info, cases[i].order), cases[i].index);
		assert_int_equal(compact(phys, cases[i].order, MOVABLE, LIGHT), cases[i].result);
		iommusim_phys_destroy(phys);
	}
}

/* -1000: there is a block, of a type that the request may not have. It is not memory that lacks. */
static void a_block_that_is_for_others_is_no_lack_of_memory(void **state)
{
	static const unsigned none[6] = { 0 };
	struct iommusim_phys *phys = given_blocks(none);
	struct iommusim_list_id list = { .order = 9, .type = IOMMUSIM_CMA };
	struct iommusim_zone_info info;

	(void)state;
	assert_ok(iommusim_phys_set_pageblock_type(phys, 512, IOMMUSIM_CMA));
	assert_ok(iommusim_phys_put_free(phys, list, 512));
	assert_ok(iommusim_phys_zone(phys, 0, &info));
	assert_int_equal(iommusim_zone_extfrag(&info, 6), -1000);
	assert_result(compact(phys, 6, KERNEL, LIGHT), COMPLETE);
	iommusim_phys_destroy(phys);
}

static void failures_put_off_the_next_tries(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);

	assert_ok(iommusim_phys_set_owner(phys, NULL)); /* the pages are stuck */
	for (unsigned shift = 1; shift <= 7; shift++) {
		unsigned limit = shift < 7 ? 1u << (shift - 1) : 64;

		for (unsigned i = 1; i < limit; i++)
			assert_result(compact(phys, 9, MOVABLE, LIGHT), DEFERRED);
		assert_result(compact(phys, 9, MOVABLE, LIGHT), COMPLETE);
	}
	assert_result(compact(phys, 9, MOVABLE, ASYNC), DEFERRED);
	assert_result(compact(phys, 9, MOVABLE, FULL), COMPLETE);
	isim_compact_worked(&phys->zone[0], 9);
	assert_result(compact(phys, 9, MOVABLE, ASYNC), COMPLETE);
	finish(phys, &book);
}

static void without_an_owner_a_callers_page_stays(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);
	struct iommusim_compact_counts counts;

	assert_ok(iommusim_phys_set_owner(phys, NULL));
	assert_ok(iommusim_phys_compact(phys, &counts));
	assert_int_equal(counts.nr_moved, 0);
	assert_int_equal(counts.nr_failed, FRAMES / 2 - 256); /* the last pageblock is room */
	finish(phys, &book);
}

static void a_page_whose_owner_says_no_stays(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_every_second_page_movable(&book);
	struct iommusim_compact_counts counts;

	book.refuse = 1;
	assert_ok(iommusim_phys_compact(phys, &counts));
	assert_int_equal(counts.nr_failed, book.nr_refused);
	assert_int_equal(counts.nr_moved, book.nr_moves);
	assert_int_equal(iommusim_phys_nr_free_blocks(phys, 9), 0);
	finish(phys, &book);
}

static void pinned_and_kernel_pages_stay(void **state)
{
	static const enum iommusim_page_kind kinds[] = { IOMMUSIM_PAGE_KERNEL, IOMMUSIM_PAGE_SLAB,
		                                         IOMMUSIM_PAGE_PINNED };

	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		struct book book;
		struct iommusim_phys *phys = given_every_second_page(&book, kinds[i]);

		assert_result(compact(phys, 9, MOVABLE, ASYNC), SUCCESS);
		assert_int_equal(iommusim_phys_kind(phys, 0, NULL), kinds[i]);
		assert_int_equal(book.nr_moves, 256);
		assert_list(phys, 9, MOVABLE, "512"); /* the first was given up at once */
		finish(phys, &book);
	}
}

/* The population of a pinned machine is kernel memory; that of a random one is anonymous. */
static void the_populations_pages_need_no_owner(void **state)
{
	struct iommusim_phys_config config = { .nothing_free = 1 };
	struct iommusim_random_state random = {
		.free_permille = 500, .unusable_permille = 1000, .order = 9, .seed = 1
	};
	struct iommusim_phys *phys = given_zone(config, 0, 16384);
	struct iommusim_compact_counts counts;
	struct iommusim_usage before, after;

	assert_ok(iommusim_phys_randomize(phys, &random));
	assert_ok(iommusim_phys_usage(phys, 0, &before));
	assert_ok(iommusim_phys_compact(phys, &counts));
	assert_ok(iommusim_phys_usage(phys, 0, &after));
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(iommusim_phys_nr_free(phys), 8192);
	/* 8192 frames in use: half of the 32 pageblocks, and the two scanners meet in one. */
	assert_true(iommusim_phys_nr_free_blocks(phys, 10) * 2 +
	                    iommusim_phys_nr_free_blocks(phys, 9) >=
	            15);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* Pairs of movable frames: 6.12 moves them as they are, 6.1 leaves them. */
static void larger_blocks_move_since_6_12(void **state)
{
	static const unsigned kernels[] = { IOMMUSIM_KERNEL(6, 1), IOMMUSIM_KERNEL(6, 12) };

	for (unsigned i = 0; i < 2; i++) {
		struct iommusim_phys_config config = { .kernel = kernels[i],
			                               .features = IOMMUSIM_PHYS_COMPACTION };
		struct iommusim_phys *phys = given_zone(config, 0, FRAMES);
		struct book book = given_book(FRAMES);
		iommusim_pfn pfn[FRAMES / 2];

		for (unsigned j = 0; j < FRAMES / 2; j++)
			pfn[j] = take(phys, 1, MOVABLE);
		for (unsigned j = 0; j < FRAMES / 2; j++) {
			if (pfn[j] % 4)
				assert_ok(iommusim_phys_free(phys, pfn[j], 1));
			else
				book_add(&book, pfn[j], 1, IOMMUSIM_PAGE_ANON);
		}
		book_owns(&book, phys);
		assert_int_equal(compact(phys, 9, MOVABLE, LIGHT),
		                 i ? IOMMUSIM_COMPACT_SUCCESS : IOMMUSIM_COMPACT_COMPLETE);
		assert_int_equal(book.nr_moves, i ? 128 : 0);
		finish(phys, &book);
	}
}

static void count(void *ctx, const struct iommusim_event *event)
{
	struct iommusim_event *last = ctx;

	if (event->kind == IOMMUSIM_EVENT_COMPACT)
		*last = *event;
}

static void the_work_is_told(void **state)
{
	struct iommusim_event last = { .result = 0 };
	struct iommusim_host host = { .size = sizeof(host), .event = count, .event_ctx = &last };
	struct iommusim_phys_config config = { .features = IOMMUSIM_PHYS_COMPACTION,
		                               .host = &host,
		                               .nothing_free = 1 };
	struct iommusim_random_state random = {
		.free_permille = 500, .unusable_permille = 1000, .order = 1, .seed = 1
	};
	struct iommusim_phys *phys = given_zone(config, 0, FRAMES);

	/* Of each pair one frame is free: 256 frames move, each of them and each hole looked at in
	   the source, as many in the target. */
	assert_ok(iommusim_phys_randomize(phys, &random));
	assert_result(compact(phys, 9, MOVABLE, LIGHT), SUCCESS);
	assert_int_equal(last.kind, IOMMUSIM_EVENT_COMPACT);
	assert_int_equal(last.order, 9);
	assert_int_equal(last.migratetype, IOMMUSIM_MOVABLE);
	assert_int_equal(last.flag, IOMMUSIM_COMPACT_SUCCESS);
	assert_int_equal(last.nr_pages, 256);
	assert_in_range(last.nr_scanned, 768, 1024);
	iommusim_phys_destroy(phys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unmovable_request_gets_its_block_from_sync_light),
		cmocka_unit_test(async_leaves_the_pageblocks_of_other_types_alone),
		cmocka_unit_test(pages_go_from_the_lowest_pageblock_to_the_highest),
		cmocka_unit_test(a_run_goes_on_where_the_last_one_stopped),
		cmocka_unit_test(what_works_is_not_put_off),
		cmocka_unit_test(asynchronous_runs_go_on_too),
		cmocka_unit_test(a_pageblock_of_another_type_is_as_good),
		cmocka_unit_test(a_block_that_is_there_needs_no_work),
		cmocka_unit_test(without_free_memory_it_is_skipped),
		cmocka_unit_test(where_memory_lacks_it_is_skipped),
		cmocka_unit_test(the_index_decides_from_order_4_on_and_up_to_500),
		cmocka_unit_test(a_block_that_is_for_others_is_no_lack_of_memory),
		cmocka_unit_test(failures_put_off_the_next_tries),
		cmocka_unit_test(without_an_owner_a_callers_page_stays),
		cmocka_unit_test(a_page_whose_owner_says_no_stays),
		cmocka_unit_test(pinned_and_kernel_pages_stay),
		cmocka_unit_test(the_populations_pages_need_no_owner),
		cmocka_unit_test(larger_blocks_move_since_6_12),
		cmocka_unit_test(the_work_is_told),
	};

	return RUN_TESTS(tests);
}
