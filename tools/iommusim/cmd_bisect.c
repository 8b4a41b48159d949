/* SPDX-License-Identifier: MIT */
/* iommusim bisect: since which release a request on a machine comes out as it does. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "compare.h"
#include "object.h"
#include "options.h"
#include "reason.h"
#include "say.h"
#include "state.h"
#include "text.h"
#include "units.h"

#define INDENT 38 /* of what is told of a policy */

/* The policies of the history from @good to @bad, as --policy takes them. */
struct span {
	const char *good, *bad; /* NULL: the first, the last */
	char list[8192];
};

static int help(void)
{
	puts("usage: iommusim bisect [--good POLICY] [--bad POLICY] [OPTION OF compare]...\n");
	print_narrow(
		"", 0,
		"Serve the same request with each release of dma-iommu, in order, and say where "
		"its "
		"outcome changes: the verdict, the attempts or the chunks. With --good or --bad it "
		"is every policy of the history between the two. All other options are those of "
		"compare (iommusim compare --help), but for --policy and --format; one IOMMU and "
		"one set of attributes, {4K,2M,1G} and none where not given.");
	putchar('\n');
	print_narrow("  --good POLICY", 23, "the first one, by name or alias (default: P1)");
	print_narrow("  --bad POLICY", 23,
	             "the last one (default: the newest); a shared object comes after all of "
	             "them");
	print_narrow("  --help", 23, "print this");
	putchar('\n');
	print_narrow("", 0,
	             "Exit status: 0; 1 if --bad is broken and --good is not; 2 for bad usage or "
	             "input.");
	return EXIT_FINE;
}

/* Options of compare that bisect has no use for. */
static int check_others(int argc, char **argv)
{
	static const struct {
		const char *name, *why;
	} others[] = {
		{ "--policy", "bisect takes --good and --bad instead" },
		{ "--format", "bisect prints text only; compare has the figures" },
	};

	for (int i = 1; i < argc; i++)
		for (size_t n = 0; n < ARRAY_LEN(others); n++) {
			size_t length = strlen(others[n].name);

			if (!strncmp(argv[i], others[n].name, length) &&
			    (!argv[i][length] || argv[i][length] == '='))
				return say("%s: %s", others[n].name, others[n].why);
		}
	return 0;
}

