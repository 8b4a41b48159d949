/* SPDX-License-Identifier: MIT */
/*
 * The contiguous allocator: a bitmap of what its callers hold, first fit, and the frames taken off
 * the free lists wherever in a block they lie.
 */
#include "phys/request.h"

#include <string.h>

struct isim_cma {
	unsigned zone;       /* its index */
	uint32_t first, end; /* frames */
	uint64_t *held;      /* a bit for each */
};

static int is_held(const struct isim_cma *cma, uint32_t at)
{
	return cma->held[at / 64] >> at % 64 & 1;
}

static void set_held(struct isim_cma *cma, uint32_t at, uint32_t count, int held)
{
	for (uint32_t i = at; i < at + count; i++) {
		cma->held[i / 64] &= ~isim_bit(i % 64);
		cma->held[i / 64] |= (uint64_t)held << i % 64;
	}
}

static uint64_t words_of(const struct isim_cma *cma)
{
	return (cma->end - cma->first + 63) / 64;
}

/* ---- Frames off the free lists ---- */

static int are_free(const struct isim_zone *zone, uint32_t first, uint32_t end)
{
	for (uint32_t at = first; at < end;) {
		uint32_t start = isim_block_start(zone, at);
		unsigned state = isim_state(zone, start);

		if ((state & ISIM_STATE_BITS) != ISIM_FREE)
			return 0;
		at = start + (1u << isim_block_order(state));
	}
	return 1;
}

static int reserve_leaves(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t first,
                          uint32_t end)
{
	int err = 0;

	for (uint32_t top = first >> zone->top_order; !err && top << zone->top_order < end; top++)
		err = isim_leaf_reserve(phys, zone, top << zone->top_order);
	return err;
}

/* Put @first .. @end-1 of an unlisted block, which lies outside of what is taken, on @type's lists.
 */
static void put_back(struct isim_zone *zone, uint32_t first, uint32_t end, unsigned type,
                     unsigned cpu)
{
	while (first < end) {
		unsigned order = isim_low_bit(first | 1u << zone->top_order);

		while (end - first < 1u << order)
			order--;
		isim_list_add(zone, first, order, type, 1);
		isim_account(zone, cpu, 1 << order);
		first += 1u << order;
	}
}

/* Take the free block at @start off its list, and give back what lies outside @first .. @end-1. */
static void take_block(struct isim_zone *zone, uint32_t start, uint32_t first, uint32_t end)
{
	unsigned state = isim_state(zone, start);
	unsigned order = isim_block_order(state), type = isim_block_type(state);
	uint32_t past = start + (1u << order);

	isim_list_del(zone, start, order, type);
	isim_account(zone, 0, -(1 << order));
	if (order == zone->top_order)
		isim_top_cut(zone, start);
	else
		isim_set_state(zone, start, order, ISIM_INNER);
	if (start < first)
		put_back(zone, start, first < past ? first : past, type, 0);
	if (past > end)
		put_back(zone, end > start ? end : start, past, type, 0);
}

/*
 * Take the frames, which are free, as single pages in use. The other free blocks of their
 * pageblocks were isolated for a while, and go to the tails of their lists.
 */
static void take_frames(struct isim_zone *zone, uint32_t first, uint32_t end)
{
	uint32_t size = 1u << zone->pageblock_order;
	uint32_t outer_end = (end + size - 1) & ~(size - 1);

	for (uint32_t at = first & ~(size - 1); at < outer_end;) {
		uint32_t start = isim_block_start(zone, at);
		unsigned state = isim_state(zone, start);

		if ((state & ISIM_STATE_BITS) == ISIM_FREE)
			take_block(zone, start, first, end);
		at = start + (1u << isim_block_order(state));
	}
	for (uint32_t at = first; at < end; at++)
		isim_set_state(zone, at, 0, isim_used_state(0, IOMMUSIM_PAGE_KERNEL));
}

/* ---- Areas ---- */

/* Could the frames be an area's? Before there is a state nothing is free, nor any caller's. */
static int are_to_be_had(const struct iommusim_phys *phys, const struct isim_zone *zone,
                         uint32_t first, uint32_t end)
{
	if (!phys->is_untouched)
		return are_free(zone, first, end);
	while (first < end && isim_pageblock(zone, first) != IOMMUSIM_CMA)
		first += 1u << zone->pageblock_order;
	return first >= end;
}

