/* SPDX-License-Identifier: MIT */
/** @file dma.h  A device behind an IOMMU, and the DMA API calls that get buffers for it. */
#ifndef IOMMUSIM_DMA_H
#define IOMMUSIM_DMA_H

#include "iommusim/base.h"
#include "iommusim/chunk.h"
#include "iommusim/domain.h"
#include "iommusim/iova.h"
#include "iommusim/phys.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a granule above the CPU page means. */
enum iommusim_domain_mode {
	IOMMUSIM_DOMAIN_STRICT,   /* as a DMA domain of Linux: BUG(), so it is refused */
	IOMMUSIM_DOMAIN_EXTENDED, /* accepted, as by an unmanaged domain */
	/*
	 * As "Support IOMMU page sizes larger than the CPU page size", v3 of October 2021 (not
	 * merged), would: accepted for a trusted device. Buffers are mapped in whole granules
	 * around what their pages hold: a buffer below a granule with the foreign memory beside it,
	 * the last piece of a larger one with what follows it.
	 * Buffers come by its policy unless the request names another.
	 */
	IOMMUSIM_DOMAIN_PROPOSAL_2021
};

/** Who sets a domain up whose smallest page is larger than the CPU page. */
enum iommusim_granule_user {
	IOMMUSIM_GRANULE_DMA,  /* the DMA API: init_iova_domain() */
	IOMMUSIM_GRANULE_DART, /* the same behind an Apple DART, which asks first */
	IOMMUSIM_GRANULE_IOMMUFD,
	IOMMUSIM_GRANULE_VFIO,      /* type 1 */
	IOMMUSIM_GRANULE_UNMANAGED, /* a driver with iommu_map() of its own */
	IOMMUSIM_GRANULE_PROPOSAL,  /* the DMA API by the proposal of 2021, an untrusted device */
	IOMMUSIM_NR_GRANULE_USERS
};

/** What it meets. */
struct iommusim_granule_rule {
	int err;            /* 0: accepted; -IOMMUSIM_EBUG: Linux stops with BUG() */
	const char *check;  /* the function that looks */
	const char *effect; /* what follows, in one line */
};

/**
 * The rule that @user meets in @kernel (0: 6.12); NULL: no such user in that kernel, or ever. Codes
 * are those of Linux 6.1 and 6.12; the names of the checks, and the first releases of DART (5.15)
 * and iommufd (6.2), are believed, not verified.
 */
IOMMUSIM_API const struct iommusim_granule_rule *
iommusim_granule_rule(enum iommusim_granule_user user, unsigned kernel);

/**
 * What becomes of IOTLB entries when a buffer is unmapped. Models queue_iova(),
 * drivers/iommu/dma-iommu.c, Linux 6.1 and 6.12; simplifies: table pages that the driver frees do
 * not wait in the queue.
 */
enum iommusim_invalidation {
	IOMMUSIM_INVALIDATE_STRICT,     /* invalidated before the unmap returns */
	IOMMUSIM_INVALIDATE_LAZY,       /* later, all at once: a flush queue of 255 ranges for each
	                                   CPU, 10 ms */
	IOMMUSIM_INVALIDATE_LAZY_SINGLE /* one queue of 32767 for all CPUs, 1000 ms; since 6.7 */
};

/** The most CPUs that a device can be used from. */
#define IOMMUSIM_DMA_MAX_CPUS 4096

