/* SPDX-License-Identifier: MIT */
/*
 * Nvidia Tegra SMMU (Tegra30 to Tegra210): two tables of 1024 words, pages of 4K; words of both
 * tell permissions, the first ones grant all. Models drivers/iommu/tegra-smmu.c, Linux 6.1 and
 * 6.12: a table without pages is freed. Differs: a call does what lies in one table, where Linux
 * does one page.
 */
#include "pgtable/ops.h"

#define R    PT_BIT(31)
#define W    PT_BIT(30)
#define NS   PT_BIT(29) /* not secure */
#define NEXT PT_BIT(28) /* leads to a table */
#define PFN  PT_BITS(21, 0)

#define MAX_OAS 34

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!word)
		return ISIM_WORD_EMPTY;
	return level && word & NEXT ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

/* A word of the first table without NEXT would be a page of 4M, which Linux never makes. */
static enum iommusim_fault_cause fault(const struct iommusim_pgtable *p, uint64_t word,
                                       unsigned level)
{
	return (word & ~(R | W | NS | NEXT | PFN)) || !(word & NEXT) != !level
	               ? IOMMUSIM_FAULT_RESERVED
	               : IOMMUSIM_FAULT_NONE;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return !level && all & NS;
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa >> 12 & PFN) | attributes;
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa >> 12 & PFN) | R | W | NS | NEXT;
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & PFN) << 12;
}

static uint64_t attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return NS | (prot & IOMMUSIM_PROT_READ ? R : 0) | (prot & IOMMUSIM_PROT_WRITE ? W : 0);
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & R ? IOMMUSIM_PROT_READ : 0) | (word & W ? IOMMUSIM_PROT_WRITE : 0);
}

static const struct isim_pgtable_words tegra_smmu = {
	.word_bytes = 4,
	.nr_levels = 2,
	.granule_lg2 = 12,
	.index_lg2 = 10,
	.linear_lg2 = MAX_OAS,
	.even_lg2 = MAX_OAS,
	.partial = ISIM_PARTIAL_REFUSE,
	.frees_empty_tables = 1,
	.kind = kind,
	.are_leaves = are_leaves,
	.leaf = leaf,
	.table = table,
	.address = address,
	.attributes = attributes,
	.prot = prot,
	.fault = fault,
};

ISIM_PGTABLE_OPS(tegra_smmu);

static int configure(struct iommusim_pgtable *p)
{
	int err = isim_pgtable_fit(p, &tegra_smmu_ops, PT_BIT(12), 32, MAX_OAS);

	if (!err)
		isim_pgtable_set_geometry(p, &tegra_smmu, 2, 10, 12);
	return err;
}

/* As the register PTB_DATA holds it. */
static void set_root(struct iommusim_pgtable *p)
{
	p->info.ttbr = R | W | NS | p->info.root >> 12;
}

static const struct isim_pgtable_impl impl = { .configure = configure,
	                                       .set_root = set_root,
	                                       .ias = 32,
	                                       .oas = MAX_OAS,
	                                       .arena_start = 0x40000000 };

const struct iommusim_pgtable_format iommusim_pgtable_tegra_smmu = {
	.name = "tegra-smmu",
	.kernel_name = "tegra_smmu",
	.source = "Tegra K1 Technical Reference Manual, memory controller",
	.summary = "Nvidia Tegra30 to Tegra210: 4K of addresses of 32 or 34 bits",
	.word_bytes = 4,
	.impl = &impl,
};
