/* SPDX-License-Identifier: MIT */
/* Every chunk from the largest order on: no device, no mask, no attributes. */
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

static struct page **get_pages(unsigned int count, gfp_t gfp)
{
	struct page **pages;
	unsigned int i = 0;

	pages = new_array(count);
	if (!pages)
		return NULL;
	gfp |= __GFP_NOWARN | __GFP_HIGHMEM;
	while (count) {
		struct page *page = NULL;
		int j;
		unsigned int order = min_t(unsigned int, MAX_ORDER, __fls(count));

		for (; order > 0; order--) {
			page = alloc_pages(gfp | __GFP_NORETRY, order);
			if (!page)
				continue;
			if (PageCompound(page)) {
				if (!split_huge_page(page))
					break;
				__free_pages(page, order);
			} else {
				split_page(page, order);
				break;
			}
		}
		if (!page)
			page = alloc_page(gfp);
		if (!page) {
			give_back(pages, i);
			return NULL;
		}
		for (j = 1 << order; j > 0; j--)
			pages[i++] = page++;
		count -= 1 << order;
	}
	return pages;
}

#ifndef IDIOM_HAS_CALLER
IOMMUSIM_KERNEL_POLICY(get_pages)
#endif
