/* SPDX-License-Identifier: MIT */
/* What the files of this room share: the space itself, its tree below and its caches above. */
#ifndef ISIM_IOVA_SPACE_H
#define ISIM_IOVA_SPACE_H

#include "base/bits.h"
#include "iommusim/iova.h"
#include "iova/fit.h"
#include "iova/magazine.h"
#include "iova/tree.h"

#define ISIM_IOVA_ANCHOR UINT64_MAX

/* The first release whose dma-iommu rounds sizes and uses the caches. */
#define ISIM_IOVA_CACHES IOMMUSIM_KERNEL(4, 12)

struct iommusim_iova {
	struct isim_diag diag;
	unsigned kernel, granule_lg2;
	uint64_t start;          /* lowest frame to hand out */
	uint64_t d32;            /* first frame at 4 GiB */
	uint64_t max32;          /* smallest size known to fail below; d32: none known */
	uint64_t hint32, hint64; /* ends of the ranges from which the searches go down */
	struct isim_tree tree;
	struct isim_magazines cache;
	unsigned nr_online;                       /* CPUs */
	unsigned nr_pending;                      /* depots that are due to be trimmed */
	unsigned char pending[ISIM_CACHE_ORDERS]; /* their orders, the one armed first in front */
};

/* Make room on the host for one more range, in the tree and in the caches. 0 or -EHOST, worded. */
int isim_iova_make_room(struct iommusim_iova *space);

static inline int isim_iova_reserve_room(struct iommusim_iova *space)
{
	if (ISIM_LIKELY(isim_tree_has_room(&space->tree) &&
	                space->tree.nr <= space->cache.nr_reserved))
		return 0;
	return isim_iova_make_room(space);
}

/* Take a range below @limit, excluded; there is room on the host. 0 or -ENOMEM. */
int isim_iova_take(struct iommusim_iova *space, uint64_t size, uint64_t limit, int aligned,
                   uint64_t *lo);

/* Free the range that contains @frame, and store it in @range. 1, or 0: none does. */
int isim_iova_drop(struct iommusim_iova *space, uint64_t frame, struct iommusim_iova_range *range);

/* The event of a public call that took or freed @size frames from @lo. */
static inline void isim_iova_tell(const struct iommusim_iova *space, enum iommusim_event_kind kind,
                                  uint64_t lo, uint64_t size)
{
	if (isim_wants_events(&space->diag))
		isim_event(&space->diag,
		           &(struct iommusim_event){ .kind = kind,
		                                     .iova = lo << space->granule_lg2,
		                                     .size = size << space->granule_lg2 });
}

/* The event of one that found no room. */
static inline void isim_iova_tell_failure(const struct iommusim_iova *space, uint64_t size,
                                          int result)
{
	if (isim_wants_events(&space->diag))
		isim_event(&space->diag,
		           &(struct iommusim_event){ .kind = IOMMUSIM_EVENT_IOVA_ALLOC,
		                                     .result = result,
		                                     .size = size << space->granule_lg2 });
}

#endif
