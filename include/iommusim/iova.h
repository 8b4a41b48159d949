/* SPDX-License-Identifier: MIT */
/**
 * @file iova.h  Allocator of IOVA ranges: top-down, size-aligned, with Linux's search hints and its
 * caches of freed ranges.
 *
 * Models drivers/iommu/iova.c call for call as Linux 6.1.192 and 6.12.117 have it: the same calls
 * give the same frames. The search differs in cost only: it grows with the logarithm of the number
 * of ranges, where the kernel's grows with the number.
 *
 * What is known of other releases, not checked against their code:
 * - from 6.7 on the depots of the caches are unbounded and trimmed later, as in 6.12; before, a
 *   depot holds 32 magazines, as in 6.1;
 * - before 5.11 a search does not go on above its hint;
 * - before 4.20 no size is refused for having failed;
 * - from 4.12 to 5.16 dma-iommu rounds sizes before it calls; here the fast calls do it, as later;
 * - before 4.12 it neither rounds nor uses the caches: nor do the fast calls here.
 * Differs: before 4.15 the kernel kept one hint, for 32 bits, and an end for each space; 4.4
 * to 4.14 are given the two hints of 4.15.
 */
#ifndef IOMMUSIM_IOVA_H
#define IOMMUSIM_IOVA_H

#include "iommusim/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most CPUs of a space with caches. */
#define IOMMUSIM_IOVA_MAX_CPUS 4096

/** In every field but @size, zero means "the default". New fields go at the end. */
struct iommusim_iova_config {
	size_t size;          /* sizeof(struct iommusim_iova_config), in bytes */
	unsigned granule_lg2; /* 1 .. 32, log2 of the granule in bytes; default 12 */
	uint64_t start; /* the lowest frame to hand out; default 1, so that 0 can mean failure */
	const struct iommusim_host *host;
	unsigned kernel;  /* IOMMUSIM_KERNEL(); default 6.12 */
	unsigned nr_cpus; /* 1 .. 4096 CPUs with caches (12 KiB each), all online; default: none */
};

struct iommusim_iova; /* opaque: the IOVA space of one domain */

/** A range of IOVA frames (address / granule), both ends included. */
struct iommusim_iova_range {
	uint64_t lo, hi;
};

/**
 * Create an empty space: all frames from @config->start to 2^64 - 2 are free. Models
 * init_iova_domain(), and with CPUs iova_domain_init_rcaches(). Before Linux 4.12 @config->nr_cpus
 * is ignored.
 *
 * Returns 0; -IOMMUSIM_EINVAL; -IOMMUSIM_E2BIG: the config comes from a newer header;
 * -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_iova_create(const struct iommusim_iova_config *config,
                                      struct iommusim_iova **space);
IOMMUSIM_API void iommusim_iova_destroy(struct iommusim_iova *space);

/** An independent copy in @copy. Returns 0 or -IOMMUSIM_EHOST. */
IOMMUSIM_API int iommusim_iova_fork(const struct iommusim_iova *space, struct iommusim_iova **copy);

/** The text of the last error, "" if there was none. */
IOMMUSIM_API const char *iommusim_iova_error(const struct iommusim_iova *space);

/**
 * Take @size frames, none above @limit; if @aligned is not 0 the first is a multiple of the
 * smallest power of two >= @size. The frame is stored in @lo.
 *
 * All arithmetic is 64-bit and wraps as the kernel's does. Models alloc_iova(): the search goes
 * down from a hint (one below 4 GiB, one for all), then once more above it; a size that failed is
 * refused at once below 4 GiB until something there is freed.
 *
 * Returns 0; -IOMMUSIM_ENOMEM: no room (a result); -IOMMUSIM_EINVAL: size 0; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_iova_alloc(struct iommusim_iova *space, uint64_t size, uint64_t limit,
                                     int aligned, uint64_t *lo);

/** Free the range that contains @frame, whole. A frame in no range is ignored, as free_iova() does.
 */
IOMMUSIM_API void iommusim_iova_free(struct iommusim_iova *space, uint64_t frame);

/** What a device asks for. */
struct iommusim_iova_request {
	uint64_t size;  /* frames */
	uint64_t limit; /* the highest frame that may be used */
	unsigned cpu;   /* that makes the call; without caches it does not matter */
	int flush;      /* where there is no room: empty all caches and search once more */
};

