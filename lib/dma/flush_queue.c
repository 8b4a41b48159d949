/* SPDX-License-Identifier: MIT */
/*
 * Lazy invalidation: an unmapped range waits in a ring until the whole IOTLB has been invalidated
 * after it came. A ring that is full, or a timer, makes that happen. Models queue_iova(),
 * drivers/iommu/dma-iommu.c, Linux 6.1 and 6.12. Time is the simulated clock.
 */
#include "dma/flush_queue.h"

#include <string.h>

#include "dma/device.h"

#define NS_PER_MS UINT64_C(1000000)

/* What a release makes of the queue. */
static const struct shape {
	unsigned slots;
	uint64_t timeout_ns;
} per_cpu = { 256, 10 * NS_PER_MS }, single = { 32768, 1000 * NS_PER_MS };

int isim_flush_queue_init(struct iommusim_dma *dma)
{
	struct isim_flush_queue *q = &dma->queue;
	enum iommusim_invalidation kind = dma->config.invalidation;
	const struct shape *shape = kind == IOMMUSIM_INVALIDATE_LAZY ? &per_cpu : &single;

	if (kind == IOMMUSIM_INVALIDATE_STRICT)
		return 0;
	q->nr_rings = kind == IOMMUSIM_INVALIDATE_LAZY ? dma->config.nr_cpus : 1;
	q->slots = shape->slots;
	q->timeout_ns = shape->timeout_ns;
	q->ring = isim_zalloc(&dma->diag.host, q->nr_rings, sizeof(*q->ring));
	q->entry =
		isim_zalloc(&dma->diag.host, (uint64_t)q->nr_rings * q->slots, sizeof(*q->entry));
	return q->ring && q->entry ? 0 : isim_no_memory(&dma->diag, "a flush queue");
}

/* ---- Invalidation ---- */

/* What came since the last flush is out of reach from now on. */
static void close_windows(struct iommusim_dma *dma)
{
	struct isim_flush_queue *q = &dma->queue;
	struct iommusim_dma_stats *stats = &dma->stats;

	if (q->nr_stale && dma->clock.now_ns - q->first_ns > stats->exposed_ns_longest)
		stats->exposed_ns_longest = dma->clock.now_ns - q->first_ns;
	stats->exposed_ns_sum += q->nr_stale * dma->clock.now_ns - q->sum_ns;
	stats->exposed_bytes = 0;
	q->nr_stale = q->sum_ns = 0;
}

static void flush(struct iommusim_dma *dma)
{
	dma->queue.started++;
	iommusim_domain_flush_all(dma->config.domain);
	dma->queue.finished++;
	dma->stats.nr_flush_all++;
	close_windows(dma);
}

/* Free the ranges at the head of a ring whose flush is over. */
static void release(struct iommusim_dma *dma, unsigned ring)
{
	struct isim_flush_queue *q = &dma->queue;
	struct isim_ring *r = &q->ring[ring];

	while (r->head != r->tail) {
		struct isim_queued *e = &q->entry[(size_t)ring * q->slots + r->head];

		if (e->counter >= q->finished)
			break;
		isim_dma_put_iova(dma, e->iova, e->size);
		dma->stats.nr_queued--;
		r->head = (r->head + 1) % q->slots;
	}
}

static void release_all(struct iommusim_dma *dma)
{
	for (unsigned i = 0; i < dma->queue.nr_rings; i++)
		release(dma, i);
}

void isim_flush_queue_run(struct iommusim_dma *dma)
{
	dma->queue.is_armed = 0;
	dma->stats.nr_flush_timer++;
	flush(dma);
	release_all(dma);
}

/* ---- Waiting ---- */

static void open_window(struct iommusim_dma *dma, uint64_t size)
{
	struct isim_flush_queue *q = &dma->queue;
	struct iommusim_dma_stats *stats = &dma->stats;

	if (!q->nr_stale++)
		q->first_ns = dma->clock.now_ns;
	q->sum_ns += dma->clock.now_ns;
	stats->nr_exposed++;
	stats->exposed_bytes += size;
	if (stats->exposed_bytes > stats->exposed_bytes_most)
		stats->exposed_bytes_most = stats->exposed_bytes;
}

void isim_flush_queue_add(struct iommusim_dma *dma, uint64_t iova, uint64_t size)
{
	struct isim_flush_queue *q = &dma->queue;
	unsigned ring = q->nr_rings > 1 ? dma->cpu : 0;
	struct isim_ring *r = &q->ring[ring];

	release(dma, ring);
	if ((r->tail + 1) % q->slots == r->head) {
		dma->stats.nr_flush_full++;
		flush(dma);
		release(dma, ring);
	}
	q->entry[(size_t)ring * q->slots + r->tail] =
		(struct isim_queued){ .iova = iova, .size = size, .counter = q->started };
	r->tail = (r->tail + 1) % q->slots;
	dma->stats.nr_queued++;
	open_window(dma, size);
	if (!q->is_armed) {
		q->is_armed = 1;
		q->due_ns = dma->clock.now_ns + q->timeout_ns;
	}
}

/* ---- The whole of it ---- */

void isim_flush_queue_drop(struct iommusim_dma *dma)
{
	isim_free(&dma->diag.host, dma->queue.ring);
	isim_free(&dma->diag.host, dma->queue.entry);
	dma->queue.ring = NULL;
	dma->queue.entry = NULL;
}

void isim_flush_queue_finish(struct iommusim_dma *dma)
{
	if (dma->queue.ring && dma->queue.entry && dma->stats.nr_queued) {
		flush(dma);
		release_all(dma);
	}
	isim_flush_queue_drop(dma);
}

int isim_flush_queue_fork(struct iommusim_dma *dma, const struct iommusim_dma *from)
{
	const struct isim_flush_queue *old = &from->queue;
	int err = old->entry ? isim_flush_queue_init(dma) : 0;

	if (err || !old->entry)
		return err;
	memcpy(dma->queue.ring, old->ring, old->nr_rings * sizeof(*old->ring));
	memcpy(dma->queue.entry, old->entry,
	       (size_t)old->nr_rings * old->slots * sizeof(*old->entry));
	return 0;
}
