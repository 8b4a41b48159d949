/* SPDX-License-Identifier: MIT */
/* Buffers that are one contiguous range: whose area it is, how it is cut, how it goes back. */
#include "toy.h"

#define AREA 4096 /* its first frame */

/* Memory with an area of 2,048 pages, all else as after boot, and what was asked of the area. */
struct rig {
	struct iommusim_phys *phys;
	struct iommusim_page_source inner, source;
	uint64_t count, in_range; /* pages of the last request; held as ranges */
	unsigned align_order, nr_given_back;
	uint32_t gfp;
	int free_err; /* what giving back a range ends with */
};

static int rig_alloc(void *ctx, const struct iommusim_page_request *req,
                     struct iommusim_page_block *block)
{
	struct rig *rig = ctx;

	return rig->inner.alloc_pages(rig->phys, req, block);
}

static int rig_free(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct rig *rig = ctx;

	assert_false(pfn >= AREA && pfn < AREA + 2048); /* not page by page */
	return rig->inner.free_pages(rig->phys, pfn, order);
}

static int rig_split(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct rig *rig = ctx;

	return rig->inner.split_page(rig->phys, pfn, order);
}

static int rig_take(void *ctx, uint64_t count, unsigned align_order, uint32_t gfp,
                    iommusim_pfn *pfn)
{
	struct rig *rig = ctx;
	int err = rig->inner.alloc_contiguous(rig->phys, count, align_order, gfp, pfn);

	rig->count = count;
	rig->align_order = align_order;
	rig->gfp = gfp;
	rig->in_range += err ? 0 : count;
	return err;
}

static int rig_give_back(void *ctx, iommusim_pfn pfn, uint64_t count)
{
	struct rig *rig = ctx;
	int err = rig->free_err;

	if (!err)
		err = rig->inner.free_contiguous(rig->phys, pfn, count);
	rig->in_range -= err ? 0 : count;
	rig->nr_given_back += !err;
	return err;
}

static struct rig *given_area(void)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = 1024,
		                             .nr_frames = 8192 };
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .zones = &zone,
		                               .nr_zones = 1 };
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	assert_ok(iommusim_phys_create(&config, &rig->phys));
	assert_int_equal(iommusim_phys_cma_create(rig->phys, AREA, 2048), 0);
	rig->inner = iommusim_phys_source(rig->phys);
	rig->source = (struct iommusim_page_source){ .size = sizeof(rig->source),
		                                     .ctx = rig,
		                                     .alloc_pages = rig_alloc,
		                                     .free_pages = rig_free,
		                                     .split_page = rig_split,
		                                     .alloc_contiguous = rig_take,
		                                     .free_contiguous = rig_give_back };
	return rig;
}

/* All is free again. */
static void finish(struct rig *rig)
{
	assert_int_equal(rig->in_range, 0);
	assert_int_equal(iommusim_phys_nr_free(rig->phys), 8192);
	assert_ok(iommusim_phys_check(rig->phys));
	iommusim_phys_destroy(rig->phys);
	free(rig);
}

static struct iommusim_chunk_job job_for(const struct rig *rig,
                                         const struct iommusim_policy *policy, uint64_t pages)
{
	return (struct iommusim_chunk_job){ .policy = policy,
		                            .req = { .size = pages * SZ_4K,
		                                     .pgsizes = SZ_4K,
		                                     .page_shift = 12,
		                                     .max_order = 10,
		                                     .gfp = IOMMUSIM_GFP_KERNEL,
		                                     .attrs = IOMMUSIM_ATTR_FORCE_CONTIGUOUS,
		                                     .node = -1 },
		                            .source = &rig->source };
}

/* ---- arch/arm ---- */

static const struct row {
	const char *name, *policy;
	uint64_t pages;
	unsigned want_align;
	const char *want_chunks;
} rows[] = {
	{ "A1: one page is aligned to itself", "A1", 1, 0, "0" },
	{ "A2: three pages are aligned to four", "A2", 3, 2, "1 0" },
	{ "A3: four pages are aligned to four", "A3", 4, 2, "2" },
	{ "A4: 45 pages are aligned to 64", "A4", 45, 6, "5 3 2 0" },
	{ "A4: 300 pages are aligned to 256, not 512", "A4", 300, 8, "8 5 3 2" },
	{ "A1: all of the area", "A1", 2048, 8, "11" },
};

