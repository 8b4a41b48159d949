/* SPDX-License-Identifier: MIT */
/* iommusim compare: what each policy makes of the same buffers, on the same memory. */
#include "commands.h"

#include <stdio.h>
#include "compare.h"
#include "json.h"
#include "options.h"
#include "print.h"
#include "say.h"
#include "state.h"
#include "text.h"

static int help(void)
{
	puts("usage: iommusim compare [OPTION]...\n");
	print_wrapped(
		"", 0,
		"Allocate and map the same buffers with each chunk policy, each time on the same "
		"machine, and say whether the chunks can be mapped by the IOMMU.");
	putchar('\n');
	options_help(USE_COMPARE);
	putchar('\n');
	print_wrapped(
		"", 0,
		"With neither --pgsizes, --policy nor --pgtable it is an overview: IOMMUs "
		"{4K,2M,1G}, "
		"{64K,512M} and {2M,1G} side by side, extended domains, both attributes. With "
		"any of them: one IOMMU {4K,2M,1G}, a strict domain and no attributes, where "
		"not given. With neither --buddyinfo, --memory, --state nor --splat the memory is "
		"that of this host, or a built-in example where /proc/buddyinfo cannot be read.");
	putchar('\n');
	print_wrapped(
		"", 0,
		"--splat takes a kernel log as it is, with time stamps, callers, syslog headers "
		"and "
		"other lines between. Each policy is asked for what the failed request was for, "
		"and it is said whether that would fail here too.");
	puts("\nverdicts\n"
	     "  mappable       every chunk starts and ends on the smallest page of the IOMMU\n"
	     "  by luck        some do not, but they happen to adjoin to runs that do\n"
	     "  broken         a physically contiguous run does not: the mapping fails\n"
	     "  out of memory  the policy found no block, or there was no IOVA range\n"
	     "  refused        Linux would not make such a domain at all");
	puts("\nfigures\n"
	     "  tried, failed  requests to the page allocator, and how many of them failed\n"
	     "  chunks         physically contiguous blocks, of buffers whose pages were obtained\n"
	     "  leaves         page-table leaf entries of the buffers that were mapped\n"
	     "  tables         pages of page tables with all buffers mapped, the first included; - "
	     "if\n"
	     "                 there are none\n"
	     "  map calls      calls of the driver's map_pages() for them\n"
	     "  iova span      lowest and highest address of these buffers; there may be gaps");
	puts("\nExit status: 0; 1 if a policy that --policy names, by its own name and not as one "
	     "of "
	     "all,\nis broken; 2 for bad usage or input.");
	return EXIT_FINE;
}

/* Whether a policy that the user named is broken. */
static int status_of(const struct report *report)
{
	const struct options *options = report->options;

	for (size_t row = 0; row < report_nr_rows(report); row++)
		for (size_t i = 0; i < options->nr_iommus; i++)
			if (options->is_named[row / options->nr_attrs] &&
			    report_at(report, row, i)->verdict == VERDICT_BROKEN)
				return EXIT_VERDICT;
	return EXIT_FINE;
}

/* Print it, or hand it out in *root. */
static int print_report(const struct report *report, struct json_object **root)
{
	int status = 0;

	if (root)
		*root = report_as_json(report);
	else if (report->options->format == FORMAT_JSON)
		status = json_print(report_as_json(report));
	else if (report->options->format == FORMAT_CSV)
		print_csv(report);
	else
		print_table(report);
	return status ? status : status_of(report);
}

int compare_as_json(int argc, char **argv, struct json_object **root)
{
	struct options options;
	struct state state;
	struct report report = { .results = NULL };
	int status = options_parse(&options, USE_COMPARE, argc, argv);

	if (status)
		return status;
	if (options.wants_help)
		return help();
	status = state_build(&options, &state);
	if (!status)
		status = compare(&options, &state, &report);
	if (!status)
		status = print_report(&report, root);
	report_finish(&report);
	state_finish(&state);
	return status;
}

int cmd_compare(int argc, char **argv)
{
	return compare_as_json(argc, argv, NULL);
}
