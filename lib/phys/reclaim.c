/* SPDX-License-Identifier: MIT */
/* Direct reclaim: there is none. */
#include "phys/slow.h"

uint64_t isim_reclaim(struct iommusim_phys *phys, const struct isim_attempt *attempt)
{
	return 0;
}
