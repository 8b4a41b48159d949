/* SPDX-License-Identifier: MIT */
/*
 * Intel VT-d, second level and first level: one map call chooses page sizes by itself and keeps
 * what it wrote when it fails, an unmap clears a range. Models drivers/iommu/intel/iommu.c, Linux
 * 6.1 and 6.12. Differs: where Linux would read a page's data as a table (part of a large page is
 * mapped over, or unmapped from its middle), the call fails and nothing changes.
 */
#include "pgtable/ops.h"

#define R    PT_BIT(0) /* first level: present */
#define W    PT_BIT(1)
#define US   PT_BIT(2) /* first level */
#define A_FL PT_BIT(5)
#define D_FL PT_BIT(6)
#define PS   PT_BIT(7) /* a page, where a table could be */
#define A_SL PT_BIT(8)
#define D_SL PT_BIT(9)
#define SNP  PT_BIT(11) /* second level: snoop */
#define ADDR PT_BITS(51, 12)
#define XD   PT_BIT(63) /* first level, 6.1 only */

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!(word & (R | W)))
		return ISIM_WORD_EMPTY;
	return level && !(word & PS) ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa & ADDR) | attributes | (level ? PS : 0);
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa & ADDR) | R | W | p->table_flags;
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & ADDR;
}

/* A mapping may always be read. */
static uint64_t sl_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return R | (prot & IOMMUSIM_PROT_WRITE ? W : 0) | (p->config.force_snoop ? SNP : 0);
}

static uint64_t fl_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return sl_attributes(p, prot, form) | p->table_flags |
	       (prot & IOMMUSIM_PROT_WRITE ? D_FL : 0);
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & R ? IOMMUSIM_PROT_READ : 0) | (word & W ? IOMMUSIM_PROT_WRITE : 0) |
	       (word & XD ? IOMMUSIM_PROT_NOEXEC : 0);
}

/* Pages are where page sizes can be; the rest of 1G and up is reserved. */
static enum iommusim_fault_cause fault(const struct iommusim_pgtable *p, uint64_t word,
                                       unsigned level)
{
	return level > 2 && word & PS ? IOMMUSIM_FAULT_RESERVED : IOMMUSIM_FAULT_NONE;
}

static unsigned sl_marks(const struct iommusim_pgtable *p, uint64_t word)
{
	return (word & A_SL ? IOMMUSIM_MARK_ACCESSED : 0) | (word & D_SL ? IOMMUSIM_MARK_DIRTY : 0);
}

static uint64_t sl_marked(const struct iommusim_pgtable *p, uint64_t word, unsigned marks)
{
	word &= ~(A_SL | D_SL);
	return word | (marks & IOMMUSIM_MARK_ACCESSED ? A_SL : 0) |
	       (marks & IOMMUSIM_MARK_DIRTY ? D_SL : 0);
}

static unsigned fl_marks(const struct iommusim_pgtable *p, uint64_t word)
{
	return (word & A_FL ? IOMMUSIM_MARK_ACCESSED : 0) | (word & D_FL ? IOMMUSIM_MARK_DIRTY : 0);
}

static uint64_t fl_marked(const struct iommusim_pgtable *p, uint64_t word, unsigned marks)
{
	word &= ~(A_FL | D_FL);
	return word | (marks & IOMMUSIM_MARK_ACCESSED ? A_FL : 0) |
	       (marks & IOMMUSIM_MARK_DIRTY ? D_FL : 0);
}

#define WORDS(stage)                                                                          \
	{                                                                                     \
		.word_bytes = 8, .granule_lg2 = 12, .index_lg2 = 9, .linear_lg2 = 52,         \
		.even_lg2 = 52, .partial = ISIM_PARTIAL_START, .is_bounded = 1, .kind = kind, \
		.leaf = leaf, .table = table, .address = address,                             \
		.attributes = stage##_attributes, .prot = prot, .fault = fault,               \
		.marks = stage##_marks, .marked = stage##_marked                              \
	}

static const struct isim_pgtable_words sl = WORDS(sl);
static const struct isim_pgtable_words fl = WORDS(fl);

