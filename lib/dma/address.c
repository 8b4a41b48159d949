/* SPDX-License-Identifier: MIT */
/* Where in the IOVA space a mapping may lie, and whether addresses below 4 GiB are tried first. */
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

/*
 * A PCI device tries below 4 GiB first, 6.1 for every request, 6.12 until that failed once. The
 * caches of freed ranges are not emptied for that. -ENOMEM where there is no room, or no try.
 */
static int try_low(struct iommusim_dma *dma, uint64_t nr, uint64_t limit, uint64_t *lo)
{
	unsigned shift = iommusim_iova_granule_lg2(dma->config.iova);
	int err;

	if (!dma->try32 || limit <= UINT32_MAX)
		return -IOMMUSIM_ENOMEM;
	err = iommusim_iova_alloc_fast(dma->config.iova, nr, UINT32_MAX >> shift, lo);
	if (err != -IOMMUSIM_ENOMEM)
		return err;
	dma->stats.nr_low_failed++;
	if (dma->config.kernel >= IOMMUSIM_KERNEL(6, 12))
		dma->try32 = 0;
	return err;
}

/* Models iommu_dma_alloc_iova(), drivers/iommu/dma-iommu.c, Linux 6.1 and 6.12. */
int isim_dma_get_iova(struct iommusim_dma *dma, uint64_t size, uint64_t mask, uint64_t *iova)
{
	unsigned shift = iommusim_iova_granule_lg2(dma->config.iova);
	uint64_t limit = address_limit(&dma->config, mask), lo;
	int err = try_low(dma, size >> shift, limit, &lo);

	if (err == -IOMMUSIM_ENOMEM)
		err = iommusim_iova_alloc_fast(dma->config.iova, size >> shift, limit >> shift,
		                               &lo);
	if (err == -IOMMUSIM_ENOMEM)
		dma->stats.nr_iova_failed++;
	if (!err)
		*iova = lo << shift;
	return err;
}

void isim_dma_put_iova(struct iommusim_dma *dma, uint64_t iova, uint64_t size)
{
	iommusim_iova_free(dma->config.iova, iova >> iommusim_iova_granule_lg2(dma->config.iova));
}
