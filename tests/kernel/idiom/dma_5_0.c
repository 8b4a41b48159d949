/* SPDX-License-Identifier: MIT */
/* A mask of orders and a device, whose node is preferred. */
#include <iommusim/kernel.h>

static void give_back(struct page **pages, int count)
{
	while (count--)
		__free_page(pages[count]);
	kvfree(pages);
}

#define on_node(gfp, order) alloc_pages_node(nid, gfp, order)

static struct page **get_pages(struct device *dev, unsigned int count, unsigned long mask,
                               gfp_t gfp)
{
	struct page **pages;
	unsigned int i = 0;
	int nid = dev_to_node(dev);

#if IOMMUSIM_KERNEL_VERSION < 6004
	mask &= (2U << MAX_ORDER) - 1;
#if IOMMUSIM_KERNEL_VERSION >= 5010
	gfp &= ~__GFP_COMP;
#endif
#elif IOMMUSIM_KERNEL_VERSION < 6008
	mask &= GENMASK(MAX_ORDER, 0);
#else
	mask &= GENMASK(MAX_PAGE_ORDER, 0);
#endif
	if (!mask)
		return NULL;
	pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	gfp |= __GFP_NOWARN | __GFP_HIGHMEM;
	while (count) {
		struct page *page = NULL;
		unsigned int size = 0;

		for (mask &= (2U << __fls(count)) - 1; mask; mask &= ~size) {
			unsigned int order = __fls(mask);

			size = 1U << order;
			page = on_node((mask - size) ? gfp | __GFP_NORETRY : gfp, order);
			if (!page)
				continue;
			if (!order)
				break;
			if (!PageCompound(page) || IOMMUSIM_KERNEL_VERSION >= 5010) {
				split_page(page, order);
				break;
			}
			if (!split_huge_page(page))
				break;
			__free_pages(page, order);
		}
		if (!page) {
			give_back(pages, i);
			return NULL;
		}
		count -= size;
		while (size--)
			pages[i++] = page++;
	}
	return pages;
}

#ifndef IDIOM_HAS_CALLER
IOMMUSIM_KERNEL_POLICY(get_pages)
#endif
