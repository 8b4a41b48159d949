/* SPDX-License-Identifier: MIT */
/*
 * The engine: map, unmap, translate and walk, written once against a constant description of words.
 * The compiler folds the description, so that every format gets an engine of its own without an
 * indirect call. Models drivers/iommu/io-pgtable-arm.c, Linux 6.1 and 6.12: a call does what lies
 * in one table, a leaf in the way is an error, a table in the way is freed.
 */
#ifndef ISIM_PGTABLE_OPS_H
#define ISIM_PGTABLE_OPS_H

#include "pgtable/walk.h"

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

/* A new table behind entry @index of @table, of @level, in *below. */
static inline int pt_add_table(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                               void *table, uint64_t index, unsigned level, uint32_t gfp,
                               void **below)
{
	uint64_t pa;
	int err = isim_pgtable_new(p, level - 1, gfp, &pa);

	if (err)
		return err;
	pt_put(w, table, index, w->table(p, pa, level));
	*below = isim_pgtable_at(p, pa, level - 1);
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
			int err = pt_add_table(w, p, *table, index, level, pages->gfp, table);

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

/* Leaves of one word each for @nr pages from @pa on. */
ISIM_INLINE void pt_write(const struct isim_pgtable_words *w, void *table, uint64_t index,
                          uint64_t pa, uint64_t attributes, unsigned level, uint64_t nr)
{
	uint64_t step = PT_BIT(pt_shift(w, level)), last = pa + (nr - 1) * step, word;

	word = w->leaf(attributes, pa, level);
	if (nr == 1) {
		pt_put(w, table, index, word);
	} else if (w->linear_lg2 && pa >> w->even_lg2 == last >> w->even_lg2 &&
	           !(last >> w->linear_lg2)) {
		pt_fill(w, table, index, word, w->leaf(attributes, pa + step, level) - word, nr);
	} else {
		for (uint64_t i = 0; i < nr; i++)
			pt_put(w, table, index + i, w->leaf(attributes, pa + i * step, level));
	}
}

/* The same for @nr pages of 2^@run_lg2 words. */
ISIM_INLINE void pt_write_runs(const struct isim_pgtable_words *w, void *table, uint64_t index,
                               uint64_t pa, uint64_t attributes, unsigned level, unsigned run_lg2,
                               uint64_t nr)
{
	uint64_t step = PT_BIT(pt_shift(w, level) + run_lg2);

	if (!run_lg2 || w->runs_rise) {
		pt_write(w, table, index, pa, attributes, level, nr << run_lg2);
		return;
	}
	for (uint64_t i = 0; i < nr; i++)
		pt_fill(w, table, index + (i << run_lg2), w->leaf(attributes, pa + i * step, level),
		        0, PT_BIT(run_lg2));
}

/* ---- Unmapping ---- */

static inline void pt_flush_leaves(const struct iommusim_pgtable_flush *flush, uint64_t iova,
                                   uint64_t pgsize, uint64_t nr)
{
	if (flush && flush->leaves && nr)
		flush->leaves(flush->ctx, iova, pgsize, nr);
}

/* The table behind entry @index, which covers @iova, with all below it. */
static inline void pt_clear_table(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                  void *table, uint64_t index, uint64_t iova, unsigned level,
                                  const struct iommusim_pgtable_flush *flush)
{
	uint64_t word = pt_get(w, table, index);

	pt_wipe(w, p, table, index, level, 1);
	if (flush && flush->table)
		flush->table(flush->ctx, iova, PT_BIT(pt_shift(w, level)));
	isim_pgtable_free_tree(p, w->address(p, word, level), level - 1);
}

/* Leaves of @nr words, which go. */
ISIM_INLINE void pt_clear_leaves(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                 void *table, uint64_t index, unsigned level, uint64_t nr)
{
	if (!w->cleared) {
		pt_wipe(w, p, table, index, level, nr);
		return;
	}
	for (uint64_t i = index; i < index + nr; i++)
		pt_put(w, table, i, w->cleared(p, pt_get(w, table, i), level));
}

/* Every word of the run that entry @index belongs to becomes a page of its own. */
static inline void pt_break_run(const struct isim_pgtable_words *w,
                                const struct iommusim_pgtable *p, void *table, uint64_t index,
                                unsigned level)
{
	unsigned run_lg2 = pt_run_lg2(w, p, pt_get(w, table, index), level);

	index = isim_align_down(index, PT_BIT(run_lg2));
	for (uint64_t i = 0; run_lg2 && i < PT_BIT(run_lg2); i++)
		pt_put(w, table, index + i, w->single(p, pt_get(w, table, index + i), level, i));
}

/* Runs that reach over either end of the @nr entries from @index on. */
static inline void pt_break_ends(const struct isim_pgtable_words *w,
                                 const struct iommusim_pgtable *p, void *table, uint64_t index,
                                 unsigned level, uint64_t nr)
{
	const uint64_t ends[2] = { index, index + nr };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t word = pt_get(w, table, index + (i ? nr - 1 : 0));
		unsigned run_lg2 = w->kind(p, word, level) == ISIM_WORD_LEAF
		                           ? pt_run_lg2(w, p, word, level)
		                           : 0;

		if (ends[i] & (PT_BIT(run_lg2) - 1))
			pt_break_run(w, p, table, index + (i ? nr - 1 : 0), level);
	}
}

