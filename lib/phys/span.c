/* SPDX-License-Identifier: MIT */
/*
 * Which spans hold a zone's free blocks. A region is an aligned stretch of 2^k frames that is not
 * one free block. It is two halves: at most one of them is a free block of order k - 1, else the
 * two would have merged; the other is a region in turn, and a region of one frame is a frame in
 * use. Where the zone's start or end cuts a stretch, the largest aligned blocks inside are slots:
 * each is a free block or a region, since its buddy is not whole. So n regions of order k and m
 * slots of order k - 1 hold at most n + m free blocks of order k - 1, and leave 2n + m less those
 * regions of that order: which spans are large enough follows from counting.
 */
#include "phys/snapshot.h"

#include <string.h>

/* What a span is made of. */
struct slots {
	uint64_t body[IOMMUSIM_MAX_ORDERS];    /* from the first whole pageblock to the last */
	uint64_t edge[2][IOMMUSIM_MAX_ORDERS]; /* of a pageblock that the start, the end cuts */
};

/*
 * Do *regions of order @top + 1 and @slots hold @nr[k] free blocks of each order k, @top down to
 * @bottom? Then *regions are those of order @bottom that this leaves.
 */
static int holds(const uint64_t *nr, const uint64_t *slots, unsigned top, unsigned bottom,
                 uint64_t *regions)
{
	for (unsigned order = top + 1; order-- > bottom;) {
		uint64_t more = slots[order];

		if (nr[order] > *regions + more)
			return 0;
		*regions = 2 * *regions + more - nr[order];
	}
	return 1;
}

static void counts_of_type(const struct isim_snapshot_zone *zone, unsigned type, uint64_t *nr)
{
	for (unsigned order = 0; order < IOMMUSIM_MAX_ORDERS; order++)
		nr[order] = zone->by_type[order][type];
}

/* The fewest pageblocks that hold, beside @slots, @type's blocks smaller than a pageblock. */
static uint64_t pageblocks_needed(const struct isim_snapshot_zone *zone, unsigned type,
                                  unsigned pageblock_order, const uint64_t *slots)
{
	uint64_t nr[IOMMUSIM_MAX_ORDERS], low = 0, high = 0;

	counts_of_type(zone, type, nr);
	for (unsigned order = 0; order < pageblock_order; order++)
		high += nr[order];
	while (low < high) {
		uint64_t mid = low + (high - low) / 2, regions = mid;

		if (holds(nr, slots, pageblock_order - 1, 0, &regions))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The largest aligned blocks of the frames @at .. @end-1. */
static void cut(uint64_t at, uint64_t end, unsigned top, uint64_t *slots)
{
	while (at < end) {
		unsigned order = at && isim_low_bit(at) < top ? isim_low_bit(at) : top;
		uint64_t nr = 1;

		while (end - at < isim_bit(order))
			order--;
		if (order == top)
			nr = (end - at) >> top;
		slots[order] += nr;
		at += nr << order;
	}
}

static void cut_span(uint64_t start, uint64_t limit, const struct isim_zone *shape,
                     struct slots *slots)
{
	uint64_t block = isim_bit(shape->pageblock_order);
	uint64_t first = isim_align_up(start, block), end = isim_align_down(limit, block);

	memset(slots, 0, sizeof(*slots));
	if (first > limit)
		first = limit;
	if (end < first)
		end = first;
	cut(start, first, shape->top_order, slots->edge[0]);
	cut(first, end, shape->top_order, slots->body);
	cut(end, limit, shape->top_order, slots->edge[1]);
}

/* needed[t][e]: the fewest whole pageblocks for type t's small blocks beside the edges in @e, one
 * bit each. */
struct needs {
	uint64_t needed[IOMMUSIM_NR_MIGRATETYPES][4];
};

static void count_needs(const struct isim_snapshot_zone *zone, unsigned pageblock_order,
                        const struct slots *slots, struct needs *needs)
{
	for (unsigned edges = 0; edges < 4; edges++) {
		uint64_t both[IOMMUSIM_MAX_ORDERS];

		for (unsigned order = 0; order < IOMMUSIM_MAX_ORDERS; order++)
			both[order] = (edges & 1 ? slots->edge[0][order] : 0) +
			              (edges & 2 ? slots->edge[1][order] : 0);
		for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
			needs->needed[type][edges] =
				pageblocks_needed(zone, type, pageblock_order, both);
	}
}

/* Give the edges to the types @low and @high: the sum of what all types need then. */
static uint64_t give_edges(const struct needs *needs, unsigned low, unsigned high,
                           uint64_t *pageblocks)
{
	uint64_t all = 0;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
		pageblocks[type] =
			needs->needed[type][(type == low ? 1u : 0u) | (type == high ? 2u : 0u)];
		all += pageblocks[type];
	}
	return all;
}

/* Pageblocks beyond those of their type that pagetypeinfo counts. */
static uint64_t count_extra(const struct isim_snapshot_zone *zone, unsigned pageblock_order,
                            const struct isim_span *span)
{
	uint64_t extra = 0;

	for (unsigned type = 0; zone->has_blocks && type < IOMMUSIM_NR_MIGRATETYPES; type++) {
		uint64_t used = span->pageblocks[type];

		for (unsigned order = pageblock_order; order < IOMMUSIM_MAX_ORDERS; order++)
			used += zone->by_type[order][type] << (order - pageblock_order);
		used += (type == span->edge_type[0]) + (uint64_t)(type == span->edge_type[1]);
		if (used > zone->nr_pageblocks[type])
			extra += used - zone->nr_pageblocks[type];
	}
	return extra;
}

/* Give the edges to types so that @most pageblocks are enough, and as few as can be are beyond what
 * was counted; to none that they need not be given to. Returns whether that can be. */
static int choose_edges(const struct isim_snapshot_zone *zone, unsigned pageblock_order,
                        const struct needs *needs, uint64_t most, struct isim_span *span)
{
	struct isim_span best = *span;
	uint64_t least = UINT64_MAX;

	for (unsigned low = ISIM_NO_TYPE + 1; low-- > 0;)
		for (unsigned high = ISIM_NO_TYPE + 1; high-- > 0;) {
			uint64_t extra;

			span->edge_type[0] = low;
			span->edge_type[1] = high;
			if (give_edges(needs, low, high, span->pageblocks) > most)
				continue;
			extra = count_extra(zone, pageblock_order, span);
			if (extra >= least)
				continue;
			least = extra;
			best = *span;
		}
	*span = best;
	return least < UINT64_MAX;
}

/* Does the memory from the span's start to its limit hold the zone's free blocks? */
static int fits(const struct isim_snapshot_zone *zone, const struct isim_zone *shape,
                struct isim_span *span)
{
	unsigned order = shape->pageblock_order;
	struct slots slots;
	struct needs needs;
	uint64_t rest = 0;

	cut_span(span->start_pfn, span->limit, shape, &slots);
	if (!holds(zone->nr, slots.body, shape->top_order, order, &rest))
		return 0;
	count_needs(zone, order, &slots, &needs);
	return choose_edges(zone, order, &needs, rest, span);
}

/* ---- How long, and where ---- */

/* Lengths of 2^@unit frames each, from @base on, but not beyond @end. */
struct lengths {
	uint64_t base, end;
	unsigned unit;
	uint64_t low, high; /* in units */
};

static int fits_length(const struct isim_snapshot_zone *zone, const struct isim_zone *shape,
                       const struct lengths *lengths, uint64_t nr, struct isim_span *span)
{
	uint64_t room = lengths->end - lengths->base;

	span->limit = lengths->base + (nr << lengths->unit < room ? nr << lengths->unit : room);
	return fits(zone, shape, span);
}

/* The shortest of the lengths from low to high that fits; high does. */
static void shorten(const struct isim_snapshot_zone *zone, const struct isim_zone *shape,
                    const struct lengths *lengths, struct isim_span *span)
{
	uint64_t low = lengths->low, high = lengths->high;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (fits_length(zone, shape, lengths, mid, span))
			high = mid;
		else
			low = mid + 1;
	}
	fits_length(zone, shape, lengths, high, span);
}

