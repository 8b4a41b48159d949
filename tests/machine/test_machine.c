/* SPDX-License-Identifier: MIT */
/* A machine put together, and its copy: the same state, and nothing shared. */
#include <stdlib.h>
#include <string.h>

#include "test.h"

static struct iommusim_phys *given_phys(const struct iommusim_host *host)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = 1 << 20,
		                             .nr_frames = 4096 };
	struct iommusim_phys_config config = {
		.size = sizeof(config), .zones = &zone, .nr_zones = 1, .host = host
	};
	struct iommusim_phys *phys = NULL;

	assert_ok(iommusim_phys_create(&config, &phys));
	return phys;
}

static struct iommusim_machine *given_machine(void)
{
	struct iommusim_machine_config config = { .size = sizeof(config),
		                                  .phys = given_phys(NULL),
		                                  .keep_calls = 1 };
	struct iommusim_machine *machine = NULL;

	assert_ok(iommusim_machine_create(&config, &machine));
	return machine;
}

static void get_buffer(struct iommusim_machine *machine, uint64_t size,
                       struct iommusim_dma_buffer *buffer)
{
	struct iommusim_dma_request req = { .size = size, .gfp = IOMMUSIM_GFP_KERNEL };

	assert_ok(iommusim_dma_alloc_noncontiguous(iommusim_machine_dma(machine), &req, buffer));
}

static uint64_t nr_free(struct iommusim_machine *machine)
{
	return iommusim_phys_nr_free(iommusim_machine_phys(machine));
}

/* The same chunks at the same address. */
static void assert_same_buffer(const struct iommusim_dma_buffer *a,
                               const struct iommusim_dma_buffer *b)
{
	assert_int_equal(a->dma_addr, b->dma_addr);
	assert_int_equal(a->chunks.nr_chunks, b->chunks.nr_chunks);
	for (size_t i = 0; i < a->chunks.nr_chunks; i++) {
		assert_int_equal(a->chunks.chunk[i].pfn, b->chunks.chunk[i].pfn);
		assert_int_equal(a->chunks.chunk[i].order, b->chunks.chunk[i].order);
	}
}

/* A range of arch/arm, made of an area that the machine got later; in a copy, too. */
static void a_contiguous_range_is_mapped_as_one(void **state)
{
	struct iommusim_machine *machine = given_machine(), *copy = NULL;
	struct iommusim_dma_request req = { .policy = iommusim_policy_find("A4"),
		                            .size = 300 * SZ_4K,
		                            .gfp = IOMMUSIM_GFP_KERNEL,
		                            .attrs = IOMMUSIM_ATTR_FORCE_CONTIGUOUS };
	struct iommusim_dma_buffer buffer;

	assert_err(iommusim_dma_alloc_chunks(iommusim_machine_dma(machine), &req, &buffer),
	           IOMMUSIM_ENOMEM);
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
	assert_int_equal(
		iommusim_phys_cma_create(iommusim_machine_phys(machine), (1 << 20) + 2048, 512), 0);
	assert_ok(iommusim_machine_fork(machine, &copy));
	for (unsigned i = 0; i < 2; i++) {
		struct iommusim_machine *m = i ? copy : machine;

		assert_ok(iommusim_dma_alloc_chunks(iommusim_machine_dma(m), &req, &buffer));
		assert_int_equal(buffer.nr_sg, 1);
		assert_int_equal(buffer.sg[0].pa, (UINT64_C(1) << 32) + 2048 * SZ_4K);
		assert_int_equal(buffer.sg[0].size, 300 * SZ_4K);
		assert_int_equal(nr_free(m), 4096 - 300);
		assert_ok(iommusim_dma_free(iommusim_machine_dma(m), &buffer));
		assert_int_equal(nr_free(m), 4096);
		iommusim_machine_destroy(m);
	}
}

/* The domain has pages of 64K only: 3 of 4K are mapped by none, and go back to the area. */
static void a_contiguous_range_that_cannot_be_mapped_goes_back(void **state)
{
	struct iommusim_machine_config config = { .size = sizeof(config),
		                                  .phys = given_phys(NULL),
		                                  .pgsizes = SZ_64K,
		                                  .mode = IOMMUSIM_DOMAIN_EXTENDED };
	struct iommusim_dma_request req = { .policy = iommusim_policy_find("A4"),
		                            .size = 3 * SZ_4K,
		                            .gfp = IOMMUSIM_GFP_KERNEL,
		                            .attrs = IOMMUSIM_ATTR_FORCE_CONTIGUOUS };
	struct iommusim_machine *machine = NULL;
	struct iommusim_dma_buffer buffer;
	iommusim_pfn pfn;

	assert_int_equal(iommusim_phys_cma_create(config.phys, (1 << 20) + 2048, 512), 0);
	assert_ok(iommusim_machine_create(&config, &machine));
	assert_err(iommusim_dma_alloc_chunks(iommusim_machine_dma(machine), &req, &buffer),
	           IOMMUSIM_EINVAL);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_MAP);
	assert_int_equal(buffer.chunks.nr_freed, 3);
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
	assert_ok(iommusim_phys_cma_alloc(config.phys, 0, 512, 0, &pfn));
	iommusim_machine_destroy(machine);
}

