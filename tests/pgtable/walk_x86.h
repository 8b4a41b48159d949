/* SPDX-License-Identifier: MIT */
/* Tables of x86-64: AMD IOMMU version 2, Intel first level; and Intel second level beside them. */
#ifndef WALK_X86_H
#define WALK_X86_H

#include "walker.h"

#define WALK_X86_P  0x01u
#define WALK_X86_RW 0x02u
#define WALK_X86_U  0x04u
#define WALK_X86_A  0x20u
#define WALK_X86_D  0x40u
#define WALK_X86_PS 0x80u

static inline int walk_x86_geometry(const struct walk_config *config, uint64_t iova,
                                    struct walk_geometry *g)
{
	walk_even(g, config->nr_levels, 12, 9);
	return walk_is_below(iova, 12 + 9 * config->nr_levels);
}

/* @low: the bits below the address. A leaf where PS says so, at the lowest level by itself. */
static inline enum walk_cause walk_x86_kind(struct walk_word *w, unsigned *low)
{
	uint64_t xd = w->config->flags & WALK_XD ? UINT64_C(1) << 63 : 0;

	if (!w->word)
		return WALK_ABSENT;
	*low = (unsigned)walk_bits(w->word, 11, 0);
	w->pa = walk_field(w->word, 51, 12);
	if (!(*low & WALK_X86_P) || (w->word & ~walk_field(w->word, 51, 0)) != xd)
		return WALK_RESERVED;
	w->veto = xd ? WALK_X : 0;
	if (w->level > 0 && !(*low & WALK_X86_PS))
		return *low == (WALK_X86_P | WALK_X86_RW | WALK_X86_U | WALK_X86_A) ? WALK_TABLE
		                                                                    : WALK_RESERVED;
	if ((w->level == 0 && (*low & WALK_X86_PS)) || w->level > 2)
		return WALK_RESERVED;
	*low &= ~WALK_X86_PS;
	w->prot = WALK_R | (*low & WALK_X86_RW ? WALK_W : 0);
	return WALK_MAPPED;
}

/* Always accessed and dirty. */
static inline enum walk_cause walk_amd_v2_decode(struct walk_word *w)
{
	unsigned low;
	enum walk_cause kind = walk_x86_kind(w, &low);

	if (kind != WALK_MAPPED)
		return kind;
	return (low & ~WALK_X86_RW) == (WALK_X86_P | WALK_X86_U | WALK_X86_A | WALK_X86_D)
	               ? WALK_MAPPED
	               : WALK_RESERVED;
}

/* Always accessed; dirty if writable. */
static inline enum walk_cause walk_fl_decode(struct walk_word *w)
{
	unsigned low, want = WALK_X86_P | WALK_X86_U | WALK_X86_A;
	enum walk_cause kind = walk_x86_kind(w, &low);

	if (kind != WALK_MAPPED)
		return kind;
	if (low & WALK_X86_RW)
		want |= WALK_X86_RW | WALK_X86_D;
	return low == want ? WALK_MAPPED : WALK_RESERVED;
}

/* Second level: R and W are all there is to presence. */
static inline enum walk_cause walk_vtd_decode(struct walk_word *w)
{
	unsigned low = (unsigned)walk_bits(w->word, 11, 0), is_large = low >> 7 & 1;
	unsigned snoop = w->config->flags & WALK_SNOOP ? 0x800 : 0;

	if (!w->word)
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 51, 12);
	if (walk_bits(w->word, 63, 52) || !(low & 3))
		return WALK_RESERVED;
	if (w->level > 0 && !is_large)
		return low == 3 ? WALK_TABLE : WALK_RESERVED;
	if (is_large != (w->level > 0) || w->level > 2)
		return WALK_RESERVED;
	w->prot = (low & 1 ? WALK_R : 0) | (low & 2 ? WALK_W : 0);
	return (low & ~0x83u) == snoop ? WALK_MAPPED : WALK_RESERVED;
}

static const struct walk_format walk_x86_64_amd_v2 = {
	.name = "x86-64-amd-v2",
	.tells = WALK_R | WALK_W,
	.always = WALK_R,
	.geometry = walk_x86_geometry,
	.decode = walk_amd_v2_decode,
};

/* Whether it may be executed is the kernel's choice, not that of who maps: WALK_XD. */
static const struct walk_format walk_x86_64_fl = {
	.name = "x86-64-fl",
	.tells = WALK_R | WALK_W,
	.always = WALK_R,
	.geometry = walk_x86_geometry,
	.decode = walk_fl_decode,
};

static const struct walk_format walk_vtd_sl = {
	.name = "vtd-sl",
	.tells = WALK_R | WALK_W,
	.always = WALK_R,
	.geometry = walk_x86_geometry,
	.decode = walk_vtd_decode,
};

#endif
