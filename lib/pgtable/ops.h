/* SPDX-License-Identifier: MIT */
/*
 * The engine: map, unmap and translate, written once against a constant description of words. The
 * compiler folds the description, so that every format gets an engine of its own without an
 * indirect call. Models drivers/iommu/io-pgtable-arm.c, Linux 6.1 and 6.12.
 */
#ifndef ISIM_PGTABLE_OPS_H
#define ISIM_PGTABLE_OPS_H

#include <string.h>

#include "pgtable/pgtable.h"

#define PT_BIT(n)       (UINT64_C(1) << (n))
#define PT_BITS(hi, lo) ((UINT64_MAX >> (63 - (hi))) & ~(PT_BIT(lo) - 1))

ISIM_INLINE unsigned pt_shift(const struct isim_pgtable_words *w, unsigned level)
{
	return w->granule_lg2 + level * w->index_lg2;
}

ISIM_INLINE uint64_t pt_index(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                              uint64_t iova, unsigned level)
{
	unsigned bits = level == p->top ? p->root_index_lg2 : w->index_lg2;

	return iova >> pt_shift(w, level) & (PT_BIT(bits) - 1);
}

/* The level whose leaves have @pgsize; ISIM_NO_LEVEL: none. */
static inline unsigned pt_level(const struct iommusim_pgtable *p, uint64_t pgsize)
{
	return pgsize & (pgsize - 1) ? ISIM_NO_LEVEL : p->level_of[isim_low_bit(pgsize)];
}

/*
 * Entries from number @index to the end of its table, which counts as of full length. Differs:
 * where the first table's memory is shorter than that, Linux goes on into what lies behind it.
 */
ISIM_INLINE uint64_t pt_room(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                             unsigned level, uint64_t index, uint64_t count)
{
	uint64_t room = PT_BIT(w->index_lg2) - (index & (PT_BIT(w->index_lg2) - 1));

	if (level == p->top && room > p->root_words - index)
		room = p->root_words - index;
	return count < room ? count : room;
}

/* ---- Going down ---- */

/* Start at the first table, or where the last call found the table of level @want. */
ISIM_INLINE uint64_t *pt_start(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                               uint64_t iova, unsigned want, unsigned *level)
{
	*level = p->top;
	if (want < p->top && p->found[want].tag == iova >> pt_shift(w, want + 1) &&
	    p->found[want].words) {
		*level = want;
		return p->found[want].words;
	}
	return p->root;
}

ISIM_INLINE void pt_remember(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                             uint64_t iova, unsigned level, uint64_t *table)
{
	if (level < p->top)
		p->found[level] =
			(struct isim_pgtable_found){ .tag = iova >> pt_shift(w, level + 1),
			                             .words = table };
}

/* A new table behind the word at @slot. */
static inline int pt_add_table(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                               uint64_t *slot, uint32_t gfp, uint64_t *pa)
{
	int err = isim_pgtable_new(p, p->info.table_bytes, gfp, pa);

	if (!err && slot)
		*slot = isim_le64(w->table(p->table_flags, *pa));
	return err;
}

/* The table of level @want that @iova leads to, made where there is none. */
ISIM_INLINE int pt_reach(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                         const struct iommusim_map_pages *pages, unsigned want, uint64_t **table)
{
	unsigned level;

	*table = pt_start(w, p, pages->iova, want, &level);
	if (ISIM_LIKELY(level == want))
		return 0;
	for (; level != want; level--) {
		uint64_t *slot = *table + pt_index(w, p, pages->iova, level), pa;
		uint64_t word = isim_le64(*slot);
		enum isim_word_kind kind = w->kind(word, level);

		if (level == 0)
			return -IOMMUSIM_EINVAL;
		if (kind == ISIM_WORD_LEAF)
			return -IOMMUSIM_EEXIST;
		if (kind == ISIM_WORD_EMPTY) {
			int err = pt_add_table(w, p, slot, pages->gfp, &pa);

			if (err)
				return err;
		} else {
			pa = w->address(word);
		}
		*table = isim_pgtable_at(p, pa);
	}
	pt_remember(w, p, pages->iova, want, *table);
	return 0;
}

/* ---- Runs of words ---- */

/* The AND and the OR of @nr words. */
struct pt_summary {
	uint64_t all, any;
};

static ISIM_VECTORIZE struct pt_summary pt_summarize(const uint64_t *slot, uint64_t nr)
{
	struct pt_summary s = { UINT64_MAX, 0 };

	for (uint64_t i = 0; i < nr; i++) {
		s.all &= slot[i];
		s.any |= slot[i];
	}
	return (struct pt_summary){ isim_le64(s.all), isim_le64(s.any) };
}

