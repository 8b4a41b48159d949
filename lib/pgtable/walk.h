/* SPDX-License-Identifier: MIT */
/* The engine's reading half: where an address leads, and what a walker reads on its way. */
#ifndef ISIM_PGTABLE_WALK_H
#define ISIM_PGTABLE_WALK_H

#include "pgtable/word.h"

ISIM_INLINE int pt_is_out_of_range(const struct isim_pgtable_words *w,
                                   const struct iommusim_pgtable *p, uint64_t iova)
{
	if (w->has_window)
		return iova - p->window_start > p->window_last - p->window_start;
	return ((iova ^ p->iova_flip) & p->iova_high) != 0;
}

ISIM_INLINE uint64_t pt_iova_to_phys(const struct isim_pgtable_words *w,
                                     const struct iommusim_pgtable *p, uint64_t iova)
{
	const void *table = pt_root(w, p, iova);
	unsigned level = pt_top(w, p);
	uint64_t word = pt_get(w, table, pt_index(w, p, iova, level)), bytes;

	if (w->is_bounded && pt_is_out_of_range(w, p, iova))
		return 0;
	while (w->kind(p, word, level) == ISIM_WORD_TABLE) {
		table = isim_pgtable_at(p, w->address(p, word, level), level - 1);
		if (ISIM_UNLIKELY(!table))
			return 0;
		level--;
		word = pt_get(w, table,
		              pt_offset(w, p, iova) >> pt_shift(w, level) &
		                      (PT_BIT(pt_index_lg2(w, level)) - 1));
	}
	if (w->kind(p, word, level) == ISIM_WORD_EMPTY)
		return 0;
	bytes = PT_BIT(pt_shift(w, level));
	if (!w->run_lg2)
		return w->address(p, word, level) | (iova & (bytes - 1));
	bytes = PT_BIT(pt_leaf_lg2(w, p, word, level));
	if (w->runs_rise)
		bytes = PT_BIT(pt_shift(w, level));
	return w->address(p, word, level) | (iova & (bytes - 1));
}

/* The leaf that @word is, in @walk. */
ISIM_INLINE void pt_walk_leaf(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                              uint64_t word, unsigned level, struct iommusim_pgtable_walk *walk)
{
	walk->is_mapped = 1;
	walk->size = PT_BIT(pt_leaf_lg2(w, p, word, level));
	walk->pa = w->address(p, word, level);
	if (w->run_lg2)
		walk->pa &= ~(walk->size - 1);
	walk->prot = w->prot(p, word, level);
	walk->marks = w->marks ? w->marks(p, word) : 0;
}

/* What @word does, in @walk. Does the walk go on? */
ISIM_INLINE int pt_walk_step(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                             uint64_t word, unsigned level, struct iommusim_pgtable_walk *walk)
{
	enum isim_word_kind kind = w->kind(p, word, level);

	if (kind == ISIM_WORD_EMPTY) {
		walk->cause = IOMMUSIM_FAULT_NOT_PRESENT;
		return w->has_blanks && level; /* a walker reads on, in vain */
	}
	walk->cause = w->fault ? w->fault(p, word, level) : IOMMUSIM_FAULT_NONE;
	if (kind == ISIM_WORD_LEAF)
		pt_walk_leaf(w, p, word, level, walk);
	return kind == ISIM_WORD_TABLE && level && !walk->cause;
}

ISIM_INLINE void pt_walk(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                         uint64_t iova, struct iommusim_pgtable_walk *walk)
{
	const void *table = pt_root(w, p, iova);
	uint64_t pa =
		w->has_roots
			? p->info.roots[iova >> (pt_shift(w, pt_top(w, p)) + p->root_index_lg2) &
	                                (p->info.nr_roots - 1)]
			: p->info.root;

	memset(walk, 0, sizeof(*walk));
	for (unsigned level = pt_top(w, p);; level--) {
		uint64_t index = pt_index(w, p, iova, level), word = pt_get(w, table, index);

		walk->step[walk->nr].table = pa;
		walk->step[walk->nr].index = index;
		walk->step[walk->nr].word = word;
		walk->step[walk->nr].level = level;
		walk->step[walk->nr++].size = PT_BIT(pt_shift(w, level));
		if (!pt_walk_step(w, p, word, level, walk))
			return;
		pa = w->address(p, word, level);
		table = isim_pgtable_at(p, pa, level - 1);
		if (!table) {
			walk->cause = IOMMUSIM_FAULT_TABLE;
			return;
		}
	}
}

#endif
