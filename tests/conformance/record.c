/* SPDX-License-Identifier: MIT */
/* Fields of a record, and differences from it. */
#include "record.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void differ(struct record *record, const char *fmt, ...)
{
	va_list args;

	if (record->difference[0])
		return;
	va_start(args, fmt);
	vsnprintf(record->difference, sizeof(record->difference), fmt, args);
	va_end(args);
}

void compare_u64(struct record *record, const char *what, uint64_t got, uint64_t want)
{
	if (got != want)
		differ(record, "%s is 0x%" PRIx64 ", not 0x%" PRIx64, what, got, want);
}

void compare_at(struct record *record, const char *what, size_t index, uint64_t got, uint64_t want)
{
	if (got != want)
		differ(record, "%s %lu is 0x%" PRIx64 ", not 0x%" PRIx64, what,
		       (unsigned long)index, got, want);
}

static uint64_t number_in_text(struct record *record, const char *text)
{
	char *end;
	uint64_t value;

	value = strtoull(text, &end, 16);
	if (end == text || *end || strlen(text) > strlen("0x") + 16)
		differ(record, "'%s' is no number", text);
	return value;
}

uint64_t number(struct record *record, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_int:
		return json_object_get_int64(value) < 0 ? (uint64_t)json_object_get_int64(value)
		                                        : json_object_get_uint64(value);
	case json_type_string:
		return number_in_text(record, json_object_get_string(value));
	default:
		differ(record, "a number is missing");
		return 0;
	}
}

struct json_object *field(struct record *record, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(record->json, key, &value))
		differ(record, "the record has no %s", key);
	return value;
}

int has_field(const struct record *record, const char *key)
{
	return json_object_object_get_ex(record->json, key, NULL);
}

int field_is(const struct record *record, const char *key, const char *text)
{
	struct json_object *value = NULL;
	const char *have;

	json_object_object_get_ex(record->json, key, &value);
	have = json_object_get_string(value);
	return have && !strcmp(have, text);
}

uint64_t field_u64(struct record *record, const char *key)
{
	struct json_object *value = field(record, key);

	return value ? number(record, value) : 0;
}

uint64_t field_up_to(struct record *record, const char *key, uint64_t most)
{
	uint64_t value = field_u64(record, key);

	if (value <= most)
		return value;
	differ(record, "%s is 0x%" PRIx64 ", out of range", key, value);
	return 0;
}

const char *field_text(struct record *record, const char *key)
{
	const char *text = json_object_get_string(field(record, key));

	return text ? text : "";
}

uint32_t field_gfp(struct record *record, const char *key)
{
	const char *text = field_text(record, key);
	uint32_t gfp = 0;

	if (iommusim_gfp_parse(text, record->kernel, &gfp))
		differ(record, "%s: '%s' are no gfp flags", key, text);
	return gfp;
}

size_t length_of(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

struct json_object *item(struct json_object *list, size_t index)
{
	return index < length_of(list) ? json_object_array_get_idx(list, index) : NULL;
}

uint64_t item_u64(struct record *record, struct json_object *list, size_t index)
{
	return number(record, item(list, index));
}

unsigned page_shift_of(struct record *record)
{
	uint64_t shift = field_u64(record, "page_shift");

	if (shift >= 12 && shift <= 16)
		return (unsigned)shift;
	differ(record, "page_shift is not 12 .. 16");
	return 12;
}
