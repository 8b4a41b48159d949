/* SPDX-License-Identifier: MIT */
/* The command line of iommusim matrix. */
#include <stdio.h>
#include <string.h>

#include "matrix.h"
#include "text.h"
#include "units.h"
#include "values.h"

static int bad(const char *option, struct slice value, const char *wrong)
{
	return say("--%s: '%.*s' %s", option, (int)value.len, value.start, wrong);
}

static int take_base(struct matrix_options *options, const char *value)
{
	options->base = iommusim_policy_find(value);
	return options->base ? 0 : bad("base", slice_of(value), "is no policy");
}

static int take_policy(struct matrix_options *options, const char *value)
{
	return value_policy(&options->common, value);
}

static int take_attrs(struct matrix_options *options, const char *value)
{
	int status = value_attrs(&options->common, value);

	for (unsigned i = 0; !status && i < options->common.nr_attrs; i++)
		if (options->common.attrs[i] & IOMMUSIM_ATTR_FORCE_CONTIGUOUS)
			status = bad("attrs", slice_of("force-contiguous"),
			             "is none of none, single-pages");
	return status;
}

static int take_kernel(struct matrix_options *options, const char *value)
{
	return value_kernel(&options->common, value);
}

static int take_seed(struct matrix_options *options, const char *value)
{
	return value_seed(&options->common, value);
}

static int take_memory(struct matrix_options *options, const char *value)
{
	return value_memory(&options->common, value);
}

static int take_glob(struct matrix_options *options, const char *value)
{
	if (options->nr_globs == MAX_GLOBS)
		return bad("drivers", slice_of(value), "is one too many");
	options->globs[options->nr_globs++] = value;
	return 0;
}

static int take_page_size(struct matrix_options *options, const char *value)
{
	struct options scratch = { 0 };

	if (value_page_size(&scratch, value))
		return EXIT_INPUT;
	options->page_shifts |= 1u << scratch.page_shift;
	return 0;
}

static int take_state(struct matrix_options *options, const char *value)
{
	struct options scratch = { 0 };

	if (options->nr_states == MAX_STATES)
		return bad("state", slice_of(value), "is one too many");
	if (value_state(&scratch, value))
		return EXIT_INPUT;
	options->states[options->nr_states++] = value;
	return 0;
}

static int take_sizes(struct matrix_options *options, const char *value)
{
	struct slice rest = slice_of(value);
	int is_last;

	do {
		const char *wrong = NULL;
		struct slice item;
		uint64_t bytes = 0;

		is_last = !strchr(rest.start, ',');
		item = slice_cut(&rest, ',');
		wrong = read_size(item, &bytes);
		if (!wrong && options->nr_sizes == MAX_REQUESTS)
			wrong = "is one too many";
		if (wrong)
			return bad("size", item, wrong);
		options->sizes[options->nr_sizes++] = bytes;
	} while (!is_last);
	return 0;
}

static int take_domain(struct matrix_options *options, const char *value)
{
	if (!strcmp(value, "strict"))
		options->domains |= 1u << MATRIX_STRICT;
	else if (!strcmp(value, "unmanaged"))
		options->domains |= 1u << MATRIX_UNMANAGED;
	else
		return bad("domain", slice_of(value), "is none of strict, unmanaged");
	return 0;
}

static int take_jobs(struct matrix_options *options, const char *value)
{
	const char *wrong = read_number(slice_of(value), &options->nr_jobs);

	if (!wrong && (!options->nr_jobs || options->nr_jobs > 256))
		wrong = "is not 1 .. 256";
	return wrong ? bad("jobs", slice_of(value), wrong) : 0;
}

static int take_format(struct matrix_options *options, const char *value)
{
	static const char *const names[] = { "table", "json", "csv", "html" };

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (!strcmp(names[i], value)) {
			options->format = (enum matrix_format)i;
			return 0;
		}
	}
	return bad("format", slice_of(value), "is none of table, json, csv, html");
}

static int take_releases(struct matrix_options *options, const char *value)
{
	if (strcmp(value, "all") != 0 && strcmp(value, "kernel") != 0)
		return bad("releases", slice_of(value), "is none of kernel, all");
	options->all_releases = !strcmp(value, "all");
	return 0;
}

static int take_contiguous(struct matrix_options *options, const char *value)
{
	return value_contiguous(&options->common, value);
}

static int take_driver_file(struct matrix_options *options, const char *value)
{
	options->driver_file = value;
	return 0;
}

static int take_output(struct matrix_options *options, const char *value)
{
	options->output = value;
	return 0;
}

static int take_resume(struct matrix_options *options, const char *value)
{
	options->resume = value;
	return 0;
}

