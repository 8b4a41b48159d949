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

#define PROC "/proc/"

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
	config.nothing_free = options->state == STATE_PIN || options->state == STATE_RANDOM;
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

/* The end of the zone: what lies behind its last pageblock is not of the area. */
static int create_area(const struct options *options, struct state *state)
{
	unsigned shift = options->page_shift + iommusim_phys_pageblock_order(state->phys);
	uint64_t block = UINT64_C(1) << shift, end = zone_start(options) + options->memory;

	if (options->cma & (block - 1))
		return say("--cma: '%s' is not a multiple of the pageblock, %s",
		           size_exact(options->cma).s, size_exact(block).s);
	end &= ~(block - 1);
	if (end < zone_start(options) || options->cma > end - zone_start(options))
		return say("--cma: '%s' is more than the %s of memory hold",
		           size_exact(options->cma).s, size_exact(options->memory).s);
	if (iommusim_phys_cma_create(state->phys, (end - options->cma) >> options->page_shift,
	                             options->cma >> options->page_shift) < 0)
		return say("--cma: %s", wording(state));
	return 0;
}

static int build_made_up(const struct options *options, struct state *state)
{
	int err = 0, status = create_zone(options, state);

	if (!status && options->cma)
		status = create_area(options, state);
	if (status)
		return status;
	if (options->state == STATE_PIN)
		err = iommusim_phys_pin(state->phys, (unsigned)options->pin_order,
		                        options->pin_stride);
	if (options->state == STATE_RANDOM)
		err = iommusim_phys_randomize(state->phys, &options->random);
	if (options->state == STATE_AGE)
		err = iommusim_phys_age(state->phys, &options->age);
	return err ? say("--state: '%s': %s", options->state_text, wording(state)) : 0;
}

/* The texts that a snapshot is read from; those without text are not there. */
struct sources {
	struct iommusim_text text[NR_SOURCES];
};

static const struct iommusim_text *text_of(const struct sources *sources, enum source source)
{
	return sources->text[source].text ? &sources->text[source] : NULL;
}

static int read_snapshot(struct state *state, const struct sources *sources)
{
	struct iommusim_snapshot_texts texts = { .size = sizeof(texts),
		                                 text_of(sources, SOURCE_BUDDYINFO),
		                                 text_of(sources, SOURCE_PAGETYPEINFO),
		                                 text_of(sources, SOURCE_ZONEINFO),
		                                 text_of(sources, SOURCE_SPLAT) };

	for (unsigned i = 0; i < NR_SOURCES; i++)
		state->read[i] = sources->text[i].text ? sources->text[i].name : NULL;
	return iommusim_snapshot_read(&state->host, &texts, &state->snapshot);
}

/* Read and rebuild. 0, or a negative error with its line in @state->said. */
static int try_snapshot(const struct options *options, struct state *state,
                        const struct sources *sources)
{
	struct iommusim_phys_config config = config_of(options, state);
	int err = read_snapshot(state, sources);

	state->has_marks = text_of(sources, SOURCE_ZONEINFO) || text_of(sources, SOURCE_SPLAT);
	config.features = state->has_marks ? IOMMUSIM_PHYS_WATERMARKS : 0;
	if (!err)
		err = iommusim_phys_create_snapshot(&config, state->snapshot, &state->notes,
		                                    &state->phys);
	if (err) {
		iommusim_snapshot_destroy(state->snapshot);
		state->snapshot = NULL;
	}
	return err;
}

static int build_snapshot(const struct options *options, struct state *state,
                          const struct sources *sources)
{
	return try_snapshot(options, state, sources) ? say("%s", wording(state)) : 0;
}

static int build_builtin(const struct options *options, struct state *state)
{
	struct sources sources = {
		.text = { { "built-in buddyinfo", snapshot_buddyinfo, strlen(snapshot_buddyinfo) },
		          { "built-in pagetypeinfo", snapshot_pagetypeinfo,
		            strlen(snapshot_pagetypeinfo) } },
	};

	state->is_builtin = 1;
	return build_snapshot(options, state, &sources);
}

/* Files whose texts are the sources. Freed by the caller. */
struct files {
	struct file file[NR_SOURCES];
};

static void free_files(struct files *files)
{
	for (unsigned i = 0; i < NR_SOURCES; i++)
		file_free(&files->file[i]);
}

static struct iommusim_text text_from(const char *name, const struct file *file)
{
	return (struct iommusim_text){ name, file->text, file->bytes };
}

