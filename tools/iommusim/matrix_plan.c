/* SPDX-License-Identifier: MIT */
/* Which rows under which CPU pages, and what of them a run depends on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glob.h"
#include "matrix.h"
#include "units.h"

/* The row with number @index: the built-in ones, then the user's. NULL beyond the last. */
static const struct iommusim_catalog_driver *row_at(const struct matrix *matrix, size_t index)
{
	const struct iommusim_catalog_driver *row = iommusim_catalog_driver_at(index);
	size_t nr = 0;

	if (row || !matrix->own)
		return row;
	while (iommusim_catalog_driver_at(nr))
		nr++;
	return iommusim_catalog_at(matrix->own, index - nr);
}

static int like(const char *glob, const struct iommusim_catalog_driver *row)
{
	return glob_matches(glob, row->id) || glob_matches(glob, row->driver);
}

static int is_wanted(const struct matrix_options *options,
                     const struct iommusim_catalog_driver *row)
{
	if (!row->pgsizes)
		return 0;
	if (!options->nr_globs)
		return row->kind != IOMMUSIM_CATALOG_LIBRARY;
	for (unsigned i = 0; i < options->nr_globs; i++)
		if (like(options->globs[i], row))
			return 1;
	return 0;
}

/* Every glob must be of use. */
static int check_globs(const struct matrix *matrix)
{
	const struct matrix_options *options = matrix->options;
	const struct iommusim_catalog_driver *row;

	for (unsigned g = 0; g < options->nr_globs; g++) {
		size_t i = 0;

		while ((row = row_at(matrix, i)) != NULL && !like(options->globs[g], row))
			i++;
		if (!row)
			return say("--drivers: '%s' matches no row (iommusim show driver lists "
			           "them)",
			           name_text(options->globs[g]).s);
	}
	return 0;
}

static int read_own(struct matrix *matrix)
{
	const char *path = matrix->options->driver_file;
	struct name_text name = name_text(path ? path : "");
	struct said said = { "" };
	struct iommusim_host host = { .size = sizeof(host), .log = said_log, .log_ctx = &said };
	struct iommusim_text text = { .name = name.s };
	const char *wrong;

	if (!path)
		return 0;
	wrong = file_read(path, &matrix->own_text);
	if (wrong)
		return say("--driver-file: '%s' cannot be read (%s)", name.s, wrong);
	text.text = matrix->own_text.text;
	text.bytes = matrix->own_text.bytes;
	if (iommusim_catalog_parse(&host, &text, &matrix->own))
		return say("%s", said.line);
	return 0;
}

static int same_machine(const struct matrix_machine *a, const struct matrix_machine *b)
{
	const struct iommusim_machine_config *x = &a->config, *y = &b->config;

	return a->page_shift == b->page_shift && x->pgsizes == y->pgsizes &&
	       x->format == y->format && x->quirks == y->quirks && x->ias == y->ias &&
	       x->oas == y->oas && x->window_start == y->window_start &&
	       x->is_noncoherent == y->is_noncoherent && x->coherent_mask == y->coherent_mask &&
	       x->aperture_start == y->aperture_start && x->aperture_last == y->aperture_last;
}

static struct matrix_machine machine_of(const struct iommusim_catalog_driver *row,
                                        unsigned page_shift, unsigned kernel)
{
	struct matrix_machine machine = { .page_shift = page_shift,
		                          .config = { .size = sizeof(machine.config),
		                                      .kernel = kernel,
		                                      .mode = IOMMUSIM_DOMAIN_EXTENDED } };

	iommusim_machine_use_row(&machine.config, row, page_shift);
	return machine;
}

static size_t find_machine(struct matrix *matrix, const struct matrix_machine *machine)
{
	size_t i = 0;

	while (i < matrix->nr_machines && !same_machine(&matrix->machines[i], machine))
		i++;
	if (i == matrix->nr_machines)
		matrix->machines[matrix->nr_machines++] = *machine;
	return i;
}

