/* SPDX-License-Identifier: MIT */
/* Tables made by hand from the text of the layouts: systems on chip, GPUs. */
#ifndef LAYOUT_TWO_LEVELS_H
#define LAYOUT_TWO_LEVELS_H

#include "layout.h"

static const struct run text_exynos_v1[] = {
	{ 0x80000000, 291, 291, 0x80004001, 0 },
	{ 0x80004000, 69, 69, 0x89abc012, 0 },
	{ 0x80004000, 80, 95, 0x89ac0211, 0 },
	{ 0x80000000, 512, 512, 0x40008402, 0 },
};
static const struct mapping text_maps_exynos_v1[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rw" },
	{ 0x12350000, 0x89ac0000, 0x10000, 1, "r" },
	{ 0x20000000, 0x40000000, 0x100000, 1, "r" },
};

static const struct run text_exynos_v1_a_shared_empty_table[] = {
	{ 0x80000000, 0, 4095, 0x80008001, 0 },
};

static const struct run text_exynos_v5[] = {
	{ 0x80000000, 291, 291, 0x8000401, 0 },
	{ 0x80004000, 69, 69, 0x9123450e, 0 },
	{ 0x80004000, 80, 95, 0x91234005, 0 },
	{ 0x80000000, 512, 512, 0x91230022, 0 },
};
static const struct mapping text_maps_exynos_v5[] = {
	{ 0x12345000, 0x912345000, 0x1000, 1, "rw" },
	{ 0x12350000, 0x912340000, 0x10000, 1, "r" },
	{ 0x20000000, 0x912300000, 0x100000, 1, "w" },
};

static const struct run text_sun50i[] = {
	{ 0x80000000, 291, 291, 0x80004401, 0 },
	{ 0x80004400, 69, 69, 0x89abc042, 0 },
	{ 0x80004400, 70, 70, 0x89abd022, 0 },
};
static const struct mapping text_maps_sun50i[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rw" },
	{ 0x12346000, 0x89abd000, 0x1000, 1, "r" },
};

static const struct run text_omap[] = {
	{ 0x80000000, 291, 291, 0x80004401, 0 }, { 0x80004400, 69, 69, 0x89abc002, 0 },
	{ 0x80004400, 80, 95, 0x89ac0001, 0 },   { 0x80000000, 512, 512, 0x40000002, 0 },
	{ 0x80000000, 528, 543, 0x41040002, 0 },
};
static const struct mapping text_maps_omap[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "" },
	{ 0x12350000, 0x89ac0000, 0x10000, 1, "" },
	{ 0x20000000, 0x40000000, 0x100000, 1, "" },
	{ 0x21000000, 0x41000000, 0x1000000, 1, "" },
};

static const struct run text_shmobile[] = {
	{ 0x80000000, 291, 291, 0x80004401, 0 },
	{ 0x80004400, 69, 69, 0x89abcff2, 0 },
	{ 0x80004400, 80, 95, 0x89ac0ff1, 0 },
	{ 0x80000000, 512, 512, 0x40000c02, 0 },
};
static const struct mapping text_maps_shmobile[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "" },
	{ 0x12350000, 0x89ac0000, 0x10000, 1, "" },
	{ 0x20000000, 0x40000000, 0x100000, 1, "" },
};

static const struct run text_rk_v1[] = {
	{ 0x80000000, 72, 72, 0x80001001, 0 },
	{ 0x80001000, 837, 837, 0x89abc007, 0 },
	{ 0x80001000, 838, 838, 0x89abd003, 0 },
	{ 0x80001000, 839, 839, 0x89abe006, 0 },
};
static const struct mapping text_maps_rk_v1[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rw" },
	{ 0x12346000, 0x89abd000, 0x1000, 1, "r" },
};

static const struct run text_rk_v2[] = {
	{ 0x80000000, 72, 72, 0x12345ba1, 0 },
	{ 0xab12345000, 837, 837, 0x12346ba7, 0 },
};
static const struct mapping text_maps_rk_v2[] = {
	{ 0x12345000, 0xab12346000, 0x1000, 1, "rw" },
};

static const struct run text_vsi[] = {
	{ 0x80000000, 72, 72, 0x80001001, 0 },
	{ 0x80001000, 837, 837, 0x12345ab5, 0 },
};
static const struct mapping text_maps_vsi[] = {
	{ 0x12345000, 0xab12345000, 0x1000, 1, "rw" },
};

static const struct run text_tegra_smmu[] = {
	{ 0x80000000, 72, 72, 0xf0080001, 0 },
	{ 0x80001000, 837, 837, 0xe0089abc, 0 },
	{ 0x80001000, 838, 838, 0xa0089abd, 0 },
	{ 0x80001000, 839, 839, 0x60089abe, 0 },
};
static const struct mapping text_maps_tegra_smmu[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rw" },
	{ 0x12346000, 0x89abd000, 0x1000, 1, "r" },
	{ 0x12347000, 0x89abe000, 0x1000, 1, "w" },
};

