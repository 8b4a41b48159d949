/* SPDX-License-Identifier: MIT */
/* Figures in columns. A column is as wide as its title or its longest figure, and a blank more. */
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "reason.h"
#include "units.h"

#define LINE_WIDTH    100
#define NAME_WIDTH    20 /* of a policy */
#define VERDICT_WIDTH 14
#define GAP           2 /* between IOMMUs */

/* A figure by value, "-" where the run has none. */
struct cell {
	char s[24];
};

static struct cell count(uint64_t number)
{
	struct cell cell;

	snprintf(cell.s, sizeof(cell.s), "%" PRIu64, number);
	return cell;
}

static struct cell tried(const struct result *result)
{
	return count(sum(result->nr_tried, NR_ORDERS));
}

static struct cell failed(const struct result *result)
{
	return count(sum(result->nr_failed, NR_ORDERS));
}

static struct cell chunks(const struct result *result)
{
	return count(sum(result->nr_chunks, NR_ORDERS));
}

static struct cell leaves(const struct result *result)
{
	return count(sum(result->nr_leaves, NR_SIZES));
}

static struct cell tables(const struct result *result)
{
	return result->format ? count(result->nr_tables) : (struct cell){ "-" };
}

static struct cell map_calls(const struct result *result)
{
	return count(result->nr_map_calls);
}

static const struct column {
	const char *title;
	struct cell (*cell)(const struct result *result);
} columns[] = {
	{ "tried", tried },   { "failed", failed }, { "chunks", chunks },
	{ "leaves", leaves }, { "tables", tables }, { "map calls", map_calls },
};

/* Side by side there is no room for the last one. */
#define NR_SIDE_BY_SIDE (ARRAY_LEN(columns) - 1)

static struct cell cell_of(const struct column *column, const struct result *result)
{
	if (result->verdict == VERDICT_REFUSED)
		return (struct cell){ "-" };
	return column->cell(result);
}

static size_t column_width(const struct report *report, size_t iommu, const struct column *column)
{
	size_t width = strlen(column->title);

	for (size_t row = 0; row < report_nr_rows(report); row++) {
		size_t length = strlen(cell_of(column, report_at(report, row, iommu)).s);

		if (length > width)
			width = length;
	}
	return width;
}

/* The columns of an IOMMU beside others, with a blank before each. */
static size_t group_width(const struct report *report, size_t iommu)
{
	size_t width = 0;

	for (size_t i = 0; i < NR_SIDE_BY_SIDE; i++)
		width += 1 + column_width(report, iommu, &columns[i]);
	return width;
}

static void print_titles(const struct report *report, size_t iommu, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		printf(" %*s", (int)column_width(report, iommu, &columns[i]), columns[i].title);
}

static void print_cells(const struct report *report, size_t row, size_t iommu, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		printf(" %*s", (int)column_width(report, iommu, &columns[i]),
		       cell_of(&columns[i], report_at(report, row, iommu)).s);
}

void describe_iommu(const struct options *options, size_t iommu, struct line *line)
{
	struct pgsizes_text text = pgsizes_text(options->pgsizes[iommu], ',');

	if (strlen(text.s) < 16)
		line_add(line, "%s", text.s);
	else
		line_add(line, "IOMMU %u", (unsigned)iommu + 1);
}

int attrs_width(const struct options *options)
{
	size_t width = strlen("single-pages");

	for (unsigned i = 0; i < options->nr_attrs; i++)
		if (strlen(attrs_name(options->attrs[i])) > width)
			width = strlen(attrs_name(options->attrs[i]));
	return (int)width + 1;
}

/* The head of a table's rows: a policy's alias and attributes. */
static int row_head_width(const struct report *report)
{
	return 4 + attrs_width(report->options);
}

void print_row_head(const struct report *report, const struct result *result)
{
	printf("%-4s%-*s", result->policy->alias, attrs_width(report->options),
	       attrs_name(result->attrs));
}

/* The IOMMUs @first .. @end-1, their names over their columns. */
static void print_group(const struct report *report, size_t first, size_t end)
{
	printf("\n%-*s", row_head_width(report), "    work");
	for (size_t i = first; i < end; i++) {
		struct line name = { .len = 0 };

		describe_iommu(report->options, i, &name);
		printf("%*s%-*s", i > first ? GAP + 1 : 1, "",
		       i + 1 < end ? (int)group_width(report, i) - 1 : 0, name.s);
	}
	printf("\n%-*s", row_head_width(report), "");
	for (size_t i = first; i < end; i++) {
		printf("%*s", i > first ? GAP : 0, "");
		print_titles(report, i, NR_SIDE_BY_SIDE);
	}
	putchar('\n');
	for (size_t row = 0; row < report_nr_rows(report); row++) {
		print_row_head(report, report_at(report, row, 0));
		for (size_t i = first; i < end; i++) {
			printf("%*s", i > first ? GAP : 0, "");
			print_cells(report, row, i, NR_SIDE_BY_SIDE);
		}
		putchar('\n');
	}
}

void print_figures_by_iommu(const struct report *report)
{
	size_t nr = report->options->nr_iommus, end;

	for (size_t first = 0; first < nr; first = end) {
		size_t width = (size_t)row_head_width(report) + group_width(report, first);

		for (end = first + 1; end < nr; end++) {
			width += GAP + group_width(report, end);
			if (width > LINE_WIDTH)
				break;
		}
		print_group(report, first, end);
	}
}

void print_figures(const struct report *report)
{
	printf("\n%-4s%-*s%-*s%-*s", "", NAME_WIDTH, "policy", attrs_width(report->options),
	       "attributes", VERDICT_WIDTH, "verdict");
	print_titles(report, 0, ARRAY_LEN(columns));
	putchar('\n');
	for (size_t row = 0; row < report_nr_rows(report); row++) {
		const struct result *result = report_at(report, row, 0);

		printf("%-4s%-*s%-*s%-*s", result->policy->alias, NAME_WIDTH, result->policy->name,
		       attrs_width(report->options), attrs_name(result->attrs), VERDICT_WIDTH,
		       verdict_name(result->verdict));
		print_cells(report, row, 0, ARRAY_LEN(columns));
		putchar('\n');
	}
}
