/* SPDX-License-Identifier: MIT */
/* Lists: the worked examples, peers' memory, what is refused. */
#include "rig.h"

#define S_4K_2M     (SZ_4K | SZ_2M | SZ_1G)
#define MAX_ENTRIES 6

static const struct example {
	const char *name;
	uint64_t boundary, max;
	uint32_t in[MAX_ENTRIES][2];  /* offset, length of entries on pages far apart */
	uint64_t out[MAX_ENTRIES][2]; /* segments */
} examples[] = {
	{ "S1: ends within a granule part segments",
	  0,
	  0,
	  { { 0x200, 0xe00 }, { 0, 0x1000 }, { 0, 0x800 }, { 0, 0x1000 } },
	  { { 0xffffc200, 0x2600 }, { 0xfffff000, 0x1000 } } },
	{ "S2: the entry before a boundary is padded up to it",
	  0xffff,
	  0,
	  { { 0, 0x3000 }, { 0, 0xe000 }, { 0, 0x2000 } },
	  { { 0xfffe0000, 0x3000 }, { 0xffff0000, 0x10000 } } },
	{ "S3: a boundary parts segments that adjoin",
	  0xffff,
	  0,
	  { { 0, 0x8000 }, { 0, 0x8000 }, { 0, 0x8000 } },
	  { { 0xfffe0000, 0x10000 }, { 0xffff0000, 0x8000 } } },
	{ "S4: a segment that would be too long is not begun",
	  0,
	  0,
	  { { 0, 0xc000 }, { 0, 0x8000 } },
	  { { 0xfffe0000, 0xc000 }, { 0xfffec000, 0x8000 } } },
	{ "a segment that is too long by itself takes the rest, in 32 bits",
	  0,
	  0x2000,
	  { { 0, 0x3000 }, { 0, 0x1000 }, { 0, 0x1000 } },
	  { { 0xffff8000, 0x5000 } } },
};

static size_t fill(struct iommusim_dma_list *list, struct iommusim_dma_sg *sg,
                   const struct example *e)
{
	size_t nr = 0;

	memset(sg, 0, MAX_ENTRIES * sizeof(*sg));
	for (; nr < MAX_ENTRIES && e->in[nr][1]; nr++) {
		sg[nr].page_pa = (nr + 1) * SZ_1M;
		sg[nr].offset = e->in[nr][0];
		sg[nr].length = e->in[nr][1];
	}
	*list = (struct iommusim_dma_list){ .sg = sg, .nr = nr };
	return nr;
}

static void becomes_these_segments(void **state)
{
	const struct example *e = *state;
	struct rig *rig = given_rig(&(struct rig_config){
		.pgsizes = S_4K_2M,
		.dma = { .seg_boundary = e->boundary, .max_seg_size = e->max } });
	struct iommusim_dma_sg sg[MAX_ENTRIES];
	struct iommusim_dma_list list;
	size_t nr = fill(&list, sg, e), segments;

	assert_ok(iommusim_dma_map_sg(rig->dma, &list, &segments));
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(sg[i].offset, e->in[i][0]);
		assert_int_equal(sg[i].length, e->in[i][1]);
		assert_int_equal(i < segments, e->out[i][1] != 0);
		assert_true(sg[i].dma_addr == (i < segments ? e->out[i][0] : IOMMUSIM_DMA_ERROR));
		assert_int_equal(sg[i].dma_length, e->out[i][1]);
	}
	assert_ok(iommusim_dma_unmap_sg(rig->dma, &list));
	assert_true(sg[0].dma_addr == IOMMUSIM_DMA_ERROR);
	assert_untouched(rig);
	finish(rig);
}

/* A peer's memory has a segment of its own, at its bus address, and is not mapped. */
static void a_peers_memory_is_not_mapped(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_dma_sg sg[3] = {
		{ .page_pa = SZ_1M, .length = SZ_4K },
		{ .page_pa = SZ_1G, .length = SZ_64K, .is_bus = 1, .bus_addr = 0xe0000000 },
		{ .page_pa = SZ_1M + SZ_4K, .length = SZ_4K },
	};
	struct iommusim_dma_list list = { .sg = sg, .nr = 3 };
	struct iommusim_mapped_range range;
	size_t segments;

	assert_ok(iommusim_dma_map_sg(rig->dma, &list, &segments));
	assert_int_equal(segments, 3);
	assert_int_equal(sg[0].dma_addr, 0xffffe000);
	assert_int_equal(sg[1].dma_addr, 0xe0000000);
	assert_int_equal(sg[1].dma_length, SZ_64K);
	assert_int_equal(sg[1].dma_is_bus, 1);
	assert_int_equal(sg[2].dma_addr, 0xfffff000);
	assert_int_equal(iommusim_domain_stats(rig->domain).nr_map, 2); /* it parts the runs */
	assert_int_equal(iommusim_recorder_next(rig->recorder, 0, &range), 1);
	assert_int_equal(range.size, 2 * SZ_4K);
	assert_ok(iommusim_dma_unmap_sg(rig->dma, &list));
	assert_untouched(rig);
	list.sg = &sg[1];
	list.nr = 1;
	assert_ok(iommusim_dma_map_sg(rig->dma, &list, &segments));
	assert_int_equal(segments, 1);
	assert_untouched(rig); /* nothing but a peer's: no IOVA either */
	assert_ok(iommusim_dma_unmap_sg(rig->dma, &list));
	finish(rig);
}

