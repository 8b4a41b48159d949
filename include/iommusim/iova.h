/* SPDX-License-Identifier: MIT */
/** @file iova.h  Allocator of IOVA ranges: top-down, size-aligned, with Linux's search hints. */
#ifndef IOMMUSIM_IOVA_H
#define IOMMUSIM_IOVA_H

#include "iommusim/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** In every field but @size, zero means "the default". New fields go at the end. */
struct iommusim_iova_config {
	size_t size;          /* sizeof(struct iommusim_iova_config), in bytes */
	unsigned granule_lg2; /* 1 .. 32, log2 of the granule in bytes; default 12 */
	uint64_t start; /* the lowest frame to hand out; default 1, so that 0 can mean failure */
	const struct iommusim_host *host;
};

struct iommusim_iova; /* opaque: the IOVA space of one domain */

/** A range of IOVA frames (address / granule), both ends included. */
struct iommusim_iova_range {
	uint64_t lo, hi;
};

/**
 * Create an empty space: all frames from @config->start to 2^64 - 2 are free. Models
 * init_iova_domain(), drivers/iommu/iova.c, Linux 6.1 and 6.12, without per-CPU caches.
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
 * All arithmetic is 64-bit and wraps as the kernel's does. Models alloc_iova(), Linux 6.1 and 6.12:
 * the search goes down from a hint (one below 4 GiB, one for all), then once more above it; a size
 * that failed below 4 GiB is refused at once until something there is freed.
 *
 * Returns 0; -IOMMUSIM_ENOMEM: no room (a result); -IOMMUSIM_EINVAL: size 0; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_iova_alloc(struct iommusim_iova *space, uint64_t size, uint64_t limit,
                                     int aligned, uint64_t *lo);

/**
 * As iommusim_iova_alloc() with alignment, sizes below 32 rounded up to a power of two first.
 * Models alloc_iova_fast(), Linux 5.17 and later (before, its callers rounded); simplifies: the
 * magazines are not modelled, every request goes to the tree.
 */
IOMMUSIM_API int iommusim_iova_alloc_fast(struct iommusim_iova *space, uint64_t size,
                                          uint64_t limit, uint64_t *lo);

/** Free the range that contains @frame, whole. A frame in no range is ignored, as free_iova() does.
 */
IOMMUSIM_API void iommusim_iova_free(struct iommusim_iova *space, uint64_t frame);

/**
 * Reserve @range->lo .. @range->hi and store in @range the range that contains it afterwards.
 * Models reserve_iova(), its quirks included: overlapped ranges, allocated ones too, are extended.
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

#ifdef __cplusplus
}
#endif

#endif
