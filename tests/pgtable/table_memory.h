/* SPDX-License-Identifier: MIT */
/* Memory for tables that is the test's own, so that a walker can read its bytes. */
#ifndef TABLE_MEMORY_H
#define TABLE_MEMORY_H

#include <stdlib.h>

#include "test.h"

#define MAX_TABLES 512u
#define TABLES_AT  UINT64_C(0x800000000)

struct memory {
	struct {
		uint64_t pa, bytes;
		unsigned char *data;
	} table[MAX_TABLES];
	unsigned nr;
	unsigned most; /* of tables at a time; 0: MAX_TABLES */
	uint64_t next;
};

static inline int alloc_table(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	struct memory *memory = ctx;
	unsigned i = 0;

	while (i < memory->nr && memory->table[i].data)
		i++;
	if (i == MAX_TABLES || (memory->most && i >= memory->most))
		return -IOMMUSIM_ENOMEM;
	memory->next = (memory->next + bytes - 1) & ~(bytes - 1);
	memory->table[i].pa = *pa = memory->next;
	memory->table[i].bytes = bytes;
	memory->table[i].data = calloc(1, (size_t)bytes);
	assert_non_null(memory->table[i].data);
	memory->next += bytes;
	memory->nr += i == memory->nr;
	return 0;
}

static inline unsigned find_table(const struct memory *memory, uint64_t pa)
{
	unsigned i = 0;

	while (i < memory->nr && !(memory->table[i].data && pa >= memory->table[i].pa &&
	                           pa - memory->table[i].pa < memory->table[i].bytes))
		i++;
	return i;
}

static inline void free_table(void *ctx, uint64_t pa, uint64_t bytes)
{
	struct memory *memory = ctx;
	unsigned i = find_table(memory, pa);

	assert_true(i < memory->nr);
	assert_int_equal(memory->table[i].bytes, bytes);
	free(memory->table[i].data);
	memory->table[i].data = NULL;
}

static inline const unsigned char *byte_at(void *ctx, uint64_t pa)
{
	const struct memory *memory = ctx;
	unsigned i = find_table(memory, pa);

	return i < memory->nr ? memory->table[i].data + (pa - memory->table[i].pa) : NULL;
}

/* For walkers: 0 where there is no table. */
static inline int read_tables(void *ctx, uint64_t pa, unsigned char *bytes, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		const unsigned char *byte = byte_at(ctx, pa + i);

		if (!byte)
			return 0;
		bytes[i] = *byte;
	}
	return 1;
}

static inline void *table_at(void *ctx, uint64_t pa)
{
	return (void *)(uintptr_t)byte_at(ctx, pa);
}

/* The table memory that @memory, which must outlive it, is. */
static inline struct iommusim_table_memory memory_tables(struct memory *memory)
{
	return (struct iommusim_table_memory){ .size = sizeof(struct iommusim_table_memory),
		                               .ctx = memory,
		                               .alloc_table = alloc_table,
		                               .free_table = free_table,
		                               .table_at = table_at };
}

#endif
