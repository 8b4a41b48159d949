/* SPDX-License-Identifier: MIT */
/* Per-CPU lists: how they are filled, in which order they give, and when they give back. */
#include "phys_test.h"

#define PCP_6_1                                                                \
	(struct iommusim_phys_config)                                          \
	{                                                                      \
		.kernel = IOMMUSIM_KERNEL(6, 1), .features = IOMMUSIM_PHYS_PCP \
	}
#define PCP_6_12                              \
	(struct iommusim_phys_config)         \
	{                                     \
		.features = IOMMUSIM_PHYS_PCP \
	}

static const struct iommusim_pcp_id cpu0 = { 0, 0, 0 };

static struct iommusim_pcp_state state_of(const struct iommusim_phys *phys)
{
	struct iommusim_pcp_state state;

	assert_ok(iommusim_phys_pcp(phys, cpu0, &state));
	return state;
}

static void set_state(struct iommusim_phys *phys, struct iommusim_pcp_state state)
{
	assert_ok(iommusim_phys_set_pcp(phys, cpu0, &state));
}

/* The list as text, from its head. */
static const char *pcp_text(const struct iommusim_phys *phys, unsigned list)
{
	static char text[MAX_LISTED * 12];
	struct iommusim_pcp_id id = { 0, 0, list };
	iommusim_pfn pfns[MAX_LISTED];
	int nr = iommusim_phys_pcp_list(phys, id, pfns, MAX_LISTED);
	size_t at = 0;

	text[0] = 0;
	for (int i = 0; i < nr; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%llu", i ? " " : "",
		                       (unsigned long long)pfns[i]);
	return text;
}

static void batches_follow_from_the_size_of_a_zone(void **state)
{
	static const struct {
		uint64_t frames;
		int batch;
	} rows[] = { { 1 << 18, 63 }, { 1 << 20, 63 }, { 65536, 15 }, { 4096, 1 }, { 512, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct iommusim_phys *phys = given_zone(PCP_6_12, 0, rows[i].frames);

		assert_int_equal(state_of(phys).batch, rows[i].batch);
		iommusim_phys_destroy(phys);
	}
}

static void lists_may_be_as_long_as_the_low_mark_or_an_eighth_of_the_zone(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_12, 1 << 18, 1 << 18);

	assert_int_equal(state_of(phys).high_min, 1286);
	assert_int_equal(state_of(phys).high, 1286);
	assert_int_equal(state_of(phys).high_max, 32768);
	iommusim_phys_destroy(phys);
	phys = given_zone(PCP_6_1, 1 << 18, 1 << 18);
	assert_int_equal(state_of(phys).high, 1286);
	iommusim_phys_destroy(phys);
	phys = given_zone(PCP_6_12, 0, 512);
	assert_int_equal(state_of(phys).high_min, 56);
	assert_int_equal(state_of(phys).high_max, 64);
	iommusim_phys_destroy(phys);
	phys = given_zone(
		(struct iommusim_phys_config){ .features = IOMMUSIM_PHYS_PCP, .nr_cpus = 32 }, 0,
		65536);
	assert_int_equal(state_of(phys).high_min, 4 * 15); /* four batches at least */
	iommusim_phys_destroy(phys);
}

/* Linux 6.1, batch 63, single pages. */
static void a_refill_takes_a_batch_in_ascending_order(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_1, 0, 4096);
	struct iommusim_pcp_state s = state_of(phys);

	s.batch = 63;
	s.high = s.high_min = s.high_max = 252;
	set_state(phys, s);
	assert_int_equal(take(phys, 0, KERNEL), 0);
	assert_int_equal(iommusim_phys_nr_free(phys), 4096 - 63);
	assert_int_equal(state_of(phys).count, 62);
	for (iommusim_pfn pfn = 1; pfn < 63; pfn++)
		assert_int_equal(take(phys, 0, KERNEL), pfn);
	assert_int_equal(state_of(phys).count, 0);
	assert_int_equal(take(phys, 0, KERNEL), 63);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void higher_orders_take_fewer_blocks(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_1, 0, 1 << 18);

	assert_int_equal(take(phys, 3, KERNEL), 0);
	assert_int_equal(state_of(phys).count, 6 * 8); /* 63 >> 3, less the one */
	assert_int_equal(take(phys, 9, KERNEL), 512);
	assert_string_equal(pcp_text(phys, 12), "1024"); /* two of the huge page's order */
	assert_int_equal(take(phys, 9, MOVABLE), 2048);
	assert_string_equal(pcp_text(phys, 13), "2560");
	assert_int_equal(take(phys, 4, KERNEL), 64); /* others have no list */
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void what_was_freed_last_comes_first_and_does_not_merge(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_12, 0, 1 << 18);
	iommusim_pfn a = take(phys, 0, KERNEL), b = take(phys, 0, KERNEL);
	uint64_t free = iommusim_phys_nr_free(phys);

	assert_ok(iommusim_phys_free(phys, a, 0));
	assert_ok(iommusim_phys_free(phys, b, 0));
	assert_int_equal(iommusim_phys_nr_free(phys), free);
	assert_err(iommusim_phys_free(phys, b, 0), IOMMUSIM_EINVAL);
	assert_int_equal(take(phys, 0, KERNEL), b);
	assert_int_equal(take(phys, 0, KERNEL), a);
	iommusim_phys_destroy(phys);
}

