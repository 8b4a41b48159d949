/* SPDX-License-Identifier: MIT */
/* iommusim show format, show pgtable: what words mean, and what page tables hold. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"
#include "reason.h"
#include "say.h"
#include "state.h"
#include "tables.h"
#include "text.h"
#include "units.h"

/* ---- Formats ---- */

static int help_format(void)
{
	puts("usage: iommusim show format [NAME|all]\n\n"
	     "Print what page-table formats there are. A name is ours or the kernel's.");
	return EXIT_FINE;
}

static void print_quirks(uint32_t quirks)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ IOMMUSIM_QUIRK_ARM_NS, "ARM_NS" },
		{ IOMMUSIM_QUIRK_NO_PERMS, "NO_PERMS" },
		{ IOMMUSIM_QUIRK_ARM_MTK_EXT, "ARM_MTK_EXT" },
		{ IOMMUSIM_QUIRK_ARM_MTK_TTBR_EXT, "ARM_MTK_TTBR_EXT" },
		{ IOMMUSIM_QUIRK_ARM_TTBR1, "ARM_TTBR1" },
		{ IOMMUSIM_QUIRK_ARM_OUTER_WBWA, "ARM_OUTER_WBWA" },
		{ IOMMUSIM_QUIRK_ARM_HD, "ARM_HD (6.12)" },
	};
	struct line line = { .len = 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (quirks & names[i].bit)
			line_add(&line, "%s%s", line.len ? ", " : "", names[i].name);
	print_wrapped("  quirks", LABEL_WIDTH, line.len ? line.s : "none");
}

static void print_format(const struct iommusim_pgtable_format *format)
{
	struct line kernel = { .len = 0 };

	printf("%s\n", format->name);
	print_wrapped("  is", LABEL_WIDTH, format->summary);
	line_add(&kernel, "%s, words of %u bytes", format->kernel_name, format->word_bytes);
	print_wrapped("  kernel", LABEL_WIDTH, kernel.s);
	print_wrapped("  source", LABEL_WIDTH, format->source);
	print_quirks(format->quirks);
}

int show_format(int argc, char **argv)
{
	const struct iommusim_pgtable_format *format;

	if (argc > 1 && !strcmp(argv[1], "--help"))
		return help_format();
	if (argc > 2)
		return say("unexpected argument '%s'", argv[2]);
	if (argc == 2 && strcmp(argv[1], "all") != 0) {
		format = iommusim_pgtable_format_find(argv[1]);
		if (!format)
			return say(
				"show format: '%s' is no format (iommusim show format lists them)",
				argv[1]);
		print_format(format);
		return EXIT_FINE;
	}
	for (size_t i = 0; (format = iommusim_pgtable_format_at(i)) != NULL; i++) {
		printf("%s", i ? "\n" : "");
		print_format(format);
	}
	return EXIT_FINE;
}

/* ---- Page tables ---- */

static int help_pgtable(void)
{
	puts("usage: iommusim show pgtable [OPTION]...\n");
	print_wrapped(
		"", 0,
		"Allocate and map buffers with one policy behind one IOMMU, and print what its "
		"page tables hold then: ranges, sizes, permissions, tables; with --iova the words "
		"that a walker reads.");
	putchar('\n');
	options_help(USE_PGTABLE);
	puts("\npermissions\n"
	     "  r read, w write, c cache-coherent, n no execution, m device memory, p privileged "
	     "only");
	puts("\nExit status: 0; 1 if a buffer could not be mapped; 2 for bad usage or input.");
	return EXIT_FINE;
}

/* A small text by value. */
struct prot_text {
	char s[8];
};

static struct prot_text prot_text(unsigned prot)
{
	static const char letters[] = "rwcnmp";
	struct prot_text text = { "" };
	size_t at = 0;

	for (unsigned i = 0; i < sizeof(letters) - 1; i++)
		if (prot >> i & 1)
			text.s[at++] = letters[i];
	return text;
}

