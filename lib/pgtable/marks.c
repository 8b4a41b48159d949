/* SPDX-License-Identifier: MIT */
/* Accesses as hardware makes them: why they fault, and the marks that they leave. */
#include "pgtable/word.h"

const char *iommusim_fault_cause_name(enum iommusim_fault_cause cause)
{
	static const char *const names[] = { "none",          "not present",  "no table",
		                             "reserved bits", "address size", "access flag",
		                             "permission" };

	return (size_t)cause < ISIM_ARRAY_LEN(names) ? names[cause] : "unknown";
}

/* Does a page with @prot refuse @access? */
static int is_refused(unsigned prot, unsigned access)
{
	return (access & IOMMUSIM_ACCESS_READ && !(prot & IOMMUSIM_PROT_READ)) ||
	       (access & IOMMUSIM_ACCESS_WRITE && !(prot & IOMMUSIM_PROT_WRITE)) ||
	       (access & IOMMUSIM_ACCESS_EXECUTE && prot & IOMMUSIM_PROT_NOEXEC) ||
	       (!(access & IOMMUSIM_ACCESS_PRIV) && prot & IOMMUSIM_PROT_PRIV);
}

/* Are there bits of @iova above those that the levels take? */
static int is_too_high(const struct iommusim_pgtable *p, uint64_t iova)
{
	unsigned lg2 = isim_pgtable_shift(p->ops->words, p->top) + p->root_index_lg2;

	return p->ops->words->is_as_tall && lg2 < 64 && iova >> lg2;
}

enum iommusim_fault_cause iommusim_pgtable_access(const struct iommusim_pgtable *pgtable,
                                                  uint64_t iova, unsigned access,
                                                  struct iommusim_pgtable_walk *walk)
{
	struct iommusim_pgtable_walk own;

	if (!walk)
		walk = &own;
	iommusim_pgtable_walk(pgtable, iova, walk);
	if (isim_pgtable_is_out_of_range(pgtable, iova) || is_too_high(pgtable, iova)) {
		memset(walk, 0, sizeof(*walk));
		walk->cause = IOMMUSIM_FAULT_ADDRESS_SIZE;
	} else if (!walk->cause && walk->pa & pgtable->pa_high) {
		walk->cause = IOMMUSIM_FAULT_ADDRESS_SIZE;
	} else if (!walk->cause && is_refused(walk->prot, access)) {
		walk->cause = IOMMUSIM_FAULT_PERMISSION;
	}
	return walk->cause;
}

/* ---- Marks ---- */

/* The words of the table at @pa, which a walk has read. */
static void *words_of(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	for (unsigned i = 0; level == p->top && i < p->info.nr_roots; i++)
		if (p->info.roots[i] == pa)
			return p->roots[i];
	return isim_pgtable_at(p, pa, level);
}

/* The word at @index with @set and without @clear. What marks it had. */
static unsigned change(struct iommusim_pgtable *p, void *table, uint64_t index, unsigned set,
                       unsigned clear)
{
	const struct isim_pgtable_words *w = p->ops->words;
	uint64_t word = pt_get(w, table, index);
	unsigned marks = w->marks(p, word), want = (marks | set) & ~clear;

	if (want != marks)
		pt_put(w, table, index, w->marked(p, word, want));
	return marks;
}

int iommusim_pgtable_mark(struct iommusim_pgtable *pgtable, uint64_t iova, unsigned marks)
{
	const struct isim_pgtable_words *w = pgtable->ops->words;
	struct iommusim_pgtable_walk walk;
	unsigned last;

	iommusim_pgtable_walk(pgtable, iova, &walk);
	last = walk.nr - 1;
	if (!walk.is_mapped || !w->marks ||
	    (w->marks(pgtable, w->marked(pgtable, walk.step[last].word, marks)) & marks) != marks)
		return -IOMMUSIM_EINVAL;
	change(pgtable, words_of(pgtable, walk.step[last].table, walk.step[last].level),
	       walk.step[last].index, marks, 0);
	return 0;
}

/* The marks of all words of a page, without @clear from then on. */
static unsigned read_page(struct iommusim_pgtable *p, const struct iommusim_pgtable_walk *walk,
                          unsigned clear)
{
	unsigned last = walk->nr - 1, level = walk->step[last].level, marks = 0;
	void *table = words_of(p, walk->step[last].table, level);
	uint64_t nr = PT_BIT(pt_run_lg2(p->ops->words, p, walk->step[last].word, level));
	uint64_t first = isim_align_down(walk->step[last].index, nr);

	for (uint64_t i = first; i < first + nr; i++)
		if (p->ops->words->kind(p, pt_get(p->ops->words, table, i), level) ==
		    ISIM_WORD_LEAF)
			marks |= change(p, table, i, 0, clear);
	return marks;
}

int iommusim_pgtable_read_marks(struct iommusim_pgtable *pgtable,
                                const struct iommusim_marks_request *request, iommusim_marks_fn fn,
                                void *ctx)
{
	uint64_t last = request->iova + (request->size - 1), at = request->iova;
	struct iommusim_pgtable_walk walk;

	if (!pgtable->ops->words->marks || !request->size || last < at)
		return -IOMMUSIM_EINVAL;
	while (isim_pgtable_next_leaf(pgtable, &at, &walk) && at <= last) {
		unsigned found = read_page(pgtable, &walk, request->clear ? request->marks : 0);

		found &= request->marks;
		if (found && fn)
			fn(ctx, at, walk.size, found);
		if (walk.size > last - at)
			return 0;
		at += walk.size;
	}
	return 0;
}
