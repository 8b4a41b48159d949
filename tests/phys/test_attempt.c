/* SPDX-License-Identifier: MIT */
/* What an attempt goes through before it fails, by its flags; and the reserve of atomic requests.
 */
#include "phys_test.h"

#define K       IOMMUSIM_GFP_KERNEL
#define NORETRY IOMMUSIM_GFP_BIT_NORETRY
#define MAYFAIL IOMMUSIM_GFP_BIT_RETRY_MAYFAIL
#define NOFAIL  IOMMUSIM_GFP_BIT_NOFAIL
#define DIRECT  IOMMUSIM_GFP_BIT_DIRECT_RECLAIM
#define ATOMIC  IOMMUSIM_GFP_ATOMIC_6_12
#define NOWAIT  IOMMUSIM_GFP_NOWAIT_6_12

/*
 * Nothing is free, nothing can be moved or taken: compaction is skipped, reclaim frees nothing. The
 * fast path is one walk, since the kernel has no DMA32 for whose sake it would be two.
 */
static const struct row {
	const char *name;
	unsigned order;
	uint32_t gfp;
	unsigned nr_walks, nr_compactions, nr_reclaims;
	unsigned wakes_kswapd, is_oom, would_loop;
} rows[] = {
	{ "one page, NORETRY: one round of reclaim", 0, K | NORETRY, 3, 0, 1, 1, 0, 0 },
	{ "order 3, NORETRY: compaction twice", 3, K | NORETRY, 3, 2, 1, 1, 0, 0 },
	{ "order 9, NORETRY: compaction was skipped, that is all", 9, K | NORETRY, 2, 1, 0, 1, 0,
	  0 },
	{ "one page: somebody is killed", 0, K, 4, 0, 1, 1, 1, 1 },
	{ "order 3: somebody is killed", 3, K, 4, 2, 1, 1, 1, 1 },
	{ "order 4: one round, nobody is killed", 4, K, 3, 2, 1, 1, 0, 0 },
	{ "order 9: one round, nobody is killed", 9, K, 3, 2, 1, 1, 0, 0 },
	{ "order 9, MAYFAIL: more rounds, if they made sense", 9, K | MAYFAIL, 4, 2, 1, 1, 0, 0 },
	{ "one page, MAYFAIL: nobody is killed", 0, K | MAYFAIL, 4, 0, 1, 1, 0, 0 },
	{ "order 3, THISNODE: nobody is killed", 3, K | IOMMUSIM_GFP_BIT_THISNODE, 4, 2, 1, 1, 0,
	  0 },
	{ "one page from DMA32: nobody is killed for a low zone", 0, K | IOMMUSIM_GFP_BIT_DMA, 4, 0,
	  1, 1, 0, 0 },
	{ "one page, NOFAIL: for ever", 0, K | NOFAIL, 4, 0, 1, 1, 1, 1 },
	{ "order 9, NOFAIL: for ever", 9, K | NOFAIL, 4, 2, 1, 1, 0, 1 },
	{ "one page, ATOMIC: no reclaim", 0, ATOMIC, 3, 0, 0, 1, 0, 0 },
	{ "order 9, ATOMIC: no compaction", 9, ATOMIC, 3, 0, 0, 1, 0, 0 },
	{ "one page, NOWAIT: kswapd, no reclaim", 0, NOWAIT, 3, 0, 0, 1, 0, 0 },
	{ "order 8 of a heap that does not even wake kswapd", 8,
	  (K & ~IOMMUSIM_GFP_RECLAIM) | NORETRY | IOMMUSIM_GFP_BIT_COMP, 3, 0, 0, 0, 0, 0 },
	{ "without IO there is no compaction", 3, (K & ~IOMMUSIM_GFP_BIT_IO) | NORETRY, 3, 0, 1, 1,
	  0, 0 },
	{ "without a bit nothing is tried", 0, 0, 3, 0, 0, 0, 0, 0 },
	{ "a movable order 3 does not compact first", 3, K | NORETRY | IOMMUSIM_GFP_BIT_MOVABLE, 3,
	  1, 1, 1, 0, 0 },
	{ "a memory reserve that is empty", 0, K | IOMMUSIM_GFP_BIT_MEMALLOC | NORETRY, 3, 0, 1, 1,
	  0, 0 },
	{ "no such order", 11, K, 0, 0, 0, 0, 0, 0 },
};

