/* SPDX-License-Identifier: MIT */
/**
 * @file call.h  Calling conventions: one function for each type that a pasted function may have,
 * and the table that picks it.
 */
#ifndef IOMMUSIM_KERNEL_CALL_H
#define IOMMUSIM_KERNEL_CALL_H

#include "iommusim/kernel/families.h"
#include "iommusim/kernel/iommu.h"
#include "iommusim/kernel/place.h"

/** How a request becomes a number of pages: by the page sizes of the IOMMU, or not. */
enum isim_kernel_plan { ISIM_KERNEL_MASK, ISIM_KERNEL_PAGES };

/** What all calls may be given. */
struct isim_kernel_given {
	struct device dev;
	struct iommu_domain domain;
	struct dma_attrs attrs_set;
	unsigned long attrs;
	unsigned int count;
	unsigned long mask;
	size_t bytes; /* whole pages */
	gfp_t gfp;
	struct sg_table sgt;
	dma_addr_t handle;
	u64 dma_mask;
};

typedef void (*isim_kernel_fn)(void);

/** What is known of functions of one type. */
struct isim_kernel_convention {
	int (*call)(isim_kernel_fn fn, struct isim_kernel_given *g);
	struct iommusim_policy_kin kin;
	enum isim_kernel_plan plan;
	bool keeps_memory; /* success leaves more memory behind than the page array */
};

typedef void (*isim_kernel_flush)(struct device *, const void *, phys_addr_t);

static inline void isim_kernel_no_flush(struct device *dev, const void *address, phys_addr_t pa)
{
	(void)dev, (void)address, (void)pa;
}

/* Do callers of such a function pass __GFP_COMP on? dma-iommu's did; arch/arm takes it off. */
static inline bool isim_kernel_passes_comp(const struct isim_kernel_convention *convention)
{
	const char *like = convention->kin.like;

	return !strncmp(like, "dma-iommu", 9) || !strncmp(like, "single-pages", 12);
}

static inline struct isim_kernel_given
isim_kernel_given(const struct isim_kernel_run *now,
                  const struct isim_kernel_convention *convention)
{
	struct isim_kernel_given g = { .attrs = now->req->attrs,
		                       .count = (unsigned)now->plan->count,
		                       .mask = (unsigned long)now->plan->mask,
		                       .gfp = now->req->gfp };

	if (!isim_kernel_passes_comp(convention))
		g.gfp &= ~__GFP_COMP;
	g.bytes = (size_t)now->plan->count << now->req->page_shift;
	g.attrs_set.flags[0] = g.attrs;
	g.dev.numa_node = now->req->node;
	g.dev.coherent_dma_mask = DMA_BIT_MASK(48);
	g.domain.pgsize_bitmap = (unsigned long)now->req->pgsizes;
	g.domain.isim_ops.pgsize_bitmap = g.domain.pgsize_bitmap;
	g.domain.isim_next = (dma_addr_t)1 << 47;
	g.domain.isim_cookie.iovad.granule = g.domain.pgsize_bitmap & -g.domain.pgsize_bitmap;
	return g;
}

/* Pointers into itself, once it has its place. */
static inline void isim_kernel_settle(struct isim_kernel_given *g)
{
	g->dma_mask = g->dev.coherent_dma_mask;
	g->dev.dma_mask = &g->dma_mask;
	g->dev.isim_domain = &g->domain;
	g->domain.ops = &g->domain.isim_ops;
	g->domain.iova_cookie = &g->domain.isim_cookie;
}

/* ---- Page arrays: dma-iommu, arch/arm ---- */

/*
 * The types of a page-array function: name, the built-in policies that are like it and the last
 * release that has it, how its pages are counted, arguments of the type and of the call.
 */
