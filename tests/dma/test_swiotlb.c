/* SPDX-License-Identifier: MIT */
/* Bounce buffers: who needs them, where they lie, when they run out. */
#include "rig.h"

#define POOL SZ_1G

static struct rig *given_untrusted(uint64_t slots)
{
	return given_rig(&(struct rig_config){
		.pgsizes = SZ_4K | SZ_2M,
		.dma = { .is_untrusted = 1, .swiotlb_pa = POOL, .swiotlb_slots = slots } });
}

static struct iommusim_dma_mapping piece(uint64_t pa, uint64_t size)
{
	return (struct iommusim_dma_mapping){ .pa = pa, .size = size };
}

static void a_piece_off_the_granule_is_bounced(void **state)
{
	struct rig *rig = given_untrusted(128);
	struct iommusim_dma_mapping m = piece(0x5123, 100), whole = piece(0x8000, SZ_4K);

	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_int_equal(m.dma_addr, 0xfffff123); /* the offset is kept */
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, m.dma_addr), POOL + 0x123);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_slots, 2); /* its granule whole */
	assert_ok(iommusim_dma_map_page(rig->dma, &whole));
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, whole.dma_addr), 0x8000);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_bounced, 1);
	assert_ok(iommusim_dma_sync_for_cpu(rig->dma, &m, 0, 10));
	assert_ok(iommusim_dma_sync_for_device(rig->dma, &m, 0, 20));
	assert_int_equal(iommusim_dma_stats(rig->dma).copied_out, 10);
	assert_int_equal(iommusim_dma_stats(rig->dma).copied_in, 120);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	assert_int_equal(iommusim_dma_stats(rig->dma).copied_out, 110);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_slots, 0);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &whole));
	assert_untouched(rig);
	finish(rig);
}

/* 64 granules are 128 slots; the 65th piece finds none, and gets one when one is free again. */
static void slots_run_out(void **state)
{
	struct rig *rig = given_untrusted(128);
	struct iommusim_dma_mapping m[65];

	for (size_t i = 0; i < 65; i++) {
		m[i] = piece(SZ_1M + i * SZ_4K, 1);
		assert_err(iommusim_dma_map_page(rig->dma, &m[i]), i < 64 ? 0 : IOMMUSIM_ENOMEM);
	}
	assert_true(m[64].dma_addr == IOMMUSIM_DMA_ERROR);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_slots_most, 128);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m[17]));
	assert_ok(iommusim_dma_map_page(rig->dma, &m[17]));
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, m[17].dma_addr),
	                 POOL + 17 * SZ_4K);
	for (size_t i = 0; i < 64; i++)
		assert_ok(iommusim_dma_unmap_page(rig->dma, &m[i]));
	assert_untouched(rig);
	finish(rig);
}

static const struct size_row {
	const char *name;
	uint64_t pa, size;
	int want;
} size_rows[] = {
	{ "a whole segment less a byte", SZ_1M, 256 * 1024 - 1, 0 },
	{ "a whole segment, off the granule", SZ_1M + 1, 256 * 1024 - 1, 0 },
	{ "a segment and a byte", SZ_1M, 256 * 1024 + 1, IOMMUSIM_ENOMEM },
	{ "a segment's bytes on one granule too many", SZ_1M + 2, 256 * 1024 - 1, IOMMUSIM_ENOMEM },
};

static void a_piece_lies_in_one_segment(void **state)
{
	const struct size_row *r = *state;
	struct rig *rig = given_untrusted(256);
	struct iommusim_dma_mapping small = piece(SZ_2M, 1), m = piece(r->pa, r->size);

	assert_ok(iommusim_dma_map_page(rig->dma, &small)); /* the first segment has no room */
	assert_err(iommusim_dma_map_page(rig->dma, &m), r->want);
	if (!r->want) {
		assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, m.dma_addr),
		                 POOL + 256 * 1024 + (r->pa & 0xfff));
		assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	}
	assert_ok(iommusim_dma_unmap_page(rig->dma, &small));
	assert_int_equal(iommusim_dma_max_mapping(rig->dma), 256 * 1024);
	assert_untouched(rig);
	finish(rig);
}

static void without_slots_the_piece_is_refused(void **state)
{
	struct rig *rig = given_untrusted(0);
	struct iommusim_dma_mapping m = piece(SZ_1M, 1);
	struct iommusim_dma_sg sg[1] = { { .page_pa = SZ_1M, .length = 1 } };
	struct iommusim_dma_list list = { .sg = sg, .nr = 1 };
	size_t segments;

	assert_err(iommusim_dma_map_page(rig->dma, &m), IOMMUSIM_ENOMEM);
	assert_non_null(strstr(iommusim_dma_error(rig->dma), "there are none"));
	assert_err(iommusim_dma_map_sg(rig->dma, &list, &segments), IOMMUSIM_EIO);
	assert_true(iommusim_dma_max_mapping(rig->dma) == UINT64_MAX);
	assert_untouched(rig);
	finish(rig);
}

