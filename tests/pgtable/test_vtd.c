/* SPDX-License-Identifier: MIT */
/* Intel's calls: what a range leaves, what stays in its way, what Linux would stop at. */
#include "pgtable/word.h"
#include "pgtable_test.h"
#include "table_memory.h"

#define K6_1  IOMMUSIM_KERNEL(6, 1)
#define K6_12 IOMMUSIM_KERNEL(6, 12)
#define RW    (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)

static struct iommusim_pgtable *given(unsigned kernel, uint64_t pgsizes)
{
	return given_pgtable((struct iommusim_pgtable_config){
		.format = &iommusim_pgtable_vtd_sl,
		.kernel = kernel,
		.pgsizes = pgsizes,
		.ias = 39,
	});
}

static uint64_t phys(const struct iommusim_pgtable *pgtable, uint64_t iova)
{
	return iommusim_pgtable_iova_to_phys(pgtable, iova);
}

static uint64_t nr_tables(const struct iommusim_pgtable *pgtable)
{
	return iommusim_pgtable_info(pgtable).nr_tables;
}

/* ---- Clearing ---- */

struct flushed {
	unsigned nr;
	struct {
		uint64_t iova, size, count; /* count 0: a table */
	} call[8];
};

static void flush_leaves(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count)
{
	struct flushed *f = ctx;

	assert_true(f->nr < ARRAY_LEN(f->call));
	f->call[f->nr].iova = iova;
	f->call[f->nr].size = pgsize;
	f->call[f->nr++].count = count;
}

static void flush_table(void *ctx, uint64_t iova, uint64_t bytes)
{
	flush_leaves(ctx, iova, bytes, 0);
}

static void assert_flushed(const struct flushed *f, unsigned i, uint64_t iova, uint64_t size,
                           uint64_t count)
{
	assert_true(i < f->nr);
	assert_int_equal(f->call[i].iova, iova);
	assert_int_equal(f->call[i].size, size);
	assert_int_equal(f->call[i].count, count);
}

static uint64_t unmap_told(struct iommusim_pgtable *pgtable, uint64_t iova, uint64_t bytes,
                           struct flushed *f)
{
	struct iommusim_pgtable_flush flush = { f, flush_leaves, flush_table };

	f->nr = 0;
	return iommusim_pgtable_unmap(pgtable, iova, SZ_4K, bytes / SZ_4K, &flush);
}

/* From the last page of one table over a large page to the second page of another. */
static void a_range_goes_page_by_page_and_no_further(void **state)
{
	struct iommusim_pgtable *pgtable = given(K6_12, 0);
	struct flushed f;

	map_ok(pgtable, SZ_2M - 2 * SZ_4K, SZ_1G + SZ_2M - 2 * SZ_4K, SZ_4K, 2 + 512 + 3);
	assert_int_equal(unmap_told(pgtable, SZ_2M - SZ_4K, SZ_4K + SZ_2M + 2 * SZ_4K, &f),
	                 SZ_4K + SZ_2M + 2 * SZ_4K);
	assert_int_equal(f.nr, 3);
	assert_flushed(&f, 0, SZ_2M - SZ_4K, SZ_4K, 1);
	assert_flushed(&f, 1, SZ_2M, SZ_2M, 1);
	assert_flushed(&f, 2, 2 * SZ_2M, SZ_4K, 2);
	assert_int_equal(phys(pgtable, SZ_2M - 2 * SZ_4K), SZ_1G + SZ_2M - 2 * SZ_4K);
	assert_int_equal(phys(pgtable, SZ_2M - SZ_4K), 0);
	assert_int_equal(phys(pgtable, SZ_2M), 0);
	assert_int_equal(phys(pgtable, 2 * SZ_2M + SZ_4K), 0);
	assert_int_equal(phys(pgtable, 2 * SZ_2M + 2 * SZ_4K), SZ_1G + 2 * SZ_2M + 2 * SZ_4K);
	iommusim_pgtable_destroy(pgtable);
}

