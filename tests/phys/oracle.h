/* SPDX-License-Identifier: MIT */
/*
 * The obvious page allocator: a free list is an array of pfns from its head to its tail, a frame is
 * a record, every search is a loop. Each function restates one rule of mm/page_alloc.c, Linux 6.1
 * (6.1.192: fallback generation A) and 6.12 (6.12.117: generation C), and names it. Here without
 * watermarks and per-CPU lists: these are oracle_request.h's, which sets a zone's marks.
 */
#ifndef PHYS_ORACLE_H
#define PHYS_ORACLE_H

#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "iommusim/phys.h"
#include "iommusim/phys/exact.h"

#define ORACLE_ZONES 4
#ifndef ORACLE_FRAMES
#define ORACLE_FRAMES 2560 /* the most in a zone */
#endif
#define ORACLE_LISTED (ORACLE_FRAMES / 2 + 1) /* of two buddies, one is on a list at most */
#define ORACLE_NODES  64

struct page {
	/* inner: not the first of a block; pcp: on a per-CPU list */
	enum { PAGE_INNER, PAGE_FREE, PAGE_USED, PAGE_PCP } state;
	unsigned order, type; /* of the block; the list it is on, or came from */
	int compound;
	int movable; /* in use for movable data: set in every page of the block */
};

struct list {
	unsigned nr;
	iommusim_pfn pfn[ORACLE_LISTED];
};

/* What a zone has beside its lists where there are watermarks. */
struct marks {
	struct iommusim_zone_numbers n;
	int64_t counter;    /* NR_FREE_PAGES, as read */
	int64_t pending[2]; /* by CPU: changes that the counter does not have yet */
	int64_t threshold;
	unsigned flags;
	unsigned cpu;      /* the one that runs */
	uint64_t reserved; /* frames, for high-order atomic requests */
};

struct oracle_zone {
	struct marks *marks; /* NULL: there are none */
	struct iommusim_zone_config config;
	uint64_t start, end; /* end: the first pfn after the zone */
	unsigned max_order, pageblock_order, kernel;
	struct page page[ORACLE_FRAMES];
	unsigned pageblock[ORACLE_FRAMES / 2 + 1]; /* types */
	struct list list[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES];
};

struct oracle {
	enum iommusim_fallback fallback;
	unsigned configured_zones, nr_zones;
	struct oracle_zone zone[ORACLE_ZONES];
};

/* A free block. One that is not there has IOMMUSIM_NO_PFN. */
struct block {
	iommusim_pfn pfn;
	unsigned order, type;
};

/* A request, as a zone sees it, and what came of it. */
struct take {
	unsigned order, type;
	int nofragment;
	unsigned min_order; /* the least that is broken up: NOFRAGMENT spares parts of pageblocks */
	unsigned found_on;  /* out: the list */
	iommusim_pfn pfn;   /* out */
	unsigned aflags;    /* ALLOC_*, mm/internal.h, for oracle_request.h */
	enum { MODE_NORMAL, MODE_CMA, MODE_CLAIM, MODE_STEAL } mode; /* 6.12: of a refill */
	unsigned taken_as; /* out: the list that it was taken off */
};

/* ---- Pages and pageblocks ---- */

static int is_in_zone(const struct oracle_zone *z, uint64_t pfn)
{
	return pfn >= z->start && pfn < z->end;
}

static struct page *page_of(struct oracle_zone *z, uint64_t pfn)
{
	assert(is_in_zone(z, pfn));
	return &z->page[pfn - z->start];
}

/* get_pageblock_migratetype(), set_pageblock_migratetype() */
static unsigned *type_of(struct oracle_zone *z, uint64_t pfn)
{
	assert(is_in_zone(z, pfn));
	return &z->pageblock[(pfn >> z->pageblock_order) - (z->start >> z->pageblock_order)];
}

