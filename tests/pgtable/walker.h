/* SPDX-License-Identifier: MIT */
/*
 * Hardware walkers of IOMMU page tables, from the layouts of their words alone. They read bytes of
 * memory by physical address and share nothing with the library; they are stricter than hardware:
 * a word with a bit that nobody should have set is a fault.
 *
 * A family is a decoder of one word and a geometry; walk_tables() below does the same for all of
 * them: choose an entry, read it, ask the decoder what it is.
 */
#ifndef WALKER_H
#define WALKER_H

#include <stddef.h>
#include <stdint.h>

#define WALK_MAX_LEVELS 6u

/* What a page grants and is, as letters of one word. */
#define WALK_R 1u  /* readable */
#define WALK_W 2u  /* writable */
#define WALK_C 4u  /* cacheable, or shared with the CPU's caches */
#define WALK_X 8u  /* not executable */
#define WALK_M 16u /* device memory */
#define WALK_P 32u /* privileged only */

/* What a walker must know of the registers, beyond numbers. */
#define WALK_NS          0x01u  /* Arm: not secure */
#define WALK_TTBR1       0x02u  /* Arm: addresses from the top */
#define WALK_NONCOHERENT 0x04u  /* Arm: the driver marks its table words */
#define WALK_HD          0x08u  /* Arm: the walker sets the dirty bit */
#define WALK_CONTIGUOUS  0x10u  /* Arm: the contiguous hint may be set */
#define WALK_NO_PERMS    0x20u  /* v7s: words without permissions */
#define WALK_MTK         0x40u  /* v7s: addresses of 35 bits */
#define WALK_XD          0x80u  /* x86 first level: all words forbid execution */
#define WALK_SNOOP       0x100u /* VT-d: leaves are snooped */
#define WALK_DUMMY       0x200u /* empty entries lead to the page at @dummy */
#define WALK_HW_DIRTY    0x400u /* RISC-V: the unit sets A and D itself */

struct walk_format;

struct walk_config {
	const struct walk_format *format;
	unsigned granule_lg2;  /* of the smallest page, where the format has several */
	unsigned ias, oas;     /* bits of input and output addresses; oas 0: not checked */
	unsigned nr_levels;    /* where neither the format nor ias tells it */
	unsigned flags;        /* WALK_* */
	uint64_t root[4];      /* physical addresses of the first tables */
	uint64_t start, bytes; /* linear tables: the window that they map */
	uint64_t dummy;        /* physical address */
	/* @nr bytes of memory at @pa. 0: there is no memory. */
	int (*read)(void *ctx, uint64_t pa, unsigned char *bytes, unsigned nr);
	void *ctx;
};

enum walk_cause {
	WALK_MAPPED,
	WALK_ABSENT,       /* an empty entry */
	WALK_RANGE,        /* an address that the tables do not cover */
	WALK_RESERVED,     /* bits that the layout does not have, or not there */
	WALK_ADDRESS_SIZE, /* a page beyond oas */
	WALK_ACCESS_FLAG,  /* the access flag is clear */
	WALK_NO_TABLE,     /* a word leads to where there is no memory */
	WALK_TABLE = 100   /* of decoders only: go on */
};

struct walk_answer {
	enum walk_cause cause;
	unsigned level; /* of the table read last: 0 holds only leaves */
	uint64_t word;  /* read last */
	uint64_t pa;    /* of the byte asked for */
	uint64_t size;  /* bytes of the page, or that the word read last covers */
	unsigned prot;  /* WALK_R and so on */
};

/* One word, as the walker found it, and what the decoder makes of it. */
struct walk_word {
	const struct walk_config *config;
	uint64_t word;
	unsigned level, shift; /* log2 of the bytes that the word covers */
	/* Out. */
	uint64_t pa;         /* of the next table or the page */
	unsigned run_lg2;    /* words that are one page together... */
	uint64_t run_step;   /* ...and by how much each is above the one before */
	unsigned prot, veto; /* of a page; letters that a table word takes or, X, P, gives */
};

/* Where the words of each level are. */
struct walk_geometry {
	unsigned nr_levels, word_bytes, is_big_endian;
	uint64_t root;
	uint64_t iova; /* as the indices see it */
	struct {
		unsigned shift, index_lg2;
	} level[WALK_MAX_LEVELS];
};

struct walk_format {
	const char *name;   /* of the layout document */
	unsigned tells;     /* letters that a page of this format tells */
	unsigned always;    /* of those, letters that it says of every page */
	unsigned is_w_r;    /* 1: what may be written may be read */
	unsigned is_m_no_c; /* 1: of device memory it does not tell whether it is cached */
	/* 0: the tables do not cover the address. */
	int (*geometry)(const struct walk_config *config, uint64_t iova, struct walk_geometry *g);
	enum walk_cause (*decode)(struct walk_word *w);
};

static inline uint64_t walk_bits(uint64_t word, unsigned high, unsigned low)
{
	return word >> low & (~UINT64_C(0) >> (63 - high + low));
}

/* Bits @high to @low of a word, in their place. */
static inline uint64_t walk_field(uint64_t word, unsigned high, unsigned low)
{
	return walk_bits(word, high, low) << low;
}

