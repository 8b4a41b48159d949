/* SPDX-License-Identifier: MIT */
/*
 * AMD IOMMU v2 tables: those of x86-64 CPUs, four or five levels. What is in the way of a page is
 * replaced; part of a larger page unmaps the whole of it; an unmap frees no table. Models
 * drivers/iommu/amd/io_pgtable_v2.c, Linux 6.1 and 6.12.
 */
#include "pgtable/ops.h"

#define P    PT_BIT(0)
#define RW   PT_BIT(1)
#define US   PT_BIT(2)
#define A    PT_BIT(5)
#define D    PT_BIT(6)
#define PS   PT_BIT(7)
#define ADDR PT_BITS(51, 12)

#define PGSIZES (PT_BIT(12) | PT_BIT(21) | PT_BIT(30))

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!(word & P))
		return ISIM_WORD_EMPTY;
	return level && !(word & PS) ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa & ADDR) | attributes | (level ? PS : 0);
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa & ADDR) | P | RW | US | A;
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	uint64_t pa = word & ADDR;

	return level && word & PS ? pa & ~(PT_BIT(12 + 9 * level) - 1) : pa;
}

static uint64_t attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return P | US | A | D | (prot & IOMMUSIM_PROT_WRITE ? RW : 0);
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | (word & RW ? IOMMUSIM_PROT_WRITE : 0);
}

/* Bit 7 means nothing at the levels that have no pages. */
static enum iommusim_fault_cause fault(const struct iommusim_pgtable *p, uint64_t word,
                                       unsigned level)
{
	return level > 2 && word & PS ? IOMMUSIM_FAULT_RESERVED : IOMMUSIM_FAULT_NONE;
}

static unsigned marks(const struct iommusim_pgtable *p, uint64_t word)
{
	return (word & A ? IOMMUSIM_MARK_ACCESSED : 0) | (word & D ? IOMMUSIM_MARK_DIRTY : 0);
}

static uint64_t marked(const struct iommusim_pgtable *p, uint64_t word, unsigned marks)
{
	word &= ~(A | D);
	return word | (marks & IOMMUSIM_MARK_ACCESSED ? A : 0) |
	       (marks & IOMMUSIM_MARK_DIRTY ? D : 0);
}

static const struct isim_pgtable_words amd_v2 = {
	.word_bytes = 8,
	.granule_lg2 = 12,
	.index_lg2 = 9,
	.linear_lg2 = 52,
	.even_lg2 = 52,
	.partial = ISIM_PARTIAL_WHOLE,
	.is_aliasing = 1,
	.kind = kind,
	.leaf = leaf,
	.table = table,
	.address = address,
	.attributes = attributes,
	.prot = prot,
	.fault = fault,
	.marks = marks,
	.marked = marked,
};

/* ---- Mapping ---- */

/* The table of level @want, made where there is none, in the place of a page where there is one. */
static int reach(struct iommusim_pgtable *p, const struct iommusim_map_pages *pages, unsigned want,
                 void **table)
{
	const struct isim_pgtable_words *w = &amd_v2;
	unsigned level;

	*table = pt_start(w, p, pages->iova, want, &level);
	for (; level != want; level--) {
		uint64_t index = pt_index(w, p, pages->iova, level);
		uint64_t word = pt_get(w, *table, index);

		if (w->kind(p, word, level) == ISIM_WORD_TABLE) {
			*table = pt_below(w, p, word, level);
			if (!*table)
				return -IOMMUSIM_EFAULT;
		} else {
			struct pt_span at = { *table, index, 1, level };
			int err;

			pt_put(w, *table, index, 0);
			err = pt_add_table(w, p, at, pages->gfp, table);
			if (err)
				return err;
		}
	}
	pt_remember(w, p, pages->iova, want, *table);
	return 0;
}

/* Differs: where Linux would take a page that is replaced by one of the same size for a table, it
   is replaced. */
static void free_tables(struct iommusim_pgtable *p, struct pt_span at, uint64_t iova)
{
	for (uint64_t end = at.index + at.nr; at.level && at.index < end; at.index++)
		if (kind(p, pt_get(&amd_v2, at.table, at.index), at.level) == ISIM_WORD_TABLE)
			pt_clear_table(&amd_v2, p, at, iova, NULL);
}

/* As many of @pages as one table of @level holds; *done gets their number. */
ISIM_INLINE int map_some(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                         const struct iommusim_map_pages *pages, unsigned level, uint64_t *done)
{
	unsigned found;
	void *table = pt_start(w, p, pages->iova, level, &found);
	struct pt_span at = { .index = pt_index(w, p, pages->iova, level), .level = level };

	if (ISIM_UNLIKELY(found != level)) {
		int err = isim_pgtable_reserve(p);

		if (!err)
			err = reach(p, pages, level, &table);
		if (err)
			return err;
	}
	at.table = table;
	at.nr = pt_room(w, p, level, at.index, pages->count);
	if (level && ISIM_UNLIKELY(pt_look(w, at.table, at.index, at.nr).any))
		free_tables(p, at, pages->iova);
	pt_write(w, at, pages->pa, pt_attributes(p, pages->prot, level, 0));
	*done = at.nr;
	return 0;
}

