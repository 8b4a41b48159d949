/* SPDX-License-Identifier: MIT */
/* What the property test is run with: a new format adds a row. */
#ifndef PROPERTY_ROWS_H
#define PROPERTY_ROWS_H

#include "property.h"

#define LINUX_6_1 IOMMUSIM_KERNEL(6, 1)

/* ---- Arm long descriptors ---- */

#define ARM_SIZES UINT64_C(0x40062215000)

#define ARM_S1(title, page, in, out, quirk, flag)                                       \
	{                                                                               \
		.name = "arm-lpae-s1, " title, .format = &iommusim_pgtable_arm_lpae_s1, \
		.walked = &walk_arm_lpae_s1, .bits = in, .flags = flag,                 \
		.start = (flag)&WALK_TTBR1 ? ~UINT64_C(0) << in : 0,                    \
		.config = { .page_shift = page,                                         \
			    .pgsizes = ARM_SIZES,                                       \
			    .ias = in,                                                  \
			    .oas = out,                                                 \
			    .quirks = quirk,                                            \
			    .is_noncoherent = ((flag)&WALK_NONCOHERENT) != 0,           \
			    .contiguous = ((flag)&WALK_CONTIGUOUS) != 0 },              \
	}

#define ARM_S2(title, page, in, out, flag)                                              \
	{                                                                               \
		.name = "arm-lpae-s2, " title, .format = &iommusim_pgtable_arm_lpae_s2, \
		.walked = &walk_arm_lpae_s2, .bits = in, .flags = flag,                 \
		.config = { .page_shift = page,                                         \
			    .pgsizes = ARM_SIZES,                                       \
			    .ias = in,                                                  \
			    .oas = out,                                                 \
			    .is_noncoherent = ((flag)&WALK_NONCOHERENT) != 0,           \
			    .contiguous = ((flag)&WALK_CONTIGUOUS) != 0 },              \
	}

#define ARM_OTHER(title, what, walk_what, in, quirk, flag)                      \
	{                                                                       \
		.name = title, .format = &iommusim_pgtable_arm_##what,          \
		.walked = &walk_arm_##walk_what, .bits = in, .flags = flag,     \
		.config = { .page_shift = 12,                                   \
			    .pgsizes = ARM_SIZES,                               \
			    .ias = in,                                          \
			    .oas = 40,                                          \
			    .quirks = quirk,                                    \
			    .is_noncoherent = ((flag)&WALK_NONCOHERENT) != 0 }, \
	}

#define NS   IOMMUSIM_QUIRK_ARM_NS
#define TOP  IOMMUSIM_QUIRK_ARM_TTBR1
#define HD   IOMMUSIM_QUIRK_ARM_HD
#define WBWA IOMMUSIM_QUIRK_ARM_OUTER_WBWA

/* ---- Arm short descriptors: splitting a section loses its address, as Linux does ---- */

#define V7S_SIZES UINT64_C(0x1111000)

#define V7S(title, what, in, out, quirk, flag)                                                  \
	{                                                                                       \
		.name = title, .format = &iommusim_pgtable_arm_v7s, .walked = &walk_arm_##what, \
		.bits = in, .flags = flag, .is_whole = 1,                                       \
		.config = { .page_shift = 12,                                                   \
			    .pgsizes = V7S_SIZES,                                               \
			    .ias = in,                                                          \
			    .oas = out,                                                         \
			    .quirks = quirk,                                                    \
			    .is_noncoherent = ((flag)&WALK_NONCOHERENT) != 0 },                 \
	}
#define MTK (NS | IOMMUSIM_QUIRK_NO_PERMS | IOMMUSIM_QUIRK_ARM_MTK_EXT)

/* ---- DART, AMD, Intel ---- */

#define DART(title, what, page, in, out)                                                          \
	{                                                                                         \
		.name = title, .format = &iommusim_pgtable_##what, .walked = &walk_##what,        \
		.bits = in,                                                                       \
		.config = {                                                                       \
			.page_shift = page, .pgsizes = UINT64_C(1) << page, .ias = in, .oas = out \
		},                                                                                \
	}

#define X86(title, what, walk_what, in, flag, sizes, version, levels)                           \
	{                                                                                       \
		.name = title, .format = &iommusim_pgtable_##what, .walked = &walk_##walk_what, \
		.bits = in, .flags = flag, .is_whole = 1,                                       \
		.config = { .page_shift = 12,                                                   \
			    .pgsizes = sizes,                                                   \
			    .ias = in,                                                          \
			    .kernel = version,                                                  \
			    .nr_levels = levels,                                                \
			    .force_snoop = ((flag)&WALK_SNOOP) != 0 },                          \
	}

