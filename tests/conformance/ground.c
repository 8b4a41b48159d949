/* SPDX-License-Identifier: MIT */
/*
 * Recordings, replayed with the outcome of each page allocation taken from the recording, and
 * everything else predicted, from one call to the next: attempts with their flags, chunks, IOVA
 * addresses, scatterlists and their DMA segments, pieces that are mapped, driver calls, leaf words
 * where the format is built, what is given back and in which order.
 */
#include "ground.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

/* ---- Holding ---- */

static void hold(struct machine *m, struct held *held)
{
	if (m->nr_held == MAX_BUFFERS)
		drop(m->held[--m->nr_held]);
	m->held[m->nr_held++] = held;
}

static struct held *let_go(struct machine *m, uint64_t id)
{
	for (unsigned i = m->nr_held; i-- > 0;) {
		struct held *held = m->held[i];

		if (held->id != id)
			continue;
		m->held[i] = m->held[--m->nr_held];
		return held;
	}
	return NULL;
}

/* What the driver had set when it made the call. */
static void set_device(struct machine *m, struct record *request)
{
	uint64_t bits = field_u64(request, "dma_mask_bits");
	uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;

	iommusim_dma_set_masks(m->dma, mask, mask);
	if (iommusim_dma_set_segments(m->dma, field_u64(request, "max_seg_size"),
	                              field_u64(request, "seg_boundary_mask")))
		differ(m->record, "%s", iommusim_dma_error(m->dma));
}

/* ---- Calls ---- */

typedef int alloc_fn(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                     struct iommusim_dma_buffer *buffer);

static int alloc_buffer(struct machine *m, const struct record *call, struct held *held,
                        alloc_fn *alloc)
{
	struct record request = part_of(call, "request");
	struct iommusim_dma_request req = { .size = field_u64(&request, "size"),
		                            .gfp = (uint32_t)field_u64(&request, "gfp"),
		                            .attrs = (uint32_t)field_u64(&request, "attrs") };
	int err = alloc(m->dma, &req, &held->buffer);

	held->kind = HELD_BUFFER;
	judge_buffer(m, call, &held->buffer);
	return err;
}

static int run_noncontiguous(struct machine *m, const struct record *call, struct held *held)
{
	return alloc_buffer(m, call, held, iommusim_dma_alloc_noncontiguous);
}

static int run_attrs(struct machine *m, const struct record *call, struct held *held)
{
	return alloc_buffer(m, call, held, iommusim_dma_alloc);
}

static int run_pages(struct machine *m, const struct record *call, struct held *held)
{
	return alloc_buffer(m, call, held, iommusim_dma_alloc_pages);
}

static int run_map_page(struct machine *m, const struct record *call, struct held *held)
{
	struct record request = part_of(call, "request");
	struct iommusim_dma_mapping *mapping = &held->mapping;
	int err;

	held->kind = HELD_MAPPING;
	mapping->pa =
		(field_u64(&request, "page_pfn") << m->page_shift) + field_u64(&request, "offset");
	mapping->size = field_u64(&request, "size");
	err = iommusim_dma_map_page(m->dma, mapping);
	if (!err)
		compare_u64(m->record, "the dma address", mapping->dma_addr,
		            number_in(call, "result", "dma_addr"));
	return err;
}

/* The entries of the recorded list. */
static void read_list(struct machine *m, const struct record *call, struct iommusim_dma_list *list)
{
	struct record request = part_of(call, "request");
	struct rows rows = rows_of(m->record, call->json, "sg", "s--");
	uint64_t nr = field_u64(&request, "nents");

	list->sg = must(calloc((size_t)nr + 1, sizeof(*list->sg)));
	for (; list->nr < nr && rows_next(&rows); list->nr++)
		list->sg[list->nr] =
			(struct iommusim_dma_sg){ .page_pa = rows.row[0] << m->page_shift,
			                          .offset = (uint32_t)rows.row[1],
			                          .length = (uint32_t)rows.row[2] };
	rows_end(&rows);
	compare_u64(m->record, "the number of entries", list->nr, nr);
}

static int run_map_sg(struct machine *m, const struct record *call, struct held *held)
{
	size_t nr_segments = 0;
	int err;

	held->kind = HELD_LIST;
	read_list(m, call, &held->list);
	err = iommusim_dma_map_sg(m->dma, &held->list, &nr_segments);
	if (!err)
		judge_segments(m, call, &held->list, nr_segments);
	return err;
}

