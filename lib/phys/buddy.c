/* SPDX-License-Identifier: MIT */
/*
 * Blocks and free lists of one zone: taking, cutting, freeing, merging. A call that needs metadata
 * of a block that was never cut reserves it before it changes anything.
 */
#include "phys/zone.h"

#include "base/compiler.h"

#include <string.h>

static void *new_leaf(const struct iommusim_phys *phys, unsigned top_order)
{
	return isim_zalloc(&phys->diag.host, isim_bit(top_order),
	                   sizeof(uint16_t) + sizeof(struct isim_link) / 2);
}

int isim_leaf_create(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame)
{
	void **leaf = &zone->leaf[frame >> zone->top_order];

	if (!*leaf)
		*leaf = new_leaf(phys, zone->top_order);
	return *leaf ? 0 : -IOMMUSIM_EHOST;
}

int isim_leaf_reserve(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame)
{
	void **leaf = &zone->leaf[frame >> zone->top_order];

	if (!*leaf && phys->spares && phys->spares->nr)
		*leaf = phys->spares->leaf[--phys->spares->nr];
	return isim_leaf_create(phys, zone, frame);
}

int isim_spares_reserve(const struct iommusim_phys *phys, unsigned nr)
{
	struct isim_spares *spares = phys->spares;
	int err = isim_grow(&phys->diag.host, &spares->leaf, &spares->cap, nr, sizeof(void *));

	if (err)
		return err;
	for (; spares->nr < nr; spares->nr++) {
		spares->leaf[spares->nr] = new_leaf(phys, phys->nr_orders - 1);
		if (!spares->leaf[spares->nr])
			return -IOMMUSIM_EHOST;
	}
	return 0;
}

void isim_spares_destroy(const struct iommusim_phys *phys)
{
	struct isim_spares *spares = phys->spares;

	while (spares && spares->nr)
		isim_free(&phys->diag.host, spares->leaf[--spares->nr]);
	if (spares)
		isim_free(&phys->diag.host, spares->leaf);
	isim_free(&phys->diag.host, spares);
}

void isim_top_cut(struct isim_zone *zone, uint32_t frame)
{
	assert(zone->leaf[frame >> zone->top_order]);
	isim_set_top_state(zone, frame >> zone->top_order, ISIM_CUT);
}

/* Links of top blocks are stored as differences, so that zeros mean "the one before, the one
 * after". */
static uint32_t top_from(uint32_t stored, uint32_t near_top, unsigned order)
{
	uint32_t top = stored + near_top;

	return top == ISIM_NIL ? ISIM_NIL : top << order;
}

static uint32_t top_to(uint32_t frame, uint32_t near_top, unsigned order)
{
	return (frame == ISIM_NIL ? ISIM_NIL : frame >> order) - near_top;
}

uint32_t isim_list_next(const struct isim_zone *zone, uint32_t frame, unsigned order)
{
	uint32_t top = frame >> zone->top_order;

	if (order == zone->top_order)
		return top_from(zone->top_link[top].next, top + 1, order);
	return isim_leaf_link(zone, frame)->next;
}

static uint32_t list_prev(const struct isim_zone *zone, uint32_t frame, unsigned order)
{
	uint32_t top = frame >> zone->top_order;

	if (order == zone->top_order)
		return top_from(zone->top_link[top].prev, top - 1, order);
	return isim_leaf_link(zone, frame)->prev;
}

static void set_next(struct isim_zone *zone, uint32_t frame, unsigned order, uint32_t next)
{
	uint32_t top = frame >> zone->top_order;

	if (order == zone->top_order)
		zone->top_link[top].next = top_to(next, top + 1, order);
	else
		isim_leaf_link(zone, frame)->next = next;
}

static void set_prev(struct isim_zone *zone, uint32_t frame, unsigned order, uint32_t prev)
{
	uint32_t top = frame >> zone->top_order;

	if (order == zone->top_order)
		zone->top_link[top].prev = top_to(prev, top - 1, order);
	else
		isim_leaf_link(zone, frame)->prev = prev;
}

