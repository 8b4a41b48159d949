/* SPDX-License-Identifier: MIT */
/* A policy of one's own: what the runner does for it, and what it does not let it get away with. */
#include "toy.h"

static struct iommusim_chunk_job job_for(const struct iommusim_policy *policy,
                                         const struct iommusim_page_source *source)
{
	struct iommusim_chunk_job job = { .policy = policy,
		                          .req = { .size = 16 * SZ_4K,
		                                   .pgsizes = SZ_4K,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = IOMMUSIM_GFP_KERNEL,
		                                   .node = -1 },
		                          .source = source };

	return job;
}

/* Run @alloc on "@blocks" free; everything must be given back but on success. */
static int run(int (*alloc)(const struct iommusim_policy *, const struct iommusim_chunk_request *,
                            const struct iommusim_chunk_plan *, struct iommusim_chunk_run *),
               const char *blocks, uint64_t *in_use)
{
	struct iommusim_policy policy = { .size = sizeof(policy), .name = "mine", .alloc = alloc };
	struct toy *toy = given_toy(blocks);
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = job_for(&policy, &source);
	struct iommusim_chunks chunks;
	int err = iommusim_chunk_alloc(&job, &chunks);

	*in_use = toy->in_use;
	iommusim_chunks_finish(&chunks);
	free(toy);
	return err;
}

static int order_2_only(const struct iommusim_policy *policy,
                        const struct iommusim_chunk_request *req,
                        const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = 0;

	for (uint64_t left = plan->count; !err && left; left -= left < 4 ? left : 4)
		err = iommusim_chunk_get(run, 2, req->gfp);
	return err;
}

static void ten_lines_make_a_policy(void **state)
{
	uint64_t in_use;

	assert_ok(run(order_2_only, "4x2", &in_use));
	assert_int_equal(in_use, 16);
	assert_err(run(order_2_only, "2x3", &in_use), IOMMUSIM_ENOMEM);
	assert_int_equal(in_use, 0);
}

static int too_few(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
                   const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	return iommusim_chunk_get(run, 3, req->gfp);
}

static int too_many(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
                    const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	return iommusim_chunk_get(run, 5, req->gfp);
}

static int forgets_a_block(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = iommusim_chunk_get(run, 4, req->gfp);

	return err ? err : iommusim_chunk_try(run, 4, req->gfp, NULL);
}

static int tries_again_without_deciding(const struct iommusim_policy *policy,
                                        const struct iommusim_chunk_request *req,
                                        const struct iommusim_chunk_plan *plan,
                                        struct iommusim_chunk_run *run)
{
	int err = iommusim_chunk_try(run, 3, req->gfp, NULL);

	return err ? err : iommusim_chunk_try(run, 3, req->gfp, NULL);
}

static int keeps_nothing(const struct iommusim_policy *policy,
                         const struct iommusim_chunk_request *req,
                         const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	return iommusim_chunk_keep(run);
}

static void a_policy_that_gets_it_wrong_keeps_nothing(void **state)
{
	uint64_t in_use;

	assert_err(run(too_few, "5x2", &in_use), IOMMUSIM_EINVAL);
	assert_int_equal(in_use, 0);
	assert_err(run(too_many, "5x2", &in_use), IOMMUSIM_EINVAL);
	assert_int_equal(in_use, 0);
	assert_err(run(forgets_a_block, "5x2", &in_use), IOMMUSIM_EINVAL);
	assert_int_equal(in_use, 0);
	assert_err(run(tries_again_without_deciding, "5x2", &in_use), IOMMUSIM_EINVAL);
	assert_int_equal(in_use, 0);
	assert_err(run(keeps_nothing, "5x2", &in_use), IOMMUSIM_EINVAL);
	assert_int_equal(in_use, 0);
}

static int drops_the_first(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = iommusim_chunk_try(run, 4, req->gfp, NULL);

	if (!err)
		err = iommusim_chunk_drop(run);
	return err ? err : iommusim_chunk_get(run, 4, req->gfp);
}

static void a_block_may_be_dropped(void **state)
{
	uint64_t in_use;

	assert_ok(run(drops_the_first, "4x2", &in_use));
	assert_int_equal(in_use, 16);
}

/* Compound pages before 5.10: freed again at each order, and after order 1 used though freed. */
static int splits_huge(void *ctx, iommusim_pfn pfn, unsigned order)
{
	return 0;
}

