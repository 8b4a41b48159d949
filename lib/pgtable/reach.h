/* SPDX-License-Identifier: MIT */
/* The engine's way down to a table, and the leaves that it writes there. */
#ifndef ISIM_PGTABLE_REACH_H
#define ISIM_PGTABLE_REACH_H

#include "pgtable/walk.h"

/* The words of @count pages of 2^@run_lg2 words each; more than there can be are as good as all. */
ISIM_INLINE uint64_t pt_words(uint64_t count, unsigned run_lg2)
{
	return count > UINT64_MAX >> run_lg2 ? UINT64_MAX : count << run_lg2;
}

/*
 * Entries from number @index to the end of its table, which counts as of full length. Differs:
 * where the first table's memory is shorter than that, Linux goes on into what lies behind it.
 */
ISIM_INLINE uint64_t pt_room(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                             unsigned level, uint64_t index, uint64_t count)
{
	unsigned lg2 = pt_index_lg2(w, level);
	uint64_t room = PT_BIT(lg2) - (index & (PT_BIT(lg2) - 1));

	if (level == pt_top(w, p) && room > p->root_words - index)
		room = p->root_words - index;
	return count < room ? count : room;
}

/* ---- Going down ---- */

/* Start at the first table, or where the last call found the table of level @want. */
ISIM_INLINE void *pt_start(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                           uint64_t iova, unsigned want, unsigned *level)
{
	*level = pt_top(w, p);
	if (want < pt_top(w, p) && p->found[want].tag == iova >> pt_shift(w, want + 1) &&
	    p->found[want].words) {
		*level = want;
		return p->found[want].words;
	}
	return pt_root(w, p, iova);
}

ISIM_INLINE void pt_remember(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                             uint64_t iova, unsigned level, void *table)
{
	if (level < pt_top(w, p))
		p->found[level] =
			(struct isim_pgtable_found){ .tag = iova >> pt_shift(w, level + 1),
			                             .words = table };
}

/* The table that the word of @level leads to; NULL: the word is corrupt. */
ISIM_INLINE void *pt_below(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                           uint64_t word, unsigned level)
{
	return isim_pgtable_at(p, w->address(p, word, level), level - 1);
}

/* A new table behind the one entry @at, in *below. */
static inline int pt_add_table(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                               struct pt_span at, uint32_t gfp, void **below)
{
	uint64_t pa;
	int err = isim_pgtable_new(p, at.level - 1, gfp, &pa);

	if (err)
		return err;
	pt_put(w, at.table, at.index, w->table(p, pa, at.level));
	*below = isim_pgtable_at(p, pa, at.level - 1);
	return 0;
}

/* The table of level @want that @iova leads to, made where there is none. */
ISIM_INLINE int pt_reach(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                         const struct iommusim_map_pages *pages, unsigned want, void **table)
{
	unsigned level;

	*table = pt_start(w, p, pages->iova, want, &level);
	if (ISIM_LIKELY(level == want))
		return 0;
	for (; level != want; level--) {
		uint64_t index = pt_index(w, p, pages->iova, level);
		uint64_t word = pt_get(w, *table, index);
		enum isim_word_kind kind = w->kind(p, word, level);

		if (level == 0)
			return -IOMMUSIM_EINVAL;
		if (kind == ISIM_WORD_LEAF)
			return -IOMMUSIM_EEXIST;
		if (kind == ISIM_WORD_EMPTY) {
			struct pt_span at = { *table, index, 1, level };
			int err = pt_add_table(w, p, at, pages->gfp, table);

			if (err)
				return err;
		} else {
			*table = pt_below(w, p, word, level);
			if (!*table)
				return -IOMMUSIM_EFAULT;
		}
	}
	pt_remember(w, p, pages->iova, want, *table);
	return 0;
}

/* ---- Leaves ---- */

ISIM_INLINE uint64_t pt_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned level,
                                   unsigned run_lg2)
{
	unsigned form = (level ? ISIM_FORM_UPPER : 0) | (run_lg2 ? ISIM_FORM_RUN : 0);

	return p->attributes[form][prot & 63];
}

/* Leaves of one word each for pages from @pa on. */
ISIM_INLINE void pt_write(const struct isim_pgtable_words *w, struct pt_span at, uint64_t pa,
                          uint64_t attributes)
{
	uint64_t step = PT_BIT(pt_shift(w, at.level)), last = pa + (at.nr - 1) * step, word;

	word = w->leaf(attributes, pa, at.level);
	if (at.nr == 1) {
		pt_put(w, at.table, at.index, word);
	} else if (w->linear_lg2 && pa >> w->even_lg2 == last >> w->even_lg2 &&
	           !(last >> w->linear_lg2)) {
		pt_fill(w, at, word, w->leaf(attributes, pa + step, at.level) - word);
	} else {
		for (uint64_t i = 0; i < at.nr; i++)
			pt_put(w, at.table, at.index + i,
			       w->leaf(attributes, pa + i * step, at.level));
	}
}

/* The same for pages of 2^@run_lg2 words, of which there are @at.nr in all. */
ISIM_INLINE void pt_write_runs(const struct isim_pgtable_words *w, struct pt_span at, uint64_t pa,
                               uint64_t attributes, unsigned run_lg2)
{
	uint64_t step = PT_BIT(pt_shift(w, at.level) + run_lg2), nr = at.nr >> run_lg2;

	if (!run_lg2 || w->runs_rise) {
		pt_write(w, at, pa, attributes);
		return;
	}
	at.nr = PT_BIT(run_lg2);
	for (uint64_t i = 0; i < nr; i++, at.index += at.nr)
		pt_fill(w, at, w->leaf(attributes, pa + i * step, at.level), 0);
}

#endif
