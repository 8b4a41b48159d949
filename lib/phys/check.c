/* SPDX-License-Identifier: MIT */
/*
 * The validator: walks every frame once and every list once, and compares what it meets with the
 * counts and with the rules. The first defect is worded and ends the walk.
 */
#include "phys/request.h"

#include <string.h>

/* Free blocks, and frames in use, met while walking the frames. */
struct tally {
	uint32_t nr_used[2][IOMMUSIM_NR_PAGE_KINDS];
	uint32_t nr_blocks[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES];
	uint32_t nr_pcp; /* blocks on per-CPU lists */
};

static int defect(struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t frame,
                  const char *what)
{
	return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "node %u, zone %s, pfn 0x%llx: %s",
	                 zone->config.node, iommusim_zone_name(zone->config.zone),
	                 (unsigned long long)(zone->base + frame), what);
}

/*
 * A free block whose buddy is free too, though Linux would have merged the two. Pageblocks that
 * leave the reserve of atomic requests do not merge with their buddies before they are used.
 */
static int is_unmerged(const struct iommusim_phys *phys, const struct isim_zone *zone,
                       uint32_t frame, unsigned order)
{
	uint32_t buddy = frame ^ (1u << order);

	if (order == zone->top_order || !isim_starts_block(zone, buddy, ISIM_FREE | order))
		return 0;
	if (order < zone->pageblock_order)
		return 1;
	if (phys->features & IOMMUSIM_PHYS_HIGHATOMIC)
		return 0;
	return isim_pageblock(zone, frame) == isim_pageblock(zone, buddy) ||
	       (isim_mergeable(isim_pageblock(zone, frame)) &&
	        isim_mergeable(isim_pageblock(zone, buddy)));
}

/* From 6.12 on a free block lies on the list of its pageblocks' type, all of them: frees see to it,
   and so does fallback generation C. */
static int is_on_wrong_list(const struct iommusim_phys *phys, const struct isim_zone *zone,
                            uint32_t frame, unsigned state)
{
	if (phys->fallback != IOMMUSIM_FALLBACK_C || phys->kernel < IOMMUSIM_KERNEL(6, 12))
		return 0;
	for (uint32_t at = 0; at < 1u << isim_block_order(state); at += 1u << zone->pageblock_order)
		if (isim_pageblock(zone, frame + at) != isim_block_type(state))
			return 1;
	return 0;
}

static int check_free(struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t frame,
                      struct tally *tally)
{
	unsigned state = isim_state(zone, frame);
	unsigned order = isim_block_order(state);

	if (isim_block_type(state) >= IOMMUSIM_NR_MIGRATETYPES)
		return defect(phys, zone, frame, "a free block of no migratetype");
	if (frame < zone->first || zone->end - frame < 1u << order)
		return defect(phys, zone, frame, "a free block reaches out of its zone");
	if (is_unmerged(phys, zone, frame, order))
		return defect(phys, zone, frame, "a free block and its buddy are not merged");
	if (is_on_wrong_list(phys, zone, frame, state))
		return defect(phys, zone, frame, "a free block is not on its pageblock's list");
	tally->nr_blocks[order][isim_block_type(state)]++;
	return 0;
}

static int check_used(struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t frame,
                      struct tally *tally)
{
	unsigned state = isim_state(zone, frame), kind = isim_block_kind(state);

	if (kind == ISIM_KIND_PCP)
		tally->nr_pcp++;
	else if (kind == IOMMUSIM_PAGE_BY_GFP || kind >= IOMMUSIM_NR_PAGE_KINDS)
		return defect(phys, zone, frame, "a block in use is of no kind");
	else if (kind != IOMMUSIM_PAGE_RESERVED)
		tally->nr_used[(state & ISIM_POPULATION) != 0][kind] += 1u
		                                                        << isim_block_order(state);
	return 0;
}

/* Frames inside a block have no state of their own. */
static int check_inside(struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t frame,
                        unsigned order)
{
	if (order == zone->top_order && !zone->leaf[frame >> order])
		return 0;
	for (uint32_t i = order < zone->top_order; i < 1u << order; i++)
		if (isim_leaf_states(zone, frame)[isim_leaf_index(zone, frame + i)])
			return defect(phys, zone, frame + i, "a frame inside a block has a state");
	return 0;
}

static int check_frames(struct iommusim_phys *phys, const struct isim_zone *zone,
                        struct tally *tally)
{
	uint32_t end = zone->nr_top << zone->top_order;

	for (uint32_t frame = 0; frame < end;) {
		unsigned state = isim_state(zone, frame);
		unsigned order = isim_block_order(state);
		int err = 0;

		if ((state & ISIM_STATE_BITS) != ISIM_FREE &&
		    (state & ISIM_STATE_BITS) != ISIM_USED)
			return defect(phys, zone, frame, "a frame belongs to no block");
		if (order > zone->top_order || frame & ((1u << order) - 1))
			return defect(phys, zone, frame, "a block is not aligned to its size");
		if ((state & ISIM_STATE_BITS) == ISIM_FREE)
			err = check_free(phys, zone, frame, tally);
		else
			err = check_used(phys, zone, frame, tally);
		if (!err)
			err = check_inside(phys, zone, frame, order);
		if (err)
			return err;
		frame += 1u << order;
	}
	return 0;
}

