/* SPDX-License-Identifier: MIT */
/* One request being served by a policy, and what the built-in policies share. */
#ifndef ISIM_CHUNK_RUN_H
#define ISIM_CHUNK_RUN_H

#include "base/host.h"
#include "iommusim/chunk.h"

/* A contiguous range that the policy took. */
struct isim_range {
	iommusim_pfn pfn;
	uint64_t count;
};

struct iommusim_chunk_run {
	const struct iommusim_chunk_request *req;
	struct iommusim_page_source source;
	struct iommusim_chunks *out;
	struct isim_diag diag;
	struct iommusim_page_block
		block; /* of the last successful attempt, while it is undecided */
	unsigned block_order;
	int undecided;
	int misuse;      /* of its calls by the policy: the first error, 0: none */
	size_t appended; /* the attempt of the last chunk that the policy appended itself */
	struct isim_range *range; /* those that the policy holds */
	size_t nr_ranges, cap_ranges;
};

/* Word what a policy does wrong with its calls: the request ends so, whatever it makes of it. */
#define ISIM_MISUSE(run, ...) \
	isim_chunk_misuse(run, isim_fail(&(run)->diag, IOMMUSIM_EINVAL, __VA_ARGS__))
int isim_chunk_misuse(struct iommusim_chunk_run *run, int err);

/* Plans: pages only, the size as it came (steps.c); size and mask from the bitmap (mask.c). */
int isim_chunk_plan_pages(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          struct iommusim_chunk_plan *plan);
int isim_chunk_plan_mask(const struct iommusim_policy *policy,
                         const struct iommusim_chunk_request *req,
                         struct iommusim_chunk_plan *plan);

/* Which gfp an attempt gets: some of the caller's bits, and others by order. */
struct isim_gfp {
	uint32_t ignored;            /* of the caller's bits */
	uint32_t always, high, last; /* added: at every order, above 0, at 0 */
	uint32_t never_high;         /* removed above order 0 */
	unsigned
		highmem_unless_zone; /* 1: HIGHMEM too, if the caller wants neither DMA nor DMA32 */
};

/* The gfp of an attempt at @order. */
uint32_t isim_chunk_gfp(const struct isim_gfp *gfp, uint32_t caller, unsigned order);

/* Where the first step of a chunk may start. */
enum isim_limit { ISIM_LIMIT_BEYOND, ISIM_LIMIT_LARGEST, ISIM_LIMIT_NONE };

/* Step down from the largest order that fits. */
struct isim_steps {
	unsigned sticky;  /* 1: an order that failed is not tried again for this buffer */
	unsigned singles; /* 1: ALLOC_SINGLE_PAGES starts at order 0; 2: always */
	unsigned upwards; /* 1: a chunk starts at the lowest bit of the pages that are left */
	unsigned whole;   /* 1: blocks are kept as they are, 0: split into pages */
	unsigned forgets; /* 1: a failure does not give back the first page */
	unsigned no_reclaim_above; /* orders above this one get no direct reclaim; 0: no limit */
	unsigned floor;            /* 1: not below the smallest page size of the request */
	enum isim_limit limit;
	struct isim_gfp gfp;
};
int isim_chunk_alloc_steps(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run);

/* Walk down a table of orders. */
struct isim_ladder {
	unsigned nr;
	uint8_t size_lg2[8]; /* log2 of the bytes, in place of orders; those below a page are left
	                        out, and the last one is a page */
	uint8_t order[8];    /* descending, the last one 0 */
	uint32_t gfp[8];     /* for each rung; 0: as @by_order says */
	struct isim_gfp by_order;
	unsigned singles;  /* 1: ALLOC_SINGLE_PAGES starts at the last rung */
	unsigned restarts; /* 1: every chunk starts at the first rung */
	unsigned whole;    /* as above */
};
int isim_chunk_alloc_ladder(const struct iommusim_policy *policy,
                            const struct iommusim_chunk_request *req,
                            const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run);

/*
 * Split the compound block that the last attempt got. If it cannot be it is given back, and where
 * no order @is_left the kernel goes on with the freed block (differs: we stop there with -EBUG).
 * 0: kept; -ENOMEM: go on with the next order.
 */
int isim_chunk_split_compound(struct iommusim_chunk_run *run, int is_left);

/* Walk down a mask of orders. */
struct isim_mask {
	unsigned beyond_max; /* orders above the largest that the clamp lets through */
	unsigned drop_comp;  /* 1: COMP is removed from gfp */
	unsigned split_comp; /* 1: compound blocks are split as huge pages */
};
int isim_chunk_alloc_mask(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run);

/*
 * One chunk of the largest order of *mask that is to be had; those that are not leave *mask.
 * @split_comp: as above.
 */
int isim_chunk_from_mask(struct iommusim_chunk_run *run, uint32_t base, unsigned split_comp,
                         uint64_t *mask);

/* The proposal of 2021 for granules above the CPU page (large.c). */
int isim_chunk_plan_large(const struct iommusim_policy *policy,
                          const struct iommusim_chunk_request *req,
                          struct iommusim_chunk_plan *plan);
int isim_chunk_alloc_large(const struct iommusim_policy *policy,
                           const struct iommusim_chunk_request *req,
                           const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run);

/* The loops of arch/arm, and what it does with FORCE_CONTIGUOUS in their place (contiguous.c). */
#define ISIM_FORCED "with FORCE_CONTIGUOUS one CMA range in place of the loop"
int isim_chunk_alloc_arm_steps(const struct iommusim_policy *policy,
                               const struct iommusim_chunk_request *req,
                               const struct iommusim_chunk_plan *plan,
                               struct iommusim_chunk_run *run);
int isim_chunk_alloc_arm_ladder(const struct iommusim_policy *policy,
                                const struct iommusim_chunk_request *req,
                                const struct iommusim_chunk_plan *plan,
                                struct iommusim_chunk_run *run);

/* 0, or -EINVAL, worded: the buffer is a contiguous range, to which nothing can be added. */
int isim_chunk_check_no_range(struct iommusim_chunk_run *run);

/* Give the range that @chunks are back. 0, -EINVAL: @source has no area, or its error. */
int isim_chunk_free_contiguous(const struct iommusim_chunks *chunks,
                               const struct iommusim_page_source *source);

/* Those of the built-in policies that are not the history (others.c). */
extern const struct iommusim_policy *const isim_policies_others[];
extern const size_t isim_policies_nr_others;

#endif
