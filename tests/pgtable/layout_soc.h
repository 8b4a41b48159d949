/* SPDX-License-Identifier: MIT */
/* Tables that Linux 6.12 made, word by word: Arm short descriptors, DART, AMD. */
#ifndef LAYOUT_SOC_H
#define LAYOUT_SOC_H

#include "layout.h"

static const struct run words_v7s_all[] = {
	{ 0x80000000, 0, 0, 0x80004001, 0 },   { 0x80000000, 1, 1, 0x40131c0e, 0 },
	{ 0x80000000, 16, 31, 0x41071c1e, 0 }, { 0x80004000, 1, 1, 0x40001c7f, 0 },
	{ 0x80004000, 16, 31, 0x40019c3d, 0 },
};
static const struct mapping maps_v7s_all[] = {
	{ 0x1000, 0x40001000, 0x1000, 1, "rwcx" },
	{ 0x10000, 0x40010000, 0x10000, 1, "rwcx" },
	{ 0x100000, 0x40100000, 0x100000, 1, "rwc" },
	{ 0x1000000, 0x41000000, 0x1000000, 1, "rwcx" },
};

static const struct run words_v7s_ns[] = {
	{ 0x80000000, 0, 0, 0x80004009, 0 },
	{ 0x80000000, 1, 1, 0x401b1c02, 0 },
	{ 0x80004000, 1, 1, 0x40001c72, 0 },
};
static const struct mapping maps_v7s_ns[] = {
	{ 0x1000, 0x40001000, 0x1000, 1, "rw" },
	{ 0x100000, 0x40100000, 0x100000, 1, "rw" },
};

static const struct run words_v7s_splitbug[] = {
	{ 0x80000000, 1, 1, 0x80004001, 0 },
	{ 0x80004000, 0, 0, 0xc7e, 0 },
	{ 0x80004000, 2, 255, 0x2c7e, 0x1000 },
};
static const struct mapping maps_v7s_splitbug[] = {
	{ 0x100000, 0, 0x1000, 1, "rwc" },
	{ 0x102000, 0x2000, 0x1000, 254, "rwc" },
};

static const struct run words_v7s_splitlarge[] = {
	{ 0x80000000, 0, 0, 0x80004001, 0 },        { 0x80004000, 16, 16, 0x40010c7e, 0 },
	{ 0x80004000, 17, 17, 0x40011c7e, 0 },      { 0x80004000, 18, 18, 0x40012c7e, 0 },
	{ 0x80004000, 20, 31, 0x40014c7e, 0x1000 },
};
static const struct mapping maps_v7s_splitlarge[] = {
	{ 0x10000, 0x40010000, 0x1000, 3, "rwc" },
	{ 0x14000, 0x40014000, 0x1000, 12, "rwc" },
};

static const struct run words_v7s_splitsuper[] = {
	{ 0x80000000, 16, 16, 0x41031c0e, 0 },
	{ 0x80000000, 18, 31, 0x41231c0e, 0x100000 },
};
static const struct mapping maps_v7s_splitsuper[] = {
	{ 0x1000000, 0x41000000, 0x100000, 1, "rwc" },
	{ 0x1200000, 0x41200000, 0x100000, 14, "rwc" },
};

static const struct run words_mtk_33[] = {
	{ 0x80000000, 0, 0, 0x80004009, 0 },   { 0x80000000, 1, 1, 0x401b1202, 0 },
	{ 0x80000000, 16, 31, 0x410f1202, 0 }, { 0x80004000, 1, 1, 0x40001e42, 0 },
	{ 0x80004000, 16, 31, 0x40011e01, 0 },
};
static const struct mapping maps_mtk_33[] = {
	{ 0x1000, 0x140001000, 0x1000, 1, "rw" },
	{ 0x10000, 0x140010000, 0x10000, 1, "rw" },
	{ 0x100000, 0x140100000, 0x100000, 1, "rw" },
	{ 0x1000000, 0x141000000, 0x1000000, 1, "rw" },
};