/** In every field but @size and the three rooms below, zero means "the default". */
struct iommusim_dma_config {
	size_t size; /* sizeof(struct iommusim_dma_config), in bytes */
	unsigned kernel;
	unsigned page_shift; /* log2 of the CPU page size in bytes, 12 .. 16; default 12 */
	unsigned nr_orders;  /* of the page source, 1 .. 14; default 11, 12, 14 by page_shift */
	enum iommusim_domain_mode mode;
	uint64_t coherent_mask; /* highest address of coherent buffers; default 2^32 - 1 */
	uint64_t bus_limit;     /* default: none */
	uint64_t aperture_last; /* the last address that the domain maps; default: none */
	unsigned is_pci;        /* 1: addresses below 4 GiB are tried first: 6.1 for every mapping,
	                           6.12 until that has failed once ("Using 48-bit DMA addresses"
	                           goes to the log); believed: never before 4.11, once since 6.4 */
	unsigned forcedac;      /* 1: but not with iommu.forcedac */
	int node;               /* preferred for pages; -1: any; default 0 */
	struct iommusim_domain
		*domain; /* these three are the caller's and must outlive the device */
	struct iommusim_iova *iova;
	const struct iommusim_page_source *source; /* copied */
	const struct iommusim_host *host;
	uint64_t streaming_mask; /* highest address of streaming mappings; default 2^32 - 1 */
	uint64_t max_seg_size;   /* bytes that a DMA segment may grow to by merging entries,
	                            1 .. 2^32 - 1; default 64 KiB */
	uint64_t seg_boundary;   /* 2^n - 1 bytes: no segment crosses a multiple of 2^n; default:
	                            none */
	uint64_t min_align_mask; /* 2^n - 1: low address bits that must survive; since 6.12 a
	                            mapping is refused where the granule is smaller; default 0 */
	unsigned is_noncoherent; /* 1: its accesses bypass the CPU's caches */
	unsigned is_untrusted;   /* 1: no byte beside a mapping may be reachable (bounce buffers) */
	unsigned kmalloc_align;  /* bytes: the largest cache line of the machine, where Linux has
	                            DMA_BOUNCE_UNALIGNED_KMALLOC (6.5); default 0: it has not */
	enum iommusim_invalidation invalidation;
	unsigned nr_cpus;       /* 1 .. IOMMUSIM_DMA_MAX_CPUS; default 1 */
	uint64_t swiotlb_pa;    /* first byte of the bounce buffers, a multiple of the granule */
	uint64_t swiotlb_slots; /* of 2 KiB, a multiple of 128; default 0: there are none */
	uint64_t pool_pages;    /* CPU pages of the atomic pool, a power of two; default 0: none */
	/* Told of each CPU page of a new coherent buffer of a device that is not coherent, before
	   it is mapped. Default: nobody. */
	void (*flush_page)(void *ctx, uint64_t pa);
	void *flush_ctx;
	/* The first address that the domain maps; the IOVA space is to start there, or at its
	   second frame where this is 0. */
	uint64_t aperture_start;
};

struct iommusim_dma; /* opaque: a device */

/**
 * Create a device. Returns 0; -IOMMUSIM_EBUG (logged): strict mode, and the IOVA granule is above
 * the CPU page, where init_iova_domain() stops with BUG(); -IOMMUSIM_EFAULT (logged): by the
 * proposal of 2021, and the device is untrusted, or before 6.10 (believed) the coherent mask or the
 * bus ends below the aperture, where iommu_dma_init_domain() refuses the device (since then it gets
 * no IOVA range); -IOMMUSIM_EINVAL (logged): parts that are missing or do not fit;
 * -IOMMUSIM_ENOMEM: the page source has no block for the atomic pool; -IOMMUSIM_E2BIG;
 * -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_dma_create(const struct iommusim_dma_config *config,
                                     struct iommusim_dma **dma);

/**
 * Free the handle. Buffers must have been freed, else their pages and ranges stay in use. What
 * waits in the flush queue is flushed and released (differs: Linux drops it with the IOVA space),
 * and the atomic pool goes back to the page source.
 */
IOMMUSIM_API void iommusim_dma_destroy(struct iommusim_dma *dma);

