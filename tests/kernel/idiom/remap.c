/* SPDX-License-Identifier: MIT */
/* A remapped buffer; what it returns is an address. What it frees dma-iommu's functions free. */
#define IDIOM_HAS_CALLER
#include "dma_5_0.c"

static void *get_address(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
                         pgprot_t prot, unsigned long attrs)
{
	struct iommu_domain *domain = iommu_get_dma_domain(dev);
	unsigned long sizes = domain->pgsize_bitmap, min = sizes & -sizes;
	struct page **pages;
	unsigned int count;
	void *address;

	if (IOMMUSIM_KERNEL_VERSION < 5011 && iommu_dma_deferred_attach(dev, domain))
		return NULL;
	if (min < PAGE_SIZE) {
		min = PAGE_SIZE;
		sizes |= PAGE_SIZE;
	}
	if (attrs & DMA_ATTR_ALLOC_SINGLE_PAGES)
		sizes = min;
	size = ALIGN(size, min);
	count = size >> PAGE_SHIFT;
	pages = get_pages(dev, count, sizes >> PAGE_SHIFT, gfp);
	if (!pages)
		return NULL;
	*handle = iommu_dma_alloc_iova(domain, size, dev->coherent_dma_mask, dev);
	if (!*handle)
		goto no_iova;
	address = dma_common_pages_remap(pages, size, prot, __builtin_return_address(0));
	if (address)
		return address;
	__iommu_dma_unmap(dev, *handle, size);
no_iova:
	__iommu_dma_free_pages(pages, count);
	return NULL;
}

IOMMUSIM_KERNEL_POLICY(get_address)
