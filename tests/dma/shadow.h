/* SPDX-License-Identifier: MIT */
/*
 * The shadow: an independent account of what a device may reach. It stands between a device and
 * its driver, its page source and its flushes, and complains with a failed assertion.
 *
 * It holds every mapping that a test has declared, the IOTLB as large as it can be (whatever was
 * ever reachable and has not been invalidated), and the pages that the source has given out.
 */
#ifndef SHADOW_H
#define SHADOW_H

#include <stdlib.h>
#include <string.h>

#include "test.h"

/* Bytes that one live buffer lets the device reach, by its own words. */
struct shadow_range {
	uint64_t iova, pa, size;
	unsigned prot; /* READ and WRITE */
};

/* A page that an IOTLB entry may still name. */
struct shadow_entry {
	uint64_t iova, pa, pgsize;
};

struct shadow {
	struct iommusim_driver inner;
	struct iommusim_page_source pages;
	struct shadow_range *range;
	struct shadow_entry *entry;
	size_t nr_ranges, cap_ranges, nr_entries, cap_entries;
	uint64_t granule;
	unsigned page_shift;
	int is_strict;
	uint64_t nr_given_early;       /* pages given back while an entry named them */
	struct iommusim_event flushed; /* scratch */
};

static inline void *shadow_room(void *array, size_t nr, size_t *cap, size_t bytes)
{
	if (nr < *cap)
		return array;
	*cap = *cap * 2 + 64;
	array = realloc(array, *cap * bytes);
	assert_non_null(array);
	return array;
}

/* ---- The driver: what becomes reachable, and what is invalidated ---- */

static inline int shadow_map_pages(void *ctx, const struct iommusim_map_pages *pages,
                                   uint64_t *mapped)
{
	struct shadow *s = ctx;
	int err = s->inner.map_pages(s->inner.ctx, pages, mapped);

	for (uint64_t at = 0; at < *mapped; at += pages->pgsize) {
		s->entry = shadow_room(s->entry, s->nr_entries, &s->cap_entries, sizeof(*s->entry));
		s->entry[s->nr_entries++] =
			(struct shadow_entry){ pages->iova + at, pages->pa + at, pages->pgsize };
	}
	return err;
}

static inline uint64_t shadow_unmap_pages(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                                          struct iommusim_gather *gather)
{
	struct shadow *s = ctx;

	return s->inner.unmap_pages(s->inner.ctx, iova, pgsize, count, gather);
}

static inline uint64_t shadow_iova_to_phys(void *ctx, uint64_t iova)
{
	struct shadow *s = ctx;

	return s->inner.iova_to_phys(s->inner.ctx, iova);
}

/* Entries of [@start, @last] that are no longer mapped are gone from the IOTLB. */
static inline void shadow_invalidate(struct shadow *s, uint64_t start, uint64_t last)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->nr_entries; i++) {
		struct shadow_entry e = s->entry[i];
		int is_hit = e.iova <= last && e.iova + (e.pgsize - 1) >= start;

		if (!is_hit || s->inner.iova_to_phys(s->inner.ctx, e.iova) == e.pa)
			s->entry[kept++] = e;
	}
	s->nr_entries = kept;
}

static inline void shadow_sync(void *ctx, const struct iommusim_gather *gather)
{
	if (gather->start <= gather->last)
		shadow_invalidate(ctx, gather->start, gather->last);
}

static inline void shadow_flush_all(void *ctx)
{
	shadow_invalidate(ctx, 0, UINT64_MAX);
}

static inline struct iommusim_driver shadow_driver(struct shadow *s, struct iommusim_driver inner)
{
	s->inner = inner;
	return (struct iommusim_driver){ .size = sizeof(struct iommusim_driver),
		                         .ctx = s,
		                         .map_pages = shadow_map_pages,
		                         .unmap_pages = shadow_unmap_pages,
		                         .iova_to_phys = shadow_iova_to_phys,
		                         .sync_iotlb = shadow_sync,
		                         .flush_iotlb_all = shadow_flush_all };
}

/* ---- The page source: what goes back must be out of reach ---- */

static inline int shadow_names(const struct shadow *s, uint64_t pa, uint64_t size)
{
	for (size_t i = 0; i < s->nr_entries; i++)
		if (s->entry[i].pa < pa + size && s->entry[i].pa + s->entry[i].pgsize > pa)
			return 1;
	return 0;
}