/* The zone that has the frames as whole pageblocks, to be had; NULL with the error worded. */
static struct isim_zone *zone_for(struct iommusim_phys *phys, iommusim_pfn start, uint64_t nr,
                                  uint32_t *first)
{
	struct isim_zone *zone = isim_zone_of(phys, start, first);
	uint64_t size = isim_bit(phys->pageblock_order);

	if (zone && nr && nr <= zone->end - *first && !(start & (size - 1)) && !(nr & (size - 1)) &&
	    are_to_be_had(phys, zone, *first, *first + (uint32_t)nr))
		return zone;
	isim_fail(&phys->diag, IOMMUSIM_EINVAL,
	          "%llu frames from pfn 0x%llx are not whole pageblocks of one zone, all free",
	          (unsigned long long)nr, (unsigned long long)start);
	return NULL;
}

/* Before there is a state: the pageblocks of the area's top blocks, whose leaves there are, become
 * blocks of their own. */
static int part_tops(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t first,
                     uint32_t end)
{
	uint32_t top = 1u << zone->top_order, size = 1u << zone->pageblock_order;
	uint32_t past = (end + top - 1) & ~(top - 1);
	int err = 0;

	for (uint32_t at = first & ~(top - 1); !err && at < past; at += size) {
		isim_top_cut(zone, at);
		if (at >= zone->first && at < zone->end && size <= zone->end - at &&
		    isim_pageblock(zone, at) != IOMMUSIM_CMA)
			err = isim_occupy(phys, zone, at, at + size, IOMMUSIM_PAGE_RESERVED);
	}
	return err;
}

/* Free the area's pageblocks to the lists of type CMA. Single blocks of it must exist by now. */
static void lend(struct isim_zone *zone, const struct isim_cma *cma)
{
	uint32_t size = 1u << zone->pageblock_order;
	struct isim_freeing how = { .order = zone->pageblock_order, .type = IOMMUSIM_CMA };

	for (uint32_t at = cma->first; at < cma->end; at += size) {
		for (uint32_t i = 0; i < size; i++)
			isim_set_state(zone, at + i, 0, ISIM_INNER);
		isim_set_pageblock(zone, at, IOMMUSIM_CMA);
		isim_account(zone, 0, (int32_t)size);
		isim_block_free(zone, at, how);
	}
}

int iommusim_phys_cma_create(struct iommusim_phys *phys, iommusim_pfn start_pfn, uint64_t nr_frames)
{
	struct isim_cma cma = { .zone = 0 };
	struct isim_zone *zone;

	if (phys->nr_cma == IOMMUSIM_CMA_AREAS)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there are %d areas already",
		                 IOMMUSIM_CMA_AREAS);
	zone = zone_for(phys, start_pfn, nr_frames, &cma.first);
	if (!zone)
		return -IOMMUSIM_EINVAL;
	cma.zone = (unsigned)(zone - phys->zone);
	cma.end = cma.first + (uint32_t)nr_frames;
	if (!phys->cma)
		phys->cma = isim_zalloc(&phys->diag.host, IOMMUSIM_CMA_AREAS, sizeof(cma));
	cma.held = isim_zalloc(&phys->diag.host, words_of(&cma), sizeof(*cma.held));
	if (!phys->cma || !cma.held || reserve_leaves(phys, zone, cma.first, cma.end) ||
	    (phys->is_untouched && part_tops(phys, zone, cma.first, cma.end))) {
		isim_free(&phys->diag.host, cma.held);
		return isim_no_memory(&phys->diag, "an area");
	}
	take_frames(zone, cma.first, cma.end);
	lend(zone, &cma);
	phys->cma[phys->nr_cma] = cma;
	return (int)phys->nr_cma++;
}

int isim_cma_next(const struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t at,
                  uint32_t *first, uint32_t *end)
{
	int found = 0;

	for (unsigned i = 0; i < phys->nr_cma; i++) {
		const struct isim_cma *cma = &phys->cma[i];

		if (&phys->zone[cma->zone] != zone || cma->first < at ||
		    (found && cma->first > *first))
			continue;
		*first = cma->first;
		*end = cma->end;
		found = 1;
	}
	return found;
}

void isim_cmas_destroy(const struct iommusim_phys *phys)
{
	for (unsigned i = 0; phys->cma && i < phys->nr_cma; i++)
		isim_free(&phys->diag.host, phys->cma[i].held);
	isim_free(&phys->diag.host, phys->cma);
}

