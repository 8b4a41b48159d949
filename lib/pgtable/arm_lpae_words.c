/* SPDX-License-Identifier: MIT */
/*
 * Arm long descriptors, 64-bit, stage 1 and stage 2, granules of 4K, 16K and 64K. Levels are
 * counted from the leaves here; Arm counts them from the root, so its level 3 is level 0.
 */
#include "pgtable/arm_lpae.h"
#include "pgtable/ops.h"

#define VALID PT_BIT(0)
#define PAGE  PT_BITS(1, 0) /* at level 0; above: a table */
#define ADDR  PT_BITS(47, 12)

#define ATTRINDX(n) ((uint64_t)(n) << 2) /* stage 1: into MAIR */
#define MEMATTR(n)  ((uint64_t)(n) << 2) /* stage 2 */
#define NS          PT_BIT(5)
#define AP_UNPRIV   PT_BIT(6) /* stage 1 */
#define AP_RDONLY   PT_BIT(7)
#define HAP_READ    PT_BIT(6) /* stage 2 */
#define HAP_WRITE   PT_BIT(7)
#define SH_OUTER    (UINT64_C(2) << 8)
#define SH_INNER    (UINT64_C(3) << 8)
#define AF          PT_BIT(10)
#define NG          PT_BIT(11)
#define DBM         PT_BIT(51)
#define CONTIGUOUS  PT_BIT(52)
#define XN          PT_BITS(54, 53)

/* Attribute indices; 0 is not cacheable. */
#define INDEX_CACHE 1
#define INDEX_DEV   2

/* ---- Words ---- */

/* At level 0 what is not a page (a word that software never writes) counts as one. */
static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!word)
		return ISIM_WORD_EMPTY;
	return level && (word & PAGE) == PAGE ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

/* Above level 0 a leaf differs from a table in bit 1; at level 0 of Mali it is not set either. */
static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return (all & VALID) != 0 && (!level || !(any & PT_BIT(1)));
}

/* Bits 51:48 of an address lie in bits 15:12 of the word. */
static uint64_t encode(uint64_t pa)
{
	return (pa | pa >> 36) & ADDR;
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return encode(pa) | attributes | (level ? VALID : PAGE);
}

/* Mali has blocks at level 0, too. */
static uint64_t mali_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return encode(pa) | attributes | VALID;
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return encode(pa) | p->table_flags | PAGE;
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & ADDR;
}

static uint64_t address_64k(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return ((word & ADDR) | (word & ADDR) << 36) & PT_BITS(51, 16);
}

static uint64_t shared_attributes(unsigned prot, unsigned form)
{
	return AF | (form & ISIM_FORM_RUN ? CONTIGUOUS : 0) |
	       (prot & IOMMUSIM_PROT_CACHE ? SH_INNER : SH_OUTER) |
	       (prot & IOMMUSIM_PROT_NOEXEC ? XN : 0);
}

static uint64_t s1_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	uint64_t word = shared_attributes(prot, form) | NG;

	if (prot & IOMMUSIM_PROT_MMIO)
		word |= ATTRINDX(INDEX_DEV);
	else if (prot & IOMMUSIM_PROT_CACHE)
		word |= ATTRINDX(INDEX_CACHE);
	if (!(prot & IOMMUSIM_PROT_PRIV))
		word |= AP_UNPRIV;
	if (!(prot & IOMMUSIM_PROT_WRITE))
		word |= AP_RDONLY;
	else if (p->config.quirks & IOMMUSIM_QUIRK_ARM_HD)
		word |= DBM;
	if (p->config.quirks & IOMMUSIM_QUIRK_ARM_NS)
		word |= NS;
	return word;
}

static unsigned s1_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	unsigned prot = IOMMUSIM_PROT_READ;

	prot |= word & AP_RDONLY ? 0 : IOMMUSIM_PROT_WRITE;
	prot |= word & AP_UNPRIV ? 0 : IOMMUSIM_PROT_PRIV;
	prot |= word & XN ? IOMMUSIM_PROT_NOEXEC : 0;
	prot |= (word & SH_INNER) == SH_INNER ? IOMMUSIM_PROT_CACHE : 0;
	return prot | ((word & ATTRINDX(7)) == ATTRINDX(INDEX_DEV) ? IOMMUSIM_PROT_MMIO : 0);
}

