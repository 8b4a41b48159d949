/* SPDX-License-Identifier: MIT */
/*
 * One run per policy, attributes and IOMMU. Each starts on a fork of the same memory, holds all
 * buffers at once, and is judged by its chunks; the domain's own answer must agree.
 */
#include "compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "object.h"
#include "tables.h"
#include "units.h"

/* A run: its machine, and what is known so far. */
struct run {
	const struct options *options;
	struct state *state;
	struct iommusim_machine *machine;
	struct iommusim_dma_buffer *buffers; /* options->nr_buffers, all zero at first */
	struct result *result;
};

uint64_t sum(const uint64_t *counters, size_t n)
{
	uint64_t total = 0;

	while (n)
		total += counters[--n];
	return total;
}

static void add(uint64_t *to, const uint64_t *counters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] += counters[i];
}

static int contradiction(const struct run *run, const char *what, int err)
{
	const struct iommusim_policy *policy = run->result->policy;
	int is_own = policy_argument(policy) != policy->alias; /* then it may be its fault */
	const char *told = run->state->said.line;

	return say("%spolicy %s, page sizes %s: %s (%s)%s%s",
	           is_own ? "" : "internal error: ", name_text(policy->name).s,
	           pgsizes_text(run->result->pgsizes, ',').s, what, iommusim_errname(err),
	           *told ? ": " : "", told);
}

static unsigned last_order(const struct iommusim_chunks *chunks)
{
	return chunks->nr_attempts ? chunks->attempt[chunks->nr_attempts - 1].order : 0;
}

/* What became of @buffer; 0, or EXIT_INPUT where chunks and domain contradict each other. */
static int judge(const struct run *run, const struct iommusim_dma_buffer *buffer,
                 struct witness *witness, enum verdict *verdict)
{
	static const enum verdict by_fit[] = { [IOMMUSIM_FIT_ALWAYS] = VERDICT_MAPPABLE,
		                               [IOMMUSIM_FIT_BY_LUCK] = VERDICT_BY_LUCK,
		                               [IOMMUSIM_FIT_NOT] = VERDICT_BROKEN };
	const struct iommusim_chunks *chunks = &buffer->chunks;
	int is_mapped = !witness->err;
	enum iommusim_fit fit;

	witness->nr_tried = chunks->nr_attempts;
	witness->nr_freed = chunks->nr_freed;
	witness->order = last_order(chunks);
	if (witness->err == -IOMMUSIM_ENOMEM && witness->failed != IOMMUSIM_DMA_MAP) {
		*verdict = VERDICT_OUT_OF_MEMORY;
		return 0;
	}
	if (witness->failed == IOMMUSIM_DMA_PAGES) { /* a policy of one's own gets it wrong */
		*verdict = VERDICT_BROKEN;
		return 0;
	}
	if (witness->err == -IOMMUSIM_ERANGE && witness->failed == IOMMUSIM_DMA_MAP) {
		*verdict = VERDICT_BROKEN; /* the tables have no such physical address */
		return 0;
	}
	if (!is_mapped && (witness->err != -IOMMUSIM_EINVAL || witness->failed != IOMMUSIM_DMA_MAP))
		return contradiction(run, "the allocation failed for no known reason",
		                     witness->err);

	fit = iommusim_chunks_fit(chunks, run->options->page_shift,
	                          granule_of(run->result->pgsizes), &witness->misfit);
	if (is_mapped != (fit != IOMMUSIM_FIT_NOT))
		return contradiction(run, "the domain and the chunks disagree", witness->err);
	*verdict = by_fit[fit];
	if (fit != IOMMUSIM_FIT_ALWAYS)
		witness->order = chunks->chunk[witness->misfit.chunk].order;
	return 0;
}

/* The first message that the library has for a policy that it ends. */
static void record_told(struct result *result, const struct witness *witness,
                        const struct said *said)
{
	if (witness->failed == IOMMUSIM_DMA_PAGES && !result->told[0])
		snprintf(result->told, sizeof(result->told), "%.255s", said->line);
}

/* The worst verdict counts, and of equal ones the first. */
static void record_verdict(struct result *result, enum verdict verdict,
                           const struct witness *witness)
{
	if (verdict == result->verdict && result->nr_alike) {
		result->nr_alike++;
	} else if (verdict >= result->verdict) {
		result->verdict = verdict;
		result->nr_alike = 1;
		result->witness = *witness;
	}
}

