/* SPDX-License-Identifier: MIT */
/* One record of a vector file: its fields, and the first thing in which the library differs. */
#ifndef RECORD_H
#define RECORD_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#include "iommusim.h"

#if defined(__GNUC__) && !defined(__MINGW32__)
#define RECORD_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define RECORD_PRINTF(fmt, args)
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct record {
	struct json_object *json;
	unsigned kernel;      /* IOMMUSIM_KERNEL() of this run */
	char difference[256]; /* the first one, "" if there is none */
};

/* Note a difference, unless there is one already. */
void differ(struct record *record, const char *fmt, ...) RECORD_PRINTF(2, 3);

/* Note it where the two are not equal; @what names them. */
void compare_u64(struct record *record, const char *what, uint64_t got, uint64_t want);

/* The same for element @index of @what. */
void compare_at(struct record *record, const char *what, size_t index, uint64_t got, uint64_t want);

/* A number: an integer, or text in hexadecimal. Negative ones are their 64-bit two's complement. */
uint64_t number(struct record *record, struct json_object *value);

/* Fields of the record. Where one is missing that is noted, and 0, "" or an empty list returned. */
uint64_t field_u64(struct record *record, const char *key);
/* The same; what is larger than @most would keep the loops busy for ever: it differs, and is 0. */
uint64_t field_up_to(struct record *record, const char *key, uint64_t most);
const char *field_text(struct record *record, const char *key);
struct json_object *field(struct record *record, const char *key);
int has_field(const struct record *record, const char *key);

/* Is the field there, and that text? */
int field_is(const struct record *record, const char *key, const char *text);

/* gfp flags as the kernel prints them. */
uint32_t field_gfp(struct record *record, const char *key);

/* Log2 of the record's CPU page size in bytes. */
unsigned page_shift_of(struct record *record);

/* Lists, and lists in lists. */
size_t length_of(struct json_object *list);
struct json_object *item(struct json_object *list, size_t index);
uint64_t item_u64(struct record *record, struct json_object *list, size_t index);

/* A kind of record: whether one is of it, and what runs it. */
struct kind {
	const char *name;
	int (*is_mine)(const struct record *record);
	void (*run)(struct record *record);
};

extern const struct kind kind_chunk_pages, kind_chunk_noncontig, kind_pgsize, kind_pgtable,
	kind_map_sg, kind_dma_map_sg, kind_dma_map, kind_iova;

#endif
