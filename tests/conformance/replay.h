/* SPDX-License-Identifier: MIT */
/* The machine that a recording is replayed on. */
#ifndef REPLAY_H
#define REPLAY_H

#include "rows.h"

#define MAX_BUFFERS 4096

/* What happened in one call. */
struct seen {
	struct iommusim_driver_call *call;
	struct iommusim_event *map;   /* MAP and UNMAP events */
	struct iommusim_event *iova;  /* IOVA_ALLOC and IOVA_FREE events */
	struct iommusim_chunk *freed; /* blocks that were given back, in order */
	size_t nr_calls, nr_maps, nr_iovas, nr_freed;
	size_t cap_calls, cap_maps, cap_iovas, cap_freed;
};

/* What is held, by its id in the recording: a buffer, a mapping, or a list. */
enum held_kind { HELD_BUFFER, HELD_MAPPING, HELD_LIST };
struct held {
	uint64_t id;
	enum held_kind kind;
	struct iommusim_dma_buffer buffer;
	struct iommusim_dma_mapping mapping;
	struct iommusim_dma_list list;
};

struct machine {
	struct record *record;
	unsigned kernel, page_shift, nr_orders;
	uint64_t pgsizes;
	int has_mappings;                   /* virtio: an unmap removes whole map calls */
	struct iommusim_pgtable *pgtable;   /* where the format is built; else */
	struct iommusim_recorder *recorder; /* this */
	struct iommusim_driver inner;       /* of one of them */
	struct iommusim_domain *domain;
	struct iommusim_iova *iova;
	struct iommusim_dma *dma;
	struct seen seen;
	struct rows attempts; /* of the call */
	struct held *held[MAX_BUFFERS];
	unsigned nr_held;
};

/* Memory, or the end of the program. */
void *must(void *memory);
unsigned log2_of(uint64_t x);

/* The machine of the recording @json; a difference in m->record if there can be none. */
void create_machine(struct machine *m, struct json_object *json);
void destroy_machine(struct machine *m);

/* Pages whose attempts succeed as the rows of m->attempts say; what is freed goes to m->seen.freed.
 */
struct iommusim_page_source recorded_pages(struct machine *m);

/* Free what the host keeps for it, whatever became of it. */
void drop(struct held *held);

#endif
