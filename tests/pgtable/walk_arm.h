/* SPDX-License-Identifier: MIT */
/* Arm long descriptors, stage 1 and 2 of 64 and of 32 bits, and Mali's. */
#ifndef WALK_ARM_H
#define WALK_ARM_H

#include "walker.h"

/* Levels down to the granule, the first with what is left of the address. */
static inline int walk_arm_geometry(const struct walk_config *config, struct walk_geometry *g)
{
	unsigned page = config->granule_lg2, index = page - 3;
	unsigned levels = (config->ias - page + index - 1) / index;
	uint64_t beyond = g->iova >> config->ias;

	if (config->flags & WALK_TTBR1)
		beyond = ~g->iova >> config->ias;
	walk_even(g, levels, page, index);
	g->level[levels - 1].index_lg2 = config->ias - g->level[levels - 1].shift;
	return !beyond;
}

static inline int walk_arm_s1_geometry(const struct walk_config *config, uint64_t iova,
                                       struct walk_geometry *g)
{
	return walk_arm_geometry(config, g);
}

/* Up to sixteen entries of the fourth level: as many tables of the third side by side. */
static inline int walk_arm_s2_geometry(const struct walk_config *config, uint64_t iova,
                                       struct walk_geometry *g)
{
	int is_covered = walk_arm_geometry(config, g);

	if (g->nr_levels == 4 && g->level[3].index_lg2 <= 4) {
		g->nr_levels = 3;
		g->level[2].index_lg2 += g->level[3].index_lg2;
	}
	return is_covered;
}

/* Four levels, however few bits there are. */
static inline int walk_mali_geometry(const struct walk_config *config, uint64_t iova,
                                     struct walk_geometry *g)
{
	walk_even(g, 4, 12, 9);
	g->level[3].index_lg2 = config->ias > 39 ? config->ias - 39 : 0;
	return walk_is_below(iova, config->ias);
}

/* Bits 47:12; with 64K, bits 15:12 are bits 51:48 of the address. */
static inline uint64_t walk_arm_address(const struct walk_word *w)
{
	if (w->config->granule_lg2 == 16)
		return walk_field(w->word, 47, 16) | walk_bits(w->word, 15, 12) << 48;
	return walk_field(w->word, 47, 12);
}

/* 2M and 1G of 4K, 32M of 16K, 512M of 64K, and 4T of it with 52 bits. */
static inline int walk_arm_may_be_block(const struct walk_word *w)
{
	unsigned page = w->config->granule_lg2;

	return w->level == 1 ||
	       (w->level == 2 && (page == 12 || (page == 16 && w->config->oas > 48)));
}

/* The contiguous hint: 16 words; 128 or 32 of 16K; 32 of 64K. */
static inline void walk_arm_hint(struct walk_word *w)
{
	unsigned page = w->config->granule_lg2;

	if (!walk_bits(w->word, 52, 52) || !(w->config->flags & WALK_CONTIGUOUS))
		return;
	w->run_lg2 = page == 12 ? 4 : page == 14 && w->level == 0 ? 7 : 5;
	w->run_step = UINT64_C(1) << w->shift;
}

/* Table, page, empty or none of them. */
static inline enum walk_cause walk_arm_kind(struct walk_word *w, unsigned last_type)
{
	uint64_t flags = 3;
	unsigned type = (unsigned)(w->word & 3);

	if (!w->word)
		return WALK_ABSENT;
	w->pa = walk_arm_address(w);
	if (w->level > 0 && type == 3) {
		flags |= w->config->flags & WALK_NS ? UINT64_C(1) << 63 : 0;
		flags |= w->config->flags & WALK_NONCOHERENT ? UINT64_C(1) << 55 : 0;
		return (w->word & ~walk_field(w->word, 47, 12)) == flags ? WALK_TABLE
		                                                         : WALK_RESERVED;
	}
	if (w->level == 0 ? type != last_type : type != 1 || !walk_arm_may_be_block(w))
		return WALK_RESERVED;
	walk_arm_hint(w);
	if (walk_bits(w->word, 63, 55) || walk_bits(w->word, 50, 48) ||
	    (walk_bits(w->word, 52, 52) && !w->run_lg2))
		return WALK_RESERVED;
	return WALK_MAPPED;
}

/* XN, both bits or none. */
static inline int walk_arm_xn(struct walk_word *w)
{
	unsigned xn = (unsigned)walk_bits(w->word, 54, 53);

	w->prot |= xn ? WALK_X : 0;
	return xn == 0 || xn == 3;
}

