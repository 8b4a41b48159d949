/* SPDX-License-Identifier: MIT */
/*
 * The obvious page allocator: a free list is an array of pfns from its head to its tail, a frame is
 * a record, every search is a loop. Each function restates one rule of mm/page_alloc.c, Linux 6.1
 * (6.1.192: fallback generation A) and 6.12 (6.12.117: generation C), and names it. Simplifies what
 * phys simplifies: no watermarks, no per-CPU lists, no reclaim, no compaction, no CMA requests.
 */
#ifndef PHYS_ORACLE_H
#define PHYS_ORACLE_H

#include <assert.h>
#include <string.h>

#include "base/bits.h"
#include "iommusim/phys.h"

#define ORACLE_ZONES 4
#ifndef ORACLE_FRAMES
#define ORACLE_FRAMES 2560 /* the most in a zone */
#endif
#define ORACLE_LISTED (ORACLE_FRAMES / 2 + 1) /* of two buddies, one is on a list at most */
#define ORACLE_NODES  64

struct page {
	enum { PAGE_INNER, PAGE_FREE, PAGE_USED } state; /* inner: not the first of a block */
	unsigned order, type;                            /* of the block; the list it is on */
	int compound;
	int movable; /* in use for movable data: set in every page of the block */
};

struct list {
	unsigned nr;
	iommusim_pfn pfn[ORACLE_LISTED];
};

