/* SPDX-License-Identifier: MIT */
/*
 * Words of a table, of 4 or 8 bytes and in either byte order, one by one and in runs. The width is
 * a constant of the format, so that each of these is a load or a store where it is inlined.
 */
#ifndef ISIM_PGTABLE_WORD_H
#define ISIM_PGTABLE_WORD_H

#include <string.h>

#include "pgtable/pgtable.h"

#define PT_BIT(n)       (UINT64_C(1) << (n))
#define PT_BITS(hi, lo) ((UINT64_MAX >> (63 - (hi))) & ~(PT_BIT(lo) - 1))

/* @nr words of a table of @level, from number @index on. */
struct pt_span {
	void *table;
	uint64_t index, nr;
	unsigned level;
};

/* The AND and the OR of some words. */
struct pt_summary {
	uint64_t all, any;
};

/* Over words as they lie in memory; in words.c. */
struct pt_summary isim_words_summarize32(const uint32_t *words, uint64_t nr);
struct pt_summary isim_words_summarize64(const uint64_t *words, uint64_t nr);
void isim_words_fill32(uint32_t *words, uint32_t word, uint32_t step, uint64_t nr);
void isim_words_fill64(uint64_t *words, uint64_t word, uint64_t step, uint64_t nr);
void isim_words_fill32_be(uint32_t *words, uint32_t word, uint32_t step, uint64_t nr);
void isim_words_fill64_be(uint64_t *words, uint64_t word, uint64_t step, uint64_t nr);

/* As it lies in memory; the same function reads it back. */
ISIM_INLINE uint64_t pt_order(const struct isim_pgtable_words *w, uint64_t word)
{
	if (w->word_bytes == 4)
		return w->is_big_endian ? isim_be32((uint32_t)word) : isim_le32((uint32_t)word);
	return w->is_big_endian ? isim_be64(word) : isim_le64(word);
}

ISIM_INLINE uint64_t pt_get(const struct isim_pgtable_words *w, const void *table, uint64_t index)
{
	return pt_order(w, w->word_bytes == 4 ? ((const uint32_t *)table)[index]
	                                      : ((const uint64_t *)table)[index]);
}

ISIM_INLINE void pt_put(const struct isim_pgtable_words *w, void *table, uint64_t index,
                        uint64_t word)
{
	if (w->word_bytes == 4)
		((uint32_t *)table)[index] = (uint32_t)pt_order(w, word);
	else
		((uint64_t *)table)[index] = pt_order(w, word);
}

/* Words from @word on, each @step above the one before. */
ISIM_INLINE void pt_fill(const struct isim_pgtable_words *w, struct pt_span at, uint64_t word,
                         uint64_t step)
{
	if (w->word_bytes == 4)
		(w->is_big_endian ? isim_words_fill32_be : isim_words_fill32)(
			(uint32_t *)at.table + at.index, (uint32_t)word, (uint32_t)step, at.nr);
	else
		(w->is_big_endian ? isim_words_fill64_be : isim_words_fill64)(
			(uint64_t *)at.table + at.index, word, step, at.nr);
}

ISIM_INLINE struct pt_summary pt_look(const struct isim_pgtable_words *w, const void *table,
                                      uint64_t index, uint64_t nr)
{
	struct pt_summary s;

	if (nr == 1) {
		s.all = s.any = pt_get(w, table, index);
		return s;
	}
	s = w->word_bytes == 4 ? isim_words_summarize32((const uint32_t *)table + index, nr)
	                       : isim_words_summarize64((const uint64_t *)table + index, nr);
	s.all = pt_order(w, s.all);
	s.any = pt_order(w, s.any);
	return s;
}

/* Empty entries. */
ISIM_INLINE void pt_wipe(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                         struct pt_span at)
{
	if (at.nr == 1)
		pt_put(w, at.table, at.index, w->empty ? p->empty[at.level] : 0);
	else if (w->empty)
		pt_fill(w, at, p->empty[at.level], 0);
	else
		memset((unsigned char *)at.table + at.index * w->word_bytes, 0,
		       (size_t)at.nr * w->word_bytes);
}

/* ---- Geometry ---- */

ISIM_INLINE unsigned pt_shift(const struct isim_pgtable_words *w, unsigned level)
{
	return isim_pgtable_shift(w, level);
}

/* Words of a table that is not the first. */
ISIM_INLINE unsigned pt_index_lg2(const struct isim_pgtable_words *w, unsigned level)
{
	return isim_pgtable_index_lg2(w, level);
}

/* Level of the first table. */
ISIM_INLINE unsigned pt_top(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p)
{
	return w->nr_levels ? w->nr_levels - 1 : p->top;
}

/* What the indices are taken of. */
ISIM_INLINE uint64_t pt_offset(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                               uint64_t iova)
{
	return w->has_window ? iova - p->window_start : iova;
}

ISIM_INLINE uint64_t pt_index(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                              uint64_t iova, unsigned level)
{
	unsigned bits = level == pt_top(w, p) ? p->root_index_lg2 : pt_index_lg2(w, level);

	return pt_offset(w, p, iova) >> pt_shift(w, level) & (PT_BIT(bits) - 1);
}

/* log2 of the words that one page is, of which @word is one. */
ISIM_INLINE unsigned pt_run_lg2(const struct isim_pgtable_words *w,
                                const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return w->run_lg2 ? w->run_lg2(p, word, level) : 0;
}

/* log2 of the bytes of the page that @word is, or is one word of. */
ISIM_INLINE unsigned pt_leaf_lg2(const struct isim_pgtable_words *w,
                                 const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (w->leaf_lg2)
		return w->leaf_lg2(p, word, level);
	return pt_shift(w, level) + pt_run_lg2(w, p, word, level);
}

/* The first table for @iova. */
ISIM_INLINE void *pt_root(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                          uint64_t iova)
{
	if (!w->has_roots)
		return p->root;
	return p->roots[iova >> (pt_shift(w, pt_top(w, p)) + p->root_index_lg2) &
	                (p->info.nr_roots - 1)];
}

/* Where pages of @pgsize go; level ISIM_NO_LEVEL: nowhere. */
static inline struct isim_pgtable_place pt_place(const struct iommusim_pgtable *p, uint64_t pgsize)
{
	struct isim_pgtable_place nowhere = { ISIM_NO_LEVEL, 0 };

	return pgsize & (pgsize - 1) || !pgsize ? nowhere : p->place[isim_low_bit(pgsize)];
}

#endif
