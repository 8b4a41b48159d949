/* SPDX-License-Identifier: MIT */
/* The whole of a noncontiguous allocation: size and page sizes to a mapped table. */
#include <iommusim/kernel.h>

#define IDIOM_HAS_CALLER
#include "dma_5_0.c"

static struct page **get_buffer(struct device *dev, size_t size, struct sg_table *sgt, gfp_t gfp,
                                unsigned long attrs)
{
	struct iommu_domain *domain = iommu_get_dma_domain(dev);
	struct iommu_dma_cookie *cookie = domain->iova_cookie;
	struct iova_domain *iovad = &cookie->iovad;
	bool coherent = dev_is_dma_coherent(dev);
	int ioprot = dma_info_to_prot(DMA_BIDIRECTIONAL, coherent, attrs);
	unsigned int count, min_size, alloc_sizes = domain->pgsize_bitmap;
	struct page **pages;
	dma_addr_t iova;
	ssize_t ret;

	if (static_branch_unlikely(&iommu_deferred_attach_enabled) &&
	    iommu_deferred_attach(dev, domain))
		return NULL;
	min_size = alloc_sizes & -alloc_sizes;
	if (min_size < PAGE_SIZE) {
		min_size = PAGE_SIZE;
		alloc_sizes |= PAGE_SIZE;
	} else {
		size = ALIGN(size, min_size);
	}
	if (attrs & DMA_ATTR_ALLOC_SINGLE_PAGES)
		alloc_sizes = min_size;
	count = PAGE_ALIGN(size) >> PAGE_SHIFT;
	pages = get_pages(dev, count, alloc_sizes >> PAGE_SHIFT, gfp);
	if (!pages)
		return NULL;
	size = iova_align(iovad, size);
	iova = iommu_dma_alloc_iova(domain, size, dev->coherent_dma_mask, dev);
	if (!iova)
		goto no_iova;
	gfp &= ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_COMP);
	if (sg_alloc_table_from_pages(sgt, pages, count, 0, size, gfp))
		goto no_table;
	if (!(ioprot & IOMMU_CACHE)) {
		struct scatterlist *sg;
		int i;

		for_each_sg(sgt->sgl, sg, sgt->orig_nents, i)
			arch_dma_prep_coherent(sg_page(sg), sg->length);
	}
	ret = iommu_map_sg(domain, iova, sgt->sgl, sgt->orig_nents, ioprot, gfp);
	if (ret < 0 || (size_t)ret < size)
		goto no_mapping;
	sgt->sgl->dma_address = iova;
	sgt->sgl->dma_length = size;
	return pages;

no_mapping:
	sg_free_table(sgt);
no_table:
	iommu_dma_free_iova(cookie, iova, size, NULL);
no_iova:
	give_back(pages, count);
	return NULL;
}

IOMMUSIM_KERNEL_POLICY(get_buffer)