static const struct run words_mtk_35[] = {
	{ 0x740000000, 0, 0, 0x40010239, 0 },         { 0x740000000, 1, 1, 0xc01b1232, 0 },
	{ 0x740000000, 12288, 12288, 0x40010639, 0 }, { 0x740010000, 1, 1, 0x40001e72, 0 },
	{ 0x740010400, 1, 1, 0x40001c42, 0 },
};
static const struct mapping maps_mtk_35[] = {
	{ 0x1000, 0x740001000, 0x1000, 1, "rw" },
	{ 0x100000, 0x7c0100000, 0x100000, 1, "rw" },
	{ 0x300001000, 0x40001000, 0x1000, 1, "rw" },
};

static const struct run words_dart1_16k[] = {
	{ 0x800000000, 9, 9, 0x800004001, 0 },
	{ 0x800004000, 209, 209, 0xfff0089abc003, 0 },
	{ 0x800004000, 210, 210, 0xfff0089ac0083, 0 },
	{ 0x800004000, 211, 211, 0xfff0089ac4103, 0 },
};
static const struct mapping maps_dart1_16k[] = {
	{ 0x12344000, 0x89abc000, 0x4000, 1, "rwc" },
	{ 0x12348000, 0x89ac0000, 0x4000, 1, "r" },
	{ 0x1234c000, 0x89ac4000, 0x4000, 1, "w" },
};

static const struct run words_dart1_4k[] = {
	{ 0x800000000, 145, 145, 0x800004001, 0 },
	{ 0x800004000, 324, 324, 0xfff0089abc003, 0 },
};
static const struct mapping maps_dart1_4k[] = {
	{ 0x12344000, 0x89abc000, 0x1000, 1, "rwc" },
};

static const struct run words_dart2_16k[] = {
	{ 0x10000000000, 9, 9, 0x1000000401, 0 },
	{ 0x10000004000, 209, 209, 0xfff10089abc03, 0 },
	{ 0x10000004000, 210, 210, 0xfff10089ac007, 0 },
};
static const struct mapping maps_dart2_16k[] = {
	{ 0x12344000, 0x10089abc000, 0x4000, 1, "rwc" },
	{ 0x12348000, 0x10089ac0000, 0x4000, 1, "r" },
};

static const struct run words_amdv1_4k[] = {
	{ 0x80000000, 0, 0, 0x6000000080001401, 0 },
	{ 0x80001000, 145, 145, 0x6000000080002201, 0 },
	{ 0x80002000, 325, 325, 0x7000000012345001, 0 },
};
static const struct mapping maps_amdv1_4k[] = {
	{ 0x12345000, 0x12345000, 0x1000, 1, "rw" },
};

static const struct run words_amdv1_2m[] = {
	{ 0x80000000, 1, 1, 0x6000000080001401, 0 },
	{ 0x80001000, 1, 1, 0x7000000040200001, 0 },
};
static const struct mapping maps_amdv1_2m[] = {
	{ 0x40200000, 0x40200000, 0x200000, 1, "rw" },
};

static const struct run words_amdv1_32k[] = {
	{ 0x80000000, 0, 0, 0x6000000080001401, 0 },
	{ 0x80001000, 0, 0, 0x6000000080002201, 0 },
	{ 0x80002000, 80, 87, 0x3000000000053e01, 0 },
};
static const struct mapping maps_amdv1_32k[] = {
	{ 0x50000, 0x50000, 0x8000, 1, "r" },
};

static const struct run words_amdv1_64k[] = {
	{ 0x80000000, 0, 0, 0x6000000080001401, 0 },
	{ 0x80001000, 145, 145, 0x6000000080002201, 0 },
	{ 0x80002000, 320, 335, 0x7000000012347e01, 0 },
};
static const struct mapping maps_amdv1_64k[] = {
	{ 0x12340000, 0x12340000, 0x10000, 1, "rw" },
};

static const struct run words_amdv1_4m[] = {
	{ 0x80000000, 1, 1, 0x6000000080001401, 0 },
	{ 0x80001000, 2, 3, 0x70000000405ffe01, 0 },
};
static const struct mapping maps_amdv1_4m[] = {
	{ 0x40400000, 0x40400000, 0x400000, 1, "rw" },
};