/* What a block adds to the number of free frames: isolated ones are not for anybody. */
static uint64_t counted_frames(unsigned order, unsigned type)
{
	return (uint64_t)(type != IOMMUSIM_ISOLATE) << order;
}

/* The two below know nothing of the number of free frames: their callers count. */
ISIM_INLINE void link_block(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type,
                            int to_tail)
{
	uint32_t *head = &zone->head[order][type];
	uint32_t *tail = &zone->tail[order][type];
	uint32_t next = to_tail ? ISIM_NIL : *head;
	uint32_t prev = to_tail ? *tail : ISIM_NIL;

	isim_set_state(zone, frame, order, isim_free_state(order, type));
	set_next(zone, frame, order, next);
	set_prev(zone, frame, order, prev);
	if (next == ISIM_NIL)
		*tail = frame;
	else
		set_prev(zone, next, order, frame);
	if (prev == ISIM_NIL)
		*head = frame;
	else
		set_next(zone, prev, order, frame);
	zone->nr_blocks[order][type]++;
	zone->nonempty[type] |= 1u << order;
}

/* The block keeps its state: whoever takes it off a list says what it is next. */
ISIM_INLINE void unlink_block(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type)
{
	uint32_t next = isim_list_next(zone, frame, order);
	uint32_t prev = list_prev(zone, frame, order);

	if (next == ISIM_NIL)
		zone->tail[order][type] = prev;
	else
		set_prev(zone, next, order, prev);
	if (prev == ISIM_NIL)
		zone->head[order][type] = next;
	else
		set_next(zone, prev, order, next);
	if (--zone->nr_blocks[order][type] == 0)
		zone->nonempty[type] &= ~(1u << order);
}

/* As unlink_block(), of a block that is smaller than a top block. */
ISIM_INLINE void unlink_piece(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type)
{
	const struct isim_link *link = isim_leaf_link(zone, frame);
	uint32_t next = link->next, prev = link->prev;

	if (next == ISIM_NIL)
		zone->tail[order][type] = prev;
	else
		isim_leaf_link(zone, next)->prev = prev;
	if (prev == ISIM_NIL)
		zone->head[order][type] = next;
	else
		isim_leaf_link(zone, prev)->next = next;
	if (--zone->nr_blocks[order][type] == 0)
		zone->nonempty[type] &= ~(1u << order);
}

/* Push a block that is smaller than a top block at the head of its list. */
ISIM_INLINE void push_piece(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type)
{
	struct isim_link *link = isim_leaf_link(zone, frame);
	uint32_t next = zone->head[order][type];

	isim_leaf_states(zone, frame)[isim_leaf_index(zone, frame)] =
		(uint16_t)isim_free_state(order, type);
	link->next = next;
	link->prev = ISIM_NIL;
	if (next == ISIM_NIL)
		zone->tail[order][type] = frame;
	else
		isim_leaf_link(zone, next)->prev = frame;
	zone->head[order][type] = frame;
	zone->nr_blocks[order][type]++;
}

void isim_list_add(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type,
                   int to_tail)
{
	link_block(zone, frame, order, type, to_tail);
	zone->nr_free += counted_frames(order, type);
}

void isim_list_del(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type)
{
	unlink_block(zone, frame, order, type);
	zone->nr_free -= counted_frames(order, type);
}

void isim_block_split(struct isim_zone *zone, uint32_t frame, unsigned have, unsigned want,
                      unsigned type)
{
	if (have == want)
		return;
	if (have == zone->top_order)
		isim_top_cut(zone, frame);
	zone->nr_cuts += have - want;
	zone->nr_free += counted_frames(have, type) - counted_frames(want, type);
	zone->nonempty[type] |= (1u << have) - (1u << want);
	while (have > want) {
		have--;
		push_piece(zone, frame + (1u << have), have, type);
	}
}

