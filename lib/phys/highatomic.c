/* SPDX-License-Identifier: MIT */
/*
 * The reserve for high-order atomic requests: pageblocks that only they, and requests in distress,
 * take from. It grows with each such request that is served, up to about a hundredth of the zone.
 * Models reserve_highatomic_pageblock() and unreserve_highatomic_pageblock(), mm/page_alloc.c,
 * Linux 6.1.192 and 6.12.117.
 */
#include "phys/request.h"

/* The most frames that are reserved; 0: none. */
static uint64_t limit_of(const struct iommusim_phys *phys, const struct isim_zone *zone)
{
	uint64_t share = zone->numbers.managed / 100, block = isim_bit(zone->pageblock_order);

	if (phys->kernel < IOMMUSIM_KERNEL(6, 12))
		return share + block;
	return share < block ? 0 : isim_align_up(share, block);
}

static int lies_inside(const struct isim_zone *zone, uint32_t frame)
{
	uint32_t size = 1u << zone->pageblock_order, first = frame & ~(size - 1);

	return first >= zone->first && first + size <= zone->end;
}

static void tag(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type)
{
	for (uint32_t at = 0; at < 1u << order; at += 1u << zone->pageblock_order)
		isim_set_pageblock(zone, frame + at, type);
}

void isim_highatomic_reserve(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                             const struct isim_take *take)
{
	uint64_t block = isim_bit(zone->pageblock_order);
	int is_6_12 = phys->kernel >= IOMMUSIM_KERNEL(6, 12);

	if (zone->nr_reserved_highatomic >= limit_of(phys, zone) ||
	    !isim_mergeable(isim_pageblock(zone, frame)))
		return;
	if (is_6_12 && take->order >= zone->pageblock_order) {
		tag(zone, frame, take->order, IOMMUSIM_HIGHATOMIC);
		zone->nr_reserved_highatomic += isim_bit(take->order);
		return;
	}
	if (is_6_12 && !lies_inside(zone, frame))
		return;
	isim_pageblock_move(phys, zone, frame, IOMMUSIM_HIGHATOMIC, take->cpu);
	isim_set_pageblock(zone, frame, IOMMUSIM_HIGHATOMIC);
	zone->nr_reserved_highatomic += block;
}

/* Take the pageblocks of a free block of the reserve out of it. The frames that became free. */
static uint32_t give_back(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                          unsigned type, unsigned cpu)
{
	unsigned order = isim_block_order(isim_state(zone, frame));
	uint64_t frames = isim_bit(zone->pageblock_order);
	uint32_t moved;

	if (phys->kernel >= IOMMUSIM_KERNEL(6, 12) && order > zone->pageblock_order) {
		frames = isim_bit(order);
		isim_list_del(zone, frame, order, IOMMUSIM_HIGHATOMIC);
		isim_list_add(zone, frame, order, type, 1);
		tag(zone, frame, order, type);
		moved = (uint32_t)frames;
	} else {
		moved = isim_pageblock_move(phys, zone, frame, type, cpu);
		isim_set_pageblock(zone, frame, type);
	}
	if (frames > zone->nr_reserved_highatomic)
		frames = zone->nr_reserved_highatomic;
	zone->nr_reserved_highatomic -= frames;
	return moved;
}

int isim_highatomic_unreserve(struct iommusim_phys *phys, struct isim_zone *zone, unsigned type,
                              int force, unsigned cpu)
{
	uint64_t keep = force ? 0 : isim_bit(zone->pageblock_order);
	unsigned order;

	if (zone->nr_reserved_highatomic <= keep || !zone->nonempty[IOMMUSIM_HIGHATOMIC])
		return 0;
	order = isim_low_bit(zone->nonempty[IOMMUSIM_HIGHATOMIC]);
	return give_back(phys, zone, zone->head[order][IOMMUSIM_HIGHATOMIC], type, cpu) != 0;
}
