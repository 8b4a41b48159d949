/* SPDX-License-Identifier: MIT */
/*
 * Arm short descriptors (v7s), MediaTek's included: pages one after the other, what was done before
 * an error stays; part of a page that is 16 words makes 16 pages of it, part of a section a table.
 * Models drivers/iommu/io-pgtable-arm-v7s.c, Linux 6.1 and 6.12, with its defect: the pages of a
 * section that is split lead to physical address 0 and on, unless config.section_split is FIXED.
 * Differs: sizes other than 4K, 64K, 1M and 16M are refused, and so are 16 words that would run
 * over the end of a table.
 */
#include "pgtable/ops.h"
#include "pgtable/v7s_words.h"

#define PGSIZES (PT_BIT(12) | PT_BIT(16) | PT_BIT(20) | PT_BIT(24))

#define WORDS(prefix, linear)                                                                \
	{                                                                                    \
		.word_bytes = 4, .nr_levels = 2, .granule_lg2 = 12, .index_lg2 = 8,          \
		.shifts = v7s_shifts, .indices = v7s_indices, .linear_lg2 = (linear),        \
		.even_lg2 = 32, .partial = ISIM_PARTIAL_SPLIT, .kind = v7s_kind,             \
		.leaf = prefix##_leaf, .table = prefix##_table, .address = prefix##_address, \
		.attributes = v7s_attributes_of, .prot = v7s_prot, .run_lg2 = v7s_run_lg2,   \
		.fault = v7s_fault                                                           \
	}

static const struct isim_pgtable_words v7s = WORDS(v7s, 32);
static const struct isim_pgtable_words v7s_mtk = WORDS(v7s_mtk, 35);

/* Words of a table that are there. */
static uint64_t words_of(const struct iommusim_pgtable *p, unsigned level)
{
	return level ? PT_BIT(p->root_index_lg2) : 256;
}

/* ---- Mapping ---- */

/* For one page. Words before one that is in the way have been freed, but not written. */
static int make_way(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                    struct pt_span at, uint64_t iova)
{
	for (uint64_t end = at.index + at.nr; at.index < end; at.index++) {
		uint64_t word = pt_get(w, at.table, at.index);

		if (w->kind(p, word, at.level) == ISIM_WORD_TABLE)
			pt_clear_table(w, p, at, iova, NULL);
		else if (word)
			return -IOMMUSIM_EEXIST;
	}
	return 0;
}

/* As many of @pages as one table holds; *done gets their number, with an error, too. */
ISIM_INLINE int map_some(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                         const struct iommusim_map_pages *pages, struct isim_pgtable_place place,
                         uint64_t *done)
{
	struct pt_span at = { .level = place.level };
	uint64_t bits, nr;
	void *table;
	int err = isim_pgtable_reserve(p);

	*done = 0;
	if (!err)
		err = pt_reach(w, p, pages, at.level, &table);
	if (ISIM_UNLIKELY(err))
		return err;
	at.table = table;
	at.index = pt_index(w, p, pages->iova, at.level);
	nr = (words_of(p, at.level) - at.index) >> place.run_lg2;
	nr = nr < pages->count ? nr : pages->count;
	at.nr = nr << place.run_lg2;
	bits = pt_attributes(p, pages->prot, at.level, place.run_lg2);
	if (ISIM_UNLIKELY(!nr))
		return -IOMMUSIM_EFAULT;
	if (ISIM_LIKELY(!pt_look(w, at.table, at.index, at.nr).any)) {
		pt_write_runs(w, at, pages->pa, bits, place.run_lg2);
		*done = nr;
		return 0;
	}
	at.nr = PT_BIT(place.run_lg2);
	for (; !err && *done < nr; at.index += at.nr) {
		uint64_t pa = pages->pa + *done * pages->pgsize;

		err = make_way(w, p, at, pages->iova);
		if (!err)
			pt_write_runs(w, at, pa, bits, place.run_lg2);
		*done += !err;
	}
	return err;
}

ISIM_INLINE int map_sized(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                          const struct iommusim_map_pages *pages, struct isim_pgtable_place place,
                          uint64_t *mapped)
{
	uint64_t size = PT_BIT(pt_shift(w, place.level) + place.run_lg2), done;
	int err = map_some(w, p, pages, place, &done);
	struct iommusim_map_pages left;

	*mapped = done * size;
	if (ISIM_LIKELY(done == pages->count) || err)
		return err;
	left = *pages;
	do {
		left.iova += done * size;
		left.pa += done * size;
		left.count -= done;
		err = map_some(w, p, &left, place, &done);
		*mapped += done * size;
	} while (!err && done < left.count);
	return err;
}

