/* SPDX-License-Identifier: MIT */
/*
 * Stories that kernel people tell of this layer, each as a run with its figures. They are printed,
 * and held to.
 */
#include <stdio.h>

#include "rig.h"

#define GUEST_MASK UINT64_C(0xffffffffffff)

static void figure(const char *what, uint64_t value)
{
	print_message("# %s: %llu\n", what, (unsigned long long)value);
}

/* ---- One wasted try below 4 GiB for every map of a PCI device ---- */

/*
 * A PCI device with 48 address bits, on a machine whose IOVA space below 4 GiB is full. 6.1 looks
 * there first for every single mapping, in vain; 6.12 remembers the first failure.
 */
static uint64_t wasted_tries(unsigned kernel, unsigned nr_maps)
{
	struct rig *rig = given_rig(
		&(struct rig_config){ .kernel = kernel,
	                              .pgsizes = SZ_4K | SZ_2M,
	                              .iova_cpus = 1,
	                              .dma = { .is_pci = 1, .streaming_mask = GUEST_MASK } });
	struct iommusim_region low = { IOMMUSIM_REGION_RESERVED, 0, UINT32_MAX, 0 };
	uint64_t wasted;

	assert_ok(iommusim_dma_reserve(rig->dma, &low));
	for (unsigned i = 0; i < nr_maps; i++) {
		/* Too large for the caches, so every map searches. */
		struct iommusim_dma_mapping m = { .pa = SZ_1G, .size = 64 * SZ_4K };

		assert_ok(iommusim_dma_map_page(rig->dma, &m));
		assert_true(m.dma_addr > UINT32_MAX);
		assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	}
	wasted = iommusim_dma_stats(rig->dma).nr_low_failed;
	finish(rig);
	return wasted;
}

static void one_try_is_wasted_for_every_map(void **state)
{
	uint64_t old = wasted_tries(KERNEL_6_1, 10000), new = wasted_tries(KERNEL_6_12, 10000);

	figure("10000 maps on 6.1, tries below 4 GiB wasted", old);
	figure("10000 maps on 6.12, tries below 4 GiB wasted", new);
	assert_int_equal(old, 10000);
	assert_int_equal(new, 1);
}

/* ---- 8192 single invalidations against 16 context flushes ---- */

/* What an Arm SMMU without range invalidation is told. */
struct smmu {
	struct iommusim_driver inner;
	uint64_t granule;
	uint64_t nr_walk; /* tables removed: with a context flush, one command each */
	uint64_t nr_tlbi; /* page by page instead */
};

static int map_inner(void *ctx, const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct smmu *s = ctx;

	return s->inner.map_pages(s->inner.ctx, pages, mapped);
}

static uint64_t unmap_inner(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                            struct iommusim_gather *gather)
{
	struct smmu *s = ctx;

	return s->inner.unmap_pages(s->inner.ctx, iova, pgsize, count, gather);
}

static uint64_t translate_inner(void *ctx, uint64_t iova)
{
	struct smmu *s = ctx;

	return s->inner.iova_to_phys(s->inner.ctx, iova);
}

static void count_commands(void *ctx, const struct iommusim_gather *gather)
{
	struct smmu *s = ctx;

	if (gather->start > gather->last)
		return;
	s->nr_walk++;
	s->nr_tlbi += (gather->last - gather->start + 1) / s->granule;
}

/*
 * A list of 32 MiB in 8192 single pages, on the page tables of an SMMU. Unmapping it goes by 2 MiB
 * (16 calls, or one for 16 since 5.14): 16 tables are taken out, and for each the walk caches are
 * invalidated, page by page that is 512 commands, or all of the context at once.
 */
static void a_list_of_single_pages_is_unmapped(void **state)
{
	struct iommusim_pgtable_config pgtable = { .size = sizeof(pgtable),
		                                   .format = &iommusim_pgtable_arm_lpae_s1,
		                                   .pgsizes = SZ_4K | SZ_2M | SZ_1G };
	struct smmu smmu = { .granule = SZ_4K };
	struct iommusim_driver driver = { .size = sizeof(driver),
		                          .ctx = &smmu,
		                          .map_pages = map_inner,
		                          .unmap_pages = unmap_inner,
		                          .iova_to_phys = translate_inner,
		                          .sync_iotlb = count_commands };
	struct rig_config config = { .kernel = *(const unsigned *)*state,
		                     .pgsizes = SZ_4K | SZ_2M | SZ_1G };
	struct rig *rig = given_parts(&config);
	struct iommusim_dma_sg *sg = calloc(8192, sizeof(*sg));
	struct iommusim_dma_list list = { .sg = sg, .nr = 8192 };
	struct iommusim_pgtable *tables;
	struct iommusim_domain *domain;
	size_t segments;

	assert_non_null(sg);
	assert_ok(iommusim_pgtable_create(&pgtable, &tables));
	smmu.inner = iommusim_pgtable_driver(tables);
	assert_ok(iommusim_domain_fork(rig->domain, &driver, &domain));
	iommusim_domain_destroy(rig->domain);
	rig->domain = domain;
	assert_ok(create_device(rig, &config));
	for (size_t i = 0; i < 8192; i++)
		sg[i] = (struct iommusim_dma_sg){ .page_pa = SZ_1G + 2 * i * SZ_4K,
			                          .length = SZ_4K };
	assert_ok(iommusim_dma_map_sg(rig->dma, &list, &segments));
	assert_int_equal(iommusim_domain_stats(domain).nr_mapped[12], 8192);
	assert_ok(iommusim_dma_unmap_sg(rig->dma, &list));
	figure("32 MiB of single pages: unmap calls", iommusim_domain_stats(domain).nr_unmap_calls);
	figure("invalidated page by page", smmu.nr_tlbi);
	figure("or with context flushes", smmu.nr_walk);
	assert_int_equal(iommusim_domain_stats(domain).nr_unmap_calls,
	                 config.kernel < IOMMUSIM_KERNEL(5, 14) ? 16 : 1);
	assert_int_equal(smmu.nr_tlbi, 8192);
	assert_int_equal(smmu.nr_walk, 16);
	finish(rig);
	iommusim_pgtable_destroy(tables);
	free(sg);
}