/* Take --good and --bad out of the arguments; the rest stays in order. */
static int take_ends(struct span *span, int *argc, char **argv)
{
	static const char *const names[] = { "--good", "--bad" };
	const char **const ends[] = { &span->good, &span->bad };
	int kept = 0;

	for (int i = 0; i < *argc; i++) {
		int is_end = 0;

		for (size_t n = 0; !is_end && n < ARRAY_LEN(names); n++) {
			size_t length = strlen(names[n]);

			if (strncmp(argv[i], names[n], length) != 0 ||
			    (argv[i][length] && argv[i][length] != '='))
				continue;
			is_end = 1;
			*ends[n] = argv[i][length] ? argv[i] + length + 1 : argv[++i];
			if (!*ends[n])
				return say("%s: its value is missing", names[n]);
		}
		if (!is_end)
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

/* Number of @name in the history, @otherwise where it is NULL, -1: not in it. */
static int place_of(const char *name, int otherwise)
{
	const struct iommusim_policy *policy;

	if (!name)
		return otherwise;
	for (int i = 0; (policy = iommusim_policy_at((size_t)i)) != NULL; i++)
		if (!strcmp(policy->family, "history") &&
		    (!strcmp(name, policy->name) || !strcmp(name, policy->alias)))
			return i;
	return -1;
}

/* A release of dma-iommu, not a proposal or another layer's loop. */
static int is_merged(const struct iommusim_policy *policy)
{
	return !strncmp(policy->name, "dma-iommu-", strlen("dma-iommu-"));
}

static int list_span(struct span *span)
{
	const struct iommusim_policy *policy;
	int first = place_of(span->good, 0), last, nr = 0;
	int is_mine = span->bad && is_object(slice_of(span->bad));
	int merged_only = !span->good && (!span->bad || is_mine);
	size_t length = 0;

	while ((policy = iommusim_policy_at((size_t)nr)) != NULL &&
	       !strcmp(policy->family, "history"))
		nr++;
	last = place_of(span->bad, nr - 1);
	if (is_mine)
		last = nr - 1;
	if (first < 0)
		return say("--good: '%s' is no policy of the history", span->good);
	if (last < 0)
		return say("--bad: '%s' is no policy of the history", span->bad);
	if (first >= last && !(first == last && is_mine))
		return say("--bad: '%s' is not after '%s'", iommusim_policy_at((size_t)last)->name,
		           iommusim_policy_at((size_t)first)->name);
	for (int i = first; i <= last; i++) {
		if (merged_only && !is_merged(iommusim_policy_at((size_t)i)))
			continue;
		length += (size_t)snprintf(span->list + length, sizeof(span->list) - length, "%s%s",
		                           i > first ? "," : "",
		                           iommusim_policy_at((size_t)i)->alias);
	}
	if (is_mine)
		snprintf(span->list + length, sizeof(span->list) - length, ",%s", span->bad);
	return 0;
}

static int same_outcome(const struct result *a, const struct result *b)
{
	return a->verdict == b->verdict && !memcmp(a->nr_tried, b->nr_tried, sizeof(a->nr_tried)) &&
	       !memcmp(a->nr_failed, b->nr_failed, sizeof(a->nr_failed)) &&
	       !memcmp(a->nr_chunks, b->nr_chunks, sizeof(a->nr_chunks));
}

static void print_orders(struct line *line, const char *what, const uint64_t *counters)
{
	line_add(line, "%s", what);
	if (!sum(counters, NR_ORDERS))
		line_add(line, " none");
	for (unsigned order = NR_ORDERS; order-- > 0;)
		if (counters[order])
			line_add(line, " %u:%llu", order, (unsigned long long)counters[order]);
}

static void print_row(const struct report *report, const struct result *r, int is_new)
{
	struct line lead = { .len = 0 }, line = { .len = 0 };

	line_add(&lead, "%-3s %-19s %-13s ", name_text(r->policy->alias).s,
	         name_text(r->policy->name).s, verdict_name(r->verdict));
	if (is_new) {
		print_orders(&line, "tried", r->nr_tried);
		print_orders(&line, "; chunks", r->nr_chunks);
	} else {
		line_add(&line, "as before");
	}
	print_narrow(lead.s, INDENT, line.s);
	line.len = 0;
	if (is_new)
		reason_describe(report, r, &line);
	if (line.len)
		print_narrow("", INDENT, line.s);
}

/* A line for each release that changed the outcome, with the verdicts where they changed. */
static void print_who_changed(const struct report *report, size_t rows)
{
	const char *what = "first changed by";

	for (size_t row = 1; row < rows; row++) {
		const struct result *before = report_at(report, row - 1, 0);
		const struct result *r = report_at(report, row, 0);
		const char *path = policy_argument(r->policy);
		struct line line = { .len = 0 };

		if (same_outcome(before, r))
			continue;
		line_add(&line, "%s %s (%s)", what, name_text(r->policy->name).s,
		         path == r->policy->alias ? r->policy->kernels : name_text(path).s);
		if (before->verdict != r->verdict)
			line_add(&line, ": %s -> %s", verdict_name(before->verdict),
			         verdict_name(r->verdict));
		print_narrow("", 0, line.s);
		what = "then by";
	}
}

static void print_head(const struct report *report)
{
	const struct options *options = report->options;
	struct line state = { .len = 0 }, request = { .len = 0 };

	state_describe(options, report->state, &state);
	print_narrow("memory", LABEL_WIDTH, state.s);
	request_describe(options, &request);
	line_add(&request, ", attributes %s", attrs_name(options->attrs[0]));
	print_narrow("request", LABEL_WIDTH, request.s);
	printf("%-*s{%s}\n", LABEL_WIDTH, "iommu", pgsizes_text(options->pgsizes[0], ',').s);
	print_narrow("figures", LABEL_WIDTH,
	             "order:count, of attempts (tried) and of chunks that the buffer has");
	putchar('\n');
}

static int print_changes(const struct report *report)
{
	size_t rows = report_nr_rows(report);
	const struct result *before = NULL;
	unsigned changes = 0;

	print_head(report);
	for (size_t row = 0; row < rows; row++) {
		const struct result *r = report_at(report, row, 0);
		int is_new = !before || !same_outcome(before, r);

		print_row(report, r, is_new);
		changes += before && is_new;
		before = r;
	}
	putchar('\n');
	if (!changes)
		puts("The outcome is the same in all of them.");
	print_who_changed(report, rows);
	return before && before->verdict == VERDICT_BROKEN &&
	                       report_at(report, 0, 0)->verdict != VERDICT_BROKEN
	               ? EXIT_VERDICT
	               : EXIT_FINE;
}

static int bisect(struct options *options)
{
	struct state state;
	struct report report = { .results = NULL };
	int status;

	if (options->nr_iommus > 1 || options->nr_attrs > 1)
		return say("bisect: one --pgsizes and one --attrs at a time");
	status = state_build(options, &state);
	if (!status)
		status = compare(options, &state, &report);
	if (!status)
		status = print_changes(&report);
	report_finish(&report);
	state_finish(&state);
	return status;
}

int cmd_bisect(int argc, char **argv)
{
	struct span span = { .good = NULL };
	struct options options;
	char **args = calloc((size_t)argc + 4, sizeof(*args));
	int status = args ? 0 : say("the host has no memory for the arguments");

	if (args)
		memcpy(args, argv, (size_t)argc * sizeof(*args));
	if (!status)
		status = check_others(argc, args);
	if (!status)
		status = take_ends(&span, &argc, args);
	if (!status)
		status = list_span(&span);
	if (!status) {
		args[argc++] = "--policy";
		args[argc++] = span.list;
		status = options_parse(&options, USE_COMPARE, argc, args);
	}
	if (!status)
		status = options.wants_help ? help() : bisect(&options);
	free(args);
	return status;
}
