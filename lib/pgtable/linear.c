/* SPDX-License-Identifier: MIT */
/*
 * Tables of one level for a window of addresses: Spreadtrum's (sprd), MediaTek's first, Tegra's
 * and AMD's GART, and those of the GPUs V3D and Adreno a2xx. Models the drivers of Linux 6.1 and
 * 6.12; until 6.1 sprd and MediaTek took every size from 4K on as so many pages. Words of sprd,
 * MediaTek and both GARTs tell no permissions; a zero of sprd's is no page, so the page at physical
 * address 0 cannot be told from none. Differs: what lies outside of the window is -ERANGE, a page
 * that is there -EEXIST, and a call does all of its pages, where some drivers do one. Simplifies:
 * V3D has no larger pages. Unsure: which window AMD's GART has; here 64 MiB unless configured.
 */
#include "pgtable/ops.h"

#define LOW_PFN PT_BITS(31, 12)

#define MTK_VALID  PT_BIT(1)
#define MTK_NS     PT_BIT(3)
#define GART_VALID PT_BIT(31)
#define GART64     UINT64_C(3) /* valid, coherent */
#define V3D_VALID  PT_BIT(28)
#define V3D_W      PT_BIT(29)
#define V3D_PFN    PT_BITS(23, 0)
#define A2XX_W     PT_BIT(0)
#define A2XX_R     PT_BIT(1)

#define RW (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)

static unsigned all_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return RW;
}

static uint64_t no_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return 0;
}

/* ---- sprd: the page number ---- */

static uint64_t sprd_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa >> 12;
}

static uint64_t sprd_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word << 12;
}

/* ---- MediaTek, first generation ---- */

static uint64_t mtk1_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | MTK_VALID | MTK_NS;
}

static uint64_t mtk1_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & LOW_PFN;
}

/* ---- Tegra's GART ---- */

static uint64_t gart_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | GART_VALID;
}

static uint64_t gart_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & PT_BITS(30, 12);
}

/* ---- AMD's GART: bits 39:32 at 11:4 ---- */

static uint64_t gart64_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa & LOW_PFN) | (pa >> 32 & 0xff) << 4 | GART64;
}

static uint64_t gart64_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & LOW_PFN) | (word >> 4 & 0xff) << 32;
}

/* ---- V3D ---- */

static uint64_t v3d_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa >> 12 & V3D_PFN) | attributes;
}

static uint64_t v3d_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & V3D_PFN) << 12;
}

static uint64_t v3d_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return V3D_VALID | (prot & IOMMUSIM_PROT_WRITE ? V3D_W : 0);
}

static unsigned v3d_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return IOMMUSIM_PROT_READ | (word & V3D_W ? IOMMUSIM_PROT_WRITE : 0);
}

/* ---- Adreno a2xx ---- */

static uint64_t a2xx_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return pa | attributes;
}

static uint64_t a2xx_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & LOW_PFN;
}

static uint64_t a2xx_attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	return (prot & IOMMUSIM_PROT_READ ? A2XX_R : 0) | (prot & IOMMUSIM_PROT_WRITE ? A2XX_W : 0);
}

static unsigned a2xx_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & A2XX_R ? IOMMUSIM_PROT_READ : 0) | (word & A2XX_W ? IOMMUSIM_PROT_WRITE : 0);
}

/* ---- The engines: a word with any bit of @valid is a page ---- */

#define WORDS(who, valid, bits, even, to_attributes, to_prot)                                  \
	static enum isim_word_kind who##_kind(const struct iommusim_pgtable *p, uint64_t word, \
	                                      unsigned level)                                  \
	{                                                                                      \
		return word & (valid) ? ISIM_WORD_LEAF : ISIM_WORD_EMPTY;                      \
	}                                                                                      \
	static int who##_are_leaves(uint64_t all, uint64_t any, unsigned level)                \
	{                                                                                      \
		return (all & (valid)) != 0;                                                   \
	}                                                                                      \
	static const struct isim_pgtable_words who = {                                         \
		.word_bytes = 4,                                                               \
		.nr_levels = 1,                                                                \
		.granule_lg2 = 12,                                                             \
		.index_lg2 = 26,                                                               \
		.linear_lg2 = (bits),                                                          \
		.even_lg2 = (even),                                                            \
		.partial = ISIM_PARTIAL_REFUSE,                                                \
		.is_bounded = 1,                                                               \
		.has_window = 1,                                                               \
		.sizes_are_counts = 1,                                                         \
		.kind = who##_kind,                                                            \
		.are_leaves = who##_are_leaves,                                                \
		.leaf = who##_leaf,                                                            \
		.address = who##_address,                                                      \
		.attributes = to_attributes,                                                   \
		.prot = to_prot,                                                               \
	};                                                                                     \
	ISIM_PGTABLE_OPS(who)

