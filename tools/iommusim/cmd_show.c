/* SPDX-License-Identifier: MIT */
/* iommusim show: what a policy is, and whatever else there is to show. */
#include "commands.h"

#include <stdio.h>
#include <string.h>
#include "iommusim.h"
#include "object.h"
#include "say.h"
#include "text.h"

static int help_policy(void)
{
	puts("usage: iommusim show policy [NAME|ALIAS|FILE.so|all]\n\n"
	     "Print what a chunk policy does, which kernels have it, and where it comes from; all\n"
	     "of them by default. The family \"history\" is what compare runs unless told "
	     "otherwise.");
	return EXIT_FINE;
}

static void print_policy(const struct iommusim_policy *policy)
{
	printf("%s (%s)\n", policy->name, policy->alias);
	print_wrapped("  kernels", LABEL_WIDTH, policy->kernels);
	print_wrapped("  source", LABEL_WIDTH, policy->source);
	print_wrapped("  family", LABEL_WIDTH, policy->family);
	print_wrapped("  rule", LABEL_WIDTH, policy->summary);
	print_wrapped("  quirks", LABEL_WIDTH, policy->quirks);
}

static int show_policy(int argc, char **argv)
{
	const struct iommusim_policy *policy;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help"))
			return help_policy();
		if (!strncmp(argv[i], "--", 2))
			return say("unknown option '%s'", argv[i]);
	}
	if (argc > 2)
		return say("unexpected argument '%s'", argv[2]);
	if (argc == 2 && strcmp(argv[1], "all") != 0) {
		policy = is_object(slice_of(argv[1])) ? object_policy(slice_of(argv[1]))
		                                      : iommusim_policy_find(argv[1]);
		if (!policy && is_object(slice_of(argv[1])))
			return EXIT_INPUT;
		if (!policy)
			return say(
				"show policy: '%s' is no policy (iommusim show policy lists them)",
				argv[1]);
		print_policy(policy);
		return EXIT_FINE;
	}
	for (size_t i = 0; (policy = iommusim_policy_at(i)) != NULL; i++) {
		printf("%s", i ? "\n" : "");
		print_policy(policy);
	}
	return EXIT_FINE;
}

static int help(void)
{
	puts("usage: iommusim show policy [NAME|ALIAS|FILE.so|all]\n"
	     "       iommusim show state [OPTION]...\n"
	     "       iommusim show driver [GLOB]\n"
	     "       iommusim show platform [GLOB]\n"
	     "       iommusim show format [NAME|all]\n"
	     "       iommusim show pgtable [OPTION]...\n\n"
	     "Each explains itself with --help.");
	return EXIT_FINE;
}

int cmd_show(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*show)(int argc, char **argv);
	} things[] = {
		{ "policy", show_policy }, { "state", show_state },
		{ "driver", show_driver }, { "platform", show_platform },
		{ "format", show_format }, { "pgtable", show_pgtable },
	};

	if (argc < 2)
		return say("show: what? policy, state, driver, platform, format or pgtable");
	if (!strcmp(argv[1], "--help"))
		return help();
	for (size_t i = 0; i < ARRAY_LEN(things); i++)
		if (!strcmp(argv[1], things[i].name))
			return things[i].show(argc - 1, argv + 1);
	return say("show: '%s' is none of policy, state, driver, platform, format, pgtable",
	           argv[1]);
}
