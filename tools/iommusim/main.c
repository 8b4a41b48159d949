/* SPDX-License-Identifier: MIT */
/* iommusim: how Linux backs and maps DMA buffers behind an IOMMU, from the command line. */
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "say.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "compare", cmd_compare, "what each chunk policy makes of the same buffers" },
	{ "matrix", cmd_matrix,
	  "what a policy breaks or slows down, for every IOMMU driver there is" },
	{ "advise", cmd_advise, "which policy and attribute suit a platform and a buffer" },
	{ "check", cmd_check, "worlds in which a policy does what it should not" },
	{ "try", cmd_try, "compile a file of kernel code, check it, compare it with its release" },
	{ "bisect", cmd_bisect, "since which release a request comes out as it does" },
	{ "show", cmd_show,
	  "print what a policy or a format is, a machine's memory, its page tables" },
};

static int help(void)
{
	puts("usage: iommusim COMMAND [ARGUMENT]...\n\n"
	     "Simulates how Linux backs DMA buffers with pages and maps them behind an IOMMU.\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %-9s%s\n", commands[i].name, commands[i].summary);
	puts("\nEach command explains itself with --help. iommusim --version tells the version.");
	return EXIT_FINE;
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		return say("which command? compare, matrix, advise, check, try, bisect or show "
		           "(--help "
		           "tells more)");
	if (!strcmp(argv[1], "--help"))
		return help();
	if (!strcmp(argv[1], "--version")) {
		puts("iommusim " IOMMUSIM_VERSION);
		return EXIT_FINE;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return say("'%s' is no command (--help lists them)", argv[1]);
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	if (fflush(stdout) || ferror(stdout))
		return say("the output could not be written");
	return status;
}
