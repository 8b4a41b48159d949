/* SPDX-License-Identifier: MIT */
/*
 * The slow path of an attempt: the lower mark, then compaction and reclaim in turns, until one of
 * them helps, the request's flags forbid to go on, or nothing is left but to kill a process. Where
 * Linux does that, or tries for ever, the attempt fails here and its report says so. Models
 * __alloc_pages_slowpath(), mm/page_alloc.c, Linux 6.1.192 and 6.12.117, in one thread.
 */
#include "phys/attempt.h"

#define HAS(walk, bit) (((walk)->attempt.gfp & IOMMUSIM_GFP_BIT_##bit) != 0)

#define MAX_ROUNDS  16   /* without progress */
#define LOOP_ROUNDS 4096 /* with progress that leads nowhere */

/* What an attempt remembers from round to round. */
struct effort {
	enum isim_compact_priority priority;
	enum iommusim_compact_result compacted; /* by the last round */
	uint64_t reclaimed;                     /* by the last round */
	unsigned nr_rounds;                     /* without progress */
	unsigned nr_compactions;                /* that helped, at this priority */
};

static int is_costly(const struct isim_walk *walk)
{
	return walk->attempt.order > ISIM_COSTLY_ORDER;
}

static int may_compact(const struct iommusim_phys *phys, const struct isim_walk *walk)
{
	return HAS(walk, IO) && phys->features & IOMMUSIM_PHYS_COMPACTION;
}

/* The flags of the slow path. Models gfp_to_alloc_flags(). */
static unsigned flags_of(const struct iommusim_phys *phys, const struct isim_walk *walk)
{
	unsigned aflags = ISIM_ALLOC_MIN | (walk->aflags & (ISIM_ALLOC_KSWAPD | ISIM_ALLOC_CMA));

	if (HAS(walk, HIGH))
		aflags |= ISIM_ALLOC_MIN_RESERVE;
	if (HAS(walk, DIRECT_RECLAIM) || HAS(walk, NOMEMALLOC))
		return aflags;
	aflags |= ISIM_ALLOC_NON_BLOCK;
	if (walk->attempt.order && HAS(walk, HIGH) && phys->features & IOMMUSIM_PHYS_HIGHATOMIC)
		aflags |= ISIM_ALLOC_HIGHATOMIC;
	return aflags;
}

static void wake_kswapd(struct iommusim_phys *phys, const struct isim_walk *walk)
{
	if (walk->aflags & ISIM_ALLOC_KSWAPD)
		isim_wake_kswapd(phys, walk, walk->preferred);
}

/* Direct compaction and, unless it was skipped, another walk. 1: there is a block. */
static int compact(struct iommusim_phys *phys, struct isim_walk *walk, struct effort *effort)
{
	effort->compacted = IOMMUSIM_COMPACT_SKIPPED;
	if (!walk->attempt.order || !may_compact(phys, walk))
		return 0;
	phys->report.nr_compactions++;
	effort->compacted = isim_compact(phys, &walk->attempt, effort->priority);
	if (effort->compacted == IOMMUSIM_COMPACT_SKIPPED || isim_freelist(phys, walk))
		return 0;
	isim_compact_worked(walk->zone, walk->attempt.order);
	return 1;
}

/* Give pageblocks of the reserve back to the lists, in the first zone that has one. */
static int unreserve(struct iommusim_phys *phys, const struct isim_walk *walk, int force)
{
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		struct isim_zone *zone = &phys->zone[phys->zonelist[walk->attempt.node][i]];

		if (isim_walk_may_use(walk, zone) &&
		    isim_highatomic_unreserve(phys, zone, walk->attempt.type, force, walk->cpu))
			return 1;
	}
	return 0;
}

