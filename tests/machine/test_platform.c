/* SPDX-License-Identifier: MIT */
/* Every platform of the catalogue becomes a machine, or says why it cannot. */
#include <stdio.h>
#include <string.h>

#include "test.h"

static const struct iommusim_catalog_platform *given(const char *id)
{
	const struct iommusim_catalog_platform *platform = iommusim_catalog_platform_find(id);

	assert_non_null(platform);
	return platform;
}

static int create(const struct iommusim_catalog_platform *platform,
                  const struct iommusim_host *host, struct iommusim_machine **machine)
{
	struct iommusim_platform_config config = { .size = sizeof(config),
		                                   .platform = platform,
		                                   .host = host };

	return iommusim_machine_create_platform(&config, machine);
}

static void zones_cover_the_memory(void **state)
{
	const struct iommusim_catalog_platform *platform;

	for (size_t i = 0; (platform = iommusim_catalog_platform_at(i)) != NULL; i++) {
		struct iommusim_zone_config zones[IOMMUSIM_PLATFORM_ZONES];
		unsigned nr = iommusim_platform_zones(platform, zones);
		uint64_t frames = 0, end = 0;

		for (unsigned z = 0; z < nr; z++) {
			assert_true(zones[z].start_pfn >= end);
			frames += zones[z].nr_frames;
			end = zones[z].start_pfn + zones[z].nr_frames;
		}
		assert_int_equal(frames << platform->page_shift, platform->ram_bytes);
	}
}

static void a_server_has_the_zones_of_x86(void **state)
{
	struct iommusim_zone_config zones[IOMMUSIM_PLATFORM_ZONES];

	assert_int_equal(iommusim_platform_zones(given("x86-vtd-laptop"), zones), 3);
	assert_int_equal(zones[0].nr_frames, 4096);
	assert_int_equal(zones[1].start_pfn + zones[1].nr_frames, 3u << 18);
	assert_int_equal(zones[2].start_pfn, 1u << 20);
	assert_int_equal(zones[2].nr_frames, 13u << 18);
}

/* One buffer in and out, unless the kernel refuses the domain. */
static void use(const struct iommusim_catalog_platform *platform)
{
	struct iommusim_machine *machine = NULL;
	struct iommusim_dma_request req = { .size = SZ_64K, .gfp = IOMMUSIM_GFP_KERNEL };
	struct iommusim_dma_buffer buffer;
	const struct iommusim_catalog_driver *row =
		iommusim_catalog_driver_find(platform->iommu_driver_id);
	int err = create(platform, NULL, &machine);

	if (!row->pgsizes)
		assert_err(err, -IOMMUSIM_ENODEV);
	else if (row->min_granule >> platform->page_shift > 1)
		assert_err(err, -IOMMUSIM_EBUG);
	else
		assert_ok(err);
	if (err)
		return;
	assert_int_equal(iommusim_domain_pgsizes(iommusim_machine_domain(machine)), row->pgsizes);
	assert_ok(iommusim_dma_alloc_noncontiguous(iommusim_machine_dma(machine), &req, &buffer));
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
	iommusim_machine_destroy(machine);
}

static void every_platform_serves_a_buffer_or_is_refused(void **state)
{
	for (size_t i = 0; iommusim_catalog_platform_at(i); i++)
		use(iommusim_catalog_platform_at(i));
}

static void masks_are_those_of_the_masters(void **state)
{
	assert_int_equal(iommusim_platform_mask(given("mt8192-4k"), "vpu"), 0x3ffffffff);
	assert_int_equal(iommusim_platform_mask(given("mt8192-4k"), NULL), UINT32_MAX);
	assert_int_equal(iommusim_platform_mask(given("mt8192-4k"), "camera"), UINT32_MAX);
}

static void the_device_stays_below_its_mask(void **state)
{
	struct iommusim_machine *machine = NULL;
	struct iommusim_platform_config config = { .size = sizeof(config),
		                                   .platform = given("sdm845-4k"),
		                                   .master = "vpu" };
	struct iommusim_dma_request req = { .size = SZ_2M, .gfp = IOMMUSIM_GFP_KERNEL };
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_machine_create_platform(&config, &machine));
	assert_ok(iommusim_dma_alloc_noncontiguous(iommusim_machine_dma(machine), &req, &buffer));
	assert_int_equal(buffer.dma_addr + buffer.size - 1, 0xdfffffff);
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
	iommusim_machine_destroy(machine);
}

static void what_is_missing_is_told(void **state)
{
	struct iommusim_machine *machine = NULL;
	struct iommusim_platform_config config = { .size = sizeof(config) };

	assert_err(iommusim_machine_create_platform(&config, &machine), -IOMMUSIM_EINVAL);
	config.platform = given("grace-4k");
	config.kernel = 1;
	assert_err(iommusim_machine_create_platform(&config, &machine), -IOMMUSIM_EINVAL);
	assert_null(machine);
}

static void a_host_without_memory_is_told(void **state)
{
	struct iommusim_fault fault = { .fail_at = 1 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	struct iommusim_machine *machine = NULL;

	while (create(given("juno-4k"), &host, &machine) == -IOMMUSIM_EHOST) {
		assert_int_equal(fault.nr_live, 0);
		fault.nr_allocs = 0;
		fault.fail_at++;
	}
	assert_non_null(machine);
	assert_true(fault.fail_at > 5);
	iommusim_machine_destroy(machine);
	assert_int_equal(fault.nr_live, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_cover_the_memory),
		cmocka_unit_test(a_server_has_the_zones_of_x86),
		cmocka_unit_test(every_platform_serves_a_buffer_or_is_refused),
		cmocka_unit_test(masks_are_those_of_the_masters),
		cmocka_unit_test(the_device_stays_below_its_mask),
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(a_host_without_memory_is_told),
	};

	return RUN_TESTS(tests);
}