static int release(struct machine *m, struct held *held)
{
	switch (held->kind) {
	case HELD_BUFFER:
		return iommusim_dma_free(m->dma, &held->buffer);
	case HELD_MAPPING:
		return iommusim_dma_unmap_page(m->dma, &held->mapping);
	default:
		return iommusim_dma_unmap_sg(m->dma, &held->list);
	}
}

static const struct api {
	const char *name;
	int (*run)(struct machine *m, const struct record *call, struct held *held);
} apis[] = {
	{ "dma_alloc_noncontiguous", run_noncontiguous },
	{ "dma_alloc_attrs", run_attrs },
	{ "dma_alloc_pages", run_pages },
	{ "dma_map_page", run_map_page },
	{ "dma_map_sg", run_map_sg },
};

static void run_new(struct machine *m, const struct record *call, const struct api *api)
{
	struct record request = part_of(call, "request");
	struct held *held = must(calloc(1, sizeof(*held)));
	int err;

	held->id = field_u64(&request, "id");
	m->attempts = rows_of(m->record, call->json, "attempts", "--s-");
	set_device(m, &request);
	err = api->run(m, call, held);
	compare_u64(m->record, "success", !err, (uint64_t)is_ok(call));
	judge_effects(m, call);
	if (err)
		drop(held);
	else
		hold(m, held);
}

static void run_release(struct machine *m, const struct record *call, struct held *held)
{
	if (release(m, held))
		differ(m->record, "it cannot be released: %s", iommusim_dma_error(m->dma));
	judge_effects(m, call);
	drop(held);
}

/* Why a call is not replayed. */
enum skip { SKIP_NOT, SKIP_NO_ARRAY, SKIP_API, SKIP_RELEASE, NR_SKIPS };

static const char *const skips[] = {
	[SKIP_NO_ARRAY] = "failed for want of the array of pages, which is not modelled",
	[SKIP_API] = "is no call that is known",
	[SKIP_RELEASE] = "releases what was not replayed",
};

/* Failed before the first attempt. */
static int has_no_array(const struct record *call)
{
	struct json_object *attempts = NULL;

	json_object_object_get_ex(call->json, "attempts", &attempts);
	return attempts && !length_of(attempts) && !is_ok(call);
}

/* SKIP_NOT: judged, the difference is in m->record. */
static enum skip run_call(struct machine *m, const struct record *call)
{
	struct record request = part_of(call, "request");
	struct held *held;

	forget(m);
	if (has_no_array(call))
		return SKIP_NO_ARRAY;
	if (field_is(&request, "api", "release")) {
		held = let_go(m, field_u64(&request, "id"));
		if (!held)
			return SKIP_RELEASE;
		run_release(m, call, held);
		return SKIP_NOT;
	}
	for (size_t i = 0; i < ARRAY_LEN(apis); i++)
		if (field_is(&request, "api", apis[i].name)) {
			run_new(m, call, &apis[i]);
			return SKIP_NOT;
		}
	return SKIP_API;
}

static void run_calls(struct machine *m, struct json_object *calls, const char *path,
                      struct totals *totals)
{
	unsigned long nr_skipped[NR_SKIPS] = { 0 };

	for (size_t i = 0; i < length_of(calls); i++) {
		struct record call = { .json = item(calls, i), .kernel = m->kernel };

		enum skip skip;

		m->record->difference[0] = 0;
		skip = run_call(m, &call);
		if (skip) {
			nr_skipped[skip]++;
			totals->nr_skipped++;
			continue;
		}
		if (!m->record->difference[0]) {
			totals->nr_passed++;
			continue;
		}
		totals->nr_failed++;
		printf("%s, call %lu: %s\n", path, (unsigned long)i, m->record->difference);
	}
	for (unsigned why = SKIP_NOT + 1; why < NR_SKIPS; why++)
		if (nr_skipped[why])
			printf("%s: %lu skipped: %s\n", path, nr_skipped[why], skips[why]);
}

void ground_truth(struct json_object *json, const char *path, struct totals *totals)
{
	struct record record = { .json = json };
	struct machine *m = must(calloc(1, sizeof(*m)));

	m->record = &record;
	create_machine(m, json);
	if (record.difference[0]) {
		totals->nr_failed++;
		printf("%s: %s\n", path, record.difference);
	} else {
		run_calls(m, field(&record, "calls"), path, totals);
	}
	destroy_machine(m);
	free(m);
}
