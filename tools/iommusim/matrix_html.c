/* SPDX-License-Identifier: MIT */
/*
 * One page that needs nothing but itself: a table for each driver, a mark for each state with the
 * worst of its sizes, a tooltip, and a link to the comparison that repeats it. No scripts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"
#include "units.h"

static const struct mark {
	const char *sign, *style;
} marks[NR_CLASSES] = {
	[CLASS_OK] = { "&#183;", "ok" },
	[CLASS_UNUSED] = { "&#8211;", "un" },
	[CLASS_REFUSED] = { "R", "re" },
	[CLASS_ALIKE] = { "=", "al" },
	[CLASS_SLOWER] = { "s", "sl" },
	[CLASS_MORE_MEMORY] = { "m", "mo" },
	[CLASS_BY_LUCK] = { "?", "lu" },
	[CLASS_NO_MEMORY] = { "n", "no" },
	[CLASS_UNSIMULATED] = { "&#8709;", "un" },
	[CLASS_BROKEN] = { "&#10007;", "br" },
};

struct page {
	const struct matrix *matrix;
	size_t *shown; /* by outcome: the cell that links to it, and 1; 0: none does */
};

static void put_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
			printf("&#%d;", *text);
		else
			putchar(*text);
	}
}

static const char style[] =
	":root{color-scheme:light dark;--line:#8886}"
	"body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:80rem;padding:1rem}"
	"h1{font-size:1.4rem;margin:.2em 0}h2{font-size:1.05rem;margin:1.4em 0 .3em}"
	"p{margin:.4em 0}.in{color:#777}"
	".scroll{overflow-x:auto;border:1px solid var(--line);border-radius:4px}"
	"table{border-collapse:collapse}th,td{padding:.15rem .4rem;white-space:nowrap}"
	"tbody tr>*{border-top:1px solid var(--line)}th "
	"small{display:block;color:#777;font-size:.75rem}th.n{text-align:center;padding:0}th{font-"
	"weight:500;text-align:left}"
	"thead th{font-size:.8rem}tbody th{position:sticky;left:0;background:Canvas;"
	"max-width:17rem;overflow:hidden;text-overflow:ellipsis}"
	"td.g{border-left:2px solid var(--line)}th.g{border-left:2px solid var(--line)}"
	"td a,.key b{display:inline-block;min-width:1.6em;line-height:1.6em;text-align:center;"
	"text-decoration:none;border-radius:3px;color:#000;font:600 13px ui-monospace,monospace}"
	".ok a,b.ok{background:#cdeccd}.un a,b.un{background:#ddd}.re a,b.re{background:#b9c3d6}"
	".al a,b.al{background:#d8d8c0}.sl a,b.sl{background:#ffe9a8}.mo a,b.mo{background:#ffd08a}"
	".lu a,b.lu{background:#ffb3d9}.no a,b.no{background:#f79a7a}"
	".br a,b.br{background:#d62f2f;color:#fff}"
	"td a:focus,td a:hover{outline:2px solid currentColor}"
	".key span{margin-right:1em;display:inline-block}"
	"dt{margin-top:.9em;font-weight:500}dd{margin:.1em 0}"
	"code{display:block;overflow-wrap:anywhere;background:#8882;padding:.3em .5em;"
	"border-radius:3px;font:12.5px ui-monospace,monospace}"
	":target{outline:2px solid #4a7dff;outline-offset:3px}"
	"@media(max-width:40rem){body{padding:.6rem;font-size:14px}tbody th{max-width:9.5rem;"
	"white-space:normal;overflow-wrap:anywhere;font-size:11.5px}th "
	"small{font-size:10px}th,td{padding:.1rem .12rem}"
	"td a{min-width:1.25em;font-size:12px}}";

