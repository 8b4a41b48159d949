/* SPDX-License-Identifier: MIT */
/* The tables of a domain, as engine, formats and memory see them. */
#ifndef ISIM_PGTABLE_PGTABLE_H
#define ISIM_PGTABLE_PGTABLE_H

#include "base/bits.h"
#include "base/endian.h"
#include "base/host.h"
#include "iommusim/pgtable.h"

/* What a word is. */
enum isim_word_kind { ISIM_WORD_EMPTY, ISIM_WORD_TABLE, ISIM_WORD_LEAF };

/*
 * A format for one granule: its geometry, and what its words mean. Levels count from 0, the table
 * that holds only leaves.
 */
struct isim_pgtable_words {
	unsigned granule_lg2; /* bytes of the smallest page */
	unsigned index_lg2;   /* entries of a table */
	unsigned linear_lg2;  /* below 2^n, in each 2^48 bytes, leaf words rise with the address */
	enum isim_word_kind (*kind)(uint64_t word, unsigned level);
	/* Given the AND and the OR of some words of @level: are all of them leaves? */
	int (*are_leaves)(uint64_t all, uint64_t any, unsigned level);
	uint64_t (*leaf)(uint64_t attributes, uint64_t pa, unsigned level);
	uint64_t (*table)(uint64_t flags, uint64_t pa);
	uint64_t (*address)(uint64_t word);
	uint64_t (*attributes)(const struct iommusim_pgtable *pgtable, unsigned prot);
	/* Of a leaf that is split: what its parts keep. */
	uint64_t (*kept)(const struct iommusim_pgtable *pgtable, uint64_t word);
	unsigned (*prot)(uint64_t word);
};

/* The engine, specialised for one isim_pgtable_words. */
struct isim_pgtable_ops {
	const struct isim_pgtable_words *words;
	int (*map)(struct iommusim_pgtable *pgtable, const struct iommusim_map_pages *pages,
	           uint64_t *mapped);
	uint64_t (*unmap)(struct iommusim_pgtable *pgtable, const struct iommusim_map_pages *pages,
	                  const struct iommusim_pgtable_flush *flush);
	uint64_t (*iova_to_phys)(const struct iommusim_pgtable *pgtable, uint64_t iova);
};

#define ISIM_NO_LEVEL 0xff

/* A format: turns a configuration into geometry and registers, or refuses it. */
struct isim_pgtable_impl {
	int (*configure)(struct iommusim_pgtable *pgtable);
	/* Registers that hold the address of the first table. */
	void (*set_root)(struct iommusim_pgtable *pgtable);
};

/* Where the last call found the table of a level; no table: @words is NULL. */
struct isim_pgtable_found {
	uint64_t tag; /* iova >> shift of the level above */
	uint64_t *words;
};

/* Tables in one piece of host memory that grows: physical addresses are offsets into it. */
struct isim_pgtable_arena {
	unsigned char *bytes; /* NULL: tables are elsewhere */
	uint64_t start;       /* physical address of the first byte */
	uint64_t used, cap;
	uint64_t enough; /* up to this much used there is room for a table per level */
	uint64_t
		free; /* physical address of the first freed table, which links the next; 0: none */
};

struct iommusim_pgtable {
	struct isim_diag diag;
	struct iommusim_pgtable_config config;
	const struct isim_pgtable_ops *ops;
	struct iommusim_pgtable_info info;
	unsigned top;            /* level of the first table */
	unsigned root_index_lg2; /* entries of the first table */
	uint64_t root_words;     /* that its memory has room for */
	uint64_t table_flags;    /* bits of every table word */
	uint64_t *root;
	/* What would be worked out at every call: bits that an address must not have (an iova after
	   the flip), the level of each page size by its log2, attributes by protection. */
	uint64_t iova_flip, iova_high, pa_high;
	uint8_t level_of[64];
	uint64_t attributes[64];
	struct isim_pgtable_found found[IOMMUSIM_MAX_LEVELS];
	struct isim_pgtable_arena arena;
	struct iommusim_table_memory memory;
};

/* ---- memory.c ---- */

/* Move the arena to where it has room for a table per level. 0 or -EHOST. */
int isim_pgtable_grow(struct iommusim_pgtable *pgtable);

/*
 * Before a call that may need up to one table per level: room for them in the arena. 0 or -EHOST.
 * Pointers to tables are good until the next call of this.
 */
static inline int isim_pgtable_reserve(struct iommusim_pgtable *pgtable)
{
	return ISIM_LIKELY(pgtable->arena.used <= pgtable->arena.enough)
	               ? 0
	               : isim_pgtable_grow(pgtable);
}

/* GFP_ATOMIC of the kernel version, with which a split asks for its table. */
uint32_t isim_pgtable_atomic(const struct iommusim_pgtable *pgtable);

/* A zeroed table of @bytes in @pa: 0, -ENOMEM, -ERANGE or what the table memory says. */
int isim_pgtable_new(struct iommusim_pgtable *pgtable, uint64_t bytes, uint32_t gfp, uint64_t *pa);
void isim_pgtable_drop(struct iommusim_pgtable *pgtable, uint64_t pa, uint64_t bytes);
void isim_pgtable_forget_found(struct iommusim_pgtable *pgtable);

/* Free the table at @pa, of @level, with all below it. */
void isim_pgtable_free_tree(struct iommusim_pgtable *pgtable, uint64_t pa, unsigned level);

static inline uint64_t *isim_pgtable_at(const struct iommusim_pgtable *pgtable, uint64_t pa)
{
	if (ISIM_LIKELY(pgtable->arena.bytes != NULL))
		return (uint64_t *)(void *)(pgtable->arena.bytes + (pa - pgtable->arena.start));
	return pgtable->memory.table_at(pgtable->memory.ctx, pa);
}

#endif