/*
 * Unmap the page at entry @index, of which @left words from there on are asked for. The words that
 * go, which may be more; 0: nothing does.
 */
ISIM_INLINE uint64_t pt_clear_page(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                   void *table, uint64_t index, uint64_t iova, unsigned level,
                                   uint64_t left, const struct iommusim_pgtable_flush *flush)
{
	uint64_t word = pt_get(w, table, index), first, nr;
	enum isim_word_kind kind = w->kind(p, word, level);

	if (kind == ISIM_WORD_EMPTY)
		return 0;
	if (kind == ISIM_WORD_TABLE) {
		pt_clear_table(w, p, table, index, iova, level, flush);
		return 1;
	}
	nr = w->partial == ISIM_PARTIAL_SPLIT ? 1 : PT_BIT(pt_run_lg2(w, p, word, level));
	first = isim_align_down(index, nr);
	if (w->partial == ISIM_PARTIAL_REFUSE && (first != index || left < nr))
		return 0;
	if (w->partial == ISIM_PARTIAL_START && first != index)
		return 0;
	pt_clear_leaves(w, p, table, first, level, nr);
	pt_flush_leaves(flush, isim_align_down(iova, nr << pt_shift(w, level)),
	                nr << pt_shift(w, level), 1);
	return nr;
}

/* Unmap the @nr entries from @index on, until an empty one. Returns the bytes unmapped. */
ISIM_INLINE uint64_t pt_clear_run(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                  void *table, uint64_t index, uint64_t iova, unsigned level,
                                  uint64_t nr, const struct iommusim_pgtable_flush *flush)
{
	uint64_t pgsize = PT_BIT(pt_shift(w, level)), i = 0, done;
	struct pt_summary s = pt_look(w, table, index, nr);

	if (w->partial == ISIM_PARTIAL_SPLIT && w->single)
		pt_break_ends(w, p, table, index, level, nr);
	if (w->are_leaves && ISIM_LIKELY(w->are_leaves(s.all, s.any, level)) &&
	    (w->partial == ISIM_PARTIAL_SPLIT || !w->run_lg2)) {
		pt_clear_leaves(w, p, table, index, level, nr);
		pt_flush_leaves(flush, iova, pgsize, nr);
		return nr * pgsize;
	}
	while (i < nr && (done = pt_clear_page(w, p, table, index + i, iova + i * pgsize, level,
	                                       nr - i, flush)) != 0)
		i += done;
	return i * pgsize;
}

/*
 * Put a table of smaller leaves in the place of the leaf at entry @index of @table. Where they have
 * the size that is to be unmapped, the entries of the request stay empty and *nr is their number,
 * else 0. -ENOMEM: nothing changed. *below gets the new table.
 */
