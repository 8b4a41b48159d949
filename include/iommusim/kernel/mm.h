/* SPDX-License-Identifier: MIT */
/** @file mm.h  Pages: got, split, given back, each call checked. */
#ifndef IOMMUSIM_KERNEL_MM_H
#define IOMMUSIM_KERNEL_MM_H

#include "iommusim/kernel/gfp.h"
#include "iommusim/kernel/macros.h"
#include "iommusim/kernel/run.h"

/** Those of the request: run-time values. */
#define PAGE_SHIFT        (isim_kernel.now->req->page_shift)
#define PAGE_SIZE         (1UL << PAGE_SHIFT)
#define PAGE_MASK         (~(PAGE_SIZE - 1))
#define PAGE_ALIGN(x)     ALIGN(x, PAGE_SIZE)
#define PAGE_ALIGNED(x)   IS_ALIGNED((unsigned long)(x), PAGE_SIZE)
#define offset_in_page(x) ((unsigned long)(x) & ~PAGE_MASK)
#define PHYS_PFN(x)       ((unsigned long)((x) >> PAGE_SHIFT))
#define PFN_PHYS(x)       ((phys_addr_t)(x) << PAGE_SHIFT)
#define PFN_UP(x)         (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x)       ((x) >> PAGE_SHIFT)
#define SZ_4K             0x1000
#define SZ_64K            0x10000
#define SZ_1M             0x100000
#define SZ_2M             0x200000
#define SZ_1G             0x40000000

/**
 * The largest order: MAX_ORDER was one more before 6.4, and has another name since 6.8. It is a
 * run-time value, too, since it differs between worlds; with IOMMUSIM_KERNEL_LARGEST_ORDER it is
 * that constant, and the policy is for no other. NR_PAGE_ORDERS, of which arrays are made since
 * 6.8, is a constant, and at least as large.
 */
#ifdef IOMMUSIM_KERNEL_LARGEST_ORDER
_Static_assert(IOMMUSIM_KERNEL_LARGEST_ORDER > 0 &&
                       IOMMUSIM_KERNEL_LARGEST_ORDER < IOMMUSIM_MAX_ORDERS,
               "IOMMUSIM_KERNEL_LARGEST_ORDER is not 1 to 13");
#define isim_kernel_max_order  IOMMUSIM_KERNEL_LARGEST_ORDER
#define isim_kernel_only_order IOMMUSIM_KERNEL_LARGEST_ORDER
#else
#define isim_kernel_only_order 0
#define isim_kernel_max_order  ((int)isim_kernel.now->req->max_order)
#endif
#if IOMMUSIM_KERNEL_VERSION < 6004
#define MAX_ORDER (isim_kernel_max_order + 1)
#elif IOMMUSIM_KERNEL_VERSION < 6008
#define MAX_ORDER isim_kernel_max_order
#endif
#if IOMMUSIM_KERNEL_VERSION >= 6008
#define MAX_PAGE_ORDER isim_kernel_max_order
#define NR_PAGE_ORDERS IOMMUSIM_MAX_ORDERS
#endif
#define MAX_ORDER_NR_PAGES      (1UL << isim_kernel_max_order)
#define PAGE_ALLOC_COSTLY_ORDER 3

