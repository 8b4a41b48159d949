/* SPDX-License-Identifier: MIT */
/*
 * Rockchip IOMMU, versions 1 and 2, and Verisilicon's (VSI): two tables of 1024 words, pages of 4K.
 * Rockchip offers larger sizes, which are as many words. Models drivers/iommu/rockchip-iommu.c,
 * Linux 6.1 and 6.12: an unmapped word of Rockchip's loses its valid bit and nothing else; no table
 * is freed before the domain is. Differs: addresses beyond 32 or 40 bits are refused, where Linux
 * cuts them off. Unsure: that the directory of VSI packs an address as its pages do, and that an
 * unmapped word of VSI keeps nothing.
 */
#include "pgtable/ops.h"

#define VALID PT_BIT(0)
#define R     PT_BIT(1) /* not in VSI */
#define W     PT_BIT(2)

#define RK_PGSIZES PT_BITS(22, 12)

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!(word & VALID))
		return ISIM_WORD_EMPTY;
	return level ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return !level && all & VALID;
}

static int are_empty(uint64_t all, uint64_t any, unsigned level)
{
	return !(any & VALID);
}

static uint64_t cleared(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & ~VALID;
}

/* ---- Where the address goes ---- */

static uint64_t rk1_pack(uint64_t pa)
{
	return pa & PT_BITS(31, 12);
}

static uint64_t rk1_unpack(uint64_t word)
{
	return word & PT_BITS(31, 12);
}

/* Bits 35:32 at 11:8, bits 39:36 at 7:4. */
static uint64_t rk2_pack(uint64_t pa)
{
	return (pa & PT_BITS(31, 12)) | (pa >> 32 & 0xf) << 8 | (pa >> 36 & 0xf) << 4;
}

static uint64_t rk2_unpack(uint64_t word)
{
	return (word & PT_BITS(31, 12)) | (word >> 8 & 0xf) << 32 | (word >> 4 & 0xf) << 36;
}

/* Bits 39:32 at 11:4. */
static uint64_t vsi_pack(uint64_t pa)
{
	return (pa & PT_BITS(31, 12)) | (pa >> 32 & 0xff) << 4;
}

static uint64_t vsi_unpack(uint64_t word)
{
	return (word & PT_BITS(31, 12)) | (word >> 4 & 0xff) << 32;
}

static uint64_t rk_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return VALID | (prot & IOMMUSIM_PROT_READ ? R : 0) | (prot & IOMMUSIM_PROT_WRITE ? W : 0);
}

static unsigned rk_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & R ? IOMMUSIM_PROT_READ : 0) | (word & W ? IOMMUSIM_PROT_WRITE : 0);
}

static uint64_t vsi_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return VALID | (prot & IOMMUSIM_PROT_WRITE ? W : 0);
}

static unsigned vsi_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | (word & W ? IOMMUSIM_PROT_WRITE : 0);
}

/* Leaves rise evenly while the bits above 31 are the same. */
#define WORDS(how, who, bits, hook)                                                                \
	static uint64_t how##_leaf(uint64_t attributes, uint64_t pa, unsigned level)               \
	{                                                                                          \
		return how##_pack(pa) | attributes;                                                \
	}                                                                                          \
	static uint64_t how##_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level) \
	{                                                                                          \
		return how##_pack(pa) | VALID;                                                     \
	}                                                                                          \
	static uint64_t how##_address(const struct iommusim_pgtable *p, uint64_t word,             \
	                              unsigned level)                                              \
	{                                                                                          \
		return how##_unpack(word);                                                         \
	}                                                                                          \
	static const struct isim_pgtable_words how = {                                             \
		.word_bytes = 4,                                                                   \
		.nr_levels = 2,                                                                    \
		.granule_lg2 = 12,                                                                 \
		.index_lg2 = 10,                                                                   \
		.linear_lg2 = (bits),                                                              \
		.even_lg2 = 32,                                                                    \
		.partial = ISIM_PARTIAL_REFUSE,                                                    \
		.sizes_are_counts = 1,                                                             \
		.kind = kind,                                                                      \
		.are_leaves = are_leaves,                                                          \
		.are_empty = are_empty,                                                            \
		.leaf = how##_leaf,                                                                \
		.table = how##_table,                                                              \
		.address = how##_address,                                                          \
		.attributes = who##_attributes,                                                    \
		.prot = who##_prot,                                                                \
		.cleared = hook,                                                                   \
	};                                                                                         \
	ISIM_PGTABLE_OPS(how)

WORDS(rk1, rk, 32, cleared);
WORDS(rk2, rk, 40, cleared);
WORDS(vsi, vsi, 40, NULL);

/* ---- Configuration ---- */

static int configure(struct iommusim_pgtable *p, const struct isim_pgtable_ops *ops,
                     uint64_t pgsizes, unsigned oas)
{
	int err = isim_pgtable_fit(p, ops, pgsizes, 32, oas);

	if (!err)
		isim_pgtable_set_geometry(p, ops->words, 2, 10, 12);
	return err;
}

static int rk1_configure(struct iommusim_pgtable *p)
{
	return configure(p, &rk1_ops, RK_PGSIZES, 32);
}

static int rk2_configure(struct iommusim_pgtable *p)
{
	return configure(p, &rk2_ops, RK_PGSIZES, 40);
}

static int vsi_configure(struct iommusim_pgtable *p)
{
	return configure(p, &vsi_ops, PT_BIT(12), 40);
}

#define IMPL(how, out)                                                                           \
	static const struct isim_pgtable_impl how##_impl = {                                     \
		.configure = how##_configure, .ias = 32, .oas = (out), .arena_start = 0x40000000 \
	}

IMPL(rk1, 32);
IMPL(rk2, 40);
IMPL(vsi, 40);

const struct iommusim_pgtable_format iommusim_pgtable_rk_v1 = {
	.name = "rk-v1",
	.kernel_name = "rockchip_v1",
	.source = "words that Linux 6.1 and 6.12 write",
	.summary = "Rockchip IOMMU (RK3288, RK3399): 4K of 32-bit addresses",
	.word_bytes = 4,
	.impl = &rk1_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_rk_v2 = {
	.name = "rk-v2",
	.kernel_name = "rockchip_v2",
	.source = "words that Linux 6.1 and 6.12 write",
	.summary = "Rockchip IOMMU (RK3568, RK3588): 4K of 40-bit addresses",
	.word_bytes = 4,
	.impl = &rk2_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_vsi = {
	.name = "vsi",
	.kernel_name = "vsi_iommu",
	.source = "words that a Linux driver of 2025 writes",
	.summary = "Verisilicon IOMMU (RK3588's video decoder): 4K of 40-bit addresses",
	.word_bytes = 4,
	.impl = &vsi_impl,
};