static uint64_t s2_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	uint64_t word = shared_attributes(prot, form);

	if (prot & IOMMUSIM_PROT_MMIO)
		word |= MEMATTR(0x1);
	else if (prot & IOMMUSIM_PROT_CACHE)
		word |= MEMATTR(0xf);
	else
		word |= MEMATTR(0x5);
	return word | (prot & IOMMUSIM_PROT_READ ? HAP_READ : 0) |
	       (prot & IOMMUSIM_PROT_WRITE ? HAP_WRITE : 0);
}

static unsigned s2_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	unsigned prot = word & HAP_READ ? IOMMUSIM_PROT_READ : 0;

	prot |= word & HAP_WRITE ? IOMMUSIM_PROT_WRITE : 0;
	prot |= word & XN ? IOMMUSIM_PROT_NOEXEC : 0;
	prot |= (word & SH_INNER) == SH_INNER ? IOMMUSIM_PROT_CACHE : 0;
	return prot | ((word & MEMATTR(0xf)) == MEMATTR(0x1) ? IOMMUSIM_PROT_MMIO : 0);
}

/* Permissions of stage 2, memory types of stage 1. IOMMU_PRIV does nothing. */
static uint64_t mali_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	uint64_t word = SH_OUTER | (prot & IOMMUSIM_PROT_NOEXEC ? XN : 0);

	if (prot & IOMMUSIM_PROT_MMIO)
		word |= ATTRINDX(INDEX_DEV);
	else if (prot & IOMMUSIM_PROT_CACHE)
		word |= ATTRINDX(INDEX_CACHE);
	return word | (prot & IOMMUSIM_PROT_READ ? HAP_READ : 0) |
	       (prot & IOMMUSIM_PROT_WRITE ? HAP_WRITE : 0);
}

static unsigned mali_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	unsigned prot = word & HAP_READ ? IOMMUSIM_PROT_READ : 0;

	prot |= word & HAP_WRITE ? IOMMUSIM_PROT_WRITE : 0;
	prot |= word & XN ? IOMMUSIM_PROT_NOEXEC : 0;
	prot |= (word & ATTRINDX(7)) == ATTRINDX(INDEX_CACHE) ? IOMMUSIM_PROT_CACHE : 0;
	return prot | ((word & ATTRINDX(7)) == ATTRINDX(INDEX_DEV) ? IOMMUSIM_PROT_MMIO : 0);
}

static uint64_t kept(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word &
	       (PT_BITS(11, 2) | XN | (p->config.kernel >= IOMMUSIM_KERNEL(6, 12) ? DBM : 0));
}

/* ---- Runs: the hint that neighbours map one aligned region ---- */

static unsigned run_lg2_4k(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & CONTIGUOUS ? 4 : 0;
}

static unsigned run_lg2_16k(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return !(word & CONTIGUOUS) ? 0 : level ? 5 : 7;
}

static unsigned run_lg2_64k(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & CONTIGUOUS ? 5 : 0;
}

static uint64_t single(const struct iommusim_pgtable *p, uint64_t word, unsigned level, uint64_t i)
{
	return word & ~CONTIGUOUS;
}

/* ---- Marks: dirty is a page that may be written and has DBM ---- */

static unsigned s1_marks(const struct iommusim_pgtable *p, uint64_t word)
{
	return (word & AF ? IOMMUSIM_MARK_ACCESSED : 0) |
	       ((word & DBM) && !(word & AP_RDONLY) ? IOMMUSIM_MARK_DIRTY : 0);
}

static uint64_t s1_marked(const struct iommusim_pgtable *p, uint64_t word, unsigned marks)
{
	word = marks & IOMMUSIM_MARK_ACCESSED ? word | AF : word & ~AF;
	if (word & DBM)
		word = marks & IOMMUSIM_MARK_DIRTY ? word & ~AP_RDONLY : word | AP_RDONLY;
	return word;
}

static unsigned s2_marks(const struct iommusim_pgtable *p, uint64_t word)
{
	return word & AF ? IOMMUSIM_MARK_ACCESSED : 0;
}

static uint64_t s2_marked(const struct iommusim_pgtable *p, uint64_t word, unsigned marks)
{
	return marks & IOMMUSIM_MARK_ACCESSED ? word | AF : word & ~AF;
}

static enum iommusim_fault_cause fault(const struct iommusim_pgtable *p, uint64_t word,
                                       unsigned level)
{
	if (!(word & VALID))
		return IOMMUSIM_FAULT_NOT_PRESENT;
	if (level ? (word & PAGE) == PAGE : (word & PAGE) != PAGE)
		return level ? IOMMUSIM_FAULT_NONE : IOMMUSIM_FAULT_RESERVED;
	return word & AF ? IOMMUSIM_FAULT_NONE : IOMMUSIM_FAULT_ACCESS_FLAG;
}

