/* SPDX-License-Identifier: MIT */
/* Arm short descriptors, and MediaTek's with addresses of 35 bits. */
#ifndef WALK_V7S_H
#define WALK_V7S_H

#include "walker.h"

static inline int walk_v7s_geometry(const struct walk_config *config, uint64_t iova,
                                    struct walk_geometry *g)
{
	walk_even(g, 2, 12, 8);
	g->level[1].index_lg2 = config->ias - 20;
	g->word_bytes = 4;
	return walk_is_below(iova, config->ias);
}

/* Bits 32, 33, 34 of a physical address are bits 9, 4, 5 of any word: taken out of it. */
static inline uint64_t walk_v7s_take_high(const struct walk_word *w, uint64_t *word)
{
	uint64_t high;

	if (!(w->config->flags & WALK_MTK))
		return 0;
	high = walk_bits(*word, 9, 9) << 32 | walk_bits(*word, 5, 4) << 33;
	*word &= ~UINT64_C(0x230);
	return high;
}

/* The bits that mean the same at both levels, from the lowest of them up: AF, unprivileged,
   three of TEX, read-only, S, nG; then C and B. */
static inline enum walk_cause walk_v7s_attributes(struct walk_word *w, unsigned block, unsigned cb)
{
	unsigned tex = block >> 2 & 7, has_perms = !(w->config->flags & WALK_NO_PERMS);

	if ((block >> 6) != 3) /* S and nG are always there */
		return WALK_RESERVED;
	if (has_perms && !(block & 1))
		return WALK_ACCESS_FLAG;
	if (!has_perms && (block & 0x23))
		return WALK_RESERVED;
	/* CB: 0 with TEX 1 is memory, 3 with TEX 1 cached memory, 1 with TEX 0 a device. */
	if (!(tex == 1 && (cb == 0 || cb == 3)) && !(tex == 0 && cb == 1))
		return WALK_RESERVED;
	w->prot |= WALK_R | (block & 0x20 ? 0 : WALK_W) | (tex == 0 ? WALK_M : 0) |
	           (cb == 3 ? WALK_C : 0);
	w->prot |= has_perms && !(block & 2) ? WALK_P : 0;
	return WALK_MAPPED;
}

/* A section of 1M, or one of sixteen words of a supersection. */
static inline enum walk_cause walk_v7s_section(struct walk_word *w, uint64_t word)
{
	unsigned is_super = (unsigned)walk_bits(word, 18, 18);
	unsigned is_ns = (w->config->flags & WALK_NS) != 0;

	if (walk_bits(word, 9, 5) || walk_bits(word, 19, 19) != is_ns)
		return WALK_RESERVED;
	w->pa |= walk_field(word, 31, 20);
	w->run_lg2 = is_super ? 4 : 0;
	w->prot = walk_bits(word, 4, 4) ? WALK_X : 0;
	return walk_v7s_attributes(w, (unsigned)walk_bits(word, 17, 10),
	                           (unsigned)walk_bits(word, 3, 2));
}

static inline enum walk_cause walk_v7s_first(struct walk_word *w, uint64_t word)
{
	unsigned flags = w->config->flags & WALK_NS ? 9 : 1;

	if (walk_bits(word, 1, 0) == 2)
		return walk_v7s_section(w, word);
	w->pa |= walk_field(word, 31, 10);
	return walk_bits(word, 9, 0) == flags ? WALK_TABLE : WALK_RESERVED;
}

/* A large page keeps TEX and XN in the bits of the address that it does not need. */
static inline enum walk_cause walk_v7s_large(struct walk_word *w, uint64_t word)
{
	unsigned block = (unsigned)walk_bits(word, 11, 4);

	if (block & 0x1c)
		return WALK_RESERVED;
	w->pa |= walk_field(word, 31, 16);
	w->run_lg2 = 4;
	w->prot = walk_bits(word, 15, 15) ? WALK_X : 0;
	return walk_v7s_attributes(w, block | (unsigned)walk_bits(word, 14, 12) << 2,
	                           (unsigned)walk_bits(word, 3, 2));
}

static inline enum walk_cause walk_v7s_decode(struct walk_word *w)
{
	uint64_t word = w->word;

	if (!word)
		return WALK_ABSENT;
	if (!walk_bits(word, 1, 0))
		return WALK_RESERVED;
	w->pa = walk_v7s_take_high(w, &word);
	if (w->level)
		return walk_v7s_first(w, word);
	if (walk_bits(word, 1, 0) == 1)
		return walk_v7s_large(w, word);
	w->pa |= walk_field(word, 31, 12);
	w->prot = word & 1 ? WALK_X : 0;
	return walk_v7s_attributes(w, (unsigned)walk_bits(word, 11, 4),
	                           (unsigned)walk_bits(word, 3, 2));
}

#define WALK_V7S_FORMAT(id)                                                               \
	{                                                                                 \
		.name = id, .tells = WALK_R | WALK_W | WALK_C | WALK_X | WALK_M | WALK_P, \
		.always = WALK_R, .is_m_no_c = 1, .geometry = walk_v7s_geometry,          \
		.decode = walk_v7s_decode,                                                \
	}

static const struct walk_format walk_arm_v7s = WALK_V7S_FORMAT("arm-v7s");
static const struct walk_format walk_arm_v7s_mtk = WALK_V7S_FORMAT("arm-v7s-mtk");

#endif
