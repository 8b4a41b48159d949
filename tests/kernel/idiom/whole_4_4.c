/* SPDX-License-Identifier: MIT */
/* The whole of an allocation as in 4.4: pages, a range, a table, cache maintenance, a mapping. */
#define IDIOM_HAS_CALLER
#include "dma_4_4.c"

static struct page **get_buffer(struct device *dev, size_t size, gfp_t gfp, int prot,
                                dma_addr_t *handle,
                                void (*flush_page)(struct device *, const void *, phys_addr_t))
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);
	struct iova_domain *iovad = domain->iova_cookie;
	unsigned int count = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct page **pages = get_pages(count, gfp);
	struct sg_table sgt;
	struct iova *iova;
	dma_addr_t address;

	*handle = DMA_ERROR_CODE;
	if (!pages)
		return NULL;
	/* Linux would refuse it, unless the pages happen to lie on the granule. */
	size = PAGE_ALIGN(size);
#if IOMMUSIM_KERNEL_VERSION < 4009
	iova = __alloc_iova(iovad, size, dev->coherent_dma_mask);
#else
	iova = __alloc_iova(domain, size, dev->coherent_dma_mask);
#endif
	if (!iova)
		goto no_iova;
	if (sg_alloc_table_from_pages(&sgt, pages, count, 0, size, GFP_KERNEL))
		goto no_table;
	if (!(prot & IOMMU_CACHE)) {
		struct sg_mapping_iter miter;

		sg_miter_start(&miter, sgt.sgl, sgt.orig_nents, SG_MITER_FROM_SG);
		while (sg_miter_next(&miter))
			flush_page(dev, miter.addr, page_to_phys(miter.page));
		sg_miter_stop(&miter);
	}
	address = iova_dma_addr(iovad, iova);
	domain->pgsize_bitmap |= PAGE_SIZE; /* so that this test is about the pages alone */
	if (iommu_map_sg(domain, address, sgt.sgl, sgt.orig_nents, prot) < size)
		goto no_mapping;
	*handle = address;
	sg_free_table(&sgt);
	return pages;

no_mapping:
	sg_free_table(&sgt);
no_table:
	__free_iova(iovad, iova);
no_iova:
	give_back(pages, count);
	return NULL;
}

IOMMUSIM_KERNEL_POLICY(get_buffer)
