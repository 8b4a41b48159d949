/* SPDX-License-Identifier: MIT */
/* Lazy invalidation: when rings overflow, when the timer runs, and how long a device can look. */
#include "rig.h"

#define MS UINT64_C(1000000)

static struct rig *given_lazy(enum iommusim_invalidation kind, unsigned cpus)
{
	return given_rig(&(struct rig_config){ .pgsizes = SZ_4K | SZ_2M,
	                                       .iova_cpus = cpus,
	                                       .dma = { .invalidation = kind, .nr_cpus = cpus } });
}

/* Map a page and unmap it again, @nr times. */
static void churn(struct rig *rig, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		struct iommusim_dma_mapping m = { .pa = SZ_1G, .size = SZ_4K };

		assert_ok(iommusim_dma_map_page(rig->dma, &m));
		assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	}
}

static struct iommusim_dma_stats stats_of(const struct rig *rig)
{
	return iommusim_dma_stats(rig->dma);
}

static void end(struct rig *rig)
{
	iommusim_dma_destroy(rig->dma);
	rig->dma = NULL;
	assert_untouched(rig);
	finish(rig);
}

static void the_256th_unmap_flushes_a_ring_of_256(void **state)
{
	struct rig *rig = given_lazy(IOMMUSIM_INVALIDATE_LAZY, 1);

	churn(rig, 255);
	assert_int_equal(stats_of(rig).nr_flush_all, 0);
	assert_int_equal(stats_of(rig).exposed_bytes, 255 * SZ_4K);
	churn(rig, 1);
	assert_int_equal(stats_of(rig).nr_flush_all, 1);
	assert_int_equal(stats_of(rig).nr_flush_full, 1);
	assert_int_equal(stats_of(rig).nr_queued, 1); /* itself */
	assert_int_equal(stats_of(rig).exposed_bytes, SZ_4K);
	assert_int_equal(stats_of(rig).exposed_bytes_most, 255 * SZ_4K);
	assert_int_equal(iommusim_domain_stats(rig->domain).nr_iotlb_sync, 0);
	assert_int_equal(iommusim_domain_stats(rig->domain).nr_iotlb_flush_all, 1);
	end(rig);
}

/* No range is handed out again while it waits: 255 pages of IOVA, and the next one is another. */
static void a_range_that_waits_is_not_used_again(void **state)
{
	struct rig *rig = given_lazy(IOMMUSIM_INVALIDATE_LAZY, 1);
	struct iommusim_dma_mapping m = { .pa = SZ_1G, .size = SZ_4K };

	churn(rig, 255);
	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_int_equal(m.dma_addr, (UINT64_C(0x100000) - 256) << 12);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, UINT64_C(0xfffff000)), 0);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	end(rig);
}

static const struct timer_row {
	const char *name;
	enum iommusim_invalidation kind;
	uint64_t want_ms;
} timer_rows[] = {
	{ "a queue per CPU waits 10 ms", IOMMUSIM_INVALIDATE_LAZY, 10 },
	{ "a single queue waits 1000 ms", IOMMUSIM_INVALIDATE_LAZY_SINGLE, 1000 },
};

/* Unmaps at 0 and at half the time: the timer runs once, and the second window is half as long. */
static void the_timer_ends_the_exposure(void **state)
{
	const struct timer_row *r = *state;
	struct rig *rig = given_lazy(r->kind, 1);
	uint64_t due = r->want_ms * MS;

	churn(rig, 1);
	iommusim_dma_set_clock(rig->dma, due / 2);
	churn(rig, 1);
	iommusim_dma_set_clock(rig->dma, due - 1);
	assert_int_equal(stats_of(rig).nr_flush_all, 0);
	assert_int_equal(stats_of(rig).exposed_bytes, 2 * SZ_4K);
	assert_int_not_equal(rig->shadow.nr_entries, 0);
	iommusim_dma_set_clock(rig->dma, due + 5 * MS);
	assert_int_equal(stats_of(rig).nr_flush_timer, 1);
	assert_int_equal(stats_of(rig).exposed_bytes, 0);
	assert_int_equal(stats_of(rig).exposed_ns_longest, due); /* it ran when it was due */
	assert_int_equal(stats_of(rig).exposed_ns_sum, due + due / 2);
	assert_int_equal(rig->shadow.nr_entries, 0);
	iommusim_dma_set_clock(rig->dma, 0); /* time does not go back */
	churn(rig, 1);
	iommusim_dma_set_clock(rig->dma, 2 * due + 5 * MS);
	assert_int_equal(stats_of(rig).nr_flush_timer, 2);
	end(rig);
}

