/* SPDX-License-Identifier: MIT */
/** @file exact.h  The whole state of the allocator, put together piece by piece and read back. */
#ifndef IOMMUSIM_PHYS_EXACT_H
#define IOMMUSIM_PHYS_EXACT_H

#include "iommusim/phys.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A state is built on a machine created with nothing_free: pageblock types
 * (iommusim_phys_set_pageblock_type()), then free blocks list by list from head to tail, blocks of
 * the per-CPU lists likewise, what the frames in use are (all start RESERVED, which cannot be
 * freed), then the numbers.
 */

/**
 * Append the block at @pfn, whose frames are all in use, to the tail of a free list. It does not
 * merge. 0; -IOMMUSIM_EINVAL: not aligned, not in the zone, not in use; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_put_free(struct iommusim_phys *phys, struct iommusim_list_id list,
                                        iommusim_pfn pfn);

/**
 * Say of 2^@order frames that are in use that they are one block in use of @kind, which can be
 * freed with this order unless it is RESERVED. Larger blocks are cut, smaller ones joined.
 * 0; -IOMMUSIM_EINVAL; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_put_used(struct iommusim_phys *phys, iommusim_pfn pfn,
                                        unsigned order, enum iommusim_page_kind kind);

/**
 * A list of one CPU and zone: 3 * order + type for orders 0 to 3 and the types Unmovable, Movable,
 * Reclaimable; 12, 13: blocks of the huge page's order (9, 11, 13 by page size), not movable and
 * movable.
 */
#define IOMMUSIM_PCP_LISTS 14
struct iommusim_pcp_id {
	unsigned zone; /* index as in iommusim_phys_zone() */
	unsigned cpu;
	unsigned list;
};

/**
 * Append a block whose frames are all in use to the tail of a per-CPU list. @type is what a drain
 * goes by before 6.12: the list's for lists 0 to 11. 0; -IOMMUSIM_EINVAL: also a machine without
 * per-CPU lists; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_put_pcp(struct iommusim_phys *phys, struct iommusim_pcp_id id,
                                       unsigned type, iommusim_pfn pfn);

/** The first frames of the blocks of a per-CPU list, from its head: at most @max into @pfns.
    Returns the number stored, or -IOMMUSIM_EINVAL. */
IOMMUSIM_API int iommusim_phys_pcp_list(const struct iommusim_phys *phys, struct iommusim_pcp_id id,
                                        iommusim_pfn *pfns, unsigned max);

/** struct per_cpu_pages of one CPU and zone, include/linux/mmzone.h, Linux 6.1 and 6.12. */
struct iommusim_pcp_state {
	int32_t pending; /* frames that the zone's counter does not know of yet: free ones > 0 */
	int32_t count;   /* frames on the lists; read only */
	int32_t batch;   /* >= 1 */
	int32_t high;
	int32_t high_min, high_max; /* 6.12 */
	int32_t free_count;         /* 6.12 */
	uint8_t factor;             /* 0 .. 5; 6.1: free_factor, 6.12: alloc_factor */
	uint8_t flags; /* 6.12; 1: the last free was high-order, 2: these go in batches */
};

/** Read, or overwrite (all but count), the variables of one CPU and zone; @id.list is not used.
    0 or -IOMMUSIM_EINVAL: no such zone or CPU, no features, numbers out of range. */
IOMMUSIM_API int iommusim_phys_pcp(const struct iommusim_phys *phys, struct iommusim_pcp_id id,
                                   struct iommusim_pcp_state *state);
IOMMUSIM_API int iommusim_phys_set_pcp(struct iommusim_phys *phys, struct iommusim_pcp_id id,
                                       const struct iommusim_pcp_state *state);

#define IOMMUSIM_ZONE_FLAG_BOOSTED    1u /* kswapd is to be woken for the boost */
#define IOMMUSIM_ZONE_FLAG_RECLAIM    2u /* reclaim is active */
#define IOMMUSIM_ZONE_FLAG_BELOW_HIGH 4u /* 6.12: a request found it below its high mark */

/** What changes in a zone beside its lists. */
struct iommusim_zone_counters {
	uint64_t nr_free_pages; /* the counter that marks are tested against; read only: the free
	                           frames less what is pending on the CPUs */
	uint64_t nr_free_cma;   /* read only */
	uint64_t nr_reserved_highatomic; /* frames */
	int32_t stat_threshold;          /* the most that may be pending on a CPU; 0 .. 2^15-1 */
	unsigned flags;                  /* IOMMUSIM_ZONE_FLAG_* */
};

/** Read, or overwrite (all that is not read only). 0 or -IOMMUSIM_EINVAL: no such zone, no
    features, numbers out of range. */
IOMMUSIM_API int iommusim_phys_counters(const struct iommusim_phys *phys, unsigned zone,
                                        struct iommusim_zone_counters *counters);
IOMMUSIM_API int iommusim_phys_set_counters(struct iommusim_phys *phys, unsigned zone,
                                            const struct iommusim_zone_counters *counters);

/** Frames in use in @pfn's pageblock that Linux could move. -IOMMUSIM_EINVAL: @pfn is in no zone.
 */
IOMMUSIM_API int iommusim_phys_nr_movable(const struct iommusim_phys *phys, iommusim_pfn pfn);

#ifdef __cplusplus
}
#endif

#endif
