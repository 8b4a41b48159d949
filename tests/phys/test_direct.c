/* SPDX-License-Identifier: MIT */
/* Requests whose pages have to be made: by direct compaction, by direct reclaim, or not at all. */
#include "book.h"

#include "phys/zone.h"

#define FRAMES   4096u
#define FEATURES (IOMMUSIM_PHYS_WATERMARKS | IOMMUSIM_PHYS_RECLAIM | IOMMUSIM_PHYS_COMPACTION)

/* Every @step-th frame is a caller's, of @kind; the others are free. */
static struct iommusim_phys *given_holes(struct book *book, enum iommusim_page_kind kind,
                                         unsigned step)
{
	struct iommusim_phys_config config = { .features = FEATURES };
	struct iommusim_phys *phys = given_zone(config, 0, FRAMES);
	struct iommusim_page_request req = { .gfp = MOVABLE | IOMMUSIM_GFP_BIT_MEMALLOC,
		                             .kind = kind };
	struct iommusim_page_block block;

	*book = given_book(FRAMES);
	while (iommusim_phys_nr_free(phys)) {
		assert_ok(iommusim_phys_alloc(phys, &req, &block));
		book_add(book, block.pfn, 0, kind);
	}
	for (iommusim_pfn pfn = 0; pfn < FRAMES; pfn++)
		if (pfn % step) {
			book_remove(book, pfn);
			assert_ok(iommusim_phys_free(phys, pfn, 0));
		}
	book_owns(book, phys);
	return phys;
}

static void finish(struct iommusim_phys *phys, struct book *book)
{
	assert_ok(iommusim_phys_check(phys));
	book_compare(book, phys);
	book_finish(book);
	iommusim_phys_destroy(phys);
}

static int request(struct iommusim_phys *phys, struct book *book, unsigned order, uint32_t gfp)
{
	struct iommusim_page_request req = { .order = order, .gfp = gfp, .node = -1 };
	struct iommusim_page_block block;
	int err = iommusim_phys_alloc(phys, &req, &block);

	if (!err)
		book_add(book, block.pfn, order,
		         gfp & IOMMUSIM_GFP_BIT_MOVABLE ? IOMMUSIM_PAGE_ANON
		                                        : IOMMUSIM_PAGE_KERNEL);
	return err;
}

/* The spec's difference between a domain's largest chunk and its smallest: NORETRY compacts only
   asynchronously, which leaves movable pageblocks alone. */
static void noretry_gets_no_block_out_of_movable_memory(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_holes(&book, IOMMUSIM_PAGE_ANON, 2);
	struct iommusim_attempt_report report;

	assert_err(request(phys, &book, 9, KERNEL | IOMMUSIM_GFP_BIT_NORETRY), IOMMUSIM_ENOMEM);
	iommusim_phys_report(phys, &report);
	assert_int_equal(report.nr_compactions, 2);
	assert_int_equal(book.nr_moves, 0);
	finish(phys, &book);
}

static void without_noretry_sync_light_makes_the_block(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_holes(&book, IOMMUSIM_PAGE_ANON, 2);
	struct iommusim_attempt_report report;

	phys->zone[0].progress.defer_shift = 1; /* it failed before: one try is put off */
	assert_err(request(phys, &book, 9, KERNEL | IOMMUSIM_GFP_BIT_NORETRY), IOMMUSIM_ENOMEM);
	assert_int_equal(phys->zone[0].progress.considered, 1);
	assert_ok(request(phys, &book, 9, KERNEL));
	assert_int_equal(phys->zone[0].progress.defer_shift, 0);
	iommusim_phys_report(phys, &report);
	assert_int_equal(report.nr_compactions, 2);
	assert_int_equal(report.nr_reclaims, 1);
	assert_int_equal(book.nr_moves, 256);
	finish(phys, &book);
}

static void a_movable_request_gets_it_from_async(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_holes(&book, IOMMUSIM_PAGE_ANON, 2);
	struct iommusim_attempt_report report;
	uint32_t gfp = MOVABLE | IOMMUSIM_GFP_BIT_NORETRY;

	assert_ok(request(phys, &book, 9, gfp));
	iommusim_phys_report(phys, &report);
	assert_int_equal(report.nr_compactions, 1);
	assert_int_equal(report.nr_reclaims, 0);
	finish(phys, &book);
}

static void memory_full_of_cache_has_room(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_holes(&book, IOMMUSIM_PAGE_CACHE, 1);
	struct iommusim_attempt_report report;
	struct iommusim_zone_numbers n;

	assert_ok(iommusim_phys_numbers(phys, 0, &n));
	assert_true(n.min > 0);
	assert_ok(request(phys, &book, 0, KERNEL));
	iommusim_phys_report(phys, &report);
	assert_int_equal(report.nr_reclaims, (n.min + 1 + 31) / 32); /* 32 frames a round */
	assert_int_equal(report.nr_reclaimed, book.nr_takes);
	assert_int_equal(report.is_oom, 0);
	finish(phys, &book);
}

