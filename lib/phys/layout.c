/* SPDX-License-Identifier: MIT */
/*
 * From counts to a memory that has them. A region is an aligned stretch of 2^k frames that is not
 * one free block. It is two halves: at most one of them is a free block of order k - 1, else the
 * two would have merged; the other is a region in turn, and a region of one frame is a frame in
 * use. So n regions of order k hold at most n free blocks of order k - 1 and leave 2n less those
 * regions of that order: which spans are large enough follows from counting, and filling each
 * region greedily, from the largest block down, uses them as well as can be.
 */
#include "phys/snapshot.h"

#include <string.h>

/* One zone: what is still to be placed, and where it goes. */
struct layout {
	const struct iommusim_phys *phys;
	struct isim_zone *zone;
	uint64_t left[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES]; /* free blocks */
	uint64_t blocks[IOMMUSIM_NR_MIGRATETYPES]; /* pageblocks that have no place yet */
	uint64_t nr_added;
};

/*
 * Do @regions of order @top hold @nr[k] free blocks of each order k below it, down to @bottom? Then
 * the regions of order @bottom that this leaves go to *rest.
 */
static int holds(const uint64_t *nr, uint64_t regions, unsigned top, unsigned bottom,
                 uint64_t *rest)
{
	for (unsigned order = top; order-- > bottom;) {
		if (nr[order] > regions)
			return 0;
		regions = 2 * regions - nr[order];
	}
	*rest = regions;
	return 1;
}

static void counts_of_type(const struct isim_snapshot_zone *from, unsigned type, uint64_t *nr)
{
	for (unsigned order = 0; order < IOMMUSIM_MAX_ORDERS; order++)
		nr[order] = from->by_type[order][type];
}

