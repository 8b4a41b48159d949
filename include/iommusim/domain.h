/* SPDX-License-Identifier: MIT */
/** @file domain.h  An IOMMU domain: how a range is cut into page sizes and handed to a driver. */
#ifndef IOMMUSIM_DOMAIN_H
#define IOMMUSIM_DOMAIN_H

#include "iommusim/base.h"
#include "iommusim/pgtable.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A range of the IOVA space, and where it leads. */
struct iommusim_map {
	uint64_t iova, pa, size; /* bytes */
	unsigned prot;           /* IOMMUSIM_PROT_* */
	uint32_t gfp;            /* for the driver's page-table pages */
};

struct iommusim_domain; /* opaque */

/**
 * IOTLB entries that an unmap has made stale and that are not invalidated yet. Models struct
 * iommu_iotlb_gather, include/linux/iommu.h, Linux 6.1 and 6.12.
 */
struct iommusim_gather {
	struct iommusim_domain *domain;
	uint64_t start, last; /* bytes; start > last: empty */
	uint64_t pgsize;      /* bytes of each entry; 0: not known */
	unsigned is_queued;   /* 1: nothing is gathered, a flush queue will invalidate all */
};

/** Empty @gather, for @domain. */
IOMMUSIM_API void iommusim_gather_init(struct iommusim_gather *gather,
                                       struct iommusim_domain *domain);

/**
 * A driver says that the entry of @pgsize bytes at @iova is gone. If it does not adjoin what was
 * gathered, or is of another size, that is invalidated first. Models iommu_iotlb_gather_add_page().
 */
IOMMUSIM_API void iommusim_gather_add_page(struct iommusim_gather *gather, uint64_t iova,
                                           uint64_t pgsize);

/** The same for @count such entries in a row. */
IOMMUSIM_API void iommusim_gather_add_pages(struct iommusim_gather *gather, uint64_t iova,
                                            uint64_t pgsize, uint64_t count);

/**
 * What a domain drives: a page table, the recording driver below, the embedder's hardware model.
 * Members marked optional may be NULL.
 */
struct iommusim_driver {
	size_t size; /* sizeof(struct iommusim_driver), in bytes */
	void *ctx;
	/*
	 * Map @pages. Fewer than count may be mapped with success, but at least one; *mapped gets
	 * the bytes mapped, on error too. Returns 0 or a negative error.
	 */
	int (*map_pages)(void *ctx, const struct iommusim_map_pages *pages, uint64_t *mapped);
	/* Unmap @count pages; returns the bytes unmapped: 0 where nothing is mapped, or more than
	 * asked. */
	uint64_t (*unmap_pages)(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
	                        struct iommusim_gather *gather);
	uint64_t (*iova_to_phys)(void *ctx, uint64_t iova);                  /* 0: not mapped */
	int (*sync_map)(void *ctx, uint64_t iova, uint64_t size);            /* optional */
	void (*sync_iotlb)(void *ctx, const struct iommusim_gather *gather); /* optional */
	void (*flush_iotlb_all)(void *ctx);                                  /* optional */
};

/** In every field but @size, @pgsizes and @driver, zero means "the default". */
struct iommusim_domain_config {
	size_t size;     /* sizeof(struct iommusim_domain_config), in bytes */
	unsigned kernel; /* IOMMUSIM_KERNEL(); default 6.12; before 5.14 one page per driver call */
	uint64_t pgsizes; /* the kernel's pgsize_bitmap: one bit per page size, in bytes */
	const struct iommusim_driver *driver; /* copied */
	const struct iommusim_host *host;
};

/** Plain counters since the domain was created. */
struct iommusim_domain_stats {
	uint64_t nr_map, nr_unmap;             /* requests (runs of a list count one each) */
	uint64_t nr_map_calls, nr_unmap_calls; /* driver calls */
	uint64_t nr_mapped[64];                /* pages mapped, by log2 of their size */
	uint64_t nr_iotlb_sync;                /* invalidations of gathered entries */
	uint64_t nr_iotlb_flush_all;           /* invalidations of all entries */
};

