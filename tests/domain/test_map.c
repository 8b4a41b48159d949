/* SPDX-License-Identifier: MIT */
/*
 * Mapping and unmapping: what the driver is asked for, call by call, what is undone when it fails,
 * and what the host is told.
 */
#include "domain_test.h"

#include "iommusim/phys.h"

#define K5_13 IOMMUSIM_KERNEL(5, 13)
#define K6_1  IOMMUSIM_KERNEL(6, 1)
#define K6_12 IOMMUSIM_KERNEL(6, 12)

/* ---- Cutting ---- */

static void assert_leads_to(const struct rig *rig, const struct split *s)
{
	const uint64_t at[] = { 0, 0xfff, s->size / 2, s->size - 1 };

	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, s->iova + at[i]),
		                 s->pa + at[i]);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, s->iova + s->size), 0);
}

static void is_mapped_as(void **state)
{
	const struct split *s = *state;
	struct rig rig;

	set_up(&rig, (struct setup){ .kernel = IOMMUSIM_KERNEL(5, 14), .pgsizes = s->pgsizes });
	assert_ok(map(&rig, s->iova, s->pa, s->size));
	assert_string_equal(new_pages(&rig), s->pages);
	assert_leads_to(&rig, s);
	assert_int_equal(iommusim_domain_unmap(rig.domain, s->iova, s->size), s->size);
	assert_mapped(&rig, "");
	tear_down(&rig);
}

static void is_mapped_page_by_page_before_5_14(void **state)
{
	const struct split *s = *state;
	struct iommusim_domain_stats stats;
	const struct iommusim_driver_call *call;
	struct rig rig;
	size_t nr;

	set_up(&rig, (struct setup){ .kernel = K5_13, .pgsizes = s->pgsizes });
	assert_ok(map(&rig, s->iova, s->pa, s->size));
	assert_leads_to(&rig, s);
	assert_int_equal(iommusim_domain_unmap(rig.domain, s->iova, s->size), s->size);
	assert_mapped(&rig, "");
	stats = iommusim_domain_stats(rig.domain);
	assert_int_equal(stats.nr_map_calls, s->nr_old);
	assert_int_equal(stats.nr_unmap_calls, s->nr_unmapped);
	call = iommusim_recorder_calls(rig.recorder, &nr);
	assert_int_equal(nr, s->nr_old + s->nr_unmapped);
	while (nr > 0)
		assert_int_equal(call[--nr].count, 1);
	tear_down(&rig);
}

static void a_range_may_end_at_2_to_the_64(void **state)
{
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = PGSIZES_4K });
	assert_ok(map(&rig, -SZ_2M, -SZ_2M, SZ_2M));
	assert_calls(&rig, "m 0xffffffffffe00000>0xffffffffffe00000 2M*1");
	assert_int_equal(iommusim_domain_iova_to_phys(rig.domain, UINT64_MAX), UINT64_MAX);
	assert_int_equal(iommusim_domain_unmap(rig.domain, -SZ_2M, SZ_2M), SZ_2M);
	assert_mapped(&rig, "");
	tear_down(&rig);
}

static void a_driver_may_map_fewer_pages_than_asked(void **state)
{
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = PGSIZES_4K, .cap = 200 });
	assert_ok(map(&rig, 0x200000, 0x10001000, SZ_2M));
	assert_calls(&rig, "m 0x200000>0x10001000 4K*512/200; m 0x2c8000>0x100c9000 4K*312/200; "
	                   "m 0x390000>0x10191000 4K*112");
	assert_mapped(&rig, "0x200000+0x200000>0x10001000 by 0x1000 rw");
	tear_down(&rig);
}

