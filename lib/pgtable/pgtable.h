/* SPDX-License-Identifier: MIT */
/*
 * The tables of a domain, as engines, formats and memory see them.
 *
 * A format is one file. It describes its words in a `static const struct isim_pgtable_words`, makes
 * an engine of them with ISIM_PGTABLE_OPS(name) of ops.h, turns a configuration into geometry in
 * its configure(), and ends with the public `struct iommusim_pgtable_format`, which is declared in
 * iommusim/pgtable.h and listed in formats.c. Every hook below is static and pure, so that the
 * compiler folds all of them into the engine; those that say "NULL" may be left out. A format whose
 * calls behave unlike the engine's (pages one after the other, whole ranges) writes its own map and
 * unmap with the pt_* blocks of word.h and ops.h and names them in its struct isim_pgtable_ops.
 */
#ifndef ISIM_PGTABLE_PGTABLE_H
#define ISIM_PGTABLE_PGTABLE_H

#include "base/bits.h"
#include "base/endian.h"
#include "base/host.h"
#include "iommusim/pgtable.h"

/* What a word is. */
enum isim_word_kind { ISIM_WORD_EMPTY, ISIM_WORD_TABLE, ISIM_WORD_LEAF };

/* What becomes of a leaf of which only a part is to be unmapped. */
enum isim_partial {
	ISIM_PARTIAL_SPLIT,  /* smaller leaves take its place */
	ISIM_PARTIAL_REFUSE, /* nothing happens, 0 bytes are unmapped */
	ISIM_PARTIAL_WHOLE,  /* it goes, and counts, as a whole */
	ISIM_PARTIAL_START   /* so it does where the request starts with it, else as REFUSE */
};

/* Attributes may differ with the place of a leaf: two bits that are or'ed. */
#define ISIM_FORM_UPPER 1u /* above level 0 */
#define ISIM_FORM_RUN   2u /* one of a run of words that are one page together */
#define ISIM_NR_FORMS   4u

/*
 * The words of a format, for one granule. Levels count from 0, the table that holds only leaves.
 * Words are plain values here; how they lie in memory is the engine's matter.
 */
struct isim_pgtable_words {
	unsigned word_bytes; /* 8 or 4 */
	unsigned is_big_endian;
	unsigned nr_levels; /* if every domain has as many; 0: it varies */
	/* A word of level n leads to 2^(granule_lg2 + n * index_lg2) bytes, a table has 2^index_lg2
	   words... */
	unsigned granule_lg2, index_lg2;
	/* ...or, where levels differ, what these say by level. NULL: they do not. */
	const uint8_t *shifts, *indices;
	/* Below 2^linear_lg2, in each aligned 2^even_lg2 bytes, leaf words of one level rise evenly
	   with the address: runs of leaves may be filled in one go. 0: never. */
	unsigned linear_lg2, even_lg2;
	enum isim_partial partial;
	/* Words of a run hold their own address each; otherwise all are equal. */
	unsigned runs_rise;
	unsigned has_roots;          /* several first tables, chosen by the bits above the first */
	unsigned is_aliasing;        /* addresses beyond ias are not refused */
	unsigned is_bounded;         /* addresses beyond ias translate to nothing */
	unsigned is_as_tall;         /* a walker refuses what the first table does not cover */
	unsigned frees_empty_tables; /* an unmap frees the table that it has emptied */
	unsigned keeps_tables;       /* a table with leaves in the way of a page is an error */
	unsigned has_blanks;         /* empty entries above level 0 lead to a table, too */
	unsigned has_window;         /* addresses are those from window_start on */
	unsigned sizes_are_counts;   /* every page size is so many of the smallest */

