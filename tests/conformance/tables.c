/* SPDX-License-Identifier: MIT */
/* Table memory as in the records, and its contents against theirs. */
#include "tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void tables_init(struct tables *tables, uint64_t base, unsigned word_bytes)
{
	memset(tables, 0, sizeof(*tables));
	tables->cursor = base;
	tables->left = UINT64_MAX;
	tables->word_bytes = word_bytes;
}

void tables_finish(struct tables *tables)
{
	for (size_t i = 0; i < tables->nr; i++)
		free(tables->table[i].memory);
	free(tables->table);
}

static int make_room(struct tables *tables)
{
	size_t cap = (tables->cap + 8) * 2;
	struct table *table;

	if (tables->nr < tables->cap)
		return 1;
	table = realloc(tables->table, cap * sizeof(*table));
	if (!table)
		return 0;
	tables->table = table;
	tables->cap = cap;
	return 1;
}

static int alloc_table(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	struct tables *tables = ctx;
	struct table *table;

	if (!tables->left || !make_room(tables))
		return -IOMMUSIM_ENOMEM;
	if (tables->left != UINT64_MAX)
		tables->left--;
	table = &tables->table[tables->nr];
	table->bytes = bytes;
	table->pa = (tables->cursor + bytes - 1) & ~(bytes - 1);
	table->memory = calloc(1, (size_t)bytes);
	if (!table->memory)
		return -IOMMUSIM_EHOST;
	tables->cursor = table->pa + bytes;
	tables->nr++;
	*pa = table->pa;
	return 0;
}

/* The last table at or below @pa: addresses rise. */
static struct table *find(const struct tables *tables, uint64_t pa)
{
	size_t low = 0, high = tables->nr;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (tables->table[middle].pa <= pa)
			low = middle;
		else
			high = middle;
	}
	return &tables->table[low];
}

static void free_table(void *ctx, uint64_t pa, uint64_t bytes)
{
	struct table *table = find(ctx, pa);

	free(table->memory);
	table->memory = NULL;
}

static void *table_at(void *ctx, uint64_t pa)
{
	return find(ctx, pa)->memory;
}

struct iommusim_table_memory tables_memory(struct tables *tables)
{
	struct iommusim_table_memory memory = { .size = sizeof(memory),
		                                .ctx = tables,
		                                .alloc_table = alloc_table,
		                                .free_table = free_table,
		                                .table_at = table_at };

	return memory;
}

/* ---- Against the record ---- */

/* Hardware reads bytes, the lowest first. */
static uint64_t word_at(const struct tables *tables, const struct table *table, uint64_t index)
{
	uint64_t word = 0;

	for (unsigned i = tables->word_bytes; i-- > 0;)
		word = word << 8 | table->memory[index * tables->word_bytes + i];
	return word;
}

/* Arithmetic of words wraps at their width. */
static uint64_t word_mask(const struct tables *tables)
{
	return UINT64_MAX >> (64 - 8 * tables->word_bytes);
}

/* The words of one run, which must be there. Returns their number. */
static uint64_t compare_run(struct record *record, const struct tables *tables,
                            struct json_object *run)
{
	uint64_t nr_table = item_u64(record, run, 0), index = item_u64(record, run, 1);
	uint64_t n = item_u64(record, run, 2), value = item_u64(record, run, 3);
	uint64_t step = item_u64(record, run, 4);

	if (nr_table >= tables->nr || !tables->table[nr_table].memory) {
		differ(record, "table %" PRIu64 " is not there", nr_table);
		return 0;
	}
	for (uint64_t i = 0;
	     i < n && (index + i) * tables->word_bytes < tables->table[nr_table].bytes; i++) {
		uint64_t word = word_at(tables, &tables->table[nr_table], index + i);
		uint64_t want = (value + i * step) & word_mask(tables);

		if (word != want)
			differ(record,
			       "word %" PRIu64 " of table %" PRIu64 " is 0x%" PRIx64
			       ", not 0x%" PRIx64,
			       index + i, nr_table, word, want);
	}
	return n;
}

static uint64_t count_words(const struct tables *tables)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < tables->nr; i++)
		for (uint64_t at = 0;
		     tables->table[i].memory && at < tables->table[i].bytes / tables->word_bytes;
		     at++)
			nr += word_at(tables, &tables->table[i], at) != 0;
	return nr;
}

void tables_compare(struct record *record, const struct tables *tables, struct json_object *runs)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < length_of(runs); i++)
		nr += compare_run(record, tables, item(runs, i));
	compare_u64(record, "the number of words that are not 0", count_words(tables), nr);
}

void tables_compare_list(struct record *record, const struct tables *tables,
                         struct json_object *list)
{
	compare_u64(record, "the number of tables ever", tables->nr, length_of(list));
	for (size_t i = 0; i < tables->nr && i < length_of(list); i++) {
		const struct table *table = &tables->table[i];

		compare_at(record, "the pa of table", i, table->pa,
		           item_u64(record, item(list, i), 0));
		compare_at(record, "the bytes of table", i, table->bytes,
		           item_u64(record, item(list, i), 1));
		compare_at(record, "the life of table", i, table->memory != NULL,
		           item_u64(record, item(list, i), 2));
	}
}
