/* SPDX-License-Identifier: MIT */
/*
 * A buffer's way: pages by the policy, an IOVA range, the list of physically contiguous pieces, the
 * mapping. Each step that fails undoes those before it.
 */
#include "dma/alloc.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

/* Does the proposal of 2021 decide what is mapped? */
static int is_widened(const struct iommusim_dma *dma)
{
	return dma->config.mode == IOMMUSIM_DOMAIN_PROPOSAL_2021 &&
	       isim_dma_granule(dma) > isim_bit(dma->config.page_shift);
}

/* The kernel's own loop of that release, or the proposal's. */
static const struct iommusim_policy *default_policy(const struct iommusim_dma *dma)
{
	const struct iommusim_policy *policy = iommusim_policy_of_kernel(dma->config.kernel);

	if (is_widened(dma))
		return &iommusim_policy_large_granule;
	return policy ? policy : &iommusim_policy_dma_iommu_4_4;
}

/* ---- Pages ---- */

static int get_pages(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                     struct iommusim_chunks *chunks)
{
	struct iommusim_chunk_job job =
		isim_dma_job(dma, req->policy ? req->policy : default_policy(dma), req);

	return iommusim_chunk_alloc(&job, chunks);
}

/* ---- Scatterlist ---- */

/* Entries are physically contiguous, shorter than 4 GiB and @size bytes together. */
static int build_list(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	unsigned shift = dma->config.page_shift;
	uint64_t most = isim_bit(32) - isim_bit(shift), left = buffer->size;
	const struct iommusim_chunks *chunks = &buffer->chunks;
	size_t cap = 0;

	for (size_t i = 0; i < chunks->nr_chunks && left; i++) {
		uint64_t pa = isim_pfn_to_pa(chunks->chunk[i].pfn, shift);
		uint64_t bytes = isim_bit(chunks->chunk[i].order + shift);
		struct iommusim_sg *last = buffer->nr_sg ? &buffer->sg[buffer->nr_sg - 1] : NULL;
		uint64_t joined = 0;

		if (bytes > left)
			bytes = left;
		left -= bytes;
		if (last && last->pa + last->size == pa)
			joined = bytes < most - last->size ? bytes : most - last->size;
		if (joined)
			last->size += joined;
		for (bytes -= joined, pa += joined; bytes;) {
			uint64_t piece = bytes < most ? bytes : most;

			if (isim_grow(&dma->diag.host, &buffer->sg, &cap, buffer->nr_sg + 1,
			              sizeof(*buffer->sg)))
				return isim_no_memory(&dma->diag, "a scatterlist");
			buffer->sg[buffer->nr_sg++] = (struct iommusim_sg){ pa, piece };
			pa += piece;
			bytes -= piece;
		}
	}
	return 0;
}

/* ---- Mapping ---- */

static int map_buffer(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                      struct iommusim_dma_buffer *buffer)
{
	struct iommusim_map_list list = {
		.iova = buffer->dma_addr,
		.sg = buffer->sg,
		.nr = buffer->nr_sg,
		.prot = isim_dma_prot(dma, IOMMUSIM_DMA_BIDIRECTIONAL, req->attrs),
		.gfp = req->gfp & ~(ISIM_GFP_ZONES | IOMMUSIM_GFP_BIT_COMP)
	};
	uint64_t mapped = 0;
	int err;

	if (dma->config.kernel < IOMMUSIM_KERNEL(6, 12))
		list.gfp = isim_dma_atomic_gfp(dma);
	err = iommusim_domain_map_sg(dma->config.domain, &list, &mapped);
	if (err || mapped == buffer->size)
		return err;
	iommusim_domain_unmap(dma->config.domain, buffer->dma_addr, mapped);
	return isim_fail(&dma->diag, IOMMUSIM_EINVAL, "the pages hold %llu of %llu bytes to map",
	                 (unsigned long long)mapped, (unsigned long long)buffer->size);
}

