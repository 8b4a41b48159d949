/* SPDX-License-Identifier: MIT */
/*
 * One attempt: the zones are tried from the highest that the request allows downwards, node by
 * node; the first that has enough above its mark, and a block, serves it.
 */
#include "phys/attempt.h"

#include <string.h>

static unsigned migratetype_of(uint32_t gfp)
{
	return gfp >> 3 & 3;
}

static int is_6_12(const struct iommusim_phys *phys)
{
	return phys->kernel >= IOMMUSIM_KERNEL(6, 12);
}

static struct isim_zone *preferred_zone(const struct iommusim_phys *phys,
                                        const struct isim_walk *walk)
{
	unsigned index = phys->preferred[walk->attempt.node][walk->attempt.highest];

	if (index == ISIM_NO_ZONE || !isim_walk_may_use(walk, &phys->zone[index]))
		return NULL;
	return &phys->zone[index];
}

/*
 * Breaking up pageblocks is put off as long as a lower zone might serve: where the kernel has
 * DMA32 and the walk starts at NORMAL (and, with more nodes than one, its node has a DMA32).
 * Models alloc_flags_nofragment(), mm/page_alloc.c, Linux 6.1 and 6.12.
 */
static int wants_nofragment(const struct iommusim_phys *phys, const struct isim_walk *walk)
{
	int has_dma32 = phys->nr_nodes == 1;

	if (!(phys->configured_zones >> IOMMUSIM_ZONE_DMA32 & 1) || !walk->preferred ||
	    walk->preferred->config.zone != IOMMUSIM_ZONE_NORMAL)
		return 0;
	for (unsigned i = 0; !has_dma32 && i < phys->nr_zones; i++)
		has_dma32 = phys->zone[i].config.node == walk->preferred->config.node &&
		            phys->zone[i].config.zone == IOMMUSIM_ZONE_DMA32;
	return has_dma32;
}

static int check_request(struct iommusim_phys *phys, const struct iommusim_page_request *req)
{
	if (migratetype_of(req->gfp) == 3)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "gfp 0x%x is both movable and reclaimable", (unsigned)req->gfp);
	if ((unsigned)req->kind >= IOMMUSIM_PAGE_RESERVED)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "there is no page kind %u to ask for", (unsigned)req->kind);
	if (req->node < -1 || req->node >= (int)ISIM_MAX_NODES)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no node %d", req->node);
	if (req->cpu >= phys->nr_cpus)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no CPU %u", req->cpu);
	return 0;
}

int isim_walk_start(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                    struct isim_walk *walk)
{
	struct isim_attempt *attempt = &walk->attempt;
	int err = check_request(phys, req);

	if (err)
		return err;
	if (req->order >= phys->nr_orders)
		return -IOMMUSIM_ENOMEM;
	attempt->order = req->order;
	attempt->type = migratetype_of(req->gfp);
	attempt->node = req->node < 0 ? 0 : (unsigned)req->node;
	attempt->highest = phys->highest[req->gfp & 15];
	attempt->this_node = (req->gfp & IOMMUSIM_GFP_BIT_THISNODE) != 0;
	attempt->gfp = req->gfp;
	walk->cpu = req->cpu;
	walk->preferred = preferred_zone(phys, walk);
	walk->aflags = ISIM_ALLOC_LOW;
	if (req->gfp & IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM)
		walk->aflags |= ISIM_ALLOC_KSWAPD;
	if (attempt->type == IOMMUSIM_MOVABLE && phys->features & IOMMUSIM_PHYS_CMA)
		walk->aflags |= ISIM_ALLOC_CMA;
	if (wants_nofragment(phys, walk))
		walk->aflags |= ISIM_ALLOC_NOFRAGMENT;
	return 0;
}

/* The per-CPU list for the attempt; -1: none. */
static int list_of(const struct iommusim_phys *phys, const struct isim_walk *walk)
{
	if (!(phys->features & IOMMUSIM_PHYS_PCP))
		return -1;
	return isim_pcp_index(phys, walk->attempt.order, walk->attempt.type);
}

int isim_walk_reserve(struct iommusim_phys *phys, const struct isim_walk *walk)
{
	int list = list_of(phys, walk), err = 0;

	if (!phys->features)
		return 0;
	if (list < 0)
		return isim_spares_reserve(phys, 2);
	for (unsigned i = 0; !err && i < phys->nr_zones; i++)
		if (isim_walk_may_use(walk, &phys->zone[i]))
			err = isim_pcp_reserve_refill(phys, &phys->zone[i], walk->cpu,
			                              walk->attempt.order, (unsigned)list);
	return err;
}