static void a_source_that_splits_compound_pages_is_asked_to(void **state)
{
	struct toy *toy = given_toy("4x4");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = job_for(&iommusim_policy_dma_iommu_4_5, &source);
	struct iommusim_chunks chunks;

	source.split_huge_page = splits_huge;
	job.req.gfp |= IOMMUSIM_GFP_BIT_COMP;
	assert_ok(iommusim_chunk_alloc(&job, &chunks));
	assert_string_equal(chunks_text(&chunks), "4");
	iommusim_chunks_finish(&chunks);
	free(toy);
}

/* 16 pages with COMP, which no source can split. */
static const struct compound {
	const char *name, *policy;
	uint64_t pgsizes;
	const char *attempts;
	int err;
	uint32_t findings, dropped;
} compounds[] = {
	{ "4.4: steps down to a freed block", "P1", SZ_4K, "4:R:ok 3:R:ok 2:R:ok 1:R:ok",
	  IOMMUSIM_EBUG, IOMMUSIM_FINDING_STALE_BLOCK, 0 },
	{ "4.5: the same", "P2", SZ_4K, "4:R:ok 3:R:ok 2:R:ok 1:R:ok", IOMMUSIM_EBUG,
	  IOMMUSIM_FINDING_STALE_BLOCK, 0 },
	{ "4.7: order 4 leaves the mask", "P4", SZ_4K | SZ_64K, "4:R:ok 0:-:okx16", 0, 0, 0 },
	{ "4.7: nothing is left in the mask", "P4", SZ_64K, "4:-:ok", IOMMUSIM_EBUG,
	  IOMMUSIM_FINDING_STALE_BLOCK, 0 },
	{ "5.10: COMP is dropped", "P4b", SZ_64K, "4:-:ok", 0, 0, IOMMUSIM_GFP_BIT_COMP },
	{ "arch/arm: COMP is dropped", "A4", SZ_4K, "4:R:ok", 0, 0, IOMMUSIM_GFP_BIT_COMP },
};

static void compound_blocks_are_not_split(void **state)
{
	const struct compound *c = *state;
	struct toy *toy = given_toy("4x5 0x16");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = job_for(iommusim_policy_find(c->policy), &source);
	uint32_t base = IOMMUSIM_GFP_BIT_NOWARN | IOMMUSIM_GFP_BIT_HIGHMEM;
	struct iommusim_chunks chunks;

	job.req.gfp |= IOMMUSIM_GFP_BIT_COMP;
	job.req.pgsizes = c->pgsizes;
	assert_err(iommusim_chunk_alloc(&job, &chunks), c->err);
	assert_string_equal(attempts_text(&chunks, (job.req.gfp | base) & ~c->dropped),
	                    c->attempts);
	assert_int_equal(chunks.findings, c->findings);
	assert_int_equal(toy->in_use, c->err ? 0 : 16);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

static void a_source_that_fails_ends_the_request(void **state)
{
	struct toy *toy = given_toy("2x8");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = job_for(&iommusim_policy_dma_iommu_4_5, &source);
	struct iommusim_chunks chunks;

	toy->fail_from = 3;
	assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_EHOST);
	assert_int_equal(toy->in_use, 0);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

/*
 * Holds two blocks at once, gives one of them back after it was split, and hands the other over in
 * two pieces, the upper one first.
 */
static int keeps_its_own_books(const struct iommusim_policy *policy,
                               const struct iommusim_chunk_request *req,
                               const struct iommusim_chunk_plan *plan,
                               struct iommusim_chunk_run *run)
{
	struct iommusim_chunk half = { .order = 3, .is_split = 1 };
	iommusim_pfn block[2] = { 0, 0 };
	int err = iommusim_chunk_take(run, 4, req->gfp, &block[0]), taken;

	if (err)
		return err;
	taken = err = iommusim_chunk_take(run, 1, req->gfp, &block[1]);
	if (!err)
		err = iommusim_chunk_split(run, block[1], 1, 0);
	for (unsigned i = 0; !err && i < 2; i++)
		err = iommusim_chunk_give_back(run, block[1] + i, 0);
	if (iommusim_chunk_split(run, block[0], 4, 1) == -IOMMUSIM_EINVAL && !err)
		err = iommusim_chunk_split(run, block[0], 4, 0);
	half.pfn = block[0] + 8;
	if (!err)
		err = iommusim_chunk_append(run, &half);
	half.pfn = block[0];
	if (!err && iommusim_chunk_append(run, &half)) { /* this one is still its own */
		iommusim_chunk_give_back(run, half.pfn, 3);
		return -IOMMUSIM_EHOST;
	}
	if (err)
		iommusim_chunk_give_back(run, block[0], 4);
	if (err && !taken)
		iommusim_chunk_give_back(run, block[1], 1);
	iommusim_chunk_tell(run, IOMMUSIM_FINDING_WARN, "says\nso");
	iommusim_chunk_tell(run, IOMMUSIM_FINDING_BUG, "and this");
	return err;
}

static void a_policy_may_keep_its_own_books(void **state)
{
	struct iommusim_policy policy = { .size = sizeof(policy),
		                          .name = "books",
		                          .alloc = keeps_its_own_books };
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct toy *toy = given_toy("4x1 1x1");
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_page_source source = toy_source(toy);
		struct iommusim_chunk_job job = job_for(&policy, &source);
		struct iommusim_chunks chunks;

		job.host = &host;
		err = iommusim_chunk_alloc(&job, &chunks);
		assert_int_equal(toy->in_use, err ? 0 : 16);
		if (err)
			assert_err(err, IOMMUSIM_EHOST);
		if (!err) {
			assert_string_equal(attempts_text(&chunks, job.req.gfp), "4:-:ok 1:-:ok");
			assert_string_equal(chunks_text(&chunks), "3x2");
			assert_int_equal(chunks.chunk[0].pfn, chunks.chunk[1].pfn + 8);
			assert_int_equal(chunks.nr_freed, 0);
			assert_int_equal(chunks.findings,
			                 IOMMUSIM_FINDING_WARN | IOMMUSIM_FINDING_BUG);
			assert_string_equal(chunks.told, "says?so");
		}
		iommusim_chunks_finish(&chunks);
		assert_int_equal(fault.nr_live, 0);
		free(toy);
	}
}

