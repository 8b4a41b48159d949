/* SPDX-License-Identifier: MIT */
/* Tables that Linux 6.12 made, word by word: Arm long descriptors, stage 1. */
#ifndef LAYOUT_S1_H
#define LAYOUT_S1_H

#include "layout.h"

static const struct run words_s1_4k_page[] = {
	{ 0x80000000, 0, 0, 0x80001003, 0 },
	{ 0x80001000, 0, 0, 0x80002003, 0 },
	{ 0x80002000, 145, 145, 0x80003003, 0 },
	{ 0x80003000, 325, 325, 0x89abce43, 0 },
};
static const struct mapping maps_s1_4k_page[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rw" },
};

static const struct run words_s1_4k_block2m[] = {
	{ 0x80000000, 0, 0, 0x80001003, 0 },
	{ 0x80001000, 1, 1, 0x80002003, 0 },
	{ 0x80002000, 1, 1, 0x80200f45, 0 },
};
static const struct mapping maps_s1_4k_block2m[] = {
	{ 0x40200000, 0x80200000, 0x200000, 1, "rwc" },
};

static const struct run words_s1_4k_block1g[] = {
	{ 0x80000000, 0, 0, 0x80001003, 0 },
	{ 0x80001000, 2, 2, 0xc0000ec1, 0 },
};
static const struct mapping maps_s1_4k_block1g[] = {
	{ 0x80000000, 0xc0000000, 0x40000000, 1, "r" },
};

static const struct run words_s1_4k_mmio[] = {
	{ 0x80000000, 0, 0, 0x80001003, 0 },
	{ 0x80001000, 0, 0, 0x80002003, 0 },
	{ 0x80002000, 145, 145, 0x80003003, 0 },
	{ 0x80003000, 325, 325, 0x89abce4b, 0 },
};
static const struct mapping maps_s1_4k_mmio[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rwm" },
};

static const struct run words_s1_4k_noncoh[] = {
	{ 0x80000000, 0, 0, 0x80000080001003, 0 },
	{ 0x80001000, 0, 0, 0x80000080002003, 0 },
	{ 0x80002000, 145, 145, 0x80000080003003, 0 },
	{ 0x80003000, 325, 325, 0x60000089abcf47, 0 },
};
static const struct mapping maps_s1_4k_noncoh[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rwcx" },
};

static const struct run words_s1_4k_3level[] = {
	{ 0x80000000, 508, 508, 0x80001003, 0 },
	{ 0x80001000, 0, 0, 0x100000f45, 0 },
	{ 0x80001000, 1, 1, 0x100200f45, 0 },
};
static const struct mapping maps_s1_4k_3level[] = {
	{ 0x7f00000000, 0x100000000, 0x200000, 2, "rwc" },
};

static const struct run words_s1_4k_ttbr1[] = {
	{ 0x80000000, 510, 510, 0x80001003, 0 },
	{ 0x80001000, 0, 0, 0x80002003, 0 },
	{ 0x80002000, 1, 1, 0x89abce03, 0 },
};
static const struct mapping maps_s1_4k_ttbr1[] = {
	{ 0xffffffff80001000, 0x89abc000, 0x1000, 1, "rwp" },
};

static const struct run words_s1_16k_page[] = {
	{ 0x80000000, 0, 0, 0x80004003, 0 },
	{ 0x80004000, 9, 9, 0x80008003, 0 },
	{ 0x80008000, 209, 209, 0x89abcf47, 0 },
};
static const struct mapping maps_s1_16k_page[] = {
	{ 0x12344000, 0x89abc000, 0x4000, 1, "rwc" },
};

static const struct run words_s1_16k_48[] = {
	{ 0x80000000, 1, 1, 0x80004003, 0 },
	{ 0x80004000, 18, 18, 0x80008003, 0 },
	{ 0x80008000, 418, 418, 0x8000c003, 0 },
	{ 0x8000c000, 1438, 1438, 0x189abcf47, 0 },
};
static const struct mapping maps_s1_16k_48[] = {
	{ 0x812345678000, 0x189abc000, 0x4000, 1, "rwc" },
};

static const struct run words_s1_16k_32m[] = {
	{ 0x80000000, 0, 0, 0x80004003, 0 },
	{ 0x80004000, 2, 2, 0x86000e41, 0 },
};
static const struct mapping maps_s1_16k_32m[] = {
	{ 0x4000000, 0x86000000, 0x2000000, 1, "rw" },
};

static const struct run words_s1_64k_page[] = {
	{ 0x80000000, 0, 0, 0x80010003, 0 },
	{ 0x80010000, 0, 0, 0x80020003, 0 },
	{ 0x80020000, 4660, 4660, 0x89ab0f47, 0 },
};
static const struct mapping maps_s1_64k_page[] = {
	{ 0x12340000, 0x89ab0000, 0x10000, 1, "rwc" },
};

static const struct run words_s1_64k_512m[] = {
	{ 0x80000000, 0, 0, 0x80010003, 0 },
	{ 0x80010000, 2, 2, 0xc0000e41, 0 },
};
static const struct mapping maps_s1_64k_512m[] = {
	{ 0x40000000, 0xc0000000, 0x20000000, 1, "rw" },
};