WORDS(sprd, UINT32_MAX, 44, 44, no_attributes, all_prot);
WORDS(mtk1, MTK_VALID, 32, 32, no_attributes, all_prot);
WORDS(gart, GART_VALID, 31, 31, no_attributes, all_prot);
WORDS(gart64, 1, 40, 32, no_attributes, all_prot);
WORDS(v3d, V3D_VALID, 36, 36, v3d_attributes, v3d_prot);
WORDS(a2xx, A2XX_R | A2XX_W, 32, 32, a2xx_attributes, a2xx_prot);

/* ---- Configuration: the window is that of the configuration, or the format's ---- */

/* @old_sizes: those until Linux 6.1. */
#define CONFIGURE(who, old_sizes, bits, out, ...)                                            \
	static int who##_configure(struct iommusim_pgtable *p)                               \
	{                                                                                    \
		uint64_t sizes =                                                             \
			p->config.kernel < IOMMUSIM_KERNEL(6, 2) ? (old_sizes) : PT_BIT(12); \
                                                                                             \
		return isim_pgtable_fit_window(p, &who##_ops, sizes, 32, out);               \
	}                                                                                    \
	static const struct isim_pgtable_impl who##_impl = { .configure = who##_configure,   \
		                                             .ias = (bits),                  \
		                                             .oas = (out),                   \
		                                             .arena_start = 0x40000000,      \
		                                             __VA_ARGS__ }

CONFIGURE(sprd, PT_BITS(63, 12), 28, 44, .window_start = 0);
CONFIGURE(mtk1, PT_BITS(31, 12), 32, 32, .window_start = 0);
CONFIGURE(gart, PT_BIT(12), 25, 31, .window_start = 0x58000000);
CONFIGURE(gart64, PT_BIT(12), 26, 40, .window_start = 0);
CONFIGURE(v3d, PT_BIT(12), 32, 36, .window_start = 0);
CONFIGURE(a2xx, PT_BIT(12), 28, 32, .window_start = 0x1000000, .window_bytes = 0xfff0000);

#define FORMAT(id, title, kernel, from, what, who)                     \
	const struct iommusim_pgtable_format iommusim_pgtable_##id = { \
		.name = title,                                         \
		.kernel_name = kernel,                                 \
		.source = from,                                        \
		.summary = what,                                       \
		.word_bytes = 4,                                       \
		.impl = &who##_impl,                                   \
	}
#define AS_LINUX "words that Linux 6.1 and 6.12 write"

FORMAT(linear_sprd, "linear-sprd", "sprd_iommu", AS_LINUX,
       "Spreadtrum: one table of page numbers for 256 MiB", sprd);
FORMAT(linear_mtk1, "linear-mtk1", "mtk_iommu_v1", AS_LINUX,
       "MediaTek, first generation (MT2701): one table for 4 GiB", mtk1);
FORMAT(linear_gart_tegra, "linear-gart-tegra", "tegra_gart", AS_LINUX,
       "Nvidia Tegra20 GART: one table for 32 MiB at 0x58000000", gart);
FORMAT(linear_gart64, "linear-gart64", "amd_gart64",
       "AMD64 BIOS and Kernel Developer's Guide, graphics aperture translation",
       "AMD64 GART: one table of 40-bit addresses", gart64);
FORMAT(v3d, "v3d", "v3d_mmu", AS_LINUX, "Broadcom V3D: one table for 4 GiB", v3d);
FORMAT(a2xx_gpummu, "a2xx-gpummu", "msm_gpummu", AS_LINUX,
       "Qualcomm Adreno a2xx: one table for 256 MiB at 16 MiB", a2xx);
