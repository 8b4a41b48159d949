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
	IOMMUSIM_DOMAIN_STRICT,  /* as a DMA domain of Linux: BUG(), so it is refused */
	IOMMUSIM_DOMAIN_EXTENDED /* accepted, as by an unmanaged domain */
};

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
	unsigned is_pci;        /* 1: addresses below 4 GiB are tried first */
	unsigned forcedac;      /* 1: but not with iommu.forcedac */
	int node;               /* preferred for pages; -1: any; default 0 */
	struct iommusim_domain
		*domain; /* these three are the caller's and must outlive the device */
	struct iommusim_iova *iova;
	const struct iommusim_page_source *source; /* copied */
	const struct iommusim_host *host;
};

struct iommusim_dma; /* opaque: a device */

/**
 * Create a device. Returns 0; -IOMMUSIM_EBUG (logged): strict mode, and the IOVA granule is above
 * the CPU page, where init_iova_domain() stops with BUG(); -IOMMUSIM_EINVAL (logged): parts that
 * are missing or do not fit; -IOMMUSIM_E2BIG; -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_dma_create(const struct iommusim_dma_config *config,
                                     struct iommusim_dma **dma);

/** Free the handle. Buffers must have been freed, else their pages and ranges stay in use. */
IOMMUSIM_API void iommusim_dma_destroy(struct iommusim_dma *dma);

/**
 * A copy of @dma in the same state, over copies of what it uses. Of @parts only domain, iova and
 * source are looked at. Returns 0 or -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_dma_fork(const struct iommusim_dma *dma,
                                   const struct iommusim_dma_config *parts,
                                   struct iommusim_dma **copy);

IOMMUSIM_API const char *iommusim_dma_error(const struct iommusim_dma *dma);

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
};

/**
 * Get a buffer of scattered pages with one IOVA range. Pages by the policy, then the IOVA range,
 * the scatterlist, the mapping; any failure undoes what came before it. Models
 * __iommu_dma_alloc_noncontiguous(), drivers/iommu/dma-iommu.c, Linux 6.1 and 6.12, shared by the
 * DMA API's alloc and noncontiguous calls; simplifies: no kernel mapping, and the page array, the
 * scatterlist and page-table pages cost no simulated memory; differs: in extended mode the pages
 * that rounding up to a granule above the CPU page added are freed with the buffer (Linux would
 * leak them).
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
 * Unmap, free the IOVA range and the pages (the last first), and the arrays of @buffer. Models
 * iommu_dma_free_noncontiguous(), which goes on where a driver unmaps too little, or too much.
 * Returns 0; -IOMMUSIM_EIO (logged): the driver did so; or the page source's error. Safe on a
 * buffer that failed and on a zeroed one.
 */
IOMMUSIM_API int iommusim_dma_free(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer);

#ifdef __cplusplus
}
#endif

#endif