static const struct run words_amdv1_1g[] = {
	{ 0x80000000, 2, 2, 0x7000000080000001, 0 },
};
static const struct mapping maps_amdv1_1g[] = {
	{ 0x80000000, 0x80000000, 0x40000000, 1, "rw" },
};

static const struct run words_amdv1_grow[] = {
	{ 0x80000000, 0, 0, 0x6000000080001401, 0 },
	{ 0x80001000, 145, 145, 0x6000000080002201, 0 },
	{ 0x80002000, 325, 325, 0x7000000012345001, 0 },
	{ 0x80003000, 0, 0, 0x6000000080000601, 0 },
	{ 0x80003000, 1, 1, 0x6000000080004601, 0 },
	{ 0x80004000, 0, 0, 0x6000000080005401, 0 },
	{ 0x80005000, 145, 145, 0x6000000080006201, 0 },
	{ 0x80006000, 325, 325, 0x7000000089abc001, 0 },
};
static const struct mapping maps_amdv1_grow[] = {
	{ 0x12345000, 0x12345000, 0x1000, 1, "rw" },
	{ 0x8012345000, 0x89abc000, 0x1000, 1, "rw" },
};

static const struct run words_amdv2_4k[] = {
	{ 0x80000000, 0, 0, 0x80001027, 0 },     { 0x80001000, 0, 0, 0x80002027, 0 },
	{ 0x80001000, 1, 1, 0x80004027, 0 },     { 0x80002000, 145, 145, 0x80003027, 0 },
	{ 0x80003000, 325, 325, 0x12345067, 0 }, { 0x80003000, 326, 326, 0x12346065, 0 },
	{ 0x80004000, 1, 1, 0x402000e7, 0 },
};
static const struct mapping maps_amdv2_4k[] = {
	{ 0x12345000, 0x12345000, 0x1000, 1, "rw" },
	{ 0x12346000, 0x12346000, 0x1000, 1, "r" },
	{ 0x40200000, 0x40200000, 0x200000, 1, "rw" },
};