/* ---- One zone ---- */

void isim_wake_kswapd(struct iommusim_phys *phys, const struct isim_walk *walk,
                      const struct isim_zone *zone)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_KSWAPD,
		                        .order = (uint8_t)walk->attempt.order };

	phys->report.wakes_kswapd = 1;
	if (zone)
		event.zone = (uint8_t)zone->config.zone;
	isim_event(&phys->diag, &event);
}

/* Enough above the mark of @selector for the attempt? */
static int has_enough(const struct iommusim_phys *phys, const struct isim_walk *walk,
                      const struct isim_zone *zone, unsigned selector)
{
	struct isim_mark_test test = { .order = walk->attempt.order,
		                       .highest = walk->attempt.highest,
		                       .aflags = walk->aflags,
		                       .gfp = walk->attempt.gfp,
		                       .mark = isim_mark(zone, selector) };

	return isim_mark_passes_fast(phys, zone, &test);
}

/* 6.12 remembers of a zone that it once fell below its high mark, and does not test that again. */
static int passes(const struct iommusim_phys *phys, const struct isim_walk *walk,
                  struct isim_zone *zone)
{
	if (!(phys->features & IOMMUSIM_PHYS_WATERMARKS))
		return 1;
	if (is_6_12(phys) && !(zone->flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH)) {
		if (has_enough(phys, walk, zone, ISIM_ALLOC_HIGH))
			return 1;
		zone->flags |= IOMMUSIM_ZONE_FLAG_BELOW_HIGH;
	}
	return walk->aflags & ISIM_ALLOC_NO_WATERMARKS ||
	       has_enough(phys, walk, zone, walk->aflags & ISIM_ALLOC_MARK);
}

static uint32_t take_reserved(const struct iommusim_phys *phys, struct isim_zone *zone,
                              struct isim_take *take, int *err)
{
	uint32_t frame = isim_take_smallest(phys, zone, take->order, IOMMUSIM_HIGHATOMIC, err);

	if (frame == ISIM_NIL)
		return frame;
	take->found_on = IOMMUSIM_HIGHATOMIC;
	if (is_6_12(phys))
		isim_account(zone, take->cpu, -(1 << take->order));
	return frame;
}

/* Models rmqueue_buddy(): from the free lists. */
static uint32_t take_direct(struct iommusim_phys *phys, struct isim_zone *zone,
                            struct isim_take *take, int *err)
{
	uint32_t frame = ISIM_NIL;

	if (take->aflags & ISIM_ALLOC_HIGHATOMIC)
		frame = take_reserved(phys, zone, take, err);
	if (frame == ISIM_NIL && !*err)
		frame = isim_zone_take(phys, zone, take, err);
	if (frame == ISIM_NIL && !*err && take->aflags & (ISIM_ALLOC_OOM | ISIM_ALLOC_NON_BLOCK))
		frame = take_reserved(phys, zone, take, err);
	if (frame != ISIM_NIL && !is_6_12(phys))
		isim_account(zone, take->cpu, -(1 << take->order));
	return frame;
}

/* Models rmqueue(): from the per-CPU list, else from the free lists; then kswapd, if types mix. */
static uint32_t take_from(struct iommusim_phys *phys, struct isim_walk *walk,
                          struct isim_zone *zone, int *err)
{
	struct isim_take take = { .order = walk->attempt.order,
		                  .type = walk->attempt.type,
		                  .aflags = walk->aflags,
		                  .cpu = walk->cpu };
	uint32_t frame = ISIM_NIL;
	int list = list_of(phys, walk);

	if (list >= 0)
		frame = isim_pcp_take(phys, zone, &take, (unsigned)list, 0);
	if (frame == ISIM_NIL) {
		take.mode = ISIM_TAKE_NORMAL;
		frame = take_direct(phys, zone, &take, err);
	}
	walk->found_on = take.found_on;
	if (zone->flags & IOMMUSIM_ZONE_FLAG_BOOSTED &&
	    (!is_6_12(phys) || walk->aflags & ISIM_ALLOC_KSWAPD)) {
		zone->flags &= ~IOMMUSIM_ZONE_FLAG_BOOSTED;
		isim_wake_kswapd(phys, walk, zone);
	}
	if (frame != ISIM_NIL && walk->aflags & ISIM_ALLOC_HIGHATOMIC &&
	    phys->features & IOMMUSIM_PHYS_HIGHATOMIC) {
		isim_set_state(zone, frame, take.order,
		               isim_used_state(take.order, IOMMUSIM_PAGE_KERNEL));
		isim_highatomic_reserve(phys, zone, frame, &take);
	}
	return frame;
}

