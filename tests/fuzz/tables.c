/* SPDX-License-Identifier: MIT */
/* Table memory of the fuzzer: see tables.h. */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

static int alloc_table(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	struct tables *tables = ctx;
	uint64_t at = (tables->next + bytes - 1) & ~(bytes - 1);
	unsigned char *data;

	if (bytes & (bytes - 1))
		witness_stop("table memory", "a size that is no power of two");
	if (tables->nr == MAX_TABLES || !tables->left || at + bytes < tables->next ||
	    bytes > 1u << 22)
		return -IOMMUSIM_ENOMEM;
	data = calloc(1, (size_t)bytes);
	if (!data)
		return -IOMMUSIM_ENOMEM;
	tables->left--;
	tables->table[tables->nr].pa = *pa = at;
	tables->table[tables->nr].bytes = bytes;
	tables->table[tables->nr++].data = data;
	tables->next = at + bytes;
	return 0;
}

static void free_table(void *ctx, uint64_t pa, uint64_t bytes)
{
	struct tables *tables = ctx;
	unsigned i = 0;

	while (i < tables->nr && tables->table[i].pa != pa)
		i++;
	if (i == tables->nr || tables->table[i].bytes != bytes)
		witness_stop("table memory", "what is freed was never taken");
	free(tables->table[i].data);
	tables->table[i] = tables->table[--tables->nr];
}

unsigned char *tables_at(const struct tables *tables, uint64_t pa, uint64_t bytes)
{
	for (unsigned i = 0; i < tables->nr; i++) {
		uint64_t offset = pa - tables->table[i].pa;

		if (offset < tables->table[i].bytes && bytes <= tables->table[i].bytes - offset)
			return tables->table[i].data + offset;
	}
	return NULL;
}

static void *table_at(void *ctx, uint64_t pa)
{
	void *words = tables_at(ctx, pa, 1);

	if (!words)
		witness_stop("table memory", "a table is asked for that is not there");
	return words;
}

struct iommusim_table_memory tables_memory(struct tables *tables)
{
	return (struct iommusim_table_memory){ .size = sizeof(struct iommusim_table_memory),
		                               .ctx = tables,
		                               .alloc_table = alloc_table,
		                               .free_table = free_table,
		                               .table_at = table_at };
}

void tables_copy(struct tables *copy, const struct tables *tables)
{
	*copy = *tables;
	for (unsigned i = 0; i < copy->nr; i++) {
		copy->table[i].data = malloc((size_t)copy->table[i].bytes);
		if (!copy->table[i].data)
			abort();
		memcpy(copy->table[i].data, tables->table[i].data, (size_t)copy->table[i].bytes);
	}
}
