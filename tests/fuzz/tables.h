/* SPDX-License-Identifier: MIT */
/*
 * Table memory of the fuzzer: each table is a block of the host of its own, so that a sanitizer
 * sees what lies outside of it, and the fuzzer may write to its words behind the library's back.
 */
#ifndef TABLES_H
#define TABLES_H

#include "witness.h"

#define MAX_TABLES 64u

struct tables {
	uint64_t next;     /* physical address of the next table, at least */
	unsigned nr, left; /* tables; how many more there may be */
	struct {
		uint64_t pa, bytes;
		unsigned char *data;
	} table[MAX_TABLES];
};

/* The callbacks, with @tables for context. */
struct iommusim_table_memory tables_memory(struct tables *tables);

/* The bytes at @pa, of which there are @bytes in one table. NULL: there are not. */
unsigned char *tables_at(const struct tables *tables, uint64_t pa, uint64_t bytes);

/* The same tables at the same addresses once more. */
void tables_copy(struct tables *copy, const struct tables *tables);

#endif
