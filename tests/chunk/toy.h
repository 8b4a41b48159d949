/* SPDX-License-Identifier: MIT */
/*
 * A toy page source: free blocks on paper, no watermarks. The smallest sufficient block is split,
 * upper halves stay free; a block that is free is taken before one that a split would make. And
 * attempts as text: "5:R:F 4:R:okx2" is order 5 with NORETRY failed, then order 4 twice.
 */
#ifndef TOY_H
#define TOY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define TOY_BLOCKS 4096

struct toy {
	unsigned max_order;
	struct {
		iommusim_pfn pfn[TOY_BLOCKS];
		unsigned nr;
	} free[14];                     /* the last one is taken first */
	iommusim_pfn freed[TOY_BLOCKS]; /* single pages given back, in order */
	unsigned nr_freed;
	uint64_t in_use;    /* pages */
	unsigned fail_from; /* splits from this one, from 1, on fail */
	unsigned nr_splits;
};

static inline int toy_alloc(void *ctx, const struct iommusim_page_request *req,
                            struct iommusim_page_block *block)
{
	struct toy *toy = ctx;
	unsigned have = req->order;

	while (have <= toy->max_order && !toy->free[have].nr)
		have++;
	if (have > toy->max_order)
		return -IOMMUSIM_ENOMEM;
	block->pfn = toy->free[have].pfn[--toy->free[have].nr];
	block->zone = IOMMUSIM_ZONE_NORMAL;
	block->migratetype = IOMMUSIM_UNMOVABLE;
	while (have-- > req->order)
		toy->free[have].pfn[toy->free[have].nr++] = block->pfn + (UINT64_C(1) << have);
	toy->in_use += UINT64_C(1) << req->order;
	return 0;
}

static inline int toy_free(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct toy *toy = ctx;

	if (!order)
		toy->freed[toy->nr_freed++ % TOY_BLOCKS] = pfn;
	toy->in_use -= UINT64_C(1) << order;
	return 0;
}

static inline int toy_split(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct toy *toy = ctx;

	return ++toy->nr_splits == toy->fail_from ? -IOMMUSIM_EHOST : 0;
}

static inline struct iommusim_page_source toy_source(struct toy *toy)
{
	struct iommusim_page_source source = { .size = sizeof(source),
		                               .ctx = toy,
		                               .alloc_pages = toy_alloc,
		                               .free_pages = toy_free,
		                               .split_page = toy_split };

	return source;
}

/* Free blocks as "10x3 4x2": three of order 10, then two of order 4, one after the other with a
 * gap. */
static inline struct toy *given_toy(const char *blocks)
{
	struct toy *toy = calloc(1, sizeof(*toy));
	iommusim_pfn at = 1 << 20;
	unsigned order, nr;
	int used;

	assert_non_null(toy);
	toy->max_order = 10;
	for (; sscanf(blocks, "%ux%u%n", &order, &nr, &used) == 2; blocks += used) {
		iommusim_pfn size = UINT64_C(1) << order;

		at = (at + size - 1) & ~(size - 1);
		for (unsigned i = nr; i-- > 0;)
			toy->free[order].pfn[toy->free[order].nr++] = at + i * 2 * size;
		at += nr * 2 * size;
	}
	return toy;
}

/* The attempts as text; flags are those beyond @base. */
static inline const char *attempts_text(const struct iommusim_chunks *chunks, uint32_t base)
{
	static char text[4096];
	size_t at = 0;

	text[0] = 0;
	for (size_t i = 0; i < chunks->nr_attempts;) {
		const struct iommusim_attempt *first = &chunks->attempt[i];
		uint32_t extra = first->gfp ^ base;
		int failed = first->pfn == IOMMUSIM_NO_PFN;
		size_t n = 0;

		for (; i < chunks->nr_attempts && chunks->attempt[i].order == first->order &&
		       chunks->attempt[i].gfp == first->gfp &&
		       (chunks->attempt[i].pfn == IOMMUSIM_NO_PFN) == failed;
		     i++)
			n++;
		assert_int_equal(extra & ~IOMMUSIM_GFP_BIT_NORETRY, 0);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u:%c:%s", at ? " " : "",
		                       first->order, extra ? 'R' : '-', failed ? "F" : "ok");
		if (n > 1)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "x%u", (unsigned)n);
	}
	return text;
}

/* The orders of the chunks as text: "4x2 2 0x9". */
static inline const char *chunks_text(const struct iommusim_chunks *chunks)
{
	static char text[1024];
	size_t at = 0;

	text[0] = 0;
	for (size_t i = 0; i < chunks->nr_chunks;) {
		unsigned order = chunks->chunk[i].order;
		size_t n = 0;

		for (; i < chunks->nr_chunks && chunks->chunk[i].order == order; i++)
			n++;
		at += (size_t)snprintf(text + at, sizeof(text) - at, n > 1 ? "%s%ux%u" : "%s%u",
		                       at ? " " : "", order, (unsigned)n);
	}
	return text;
}

#endif
