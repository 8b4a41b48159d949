/* SPDX-License-Identifier: MIT */
/* The events of one recorded call, let happen on a machine whose state is that before the call. */
#include "events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define ZONE_BITS (IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_HIGHMEM)

void run_start(struct run *run, struct world *world, struct record *call)
{
	*run = (struct run){ .world = world, .call = call };

	run->attempts = rows_of(call, call->json, "attempts", "--s-");
	run->others = rows_of(&run->names, call->json, "other_allocs", "----s");
	run->frees = rows_of(call, call->json, "frees", "-s");
	run->order = rows_of(call, call->json, "sequence", "--");
	run->has_sequence = length_of(run->order.list) != 0;
}

static void miss(struct run *run, const char *what, uint64_t index, iommusim_pfn got,
                 iommusim_pfn want)
{
	differ(run->call, "%s %" PRIu64 " got pfn 0x%" PRIx64 ", not 0x%" PRIx64, what, index, got,
	       want);
}

static iommusim_pfn take(struct run *run, unsigned order, uint32_t gfp)
{
	struct iommusim_page_request req = {
		.order = order, .gfp = gfp, .node = -1, .kind = IOMMUSIM_PAGE_KERNEL
	};
	struct iommusim_page_block block;

	return iommusim_phys_alloc(run->world->phys, &req, &block) ? IOMMUSIM_NO_PFN : block.pfn;
}

static int read_other(struct run *run)
{
	if (!run->other_waits)
		run->other_waits = rows_next(&run->others);
	return run->other_waits;
}

static const char *other_caller(const struct run *run)
{
	return json_object_get_string(item(item(run->others.list, run->others.run - 1), 0));
}

/* One request for many pages: its rows follow each other. @asked: what it asked for. */
static unsigned take_bulk(struct run *run, unsigned asked)
{
	struct iommusim_page_request req = { .gfp = (uint32_t)run->others.row[2],
		                             .node = -1,
		                             .kind = IOMMUSIM_PAGE_KERNEL };
	unsigned most = 1u << 20; /* more than any recorded machine gave at once */
	iommusim_pfn *pfns = must(calloc((asked < most ? asked : most) + 1, sizeof(*pfns)));
	int got = asked > most ? 0 : iommusim_phys_alloc_bulk(run->world->phys, &req, pfns, asked);
	unsigned seen = 0;

	while (seen < asked && read_other(run) && !strncmp(other_caller(run), "bulk:", 5)) {
		iommusim_pfn pfn = (int)seen < got ? pfns[seen] : IOMMUSIM_NO_PFN;

		run->nr_others_ok += pfn == run->others.row[4];
		if (pfn != run->others.row[4])
			miss(run, "bulk page", run->nr_others, pfn, run->others.row[4]);
		run->nr_others++;
		run->other_waits = 0;
		seen++;
	}
	if ((int)seen < got)
		differ(run->call, "a bulk request got %d pages, not %u", got, seen);
	free(pfns);
	return seen;
}

/* The next of the pages for something else: 1 or, of a bulk request, more. */
static unsigned other_event(struct run *run)
{
	const char *caller;
	iommusim_pfn pfn;

	if (!read_other(run))
		return 0;
	caller = other_caller(run);
	if (caller && !strncmp(caller, "bulk:", 5)) {
		unsigned asked = (unsigned)strtoul(caller + 5, NULL, 10);

		return take_bulk(run, asked ? asked : 1);
	}
	pfn = take(run, (unsigned)run->others.row[1], (uint32_t)run->others.row[2]);
	if (pfn != run->others.row[4])
		miss(run, "other allocation", run->nr_others, pfn, run->others.row[4]);
	run->nr_others_ok += pfn == run->others.row[4];
	run->nr_others++;
	run->other_waits = 0;
	return 1;
}

/* Frames that were in use before the lists were written are of no known order: make them a block.
 */
static int free_event(struct run *run)
{
	struct iommusim_phys *phys = run->world->phys;
	iommusim_pfn pfn;
	unsigned order;

	if (!rows_next(&run->frees))
		return 0;
	order = (unsigned)run->frees.row[0];
	pfn = run->frees.row[1];
	if (iommusim_phys_free(phys, pfn, order) &&
	    (iommusim_phys_put_used(phys, pfn, order, IOMMUSIM_PAGE_KERNEL) ||
	     iommusim_phys_free(phys, pfn, order)))
		differ(run->call, "free %lu: %s", (unsigned long)run->frees.nr,
		       iommusim_phys_error(phys));
	return 1;
}