static const struct run words_s1_64k_52page[] = {
	{ 0x80000000, 0, 0, 0x80010003, 0 },
	{ 0x80010000, 0, 0, 0x80020003, 0 },
	{ 0x80020000, 4660, 4660, 0x12345678ff47, 0 },
};
static const struct mapping maps_s1_64k_52page[] = {
	{ 0x12340000, 0xf123456780000, 0x10000, 1, "rwc" },
};

static const struct run words_s1_64k_52_4t[] = {
	{ 0x80000000, 1, 1, 0x40000008e41, 0 },
};
static const struct mapping maps_s1_64k_52_4t[] = {
	{ 0x40000000000, 0x8040000000000, 0x40000000000, 1, "rw" },
};

static const struct run words_s1_32_page[] = {
	{ 0x80000000, 1, 1, 0x8080000080001003, 0 },
	{ 0x80001000, 0, 0, 0x8080000080002003, 0 },
	{ 0x80001000, 1, 1, 0x60000540200e61, 0 },
	{ 0x80002000, 1, 1, 0x540001e63, 0 },
};
static const struct mapping maps_s1_32_page[] = {
	{ 0x40001000, 0x540001000, 0x1000, 1, "rw" },
	{ 0x40200000, 0x540200000, 0x200000, 1, "rwx" },
};

static const struct run words_s1_4k_split[] = {
	{ 0x80000000, 1, 1, 0x80001003, 0 },
	{ 0x80001000, 1, 1, 0x80002003, 0 },
	{ 0x80002000, 0, 0, 0x80200f47, 0 },
	{ 0x80002000, 2, 511, 0x80202f47, 0x1000 },
};
static const struct mapping maps_s1_4k_split[] = {
	{ 0x40200000, 0x80200000, 0x1000, 1, "rwc" },
	{ 0x40202000, 0x80202000, 0x1000, 510, "rwc" },
};

static const struct run words_s1_4k_unmaptbl[] = {
	{ 0x80000000, 1, 1, 0x80001003, 0 },
	{ 0x80002000, 0, 511, 0x80200f47, 0x1000 },
};

static const struct example examples_s1[] = {
	{ "s1-4k-page",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_4k_page),
	  RUNS(maps_s1_4k_page),
	  0,
	  0,
	  0 },
	{ "s1-4k-block2m",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_4k_block2m),
	  RUNS(maps_s1_4k_block2m),
	  0,
	  0,
	  0 },
	{ "s1-4k-block1g",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_4k_block1g),
	  RUNS(maps_s1_4k_block1g),
	  0,
	  0,
	  0 },
	{ "s1-4k-mmio",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_4k_mmio),
	  RUNS(maps_s1_4k_mmio),
	  0,
	  0,
	  0 },
	{ "s1-4k-noncoh",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = WALK_NONCOHERENT,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_4k_noncoh),
	  RUNS(maps_s1_4k_noncoh),
	  0,
	  0,
	  0 },
	{ "s1-4k-3level",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 39,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_4k_3level),
	  RUNS(maps_s1_4k_3level),
	  0,
	  0,
	  0 },
	{ "s1-4k-ttbr1",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 39,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = WALK_TTBR1,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_4k_ttbr1),
	  RUNS(maps_s1_4k_ttbr1),
	  0,
	  0,
	  0 },
	{ "s1-16k-page",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 14,
	    .ias = 47,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_16k_page),
	  RUNS(maps_s1_16k_page),
	  0,
	  0,
	  0 },
	{ "s1-16k-48",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 14,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_16k_48),
	  RUNS(maps_s1_16k_48),
	  0,
	  0,
	  0 },
	{ "s1-16k-32m",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 14,
	    .ias = 47,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_16k_32m),
	  RUNS(maps_s1_16k_32m),
	  0,
	  0,
	  0 },
	{ "s1-64k-page",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 16,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_64k_page),
	  RUNS(maps_s1_64k_page),
	  0,
	  0,
	  0 },
	{ "s1-64k-512m",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 16,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_64k_512m),
	  RUNS(maps_s1_64k_512m),
	  0,
	  0,
	  0 },
	{ "s1-64k-52page",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 16,
	    .ias = 52,
	    .oas = 52,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_64k_52page),
	  RUNS(maps_s1_64k_52page),
	  0,
	  0,
	  0 },
	{ "s1-64k-52-4t",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 16,
	    .ias = 52,
	    .oas = 52,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_64k_52_4t),
	  RUNS(maps_s1_64k_52_4t),
	  0,
	  0,
	  0 },
	{ "s1-32-page",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 32,
	    .oas = 40,
	    .nr_levels = 0,
	    .flags = WALK_NS | WALK_NONCOHERENT,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_32_page),
	  RUNS(maps_s1_32_page),
	  0,
	  0,
	  0 },
	{ "s1-4k-split",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 39,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_4k_split),
	  RUNS(maps_s1_4k_split),
	  0,
	  0,
	  0 },
	{ "s1-4k-unmaptbl",
	  { .format = &walk_arm_lpae_s1,
	    .granule_lg2 = 12,
	    .ias = 39,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s1_4k_unmaptbl),
	  NULL,
	  0,
	  0,
	  0x40200000,
	  0 },
};

#endif
