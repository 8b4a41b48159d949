/* SPDX-License-Identifier: MIT */
/* A granule above the CPU page: who refuses it, what each loop makes of it, what 2021 proposed. */
#include <stdio.h>

#include "rig.h"

#define S_64K    (SZ_64K | SZ_512M)
#define EXTENDED IOMMUSIM_DOMAIN_EXTENDED
#define PROPOSAL IOMMUSIM_DOMAIN_PROPOSAL_2021

static const struct rule_row {
	const char *name;
	enum iommusim_granule_user user;
	unsigned kernel;
	int exists, want;
	const char *check;
} rule_rows[] = {
	{ "the DMA API of 4.4", IOMMUSIM_GRANULE_DMA, IOMMUSIM_KERNEL(4, 4), 1, IOMMUSIM_EBUG,
	  "init_iova_domain()" },
	{ "the DMA API of 6.12", IOMMUSIM_GRANULE_DMA, 0, 1, IOMMUSIM_EBUG, "init_iova_domain()" },
	{ "DART before there was a driver", IOMMUSIM_GRANULE_DART, IOMMUSIM_KERNEL(5, 14), 0, 0,
	  "" },
	{ "DART", IOMMUSIM_GRANULE_DART, KERNEL_6_1, 1, IOMMUSIM_EINVAL,
	  "apple_dart_attach_dev()" },
	{ "iommufd before it was there", IOMMUSIM_GRANULE_IOMMUFD, KERNEL_6_1, 0, 0, "" },
	{ "iommufd", IOMMUSIM_GRANULE_IOMMUFD, KERNEL_6_12, 1, IOMMUSIM_EINVAL,
	  "iopt_table_add_domain()" },
	{ "VFIO", IOMMUSIM_GRANULE_VFIO, KERNEL_6_1, 1, 0, "vfio_dma_do_map()" },
	{ "a driver of its own", IOMMUSIM_GRANULE_UNMANAGED, 0, 1, 0, "iommu_map()" },
	{ "the proposal", IOMMUSIM_GRANULE_PROPOSAL, 0, 1, IOMMUSIM_EFAULT,
	  "iommu_check_page_size()" },
	{ "nobody", IOMMUSIM_NR_GRANULE_USERS, 0, 0, 0, "" },
	{ "a kernel that is not known", IOMMUSIM_GRANULE_DMA, 1, 0, 0, "" },
};

static void meets_this_rule(void **state)
{
	const struct rule_row *r = *state;
	const struct iommusim_granule_rule *rule = iommusim_granule_rule(r->user, r->kernel);

	assert_int_equal(rule != NULL, r->exists);
	if (!rule)
		return;
	assert_err(rule->err, r->want);
	assert_string_equal(rule->check, r->check);
	assert_true(strlen(rule->effect) > 10);
}

/* ---- Devices ---- */

static const struct device_row {
	const char *name;
	unsigned kernel;
	enum iommusim_domain_mode mode;
	unsigned is_untrusted;
	int want;
	const char *said;
} device_rows[] = {
	{ "4.4 hits a BUG()", IOMMUSIM_KERNEL(4, 4), IOMMUSIM_DOMAIN_STRICT, 0, IOMMUSIM_EBUG,
	  "init_iova_domain(): granule 2^16 is above the CPU page 2^12: the kernel stops with "
	  "BUG()" },
	{ "6.1 hits a BUG()", KERNEL_6_1, IOMMUSIM_DOMAIN_STRICT, 0, IOMMUSIM_EBUG,
	  "init_iova_domain(): granule 2^16 is above the CPU page 2^12: the kernel stops with "
	  "BUG()" },
	{ "6.12 hits a BUG()", KERNEL_6_12, IOMMUSIM_DOMAIN_STRICT, 0, IOMMUSIM_EBUG,
	  "init_iova_domain(): granule 2^16 is above the CPU page 2^12: the kernel stops with "
	  "BUG()" },
	{ "an unmanaged domain does not ask", 0, EXTENDED, 1, 0, "" },
	{ "the proposal takes trusted devices", 0, PROPOSAL, 0, 0, "" },
	{ "the proposal refuses others", 0, PROPOSAL, 1, IOMMUSIM_EFAULT,
	  "iommu_check_page_size(): granule 2^16 is above the CPU page 2^12: accepted for trusted "
	  "devices only: granules hold foreign memory" },
};

