/* SPDX-License-Identifier: MIT */
/* MMUs inside of GPUs and of Intel's image processor. */
#ifndef WALK_GPU_H
#define WALK_GPU_H

#include "walk_linear.h"
#include "walk_soc.h"

/* A page may be read and written and is cached in every way: one fixed set of bits. */
static inline enum walk_cause walk_lima_decode(struct walk_word *w)
{
	unsigned low = (unsigned)walk_bits(w->word, 11, 0);

	if (!w->word)
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 31, 12);
	if (w->level)
		return low == 1 ? WALK_TABLE : WALK_RESERVED;
	w->prot = WALK_RW;
	return low == 0x1df ? WALK_MAPPED : WALK_RESERVED;
}

static inline enum walk_cause walk_etnaviv_v1_decode(struct walk_word *w)
{
	if (walk_bits(w->word, 11, 0))
		return WALK_RESERVED;
	return walk_linear_page(w, w->word);
}

/* An empty word raises an exception. */
static inline enum walk_cause walk_etnaviv_v2_decode(struct walk_word *w)
{
	unsigned low = (unsigned)walk_bits(w->word, 3, 0);

	if (w->word == 2)
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 31, 12);
	if (w->level)
		return walk_bits(w->word, 11, 0) == 1 ? WALK_TABLE : WALK_RESERVED;
	w->pa |= walk_bits(w->word, 11, 4) << 32;
	w->prot = WALK_R | (low & 4 ? WALK_W : 0);
	return low == 1 || low == 5 ? WALK_MAPPED : WALK_RESERVED;
}

static inline enum walk_cause walk_v3d_decode(struct walk_word *w)
{
	unsigned top = (unsigned)walk_bits(w->word, 31, 24);
	enum walk_cause cause = walk_linear_page(w, walk_bits(w->word, 23, 0) << 12);

	w->prot = WALK_R | (top & 0x20 ? WALK_W : 0);
	return cause == WALK_MAPPED && (top & ~0x20u) != 0x10 ? WALK_RESERVED : cause;
}

static inline enum walk_cause walk_a2xx_decode(struct walk_word *w)
{
	unsigned low = (unsigned)walk_bits(w->word, 11, 0);
	enum walk_cause cause = walk_linear_page(w, walk_field(w->word, 31, 12));

	w->prot = (low & 2 ? WALK_R : 0) | (low & 1 ? WALK_W : 0);
	return cause == WALK_MAPPED && (!low || low > 3) ? WALK_RESERVED : cause;
}

/* Page numbers at both levels; what is empty leads to the dummy page, by a table of it if need be.
 */
static inline enum walk_cause walk_ipu_decode(struct walk_word *w)
{
	if (!w->level)
		return walk_linear_page(w, w->word << 12);
	w->pa = w->word << 12;
	return w->word ? WALK_TABLE : WALK_ABSENT;
}

WALK_LINEAR_FORMAT("lima", lima, 4m, WALK_RW, WALK_RW);
WALK_LINEAR_FORMAT("etnaviv-v1", etnaviv_v1, linear32, WALK_RW, WALK_RW);
WALK_LINEAR_FORMAT("etnaviv-v2", etnaviv_v2, 4m, WALK_RW, WALK_R);
WALK_LINEAR_FORMAT("v3d", v3d, linear32, WALK_RW, WALK_R);
WALK_LINEAR_FORMAT("a2xx-gpummu", a2xx, linear32, WALK_RW, 0);
WALK_LINEAR_FORMAT("ipu-mmu", ipu, 4m, WALK_RW, WALK_RW);

#endif