static void print_ranges(const struct iommusim_pgtable *pgtable)
{
	struct iommusim_mapped_range range;
	uint64_t at = 0;
	int more = iommusim_pgtable_next(pgtable, at, &range);

	printf("\n%-20s%-20s%10s%10s%10s\n", "iova", "pa", "size", "pages of", "prot");
	if (!more)
		puts("nothing is mapped");
	while (more) {
		printf("0x%016" PRIx64 "  0x%016" PRIx64 "  %10s%10s%10s\n", range.iova, range.pa,
		       size_exact(range.size).s, size_exact(range.pgsize).s,
		       prot_text(range.prot).s);
		at = range.iova + range.size;
		more = at && iommusim_pgtable_next(pgtable, at, &range);
	}
}

static void print_walk(const struct iommusim_pgtable *pgtable, uint64_t iova)
{
	unsigned nr_levels = iommusim_pgtable_info(pgtable).nr_levels;
	struct iommusim_pgtable_walk walk;

	iommusim_pgtable_walk(pgtable, iova, &walk);
	printf("\nwalk of 0x%" PRIx64 " (level 0 holds only leaves)\n%-7s%-20s%7s  word\n", iova,
	       "level", "table", "index");
	for (unsigned i = 0; i < walk.nr; i++)
		printf("%-7u0x%016" PRIx64 "  %7" PRIu64 "  0x%016" PRIx64 "\n", nr_levels - 1 - i,
		       walk.step[i].table, walk.step[i].index, walk.step[i].word);
	if (walk.is_mapped)
		printf("it leads to pa 0x%" PRIx64 ", in a page of %s at 0x%" PRIx64 ", %s\n",
		       iommusim_pgtable_iova_to_phys(pgtable, iova), size_exact(walk.size).s,
		       walk.pa, prot_text(walk.prot).s);
	else
		puts("it is not mapped");
}

/* What the format has of registers. */
static void print_registers(const struct iommusim_pgtable_info *info)
{
	struct line line = { .len = 0 };

	line_add(&line, "%s 0x%" PRIx64, info->tcr_tsz || info->prrr ? "ttbr" : "root", info->ttbr);
	for (unsigned i = 1; i < info->nr_roots; i++)
		line_add(&line, ", 0x%" PRIx64, info->roots[i]);
	if (info->prrr)
		line_add(&line, ", prrr 0x%x, nmrr 0x%x", (unsigned)info->prrr,
		         (unsigned)info->nmrr);
	if (info->tcr_tsz)
		line_add(&line,
		         ", mair 0x%" PRIx64
		         ", ips %u, tg %u, sh %u, orgn %u, irgn %u, tsz %u, sl %u",
		         info->mair, info->tcr_ips, info->tcr_tg, info->tcr_sh, info->tcr_orgn,
		         info->tcr_irgn, info->tcr_tsz, info->tcr_sl);
	print_wrapped("registers", LABEL_WIDTH, line.s);
}

static void print_tables(const struct iommusim_pgtable *pgtable)
{
	struct iommusim_pgtable_info info = iommusim_pgtable_info(pgtable);
	struct line line = { .len = 0 };
	struct tables_count count;

	tables_count(pgtable, &count);
	line_add(&line, "%s, page sizes %s, ias %u, oas %u, %u levels", info.format->name,
	         pgsizes_text(info.pgsizes, ',').s, info.ias, info.oas, info.nr_levels);
	print_wrapped("pgtable", LABEL_WIDTH, line.s);
	print_registers(&info);
	line.len = 0;
	line_add(&line, "%" PRIu64 ", %s in all, with %" PRIu64 " words that are not 0",
	         count.nr_tables, size_exact(count.bytes).s, count.nr_words);
	print_wrapped("tables", LABEL_WIDTH, line.s);
}

/* Hold all buffers. 0, EXIT_VERDICT where one could not be had or mapped, EXIT_INPUT. */
static int hold(const struct options *options, struct iommusim_machine *machine,
                struct iommusim_dma_buffer *buffers)
{
	int status = EXIT_FINE;
	size_t n = 0;

	for (unsigned s = 0; s < options->nr_sizes; s++)
		for (uint64_t i = 0; i < options->sizes[s].count; i++, n++) {
			struct iommusim_dma_request req = { options->policies[0],
				                            options->sizes[s].bytes, options->gfp,
				                            options->attrs[0] };
			int err = iommusim_dma_alloc_chunks(iommusim_machine_dma(machine), &req,
			                                    &buffers[n]);

			if (err == -IOMMUSIM_EHOST)
				return say("the host has no memory for a buffer");
			if (!err)
				continue;
			printf("buffer %lu of %s: %s\n", (unsigned long)n + 1,
			       size_exact(options->sizes[s].bytes).s, iommusim_errname(err));
			status = EXIT_VERDICT;
		}
	return status;
}