/* change_pageblock_range(): every pageblock of a block that is one or more. */
static void set_types(struct oracle_zone *z, struct block block, unsigned type)
{
	for (uint64_t at = 0; at < isim_bit(block.order); at += isim_bit(z->pageblock_order))
		*type_of(z, block.pfn + at) = type;
}

/* page_is_buddy(): does a free block of exactly @order start at @pfn, in this zone? */
static int is_free_block(struct oracle_zone *z, uint64_t pfn, unsigned order)
{
	return is_in_zone(z, pfn) && page_of(z, pfn)->state == PAGE_FREE &&
	       page_of(z, pfn)->order == order;
}

/* ---- The counter ---- */

/* __mod_zone_page_state(): a change waits on its CPU until there are many. */
static void count_free(struct oracle_zone *z, int64_t change)
{
	struct marks *m = z->marks;
	int64_t x;

	if (!m)
		return;
	x = m->pending[m->cpu] + change;
	m->pending[m->cpu] = x;
	if (x > m->threshold || -x > m->threshold) {
		m->counter += x;
		m->pending[m->cpu] = 0;
	}
}

/* Linux 6.12 counts every block that is moved or taken; 6.1 once for the whole request. */
static void count_step(struct oracle_zone *z, int64_t change)
{
	if (z->kernel >= IOMMUSIM_KERNEL(6, 12))
		count_free(z, change);
}

/* boost_watermark(): ALLOC_KSWAPD is 0x800. */
static void boost(struct oracle_zone *z, unsigned aflags)
{
	uint64_t block = isim_bit(z->pageblock_order), most;

	if (!z->marks || 4 * block > z->marks->n.managed)
		return;
	most = z->marks->n.high * 3 / 2;
	if (most < block)
		most = block;
	z->marks->n.boost += block;
	if (z->marks->n.boost > most)
		z->marks->n.boost = most;
	if (aflags & 0x800)
		z->marks->flags |= IOMMUSIM_ZONE_FLAG_BOOSTED;
}

/* ---- Free lists ---- */

/* add_to_free_list(), add_to_free_list_tail() */
static void add_block(struct oracle_zone *z, struct block block, int to_tail)
{
	struct list *list = &z->list[block.order][block.type];
	unsigned at = to_tail ? list->nr : 0;

	assert(list->nr < ORACLE_LISTED);
	memmove(&list->pfn[at + 1], &list->pfn[at], (list->nr - at) * sizeof(list->pfn[0]));
	list->pfn[at] = block.pfn;
	list->nr++;
	*page_of(z, block.pfn) = (struct page){ PAGE_FREE, block.order, block.type, 0, 0 };
}

/* del_page_from_free_list() */
static void del_block(struct oracle_zone *z, uint64_t pfn)
{
	struct page *page = page_of(z, pfn);
	struct list *list = &z->list[page->order][page->type];
	unsigned at = 0;

	while (list->pfn[at] != pfn)
		at++;
	list->nr--;
	memmove(&list->pfn[at], &list->pfn[at + 1], (list->nr - at) * sizeof(list->pfn[0]));
	page->state = PAGE_INNER;
}

/* move_to_free_list(): always to the tail. */
static void move_block(struct oracle_zone *z, struct block block, unsigned type)
{
	del_block(z, block.pfn);
	block.type = type;
	add_block(z, block, 1);
}

/* The same where a pageblock changes hands. */
static void move_counted(struct oracle_zone *z, struct block block, const struct take *take)
{
	count_step(z, -(int64_t)isim_bit(block.order));
	move_block(z, block, take->type);
	count_step(z, (int64_t)isim_bit(block.order));
}

/* expand(): upper halves go to the heads of the lists, the lowest piece is the one taken. */
static uint64_t expand(struct oracle_zone *z, struct block block, unsigned order)
{
	uint64_t pfn = block.pfn;

	while (block.order > order) {
		block.order--;
		block.pfn = pfn + isim_bit(block.order);
		add_block(z, block, 0);
	}
	return pfn;
}