static void size_0_is_mapped_without_a_call(void **state)
{
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = PGSIZES_4K });
	assert_ok(map(&rig, SZ_2M, SZ_1G, 0));
	assert_calls(&rig, "");
	assert_told(&rig, "map 0x200000>0x40000000 +0x0");
	assert_int_equal(iommusim_domain_unmap(rig.domain, SZ_2M, 0), 0);
	assert_calls(&rig, "");
	assert_told(&rig, "unmap 0x200000 +0x0: 0x0; sync nothing");
	tear_down(&rig);
}

/* ---- Undoing ---- */

static const struct undo {
	const char *name;
	unsigned kernel;
	uint64_t fail_map;
	const char *calls, *told;
} undos[] = {
	{ "the 1st call fails: nothing to undo", K6_12, 1, "m 0x1ff000>0x801ff000 4K*1/0",
	  "unmap 0x1ff000 +0x0: 0x0; sync nothing" },
	{ "the 2nd call fails: the head is undone", K6_12, 2,
	  "m 0x1ff000>0x801ff000 4K*1; m 0x200000>0x80200000 2M*2/0; u 0x1ff000 4K*1",
	  "unmap 0x1ff000 +0x1000: 0x1000; sync 0x1ff000 +0x1000 by 0x1000" },
	{ "the 3rd call fails: head and middle are undone", K6_12, 3,
	  "m 0x1ff000>0x801ff000 4K*1; m 0x200000>0x80200000 2M*2; m 0x600000>0x80600000 4K*1/0; "
	  "u 0x1ff000 4K*1; u 0x200000 2M*2",
	  "sync 0x1ff000 +0x1000 by 0x1000; unmap 0x1ff000 +0x401000: 0x401000; "
	  "sync 0x200000 +0x400000 by 0x200000" },
	{ "before 5.14 the 3rd call fails", K5_13, 3,
	  "m 0x1ff000>0x801ff000 4K*1; m 0x200000>0x80200000 2M*1; m 0x400000>0x80400000 2M*1/0; "
	  "u 0x1ff000 4K*1; u 0x200000 2M*1",
	  "sync 0x1ff000 +0x1000 by 0x1000; unmap 0x1ff000 +0x201000: 0x201000; "
	  "sync 0x200000 +0x200000 by 0x200000" },
	{ "before 5.14 the 4th call fails", K5_13, 4,
	  "m 0x1ff000>0x801ff000 4K*1; m 0x200000>0x80200000 2M*1; m 0x400000>0x80400000 2M*1; "
	  "m 0x600000>0x80600000 4K*1/0; u 0x1ff000 4K*1; u 0x200000 2M*1; u 0x400000 2M*1",
	  "sync 0x1ff000 +0x1000 by 0x1000; unmap 0x1ff000 +0x401000: 0x401000; "
	  "sync 0x200000 +0x400000 by 0x200000" },
};

static void and_nothing_stays_mapped(void **state)
{
	const struct undo *u = *state;
	struct rig rig;

	set_up(&rig, (struct setup){
			     .kernel = u->kernel, .pgsizes = PGSIZES_4K, .fail_map = u->fail_map });
	assert_err(map(&rig, 0x1ff000, 0x801ff000, 0x402000), -IOMMUSIM_ENOMEM);
	assert_calls(&rig, u->calls);
	assert_told(&rig, u->told);
	assert_mapped(&rig, "");
	assert_ok(map(&rig, 0x1ff000, 0x801ff000, 0x402000));
	tear_down(&rig);
}

/* Nine pages of nine sizes: as many as were mapped are unmapped again. */
static void any_call_may_fail(void **state)
{
	for (uint64_t n = 1; n <= 10; n++) {
		struct iommusim_domain_stats stats;
		struct rig rig;

		set_up(&rig, (struct setup){ .pgsizes = PGSIZES_ALL, .fail_map = n });
		assert_err(map(&rig, 0x1000, 0x1000, 0x1ff000), n < 10 ? IOMMUSIM_ENOMEM : 0);
		stats = iommusim_domain_stats(rig.domain);
		assert_int_equal(stats.nr_map_calls, n < 10 ? n : 9);
		assert_int_equal(stats.nr_unmap_calls, n < 10 ? n - 1 : 0);
		assert_int_equal(iommusim_domain_iova_to_phys(rig.domain, 0x1000),
		                 n < 10 ? 0 : 0x1000);
		assert_int_equal(*mapped(&rig) == 0, n < 10);
		tear_down(&rig);
	}
}

