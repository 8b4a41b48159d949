/* SPDX-License-Identifier: MIT */
/** @file population.h  Who fills memory: kinds of pages, moving and taking them, ageing a machine.
 */
#ifndef IOMMUSIM_PHYS_POPULATION_H
#define IOMMUSIM_PHYS_POPULATION_H

#include "iommusim/phys.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Who uses memory ---- */

/**
 * Frames in use in one zone, by enum iommusim_page_kind. What iommusim_phys_alloc() handed out is a
 * caller's; all else that is in use is the population's: what a state, a snapshot or ageing put
 * there. RESERVED frames are not counted.
 */
struct iommusim_usage {
	uint64_t callers[IOMMUSIM_NR_PAGE_KINDS];
	uint64_t population[IOMMUSIM_NR_PAGE_KINDS];
};

/** The usage of zone number @index. 0 or -IOMMUSIM_EINVAL: no such zone. */
IOMMUSIM_API int iommusim_phys_usage(const struct iommusim_phys *phys, unsigned index,
                                     struct iommusim_usage *usage);

/**
 * The kind of the frame in use at @pfn, an enum iommusim_page_kind, and in @is_callers (may be
 * NULL) whether a caller holds it. -IOMMUSIM_EINVAL: no frame, or not in use.
 */
IOMMUSIM_API int iommusim_phys_kind(const struct iommusim_phys *phys, iommusim_pfn pfn,
                                    unsigned *is_callers);

/**
 * Who is told when a block that a caller holds is moved or taken. Without it only the population's
 * are. Both are asked before anything changes, and must not call @phys; what they answer other than
 * 0 means that the block stays, as a page does whose reference count is raised.
 */
struct iommusim_page_owner {
	size_t size; /* sizeof(struct iommusim_page_owner), in bytes */
	void *ctx;
	/* The block of 2^order frames is about to be at @to; it keeps its kind. NULL: nothing
	   moves. */
	int (*moved)(void *ctx, iommusim_pfn from, iommusim_pfn to, unsigned order);
	/* The block is about to be free. NULL: nothing is taken. */
	int (*taken)(void *ctx, iommusim_pfn pfn, unsigned order);
};

/**
 * From now on @owner, which is copied, is told; NULL: nobody. A fork has no owner until one is set.
 * 0; -IOMMUSIM_EINVAL, -IOMMUSIM_E2BIG: not such a struct.
 */
IOMMUSIM_API int iommusim_phys_set_owner(struct iommusim_phys *phys,
                                         const struct iommusim_page_owner *owner);

/** How many frames of anonymous memory can be swapped out from now on; none after creation. */
IOMMUSIM_API void iommusim_phys_set_swap(struct iommusim_phys *phys, uint64_t nr_frames);
IOMMUSIM_API uint64_t iommusim_phys_swap_left(const struct iommusim_phys *phys);

/* ---- Compaction ---- */

/** How a run of compaction ended; the best of several zones' is the greatest. */
enum iommusim_compact_result {
	IOMMUSIM_COMPACT_SKIPPED,  /* too little free memory, or it is not fragmentation that fails
	                            */
	IOMMUSIM_COMPACT_DEFERRED, /* it failed lately */
	IOMMUSIM_COMPACT_COMPLETE, /* all was scanned, no block came out */
	IOMMUSIM_COMPACT_SUCCESS   /* there is a block now */
};

/** What compaction did, in steps that cost time. */
struct iommusim_compact_counts {
	uint64_t nr_scanned; /* blocks that the two scanners looked at, free or in use */
	uint64_t nr_moved;   /* frames */
	uint64_t nr_failed;  /* frames: its owner said no, or no free block was large enough */
};

/**
 * Move what can be moved to the upper end of each zone, as a write to /proc/sys/vm/compact_memory
 * does; @counts may be NULL. Returns 0.
 *
 * Models compact_zone(), mm/compaction.c, Linux 6.1 and 6.12: pageblocks are emptied from the
 * lowest up, into free frames of Movable (and CMA) pageblocks from the highest down, those that are
 * free as a whole left alone, until the two meet. Blocks of more than one frame move in 6.12 only,
 * and only those that are smaller than a pageblock and than the wanted block.
 * Simplifies: frames are moved one by one, nothing is busy unless its owner says so; no skip
 * hints, no fast search; of the free frames in a pageblock the lowest are used first, a block of
 * more frames finds room in the current pageblock or stays; a freed source goes to its free list
 * at once. A run that stopped goes on where it was.
 *
 * Where the host has no memory for a block's frames, the block is left alone.
 */
IOMMUSIM_API int iommusim_phys_compact(struct iommusim_phys *phys,
                                       struct iommusim_compact_counts *counts);

/* ---- Reclaim ---- */

/** What reclaim did, in steps that cost time; frames, of which clean .. shrunk became free. */
struct iommusim_reclaim_counts {
	uint64_t nr_scanned; /* looked at, free or not */
	uint64_t nr_clean;   /* clean cache, dropped */
	uint64_t nr_written; /* dirty cache, after write-back */
	uint64_t nr_swapped; /* anonymous memory, after swapping it out */
	uint64_t nr_shrunk;  /* slab */
};

