/* SPDX-License-Identifier: MIT */
/* Which sizes a hole has a place for. */
#ifndef ISIM_IOVA_FIT_H
#define ISIM_IOVA_FIT_H

#include "base/bits.h"

/*
 * The largest size that has a place between @from and @end (excluded, above it) whose first frame
 * is a multiple of the smallest power of two >= that size. Every smaller size then has one too, so
 * that this one number says which sizes fit.
 *
 * Let z be the frame with the most trailing zeros. What starts at z may go up to the end; what
 * starts below z ends at z, and is a power of two.
 */
static inline uint64_t isim_largest_fit(uint64_t from, uint64_t end)
{
	uint64_t z, below;

	if (!from)
		return end;
	z = (end - 1) & ~isim_low_bits(isim_high_bit((from - 1) ^ (end - 1)));
	below = z == from ? 0 : isim_bit(isim_high_bit(z - from));
	return end - z > below ? end - z : below;
}

#endif
