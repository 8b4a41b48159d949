/* SPDX-License-Identifier: MIT */
/* Apple DART: up to four first tables, one page size. */
#ifndef WALK_DART_H
#define WALK_DART_H

#include "walker.h"

static inline int walk_dart_geometry(const struct walk_config *config, uint64_t iova,
                                     struct walk_geometry *g)
{
	unsigned page = config->granule_lg2, index = page - 3;

	walk_even(g, 2, page, index);
	g->root = config->root[iova >> (page + 2 * index) & 3];
	return walk_is_below(iova, config->ias);
}

/* Bits that all pages have beside their address and what they forbid: a subpage end of 0xfff. */
#define WALK_DART_PAGE UINT64_C(0x000fff0000000003)

static inline enum walk_cause walk_dart1_decode(struct walk_word *w)
{
	uint64_t rest = w->word & ~walk_field(w->word, 35, 12);

	if (!w->word)
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 35, 12);
	if (w->level)
		return rest == 1 ? WALK_TABLE : WALK_RESERVED;
	w->prot = (rest & 0x100 ? 0 : WALK_R) | (rest & 0x80 ? 0 : WALK_W);
	return (rest & ~UINT64_C(0x180)) == WALK_DART_PAGE ? WALK_MAPPED : WALK_RESERVED;
}

static inline enum walk_cause walk_dart2_decode(struct walk_word *w)
{
	uint64_t rest = w->word & ~walk_field(w->word, 37, 10);

	if (!w->word)
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 37, 10) << 4;
	if (w->level)
		return rest == 1 ? WALK_TABLE : WALK_RESERVED;
	w->prot = (rest & 8 ? 0 : WALK_R) | (rest & 4 ? 0 : WALK_W);
	return (rest & ~UINT64_C(12)) == WALK_DART_PAGE ? WALK_MAPPED : WALK_RESERVED;
}

static const struct walk_format walk_dart1 = {
	.name = "dart1",
	.tells = WALK_R | WALK_W,
	.geometry = walk_dart_geometry,
	.decode = walk_dart1_decode,
};

static const struct walk_format walk_dart2 = {
	.name = "dart2",
	.tells = WALK_R | WALK_W,
	.geometry = walk_dart_geometry,
	.decode = walk_dart2_decode,
};

#endif