/**
 * A copy of @dma in the same state, over copies of what it uses. Of @parts only domain, iova and
 * source are looked at. Returns 0 or -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_dma_fork(const struct iommusim_dma *dma,
                                   const struct iommusim_dma_config *parts,
                                   struct iommusim_dma **copy);

IOMMUSIM_API const char *iommusim_dma_error(const struct iommusim_dma *dma);

/** What a driver sets with dma_set_mask() and dma_set_coherent_mask(). Masks are not 0. */
IOMMUSIM_API void iommusim_dma_set_masks(struct iommusim_dma *dma, uint64_t streaming,
                                         uint64_t coherent);

/** dma_set_max_seg_size() and dma_set_seg_boundary(). Returns 0 or -IOMMUSIM_EINVAL. */
IOMMUSIM_API int iommusim_dma_set_segments(struct iommusim_dma *dma, uint64_t max_seg_size,
                                           uint64_t seg_boundary);

/** The CPU that makes the calls from now on. Returns 0 or -IOMMUSIM_EINVAL: there is none. */
IOMMUSIM_API int iommusim_dma_set_cpu(struct iommusim_dma *dma, unsigned cpu);

/**
 * It is @now_ns, not earlier than before (else nothing happens). What was due meanwhile has
 * happened when it was due: the timer of the flush queue, and the trimming of the IOVA space's
 * depots, 100 ms after each became due. The clock starts at 0 and moves only here. Of several
 * devices over one IOVA space one should have a clock.
 */
IOMMUSIM_API void iommusim_dma_set_clock(struct iommusim_dma *dma, uint64_t now_ns);

/** Plain counters since the device was created; the windows count in the simulated clock. */
struct iommusim_dma_stats {
	uint64_t nr_map, nr_unmap; /* IOVA ranges taken for mappings, and ended */
	uint64_t nr_iova_failed;   /* mappings that found no IOVA */
	uint64_t nr_low_failed;    /* tries below 4 GiB in vain, before the mask's limit is tried */
	uint64_t nr_flush_all;     /* invalidations of the whole domain, by the flush queue */
	uint64_t nr_flush_full;    /* of them: because a ring was full */
	uint64_t nr_flush_timer;   /* of them: by the timer */
	uint64_t nr_exposed;       /* unmaps whose stale IOTLB entries were left for later */
	uint64_t exposed_bytes;    /* reachable through such entries now */
	uint64_t exposed_bytes_most;                /* the most at one time */
	uint64_t exposed_ns_longest;                /* from unmap to invalidation */
	uint64_t exposed_ns_sum;                    /* of all windows that have ended, for a mean */
	uint64_t nr_queued;                         /* IOVA ranges that wait in the queue now */
	uint64_t nr_bounced;                        /* pieces that went through bounce buffers */
	uint64_t nr_slots, nr_slots_most;           /* of bounce buffers in use: now, the most */
	uint64_t copied_in, copied_out;             /* bytes copied to bounce buffers, and back */
	uint64_t synced_for_device, synced_for_cpu; /* bytes of cache maintenance */
	uint64_t nr_flush_page;                     /* calls of flush_page */
	uint64_t nr_pool_pages;                     /* CPU pages of the atomic pool in use now */
};

IOMMUSIM_API struct iommusim_dma_stats iommusim_dma_stats(const struct iommusim_dma *dma);

/** dma_max_mapping_size() in bytes: UINT64_MAX, or what bounce buffers can hold. */
IOMMUSIM_API uint64_t iommusim_dma_max_mapping(const struct iommusim_dma *dma);

/** dma_opt_mapping_size() in bytes: the largest mapping whose IOVA range is cached, 32 pages. */
IOMMUSIM_API uint64_t iommusim_dma_opt_mapping(const struct iommusim_dma *dma);

/** dma_get_merge_boundary(): granule - 1. */
IOMMUSIM_API uint64_t iommusim_dma_merge_boundary(const struct iommusim_dma *dma);

/* ---- Addresses that are not to be used ---- */

