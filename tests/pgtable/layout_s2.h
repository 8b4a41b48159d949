/* SPDX-License-Identifier: MIT */
/* Tables that Linux 6.12 made, word by word: Arm long descriptors, stage 2, and Mali. */
#ifndef LAYOUT_S2_H
#define LAYOUT_S2_H

#include "layout.h"

static const struct run words_s2_4k_40[] = {
	{ 0x80000000, 512, 512, 0x80002003, 0 },
	{ 0x80002000, 145, 145, 0x80003003, 0 },
	{ 0x80003000, 325, 325, 0x89abc7ff, 0 },
};
static const struct mapping maps_s2_4k_40[] = {
	{ 0x8012345000, 0x89abc000, 0x1000, 1, "rwc" },
};

static const struct run words_s2_4k_42[] = {
	{ 0x80000000, 3584, 3584, 0x80008003, 0 },
	{ 0x80008000, 145, 145, 0x80009003, 0 },
	{ 0x80009000, 325, 325, 0x89abc6d7, 0 },
};
static const struct mapping maps_s2_4k_42[] = {
	{ 0x38012345000, 0x89abc000, 0x1000, 1, "rw" },
};

static const struct run words_s2_4k_44[] = {
	{ 0x80000000, 31, 31, 0x80001003, 0 },
	{ 0x80001000, 0, 0, 0x80002003, 0 },
	{ 0x80002000, 145, 145, 0x80003003, 0 },
	{ 0x80003000, 325, 325, 0x89abc6c7, 0 },
};
static const struct mapping maps_s2_4k_44[] = {
	{ 0xf8012345000, 0x89abc000, 0x1000, 1, "rwm" },
};

static const struct run words_s2_4k_48[] = {
	{ 0x80000000, 0, 0, 0x80001003, 0 },
	{ 0x80001000, 1, 1, 0x80002003, 0 },
	{ 0x80002000, 1, 1, 0x8020077d, 0 },
};
static const struct mapping maps_s2_4k_48[] = {
	{ 0x40200000, 0x80200000, 0x200000, 1, "rc" },
};

static const struct run words_s2_16k_48[] = {
	{ 0x80000000, 2066, 2066, 0x80008003, 0 },
	{ 0x80008000, 418, 418, 0x8000c003, 0 },
	{ 0x8000c000, 0, 0, 0x89abc7ff, 0 },
};
static const struct mapping maps_s2_16k_48[] = {
	{ 0x812344000000, 0x89abc000, 0x4000, 1, "rwc" },
};

static const struct run words_s2_64k_44[] = {
	{ 0x80000000, 0, 0, 0x80010003, 0 },
	{ 0x80010000, 0, 0, 0x80020003, 0 },
	{ 0x80020000, 4660, 4660, 0x89ab07ff, 0 },
};
static const struct mapping maps_s2_64k_44[] = {
	{ 0x12340000, 0x89ab0000, 0x10000, 1, "rwc" },
};

static const struct run words_s2_32[] = {
	{ 0x80000000, 512, 512, 0x80002003, 0 },
	{ 0x80002000, 145, 145, 0x80003003, 0 },
	{ 0x80003000, 325, 325, 0x89abc6d7, 0 },
};
static const struct mapping maps_s2_32[] = {
	{ 0x8012345000, 0x89abc000, 0x1000, 1, "rw" },
};

static const struct run words_mali[] = {
	{ 0x80000000, 0, 0, 0x80001003, 0 },       { 0x80001000, 0, 0, 0x80002003, 0 },
	{ 0x80002000, 128, 128, 0x80003003, 0 },   { 0x80002000, 257, 257, 0x402002c1, 0 },
	{ 0x80003000, 1, 1, 0x600000400012c5, 0 },
};
static const struct mapping maps_mali[] = {
	{ 0x10001000, 0x40001000, 0x1000, 1, "rwcx" },
	{ 0x20200000, 0x40200000, 0x200000, 1, "rw" },
};

static const struct example examples_s2[] = {
	{ "s2-4k-40",
	  { .format = &walk_arm_lpae_s2,
	    .granule_lg2 = 12,
	    .ias = 40,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s2_4k_40),
	  RUNS(maps_s2_4k_40),
	  0x2000,
	  0,
	  0 },
	{ "s2-4k-42",
	  { .format = &walk_arm_lpae_s2,
	    .granule_lg2 = 12,
	    .ias = 42,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s2_4k_42),
	  RUNS(maps_s2_4k_42),
	  0x8000,
	  0,
	  0 },
	{ "s2-4k-44",
	  { .format = &walk_arm_lpae_s2,
	    .granule_lg2 = 12,
	    .ias = 44,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s2_4k_44),
	  RUNS(maps_s2_4k_44),
	  0x1000,
	  0,
	  0 },
	{ "s2-4k-48",
	  { .format = &walk_arm_lpae_s2,
	    .granule_lg2 = 12,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s2_4k_48),
	  RUNS(maps_s2_4k_48),
	  0x1000,
	  0,
	  0 },
	{ "s2-16k-48",
	  { .format = &walk_arm_lpae_s2,
	    .granule_lg2 = 14,
	    .ias = 48,
	    .oas = 48,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s2_16k_48),
	  RUNS(maps_s2_16k_48),
	  0x8000,
	  0,
	  0 },
	{ "s2-64k-44",
	  { .format = &walk_arm_lpae_s2,
	    .granule_lg2 = 16,
	    .ias = 44,
	    .oas = 44,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s2_64k_44),
	  RUNS(maps_s2_64k_44),
	  0x10000,
	  0,
	  0 },
	{ "s2-32",
	  { .format = &walk_arm_lpae_s2,
	    .granule_lg2 = 12,
	    .ias = 40,
	    .oas = 40,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_s2_32),
	  RUNS(maps_s2_32),
	  0x2000,
	  0,
	  0 },
	{ "mali",
	  { .format = &walk_arm_mali_lpae,
	    .granule_lg2 = 12,
	    .ias = 48,
	    .oas = 40,
	    .nr_levels = 0,
	    .flags = 0,
	    .root = { 0x80000000 } },
	  RUNS(words_mali),
	  RUNS(maps_mali),
	  0,
	  0,
	  0 },
};

#endif
