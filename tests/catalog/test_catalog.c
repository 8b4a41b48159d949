/* SPDX-License-Identifier: MIT */
/* The built-in rows, and what follows from them. */
#include <string.h>

#include "catalog/catalog.h"
#include "test.h"

static const struct iommusim_catalog_driver *given(const char *id)
{
	const struct iommusim_catalog_driver *row = iommusim_catalog_driver_find(id);

	assert_non_null(row);
	return row;
}

static void rows_are_found_by_id(void **state)
{
	size_t nr = 0;

	for (; iommusim_catalog_driver_at(nr); nr++)
		assert_ptr_equal(iommusim_catalog_driver_find(iommusim_catalog_driver_at(nr)->id),
		                 iommusim_catalog_driver_at(nr));
	assert_int_equal(nr, 146);
	for (nr = 0; iommusim_catalog_platform_at(nr); nr++)
		assert_ptr_equal(
			iommusim_catalog_platform_find(iommusim_catalog_platform_at(nr)->id),
			iommusim_catalog_platform_at(nr));
	assert_int_equal(nr, 67);
	assert_null(iommusim_catalog_driver_find("smmuv9"));
	assert_null(iommusim_catalog_platform_find("smmuv9"));
}

static void every_row_starts_at_its_lowest_page(void **state)
{
	const struct iommusim_catalog_driver *row;

	for (size_t i = 0; (row = iommusim_catalog_driver_at(i)) != NULL; i++) {
		assert_int_equal(row->min_granule, row->pgsizes & (~row->pgsizes + 1));
		assert_true(row->page_shifts);
	}
}

static void rows_are_found_by_driver_and_kernel(void **state)
{
	size_t at = 0, nr = 0;
	const struct iommusim_catalog_driver *row;

	while ((row = iommusim_catalog_driver_next("mtk_iommu_v1", 0, &at)) != NULL)
		nr++;
	assert_int_equal(nr, 2);
	at = 0;
	row = iommusim_catalog_driver_next("mtk_iommu_v1", IOMMUSIM_KERNEL(6, 12), &at);
	assert_string_equal(row->id, "mtk-v1-6.12");
	assert_null(iommusim_catalog_driver_next("mtk_iommu_v1", IOMMUSIM_KERNEL(6, 12), &at));
	assert_true(iommusim_catalog_driver_in(row, IOMMUSIM_KERNEL(6, 2)));
	assert_false(iommusim_catalog_driver_in(row, IOMMUSIM_KERNEL(6, 1)));
}

static void a_row_has_what_its_file_says(void **state)
{
	const struct iommusim_catalog_driver *row = given("bcm2712-iommu");

	assert_string_equal(row->driver, "bcm2712-iommu");
	assert_int_equal(row->pgsizes, 0x715000);
	assert_int_equal(row->first_kernel, IOMMUSIM_KERNEL(6, 6));
	assert_int_equal(row->first_is_inferred, 1);
	assert_int_equal(row->page_shifts, SZ_4K | SZ_16K);
	assert_int_equal(row->backends, IOMMUSIM_BACKEND_DMA_IOMMU);
	assert_int_equal(row->aperture_start, UINT64_C(0xa00000000));
	assert_int_equal(row->aperture_last, UINT64_C(0xa7fffffff));
	assert_int_equal(given("none")->pgsizes, 0);
	assert_int_equal(given("none")->levels, -1);
	assert_int_equal(given("tce-ddw-2m")->has_aperture, 1);
	assert_int_equal(given("tce-ddw-2m")->aperture_last, UINT64_MAX);
}

static void tables_are_those_that_make_the_page_sizes(void **state)
{
	struct iommusim_catalog_tables tables = iommusim_catalog_driver_tables(
		given("smmuv3-s1-4k-48"), 12, IOMMUSIM_KERNEL(6, 12), 0);

	assert_ptr_equal(tables.format, &iommusim_pgtable_arm_lpae_s1);
	assert_string_equal(tables.why, "");
	tables = iommusim_catalog_driver_tables(given("smmuv3-s1-4k16k-cpu64k"), 16,
	                                        IOMMUSIM_KERNEL(6, 12), 0);
	assert_ptr_equal(tables.format, &iommusim_pgtable_arm_lpae_s1);
}

static void a_common_granule_of_2m_is_no_page_table_of_linux(void **state)
{
	struct iommusim_catalog_tables tables = iommusim_catalog_driver_tables(
		given("hyp-smmu-2m-common"), 12, IOMMUSIM_KERNEL(6, 12), 0);

	assert_null(tables.format);
	assert_non_null(strstr(tables.why, "arm-lpae-s1 refuses it"));
}

static void rows_without_tables_say_so(void **state)
{
	assert_non_null(strstr(iommusim_catalog_driver_tables(given("alpha-pci"), 13, 0, 0).why,
	                       "layout of its page tables is not known"));
	assert_non_null(
		strstr(iommusim_catalog_driver_tables(given("none"), 12, 0, 0).why, "paging"));
	assert_non_null(
		strstr(iommusim_catalog_driver_tables(given("virtio-iommu-4k"), 12, 0, 0).why,
	               "no page tables"));
	assert_non_null(strstr(iommusim_catalog_driver_tables(given("amd-v1-old"), 12, 0, 0).why,
	                       "makes other page sizes"));
}