/* The fewest pageblocks that hold @type's blocks that are smaller than a pageblock. */
static uint64_t pageblocks_needed(const struct isim_snapshot_zone *from, unsigned type,
                                  unsigned pageblock_order)
{
	uint64_t nr[IOMMUSIM_MAX_ORDERS], low = 0, high = 0, rest;

	counts_of_type(from, type, nr);
	for (unsigned order = 0; order < pageblock_order; order++)
		high += nr[order];
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (holds(nr, mid, pageblock_order, 0, &rest))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static uint64_t all_pageblocks(const struct isim_snapshot_zone *from)
{
	uint64_t nr = 0;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		nr += from->nr_pageblocks[type];
	return nr;
}

/* A span of @tops whole top blocks and, behind them, @extra pageblocks, fewer than a top block. */
struct span {
	uint64_t tops, extra;
};

/*
 * Does @span hold the free blocks of @from, of which @needed pageblocks hold those smaller than a
 * pageblock? The extra pageblocks take only such: what is larger might reach beyond the end.
 */
static int is_enough(const struct isim_snapshot_zone *from, const struct isim_zone *shape,
                     const struct span *span, uint64_t needed)
{
	uint64_t rest;

	return span->tops >= from->nr[shape->top_order] &&
	       holds(from->nr, span->tops - from->nr[shape->top_order], shape->top_order,
	             shape->pageblock_order, &rest) &&
	       rest + span->extra >= needed;
}

/* Frames that the zone spans: as many pageblocks as pagetypeinfo counts, if they are enough, else
 * the fewest whole top blocks that are. */
static uint64_t frames_needed(const struct isim_snapshot_zone *from, const struct isim_zone *shape)
{
	uint64_t total = all_pageblocks(from), needed = 0;
	unsigned in_top_lg2 = shape->top_order - shape->pageblock_order;
	struct span span = { total >> in_top_lg2, total & isim_low_bits(in_top_lg2) };

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		needed += pageblocks_needed(from, type, shape->pageblock_order);
	if (total && is_enough(from, shape, &span, needed))
		return total << shape->pageblock_order;
	span.tops += span.extra != 0 || !total;
	span.extra = 0;
	while (!is_enough(from, shape, &span, needed))
		span.tops++;
	return span.tops << shape->top_order;
}

/* ---- Filling ---- */

static void use_pageblock(struct layout *l, uint32_t frame, unsigned type)
{
	isim_set_pageblock(l->zone, frame, type);
	if (l->blocks[type])
		l->blocks[type]--;
	else
		l->nr_added++;
}

/* Is anything of @type and smaller than @order still to be placed? */
static int any_left(const struct layout *l, unsigned order, unsigned type)
{
	uint64_t left = 0;

	for (unsigned o = 0; o < order; o++)
		left |= l->left[o][type];
	return left != 0;
}

/* Place a free block of @order, of a type that still has some. 1, 0: none has, or an error. */
static int place_free(struct layout *l, uint32_t frame, unsigned order, unsigned type)
{
	int err;

	if (!l->left[order][type])
		return 0;
	l->left[order][type]--;
	err = isim_release(l->phys, l->zone, frame, frame + (1u << order), type);
	return err ? err : 1;
}

/* Fill a region inside a pageblock with blocks of its type. */
static int fill_region(struct layout *l, uint32_t frame, unsigned order, unsigned type)
{
	uint32_t half = (1u << order) / 2;
	int placed;

	if (!any_left(l, order, type))
		return isim_occupy(l->phys, l->zone, frame, frame + (1u << order),
		                   isim_kind_of_type(type));
	placed = place_free(l, frame, order - 1, type);
	if (placed < 0)
		return placed;
	if (!placed)
		placed = fill_region(l, frame, order - 1, type);
	return placed < 0 ? placed : fill_region(l, frame + half, order - 1, type);
}

/* Is any block still to be placed? */
static int is_any_left(const struct layout *l)
{
	int any = 0;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		any |= any_left(l, IOMMUSIM_MAX_ORDERS, type);
	return any;
}

/* The first type of which there are pageblocks without a place; Movable if there are none. */
static unsigned first_type_left(const struct layout *l)
{
	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		if (l->blocks[type])
			return type;
	return IOMMUSIM_MOVABLE;
}

/* A pageblock that is no free block: of the first type that has small blocks, or pageblocks, left.
 */
static int fill_pageblock(struct layout *l, uint32_t frame)
{
	unsigned order = l->zone->pageblock_order, type = 0;

	while (type < IOMMUSIM_NR_MIGRATETYPES && !any_left(l, order, type))
		type++;
	if (type == IOMMUSIM_NR_MIGRATETYPES)
		type = first_type_left(l);
	use_pageblock(l, frame, type);
	return fill_region(l, frame, order, type);
}

/* A whole free block of a pageblock or more, of the first type that has one left. */
static int fill_free(struct layout *l, uint32_t frame, unsigned order)
{
	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
		uint32_t size = 1u << l->zone->pageblock_order;

		if (!l->left[order][type])
			continue;
		for (uint32_t at = frame; at < frame + (1u << order); at += size)
			use_pageblock(l, at, type);
		return place_free(l, frame, order, type);
	}
	return 0;
}

/* A region of a pageblock or more: below it, one free half where there is one to place. */
static int fill_large(struct layout *l, uint32_t frame, unsigned order)
{
	uint32_t half = (1u << order) / 2;
	int placed;

	if (frame >= l->zone->end)
		return 0; /* beyond the end that was cut off */
	if (order == l->zone->pageblock_order)
		return fill_pageblock(l, frame);
	placed = fill_free(l, frame, order - 1);
	if (placed < 0)
		return placed;
	if (!placed)
		placed = fill_large(l, frame, order - 1);
	return placed < 0 ? placed : fill_large(l, frame + half, order - 1);
}

/* A whole top block in use, of one type: without metadata for its frames. 1; 0: it cannot be; or an
 * error. */
static int fill_used(struct layout *l, uint32_t frame)
{
	uint32_t size = 1u << l->zone->top_order, block = 1u << l->zone->pageblock_order;
	unsigned type = first_type_left(l);
	int err;

	if (is_any_left(l) || l->blocks[type] < size / block || l->zone->end - frame < size)
		return 0;
	for (uint32_t at = frame; at < frame + size; at += block)
		use_pageblock(l, at, type);
	err = isim_occupy(l->phys, l->zone, frame, frame + size, isim_kind_of_type(type));
	return err ? err : 1;
}