/**
 * Create a domain. Returns 0; -IOMMUSIM_EINVAL: a driver without map_pages, unmap_pages or
 * iova_to_phys, an unknown kernel; -IOMMUSIM_E2BIG; -IOMMUSIM_EHOST. A bitmap of 0 is accepted, as
 * by Linux: then every map is refused with -IOMMUSIM_ENODEV.
 */
IOMMUSIM_API int iommusim_domain_create(const struct iommusim_domain_config *config,
                                        struct iommusim_domain **domain);
IOMMUSIM_API void iommusim_domain_destroy(struct iommusim_domain *domain);

/**
 * A copy of @domain, its counters included, that drives @driver (a copy of what @domain drives).
 * Returns 0 or as iommusim_domain_create().
 */
IOMMUSIM_API int iommusim_domain_fork(const struct iommusim_domain *domain,
                                      const struct iommusim_driver *driver,
                                      struct iommusim_domain **copy);

IOMMUSIM_API const char *iommusim_domain_error(const struct iommusim_domain *domain);
IOMMUSIM_API struct iommusim_domain_stats
iommusim_domain_stats(const struct iommusim_domain *domain);
IOMMUSIM_API uint64_t iommusim_domain_pgsizes(const struct iommusim_domain *domain);

/**
 * The largest page of @pgsizes that both addresses are aligned to and @size has room for; in
 * @count, how many of them until a larger one fits, at most what @size has room for. 0 if none
 * fits (the kernel stops with BUG() there). Models iommu_pgsize(), drivers/iommu/iommu.c, Linux
 * 5.14 to 6.12.
 */
IOMMUSIM_API uint64_t iommusim_pgsize(uint64_t pgsizes, const struct iommusim_map *map,
                                      uint64_t *count);

/**
 * Map @map. All of it, or nothing: what was mapped before a failure is unmapped again. Models
 * iommu_map(), drivers/iommu/iommu.c, by the domain's kernel version.
 *
 * Returns 0; -IOMMUSIM_ENODEV: no page sizes; -IOMMUSIM_EINVAL (logged): address or size not a
 * multiple of the smallest page, or a zone or COMP flag in gfp (6.12); -IOMMUSIM_EIO (logged): the
 * driver claims success with nothing mapped, or to have mapped more than it was asked for, or parts
 * of pages; or the driver's error. Size 0 succeeds and does nothing.
 */
IOMMUSIM_API int iommusim_domain_map(struct iommusim_domain *domain,
                                     const struct iommusim_map *map);

/** As iommusim_domain_map(), but the driver is not told to sync: iommusim_domain_sync_map() does
    that, once for all that was mapped. Models iommu_map_nosync(), Linux 6.16. */
IOMMUSIM_API int iommusim_domain_map_nosync(struct iommusim_domain *domain,
                                            const struct iommusim_map *map);

/** Returns 0 or the driver's error (before 6.12: 0). Nothing is unmapped. Models iommu_sync_map().
 */
IOMMUSIM_API int iommusim_domain_sync_map(struct iommusim_domain *domain, uint64_t iova,
                                          uint64_t size);

/** One entry of a scatterlist: @size bytes at @pa. Size 0 maps nothing; a peer's memory that is
    reached without the IOMMU stands in a list as such an entry. */
struct iommusim_sg {
	uint64_t pa, size; /* bytes */
};

/** A list, and where it goes. */
struct iommusim_map_list {
	uint64_t iova;
	const struct iommusim_sg *sg;
	size_t nr;
	unsigned prot;
	uint32_t gfp;
};

/**
 * Map a list to consecutive IOVAs: entries that adjoin physically are mapped as one run. Models
 * iommu_map_sg(), with its quirk: if the last entry lies where the last run ends (it has no bytes
 * then, or the run goes around 2^64), that run is not mapped and *mapped is less than the list's
 * bytes. *mapped gets the bytes mapped; on error nothing stays mapped and it is untouched. Returns
 * 0 or as iommusim_domain_map() of the run that failed.
 */
IOMMUSIM_API int iommusim_domain_map_sg(struct iommusim_domain *domain,
                                        const struct iommusim_map_list *list, uint64_t *mapped);

/**
 * Unmap, then invalidate the IOTLB. Returns the bytes unmapped: fewer than @size where a hole was
 * met, more where a driver removes whole pages, 0 for a range off the granule (logged). Models
 * iommu_unmap().
 */
