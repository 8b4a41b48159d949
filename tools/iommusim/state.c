/* SPDX-License-Identifier: MIT */
/*
 * The machine's memory that every run starts from: made up from a size and a rule, or rebuilt from
 * the counts of /proc/buddyinfo.
 */
#include "state.h"

#include <inttypes.h>
#include <string.h>
#include "file.h"
#include "text.h"
#include "units.h"

#define PROC_BUDDYINFO    "/proc/buddyinfo"
#define PROC_PAGETYPEINFO "/proc/pagetypeinfo"

#define ZONE_START      (UINT64_C(1) << 32) /* bytes */
#define MAX_ZONE_FRAMES ((UINT64_C(1) << 32) - (UINT64_C(1) << 14))
#define MAX_CUT_FRAMES  (UINT64_C(1) << 27) /* 6 bytes of metadata each, and again for a run */

static const char *wording(const struct state *state)
{
	return state->said.line[0] ? state->said.line : "the host has no memory for it";
}

static struct iommusim_phys_config config_of(const struct options *options,
                                             const struct state *state)
{
	return (struct iommusim_phys_config){
		.size = sizeof(struct iommusim_phys_config),
		.kernel = options->kernel,
		.page_shift = options->page_shift,
		.host = &state->host,
	};
}

static uint64_t zone_start(const struct options *options)
{
	return options->memory_start ? options->memory_start : ZONE_START;
}

static int create_zone(const struct options *options, struct state *state)
{
	struct iommusim_zone_config zone = {
		.zone = IOMMUSIM_ZONE_NORMAL,
		.start_pfn = zone_start(options) >> options->page_shift,
		.nr_frames = options->memory >> options->page_shift,
	};
	struct iommusim_phys_config config = config_of(options, state);

	config.zones = &zone;
	config.nr_zones = 1;
	config.nothing_free = options->state != STATE_FRESH;
	if (zone_start(options) & ((UINT64_C(1) << options->page_shift) - 1))
		return say("--memory-start: '%s' is not a multiple of the CPU page",
		           size_exact(zone_start(options)).s);
	if (options->memory & ((UINT64_C(1) << options->page_shift) - 1))
		return say("--memory: '%s' is not a multiple of the CPU page, %s",
		           size_exact(options->memory).s,
		           size_exact(UINT64_C(1) << options->page_shift).s);
	if (options->state != STATE_FRESH && zone.nr_frames > MAX_CUT_FRAMES)
		return say("--memory: '%s' is above 2^27 pages, too much to cut into pieces",
		           size_exact(options->memory).s);
	if (zone.nr_frames > MAX_ZONE_FRAMES)
		return say("--memory: '%s' is above 2^32 - 2^14 pages",
		           size_exact(options->memory).s);
	if (iommusim_phys_create(&config, &state->phys))
		return say("--memory: %s", wording(state));
	return 0;
}

static int build_made_up(const struct options *options, struct state *state)
{
	int err = 0, status = create_zone(options, state);

	if (status)
		return status;
	if (options->state == STATE_PIN)
		err = iommusim_phys_pin(state->phys, (unsigned)options->pin_order,
		                        options->pin_stride);
	if (options->state == STATE_RANDOM)
		err = iommusim_phys_randomize(state->phys, &options->random);
	return err ? say("--state: '%s': %s", options->state_text, wording(state)) : 0;
}

/* The texts that a snapshot is read from; @types may be empty. */
struct sources {
	struct iommusim_text buddies, types;
};

static int build_snapshot(const struct options *options, struct state *state,
                          const struct sources *sources)
{
	struct iommusim_phys_config config = config_of(options, state);
	struct iommusim_snapshot *snapshot;
	int err;

	state->buddyinfo = sources->buddies.name;
	state->pagetypeinfo = sources->types.text ? sources->types.name : NULL;
	if (iommusim_snapshot_parse(&state->host, &sources->buddies,
	                            sources->types.text ? &sources->types : NULL, &snapshot))
		return say("%s", wording(state));
	err = iommusim_phys_create_snapshot(&config, snapshot, &state->notes, &state->phys);
	iommusim_snapshot_destroy(snapshot);
	return err ? say("%s: %s", state->buddyinfo, wording(state)) : 0;
}

