/* SPDX-License-Identifier: MIT */
/* Worked examples of the loops of other allocators: which orders, which gfp, what comes out. */
#include "toy.h"

#define BIT(name) IOMMUSIM_GFP_BIT_##name

#define K         IOMMUSIM_GFP_KERNEL
#define KZ        (K | BIT(ZERO))
#define W         BIT(NOWARN)
#define H         BIT(HIGHMEM)
#define R         BIT(NORETRY)
#define C         BIT(COMP)
#define HUZ       (IOMMUSIM_GFP_HIGHUSER | BIT(ZERO))
#define HIGH_HEAP ((HUZ | W | R) & ~IOMMUSIM_GFP_RECLAIM)

/* The fixtures: free blocks. */
#define A   "10x3"
#define B   "4x2 2x1 0x64"
#define C_F "9x1 3x1 0x600"
#define D   "0x5"

#define P1_B                                                                             \
	"5F 4okx2 3F 2ok 3F 2F 1F 0ok 3F 2F 1F 0ok 2F 1F 0ok 2F 1F 0ok 2F 1F 0ok 2F 1F " \
	"0ok 1F 0ok 1F 0okx2"
#define P2_B "5F 4okx2 3F 2ok 2F 1F 0okx9"
#define P1_D "2F 1F 0ok 2F 1F 0ok 2F 1F 0ok 2F 1F 0ok 1F 0ok 1F 0F"