static void a_drain_of_everything_merges_everything(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_12, 0, 1 << 18);
	iommusim_pfn a = take(phys, 0, KERNEL), b = take(phys, 1, MOVABLE);

	assert_ok(iommusim_phys_free(phys, a, 0));
	assert_ok(iommusim_phys_free(phys, b, 1));
	assert_true(iommusim_phys_drain(phys) > 2);
	assert_int_equal(state_of(phys).count, 0);
	assert_int_equal(iommusim_phys_nr_free(phys), 1 << 18);
	assert_int_equal(iommusim_phys_nr_free_blocks(phys, 10), 256);
	assert_int_equal(iommusim_phys_drain(phys), 0);
	iommusim_phys_destroy(phys);
}

/* Each refill takes twice as many, as far as the lists may grow; a free halves the next. */
static void linux_6_12_takes_more_the_more_is_asked_for(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_12, 0, 1 << 18);

	take(phys, 0, KERNEL); /* 63 of them */
	assert_int_equal(state_of(phys).count, 62);
	assert_int_equal(state_of(phys).factor, 1);
	for (unsigned i = 0; i < 63; i++)
		take(phys, 0, KERNEL);
	assert_int_equal(state_of(phys).count, 126 - 1);
	assert_int_equal(state_of(phys).factor, 2);
	assert_int_equal(state_of(phys).high, 1286 + 63 + 126);
	assert_ok(iommusim_phys_free(phys, 0, 0));
	assert_int_equal(state_of(phys).factor, 1);
	assert_int_equal(state_of(phys).free_count, 1);
	iommusim_phys_destroy(phys);
}

/* With the lists as long as they may be, 6.1 frees a batch from the tail, then more each time. */
static void a_list_that_is_too_long_gives_a_batch_back(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_1, 0, 4096);
	struct iommusim_pcp_state s = state_of(phys);
	uint64_t free;

	s.batch = 2;
	s.high = 8;
	set_state(phys, s);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(take(phys, 0, KERNEL), i);
	free = iommusim_phys_nr_free(phys);
	for (iommusim_pfn pfn = 0; pfn < 7; pfn++)
		assert_ok(iommusim_phys_free(phys, pfn, 0));
	assert_int_equal(iommusim_phys_nr_free(phys), free);
	assert_string_equal(pcp_text(phys, 0), "6 5 4 3 2 1 0");
	assert_ok(iommusim_phys_free(phys, 7, 0));
	assert_string_equal(pcp_text(phys, 0), "7 6 5 4 3 2");
	assert_int_equal(state_of(phys).factor, 1);
	assert_int_equal(iommusim_phys_nr_free(phys), free + 2);
	assert_list(phys, 1, UNMOVABLE, "0"); /* 0 and 1 */
	assert_ok(iommusim_phys_free(phys, 8, 0));
	assert_ok(iommusim_phys_free(phys, 9, 0));
	assert_string_equal(pcp_text(phys, 0), "9 8 7 6"); /* 2 << 1 */
	iommusim_phys_destroy(phys);
}

/* One high-order block after frees that drained makes 6.1 give back all that it has. */
static void a_high_order_block_empties_the_lists_of_6_1(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_1, 0, 4096);
	struct iommusim_pcp_state s;

	take(phys, 0, KERNEL);
	take(phys, 2, KERNEL);
	s = state_of(phys);
	s.factor = 2;
	set_state(phys, s);
	assert_ok(iommusim_phys_free(phys, 0, 0));
	assert_true(state_of(phys).count > 0);
	assert_ok(iommusim_phys_free(phys, 4, 2));
	assert_int_equal(state_of(phys).count, 0);
	iommusim_phys_destroy(phys);
}

