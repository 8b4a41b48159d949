/* SPDX-License-Identifier: MIT */
/* AMD IOMMU tables, version 1: up to six levels, pages of every power of two. */
#ifndef WALK_AMD_H
#define WALK_AMD_H

#include "walker.h"

/* The device table names the number of levels; six of them map 64 bits. */
static inline int walk_amd_geometry(const struct walk_config *config, uint64_t iova,
                                    struct walk_geometry *g)
{
	walk_even(g, config->nr_levels, 12, 9);
	if (config->nr_levels == 6)
		g->level[5].index_lg2 = 7;
	return walk_is_below(iova, 12 + 9 * config->nr_levels);
}

/* The size is one more than the lowest zero bit says; two to the power of that many words. */
static inline enum walk_cause walk_amd_sized(struct walk_word *w)
{
	unsigned lg2 = 12;

	while (lg2 < 51 && walk_bits(w->word, lg2, lg2))
		lg2++;
	lg2++;
	if (lg2 <= w->shift || lg2 >= w->shift + 9)
		return WALK_RESERVED;
	w->run_lg2 = lg2 - w->shift;
	w->pa &= ~((UINT64_C(1) << lg2) - 1);
	return WALK_MAPPED;
}

static inline enum walk_cause walk_amd_decode(struct walk_word *w)
{
	unsigned next = (unsigned)walk_bits(w->word, 11, 9), level = w->level + 1;
	unsigned access = (unsigned)walk_bits(w->word, 62, 61);
	uint64_t others = w->word & ~walk_field(w->word, 51, 9) & ~walk_field(w->word, 62, 61);

	if (!w->word)
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 51, 12);
	if (next > 0 && next < 7) /* present, read and write, to the next level */
		return next == level - 1 && access == 3 && others == 1 ? WALK_TABLE : WALK_RESERVED;
	others &= ~(UINT64_C(1) << 6);         /* dirty */
	if (others != (UINT64_C(1) << 60 | 1)) /* present, coherent */
		return WALK_RESERVED;
	w->prot = (access & 1 ? WALK_R : 0) | (access & 2 ? WALK_W : 0);
	return next == 7 ? walk_amd_sized(w) : WALK_MAPPED;
}

static const struct walk_format walk_amd_v1 = {
	.name = "amd-v1",
	.tells = WALK_R | WALK_W,
	.geometry = walk_amd_geometry,
	.decode = walk_amd_decode,
};

#endif
