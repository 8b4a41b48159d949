/* SPDX-License-Identifier: MIT */
/*
 * The obvious allocator: an array of ranges in ascending order, the anchor at its end, every search
 * a walk from range to range, as the kernel's.
 */
#ifndef IOVA_ORACLE_H
#define IOVA_ORACLE_H

#include <string.h>

#include "test.h"

#define ORACLE_MOST 8000 /* ranges at a time, with the anchor */

/* A hint is the range that ends at that frame: the end of a range never moves. */
struct oracle {
	struct iommusim_iova_range range[ORACLE_MOST];
	int nr;
	uint64_t start, last, d32, max32, hint32, hint64;
};

static inline void oracle_init(struct oracle *o, uint64_t start, unsigned granule_lg2)
{
	memset(o, 0, sizeof(*o));
	o->range[0] = (struct iommusim_iova_range){ UINT64_MAX, UINT64_MAX };
	o->nr = 1;
	o->start = start;
	o->last = UINT64_MAX >> granule_lg2;
	o->d32 = o->max32 = UINT64_C(0x100000000) >> granule_lg2;
	o->hint32 = o->hint64 = UINT64_MAX;
}

static inline int oracle_index_of_end(const struct oracle *o, uint64_t hi)
{
	int i = 0;

	while (o->range[i].hi != hi)
		i++;
	return i;
}

static inline int oracle_first_from(const struct oracle *o, uint64_t lo)
{
	int i = 0;

	while (o->range[i].lo < lo)
		i++;
	return i;
}

static inline void oracle_put(struct oracle *o, uint64_t lo, uint64_t hi)
{
	int i = oracle_first_from(o, lo);

	memmove(&o->range[i + 1], &o->range[i], (size_t)(o->nr - i) * sizeof(o->range[0]));
	o->range[i] = (struct iommusim_iova_range){ lo, hi };
	o->nr++;
}

static inline uint64_t oracle_alignment_of(uint64_t size)
{
	uint64_t align = 1;

	while (align && align < size)
		align *= 2;
	return align;
}

/* Where @size frames may be, and how they are aligned. */
struct oracle_window {
	uint64_t lo, hi, size, mask;
};

/* Down from range @i in @window: 1 if @lo is free. */
static inline int oracle_look_below(const struct oracle *o, int i,
                                    const struct oracle_window *window, uint64_t *lo)
{
	uint64_t high = window->hi;

	for (;;) {
		if (o->range[i].lo < high)
			high = o->range[i].lo;
		*lo = (high - window->size) & window->mask;
		if (--i < 0 || *lo > o->range[i].hi || *lo < window->lo)
			break;
	}
	return high >= window->size && *lo >= window->lo;
}

static inline int oracle_alloc(struct oracle *o, uint64_t size, uint64_t limit, int aligned,
                               uint64_t *lo)
{
	uint64_t end = limit + 1, mask = aligned ? ~(oracle_alignment_of(size) - 1) : ~UINT64_C(0);
	uint64_t hint = end <= o->d32 ? o->hint32 : o->hint64;
	struct oracle_window below = { o->start, end, size, mask };
	struct oracle_window above = { hint + 1, end, size, mask };

	if (end <= o->d32 && size >= o->max32)
		return -IOMMUSIM_ENOMEM;
	if (!oracle_look_below(o, oracle_index_of_end(o, hint), &below, lo) &&
	    (hint >= end || !oracle_look_below(o, oracle_first_from(o, end), &above, lo))) {
		o->max32 = size;
		return -IOMMUSIM_ENOMEM;
	}
	oracle_put(o, *lo, *lo + size - 1);
	*(*lo + size - 1 < o->d32 ? &o->hint32 : &o->hint64) = *lo + size - 1;
	return 0;
}

static inline void oracle_free(struct oracle *o, uint64_t frame)
{
	for (int i = 0; i < o->nr - 1; i++) {
		struct iommusim_iova_range r = o->range[i];
		uint64_t next = o->range[i + 1].hi;

		if (frame < r.lo || frame > r.hi)
			continue;
		if (r.hi == o->hint32 ||
		    (r.hi < o->d32 && r.lo >= o->range[oracle_index_of_end(o, o->hint32)].lo))
			o->hint32 = next;
		if (r.lo < o->d32)
			o->max32 = o->d32;
		if (r.lo >= o->range[oracle_index_of_end(o, o->hint64)].lo)
			o->hint64 = next;
		o->nr--;
		memmove(&o->range[i], &o->range[i + 1], (size_t)(o->nr - i) * sizeof(o->range[0]));
		return;
	}
}

static inline int oracle_reserve(struct oracle *o, struct iommusim_iova_range *range)
{
	uint64_t lo = range->lo, hi = range->hi;
	int met = 0;

	if (lo > hi || hi > o->last)
		return -IOMMUSIM_EINVAL;
	for (int i = 0; i < o->nr - 1; i++) {
		struct iommusim_iova_range *r = &o->range[i];

		if (r->lo > hi || r->hi < lo) {
			if (met)
				break;
			continue;
		}
		met = 1;
		if (lo < r->lo)
			r->lo = lo;
		if (hi > r->hi)
			lo = r->hi + 1;
		if (lo >= r->lo && hi <= r->hi) {
			*range = *r;
			return 0;
		}
	}
	oracle_put(o, lo, hi);
	*range = (struct iommusim_iova_range){ lo, hi };
	return 0;
}

#endif
