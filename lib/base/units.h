/* SPDX-License-Identifier: MIT */
/* Frame numbers, sizes in frames and bytes: the only place where they are converted. */
#ifndef ISIM_UNITS_H
#define ISIM_UNITS_H

#include <stdint.h>

static inline uint64_t isim_pfn_to_pa(uint64_t pfn, unsigned page_shift)
{
	return pfn << page_shift;
}

static inline uint64_t isim_pa_to_pfn(uint64_t pa, unsigned page_shift)
{
	return pa >> page_shift;
}

/* Whole pages that hold @bytes. */
static inline uint64_t isim_bytes_to_pages(uint64_t bytes, unsigned page_shift)
{
	return (bytes >> page_shift) + ((bytes & ((UINT64_C(1) << page_shift) - 1)) != 0);
}

static inline uint64_t isim_pages_to_bytes(uint64_t pages, unsigned page_shift)
{
	return pages << page_shift;
}

#endif
