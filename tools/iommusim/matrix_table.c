/* SPDX-License-Identifier: MIT */
/*
 * The matrix for people: a line for rows of a driver that come out alike, the worst drivers first,
 * and for each line that is not fine the smallest cell that shows it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"
#include "units.h"

/* Rows of one driver, by policy and attributes, with the same counts. */
struct sum_line {
	const struct matrix_subject *subject; /* the first */
	unsigned policy, attrs, domains, page_shifts, nr_rows;
	size_t nr_of[NR_CLASSES];
	enum matrix_class worst;
	size_t example; /* the smallest cell of the worst class */
	size_t driver;  /* the line of this driver that is worst decides: its rank */
};

struct table {
	const struct matrix *matrix;
	struct sum_line *line;
	size_t nr_lines;
	size_t nr_of[NR_CLASSES];
	size_t nr_strict;  /* broken cells of DMA domains */
	size_t nr_instead; /* broken cells where the base finds no memory */
};

/* The smaller buffer counts, then the earlier state. */
static int is_smaller(const struct matrix *matrix, const struct cell *a, const struct cell *b)
{
	const uint64_t *sizes = matrix->options->sizes;

	if (sizes[a->size] != sizes[b->size])
		return sizes[a->size] < sizes[b->size];
	return a->state < b->state;
}

static void count_cell(const struct table *table, struct sum_line *line, const struct cell *cell,
                       size_t index)
{
	struct cell example = matrix_cell(table->matrix, line->example);
	int is_first = !line->nr_of[cell->class];

	line->nr_of[cell->class]++;
	if (cell->class < line->worst)
		return;
	if (cell->class > line->worst || is_first || is_smaller(table->matrix, cell, &example))
		line->example = index;
	line->worst = cell->class;
}

/* The lines of one subject and domain, one for each policy and attributes, into @lines. */
static void count_block(struct table *table, size_t first, struct sum_line *lines)
{
	const struct matrix_options *options = table->matrix->options;
	size_t nr_policies = options->common.nr_policies;
	size_t nr = nr_policies * options->common.nr_attrs;

	for (size_t i = 0; i < nr; i++)
		lines[i] = (struct sum_line){ .policy = (unsigned)(i % nr_policies),
			                      .attrs = (unsigned)(i / nr_policies),
			                      .example = first + i,
			                      .nr_rows = 1 };
	for (size_t i = 0; i < matrix_block_cells(options); i++) {
		struct cell cell = matrix_cell(table->matrix, first + i);
		struct sum_line *line = &lines[i % nr];

		line->subject = cell.subject;
		line->domains = 1u << cell.domain;
		line->page_shifts = 1u << cell.subject->page_shift;
		count_cell(table, line, &cell, first + i);
		table->nr_of[cell.class]++;
		table->nr_strict += cell.class == CLASS_BROKEN && cell.domain == MATRIX_STRICT;
		table->nr_instead +=
			cell.class == CLASS_BROKEN && cell.base->verdict == VERDICT_OUT_OF_MEMORY;
	}
}

static int same_driver(const struct sum_line *a, const struct sum_line *b)
{
	return !strcmp(a->subject->row->driver, b->subject->row->driver);
}

static int is_alike(const struct sum_line *a, const struct sum_line *b)
{
	return a->policy == b->policy && a->attrs == b->attrs && same_driver(a, b) &&
	       !memcmp(a->nr_of, b->nr_of, sizeof(a->nr_of));
}

/* The other domain of the same subject. */
static int join_domains(struct table *table, const struct sum_line *line)
{
	for (size_t i = 0; i < table->nr_lines; i++) {
		struct sum_line *other = &table->line[i];

		if (other->subject == line->subject && is_alike(other, line)) {
			other->domains |= line->domains;
			return 1;
		}
	}
	return 0;
}

static void add_lines(struct table *table, const struct sum_line *lines, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!join_domains(table, &lines[i]))
			table->line[table->nr_lines++] = lines[i];
}

