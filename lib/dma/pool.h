/* SPDX-License-Identifier: MIT */
/* Pages set aside for coherent buffers of devices that are not coherent, where nobody may sleep. */
#ifndef ISIM_DMA_POOL_H
#define ISIM_DMA_POOL_H

#include "iommusim/base.h"

struct isim_pool {
	iommusim_pfn pfn;       /* of the first page */
	unsigned order;         /* the whole block */
	unsigned char *is_used; /* one for each page; NULL: there is no pool */
};

struct iommusim_dma;

/* By the device's config: take the block. 0, -ENOMEM: the source has none, or -EHOST. */
int isim_pool_init(struct iommusim_dma *dma);

/* Give the block back. */
void isim_pool_finish(struct iommusim_dma *dma);

/* Forget it, the block stays taken. */
void isim_pool_drop(struct iommusim_dma *dma);

/* A byte copy of @from but for the pointers, which are NULL, gets notes of its own. 0, or -EHOST.
 */
int isim_pool_fork(struct iommusim_dma *dma, const struct iommusim_dma *from);

/* @nr pages in a row, the first that are free. 0 or -ENOMEM. */
int isim_pool_get(struct iommusim_dma *dma, uint64_t nr, iommusim_pfn *pfn);
void isim_pool_put(struct iommusim_dma *dma, iommusim_pfn pfn, uint64_t nr);

#endif
