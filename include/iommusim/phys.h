/* SPDX-License-Identifier: MIT */
/** @file phys.h  Simulated physical memory: nodes, zones, pageblocks and a binary buddy allocator.
 */
#ifndef IOMMUSIM_PHYS_H
#define IOMMUSIM_PHYS_H

#include "iommusim/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The most orders a machine can have: 0 .. 13. */
#define IOMMUSIM_MAX_ORDERS 14

/** Mobility of a pageblock and kind of a free list, include/linux/mmzone.h, Linux 6.1 and 6.12. */
enum iommusim_migratetype {
	IOMMUSIM_UNMOVABLE,
	IOMMUSIM_MOVABLE,
	IOMMUSIM_RECLAIMABLE,
	IOMMUSIM_HIGHATOMIC,
	IOMMUSIM_CMA,
	IOMMUSIM_ISOLATE,
	IOMMUSIM_NR_MIGRATETYPES
};

/** Zones from the lowest to the highest, include/linux/mmzone.h. */
enum iommusim_zone {
	IOMMUSIM_ZONE_DMA,
	IOMMUSIM_ZONE_DMA32,
	IOMMUSIM_ZONE_NORMAL,
	IOMMUSIM_ZONE_HIGHMEM,
	IOMMUSIM_ZONE_MOVABLE,
	IOMMUSIM_ZONE_DEVICE,
	IOMMUSIM_NR_ZONES
};

/** The kernel's name of a migratetype ("Unmovable" …) or zone ("DMA", "Normal" …); NULL: none such.
 */
IOMMUSIM_API const char *iommusim_migratetype_name(unsigned type);
IOMMUSIM_API const char *iommusim_zone_name(unsigned zone);

/** gfp flags, the values of Linux 6.1 and 6.12 (include/linux/gfp_types.h). */
#define IOMMUSIM_GFP_BIT_DMA            UINT32_C(0x1)
#define IOMMUSIM_GFP_BIT_HIGHMEM        UINT32_C(0x2)
#define IOMMUSIM_GFP_BIT_DMA32          UINT32_C(0x4)
#define IOMMUSIM_GFP_BIT_MOVABLE        UINT32_C(0x8)
#define IOMMUSIM_GFP_BIT_RECLAIMABLE    UINT32_C(0x10)
#define IOMMUSIM_GFP_BIT_HIGH           UINT32_C(0x20)
#define IOMMUSIM_GFP_BIT_IO             UINT32_C(0x40)
#define IOMMUSIM_GFP_BIT_FS             UINT32_C(0x80)
#define IOMMUSIM_GFP_BIT_ZERO           UINT32_C(0x100)
#define IOMMUSIM_GFP_BIT_ATOMIC         UINT32_C(0x200) /* 6.1 only */
#define IOMMUSIM_GFP_BIT_DIRECT_RECLAIM UINT32_C(0x400)
#define IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM UINT32_C(0x800)
#define IOMMUSIM_GFP_BIT_WRITE          UINT32_C(0x1000)
#define IOMMUSIM_GFP_BIT_NOWARN         UINT32_C(0x2000)
#define IOMMUSIM_GFP_BIT_RETRY_MAYFAIL  UINT32_C(0x4000)
#define IOMMUSIM_GFP_BIT_NOFAIL         UINT32_C(0x8000)
#define IOMMUSIM_GFP_BIT_NORETRY        UINT32_C(0x10000)
#define IOMMUSIM_GFP_BIT_MEMALLOC       UINT32_C(0x20000)
#define IOMMUSIM_GFP_BIT_COMP           UINT32_C(0x40000)
#define IOMMUSIM_GFP_BIT_NOMEMALLOC     UINT32_C(0x80000)
#define IOMMUSIM_GFP_BIT_HARDWALL       UINT32_C(0x100000)
#define IOMMUSIM_GFP_BIT_THISNODE       UINT32_C(0x200000)
#define IOMMUSIM_GFP_BIT_ACCOUNT        UINT32_C(0x400000)
#define IOMMUSIM_GFP_BIT_ZEROTAGS       UINT32_C(0x800000)