static int build_builtin(const struct options *options, struct state *state)
{
	struct sources sources = {
		.buddies = { "built-in buddyinfo", snapshot_buddyinfo, strlen(snapshot_buddyinfo) },
		.types = { "built-in pagetypeinfo", snapshot_pagetypeinfo,
		           strlen(snapshot_pagetypeinfo) },
	};

	state->is_builtin = 1;
	return build_snapshot(options, state, &sources);
}

/* Files whose texts are @sources. Freed by the caller. */
struct pair {
	struct file buddies, types;
};

static int build_pair(const struct options *options, struct state *state, const char *const *names,
                      const struct pair *pair)
{
	struct sources sources = {
		.buddies = { names[0], pair->buddies.text, pair->buddies.bytes },
		.types = { names[1], pair->types.text, pair->types.bytes },
	};

	return build_snapshot(options, state, &sources);
}

/* Whether both texts can be used together: if not, what was logged is forgotten. */
static int go_together(struct state *state, const char *const *names, const struct pair *pair)
{
	struct iommusim_text buddies = { names[0], pair->buddies.text, pair->buddies.bytes };
	struct iommusim_text types = { names[1], pair->types.text, pair->types.bytes };
	struct iommusim_snapshot *snapshot = NULL;
	int err = iommusim_snapshot_parse(&state->host, &buddies, &types, &snapshot);

	iommusim_snapshot_destroy(snapshot);
	state->said.line[0] = 0;
	return !err;
}

/* /proc of this host, as much of it as can be read. */
static int build_host(const struct options *options, struct state *state)
{
	static const char *const names[] = { PROC_BUDDYINFO, PROC_PAGETYPEINFO };
	struct pair pair;
	int status;

	if (file_read(PROC_BUDDYINFO, &pair.buddies))
		return build_builtin(options, state);
	if (file_read(PROC_PAGETYPEINFO, &pair.types) || !pair.types.bytes ||
	    !go_together(state, names, &pair))
		file_free(&pair.types);
	if (!pair.buddies.bytes)
		status = build_builtin(options, state);
	else
		status = build_pair(options, state, names, &pair);
	state->is_host = !state->is_builtin;
	file_free(&pair.buddies);
	file_free(&pair.types);
	return status;
}

static int build_files(const struct options *options, struct state *state)
{
	const char *const names[] = { state->names[0].s, state->names[1].s };
	struct pair pair = { { NULL, 0 }, { NULL, 0 } };
	const char *wrong = file_read(options->buddyinfo, &pair.buddies);
	int status;

	state->names[0] = name_text(options->buddyinfo);
	state->names[1] = name_text(options->pagetypeinfo ? options->pagetypeinfo : "");
	if (wrong)
		return say("--buddyinfo: '%s' cannot be read (%s)", names[0], wrong);
	wrong = options->pagetypeinfo ? file_read(options->pagetypeinfo, &pair.types) : NULL;
	if (wrong)
		status = say("--pagetypeinfo: '%s' cannot be read (%s)", names[1], wrong);
	else
		status = build_pair(options, state, names, &pair);
	file_free(&pair.buddies);
	file_free(&pair.types);
	return status;
}

static uint64_t count_frames(const struct iommusim_phys *phys)
{
	struct iommusim_zone_info info;
	uint64_t nr = 0;

	for (unsigned i = 0; i < iommusim_phys_nr_zones(phys); i++)
		if (!iommusim_phys_zone(phys, i, &info))
			nr += info.nr_frames;
	return nr;
}

int state_build(const struct options *options, struct state *state)
{
	int status;

	memset(state, 0, sizeof(*state));
	state->host.size = sizeof(state->host);
	state->host.log = said_log;
	state->host.log_ctx = &state->said;
	if (options->state == STATE_HOST)
		status = build_host(options, state);
	else if (options->state == STATE_FILE)
		status = build_files(options, state);
	else
		status = build_made_up(options, state);
	if (status)
		return status;
	state->nr_frames = count_frames(state->phys);
	state->has_span = !state->buddyinfo || state->notes.has_types;
	return status;
}