#define X86_SIZES UINT64_C(0x40201000)

static const struct property_row property_rows[] = {
	ARM_S1("4K, 48 bits", 12, 48, 48, 0, 0),
	ARM_S1("4K, 39 bits", 12, 39, 40, 0, 0),
	ARM_S1("4K, 32 bits, not coherent", 12, 32, 32, WBWA, WALK_NONCOHERENT),
	ARM_S1("4K, 39 bits from the top", 12, 39, 48, TOP, WALK_TTBR1),
	ARM_S1("4K, 48 bits, not secure", 12, 48, 48, NS, WALK_NS),
	ARM_S1("4K, 48 bits, dirty bit", 12, 48, 48, HD, WALK_HD),
	ARM_S1("4K, 48 bits, contiguous", 12, 48, 48, 0, WALK_CONTIGUOUS),
	ARM_S1("16K, 48 bits", 14, 48, 48, 0, 0),
	ARM_S1("16K, 36 bits", 14, 36, 44, 0, 0),
	ARM_S1("16K, 47 bits, contiguous", 14, 47, 48, 0, WALK_CONTIGUOUS),
	ARM_S1("64K, 52 bits", 16, 52, 52, 0, 0),
	ARM_S1("64K, 42 bits", 16, 42, 48, 0, 0),
	ARM_S1("64K, 48 bits, contiguous", 16, 48, 48, 0, WALK_CONTIGUOUS),
	ARM_S2("4K, 40 bits", 12, 40, 40, 0),
	ARM_S2("4K, 44 bits, not coherent", 12, 44, 48, WALK_NONCOHERENT),
	ARM_S2("4K, 48 bits, contiguous", 12, 48, 48, WALK_CONTIGUOUS),
	ARM_S2("16K, 48 bits", 14, 48, 48, 0),
	ARM_S2("64K, 48 bits", 16, 48, 52, 0),
	ARM_OTHER("arm-lpae32-s1", lpae32_s1, lpae_s1, 32, 0, 0),
	ARM_OTHER("arm-lpae32-s1, not secure", lpae32_s1, lpae_s1, 32, NS,
	          WALK_NS | WALK_NONCOHERENT),
	ARM_OTHER("arm-lpae32-s2, 40 bits", lpae32_s2, lpae_s2, 40, 0, 0),
	ARM_OTHER("arm-mali-lpae, 48 bits", mali_lpae, mali_lpae, 48, 0, 0),
	ARM_OTHER("arm-mali-lpae, 33 bits", mali_lpae, mali_lpae, 33, 0, 0),
	V7S("arm-v7s", v7s, 32, 32, 0, 0),
	V7S("arm-v7s, not secure", v7s, 32, 32, NS, WALK_NS | WALK_NONCOHERENT),
	V7S("arm-v7s-mtk, 33 bits", v7s_mtk, 32, 33, MTK, WALK_NS | WALK_NO_PERMS | WALK_MTK),
	V7S("arm-v7s-mtk, 35 bits", v7s_mtk, 34, 35, MTK | IOMMUSIM_QUIRK_ARM_MTK_TTBR_EXT,
	    WALK_NS | WALK_NO_PERMS | WALK_MTK),
	DART("dart1, 16K, 38 bits", dart1, 14, 36, 36),
	DART("dart1, 4K, four tables", dart1, 12, 32, 36),
	DART("dart2, 16K, four tables", dart2, 14, 38, 42),
	X86("amd-v1", amd_v1, amd_v1, 52, 0, 0, 0, 0),
	X86("amd-v1, Linux 6.1", amd_v1, amd_v1, 52, 0, 0, LINUX_6_1, 0),
	X86("x86-64-amd-v2, 4 levels", amd_v2, x86_64_amd_v2, 48, 0, 0, 0, 4),
	X86("x86-64-amd-v2, 5 levels", amd_v2, x86_64_amd_v2, 57, 0, 0, 0, 5),
	X86("x86-64-fl, 48 bits", vtd_fl, x86_64_fl, 48, 0, X86_SIZES, 0, 0),
	X86("x86-64-fl, 57 bits, Linux 6.1", vtd_fl, x86_64_fl, 57, WALK_XD, X86_SIZES, LINUX_6_1,
	    0),
	X86("vtd-sl, 39 bits", vtd_sl, vtd_sl, 39, 0, X86_SIZES, 0, 0),
	X86("vtd-sl, 48 bits, snooped", vtd_sl, vtd_sl, 48, WALK_SNOOP, X86_SIZES, 0, 0),
	X86("vtd-sl, 57 bits, Linux 6.1", vtd_sl, vtd_sl, 57, 0, X86_SIZES, LINUX_6_1, 0),
};

#endif
