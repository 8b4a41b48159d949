/* SPDX-License-Identifier: MIT */
/* Bounce buffers: slots of memory that a device may see in place of what lies beside a piece. */
#ifndef ISIM_DMA_SWIOTLB_H
#define ISIM_DMA_SWIOTLB_H

#include "iommusim/base.h"

#define ISIM_SLOT_LG2 11
#define ISIM_SEGMENT  128 /* slots that one mapping may take, and must lie in */

struct isim_slot {
	uint64_t pa; /* of the memory that is bounced */
	uint32_t nr; /* slots taken from here on; 0 where none starts */
	uint32_t is_used;
};

struct isim_swiotlb {
	struct isim_slot *slot; /* NULL: there are none */
	uint64_t next;          /* where the next search starts */
};

struct iommusim_dma;

/* By the device's config. 0 or -EHOST. */
int isim_swiotlb_init(struct iommusim_dma *dma);
void isim_swiotlb_finish(struct iommusim_dma *dma);

/* A byte copy of @from but for the pointers, which are NULL, gets slots of its own. 0, or -EHOST.
 */
int isim_swiotlb_fork(struct iommusim_dma *dma, const struct iommusim_dma *from);

/* The address that stands for *@pa in its place. 0 or -ENOMEM (logged where there are no slots). */
int isim_swiotlb_get(struct iommusim_dma *dma, uint64_t *pa, uint64_t size);

/* Is @pa the address of a bounce buffer? */
int isim_swiotlb_has(const struct iommusim_dma *dma, uint64_t pa);

/* Free what stands at @pa. */
void isim_swiotlb_put(struct iommusim_dma *dma, uint64_t pa);

#endif