static void is_one_aligned_range_and_no_attempt(void **state)
{
	const struct row *r = *state;
	struct rig *rig = given_area();
	struct iommusim_chunk_job job = job_for(rig, iommusim_policy_find(r->policy), r->pages);
	struct iommusim_chunks chunks;
	iommusim_pfn next;

	assert_ok(iommusim_chunk_alloc(&job, &chunks));
	assert_int_equal(rig->count, r->pages);
	assert_int_equal(rig->align_order, r->want_align);
	assert_int_equal(rig->gfp, IOMMUSIM_GFP_KERNEL);
	assert_int_equal(chunks.nr_attempts, 0);
	assert_int_equal(chunks.is_contiguous, 1);
	assert_int_equal(chunks.nr_pages, r->pages);
	assert_string_equal(chunks_text(&chunks), r->want_chunks);
	next = AREA;
	for (size_t i = 0; i < chunks.nr_chunks; i++) {
		assert_int_equal(chunks.chunk[i].pfn, next);
		next += UINT64_C(1) << chunks.chunk[i].order;
	}
	assert_ok(iommusim_chunk_free(&chunks, &rig->source));
	assert_int_equal(rig->nr_given_back, 1);
	assert_ok(iommusim_chunk_free(&chunks, &rig->source)); /* nothing is left */
	iommusim_chunks_finish(&chunks);
	finish(rig);
}

/* There is free memory, but not in the area: nobody asks for it. */
static void a_full_area_is_not_made_up_for(void **state)
{
	static const char *const policies[] = { "A1", "A2", "A3", "A4" };

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		struct rig *rig = given_area();
		struct iommusim_chunk_job job =
			job_for(rig, iommusim_policy_find(policies[i]), 2049);
		struct iommusim_chunks chunks;

		assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_ENOMEM);
		assert_int_equal(rig->count, 2049);
		assert_int_equal(chunks.nr_attempts, 0);
		assert_int_equal(chunks.nr_chunks, 0);
		assert_int_equal(chunks.findings, 0);
		iommusim_chunks_finish(&chunks);
		finish(rig);
	}
}

static void where_there_is_no_area_there_is_no_range(void **state)
{
	struct toy *toy = given_toy("10x3");
	struct iommusim_page_source source = toy_source(toy);
	struct rig rig = { .source = source };
	struct iommusim_chunk_job job = job_for(&rig, iommusim_policy_find("A4"), 16);
	struct iommusim_chunks chunks;

	job.source = &source;
	assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_ENOMEM);
	assert_int_equal(chunks.nr_attempts, 0);
	assert_int_equal(toy->in_use, 0);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

/* Their callers decide before the loop. */
static void all_other_policies_ignore_the_attribute(void **state)
{
	const struct iommusim_policy *policy;

	for (size_t i = 0; (policy = iommusim_policy_at(i)) != NULL; i++) {
		struct rig *rig = given_area();
		struct iommusim_chunk_job job = job_for(rig, policy, 16);
		struct iommusim_chunks chunks;

		assert_ok(iommusim_chunk_alloc(&job, &chunks));
		assert_int_equal(chunks.is_contiguous, policy->is_arm && policy->alias[1] != '0');
		assert_int_equal(chunks.nr_attempts > 0, !chunks.is_contiguous);
		assert_int_equal(strstr(policy->quirks, "FORCE_CONTIGUOUS") != NULL,
		                 chunks.is_contiguous);
		assert_ok(iommusim_chunk_free(&chunks, &rig->source));
		iommusim_chunks_finish(&chunks);
		finish(rig);
	}
}

/* ---- Policies of one's own ---- */

typedef int policy_fn(const struct iommusim_policy *policy,
                      const struct iommusim_chunk_request *req,
                      const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run);

/* Run @alloc on 16 pages; what it leaves must be free but on success. */
static int run(policy_fn *alloc, struct iommusim_chunks *chunks)
{
	struct iommusim_policy policy = { .size = sizeof(policy), .name = "mine", .alloc = alloc };
	struct rig *rig = given_area();
	struct iommusim_chunk_job job = job_for(rig, &policy, 16);
	int err = iommusim_chunk_alloc(&job, chunks);

	if (!err)
		assert_ok(iommusim_chunk_free(chunks, &rig->source));
	finish(rig);
	iommusim_chunks_finish(chunks);
	return err;
}

static int range_of(struct iommusim_chunk_run *run, uint64_t count)
{
	return iommusim_chunk_contiguous(run, count, 0);
}

static int falls_back(const struct iommusim_policy *policy,
                      const struct iommusim_chunk_request *req,
                      const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	assert_err(range_of(run, 4096), IOMMUSIM_ENOMEM);
	return iommusim_chunk_get(run, 4, req->gfp);
}