static inline int pt_split(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           void *table, const struct iommusim_map_pages *pages, unsigned level,
                           uint64_t *nr, void **below)
{
	uint64_t index = pt_index(w, p, pages->iova, level), word = pt_get(w, table, index);
	uint64_t attributes = w->kept(p, word, level), pa = w->address(p, word, level);
	uint64_t entries = PT_BIT(pt_index_lg2(w, level - 1));
	uint64_t step = PT_BIT(pt_shift(w, level - 1)), first = 0, table_pa;
	struct isim_pgtable_place want = pt_place(p, pages->pgsize);
	int err = isim_pgtable_new(p, level - 1, isim_pgtable_atomic(p), &table_pa);

	*nr = 0;
	if (err)
		return err;
	if (w->single)
		pt_break_run(w, p, table, index, level);
	if (want.level == level - 1) {
		first = pt_index(w, p, pages->iova, level - 1);
		*nr = pt_room(w, p, level - 1, first, pages->count << want.run_lg2);
	}
	*below = isim_pgtable_at(p, table_pa, level - 1);
	if (first)
		pt_write(w, *below, 0, pa, attributes, level - 1, first);
	if (first + *nr < entries)
		pt_write(w, *below, first + *nr, pa + (first + *nr) * step, attributes, level - 1,
		         entries - first - *nr);
	pt_put(w, table, index, w->table(p, table_pa, level));
	return 0;
}

/* A larger leaf at entry @index, or a run of them, where part of it was to go. */
ISIM_INLINE uint64_t pt_clear_larger(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                     void *table, uint64_t index, uint64_t iova, unsigned level,
                                     const struct iommusim_pgtable_flush *flush)
{
	unsigned lg2 = pt_leaf_lg2(w, p, pt_get(w, table, index), level);

	if (w->partial == ISIM_PARTIAL_REFUSE)
		return 0;
	if (w->partial == ISIM_PARTIAL_START && iova & (PT_BIT(lg2) - 1))
		return 0;
	return pt_clear_page(w, p, table, index, iova, level, PT_BIT(lg2 - pt_shift(w, level)),
	                     flush)
	       << pt_shift(w, level);
}

/* The table behind entry @index of @up is freed if nothing is left in it. */
ISIM_INLINE void pt_free_if_empty(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                  void *up, const void *table, uint64_t iova, unsigned level,
                                  const struct iommusim_pgtable_flush *flush)
{
	for (uint64_t i = 0; i < PT_BIT(pt_index_lg2(w, level)); i++)
		if (w->kind(p, pt_get(w, table, i), level) != ISIM_WORD_EMPTY)
			return;
	pt_clear_table(w, p, up, pt_index(w, p, iova, level + 1),
	               isim_align_down(iova, PT_BIT(pt_shift(w, level + 1))), level + 1, flush);
}

ISIM_INLINE uint64_t pt_unmap_pages(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                    const struct iommusim_map_pages *pages,
                                    const struct iommusim_pgtable_flush *flush)
{
	struct isim_pgtable_place want = pt_place(p, pages->pgsize);
	unsigned level = pt_top(w, p);
	void *up = NULL, *table = w->frees_empty_tables
	                                  ? pt_root(w, p, pages->iova)
	                                  : pt_start(w, p, pages->iova, want.level, &level);

	for (;; level--) {
		uint64_t index = pt_index(w, p, pages->iova, level), nr;
		uint64_t word = pt_get(w, table, index);
		enum isim_word_kind kind = w->kind(p, word, level);

		if (kind == ISIM_WORD_EMPTY)
			return 0;
		if (level == want.level) {
			pt_remember(w, p, pages->iova, level, table);
			nr = pt_room(w, p, level, index, pages->count << want.run_lg2);
			nr = pt_clear_run(w, p, table, index, pages->iova, level, nr, flush);
			if (w->frees_empty_tables && nr && up)
				pt_free_if_empty(w, p, up, table, pages->iova, level, flush);
			return nr;
		}
		if (level == 0)
			return 0;
		up = table;
		if (kind == ISIM_WORD_TABLE) {
			table = pt_below(w, p, word, level);
			if (!table)
				return 0;
			continue;
		}
		if (w->partial != ISIM_PARTIAL_SPLIT)
			return pt_clear_larger(w, p, table, index, pages->iova, level, flush);
		if (!w->kept || pt_split(w, p, up, pages, level, &nr, &table))
			return 0;
		pt_flush_leaves(flush, pages->iova, PT_BIT(pt_shift(w, level - 1)), nr);
		if (nr)
			return nr << pt_shift(w, level - 1);
	}
}

/* ---- Checks ---- */

ISIM_INLINE int pt_has_size(const struct iommusim_pgtable *p, uint64_t pgsize)
{
	return pgsize && !(pgsize & ~p->info.pgsizes);
}

ISIM_INLINE int pt_has_access(const struct iommusim_map_pages *pages)
{
	return (pages->prot & (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)) != 0;
}

