/* SPDX-License-Identifier: MIT */
/*
 * AMD IOMMU v1 tables: pages of every power of two, and a first table that gets another one above
 * it when an address needs more bits. What is in the way of a page is replaced; part of a larger
 * page unmaps the whole of it; an unmap frees no table. Models drivers/iommu/amd/io_pgtable.c,
 * Linux 6.1 and 6.12. Levels are counted from 0 here; AMD counts them from 1.
 */
#include "pgtable/ops.h"

#define PR      PT_BIT(0)
#define D       PT_BIT(6)
#define NEXT(n) ((uint64_t)(n) << 9) /* 0: a page of its level's size, 7: of the size it says */
#define ADDR    PT_BITS(51, 12)
#define FC      PT_BIT(60)
#define IR      PT_BIT(61)
#define IW      PT_BIT(62)

#define FIRST_LEVELS 3u
#define MAX_LEVELS   6u

/* All but 512 GiB; 6.12 stops at 2^51. */
#define PGSIZES_6_1  UINT64_C(0xffffff7ffffff000)
#define PGSIZES_6_12 UINT64_C(0x000fff7ffffff000)

/* Boot options of 6.12: nohugepages, v2_pgsizes_only. */
#define PGSIZES_SMALL UINT64_C(0x1000)
#define PGSIZES_V2    UINT64_C(0x40201000)

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	uint64_t next = word & NEXT(7);

	if (!(word & PR))
		return ISIM_WORD_EMPTY;
	return level && next && next != NEXT(7) ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

/* The lowest 0 from bit 12 on is the highest bit below the size. */
static unsigned encoded_lg2(uint64_t word)
{
	return isim_low_bit((~word & ~PT_BITS(11, 0)) | PT_BIT(62)) + 1;
}

/* A size below that of the level is nobody's: such a word is one page of its level. */
static unsigned leaf_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	unsigned lg2 = (word & NEXT(7)) == NEXT(7) ? encoded_lg2(word) : 0;

	return lg2 > 12 + 9 * level ? lg2 : 12 + 9 * level;
}

/* log2 of the words that a page of 2^@lg2 bytes is. */
static unsigned words_lg2(unsigned lg2)
{
	return (lg2 - 12) % 9;
}

static unsigned run_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & NEXT(7)) == NEXT(7) ? words_lg2(encoded_lg2(word)) : 0;
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa & ADDR) | attributes;
}

/* The word of a page of 2^@lg2 bytes, which is not its level's size. */
static uint64_t encoded_leaf(uint64_t attributes, uint64_t pa, unsigned lg2)
{
	return ((pa | (PT_BIT(lg2 - 1) - 1)) & ADDR) | attributes | NEXT(7);
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa & ADDR) | IR | IW | PR | NEXT(level);
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	uint64_t pa = word & ADDR;

	return kind(p, word, level) == ISIM_WORD_LEAF ? pa & ~(PT_BIT(leaf_lg2(p, word, level)) - 1)
	                                              : pa;
}

static uint64_t attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return FC | PR | (prot & IOMMUSIM_PROT_READ ? IR : 0) |
	       (prot & IOMMUSIM_PROT_WRITE ? IW : 0);
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & IR ? IOMMUSIM_PROT_READ : 0) | (word & IW ? IOMMUSIM_PROT_WRITE : 0);
}

/* Linux knows no table word that skips levels. */
static enum iommusim_fault_cause fault(const struct iommusim_pgtable *p, uint64_t word,
                                       unsigned level)
{
	uint64_t next = word & NEXT(7);

	return next && next != NEXT(7) && next != NEXT(level) ? IOMMUSIM_FAULT_RESERVED
	                                                      : IOMMUSIM_FAULT_NONE;
}

static unsigned marks(const struct iommusim_pgtable *p, uint64_t word)
{
	return word & D ? IOMMUSIM_MARK_DIRTY : 0;
}

static uint64_t marked(const struct iommusim_pgtable *p, uint64_t word, unsigned marks)
{
	return marks & IOMMUSIM_MARK_DIRTY ? word | D : word & ~D;
}

static const struct isim_pgtable_words amd_v1 = {
	.word_bytes = 8,
	.granule_lg2 = 12,
	.index_lg2 = 9,
	.linear_lg2 = 52,
	.even_lg2 = 52,
	.partial = ISIM_PARTIAL_WHOLE,
	.is_aliasing = 1,
	.is_as_tall = 1,
	.kind = kind,
	.leaf = leaf,
	.table = table,
	.address = address,
	.attributes = attributes,
	.prot = prot,
	.run_lg2 = run_lg2,
	.leaf_lg2 = leaf_lg2,
	.fault = fault,
	.marks = marks,
	.marked = marked,
};

