/* SPDX-License-Identifier: MIT */
/* Every driver of the catalogue under every CPU page: its tables map a buffer inside its aperture.
 */
#include <string.h>

#include "iommusim.h"
#include "test.h"

#define START (UINT64_C(1) << 30)

static struct iommusim_phys *given_memory(unsigned page_shift)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = START >> page_shift,
		                             .nr_frames = 1 << 14 };
	struct iommusim_phys_config config = {
		.size = sizeof(config), .page_shift = page_shift, .zones = &zone, .nr_zones = 1
	};
	struct iommusim_phys *phys;

	assert_ok(iommusim_phys_create(&config, &phys));
	return phys;
}

static struct iommusim_machine *given_row(const struct iommusim_catalog_driver *row,
                                          unsigned page_shift, unsigned contiguous)
{
	struct iommusim_machine_config config = { .size = sizeof(config),
		                                  .mode = IOMMUSIM_DOMAIN_EXTENDED,
		                                  .contiguous = contiguous };
	struct iommusim_machine *machine;

	config.phys = given_memory(page_shift);
	iommusim_machine_use_row(&config, row, page_shift);
	assert_ok(iommusim_machine_create(&config, &machine));
	return machine;
}

static void use(const struct iommusim_catalog_driver *row, unsigned page_shift)
{
	struct iommusim_machine *machine = given_row(row, page_shift, 0);
	const struct iommusim_pgtable *pgtable = iommusim_machine_pgtable(machine);
	struct iommusim_dma_request req = { &iommusim_policy_dma_iommu_6_4, 300 << 10,
		                            IOMMUSIM_GFP_KERNEL, 0 };
	struct iommusim_dma *dma = iommusim_machine_dma(machine);
	struct iommusim_dma_buffer buffer;
	int err = iommusim_dma_alloc_chunks(dma, &req, &buffer);

	assert_int_equal(iommusim_domain_pgsizes(iommusim_machine_domain(machine)), row->pgsizes);
	if (!err && row->has_aperture && row->aperture_start >> 48 != 0xffff)
		assert_in_range(buffer.dma_addr, row->aperture_start,
		                row->aperture_last - buffer.size + 1);
	if (!err && pgtable)
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, buffer.dma_addr),
		                 buffer.chunks.chunk[0].pfn << page_shift);
	/* granules above a pageblock of the allocator are not to be had */
	assert_int_equal(err, row->min_granule >> page_shift <= 1024 ? 0 : -IOMMUSIM_ENOMEM);
	iommusim_dma_free(dma, &buffer);
	iommusim_machine_destroy(machine);
}

static void every_row_maps_a_buffer_in_its_aperture(void **state)
{
	const struct iommusim_catalog_driver *row;

	for (size_t i = 0; (row = iommusim_catalog_driver_at(i)) != NULL; i++)
		for (unsigned shift = 12; shift <= 16; shift++)
			if (row->page_shifts >> shift & 1 && row->pgsizes &&
			    row->min_granule <= UINT64_C(1) << 32)
				use(row, shift);
}

static void the_hint_adds_page_sizes_to_arm(void **state)
{
	static const struct {
		const char *id;
		uint64_t pgsizes;
	} wants[] = { { "smmuv3-s1-4k-48", UINT64_C(0x42211000) },
		      { "hyp-smmu-2m-common", UINT64_C(0x40200000) },
		      { "riscv-sv48", UINT64_C(0x8040201000) } };

	for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
		const struct iommusim_catalog_driver *row =
			iommusim_catalog_driver_find(wants[i].id);
		struct iommusim_machine *machine = given_row(row, 12, 1);

		assert_non_null(iommusim_machine_pgtable(machine));
		assert_int_equal(iommusim_domain_pgsizes(iommusim_machine_domain(machine)),
		                 wants[i].pgsizes);
		iommusim_machine_destroy(machine);
	}
}

/* A device that reaches 32 bits; the kernel decides what it says of an aperture above. */
static void an_aperture_is_held_against_the_device(void **state)
{
	static const struct {
		unsigned kernel;
		uint64_t start, last;
		int err;
	} rows_of[] = {
		{ IOMMUSIM_KERNEL(6, 12), 1 << 20, (1 << 20) - 1, IOMMUSIM_EINVAL },
		{ IOMMUSIM_KERNEL(6, 1), 4 * SZ_1G, 8 * SZ_1G - 1, IOMMUSIM_EFAULT },
		{ IOMMUSIM_KERNEL(6, 12), 4 * SZ_1G, 8 * SZ_1G - 1, 0 },
		{ IOMMUSIM_KERNEL(6, 1), 4 * SZ_1G - SZ_4K, 8 * SZ_1G - 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows_of); i++) {
		struct iommusim_machine_config config = { .size = sizeof(config),
			                                  .kernel = rows_of[i].kernel,
			                                  .aperture_start = rows_of[i].start,
			                                  .aperture_last = rows_of[i].last };
		struct iommusim_machine *machine = NULL;

		config.phys = given_memory(12);
		assert_err(iommusim_machine_create(&config, &machine), rows_of[i].err);
		if (machine)
			iommusim_machine_destroy(machine);
		else
			iommusim_phys_destroy(config.phys);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_maps_a_buffer_in_its_aperture),
		cmocka_unit_test(the_hint_adds_page_sizes_to_arm),
		cmocka_unit_test(an_aperture_is_held_against_the_device),
	};

	return RUN_TESTS(tests);
}
