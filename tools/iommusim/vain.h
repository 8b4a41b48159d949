/* SPDX-License-Identifier: MIT */
/* Attempts in vain, for every command that counts them. */
#ifndef VAIN_H
#define VAIN_H

#include "iommusim.h"

/* Attempts that failed above order 0, though they may reclaim: what a fragmented machine pays for.
 */
uint64_t count_vain(const struct iommusim_chunks *chunks);

#endif