static int too_few(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
                   const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	return range_of(run, 15);
}

static int two_ranges(const struct iommusim_policy *policy,
                      const struct iommusim_chunk_request *req,
                      const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = range_of(run, 8);

	return err ? err : range_of(run, 8);
}

static int a_range_and_a_block(const struct iommusim_policy *policy,
                               const struct iommusim_chunk_request *req,
                               const struct iommusim_chunk_plan *plan,
                               struct iommusim_chunk_run *run)
{
	int err = range_of(run, 8);

	return err ? err : iommusim_chunk_get(run, 3, req->gfp);
}

static int a_block_and_a_range(const struct iommusim_policy *policy,
                               const struct iommusim_chunk_request *req,
                               const struct iommusim_chunk_plan *plan,
                               struct iommusim_chunk_run *run)
{
	int err = iommusim_chunk_get(run, 3, req->gfp);

	return err ? err : range_of(run, 8);
}

static int a_range_and_a_block_taken_before(const struct iommusim_policy *policy,
                                            const struct iommusim_chunk_request *req,
                                            const struct iommusim_chunk_plan *plan,
                                            struct iommusim_chunk_run *run)
{
	struct iommusim_chunk block = { .order = 3 };
	int err;

	assert_ok(iommusim_chunk_take(run, 3, req->gfp, &block.pfn));
	assert_ok(range_of(run, 8));
	err = iommusim_chunk_append(run, &block);
	assert_ok(iommusim_chunk_give_back(run, block.pfn, 3));
	return err;
}

static int no_pages(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
                    const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	iommusim_pfn pfn;

	assert_err(iommusim_chunk_take_contiguous(run, 0, 0, &pfn), IOMMUSIM_EINVAL);
	assert_err(iommusim_chunk_append_contiguous(run, AREA, 0), IOMMUSIM_EINVAL);
	return range_of(run, 0);
}

static int gives_up_with_a_range(const struct iommusim_policy *policy,
                                 const struct iommusim_chunk_request *req,
                                 const struct iommusim_chunk_plan *plan,
                                 struct iommusim_chunk_run *run)
{
	int err = range_of(run, 16);

	return err ? err : -IOMMUSIM_ENOMEM;
}

static int asks_again_and_again(const struct iommusim_policy *policy,
                                const struct iommusim_chunk_request *req,
                                const struct iommusim_chunk_plan *plan,
                                struct iommusim_chunk_run *run)
{
	int err;

	do
		err = range_of(run, 4096);
	while (err == -IOMMUSIM_ENOMEM);
	return err;
}

static void asking_without_end_is_found(void **state)
{
	struct iommusim_policy policy = { .size = sizeof(policy), .alloc = asks_again_and_again };
	struct rig *rig = given_area();
	struct iommusim_chunk_job job = job_for(rig, &policy, 16);
	struct iommusim_chunks chunks;

	assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_EBUG);
	assert_int_equal(chunks.findings, IOMMUSIM_FINDING_ENDLESS);
	assert_string_equal(chunks.told, "it asks for contiguous ranges without end");
	iommusim_chunks_finish(&chunks);
	finish(rig);
}

static void a_range_is_the_whole_buffer_or_nothing_of_it(void **state)
{
	static policy_fn *const wrong[] = { too_few,
		                            two_ranges,
		                            a_range_and_a_block,
		                            a_block_and_a_range,
		                            a_range_and_a_block_taken_before,
		                            no_pages };
	struct iommusim_chunks chunks;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_err(run(wrong[i], &chunks), IOMMUSIM_EINVAL);
	assert_err(run(gives_up_with_a_range, &chunks), IOMMUSIM_ENOMEM);
	assert_ok(run(falls_back, &chunks));
}

static int keeps_its_own_books(const struct iommusim_policy *policy,
                               const struct iommusim_chunk_request *req,
                               const struct iommusim_chunk_plan *plan,
                               struct iommusim_chunk_run *run)
{
	iommusim_pfn first, second;
	int err = iommusim_chunk_take_contiguous(run, 3, 0, &first);

	if (err)
		return err;
	assert_ok(iommusim_chunk_take_contiguous(run, plan->count, 4, &second));
	assert_int_equal(first, AREA);
	assert_int_equal(second, AREA + 16);
	assert_ok(iommusim_chunk_give_back_contiguous(run, first, 3));
	assert_err(iommusim_chunk_give_back_contiguous(run, first, 3), IOMMUSIM_EINVAL);
	err = iommusim_chunk_append_contiguous(run, second, plan->count);
	if (err)
		assert_ok(iommusim_chunk_give_back_contiguous(run, second, plan->count));
	return err;
}

