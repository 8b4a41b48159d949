/* SPDX-License-Identifier: MIT */
/* Which tables an architecture's machine is asked about. */
#ifndef TABLES_H
#define TABLES_H

#include "iommusim.h"
#include "parcel.h"

struct world_spec {
	const char *name, *format;
	unsigned iova_bits; /* addresses are below that; from the top with quirk TTBR1 */
	struct iommusim_pgtable_config config;
	const struct world_spec *two; /* stage 2, through which its tables are reached; or NULL */
};

struct architecture {
	const char *name;
	uint64_t parcel; /* physical address */
	/* Where pages may lead; ram_last 0: anywhere, nothing is loaded. */
	uint64_t ram_start, ram_last;
	uint64_t image_bytes; /* from 0, to be mapped where they are */
	uint64_t first_iova;  /* addresses below are not asked about */
	void (*set_regs)(const struct world_spec *spec, const struct iommusim_pgtable_info *info,
	                 uint64_t *regs);
	const struct world_spec *spec;
	size_t nr_specs;
};

/* NULL: there is none of that name. */
const struct architecture *architecture_find(const char *name);

#endif
