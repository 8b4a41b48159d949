/* SPDX-License-Identifier: MIT */
/*
 * s390 zPCI: region-third, segment and page table of big-endian words, pages of 4K. Models
 * drivers/iommu/s390-iommu.c, Linux 6.1 and 6.12: an unmapped word keeps its address and becomes
 * invalid; no table is freed before the domain is; in 6.1 a map asks for READ, and every size from
 * 4K on is so many pages of it.
 */
#include "pgtable/ops.h"

#define RT_TABLE    UINT64_C(0x7)  /* region-third: its type, and a table of full length */
#define NO_TABLE    UINT64_C(0x20) /* region-third and segment */
#define PAGE_RDONLY UINT64_C(0x200)
#define PAGE_NONE   UINT64_C(0x400)
#define IOTA        UINT64_C(0x804) /* of the register: what the first table is */

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (word & (level ? NO_TABLE : PAGE_NONE))
		return ISIM_WORD_EMPTY;
	return level ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return !level && !(any & PAGE_NONE);
}

static int are_empty(uint64_t all, uint64_t any, unsigned level)
{
	return (all & (level ? NO_TABLE : PAGE_NONE)) != 0;
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | attributes;
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return pa | (level == 2 ? RT_TABLE : 0);
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	/* The last is that of the register. */
	static const uint8_t low[IOMMUSIM_MAX_LEVELS] = { 12, 11, 14, 12 };

	return word & ~(PT_BIT(low[level]) - 1);
}

static uint64_t attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return prot & IOMMUSIM_PROT_WRITE ? 0 : PAGE_RDONLY;
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | (word & PAGE_RDONLY ? 0 : IOMMUSIM_PROT_WRITE);
}

static uint64_t empty(const struct iommusim_pgtable *p, unsigned level)
{
	return level ? NO_TABLE : PAGE_NONE;
}

static uint64_t cleared(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word | (level ? NO_TABLE : PAGE_NONE);
}

static const uint8_t shifts[IOMMUSIM_MAX_LEVELS] = { 12, 20, 31 };
static const uint8_t indices[IOMMUSIM_MAX_LEVELS] = { 8, 11, 11 };

static const struct isim_pgtable_words s390 = {
	.word_bytes = 8,
	.is_big_endian = 1,
	.nr_levels = 3,
	.granule_lg2 = 12,
	.shifts = shifts,
	.indices = indices,
	.linear_lg2 = 63,
	.even_lg2 = 63,
	.partial = ISIM_PARTIAL_REFUSE,
	.sizes_are_counts = 1,
	.kind = kind,
	.are_leaves = are_leaves,
	.are_empty = are_empty,
	.leaf = leaf,
	.table = table,
	.address = address,
	.attributes = attributes,
	.prot = prot,
	.empty = empty,
	.cleared = cleared,
};

ISIM_INLINE int map(const struct isim_pgtable_words *w, struct iommusim_pgtable *p,
                    const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	if (p->config.kernel < IOMMUSIM_KERNEL(6, 12) && !(pages->prot & IOMMUSIM_PROT_READ))
		return -IOMMUSIM_EINVAL;
	return pt_map(w, p, pages, mapped);
}

ISIM_PGTABLE_OPS_WITH(s390, map, pt_unmap, pt_iova_to_phys);

static int configure(struct iommusim_pgtable *p)
{
	int is_old = p->config.kernel < IOMMUSIM_KERNEL(6, 12);
	int err = isim_pgtable_fit(p, &s390_ops, is_old ? PT_BITS(63, 12) : PT_BIT(12), 42, 63);

	if (!err)
		isim_pgtable_set_geometry(p, &s390, 3, 11, 11);
	return err;
}

static void set_root(struct iommusim_pgtable *p)
{
	p->info.ttbr = p->info.root | IOTA;
}

static const struct isim_pgtable_impl impl = {
	.configure = configure, .set_root = set_root, .ias = 42, .oas = 63
};

const struct iommusim_pgtable_format iommusim_pgtable_s390_zpci = {
	.name = "s390-zpci",
	.kernel_name = "s390_iommu",
	.source =
		"words that Linux 6.1 and 6.12 write; like z/Architecture's, which the Principles "
		"of Operation tell",
	.summary = "s390 zPCI: three levels of big-endian words, 4K",
	.word_bytes = 8,
	.impl = &impl,
};
