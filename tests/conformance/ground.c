/* SPDX-License-Identifier: MIT */
/*
 * Recordings, replayed with the outcome of each attempt and the IOVA taken from the recording, and
 * everything else predicted: attempts with their flags, chunks, scatterlist, pieces that are
 * mapped, driver calls, leaf words where the format is built, what is given back and in which
 * order.
 */
#include "ground.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define ZONES (IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_HIGHMEM)

/* ---- An allocation ---- */

static struct record part_of(const struct record *call, const char *key)
{
	struct record part = { .kernel = call->kernel };

	json_object_object_get_ex(call->json, key, &part.json);
	return part;
}

static uint64_t number_in(const struct record *call, const char *part, const char *key)
{
	struct record p = part_of(call, part);

	return has_field(&p, key) ? field_u64(&p, key) : 0;
}

static int is_ok(const struct record *call)
{
	struct record result = part_of(call, "result");
	struct json_object *ok = NULL;

	json_object_object_get_ex(result.json, "ok", &ok);
	return json_object_get_boolean(ok);
}

static uint64_t pow2_up(uint64_t x)
{
	uint64_t p = 1;

	while (p < x)
		p <<= 1;
	return p;
}

/* An IOVA space whose next range is at @addr: it ends where that range has to. */
static int create_device(struct machine *m, struct held *held, uint64_t addr, uint64_t size)
{
	unsigned shift = log2_of(m->pgsizes & (~m->pgsizes + 1));
	uint64_t granules = pow2_up((size + (UINT64_C(1) << shift) - 1) >> shift);
	struct iommusim_iova_config iova = { .size = sizeof(iova),
		                             .granule_lg2 = shift,
		                             .start = addr >> shift };
	struct iommusim_page_source source = recorded_pages(m);
	struct iommusim_dma_config dma = { .size = sizeof(dma),
		                           .kernel = m->kernel,
		                           .page_shift = m->page_shift,
		                           .nr_orders = m->nr_orders,
		                           .coherent_mask = addr + (granules << shift) - 1,
		                           .domain = m->domain,
		                           .source = &source };
	int err;

	if (!addr) { /* the recorded call got none */
		iova.start = UINT64_C(1) << 40;
		dma.coherent_mask = UINT32_MAX;
	}
	err = iommusim_iova_create(&iova, &held->iova);
	dma.iova = held->iova;
	return err ? err : iommusim_dma_create(&dma, &held->dma);
}

static void compare_chunks(struct machine *m, const struct record *call,
                           const struct iommusim_chunks *chunks)
{
	struct rows rows = rows_of(m->record, call->json, "chunks", "-s");

	for (size_t i = 0; i < chunks->nr_chunks; i++)
		rows_expect(&rows, (uint64_t[]){ chunks->chunk[i].order, chunks->chunk[i].pfn });
	rows_end(&rows);
	rows_end(&m->attempts);
}

static void compare_list(struct machine *m, const struct record *call,
                         const struct iommusim_dma_buffer *buffer)
{
	struct rows rows = rows_of(m->record, call->json, "sg", "s--");

	if (!has_field(call, "sg"))
		return;
	for (size_t i = 0; i < buffer->nr_sg; i++)
		rows_expect(&rows, (uint64_t[]){ buffer->sg[i].pa >> m->page_shift, 0,
		                                 buffer->sg[i].size });
	rows_end(&rows);
}

static void compare_maps(struct machine *m, const struct record *call)
{
	struct rows maps = rows_of(m->record, call->json, "iommu_map", "ss-");
	struct rows calls = rows_of(m->record, call->json, "map_pages", "ss---");

	for (size_t i = 0; i < m->seen.nr_maps; i++)
		if (m->seen.map[i].kind == IOMMUSIM_EVENT_MAP)
			rows_expect(&maps, (uint64_t[]){ m->seen.map[i].iova, m->seen.map[i].pa,
			                                 m->seen.map[i].size });
	rows_end(&maps);
	for (size_t i = 0; i < m->seen.nr_calls; i++) {
		const struct iommusim_driver_call *c = &m->seen.call[i];

		if (c->kind == 'm')
			rows_expect(&calls,
			            (uint64_t[]){ c->iova, c->pa, c->pgsize, c->count, c->prot });
	}
	rows_end(&calls);
}

/* Every recorded leaf word must be the one that a walk reads. */
static void compare_words(struct machine *m, const struct record *call)
{
	struct rows rows = rows_of(m->record, call->json, "pte", "s-s");

	while (m->pgtable && rows_next(&rows)) {
		struct iommusim_pgtable_walk walk;

		iommusim_pgtable_walk(m->pgtable, rows.row[0], &walk);
		if (!walk.is_mapped)
			differ(m->record, "0x%" PRIx64 " is not mapped", rows.row[0]);
		compare_at(m->record, "leaf word", rows.nr - 1, walk.step[walk.nr - 1].word,
		           rows.row[2]);
	}
}

