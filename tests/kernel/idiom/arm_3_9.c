/* SPDX-License-Identifier: MIT */
/* arch/arm before 4.6: the largest order that fits, with the full effort. */
#include <iommusim/kernel.h>

static struct page **get_buffer(struct device *dev, size_t size, gfp_t gfp, struct dma_attrs *attrs)
{
	int count = size >> PAGE_SHIFT, i = 0;
	size_t bytes = count * sizeof(struct page *);
	struct page **pages;

	if (bytes <= PAGE_SIZE)
		pages = kzalloc(bytes, GFP_KERNEL);
	else
		pages = vzalloc(bytes);
	if (!pages)
		return NULL;
	if (dma_get_attr(DMA_ATTR_FORCE_CONTIGUOUS, attrs)) {
		struct page *page = dma_alloc_from_contiguous(dev, count, get_order(size));

		if (!page)
			goto error;
		__dma_clear_buffer(page, size);
		outer_flush_range(__pa(page_address(page)),
		                  __pfn_to_phys(page_to_pfn(page)) + size);
		for (i = 0; i < count; i++)
			pages[i] = page + i;
		return pages;
	}
	gfp |= __GFP_NOWARN | __GFP_HIGHMEM;
	while (count) {
		int j, order = __fls(count);

		pages[i] = alloc_pages(gfp, order);
		while (!pages[i] && order)
			pages[i] = alloc_pages(gfp, --order);
		if (!pages[i])
			goto error;
		if (order) {
			split_page(pages[i], order);
			for (j = (1 << order) - 1; j; j--)
				pages[i + j] = pages[i] + j;
		}
		__dma_clear_buffer(pages[i], PAGE_SIZE << order);
		i += 1 << order;
		count -= 1 << order;
	}
	return pages;
error:
	while (i--)
		if (pages[i])
			__free_pages(pages[i], 0);
	kvfree(pages);
	return NULL;
}

IOMMUSIM_KERNEL_POLICY(get_buffer)