/* Inner shareable with caches, outer shareable without. */
static inline int walk_arm_sh(struct walk_word *w)
{
	unsigned sh = (unsigned)walk_bits(w->word, 9, 8);

	w->prot |= sh == 3 ? WALK_C : 0;
	return sh >= 2;
}

static inline enum walk_cause walk_arm_s1_decode(struct walk_word *w)
{
	enum walk_cause kind = walk_arm_kind(w, 3);
	unsigned index = (unsigned)walk_bits(w->word, 4, 2),
		 dbm = (unsigned)walk_bits(w->word, 51, 51);
	unsigned is_ns = (w->config->flags & WALK_NS) != 0,
		 is_hd = (w->config->flags & WALK_HD) != 0;

	if (kind != WALK_MAPPED)
		return kind;
	if (!walk_bits(w->word, 10, 10))
		return WALK_ACCESS_FLAG;
	w->prot = WALK_R | (walk_bits(w->word, 7, 7) ? 0 : WALK_W) |
	          (walk_bits(w->word, 6, 6) ? 0 : WALK_P) | (index == 2 ? WALK_M : 0);
	if (!walk_arm_xn(w) || !walk_arm_sh(w) || !walk_bits(w->word, 11, 11))
		return WALK_RESERVED;
	if (index > 2 || (index < 2 && index != (w->prot & WALK_C) / WALK_C))
		return WALK_RESERVED;
	if (walk_bits(w->word, 5, 5) != is_ns || dbm != (is_hd && (w->prot & WALK_W)))
		return WALK_RESERVED;
	return WALK_MAPPED;
}

/* Bits 7:6 of stage 2. */
static inline unsigned walk_arm_hap(uint64_t word)
{
	return (walk_bits(word, 6, 6) ? WALK_R : 0) | (walk_bits(word, 7, 7) ? WALK_W : 0);
}

static inline enum walk_cause walk_arm_s2_decode(struct walk_word *w)
{
	enum walk_cause kind = walk_arm_kind(w, 3);
	unsigned memory = (unsigned)walk_bits(w->word, 5, 2);

	if (kind != WALK_MAPPED)
		return kind;
	if (!walk_bits(w->word, 10, 10))
		return WALK_ACCESS_FLAG;
	w->prot = walk_arm_hap(w->word) | (memory == 1 ? WALK_M : 0);
	if (!walk_arm_xn(w) || !walk_arm_sh(w) || walk_bits(w->word, 11, 11) ||
	    walk_bits(w->word, 51, 51))
		return WALK_RESERVED;
	return memory == 1 || memory == (w->prot & WALK_C ? 0xf : 5) ? WALK_MAPPED : WALK_RESERVED;
}

/* Pages are blocks; no access flag; always outer shareable. */
static inline enum walk_cause walk_mali_decode(struct walk_word *w)
{
	enum walk_cause kind = walk_arm_kind(w, 1);
	unsigned index = (unsigned)walk_bits(w->word, 4, 2);

	if (kind != WALK_MAPPED)
		return kind;
	w->prot = walk_arm_hap(w->word) | (index == 1 ? WALK_C : 0) | (index == 2 ? WALK_M : 0);
	if (!walk_arm_xn(w) || walk_bits(w->word, 11, 8) != 2 || walk_bits(w->word, 5, 5) ||
	    walk_bits(w->word, 51, 51))
		return WALK_RESERVED;
	return index <= 2 ? WALK_MAPPED : WALK_RESERVED;
}

#define WALK_ARM_ALL (WALK_R | WALK_W | WALK_C | WALK_X | WALK_M)

static const struct walk_format walk_arm_lpae_s1 = {
	.name = "arm-lpae-s1",
	.tells = WALK_ARM_ALL | WALK_P,
	.always = WALK_R,
	.geometry = walk_arm_s1_geometry,
	.decode = walk_arm_s1_decode,
};

static const struct walk_format walk_arm_lpae_s2 = {
	.name = "arm-lpae-s2",
	.tells = WALK_ARM_ALL,
	.geometry = walk_arm_s2_geometry,
	.decode = walk_arm_s2_decode,
};

static const struct walk_format walk_arm_mali_lpae = {
	.name = "arm-mali-lpae",
	.tells = WALK_ARM_ALL,
	.is_m_no_c = 1,
	.geometry = walk_mali_geometry,
	.decode = walk_mali_decode,
};

#endif
