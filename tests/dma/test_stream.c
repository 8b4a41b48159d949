/* SPDX-License-Identifier: MIT */
/* Single mappings: what is mapped around a piece, with which rights, and what is refused. */
#include "rig.h"

#define S_4K_2M (SZ_4K | SZ_2M | SZ_1G)

static struct iommusim_dma_mapping piece(uint64_t pa, uint64_t size)
{
	return (struct iommusim_dma_mapping){ .pa = pa, .size = size };
}

/* The only mapped range. */
static struct iommusim_mapped_range only_range(const struct rig *rig)
{
	struct iommusim_mapped_range first, second;

	assert_int_equal(iommusim_recorder_next(rig->recorder, 0, &first), 1);
	assert_int_equal(iommusim_recorder_next(rig->recorder, first.iova + first.size, &second),
	                 0);
	return first;
}

static const struct pad_row {
	const char *name;
	uint64_t pgsizes, pa, size;
	uint64_t want_addr, want_pa, want_bytes;
} pad_rows[] = {
	{ "a page is a page", S_4K_2M, 0x5000, 0x1000, 0xfffff000, 0x5000, 0x1000 },
	{ "a byte drags its page along", S_4K_2M, 0x5123, 1, 0xfffff123, 0x5000, 0x1000 },
	{ "two bytes on two pages drag both", S_4K_2M, 0x5fff, 2, 0xffffefff, 0x5000, 0x2000 },
	{ "five pages are aligned to eight", S_4K_2M, 0x5000, 0x5000, 0xffff8000, 0x5000, 0x5000 },
	{ "a granule of 512 bytes drags little", 512 | SZ_4K, 0x5123, 1, 0xffffff23, 0x5000 + 0,
	  512 },
	{ "a granule of 64K drags much", SZ_64K, 0x15123, 1, 0xffff5123, 0x10000, 0x10000 },
};

static void reaches_its_granules_and_no_more(void **state)
{
	const struct pad_row *r = *state;
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = r->pgsizes,
	                                                  .dma.mode = IOMMUSIM_DOMAIN_EXTENDED });
	struct iommusim_dma_mapping m = piece(r->pa, r->size);
	uint64_t granule = r->pgsizes & (~r->pgsizes + 1);

	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_int_equal(m.dma_addr & ~(granule - 1), r->want_addr & ~(granule - 1));
	assert_int_equal(m.dma_addr & (granule - 1), r->pa & (granule - 1));
	assert_int_equal(only_range(rig).pa, r->pa & ~(granule - 1));
	assert_int_equal(only_range(rig).size, r->want_bytes);
	shadow_hold(&rig->shadow, (struct shadow_range){ m.dma_addr, m.pa, m.size, 3 });
	shadow_check(&rig->shadow, rig->recorder);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	shadow_drop(&rig->shadow, m.dma_addr, m.size);
	assert_untouched(rig);
	finish(rig);
}

static const struct right_row {
	const char *name;
	struct iommusim_dma_config dma;
	enum iommusim_dma_direction direction;
	uint32_t attrs;
	unsigned want, want_resource;
} right_rows[] = {
	{ "both ways", { .is_pci = 0 }, IOMMUSIM_DMA_BIDIRECTIONAL, 0, 7, 3 | 16 },
	{ "to the device: it may read", { .is_pci = 0 }, IOMMUSIM_DMA_TO_DEVICE, 0, 5, 1 | 16 },
	{ "from the device: it may write",
	  { .is_pci = 0 },
	  IOMMUSIM_DMA_FROM_DEVICE,
	  0,
	  6,
	  2 | 16 },
	{ "a device that is not coherent",
	  { .is_noncoherent = 1 },
	  IOMMUSIM_DMA_BIDIRECTIONAL,
	  0,
	  3,
	  3 | 16 },
	{ "privileged",
	  { .is_pci = 0 },
	  IOMMUSIM_DMA_TO_DEVICE,
	  IOMMUSIM_ATTR_PRIVILEGED,
	  5 | 32,
	  1 | 16 | 32 },
};

static void has_the_rights_of_its_direction(void **state)
{
	const struct right_row *r = *state;
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .dma = r->dma });
	struct iommusim_dma_mapping m = piece(SZ_1M, SZ_4K);

	m.direction = r->direction;
	m.attrs = r->attrs;
	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_int_equal(only_range(rig).prot, r->want);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	assert_ok(iommusim_dma_map_resource(rig->dma, &m));
	assert_int_equal(only_range(rig).prot, r->want_resource);
	assert_ok(iommusim_dma_unmap_resource(rig->dma, &m));
	assert_untouched(rig);
	finish(rig);
}