/* Pageblocks with memory: as counted, or as many as the present frames fill; 0: not known. */
static uint64_t known_pageblocks(const struct isim_snapshot_zone *zone, unsigned pageblock_order)
{
	uint64_t nr = 0;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		nr += zone->nr_pageblocks[type];
	if (!zone->has_blocks)
		nr = (zone->told.numbers.present + isim_bit(pageblock_order) - 1) >>
		     pageblock_order;
	return nr;
}

static int choose_limit(const struct isim_snapshot_zone *zone, const struct isim_zone *shape,
                        struct isim_span *span)
{
	unsigned unit = shape->pageblock_order;
	struct lengths lengths = { isim_align_down(span->start_pfn, isim_bit(unit)), span->end_pfn,
		                   unit, known_pageblocks(zone, unit), 0 };

	lengths.high = (lengths.end - lengths.base + isim_bit(unit) - 1) >> unit;
	if (lengths.low > lengths.high)
		lengths.low = lengths.high;
	if (!fits_length(zone, shape, &lengths, lengths.high, span))
		return -IOMMUSIM_EINVAL;
	shorten(zone, shape, &lengths, span);
	return 0;
}

/* As many pageblocks as are known, if they are enough, else the fewest whole top blocks. */
static void choose_end(const struct isim_snapshot_zone *zone, const struct isim_zone *shape,
                       struct isim_span *span)
{
	struct lengths lengths = { span->start_pfn, UINT64_MAX, shape->pageblock_order, 0, 0 };
	uint64_t low = known_pageblocks(zone, shape->pageblock_order), high = 1;
	unsigned in_top_lg2 = shape->top_order - shape->pageblock_order;

	if (!low || !fits_length(zone, shape, &lengths, low, span)) {
		lengths.unit = shape->top_order;
		low = (low + isim_low_bits(in_top_lg2)) >> in_top_lg2;
		low += !low;
		for (unsigned order = 0; order <= shape->top_order; order++)
			high += zone->nr[order]; /* each in a top block of its own */
		lengths.low = low;
		lengths.high = high > low ? high : low;
		shorten(zone, shape, &lengths, span);
	}
	span->end_pfn = span->limit;
}

static uint64_t usual_start(unsigned zone, unsigned page_shift)
{
	switch (zone) {
	case IOMMUSIM_ZONE_DMA:
		return 0;
	case IOMMUSIM_ZONE_DMA32:
		return UINT64_C(0x1000000) >> page_shift;
	default:
		return UINT64_C(0x100000000) >> page_shift;
	}
}

int isim_span_choose(const struct isim_snapshot_zone *zone, const struct isim_zone *shape,
                     unsigned page_shift, uint64_t after, struct isim_span *span)
{
	uint64_t start = usual_start(zone->zone, page_shift);

	if (zone->told.has_span) {
		span->start_pfn = zone->told.start_pfn;
		span->end_pfn = span->start_pfn + zone->told.spanned;
		return choose_limit(zone, shape, span);
	}
	span->start_pfn = isim_align_up(start > after ? start : after, isim_bit(shape->top_order));
	choose_end(zone, shape, span);
	return 0;
}
