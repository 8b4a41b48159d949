/* SPDX-License-Identifier: MIT */
/*
 * TI OMAP and Renesas SH-Mobile: like Arm's short descriptors, without permissions; a page of 64K,
 * and OMAP's of 16M, is 16 equal words. Models drivers/iommu/omap-iommu.c, Linux 6.1 and 6.12: an
 * unmap takes the whole page that it meets, and frees a table that it empties. And
 * drivers/iommu/shmobile-iommu.c of Linux 3.9 to 4.x: a page of 64K goes only from its start,
 * unmapping 1M frees the table. Simplifies: an OMAP page that is there is -EEXIST; of a section of
 * SH-Mobile, too, a part takes all at its start. Differs: a call does what lies in one table, where
 * Linux does one page. Unsure: whether a smaller unmap at a multiple of 1M frees SH-Mobile's table,
 * too; here it does not.
 */
#include "pgtable/ops.h"

#define TABLE PT_BIT(0)
#define LARGE PT_BIT(0)
#define PAGE  PT_BIT(1) /* a section at level 1, a small page at level 0 */
#define TYPE  PT_BITS(1, 0)

#define SUPER PT_BIT(18) /* OMAP: a section that is one of 16 */

/* SH-Mobile: what else every word has. */
#define SH_SECTION UINT64_C(0xc00)
#define SH_PAGE    UINT64_C(0xff0)

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!(word & TYPE))
		return ISIM_WORD_EMPTY;
	return level && (word & TYPE) == TABLE ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return (all & TYPE) == PAGE && (any & TYPE) == PAGE && !(level && any & SUPER);
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | attributes;
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (uint32_t)pa | TABLE;
}

static unsigned omap_run_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (level)
		return word & SUPER ? 4 : 0;
	return (word & TYPE) == LARGE ? 4 : 0;
}

static unsigned sh_run_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return !level && (word & TYPE) == LARGE ? 4 : 0;
}

static uint64_t omap_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (level && (word & TYPE) == TABLE)
		return word & PT_BITS(31, 10);
	return word & PT_BITS(31, 12 + 8 * level + omap_run_lg2(p, word, level));
}

static uint64_t sh_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (level && (word & TYPE) == TABLE)
		return word & PT_BITS(31, 10);
	return word & PT_BITS(31, 12 + 8 * level + sh_run_lg2(p, word, level));
}

static uint64_t omap_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	if (form & ISIM_FORM_UPPER)
		return PAGE | (form & ISIM_FORM_RUN ? SUPER : 0);
	return form & ISIM_FORM_RUN ? LARGE : PAGE;
}

static uint64_t sh_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	if (form & ISIM_FORM_UPPER)
		return PAGE | SH_SECTION;
	return SH_PAGE | (form & ISIM_FORM_RUN ? LARGE : PAGE);
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE;
}

static enum iommusim_fault_cause fault(const struct iommusim_pgtable *p, uint64_t word,
                                       unsigned level)
{
	return (word & TYPE) == TYPE ? IOMMUSIM_FAULT_RESERVED : IOMMUSIM_FAULT_NONE;
}

static const uint8_t indices[IOMMUSIM_MAX_LEVELS] = { 8, 12 };

#define WORDS(who, partly, frees)                                                          \
	{                                                                                  \
		.word_bytes = 4, .nr_levels = 2, .granule_lg2 = 12, .index_lg2 = 8,        \
		.indices = indices, .linear_lg2 = 32, .even_lg2 = 32, .partial = (partly), \
		.frees_empty_tables = (frees), .kind = kind, .are_leaves = are_leaves,     \
		.leaf = leaf, .table = table, .address = who##_address,                    \
		.attributes = who##_attributes, .prot = prot, .run_lg2 = who##_run_lg2,    \
		.fault = fault                                                             \
	}

static const struct isim_pgtable_words omap = WORDS(omap, ISIM_PARTIAL_WHOLE, 1);
static const struct isim_pgtable_words shmobile = WORDS(sh, ISIM_PARTIAL_START, 0);

ISIM_PGTABLE_OPS(omap);
ISIM_PGTABLE_OPS(shmobile);

/* ---- Configuration ---- */

static int omap_configure(struct iommusim_pgtable *p)
{
	uint64_t pgsizes = PT_BIT(12) | PT_BIT(16) | PT_BIT(20) | PT_BIT(24);
	int err = isim_pgtable_fit(p, &omap_ops, pgsizes, 32, 32);

	if (err)
		return err;
	isim_pgtable_set_geometry(p, &omap, 2, 12, 10);
	isim_pgtable_add_run(p, 0, 4, 16);
	isim_pgtable_add_run(p, 1, 4, 24);
	return 0;
}

/* The first table has as many words as the addresses ask for. */
static int shmobile_configure(struct iommusim_pgtable *p)
{
	uint64_t pgsizes = PT_BIT(12) | PT_BIT(16) | PT_BIT(20);
	int err = isim_pgtable_fit(p, &shmobile_ops, pgsizes, 32, 32);

	if (!err && p->info.ias < 20)
		err = isim_fail(&p->diag, IOMMUSIM_EINVAL, "shmobile has an ias of 20 .. 32");
	if (err)
		return err;
	isim_pgtable_set_geometry(p, &shmobile, 2, p->info.ias - 20, 10);
	isim_pgtable_add_run(p, 0, 4, 16);
	return 0;
}

static const struct isim_pgtable_impl omap_impl = {
	.configure = omap_configure, .ias = 32, .oas = 32, .arena_start = 0x40000000
};
static const struct isim_pgtable_impl shmobile_impl = {
	.configure = shmobile_configure, .ias = 31, .oas = 32, .arena_start = 0x40000000
};

const struct iommusim_pgtable_format iommusim_pgtable_omap = {
	.name = "omap",
	.kernel_name = "omap_iommu",
	.source = "OMAP4430 Technical Reference Manual, memory management units",
	.summary = "TI OMAP: 4K, 64K, 1M, 16M of 32-bit addresses, no permissions",
	.word_bytes = 4,
	.impl = &omap_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_shmobile = {
	.name = "shmobile",
	.kernel_name = "shmobile_ipmmu",
	.source = "words that Linux 3.9 writes",
	.summary = "Renesas SH-Mobile IPMMU: 4K, 64K, 1M of 32-bit addresses, no permissions",
	.word_bytes = 4,
	.impl = &shmobile_impl,
};