#define ISIM_KERNEL_PAGE_CALLS(X)                                                                  \
	X(dma_4_4, "dma-iommu", 4006, PAGES, (unsigned int, gfp_t), (g->count, g->gfp))            \
	X(dma_4_4_attrs, "single-pages", 9999, PAGES, (unsigned int, gfp_t, struct dma_attrs *),   \
	  (g->count, g->gfp, &g->attrs_set))                                                       \
	X(dma_4_4_bits, "single-pages", 9999, PAGES, (unsigned int, gfp_t, unsigned long),         \
	  (g->count, g->gfp, g->attrs))                                                            \
	X(dma_4_7, "dma-iommu", 4020, MASK, (unsigned int, unsigned long, gfp_t),                  \
	  (g->count, g->mask, g->gfp))                                                             \
	X(dma_4_7_attrs, "dma-iommu", 4020, MASK,                                                  \
	  (unsigned int, unsigned long, gfp_t, struct dma_attrs *),                                \
	  (g->count, g->mask, g->gfp, &g->attrs_set))                                              \
	X(dma_4_7_bits, "dma-iommu", 4020, MASK,                                                   \
	  (unsigned int, unsigned long, gfp_t, unsigned long),                                     \
	  (g->count, g->mask, g->gfp, g->attrs))                                                   \
	X(dma_5_0, "dma-iommu", 9999, MASK, (struct device *, unsigned int, unsigned long, gfp_t), \
	  (&g->dev, g->count, g->mask, g->gfp))                                                    \
	X(dma_5_0_bits, "dma-iommu", 9999, MASK,                                                   \
	  (struct device *, unsigned int, unsigned long, gfp_t, unsigned long),                    \
	  (&g->dev, g->count, g->mask, g->gfp, g->attrs))                                          \
	X(sgt_5_13, "dma-iommu", 9999, MASK,                                                       \
	  (struct device *, size_t, struct sg_table *, gfp_t, pgprot_t, unsigned long),            \
	  (&g->dev, (size_t)isim_kernel.now->req->size, &g->sgt, g->gfp, PAGE_KERNEL, g->attrs))   \
	X(sgt_6_12, "dma-iommu", 9999, MASK,                                                       \
	  (struct device *, size_t, struct sg_table *, gfp_t, unsigned long),                      \
	  (&g->dev, (size_t)isim_kernel.now->req->size, &g->sgt, g->gfp, g->attrs))                \
	X(whole_4_4, "dma-iommu", 4006, PAGES,                                                     \
	  (struct device *, size_t, gfp_t, int, dma_addr_t *, isim_kernel_flush),                  \
	  (&g->dev, (size_t)isim_kernel.now->req->size, g->gfp, IOMMU_READ | IOMMU_WRITE,          \
	   &g->handle, isim_kernel_no_flush))                                                      \
	X(whole_4_6, "dma-iommu", 9999, MASK,                                                      \
	  (struct device *, size_t, gfp_t, struct dma_attrs *, int, dma_addr_t *,                  \
	   isim_kernel_flush),                                                                     \
	  (&g->dev, (size_t)isim_kernel.now->req->size, g->gfp, &g->attrs_set,                     \
	   IOMMU_READ | IOMMU_WRITE, &g->handle, isim_kernel_no_flush))                            \
	X(whole_4_8, "dma-iommu", 9999, MASK,                                                      \
	  (struct device *, size_t, gfp_t, unsigned long, int, dma_addr_t *, isim_kernel_flush),   \
	  (&g->dev, (size_t)isim_kernel.now->req->size, g->gfp, g->attrs,                          \
	   IOMMU_READ | IOMMU_WRITE, &g->handle, isim_kernel_no_flush))                            \
	X(arm_3_5, "arm-", 9999, PAGES, (struct device *, size_t, gfp_t),                          \
	  (&g->dev, g->bytes, g->gfp))                                                             \
	X(arm_3_7, "arm-", 9999, PAGES, (struct device *, size_t, gfp_t, struct dma_attrs *),      \
	  (&g->dev, g->bytes, g->gfp, &g->attrs_set))                                              \
	X(arm_3_7_bits, "arm-", 9999, PAGES, (struct device *, size_t, gfp_t, unsigned long),      \
	  (&g->dev, g->bytes, g->gfp, g->attrs))                                                   \
	X(arm_4_6, "arm-", 9999, PAGES, (struct device *, size_t, gfp_t, struct dma_attrs *, int), \
	  (&g->dev, g->bytes, g->gfp, &g->attrs_set, NORMAL))                                      \
	X(arm_4_8, "arm-", 9999, PAGES, (struct device *, size_t, gfp_t, unsigned long, int),      \
	  (&g->dev, g->bytes, g->gfp, g->attrs, NORMAL))

#if SIZE_MAX > UINT_MAX
/* Where a size_t is no unsigned int, these are types of their own. */
#define ISIM_KERNEL_SIZE_CALLS(X)                                                      \
	X(ipu_size, "ipu-camera", 9999, PAGES, (size_t, gfp_t), (g->bytes, g->gfp))    \
	X(ipu_size_bits, "ipu-camera", 9999, PAGES, (size_t, gfp_t, unsigned long),    \
	  (g->bytes, g->gfp, g->attrs))                                                \
	X(dma_count, "dma-iommu", 9999, PAGES, (struct device *, unsigned int, gfp_t), \
	  (&g->dev, g->count, g->gfp))
