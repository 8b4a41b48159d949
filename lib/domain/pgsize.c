/* SPDX-License-Identifier: MIT */
/* Which page size the head of a range is mapped with, and how many pages of it follow each other.
 */
#include "iommusim/domain.h"

#include "base/bits.h"

/* The largest size that alignment and length allow. 0: none. */
static uint64_t largest(uint64_t pgsizes, uint64_t addresses, uint64_t size)
{
	unsigned limit;

	if (!size)
		return 0;
	limit = isim_high_bit(size);
	if (addresses && isim_low_bit(addresses) < limit)
		limit = isim_low_bit(addresses);
	pgsizes &= isim_low_bits(limit + 1);
	return pgsizes ? isim_bit(isim_high_bit(pgsizes)) : 0;
}

/*
 * The bytes until the next larger size could be used, where it can be at all: only if both
 * addresses are off its boundary by the same, and it has room behind it.
 */
static uint64_t span(uint64_t bigger, const struct iommusim_map *map)
{
	uint64_t next, off;

	if (!bigger)
		return map->size;
	next = isim_bit(isim_low_bit(bigger));
	if ((map->iova ^ map->pa) & (next - 1))
		return map->size;
	off = next - ((map->iova | map->pa) & (next - 1));
	if (off + next < off || off + next > map->size)
		return map->size;
	return off;
}

uint64_t iommusim_pgsize(uint64_t pgsizes, const struct iommusim_map *map, uint64_t *count)
{
	uint64_t page = largest(pgsizes, map->iova | map->pa, map->size);

	*count = 0;
	if (!page)
		return 0;
	*count = span(pgsizes & ~(page | (page - 1)), map) / page;
	return page;
}
