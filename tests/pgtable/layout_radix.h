/* SPDX-License-Identifier: MIT */
/* Tables made by hand from the text of the layouts: RISC-V, Intel, AMD. */
#ifndef LAYOUT_RADIX_H
#define LAYOUT_RADIX_H

#include "layout.h"

static const struct run text_riscv_sv39[] = {
	{ 0x80000000, 0, 0, 0x20000401, 0 },
	{ 0x80001000, 145, 145, 0x20000801, 0 },
	{ 0x80002000, 325, 325, 0x226af0d7, 0 },
	{ 0x80002000, 326, 326, 0x226af453, 0 },
};
static const struct mapping text_maps_riscv_sv39[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rw" },
	{ 0x12346000, 0x89abd000, 0x1000, 1, "r" },
};

static const struct run text_riscv_sv39_napot[] = {
	{ 0x80000000, 0, 0, 0x20000401, 0 },
	{ 0x80001000, 145, 145, 0x20000801, 0 },
	{ 0x80002000, 320, 335, 0x80000000048d20df, 0 },
};
static const struct mapping text_maps_riscv_sv39_napot[] = {
	{ 0x12340000, 0x12340000, 0x10000, 1, "rw" },
};

static const struct run text_riscv_sv48[] = {
	{ 0x80000000, 0, 0, 0x20000401, 0 },     { 0x80001000, 0, 0, 0x20000801, 0 },
	{ 0x80002000, 145, 145, 0x20000c01, 0 }, { 0x80003000, 325, 325, 0x226af0d7, 0 },
	{ 0x80003000, 326, 326, 0x226af453, 0 },
};
static const struct mapping text_maps_riscv_sv48[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rw" },
	{ 0x12346000, 0x89abd000, 0x1000, 1, "r" },
};

static const struct run text_riscv_sv48_napot[] = {
	{ 0x80000000, 0, 0, 0x20000401, 0 },
	{ 0x80001000, 0, 0, 0x20000801, 0 },
	{ 0x80002000, 145, 145, 0x20000c01, 0 },
	{ 0x80003000, 320, 335, 0x80000000048d20df, 0 },
};
static const struct mapping text_maps_riscv_sv48_napot[] = {
	{ 0x12340000, 0x12340000, 0x10000, 1, "rw" },
};

static const struct run text_riscv_sv57[] = {
	{ 0x80000000, 0, 0, 0x20000401, 0 },     { 0x80001000, 0, 0, 0x20000801, 0 },
	{ 0x80002000, 0, 0, 0x20000c01, 0 },     { 0x80003000, 145, 145, 0x20001001, 0 },
	{ 0x80004000, 325, 325, 0x226af0d7, 0 }, { 0x80004000, 326, 326, 0x226af453, 0 },
};
static const struct mapping text_maps_riscv_sv57[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rw" },
	{ 0x12346000, 0x89abd000, 0x1000, 1, "r" },
};

static const struct run text_riscv_sv57_napot[] = {
	{ 0x80000000, 0, 0, 0x20000401, 0 },
	{ 0x80001000, 0, 0, 0x20000801, 0 },
	{ 0x80002000, 0, 0, 0x20000c01, 0 },
	{ 0x80003000, 145, 145, 0x20001001, 0 },
	{ 0x80004000, 320, 335, 0x80000000048d20df, 0 },
};
static const struct mapping text_maps_riscv_sv57_napot[] = {
	{ 0x12340000, 0x12340000, 0x10000, 1, "rw" },
};

static const struct run text_riscv_sv39_2M[] = {
	{ 0x80000000, 1, 1, 0x20000401, 0 },
	{ 0x80001000, 1, 1, 0x100800d7, 0 },
	{ 0x80000000, 4, 4, 0x30000053, 0 },
};
static const struct mapping text_maps_riscv_sv39_2M[] = {
	{ 0x40200000, 0x40200000, 0x200000, 1, "rw" },
	{ 0x100000000, 0xc0000000, 0x40000000, 1, "r" },
};

static const struct run text_x86_64_fl[] = {
	{ 0x80000000, 0, 0, 0x80001027, 0 },     { 0x80001000, 0, 0, 0x80002027, 0 },
	{ 0x80001000, 3, 3, 0x400000e7, 0 },     { 0x80002000, 145, 145, 0x80003027, 0 },
	{ 0x80003000, 325, 325, 0x89abc067, 0 }, { 0x80003000, 326, 326, 0x89abd025, 0 },
};
static const struct mapping text_maps_x86_64_fl[] = {
	{ 0x12345000, 0x89abc000, 0x1000, 1, "rw" },
	{ 0x12346000, 0x89abd000, 0x1000, 1, "r" },
	{ 0xc0000000, 0x40000000, 0x40000000, 1, "rw" },
};

static const struct run text_x86_64_fl_of_Linux_6_1_five_levels[] = {
	{ 0x80000000, 2, 2, 0x8000000080001027, 0 },
	{ 0x80001000, 0, 0, 0x8000000080002027, 0 },
	{ 0x80002000, 1, 1, 0x8000000080003027, 0 },
	{ 0x80003000, 1, 1, 0x80000000402000e7, 0 },
};
static const struct mapping text_maps_x86_64_fl_of_Linux_6_1_five_levels[] = {
	{ 0x2000040200000, 0x40200000, 0x200000, 1, "rw" },
};

