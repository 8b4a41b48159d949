/* SPDX-License-Identifier: MIT */
/*
 * The obvious page allocator, third part: watermarks, per-CPU lists, the slow path without reclaim
 * and compaction, the reserve for atomic requests. Every rule is a function that restates one of
 * mm/page_alloc.c, Linux 6.1.192 and 6.12.117.
 */
#ifndef PHYS_ORACLE_REQUEST_H
#define PHYS_ORACLE_REQUEST_H

#include "oracle.h"

/* mm/internal.h */
#define ALLOC_WMARK_MIN     0x0u
#define ALLOC_WMARK_LOW     0x1u
#define ALLOC_WMARK_HIGH    0x2u
#define ALLOC_NO_WATERMARKS 0x4u
#define ALLOC_OOM           0x8u
#define ALLOC_NON_BLOCK     0x10u
#define ALLOC_MIN_RESERVE   0x20u
#define ALLOC_CMA           0x80u
#define ALLOC_NOFRAGMENT    0x100u
#define ALLOC_HIGHATOMIC    0x200u
#define ALLOC_KSWAPD        0x800u
#define ALLOC_RESERVES      (ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC | ALLOC_OOM)

#define THP_ORDER 9u

struct pcp_list {
	unsigned nr;
	iommusim_pfn pfn[ORACLE_FRAMES + 1];
};

struct pcp {
	struct pcp_list list[IOMMUSIM_PCP_LISTS];
	int batch, high, high_min, high_max, free_count, factor, flags;
};

struct request_oracle {
	struct oracle base;
	struct marks marks[ORACLE_ZONES];
	struct pcp pcp[ORACLE_ZONES][2];
	unsigned nr_walks; /* of the last request */
	int is_oom, would_loop;
};

/* A request, once it is understood. */
struct ask {
	const struct iommusim_page_request *req;
	unsigned highest;
	unsigned aflags;
	struct oracle_zone *list[ORACLE_ZONES + 1];
};

static int is_6_12(const struct oracle_zone *z)
{
	return z->kernel >= IOMMUSIM_KERNEL(6, 12);
}

static int lesser(int a, int b)
{
	return a < b ? a : b;
}

static int greater(int a, int b)
{
	return a > b ? a : b;
}

static struct pcp *pcp_of(struct request_oracle *r, const struct oracle_zone *z)
{
	return &r->pcp[z - r->base.zone][z->marks->cpu];
}

/* ---- Watermarks ---- */

static int64_t frames_of_type(const struct oracle_zone *z, unsigned type)
{
	int64_t frames = 0;

	for (unsigned order = 0; order <= z->max_order; order++)
		frames += (int64_t)z->list[order][type].nr << order;
	return frames;
}

static int64_t mark_of(const struct oracle_zone *z, unsigned aflags)
{
	const struct iommusim_zone_numbers *n = &z->marks->n;
	uint64_t mark = aflags & 2 ? n->high : aflags & 1 ? n->low : n->min;

	return (int64_t)(mark + n->boost);
}

static int64_t unusable_free(const struct oracle_zone *z, unsigned aflags)
{
	int64_t frames = 0;

	if (!(aflags & ALLOC_RESERVES))
		frames += is_6_12(z) ? frames_of_type(z, IOMMUSIM_HIGHATOMIC)
		                     : (int64_t)z->marks->reserved;
	if (!(aflags & ALLOC_CMA))
		frames += frames_of_type(z, IOMMUSIM_CMA);
	return frames;
}

/* __zone_watermark_ok() */
static int watermark_ok(const struct oracle_zone *z, unsigned order, int64_t mark, unsigned highest,
                        unsigned aflags)
{
	int64_t free = (z->marks->counter < 0 ? 0 : z->marks->counter) -
	               ((int64_t)isim_bit(order) - 1) - unusable_free(z, aflags);

	if (aflags & ALLOC_MIN_RESERVE)
		mark -= mark / 2;
	if (aflags & ALLOC_MIN_RESERVE && aflags & ALLOC_NON_BLOCK)
		mark -= mark / 4;
	if (aflags & ALLOC_OOM)
		mark -= mark / 2;
	if (free <= mark + (int64_t)z->marks->n.lowmem_reserve[highest])
		return 0;
	for (unsigned have = order; order && have <= z->max_order; have++)
		for (unsigned type = 0; type < IOMMUSIM_ISOLATE; type++) {
			if (type == IOMMUSIM_CMA && !(aflags & ALLOC_CMA))
				continue;
			if (type == IOMMUSIM_HIGHATOMIC &&
			    !(aflags & (ALLOC_HIGHATOMIC | ALLOC_OOM)))
				continue;
			if (z->list[have][type].nr)
				return 1;
		}
	return !order;
}