/* With the usual sizes the place is a constant. */
ISIM_INLINE int map(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                    const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct isim_pgtable_place place;

	if (pages->iova & p->iova_high || pages->pa & p->pa_high)
		return -IOMMUSIM_ERANGE;
	if (!pt_has_access(pages))
		return -IOMMUSIM_EINVAL;
	if (!pages->count)
		return 0;
	if (ISIM_LIKELY(pages->pgsize == PT_BIT(12)))
		return map_sized(w, p, pages, (struct isim_pgtable_place){ 0, 0 }, mapped);
	if (pages->pgsize == PT_BIT(20))
		return map_sized(w, p, pages, (struct isim_pgtable_place){ 1, 0 }, mapped);
	place = pt_place(p, pages->pgsize);
	return place.level == ISIM_NO_LEVEL ? -IOMMUSIM_EINVAL
	                                    : map_sized(w, p, pages, place, mapped);
}

/* ---- Unmapping ---- */

/* The 16 words around @index become pages of their own. The first of them. */
static uint64_t break_run(const struct isim_pgtable_words *w, void *table, uint64_t index,
                          unsigned level)
{
	uint64_t first = isim_align_down(index, 16);
	uint64_t word = v7s_from_run(pt_get(w, table, index), level);

	pt_fill(w, (struct pt_span){ table, first, 16, level }, word, PT_BIT(pt_shift(w, level)));
	return word;
}

static void tell_of_lost_address(const struct iommusim_pgtable *p, uint64_t iova)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_ADDRESS_LOST,
		                        .iova = isim_align_down(iova, PT_BIT(20)),
		                        .size = PT_BIT(20) };

	if (isim_wants_events(&p->diag))
		isim_event(&p->diag, &event);
}

/* Fill @table with what is left of a section, without the page of the request. */
static void fill_split(const struct isim_pgtable_words *w, struct iommusim_pgtable *p, void *table,
                       const struct iommusim_map_pages *page, uint64_t section)
{
	unsigned run_lg2 = pt_place(p, page->pgsize).run_lg2;
	uint64_t bits = pt_attributes(p, v7s_prot_of(section, 1), 0, run_lg2), pa = 0;
	uint64_t hole = pt_index(w, p, page->iova, 0), each = PT_BIT(run_lg2);

	if (p->config.section_split == IOMMUSIM_SPLIT_FIXED)
		pa = w->address(p, section, 1);
	else
		tell_of_lost_address(p, page->iova);
	for (uint64_t i = 0; i < 256; i += each, pa += page->pgsize)
		if (i != hole)
			pt_write_runs(w, (struct pt_span){ table, i, each, 0 }, pa, bits, run_lg2);
}

/*
 * A table in the place of the section *@entry, whose word was @section when it was looked at. The
 * bytes unmapped.
 */
static uint64_t split_section(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                              uint32_t *entry, const struct iommusim_map_pages *page,
                              uint64_t section)
{
	uint64_t pa, now = pt_get(w, entry, 0);

	/* In all but the first section of what was a supersection. */
	if (p->config.section_split == IOMMUSIM_SPLIT_FIXED)
		section = now;
	if (isim_pgtable_new(p, 0, isim_pgtable_atomic(p), &pa))
		return 0;
	if (now != section) {
		isim_pgtable_drop(p, pa, 0);
		return 0;
	}
	fill_split(w, p, isim_pgtable_at(p, pa, 0), page, section);
	pt_put(w, entry, 0, w->table(p, pa, 1));
	return page->pgsize;
}

/* Are the words there, all of them? */
static int are_valid(const struct isim_pgtable_words *w, const struct iommusim_pgtable *p,
                     struct pt_span at)
{
	for (uint64_t i = at.index; i < at.index + at.nr; i++)
		if (i >= words_of(p, at.level) || !(pt_get(w, at.table, i) & V7S_TYPE))
			return 0;
	return 1;
}

static void clear_words(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                        struct pt_span at, uint64_t iova,
                        const struct iommusim_pgtable_flush *flush)
{
	uint64_t step = PT_BIT(pt_shift(w, at.level));

	for (uint64_t end = at.index + at.nr; at.index < end; at.index++, iova += step) {
		uint64_t word = pt_get(w, at.table, at.index);

		if (w->kind(p, word, at.level) == ISIM_WORD_TABLE) {
			pt_clear_table(w, p, at, iova, flush);
			continue;
		}
		pt_put(w, at.table, at.index, 0);
		pt_flush_leaves(flush, iova, step, 1);
	}
}

