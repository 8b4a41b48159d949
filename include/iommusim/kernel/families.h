/* SPDX-License-Identifier: MIT */
/** @file families.h  What vb2, TTM and the dma-buf heaps hand to their loops. */
#ifndef IOMMUSIM_KERNEL_FAMILIES_H
#define IOMMUSIM_KERNEL_FAMILIES_H

#include "iommusim/kernel/dma.h"
#include "iommusim/kernel/list.h"

/* ---- videobuf2, drivers/media/common/videobuf2/videobuf2-dma-sg.c ---- */

struct frame_vector;
struct vb2_buffer;

struct vb2_vmarea_handler {
	refcount_t *refcount;
	void (*put)(void *arg);
	void *arg;
};

struct vb2_dma_sg_buf {
	struct device *dev;
	void *vaddr;
	struct page **pages;
	struct frame_vector *vec;
	int offset;
	enum dma_data_direction dma_dir;
	struct sg_table sg_table;
	struct sg_table *dma_sgt;
	size_t size;
	unsigned int num_pages;
	refcount_t refcount;
	struct vb2_vmarea_handler handler;
	struct vb2_buffer *vb;
};

/* ---- dma-buf heaps ---- */

struct dma_buf;
struct vm_area_struct;

struct dma_buf_attachment {
	struct dma_buf *dmabuf;
	struct device *dev;
	struct list_head node;
	void *priv;
};

struct dma_heap {
	const char *name;
	void *priv;
	struct device *isim_dev;
};

/** What a heap registers. Its function gives a file descriptor, since 5.13 a buffer. */
struct dma_heap_ops {
#if IOMMUSIM_KERNEL_VERSION < 5013
	int (*allocate)(struct dma_heap *, unsigned long, unsigned long, unsigned long);
#elif IOMMUSIM_KERNEL_VERSION < 6009
	struct dma_buf *(*allocate)(struct dma_heap *, unsigned long, unsigned long, unsigned long);
#else
	struct dma_buf *(*allocate)(struct dma_heap *, unsigned long, u32, u64);
#endif
};

struct dma_heap_export_info {
	const char *name;
	const struct dma_heap_ops *ops;
	void *priv;
};

/** Nothing registers a heap here: what does is compiled, and never runs. */
static inline struct dma_heap *dma_heap_add(const struct dma_heap_export_info *info)
{
	(void)info;
	return ERR_PTR(-ENODEV);
}

struct dma_buf_ops {
	bool cache_sgt_mapping;
	int (*attach)(struct dma_buf *, struct dma_buf_attachment *);
	void (*detach)(struct dma_buf *, struct dma_buf_attachment *);
	struct sg_table *(*map_dma_buf)(struct dma_buf_attachment *, enum dma_data_direction);
	void (*release)(struct dma_buf *);
	int (*mmap)(struct dma_buf *, struct vm_area_struct *);
};

struct dma_buf {
	size_t size;
	const struct dma_buf_ops *ops;
	const char *exp_name;
	void *priv;
};

struct dma_buf_export_info {
	const char *exp_name;
	void *owner;
	const struct dma_buf_ops *ops;
	size_t size;
	int flags;
	void *resv;
	void *priv;
};

#define DEFINE_DMA_BUF_EXPORT_INFO(name) struct dma_buf_export_info name = { .exp_name = "heap" }

static inline const char *dma_heap_get_name(struct dma_heap *heap)
{
	return heap->name;
}

static inline void *dma_heap_get_drvdata(struct dma_heap *heap)
{
	return heap->priv;
}

static inline struct device *dma_heap_get_dev(struct dma_heap *heap)
{
	return heap->isim_dev;
}

static inline struct dma_buf *dma_buf_export(const struct dma_buf_export_info *info)
{
	struct dma_buf *dmabuf = kzalloc(sizeof(*dmabuf), GFP_KERNEL);

	if (!dmabuf)
		return ERR_PTR(-ENOMEM);
	dmabuf->size = info->size;
	dmabuf->ops = info->ops;
	dmabuf->exp_name = info->exp_name;
	dmabuf->priv = info->priv;
	return dmabuf;
}

#define dma_buf_fd(dmabuf, flags) ((void)(dmabuf), (void)(flags), 3)
#define dma_buf_put(dmabuf)       ((void)(dmabuf))

/* The heap's own, pasted or not: these are tentative, a definition may follow. */
static const struct dma_buf_ops system_heap_buf_ops;

static inline int dma_map_sgtable(struct device *dev, struct sg_table *table,
                                  enum dma_data_direction dir, unsigned long attrs)
{
	(void)dev, (void)table, (void)dir, (void)attrs;
	return 0;
}

static inline void dma_unmap_sgtable(struct device *dev, struct sg_table *table,
                                     enum dma_data_direction dir, unsigned long attrs)
{
	(void)dev, (void)table, (void)dir, (void)attrs;
}

/* ---- TTM, drivers/gpu/drm/ttm/ttm_pool.c ---- */

enum ttm_caching { ttm_uncached, ttm_write_combined, ttm_cached };

#define TTM_NUM_CACHING_TYPES 3

#define TTM_TT_FLAG_SWAPPED      BIT(0)
#define TTM_TT_FLAG_ZERO_ALLOC   BIT(1)
#define TTM_TT_FLAG_EXTERNAL     BIT(2)
#define TTM_PAGE_FLAG_ZERO_ALLOC TTM_TT_FLAG_ZERO_ALLOC

struct ttm_pool;

struct ttm_pool_type {
	struct ttm_pool *pool;
	unsigned int order;
	enum ttm_caching caching;
	struct list_head shrinker_list;
	spinlock_t lock;
	struct list_head pages;
};

struct ttm_pool {
	struct device *dev;
	int nid;
	bool use_dma_alloc, use_dma32;
	unsigned int alloc_flags;
	struct {
		struct ttm_pool_type orders[IOMMUSIM_MAX_ORDERS];
	} caching[TTM_NUM_CACHING_TYPES];
};

struct ttm_tt {
	struct page **pages;
	u32 page_flags;
	u32 num_pages;
	struct sg_table *sg;
	dma_addr_t *dma_address;
	enum ttm_caching caching;
};

struct ttm_operation_ctx {
	bool interruptible, no_wait_gpu, gfp_retry_mayfail, allow_res_evict, force_alloc;
	u64 bytes_moved;
};

static inline bool ttm_tt_is_populated(struct ttm_tt *tt)
{
	return tt->page_flags & BIT(31);
}

/** The pools are empty, and cached pages are in none of them. */
#ifndef IOMMUSIM_KERNEL_OWN_TYPE_TAKE
#define ttm_pool_type_take(pt, ...) isim_kernel_no_page(pt)
#endif
#define set_pages_wc(page, nr)        isim_kernel_set_caching(page, nr)
#define set_pages_uc(page, nr)        isim_kernel_set_caching(page, nr)
#define set_pages_wb(page, nr)        isim_kernel_set_caching(page, nr)
#define set_pages_array_wc(pages, nr) isim_kernel_set_caching(pages, nr)
#define set_pages_array_uc(pages, nr) isim_kernel_set_caching(pages, nr)

static inline int isim_kernel_set_caching(const void *pages, unsigned long nr)
{
	(void)pages, (void)nr;
	return 0;
}

static inline struct page *isim_kernel_no_page(const struct ttm_pool_type *pt)
{
	(void)pt;
	return NULL;
}

#endif
