/* SPDX-License-Identifier: MIT */
/* arch/arm's table of orders beside its contiguous ranges, each in a function of its own. */
#include <iommusim/kernel.h>

#if IOMMUSIM_KERNEL_VERSION < 4008
#define ATTRS             struct dma_attrs *
#define HAS(attrs, which) dma_get_attr(which, attrs)
#else
#define ATTRS             unsigned long
#define HAS(attrs, which) ((attrs) & (which))
#endif

/* What is said beside how much and how aligned: nothing, how to ask, whether to be silent. */
#if IOMMUSIM_KERNEL_VERSION < 4011
#define SAYING(gfp)
#elif IOMMUSIM_KERNEL_VERSION < 4019
#define SAYING(gfp) , gfp
#else
#define SAYING(gfp) , (gfp & __GFP_NOWARN) != 0
#endif

static const unsigned int rungs[] = { 9, 8, 4, 0 };

/* The entries of @pages from @at on: the @nr pages from @first. Returns the entry behind them. */
static int enter(struct page **pages, int at, struct page *first, int nr)
{
	for (int i = 0; i < nr; i++)
		pages[at + i] = nth_page(first, i);
	return at + nr;
}

static int fill_with_range(struct device *dev, struct page **pages, int nr, gfp_t gfp)
{
	size_t bytes = (size_t)nr << PAGE_SHIFT;
	struct page *first = dma_alloc_from_contiguous(dev, nr, get_order(bytes) SAYING(gfp));

	if (!first)
		return 0;
	__dma_clear_buffer(first, bytes, NORMAL);
	return enter(pages, 0, first, nr);
}

/* Returns how many entries have a page. */
static int fill_with_blocks(struct page **pages, int nr, gfp_t gfp, const unsigned int *rung)
{
	int at = 0;

	while (at < nr) {
		bool fits = (nr - at) >> *rung != 0;
		struct page *block = NULL;

		if (fits)
			block = alloc_pages(*rung ? gfp | __GFP_NORETRY : gfp, *rung);
		if (!block && !*rung)
			break;
		if (!block) {
			rung++;
			continue;
		}
		if (*rung)
			split_page(block, *rung);
		__dma_clear_buffer(block, PAGE_SIZE << *rung, NORMAL);
		at = enter(pages, at, block, 1 << *rung);
	}
	return at;
}

static struct page **get_buffer(struct device *dev, size_t size, gfp_t gfp, ATTRS attrs,
                                int coherent_flag)
{
	int nr = size >> PAGE_SHIFT, got;
	struct page **pages = vzalloc(nr * sizeof(*pages));

	if (!pages)
		return NULL;
	if (HAS(attrs, DMA_ATTR_FORCE_CONTIGUOUS))
		got = fill_with_range(dev, pages, nr, gfp);
	else
		got = fill_with_blocks(pages, nr, gfp | __GFP_NOWARN | __GFP_HIGHMEM,
		                       &rungs[HAS(attrs, DMA_ATTR_ALLOC_SINGLE_PAGES) ? 3 : 0]);
	if (got == nr)
		return pages;
	while (got)
		__free_page(pages[--got]);
	vfree(pages);
	return NULL;
}

IOMMUSIM_KERNEL_POLICY(get_buffer)