	enum isim_word_kind (*kind)(const struct iommusim_pgtable *p, uint64_t word,
	                            unsigned level);
	/* Given the AND and the OR of some words of @level: are all of them leaves, and, unless
	   runs SPLIT, of one word each? NULL: who knows; they are looked at one by one. */
	int (*are_leaves)(uint64_t all, uint64_t any, unsigned level);
	/* Are all of them empty? NULL: they are if they hold what an empty entry holds. */
	int (*are_empty)(uint64_t all, uint64_t any, unsigned level);
	/* The word for a page at @pa; @attributes are those of its protection and form. */
	uint64_t (*leaf)(uint64_t attributes, uint64_t pa, unsigned level);
	/* The word of @level that leads to the table of the level below at @pa. */
	uint64_t (*table)(const struct iommusim_pgtable *p, uint64_t pa, unsigned level);
	/* Where a word leads, table or leaf. For words of a run: the page's address or their own.
	 */
	uint64_t (*address)(const struct iommusim_pgtable *p, uint64_t word, unsigned level);
	/* Bits of a leaf for @prot, with @form of ISIM_FORM_*; worked out once for each domain. */
	uint64_t (*attributes)(const struct iommusim_pgtable *p, unsigned prot, unsigned form);
	unsigned (*prot)(const struct iommusim_pgtable *p, uint64_t word, unsigned level);
	/* SPLIT only: the attributes that the parts of a split leaf keep. */
	uint64_t (*kept)(const struct iommusim_pgtable *p, uint64_t word, unsigned level);
	/* log2 of the words that are one page together. NULL: every word is a page of its own. */
	unsigned (*run_lg2)(const struct iommusim_pgtable *p, uint64_t word, unsigned level);
	/* log2 of the bytes of a leaf. NULL: as the level and run_lg2 say. */
	unsigned (*leaf_lg2)(const struct iommusim_pgtable *p, uint64_t word, unsigned level);
	/* SPLIT only: word number @i of a run as a page of its own. NULL: there are no runs. */
	uint64_t (*single)(const struct iommusim_pgtable *p, uint64_t word, unsigned level,
	                   uint64_t i);
	/* What an empty entry holds. NULL: 0. */
	uint64_t (*empty)(const struct iommusim_pgtable *p, unsigned level);
	/* What is left of a leaf that is unmapped. NULL: what an empty entry holds. */
	uint64_t (*cleared)(const struct iommusim_pgtable *p, uint64_t word, unsigned level);
	/* Which fault a word causes by itself (reserved bits, an access flag). NULL: none does. */
	enum iommusim_fault_cause (*fault)(const struct iommusim_pgtable *p, uint64_t word,
	                                   unsigned level);
	/* IOMMUSIM_MARK_* of a leaf, and the leaf with exactly those of @marks that it can have.
	   NULL: there are none. */
	unsigned (*marks)(const struct iommusim_pgtable *p, uint64_t word);
	uint64_t (*marked)(const struct iommusim_pgtable *p, uint64_t word, unsigned marks);
};

/* An engine, specialised for one isim_pgtable_words. The callers have checked nothing. */
struct isim_pgtable_ops {
	const struct isim_pgtable_words *words;
	int (*map)(struct iommusim_pgtable *p, const struct iommusim_map_pages *pages,
	           uint64_t *mapped);
	uint64_t (*unmap)(struct iommusim_pgtable *p, const struct iommusim_map_pages *pages,
	                  const struct iommusim_pgtable_flush *flush);
	uint64_t (*iova_to_phys)(const struct iommusim_pgtable *p, uint64_t iova);
	void (*walk)(const struct iommusim_pgtable *p, uint64_t iova,
	             struct iommusim_pgtable_walk *walk);
};

/* Hardware that translates in two stages. */
#define ISIM_NEST_ARM_64 1u
#define ISIM_NEST_ARM_32 2u
#define ISIM_NEST_VTD    4u
#define ISIM_NEST_AMD    8u
#define ISIM_NEST_RISCV  16u

