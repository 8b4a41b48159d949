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
 * unmovable. CMA areas stay as they are.
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
 * the block size allows it. CMA areas stay as they are and do not count. Returns 0;
 * -IOMMUSIM_EINVAL: the two shares cannot be met together, or as iommusim_phys_pin().
 */
IOMMUSIM_API int iommusim_phys_randomize(struct iommusim_phys *phys,
                                         const struct iommusim_random_state *state);

/** Text of one /proc file. */
struct iommusim_text {
	const char *name; /* for messages: the file's name */
	const char *text; /* need not end in 0 */
	size_t bytes;
};

struct iommusim_snapshot; /* opaque: what the texts of one machine say */

/**
 * The texts of one machine: its /proc/buddyinfo, and, where not NULL, its pagetypeinfo and its
 * zoneinfo; or, alone, the report that its kernel printed when an allocation failed.
 */
struct iommusim_snapshot_texts {
	size_t size; /* sizeof(struct iommusim_snapshot_texts), in bytes */
	const struct iommusim_text *buddyinfo, *pagetypeinfo, *zoneinfo;
	const struct iommusim_text *splat;
};

/**
 * Read the texts of Linux 6.1 and 6.12, and of kernels that print alike.
 *
 * The files of /proc may disagree a little, since a kernel goes on between two reads: then
 * buddyinfo's counts hold, and pagetypeinfo says how they divide over the types. zoneinfo gives
 * spans, marks and per-CPU lists; lines that it has beyond those are skipped if they are a name and
 * a number.
 *
 * The report is found in a kernel log: from the first line with "page allocation failure:" on, its
 * lines are taken wherever they stand, behind whatever prefix (time stamp, "[T123]", "<4>", a
 * syslog header), with other lines between. Counts by order say which types have blocks there, but
 * not how many each: the types share them equally, the first one takes the rest.
 *
 * Returns 0; -IOMMUSIM_EINVAL with one log line "NAME:LINE: zone …: field: 'value' …": empty, not
 * text, a line of another form, something that is missing (a report cut in half), not a number, or
 * there twice, more than 2^32 - 2^20 frames, free blocks below the largest order that spread over
 * more than 2^27 frames, more free frames than the zone has, zones that overlap, more than 64
 * zones, zones that only one file has; -IOMMUSIM_EHOST. Differs: kernels configured for fewer than
 * 11 orders are refused, since a missing count would look the same.
 */
IOMMUSIM_API int iommusim_snapshot_read(const struct iommusim_host *host,
                                        const struct iommusim_snapshot_texts *texts,
                                        struct iommusim_snapshot **snapshot);

/** The same of two files; @pagetypeinfo may be NULL. */
IOMMUSIM_API int iommusim_snapshot_parse(const struct iommusim_host *host,
                                         const struct iommusim_text *buddyinfo,
                                         const struct iommusim_text *pagetypeinfo,
                                         struct iommusim_snapshot **snapshot);
IOMMUSIM_API void iommusim_snapshot_destroy(struct iommusim_snapshot *snapshot);

/** What zoneinfo or a report says of a zone beyond its free blocks; all in frames. */
struct iommusim_snapshot_zone {
	unsigned node;
	enum iommusim_zone zone;
	unsigned has_span; /* 1: the next two are known (zoneinfo) */
	iommusim_pfn start_pfn;
	uint64_t spanned;                     /* from there on, holes included */
	unsigned has_numbers;                 /* 1: all below are known */
	struct iommusim_zone_numbers numbers; /* marks without the boost, which the kernel adds */
	uint64_t nr_free;                     /* as counted by the kernel, at another moment */
	uint64_t nr_cma;                      /* zoneinfo: of the zone; a report: free ones */
	uint64_t nr_highatomic;               /* reserved; 0 where zoneinfo does not tell */
	uint64_t nr_pcp;                      /* on the lists of all CPUs */
	unsigned nr_cpus;                     /* whose lists are told one by one (zoneinfo) */
};

/** A CPU's list of one zone, as /proc/zoneinfo prints it. */
struct iommusim_snapshot_pcp {
	unsigned cpu;
	uint64_t count, high, batch;
	uint64_t high_min, high_max; /* both @high where the kernel does not print them */
};