static const struct row {
	const char *name, *policy, *free;
	uint64_t pages;
	uint32_t caller;
	const char *attempts, *chunks; /* chunks NULL: no memory */
	uint32_t high, middle, last;   /* gfp of orders 5 and up, 1 to 4, and 0 */
} rows[] = {
	{ "A0 asks for single pages", "A0", A, 3, KZ, "0okx3", "0x3", 0, 0, KZ | W },
	{ "A-a", "A1", A, 300, K, "2ok 3ok 5ok 8ok", "2 3 5 8", K | W, K | W, K | W },
	{ "A1 steps down", "A1", "2x1 0x9", 12, K,
	  "2ok 3F 2F 1F 0okx2 1F 0okx2 2F 1F 0okx2 1F 0okx2", "2 0x8", K | W, K | W, K | W },
	{ "A-b", "A2", A, 300, KZ, "8ok 5ok 3ok 2ok", "8 5 3 2", KZ | W | H, KZ | W | H, 0 },
	{ "A-c", "A2", B, 45, KZ, P1_B, "4x2 2 0x9", KZ | W | H, KZ | W | H, KZ | W | H },
	{ "A2 has no limit", "A2", "10x2", 2048, KZ, "11F 10okx2", "10x2", KZ | W | H, 0, 0 },
	{ "A3 does not retry above order 0", "A3", B, 45, KZ, P1_B, "4x2 2 0x9", KZ | W | H | R,
	  KZ | W | H | R, KZ | W | H },
	{ "the camera's copy has no HIGHMEM", "N1", B, 45, KZ, P1_B, "4x2 2 0x9", KZ | W, KZ | W,
	  KZ | W },
	{ "the ImgU's copy asks for single pages", "N2", A, 4, K, "0okx4", "0x4", 0, 0, KZ | H },
	{ "the handset's tree reclaims nothing above order 0", "N3", B, 45, KZ, P2_B, "4x2 2 0x9",
	  (KZ | W | H | R) & ~IOMMUSIM_GFP_RECLAIM, (KZ | W | H | R) & ~IOMMUSIM_GFP_RECLAIM,
	  KZ | W | H },
	{ "the automotive tree never says NORETRY", "N4", B, 45, KZ, P1_B, "4x2 2 0x9", KZ | W | H,
	  KZ | W | H, KZ | W | H },
	{ "nor HIGHMEM to a caller who names a zone", "N4", B, 4, KZ | BIT(DMA32), "2ok", "2", 0,
	  KZ | BIT(DMA32) | W, 0 },
	{ "H1 starts over for each chunk", "H1", "4x2 0x64", 45, K, "4okx2 0okx13", "4x2 0x13", 0,
	  HUZ | C | W | R, HUZ | C | W | R },
	{ "H2", "H2", B, 300, K, "8F 4okx2 4F 0okx68 0F", NULL, HIGH_HEAP, HUZ, HUZ },
	{ "H3a", "H3a", A, 300, K, "8ok 4okx2 0okx12", "8 4x2 0x12", HIGH_HEAP | C, HUZ | C | W,
	  HUZ | C },
	{ "H-a", "H3b", A, 300, K, "8ok 4okx2 0okx12", "8 4x2 0x12", HIGH_HEAP | C, HIGH_HEAP | C,
	  HUZ },
	{ "H-b", "H3b", B, 45, K, "4okx2 0okx13", "4x2 0x13", 0, HIGH_HEAP | C, HUZ },
	{ "H-c", "H3b", "8x1 4x3 0x100", 340, K, "8ok 4okx3 4F 0okx36", "8 4x3 0x36", HIGH_HEAP | C,
	  HIGH_HEAP | C, HUZ },
	{ "H-d", "H3b", C_F, 520, K, "8okx2 0okx8", "8x2 0x8", HIGH_HEAP | C, 0, HUZ },
	{ "V-a", "V1", A, 300, 0, "8ok 5ok 3ok 2ok", "8 5 3 2", KZ | W, KZ | W, 0 },
	{ "V-b", "V1", B, 45, 0, P1_B, "4x2 2 0x9", KZ | W, KZ | W, KZ | W },
	{ "V-c", "V1", D, 7, BIT(DMA32), P1_D, NULL, 0, KZ | W | BIT(DMA32), KZ | W | BIT(DMA32) },
	{ "T-a", "T1a", A, 300, BIT(ZERO), "8ok 5ok 3ok 2ok", "8 5 3 2",
	  HUZ | BIT(NOMEMALLOC) | R | W, HUZ | BIT(NOMEMALLOC) | R | W, 0 },
	{ "T-b", "T1a", B, 45, BIT(ZERO), P2_B, "4x2 2 0x9", HUZ | BIT(NOMEMALLOC) | R | W,
	  HUZ | BIT(NOMEMALLOC) | R | W, HUZ },
	{ "T1b stays on its node above order 0", "T1b", B, 45, K, P2_B, "4x2 2 0x9",
	  IOMMUSIM_GFP_HIGHUSER | BIT(NOMEMALLOC) | R | W | BIT(THISNODE),
	  IOMMUSIM_GFP_HIGHUSER | BIT(NOMEMALLOC) | R | W | BIT(THISNODE), IOMMUSIM_GFP_HIGHUSER },
	{ "T1b for a device with 32 bits", "T1b", "0x2", 1, BIT(DMA32), "0ok", "0", 0, 0,
	  IOMMUSIM_GFP_USER | BIT(DMA32) },
	{ "T1c reclaims directly up to order 9", "T1c", "9x1", 512, K, "9ok", "9",
	  IOMMUSIM_GFP_HIGHUSER | BIT(NOMEMALLOC) | R | W | BIT(THISNODE), 0, 0 },
	{ "T1c does not above", "T1c", "10x1", 1024, K, "10ok", "10",
	  (IOMMUSIM_GFP_HIGHUSER | BIT(NOMEMALLOC) | R | W | BIT(THISNODE)) & ~BIT(DIRECT_RECLAIM),
	  0, 0 },
	{ "I-a", "I1", B, 45, 0, P2_B, "4x2 2 0x9", K | H | BIT(RECLAIMABLE) | R | W,
	  K | H | BIT(RECLAIMABLE) | R | W, K | H | BIT(RECLAIMABLE) | W | BIT(RETRY_MAYFAIL) },
	{ "I-b", "I1s", A, 300, 0, "0okx300", "0x300", 0, 0,
	  K | H | BIT(RECLAIMABLE) | W | BIT(RETRY_MAYFAIL) },
	{ "I1 does not go above the largest order", "I1", "10x2", 2048, 0, "10okx2", "10x2",
	  K | H | BIT(RECLAIMABLE) | R | W, 0, 0 },
	{ "G1 gives up below the smallest page", "G1", B, 45, K, "5F 4okx2", NULL, 0, 0, 0 },
	{ "Q1 goes down its sizes", "Q1", B, 45, K, "4okx2 1okx2 1F 0okx9", "4x2 1x2 0x9", 0,
	  (K | H | C | R | W) & ~BIT(DIRECT_RECLAIM), K | H },
	{ "P6-a", "P6", "2x2", 5, KZ, "2okx2", "2 0", 0, KZ | W | H, 0 },
	{ "P6-b", "P6", "2x1", 3, KZ, "2ok", "1 0", 0, KZ | W | H, 0 },
	{ "P6-c", "P6", "1x1", 2, KZ, "1ok", "1", 0, KZ | W | H, 0 },
	{ "P6-c, out of memory", "P6", "0x9", 2, KZ, "1F", NULL, 0, KZ | W | H, 0 },
};