/* A format: turns a configuration into geometry and registers, or refuses it. */
struct isim_pgtable_impl {
	/* Sets @ops, @info but for the root, the geometry (isim_pgtable_set_geometry()). */
	int (*configure)(struct iommusim_pgtable *p);
	/* Registers that hold the address of the first table. NULL: ttbr is that address. */
	void (*set_root)(struct iommusim_pgtable *p);
	/* ISIM_NEST_*: hardware that has these as the first, as the second of two stages. */
	unsigned stage1, stage2;
	/* What zero means in the configuration. 0: 48 bits, and 32 GiB. */
	unsigned ias, oas;
	uint64_t arena_start;
	/* The page that empty entries of leaves lead to, in bytes; 0: there is none. */
	uint64_t blank_page_bytes;
	/* What zero means for the start and the bytes of a window; 0: 2^ias bytes. */
	uint64_t window_start, window_bytes;
	/* Why a table at an address that no word holds cannot be had. 0: ERANGE. */
	int bad_table;
	/* May a table be at @pa? NULL: where words can say so. */
	int (*holds_table)(const struct iommusim_pgtable *p, uint64_t pa);
};

#define ISIM_NO_LEVEL  0xff
#define ISIM_MAX_ROOTS 4u

/* Where the last call found the table of a level; no table: @words is NULL. */
struct isim_pgtable_found {
	uint64_t tag; /* iova >> shift of the level above */
	void *words;
};

/* Where leaves of a size go: their level and log2 of the words that one is. */
struct isim_pgtable_place {
	uint8_t level, run_lg2;
};

/* Tables in one piece of host memory that grows: physical addresses are offsets into it. */
struct isim_pgtable_arena {
	unsigned char *bytes; /* NULL: tables are elsewhere */
	uint64_t start;       /* physical address of the first byte */
	uint64_t limit;       /* offsets of tables are below this one */
	uint64_t used, cap;
	uint64_t enough;   /* up to this much used there is room for a table per level */
	uint64_t free[32]; /* the first freed table by log2 of bytes, which links the next; 0: none
	                    */
};

/* A live table: so that a corrupted word never leads to what is none. */
struct isim_pgtable_live {
	uint64_t pa; /* with @words NULL: free entry */
	void *words;
	unsigned level;
};

struct iommusim_pgtable {
	struct isim_diag diag;
	struct iommusim_pgtable_config config;
	const struct isim_pgtable_ops *ops;
	struct iommusim_pgtable_info info;
	unsigned top;                              /* level of the first table */
	unsigned root_index_lg2;                   /* log2 of its words that a walk can reach */
	uint64_t root_words;                       /* that its memory has room for */
	uint64_t table_bytes[IOMMUSIM_MAX_LEVELS]; /* of the tables of a level */
	uint64_t table_flags; /* bits of every table word, if a format has any */
	void *root;           /* the first table, or the first of several */
	void *roots[ISIM_MAX_ROOTS];
	/* What would be worked out at every call: bits that an address must not have (an iova after
	   the flip), where each page size goes by its log2, attributes by form and protection,
	   words of empty entries. */
	uint64_t iova_flip, iova_high, pa_high;
	struct isim_pgtable_place place[64];
	uint64_t attributes[ISIM_NR_FORMS][64];
	uint64_t empty[IOMMUSIM_MAX_LEVELS];
	struct isim_pgtable_found found[IOMMUSIM_MAX_LEVELS];
	struct isim_pgtable_arena arena;
	struct iommusim_table_memory memory;
	/* Live tables by address: open addressing, a power of two of entries, at most half full. */
	struct isim_pgtable_live *live;
	uint64_t nr_live_slots;
	/* Where empty entries lead, if to anything: the page and the table of level 0 of such. */
	uint64_t blank_page, blank_table;
	uint64_t window_start, window_last; /* with has_window */
};

static inline unsigned isim_pgtable_shift(const struct isim_pgtable_words *w, unsigned level)
{
	return w->shifts ? w->shifts[level] : w->granule_lg2 + level * w->index_lg2;
}

static inline unsigned isim_pgtable_index_lg2(const struct isim_pgtable_words *w, unsigned level)
{
	return w->indices ? w->indices[level] : w->index_lg2;
}

/* ---- pgtable.c ---- */

/*
 * Levels, the words of the first table and the bytes of each table, at least 2^@min_lg2. For
 * configure(); page sizes of single words get their places, those of runs are the format's to add
 * (isim_pgtable_add_run()).
 */
void isim_pgtable_set_geometry(struct iommusim_pgtable *p, const struct isim_pgtable_words *w,
                               unsigned nr_levels, unsigned root_index_lg2, unsigned min_lg2);

