/* SPDX-License-Identifier: MIT */
/* The table memory that a record describes: addresses rise from a base and are never used again. */
#ifndef TABLES_H
#define TABLES_H

#include "record.h"

struct table {
	uint64_t pa, bytes;
	unsigned char *memory; /* NULL: freed */
};

struct tables {
	uint64_t cursor;
	uint64_t left; /* allocations that succeed; UINT64_MAX: all */
	struct table *table;
	size_t nr, cap;
	unsigned word_bytes;
};

void tables_init(struct tables *tables, uint64_t base, unsigned word_bytes);
void tables_finish(struct tables *tables);
struct iommusim_table_memory tables_memory(struct tables *tables);

/* All nonzero words of live tables against runs [table, index, n, value, step]. */
void tables_compare(struct record *record, const struct tables *tables, struct json_object *runs);

/* Every table ever allocated against [pa, bytes, live]. */
void tables_compare_list(struct record *record, const struct tables *tables,
                         struct json_object *list);

#endif
