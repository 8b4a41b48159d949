/* SPDX-License-Identifier: MIT */
/* The obvious page allocator, last part: an attempt from the fast path to the end, and frees. */
#ifndef PHYS_ORACLE_ATTEMPT_H
#define PHYS_ORACLE_ATTEMPT_H

#include "oracle_request.h"

/* ---- The reserve for atomic requests ---- */

static uint64_t reserve_limit(const struct oracle_zone *z)
{
	uint64_t share = z->marks->n.managed / 100, block = isim_bit(z->pageblock_order);

	if (!is_6_12(z))
		return share + block;
	return share < block ? 0 : (share + block - 1) / block * block;
}

/* Free blocks of the pageblock go to @type's lists; those that reach out of the zone keep theirs.
 */
static int move_pageblock(struct oracle_zone *z, uint64_t pfn, unsigned type)
{
	uint64_t first = isim_align_down(pfn, isim_bit(z->pageblock_order));
	uint64_t end = first + isim_bit(z->pageblock_order);
	struct take take = { .type = type };
	int moves = 0;

	if (end > z->end)
		return 0;
	if (first < z->start)
		first = pfn;
	for (uint64_t at = first; at < end; at++)
		moves |= page_of(z, at)->state == PAGE_FREE;
	move_free_blocks(z, first, end, &take);
	return moves;
}

/* reserve_highatomic_pageblock() */
static void reserve_pageblock(struct oracle_zone *z, const struct take *take)
{
	uint64_t block = isim_bit(z->pageblock_order);
	uint64_t first = isim_align_down(take->pfn, block);

	if (z->marks->reserved >= reserve_limit(z) || *type_of(z, take->pfn) > IOMMUSIM_RECLAIMABLE)
		return;
	if (is_6_12(z) && take->order >= z->pageblock_order) {
		set_types(z, (struct block){ take->pfn, take->order, 0 }, IOMMUSIM_HIGHATOMIC);
		z->marks->reserved += isim_bit(take->order);
		return;
	}
	if (is_6_12(z) && (first < z->start || first + block > z->end))
		return;
	move_pageblock(z, take->pfn, IOMMUSIM_HIGHATOMIC);
	*type_of(z, take->pfn) = IOMMUSIM_HIGHATOMIC;
	z->marks->reserved += block;
}

/* unreserve_highatomic_pageblock(), forced */
static int unreserve_pageblock(const struct ask *ask, unsigned type)
{
	for (struct oracle_zone *const *list = ask->list; *list; list++) {
		struct oracle_zone *z = *list;
		uint64_t frames = isim_bit(z->pageblock_order);
		unsigned order = 0;
		struct block block;
		int moved = 1;

		while (order <= z->max_order && !z->list[order][IOMMUSIM_HIGHATOMIC].nr)
			order++;
		if (!z->marks->reserved || order > z->max_order)
			continue;
		block = (struct block){ z->list[order][IOMMUSIM_HIGHATOMIC].pfn[0], order, type };
		if (is_6_12(z) && order > z->pageblock_order) {
			frames = isim_bit(order);
			move_block(z, block, type);
			set_types(z, block, type);
		} else {
			moved = move_pageblock(z, block.pfn, type);
			*type_of(z, block.pfn) = type;
		}
		z->marks->reserved -= frames < z->marks->reserved ? frames : z->marks->reserved;
		if (moved)
			return 1;
	}
	return 0;
}

/* ---- get_page_from_freelist() ---- */

/* rmqueue() */
static int take_page(struct request_oracle *r, struct oracle_zone *z, struct take *take)
{
	take->pfn = IOMMUSIM_NO_PFN;
	if (pcp_index(z, take->order, take->type) >= 0)
		take->pfn = take_pcp(r, z, take, 0);
	if (take->pfn == IOMMUSIM_NO_PFN)
		take->pfn = take_direct(&r->base, z, take);
	if (!is_6_12(z) || take->aflags & ALLOC_KSWAPD)
		z->marks->flags &= ~IOMMUSIM_ZONE_FLAG_BOOSTED;
	if (take->pfn == IOMMUSIM_NO_PFN)
		return 0;
	page_of(z, take->pfn)->state = PAGE_USED;
	page_of(z, take->pfn)->order = take->order;
	if (take->aflags & ALLOC_HIGHATOMIC)
		reserve_pageblock(z, take);
	return 1;
}

