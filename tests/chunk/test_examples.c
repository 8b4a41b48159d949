/* SPDX-License-Identifier: MIT */
/* Worked examples of the chunk loops: which orders are tried, with which flags, what comes out. */
#include "toy.h"

/* The fixtures: free blocks. */
#define A "10x3"
#define B "4x2 2x1 0x64"
#define C "9x1 3x1 0x600"
#define D "0x5"

/* Page sizes of the IOMMU. */
#define ALL      UINT64_C(0xfffff000)
#define S_4K_2M  (SZ_4K | SZ_2M | SZ_1G)
#define S_4K_64K (SZ_4K | SZ_64K | SZ_2M)
#define S_64K    (SZ_64K | SZ_512M)
#define S_2M     (SZ_2M | SZ_1G)
#define S_16K    (SZ_16K | SZ_32M)

#define KZ     (IOMMUSIM_GFP_KERNEL | IOMMUSIM_GFP_BIT_ZERO)
#define BASE   (KZ | IOMMUSIM_GFP_BIT_NOWARN | IOMMUSIM_GFP_BIT_HIGHMEM)
#define SINGLE IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES

#define P1_B                                                                             \
	"5:R:F 4:R:okx2 3:R:F 2:R:ok 3:R:F 2:R:F 1:R:F 0:-:ok 3:R:F 2:R:F 1:R:F 0:-:ok " \
	"2:R:F 1:R:F 0:-:ok 2:R:F 1:R:F 0:-:ok 2:R:F 1:R:F 0:-:ok 2:R:F 1:R:F 0:-:ok "   \
	"1:R:F 0:-:ok 1:R:F 0:-:okx2"