/* Frames of 4K that a word of @level leads to. */
static uint64_t frames(unsigned level)
{
	return PT_BIT(9 * level);
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- Clearing ---- */

/* A level of a range that is cleared: first and last frame, inclusive. */
struct range {
	uint64_t first, last;
	const struct iommusim_pgtable_flush *flush;
};

/*
 * The one word @at, which covers frames from @base on: gone if all of them are in the range. What
 * remains to be entered, or NULL.
 */
static void *clear_word(struct iommusim_pgtable *p, struct pt_span at, uint64_t base,
                        const struct range *range)
{
	uint64_t word = pt_get(&sl, at.table, at.index), span = frames(at.level);
	enum isim_word_kind is = kind(p, word, at.level);

	if (is == ISIM_WORD_EMPTY)
		return NULL;
	if (base < range->first || base + span - 1 > range->last)
		return is == ISIM_WORD_TABLE ? pt_below(&sl, p, word, at.level) : NULL;
	if (is == ISIM_WORD_TABLE) {
		pt_clear_table(&sl, p, at, base << 12, range->flush);
		return NULL;
	}
	pt_put(&sl, at.table, at.index, 0);
	pt_flush_leaves(range->flush, base << 12, span << 12, 1);
	return NULL;
}

/* Words of a table of level 0 whose first frame is @base, as far as they are in the range. */
static void clear_pages(struct iommusim_pgtable *p, void *table, uint64_t base,
                        const struct range *range)
{
	uint64_t from = range->first > base ? range->first - base : 0;
	uint64_t to = min(range->last - base, 511);

	memset((uint64_t *)table + from, 0, (size_t)(to - from + 1) * 8);
	pt_flush_leaves(range->flush, (base + from) << 12, 4096, to - from + 1);
}

/* From @table of @level down: tables that are covered in part are entered, at most two of them. */
static void clear_range(struct iommusim_pgtable *p, const struct range *range)
{
	struct {
		void *table;
		uint64_t base, at; /* frame of its first word, next word */
	} path[IOMMUSIM_MAX_LEVELS];
	unsigned level = p->top;

	path[level].table = p->root;
	path[level].base = 0;
	path[level].at = range->first >> 9 * level;
	for (;;) {
		uint64_t base = path[level].base + (path[level].at << 9 * level);
		void *below = NULL;

		if (level && path[level].at < 512 && base <= range->last) {
			struct pt_span at = { path[level].table, path[level].at++, 1, level };

			below = clear_word(p, at, base, range);
			if (below) {
				level--;
				path[level].table = below;
				path[level].base = base;
				path[level].at = range->first > base
				                         ? (range->first - base) >> 9 * level
				                         : 0;
			}
			continue;
		}
		if (!level)
			clear_pages(p, path[0].table, path[0].base, range);
		if (level++ == p->top)
			return;
	}
}

/* ---- Mapping ---- */

/* The level whose pages fit where frame @f goes to frame @to with @left frames to do. */
static unsigned choose_level(const struct iommusim_pgtable *p, uint64_t f, uint64_t to,
                             uint64_t left)
{
	unsigned most = p->info.pgsizes >> 30 & 1 ? 2 : p->info.pgsizes >> 21 & 1, level = 0;

	while (level < most && left >= frames(level + 1) && !((f | to) & (frames(level + 1) - 1)))
		level++;
	return level;
}

/* The table of level @want; a page in its way cannot be followed. */
ISIM_INLINE int reach(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                      const struct iommusim_map_pages *pages, unsigned want, void **table)
{
	int err = isim_pgtable_reserve(p);

	if (!err)
		err = pt_reach(w, p, pages, want, table);
	if (ISIM_UNLIKELY(err == -IOMMUSIM_EEXIST))
		return isim_fail(&p->diag, IOMMUSIM_EFAULT,
		                 "a large page is in the way of 0x%llx: Linux would write into it",
		                 (unsigned long long)pages->iova);
	return err;
}

/* Words of large pages replace whatever there is. */
static void make_way(struct iommusim_pgtable *p, struct pt_span at, uint64_t iova)
{
	for (uint64_t end = at.index + at.nr; at.index < end; at.index++)
		if (kind(p, pt_get(&sl, at.table, at.index), at.level) == ISIM_WORD_TABLE)
			pt_clear_table(&sl, p, at, iova, NULL);
}

/* Words of 4K pages that are there stay. */
static void fill_holes(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                       struct pt_span at, const struct iommusim_map_pages *pages)
{
	uint64_t attributes = pt_attributes(p, pages->prot, 0, 0);

	for (uint64_t i = 0; i < at.nr; i++)
		if (!pt_get(w, at.table, at.index + i))
			pt_put(w, at.table, at.index + i,
			       w->leaf(attributes, pages->pa + (i << 12), 0));
}

/* What goes into one table: @pages in frames of 4K. *done gets the frames. */
ISIM_INLINE int map_some(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                         const struct iommusim_map_pages *pages, uint64_t *done)
{
	unsigned level = choose_level(p, pages->iova >> 12, pages->pa >> 12, pages->count);
	struct pt_span at = { .index = pt_index(w, p, pages->iova, level), .level = level };
	void *table = NULL;
	int err = reach(w, p, pages, level, &table);

	if (ISIM_UNLIKELY(err))
		return err;
	at.table = table;
	at.nr = min(512 - at.index, pages->count >> 9 * level);
	*done = at.nr << 9 * level;
	if (level) {
		make_way(p, at, pages->iova);
	} else if (ISIM_UNLIKELY(pt_look(w, at.table, at.index, at.nr).any)) {
		fill_holes(w, p, at, pages);
		return 0;
	}
	pt_write(w, at, pages->pa, pt_attributes(p, pages->prot, level, 0));
	return 0;
}

/* Page size, alignment, and the end of the address space, in the kernel's order. */
ISIM_INLINE int check(struct iommusim_pgtable *p, const struct iommusim_map_pages *pages)
{
	uint64_t bytes = pages->pgsize * pages->count, end = pages->iova + bytes;

	if (pt_place(p, pages->pgsize).level > 2 ||
	    ((pages->iova | pages->pa) & (pages->pgsize - 1)))
		return -IOMMUSIM_EINVAL;
	if (end > isim_bit(p->info.ias))
		return -IOMMUSIM_EFAULT;
	if (bytes && ((pages->iova >> 12) + (bytes >> 12) - 1) >> (p->info.ias - 12))
		return p->config.kernel < IOMMUSIM_KERNEL(6, 12)
		               ? isim_pgtable_bug(p, "the range wraps", pages->iova)
		               : -IOMMUSIM_EINVAL;
	return pt_has_access(pages) ? 0 : -IOMMUSIM_EINVAL;
}

/* As many frames of 4K as @pages->count, a table at a time. */
ISIM_INLINE int map_frames(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct iommusim_map_pages left = *pages;
	int err = 0;

	while (!err && left.count) {
		uint64_t done = 0;

		err = map_some(w, p, &left, &done);
		left.iova += done << 12;
		left.pa += done << 12;
		left.count -= done;
	}
	if (!err || err == -IOMMUSIM_EHOST)
		*mapped = left.iova - pages->iova;
	return err;
}

/* One page into a hole of a table of @level that was found before; 0: it is not that case. */
ISIM_INLINE int map_page(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                         const struct iommusim_map_pages *pages, unsigned level)
{
	unsigned at;
	void *table = pt_start(w, p, pages->iova, level, &at);
	uint64_t index = pt_index(w, p, pages->iova, level);

	if (at != level || pt_get(w, table, index))
		return 0;
	pt_put(w, table, index, w->leaf(pt_attributes(p, pages->prot, level, 0), pages->pa, level));
	return 1;
}

ISIM_INLINE int map(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                    const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct iommusim_map_pages in_frames;
	int err = check(p, pages);

	if (ISIM_UNLIKELY(err))
		return err;
	if (pages->count == 1 && ((pages->pgsize == PT_BIT(12) && map_page(w, p, pages, 0)) ||
	                          (pages->pgsize == PT_BIT(21) && p->info.pgsizes >> 21 & 1 &&
	                           map_page(w, p, pages, 1)))) {
		*mapped = pages->pgsize;
		return 0;
	}
	in_frames = *pages;
	in_frames.count = (pages->pgsize * pages->count) >> 12;
	return map_frames(w, p, &in_frames, mapped);
}

/* ---- Unmapping ---- */

/* Does the walk of @iova end at a large page that @iova is not the start of? */
static int is_inside_large(const struct iommusim_pgtable *p, uint64_t iova)
{
	struct iommusim_pgtable_walk walk;

	pt_walk(&sl, p, iova, &walk);
	return walk.is_mapped && iova & (walk.size - 1) & ~UINT64_C(0xfff);
}

/* Where a walk stops: a word and its level. */
struct stop {
	void *table; /* NULL: at a word that is corrupt */
	uint64_t index;
	unsigned level;
};

ISIM_INLINE struct stop stops_at(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                 uint64_t iova)
{
	struct stop s;

	s.table = pt_start(w, p, iova, 0, &s.level);
	if (s.level)
		s.table = pt_start(w, p, iova, 1, &s.level);
	for (;;) {
		uint64_t word;

		s.index = pt_index(w, p, iova, s.level);
		word = pt_get(w, s.table, s.index);
		if (!s.level || kind(p, word, s.level) != ISIM_WORD_TABLE)
			break;
		s.table = pt_below(w, p, word, s.level);
		if (!s.table)
			return s;
		s.level--;
	}
	if (s.level < 2)
		pt_remember(w, p, iova, s.level, s.table);
	return s;
}

static uint64_t wide_unmap(struct iommusim_pgtable *p, uint64_t iova, uint64_t bytes,
                           const struct iommusim_pgtable_flush *flush)
{
	uint64_t last = iova + bytes - 1;
	struct range range = { iova >> 12, last >> 12, flush };

	if (last >> p->info.ias || range.last < range.first) {
		if (p->config.kernel < IOMMUSIM_KERNEL(6, 12)) {
			isim_pgtable_bug(p, "the range ends beyond the domain", iova);
			return 0;
		}
	} else {
		/* Differs: the kernel reads the rest of such a page as a table. */
		if (is_inside_large(p, iova) || (last + 1 && is_inside_large(p, last + 1)))
			return 0;
		clear_range(p, &range);
	}
	return bytes;
}

ISIM_INLINE uint64_t unmap(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           const struct iommusim_map_pages *pages,
                           const struct iommusim_pgtable_flush *flush)
{
	uint64_t bytes = pages->pgsize * pages->count, iova = pages->iova, span, nr;
	struct stop s;

	if (!isim_is_pow2(pages->pgsize) || pages->pgsize < 4096)
		return 0;
	if (iova >> p->info.ias) {
		if (p->config.kernel < IOMMUSIM_KERNEL(6, 12))
			isim_pgtable_bug(p, "the address is beyond the domain", iova);
		return 0;
	}
	s = stops_at(w, p, iova);
	if (!s.table)
		return 0;
	span = PT_BIT(12 + 9 * s.level);
	bytes = bytes > span ? bytes : span;
	nr = bytes >> (12 + 9 * s.level);
	/* The usual case: words of a table that stays, above level 0 just one. */
	if (ISIM_UNLIKELY((iova | bytes) & (span - 1) || nr == 512 ||
	                  nr > (s.level ? 1 : 512 - s.index)))
		return wide_unmap(p, iova, bytes, flush);
	pt_wipe(w, p, (struct pt_span){ s.table, s.index, nr, s.level });
	pt_flush_leaves(flush, iova, span, nr);
	return bytes;
}

/* ---- Engines ---- */

ISIM_PGTABLE_OPS_WITH(sl, map, unmap, pt_iova_to_phys);
ISIM_PGTABLE_OPS_WITH(fl, map, unmap, pt_iova_to_phys);

static int configure(struct iommusim_pgtable *p)
{
	unsigned gaw = p->config.ias;

	if (gaw != 39 && gaw != 48 && gaw != 57)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL, "ias %u is none of 39, 48, 57", gaw);
	if (!(p->config.pgsizes & 4096))
		return isim_fail(&p->diag, IOMMUSIM_EINVAL, "VT-d has pages of 4K");
	p->info.pgsizes = p->config.pgsizes & (PT_BIT(12) | PT_BIT(21) | PT_BIT(30));
	if (!(p->info.pgsizes & PT_BIT(21)))
		p->info.pgsizes &= 4096;
	p->info.ias = gaw;
	p->info.oas = 52;
	isim_pgtable_set_geometry(p, &sl, (gaw - 30) / 9 + 2, 9, 12);
	return isim_pgtable_check_quirks(p, 0);
}

