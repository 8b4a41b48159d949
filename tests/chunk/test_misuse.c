/* SPDX-License-Identifier: MIT */
/* Policies that misuse the calls they have: the request ends with EINVAL, whatever they return. */
#include "toy.h"

#define RANGE (1 << 21) /* the frame that every contiguous range starts at */

typedef int policy_fn(const struct iommusim_policy *, const struct iommusim_chunk_request *,
                      const struct iommusim_chunk_plan *, struct iommusim_chunk_run *);

static int hand_out(void *ctx, uint64_t count, unsigned align_order, uint32_t gfp,
                    iommusim_pfn *pfn)
{
	*pfn = RANGE;
	return 0;
}

static int take_back(void *ctx, iommusim_pfn pfn, uint64_t count)
{
	assert_int_equal(pfn, RANGE);
	return 0;
}

static char said[200];

static void keep_first(void *ctx, const char *line)
{
	if (!said[0])
		snprintf(said, sizeof(said), "%s", line);
}

/* Ask for four pages; nothing is in use at the end. */
static int run(policy_fn *alloc)
{
	struct iommusim_policy policy = { .size = sizeof(policy), .alloc = alloc };
	struct iommusim_host host = { .size = sizeof(host), .log = keep_first };
	struct toy *toy = given_toy("2x4");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = { .policy = &policy,
		                          .req = { .size = 4 * SZ_4K,
		                                   .pgsizes = SZ_4K,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = IOMMUSIM_GFP_KERNEL,
		                                   .node = -1 },
		                          .source = &source,
		                          .host = &host };
	struct iommusim_chunks chunks;
	int err;

	said[0] = 0;
	source.alloc_contiguous = hand_out;
	source.free_contiguous = take_back;
	err = iommusim_chunk_alloc(&job, &chunks);
	if (!err)
		assert_ok(iommusim_chunk_free(&chunks, &source));
	assert_int_equal(toy->in_use, 0);
	iommusim_chunks_finish(&chunks);
	free(toy);
	return err;
}

/* ---- Blocks ---- */

static int takes_while_it_has_a_block(const struct iommusim_policy *policy,
                                      const struct iommusim_chunk_request *req,
                                      const struct iommusim_chunk_plan *plan,
                                      struct iommusim_chunk_run *run)
{
	iommusim_pfn tried, taken;

	assert_ok(iommusim_chunk_try(run, 2, req->gfp, &tried));
	assert_err(iommusim_chunk_take(run, 2, req->gfp, &taken), IOMMUSIM_EINVAL);
	return iommusim_chunk_keep(run);
}

static void a_block_is_decided_before_the_next_attempt(void **state)
{
	assert_err(run(takes_while_it_has_a_block), IOMMUSIM_EINVAL);
	assert_non_null(strstr(said, "neither kept nor dropped pfn 0x"));
}

/* ---- Ranges ---- */

static int makes_one_up(const struct iommusim_policy *policy,
                        const struct iommusim_chunk_request *req,
                        const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	return iommusim_chunk_append_contiguous(run, RANGE, plan->count);
}

/* Not all of a range that it has. */
static int appends_a_part(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	iommusim_pfn pfn;

	assert_ok(iommusim_chunk_take_contiguous(run, plan->count + 1, 0, &pfn));
	assert_err(iommusim_chunk_append_contiguous(run, pfn, plan->count), IOMMUSIM_EINVAL);
	return iommusim_chunk_give_back_contiguous(run, pfn, plan->count + 1);
}

static int appends_what_it_gave_back(const struct iommusim_policy *policy,
                                     const struct iommusim_chunk_request *req,
                                     const struct iommusim_chunk_plan *plan,
                                     struct iommusim_chunk_run *run)
{
	iommusim_pfn pfn;

	assert_ok(iommusim_chunk_take_contiguous(run, plan->count, 0, &pfn));
	assert_ok(iommusim_chunk_give_back_contiguous(run, pfn, plan->count));
	return iommusim_chunk_append_contiguous(run, pfn, plan->count);
}

static int appends_what_it_took(const struct iommusim_policy *policy,
                                const struct iommusim_chunk_request *req,
                                const struct iommusim_chunk_plan *plan,
                                struct iommusim_chunk_run *run)
{
	iommusim_pfn pfn;

	assert_ok(iommusim_chunk_take_contiguous(run, plan->count, 0, &pfn));
	return iommusim_chunk_append_contiguous(run, pfn, plan->count);
}

static void a_range_is_appended_that_was_taken(void **state)
{
	static policy_fn *const wrong[] = { makes_one_up, appends_a_part,
		                            appends_what_it_gave_back };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_err(run(wrong[i]), IOMMUSIM_EINVAL);
		assert_non_null(strstr(said, "appended a range of 4 pages at pfn 0x200000, which "
		                             "it does not hold"));
	}
	assert_ok(run(appends_what_it_took));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_is_appended_that_was_taken),
		cmocka_unit_test(a_block_is_decided_before_the_next_attempt),
	};

	return RUN_TESTS(tests);
}