/* Has @address more bits than the first table covers? */
static int is_beyond(const struct iommusim_pgtable *p, uint64_t address)
{
	unsigned bits = 12 + 9 * (p->top + 1);

	return bits < 64 && address >> bits;
}

/* The first of the words that one page is, of which @index is one. */
static uint64_t first_of(uint64_t index, uint64_t word)
{
	return isim_align_down(index, PT_BIT(run_lg2(NULL, word, 0)));
}

/* ---- Mapping ---- */

/* One more table on top. */
static int grow(struct iommusim_pgtable *p, uint32_t gfp)
{
	uint64_t pa;
	int err = isim_pgtable_new(p, p->top + 1, gfp, &pa);

	if (err)
		return err;
	p->top++;
	p->info.nr_levels++;
	p->root = p->roots[0] = isim_pgtable_find(p, pa, p->top)->words;
	pt_put(&amd_v1, p->root, 0, table(p, p->info.root, p->top));
	p->info.root = p->info.roots[0] = pa;
	return 0;
}

/* 6.1 looks at the first address of a page alone, 6.12 at its last one and at its size. */
static int grow_for(struct iommusim_pgtable *p, uint64_t iova, unsigned lg2, uint32_t gfp)
{
	int is_6_12 = p->config.kernel >= IOMMUSIM_KERNEL(6, 12);
	uint64_t last = is_6_12 ? iova + (PT_BIT(lg2) - 1) : iova;
	int err = 0;

	while (!err && p->top + 1 < MAX_LEVELS &&
	       (is_beyond(p, last) || (is_6_12 && p->top < (lg2 - 12) / 9)))
		err = grow(p, gfp);
	return err;
}

/* The table behind entry @index, which is made where there is a hole or a page. */
static int step_down(struct iommusim_pgtable *p, void **table, uint64_t index, unsigned level,
                     uint32_t gfp)
{
	uint64_t word = pt_get(&amd_v1, *table, index);

	if (kind(p, word, level) == ISIM_WORD_TABLE) {
		*table = pt_below(&amd_v1, p, word, level);
		return *table ? 0 : -IOMMUSIM_EFAULT;
	}
	if (word & PR && (word & NEXT(7)) == NEXT(7)) {
		uint64_t first = first_of(index, word), nr = PT_BIT(run_lg2(p, word, level));

		for (uint64_t i = first; i < first + nr; i++)
			if (pt_get(&amd_v1, *table, i) == word)
				pt_put(&amd_v1, *table, i, 0);
	}
	return pt_add_table(&amd_v1, p, (struct pt_span){ *table, index, 1, level }, gfp, table);
}

static int reach(struct iommusim_pgtable *p, const struct iommusim_map_pages *pages, unsigned want,
                 void **table)
{
	unsigned level;

	*table = pt_start(&amd_v1, p, pages->iova, want, &level);
	for (; level != want; level--) {
		int err = step_down(p, table, pt_index(&amd_v1, p, pages->iova, level), level,
		                    pages->gfp);

		if (err)
			return err;
	}
	pt_remember(&amd_v1, p, pages->iova, want, *table);
	return 0;
}

/* Whatever is there goes, with the tables below. */
static void make_way(struct iommusim_pgtable *p, struct pt_span at, uint64_t iova)
{
	for (uint64_t end = at.index + at.nr; at.index < end; at.index++)
		if (kind(p, pt_get(&amd_v1, at.table, at.index), at.level) == ISIM_WORD_TABLE)
			pt_clear_table(&amd_v1, p, at, iova, NULL);
}

/* Pages of 2^@lg2 bytes in all of these words. */
ISIM_INLINE void write_pages(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                             const struct iommusim_map_pages *pages, struct pt_span at,
                             unsigned lg2)
{
	uint64_t bits = pt_attributes(p, pages->prot, 0, 0), nr = at.nr >> words_lg2(lg2);

	if (!words_lg2(lg2)) {
		at.level = (lg2 - 12) / 9;
		pt_write(w, at, pages->pa, bits);
		return;
	}
	at.nr = PT_BIT(words_lg2(lg2));
	for (uint64_t i = 0; i < nr; i++, at.index += at.nr)
		pt_fill(w, at, encoded_leaf(bits, pages->pa + (i << lg2), lg2), 0);
}