void isim_dma_flush_pages(struct iommusim_dma *dma, uint64_t pa, uint64_t size)
{
	uint64_t page = isim_bit(dma->config.page_shift);

	if (!dma->config.is_noncoherent)
		return;
	for (uint64_t at = 0; at < size; at += page) {
		dma->stats.nr_flush_page++;
		if (dma->config.flush_page)
			dma->config.flush_page(dma->config.flush_ctx, pa + at);
	}
}

void isim_dma_return_pages(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	struct iommusim_chunks *chunks = &buffer->chunks;
	size_t nr = chunks->nr_chunks;

	if (buffer->in_pool) {
		isim_pool_put(dma, buffer->sg[0].pa >> dma->config.page_shift,
		              isim_bytes_to_pages(buffer->sg[0].size, dma->config.page_shift));
		return;
	}
	chunks->nr_freed = chunks->nr_pages;
	iommusim_chunk_free(chunks, &dma->source);
	chunks->nr_chunks = nr;
}

/*
 * The proposal of 2021: whole granules around what the pages hold. A buffer below a granule is one
 * piece within one, whatever else is there; of a larger one the last piece is rounded up. Returns
 * how far into its granule the first byte lies. The list is to be given back as it was.
 */
static uint64_t widen(const struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	uint64_t granule = isim_dma_granule(dma), size = buffer->chunks.plan.size, off = 0;
	struct iommusim_sg *last = &buffer->sg[buffer->nr_sg - 1];

	if (size < granule) {
		off = last->pa & (granule - 1);
		last->pa -= off;
		last->size += off;
	}
	last->size = isim_align_up(last->size, granule);
	return off;
}

static int map_widened(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                       struct iommusim_dma_buffer *buffer)
{
	struct iommusim_sg *last = &buffer->sg[buffer->nr_sg - 1], as_it_was = *last;
	uint64_t off = widen(dma, buffer);
	int err = map_buffer(dma, req, buffer);

	*last = as_it_was;
	if (err)
		return err;
	buffer->dma_addr += off;
	buffer->size -= off;
	return 0;
}

static int map_pages_of(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                        struct iommusim_dma_buffer *buffer)
{
	uint64_t size = isim_align_up(buffer->chunks.plan.size, isim_dma_granule(dma));
	int err;

	buffer->failed = IOMMUSIM_DMA_IOVA;
	err = size ? isim_dma_get_iova(dma, size, dma->config.coherent_mask, &buffer->dma_addr)
	           : -IOMMUSIM_ENOMEM;
	if (err)
		return err;
	buffer->size = size;
	buffer->failed = IOMMUSIM_DMA_MAP;
	err = build_list(dma, buffer);
	for (size_t i = 0; !err && i < buffer->nr_sg; i++)
		isim_dma_flush_pages(dma, buffer->sg[i].pa, buffer->sg[i].size);
	if (!err)
		err = is_widened(dma) && buffer->nr_sg ? map_widened(dma, req, buffer)
		                                       : map_buffer(dma, req, buffer);
	if (err)
		isim_dma_put_iova(dma, buffer->dma_addr, size);
	return err;
}

/* ---- Calls ---- */

static void begin(struct iommusim_dma_buffer *buffer, enum iommusim_dma_step step)
{
	memset(buffer, 0, sizeof(*buffer));
	buffer->failed = step;
}

/* __iommu_dma_free() counts the pages of the size that was asked for, not of the rounded one. */
static void find_lost_tail(const struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                           struct iommusim_chunks *chunks)
{
	uint64_t freed = isim_bytes_to_pages(req->size, dma->config.page_shift);

	if (freed >= chunks->plan.count)
		return;
	chunks->findings |= IOMMUSIM_FINDING_LOST_TAIL;
	if (!chunks->told[0])
		snprintf(chunks->told, sizeof(chunks->told),
		         "the kernel frees by the caller's size: %llu of %llu pages are lost",
		         (unsigned long long)(chunks->plan.count - freed),
		         (unsigned long long)chunks->plan.count);
}

