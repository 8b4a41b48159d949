/* SPDX-License-Identifier: MIT */
/* Tables made by hand from the text of the layouts: s390, and tables of one level. */
#ifndef LAYOUT_LINEAR_H
#define LAYOUT_LINEAR_H

#include "layout.h"

static const struct run text_s390_zpci[] = {
	{ 0x80000000, 0, 2047, 0x20, 0 },      { 0x80000000, 16, 16, 0x80004007, 0 },
	{ 0x80004000, 0, 2047, 0x20, 0 },      { 0x80004000, 291, 291, 0x80008800, 0 },
	{ 0x80008800, 0, 255, 0x400, 0 },      { 0x80008800, 69, 69, 0x89abc000, 0 },
	{ 0x80008800, 70, 70, 0x89abd200, 0 }, { 0x80008800, 71, 71, 0x89abe400, 0 },
};
static const struct mapping text_maps_s390_zpci[] = {
	{ 0x812345000, 0x89abc000, 0x1000, 1, "rw" },
	{ 0x812346000, 0x89abd000, 0x1000, 1, "r" },
};

static const struct run text_linear_sprd[] = {
	{ 0x80000000, 5, 5, 0x12345, 0 },
};
static const struct mapping text_maps_linear_sprd[] = {
	{ 0x10005000, 0x12345000, 0x1000, 1, "" },
};

static const struct run text_linear_mtk1[] = {
	{ 0x80000000, 5, 5, 0x1234500a, 0 },
};
static const struct mapping text_maps_linear_mtk1[] = {
	{ 0x5000, 0x12345000, 0x1000, 1, "" },
};

static const struct run text_linear_gart_tegra[] = {
	{ 0x80000000, 5, 5, 0x92345000, 0 },
};
static const struct mapping text_maps_linear_gart_tegra[] = {
	{ 0x58005000, 0x12345000, 0x1000, 1, "" },
};

static const struct run text_linear_tce[] = {
	{ 0x80000000, 5, 5, 0x12345003, 0 },
};
static const struct mapping text_maps_linear_tce[] = {
	{ 0x80005000, 0x12345000, 0x1000, 1, "rw" },
};

static const struct run text_linear_tce_64K[] = {
	{ 0x80000000, 3, 3, 0x12340001, 0 },
};
static const struct mapping text_maps_linear_tce_64K[] = {
	{ 0x800000000030000, 0x12340000, 0x10000, 1, "r" },
};

static const struct run text_linear_gart64[] = {
	{ 0x80000000, 5, 5, 0x12345ab3, 0 },
};
static const struct mapping text_maps_linear_gart64[] = {
	{ 0xc0005000, 0xab12345000, 0x1000, 1, "" },
};

static const struct run text_linear_sparc64[] = {
	{ 0x80000000, 0, 8191, 0x8000000080ffe010, 0 },
	{ 0x80000000, 2, 2, 0x8000000012346012, 0 },
};
static const struct mapping text_maps_linear_sparc64[] = {
	{ 0xc0004000, 0x12346000, 0x2000, 1, "rw" },
};

static const struct run text_etnaviv_v1[] = {
	{ 0x80000000, 0, 524287, 0x80fff000, 0 },
	{ 0x80000000, 5, 5, 0x12345000, 0 },
};
static const struct mapping text_maps_etnaviv_v1[] = {
	{ 0x80005000, 0x12345000, 0x1000, 1, "" },
};

static const struct run text_v3d[] = {
	{ 0x80000000, 5, 5, 0x30012345, 0 },
};
static const struct mapping text_maps_v3d[] = {
	{ 0x5000, 0x12345000, 0x1000, 1, "rw" },
};

static const struct run text_a2xx_gpummu[] = {
	{ 0x80000000, 5, 5, 0x12345003, 0 },
};
static const struct mapping text_maps_a2xx_gpummu[] = {
	{ 0x1005000, 0x12345000, 0x1000, 1, "rw" },
};

static const struct run text_linear_bcm2712[] = {
	{ 0x80000000, 1, 1, 0x10080001, 0 },
	{ 0x80001000, 5, 5, 0x30012345, 0 },
	{ 0x80001000, 16, 31, 0x70012340, 1 },
};
static const struct mapping text_maps_linear_bcm2712[] = {
	{ 0xa00405000, 0x12345000, 0x1000, 1, "rw" },
	{ 0xa00410000, 0x12340000, 0x10000, 1, "rw" },
};