static void memory_full_of_pinned_pages_is_out_of_memory(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_holes(&book, IOMMUSIM_PAGE_PINNED, 1);
	struct iommusim_attempt_report report;

	assert_err(request(phys, &book, 0, KERNEL), IOMMUSIM_ENOMEM);
	iommusim_phys_report(phys, &report);
	assert_int_equal(report.nr_reclaimed, 0);
	assert_int_equal(report.is_oom, 1);
	assert_int_equal(book.nr_takes + book.nr_moves, 0);
	finish(phys, &book);
}

static void without_direct_reclaim_nothing_is_made(void **state)
{
	struct book book;
	struct iommusim_phys *phys = given_holes(&book, IOMMUSIM_PAGE_CACHE, 2);
	uint32_t gfp = KERNEL & ~IOMMUSIM_GFP_BIT_DIRECT_RECLAIM;

	assert_err(request(phys, &book, 9, gfp), IOMMUSIM_ENOMEM);
	assert_int_equal(book.nr_takes + book.nr_moves, 0);
	finish(phys, &book);
}

/* A machine that was used serves what a fresh one does, only later. */
static void an_aged_machine_makes_blocks_on_request(void **state)
{
	struct iommusim_phys_config config = { .features = IOMMUSIM_PHYS_ALL };
	struct iommusim_phys *phys = given_zone(config, 0, 16 * FRAMES);
	struct iommusim_age age = { .size = sizeof(age), .hours = 2, .seed = 1 };
	struct iommusim_attempt_report report;
	unsigned nr_slow = 0, nr_failed = 0;

	age.profile = iommusim_age_profile_find("phone");
	assert_ok(iommusim_phys_age(phys, &age));
	assert_ok(iommusim_phys_check(phys));
	for (unsigned i = 0; i < 8; i++) {
		struct iommusim_page_request req = { .order = 9, .gfp = MOVABLE, .node = -1 };
		struct iommusim_page_block block;

		nr_failed += iommusim_phys_alloc(phys, &req, &block) != 0;
		iommusim_phys_report(phys, &report);
		nr_slow += report.is_slow;
		assert_ok(iommusim_phys_check(phys));
	}
	assert_true(nr_slow >= 4);
	assert_true(nr_failed <= 4);
	iommusim_phys_destroy(phys);
}

/* The population's pages that share metadata are told apart where the host has memory for it. */
static void where_the_host_fails_blocks_are_left_alone(void **state)
{
	struct iommusim_random_state random = {
		.free_permille = 250, .unusable_permille = 0, .order = 9, .seed = 1
	};
	struct iommusim_reclaim_counts taken;
	struct iommusim_compact_counts moved;

	for (unsigned fails = 0; fails < 2; fails++) {
		struct iommusim_fault fault = { .fail_at = 0 };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_phys_config config = { .nothing_free = 1, .host = &host };
		struct iommusim_phys *phys = given_zone(config, 0, FRAMES);

		assert_ok(iommusim_phys_randomize(phys, &random));
		iommusim_phys_set_swap(phys, FRAMES);
		fault.fail_at = fails ? fault.nr_allocs + 1 : 0;
		assert_ok(iommusim_phys_compact(phys, &moved));
		assert_ok(iommusim_phys_check(phys));
		fault.fail_at = fails ? fault.nr_allocs + 1 : 0;
		assert_ok(iommusim_phys_reclaim(phys, 0, UINT64_MAX, &taken));
		assert_ok(iommusim_phys_check(phys));
		assert_int_equal(iommusim_phys_nr_free(phys), 1024 + taken.nr_swapped);
		if (!fails)
			assert_int_equal(taken.nr_swapped, 3072);
		iommusim_phys_destroy(phys);
		assert_int_equal(fault.nr_live, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(noretry_gets_no_block_out_of_movable_memory),
		cmocka_unit_test(without_noretry_sync_light_makes_the_block),
		cmocka_unit_test(a_movable_request_gets_it_from_async),
		cmocka_unit_test(memory_full_of_cache_has_room),
		cmocka_unit_test(memory_full_of_pinned_pages_is_out_of_memory),
		cmocka_unit_test(without_direct_reclaim_nothing_is_made),
		cmocka_unit_test(an_aged_machine_makes_blocks_on_request),
		cmocka_unit_test(where_the_host_fails_blocks_are_left_alone),
	};

	return RUN_TESTS(tests);
}
