/* SPDX-License-Identifier: MIT */
/*
 * The command line. One row per option says who takes it, how its value is read and what it means;
 * the help is printed from the same rows.
 */
#include "options.h"

#include <stdio.h>
#include <string.h>
#include "object.h"
#include "rows.h"
#include "say.h"
#include "text.h"
#include "units.h"
#include "values.h"

#define SZ_4K   UINT64_C(0x1000)
#define SZ_64K  UINT64_C(0x10000)
#define SZ_2M   UINT64_C(0x200000)
#define SZ_512M UINT64_C(0x20000000)
#define SZ_1G   UINT64_C(0x40000000)

static const struct row {
	const char *name, *value;
	int (*parse)(struct options *options, const char *value);
	unsigned commands;
	unsigned repeats;
	const char *help;
} rows[] = {
	{ "memory", "SIZE", value_memory, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "a made-up machine: one zone Normal of that size at 4 GiB (default 4G), at most 2^32 - "
	  "2^14 pages, or 2^27 where the state cuts it into pieces" },
	{ "memory-start", "SIZE", value_memory_start, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "where its zone starts (default 4G)" },
	{ "cma", "SIZE", value_cma, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "the end of its zone is an area for contiguous ranges (CMA), of whole pageblocks, "
	  "free whatever the state; not with age" },
	{ "buddyinfo", "FILE", value_buddyinfo, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "the machine that this copy of /proc/buddyinfo comes from" },
	{ "pagetypeinfo", "FILE", value_pagetypeinfo, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "its /proc/pagetypeinfo (readable by root only)" },
	{ "zoneinfo", "FILE", value_zoneinfo, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "its /proc/zoneinfo: where the zones are, how large, and their watermarks" },
	{ "splat", "FILE", value_splat, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "the machine that this kernel log comes from, by its first report of a 'page allocation "
	  "failure'; the request that failed is the --size, its kernel the nearest --kernel" },
	{ "state", "STATE", value_state, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "of a made-up machine. fresh: all is free. pin:ORDER/STRIDE: the first "
	  "page of every STRIDE-th block of that order is in use. "
	  "random:FREE%,UNUSABLE%@ORDER, as random:30%,80%@9: that share is free, "
	  "and that share of it lies in blocks below the order. "
	  "age:PROFILE[/HOURS]: used for that long, as a phone, desktop or server (default 8, 24 "
	  "or "
	  "168 hours)" },
	{ "seed", "N", value_seed, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "of the random or aged state (default 1)" },
	{ "page-size", "SIZE", value_page_size, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "CPU page: 4K (default), 8K, 16K or 64K; that of the machine where --buddyinfo is "
	  "given" },
	{ "kernel", "VERSION", value_kernel, USE_COMPARE | USE_STATE | USE_PGTABLE, 0,
	  "6.1 or 6.12 (default): page allocator, checks and mapping" },
	{ "size", "SIZE", value_buffers, USE_COMPARE | USE_PGTABLE, 1,
	  "a buffer, or sixteen: 16x4M; repeat for more; all are held at the same time (default "
	  "4M)" },
	{ "pgsizes", "LIST", value_pgsizes, USE_COMPARE | USE_PGTABLE, 1,
	  "page sizes of the IOMMU, as 4K,2M,1G, or 4K-1G for every power of two between; repeat "
	  "for several IOMMUs side by side, in compare" },
	{ "iommu", "ID", value_iommu, USE_COMPARE | USE_PGTABLE, 1,
	  "an IOMMU of the catalogue (show driver lists them): its page sizes, page tables and "
	  "aperture, and what Linux makes of it as a DMA domain; repeat as --pgsizes" },
	{ "driver-file", "FILE", value_driver_file, USE_COMPARE | USE_PGTABLE, 0,
	  "rows of your own for --iommu, with the columns of lib/catalog/drivers.csv" },
	{ "contiguous", "YES|NO", value_contiguous, USE_COMPARE | USE_PGTABLE, 0,
	  "yes: Arm's long descriptors have the contiguous hint, which Linux never sets, and the "
	  "page sizes that it adds (default no)" },
	{ "policy", "NAME", value_policy, USE_COMPARE | USE_PGTABLE, 1,
	  "a chunk policy by name or alias, several as P3,P4, a family, all of the history "
	  "(all, default), every one, or a shared object of yours: ./mine.so; show pgtable takes "
	  "one, by default dma-iommu-6.4" },
	{ "domain", "MODE", value_domain, USE_COMPARE | USE_PGTABLE, 0,
	  "strict: a page size above the CPU page is refused, as Linux does for a "
	  "DMA domain; extended: it is accepted, as by an unmanaged domain" },
	{ "attrs", "ATTRS", value_attrs, USE_COMPARE | USE_PGTABLE, 1,
	  "none, single-pages (DMA_ATTR_ALLOC_SINGLE_PAGES) or, with policies of arch/arm, "
	  "force-contiguous (DMA_ATTR_FORCE_CONTIGUOUS: one range of the --cma); repeat for "
	  "several, in compare" },
	{ "pgtable", "FORMAT", value_pgtable, USE_COMPARE | USE_PGTABLE, 0,
	  "format of the page tables, or none: driver calls are only counted; default: the first "
	  "format that has exactly the page sizes and can hold the memory's addresses, else none" },
	{ "iova", "ADDRESS", value_iova, USE_PGTABLE, 0, "walk the tables for this address" },
	{ "format", "FORMAT", value_format, USE_COMPARE | USE_STATE, 0,
	  "table (default), json, or csv (compare only)" },
};

