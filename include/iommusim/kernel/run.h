/* SPDX-License-Identifier: MIT */
/**
 * @file run.h  One call of a pasted function: what it took, where it went wrong.
 *
 * The kernel's functions have no argument for a context, so that the call that is under way is a
 * static variable of the shared object: one thread at a time.
 */
#ifndef IOMMUSIM_KERNEL_RUN_H
#define IOMMUSIM_KERNEL_RUN_H

#include "iommusim/chunk.h"
#include "iommusim/kernel/types.h"

/** What a frame is to the pasted code. */
enum isim_kernel_state {
	ISIM_KERNEL_NONE,   /* not its own */
	ISIM_KERNEL_SINGLE, /* a page on its own */
	ISIM_KERNEL_HEAD,   /* the first of a block that is not split */
	ISIM_KERNEL_TAIL,   /* another one of it */
	ISIM_KERNEL_RANGE,  /* of a contiguous range, which goes back whole */
	ISIM_KERNEL_FREED   /* given back */
};

struct address_space;

/** One per frame, in one array: page + 1 is the next frame. */
struct page {
	unsigned long flags;
	struct list_head lru;
	struct address_space *mapping;
	unsigned long index;
	unsigned long private;
	unsigned isim_block; /* in isim_kernel_run.block */
	u8 isim_state;       /* enum isim_kernel_state */
	u8 isim_placed;      /* 1: seen in the result */
};

/** A block that an attempt got, or a contiguous range, which none did. */
struct isim_kernel_block {
	iommusim_pfn pfn;
	u64 nr;         /* pages */
	unsigned order; /* of a range: 0 */
	bool is_range;
	bool is_compound; /* got with __GFP_COMP */
	size_t attempt;
};

/** Bytes that no code has a reason to have: where a pointer of them is from. */
#define ISIM_KERNEL_BEFORE 0x5c /* before an array */
#define ISIM_KERNEL_BEHIND 0x5e
#define ISIM_KERNEL_FRESH  0x5a /* what was not zeroed */
#define ISIM_KERNEL_POISON 0x6b /* what was freed */

/** Where the list entry of a page that was given back leads: nowhere. */
#define ISIM_KERNEL_FREED_LRU 0x6b00

/**
 * Memory from kmalloc() and its like, between two pages that nobody can touch, at one of them. Of
 * the room no more pages than it needs are open, and none when it is freed.
 */
struct isim_kernel_slot {
	struct isim_kernel_slot *next;
	unsigned char *map;  /* the first guard page */
	size_t room;         /* bytes between the guard pages */
	unsigned char *open; /* what can be touched: */
	size_t open_bytes;
	unsigned char *ptr;
	size_t bytes;
	size_t attempt; /* attempts before it was allocated */
	bool is_free, is_result;
};

struct isim_kernel_run {
	const struct iommusim_chunk_request *req;
	const struct iommusim_chunk_plan *plan;
	struct iommusim_chunk_run *run;
	struct isim_kernel_block *block;
	size_t nr_blocks, cap_blocks;
	struct isim_kernel_slot *used;
	bool has_empty;                   /* it has memory of 0 bytes */
	int err;                          /* why the call was ended, 0: it was not */
	volatile sig_atomic_t in_library; /* not in the pasted code */
	volatile sig_atomic_t is_late;
	int signal; /* that ended it, 0: none */
	void *address;
	sigjmp_buf escape;
};

static struct isim_kernel_globals {
	struct isim_kernel_run *now; /* the call that is under way */
	struct page *page;           /* of frame 0 */
	uint64_t nr_pages;
	struct isim_kernel_slot *spare;
	int was_late;
	_Alignas(16) unsigned char stack[65536]; /* for signals */
} isim_kernel;

/* ---- Findings ---- */

