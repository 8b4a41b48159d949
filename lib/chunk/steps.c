/* SPDX-License-Identifier: MIT */
/*
 * The loops that step down: from the largest order that fits, one at a time (dma-iommu before 4.7
 * and many others), or along a table of orders (arch/arm, heaps). They never look at the domain's
 * page sizes.
 */
#include "chunk/run.h"

#include "base/bits.h"
#include "base/units.h"

int isim_chunk_plan_pages(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          struct iommusim_chunk_plan *plan)
{
	plan->size = req->size;
	plan->count = isim_bytes_to_pages(req->size, req->page_shift);
	plan->mask = 0;
	return 0;
}

uint32_t isim_chunk_gfp(const struct isim_gfp *gfp, uint32_t caller, unsigned order)
{
	uint32_t bits = (caller & ~gfp->ignored) | gfp->always;

	if (gfp->highmem_unless_zone && !(bits & (IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32)))
		bits |= IOMMUSIM_GFP_BIT_HIGHMEM;
	return order ? (bits | gfp->high) & ~gfp->never_high : bits | gfp->last;
}

static uint32_t gfp_of(const struct isim_steps *steps, uint32_t caller, unsigned order)
{
	uint32_t gfp = isim_chunk_gfp(&steps->gfp, caller, order);

	if (steps->no_reclaim_above && order > steps->no_reclaim_above)
		gfp &= ~IOMMUSIM_GFP_BIT_DIRECT_RECLAIM;
	return gfp;
}

static int keep(struct iommusim_chunk_run *run, unsigned whole)
{
	return whole ? iommusim_chunk_keep_block(run) : iommusim_chunk_keep(run);
}

int isim_chunk_split_compound(struct iommusim_chunk_run *run, int is_left)
{
	int err;

	if (!iommusim_chunk_split_huge(run))
		return 0;
	err = iommusim_chunk_drop(run);
	if (err || is_left)
		return err ? err : -IOMMUSIM_ENOMEM;
	iommusim_chunk_find(run, IOMMUSIM_FINDING_STALE_BLOCK);
	return isim_fail(&run->diag, IOMMUSIM_EBUG,
	                 "a compound block was freed and is used after that");
}

/* One chunk of 2^*order pages, or less, down to @last; *order is the order that was tried last. */
static int one_chunk(struct iommusim_chunk_run *run, const struct isim_steps *steps, unsigned last,
                     unsigned *order)
{
	for (;; (*order)--) {
		uint32_t gfp = gfp_of(steps, run->req->gfp, *order);
		int err = iommusim_chunk_try(run, *order, gfp, NULL);

		if (!err && *order && !steps->whole && gfp & IOMMUSIM_GFP_BIT_COMP)
			err = isim_chunk_split_compound(run, *order > 1);
		else if (!err)
			err = keep(run, steps->whole);
		if (err != -IOMMUSIM_ENOMEM || *order <= last)
			return err;
	}
}

/* The order at which a chunk starts, if nothing failed before. */
static unsigned start_order(const struct isim_steps *steps,
                            const struct iommusim_chunk_request *req, uint64_t left)
{
	unsigned order = steps->upwards ? isim_low_bit(left) : isim_high_bit(left);
	unsigned limit = req->max_order + (steps->limit == ISIM_LIMIT_BEYOND);

	if (steps->singles == 2 ||
	    (steps->singles && req->attrs & IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES))
		return 0;
	return steps->limit == ISIM_LIMIT_NONE || order < limit ? order : limit;
}

/* The order below which a policy with a floor gives up. */
static unsigned floor_order(const struct isim_steps *steps,
                            const struct iommusim_chunk_request *req)
{
	unsigned lg2 = req->pgsizes ? isim_low_bit(req->pgsizes) : 0;

	return steps->floor && lg2 > req->page_shift ? lg2 - req->page_shift : 0;
}

/* What the kernel's way to give back after a failure does wrong. */
static void find_forgotten(struct iommusim_chunk_run *run)
{
	iommusim_chunk_find(run, run->out->nr_pages ? IOMMUSIM_FINDING_LEAK
	                                            : IOMMUSIM_FINDING_BEFORE_PAGE);
}

int isim_chunk_alloc_steps(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	const struct isim_steps *steps = policy->params;
	unsigned last = floor_order(steps, req), reached = UINT8_MAX;
	int err = 0;

	while (!err && run->out->nr_pages < plan->count) {
		unsigned order = start_order(steps, req, plan->count - run->out->nr_pages);

		if (steps->sticky && order > reached)
			order = reached;
		err = order < last ? -IOMMUSIM_ENOMEM : one_chunk(run, steps, last, &order);
		reached = order;
	}
	if (err == -IOMMUSIM_ENOMEM && steps->forgets)
		find_forgotten(run);
	return err;
}

/* The order of a rung, the last one's is 0; -1: smaller than a page. */
static int order_of(const struct isim_ladder *ladder, unsigned rung, unsigned page_shift)
{
	if (!ladder->size_lg2[0])
		return ladder->order[rung];
	if (rung == ladder->nr - 1)
		return 0;
	return (int)ladder->size_lg2[rung] - (int)page_shift;
}

/* One chunk from rung *rung or below; *rung is the one that was tried last. */
static int one_rung(struct iommusim_chunk_run *run, const struct isim_ladder *ladder, uint64_t left,
                    unsigned *rung)
{
	for (; *rung < ladder->nr; (*rung)++) {
		int order = order_of(ladder, *rung, run->req->page_shift);
		uint32_t gfp = ladder->gfp[*rung];
		int err;

		if (order < 0 || isim_high_bit(left) < (unsigned)order)
			continue;
		if (!gfp)
			gfp = isim_chunk_gfp(&ladder->by_order, run->req->gfp, (unsigned)order);
		err = iommusim_chunk_try(run, (unsigned)order, gfp, NULL);
		if (!err)
			return keep(run, ladder->whole);
		if (err != -IOMMUSIM_ENOMEM || !order)
			return err;
	}
	return -IOMMUSIM_ENOMEM;
}

int isim_chunk_alloc_ladder(const struct iommusim_policy *policy,
                            const struct iommusim_chunk_request *req,
                            const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	const struct isim_ladder *ladder = policy->params;
	unsigned rung = 0;
	int err = 0;

	if (ladder->singles && req->attrs & IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES)
		rung = ladder->nr - 1;
	while (!err && run->out->nr_pages < plan->count) {
		if (ladder->restarts)
			rung = 0;
		err = one_rung(run, ladder, plan->count - run->out->nr_pages, &rung);
	}
	return err;
}