void options_help(unsigned command)
{
	char lead[64];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!(rows[i].commands & command))
			continue;
		snprintf(lead, sizeof(lead), "  --%s %s", rows[i].name, rows[i].value);
		print_wrapped(lead, 23, rows[i].help);
	}
	print_wrapped("  --help", 23, "print this");
}

/* The row of the option that @name names for @command; NULL: none. */
static const struct row *find_row(unsigned command, struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].commands & command && slice_is(name, rows[i].name))
			return &rows[i];
	return NULL;
}

/*
 * Read the option @argv[0], whose value may be @argv[1]. *used gets the number of arguments that it
 * took. Returns 0 or, after a message, EXIT_INPUT.
 */
static int parse_option(struct options *options, unsigned command, char **argv, int *used)
{
	struct slice rest = slice_of(argv[0] + 2);
	const char *value = strchr(argv[0], '=');
	struct slice name = slice_cut(&rest, '=');
	const struct row *row = find_row(command, name);

	if (!row)
		return say("unknown option '--%.*s'", (int)name.len, name.start);
	if (options->seen >> (row - rows) & 1 && !row->repeats)
		return say("--%s: given twice", row->name);
	*used = value ? 1 : 2;
	value = value ? value + 1 : argv[1];
	if (!value)
		return say("--%s: its value is missing (%s)", row->name, row->value);
	options->seen |= 1u << (row - rows);
	return row->parse(options, value);
}

/* Whether a report goes with the other options. */
static int check_splat(const struct options *options)
{
	const char *other = options->buddyinfo      ? "--buddyinfo"
	                    : options->pagetypeinfo ? "--pagetypeinfo"
	                    : options->zoneinfo     ? "--zoneinfo"
	                    : options->state_text   ? "--state"
	                    : options->memory       ? "--memory"
	                                            : NULL;

	return other ? say("--splat: does not go with %s, since it is a state itself", other) : 0;
}

/* An area is set aside at boot, on a machine of which nothing is in use yet. */
static int check_cma(const struct options *options)
{
	if (options->buddyinfo || options->splat)
		return say("--cma: does not go with %s, which tells the machine",
		           options->splat ? "--splat" : "--buddyinfo");
	if (!options->memory && !options->state_text)
		return say("--cma: needs --memory or --state");
	if (options->state == STATE_AGE)
		return say("--cma: does not go with --state '%s', only with fresh, pin and random",
		           options->state_text);
	return 0;
}

/* Which state is meant, and whether the options go together. */
static int settle_state(struct options *options)
{
	if (options->splat && check_splat(options))
		return EXIT_INPUT;
	if (options->cma && check_cma(options))
		return EXIT_INPUT;
	if (options->buddyinfo && options->state_text)
		return say("--state: does not go with --buddyinfo, which is a state itself");
	if (options->buddyinfo && options->memory_start)
		return say("--memory-start: does not go with --buddyinfo, which tells the zones");
	if (options->memory_start && !options->memory && !options->state_text)
		return say("--memory-start: needs --memory or --state");
	if (options->buddyinfo && options->memory)
		return say("--memory: does not go with --buddyinfo, which tells the size");
	if (options->pagetypeinfo && !options->buddyinfo)
		return say("--pagetypeinfo: needs the --buddyinfo of the same machine");
	if (options->zoneinfo && !options->buddyinfo)
		return say("--zoneinfo: needs the --buddyinfo of the same machine");
	if (options->splat)
		options->state = STATE_SPLAT;
	else if (options->buddyinfo)
		options->state = STATE_FILE;
	else if (options->memory && !options->state_text)
		options->state = STATE_FRESH;
	if (options->state >= STATE_FRESH && !options->memory)
		options->memory = UINT64_C(1) << 32;
	return 0;
}

/* The row that is meant by number @i; 0 or, after a message, EXIT_INPUT. */
static int settle_iommu(struct options *options, unsigned i)
{
	const struct iommusim_catalog_driver *row = rows_find(options->iommus[i]);
	struct name_text name = name_text(options->iommus[i]);

	if (!row)
		return say("--iommu: '%s' is no row (iommusim show driver lists them)", name.s);
	if (!row->pgsizes)
		return say("--iommu: '%s' does no paging", name.s);
	if (row->min_granule > MAX_GRANULE)
		return say("--iommu: '%s' has its smallest page, %s, above 4G", name.s,
		           size_exact(row->min_granule).s);
	options->rows[i] = row;
	options->pgsizes[i] = row->pgsizes;
	return 0;
}

