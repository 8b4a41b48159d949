/* SPDX-License-Identifier: MIT */
/* videobuf2: every chunk from the largest order on, never NORETRY. */
#include <iommusim/kernel.h>

static int get_compacted(struct vb2_dma_sg_buf *buf, gfp_t gfp_flags)
{
	unsigned int last_page = 0;
	unsigned long size = buf->size;

	while (size > 0) {
		struct page *pages = NULL;
		int order = get_order(size), i;

		if ((PAGE_SIZE << order) > size)
			order--;
		while (!pages) {
			pages = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | gfp_flags,
			                    order);
			if (pages)
				break;
			if (!order) {
				while (last_page--)
					__free_page(buf->pages[last_page]);
				return -ENOMEM;
			}
			order--;
		}
		split_page(pages, order);
		for (i = 0; i < (1 << order); i++)
			buf->pages[last_page++] = &pages[i];
		size -= PAGE_SIZE << order;
	}
	return 0;
}

IOMMUSIM_KERNEL_POLICY(get_compacted)
