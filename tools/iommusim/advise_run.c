/* SPDX-License-Identifier: MIT */
/* The buffers of a platform on its machine, in one memory and with one attribute. */
#include <stdlib.h>
#include <string.h>

#include "advise.h"
#include "matrix.h"
#include "units.h"
#include "vain.h"
#include "values.h"

const char *const advise_states[NR_ADVISE_STATES] = { "fresh", "pin:4/1", "pin:8/2" };

/* One zone, fragmented. */
static int build_memory(const struct question *question, const char *text, struct state *state)
{
	uint64_t most = UINT64_C(3) << 30, ram = question->platform->ram_bytes;
	struct options options = { .page_shift = question->platform->page_shift,
		                   .kernel = question->common.kernel,
		                   .memory = ram < most ? ram : most,
		                   .memory_start = MATRIX_START };
	int status = value_state(&options, text);

	return status ? status : state_build(&options, state);
}

/* A machine, and where it and its memory log to. Must not move. */
struct site {
	struct iommusim_machine *machine;
	struct state state;
	struct said said;
	struct iommusim_host host;
};

/* A granule above the CPU page is one that Linux accepts: what it refuses gets no advice. */
static int create_machine(const struct question *question, const char *state, struct site *site)
{
	struct iommusim_platform_config config = { .size = sizeof(config),
		                                   .platform = question->platform,
		                                   .kernel = question->common.kernel,
		                                   .mode = IOMMUSIM_DOMAIN_EXTENDED,
		                                   .host = &site->host };
	int status = strcmp(state, "fresh") != 0 ? build_memory(question, state, &site->state) : 0;

	if (status)
		return status;
	site->host.size = sizeof(site->host);
	site->host.log = said_log;
	site->host.log_ctx = &site->said;
	config.phys = site->state.phys;
	if (iommusim_machine_create_platform(&config, &site->machine))
		return say("%s: %s", question->platform->id, site->said.line);
	site->state.phys = NULL;
	return 0;
}

/* ---- Entries ---- */

/*
 * The leaf of the row's tables for a driver's page of @bytes: some have one word for every smallest
 * page, whatever the driver is asked for. 0: they are not known.
 */
static uint64_t leaf_of(const struct question *question, uint64_t bytes)
{
	struct iommusim_pgtable_config config = {
		.size = sizeof(config),
		.format = iommusim_pgtable_format_find(question->row->page_table_format),
		.kernel = question->common.kernel,
		.page_shift = question->platform->page_shift,
		.pgsizes = question->row->pgsizes,
		.ias = question->row->iova_bits,
		.oas = question->row->pa_bits,
	};
	struct iommusim_map_pages map = { .pa = bytes, .count = 1, .prot = IOMMUSIM_PROT_READ };
	struct iommusim_mapped_range range = { .pgsize = 0 };
	struct iommusim_pgtable_info info;
	struct iommusim_pgtable *pgtable;
	uint64_t mapped;

	if (!config.format || iommusim_pgtable_create(&config, &pgtable))
		return 0;
	info = iommusim_pgtable_info(pgtable);
	map.pgsize = bytes;
	while (map.pgsize && !(info.pgsizes & map.pgsize))
		map.pgsize >>= 1;
	map.iova = (info.window_start + bytes - 1) & ~(bytes - 1);
	if (map.pgsize && !iommusim_pgtable_map(pgtable, &map, &mapped))
		iommusim_pgtable_next(pgtable, 0, &range);
	iommusim_pgtable_destroy(pgtable);
	return range.pgsize;
}

int advise_has_entries(const struct question *question)
{
	return iommusim_catalog_driver_tables(question->row, question->platform->page_shift,
	                                      question->common.kernel, 0)
	               .format ||
	       leaf_of(question, granule_of(question->row->pgsizes));
}

static void add_leaves(struct answer *answer, uint64_t nr, uint64_t bytes)
{
	answer->leaves += nr;
	if (nr && bytes > answer->largest)
		answer->largest = bytes;
}

static void count_leaves(const struct iommusim_pgtable *pgtable, struct answer *answer)
{
	struct iommusim_mapped_range range = { .size = 0 };

	while (iommusim_pgtable_next(pgtable, range.iova + range.size, &range))
		add_leaves(answer, range.size / range.pgsize, range.pgsize);
}

