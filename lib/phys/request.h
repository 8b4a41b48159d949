/* SPDX-License-Identifier: MIT */
/* What stands between a request and the free lists: marks, per-CPU lists, reserves. */
#ifndef ISIM_PHYS_REQUEST_H
#define ISIM_PHYS_REQUEST_H

#include "iommusim/phys/cma.h"
#include "phys/zone.h"

/* ---- marks.c: a zone's numbers, and what its marks allow ---- */

/* Marks and reserves of all zones, by their sizes. */
void isim_marks_set(struct iommusim_phys *phys);

/* What follows from a zone's numbers: the lag of its counter, and the sizes of per-CPU lists. */
void isim_marks_follow(struct iommusim_phys *phys, struct isim_zone *zone);

/* min, low or high, by ISIM_ALLOC_MIN .. HIGH, with the boost. */
static inline uint64_t isim_mark(const struct isim_zone *zone, unsigned selector)
{
	const struct iommusim_zone_numbers *n = &zone->numbers;

	return n->boost + (selector == ISIM_ALLOC_MIN   ? n->min
	                   : selector == ISIM_ALLOC_LOW ? n->low
	                                                : n->high);
}

struct isim_mark_test {
	unsigned order, highest; /* of the request */
	unsigned aflags;
	uint32_t gfp;
	uint64_t mark;
	int64_t extra; /* frames that count as free beside those that are */
};

/* Is there enough left above the mark, and a block of the order? isim_mark_passes() models
   __zone_watermark_ok(), the other zone_watermark_fast(), mm/page_alloc.c, Linux 6.1 and 6.12. */
int isim_mark_passes(const struct iommusim_phys *phys, const struct isim_zone *zone,
                     const struct isim_mark_test *test);
int isim_mark_passes_fast(const struct iommusim_phys *phys, const struct isim_zone *zone,
                          const struct isim_mark_test *test);

/* ---- pcp.c: per-CPU lists ---- */

/* A block on its way to a list. */
struct isim_freed {
	uint32_t frame;
	unsigned order, type, list; /* type: its pageblock's */
};

/* The list of blocks of @order and @type; -1: none. */
static inline int isim_pcp_index(const struct iommusim_phys *phys, unsigned order, unsigned type)
{
	if (order <= ISIM_COSTLY_ORDER)
		return (int)(3 * order + type);
	if (order == phys->thp_order)
		return type == IOMMUSIM_MOVABLE ? 13 : 12;
	return -1;
}

/* Room for what one call puts on a list; leaves for what it cuts. 0 or -EHOST. */
int isim_pcp_reserve_refill(struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu,
                            unsigned order, unsigned list);
int isim_pcp_reserve_free(const struct iommusim_phys *phys, struct isim_pcp *pcp, unsigned list,
                          uint32_t nr);

/* A block from the list, filled first where it is empty; NIL: none. Room was reserved. */
uint32_t isim_pcp_take(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                       unsigned list, int is_bulk);

/* The head of a list that is not empty, as isim_pcp_take(); NIL: it is empty, nothing changed. */
static inline uint32_t isim_pcp_hit(const struct iommusim_phys *phys, struct isim_pcp *pcp,
                                    unsigned list, unsigned order)
{
	struct isim_ring *ring = &pcp->list[list];
	uint32_t frame;

	if (!ring->nr)
		return ISIM_NIL;
	if (phys->kernel >= IOMMUSIM_KERNEL(6, 12))
		pcp->free_count >>= 1;
	else
		pcp->factor >>= 1;
	frame = ring->slot[ring->head];
	ring->head = (ring->head + 1) & (ring->cap - 1);
	ring->nr--;
	pcp->count -= 1 << order;
	return frame;
}

/* Put the block, which has no state any more, on the list; room was reserved. */
void isim_pcp_free(struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu,
                   struct isim_freed freed);

/* Append a block in use to a list. 0 or -EHOST. */
int isim_pcp_put(const struct iommusim_phys *phys, struct isim_zone *zone, struct isim_pcp *pcp,
                 struct isim_freed freed);

/* The @index-th from the head. */
uint32_t isim_pcp_frame(const struct isim_ring *ring, uint32_t index);

/* Every list of every CPU back to the free lists. The frames drained. */
uint64_t isim_pcp_drain_all(struct iommusim_phys *phys);

int isim_pcps_create(const struct iommusim_phys *phys, struct isim_zone *zone);
int isim_pcps_fork(const struct iommusim_phys *phys, struct isim_zone *copy,
                   const struct isim_zone *zone);
void isim_pcps_destroy(const struct iommusim_phys *phys, struct isim_zone *zone);

/* ---- free.c: freed blocks ---- */

/* The zone of the block in use of @order that starts at @pfn; NULL: there is none. */
struct isim_zone *isim_used_block(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order,
                                  uint32_t *frame);

/* Room on the per-CPU lists for @nr single pages. 0 or -EHOST. */
int isim_free_reserve(struct iommusim_phys *phys, unsigned cpu, unsigned nr);

/* Free @nr single pages in use, those of @pfns or, if that is NULL, those from @first on; one event
   tells of all. Room was reserved. */
void isim_free_pages(struct iommusim_phys *phys, const iommusim_pfn *pfns, iommusim_pfn first,
                     uint64_t nr, unsigned cpu);

/* Put the block, which has no state any more, on the free lists, as a free without per-CPU lists
   does. 0 or -EHOST. */
int isim_free_direct(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                     unsigned order, unsigned cpu);

/* ---- cma.c: areas of the contiguous allocator ---- */

int isim_cmas_fork(struct iommusim_phys *copy, const struct iommusim_phys *phys);
void isim_cmas_destroy(const struct iommusim_phys *phys);

/* The first area of @zone at or behind frame @at, *first .. *end-1. 0: there is none. */
int isim_cma_next(const struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t at,
                  uint32_t *first, uint32_t *end);

/* ---- highatomic.c: the reserve for high-order atomic requests ---- */

void isim_highatomic_reserve(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                             const struct isim_take *take);

/* Give a pageblock of the reserve back to @type; not @force: the last stays. 1: a block of it was
   free. */
int isim_highatomic_unreserve(struct iommusim_phys *phys, struct isim_zone *zone, unsigned type,
                              int force, unsigned cpu);

#endif