static void the_parts_work_together(void **state)
{
	struct iommusim_machine *machine = given_machine();
	struct iommusim_dma_buffer buffer;
	size_t nr_calls;

	get_buffer(machine, SZ_2M + SZ_4K, &buffer);
	assert_int_equal(nr_free(machine), 4096 - 513);
	assert_int_equal(
		iommusim_domain_iova_to_phys(iommusim_machine_domain(machine), buffer.dma_addr),
		buffer.chunks.chunk[0].pfn << 12);
	assert_int_equal(iommusim_iova_nr_ranges(iommusim_machine_iova(machine)), 1);
	iommusim_recorder_calls(iommusim_machine_recorder(machine), &nr_calls);
	assert_int_equal(nr_calls, 2);
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
	assert_int_equal(nr_free(machine), 4096);
	iommusim_machine_destroy(machine);
}

static void a_copy_goes_on_as_the_original(void **state)
{
	struct iommusim_machine *machine = given_machine(), *copy = NULL;
	struct iommusim_dma_buffer held, a, b;

	get_buffer(machine, 7 * SZ_4K, &held);
	assert_ok(iommusim_machine_fork(machine, &copy));
	assert_ok(iommusim_phys_check(iommusim_machine_phys(copy)));
	get_buffer(machine, SZ_2M + 3 * SZ_4K, &a);
	get_buffer(copy, SZ_2M + 3 * SZ_4K, &b);
	assert_same_buffer(&a, &b);
	assert_ok(iommusim_dma_free(iommusim_machine_dma(copy), &b));
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &a));
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &held));
	iommusim_machine_destroy(machine);
	iommusim_machine_destroy(copy);
}

static void a_copy_shares_nothing(void **state)
{
	struct iommusim_machine *machine = given_machine(), *copy = NULL;
	struct iommusim_dma_buffer held;
	uint64_t pa;

	get_buffer(machine, SZ_4K, &held);
	pa = held.chunks.chunk[0].pfn << 12;
	assert_ok(iommusim_machine_fork(machine, &copy));
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &held));
	iommusim_machine_destroy(machine);
	assert_int_equal(nr_free(copy), 4095); /* still held, still mapped */
	assert_int_equal(
		iommusim_domain_iova_to_phys(iommusim_machine_domain(copy), UINT64_C(0xfffff000)),
		pa);
	assert_int_equal(iommusim_iova_nr_ranges(iommusim_machine_iova(copy)), 1);
	get_buffer(copy, SZ_4K, &held);
	assert_int_equal(held.dma_addr, UINT64_C(0xffffe000));
	assert_ok(iommusim_dma_free(iommusim_machine_dma(copy), &held));
	iommusim_machine_destroy(copy);
}

static void memory_is_left_alone_when_the_machine_is_refused(void **state)
{
	struct iommusim_phys *phys = given_phys(NULL);
	struct iommusim_machine_config config = { .size = sizeof(config),
		                                  .phys = phys,
		                                  .pgsizes = SZ_64K | SZ_512M };
	struct iommusim_machine *machine = NULL;

	assert_err(iommusim_machine_create(&config, &machine), IOMMUSIM_EBUG);
	assert_null(machine);
	assert_int_equal(iommusim_phys_nr_free(phys), 4096);
	config.mode = IOMMUSIM_DOMAIN_EXTENDED;
	assert_ok(iommusim_machine_create(&config, &machine));
	iommusim_machine_destroy(machine);
	config.phys = NULL;
	assert_err(iommusim_machine_create(&config, &machine), IOMMUSIM_EINVAL);
	iommusim_machine_destroy(NULL);
}

static void creation_survives_any_failure_of_the_host(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_phys *phys = given_phys(NULL);
		struct iommusim_machine_config config = { .size = sizeof(config),
			                                  .phys = phys,
			                                  .host = &host };
		struct iommusim_machine *machine = NULL;

		err = iommusim_machine_create(&config, &machine);
		assert_err(err, err ? IOMMUSIM_EHOST : 0);
		if (err)
			iommusim_phys_destroy(phys);
		iommusim_machine_destroy(machine);
		assert_int_equal(fault.nr_live, 0);
	}
}

/* All but the memory itself comes from the failing host. */
static void a_fork_survives_any_failure_of_the_host(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = 0 };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_machine_config config = { .size = sizeof(config),
			                                  .phys = given_phys(&host),
			                                  .keep_calls = 1,
			                                  .host = &host };
		struct iommusim_machine *machine = NULL, *copy = NULL;
		struct iommusim_dma_buffer buffer;

		assert_ok(iommusim_machine_create(&config, &machine));
		get_buffer(machine, 5 * SZ_4K, &buffer);
		fault.fail_at = fault.nr_allocs + n;
		err = iommusim_machine_fork(machine, &copy);
		assert_err(err, err ? IOMMUSIM_EHOST : 0);
		if (!err)
			assert_int_equal(nr_free(copy), nr_free(machine));
		iommusim_machine_destroy(copy);
		fault.fail_at = 0;
		assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
		iommusim_machine_destroy(machine);
		assert_int_equal(fault.nr_live, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parts_work_together),
		cmocka_unit_test(a_contiguous_range_is_mapped_as_one),
		cmocka_unit_test(a_contiguous_range_that_cannot_be_mapped_goes_back),
		cmocka_unit_test(a_copy_goes_on_as_the_original),
		cmocka_unit_test(a_copy_shares_nothing),
		cmocka_unit_test(memory_is_left_alone_when_the_machine_is_refused),
		cmocka_unit_test(creation_survives_any_failure_of_the_host),
		cmocka_unit_test(a_fork_survives_any_failure_of_the_host),
	};

	return RUN_TESTS(tests);
}
