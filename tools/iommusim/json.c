/* SPDX-License-Identifier: MIT */
/* JSON put together piece by piece, and the memory that every run starts from. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

void json_put_text(struct json_object *object, const char *key, const char *text)
{
	size_t length = strlen(text);
	char *copy = malloc(length + 1);

	for (size_t i = 0; copy && i < length;) {
		size_t n = utf8_length(text + i);

		memcpy(copy + i, n ? text + i : "?", n ? n : 1);
		i += n ? n : 1;
	}
	if (copy)
		json_object_object_add(object, key, json_object_new_string_len(copy, (int)length));
	free(copy);
}

void json_put_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

/* The array @key of @object, empty. */
struct json_object *json_put_array(struct json_object *object, const char *key)
{
	struct json_object *array = json_object_new_array();

	json_object_object_add(object, key, array);
	return array;
}

struct json_object *json_put_object(struct json_object *object, const char *key)
{
	struct json_object *child = json_object_new_object();

	json_object_object_add(object, key, child);
	return child;
}

/* An object at the end of @array. */
struct json_object *json_append_object(struct json_object *array)
{
	struct json_object *child = json_object_new_object();

	json_object_array_add(array, child);
	return child;
}

/* The text that @print makes of @phys. */
static void put_proc(struct json_object *object, const char *key, const struct iommusim_phys *phys,
                     size_t (*print)(const struct iommusim_phys *phys, char *text, size_t bytes))
{
	size_t bytes = print(phys, NULL, 0) + 1;
	char *text = malloc(bytes);

	if (text) {
		print(phys, text, bytes);
		json_put_text(object, key, text);
	}
	free(text);
}

static void put_notes(struct json_object *object, const struct iommusim_snapshot_notes *notes)
{
	json_put_number(object, "has_types", notes->has_types);
	json_put_number(object, "nr_adjusted", notes->nr_adjusted);
	json_put_number(object, "nr_added", notes->nr_added);
	json_put_number(object, "has_span", notes->has_span);
	json_put_number(object, "has_numbers", notes->has_numbers);
}

static void put_splat(struct json_object *object, const struct state *state)
{
	const struct iommusim_splat *splat = iommusim_snapshot_splat(state->snapshot);
	struct line line = { .len = 0 };
	char gfp[256];

	iommusim_gfp_format(splat->gfp, splat->kernel, gfp, sizeof(gfp));
	json_put_text(object, "task", splat->task);
	json_put_text(object, "release", splat->release);
	json_put_number(object, "order", splat->order);
	json_put_text(object, "gfp", gfp);
	json_put_text(object, "mode", splat->mode);
	state_describe_retry(state, &line);
	json_put_text(object, "again", line.s);
}

void json_put_state(struct json_object *inputs, const struct options *options,
                    const struct state *state)
{
	struct json_object *object = json_put_object(inputs, "state");
	struct line line = { .len = 0 };

	state_describe(options, state, &line);
	json_put_text(object, "source", line.s);
	line.len = 0;
	state_assumptions(state, &line);
	json_put_text(object, "assumed", line.s);
	if (state->snapshot && iommusim_snapshot_splat(state->snapshot))
		put_splat(json_put_object(object, "report"), state);
	if (state->snapshot)
		put_notes(json_put_object(object, "notes"), &state->notes);
	json_put_number(object, "bytes", state->nr_frames << options->page_shift);
	put_proc(object, "buddyinfo", state->phys, iommusim_phys_buddyinfo);
	put_proc(object, "pagetypeinfo", state->phys, iommusim_phys_pagetypeinfo);
}

int json_print(struct json_object *root)
{
	const char *text = json_object_to_json_string_ext(
		root, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		puts(text);
	json_object_put(root);
	return text ? 0 : say("the host has no memory for the output");
}
