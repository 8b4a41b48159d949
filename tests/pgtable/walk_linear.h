/* SPDX-License-Identifier: MIT */
/* Tables that are one array, or little more: linear ones, s390, Broadcom's. */
#ifndef WALK_LINEAR_H
#define WALK_LINEAR_H

#include "walker.h"

/* ---- s390, words of big-endian byte order ---- */

static inline int walk_s390_geometry(const struct walk_config *config, uint64_t iova,
                                     struct walk_geometry *g)
{
	walk_even(g, 3, 12, 8);
	g->level[1].shift = 20;
	g->level[2].shift = 31;
	g->level[1].index_lg2 = g->level[2].index_lg2 = 11;
	g->is_big_endian = 1;
	return walk_is_below(iova, 42);
}

static inline enum walk_cause walk_s390_decode(struct walk_word *w)
{
	unsigned low = (unsigned)walk_bits(w->word, 10, 0);

	if (w->level && (low & 0x20))
		return w->word == 0x20 ? WALK_ABSENT : WALK_RESERVED;
	if (w->level) {
		w->pa = walk_field(w->word, 63, w->level == 2 ? 14 : 11);
		return w->word - w->pa == (w->level == 2 ? 7 : 0) ? WALK_TABLE : WALK_RESERVED;
	}
	if (low & 0x400) /* the address may be an old one */
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 63, 12);
	w->prot = WALK_R | (low & 0x200 ? 0 : WALK_W);
	return (w->word - w->pa) & ~UINT64_C(0x200) ? WALK_RESERVED : WALK_MAPPED;
}

/* ---- One array for a window ---- */

static inline int walk_linear_geometry(const struct walk_config *config, uint64_t iova,
                                       struct walk_geometry *g, unsigned page_lg2)
{
	walk_even(g, 1, page_lg2, 40);
	g->iova = iova - config->start;
	return iova >= config->start && g->iova < config->bytes;
}

static inline int walk_linear32_geometry(const struct walk_config *config, uint64_t iova,
                                         struct walk_geometry *g)
{
	g->word_bytes = 4;
	return walk_linear_geometry(config, iova, g, 12);
}

static inline int walk_tce_geometry(const struct walk_config *config, uint64_t iova,
                                    struct walk_geometry *g)
{
	g->is_big_endian = 1;
	return walk_linear_geometry(config, iova, g, config->granule_lg2);
}

static inline int walk_sparc64_geometry(const struct walk_config *config, uint64_t iova,
                                        struct walk_geometry *g)
{
	return walk_linear_geometry(config, iova, g, 13);
}

/* Readable and writable at @pa, unless empty: zero, or the dummy page where there is one. */
static inline enum walk_cause walk_linear_page(struct walk_word *w, uint64_t pa)
{
	unsigned has_dummy = w->config->flags & WALK_DUMMY;

	w->pa = pa;
	w->prot = WALK_R | WALK_W;
	return (has_dummy ? pa == w->config->dummy : !w->word) ? WALK_ABSENT : WALK_MAPPED;
}

static inline enum walk_cause walk_sprd_decode(struct walk_word *w)
{
	return walk_linear_page(w, w->word << 12);
}

static inline enum walk_cause walk_mtk1_decode(struct walk_word *w)
{
	if (w->word && walk_bits(w->word, 11, 0) != 0xa)
		return WALK_RESERVED;
	return walk_linear_page(w, walk_field(w->word, 31, 12));
}

static inline enum walk_cause walk_gart_tegra_decode(struct walk_word *w)
{
	if (w->word && (!walk_bits(w->word, 31, 31) || walk_bits(w->word, 11, 0)))
		return WALK_RESERVED;
	return walk_linear_page(w, walk_field(w->word, 30, 12));
}

static inline enum walk_cause walk_tce_decode(struct walk_word *w)
{
	unsigned low = (unsigned)walk_bits(w->word, 11, 0);
	enum walk_cause cause = walk_linear_page(w, w->word - low);

	w->prot = (low & 1 ? WALK_R : 0) | (low & 2 ? WALK_W : 0);
	return cause == WALK_MAPPED && (!(low & 3) || (low & ~3u)) ? WALK_RESERVED : cause;
}

static inline enum walk_cause walk_gart64_decode(struct walk_word *w)
{
	if (w->word && walk_bits(w->word, 3, 0) != 3)
		return WALK_RESERVED;
	return walk_linear_page(w, walk_field(w->word, 31, 12) | walk_bits(w->word, 11, 4) << 32);
}

/* Bits 58:47 are a context, 60 the streaming buffer; both are the driver's. */
static inline enum walk_cause walk_sparc64_decode(struct walk_word *w)
{
	enum walk_cause cause = walk_linear_page(w, walk_field(w->word, 46, 13));
	uint64_t known = UINT64_C(0x97ffffffffffe012);

	w->prot = WALK_R | (w->word & 2 ? WALK_W : 0) | (w->word & 16 ? WALK_C : 0);
	if (cause == WALK_MAPPED && (!walk_bits(w->word, 63, 63) || (w->word & ~known)))
		return WALK_RESERVED;
	return cause;
}

/* ---- Broadcom: every word of a larger page has its own page number ---- */

/* A table of 4K covers 4M; the layout does not tell, it is the largest page of the size field. */
static inline int walk_bcm2712_geometry(const struct walk_config *config, uint64_t iova,
                                        struct walk_geometry *g)
{
	walk_even(g, 2, 12, 10);
	g->level[1].index_lg2 = 9;
	g->word_bytes = 4;
	g->iova = iova - config->start;
	return iova >= config->start && walk_is_below(g->iova, 31);
}

static inline enum walk_cause walk_bcm2712_decode(struct walk_word *w)
{
	static const unsigned char run_lg2[4] = { 0, 4, 8, 10 };
	unsigned top = (unsigned)walk_bits(w->word, 31, 28);

	if (!w->word)
		return WALK_ABSENT;
	w->pa = walk_bits(w->word, 27, 0) << 12;
	if (w->level)
		return top == 1 ? WALK_TABLE : WALK_RESERVED;
	w->run_lg2 = run_lg2[top >> 2];
	w->run_step = 1;
	w->prot = WALK_R | (top & 2 ? WALK_W : 0);
	return top & 1 ? WALK_MAPPED : WALK_RESERVED;
}

#define WALK_LINEAR_FORMAT(id, what, shape, told, said) \
	static const struct walk_format walk_##what = { \
		.name = id,                             \
		.tells = told,                          \
		.always = said,                         \
		.geometry = walk_##shape##_geometry,    \
		.decode = walk_##what##_decode,         \
	}

#define WALK_RW (WALK_R | WALK_W)

WALK_LINEAR_FORMAT("s390-zpci", s390, s390, WALK_RW, WALK_R);
WALK_LINEAR_FORMAT("linear-sprd", sprd, linear32, WALK_RW, WALK_RW);
WALK_LINEAR_FORMAT("linear-mtk1", mtk1, linear32, WALK_RW, WALK_RW);
WALK_LINEAR_FORMAT("linear-gart-tegra", gart_tegra, linear32, WALK_RW, WALK_RW);
WALK_LINEAR_FORMAT("linear-tce", tce, tce, WALK_RW, 0);
WALK_LINEAR_FORMAT("linear-gart64", gart64, linear32, WALK_RW, WALK_RW);
WALK_LINEAR_FORMAT("linear-sparc64", sparc64, sparc64, WALK_RW, WALK_R);
WALK_LINEAR_FORMAT("linear-bcm2712", bcm2712, bcm2712, WALK_RW, WALK_R);

#endif
