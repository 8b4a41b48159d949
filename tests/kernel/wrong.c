/* SPDX-License-Identifier: MIT */
/* A loop in the kernel's idiom in which one thing at a time is wrong: which, wrong_kind says. */
#include <iommusim/kernel.h>

#include "wrong.h"

int wrong_kind;

#define IS(kind) (wrong_kind == WRONG_##kind)

static void give_back(struct page **pages, int count)
{
	if (IS(PAGE_LOST) && count)
		count--;
	while (count--)
		__free_page(pages[count]);
	if (IS(ENTRY_BEFORE_ARRAY_FREED))
		__free_page(((struct page *volatile *)pages)[-1]);
	if (IS(PAGES_FREED_TWICE) && pages[0])
		__free_page(pages[0]);
	if (!IS(ARRAY_LOST))
		kvfree(pages);
	if (IS(ARRAY_FREED_TWICE))
		kvfree(pages);
	if (IS(ARRAY_USED_AFTER_FREE))
		((struct page *volatile *)pages)[0] = NULL;
	if (IS(ARRAY_READ_AFTER_FREE))
		(void)((struct page *volatile *)pages)[0];
}

/* What is wrong with the block before it is split, if anything. */
static void misuse_block(struct page *page, unsigned int order)
{
	if (IS(FREED_BEFORE_SPLIT) && order)
		__free_page(page);
	if (IS(FREED_AS_ANOTHER_ORDER))
		__free_pages(page, order + 1);
	if (IS(TAIL_FREED) && order)
		__free_page(page + 1);
	if (IS(SPLIT_AS_ANOTHER_ORDER) && order)
		split_page(page, order - 1);
	if (order && !IS(NOT_SPLIT))
		split_page(page, order);
	if (IS(SPLIT_TWICE) && order)
		split_page(page, order);
	if (IS(FREED_AND_RETURNED))
		__free_page(page);
	if (IS(LOOKS_INTO_A_PAGE))
		*(volatile char *)page_address(page) = 1;
}

static void misuse_array(struct page **pages, unsigned int count)
{
	if (IS(WRITES_BEFORE_ARRAY))
		((struct page *volatile *)pages)[-1] = NULL;
	if (IS(WRITES_FAR_BEFORE_ARRAY))
		((volatile unsigned char *)pages)[-201] = 3;
	if (IS(READS_BEFORE_ARRAY))
		(void)((struct page *volatile *)pages)[-1];
	if (IS(READS_BEHIND_ARRAY))
		(void)((struct page *volatile *)pages)[count];
	if (IS(FREED_ARRAY_RETURNED))
		kvfree(pages);
	if (IS(WRITES_BEHIND_ARRAY))
		((struct page *volatile *)pages)[count] = NULL;
	if (IS(SAME_PAGE_TWICE) && count > 1)
		pages[1] = pages[0];
	if (IS(HOLE))
		pages[count - 1] = NULL;
	if (IS(WILD_PAGE))
		pages[count - 1] = (struct page *)0x123456789;
	if (IS(FOREIGN_PAGE))
		pages[count - 1] = pages[0] + 1000000;
}

static int recurse(volatile unsigned char *above)
{
	volatile unsigned char frame[2048];

	frame[0] = above[0];
	return IS(RECURSES) ? recurse(frame) + frame[0] : 0;
}

static void misbehave(unsigned int count)
{
	volatile unsigned int zero = 0, spin = 1;

	if (IS(NULL_POINTER))
		*(volatile int *)(uintptr_t)(zero * 8) = 1;
	if (IS(WRITES_TO_NO_BYTES))
		((struct page *volatile *)kmalloc_array(zero, sizeof(void *), GFP_KERNEL))[1] =
			NULL;
	if (IS(FRESH_ENTRY_FREED)) {
		struct page **fresh = kmalloc_array(2, sizeof(*fresh), GFP_KERNEL);

		__free_page(fresh[1]);
		kfree(fresh);
	}
	if (IS(RECURSES))
		recurse((volatile unsigned char *)&zero);
	if (IS(DIVIDES_BY_ZERO))
		spin = count / zero;
	if (IS(SPINS))
		while (spin)
			;
	if (IS(BUGS))
		BUG_ON(count > 0);
	if (IS(WARNS) && WARN_ON(count > 0))
		return;
}

static struct page **get_pages(unsigned int count, gfp_t gfp)
{
	struct page **pages;
	unsigned int i = 0, all = count;

	misbehave(count);
	pages = kvcalloc(IS(SHORT_ARRAY) ? count / 2 : count, sizeof(*pages), GFP_KERNEL);
	while (count) {
		unsigned int order = min_t(unsigned int, MAX_PAGE_ORDER, __fls(count));
		struct page *page;

		while (!(page = alloc_pages(order ? gfp | __GFP_NORETRY : gfp, order)) && order)
			order--;
		if (IS(NEVER_GIVES_UP) && !page)
			continue;
		if (!page) {
			give_back(pages, i);
			return NULL;
		}
		misuse_block(page, order);
		count -= 1 << order;
		for (unsigned int j = 0; j < 1U << order; j++)
			pages[i++] = page + j;
	}
	if (IS(EXTRA_BLOCK))
		alloc_page(gfp);
	if (IS(FREED_PAGE_FOLLOWED)) {
		LIST_HEAD(list);
		struct page *page = alloc_page(gfp);

		if (page) {
			list_add(&page->lru, &list);
			list_for_each_entry(page, &list, lru) __free_page(page);
		}
	}
	misuse_array(pages, all);
	return pages;
}

IOMMUSIM_KERNEL_POLICY(get_pages)