static const struct refusal_row {
	const char *name;
	struct rig_config rig;
	uint64_t pa, size;
	int want;
} refusal_rows[] = {
	{ "no bytes", { .pgsizes = S_4K_2M }, SZ_4K, 0, IOMMUSIM_EINVAL },
	{ "beyond 2^64", { .pgsizes = S_4K_2M }, UINT64_MAX, 2, IOMMUSIM_EINVAL },
	{ "nearly 2^64 bytes", { .pgsizes = S_4K_2M }, 0, UINT64_MAX - 1, IOMMUSIM_EINVAL },
	{ "more than the mask has room for",
	  { .pgsizes = S_4K_2M },
	  0,
	  UINT64_C(1) << 33,
	  IOMMUSIM_ENOMEM },
	{ "a driver that has no memory",
	  { .pgsizes = S_4K_2M, .fail_map = 1 },
	  SZ_4K,
	  1,
	  IOMMUSIM_ENOMEM },
	{ "a domain without page sizes to fit",
	  { .pgsizes = S_4K_2M, .dma.min_align_mask = 0x1fff },
	  SZ_4K,
	  1,
	  IOMMUSIM_EINVAL },
};

static void is_refused(void **state)
{
	const struct refusal_row *r = *state;
	struct rig *rig = given_rig(&r->rig);
	struct iommusim_dma_mapping m = piece(r->pa, r->size);

	assert_err(iommusim_dma_map_page(rig->dma, &m), r->want);
	assert_true(m.dma_addr == IOMMUSIM_DMA_ERROR);
	assert_untouched(rig);
	finish(rig);
}

/* 6.1 does not ask what a device needs of its addresses. */
static void min_align_mask_is_looked_at_since_6_12(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){
		.kernel = KERNEL_6_1, .pgsizes = S_4K_2M, .dma.min_align_mask = 0x1fff });
	struct iommusim_dma_mapping m = piece(SZ_4K, 1);

	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	assert_untouched(rig);
	finish(rig);
}

/* A 64-bit mask, and the last byte of the last granule: the address of a failure. */
static void a_success_may_look_like_a_failure(void **state)
{
	struct rig *rig = given_rig(
		&(struct rig_config){ .pgsizes = S_4K_2M, .dma.streaming_mask = UINT64_MAX });
	struct iommusim_dma_mapping m = piece(0x5fff, 1);

	/* The anchor of the IOVA space keeps the very last frame of all away. */
	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_true(m.dma_addr == UINT64_C(0xffffffffffffefff) || m.dma_addr == IOMMUSIM_DMA_ERROR);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	assert_untouched(rig);
	finish(rig);
}

static void caches_of_a_device_that_is_not_coherent_are_maintained(void **state)
{
	struct rig *rig =
		given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .dma.is_noncoherent = 1 });
	struct iommusim_dma_mapping m = piece(SZ_1M, 3000);

	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_int_equal(iommusim_dma_stats(rig->dma).synced_for_device, 3000);
	assert_ok(iommusim_dma_sync_for_cpu(rig->dma, &m, 1000, 2000));
	assert_int_equal(iommusim_dma_stats(rig->dma).synced_for_cpu, 2000);
	assert_ok(iommusim_dma_sync_for_device(rig->dma, &m, 0, 1));
	assert_int_equal(iommusim_dma_stats(rig->dma).synced_for_device, 3001);
	assert_err(iommusim_dma_sync_for_cpu(rig->dma, &m, 3000, 1), IOMMUSIM_EINVAL);
	assert_err(iommusim_dma_sync_for_device(rig->dma, &m, 3001, 0), IOMMUSIM_EINVAL);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	assert_int_equal(iommusim_dma_stats(rig->dma).synced_for_cpu, 5000);
	m.attrs = IOMMUSIM_ATTR_SKIP_CPU_SYNC;
	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	assert_int_equal(iommusim_dma_stats(rig->dma).synced_for_device, 3001);
	assert_int_equal(iommusim_dma_stats(rig->dma).synced_for_cpu, 5000);
	finish(rig);
}

/* ---- The range that is linked piece by piece ---- */

static struct iommusim_dma_piece linked(uint64_t offset, uint64_t pa, uint64_t size)
{
	return (struct iommusim_dma_piece){ .offset = offset, .pa = pa, .size = size };
}

static struct rig *given_6_16(struct iommusim_dma_config dma)
{
	return given_rig(&(struct rig_config){
		.kernel = IOMMUSIM_KERNEL(6, 16), .pgsizes = S_4K_2M, .dma = dma });
}