/* ---- How long a device can look ---- */

/*
 * Packets of 2 KiB, one every 5 us, each in a page of its own that is given back after the unmap. A
 * strict device waits for an invalidation each time; a lazy one does not, and reaches pages that
 * belong to others meanwhile.
 */
static struct iommusim_dma_stats packets(enum iommusim_invalidation kind, uint64_t *nr_syncs)
{
	struct rig *rig = given_rig(&(struct rig_config){
		.pgsizes = SZ_4K | SZ_2M, .iova_cpus = 1, .dma.invalidation = kind });
	struct iommusim_dma_stats stats;

	for (uint64_t i = 0; i < 10000; i++) {
		struct iommusim_dma_mapping m = { .pa = SZ_1G + (i % 4096) * SZ_4K, .size = 2048 };

		iommusim_dma_set_clock(rig->dma, i * 5000);
		assert_ok(iommusim_dma_map_page(rig->dma, &m));
		assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
		if (i % 100 == 0)
			rig->shadow.nr_entries = 0; /* the shadow is not asked here */
	}
	iommusim_dma_set_clock(rig->dma, UINT64_C(2000000000));
	stats = iommusim_dma_stats(rig->dma);
	*nr_syncs = iommusim_domain_stats(rig->domain).nr_iotlb_sync + stats.nr_flush_all;
	finish(rig);
	return stats;
}

static void a_lazy_device_looks_at_pages_of_others(void **state)
{
	static const char *const names[] = { "strict", "lazy", "lazy, one queue" };
	static const uint64_t want_syncs[] = { 10000, 40, 1 };
	static const uint64_t want_pages[] = { 0, 255, 10000 };
	static const uint64_t want_us[] = { 0, 1275, 1000000 };

	for (unsigned kind = 0; kind < 3; kind++) {
		uint64_t nr_syncs;
		struct iommusim_dma_stats s = packets((enum iommusim_invalidation)kind, &nr_syncs);

		print_message("# %s\n", names[kind]);
		figure("  invalidations for 10000 packets", nr_syncs);
		figure("  pages in reach after unmap, at most", s.exposed_bytes_most / SZ_4K);
		figure("  longest, us", s.exposed_ns_longest / 1000);
		figure("  mean, us", s.nr_exposed ? s.exposed_ns_sum / s.nr_exposed / 1000 : 0);
		assert_int_equal(nr_syncs, want_syncs[kind]);
		assert_int_equal(s.exposed_bytes_most / SZ_4K, want_pages[kind]);
		assert_int_equal(s.exposed_ns_longest / 1000, want_us[kind]);
	}
}

/* ---- A byte is a page ---- */

/* 1000 buffers of 64 bytes, two pages apart: what a trusted device reaches beside them, and what
 * bouncing costs an untrusted one. */
static void small_buffers_drag_their_pages_along(void **state)
{
	struct rig *trusted = given_rig(&(struct rig_config){ .pgsizes = SZ_4K });
	struct rig *untrusted = given_rig(&(struct rig_config){
		.pgsizes = SZ_4K,
		.dma = { .is_untrusted = 1, .swiotlb_pa = 2 * SZ_1G, .swiotlb_slots = 2048 } });
	struct iommusim_mapped_range range;
	uint64_t reach = 0;

	for (uint64_t i = 0; i < 1000; i++) {
		struct iommusim_dma_mapping m = { .pa = SZ_1G + 2 * i * SZ_4K + 128, .size = 64 };
		struct iommusim_dma_mapping n = m;

		assert_ok(iommusim_dma_map_page(trusted->dma, &m));
		assert_ok(iommusim_dma_map_page(untrusted->dma, &n));
	}
	for (uint64_t at = 0; iommusim_recorder_next(trusted->recorder, at, &range);
	     at = range.iova + range.size)
		reach += range.size;
	figure("64000 bytes mapped, bytes in reach of a trusted device", reach);
	figure("bytes of bounce buffers for an untrusted one",
	       iommusim_dma_stats(untrusted->dma).nr_slots * 2048);
	figure("bytes copied", iommusim_dma_stats(untrusted->dma).copied_in);
	assert_int_equal(reach, 1000 * SZ_4K);
	assert_int_equal(iommusim_dma_stats(untrusted->dma).nr_slots, 2000);
	assert_int_equal(iommusim_dma_stats(untrusted->dma).copied_in, 64000);
	finish(trusted);
	finish(untrusted);
}

int main(void)
{
	static unsigned old = IOMMUSIM_KERNEL(5, 13), new = KERNEL_6_12;
	struct CMUnitTest tests[] = {
		cmocka_unit_test(one_try_is_wasted_for_every_map),
		cmocka_unit_test_prestate(a_list_of_single_pages_is_unmapped, &old),
		cmocka_unit_test_prestate(a_list_of_single_pages_is_unmapped, &new),
		cmocka_unit_test(a_lazy_device_looks_at_pages_of_others),
		cmocka_unit_test(small_buffers_drag_their_pages_along),
	};

	return RUN_TESTS(tests);
}
