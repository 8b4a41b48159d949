/* SPDX-License-Identifier: MIT */
/* One run per policy, attributes and IOMMU, each on its own copy of one state, and its verdict. */
#ifndef COMPARE_H
#define COMPARE_H

#include "iommusim.h"
#include "options.h"
#include "state.h"

#define NR_ORDERS (IOMMUSIM_MAX_ORDERS + 2)
#define NR_SIZES  64

/* From good to bad; the verdict of several buffers is the worst. */
enum verdict {
	VERDICT_MAPPABLE,
	VERDICT_BY_LUCK,
	VERDICT_OUT_OF_MEMORY,
	VERDICT_BROKEN,
	VERDICT_REFUSED
};

/* The first buffer whose verdict is the run's. */
struct witness {
	size_t buffer;                 /* from 0 */
	uint64_t bytes;                /* as asked for */
	int err;                       /* negative, 0: none */
	enum iommusim_dma_step failed; /* where */
	struct iommusim_misfit misfit; /* by luck, broken */
	unsigned order;                /* of the misfit's chunk, or of the last attempt */
	uint64_t nr_tried;             /* attempts made for it */
	uint64_t nr_freed;             /* pages that it gave back */
};

struct result {
	const struct iommusim_policy *policy;
	uint32_t attrs;
	size_t iommu; /* its number */
	uint64_t pgsizes;
	const char *refusal; /* by Linux, in words; NULL: none, or init_iova_domain() */
	enum verdict verdict;
	uint64_t nr_buffers, nr_alike; /* buffers, and those with that verdict */
	struct witness witness;
	/* By order. Chunks are those of buffers whose pages were all obtained, mapped or not. */
	uint64_t nr_tried[NR_ORDERS], nr_failed[NR_ORDERS], nr_chunks[NR_ORDERS];
	uint64_t nr_map_calls;                        /* of the buffers that were mapped */
	uint64_t nr_leaves[NR_SIZES];                 /* the same, by log2 of the page size */
	const struct iommusim_pgtable_format *format; /* of their page tables, NULL: none */
	uint64_t nr_tables, nr_words;    /* of these: tables, and words that are not 0 */
	uint64_t iova, iova_last;        /* their lowest and highest byte; iova > iova_last: none */
	uint64_t free_blocks[NR_ORDERS]; /* with all buffers held */
	char finding[160];               /* the first of the policy's, "" if there is none */
	char told[256];                  /* what the library says of a policy that fails, or "" */
};

/* Everything a printer needs. Results are in the order policy, attributes, IOMMU. */
struct report {
	const struct options *options;
	const struct state *state;
	struct result *results;
	size_t nr_results;
};

/*
 * Settle the page sizes of @options, and do all runs. Returns 0 with @report filled, or, after a
 * message, EXIT_INPUT. After either, report_finish() frees the results.
 */
int compare(struct options *options, struct state *state, struct report *report);
void report_finish(struct report *report);

/* The result of row @row (policy and attributes) and IOMMU @iommu. */
const struct result *report_at(const struct report *report, size_t row, size_t iommu);
size_t report_nr_rows(const struct report *report);

/* The sum of @n counters. */
uint64_t sum(const uint64_t *counters, size_t n);

#endif