static void pieces_are_linked_into_one_range(void **state)
{
	struct rig *rig = given_6_16((struct iommusim_dma_config){ .is_pci = 0 });
	struct iommusim_dma_piece head = linked(0, 0x5800, 0x1800),
				  tail = linked(0x1800, 0x20000, 10);
	struct iommusim_dma_piece all = linked(0, 0, 0x1800 + 10);
	struct iommusim_dma_iova range;

	assert_ok(iommusim_dma_iova_try_alloc(rig->dma, &range, head.pa, all.size));
	assert_int_equal(range.addr, 0xffffc800); /* three granules, aligned to four */
	assert_ok(iommusim_dma_iova_link(rig->dma, &range, &head));
	assert_ok(iommusim_dma_iova_link(rig->dma, &range, &tail));
	assert_ok(iommusim_dma_iova_sync(rig->dma, &range, 0, all.size));
	shadow_hold(&rig->shadow, (struct shadow_range){ range.addr, head.pa, head.size, 3 });
	shadow_hold(&rig->shadow,
	            (struct shadow_range){ range.addr + tail.offset, tail.pa, tail.size, 3 });
	shadow_check(&rig->shadow, rig->recorder);
	assert_ok(iommusim_dma_iova_unlink(rig->dma, &range, &tail));
	shadow_drop(&rig->shadow, range.addr + tail.offset, tail.size);
	shadow_check(&rig->shadow, rig->recorder);
	assert_ok(iommusim_dma_iova_destroy(rig->dma, &range, &head));
	shadow_drop(&rig->shadow, UINT64_C(0xffffc000), 0x4000);
	assert_int_equal(range.size, 0);
	assert_untouched(rig);
	finish(rig);
}

static void links_that_cannot_be(void **state)
{
	struct rig *rig = given_6_16((struct iommusim_dma_config){ .is_pci = 0 });
	struct iommusim_dma_piece inside = linked(0x1000, 0x5800, 0x800),
				  beyond = linked(0, 0, SZ_1M);
	struct iommusim_dma_iova range;

	assert_err(iommusim_dma_iova_try_alloc(rig->dma, &range, 0, 0), IOMMUSIM_EINVAL);
	assert_err(iommusim_dma_iova_try_alloc(rig->dma, &range, 0, UINT64_C(1) << 40),
	           IOMMUSIM_ENOMEM);
	assert_ok(iommusim_dma_iova_try_alloc(rig->dma, &range, 0, 0x2000));
	assert_err(iommusim_dma_iova_link(rig->dma, &range, &inside), IOMMUSIM_EIO);
	assert_err(iommusim_dma_iova_link(rig->dma, &range, &beyond), IOMMUSIM_EINVAL);
	assert_err(iommusim_dma_iova_unlink(rig->dma, &range, &beyond), IOMMUSIM_EINVAL);
	assert_err(iommusim_dma_iova_destroy(rig->dma, &range, &beyond), IOMMUSIM_EINVAL);
	beyond.size = 0; /* nothing was linked */
	assert_ok(iommusim_dma_iova_destroy(rig->dma, &range, &beyond));
	iommusim_dma_iova_free(rig->dma, &range);
	assert_untouched(rig);
	finish(rig);
	rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	assert_err(iommusim_dma_iova_try_alloc(rig->dma, &range, 0, 1), IOMMUSIM_ENODEV);
	finish(rig);
}

/* Of a piece off the granule only head and tail are bounced. */
static void ends_of_a_linked_piece_are_bounced(void **state)
{
	struct rig *rig = given_6_16((struct iommusim_dma_config){
		.is_untrusted = 1, .swiotlb_pa = SZ_1G, .swiotlb_slots = 128 });
	struct iommusim_dma_piece p = linked(0, 0x5800, 0x800 + 3 * SZ_4K + 16);
	struct iommusim_dma_iova range;

	assert_ok(iommusim_dma_iova_try_alloc(rig->dma, &range, p.pa, p.size));
	assert_ok(iommusim_dma_iova_link(rig->dma, &range, &p));
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_slots, 4); /* two granules */
	assert_int_equal(iommusim_dma_stats(rig->dma).copied_in, 0x800 + 16);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, range.addr), SZ_1G + 0x800);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, range.addr + 0x800), 0x6000);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, range.addr + 0x3800),
	                 SZ_1G + 0x1000);
	assert_ok(iommusim_dma_iova_destroy(rig->dma, &range, &p));
	assert_int_equal(iommusim_dma_stats(rig->dma).copied_out, 0x800 + 16);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_slots, 0);
	assert_untouched(rig);
	finish(rig);
}