static void a_single_queue_holds_32767_ranges(void **state)
{
	struct rig *rig = given_lazy(IOMMUSIM_INVALIDATE_LAZY_SINGLE, 1);

	/* The shadow would remember every one of them. */
	rig->shadow.granule = SZ_4K;
	for (unsigned i = 0; i < 32767; i++) {
		churn(rig, 1);
		rig->shadow.nr_entries = 0;
	}
	assert_int_equal(stats_of(rig).nr_flush_all, 0);
	churn(rig, 1);
	assert_int_equal(stats_of(rig).nr_flush_full, 1);
	end(rig);
}

/* A full ring of one CPU ends the exposure of all, but only its own ranges are released at once. */
static void each_cpu_has_a_ring(void **state)
{
	struct rig *rig = given_lazy(IOMMUSIM_INVALIDATE_LAZY, 2);

	churn(rig, 255);
	assert_ok(iommusim_dma_set_cpu(rig->dma, 1));
	churn(rig, 255);
	assert_int_equal(stats_of(rig).nr_flush_all, 0);
	assert_int_equal(stats_of(rig).nr_queued, 510);
	churn(rig, 1);
	assert_int_equal(stats_of(rig).nr_flush_all, 1);
	assert_int_equal(stats_of(rig).nr_queued, 255 + 1);
	assert_int_equal(stats_of(rig).exposed_bytes, SZ_4K);
	assert_ok(iommusim_dma_set_cpu(rig->dma, 0));
	churn(rig, 1); /* which releases what its ring still holds */
	assert_int_equal(stats_of(rig).nr_flush_all, 1);
	assert_int_equal(stats_of(rig).nr_queued, 2);
	end(rig);
}

/* The other way round: nothing is left for later. */
static void strict_devices_expose_nothing(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = SZ_4K | SZ_2M });

	churn(rig, 300);
	assert_int_equal(stats_of(rig).nr_exposed, 0);
	assert_int_equal(iommusim_domain_stats(rig->domain).nr_iotlb_sync, 300);
	assert_int_equal(iommusim_domain_stats(rig->domain).nr_iotlb_flush_all, 0);
	assert_int_equal(rig->shadow.nr_entries, 0);
	end(rig);
}

/* Pages go back to their owner while the device may still reach them. */
static void lazy_frees_give_pages_back_too_early(void **state)
{
	struct rig *rig = given_lazy(IOMMUSIM_INVALIDATE_LAZY, 1);
	struct iommusim_dma_request req = request_of(NULL, 16 * SZ_4K);
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_dma_alloc(rig->dma, &req, &buffer));
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_int_equal(rig->shadow.nr_given_early, 16);
	assert_int_equal(stats_of(rig).exposed_bytes, 16 * SZ_4K);
	end(rig);
}

static void a_single_queue_is_younger_than_6_1(void **state)
{
	struct rig_config config = { .kernel = KERNEL_6_1,
		                     .pgsizes = SZ_4K,
		                     .dma.invalidation = IOMMUSIM_INVALIDATE_LAZY_SINGLE };
	struct rig *rig = given_parts(&config);

	assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	config.dma.invalidation = IOMMUSIM_INVALIDATE_LAZY;
	config.dma.nr_cpus = IOMMUSIM_DMA_MAX_CPUS + 1;
	assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	config.dma.nr_cpus = 1;
	assert_ok(create_device(rig, &config));
	finish(rig);
}

/* Map @nr pieces of @size, then unmap them all: so many ranges reach the caches at once. */
static void map_then_unmap(struct rig *rig, size_t nr, uint64_t size)
{
	struct iommusim_dma_mapping *m = calloc(nr, sizeof(*m));

	assert_non_null(m);
	for (size_t i = 0; i < nr; i++) {
		m[i] = (struct iommusim_dma_mapping){ .pa = SZ_1G, .size = size };
		assert_ok(iommusim_dma_map_page(rig->dma, &m[i]));
	}
	for (size_t i = 0; i < nr; i++)
		assert_ok(iommusim_dma_unmap_page(rig->dma, &m[i]));
	free(m);
}

static uint64_t depot_of(struct rig *rig)
{
	struct iommusim_iova_stats stats;

	assert_ok(iommusim_iova_stats(rig->iova, UINT32_MAX, &stats));
	return stats.nr_depot;
}

static const struct depot_row {
	const char *name;
	unsigned kernel;
	uint64_t want[4]; /* magazines after 0, 100, 200 and 1000 ms */
} depot_rows[] = {
	{ "6.1 trims no depot", KERNEL_6_1, { 4, 4, 4, 4 } },
	{ "6.12 trims one magazine in 100 ms", KERNEL_6_12, { 4, 3, 2, 1 } },
};

