/* SPDX-License-Identifier: MIT */
/* The system heap: three orders, compound blocks on a list, a table of them. */
#include <iommusim/kernel.h>

#define LOW (GFP_HIGHUSER | __GFP_ZERO)
#define HIGH \
	(((GFP_HIGHUSER | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_RECLAIM) | __GFP_COMP)

#if IOMMUSIM_KERNEL_VERSION >= 6004
static gfp_t flags_of[] = { HIGH, HIGH, LOW };
#else
static gfp_t flags_of[] = { HIGH, LOW | __GFP_COMP | __GFP_NOWARN, LOW | __GFP_COMP };
#endif
static const unsigned int orders[] = { 8, 4, 0 };
#define NUM_ORDERS ARRAY_SIZE(orders)

struct heap_buffer {
	struct dma_heap *heap;
	struct list_head attachments;
	struct mutex lock;
	unsigned long len;
	struct sg_table sg_table;
};

static struct page *largest(unsigned long size, unsigned int max_order)
{
	for (unsigned int i = 0; i < NUM_ORDERS; i++) {
		struct page *page;

		if (size < (PAGE_SIZE << orders[i]) || max_order < orders[i])
			continue;
		page = alloc_pages(flags_of[i], orders[i]);
		if (page)
			return page;
	}
	return NULL;
}

/* Blocks for @len bytes on @pages; how many there are, or an error. */
static int collect(unsigned long len, struct list_head *pages)
{
	unsigned int max_order = orders[0];
	int n = 0;

	while (len > 0) {
		struct page *page;

		if (fatal_signal_pending(current))
			return -EINTR;
		page = largest(len, max_order);
		if (!page)
			return -ENOMEM;
		list_add_tail(&page->lru, pages);
		len -= page_size(page);
		max_order = compound_order(page);
		n++;
	}
	return n;
}

static struct dma_buf *get_heap(struct dma_heap *heap, unsigned long len,
#if IOMMUSIM_KERNEL_VERSION >= 6009
                                u32 fd_flags, u64 heap_flags)
#else
                                unsigned long fd_flags, unsigned long heap_flags)
#endif
{
	struct heap_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(exp_info);
	struct page *page, *next;
	struct list_head pages;
	struct dma_buf *dmabuf;
	struct scatterlist *sg;
	int i, ret;

	(void)heap_flags;
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&buffer->attachments);
	mutex_init(&buffer->lock);
	buffer->heap = heap;
	buffer->len = len;
	INIT_LIST_HEAD(&pages);
	ret = collect(len, &pages);
	if (ret < 0)
		goto free_pages;
	if (sg_alloc_table(&buffer->sg_table, ret, GFP_KERNEL)) {
		ret = -ENOMEM;
		goto free_pages;
	}
	sg = buffer->sg_table.sgl;
	list_for_each_entry_safe(page, next, &pages, lru)
	{
		sg_set_page(sg, page, page_size(page), 0);
		sg = sg_next(sg);
		list_del(&page->lru);
	}
	exp_info.exp_name = dma_heap_get_name(heap);
	exp_info.ops = &system_heap_buf_ops;
	exp_info.size = buffer->len;
	exp_info.flags = fd_flags;
	exp_info.priv = buffer;
	dmabuf = dma_buf_export(&exp_info);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto free_table;
	}
	return dmabuf;

free_table:
	for_each_sgtable_sg(&buffer->sg_table, sg, i)
		__free_pages(sg_page(sg), compound_order(sg_page(sg)));
	sg_free_table(&buffer->sg_table);
free_pages:
	list_for_each_entry_safe(page, next, &pages, lru) __free_pages(page, compound_order(page));
	kfree(buffer);
	return ERR_PTR(ret);
}

IOMMUSIM_KERNEL_POLICY(get_heap)