/* Every entry of a list has a range of its own, bounced or not. The third one finds no slots. */
static void a_list_is_mapped_entry_by_entry(void **state)
{
	struct rig *rig = given_untrusted(128);
	struct iommusim_dma_sg sg[3] = { { .page_pa = SZ_1M, .length = SZ_4K },
		                         { .page_pa = SZ_1M + SZ_4K, .length = 100 },
		                         { .page_pa = SZ_2M, .length = 256 * 1024 - 100 } };
	struct iommusim_dma_list list = { .sg = sg, .nr = 2 };
	size_t segments;

	assert_ok(iommusim_dma_map_sg(rig->dma, &list, &segments));
	assert_int_equal(segments, 2);
	assert_int_equal(list.is_split, 1);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, sg[0].dma_addr), SZ_1M);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, sg[1].dma_addr), POOL);
	assert_ok(iommusim_dma_unmap_sg(rig->dma, &list));
	assert_untouched(rig);
	list.nr = 3;
	assert_err(iommusim_dma_map_sg(rig->dma, &list, &segments), IOMMUSIM_EIO);
	assert_true(sg[0].dma_addr == IOMMUSIM_DMA_ERROR);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_slots, 0);
	assert_untouched(rig);
	finish(rig);
}

/* Small pieces of a device that is not coherent: what shares a cache line with its neighbours. */
static const struct small_row {
	const char *name;
	unsigned kernel;
	uint64_t size;
	enum iommusim_dma_direction direction;
	int is_coherent, want_bounce;
} small_rows[] = {
	{ "32 bytes share a line of 128", 0, 32, IOMMUSIM_DMA_FROM_DEVICE, 0, 1 },
	{ "so do 96", 0, 96, IOMMUSIM_DMA_BIDIRECTIONAL, 0, 1 },
	{ "100 have one for themselves", 0, 100, IOMMUSIM_DMA_FROM_DEVICE, 0, 0 },
	{ "192 have one and a half", 0, 150, IOMMUSIM_DMA_FROM_DEVICE, 0, 1 },
	{ "256 have two", 0, 200, IOMMUSIM_DMA_FROM_DEVICE, 0, 0 },
	{ "who only reads harms nobody", 0, 32, IOMMUSIM_DMA_TO_DEVICE, 0, 0 },
	{ "nor does a coherent device", 0, 32, IOMMUSIM_DMA_FROM_DEVICE, 1, 0 },
	{ "6.1 does not look", KERNEL_6_1, 32, IOMMUSIM_DMA_FROM_DEVICE, 0, 0 },
};

static void a_small_piece_is_bounced(void **state)
{
	const struct small_row *r = *state;
	struct rig *rig =
		given_rig(&(struct rig_config){ .kernel = r->kernel,
	                                        .pgsizes = SZ_4K,
	                                        .dma = { .is_noncoherent = !r->is_coherent,
	                                                 .kmalloc_align = 128,
	                                                 .swiotlb_pa = POOL,
	                                                 .swiotlb_slots = 128 } });
	struct iommusim_dma_mapping m = piece(SZ_1M, r->size);
	struct iommusim_dma_sg sg[1] = { { .page_pa = SZ_1M, .length = (uint32_t)r->size } };
	struct iommusim_dma_list list = { .sg = sg, .nr = 1, .direction = r->direction };
	size_t segments;

	m.direction = r->direction;
	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_bounced, r->want_bounce);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	assert_ok(iommusim_dma_map_sg(rig->dma, &list, &segments));
	assert_int_equal(list.is_split, r->want_bounce);
	assert_ok(iommusim_dma_unmap_sg(rig->dma, &list));
	assert_untouched(rig);
	finish(rig);
}

static void impossible_slots_are_refused(void **state)
{
	static const uint64_t wrong[][2] = { { POOL, 100 },
		                             { POOL + 1, 128 },
		                             { -UINT64_C(0x1000), 128 },
		                             { 0, UINT64_C(1) << 60 } };
	struct rig_config config = { .pgsizes = SZ_4K };
	struct rig *rig = given_parts(&config);

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		config.dma.swiotlb_pa = wrong[i][0];
		config.dma.swiotlb_slots = wrong[i][1];
		assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	}
	finish(rig);
}

int main(void)
{
	struct CMUnitTest tests[5 + ARRAY_LEN(size_rows) + ARRAY_LEN(small_rows)] = {
		cmocka_unit_test(a_piece_off_the_granule_is_bounced),
		cmocka_unit_test(slots_run_out),
		cmocka_unit_test(without_slots_the_piece_is_refused),
		cmocka_unit_test(a_list_is_mapped_entry_by_entry),
		cmocka_unit_test(impossible_slots_are_refused),
	};
	size_t nr = 5;

	for (size_t i = 0; i < ARRAY_LEN(size_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(a_piece_lies_in_one_segment, &size_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(small_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(a_small_piece_is_bounced, &small_rows[i]);
	return RUN_TESTS(tests);
}