/* __rmqueue_smallest(): the head of the first list that suffices. */
static uint64_t take_smallest(struct oracle_zone *z, unsigned order, unsigned type)
{
	for (unsigned have = order; have <= z->max_order; have++) {
		struct block block = { z->list[have][type].pfn[0], have, type };

		if (!z->list[have][type].nr)
			continue;
		del_block(z, block.pfn);
		return expand(z, block, order);
	}
	return IOMMUSIM_NO_PFN;
}

/* ---- Freeing ---- */

/* migratetype_is_mergeable() of both, or the same type: asked of pageblocks and larger. */
static int may_merge(unsigned ours, unsigned theirs)
{
	return ours == theirs || (ours <= IOMMUSIM_RECLAIMABLE && theirs <= IOMMUSIM_RECLAIMABLE);
}

/* buddy_merge_likely(): the parent's buddy is free, so when ours comes back it merges twice. */
static int merge_likely(struct oracle_zone *z, uint64_t pfn, unsigned order)
{
	uint64_t parent = pfn & ~isim_bit(order);

	return order + 1 < z->max_order &&
	       is_free_block(z, parent ^ isim_bit(order + 1), order + 1);
}

/* __free_one_page(). Linux 6.12 gives a buddy that had another type ours; 6.1 lets it keep it. */
static void free_block(struct oracle_zone *z, struct block block, int to_tail)
{
	for (; block.order < z->max_order; block.order++) {
		struct block buddy = { block.pfn ^ isim_bit(block.order), block.order, 0 };

		if (!is_free_block(z, buddy.pfn, buddy.order))
			break;
		if (block.order >= z->pageblock_order) {
			buddy.type = *type_of(z, buddy.pfn);
			if (!may_merge(block.type, buddy.type))
				break;
			if (z->kernel >= IOMMUSIM_KERNEL(6, 12) && buddy.type != block.type)
				set_types(z, buddy, block.type);
		}
		del_block(z, buddy.pfn);
		block.pfn &= buddy.pfn;
	}
	add_block(z, block, to_tail || merge_likely(z, block.pfn, block.order));
}

static void free_counted(struct oracle_zone *z, struct block block)
{
	if (block.type != IOMMUSIM_ISOLATE)
		count_free(z, (int64_t)isim_bit(block.order));
	free_block(z, block, 0);
}

/* free_one_page(): 6.1 goes by the first pageblock; 6.12, split_large_buddy(), by each of them. */
static void free_by_type(struct oracle_zone *z, uint64_t pfn, unsigned order)
{
	unsigned piece = order;

	if (z->kernel >= IOMMUSIM_KERNEL(6, 12) && order > z->pageblock_order)
		piece = z->pageblock_order;
	for (uint64_t at = pfn; at < pfn + isim_bit(order); at += isim_bit(piece))
		free_counted(z, (struct block){ at, piece, *type_of(z, at) });
}

/* memblock_free_all(): all is Movable, and freed upwards in the largest aligned blocks that fit. */
static inline void boot_zone(struct oracle_zone *z)
{
	for (uint64_t pfn = z->start; pfn < z->end; pfn++)
		*type_of(z, pfn) = IOMMUSIM_MOVABLE;
	for (uint64_t pfn = z->start; pfn < z->end;) {
		struct block block = { pfn, z->max_order, IOMMUSIM_MOVABLE };

		while (pfn & (isim_bit(block.order) - 1) || isim_bit(block.order) > z->end - pfn)
			block.order--;
		free_block(z, block, 1);
		pfn += isim_bit(block.order);
	}
}

/* ---- Fallback: a block of another type ---- */

/* find_suitable_fallback(): the first list of fallbacks[] that is not empty. */
static struct block find_fallback(struct oracle_zone *z, unsigned order, unsigned start)
{
	static const unsigned fallbacks[3][2] = {
		[IOMMUSIM_UNMOVABLE] = { IOMMUSIM_RECLAIMABLE, IOMMUSIM_MOVABLE },
		[IOMMUSIM_MOVABLE] = { IOMMUSIM_RECLAIMABLE, IOMMUSIM_UNMOVABLE },
		[IOMMUSIM_RECLAIMABLE] = { IOMMUSIM_UNMOVABLE, IOMMUSIM_MOVABLE },
	};