/* One round of direct reclaim. 1: there is a block. */
static int reclaim(struct iommusim_phys *phys, struct isim_walk *walk, struct effort *effort)
{
	effort->reclaimed = 0;
	if (phys->features & IOMMUSIM_PHYS_RECLAIM)
		effort->reclaimed = isim_reclaim(phys, &walk->attempt);
	phys->report.nr_reclaims++;
	phys->report.nr_reclaimed += effort->reclaimed;
	if (!effort->reclaimed)
		return 0;
	if (!isim_freelist(phys, walk))
		return 1;
	unreserve(phys, walk, 0);
	isim_pcp_drain_all(phys);
	return !isim_freelist(phys, walk);
}

/* Would @test pass in some zone, were all that is reclaimable free? */
static int would_pass(const struct iommusim_phys *phys, const struct isim_walk *walk,
                      struct isim_mark_test test, unsigned share)
{
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		const struct isim_zone *zone = &phys->zone[phys->zonelist[walk->attempt.node][i]];
		struct isim_mark_test t = test;

		if (!isim_walk_may_use(walk, zone))
			continue;
		t.mark += isim_mark(zone,
		                    is_costly(walk) && share > 1 ? ISIM_ALLOC_LOW : ISIM_ALLOC_MIN);
		t.extra = (int64_t)(isim_reclaimable(phys, zone) / share);
		if (isim_mark_passes(phys, zone, &t))
			return 1;
	}
	return 0;
}

/* Models should_reclaim_retry(). */
static int may_reclaim_again(struct iommusim_phys *phys, const struct isim_walk *walk,
                             struct effort *effort)
{
	struct isim_mark_test test = { .order = walk->attempt.order,
		                       .highest = walk->attempt.highest,
		                       .aflags = walk->aflags };

	if (effort->reclaimed && !is_costly(walk))
		effort->nr_rounds = 0;
	else
		effort->nr_rounds++;
	if (effort->nr_rounds <= MAX_ROUNDS && would_pass(phys, walk, test, 1))
		return 1;
	return unreserve(phys, walk, 1);
}

/* Models should_compact_retry(). */
static int may_compact_again(const struct iommusim_phys *phys, const struct isim_walk *walk,
                             struct effort *effort)
{
	enum isim_compact_priority most =
		is_costly(walk) ? ISIM_COMPACT_SYNC_LIGHT : ISIM_COMPACT_SYNC_FULL;
	struct isim_mark_test room = { .highest = walk->attempt.highest,
		                       .aflags = ISIM_ALLOC_CMA,
		                       .mark = UINT64_C(2) << walk->attempt.order };

	if (!effort->reclaimed || !may_compact(phys, walk) || !walk->attempt.order)
		return 0;
	if (effort->compacted == IOMMUSIM_COMPACT_SKIPPED)
		return would_pass(phys, walk, room, walk->attempt.order + 1);
	if (effort->compacted == IOMMUSIM_COMPACT_SUCCESS &&
	    ++effort->nr_compactions <= (is_costly(walk) ? MAX_ROUNDS / 4 : MAX_ROUNDS))
		return 1;
	if (effort->priority >= most)
		return 0;
	effort->priority++;
	effort->nr_compactions = 0;
	return 1;
}

/* A last walk, in case somebody else gave memory back. Then Linux may kill: 1 with the block. */
static int out_of_memory(struct iommusim_phys *phys, struct isim_walk *walk)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_OOM,
		                        .order = (uint8_t)walk->attempt.order,
		                        .gfp = walk->attempt.gfp };
	unsigned aflags = walk->aflags;

	walk->aflags = ISIM_ALLOC_HIGH | (aflags & ISIM_ALLOC_CMA);
	if (!isim_freelist(phys, walk))
		return 1;
	walk->aflags = aflags;
	if (is_costly(walk) || HAS(walk, RETRY_MAYFAIL) || walk->attempt.this_node ||
	    walk->attempt.highest < IOMMUSIM_ZONE_NORMAL)
		return 0;
	phys->report.is_oom = 1;
	phys->report.would_loop = 1; /* kill and retry, as long as there is anybody to kill */
	isim_event(&phys->diag, &event);
	return 0;
}

