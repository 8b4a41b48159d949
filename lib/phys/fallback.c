/* SPDX-License-Identifier: MIT */
/*
 * Taking pages when the lists of the wanted migratetype are empty. Which block is raided, and how
 * much of its pageblock changes hands, differs by release: generation A takes the largest block,
 * C claims a pageblock that is mostly of its own kind, else takes the smallest block as it is.
 * Models __rmqueue_fallback(), Linux 6.1.192, and __rmqueue_claim(), __rmqueue_steal(), 6.12.117;
 * simplifies: no watermark boost, no CMA requests.
 */
#include "phys/zone.h"

/* Which lists to try, in order, and where the search found something. */
static const uint8_t preference[3][2] = {
	[IOMMUSIM_UNMOVABLE] = { IOMMUSIM_RECLAIMABLE, IOMMUSIM_MOVABLE },
	[IOMMUSIM_MOVABLE] = { IOMMUSIM_RECLAIMABLE, IOMMUSIM_UNMOVABLE },
	[IOMMUSIM_RECLAIMABLE] = { IOMMUSIM_UNMOVABLE, IOMMUSIM_MOVABLE },
};

struct candidate {
	uint32_t frame; /* ISIM_NIL: none */
	unsigned order, type;
};

/* What a pageblock is made of, and the part of it that lies in the zone. */
struct census {
	uint32_t first, end;
	uint32_t free, movable; /* frames: free; in use and movable */
	int whole;              /* all of the pageblock is in the zone */
};

static struct candidate pick(const struct isim_zone *zone, unsigned order, unsigned start)
{
	struct candidate found = { ISIM_NIL, order, 0 };

	for (unsigned i = 0; i < 2; i++) {
		found.type = preference[start][i];
		found.frame = zone->head[order][found.type];
		if (found.frame != ISIM_NIL)
			break;
	}
	return found;
}

/* May a request that starts from @start take the pageblock of a block of @order, all of it? */
static int whole_ok(const struct isim_zone *zone, unsigned order, unsigned start)
{
	return order >= zone->pageblock_order / 2 || start != IOMMUSIM_MOVABLE;
}

/* Count the pageblock of the free block @found, which is smaller than a pageblock. */
static struct census take_census(const struct isim_zone *zone, struct candidate found)
{
	uint32_t size = 1u << zone->pageblock_order;
	uint32_t first = found.frame & ~(size - 1), end = first + size;
	struct census census = { .first = first, .end = end, .whole = 1 };

	if (first < zone->first || end > zone->end) {
		census.whole = 0;
		census.first = first < zone->first ? found.frame : first;
	}
	for (uint32_t at = census.first; at < end && at < zone->end;) {
		unsigned state = isim_state(zone, at);
		uint32_t frames = 1u << isim_block_order(state);

		if ((state & ISIM_STATE_BITS) == ISIM_FREE)
			census.free += frames;
		else if (isim_is_movable(isim_block_kind(state)))
			census.movable += frames;
		at += frames;
	}
	return census;
}

/* Do the free pages and those like ours make up at least half of the pageblock? */
static int claimable(const struct isim_zone *zone, const struct census *census, unsigned start)
{
	uint32_t size = 1u << zone->pageblock_order;
	uint32_t alike = 0;

	if (start == IOMMUSIM_MOVABLE)
		alike = census->movable;
	else if (isim_pageblock(zone, census->first) == IOMMUSIM_MOVABLE)
		alike = size - census->free - census->movable;
	return census->free + alike >= size / 2;
}

/* Move every free block of the pageblock to the tails of @type's lists, upwards. */
static void move_free(struct isim_zone *zone, const struct census *census, unsigned type)
{
	for (uint32_t at = census->first; at < census->end;) {
		unsigned state = isim_state(zone, at);
		unsigned order = isim_block_order(state);

		if ((state & ISIM_STATE_BITS) == ISIM_FREE) {
			isim_list_del(zone, at, order, isim_block_type(state));
			isim_list_add(zone, at, order, type, 1);
		}
		at += 1u << order;
	}
}

static void tell(struct iommusim_phys *phys, const struct isim_zone *zone,
                 const struct isim_take *take, struct candidate found, uint32_t frame)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_FALLBACK };

	if (!isim_wants_events(&phys->diag))
		return;
	event.order = (uint8_t)take->order;
	event.other_order = (uint8_t)found.order;
	event.migratetype = (uint8_t)take->type;
	event.other_type = (uint8_t)found.type;
	event.zone = (uint8_t)zone->config.zone;
	event.flag = isim_pageblock(zone, frame) == take->type;
	event.pfn = zone->base + frame;
	isim_event(&phys->diag, &event);
}

/* The host memory that cutting @found down to @order takes. 0 or -EHOST. */
static int reserve_cut(const struct iommusim_phys *phys, struct isim_zone *zone,
                       struct candidate found, unsigned order)
{
	if (found.order != zone->top_order || order == found.order)
		return 0;
	return isim_leaf_reserve(phys, zone, found.frame);
}

static void retag(struct isim_zone *zone, struct candidate found, unsigned type)
{
	for (uint32_t at = 0; at < 1u << found.order; at += 1u << zone->pageblock_order)
		isim_set_pageblock(zone, found.frame + at, type);
}

/* ---- Generation A ---- */

