/* SPDX-License-Identifier: MIT */
/* Code in the kernel's idiom that uses a contiguous range, or misuses it: how, range_kind says. */
#include <iommusim/kernel.h>

#include "ranges.h"

#define IS(kind) (range_kind == RANGE_##kind)

int range_kind;

/* Give it back, one way or the other. */
static void end_range(struct device *dev, struct page *page, int count)
{
	if (IS(FREED_PAGE_BY_PAGE))
		while (count)
			__free_page(page + --count);
	else if (IS(FREED_AS_A_BLOCK))
		__free_pages(page, get_order(count << PAGE_SHIFT));
	else if (IS(RELEASED_IN_PART))
		dma_release_from_contiguous(dev, page, count / 2);
	else if (IS(RELEASED_FROM_THE_SECOND_ON))
		dma_release_from_contiguous(dev, page + 1, count);
	else if (!IS(LEAKED) && !dma_release_from_contiguous(dev, page, count))
		BUG();
	if (IS(RELEASED_TWICE))
		dma_release_from_contiguous(dev, page, count);
}

/* What has nothing to do with the buffer. */
static void go_beside(struct device *dev, gfp_t gfp)
{
	struct page *page;

	if (IS(PAGE_THAT_IS_OF_NO_AREA)) {
		page = alloc_page(gfp);
		if (dma_release_from_contiguous(dev, page, 1) ||
		    dma_release_from_contiguous(dev, NULL, 1))
			BUG();
		__free_page(page);
	}
	if (IS(AFTER_ANOTHER_ONE)) {
		page = dma_alloc_from_contiguous(dev, 3, 0, false);
		dma_release_from_contiguous(dev, page, 3);
	}
	while (IS(ASKED_FOR_WITHOUT_END))
		dma_alloc_from_contiguous(dev, 1 << 20, 0, false);
}

static void misuse(struct device *dev, struct page **pages, int count, gfp_t gfp)
{
	if (IS(SPLIT_AS_A_PAGE))
		split_page(pages[0], 0);
	if (IS(SPLIT_AS_A_BLOCK))
		split_page(pages[0], get_order(count << PAGE_SHIFT));
	if (IS(RELEASED_AND_RETURNED))
		dma_release_from_contiguous(dev, pages[0], count);
	if (IS(RETURNED_BACKWARDS))
		swap(pages[0], pages[count - 1]);
	if (IS(RETURNED_BEHIND_A_PAGE)) {
		for (int i = count - 1; i; i--)
			pages[i] = pages[i - 1];
		pages[0] = alloc_page(gfp);
	}
}

static struct page **get_pages(struct device *dev, size_t size, gfp_t gfp, unsigned long attrs,
                               int coherent_flag)
{
	int count = size >> PAGE_SHIFT, asked = count;
	struct page **pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL), *page;

	go_beside(dev, gfp);
	if (IS(TOO_LARGE))
		asked = 1 << 20;
	if (IS(OF_NOTHING))
		asked = 0;
	if (IS(RETURNED_IN_PART))
		asked = 2 * count;
	page = dma_alloc_from_contiguous(dev, asked, get_order(size), false);
	if (page && range_kind >= RANGE_LEAKED && range_kind <= RANGE_RELEASED_TWICE) {
		end_range(dev, page, count);
		page = NULL;
	} else if (page && IS(RELEASED)) {
		end_range(dev, page, count);
		page = NULL;
	}
	if (!page) {
		kvfree(pages);
		return NULL;
	}
	for (int i = 0; i < count; i++)
		pages[i] = page + i;
	misuse(dev, pages, count, gfp);
	return pages;
}

IOMMUSIM_KERNEL_POLICY(get_pages)