/* ---- The zonelist ---- */

static void tell_walk(const struct iommusim_phys *phys, const struct isim_walk *walk, unsigned seen,
                      int result)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_FREELIST,
		                        .result = result,
		                        .gfp = walk->attempt.gfp,
		                        .order = (uint8_t)walk->attempt.order,
		                        .flag = walk->aflags & ISIM_ALLOC_MARK,
		                        .nr_scanned = seen };

	if (!result)
		event.zone = (uint8_t)walk->zone->config.zone;
	isim_event(&phys->diag, &event);
}

/* Try each zone once. 0, -ENOMEM, or -EHOST. */
static int walk_zones(struct iommusim_phys *phys, struct isim_walk *walk)
{
	int err = 0, result = -IOMMUSIM_ENOMEM;
	unsigned seen = 0;

	for (unsigned i = 0; i < phys->nr_zones && result == -IOMMUSIM_ENOMEM; i++) {
		struct isim_zone *zone = &phys->zone[phys->zonelist[walk->attempt.node][i]];

		if (!isim_walk_may_use(walk, zone))
			continue;
		if (walk->aflags & ISIM_ALLOC_NOFRAGMENT &&
		    zone->config.node != walk->preferred->config.node)
			break; /* a remote zone is worse than a fragmented local one */
		seen++;
		if (!passes(phys, walk, zone))
			continue;
		walk->frame = take_from(phys, walk, zone, &err);
		walk->zone = zone;
		if (err || walk->frame != ISIM_NIL)
			result = err;
	}
	phys->report.nr_walks++;
	if (phys->features && isim_wants_events(&phys->diag))
		tell_walk(phys, walk, seen, result);
	return result;
}

int isim_freelist(struct iommusim_phys *phys, struct isim_walk *walk)
{
	int err = walk_zones(phys, walk);

	if (err == -IOMMUSIM_ENOMEM && walk->aflags & ISIM_ALLOC_NOFRAGMENT) {
		walk->aflags &= ~ISIM_ALLOC_NOFRAGMENT;
		err = walk_zones(phys, walk);
	}
	return err;
}

static int alloc_block(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                       struct isim_walk *walk)
{
	int err;

	memset(&phys->report, 0, sizeof(phys->report));
	err = isim_walk_start(phys, req, walk);
	if (err)
		return err;
	err = isim_walk_reserve(phys, walk);
	if (!err)
		err = isim_freelist(phys, walk);
	if (err == -IOMMUSIM_ENOMEM && phys->features & IOMMUSIM_PHYS_WATERMARKS)
		err = isim_slow_path(phys, walk);
	if (err == -IOMMUSIM_EHOST)
		isim_no_memory(&phys->diag, "the frames of a block");
	return err;
}

static void tell_alloc(const struct iommusim_phys *phys, const struct iommusim_page_request *req,
                       const struct isim_walk *walk, int result, uint64_t cuts)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_PAGE_ALLOC,
		                        .order = (uint8_t)req->order,
		                        .gfp = req->gfp,
		                        .migratetype = (uint8_t)migratetype_of(req->gfp),
		                        .pfn = IOMMUSIM_NO_PFN,
		                        .result = result,
		                        .nr_scanned = cuts };

	if (!result) {
		event.zone = (uint8_t)walk->zone->config.zone;
		event.pfn = walk->zone->base + walk->frame;
	}
	isim_event(&phys->diag, &event);
}

static enum iommusim_page_kind kind_of(const struct iommusim_page_request *req)
{
	return req->kind != IOMMUSIM_PAGE_BY_GFP ? req->kind
	                                         : isim_kind_of_type(migratetype_of(req->gfp));
}

/* Mark the block as in use. */
static void use(struct isim_zone *zone, uint32_t frame, const struct iommusim_page_request *req)
{
	unsigned state = isim_used_state(req->order, kind_of(req));

	if (req->gfp & IOMMUSIM_GFP_BIT_COMP && req->order)
		state |= ISIM_COMPOUND;
	isim_set_state(zone, frame, req->order, state);
	isim_count_used(zone, state);
}

void isim_walk_finish(const struct isim_walk *walk, const struct iommusim_page_request *req)
{
	use(walk->zone, walk->frame, req);
}

static uint64_t nr_cuts(const struct iommusim_phys *phys)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < phys->nr_zones; i++)
		nr += phys->zone[i].nr_cuts;
	return nr;
}