/* zone_watermark_fast(): a single page need not be above what the reserves keep. */
static int watermark_fast(const struct oracle_zone *z, const struct ask *ask, unsigned aflags,
                          unsigned selector)
{
	int64_t mark = mark_of(z, selector), free = z->marks->counter < 0 ? 0 : z->marks->counter;
	int ignores_boost = is_6_12(z) ? (aflags & ALLOC_MIN_RESERVE) != 0
	                               : (ask->req->gfp & IOMMUSIM_GFP_BIT_ATOMIC) != 0;
	int64_t reserve = (int64_t)z->marks->n.lowmem_reserve[ask->highest];

	if (!ask->req->order && free - unusable_free(z, aflags) > mark + reserve)
		return 1;
	if (watermark_ok(z, ask->req->order, mark, ask->highest, aflags))
		return 1;
	return !ask->req->order && z->marks->n.boost && !(aflags & 3) && ignores_boost &&
	       watermark_ok(z, 0, (int64_t)z->marks->n.min, ask->highest, aflags);
}

/* ---- Off the free lists ---- */

static uint64_t take_cma(struct oracle_zone *z, struct take *take)
{
	uint64_t pfn = IOMMUSIM_NO_PFN;

	if (take->aflags & ALLOC_CMA)
		pfn = take_own(z, take, IOMMUSIM_CMA);
	if (pfn != IOMMUSIM_NO_PFN)
		take->found_on = IOMMUSIM_CMA;
	return pfn;
}

/* The switch of __rmqueue() in 6.12: each mode falls through to the next. */
static uint64_t take_by_mode(struct oracle_zone *z, struct take *take)
{
	uint64_t pfn = IOMMUSIM_NO_PFN;

	if (take->mode == MODE_NORMAL)
		pfn = take_own(z, take, take->type);
	if (pfn == IOMMUSIM_NO_PFN && take->mode <= MODE_CMA) {
		pfn = take_cma(z, take);
		if (pfn != IOMMUSIM_NO_PFN)
			take->mode = MODE_CMA;
	}
	if (pfn == IOMMUSIM_NO_PFN && take->mode <= MODE_CLAIM) {
		pfn = take_claim(z, take);
		if (pfn != IOMMUSIM_NO_PFN)
			take->mode = MODE_NORMAL;
	}
	if (pfn == IOMMUSIM_NO_PFN && !(take->aflags & ALLOC_NOFRAGMENT)) {
		pfn = take_steal(z, take);
		if (pfn != IOMMUSIM_NO_PFN)
			take->mode = MODE_STEAL;
	}
	return pfn;
}

/* __rmqueue() */
static uint64_t rmqueue(const struct oracle *o, struct oracle_zone *z, struct take *take)
{
	int64_t free = z->marks->counter < 0 ? 0 : z->marks->counter;
	uint64_t pfn = IOMMUSIM_NO_PFN;

	take->found_on = take->taken_as = take->type;
	take->min_order = take->order;
	if (take->aflags & ALLOC_NOFRAGMENT && take->order < z->pageblock_order)
		take->min_order = z->pageblock_order;
	if (frames_of_type(z, IOMMUSIM_CMA) > free / 2)
		pfn = take_cma(z, take);
	if (pfn != IOMMUSIM_NO_PFN)
		return pfn;
	if (o->fallback != IOMMUSIM_FALLBACK_A)
		return take_by_mode(z, take);
	pfn = take_own(z, take, take->type);
	if (pfn == IOMMUSIM_NO_PFN)
		pfn = take_cma(z, take);
	return pfn == IOMMUSIM_NO_PFN ? take_fallback_a(z, take) : pfn;
}

static uint64_t take_atomic(struct oracle_zone *z, struct take *take)
{
	uint64_t pfn = take_own(z, take, IOMMUSIM_HIGHATOMIC);

	if (pfn != IOMMUSIM_NO_PFN)
		take->found_on = IOMMUSIM_HIGHATOMIC;
	return pfn;
}

/* rmqueue_buddy() */
static uint64_t take_direct(const struct oracle *o, struct oracle_zone *z, struct take *take)
{
	uint64_t pfn = IOMMUSIM_NO_PFN;

	take->mode = MODE_NORMAL;
	if (take->aflags & ALLOC_HIGHATOMIC)
		pfn = take_atomic(z, take);
	if (pfn == IOMMUSIM_NO_PFN)
		pfn = rmqueue(o, z, take);
	if (pfn == IOMMUSIM_NO_PFN && take->aflags & (ALLOC_OOM | ALLOC_NON_BLOCK))
		pfn = take_atomic(z, take);
	if (pfn != IOMMUSIM_NO_PFN && !is_6_12(z))
		count_free(z, -(int64_t)isim_bit(take->order));
	return pfn;
}