#else
#define ISIM_KERNEL_SIZE_CALLS(X)
#endif

/* Those that return an address, which dma_common_pages_remap() made of the pages. */
#define ISIM_KERNEL_REMAP_CALLS(X)                                                       \
	X(remap_5_3, "dma-iommu", 9999, MASK,                                            \
	  (struct device *, size_t, dma_addr_t *, gfp_t, unsigned long),                 \
	  (&g->dev, (size_t)isim_kernel.now->req->size, &g->handle, g->gfp, g->attrs))   \
	X(remap_5_10, "dma-iommu", 9999, MASK,                                           \
	  (struct device *, size_t, dma_addr_t *, gfp_t, pgprot_t, unsigned long),       \
	  (&g->dev, (size_t)isim_kernel.now->req->size, &g->handle, g->gfp, PAGE_KERNEL, \
	   g->attrs))

#define ISIM_KERNEL_CONVENTION(name, likes, until, pages, keeps)                            \
	static const struct isim_kernel_convention isim_kernel_is_##name __maybe_unused = { \
		.call = isim_kernel_call_##name,                                            \
		.kin = { likes, until },                                                    \
		.plan = ISIM_KERNEL_##pages,                                                \
		.keeps_memory = keeps,                                                      \
	}

#define ISIM_KERNEL_DEFINE_REMAP(name, likes, until, pages, types, values)                        \
	static inline int isim_kernel_call_##name(isim_kernel_fn fn, struct isim_kernel_given *g) \
	{                                                                                         \
		return isim_kernel_place_pages(((void *(*)types)fn)values, false);                \
	}                                                                                         \
	ISIM_KERNEL_CONVENTION(name, likes, until, pages, false);

#define ISIM_KERNEL_DEFINE_CALL(name, likes, until, pages, types, values)                         \
	static inline int isim_kernel_call_##name(isim_kernel_fn fn, struct isim_kernel_given *g) \
	{                                                                                         \
		struct page **got = ((struct page * *(*)types) fn) values;                        \
		if (!IS_ERR_OR_NULL(got))                                                         \
			sg_free_table(&g->sgt);                                                   \
		return isim_kernel_place_pages(got, false);                                       \
	}                                                                                         \
	ISIM_KERNEL_CONVENTION(name, likes, until, pages, false);
ISIM_KERNEL_PAGE_CALLS(ISIM_KERNEL_DEFINE_CALL)
ISIM_KERNEL_SIZE_CALLS(ISIM_KERNEL_DEFINE_CALL)
ISIM_KERNEL_REMAP_CALLS(ISIM_KERNEL_DEFINE_REMAP)

/* ---- Structures: vb2, heaps, TTM ---- */

static inline int isim_kernel_call_vb2(isim_kernel_fn fn, struct isim_kernel_given *g)
{
	struct vb2_dma_sg_buf buf = { .dev = &g->dev, .size = g->bytes, .num_pages = g->count };
	int err;

	buf.pages = kvcalloc(g->count, sizeof(*buf.pages), GFP_KERNEL);
	err = ((int (*)(struct vb2_dma_sg_buf *, gfp_t))fn)(&buf, g->gfp);
	if (err)
		kvfree(buf.pages);
	return isim_kernel_place_pages(err ? NULL : buf.pages, false);
}

ISIM_KERNEL_CONVENTION(vb2, "vb2-dma-sg", 9999, PAGES, false);

static inline struct dma_heap isim_kernel_heap(struct isim_kernel_given *g)
{
	return (struct dma_heap){ .name = "system", .isim_dev = &g->dev };
}

static inline int isim_kernel_call_heap_5_11(isim_kernel_fn fn, struct isim_kernel_given *g)
{
	struct dma_heap heap = isim_kernel_heap(g);
	int fd = ((int (*)(struct dma_heap *, unsigned long, unsigned long, unsigned long))fn)(
		&heap, g->bytes, 0, 0);

	return isim_kernel_place_blocks(fd < 0);
}

ISIM_KERNEL_CONVENTION(heap_5_11, "system-heap", 9999, PAGES, true);

static inline int isim_kernel_call_heap_5_13(isim_kernel_fn fn, struct isim_kernel_given *g)
{
	struct dma_heap heap = isim_kernel_heap(g);

	return isim_kernel_place_blocks(IS_ERR_OR_NULL(
		((struct dma_buf * (*)(struct dma_heap *, unsigned long, unsigned long,
	                               unsigned long)) fn)(&heap, g->bytes, 0, 0)));
}

ISIM_KERNEL_CONVENTION(heap_5_13, "system-heap", 9999, PAGES, true);

