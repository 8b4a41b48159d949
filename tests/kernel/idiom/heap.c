/* SPDX-License-Identifier: MIT */
/* The system heap: three orders, compound blocks on a list, a table of them; and its module. */
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

#if IOMMUSIM_KERNEL_VERSION >= 6009
/* Who uses the buffer is in its list. Before, the headers' empty operations are exported. */
struct user {
	struct device *dev;
	struct list_head entry;
};

static int attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct heap_buffer *buffer = dmabuf->priv;
	struct user *user = kzalloc(sizeof(*user), GFP_KERNEL);

	if (!user)
		return -ENOMEM;
	user->dev = attachment->dev;
	attachment->priv = user;
	mutex_lock(&buffer->lock);
	list_add_tail(&user->entry, &buffer->attachments);
	mutex_unlock(&buffer->lock);
	return 0;
}

static void detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct user *user = attachment->priv;

	(void)dmabuf;
	list_del(&user->entry);
	kfree(user);
}

static const struct dma_buf_ops system_heap_buf_ops = { .attach = attach, .detach = detach };
#endif

/* A file descriptor, later the buffer. */
#if IOMMUSIM_KERNEL_VERSION < 5013
typedef int heap_result;
#define failed(err)            (err)
#define done(dmabuf, fd_flags) dma_buf_fd(dmabuf, fd_flags)
#else
typedef struct dma_buf *heap_result;
#define failed(err)            ERR_PTR(err)
#define done(dmabuf, fd_flags) (dmabuf)
#endif

static heap_result get_heap(struct dma_heap *heap, unsigned long len,
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
		return failed(-ENOMEM);
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
	return done(dmabuf, fd_flags);

free_table:
	for_each_sgtable_sg(&buffer->sg_table, sg, i)
		__free_pages(sg_page(sg), compound_order(sg_page(sg)));
	sg_free_table(&buffer->sg_table);
free_pages:
	list_for_each_entry_safe(page, next, &pages, lru) __free_pages(page, compound_order(page));
	kfree(buffer);
	return failed(ret);
}

static const struct dma_heap_ops heap_ops = { .allocate = get_heap };

static int add_heap(void)
{
	struct dma_heap_export_info info = { .name = "idiom", .ops = &heap_ops };

	return PTR_ERR_OR_ZERO(dma_heap_add(&info));
}

static void no_heap(void)
{
}

module_init(add_heap);
module_exit(no_heap);
MODULE_AUTHOR("nobody");
MODULE_DESCRIPTION("a heap in the kernel's idiom");
MODULE_IMPORT_NS(DMA_BUF);
MODULE_LICENSE("MIT");
IOMMUSIM_KERNEL_POLICY(get_heap)
