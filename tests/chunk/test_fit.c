/* SPDX-License-Identifier: MIT */
/* Chunks against a granule: always, by luck, or not, and which chunk is to blame. */
#include "test.h"

/* Chunks as pfn and order; a run ends where the next pfn does not follow. */
static const struct row {
	const char *name;
	struct {
		iommusim_pfn pfn;
		unsigned order;
	} chunk[8];
	size_t nr;
	uint64_t granule;
	enum iommusim_fit want;
	struct iommusim_misfit misfit;
} rows[] = {
	{ "no chunks always fit", { { 0, 0 } }, 0, SZ_64K, IOMMUSIM_FIT_ALWAYS, { 0 } },
	{ "aligned blocks of the granule always fit",
	  { { 0x10, 4 }, { 0x40, 4 } },
	  2,
	  SZ_64K,
	  IOMMUSIM_FIT_ALWAYS,
	  { 0 } },
	{ "larger blocks always fit", { { 0x200, 9 } }, 1, SZ_64K, IOMMUSIM_FIT_ALWAYS, { 0 } },
	{ "any page fits its own size",
	  { { 7, 0 }, { 9, 0 } },
	  2,
	  SZ_4K,
	  IOMMUSIM_FIT_ALWAYS,
	  { 0 } },
	{ "a granule below the page always fits",
	  { { 7, 0 } },
	  1,
	  512,
	  IOMMUSIM_FIT_ALWAYS,
	  { 0 } },
	{ "small blocks that adjoin fit by luck",
	  { { 0x40, 4 }, { 0x10, 3 }, { 0x18, 2 }, { 0x1c, 2 } },
	  4,
	  SZ_64K,
	  IOMMUSIM_FIT_BY_LUCK,
	  { .chunk = 1, .nr_chunks = 1, .pa = 0x10000, .size = 0x8000 } },
	{ "a single page on its own does not fit",
	  { { 0x10, 4 }, { 0x31, 0 } },
	  2,
	  SZ_64K,
	  IOMMUSIM_FIT_NOT,
	  { .chunk = 1, .nr_chunks = 1, .pa = 0x31000, .size = 0x1000 } },
	{ "a run that starts off the granule does not fit",
	  { { 0x18, 3 }, { 0x20, 3 } },
	  2,
	  SZ_64K,
	  IOMMUSIM_FIT_NOT,
	  { .chunk = 0, .nr_chunks = 2, .pa = 0x18000, .size = 0x10000 } },
	{ "a run that ends off the granule does not fit",
	  { { 0x50, 4 }, { 0x10, 4 }, { 0x20, 2 } },
	  3,
	  SZ_64K,
	  IOMMUSIM_FIT_NOT,
	  { .chunk = 1, .nr_chunks = 2, .pa = 0x10000, .size = 0x14000 } },
};

static void is_judged(void **state)
{
	const struct row *r = *state;
	struct iommusim_chunk chunk[8];
	struct iommusim_chunks chunks = { .chunk = chunk, .nr_chunks = r->nr };
	struct iommusim_misfit misfit = { 0 };

	for (size_t i = 0; i < r->nr; i++)
		chunk[i] = (struct iommusim_chunk){ .pfn = r->chunk[i].pfn,
			                            .order = (uint8_t)r->chunk[i].order,
			                            .is_split = 1 };
	assert_int_equal(iommusim_chunks_fit(&chunks, 12, r->granule, &misfit), r->want);
	assert_int_equal(misfit.chunk, r->misfit.chunk);
	assert_int_equal(misfit.nr_chunks, r->misfit.nr_chunks);
	assert_int_equal(misfit.pa, r->misfit.pa);
	assert_int_equal(misfit.size, r->misfit.size);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest)TEST_ROW(is_judged, &rows[i]);
	return RUN_TESTS(tests);
}