static const struct example examples_soc[] = {
	{ "v7s-all",
	  { .format = &walk_arm_v7s,
	    .granule_lg2 = 12,
	    .ias = 32,
	    .oas = 32,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_v7s_all),
	  RUNS(maps_v7s_all),
	  0,
	  0,
	  0 },
	{ "v7s-ns",
	  { .format = &walk_arm_v7s,
	    .granule_lg2 = 12,
	    .ias = 32,
	    .oas = 32,
	    .nr_levels = 0,
	    .flags = WALK_NS,
	    .root = { 0x80000000 } },
	  RUNS(words_v7s_ns),
	  RUNS(maps_v7s_ns),
	  0,
	  0,
	  0 },
	{ "v7s-splitbug",
	  { .format = &walk_arm_v7s,
	    .granule_lg2 = 12,
	    .ias = 32,
	    .oas = 32,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_v7s_splitbug),
	  RUNS(maps_v7s_splitbug),
	  0,
	  0,
	  0 },
	{ "v7s-splitlarge",
	  { .format = &walk_arm_v7s,
	    .granule_lg2 = 12,
	    .ias = 32,
	    .oas = 32,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_v7s_splitlarge),
	  RUNS(maps_v7s_splitlarge),
	  0,
	  0,
	  0 },
	{ "v7s-splitsuper",
	  { .format = &walk_arm_v7s,
	    .granule_lg2 = 12,
	    .ias = 32,
	    .oas = 32,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_v7s_splitsuper),
	  RUNS(maps_v7s_splitsuper),
	  0,
	  0,
	  0 },
	{ "mtk-33",
	  { .format = &walk_arm_v7s_mtk,
	    .granule_lg2 = 12,
	    .ias = 32,
	    .oas = 33,
	    .nr_levels = 0,
	    .flags = WALK_NS | WALK_NO_PERMS | WALK_MTK,
	    .root = { 0x80000000 } },
	  RUNS(words_mtk_33),
	  RUNS(maps_mtk_33),
	  0,
	  0,
	  0 },
	{ "mtk-35",
	  { .format = &walk_arm_v7s_mtk,
	    .granule_lg2 = 12,
	    .ias = 34,
	    .oas = 35,
	    .nr_levels = 0,
	    .flags = WALK_NS | WALK_NO_PERMS | WALK_MTK,
	    .root = { 0x740000000 } },
	  RUNS(words_mtk_35),
	  RUNS(maps_mtk_35),
	  0,
	  0,
	  0 },
	{ "dart1-16k",
	  { .format = &walk_dart1,
	    .granule_lg2 = 14,
	    .ias = 32,
	    .oas = 36,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x800000000 } },
	  RUNS(words_dart1_16k),
	  RUNS(maps_dart1_16k),
	  0,
	  0,
	  0 },
	{ "dart1-4k",
	  { .format = &walk_dart1,
	    .granule_lg2 = 12,
	    .ias = 32,
	    .oas = 36,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x800000000, 0x800001000, 0x800002000, 0x800003000 } },
	  RUNS(words_dart1_4k),
	  RUNS(maps_dart1_4k),
	  0,
	  0,
	  0 },
	{ "dart2-16k",
	  { .format = &walk_dart2,
	    .granule_lg2 = 14,
	    .ias = 32,
	    .oas = 42,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x10000000000 } },
	  RUNS(words_dart2_16k),
	  RUNS(maps_dart2_16k),
	  0,
	  0,
	  0 },
	{ "amdv1-4k",
	  { .format = &walk_amd_v1,
	    .granule_lg2 = 12,
	    .ias = 52,
	    .oas = 0,
	    .nr_levels = 3,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_amdv1_4k),
	  RUNS(maps_amdv1_4k),
	  0,
	  0,
	  0 },
	{ "amdv1-2m",
	  { .format = &walk_amd_v1,
	    .granule_lg2 = 12,
	    .ias = 52,
	    .oas = 0,
	    .nr_levels = 3,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_amdv1_2m),
	  RUNS(maps_amdv1_2m),
	  0,
	  0,
	  0 },
	{ "amdv1-32k",
	  { .format = &walk_amd_v1,
	    .granule_lg2 = 12,
	    .ias = 52,
	    .oas = 0,
	    .nr_levels = 3,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_amdv1_32k),
	  RUNS(maps_amdv1_32k),
	  0,
	  0,
	  0 },
	{ "amdv1-64k",
	  { .format = &walk_amd_v1,
	    .granule_lg2 = 12,
	    .ias = 52,
	    .oas = 0,
	    .nr_levels = 3,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_amdv1_64k),
	  RUNS(maps_amdv1_64k),
	  0,
	  0,
	  0 },
	{ "amdv1-4m",
	  { .format = &walk_amd_v1,
	    .granule_lg2 = 12,
	    .ias = 52,
	    .oas = 0,
	    .nr_levels = 3,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_amdv1_4m),
	  RUNS(maps_amdv1_4m),
	  0,
	  0,
	  0 },
	{ "amdv1-1g",
	  { .format = &walk_amd_v1,
	    .granule_lg2 = 12,
	    .ias = 52,
	    .oas = 0,
	    .nr_levels = 3,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_amdv1_1g),
	  RUNS(maps_amdv1_1g),
	  0,
	  0,
	  0 },
	{ "amdv1-grow",
	  { .format = &walk_amd_v1,
	    .granule_lg2 = 12,
	    .ias = 52,
	    .oas = 0,
	    .nr_levels = 4,
	    .flags = 0,
	    .root = { 0x80003000 } },
	  RUNS(words_amdv1_grow),
	  RUNS(maps_amdv1_grow),
	  0,
	  0,
	  0 },
	{ "amdv2-4k",
	  { .format = &walk_x86_64_amd_v2,
	    .granule_lg2 = 12,
	    .ias = 52,
	    .oas = 0,
	    .nr_levels = 4,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_amdv2_4k),
	  RUNS(maps_amdv2_4k),
	  0,
	  0,
	  0 },
};

#endif