/** Why a range of IOVAs is kept out of the allocator. */
enum iommusim_region_kind {
	IOMMUSIM_REGION_HOST_WINDOW, /* memory behind the PCI host bridge */
	IOMMUSIM_REGION_RESERVED,
	IOMMUSIM_REGION_MSI,    /* where message interrupts go */
	IOMMUSIM_REGION_SW_MSI, /* the same by software: not reserved, as in Linux */
	IOMMUSIM_REGION_DIRECT  /* mapped one to one, rounded to granules */
};

struct iommusim_region {
	enum iommusim_region_kind kind;
	uint64_t first, last; /* bytes */
	unsigned prot;        /* of a direct one: IOMMUSIM_PROT_* */
};

/**
 * Reserve a region. Models iova_reserve_pci_windows(), iova_reserve_iommu_regions() and
 * iommu_create_resv_region_direct_mappings(), Linux 6.1 and 6.12. Returns 0; -IOMMUSIM_EINVAL: not
 * a range; or as iommusim_iova_reserve() and, for a direct one, iommusim_domain_map().
 */
IOMMUSIM_API int iommusim_dma_reserve(struct iommusim_dma *dma,
                                      const struct iommusim_region *region);

/**
 * The device reaches memory only through @nr inbound windows, in ascending order: what lies between
 * them, below and above is reserved; the first frame of each window too, since Linux takes the end
 * of a gap, its first byte beyond, for its last. Of each only first and last are looked at. Models
 * iova_reserve_pci_windows(). Returns 0; -IOMMUSIM_EINVAL: not ascending; -IOMMUSIM_EFAULT
 * (logged): all of it is outside of the aperture; or as iommusim_iova_reserve(), the gaps before it
 * stay reserved then.
 */
IOMMUSIM_API int iommusim_dma_reserve_gaps(struct iommusim_dma *dma,
                                           const struct iommusim_region *window, size_t nr);

/** What a driver asks for. */
struct iommusim_dma_request {
	const struct iommusim_policy *policy; /* NULL: the one of the device's kernel version */
	uint64_t size;                        /* bytes, at least 1 */
	uint32_t gfp;
	uint32_t attrs; /* IOMMUSIM_ATTR_* */
};

/** Which step of an allocation failed. */
enum iommusim_dma_step {
	IOMMUSIM_DMA_DONE,
	IOMMUSIM_DMA_CHECK, /* the arguments */
	IOMMUSIM_DMA_PAGES, /* the policy, or the size */
	IOMMUSIM_DMA_IOVA,  /* no IOVA range */
	IOMMUSIM_DMA_MAP    /* the domain */
};

/** A buffer. On failure the chunks that were obtained stay listed, though they are freed again. */
struct iommusim_dma_buffer {
	uint64_t dma_addr; /* the IOVA of its first byte */
	uint64_t size;     /* bytes mapped: what was asked for, rounded up to the granule */
	struct iommusim_chunks chunks;
	struct iommusim_sg *sg; /* physically contiguous pieces, in buffer order */
	size_t nr_sg;
	enum iommusim_dma_step failed; /* where, if it failed */
	unsigned in_pool;              /* 1: its pages belong to the atomic pool */
};

/**
 * Get a buffer of scattered pages with one IOVA range. Pages by the policy, then the IOVA range,
 * the scatterlist, the mapping; any failure undoes what came before it. Models
 * __iommu_dma_alloc_noncontiguous(), drivers/iommu/dma-iommu.c, Linux 6.1 and 6.12, shared by the
 * DMA API's alloc and noncontiguous calls; simplifies: no kernel mapping, and the page array, the
 * scatterlist and page-table pages cost no simulated memory; differs: in extended mode the pages
 * that rounding up to a granule above the CPU page added are freed with the buffer; Linux would
 * lose them, which is IOMMUSIM_FINDING_LOST_TAIL in buffer->chunks.findings.
 *
 * @buffer is the caller's, uninitialised; iommusim_dma_free() takes back what it holds, after a
 * failure too. Returns 0; -IOMMUSIM_ENOMEM: no pages or no IOVA range (a result);
 * -IOMMUSIM_EINVAL: the domain refused the mapping, or size 0; -IOMMUSIM_EHOST; or the driver's
 * error.
 */