uint32_t isim_take_smallest(const struct iommusim_phys *phys, struct isim_zone *zone,
                            unsigned order, unsigned type, int *err)
{
	uint32_t sufficient = zone->nonempty[type] >> order;
	uint32_t frame;
	unsigned have;

	if (!sufficient)
		return ISIM_NIL;
	have = order + isim_low_bit(sufficient);
	frame = zone->head[have][type];
	if (have == zone->top_order && order < have) {
		*err = isim_leaf_reserve(phys, zone, frame);
		if (*err)
			return ISIM_NIL;
	}
	zone->nr_free -= counted_frames(have, type);
	if (have < zone->top_order)
		unlink_piece(zone, frame, have, type);
	else
		unlink_block(zone, frame, have, type);
	isim_block_split(zone, frame, have, order, type);
	return frame;
}

/*
 * A block whose buddy may come back soon, so that the pair would merge with its own free neighbour,
 * is kept cold. Models buddy_merge_likely(), mm/page_alloc.c, Linux 6.1 and 6.12.
 */
static int merge_likely(const struct isim_zone *zone, uint32_t frame, unsigned order)
{
	uint32_t parent = frame & ~(1u << order);

	if (order + 1 >= zone->top_order)
		return 0;
	return isim_starts_block(zone, parent ^ (2u << order), ISIM_FREE | (order + 1));
}

/* May @frame's free buddy of type @theirs, of a pageblock or larger, merge with a block of type
 * @ours? */
static int may_merge(unsigned ours, unsigned theirs)
{
	return ours == theirs || (isim_mergeable(ours) && isim_mergeable(theirs));
}

static void set_pageblocks(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type)
{
	for (uint32_t at = 0; at < 1u << order; at += 1u << zone->pageblock_order)
		isim_set_pageblock(zone, frame + at, type);
}

/* May the block of @order merge with its free @buddy? Then 6.12 tags the buddy's pageblocks. */
static int merges(struct isim_zone *zone, uint32_t buddy, unsigned order, struct isim_freeing how)
{
	unsigned theirs = isim_pageblock(zone, buddy);

	if (!may_merge(how.type, theirs))
		return 0;
	if (how.retag && theirs != how.type)
		set_pageblocks(zone, buddy, order, how.type);
	return 1;
}

void isim_block_free(struct isim_zone *zone, uint32_t frame, struct isim_freeing how)
{
	uint16_t *states = isim_leaf_states(zone, frame);
	unsigned order = how.order;
	uint32_t head = zone->head[order][how.type];
	int cold;

	if (head != ISIM_NIL && order < zone->top_order) /* the neighbour, if it does not merge */
		ISIM_PREFETCH(isim_leaf_link(zone, head));

	for (; order < zone->top_order; order++) {
		uint32_t buddy = frame ^ (1u << order);
		uint16_t *state = &states[isim_leaf_index(zone, buddy)];
		unsigned type = isim_block_type(*state);

		if ((*state & (ISIM_STATE_BITS | ISIM_ORDER_BITS)) != (ISIM_FREE | order))
			break;
		if (order >= zone->pageblock_order && !merges(zone, buddy, order, how))
			break;
		unlink_piece(zone, buddy, order, type);
		zone->nr_free -= counted_frames(order, type);
		*state = ISIM_INNER;
		frame &= buddy;
	}
	zone->nr_free += counted_frames(order, how.type);
	cold = how.to_tail || merge_likely(zone, frame, order);
	if (order < zone->top_order && !cold) {
		push_piece(zone, frame, order, how.type);
		zone->nonempty[how.type] |= 1u << order;
	} else {
		link_block(zone, frame, order, how.type, cold);
	}
}

/* The order of the largest block that starts at @frame and ends before @end. */
static unsigned largest_block(const struct isim_zone *zone, uint32_t frame, uint32_t end)
{
	unsigned order = zone->top_order;

	if (frame && isim_low_bit(frame) < order)
		order = isim_low_bit(frame);
	while (end - frame < 1u << order)
		order--;
	return order;
}