/* Events of each kind. */
static void count_event(void *ctx, const struct iommusim_event *event)
{
	unsigned *nr = ctx;

	nr[event->kind]++;
}

static struct iommusim_phys *given_full_machine(unsigned *events)
{
	struct iommusim_host host = { .size = sizeof(host),
		                      .event = count_event,
		                      .event_ctx = events };
	struct iommusim_zone_config zones[] = {
		{ .zone = IOMMUSIM_ZONE_DMA, .start_pfn = 0, .nr_frames = 4096 },
		{ .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 1 << 18, .nr_frames = 1 << 18 },
	};
	struct iommusim_phys_config config = {
		.size = sizeof(config),
		.zones = zones,
		.nr_zones = 2,
		.configured_zones = 1 << IOMMUSIM_ZONE_DMA,
		.features = IOMMUSIM_PHYS_ALL,
		.nothing_free = 1,
		.host = &host,
	};
	struct iommusim_phys *phys = NULL;

	assert_ok(iommusim_phys_create(&config, &phys));
	return phys;
}

static void an_attempt_ends(void **state)
{
	const struct row *row = *state;
	unsigned events[32] = { 0 };
	struct iommusim_phys *phys = given_full_machine(events);
	struct iommusim_page_request req = { .order = row->order, .gfp = row->gfp, .node = -1 };
	struct iommusim_page_block block;
	struct iommusim_attempt_report report;

	assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
	iommusim_phys_report(phys, &report);
	assert_int_equal(report.nr_walks, row->nr_walks);
	assert_int_equal(report.nr_compactions, row->nr_compactions);
	assert_int_equal(report.nr_reclaims, row->nr_reclaims);
	assert_int_equal(report.nr_reclaimed, 0);
	assert_int_equal(report.wakes_kswapd, row->wakes_kswapd);
	assert_int_equal(report.is_oom, row->is_oom);
	assert_int_equal(report.would_loop, row->would_loop);
	assert_int_equal(report.is_slow, row->nr_walks > 1);
	assert_int_equal(events[IOMMUSIM_EVENT_FREELIST], row->nr_walks);
	assert_int_equal(events[IOMMUSIM_EVENT_SLOW], report.is_slow);
	assert_int_equal(events[IOMMUSIM_EVENT_KSWAPD] != 0, row->wakes_kswapd);
	assert_int_equal(events[IOMMUSIM_EVENT_OOM], row->is_oom);
	assert_int_equal(events[IOMMUSIM_EVENT_PAGE_ALLOC], 1);
	iommusim_phys_destroy(phys);
}

static void a_request_that_is_served_at_once_is_one_walk(void **state)
{
	struct iommusim_phys *phys = given_zone(
		(struct iommusim_phys_config){ .features = IOMMUSIM_PHYS_ALL }, 1 << 18, 1 << 18);
	struct iommusim_attempt_report report;

	take(phys, 0, K); /* NOFRAGMENT spares pageblocks, not whole ones */
	iommusim_phys_report(phys, &report);
	assert_int_equal(report.nr_walks, 1);
	assert_int_equal(report.is_slow, 0);
	take(phys, 0, K);
	iommusim_phys_report(phys, &report);
	assert_int_equal(report.nr_walks, 1);
	iommusim_phys_destroy(phys);
}