#define IOMMUSIM_GFP_RECLAIM     (IOMMUSIM_GFP_BIT_DIRECT_RECLAIM | IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM)
#define IOMMUSIM_GFP_KERNEL      (IOMMUSIM_GFP_RECLAIM | IOMMUSIM_GFP_BIT_IO | IOMMUSIM_GFP_BIT_FS)
#define IOMMUSIM_GFP_USER        (IOMMUSIM_GFP_KERNEL | IOMMUSIM_GFP_BIT_HARDWALL)
#define IOMMUSIM_GFP_HIGHUSER    (IOMMUSIM_GFP_USER | IOMMUSIM_GFP_BIT_HIGHMEM)
#define IOMMUSIM_GFP_NOWAIT_6_1  IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM
#define IOMMUSIM_GFP_NOWAIT_6_12 (IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM | IOMMUSIM_GFP_BIT_NOWARN)
#define IOMMUSIM_GFP_ATOMIC_6_12 (IOMMUSIM_GFP_BIT_HIGH | IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM)
#define IOMMUSIM_GFP_ATOMIC_6_1  (IOMMUSIM_GFP_ATOMIC_6_12 | IOMMUSIM_GFP_BIT_ATOMIC)

/**
 * Print @gfp as trace events do ("GFP_KERNEL|__GFP_ZERO", "none") into @text of @bytes bytes, cut
 * short where it does not fit. Returns the length that it needs, without the final 0. @kernel
 * decides what GFP_ATOMIC and GFP_NOWAIT are. Source: show_gfp_flags(),
 * include/trace/events/mmflags.h.
 */
IOMMUSIM_API size_t iommusim_gfp_format(uint32_t gfp, unsigned kernel, char *text, size_t bytes);

/**
 * Read what iommusim_gfp_format() prints, in any order of names, "0x…" for bits without one.
 * Returns 0, or -IOMMUSIM_EINVAL (an unknown name or no name) with @gfp untouched.
 */
IOMMUSIM_API int iommusim_gfp_parse(const char *text, unsigned kernel, uint32_t *gfp);

/**
 * What a frame in use is used for: whether compaction can move it and reclaim can take it. A
 * pageblock's movable frames are those that Linux would find on the LRU lists or driver-movable.
 */
enum iommusim_page_kind {
	IOMMUSIM_PAGE_BY_GFP,   /* in requests: KERNEL, ANON if MOVABLE, SLAB if RECLAIMABLE */
	IOMMUSIM_PAGE_KERNEL,   /* neither moves nor is taken: kernel memory, DMA buffers */
	IOMMUSIM_PAGE_SLAB,     /* shrinkable caches: does not move; taken by shrinkers */
	IOMMUSIM_PAGE_CACHE,    /* clean page cache: moves; taken at once */
	IOMMUSIM_PAGE_DIRTY,    /* dirty page cache: moves; taken after write-back */
	IOMMUSIM_PAGE_ANON,     /* anonymous memory: moves; taken by swapping out */
	IOMMUSIM_PAGE_HUGE,     /* a transparent huge page: moves as a whole */
	IOMMUSIM_PAGE_MOVABLE,  /* a driver's movable page: moves; never taken */
	IOMMUSIM_PAGE_PINNED,   /* user memory held by a driver: counts as movable, does not move */
	IOMMUSIM_PAGE_RESERVED, /* never the allocator's: holes, firmware, the kernel's image */
	IOMMUSIM_NR_PAGE_KINDS
};

/** One request for 2^order contiguous frames. Zero in the last two means "the default". */
struct iommusim_page_request {
	unsigned order;
	uint32_t gfp;
	int node;                     /* preferred node; -1: node 0, where the simulated CPU is */
	enum iommusim_page_kind kind; /* of the pages that it gets */
	unsigned cpu;                 /* whose per-CPU lists serve it; default 0 */
};

/** Where a granted block lies. */
struct iommusim_page_block {
	iommusim_pfn pfn;    /* its first frame, a multiple of its size */
	uint8_t zone;        /* enum iommusim_zone */
	uint8_t migratetype; /* the free list it was found on */
};

/**
 * A page source: whoever hands out pages to the rooms above. struct iommusim_phys is one, the
 * embedder's own allocator another, a script in a test a third. All functions return 0 or a
 * negative error and on error change nothing.
 */
struct iommusim_page_source {
	size_t size; /* sizeof(struct iommusim_page_source), in bytes */
	void *ctx;
	/* -IOMMUSIM_ENOMEM: no block, or no such order (a result); anything else: an error. */
	int (*alloc_pages)(void *ctx, const struct iommusim_page_request *req,
	                   struct iommusim_page_block *block);
	int (*free_pages)(void *ctx, iommusim_pfn pfn, unsigned order);
	/* Make each frame of a block freeable on its own. */
	int (*split_page)(void *ctx, iommusim_pfn pfn, unsigned order);
	/* Split a compound block; NULL: always fails, as for driver pages in Linux. */
	int (*split_huge_page)(void *ctx, iommusim_pfn pfn, unsigned order);
};

