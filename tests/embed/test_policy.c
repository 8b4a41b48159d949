/* SPDX-License-Identifier: MIT */
/* A chunk policy of one's own, and the test that its buffers can be mapped where others' cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <iommusim.h>

/* Blocks of 64 KiB and nothing else. */
static int blocks_of_64k(const struct iommusim_policy *policy,
                         const struct iommusim_chunk_request *req,
                         const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = 0;

	(void)policy;
	for (uint64_t got = 0; !err && got < plan->count; got += 16)
		err = iommusim_chunk_get(run, 4, req->gfp);
	return err;
}

static const struct iommusim_policy mine = { .size = sizeof(mine), .alloc = blocks_of_64k };

/* What 4 MiB by @policy come to, where of every 128 KiB one page is in use. */
static int try_policy(const struct iommusim_policy *policy)
{
	struct iommusim_phys_config memory = { .size = sizeof(memory), .nothing_free = 1 };
	struct iommusim_machine_config config = { .size = sizeof(config),
		                                  .pgsizes = 64 << 10 | 512 << 20,
		                                  .mode = IOMMUSIM_DOMAIN_EXTENDED };
	struct iommusim_dma_request req = { .policy = policy,
		                            .size = 4 << 20,
		                            .gfp = IOMMUSIM_GFP_KERNEL,
		                            .attrs = IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES };
	struct iommusim_dma_buffer buffer;
	struct iommusim_machine *machine;
	int err;

	assert_int_equal(iommusim_phys_create(&memory, &config.phys), 0);
	assert_int_equal(iommusim_phys_pin(config.phys, 5, 1), 0);
	assert_int_equal(iommusim_machine_create(&config, &machine), 0);
	err = iommusim_dma_alloc_noncontiguous(iommusim_machine_dma(machine), &req, &buffer);
	assert_int_equal(iommusim_dma_free(iommusim_machine_dma(machine), &buffer), 0);
	iommusim_machine_destroy(machine);
	return err;
}

static void buffers_are_mappable_on_fragmented_memory(void **state)
{
	(void)state;
	assert_int_equal(try_policy(&mine), 0);
}

static void those_of_the_single_pages_patch_are_not(void **state)
{
	(void)state;
	assert_int_equal(try_policy(&iommusim_policy_single_pages_patch), -IOMMUSIM_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_are_mappable_on_fragmented_memory),
		cmocka_unit_test(those_of_the_single_pages_patch_are_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
