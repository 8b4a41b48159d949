/* SPDX-License-Identifier: MIT */
/*
 * Random operations on small machines, the whole structure checked after each: no frame lost, none
 * handed out twice, every block aligned, all of it back in the end. Seeds are printed on failure.
 */
#include "phys_test.h"

#include "base/rng.h"

#define FRAMES 96
#define STEPS  4000

/* Who has which frame: the test's own book. */
struct book {
	uint8_t taken[FRAMES];
	struct {
		iommusim_pfn pfn;
		unsigned order;
	} held[FRAMES];
	unsigned nr_held;
	uint64_t nr_taken;
};

static const struct world {
	const char *name;
	unsigned nr_orders, pageblock_order;
	enum iommusim_fallback fallback;
	uint64_t start;
	uint64_t seed;
} worlds[] = {
	{ "generation A, pageblocks of 4 frames", 5, 2, IOMMUSIM_FALLBACK_A, 0, 1 },
	{ "generation C, pageblocks of 4 frames", 5, 2, IOMMUSIM_FALLBACK_C, 0, 2 },
	{ "generation A, a zone that starts and ends inside a block", 6, 3, IOMMUSIM_FALLBACK_A, 7,
	  3 },
	{ "generation C, a zone that starts and ends inside a block", 6, 3, IOMMUSIM_FALLBACK_C, 7,
	  4 },
	{ "a pageblock is the highest order", 4, 3, IOMMUSIM_FALLBACK_C, 0, 5 },
	{ "one order only", 1, 0, IOMMUSIM_FALLBACK_C, 3, 6 },
};

static void note_taken(struct book *book, iommusim_pfn pfn, unsigned order, uint64_t start)
{
	assert_int_equal(pfn & ((UINT64_C(1) << order) - 1), 0);
	assert_in_range(pfn, start, start + FRAMES - (UINT64_C(1) << order));
	for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
		assert_int_equal(book->taken[pfn - start + i]++, 0);
	book->held[book->nr_held].pfn = pfn;
	book->held[book->nr_held++].order = order;
	book->nr_taken += UINT64_C(1) << order;
}

static void alloc_some(struct iommusim_phys *phys, struct book *book, struct isim_rng *rng,
                       const struct world *w)
{
	static const uint32_t types[] = { 0, IOMMUSIM_GFP_BIT_MOVABLE,
		                          IOMMUSIM_GFP_BIT_RECLAIMABLE };
	struct iommusim_page_request req = { .node = -1 };
	struct iommusim_page_block block;
	uint64_t largest = 0;
	int err;

	req.order = (unsigned)isim_rng_below(rng, w->nr_orders + 1);
	req.gfp = KERNEL | types[isim_rng_below(rng, 3)];
	for (unsigned o = req.order; o < w->nr_orders; o++)
		largest += iommusim_phys_nr_free_blocks(phys, o);
	err = iommusim_phys_alloc(phys, &req, &block);
	if (!largest)
		assert_err(err, IOMMUSIM_ENOMEM);
	else
		assert_ok(err);
	if (!err)
		note_taken(book, block.pfn, req.order, w->start);
}

static void free_some(struct iommusim_phys *phys, struct book *book, struct isim_rng *rng,
                      const struct world *w)
{
	unsigned i = (unsigned)isim_rng_below(rng, book->nr_held);
	iommusim_pfn pfn = book->held[i].pfn;
	unsigned order = book->held[i].order;

	book->held[i] = book->held[--book->nr_held];
	if (isim_rng_below(rng, 2)) {
		assert_ok(iommusim_phys_free(phys, pfn, order));
	} else {
		assert_ok(iommusim_phys_split(phys, pfn, order));
		for (uint64_t at = UINT64_C(1) << order; at-- > 0;)
			assert_ok(iommusim_phys_free(phys, pfn + at, 0));
	}
	memset(&book->taken[pfn - w->start], 0, (size_t)1 << order);
	book->nr_taken -= UINT64_C(1) << order;
}

static void fork_and_go_on(struct iommusim_phys **phys)
{
	struct iommusim_phys *copy;

	assert_ok(iommusim_phys_fork(*phys, &copy));
	iommusim_phys_destroy(*phys);
	*phys = copy;
}

static void no_frame_is_lost_or_handed_out_twice(void **state)
{
	const struct world *w = *state;
	struct iommusim_phys_config config = { .nr_orders = w->nr_orders,
		                               .pageblock_order = w->pageblock_order,
		                               .fallback = w->fallback };
	struct iommusim_phys *phys = given_zone(config, w->start, FRAMES);
	struct isim_rng rng = isim_rng_seed(w->seed);
	struct book book = { .nr_held = 0 };

	print_message("# seed %u\n", (unsigned)w->seed);
	for (unsigned step = 0; step < STEPS; step++) {
		uint64_t dice = isim_rng_below(&rng, 100);

		if (dice == 0)
			fork_and_go_on(&phys);
		else if (!book.nr_held || dice < 51)
			alloc_some(phys, &book, &rng, w);
		else
			free_some(phys, &book, &rng, w);
		assert_ok(iommusim_phys_check(phys));
		assert_int_equal(iommusim_phys_nr_free(phys), FRAMES - book.nr_taken);
	}
	while (book.nr_held)
		free_some(phys, &book, &rng, w);
	assert_int_equal(iommusim_phys_nr_free(phys), FRAMES);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ROW(no_frame_is_lost_or_handed_out_twice, &worlds[0]),
		TEST_ROW(no_frame_is_lost_or_handed_out_twice, &worlds[1]),
		TEST_ROW(no_frame_is_lost_or_handed_out_twice, &worlds[2]),
		TEST_ROW(no_frame_is_lost_or_handed_out_twice, &worlds[3]),
		TEST_ROW(no_frame_is_lost_or_handed_out_twice, &worlds[4]),
		TEST_ROW(no_frame_is_lost_or_handed_out_twice, &worlds[5]),
	};

	return RUN_TESTS(tests);
}