/* 6.12 remembers that a zone fell below its high mark, from the walk that saw it on. */
static void a_zone_below_its_high_mark_is_flagged(void **state)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .features = IOMMUSIM_PHYS_WATERMARKS },
	                   1 << 18, 1 << 18);
	struct iommusim_zone_counters c;
	struct iommusim_zone_numbers n;

	assert_ok(iommusim_phys_numbers(phys, 0, &n));
	for (uint64_t left = 1 << 18; left > n.high + 1024; left -= 1024)
		take(phys, 10, K);
	assert_ok(iommusim_phys_counters(phys, 0, &c));
	assert_int_equal(c.flags, 0);
	take(phys, 10, K | IOMMUSIM_GFP_BIT_NORETRY);
	assert_ok(iommusim_phys_counters(phys, 0, &c));
	assert_int_equal(c.flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH, IOMMUSIM_ZONE_FLAG_BELOW_HIGH);
	iommusim_phys_destroy(phys);
}

/* ---- The reserve for high-order atomic requests ---- */

/* A zone of 256 MiB, of which little but what is above the minimum is free. */
static struct iommusim_phys *given_little_memory(unsigned kernel)
{
	struct iommusim_phys_config config = { .kernel = kernel,
		                               .features = IOMMUSIM_PHYS_WATERMARKS |
		                                           IOMMUSIM_PHYS_HIGHATOMIC,
		                               .nothing_free = 1 };
	struct iommusim_phys *phys = given_zone(config, 1 << 18, 1 << 16);
	struct iommusim_zone_numbers n;
	struct iommusim_list_id list = { .order = 5, .type = IOMMUSIM_UNMOVABLE };

	assert_ok(iommusim_phys_numbers(phys, 0, &n));
	for (iommusim_pfn pfn = 1 << 18; pfn + 32 <= (1 << 18) + n.min; pfn += 64)
		assert_ok(iommusim_phys_put_free(phys, list, pfn));
	assert_ok(iommusim_phys_set_pageblock_type(phys, 1 << 18, IOMMUSIM_UNMOVABLE));
	return phys;
}

static uint64_t reserved(const struct iommusim_phys *phys)
{
	struct iommusim_zone_counters c;

	assert_ok(iommusim_phys_counters(phys, 0, &c));
	return c.nr_reserved_highatomic;
}

static void an_atomic_block_makes_a_reserve(void **state)
{
	static const unsigned kernels[] = { IOMMUSIM_KERNEL(6, 1), IOMMUSIM_KERNEL(6, 12) };

	for (unsigned i = 0; i < 2; i++) {
		struct iommusim_phys *phys = given_little_memory(kernels[i]);
		iommusim_pfn pfn = take(phys, 2, IOMMUSIM_GFP_BIT_HIGH);
		struct iommusim_page_request req = { .gfp = K | NORETRY, .node = -1 };
		struct iommusim_page_block block;

		assert_int_equal(reserved(phys), 512);
		assert_int_equal(iommusim_phys_pageblock_type(phys, pfn), IOMMUSIM_HIGHATOMIC);
		assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
		take(phys, 2, IOMMUSIM_GFP_BIT_HIGH);
		assert_int_equal(reserved(phys), 512); /* it was there already */
		assert_ok(iommusim_phys_free(phys, pfn, 2));
		iommusim_phys_destroy(phys);
	}
}

/* 6.12 makes none in a zone whose hundredth is less than a pageblock; 6.1 one in every zone. */
static void a_small_zone_has_no_reserve_in_6_12(void **state)
{
	static const struct {
		unsigned kernel;
		uint64_t frames;
	} cases[] = { { IOMMUSIM_KERNEL(6, 1), 512 }, { IOMMUSIM_KERNEL(6, 12), 0 } };

	for (unsigned i = 0; i < 2; i++) {
		struct iommusim_phys_config config = { .kernel = cases[i].kernel,
			                               .features = IOMMUSIM_PHYS_WATERMARKS |
			                                           IOMMUSIM_PHYS_HIGHATOMIC,
			                               .nothing_free = 1 };
		struct iommusim_phys *phys = given_zone(config, 1 << 18, 4096);
		struct iommusim_list_id list = { .order = 6, .type = IOMMUSIM_MOVABLE };

		assert_ok(iommusim_phys_put_free(phys, list, 1 << 18));
		take(phys, 2, IOMMUSIM_GFP_BIT_HIGH);
		assert_int_equal(reserved(phys), cases[i].frames);
		iommusim_phys_destroy(phys);
	}
}

