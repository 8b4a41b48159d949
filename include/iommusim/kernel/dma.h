/* SPDX-License-Identifier: MIT */
/** @file dma.h  DMA attributes in both forms, and what the callers of the loop do around it. */
#ifndef IOMMUSIM_KERNEL_DMA_H
#define IOMMUSIM_KERNEL_DMA_H

#include "iommusim/kernel/scatterlist.h"

/** Until 4.7 a set of numbers, since 4.8 a mask of bits. */
struct dma_attrs {
	unsigned long flags[1];
};

#if IOMMUSIM_KERNEL_VERSION < 4008
enum dma_attr {
	DMA_ATTR_WRITE_BARRIER,
	DMA_ATTR_WEAK_ORDERING,
	DMA_ATTR_WRITE_COMBINE,
	DMA_ATTR_NON_CONSISTENT,
	DMA_ATTR_NO_KERNEL_MAPPING,
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_ATTR_ALLOC_SINGLE_PAGES,
	DMA_ATTR_MAX
};
#define isim_kernel_attr(attr) (1UL << (attr))
#else
#define DMA_ATTR_WRITE_BARRIER      (1UL << 0)
#define DMA_ATTR_WEAK_ORDERING      (1UL << 1)
#define DMA_ATTR_WRITE_COMBINE      (1UL << 2)
#define DMA_ATTR_NON_CONSISTENT     (1UL << 3)
#define DMA_ATTR_NO_KERNEL_MAPPING  (1UL << 4)
#define DMA_ATTR_SKIP_CPU_SYNC      (1UL << 5)
#define DMA_ATTR_FORCE_CONTIGUOUS   (1UL << 6)
#define DMA_ATTR_ALLOC_SINGLE_PAGES (1UL << 7)
#define DMA_ATTR_NO_WARN            (1UL << 8)
#define DMA_ATTR_PRIVILEGED         (1UL << 9)
#define isim_kernel_attr(attr)      (attr)
#endif

#define DEFINE_DMA_ATTRS(name)    struct dma_attrs name = { { 0 } }
#define init_dma_attrs(attrs)     ((void)((attrs)->flags[0] = 0))
#define dma_set_attr(attr, attrs) ((void)((attrs)->flags[0] |= isim_kernel_attr(attr)))
#define dma_get_attr(attr, attrs) isim_kernel_get_attr(isim_kernel_attr(attr), attrs)

static inline int isim_kernel_get_attr(unsigned long bit, const struct dma_attrs *attrs)
{
	return attrs && attrs->flags[0] & bit;
}

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };

#define DMA_BIT_MASK(n)              ((n) == 64 ? ~0ULL : (1ULL << (n)) - 1)
#define DMA_MAPPING_ERROR            (~(dma_addr_t)0)
#define DMA_ERROR_CODE               (~(dma_addr_t)0)
#define PAGE_KERNEL                  ((pgprot_t){ 0 })
#define __pgprot(x)                  ((pgprot_t){ (x) })
#define pgprot_val(prot)             ((prot).pgprot)
#define pgprot_noncached(prot)       (prot)
#define pgprot_writecombine(prot)    (prot)
#define dma_pgprot(dev, prot, attrs) ((void)(attrs), (prot))

static inline bool dev_is_dma_coherent(const struct device *dev)
{
	return dev->dma_coherent;
}

static inline u64 dma_get_mask(const struct device *dev)
{
	return dev->coherent_dma_mask;
}

#define dma_get_max_seg_size(dev) ((void)(dev), UINT_MAX)
#define dma_max_mapping_size(dev) ((void)(dev), SIZE_MAX)

/** One block, known by the address of its contents. */
static inline void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
                                    unsigned long attrs)
{
	struct page *page = alloc_pages(gfp, (unsigned)get_order(size));

	(void)dev, (void)attrs;
	if (!page)
		return NULL;
	*handle = page_to_phys(page);
	return page_address(page);
}

static inline void dma_free_attrs(struct device *dev, size_t size, void *address, dma_addr_t handle,
                                  unsigned long attrs)
{
	(void)dev, (void)handle, (void)attrs;
	__free_pages(virt_to_page(address), (unsigned)get_order(size));
}