ISIM_INLINE int map_sized(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                          const struct iommusim_map_pages *pages, unsigned level, uint64_t *mapped)
{
	struct iommusim_map_pages left;
	uint64_t done;
	int err = map_some(w, p, pages, level, &done);

	if (ISIM_UNLIKELY(err))
		return err;
	*mapped = done << pt_shift(w, level);
	if (ISIM_LIKELY(done == pages->count))
		return 0;
	left = *pages;
	do {
		left.iova += done << pt_shift(w, level);
		left.pa += done << pt_shift(w, level);
		left.count -= done;
		err = map_some(w, p, &left, level, &done);
		if (err)
			return err;
		*mapped += done << pt_shift(w, level);
	} while (done < left.count);
	return 0;
}

/* With the usual sizes the level is a constant. */
ISIM_INLINE int map(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                    const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	if (!pages->count || !pt_has_access(pages))
		return -IOMMUSIM_EINVAL;
	if (ISIM_LIKELY(pages->pgsize == PT_BIT(12)))
		return map_sized(w, p, pages, 0, mapped);
	if (pages->pgsize == PT_BIT(21))
		return map_sized(w, p, pages, 1, mapped);
	return pages->pgsize == PT_BIT(30) ? map_sized(w, p, pages, 2, mapped) : -IOMMUSIM_EINVAL;
}

/* ---- Unmapping ---- */

/* The table of level 0 for @iova, or the page above it: its table and level. NULL: neither. */
static void *look_up(const struct iommusim_pgtable *p, uint64_t iova, unsigned *level)
{
	const struct isim_pgtable_words *w = &amd_v2;
	void *table = pt_start(w, p, iova, 0, level);

	while (table && *level) {
		uint64_t word = pt_get(w, table, pt_index(w, p, iova, *level));
		enum isim_word_kind is = kind(p, word, *level);

		if (is == ISIM_WORD_EMPTY)
			return NULL;
		if (is == ISIM_WORD_LEAF)
			return table;
		table = pt_below(w, p, word, *level);
		--*level;
	}
	return table;
}

/*
 * What is at *iova, which moves on: one larger page, or up to @bytes of 4K, where holes count. The
 * bytes.
 */
ISIM_INLINE uint64_t unmap_some(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                uint64_t *iova, uint64_t bytes,
                                const struct iommusim_pgtable_flush *flush)
{
	unsigned level, shift;
	void *table = look_up(p, *iova, &level);
	uint64_t index, nr = 1;

	if (!table)
		return 0;
	shift = pt_shift(w, level);
	index = pt_index(w, p, *iova, level);
	if (!level) {
		pt_remember(w, p, *iova, 0, table);
		nr = pt_room(w, p, 0, index, ((bytes - 1) >> 12) + 1);
	}
	pt_wipe(w, p, (struct pt_span){ table, index, nr, level });
	*iova = isim_align_down(*iova, PT_BIT(shift));
	pt_flush_leaves(flush, *iova, PT_BIT(shift), nr);
	*iova += nr << shift;
	return nr << shift;
}

ISIM_INLINE uint64_t unmap(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           const struct iommusim_map_pages *pages,
                           const struct iommusim_pgtable_flush *flush)
{
	uint64_t bytes = pages->pgsize * pages->count, done = 0, iova = pages->iova;

	if (pt_place(p, pages->pgsize).level > 2 || !pages->count)
		return 0;
	while (done < bytes) {
		uint64_t some = unmap_some(w, p, &iova, bytes - done, flush);

		if (!some)
			break;
		done += some;
	}
	return done;
}

ISIM_PGTABLE_OPS_WITH(amd_v2, map, unmap, pt_iova_to_phys);

/* ---- Configuration ---- */

static int configure(struct iommusim_pgtable *p)
{
	unsigned levels = p->config.nr_levels ? p->config.nr_levels : 4;

	if (levels != 4 && (levels != 5 || p->config.kernel < IOMMUSIM_KERNEL(6, 12)))
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "AMD v2 has 4 levels, and since 6.12 5 as well; not %u", levels);
	p->ops = &amd_v2_ops;
	p->info.pgsizes = PGSIZES;
	p->info.ias = levels == 5 ? 57 : 52;
	p->info.oas = 52;
	isim_pgtable_set_geometry(p, &amd_v2, levels, 9, 12);
	return isim_pgtable_check_quirks(p, 0);
}

static const struct isim_pgtable_impl impl = { .configure = configure, .stage1 = ISIM_NEST_AMD };

const struct iommusim_pgtable_format iommusim_pgtable_amd_v2 = {
	.name = "x86-64-amd-v2",
	.kernel_name = "amd_v2",
	.source = "AMD64 Architecture Programmer's Manual, volume 2, 5.3: long-mode page tables",
	.summary = "AMD IOMMU v2 (guest) tables: x86-64, four or five levels",
	.word_bytes = 8,
	.impl = &impl,
};