static int zone_will_do(struct oracle_zone *z, const struct ask *ask, unsigned aflags)
{
	if (is_6_12(z) && !(z->marks->flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH)) {
		if (watermark_fast(z, ask, aflags, ALLOC_WMARK_HIGH))
			return 1;
		z->marks->flags |= IOMMUSIM_ZONE_FLAG_BELOW_HIGH;
	}
	return aflags & ALLOC_NO_WATERMARKS || watermark_fast(z, ask, aflags, aflags & 3);
}

static struct oracle_zone *freelist(struct request_oracle *r, const struct ask *ask,
                                    unsigned aflags, struct take *take)
{
	r->nr_walks++;
	for (struct oracle_zone *const *list = ask->list; *list; list++) {
		if (aflags & ALLOC_NOFRAGMENT && (*list)->config.node != ask->list[0]->config.node)
			break;
		if (!zone_will_do(*list, ask, aflags))
			continue;
		take->aflags = aflags;
		if (take_page(r, *list, take))
			return *list;
	}
	if (!(aflags & ALLOC_NOFRAGMENT))
		return NULL;
	return freelist(r, ask, aflags & ~ALLOC_NOFRAGMENT, take);
}

/* ---- __alloc_pages_slowpath(), where nothing can be reclaimed or compacted ---- */

static unsigned slow_flags(const struct ask *ask)
{
	uint32_t gfp = ask->req->gfp;
	unsigned aflags = ALLOC_WMARK_MIN | (ask->aflags & (ALLOC_KSWAPD | ALLOC_CMA));

	if (gfp & IOMMUSIM_GFP_BIT_HIGH)
		aflags |= ALLOC_MIN_RESERVE;
	if (gfp & (IOMMUSIM_GFP_BIT_DIRECT_RECLAIM | IOMMUSIM_GFP_BIT_NOMEMALLOC))
		return aflags;
	aflags |= ALLOC_NON_BLOCK;
	if (ask->req->order && gfp & IOMMUSIM_GFP_BIT_HIGH)
		aflags |= ALLOC_HIGHATOMIC;
	return aflags;
}

/* should_reclaim_retry() */
static int may_retry(const struct ask *ask, unsigned aflags, unsigned rounds)
{
	for (struct oracle_zone *const *list = ask->list; rounds <= 16 && *list; list++)
		if (watermark_ok(*list, ask->req->order, mark_of(*list, ALLOC_WMARK_MIN),
		                 ask->highest, aflags))
			return 1;
	return unreserve_pageblock(ask, ask->req->gfp >> 3 & 3);
}

static struct oracle_zone *last_resorts(struct request_oracle *r, const struct ask *ask,
                                        struct take *take, int may_kill)
{
	uint32_t gfp = ask->req->gfp;
	struct oracle_zone *z = NULL;

	if (may_kill) {
		z = freelist(r, ask, ALLOC_WMARK_HIGH, take);
		if (z)
			return z;
		r->is_oom = ask->req->order <= 3 && ask->highest >= IOMMUSIM_ZONE_NORMAL &&
		            !(gfp & (IOMMUSIM_GFP_BIT_RETRY_MAYFAIL | IOMMUSIM_GFP_BIT_THISNODE));
		r->would_loop = r->is_oom;
	}
	if (!(gfp & IOMMUSIM_GFP_BIT_NOFAIL) || !(gfp & IOMMUSIM_GFP_BIT_DIRECT_RECLAIM) ||
	    r->would_loop)
		return NULL;
	z = freelist(r, ask, ALLOC_MIN_RESERVE, take);
	r->would_loop |= !z;
	return z;
}

static struct oracle_zone *slow_path(struct request_oracle *r, const struct ask *ask,
                                     struct take *take)
{
	uint32_t gfp = ask->req->gfp;
	unsigned aflags = slow_flags(ask);
	struct oracle_zone *z = freelist(r, ask, aflags, take);
	unsigned rounds = 0;

	while (!z) {
		if (gfp & IOMMUSIM_GFP_BIT_MEMALLOC && !(gfp & IOMMUSIM_GFP_BIT_NOMEMALLOC))
			aflags = ALLOC_NO_WATERMARKS | (aflags & (ALLOC_KSWAPD | ALLOC_CMA));
		z = freelist(r, ask, aflags, take);
		if (z)
			break;
		if (!(gfp & IOMMUSIM_GFP_BIT_DIRECT_RECLAIM) || gfp & IOMMUSIM_GFP_BIT_NORETRY ||
		    ask->req->order > 3)
			return last_resorts(r, ask, take, 0);
		if (!may_retry(ask, aflags, ++rounds))
			return last_resorts(r, ask, take, 1);
	}
	return z;
}

/* ---- The calls ---- */