IOMMUSIM_API uint64_t iommusim_domain_unmap(struct iommusim_domain *domain, uint64_t iova,
                                            uint64_t size);

/** As iommusim_domain_unmap(), but the caller owns @gather and its invalidation. */
IOMMUSIM_API uint64_t iommusim_domain_unmap_fast(struct iommusim_domain *domain, uint64_t iova,
                                                 uint64_t size, struct iommusim_gather *gather);

/** Invalidate what @gather holds and empty it. Models iommu_iotlb_sync(). */
IOMMUSIM_API void iommusim_gather_sync(struct iommusim_gather *gather);

/** Invalidate every IOTLB entry of the domain. Models iommu_flush_iotlb_all(). */
IOMMUSIM_API void iommusim_domain_flush_all(struct iommusim_domain *domain);

/** The physical address behind @iova, 0: not mapped. Models iommu_iova_to_phys(). */
IOMMUSIM_API uint64_t iommusim_domain_iova_to_phys(const struct iommusim_domain *domain,
                                                   uint64_t iova);

/**
 * The driver that keeps its tables in @pgtable, valid as long as it lives. Models
 * drivers/iommu/arm/arm-smmu-v3, Linux 6.1 and 6.12: unmapped leaves are gathered, and before a
 * table is freed what it covered is invalidated at once (counted as a sync of the domain).
 */
IOMMUSIM_API struct iommusim_driver iommusim_pgtable_driver(struct iommusim_pgtable *pgtable);

/* ---- The recording driver ---- */

/** One driver call. */
struct iommusim_driver_call {
	char kind;                        /* 'm': map_pages, 'u': unmap_pages */
	uint64_t iova, pa, pgsize, count; /* as asked; pa is 0 for 'u' */
	uint64_t done;                    /* pages really done */
	unsigned prot;
};

/** In every field but @size, zero means "the default". */
struct iommusim_recorder_config {
	size_t size;         /* sizeof(struct iommusim_recorder_config), in bytes */
	uint64_t cap;        /* pages done per call at most; default: all that are asked for */
	uint64_t fail_map;   /* the map call with this number, from 1, does nothing: -ENOMEM */
	uint64_t fail_unmap; /* unmap calls from this number, from 1, on do nothing and return 0 */
	unsigned keep_calls; /* 1: remember every call */
	const struct iommusim_host *host;
};

struct iommusim_recorder; /* opaque: a driver that writes down what it is told */

/**
 * A driver without page tables: it remembers which range leads where, replaces what is mapped over
 * and reports every unmap as done, mapped or not. A map beyond 2^64 is -IOMMUSIM_ERANGE. Where the
 * host has no memory, a map is refused with -IOMMUSIM_EHOST; an unmap from the middle of what one
 * map call mapped does nothing and returns 0; any other unmap is done, but its call may not be
 * remembered (all of this is logged). Returns 0, -IOMMUSIM_E2BIG or -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_recorder_create(const struct iommusim_recorder_config *config,
                                          struct iommusim_recorder **recorder);
IOMMUSIM_API void iommusim_recorder_destroy(struct iommusim_recorder *recorder);

/** An independent copy in @copy. Returns 0 or -IOMMUSIM_EHOST. */
IOMMUSIM_API int iommusim_recorder_fork(const struct iommusim_recorder *recorder,
                                        struct iommusim_recorder **copy);

/** The driver table of @recorder; valid as long as it lives. */
IOMMUSIM_API struct iommusim_driver iommusim_recorder_driver(struct iommusim_recorder *recorder);

/** The calls so far, oldest first, their number in @nr. Valid until the next call. */
IOMMUSIM_API const struct iommusim_driver_call *
iommusim_recorder_calls(const struct iommusim_recorder *recorder, size_t *nr);

/** The first mapped range that ends above @iova, with all that adjoins it on both sides and goes on
    physically with the same page size and protection. Returns 1, or 0: there is none. */
IOMMUSIM_API int iommusim_recorder_next(const struct iommusim_recorder *recorder, uint64_t iova,
                                        struct iommusim_mapped_range *range);

#ifdef __cplusplus
}
#endif

#endif
