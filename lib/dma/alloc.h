/* SPDX-License-Identifier: MIT */
/* Buffers and where their pages come from. */
#ifndef ISIM_DMA_ALLOC_H
#define ISIM_DMA_ALLOC_H

#include "dma/device.h"

#define ISIM_GFP_ZONES (IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_HIGHMEM)

/* One block, or pages of the atomic pool, mapped at or below @mask or by the coherent mask. @buffer
   is zeroed but for the step. As iommusim_dma_alloc(). */
int isim_dma_alloc_block(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                         uint64_t mask, struct iommusim_dma_buffer *buffer);
int isim_dma_alloc_pooled(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                          struct iommusim_dma_buffer *buffer);

/* Tell flush_page of each page of @size bytes at @pa, if the device is not coherent. */
void isim_dma_flush_pages(struct iommusim_dma *dma, uint64_t pa, uint64_t size);

/* Give the pages back; the chunks stay listed, so that a caller can see what could not be mapped.
 */
void isim_dma_return_pages(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer);

#endif