static void one_page_is_told_of(void **state)
{
	struct iommusim_pgtable *pgtable = given(K6_12, 0);
	struct flushed f;

	map_ok(pgtable, SZ_4K, SZ_1G, SZ_4K, 3);
	assert_int_equal(unmap_told(pgtable, 2 * SZ_4K, SZ_4K, &f), SZ_4K);
	assert_int_equal(f.nr, 1);
	assert_flushed(&f, 0, 2 * SZ_4K, SZ_4K, 1);
	assert_int_equal(phys(pgtable, SZ_4K), SZ_1G);
	assert_int_equal(phys(pgtable, 3 * SZ_4K), SZ_1G + 2 * SZ_4K);
	iommusim_pgtable_destroy(pgtable);
}

/* 512 words of 4K are a table, which goes; one fewer are not. */
static void a_table_goes_with_all_of_its_pages(void **state)
{
	struct iommusim_pgtable *pgtable = given(K6_12, 0);
	struct flushed f;

	map_ok(pgtable, SZ_2M, SZ_1G + SZ_4K, SZ_4K, 512);
	assert_int_equal(nr_tables(pgtable), 3);
	assert_int_equal(unmap_told(pgtable, SZ_2M, SZ_2M - SZ_4K, &f), SZ_2M - SZ_4K);
	assert_int_equal(nr_tables(pgtable), 3);
	assert_int_equal(unmap_told(pgtable, SZ_2M, SZ_2M, &f), SZ_2M);
	assert_int_equal(nr_tables(pgtable), 2);
	assert_int_equal(f.nr, 1);
	assert_flushed(&f, 0, SZ_2M, SZ_2M, 0);
	iommusim_pgtable_destroy(pgtable);
}

/* As in Linux: nothing is cleared, and all of it counts; 6.1 would have stopped. */
static void a_range_that_wraps_clears_nothing(void **state)
{
	struct iommusim_pgtable *old = given(K6_1, 0), *new = given(K6_12, 0);
	uint64_t count = (0 - SZ_1G) / SZ_4K + 2; /* its last byte is at 8 KiB - 1 */

	map_ok(old, SZ_1G, SZ_1G, SZ_4K, 1);
	map_ok(new, SZ_1G, SZ_1G, SZ_4K, 1);
	map_ok(new, SZ_4K, 2 * SZ_1G, SZ_4K, 1);
	assert_int_equal(unmap(new, SZ_1G, SZ_4K, count), count * SZ_4K);
	assert_int_equal(phys(new, SZ_4K), 2 * SZ_1G);
	assert_int_equal(phys(new, SZ_1G), SZ_1G);
	assert_int_equal(iommusim_pgtable_info(new).nr_bugs, 0);
	assert_int_equal(unmap(old, SZ_1G, SZ_4K, count), 0);
	assert_int_equal(iommusim_pgtable_info(old).nr_bugs, 1);
	iommusim_pgtable_destroy(old);
	iommusim_pgtable_destroy(new);
}

static void an_address_beyond_the_domain_stops_6_1(void **state)
{
	struct iommusim_pgtable *old = given(K6_1, 0), *new = given(K6_12, 0);

	assert_int_equal(unmap(new, UINT64_C(1) << 39, SZ_4K, 1), 0);
	assert_int_equal(unmap(old, UINT64_C(1) << 39, SZ_4K, 1), 0);
	assert_int_equal(iommusim_pgtable_info(new).nr_bugs, 0);
	assert_int_equal(iommusim_pgtable_info(old).nr_bugs, 1);
	iommusim_pgtable_destroy(old);
	iommusim_pgtable_destroy(new);
}

/* ---- Mapping ---- */

static void a_page_of_4k_that_is_there_stays(void **state)
{
	struct iommusim_pgtable *pgtable = given(K6_12, 0);

	map_ok(pgtable, 3 * SZ_4K, SZ_1M, SZ_4K, 1);
	map_ok(pgtable, 3 * SZ_4K, 2 * SZ_1M, SZ_4K, 1); /* one page, found at once */
	assert_int_equal(phys(pgtable, 3 * SZ_4K), SZ_1M);
	map_ok(pgtable, 0, SZ_1G, SZ_4K, 8);
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(phys(pgtable, i * SZ_4K), i == 3 ? SZ_1M : SZ_1G + i * SZ_4K);
	iommusim_pgtable_destroy(pgtable);
}

