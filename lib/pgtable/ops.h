/* SPDX-License-Identifier: MIT */
/*
 * The engine: map, unmap, translate and walk, written once against a constant description of words.
 * The compiler folds the description, so that every format gets an engine of its own without an
 * indirect call. Models drivers/iommu/io-pgtable-arm.c, Linux 6.1 and 6.12: a call does what lies
 * in one table, a leaf in the way is an error, a table in the way is freed.
 */
#ifndef ISIM_PGTABLE_OPS_H
#define ISIM_PGTABLE_OPS_H

#include "pgtable/reach.h"

/* ---- Unmapping ---- */

static inline void pt_flush_leaves(const struct iommusim_pgtable_flush *flush, uint64_t iova,
                                   uint64_t pgsize, uint64_t nr)
{
	if (flush && flush->leaves && nr)
		flush->leaves(flush->ctx, iova, pgsize, nr);
}

/* The table behind the one entry @at, which covers @iova, with all below it. */
static inline void pt_clear_table(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                  struct pt_span at, uint64_t iova,
                                  const struct iommusim_pgtable_flush *flush)
{
	uint64_t word = pt_get(w, at.table, at.index);

	at.nr = 1;
	pt_wipe(w, p, at);
	if (flush && flush->table)
		flush->table(flush->ctx, iova, PT_BIT(pt_shift(w, at.level)));
	isim_pgtable_free_tree(p, w->address(p, word, at.level), at.level - 1);
}

