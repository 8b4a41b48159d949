/* SPDX-License-Identifier: MIT */
/* iommusim show driver and show platform: rows of the catalogue, and what follows from them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "glob.h"
#include "iommusim.h"
#include "say.h"
#include "text.h"
#include "units.h"

/* The only argument, or NULL; 1 after --help, negative after a message. */
static int read_glob(int argc, char **argv, const char **glob)
{
	*glob = NULL;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help"))
			return 1;
		if (!strncmp(argv[i], "--", 2)) {
			say("unknown option '%s'", argv[i]);
			return -1;
		}
		if (*glob) {
			say("unexpected argument '%s'", argv[i]);
			return -1;
		}
		*glob = argv[i];
	}
	return 0;
}

static void put(const char *label, const char *text)
{
	char lead[24];

	if (!*text)
		return;
	snprintf(lead, sizeof(lead), "  %s", label);
	print_wrapped(lead, 16, text);
}

static void print_release(unsigned kernel, unsigned is_inferred, struct line *line)
{
	line_add(line, "%s%u.%u", is_inferred ? "about " : "", kernel / 1000, kernel % 1000);
}

static void print_kernels(const struct iommusim_catalog_driver *row)
{
	struct line line = { .len = 0 };

	line_add(&line, "from ");
	print_release(row->first_kernel, row->first_is_inferred, &line);
	if (row->last_kernel) {
		line_add(&line, " to ");
		print_release(row->last_kernel, row->last_is_inferred, &line);
	}
	line_add(&line, "; read: %s in %s%s", row->source_file, row->kernel_read,
	         row->is_verified ? "" : "; not verified");
	put("kernels", line.s);
}

static void print_tables(const struct iommusim_catalog_driver *row, unsigned page_shift)
{
	struct iommusim_catalog_tables tables =
		iommusim_catalog_driver_tables(row, page_shift, IOMMUSIM_KERNEL(6, 12), 0);
	struct line line = { .len = 0 };

	line_add(&line, "%s", row->page_table_format);
	if (row->levels >= 0)
		line_add(&line, ", levels %d", row->levels);
	if (row->iova_bits)
		line_add(&line, ", %u bits to %u", row->iova_bits, row->pa_bits);
	line_add(&line, "; contiguous runs: %s; coherent walk: %s; ", row->contiguous_hint,
	         row->coherent_walk);
	line_add(&line, "here %s", tables.format ? tables.format->name : tables.why);
	put("page tables", line.s);
}

/* What each kernel does where the granule is above the CPU page. */
static void print_outcome(const struct iommusim_catalog_driver *row, unsigned page_shift)
{
	static const unsigned kernels[] = { IOMMUSIM_KERNEL(6, 1), IOMMUSIM_KERNEL(6, 12) };

	for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
		struct iommusim_catalog_outcome outcome =
			iommusim_catalog_driver_outcome(row, page_shift, kernels[i], 0);
		struct line line = { .len = 0 };

		line_add(&line, "CPU pages of %uK in %s: %s", 1u << (page_shift - 10),
		         i ? "6.12" : "6.1", outcome.what);
		if (outcome.err)
			line_add(&line, " (%s)", iommusim_errname(outcome.err));
		put("granule", line.s);
	}
}

static void print_pages(const struct iommusim_catalog_driver *row)
{
	struct line line = { .len = 0 };

	if (!row->pgsizes)
		return;
	line_add(&line, "%s; with CPU pages of", pgsizes_text(row->pgsizes, ',').s);
	for (unsigned shift = 12; shift <= 16; shift++)
		if (row->page_shifts >> shift & 1)
			line_add(&line, " %uK", 1u << (shift - 10));
	put("page sizes", line.s);
	for (unsigned shift = 12; shift <= 16; shift++)
		if (row->page_shifts >> shift & 1 && row->min_granule >> shift > 1)
			print_outcome(row, shift);
}

static const char *backends_name(unsigned backends)
{
	static const char *const names[] = {
		"none",
		"dma-iommu",
		"arch/arm",
		"dma-iommu or arch/arm",
		"its own",
		"dma-iommu or its own",
		"arch/arm or its own",
		"any",
	};

	return names[backends & 7];
}

static void print_driver(const struct iommusim_catalog_driver *row)
{
	static const char *const kinds[] = { "", " (page-table code as such)", " (hypothetical)" };
	struct line aperture = { .len = 0 };

	printf("%s: %s%s\n", row->id, row->driver, kinds[row->kind]);
	put("what", row->config);
	print_kernels(row);
	print_pages(row);
	for (unsigned shift = 12, done = 0; !done && shift <= 16; shift++) {
		done = row->page_shifts >> shift & 1;
		if (done)
			print_tables(row, shift);
	}
	put("pages from", backends_name(row->backends));
	if (row->has_aperture)
		line_add(&aperture, "0x%" PRIx64 " .. 0x%" PRIx64, row->aperture_start,
		         row->aperture_last);
	put("aperture", aperture.s);
	put("CPUs", row->cpu_archs);
	put("notes", row->notes);
}