static void print_key(const struct matrix *matrix, const size_t *nr_of)
{
	printf("<p class=key>");
	for (unsigned class = NR_CLASSES; class -- > 0;)
		printf("<span><b class=%s>%s</b> %s %lu</span>", marks[class].style,
		       marks[class].sign, class_name((enum matrix_class) class),
		       (unsigned long)nr_of[class]);
	printf("</p><p class=in>A mark is the worst over the sizes");
	for (unsigned i = 0; i < matrix->options->nr_sizes; i++)
		printf("%s %s", i ? "," : "", size_exact(matrix->options->sizes[i]).s);
	printf("; it links to the smallest buffer that shows it. Figures count buffers. States of "
	       "the memory:");
	for (unsigned i = 0; i < matrix->options->nr_states; i++)
		printf("%s %u %s", i ? "," : "", i + 1, matrix->options->states[i]);
	printf(".</p>\n");
}

static void print_head(const struct matrix *matrix)
{
	const struct matrix_options *options = matrix->options;
	size_t nr_of[NR_CLASSES] = { 0 }, nr_strict = 0;

	for (size_t i = 0; i < matrix_nr_cells(matrix); i++) {
		struct cell cell = matrix_cell(matrix, i);

		nr_of[cell.class]++;
		nr_strict += cell.class == CLASS_BROKEN && cell.domain == MATRIX_STRICT;
	}
	printf("<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>"
	       "<meta name=viewport content=\"width=device-width,initial-scale=1\">"
	       "<title>iommusim matrix</title><style>%s</style></head><body>\n"
	       "<h1>Does it break any IOMMU driver?</h1>\n<p>",
	       style);
	for (unsigned i = 0; i < options->common.nr_policies; i++)
		printf("%s<b>%s</b> (%s)", i ? ", " : "", options->common.policies[i]->alias,
		       options->common.policies[i]->name);
	printf(" against <b>%s</b> (%s), Linux %s: %lu cells of %lu rows and CPU pages.</p>\n",
	       options->base->alias, options->base->name, kernel_name(options->common.kernel),
	       (unsigned long)matrix_nr_cells(matrix), (unsigned long)matrix->nr_subjects);
	if (nr_of[CLASS_BROKEN])
		printf("<p>Of the broken, %lu are in DMA domains.</p>\n", (unsigned long)nr_strict);
	if (matrix->nr_left_out)
		printf("<p class=in>%lu rows of other releases are left out.</p>\n",
		       (unsigned long)matrix->nr_left_out);
	print_key(matrix, nr_of);
}

/* The worst cell of a column, and of these the smallest buffer. */
static size_t find_worst(const struct matrix *matrix, size_t block, size_t column)
{
	const struct matrix_options *options = matrix->options;
	size_t pairs = (size_t)options->common.nr_attrs * options->common.nr_policies;
	size_t state = column % options->nr_states, pair = column / options->nr_states;
	size_t best = block + state * options->nr_sizes * pairs + pair;

	for (unsigned size = 1; size < options->nr_sizes; size++) {
		size_t at = block + (state * options->nr_sizes + size) * pairs + pair;
		struct cell cell = matrix_cell(matrix, at), worst = matrix_cell(matrix, best);

		if (cell.class > worst.class ||
		    (cell.class == worst.class &&
		     options->sizes[cell.size] < options->sizes[worst.size]))
			best = at;
	}
	return best;
}

/* Where a cell's counterexample is. */
static void print_target(const struct page *page, const struct cell *cell)
{
	if (cell->class == CLASS_REFUSED)
		printf("r%lu", (unsigned long)(cell->subject - page->matrix->subjects));
	else if (cell->class == CLASS_UNUSED)
		printf("unused");
	else if (cell->class == CLASS_UNSIMULATED)
		printf("unsimulated");
	else
		printf("x%lu", (unsigned long)(cell->outcome - page->matrix->outcomes));
}