static int sl_configure(struct iommusim_pgtable *p)
{
	p->ops = &sl_ops;
	return configure(p);
}

static int fl_configure(struct iommusim_pgtable *p)
{
	p->ops = &fl_ops;
	p->table_flags = US | A_FL | (p->config.kernel < IOMMUSIM_KERNEL(6, 12) ? XD : 0);
	return configure(p);
}

static const struct isim_pgtable_impl sl_impl = { .configure = sl_configure,
	                                          .stage2 = ISIM_NEST_VTD };
static const struct isim_pgtable_impl fl_impl = { .configure = fl_configure,
	                                          .stage1 = ISIM_NEST_VTD };

const struct iommusim_pgtable_format iommusim_pgtable_vtd_sl = {
	.name = "vtd-sl",
	.kernel_name = "vtd_sl",
	.source = "Intel VT-d Architecture Specification, 3.7 and 9.8",
	.summary = "Intel VT-d second level, three to five levels",
	.word_bytes = 8,
	.impl = &sl_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_vtd_fl = {
	.name = "x86-64-fl",
	.kernel_name = "vtd_fl",
	.source = "Intel VT-d Architecture Specification, 3.6 and 9.7",
	.summary = "Intel VT-d first level: x86-64, four or five levels",
	.word_bytes = 8,
	.impl = &fl_impl,
};
