/* SPDX-License-Identifier: MIT */
/*
 * Arm long descriptors, 64-bit, stage 1 and stage 2, granules of 4K, 16K and 64K. Levels are
 * counted from the leaves here; Arm counts them from the root, so its level 3 is level 0.
 */
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
#define XN          PT_BITS(54, 53)
#define COHERENT    PT_BIT(55) /* software: a table that a non-coherent walker may read */
#define NSTABLE     PT_BIT(63)

/* Attribute indices, and MAIR as Linux passes it: sign-extended from 32 bits. */
#define INDEX_NC    0
#define INDEX_CACHE 1
#define INDEX_DEV   2
#define MAIR        UINT64_C(0xfffffffff404ff44)

/* ---- Words ---- */

/* At level 0 what is not a page (a word that software never writes) counts as one. */
static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!word)
		return ISIM_WORD_EMPTY;
	return level && (word & PAGE) == PAGE ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

/* Above level 0 a leaf differs from a table in bit 1. */
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

static uint64_t shared_attributes(unsigned prot)
{
	return AF | (prot & IOMMUSIM_PROT_CACHE ? SH_INNER : SH_OUTER) |
	       (prot & IOMMUSIM_PROT_NOEXEC ? XN : 0);
}

static uint64_t s1_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	uint64_t word = shared_attributes(prot) | NG;

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
	uint64_t word = shared_attributes(prot);

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

static uint64_t kept(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word &
	       (PT_BITS(11, 2) | XN | (p->config.kernel >= IOMMUSIM_KERNEL(6, 12) ? DBM : 0));
}

/* ---- Engines: one per granule and stage ---- */

#define WORDS(stage, granule, index, addr)                                                 \
	{                                                                                  \
		.word_bytes = 8, .granule_lg2 = (granule), .index_lg2 = (index),           \
		.linear_lg2 = (granule) == 16 ? 52 : 48, .even_lg2 = 48, .kind = kind,     \
		.are_leaves = are_leaves, .leaf = leaf, .table = table, .address = (addr), \
		.attributes = stage##_attributes, .kept = kept, .prot = stage##_prot       \
	}

static const struct isim_pgtable_words s1_4k = WORDS(s1, 12, 9, address);
static const struct isim_pgtable_words s1_16k = WORDS(s1, 14, 11, address);
static const struct isim_pgtable_words s1_64k = WORDS(s1, 16, 13, address_64k);
static const struct isim_pgtable_words s2_4k = WORDS(s2, 12, 9, address);
static const struct isim_pgtable_words s2_16k = WORDS(s2, 14, 11, address);
static const struct isim_pgtable_words s2_64k = WORDS(s2, 16, 13, address_64k);

ISIM_PGTABLE_OPS(s1_4k);
ISIM_PGTABLE_OPS(s1_16k);
ISIM_PGTABLE_OPS(s1_64k);
ISIM_PGTABLE_OPS(s2_4k);
ISIM_PGTABLE_OPS(s2_16k);
ISIM_PGTABLE_OPS(s2_64k);

/* ---- Configuration ---- */

static const struct granule {
	unsigned lg2, index_lg2;
	uint64_t pgsizes;
	unsigned max_bits; /* of ias and oas */
	unsigned tg0, tg1;
	const struct isim_pgtable_ops *s1, *s2;
} granules[] = {
	{ 12, 9, PT_BIT(12) | PT_BIT(21) | PT_BIT(30), 48, 0, 2, &s1_4k_ops, &s2_4k_ops },
	{ 14, 11, PT_BIT(14) | PT_BIT(25), 48, 2, 1, &s1_16k_ops, &s2_16k_ops },
	{ 16, 13, PT_BIT(16) | PT_BIT(29) | PT_BIT(42), 52, 1, 3, &s1_64k_ops, &s2_64k_ops },
};

/* The CPU page if it is offered, else the largest size below it, else the smallest above. */
static const struct granule *choose_granule(uint64_t pgsizes, unsigned page_shift)
{
	uint64_t below = pgsizes & isim_low_bits(page_shift + 1);
	unsigned lg2;

	if (!pgsizes)
		return NULL;
	lg2 = below ? isim_high_bit(below) : isim_low_bit(pgsizes);
	for (unsigned i = 0; i < ISIM_ARRAY_LEN(granules); i++)
		if (granules[i].lg2 == lg2)
			return &granules[i];
	return NULL;
}

/* Bits of the output address as registers tell them: 0 .. 6. 7: there is no such width. */
static unsigned encode_oas(unsigned oas)
{
	static const unsigned widths[] = { 32, 36, 40, 42, 44, 48, 52 };
	unsigned i = 0;

	while (i < ISIM_ARRAY_LEN(widths) && widths[i] != oas)
		i++;
	return i;
}

/* Levels, and entries of the first table: *lg2. */
static unsigned levels_of(const struct iommusim_pgtable *p, const struct granule *g, unsigned *lg2)
{
	unsigned bits = p->info.ias - g->lg2;
	unsigned levels = (bits + g->index_lg2 - 1) / g->index_lg2;

	*lg2 = bits - g->index_lg2 * (levels - 1);
	return levels;
}

