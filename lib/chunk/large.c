/* SPDX-License-Identifier: MIT */
/*
 * The proposal of 2021 for domains whose smallest page is larger than the CPU page: sizes are
 * rounded up to CPU pages only, and a tail for which no order is left is cut out of a block of the
 * smallest order of the mask.
 */
#include "chunk/run.h"

#include "base/bits.h"
#include "base/units.h"

/* get_order(): the smallest order whose block holds @count pages. */
static unsigned order_for(uint64_t count)
{
	return count > 1 ? isim_high_bit(count - 1) + 1 : 0;
}

int isim_chunk_plan_large(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          struct iommusim_chunk_plan *plan)
{
	uint64_t page = isim_bit(req->page_shift);
	uint64_t sizes = req->pgsizes & UINT32_MAX; /* the kernel's variable is 32 bits wide */
	uint64_t min = sizes & (~sizes + 1);

	plan->count = isim_bytes_to_pages(req->size, req->page_shift);
	plan->size = plan->count << req->page_shift;
	if (plan->size < req->size)
		return -IOMMUSIM_EINVAL;
	if (min < page) {
		min = page;
		sizes |= page;
	} else if (req->size < min) {
		min = page << order_for(plan->count); /* one block for all of it */
		sizes = min;
	}
	if (req->attrs & IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES)
		sizes = min;
	plan->mask = sizes >> req->page_shift;
	return 0;
}

/* The tail of @count pages, from a block of @order. */
static int tail(struct iommusim_chunk_run *run, uint32_t base, unsigned order, uint64_t count)
{
	int err = iommusim_chunk_try(run, order, base, NULL);

	return err ? err : iommusim_chunk_keep_part(run, count);
}

int isim_chunk_alloc_large(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	uint64_t mask = plan->mask & isim_low_bits(req->max_order + 2);
	uint32_t base = (req->gfp & ~IOMMUSIM_GFP_BIT_COMP) | IOMMUSIM_GFP_BIT_NOWARN |
	                IOMMUSIM_GFP_BIT_HIGHMEM;
	/* Taken before the clamp, and of the highest bit: with one page size it is the granule's,
	   with more it is not. */
	unsigned min_order = plan->mask ? isim_high_bit(plan->mask) : 0;
	int err = mask ? 0 : -IOMMUSIM_ENOMEM;

	while (!err && run->out->nr_pages < plan->count) {
		uint64_t left = plan->count - run->out->nr_pages;

		mask &= isim_low_bits(isim_high_bit(left) + 1);
		err = isim_chunk_from_mask(run, base, 0, &mask);
		if (err == -IOMMUSIM_ENOMEM && left < isim_bit(min_order))
			err = tail(run, base, min_order, left);
	}
	return err;
}
