/* SPDX-License-Identifier: MIT */
/*
 * Compaction: one scanner empties pageblocks from the lowest up, another finds room for what was in
 * them from the highest pageblock down. Both are remembered from run to run. A run never needs host
 * memory but to tell apart the pages of a block of the highest order.
 */
#include "phys/population.h"
#include "phys/slow.h"

#define MAX_DEFER 6u /* at most 2^6 tries are put off */

struct run {
	struct iommusim_phys *phys;
	struct isim_zone *zone;
	unsigned order, type; /* what is asked for; order: one too many if all is to be moved */
	enum isim_compact_priority priority;
	uint32_t migrate, room; /* first frames of the pageblocks of the two scanners */
	uint32_t at;            /* where the search for room goes on in its pageblock */
	struct iommusim_compact_counts counts;
};

static uint32_t pageblock_size(const struct run *run)
{
	return 1u << run->zone->pageblock_order;
}

static int is_free(unsigned state)
{
	return (state & ISIM_STATE_BITS) == ISIM_FREE;
}

/* ---- Room ---- */

/* Is the pageblock of the second scanner one to move pages into? */
static int has_room(const struct run *run)
{
	const struct isim_zone *zone = run->zone;
	unsigned state = isim_state(zone, isim_block_start(zone, run->room));
	unsigned type = isim_pageblock(zone, run->room);

	if (is_free(state) && isim_block_order(state) >= zone->pageblock_order)
		return 0;
	return type == IOMMUSIM_MOVABLE || type == IOMMUSIM_CMA ||
	       (run->priority == ISIM_COMPACT_SYNC_FULL && type != IOMMUSIM_ISOLATE);
}

/* The first free block of @order at least at or behind @at in the pageblock; NIL: none. */
static uint32_t room_in_pageblock(struct run *run, uint32_t at, unsigned order)
{
	while (at < run->room + pageblock_size(run)) {
		unsigned state = isim_state(run->zone, at);

		run->counts.nr_scanned++;
		if (is_free(state) && isim_block_order(state) >= order)
			return at;
		at += 1u << isim_block_order(state);
	}
	return ISIM_NIL;
}

/* A free block of @order at least, above the pageblock that is being emptied; NIL: none. */
static uint32_t find_room(struct run *run, unsigned order)
{
	while (run->room > run->migrate) {
		uint32_t found = ISIM_NIL;

		if (has_room(run))
			found = room_in_pageblock(run, order ? run->room : run->at, order);
		if (found != ISIM_NIL || order)
			return found;
		run->room -= pageblock_size(run);
		run->at = run->room;
	}
	return ISIM_NIL;
}

/* ---- Moving ---- */

/* Move the block in use at @from into the free block at @to. */
static void move_block(struct run *run, uint32_t from, uint32_t to)
{
	struct isim_zone *zone = run->zone;
	unsigned state = isim_state(zone, from), order = isim_block_order(state);
	unsigned target = isim_state(zone, to);
	struct isim_freeing how = { .order = order,
		                    .type = isim_pageblock(zone, from),
		                    .retag = run->phys->kernel >= IOMMUSIM_KERNEL(6, 12) };

	isim_list_del(zone, to, isim_block_order(target), isim_block_type(target));
	isim_block_split(zone, to, isim_block_order(target), order, isim_block_type(target));
	isim_set_state(zone, to, order, state);
	isim_set_state(zone, from, order, ISIM_INNER);
	isim_block_free(zone, from, how);
	run->counts.nr_moved += isim_bit(order);
}

/* Does moving a block of this state make sense for the run? */
static int is_source(const struct run *run, unsigned state)
{
	unsigned kind = isim_block_kind(state), order = isim_block_order(state);

	if ((state & ISIM_STATE_BITS) != ISIM_USED || !isim_is_movable(kind) ||
	    kind == IOMMUSIM_PAGE_PINNED)
		return 0;
	if (!order || isim_is_set_of_pages(state))
		return 1;
	return run->phys->kernel >= IOMMUSIM_KERNEL(6, 12) && order < run->order &&
	       order < run->zone->pageblock_order;
}

