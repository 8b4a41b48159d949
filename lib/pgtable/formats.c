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
};
/* clang-format on */

const struct iommusim_pgtable_format *iommusim_pgtable_format_at(size_t index)
{
	return index < ISIM_ARRAY_LEN(formats) ? formats[index] : NULL;
}

const struct iommusim_pgtable_format *iommusim_pgtable_format_find(const char *name)
{
	for (size_t i = 0; i < ISIM_ARRAY_LEN(formats); i++)
		if (!strcmp(name, formats[i]->name) || !strcmp(name, formats[i]->kernel_name))
			return formats[i];
	return NULL;
}
