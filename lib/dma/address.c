/* SPDX-License-Identifier: MIT */
/* Where in the IOVA space a mapping may lie, and whether addresses below 4 GiB are tried first. */
#include <stdio.h>

#include "dma/device.h"

/* The lowest of the limits that there are. */
static uint64_t address_limit(const struct iommusim_dma_config *c, uint64_t mask)
{
	uint64_t limit = mask;

	if (c->bus_limit && c->bus_limit < limit)
		limit = c->bus_limit;
	if (c->aperture_last && c->aperture_last < limit)
		limit = c->aperture_last;
	return limit;
}

/* A notice, not an error. */
static void give_up_low(struct iommusim_dma *dma, uint64_t limit)
{
	char line[40];

	dma->try32 = 0;
	snprintf(line, sizeof(line), "Using %u-bit DMA addresses", isim_high_bit(limit) + 1);
	dma->diag.host.log(dma->diag.host.log_ctx, line);
}

/*
 * A PCI device tries below 4 GiB first, 6.1 for every request, 6.12 until that failed once. The
 * caches of freed ranges are not emptied for that. -ENOMEM where there is no room, or no try.
 */
static int try_low(struct iommusim_dma *dma, struct iommusim_iova_request req, uint64_t *lo)
{
	uint64_t limit = req.limit;
	int err;

	if (!dma->try32 || limit <= UINT32_MAX)
		return -IOMMUSIM_ENOMEM;
	req.limit = UINT32_MAX >> iommusim_iova_granule_lg2(dma->config.iova);
	err = iommusim_iova_alloc_fast(dma->config.iova, &req, lo);
	if (err != -IOMMUSIM_ENOMEM)
		return err;
	dma->stats.nr_low_failed++;
	if (dma->config.kernel >= IOMMUSIM_KERNEL(6, 4))
		give_up_low(dma, limit);
	return err;
}

/* Models iommu_dma_alloc_iova(), drivers/iommu/dma-iommu.c, Linux 6.1 and 6.12. */
int isim_dma_get_iova(struct iommusim_dma *dma, uint64_t size, uint64_t mask, uint64_t *iova)
{
	unsigned shift = iommusim_iova_granule_lg2(dma->config.iova);
	struct iommusim_iova_request req = { .size = size >> shift,
		                             .limit = address_limit(&dma->config, mask),
		                             .cpu = dma->cpu };
	uint64_t lo;
	int err = try_low(dma, req, &lo);

	if (err == -IOMMUSIM_ENOMEM) {
		req.limit >>= shift;
		req.flush = 1;
		err = iommusim_iova_alloc_fast(dma->config.iova, &req, &lo);
	}
	if (err == -IOMMUSIM_ENOMEM)
		dma->stats.nr_iova_failed++;
	if (!err)
		*iova = lo << shift;
	return err;
}

/* To the caches of the CPU, or to the tree where it has none (it may be offline). */
void isim_dma_put_iova(struct iommusim_dma *dma, uint64_t iova, uint64_t size)
{
	unsigned shift = iommusim_iova_granule_lg2(dma->config.iova);

	if (iommusim_iova_free_fast(dma->config.iova, iova >> shift, size >> shift, dma->cpu))
		iommusim_iova_free(dma->config.iova, iova >> shift);
}