/* 700 ranges: two magazines of the CPU, four in the depot. One may stay for each CPU. */
static void the_clock_trims_depots(void **state)
{
	static const uint64_t ms[] = { 99, 100, 200, 1000 };
	const struct depot_row *r = *state;
	struct rig *rig = given_rig(
		&(struct rig_config){ .kernel = r->kernel, .pgsizes = SZ_4K, .iova_cpus = 1 });

	map_then_unmap(rig, 700, SZ_4K);
	for (unsigned i = 0; i < 4; i++) {
		iommusim_dma_set_clock(rig->dma, ms[i] * MS);
		assert_int_equal(depot_of(rig), r->want[i]);
	}
	end(rig);
}

/* Two orders, 50 ms apart: each depot has its own time, the later one may be the lower. */
static void each_depot_has_its_time(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = SZ_4K, .iova_cpus = 1 });

	map_then_unmap(rig, 500, 2 * SZ_4K); /* two magazines each in the depots */
	iommusim_dma_set_clock(rig->dma, 50 * MS);
	map_then_unmap(rig, 500, SZ_4K);
	assert_int_equal(depot_of(rig), 4);
	iommusim_dma_set_clock(rig->dma, 100 * MS);
	assert_int_equal(depot_of(rig), 3);
	iommusim_dma_set_clock(rig->dma, 149 * MS);
	assert_int_equal(depot_of(rig), 3);
	iommusim_dma_set_clock(rig->dma, 150 * MS);
	assert_int_equal(depot_of(rig), 2);
	iommusim_dma_set_clock(rig->dma, 1000 * MS);
	assert_int_equal(depot_of(rig), 2);
	end(rig);
}

/* The timer runs at 10 ms and fills the depot, which is trimmed at 110 ms: both in one step. */
static void the_queue_fills_depots_on_the_way(void **state)
{
	struct rig *rig = given_lazy(IOMMUSIM_INVALIDATE_LAZY_SINGLE, 1);

	map_then_unmap(rig, 700, SZ_4K);
	assert_int_equal(depot_of(rig), 0);
	iommusim_dma_set_clock(rig->dma, 1000 * MS);
	assert_int_equal(depot_of(rig), 4);
	iommusim_dma_set_clock(rig->dma, 1099 * MS);
	assert_int_equal(depot_of(rig), 4);
	iommusim_dma_set_clock(rig->dma, 1200 * MS);
	assert_int_equal(depot_of(rig), 2);
	end(rig);
}

/* A copy goes on by itself. */
static void a_fork_has_its_own_rings(void **state)
{
	struct rig *rig = given_lazy(IOMMUSIM_INVALIDATE_LAZY, 1);
	struct iommusim_page_source source = iommusim_phys_source(rig->phys);
	struct iommusim_dma_config parts = { .domain = rig->domain, .source = &source };
	struct iommusim_dma *copy;

	churn(rig, 100);
	assert_ok(iommusim_iova_fork(rig->iova, &parts.iova));
	assert_ok(iommusim_dma_fork(rig->dma, &parts, &copy));
	iommusim_dma_set_clock(copy, 10 * MS);
	assert_int_equal(iommusim_dma_stats(copy).nr_queued, 0);
	assert_int_equal(stats_of(rig).nr_queued, 100);
	iommusim_dma_destroy(copy);
	iommusim_iova_flush(parts.iova);
	assert_int_equal(iommusim_iova_nr_ranges(parts.iova), 0);
	iommusim_iova_destroy(parts.iova);
	end(rig);
}

int main(void)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(the_256th_unmap_flushes_a_ring_of_256),
		cmocka_unit_test(a_range_that_waits_is_not_used_again),
		TEST_ROW(the_timer_ends_the_exposure, &timer_rows[0]),
		TEST_ROW(the_timer_ends_the_exposure, &timer_rows[1]),
		cmocka_unit_test(a_single_queue_holds_32767_ranges),
		cmocka_unit_test(each_cpu_has_a_ring),
		cmocka_unit_test(strict_devices_expose_nothing),
		cmocka_unit_test(lazy_frees_give_pages_back_too_early),
		cmocka_unit_test(a_single_queue_is_younger_than_6_1),
		cmocka_unit_test(a_fork_has_its_own_rings),
		TEST_ROW(the_clock_trims_depots, &depot_rows[0]),
		TEST_ROW(the_clock_trims_depots, &depot_rows[1]),
		cmocka_unit_test(each_depot_has_its_time),
		cmocka_unit_test(the_queue_fills_depots_on_the_way),
	};

	return RUN_TESTS(tests);
}
