/* SPDX-License-Identifier: MIT */
/* iommusim matrix: does a policy break or slow down any driver there is? */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L /* stat() */
#endif

#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"

#if !defined(_WIN32)
#include <sys/stat.h>
#endif

static int help(void)
{
	puts("usage: iommusim matrix [OPTION]...\n");
	print_wrapped(
		"", 0,
		"Hold policies against a base policy: every IOMMU driver of the catalogue, under "
		"every CPU page it runs with, as a DMA domain and as an unmanaged one, in every "
		"memory state, with every buffer size and both attributes.");
	putchar('\n');
	matrix_options_help();
	puts("\nclasses, from bad to good\n"
	     "  broken         cannot be mapped, where the base's buffer can, or the base finds "
	     "no\n"
	     "                 memory\n"
	     "  no memory      finds none, where the base does\n"
	     "  by luck        mapped since its chunks happened to adjoin; the base needs no luck\n"
	     "  more memory    takes more pages\n"
	     "  slower         more attempts, more leaf entries, or more failed attempts above "
	     "order 0\n"
	     "                 that may reclaim\n"
	     "  both fail      neither policy delivers the buffer\n"
	     "  not simulated  this library has no domains with pages above 4G only\n"
	     "  refused        this kernel does not make such a DMA domain\n"
	     "  not used       the DMA domains of this driver get their pages elsewhere, or it has "
	     "none\n"
	     "  ok             none of these");
	puts("\nA buffer that is mapped, or is not, was so in page tables of the row's format "
	     "(tables) "
	     "where\nthis library has it, else in calls that are recorded (recorded).");
	puts("\nExit status: 0; 1 if something is broken or without memory that the base serves or "
	     "does not\nbreak; 2 for bad usage or input.");
	return EXIT_FINE;
}

static int print(const struct matrix *matrix)
{
	static int (*const printers[])(const struct matrix *matrix) = {
		[MATRIX_TABLE] = matrix_print_table,
		[MATRIX_JSON] = matrix_print_json,
		[MATRIX_CSV] = matrix_print_csv,
		[MATRIX_HTML] = matrix_print_html,
	};

	return printers[matrix->options->format](matrix);
}

static int verdict(const struct matrix *matrix)
{
	for (size_t i = 0; i < matrix_nr_cells(matrix); i++)
		if (matrix_cell(matrix, i).class >= CLASS_NO_MEMORY)
			return EXIT_VERDICT;
	return EXIT_FINE;
}

static int cannot_write(const char *path, const char *why)
{
	return say("--output: '%s' cannot be written (%s)", name_text(path).s, why);
}

/* Whether the name is that of something that must not be replaced, as a device. */
static int is_special(const char *path)
{
#if defined(_WIN32)
	return 0;
#else
	struct stat status;

	return !stat(path, &status) && !S_ISREG(status.st_mode);
#endif
}

/* Print into @name, which becomes @path when it is whole. */
static int print_into(const struct matrix *matrix, const char *name, const char *path)
{
	int status;

	if (!freopen(name, "wb", stdout))
		return cannot_write(path, strerror(errno));
	status = print(matrix);
	if (!status && (fflush(stdout) || ferror(stdout)))
		status = cannot_write(path, strerror(errno));
	if (!status && name != path && rename(name, path))
		status = cannot_write(path, strerror(errno));
	if (status && name != path)
		remove(name);
	if (status)
		clearerr(stdout);
	return status;
}

static int print_to_file(const struct matrix *matrix, const char *path)
{
	size_t room = strlen(path) + sizeof(".part");
	char *part;
	int status;

	if (is_special(path))
		return print_into(matrix, path, path);
	part = malloc(room);
	if (!part)
		return say("the host has no memory for a name");
	snprintf(part, room, "%s.part", path);
	status = print_into(matrix, part, path);
	free(part);
	return status;
}

static int run(struct matrix *matrix)
{
	const struct matrix_options *options = matrix->options;
	int status = matrix_plan(matrix);

	if (!status && options->resume)
		status = matrix_load(matrix);
	if (!status)
		status = matrix_run(matrix);
	if (!status && options->output)
		status = print_to_file(matrix, options->output);
	else if (!status)
		status = print(matrix);
	return status ? status : verdict(matrix);
}

int cmd_matrix(int argc, char **argv)
{
	struct matrix_options options;
	struct matrix matrix = { .options = &options };
	int status = matrix_options_parse(&options, argc, argv);

	if (status)
		return status;
	if (options.wants_help)
		return help();
	status = run(&matrix);
	matrix_finish(&matrix);
	return status;
}
