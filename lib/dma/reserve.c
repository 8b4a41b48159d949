/* SPDX-License-Identifier: MIT */
/* What of the IOVA space is not to be used, and what is mapped before the first driver comes. */
#include "dma/device.h"

static uint64_t frame_of(const struct iommusim_dma *dma, uint64_t addr)
{
	return addr >> iommusim_iova_granule_lg2(dma->config.iova);
}

static int reserve(struct iommusim_dma *dma, uint64_t first, uint64_t last)
{
	struct iommusim_iova_range range = { frame_of(dma, first), frame_of(dma, last) };

	return iommusim_iova_reserve(dma->config.iova, &range);
}

/* Whole granules, one to one. */
static int map_directly(struct iommusim_dma *dma, const struct iommusim_region *region)
{
	uint64_t granule = isim_dma_granule(dma), start = isim_align_down(region->first, granule);
	struct iommusim_map map = { .iova = start,
		                    .pa = start,
		                    .size = (region->last | (granule - 1)) - start + 1,
		                    .prot = region->prot,
		                    .gfp = IOMMUSIM_GFP_KERNEL };

	return iommusim_domain_map(dma->config.domain, &map);
}

int iommusim_dma_reserve(struct iommusim_dma *dma, const struct iommusim_region *region)
{
	uint64_t granule = isim_dma_granule(dma);
	int err;

	if (region->first > region->last || region->kind > IOMMUSIM_REGION_DIRECT ||
	    (region->first < granule && (region->last | (granule - 1)) == UINT64_MAX))
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL, "0x%llx .. 0x%llx is no region",
		                 (unsigned long long)region->first,
		                 (unsigned long long)region->last);
	if (region->kind == IOMMUSIM_REGION_SW_MSI)
		return 0;
	if (region->kind != IOMMUSIM_REGION_DIRECT)
		return reserve(dma, region->first, region->last);
	err = map_directly(dma, region);
	if (err)
		return err;
	err = reserve(dma, region->first, region->last);
	if (err)
		iommusim_domain_unmap(dma->config.domain, isim_align_down(region->first, granule),
		                      (region->last | (granule - 1)) -
		                              isim_align_down(region->first, granule) + 1);
	return err;
}

static int check_windows(struct iommusim_dma *dma, const struct iommusim_region *window, size_t nr)
{
	uint64_t limit = dma->config.aperture_last ? dma->config.aperture_last : UINT64_MAX;

	for (size_t i = 0; i < nr; i++)
		if (window[i].first > window[i].last ||
		    (i && window[i].first <= window[i - 1].last))
			return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
			                 "window %lu is not above the one before",
			                 (unsigned long)i);
	if (nr && (window[0].first > limit || window[nr - 1].last < dma->config.aperture_start))
		return isim_fail(&dma->diag, IOMMUSIM_EFAULT,
		                 "specified DMA range outside IOMMU capability");
	return 0;
}

int iommusim_dma_reserve_gaps(struct iommusim_dma *dma, const struct iommusim_region *window,
                              size_t nr)
{
	uint64_t start = 0;
	int err = check_windows(dma, window, nr);

	for (size_t i = 0; !err && i < nr; i++) {
		if (window[i].first > start)
			err = reserve(dma, start, window[i].first);
		start = window[i].last + 1;
	}
	if (!err && nr && start)
		err = reserve(dma, start, UINT64_MAX);
	return err;
}
