/* SPDX-License-Identifier: MIT */
/*
 * Random operations on a small machine that a caller and a population share: allocate, free, split,
 * free in part, hand over, compact, reclaim, drain, fork. After each one the whole structure is
 * checked, the caller's book compared, every frame and its kind accounted for, and every pageblock
 * that could be raided judged. Without arguments one step in a hundred.
 */
#include "book.h"

#include "base/rng.h"
#include "phys/population.h"
#include "phys/slow.h"

#define STEPS   1000000u
#define BOTH    (IOMMUSIM_PHYS_COMPACTION | IOMMUSIM_PHYS_RECLAIM)
#define NR_CPUS 2u

static const struct world {
	const char *name;
	unsigned kernel, nr_orders, pageblock_order;
	uint64_t start, nr_frames, seed;
	unsigned features;
} worlds[] = {
	{ "6.1, pageblocks of 8 frames", IOMMUSIM_KERNEL(6, 1), 5, 3, 0, 192, 1, BOTH },
	{ "6.12, pageblocks of 16 frames, cut at both ends", 0, 6, 4, 7, 230, 2, BOTH },
	{ "6.12, a pageblock is the highest order", 0, 5, 4, 16, 160, 3, BOTH },
	{ "6.1, all features", IOMMUSIM_KERNEL(6, 1), 6, 4, 0, 480, 1, IOMMUSIM_PHYS_ALL },
	{ "6.12, all features", 0, 6, 4, 0, 480, 2, IOMMUSIM_PHYS_ALL },
	{ "6.12, all features, cut at both ends", 0, 5, 3, 9, 460, 3, IOMMUSIM_PHYS_ALL },
};

static unsigned nr_steps = STEPS / 100;

struct run {
	const struct world *w;
	struct iommusim_phys *phys;
	struct book book;
	struct isim_rng rng;
	uint64_t nr_judged[2]; /* blocks of pageblocks not ours, ours */
};

static unsigned below(struct run *r, unsigned n)
{
	return (unsigned)isim_rng_below(&r->rng, n);
}

/* Any block that the caller holds; NULL: none. */
static const struct held *some_block(struct run *r)
{
	uint64_t at = isim_rng_below(&r->rng, r->book.nr_frames);

	for (uint64_t i = 0; i < r->book.nr_frames; i++) {
		uint32_t entry = r->book.by_pfn[(at + i) % r->book.nr_frames];

		if (entry)
			return &r->book.held[entry];
	}
	return NULL;
}

static void allocate(struct run *r)
{
	static const uint32_t types[] = { 0, IOMMUSIM_GFP_BIT_MOVABLE, IOMMUSIM_GFP_BIT_MOVABLE,
		                          IOMMUSIM_GFP_BIT_RECLAIMABLE };
	struct iommusim_page_request req = { .order = below(r, 3) ? 0 : below(r, r->w->nr_orders),
		                             .gfp = KERNEL | types[below(r, 4)],
		                             .kind = 1 + below(r, IOMMUSIM_PAGE_PINNED) };
	struct iommusim_page_block block;
	uint64_t nr_large = 0;
	int err, may_fail = r->w->features != BOTH;

	for (unsigned order = req.order; order < r->w->nr_orders; order++)
		nr_large += iommusim_phys_nr_free_blocks(r->phys, order);
	if (!below(r, 8))
		req.gfp |= IOMMUSIM_GFP_BIT_COMP;
	req.cpu = below(r, NR_CPUS);
	req.gfp &= ~(below(r, 3) ? 0 : IOMMUSIM_GFP_BIT_DIRECT_RECLAIM);
	req.gfp |= below(r, 2) ? IOMMUSIM_GFP_BIT_NORETRY : 0;
	err = iommusim_phys_alloc(r->phys, &req, &block);
	assert_err(err, err && (may_fail || !nr_large) ? IOMMUSIM_ENOMEM : 0);
	if (!err)
		book_add(&r->book, block.pfn, req.order, req.kind);
}

static void give_back(struct run *r)
{
	const struct held *h = some_block(r);
	struct held held;

	if (!h)
		return;
	held = book_remove(&r->book, h->pfn);
	assert_ok(iommusim_phys_free_on(r->phys, held.pfn, held.order, below(r, NR_CPUS)));
}

/* Split a block, and free every second page of it or none. */
static void split(struct run *r)
{
	const struct held *h = some_block(r);
	unsigned step = 2 + below(r, 2) * 64;
	struct held held;

	if (!h || (iommusim_phys_split(r->phys, h->pfn, h->order) && h->order))
		return;
	held = book_remove(&r->book, h->pfn);
	for (unsigned i = 0; i < 1u << held.order; i++)
		if (i % step == 1)
			assert_ok(iommusim_phys_free(r->phys, held.pfn + i, 0));
		else
			book_add(&r->book, held.pfn + i, 0, held.kind);
}

