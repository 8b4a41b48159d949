/* SPDX-License-Identifier: MIT */
/* What a device is made of, what it refuses, and what its kernel version makes of it. */
#include "rig.h"

#define S_4K_2M (SZ_4K | SZ_2M | SZ_1G)
#define S_64K   (SZ_64K | SZ_512M)

static void attributes_and_compound_pages_are_refused_at_the_door(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_dma_request req = request_of(NULL, SZ_4K);
	struct iommusim_dma_buffer buffer;

	req.attrs = IOMMUSIM_ATTR_PRIVILEGED;
	assert_err(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_CHECK);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	req = request_of(NULL, SZ_4K);
	req.gfp |= IOMMUSIM_GFP_BIT_COMP;
	assert_err(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	req = request_of(NULL, 0);
	assert_err(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

static void a_page_source_must_be_whole(void **state)
{
	struct rig_config config = { .pgsizes = S_4K_2M };
	struct rig *rig = given_rig(&config);
	struct iommusim_page_source source = iommusim_phys_source(rig->phys);
	struct iommusim_dma_config parts = { .domain = rig->domain,
		                             .iova = rig->iova,
		                             .source = &source };
	struct iommusim_dma *copy = NULL;

	source.split_page = NULL;
	assert_err(iommusim_dma_fork(rig->dma, &parts, &copy), IOMMUSIM_EINVAL);
	parts.source = NULL;
	assert_err(iommusim_dma_fork(rig->dma, &parts, &copy), IOMMUSIM_EINVAL);
	assert_null(copy);
	finish(rig);
}

static void a_zeroed_buffer_may_be_freed(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_dma_buffer buffer = { 0 };

	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	iommusim_dma_destroy(NULL);
	finish(rig);
}

static void parts_that_do_not_fit_are_refused(void **state)
{
	struct rig_config config = { .pgsizes = S_64K };
	struct rig *rig = given_parts(&config);
	struct iommusim_iova *right = rig->iova;
	struct iommusim_iova_config wrong = { .size = sizeof(wrong), .granule_lg2 = 21 };

	config.dma.page_shift = 11;
	assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	config.dma.page_shift = 16;
	config.dma.nr_orders = 15;
	assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	config.dma.nr_orders = 0;
	config.kernel = IOMMUSIM_KERNEL(4, 3);
	assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	config.kernel = 0;
	assert_ok(iommusim_iova_create(&wrong, &rig->iova));
	assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	iommusim_iova_destroy(rig->iova);
	rig->iova = right;
	assert_ok(create_device(rig, &config));
	finish(rig);
}

static void settings_out_of_range_are_refused(void **state)
{
	static const struct iommusim_dma_config wrong[] = {
		{ .max_seg_size = UINT64_C(1) << 32 },
		{ .seg_boundary = 0x1001 },
		{ .min_align_mask = 0x100 },
		{ .kmalloc_align = 3 },
		{ .invalidation = (enum iommusim_invalidation)3 },
		{ .mode = (enum iommusim_domain_mode)3 },
	};
	struct rig_config config = { .pgsizes = S_4K_2M };
	struct rig *rig = given_parts(&config);

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		config.dma = wrong[i];
		assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	}
	finish(rig);
}

/* The CPU goes offline between map and unmap: its range goes to the tree, where it can be had. */
static void a_range_outlives_its_cpu(void **state)
{
	struct rig *rig = given_rig(
		&(struct rig_config){ .pgsizes = S_4K_2M, .iova_cpus = 2, .dma.nr_cpus = 2 });
	struct iommusim_dma_mapping m = { .pa = SZ_1G, .size = SZ_4K }, n = m;

	assert_ok(iommusim_dma_set_cpu(rig->dma, 1));
	assert_ok(iommusim_dma_map_page(rig->dma, &m));
	assert_ok(iommusim_iova_set_online(rig->iova, 1, 0));
	assert_ok(iommusim_dma_unmap_page(rig->dma, &m));
	assert_int_equal(iommusim_iova_nr_ranges(rig->iova), 0);
	assert_err(iommusim_dma_map_page(rig->dma, &n), IOMMUSIM_EINVAL);
	assert_ok(iommusim_dma_set_cpu(rig->dma, 0));
	assert_ok(iommusim_dma_map_page(rig->dma, &n));
	assert_int_equal(n.dma_addr, m.dma_addr);
	assert_ok(iommusim_dma_unmap_page(rig->dma, &n));
	assert_untouched(rig);
	finish(rig);
}

/* A policy of one's own that plans more bytes than pages. */
static int plan_too_much(const struct iommusim_policy *policy,
                         const struct iommusim_chunk_request *req, struct iommusim_chunk_plan *plan)
{
	plan->size = req->size;
	plan->count = req->size / SZ_4K - 1;
	return 0;
}

static int alloc_singles(const struct iommusim_policy *policy,
                         const struct iommusim_chunk_request *req,
                         const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = 0;

	for (uint64_t i = 0; !err && i < plan->count; i++)
		err = iommusim_chunk_get(run, 0, req->gfp);
	return err;
}

static void a_policy_with_too_few_pages_is_found_out(void **state)
{
	static const struct iommusim_policy policy = { .size = sizeof(policy),
		                                       .name = "too few",
		                                       .plan = plan_too_much,
		                                       .alloc = alloc_singles };
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_dma_request req = request_of(&policy, 4 * SZ_4K);
	struct iommusim_dma_buffer buffer;

	assert_err(iommusim_dma_alloc_chunks(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	assert_non_null(strstr(iommusim_dma_error(rig->dma), "12288 of 16384"));
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	req.size = SZ_4K; /* not a single one */
	assert_err(iommusim_dma_alloc_chunks(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* The loop of each release, told by its attempts for 2049 pages of a fine bitmap. */
static const struct kernel_row {
	const char *name;
	unsigned kernel;
	uint64_t want_attempts; /* P1: 11 10 10 0; P2: the same; 4.7: the same; 6.4: no order 11 */
	uint64_t want_order_11;
} kernel_rows[] = {
	{ "4.4 asks for order 11 and fails", IOMMUSIM_KERNEL(4, 4), 4, 1 },
	{ "4.6 asks for order 11 and fails", IOMMUSIM_KERNEL(4, 6), 4, 1 },
	{ "6.1 asks for order 11 and fails", KERNEL_6_1, 4, 1 },
	{ "6.4 does not", IOMMUSIM_KERNEL(6, 4), 3, 0 },
	{ "6.12 does not", KERNEL_6_12, 3, 0 },
};

static void uses_the_loop_of_its_release(void **state)
{
	const struct kernel_row *r = *state;
	struct rig *rig = given_rig(&(struct rig_config){
		.kernel = r->kernel, .pgsizes = UINT64_C(0xfffff000), .frames = 8192 });
	struct iommusim_dma_request req = request_of(NULL, 2049 * SZ_4K);
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.chunks.nr_attempts, r->want_attempts);
	assert_int_equal(buffer.chunks.nr_tried[11], r->want_order_11);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	finish(rig);
}

/* 6.1 holds the device against the aperture when it sets it up, 6.12 leaves it to each request. */
static void a_device_that_ends_below_the_aperture(void **state)
{
	struct rig_config config = { .kernel = IOMMUSIM_KERNEL(6, 1),
		                     .pgsizes = S_4K_2M,
		                     .iova_start = 0x100000,
		                     .dma = { .aperture_start = 4 * SZ_1G,
		                              .aperture_last = 8 * SZ_1G - 1 } };
	struct rig *rig = given_parts(&config);
	struct iommusim_dma_request req = request_of(NULL, SZ_4K);
	struct iommusim_dma_buffer buffer;

	assert_err(create_device(rig, &config), IOMMUSIM_EFAULT);
	config.dma.coherent_mask = UINT64_MAX;
	config.dma.bus_limit = 4 * SZ_1G - 1;
	assert_err(create_device(rig, &config), IOMMUSIM_EFAULT);
	config.kernel = IOMMUSIM_KERNEL(6, 12);
	assert_ok(create_device(rig, &config));
	assert_err(iommusim_dma_alloc_chunks(rig->dma, &req, &buffer), IOMMUSIM_ENOMEM);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_IOVA);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	iommusim_dma_destroy(rig->dma);
	config.kernel = IOMMUSIM_KERNEL(6, 1);
	config.dma.bus_limit = 0;
	assert_ok(create_device(rig, &config));
	assert_ok(iommusim_dma_alloc_chunks(rig->dma, &req, &buffer));
	assert_int_equal(buffer.dma_addr, 8 * SZ_1G - SZ_4K);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	finish(rig);
}

static void an_aperture_that_ends_before_it_starts_is_refused(void **state)
{
	struct rig_config config = { .pgsizes = S_4K_2M,
		                     .dma = { .aperture_start = SZ_2M, .aperture_last = SZ_1M } };
	struct rig *rig = given_parts(&config);

	assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	finish(rig);
}

int main(void)
{
	struct CMUnitTest tests[9 + ARRAY_LEN(kernel_rows)] = {
		cmocka_unit_test(attributes_and_compound_pages_are_refused_at_the_door),
		cmocka_unit_test(a_page_source_must_be_whole),
		cmocka_unit_test(a_zeroed_buffer_may_be_freed),
		cmocka_unit_test(parts_that_do_not_fit_are_refused),
		cmocka_unit_test(a_device_that_ends_below_the_aperture),
		cmocka_unit_test(an_aperture_that_ends_before_it_starts_is_refused),
		cmocka_unit_test(settings_out_of_range_are_refused),
		cmocka_unit_test(a_range_outlives_its_cpu),
		cmocka_unit_test(a_policy_with_too_few_pages_is_found_out),
	};

	for (size_t i = 0; i < ARRAY_LEN(kernel_rows); i++)
		tests[9 + i] =
			(struct CMUnitTest)TEST_ROW(uses_the_loop_of_its_release, &kernel_rows[i]);
	return RUN_TESTS(tests);
}
