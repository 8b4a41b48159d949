/* SPDX-License-Identifier: MIT */
/*
 * Taking pages when the lists of the wanted migratetype are empty. Which block is raided, and how
 * much of its pageblock changes hands, differs by release: generation A takes the largest block,
 * C claims a pageblock that is mostly of its own kind, else takes the smallest block as it is.
 * Models __rmqueue(), __rmqueue_fallback(), Linux 6.1.192, and __rmqueue_claim(),
 * __rmqueue_steal(), 6.12.117.
 */
#include "phys/request.h"

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

/* The part of a pageblock that lies in the zone. */
struct span {
	uint32_t first, end;
	int whole; /* all of the pageblock is in the zone */
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

/* The pageblock of @frame. Of one that begins before the zone, the part from @frame on. */
static struct span span_of(const struct isim_zone *zone, uint32_t frame)
{
	uint32_t size = 1u << zone->pageblock_order;
	uint32_t first = frame & ~(size - 1), end = first + size;
	struct span span = { .first = first, .end = end, .whole = 1 };

	if (first < zone->first || end > zone->end) {
		span.whole = 0;
		span.first = first < zone->first ? frame : first;
	}
	return span;
}

/*
 * Movable requests count what is movable, the others, where the pageblock is Movable, what is not,
 * frames before the zone included. The walk ends as soon as the rest cannot change the answer:
 * heads of lists that do not change are judged over and over.
 */
int isim_pageblock_is_ours(const struct isim_zone *zone, uint32_t frame, unsigned start)
{
	struct span span = span_of(zone, frame);
	uint32_t size = 1u << zone->pageblock_order, half = size / 2, alike = 0;
	int want_movable = start == IOMMUSIM_MOVABLE;
	int want_others = !want_movable && isim_pageblock(zone, span.first) == IOMMUSIM_MOVABLE;

	if (want_others)
		alike = size - (span.end - span.first);
	for (uint32_t at = span.first; alike < half && alike + (span.end - at) >= half;) {
		unsigned state = isim_state(zone, at);
		uint32_t frames = 1u << isim_block_order(state);

		if ((state & ISIM_STATE_BITS) == ISIM_FREE)
			alike += frames;
		else if (isim_is_movable(isim_block_kind(state)) ? want_movable : want_others)
			alike += frames;
		at += frames;
	}
	return alike >= half;
}

/*
 * From 6.12 on the counter follows each step of a block that is taken or moved; before, it is told
 * of the whole by whoever asked for it.
 */
static void account(const struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu,
                    int32_t change)
{
	if (phys->kernel >= IOMMUSIM_KERNEL(6, 12))
		isim_account(zone, cpu, change);
}

/* The least order of a block that is taken from another type. */
static unsigned min_order(const struct isim_zone *zone, const struct isim_take *take)
{
	if (take->aflags & ISIM_ALLOC_NOFRAGMENT && take->order < zone->pageblock_order)
		return zone->pageblock_order;
	return take->order;
}

/*
 * Types begin to mix: keep more free for a while, so that kswapd tidies up. Models
 * boost_watermark(), Linux 6.1 and 6.12.
 */
static void boost(const struct iommusim_phys *phys, struct isim_zone *zone,
                  const struct isim_take *take)
{
	uint64_t step = isim_bit(zone->pageblock_order);
	uint64_t most = zone->numbers.high * 15000 / 10000;

	if (!(phys->features & IOMMUSIM_PHYS_WATERMARKS) || 4 * step > zone->numbers.managed)
		return;
	if (most < step)
		most = step;
	zone->numbers.boost += step;
	if (zone->numbers.boost > most)
		zone->numbers.boost = most;
	if (take->aflags & ISIM_ALLOC_KSWAPD)
		zone->flags |= IOMMUSIM_ZONE_FLAG_BOOSTED;
}

/* Move every free block of the pageblock to the tails of @type's lists, upwards. */
static uint32_t move_free(const struct iommusim_phys *phys, struct isim_zone *zone,
                          struct span span, unsigned type, unsigned cpu)
{
	uint32_t moved = 0;