/* Make room for the state of a block of @order, smaller than a top block, at @frame. */
static int open_top(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                    unsigned order)
{
	unsigned state = isim_top_state(zone, frame >> zone->top_order);
	int err;

	if (order == zone->top_order || state == ISIM_CUT)
		return 0;
	err = isim_leaf_reserve(phys, zone, frame);
	if (!err)
		isim_top_cut(zone, frame);
	return err;
}

int isim_release(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t first,
                 uint32_t end, unsigned type)
{
	while (first < end) {
		unsigned order = largest_block(zone, first, end);
		int err = open_top(phys, zone, first, order);

		if (err)
			return err;
		isim_set_state(zone, first, order, ISIM_INNER);
		isim_block_free(zone, first, (struct isim_freeing){ order, type, 1, 0 });
		first += 1u << order;
	}
	return 0;
}

int isim_occupy(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t first,
                uint32_t end, enum iommusim_page_kind kind)
{
	while (first < end) {
		unsigned order = largest_block(zone, first, end);
		int err = open_top(phys, zone, first, order);

		if (err)
			return err;
		isim_set_state(zone, first, order, isim_used_state(order, kind) | ISIM_POPULATION);
		if (kind != IOMMUSIM_PAGE_RESERVED)
			zone->nr_used[1][kind] += 1u << order;
		first += 1u << order;
	}
	return 0;
}

uint32_t isim_block_start(const struct isim_zone *zone, uint32_t frame)
{
	uint32_t start = frame & ~((1u << zone->top_order) - 1);

	if (isim_top_state(zone, frame >> zone->top_order) != ISIM_CUT)
		return start;
	for (unsigned order = 0; order <= zone->top_order; order++) {
		start = frame & ~((1u << order) - 1);
		if ((isim_state(zone, start) & ISIM_STATE_BITS) != ISIM_INNER)
			break;
	}
	return start;
}

static int is_all_used(const struct isim_zone *zone, uint32_t frame, uint32_t end)
{
	for (uint32_t at = isim_block_start(zone, frame); at < end;) {
		unsigned state = isim_state(zone, at);

		if ((state & ISIM_STATE_BITS) != ISIM_USED ||
		    isim_block_kind(state) == ISIM_KIND_PCP)
			return 0;
		at += 1u << isim_block_order(state);
	}
	return 1;
}

/* Cut the block in use around @frame until one of @order starts there, or a smaller one. */
static int cut_used(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                    unsigned order)
{
	uint32_t start = isim_block_start(zone, frame);
	unsigned state = isim_state(zone, start), have = isim_block_order(state);
	int err = have > order ? open_top(phys, zone, frame, order) : 0;

	if (err)
		return err;
	state &= ~(ISIM_ORDER_BITS | ISIM_COMPOUND);
	while (have > order) {
		have--;
		isim_set_state(zone, start, have, state | have);
		isim_set_state(zone, start + (1u << have), have, state | have);
		start |= frame & 1u << have;
	}
	return 0;
}

int isim_block_carve(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                     unsigned order, enum iommusim_page_kind kind)
{
	unsigned state = isim_used_state(order, kind) | ISIM_POPULATION;
	uint32_t end = frame + (1u << order);
	int err;

	if (!is_all_used(zone, frame, end))
		return -IOMMUSIM_EINVAL;
	err = cut_used(phys, zone, frame, order);
	if (err)
		return err;
	for (uint32_t at = frame; at < end;) {
		unsigned was = isim_state(zone, at), have = isim_block_order(was);

		if (isim_block_kind(was) != IOMMUSIM_PAGE_RESERVED)
			isim_count_unused(zone, was);
		isim_set_state(zone, at, have, ISIM_INNER);
		at += 1u << have;
	}
	if (order == zone->top_order)
		isim_set_top_state(zone, frame >> order, ISIM_INNER);
	isim_set_state(zone, frame, order, state);
	if (kind != IOMMUSIM_PAGE_RESERVED)
		isim_count_used(zone, state);
	return 0;
}