/* A block that reclaim can take becomes the population's. */
static void hand_over(struct run *r)
{
	const struct held *h = some_block(r);
	struct isim_zone *zone;
	uint32_t frame = 0;

	if (!h || h->kind < IOMMUSIM_PAGE_SLAB || h->kind > IOMMUSIM_PAGE_HUGE ||
	    h->order > r->w->pageblock_order)
		return;
	zone = isim_zone_of(r->phys, h->pfn, &frame);
	isim_adopt(zone, frame);
	book_remove(&r->book, h->pfn);
}

static struct iommusim_usage usage_of(struct run *r)
{
	struct iommusim_usage usage;

	assert_ok(iommusim_phys_usage(r->phys, 0, &usage));
	return usage;
}

/* Compact for a request, or all: nothing is lost, every kind has as many frames as before. */
static void compact(struct run *r)
{
	struct isim_attempt attempt = { .order = 1 + below(r, r->w->nr_orders - 1),
		                        .type = below(r, 3),
		                        .highest = IOMMUSIM_ZONE_NORMAL };
	struct iommusim_usage before = usage_of(r), after;
	uint64_t nr_free = iommusim_phys_nr_free(r->phys);

	r->book.refuse = below(r, 2);
	if (below(r, 4))
		isim_compact(r->phys, &attempt, (enum isim_compact_priority)below(r, 3));
	else
		assert_ok(iommusim_phys_compact(r->phys, NULL));
	after = usage_of(r);
	assert_memory_equal(&after, &before, sizeof(before));
	assert_int_equal(iommusim_phys_nr_free(r->phys), nr_free);
}

static uint64_t all_of(const struct iommusim_usage *usage, unsigned kind)
{
	return usage->callers[kind] + usage->population[kind];
}

/* What was taken is what the counts say, kind by kind, and what became free. */
static void reclaim(struct run *r)
{
	struct iommusim_usage before = usage_of(r), after;
	uint64_t nr_free = iommusim_phys_nr_free(r->phys), swap = below(r, 40);
	struct iommusim_reclaim_counts n;

	r->book.refuse = below(r, 2);
	iommusim_phys_set_swap(r->phys, swap);
	assert_ok(iommusim_phys_reclaim(r->phys, 0, below(r, 2) ? below(r, 64) : 10000, &n));
	after = usage_of(r);
	assert_int_equal(all_of(&before, IOMMUSIM_PAGE_CACHE) - n.nr_clean,
	                 all_of(&after, IOMMUSIM_PAGE_CACHE));
	assert_int_equal(all_of(&before, IOMMUSIM_PAGE_DIRTY) - n.nr_written,
	                 all_of(&after, IOMMUSIM_PAGE_DIRTY));
	assert_int_equal(all_of(&before, IOMMUSIM_PAGE_SLAB) - n.nr_shrunk,
	                 all_of(&after, IOMMUSIM_PAGE_SLAB));
	assert_int_equal(all_of(&before, IOMMUSIM_PAGE_ANON) + all_of(&before, IOMMUSIM_PAGE_HUGE),
	                 all_of(&after, IOMMUSIM_PAGE_ANON) + all_of(&after, IOMMUSIM_PAGE_HUGE) +
	                         n.nr_swapped);
	assert_int_equal(iommusim_phys_swap_left(r->phys), swap - n.nr_swapped);
	assert_int_equal(iommusim_phys_nr_free(r->phys),
	                 nr_free + n.nr_clean + n.nr_written + n.nr_shrunk + n.nr_swapped);
}

static void go_on_with_a_fork(struct run *r)
{
	struct iommusim_phys *copy;

	assert_ok(iommusim_phys_fork(r->phys, &copy));
	iommusim_phys_destroy(r->phys);
	r->phys = copy;
	book_owns(&r->book, r->phys);
}

/* Frames on the CPUs' lists. */
static uint64_t nr_on_cpus(struct run *r)
{
	uint64_t nr = 0;

	for (unsigned cpu = 0; cpu < NR_CPUS; cpu++) {
		struct iommusim_pcp_state pcp;
		struct iommusim_pcp_id id = { .cpu = cpu };

		assert_ok(iommusim_phys_pcp(r->phys, id, &pcp));
		nr += (uint64_t)pcp.count;
	}
	return nr;
}