	for (uint32_t at = span.first; at < span.end;) {
		unsigned state = isim_state(zone, at);
		unsigned order = isim_block_order(state);

		if ((state & ISIM_STATE_BITS) == ISIM_FREE) {
			isim_list_del(zone, at, order, isim_block_type(state));
			account(phys, zone, cpu, -(1 << order));
			isim_list_add(zone, at, order, type, 1);
			account(phys, zone, cpu, 1 << order);
			moved += 1u << order;
		}
		at += 1u << order;
	}
	return moved;
}

uint32_t isim_pageblock_move(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                             unsigned type, unsigned cpu)
{
	struct span span = span_of(zone, frame);

	return span.end > zone->end ? 0 : move_free(phys, zone, span, type, cpu);
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

/* The smallest sufficient block of @type's lists, which the counter is told of. */
static uint32_t smallest(const struct iommusim_phys *phys, struct isim_zone *zone,
                         struct isim_take *take, unsigned type, int *err)
{
	uint32_t frame = isim_take_smallest(phys, zone, take->order, type, err);

	if (frame != ISIM_NIL && type != IOMMUSIM_ISOLATE)
		account(phys, zone, take->cpu, -(1 << take->order));
	take->taken_as = type;
	return frame;
}

/* ---- Generation A ---- */

/* The largest block of another type; for small movable requests that may not take all, the
 * smallest. */
static struct candidate largest(const struct isim_zone *zone, const struct isim_take *take)
{
	struct candidate found = { ISIM_NIL, 0, 0 };

	for (unsigned order = zone->top_order + 1; order-- > min_order(zone, take);) {
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
static void steal(struct iommusim_phys *phys, struct isim_zone *zone, const struct isim_take *take,
                  struct candidate found)
{
	struct span span = span_of(zone, found.frame);
	int is_ours;

	if (isim_pageblock(zone, found.frame) == IOMMUSIM_HIGHATOMIC)
		goto single;
	if (found.order >= zone->pageblock_order) {
		retag(zone, found, take->type);
		goto single;
	}
	boost(phys, zone, take);
	if (!whole_ok(zone, found.order, take->type) || span.end > zone->end)
		goto single;
	is_ours = isim_pageblock_is_ours(zone, found.frame, take->type);
	move_free(phys, zone, span, take->type, take->cpu);
	if (is_ours)
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
	steal(phys, zone, take, found);
	tell(phys, zone, take, found, found.frame);
	return smallest(phys, zone, take, take->type, err);
}

/* ---- Generation C ---- */

/* Claim the pageblock or pageblocks of @found. NIL: they may not be claimed. */
static uint32_t claim(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                      struct candidate found, int *err)
{
	struct span span = span_of(zone, found.frame);

	if (isim_pageblock(zone, found.frame) == IOMMUSIM_HIGHATOMIC)
		return ISIM_NIL;
	if (found.order >= zone->pageblock_order) {
		*err = reserve_cut(phys, zone, found, take->order);
		if (*err)
			return ISIM_NIL;
		isim_list_del(zone, found.frame, found.order, found.type);
		account(phys, zone, take->cpu, -(1 << found.order));
		retag(zone, found, take->type);
		isim_block_split(zone, found.frame, found.order, take->order, take->type);
		account(phys, zone, take->cpu, (1 << found.order) - (1 << take->order));
		return found.frame;
	}
	boost(phys, zone, take);
	if (!span.whole || !isim_pageblock_is_ours(zone, found.frame, take->type))
		return ISIM_NIL;
	move_free(phys, zone, span, take->type, take->cpu);
	isim_set_pageblock(zone, found.frame, take->type);
	return smallest(phys, zone, take, take->type, err);
}

static uint32_t claim_any(struct iommusim_phys *phys, struct isim_zone *zone,
                          struct isim_take *take, int *err)
{
	for (unsigned order = zone->top_order + 1; order-- > min_order(zone, take);) {
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
		account(phys, zone, take->cpu, -(1 << take->order));
		take->found_on = found.type;
		tell(phys, zone, take, found, found.frame);
		return found.frame;
	}
	return ISIM_NIL;
}

/* Blocks of CMA areas, for those who may move. */
static uint32_t take_cma(const struct iommusim_phys *phys, struct isim_zone *zone,
                         struct isim_take *take, int *err)
{
	uint32_t frame;

	if (!(take->aflags & ISIM_ALLOC_CMA))
		return ISIM_NIL;
	frame = smallest(phys, zone, take, IOMMUSIM_CMA, err);
	if (frame != ISIM_NIL)
		take->found_on = IOMMUSIM_CMA;
	return frame;
}

/* More than half of what is free is of CMA areas: these first. */
static int prefers_cma(const struct isim_zone *zone, const struct isim_take *take)
{
	return take->aflags & ISIM_ALLOC_CMA && zone->nonempty[IOMMUSIM_CMA] &&
	       isim_frames_of(zone, IOMMUSIM_CMA) > (isim_nr_free_counted(zone) + take->untold) / 2;
}

static uint32_t take_a(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                       int *err)
{
	uint32_t frame = smallest(phys, zone, take, take->type, err);

	if (frame == ISIM_NIL && !*err)
		frame = take_cma(phys, zone, take, err);
	if (frame == ISIM_NIL && !*err)
		frame = fallback_a(phys, zone, take, err);
	return frame;
}

/* A refill goes on where the last block was found; a claim filled the own lists. */
static uint32_t take_c(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                       int *err)
{
	uint32_t frame = ISIM_NIL;

	if (take->mode == ISIM_TAKE_NORMAL)
		frame = smallest(phys, zone, take, take->type, err);
	if (frame != ISIM_NIL || *err)
		return frame;
	if (take->mode <= ISIM_TAKE_CMA) {
		frame = take_cma(phys, zone, take, err);
		take->mode = frame != ISIM_NIL ? ISIM_TAKE_CMA : take->mode;
	}
	if (frame != ISIM_NIL || *err)
		return frame;
	if (take->mode <= ISIM_TAKE_CLAIM) {
		frame = claim_any(phys, zone, take, err);
		take->mode = frame != ISIM_NIL ? ISIM_TAKE_NORMAL : take->mode;
	}
	if (frame != ISIM_NIL || *err || take->aflags & ISIM_ALLOC_NOFRAGMENT)
		return frame;
	frame = steal_smallest(phys, zone, take, err);
	take->mode = frame != ISIM_NIL ? ISIM_TAKE_STEAL : take->mode;
	return frame;
}

uint32_t isim_zone_take(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                        int *err)
{
	uint32_t frame = ISIM_NIL;

	take->found_on = take->taken_as = take->type;
	if (prefers_cma(zone, take))
		frame = take_cma(phys, zone, take, err);
	if (frame != ISIM_NIL || *err)
		return frame;
	if (phys->fallback == IOMMUSIM_FALLBACK_A)
		return take_a(phys, zone, take, err);
	return take_c(phys, zone, take, err);
}
