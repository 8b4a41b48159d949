/* SPDX-License-Identifier: MIT */
/* One object: the inputs, with the free lists themselves, and every figure of every result. */
#include "print.h"

#include "json.h"
#include "reason.h"
#include "units.h"

static void put_pgsizes(struct json_object *object, uint64_t pgsizes)
{
	struct json_object *array = json_put_array(object, "pgsizes");

	for (; pgsizes; pgsizes &= pgsizes - 1)
		json_object_array_add(array, json_object_new_uint64(granule_of(pgsizes)));
}

static void put_inputs(struct json_object *root, const struct report *report)
{
	const struct options *options = report->options;
	struct json_object *inputs = json_put_object(root, "inputs");
	struct json_object *sizes;
	char gfp[256];

	json_put_state(inputs, report->options, report->state);
	json_put_text(inputs, "kernel", kernel_name(options->kernel));
	json_put_number(inputs, "page_size", UINT64_C(1) << options->page_shift);
	json_put_text(inputs, "domain", mode_name(options->mode));
	json_put_number(inputs, "seed", options->seed);
	iommusim_gfp_format(options->gfp, options->kernel, gfp, sizeof(gfp));
	json_put_text(inputs, "gfp", gfp);
	sizes = json_put_array(inputs, "sizes");
	for (unsigned i = 0; i < options->nr_sizes; i++) {
		struct json_object *size = json_append_object(sizes);

		json_put_number(size, "count", options->sizes[i].count);
		json_put_number(size, "bytes", options->sizes[i].bytes);
	}
}

static void put_attempts(struct json_object *object, const struct result *result)
{
	struct json_object *array = json_put_array(object, "attempts_by_order");

	for (unsigned order = 0; order < NR_ORDERS; order++) {
		struct json_object *item;

		if (!result->nr_tried[order])
			continue;
		item = json_append_object(array);
		json_put_number(item, "order", order);
		json_put_number(item, "tried", result->nr_tried[order]);
		json_put_number(item, "failed", result->nr_failed[order]);
	}
}

static void put_orders(struct json_object *object, const char *key, const uint64_t *counters)
{
	struct json_object *array = json_put_array(object, key);

	for (unsigned order = 0; order < NR_ORDERS; order++) {
		struct json_object *item;

		if (!counters[order])
			continue;
		item = json_append_object(array);
		json_put_number(item, "order", order);
		json_put_number(item, "count", counters[order]);
	}
}

static void put_leaves(struct json_object *object, const struct result *result)
{
	struct json_object *array = json_put_array(object, "leaf_entries_by_size");

	for (unsigned i = 0; i < NR_SIZES; i++) {
		struct json_object *item;

		if (!result->nr_leaves[i])
			continue;
		item = json_append_object(array);
		json_put_number(item, "size", UINT64_C(1) << i);
		json_put_number(item, "count", result->nr_leaves[i]);
	}
}

static void put_figures(struct json_object *object, const struct result *result)
{
	json_put_number(object, "tried", sum(result->nr_tried, NR_ORDERS));
	json_put_number(object, "failed", sum(result->nr_failed, NR_ORDERS));
	put_attempts(object, result);
	json_put_number(object, "chunks", sum(result->nr_chunks, NR_ORDERS));
	put_orders(object, "chunks_by_order", result->nr_chunks);
	json_put_number(object, "leaf_entries", sum(result->nr_leaves, NR_SIZES));
	put_leaves(object, result);
	json_put_number(object, "map_calls", result->nr_map_calls);
	if (result->format) {
		json_put_text(object, "pgtable", result->format->name);
		json_put_number(object, "table_pages", result->nr_tables);
		json_put_number(object, "table_words", result->nr_words);
	}
	if (result->iova <= result->iova_last) {
		json_put_number(object, "iova_first", result->iova);
		json_put_number(object, "iova_last", result->iova_last);
	}
	put_orders(object, "free_blocks_by_order", result->free_blocks);
}

/* The chunk or run that is off the granule. */
static void put_misfit(struct json_object *object, const struct witness *witness)
{
	json_put_number(object, "chunk", witness->misfit.chunk);
	json_put_number(object, "order", witness->order);
	json_put_number(object, "nr_chunks", witness->misfit.nr_chunks);
	json_put_number(object, "pa", witness->misfit.pa);
	json_put_number(object, "size", witness->misfit.size);
}

static void put_reason(struct json_object *object, const struct report *report,
                       const struct result *result)
{
	struct line line = { .len = 0 };

	reason_describe(report, result, &line);
	json_put_text(object, "reason", line.s);
	json_put_number(object, "buffer", result->witness.buffer);
	if (result->witness.err) {
		json_put_text(object, "step", step_name(result));
		json_put_text(object, "error", error_name(result));
	}
	if (result->finding[0])
		json_put_text(object, "finding", result->finding);
	if (result->witness.misfit.nr_chunks)
		put_misfit(json_put_object(object, "misfit"), &result->witness);
}

static void put_result(struct json_object *object, const struct report *report,
                       const struct result *result)
{
	if (report->options->rows[result->iommu])
		json_put_text(object, "iommu", report->options->rows[result->iommu]->id);
	put_pgsizes(object, result->pgsizes);
	json_put_text(object, "policy", result->policy->name);
	json_put_text(object, "alias", result->policy->alias);
	json_put_text(object, "attrs", attrs_name(result->attrs));
	json_put_text(object, "verdict", verdict_name(result->verdict));
	json_put_number(object, "buffers", result->nr_buffers);
	json_put_number(object, "buffers_with_verdict", result->nr_alike);
	if (result->verdict != VERDICT_MAPPABLE)
		put_reason(object, report, result);
	put_figures(object, result);
}

struct json_object *report_as_json(const struct report *report)
{
	struct json_object *root = json_object_new_object();
	struct json_object *results;

	json_put_text(root, "program", "iommusim " IOMMUSIM_VERSION);
	put_inputs(root, report);
	results = json_put_array(root, "results");
	for (size_t i = 0; i < report->nr_results; i++)
		put_result(json_append_object(results), report, &report->results[i]);
	return root;
}
