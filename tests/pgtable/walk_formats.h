/* SPDX-License-Identifier: MIT */
/* All walkers, by the names of the layout document. */
#ifndef WALK_FORMATS_H
#define WALK_FORMATS_H

#include <string.h>

#include "walk_amd.h"
#include "walk_arm.h"
#include "walk_dart.h"
#include "walk_gpu.h"
#include "walk_linear.h"
#include "walk_riscv.h"
#include "walk_soc.h"
#include "walk_v7s.h"
#include "walk_x86.h"

static const struct walk_format *const walk_formats[] = {
	&walk_arm_lpae_s1,
	&walk_arm_lpae_s2,
	&walk_arm_mali_lpae,
	&walk_arm_v7s,
	&walk_arm_v7s_mtk,
	&walk_amd_v1,
	&walk_x86_64_amd_v2,
	&walk_x86_64_fl,
	&walk_vtd_sl,
	&walk_riscv_sv39,
	&walk_riscv_sv48,
	&walk_riscv_sv57,
	&walk_riscv_sv39_napot,
	&walk_riscv_sv48_napot,
	&walk_riscv_sv57_napot,
	&walk_dart1,
	&walk_dart2,
	&walk_exynos_v1,
	&walk_exynos_v5,
	&walk_rk_v1,
	&walk_rk_v2,
	&walk_vsi,
	&walk_sun50i,
	&walk_omap,
	&walk_shmobile,
	&walk_tegra,
	&walk_s390,
	&walk_sprd,
	&walk_mtk1,
	&walk_gart_tegra,
	&walk_tce,
	&walk_gart64,
	&walk_sparc64,
	&walk_bcm2712,
	&walk_lima,
	&walk_etnaviv_v1,
	&walk_etnaviv_v2,
	&walk_v3d,
	&walk_a2xx,
	&walk_ipu,
};

#define WALK_NR_FORMATS (sizeof(walk_formats) / sizeof(walk_formats[0]))

/* NULL: there is none of that name. */
static inline const struct walk_format *walk_format_find(const char *name)
{
	for (size_t i = 0; i < WALK_NR_FORMATS; i++)
		if (!strcmp(walk_formats[i]->name, name))
			return walk_formats[i];
	return NULL;
}

#endif