/**
 * Take a range, aligned as iommusim_iova_alloc() with @aligned does; sizes below 32 are rounded up
 * to a power of two first. From the CPU's caches, if they have one of that order below the limit;
 * else from the tree. Models alloc_iova_fast(). A limit below the size wraps, as in the kernel:
 * then any cached range will do.
 *
 * Returns 0; -IOMMUSIM_ENOMEM: no room (a result); -IOMMUSIM_EINVAL: size 0, or no such CPU or one
 * that is offline; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_iova_alloc_fast(struct iommusim_iova *space,
                                          const struct iommusim_iova_request *request,
                                          uint64_t *lo);

/**
 * Give back the range at @frame for which @size frames were asked: to the caches of @cpu if the
 * order of @size is below 6, else to the tree. Cached ranges stay in the tree. Models
 * free_iova_fast(), and like it believes the caller: what is freed twice is handed out twice.
 *
 * Returns 0; -IOMMUSIM_EINVAL as iommusim_iova_alloc_fast(), for the CPU; -IOMMUSIM_EHOST, which
 * cannot happen unless frames were freed twice, or such as are in no range: each range that is
 * taken comes with its place in the caches.
 */
IOMMUSIM_API int iommusim_iova_free_fast(struct iommusim_iova *space, uint64_t frame, uint64_t size,
                                         unsigned cpu);

/**
 * Empty all caches into the tree, as a request that finds no room does: each online CPU's, then the
 * depots. Ranges of offline CPUs are already there.
 */
IOMMUSIM_API void iommusim_iova_flush(struct iommusim_iova *space);

/**
 * Take @cpu offline, which empties its caches into the tree, or online again. Models
 * iova_cpuhp_dead(). Returns 0; -IOMMUSIM_EINVAL: no such CPU, or the last one online.
 */
IOMMUSIM_API int iommusim_iova_set_online(struct iommusim_iova *space, unsigned cpu, int is_online);

/**
 * The depots whose trimming is due, one bit for each order 0 .. 5. A depot becomes due when a full
 * magazine reaches it, and is trimmed 100 ms later (IOVA_DEPOT_DELAY). Always 0 before Linux 6.7.
 */
IOMMUSIM_API unsigned iommusim_iova_pending(const struct iommusim_iova *space);

/**
 * Trim those of @orders (bits) that are due, once each, the one that has been due for longest
 * first: if a depot has more magazines than there are CPUs online, its newest one is freed to the
 * tree, and the depot is due again 100 ms later. Returns how many were due. Models
 * iova_depot_work_func(), Linux 6.12; the order among several is that of their timers.
 */
IOMMUSIM_API unsigned iommusim_iova_trim(struct iommusim_iova *space, unsigned orders);

/**
 * Reserve @range->lo .. @range->hi and store in @range the range that contains it afterwards.
 * Models reserve_iova(), its quirks included: overlapped ranges, allocated ones too, are extended
 * downwards, and neither hints nor the size that failed change.
 *
 * Returns 0; -IOMMUSIM_EINVAL: lo > hi, or beyond the last frame of a 64-bit address space;
 * -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_iova_reserve(struct iommusim_iova *space,
                                       struct iommusim_iova_range *range);

/** Store the range that contains @frame in @range. Returns 1, or 0: no range does. */
IOMMUSIM_API int iommusim_iova_find(const struct iommusim_iova *space, uint64_t frame,
                                    struct iommusim_iova_range *range);

/** The first range at or above @frame, in ascending order. Returns 1, or 0: there is none. */
IOMMUSIM_API int iommusim_iova_next(const struct iommusim_iova *space, uint64_t frame,
                                    struct iommusim_iova_range *range);

/** Ranges allocated or reserved now. */
IOMMUSIM_API uint64_t iommusim_iova_nr_ranges(const struct iommusim_iova *space);

/** The smallest size known to fail below 4 GiB; the first frame at 4 GiB if none is known. */
IOMMUSIM_API uint64_t iommusim_iova_max32(const struct iommusim_iova *space);

/** Log2 of the granule in bytes, as configured. */
IOMMUSIM_API unsigned iommusim_iova_granule_lg2(const struct iommusim_iova *space);

/** What a space looks like from its start to a limit. Sizes in frames. */
struct iommusim_iova_stats {
	uint64_t nr_ranges;     /* that lie there at least in part */
	uint64_t nr_taken;      /* frames of those ranges, the cached ones included */
	uint64_t nr_free;       /* frames in no range */
	uint64_t nr_holes;      /* runs of free frames */
	uint64_t largest_hole;  /* the longest of them */
	uint64_t largest_fit;   /* the largest size with a size-aligned place */
	uint64_t nr_cached;     /* ranges in the caches, wherever they lie */
	uint64_t cached_frames; /* frames of those */
	uint64_t nr_depot;      /* full magazines in the depots */
	unsigned fragmentation; /* free frames outside of the largest hole, in thousandths; 0 if
	                           none */
};

/**
 * Fill @stats for the frames from the space's start to @limit. Walks all ranges. Returns 0 or
 * -IOMMUSIM_EINVAL: @limit is below the start, or 2^64 - 1.
 */
IOMMUSIM_API int iommusim_iova_stats(struct iommusim_iova *space, uint64_t limit,
                                     struct iommusim_iova_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
