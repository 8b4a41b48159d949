/* SPDX-License-Identifier: MIT */
/*
 * Allwinner sun50i (H6): 4096 words of 1M, tables of 256 pages of 4K; a number stands for the
 * permissions. Models drivers/iommu/sun50i-iommu.c, Linux 6.1 and 6.12; no table is freed before
 * the domain is. Differs: a call does what lies in one table, where Linux does one page.
 */
#include "pgtable/ops.h"

#define TABLE     PT_BIT(0)
#define VALID     PT_BIT(1)
#define ACI_SHIFT 4 /* access control index */
#define ACI       PT_BITS(7, 4)

enum { ACI_NONE = 1, ACI_READ, ACI_WRITE, ACI_READ_WRITE };

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (level)
		return word & TABLE ? ISIM_WORD_TABLE : ISIM_WORD_EMPTY;
	return word & VALID ? ISIM_WORD_LEAF : ISIM_WORD_EMPTY;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return !level && all & VALID;
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | attributes;
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (uint32_t)pa | TABLE;
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & PT_BITS(31, level ? 10 : 12);
}

static uint64_t attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	static const uint8_t aci[] = { ACI_NONE, ACI_READ, ACI_WRITE, ACI_READ_WRITE };

	return VALID | (uint64_t)aci[prot & (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)]
	                       << ACI_SHIFT;
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	uint64_t aci = (word & ACI) >> ACI_SHIFT;

	return aci >= ACI_NONE && aci <= ACI_READ_WRITE ? (unsigned)aci - ACI_NONE : 0;
}

static const uint8_t indices[IOMMUSIM_MAX_LEVELS] = { 8, 12 };

static const struct isim_pgtable_words sun50i = {
	.word_bytes = 4,
	.nr_levels = 2,
	.granule_lg2 = 12,
	.index_lg2 = 8,
	.indices = indices,
	.linear_lg2 = 32,
	.even_lg2 = 32,
	.partial = ISIM_PARTIAL_REFUSE,
	.kind = kind,
	.are_leaves = are_leaves,
	.leaf = leaf,
	.table = table,
	.address = address,
	.attributes = attributes,
	.prot = prot,
};

ISIM_PGTABLE_OPS(sun50i);

static int configure(struct iommusim_pgtable *p)
{
	int err = isim_pgtable_fit(p, &sun50i_ops, PT_BIT(12), 32, 32);

	if (!err)
		isim_pgtable_set_geometry(p, &sun50i, 2, 12, 10);
	return err;
}

static const struct isim_pgtable_impl impl = {
	.configure = configure, .ias = 32, .oas = 32, .arena_start = 0x40000000
};

const struct iommusim_pgtable_format iommusim_pgtable_sun50i = {
	.name = "sun50i",
	.kernel_name = "sun50i_iommu",
	.source = "words that Linux 6.1 and 6.12 write",
	.summary = "Allwinner H6: 4K of 32-bit addresses",
	.word_bytes = 4,
	.impl = &impl,
};