/* One page. Its bytes, 0: it is not there. */
static uint64_t unmap_page(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           const struct iommusim_map_pages *page, struct isim_pgtable_place place,
                           const struct iommusim_pgtable_flush *flush)
{
	struct pt_span at = { .table = p->root, .level = 1 };

	for (; at.table; at.level--) {
		uint64_t word;

		at.index = pt_index(w, p, page->iova, at.level);
		at.nr = at.level == place.level ? PT_BIT(place.run_lg2) : 1;
		if (!are_valid(w, p, at))
			return 0;
		word = pt_get(w, at.table, at.index);
		if (at.nr == 1 && v7s_is_run(word, at.level))
			word = break_run(w, at.table, at.index, at.level);
		if (at.level == place.level) {
			clear_words(w, p, at, page->iova, flush);
			return page->pgsize;
		}
		if (w->kind(p, word, at.level) == ISIM_WORD_LEAF) {
			uint64_t done =
				split_section(w, p, (uint32_t *)at.table + at.index, page, word);

			pt_flush_leaves(flush, page->iova, page->pgsize, done != 0);
			return done;
		}
		at.table = pt_below(w, p, word, at.level);
	}
	return 0;
}

/*
 * The usual case: as many of @pages as one table holds, all of them there and none of them part of
 * something larger. Their number; 0: it is not that case.
 */
ISIM_INLINE uint64_t unmap_some(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                const struct iommusim_map_pages *pages,
                                struct isim_pgtable_place place,
                                const struct iommusim_pgtable_flush *flush)
{
	uint64_t run = PT_BIT(place.run_lg2), index = pt_index(w, p, pages->iova, place.level);
	uint64_t nr = (words_of(p, place.level) - index) >> place.run_lg2;
	uint64_t upper = place.level ? V7S_SUPER : 0;
	struct pt_summary s;
	unsigned level;
	void *table = pt_start(w, p, pages->iova, place.level, &level);

	nr = nr < pages->count ? nr : pages->count;
	if (level != place.level) {
		uint64_t word = pt_get(w, table, pt_index(w, p, pages->iova, level));

		table = NULL;
		if (w->kind(p, word, level) == ISIM_WORD_TABLE)
			table = pt_below(w, p, word, level);
		if (table)
			pt_remember(w, p, pages->iova, 0, table);
	}
	if (!table || !nr)
		return 0;
	s = pt_look(w, table, index, nr << place.run_lg2);
	/* All small pages, sections or supersections, or all large pages: no hole. */
	if (!(s.all & V7S_SMALL) && (run == 1 || !(s.all & V7S_LARGE)))
		return 0;
	if (run == 1 && s.any & upper)
		return 0;
	pt_wipe(w, p, (struct pt_span){ table, index, nr << place.run_lg2, place.level });
	pt_flush_leaves(flush, pages->iova, pages->pgsize, nr);
	return nr;
}

/* The slow way, one page after the other, until one is not there. The bytes. */
static uint64_t unmap_one_by_one(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                 const struct iommusim_map_pages *pages,
                                 struct isim_pgtable_place place,
                                 const struct iommusim_pgtable_flush *flush)
{
	struct iommusim_map_pages left = *pages;
	uint64_t done = 0;

	while (left.count) {
		uint64_t nr = unmap_some(w, p, &left, place, flush);

		if (!nr && !isim_pgtable_reserve(p))
			nr = unmap_page(w, p, &left, place, flush) != 0;
		if (!nr)
			break;
		done += nr * left.pgsize;
		left.iova += nr * left.pgsize;
		left.count -= nr;
	}
	return done;
}

ISIM_INLINE uint64_t unmap_sized(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                                 const struct iommusim_map_pages *pages,
                                 struct isim_pgtable_place place,
                                 const struct iommusim_pgtable_flush *flush)
{
	uint64_t size = PT_BIT(pt_shift(w, place.level) + place.run_lg2);
	uint64_t nr = unmap_some(w, p, pages, place, flush);
	struct iommusim_map_pages left;

	if (ISIM_LIKELY(nr == pages->count))
		return nr * size;
	left = *pages;
	left.iova += nr * size;
	left.count -= nr;
	return nr * size + unmap_one_by_one(w, p, &left, place, flush);
}