int show_driver(int argc, char **argv)
{
	const struct iommusim_catalog_driver *row;
	const char *glob;
	int nr = 0, status = read_glob(argc, argv, &glob);

	if (status > 0) {
		puts("usage: iommusim show driver [GLOB]\n\n"
		     "Print the rows of the catalogue whose id or driver is like GLOB, as "
		     "smmuv3-*; all by\n"
		     "default: what page sizes and tables they have, who gets their pages, and "
		     "what Linux\n"
		     "6.1 and 6.12 do where the smallest page is above the CPU page.");
		return EXIT_FINE;
	}
	if (status < 0)
		return EXIT_INPUT;
	for (size_t i = 0; (row = iommusim_catalog_driver_at(i)) != NULL; i++) {
		if (glob && !glob_matches(glob, row->id) && !glob_matches(glob, row->driver))
			continue;
		printf("%s", nr++ ? "\n" : "");
		print_driver(row);
	}
	return nr ? EXIT_FINE
	          : say("show driver: '%s' matches no row (iommusim show driver lists them)",
	                name_text(glob).s);
}

static void print_zones(const struct iommusim_catalog_platform *platform)
{
	struct iommusim_zone_config zones[IOMMUSIM_PLATFORM_ZONES];
	unsigned nr = iommusim_platform_zones(platform, zones);
	struct line line = { .len = 0 };

	line_add(&line, "%s:", size_exact(platform->ram_bytes).s);
	for (unsigned i = 0; i < nr; i++)
		line_add(&line, "%s %s %s at 0x%" PRIx64, i ? "," : "",
		         iommusim_zone_name(zones[i].zone),
		         size_exact(zones[i].nr_frames << platform->page_shift).s,
		         zones[i].start_pfn << platform->page_shift);
	put("memory", line.s);
}

static void print_masters(const struct iommusim_catalog_platform *platform)
{
	struct line masks = { .len = 0 }, buffers = { .len = 0 };

	for (size_t i = 0; i < platform->nr_masks; i++)
		line_add(&masks, "%s%s up to 0x%" PRIx64 "%s", i ? ", " : "",
		         platform->masks[i].name, platform->masks[i].last,
		         platform->masks[i].is_known ? "" : " (not known, the default)");
	for (size_t i = 0; i < platform->nr_buffers; i++)
		line_add(&buffers, "%s%s %s", i ? ", " : "", platform->buffers[i].name,
		         size_exact(platform->buffers[i].bytes).s);
	put("masters", platform->dma_masters);
	put("masks", masks.s);
	put("buffers", buffers.s);
}

static void print_platform(const struct iommusim_catalog_platform *platform)
{
	const struct iommusim_catalog_driver *row =
		iommusim_catalog_driver_find(platform->iommu_driver_id);
	struct line iommu = { .len = 0 };

	printf("%s: %s\n", platform->id, platform->name);
	print_zones(platform);
	line_add(&iommu, "%s, CPU pages of %uK", platform->cpu_arch,
	         1u << (platform->page_shift - 10));
	put("CPU", iommu.s);
	iommu.len = 0;
	line_add(&iommu, "%s, {%s}", row->id, pgsizes_text(row->pgsizes, ',').s);
	put("iommu", row->pgsizes ? iommu.s : "none");
	if (row->pgsizes && row->min_granule >> platform->page_shift > 1)
		print_outcome(row, platform->page_shift);
	print_masters(platform);
	put("why", platform->why);
	put("confidence", platform->confidence);
	put("notes", platform->notes);
}

int show_platform(int argc, char **argv)
{
	const struct iommusim_catalog_platform *platform;
	const char *glob;
	int nr = 0, status = read_glob(argc, argv, &glob);

	if (status > 0) {
		puts("usage: iommusim show platform [GLOB]\n\n"
		     "Print the machines of the catalogue whose id is like GLOB, as rk*; all by "
		     "default.");
		return EXIT_FINE;
	}
	if (status < 0)
		return EXIT_INPUT;
	for (size_t i = 0; (platform = iommusim_catalog_platform_at(i)) != NULL; i++) {
		if (glob && !glob_matches(glob, platform->id))
			continue;
		printf("%s", nr++ ? "\n" : "");
		print_platform(platform);
	}
	return nr ? EXIT_FINE
	          : say("show platform: '%s' matches no row (iommusim show platform lists them)",
	                name_text(glob).s);
}
