/* SPDX-License-Identifier: MIT */
/* Words as little- or big-endian hardware reads them, on hosts of either byte order. */
#ifndef ISIM_ENDIAN_H
#define ISIM_ENDIAN_H

#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ISIM_LITTLE_ENDIAN 1
#else
#define ISIM_LITTLE_ENDIAN 0
#endif

static inline uint32_t isim_swap32(uint32_t x)
{
	return x << 24 | (x & 0xff00) << 8 | (x >> 8 & 0xff00) | x >> 24;
}

static inline uint64_t isim_swap64(uint64_t x)
{
	return (uint64_t)isim_swap32((uint32_t)x) << 32 | isim_swap32((uint32_t)(x >> 32));
}

/* @x as it must be stored to lie little-endian in memory; the same function reads it back. */
static inline uint32_t isim_le32(uint32_t x)
{
	return ISIM_LITTLE_ENDIAN ? x : isim_swap32(x);
}

static inline uint64_t isim_le64(uint64_t x)
{
	return ISIM_LITTLE_ENDIAN ? x : isim_swap64(x);
}

/* The same for big-endian memory. */
static inline uint32_t isim_be32(uint32_t x)
{
	return ISIM_LITTLE_ENDIAN ? isim_swap32(x) : x;
}

static inline uint64_t isim_be64(uint64_t x)
{
	return ISIM_LITTLE_ENDIAN ? isim_swap64(x) : x;
}

#endif