/** One zone of one node. Zones must not overlap; any start and length. */
struct iommusim_zone_config {
	unsigned node;           /* 0 .. 63 */
	enum iommusim_zone zone; /* at most one of a kind per node */
	iommusim_pfn start_pfn;
	uint64_t nr_frames; /* 1 .. 2^32 - 2^14 */
};

/** How a free list of another migratetype is raided, spec of mm/page_alloc.c by release. */
enum iommusim_fallback {
	IOMMUSIM_FALLBACK_DEFAULT, /* A before 6.12, else C */
	IOMMUSIM_FALLBACK_A,       /* up to 6.9: steal, largest block first */
	IOMMUSIM_FALLBACK_C /* 6.15, and 6.12.117: claim a whole pageblock, else steal the smallest
	                     */
};

/** In every field but @size, zero means "the default". New fields go at the end. */
struct iommusim_phys_config {
	size_t size;         /* sizeof(struct iommusim_phys_config), in bytes */
	unsigned kernel;     /* IOMMUSIM_KERNEL(); default 6.12 */
	unsigned page_shift; /* 12 .. 16, log2 of the CPU page size in bytes; default 12 */
	unsigned nr_orders; /* 1 .. 14 orders; default 11 (4 KiB pages), 12 (16 KiB), 14 (64 KiB) */
	unsigned
		pageblock_order; /* 0 .. nr_orders-1; 0, the default: 9, 11, 13, at most the last */
	const struct iommusim_zone_config *zones; /* default: NORMAL, 1 GiB at 4 GiB */
	unsigned nr_zones;                        /* 1 .. 64; 0 with the default zones */
	enum iommusim_fallback fallback;
	/* Zones that the kernel was configured with, whether or not the machine has them: one bit
	   each. They decide what a request for DMA or DMA32 falls back to. Default: DMA, DMA32,
	   NORMAL, MOVABLE (a 64-bit distribution kernel). NORMAL is always there. */
	unsigned configured_zones;
	unsigned nothing_free;            /* 1: all frames start in use, for a state to be built */
	const struct iommusim_host *host; /* default: the C library's memory, silent */
};

struct iommusim_phys; /* opaque: one machine's memory; not more than 2^32 - 1 frames */

/**
 * Create a machine's memory as it is after boot: every pageblock Movable, each zone's frames freed
 * upwards in the largest aligned blocks, to the tails of the lists. Models memblock_free_all(),
 * Linux 6.1; simplifies: no frame is reserved by the kernel itself.
 *
 * Untouched blocks of the highest order cost 18 bytes each and a byte per pageblock; their frames
 * get metadata (6 bytes a frame) when the block is first cut.
 *
 * Returns 0 and the handle in @phys; -IOMMUSIM_EINVAL (logged), -IOMMUSIM_E2BIG: the config comes
 * from a newer header; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_create(const struct iommusim_phys_config *config,
                                      struct iommusim_phys **phys);

/** Free all host memory of @phys. NULL is allowed. */
IOMMUSIM_API void iommusim_phys_destroy(struct iommusim_phys *phys);

/** An independent copy in @copy. Returns 0 or -IOMMUSIM_EHOST. */
IOMMUSIM_API int iommusim_phys_fork(const struct iommusim_phys *phys, struct iommusim_phys **copy);

/** The text of the last error of this handle, "" if there was none. Valid until the next call. */
IOMMUSIM_API const char *iommusim_phys_error(const struct iommusim_phys *phys);

/**
 * Take 2^@req->order contiguous frames, aligned to their own size.
 *
 * The zones are tried from the highest that @req->gfp allows downwards, node by node; in each the
 * lists of the request's migratetype, then other types (fallback). Models __alloc_pages(),
 * get_page_from_freelist(), __rmqueue(), mm/page_alloc.c, Linux 6.1 and 6.12; simplifies: no
 * watermarks, no per-CPU lists, no reclaim, no compaction, all nodes equally distant.
 *
 * Returns 0; -IOMMUSIM_ENOMEM: no free block is large enough, or there is no such order (results of
 * the simulation: not logged); -IOMMUSIM_EINVAL: MOVABLE together with RECLAIMABLE, no such node;
 * -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_alloc(struct iommusim_phys *phys,
                                     const struct iommusim_page_request *req,
                                     struct iommusim_page_block *block);

/**
 * Give back the block of 2^@order frames at @pfn: merged with free buddies as far as that goes.
 * Models __free_one_page(), Linux 6.1 and 6.12; simplifies: no per-CPU lists.
 *
 * Returns 0; -IOMMUSIM_EINVAL: not the start of a block in use of that order (freed twice, never
 * allocated, part of a block that was not split, or held by the machine); -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_free(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order);

/**
 * Make each of the 2^@order frames of a block in use freeable on its own. Models split_page().
 *
 * Returns 0; -IOMMUSIM_EINVAL: not a block in use of that order, or a compound block (COMP);
 * -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_phys_split(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order);

/** The page source whose pages are those of @phys; valid as long as @phys is. */
IOMMUSIM_API struct iommusim_page_source iommusim_phys_source(struct iommusim_phys *phys);