/**
 * Free at least @nr frames of zone number @index, or what can be freed; @counts may be NULL.
 * Returns 0 or -IOMMUSIM_EINVAL: no such zone.
 *
 * Simplifies shrink_node(), mm/vmscan.c: instead of lists in order of use there is one hand that
 * goes over all frames, sixteen neighbours at a time, in a fixed scattered order. Of most groups it
 * looks at one frame, of half as many at two, and so on, since what was read together grows old
 * together; the others count as in use. It takes what it meets: cache, slab, and with a share of 60
 * in 200 (the default swappiness), as long as swap is left, anonymous memory. Where that is not
 * enough, a second turn spares nothing. A huge page is swapped out as a whole, a block above a
 * pageblock is not taken; write-back and swapping succeed.
 */
IOMMUSIM_API int iommusim_phys_reclaim(struct iommusim_phys *phys, unsigned index, uint64_t nr,
                                       struct iommusim_reclaim_counts *counts);

/* ---- Ageing ---- */

/**
 * One user of memory. It takes memory in objects (a process, a file, a buffer), each made of blocks
 * of one order; where none is left, of @fallback, then of single frames. Zero means none.
 */
struct iommusim_age_user {
	const char *name;
	enum iommusim_page_kind kind;
	uint32_t gfp;                /* without direct reclaim: kswapd runs beside it */
	unsigned order, fallback;    /* of its blocks */
	unsigned standing;           /* taken at boot, for good; thousandths of all frames */
	unsigned flow;               /* taken in an hour; thousandths of all frames */
	uint32_t min_size, max_size; /* of an object, in frames; every power of two as likely */
	uint32_t min_life, max_life; /* of an object, in seconds, likewise; 0: until reclaimed */
	unsigned pause;    /* steps between two appearances, on average; it then makes up for it */
	unsigned straggle; /* blocks that outlive their object, for eight times as long; thousandths
	                    */
};

/** A kind of machine: who uses it and how it keeps memory free. */
struct iommusim_age_profile {
	const char *name, *summary;
	unsigned hours;         /* that it is aged for by default */
	unsigned step;          /* seconds of simulated time between two decisions */
	unsigned low, high;     /* where kswapd starts and stops; thousandths of a zone's frames */
	unsigned swap;          /* thousandths of all frames */
	unsigned compact_every; /* seconds between two runs of kcompactd; 0: none */
	const struct iommusim_age_user *users;
	unsigned nr_users; /* 1 .. 16 */
};

/** The built-in profiles by name, "phone", "desktop", "server", or in that order. NULL: none. */
IOMMUSIM_API const struct iommusim_age_profile *iommusim_age_profile_find(const char *name);
IOMMUSIM_API const struct iommusim_age_profile *iommusim_age_profile_at(size_t index);

struct iommusim_age {
	size_t size; /* sizeof(struct iommusim_age), in bytes */
	const struct iommusim_age_profile *profile;
	unsigned hours; /* 1 .. 10000; 0: the profile's */
	uint64_t seed;
};

/**
 * Live through hours of use, so that the free lists and pageblocks look as those of a machine that
 * was used; what fills memory then is its population, and swap is what the profile has less what
 * was swapped out. The same seed on the same machine gives the same memory on every host. No event
 * is told of it. While it runs it takes 8 more bytes of host memory a frame.
 *
 * 4 GiB in one zone, kernel 6.12, no features, seed 1 and default hours take a second or two. What
 * is free then, which share of it is unusable by order, in thousandths, and pageblocks by type:
 *
 *           free   0   1   2   3   4   5   6    7    8    9    10  Unmovable Movable Reclaimable
 * phone     4.2%   0  10 103 308 538 721 827  959  965  976  1000    12.8 %  82.6 %       4.6 %
 * desktop   2.6%   0   3  49 284 427 708 810  824  824  833  1000    10.0 %  83.3 %       6.7 %
 * server    1.5%   0   5  76 177 406 867 995 1000 1000 1000  1000     9.0 %  83.5 %       7.5 %
 *
 * Simplifies: the profiles are plausible rather than measured on machines; their users are few,
 * allocate without waiting, never touch memory again and fork nothing; kswapd keeps memory free
 * between the profile's marks and ends the next process that would end where it cannot; kcompactd
 * runs by the clock, and its failures do not put off the next compaction.
 *
 * Returns 0; -IOMMUSIM_EINVAL: no such profile, too many hours, more than 2^31 frames, or a machine
 * created with nothing_free that has no state; -IOMMUSIM_E2BIG; -IOMMUSIM_EHOST (then the machine
 * is sound, but not aged to the end).
 */
IOMMUSIM_API int iommusim_phys_age(struct iommusim_phys *phys, const struct iommusim_age *age);

#ifdef __cplusplus
}
#endif

#endif