/* Move the block in use at @at, a source. */
static void move_away(struct run *run, uint32_t at)
{
	unsigned order = isim_block_order(isim_state(run->zone, at));
	uint32_t to = find_room(run, order);

	if (to == ISIM_NIL || !isim_ask_move(run->phys, run->zone, at, to)) {
		run->counts.nr_failed += isim_bit(order);
		return;
	}
	move_block(run, at, to);
	if (!order)
		run->at = to + 1;
}

/*
 * Asynchronous compaction gives up a block of the wanted order as soon as it meets a page in it
 * that it cannot move.
 */
static int is_hopeless(struct run *run, uint32_t first, uint32_t end)
{
	uint64_t nr_scanned = 0;

	if (run->priority != ISIM_COMPACT_ASYNC)
		return 0;
	for (uint32_t at = first; at < end;) {
		unsigned state = isim_state(run->zone, at);

		nr_scanned++;
		if ((state & ISIM_STATE_BITS) == ISIM_USED && !is_source(run, state)) {
			run->counts.nr_scanned += nr_scanned;
			return 1;
		}
		at += 1u << isim_block_order(state);
	}
	return 0;
}

/* Move what can be moved out of @first .. @end-1. Inner frames that it meets were just freed and
   merged, or are behind a block that was looked at already. */
static void empty_range(struct run *run, uint32_t first, uint32_t end)
{
	if (is_hopeless(run, first, end))
		return;
	for (uint32_t at = first; at < end && run->room > run->migrate;) {
		unsigned state = isim_state(run->zone, at), order = isim_block_order(state);

		if (is_source(run, state) && isim_is_set_of_pages(state) &&
		    !isim_used_split(run->phys, run->zone, at))
			continue;
		run->counts.nr_scanned += (state & ISIM_STATE_BITS) != ISIM_INNER;
		if (is_source(run, state) && !isim_is_set_of_pages(state))
			move_away(run, at);
		at += 1u << order;
	}
}

/* The pageblock of the first scanner, in pieces of the wanted order. Blocks that are larger than
   a pageblock, and are no set of pages, stay. */
static void empty_pageblock(struct run *run)
{
	struct isim_zone *zone = run->zone;
	uint32_t head = isim_block_start(zone, run->migrate);
	unsigned state = isim_state(zone, head);
	uint32_t piece = pageblock_size(run), end = run->migrate + piece;

	if (isim_block_order(state) >= zone->pageblock_order) {
		run->counts.nr_scanned++;
		if (!is_source(run, state) || isim_used_split(run->phys, zone, head))
			return;
	}
	if (run->order < zone->pageblock_order)
		piece = 1u << run->order;
	for (uint32_t at = run->migrate; at < end; at += piece)
		empty_range(run, at, at + piece);
}

/* ---- A run over one zone ---- */

/* Asynchronous compaction for a request empties only pageblocks of the request's type. */
static int is_source_pageblock(const struct run *run)
{
	unsigned type = isim_pageblock(run->zone, run->migrate);

	if (run->priority != ISIM_COMPACT_ASYNC)
		return type != IOMMUSIM_ISOLATE;
	return type == run->type || (run->type == IOMMUSIM_MOVABLE && type == IOMMUSIM_CMA);
}

/* Is there a block that the request gets, or whose pageblock it may take as a whole? */
static int is_there(const struct run *run)
{
	const struct isim_zone *zone = run->zone;
	uint32_t enough = ~(uint32_t)(isim_bit(run->order) - 1);
	uint32_t own = zone->nonempty[run->type], others = 0;

	if (run->type == IOMMUSIM_MOVABLE)
		own |= zone->nonempty[IOMMUSIM_CMA];
	for (unsigned type = 0; type <= IOMMUSIM_RECLAIMABLE; type++)
		others |= zone->nonempty[type];
	if (run->type == IOMMUSIM_MOVABLE) /* only from half a pageblock's order */
		others &= ~(uint32_t)(isim_bit(zone->pageblock_order / 2) - 1);
	return run->order <= zone->top_order && ((own | others) & enough) != 0;
}