/** What a zone holds now. */
struct iommusim_zone_info {
	unsigned node;
	enum iommusim_zone zone;
	iommusim_pfn start_pfn;
	uint64_t nr_frames;
	uint64_t nr_free; /* frames on the free lists, those of type Isolate excepted */
	uint64_t nr_blocks[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES]; /* free blocks */
	uint64_t nr_pageblocks[IOMMUSIM_NR_MIGRATETYPES]; /* partial ones at an edge count */
};

IOMMUSIM_API unsigned iommusim_phys_nr_zones(const struct iommusim_phys *phys);
IOMMUSIM_API unsigned iommusim_phys_nr_orders(const struct iommusim_phys *phys);
IOMMUSIM_API unsigned iommusim_phys_pageblock_order(const struct iommusim_phys *phys);
IOMMUSIM_API unsigned iommusim_phys_page_shift(const struct iommusim_phys *phys);

/** Fill @info for zone number @index, in the order of the config. -IOMMUSIM_EINVAL: no such zone.
 */
IOMMUSIM_API int iommusim_phys_zone(const struct iommusim_phys *phys, unsigned index,
                                    struct iommusim_zone_info *info);

/** Free blocks of @order on all lists of all zones. 0 where there is no such order. */
IOMMUSIM_API uint64_t iommusim_phys_nr_free_blocks(const struct iommusim_phys *phys,
                                                   unsigned order);

/** Free frames of all zones. */
IOMMUSIM_API uint64_t iommusim_phys_nr_free(const struct iommusim_phys *phys);

/**
 * The first frames of the blocks on one free list, from its head: at most @max into @pfns. Returns
 * the number stored, or -IOMMUSIM_EINVAL.
 */
struct iommusim_list_id {
	unsigned zone; /* index as in iommusim_phys_zone() */
	unsigned order;
	unsigned type;
};
IOMMUSIM_API int iommusim_phys_list(const struct iommusim_phys *phys, struct iommusim_list_id list,
                                    iommusim_pfn *pfns, unsigned max);

/** The type of @pfn's pageblock, or -IOMMUSIM_EINVAL: @pfn is in no zone. */
IOMMUSIM_API int iommusim_phys_pageblock_type(const struct iommusim_phys *phys, iommusim_pfn pfn);

/** Set the type of @pfn's pageblock; no block moves between lists. 0 or -IOMMUSIM_EINVAL. */
IOMMUSIM_API int iommusim_phys_set_pageblock_type(struct iommusim_phys *phys, iommusim_pfn pfn,
                                                  unsigned type);

/**
 * Check the whole structure: every frame in exactly one place, lists linked soundly and counted
 * right, no two free buddies unmerged that Linux would have merged, lists and pageblock types that
 * agree as the kernel's fallback generation has it. Returns 0, or -IOMMUSIM_EINVAL with the first
 * defect in words as the handle's error.
 */
IOMMUSIM_API int iommusim_phys_check(struct iommusim_phys *phys);

/** Share of free memory that is of no use to a request of @order, in thousandths; 1000 if none is
    free. Models unusable_free_index(), mm/vmstat.c, Linux 6.12. @info->nr_blocks is all it uses. */
IOMMUSIM_API int iommusim_zone_unusable(const struct iommusim_zone_info *info, unsigned order);

/** Towards 1000: a failing request fails for fragmentation, towards 0 for lack of memory; -1000: it
    would not fail. Models __fragmentation_index(), mm/vmstat.c, Linux 6.12. */
IOMMUSIM_API int iommusim_zone_extfrag(const struct iommusim_zone_info *info, unsigned order);

/**
 * The text of /proc/buddyinfo and /proc/pagetypeinfo (Linux 6.12) into @text of @bytes bytes, cut
 * short where it does not fit. They return the length that they need, without the final 0.
 * Differs: counts above 100000 are printed in full; the CMA row is there only where some zone has
 * CMA blocks.
 */
IOMMUSIM_API size_t iommusim_phys_buddyinfo(const struct iommusim_phys *phys, char *text,
                                            size_t bytes);
IOMMUSIM_API size_t iommusim_phys_pagetypeinfo(const struct iommusim_phys *phys, char *text,
                                               size_t bytes);

/* ---- States: how memory comes to look as it does ---- */

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
