/* SPDX-License-Identifier: MIT */
/*
 * SPARC64's IOMMU: one table, pages of 8K; empty entries lead to a page of their own. Models
 * arch/sparc/kernel/iommu.c. Simplifies: the context is 0, nothing goes through the streaming
 * buffer, every page is cacheable. Differs: what lies outside of the window is -ERANGE, a page that
 * is there -EEXIST, and the page of the empty entries cannot be mapped. Unsure: the words' byte
 * order, here little-endian, and the window, here 4 GiB from 0 unless configured.
 */
#include "pgtable/ops.h"

#define VALID     PT_BIT(63)
#define CACHEABLE PT_BIT(4)
#define W         PT_BIT(1)
#define ADDR      PT_BITS(46, 13)

#define PAGE_LG2 13u

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & VALID && (word & ADDR) != p->blank_page ? ISIM_WORD_LEAF : ISIM_WORD_EMPTY;
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa & ADDR) | attributes;
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & ADDR;
}

static uint64_t attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return VALID | CACHEABLE | (prot & IOMMUSIM_PROT_WRITE ? W : 0);
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | (word & W ? IOMMUSIM_PROT_WRITE : 0);
}

static uint64_t empty(const struct iommusim_pgtable *p, unsigned level)
{
	return p->blank_page | VALID | CACHEABLE;
}

static const struct isim_pgtable_words sparc64 = {
	.word_bytes = 8,
	.nr_levels = 1,
	.granule_lg2 = PAGE_LG2,
	.index_lg2 = 26,
	.linear_lg2 = 47,
	.even_lg2 = 47,
	.partial = ISIM_PARTIAL_REFUSE,
	.is_bounded = 1,
	.has_window = 1,
	.kind = kind,
	.leaf = leaf,
	.address = address,
	.attributes = attributes,
	.prot = prot,
	.empty = empty,
};

ISIM_PGTABLE_OPS(sparc64);

static int configure(struct iommusim_pgtable *p)
{
	return isim_pgtable_fit_window(p, &sparc64_ops, PT_BIT(PAGE_LG2), 39, 47);
}

static const struct isim_pgtable_impl impl = {
	.configure = configure, .ias = 32, .oas = 47, .blank_page_bytes = PT_BIT(PAGE_LG2)
};

const struct iommusim_pgtable_format iommusim_pgtable_linear_sparc64 = {
	.name = "linear-sparc64",
	.kernel_name = "sparc64_iommu",
	.source = "words that Linux writes; like the UltraSPARC IIi User's Manual's",
	.summary = "SPARC64: one table, pages of 8K",
	.word_bytes = 8,
	.impl = &impl,
};