/* Nothing helped. A request that must not fail has one more walk, and would start again. */
static int give_up(struct iommusim_phys *phys, struct isim_walk *walk)
{
	if (!HAS(walk, NOFAIL) || !HAS(walk, DIRECT_RECLAIM))
		return -IOMMUSIM_ENOMEM;
	walk->aflags = ISIM_ALLOC_MIN_RESERVE | (walk->aflags & ISIM_ALLOC_CMA);
	if (!isim_freelist(phys, walk))
		return 0;
	phys->report.would_loop = 1;
	return -IOMMUSIM_ENOMEM;
}

/* What a round leads to. */
enum verdict { AGAIN, GOT_IT, GIVE_UP };

/* Reclaim, compact, and decide whether another round makes sense. */
static enum verdict one_round(struct iommusim_phys *phys, struct isim_walk *walk,
                              struct effort *effort)
{
	wake_kswapd(phys, walk);
	if (HAS(walk, MEMALLOC) && !HAS(walk, NOMEMALLOC))
		walk->aflags = ISIM_ALLOC_NO_WATERMARKS |
		               (walk->aflags & (ISIM_ALLOC_KSWAPD | ISIM_ALLOC_CMA));
	if (!isim_freelist(phys, walk))
		return GOT_IT;
	if (!HAS(walk, DIRECT_RECLAIM))
		return GIVE_UP;
	if (reclaim(phys, walk, effort) || compact(phys, walk, effort))
		return GOT_IT;
	if (HAS(walk, NORETRY))
		return GIVE_UP;
	if (is_costly(walk) && !(may_compact(phys, walk) && HAS(walk, RETRY_MAYFAIL)))
		return GIVE_UP;
	if (may_reclaim_again(phys, walk, effort) || may_compact_again(phys, walk, effort))
		return AGAIN;
	return out_of_memory(phys, walk) ? GOT_IT : GIVE_UP;
}

/* Costly requests, and those whose blocks do not come from reclaim alone, compact before all else.
 * GIVE_UP: so little came of it that they do not even reclaim. */
static enum verdict compact_first(struct iommusim_phys *phys, struct isim_walk *walk,
                                  struct effort *effort)
{
	if (!HAS(walk, DIRECT_RECLAIM) || !may_compact(phys, walk) || !walk->attempt.order ||
	    (!is_costly(walk) && walk->attempt.type == IOMMUSIM_MOVABLE) ||
	    (HAS(walk, MEMALLOC) && !HAS(walk, NOMEMALLOC)))
		return AGAIN;
	effort->priority = ISIM_COMPACT_ASYNC;
	if (compact(phys, walk, effort))
		return GOT_IT;
	effort->priority = ISIM_COMPACT_SYNC_LIGHT;
	if (!is_costly(walk) || !HAS(walk, NORETRY))
		return AGAIN;
	effort->priority = ISIM_COMPACT_ASYNC;
	return walk->attempt.this_node || effort->compacted <= IOMMUSIM_COMPACT_DEFERRED ? GIVE_UP
	                                                                                 : AGAIN;
}

int isim_slow_path(struct iommusim_phys *phys, struct isim_walk *walk)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_SLOW,
		                        .order = (uint8_t)walk->attempt.order,
		                        .gfp = walk->attempt.gfp };
	struct effort effort = { .priority = ISIM_COMPACT_SYNC_LIGHT };
	enum verdict verdict;

	phys->report.is_slow = 1;
	isim_event(&phys->diag, &event);
	walk->aflags = flags_of(phys, walk);
	wake_kswapd(phys, walk);
	if (!isim_freelist(phys, walk))
		return 0;
	verdict = compact_first(phys, walk, &effort);
	for (unsigned round = 0; verdict == AGAIN && round < LOOP_ROUNDS; round++)
		verdict = one_round(phys, walk, &effort);
	if (verdict == AGAIN)
		phys->report.would_loop = 1;
	return verdict == GOT_IT ? 0 : give_up(phys, walk);
}
