/* SPDX-License-Identifier: MIT */
/*
 * Reclaim: one hand per zone goes over all frames in a fixed scattered order, a few neighbours at a
 * time since what was read together grows old together, and takes what it meets.
 */
#include "phys/population.h"
#include "phys/slow.h"

#include "base/rng.h"

#define NEIGHBOURS_LG2 4u  /* frames of a group, of which a run is visited at a time */
#define SWAPPINESS     60u /* of 200: the share of anonymous memory that is taken */
#define CLUSTER        32u /* SWAP_CLUSTER_MAX: frames that a round of direct reclaim wants */

/* What a kind of page costs, or NULL: it is never taken. */
static uint64_t *counter_of(struct isim_round *round, unsigned kind)
{
	switch (kind) {
	case IOMMUSIM_PAGE_SLAB:
		return &round->counts.nr_shrunk;
	case IOMMUSIM_PAGE_CACHE:
		return &round->counts.nr_clean;
	case IOMMUSIM_PAGE_DIRTY:
		return &round->counts.nr_written;
	case IOMMUSIM_PAGE_ANON:
	case IOMMUSIM_PAGE_HUGE:
		return &round->counts.nr_swapped;
	default:
		return NULL;
	}
}

static int is_anon(unsigned kind)
{
	return kind == IOMMUSIM_PAGE_ANON || kind == IOMMUSIM_PAGE_HUGE;
}

/* Frames of the zone that the round may take: of files and slab, and anonymous ones. */
struct prospect {
	uint64_t file, anon;
};

static struct prospect prospect_of(const struct iommusim_phys *phys, const struct isim_zone *zone,
                                   const struct isim_round *round)
{
	struct prospect p = { 0, 0 };

	for (unsigned who = phys->owner.taken ? 0 : 1; who < 2; who++) {
		const uint32_t *nr = zone->nr_used[who];

		p.file += nr[IOMMUSIM_PAGE_CACHE];
		if (round->may_write)
			p.file += nr[IOMMUSIM_PAGE_DIRTY] + nr[IOMMUSIM_PAGE_SLAB];
		if (round->may_swap && phys->swap_left)
			p.anon += nr[IOMMUSIM_PAGE_ANON];
		if (round->may_swap && phys->swap_left >> zone->pageblock_order)
			p.anon += nr[IOMMUSIM_PAGE_HUGE];
	}
	return p;
}

/* May the round take a block of this state, were its owner to agree? */
static int is_wanted(const struct iommusim_phys *phys, const struct isim_round *round,
                     unsigned state, int may_take_anon)
{
	unsigned kind = isim_block_kind(state);

	if (is_anon(kind))
		return may_take_anon && round->may_swap &&
		       phys->swap_left >= isim_bit(isim_block_order(state));
	return kind == IOMMUSIM_PAGE_CACHE || round->may_write;
}

/* Look at @frame, and take its page, or the block that starts there. */
static void visit(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                  struct isim_round *round, int may_take_anon)
{
	uint32_t head = isim_block_start(zone, frame);
	unsigned state = isim_state(zone, head);
	uint64_t *counter, nr;

	round->counts.nr_scanned++;
	counter = counter_of(round, isim_block_kind(state));
	if ((state & ISIM_STATE_BITS) != ISIM_USED || !counter)
		return;
	if (isim_is_set_of_pages(state)) {
		if (isim_used_split(phys, zone, head))
			return;
		head = frame;
		state = isim_state(zone, head);
	}
	if (head != frame || isim_block_order(state) > zone->pageblock_order ||
	    !is_wanted(phys, round, state, may_take_anon) || !isim_ask_take(phys, zone, head))
		return;
	nr = isim_bit(isim_block_order(state));
	*counter += nr;
	round->freed += nr;
	if (is_anon(isim_block_kind(state)))
		phys->swap_left -= nr;
	isim_used_free(phys, zone, head);
}

/* The group of the hand's position: every one comes once before one comes again, since each step
   can be undone. */
static uint32_t group_at(uint32_t hand, unsigned groups_lg2)
{
	uint32_t mask = (uint32_t)isim_low_bits(groups_lg2), group = hand & mask;

	for (unsigned i = 0; i < 2; i++) {
		group = (group * UINT32_C(0x9e3779b1) + UINT32_C(0x7f4a7c15)) & mask;
		group ^= group >> (groups_lg2 / 2 + 1);
	}
	return group;
}

/* Frames of a zone, counted from its first one: as many as they are aligned to. */
struct run {
	uint32_t first, nr;
	int may_take_anon;
};

static void visit_run(struct iommusim_phys *phys, struct isim_zone *zone, struct run run,
                      struct isim_round *round)
{
	uint32_t end = zone->end - zone->first;

	for (uint32_t i = run.first; i < run.first + run.nr; i++)
		if (i < end && round->freed < round->wanted)
			visit(phys, zone, zone->first + i, round, run.may_take_anon);
}

