/* SPDX-License-Identifier: MIT */
/* A mask of orders, no device: Linux 4.7. */
#include <iommusim/kernel.h>

static void give_back(struct page **pages, int count)
{
	while (count--)
		__free_page(pages[count]);
	kvfree(pages);
}

static struct page **new_array(unsigned int count)
{
	size_t bytes = count * sizeof(struct page *);

	return bytes > PAGE_SIZE ? vzalloc(bytes) : kzalloc(bytes, GFP_KERNEL);
}

static struct page **get_pages(unsigned int count, unsigned long mask, gfp_t gfp)
{
	struct page **pages;
	unsigned int i = 0;

	mask &= (2U << MAX_ORDER) - 1;
	if (!mask)
		return NULL;
	pages = new_array(count);
	if (!pages)
		return NULL;
	gfp |= __GFP_NOWARN | __GFP_HIGHMEM;
	while (count) {
		struct page *page = NULL;
		unsigned int size = 0;

		for (mask &= (2U << __fls(count)) - 1; mask; mask &= ~size) {
			unsigned int order = __fls(mask);

			size = 1U << order;
			page = alloc_pages((mask - size) ? gfp | __GFP_NORETRY : gfp, order);
			if (!page)
				continue;
			if (!order)
				break;
			if (!PageCompound(page)) {
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

IOMMUSIM_KERNEL_POLICY(get_pages)