static void keep_line(void *ctx, const char *line)
{
	snprintf(ctx, 200, "%s", line);
}

static void is_created_or_not(void **state)
{
	const struct device_row *r = *state;
	char said[200] = "";
	struct iommusim_host host = { .size = sizeof(host), .log = keep_line, .log_ctx = said };
	struct rig_config config = { .kernel = r->kernel,
		                     .pgsizes = S_64K,
		                     .host = &host,
		                     .dma = { .mode = r->mode, .is_untrusted = r->is_untrusted } };
	struct rig *rig = given_parts(&config);

	assert_err(create_device(rig, &config), r->want);
	assert_string_equal(said, r->said);
	assert_untouched(rig);
	finish(rig);
}

/* ---- What each loop makes of it, where it is accepted ---- */

static const struct loop_row {
	const char *name;
	const struct iommusim_policy *policy;
	uint64_t pgsizes, size;
	int is_fragmented; /* no two free pages adjoin */
	int want;
	enum iommusim_dma_step want_step;
	size_t want_attempts;
	uint64_t want_bytes;
} loop_rows[] = {
	{ "4.5, 64K, in single pages: the map refuses", &iommusim_policy_dma_iommu_4_5, S_64K,
	  SZ_64K, 1, IOMMUSIM_EINVAL, IOMMUSIM_DMA_MAP, 20, 0 },
	{ "4.5, 64K, unfragmented: works", &iommusim_policy_dma_iommu_4_5, S_64K, SZ_64K, 0, 0,
	  IOMMUSIM_DMA_DONE, 1, SZ_64K },
	{ "the patch of 2016, 64K: the map refuses", &iommusim_policy_single_pages_patch, S_64K,
	  SZ_64K, 1, IOMMUSIM_EINVAL, IOMMUSIM_DMA_MAP, 16, 0 },
	{ "4.7, 64K, in single pages: no memory after one attempt", &iommusim_policy_dma_iommu_4_7,
	  S_64K, SZ_64K, 1, IOMMUSIM_ENOMEM, IOMMUSIM_DMA_PAGES, 1, 0 },
	{ "4.7, 12K, unfragmented: rounded to 64K", &iommusim_policy_dma_iommu_4_7, S_64K,
	  3 * SZ_4K, 0, 0, IOMMUSIM_DMA_DONE, 1, SZ_64K },
	{ "6.4, 2M granule, 12K: a whole 2M", &iommusim_policy_dma_iommu_6_4, SZ_2M, 3 * SZ_4K, 0,
	  0, IOMMUSIM_DMA_DONE, 1, SZ_2M },
	{ "6.4, 2M granule, in single pages", &iommusim_policy_dma_iommu_6_4, SZ_2M, 3 * SZ_4K, 1,
	  IOMMUSIM_ENOMEM, IOMMUSIM_DMA_PAGES, 1, 0 },
	{ "4.5, 2M granule, a multiple of it", &iommusim_policy_dma_iommu_4_5, SZ_2M, SZ_2M, 0, 0,
	  IOMMUSIM_DMA_DONE, 1, SZ_2M },
	{ "4.5, 2M granule, 12K: the list is shorter than the size", &iommusim_policy_dma_iommu_4_5,
	  SZ_2M, 3 * SZ_4K, 0, IOMMUSIM_EINVAL, IOMMUSIM_DMA_MAP, 2, 0 },
};

static void ends_this_way(void **state)
{
	const struct loop_row *r = *state;
	struct rig *rig =
		given_rig(&(struct rig_config){ .pgsizes = r->pgsizes, .dma.mode = EXTENDED });
	struct iommusim_dma_request req = request_of(r->policy, r->size);
	struct iommusim_dma_buffer buffer;

	if (r->policy == &iommusim_policy_single_pages_patch)
		req.attrs = IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES;
	if (r->is_fragmented)
		fragment(rig);
	assert_err(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer), r->want);
	assert_int_equal(buffer.failed, r->want_step);
	assert_int_equal(buffer.chunks.nr_attempts, r->want_attempts);
	assert_int_equal(r->want ? 0 : buffer.size, r->want_bytes);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* ---- The proposal ---- */