static const struct row {
	const char *name;
	const char *policy, *free;
	uint64_t pgsizes, size;
	uint32_t attrs;
	const char *attempts, *chunks; /* chunks NULL: no memory */
	unsigned freed;
	const char *left; /* free blocks afterwards, by order from 4 down; NULL: not looked at */
} rows[] = {
	{ "P1-a", "P1", A, S_4K_2M, 7 * SZ_4K, 0, "2:R:ok 1:R:ok 0:-:ok", "2 1 0", 0, NULL },
	{ "P1-b", "P1", B, S_4K_2M, 45 * SZ_4K, 0, P1_B, "4x2 2 0x9", 0, NULL },
	{ "P1-c", "P1", A, S_4K_2M, 2049 * SZ_4K, 0, "11:R:F 10:R:okx2 0:-:ok", "10x2 0", 0, NULL },
	{ "P1-c, order 11 is tried three times", "P1", "10x9", S_4K_2M, 4097 * SZ_4K, 0,
	  "11:R:F 10:R:ok 11:R:F 10:R:ok 11:R:F 10:R:okx2 0:-:ok", "10x4 0", 0, NULL },
	{ "P1-d", "P1", D, S_4K_2M, 7 * SZ_4K, 0,
	  "2:R:F 1:R:F 0:-:ok 2:R:F 1:R:F 0:-:ok 2:R:F 1:R:F 0:-:ok 2:R:F 1:R:F 0:-:ok "
	  "1:R:F 0:-:ok 1:R:F 0:-:F",
	  NULL, 5, NULL },
	{ "P2-a", "P2", B, S_4K_2M, 45 * SZ_4K, 0,
	  "5:R:F 4:R:okx2 3:R:F 2:R:ok 2:R:F 1:R:F 0:-:okx9", "4x2 2 0x9", 0, NULL },
	{ "P2-b", "P2", D, S_4K_2M, 7 * SZ_4K, 0, "2:R:F 1:R:F 0:-:okx5 0:-:F", NULL, 5, NULL },
	{ "P2-c", "P2", A, S_4K_2M, 2049 * SZ_4K, 0, "11:R:F 10:R:okx2 0:-:ok", "10x2 0", 0, NULL },
	{ "P2 looks at no attribute", "P2", A, S_4K_2M, 7 * SZ_4K, SINGLE, "2:R:ok 1:R:ok 0:-:ok",
	  "2 1 0", 0, NULL },
	{ "P3-a", "P3", B, S_4K_2M, 45 * SZ_4K, SINGLE, "0:-:okx45", "0x45", 0,
	  "4x2 3x0 2x1 1x0 0x19" },
	{ "P3 without the attribute is P2", "P3", B, S_4K_2M, 45 * SZ_4K, 0,
	  "5:R:F 4:R:okx2 3:R:F 2:R:ok 2:R:F 1:R:F 0:-:okx9", "4x2 2 0x9", 0, NULL },
	{ "P3-b", "P3", A, S_64K, SZ_64K, SINGLE, "0:-:okx16", "0x16", 0, NULL },
	{ "P4-a", "P4", A, S_4K_2M, 0x801000, 0, "9:R:okx4 0:-:ok", "9x4 0", 0, NULL },
	{ "P4-b", "P4", A, ALL, 0x801000, 0, "11:R:F 10:R:okx2 0:-:ok", "10x2 0", 0, NULL },
	{ "P4-c", "P4", B, ALL, 45 * SZ_4K, 0, "5:R:F 4:R:okx2 3:R:F 2:R:ok 2:R:F 1:R:F 0:-:okx9",
	  "4x2 2 0x9", 0, NULL },
	{ "P4-d", "P4", B, S_4K_64K, 45 * SZ_4K, 0, "4:R:okx2 0:-:okx13", "4x2 0x13", 0, NULL },
	{ "P4-e", "P4", C, S_4K_64K, SZ_1M, 0, "4:R:okx16", "4x16", 0, NULL },
	{ "P4-f", "P4", C, S_4K_2M, 520 * SZ_4K, 0, "9:R:ok 0:-:okx8", "9 0x8", 0, NULL },
	{ "P4-g", "P4", B, S_64K, 45 * SZ_4K, 0, "4:-:okx2 4:-:F", NULL, 32, NULL },
	{ "P4-g, single pages", "P4", B, S_64K, 45 * SZ_4K, SINGLE, "4:-:okx2 4:-:F", NULL, 32,
	  NULL },
	{ "P4-h", "P4", C, S_2M, 520 * SZ_4K, 0, "9:-:ok 9:-:F", NULL, 512, NULL },
	{ "P4-h, single pages", "P4", C, S_2M, 520 * SZ_4K, SINGLE, "9:-:ok 9:-:F", NULL, 512,
	  NULL },
	{ "P4-i", "P4", A, S_2M, 28 * 1024, 0, "9:-:ok", "9", 0, NULL },
	{ "P4-j", "P4", C, S_16K, SZ_1M, SINGLE, "2:-:okx64", "2x64", 0, NULL },
	{ "P4-k", "P4", C, S_4K_2M, 520 * SZ_4K, SINGLE, "0:-:okx520", "0x520", 0, NULL },
	{ "P5 tries no order above the largest", "P5", A, ALL, 0x801000, 0, "10:R:okx2 0:-:ok",
	  "10x2 0", 0, NULL },
	{ "P5 with a bitmap of pages of 4 GiB and more takes CPU pages", "P5", A, UINT64_C(1) << 32,
	  3 * SZ_4K, 0, "0:-:okx3", "0x3", 0, NULL },
	{ "A-d", "A4", A, S_4K_2M, 300 * SZ_4K, 0, "8:R:ok 4:R:okx2 0:-:okx12", "8 4x2 0x12", 0,
	  NULL },
	{ "A-e", "A4", "9x1 8x1 4x20 0x200", S_4K_2M, 1100 * SZ_4K, 0,
	  "9:R:ok 9:R:F 8:R:ok 8:R:F 4:R:okx20 0:-:okx12", "9 8 4x20 0x12", 0, NULL },
	{ "A-f", "A4", A, S_4K_2M, 300 * SZ_4K, SINGLE, "0:-:okx300", "0x300", 0, NULL },
	{ "A-g", "A4", B, S_4K_2M, 45 * SZ_4K, 0, "4:R:okx2 0:-:okx13", "4x2 0x13", 0, NULL },
};

/* What is free, by order from 4 down. */
static const char *free_text(const struct toy *toy)
{
	static char text[64];
	size_t at = 0;

	for (unsigned order = 5; order-- > 0;)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%ux%u",
		                       order < 4 ? " " : "", order, toy->free[order].nr);
	return text;
}