static void print_cell(struct page *page, size_t index, int starts_group)
{
	const struct matrix *matrix = page->matrix;
	struct cell cell = matrix_cell(matrix, index);
	struct line why = { .len = 0 };

	cell_describe(&cell, &why);
	printf("<td class=\"%s%s\"><a href=\"#", marks[cell.class].style, starts_group ? " g" : "");
	print_target(page, &cell);
	printf("\" title=\"%s: %s, %s: ", matrix->options->states[cell.state],
	       size_exact(matrix->options->sizes[cell.size]).s, class_name(cell.class));
	put_escaped(why.s);
	printf("\">%s</a></td>", marks[cell.class].sign);
	if (cell_has_figures(&cell) && !page->shown[cell.outcome - matrix->outcomes])
		page->shown[cell.outcome - matrix->outcomes] = index + 1;
}

static size_t nr_columns(const struct matrix *matrix)
{
	return (size_t)matrix->options->common.nr_policies * matrix->options->common.nr_attrs *
	       matrix->options->nr_states;
}

/* Whether both domains of a subject, in blocks that follow each other, come out alike. */
static int are_alike(const struct matrix *matrix, size_t block)
{
	size_t cells = matrix_block_cells(matrix->options);

	if (matrix->options->domains != 3 || matrix_cell(matrix, block).domain != MATRIX_STRICT)
		return 0;
	for (size_t i = 0; i < cells; i++)
		if (matrix_cell(matrix, block + i).class !=
		    matrix_cell(matrix, block + cells + i).class)
			return 0;
	return 1;
}

static void print_row(struct page *page, size_t block)
{
	const struct matrix *matrix = page->matrix;
	struct cell first = matrix_cell(matrix, block);
	const struct iommusim_catalog_driver *row = first.subject->row;

	printf("<tr><th title=\"");
	put_escaped(row->config);
	printf("\">%s<small>CPU %uK, %s, %s</small></th>", row->id,
	       1u << (first.subject->page_shift - 10),
	       are_alike(matrix, block) ? "both domains" : domain_name(first.domain),
	       cell_evidence(&first));
	for (size_t i = 0; i < nr_columns(matrix); i++)
		print_cell(page, find_worst(matrix, block, i), i % matrix->options->nr_states == 0);
	printf("</tr>\n");
}

static void print_columns(const struct matrix *matrix)
{
	const struct matrix_options *options = matrix->options;
	const struct options *common = &options->common;

	printf("<div class=scroll><table><thead><tr><th rowspan=2>row</th>");
	for (unsigned attrs = 0; attrs < common->nr_attrs; attrs++)
		for (unsigned policy = 0; policy < common->nr_policies; policy++)
			printf("<th class=g colspan=%u>%s %s</th>", options->nr_states,
			       common->policies[policy]->alias,
			       common->attrs[attrs] ? "single pages" : "no attribute");
	printf("</tr><tr>");
	for (size_t i = 0; i < nr_columns(matrix); i++)
		printf("<th class=\"n%s\" title=\"%s\">%lu</th>",
		       i % options->nr_states ? "" : " g", options->states[i % options->nr_states],
		       (unsigned long)(i % options->nr_states) + 1);
	printf("</tr></thead><tbody>\n");
}

static enum matrix_class worst_of_block(const struct matrix *matrix, size_t block)
{
	enum matrix_class worst = CLASS_OK;

	for (size_t i = 0; i < matrix_block_cells(matrix->options); i++) {
		enum matrix_class class = matrix_cell(matrix, block + i).class;

		worst = class > worst ? class : worst;
	}
	return worst;
}

/* The rows of a driver whose worst class is @class. */
static void print_rows(struct page *page, const char *driver, enum matrix_class class)
{
	const struct matrix *matrix = page->matrix;
	size_t block = matrix_block_cells(matrix->options);

	for (size_t at = 0; at < matrix_nr_cells(matrix); at += block) {
		struct cell cell = matrix_cell(matrix, at);

		if (strcmp(cell.subject->row->driver, driver) != 0 ||
		    worst_of_block(matrix, at) != class)
			continue;
		print_row(page, at);
		at += are_alike(matrix, at) ? block : 0;
	}
}

