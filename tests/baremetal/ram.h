/* SPDX-License-Identifier: MIT */
/* The machine's memory as the host fills it, and tables in it. */
#ifndef RAM_H
#define RAM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARCEL_BYTES (UINT64_C(192) << 20)

/* The machine's memory from where the parcel lies. */
struct ram {
	unsigned char *bytes;
	uint64_t start, used;
	int is_kept; /* tables stay as they are, whoever frees them */
};

static inline void die(const char *what)
{
	fprintf(stderr, "tables: %s\n", what);
	exit(1);
}

static inline void *at(struct ram *ram, uint64_t pa)
{
	return ram->bytes + (pa - ram->start);
}

static inline uint64_t take(struct ram *ram, uint64_t bytes, uint64_t alignment)
{
	uint64_t pa = (ram->start + ram->used + alignment - 1) & ~(alignment - 1);

	if (pa + bytes - ram->start > PARCEL_BYTES)
		die("the parcel is full");
	ram->used = pa + bytes - ram->start;
	return pa;
}

/* ---- Table memory: words of freed tables are wrong ones ---- */

static inline int alloc_table(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	(void)gfp;
	*pa = take(ctx, bytes, bytes);
	return 0;
}

static inline void free_table(void *ctx, uint64_t pa, uint64_t bytes)
{
	struct ram *ram = ctx;

	if (!ram->is_kept)
		memset(at(ram, pa), 0xff, (size_t)bytes);
}

static inline void *table_at(void *ctx, uint64_t pa)
{
	struct ram *ram = ctx;

	return pa - ram->start < PARCEL_BYTES ? at(ram, pa) : NULL;
}

/* ---- Stage 1 of two knows its tables by other addresses, which stage 2 leads to them ---- */

static inline uint64_t ipa_of(uint64_t pa)
{
	return (pa ^ UINT64_C(0x2a50000)) + (UINT64_C(1) << 33);
}

static inline uint64_t pa_of(uint64_t ipa)
{
	return (ipa - (UINT64_C(1) << 33)) ^ UINT64_C(0x2a50000);
}

/* Aligned so that a page of stage 2 holds it. */
static inline int alloc_nested(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	(void)gfp;
	*pa = ipa_of(take(ctx, bytes, bytes));
	return 0;
}

static inline void free_nested(void *ctx, uint64_t pa, uint64_t bytes)
{
	free_table(ctx, pa_of(pa), bytes);
}

static inline void *nested_at(void *ctx, uint64_t pa)
{
	return table_at(ctx, pa_of(pa));
}

#endif