/* The obvious answer to whose a pageblock is: count all of it. */
static int is_ours(const struct isim_zone *zone, uint32_t from, unsigned start)
{
	uint32_t size = 1u << zone->pageblock_order, end = (from | (size - 1)) + 1;
	uint32_t nr_free = 0, nr_movable = 0, alike = 0;

	from = end - size < zone->first ? from : end - size;
	for (uint32_t at = from; at < end;) {
		unsigned state = isim_state(zone, at), frames = 1u << isim_block_order(state);

		if ((state & ISIM_STATE_BITS) == ISIM_FREE)
			nr_free += frames;
		else if (isim_is_movable(isim_block_kind(state)))
			nr_movable += frames;
		at += frames;
	}
	if (start == IOMMUSIM_MOVABLE)
		alike = nr_movable;
	else if (isim_pageblock(zone, from) == IOMMUSIM_MOVABLE)
		alike = size - nr_free - nr_movable;
	return nr_free + alike >= size / 2;
}

/* Every free block that could be raided is judged as that says. */
static void compare_judgements(struct run *r)
{
	const struct isim_zone *zone = &r->phys->zone[0];
	uint32_t size = 1u << zone->pageblock_order;

	for (uint32_t at = zone->first; at < (zone->end & ~(size - 1));) {
		unsigned state = isim_state(zone, at), order = isim_block_order(state);
		int may_be_raided =
			(state & ISIM_STATE_BITS) == ISIM_FREE && order < zone->pageblock_order;

		for (unsigned type = 0; may_be_raided && type <= IOMMUSIM_RECLAIMABLE; type++) {
			int want = is_ours(zone, at, type);

			assert_int_equal(isim_pageblock_is_ours(zone, at, type), want);
			r->nr_judged[want]++;
		}
		at += 1u << order;
	}
}

static void check(struct run *r)
{
	struct iommusim_usage usage = usage_of(r);
	uint64_t nr = iommusim_phys_nr_free(r->phys) + nr_on_cpus(r);

	if (iommusim_phys_check(r->phys))
		fail_msg("%s", iommusim_phys_error(r->phys));
	book_compare(&r->book, r->phys);
	compare_judgements(r);
	for (unsigned kind = 0; kind < IOMMUSIM_NR_PAGE_KINDS; kind++)
		nr += all_of(&usage, kind);
	assert_int_equal(nr, r->w->nr_frames);
}

static void step(struct run *r)
{
	unsigned dice = below(r, 1000);

	if (dice < 450)
		allocate(r);
	else if (dice < 700)
		give_back(r);
	else if (dice < 850)
		split(r);
	else if (dice < 930)
		hand_over(r);
	else if (dice < 970)
		compact(r);
	else if (dice < 990)
		reclaim(r);
	else if (dice < 995)
		iommusim_phys_drain(r->phys);
	else if (dice < 999)
		assert_true(iommusim_phys_decay(r->phys, below(r, NR_CPUS)) >= 0);
	else
		go_on_with_a_fork(r);
}

static void every_frame_and_its_kind_are_accounted_for(void **state)
{
	const struct world *w = *state;
	struct iommusim_phys_config config = { .kernel = w->kernel,
		                               .nr_orders = w->nr_orders,
		                               .pageblock_order = w->pageblock_order,
		                               .features = w->features,
		                               .nr_cpus = NR_CPUS };
	struct run r = { .w = w, .rng = isim_rng_seed(w->seed) };

	r.phys = given_zone(config, w->start, w->nr_frames);
	r.book = given_book(w->start + w->nr_frames);
	book_owns(&r.book, r.phys);
	print_message("# seed %u, %u steps\n", (unsigned)w->seed, nr_steps);
	for (unsigned i = 0; i < nr_steps; i++) {
		step(&r);
		check(&r);
	}
	print_message("# %u moves, %u takes\n", (unsigned)r.book.nr_moves,
	              (unsigned)r.book.nr_takes);
	assert_true(r.book.nr_moves > nr_steps / 50);
	assert_true(r.book.nr_takes > nr_steps / 50);
	assert_true(r.nr_judged[0] > nr_steps / 2 && r.nr_judged[1] > nr_steps / 2);
	book_finish(&r.book);
	iommusim_phys_destroy(r.phys);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST_ROW(every_frame_and_its_kind_are_accounted_for, &worlds[0]),
		TEST_ROW(every_frame_and_its_kind_are_accounted_for, &worlds[1]),
		TEST_ROW(every_frame_and_its_kind_are_accounted_for, &worlds[2]),
		TEST_ROW(every_frame_and_its_kind_are_accounted_for, &worlds[3]),
		TEST_ROW(every_frame_and_its_kind_are_accounted_for, &worlds[4]),
		TEST_ROW(every_frame_and_its_kind_are_accounted_for, &worlds[5]),
	};

	(void)argv;
	if (argc > 1)
		nr_steps = STEPS;
	return RUN_TESTS(tests);
}