static void the_host_may_fail_at_any_allocation(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct toy *toy = given_toy("0x64");
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_page_source source = toy_source(toy);
		struct iommusim_chunk_job job = job_for(&iommusim_policy_dma_iommu_4_4, &source);
		struct iommusim_chunks chunks;

		job.host = &host;
		err = iommusim_chunk_alloc(&job, &chunks);
		if (err)
			assert_err(err, IOMMUSIM_EHOST);
		assert_int_equal(toy->in_use, err ? 0 : 16);
		iommusim_chunks_finish(&chunks);
		assert_int_equal(fault.nr_live, 0);
		free(toy);
	}
}

static void requests_that_make_no_sense_are_refused(void **state)
{
	struct toy *toy = given_toy("0x4");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job good = job_for(&iommusim_policy_dma_iommu_6_4, &source), bad;
	struct iommusim_chunks chunks;

	bad = good;
	bad.req.size = 0;
	assert_err(iommusim_chunk_alloc(&bad, &chunks), IOMMUSIM_EINVAL);
	bad = good;
	bad.req.pgsizes = SZ_64K;
	bad.req.size = UINT64_MAX;
	assert_err(iommusim_chunk_alloc(&bad, &chunks), IOMMUSIM_EINVAL);
	bad = good;
	bad.req.page_shift = 11;
	assert_err(iommusim_chunk_alloc(&bad, &chunks), IOMMUSIM_EINVAL);
	assert_int_equal(chunks.nr_attempts, 0);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

static int far_beyond(const struct iommusim_policy *policy,
                      const struct iommusim_chunk_request *req,
                      const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	for (unsigned order = 14; order < 64; order++)
		assert_err(iommusim_chunk_try(run, order, req->gfp, NULL), IOMMUSIM_ENOMEM);
	assert_err(iommusim_chunk_try(run, 64, req->gfp, NULL), IOMMUSIM_EINVAL);
	return -IOMMUSIM_ENOMEM;
}

static void orders_without_a_counter_share_the_last(void **state)
{
	struct iommusim_policy policy = { .size = sizeof(policy), .alloc = far_beyond };
	struct toy *toy = given_toy("4x2");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = job_for(&policy, &source);
	struct iommusim_chunks chunks;

	assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_EINVAL); /* order 64 */
	assert_int_equal(chunks.nr_attempts, 50);
	assert_int_equal(chunks.nr_tried[14], 1);
	assert_int_equal(chunks.nr_tried[IOMMUSIM_MAX_ORDERS + 1], 49);
	assert_int_equal(chunks.nr_failed[IOMMUSIM_MAX_ORDERS + 1], 49);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

/* The last line that was logged. */
static char logged[256];

static void keep_line(void *ctx, const char *line)
{
	snprintf(logged, sizeof(logged), "%s", line);
}

static int nothing(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
                   const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	return 0;
}

static void a_policy_needs_no_name(void **state)
{
	struct iommusim_policy policy = { .size = sizeof(policy), .alloc = nothing };
	struct iommusim_host host = { .size = sizeof(host), .log = keep_line };
	struct toy *toy = given_toy("4x2");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = job_for(&policy, &source);
	struct iommusim_chunks chunks;

	job.host = &host;
	assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_EINVAL);
	assert_non_null(strstr(logged, "policy without a name got 0 of 16 pages"));
	iommusim_chunks_finish(&chunks);
	free(toy);
}

