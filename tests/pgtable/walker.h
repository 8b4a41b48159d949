/* SPDX-License-Identifier: MIT */
/*
 * A hardware walker of Arm long descriptors, from the layout of the words alone. It reads bytes of
 * memory by physical address and shares nothing with the library.
 */
#ifndef WALKER_H
#define WALKER_H

#include <stdint.h>

/* What the registers tell a walker. */
struct walker {
	unsigned granule; /* log2 of bytes: 12, 14, 16 */
	unsigned tsz;     /* 64 - bits of the input address */
	unsigned stage;   /* 1 or 2 */
	unsigned first;   /* level to start at, Arm's numbering: 3 is the last */
	uint64_t ttbr;
	const unsigned char *(*byte_at)(void *ctx, uint64_t pa); /* NULL: there is no memory */
	void *ctx;
};

enum walked { WALKED_FAULT, WALKED_PAGE, WALKED_BAD };

struct walked_page {
	uint64_t pa;   /* of the byte asked for */
	uint64_t size; /* of the page or block */
	unsigned can_read, can_write, can_execute, is_unprivileged, shareability;
	unsigned memory; /* stage 1: index into MAIR; stage 2: MemAttr */
};

/* Eight bytes, the lowest first. */
static inline int walker_read(const struct walker *w, uint64_t pa, uint64_t *word)
{
	*word = 0;
	for (unsigned i = 0; i < 8; i++) {
		const unsigned char *byte = w->byte_at(w->ctx, pa + i);

		if (!byte)
			return 0;
		*word |= (uint64_t)*byte << 8 * i;
	}
	return 1;
}

/* Bits 47:granule, and bits 51:48 from 15:12 with a granule of 64K. */
static inline uint64_t walker_address(const struct walker *w, uint64_t word)
{
	uint64_t pa = word >> w->granule << w->granule & ((UINT64_C(1) << 48) - 1);

	return w->granule == 16 ? pa | (word >> 12 & 0xf) << 48 : pa;
}

static inline void walker_decode(const struct walker *w, uint64_t word, struct walked_page *page)
{
	unsigned bits76 = (unsigned)(word >> 6 & 3);

	page->shareability = (unsigned)(word >> 8 & 3);
	page->can_execute = !(word >> 54 & 1);
	if (w->stage == 1) {
		page->can_read = 1;
		page->can_write = !(bits76 >> 1);
		page->is_unprivileged = bits76 & 1;
		page->memory = (unsigned)(word >> 2 & 7);
	} else {
		page->can_read = bits76 & 1;
		page->can_write = bits76 >> 1;
		page->is_unprivileged = 1;
		page->memory = (unsigned)(word >> 2 & 15);
	}
}

/* May a level hold blocks? 1 GiB only with 4K; 4 TiB with 64K and 52 bits; never the first of four.
 */
static inline int walker_has_blocks(const struct walker *w, unsigned level)
{
	return level == 2 || (level == 1 && w->granule != 14);
}

static inline enum walked walker_walk(const struct walker *w, uint64_t iova,
                                      struct walked_page *page)
{
	unsigned per_level = w->granule - 3, bits = 64 - w->tsz;
	uint64_t table = w->ttbr;

	for (unsigned level = w->first;; level++) {
		unsigned shift = w->granule + (3 - level) * per_level;
		unsigned width = level == w->first ? bits - shift : per_level;
		uint64_t index = iova >> shift & ((UINT64_C(1) << width) - 1), word;

		if (!walker_read(w, table + index * 8, &word))
			return WALKED_BAD;
		if (!(word & 1))
			return WALKED_FAULT;
		if (level == 3 || (word & 3) == 1) {
			uint64_t mask = (UINT64_C(1) << shift) - 1;

			if (level == 3 ? (word & 3) != 3 : !walker_has_blocks(w, level))
				return WALKED_BAD;
			if (!(word >> 10 & 1)) /* the access flag: a fault */
				return WALKED_BAD;
			page->size = mask + 1;
			page->pa = (walker_address(w, word) & ~mask) | (iova & mask);
			walker_decode(w, word, page);
			return WALKED_PAGE;
		}
		table = walker_address(w, word);
	}
}

#endif
