/* SPDX-License-Identifier: MIT */
/* A caller's own book of the blocks that it holds, kept up to date when they move or are taken. */
#ifndef PHYS_BOOK_H
#define PHYS_BOOK_H

#include "phys_test.h"

struct held {
	iommusim_pfn pfn;
	unsigned order, kind;
	int is_held;
};

/* Frames are counted from pfn 0; @by_pfn says which entry starts there, 0: none. */
struct book {
	struct held *held; /* entry 0 is not used */
	uint32_t *by_pfn;
	uint32_t *free_entry, nr_free_entries;
	uint64_t nr_frames, nr_taken, nr_moves, nr_takes;
	unsigned refuse; /* 1: every second question is answered no */
	uint64_t nr_asked, nr_refused;
};

static inline struct book given_book(uint64_t nr_frames)
{
	struct book book = { .nr_frames = nr_frames };

	book.held = calloc((size_t)nr_frames + 1, sizeof(*book.held));
	book.by_pfn = calloc((size_t)nr_frames, sizeof(*book.by_pfn));
	book.free_entry = calloc((size_t)nr_frames, sizeof(*book.free_entry));
	assert_true(book.held && book.by_pfn && book.free_entry);
	for (uint32_t i = 0; i < nr_frames; i++)
		book.free_entry[i] = (uint32_t)nr_frames - i;
	book.nr_free_entries = (uint32_t)nr_frames;
	return book;
}

static inline void book_finish(struct book *book)
{
	free(book->held);
	free(book->by_pfn);
	free(book->free_entry);
}

static inline void book_add(struct book *book, iommusim_pfn pfn, unsigned order, unsigned kind)
{
	uint32_t entry = book->free_entry[--book->nr_free_entries];

	assert_true(pfn < book->nr_frames && !book->by_pfn[pfn]);
	book->by_pfn[pfn] = entry;
	book->held[entry] = (struct held){ pfn, order, kind, 1 };
	book->nr_taken += UINT64_C(1) << order;
}

static inline struct held book_remove(struct book *book, iommusim_pfn pfn)
{
	uint32_t entry = book->by_pfn[pfn];
	struct held held = book->held[entry];

	assert_true(entry && held.is_held && held.pfn == pfn);
	book->held[entry].is_held = 0;
	book->by_pfn[pfn] = 0;
	book->free_entry[book->nr_free_entries++] = entry;
	book->nr_taken -= UINT64_C(1) << held.order;
	return held;
}

static inline int book_refuses(struct book *book)
{
	int no = book->refuse && book->nr_asked++ % 2;

	book->nr_refused += (uint64_t)no;
	return no;
}

static inline int book_moved(void *ctx, iommusim_pfn from, iommusim_pfn to, unsigned order)
{
	struct book *book = ctx;
	struct held held;

	if (book_refuses(book))
		return 1;
	held = book_remove(book, from);
	assert_int_equal(held.order, order);
	book_add(book, to, order, held.kind);
	book->nr_moves++;
	return 0;
}

static inline int book_taken(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct book *book = ctx;
	struct held held;

	if (book_refuses(book))
		return 1;
	held = book_remove(book, pfn);
	assert_int_equal(held.order, order);
	book->nr_takes++;
	return 0;
}

static inline void book_owns(struct book *book, struct iommusim_phys *phys)
{
	struct iommusim_page_owner owner = {
		.size = sizeof(owner), .ctx = book, .moved = book_moved, .taken = book_taken
	};

	assert_ok(iommusim_phys_set_owner(phys, &owner));
}

/* Every entry is in use, with its kind, and nothing else is a caller's. */
static inline void book_compare(const struct book *book, const struct iommusim_phys *phys)
{
	uint64_t nr[IOMMUSIM_NR_PAGE_KINDS] = { 0 }, found[IOMMUSIM_NR_PAGE_KINDS] = { 0 };
	struct iommusim_usage usage;

	for (uint64_t i = 1; i <= book->nr_frames; i++) {
		const struct held *h = &book->held[i];
		unsigned is_callers = 0;

		if (!h->is_held)
			continue;
		assert_int_equal(iommusim_phys_kind(phys, h->pfn, &is_callers), h->kind);
		assert_int_equal(is_callers, 1);
		nr[h->kind] += UINT64_C(1) << h->order;
	}
	for (unsigned zone = 0; zone < iommusim_phys_nr_zones(phys); zone++) {
		assert_ok(iommusim_phys_usage(phys, zone, &usage));
		for (unsigned kind = 0; kind < IOMMUSIM_NR_PAGE_KINDS; kind++)
			found[kind] += usage.callers[kind];
	}
	assert_memory_equal(found, nr, sizeof(nr));
}

#endif
