/* SPDX-License-Identifier: MIT */
/* Granules of Arm long descriptors, and the engines for each. */
#ifndef ISIM_PGTABLE_ARM_LPAE_H
#define ISIM_PGTABLE_ARM_LPAE_H

#include "pgtable/pgtable.h"

struct isim_arm_granule {
	unsigned lg2, index_lg2;
	uint64_t pgsizes;
	unsigned max_bits;   /* of ias and oas */
	unsigned tg0, tg1;   /* what registers call it */
	unsigned run_lg2[2]; /* contiguous words at levels 0 and 1 */
	/* [1]: with the contiguous hint. Mali: NULL, it has no such granule. */
	const struct isim_pgtable_ops *s1[2], *s2[2], *mali;
};

#define ISIM_ARM_NR_GRANULES 3u

extern const struct isim_arm_granule isim_arm_granules[ISIM_ARM_NR_GRANULES];

#endif
