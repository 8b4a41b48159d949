/* SPDX-License-Identifier: MIT */
/* How full a space is and into how many holes its free frames fall. */
#include <string.h>

#include "iova/space.h"

/* Count the free frames from @from to @end, excluded. */
static void count_hole(struct iommusim_iova_stats *stats, uint64_t from, uint64_t end)
{
	uint64_t frames = end - from, fit;

	if (from >= end)
		return;
	fit = isim_largest_fit(from, end);
	stats->nr_holes++;
	stats->nr_free += frames;
	if (frames > stats->largest_hole)
		stats->largest_hole = frames;
	if (fit > stats->largest_fit)
		stats->largest_fit = fit;
}

static void count_ranges(const struct iommusim_iova *space, uint64_t end,
                         struct iommusim_iova_stats *stats)
{
	struct iommusim_iova_range range;
	uint64_t from = space->start;

	while (from < end && iommusim_iova_next(space, from, &range) && range.lo < end) {
		count_hole(stats, from, range.lo);
		stats->nr_ranges++;
		from = range.hi + 1;
	}
	count_hole(stats, from, end);
	stats->nr_taken = end - space->start - stats->nr_free;
}

static void count_magazine(const struct iommusim_iova *space, uint32_t n, unsigned order,
                           struct iommusim_iova_stats *stats)
{
	uint64_t nr = space->cache.mag[n].nr;

	stats->nr_cached += nr;
	stats->cached_frames += nr << order;
}

static void count_caches(const struct iommusim_iova *space, struct iommusim_iova_stats *stats)
{
	const struct isim_magazines *pool = &space->cache;

	for (size_t i = 0; i < (size_t)pool->nr_cpus * ISIM_CACHE_ORDERS; i++) {
		unsigned order = (unsigned)(i % ISIM_CACHE_ORDERS);

		count_magazine(space, pool->cpu[i].loaded, order, stats);
		count_magazine(space, pool->cpu[i].prev, order, stats);
	}
	for (unsigned order = 0; order < ISIM_CACHE_ORDERS; order++) {
		uint64_t nr = (uint64_t)pool->depot[order].nr * ISIM_MAGAZINE_SIZE;

		stats->nr_depot += pool->depot[order].nr;
		stats->nr_cached += nr;
		stats->cached_frames += nr << order;
	}
}

/* @part of @whole in thousandths, rounded down. */
static unsigned thousandths(uint64_t part, uint64_t whole)
{
	while (whole > UINT64_MAX / 1000) {
		part /= 2;
		whole /= 2;
	}
	return whole ? (unsigned)(part * 1000 / whole) : 0;
}

int iommusim_iova_stats(struct iommusim_iova *space, uint64_t limit,
                        struct iommusim_iova_stats *stats)
{
	if (limit < space->start || limit == UINT64_MAX)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL,
		                 "no frame lies from 0x%llx to 0x%llx",
		                 (unsigned long long)space->start, (unsigned long long)limit);
	memset(stats, 0, sizeof(*stats));
	count_ranges(space, limit + 1, stats);
	count_caches(space, stats);
	stats->fragmentation = thousandths(stats->nr_free - stats->largest_hole, stats->nr_free);
	return 0;
}