/* Decay: high falls by an eighth, and what exceeds it goes back a batch at a time. */
static void a_second_without_traffic_shortens_the_lists_of_6_12(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_12, 0, 1 << 18);
	struct iommusim_pcp_state s;

	for (unsigned i = 0; i < 1000; i++)
		take(phys, 0, KERNEL);
	s = state_of(phys);
	s.high = s.high_min = 100;
	s.pending = 0;
	set_state(phys, s);
	assert_true(s.count > 100);
	assert_int_equal(iommusim_phys_decay(phys, 0), s.count - 100);
	assert_int_equal(state_of(phys).count, 100);
	s.high = 800;
	set_state(phys, s);
	assert_int_equal(iommusim_phys_decay(phys, 0), 0);
	assert_int_equal(state_of(phys).high, 700);
	assert_err(iommusim_phys_decay(phys, 1), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void every_cpu_has_lists_of_its_own(void **state)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .kernel = IOMMUSIM_KERNEL(6, 1),
	                                                  .features = IOMMUSIM_PHYS_PCP,
	                                                  .nr_cpus = 2 },
	                   0, 1 << 18);
	struct iommusim_page_request req = { .gfp = KERNEL, .node = -1 };
	struct iommusim_page_block a, b;

	assert_ok(iommusim_phys_alloc(phys, &req, &a));
	req.cpu = 1;
	assert_ok(iommusim_phys_alloc(phys, &req, &b));
	assert_int_equal(a.pfn, 0);
	assert_int_equal(b.pfn, 63);
	assert_ok(iommusim_phys_free_on(phys, a.pfn, 0, 1));
	assert_ok(iommusim_phys_alloc(phys, &req, &b));
	assert_int_equal(b.pfn, a.pfn);
	req.cpu = 2;
	assert_err(iommusim_phys_alloc(phys, &req, &b), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_free_on(phys, 1, 0, 2), IOMMUSIM_EINVAL);
	iommusim_phys_destroy(phys);
}

/* Changes of up to the threshold are not told. */
static void the_counter_lags(void **state)
{
	struct iommusim_phys *phys = given_zone(
		(struct iommusim_phys_config){ .features = IOMMUSIM_PHYS_WATERMARKS }, 0, 1 << 18);
	struct iommusim_zone_counters c;

	assert_ok(iommusim_phys_counters(phys, 0, &c));
	assert_int_equal(c.stat_threshold, 2 * 1 * (1 + 4)); /* 1 GiB is 8 times 128 MiB */
	for (int i = 1; i <= 10; i++) {
		take(phys, 0, MOVABLE);
		assert_ok(iommusim_phys_counters(phys, 0, &c));
		assert_int_equal(c.nr_free_pages, 1 << 18);
		assert_int_equal(state_of(phys).pending, -i);
	}
	take(phys, 0, MOVABLE);
	assert_ok(iommusim_phys_counters(phys, 0, &c));
	assert_int_equal(c.nr_free_pages, (1 << 18) - 11);
	take(phys, 0, MOVABLE);
	iommusim_phys_decay(phys, 0);
	assert_ok(iommusim_phys_counters(phys, 0, &c));
	assert_int_equal(c.nr_free_pages, (1 << 18) - 12);
	iommusim_phys_destroy(phys);
}

static void a_fork_has_the_same_lists(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_12, 0, 1 << 18), *copy = NULL;

	take(phys, 0, KERNEL);
	take(phys, 3, MOVABLE);
	assert_ok(iommusim_phys_fork(phys, &copy));
	assert_ok(iommusim_phys_check(copy));
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(take(phys, 0, KERNEL), take(copy, 0, KERNEL));
	assert_int_equal(take(phys, 3, MOVABLE), take(copy, 3, MOVABLE));
	iommusim_phys_destroy(phys);
	assert_ok(iommusim_phys_check(copy));
	iommusim_phys_destroy(copy);
}

/* ---- Many pages at once ---- */