static void assert_unmapped(const struct iommusim_dma_list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		assert_true(list->sg[i].dma_addr == IOMMUSIM_DMA_ERROR);
		assert_int_equal(list->sg[i].dma_length, 0);
	}
}

static void lists_without_bytes_are_refused(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_dma_sg sg[2] = { { .page_pa = SZ_1M, .length = SZ_4K },
		                         { .page_pa = SZ_2M } };
	struct iommusim_dma_list list = { .sg = sg, .nr = 2 };
	size_t segments = 77;

	assert_err(iommusim_dma_map_sg(rig->dma, &list, &segments), IOMMUSIM_EINVAL);
	assert_unmapped(&list);
	list.nr = 0;
	assert_err(iommusim_dma_map_sg(rig->dma, &list, &segments), IOMMUSIM_EINVAL);
	assert_int_equal(segments, 77);
	assert_ok(iommusim_dma_unmap_sg(rig->dma, &list));
	assert_untouched(rig);
	finish(rig);
}

static void a_driver_without_memory_leaves_nothing_behind(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .fail_map = 2 });
	struct iommusim_dma_sg sg[2] = { { .page_pa = SZ_1M, .length = SZ_4K },
		                         { .page_pa = SZ_2M, .length = SZ_4K } };
	struct iommusim_dma_list list = { .sg = sg, .nr = 2 };
	size_t segments = 77;

	assert_err(iommusim_dma_map_sg(rig->dma, &list, &segments), IOMMUSIM_ENOMEM);
	assert_unmapped(&list);
	assert_untouched(rig);
	finish(rig);
}

/* A granule of 16K over 4K pages: the padding looks at the offset, the map at the address. */
static void a_granule_above_the_page_maps_only_by_luck(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = SZ_16K | SZ_32M,
	                                                  .dma.mode = IOMMUSIM_DOMAIN_EXTENDED });
	struct iommusim_dma_sg sg[1] = { { .page_pa = SZ_1M + SZ_4K, .length = SZ_16K } };
	struct iommusim_dma_list list = { .sg = sg, .nr = 1 };
	size_t segments;

	assert_err(iommusim_dma_map_sg(rig->dma, &list, &segments), IOMMUSIM_EINVAL);
	assert_untouched(rig);
	sg[0].page_pa = SZ_1M;
	assert_ok(iommusim_dma_map_sg(rig->dma, &list, &segments));
	assert_ok(iommusim_dma_unmap_sg(rig->dma, &list));
	assert_untouched(rig);
	finish(rig);
}

/* Two entries of almost 4 GiB, the first one padded beyond: 6.12 sees it, 6.1 maps too little. */
static void lengths_of_32_bits_overflow(void **state)
{
	static const unsigned kernels[] = { KERNEL_6_1, KERNEL_6_12 };

	for (unsigned i = 0; i < 2; i++) {
		struct rig *rig = given_rig(&(struct rig_config){
			.kernel = kernels[i],
			.pgsizes = S_4K_2M,
			.dma = { .streaming_mask = UINT64_C(0xffffffffffff) } });
		struct iommusim_dma_sg sg[1] = { { .page_pa = SZ_1G, .length = UINT32_MAX } };
		struct iommusim_dma_list list = { .sg = sg, .nr = 1 };
		size_t segments;

		assert_err(iommusim_dma_map_sg(rig->dma, &list, &segments), IOMMUSIM_EINVAL);
		assert_int_equal(iommusim_dma_stats(rig->dma).nr_map, 0);
		assert_non_null(strstr(iommusim_dma_error(rig->dma),
		                       i ? "exceeds 32 bits" : "only 0x0 of 0x100000000"));
		assert_untouched(rig);
		finish(rig);
	}
}

static void settings_of_segments_are_checked(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });

	assert_err(iommusim_dma_set_segments(rig->dma, 0, UINT64_MAX), IOMMUSIM_EINVAL);
	assert_err(iommusim_dma_set_segments(rig->dma, UINT64_C(1) << 32, UINT64_MAX),
	           IOMMUSIM_EINVAL);
	assert_err(iommusim_dma_set_segments(rig->dma, SZ_4K, 0x1001), IOMMUSIM_EINVAL);
	assert_ok(iommusim_dma_set_segments(rig->dma, SZ_4K, 0xffff));
	assert_err(iommusim_dma_set_cpu(rig->dma, 1), IOMMUSIM_EINVAL);
	assert_ok(iommusim_dma_set_cpu(rig->dma, 0));
	iommusim_dma_set_masks(rig->dma, 0xffffff, 0xffff);
	assert_int_equal(iommusim_dma_opt_mapping(rig->dma), 128 << 10);
	assert_int_equal(iommusim_dma_merge_boundary(rig->dma), 0xfff);
	assert_true(iommusim_dma_max_mapping(rig->dma) == UINT64_MAX);
	finish(rig);
}

int main(void)
{
	struct CMUnitTest tests[6 + ARRAY_LEN(examples)] = {
		cmocka_unit_test(a_peers_memory_is_not_mapped),
		cmocka_unit_test(lists_without_bytes_are_refused),
		cmocka_unit_test(a_driver_without_memory_leaves_nothing_behind),
		cmocka_unit_test(a_granule_above_the_page_maps_only_by_luck),
		cmocka_unit_test(lengths_of_32_bits_overflow),
		cmocka_unit_test(settings_of_segments_are_checked),
	};

	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		tests[6 + i] = (struct CMUnitTest)TEST_ROW(becomes_these_segments, &examples[i]);
	return RUN_TESTS(tests);
}