/* The table for @pages, of 2^@lg2 bytes, and its level; the tree grows for them first. */
static int find_table(struct iommusim_pgtable *p, const struct iommusim_map_pages *pages,
                      unsigned lg2, unsigned *level, void **table)
{
	int err = isim_pgtable_reserve(p);

	if (!err)
		err = grow_for(p, pages->iova, lg2, pages->gfp);
	if (*level > p->top) /* 6.1: into the first table, whatever its level */
		*level = p->top;
	return err ? err : reach(p, pages, *level, table);
}

/* As many of @pages, of 2^@lg2 bytes, as one table holds. */
ISIM_INLINE int map_some(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                         const struct iommusim_map_pages *pages, unsigned lg2, uint64_t *done)
{
	unsigned level = (lg2 - 12) / 9, run = words_lg2(lg2), found;
	void *table = pt_start(w, p, pages->iova, level, &found);
	struct pt_span at;
	uint64_t nr;

	/* A table that was found before is not the first one: the tree is large enough. */
	if (ISIM_UNLIKELY(found != level || level == p->top)) {
		int err = find_table(p, pages, lg2, &level, &table);

		if (err)
			return err;
	}
	at = (struct pt_span){ table, pt_index(w, p, pages->iova, level), 0, level };
	nr = level == (lg2 - 12) / 9 ? (512 - at.index) >> run : 1;
	nr = nr < pages->count ? nr : pages->count;
	at.nr = nr << run;
	if (level && pt_look(w, at.table, at.index, at.nr).any)
		make_way(p, at, pages->iova);
	write_pages(w, p, pages, at, lg2);
	*done = nr;
	return 0;
}

ISIM_INLINE int map_sized(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                          const struct iommusim_map_pages *pages, unsigned lg2, uint64_t *mapped)
{
	struct iommusim_map_pages left;
	uint64_t done;
	int err = pages->count ? map_some(w, p, pages, lg2, &done) : 0;

	if (ISIM_UNLIKELY(err || !pages->count))
		return err;
	*mapped = done << lg2;
	if (ISIM_LIKELY(done == pages->count))
		return 0;
	left = *pages;
	do {
		left.iova += done << lg2;
		left.pa += done << lg2;
		left.count -= done;
		err = map_some(w, p, &left, lg2, &done);
		if (err)
			return err;
		*mapped += done << lg2;
	} while (done < left.count);
	return 0;
}

/* With the usual sizes their logarithm is a constant. */
ISIM_INLINE int map(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                    const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	if (!isim_is_pow2(pages->pgsize) || pages->pgsize < 4096)
		return -IOMMUSIM_EINVAL;
	if ((pages->iova | pages->pa) & (pages->pgsize - 1))
		return isim_pgtable_bug(p, "an address is no multiple of the page size",
		                        pages->iova);
	if (!pt_has_access(pages))
		return -IOMMUSIM_EINVAL;
	if (ISIM_LIKELY(pages->pgsize == PT_BIT(12)))
		return map_sized(w, p, pages, 12, mapped);
	if (pages->pgsize == PT_BIT(21))
		return map_sized(w, p, pages, 21, mapped);
	return map_sized(w, p, pages, isim_low_bit(pages->pgsize), mapped);
}

/* ---- Looking up ---- */

/* A word and where it is. */
struct found {
	void *table; /* NULL: nothing is found */
	uint64_t index, word;
	unsigned level;
};

/* A page, or whatever word of level 0 there is. */
static struct found look_up(const struct iommusim_pgtable *p, uint64_t iova)
{
	struct found f = { .table = NULL };

	if (is_beyond(p, iova))
		return f;
	f.table = pt_start(&amd_v1, p, iova, 0, &f.level);
	while (f.table) {
		enum isim_word_kind is;

		f.index = pt_index(&amd_v1, p, iova, f.level);
		f.word = pt_get(&amd_v1, f.table, f.index);
		is = kind(p, f.word, f.level);
		if (!f.level || is == ISIM_WORD_LEAF)
			break;
		f.table = is == ISIM_WORD_EMPTY ? NULL : pt_below(&amd_v1, p, f.word, f.level);
		f.level--;
	}
	return f;
}

