/* SPDX-License-Identifier: MIT */
/*
 * Recordings, replayed with nothing taken from their outcomes: the state is rebuilt from the lists
 * that were written before a call, and followed from call to call; the frame of every allocation is
 * predicted, and the state after the call compared. Calls in which other tasks took part, or in
 * which pages that are not recorded were moved, are not judged; the state is lost with them.
 */
#include "pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"
#include "state.h"

#define MAX_FOLDERS 64
#define ZONE_BITS   (IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_HIGHMEM)

/* Why a call is not judged. */
enum reason {
	REASON_NONE,
	REASON_NOISE,
	REASON_SLOW,
	REASON_SKIPPED,
	REASON_NO_STATE,
	REASON_NO_LISTS,
	NR_REASONS
};

static const char *const reasons[NR_REASONS] = {
	[REASON_NOISE] = "other tasks took part", [REASON_SLOW] = "reclaim or compaction",
	[REASON_SKIPPED] = "not recorded",        [REASON_NO_STATE] = "the state was lost",
	[REASON_NO_LISTS] = "no lists yet",
};

/* Results of all recordings in one folder. */
struct folder {
	char name[64];
	unsigned long nr_calls, nr_good;           /* quiet allocation calls; all predicted */
	unsigned long nr_attempts, nr_attempts_ok; /* in them */
	unsigned long nr_others, nr_others_ok;     /* quiet calls of other kinds with events */
	unsigned long nr_states, nr_states_ok;     /* states after a call */
	unsigned long nr_lists, nr_lists_ok;       /* whole lists */
	unsigned long nr_noisy, nr_noisy_ok;       /* attempts in noisy calls with lists */
	unsigned long nr_skipped[NR_REASONS];
};

static struct folder folders[MAX_FOLDERS];
static unsigned nr_folders;

static struct folder *folder_of(const char *path)
{
	const char *end = strrchr(path, '/'), *start = end;
	struct folder *folder;
	size_t length;

	while (start && start > path && start[-1] != '/')
		start--;
	length = start ? (size_t)(end - start) : 0;
	for (unsigned i = 0; i < nr_folders; i++)
		if (strlen(folders[i].name) == length && !strncmp(folders[i].name, start, length))
			return &folders[i];
	folder = &folders[nr_folders < MAX_FOLDERS ? nr_folders++ : MAX_FOLDERS - 1];
	snprintf(folder->name, sizeof(folder->name), "%.*s", (int)length, start ? start : "");
	return folder;
}

/* ---- Events of one call ---- */

/* A call on its way: three lists of events, merged. */
struct run {
	struct world *world;
	struct record *call;
	struct rows attempts, others, frees, order; /* order: the sequence, or empty */
	uint64_t left;                              /* events left of the sequence's row */
	int has_sequence;
	int other_waits;     /* others.row is read and not yet taken */
	struct record names; /* of their rows: the first column is no number */
	uint64_t nr_attempts, nr_attempts_ok, nr_others, nr_others_ok;
};

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
	iommusim_pfn *pfns = must(calloc(asked + 1, sizeof(*pfns)));
	int got = iommusim_phys_alloc_bulk(run->world->phys, &req, pfns, asked);
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