/* ---- Per-CPU lists ---- */

static int pcp_index(const struct oracle_zone *z, unsigned order, unsigned type)
{
	if (order == THP_ORDER && z->max_order >= THP_ORDER)
		return 12 + (type == IOMMUSIM_MOVABLE);
	return order <= 3 ? (int)(order * 3 + type) : -1;
}

static unsigned order_of_list(unsigned list)
{
	return list < 12 ? list / 3 : THP_ORDER;
}

static int pcp_count(const struct pcp *pcp)
{
	int count = 0;

	for (unsigned list = 0; list < IOMMUSIM_PCP_LISTS; list++)
		count += (int)pcp->list[list].nr << order_of_list(list);
	return count;
}

static void insert(struct pcp_list *list, unsigned at, iommusim_pfn pfn)
{
	memmove(&list->pfn[at + 1], &list->pfn[at], (list->nr - at) * sizeof(pfn));
	list->pfn[at] = pfn;
	list->nr++;
}

static iommusim_pfn remove_at(struct pcp_list *list, unsigned at)
{
	iommusim_pfn pfn = list->pfn[at];

	list->nr--;
	memmove(&list->pfn[at], &list->pfn[at + 1], (list->nr - at) * sizeof(pfn));
	return pfn;
}

static void put_on_pcp(struct oracle_zone *z, uint64_t pfn, unsigned order, unsigned type)
{
	memset(page_of(z, pfn), 0, sizeof(struct page) << order);
	page_of(z, pfn)->state = PAGE_PCP;
	page_of(z, pfn)->order = order;
	page_of(z, pfn)->type = type;
}

/* nr_pcp_alloc(); before, a batch. */
static int nr_to_refill(struct pcp *pcp, const struct oracle_zone *z, int order)
{
	int n = pcp->batch, limit;

	if (!is_6_12(z))
		return pcp->batch > 1 ? greater(pcp->batch >> order, 2) : pcp->batch;
	pcp->high = lesser(greater(pcp->high, pcp->high_min), pcp->high_max);
	if (pcp->high < pcp->batch)
		return 1;
	if (!order)
		n <<= pcp->factor;
	if (pcp->high_min != pcp->high_max && !(z->marks->flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH))
		pcp->high = lesser(pcp->high + n, pcp->high_max);
	if (!order) {
		limit = greater(pcp->high - pcp_count(pcp) - pcp->batch, pcp->batch);
		if (n <= limit && pcp->factor < 5)
			pcp->factor++;
		n = lesser(n, limit);
	}
	return n > 1 ? greater(n >> order, 2) : n;
}

/* rmqueue_bulk() */
static void refill(struct request_oracle *r, struct oracle_zone *z, struct take *take,
                   struct pcp_list *list)
{
	int n = nr_to_refill(pcp_of(r, z), z, (int)take->order), got = 0;

	take->mode = MODE_NORMAL;
	for (; got < n; got++) {
		uint64_t pfn = rmqueue(&r->base, z, take);

		if (pfn == IOMMUSIM_NO_PFN)
			break;
		put_on_pcp(z, pfn, take->order, take->taken_as);
		insert(list, list->nr, pfn);
	}
	if (!is_6_12(z) && got)
		count_free(z, -((int64_t)got << take->order));
}

/* __rmqueue_pcplist(), for bulk requests without what rmqueue_pcplist() does before. */
static uint64_t take_pcp(struct request_oracle *r, struct oracle_zone *z, struct take *take,
                         int is_bulk)
{
	struct pcp *pcp = pcp_of(r, z);
	struct pcp_list *list = &pcp->list[pcp_index(z, take->order, take->type)];
	iommusim_pfn pfn;

	if (!is_bulk && is_6_12(z))
		pcp->free_count /= 2;
	else if (!is_bulk)
		pcp->factor /= 2;
	if (!list->nr)
		refill(r, z, take, list);
	if (!list->nr)
		return IOMMUSIM_NO_PFN;
	pfn = remove_at(list, 0);
	take->found_on = page_of(z, pfn)->type;
	return pfn;
}

