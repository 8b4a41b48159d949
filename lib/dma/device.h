/* SPDX-License-Identifier: MIT */
/* A device, as its parts see it. */
#ifndef ISIM_DMA_DEVICE_H
#define ISIM_DMA_DEVICE_H

#include "base/bits.h"
#include "base/host.h"
#include "dma/clock.h"
#include "dma/flush_queue.h"
#include "dma/pool.h"
#include "dma/swiotlb.h"
#include "iommusim/dma.h"

struct iommusim_dma {
	struct isim_diag diag;
	struct iommusim_dma_config config;
	struct iommusim_page_source source;
	struct iommusim_dma_stats stats;
	int try32; /* addresses below 4 GiB first */
	unsigned cpu;
	struct isim_clock clock;
	struct isim_flush_queue queue;
	struct isim_swiotlb swiotlb;
	struct isim_pool pool;
	struct iommusim_sg *scratch; /* the list that map_sg hands to the domain */
	size_t cap_scratch;
};

static inline uint64_t isim_dma_granule(const struct iommusim_dma *dma)
{
	return isim_bit(iommusim_iova_granule_lg2(dma->config.iova));
}

/* ---- address.c: ranges of IOVA ---- */

/* @size bytes, a multiple of the granule, none above @mask. 0, -ENOMEM or -EHOST. */
int isim_dma_get_iova(struct iommusim_dma *dma, uint64_t size, uint64_t mask, uint64_t *iova);
void isim_dma_put_iova(struct iommusim_dma *dma, uint64_t iova, uint64_t size);

/* ---- map.c: one range ---- */

struct isim_dma_range {
	uint64_t pa, size, mask;
	unsigned prot;
};

/* The gfp that the domain is told where Linux may not sleep. */
uint32_t isim_dma_atomic_gfp(const struct iommusim_dma *dma);

/* IOMMUSIM_PROT_* of a mapping. */
unsigned isim_dma_prot(const struct iommusim_dma *dma, enum iommusim_dma_direction direction,
                       uint32_t attrs);

/* The granules that hold @range, and the address of its first byte. Models __iommu_dma_map(). */
int isim_dma_map_range(struct iommusim_dma *dma, const struct isim_dma_range *range,
                       uint64_t *addr);

/* The other way, and the IOVA range. 0, or -EIO where the driver unmaps too little or too much.
   Models __iommu_dma_unmap(). */
int isim_dma_unmap_range(struct iommusim_dma *dma, uint64_t addr, uint64_t size);

/* The two halves of that: unmap whole granules, and leave the invalidation to the flush queue if
   @may_queue and there is one; free the range, or queue it. */
uint64_t isim_dma_unmap(struct iommusim_dma *dma, uint64_t iova, uint64_t size, int may_queue);
void isim_dma_release_iova(struct iommusim_dma *dma, uint64_t iova, uint64_t size);

/* Must @size bytes at @pa go through a bounce buffer? */
int isim_dma_needs_bounce(const struct iommusim_dma *dma, uint64_t pa, uint64_t size,
                          enum iommusim_dma_direction direction);
/* Does the size alone say so, at whatever address? Models dma_kmalloc_needs_bounce(). */
int isim_dma_is_small(const struct iommusim_dma *dma, uint64_t size,
                      enum iommusim_dma_direction direction);

/* Move *@pa to a bounce buffer that stands for it. What is there is copied in whatever the
   direction, so that no stale memory leaks out. */
int isim_dma_bounce(struct iommusim_dma *dma, uint64_t *pa, uint64_t size);

/* If @pa is in a bounce buffer: copy @mapping's bytes back if the device wrote them, and free it.
 */
void isim_dma_unbounce(struct iommusim_dma *dma, uint64_t pa,
                       const struct iommusim_dma_mapping *mapping);

/* Cache maintenance of a device that is not coherent: counted. */
void isim_dma_sync_device(struct iommusim_dma *dma, uint64_t size, uint32_t attrs);
void isim_dma_sync_cpu(struct iommusim_dma *dma, uint64_t size, uint32_t attrs);

/* The pages of @req's buffer, as @policy gets them from the device's source. */
static inline struct iommusim_chunk_job isim_dma_job(struct iommusim_dma *dma,
                                                     const struct iommusim_policy *policy,
                                                     const struct iommusim_dma_request *req)
{
	const struct iommusim_dma_config *c = &dma->config;

	return (struct iommusim_chunk_job){ .policy = policy,
		                            .req = { .size = req->size,
		                                     .pgsizes = iommusim_domain_pgsizes(c->domain),
		                                     .page_shift = c->page_shift,
		                                     .max_order = c->nr_orders - 1,
		                                     .gfp = req->gfp,
		                                     .attrs = req->attrs,
		                                     .node = c->node },
		                            .source = &dma->source,
		                            .host = &dma->diag.host };
}

#endif
