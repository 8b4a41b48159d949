/* SPDX-License-Identifier: MIT */
/** @file place.h  From what a pasted function returned to the chunks of the buffer. */
#ifndef IOMMUSIM_KERNEL_PLACE_H
#define IOMMUSIM_KERNEL_PLACE_H

#include "iommusim/kernel/slab.h"

/** What is wrong with @page as a page of the buffer; NULL: nothing. */
static inline const char *isim_kernel_not_placeable(const struct page *page, bool whole,
                                                    u32 *finding)
{
	*finding = IOMMUSIM_FINDING_BAD_PAGE;
	if (!page)
		return "it is NULL";
	if (!isim_kernel_is_page(page) || page->isim_state == ISIM_KERNEL_NONE)
		return "it is no page of its own";
	if (page->isim_placed)
		return "it is there already";
	if (page->isim_state == ISIM_KERNEL_FREED) {
		*finding = IOMMUSIM_FINDING_STALE_BLOCK;
		return "it was given back";
	}
	if (!whole && page->isim_state != ISIM_KERNEL_SINGLE &&
	    page->isim_state != ISIM_KERNEL_RANGE)
		return "its block is not split";
	return NULL;
}

/** Check the @count pointers of @pages. 0, or -IOMMUSIM_EBUG after a finding. */
static inline int isim_kernel_check_array(struct page **pages, uint64_t count, bool whole)
{
	for (uint64_t i = 0; i < count; i++) {
		u32 finding;
		const char *wrong = isim_kernel_not_placeable(pages[i], whole, &finding);
		char name[100];

		if (wrong) {
			isim_kernel_tell(finding, "returns, as page %llu of the buffer, %s: %s",
			                 (unsigned long long)i,
			                 isim_kernel_name(pages[i], name, sizeof(name)), wrong);
			return -IOMMUSIM_EBUG;
		}
		pages[i]->isim_placed = 1;
	}
	return 0;
}

/** The order of the chunk that starts at pages[0], of @left: a whole block in order, or a page. */
static inline unsigned isim_kernel_chunk_order(struct page **pages, uint64_t left)
{
	const struct isim_kernel_block *block = &isim_kernel.now->block[pages[0]->isim_block];
	uint64_t nr = (uint64_t)1 << block->order;

	if (page_to_pfn(pages[0]) != block->pfn || nr > left)
		return 0;
	for (uint64_t i = 1; i < nr; i++)
		if (pages[i] != pages[0] + i)
			return 0;
	return block->order;
}

/** Hand over the frames of one chunk. 0 or -IOMMUSIM_EHOST. */
static inline int isim_kernel_append(struct page *page, unsigned order)
{
	struct iommusim_chunk chunk = { .pfn = page_to_pfn(page),
		                        .order = (uint8_t)order,
		                        .is_split = page->isim_state == ISIM_KERNEL_SINGLE };
	int err = iommusim_chunk_append(isim_kernel.now->run, &chunk);

	if (!err)
		isim_kernel_mark(page, order, ISIM_KERNEL_NONE);
	return err;
}

/** Hand over a contiguous range as the whole buffer. 0 or an error. */
static inline int isim_kernel_append_range(const struct isim_kernel_block *block)
{
	int err = iommusim_chunk_append_contiguous(isim_kernel.now->run, block->pfn, block->nr);

	if (!err)
		isim_kernel_mark_all(pfn_to_page((unsigned long)block->pfn), block->nr,
		                     ISIM_KERNEL_NONE);
	return err;
}

/**
 * The contiguous range that @pages are, one page after the other; NULL: they are none. A buffer of
 * which only a part is of a range is a finding.
 */
static inline const struct isim_kernel_block *isim_kernel_range_of(struct page **pages, u64 count)
{
	const struct isim_kernel_block *block = &isim_kernel.now->block[pages[0]->isim_block];
	bool has_any = false, is_whole = block->is_range && block->nr == count;

	for (u64 i = 0; i < count; i++) {
		has_any |= pages[i]->isim_state == ISIM_KERNEL_RANGE;
		is_whole &= page_to_pfn(pages[i]) == block->pfn + i;
	}
	if (has_any && !is_whole)
		isim_kernel_tell(IOMMUSIM_FINDING_BAD_PAGE,
		                 "returns pages of a contiguous range that is not the buffer, from "
		                 "end to end");
	return has_any && is_whole ? block : NULL;
}

