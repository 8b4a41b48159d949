/* SPDX-License-Identifier: MIT */
/** @file cma.h  Areas for the contiguous allocator: lent to what can move until somebody asks. */
#ifndef IOMMUSIM_PHYS_CMA_H
#define IOMMUSIM_PHYS_CMA_H

#include "iommusim/phys.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The most that Linux's DMA layer aligns a request to (CONFIG_CMA_ALIGNMENT), as an order. */
#define IOMMUSIM_CMA_ALIGNMENT 8

/** Areas of a machine; more are refused, as by CONFIG_CMA_AREAS. */
#define IOMMUSIM_CMA_AREAS 20

/**
 * Make @nr_frames from @start_pfn on an area: its pageblocks become CMA, its frames are freed
 * pageblock by pageblock, upwards, to the lists of that type, which only movable requests of a
 * machine with IOMMUSIM_PHYS_CMA use. Models cma_init_reserved_areas(), mm/cma.c, Linux 6.1 and
 * 6.12; differs: the frames must be free now, where Linux sets them aside at boot, or the machine
 * created with nothing_free and without a state yet.
 *
 * Returns the area's number, from 0: the default one, which page sources take from
 * (iommusim_phys_source()); -IOMMUSIM_EINVAL: not whole pageblocks of one zone, not all free, too
 * many areas; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_cma_create(struct iommusim_phys *phys, iommusim_pfn start_pfn,
                                          uint64_t nr_frames);

/**
 * Take @count contiguous frames of @area, aligned to 2^@align_order, as single pages in use: the
 * lowest that no other call of this function holds; where one of these is in use, the search goes
 * on behind it. Per-CPU lists are drained for each that is tried. Models cma_alloc() and
 * alloc_contig_range(), Linux 6.1 and 6.12; simplifies: pages in use are not moved away.
 *
 * Returns 0; -IOMMUSIM_ENOMEM: there is no such range (a result); -IOMMUSIM_EINVAL: no such area,
 * count 0; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_cma_alloc(struct iommusim_phys *phys, unsigned area, uint64_t count,
                                         unsigned align_order, iommusim_pfn *pfn);

/**
 * Give @count frames from @pfn on back to @area, page by page upwards. Returns 0;
 * -IOMMUSIM_EINVAL: not held by it, or a page of them was freed otherwise; -IOMMUSIM_EHOST: then
 * nothing changed.
 */
IOMMUSIM_API int iommusim_phys_cma_free(struct iommusim_phys *phys, unsigned area, iommusim_pfn pfn,
                                        uint64_t count);

#ifdef __cplusplus
}
#endif

#endif
