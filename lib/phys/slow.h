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

/* In the order in which the best of several zones is told. */
enum isim_compact_result {
	ISIM_COMPACT_SKIPPED, /* not enough free frames to try, or fragmentation is not the cause */
	ISIM_COMPACT_DEFERRED, /* it failed lately */
	ISIM_COMPACT_COMPLETE, /* all was scanned, no block came out */
	ISIM_COMPACT_SUCCESS   /* a block of the order is there now */
};

/* Compact the attempt's zones in zonelist order. */
enum isim_compact_result isim_compact(struct iommusim_phys *phys,
                                      const struct isim_attempt *attempt,
                                      enum isim_compact_priority priority);

/* One round of direct reclaim over the attempt's zones: the frames that it freed. */
uint64_t isim_reclaim(struct iommusim_phys *phys, const struct isim_attempt *attempt);

#endif