static void record_chunks(struct result *result, const struct iommusim_dma_buffer *buffer)
{
	const struct iommusim_chunks *chunks = &buffer->chunks;

	if (chunks->findings && !result->finding[0])
		snprintf(result->finding, sizeof(result->finding), "%s",
		         chunks->told[0] ? chunks->told : iommusim_finding_text(chunks->findings));
	add(result->nr_tried, chunks->nr_tried, NR_ORDERS);
	add(result->nr_failed, chunks->nr_failed, NR_ORDERS);
	if (buffer->failed == IOMMUSIM_DMA_PAGES)
		return;
	for (size_t i = 0; i < chunks->nr_chunks; i++)
		result->nr_chunks[chunks->chunk[i].order]++;
}

static void record_mapping(struct result *result, const struct iommusim_dma_buffer *buffer,
                           const struct iommusim_domain_stats *before,
                           const struct iommusim_domain_stats *after)
{
	uint64_t last = buffer->dma_addr + (buffer->size - 1);

	result->nr_map_calls += after->nr_map_calls - before->nr_map_calls;
	for (size_t i = 0; i < NR_SIZES; i++)
		result->nr_leaves[i] += after->nr_mapped[i] - before->nr_mapped[i];
	if (buffer->dma_addr < result->iova)
		result->iova = buffer->dma_addr;
	if (last > result->iova_last)
		result->iova_last = last;
}

static int hold_buffer(struct run *run, size_t index, uint64_t bytes)
{
	struct iommusim_domain *domain = iommusim_machine_domain(run->machine);
	struct iommusim_dma_buffer *buffer = &run->buffers[index];
	struct iommusim_dma_request req = { run->result->policy, bytes, run->options->gfp,
		                            run->result->attrs };
	struct iommusim_domain_stats after, before = iommusim_domain_stats(domain);
	struct witness witness = { .buffer = index, .bytes = bytes };
	enum verdict verdict = VERDICT_MAPPABLE;

	run->state->said.line[0] = 0;
	witness.err = iommusim_dma_alloc_chunks(iommusim_machine_dma(run->machine), &req, buffer);
	witness.failed = buffer->failed;
	if (witness.err == -IOMMUSIM_EHOST)
		return say("the host has no memory for a run of %s", req.policy->name);
	if (judge(run, buffer, &witness, &verdict))
		return EXIT_INPUT;
	record_verdict(run->result, verdict, &witness);
	if (verdict == VERDICT_BROKEN)
		record_told(run->result, &witness, &run->state->said);
	record_chunks(run->result, buffer);
	if (!witness.err) {
		after = iommusim_domain_stats(domain);
		record_mapping(run->result, buffer, &before, &after);
	}
	return 0;
}

static int hold_buffers(struct run *run)
{
	size_t index = 0;
	int status = 0;

	for (unsigned s = 0; s < run->options->nr_sizes; s++)
		for (uint64_t n = 0; !status && n < run->options->sizes[s].count; n++)
			status = hold_buffer(run, index++, run->options->sizes[s].bytes);
	return status;
}

static int free_buffers(struct run *run)
{
	int err = 0;

	run->state->said.line[0] = 0;
	for (uint64_t i = run->options->nr_buffers; i > 0; i--)
		if (iommusim_dma_free(iommusim_machine_dma(run->machine), &run->buffers[i - 1]))
			err = 1;
	return err ? contradiction(run, "a buffer could not be freed", -IOMMUSIM_EINVAL) : 0;
}

static uint64_t bytes_of(const uint64_t *nr_leaves)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < NR_SIZES; i++)
		bytes += nr_leaves[i] << i;
	return bytes;
}

/*
 * The tables must hold the bytes that the domain says it mapped. How many leaves that takes is
 * theirs to say: some have a word for every smallest page, whatever the driver is asked for.
 */
static int record_tables(struct run *run)
{
	const struct iommusim_pgtable *pgtable = iommusim_machine_pgtable(run->machine);
	struct tables_count count;

	if (!pgtable)
		return 0;
	tables_count(pgtable, &count);
	run->result->nr_tables = count.nr_tables;
	run->result->nr_words = count.nr_words;
	if (bytes_of(count.nr_leaves) != bytes_of(run->result->nr_leaves))
		return contradiction(run, "the page tables and the domain disagree", 0);
	memcpy(run->result->nr_leaves, count.nr_leaves, sizeof(count.nr_leaves));
	return 0;
}

