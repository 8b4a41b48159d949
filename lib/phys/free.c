/* SPDX-License-Identifier: MIT */
/* Freeing: to a per-CPU list where the order has one, else to the free lists; splitting. */
#include "base/compiler.h"
#include "phys/request.h"

static int not_in_use(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order)
{
	return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
	                 "pfn 0x%llx does not start a block in use of order %u",
	                 (unsigned long long)pfn, order);
}

/* State of the frame. In a large memory its link is far away too, and is needed next. */
ISIM_INLINE unsigned fetch_state(const struct isim_zone *zone, uint32_t frame)
{
	unsigned state = isim_top_state(zone, frame >> zone->top_order);

	if (state != ISIM_CUT)
		return frame & ((1u << zone->top_order) - 1) ? ISIM_INNER : state;
	ISIM_PREFETCH(isim_leaf_link(zone, frame));
	return isim_leaf_states(zone, frame)[isim_leaf_index(zone, frame)];
}

ISIM_INLINE struct isim_zone *used_block(struct iommusim_phys *phys, iommusim_pfn pfn,
                                         unsigned order, uint32_t *frame)
{
	struct isim_zone *zone = isim_zone_of(phys, pfn, frame);
	unsigned state, kind;

	if (!zone || order >= phys->nr_orders || pfn & (isim_bit(order) - 1))
		return NULL;
	state = fetch_state(zone, *frame);
	if ((state & (ISIM_STATE_BITS | ISIM_ORDER_BITS)) != (ISIM_USED | order))
		return NULL;
	kind = isim_block_kind(state);
	return kind == IOMMUSIM_PAGE_RESERVED || kind == ISIM_KIND_PCP ? NULL : zone;
}

struct isim_zone *isim_used_block(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order,
                                  uint32_t *frame)
{
	return used_block(phys, pfn, order, frame);
}

/* Do the pageblocks of the block have types that differ? */
static int types_differ(const struct isim_zone *zone, uint32_t frame, unsigned order)
{
	for (uint32_t at = 0; at < 1u << order; at += 1u << zone->pageblock_order)
		if (isim_pageblock(zone, frame + at) != isim_pageblock(zone, frame))
			return 1;
	return 0;
}

/* The counter is told of each piece that Linux frees, even where they are freed as one. */
static void free_piece(struct isim_zone *zone, uint32_t frame, struct isim_freeing how,
                       unsigned cpu)
{
	unsigned piece = how.order;

	how.type = isim_pageblock(zone, frame);
	if (how.retag && piece > zone->pageblock_order)
		piece = zone->pageblock_order;
	for (unsigned i = 0; how.type != IOMMUSIM_ISOLATE && i < 1u << (how.order - piece); i++)
		isim_account(zone, cpu, 1 << piece);
	isim_block_free(zone, frame, how);
}

/*
 * Linux 6.12 frees more than a pageblock piece by piece, each piece to its own type's list. Where
 * that comes to the same, the block is freed whole.
 */
int isim_free_direct(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                     unsigned order, unsigned cpu)
{
	struct isim_freeing how = { .order = order,
		                    .retag = phys->kernel >= IOMMUSIM_KERNEL(6, 12) };

	if (how.retag && order > zone->pageblock_order && types_differ(zone, frame, order)) {
		how.order = zone->pageblock_order;
		if (order == zone->top_order) {
			if (isim_leaf_reserve(phys, zone, frame))
				return isim_no_memory(&phys->diag, "the frames of a block");
			isim_top_cut(zone, frame);
		}
	}
	for (uint32_t at = 0; at < 1u << order; at += 1u << how.order)
		free_piece(zone, frame + at, how, cpu);
	return 0;
}

static void tell_free(const struct iommusim_phys *phys, const struct isim_zone *zone,
                      iommusim_pfn pfn, unsigned order, uint64_t nr)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_PAGE_FREE,
		                        .order = (uint8_t)order,
		                        .zone = (uint8_t)zone->config.zone,
		                        .pfn = pfn,
		                        .nr_pages = nr };

	isim_event(&phys->diag, &event);
}

/* The per-CPU list that takes the block, by its pageblock's type in @freed; -1: none does. */
static int list_for(const struct iommusim_phys *phys, const struct isim_freed *freed)
{
	unsigned type = freed->type;

	if (!(phys->features & IOMMUSIM_PHYS_PCP) || type == IOMMUSIM_ISOLATE)
		return -1;
	return isim_pcp_index(phys, freed->order,
	                      type > IOMMUSIM_RECLAIMABLE ? IOMMUSIM_MOVABLE : type);
}

