/* SPDX-License-Identifier: MIT */
/* The counts of /proc/buddyinfo and /proc/pagetypeinfo, as read (snapshot.c) and laid out
 * (layout.c). */
#ifndef ISIM_PHYS_SNAPSHOT_H
#define ISIM_PHYS_SNAPSHOT_H

#include "phys/zone.h"

struct isim_snapshot_zone {
	unsigned node, zone;
	unsigned types;                                                  /* rows, one bit each */
	unsigned has_blocks;                                             /* 1: numbers of blocks */
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

/*
 * Make the counts by type add up to buddyinfo's, or word what pagetypeinfo, the file @name, lacks:
 * -EINVAL. @types has a bit for each type that it must have.
 */
int isim_snapshot_divide(struct iommusim_snapshot *snap, const char *name, unsigned types);

/* Without pagetypeinfo: every free block is Movable. */
void isim_snapshot_all_movable(struct iommusim_snapshot *snap);

#endif
