/* SPDX-License-Identifier: MIT */
/* What happens by itself when time passes: the flush queue's timer, the trimming of depots. */
#ifndef ISIM_DMA_CLOCK_H
#define ISIM_DMA_CLOCK_H

#include "iommusim/base.h"

#define ISIM_NR_DEPOTS 6 /* one for each order of the caches of IOVA */

struct isim_clock {
	uint64_t now_ns;
	uint64_t depot_due_ns[ISIM_NR_DEPOTS];
	unsigned depots; /* that are due at some time, one bit each */
};

#endif
