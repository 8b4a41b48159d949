/* SPDX-License-Identifier: MIT */
/* One request being served by a policy, and what the built-in policies share. */
#ifndef ISIM_CHUNK_RUN_H
#define ISIM_CHUNK_RUN_H

#include "base/host.h"
#include "iommusim/chunk.h"

struct iommusim_chunk_run {
	const struct iommusim_chunk_request *req;
	struct iommusim_page_source source;
	struct iommusim_chunks *out;
	struct isim_diag diag;
	struct iommusim_page_block
		block; /* of the last successful attempt, while it is undecided */
	unsigned block_order;
	int undecided;
};

/* Plans: pages only, the size as it came (steps.c); size and mask from the bitmap (mask.c). */
int isim_chunk_plan_pages(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          struct iommusim_chunk_plan *plan);
int isim_chunk_plan_mask(const struct iommusim_policy *policy,
                         const struct iommusim_chunk_request *req,
                         struct iommusim_chunk_plan *plan);

/* Step down from the largest order that fits. */
struct isim_steps {
	unsigned sticky;  /* 1: an order that failed is not tried again for this buffer */
	unsigned singles; /* 1: ALLOC_SINGLE_PAGES starts at order 0 */
};
int isim_chunk_alloc_steps(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run);

/* Walk down a table of orders. */
struct isim_ladder {
	unsigned nr;
	uint8_t order[8]; /* descending, the last one 0 */
};
int isim_chunk_alloc_ladder(const struct iommusim_policy *policy,
                            const struct iommusim_chunk_request *req,
                            const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run);

/* Walk down a mask of orders. */
struct isim_mask {
	unsigned beyond_max; /* orders above the largest that the clamp lets through */
	unsigned drop_comp;  /* 1: COMP is removed from gfp */
};
int isim_chunk_alloc_mask(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run);

#endif
