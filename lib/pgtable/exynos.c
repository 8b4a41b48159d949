/* SPDX-License-Identifier: MIT */
/*
 * Samsung Exynos System MMU, versions 1 to 3 and 5: sections of 1M, below them pages of 64K, which
 * are 16 equal words, and 4K. Empty entries of the first table lead to one empty table. Models
 * drivers/iommu/exynos-iommu.c, Linux 6.1 and 6.12: part of a larger page is not unmapped, a table
 * goes when a section is mapped over it and it is empty, else that is -EEXIST (differs: Linux has
 * another code for it). Differs: a call does what lies in one table, where Linux does one page.
 */
#include "pgtable/ops.h"

#define TABLE   PT_BIT(0)
#define SECTION PT_BIT(1)
#define LARGE   PT_BIT(0)
#define SMALL   PT_BIT(1)
#define TYPE    PT_BITS(1, 0)

/* Versions 1 to 3: readable; read-only. */
#define V1_SECT_ACCESS PT_BIT(10)
#define V1_SECT_RDONLY PT_BIT(15)
#define V1_ACCESS      PT_BIT(4)
#define V1_RDONLY      PT_BIT(9)

/* Version 5, where words hold the address shifted by 4: 1 readable, 2 writable. */
#define V5_PROT_SHIFT      2
#define V5_SECT_PROT_SHIFT 4

#define PGSIZES (PT_BIT(12) | PT_BIT(16) | PT_BIT(20))

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!(word & TYPE) || (level && word == p->empty[1]))
		return ISIM_WORD_EMPTY;
	return level && (word & TYPE) == TABLE ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return (all & TYPE) == SMALL && (any & TYPE) == SMALL;
}

static unsigned run_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return !level && (word & TYPE) == LARGE ? 4 : 0;
}

/* Bits of the address that a word has no part of. */
static unsigned page_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (level)
		return (word & TYPE) == TABLE ? 10 : 20;
	return run_lg2(p, word, level) ? 16 : 12;
}

static enum iommusim_fault_cause fault(const struct iommusim_pgtable *p, uint64_t word,
                                       unsigned level)
{
	return (word & TYPE) == TYPE ? IOMMUSIM_FAULT_RESERVED : IOMMUSIM_FAULT_NONE;
}

static uint64_t empty(const struct iommusim_pgtable *p, unsigned level)
{
	return level ? p->ops->words->table(p, p->blank_table, level) : 0;
}

/* ---- Versions 1 to 3 ---- */

static uint64_t v1_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | attributes;
}

static uint64_t v1_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (uint32_t)pa | TABLE;
}

static uint64_t v1_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & ~(PT_BIT(page_lg2(p, word, level)) - 1);
}

/* What may be written may be read. */
static uint64_t v1_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	unsigned is_readonly = !(prot & IOMMUSIM_PROT_WRITE);

	if (form & ISIM_FORM_UPPER)
		return SECTION | V1_SECT_ACCESS | (is_readonly ? V1_SECT_RDONLY : 0);
	return (form & ISIM_FORM_RUN ? LARGE : SMALL) | V1_ACCESS | (is_readonly ? V1_RDONLY : 0);
}

static unsigned v1_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!(word & (level ? V1_SECT_ACCESS : V1_ACCESS)))
		return 0;
	return IOMMUSIM_PROT_READ |
	       (word & (level ? V1_SECT_RDONLY : V1_RDONLY) ? 0 : IOMMUSIM_PROT_WRITE);
}

/* ---- Version 5 ---- */

static uint64_t v5_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa >> 4 | attributes;
}

static uint64_t v5_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (uint32_t)(pa >> 4) | TABLE;
}

static uint64_t v5_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word << 4 & ~(PT_BIT(page_lg2(p, word, level)) - 1);
}

static uint64_t v5_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	uint64_t access = prot & (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE);

	if (form & ISIM_FORM_UPPER)
		return SECTION | access << V5_SECT_PROT_SHIFT;
	return (form & ISIM_FORM_RUN ? LARGE : SMALL) | access << V5_PROT_SHIFT;
}

static unsigned v5_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word >> (level ? V5_SECT_PROT_SHIFT : V5_PROT_SHIFT) &
	       (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE);
}

static const uint8_t indices[IOMMUSIM_MAX_LEVELS] = { 8, 12 };

#define WORDS(version, bits)                                                                      \
	{                                                                                         \
		.word_bytes = 4, .nr_levels = 2, .granule_lg2 = 12, .index_lg2 = 8,               \
		.indices = indices, .linear_lg2 = (bits), .even_lg2 = (bits),                     \
		.partial = ISIM_PARTIAL_REFUSE, .keeps_tables = 1, .has_blanks = 1, .kind = kind, \
		.are_leaves = are_leaves, .leaf = version##_leaf, .table = version##_table,       \
		.address = version##_address, .attributes = version##_attributes,                 \
		.prot = version##_prot, .run_lg2 = run_lg2, .empty = empty, .fault = fault        \
	}

static const struct isim_pgtable_words v1 = WORDS(v1, 32);
static const struct isim_pgtable_words v5 = WORDS(v5, 36);

ISIM_PGTABLE_OPS(v1);
ISIM_PGTABLE_OPS(v5);

/* ---- Configuration ---- */

static int configure(struct iommusim_pgtable *p, const struct isim_pgtable_ops *ops, unsigned oas)
{
	int err = isim_pgtable_fit(p, ops, PGSIZES, 32, oas);

	if (err)
		return err;
	isim_pgtable_set_geometry(p, ops->words, 2, 12, 10);
	isim_pgtable_add_run(p, 0, 4, 16);
	return 0;
}

static int v1_configure(struct iommusim_pgtable *p)
{
	return configure(p, &v1_ops, 32);
}

static int v5_configure(struct iommusim_pgtable *p)
{
	return configure(p, &v5_ops, 36);
}

static const struct isim_pgtable_impl v1_impl = {
	.configure = v1_configure, .ias = 32, .oas = 32, .arena_start = 0x40000000
};
static const struct isim_pgtable_impl v5_impl = {
	.configure = v5_configure, .ias = 32, .oas = 36, .arena_start = 0x40000000
};

const struct iommusim_pgtable_format iommusim_pgtable_exynos_v1 = {
	.name = "exynos-v1",
	.kernel_name = "exynos_sysmmu_v1",
	.source = "words that Linux 6.1 and 6.12 write; Samsung publishes no manual",
	.summary = "Samsung Exynos System MMU 1 to 3: 4K, 64K, 1M of 32-bit addresses",
	.word_bytes = 4,
	.impl = &v1_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_exynos_v5 = {
	.name = "exynos-v5",
	.kernel_name = "exynos_sysmmu_v5",
	.source = "words that Linux 6.1 and 6.12 write; Samsung publishes no manual",
	.summary = "Samsung Exynos System MMU 5 and later: 4K, 64K, 1M of 36-bit addresses",
	.word_bytes = 4,
	.impl = &v5_impl,
};