static int alloc_anyhow(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                        struct iommusim_page_block *block)
{
	struct isim_walk walk = { .frame = ISIM_NIL };
	uint64_t before = isim_wants_events(&phys->diag) ? nr_cuts(phys) : 0;
	int err = alloc_block(phys, req, &walk);

	if (isim_wants_events(&phys->diag))
		tell_alloc(phys, req, &walk, err, nr_cuts(phys) - before);
	if (err)
		return err;
	isim_walk_finish(&walk, req);
	block->pfn = walk.zone->base + walk.frame;
	block->zone = (uint8_t)walk.zone->config.zone;
	block->migratetype = (uint8_t)walk.found_on;
	return 0;
}

/* ---- The common case ---- */

/* Surely enough above the mark? What is less clear is for has_enough(). */
static int has_plenty(const struct iommusim_phys *phys, const struct isim_zone *zone,
                      unsigned order, unsigned highest)
{
	int is_high = is_6_12(phys) && !(zone->flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH);
	uint64_t need = isim_mark(zone, is_high ? ISIM_ALLOC_HIGH : ISIM_ALLOC_LOW);
	uint32_t orders = zone->nonempty[IOMMUSIM_UNMOVABLE] | zone->nonempty[IOMMUSIM_MOVABLE] |
	                  zone->nonempty[IOMMUSIM_RECLAIMABLE];
	int64_t free = (int64_t)zone->nr_free - zone->pending - ((int64_t)isim_bit(order) - 1);

	if (zone->nonempty[IOMMUSIM_HIGHATOMIC] | zone->nonempty[IOMMUSIM_CMA] ||
	    zone->nr_reserved_highatomic)
		return 0;
	need += zone->numbers.lowmem_reserve[highest];
	return free > (int64_t)need && (!order || orders >> order);
}

/* A block that needs no look beyond the preferred zone, without anybody watching; NIL: look. */
static uint32_t take_hit(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                         struct isim_zone *zone)
{
	unsigned type = migratetype_of(req->gfp);
	int err = 0, list;

	if (!phys->features) {
		uint32_t frame = isim_take_smallest(phys, zone, req->order, type, &err);

		return err ? ISIM_NIL : frame;
	}
	list = isim_pcp_index(phys, req->order, type);
	if (!(phys->features & IOMMUSIM_PHYS_PCP) || list < 0 ||
	    zone->flags & IOMMUSIM_ZONE_FLAG_BOOSTED)
		return ISIM_NIL;
	if (phys->features & IOMMUSIM_PHYS_WATERMARKS &&
	    !has_plenty(phys, zone, req->order, phys->highest[req->gfp & 15]))
		return ISIM_NIL;
	return isim_pcp_hit(phys, &zone->pcp[req->cpu], (unsigned)list, req->order);
}

/* The zone of a request that is legal and starts at its node's own zones; NULL: look. */
static struct isim_zone *hit_zone(const struct iommusim_phys *phys,
                                  const struct iommusim_page_request *req)
{
	unsigned node = req->node < 0 ? 0 : (unsigned)req->node, index;

	if (migratetype_of(req->gfp) == 3 || (unsigned)req->kind >= IOMMUSIM_PAGE_RESERVED ||
	    node >= ISIM_MAX_NODES || req->cpu >= phys->nr_cpus || req->order >= phys->nr_orders ||
	    req->gfp & IOMMUSIM_GFP_BIT_THISNODE || isim_wants_events(&phys->diag))
		return NULL;
	index = phys->preferred[node][phys->highest[req->gfp & 15]];
	return index == ISIM_NO_ZONE ? NULL : &phys->zone[index];
}

int iommusim_phys_alloc(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                        struct iommusim_page_block *block)
{
	struct isim_zone *zone = hit_zone(phys, req);
	uint32_t frame = zone ? take_hit(phys, req, zone) : ISIM_NIL;
	unsigned type = migratetype_of(req->gfp);

	if (frame == ISIM_NIL)
		return alloc_anyhow(phys, req, block);
	memset(&phys->report, 0, sizeof(phys->report));
	phys->report.nr_walks = 1;
	if (phys->features)
		type = isim_block_type(isim_state(zone, frame));
	use(zone, frame, req);
	block->pfn = zone->base + frame;
	block->zone = (uint8_t)zone->config.zone;
	block->migratetype = (uint8_t)type;
	return 0;
}

void iommusim_phys_report(const struct iommusim_phys *phys, struct iommusim_attempt_report *report)
{
	*report = phys->report;
}