/* A block of the reserve that is larger than a pageblock goes back as a whole. */
static void the_last_of_the_reserve_is_given_back(void **state)
{
	struct iommusim_phys_config config = { .nr_orders = 8,
		                               .pageblock_order = 3,
		                               .min_free_kbytes = 128,
		                               .features = IOMMUSIM_PHYS_WATERMARKS |
		                                           IOMMUSIM_PHYS_HIGHATOMIC,
		                               .nothing_free = 1 };
	struct iommusim_phys *phys = given_zone(config, 1 << 18, 4096);
	struct iommusim_list_id list = { .order = 7, .type = IOMMUSIM_HIGHATOMIC };
	struct iommusim_zone_counters c;
	struct iommusim_page_request req = { .gfp = K, .node = -1 };
	struct iommusim_page_block block;

	assert_ok(iommusim_phys_counters(phys, 0, &c));
	c.nr_reserved_highatomic = 128;
	assert_ok(iommusim_phys_set_counters(phys, 0, &c));
	for (uint64_t at = 0; at < 128; at += 8)
		assert_ok(iommusim_phys_set_pageblock_type(phys, (1 << 18) + at,
		                                           IOMMUSIM_HIGHATOMIC));
	assert_ok(iommusim_phys_put_free(phys, list, 1 << 18));
	assert_ok(iommusim_phys_alloc(phys, &req, &block));
	assert_int_equal(block.pfn, 1 << 18);
	assert_int_equal(reserved(phys), 0);
	assert_int_equal(iommusim_phys_pageblock_type(phys, (1 << 18) + 127), IOMMUSIM_UNMOVABLE);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static const unsigned kernels[] = { IOMMUSIM_KERNEL(6, 1), IOMMUSIM_KERNEL(6, 12) };

#define RESERVE ((iommusim_pfn)(1 << 18))

/*
 * 256 MiB whose only free frames are in @nr pageblocks of the reserve, three quarters of each:
 * blocks of order 8 and 7. The mark is 256 frames. Behind them is page cache, which is given up
 * 32 frames a round, too few for any mark.
 */
static struct iommusim_phys *given_reserve(unsigned kernel, unsigned nr, unsigned features)
{
	struct iommusim_phys_config config = { .kernel = kernel,
		                               .min_free_kbytes = 1024,
		                               .features = IOMMUSIM_PHYS_WATERMARKS |
		                                           IOMMUSIM_PHYS_HIGHATOMIC | features,
		                               .nothing_free = 1 };
	struct iommusim_phys *phys = given_zone(config, RESERVE, 1 << 16);
	struct iommusim_zone_counters c;

	for (unsigned i = 0; i < nr; i++) {
		iommusim_pfn pfn = RESERVE + 512 * i;
		struct iommusim_list_id list = { .order = 8, .type = IOMMUSIM_HIGHATOMIC };

		assert_ok(iommusim_phys_set_pageblock_type(phys, pfn, IOMMUSIM_HIGHATOMIC));
		assert_ok(iommusim_phys_put_free(phys, list, pfn));
		list.order = 7;
		assert_ok(iommusim_phys_put_free(phys, list, pfn + 256));
	}
	for (iommusim_pfn pfn = RESERVE + 8192; pfn < RESERVE + 8192 + 64; pfn++)
		assert_ok(iommusim_phys_put_used(phys, pfn, 0, IOMMUSIM_PAGE_CACHE));
	assert_ok(iommusim_phys_counters(phys, 0, &c));
	c.nr_reserved_highatomic = 512 * nr;
	assert_ok(iommusim_phys_set_counters(phys, 0, &c));
	return phys;
}

/* The reserve counts for nobody else; after a round of reclaim that helped too little a pageblock
   of it goes to the request, as one of the request's type. */
static void a_round_of_reclaim_gives_a_pageblock_of_the_reserve_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(kernels); i++) {
		struct iommusim_phys *phys = given_reserve(kernels[i], 2, IOMMUSIM_PHYS_RECLAIM);
		struct iommusim_attempt_report report;

		assert_int_equal(take(phys, 0, K | NORETRY), RESERVE + 256);
		iommusim_phys_report(phys, &report);
		assert_int_equal(report.nr_reclaims, 1);
		assert_int_equal(report.nr_reclaimed, 32);
		assert_int_equal(report.nr_walks, 6); /* fast: 2; slow, round: 1; reclaim: 2 */
		assert_int_equal(reserved(phys), 512);
		assert_int_equal(iommusim_phys_pageblock_type(phys, RESERVE), IOMMUSIM_UNMOVABLE);
		assert_int_equal(iommusim_phys_pageblock_type(phys, RESERVE + 512),
		                 IOMMUSIM_HIGHATOMIC);
		assert_list(phys, 8, UNMOVABLE, "262144");
		assert_list(phys, 8, HIGHATOMIC, "262656");
		assert_ok(iommusim_phys_check(phys));
		iommusim_phys_destroy(phys);
	}
}

