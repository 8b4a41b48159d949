/* SPDX-License-Identifier: MIT */
/* IOVA ranges that are unmapped, but not yet invalidated in the IOTLB. */
#ifndef ISIM_DMA_FLUSH_QUEUE_H
#define ISIM_DMA_FLUSH_QUEUE_H

#include "iommusim/base.h"

struct isim_queued {
	uint64_t iova, size;
	uint64_t counter; /* of flushes started when it was queued */
};

/* Entries head .. tail-1, around. One always stays empty. */
struct isim_ring {
	unsigned head, tail;
};

struct isim_flush_queue {
	struct isim_queued *entry; /* ring after ring; NULL: strict */
	struct isim_ring *ring;
	unsigned nr_rings, slots; /* of each */
	uint64_t timeout_ns, due_ns;
	int is_armed;
	uint64_t started, finished; /* flushes */
	/* Ranges that wait for the next flush: their number, and the sum of when they came. */
	uint64_t nr_stale, first_ns, sum_ns;
};

struct iommusim_dma;

/* By the device's config. 0 or -EHOST. */
int isim_flush_queue_init(struct iommusim_dma *dma);

/* Flush and release what is left, then free the rings. */
void isim_flush_queue_finish(struct iommusim_dma *dma);

/* Free the rings only. */
void isim_flush_queue_drop(struct iommusim_dma *dma);

/* A byte copy of @from but for the pointers, which are NULL, gets rings of its own. 0, or -EHOST.
 */
int isim_flush_queue_fork(struct iommusim_dma *dma, const struct iommusim_dma *from);

static inline int isim_flush_queue_is_on(const struct isim_flush_queue *queue)
{
	return queue->entry != NULL;
}

/* Free the range later. */
void isim_flush_queue_add(struct iommusim_dma *dma, uint64_t iova, uint64_t size);

/* The timer, which is due now. */
void isim_flush_queue_run(struct iommusim_dma *dma);

#endif
