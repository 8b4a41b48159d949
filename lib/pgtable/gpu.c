/* SPDX-License-Identifier: MIT */
/*
 * MMUs inside of GPUs, and of Intel's image processor, with two tables of 1024 words, or, Vivante's
 * first, with one: lima (Mali 400), etnaviv, IPU 3 and 6. Empty entries of etnaviv's first and of
 * the IPU lead to a page of their own, at the IPU by a table of such; those of etnaviv's second
 * raise an exception. Models the drivers of Linux 6.1 and 6.12. Simplifies: a table of lima is a
 * page of its own, not an eighth of 32 KiB. Differs: a page that is there is -EEXIST, what lies
 * outside of a window -ERANGE, and the page of the empty entries cannot be mapped.
 */
#include "pgtable/ops.h"

#define LOW_PFN PT_BITS(31, 12)

#define LIMA_PRESENT PT_BIT(0)
#define LIMA_PAGE    UINT64_C(0x1df) /* present, readable, writable, cached in every way */

#define ETNA_PRESENT   PT_BIT(0)
#define ETNA_EXCEPTION PT_BIT(1)
#define ETNA_W         PT_BIT(2)

static unsigned all_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE;
}

static uint64_t no_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return 0;
}

/* PRESENT of lima and of etnaviv is one bit. */
static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return !level && all & LIMA_PRESENT;
}

static enum isim_word_kind filled(unsigned level)
{
	return level ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

/* ---- lima ---- */

static enum isim_word_kind lima_kind(const struct iommusim_pgtable *p, uint64_t word,
                                     unsigned level)
{
	return word & LIMA_PRESENT ? filled(level) : ISIM_WORD_EMPTY;
}

static uint64_t lima_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | LIMA_PAGE;
}

static uint64_t lima_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa & LOW_PFN) | LIMA_PRESENT;
}

static uint64_t lima_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & LOW_PFN;
}

/* ---- etnaviv, first: one table of addresses ---- */

static enum isim_word_kind etna1_kind(const struct iommusim_pgtable *p, uint64_t word,
                                      unsigned level)
{
	return (word & LOW_PFN) == p->blank_page ? ISIM_WORD_EMPTY : ISIM_WORD_LEAF;
}

static uint64_t etna1_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa;
}

static uint64_t etna1_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & LOW_PFN;
}

static uint64_t etna1_empty(const struct iommusim_pgtable *p, unsigned level)
{
	return p->blank_page;
}

/* ---- etnaviv, second: bits 39:32 of a page at 11:4 ---- */

static enum isim_word_kind etna2_kind(const struct iommusim_pgtable *p, uint64_t word,
                                      unsigned level)
{
	return word & ETNA_PRESENT ? filled(level) : ISIM_WORD_EMPTY;
}

static uint64_t etna2_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa & LOW_PFN) | (pa >> 32 & 0xff) << 4 | attributes;
}

static uint64_t etna2_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa & LOW_PFN) | ETNA_PRESENT;
}

static uint64_t etna2_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & LOW_PFN) | (level ? 0 : (word >> 4 & 0xff) << 32);
}

static uint64_t etna2_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return ETNA_PRESENT | (prot & IOMMUSIM_PROT_WRITE ? ETNA_W : 0);
}

static unsigned etna2_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | (word & ETNA_W ? IOMMUSIM_PROT_WRITE : 0);
}

static uint64_t etna2_empty(const struct iommusim_pgtable *p, unsigned level)
{
	return ETNA_EXCEPTION;
}

/* ---- IPU: page numbers ---- */

static enum isim_word_kind ipu_kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word == p->empty[level] ? ISIM_WORD_EMPTY : filled(level);
}

static uint64_t ipu_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa >> 12;
}

static uint64_t ipu_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (uint32_t)(pa >> 12);
}

static uint64_t ipu_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word << 12;
}

static uint64_t ipu_empty(const struct iommusim_pgtable *p, unsigned level)
{
	return (level ? p->blank_table : p->blank_page) >> 12;
}

