/* SPDX-License-Identifier: MIT */
/* Words as little-endian hardware reads them, on hosts of either byte order. */
#ifndef ISIM_ENDIAN_H
#define ISIM_ENDIAN_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ISIM_LITTLE_ENDIAN 1
#else
#define ISIM_LITTLE_ENDIAN 0
#endif

/* @x as it must be stored to lie little-endian in memory; the same function reads it back. */
static inline uint64_t isim_le64(uint64_t x)
{
#if ISIM_LITTLE_ENDIAN
	return x;
#else
	unsigned char bytes[8];
	uint64_t word;

	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(x >> 8 * i);
	memcpy(&word, bytes, sizeof(word));
	return word;
#endif
}

#endif