/* Leaves, which go. */
ISIM_INLINE void pt_clear_leaves(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                 struct pt_span at)
{
	if (!w->cleared) {
		pt_wipe(w, p, at);
		return;
	}
	for (uint64_t i = at.index; i < at.index + at.nr; i++)
		pt_put(w, at.table, i, w->cleared(p, pt_get(w, at.table, i), at.level));
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

/* Runs that reach over either end of the entries. */
static inline void pt_break_ends(const struct isim_pgtable_words *w,
                                 const struct iommusim_pgtable *p, struct pt_span at)
{
	for (unsigned i = 0; i < 2; i++) {
		uint64_t end = at.index + (i ? at.nr : 0), entry = end - i;
		uint64_t word = pt_get(w, at.table, entry);
		unsigned run_lg2 = w->kind(p, word, at.level) == ISIM_WORD_LEAF
		                           ? pt_run_lg2(w, p, word, at.level)
		                           : 0;

		if (end & (PT_BIT(run_lg2) - 1))
			pt_break_run(w, p, at.table, entry, at.level);
	}
}

/*
 * Unmap the page at the first entry of @at, which are those that are asked for. The words that go,
 * which may be more; 0: nothing does.
 */
ISIM_INLINE uint64_t pt_clear_page(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                   struct pt_span at, uint64_t iova,
                                   const struct iommusim_pgtable_flush *flush)
{
	uint64_t word = pt_get(w, at.table, at.index), first, nr;
	enum isim_word_kind kind = w->kind(p, word, at.level);

	if (kind == ISIM_WORD_EMPTY)
		return 0;
	if (kind == ISIM_WORD_TABLE) {
		pt_clear_table(w, p, at, iova, flush);
		return 1;
	}
	nr = w->partial == ISIM_PARTIAL_SPLIT ? 1 : PT_BIT(pt_run_lg2(w, p, word, at.level));
	first = isim_align_down(at.index, nr);
	if (w->partial == ISIM_PARTIAL_REFUSE && (first != at.index || at.nr < nr))
		return 0;
	if (w->partial == ISIM_PARTIAL_START && first != at.index)
		return 0;
	pt_clear_leaves(w, p, (struct pt_span){ at.table, first, nr, at.level });
	pt_flush_leaves(flush, isim_align_down(iova, nr << pt_shift(w, at.level)),
	                nr << pt_shift(w, at.level), 1);
	return nr;
}

/* Unmap the entries, the first of which covers @iova, until an empty one. The bytes unmapped. */
ISIM_INLINE uint64_t pt_clear_run(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                  struct pt_span at, uint64_t iova,
                                  const struct iommusim_pgtable_flush *flush)
{
	uint64_t pgsize = PT_BIT(pt_shift(w, at.level)), i = 0, done;
	struct pt_summary s = pt_look(w, at.table, at.index, at.nr);

	if (w->partial == ISIM_PARTIAL_SPLIT && w->single)
		pt_break_ends(w, p, at);
	if (w->are_leaves && ISIM_LIKELY(w->are_leaves(s.all, s.any, at.level))) {
		pt_clear_leaves(w, p, at);
		pt_flush_leaves(flush, iova, pgsize, at.nr);
		return at.nr * pgsize;
	}
	while (i < at.nr) {
		struct pt_span rest = { at.table, at.index + i, at.nr - i, at.level };

		done = pt_clear_page(w, p, rest, iova + i * pgsize, flush);
		if (!done)
			break;
		i += done;
	}
	return i * pgsize;
}

/*
 * Put a table of smaller leaves in the place of the leaf at the one entry @at. *below gets the new
 * table, and where its leaves have the size that is to be unmapped the entries of the request,
 * which stay empty; else none. -ENOMEM: nothing changed.
 */
static inline int pt_split(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           struct pt_span at, const struct iommusim_map_pages *pages,
                           struct pt_span *below)
{
	unsigned level = at.level - 1;
	uint64_t word = pt_get(w, at.table, at.index), step = PT_BIT(pt_shift(w, level)), pa;
	uint64_t attributes = w->kept(p, word, at.level), table_pa, end;
	struct isim_pgtable_place want = pt_place(p, pages->pgsize);
	int err = isim_pgtable_new(p, level, isim_pgtable_atomic(p), &table_pa);

	if (err)
		return err;
	pa = w->address(p, word, at.level);
	if (w->single)
		pt_break_run(w, p, at.table, at.index, at.level);
	*below = (struct pt_span){ isim_pgtable_at(p, table_pa, level), 0, 0, level };
	if (want.level == level) {
		below->index = pt_index(w, p, pages->iova, level);
		below->nr =
			pt_room(w, p, level, below->index, pt_words(pages->count, want.run_lg2));
	}
	end = below->index + below->nr;
	if (below->index)
		pt_write(w, (struct pt_span){ below->table, 0, below->index, level }, pa,
		         attributes);
	if (end < PT_BIT(pt_index_lg2(w, level)))
		pt_write(w,
		         (struct pt_span){ below->table, end, PT_BIT(pt_index_lg2(w, level)) - end,
		                           level },
		         pa + end * step, attributes);
	pt_put(w, at.table, at.index, w->table(p, table_pa, at.level));
	return 0;
}

/* A larger leaf at the one entry @at, or a run of them, where part of it was to go. */
ISIM_INLINE uint64_t pt_clear_larger(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                     struct pt_span at, uint64_t iova,
                                     const struct iommusim_pgtable_flush *flush)
{
	unsigned lg2 = pt_leaf_lg2(w, p, pt_get(w, at.table, at.index), at.level);

	if (w->partial == ISIM_PARTIAL_REFUSE)
		return 0;
	if (w->partial == ISIM_PARTIAL_START && iova & (PT_BIT(lg2) - 1))
		return 0;
	at.nr = PT_BIT(lg2 - pt_shift(w, at.level));
	return pt_clear_page(w, p, at, iova, flush) << pt_shift(w, at.level);
}

ISIM_INLINE int pt_are_empty(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                             struct pt_summary s, unsigned level)
{
	if (w->are_empty)
		return w->are_empty(s.all, s.any, level);
	if (w->empty)
		return s.all == p->empty[level] && s.any == p->empty[level];
	return !s.any;
}

/* Entries that hold anything else than one that is empty count as filled at first sight. */
static inline int pt_is_empty(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                              const void *table, unsigned level)
{
	uint64_t nr = PT_BIT(pt_index_lg2(w, level));

	if (!table || pt_are_empty(w, p, pt_look(w, table, 0, nr), level))
		return 1;
	for (uint64_t i = 0; i < nr; i++)
		if (w->kind(p, pt_get(w, table, i), level) != ISIM_WORD_EMPTY)
			return 0;
	return 1;
}

/* The one entry of @table, of @level, that covers @iova. */
ISIM_INLINE struct pt_span pt_entry(const struct isim_pgtable_words *w,
                                    const struct iommusim_pgtable *p, void *table, uint64_t iova,
                                    unsigned level)
{
	return (struct pt_span){ table, pt_index(w, p, iova, level), 1, level };
}

/* Is nothing left in @table? Its entry for @next, behind what was unmapped, is looked at first:
   mostly there is one. */
ISIM_INLINE int pt_is_left_empty(const struct isim_pgtable_words *w,
                                 const struct iommusim_pgtable *p, const void *table,
                                 unsigned level, uint64_t next)
{
	uint64_t word = pt_get(w, table, pt_index(w, p, next, level));

	return w->kind(p, word, level) == ISIM_WORD_EMPTY && pt_is_empty(w, p, table, level);
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
		struct pt_span below;

		if (kind == ISIM_WORD_EMPTY)
			return 0;
		if (level == want.level) {
			pt_remember(w, p, pages->iova, level, table);
			nr = pt_room(w, p, level, index, pt_words(pages->count, want.run_lg2));
			nr = pt_clear_run(w, p, (struct pt_span){ table, index, nr, level },
			                  pages->iova, flush);
			if (w->frees_empty_tables && nr && up &&
			    pt_is_left_empty(w, p, table, level, pages->iova + nr))
				pt_clear_table(w, p, pt_entry(w, p, up, pages->iova, level + 1),
				               isim_align_down(pages->iova,
				                               PT_BIT(pt_shift(w, level + 1))),
				               flush);
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
			return pt_clear_larger(w, p, (struct pt_span){ table, index, 1, level },
			                       pages->iova, flush);
		if (!w->kept ||
		    pt_split(w, p, (struct pt_span){ table, index, 1, level }, pages, &below))
			return 0;
		pt_flush_leaves(flush, pages->iova, PT_BIT(pt_shift(w, level - 1)), below.nr);
		if (below.nr)
			return below.nr << pt_shift(w, level - 1);
		table = below.table;
	}
}

/* ---- Checks ---- */

ISIM_INLINE int pt_has_size(const struct iommusim_pgtable *p, uint64_t pgsize)
{
	return pgsize && !(pgsize & ~p->info.pgsizes);
}

/* The same bytes in the smallest pages. */
static inline struct iommusim_map_pages pt_as_granules(const struct isim_pgtable_words *w,
                                                       const struct iommusim_map_pages *pages)
{
	struct iommusim_map_pages small = *pages;
	unsigned more_lg2 = isim_low_bit(pages->pgsize) - w->granule_lg2;

	small.pgsize = PT_BIT(w->granule_lg2);
	small.count = pages->count > UINT64_MAX >> more_lg2 ? UINT64_MAX : pages->count << more_lg2;
	return small;
}

/* Pages from the first to the end of the window; none if it is not inside. */
ISIM_INLINE uint64_t pt_window_room(const struct isim_pgtable_words *w,
                                    const struct iommusim_pgtable *p,
                                    const struct iommusim_map_pages *pages)
{
	if (pt_is_out_of_range(w, p, pages->iova) || pages->iova & (PT_BIT(w->granule_lg2) - 1))
		return 0;
	return (p->window_last - pages->iova + 1) / pages->pgsize;
}

ISIM_INLINE int pt_has_access(const struct iommusim_map_pages *pages)
{
	return (pages->prot & (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)) != 0;
}

/* @bytes from @small->iova on, whichever tables they are in, or up to a hole. */
ISIM_INLINE uint64_t pt_unmap_granules(const struct isim_pgtable_words *w,
                                       struct iommusim_pgtable *p, struct iommusim_map_pages small,
                                       uint64_t bytes, const struct iommusim_pgtable_flush *flush)
{
	uint64_t part, done = 0;

	do {
		small.count = (bytes - done) >> w->granule_lg2;
		part = pt_unmap_pages(w, p, &small, flush);
		small.iova += part;
		done += part;
	} while (part && done < bytes);
	return done;
}

/* Pages that are so many granules each: as others, but of the last one no part is left. */
ISIM_INLINE uint64_t pt_unmap_counts(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                     const struct iommusim_map_pages *pages,
                                     const struct iommusim_pgtable_flush *flush)
{
	struct iommusim_map_pages small = pt_as_granules(w, pages);
	uint64_t done = pt_unmap_pages(w, p, &small, flush), part = done & (pages->pgsize - 1);

	small.iova += done;
	return part ? done + pt_unmap_granules(w, p, small, pages->pgsize - part, flush) : done;
}

ISIM_INLINE uint64_t pt_unmap(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                              const struct iommusim_map_pages *pages,
                              const struct iommusim_pgtable_flush *flush)
{
	if (!pt_has_size(p, pages->pgsize) || !pages->count ||
	    (w->sizes_are_counts && pages->pgsize & (pages->pgsize - 1)) ||
	    pt_is_out_of_range(w, p, pages->iova) || isim_pgtable_reserve(p))
		return 0;
	if (w->sizes_are_counts)
		return pt_unmap_counts(w, p, pages, flush);
	return pt_unmap_pages(w, p, pages, flush);
}

/* ---- Mapping ---- */

/* Words that are in the way of leaves: a leaf is an error, a table is freed. */
static inline int pt_make_way(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                              struct pt_span at, uint64_t iova)
{
	for (uint64_t end = at.index + at.nr; at.index < end;
	     at.index++, iova += PT_BIT(pt_shift(w, at.level))) {
		uint64_t word = pt_get(w, at.table, at.index);
		enum isim_word_kind kind = w->kind(p, word, at.level);

		if (kind == ISIM_WORD_LEAF)
			return -IOMMUSIM_EEXIST;
		if (kind == ISIM_WORD_TABLE && w->keeps_tables &&
		    !pt_is_empty(w, p, pt_below(w, p, word, at.level), at.level - 1))
			return -IOMMUSIM_EEXIST;
		if (kind == ISIM_WORD_TABLE)
			pt_clear_table(w, p, at, iova, NULL);
	}
	return 0;
}

ISIM_INLINE int pt_map_pages(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                             const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct isim_pgtable_place want = pt_place(p, pages->pgsize);
	unsigned run_lg2 = w->run_lg2 ? want.run_lg2 : 0;
	struct pt_span at = { .level = want.level };
	void *table;
	int err;

	if (run_lg2 && (pages->iova | pages->pa) & (pages->pgsize - 1))
		return -IOMMUSIM_EINVAL;
	err = pt_reach(w, p, pages, at.level, &table);
	if (ISIM_UNLIKELY(err))
		return err;
	at.table = table;
	at.index = pt_index(w, p, pages->iova, at.level);
	at.nr = pt_room(w, p, at.level, at.index, pt_words(pages->count, run_lg2));
	if (ISIM_UNLIKELY(!pt_are_empty(w, p, pt_look(w, at.table, at.index, at.nr), at.level))) {
		err = pt_make_way(w, p, at, pages->iova);
		if (err)
			return err;
	}
	pt_write_runs(w, at, pages->pa, pt_attributes(p, pages->prot, at.level, run_lg2), run_lg2);
	*mapped = at.nr << pt_shift(w, at.level);
	return 0;
}

/*
 * Pages that are so many granules each: up to the end of the table that the last word is in, but no
 * part of a page, which may need several tables: it is taken back where one of them fails.
 */
ISIM_INLINE int pt_map_counts(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                              const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct iommusim_map_pages small = pt_as_granules(w, pages);
	uint64_t part = 0, bytes = 0;
	int err;

	do {
		err = isim_pgtable_reserve(p);
		if (!err)
			err = pt_map_pages(w, p, &small, &bytes);
		if (err)
			break;
		*mapped += bytes;
		small.iova += bytes;
		small.pa += bytes;
		part = *mapped & (pages->pgsize - 1);
		small.count = (pages->pgsize - part) >> w->granule_lg2;
	} while (part);
	if (part) {
		*mapped -= part;
		small.iova = pages->iova + *mapped;
		pt_unmap_granules(w, p, small, part, NULL);
	}
	return *mapped ? 0 : err;
}

ISIM_INLINE int pt_map(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                       const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	int err;

	if (!pt_has_size(p, pages->pgsize))
		return -IOMMUSIM_EINVAL;
	if (w->sizes_are_counts && pages->pgsize & (pages->pgsize - 1))
		return -IOMMUSIM_EINVAL;
	if (w->has_window && pages->count > pt_window_room(w, p, pages))
		return -IOMMUSIM_ERANGE;
	if (pt_is_out_of_range(w, p, pages->iova) || pages->pa & p->pa_high)
		return -IOMMUSIM_ERANGE;
	if (!pt_has_access(pages))
		return -IOMMUSIM_EINVAL;
	if (w->sizes_are_counts)
		return pt_map_counts(w, p, pages, mapped);
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
