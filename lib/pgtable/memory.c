/* SPDX-License-Identifier: MIT */
/*
 * Memory for tables: the arena, one piece of host memory whose offsets are physical addresses, or
 * whatever the embedder's functions say. Freed tables of the arena are used again, the last first.
 */
#include "pgtable/pgtable.h"

#include <string.h>

/* include/linux/gfp_types.h: HIGH, KSWAPD_RECLAIM and, in 6.1, ATOMIC. */
#define GFP_ATOMIC_6_1  UINT32_C(0xa20)
#define GFP_ATOMIC_6_12 UINT32_C(0x820)

void isim_pgtable_forget_found(struct iommusim_pgtable *pgtable)
{
	memset(pgtable->found, 0, sizeof(pgtable->found));
}

int isim_pgtable_grow(struct iommusim_pgtable *pgtable)
{
	struct isim_pgtable_arena *arena = &pgtable->arena;
	uint64_t room = (pgtable->top + 1) * pgtable->info.table_bytes; /* 1 for the alignment */
	uint64_t cap = 2 * (arena->used + room);
	unsigned char *bytes = isim_zalloc(&pgtable->diag.host, cap, 1);

	if (!bytes)
		return isim_no_memory(&pgtable->diag, "page tables");
	if (arena->bytes)
		memcpy(bytes, arena->bytes, (size_t)arena->used);
	isim_free(&pgtable->diag.host, arena->bytes);
	arena->bytes = bytes;
	arena->cap = cap;
	arena->enough = cap - room;
	if (pgtable->root)
		pgtable->root = isim_pgtable_at(pgtable, pgtable->info.root);
	isim_pgtable_forget_found(pgtable);
	return 0;
}

/* Room was reserved. */
static uint64_t take_from_arena(struct iommusim_pgtable *p, uint64_t bytes)
{
	struct isim_pgtable_arena *arena = &p->arena;
	uint64_t pa = arena->free, *words;

	if (!pa) {
		arena->used = isim_align_up(arena->used, bytes) + bytes;
		return arena->start + arena->used - bytes;
	}
	words = isim_pgtable_at(p, pa);
	arena->free = words[0];
	words[0] = 0;
	return pa;
}

/* From the embedder, at an address that a table word can hold. */
static int take_from_memory(struct iommusim_pgtable *p, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	const struct isim_pgtable_words *w = p->ops->words;
	int err = p->memory.alloc_table(p->memory.ctx, bytes, gfp, pa);

	if (err || w->address(w->table(0, *pa)) == *pa)
		return err;
	err = isim_fail(&p->diag, IOMMUSIM_ERANGE, "no word can hold the table address 0x%llx",
	                (unsigned long long)*pa);
	p->memory.free_table(p->memory.ctx, *pa, bytes);
	return err;
}

int isim_pgtable_new(struct iommusim_pgtable *pgtable, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	int err = 0;

	if (pgtable->arena.bytes)
		*pa = take_from_arena(pgtable, bytes);
	else
		err = take_from_memory(pgtable, bytes, gfp, pa);
	if (!err)
		pgtable->info.nr_tables++;
	return err;
}

uint32_t isim_pgtable_atomic(const struct iommusim_pgtable *pgtable)
{
	return pgtable->config.kernel < IOMMUSIM_KERNEL(6, 12) ? GFP_ATOMIC_6_1 : GFP_ATOMIC_6_12;
}

void isim_pgtable_drop(struct iommusim_pgtable *pgtable, uint64_t pa, uint64_t bytes)
{
	isim_pgtable_forget_found(pgtable);
	pgtable->info.nr_tables--;
	if (pgtable->arena.bytes) {
		uint64_t *words = isim_pgtable_at(pgtable, pa);

		memset(words, 0, (size_t)bytes);
		words[0] = pgtable->arena.free;
		pgtable->arena.free = pa;
	} else {
		pgtable->memory.free_table(pgtable->memory.ctx, pa, bytes);
	}
}

/* The next word of @table from *at on that leads to a table, *at behind it; 0: there is none. */
static uint64_t next_child(const struct isim_pgtable_words *w, const uint64_t *table, uint64_t nr,
                           uint64_t *at, unsigned level)
{
	while (*at < nr) {
		uint64_t word = isim_le64(table[(*at)++]);

		if (w->kind(word, level) == ISIM_WORD_TABLE)
			return word;
	}
	return 0;
}

void isim_pgtable_free_tree(struct iommusim_pgtable *pgtable, uint64_t pa, unsigned level)
{
	const struct isim_pgtable_words *w = pgtable->ops->words;
	struct {
		uint64_t pa, at;
	} path[IOMMUSIM_MAX_LEVELS] = { { 0, 0 } };
	unsigned l = level;

	path[l].pa = pa;
	for (;;) {
		int is_first = l == pgtable->top;
		uint64_t nr = isim_bit(is_first ? pgtable->root_index_lg2 : w->index_lg2);
		uint64_t word =
			l ? next_child(w, isim_pgtable_at(pgtable, path[l].pa), nr, &path[l].at, l)
			  : 0;

		if (word) {
			path[--l].pa = w->address(word);
			path[l].at = 0;
			continue;
		}
		isim_pgtable_drop(pgtable, path[l].pa,
		                  is_first ? pgtable->info.root_bytes : pgtable->info.table_bytes);
		if (l++ == level)
			return;
	}
}
