/* SPDX-License-Identifier: MIT */
/*
 * conformance [--strict] FILE...: run every record of vector files, which real kernel code made,
 * through the library, and say what differs. One record per line; one that names two kernels is
 * two.
 *
 * conformance --ground-truth [--strict] FILE...: replay recordings of real kernels, one to a file,
 * call by call, twice: once with the outcomes of page allocations of the recording and everything
 * else predicted (skipped are calls that failed before they asked for a page of the buffer); once
 * with the free lists of the recording and every frame number predicted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ground.h"
#include "pages.h"

enum exit_status { EXIT_EQUAL, EXIT_DIFFERENT, EXIT_UNREADABLE };

static const struct kind *const kinds[] = {
	&kind_chunk_pages, &kind_chunk_noncontig, &kind_pgsize,  &kind_pgtable,
	&kind_map_sg,      &kind_dma_map_sg,      &kind_dma_map, &kind_iova,
};

static const struct kind *kind_of(const struct record *record)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i]->is_mine(record))
			return kinds[i];
	return NULL;
}

/* "6.12" as a number, 0: not a kernel that is modelled. */
static unsigned kernel_of(const char *name, size_t length)
{
	if (length == 3 && !strncmp(name, "6.1", 3))
		return IOMMUSIM_KERNEL(6, 1);
	if (length == 4 && !strncmp(name, "6.12", 4))
		return IOMMUSIM_KERNEL(6, 12);
	return 0;
}

static void run_record(struct json_object *json, const char *kernel, size_t length,
                       struct totals *totals)
{
	struct record record = { .json = json, .kernel = kernel_of(kernel, length) };
	const struct kind *kind = kind_of(&record);

	if (!kind || !record.kernel) {
		totals->nr_skipped++;
		return;
	}
	kind->run(&record);
	if (!record.difference[0]) {
		totals->nr_passed++;
		return;
	}
	totals->nr_failed++;
	printf("%s on %.*s: %s\n", has_field(&record, "id") ? field_text(&record, "id") : "?",
	       (int)length, kernel, record.difference);
}

/* Once for each kernel of "6.1,6.12". */
static void run_line(struct json_object *json, struct totals *totals)
{
	struct json_object *k = NULL;
	const char *kernel;

	json_object_object_get_ex(json, "k", &k);
	kernel = json_object_get_string(k);
	if (!kernel)
		totals->nr_skipped++;
	while (kernel) {
		size_t length = strcspn(kernel, ",");

		run_record(json, kernel, length, totals);
		kernel = kernel[length] ? kernel + length + 1 : NULL;
	}
}

static int unreadable(const char *path, unsigned long line, const char *why)
{
	if (line)
		fprintf(stderr, "conformance: %s:%lu: %s\n", path, line, why);
	else
		fprintf(stderr, "conformance: %s: %s\n", path, why);
	return EXIT_UNREADABLE;
}

struct line {
	char *text; /* without its end */
	size_t cap;
};

/* Room for one more character and the final 0. */
static int grow(struct line *line, size_t length)
{
	size_t cap = (line->cap + 4096) * 2;
	char *text;

	if (length + 2 <= line->cap)
		return 1;
	text = realloc(line->text, cap);
	if (!text)
		return 0;
	*line = (struct line){ text, cap };
	return 1;
}

/* 1: the next line is there; 0: the file has ended; -1: out of memory. */
static int read_line(FILE *file, struct line *line)
{
	size_t length = 0;
	int c = getc(file);

	if (c == EOF)
		return 0;
	for (; c != EOF && c != '\n'; c = getc(file)) {
		if (!grow(line, length))
			return -1;
		line->text[length++] = (char)c;
	}
	if (!grow(line, length))
		return -1;
	line->text[length] = 0;
	return 1;
}

static int is_blank(const char *text)
{
	return !text[strspn(text, " \t\r")];
}

static int run_lines(FILE *file, const char *path, struct totals *totals)
{
	struct line line = { NULL, 0 };
	unsigned long nr = 0;
	int status = EXIT_EQUAL, got = 0;

	while (!status && (got = read_line(file, &line)) > 0) {
		struct json_object *json = NULL;

		nr++;
		if (is_blank(line.text))
			continue;
		json = json_tokener_parse(line.text);
		if (json_object_is_type(json, json_type_object))
			run_line(json, totals);
		else
			status = unreadable(path, nr, "this line is no JSON object");
		json_object_put(json);
	}
	free(line.text);
	if (got < 0)
		status = unreadable(path, nr + 1, "the host has no memory for this line");
	if (!status && ferror(file))
		status = unreadable(path, 0, strerror(errno));
	if (!status && !nr)
		status = unreadable(path, 0, "the file is empty");
	return status;
}

static int run_recording(const char *path, struct totals *totals)
{
	struct json_object *json = json_object_from_file(path), *calls = NULL;
	int status = EXIT_EQUAL;

	json_object_object_get_ex(json, "calls", &calls);
	if (json_object_is_type(calls, json_type_array)) {
		ground_truth(json, path, totals);
		pages_replay(json, path);
	} else {
		status = unreadable(path, 0, "this is no recording");
	}
	json_object_put(json);
	return status;
}

static int run_file(const char *path, struct totals *totals)
{
	FILE *file = fopen(path, "rb");
	int status;

	if (!file)
		return unreadable(path, 0, strerror(errno));
	status = run_lines(file, path, totals);
	fclose(file);
	return status;
}

static int usage(void)
{
	fputs("usage: conformance [--ground-truth] [--strict] FILE...\n", stderr);
	return EXIT_UNREADABLE;
}

int main(int argc, char **argv)
{
	int strict = 0, recordings = 0, first = 1;
	struct totals totals = { 0, 0, 0 };

	for (; first < argc && !strncmp(argv[first], "--", 2); first++) {
		if (!strcmp(argv[first], "--strict"))
			strict = 1;
		else if (!strcmp(argv[first], "--ground-truth"))
			recordings = 1;
		else
			return usage();
	}
	if (first == argc)
		return usage();
	for (int i = first; i < argc; i++) {
		int status =
			recordings ? run_recording(argv[i], &totals) : run_file(argv[i], &totals);

		if (status)
			return status;
	}
	if (recordings)
		totals.nr_failed += pages_report();
	if (strict) {
		totals.nr_failed += totals.nr_skipped;
		totals.nr_skipped = 0;
	}
	printf("%lu passed, %lu failed, %lu skipped\n", totals.nr_passed, totals.nr_failed,
	       totals.nr_skipped);
	return totals.nr_failed ? EXIT_DIFFERENT : EXIT_EQUAL;
}