static ISIM_VECTORIZE void pt_fill(uint64_t *slot, uint64_t word, uint64_t step, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++, word += step)
		slot[i] = isim_le64(word);
}

ISIM_INLINE struct pt_summary pt_look(const uint64_t *slot, uint64_t nr)
{
	if (nr == 1)
		return (struct pt_summary){ isim_le64(*slot), isim_le64(*slot) };
	return pt_summarize(slot, nr);
}

/* Leaves for @nr pages from @pa on. */
ISIM_INLINE void pt_write(const struct isim_pgtable_words *w, uint64_t *slot, uint64_t pa,
                          uint64_t attributes, unsigned level, uint64_t nr)
{
	uint64_t step = PT_BIT(pt_shift(w, level)), last = pa + (nr - 1) * step;

	if (nr == 1) {
		*slot = isim_le64(w->leaf(attributes, pa, level));
	} else if (pa >> 48 == last >> 48 && !(last >> w->linear_lg2)) {
		pt_fill(slot, w->leaf(attributes, pa, level), step, nr);
	} else {
		for (uint64_t i = 0; i < nr; i++)
			slot[i] = isim_le64(w->leaf(attributes, pa + i * step, level));
	}
}

/* ---- Unmapping ---- */

static inline void pt_flush_leaves(const struct iommusim_pgtable_flush *flush, uint64_t iova,
                                   uint64_t pgsize, uint64_t nr)
{
	if (flush && flush->leaves && nr)
		flush->leaves(flush->ctx, iova, pgsize, nr);
}

/* Clear the word at @slot, and what is below it. 0: it was empty. */
static inline int pt_clear(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           uint64_t *slot, uint64_t iova, unsigned level,
                           const struct iommusim_pgtable_flush *flush)
{
	uint64_t word = isim_le64(*slot);
	enum isim_word_kind kind = w->kind(word, level);

	if (kind == ISIM_WORD_EMPTY)
		return 0;
	*slot = 0;
	if (kind == ISIM_WORD_LEAF) {
		pt_flush_leaves(flush, iova, PT_BIT(pt_shift(w, level)), 1);
		return 1;
	}
	if (flush && flush->table)
		flush->table(flush->ctx, iova, PT_BIT(pt_shift(w, level)));
	isim_pgtable_free_tree(p, w->address(word), level - 1);
	return 1;
}

/* Clear @nr words until an empty one. Returns the bytes unmapped. */
ISIM_INLINE uint64_t pt_clear_run(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                  uint64_t *slot, uint64_t iova, unsigned level, uint64_t nr,
                                  const struct iommusim_pgtable_flush *flush)
{
	uint64_t pgsize = PT_BIT(pt_shift(w, level)), i = 0;
	struct pt_summary s = pt_look(slot, nr);

	if (ISIM_LIKELY(w->are_leaves(s.all, s.any, level))) {
		if (nr == 1)
			*slot = 0;
		else
			memset(slot, 0, (size_t)nr * sizeof(*slot));
		pt_flush_leaves(flush, iova, pgsize, nr);
		return nr * pgsize;
	}
	while (i < nr && pt_clear(w, p, slot + i, iova + i * pgsize, level, flush))
		i++;
	return i * pgsize;
}

/*
 * Put a table of smaller leaves in the place of the leaf at @slot, of @level. Where they have the
 * size that is to be unmapped, the entries of the request stay empty and *nr is their number, else
 * 0. -ENOMEM: nothing changed.
 */
static inline int pt_split(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           uint64_t *slot, const struct iommusim_map_pages *pages, unsigned level,
                           uint64_t *nr)
{
	uint64_t word = isim_le64(*slot), attributes = w->kept(p, word), pa = w->address(word);
	uint64_t entries = PT_BIT(w->index_lg2), step = PT_BIT(pt_shift(w, level - 1));
	uint64_t first = 0, table_pa, *table;
	int err = pt_add_table(w, p, NULL, isim_pgtable_atomic(p), &table_pa);

	*nr = 0;
	if (err)
		return err;
	if (pt_level(p, pages->pgsize) == level - 1) {
		first = pt_index(w, p, pages->iova, level - 1);
		*nr = pt_room(w, p, level - 1, first, pages->count);
	}
	table = isim_pgtable_at(p, table_pa);
	if (first)
		pt_write(w, table, pa, attributes, level - 1, first);
	if (first + *nr < entries)
		pt_write(w, table + first + *nr, pa + (first + *nr) * step, attributes, level - 1,
		         entries - first - *nr);
	*slot = isim_le64(w->table(p->table_flags, table_pa));
	return 0;
}