/* ---- Refusals ---- */

static const struct refusal {
	const char *name;
	unsigned kernel;
	uint64_t pgsizes;
	struct iommusim_map map;
	int want;
	const char *line;
} refusals[] = {
	{ "no page sizes", K6_12, 0, { 0, 0, SZ_4K, RW, 0 }, IOMMUSIM_ENODEV, "no page sizes" },
	{ "no page sizes, not even for size 0", K6_1, 0, { 0 }, IOMMUSIM_ENODEV, "no page sizes" },
	{ "an iova off the granule",
	  K6_12,
	  PGSIZES_64K,
	  { 0x1000, 0x10000, 0x10000, RW, 0 },
	  IOMMUSIM_EINVAL,
	  "unaligned: iova 0x1000 pa 0x10000 size 0x10000 min_pagesz 0x10000" },
	{ "a pa off the granule",
	  K6_1,
	  PGSIZES_64K,
	  { 0x10000, 0x1000, 0x10000, RW, 0 },
	  IOMMUSIM_EINVAL,
	  "unaligned: iova 0x10000 pa 0x1000 size 0x10000 min_pagesz 0x10000" },
	{ "4 KiB on a granule of 64 KiB",
	  K6_12,
	  PGSIZES_64K,
	  { 0x10000, 0x50000, 0x1000, RW, 0 },
	  IOMMUSIM_EINVAL,
	  "unaligned: iova 0x10000 pa 0x50000 size 0x1000 min_pagesz 0x10000" },
	{ "6.12 refuses GFP_DMA",
	  K6_12,
	  PGSIZES_4K,
	  { 0, 0, SZ_4K, RW, IOMMUSIM_GFP_BIT_DMA },
	  IOMMUSIM_EINVAL,
	  "gfp 0x1" },
	{ "6.12 refuses GFP_DMA32",
	  K6_12,
	  PGSIZES_4K,
	  { 0, 0, SZ_4K, RW, IOMMUSIM_GFP_KERNEL | IOMMUSIM_GFP_BIT_DMA32 },
	  IOMMUSIM_EINVAL,
	  "gfp 0xcc4" },
	{ "6.12 refuses GFP_HIGHMEM",
	  K6_12,
	  PGSIZES_4K,
	  { 0, 0, SZ_4K, RW, IOMMUSIM_GFP_BIT_HIGHMEM },
	  IOMMUSIM_EINVAL,
	  "gfp 0x2" },
	{ "6.12 refuses GFP_COMP",
	  K6_12,
	  PGSIZES_4K,
	  { 0, 0, SZ_4K, RW, IOMMUSIM_GFP_BIT_COMP },
	  IOMMUSIM_EINVAL,
	  "gfp 0x40000" },
	{ "6.12 looks at gfp before the page sizes",
	  K6_12,
	  0,
	  { 0, 0, SZ_4K, RW, IOMMUSIM_GFP_BIT_DMA },
	  IOMMUSIM_EINVAL,
	  "gfp 0x1" },
	{ "6.12 looks at gfp even for size 0",
	  K6_12,
	  PGSIZES_4K,
	  { 0, 0, 0, RW, IOMMUSIM_GFP_BIT_COMP },
	  IOMMUSIM_EINVAL,
	  "gfp 0x40000" },
	{ "6.1 looks at the page sizes alone",
	  K6_1,
	  0,
	  { 0, 0, SZ_4K, RW, IOMMUSIM_GFP_BIT_DMA },
	  IOMMUSIM_ENODEV,
	  "no page sizes" },
};

