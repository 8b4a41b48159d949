/* SPDX-License-Identifier: MIT */
/* The built-in formats, in the order in which they are listed. */
#include "pgtable/pgtable.h"

#include <string.h>

/* clang-format off */
static const struct iommusim_pgtable_format *const formats[] = {
	/* Arm */
	&iommusim_pgtable_arm_lpae_s1,
	&iommusim_pgtable_arm_lpae_s2,
	&iommusim_pgtable_arm_lpae32_s1,
	&iommusim_pgtable_arm_lpae32_s2,
	&iommusim_pgtable_arm_mali_lpae,
	&iommusim_pgtable_arm_v7s,
	/* Apple */
	&iommusim_pgtable_dart1,
	&iommusim_pgtable_dart2,
	/* AMD */
	&iommusim_pgtable_amd_v1,
	&iommusim_pgtable_amd_v2,
	/* Intel */
	&iommusim_pgtable_vtd_sl,
	&iommusim_pgtable_vtd_fl,
	/* RISC-V */
	&iommusim_pgtable_riscv_sv39,
	&iommusim_pgtable_riscv_sv48,
	&iommusim_pgtable_riscv_sv57,
	&iommusim_pgtable_riscv_sv39_napot,
	&iommusim_pgtable_riscv_sv48_napot,
	&iommusim_pgtable_riscv_sv57_napot,
	/* Systems on chip, and mainframes */
	&iommusim_pgtable_exynos_v1,
	&iommusim_pgtable_exynos_v5,
	&iommusim_pgtable_rk_v1,
	&iommusim_pgtable_rk_v2,
	&iommusim_pgtable_vsi,
	&iommusim_pgtable_sun50i,
	&iommusim_pgtable_omap,
	&iommusim_pgtable_shmobile,
	&iommusim_pgtable_tegra_smmu,
	&iommusim_pgtable_s390_zpci,
	/* One table, or little more */
	&iommusim_pgtable_linear_sprd,
	&iommusim_pgtable_linear_mtk1,
	&iommusim_pgtable_linear_gart_tegra,
	&iommusim_pgtable_linear_tce,
	&iommusim_pgtable_linear_gart64,
	&iommusim_pgtable_linear_sparc64,
	&iommusim_pgtable_linear_bcm2712,
	/* GPUs, an image processor */
	&iommusim_pgtable_lima,
	&iommusim_pgtable_etnaviv_v1,
	&iommusim_pgtable_etnaviv_v2,
	&iommusim_pgtable_v3d,
	&iommusim_pgtable_a2xx_gpummu,
	&iommusim_pgtable_ipu_mmu,
};
/* clang-format on */

const struct iommusim_pgtable_format *iommusim_pgtable_format_at(size_t index)
{
	return index < ISIM_ARRAY_LEN(formats) ? formats[index] : NULL;
}

const struct iommusim_pgtable_format *iommusim_pgtable_format_find(const char *name)
{
	if (!strcmp(name, "arm-v7s-mtk")) /* the same with quirks */
		return &iommusim_pgtable_arm_v7s;
	for (size_t i = 0; i < ISIM_ARRAY_LEN(formats); i++)
		if (!strcmp(name, formats[i]->name) || !strcmp(name, formats[i]->kernel_name))
			return formats[i];
	return NULL;
}