/* Pages of 2^@page_lg2 bytes are 2^@run_lg2 words at @level. */
void isim_pgtable_add_run(struct iommusim_pgtable *p, unsigned level, unsigned run_lg2,
                          unsigned page_lg2);

/*
 * For configure(): the engine, the configured page sizes that are among @pgsizes (none configured:
 * all of these), address widths lowered to @ias and @oas. -EINVAL, worded: no page size is left, or
 * there are quirks.
 */
int isim_pgtable_fit(struct iommusim_pgtable *p, const struct isim_pgtable_ops *ops,
                     uint64_t pgsizes, unsigned ias, unsigned oas);

/* The same for a table of one level, whose words are pages of addresses from a window's start on.
 */
int isim_pgtable_fit_window(struct iommusim_pgtable *p, const struct isim_pgtable_ops *ops,
                            uint64_t pgsizes, unsigned ias, unsigned oas);

/* -EINVAL, worded, for quirks that are not among @quirks. */
int isim_pgtable_check_quirks(struct iommusim_pgtable *p, uint32_t quirks);

/* Is @iova one that no table is for? */
static inline int isim_pgtable_is_out_of_range(const struct iommusim_pgtable *p, uint64_t iova)
{
	if (p->ops->words->has_window)
		return iova - p->window_start > p->window_last - p->window_start;
	return ((iova ^ p->iova_flip) & p->iova_high) != 0;
}

/* The leaf of the first mapped page at or above *iova, which moves to its start. 0: none. */
int isim_pgtable_next_leaf(const struct iommusim_pgtable *p, uint64_t *iova,
                           struct iommusim_pgtable_walk *walk);

/* A call at which Linux would stop with BUG(), since @why at @address: -EBUG, worded, counted. */
int isim_pgtable_bug(struct iommusim_pgtable *p, const char *why, uint64_t address);

/* ---- memory.c ---- */

/* Move the arena to where it has room for a table per level, or make room for as many live tables.
   0 or -EHOST. */
int isim_pgtable_grow(struct iommusim_pgtable *p);

/*
 * Before what may need up to one table per level: room for them. 0 or -EHOST. Pointers to tables
 * are good until the next call of this.
 */
static inline int isim_pgtable_reserve(struct iommusim_pgtable *p)
{
	return ISIM_LIKELY(p->arena.used <= p->arena.enough) ? 0 : isim_pgtable_grow(p);
}

/* GFP_ATOMIC of the kernel version, with which a split asks for its table. */
uint32_t isim_pgtable_atomic(const struct iommusim_pgtable *p);

/* A table of @level in @pa, all its entries empty: 0, -ENOMEM, -ERANGE or what the table memory
   says. Room was reserved. */
int isim_pgtable_new(struct iommusim_pgtable *p, unsigned level, uint32_t gfp, uint64_t *pa);

/* Give it back; a table that is not there, or not of @level, is left alone. */
void isim_pgtable_drop(struct iommusim_pgtable *p, uint64_t pa, unsigned level);
void isim_pgtable_forget_found(struct iommusim_pgtable *p);

/* Free the table at @pa, of @level, with all below it. */
void isim_pgtable_free_tree(struct iommusim_pgtable *p, uint64_t pa, unsigned level);

/* The live table at @pa with that level, NULL: there is none. */
struct isim_pgtable_live *isim_pgtable_find(const struct iommusim_pgtable *p, uint64_t pa,
                                            unsigned level);

/* The words of a table that is not in the arena. */
void *isim_pgtable_elsewhere(const struct iommusim_pgtable *p, uint64_t pa, unsigned level);

/*
 * The words of the table at @pa, which a word of the level above @level holds; NULL: the word is
 * corrupt, there is no table.
 */
static inline void *isim_pgtable_at(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	if (ISIM_LIKELY(p->arena.bytes != NULL)) {
		uint64_t offset = pa - p->arena.start;

		return ISIM_LIKELY(offset < p->arena.limit) ? p->arena.bytes + offset : NULL;
	}
	return isim_pgtable_elsewhere(p, pa, level);
}

#endif