static int fill_top(struct layout *l, uint32_t frame)
{
	unsigned order = l->zone->top_order;
	int placed = fill_free(l, frame, order);

	if (!placed)
		placed = fill_used(l, frame);
	return placed ? placed : fill_large(l, frame, order);
}

static int fill_zone(struct layout *l, const struct isim_snapshot_zone *from)
{
	int err = 0;

	memcpy(l->left, from->by_type, sizeof(l->left));
	memcpy(l->blocks, from->nr_pageblocks, sizeof(l->blocks));
	for (uint32_t at = 0; err >= 0 && at < l->zone->end; at += 1u << l->zone->top_order)
		err = fill_top(l, at);
	return err < 0 ? err : 0;
}

/* ---- Where zones start ---- */

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

static void place_zones(const struct iommusim_snapshot *snap,
                        const struct iommusim_phys_config *config,
                        struct iommusim_zone_config *zones)
{
	uint64_t end = 0;
	struct isim_zone shape = { .top_order = snap->nr_orders - 1,
		                   .pageblock_order = config->pageblock_order };

	for (unsigned i = 0; i < snap->nr_zones; i++) {
		const struct isim_snapshot_zone *from = &snap->zone[i];
		uint64_t start = usual_start(from->zone, config->page_shift);

		zones[i].node = from->node;
		zones[i].zone = (enum iommusim_zone)from->zone;
		zones[i].start_pfn =
			isim_align_up(start > end ? start : end, isim_bit(shape.top_order));
		zones[i].nr_frames = frames_needed(from, &shape);
		end = zones[i].start_pfn + zones[i].nr_frames;
	}
}

static int fill_zones(struct iommusim_phys *phys, const struct iommusim_snapshot *snap,
                      uint64_t *nr_added)
{
	for (unsigned i = 0; i < snap->nr_zones; i++) {
		struct layout l = { .phys = phys, .zone = &phys->zone[i] };

		if (fill_zone(&l, &snap->zone[i]))
			return isim_no_memory(&phys->diag, "the frames of a snapshot");
		*nr_added += l.nr_added;
	}
	return 0;
}

int iommusim_phys_create_snapshot(const struct iommusim_phys_config *config,
                                  const struct iommusim_snapshot *snapshot,
                                  struct iommusim_snapshot_notes *notes,
                                  struct iommusim_phys **phys)
{
	struct iommusim_zone_config zones[ISIM_MAX_ZONES];
	struct iommusim_phys_config c;
	struct iommusim_phys *p;
	uint64_t nr_added = 0;
	int err = isim_copy_sized(&c, sizeof(c), config);

	if (err)
		return err;
	c.page_shift = c.page_shift ? c.page_shift : 12;
	c.nr_orders = snapshot->nr_orders;
	c.pageblock_order = snapshot->pageblock_order;
	if (!c.pageblock_order)
		c.pageblock_order = c.page_shift < 14 ? 9 : c.nr_orders - 1;
	if (c.page_shift < 12 || c.page_shift > 16)
		return isim_complain(&snapshot->host, IOMMUSIM_EINVAL,
		                     "page_shift %u is not 12 .. 16", c.page_shift);
	c.zones = zones;
	c.nr_zones = snapshot->nr_zones;
	c.nothing_free = 1;
	c.size = sizeof(c);
	memset(zones, 0, sizeof(zones));
	place_zones(snapshot, &c, zones);
	err = iommusim_phys_create(&c, &p);
	if (err)
		return err;
	p->is_untouched = 0;
	err = fill_zones(p, snapshot, &nr_added);
	if (err) {
		iommusim_phys_destroy(p);
		return err;
	}
	*phys = p;
	if (notes) {
		*notes = snapshot->notes;
		notes->nr_added = snapshot->notes.has_types ? nr_added : 0;
	}
	return 0;
}