IOMMUSIM_API int iommusim_dma_alloc_chunks(struct iommusim_dma *dma,
                                           const struct iommusim_dma_request *req,
                                           struct iommusim_dma_buffer *buffer);

/**
 * As iommusim_dma_alloc_chunks() behind the checks of dma_alloc_noncontiguous(), Linux 6.12: an
 * attribute other than ALLOC_SINGLE_PAGES, or COMP in gfp, is -IOMMUSIM_EINVAL (step CHECK,
 * logged).
 */
IOMMUSIM_API int iommusim_dma_alloc_noncontiguous(struct iommusim_dma *dma,
                                                  const struct iommusim_dma_request *req,
                                                  struct iommusim_dma_buffer *buffer);

/**
 * As dma_alloc_attrs() on a device behind an IOMMU. Pages come by the policy; or, if gfp does not
 * allow to block or with FORCE_CONTIGUOUS, as one block of the smallest order that holds the size
 * (one chunk, freed as a block), and from the atomic pool if gfp does not allow to block and the
 * device is not coherent. Zone bits in gfp are dropped, ZERO is added; COMP is -IOMMUSIM_EINVAL
 * (step CHECK) since 6.2. NO_KERNEL_MAPPING, NO_WARN and WRITE_COMBINE change nothing here, as in
 * Linux 6.1 and 6.12. Models iommu_dma_alloc(), drivers/iommu/dma-iommu.c; simplifies: no CMA.
 */
IOMMUSIM_API int iommusim_dma_alloc(struct iommusim_dma *dma,
                                    const struct iommusim_dma_request *req,
                                    struct iommusim_dma_buffer *buffer);

/**
 * As dma_alloc_pages(): one block of the smallest order that holds the size, mapped below the
 * streaming mask. A zone bit or COMP in gfp is -IOMMUSIM_EINVAL (step CHECK, logged). Models
 * dma_common_alloc_pages(), kernel/dma/ops_helpers.c, Linux 6.1 and 6.12; simplifies: no CMA. The
 * attributes and the policy are not looked at.
 */
IOMMUSIM_API int iommusim_dma_alloc_pages(struct iommusim_dma *dma,
                                          const struct iommusim_dma_request *req,
                                          struct iommusim_dma_buffer *buffer);

/**
 * Unmap, free the IOVA range and the pages (the last first), and the arrays of @buffer. Models
 * iommu_dma_free_noncontiguous(), which goes on where a driver unmaps too little, or too much.
 * Returns 0; -IOMMUSIM_EIO (logged): the driver did so; or the page source's error. Safe on a
 * buffer that failed and on a zeroed one.
 */
IOMMUSIM_API int iommusim_dma_free(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer);

/* ---- Streaming mappings of memory that is there ---- */

/** Who writes and who reads, by their values in include/linux/dma-direction.h. */
enum iommusim_dma_direction {
	IOMMUSIM_DMA_BIDIRECTIONAL,
	IOMMUSIM_DMA_TO_DEVICE,
	IOMMUSIM_DMA_FROM_DEVICE
};

/** The address of what is not mapped: DMA_MAPPING_ERROR. */
#define IOMMUSIM_DMA_ERROR UINT64_MAX

/** A physically contiguous piece of memory, and where the device sees it. */
struct iommusim_dma_mapping {
	uint64_t pa, size; /* bytes; size at least 1 */
	enum iommusim_dma_direction direction;
	uint32_t attrs;    /* IOMMUSIM_ATTR_SKIP_CPU_SYNC, _PRIVILEGED */
	uint64_t dma_addr; /* filled by the map calls, IOMMUSIM_DMA_ERROR on failure */
};

