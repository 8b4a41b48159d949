/* SPDX-License-Identifier: MIT */
/*
 * The table for people: what was asked, what came out, and why. Several IOMMUs stand side by side,
 * their verdicts first; a single one has room for the details of every run.
 */
#include "print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "figures.h"
#include "reason.h"
#include "units.h"

#define PER_TABLE     3  /* IOMMUs side by side */
#define VERDICT_WIDTH 17 /* a column of verdicts */
#define DETAIL_WIDTH  24

static void print_iommus(const struct options *options)
{
	struct line line = { .len = 0 };

	for (unsigned i = 0; i < options->nr_iommus; i++)
		line_add(&line, "%s%u %s%s{%s}", i ? ", " : "", i + 1,
		         options->rows[i] ? options->rows[i]->id : "", options->rows[i] ? " " : "",
		         pgsizes_text(options->pgsizes[i], ',').s);
	print_wrapped(options->nr_iommus > 1 ? "iommus" : "iommu", LABEL_WIDTH,
	              options->nr_iommus > 1 ? line.s : line.s + strlen("1 "));
}

static void print_header(const struct report *report)
{
	const struct options *options = report->options;
	struct line request = { .len = 0 }, world = { .len = 0 }, caution = { .len = 0 };

	state_print(options, report->state);
	line_add(&world, "Linux %s, CPU pages of %s, domain %s", kernel_name(options->kernel),
	         size_exact(UINT64_C(1) << options->page_shift).s, mode_name(options->mode));
	print_wrapped("kernel", LABEL_WIDTH, world.s);
	print_iommus(options);
	request_describe(options, &request);
	print_wrapped("request", LABEL_WIDTH, request.s);
	linux_describe(options, &caution);
	if (caution.len)
		print_wrapped("beware", LABEL_WIDTH, caution.s);
}

/* The IOMMUs @first .. @end-1 and what becomes of each policy on them. */
static void print_verdicts(const struct report *report, size_t first, size_t end)
{
	int width = attrs_width(report->options);

	printf("\n%-4s%-20s%-*s", "", "verdict", width, "");
	for (size_t i = first; i < end; i++) {
		struct line name = { .len = 0 };

		describe_iommu(report->options, i, &name);
		printf("  %-*s", i + 1 < end ? VERDICT_WIDTH - 2 : 0, name.s);
	}
	putchar('\n');
	for (size_t row = 0; row < report_nr_rows(report); row++) {
		const struct result *result = report_at(report, row, 0);

		printf("%-4s%-20s%-*s", result->policy->alias, result->policy->name, width,
		       attrs_name(result->attrs));
		for (size_t i = first; i < end; i++)
			printf("  %-*s", i + 1 < end ? VERDICT_WIDTH - 2 : 0,
			       verdict_name(report_at(report, row, i)->verdict));
		putchar('\n');
	}
}

static void print_side_by_side(const struct report *report)
{
	size_t nr = report->options->nr_iommus;

	for (size_t first = 0; first < nr; first += PER_TABLE)
		print_verdicts(report, first, first + PER_TABLE < nr ? first + PER_TABLE : nr);
	print_figures_by_iommu(report);
}

static void add_attempts(struct line *line, const struct result *result)
{
	for (unsigned order = 0; order < NR_ORDERS; order++)
		if (result->nr_tried[order])
			line_add(line, "%s%u:%" PRIu64 "+%" PRIu64, line->len ? " " : "", order,
			         result->nr_tried[order] - result->nr_failed[order],
			         result->nr_failed[order]);
}

static void add_orders(struct line *line, const uint64_t *counters)
{
	for (unsigned order = 0; order < NR_ORDERS; order++)
		if (counters[order])
			line_add(line, "%s%u:%" PRIu64, line->len ? " " : "", order,
			         counters[order]);
}

static void add_leaves(struct line *line, const struct result *result)
{
	for (unsigned i = 0; i < NR_SIZES; i++)
		if (result->nr_leaves[i])
			line_add(line, "%s%s:%" PRIu64, line->len ? " " : "",
			         size_exact(UINT64_C(1) << i).s, result->nr_leaves[i]);
}

static void add_span(struct line *line, const struct result *result)
{
	if (result->iova <= result->iova_last)
		line_add(line, "0x%" PRIx64 " .. 0x%" PRIx64, result->iova, result->iova_last);
}

/* Print the line and empty it; a line without anything says so. */
static void print_detail(const char *label, struct line *line)
{
	print_wrapped(label, DETAIL_WIDTH, line->len ? line->s : "-");
	line->len = 0;
}

static void print_details(const struct result *result)
{
	struct line line = { .len = 0 };

	printf("\n%s %s, attributes %s: %s\n", result->policy->alias, result->policy->name,
	       attrs_name(result->attrs), verdict_name(result->verdict));
	add_attempts(&line, result);
	print_detail("  attempts ok+failed", &line);
	add_orders(&line, result->nr_chunks);
	print_detail("  chunks", &line);
	add_leaves(&line, result);
	print_detail("  leaf entries", &line);
	if (result->format)
		line_add(&line, "%s, %" PRIu64 " table%s with %" PRIu64 " words",
		         result->format->name, result->nr_tables, result->nr_tables == 1 ? "" : "s",
		         result->nr_words);
	print_detail("  page tables", &line);
	add_span(&line, result);
	print_detail("  iova span", &line);
	add_orders(&line, result->free_blocks);
	print_detail("  free blocks", &line);
}

