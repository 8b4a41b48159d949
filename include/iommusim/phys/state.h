/* SPDX-License-Identifier: MIT */
/** @file state.h  How memory comes to look as it does: made on purpose, or rebuilt from /proc. */
#ifndef IOMMUSIM_PHYS_STATE_H
#define IOMMUSIM_PHYS_STATE_H

#include "iommusim/phys.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Hold the first frame of every @stride-th block of 2^@order frames, counted from pfn 0, and free
 * all others, on a machine created with nothing_free that has no state yet. Held frames are
 * unmovable.
 * Returns 0; -IOMMUSIM_EINVAL: another machine, no such order, stride 0; -IOMMUSIM_EHOST (then the
 * machine is partly built and good only to be destroyed).
 */
IOMMUSIM_API int iommusim_phys_pin(struct iommusim_phys *phys, unsigned order, uint64_t stride);

/** A random state: @free_permille of the frames free, of these @unusable_permille in blocks smaller
    than @order. */
struct iommusim_random_state {
	unsigned free_permille;     /* 0 .. 1000 */
	unsigned unusable_permille; /* 0 .. 1000 */
	unsigned order;             /* what the unusable share is of no use to */
	uint64_t seed;
};

/**
 * Free frames at random, on a machine created with nothing_free that has no state yet: as many
 * whole blocks of 2^order frames as the usable share has room for, the rest scattered over the
 * other blocks, never all of one. What stays in use is movable. Shares are met to the frame, where
 * the block size allows it. Returns 0; -IOMMUSIM_EINVAL: the two shares cannot be met together, or
 * as iommusim_phys_pin().
 */
IOMMUSIM_API int iommusim_phys_randomize(struct iommusim_phys *phys,
                                         const struct iommusim_random_state *state);

/** Text of one /proc file. */
struct iommusim_text {
	const char *name; /* for messages: the file's name */
	const char *text; /* need not end in 0 */
	size_t bytes;
};

struct iommusim_snapshot; /* opaque: the counts of /proc/buddyinfo, and of pagetypeinfo where given
                           */

/**
 * Read /proc/buddyinfo and, unless @pagetypeinfo is NULL, /proc/pagetypeinfo of the same machine.
 * The files may disagree a little, since a kernel goes on between two reads: then buddyinfo's
 * counts hold, and pagetypeinfo says how they divide over the types.
 *
 * Returns 0; -IOMMUSIM_EINVAL with one log line "NAME:LINE: zone …: field: 'value' …": empty, not
 * text, a line of another form, a count that is missing or not a number, more than 2^32 - 2^20
 * frames, free blocks below the largest order that spread over more than 2^27 frames, a zone twice,
 * more than 64 zones, zones that only one file has; -IOMMUSIM_EHOST. Differs: kernels configured
 * for fewer than 11 orders are refused, since a missing count would look the same.
 */
IOMMUSIM_API int iommusim_snapshot_parse(const struct iommusim_host *host,
                                         const struct iommusim_text *buddyinfo,
                                         const struct iommusim_text *pagetypeinfo,
                                         struct iommusim_snapshot **snapshot);
IOMMUSIM_API void iommusim_snapshot_destroy(struct iommusim_snapshot *snapshot);

/** What had to be assumed where the files do not say. */
struct iommusim_snapshot_notes {
	unsigned has_types;   /* 1: from pagetypeinfo; 0: all pageblocks are taken as Movable */
	unsigned nr_adjusted; /* counts by type changed to agree with buddyinfo */
	uint64_t nr_added;    /* pageblocks beyond those of their type that pagetypeinfo counts */
};

/**
 * Create a machine whose free lists have exactly the counts of @snapshot. Each zone is the smallest
 * span of whole blocks of the highest order that holds them (with pagetypeinfo: at least as many
 * pageblocks as it counts), starting at its usual place or after the zone before it: DMA at 0,
 * DMA32 at 16 MiB, all others at 4 GiB. Blocks of the highest order come first, then pageblocks
 * that hold as many smaller blocks of their type as fit, then those in use. Frames in use fill the
 * gaps, so that nothing merges; they are as movable as their pageblock. Lists are in ascending
 * order.
 *
 * @config gives kernel, page_shift, fallback, configured_zones and host; zones, orders and
 * pageblock_order are the snapshot's. @notes may be NULL. Returns 0 or as iommusim_phys_create().
 */
IOMMUSIM_API int iommusim_phys_create_snapshot(const struct iommusim_phys_config *config,
                                               const struct iommusim_snapshot *snapshot,
                                               struct iommusim_snapshot_notes *notes,
                                               struct iommusim_phys **phys);

#ifdef __cplusplus
}
#endif

#endif