static const struct run text_tegra_smmu_a_read_only_directory[] = {
	{ 0x80000000, 72, 72, 0xb0080001, 0 },
	{ 0x80001000, 837, 837, 0xe0089abc, 0 },
};
static const struct mapping text_maps_tegra_smmu_a_read_only_directory[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "r" },
};

static const struct run text_lima[] = {
	{ 0x80000000, 72, 72, 0x80001001, 0 },
	{ 0x80001000, 837, 837, 0x89abc1df, 0 },
};
static const struct mapping text_maps_lima[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "" },
};

static const struct run text_etnaviv_v2[] = {
	{ 0x80000000, 0, 1023, 0x2, 0 },         { 0x80000000, 72, 72, 0x80001001, 0 },
	{ 0x80001000, 0, 1023, 0x2, 0 },         { 0x80001000, 837, 837, 0x12345ab5, 0 },
	{ 0x80001000, 838, 838, 0x12346ab1, 0 },
};
static const struct mapping text_maps_etnaviv_v2[] = {
	{ 0x12345000, 0xab12345000, 0x1000, 1, "rw" },
	{ 0x12346000, 0xab12346000, 0x1000, 1, "r" },
};

static const struct run text_ipu_mmu[] = {
	{ 0x80000000, 0, 1023, 0x80006, 0 },  { 0x80006000, 0, 1023, 0x80007, 0 },
	{ 0x80000000, 72, 72, 0x80001, 0 },   { 0x80001000, 0, 1023, 0x80007, 0 },
	{ 0x80001000, 837, 837, 0x89abc, 0 },
};
static const struct mapping text_maps_ipu_mmu[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "" },
};

static const struct example examples_two_levels[] = {
	{ "exynos-v1",
	  { .format = &walk_exynos_v1, .root = { 0x80000000 } },
	  RUNS(text_exynos_v1),
	  RUNS(text_maps_exynos_v1),
	  0,
	  0x0,
	  0 },
	{ "exynos-v1, a shared empty table",
	  { .format = &walk_exynos_v1, .root = { 0x80000000 } },
	  RUNS(text_exynos_v1_a_shared_empty_table),
	  NULL,
	  0,
	  0,
	  0x5000,
	  0 },
	{ "exynos-v5",
	  { .format = &walk_exynos_v5, .root = { 0x80000000 } },
	  RUNS(text_exynos_v5),
	  RUNS(text_maps_exynos_v5),
	  0,
	  0x0,
	  0 },
	{ "sun50i",
	  { .format = &walk_sun50i, .root = { 0x80000000 } },
	  RUNS(text_sun50i),
	  RUNS(text_maps_sun50i),
	  0,
	  0x0,
	  0 },
	{ "omap",
	  { .format = &walk_omap, .root = { 0x80000000 } },
	  RUNS(text_omap),
	  RUNS(text_maps_omap),
	  0,
	  0x0,
	  0 },
	{ "shmobile",
	  { .format = &walk_shmobile, .ias = 32, .root = { 0x80000000 } },
	  RUNS(text_shmobile),
	  RUNS(text_maps_shmobile),
	  0,
	  0x0,
	  0 },
	{ "rk-v1",
	  { .format = &walk_rk_v1, .root = { 0x80000000 } },
	  RUNS(text_rk_v1),
	  RUNS(text_maps_rk_v1),
	  0,
	  0x0,
	  0 },
	{ "rk-v2",
	  { .format = &walk_rk_v2, .root = { 0x80000000 } },
	  RUNS(text_rk_v2),
	  RUNS(text_maps_rk_v2),
	  0,
	  0x0,
	  0 },
	{ "vsi",
	  { .format = &walk_vsi, .root = { 0x80000000 } },
	  RUNS(text_vsi),
	  RUNS(text_maps_vsi),
	  0,
	  0x0,
	  0 },
	{ "tegra-smmu",
	  { .format = &walk_tegra, .root = { 0x80000000 } },
	  RUNS(text_tegra_smmu),
	  RUNS(text_maps_tegra_smmu),
	  0,
	  0x0,
	  0 },
	{ "tegra-smmu, a read-only directory",
	  { .format = &walk_tegra, .root = { 0x80000000 } },
	  RUNS(text_tegra_smmu_a_read_only_directory),
	  RUNS(text_maps_tegra_smmu_a_read_only_directory),
	  0,
	  0x0,
	  0 },
	{ "lima",
	  { .format = &walk_lima, .root = { 0x80000000 } },
	  RUNS(text_lima),
	  RUNS(text_maps_lima),
	  0,
	  0x0,
	  0 },
	{ "etnaviv-v2",
	  { .format = &walk_etnaviv_v2, .root = { 0x80000000 } },
	  RUNS(text_etnaviv_v2),
	  RUNS(text_maps_etnaviv_v2),
	  0,
	  0x0,
	  0 },
	{ "ipu-mmu",
	  { .format = &walk_ipu, .flags = WALK_DUMMY, .dummy = 0x80007000, .root = { 0x80000000 } },
	  RUNS(text_ipu_mmu),
	  RUNS(text_maps_ipu_mmu),
	  0,
	  0x5000000,
	  0 },
};

#endif
