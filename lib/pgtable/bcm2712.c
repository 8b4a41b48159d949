/* SPDX-License-Identifier: MIT */
/*
 * Broadcom BCM2712 (Raspberry Pi 5, a driver outside of Linux): two levels for a window of 2 GiB at
 * 40 GiB. A page of 64K, 1M or 4M is as many words of 4K, each with the size and a page number of
 * its own; pages of 16K and 2M are words of the next smaller size. Unsure: that a table covers 4M,
 * the largest page, and what becomes of a larger page of which a part is unmapped; here nothing.
 */
#include "pgtable/ops.h"

#define SIZE_SHIFT 30 /* 0: 4K, 1: 64K, 2: 1M, 3: 4M */
#define W          PT_BIT(29)
#define VALID      PT_BIT(28)
#define PFN        PT_BITS(27, 0)

#define PGSIZES UINT64_C(0x715000)

/* log2 of the words of a page, by the size field. */
static const uint8_t runs[] = { 0, 4, 8, 10 };

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!(word & VALID))
		return ISIM_WORD_EMPTY;
	return level ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return !level && all & VALID && !(any >> SIZE_SHIFT & 3);
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa >> 12 & PFN) | attributes;
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa >> 12 & PFN) | VALID;
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & PFN) << 12;
}

/* The size field is where other formats have CACHE and NOEXEC: map() puts it there. */
static uint64_t attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return VALID | (prot & IOMMUSIM_PROT_WRITE ? W : 0) |
	       (uint64_t)(prot >> 2 & 3) << SIZE_SHIFT;
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | (word & W ? IOMMUSIM_PROT_WRITE : 0);
}

static unsigned run_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return level ? 0 : runs[word >> SIZE_SHIFT & 3];
}

static const uint8_t indices[IOMMUSIM_MAX_LEVELS] = { 10, 9 };

static const struct isim_pgtable_words bcm2712 = {
	.word_bytes = 4,
	.nr_levels = 2,
	.granule_lg2 = 12,
	.index_lg2 = 10,
	.indices = indices,
	.linear_lg2 = 40,
	.even_lg2 = 40,
	.partial = ISIM_PARTIAL_REFUSE,
	.runs_rise = 1,
	.is_bounded = 1,
	.has_window = 1,
	.kind = kind,
	.are_leaves = are_leaves,
	.leaf = leaf,
	.table = table,
	.address = address,
	.attributes = attributes,
	.prot = prot,
	.run_lg2 = run_lg2,
};

/* ---- Sizes that words have ---- */

static int has_size(const struct iommusim_pgtable *p, uint64_t pgsize)
{
	return pt_has_size(p, pgsize) && !(pgsize & (pgsize - 1));
}

/* The same bytes in pages that words can tell, and with their size field. */
static struct iommusim_map_pages in_words(const struct iommusim_map_pages *pages)
{
	struct iommusim_map_pages in = *pages;
	unsigned lg2 = isim_low_bit(pages->pgsize) - 12, field = 3, more;

	while (runs[field] > lg2)
		field--;
	more = lg2 - runs[field];
	in.pgsize >>= more;
	in.count = pages->count > UINT64_MAX >> more ? UINT64_MAX : pages->count << more;
	in.prot = (pages->prot & 3) | field << 2;
	return in;
}

ISIM_INLINE int map(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                    const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct iommusim_map_pages in;
	int err;

	if (!has_size(p, pages->pgsize))
		return -IOMMUSIM_EINVAL;
	if (pages->count > pt_window_room(w, p, pages) || pages->pa & p->pa_high ||
	    pt_is_out_of_range(w, p, pages->iova))
		return -IOMMUSIM_ERANGE;
	if (!pt_has_access(pages))
		return -IOMMUSIM_EINVAL;
	err = isim_pgtable_reserve(p);
	if (err)
		return err;
	in = in_words(pages);
	return pt_map_pages(w, p, &in, mapped);
}

ISIM_INLINE uint64_t unmap(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                           const struct iommusim_map_pages *pages,
                           const struct iommusim_pgtable_flush *flush)
{
	struct iommusim_map_pages in;

	if (!has_size(p, pages->pgsize) || !pages->count || pt_is_out_of_range(w, p, pages->iova))
		return 0;
	in = in_words(pages);
	return pt_unmap_pages(w, p, &in, flush);
}

ISIM_PGTABLE_OPS_WITH(bcm2712, map, unmap, pt_iova_to_phys);

static int configure(struct iommusim_pgtable *p)
{
	int err;

	if (p->config.ias < 22)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "linear-bcm2712 has an ias of 22 .. 31");
	err = isim_pgtable_fit_window(p, &bcm2712_ops, PGSIZES, 31, 40);
	for (unsigned i = 1; !err && i < ISIM_ARRAY_LEN(runs); i++)
		isim_pgtable_add_run(p, 0, runs[i], 12 + runs[i]);
	return err;
}

static const struct isim_pgtable_impl impl = {
	.configure = configure, .ias = 31, .oas = 40, .window_start = UINT64_C(0xa00000000)
};

const struct iommusim_pgtable_format iommusim_pgtable_linear_bcm2712 = {
	.name = "linear-bcm2712",
	.kernel_name = "bcm2712_iommu",
	.source = "words that the driver of Raspberry Pi's kernel writes",
	.summary = "Broadcom BCM2712 (Raspberry Pi 5): 4K, 64K, 1M, 4M in 2 GiB at 40 GiB",
	.word_bytes = 4,
	.impl = &impl,
};