/* Lines of other rows that come out alike become one. */
static void join_rows(struct table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->nr_lines; i++) {
		struct sum_line *line = &table->line[i];
		size_t at = 0;

		while (at < kept && !(table->line[at].domains == line->domains &&
		                      is_alike(&table->line[at], line)))
			at++;
		if (at == kept) {
			table->line[kept++] = *line;
			continue;
		}
		table->line[at].nr_rows++;
		table->line[at].page_shifts |= line->page_shifts;
	}
	table->nr_lines = kept;
}

static enum matrix_class worst_of_driver(const struct table *table, const struct sum_line *line)
{
	enum matrix_class worst = CLASS_OK;

	for (size_t i = 0; i < table->nr_lines; i++)
		if (same_driver(&table->line[i], line) && table->line[i].worst > worst)
			worst = table->line[i].worst;
	return worst;
}

/* Worst drivers first, then as in the catalogue; in a driver the worst lines. */
static int compare_lines(const void *a, const void *b)
{
	const struct sum_line *x = a, *y = b;

	if (x->driver != y->driver)
		return x->driver < y->driver ? -1 : 1;
	if (x->worst != y->worst)
		return x->worst > y->worst ? -1 : 1;
	if (x->subject != y->subject)
		return x->subject < y->subject ? -1 : 1;
	return x->attrs != y->attrs ? (x->attrs < y->attrs ? -1 : 1)
	                            : (int)x->policy - (int)y->policy;
}

static void sort_lines(struct table *table)
{
	for (size_t i = 0; i < table->nr_lines; i++) {
		struct sum_line *line = &table->line[i];
		size_t first = 0;

		while (!same_driver(&table->line[first], line))
			first++;
		line->driver =
			(NR_CLASSES - worst_of_driver(table, line)) * table->nr_lines + first;
	}
	qsort(table->line, table->nr_lines, sizeof(*table->line), compare_lines);
}

static int build(struct table *table)
{
	const struct matrix *matrix = table->matrix;
	const struct options *common = &matrix->options->common;
	size_t block = matrix_block_cells(matrix->options);
	size_t nr = (size_t)common->nr_policies * common->nr_attrs;
	struct sum_line *lines = calloc(nr, sizeof(*lines));

	table->line = calloc(matrix_nr_cells(matrix) / block * nr, sizeof(*table->line));
	for (size_t at = 0; lines && table->line && at < matrix_nr_cells(matrix); at += block) {
		count_block(table, at, lines);
		add_lines(table, lines, nr);
	}
	free(lines);
	if (!lines || !table->line)
		return say("the host has no memory for the table");
	join_rows(table);
	sort_lines(table);
	return 0;
}

static void print_inputs(const struct matrix *matrix)
{
	const struct matrix_options *options = matrix->options;
	unsigned shift = matrix->subjects[0].page_shift;
	struct line line = { .len = 0 };

	for (unsigned i = 0; i < options->common.nr_policies; i++)
		line_add(&line, "%s%s (%s)", i ? ", " : "", options->common.policies[i]->alias,
		         options->common.policies[i]->name);
	line_add(&line, " against %s (%s), Linux %s", options->base->alias, options->base->name,
	         kernel_name(options->common.kernel));
	print_wrapped("policies", LABEL_WIDTH, line.s);
	line.len = 0;
	for (unsigned i = 0; i < options->nr_states; i++)
		line_add(&line, "%s%s", i ? ", " : "", options->states[i]);
	line_add(&line, "; of %s with CPU pages of %s", size_exact(matrix_memory(options, shift)).s,
	         size_exact(UINT64_C(1) << shift).s);
	print_wrapped("states", LABEL_WIDTH, line.s);
	line.len = 0;
	for (unsigned i = 0; i < options->nr_sizes; i++)
		line_add(&line, "%s%s", i ? ", " : "", size_exact(options->sizes[i]).s);
	print_wrapped("sizes", LABEL_WIDTH, line.s);
}

