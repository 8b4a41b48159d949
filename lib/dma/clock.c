/* SPDX-License-Identifier: MIT */
/*
 * The simulated clock moves only when the caller moves it, so that all calls between two moves
 * happen at one time. What becomes due on the way happens when it is due, the earliest first; at
 * one time the flush queue before the depots.
 */
#include "dma/clock.h"

#include "dma/device.h"

#define DEPOT_DELAY_NS UINT64_C(100000000)

/* Depots that have become due since the clock stopped: 100 ms from then. */
static void note_depots(struct iommusim_dma *dma)
{
	struct isim_clock *clock = &dma->clock;
	unsigned due = iommusim_iova_pending(dma->config.iova);

	for (unsigned order = 0; order < ISIM_NR_DEPOTS; order++)
		if (due >> order & 1 && !(clock->depots >> order & 1))
			clock->depot_due_ns[order] = clock->now_ns + DEPOT_DELAY_NS;
	clock->depots = due;
}

/* The depot that is due first; ISIM_NR_DEPOTS: none. */
static unsigned first_depot(const struct isim_clock *clock)
{
	unsigned first = ISIM_NR_DEPOTS;

	for (unsigned order = 0; order < ISIM_NR_DEPOTS; order++)
		if (clock->depots >> order & 1 &&
		    (first == ISIM_NR_DEPOTS ||
		     clock->depot_due_ns[order] < clock->depot_due_ns[first]))
			first = order;
	return first;
}

static void trim(struct iommusim_dma *dma, unsigned order)
{
	dma->clock.now_ns = dma->clock.depot_due_ns[order];
	dma->clock.depots &= ~(1u << order);
	iommusim_iova_trim(dma->config.iova, 1u << order);
}

/* Whatever is due first, if it is due at @now_ns or before. */
static int run_first(struct iommusim_dma *dma, uint64_t now_ns)
{
	const struct isim_flush_queue *queue = &dma->queue;
	unsigned depot;
	uint64_t due;

	note_depots(dma);
	depot = first_depot(&dma->clock);
	due = depot < ISIM_NR_DEPOTS ? dma->clock.depot_due_ns[depot] : UINT64_MAX;
	if (queue->is_armed && queue->due_ns <= due && queue->due_ns <= now_ns) {
		dma->clock.now_ns = queue->due_ns;
		isim_flush_queue_run(dma);
		return 1;
	}
	if (depot == ISIM_NR_DEPOTS || due > now_ns)
		return 0;
	trim(dma, depot);
	return 1;
}

void iommusim_dma_set_clock(struct iommusim_dma *dma, uint64_t now_ns)
{
	if (now_ns < dma->clock.now_ns)
		return;
	while (run_first(dma, now_ns))
		;
	dma->clock.now_ns = now_ns;
}