/* buddyinfo, and of the other two what is readable and can be used together. */
static int build_proc(const struct options *options, struct state *state, const char *const *names,
                      const struct files *files)
{
	struct sources sources = { .text = { { NULL, NULL, 0 } } };
	int err = -IOMMUSIM_EINVAL;

	for (unsigned left_out = 0; err && left_out < 4; left_out++) {
		state->said.line[0] = 0; /* of an attempt with more files */
		for (unsigned i = 0; i < SOURCE_SPLAT; i++)
			sources.text[i] = text_from(names[i], &files->file[i]);
		if (left_out & 1)
			sources.text[SOURCE_ZONEINFO].text = NULL;
		if (left_out & 2)
			sources.text[SOURCE_PAGETYPEINFO].text = NULL;
		err = try_snapshot(options, state, &sources);
	}
	return err ? say("%s", wording(state)) : 0;
}

/* /proc of this host, as much of it as can be read. */
static int build_host(const struct options *options, struct state *state)
{
	static const char *const names[] = { PROC "buddyinfo", PROC "pagetypeinfo",
		                             PROC "zoneinfo" };
	struct files files = { .file = { { NULL, 0 } } };
	int status;

	for (unsigned i = 0; i < SOURCE_SPLAT; i++)
		if (file_read(names[i], &files.file[i]) || !files.file[i].bytes)
			file_free(&files.file[i]);
	if (files.file[SOURCE_BUDDYINFO].text)
		status = build_proc(options, state, names, &files);
	else
		status = build_builtin(options, state);
	state->is_host = !state->is_builtin;
	free_files(&files);
	return status;
}

static int read_files(const struct options *options, struct state *state, struct files *files)
{
	static const char *const labels[] = { "buddyinfo", "pagetypeinfo", "zoneinfo", "splat" };
	const char *const paths[] = { options->buddyinfo, options->pagetypeinfo, options->zoneinfo,
		                      options->splat };

	for (unsigned i = 0; i < NR_SOURCES; i++) {
		const char *wrong = paths[i] ? file_read(paths[i], &files->file[i]) : NULL;

		state->names[i] = name_text(paths[i] ? paths[i] : "");
		if (wrong)
			return say("--%s: '%s' cannot be read (%s)", labels[i], state->names[i].s,
			           wrong);
	}
	return 0;
}

/* What the report decides, before the machine is made from it. */
static int adopt(struct options *options, struct state *state, const struct sources *sources)
{
	int status;

	if (read_snapshot(state, sources))
		return say("%s", wording(state));
	status = options_adopt(options, iommusim_snapshot_splat(state->snapshot));
	iommusim_snapshot_destroy(state->snapshot);
	state->snapshot = NULL;
	return status;
}

static int build_files(struct options *options, struct state *state)
{
	struct files files = { .file = { { NULL, 0 } } };
	struct sources sources;
	int status = read_files(options, state, &files);

	for (unsigned i = 0; i < NR_SOURCES; i++)
		sources.text[i] = text_from(state->names[i].s, &files.file[i]);
	if (!status && options->splat)
		status = adopt(options, state, &sources);
	if (!status)
		status = build_snapshot(options, state, &sources);
	free_files(&files);
	return status;
}

static uint64_t count_frames(const struct iommusim_phys *phys)
{
	struct iommusim_zone_numbers numbers;
	uint64_t nr = 0;

	for (unsigned i = 0; i < iommusim_phys_nr_zones(phys); i++)
		if (!iommusim_phys_numbers(phys, i, &numbers))
			nr += numbers.present;
	return nr;
}

int state_suits(const struct state *state, const struct iommusim_policy *policy)
{
	unsigned order = iommusim_phys_nr_orders(state->phys) - 1;

	if (!policy->only_order || policy->only_order == order)
		return 0;
	return say("policy %s is for machines with a largest order of %u only, not %u",
	           name_text(policy->name).s, policy->only_order, order);
}

int state_build(struct options *options, struct state *state)
{
	int status;

	memset(state, 0, sizeof(*state));
	state->host.size = sizeof(state->host);
	state->host.log = said_log;
	state->host.log_ctx = &state->said;
	if (options->state == STATE_HOST)
		status = build_host(options, state);
	else if (options->state == STATE_FILE || options->state == STATE_SPLAT)
		status = build_files(options, state);
	else
		status = build_made_up(options, state);
	if (status)
		return status;
	state->nr_frames = count_frames(state->phys);
	state->has_span = !state->snapshot || state->notes.has_types || state->notes.has_numbers;
	for (unsigned i = 0; !status && i < options->nr_policies; i++)
		status = state_suits(state, options->policies[i]);
	return status;
}

void state_finish(struct state *state)
{
	iommusim_phys_destroy(state->phys);
	iommusim_snapshot_destroy(state->snapshot);
	state->phys = NULL;
	state->snapshot = NULL;
}