/* free_pcppages_bulk() */
static void drain_pcp(struct request_oracle *r, struct oracle_zone *z, int n, unsigned list)
{
	struct pcp *pcp = pcp_of(r, z);

	n = lesser(n, pcp_count(pcp));
	for (; n > 0; list = (list + 1) % IOMMUSIM_PCP_LISTS)
		while (n > 0 && pcp->list[list].nr) {
			struct block block = { .order = order_of_list(list) };
			int has_isolated = 0;

			block.pfn = remove_at(&pcp->list[list], pcp->list[list].nr - 1);
			block.type = page_of(z, block.pfn)->type;
			for (uint64_t pfn = z->start; pfn < z->end; pfn++)
				has_isolated |= *type_of(z, pfn) == IOMMUSIM_ISOLATE;
			if (is_6_12(z) || has_isolated)
				block.type = *type_of(z, block.pfn);
			page_of(z, block.pfn)->state = PAGE_INNER;
			free_counted(z, block);
			n -= 1 << block.order;
		}
}

/* What a free leads to: @high is what the lists may hold, @n what goes if they hold more. */
static void limits_before(struct pcp *pcp, const struct oracle_zone *z, unsigned order, int *high,
                          int *n)
{
	int scaled;

	*high = pcp->high;
	if (z->marks->flags & IOMMUSIM_ZONE_FLAG_RECLAIM)
		*high = lesser(4 * pcp->batch, pcp->high);
	if (order >= 1 && order <= 3 && pcp->factor) {
		*high = 0;
		*n = pcp_count(pcp);
		return;
	}
	if (pcp_count(pcp) < *high)
		return;
	if (*high < pcp->batch) {
		*n = 1;
		return;
	}
	scaled = pcp->batch << pcp->factor;
	if (scaled < *high - pcp->batch && pcp->factor < 5)
		pcp->factor++;
	*n = lesser(greater(scaled, pcp->batch), *high - pcp->batch);
}

static void limits_since(struct pcp *pcp, const struct oracle_zone *z, unsigned order, int *high,
                         int *n)
{
	int count = pcp_count(pcp), is_high = order >= 1 && order <= 3, all, recent;

	all = is_high && pcp->free_count >= pcp->batch && pcp->flags & 1 &&
	      (!(pcp->flags & 2) || count >= pcp->batch);
	pcp->flags = (pcp->flags & 2) | is_high;
	if (pcp->free_count < pcp->batch << 5)
		pcp->free_count += 1 << order;
	recent = greater(pcp->free_count, pcp->batch);
	*high = pcp->high = lesser(greater(pcp->high, pcp->high_min), pcp->high_max);
	if (all) {
		pcp->high = greater(*high - (pcp->batch << 5), pcp->high_min);
		*high = 0;
		*n = lesser(count, pcp->batch << 5);
		return;
	}
	if (z->marks->flags & IOMMUSIM_ZONE_FLAG_RECLAIM) {
		pcp->high = greater(*high - recent, pcp->high_min);
		*high = lesser(4 * pcp->batch, pcp->high);
	} else if (pcp->high_min == pcp->high_max) {
		;
	} else if (z->marks->flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH) {
		pcp->high = greater(*high - recent, pcp->high_min);
		*high = greater(count, pcp->high_min);
	} else if (count >= *high && *high < pcp->free_count + pcp->batch) {
		pcp->high =
			lesser(greater(pcp->free_count + pcp->batch, pcp->high_min), pcp->high_max);
	}
	*n = *high < pcp->batch ? 1
	                        : lesser(greater(pcp->free_count, pcp->batch), *high - pcp->batch);
}

/* free_unref_page() */
static void free_to_pcp(struct request_oracle *r, struct oracle_zone *z, uint64_t pfn,
                        unsigned order)
{
	struct pcp *pcp = pcp_of(r, z);
	unsigned type = *type_of(z, pfn);
	unsigned list = (unsigned)pcp_index(z, order,
	                                    type > IOMMUSIM_RECLAIMABLE ? IOMMUSIM_MOVABLE : type);
	int high = 0, n = 0;

	if (is_6_12(z))
		pcp->factor /= 2;
	put_on_pcp(z, pfn, order, type);
	insert(&pcp->list[list], 0, pfn);
	if (is_6_12(z))
		limits_since(pcp, z, order, &high, &n);
	else
		limits_before(pcp, z, order, &high, &n);
	if (pcp_count(pcp) < high)
		return;
	drain_pcp(r, z, n, list);
	if (is_6_12(z) && z->marks->flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH &&
	    watermark_ok(z, 0, mark_of(z, ALLOC_WMARK_HIGH), IOMMUSIM_ZONE_MOVABLE, 0))
		z->marks->flags &= ~IOMMUSIM_ZONE_FLAG_BELOW_HIGH;
}

#endif
