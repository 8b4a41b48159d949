/* SPDX-License-Identifier: MIT */
/* What the slow path of an attempt asks of compaction and reclaim. */
#ifndef ISIM_PHYS_SLOW_H
#define ISIM_PHYS_SLOW_H

#include "phys/zone.h"

/* An attempt, once its gfp is understood. */
struct isim_attempt {
	unsigned order, type;   /* type: the migratetype asked for */
	unsigned node, highest; /* preferred node, highest zone */
	int this_node;
	uint32_t gfp;
};

/* From the mildest to the hardest, enum compact_priority the other way round. */
enum isim_compact_priority { ISIM_COMPACT_ASYNC, ISIM_COMPACT_SYNC_LIGHT, ISIM_COMPACT_SYNC_FULL };

/* Compact the attempt's zones in zonelist order. */
enum iommusim_compact_result isim_compact(struct iommusim_phys *phys,
                                          const struct isim_attempt *attempt,
                                          enum isim_compact_priority priority);

/* An attempt got its block of @order from @zone after compaction: nothing is put off any more. */
void isim_compact_worked(struct isim_zone *zone, unsigned order);

/* One round of direct reclaim over the attempt's zones: the frames that it freed. */
uint64_t isim_reclaim(struct iommusim_phys *phys, const struct isim_attempt *attempt);

/* Frames of the zone that reclaim could take. Models zone_reclaimable_pages(), mm/vmscan.c. */
uint64_t isim_reclaimable(const struct iommusim_phys *phys, const struct isim_zone *zone);

#endif