static void print_all_details(const struct report *report)
{
	int is_first = 1;

	for (size_t row = 0; row < report_nr_rows(report); row++) {
		if (report_at(report, row, 0)->verdict == VERDICT_REFUSED)
			continue;
		if (is_first)
			puts("\nDetails, as order:count or page size:count; free are the blocks "
			     "beside all "
			     "buffers that were mapped");
		print_details(report_at(report, row, 0));
		is_first = 0;
	}
}

/* Whether two results of one IOMMU are explained by the same words. */
static int same_reason(const struct report *report, const struct result *a, const struct result *b)
{
	struct line line_a = { .len = 0 }, line_b = { .len = 0 };

	if (a->verdict != b->verdict)
		return 0;
	reason_describe(report, a, &line_a);
	reason_describe(report, b, &line_b);
	return !strcmp(line_a.s, line_b.s);
}

/* Whether an earlier row of the IOMMU has the reason of @row. */
static int is_explained(const struct report *report, size_t row, size_t iommu)
{
	for (size_t i = 0; i < row; i++)
		if (same_reason(report, report_at(report, i, iommu), report_at(report, row, iommu)))
			return 1;
	return 0;
}

/* The rows from @row on that have its reason, as "P1, P4 single-pages". */
static void add_rows(struct line *line, const struct report *report, size_t row, size_t iommu)
{
	const struct result *first = report_at(report, row, iommu);
	size_t nr = 0;

	for (size_t i = row; i < report_nr_rows(report); i++) {
		const struct result *result = report_at(report, i, iommu);

		if (!same_reason(report, first, result))
			continue;
		line_add(line, "%s%s%s%s", nr++ ? ", " : "", result->policy->alias,
		         result->attrs ? " " : "", result->attrs ? attrs_name(result->attrs) : "");
	}
	if (nr == report_nr_rows(report) && nr > 1)
		*line = (struct line){ "every policy", strlen("every policy") };
}

static void print_reason(const struct report *report, size_t row, size_t iommu)
{
	const struct result *result = report_at(report, row, iommu);
	struct line lead = { .len = 0 }, reason = { .len = 0 };

	line_add(&lead, "  ");
	if (report->options->nr_iommus > 1) {
		describe_iommu(report->options, iommu, &lead);
		line_add(&lead, ", ");
	}
	line_add(&lead, "%s: ", verdict_name(result->verdict));
	add_rows(&reason, report, row, iommu);
	print_wrapped(lead.s, 6, reason.s);
	reason.len = 0;
	reason_describe(report, result, &reason);
	print_wrapped("", 6, reason.s);
}

/* IOMMUs whose figures have no tables, because no format has exactly their page sizes. */
static void print_tableless(const struct report *report)
{
	struct line line = { .len = 0 };
	unsigned nr = 0;

	for (unsigned i = 0; i < report->options->nr_iommus; i++) {
		if (report->options->has_pgtable || report_at(report, 0, i)->format)
			continue;
		if (report->options->rows[i])
			continue;
		line_add(&line, "%s{%s}", nr++ ? ", " : "",
		         pgsizes_text(report->options->pgsizes[i], ',').s);
	}
	if (!nr)
		return;
	line_add(
		&line,
		": no page-table format has exactly these sizes and room for the addresses of this "
		"memory, so driver calls are "
		"counted instead of tables.");
	putchar('\n');
	print_wrapped("", 0, line.s);
}

static void print_reasons(const struct report *report)
{
	int is_first = 1;

	for (size_t iommu = 0; iommu < report->options->nr_iommus; iommu++) {
		for (size_t row = 0; row < report_nr_rows(report); row++) {
			if (report_at(report, row, iommu)->verdict == VERDICT_MAPPABLE ||
			    is_explained(report, row, iommu))
				continue;
			printf("%s", is_first ? "\nWhy not mappable\n" : "");
			print_reason(report, row, iommu);
			is_first = 0;
		}
	}
}

static void print_findings(const struct report *report)
{
	int is_first = 1;

	for (size_t i = 0; i < report->nr_results; i++) {
		const struct result *result = &report->results[i];
		char lead[160];

		if (!result->finding[0])
			continue;
		printf("%s", is_first ? "\nFindings\n" : "");
		snprintf(lead, sizeof(lead), "  %s: ", result->policy->name);
		print_wrapped(lead, 6, result->finding);
		is_first = 0;
	}
}

void print_table(const struct report *report)
{
	int is_single = report->options->nr_iommus == 1;

	print_header(report);
	if (is_single)
		print_figures(report);
	else
		print_side_by_side(report);
	print_tableless(report);
	print_reasons(report);
	print_findings(report);
	if (is_single)
		print_all_details(report);
	else
		puts("\nAttempts, chunks and leaf entries by size: one --pgsizes, or --format "
		     "json.");
}
