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

#include "events.h"
#include "replay.h"

#define MAX_FOLDERS 64

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
	unsigned long nr_calls, nr_good;       /* quiet allocation calls; all predicted */
	uint64_t nr_attempts, nr_attempts_ok;  /* in them */
	unsigned long nr_others, nr_others_ok; /* quiet calls of other kinds with events */
	unsigned long nr_states, nr_states_ok; /* states after a call */
	unsigned long nr_lists, nr_lists_ok;   /* whole lists */
	uint64_t nr_noisy, nr_noisy_ok;        /* attempts in noisy calls with lists */
	unsigned long nr_broken; /* calls, or recordings, for which there is no machine */
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

/* A quiet call: every page, then the state after it. */
static void judge(struct world *world, struct record *call, struct json_object *after,
                  struct folder *folder)
{
	struct run run;
	struct record state = { .json = call->json };

	run_start(&run, world, call);
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
	run_start(&run, world, call);
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
		folder->nr_broken += call.difference[0] && !world->phys;
		if (releases_mapping(&call, mapped)) {
			was_lost |= world->phys != NULL;
			world_lose(world);
		}
	}
	if (world->environment.difference[0]) {
		printf("%s, pages: %s\n", path, world->environment.difference);
		folder->nr_broken++;
	}
	world_close(world);
	free(world);
	free(mapped);
}

static void report(const struct folder *f)
{
	printf("pages of %s: quiet calls %lu of %lu, attempts %" PRIu64 " of %" PRIu64
	       ", other calls %lu of %lu, states %lu of %lu, lists %lu of %lu",
	       f->name, f->nr_good, f->nr_calls, f->nr_attempts_ok, f->nr_attempts, f->nr_others_ok,
	       f->nr_others, f->nr_states_ok, f->nr_states, f->nr_lists_ok, f->nr_lists);
	if (f->nr_noisy)
		printf("; in calls not judged: attempts %" PRIu64 " of %" PRIu64, f->nr_noisy_ok,
		       f->nr_noisy);
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
		            folders[i].nr_states - folders[i].nr_states_ok + folders[i].nr_broken;
	}
	return nr_wrong;
}