/* ... but not the last: that goes only where the attempt would give up otherwise. */
static void the_last_pageblock_of_the_reserve_stays_after_reclaim(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(kernels); i++) {
		struct iommusim_phys *phys = given_reserve(kernels[i], 1, IOMMUSIM_PHYS_RECLAIM);
		struct iommusim_page_request req = { .gfp = K | NORETRY, .node = -1 };
		struct iommusim_page_block block;

		assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
		assert_int_equal(reserved(phys), 512);
		assert_list(phys, 8, HIGHATOMIC, "262144");
		req.gfp = K;
		assert_ok(iommusim_phys_alloc(phys, &req, &block));
		assert_int_equal(reserved(phys), 0);
		assert_ok(iommusim_phys_check(phys));
		iommusim_phys_destroy(phys);
	}
}

/* What other CPUs keep to themselves is free for all after that. */
static void a_round_of_reclaim_drains_the_lists_of_all_cpus(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(kernels); i++) {
		struct iommusim_phys_config config = { .kernel = kernels[i],
			                               .min_free_kbytes = 1024,
			                               .nr_cpus = 2,
			                               .features = IOMMUSIM_PHYS_WATERMARKS |
			                                           IOMMUSIM_PHYS_PCP |
			                                           IOMMUSIM_PHYS_RECLAIM,
			                               .nothing_free = 1 };
		struct iommusim_phys *phys = given_zone(config, RESERVE, 1 << 16);
		struct iommusim_pcp_id id = { .cpu = 1 };
		struct iommusim_attempt_report report;
		iommusim_pfn left;

		for (iommusim_pfn pfn = RESERVE; pfn < RESERVE + 400; pfn++)
			assert_ok(iommusim_phys_put_pcp(phys, id, IOMMUSIM_UNMOVABLE, pfn));
		for (iommusim_pfn pfn = RESERVE + 8192; pfn < RESERVE + 8192 + 64; pfn++)
			assert_ok(iommusim_phys_put_used(phys, pfn, 0, IOMMUSIM_PAGE_CACHE));
		assert_in_range(take(phys, 0, K | NORETRY), RESERVE, RESERVE + 399);
		iommusim_phys_report(phys, &report);
		assert_int_equal(report.nr_reclaims, 1);
		assert_int_equal(iommusim_phys_pcp_list(phys, id, &left, 1), 0);
		assert_ok(iommusim_phys_check(phys));
		iommusim_phys_destroy(phys);
	}
}

