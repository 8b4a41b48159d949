/* SPDX-License-Identifier: MIT */
/*
 * Units of systems on chip, words of 32 bits at two levels: Exynos, Rockchip and VSI, Allwinner
 * (sun50i), OMAP, SH-Mobile, Tegra.
 */
#ifndef WALK_SOC_H
#define WALK_SOC_H

#include "walker.h"

static inline int walk_soc_geometry(uint64_t iova, struct walk_geometry *g, unsigned first_lg2,
                                    unsigned last_lg2)
{
	walk_even(g, 2, 12, last_lg2);
	g->level[1].index_lg2 = first_lg2;
	g->word_bytes = 4;
	return walk_is_below(iova, 32);
}

/* 4096 words of 1M, 256 of 4K. */
static inline int walk_1m_geometry(const struct walk_config *config, uint64_t iova,
                                   struct walk_geometry *g)
{
	return walk_soc_geometry(iova, g, 12, 8);
}

/* 1024 words of 4M, 1024 of 4K. */
static inline int walk_4m_geometry(const struct walk_config *config, uint64_t iova,
                                   struct walk_geometry *g)
{
	return walk_soc_geometry(iova, g, 10, 10);
}

/* ---- Exynos ---- */

/* Read-only or not. */
static inline enum walk_cause walk_exynos_v1_page(struct walk_word *w, unsigned address_lg2,
                                                  unsigned access, unsigned read_only)
{
	uint64_t rest = walk_bits(w->word, address_lg2 - 1, 0) & ~UINT64_C(3);

	w->pa = walk_field(w->word, 31, address_lg2);
	w->run_lg2 = address_lg2 == 16 ? 4 : 0;
	w->prot = WALK_R | (rest & read_only ? 0 : WALK_W);
	return (rest & ~(uint64_t)read_only) == access ? WALK_MAPPED : WALK_RESERVED;
}

static inline enum walk_cause walk_exynos_v1_decode(struct walk_word *w)
{
	unsigned type = w->word & 3;

	if (!w->word)
		return WALK_ABSENT;
	if (type == 2)
		return w->level ? walk_exynos_v1_page(w, 20, 0x400, 0x8000)
		                : walk_exynos_v1_page(w, 12, 0x10, 0x200);
	if (type != 1)
		return WALK_RESERVED;
	if (!w->level)
		return walk_exynos_v1_page(w, 16, 0x10, 0x200);
	w->pa = walk_field(w->word, 31, 10);
	return walk_bits(w->word, 9, 0) == 1 ? WALK_TABLE : WALK_RESERVED;
}

/* Two bits at @prot, 1 read, 2 write; the address without its lowest four bits. */
static inline enum walk_cause walk_exynos_v5_page(struct walk_word *w, unsigned address_lg2,
                                                  unsigned prot)
{
	unsigned access = (unsigned)walk_bits(w->word, prot + 1, prot);
	uint64_t rest = walk_bits(w->word, address_lg2 - 5, 0) & ~UINT64_C(3);

	w->pa = walk_field(w->word, 31, address_lg2 - 4) << 4;
	w->run_lg2 = address_lg2 == 16 ? 4 : 0;
	w->prot = (access & 1 ? WALK_R : 0) | (access & 2 ? WALK_W : 0);
	return access && rest == (uint64_t)access << prot ? WALK_MAPPED : WALK_RESERVED;
}

static inline enum walk_cause walk_exynos_v5_decode(struct walk_word *w)
{
	unsigned type = w->word & 3;

	if (!w->word)
		return WALK_ABSENT;
	if (type == 2)
		return w->level ? walk_exynos_v5_page(w, 20, 4) : walk_exynos_v5_page(w, 12, 2);
	if (type != 1)
		return WALK_RESERVED;
	if (!w->level)
		return walk_exynos_v5_page(w, 16, 2);
	w->pa = walk_field(w->word, 31, 6) << 4;
	return walk_bits(w->word, 5, 0) == 1 ? WALK_TABLE : WALK_RESERVED;
}

/* ---- Rockchip and VSI: bit 0 says whether; without it the rest may be old ---- */

static inline enum walk_cause walk_rk_page(struct walk_word *w, unsigned flags)
{
	if (w->level)
		return flags == 1 ? WALK_TABLE : WALK_RESERVED;
	w->prot = (flags & 2 ? WALK_R : 0) | (flags & 4 ? WALK_W : 0);
	return flags & ~7u ? WALK_RESERVED : WALK_MAPPED;
}

static inline enum walk_cause walk_rk_v1_decode(struct walk_word *w)
{
	if (!(w->word & 1))
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 31, 12);
	return walk_rk_page(w, (unsigned)walk_bits(w->word, 11, 0));
}

static inline enum walk_cause walk_rk_v2_decode(struct walk_word *w)
{
	if (!(w->word & 1))
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 31, 12) | walk_bits(w->word, 11, 8) << 32 |
	        walk_bits(w->word, 7, 4) << 36;
	return walk_rk_page(w, (unsigned)walk_bits(w->word, 3, 0));
}

/* The layout tells of pages only; that a word of the directory is packed alike is assumed. */
static inline enum walk_cause walk_vsi_decode(struct walk_word *w)
{
	unsigned flags = (unsigned)walk_bits(w->word, 3, 0);

	if (!(w->word & 1))
		return WALK_ABSENT;
	w->pa = walk_field(w->word, 31, 12) | walk_bits(w->word, 11, 4) << 32;
	if (w->level)
		return flags == 1 ? WALK_TABLE : WALK_RESERVED;
	w->prot = WALK_R | (flags & 4 ? WALK_W : 0);
	return flags & ~5u ? WALK_RESERVED : WALK_MAPPED;
}