/* Let happen what comes before the next attempt; after the last one, all that is left. */
static void until_attempt(struct run *run, int is_last)
{
	if (!run->has_sequence) {
		while (read_other(run) && (is_last || run->others.row[3] <= run->nr_attempts))
			other_event(run);
		while (is_last && free_event(run))
			;
		return;
	}
	for (;;) {
		const char *kind;

		while (!run->left) {
			struct json_object *row = item(run->order.list, run->order.run);

			if (!row)
				return;
			run->order.run++;
			run->left = item_u64(run->call, row, 1);
		}
		kind = json_object_get_string(item(item(run->order.list, run->order.run - 1), 0));
		if (!kind || *kind == 'a') {
			run->left--;
			if (!is_last)
				return;
		} else if (*kind == 'o') {
			unsigned taken = other_event(run);

			run->left -= taken && taken <= run->left ? taken : run->left;
		} else {
			free_event(run);
			run->left--;
		}
	}
}

/* ---- Attempts ---- */

/* One attempt of the chunk loop. */
static int source_alloc(void *ctx, const struct iommusim_page_request *req,
                        struct iommusim_page_block *block)
{
	struct run *run = ctx;
	const uint64_t *row = run->attempts.row;
	int err;

	until_attempt(run, 0);
	if (!rows_next(&run->attempts)) {
		differ(run->call, "there are more than %" PRIu64 " attempts", run->nr_attempts);
		return -IOMMUSIM_EIO;
	}
	if (row[0] != req->order || row[1] != req->gfp)
		differ(run->call, "attempt %" PRIu64 " is of order %u, gfp 0x%x", run->nr_attempts,
		       req->order, (unsigned)req->gfp);
	err = iommusim_phys_alloc(run->world->phys, req, block);
	if ((err ? IOMMUSIM_NO_PFN : block->pfn) == row[2])
		run->nr_attempts_ok++;
	else
		miss(run, "attempt", run->nr_attempts, err ? IOMMUSIM_NO_PFN : block->pfn, row[2]);
	run->nr_attempts++;
	return err;
}

/* What is given back is in the recording's own list. */
static int source_nothing(void *ctx, iommusim_pfn pfn, unsigned order)
{
	return 0;
}

static void run_chunk_loop(struct run *run, const struct record *request)
{
	struct world *world = run->world;
	struct record req = *request;
	int is_coherent = field_is(&req, "api", "dma_alloc_attrs");
	struct iommusim_page_source source = { .size = sizeof(source),
		                               .ctx = run,
		                               .alloc_pages = source_alloc,
		                               .free_pages = source_nothing,
		                               .split_page = source_nothing };
	struct iommusim_chunk_job job = {
		.policy = iommusim_policy_of_kernel(world->kernel),
		.req = { .size = field_u64(&req, "size"),
		         .pgsizes = field_u64(&world->environment, "pgsize_bitmap"),
		         .page_shift = world->page_shift,
		         .max_order = world->nr_orders - 1,
		         .gfp = (uint32_t)field_u64(&req, "gfp"),
		         .attrs = (uint32_t)field_u64(&req, "attrs"),
		         .node = -1 },
		.source = &source,
	};
	struct iommusim_chunks chunks;

	if (is_coherent)
		job.req.gfp = (job.req.gfp & ~(uint32_t)ZONE_BITS) | IOMMUSIM_GFP_BIT_ZERO;
	job.req.gfp &= ~IOMMUSIM_GFP_BIT_COMP;
	iommusim_chunk_alloc(&job, &chunks);
	iommusim_chunks_finish(&chunks);
}

/* Attempts of other callers: order and gfp are the recording's. */
static void run_attempts(struct run *run)
{
	for (;;) {
		const uint64_t *row = run->attempts.row;
		iommusim_pfn pfn;

		until_attempt(run, 0);
		if (!rows_next(&run->attempts))
			break;
		pfn = take(run, (unsigned)row[0], (uint32_t)row[1]);
		if (pfn == row[2])
			run->nr_attempts_ok++;
		else
			miss(run, "attempt", run->nr_attempts, pfn, row[2]);
		run->nr_attempts++;
	}
}

void run_events(struct run *run)
{
	struct record request = { .json = member(run->call->json, "request") };
	const char *caller = json_object_get_string(member(run->call->json, "caller"));

	if (caller && !strncmp(caller, "__iommu_dma_alloc_noncontiguous", 31))
		run_chunk_loop(run, &request);
	else if (length_of(run->attempts.list))
		run_attempts(run);
	rows_end(&run->attempts);
	until_attempt(run, 1);
}