/** Hand over the blocks that the @count pages are. 0 or an error. */
static inline int isim_kernel_append_blocks(struct page **pages, u64 count)
{
	int err = 0;

	for (u64 i = 0; !err && i < count;) {
		unsigned order = isim_kernel_chunk_order(pages + i, count - i);

		if (pages[i]->isim_state == ISIM_KERNEL_RANGE)
			return -IOMMUSIM_EBUG; /* told */
		err = isim_kernel_append(pages[i], order);
		i += (u64)1 << order;
	}
	return err;
}

/**
 * The buffer is the page array at @pages, NULL or an ERR_PTR() where the function failed. @whole:
 * its blocks need not be split. Returns what the policy returns.
 */
static inline int isim_kernel_place_pages(struct page **pages, bool whole)
{
	struct isim_kernel_run *now = isim_kernel.now;
	uint64_t count = now->plan->count;
	const struct isim_kernel_block *range;
	struct isim_kernel_slot *slot;
	int err;

	if (IS_ERR_OR_NULL(pages))
		return -IOMMUSIM_ENOMEM;
	err = isim_kernel_check_array(pages, count, whole);
	if (err)
		return err;
	isim_kernel_enter();
	range = isim_kernel_range_of(pages, count);
	err = range ? isim_kernel_append_range(range) : isim_kernel_append_blocks(pages, count);
	slot = isim_kernel_slot_of(pages);
	if (slot)
		slot->is_result = true;
	isim_kernel_leave(now);
	return err;
}

/** The buffer is what is held, in the order in which it was got. */
static inline int isim_kernel_place_blocks(int result)
{
	struct isim_kernel_run *now = isim_kernel.now;
	int err = 0;

	if (result)
		return -IOMMUSIM_ENOMEM;
	isim_kernel_enter();
	for (size_t n = 0; !err && n < now->nr_blocks; n++) {
		const struct isim_kernel_block *block = &now->block[n];
		struct page *page = pfn_to_page((unsigned long)block->pfn);

		/* A frame that was given back may have been got again, as another block's. */
		if (page->isim_block == n && page->isim_state == ISIM_KERNEL_HEAD)
			err = isim_kernel_append(page, block->order);
		else
			for (uint64_t i = 0; !err && i < block->nr; i++)
				if (page[i].isim_block == n &&
				    page[i].isim_state == ISIM_KERNEL_SINGLE)
					err = isim_kernel_append(page + i, 0);
	}
	isim_kernel_leave(now);
	return err;
}

/** Give back block @n, as much of it as is held. Returns its number of pages, @first the first. */
static inline u64 isim_kernel_end_block(struct isim_kernel_run *now, size_t n,
                                        const struct page **first)
{
	const struct isim_kernel_block *block = &now->block[n];
	struct page *page = pfn_to_page((unsigned long)block->pfn);
	u64 held = 0;

	for (u64 i = 0; i < block->nr; i++) {
		if (page[i].isim_block != n || !isim_kernel_is_held(&page[i]))
			continue;
		held++;
		*first = *first ? *first : &page[i];
		if (!block->is_range && page[i].isim_state != ISIM_KERNEL_TAIL)
			iommusim_chunk_give_back(
				now->run, page_to_pfn(&page[i]),
				page[i].isim_state == ISIM_KERNEL_HEAD ? block->order : 0);
	}
	if (held && block->is_range)
		iommusim_chunk_give_back_contiguous(now->run, block->pfn, block->nr);
	return held;
}

/** Give back what is held at the end: it is lost to the kernel, not to the simulation. */
static inline void isim_kernel_end_pages(struct isim_kernel_run *now, bool leaks_count)
{
	const struct page *first = NULL;
	unsigned long long lost = 0;
	char name[100];

	for (size_t n = 0; n < now->nr_blocks; n++)
		lost += isim_kernel_end_block(now, n, &first);
	if (lost && leaks_count)
		isim_kernel_tell(IOMMUSIM_FINDING_LEAK, "has not given back %llu page%s, first %s",
		                 lost, lost == 1 ? "" : "s",
		                 isim_kernel_name(first, name, sizeof(name)));
	for (size_t n = 0; n < now->nr_blocks; n++)
		isim_kernel_mark_all(pfn_to_page((unsigned long)now->block[n].pfn),
		                     now->block[n].nr, ISIM_KERNEL_NONE);
}

#endif