ISIM_INLINE uint64_t translate(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                               uint64_t iova)
{
	const void *table = p->root;
	unsigned level = p->top;
	uint64_t index, word, mask;

	if (is_beyond(p, iova))
		return 0;
	for (;;) {
		index = pt_index(w, p, iova, level);
		word = pt_get(w, table, index);
		if (!level || kind(p, word, level) != ISIM_WORD_TABLE)
			break;
		table = pt_below(w, p, word, level--);
		if (!table)
			return 0;
	}
	mask = PT_BIT(pt_shift(w, level)) - 1;
	if (ISIM_UNLIKELY((word & NEXT(7)) == NEXT(7))) {
		mask = PT_BIT(encoded_lg2(word)) - 1;
		word = pt_get(w, table, first_of(index, word));
	}
	return word & PR ? (word & ADDR & ~mask) + (iova & mask) : 0;
}

/* ---- Unmapping ---- */

/* Words of level 0 from f->index on that are pages of 4K or holes, up to @bytes; 0: none. */
ISIM_INLINE uint64_t plain_words(const struct isim_pgtable_words *w,
                                 const struct iommusim_pgtable *p, const struct found *f,
                                 uint64_t bytes)
{
	uint64_t nr = pt_room(w, p, 0, f->index, ((bytes - 1) >> 12) + 1);

	if (f->level || f->word & NEXT(7))
		return 0;
	return pt_look(w, f->table, f->index, nr).any & NEXT(7) ? 1 : nr;
}

/*
 * What is at *iova, which moves on: a page, or up to @bytes of 4K, where holes count. The bytes, 0:
 * there is nothing.
 */
ISIM_INLINE uint64_t unmap_some(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                uint64_t *iova, uint64_t bytes,
                                const struct iommusim_pgtable_flush *flush)
{
	struct found f = look_up(p, *iova);
	uint64_t nr, size, nr_plain;

	if (!f.table)
		return 0;
	if (!f.level)
		pt_remember(w, p, *iova, 0, f.table);
	nr_plain = plain_words(w, p, &f, bytes);
	nr = nr_plain ? nr_plain : PT_BIT(run_lg2(p, f.word, f.level));
	size = PT_BIT(leaf_lg2(p, f.word, f.level));
	pt_wipe(w, p, (struct pt_span){ f.table, first_of(f.index, f.word), nr, f.level });
	*iova = isim_align_down(*iova, size);
	pt_flush_leaves(flush, *iova, size, nr_plain ? nr_plain : 1);
	if (nr_plain)
		size *= nr_plain;
	*iova += size;
	return size;
}

ISIM_INLINE uint64_t unmap(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           const struct iommusim_map_pages *pages,
                           const struct iommusim_pgtable_flush *flush)
{
	uint64_t bytes = pages->pgsize * pages->count, done = 0, iova = pages->iova;

	if (!isim_is_pow2(pages->pgsize) || pages->pgsize < 4096)
		return 0;
	while (done < bytes) {
		uint64_t some = unmap_some(w, p, &iova, bytes - done, flush);

		if (!some)
			break;
		done += some;
	}
	return done;
}

ISIM_PGTABLE_OPS_WITH(amd_v1, map, unmap, translate);

/* ---- Configuration ---- */

static uint64_t pgsizes_of(const struct iommusim_pgtable_config *c)
{
	if (c->kernel < IOMMUSIM_KERNEL(6, 12))
		return PGSIZES_6_1;
	return c->pgsizes == PGSIZES_SMALL || c->pgsizes == PGSIZES_V2 ? c->pgsizes : PGSIZES_6_12;
}

static int configure(struct iommusim_pgtable *p)
{
	p->ops = &amd_v1_ops;
	p->info.pgsizes = pgsizes_of(&p->config);
	p->info.ias = 52;
	p->info.oas = 52;
	isim_pgtable_set_geometry(p, &amd_v1, FIRST_LEVELS, 9, 12);
	for (unsigned level = FIRST_LEVELS; level < MAX_LEVELS; level++)
		p->table_bytes[level] = 4096;
	return isim_pgtable_check_quirks(p, 0);
}

static const struct isim_pgtable_impl impl = { .configure = configure, .stage2 = ISIM_NEST_AMD };

const struct iommusim_pgtable_format iommusim_pgtable_amd_v1 = {
	.name = "amd-v1",
	.kernel_name = "amd_v1",
	.source = "AMD I/O Virtualization Technology Specification (48882), 2.2.3: host tables",
	.summary = "AMD IOMMU v1 (host) tables: every power of two, three to six levels",
	.word_bytes = 8,
	.impl = &impl,
};