static inline int walk_is_below(uint64_t value, unsigned bits)
{
	return bits >= 64 || !(value >> bits);
}

static inline int walk_is_aligned(uint64_t pa, unsigned lg2)
{
	return !(pa & ((UINT64_C(1) << lg2) - 1));
}

/* The letters that are told. */
static inline unsigned walk_told(const struct walk_config *config)
{
	return config->format->tells | config->format->always |
	       (config->flags & WALK_XD ? WALK_X : 0);
}

/* What a page must tell that was asked for with the letters @prot. */
static inline unsigned walk_expected(const struct walk_config *config, unsigned prot)
{
	const struct walk_format *f = config->format;
	unsigned told = (prot & f->tells) | f->always;

	if (f->is_w_r && (prot & WALK_W))
		told |= WALK_R;
	if (f->is_m_no_c && (prot & WALK_M))
		told &= ~WALK_C;
	if (config->flags & WALK_NO_PERMS)
		told = (told & ~(WALK_X | WALK_P)) | WALK_R | WALK_W;
	if (config->flags & WALK_XD)
		told |= WALK_X;
	return told;
}

/* @nr_levels levels of 2^@index_lg2 words above 2^@page_lg2 bytes. */
static inline void walk_even(struct walk_geometry *g, unsigned nr_levels, unsigned page_lg2,
                             unsigned index_lg2)
{
	g->nr_levels = nr_levels;
	for (unsigned i = 0; i < nr_levels; i++) {
		g->level[i].shift = page_lg2 + i * index_lg2;
		g->level[i].index_lg2 = index_lg2;
	}
}

static inline int walk_read(const struct walk_config *config, const struct walk_geometry *g,
                            uint64_t pa, uint64_t *word)
{
	unsigned char bytes[8];

	*word = 0;
	if (!config->read(config->ctx, pa, bytes, g->word_bytes))
		return 0;
	for (unsigned i = 0; i < g->word_bytes; i++)
		*word |= (uint64_t)bytes[i] << 8 * (g->is_big_endian ? g->word_bytes - 1 - i : i);
	return 1;
}

/* Do all the words of a run say the same? */
static inline int walk_is_run(const struct walk_word *w, const struct walk_geometry *g,
                              uint64_t table, uint64_t index)
{
	uint64_t nr = UINT64_C(1) << w->run_lg2, first = index & ~(nr - 1), word;

	for (uint64_t i = 0; i < nr; i++) {
		uint64_t want = w->word + (i - (index - first)) * w->run_step;

		if (!walk_read(w->config, g, table + (first + i) * g->word_bytes, &word) ||
		    word != want)
			return 0;
	}
	return 1;
}

static inline enum walk_cause walk_page(const struct walk_word *w, const struct walk_geometry *g,
                                        uint64_t table, uint64_t index, struct walk_answer *answer)
{
	unsigned size_lg2 = w->shift + w->run_lg2;
	uint64_t mask = (UINT64_C(1) << size_lg2) - 1;
	uint64_t nr = UINT64_C(1) << w->run_lg2, base = w->pa;

	if (w->run_step) /* each word of the run has an address of its own */
		base -= (index & (nr - 1)) << w->shift;
	if (base & mask)
		return WALK_RESERVED;
	if (w->run_lg2 && !walk_is_run(w, g, table, index))
		return WALK_RESERVED;
	if (w->config->oas && !walk_is_below(base | mask, w->config->oas))
		return WALK_ADDRESS_SIZE;
	answer->size = mask + 1;
	answer->pa = base | (g->iova & mask);
	answer->prot = (w->prot & ~(w->veto & (WALK_R | WALK_W))) | (w->veto & (WALK_X | WALK_P));
	return WALK_MAPPED;
}

static inline enum walk_cause walk_tables(const struct walk_config *config,
                                          const struct walk_geometry *g, struct walk_answer *answer)
{
	struct walk_word w = { .config = config };
	uint64_t table = g->root;

	for (unsigned level = g->nr_levels; level-- > 0;) {
		uint64_t mask = (UINT64_C(1) << g->level[level].index_lg2) - 1;
		uint64_t index = g->iova >> g->level[level].shift & mask;
		enum walk_cause cause;

		answer->level = w.level = level;
		w.shift = g->level[level].shift;
		answer->size = UINT64_C(1) << w.shift;
		if (!walk_read(config, g, table + index * g->word_bytes, &w.word))
			return WALK_NO_TABLE;
		answer->word = w.word;
		cause = config->format->decode(&w);
		if (cause == WALK_MAPPED)
			return walk_page(&w, g, table, index, answer);
		if (cause != WALK_TABLE)
			return cause;
		table = w.pa;
	}
	return WALK_RESERVED;
}

/* Where does @iova lead? */
static inline struct walk_answer walk(const struct walk_config *config, uint64_t iova)
{
	struct walk_geometry g = { .word_bytes = 8, .root = config->root[0], .iova = iova };
	struct walk_answer answer = { .cause = WALK_RANGE };

	if (config->format->geometry(config, iova, &g)) {
		answer.level = g.nr_levels - 1;
		answer.cause = walk_tables(config, &g, &answer);
	}
	return answer;
}

#endif
