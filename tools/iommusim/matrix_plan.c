/* SPDX-License-Identifier: MIT */
/* Which rows under which CPU pages, and what of them a run depends on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glob.h"
#include "matrix.h"
#include "rows.h"
#include "units.h"

static int like(const char *glob, const struct iommusim_catalog_driver *row)
{
	return glob_matches(glob, row->id) || glob_matches(glob, row->driver);
}

static int is_named(const struct matrix_options *options, const struct iommusim_catalog_driver *row)
{
	for (unsigned i = 0; i < options->nr_globs; i++)
		if (like(options->globs[i], row))
			return 1;
	return !options->nr_globs && row->kind != IOMMUSIM_CATALOG_LIBRARY;
}

static int has_page(const struct matrix_options *options, const struct iommusim_catalog_driver *row)
{
	return row->pgsizes && (!options->page_shifts || options->page_shifts & row->page_shifts);
}

/* Facts of other releases would be judged as if they were of this one. */
static int is_of_release(const struct matrix_options *options,
                         const struct iommusim_catalog_driver *row)
{
	return options->all_releases || iommusim_catalog_driver_in(row, options->common.kernel);
}

/* Every glob must be of use. */
static int check_glob(const struct matrix_options *options, const char *glob)
{
	const struct iommusim_catalog_driver *row;
	size_t nr = 0;

	for (size_t i = 0; (row = rows_at(i)) != NULL; i++) {
		if (like(glob, row) && is_of_release(options, row))
			return 0;
		nr += like(glob, row) ? 1 : 0;
	}
	if (nr)
		return say("--drivers: '%s' matches no row of Linux %s, but %lu of other releases "
		           "(--releases all takes them)",
		           name_text(glob).s, kernel_name(options->common.kernel),
		           (unsigned long)nr);
	return say("--drivers: '%s' matches no row (iommusim show driver lists them)",
	           name_text(glob).s);
}

static int check_globs(const struct matrix_options *options)
{
	int status = 0;

	for (unsigned g = 0; !status && g < options->nr_globs; g++)
		status = check_glob(options, options->globs[g]);
	return status;
}

static int same_machine(const struct matrix_machine *a, const struct matrix_machine *b)
{
	const struct iommusim_machine_config *x = &a->config, *y = &b->config;

	return a->page_shift == b->page_shift && x->pgsizes == y->pgsizes &&
	       x->format == y->format && x->quirks == y->quirks && x->ias == y->ias &&
	       x->oas == y->oas && x->window_start == y->window_start &&
	       x->nr_levels == y->nr_levels && x->is_noncoherent == y->is_noncoherent &&
	       x->coherent_mask == y->coherent_mask && x->aperture_start == y->aperture_start &&
	       x->aperture_last == y->aperture_last;
}

static struct matrix_machine machine_of(const struct matrix_options *options,
                                        const struct iommusim_catalog_driver *row,
                                        unsigned page_shift)
{
	struct matrix_machine machine = { .page_shift = page_shift,
		                          .config = { .size = sizeof(machine.config),
		                                      .kernel = options->common.kernel,
		                                      .contiguous = options->common.contiguous,
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
                        const struct iommusim_catalog_tables *tables, const struct options *common)
{
	struct iommusim_catalog_outcome outcome = iommusim_catalog_driver_outcome(
		subject->row, subject->page_shift, common->kernel, common->contiguous);

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
	struct matrix_machine machine = machine_of(matrix->options, row, page_shift);
	struct matrix_subject *subject = &matrix->subjects[matrix->nr_subjects++];
	struct iommusim_catalog_tables tables = iommusim_catalog_driver_tables(
		row, page_shift, kernel, matrix->options->common.contiguous);

	subject->row = row;
	subject->page_shift = page_shift;
	subject->machine = find_machine(matrix, &machine);
	snprintf(subject->why, sizeof(subject->why), "%s", tables.why);
	set_refusal(subject, &tables, &matrix->options->common);
}

static void add_subjects(struct matrix *matrix)
{
	const struct matrix_options *options = matrix->options;
	const struct iommusim_catalog_driver *row;
	unsigned pages;

	for (size_t i = 0; (row = rows_at(i)) != NULL; i++) {
		if (!is_named(options, row) || !has_page(options, row))
			continue;
		if (!is_of_release(options, row)) {
			matrix->nr_left_out++;
			continue;
		}
		pages = row->page_shifts;
		if (options->page_shifts)
			pages &= options->page_shifts;
		for (unsigned shift = 12; shift <= 16; shift++)
			if (pages >> shift & 1)
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
	const char *own = matrix->options->driver_file;
	int status = own ? rows_read(own) : 0;

	if (!status)
		status = check_globs(matrix->options);
	if (status)
		return status;
	while (rows_at(most))
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
	free(matrix->machines);
	free(matrix->subjects);
	free(matrix->outcomes);
	free(matrix->is_done);
}