#define vmalloc_to_page(address) virt_to_page(address)
#define dma_map_page(dev, page, offset, size, dir) \
	((void)(dev), (void)(size), (void)(dir), page_to_phys(page) + (offset))
#define dma_unmap_page(dev, address, size, dir) ((void)(dev), (void)(address), (void)(size))
#define dma_mapping_error(dev, address)         ((void)(dev), (address) == DMA_MAPPING_ERROR)

/* What follows @order: since 4.11 flags, since 4.19 whether to be silent. */
#if IOMMUSIM_KERNEL_VERSION < 4011
#define isim_kernel_contiguous_how
#elif IOMMUSIM_KERNEL_VERSION < 4019
#define isim_kernel_contiguous_how , gfp_t gfp __maybe_unused
#else
#define isim_kernel_contiguous_how , bool no_warn __maybe_unused
#endif

#ifndef CONFIG_CMA_ALIGNMENT
#define CONFIG_CMA_ALIGNMENT 8
#endif

/** A range from the page source's area; NULL: it has no such range, or no area. */
static inline struct page *dma_alloc_from_contiguous(struct device *dev, size_t count,
                                                     unsigned int order isim_kernel_contiguous_how)
{
	struct isim_kernel_run *now = isim_kernel_enter();
	struct isim_kernel_block block = { .nr = count, .is_range = true };
	int err = -IOMMUSIM_ENOMEM;

	(void)dev;
	if (count)
		err = iommusim_chunk_take_contiguous(
			now->run, count,
			order < CONFIG_CMA_ALIGNMENT ? order : CONFIG_CMA_ALIGNMENT, &block.pfn);
	return isim_kernel_got(now, err, &block);
}

/** Why @count pages at @page, of a range, cannot go back to their area; NULL: they can. */
static inline const char *isim_kernel_not_releasable(const struct page *page, int count)
{
	const struct isim_kernel_block *block = &isim_kernel.now->block[page->isim_block];

	if (page->isim_state != ISIM_KERNEL_RANGE)
		return "given back already";
	return page_to_pfn(page) != block->pfn || (u64)count != block->nr
	               ? "a range goes back whole"
	               : NULL;
}

/** Whether the pages were of an area. */
static inline bool dma_release_from_contiguous(struct device *dev, struct page *pages, int count)
{
	struct isim_kernel_run *now = isim_kernel_enter();
	const char *wrong;
	char name[100];
	bool is_range = isim_kernel_is_page(pages) && pages->isim_state != ISIM_KERNEL_NONE &&
	                now->block[pages->isim_block].is_range;
	int err = 0;

	(void)dev;
	wrong = is_range ? isim_kernel_not_releasable(pages, count) : NULL;
	if (wrong)
		isim_kernel_tell(IOMMUSIM_FINDING_BAD_FREE, "releases %d pages at %s: %s", count,
		                 isim_kernel_name(pages, name, sizeof(name)), wrong);
	else if (is_range)
		err = iommusim_chunk_give_back_contiguous(now->run, page_to_pfn(pages), (u64)count);
	if (err)
		isim_kernel_escape(err);
	if (is_range && !wrong)
		isim_kernel_mark_all(pages, (u64)count, ISIM_KERNEL_FREED);
	isim_kernel_leave(now);
	return is_range;
}

#ifndef CONFIG_ARM_DMA_IOMMU_ALIGNMENT
#define CONFIG_ARM_DMA_IOMMU_ALIGNMENT 8
#endif
#define NORMAL   0
#define COHERENT 1

/* Beside the loop of arch/arm: unless it is pasted, too. */
#ifndef IOMMUSIM_KERNEL_OWN_ORDER_ARRAY
static const int iommu_order_array[] __maybe_unused = { 9, 8, 4, 0 };
#endif

/** arch/arm clears what it got; there are no contents. Two arguments, since 4.6 three. */
#ifndef IOMMUSIM_KERNEL_OWN_CLEAR_BUFFER
static inline void __dma_clear_buffer(struct page *page, size_t size, ...)
{
	(void)page, (void)size;
}
#endif

#define arch_dma_prep_coherent(page, size)      ((void)(page), (void)(size))
#define arch_sync_dma_for_device(pa, size, dir) ((void)(pa), (void)(size), (void)(dir))
#define flush_dcache_page(page)                 ((void)(page))
#define flush_cache_all()                       ((void)0)

#endif
