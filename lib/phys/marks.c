/* SPDX-License-Identifier: MIT */
/* The numbers of a zone: how many of its frames are the allocator's, and where its marks are. */
#include "phys/request.h"

/* ---- By the sizes of the zones ---- */

/* The largest whole number whose square is at most @x. */
static uint64_t root_of(uint64_t x)
{
	uint64_t low = 0, high = UINT64_C(1) << 32;

	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;

		if (mid <= x / mid)
			low = mid;
		else
			high = mid;
	}
	return x ? low : 0;
}

static int is_lowmem(const struct iommusim_phys *phys, const struct isim_zone *zone)
{
	if (zone->config.zone == IOMMUSIM_ZONE_MOVABLE)
		return phys->kernel < IOMMUSIM_KERNEL(6, 12);
	return zone->config.zone != IOMMUSIM_ZONE_HIGHMEM;
}

static uint64_t lowmem_frames(const struct iommusim_phys *phys)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < phys->nr_zones; i++)
		if (is_lowmem(phys, &phys->zone[i]))
			frames += phys->zone[i].numbers.managed;
	return frames;
}

/* Models set_recommended_min_free_kbytes(), mm/khugepaged.c: room for pageblocks of each type. */
static uint64_t raised_for_huge_pages(const struct iommusim_phys *phys, uint64_t normal_frames,
                                      unsigned nr_zones)
{
	uint64_t frames = (UINT64_C(11) * nr_zones) << phys->pageblock_order;

	if (frames > normal_frames / 20)
		frames = normal_frames / 20;
	return frames << (phys->page_shift - 10);
}

/* Models calculate_min_free_kbytes(), mm/page_alloc.c, before any mark is set. */
static uint64_t min_free_kbytes(const struct iommusim_phys *phys)
{
	uint64_t frames = 0, kbytes;
	unsigned nr_zones = 0;

	if (phys->min_free_kbytes)
		return phys->min_free_kbytes;
	for (unsigned i = 0; i < phys->nr_zones; i++)
		if (phys->zone[i].config.zone <= IOMMUSIM_ZONE_NORMAL) {
			frames += phys->zone[i].numbers.managed;
			nr_zones++;
		}
	kbytes = root_of(16 * (frames << (phys->page_shift - 10)));
	if (kbytes < 128)
		kbytes = 128;
	if (kbytes > 262144)
		kbytes = 262144;
	if (phys->thp) {
		uint64_t raised = raised_for_huge_pages(phys, frames, nr_zones);

		kbytes = raised > kbytes ? raised : kbytes;
	}
	return kbytes;
}

static uint64_t clamp(uint64_t x, uint64_t low, uint64_t high)
{
	x = x > low ? x : low;
	return x < high ? x : high;
}

/* Models __setup_per_zone_wmarks(), mm/page_alloc.c, Linux 6.1 and 6.12. */
static void set_marks(const struct iommusim_phys *phys, struct isim_zone *zone, uint64_t min_frames)
{
	struct iommusim_zone_numbers *n = &zone->numbers;
	uint64_t lowmem = lowmem_frames(phys);
	uint64_t share = lowmem ? min_frames * n->managed / lowmem : 0;
	uint64_t gap = clamp(n->managed * 10 / 10000, share / 4, UINT64_MAX);

	n->min = is_lowmem(phys, zone) ? share : clamp(n->managed / 1024, 32, 128);
	n->low = n->min + gap;
	n->high = n->low + gap;
	n->promo = n->high + gap;
}

/* Models setup_per_zone_lowmem_reserve(): what requests for higher zones must leave in this one. */
static void set_reserve(const struct iommusim_phys *phys, struct isim_zone *zone)
{
	static const uint64_t ratio[IOMMUSIM_NR_ZONES] = { 256, 256, 32 };
	uint64_t above = 0;

	for (unsigned j = (unsigned)zone->config.zone + 1; j < IOMMUSIM_NR_ZONES; j++) {
		for (unsigned i = 0; i < phys->nr_zones; i++)
			if (phys->zone[i].config.node == zone->config.node &&
			    (unsigned)phys->zone[i].config.zone == j)
				above += phys->zone[i].numbers.managed;
		if (ratio[zone->config.zone])
			zone->numbers.lowmem_reserve[j] = above / ratio[zone->config.zone];
	}
}

