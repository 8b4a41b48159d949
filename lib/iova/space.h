/* SPDX-License-Identifier: MIT */
/* What the files of this room share: the space itself, its tree below and its caches above. */
#ifndef ISIM_IOVA_SPACE_H
#define ISIM_IOVA_SPACE_H

#include "base/bits.h"
#include "base/ranges.h"
#include "iommusim/iova.h"
#include "iova/fit.h"
#include "iova/magazine.h"

#define ISIM_IOVA_ANCHOR UINT64_MAX

struct iommusim_iova {
	struct isim_diag diag;
	unsigned kernel, granule_lg2;
	uint64_t start;          /* lowest frame to hand out */
	uint64_t d32;            /* first frame at 4 GiB */
	uint64_t max32;          /* smallest size known to fail below; d32: none known */
	uint32_t hint32, hint64; /* nodes from which the searches go down */
	struct isim_ranges set;
	struct isim_magazines cache;
	unsigned nr_online;                       /* CPUs */
	unsigned nr_pending;                      /* depots that are due to be trimmed */
	unsigned char pending[ISIM_CACHE_ORDERS]; /* their orders, the one armed first in front */
};

/* Make room on the host for one more range, in the tree and in the caches. 0 or -EHOST, worded. */
int isim_iova_reserve_room(struct iommusim_iova *space);

/* Take a range below @limit, excluded; there is room on the host. 0 or -ENOMEM. */
int isim_iova_take(struct iommusim_iova *space, uint64_t size, uint64_t limit, int aligned,
                   uint64_t *lo);

/* Free the range that contains @frame, and store it in @range. 1, or 0: none does. */
int isim_iova_drop(struct iommusim_iova *space, uint64_t frame, struct iommusim_iova_range *range);

/* The event of a public call that took or freed @size frames from @lo. */
void isim_iova_tell(const struct iommusim_iova *space, const struct iommusim_event *event,
                    uint64_t lo, uint64_t size);

#endif
