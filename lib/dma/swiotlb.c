/* SPDX-License-Identifier: MIT */
/*
 * Bounce buffers of 2 KiB slots: a mapping takes slots in a row within a segment of 128, whole
 * granules with the same offset in the first one. Models kernel/dma/swiotlb.c, Linux 6.1 and 6.12,
 * as dma-iommu uses it; simplifies: one area for all CPUs, searched slot by slot from where the
 * last search ended; contents are not simulated, copies are counted.
 */
#include "dma/swiotlb.h"

#include <string.h>

#include "dma/device.h"

int isim_swiotlb_init(struct iommusim_dma *dma)
{
	const struct iommusim_dma_config *c = &dma->config;

	if (!c->swiotlb_slots)
		return 0;
	dma->swiotlb.slot =
		isim_zalloc(&dma->diag.host, c->swiotlb_slots, sizeof(*dma->swiotlb.slot));
	return dma->swiotlb.slot ? 0 : isim_no_memory(&dma->diag, "bounce buffers");
}

void isim_swiotlb_finish(struct iommusim_dma *dma)
{
	isim_free(&dma->diag.host, dma->swiotlb.slot);
	dma->swiotlb.slot = NULL;
}

int isim_swiotlb_fork(struct iommusim_dma *dma, const struct iommusim_dma *from)
{
	int err = isim_swiotlb_init(dma);

	if (!err && from->swiotlb.slot)
		memcpy(dma->swiotlb.slot, from->swiotlb.slot,
		       (size_t)dma->config.swiotlb_slots * sizeof(*from->swiotlb.slot));
	return err;
}

static uint64_t slot_pa(const struct iommusim_dma *dma, uint64_t slot)
{
	return dma->config.swiotlb_pa + (slot << ISIM_SLOT_LG2);
}

/* Are @nr slots from @first on free, in one segment, and does a granule start there? */
static int fits(const struct iommusim_dma *dma, uint64_t first, uint64_t nr)
{
	if (slot_pa(dma, first) & (isim_dma_granule(dma) - 1))
		return 0;
	if (first % ISIM_SEGMENT + nr > ISIM_SEGMENT)
		return 0;
	for (uint64_t i = 0; i < nr; i++)
		if (dma->swiotlb.slot[first + i].is_used)
			return 0;
	return 1;
}

/* The first that fits from where the last search ended, around; the number of slots if none. */
static uint64_t find(const struct iommusim_dma *dma, uint64_t nr)
{
	uint64_t all = dma->config.swiotlb_slots;

	for (uint64_t i = 0; i < all; i++) {
		uint64_t first = (dma->swiotlb.next + i) % all;

		if (fits(dma, first, nr))
			return first;
	}
	return all;
}

static void take(struct iommusim_dma *dma, uint64_t first, uint64_t nr, uint64_t pa)
{
	struct isim_slot *slot = &dma->swiotlb.slot[first];

	for (uint64_t i = 0; i < nr; i++)
		slot[i].is_used = 1;
	slot->nr = (uint32_t)nr;
	slot->pa = pa;
	dma->swiotlb.next = (first + nr) % dma->config.swiotlb_slots;
	dma->stats.nr_bounced++;
	dma->stats.nr_slots += nr;
	if (dma->stats.nr_slots > dma->stats.nr_slots_most)
		dma->stats.nr_slots_most = dma->stats.nr_slots;
}

static void tell(const struct iommusim_dma *dma, struct iommusim_event event, int result)
{
	event.kind = IOMMUSIM_EVENT_BOUNCE;
	event.result = result;
	isim_event(&dma->diag, &event);
}

int isim_swiotlb_get(struct iommusim_dma *dma, uint64_t *pa, uint64_t size)
{
	uint64_t granule = isim_dma_granule(dma), off = *pa & (granule - 1);
	uint64_t slots_bytes = (uint64_t)ISIM_SEGMENT << ISIM_SLOT_LG2;
	struct iommusim_event event = { .pa = *pa, .size = size };
	uint64_t nr, first;

	if (!dma->swiotlb.slot)
		return isim_fail(&dma->diag, IOMMUSIM_ENOMEM,
		                 "0x%llx bytes at 0x%llx need a bounce buffer; there are none",
		                 (unsigned long long)size, (unsigned long long)*pa);
	if (size > slots_bytes || isim_align_up(off + size, granule) > slots_bytes) {
		tell(dma, event, -IOMMUSIM_ENOMEM);
		return -IOMMUSIM_ENOMEM;
	}
	nr = (isim_align_up(off + size, granule) + isim_bit(ISIM_SLOT_LG2) - 1) >> ISIM_SLOT_LG2;
	first = find(dma, nr);
	if (first == dma->config.swiotlb_slots) {
		tell(dma, event, -IOMMUSIM_ENOMEM);
		return -IOMMUSIM_ENOMEM;
	}
	take(dma, first, nr, *pa);
	event.iova = *pa = slot_pa(dma, first) + off;
	tell(dma, event, 0);
	return 0;
}

int isim_swiotlb_has(const struct iommusim_dma *dma, uint64_t pa)
{
	return dma->swiotlb.slot && pa >= dma->config.swiotlb_pa &&
	       (pa - dma->config.swiotlb_pa) >> ISIM_SLOT_LG2 < dma->config.swiotlb_slots;
}

void isim_swiotlb_put(struct iommusim_dma *dma, uint64_t pa)
{
	uint64_t start = isim_align_down(pa, isim_dma_granule(dma));
	struct isim_slot *slot =
		&dma->swiotlb.slot[(start - dma->config.swiotlb_pa) >> ISIM_SLOT_LG2];
	uint32_t nr = slot->nr;

	dma->stats.nr_slots -= nr;
	for (uint32_t i = 0; i < nr; i++)
		slot[i] = (struct isim_slot){ 0, 0, 0 };
}