int iommusim_dma_alloc_chunks(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                              struct iommusim_dma_buffer *buffer)
{
	int err;

	begin(buffer, IOMMUSIM_DMA_PAGES);
	err = get_pages(dma, req, &buffer->chunks);
	if (err)
		return err;
	err = map_pages_of(dma, req, buffer);
	if (err) {
		isim_dma_return_pages(dma, buffer);
		return err;
	}
	find_lost_tail(dma, req, &buffer->chunks);
	dma->stats.nr_map++;
	buffer->failed = IOMMUSIM_DMA_DONE;
	return 0;
}

static int refuse(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                  struct iommusim_dma_buffer *buffer)
{
	begin(buffer, IOMMUSIM_DMA_CHECK);
	return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
	                 "size 0x%llx, attributes 0x%x or the zone or COMP in gfp 0x%x are refused",
	                 (unsigned long long)req->size, (unsigned)req->attrs, (unsigned)req->gfp);
}

int iommusim_dma_alloc_noncontiguous(struct iommusim_dma *dma,
                                     const struct iommusim_dma_request *req,
                                     struct iommusim_dma_buffer *buffer)
{
	if (req->attrs & ~IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES || req->gfp & IOMMUSIM_GFP_BIT_COMP)
		return refuse(dma, req, buffer);
	return iommusim_dma_alloc_chunks(dma, req, buffer);
}

int iommusim_dma_alloc(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                       struct iommusim_dma_buffer *buffer)
{
	struct iommusim_dma_request real = *req;
	int may_block = (req->gfp & IOMMUSIM_GFP_BIT_DIRECT_RECLAIM) != 0;

	if (!req->size ||
	    (req->gfp & IOMMUSIM_GFP_BIT_COMP && dma->config.kernel >= IOMMUSIM_KERNEL(6, 2)))
		return refuse(dma, req, buffer);
	real.gfp = (req->gfp & ~ISIM_GFP_ZONES) | IOMMUSIM_GFP_BIT_ZERO;
	if (may_block && !(req->attrs & IOMMUSIM_ATTR_FORCE_CONTIGUOUS))
		return iommusim_dma_alloc_chunks(dma, &real, buffer);
	begin(buffer, IOMMUSIM_DMA_PAGES);
	if (!may_block && dma->config.is_noncoherent)
		return isim_dma_alloc_pooled(dma, &real, buffer);
	return isim_dma_alloc_block(dma, &real, dma->config.coherent_mask, buffer);
}

int iommusim_dma_alloc_pages(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                             struct iommusim_dma_buffer *buffer)
{
	struct iommusim_dma_request real = *req;

	real.size = isim_align_up(req->size, isim_bit(dma->config.page_shift));
	real.attrs = 0;
	if (!real.size || req->gfp & (ISIM_GFP_ZONES | IOMMUSIM_GFP_BIT_COMP))
		return refuse(dma, req, buffer);
	begin(buffer, IOMMUSIM_DMA_PAGES);
	return isim_dma_alloc_block(dma, &real, dma->config.streaming_mask, buffer);
}

/* All of it, whatever the driver says of the unmap. */
static int give_back(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	int unmapped = isim_dma_unmap_range(dma, buffer->dma_addr, buffer->size), err = 0;

	if (buffer->in_pool)
		isim_dma_return_pages(dma, buffer);
	else
		err = iommusim_chunk_free(&buffer->chunks, &dma->source);
	return err ? err : unmapped;
}

int iommusim_dma_free(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	int err = 0;

	if (buffer->failed == IOMMUSIM_DMA_DONE && buffer->size)
		err = give_back(dma, buffer);
	iommusim_chunks_finish(&buffer->chunks);
	if (buffer->sg)
		isim_free(&dma->diag.host, buffer->sg);
	memset(buffer, 0, sizeof(*buffer));
	return err;
}