ISIM_INLINE uint64_t pt_unmap(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                              const struct iommusim_map_pages *pages,
                              const struct iommusim_pgtable_flush *flush)
{
	unsigned want = pt_level(p, pages->pgsize), level;
	uint64_t *table = pt_start(w, p, pages->iova, want, &level);

	for (;; level--) {
		uint64_t index = pt_index(w, p, pages->iova, level), *slot = table + index, nr;
		uint64_t word = isim_le64(*slot);
		enum isim_word_kind kind = w->kind(word, level);

		if (kind == ISIM_WORD_EMPTY)
			return 0;
		if (level == want) {
			pt_remember(w, p, pages->iova, level, table);
			return pt_clear_run(w, p, slot, pages->iova, level,
			                    pt_room(w, p, level, index, pages->count), flush);
		}
		if (level == 0)
			return 0;
		if (kind == ISIM_WORD_LEAF) {
			if (pt_split(w, p, slot, pages, level, &nr))
				return 0;
			pt_flush_leaves(flush, pages->iova, pages->pgsize, nr);
			if (nr)
				return nr * pages->pgsize;
			word = isim_le64(*slot);
		}
		table = isim_pgtable_at(p, w->address(word));
	}
}

/* ---- Mapping ---- */

/* Words that are in the way of @nr leaves: a leaf is an error, a table is freed. */
static inline int pt_make_way(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                              uint64_t *table, const struct iommusim_map_pages *pages,
                              unsigned level, uint64_t nr)
{
	uint64_t *slot = table + pt_index(w, p, pages->iova, level);

	for (uint64_t i = 0; i < nr; i++) {
		uint64_t iova = pages->iova + i * pages->pgsize;
		enum isim_word_kind kind = w->kind(isim_le64(slot[i]), level);

		if (kind == ISIM_WORD_LEAF)
			return -IOMMUSIM_EEXIST;
		if (kind == ISIM_WORD_TABLE &&
		    !pt_clear(w, p, table + pt_index(w, p, iova, level), iova, level, NULL))
			return -IOMMUSIM_EINVAL;
	}
	return 0;
}

ISIM_INLINE int pt_map(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                       const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	unsigned want = pt_level(p, pages->pgsize);
	uint64_t *table, index, nr;
	int err = pt_reach(w, p, pages, want, &table);

	if (ISIM_UNLIKELY(err))
		return err;
	index = pt_index(w, p, pages->iova, want);
	nr = pt_room(w, p, want, index, pages->count);
	if (ISIM_UNLIKELY(pt_look(table + index, nr).any != 0)) {
		err = pt_make_way(w, p, table, pages, want, nr);
		if (err)
			return err;
	}
	pt_write(w, table + index, pages->pa, p->attributes[pages->prot & 63], want, nr);
	*mapped = nr * pages->pgsize;
	return 0;
}

/* ---- Translating ---- */

ISIM_INLINE uint64_t pt_iova_to_phys(const struct isim_pgtable_words *w,
                                     const struct iommusim_pgtable *p, uint64_t iova)
{
	unsigned level = p->top, shift = pt_shift(w, level);
	uint64_t word = isim_le64(p->root[pt_index(w, p, iova, level)]);

	while (w->kind(word, level) == ISIM_WORD_TABLE) {
		const uint64_t *table = isim_pgtable_at(p, w->address(word));

		level--;
		shift -= w->index_lg2;
		word = isim_le64(table[iova >> shift & (PT_BIT(w->index_lg2) - 1)]);
	}
	if (w->kind(word, level) == ISIM_WORD_EMPTY)
		return 0;
	return w->address(word) | (iova & (PT_BIT(shift) - 1));
}

/* The engine for the words isim_pgtable_NAME, as isim_pgtable_NAME_ops. */
#define ISIM_PGTABLE_OPS(name)                                                                    \
	static int name##_map(struct iommusim_pgtable *p, const struct iommusim_map_pages *pages, \
	                      uint64_t *mapped)                                                   \
	{                                                                                         \
		return pt_map(&name, p, pages, mapped);                                           \
	}                                                                                         \
	static uint64_t name##_unmap(struct iommusim_pgtable *p,                                  \
	                             const struct iommusim_map_pages *pages,                      \
	                             const struct iommusim_pgtable_flush *flush)                  \
	{                                                                                         \
		return pt_unmap(&name, p, pages, flush);                                          \
	}                                                                                         \
	static uint64_t name##_iova_to_phys(const struct iommusim_pgtable *p, uint64_t iova)      \
	{                                                                                         \
		return pt_iova_to_phys(&name, p, iova);                                           \
	}                                                                                         \
	static const struct isim_pgtable_ops name##_ops = { &name, name##_map, name##_unmap,      \
		                                            name##_iova_to_phys }

#endif