/* Our pages among those that the task gave back, in our order. */
static void compare_frees(struct machine *m, const struct record *call)
{
	struct rows rows = rows_of(m->record, call->json, "frees", "-s");
	size_t at = 0;

	while (at < m->nr_freed && rows_next(&rows))
		at += rows.row[0] == 0 && rows.row[1] == m->freed[at];
	if (at < m->nr_freed)
		differ(m->record,
		       "page %lu that was given back, pfn 0x%" PRIx64 ", is not in its place",
		       (unsigned long)at, m->freed[at]);
}

static void forget(struct machine *m)
{
	m->seen.nr_calls = m->seen.nr_maps = m->nr_freed = 0;
}

static void run_alloc(struct machine *m, const struct record *call)
{
	struct record request = part_of(call, "request");
	int is_coherent = !strcmp(field_text(&request, "api"), "dma_alloc_attrs");
	struct held *held = must(calloc(1, sizeof(*held)));
	struct iommusim_dma_request req = { .size = field_u64(&request, "size"),
		                            .gfp = (uint32_t)field_u64(&request, "gfp"),
		                            .attrs = (uint32_t)field_u64(&request, "attrs") };
	int err;

	if (is_coherent)
		req.gfp = (req.gfp & ~(uint32_t)ZONES) | IOMMUSIM_GFP_BIT_ZERO;
	held->id = field_u64(&request, "id");
	m->attempts = rows_of(m->record, call->json, "attempts", "--s-");
	forget(m);
	err = create_device(m, held, number_in(call, "result", "dma_addr"), req.size);
	if (!err)
		err = iommusim_dma_alloc_chunks(held->dma, &req, &held->buffer);
	compare_u64(m->record, "success", !err, (uint64_t)is_ok(call));
	compare_chunks(m, call, &held->buffer.chunks);
	compare_maps(m, call);
	if (!err) {
		compare_u64(m->record, "the dma address", held->buffer.dma_addr,
		            number_in(call, "result", "dma_addr"));
		compare_list(m, call, &held->buffer);
		compare_words(m, call);
	}
	compare_frees(m, call);
	if (m->nr_held == MAX_BUFFERS)
		drop(m->held[--m->nr_held]);
	m->held[m->nr_held++] = held;
}

/* ---- A release ---- */

static struct held *find_held(struct machine *m, uint64_t id)
{
	for (unsigned i = m->nr_held; i-- > 0;) {
		struct held *held = m->held[i];

		if (held->id != id || held->buffer.failed != IOMMUSIM_DMA_DONE)
			continue;
		m->held[i] = m->held[--m->nr_held];
		return held;
	}
	return NULL;
}

static void run_release(struct machine *m, const struct record *call, struct held *held)
{
	struct rows unmaps = rows_of(m->record, call->json, "iommu_unmap", "---");
	struct rows calls = rows_of(m->record, call->json, "unmap_pages", "---");

	forget(m);
	if (iommusim_dma_free(held->dma, &held->buffer))
		differ(m->record, "it cannot be freed: %s", iommusim_dma_error(held->dma));
	for (size_t i = 0; i < m->seen.nr_maps; i++)
		rows_expect(&unmaps, (uint64_t[]){ m->seen.map[i].iova, m->seen.map[i].size,
		                                   m->seen.map[i].pa });
	rows_end(&unmaps);
	for (size_t i = 0; i < m->seen.nr_calls; i++)
		rows_expect(&calls, (uint64_t[]){ m->seen.call[i].iova, m->seen.call[i].pgsize,
		                                  m->seen.call[i].count });
	rows_end(&calls);
	compare_frees(m, call);
	drop(held);
}

/* ---- Calls ---- */

/* Did the chunk loop ask for the pages? */
static int is_chunk_loop(const struct record *call)
{
	struct json_object *caller = NULL;

	json_object_object_get_ex(call->json, "caller", &caller);
	return caller &&
	       !strncmp(json_object_get_string(caller), "__iommu_dma_alloc_noncontiguous", 31);
}

/* Why a call is not replayed. */
enum skip { SKIP_NOT, SKIP_MAPPING, SKIP_BLOCK, SKIP_NO_ARRAY, SKIP_RELEASE, NR_SKIPS };

static const char *const skips[] = {
	[SKIP_MAPPING] = "maps existing pages",
	[SKIP_BLOCK] = "asks for one block",
	[SKIP_NO_ARRAY] = "failed before the first attempt",
	[SKIP_RELEASE] = "releases one of these",
};

static enum skip why_skipped(const struct record *request, const struct record *call)
{
	if (field_is(request, "api", "release"))
		return SKIP_RELEASE;
	if (field_is(request, "api", "dma_map_page") || field_is(request, "api", "dma_map_sg"))
		return SKIP_MAPPING;
	return has_field(call, "caller") ? SKIP_BLOCK : SKIP_NO_ARRAY;
}

/* SKIP_NOT: judged, the difference is in m->record. */
static enum skip run_call(struct machine *m, const struct record *call)
{
	struct record request = part_of(call, "request");
	struct held *held = NULL;

	if (is_chunk_loop(call)) {
		run_alloc(m, call);
		return SKIP_NOT;
	}
	if (field_is(&request, "api", "release"))
		held = find_held(m, field_u64(&request, "id"));
	if (!held)
		return why_skipped(&request, call);
	run_release(m, call, held);
	return SKIP_NOT;
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
