/* SPDX-License-Identifier: MIT */
/* One buffer, by one policy, on a copy of one state: what came out, as numbers. */
#include <stdlib.h>
#include <string.h>

#include "matrix.h"
#include "units.h"
#include "vain.h"

static void keep_misfit(const struct iommusim_chunks *chunks, const struct iommusim_misfit *misfit,
                        struct outcome *outcome)
{
	outcome->chunk = (uint32_t)misfit->chunk;
	outcome->order = chunks->chunk[misfit->chunk].order;
	outcome->pa = misfit->pa;
	outcome->size = misfit->size;
}

/* Chunks and domain must agree. */
static int judge(const struct matrix_run *run, const struct iommusim_dma_buffer *buffer,
                 struct outcome *outcome)
{
	static const enum verdict by_fit[] = { [IOMMUSIM_FIT_ALWAYS] = VERDICT_MAPPABLE,
		                               [IOMMUSIM_FIT_BY_LUCK] = VERDICT_BY_LUCK,
		                               [IOMMUSIM_FIT_NOT] = VERDICT_BROKEN };
	struct iommusim_misfit misfit;
	enum iommusim_fit fit;

	outcome->verdict = VERDICT_OUT_OF_MEMORY;
	if (buffer->chunks.nr_attempts)
		outcome->order = buffer->chunks.attempt[buffer->chunks.nr_attempts - 1].order;
	if (outcome->err == -IOMMUSIM_ENOMEM && outcome->step != IOMMUSIM_DMA_MAP)
		return 0;
	if (outcome->err && outcome->step != IOMMUSIM_DMA_MAP)
		return say("internal error: policy %s failed for no known reason (%s)",
		           run->policy->name, iommusim_errname(outcome->err));
	fit = iommusim_chunks_fit(&buffer->chunks, run->machine->page_shift,
	                          granule_of(run->machine->config.pgsizes), &misfit);
	outcome->verdict = by_fit[fit];
	if (fit != IOMMUSIM_FIT_ALWAYS)
		keep_misfit(&buffer->chunks, &misfit, outcome);
	if (!outcome->err != (fit != IOMMUSIM_FIT_NOT))
		return say("internal error: policy %s, page sizes %s: the domain and the chunks "
		           "disagree (%s)",
		           run->policy->name, pgsizes_text(run->machine->config.pgsizes, ',').s,
		           iommusim_errname(outcome->err));
	return 0;
}

/* Leaves in the tables, of the buffer alone: some tables are large, and empty but for it. */
static uint64_t count_leaves(const struct iommusim_pgtable *pgtable,
                             const struct iommusim_dma_buffer *buffer)
{
	struct iommusim_mapped_range range;
	uint64_t nr = 0;

	for (uint64_t done = 0; done < buffer->size; done += range.size) {
		iommusim_pgtable_next(pgtable, buffer->dma_addr + done, &range);
		nr += range.size / range.pgsize;
	}
	return nr;
}

static void count(struct iommusim_machine *machine, const struct iommusim_dma_buffer *buffer,
                  struct outcome *outcome)
{
	struct iommusim_domain_stats stats =
		iommusim_domain_stats(iommusim_machine_domain(machine));
	const struct iommusim_pgtable *pgtable = iommusim_machine_pgtable(machine);

	outcome->tried = buffer->chunks.nr_attempts;
	outcome->vain = count_vain(&buffer->chunks);
	if (outcome->err)
		return;
	outcome->pages = buffer->chunks.nr_pages;
	if (pgtable) {
		outcome->leaves = count_leaves(pgtable, buffer);
		outcome->tables = (uint32_t)iommusim_pgtable_info(pgtable).nr_tables;
		return;
	}
	for (unsigned i = 0; i < NR_SIZES; i++)
		outcome->leaves += stats.nr_mapped[i];
}

static int use(const struct matrix_run *run, struct iommusim_machine *machine,
               struct outcome *outcome)
{
	struct iommusim_dma_request req = { run->policy, run->size, IOMMUSIM_GFP_KERNEL,
		                            run->attrs };
	struct iommusim_dma_buffer buffer;
	int status;

	outcome->err = iommusim_dma_alloc_chunks(iommusim_machine_dma(machine), &req, &buffer);
	outcome->step = buffer.failed;
	if (outcome->err == -IOMMUSIM_EHOST)
		status = say("the host has no memory for a run");
	else
		status = judge(run, &buffer, outcome);
	if (!status)
		count(machine, &buffer, outcome);
	iommusim_dma_free(iommusim_machine_dma(machine), &buffer);
	return status;
}

int matrix_run_one(const struct matrix_run *run, struct outcome *outcome)
{
	struct said said = { "" };
	struct iommusim_host host = { .size = sizeof(host), .log = said_log, .log_ctx = &said };
	struct iommusim_machine_config config = run->machine->config;
	struct iommusim_machine *machine;
	int status;

	memset(outcome, 0, sizeof(*outcome));
	if (granule_of(config.pgsizes) > MAX_GRANULE) {
		outcome->verdict = VERDICT_REFUSED;
		return 0;
	}
	config.host = &host;
	if (iommusim_phys_fork(run->phys, &config.phys))
		return say("the host has no memory for a copy of the machine");
	if (iommusim_machine_create(&config, &machine)) {
		iommusim_phys_destroy(config.phys);
		return say("page sizes %s: %s", pgsizes_text(config.pgsizes, ',').s, said.line);
	}
	status = use(run, machine, outcome);
	iommusim_machine_destroy(machine);
	return status;
}
