/* SPDX-License-Identifier: MIT */
/* Buffers of one piece: a block of the page source, or pages of the atomic pool. */
#include "dma/alloc.h"

#include "base/units.h"

/* The smallest order that holds @size bytes. */
static unsigned order_of(const struct iommusim_dma *dma, uint64_t size)
{
	uint64_t pages = isim_bytes_to_pages(size, dma->config.page_shift);

	return pages > 1 ? isim_high_bit(pages - 1) + 1 : 0;
}

/* Room for the one attempt, the chunk and the piece. */
static int make_room(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	struct iommusim_chunks *c = &buffer->chunks;
	size_t cap_sg = 0;
	int err;

	c->host = dma->diag.host;
	err = isim_grow(&c->host, &c->attempt, &c->cap_attempts, 1, sizeof(*c->attempt));
	if (!err)
		err = isim_grow(&c->host, &c->chunk, &c->cap_chunks, 1, sizeof(*c->chunk));
	if (!err)
		err = isim_grow(&c->host, &buffer->sg, &cap_sg, 1, sizeof(*buffer->sg));
	return err ? isim_no_memory(&dma->diag, "a buffer") : 0;
}

/* The only attempt, as a chunk policy would note it. */
static void note_attempt(struct iommusim_dma *dma, const struct iommusim_page_request *req,
                         const struct iommusim_page_block *block, struct iommusim_chunks *c)
{
	unsigned slot = req->order < dma->config.nr_orders ? req->order : IOMMUSIM_MAX_ORDERS + 1;
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_ATTEMPT,
		                        .order = (uint8_t)req->order,
		                        .gfp = req->gfp,
		                        .pfn = block ? block->pfn : IOMMUSIM_NO_PFN,
		                        .result = block ? 0 : -IOMMUSIM_ENOMEM };

	c->attempt[c->nr_attempts++] =
		(struct iommusim_attempt){ .pfn = event.pfn,
		                           .gfp = req->gfp,
		                           .order = (uint8_t)req->order,
		                           .zone = block ? block->zone : 0,
		                           .migratetype = block ? block->migratetype : 0 };
	c->nr_tried[slot]++;
	c->nr_failed[slot] += !block;
	isim_event(&dma->diag, &event);
}

static int get_block(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                     struct iommusim_dma_buffer *buffer)
{
	struct iommusim_page_request page = { .order = order_of(dma, req->size),
		                              .gfp = req->gfp,
		                              .node = dma->config.node };
	struct iommusim_chunks *c = &buffer->chunks;
	struct iommusim_page_block block;
	int err = make_room(dma, buffer);

	c->plan.size = req->size;
	c->plan.count = isim_bytes_to_pages(req->size, dma->config.page_shift);
	if (!err)
		err = dma->source.alloc_pages(dma->source.ctx, &page, &block);
	if (!err || err == -IOMMUSIM_ENOMEM)
		note_attempt(dma, &page, err ? NULL : &block, c);
	if (err)
		return err;
	c->chunk[c->nr_chunks++] =
		(struct iommusim_chunk){ .pfn = block.pfn, .order = (uint8_t)page.order };
	c->nr_pages = isim_bit(page.order);
	buffer->sg[buffer->nr_sg++] =
		(struct iommusim_sg){ isim_pfn_to_pa(block.pfn, dma->config.page_shift),
		                      req->size };
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
