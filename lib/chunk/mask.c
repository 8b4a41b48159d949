/* SPDX-License-Identifier: MIT */
/*
 * The loop that consults the domain's page sizes (dma-iommu since 4.7): only orders that one of
 * them can use are tried, the largest first, and an order that failed is not tried again. The last
 * one left gets the full effort.
 */
#include "chunk/run.h"

#include "base/bits.h"
#include "base/units.h"

int isim_chunk_plan_mask(const struct iommusim_policy *policy,
                         const struct iommusim_chunk_request *req, struct iommusim_chunk_plan *plan)
{
	uint64_t page = isim_bit(req->page_shift);
	uint64_t sizes = req->pgsizes & UINT32_MAX; /* the kernel's variable is 32 bits wide */
	uint64_t min = sizes & (~sizes + 1);

	plan->size = req->size;
	if (min < page) {
		min = page;
		sizes |= page;
	} else {
		plan->size = isim_align_up(req->size, min);
		if (plan->size < req->size)
			return -IOMMUSIM_EINVAL;
	}
	if (req->attrs & IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES)
		sizes = min;
	plan->count = isim_bytes_to_pages(plan->size, req->page_shift);
	plan->mask = sizes >> req->page_shift;
	return 0;
}

int isim_chunk_from_mask(struct iommusim_chunk_run *run, uint32_t base, unsigned split_comp,
                         uint64_t *mask)
{
	while (*mask) {
		unsigned order = isim_high_bit(*mask);
		uint64_t rest = *mask & ~isim_bit(order);
		int err = iommusim_chunk_try(run, order,
		                             base | (rest ? IOMMUSIM_GFP_BIT_NORETRY : 0), NULL);

		if (!err && order && split_comp && base & IOMMUSIM_GFP_BIT_COMP)
			err = isim_chunk_split_compound(run, rest != 0);
		else if (!err)
			err = iommusim_chunk_keep(run);
		if (err != -IOMMUSIM_ENOMEM)
			return err;
		*mask = rest;
	}
	return -IOMMUSIM_ENOMEM;
}

int isim_chunk_alloc_mask(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	static const struct isim_mask newest = { .beyond_max = 0 };
	const struct isim_mask *params = policy->params ? policy->params : &newest;
	uint64_t mask = plan->mask & isim_low_bits(req->max_order + params->beyond_max + 1);
	uint32_t base = req->gfp | IOMMUSIM_GFP_BIT_NOWARN | IOMMUSIM_GFP_BIT_HIGHMEM;
	int err = mask ? 0 : -IOMMUSIM_ENOMEM;

	if (params->drop_comp)
		base &= ~IOMMUSIM_GFP_BIT_COMP;
	while (!err && run->out->nr_pages < plan->count) {
		mask &= isim_low_bits(isim_high_bit(plan->count - run->out->nr_pages) + 1);
		err = isim_chunk_from_mask(run, base, params->split_comp, &mask);
	}
	return err;
}