static int use_machine(struct run *run)
{
	struct iommusim_phys *phys = iommusim_machine_phys(run->machine);
	int status = hold_buffers(run);

	if (!status)
		status = record_tables(run);
	for (unsigned order = 0; order < NR_ORDERS; order++)
		run->result->free_blocks[order] = iommusim_phys_nr_free_blocks(phys, order);
	return free_buffers(run) || status ? EXIT_INPUT : 0;
}

/* A machine that Linux would not let be: nothing was asked of it. */
static int refuse(struct run *run, int err)
{
	struct result *result = run->result;

	if (err == -IOMMUSIM_EHOST)
		return say("the host has no memory for a machine");
	if (err != -IOMMUSIM_EBUG && !result->refusal)
		return say("--pgsizes: '%s': %s", pgsizes_text(result->pgsizes, ',').s,
		           run->state->said.line);
	result->verdict = VERDICT_REFUSED;
	result->nr_alike = result->nr_buffers;
	result->witness = (struct witness){ .err = err, .failed = IOMMUSIM_DMA_CHECK };
	for (unsigned order = 0; order < NR_ORDERS; order++)
		result->free_blocks[order] = iommusim_phys_nr_free_blocks(run->state->phys, order);
	return 0;
}

static int run_one(struct run *run)
{
	struct iommusim_machine_config config =
		tables_machine(run->options, run->state, run->result->iommu);
	struct iommusim_catalog_outcome outcome = tables_outcome(run->options, run->result->iommu);
	int err, status;

	run->result->format = config.format;
	if (outcome.err) {
		run->result->refusal = outcome.what;
		return refuse(run, outcome.err);
	}
	run->state->said.line[0] = 0;
	if (iommusim_phys_fork(run->state->phys, &config.phys))
		return say("the host has no memory for a copy of the machine");
	err = iommusim_machine_create(&config, &run->machine);
	if (err) {
		iommusim_phys_destroy(config.phys);
		return refuse(run, err);
	}
	memset(run->buffers, 0, (size_t)run->options->nr_buffers * sizeof(*run->buffers));
	status = use_machine(run);
	iommusim_machine_destroy(run->machine);
	return status;
}

size_t report_nr_rows(const struct report *report)
{
	return report->nr_results / report->options->nr_iommus;
}

const struct result *report_at(const struct report *report, size_t row, size_t iommu)
{
	return &report->results[row * report->options->nr_iommus + iommu];
}

/* Which policy, attributes and page sizes result number @index is about. */
static void set_subject(const struct options *options, size_t index, struct result *result)
{
	size_t row = index / options->nr_iommus;

	result->policy = options->policies[row / options->nr_attrs];
	result->attrs = options->attrs[row % options->nr_attrs];
	result->iommu = index % options->nr_iommus;
	result->pgsizes = options->pgsizes[result->iommu];
	result->nr_buffers = options->nr_buffers;
	result->iova = UINT64_MAX;
}

static int check_span(const struct options *options, const struct state *state)
{
	uint64_t span = state->nr_frames << options->page_shift;

	if (options->buffer_bytes <= span || !state->has_span)
		return 0;
	return say("--size: %s in all is above the %s that the memory spans",
	           size_exact(options->buffer_bytes).s, size_exact(span).s);
}

int compare(struct options *options, struct state *state, struct report *report)
{
	struct run run = { .options = options, .state = state };
	int status = options_check_attrs(options);

	if (!status)
		status = tables_settle(options);
	memset(report, 0, sizeof(*report));
	report->options = options;
	report->state = state;
	if (!status)
		status = check_span(options, state);
	if (status)
		return status;
	report->nr_results = (size_t)options->nr_policies * options->nr_attrs * options->nr_iommus;
	report->results = calloc(report->nr_results, sizeof(*report->results));
	run.buffers = calloc((size_t)options->nr_buffers, sizeof(*run.buffers));
	if (!report->results || !run.buffers)
		status = say("the host has no memory for the results");
	for (size_t i = 0; !status && i < report->nr_results; i++) {
		run.result = &report->results[i];
		set_subject(options, i, run.result);
		status = run_one(&run);
	}
	free(run.buffers);
	return status;
}

void report_finish(struct report *report)
{
	free(report->results);
	report->results = NULL;
}