/* The attempts as text: "5F 4okx2"; each with the gfp that the row says. */
static const char *orders_text(const struct iommusim_chunks *chunks, const struct row *r)
{
	static char text[4096];
	size_t at = 0;

	for (size_t i = 0, n; i < chunks->nr_attempts; i += n) {
		const struct iommusim_attempt *a = &chunks->attempt[i];
		uint32_t gfp = a->order >= 5 ? r->high : a->order ? r->middle : r->last;

		for (n = 0; i + n < chunks->nr_attempts && a[n].order == a->order &&
		            (a[n].pfn == IOMMUSIM_NO_PFN) == (a->pfn == IOMMUSIM_NO_PFN);
		     n++)
			assert_int_equal(a[n].gfp, gfp);
		at += (size_t)snprintf(text + at, sizeof(text) - at, n > 1 ? "%s%u%sx%u" : "%s%u%s",
		                       i ? " " : "", a->order,
		                       a->pfn == IOMMUSIM_NO_PFN ? "F" : "ok", (unsigned)n);
	}
	return text;
}

static void behaves_as_worked_on_paper(void **state)
{
	const struct row *r = *state;
	struct toy *toy = given_toy(r->free);
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = { .policy = iommusim_policy_find(r->policy),
		                          .req = { .size = r->pages * SZ_4K,
		                                   .pgsizes = 4 * SZ_4K,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = r->caller,
		                                   .node = -1 },
		                          .source = &source };
	struct iommusim_chunks chunks;
	int err;

	if (!strcmp(r->policy, "G1"))
		job.req.pgsizes = 16 * SZ_4K;
	err = iommusim_chunk_alloc(&job, &chunks);
	assert_string_equal(orders_text(&chunks, r), r->attempts);
	if (r->chunks) {
		assert_ok(err);
		assert_string_equal(chunks_text(&chunks), r->chunks);
		assert_int_equal(toy->in_use, r->pages);
		assert_ok(iommusim_chunk_free(&chunks, &source));
	} else {
		assert_err(err, IOMMUSIM_ENOMEM);
	}
	assert_int_equal(toy->in_use, 0);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

/* Serve @pages by @policy from @blocks and return what was found. */
static uint32_t findings_of(const char *policy, const char *blocks, uint64_t pages, uint32_t gfp)
{
	struct toy *toy = given_toy(blocks);
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = { .policy = iommusim_policy_find(policy),
		                          .req = { .size = pages * SZ_4K,
		                                   .pgsizes = SZ_4K,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = gfp,
		                                   .node = -1 },
		                          .source = &source };
	struct iommusim_chunks chunks;
	uint32_t findings;
	int err;

	err = iommusim_chunk_alloc(&job, &chunks);
	findings = chunks.findings;
	if (!err)
		iommusim_chunk_free(&chunks, &source);
	assert_int_equal(toy->in_use, 0);
	iommusim_chunks_finish(&chunks);
	free(toy);
	return findings;
}

/* KGSL's last rung is a page, also where that is larger than 8K. */
static void a_size_ladder_ends_at_a_page(void **state)
{
	struct toy *toy = given_toy("2x1 0x4");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = { .policy = &iommusim_policy_kgsl,
		                          .req = { .size = 6 * 4 * SZ_4K,
		                                   .pgsizes = 4 * SZ_4K,
		                                   .page_shift = 14,
		                                   .max_order = 11,
		                                   .gfp = K,
		                                   .node = -1 },
		                          .source = &source };
	struct iommusim_chunks chunks;

	(void)state;
	assert_ok(iommusim_chunk_alloc(&job, &chunks));
	assert_string_equal(chunks_text(&chunks), "2 0x2");
	assert_int_equal(chunks.attempt[0].gfp & R, R);
	assert_int_equal(chunks.attempt[1].gfp, K | H);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

static void what_the_kernel_does_wrong_is_found(void **state)
{
	assert_int_equal(findings_of("A1", "0x2", 3, K), IOMMUSIM_FINDING_LEAK);
	assert_int_equal(findings_of("A1", "", 3, K), IOMMUSIM_FINDING_BEFORE_PAGE);
	assert_int_equal(findings_of("A1", "0x3", 3, K), 0);
	assert_int_equal(findings_of("A2", "0x2", 3, K), 0);
	assert_int_equal(findings_of("P1", "1x1", 2, K | C), IOMMUSIM_FINDING_STALE_BLOCK);
	assert_int_equal(findings_of("P1", "1x1", 2, K), 0);
	assert_non_null(iommusim_finding_text(IOMMUSIM_FINDING_LEAK));
	assert_non_null(iommusim_finding_text(IOMMUSIM_FINDING_BEFORE_PAGE));
	assert_non_null(iommusim_finding_text(IOMMUSIM_FINDING_STALE_BLOCK));
	assert_non_null(iommusim_finding_text(UINT32_C(1) << 31));
	assert_null(iommusim_finding_text(0));
}

/* Which frames were given back, in order. */
static const iommusim_pfn *freed_by(const char *policy, struct toy *toy, uint64_t pages,
                                    uint64_t pgsizes)
{
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = { .policy = iommusim_policy_find(policy),
		                          .req = { .size = pages * SZ_4K,
		                                   .pgsizes = pgsizes,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = K,
		                                   .node = -1 },
		                          .source = &source };
	struct iommusim_chunks chunks;

	iommusim_chunk_alloc(&job, &chunks);
	iommusim_chunks_finish(&chunks);
	return toy->freed;
}

static void some_give_back_what_they_got_first_first(void **state)
{
	static const struct {
		const char *policy;
		int first_first;
	} all[] = {
		{ "H3b", 1 }, { "T1a", 1 }, { "T1b", 1 }, { "T1c", 1 }, { "I1", 1 },
		{ "I1s", 1 }, { "G1", 1 },  { "Q1", 1 },  { "V1", 0 },  { "A2", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct toy *toy = given_toy("0x2");
		const iommusim_pfn *freed = freed_by(all[i].policy, toy, 3, SZ_4K);

		assert_int_equal(toy->nr_freed, 2);
		assert_int_equal(freed[0] < freed[1], all[i].first_first);
		free(toy);
	}
}

static void what_a_tail_does_not_need_goes_back_upwards(void **state)
{
	struct toy *toy = given_toy("2x2");
	const iommusim_pfn *freed = freed_by("P6", toy, 5, 4 * SZ_4K);

	assert_int_equal(toy->nr_freed, 3);
	assert_int_equal(freed[1], freed[0] + 1);
	assert_int_equal(freed[2], freed[0] + 2);
	free(toy);
}

/* Keeps one page more than the block has; then, without a block, one; then none. */
static int keeps_the_wrong_part(const struct iommusim_policy *policy,
                                const struct iommusim_chunk_request *req,
                                const struct iommusim_chunk_plan *plan,
                                struct iommusim_chunk_run *run)
{
	assert_err(iommusim_chunk_keep_part(run, 1), IOMMUSIM_EINVAL);
	assert_err(iommusim_chunk_keep_block(run), IOMMUSIM_EINVAL);
	assert_ok(iommusim_chunk_try(run, 1, req->gfp, NULL));
	assert_err(iommusim_chunk_keep_part(run, 3), IOMMUSIM_EINVAL);
	assert_err(iommusim_chunk_keep_part(run, 0), IOMMUSIM_EINVAL);
	return iommusim_chunk_keep_part(run, plan->count);
}

static void a_part_is_at_most_the_block(void **state)
{
	struct iommusim_policy policy = { .size = sizeof(policy),
		                          .name = "mine",
		                          .alloc = keeps_the_wrong_part };
	struct toy *toy = given_toy("1x1");
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = { .policy = &policy,
		                          .req = { .size = 1,
		                                   .pgsizes = SZ_4K,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = K,
		                                   .node = -1 },
		                          .source = &source };
	struct iommusim_chunks chunks;

	/* That it went on well does not undo it. */
	assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_EINVAL);
	assert_int_equal(toy->in_use, 0);
	assert_int_equal(chunks.nr_pages, 0);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 5] = {
		cmocka_unit_test(what_the_kernel_does_wrong_is_found),
		cmocka_unit_test(a_size_ladder_ends_at_a_page),
		cmocka_unit_test(some_give_back_what_they_got_first_first),
		cmocka_unit_test(what_a_tail_does_not_need_goes_back_upwards),
		cmocka_unit_test(a_part_is_at_most_the_block),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[5 + i] = (struct CMUnitTest)TEST_ROW(behaves_as_worked_on_paper, &rows[i]);
	return RUN_TESTS(tests);
}
