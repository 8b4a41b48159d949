/* SPDX-License-Identifier: MIT */
/* The machine's memory in words: where it came from, what was assumed, what is free. */
#include "state.h"

#include <inttypes.h>
#include "text.h"
#include "units.h"

static void describe_made_up(const struct options *options, struct line *line)
{
	line_add(line, "made up: one zone Normal of %s at ", size_exact(options->memory).s);
	if (options->memory_start)
		line_add(line, "%s", size_exact(options->memory_start).s);
	else
		line_add(line, "4 GiB");
	if (options->cma)
		line_add(line, ", the last %s a CMA area", size_exact(options->cma).s);
	line_add(line, ", state %s", options->state_text ? options->state_text : "fresh");
	if (options->state == STATE_RANDOM || options->state == STATE_AGE)
		line_add(line, ", seed %" PRIu64, options->seed);
}

/* "A, B and C": what was read. */
static void list_sources(const struct state *state, struct line *line)
{
	unsigned nr = 0, last = 0;

	for (unsigned i = 0; i < NR_SOURCES; i++)
		if (state->read[i])
			last = i;
	for (unsigned i = 0; i < NR_SOURCES; i++)
		if (state->read[i])
			line_add(line, "%s%s",
			         !nr++       ? ""
			         : i == last ? " and "
			                     : ", ",
			         state->read[i]);
}

void state_describe(const struct options *options, const struct state *state, struct line *line)
{
	if (!state->snapshot) {
		describe_made_up(options, line);
		return;
	}
	if (state->is_builtin) {
		line_add(line, "a built-in example, since /proc/buddyinfo cannot be read here");
		return;
	}
	line_add(line, "rebuilt from %s", state->read[SOURCE_SPLAT] ? "the report in " : "");
	list_sources(state, line);
	line_add(line, "%s", state->is_host ? " of this host, read just now" : "");
}

/* Orders go with the page: 11 with 4K, 12 with 16K, 14 with 64K. */
static void describe_page(const struct state *state, struct line *line)
{
	unsigned shift = iommusim_phys_page_shift(state->phys);
	unsigned orders = iommusim_phys_nr_orders(state->phys);

	if (orders != (shift == 16 ? 14u : shift == 14 ? 12u : 11u))
		line_add(line,
		         "CPU pages are taken as %s, but %u orders are those of pages of %s: then "
		         "all "
		         "sizes here are wrong (--page-size %s)",
		         size_exact(UINT64_C(1) << shift).s, orders,
		         orders == 14   ? "64K"
		         : orders == 12 ? "16K"
		                        : "4K",
		         orders == 14   ? "64K"
		         : orders == 12 ? "16K"
		                        : "4K");
}

/* What is assumed of the pageblocks' types. */
static void describe_types(const struct state *state, struct line *line)
{
	if (state->read[SOURCE_SPLAT])
		line_add(line, "; blocks of several types are shared equally, since only their sum "
		               "is printed; pageblocks in use are Movable");
	else if (state->notes.has_types)
		line_add(line, "; pageblock types as counted");
	else
		line_add(line, "; all free blocks are Movable (no pagetypeinfo), so the first "
		               "single page splits the largest block and the next ones adjoin it");
}

static void describe_notes(const struct state *state, struct line *line)
{
	const struct iommusim_snapshot_notes *notes = &state->notes;

	line_add(line, "; which frames are free, since only their counts are known%s",
	         notes->has_span ? ", and where in its zone memory lies, before one hole" : "");
	describe_types(state, line);
	if (notes->nr_adjusted)
		line_add(line, "; %u counts of pagetypeinfo were changed to agree with buddyinfo",
		         notes->nr_adjusted);
	if (notes->nr_added)
		line_add(line, "; %" PRIu64 " pageblocks beyond those that pagetypeinfo counts",
		         notes->nr_added);
}

void state_assumptions(const struct state *state, struct line *line)
{
	line_add(line, state->has_marks
	                       ? "watermarks as above, "
	                         "no per-CPU lists, no reclaim, no compaction: what is not free "
	                         "now, or kept by a watermark, fails"
	                       : "no watermarks, no reclaim, no compaction: what is not free "
	                         "now fails");
	if (!state->snapshot)
		return;
	describe_notes(state, line);
}

/* ---- The request that failed ---- */