/* ---- Allwinner: a number stands for the permissions ---- */

static inline enum walk_cause walk_sun50i_decode(struct walk_word *w)
{
	unsigned aci = (unsigned)walk_bits(w->word, 7, 4);

	if (!w->word)
		return WALK_ABSENT;
	if (w->level) {
		w->pa = walk_field(w->word, 31, 10);
		return walk_bits(w->word, 9, 0) == 1 ? WALK_TABLE : WALK_RESERVED;
	}
	w->pa = walk_field(w->word, 31, 12);
	w->prot = aci == 4 ? WALK_R | WALK_W : aci == 3 ? WALK_W : aci == 2 ? WALK_R : 0;
	return aci >= 1 && aci <= 4 && (w->word & 0xf0f) == 2 ? WALK_MAPPED : WALK_RESERVED;
}

/* ---- OMAP and SH-Mobile: no permissions ---- */

/* The low @address_lg2 bits must be @low. */
static inline enum walk_cause walk_fixed_page(struct walk_word *w, unsigned address_lg2,
                                              unsigned low)
{
	w->pa = walk_field(w->word, 31, address_lg2);
	w->run_lg2 = address_lg2 - w->shift;
	w->prot = WALK_R | WALK_W;
	return walk_bits(w->word, address_lg2 - 1, 0) == low ? WALK_MAPPED : WALK_RESERVED;
}

static inline enum walk_cause walk_fixed_table(struct walk_word *w)
{
	w->pa = walk_field(w->word, 31, 10);
	return walk_bits(w->word, 9, 0) == 1 ? WALK_TABLE : WALK_RESERVED;
}

static inline enum walk_cause walk_omap_decode(struct walk_word *w)
{
	unsigned type = w->word & 3;

	if (!w->word)
		return WALK_ABSENT;
	if (w->level && type == 1)
		return walk_fixed_table(w);
	if (w->level)
		return walk_bits(w->word, 18, 18) ? walk_fixed_page(w, 24, 0x40002)
		                                  : walk_fixed_page(w, 20, 2);
	return type == 1 ? walk_fixed_page(w, 16, 1) : walk_fixed_page(w, 12, 2);
}

static inline enum walk_cause walk_shmobile_decode(struct walk_word *w)
{
	unsigned type = w->word & 3;

	if (!w->word)
		return WALK_ABSENT;
	if (w->level)
		return type == 1 ? walk_fixed_table(w) : walk_fixed_page(w, 20, 0xc02);
	return type == 1 ? walk_fixed_page(w, 16, 0xff1) : walk_fixed_page(w, 12, 0xff2);
}

/* The first table has as many words as ias asks for. */
static inline int walk_shmobile_geometry(const struct walk_config *config, uint64_t iova,
                                         struct walk_geometry *g)
{
	return walk_soc_geometry(iova, g, config->ias - 20, 8) && walk_is_below(iova, config->ias);
}

/* ---- Tegra: not secure, next level, permissions in both words ---- */

static inline enum walk_cause walk_tegra_decode(struct walk_word *w)
{
	unsigned top = (unsigned)walk_bits(w->word, 31, 28);
	unsigned prot = (top & 8 ? WALK_R : 0) | (top & 4 ? WALK_W : 0);

	if (!w->word)
		return WALK_ABSENT;
	w->pa = walk_bits(w->word, 21, 0) << 12;
	if (walk_bits(w->word, 27, 22) || (top & 3) != (w->level ? 3u : 2u))
		return WALK_RESERVED;
	if (w->level) {
		w->veto = (WALK_R | WALK_W) & ~prot;
		return WALK_TABLE;
	}
	w->prot = prot;
	return WALK_MAPPED;
}

#define WALK_SOC_FORMAT(id, what, shape, told, said)    \
	static const struct walk_format walk_##what = { \
		.name = id,                             \
		.tells = told,                          \
		.always = said,                         \
		.geometry = walk_##shape##_geometry,    \
		.decode = walk_##what##_decode,         \
	}

WALK_SOC_FORMAT("exynos-v1", exynos_v1, 1m, WALK_R | WALK_W, WALK_R);
WALK_SOC_FORMAT("exynos-v5", exynos_v5, 1m, WALK_R | WALK_W, 0);
WALK_SOC_FORMAT("rk-v1", rk_v1, 4m, WALK_R | WALK_W, 0);
WALK_SOC_FORMAT("rk-v2", rk_v2, 4m, WALK_R | WALK_W, 0);
WALK_SOC_FORMAT("vsi", vsi, 4m, WALK_R | WALK_W, WALK_R);
WALK_SOC_FORMAT("sun50i", sun50i, 1m, WALK_R | WALK_W, 0);
WALK_SOC_FORMAT("omap", omap, 1m, WALK_R | WALK_W, WALK_R | WALK_W);
WALK_SOC_FORMAT("shmobile", shmobile, shmobile, WALK_R | WALK_W, WALK_R | WALK_W);
WALK_SOC_FORMAT("tegra-smmu", tegra, 4m, WALK_R | WALK_W, 0);

#endif
