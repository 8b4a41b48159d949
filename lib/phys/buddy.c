/* SPDX-License-Identifier: MIT */
/*
 * Blocks and free lists of one zone: taking, cutting, freeing, merging. A call that needs metadata
 * of a block that was never cut reserves it before it changes anything.
 */
#include "phys/zone.h"

#include <string.h>

int isim_leaf_reserve(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame)
{
	void **leaf = &zone->leaf[frame >> zone->top_order];

	if (*leaf)
		return 0;
	*leaf = isim_zalloc(&phys->diag.host, isim_bit(zone->top_order),
	                    sizeof(uint16_t) + sizeof(struct isim_link) / 2);
	return *leaf ? 0 : -IOMMUSIM_EHOST;
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

void isim_list_add(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type,
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
void isim_list_del(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type)
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

void isim_block_split(struct isim_zone *zone, uint32_t frame, unsigned have, unsigned want,
                      unsigned type)
{
	if (have == want)
		return;
	if (have == zone->top_order)
		isim_top_cut(zone, frame);
	while (have > want) {
		have--;
		isim_list_add(zone, frame + (1u << have), have, type, 0);
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
	isim_list_del(zone, frame, have, type);
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

void isim_block_free(struct isim_zone *zone, uint32_t frame, struct isim_freeing how)
{
	unsigned order = how.order;
	int cold;

	for (; order < zone->top_order; order++) {
		uint32_t buddy = frame ^ (1u << order);
		unsigned theirs;

		if (!isim_starts_block(zone, buddy, ISIM_FREE | order))
			break;
		if (order >= zone->pageblock_order) {
			theirs = isim_pageblock(zone, buddy);
			if (!may_merge(how.type, theirs))
				break;
			if (how.retag && theirs != how.type)
				set_pageblocks(zone, buddy, order, how.type);
		}
		isim_list_del(zone, buddy, order, isim_block_type(isim_state(zone, buddy)));
		isim_set_state(zone, buddy, order, ISIM_INNER);
		frame &= buddy;
	}
	cold = how.to_tail || merge_likely(zone, frame, order);
	isim_list_add(zone, frame, order, how.type, cold);
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
		isim_set_state(zone, first, order, isim_used_state(order, kind));
		first += 1u << order;
	}
	return 0;
}