static inline void __attribute__((format(printf, 2, 0)))
isim_kernel_vtell(u32 finding, const char *fmt, va_list args)
{
	struct isim_kernel_run *now = isim_kernel.now;
	size_t attempts = iommusim_chunk_nr_attempts(now->run);
	char text[160];
	int n = 0;

	if (attempts)
		n = snprintf(text, sizeof(text), "after attempt %zu it ", attempts - 1);
	else
		n = snprintf(text, sizeof(text), "before any attempt it ");
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, args);
	iommusim_chunk_tell(now->run, finding, text);
}

/** Note what the code did, and go on. */
static inline void __attribute__((format(printf, 2, 3)))
isim_kernel_tell(u32 finding, const char *fmt, ...)
{
	va_list args;

	if (!isim_kernel.now)
		return;
	va_start(args, fmt);
	isim_kernel_vtell(finding, fmt, args);
	va_end(args);
}

/** End the call with @err, a negative error of the library. */
static inline void __attribute__((noreturn)) isim_kernel_escape(int err)
{
	isim_kernel.now->err = err;
	siglongjmp(isim_kernel.now->escape, 1);
}

/** Note what the code did, and end the call: the kernel would stop here, or worse. */
static inline void __attribute__((noreturn, format(printf, 2, 3)))
isim_kernel_stop(u32 finding, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	isim_kernel_vtell(finding, fmt, args);
	va_end(args);
	isim_kernel_escape(-IOMMUSIM_EBUG);
}

/* The library and these headers are not left by a jump: locks may be held. */
static inline struct isim_kernel_run *isim_kernel_enter(void)
{
	isim_kernel.now->in_library = 1;
	return isim_kernel.now;
}

static inline void isim_kernel_leave(struct isim_kernel_run *now)
{
	now->in_library = 0;
	if (now->is_late)
		isim_kernel_stop(IOMMUSIM_FINDING_ENDLESS, "goes on for too long");
}

/* ---- The array of struct page ---- */

/** Reserve it: it costs nothing until it is written. 0 or -IOMMUSIM_EHOST. */
static inline int isim_kernel_reserve(void)
{
	uint64_t nr = sizeof(void *) > 4 ? UINT64_C(1) << 33 : UINT64_C(1) << 22;

	for (; !isim_kernel.page && nr >= UINT64_C(1) << 21; nr /= 2) {
		int flags = MAP_PRIVATE | MAP_ANONYMOUS;
		void *map;

#ifdef MAP_NORESERVE
		flags |= MAP_NORESERVE;
#endif
		map = mmap(NULL, (size_t)(nr * sizeof(struct page)), PROT_READ | PROT_WRITE, flags,
		           -1, 0);
		if (map == MAP_FAILED)
			continue;
		isim_kernel.page = map;
		isim_kernel.nr_pages = nr;
	}
	return isim_kernel.page ? 0 : -IOMMUSIM_EHOST;
}

/** Is it a pointer to one of them? */
static inline bool isim_kernel_is_page(const struct page *page)
{
	uintptr_t offset = (uintptr_t)page - (uintptr_t)isim_kernel.page;

	return (uintptr_t)page >= (uintptr_t)isim_kernel.page && !(offset % sizeof(*page)) &&
	       offset / sizeof(*page) < isim_kernel.nr_pages;
}

static inline unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)(page - isim_kernel.page);
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
	return isim_kernel.page + pfn;
}

static inline bool isim_kernel_is_held(const struct page *page)
{
	return page->isim_state != ISIM_KERNEL_NONE && page->isim_state != ISIM_KERNEL_FREED;
}

/** Where a pointer that is none was read, as its bytes tell; NULL: they do not. */
static inline const char *isim_kernel_source(const void *ptr)
{
	unsigned char byte = (uintptr_t)ptr & 0xff;

	if ((uintptr_t)ptr == ISIM_KERNEL_FREED_LRU - offsetof(struct page, lru))
		return "what the list entry of a page that it gave back leads to";
	if ((uintptr_t)ptr != UINTPTR_MAX / 0xff * byte)
		return NULL;
	switch (byte) {
	case 0:
		return "NULL";
	case ISIM_KERNEL_BEFORE:
		return "a pointer that it read before its array";
	case ISIM_KERNEL_BEHIND:
		return "a pointer that it read behind its array";
	case ISIM_KERNEL_FRESH:
		return "a pointer that it read from memory that it never wrote";
	case ISIM_KERNEL_POISON:
		return "a pointer that it read from memory that it freed";
	default:
		return NULL;
	}
}