ISIM_INLINE uint64_t pt_unmap(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                              const struct iommusim_map_pages *pages,
                              const struct iommusim_pgtable_flush *flush)
{
	if (!pt_has_size(p, pages->pgsize) || !pages->count || pt_is_out_of_range(p, pages->iova) ||
	    isim_pgtable_reserve(p))
		return 0;
	return pt_unmap_pages(w, p, pages, flush);
}

/* ---- Mapping ---- */

/* Words that are in the way of @nr leaves: a leaf is an error, a table is freed. */
static inline int pt_make_way(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                              void *table, uint64_t index, uint64_t iova, unsigned level,
                              uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++) {
		enum isim_word_kind kind = w->kind(p, pt_get(w, table, index + i), level);

		if (kind == ISIM_WORD_LEAF)
			return -IOMMUSIM_EEXIST;
		if (kind == ISIM_WORD_TABLE)
			pt_clear_table(w, p, table, index + i, iova + (i << pt_shift(w, level)),
			               level, NULL);
	}
	return 0;
}

ISIM_INLINE int pt_map_pages(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                             const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct isim_pgtable_place want = pt_place(p, pages->pgsize);
	unsigned level = want.level, run_lg2 = w->run_lg2 ? want.run_lg2 : 0;
	uint64_t index, nr;
	void *table;
	int err;

	if (run_lg2 && (pages->iova | pages->pa) & (pages->pgsize - 1))
		return -IOMMUSIM_EINVAL;
	err = pt_reach(w, p, pages, level, &table);
	if (ISIM_UNLIKELY(err))
		return err;
	index = pt_index(w, p, pages->iova, level);
	nr = pt_room(w, p, level, index, pages->count << run_lg2);
	if (ISIM_UNLIKELY(w->empty || pt_look(w, table, index, nr).any != 0)) {
		err = pt_make_way(w, p, table, index, pages->iova, level, nr);
		if (err)
			return err;
	}
	pt_write_runs(w, table, index, pages->pa, pt_attributes(p, pages->prot, level, run_lg2),
	              level, run_lg2, nr >> run_lg2);
	*mapped = nr << pt_shift(w, level);
	return 0;
}

ISIM_INLINE int pt_map(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                       const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	int err;

	if (!pt_has_size(p, pages->pgsize))
		return -IOMMUSIM_EINVAL;
	if (pt_is_out_of_range(p, pages->iova) || pages->pa & p->pa_high)
		return -IOMMUSIM_ERANGE;
	if (!pt_has_access(pages))
		return -IOMMUSIM_EINVAL;
	err = isim_pgtable_reserve(p);
	return err ? err : pt_map_pages(w, p, pages, mapped);
}

/*
 * An engine NAME_ops for the words NAME with these functions, which take the words first: a map of
 * pages, an unmap of pages, a translation.
 */
#define ISIM_PGTABLE_OPS_WITH(name, map_pages, unmap_pages, translate)                            \
	static int name##_map(struct iommusim_pgtable *p, const struct iommusim_map_pages *pages, \
	                      uint64_t *mapped)                                                   \
	{                                                                                         \
		return map_pages(&name, p, pages, mapped);                                        \
	}                                                                                         \
	static uint64_t name##_unmap(struct iommusim_pgtable *p,                                  \
	                             const struct iommusim_map_pages *pages,                      \
	                             const struct iommusim_pgtable_flush *flush)                  \
	{                                                                                         \
		return unmap_pages(&name, p, pages, flush);                                       \
	}                                                                                         \
	static uint64_t name##_iova_to_phys(const struct iommusim_pgtable *p, uint64_t iova)      \
	{                                                                                         \
		return translate(&name, p, iova);                                                 \
	}                                                                                         \
	static void name##_walk(const struct iommusim_pgtable *p, uint64_t iova,                  \
	                        struct iommusim_pgtable_walk *walk)                               \
	{                                                                                         \
		pt_walk(&name, p, iova, walk);                                                    \
	}                                                                                         \
	static const struct isim_pgtable_ops name##_ops = { &name, name##_map, name##_unmap,      \
		                                            name##_iova_to_phys, name##_walk }

/* The engine above, as it is. */
#define ISIM_PGTABLE_OPS(name) ISIM_PGTABLE_OPS_WITH(name, pt_map, pt_unmap, pt_iova_to_phys)

#endif
