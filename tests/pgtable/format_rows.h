/* SPDX-License-Identifier: MIT */
/* Every format, with sizes and addresses that it can have. */
#ifndef FORMAT_ROWS_H
#define FORMAT_ROWS_H

#include "pgtable_test.h"

/* What unmapping a part of a large page does to it. */
enum part {
	PART_SPLITS,
	PART_TAKES_ALL,
	PART_TAKES_ALL_AT_START, /* elsewhere nothing */
	PART_IS_REFUSED
};

struct format_row {
	const char *name;
	struct iommusim_pgtable_config config;
	uint64_t page, large; /* large 0: there is one page size */
	uint64_t iova, pa;    /* multiples of large */
	unsigned is_checked;  /* addresses beyond ias are refused */
	unsigned replaces;    /* what is in the way of a page goes */
	unsigned keeps;       /* a page of 4K that is there stays, and the call succeeds */
	enum part part;
	unsigned marks;    /* IOMMUSIM_MARK_* of its words, writable ones */
	unsigned no_perms; /* its words do not tell them */
	unsigned grows;    /* iova is above what the first table covers at first */
};

static const struct format_row format_rows[] = {
	{ .name = "arm-lpae-s1",
	  .config = { .format = &iommusim_pgtable_arm_lpae_s1, .quirks = IOMMUSIM_QUIRK_ARM_HD },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .is_checked = 1,
	  .marks = IOMMUSIM_MARK_ACCESSED | IOMMUSIM_MARK_DIRTY },
	{ .name = "arm-lpae-s1, contiguous",
	  .config = { .format = &iommusim_pgtable_arm_lpae_s1, .contiguous = 1 },
	  .page = SZ_4K,
	  .large = SZ_64K,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .is_checked = 1,
	  .marks = IOMMUSIM_MARK_ACCESSED },
	{ .name = "arm-lpae-s2",
	  .config = { .format = &iommusim_pgtable_arm_lpae_s2, .ias = 40, .oas = 40 },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .is_checked = 1,
	  .marks = IOMMUSIM_MARK_ACCESSED },
	{ .name = "arm-lpae32-s1",
	  .config = { .format = &iommusim_pgtable_arm_lpae32_s1 },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .is_checked = 1,
	  .marks = IOMMUSIM_MARK_ACCESSED },
	{ .name = "arm-lpae32-s2",
	  .config = { .format = &iommusim_pgtable_arm_lpae32_s2 },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .is_checked = 1,
	  .marks = IOMMUSIM_MARK_ACCESSED },
	{ .name = "arm-mali-lpae",
	  .config = { .format = &iommusim_pgtable_arm_mali_lpae },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .is_checked = 1 },
	{ .name = "arm-v7s, sections",
	  .config = { .format = &iommusim_pgtable_arm_v7s,
	              .pgsizes = SZ_4K | SZ_64K | SZ_1M | SZ_1M * 16,
	              .section_split = IOMMUSIM_SPLIT_FIXED },
	  .page = SZ_4K,
	  .large = SZ_1M,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .is_checked = 1 },
	{ .name = "arm-v7s, large pages",
	  .config = { .format = &iommusim_pgtable_arm_v7s,
	              .pgsizes = SZ_4K | SZ_64K | SZ_1M | SZ_1M * 16 },
	  .page = SZ_4K,
	  .large = SZ_64K,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .is_checked = 1 },
	{ .name = "arm-v7s, MediaTek",
	  .config = { .format = &iommusim_pgtable_arm_v7s,
	              .pgsizes = SZ_4K | SZ_64K | SZ_1M | SZ_1M * 16,
	              .ias = 34,
	              .oas = 35,
	              .quirks = IOMMUSIM_QUIRK_ARM_NS | IOMMUSIM_QUIRK_NO_PERMS |
	                        IOMMUSIM_QUIRK_ARM_MTK_EXT,
	              .section_split = IOMMUSIM_SPLIT_FIXED },
	  .page = SZ_4K,
	  .large = SZ_1M,
	  .iova = 9 * SZ_1G,
	  .pa = 29 * SZ_1G,
	  .is_checked = 1,
	  .no_perms = 1 },
	{ .name = "dart1",
	  .config = { .format = &iommusim_pgtable_dart1, .pgsizes = SZ_16K, .ias = 36 },
	  .page = SZ_16K,
	  .iova = SZ_1G,
	  .pa = SZ_1G },
	{ .name = "dart1, four first tables",
	  .config = { .format = &iommusim_pgtable_dart1, .pgsizes = SZ_4K },
	  .page = SZ_4K,
	  .iova = 3 * SZ_1G,
	  .pa = SZ_1G },
	{ .name = "dart2",
	  .config = { .format = &iommusim_pgtable_dart2, .pgsizes = SZ_16K, .ias = 36 },
	  .page = SZ_16K,
	  .iova = SZ_1G,
	  .pa = SZ_1G },
	{ .name = "amd-v1",
	  .config = { .format = &iommusim_pgtable_amd_v1 },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .replaces = 1,
	  .part = PART_TAKES_ALL,
	  .marks = IOMMUSIM_MARK_DIRTY },
	{ .name = "amd-v1, sizes that words say",
	  .config = { .format = &iommusim_pgtable_amd_v1 },
	  .page = SZ_4K,
	  .large = SZ_64K,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .replaces = 1,
	  .part = PART_TAKES_ALL,
	  .marks = IOMMUSIM_MARK_DIRTY },
	{ .name = "amd-v1, high",
	  .config = { .format = &iommusim_pgtable_amd_v1, .kernel = IOMMUSIM_KERNEL(6, 1) },
	  .page = SZ_4K,
	  .large = SZ_2M * 2,
	  .iova = UINT64_C(1) << 60,
	  .pa = SZ_1G,
	  .replaces = 1,
	  .part = PART_TAKES_ALL,
	  .marks = IOMMUSIM_MARK_DIRTY,
	  .grows = 1 },
	{ .name = "x86-64-amd-v2",
	  .config = { .format = &iommusim_pgtable_amd_v2 },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .replaces = 1,
	  .part = PART_TAKES_ALL,
	  .marks = IOMMUSIM_MARK_ACCESSED | IOMMUSIM_MARK_DIRTY },
	{ .name = "x86-64-amd-v2, five levels",
	  .config = { .format = &iommusim_pgtable_amd_v2, .nr_levels = 5 },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = UINT64_C(1) << 56,
	  .pa = SZ_1G,
	  .replaces = 1,
	  .part = PART_TAKES_ALL,
	  .marks = IOMMUSIM_MARK_ACCESSED | IOMMUSIM_MARK_DIRTY },
	{ .name = "vtd-sl",
	  .config = { .format = &iommusim_pgtable_vtd_sl },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = SZ_1G,
	  .pa = SZ_1G,
	  .is_checked = 1,
	  .keeps = 1,
	  .part = PART_TAKES_ALL_AT_START,
	  .marks = IOMMUSIM_MARK_ACCESSED | IOMMUSIM_MARK_DIRTY },
	{ .name = "x86-64-fl",
	  .config = { .format = &iommusim_pgtable_vtd_fl, .ias = 57 },
	  .page = SZ_4K,
	  .large = SZ_2M,
	  .iova = UINT64_C(1) << 56,
	  .pa = SZ_1G,
	  .is_checked = 1,
	  .keeps = 1,
	  .part = PART_TAKES_ALL_AT_START,
	  .marks = IOMMUSIM_MARK_ACCESSED | IOMMUSIM_MARK_DIRTY },
#define RISCV_ROW(title, what, big, at)                                                           \
	{                                                                                         \
		.name = title,                                                                    \
		.config = { .format = &iommusim_pgtable_riscv_##what, .pgsizes = SZ_4K | (big) }, \
		.page = SZ_4K, .large = big, .iova = at, .pa = SZ_1G, .is_checked = 1,            \
		.part = PART_IS_REFUSED, .marks = IOMMUSIM_MARK_ACCESSED | IOMMUSIM_MARK_DIRTY,   \
	}
	RISCV_ROW("riscv-sv39", sv39, SZ_2M, SZ_1G),
	RISCV_ROW("riscv-sv48", sv48, SZ_2M, UINT64_C(1) << 46),
	RISCV_ROW("riscv-sv57", sv57, SZ_2M, UINT64_C(1) << 55),
	RISCV_ROW("riscv-sv39-napot", sv39_napot, SZ_64K, SZ_1G),
	RISCV_ROW("riscv-sv48-napot", sv48_napot, SZ_64K, SZ_1G),
	RISCV_ROW("riscv-sv57-napot", sv57_napot, SZ_2M, SZ_1G),
#define SOC_ROW(title, what, big, how, unchecked)                                           \
	{                                                                                   \
		.name = title,                                                              \
		.config = { .format = &iommusim_pgtable_##what, .pgsizes = SZ_4K | (big) }, \
		.page = SZ_4K, .large = big, .iova = SZ_1G, .pa = SZ_1G, .is_checked = 1,   \
		.part = how, .no_perms = unchecked,                                         \
	}
	SOC_ROW("exynos-v1", exynos_v1, SZ_64K, PART_IS_REFUSED, 0),
	SOC_ROW("exynos-v1, sections", exynos_v1, SZ_1M, PART_IS_REFUSED, 0),
	SOC_ROW("exynos-v5", exynos_v5, SZ_64K, PART_IS_REFUSED, 0),
	SOC_ROW("rk-v1", rk_v1, 0, PART_IS_REFUSED, 0),
	SOC_ROW("rk-v2", rk_v2, 0, PART_IS_REFUSED, 0),
	SOC_ROW("vsi", vsi, 0, PART_IS_REFUSED, 0),
	SOC_ROW("sun50i", sun50i, 0, PART_IS_REFUSED, 0),
	SOC_ROW("omap", omap, SZ_64K, PART_TAKES_ALL, 1),
	SOC_ROW("omap, sections", omap, SZ_1M, PART_TAKES_ALL, 1),
	SOC_ROW("shmobile", shmobile, SZ_64K, PART_TAKES_ALL_AT_START, 1),
	SOC_ROW("tegra-smmu", tegra_smmu, 0, PART_IS_REFUSED, 0),
	SOC_ROW("s390-zpci", s390_zpci, 0, PART_IS_REFUSED, 0),
	SOC_ROW("lima", lima, 0, PART_IS_REFUSED, 1),
	SOC_ROW("etnaviv-v2", etnaviv_v2, 0, PART_IS_REFUSED, 0),
	/* Not where the arena is: its first page is what empty entries lead to. */
	{ .name = "ipu-mmu",
	  .config = { .format = &iommusim_pgtable_ipu_mmu },
	  .page = SZ_4K,
	  .iova = SZ_1G,
	  .pa = 2 * SZ_1G,
	  .is_checked = 1,
	  .no_perms = 1 },
#define WINDOW_ROW(title, what, size, at, in, unchecked)                                      \
	{                                                                                     \
		.name = title,                                                                \
		.config = { .format = &iommusim_pgtable_##what,                               \
			    .pgsizes = size,                                                  \
			    .ias = in,                                                        \
			    .window_start = at },                                             \
		.page = size, .iova = (at) + 16 * (size), .pa = 16 * (size), .is_checked = 1, \
		.no_perms = unchecked,                                                        \
	}
	WINDOW_ROW("linear-sprd", linear_sprd, SZ_4K, SZ_1G, 0, 1),
	WINDOW_ROW("linear-mtk1", linear_mtk1, SZ_4K, 0, 0, 1),
	WINDOW_ROW("linear-gart-tegra", linear_gart_tegra, SZ_4K, 0x58000000, 0, 1),
	WINDOW_ROW("linear-gart64", linear_gart64, SZ_4K, SZ_1G, 0, 1),
	WINDOW_ROW("linear-tce", linear_tce, SZ_4K, 0, 0, 0),
	WINDOW_ROW("linear-tce, 64K", linear_tce, SZ_64K, UINT64_C(1) << 59, 0, 0),
	WINDOW_ROW("linear-tce, 2M", linear_tce, SZ_2M, UINT64_C(1) << 59, 40, 0),
	WINDOW_ROW("linear-tce, 16M", linear_tce, 16 * SZ_1M, UINT64_C(1) << 59, 44, 0),
	WINDOW_ROW("linear-tce, 256M", linear_tce, 256 * SZ_1M, UINT64_C(1) << 59, 46, 0),
	WINDOW_ROW("linear-tce, 16G", linear_tce, 16 * SZ_1G, UINT64_C(1) << 59, 55, 0),
	WINDOW_ROW("linear-sparc64", linear_sparc64, UINT64_C(0x2000), SZ_1G, 0, 0),
	WINDOW_ROW("etnaviv-v1", etnaviv_v1, SZ_4K, 0x80000000, 0, 1),
	WINDOW_ROW("v3d", v3d, SZ_4K, 0, 0, 0),
	WINDOW_ROW("a2xx-gpummu", a2xx_gpummu, SZ_4K, 0x1000000, 0, 0),
	{ .name = "linear-bcm2712",
	  .config = { .format = &iommusim_pgtable_linear_bcm2712, .pgsizes = SZ_4K | SZ_64K },
	  .page = SZ_4K,
	  .large = SZ_64K,
	  .iova = UINT64_C(0xa40000000),
	  .pa = SZ_1G,
	  .is_checked = 1,
	  .part = PART_IS_REFUSED },
};

static inline struct iommusim_pgtable *given_format(const struct format_row *row)
{
	return given_pgtable(row->config);
}

#endif
