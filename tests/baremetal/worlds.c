/* SPDX-License-Identifier: MIT */
/* The worlds of each architecture. */
#include "tables.h"

#include <string.h>

#define SPECS(array) .spec = (array), .nr_specs = sizeof(array) / sizeof((array)[0])

/* ---- AArch64: TCR_EL1, VTCR_EL2 and MAIR_EL1 from the fields that the library computed ---- */

#define ARM_SIZES UINT64_C(0x40062215000) /* all granules, all blocks */

/* @with: sums of these. TOP: the tables are those of the upper addresses. */
#define PLAIN       0u
#define TOP         1u
#define NONCOHERENT 2u
#define CONTIGUOUS  4u

#define ARM(title, id, page, in, out, with, second)                               \
	{                                                                         \
		.name = title, .format = id, .iova_bits = in, .two = second,      \
		.config = { .page_shift = page,                                   \
			    .pgsizes = ARM_SIZES,                                 \
			    .ias = in,                                            \
			    .oas = out,                                           \
			    .quirks = (with)&TOP ? IOMMUSIM_QUIRK_ARM_TTBR1 : 0,  \
			    .is_noncoherent = ((with)&NONCOHERENT) / NONCOHERENT, \
			    .contiguous = ((with)&CONTIGUOUS) / CONTIGUOUS },     \
	}
#define S1(title, page, in, out, with) \
	ARM("AArch64 stage 1, " title, "arm-lpae-s1", page, in, out, with, NULL)
#define S2(title, page, in, out, with) \
	ARM("AArch64 stage 2, " title, "arm-lpae-s2", page, in, out, with, NULL)
#define BOTH(title, page, in, out, with, two) \
	ARM("AArch64 both stages, " title, "arm-lpae-s1", page, in, out, with, &(two))

/* The second stages of two. */
static const struct world_spec s2_4k = S2("4K, 40 bits", 12, 40, 44, PLAIN);
static const struct world_spec s2_4k_48 = S2("4K, 48 bits", 12, 48, 48, PLAIN);
static const struct world_spec s2_16k = S2("16K, 48 bits", 14, 48, 48, PLAIN);
static const struct world_spec s2_64k = S2("64K, 48 bits", 16, 48, 48, PLAIN);

static const struct world_spec aarch64_specs[] = {
	S1("4K, 48 bits", 12, 48, 48, PLAIN),
	S1("4K, 39 bits", 12, 39, 40, PLAIN),
	S1("4K, 32 bits, not coherent", 12, 32, 32, NONCOHERENT),
	S1("4K, 39 bits from the top", 12, 39, 48, TOP),
	S1("4K, 48 bits, contiguous runs", 12, 48, 48, CONTIGUOUS),
	S1("16K, 48 bits", 14, 48, 48, PLAIN),
	S1("16K, 47 bits", 14, 47, 44, PLAIN),
	S1("16K, 36 bits", 14, 36, 48, PLAIN),
	S1("16K, 48 bits, contiguous runs", 14, 48, 48, CONTIGUOUS),
	S1("64K, 48 bits", 16, 48, 48, PLAIN),
	S1("64K, 52 bits", 16, 52, 52, PLAIN),
	S1("64K, 42 bits from the top", 16, 42, 48, TOP),
	S1("64K, 48 bits, contiguous runs", 16, 48, 48, CONTIGUOUS),
	S2("4K, 48 bits", 12, 48, 48, PLAIN),
	S2("4K, 40 bits, two tables side by side", 12, 40, 40, PLAIN),
	S2("4K, 48 bits, contiguous runs", 12, 48, 48, CONTIGUOUS),
	S2("16K, 48 bits, two tables side by side", 14, 48, 48, PLAIN),
	S2("64K, 48 bits", 16, 48, 48, PLAIN),
	BOTH("4K over 4K", 12, 48, 48, PLAIN, s2_4k_48),
	BOTH("4K, 39 bits, over 4K, 40 bits", 12, 39, 48, PLAIN, s2_4k),
	BOTH("4K from the top over 16K", 12, 39, 48, TOP, s2_16k),
	BOTH("4K over 64K", 12, 48, 48, PLAIN, s2_64k),
	BOTH("16K over 4K", 14, 47, 48, PLAIN, s2_4k_48),
	BOTH("64K over 16K", 16, 48, 48, PLAIN, s2_16k),
	BOTH("64K over 4K, contiguous runs", 16, 42, 48, CONTIGUOUS, s2_4k),
};

/* Size, cacheability, shareability and granule lie alike in all three registers. */
static uint64_t arm_control(const struct iommusim_pgtable_info *info)
{
	return info->tcr_tsz | info->tcr_irgn << 8 | info->tcr_orgn << 10 | info->tcr_sh << 12 |
	       info->tcr_tg << 14;
}

