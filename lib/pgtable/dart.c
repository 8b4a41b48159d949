/* SPDX-License-Identifier: MIT */
/*
 * Apple DART: two levels with one page size, and up to four first tables, as many as the address
 * has values above them. Addresses beyond that alias: no range is checked. Models
 * drivers/iommu/io-pgtable-dart.c, Linux 6.1 and 6.12.
 */
#include "pgtable/ops.h"

#define VALID       PT_BIT(0)
#define SP_DIS      PT_BIT(1)       /* set whatever the protection, in DART 2 too */
#define SUBPAGE_END PT_BITS(51, 40) /* the whole page */
#define ADDR_1      PT_BITS(35, 12)
#define NO_WRITE_1  PT_BIT(7)
#define NO_READ_1   PT_BIT(8)
#define ADDR_2      PT_BITS(37, 10) /* of the address shifted by 4: bits 13:12 of it are lost */
#define NO_WRITE_2  PT_BIT(2)
#define NO_READ_2   PT_BIT(3)

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!(word & VALID))
		return ISIM_WORD_EMPTY;
	return level ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return !level && (all & VALID);
}

static uint64_t leaf_1(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa & ADDR_1) | attributes;
}

static uint64_t leaf_2(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa >> 4 & ADDR_2) | attributes;
}

static uint64_t table_1(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa & ADDR_1) | VALID;
}

static uint64_t table_2(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa >> 4 & ADDR_2) | VALID;
}

static uint64_t address_1(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & ADDR_1;
}

static uint64_t address_2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & ADDR_2) << 4;
}

static uint64_t attributes_1(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return VALID | SP_DIS | SUBPAGE_END | (prot & IOMMUSIM_PROT_READ ? 0 : NO_READ_1) |
	       (prot & IOMMUSIM_PROT_WRITE ? 0 : NO_WRITE_1);
}

static uint64_t attributes_2(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return VALID | SP_DIS | SUBPAGE_END | (prot & IOMMUSIM_PROT_READ ? 0 : NO_READ_2) |
	       (prot & IOMMUSIM_PROT_WRITE ? 0 : NO_WRITE_2);
}

static unsigned prot_1(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & NO_READ_1 ? 0 : IOMMUSIM_PROT_READ) |
	       (word & NO_WRITE_1 ? 0 : IOMMUSIM_PROT_WRITE);
}

static unsigned prot_2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & NO_READ_2 ? 0 : IOMMUSIM_PROT_READ) |
	       (word & NO_WRITE_2 ? 0 : IOMMUSIM_PROT_WRITE);
}

/* A page of DART 2 with 4K loses two bits of its address: no run of words rises evenly. */
#define WORDS(version, granule, index, linear)                                                   \
	{                                                                                        \
		.word_bytes = 8, .nr_levels = 2, .granule_lg2 = (granule), .index_lg2 = (index), \
		.linear_lg2 = (linear), .even_lg2 = (linear), .partial = ISIM_PARTIAL_REFUSE,    \
		.has_roots = 1, .is_aliasing = 1, .kind = kind, .are_leaves = are_leaves,        \
		.leaf = leaf_##version, .table = table_##version, .address = address_##version,  \
		.attributes = attributes_##version, .prot = prot_##version                       \
	}

static const struct isim_pgtable_words dart1_4k = WORDS(1, 12, 9, 36);
static const struct isim_pgtable_words dart1_16k = WORDS(1, 14, 11, 36);
static const struct isim_pgtable_words dart2_4k = WORDS(2, 12, 9, 0);
static const struct isim_pgtable_words dart2_16k = WORDS(2, 14, 11, 42);

ISIM_PGTABLE_OPS(dart1_4k);
ISIM_PGTABLE_OPS(dart1_16k);
ISIM_PGTABLE_OPS(dart2_4k);
ISIM_PGTABLE_OPS(dart2_16k);

static int check(struct iommusim_pgtable *p)
{
	const struct iommusim_pgtable_config *c = &p->config;

	if (c->is_noncoherent || (c->oas != 36 && c->oas != 42) || c->ias > c->oas ||
	    (c->pgsizes != PT_BIT(12) && c->pgsizes != PT_BIT(14)))
		return isim_fail(
			&p->diag, IOMMUSIM_EINVAL,
			"DART has a coherent walk, an oas of 36 or 42, an ias up to it and "
			"pages of either 4K or 16K");
	return isim_pgtable_check_quirks(p, 0);
}

static int configure(struct iommusim_pgtable *p, const struct isim_pgtable_ops *const ops[2])
{
	unsigned lg2, bits;
	int err = check(p);

	if (err)
		return err;
	p->ops = ops[p->config.pgsizes == PT_BIT(14)];
	lg2 = p->ops->words->index_lg2;
	bits = p->ops->words->granule_lg2 + 2 * lg2;
	p->info.pgsizes = p->config.pgsizes;
	p->info.ias = p->config.ias;
	p->info.oas = p->config.oas;
	isim_pgtable_set_geometry(p, p->ops->words, 2, lg2, p->config.page_shift);
	p->info.nr_roots = p->info.ias > bits ? 1u << (p->info.ias - bits) : 1;
	if (p->info.nr_roots <= ISIM_MAX_ROOTS)
		return 0;
	return isim_fail(&p->diag, IOMMUSIM_EINVAL, "ias %u needs more than four first tables",
	                 p->info.ias);
}

static int dart1_configure(struct iommusim_pgtable *p)
{
	static const struct isim_pgtable_ops *const ops[] = { &dart1_4k_ops, &dart1_16k_ops };

	return configure(p, ops);
}

static int dart2_configure(struct iommusim_pgtable *p)
{
	static const struct isim_pgtable_ops *const ops[] = { &dart2_4k_ops, &dart2_16k_ops };

	return configure(p, ops);
}

static const struct isim_pgtable_impl dart1_impl = { .configure = dart1_configure,
	                                             .ias = 32,
	                                             .oas = 36 };
static const struct isim_pgtable_impl dart2_impl = { .configure = dart2_configure,
	                                             .ias = 32,
	                                             .oas = 42 };

const struct iommusim_pgtable_format iommusim_pgtable_dart1 = {
	.name = "dart1",
	.kernel_name = "apple_dart",
	.source = "words that Linux 6.1 and 6.12 write; Apple publishes no manual",
	.summary = "Apple DART t8103 (M1): two levels, one page size",
	.word_bytes = 8,
	.impl = &dart1_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_dart2 = {
	.name = "dart2",
	.kernel_name = "apple_dart2",
	.source = "words that Linux 6.1 and 6.12 write; Apple publishes no manual",
	.summary = "Apple DART t6000, t8110 (M1 Pro, M2): 42-bit addresses, shifted by 4",
	.word_bytes = 8,
	.impl = &dart2_impl,
};