static const struct row {
	const char *name, *value;
	int (*take)(struct matrix_options *options, const char *value);
	const char *help;
} rows[] = {
	{ "base", "POLICY", take_base, "what the others are held against (default dma-iommu-4.7)" },
	{ "policy", "POLICY", take_policy,
	  "what may break something: several as P3,P5, or repeated (default single-pages-patch)" },
	{ "drivers", "GLOB", take_glob,
	  "only rows whose id or driver is like that, as smmuv3-* or rockchip*; may be repeated; "
	  "without it all but page-table code as such" },
	{ "driver-file", "FILE", take_driver_file,
	  "also rows of your own, with the columns of lib/catalog/drivers.csv; one with the id of "
	  "a "
	  "built-in row stands for it" },
	{ "page-size", "SIZE", take_page_size,
	  "only this CPU page; may be repeated (default: all that a row runs with)" },
	{ "state", "STATE", take_state,
	  "of the memory, as in compare; may be repeated (default: fresh, aged, four fragmented "
	  "ones, and one that is low)" },
	{ "size", "SIZES", take_sizes,
	  "of one buffer, as 4K,1M; may be repeated (default: eleven)" },
	{ "attrs", "ATTRS", take_attrs, "none or single-pages (default: both)" },
	{ "domain", "KIND", take_domain,
	  "strict: a DMA domain, as this kernel makes it; unmanaged: mapped with iommu_map() "
	  "(default: both)" },
	{ "kernel", "VERSION", take_kernel, "6.1 or 6.12 (default)" },
	{ "releases", "WHICH", take_releases,
	  "kernel: only rows whose facts are of this kernel (default); all: others, too, judged as "
	  "if they were" },
	{ "contiguous", "YES|NO", take_contiguous,
	  "yes: Arm's long descriptors have the contiguous hint, which Linux never sets, and the "
	  "page sizes that it adds (default no)" },
	{ "memory", "SIZE", take_memory,
	  "of the machines, at 1G (default: 65536 CPU pages, at most 3G)" },
	{ "seed", "N", take_seed, "of random states (default 1)" },
	{ "format", "FORMAT", take_format, "table (default), json, csv or html" },
	{ "output", "FILE", take_output, "write there; the file appears when it is whole" },
	{ "resume", "FILE", take_resume,
	  "keep partial results there, and go on from them where they are of the same matrix" },
	{ "jobs", "N", take_jobs, "workers (default: one per core)" },
};

void matrix_options_help(void)
{
	char lead[64];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(lead, sizeof(lead), "  --%s %s", rows[i].name, rows[i].value);
		print_wrapped(lead, 23, rows[i].help);
	}
	print_wrapped("  --help", 23, "print this");
}

static int set_defaults(struct matrix_options *options)
{
	static const char *const states[] = {
		"fresh",   "age:desktop/4",    "pin:9/1",         "pin:4/1",
		"pin:0/2", "random:50%,80%@9", "random:6%,60%@4",
	};
	struct options *common = &options->common;

	if (!options->base)
		options->base = &iommusim_policy_dma_iommu_4_7;
	if (!common->nr_policies && value_policy(common, "P3"))
		return EXIT_INPUT;
	if (!common->nr_attrs && value_attrs(common, "none,single-pages"))
		return EXIT_INPUT;
	if (!options->nr_sizes &&
	    take_sizes(options, "4K,12K,64K,100K,300K,1M,2M,3110400,4100K,8M,16M"))
		return EXIT_INPUT;
	for (size_t i = 0; !options->nr_states && i < ARRAY_LEN(states); i++)
		options->states[i] = states[i];
	if (!options->nr_states)
		options->nr_states = ARRAY_LEN(states);
	if (!options->domains)
		options->domains = 1u << MATRIX_STRICT | 1u << MATRIX_UNMANAGED;
	if (options->output && options->resume && !strcmp(options->output, options->resume))
		return say("--output: '%s' is where --resume keeps its results",
		           name_text(options->output).s);
	if (common->nr_policies > MAX_CANDIDATES)
		return say("--policy: more than %d policies", MAX_CANDIDATES);
	return 0;
}

static int parse_one(struct matrix_options *options, char **argv, int *used)
{
	struct slice rest = slice_of(argv[0]);
	struct slice name = slice_cut(&rest, '=');
	const char *value = strchr(argv[0], '=');
	size_t i = 0;

	if (strncmp(argv[0], "--", 2) != 0)
		return say("unexpected argument '%s'", argv[0]);
	name.start += 2;
	name.len -= 2;
	while (i < ARRAY_LEN(rows) && !slice_is(name, rows[i].name))
		i++;
	if (i == ARRAY_LEN(rows))
		return say("unknown option '--%.*s'", (int)name.len, name.start);
	*used = value ? 1 : 2;
	value = value ? value + 1 : argv[1];
	if (!value)
		return say("--%s: its value is missing (%s)", rows[i].name, rows[i].value);
	return rows[i].take(options, value);
}

int matrix_options_parse(struct matrix_options *options, int argc, char **argv)
{
	int used = 1, status;

	memset(options, 0, sizeof(*options));
	options->common.kernel = IOMMUSIM_KERNEL(6, 12);
	options->common.seed = 1;
	for (int i = 1; i < argc; i += used) {
		if (!strcmp(argv[i], "--help")) {
			options->wants_help = 1;
			return 0;
		}
		status = parse_one(options, argv + i, &used);
		if (status)
			return status;
	}
	return set_defaults(options);
}
