/* SPDX-License-Identifier: MIT */
/*
 * Blocks in use: what they are, whose they are, and how they become something else. A caller's
 * block is touched only if its owner can be told.
 */
#include "phys/population.h"

#include <string.h>

int isim_is_set_of_pages(unsigned state)
{
	unsigned kind = isim_block_kind(state);

	return state & ISIM_POPULATION && !(state & ISIM_COMPOUND) && isim_block_order(state) &&
	       isim_is_movable(kind) && kind != IOMMUSIM_PAGE_HUGE;
}

int isim_used_split(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame)
{
	unsigned state = isim_state(zone, frame), order = isim_block_order(state);
	uint16_t *states;

	if (order == zone->top_order && order) {
		if (isim_leaf_create(phys, zone, frame))
			return -IOMMUSIM_EHOST;
		isim_top_cut(zone, frame);
	}
	state &= ~ISIM_ORDER_BITS;
	if (!zone->top_order)
		return 0;
	states = isim_leaf_states(zone, frame) + isim_leaf_index(zone, frame);
	for (uint32_t i = 0; i < 1u << order; i++)
		states[i] = (uint16_t)state;
	return 0;
}

/* ---- Owners ---- */

static const struct iommusim_page_owner *owner_of(const struct iommusim_phys *phys, unsigned state)
{
	return state & ISIM_POPULATION ? &phys->ager : &phys->owner;
}

int isim_ask_move(const struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t frame,
                  uint32_t to)
{
	unsigned state = isim_state(zone, frame);
	const struct iommusim_page_owner *owner = owner_of(phys, state);

	if (!owner->moved)
		return (state & ISIM_POPULATION) != 0;
	return !owner->moved(owner->ctx, zone->base + frame, zone->base + to,
	                     isim_block_order(state));
}

int isim_ask_take(const struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t frame)
{
	unsigned state = isim_state(zone, frame);
	const struct iommusim_page_owner *owner = owner_of(phys, state);

	if (!owner->taken)
		return (state & ISIM_POPULATION) != 0;
	return !owner->taken(owner->ctx, zone->base + frame, isim_block_order(state));
}

int iommusim_phys_set_owner(struct iommusim_phys *phys, const struct iommusim_page_owner *owner)
{
	struct iommusim_page_owner o = { .size = 0 };
	int err = owner ? isim_copy_sized(&o, sizeof(o), owner) : 0;

	if (err)
		return isim_fail(&phys->diag, -err, "the owner is no struct that is known here");
	phys->owner = o;
	return 0;
}

void isim_used_free(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame)
{
	unsigned state = isim_state(zone, frame);
	struct isim_freeing how = { .order = isim_block_order(state),
		                    .type = isim_pageblock(zone, frame),
		                    .retag = phys->kernel >= IOMMUSIM_KERNEL(6, 12) };

	assert(how.order <= zone->pageblock_order);
	isim_count_unused(zone, state);
	if (how.type != IOMMUSIM_ISOLATE)
		isim_account(zone, 0, 1 << how.order);
	isim_set_state(zone, frame, how.order, ISIM_INNER);
	isim_block_free(zone, frame, how);
}

void isim_adopt(struct isim_zone *zone, uint32_t frame)
{
	unsigned state = isim_state(zone, frame);

	isim_count_unused(zone, state);
	state |= ISIM_POPULATION;
	isim_count_used(zone, state);
	isim_set_state(zone, frame, isim_block_order(state), state);
}

/* ---- What is there ---- */

int iommusim_phys_usage(const struct iommusim_phys *phys, unsigned index,
                        struct iommusim_usage *usage)
{
	if (index >= phys->nr_zones)
		return -IOMMUSIM_EINVAL;
	for (unsigned kind = 0; kind < IOMMUSIM_NR_PAGE_KINDS; kind++) {
		usage->callers[kind] = phys->zone[index].nr_used[0][kind];
		usage->population[kind] = phys->zone[index].nr_used[1][kind];
	}
	return 0;
}

int iommusim_phys_kind(const struct iommusim_phys *phys, iommusim_pfn pfn, unsigned *is_callers)
{
	uint32_t frame;
	const struct isim_zone *zone = isim_zone_of(phys, pfn, &frame);
	unsigned state;

	if (!zone)
		return -IOMMUSIM_EINVAL;
	state = isim_state(zone, isim_block_start(zone, frame));
	if ((state & ISIM_STATE_BITS) != ISIM_USED || isim_block_kind(state) == ISIM_KIND_PCP)
		return -IOMMUSIM_EINVAL;
	if (is_callers)
		*is_callers = !(state & ISIM_POPULATION);
	return (int)isim_block_kind(state);
}

void iommusim_phys_set_swap(struct iommusim_phys *phys, uint64_t nr_frames)
{
	phys->swap_left = nr_frames;
}

uint64_t iommusim_phys_swap_left(const struct iommusim_phys *phys)
{
	return phys->swap_left;
}
