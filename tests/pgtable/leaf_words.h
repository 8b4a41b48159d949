/* SPDX-License-Identifier: MIT */
/* Words of pages as Linux makes them, by what was asked for. */
#ifndef LEAF_WORDS_H
#define LEAF_WORDS_H

#include "layout.h"

/* One column of a table: pages of one kind, all at @pa. */
struct column {
	const char *name;
	struct walk_config config;
	unsigned level;
	uint64_t pa, size;
};

struct asked {
	const char *prot;
	uint64_t word[7]; /* by column */
};

static const struct column lpae_columns[] = {
	{ "stage 1 page",
	  { .format = &walk_arm_lpae_s1, .granule_lg2 = 12, .ias = 48 },
	  0,
	  0x40001000,
	  0x1000 },
	{ "stage 1 block",
	  { .format = &walk_arm_lpae_s1, .granule_lg2 = 12, .ias = 48 },
	  1,
	  0x40200000,
	  0x200000 },
	{ "stage 1 page, not secure",
	  { .format = &walk_arm_lpae_s1, .granule_lg2 = 12, .ias = 48, .flags = WALK_NS },
	  0,
	  0x40001000,
	  0x1000 },
	{ "stage 1 page, dirty bit",
	  { .format = &walk_arm_lpae_s1, .granule_lg2 = 12, .ias = 48, .flags = WALK_HD },
	  0,
	  0x40001000,
	  0x1000 },
	{ "stage 2 page",
	  { .format = &walk_arm_lpae_s2, .granule_lg2 = 12, .ias = 48 },
	  0,
	  0x40001000,
	  0x1000 },
	{ "stage 2 block",
	  { .format = &walk_arm_lpae_s2, .granule_lg2 = 12, .ias = 48 },
	  1,
	  0x40200000,
	  0x200000 },
	{ "Mali page",
	  { .format = &walk_arm_mali_lpae, .granule_lg2 = 12, .ias = 48 },
	  0,
	  0x40001000,
	  0x1000 },
};

static const struct asked lpae_words[] = {
	{ "r",
	  { 0x40001ec3, 0x40200ec1, 0x40001ee3, 0x40001ec3, 0x40001657, 0x40200655, 0x40001241 } },
	{ "w",
	  { 0x40001e43, 0x40200e41, 0x40001e63, 0x8000040001e43, 0x40001697, 0x40200695,
	    0x40001281 } },
	{ "rw",
	  { 0x40001e43, 0x40200e41, 0x40001e63, 0x8000040001e43, 0x400016d7, 0x402006d5,
	    0x400012c1 } },
	{ "rc",
	  { 0x40001fc7, 0x40200fc5, 0x40001fe7, 0x40001fc7, 0x4000177f, 0x4020077d, 0x40001245 } },
	{ "rwc",
	  { 0x40001f47, 0x40200f45, 0x40001f67, 0x8000040001f47, 0x400017ff, 0x402007fd,
	    0x400012c5 } },
	{ "rx",
	  { 0x60000040001ec3, 0x60000040200ec1, 0x60000040001ee3, 0x60000040001ec3,
	    0x60000040001657, 0x60000040200655, 0x60000040001241 } },
	{ "rwx",
	  { 0x60000040001e43, 0x60000040200e41, 0x60000040001e63, 0x68000040001e43,
	    0x600000400016d7, 0x600000402006d5, 0x600000400012c1 } },
	{ "rwcx",
	  { 0x60000040001f47, 0x60000040200f45, 0x60000040001f67, 0x68000040001f47,
	    0x600000400017ff, 0x600000402007fd, 0x600000400012c5 } },
	{ "rm",
	  { 0x40001ecb, 0x40200ec9, 0x40001eeb, 0x40001ecb, 0x40001647, 0x40200645, 0x40001249 } },
	{ "rwm",
	  { 0x40001e4b, 0x40200e49, 0x40001e6b, 0x8000040001e4b, 0x400016c7, 0x402006c5,
	    0x400012c9 } },
	{ "rwxm",
	  { 0x60000040001e4b, 0x60000040200e49, 0x60000040001e6b, 0x68000040001e4b,
	    0x600000400016c7, 0x600000402006c5, 0x600000400012c9 } },
	{ "rp",
	  { 0x40001e83, 0x40200e81, 0x40001ea3, 0x40001e83, 0x40001657, 0x40200655, 0x40001241 } },
	{ "rwp",
	  { 0x40001e03, 0x40200e01, 0x40001e23, 0x8000040001e03, 0x400016d7, 0x402006d5,
	    0x400012c1 } },
	{ "rwcp",
	  { 0x40001f07, 0x40200f05, 0x40001f27, 0x8000040001f07, 0x400017ff, 0x402007fd,
	    0x400012c5 } },
};

