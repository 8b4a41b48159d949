/* SPDX-License-Identifier: MIT */
/** @file scatterlist.h  Scatterlists: one table each, not chained. */
#ifndef IOMMUSIM_KERNEL_SCATTERLIST_H
#define IOMMUSIM_KERNEL_SCATTERLIST_H

#include "iommusim/kernel/mm.h"
#include "iommusim/kernel/slab.h"

struct scatterlist {
	unsigned long page_link; /* the page; bit 1: the last entry */
	unsigned int offset, length;
	dma_addr_t dma_address;
	unsigned int dma_length;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents, orig_nents;
};

#define SG_END             0x02UL
#define sg_dma_address(sg) ((sg)->dma_address)
#define sg_dma_len(sg)     ((sg)->dma_length)

static inline int sg_is_last(const struct scatterlist *sg)
{
	return !!(sg->page_link & SG_END);
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->page_link |= SG_END;
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	return sg_is_last(sg) ? NULL : sg + 1;
}

static inline struct page *sg_page(const struct scatterlist *sg)
{
	return (struct page *)(sg->page_link & ~3UL);
}

static inline void sg_assign_page(struct scatterlist *sg, struct page *page)
{
	sg->page_link = (sg->page_link & 3) | (unsigned long)page;
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len,
                               unsigned int offset)
{
	sg_assign_page(sg, page);
	sg->offset = offset;
	sg->length = len;
}

static inline phys_addr_t sg_phys(const struct scatterlist *sg)
{
	return page_to_phys(sg_page(sg)) + sg->offset;
}

static inline void *sg_virt(const struct scatterlist *sg)
{
	return (char *)page_address(sg_page(sg)) + sg->offset;
}

static inline void sg_init_table(struct scatterlist *sg, unsigned int nents)
{
	(memset)(sg, 0, sizeof(*sg) * nents);
	sg_mark_end(&sg[nents - 1]);
}

static inline int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp)
{
	(memset)(table, 0, sizeof(*table));
	if (!nents)
		return -EINVAL;
	table->sgl = kcalloc(nents, sizeof(*table->sgl), gfp);
	if (!table->sgl)
		return -ENOMEM;
	table->nents = table->orig_nents = nents;
	sg_mark_end(&table->sgl[nents - 1]);
	return 0;
}

static inline void sg_free_table(struct sg_table *table)
{
	kfree(table->sgl);
	(memset)(table, 0, sizeof(*table));
}

/** The pages from number @i on, up to @n, that adjoin one another within a segment. */
static inline unsigned isim_kernel_run_of(struct page **pages, unsigned i, unsigned n)
{
	unsigned end = i + 1;
	unsigned most = (unsigned)((UINT_MAX & PAGE_MASK) >> PAGE_SHIFT);

	while (end < n && end - i < most &&
	       page_to_pfn(pages[end]) == page_to_pfn(pages[end - 1]) + 1)
		end++;
	return end - i;
}

/** Adjoining pages make one entry. */
static inline int sg_alloc_table_from_pages(struct sg_table *table, struct page **pages,
                                            unsigned int n, unsigned int offset, unsigned long size,
                                            gfp_t gfp)
{
	unsigned nents = 0;
	struct scatterlist *sg;
	int err;

	for (unsigned i = 0; i < n; i += isim_kernel_run_of(pages, i, n))
		nents++;
	err = sg_alloc_table(table, nents, gfp);
	if (err)
		return err;
	sg = table->sgl;
	for (unsigned i = 0, len; i < n; i += len, sg++) {
		unsigned long bytes;

		len = isim_kernel_run_of(pages, i, n);
		bytes = ((unsigned long)len << PAGE_SHIFT) - offset;
		bytes = bytes < size ? bytes : size;
		sg_set_page(sg, pages[i], (unsigned)bytes, offset);
		size -= bytes;
		offset = 0;
	}
	return 0;
}

#define sg_alloc_table_from_pages_segment(table, pages, n, offset, size, most, gfp) \
	((void)(most), sg_alloc_table_from_pages(table, pages, n, offset, size, gfp))

#define for_each_sg(list, sg, nr, i) \
	for (i = 0, sg = (list); (unsigned)(i) < (unsigned)(nr); i++, sg = sg_next(sg))
#define for_each_sgtable_sg(table, sg, i)     for_each_sg((table)->sgl, sg, (table)->orig_nents, i)
#define for_each_sgtable_dma_sg(table, sg, i) for_each_sg((table)->sgl, sg, (table)->nents, i)

/* ---- Page by page ---- */

#define SG_MITER_ATOMIC  1
#define SG_MITER_TO_SG   2
#define SG_MITER_FROM_SG 4

struct sg_mapping_iter {
	struct page *page;
	void *addr;
	size_t length, consumed;
	struct scatterlist *isim_sg;
	unsigned isim_done;
};

static inline void sg_miter_start(struct sg_mapping_iter *miter, struct scatterlist *sg,
                                  unsigned int nents, unsigned int flags)
{
	(void)flags;
	(memset)(miter, 0, sizeof(*miter));
	miter->isim_sg = nents ? sg : NULL;
}

static inline bool sg_miter_next(struct sg_mapping_iter *miter)
{
	if (miter->isim_sg && miter->isim_done >= miter->isim_sg->length) {
		miter->isim_sg = sg_next(miter->isim_sg);
		miter->isim_done = 0;
	}
	if (!miter->isim_sg)
		return false;
	miter->page = sg_page(miter->isim_sg) + (miter->isim_done >> PAGE_SHIFT);
	miter->addr = page_address(miter->page);
	miter->length = miter->consumed = PAGE_SIZE;
	miter->isim_done += (unsigned)PAGE_SIZE;
	return true;
}

static inline void sg_miter_stop(struct sg_mapping_iter *miter)
{
	miter->isim_sg = NULL;
}

#endif
