/* SPDX-License-Identifier: MIT */
/* Direct compaction: there is none. */
#include "phys/slow.h"

enum isim_compact_result isim_compact(struct iommusim_phys *phys,
                                      const struct isim_attempt *attempt,
                                      enum isim_compact_priority priority)
{
	return ISIM_COMPACT_SKIPPED;
}
