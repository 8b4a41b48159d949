/* SPDX-License-Identifier: MIT */
/* Buffers of one piece: a block of the page source, or pages of the atomic pool. */
#include "dma/alloc.h"

#include "base/units.h"

/* The smallest order that holds @count pages. */
static unsigned order_of(uint64_t count)
{
	return count > 1 ? isim_high_bit(count - 1) + 1 : 0;
}

static int plan_block(const struct iommusim_policy *policy,
                      const struct iommusim_chunk_request *req, struct iommusim_chunk_plan *plan)
{
	plan->size = req->size;
	plan->count = isim_bit(order_of(isim_bytes_to_pages(req->size, req->page_shift)));
	return 0;
}

static int alloc_one_block(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = iommusim_chunk_try(run, isim_high_bit(plan->count), req->gfp, NULL);

	return err ? err : iommusim_chunk_keep_block(run);
}

/* alloc_pages_node(), as a policy: one attempt, freed as a block. */
static const struct iommusim_policy one_block = {
	.size = sizeof(one_block), .name = "one-block", .plan = plan_block, .alloc = alloc_one_block
};

/* Room for the only piece. */
static int make_room(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	size_t cap = 0;

	if (isim_grow(&dma->diag.host, &buffer->sg, &cap, 1, sizeof(*buffer->sg)))
		return isim_no_memory(&dma->diag, "a buffer");
	return 0;
}

static int get_block(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                     struct iommusim_dma_buffer *buffer)
{
	struct iommusim_chunk_job job = isim_dma_job(dma, &one_block, req);
	int err = make_room(dma, buffer);

	if (!err)
		err = iommusim_chunk_alloc(&job, &buffer->chunks);
	if (err)
		return err;
	buffer->sg[buffer->nr_sg++] = (struct iommusim_sg){
		isim_pfn_to_pa(buffer->chunks.chunk[0].pfn, dma->config.page_shift), req->size
	};
	return 0;
}

/* Map the piece that @buffer has, or give it back. */
static int map_piece(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                     uint64_t mask, struct iommusim_dma_buffer *buffer)
{
	uint64_t pa = buffer->sg[0].pa, off = pa & (isim_dma_granule(dma) - 1);
	struct isim_dma_range range = { .pa = pa,
		                        .size = req->size,
		                        .mask = mask,
		                        .prot = isim_dma_prot(dma, IOMMUSIM_DMA_BIDIRECTIONAL,
		                                              req->attrs) };
	uint64_t iova_failed = dma->stats.nr_iova_failed;
	int err;

	isim_dma_flush_pages(dma, pa, req->size);
	err = isim_dma_map_range(dma, &range, &buffer->dma_addr);
	if (err) {
		buffer->failed = dma->stats.nr_iova_failed > iova_failed ? IOMMUSIM_DMA_IOVA
		                                                         : IOMMUSIM_DMA_MAP;
		isim_dma_return_pages(dma, buffer);
		return err;
	}
	buffer->size = isim_align_up(req->size + off, isim_dma_granule(dma)) - off;
	buffer->failed = IOMMUSIM_DMA_DONE;
	return 0;
}

int isim_dma_alloc_block(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                         uint64_t mask, struct iommusim_dma_buffer *buffer)
{
	int err = get_block(dma, req, buffer);

	return err ? err : map_piece(dma, req, mask, buffer);
}

int isim_dma_alloc_pooled(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                          struct iommusim_dma_buffer *buffer)
{
	uint64_t nr = isim_bytes_to_pages(req->size, dma->config.page_shift);
	int err = make_room(dma, buffer);
	iommusim_pfn pfn;

	if (!err)
		err = isim_pool_get(dma, nr, &pfn);
	if (err)
		return err;
	buffer->in_pool = 1;
	buffer->sg[buffer->nr_sg++] =
		(struct iommusim_sg){ isim_pfn_to_pa(pfn, dma->config.page_shift), req->size };
	return map_piece(dma, req, dma->config.coherent_mask, buffer);
}