IOMMUSIM_API unsigned iommusim_snapshot_nr_zones(const struct iommusim_snapshot *snapshot);

/** Zone number @index, in the order of buddyinfo or the report. -IOMMUSIM_EINVAL: no such zone. */
IOMMUSIM_API int iommusim_snapshot_zone(const struct iommusim_snapshot *snapshot, unsigned index,
                                        struct iommusim_snapshot_zone *zone);

/** List number @index, below nr_cpus, of zone number @zone. -IOMMUSIM_EINVAL: no such list. */
IOMMUSIM_API int iommusim_snapshot_pcp(const struct iommusim_snapshot *snapshot, unsigned zone,
                                       unsigned index, struct iommusim_snapshot_pcp *pcp);

/** What a report says of the request that failed. */
struct iommusim_splat {
	unsigned order;
	/* In the bits of Linux 6.1 and 6.12: by the names that stand there, or, where they are not
	   known, by the number. */
	uint32_t gfp;
	unsigned page_shift; /* by the size of the blocks of order 0 */
	unsigned kernel;     /* IOMMUSIM_KERNEL() of the release; 0: not told */
	char release[64];    /* "6.12.117+deb12-amd64", "" where not told; so in the next two */
	char task[32];       /* "busybox" */
	char mode[160];      /* the gfp as printed, "0xcc0(GFP_KERNEL)" */
};

/** The report that @snapshot was read from, valid as long as that; NULL: it was not. */
IOMMUSIM_API const struct iommusim_splat *
iommusim_snapshot_splat(const struct iommusim_snapshot *snapshot);

/** What had to be assumed where the files do not say. */
struct iommusim_snapshot_notes {
	unsigned has_types;   /* 1: from pagetypeinfo; 0: all pageblocks are taken as Movable */
	unsigned nr_adjusted; /* counts by type changed to agree with buddyinfo */
	uint64_t nr_added;    /* pageblocks beyond those of their type that pagetypeinfo counts */
	unsigned has_span;    /* 1: zones are where zoneinfo has them; 0: as below */
	unsigned has_numbers; /* 1: marks and sizes are those of zoneinfo or of the report */
};

/**
 * Create a machine whose free lists have exactly the counts of @snapshot.
 *
 * With zoneinfo each zone has its real span; its memory comes first, as many pageblocks as
 * pagetypeinfo counts or as its present frames fill (more only where the free blocks need them),
 * then one hole, which no pageblock is counted for. Differs: real holes may lie anywhere, and free
 * buddies of a pageblock or more that do not merge since only one is CMA are laid out apart, so
 * that a zone that is nearly full of such may be refused.
 *
 * Without, each zone is the smallest span of whole blocks of the highest order that holds its free
 * blocks, with pagetypeinfo at least as many pageblocks as it counts, with a report as many as its
 * present frames fill. It starts at its usual place or after the zone before it: DMA at 0, DMA32 at
 * 16 MiB, all others at 4 GiB.
 *
 * Blocks of the highest order come first, then pageblocks that hold as many smaller blocks of their
 * type as fit, then those in use. Frames in use fill the gaps, so that nothing merges; they are as
 * movable as their pageblock. Lists are in ascending order. A zone that zoneinfo or a report tells
 * the numbers of has them (iommusim_phys_numbers(); managed 0 counts as 1).
 *
 * @config gives kernel, page_shift (default: that of the report, else 12), fallback,
 * configured_zones (default: those that zoneinfo names), features and host; zones, orders and
 * pageblock_order are the snapshot's. @notes may be NULL. Returns 0; -IOMMUSIM_EINVAL: as
 * iommusim_phys_create(), another page_shift than the report's, or, with one log line as above,
 * free blocks that do not fit into the real span; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_create_snapshot(const struct iommusim_phys_config *config,
                                               const struct iommusim_snapshot *snapshot,
                                               struct iommusim_snapshot_notes *notes,
                                               struct iommusim_phys **phys);

#ifdef __cplusplus
}
#endif

#endif