/* By the pages that a recording driver was asked for. */
static void count_recorded(const struct question *question, const uint64_t *nr_mapped,
                           struct answer *answer)
{
	for (unsigned i = 0; i < NR_SIZES; i++) {
		uint64_t bytes = UINT64_C(1) << i;
		uint64_t leaf = nr_mapped[i] ? leaf_of(question, bytes) : 0;

		add_leaves(answer, nr_mapped[i] * (leaf ? bytes / leaf : 1), leaf ? leaf : bytes);
	}
}

/* ---- Buffers ---- */

struct held {
	struct iommusim_dma_buffer *buffers;
	size_t nr;
	struct iommusim_domain_stats stats; /* after the last one */
	uint64_t nr_mapped[NR_SIZES];       /* for those that are to be had */
};

static enum lack lack_of(const struct iommusim_dma_buffer *buffer)
{
	if (buffer->failed == IOMMUSIM_DMA_MAP)
		return LACK_MAPPING;
	return buffer->failed == IOMMUSIM_DMA_IOVA ? LACK_ADDRESSES : LACK_MEMORY;
}

static void add_buffer(struct iommusim_machine *machine, struct held *held, int err,
                       struct answer *answer)
{
	struct iommusim_domain_stats stats =
		iommusim_domain_stats(iommusim_machine_domain(machine));
	struct iommusim_dma_buffer *buffer = &held->buffers[held->nr];

	answer->tried += buffer->chunks.nr_attempts;
	answer->vain += count_vain(&buffer->chunks);
	for (unsigned i = 0; !err && i < NR_SIZES; i++)
		held->nr_mapped[i] += stats.nr_mapped[i] - held->stats.nr_mapped[i];
	held->stats = stats;
	if (err) {
		answer->lost[lack_of(buffer)]++;
		iommusim_dma_free(iommusim_machine_dma(machine), buffer);
		return;
	}
	answer->chunks += buffer->chunks.nr_chunks;
	held->nr++;
}

static int take_buffers(const struct question *question, struct iommusim_machine *machine,
                        uint32_t attrs, struct held *held, struct answer *answer)
{
	const struct options *common = &question->common;

	for (unsigned s = 0; s < common->nr_sizes; s++) {
		struct iommusim_dma_request req = { question->policy, common->sizes[s].bytes,
			                            IOMMUSIM_GFP_KERNEL, attrs };

		for (uint64_t i = 0; i < common->sizes[s].count; i++) {
			int err = iommusim_dma_alloc_chunks(iommusim_machine_dma(machine), &req,
			                                    &held->buffers[held->nr]);

			add_buffer(machine, held, err, answer);
			if (err == -IOMMUSIM_EHOST)
				return say("the host has no memory for the buffers");
		}
	}
	return 0;
}

static int hold_all(const struct question *question, struct iommusim_machine *machine,
                    uint32_t attrs, struct answer *answer)
{
	const struct iommusim_pgtable *pgtable = iommusim_machine_pgtable(machine);
	struct held held = { .nr = 0 };
	int status;

	held.buffers = calloc((size_t)question->common.nr_buffers, sizeof(*held.buffers));
	if (!held.buffers)
		return say("the host has no memory for the buffers");
	status = take_buffers(question, machine, attrs, &held, answer);
	if (pgtable)
		count_leaves(pgtable, answer);
	else
		count_recorded(question, held.nr_mapped, answer);
	while (held.nr)
		iommusim_dma_free(iommusim_machine_dma(machine), &held.buffers[--held.nr]);
	free(held.buffers);
	return status;
}

int advise_answer(const struct question *question, const char *state, uint32_t attrs,
                  struct answer *answer)
{
	struct site site;
	int status;

	memset(&site, 0, sizeof(site));
	memset(answer, 0, sizeof(*answer));
	status = create_machine(question, state, &site);
	if (!status)
		status = hold_all(question, site.machine, attrs, answer);
	iommusim_machine_destroy(site.machine);
	state_finish(&site.state);
	return status;
}