/* What it does below a granule: pages only, in one block. */
static int plan_pages(const struct iommusim_policy *policy,
                      const struct iommusim_chunk_request *req, struct iommusim_chunk_plan *plan)
{
	plan->count = (req->size + (UINT64_C(1) << req->page_shift) - 1) >> req->page_shift;
	plan->size = plan->count << req->page_shift;
	return 0;
}

/* Blocks of two pages, then single ones. */
static int alloc_pairs(const struct iommusim_policy *policy,
                       const struct iommusim_chunk_request *req,
                       const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	uint64_t left = plan->count;
	int err = 0;

	while (!err && left) {
		err = iommusim_chunk_get(run, left > 1, req->gfp);
		left -= left > 1 ? 2 : 1;
	}
	return err;
}

static const struct iommusim_policy pairs = {
	.size = sizeof(pairs), .name = "pairs", .plan = plan_pages, .alloc = alloc_pairs
};

/* Of every four pages only the first two are free. */
static void fragment_pairs(struct rig *rig)
{
	struct iommusim_page_request req = { .gfp = IOMMUSIM_GFP_KERNEL, .node = -1 };
	struct iommusim_page_block block;
	uint64_t first = 1 << 20, nr = 0;

	while (!iommusim_phys_alloc(rig->phys, &req, &block))
		nr++;
	for (uint64_t i = 0; i < nr; i++)
		if (i % 4 < 2)
			assert_ok(iommusim_phys_free(rig->phys, first + i, 0));
	note_free(rig);
}

/* 8K of a 16K granule: the granule is mapped whole, and the address is as far into it. */
static void a_buffer_below_the_granule_drags_it_along(void **state)
{
	struct rig *rig =
		given_rig(&(struct rig_config){ .pgsizes = SZ_16K | SZ_32M, .dma.mode = PROPOSAL });
	struct iommusim_dma_request req = request_of(&pairs, 2 * SZ_4K);
	struct iommusim_dma_buffer one, two;
	struct iommusim_mapped_range range;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &one));
	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &two));
	assert_int_equal(one.dma_addr & (SZ_16K - 1), one.sg[0].pa & (SZ_16K - 1));
	assert_int_equal(two.dma_addr & (SZ_16K - 1), two.sg[0].pa & (SZ_16K - 1));
	assert_int_not_equal(one.dma_addr & (SZ_16K - 1), two.dma_addr & (SZ_16K - 1));
	assert_int_equal(one.sg[0].size, 2 * SZ_4K);
	/* Both share a granule of memory, which the device reaches at two addresses. */
	assert_int_equal(one.sg[0].pa / SZ_16K, two.sg[0].pa / SZ_16K);
	assert_int_equal(iommusim_recorder_next(rig->recorder, 0, &range), 1);
	assert_int_equal(range.size, SZ_16K);
	shadow_hold_buffer(&rig->shadow, &one);
	shadow_hold_buffer(&rig->shadow, &two);
	shadow_check(&rig->shadow, rig->recorder);
	shadow_drop(&rig->shadow, one.dma_addr, SZ_16K);
	shadow_drop(&rig->shadow, two.dma_addr, SZ_16K);
	rig->shadow.is_strict = 0; /* the pages of one are still in reach through the other */
	assert_ok(iommusim_dma_free(rig->dma, &one));
	assert_int_equal(rig->shadow.nr_given_early, 2);
	assert_ok(iommusim_dma_free(rig->dma, &two));
	assert_untouched(rig);
	finish(rig);
}

/* 24K of an 8K granule is three pairs; 20K is two and a page with a foreign one behind it. */
static void the_last_piece_is_rounded_up(void **state)
{
	struct rig *rig =
		given_rig(&(struct rig_config){ .pgsizes = 2 * SZ_4K, .dma.mode = PROPOSAL });
	struct iommusim_dma_request req = request_of(&pairs, 5 * SZ_4K);
	struct iommusim_dma_buffer buffer;
	uint64_t bytes = 0;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.size, 6 * SZ_4K);
	for (size_t i = 0; i < buffer.nr_sg; i++)
		bytes += buffer.sg[i].size;
	assert_int_equal(bytes, 5 * SZ_4K); /* the list is as it was */
	assert_int_not_equal(iommusim_domain_iova_to_phys(rig->domain, buffer.dma_addr + 5 * SZ_4K),
	                     0);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* The worked examples of its policy, by default: how the pages come, and what is mapped. */
