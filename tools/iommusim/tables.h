/* SPDX-License-Identifier: MIT */
/* Which page tables an IOMMU has, and the machine that has it. */
#ifndef TABLES_H
#define TABLES_H

#include "options.h"
#include "state.h"

/*
 * The format of an IOMMU with @pgsizes: the one that was named, or the first that leaves them as
 * they are. NULL: none, calls are recorded only.
 */
const struct iommusim_pgtable_format *tables_format(const struct options *options,
                                                    uint64_t pgsizes);

/* Whether the format that was named can have the page sizes. 0 or, after a message, EXIT_INPUT. */
int tables_check(const struct options *options);

/* A machine with such an IOMMU; its memory is still to be added. */
struct iommusim_machine_config tables_machine(const struct options *options,
                                              const struct state *state, uint64_t pgsizes);

/* What @pgtable holds: leaves by log2 of their size, words that are not 0. */
struct tables_count {
	uint64_t nr_leaves[64];
	uint64_t nr_tables, nr_words, bytes;
};

void tables_count(const struct iommusim_pgtable *pgtable, struct tables_count *count);

#endif