static int takes_all_of_it(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	return range_of(run, plan->count);
}

static void the_host_may_fail_at_any_allocation(void **state)
{
	static policy_fn *const both[] = { keeps_its_own_books, takes_all_of_it };

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct iommusim_policy policy = { .size = sizeof(policy), .alloc = both[i] };
		int err = -IOMMUSIM_EHOST;

		for (uint64_t n = 1; err; n++) {
			struct rig *rig = given_area();
			struct iommusim_fault fault = { .fail_at = n };
			struct iommusim_host host = iommusim_host_failing(&fault);
			struct iommusim_chunk_job job = job_for(rig, &policy, 16);
			struct iommusim_chunks chunks;

			job.host = &host;
			err = iommusim_chunk_alloc(&job, &chunks);
			if (err)
				assert_err(err, IOMMUSIM_EHOST);
			assert_int_equal(rig->in_range, err ? 0 : 16);
			if (!err)
				assert_ok(iommusim_chunk_free(&chunks, &rig->source));
			iommusim_chunks_finish(&chunks);
			assert_int_equal(fault.nr_live, 0);
			finish(rig);
		}
	}
}

/* ---- Page sources ---- */

static int takes_any(void *ctx, uint64_t count, unsigned align_order, uint32_t gfp,
                     iommusim_pfn *pfn)
{
	*pfn = 1 << 20;
	return 0;
}

static int gives_back_any(void *ctx, iommusim_pfn pfn, uint64_t count)
{
	*(uint64_t *)ctx = count;
	return 0;
}

static void no_chunk_is_above_order_13(void **state)
{
	uint64_t given_back = 0;
	struct toy *toy = given_toy("0x1");
	struct iommusim_page_source source = toy_source(toy);
	struct rig rig = { .source = source };
	struct iommusim_chunk_job job = job_for(&rig, iommusim_policy_find("A4"), 0x8005);
	struct iommusim_chunks chunks;

	source.ctx = &given_back;
	source.alloc_contiguous = takes_any;
	source.free_contiguous = gives_back_any;
	job.source = &source;
	assert_ok(iommusim_chunk_alloc(&job, &chunks));
	assert_string_equal(chunks_text(&chunks), "13x4 2 0");
	assert_int_equal(chunks.chunk[5].pfn, (1 << 20) + 0x8004);
	assert_ok(iommusim_chunk_free(&chunks, &source));
	assert_int_equal(given_back, 0x8005);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

static void a_source_takes_back_what_it_hands_out(void **state)
{
	struct rig *rig = given_area();
	struct iommusim_chunk_job job = job_for(rig, iommusim_policy_find("A4"), 16);
	struct iommusim_page_source none = rig->source, old = rig->source;
	struct iommusim_chunks chunks, same;

	none.free_contiguous = NULL;
	job.source = &none;
	assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_EINVAL);
	job.source = &rig->source;
	assert_ok(iommusim_chunk_alloc(&job, &chunks));
	old.size = offsetof(struct iommusim_page_source, alloc_contiguous);
	same = chunks;
	assert_err(iommusim_chunk_free(&same, &old), IOMMUSIM_EINVAL);
	same = chunks;
	rig->free_err = -IOMMUSIM_EHOST;
	assert_err(iommusim_chunk_free(&same, &rig->source), IOMMUSIM_EHOST);
	rig->free_err = 0;
	assert_ok(iommusim_chunk_free(&chunks, &rig->source));
	iommusim_chunks_finish(&chunks);
	finish(rig);
}

int main(void)
{
	struct CMUnitTest tests[8 + ARRAY_LEN(rows)] = {
		cmocka_unit_test(a_full_area_is_not_made_up_for),
		cmocka_unit_test(where_there_is_no_area_there_is_no_range),
		cmocka_unit_test(all_other_policies_ignore_the_attribute),
		cmocka_unit_test(a_range_is_the_whole_buffer_or_nothing_of_it),
		cmocka_unit_test(asking_without_end_is_found),
		cmocka_unit_test(the_host_may_fail_at_any_allocation),
		cmocka_unit_test(no_chunk_is_above_order_13),
		cmocka_unit_test(a_source_takes_back_what_it_hands_out),
	};
	size_t nr = 8;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(is_one_aligned_range_and_no_attempt, &rows[i]);
	return RUN_TESTS(tests);
}
