/* SPDX-License-Identifier: MIT */
/* Bits of 64-bit values: positions count from 0, and every argument that must not be 0 says so. */
#ifndef ISIM_BITS_H
#define ISIM_BITS_H

#include <stdint.h>

static inline uint64_t isim_bit(unsigned n)
{
	return UINT64_C(1) << n;
}

/* Bits 0 .. n-1, for n of 0 .. 64. */
static inline uint64_t isim_low_bits(unsigned n)
{
	return n < 64 ? isim_bit(n) - 1 : UINT64_MAX;
}

/* Position of the highest set bit of @x, which is not 0. */
static inline unsigned isim_high_bit(uint64_t x)
{
#if defined(__GNUC__)
	return 63u - (unsigned)__builtin_clzll(x);
#else
	unsigned n = 0;

	while (x >>= 1)
		n++;
	return n;
#endif
}

/* Position of the lowest set bit of @x, which is not 0. */
static inline unsigned isim_low_bit(uint64_t x)
{
#if defined(__GNUC__)
	return (unsigned)__builtin_ctzll(x);
#else
	return isim_high_bit(x & (~x + 1));
#endif
}

static inline int isim_is_pow2(uint64_t x)
{
	return x && !(x & (x - 1));
}

/* The smallest power of two >= @x; 1 for 0. Wraps to 0 above 2^63. */
static inline uint64_t isim_pow2_up(uint64_t x)
{
	if (x <= 1)
		return 1;
	return isim_high_bit(x - 1) == 63 ? 0 : isim_bit(isim_high_bit(x - 1) + 1);
}

/* @x rounded to a multiple of @a, a power of two. Upwards it wraps where the result is 2^64. */
static inline uint64_t isim_align_down(uint64_t x, uint64_t a)
{
	return x & ~(a - 1);
}

static inline uint64_t isim_align_up(uint64_t x, uint64_t a)
{
	return (x + (a - 1)) & ~(a - 1);
}

#endif