/* The largest block of another type; for small movable requests that may not take all, the
 * smallest. */
static struct candidate largest(const struct isim_zone *zone, const struct isim_take *take)
{
	struct candidate found = { ISIM_NIL, 0, 0 };

	for (unsigned order = zone->top_order + 1; order-- > take->min_order;) {
		found = pick(zone, order, take->type);
		if (found.frame != ISIM_NIL)
			break;
	}
	if (found.frame == ISIM_NIL || whole_ok(zone, found.order, take->type) ||
	    found.order <= take->order)
		return found;
	for (unsigned order = take->order; order <= zone->top_order; order++) {
		found = pick(zone, order, take->type);
		if (found.frame != ISIM_NIL)
			break;
	}
	return found;
}

/* Move the block, or all free blocks of its pageblock, to the lists of @take's type. */
static void steal(struct isim_zone *zone, const struct isim_take *take, struct candidate found)
{
	struct census census;

	if (isim_pageblock(zone, found.frame) == IOMMUSIM_HIGHATOMIC)
		goto single;
	if (found.order >= zone->pageblock_order) {
		retag(zone, found, take->type);
		goto single;
	}
	if (!whole_ok(zone, found.order, take->type))
		goto single;
	census = take_census(zone, found);
	if (census.end > zone->end)
		goto single;
	move_free(zone, &census, take->type);
	if (claimable(zone, &census, take->type))
		isim_set_pageblock(zone, found.frame, take->type);
	return;
single:
	isim_list_del(zone, found.frame, found.order, found.type);
	isim_list_add(zone, found.frame, found.order, take->type, 1);
}

static uint32_t fallback_a(struct iommusim_phys *phys, struct isim_zone *zone,
                           struct isim_take *take, int *err)
{
	struct candidate found = largest(zone, take);

	if (found.frame == ISIM_NIL)
		return ISIM_NIL;
	*err = reserve_cut(phys, zone, found, take->order);
	if (*err)
		return ISIM_NIL;
	take->found_on = found.type;
	steal(zone, take, found);
	tell(phys, zone, take, found, found.frame);
	return isim_take_smallest(phys, zone, take->order, take->type, err);
}

/* ---- Generation C ---- */

/* Claim the pageblock or pageblocks of @found. NIL: they may not be claimed. */
static uint32_t claim(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                      struct candidate found, int *err)
{
	struct census census;

	if (isim_pageblock(zone, found.frame) == IOMMUSIM_HIGHATOMIC)
		return ISIM_NIL;
	if (found.order >= zone->pageblock_order) {
		*err = reserve_cut(phys, zone, found, take->order);
		if (*err)
			return ISIM_NIL;
		isim_list_del(zone, found.frame, found.order, found.type);
		retag(zone, found, take->type);
		isim_block_split(zone, found.frame, found.order, take->order, take->type);
		return found.frame;
	}
	census = take_census(zone, found);
	if (!census.whole || !claimable(zone, &census, take->type))
		return ISIM_NIL;
	move_free(zone, &census, take->type);
	isim_set_pageblock(zone, found.frame, take->type);
	return isim_take_smallest(phys, zone, take->order, take->type, err);
}

static uint32_t claim_any(struct iommusim_phys *phys, struct isim_zone *zone,
                          struct isim_take *take, int *err)
{
	for (unsigned order = zone->top_order + 1; order-- > take->min_order;) {
		struct candidate found = pick(zone, order, take->type);
		uint32_t frame;

		if (found.frame == ISIM_NIL)
			continue;
		if (!whole_ok(zone, order, take->type))
			break;
		frame = claim(phys, zone, take, found, err);
		if (*err)
			break;
		if (frame == ISIM_NIL)
			continue;
		take->found_on = found.type;
		tell(phys, zone, take, found, frame);
		return frame;
	}
	return ISIM_NIL;
}

/* The smallest sufficient block of another type, cut on that type's lists. */
static uint32_t steal_smallest(struct iommusim_phys *phys, struct isim_zone *zone,
                               struct isim_take *take, int *err)
{
	for (unsigned order = take->order; order <= zone->top_order; order++) {
		struct candidate found = pick(zone, order, take->type);

		if (found.frame == ISIM_NIL)
			continue;
		*err = reserve_cut(phys, zone, found, take->order);
		if (*err)
			break;
		isim_list_del(zone, found.frame, order, found.type);
		isim_block_split(zone, found.frame, order, take->order, found.type);
		take->found_on = found.type;
		tell(phys, zone, take, found, found.frame);
		return found.frame;
	}
	return ISIM_NIL;
}

static uint32_t fallback_c(struct iommusim_phys *phys, struct isim_zone *zone,
                           struct isim_take *take, int *err)
{
	uint32_t frame = claim_any(phys, zone, take, err);

	if (frame != ISIM_NIL || *err || take->nofragment)
		return frame;
	return steal_smallest(phys, zone, take, err);
}

uint32_t isim_zone_take(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                        int *err)
{
	uint32_t frame = isim_take_smallest(phys, zone, take->order, take->type, err);

	take->found_on = take->type;
	if (frame != ISIM_NIL || *err)
		return frame;
	if (phys->fallback == IOMMUSIM_FALLBACK_A)
		return fallback_a(phys, zone, take, err);
	return fallback_c(phys, zone, take, err);
}