/* Tables are at least a CPU page. */
static void set_engine(struct iommusim_pgtable *p, const struct isim_pgtable_ops *ops,
                       unsigned levels, unsigned root_index_lg2)
{
	p->ops = ops;
	isim_pgtable_set_geometry(p, ops->words, levels, root_index_lg2, p->config.page_shift);
}

/* Page sizes and address widths that one granule leaves. */
static int narrow(struct iommusim_pgtable *p, const struct granule *g)
{
	const struct iommusim_pgtable_config *c = &p->config;

	p->info.pgsizes = c->pgsizes & g->pgsizes;
	if (c->oas <= 48)
		p->info.pgsizes &= ~PT_BIT(42);
	p->info.ias = c->ias < g->max_bits ? c->ias : g->max_bits;
	p->info.oas = c->oas < g->max_bits ? c->oas : g->max_bits;
	if (p->info.ias <= g->lg2)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL, "ias %u is not above the granule, 2^%u",
		                 p->info.ias, g->lg2);
	p->info.tcr_ips = encode_oas(p->info.oas);
	if (p->info.tcr_ips > 6)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "oas %u is none of 32, 36, 40, 42, 44, 48, 52", p->info.oas);
	return 0;
}

/* What both stages share. The granule; NULL: -EINVAL, worded. */
static const struct granule *configure(struct iommusim_pgtable *p, uint32_t quirks)
{
	const struct iommusim_pgtable_config *c = &p->config;
	const struct granule *g = choose_granule(c->pgsizes, c->page_shift);

	if (!g)
		isim_fail(&p->diag, IOMMUSIM_EINVAL,
		          "page sizes 0x%llx leave no granule of 4K, 16K or 64K",
		          (unsigned long long)c->pgsizes);
	if (!g || isim_pgtable_check_quirks(p, quirks) || narrow(p, g))
		return NULL;
	p->info.tcr_tg = g->tg0;
	p->info.tcr_sh = c->is_noncoherent ? 2 : 3;
	p->info.tcr_orgn = p->info.tcr_irgn = !c->is_noncoherent;
	p->info.tcr_tsz = 64 - p->info.ias;
	p->table_flags = c->is_noncoherent ? COHERENT : 0;
	return g;
}

static int s1_configure(struct iommusim_pgtable *p)
{
	const struct iommusim_pgtable_config *c = &p->config;
	uint32_t quirks =
		IOMMUSIM_QUIRK_ARM_NS | IOMMUSIM_QUIRK_ARM_TTBR1 | IOMMUSIM_QUIRK_ARM_OUTER_WBWA;
	const struct granule *g;
	unsigned levels, lg2;

	if (c->kernel >= IOMMUSIM_KERNEL(6, 12))
		quirks |= IOMMUSIM_QUIRK_ARM_HD;
	g = configure(p, quirks);
	if (!g)
		return -IOMMUSIM_EINVAL;
	if (c->quirks & IOMMUSIM_QUIRK_ARM_OUTER_WBWA) {
		if (!c->is_noncoherent)
			return isim_fail(&p->diag, IOMMUSIM_EINVAL,
			                 "a coherent walk and OUTER_WBWA exclude each other");
		p->info.tcr_orgn = 1;
	}
	if (c->quirks & IOMMUSIM_QUIRK_ARM_TTBR1)
		p->info.tcr_tg = g->tg1;
	if (c->quirks & IOMMUSIM_QUIRK_ARM_NS)
		p->table_flags |= NSTABLE;
	p->info.mair = MAIR;
	levels = levels_of(p, g, &lg2);
	set_engine(p, g->s1, levels, lg2);
	return 0;
}

static int s2_configure(struct iommusim_pgtable *p)
{
	const struct granule *g = configure(p, 0);
	unsigned levels, lg2;

	if (!g)
		return -IOMMUSIM_EINVAL;
	levels = levels_of(p, g, &lg2);
	/* Up to 16 tables of the next level side by side take the place of a level 0 of Arm's. */
	if (levels == 4 && lg2 <= 4) {
		lg2 += g->index_lg2;
		levels--;
	}
	p->info.tcr_sl = ~(4 - levels + (g->lg2 == 12)) & 3;
	set_engine(p, g->s2, levels, lg2);
	return 0;
}

static const struct isim_pgtable_impl s1_impl = { .configure = s1_configure };
static const struct isim_pgtable_impl s2_impl = { .configure = s2_configure };

const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae_s1 = {
	.name = "arm-lpae-s1",
	.kernel_name = "arm_64_lpae_s1",
	.source = "Arm Architecture Reference Manual (DDI 0487), D8.3, VMSAv8-64 descriptors",
	.summary = "Arm 64-bit long descriptors, stage 1: SMMUv2, SMMUv3",
	.quirks = IOMMUSIM_QUIRK_ARM_NS | IOMMUSIM_QUIRK_ARM_TTBR1 | IOMMUSIM_QUIRK_ARM_OUTER_WBWA |
	          IOMMUSIM_QUIRK_ARM_HD,
	.word_bytes = 8,
	.impl = &s1_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae_s2 = {
	.name = "arm-lpae-s2",
	.kernel_name = "arm_64_lpae_s2",
	.source = "Arm Architecture Reference Manual (DDI 0487), D8.3, VMSAv8-64 descriptors",
	.summary = "Arm 64-bit long descriptors, stage 2: SMMUv2, SMMUv3",
	.word_bytes = 8,
	.impl = &s2_impl,
};