/* ---- The engines ---- */

#define WORDS(who, bits, even, to_attributes, to_prot, ...)                            \
	static const struct isim_pgtable_words who = { .word_bytes = 4,                \
		                                       .granule_lg2 = 12,              \
		                                       .linear_lg2 = (bits),           \
		                                       .even_lg2 = (even),             \
		                                       .partial = ISIM_PARTIAL_REFUSE, \
		                                       .kind = who##_kind,             \
		                                       .leaf = who##_leaf,             \
		                                       .address = who##_address,       \
		                                       .attributes = to_attributes,    \
		                                       .prot = to_prot,                \
		                                       __VA_ARGS__ };                  \
	ISIM_PGTABLE_OPS(who)

WORDS(lima, 32, 32, no_attributes, all_prot, .nr_levels = 2, .index_lg2 = 10,
      .are_leaves = are_leaves, .table = lima_table);
WORDS(etna1, 32, 32, no_attributes, all_prot, .nr_levels = 1, .index_lg2 = 26, .is_bounded = 1,
      .has_window = 1, .empty = etna1_empty);
WORDS(etna2, 40, 32, etna2_attributes, etna2_prot, .nr_levels = 2, .index_lg2 = 10,
      .are_leaves = are_leaves, .table = etna2_table, .empty = etna2_empty);
WORDS(ipu, 44, 44, no_attributes, all_prot, .nr_levels = 2, .index_lg2 = 10, .has_blanks = 1,
      .table = ipu_table, .empty = ipu_empty);

/* ---- Configuration ---- */

static int configure(struct iommusim_pgtable *p, const struct isim_pgtable_ops *ops, unsigned oas)
{
	int err = isim_pgtable_fit(p, ops, PT_BIT(12), 32, oas);

	if (!err)
		isim_pgtable_set_geometry(p, ops->words, 2, 10, 12);
	return err;
}

static int lima_configure(struct iommusim_pgtable *p)
{
	return configure(p, &lima_ops, 32);
}

static int etna1_configure(struct iommusim_pgtable *p)
{
	return isim_pgtable_fit_window(p, &etna1_ops, PT_BIT(12), 31, 32);
}

static int etna2_configure(struct iommusim_pgtable *p)
{
	return configure(p, &etna2_ops, 40);
}

static int ipu_configure(struct iommusim_pgtable *p)
{
	return configure(p, &ipu_ops, 39);
}

#define FORMAT(id, title, kernel, what, who, in, out, ...)                                 \
	static const struct isim_pgtable_impl who##_impl = { .configure = who##_configure, \
		                                             .ias = (in),                  \
		                                             .oas = (out),                 \
		                                             .arena_start = 0x40000000,    \
		                                             __VA_ARGS__ };                \
	const struct iommusim_pgtable_format iommusim_pgtable_##id = {                     \
		.name = title,                                                             \
		.kernel_name = kernel,                                                     \
		.source = "words that Linux 6.1 and 6.12 write",                           \
		.summary = what,                                                           \
		.word_bytes = 4,                                                           \
		.impl = &who##_impl,                                                       \
	}

FORMAT(lima, "lima", "lima_mmu", "Mali 400 and 450: 4K of 32-bit addresses, no permissions", lima,
       32, 32, .window_start = 0);
FORMAT(etnaviv_v1, "etnaviv-v1", "etnaviv_iommu_v1",
       "Vivante, first MMU: one table for 2 GiB at 2 GiB, no permissions", etna1, 31, 32,
       .window_start = 0x80000000, .blank_page_bytes = 4096);
FORMAT(etnaviv_v2, "etnaviv-v2", "etnaviv_iommu_v2", "Vivante, second MMU: 4K of 40-bit addresses",
       etna2, 32, 40, .window_start = 0);
FORMAT(ipu_mmu, "ipu-mmu", "ipu_mmu",
       "Intel IPU3 and IPU6 image processors: 4K of page numbers, no permissions", ipu, 32, 39,
       .blank_page_bytes = 4096);