ISIM_INLINE uint64_t unmap(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           const struct iommusim_map_pages *pages,
                           const struct iommusim_pgtable_flush *flush)
{
	struct isim_pgtable_place place;

	if (pages->iova & p->iova_high || !pages->count)
		return 0;
	if (ISIM_LIKELY(pages->pgsize == PT_BIT(12)))
		return unmap_sized(w, p, pages, (struct isim_pgtable_place){ 0, 0 }, flush);
	if (pages->pgsize == PT_BIT(20))
		return unmap_sized(w, p, pages, (struct isim_pgtable_place){ 1, 0 }, flush);
	place = pt_place(p, pages->pgsize);
	return place.level == ISIM_NO_LEVEL ? 0 : unmap_sized(w, p, pages, place, flush);
}

ISIM_PGTABLE_OPS_WITH(v7s, map, unmap, pt_iova_to_phys);
ISIM_PGTABLE_OPS_WITH(v7s_mtk, map, unmap, pt_iova_to_phys);

/* ---- Configuration ---- */

#define QUIRKS                                                                          \
	(IOMMUSIM_QUIRK_ARM_NS | IOMMUSIM_QUIRK_NO_PERMS | IOMMUSIM_QUIRK_ARM_MTK_EXT | \
	 IOMMUSIM_QUIRK_ARM_MTK_TTBR_EXT)

static int check(struct iommusim_pgtable *p)
{
	uint32_t quirks = p->config.quirks;
	int is_mtk = (quirks & IOMMUSIM_QUIRK_ARM_MTK_EXT) != 0;

	if (p->config.ias > (is_mtk ? 34u : 32u) || p->config.oas > (is_mtk ? 35u : 32u) ||
	    p->config.ias < 20)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "short descriptors have ias 20 .. 32 and oas up to 32, MediaTek's "
		                 "34 and 35; not %u and %u",
		                 p->config.ias, p->config.oas);
	if ((is_mtk && !(quirks & IOMMUSIM_QUIRK_NO_PERMS)) ||
	    (!is_mtk && quirks & IOMMUSIM_QUIRK_ARM_MTK_TTBR_EXT))
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "ARM_MTK_EXT needs NO_PERMS, and ARM_MTK_TTBR_EXT needs it");
	return isim_pgtable_check_quirks(p, QUIRKS);
}

static int configure(struct iommusim_pgtable *p)
{
	int is_mtk = (p->config.quirks & IOMMUSIM_QUIRK_ARM_MTK_EXT) != 0, err = check(p);
	uint64_t page = isim_bit(p->config.page_shift);

	if (err)
		return err;
	p->ops = is_mtk ? &v7s_mtk_ops : &v7s_ops;
	p->info.pgsizes = p->config.pgsizes & PGSIZES;
	p->info.ias = p->config.ias;
	p->info.oas = p->config.oas;
	p->info.prrr = UINT32_C(0x800b8204);
	p->info.nmrr = UINT32_C(0x40004000);
	isim_pgtable_set_geometry(p, &v7s, 2, p->info.ias - 20, 10);
	isim_pgtable_add_run(p, 0, 4, 16);
	isim_pgtable_add_run(p, 1, 4, 24);
	if (p->table_bytes[1] < page)
		p->table_bytes[1] = p->info.root_bytes = page;
	return 0;
}

static void set_root(struct iommusim_pgtable *p)
{
	uint64_t root = p->info.root;

	if (p->config.quirks & IOMMUSIM_QUIRK_ARM_MTK_EXT)
		p->info.ttbr = (root & UINT32_MAX) | root >> 32;
	else
		p->info.ttbr = root | 2 | (p->config.is_noncoherent ? 0 : 0x68);
}

/* Addresses of tables have 32 bits, with ARM_MTK_TTBR_EXT as many as those of pages. */
static int holds_table(const struct iommusim_pgtable *p, uint64_t pa)
{
	return !(pa >> (p->config.quirks & IOMMUSIM_QUIRK_ARM_MTK_TTBR_EXT ? p->info.oas : 32));
}

static const struct isim_pgtable_impl impl = { .configure = configure,
	                                       .stage1 = ISIM_NEST_ARM_64 | ISIM_NEST_ARM_32,
	                                       .set_root = set_root,
	                                       .ias = 32,
	                                       .oas = 32,
	                                       .arena_start = 0x40000000,
	                                       .bad_table = IOMMUSIM_ENOMEM,
	                                       .holds_table = holds_table };

const struct iommusim_pgtable_format iommusim_pgtable_arm_v7s = {
	.name = "arm-v7s",
	.kernel_name = "arm_v7s",
	.source = "Arm Architecture Reference Manual (DDI 0406), B3.5, short descriptors",
	.summary = "Arm short descriptors, 32-bit: MediaTek (quirks ARM_MTK_EXT), Qualcomm, SMMUv1",
	.quirks = QUIRKS,
	.word_bytes = 4,
	.impl = &impl,
};