/* What this kernel does instead of making a DMA domain. */
static void set_refusal(struct matrix_subject *subject,
                        const struct iommusim_catalog_tables *tables, unsigned kernel)
{
	struct iommusim_catalog_outcome outcome =
		iommusim_catalog_driver_outcome(subject->row, subject->page_shift, kernel);

	subject->is_refused = outcome.err != 0;
	if (tables->is_refused)
		snprintf(subject->refusal, sizeof(subject->refusal), "%s", tables->why);
	else if (outcome.err)
		snprintf(subject->refusal, sizeof(subject->refusal), "%s (%s)", outcome.what,
		         iommusim_errname(outcome.err));
}

static void add_subject(struct matrix *matrix, const struct iommusim_catalog_driver *row,
                        unsigned page_shift)
{
	unsigned kernel = matrix->options->common.kernel;
	struct matrix_machine machine = machine_of(row, page_shift, kernel);
	struct matrix_subject *subject = &matrix->subjects[matrix->nr_subjects++];
	struct iommusim_catalog_tables tables =
		iommusim_catalog_driver_tables(row, page_shift, kernel, 0);

	subject->row = row;
	subject->page_shift = page_shift;
	subject->machine = find_machine(matrix, &machine);
	snprintf(subject->why, sizeof(subject->why), "%s", tables.why);
	set_refusal(subject, &tables, kernel);
}

static void add_subjects(struct matrix *matrix)
{
	const struct matrix_options *options = matrix->options;
	const struct iommusim_catalog_driver *row;

	for (size_t i = 0; (row = row_at(matrix, i)) != NULL; i++) {
		unsigned pages = row->page_shifts;

		for (unsigned shift = 12; is_wanted(options, row) && shift <= 16; shift++)
			if (pages >> shift & 1 &&
			    (!options->page_shifts || options->page_shifts >> shift & 1))
				add_subject(matrix, row, shift);
	}
}

size_t matrix_nr_policies(const struct matrix_options *options)
{
	return options->common.nr_policies + 1;
}

size_t matrix_job_outcomes(const struct matrix_options *options)
{
	return options->nr_sizes * options->common.nr_attrs * matrix_nr_policies(options);
}

uint64_t matrix_memory(const struct matrix_options *options, unsigned page_shift)
{
	uint64_t bytes = UINT64_C(1) << (16 + page_shift), most = UINT64_C(3) << 30;

	return options->common.memory ? options->common.memory : bytes < most ? bytes : most;
}

static int make_room(struct matrix *matrix)
{
	const struct matrix_options *options = matrix->options;
	size_t jobs = matrix->nr_machines * options->nr_states;

	matrix->nr_outcomes = jobs * matrix_job_outcomes(options);
	matrix->outcomes = calloc(matrix->nr_outcomes, sizeof(*matrix->outcomes));
	matrix->is_done = calloc(jobs, 1);
	if (!matrix->outcomes || !matrix->is_done)
		return say("the host has no memory for the results");
	return 0;
}

int matrix_plan(struct matrix *matrix)
{
	size_t most = 0;
	int status = read_own(matrix);

	if (!status)
		status = check_globs(matrix);
	if (status)
		return status;
	while (row_at(matrix, most))
		most++;
	most *= 5; /* page sizes */
	matrix->subjects = calloc(most, sizeof(*matrix->subjects));
	matrix->machines = calloc(most, sizeof(*matrix->machines));
	if (!matrix->subjects || !matrix->machines)
		return say("the host has no memory for the rows");
	add_subjects(matrix);
	if (!matrix->nr_subjects)
		return say("no row is left: none has that CPU page, or none does paging");
	return make_room(matrix);
}

void matrix_finish(struct matrix *matrix)
{
	iommusim_catalog_destroy(matrix->own);
	file_free(&matrix->own_text);
	free(matrix->machines);
	free(matrix->subjects);
	free(matrix->outcomes);
	free(matrix->is_done);
}