static void policies_are_found_by_name_and_alias(void **state)
{
	size_t nr = 0;

	for (; iommusim_policy_at(nr); nr++) {
		const struct iommusim_policy *policy = iommusim_policy_at(nr);

		assert_ptr_equal(iommusim_policy_find(policy->name), policy);
		assert_ptr_equal(iommusim_policy_find(policy->alias), policy);
		assert_true(strlen(policy->kernels) && strlen(policy->source) &&
		            strlen(policy->summary) && strlen(policy->family) &&
		            strlen(policy->quirks));
		for (size_t i = 0; i < nr; i++)
			assert_string_not_equal(iommusim_policy_at(i)->alias, policy->alias);
	}
	assert_int_equal(nr, 28);
	assert_null(iommusim_policy_find("P7"));
}

static void each_release_has_its_policy(void **state)
{
	static const struct {
		unsigned kernel;
		const char *alias;
	} rows[] = {
		{ IOMMUSIM_KERNEL(4, 4), "P1" },  { IOMMUSIM_KERNEL(4, 5), "P2" },
		{ IOMMUSIM_KERNEL(4, 6), "P2" },  { IOMMUSIM_KERNEL(4, 7), "P4" },
		{ IOMMUSIM_KERNEL(5, 9), "P4" },  { IOMMUSIM_KERNEL(5, 10), "P4b" },
		{ IOMMUSIM_KERNEL(6, 3), "P4b" }, { IOMMUSIM_KERNEL(6, 4), "P5" },
		{ IOMMUSIM_KERNEL(6, 12), "P5" },
	};

	(void)state;
	assert_null(iommusim_policy_of_kernel(IOMMUSIM_KERNEL(4, 3)));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(iommusim_policy_of_kernel(rows[i].kernel)->alias,
		                    rows[i].alias);
}

static void a_policy_for_one_largest_order_is_not_asked_for_another(void **state)
{
	struct iommusim_policy policy = {
		.size = sizeof(policy), .name = "mine", .alloc = order_2_only, .only_order = 10
	};
	struct toy *toy = given_toy("4x2");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = job_for(&policy, &source);
	struct iommusim_host host = { .size = sizeof(host), .log = keep_line };
	struct iommusim_chunks chunks;

	(void)state;
	job.host = &host;
	assert_ok(iommusim_chunk_alloc(&job, &chunks));
	iommusim_chunk_free(&chunks, &source);
	iommusim_chunks_finish(&chunks);
	job.req.max_order = 11;
	assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_EINVAL);
	assert_non_null(strstr(logged, "policy mine is for a largest order of 10 only, not 11"));
	assert_int_equal(chunks.nr_attempts, 0);
	assert_int_equal(toy->in_use, 0);
	free(toy);
}

int main(void)
{
	struct CMUnitTest tests[13 + ARRAY_LEN(compounds)] = {
		cmocka_unit_test(ten_lines_make_a_policy),
		cmocka_unit_test(a_policy_that_gets_it_wrong_keeps_nothing),
		cmocka_unit_test(a_block_may_be_dropped),
		cmocka_unit_test(a_source_that_splits_compound_pages_is_asked_to),
		cmocka_unit_test(a_source_that_fails_ends_the_request),
		cmocka_unit_test(a_policy_may_keep_its_own_books),
		cmocka_unit_test(the_host_may_fail_at_any_allocation),
		cmocka_unit_test(requests_that_make_no_sense_are_refused),
		cmocka_unit_test(orders_without_a_counter_share_the_last),
		cmocka_unit_test(a_policy_needs_no_name),
		cmocka_unit_test(policies_are_found_by_name_and_alias),
		cmocka_unit_test(each_release_has_its_policy),
		cmocka_unit_test(a_policy_for_one_largest_order_is_not_asked_for_another),
	};

	for (size_t i = 0; i < ARRAY_LEN(compounds); i++)
		tests[13 + i] =
			(struct CMUnitTest)TEST_ROW(compound_blocks_are_not_split, &compounds[i]);
	return RUN_TESTS(tests);
}
