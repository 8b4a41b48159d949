/* SPDX-License-Identifier: MIT */
/* A remapped buffer that is unmapped by a function of the same file, with a gather. */
#ifndef IOMMUSIM_KERNEL_OWN_UNMAP
#define IOMMUSIM_KERNEL_OWN_UNMAP
#endif
#include <iommusim/kernel.h>

/* Whole granules, flushed at once unless there is a queue. */
static void __iommu_dma_unmap(struct device *dev, dma_addr_t address, size_t len)
{
	struct iommu_domain *domain = iommu_get_dma_domain(dev);
	struct iommu_dma_cookie *own = domain->iova_cookie;
	size_t before = iova_offset(&own->iovad, address);
	size_t all = iova_align(&own->iovad, before + len);
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	gather.queued = READ_ONCE(own->fq_domain) != NULL;
	WARN_ON(gather.start <= gather.end);
	WARN_ON(iommu_unmap_fast(domain, address - before, all, &gather) != all);
	if (!gather.queued)
		iommu_iotlb_sync(domain, &gather);
	iommu_dma_free_iova(own, address - before, all, &gather);
}

#include "remap.c"