/**
 * Map a piece: its granules whole, so that what lies beside it becomes reachable too, unless the
 * device is untrusted: then a piece that is off the granule goes through a bounce buffer. So do,
 * with kmalloc_align, small pieces that a device that is not coherent writes to. Models
 * iommu_dma_map_page(), drivers/iommu/dma-iommu.c, Linux 6.1 and 6.12.
 *
 * Returns 0; where Linux's dma_mapping_error() says -ENOMEM for everything: -IOMMUSIM_ENOMEM: no
 * IOVA range, or no bounce buffer (a result; logged where there are none at all);
 * -IOMMUSIM_EINVAL (logged): size 0, the end beyond 2^64, or min_align_mask; -IOMMUSIM_EHOST; or
 * as iommusim_domain_map(). On success the address may be IOMMUSIM_DMA_ERROR, if the mask has 64
 * bits and the piece begins at the last byte of a granule: Linux's callers take that for a failure.
 */
IOMMUSIM_API int iommusim_dma_map_page(struct iommusim_dma *dma,
                                       struct iommusim_dma_mapping *mapping);

/**
 * Undo it: copy back what the device wrote to a bounce buffer, unmap, invalidate or leave that to
 * the flush queue, free the IOVA range. Returns 0; -IOMMUSIM_EIO (logged): the driver unmapped too
 * little or too much; Linux warns and goes on, and so does this. Models iommu_dma_unmap_page().
 */
IOMMUSIM_API int iommusim_dma_unmap_page(struct iommusim_dma *dma,
                                         const struct iommusim_dma_mapping *mapping);

/** The same for registers of another device: MMIO, not cacheable, never bounced. Models
    iommu_dma_map_resource() and its counterpart. */
IOMMUSIM_API int iommusim_dma_map_resource(struct iommusim_dma *dma,
                                           struct iommusim_dma_mapping *mapping);
IOMMUSIM_API int iommusim_dma_unmap_resource(struct iommusim_dma *dma,
                                             const struct iommusim_dma_mapping *mapping);

/** The CPU, or the device, is about to look at @size bytes from @offset on: caches are maintained
    (if the device is not coherent), bounce buffers copied. Returns 0 or -IOMMUSIM_EINVAL (logged):
    beyond the mapping. */
IOMMUSIM_API int iommusim_dma_sync_for_cpu(struct iommusim_dma *dma,
                                           const struct iommusim_dma_mapping *mapping,
                                           uint64_t offset, uint64_t size);
IOMMUSIM_API int iommusim_dma_sync_for_device(struct iommusim_dma *dma,
                                              const struct iommusim_dma_mapping *mapping,
                                              uint64_t offset, uint64_t size);

/* ---- Scatterlists ---- */

/** One entry: @length bytes at @offset of the page at @page_pa, and after a map call the DMA
    segment that has the same number, which need not be of the same memory. */
struct iommusim_dma_sg {
	uint64_t page_pa;
	uint32_t offset, length; /* offset may exceed a page; length at least 1 */
	uint32_t is_bus;         /* 1: memory of a peer, reached without the IOMMU at @bus_addr */
	uint32_t dma_is_bus;     /* of the segment */
	uint64_t dma_length;
	uint64_t bus_addr, dma_addr;
};

struct iommusim_dma_list {
	struct iommusim_dma_sg *sg;
	size_t nr;
	enum iommusim_dma_direction direction;
	uint32_t attrs;    /* as in struct iommusim_dma_mapping */
	unsigned is_split; /* filled by the map call: each entry has a range of its own (bounced) */
};

