/* SPDX-License-Identifier: MIT */
/* One object: the inputs, with the free lists themselves, and every figure of every result. */
#include "print.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "reason.h"
#include "units.h"

static void put_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void put_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

/* The array @key of @object, empty. */
static struct json_object *put_array(struct json_object *object, const char *key)
{
	struct json_object *array = json_object_new_array();

	json_object_object_add(object, key, array);
	return array;
}

static struct json_object *put_object(struct json_object *object, const char *key)
{
	struct json_object *child = json_object_new_object();

	json_object_object_add(object, key, child);
	return child;
}

/* An object at the end of @array. */
static struct json_object *append_object(struct json_object *array)
{
	struct json_object *child = json_object_new_object();

	json_object_array_add(array, child);
	return child;
}

static void put_pgsizes(struct json_object *object, uint64_t pgsizes)
{
	struct json_object *array = put_array(object, "pgsizes");

	for (; pgsizes; pgsizes &= pgsizes - 1)
		json_object_array_add(array, json_object_new_uint64(granule_of(pgsizes)));
}

/* The text that @print makes of @phys. */
static void put_proc(struct json_object *object, const char *key, const struct iommusim_phys *phys,
                     size_t (*print)(const struct iommusim_phys *phys, char *text, size_t bytes))
{
	size_t bytes = print(phys, NULL, 0) + 1;
	char *text = malloc(bytes);

	if (text) {
		print(phys, text, bytes);
		put_text(object, key, text);
	}
	free(text);
}

static void put_notes(struct json_object *object, const struct iommusim_snapshot_notes *notes)
{
	put_number(object, "has_types", notes->has_types);
	put_number(object, "nr_adjusted", notes->nr_adjusted);
	put_number(object, "nr_added", notes->nr_added);
}

static void put_state(struct json_object *inputs, const struct report *report)
{
	const struct state *state = report->state;
	struct json_object *object = put_object(inputs, "state");
	struct line line = { .len = 0 };

	state_describe(report->options, state, &line);
	put_text(object, "source", line.s);
	line.len = 0;
	state_assumptions(state, &line);
	put_text(object, "assumed", line.s);
	if (state->buddyinfo)
		put_notes(put_object(object, "notes"), &state->notes);
	put_number(object, "bytes", state->nr_frames << report->options->page_shift);
	put_proc(object, "buddyinfo", state->phys, iommusim_phys_buddyinfo);
	put_proc(object, "pagetypeinfo", state->phys, iommusim_phys_pagetypeinfo);
}

static void put_inputs(struct json_object *root, const struct report *report)
{
	const struct options *options = report->options;
	struct json_object *inputs = put_object(root, "inputs");
	struct json_object *sizes;

	put_state(inputs, report);
	put_text(inputs, "kernel", kernel_name(options->kernel));
	put_number(inputs, "page_size", UINT64_C(1) << options->page_shift);
	put_text(inputs, "domain", mode_name(options->mode));
	put_number(inputs, "seed", options->seed);
	sizes = put_array(inputs, "sizes");
	for (unsigned i = 0; i < options->nr_sizes; i++) {
		struct json_object *size = append_object(sizes);

		put_number(size, "count", options->sizes[i].count);
		put_number(size, "bytes", options->sizes[i].bytes);
	}
}

static void put_attempts(struct json_object *object, const struct result *result)
{
	struct json_object *array = put_array(object, "attempts_by_order");

	for (unsigned order = 0; order < NR_ORDERS; order++) {
		struct json_object *item;

		if (!result->nr_tried[order])
			continue;
		item = append_object(array);
		put_number(item, "order", order);
		put_number(item, "tried", result->nr_tried[order]);
		put_number(item, "failed", result->nr_failed[order]);
	}
}

static void put_orders(struct json_object *object, const char *key, const uint64_t *counters)
{
	struct json_object *array = put_array(object, key);

	for (unsigned order = 0; order < NR_ORDERS; order++) {
		struct json_object *item;

		if (!counters[order])
			continue;
		item = append_object(array);
		put_number(item, "order", order);
		put_number(item, "count", counters[order]);
	}
}

static void put_leaves(struct json_object *object, const struct result *result)
{
	struct json_object *array = put_array(object, "leaf_entries_by_size");

	for (unsigned i = 0; i < NR_SIZES; i++) {
		struct json_object *item;

		if (!result->nr_leaves[i])
			continue;
		item = append_object(array);
		put_number(item, "size", UINT64_C(1) << i);
		put_number(item, "count", result->nr_leaves[i]);
	}
}

static void put_figures(struct json_object *object, const struct result *result)
{
	put_number(object, "tried", sum(result->nr_tried, NR_ORDERS));
	put_number(object, "failed", sum(result->nr_failed, NR_ORDERS));
	put_attempts(object, result);
	put_number(object, "chunks", sum(result->nr_chunks, NR_ORDERS));
	put_orders(object, "chunks_by_order", result->nr_chunks);
	put_number(object, "leaf_entries", sum(result->nr_leaves, NR_SIZES));
	put_leaves(object, result);
	put_number(object, "map_calls", result->nr_map_calls);
	if (result->format) {
		put_text(object, "pgtable", result->format->name);
		put_number(object, "table_pages", result->nr_tables);
		put_number(object, "table_words", result->nr_words);
	}
	if (result->iova <= result->iova_last) {
		put_number(object, "iova_first", result->iova);
		put_number(object, "iova_last", result->iova_last);
	}
	put_orders(object, "free_blocks_by_order", result->free_blocks);
}

/* The chunk or run that is off the granule. */
static void put_misfit(struct json_object *object, const struct witness *witness)
{
	put_number(object, "chunk", witness->misfit.chunk);
	put_number(object, "order", witness->order);
	put_number(object, "nr_chunks", witness->misfit.nr_chunks);
	put_number(object, "pa", witness->misfit.pa);
	put_number(object, "size", witness->misfit.size);
}

static void put_reason(struct json_object *object, const struct report *report,
                       const struct result *result)
{
	struct line line = { .len = 0 };

	reason_describe(report, result, &line);
	put_text(object, "reason", line.s);
	put_number(object, "buffer", result->witness.buffer);
	if (result->witness.err) {
		put_text(object, "step", step_name(result));
		put_text(object, "error", error_name(result));
	}
	if (result->finding[0])
		put_text(object, "finding", result->finding);
	if (result->witness.misfit.nr_chunks)
		put_misfit(put_object(object, "misfit"), &result->witness);
}

static void put_result(struct json_object *object, const struct report *report,
                       const struct result *result)
{
	put_pgsizes(object, result->pgsizes);
	put_text(object, "policy", result->policy->name);
	put_text(object, "alias", result->policy->alias);
	put_text(object, "attrs", attrs_name(result->attrs));
	put_text(object, "verdict", verdict_name(result->verdict));
	put_number(object, "buffers", result->nr_buffers);
	put_number(object, "buffers_with_verdict", result->nr_alike);
	if (result->verdict != VERDICT_MAPPABLE)
		put_reason(object, report, result);
	put_figures(object, result);
}

int print_json(const struct report *report)
{
	struct json_object *root = json_object_new_object();
	struct json_object *results;
	const char *text;

	put_text(root, "program", "iommusim " IOMMUSIM_VERSION);
	put_inputs(root, report);
	results = put_array(root, "results");
	for (size_t i = 0; i < report->nr_results; i++)
		put_result(append_object(results), report, &report->results[i]);
	text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
	                                                    JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		puts(text);
	json_object_put(root);
	return text ? 0 : say("the host has no memory for the output");
}