/* ---- Engines: one per granule, stage and use of the hint ---- */

#define SHARED(stage, granule, index, addr)                                    \
	.word_bytes = 8, .granule_lg2 = (granule), .index_lg2 = (index),       \
	.linear_lg2 = (granule) == 16 ? 52 : 48, .even_lg2 = 48, .kind = kind, \
	.are_leaves = are_leaves, .table = table, .address = (addr),           \
	.attributes = stage##_attributes, .kept = kept, .prot = stage##_prot

#define WORDS(stage, granule, index, addr)                                         \
	{                                                                          \
		SHARED(stage, granule, index, addr), .leaf = leaf, .fault = fault, \
						     .marks = stage##_marks,       \
						     .marked = stage##_marked      \
	}

#define RUNS(stage, granule, index, addr, run)                                                     \
	{                                                                                          \
		SHARED(stage, granule, index, addr),                                               \
			.leaf = leaf, .fault = fault, .marks = stage##_marks,                      \
			.marked = stage##_marked, .run_lg2 = run, .runs_rise = 1, .single = single \
	}

static const struct isim_pgtable_words s1_4k = WORDS(s1, 12, 9, address);
static const struct isim_pgtable_words s1_16k = WORDS(s1, 14, 11, address);
static const struct isim_pgtable_words s1_64k = WORDS(s1, 16, 13, address_64k);
static const struct isim_pgtable_words s2_4k = WORDS(s2, 12, 9, address);
static const struct isim_pgtable_words s2_16k = WORDS(s2, 14, 11, address);
static const struct isim_pgtable_words s2_64k = WORDS(s2, 16, 13, address_64k);
static const struct isim_pgtable_words s1_4k_runs = RUNS(s1, 12, 9, address, run_lg2_4k);
static const struct isim_pgtable_words s1_16k_runs = RUNS(s1, 14, 11, address, run_lg2_16k);
static const struct isim_pgtable_words s1_64k_runs = RUNS(s1, 16, 13, address_64k, run_lg2_64k);
static const struct isim_pgtable_words s2_4k_runs = RUNS(s2, 12, 9, address, run_lg2_4k);
static const struct isim_pgtable_words s2_16k_runs = RUNS(s2, 14, 11, address, run_lg2_16k);
static const struct isim_pgtable_words s2_64k_runs = RUNS(s2, 16, 13, address_64k, run_lg2_64k);
static const struct isim_pgtable_words mali = { SHARED(mali, 12, 9, address), .leaf = mali_leaf };

ISIM_PGTABLE_OPS(s1_4k);
ISIM_PGTABLE_OPS(s1_16k);
ISIM_PGTABLE_OPS(s1_64k);
ISIM_PGTABLE_OPS(s2_4k);
ISIM_PGTABLE_OPS(s2_16k);
ISIM_PGTABLE_OPS(s2_64k);
ISIM_PGTABLE_OPS(s1_4k_runs);
ISIM_PGTABLE_OPS(s1_16k_runs);
ISIM_PGTABLE_OPS(s1_64k_runs);
ISIM_PGTABLE_OPS(s2_4k_runs);
ISIM_PGTABLE_OPS(s2_16k_runs);
ISIM_PGTABLE_OPS(s2_64k_runs);
ISIM_PGTABLE_OPS(mali);

const struct isim_arm_granule isim_arm_granules[ISIM_ARM_NR_GRANULES] = {
	{ 12,
	  9,
	  PT_BIT(12) | PT_BIT(21) | PT_BIT(30),
	  48,
	  0,
	  2,
	  { 4, 4 },
	  { &s1_4k_ops, &s1_4k_runs_ops },
	  { &s2_4k_ops, &s2_4k_runs_ops },
	  &mali_ops },
	{ 14,
	  11,
	  PT_BIT(14) | PT_BIT(25),
	  48,
	  2,
	  1,
	  { 7, 5 },
	  { &s1_16k_ops, &s1_16k_runs_ops },
	  { &s2_16k_ops, &s2_16k_runs_ops },
	  NULL },
	{ 16,
	  13,
	  PT_BIT(16) | PT_BIT(29) | PT_BIT(42),
	  52,
	  1,
	  3,
	  { 5, 5 },
	  { &s1_64k_ops, &s1_64k_runs_ops },
	  { &s2_64k_ops, &s2_64k_runs_ops },
	  NULL },
};