static inline int shadow_alloc(void *ctx, const struct iommusim_page_request *req,
                               struct iommusim_page_block *block)
{
	struct shadow *s = ctx;

	return s->pages.alloc_pages(s->pages.ctx, req, block);
}

static inline int shadow_free(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct shadow *s = ctx;
	int is_named =
		shadow_names(s, pfn << s->page_shift, UINT64_C(1) << (s->page_shift + order));

	s->nr_given_early += (uint64_t)is_named;
	assert_false(s->is_strict && is_named);
	return s->pages.free_pages(s->pages.ctx, pfn, order);
}

static inline int shadow_split(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct shadow *s = ctx;

	return s->pages.split_page(s->pages.ctx, pfn, order);
}

static inline struct iommusim_page_source shadow_source(struct shadow *s,
                                                        struct iommusim_page_source pages)
{
	s->pages = pages;
	return (struct iommusim_page_source){ .size = sizeof(struct iommusim_page_source),
		                              .ctx = s,
		                              .alloc_pages = shadow_alloc,
		                              .free_pages = shadow_free,
		                              .split_page = shadow_split };
}

/* ---- What is live ---- */

/* @size bytes from @pa on are reachable at @iova, and the granules that hold them. */
static inline void shadow_hold(struct shadow *s, struct shadow_range range)
{
	uint64_t off = range.iova & (s->granule - 1);

	assert_int_equal(range.pa & (s->granule - 1), off);
	range.iova -= off;
	range.pa -= off;
	range.size = (range.size + off + s->granule - 1) & ~(s->granule - 1);
	s->range = shadow_room(s->range, s->nr_ranges, &s->cap_ranges, sizeof(*s->range));
	s->range[s->nr_ranges++] = range;
}

/* Nothing that begins in @size bytes at @iova is live any more. */
static inline void shadow_drop(struct shadow *s, uint64_t iova, uint64_t size)
{
	size_t kept = 0;

	iova &= ~(s->granule - 1);
	for (size_t i = 0; i < s->nr_ranges; i++)
		if (s->range[i].iova - iova >= size)
			s->range[kept++] = s->range[i];
	s->nr_ranges = kept;
}

static inline void shadow_hold_buffer(struct shadow *s, const struct iommusim_dma_buffer *b)
{
	uint64_t iova = b->dma_addr;

	for (size_t i = 0; i < b->nr_sg; i++) {
		shadow_hold(s, (struct shadow_range){ iova, b->sg[i].pa, b->sg[i].size, 3 });
		iova += b->sg[i].size;
	}
}

static inline uint64_t shadow_bytes(const struct shadow *s)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->nr_ranges; i++)
		bytes += s->range[i].size;
	return bytes;
}

/*
 * Every granule of what is live leads to its page with its rights, and nothing else is mapped: the
 * mapped bytes of @recorder are as many as those of the live ranges, which do not overlap.
 */
static inline void shadow_check(const struct shadow *s, const struct iommusim_recorder *recorder)
{
	struct iommusim_mapped_range mapped;
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->nr_ranges; i++)
		for (uint64_t at = 0; at < s->range[i].size; at += s->granule) {
			uint64_t iova = s->range[i].iova + at;

			assert_int_equal(s->inner.iova_to_phys(s->inner.ctx, iova),
			                 s->range[i].pa + at);
			assert_int_equal(iommusim_recorder_next(recorder, iova, &mapped), 1);
			assert_int_equal(mapped.prot & 3, s->range[i].prot);
		}
	for (uint64_t at = 0; iommusim_recorder_next(recorder, at, &mapped);
	     at = mapped.iova + mapped.size) {
		bytes += mapped.size;
		if (mapped.iova + mapped.size == 0)
			break;
	}
	assert_int_equal(bytes, shadow_bytes(s));
}

/* Nothing is live, and no IOTLB entry is left. */
static inline void shadow_check_empty(const struct shadow *s,
                                      const struct iommusim_recorder *recorder)
{
	assert_int_equal(s->nr_ranges, 0);
	shadow_check(s, recorder);
	assert_int_equal(s->nr_entries, 0);
}

static inline void shadow_finish(struct shadow *s)
{
	free(s->range);
	free(s->entry);
}

#endif