static void print_summary(const struct table *table)
{
	const struct matrix *matrix = table->matrix;
	struct line line = { .len = 0 };

	line_add(&line,
	         "%lu cells of %lu rows and CPU pages:", (unsigned long)matrix_nr_cells(matrix),
	         (unsigned long)matrix->nr_subjects);
	for (unsigned class = NR_CLASSES; class -- > 0;)
		if (table->nr_of[class])
			line_add(&line, " %lu %s,", (unsigned long)table->nr_of[class],
			         class_name((enum matrix_class) class));
	line.s[--line.len] = 0;
	if (table->nr_of[CLASS_BROKEN])
		line_add(&line,
		         "; of the broken, %lu in DMA domains, and %lu where the base finds no "
		         "memory",
		         (unsigned long)table->nr_strict, (unsigned long)table->nr_instead);
	print_wrapped("cells", LABEL_WIDTH, line.s);
	line.len = 0;
	if (matrix->nr_left_out)
		line_add(&line,
		         "%lu rows of other releases are left out (--releases all takes them)",
		         (unsigned long)matrix->nr_left_out);
	if (line.len)
		print_wrapped("releases", LABEL_WIDTH, line.s);
	line.len = 0;
	line_add(&line, "%lu, each for all cells that depend on it",
	         (unsigned long)matrix->nr_outcomes);
	print_wrapped("runs", LABEL_WIDTH, line.s);
}

/* "4K,64K". */
static void add_pages(struct line *line, unsigned page_shifts)
{
	int is_first = 1;

	for (unsigned shift = 12; shift <= 16; shift++) {
		if (page_shifts >> shift & 1)
			line_add(line, "%s%uK", is_first ? "" : ",", 1u << (shift - 10));
		is_first &= !(page_shifts >> shift & 1);
	}
}

static const char *domains_name(unsigned domains)
{
	return domains == 3 ? "both" : domain_name((enum matrix_domain)(domains >> 1));
}

static void print_line(const struct table *table, const struct sum_line *line, size_t number)
{
	const struct options *common = &table->matrix->options->common;
	struct line name = { .len = 0 }, pages = { .len = 0 };

	line_add(&name, "%.29s", line->subject->row->id);
	if (line->nr_rows > 1)
		line_add(&name, " +%u", line->nr_rows - 1);
	add_pages(&pages, line->page_shifts);
	printf("  %-33s%-11s%-10s%-5s%-4s", name.s, pages.s, domains_name(line->domains),
	       common->attrs[line->attrs] ? "SP" : "-", common->policies[line->policy]->alias);
	for (unsigned class = CLASS_BROKEN; class >= CLASS_SLOWER; class --)
		printf("%5lu", (unsigned long)line->nr_of[class]);
	printf("%5lu", (unsigned long)(line->nr_of[CLASS_OK] + line->nr_of[CLASS_ALIKE]));
	if (number)
		printf(" [%lu]", (unsigned long)number);
	putchar('\n');
}

static void print_example(const struct table *table, const struct sum_line *line, size_t number)
{
	struct cell cell = matrix_cell(table->matrix, line->example);
	struct line why = { .len = 0 }, text = { .len = 0 };
	char lead[32];

	cell_describe(&cell, &why);
	line_add(&text, "%s, CPU %uK, %s, %s, %s: %s: %s", cell.subject->row->id,
	         1u << (cell.subject->page_shift - 10), domain_name(cell.domain),
	         table->matrix->options->common.policies[cell.policy]->alias,
	         attrs_name(table->matrix->options->common.attrs[cell.attrs]),
	         class_name(cell.class), why.s);
	snprintf(lead, sizeof(lead), "[%lu] ", (unsigned long)number);
	print_wrapped(lead, 5, text.s);
	text.len = 0;
	cell_command(table->matrix, &cell, &text);
	printf("     %s\n", text.s);
}

/* The earlier line whose example is the same run; NULL: none. */
static const struct sum_line *same_example(const struct table *table, const struct sum_line *line)
{
	struct cell cell = matrix_cell(table->matrix, line->example);

	for (const struct sum_line *other = table->line; other < line; other++) {
		struct cell earlier = matrix_cell(table->matrix, other->example);

		if (other->worst == line->worst && earlier.outcome == cell.outcome)
			return other;
	}
	return NULL;
}

static int is_fine(const struct sum_line *line)
{
	return line->worst < CLASS_SLOWER;
}