static void set_cpu(struct request_oracle *r, unsigned cpu)
{
	for (unsigned i = 0; i < r->base.nr_zones; i++)
		r->base.zone[i].marks->cpu = cpu;
}

static void understand(struct request_oracle *r, const struct iommusim_page_request *req,
                       struct ask *ask, struct take *take)
{
	*take = (struct take){ .order = req->order, .type = req->gfp >> 3 & 3 };
	*ask = (struct ask){ .req = req, .highest = highest_zone(&r->base, req->gfp) };
	build_zonelist(&r->base, req, ask->list);
	ask->aflags = ALLOC_WMARK_LOW;
	if (take->type == IOMMUSIM_MOVABLE)
		ask->aflags |= ALLOC_CMA;
	if (req->gfp & IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM)
		ask->aflags |= ALLOC_KSWAPD;
	if (ask->list[0] && wants_nofragment(&r->base, ask->list[0]))
		ask->aflags |= ALLOC_NOFRAGMENT;
	set_cpu(r, req->cpu);
	r->nr_walks = 0;
	r->is_oom = r->would_loop = 0;
}

/* __alloc_pages(): the zone and @take; NULL: no block. */
static struct oracle_zone *request_alloc(struct request_oracle *r,
                                         const struct iommusim_page_request *req, struct take *take)
{
	struct oracle_zone *z;
	struct ask ask;

	understand(r, req, &ask, take);
	if (req->order > r->base.zone[0].max_order)
		return NULL;
	z = freelist(r, &ask, ask.aflags, take);
	return z ? z : slow_path(r, &ask, take);
}

/* alloc_pages_bulk(): the pages of the first zone that has enough, into @pfns. 0: an ordinary
 * request is next. */
static unsigned request_bulk(struct request_oracle *r, const struct iommusim_page_request *req,
                             iommusim_pfn *pfns, unsigned nr)
{
	struct oracle_zone **list, *z = NULL;
	struct take take;
	struct ask ask;
	unsigned got = 0;

	understand(r, req, &ask, &take);
	if (ask.list[0])
		ask.highest = ask.list[0]->config.zone;
	take.aflags = ask.aflags & (ALLOC_WMARK_LOW | ALLOC_CMA);
	for (list = ask.list; *list && !z; list++) {
		struct marks *m = (*list)->marks;

		m->n.low += nr; /* for this test alone */
		if (watermark_fast(*list, &ask, take.aflags, ALLOC_WMARK_LOW))
			z = *list;
		m->n.low -= nr;
	}
	for (; z && got < nr; got++) {
		pfns[got] = take_pcp(r, z, &take, 1);
		if (pfns[got] == IOMMUSIM_NO_PFN)
			break;
		page_of(z, pfns[got])->state = PAGE_USED;
	}
	return got;
}

/* free_pages(): of a block in use. */
static void request_free(struct request_oracle *r, struct oracle_zone *z, uint64_t pfn,
                         unsigned order, unsigned cpu)
{
	set_cpu(r, cpu);
	if (*type_of(z, pfn) != IOMMUSIM_ISOLATE && pcp_index(z, order, 0) >= 0) {
		free_to_pcp(r, z, pfn, order);
		return;
	}
	memset(page_of(z, pfn), 0, sizeof(struct page) << order);
	free_by_type(z, pfn, order);
}

/* drain_all_pages() */
static void request_drain(struct request_oracle *r)
{
	for (unsigned i = 0; i < r->base.nr_zones; i++)
		for (unsigned cpu = 0; cpu < 2; cpu++) {
			set_cpu(r, cpu);
			drain_pcp(r, &r->base.zone[i], ORACLE_FRAMES, 0);
		}
}

/* refresh_cpu_vm_stats() and decay_pcp_high() */
static void request_decay(struct request_oracle *r, unsigned cpu)
{
	set_cpu(r, cpu);
	for (unsigned i = 0; i < r->base.nr_zones; i++) {
		struct oracle_zone *z = &r->base.zone[i];
		struct pcp *pcp = pcp_of(r, z);

		z->marks->counter += z->marks->pending[cpu];
		z->marks->pending[cpu] = 0;
		if (!is_6_12(z))
			continue;
		if (pcp->high > pcp->high_min)
			pcp->high = greater(pcp_count(pcp) - (pcp->batch << 5),
			                    greater(pcp->high - pcp->high / 8, pcp->high_min));
		while (pcp_count(pcp) > pcp->high)
			drain_pcp(r, z, lesser(pcp->batch, pcp_count(pcp) - pcp->high), 0);
	}
}

#endif
