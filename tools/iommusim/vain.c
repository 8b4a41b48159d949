/* SPDX-License-Identifier: MIT */
/* What an allocator tried for nothing. */
#include "vain.h"

uint64_t count_vain(const struct iommusim_chunks *chunks)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < chunks->nr_attempts; i++) {
		const struct iommusim_attempt *attempt = &chunks->attempt[i];

		nr += attempt->order && attempt->pfn == IOMMUSIM_NO_PFN &&
		      attempt->gfp & IOMMUSIM_GFP_BIT_DIRECT_RECLAIM;
	}
	return nr;
}