int isim_cmas_fork(struct iommusim_phys *copy, const struct iommusim_phys *phys)
{
	copy->cma = NULL;
	copy->nr_cma = 0;
	if (!phys->cma)
		return 0;
	copy->cma = isim_zalloc(&phys->diag.host, IOMMUSIM_CMA_AREAS, sizeof(*copy->cma));
	if (!copy->cma)
		return -IOMMUSIM_EHOST;
	for (unsigned i = 0; i < phys->nr_cma; i++) {
		struct isim_cma *to = &copy->cma[i];
		uint64_t words = words_of(&phys->cma[i]);

		*to = phys->cma[i];
		to->held = isim_zalloc(&phys->diag.host, words, sizeof(*to->held));
		if (!to->held)
			return -IOMMUSIM_EHOST;
		memcpy(to->held, phys->cma[i].held, (size_t)words * sizeof(*to->held));
		copy->nr_cma++;
	}
	return 0;
}

/* ---- Requests ---- */

/* The area; NULL with the error worded. */
static struct isim_cma *find_area(struct iommusim_phys *phys, unsigned area)
{
	if (area < phys->nr_cma)
		return &phys->cma[area];
	isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no area %u", area);
	return NULL;
}

/* The lowest place from @from on, aligned in the pfn, where nobody holds @count frames; the area's
 * length: there is none. */
static uint64_t find_place(const struct isim_zone *zone, const struct isim_cma *cma, uint64_t from,
                           uint64_t count, unsigned align_order)
{
	uint64_t base = zone->base + cma->first, nr = cma->end - cma->first;
	uint64_t at = isim_align_up(base + from, isim_bit(align_order)) - base, run = 0;

	while (at < nr && count <= nr - at && run < count) {
		if (!is_held(cma, (uint32_t)(at + run))) {
			run++;
			continue;
		}
		at = isim_align_up(base + at + run + 1, isim_bit(align_order)) - base;
		run = 0;
	}
	return at < nr && run == count ? at : nr;
}

int iommusim_phys_cma_alloc(struct iommusim_phys *phys, unsigned area, uint64_t count,
                            unsigned align_order, iommusim_pfn *pfn)
{
	struct isim_cma *cma = find_area(phys, area);
	struct isim_zone *zone;
	uint64_t at = 0, nr;

	if (!cma)
		return -IOMMUSIM_EINVAL;
	if (!count || align_order > 31)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "0 frames, or more than order 31 of alignment");
	zone = &phys->zone[cma->zone];
	nr = cma->end - cma->first;
	if (reserve_leaves(phys, zone, cma->first, cma->end))
		return isim_no_memory(&phys->diag, "the frames of an area");
	for (;; at += isim_bit(align_order)) {
		uint32_t first;

		at = find_place(zone, cma, at, count, align_order);
		if (at >= nr)
			return -IOMMUSIM_ENOMEM;
		first = cma->first + (uint32_t)at;
		isim_pcp_drain_all(phys);
		if (!are_free(zone, first, first + (uint32_t)count))
			continue; /* busy: behind this place */
		take_frames(zone, first, first + (uint32_t)count);
		zone->nr_used[0][IOMMUSIM_PAGE_KERNEL] += (uint32_t)count;
		set_held(cma, (uint32_t)at, (uint32_t)count, 1);
		*pfn = zone->base + first;
		return 0;
	}
}

/* Are they all held by the area's callers, and single pages in use? */
static int are_held(struct iommusim_phys *phys, const struct isim_cma *cma, iommusim_pfn pfn,
                    uint64_t count)
{
	iommusim_pfn start = phys->zone[cma->zone].base + cma->first;
	uint64_t at = pfn - start, nr = cma->end - cma->first;
	uint32_t frame;

	if (pfn < start || at >= nr || !count || count > nr - at)
		return 0;
	for (uint64_t i = 0; i < count; i++)
		if (!is_held(cma, (uint32_t)(at + i)) || !isim_used_block(phys, pfn + i, 0, &frame))
			return 0;
	return 1;
}

int iommusim_phys_cma_free(struct iommusim_phys *phys, unsigned area, iommusim_pfn pfn,
                           uint64_t count)
{
	struct isim_cma *cma = find_area(phys, area);
	uint32_t at;

	if (!cma)
		return -IOMMUSIM_EINVAL;
	if (!are_held(phys, cma, pfn, count))
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "area %u does not hold %llu frames from pfn 0x%llx", area,
		                 (unsigned long long)count, (unsigned long long)pfn);
	if (isim_free_reserve(phys, 0, (unsigned)count))
		return isim_no_memory(&phys->diag, "a per-CPU list");
	at = (uint32_t)(pfn - phys->zone[cma->zone].base) - cma->first;
	isim_free_pages(phys, NULL, pfn, count, 0);
	set_held(cma, at, (uint32_t)count, 0);
	return 0;
}
