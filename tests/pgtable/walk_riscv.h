/* SPDX-License-Identifier: MIT */
/* RISC-V Sv39, Sv48 and Sv57, without and with Svnapot. */
#ifndef WALK_RISCV_H
#define WALK_RISCV_H

#include "walker.h"

#define WALK_RISCV_V 0x01u
#define WALK_RISCV_R 0x02u
#define WALK_RISCV_W 0x04u
#define WALK_RISCV_X 0x08u
#define WALK_RISCV_U 0x10u
#define WALK_RISCV_A 0x40u
#define WALK_RISCV_D 0x80u

/* All bits above the highest that is translated equal it. */
static inline int walk_riscv_geometry(uint64_t iova, struct walk_geometry *g, unsigned nr_levels)
{
	unsigned top = 12 + 9 * nr_levels - 1;

	walk_even(g, nr_levels, 12, 9);
	return !(iova >> top) || !(~iova >> top);
}

static inline int walk_sv39_geometry(const struct walk_config *config, uint64_t iova,
                                     struct walk_geometry *g)
{
	return walk_riscv_geometry(iova, g, 3);
}

static inline int walk_sv48_geometry(const struct walk_config *config, uint64_t iova,
                                     struct walk_geometry *g)
{
	return walk_riscv_geometry(iova, g, 4);
}

static inline int walk_sv57_geometry(const struct walk_config *config, uint64_t iova,
                                     struct walk_geometry *g)
{
	return walk_riscv_geometry(iova, g, 5);
}

/* The flags of a page: readable, for users, accessed; written to before if the unit does not say.
 */
static inline enum walk_cause walk_riscv_flags(struct walk_word *w, unsigned flags)
{
	unsigned want = WALK_RISCV_V | WALK_RISCV_R | WALK_RISCV_U | WALK_RISCV_A;

	if (flags & WALK_RISCV_W)
		want |= WALK_RISCV_W | (w->config->flags & WALK_HW_DIRTY ? 0 : WALK_RISCV_D);
	if (!(w->config->flags & WALK_XD))
		want |= flags & WALK_RISCV_X;
	w->prot =
		WALK_R | (flags & WALK_RISCV_W ? WALK_W : 0) | (flags & WALK_RISCV_X ? 0 : WALK_X);
	return flags == want ? WALK_MAPPED : WALK_RESERVED;
}

/* @run_lg2 of a page with the N bit; 0: there are none. */
static inline enum walk_cause walk_riscv_decode_either(struct walk_word *w, unsigned run_lg2)
{
	unsigned flags = (unsigned)walk_bits(w->word, 9, 0);
	uint64_t high = walk_bits(w->word, 63, 54);

	if (!w->word)
		return WALK_ABSENT;
	w->pa = walk_bits(w->word, 53, 10) << 12;
	if (flags == WALK_RISCV_V)
		return w->level > 0 && !high ? WALK_TABLE : WALK_RESERVED;
	if (high == 0x200 && run_lg2 && w->level == 0) {
		if (walk_bits(w->pa, 15, 12) != 8)
			return WALK_RESERVED;
		w->run_lg2 = run_lg2;
		w->pa &= ~UINT64_C(0xf000);
	} else if (high) {
		return WALK_RESERVED;
	}
	return walk_riscv_flags(w, flags);
}

static inline enum walk_cause walk_riscv_decode(struct walk_word *w)
{
	return walk_riscv_decode_either(w, 0);
}

static inline enum walk_cause walk_riscv_napot_decode(struct walk_word *w)
{
	return walk_riscv_decode_either(w, 4);
}

#define WALK_RISCV_FORMAT(id, sv, what)                                           \
	{                                                                         \
		.name = id, .tells = WALK_R | WALK_W | WALK_X, .always = WALK_R,  \
		.geometry = walk_##sv##_geometry, .decode = walk_##what##_decode, \
	}

static const struct walk_format walk_riscv_sv39 = WALK_RISCV_FORMAT("riscv-sv39", sv39, riscv);
static const struct walk_format walk_riscv_sv48 = WALK_RISCV_FORMAT("riscv-sv48", sv48, riscv);
static const struct walk_format walk_riscv_sv57 = WALK_RISCV_FORMAT("riscv-sv57", sv57, riscv);
static const struct walk_format walk_riscv_sv39_napot =
	WALK_RISCV_FORMAT("riscv-sv39-napot", sv39, riscv_napot);
static const struct walk_format walk_riscv_sv48_napot =
	WALK_RISCV_FORMAT("riscv-sv48-napot", sv48, riscv_napot);
static const struct walk_format walk_riscv_sv57_napot =
	WALK_RISCV_FORMAT("riscv-sv57-napot", sv57, riscv_napot);

#endif