static void formats_are_those_of_the_page_tables(void **state)
{
	for (size_t i = 0; i < isim_catalog_formats_nr; i++) {
		const struct isim_catalog_format *row = &isim_catalog_formats[i];
		const struct iommusim_pgtable_format *format =
			iommusim_pgtable_format_find(row->pgtable);

		if (!*row->pgtable) {
			assert_int_equal(row->quirks, 0);
			continue;
		}
		assert_non_null(format);
		assert_string_equal(format->name, row->pgtable);
		assert_int_equal(row->quirks & ~format->quirks, 0);
	}
}

/* Only five of them reach 57 bits. */
static void amd_v2_has_the_levels_of_its_row(void **state)
{
	unsigned kernel = IOMMUSIM_KERNEL(6, 12);

	assert_int_equal(
		iommusim_catalog_driver_tables(given("amd-v2-6.12-l4"), 12, kernel, 0).nr_levels,
		4);
	assert_int_equal(
		iommusim_catalog_driver_tables(given("amd-v2-6.12-l5"), 12, kernel, 0).nr_levels,
		5);
	assert_int_equal(
		iommusim_catalog_driver_tables(given("smmuv3-s1-4k-48"), 12, kernel, 0).nr_levels,
		0);
}

/* Families that differ in levels, widths and byte order. */
static void rows_have_the_tables_that_they_name(void **state)
{
	static const char *const ids[] = { "riscv-sv39",     "riscv-sv57", "exynos-sysmmu-v5",
		                           "tegra-smmu-t30", "sun50i-h6",  "omap-iommu",
		                           "etnaviv-mmu-v2", "lima-mmu",   "s390-6.12" };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		const struct iommusim_catalog_driver *row = given(ids[i]);
		struct iommusim_catalog_tables tables =
			iommusim_catalog_driver_tables(row, 12, IOMMUSIM_KERNEL(6, 12), 0);

		assert_non_null(tables.format);
		assert_string_equal(tables.format->name, row->page_table_format);
	}
}

static void a_granule_above_the_page_ends_as_the_driver_has_it(void **state)
{
	static const struct {
		const char *id;
		unsigned page_shift, kernel;
		int err;
	} rows[] = {
		{ "smmuv3-s1-4k-48", 12, IOMMUSIM_KERNEL(6, 12), 0 },
		{ "hyp-smmuv3-64konly-cpu4k", 12, IOMMUSIM_KERNEL(6, 1), -IOMMUSIM_EBUG },
		{ "hyp-smmuv3-64konly-cpu4k", 16, IOMMUSIM_KERNEL(6, 1), 0 },
		{ "virtio-iommu-64k-guest4k", 12, IOMMUSIM_KERNEL(6, 1), -IOMMUSIM_EINVAL },
		{ "virtio-iommu-64k-guest4k", 12, IOMMUSIM_KERNEL(6, 12), -IOMMUSIM_ENODEV },
		{ "apple-dart-16k-cpu4k", 12, IOMMUSIM_KERNEL(6, 12), -IOMMUSIM_EINVAL },
		{ "tce-ddw-2m", 12, IOMMUSIM_KERNEL(6, 12), 0 },
		{ "none", 12, IOMMUSIM_KERNEL(6, 12), 0 },
		/* the page-table code is asked first */
		{ "hyp-smmu-2m-common", 12, IOMMUSIM_KERNEL(6, 1), -IOMMUSIM_EINVAL },
		{ "hyp-smmu-2m-common", 12, IOMMUSIM_KERNEL(6, 12), -IOMMUSIM_EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(iommusim_catalog_driver_outcome(
					 given(rows[i].id), rows[i].page_shift, rows[i].kernel, 0)
		                         .err,
		                 rows[i].err);
}

static void platforms_have_masks_and_buffers(void **state)
{
	const struct iommusim_catalog_platform *row = iommusim_catalog_platform_find("sdm845-4k");

	assert_int_equal(row->nr_masks, 4);
	assert_string_equal(row->masks[0].name, "vpu");
	assert_int_equal(row->masks[0].last, 0xdfffffff);
	assert_int_equal(row->masks[1].last, UINT64_MAX);
	assert_int_equal(row->nr_buffers, 3);
	assert_int_equal(row->buffers[0].bytes, 3110400);
	row = iommusim_catalog_platform_find("sun4v-8k");
	assert_int_equal(row->page_shift, 13);
	assert_int_equal(row->masks[0].last, UINT32_MAX);
	assert_int_equal(row->masks[0].is_known, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_found_by_id),
		cmocka_unit_test(every_row_starts_at_its_lowest_page),
		cmocka_unit_test(rows_are_found_by_driver_and_kernel),
		cmocka_unit_test(a_row_has_what_its_file_says),
		cmocka_unit_test(tables_are_those_that_make_the_page_sizes),
		cmocka_unit_test(a_common_granule_of_2m_is_no_page_table_of_linux),
		cmocka_unit_test(rows_without_tables_say_so),
		cmocka_unit_test(formats_are_those_of_the_page_tables),
		cmocka_unit_test(amd_v2_has_the_levels_of_its_row),
		cmocka_unit_test(rows_have_the_tables_that_they_name),
		cmocka_unit_test(a_granule_above_the_page_ends_as_the_driver_has_it),
		cmocka_unit_test(platforms_have_masks_and_buffers),
	};

	return RUN_TESTS(tests);
}
