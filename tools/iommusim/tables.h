/* SPDX-License-Identifier: MIT */
/* Which page tables an IOMMU has, and the machine that has it. */
#ifndef TABLES_H
#define TABLES_H

#include "options.h"
#include "state.h"

/*
 * Once the CPU page is known: the page sizes of rows, and of tables with the contiguous hint; and
 * whether a format that was named can have them. 0 or, after a message, EXIT_INPUT.
 */
int tables_settle(struct options *options);

/* What Linux does where a row is to be a DMA domain; err 0: it makes one, or none is asked for. */
struct iommusim_catalog_outcome tables_outcome(const struct options *options, size_t iommu);

/*
 * A machine with IOMMU number @iommu; its memory is still to be added. Its page tables are those of
 * the row, of the format that was named, or of the first that leaves the page sizes as they are and
 * can hold the addresses of the memory; else calls are recorded. @state: of the memory, and whose
 * messages they are, or NULL.
 */
struct iommusim_machine_config tables_machine(const struct options *options,
                                              const struct state *state, size_t iommu);

/* What @pgtable holds: leaves by log2 of their size, words that are not 0. */
struct tables_count {
	uint64_t nr_leaves[64];
	uint64_t nr_tables, nr_words, bytes;
};

void tables_count(const struct iommusim_pgtable *pgtable, struct tables_count *count);

#endif