static const struct proposal_row {
	const char *name;
	uint64_t size;
	uint64_t want_mapped; /* by iommu_map */
	uint64_t want_pages;
	size_t want_attempts;
} proposal_rows[] = {
	{ "P6-a: 20K are a granule and the head of another", 5 * SZ_4K, 2 * SZ_16K, 5, 2 },
	{ "P6-b: 12K are three pages of a block", 3 * SZ_4K, SZ_16K, 3, 1 },
	{ "P6-c: 8K are a block of two", 2 * SZ_4K, SZ_16K, 2, 1 },
	{ "a granule is a granule", SZ_16K, SZ_16K, 4, 1 },
};

static void is_mapped_by_the_proposal(void **state)
{
	const struct proposal_row *r = *state;
	struct rig *rig =
		given_rig(&(struct rig_config){ .pgsizes = SZ_16K, .dma.mode = PROPOSAL });
	struct iommusim_dma_request req = request_of(NULL, r->size);
	struct iommusim_dma_buffer buffer;
	struct iommusim_mapped_range range;
	uint64_t mapped = 0;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.chunks.nr_attempts, r->want_attempts);
	assert_int_equal(iommusim_phys_nr_free(rig->phys), 4096 - r->want_pages);
	for (uint64_t at = 0; iommusim_recorder_next(rig->recorder, at, &range);
	     at = range.iova + range.size)
		mapped += range.size;
	assert_int_equal(mapped, r->want_mapped);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, buffer.dma_addr),
	                 buffer.sg[0].pa);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* Pieces of it that are no granules cannot be mapped, by the proposal either. */
static void pieces_off_the_granule_are_refused(void **state)
{
	struct rig *rig =
		given_rig(&(struct rig_config){ .pgsizes = SZ_16K | SZ_32M, .dma.mode = PROPOSAL });
	struct iommusim_dma_request req = request_of(&pairs, 8 * SZ_4K);
	struct iommusim_dma_buffer buffer;

	fragment_pairs(rig);
	assert_err(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_MAP);
	assert_int_equal(buffer.nr_sg, 4);
	assert_int_equal(buffer.sg[3].size, 2 * SZ_4K);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* A driver with maps of its own may use it, in multiples of the granule. */
static void iommu_map_takes_multiples_of_the_granule(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_64K, .dma.mode = EXTENDED });
	struct iommusim_map map = { .iova = SZ_1M, .pa = SZ_2M, .size = SZ_4K, .prot = 3 };

	assert_err(iommusim_domain_map(rig->domain, &map), IOMMUSIM_EINVAL);
	map.size = SZ_64K;
	map.pa += SZ_4K;
	assert_err(iommusim_domain_map(rig->domain, &map), IOMMUSIM_EINVAL);
	map.pa = SZ_2M;
	assert_ok(iommusim_domain_map(rig->domain, &map));
	assert_int_equal(iommusim_domain_unmap(rig->domain, SZ_1M, SZ_4K), 0);
	assert_int_equal(iommusim_domain_unmap(rig->domain, SZ_1M, SZ_64K), SZ_64K);
	assert_untouched(rig);
	finish(rig);
}

int main(void)
{
	struct CMUnitTest tests[4 + ARRAY_LEN(proposal_rows) + ARRAY_LEN(rule_rows) +
	                        ARRAY_LEN(device_rows) + ARRAY_LEN(loop_rows)] = {
		cmocka_unit_test(a_buffer_below_the_granule_drags_it_along),
		cmocka_unit_test(the_last_piece_is_rounded_up),
		cmocka_unit_test(pieces_off_the_granule_are_refused),
		cmocka_unit_test(iommu_map_takes_multiples_of_the_granule),
	};
	size_t nr = 4;

	for (size_t i = 0; i < ARRAY_LEN(proposal_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(is_mapped_by_the_proposal, &proposal_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(rule_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(meets_this_rule, &rule_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(device_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_created_or_not, &device_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(loop_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(ends_this_way, &loop_rows[i]);
	return RUN_TESTS(tests);
}