static void print_what_is_asked(const struct options *options, const struct state *state)
{
	struct line line = { .len = 0 };

	state_print(options, state);
	request_describe(options, &line);
	line_add(&line, ", by %s, attributes %s", options->policies[0]->name,
	         attrs_name(options->attrs[0]));
	print_wrapped("request", LABEL_WIDTH, line.s);
}

static int show_machine(const struct options *options, struct state *state,
                        struct iommusim_machine *machine)
{
	const struct iommusim_pgtable *pgtable = iommusim_machine_pgtable(machine);
	struct iommusim_dma_buffer *buffers = calloc((size_t)options->nr_buffers, sizeof(*buffers));
	int status;

	if (!buffers)
		return say("the host has no memory for the buffers");
	print_what_is_asked(options, state);
	status = hold(options, machine, buffers);
	if (status != EXIT_INPUT) {
		print_tables(pgtable);
		print_ranges(pgtable);
		if (options->has_iova)
			print_walk(pgtable, options->iova);
	}
	for (uint64_t i = options->nr_buffers; i > 0; i--)
		iommusim_dma_free(iommusim_machine_dma(machine), &buffers[i - 1]);
	free(buffers);
	return status;
}

/* A domain that Linux makes. */
static int check_mode(const struct options *options)
{
	struct iommusim_catalog_outcome outcome = tables_outcome(options, 0);

	if (outcome.err)
		return say("--iommu: '%s': %s (%s)", options->rows[0]->id, outcome.what,
		           iommusim_errname(outcome.err));
	if (options->rows[0] || options->mode != IOMMUSIM_DOMAIN_STRICT ||
	    granule_of(options->pgsizes[0]) <= UINT64_C(1) << options->page_shift)
		return 0;
	return say("--pgsizes: the smallest, %s, is above the CPU page, %s: Linux stops with "
	           "BUG() (--domain extended accepts it)",
	           size_exact(granule_of(options->pgsizes[0])).s,
	           size_exact(UINT64_C(1) << options->page_shift).s);
}

/* One IOMMU, with tables, and one policy. */
static int check_options(struct options *options)
{
	const struct iommusim_policy *newest = &iommusim_policy_dma_iommu_6_4;
	int status;

	if (options->nr_policies > 1 && options->is_named[0])
		return say("--policy: show pgtable takes one");
	if (!options->is_named[0])
		options->policies[0] = newest;
	if (options->nr_iommus > 1 && options->seen_pgsizes)
		return say("--pgsizes: show pgtable takes one IOMMU");
	options->nr_policies = options->nr_iommus = options->nr_attrs = 1;
	status = options_check_attrs(options);
	if (!status)
		status = tables_settle(options);
	if (status)
		return status;
	if (!tables_machine(options, NULL, 0).format)
		return say("--pgtable: there are no page tables for the page sizes %s",
		           pgsizes_text(options->pgsizes[0], ',').s);
	return check_mode(options);
}

static int build_and_show(const struct options *options, struct state *state)
{
	struct iommusim_machine_config config = tables_machine(options, state, 0);
	struct iommusim_machine *machine;
	int status;

	if (!config.format)
		return say("--pgtable: no page tables for the page sizes %s hold the addresses of "
		           "the memory (--memory-start sets where it is)",
		           pgsizes_text(options->pgsizes[0], ',').s);
	if (iommusim_phys_fork(state->phys, &config.phys))
		return say("the host has no memory for a copy of the machine");
	if (iommusim_machine_create(&config, &machine)) {
		iommusim_phys_destroy(config.phys);
		return say("%s", state->said.line);
	}
	status = show_machine(options, state, machine);
	iommusim_machine_destroy(machine);
	return status;
}

int show_pgtable(int argc, char **argv)
{
	struct options options;
	struct state state;
	int status = options_parse(&options, USE_PGTABLE, argc, argv);

	if (status)
		return status;
	if (options.wants_help)
		return help_pgtable();
	status = check_options(&options);
	if (status)
		return status;
	status = state_build(&options, &state);
	if (!status)
		status = build_and_show(&options, &state);
	state_finish(&state);
	return status;
}