static void a_large_page_replaces_a_table(void **state)
{
	struct iommusim_pgtable *pgtable = given(K6_12, 0);

	map_ok(pgtable, SZ_2M, SZ_1G + SZ_4K, SZ_4K, 4);
	assert_int_equal(nr_tables(pgtable), 3);
	map_ok(pgtable, SZ_2M, 2 * SZ_1G, SZ_2M, 1);
	assert_int_equal(nr_tables(pgtable), 2);
	assert_int_equal(phys(pgtable, 2 * SZ_2M - 1), 2 * SZ_1G + SZ_2M - 1);
	iommusim_pgtable_destroy(pgtable);
}

/* A size that the unit lacks becomes pages that it has, and 1G alone is worth nothing. */
static void sizes_that_are_not_there_become_smaller_ones(void **state)
{
	struct iommusim_pgtable *pgtable = given(K6_12, SZ_4K | SZ_1G);
	struct iommusim_mapped_range range;

	assert_int_equal(iommusim_pgtable_info(pgtable).pgsizes, SZ_4K);
	map_ok(pgtable, SZ_2M, SZ_1G, SZ_2M, 1);
	map_ok(pgtable, SZ_2M + SZ_2M, SZ_1G + SZ_2M, SZ_2M, 1);
	/* and where a call has just found the table of larger pages, and a hole in it */
	assert_int_equal(unmap(pgtable, 3 * SZ_2M, SZ_4K, 1), SZ_2M);
	map_ok(pgtable, 3 * SZ_2M, SZ_1G + 2 * SZ_2M, SZ_2M, 1);
	assert_int_equal(iommusim_pgtable_next(pgtable, 0, &range), 1);
	assert_int_equal(range.pgsize, SZ_4K);
	assert_int_equal(range.size, 3 * SZ_2M);
	iommusim_pgtable_destroy(pgtable);
}

static const struct refused_row {
	const char *name;
	uint64_t iova, pa, pgsize, count;
	unsigned kernel;
	int err;
} refused_rows[] = {
	{ "there are no pages of 512G", 0, 0, SZ_1G * 512, 1, K6_12, IOMMUSIM_EINVAL },
	{ "the iova is no multiple of the page", SZ_4K, 0, SZ_2M, 1, K6_12, IOMMUSIM_EINVAL },
	{ "the address is no multiple of the page", 0, SZ_4K, SZ_2M, 1, K6_12, IOMMUSIM_EINVAL },
	{ "the range ends beyond the domain", (SZ_1G * 512) - SZ_4K, 0, SZ_4K, 2, K6_12,
	  IOMMUSIM_EFAULT },
	{ "the range wraps", 0 - SZ_4K, 0, SZ_4K, 2, K6_12, IOMMUSIM_EINVAL },
	{ "the range wraps, at which 6.1 stops", 0 - SZ_4K, 0, SZ_4K, 2, K6_1, IOMMUSIM_EBUG },
};

static void is_refused(void **state)
{
	const struct refused_row *r = *state;
	struct iommusim_pgtable *pgtable = given(r->kernel, 0);

	assert_err(try_map(pgtable, r->iova, r->pa, r->pgsize, r->count), r->err);
	assert_int_equal(iommusim_pgtable_info(pgtable).nr_bugs, r->err == IOMMUSIM_EBUG);
	assert_int_equal(nr_tables(pgtable), 1);
	iommusim_pgtable_destroy(pgtable);
}

static void a_unit_without_4k_is_refused(void **state)
{
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = &iommusim_pgtable_vtd_sl,
		                                  .pgsizes = SZ_2M | SZ_1G };
	struct iommusim_pgtable *pgtable = NULL;

	assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_EINVAL);
	assert_null(pgtable);
}

static int short_alloc(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	const struct memory *memory = ctx;

	return memory->nr == 3 ? -IOMMUSIM_ENOMEM : alloc_table(ctx, bytes, gfp, pa);
}

