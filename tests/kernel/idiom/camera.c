/* SPDX-License-Identifier: MIT */
/* A camera's copy of arch/arm's loop: no device, no HIGHMEM. */
#include <iommusim/kernel.h>

static struct page **get_buffer(size_t size, gfp_t gfp, unsigned long attrs)
{
	int count = size >> PAGE_SHIFT, i = 0;
	struct page **pages = kvzalloc(count * sizeof(struct page *), GFP_KERNEL);

	(void)attrs;
	if (!pages)
		return NULL;
	gfp |= __GFP_NOWARN;
	while (count) {
		int j, order = __fls(count);

		do {
			pages[i] = alloc_pages(gfp, order);
		} while (!pages[i] && order--);
		if (!pages[i])
			goto error;
		if (order)
			split_page(pages[i], order);
		for (j = 1; j < 1 << order; j++)
			pages[i + j] = pages[i] + j;
		i += 1 << order;
		count -= 1 << order;
	}
	return pages;

error:
	while (i--)
		__free_page(pages[i]);
	kvfree(pages);
	return NULL;
}

IOMMUSIM_KERNEL_POLICY(get_buffer)