static const struct run text_x86_64_amd_v2_five_levels[] = {
	{ 0x80000000, 255, 255, 0x80001027, 0 }, { 0x80001000, 511, 511, 0x80002027, 0 },
	{ 0x80002000, 0, 0, 0x80003027, 0 },     { 0x80003000, 0, 0, 0x80004027, 0 },
	{ 0x80004000, 1, 1, 0x12345067, 0 },
};
static const struct mapping text_maps_x86_64_amd_v2_five_levels[] = {
	{ 0xffff8000001000, 0x12345000, 0x1000, 1, "rw" },
};

static const struct run text_vtd_sl_three_levels[] = {
	{ 0x80000000, 511, 511, 0x80001003, 0 },
	{ 0x80001000, 511, 511, 0x80002003, 0 },
	{ 0x80002000, 511, 511, 0x89abc801, 0 },
	{ 0x80000000, 1, 1, 0x80000883, 0 },
};
static const struct mapping text_maps_vtd_sl_three_levels[] = {
	{ 0x7ffffff000, 0x89abc000, 0x1000, 1, "r" },
	{ 0x40000000, 0x80000000, 0x40000000, 1, "rw" },
};

static const struct run text_vtd_sl_five_levels[] = {
	{ 0x80000000, 1, 1, 0x80001003, 0 },
	{ 0x80001000, 1, 1, 0x80002003, 0 },
	{ 0x80002000, 1, 1, 0x80003003, 0 },
	{ 0x80003000, 1, 1, 0x89a00083, 0 },
};
static const struct mapping text_maps_vtd_sl_five_levels[] = {
	{ 0x1008040200000, 0x89a00000, 0x200000, 1, "rw" },
};

static const struct example examples_radix[] = {
	{ "riscv-sv39",
	  { .format = &walk_riscv_sv39, .flags = WALK_XD, .root = { 0x80000000 } },
	  RUNS(text_riscv_sv39),
	  RUNS(text_maps_riscv_sv39),
	  0,
	  0x0,
	  0 },
	{ "riscv-sv39-napot",
	  { .format = &walk_riscv_sv39_napot, .root = { 0x80000000 } },
	  RUNS(text_riscv_sv39_napot),
	  RUNS(text_maps_riscv_sv39_napot),
	  0,
	  0x0,
	  0 },
	{ "riscv-sv48",
	  { .format = &walk_riscv_sv48, .flags = WALK_XD, .root = { 0x80000000 } },
	  RUNS(text_riscv_sv48),
	  RUNS(text_maps_riscv_sv48),
	  0,
	  0x0,
	  0 },
	{ "riscv-sv48-napot",
	  { .format = &walk_riscv_sv48_napot, .root = { 0x80000000 } },
	  RUNS(text_riscv_sv48_napot),
	  RUNS(text_maps_riscv_sv48_napot),
	  0,
	  0x0,
	  0 },
	{ "riscv-sv57",
	  { .format = &walk_riscv_sv57, .flags = WALK_XD, .root = { 0x80000000 } },
	  RUNS(text_riscv_sv57),
	  RUNS(text_maps_riscv_sv57),
	  0,
	  0x0,
	  0 },
	{ "riscv-sv57-napot",
	  { .format = &walk_riscv_sv57_napot, .root = { 0x80000000 } },
	  RUNS(text_riscv_sv57_napot),
	  RUNS(text_maps_riscv_sv57_napot),
	  0,
	  0x0,
	  0 },
	{ "riscv-sv39, 2M",
	  { .format = &walk_riscv_sv39, .flags = WALK_XD, .root = { 0x80000000 } },
	  RUNS(text_riscv_sv39_2M),
	  RUNS(text_maps_riscv_sv39_2M),
	  0,
	  0x0,
	  0 },
	{ "x86-64-fl",
	  { .format = &walk_x86_64_fl, .nr_levels = 4, .root = { 0x80000000 } },
	  RUNS(text_x86_64_fl),
	  RUNS(text_maps_x86_64_fl),
	  0,
	  0x0,
	  0 },
	{ "x86-64-fl of Linux 6.1, five levels",
	  { .format = &walk_x86_64_fl, .nr_levels = 5, .flags = WALK_XD, .root = { 0x80000000 } },
	  RUNS(text_x86_64_fl_of_Linux_6_1_five_levels),
	  RUNS(text_maps_x86_64_fl_of_Linux_6_1_five_levels),
	  0,
	  0x0,
	  0 },
	{ "x86-64-amd-v2, five levels",
	  { .format = &walk_x86_64_amd_v2, .nr_levels = 5, .root = { 0x80000000 } },
	  RUNS(text_x86_64_amd_v2_five_levels),
	  RUNS(text_maps_x86_64_amd_v2_five_levels),
	  0,
	  0x0,
	  0 },
	{ "vtd-sl, three levels",
	  { .format = &walk_vtd_sl, .nr_levels = 3, .flags = WALK_SNOOP, .root = { 0x80000000 } },
	  RUNS(text_vtd_sl_three_levels),
	  RUNS(text_maps_vtd_sl_three_levels),
	  0,
	  0x0,
	  0 },
	{ "vtd-sl, five levels",
	  { .format = &walk_vtd_sl, .nr_levels = 5, .root = { 0x80000000 } },
	  RUNS(text_vtd_sl_five_levels),
	  RUNS(text_maps_vtd_sl_five_levels),
	  0,
	  0x0,
	  0 },
};

#endif