static uint32_t last_pageblock(const struct run *run)
{
	return (run->zone->end - 1) & ~(pageblock_size(run) - 1);
}

/* Both scanners from where they are until a block is there or they meet. */
static enum iommusim_compact_result scan(struct run *run)
{
	while (run->migrate < run->room) {
		if (is_source_pageblock(run))
			empty_pageblock(run);
		run->migrate += pageblock_size(run);
		if (is_there(run))
			return IOMMUSIM_COMPACT_SUCCESS;
	}
	return IOMMUSIM_COMPACT_COMPLETE;
}

static void tell(const struct run *run, enum iommusim_compact_result result)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_COMPACT,
		                        .order = (uint8_t)run->order,
		                        .migratetype = (uint8_t)run->type,
		                        .zone = (uint8_t)run->zone->config.zone,
		                        .flag = (uint8_t)result,
		                        .nr_scanned = run->counts.nr_scanned,
		                        .nr_pages = run->counts.nr_moved };

	isim_event(&run->phys->diag, &event);
}

/* Scan from where the last run stopped, and remember where this one did: at the ends again if the
   scanners met. */
static enum iommusim_compact_result go_on(struct run *run)
{
	struct isim_progress *progress = &run->zone->progress;
	unsigned is_sync = run->priority != ISIM_COMPACT_ASYNC;
	enum iommusim_compact_result result;

	run->migrate = progress->migrate[is_sync];
	run->room = progress->room ? progress->room : last_pageblock(run);
	run->at = run->room;
	result = scan(run);
	if (result == IOMMUSIM_COMPACT_SUCCESS) {
		progress->room = run->room;
		progress->migrate[0] = run->migrate;
		if (is_sync)
			progress->migrate[1] = run->migrate;
	} else {
		progress->room = progress->migrate[0] = progress->migrate[1] = 0;
	}
	tell(run, result);
	return result;
}

int iommusim_phys_compact(struct iommusim_phys *phys, struct iommusim_compact_counts *counts)
{
	struct iommusim_compact_counts sum = { 0, 0, 0 };

	for (unsigned i = 0; i < phys->nr_zones; i++) {
		struct run run = { .phys = phys,
			           .zone = &phys->zone[i],
			           .order = phys->nr_orders,
			           .priority = ISIM_COMPACT_SYNC_LIGHT };

		run.room = run.at = last_pageblock(&run);
		tell(&run, scan(&run));
		sum.nr_scanned += run.counts.nr_scanned;
		sum.nr_moved += run.counts.nr_moved;
		sum.nr_failed += run.counts.nr_failed;
	}
	if (counts)
		*counts = sum;
	return 0;
}

/* ---- For a request ---- */

/* Is it the lack of memory that fails the request, rather than fragmentation? */
static int is_lack_of_memory(const struct iommusim_phys *phys, const struct isim_zone *zone,
                             unsigned order)
{
	struct iommusim_zone_info info;
	int index;

	if (order <= ISIM_COSTLY_ORDER)
		return 0;
	iommusim_phys_zone(phys, (unsigned)(zone - phys->zone), &info);
	index = iommusim_zone_extfrag(&info, order);
	return index >= 0 && index <= 500;
}

/* Is enough left above the mark of @selector and @gap frames, for a block of @order? */
static int is_enough(const struct iommusim_phys *phys, const struct isim_zone *zone,
                     const struct isim_mark_test *want, unsigned selector, uint64_t gap)
{
	struct isim_mark_test test = *want;

	if (!(phys->features & IOMMUSIM_PHYS_WATERMARKS)) {
		uint32_t orders = zone->nonempty[IOMMUSIM_UNMOVABLE] |
		                  zone->nonempty[IOMMUSIM_MOVABLE] |
		                  zone->nonempty[IOMMUSIM_RECLAIMABLE];

		return zone->nr_free > gap && (!test.order || orders >> test.order);
	}
	test.mark = isim_mark(zone, selector) + gap;
	return isim_mark_passes(phys, zone, &test);
}

/*
 * SUCCESS: there is a block already; SKIPPED: no use to try; COMPLETE: to be tried. Models
 * compaction_suitable(), mm/compaction.c, Linux 6.1 and 6.12.
 */