static int free_to_pcp(struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu,
                       struct isim_freed freed)
{
	const struct isim_ring *ring = &zone->pcp[cpu].list[freed.list];

	if (ring->nr == ring->cap && isim_pcp_reserve_free(phys, &zone->pcp[cpu], freed.list, 1))
		return isim_no_memory(&phys->diag, "a per-CPU list");
	isim_count_unused(zone, isim_state(zone, freed.frame));
	isim_pcp_free(phys, zone, cpu, freed);
	return 0;
}

static int free_block(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                      unsigned order, unsigned cpu)
{
	struct isim_freed freed = { frame, order, isim_pageblock(zone, frame), 0 };
	int list = list_for(phys, &freed), err;
	unsigned state;

	if (list >= 0) {
		freed.list = (unsigned)list;
		return free_to_pcp(phys, zone, cpu, freed);
	}
	if (order <= zone->pageblock_order && !phys->features) {
		isim_count_unused(zone, isim_state(zone, frame));
		isim_set_state(zone, frame, order, ISIM_INNER);
		isim_block_free(zone, frame,
		                (struct isim_freeing){ order, freed.type, 0,
		                                       phys->kernel >= IOMMUSIM_KERNEL(6, 12) });
		return 0;
	}
	state = isim_state(zone, frame);
	isim_set_state(zone, frame, order, ISIM_INNER);
	err = isim_free_direct(phys, zone, frame, order, cpu);
	if (err)
		isim_set_state(zone, frame, order, state);
	else
		isim_count_unused(zone, state);
	return err;
}

int isim_free_reserve(struct iommusim_phys *phys, unsigned cpu, unsigned nr)
{
	int err = 0;

	if (!(phys->features & IOMMUSIM_PHYS_PCP))
		return 0;
	for (unsigned i = 0; i < phys->nr_zones; i++)
		for (unsigned list = 0; !err && list <= IOMMUSIM_RECLAIMABLE; list++)
			err = isim_pcp_reserve_free(phys, &phys->zone[i].pcp[cpu], list, nr);
	return err;
}

void isim_free_pages(struct iommusim_phys *phys, const iommusim_pfn *pfns, iommusim_pfn first,
                     uint64_t nr, unsigned cpu)
{
	struct isim_zone *zone = NULL;
	uint32_t frame = 0;

	for (uint64_t i = 0; i < nr; i++) {
		int err;

		zone = isim_zone_of(phys, pfns ? pfns[i] : first + i, &frame);
		err = free_block(phys, zone, frame, 0, cpu);
		assert(!err); /* room was reserved */
		(void)err;
	}
	if (zone && isim_wants_events(&phys->diag))
		tell_free(phys, zone, pfns ? pfns[0] : first, 0, nr);
}

int iommusim_phys_free_on(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order,
                          unsigned cpu)
{
	struct isim_zone *zone;
	uint32_t frame;
	int err;

	zone = used_block(phys, pfn, order, &frame);
	if (!zone)
		return not_in_use(phys, pfn, order);
	if (cpu >= phys->nr_cpus)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no CPU %u", cpu);
	err = free_block(phys, zone, frame, order, cpu);
	if (!err && isim_wants_events(&phys->diag))
		tell_free(phys, zone, pfn, order, isim_bit(order));
	return err;
}

int iommusim_phys_free(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order)
{
	return iommusim_phys_free_on(phys, pfn, order, 0);
}

int iommusim_phys_split(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_PAGE_SPLIT,
		                        .order = (uint8_t)order,
		                        .pfn = pfn,
		                        .nr_pages = isim_bit(order & 63) };
	struct isim_zone *zone;
	uint32_t frame;
	unsigned state;

	zone = isim_used_block(phys, pfn, order, &frame);
	if (!zone)
		return not_in_use(phys, pfn, order);
	state = isim_state(zone, frame);
	if (state & ISIM_COMPOUND)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "pfn 0x%llx is a compound block",
		                 (unsigned long long)pfn);
	if (!order)
		return 0;
	if (order == zone->top_order) {
		if (isim_leaf_reserve(phys, zone, frame))
			return isim_no_memory(&phys->diag, "the frames of a block");
		isim_top_cut(zone, frame);
	}
	state &= ~ISIM_ORDER_BITS;
	for (uint32_t i = 0; i < 1u << order; i++)
		isim_leaf_states(zone, frame)[isim_leaf_index(zone, frame) + i] = (uint16_t)state;
	event.zone = (uint8_t)zone->config.zone;
	isim_event(&phys->diag, &event);
	return 0;
}