static int check_list(struct iommusim_phys *phys, const struct isim_zone *zone, unsigned order,
                      unsigned type)
{
	uint32_t frame = zone->head[order][type], last = ISIM_NIL;
	uint32_t nr = 0;

	for (; frame != ISIM_NIL; frame = isim_list_next(zone, frame, order)) {
		if (nr++ == zone->nr_blocks[order][type])
			return defect(phys, zone, frame, "a list is longer than its count");
		if (!isim_starts_block(zone, frame, ISIM_FREE | order) ||
		    isim_block_type(isim_state(zone, frame)) != type)
			return defect(phys, zone, frame, "a list has a block that is not its own");
		last = frame;
	}
	if (nr != zone->nr_blocks[order][type] || last != zone->tail[order][type])
		return defect(phys, zone, nr ? last : 0, "a list ends early");
	if ((zone->nonempty[type] >> order & 1) != (nr != 0))
		return defect(phys, zone, nr ? last : 0, "the mask of lists is wrong");
	return 0;
}

/* ---- Per-CPU lists ---- */

/* Mark each block of the list as seen. */
static int check_ring(struct iommusim_phys *phys, struct isim_zone *zone,
                      const struct isim_ring *ring, unsigned list, int32_t *count)
{
	unsigned order = list < 12 ? list / 3 : phys->thp_order;

	for (uint32_t i = 0; i < ring->nr; i++) {
		uint32_t frame = isim_pcp_frame(ring, i);
		unsigned state;

		if (frame < zone->first || frame >= zone->end || order > zone->top_order ||
		    !isim_starts_block(zone, frame, ISIM_USED | order))
			return defect(phys, zone, frame, "a per-CPU list has no such block");
		state = isim_state(zone, frame);
		if (isim_block_kind(state) != ISIM_KIND_PCP)
			return defect(phys, zone, frame, "a block in use is on a per-CPU list");
		if (state & ISIM_SEEN)
			return defect(phys, zone, frame, "a block is on two per-CPU lists");
		isim_set_state(zone, frame, order, state | ISIM_SEEN);
		*count += 1 << order;
	}
	return 0;
}

static void forget_ring(struct iommusim_phys *phys, struct isim_zone *zone,
                        const struct isim_ring *ring, unsigned list)
{
	unsigned order = list < 12 ? list / 3 : phys->thp_order;

	for (uint32_t i = 0; i < ring->nr; i++) {
		uint32_t frame = isim_pcp_frame(ring, i);

		if (frame >= zone->first && frame < zone->end && order <= zone->top_order &&
		    isim_starts_block(zone, frame, ISIM_USED | order))
			isim_set_state(zone, frame, order, isim_state(zone, frame) & ~ISIM_SEEN);
	}
}

static int check_pcp(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_pcp *pcp)
{
	int32_t count = 0;
	int err = 0;

	for (unsigned list = 0; !err && list < ISIM_PCP_LISTS; list++)
		err = check_ring(phys, zone, &pcp->list[list], list, &count);
	if (!err && count != pcp->count)
		return defect(phys, zone, zone->first, "a per-CPU count is wrong");
	return err;
}

/* Every list has blocks that are marked as its own, and no block so marked is missing. */
static int check_pcps(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t nr_pcp)
{
	int64_t pending = 0;
	uint32_t nr = 0;
	int err = 0;

	for (unsigned cpu = 0; zone->pcp && cpu < phys->nr_cpus; cpu++) {
		if (!err)
			err = check_pcp(phys, zone, &zone->pcp[cpu]);
		pending += zone->pcp[cpu].pending;
		for (unsigned list = 0; list < ISIM_PCP_LISTS; list++)
			nr += zone->pcp[cpu].list[list].nr;
	}
	for (unsigned cpu = 0; zone->pcp && cpu < phys->nr_cpus; cpu++)
		for (unsigned list = 0; list < ISIM_PCP_LISTS; list++)
			forget_ring(phys, zone, &zone->pcp[cpu].list[list], list);
	if (!err && nr != nr_pcp)
		return defect(phys, zone, zone->first, "a block is on no per-CPU list");
	if (!err && pending != zone->pending)
		return defect(phys, zone, zone->first, "what the CPUs owe the counter is wrong");
	return err;
}

static int check_sum(struct iommusim_phys *phys, const struct isim_zone *zone)
{
	uint64_t frames = 0;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		if (type != IOMMUSIM_ISOLATE)
			frames += isim_frames_of(zone, type);
	if (frames != zone->nr_free)
		return defect(phys, zone, zone->first, "the number of free frames is wrong");
	return 0;
}

static int check_zone(struct iommusim_phys *phys, struct isim_zone *zone)
{
	struct tally tally = { .nr_pcp = 0 };
	int err = check_frames(phys, zone, &tally);

	if (!err && memcmp(tally.nr_used, zone->nr_used, sizeof(tally.nr_used)))
		return defect(phys, zone, zone->first,
		              "the frames in use of a kind are miscounted");
	if (!err)
		err = check_sum(phys, zone);
	if (!err)
		err = check_pcps(phys, zone, tally.nr_pcp);

	for (unsigned order = 0; !err && order <= zone->top_order; order++)
		for (unsigned type = 0; !err && type < IOMMUSIM_NR_MIGRATETYPES; type++) {
			if (tally.nr_blocks[order][type] != zone->nr_blocks[order][type])
				return defect(phys, zone, 0, "a free block is on no list");
			err = check_list(phys, zone, order, type);
		}
	for (uint32_t frame = zone->first; !err && frame < zone->end;
	     frame += 1u << zone->pageblock_order) {
		if (isim_pageblock(zone, frame) >= IOMMUSIM_NR_MIGRATETYPES)
			return defect(phys, zone, frame, "a pageblock has no migratetype");
		if (zone->end - frame <= 1u << zone->pageblock_order)
			break;
	}
	return err;
}

int iommusim_phys_check(struct iommusim_phys *phys)
{
	int err = 0;

	for (unsigned i = 0; !err && i < phys->nr_zones; i++)
		err = check_zone(phys, &phys->zone[i]);
	return err;
}