/* One granule of bounce buffers is left: the head gets it, the tail finds none, nothing stays. */
static void an_end_without_a_bounce_buffer_undoes_the_link(void **state)
{
	struct rig *rig = given_6_16((struct iommusim_dma_config){
		.is_untrusted = 1, .swiotlb_pa = SZ_1G, .swiotlb_slots = 128 });
	struct iommusim_dma_mapping filler = piece(SZ_2M, 63 * SZ_4K - 1);
	struct iommusim_dma_piece p = linked(0, 0x5800, 0x800 + SZ_4K + 16);
	struct iommusim_dma_iova range;

	assert_ok(iommusim_dma_map_page(rig->dma, &filler));
	assert_ok(iommusim_dma_iova_try_alloc(rig->dma, &range, p.pa, p.size));
	assert_err(iommusim_dma_iova_link(rig->dma, &range, &p), IOMMUSIM_ENOMEM);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_slots, 126);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, range.addr), 0);
	p.size = 0x900; /* head and tail of one granule each */
	assert_err(iommusim_dma_iova_link(rig->dma, &range, &p), IOMMUSIM_ENOMEM);
	p.size = 0x800;
	assert_ok(iommusim_dma_iova_link(rig->dma, &range, &p));
	assert_ok(iommusim_dma_iova_destroy(rig->dma, &range, &p));
	assert_ok(iommusim_dma_unmap_page(rig->dma, &filler));
	assert_untouched(rig);
	finish(rig);
}

/* ---- Drivers that fall short ---- */

static uint64_t unmaps_nothing(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                               struct iommusim_gather *gather)
{
	return 0;
}

/* Linux warns and goes on; so do all of these, and say so. */
static void an_unmap_that_falls_short_is_told(void **state)
{
	struct rig_config config = {
		.kernel = IOMMUSIM_KERNEL(6, 16),
		.pgsizes = S_4K_2M,
		.dma = { .is_untrusted = 1, .swiotlb_pa = SZ_1G, .swiotlb_slots = 128 }
	};
	struct rig *rig = given_parts(&config);
	struct iommusim_driver driver = iommusim_recorder_driver(rig->recorder);
	struct iommusim_dma_mapping m = piece(SZ_1M, SZ_4K);
	struct iommusim_dma_piece p = linked(0, SZ_1M, SZ_4K);
	struct iommusim_dma_sg sg[2] = { { .page_pa = SZ_1M, .length = 1 },
		                         { .page_pa = SZ_2M, .length = 1 } };
	struct iommusim_dma_list list = { .sg = sg, .nr = 2 };
	struct iommusim_dma_iova range;
	struct iommusim_domain *domain;
	size_t segments;

	driver.unmap_pages = unmaps_nothing;
	assert_ok(iommusim_domain_fork(rig->domain, &driver, &domain));
	iommusim_domain_destroy(rig->domain);
	rig->domain = domain;
	assert_ok(create_device(rig, &config));
	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_err(iommusim_dma_unmap_page(rig->dma, &m), IOMMUSIM_EIO);
	assert_ok(iommusim_dma_map_sg(rig->dma, &list, &segments));
	assert_err(iommusim_dma_unmap_sg(rig->dma, &list), IOMMUSIM_EIO);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_slots, 0);
	assert_ok(iommusim_dma_iova_try_alloc(rig->dma, &range, SZ_1M, SZ_4K));
	assert_ok(iommusim_dma_iova_link(rig->dma, &range, &p));
	assert_err(iommusim_dma_iova_destroy(rig->dma, &range, &p), IOMMUSIM_EIO);
	assert_non_null(strstr(iommusim_dma_error(rig->dma), "0x0 of 0x1000"));
	assert_int_equal(iommusim_iova_nr_ranges(rig->iova), 0);
	finish(rig);
}

int main(void)
{
	struct CMUnitTest
		tests[8 + ARRAY_LEN(pad_rows) + ARRAY_LEN(right_rows) + ARRAY_LEN(refusal_rows)] = {
			cmocka_unit_test(min_align_mask_is_looked_at_since_6_12),
			cmocka_unit_test(a_success_may_look_like_a_failure),
			cmocka_unit_test(caches_of_a_device_that_is_not_coherent_are_maintained),
			cmocka_unit_test(pieces_are_linked_into_one_range),
			cmocka_unit_test(links_that_cannot_be),
			cmocka_unit_test(ends_of_a_linked_piece_are_bounced),
			cmocka_unit_test(an_end_without_a_bounce_buffer_undoes_the_link),
			cmocka_unit_test(an_unmap_that_falls_short_is_told),
		};
	size_t nr = 8;

	for (size_t i = 0; i < ARRAY_LEN(pad_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(reaches_its_granules_and_no_more, &pad_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(right_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(has_the_rights_of_its_direction,
		                                          &right_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(refusal_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_refused, &refusal_rows[i]);
	return RUN_TESTS(tests);
}
