/* SPDX-License-Identifier: MIT */
/*
 * The loops that step down: from the largest order that fits, one at a time (dma-iommu before 4.7),
 * or along a table of orders (arch/arm). They never look at the domain's page sizes.
 */
#include "chunk/run.h"

#include "base/bits.h"
#include "base/units.h"

#define BASE (IOMMUSIM_GFP_BIT_NOWARN | IOMMUSIM_GFP_BIT_HIGHMEM)

int isim_chunk_plan_pages(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          struct iommusim_chunk_plan *plan)
{
	plan->size = req->size;
	plan->count = isim_bytes_to_pages(req->size, req->page_shift);
	plan->mask = 0;
	return 0;
}

/*
 * One chunk of 2^*order pages or less; *order is the order that was tried last. A compound block
 * that cannot be split is given back, and after one of order 1 the kernel goes on with the freed
 * block (differs: we stop there).
 */
static int one_chunk(struct iommusim_chunk_run *run, uint32_t base, unsigned *order)
{
	for (; *order > 0; (*order)--) {
		int err = iommusim_chunk_try(run, *order, base | IOMMUSIM_GFP_BIT_NORETRY, NULL);

		if (err == -IOMMUSIM_ENOMEM)
			continue;
		if (err)
			return err;
		if (!(base & IOMMUSIM_GFP_BIT_COMP))
			return iommusim_chunk_keep(run);
		if (!iommusim_chunk_split_huge(run))
			return 0;
		err = iommusim_chunk_drop(run);
		if (err)
			return err;
		if (*order == 1)
			return isim_fail(&run->diag, IOMMUSIM_EBUG,
			                 "a compound block was freed and is used after that");
	}
	return iommusim_chunk_get(run, 0, base);
}

int isim_chunk_alloc_steps(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	const struct isim_steps *steps = policy->params;
	unsigned limit = req->max_order + 1; /* MAX_ORDER of then: one beyond the largest */
	unsigned order = limit;
	int err = 0;

	if (steps->singles && req->attrs & IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES)
		order = limit = 0;
	while (!err && run->out->nr_pages < plan->count) {
		unsigned fits = isim_high_bit(plan->count - run->out->nr_pages);

		if (!steps->sticky || order > limit)
			order = limit;
		if (order > fits)
			order = fits;
		err = one_chunk(run, req->gfp | BASE, &order);
	}
	return err;
}

int isim_chunk_alloc_ladder(const struct iommusim_policy *policy,
                            const struct iommusim_chunk_request *req,
                            const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	const struct isim_ladder *ladder = policy->params;
	uint32_t base = (req->gfp & ~IOMMUSIM_GFP_BIT_COMP) | BASE;
	unsigned rung = 0;

	if (req->attrs & IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES)
		rung = ladder->nr - 1;
	while (run->out->nr_pages < plan->count) {
		unsigned order = ladder->order[rung];
		int err;

		if (isim_high_bit(plan->count - run->out->nr_pages) < order) {
			rung++;
			continue;
		}
		err = iommusim_chunk_get(run, order, base | (order ? IOMMUSIM_GFP_BIT_NORETRY : 0));
		if (err == -IOMMUSIM_ENOMEM && order)
			rung++;
		else if (err)
			return err;
	}
	return 0;
}