/* The second table of 4K pages is not to be had. */
static void a_failed_call_reports_nothing_and_leaves_what_it_wrote(void **state)
{
	struct memory memory = { .next = TABLES_AT };
	struct iommusim_table_memory tables = { sizeof(tables), &memory, short_alloc, free_table,
		                                table_at };
	struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
		.format = &iommusim_pgtable_vtd_sl, .ias = 39, .memory = &tables });

	assert_err(try_map(pgtable, SZ_2M - SZ_4K, SZ_1G, SZ_4K, 2), IOMMUSIM_ENOMEM);
	assert_int_equal(phys(pgtable, SZ_2M - SZ_4K), SZ_1G);
	assert_int_equal(phys(pgtable, SZ_2M), 0);
	iommusim_pgtable_destroy(pgtable);
}

/* ---- Words ---- */

/* Pages of 4K, 2M and 1G there are; a word of 512G that says so is none. */
static void a_page_of_512g_is_reserved(void **state)
{
	struct iommusim_pgtable *pgtable = given_pgtable(
		(struct iommusim_pgtable_config){ .format = &iommusim_pgtable_vtd_sl });
	const struct isim_pgtable_words *w = pgtable->ops->words;

	assert_err(try_map(pgtable, 0, 0, SZ_1G * 512, 1), IOMMUSIM_EINVAL);
	map_ok(pgtable, 0, SZ_1G, SZ_1G, 1);
	assert_int_equal(iommusim_pgtable_access(pgtable, 0, IOMMUSIM_ACCESS_READ, NULL),
	                 IOMMUSIM_FAULT_NONE);
	pt_put(w, pgtable->root, 0, pt_get(w, pgtable->root, 0) | 0x80);
	assert_int_equal(iommusim_pgtable_access(pgtable, 0, IOMMUSIM_ACCESS_READ, NULL),
	                 IOMMUSIM_FAULT_RESERVED);
	iommusim_pgtable_destroy(pgtable);
}

/* Second level: whoever may write may read. First level of 6.1: nobody may execute. */
static void protections_are_the_kernels(void **state)
{
	struct iommusim_pgtable *sl = given(K6_12, 0),
				*fl = given_pgtable((struct iommusim_pgtable_config){
					.format = &iommusim_pgtable_vtd_fl, .kernel = K6_1 });
	struct iommusim_map_pages pages = {
		.pa = SZ_1G, .pgsize = SZ_4K, .count = 1, .prot = IOMMUSIM_PROT_WRITE
	};
	struct iommusim_pgtable_walk walk;
	uint64_t mapped;

	assert_ok(iommusim_pgtable_map(sl, &pages, &mapped));
	assert_ok(iommusim_pgtable_map(fl, &pages, &mapped));
	iommusim_pgtable_walk(sl, 0, &walk);
	assert_int_equal(walk.prot, RW);
	iommusim_pgtable_walk(fl, 0, &walk);
	assert_int_equal(walk.prot, RW | IOMMUSIM_PROT_NOEXEC);
	assert_int_equal(walk.marks, IOMMUSIM_MARK_ACCESSED | IOMMUSIM_MARK_DIRTY);
	iommusim_pgtable_destroy(sl);
	iommusim_pgtable_destroy(fl);
}

int main(void)
{
	struct CMUnitTest tests[12 + ARRAY_LEN(refused_rows)] = {
		cmocka_unit_test(a_range_goes_page_by_page_and_no_further),
		cmocka_unit_test(one_page_is_told_of),
		cmocka_unit_test(a_table_goes_with_all_of_its_pages),
		cmocka_unit_test(a_range_that_wraps_clears_nothing),
		cmocka_unit_test(an_address_beyond_the_domain_stops_6_1),
		cmocka_unit_test(a_page_of_4k_that_is_there_stays),
		cmocka_unit_test(a_large_page_replaces_a_table),
		cmocka_unit_test(sizes_that_are_not_there_become_smaller_ones),
		cmocka_unit_test(a_unit_without_4k_is_refused),
		cmocka_unit_test(a_failed_call_reports_nothing_and_leaves_what_it_wrote),
		cmocka_unit_test(a_page_of_512g_is_reserved),
		cmocka_unit_test(protections_are_the_kernels),
	};
	size_t nr = 12;

	for (size_t i = 0; i < ARRAY_LEN(refused_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_refused, &refused_rows[i]);
	return RUN_TESTS(tests);
}
