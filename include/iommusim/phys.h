/* SPDX-License-Identifier: MIT */
/** @file phys.h  Simulated physical memory: nodes, zones, pageblocks and a binary buddy allocator.
 */
#ifndef IOMMUSIM_PHYS_H
#define IOMMUSIM_PHYS_H

#include "iommusim/base.h"
#include "iommusim/phys/gfp.h"

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
	/* @count contiguous frames of an area kept for that (CMA), the first a multiple of
	   2^@align_order; @gfp is the caller's. -IOMMUSIM_ENOMEM: no such range, or no area (a
	   result). NULL: there is no area. */
	int (*alloc_contiguous)(void *ctx, uint64_t count, unsigned align_order, uint32_t gfp,
	                        iommusim_pfn *pfn);
	/* Give back what alloc_contiguous() handed out, all of it. Not NULL if that is not. */
	int (*free_contiguous)(void *ctx, iommusim_pfn pfn, uint64_t count);
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

/**
 * What is simulated beyond the free lists, as bits of struct iommusim_phys_config.features. Without
 * them a request is refused only where no block is left, and a freed block is on its list at once.
 */
#define IOMMUSIM_PHYS_WATERMARKS 1u  /* marks, lowmem_reserve, boost; fast path and slow path */
#define IOMMUSIM_PHYS_PCP        2u  /* per-CPU lists */
#define IOMMUSIM_PHYS_HIGHATOMIC 4u  /* the reserve for high-order atomic requests */
#define IOMMUSIM_PHYS_RECLAIM    8u  /* direct reclaim of what can be taken */
#define IOMMUSIM_PHYS_COMPACTION 16u /* direct compaction of what can be moved */
#define IOMMUSIM_PHYS_CMA        32u /* movable requests may use the blocks of CMA areas */
#define IOMMUSIM_PHYS_ALL        63u /* as a running kernel */

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
	unsigned features;                /* IOMMUSIM_PHYS_*; default: none */
	unsigned nr_cpus;                 /* 1 .. 256 CPUs with lists of their own; default 1 */
	unsigned min_free_kbytes; /* vm.min_free_kbytes; default: by the size of the machine */
	unsigned thp;             /* 1: huge pages are enabled, which raises that default */
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
 * get_page_from_freelist(), __rmqueue(), mm/page_alloc.c, Linux 6.1 and 6.12; simplifies: all nodes
 * are equally distant, kswapd does nothing, nobody is killed, no caller is the victim of a kill.
 * Watermarks, per-CPU lists and all else that features name are there only where these say so.
 *
 * Returns 0; -IOMMUSIM_ENOMEM: no free block is large enough, or there is no such order (results of
 * the simulation: not logged); -IOMMUSIM_EINVAL: MOVABLE together with RECLAIMABLE, no such node or
 * CPU; -IOMMUSIM_EHOST. iommusim_phys_report() tells what the attempt went through.
 */
IOMMUSIM_API int iommusim_phys_alloc(struct iommusim_phys *phys,
                                     const struct iommusim_page_request *req,
                                     struct iommusim_page_block *block);

/**
 * Give back the block of 2^@order frames at @pfn: merged with free buddies as far as that goes, or,
 * with IOMMUSIM_PHYS_PCP, on the list of CPU 0. Models __free_one_page(), free_unref_page(),
 * mm/page_alloc.c, Linux 6.1 and 6.12.
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

/**
 * The page source whose pages are those of @phys; valid as long as @phys is. Its contiguous ranges
 * come from area 0 (iommusim_phys_cma_create(), before or after this call), as from Linux's default
 * area; there is none as long as @phys has no area.
 */
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

/**
 * A zone's numbers, in frames, named as /proc/zoneinfo names them. Marks are without the boost.
 */
struct iommusim_zone_numbers {
	uint64_t present, managed;      /* 0 < managed <= present <= the zone's frames */
	uint64_t min, low, high, promo; /* ascending */
	uint64_t boost;                 /* what every mark is raised by for now */
	uint64_t lowmem_reserve[IOMMUSIM_NR_ZONES]; /* by the highest zone of the request */
};

/** The numbers of zone number @index into @numbers. -IOMMUSIM_EINVAL: no such zone. */
IOMMUSIM_API int iommusim_phys_numbers(const struct iommusim_phys *phys, unsigned index,
                                       struct iommusim_zone_numbers *numbers);

/**
 * Give zone number @index the numbers of a running kernel, in place of those that its size leads
 * to. Returns 0; -IOMMUSIM_EINVAL: no such zone, or numbers out of the ranges above.
 */
IOMMUSIM_API int iommusim_phys_set_numbers(struct iommusim_phys *phys, unsigned index,
                                           const struct iommusim_zone_numbers *numbers);

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

#ifdef __cplusplus
}
#endif

#endif
