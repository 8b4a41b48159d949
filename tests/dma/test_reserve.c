/* SPDX-License-Identifier: MIT */
/* What of the IOVA space is kept free, and what is mapped from the start. */
#include "rig.h"

#define S_4K_2M (SZ_4K | SZ_2M)

static int is_reserved(const struct rig *rig, uint64_t addr)
{
	struct iommusim_iova_range range;

	return iommusim_iova_find(rig->iova, addr >> 12, &range);
}

static struct iommusim_region region(enum iommusim_region_kind kind, uint64_t first, uint64_t last)
{
	return (struct iommusim_region){ .kind = kind, .first = first, .last = last, .prot = 3 };
}

static const struct kind_row {
	const char *name;
	enum iommusim_region_kind kind;
	int want_reserved, want_mapped;
} kind_rows[] = {
	{ "a window of the host bridge", IOMMUSIM_REGION_HOST_WINDOW, 1, 0 },
	{ "a reserved region", IOMMUSIM_REGION_RESERVED, 1, 0 },
	{ "message interrupts", IOMMUSIM_REGION_MSI, 1, 0 },
	{ "message interrupts by software", IOMMUSIM_REGION_SW_MSI, 0, 0 },
	{ "a direct region", IOMMUSIM_REGION_DIRECT, 1, 1 },
};

/* The frames of the region at the top of 32 bits: the next mapping lies below them, or there. */
static void is_kept_out(void **state)
{
	const struct kind_row *r = *state;
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_region top = region(r->kind, 0xfee00800, 0xffffffff);
	struct iommusim_dma_mapping m = { .pa = SZ_1G, .size = SZ_4K };

	assert_ok(iommusim_dma_reserve(rig->dma, &top));
	assert_int_equal(is_reserved(rig, 0xfee00000), r->want_reserved);
	assert_int_equal(is_reserved(rig, 0xfedff000), 0);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, 0xfee00123),
	                 r->want_mapped ? 0xfee00123 : 0);
	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_int_equal(m.dma_addr, r->want_reserved ? 0xfedff000 : 0xfffff000);
	finish(rig);
}