/* Most often one frame of the group, half as often two, and so on: the others are in use. */
static void visit_group(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t first,
                        struct isim_round *round)
{
	struct isim_rng dice = isim_rng_seed(zone->progress.hand);
	uint64_t number = isim_rng_next(&dice);
	unsigned run_lg2 = isim_low_bit(number | isim_bit(NEIGHBOURS_LG2));
	struct run run = { .nr = 1u << run_lg2 };
	uint32_t at = (uint32_t)(number >> 32) & (uint32_t)isim_low_bits(NEIGHBOURS_LG2);

	run.first = first + (at & ~(run.nr - 1));
	run.may_take_anon = isim_rng_next(&dice) % 200 < SWAPPINESS;
	visit_run(phys, zone, run, round);
}

void isim_reclaim_zone(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_round *round)
{
	uint32_t groups = ((zone->end - zone->first - 1) >> NEIGHBOURS_LG2) + 1;
	unsigned groups_lg2 = groups > 1 ? isim_high_bit(groups - 1) + 1 : 0;
	struct prospect p = prospect_of(phys, zone, round);

	/* In a second turn nothing is spared. */
	for (uint64_t left = isim_bit(groups_lg2 + 1);
	     left && round->freed < round->wanted && p.file + p.anon; left--) {
		uint32_t group = group_at(zone->progress.hand++, groups_lg2);
		struct run run = { group << NEIGHBOURS_LG2, 1u << NEIGHBOURS_LG2, 1 };
		uint64_t freed = round->freed;

		if (group >= groups)
			continue;
		if (left > isim_bit(groups_lg2) && p.file)
			visit_group(phys, zone, run.first, round);
		else
			visit_run(phys, zone, run, round);
		if (round->freed != freed)
			p = prospect_of(phys, zone, round);
	}
}

static void tell(const struct iommusim_phys *phys, const struct isim_zone *zone,
                 const struct isim_round *round)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_RECLAIM,
		                        .zone = (uint8_t)zone->config.zone,
		                        .nr_scanned = round->counts.nr_scanned };
	const uint64_t nr[] = { round->counts.nr_clean, round->counts.nr_written,
		                round->counts.nr_swapped, round->counts.nr_shrunk };
	static const uint8_t kind[] = { IOMMUSIM_PAGE_CACHE, IOMMUSIM_PAGE_DIRTY,
		                        IOMMUSIM_PAGE_ANON, IOMMUSIM_PAGE_SLAB };

	if (!isim_wants_events(&phys->diag))
		return;
	for (unsigned i = 0; i < 4; i++) {
		if (!nr[i] && (i || round->freed))
			continue;
		event.flag = kind[i];
		event.nr_pages = nr[i];
		isim_event(&phys->diag, &event);
		event.nr_scanned = 0;
	}
}

uint64_t isim_reclaimable(const struct iommusim_phys *phys, const struct isim_zone *zone)
{
	struct isim_round round = { .may_write = 1, .may_swap = 1 };
	struct prospect p = prospect_of(phys, zone, &round);
	uint64_t slab = zone->nr_used[1][IOMMUSIM_PAGE_SLAB];

	if (!(phys->features & IOMMUSIM_PHYS_RECLAIM))
		return 0;
	if (phys->owner.taken)
		slab += zone->nr_used[0][IOMMUSIM_PAGE_SLAB];
	return p.file + p.anon - slab;
}

/*
 * For a costly order a round goes on until compaction has what it needs, twice the block. Models
 * should_continue_reclaim(), mm/vmscan.c, Linux 6.12; simplifies: highest zone first instead of all
 * in turn.
 */
uint64_t isim_reclaim(struct iommusim_phys *phys, const struct isim_attempt *attempt)
{
	uint64_t wanted =
		attempt->order > ISIM_COSTLY_ORDER ? isim_bit(attempt->order + 1) : CLUSTER;
	uint64_t freed = 0;

	if (!(phys->features & IOMMUSIM_PHYS_RECLAIM))
		return 0;
	for (unsigned i = 0; i < phys->nr_zones && freed < wanted; i++) {
		struct isim_zone *zone = &phys->zone[phys->zonelist[attempt->node][i]];
		struct isim_round round = { .wanted = wanted - freed };

		if ((unsigned)zone->config.zone > attempt->highest ||
		    (attempt->this_node && zone->config.node != attempt->node))
			continue;
		round.may_write = (attempt->gfp & IOMMUSIM_GFP_BIT_FS) != 0;
		round.may_swap = (attempt->gfp & IOMMUSIM_GFP_BIT_IO) != 0;
		isim_reclaim_zone(phys, zone, &round);
		tell(phys, zone, &round);
		freed += round.freed;
	}
	return freed;
}

int iommusim_phys_reclaim(struct iommusim_phys *phys, unsigned index, uint64_t nr,
                          struct iommusim_reclaim_counts *counts)
{
	struct isim_round round = { .wanted = nr, .may_write = 1, .may_swap = 1 };

	if (index >= phys->nr_zones)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no zone number %u", index);
	isim_reclaim_zone(phys, &phys->zone[index], &round);
	tell(phys, &phys->zone[index], &round);
	if (counts)
		*counts = round.counts;
	return 0;
}
