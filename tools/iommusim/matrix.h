/* SPDX-License-Identifier: MIT */
/*
 * Every driver of the catalogue under every CPU page, domain, memory state, size and policy. What a
 * policy does depends on less than that, so a run is made once for all cells that share it.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include "compare.h"

#define MAX_STATES     16
#define MAX_REQUESTS   32
#define MAX_GLOBS      16
#define MAX_CANDIDATES 16

enum matrix_format { MATRIX_TABLE, MATRIX_JSON, MATRIX_CSV, MATRIX_HTML };

/* A domain of Linux's DMA API as its kernel makes it, or one driven through iommu_map(). */
enum matrix_domain { MATRIX_STRICT, MATRIX_UNMANAGED, MATRIX_DOMAINS };

struct matrix_options {
	struct options common; /* kernel, seed, memory, attrs; its policies are the candidates */
	const struct iommusim_policy *base;
	const char *states[MAX_STATES];
	unsigned nr_states;
	uint64_t sizes[MAX_REQUESTS];
	unsigned nr_sizes;
	const char *globs[MAX_GLOBS];
	unsigned nr_globs;
	unsigned page_shifts; /* bit n: pages of 2^n bytes; 0: all */
	unsigned domains;     /* one bit each */
	const char *driver_file, *output, *resume;
	unsigned all_releases; /* 1: rows that are not of the kernel, too */
	uint64_t nr_jobs;      /* workers; 0: one per core */
	enum matrix_format format;
	unsigned wants_help;
};

int matrix_options_parse(struct matrix_options *options, int argc, char **argv);
void matrix_options_help(void);

/* An IOMMU under a CPU page: all that a run depends on. */
struct matrix_machine {
	unsigned page_shift;
	struct iommusim_machine_config config; /* but for memory and host */
};

/* A row of the catalogue under one of its CPU pages. */
struct matrix_subject {
	const struct iommusim_catalog_driver *row;
	unsigned page_shift;
	size_t machine;
	unsigned is_refused; /* strict domains only: by the kernel */
	char refusal[280];
	char why[240]; /* there are no page tables, "" */
};

/* What a policy made of one buffer. */
struct outcome {
	uint64_t pages, leaves, tried, vain; /* vain: failed above order 0, though it may reclaim */
	uint64_t pa, size;                   /* of the misfit */
	uint32_t chunk, order, tables;
	int err;
	enum verdict verdict;
	enum iommusim_dma_step step;
};

/* How a cell compares with the base, from good to bad. */
enum matrix_class {
	CLASS_OK,
	CLASS_UNUSED,      /* another allocator serves these domains */
	CLASS_REFUSED,     /* by the kernel, whatever the policy */
	CLASS_UNSIMULATED, /* its granule is too large for this library */
	CLASS_ALIKE,       /* neither policy delivers the buffer */
	CLASS_SLOWER,      /* more attempts, leaves or vain attempts */
	CLASS_MORE_MEMORY, /* more pages */
	CLASS_BY_LUCK,     /* it adjoined by chance, the base's does not need to */
	CLASS_NO_MEMORY,   /* no pages where the base finds some */
	CLASS_BROKEN,      /* cannot be mapped, unlike the base's */
	NR_CLASSES
};

const char *class_name(enum matrix_class class);

/* What the policy's outcome is to the base's, in a domain that is made and uses it. */
enum matrix_class matrix_class_of(const struct outcome *base, const struct outcome *outcome);

struct matrix {
	const struct matrix_options *options;
	struct matrix_machine *machines;
	size_t nr_machines;
	struct matrix_subject *subjects;
	size_t nr_subjects;
	size_t nr_left_out;       /* rows of other releases */
	struct outcome *outcomes; /* machine, state, size, attributes, policy (the base first) */
	size_t nr_outcomes;
	unsigned char *is_done; /* by job: machine and state */
	size_t nr_done;
};

/* Choose the subjects and their machines. 0 or, after a message, EXIT_INPUT. */
int matrix_plan(struct matrix *matrix);
void matrix_finish(struct matrix *matrix);

/* Make all runs that are not done yet. */
int matrix_run(struct matrix *matrix);

/* One run on a copy of @phys. 0 or, after a message, EXIT_INPUT. */
struct matrix_run {
	const struct matrix_machine *machine;
	const struct iommusim_phys *phys;
	const struct iommusim_policy *policy;
	uint64_t size;
	uint32_t attrs;
};
int matrix_run_one(const struct matrix_run *run, struct outcome *outcome);

size_t matrix_nr_policies(const struct matrix_options *options); /* with the base */
size_t matrix_job_outcomes(const struct matrix_options *options);

/* Partial results: read at the start, written now and then. */
int matrix_load(struct matrix *matrix);
int matrix_save(const struct matrix *matrix);

/* The memory of made-up states under CPU pages of 2^@page_shift bytes; starts at MATRIX_START. */
#define MATRIX_START (UINT64_C(1) << 30)
uint64_t matrix_memory(const struct matrix_options *options, unsigned page_shift);

/* ---- Cells ---- */

struct cell {
	const struct matrix_subject *subject;
	const struct matrix_machine *machine;
	enum matrix_domain domain;
	unsigned state, size, attrs, policy; /* indices; policy 0 is the first candidate */
	const struct outcome *base, *outcome;
	enum matrix_class class;
};

size_t matrix_nr_cells(const struct matrix *matrix);
struct cell matrix_cell(const struct matrix *matrix, size_t index);

/* The cells of a subject and a domain follow each other. */
size_t matrix_block_cells(const struct matrix_options *options);

/* Why a cell has its class, in words; "" where it is fine. */
void cell_describe(const struct cell *cell, struct line *line);

/* The comparison that repeats it, "" where there is none. */
void cell_command(const struct matrix *matrix, const struct cell *cell, struct line *line);
const char *cell_evidence(const struct cell *cell); /* "tables", "recorded" or "none" */
int cell_has_figures(const struct cell *cell);      /* 0: the policy does not come into it */
const char *domain_name(enum matrix_domain domain);

/* 0 or, after a message, EXIT_INPUT. */
int matrix_print_table(const struct matrix *matrix);
int matrix_print_json(const struct matrix *matrix);
int matrix_print_csv(const struct matrix *matrix);
int matrix_print_html(const struct matrix *matrix);

#endif