static const struct column v7s_columns[] = {
	{ "small page", { .format = &walk_arm_v7s, .ias = 32 }, 0, 0x40001000, 0x1000 },
	{ "large page", { .format = &walk_arm_v7s, .ias = 32 }, 0, 0x40010000, 0x10000 },
	{ "section", { .format = &walk_arm_v7s, .ias = 32 }, 1, 0x40100000, 0x100000 },
	{ "supersection", { .format = &walk_arm_v7s, .ias = 32 }, 1, 0x41000000, 0x1000000 },
};

static const struct asked v7s_words[] = {
	{ "r", { 0x40001e72, 0x40011e31, 0x40139c02, 0x41079c02 } },
	{ "w", { 0x40001c72, 0x40011c31, 0x40131c02, 0x41071c02 } },
	{ "rw", { 0x40001c72, 0x40011c31, 0x40131c02, 0x41071c02 } },
	{ "rc", { 0x40001e7e, 0x40011e3d, 0x40139c0e, 0x41079c0e } },
	{ "rwc", { 0x40001c7e, 0x40011c3d, 0x40131c0e, 0x41071c0e } },
	{ "rx", { 0x40001e73, 0x40019e31, 0x40139c12, 0x41079c12 } },
	{ "rwx", { 0x40001c73, 0x40019c31, 0x40131c12, 0x41071c12 } },
	{ "rwcx", { 0x40001c7f, 0x40019c3d, 0x40131c1e, 0x41071c1e } },
	{ "rm", { 0x40001e36, 0x40010e35, 0x40138c06, 0x41078c06 } },
	{ "rwm", { 0x40001c36, 0x40010c35, 0x40130c06, 0x41070c06 } },
	{ "rwxm", { 0x40001c37, 0x40018c35, 0x40130c16, 0x41070c16 } },
	{ "rp", { 0x40001e52, 0x40011e11, 0x40139402, 0x41079402 } },
	{ "rwp", { 0x40001c52, 0x40011c11, 0x40131402, 0x41071402 } },
	{ "rwcp", { 0x40001c5e, 0x40011c1d, 0x4013140e, 0x4107140e } },
};

static const struct column mtk_columns[] = {
	{ "MediaTek small page",
	  { .format = &walk_arm_v7s_mtk, .ias = 34, .flags = WALK_NS | WALK_NO_PERMS | WALK_MTK },
	  0,
	  0x740001000,
	  0x1000 },
	{ "MediaTek large page",
	  { .format = &walk_arm_v7s_mtk, .ias = 34, .flags = WALK_NS | WALK_NO_PERMS | WALK_MTK },
	  0,
	  0x740010000,
	  0x10000 },
	{ "MediaTek section",
	  { .format = &walk_arm_v7s_mtk, .ias = 34, .flags = WALK_NS | WALK_NO_PERMS | WALK_MTK },
	  1,
	  0x740100000,
	  0x100000 },
	{ "MediaTek supersection",
	  { .format = &walk_arm_v7s_mtk, .ias = 34, .flags = WALK_NS | WALK_NO_PERMS | WALK_MTK },
	  1,
	  0x741000000,
	  0x1000000 },
};

static const struct asked mtk_words[] = {
	{ "r", { 0x40001e72, 0x40011e31, 0x401b1232, 0x410f1232 } },
	{ "rw", { 0x40001e72, 0x40011e31, 0x401b1232, 0x410f1232 } },
	{ "rc", { 0x40001e7e, 0x40011e3d, 0x401b123e, 0x410f123e } },
	{ "rwc", { 0x40001e7e, 0x40011e3d, 0x401b123e, 0x410f123e } },
	{ "rwx", { 0x40001e72, 0x40011e31, 0x401b1232, 0x410f1232 } },
};

static const struct column exynos_columns[] = {
	{ "exynos-v1 section", { .format = &walk_exynos_v1 }, 1, 0x12300000, 0x100000 },
	{ "exynos-v1 large page", { .format = &walk_exynos_v1 }, 0, 0x12340000, 0x10000 },
	{ "exynos-v1 small page", { .format = &walk_exynos_v1 }, 0, 0x12345000, 0x1000 },
	{ "exynos-v5 section", { .format = &walk_exynos_v5 }, 1, 0x912300000, 0x100000 },
	{ "exynos-v5 large page", { .format = &walk_exynos_v5 }, 0, 0x912340000, 0x10000 },
	{ "exynos-v5 small page", { .format = &walk_exynos_v5 }, 0, 0x912345000, 0x1000 },
};

static const struct asked exynos_words[] = {
	{ "r", { 0x12308402, 0x12340211, 0x12345212, 0x91230012, 0x91234005, 0x91234506 } },
	{ "w", { 0x12300402, 0x12340011, 0x12345012, 0x91230022, 0x91234009, 0x9123450a } },
	{ "rw", { 0x12300402, 0x12340011, 0x12345012, 0x91230032, 0x9123400d, 0x9123450e } },
};

#endif
