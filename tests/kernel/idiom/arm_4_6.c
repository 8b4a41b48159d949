/* SPDX-License-Identifier: MIT */
/* arch/arm since 4.6: a table of orders; attributes in a struct dma_attrs. */
#include <iommusim/kernel.h>

static const int orders[] = { 9, 8, 4, 0 };

static struct page **get_buffer(struct device *dev, size_t size, gfp_t gfp, struct dma_attrs *attrs,
                                int coherent_flag)
{
	int count = size >> PAGE_SHIFT, i = 0, rung = 0;
	size_t bytes = count * sizeof(struct page *);
	struct page **pages = bytes <= PAGE_SIZE ? kzalloc(bytes, GFP_KERNEL) : vzalloc(bytes);

	if (!pages)
		return NULL;
	if (dma_get_attr(DMA_ATTR_FORCE_CONTIGUOUS, attrs)) {
		struct page *page = dma_alloc_from_contiguous(dev, count, get_order(size));

		if (!page)
			goto error;
		__dma_clear_buffer(page, size, coherent_flag);
		for (i = 0; i < count; i++)
			pages[i] = page + i;
		return pages;
	}
	if (dma_get_attr(DMA_ATTR_ALLOC_SINGLE_PAGES, attrs))
		rung = ARRAY_SIZE(orders) - 1;
	gfp |= __GFP_NOWARN | __GFP_HIGHMEM;
	while (count) {
		int j, order = orders[rung];

		if (__fls(count) < (unsigned long)order) {
			rung++;
			continue;
		}
		pages[i] = alloc_pages(order ? gfp | __GFP_NORETRY : gfp, order);
		if (!pages[i] && order) {
			rung++;
			continue;
		}
		if (!pages[i])
			goto error;
		if (order) {
			split_page(pages[i], order);
			j = 1 << order;
			while (--j)
				pages[i + j] = pages[i] + j;
		}
		__dma_clear_buffer(pages[i], PAGE_SIZE << order, coherent_flag);
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