struct oracle_zone {
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

/* free_one_page(): 6.1 goes by the first pageblock; 6.12, split_large_buddy(), by each of them. */
static void free_by_type(struct oracle_zone *z, uint64_t pfn, unsigned order)
{
	unsigned piece = order;

	if (z->kernel >= IOMMUSIM_KERNEL(6, 12) && order > z->pageblock_order)
		piece = z->pageblock_order;
	for (uint64_t at = pfn; at < pfn + isim_bit(order); at += isim_bit(piece))
		free_block(z, (struct block){ at, piece, *type_of(z, at) }, 0);
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
static void move_free_blocks(struct oracle_zone *z, uint64_t first, uint64_t end, unsigned type)
{
	for (uint64_t pfn = first; pfn < end; pfn++)
		if (page_of(z, pfn)->state == PAGE_FREE)
			move_block(z, (struct block){ pfn, page_of(z, pfn)->order, 0 }, type);
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
static void steal(struct oracle_zone *z, struct block found, unsigned start)
{
	uint64_t first = isim_align_down(found.pfn, isim_bit(z->pageblock_order));
	uint64_t end = first + isim_bit(z->pageblock_order);
	int is_highatomic = *type_of(z, found.pfn) == IOMMUSIM_HIGHATOMIC, is_ours;

	if (!is_highatomic && found.order >= z->pageblock_order)
		set_types(z, found, start);
	if (is_highatomic || found.order >= z->pageblock_order ||
	    !whole_ok(z, found.order, start) || end > z->end) {
		move_block(z, found, start);
		return;
	}
	if (first < z->start)
		first = found.pfn;
	is_ours = is_half_ours(z, first, end, start);
	move_free_blocks(z, first, end, start);
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
	steal(z, found, take->type);
	return take_smallest(z, take->order, take->type);
}

/* ---- Generation C: Linux 6.12 ---- */

/* try_to_claim_block(): all of a pageblock or nothing, and only where it is all in the zone. */
static uint64_t try_claim(struct oracle_zone *z, struct block found, const struct take *take)
{
	uint64_t first = isim_align_down(found.pfn, isim_bit(z->pageblock_order));
	uint64_t end = first + isim_bit(z->pageblock_order);

	if (*type_of(z, found.pfn) == IOMMUSIM_HIGHATOMIC)
		return IOMMUSIM_NO_PFN;
	if (found.order >= z->pageblock_order) {
		del_block(z, found.pfn);
		set_types(z, found, take->type);
		found.type = take->type;
		return expand(z, found, take->order);
	}
	if (first < z->start || end > z->end || !is_half_ours(z, first, end, take->type))
		return IOMMUSIM_NO_PFN;
	move_free_blocks(z, first, end, take->type);
	*type_of(z, found.pfn) = take->type;
	return take_smallest(z, take->order, take->type);
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
	return expand(z, found, take->order);
}

/* The modes of __rmqueue(): claim, then steal, which NOFRAGMENT rules out. */
static uint64_t take_fallback_c(struct oracle_zone *z, struct take *take)
{
	uint64_t pfn = take_claim(z, take);

	return pfn != IOMMUSIM_NO_PFN || take->nofragment ? pfn : take_steal(z, take);
}

/* ---- Requests ---- */

/* gfp_zone(). Combinations that GFP_ZONE_TABLE lacks read as zone 0, the lowest that there is. */
static unsigned highest_zone(const struct oracle *o, uint32_t gfp)
{
	static const unsigned wanted[8] = { IOMMUSIM_ZONE_NORMAL, IOMMUSIM_ZONE_DMA,
		                            IOMMUSIM_ZONE_HIGHMEM, 0, IOMMUSIM_ZONE_DMA32 };
	unsigned bits = gfp & 7; /* DMA, HIGHMEM, DMA32 */

	if (bits & (bits - 1))
		return isim_low_bit(o->configured_zones);
	if (bits == IOMMUSIM_GFP_BIT_HIGHMEM && gfp & IOMMUSIM_GFP_BIT_MOVABLE)
		return IOMMUSIM_ZONE_MOVABLE;
	return o->configured_zones >> wanted[bits] & 1 ? wanted[bits] : IOMMUSIM_ZONE_NORMAL;
}

static struct oracle_zone *zone_of(struct oracle *o, unsigned node, unsigned kind)
{
	for (unsigned i = 0; i < o->nr_zones; i++)
		if (o->zone[i].config.node == node && (unsigned)o->zone[i].config.zone == kind)
			return &o->zone[i];
	return NULL;
}

/* The usable part of build_zonelists(): the nodes from @req's own on, each downwards; then NULL. */
static void build_zonelist(struct oracle *o, const struct iommusim_page_request *req,
                           struct oracle_zone *list[ORACLE_ZONES + 1])
{
	unsigned first = req->node < 0 ? 0 : (unsigned)req->node;
	unsigned nr_nodes = req->gfp & IOMMUSIM_GFP_BIT_THISNODE ? 1 : ORACLE_NODES;

	for (unsigned i = 0; i < nr_nodes; i++)
		for (unsigned kind = highest_zone(o, req->gfp) + 1; kind-- > 0;) {
			*list = zone_of(o, (first + i) % ORACLE_NODES, kind);
			list += *list != NULL;
		}
	*list = NULL;
}

/* alloc_flags_nofragment(): with more nodes than one, the preferred zone's must have a DMA32. */
static int wants_nofragment(struct oracle *o, const struct oracle_zone *preferred)
{
	int is_only_node = 1;

	for (unsigned i = 0; i < o->nr_zones; i++)
		is_only_node &= o->zone[i].config.node == preferred->config.node;
	return o->configured_zones >> IOMMUSIM_ZONE_DMA32 & 1 &&
	       preferred->config.zone == IOMMUSIM_ZONE_NORMAL &&
	       (is_only_node || zone_of(o, preferred->config.node, IOMMUSIM_ZONE_DMA32));
}

/* __rmqueue(): the block, cut and on no list, in @take. 0: none. */
static int take_from_zone(const struct oracle *o, struct oracle_zone *z, struct take *take)
{
	take->found_on = take->type;
	take->min_order = take->order;
	if (take->nofragment && take->order < z->pageblock_order)
		take->min_order = z->pageblock_order;
	take->pfn = take_smallest(z, take->order, take->type);
	if (take->pfn == IOMMUSIM_NO_PFN && o->fallback == IOMMUSIM_FALLBACK_A)
		take->pfn = take_fallback_a(z, take);
	else if (take->pfn == IOMMUSIM_NO_PFN)
		take->pfn = take_fallback_c(z, take);
	return take->pfn != IOMMUSIM_NO_PFN;
}

/* A scan of get_page_from_freelist(): the zone that had a block. NOFRAGMENT ends where it would
 * lead away from the preferred zone's node. */
static struct oracle_zone *scan_zones(const struct oracle *o, struct oracle_zone *const *list,
                                      struct take *take)
{
	unsigned node = list[0]->config.node;

	for (; *list && !(take->nofragment && (*list)->config.node != node); list++)
		if (take_from_zone(o, *list, take))
			return *list;
	return NULL;
}

/* __alloc_pages(): the zone and @take; NULL: no block. */
static struct oracle_zone *oracle_take(struct oracle *o, const struct iommusim_page_request *req,
                                       struct take *take)
{
	struct oracle_zone *list[ORACLE_ZONES + 1], *z;

	*take = (struct take){ .order = req->order, .type = req->gfp >> 3 & 3 };
	build_zonelist(o, req, list);
	if (!list[0] || req->order > list[0]->max_order)
		return NULL;
	take->nofragment = wants_nofragment(o, list[0]);
	z = scan_zones(o, list, take);
	if (z || !take->nofragment)
		return z;
	take->nofragment = 0;
	return scan_zones(o, list, take);
}

#endif
