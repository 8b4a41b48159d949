/* SPDX-License-Identifier: MIT */
/* Many single pages in one go: from one zone's per-CPU list, and back one after the other. */
#include "phys/attempt.h"

#include <string.h>

/* The first zone with enough above its low mark for all @nr pages; NULL: none. Linux tests with the
 * preferred zone's place among the reserves, not the request's. */
static struct isim_zone *zone_for(const struct iommusim_phys *phys, const struct isim_walk *walk,
                                  unsigned nr)
{
	struct isim_mark_test test = { .aflags = walk->aflags, .gfp = walk->attempt.gfp };

	if (!walk->preferred)
		return NULL;
	test.highest = walk->preferred->config.zone;
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		struct isim_zone *zone = &phys->zone[phys->zonelist[walk->attempt.node][i]];

		if (!isim_walk_may_use(walk, zone))
			continue;
		test.mark = isim_mark(zone, ISIM_ALLOC_LOW) + nr;
		if (!(phys->features & IOMMUSIM_PHYS_WATERMARKS) ||
		    isim_mark_passes_fast(phys, zone, &test))
			return zone;
	}
	return NULL;
}

/* As many as the zone's list gives. */
static unsigned take_pages(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                           struct isim_walk *walk, iommusim_pfn *pfns, unsigned nr)
{
	struct isim_take take = { .type = walk->attempt.type,
		                  .aflags = walk->aflags,
		                  .cpu = walk->cpu };
	unsigned list = (unsigned)isim_pcp_index(phys, 0, take.type), got = 0;

	for (; got < nr; got++) {
		walk->frame = isim_pcp_take(phys, walk->zone, &take, list, 1);
		if (walk->frame == ISIM_NIL)
			break;
		isim_walk_finish(walk, req);
		pfns[got] = walk->zone->base + walk->frame;
	}
	return got;
}

/* Leaves for @nr pages and the refill that goes beyond them. */
static int reserve(struct iommusim_phys *phys, const struct isim_walk *walk, unsigned nr)
{
	unsigned tops = (nr >> (phys->nr_orders - 1)) + 1;
	int err = isim_walk_reserve(phys, walk);

	return err ? err : isim_spares_reserve(phys, phys->spares->nr + tops);
}

static int alloc_one(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                     iommusim_pfn *pfns)
{
	struct iommusim_page_block block;
	int err = iommusim_phys_alloc(phys, req, &block);

	if (err)
		return err;
	pfns[0] = block.pfn;
	return 1;
}

int iommusim_phys_alloc_bulk(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                             iommusim_pfn *pfns, unsigned nr)
{
	struct isim_walk walk = { .frame = ISIM_NIL };
	unsigned got;
	int err;

	if (req->order || !nr || nr > INT32_MAX)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "%u pages of order %u are not 1 .. 2^31 - 1 single pages", nr,
		                 req->order);
	if (nr == 1 || !(phys->features & IOMMUSIM_PHYS_PCP))
		return alloc_one(phys, req, pfns);
	err = isim_walk_start(phys, req, &walk);
	if (err)
		return err;
	walk.aflags &= ISIM_ALLOC_LOW | ISIM_ALLOC_CMA;
	if (reserve(phys, &walk, nr))
		return isim_no_memory(&phys->diag, "the frames of a block");
	memset(&phys->report, 0, sizeof(phys->report));
	walk.zone = zone_for(phys, &walk, nr);
	got = walk.zone ? take_pages(phys, req, &walk, pfns, nr) : 0;
	return got ? (int)got : alloc_one(phys, req, pfns);
}

/* ---- Freeing ---- */

/* Is every page in use, and there once? */
static int check_pages(struct iommusim_phys *phys, const iommusim_pfn *pfns, unsigned nr)
{
	unsigned good = 0;
	uint32_t frame = 0;

	for (; good < nr; good++) {
		struct isim_zone *zone = isim_used_block(phys, pfns[good], 0, &frame);
		unsigned state;

		if (!zone || isim_state(zone, frame) & ISIM_SEEN)
			break;
		state = isim_state(zone, frame);
		isim_set_state(zone, frame, 0, state | ISIM_SEEN);
	}
	for (unsigned i = 0; i < good; i++) {
		struct isim_zone *zone = isim_zone_of(phys, pfns[i], &frame);

		isim_set_state(zone, frame, 0, isim_state(zone, frame) & ~ISIM_SEEN);
	}
	if (good == nr)
		return 0;
	return isim_fail(
		&phys->diag, IOMMUSIM_EINVAL,
		"pfn 0x%llx, number %u, is not a single page in use, or stands there twice",
		(unsigned long long)pfns[good], good);
}

int iommusim_phys_free_bulk(struct iommusim_phys *phys, const iommusim_pfn *pfns, unsigned nr,
                            unsigned cpu)
{
	int err = check_pages(phys, pfns, nr);

	if (err)
		return err;
	if (cpu >= phys->nr_cpus)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no CPU %u", cpu);
	if (isim_free_reserve(phys, cpu, nr))
		return isim_no_memory(&phys->diag, "a per-CPU list");
	isim_free_pages(phys, pfns, 0, nr, cpu);
	return 0;
}