	for (unsigned i = 0; i < 2; i++) {
		const struct list *list = &z->list[order][fallbacks[start][i]];

		if (list->nr)
			return (struct block){ list->pfn[0], order, fallbacks[start][i] };
	}
	return (struct block){ .pfn = IOMMUSIM_NO_PFN };
}

static struct block find_smallest(struct oracle_zone *z, const struct take *take)
{
	struct block found = { .pfn = IOMMUSIM_NO_PFN };

	for (unsigned have = take->order; have <= z->max_order && found.pfn == IOMMUSIM_NO_PFN;
	     have++)
		found = find_fallback(z, have, take->type);
	return found;
}

/* can_steal_fallback() of 6.1, should_try_claim_block() of 6.12: may the whole pageblock go? */
static int whole_ok(const struct oracle_zone *z, unsigned order, unsigned start)
{
	return order >= z->pageblock_order / 2 || start != IOMMUSIM_MOVABLE;
}

/* What move_freepages_block() counts from @first on, and its callers' verdict: is half of the
 * pageblock free or like us? In a Movable one, all that is not movable is like us if we are not. */
static int is_half_ours(struct oracle_zone *z, uint64_t first, uint64_t end, unsigned start)
{
	uint64_t free = 0, movable = 0, alike = 0;

	for (uint64_t pfn = first; pfn < end; pfn++) {
		if (page_of(z, pfn)->state == PAGE_FREE)
			free += isim_bit(page_of(z, pfn)->order);
		movable += page_of(z, pfn)->movable != 0;
	}
	if (start == IOMMUSIM_MOVABLE)
		alike = movable;
	else if (*type_of(z, first) == IOMMUSIM_MOVABLE)
		alike = isim_bit(z->pageblock_order) - (free + movable);
	return free + alike >= isim_bit(z->pageblock_order - 1);
}

/* What move_freepages_block() moves: every free block, upwards. */
static void move_free_blocks(struct oracle_zone *z, uint64_t first, uint64_t end,
                             const struct take *take)
{
	for (uint64_t pfn = first; pfn < end; pfn++)
		if (page_of(z, pfn)->state == PAGE_FREE)
			move_counted(z, (struct block){ pfn, page_of(z, pfn)->order, 0 }, take);
}

/* take_smallest() for a request. */
static uint64_t take_own(struct oracle_zone *z, struct take *take, unsigned type)
{
	uint64_t pfn = take_smallest(z, take->order, type);

	take->taken_as = type;
	if (pfn != IOMMUSIM_NO_PFN && type != IOMMUSIM_ISOLATE)
		count_step(z, -(int64_t)isim_bit(take->order));
	return pfn;
}

/* ---- Generation A: Linux 6.1 ---- */

/* The search of __rmqueue_fallback(): the largest; a small movable request takes the smallest. */
static struct block find_largest(struct oracle_zone *z, const struct take *take)
{
	unsigned have = z->max_order + 1;
	struct block found = { .pfn = IOMMUSIM_NO_PFN };

	while (found.pfn == IOMMUSIM_NO_PFN && have-- > take->min_order)
		found = find_fallback(z, have, take->type);
	if (found.pfn == IOMMUSIM_NO_PFN || whole_ok(z, have, take->type) || have <= take->order)
		return found;
	return find_smallest(z, take);
}

/* steal_suitable_fallback(). Of a pageblock that reaches out of the zone, at its end only the block
 * found is moved; at its start, that block and what lies above it. */
