/* SPDX-License-Identifier: MIT */
/* Partial results as JSON: the jobs that are done, and what matrix they are of. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <json-c/json.h>
#include "matrix.h"

#define NR_FIELDS 12

struct digest {
	uint64_t hash; /* FNV-1a */
};

static void digest_text(struct digest *digest, const char *text)
{
	do
		digest->hash = (digest->hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	while (*text++);
}

static void digest_number(struct digest *digest, uint64_t number)
{
	for (unsigned i = 0; i < 64; i += 8)
		digest->hash = (digest->hash ^ (number >> i & 0xff)) * UINT64_C(1099511628211);
}

static void digest_machine(struct digest *digest, const struct matrix_machine *m)
{
	const struct iommusim_machine_config *c = &m->config;
	const uint64_t numbers[] = { m->page_shift,
		                     c->pgsizes,
		                     c->ias,
		                     c->oas,
		                     c->quirks,
		                     c->window_start,
		                     c->is_noncoherent,
		                     c->coherent_mask,
		                     c->aperture_start,
		                     c->aperture_last,
		                     c->contiguous,
		                     c->nr_levels };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		digest_number(digest, numbers[i]);
	digest_text(digest, c->format ? c->format->name : "none");
}

static void digest_options(struct digest *digest, const struct matrix_options *options)
{
	const struct options *common = &options->common;

	digest_text(digest, options->base->name);
	for (unsigned i = 0; i < common->nr_policies; i++)
		digest_text(digest, common->policies[i]->name);
	for (unsigned i = 0; i < common->nr_attrs; i++)
		digest_text(digest, attrs_name(common->attrs[i]));
	for (unsigned i = 0; i < options->nr_states; i++)
		digest_text(digest, options->states[i]);
	for (unsigned i = 0; i < options->nr_sizes; i++)
		digest_number(digest, options->sizes[i]);
}

/* What the outcomes depend on: what a person may look for in words, and a digest of all. */
static void describe_inputs(const struct matrix *matrix, struct line *line)
{
	const struct options *common = &matrix->options->common;
	struct digest digest = { UINT64_C(14695981039346656037) };

	for (size_t i = 0; i < matrix->nr_machines; i++)
		digest_machine(&digest, &matrix->machines[i]);
	digest_options(&digest, matrix->options);
	line_add(line, "%s; %016" PRIx64 "; kernel %s, seed %" PRIu64 ", memory %" PRIu64,
	         IOMMUSIM_VERSION, digest.hash, kernel_name(common->kernel), common->seed,
	         common->memory);
	line_add(line, ", base %s, %u policies, %u states, %u sizes, %lu machines",
	         matrix->options->base->name, common->nr_policies, matrix->options->nr_states,
	         matrix->options->nr_sizes, (unsigned long)matrix->nr_machines);
}

static void to_fields(const struct outcome *o, uint64_t *field)
{
	const uint64_t fields[NR_FIELDS] = { o->pages,  o->leaves,         o->tried,   o->vain,
		                             o->pa,     o->size,           o->chunk,   o->order,
		                             o->tables, (uint64_t)-o->err, o->verdict, o->step };

	memcpy(field, fields, sizeof(fields));
}

static void from_fields(const uint64_t *field, struct outcome *o)
{
	*o = (struct outcome){ .pages = field[0],
		               .leaves = field[1],
		               .tried = field[2],
		               .vain = field[3],
		               .pa = field[4],
		               .size = field[5],
		               .chunk = (uint32_t)field[6],
		               .order = (uint32_t)field[7],
		               .tables = (uint32_t)field[8],
		               .err = -(int)field[9],
		               .verdict = (enum verdict)field[10],
		               .step = (enum iommusim_dma_step)field[11] };
}

static void write_job(FILE *file, const struct matrix *matrix, size_t job)
{
	size_t nr = matrix_job_outcomes(matrix->options);
	uint64_t field[NR_FIELDS];

	fprintf(file, "[");
	for (size_t i = 0; i < nr; i++) {
		to_fields(&matrix->outcomes[job * nr + i], field);
		for (unsigned f = 0; f < NR_FIELDS; f++)
			fprintf(file, "%s%" PRIu64, i || f ? "," : "", field[f]);
	}
	fprintf(file, "]");
}

static void write_all(FILE *file, const struct matrix *matrix)
{
	size_t jobs = matrix->nr_machines * matrix->options->nr_states;
	struct line inputs = { .len = 0 };
	int is_first = 1;

	describe_inputs(matrix, &inputs);
	fprintf(file, "{\"inputs\":\"%s\",\"jobs\":{", inputs.s);
	for (size_t job = 0; job < jobs; job++) {
		if (!matrix->is_done[job])
			continue;
		fprintf(file, "%s\n\"%lu\":", is_first ? "" : ",", (unsigned long)job);
		is_first = 0;
		write_job(file, matrix, job);
	}
	fprintf(file, "\n}}\n");
}

int matrix_save(const struct matrix *matrix)
{
	const char *path = matrix->options->resume;
	size_t room = strlen(path) + sizeof(".part");
	char *part = malloc(room);
	int is_bad = 1;
	FILE *file;

	if (!part)
		return say("the host has no memory for a name");
	snprintf(part, room, "%s.part", path);
	file = fopen(part, "wb");
	if (file) {
		write_all(file, matrix);
		is_bad = ferror(file);
		is_bad |= fclose(file) != 0;
		if (is_bad || rename(part, path)) {
			remove(part);
			is_bad = 1;
		}
	}
	free(part);
	return is_bad ? say("--resume: '%s' cannot be written", name_text(path).s) : 0;
}

/* One job's numbers. 0: they are not all there. */
static int read_job(struct matrix *matrix, size_t job, struct json_object *numbers)
{
	size_t nr = matrix_job_outcomes(matrix->options);
	uint64_t field[NR_FIELDS];

	if (!json_object_is_type(numbers, json_type_array) ||
	    json_object_array_length(numbers) != nr * NR_FIELDS)
		return 0;
	for (size_t i = 0; i < nr; i++) {
		for (size_t f = 0; f < NR_FIELDS; f++) {
			struct json_object *number =
				json_object_array_get_idx(numbers, i * NR_FIELDS + f);

			if (!json_object_is_type(number, json_type_int))
				return 0;
			field[f] = json_object_get_uint64(number);
		}
		if (field[10] > VERDICT_REFUSED)
			return 0;
		from_fields(field, &matrix->outcomes[job * nr + i]);
	}
	matrix->is_done[job] = 1;
	matrix->nr_done++;
	return 1;
}

static int read_jobs(struct matrix *matrix, struct json_object *jobs)
{
	size_t nr = matrix->nr_machines * matrix->options->nr_states;

	json_object_object_foreach(jobs, key, numbers)
	{
		char *rest;
		unsigned long job = strtoul(key, &rest, 10);

		if (*rest || job >= nr || matrix->is_done[job] || !read_job(matrix, job, numbers))
			return 0;
	}
	return 1;
}

static int read_all(struct matrix *matrix, struct json_object *root)
{
	const char *name = matrix->options->resume;
	struct line inputs = { .len = 0 };
	struct json_object *said, *jobs;

	if (!json_object_object_get_ex(root, "inputs", &said) ||
	    !json_object_is_type(said, json_type_string) ||
	    !json_object_object_get_ex(root, "jobs", &jobs) ||
	    !json_object_is_type(jobs, json_type_object))
		return say("--resume: '%s' is no partial matrix", name_text(name).s);
	describe_inputs(matrix, &inputs);
	if (strcmp(inputs.s, json_object_get_string(said)) != 0)
		return say("--resume: '%s' is of another matrix", name_text(name).s);
	return read_jobs(matrix, jobs) ? 0 : say("--resume: '%s' is damaged", name_text(name).s);
}

/* Why the file at @path cannot be gone on from; NULL: it can, or (*is_there is 0) it is not there.
 */
static const char *look_at(const char *path, int *is_there)
{
	struct stat about;

	*is_there = !stat(path, &about);
	if (!*is_there)
		return errno == ENOENT ? NULL : strerror(errno);
	return S_ISREG(about.st_mode) ? NULL : "it is no regular file";
}

/* A file that is not there is a start from nothing. */
int matrix_load(struct matrix *matrix)
{
	const char *path = matrix->options->resume, *wrong;
	struct json_object *root;
	int status, is_there;

	wrong = look_at(path, &is_there);
	if (wrong)
		return say("--resume: '%s' cannot be read: %s", name_text(path).s, wrong);
	if (!is_there)
		return 0;
	root = json_object_from_file(path);
	status = read_all(matrix, root);
	json_object_put(root);
	return status;
}