static void is_refused_without_a_call(void **state)
{
	const struct refusal *r = *state;
	struct rig rig;

	set_up(&rig, (struct setup){ .kernel = r->kernel, .pgsizes = r->pgsizes, .with_sync = 1 });
	assert_err(iommusim_domain_map(rig.domain, &r->map), r->want);
	assert_int_equal(rig.nr_logged, 1);
	assert_non_null(strstr(rig.logged, r->line));
	assert_string_equal(iommusim_domain_error(rig.domain), rig.logged);
	assert_calls(&rig, "");
	assert_told(&rig, "");
	tear_down(&rig);
}

static void before_6_12_gfp_is_the_drivers_business(void **state)
{
	uint32_t gfp = IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_HIGHMEM |
	               IOMMUSIM_GFP_BIT_COMP;
	struct iommusim_map range = { 0, 0, SZ_4K, IOMMUSIM_PROT_READ, gfp };
	struct rig rig;

	set_up(&rig, (struct setup){ .kernel = K6_1, .pgsizes = PGSIZES_4K });
	assert_ok(iommusim_domain_map(rig.domain, &range));
	assert_int_equal(rig.gfp, gfp);
	assert_mapped(&rig, "0x0+0x1000>0x0 by 0x1000 r");
	tear_down(&rig);
}

/* ---- sync_map ---- */

static void sync_map_comes_once_after_the_map_event(void **state)
{
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = PGSIZES_4K, .with_sync = 1 });
	assert_ok(map(&rig, 0x1ff000, 0x801ff000, 0x402000));
	assert_told(&rig, "map 0x1ff000>0x801ff000 +0x402000; sync_map 0x1ff000 +0x402000");
	tear_down(&rig);
}

static void a_failing_sync_map_undoes_the_map_in_6_12(void **state)
{
	struct rig rig;

	set_up(&rig,
	       (struct setup){ .pgsizes = PGSIZES_4K, .with_sync = 1, .sync_err = -IOMMUSIM_EIO });
	assert_err(map(&rig, SZ_2M, SZ_2M, SZ_2M), IOMMUSIM_EIO);
	assert_calls(&rig, "m 0x200000>0x200000 2M*1; u 0x200000 2M*1");
	assert_told(&rig, "map 0x200000>0x200000 +0x200000; sync_map 0x200000 +0x200000; "
	                  "unmap 0x200000 +0x200000: 0x200000; "
	                  "sync_iotlb 0x200000..0x3fffff by 0x200000; "
	                  "sync 0x200000 +0x200000 by 0x200000");
	assert_mapped(&rig, "");
	tear_down(&rig);
}

static void in_6_1_sync_map_cannot_fail(void **state)
{
	struct rig rig;

	set_up(&rig, (struct setup){ .kernel = K6_1,
	                             .pgsizes = PGSIZES_4K,
	                             .with_sync = 1,
	                             .sync_err = -IOMMUSIM_EIO });
	assert_ok(map(&rig, SZ_2M, SZ_2M, SZ_2M));
	assert_mapped(&rig, "0x200000+0x200000>0x200000 by 0x200000 rw");
	tear_down(&rig);
}

/* ---- Lists ---- */