static const struct iommusim_splat *splat_of(const struct state *state)
{
	return state->snapshot ? iommusim_snapshot_splat(state->snapshot) : NULL;
}

void state_describe_splat(const struct state *state, struct line *line)
{
	const struct iommusim_splat *splat = splat_of(state);
	char gfp[256];

	if (!splat)
		return;
	iommusim_gfp_format(splat->gfp, splat->kernel, gfp, sizeof(gfp));
	line_add(line, "%s failed to get order %u, %s, with %s, printed as %s; %s%s",
	         splat->task[0] ? splat->task : "a task", splat->order,
	         size_exact(UINT64_C(1) << (splat->page_shift + splat->order)).s, gfp, splat->mode,
	         splat->release[0] ? "Linux " : "the kernel is not told", splat->release);
}

/* Zones whose free blocks include one of @order or more. */
static void list_zones_with(const struct iommusim_phys *phys, unsigned order, struct line *line)
{
	struct iommusim_zone_info info;
	unsigned nr = 0;

	for (unsigned i = 0; i < iommusim_phys_nr_zones(phys); i++)
		if (!iommusim_phys_zone(phys, i, &info) &&
		    iommusim_zone_unusable(&info, order) < 1000)
			line_add(line, "%snode %u %s", nr++ ? ", " : "", info.node,
			         iommusim_zone_name(info.zone));
	if (!nr)
		line_add(line, "no zone");
}

void state_describe_retry(const struct state *state, struct line *line)
{
	const struct iommusim_splat *splat = splat_of(state);
	struct iommusim_page_request req = { .node = -1 };
	struct iommusim_page_block block;
	struct iommusim_phys *copy;
	int err;

	if (!splat || iommusim_phys_fork(state->phys, &copy))
		return;
	req.order = splat->order;
	req.gfp = splat->gfp;
	err = iommusim_phys_alloc(copy, &req, &block);
	line_add(line, "as one block of order %u it ", splat->order);
	if (!err)
		line_add(line,
		         "is granted here, in zone %s: the kernel kept it for others or was "
		         "changing just then",
		         iommusim_zone_name(block.zone));
	else
		line_add(line, "fails here too (%s)", iommusim_errname(err));
	line_add(line, "; free blocks of its order or more: ");
	list_zones_with(copy, splat->order, line);
	iommusim_phys_destroy(copy);
}

/* ---- All together ---- */

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

const char *state_level(uint64_t free, const struct iommusim_zone_numbers *numbers)
{
	if (free <= numbers->min + numbers->boost)
		return "at or below min";
	if (free <= numbers->low + numbers->boost)
		return "at or below low";
	return free <= numbers->high + numbers->boost ? "at or below high" : "above high";
}

/* Where the zones are between the kernel's own marks. */
static void describe_marks(const struct state *state, struct line *line)
{
	struct iommusim_zone_numbers numbers;
	struct iommusim_zone_info info;

	if (!state->has_marks)
		return;
	line_add(line, "free pages are");
	for (unsigned i = 0; i < iommusim_phys_nr_zones(state->phys); i++) {
		if (iommusim_phys_zone(state->phys, i, &info) ||
		    iommusim_phys_numbers(state->phys, i, &numbers))
			continue;
		line_add(line, "%s in node %u %s %s", i ? "," : "", info.node,
		         iommusim_zone_name(info.zone), state_level(info.nr_free, &numbers));
	}
}

/* The line behind its label, unless it is empty; it is emptied. */
static void print_line(const char *label, struct line *line)
{
	if (line->len)
		print_wrapped(label, LABEL_WIDTH, line->s);
	line->len = 0;
}

void state_print(const struct options *options, const struct state *state)
{
	struct line line = { .len = 0 };

	state_describe(options, state, &line);
	print_line("memory", &line);
	state_describe_splat(state, &line);
	print_line("report", &line);
	state_describe_retry(state, &line);
	print_line("again", &line);
	describe_free(state, &line);
	print_line("free", &line);
	if (state->snapshot)
		describe_page(state, &line);
	print_line("beware", &line);
	describe_marks(state, &line);
	print_line("marks", &line);
	state_assumptions(state, &line);
	print_line("assumed", &line);
	if (state->is_host)
		print_wrapped(
			"to repeat", LABEL_WIDTH,
			"memory moves on: copy the files first, then give the copies with "
			"--buddyinfo, --pagetypeinfo and --zoneinfo (--format json prints what "
			"was read)");
}