static inline int get_order(unsigned long size)
{
	return order_base_2((size + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

/** What an attempt returns that ended with @err: the first page of @block, or NULL. */
static inline struct page *isim_kernel_got(struct isim_kernel_run *now, int err,
                                           const struct isim_kernel_block *block)
{
	if (err == -IOMMUSIM_ENOMEM) {
		isim_kernel_leave(now);
		return NULL;
	}
	if (!err)
		err = isim_kernel_hold(now, block);
	if (err)
		isim_kernel_escape(err);
	isim_kernel_leave(now);
	return pfn_to_page((unsigned long)block->pfn);
}

/** One attempt, on the node of the request whatever the caller says. */
static inline struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct isim_kernel_run *now = isim_kernel_enter();
	struct isim_kernel_block block = { .nr = (u64)1 << (order & 63),
		                           .order = order,
		                           .is_compound = order && gfp & __GFP_COMP,
		                           .attempt = iommusim_chunk_nr_attempts(now->run) };

	return isim_kernel_got(now, iommusim_chunk_take(now->run, order, gfp, &block.pfn), &block);
}

static inline struct page *alloc_pages_node(int nid, gfp_t gfp, unsigned int order)
{
	(void)nid;
	return alloc_pages(gfp, order);
}

#define alloc_page(gfp)                         alloc_pages(gfp, 0)
#define alloc_pages_exact_node(nid, gfp, order) alloc_pages_node(nid, gfp, order)
#define __alloc_pages_node(nid, gfp, order)     alloc_pages_node(nid, gfp, order)
#if IOMMUSIM_KERNEL_VERSION >= 5013
#define __alloc_pages(gfp, order, nid, nodes) ((void)(nodes), alloc_pages_node(nid, gfp, order))
#endif

/** Why @page cannot be freed as 2^@order pages; NULL: it can. */
static inline const char *isim_kernel_not_freeable(const struct page *page, unsigned order)
{
	if (!isim_kernel_is_page(page) || page->isim_state == ISIM_KERNEL_NONE)
		return "no page of its own";
	if (page->isim_state == ISIM_KERNEL_FREED)
		return "freed already";
	if (page->isim_state == ISIM_KERNEL_TAIL)
		return "inside a block that is not split";
	if (page->isim_state == ISIM_KERNEL_RANGE)
		return "a contiguous range goes back whole, with dma_release_from_contiguous()";
	if (page->isim_state == ISIM_KERNEL_SINGLE)
		return order ? "a single page" : NULL;
	if (isim_kernel.now->block[page->isim_block].order == order)
		return NULL;
	return order ? "a block of another order" : "a block that is not split";
}

static inline void __free_pages(struct page *page, unsigned int order)
{
	struct isim_kernel_run *now = isim_kernel_enter();
	const char *wrong = isim_kernel_not_freeable(page, order);
	char name[100];
	int err = 0;

	if (wrong) {
		isim_kernel_tell(IOMMUSIM_FINDING_BAD_FREE, "frees %s as order %u: %s",
		                 isim_kernel_name(page, name, sizeof(name)), order, wrong);
	} else {
		err = iommusim_chunk_give_back(now->run, page_to_pfn(page), order);
		if (err)
			isim_kernel_escape(err);
		isim_kernel_mark(page, order, ISIM_KERNEL_FREED);
		page->lru.next = page->lru.prev = (struct list_head *)ISIM_KERNEL_FREED_LRU;
	}
	isim_kernel_leave(now);
}

#define __free_page(page) __free_pages(page, 0)

/** What a head of a compound block says; 0 of all others, as in the kernel. */
static inline unsigned int compound_order(struct page *page)
{
	const struct isim_kernel_block *block;

	if (!isim_kernel_is_page(page) || !isim_kernel_is_held(page)) {
		char name[100];

		isim_kernel_tell(IOMMUSIM_FINDING_BAD_PAGE, "looks at %s, which is not held",
		                 isim_kernel_name(page, name, sizeof(name)));
		return 0;
	}
	block = &isim_kernel.now->block[page->isim_block];
	return block->is_compound && page->isim_state == ISIM_KERNEL_HEAD ? block->order : 0;
}

static inline int PageCompound(struct page *page)
{
	return isim_kernel_is_page(page) &&
	       (page->isim_state == ISIM_KERNEL_HEAD || page->isim_state == ISIM_KERNEL_TAIL) &&
	       isim_kernel.now->block[page->isim_block].is_compound;
}

static inline int PageHead(struct page *page)
{
	return PageCompound(page) && page->isim_state == ISIM_KERNEL_HEAD;
}

static inline int PageTail(struct page *page)
{
	return PageCompound(page) && page->isim_state == ISIM_KERNEL_TAIL;
}

static inline struct page *compound_head(struct page *page)
{
	if (!PageTail(page))
		return page;
	return pfn_to_page((unsigned long)isim_kernel.now->block[page->isim_block].pfn);
}

static inline unsigned long page_size(struct page *page)
{
	return PAGE_SIZE << compound_order(page);
}

static inline void put_page(struct page *page)
{
	page = compound_head(page);
	__free_pages(page, PageHead(page) ? compound_order(page) : 0);
}

static inline void get_page(struct page *page)
{
	(void)page;
}

/** Why the block at @page cannot be split; NULL: it can. */
static inline const char *isim_kernel_not_splittable(const struct page *page, unsigned order,
                                                     bool huge)
{
	if (!isim_kernel_is_page(page) || !isim_kernel_is_held(page))
		return "it is not held";
	if (page->isim_state != ISIM_KERNEL_HEAD)
		return order ? "it is no block" : NULL;
	if (isim_kernel.now->block[page->isim_block].order != order)
		return "it is of another order";
	if (!huge && isim_kernel.now->block[page->isim_block].is_compound)
		return "it is a compound block";
	return NULL;
}

/** 0, or what the source says, or -EBUSY after a finding. */
static inline int isim_kernel_split(struct page *page, unsigned order, bool huge)
{
	struct isim_kernel_run *now = isim_kernel_enter();
	const char *wrong = isim_kernel_not_splittable(page, order, huge);
	char name[100];
	int err = -EBUSY;

	if (wrong)
		isim_kernel_tell(IOMMUSIM_FINDING_BAD_SPLIT, "splits %s as order %u: %s",
		                 isim_kernel_name(page, name, sizeof(name)), order, wrong);
	else if (page->isim_state == ISIM_KERNEL_SINGLE || page->isim_state == ISIM_KERNEL_RANGE)
		err = 0;
	else
		err = iommusim_chunk_split(now->run, page_to_pfn(page), order, huge);
	if (!err && page->isim_state != ISIM_KERNEL_RANGE)
		isim_kernel_mark(page, order, ISIM_KERNEL_SINGLE);
	isim_kernel_leave(now);
	return err;
}

static inline void split_page(struct page *page, unsigned int order)
{
	int err = isim_kernel_split(page, order, false);

	if (err && err != -EBUSY)
		isim_kernel_escape(err);
}

/** Fails for driver pages, unless the page source can. */
static inline int split_huge_page(struct page *page)
{
	unsigned order = isim_kernel_is_page(page) && isim_kernel_is_held(page)
	                         ? isim_kernel.now->block[page->isim_block].order
	                         : 0;

	return isim_kernel_split(page, order, true) ? -EBUSY : 0;
}

#define nth_page(page, n)                   ((page) + (n))
#define page_to_nid(page)                   ((void)(page), 0)
#define page_to_phys(page)                  PFN_PHYS((phys_addr_t)page_to_pfn(page))
#define phys_to_page(pa)                    pfn_to_page((unsigned long)((pa) >> PAGE_SHIFT))
#define __pfn_to_phys(pfn)                  PFN_PHYS(pfn)
#define __phys_to_pfn(pa)                   PHYS_PFN(pa)
#define pfn_valid(pfn)                      ((uint64_t)(pfn) < isim_kernel.nr_pages)
#define page_private(page)                  ((page)->private)
#define set_page_private(page, n)           ((void)((page)->private = (n)))
#define PageHighMem(page)                   ((void)(page), 0)
#define SetPageReserved(page)               ((void)(page))
#define ClearPageReserved(page)             ((void)(page))
#define mod_node_page_state(pgdat, item, n) ((void)(n))
#define page_count(page)                    ((void)(page), 1)

/* ---- Contents: there are none. Addresses are numbers that only these functions know. ---- */

#define isim_kernel_contents ((uintptr_t)1 << (sizeof(void *) > 4 ? 46 : 30))

static inline void *page_address(const struct page *page)
{
	return (void *)(isim_kernel_contents + ((uintptr_t)page_to_pfn(page) << PAGE_SHIFT));
}

static inline struct page *virt_to_page(const void *address)
{
	return pfn_to_page(
		(unsigned long)(((uintptr_t)address - isim_kernel_contents) >> PAGE_SHIFT));
}

static inline bool isim_kernel_is_contents(const void *address)
{
	return sizeof(void *) > 4 && (uintptr_t)address >= isim_kernel_contents &&
	       ((uintptr_t)address - isim_kernel_contents) >> PAGE_SHIFT < isim_kernel.nr_pages;
}

static inline void *isim_kernel_memset(void *address, int byte, size_t bytes)
{
	return isim_kernel_is_contents(address) ? address : memset(address, byte, bytes);
}

#undef memset
#define memset(address, byte, bytes)  isim_kernel_memset(address, byte, bytes)
#define page_to_virt(page)            page_address(page)
#define virt_to_phys(address)         page_to_phys(virt_to_page(address))
#define __pa(address)                 virt_to_phys((const void *)(address))
#define kmap(page)                    page_address(page)
#define kmap_atomic(page)             page_address(page)
#define kmap_local_page(page)         page_address(page)
#define kunmap(page)                  ((void)(page))
#define kunmap_atomic(address)        ((void)(address))
#define kunmap_local(address)         ((void)(address))
#define clear_page(address)           ((void)(address))
#define clear_highpage(page)          ((void)(page))
#define dmac_flush_range(start, end)  ((void)(start), (void)(end))
#define outer_flush_range(start, end) ((void)(start), (void)(end))
#define __get_free_pages(gfp, order)  isim_kernel_get_free_pages(gfp, order)
#define __get_free_page(gfp)          isim_kernel_get_free_pages(gfp, 0)
#define free_pages(address, order)    __free_pages(virt_to_page((void *)(address)), order)
#define free_page(address)            free_pages(address, 0)

static inline unsigned long isim_kernel_get_free_pages(gfp_t gfp, unsigned order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

static inline unsigned long totalram_pages(void)
{
	return ULONG_MAX;
}

#endif