/* Of the two halves of the address space the other one has no tables. */
static void arm_set_regs(const struct world_spec *spec, const struct iommusim_pgtable_info *info,
                         uint64_t *regs)
{
	uint64_t control = arm_control(info), is_upper;

	is_upper = spec->config.quirks & IOMMUSIM_QUIRK_ARM_TTBR1 ? 1 : 0;
	if (!strcmp(spec->format, "arm-lpae-s2")) {
		regs[0] = 2;
		regs[1] = UINT64_C(1) << 31 | (uint64_t)info->tcr_ips << 16 | control |
		          info->tcr_sl << 6;
		return;
	}
	regs[0] = 1;
	regs[1] = (uint64_t)info->tcr_ips << 32 |
	          (is_upper ? control << 16 | 1u << 7 : control | 1u << 23);
	regs[2] = info->mair;
	regs[3] = is_upper;
}

/* ---- RISC-V: satp's mode; of an address all bits above the highest equal it, here 0 ---- */

#define SV_SIZES UINT64_C(0x8040201000) /* 4K, 2M, 1G, 512G */
#define SV_NAPOT UINT64_C(0x10000)      /* 64K */

#define SV(title, id, levels, more)                                                    \
	{                                                                              \
		.name = "RISC-V " title, .format = id, .iova_bits = 11 + 9 * (levels), \
		.config = { .pgsizes = SV_SIZES | (more),                              \
			    .page_shift = 12,                                          \
			    .ias = 12 + 9 * (levels),                                  \
			    .oas = 56 },                                               \
	}

static const struct world_spec riscv64_specs[] = {
	SV("Sv39", "riscv-sv39", 3, 0),
	SV("Sv48", "riscv-sv48", 4, 0),
	SV("Sv57", "riscv-sv57", 5, 0),
	SV("Sv39 with Svnapot", "riscv-sv39-napot", 3, SV_NAPOT),
	SV("Sv48 with Svnapot", "riscv-sv48-napot", 4, SV_NAPOT),
	SV("Sv57 with Svnapot", "riscv-sv57-napot", 5, SV_NAPOT),
};

/* 8: three levels, 9: four, 10: five. */
static void riscv_set_regs(const struct world_spec *spec, const struct iommusim_pgtable_info *info,
                           uint64_t *regs)
{
	regs[0] = info->nr_levels + 5;
}

/* ---- x86-64: CR3 is the root; the image itself is seen through the tables ---- */

/* Addresses of the lower half: AMD's levels and Intel's width come to the same. */
#define X86(title, id, levels, version)                                                 \
	{                                                                               \
		.name = "x86-64, " title, .format = id, .iova_bits = 11 + 9 * (levels), \
		.config = { .pgsizes = UINT64_C(0x40201000),                            \
			    .page_shift = 12,                                           \
			    .kernel = version,                                          \
			    .nr_levels = levels,                                        \
			    .ias = 12 + 9 * (levels) },                                 \
	}
#define LINUX_6_1  IOMMUSIM_KERNEL(6, 1)
#define LINUX_6_12 IOMMUSIM_KERNEL(6, 12)

/* Linux 6.1 forbids execution in each word of Intel's first level: the image could not run. */
static const struct world_spec x86_64_specs[] = {
	X86("AMD v2, 4 levels", "x86-64-amd-v2", 4, LINUX_6_12),
	X86("AMD v2 of Linux 6.1, 4 levels", "x86-64-amd-v2", 4, LINUX_6_1),
	X86("Intel first level, 4 levels", "x86-64-fl", 4, LINUX_6_12),
};

static const struct world_spec x86_64_la57_specs[] = {
	X86("AMD v2, 5 levels", "x86-64-amd-v2", 5, LINUX_6_12),
	X86("Intel first level, 5 levels", "x86-64-fl", 5, LINUX_6_12),
};

static void x86_set_regs(const struct world_spec *spec, const struct iommusim_pgtable_info *info,
                         uint64_t *regs)
{
	regs[0] = info->nr_levels;
}

static const struct architecture architectures[] = {
	{ .name = "aarch64", .parcel = 0x44000000, .set_regs = arm_set_regs, SPECS(aarch64_specs) },
	{ .name = "riscv64",
	  .parcel = 0x90000000,
	  .ram_start = 0xc0000000,
	  .ram_last = 0x13fffffff,
	  /* Behind the image: loads from its own address are not translated (QEMU 7.2 fills one
	     TLB with what the M-mode fetches and with what it loads as U-mode). */
	  .first_iova = 0x80200000,
	  .set_regs = riscv_set_regs,
	  SPECS(riscv64_specs) },
	{ .name = "x86_64",
	  .parcel = 0x10000000,
	  .ram_start = 0x100000000,
	  .ram_last = 0x17fffffff,
	  .image_bytes = 0x200000,
	  .first_iova = 0x40000000,
	  .set_regs = x86_set_regs,
	  SPECS(x86_64_specs) },
	{ .name = "x86_64-la57",
	  .parcel = 0x10000000,
	  .ram_start = 0x100000000,
	  .ram_last = 0x17fffffff,
	  .image_bytes = 0x200000,
	  .first_iova = 0x40000000,
	  .set_regs = x86_set_regs,
	  SPECS(x86_64_la57_specs) },
};

const struct architecture *architecture_find(const char *name)
{
	for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++)
		if (!strcmp(architectures[i].name, name))
			return &architectures[i];
	return NULL;
}