static void behaves_as_worked_on_paper(void **state)
{
	const struct row *r = *state;
	struct toy *toy = given_toy(r->free);
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = { .policy = iommusim_policy_find(r->policy),
		                          .req = { .size = r->size,
		                                   .pgsizes = r->pgsizes,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = KZ,
		                                   .attrs = r->attrs,
		                                   .node = -1 },
		                          .source = &source };
	struct iommusim_chunks chunks;
	int err = iommusim_chunk_alloc(&job, &chunks);

	assert_string_equal(attempts_text(&chunks, BASE), r->attempts);
	assert_int_equal(chunks.nr_freed, r->freed);
	if (r->chunks) {
		assert_ok(err);
		assert_string_equal(chunks_text(&chunks), r->chunks);
		if (r->left)
			assert_string_equal(free_text(toy), r->left);
		assert_int_equal(toy->in_use, chunks.plan.count);
		assert_ok(iommusim_chunk_free(&chunks, &source));
	} else {
		assert_err(err, IOMMUSIM_ENOMEM);
	}
	assert_int_equal(toy->in_use, 0);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

/* P4-l: CPU pages of 64 KiB, 1 GiB is order 14, one above the largest. */
static void a_one_gib_page_is_one_order_too_high_for_64k_kernels_before_6_4(void **state)
{
	static const char *const policies[] = { "P4", "P5" };
	static const char *const attempts[] = { "14:R:F 5:R:okx512", "5:R:okx512" };

	for (unsigned i = 0; i < 2; i++) {
		struct toy *toy = given_toy("13x9");
		struct iommusim_page_source source = toy_source(toy);
		struct iommusim_chunk_job job = { .policy = iommusim_policy_find(policies[i]),
			                          .req = { .size = SZ_1G,
			                                   .pgsizes = S_4K_2M,
			                                   .page_shift = 16,
			                                   .max_order = 13,
			                                   .gfp = KZ,
			                                   .node = -1 },
			                          .source = &source };
		struct iommusim_chunks chunks;

		toy->max_order = 13;
		assert_ok(iommusim_chunk_alloc(&job, &chunks));
		assert_string_equal(attempts_text(&chunks, BASE), attempts[i]);
		iommusim_chunks_finish(&chunks);
		free(toy);
	}
}

/* P1-d: the five pages come back as page 4, 3, 2, 1, 0. */
static void pages_are_given_back_last_first(void **state)
{
	struct toy *toy = given_toy(D);
	struct iommusim_page_source source = toy_source(toy);
	struct iommusim_chunk_job job = {
		.policy = &iommusim_policy_dma_iommu_4_4,
		.req = { .size = 7 * SZ_4K, .page_shift = 12, .max_order = 10, .gfp = KZ },
		.source = &source
	};
	struct iommusim_chunks chunks;
	unsigned freed = 0;

	assert_err(iommusim_chunk_alloc(&job, &chunks), IOMMUSIM_ENOMEM);
	for (size_t i = chunks.nr_attempts; i-- > 0;)
		if (chunks.attempt[i].pfn != IOMMUSIM_NO_PFN)
			assert_int_equal(toy->freed[freed++], chunks.attempt[i].pfn);
	assert_int_equal(freed, 5);
	iommusim_chunks_finish(&chunks);
	free(toy);
}

static const struct plan_row {
	const char *name;
	unsigned page_shift;
	uint64_t pgsizes;
	int single;
	uint64_t size, want_size, count, mask;
} plan_rows[] = {
	{ "4K,2M,1G", 12, S_4K_2M, 0, 0x801000, 0x801000, 2049, 0x40201 },
	{ "4K,2M,1G, single pages", 12, S_4K_2M, 1, 0x801000, 0x801000, 2049, 1 },
	{ "every size", 12, ALL, 0, 45 * SZ_4K, 45 * SZ_4K, 45, 0xfffff },
	{ "64K,512M", 12, S_64K, 0, 12 * 1024, SZ_64K, 16, 1 << 4 | 1 << 17 },
	{ "64K,512M, single pages", 12, S_64K, 1, 12 * 1024, SZ_64K, 16, 1 << 4 },
	{ "2M,1G", 12, S_2M, 0, 4096, SZ_2M, 512, 1 << 9 | 1 << 18 },
	{ "16K,32M", 12, S_16K, 0, 28 * 1024, 32 * 1024, 8, 1 << 2 | 1 << 13 },
	{ "1K,64K: the CPU page is added", 12, 1024 | SZ_64K, 0, 20 * 1024, 20 * 1024, 5,
	  1 | 1 << 4 },
	{ "512,4K", 12, 512 | SZ_4K, 0, 1000, 1000, 1, 1 },
	{ "4K: rounded to it, since it is no less than the CPU page", 12, SZ_4K, 0, 1000, SZ_4K, 1,
	  1 },
	{ "4K,2M,1G under 64K pages", 16, S_4K_2M, 0, SZ_1G, SZ_1G, 16384, 1 | 1 << 5 | 1 << 14 },
};

static void plans_as_the_kernel_rounds(void **state)
{
	const struct plan_row *r = *state;
	struct iommusim_chunk_request req = { .size = r->size,
		                              .pgsizes = r->pgsizes,
		                              .page_shift = r->page_shift,
		                              .max_order = 10,
		                              .attrs = r->single ? SINGLE : 0 };
	struct iommusim_chunk_plan plan;

	assert_ok(iommusim_chunk_plan(&iommusim_policy_dma_iommu_4_7, &req, &plan));
	assert_int_equal(plan.size, r->want_size);
	assert_int_equal(plan.count, r->count);
	assert_int_equal(plan.mask, r->mask);
}

/* B7: 520 pages from 16 MiB of fresh memory come out contiguous, though in nine chunks. */
static void the_loop_on_fresh_memory_gives_one_run(void **state)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL, .nr_frames = 4096 };
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .zones = &zone,
		                               .nr_zones = 1 };
	struct iommusim_page_source source;
	struct iommusim_chunk_job job = { .policy = &iommusim_policy_dma_iommu_4_7,
		                          .req = { .size = 520 * SZ_4K,
		                                   .pgsizes = S_4K_2M,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = KZ,
		                                   .node = -1 } };
	struct iommusim_phys *phys;
	struct iommusim_chunks chunks;
	struct iommusim_misfit misfit;
	iommusim_pfn next = 0;

	assert_ok(iommusim_phys_create(&config, &phys));
	source = iommusim_phys_source(phys);
	job.source = &source;
	assert_ok(iommusim_chunk_alloc(&job, &chunks));
	assert_string_equal(attempts_text(&chunks, BASE), "9:R:ok 0:-:okx8");
	for (size_t i = 0; i < chunks.nr_chunks; i++) {
		assert_int_equal(chunks.chunk[i].pfn, next);
		next += UINT64_C(1) << chunks.chunk[i].order;
	}
	assert_int_equal(next, 520);
	/* One scatterlist entry: all of it is one run, of which 512 .. 519 came from 512's block.
	 */
	assert_int_equal(iommusim_chunks_fit(&chunks, 12, SZ_4K, &misfit), IOMMUSIM_FIT_ALWAYS);
	assert_int_equal(iommusim_chunks_fit(&chunks, 12, 8 * SZ_4K, &misfit),
	                 IOMMUSIM_FIT_BY_LUCK);
	assert_int_equal(misfit.chunk, 1);
	assert_ok(iommusim_chunk_free(&chunks, &source));
	assert_int_equal(iommusim_phys_nr_free(phys), 4096);
	iommusim_chunks_finish(&chunks);
	iommusim_phys_destroy(phys);
}

int main(void)
{
	struct CMUnitTest tests[3 + ARRAY_LEN(rows) + ARRAY_LEN(plan_rows)] = {
		cmocka_unit_test(a_one_gib_page_is_one_order_too_high_for_64k_kernels_before_6_4),
		cmocka_unit_test(pages_are_given_back_last_first),
		cmocka_unit_test(the_loop_on_fresh_memory_gives_one_run),
	};
	size_t nr = 3;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(behaves_as_worked_on_paper, &rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(plan_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(plans_as_the_kernel_rounds, &plan_rows[i]);
	return RUN_TESTS(tests);
}