void isim_marks_set(struct iommusim_phys *phys)
{
	uint64_t min_frames = min_free_kbytes(phys) >> (phys->page_shift - 10);

	for (unsigned i = 0; i < phys->nr_zones; i++) {
		set_marks(phys, &phys->zone[i], min_frames);
		set_reserve(phys, &phys->zone[i]);
	}
	for (unsigned i = 0; i < phys->nr_zones; i++)
		isim_marks_follow(phys, &phys->zone[i]);
}

/* ---- What follows from the numbers ---- */

/* Position of the highest bit, from 1; 0 for 0. */
static unsigned last_bit(uint64_t x)
{
	return x ? isim_high_bit(x) + 1 : 0;
}

/* Models calculate_normal_threshold(), mm/vmstat.c: in units of 128 MiB. */
static int32_t threshold_of(const struct iommusim_phys *phys, const struct isim_zone *zone)
{
	uint64_t mem = zone->numbers.managed >> (27 - phys->page_shift);
	unsigned threshold = 2 * last_bit(phys->nr_cpus) * (1 + last_bit(mem));

	return (int32_t)clamp(threshold, 0, 125);
}

/* Models zone_batchsize(), mm/page_alloc.c. */
static uint64_t batch_of(const struct iommusim_phys *phys, const struct isim_zone *zone)
{
	uint64_t most = UINT64_C(1) << (20 - phys->page_shift);
	uint64_t batch = clamp(zone->numbers.managed >> 10, 0, most) / 4;

	batch = clamp(batch, 1, most);
	batch = isim_bit(isim_high_bit(batch + batch / 2)) - 1;
	return clamp(batch, 1, most);
}

/* Models zone_set_pageset_high_and_batch(); every CPU counts as one of the zone's node. */
void isim_marks_follow(struct iommusim_phys *phys, struct isim_zone *zone)
{
	uint64_t batch = batch_of(phys, zone), low = zone->numbers.low / phys->nr_cpus;
	uint64_t most = zone->numbers.managed / 8 / phys->nr_cpus;

	low = clamp(low, 4 * batch, INT32_MAX / 2);
	most = clamp(most, 4 * batch, INT32_MAX / 2);
	if (phys->kernel < IOMMUSIM_KERNEL(6, 12))
		most = low;
	zone->stat_threshold = threshold_of(phys, zone);
	for (unsigned cpu = 0; zone->pcp && cpu < phys->nr_cpus; cpu++) {
		struct isim_pcp *pcp = &zone->pcp[cpu];

		pcp->batch = (int32_t)batch;
		pcp->high = pcp->high_min = (int32_t)low;
		pcp->high_max = (int32_t)most;
	}
}

/* ---- Tests ---- */

/* Free frames that this request may not have. */
static int64_t unusable(const struct iommusim_phys *phys, const struct isim_zone *zone,
                        unsigned aflags)
{
	int64_t frames = 0;

	if (!(aflags & ISIM_ALLOC_RESERVES))
		frames = phys->kernel < IOMMUSIM_KERNEL(6, 12)
		                 ? (int64_t)zone->nr_reserved_highatomic
		                 : isim_frames_of(zone, IOMMUSIM_HIGHATOMIC);
	if (!(aflags & ISIM_ALLOC_CMA))
		frames += isim_frames_of(zone, IOMMUSIM_CMA);
	return frames;
}

