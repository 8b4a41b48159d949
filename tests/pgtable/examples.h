/* SPDX-License-Identifier: MIT */
/* Operations on the code of Linux 6.1 and 6.12, and every word that they left. */
#ifndef EXAMPLES_H
#define EXAMPLES_H

#include "pgtable_test.h"

#define R IOMMUSIM_PROT_READ
#define W IOMMUSIM_PROT_WRITE
#define C IOMMUSIM_PROT_CACHE
#define X IOMMUSIM_PROT_NOEXEC
#define M IOMMUSIM_PROT_MMIO
#define P IOMMUSIM_PROT_PRIV

enum example_op { NOTHING, MAP, UNMAP, TRANSLATE };

struct example {
	const char *name;
	struct iommusim_pgtable_config config;
	uint64_t base;    /* address of the first table */
	uint64_t pgsizes; /* what the configuration comes to */
	unsigned ias, oas;
	uint64_t ttbr; /* 0: there is none */
	struct {
		enum example_op op;
		uint64_t iova, pa, pgsize, count;
		unsigned prot;
		uint64_t want; /* bytes mapped or unmapped, physical address */
	} ops[4];
	/* Words @index .. @index + @nr - 1 of the table at @table: @value and on, @step apart. */
	struct {
		uint64_t table, index, nr, value, step;
	} words[8];
};

#endif