/* The worst rows first. */
static void print_driver(struct page *page, const char *driver)
{
	printf("<h2>");
	put_escaped(driver);
	printf("</h2>\n");
	print_columns(page->matrix);
	for (unsigned class = NR_CLASSES; class -- > 0;)
		print_rows(page, driver, (enum matrix_class) class);
	printf("</tbody></table></div>\n");
}

/* The worst class of each driver's cells, to print the worst drivers first. */
struct driver {
	const char *name;
	enum matrix_class worst;
};

static size_t list_drivers(const struct matrix *matrix, struct driver *drivers)
{
	size_t nr = 0;

	for (size_t i = 0; i < matrix_nr_cells(matrix); i++) {
		struct cell cell = matrix_cell(matrix, i);
		size_t at = nr;

		while (at && strcmp(drivers[at - 1].name, cell.subject->row->driver) != 0)
			at--;
		if (!at) {
			drivers[nr] = (struct driver){ cell.subject->row->driver, CLASS_OK };
			at = ++nr;
		}
		if (cell.class > drivers[at - 1].worst)
			drivers[at - 1].worst = cell.class;
	}
	return nr;
}

static void print_drivers(struct page *page, struct driver *drivers)
{
	size_t nr = list_drivers(page->matrix, drivers);

	for (unsigned class = NR_CLASSES; class -- > 0;)
		for (size_t i = 0; i < nr; i++)
			if (drivers[i].worst == class)
				print_driver(page, drivers[i].name);
}

static void print_refusals(const struct matrix *matrix)
{
	printf("<h2>Domains that this kernel does not make</h2><dl>\n");
	for (size_t i = 0; i < matrix->nr_subjects; i++) {
		const struct matrix_subject *subject = &matrix->subjects[i];

		if (!subject->is_refused)
			continue;
		printf("<dt id=r%lu>%s, CPU pages of %uK</dt><dd>", (unsigned long)i,
		       subject->row->id, 1u << (subject->page_shift - 10));
		put_escaped(subject->refusal);
		printf("</dd>\n");
	}
	printf("</dl><h2 id=unused>Not used</h2><p>These rows' DMA domains get their pages from "
	       "arch/arm's allocator or from the driver itself, whatever dma-iommu does, or there "
	       "are none.</p>\n"
	       "<h2 id=unsimulated>Not simulated</h2><p>This library has no domains with pages "
	       "above 4G only.</p>\n");
}

static void print_examples(const struct page *page)
{
	const struct matrix *matrix = page->matrix;

	printf("<h2>What repeats each cell</h2><dl>\n");
	for (size_t i = 0; i < matrix->nr_outcomes; i++) {
		struct line why = { .len = 0 }, command = { .len = 0 };
		struct cell cell;

		if (!page->shown[i])
			continue;
		cell = matrix_cell(matrix, page->shown[i] - 1);
		cell_describe(&cell, &why);
		cell_command(matrix, &cell, &command);
		printf("<dt id=x%lu>%s: %s, as %s</dt><dd>", (unsigned long)i,
		       class_name(cell.class), size_exact(matrix->options->sizes[cell.size]).s,
		       cell.subject->row->id);
		put_escaped(why.s);
		printf("<code>");
		put_escaped(command.s);
		printf("</code></dd>\n");
	}
	printf("</dl>\n");
}

int matrix_print_html(const struct matrix *matrix)
{
	struct page page = { .matrix = matrix };
	struct driver *drivers;

	page.shown = calloc(matrix->nr_outcomes, sizeof(*page.shown));
	drivers = calloc(matrix->nr_subjects, sizeof(*drivers));
	if (!page.shown || !drivers) {
		free(page.shown);
		free(drivers);
		return say("the host has no memory for the page");
	}
	print_head(matrix);
	print_drivers(&page, drivers);
	print_refusals(matrix);
	print_examples(&page);
	printf("<p class=in>iommusim " IOMMUSIM_VERSION "</p></body></html>\n");
	free(page.shown);
	free(drivers);
	return 0;
}