static const struct list {
	const char *name;
	uint64_t pgsizes, fail_map;
	struct iommusim_sg sg[4];
	size_t nr;
	int err;
	uint64_t mapped;
	const char *calls, *told;
} lists[] = {
	{ "entries that adjoin are one run",
	  PGSIZES_64K,
	  0,
	  { { 0x10000, SZ_64K }, { 0x20000, SZ_64K }, { 0x50000, SZ_64K } },
	  3,
	  0,
	  0x30000,
	  "m 0x200000>0x10000 64K*2; m 0x220000>0x50000 64K*1",
	  "map 0x200000>0x10000 +0x20000; map 0x220000>0x50000 +0x10000; "
	  "sync_map 0x200000 +0x30000" },
	{ "a large page spans entries",
	  PGSIZES_4K,
	  0,
	  { { SZ_1G, SZ_1M }, { SZ_1G + SZ_1M, SZ_1M } },
	  2,
	  0,
	  SZ_2M,
	  "m 0x200000>0x40000000 2M*1",
	  "map 0x200000>0x40000000 +0x200000; sync_map 0x200000 +0x200000" },
	{ "entries that adjoin downwards are two runs",
	  PGSIZES_4K,
	  0,
	  { { 0x2000, SZ_4K }, { 0x1000, SZ_4K } },
	  2,
	  0,
	  0x2000,
	  "m 0x200000>0x2000 4K*1; m 0x201000>0x1000 4K*1",
	  "map 0x200000>0x2000 +0x1000; map 0x201000>0x1000 +0x1000; "
	  "sync_map 0x200000 +0x2000" },
	{ "a run that fails takes those before it along",
	  PGSIZES_4K,
	  2,
	  { { 0x10000, SZ_4K }, { 0x40000, SZ_4K } },
	  2,
	  IOMMUSIM_ENOMEM,
	  0,
	  "m 0x200000>0x10000 4K*1; m 0x201000>0x40000 4K*1/0; u 0x200000 4K*1",
	  "map 0x200000>0x10000 +0x1000; unmap 0x201000 +0x0: 0x0; sync_iotlb "
	  "0xffffffffffffffff..0x0 by 0x0; sync nothing; unmap 0x200000 +0x1000: 0x1000; "
	  "sync_iotlb 0x200000..0x200fff by 0x1000; sync 0x200000 +0x1000 by 0x1000" },
	{ "an entry of size 0 ends a run",
	  PGSIZES_4K,
	  0,
	  { { 0x1000, SZ_4K }, { 0x8000, 0 }, { 0x2000, SZ_4K } },
	  3,
	  0,
	  0x2000,
	  "m 0x200000>0x1000 4K*1; m 0x201000>0x2000 4K*1",
	  "map 0x200000>0x1000 +0x1000; map 0x201000>0x2000 +0x1000; "
	  "sync_map 0x200000 +0x2000" },
	{ "an entry of size 0 behind the last run hides it",
	  PGSIZES_4K,
	  0,
	  { { 0x1000, SZ_4K }, { 0x5000, SZ_4K }, { 0x6000, 0 } },
	  3,
	  0,
	  0x1000,
	  "m 0x200000>0x1000 4K*1",
	  "map 0x200000>0x1000 +0x1000; sync_map 0x200000 +0x1000" },
	{ "a list without page sizes",
	  0,
	  0,
	  { { 0x1000, SZ_4K } },
	  1,
	  IOMMUSIM_ENODEV,
	  0,
	  "",
	  "sync_iotlb 0xffffffffffffffff..0x0 by 0x0; sync nothing" },
};

static int map_sg(struct rig *rig, const struct iommusim_sg *sg, size_t nr, uint64_t *done)
{
	struct iommusim_map_list list = { SZ_2M, sg, nr, RW, IOMMUSIM_GFP_KERNEL };

	return iommusim_domain_map_sg(rig->domain, &list, done);
}

static void of_a_list(void **state)
{
	const struct list *l = *state;
	uint64_t done = 12345;
	struct rig rig;

	set_up(&rig,
	       (struct setup){ .pgsizes = l->pgsizes, .fail_map = l->fail_map, .with_sync = 1 });
	assert_err(map_sg(&rig, l->sg, l->nr, &done), l->err);
	assert_int_equal(done, l->err ? 12345 : l->mapped);
	assert_calls(&rig, l->calls);
	assert_told(&rig, l->told);
	assert_int_equal(*mapped(&rig) == 0, l->err != 0);
	tear_down(&rig);
}