static void a_bulk_request_is_served_from_the_list(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_12, 0, 1 << 18);
	struct iommusim_page_request req = { .gfp = KERNEL, .node = -1 };
	struct iommusim_pcp_state before, after;
	iommusim_pfn pfns[100];

	for (unsigned i = 0; i < 40; i++)
		assert_ok(iommusim_phys_free(phys, take(phys, 0, KERNEL), 0));
	before = state_of(phys);
	assert_int_equal(iommusim_phys_alloc_bulk(phys, &req, pfns, 100), 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(pfns[i], i);
	after = state_of(phys);
	assert_int_equal(after.free_count, before.free_count); /* not halved */
	assert_ok(iommusim_phys_free_bulk(phys, pfns, 100, 0));
	assert_err(iommusim_phys_free_bulk(phys, pfns, 1, 0), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void a_bulk_request_may_get_less_or_one_page(void **state)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .features = IOMMUSIM_PHYS_PCP |
	                                                              IOMMUSIM_PHYS_WATERMARKS },
	                   1 << 18, 1 << 18);
	struct iommusim_page_request req = { .gfp = KERNEL, .node = -1 };
	static iommusim_pfn pfns[1 << 18];
	/* More than the zone has above its low mark: one ordinary request. */
	assert_int_equal(iommusim_phys_alloc_bulk(phys, &req, pfns, 1 << 18), 1);
	assert_int_equal(iommusim_phys_alloc_bulk(phys, &req, pfns, 50000), 50000);
	req.order = 1;
	assert_err(iommusim_phys_alloc_bulk(phys, &req, pfns, 2), IOMMUSIM_EINVAL);
	req.order = 0;
	assert_err(iommusim_phys_alloc_bulk(phys, &req, pfns, 0), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void count_frees(void *ctx, const struct iommusim_event *event)
{
	uint64_t *seen = ctx;

	if (event->kind != IOMMUSIM_EVENT_PAGE_FREE)
		return;
	seen[0]++;
	seen[1] += event->nr_pages;
}

static void many_frees_are_one_event(void **state)
{
	uint64_t seen[2] = { 0, 0 };
	struct iommusim_host host = { .size = sizeof(host),
		                      .event = count_frees,
		                      .event_ctx = seen };
	struct iommusim_phys *phys = given_zone(
		(struct iommusim_phys_config){ .features = IOMMUSIM_PHYS_PCP, .host = &host }, 0,
		1 << 18);
	struct iommusim_page_request req = { .gfp = KERNEL, .node = -1 };
	iommusim_pfn pfns[50];

	assert_int_equal(iommusim_phys_alloc_bulk(phys, &req, pfns, 50), 50);
	assert_ok(iommusim_phys_free_bulk(phys, pfns, 50, 0));
	assert_int_equal(seen[0], 1);
	assert_int_equal(seen[1], 50);
	iommusim_phys_destroy(phys);
}

static void a_list_with_a_page_twice_is_not_freed(void **state)
{
	struct iommusim_phys *phys = given_zone(PCP_6_12, 0, 1 << 18);
	iommusim_pfn pfns[3] = { take(phys, 0, KERNEL), take(phys, 0, KERNEL) };

	pfns[2] = pfns[0];
	assert_err(iommusim_phys_free_bulk(phys, pfns, 3, 0), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_free_bulk(phys, pfns, 2, 1), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_check(phys));
	assert_ok(iommusim_phys_free_bulk(phys, pfns, 2, 0));
	iommusim_phys_destroy(phys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_follow_from_the_size_of_a_zone),
		cmocka_unit_test(lists_may_be_as_long_as_the_low_mark_or_an_eighth_of_the_zone),
		cmocka_unit_test(a_refill_takes_a_batch_in_ascending_order),
		cmocka_unit_test(higher_orders_take_fewer_blocks),
		cmocka_unit_test(what_was_freed_last_comes_first_and_does_not_merge),
		cmocka_unit_test(a_drain_of_everything_merges_everything),
		cmocka_unit_test(linux_6_12_takes_more_the_more_is_asked_for),
		cmocka_unit_test(a_list_that_is_too_long_gives_a_batch_back),
		cmocka_unit_test(a_high_order_block_empties_the_lists_of_6_1),
		cmocka_unit_test(a_second_without_traffic_shortens_the_lists_of_6_12),
		cmocka_unit_test(every_cpu_has_lists_of_its_own),
		cmocka_unit_test(the_counter_lags),
		cmocka_unit_test(a_fork_has_the_same_lists),
		cmocka_unit_test(a_bulk_request_is_served_from_the_list),
		cmocka_unit_test(a_bulk_request_may_get_less_or_one_page),
		cmocka_unit_test(many_frees_are_one_event),
		cmocka_unit_test(a_list_with_a_page_twice_is_not_freed),
	};

	return RUN_TESTS(tests);
}