static struct json_object *member(struct json_object *json, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(json, key, &value);
	return value;
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
		.policy = world->kernel >= IOMMUSIM_KERNEL(6, 4) ? &iommusim_policy_dma_iommu_6_4
		                                                 : &iommusim_policy_dma_iommu_4_7,
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

static void run_events(struct run *run)
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

/* ---- Calls ---- */

static int is_allocation(const struct record *call)
{
	const char *api = json_object_get_string(member(member(call->json, "request"), "api"));

	return api && !strncmp(api, "dma_alloc", 9);
}

static int is_mapping(const char *api)
{
	return api && !strncmp(api, "dma_map", 7);
}

static enum reason why_not(const struct record *call)
{
	struct json_object *noise = member(call->json, "noise");

	if (has_field(call, "skipped"))
		return REASON_SKIPPED;
	if (noise && json_object_object_length(noise))
		return REASON_NOISE;
	return has_field(call, "slow_path") ? REASON_SLOW : REASON_NONE;
}

/*
 * Do the counts before the call agree with the state? If not, a worker of Linux may have run since
 * the call before, and given back what was too much.
 */
static int is_followed(struct world *world, const struct record *call)
{
	if (state_is_where(world, call))
		return 1;
	iommusim_phys_decay(world->phys, 0);
	return state_is_where(world, call);
}

static uint64_t number_of(const struct record *call)
{
	struct record record = { .json = call->json };

	return field_u64(&record, "index");
}

/* Bring the state to where the call starts. */
static enum reason prepare(struct world *world, struct record *call, struct folder *folder,
                           int *was_lost)
{
	struct record probe = { .json = call->json };

	if (has_field(call, "lists_before")) {
		if (world->phys && is_followed(world, call)) {
			state_compare_lists(world, &probe);
			folder->nr_lists++;
			folder->nr_lists_ok += !probe.difference[0];
			if (probe.difference[0])
				printf("%s, call %lu, lists before it: %s\n", folder->name,
				       (unsigned long)number_of(call), probe.difference);
		}
		state_load_lists(world, call);
		*was_lost = 0;
	} else if (world->phys && !is_followed(world, call)) {
		world_lose(world);
	}
	if (!world->phys)
		return *was_lost ? REASON_NO_STATE : REASON_NO_LISTS;
	state_load_numbers(world, call);
	return REASON_NONE;
}

static void start(struct run *run, struct world *world, struct record *call)
{
	*run = (struct run){ .world = world, .call = call };

	run->attempts = rows_of(call, call->json, "attempts", "--s-");
	run->others = rows_of(&run->names, call->json, "other_allocs", "----s");
	run->frees = rows_of(call, call->json, "frees", "-s");
	run->order = rows_of(call, call->json, "sequence", "--");
	run->has_sequence = length_of(run->order.list) != 0;
}

/* A quiet call: every page, then the state after it. */
static void judge(struct world *world, struct record *call, struct json_object *after,
                  struct folder *folder)
{
	struct run run;
	struct record state = { .json = call->json };

	start(&run, world, call);
	run_events(&run);
	if (is_allocation(call)) {
		folder->nr_calls++;
		folder->nr_good += !call->difference[0];
		folder->nr_attempts += run.nr_attempts;
		folder->nr_attempts_ok += run.nr_attempts_ok;
	} else {
		folder->nr_others++;
		folder->nr_others_ok += !call->difference[0];
	}
	if (!after)
		return;
	state_compare(world, &state, after);
	folder->nr_states++;
	folder->nr_states_ok += !state.difference[0];
	if (state.difference[0])
		differ(call, "after it: %s", state.difference);
}

/* A call that others disturbed: how far one gets with the lists before it. */
static void guess(struct world *world, struct record *call, struct folder *folder)
{
	struct run run;

	if (!has_field(call, "lists_before") || !is_allocation(call))
		return;
	start(&run, world, call);
	run_events(&run);
	folder->nr_noisy += run.nr_attempts;
	folder->nr_noisy_ok += run.nr_attempts_ok;
	call->difference[0] = 0;
}

static void run_call(struct world *world, struct record *call, struct json_object *after,
                     struct folder *folder, int *was_lost)
{
	const char *api = json_object_get_string(member(member(call->json, "request"), "api"));
	enum reason reason;

	if (is_mapping(api) && !has_field(call, "lists_before"))
		world_lose(world);
	reason = prepare(world, call, folder, was_lost);
	if (reason == REASON_NONE) {
		reason = why_not(call);
		if (reason == REASON_NONE)
			judge(world, call, after, folder);
		else
			guess(world, call, folder);
	}
	if (reason != REASON_NONE) {
		if (is_allocation(call))
			folder->nr_skipped[reason]++;
		*was_lost |= world->phys != NULL;
		world_lose(world);
	}
}

/* The mapping that the call releases was of pages which the recorder frees now. */
static int releases_mapping(const struct record *call, const unsigned char *mapped)
{
	struct record request = { .json = member(call->json, "request") };

	return field_is(&request, "api", "release") && mapped[(field_u64(&request, "id")) & 0xffff];
}

void pages_replay(struct json_object *json, const char *path)
{
	struct json_object *calls = member(json, "calls");
	struct world *world = must(calloc(1, sizeof(*world)));
	unsigned char *mapped = must(calloc(0x10000, 1));
	struct folder *folder = folder_of(path);
	int was_lost = 0;

	world_open(world, json, calls);
	for (size_t i = 0; !world->environment.difference[0] && i < length_of(calls); i++) {
		struct record call = { .json = item(calls, i), .kernel = world->kernel };
		struct record request = { .json = member(call.json, "request") };
		struct json_object *after = member(call.json, "buddy_after");

		if (!after && i + 1 < length_of(calls))
			after = member(item(calls, i + 1), "buddy_before");
		if (is_mapping(field_text(&request, "api")))
			mapped[field_u64(&request, "id") & 0xffff] = 1;
		run_call(world, &call, after, folder, &was_lost);
		if (call.difference[0])
			printf("%s, call %lu, pages: %s\n", path, (unsigned long)i,
			       call.difference);
		if (releases_mapping(&call, mapped)) {
			was_lost |= world->phys != NULL;
			world_lose(world);
		}
	}
	if (world->environment.difference[0])
		printf("%s, pages: %s\n", path, world->environment.difference);
	world_close(world);
	free(world);
	free(mapped);
}

static void report(const struct folder *f)
{
	printf("pages of %s: quiet calls %lu of %lu, attempts %lu of %lu, other calls %lu of %lu, "
	       "states %lu of %lu, lists %lu of %lu",
	       f->name, f->nr_good, f->nr_calls, f->nr_attempts_ok, f->nr_attempts, f->nr_others_ok,
	       f->nr_others, f->nr_states_ok, f->nr_states, f->nr_lists_ok, f->nr_lists);
	if (f->nr_noisy)
		printf("; in calls not judged: attempts %lu of %lu", f->nr_noisy_ok, f->nr_noisy);
	for (unsigned i = 1; i < NR_REASONS; i++)
		if (f->nr_skipped[i])
			printf("; skipped %lu: %s", f->nr_skipped[i], reasons[i]);
	printf("\n");
}

unsigned long pages_report(void)
{
	unsigned long nr_wrong = 0;

	for (unsigned i = 0; i < nr_folders; i++) {
		report(&folders[i]);
		nr_wrong += folders[i].nr_calls - folders[i].nr_good + folders[i].nr_others -
		            folders[i].nr_others_ok + folders[i].nr_lists - folders[i].nr_lists_ok +
		            folders[i].nr_states - folders[i].nr_states_ok;
	}
	return nr_wrong;
}