static void steal(struct oracle_zone *z, struct block found, const struct take *take)
{
	unsigned start = take->type;
	uint64_t first = isim_align_down(found.pfn, isim_bit(z->pageblock_order));
	uint64_t end = first + isim_bit(z->pageblock_order);
	int is_highatomic = *type_of(z, found.pfn) == IOMMUSIM_HIGHATOMIC, is_ours;

	if (!is_highatomic && found.order >= z->pageblock_order)
		set_types(z, found, start);
	if (!is_highatomic && found.order < z->pageblock_order)
		boost(z, take->aflags);
	if (is_highatomic || found.order >= z->pageblock_order ||
	    !whole_ok(z, found.order, start) || end > z->end) {
		move_block(z, found, start);
		return;
	}
	if (first < z->start)
		first = found.pfn;
	is_ours = is_half_ours(z, first, end, start);
	move_free_blocks(z, first, end, take);
	if (is_ours)
		*type_of(z, found.pfn) = start;
}

/* __rmqueue_fallback(), and the retry of __rmqueue() after it. */
static uint64_t take_fallback_a(struct oracle_zone *z, struct take *take)
{
	struct block found = find_largest(z, take);

	if (found.pfn == IOMMUSIM_NO_PFN)
		return found.pfn;
	take->found_on = found.type;
	steal(z, found, take);
	return take_own(z, take, take->type);
}

/* ---- Generation C: Linux 6.12 ---- */

/* try_to_claim_block(): all of a pageblock or nothing, and only where it is all in the zone. */
static uint64_t try_claim(struct oracle_zone *z, struct block found, struct take *take)
{
	uint64_t first = isim_align_down(found.pfn, isim_bit(z->pageblock_order));
	uint64_t end = first + isim_bit(z->pageblock_order);

	if (*type_of(z, found.pfn) == IOMMUSIM_HIGHATOMIC)
		return IOMMUSIM_NO_PFN;
	if (found.order >= z->pageblock_order) {
		del_block(z, found.pfn);
		count_step(z, -(int64_t)isim_bit(found.order));
		set_types(z, found, take->type);
		found.type = take->type;
		count_step(z, (int64_t)isim_bit(found.order) - (int64_t)isim_bit(take->order));
		return expand(z, found, take->order);
	}
	boost(z, take->aflags);
	if (first < z->start || end > z->end || !is_half_ours(z, first, end, take->type))
		return IOMMUSIM_NO_PFN;
	move_free_blocks(z, first, end, take);
	*type_of(z, found.pfn) = take->type;
	return take_own(z, take, take->type);
}

/* __rmqueue_claim(): downwards; a head that cannot be claimed is passed over. */
static uint64_t take_claim(struct oracle_zone *z, struct take *take)
{
	for (unsigned have = z->max_order + 1; have-- > take->min_order;) {
		struct block found = find_fallback(z, have, take->type);
		uint64_t pfn;

		if (!whole_ok(z, have, take->type))
			break;
		if (found.pfn == IOMMUSIM_NO_PFN)
			continue;
		take->found_on = found.type;
		pfn = try_claim(z, found, take);
		if (pfn != IOMMUSIM_NO_PFN)
			return pfn;
	}
	return IOMMUSIM_NO_PFN;
}

/* __rmqueue_steal(): upwards; the rest of the block stays on the lists of its type. */
static uint64_t take_steal(struct oracle_zone *z, struct take *take)
{
	struct block found = find_smallest(z, take);

	if (found.pfn == IOMMUSIM_NO_PFN)
		return found.pfn;
	take->found_on = found.type;
	del_block(z, found.pfn);
	count_step(z, -(int64_t)isim_bit(take->order));
	return expand(z, found, take->order);
}

/* The modes of __rmqueue(): claim, then steal, which NOFRAGMENT rules out. */
static uint64_t take_fallback_c(struct oracle_zone *z, struct take *take)
{
	uint64_t pfn = take_claim(z, take);

	return pfn != IOMMUSIM_NO_PFN || take->nofragment ? pfn : take_steal(z, take);
}

#include "oracle_alloc.h"

#endif