/* Is there a block of at least @order that the request might get, whichever its type? */
static int has_block(const struct isim_zone *zone, unsigned order, unsigned aflags)
{
	uint32_t orders = zone->nonempty[IOMMUSIM_UNMOVABLE] | zone->nonempty[IOMMUSIM_MOVABLE] |
	                  zone->nonempty[IOMMUSIM_RECLAIMABLE];

	if (aflags & ISIM_ALLOC_CMA)
		orders |= zone->nonempty[IOMMUSIM_CMA];
	if (aflags & (ISIM_ALLOC_HIGHATOMIC | ISIM_ALLOC_OOM))
		orders |= zone->nonempty[IOMMUSIM_HIGHATOMIC];
	return orders >> order != 0;
}

int isim_mark_passes(const struct iommusim_phys *phys, const struct isim_zone *zone,
                     const struct isim_mark_test *test)
{
	int64_t free = isim_nr_free_counted(zone) + test->extra;
	int64_t mark = (int64_t)test->mark;

	free -= (int64_t)isim_bit(test->order) - 1 + unusable(phys, zone, test->aflags);
	if (test->aflags & ISIM_ALLOC_MIN_RESERVE) {
		mark -= mark / 2;
		if (test->aflags & ISIM_ALLOC_NON_BLOCK)
			mark -= mark / 4;
	}
	if (test->aflags & ISIM_ALLOC_OOM)
		mark -= mark / 2;
	if (free <= mark + (int64_t)zone->numbers.lowmem_reserve[test->highest])
		return 0;
	return !test->order || has_block(zone, test->order, test->aflags);
}

/* May a single page that must not fail for a boost have what the boost keeps? */
static int ignores_boost(const struct iommusim_phys *phys, const struct isim_mark_test *test)
{
	if (test->order || (test->aflags & ISIM_ALLOC_MARK) != ISIM_ALLOC_MIN)
		return 0;
	if (phys->kernel < IOMMUSIM_KERNEL(6, 12))
		return (test->gfp & IOMMUSIM_GFP_BIT_ATOMIC) != 0;
	return (test->aflags & ISIM_ALLOC_MIN_RESERVE) != 0;
}

int isim_mark_passes_fast(const struct iommusim_phys *phys, const struct isim_zone *zone,
                          const struct isim_mark_test *test)
{
	struct isim_mark_test unboosted = *test;

	if (!test->order) {
		int64_t usable = isim_nr_free_counted(zone) - unusable(phys, zone, test->aflags);

		if (usable > (int64_t)(test->mark + zone->numbers.lowmem_reserve[test->highest]))
			return 1;
	}
	if (isim_mark_passes(phys, zone, test))
		return 1;
	unboosted.mark = zone->numbers.min;
	return zone->numbers.boost && ignores_boost(phys, test) &&
	       isim_mark_passes(phys, zone, &unboosted);
}

/* ---- As the caller says ---- */

int iommusim_phys_numbers(const struct iommusim_phys *phys, unsigned index,
                          struct iommusim_zone_numbers *numbers)
{
	if (index >= phys->nr_zones)
		return -IOMMUSIM_EINVAL;
	*numbers = phys->zone[index].numbers;
	return 0;
}

int iommusim_phys_set_numbers(struct iommusim_phys *phys, unsigned index,
                              const struct iommusim_zone_numbers *numbers)
{
	const struct iommusim_zone_numbers *n = numbers;

	if (index >= phys->nr_zones)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no zone number %u", index);
	if (!n->managed || n->managed > n->present ||
	    n->present > phys->zone[index].config.nr_frames)
		return isim_fail(
			&phys->diag, IOMMUSIM_EINVAL,
			"zone %u: managed %llu and present %llu are not 1 .. %llu, ascending",
			index, (unsigned long long)n->managed, (unsigned long long)n->present,
			(unsigned long long)phys->zone[index].config.nr_frames);
	if (n->min > n->low || n->low > n->high || n->high > n->promo)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "zone %u: marks %llu, %llu, %llu, %llu are not ascending", index,
		                 (unsigned long long)n->min, (unsigned long long)n->low,
		                 (unsigned long long)n->high, (unsigned long long)n->promo);
	phys->zone[index].numbers = *numbers;
	isim_marks_follow(phys, &phys->zone[index]);
	return 0;
}