static enum iommusim_compact_result suitable(const struct iommusim_phys *phys,
                                             const struct isim_zone *zone,
                                             const struct isim_attempt *attempt)
{
	struct isim_mark_test block = { .order = attempt->order, .highest = attempt->highest };
	struct isim_mark_test frames = { .highest = attempt->highest, .aflags = ISIM_ALLOC_CMA };
	unsigned selector = attempt->order > ISIM_COSTLY_ORDER ? ISIM_ALLOC_LOW : ISIM_ALLOC_MIN;

	if (attempt->type == IOMMUSIM_MOVABLE)
		block.aflags = ISIM_ALLOC_CMA;
	if (is_enough(phys, zone, &block, ISIM_ALLOC_MIN, 0))
		return IOMMUSIM_COMPACT_SUCCESS;
	if (!is_enough(phys, zone, &frames, selector, UINT64_C(2) << attempt->order) ||
	    is_lack_of_memory(phys, zone, attempt->order))
		return IOMMUSIM_COMPACT_SKIPPED;
	return IOMMUSIM_COMPACT_COMPLETE;
}

/* After a failure the next tries at its order or above are put off. Models compaction_deferred(),
   defer_compaction() and compaction_defer_reset(), mm/compaction.c. */
static int is_deferred(struct isim_zone *zone, unsigned order)
{
	struct isim_progress *p = &zone->progress;
	uint32_t limit = 1u << p->defer_shift;

	if (order < p->order_failed)
		return 0;
	if (++p->considered >= limit) {
		p->considered = limit;
		return 0;
	}
	return 1;
}

static void defer(struct isim_zone *zone, unsigned order)
{
	struct isim_progress *p = &zone->progress;

	p->considered = 0;
	if (p->defer_shift < MAX_DEFER)
		p->defer_shift++;
	if (order < p->order_failed)
		p->order_failed = order;
}

static void raise_failed(struct isim_zone *zone, unsigned order)
{
	if (order >= zone->progress.order_failed)
		zone->progress.order_failed = order + 1;
}

void isim_compact_worked(struct isim_zone *zone, unsigned order)
{
	zone->progress.considered = 0;
	zone->progress.defer_shift = 0;
	raise_failed(zone, order);
}

static enum iommusim_compact_result compact_zone(struct iommusim_phys *phys, struct isim_zone *zone,
                                                 const struct isim_attempt *attempt,
                                                 enum isim_compact_priority priority)
{
	struct run run = { .phys = phys,
		           .zone = zone,
		           .order = attempt->order,
		           .type = attempt->type,
		           .priority = priority };
	enum iommusim_compact_result result;

	if (priority != ISIM_COMPACT_SYNC_FULL && is_deferred(zone, attempt->order))
		return IOMMUSIM_COMPACT_DEFERRED;
	result = suitable(phys, zone, attempt);
	if (result == IOMMUSIM_COMPACT_COMPLETE)
		result = go_on(&run);
	if (result == IOMMUSIM_COMPACT_SUCCESS)
		raise_failed(zone, attempt->order);
	else if (result == IOMMUSIM_COMPACT_COMPLETE && priority != ISIM_COMPACT_ASYNC)
		defer(zone, attempt->order);
	return result;
}

enum iommusim_compact_result isim_compact(struct iommusim_phys *phys,
                                          const struct isim_attempt *attempt,
                                          enum isim_compact_priority priority)
{
	enum iommusim_compact_result best = IOMMUSIM_COMPACT_SKIPPED, result;

	if (!(phys->features & IOMMUSIM_PHYS_COMPACTION) || attempt->order >= phys->nr_orders)
		return best;
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		struct isim_zone *zone = &phys->zone[phys->zonelist[attempt->node][i]];

		if ((unsigned)zone->config.zone > attempt->highest ||
		    (attempt->this_node && zone->config.node != attempt->node))
			continue;
		result = compact_zone(phys, zone, attempt, priority);
		best = result > best ? result : best;
		if (result == IOMMUSIM_COMPACT_SUCCESS)
			break;
	}
	return best;
}
