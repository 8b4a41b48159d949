/* SPDX-License-Identifier: MIT */
/* Every cell for programs: CSV, and one JSON object a cell. Printed as they come, they are many. */
#include <inttypes.h>
#include <stdio.h>

#include "matrix.h"
#include "units.h"

static const char *kernel_of(const struct matrix *matrix)
{
	return kernel_name(matrix->options->common.kernel);
}

/* Nothing, where nothing was run. */
static void put_csv_figures(const struct cell *cell)
{
	const struct outcome *base = cell->base, *o = cell->outcome;

	if (!cell_has_figures(cell)) {
		printf(",,,,,,,,");
		return;
	}
	printf(",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, base->pages, o->pages, base->tried,
	       o->tried);
	printf(",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, base->leaves, o->leaves, base->vain,
	       o->vain);
}

/* What stands in every cell, in order. */
static void put_csv(const struct matrix *matrix, const struct cell *cell)
{
	const struct matrix_options *options = matrix->options;
	struct line why = { .len = 0 }, command = { .len = 0 };

	cell_describe(cell, &why);
	cell_command(matrix, cell, &command);
	print_quoted(cell->subject->row->driver);
	putchar(',');
	print_quoted(cell->subject->row->id);
	printf(",%u,%s,\"%s\",%" PRIu64 ",%s,%s,%s,%s,%s", 1u << cell->subject->page_shift,
	       domain_name(cell->domain), options->states[cell->state], options->sizes[cell->size],
	       attrs_name(options->common.attrs[cell->attrs]), options->base->alias,
	       options->common.policies[cell->policy]->alias, class_name(cell->class),
	       cell_evidence(cell));
	put_csv_figures(cell);
	putchar(',');
	print_quoted(why.s);
	putchar(',');
	print_quoted(command.s);
	putchar('\n');
}

int matrix_print_csv(const struct matrix *matrix)
{
	puts("driver,row,cpu_page_size,domain,state,size,attrs,base,policy,class,evidence,"
	     "base_pages,pages,base_attempts,attempts,base_leaves,leaves,base_vain,vain,why,"
	     "command");
	for (size_t i = 0; i < matrix_nr_cells(matrix); i++) {
		struct cell cell = matrix_cell(matrix, i);

		put_csv(matrix, &cell);
	}
	return 0;
}

/* A text in quotes. What is no UTF-8, in a user's file, is put as question marks. */
static void put_text(const char *text)
{
	putchar('"');
	while (*text) {
		size_t length = utf8_length(text);

		if ((unsigned char)*text < ' ')
			printf("\\u%04x", (unsigned)(unsigned char)*text);
		else
			printf("%s%.*s", *text == '"' || *text == '\\' ? "\\" : "",
			       length ? (int)length : 1, length ? text : "?");
		text += length ? length : 1;
	}
	putchar('"');
}

static void put_pair(const char *key, const char *text)
{
	printf(",\"%s\":", key);
	put_text(text);
}

static void put_figures(const char *key, const struct outcome *o)
{
	printf(",\"%s\":{\"pages\":%" PRIu64 ",\"attempts\":%" PRIu64 ",\"leaves\":%" PRIu64
	       ",\"vain\":%" PRIu64 ",\"tables\":%" PRIu32,
	       key, o->pages, o->tried, o->leaves, o->vain, o->tables);
	if (o->err)
		put_pair("error", iommusim_errname(o->err));
	putchar('}');
}

static void put_json(const struct matrix *matrix, const struct cell *cell)
{
	const struct matrix_options *options = matrix->options;
	struct line why = { .len = 0 }, command = { .len = 0 };

	cell_describe(cell, &why);
	cell_command(matrix, cell, &command);
	printf("{\"cpu_page_size\":%u,\"size\":%" PRIu64, 1u << cell->subject->page_shift,
	       options->sizes[cell->size]);
	put_pair("driver", cell->subject->row->driver);
	put_pair("row", cell->subject->row->id);
	put_pair("domain", domain_name(cell->domain));
	put_pair("state", options->states[cell->state]);
	put_pair("attrs", attrs_name(options->common.attrs[cell->attrs]));
	put_pair("policy", options->common.policies[cell->policy]->name);
	put_pair("class", class_name(cell->class));
	put_pair("evidence", cell_evidence(cell));
	put_pair("why", why.s);
	put_pair("command", command.s);
	if (cell_has_figures(cell)) {
		put_figures("base", cell->base);
		put_figures("figures", cell->outcome);
	}
	putchar('}');
}

int matrix_print_json(const struct matrix *matrix)
{
	const struct matrix_options *options = matrix->options;
	size_t nr_of[NR_CLASSES] = { 0 };

	printf("{\"program\":\"iommusim " IOMMUSIM_VERSION "\"");
	put_pair("base", options->base->name);
	put_pair("kernel", kernel_of(matrix));
	printf(",\"seed\":%" PRIu64 ",\"cells\":[", options->common.seed);
	for (size_t i = 0; i < matrix_nr_cells(matrix); i++) {
		struct cell cell = matrix_cell(matrix, i);

		nr_of[cell.class]++;
		printf("%s\n", i ? "," : "");
		put_json(matrix, &cell);
	}
	printf("\n],\"summary\":{\"cells\":%lu", (unsigned long)matrix_nr_cells(matrix));
	for (unsigned class = 0; class < NR_CLASSES; class ++)
		printf(",\"%s\":%lu", class_name((enum matrix_class) class),
		       (unsigned long)nr_of[class]);
	puts("}}");
	return 0;
}