/** "page 1 of the block of order 2 that attempt 0 got". */
static inline const char *isim_kernel_name(const struct page *page, char *text, size_t bytes)
{
	const struct isim_kernel_run *now = isim_kernel.now;
	const struct isim_kernel_block *block;

	if (!isim_kernel_is_page(page) || page->isim_state == ISIM_KERNEL_NONE) {
		if (isim_kernel_source(page))
			return isim_kernel_source(page);
		snprintf(text, bytes, "%p", (const void *)page);
		return text;
	}
	block = &now->block[page->isim_block];
	if (block->is_range)
		snprintf(text, bytes, "page %llu of a contiguous range of %llu",
		         (unsigned long long)(page_to_pfn(page) - block->pfn),
		         (unsigned long long)block->nr);
	else
		snprintf(text, bytes, "page %llu of the block of order %u that attempt %zu got",
		         (unsigned long long)(page_to_pfn(page) - block->pfn), block->order,
		         block->attempt);
	return text;
}

/** Note a block. 0 or -IOMMUSIM_EHOST. */
static inline int isim_kernel_add_block(struct isim_kernel_run *now,
                                        const struct isim_kernel_block *block)
{
	if (now->nr_blocks == now->cap_blocks) {
		size_t cap = now->cap_blocks ? 2 * now->cap_blocks : 64;
		struct isim_kernel_block *more = calloc(cap, sizeof(*more));

		if (!more)
			return -IOMMUSIM_EHOST;
		if (now->nr_blocks)
			memcpy(more, now->block, now->nr_blocks * sizeof(*more));
		free(now->block);
		now->block = more;
		now->cap_blocks = cap;
	}
	now->block[now->nr_blocks++] = *block;
	return 0;
}

/** Make the frames of the newest block what they are from the start. */
static inline void isim_kernel_mark_new(const struct isim_kernel_run *now)
{
	const struct isim_kernel_block *block = &now->block[now->nr_blocks - 1];
	struct page *page = pfn_to_page((unsigned long)block->pfn);

	memset(page, 0, (size_t)block->nr * sizeof(*page));
	for (u64 i = 0; i < block->nr; i++) {
		page[i].isim_block = (unsigned)(now->nr_blocks - 1);
		page[i].isim_state = block->is_range ? ISIM_KERNEL_RANGE : ISIM_KERNEL_TAIL;
	}
	if (!block->is_range)
		page->isim_state = block->order ? ISIM_KERNEL_HEAD : ISIM_KERNEL_SINGLE;
}

static inline void isim_kernel_mark_all(struct page *page, u64 nr, enum isim_kernel_state state)
{
	for (u64 i = 0; i < nr; i++)
		page[i].isim_state = (u8)state;
}

static inline void isim_kernel_mark(struct page *page, unsigned order, enum isim_kernel_state state)
{
	isim_kernel_mark_all(page, (u64)1 << order, state);
}

/** A block that was just taken becomes the code's. 0, or -IOMMUSIM_EHOST after it was given back.
 */
static inline int isim_kernel_hold(struct isim_kernel_run *now,
                                   const struct isim_kernel_block *block)
{
	if (block->pfn + block->nr <= isim_kernel.nr_pages && !isim_kernel_add_block(now, block)) {
		isim_kernel_mark_new(now);
		return 0;
	}
	if (block->is_range)
		iommusim_chunk_give_back_contiguous(now->run, block->pfn, block->nr);
	else
		iommusim_chunk_give_back(now->run, block->pfn, block->order);
	return -IOMMUSIM_EHOST;
}

#endif