static inline int isim_kernel_call_heap_6_9(isim_kernel_fn fn, struct isim_kernel_given *g)
{
	struct dma_heap heap = isim_kernel_heap(g);

	return isim_kernel_place_blocks(
		IS_ERR_OR_NULL(((struct dma_buf * (*)(struct dma_heap *, unsigned long, u32, u64))
	                                fn)(&heap, g->bytes, 0, 0)));
}

ISIM_KERNEL_CONVENTION(heap_6_9, "system-heap", 9999, PAGES, true);

static inline int isim_kernel_call_ttm(isim_kernel_fn fn, struct isim_kernel_given *g)
{
	struct ttm_pool pool = { .dev = &g->dev,
		                 .nid = g->dev.numa_node,
		                 .use_dma32 = g->gfp & __GFP_DMA32 };
	struct ttm_tt tt = { .num_pages = g->count,
		             .caching = ttm_cached,
		             .page_flags = g->gfp & __GFP_ZERO ? TTM_TT_FLAG_ZERO_ALLOC : 0 };
	struct ttm_operation_ctx ctx = {
		.gfp_retry_mayfail = (g->gfp & (gfp_t)IOMMUSIM_GFP_BIT_RETRY_MAYFAIL) != 0
	};
	int err;

	tt.pages = kvcalloc(g->count, sizeof(*tt.pages), GFP_KERNEL);
	err = ((int (*)(struct ttm_pool *, struct ttm_tt *, struct ttm_operation_ctx *))fn)(
		&pool, &tt, &ctx);
	if (err)
		kvfree(tt.pages);
	return isim_kernel_place_pages(err ? NULL : tt.pages, true);
}
ISIM_KERNEL_CONVENTION(ttm, "ttm-pool", 9999, PAGES, false);

/* ---- Which it is ---- */

/* clang-format off: its idea of a _Generic() of macros cannot be read */
#define ISIM_KERNEL_STRUCT_CALLS(X)                                                            \
	X(vb2, int (*)(struct vb2_dma_sg_buf *, gfp_t))                                        \
	X(heap_5_11, int (*)(struct dma_heap *, unsigned long, unsigned long, unsigned long))  \
	X(heap_5_13,                                                                           \
	  struct dma_buf *(*)(struct dma_heap *, unsigned long, unsigned long, unsigned long)) \
	X(heap_6_9, struct dma_buf *(*)(struct dma_heap *, unsigned long, u32, u64))           \
	X(ttm, int (*)(struct ttm_pool *, struct ttm_tt *, struct ttm_operation_ctx *))

#define ISIM_KERNEL_IS(name, likes, until, pages, types, values) \
	struct page **(*)types : &isim_kernel_is_##name,
#define ISIM_KERNEL_IS_REMAP(name, likes, until, pages, types, values) \
	void *(*)types : &isim_kernel_is_##name,
#define ISIM_KERNEL_IS_STRUCT(name, ...) \
	__VA_ARGS__:                     \
	&isim_kernel_is_##name,

#define ISIM_KERNEL_KNOWS(name, likes, until, pages, types, values)       struct page **(*)types : 1,
#define ISIM_KERNEL_KNOWS_REMAP(name, likes, until, pages, types, values) void *(*)types : 1,
#define ISIM_KERNEL_KNOWS_STRUCT(name, ...) \
	__VA_ARGS__:                        \
	1,

/** The convention of @function's type; any one if there is none. */
#define isim_kernel_convention_of(function)                                                    \
	_Generic(&(function),                                                                  \
	         ISIM_KERNEL_STRUCT_CALLS(ISIM_KERNEL_IS_STRUCT)                               \
	                 ISIM_KERNEL_PAGE_CALLS(ISIM_KERNEL_IS)                                \
	                         ISIM_KERNEL_SIZE_CALLS(ISIM_KERNEL_IS)                        \
	                                 ISIM_KERNEL_REMAP_CALLS(ISIM_KERNEL_IS_REMAP) default \
	         : &isim_kernel_is_vb2)

/** 1 if there is one. */
#define isim_kernel_has_convention(function)                                                \
	_Generic(&(function),                                                               \
	         ISIM_KERNEL_STRUCT_CALLS(ISIM_KERNEL_KNOWS_STRUCT) ISIM_KERNEL_PAGE_CALLS( \
			 ISIM_KERNEL_KNOWS) ISIM_KERNEL_SIZE_CALLS(ISIM_KERNEL_KNOWS)       \
	                 ISIM_KERNEL_REMAP_CALLS(ISIM_KERNEL_KNOWS_REMAP) default : 0)
/* clang-format on */

#endif