/* A made-up machine has a CPU page that the first row runs with. */
static int settle_iommus(struct options *options)
{
	unsigned shifts = 0;
	int status = options->driver_file ? rows_read(options->driver_file) : 0;

	for (unsigned i = 0; !status && i < options->nr_iommus; i++)
		if (options->iommus[i])
			status = settle_iommu(options, i);
	if (status)
		return status;
	for (unsigned i = 0; !shifts && i < options->nr_iommus; i++)
		shifts = options->rows[i] ? options->rows[i]->page_shifts : 0;
	if (shifts && options->has_pgtable)
		return say("--pgtable: does not go with --iommu, which tells the tables");
	if (!shifts || options->has_page_shift || options->state < STATE_FRESH ||
	    shifts >> options->page_shift & 1)
		return 0;
	options->page_shift = log2_of(shifts & (~shifts + 1));
	return 0;
}

/* Where neither IOMMU nor policy nor page tables are named: an overview of three IOMMUs and both
 * attributes. */
static int set_defaults(struct options *options)
{
	static const uint64_t iommus[] = { SZ_4K | SZ_2M | SZ_1G, SZ_64K | SZ_512M, SZ_2M | SZ_1G };
	static const uint32_t attrs[] = { 0, IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES };
	int is_overview = !options->nr_iommus && !options->nr_policies && !options->has_pgtable;

	if (is_overview && !options->has_mode)
		options->mode = IOMMUSIM_DOMAIN_EXTENDED;
	if (!options->nr_iommus) {
		options->nr_iommus = is_overview ? ARRAY_LEN(iommus) : 1;
		memcpy(options->pgsizes, iommus, sizeof(iommus));
	}
	if (!options->nr_attrs) {
		options->nr_attrs = is_overview ? ARRAY_LEN(attrs) : 1;
		memcpy(options->attrs, attrs, sizeof(attrs));
	}
	options->has_sizes = options->nr_sizes != 0;
	if (!options->nr_sizes && value_buffers(options, "4M"))
		return EXIT_INPUT;
	return options->nr_policies ? 0 : value_all_policies(options);
}

int options_parse(struct options *options, unsigned command, int argc, char **argv)
{
	int used = 1, status;

	*options = (struct options){ .page_shift = 12,
		                     .kernel = IOMMUSIM_KERNEL(6, 12),
		                     .gfp = IOMMUSIM_GFP_KERNEL,
		                     .seed = 1 };
	for (int i = 1; i < argc; i += used) {
		if (!strcmp(argv[i], "--help")) {
			options->wants_help = 1;
			return 0;
		}
		if (strncmp(argv[i], "--", 2) != 0)
			return say("unexpected argument '%s'", argv[i]);
		status = parse_option(options, command, argv + i, &used);
		if (status)
			return status;
	}
	options->random.seed = options->age.seed = options->seed;
	status = settle_state(options);
	if (!status)
		status = settle_iommus(options);
	return status ? status : set_defaults(options);
}

/* arch/arm's; or from a shared object and of its kin. */
static int looks_at_contiguous(const struct iommusim_policy *policy)
{
	const struct iommusim_policy *reference = object_reference(policy);

	return policy->is_arm || (reference && reference->is_arm);
}

int options_check_attrs(const struct options *options)
{
	unsigned forced = 0;

	for (unsigned i = 0; i < options->nr_attrs; i++)
		forced |= options->attrs[i] & IOMMUSIM_ATTR_FORCE_CONTIGUOUS;
	for (unsigned i = 0; forced && i < options->nr_policies; i++)
		if (!looks_at_contiguous(options->policies[i]))
			return say("--attrs: 'force-contiguous' is nothing to policy %s: dma-iommu "
			           "decides this before its loop, only arch/arm's are asked (A1 to "
			           "A4)",
			           options->policies[i]->name);
	return 0;
}

int options_adopt(struct options *options, const struct iommusim_splat *splat)
{
	uint64_t page = UINT64_C(1) << splat->page_shift;

	if (options->has_page_shift && options->page_shift != splat->page_shift)
		return say("--page-size: '%s' is not that of the report, %s",
		           size_exact(UINT64_C(1) << options->page_shift).s, size_exact(page).s);
	options->page_shift = splat->page_shift;
	if (!options->has_kernel && splat->kernel && splat->kernel < IOMMUSIM_KERNEL(6, 10))
		options->kernel = IOMMUSIM_KERNEL(6, 1);
	if (options->has_sizes)
		return 0;
	if (splat->gfp & IOMMUSIM_GFP_BIT_MOVABLE && splat->gfp & IOMMUSIM_GFP_BIT_RECLAIMABLE)
		return say("--splat: the request '%s' is both movable and reclaimable",
		           splat->mode);
	options->gfp = splat->gfp & ~IOMMUSIM_GFP_BIT_COMP; /* no DMA buffer is compound */
	options->sizes[0] = (struct buffers){ 1, page << splat->order };
	options->nr_buffers = 1;
	options->buffer_bytes = options->sizes[0].bytes;
	return 0;
}