/**
 * Map a list to one IOVA range, and merge what adjoins there into DMA segments. Returns their
 * number in *@nr_segments; unused entries get the length 0 and the address IOMMUSIM_DMA_ERROR, on
 * failure all of them. Models iommu_dma_map_sg(), drivers/iommu/dma-iommu.c, Linux 6.1 and 6.12,
 * by the device's kernel: padding to granules and boundaries, in 32 bits, and the merging with its
 * unsigned comparison.
 *
 * Returns 0; -IOMMUSIM_ENOMEM: no IOVA range, or from the domain (results); -IOMMUSIM_EINVAL: an
 * empty list, an entry without bytes, or anything else that the domain refuses; -IOMMUSIM_EIO: an
 * entry that must be bounced cannot be; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_dma_map_sg(struct iommusim_dma *dma, struct iommusim_dma_list *list,
                                     size_t *nr_segments);

/** Undo it. Returns 0 or -IOMMUSIM_EIO, as iommusim_dma_unmap_page(). */
IOMMUSIM_API int iommusim_dma_unmap_sg(struct iommusim_dma *dma, struct iommusim_dma_list *list);

/* ---- One IOVA range, linked piece by piece (since 6.16) ---- */

/** A range that a driver has reserved. Zeroed: none. */
struct iommusim_dma_iova {
	uint64_t addr;       /* of its first byte, as far into a granule as the first piece */
	uint64_t size;       /* bytes that were asked for */
	unsigned is_bounced; /* 1: a piece of it went through a bounce buffer */
};

/** @size bytes at @pa, @offset bytes into the range. */
struct iommusim_dma_piece {
	uint64_t offset, pa, size;
	enum iommusim_dma_direction direction;
	uint32_t attrs; /* as in struct iommusim_dma_mapping */
};

/**
 * Reserve IOVA for @size bytes of which the first will be at @pa (0 does for granule-aligned
 * memory). Models dma_iova_try_alloc(), Linux 6.16. Returns 0; -IOMMUSIM_ENODEV (logged): an older
 * kernel; -IOMMUSIM_EINVAL: size 0; -IOMMUSIM_ENOMEM: no range (a result): the caller then maps its
 * pieces one by one.
 */
IOMMUSIM_API int iommusim_dma_iova_try_alloc(struct iommusim_dma *dma,
                                             struct iommusim_dma_iova *state, uint64_t pa,
                                             uint64_t size);

/** Free a range into which nothing is linked (any more). Safe on a zeroed one. */
IOMMUSIM_API void iommusim_dma_iova_free(struct iommusim_dma *dma, struct iommusim_dma_iova *state);

/**
 * Map a piece into the range: its granules whole, without telling the driver to sync. Where an
 * untrusted device would reach beyond the piece, its ends go through bounce buffers. Models
 * dma_iova_link(). Returns 0; -IOMMUSIM_EIO (logged): a piece that starts within a granule, but not
 * at offset 0; -IOMMUSIM_EINVAL: beyond the range; -IOMMUSIM_ENOMEM: no bounce buffer; or as
 * iommusim_domain_map(). On failure nothing of the piece stays linked.
 */
IOMMUSIM_API int iommusim_dma_iova_link(struct iommusim_dma *dma, struct iommusim_dma_iova *state,
                                        const struct iommusim_dma_piece *piece);

/** Tell the driver to sync what was linked. Returns 0 or the driver's error. */
IOMMUSIM_API int iommusim_dma_iova_sync(struct iommusim_dma *dma,
                                        const struct iommusim_dma_iova *state, uint64_t offset,
                                        uint64_t size);

/** Unmap a piece (its pa does not matter) and invalidate at once. Returns 0 or -IOMMUSIM_EIO, as
    iommusim_dma_unmap_page(). */
IOMMUSIM_API int iommusim_dma_iova_unlink(struct iommusim_dma *dma, struct iommusim_dma_iova *state,
                                          const struct iommusim_dma_piece *piece);

/** Unmap the first @mapped->size bytes and free the whole range, through the flush queue if there
   is one. Returns 0 or -IOMMUSIM_EIO. @state is zeroed. */
IOMMUSIM_API int iommusim_dma_iova_destroy(struct iommusim_dma *dma,
                                           struct iommusim_dma_iova *state,
                                           const struct iommusim_dma_piece *mapped);

#ifdef __cplusplus
}
#endif

#endif