static const struct example examples_linear[] = {
	{ "s390-zpci",
	  { .format = &walk_s390, .root = { 0x80000000 } },
	  RUNS(text_s390_zpci),
	  RUNS(text_maps_s390_zpci),
	  0,
	  0x0,
	  1 },
	{ "linear-sprd",
	  { .format = &walk_sprd,
	    .start = 0x10000000,
	    .bytes = 0x10000000,
	    .root = { 0x80000000 } },
	  RUNS(text_linear_sprd),
	  RUNS(text_maps_linear_sprd),
	  0,
	  0x0,
	  0 },
	{ "linear-mtk1",
	  { .format = &walk_mtk1, .start = 0x0, .bytes = 0x100000000, .root = { 0x80000000 } },
	  RUNS(text_linear_mtk1),
	  RUNS(text_maps_linear_mtk1),
	  0,
	  0x0,
	  0 },
	{ "linear-gart-tegra",
	  { .format = &walk_gart_tegra,
	    .start = 0x58000000,
	    .bytes = 0x2000000,
	    .root = { 0x80000000 } },
	  RUNS(text_linear_gart_tegra),
	  RUNS(text_maps_linear_gart_tegra),
	  0,
	  0x0,
	  0 },
	{ "linear-tce",
	  { .format = &walk_tce,
	    .start = 0x80000000,
	    .bytes = 0x20000000,
	    .granule_lg2 = 12,
	    .root = { 0x80000000 } },
	  RUNS(text_linear_tce),
	  RUNS(text_maps_linear_tce),
	  0,
	  0x0,
	  1 },
	{ "linear-tce, 64K",
	  { .format = &walk_tce,
	    .start = 0x800000000000000,
	    .bytes = 0x10000000000,
	    .granule_lg2 = 16,
	    .root = { 0x80000000 } },
	  RUNS(text_linear_tce_64K),
	  RUNS(text_maps_linear_tce_64K),
	  0,
	  0x0,
	  1 },
	{ "linear-gart64",
	  { .format = &walk_gart64,
	    .start = 0xc0000000,
	    .bytes = 0x4000000,
	    .root = { 0x80000000 } },
	  RUNS(text_linear_gart64),
	  RUNS(text_maps_linear_gart64),
	  0,
	  0x0,
	  0 },
	{ "linear-sparc64",
	  { .format = &walk_sparc64,
	    .start = 0xc0000000,
	    .bytes = 0x4000000,
	    .flags = WALK_DUMMY,
	    .dummy = 0x80ffe000,
	    .root = { 0x80000000 } },
	  RUNS(text_linear_sparc64),
	  RUNS(text_maps_linear_sparc64),
	  0,
	  0x0,
	  0 },
	{ "etnaviv-v1",
	  { .format = &walk_etnaviv_v1,
	    .start = 0x80000000,
	    .bytes = 0x80000000,
	    .flags = WALK_DUMMY,
	    .dummy = 0x80fff000,
	    .root = { 0x80000000 } },
	  RUNS(text_etnaviv_v1),
	  RUNS(text_maps_etnaviv_v1),
	  0,
	  0x0,
	  0 },
	{ "v3d",
	  { .format = &walk_v3d, .start = 0x0, .bytes = 0x100000000, .root = { 0x80000000 } },
	  RUNS(text_v3d),
	  RUNS(text_maps_v3d),
	  0,
	  0x0,
	  0 },
	{ "a2xx-gpummu",
	  { .format = &walk_a2xx, .start = 0x1000000, .bytes = 0xf000000, .root = { 0x80000000 } },
	  RUNS(text_a2xx_gpummu),
	  RUNS(text_maps_a2xx_gpummu),
	  0,
	  0x0,
	  0 },
	{ "linear-bcm2712",
	  { .format = &walk_bcm2712, .start = 0xa00000000, .root = { 0x80000000 } },
	  RUNS(text_linear_bcm2712),
	  RUNS(text_maps_linear_bcm2712),
	  0,
	  0x0,
	  0 },
};

#endif
