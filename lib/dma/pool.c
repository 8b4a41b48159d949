/* SPDX-License-Identifier: MIT */
/*
 * The atomic pool: one block of pages, handed out first fit. Models kernel/dma/pool.c, Linux 6.1
 * and 6.12; simplifies: one pool instead of one for each zone, of fixed size.
 */
#include "dma/pool.h"

#include <string.h>

#include "dma/device.h"

static uint64_t nr_pages(const struct iommusim_dma *dma)
{
	return dma->config.pool_pages;
}

static int make_notes(struct iommusim_dma *dma)
{
	dma->pool.is_used = isim_zalloc(&dma->diag.host, nr_pages(dma), 1);
	return dma->pool.is_used ? 0 : isim_no_memory(&dma->diag, "an atomic pool");
}

void isim_pool_drop(struct iommusim_dma *dma)
{
	isim_free(&dma->diag.host, dma->pool.is_used);
	dma->pool.is_used = NULL;
}

int isim_pool_init(struct iommusim_dma *dma)
{
	struct iommusim_page_request req = { .gfp = IOMMUSIM_GFP_KERNEL, .node = -1 };
	struct iommusim_page_block block;
	int err;

	if (!nr_pages(dma))
		return 0;
	err = make_notes(dma);
	if (err)
		return err;
	req.order = dma->pool.order = isim_high_bit(nr_pages(dma));
	err = dma->source.alloc_pages(dma->source.ctx, &req, &block);
	if (err) {
		isim_pool_drop(dma);
		return err;
	}
	dma->pool.pfn = block.pfn;
	return 0;
}

void isim_pool_finish(struct iommusim_dma *dma)
{
	if (!dma->pool.is_used)
		return;
	dma->source.free_pages(dma->source.ctx, dma->pool.pfn, dma->pool.order);
	isim_pool_drop(dma);
}

int isim_pool_fork(struct iommusim_dma *dma, const struct iommusim_dma *from)
{
	int err = from->pool.is_used ? make_notes(dma) : 0;

	if (!err && from->pool.is_used)
		memcpy(dma->pool.is_used, from->pool.is_used, (size_t)nr_pages(dma));
	return err;
}

int isim_pool_get(struct iommusim_dma *dma, uint64_t nr, iommusim_pfn *pfn)
{
	uint64_t run = 0;

	if (!dma->pool.is_used)
		return -IOMMUSIM_ENOMEM;
	for (uint64_t i = 0; i < nr_pages(dma); i++) {
		run = dma->pool.is_used[i] ? 0 : run + 1;
		if (run < nr)
			continue;
		memset(dma->pool.is_used + (i + 1 - nr), 1, (size_t)nr);
		dma->stats.nr_pool_pages += nr;
		*pfn = dma->pool.pfn + (i + 1 - nr);
		return 0;
	}
	return -IOMMUSIM_ENOMEM;
}

void isim_pool_put(struct iommusim_dma *dma, iommusim_pfn pfn, uint64_t nr)
{
	memset(dma->pool.is_used + (pfn - dma->pool.pfn), 0, (size_t)nr);
	dma->stats.nr_pool_pages -= nr;
}