/* Sixteen pages on a granule of 64 KiB: from @first on, but for the ninth, which is @ninth. */
static int map_sixteen(struct rig *rig, uint64_t first, uint64_t ninth)
{
	struct iommusim_sg sg[16];
	uint64_t done;

	for (size_t i = 0; i < ARRAY_LEN(sg); i++)
		sg[i] = (struct iommusim_sg){ (i == 8 ? ninth : first + i) * SZ_4K, SZ_4K };
	set_up(rig, (struct setup){ .pgsizes = PGSIZES_64K });
	return map_sg(rig, sg, ARRAY_LEN(sg), &done);
}

static void alignment_is_checked_per_run_not_per_entry(void **state)
{
	struct rig rig;

	assert_ok(map_sixteen(&rig, 0x100, 0x108));
	assert_calls(&rig, "m 0x200000>0x100000 64K*1");
	tear_down(&rig);
	assert_err(map_sixteen(&rig, 0x101, 0x109), IOMMUSIM_EINVAL);
	assert_calls(&rig, "");
	tear_down(&rig);
	assert_err(map_sixteen(&rig, 0x100, 0x300), IOMMUSIM_EINVAL);
	assert_calls(&rig, "");
	assert_string_equal(rig.logged, "unaligned: iova 0x200000 pa 0x100000 size 0x8000 "
	                                "min_pagesz 0x10000");
	assert_told(&rig, "unmap 0x200000 +0x0: 0x0; sync nothing");
	tear_down(&rig);
}

static void a_failing_sync_map_undoes_the_list_in_6_12(void **state)
{
	struct iommusim_sg sg[] = { { 0x1000, SZ_4K }, { 0x9000, SZ_4K } };
	struct setup setup = { .pgsizes = PGSIZES_4K, .with_sync = 1, .sync_err = -IOMMUSIM_EIO };
	uint64_t done = 12345;
	struct rig rig;

	set_up(&rig, setup);
	assert_err(map_sg(&rig, sg, 2, &done), IOMMUSIM_EIO);
	assert_int_equal(done, 12345);
	assert_mapped(&rig, "");
	tear_down(&rig);
	setup.kernel = K6_1;
	set_up(&rig, setup);
	assert_ok(map_sg(&rig, sg, 2, &done));
	assert_int_equal(done, 0x2000);
	tear_down(&rig);
}

int main(void)
{
	struct CMUnitTest tests[2 * NR_SPLITS + ARRAY_LEN(undos) + ARRAY_LEN(refusals) +
	                        ARRAY_LEN(lists) + 10];
	const struct CMUnitTest others[] = {
		cmocka_unit_test(a_range_may_end_at_2_to_the_64),
		cmocka_unit_test(a_driver_may_map_fewer_pages_than_asked),
		cmocka_unit_test(size_0_is_mapped_without_a_call),
		cmocka_unit_test(any_call_may_fail),
		cmocka_unit_test(before_6_12_gfp_is_the_drivers_business),
		cmocka_unit_test(sync_map_comes_once_after_the_map_event),
		cmocka_unit_test(a_failing_sync_map_undoes_the_map_in_6_12),
		cmocka_unit_test(in_6_1_sync_map_cannot_fail),
		cmocka_unit_test(alignment_is_checked_per_run_not_per_entry),
		cmocka_unit_test(a_failing_sync_map_undoes_the_list_in_6_12),
	};
	size_t nr = 0;

	for (size_t i = 0; i < NR_SPLITS; i++) {
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_mapped_as, split_at(i));
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_mapped_page_by_page_before_5_14,
		                                          split_at(i));
	}
	for (size_t i = 0; i < ARRAY_LEN(undos); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(and_nothing_stays_mapped, &undos[i]);
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_refused_without_a_call, &refusals[i]);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(of_a_list, &lists[i]);
	memcpy(&tests[nr], others, sizeof(others));
	return RUN_TESTS(tests);
}