void state_finish(struct state *state)
{
	iommusim_phys_destroy(state->phys);
	state->phys = NULL;
}

static void describe_made_up(const struct options *options, struct line *line)
{
	line_add(line, "made up: one zone Normal of %s at ", size_exact(options->memory).s);
	if (options->memory_start)
		line_add(line, "%s", size_exact(options->memory_start).s);
	else
		line_add(line, "4 GiB");
	line_add(line, ", state %s", options->state_text ? options->state_text : "fresh");
	if (options->state == STATE_RANDOM)
		line_add(line, ", seed %" PRIu64, options->seed);
}

void state_describe(const struct options *options, const struct state *state, struct line *line)
{
	if (!state->buddyinfo)
		describe_made_up(options, line);
	else if (state->is_builtin)
		line_add(line, "a built-in example, since " PROC_BUDDYINFO " cannot be read here");
	else
		line_add(line, "rebuilt from %s%s%s%s", state->buddyinfo,
		         state->pagetypeinfo ? " and " : "",
		         state->pagetypeinfo ? state->pagetypeinfo : "",
		         state->is_host ? " of this host, read just now" : "");
}

/* Orders go with the page: 11 with 4K, 12 with 16K, 14 with 64K. */
static void describe_page(const struct state *state, struct line *line)
{
	unsigned shift = iommusim_phys_page_shift(state->phys);
	unsigned orders = iommusim_phys_nr_orders(state->phys);

	if (orders != (shift == 16 ? 14u : shift == 14 ? 12u : 11u))
		line_add(
			line,
			"; CPU pages of %s, though %u orders are not usual with them (--page-size)",
			size_exact(UINT64_C(1) << shift).s, orders);
}

static void describe_notes(const struct iommusim_snapshot_notes *notes, struct line *line)
{
	line_add(line, "; which frames are free, since only their counts are known; %s",
	         notes->has_types
	                 ? "pageblock types as counted"
	                 : "all free blocks are Movable (no pagetypeinfo), so the first single "
	                   "page splits the largest block and the next ones adjoin it");
	if (notes->nr_adjusted)
		line_add(line, "; %u counts of pagetypeinfo were changed to agree with buddyinfo",
		         notes->nr_adjusted);
	if (notes->nr_added)
		line_add(line, "; %" PRIu64 " pageblocks beyond those that pagetypeinfo counts",
		         notes->nr_added);
}

void state_assumptions(const struct state *state, struct line *line)
{
	line_add(line, "no watermarks, no reclaim, no compaction: what is not free now fails");
	if (!state->buddyinfo)
		return;
	describe_notes(&state->notes, line);
	describe_page(state, line);
}

static uint64_t bytes_of(const struct state *state, uint64_t nr_frames)
{
	return nr_frames << iommusim_phys_page_shift(state->phys);
}

/* The free memory, and the blocks of all zones by order. */
static void describe_free(const struct state *state, struct line *line)
{
	line_add(line, "%s", size_about(bytes_of(state, iommusim_phys_nr_free(state->phys))).s);
	if (state->has_span)
		line_add(line, " of %s", size_about(bytes_of(state, state->nr_frames)).s);
	line_add(line, "; blocks as order:count");
	for (unsigned order = 0; order < iommusim_phys_nr_orders(state->phys); order++)
		line_add(line, " %u:%" PRIu64, order,
		         iommusim_phys_nr_free_blocks(state->phys, order));
}

void state_print(const struct options *options, const struct state *state)
{
	struct line source = { .len = 0 }, assumed = { .len = 0 }, free = { .len = 0 };

	state_describe(options, state, &source);
	state_assumptions(state, &assumed);
	describe_free(state, &free);
	print_wrapped("memory", LABEL_WIDTH, source.s);
	print_wrapped("free", LABEL_WIDTH, free.s);
	print_wrapped("assumed", LABEL_WIDTH, assumed.s);
	if (state->is_host)
		print_wrapped(
			"to repeat", LABEL_WIDTH,
			"memory moves on: copy the files first, then give the copies with "
			"--buddyinfo and --pagetypeinfo (--format json prints what was read)");
}
