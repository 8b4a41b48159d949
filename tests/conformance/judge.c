/* SPDX-License-Identifier: MIT */
/* Every list of a recorded call has a counterpart in what the replay noted. */
#include "judge.h"

#include <inttypes.h>

struct record part_of(const struct record *call, const char *key)
{
	struct record part = { .kernel = call->kernel };

	json_object_object_get_ex(call->json, key, &part.json);
	return part;
}

uint64_t number_in(const struct record *call, const char *part, const char *key)
{
	struct record p = part_of(call, part);

	return has_field(&p, key) ? field_u64(&p, key) : 0;
}

int is_ok(const struct record *call)
{
	struct record result = part_of(call, "result");
	struct json_object *ok = NULL;

	json_object_object_get_ex(result.json, "ok", &ok);
	return json_object_get_boolean(ok);
}

void forget(struct machine *m)
{
	struct seen *seen = &m->seen;

	seen->nr_calls = seen->nr_maps = seen->nr_iovas = seen->nr_freed = 0;
}

/* ---- Pages ---- */

static void compare_chunks(struct machine *m, const struct record *call,
                           const struct iommusim_chunks *chunks)
{
	struct rows rows = rows_of(m->record, call->json, "chunks", "-s");

	for (size_t i = 0; i < chunks->nr_chunks; i++)
		rows_expect(&rows, (uint64_t[]){ chunks->chunk[i].order, chunks->chunk[i].pfn });
	rows_end(&rows);
	rows_end(&m->attempts);
}

/* One row for each page: what the kernel's mapping of the buffer leads to. */
static void compare_pages(struct machine *m, const struct record *call,
                          const struct iommusim_dma_buffer *buffer)
{
	struct rows rows = rows_of(m->record, call->json, "pages", "s");
	uint64_t page = UINT64_C(1) << m->page_shift;

	if (!has_field(call, "pages"))
		return;
	for (size_t i = 0; i < buffer->nr_sg; i++)
		for (uint64_t at = 0; at < buffer->sg[i].size; at += page)
			rows_expect(&rows,
			            (uint64_t[]){ (buffer->sg[i].pa + at) >> m->page_shift });
	rows_end(&rows);
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

void judge_buffer(struct machine *m, const struct record *call,
                  const struct iommusim_dma_buffer *buffer)
{
	compare_chunks(m, call, &buffer->chunks);
	if (buffer->failed != IOMMUSIM_DMA_DONE)
		return;
	compare_u64(m->record, "the dma address", buffer->dma_addr,
	            number_in(call, "result", "dma_addr"));
	compare_list(m, call, buffer);
	compare_pages(m, call, buffer);
}

void judge_segments(struct machine *m, const struct record *call,
                    const struct iommusim_dma_list *list, size_t nr_segments)
{
	struct rows rows = rows_of(m->record, call->json, "dma_sg", "s-");

	compare_u64(m->record, "the number of segments", nr_segments,
	            number_in(call, "result", "nents"));
	for (size_t i = 0; i < nr_segments; i++)
		rows_expect(&rows, (uint64_t[]){ list->sg[i].dma_addr, list->sg[i].dma_length });
	rows_end(&rows);
}

/* ---- IOVA ---- */

/* Sizes that the caches hold are rounded up. */
static uint64_t rounded(uint64_t pages)
{
	uint64_t power = 1;

	while (pages < 32 && power < pages)
		power <<= 1;
	return pages < 32 ? power : pages;
}

/* Each request to the allocator, those that failed too, and each range that was freed. */
static void compare_iova(struct machine *m, const struct record *call)
{
	struct rows allocs = rows_of(m->record, call->json, "iova_alloc", "---");
	struct rows frees = rows_of(m->record, call->json, "iova_free", "--");
	unsigned shift = iommusim_iova_granule_lg2(m->iova);

	for (size_t i = 0; i < m->seen.nr_iovas; i++) {
		const struct iommusim_event *event = &m->seen.iova[i];
		int is_alloc = event->kind == IOMMUSIM_EVENT_IOVA_ALLOC;
		struct rows *rows = is_alloc ? &allocs : &frees;

		rows_expect(rows, (uint64_t[]){ is_alloc ? ROWS_ANY : event->iova >> shift,
		                                ROWS_ANY, ROWS_ANY });
		compare_at(m->record, "the size of IOVA range", i, event->size >> shift,
		           rounded(rows->row[is_alloc ? 0 : 1]));
	}
	rows_end(&allocs);
	rows_end(&frees);
}

/* ---- Mapping ---- */

static void compare_maps(struct machine *m, const struct record *call)
{
	struct rows maps = rows_of(m->record, call->json, "iommu_map", "ss-");
	struct rows unmaps = rows_of(m->record, call->json, "iommu_unmap", "---");

	for (size_t i = 0; i < m->seen.nr_maps; i++) {
		const struct iommusim_event *event = &m->seen.map[i];

		if (event->kind == IOMMUSIM_EVENT_MAP)
			rows_expect(&maps, (uint64_t[]){ event->iova, event->pa, event->size });
		else
			rows_expect(&unmaps, (uint64_t[]){ event->iova, event->size, event->pa });
	}
	rows_end(&maps);
	rows_end(&unmaps);
}

static void compare_calls(struct machine *m, const struct record *call)
{
	struct rows maps = rows_of(m->record, call->json, "map_pages", "ss---");
	struct rows unmaps = rows_of(m->record, call->json, "unmap_pages", "---");

	for (size_t i = 0; i < m->seen.nr_calls; i++) {
		const struct iommusim_driver_call *c = &m->seen.call[i];

		if (c->kind == 'm')
			rows_expect(&maps,
			            (uint64_t[]){ c->iova, c->pa, c->pgsize, c->count, c->prot });
		else
			rows_expect(&unmaps, (uint64_t[]){ c->iova, c->pgsize, c->count });
	}
	rows_end(&maps);
	rows_end(&unmaps);
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
	const struct iommusim_chunk *freed = m->seen.freed;
	size_t at = 0;

	while (at < m->seen.nr_freed && rows_next(&rows))
		at += rows.row[0] == freed[at].order && rows.row[1] == freed[at].pfn;
	if (at < m->seen.nr_freed)
		differ(m->record,
		       "block %lu that was given back, pfn 0x%" PRIx64 ", is not in its place",
		       (unsigned long)at, freed[at].pfn);
}

void judge_effects(struct machine *m, const struct record *call)
{
	compare_iova(m, call);
	compare_maps(m, call);
	compare_calls(m, call);
	compare_words(m, call);
	compare_frees(m, call);
}