/* Drivers that need no line: the table would only hide the others. */
static void print_fine(const struct table *table)
{
	struct line text = { .len = 0 };
	size_t driver = SIZE_MAX;

	for (size_t i = 0; i < table->nr_lines; i++) {
		const struct sum_line *line = &table->line[i];
		enum matrix_class worst = worst_of_driver(table, line);

		if (worst >= CLASS_SLOWER)
			continue;
		if (line->driver != driver)
			line_add(&text, "%s%s", text.len ? ", " : "", line->subject->row->driver);
		driver = line->driver;
	}
	if (!text.len)
		return;
	putchar('\n');
	print_wrapped("no cell that is worse: ", 0, text.s);
}

static void print_lines(const struct table *table)
{
	size_t number = 0, driver = SIZE_MAX;

	printf("\n  %-33s%-11s%-10s%-5s%-4s%5s%5s%5s%5s%5s%5s\n", "rows of a driver", "CPU page",
	       "domain", "attr", "", "brkn", "nomm", "luck", "mem", "slow", "ok");
	for (size_t i = 0; i < table->nr_lines; i++) {
		const struct sum_line *line = &table->line[i];

		if (is_fine(line))
			continue;
		if (line->driver != driver)
			printf("%s\n", line->subject->row->driver);
		driver = line->driver;
		print_line(table, line, ++number);
	}
}

static int print_examples(const struct table *table)
{
	size_t number = 0;
	size_t *number_of = calloc(table->nr_lines + 1, sizeof(*number_of));

	if (!number_of)
		return say("the host has no memory for the examples");
	for (size_t i = 0; i < table->nr_lines; i++) {
		const struct sum_line *earlier;

		if (is_fine(&table->line[i]))
			continue;
		if (!number)
			puts("\nThe smallest cell of the worst class of each line, and what "
			     "repeats it");
		number_of[i] = ++number;
		earlier = same_example(table, &table->line[i]);
		if (earlier)
			printf("[%lu] as [%lu]\n", (unsigned long)number,
			       (unsigned long)number_of[earlier - table->line]);
		else
			print_example(table, &table->line[i], number);
	}
	free(number_of);
	return 0;
}

static const char *outcome_text(const struct matrix *matrix, const struct matrix_subject *subject)
{
	if (subject->is_refused)
		return subject->refusal;
	return iommusim_catalog_driver_outcome(subject->row, subject->page_shift,
	                                       matrix->options->common.kernel,
	                                       matrix->options->common.contiguous)
	        .what;
}

/* What the kernel does where a granule is above the CPU page, once for each row and page. */
static void print_granules(const struct matrix *matrix)
{
	static const char *const kinds[] = { "", " (page-table code)", " (hypothetical)" };
	int has_title = 0;

	for (size_t i = 0; i < matrix->nr_subjects; i++) {
		const struct matrix_subject *subject = &matrix->subjects[i];
		struct line line = { .len = 0 };
		char lead[64];

		if (!subject->is_refused && subject->row->min_granule >> subject->page_shift <= 1)
			continue;
		if (!has_title++)
			printf("\nRows whose smallest page is above the CPU page: what Linux %s "
			       "makes "
			       "of a DMA domain\n",
			       kernel_name(matrix->options->common.kernel));
		snprintf(lead, sizeof(lead), "  %s, CPU %uK", subject->row->id,
		         1u << (subject->page_shift - 10));
		line_add(&line, "%s%s", outcome_text(matrix, subject), kinds[subject->row->kind]);
		print_wrapped(lead, 40, line.s);
	}
}

int matrix_print_table(const struct matrix *matrix)
{
	struct table table = { .matrix = matrix };
	int status = build(&table);

	if (!status) {
		print_inputs(matrix);
		print_summary(&table);
		print_lines(&table);
		print_fine(&table);
		puts("\nattr SP: DMA_ATTR_ALLOC_SINGLE_PAGES. Columns count cells: broken, no "
		     "memory, by luck,\nmore memory, slower, ok or failing with both. +N: N more "
		     "rows come out alike. Not counted:\ndomains that are refused, not simulated, "
		     "or "
		     "served by another allocator.");
		print_granules(matrix);
		status = print_examples(&table);
	}
	free(table.line);
	return status;
}
