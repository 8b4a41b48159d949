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

/* 256 MiB from 1 GiB on, with pages of 2^@page_shift bytes. */
static struct iommusim_phys *given_memory(unsigned page_shift)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = SZ_1G >> page_shift,
		                             .nr_frames = (SZ_1G >> 2) >> page_shift };
	struct iommusim_phys_config config = {
		.size = sizeof(config), .page_shift = page_shift, .zones = &zone, .nr_zones = 1
	};
	struct iommusim_phys *phys;

	assert_ok(iommusim_phys_create(&config, &phys));
	return phys;
}

/* What a machine does whatever its memory: where buffers go, and what its tables are. */
struct behaviour {
	uint64_t pgsizes, first, second; /* the last two: addresses */
	struct iommusim_pgtable_info tables;
};

static struct behaviour behaviour_of(struct iommusim_machine *machine)
{
	struct iommusim_dma_request req = { .size = SZ_1M, .gfp = IOMMUSIM_GFP_KERNEL };
	struct iommusim_dma *dma = iommusim_machine_dma(machine);
	struct iommusim_dma_buffer a, b;
	struct behaviour behaviour = { .tables = { .nr_levels = 0 } };

	if (iommusim_machine_pgtable(machine))
		behaviour.tables = iommusim_pgtable_info(iommusim_machine_pgtable(machine));
	behaviour.pgsizes = iommusim_domain_pgsizes(iommusim_machine_domain(machine));
	assert_ok(iommusim_dma_alloc_noncontiguous(dma, &req, &a));
	assert_ok(iommusim_dma_alloc_noncontiguous(dma, &req, &b));
	behaviour.first = a.dma_addr;
	behaviour.second = b.dma_addr;
	assert_ok(iommusim_dma_free(dma, &b));
	assert_ok(iommusim_dma_free(dma, &a));
	return behaviour;
}

/* The platform's memory or, with @phys, other memory. 0: Linux refuses the machine. */
static int behaves(const struct iommusim_catalog_platform *platform, struct iommusim_phys *phys,
                   struct behaviour *behaviour)
{
	struct iommusim_platform_config config = { .size = sizeof(config),
		                                   .platform = platform,
		                                   .phys = phys };
	struct iommusim_machine *machine;

	if (iommusim_machine_create_platform(&config, &machine))
		return 0;
	if (phys)
		assert_ptr_equal(iommusim_machine_phys(machine), phys);
	*behaviour = behaviour_of(machine);
	iommusim_machine_destroy(machine);
	return 1;
}

static void other_memory_changes_nothing_else(void **state)
{
	const struct iommusim_catalog_platform *platform;
	unsigned nr = 0;

	for (size_t i = 0; (platform = iommusim_catalog_platform_at(i)) != NULL; i++) {
		struct behaviour own, other;

		if (!behaves(platform, NULL, &own))
			continue;
		assert_true(behaves(platform, given_memory(platform->page_shift), &other));
		assert_int_equal(other.pgsizes, own.pgsizes);
		assert_int_equal(other.first, own.first);
		assert_int_equal(other.second, own.second);
		assert_ptr_equal(other.tables.format, own.tables.format);
		assert_int_equal(other.tables.ias, own.tables.ias);
		assert_int_equal(other.tables.oas, own.tables.oas);
		assert_int_equal(other.tables.tcr_sh, own.tables.tcr_sh);
		nr++;
	}
	assert_true(nr > 50);
}

/* ums512 ends at 256 MiB, below its mask; the laptop's devices are of PCI, its mask has 64 bits. */
static void with_other_memory_aperture_and_bus_count(void **state)
{
	struct behaviour behaviour;

	assert_true(behaves(given("ums512-4k"), given_memory(12), &behaviour));
	assert_int_equal(behaviour.first, (SZ_1G >> 2) - SZ_1M);
	assert_true(behaves(given("x86-vtd-laptop"), given_memory(12), &behaviour));
	assert_int_equal(behaviour.first, (SZ_1G << 2) - SZ_1M);
	assert_true(behaves(given("armada-8k-4k"), given_memory(12), &behaviour));
	assert_int_equal(behaviour.tables.tcr_sh, 3);
	assert_true(behaves(given("r8a7795-4k"), given_memory(12), &behaviour));
	assert_int_equal(behaviour.tables.tcr_sh, 2);
}

static void on_failure_other_memory_is_left_alone(void **state)
{
	static const struct {
		const char *id;
		unsigned page_shift;
		int err;
	} rows[] = {
		{ "qemu-virtio-iommu-64k-guest4k", 12, -IOMMUSIM_EBUG },
		{ "none-directmap-pi4", 12, -IOMMUSIM_ENODEV },
		{ "grace-4k", 16, -IOMMUSIM_EINVAL },
		{ "grace-64k", 12, -IOMMUSIM_EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct iommusim_platform_config config = { .size = sizeof(config),
			                                   .platform = given(rows[i].id) };
		struct iommusim_machine *machine = NULL;

		config.phys = given_memory(rows[i].page_shift);
		assert_err(iommusim_machine_create_platform(&config, &machine), rows[i].err);
		assert_null(machine);
		assert_ok(iommusim_phys_check(config.phys));
		iommusim_phys_destroy(config.phys);
	}
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
		cmocka_unit_test(other_memory_changes_nothing_else),
		cmocka_unit_test(with_other_memory_aperture_and_bus_count),
		cmocka_unit_test(on_failure_other_memory_is_left_alone),
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(a_host_without_memory_is_told),
	};

	return RUN_TESTS(tests);
}
