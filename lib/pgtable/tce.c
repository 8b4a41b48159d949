/* SPDX-License-Identifier: MIT */
/*
 * IBM Power's translation control entries (TCE): one table of big-endian words for a window, whose
 * pages have one size from 4K to 16G. Simplifies: tables of several levels (PowerNV) are one.
 * Differs: what lies outside of the window is -ERANGE, a page that is there -EEXIST.
 */
#include "pgtable/ops.h"

#define R PT_BIT(0)
#define W PT_BIT(1)

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & (R | W) ? ISIM_WORD_LEAF : ISIM_WORD_EMPTY;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return (all & (R | W)) != 0;
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | attributes;
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & ~(PT_BIT(p->ops->words->granule_lg2) - 1);
}

static uint64_t attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return (prot & IOMMUSIM_PROT_READ ? R : 0) | (prot & IOMMUSIM_PROT_WRITE ? W : 0);
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & R ? IOMMUSIM_PROT_READ : 0) | (word & W ? IOMMUSIM_PROT_WRITE : 0);
}

#define WORDS(page)                                          \
	static const struct isim_pgtable_words tce##page = { \
		.word_bytes = 8,                             \
		.is_big_endian = 1,                          \
		.nr_levels = 1,                              \
		.granule_lg2 = (page),                       \
		.index_lg2 = 26,                             \
		.linear_lg2 = 63,                            \
		.even_lg2 = 63,                              \
		.partial = ISIM_PARTIAL_REFUSE,              \
		.is_bounded = 1,                             \
		.has_window = 1,                             \
		.kind = kind,                                \
		.are_leaves = are_leaves,                    \
		.leaf = leaf,                                \
		.address = address,                          \
		.attributes = attributes,                    \
		.prot = prot,                                \
	};                                                   \
	ISIM_PGTABLE_OPS(tce##page)

WORDS(12);
WORDS(16);
WORDS(21);
WORDS(24);
WORDS(28);
WORDS(34);

/* The smallest page size that is configured and exists. */
static int configure(struct iommusim_pgtable *p)
{
	static const struct isim_pgtable_ops *const ops[] = { &tce12_ops, &tce16_ops, &tce21_ops,
		                                              &tce24_ops, &tce28_ops, &tce34_ops };

	for (size_t i = 0; i < ISIM_ARRAY_LEN(ops); i++) {
		uint64_t size = PT_BIT(ops[i]->words->granule_lg2);

		if (!p->config.pgsizes || p->config.pgsizes & size)
			return isim_pgtable_fit_window(p, ops[i], size, 64, 63);
	}
	return isim_fail(&p->diag, IOMMUSIM_EINVAL,
	                 "linear-tce has pages of 4K, 64K, 2M, 16M, 256M or 16G");
}

static const struct isim_pgtable_impl impl = { .configure = configure, .ias = 31, .oas = 63 };

const struct iommusim_pgtable_format iommusim_pgtable_linear_tce = {
	.name = "linear-tce",
	.kernel_name = "spapr_tce",
	.source = "Linux on Power Architecture Platform Reference, translation control entries",
	.summary = "IBM Power: one table of big-endian words, one page size from 4K to 16G",
	.word_bytes = 8,
	.impl = &impl,
};