static void ranges_that_are_none_are_refused(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_region wrong[] = {
		region(IOMMUSIM_REGION_MSI, 2, 1),
		region((enum iommusim_region_kind)9, 1, 2),
		region(IOMMUSIM_REGION_DIRECT, 0, UINT64_MAX),
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_err(iommusim_dma_reserve(rig->dma, &wrong[i]), IOMMUSIM_EINVAL);
	assert_untouched(rig);
	finish(rig);
}

/* Memory is reached at 1 to 2 GiB and at 3 GiB: gaps below, between and above, and the first frame
 * of each window, as Linux takes it. */
static void gaps_between_windows_are_reserved(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_region windows[] = {
		region(IOMMUSIM_REGION_RESERVED, SZ_1G, 2 * SZ_1G - 1),
		region(IOMMUSIM_REGION_RESERVED, 3 * SZ_1G, 3 * SZ_1G + SZ_1M - 1),
	};

	assert_ok(iommusim_dma_reserve_gaps(rig->dma, windows, 2));
	assert_int_equal(is_reserved(rig, 0), 1);
	assert_int_equal(is_reserved(rig, SZ_1G), 1); /* in the window */
	assert_int_equal(is_reserved(rig, SZ_1G + SZ_4K), 0);
	assert_int_equal(is_reserved(rig, 2 * SZ_1G - 1), 0);
	assert_int_equal(is_reserved(rig, 2 * SZ_1G), 1);
	assert_int_equal(is_reserved(rig, 3 * SZ_1G), 1);
	assert_int_equal(is_reserved(rig, 3 * SZ_1G + SZ_4K), 0);
	assert_int_equal(is_reserved(rig, 3 * SZ_1G + SZ_1M), 1);
	assert_int_equal(is_reserved(rig, UINT64_C(1) << 50), 1);
	finish(rig);
}

static void windows_must_ascend_and_be_in_reach(void **state)
{
	struct rig *rig = given_rig(
		&(struct rig_config){ .pgsizes = S_4K_2M, .dma.aperture_last = 0xffffff });
	struct iommusim_region windows[] = {
		region(IOMMUSIM_REGION_RESERVED, 2 * SZ_1G, 3 * SZ_1G),
		region(IOMMUSIM_REGION_RESERVED, 3 * SZ_1G, 4 * SZ_1G),
	};

	assert_err(iommusim_dma_reserve_gaps(rig->dma, windows, 2), IOMMUSIM_EINVAL);
	assert_err(iommusim_dma_reserve_gaps(rig->dma, windows, 1), IOMMUSIM_EFAULT);
	assert_ok(iommusim_dma_reserve_gaps(rig->dma, windows, 0));
	assert_untouched(rig);
	finish(rig);
}

static void windows_below_the_aperture_are_out_of_reach(void **state)
{
	struct rig *rig = given_rig(
		&(struct rig_config){ .pgsizes = S_4K_2M, .dma.aperture_start = 2 * SZ_1G });
	struct iommusim_region window = region(IOMMUSIM_REGION_RESERVED, SZ_1M, 2 * SZ_1G - 1);

	assert_err(iommusim_dma_reserve_gaps(rig->dma, &window, 1), IOMMUSIM_EFAULT);
	assert_untouched(rig);
	window.last++;
	assert_ok(iommusim_dma_reserve_gaps(rig->dma, &window, 1));
	finish(rig);
}

/* A direct region that the driver cannot map is not reserved either. */
static void a_direct_region_that_cannot_be_mapped(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .fail_map = 1 });
	struct iommusim_region direct = region(IOMMUSIM_REGION_DIRECT, 0x1000, 0x1fff);

	assert_err(iommusim_dma_reserve(rig->dma, &direct), IOMMUSIM_ENOMEM);
	assert_untouched(rig);
	finish(rig);
}

/* Where the host has no room for the range, the mapping goes too. */
static void a_direct_region_that_cannot_be_reserved(void **state)
{
	struct iommusim_fault fault = { 0, 0, 0 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .iova_host = &host });
	unsigned nr_failed = 0;

	for (uint64_t i = 1; i <= 1000; i++) {
		struct iommusim_region direct =
			region(IOMMUSIM_REGION_DIRECT, i * SZ_64K, i * SZ_64K + 1);
		int err;

		fault.fail_at = fault.nr_allocs + 1;
		err = iommusim_dma_reserve(rig->dma, &direct);
		assert_true(!err || err == -IOMMUSIM_EHOST);
		assert_int_equal(is_reserved(rig, direct.first), !err);
		assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, direct.first),
		                 err ? 0 : direct.first);
		fault.fail_at = 0;
		if (err)
			assert_ok(iommusim_dma_reserve(rig->dma, &direct));
		nr_failed += err != 0;
	}
	assert_int_not_equal(nr_failed, 0);
	finish(rig);
	assert_int_equal(fault.nr_live, 0);
}

int main(void)
{
	struct CMUnitTest tests[6 + ARRAY_LEN(kind_rows)] = {
		cmocka_unit_test(ranges_that_are_none_are_refused),
		cmocka_unit_test(gaps_between_windows_are_reserved),
		cmocka_unit_test(windows_must_ascend_and_be_in_reach),
		cmocka_unit_test(windows_below_the_aperture_are_out_of_reach),
		cmocka_unit_test(a_direct_region_that_cannot_be_mapped),
		cmocka_unit_test(a_direct_region_that_cannot_be_reserved),
	};

	for (size_t i = 0; i < ARRAY_LEN(kind_rows); i++)
		tests[6 + i] = (struct CMUnitTest)TEST_ROW(is_kept_out, &kind_rows[i]);
	return RUN_TESTS(tests);
}
