/* SPDX-License-Identifier: MIT */
/* The counts of /proc/buddyinfo and /proc/pagetypeinfo, as read (snapshot.c) and laid out
 * (layout.c). */
#ifndef ISIM_PHYS_SNAPSHOT_H
#define ISIM_PHYS_SNAPSHOT_H

#include "phys/zone.h"

struct isim_snapshot_zone {
	unsigned node, zone;
	unsigned has_types;                                              /* pagetypeinfo named it */
	uint64_t nr[IOMMUSIM_MAX_ORDERS];                                /* free blocks */
	uint64_t by_type[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES]; /* the same, divided */
	unsigned capped[IOMMUSIM_MAX_ORDERS]; /* bit n: printed as "more than" for type n */
	uint64_t nr_pageblocks[IOMMUSIM_NR_MIGRATETYPES];
};

struct iommusim_snapshot {
	struct iommusim_host host;
	unsigned nr_zones, nr_orders;
	unsigned pageblock_order; /* 0: not known */
	struct iommusim_snapshot_notes notes;
	struct isim_snapshot_zone zone[ISIM_MAX_ZONES];
};

#endif