/* Reclaim that frees nothing has no second walk, and takes nothing from the reserve. */
static void without_progress_the_reserve_stays(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(kernels); i++) {
		struct iommusim_phys *phys = given_reserve(kernels[i], 2, 0);
		struct iommusim_page_request req = { .gfp = K | NORETRY, .node = -1 };
		struct iommusim_page_block block;

		assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
		assert_int_equal(reserved(phys), 1024);
		iommusim_phys_destroy(phys);
	}
}

/* Who cannot wait takes from the reserve when nothing else is left, and only then. */
static void a_request_that_cannot_wait_takes_from_the_reserve_last(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(kernels); i++) {
		struct iommusim_phys *phys = given_reserve(kernels[i], 2, 0);
		struct iommusim_page_request req = { .gfp = NOWAIT, .node = -1 };
		struct iommusim_list_id own = { .order = 0, .type = IOMMUSIM_UNMOVABLE },
					other = { .order = 0, .type = IOMMUSIM_RECLAIMABLE };
		iommusim_pfn first = RESERVE + 4096, second = RESERVE + 4098;
		struct iommusim_page_block block;

		assert_ok(iommusim_phys_put_free(phys, own, first));
		assert_ok(iommusim_phys_put_free(phys, other, second));
		assert_ok(iommusim_phys_alloc(phys, &req, &block));
		assert_int_equal(block.pfn, first);
		assert_ok(iommusim_phys_alloc(phys, &req, &block));
		assert_int_equal(block.pfn, second);
		assert_ok(iommusim_phys_alloc(phys, &req, &block));
		assert_int_equal(block.pfn, RESERVE + 256); /* the smallest that will do */
		assert_int_equal(block.migratetype, IOMMUSIM_HIGHATOMIC);
		assert_int_equal(reserved(phys), 1024);
		req.gfp = NOWAIT | IOMMUSIM_GFP_BIT_NOMEMALLOC; /* may not touch reserves */
		assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
		req.gfp = K | NORETRY;
		assert_err(iommusim_phys_alloc(phys, &req, &block), IOMMUSIM_ENOMEM);
		assert_ok(iommusim_phys_check(phys));
		iommusim_phys_destroy(phys);
	}
}

/* Atomic requests above order 0 look there first. */
static void a_high_order_atomic_request_takes_from_the_reserve_first(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(kernels); i++) {
		struct iommusim_phys *phys = given_reserve(kernels[i], 2, 0);
		struct iommusim_page_request req = { .order = 1,
			                             .gfp = IOMMUSIM_GFP_BIT_HIGH,
			                             .node = -1 };
		struct iommusim_list_id own = { .order = 1, .type = IOMMUSIM_UNMOVABLE };
		struct iommusim_page_block block;

		assert_ok(iommusim_phys_put_free(phys, own, RESERVE + 4096));
		assert_ok(iommusim_phys_alloc(phys, &req, &block));
		assert_int_equal(block.pfn, RESERVE + 256);
		assert_list(phys, 1, UNMOVABLE, "266240");
		iommusim_phys_destroy(phys);
	}
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 11];
	size_t nr = 0;

	for (; nr < ARRAY_LEN(rows); nr++)
		tests[nr] = (struct CMUnitTest)TEST_ROW(an_attempt_ends, &rows[nr]);
	tests[nr++] =
		(struct CMUnitTest)cmocka_unit_test(a_request_that_is_served_at_once_is_one_walk);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(a_zone_below_its_high_mark_is_flagged);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(an_atomic_block_makes_a_reserve);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(a_small_zone_has_no_reserve_in_6_12);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(the_last_of_the_reserve_is_given_back);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(
		a_round_of_reclaim_gives_a_pageblock_of_the_reserve_back);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(
		the_last_pageblock_of_the_reserve_stays_after_reclaim);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(
		a_round_of_reclaim_drains_the_lists_of_all_cpus);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(without_progress_the_reserve_stays);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(
		a_request_that_cannot_wait_takes_from_the_reserve_last);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(
		a_high_order_atomic_request_takes_from_the_reserve_first);
	return RUN_TESTS(tests);
}
