/* SPDX-License-Identifier: MIT */
/* The machine that a recording is replayed on. */
#ifndef REPLAY_H
#define REPLAY_H

#include "rows.h"

#define MAX_BUFFERS 4096

/* Driver calls and mapped pieces of one call. */
struct seen {
	struct iommusim_driver_call *call;
	struct iommusim_event *map; /* MAP and UNMAP events */
	size_t nr_calls, nr_maps, cap_calls, cap_maps;
};

/* A buffer that is held, by its id in the recording. */
struct held {
	uint64_t id;
	struct iommusim_iova *iova;
	struct iommusim_dma *dma;
	struct iommusim_dma_buffer buffer;
};

struct machine {
	struct record *record;
	unsigned kernel, page_shift, nr_orders;
	uint64_t pgsizes;
	int has_mappings;                   /* virtio: an unmap removes whole map calls */
	struct iommusim_pgtable *pgtable;   /* Arm; else */
	struct iommusim_recorder *recorder; /* this */
	struct iommusim_driver inner;       /* of one of them */
	struct iommusim_domain *domain;
	struct seen seen;
	struct rows attempts; /* of the call */
	iommusim_pfn *freed;  /* single pages, in order */
	size_t nr_freed, cap_freed;
	struct held *held[MAX_BUFFERS];
	unsigned nr_held;
};

/* Memory, or the end of the program. */
void *must(void *memory);
unsigned log2_of(uint64_t x);

/* The machine of the recording @json; a difference in m->record if there can be none. */
void create_machine(struct machine *m, struct json_object *json);
void destroy_machine(struct machine *m);

/* Pages whose attempts succeed as the rows of m->attempts say; what is freed goes to m->freed. */
struct iommusim_page_source recorded_pages(struct machine *m);

/* Free a buffer's handles, whatever became of it. */
void drop(struct held *held);

#endif
