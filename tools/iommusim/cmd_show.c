/* SPDX-License-Identifier: MIT */
/* iommusim show: what a policy is, and what a machine's memory looks like. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "iommusim.h"
#include "options.h"
#include "say.h"
#include "state.h"
#include "text.h"

static int help_policy(void)
{
	puts("usage: iommusim show policy [NAME|ALIAS|all]\n\n"
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
		policy = iommusim_policy_find(argv[1]);
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

static int help_state(void)
{
	puts("usage: iommusim show state [OPTION]...\n");
	print_wrapped(
		"", 0,
		"Print a machine's free lists as the kernel does, and how fragmented they are. "
		"Without options it is this host, or a built-in example where /proc/buddyinfo "
		"cannot be read.");
	putchar('\n');
	options_help(USE_STATE);
	return EXIT_FINE;
}

/* Print the text that @format makes of @phys. */
static int print_proc(const struct iommusim_phys *phys, const char *title,
                      size_t (*format)(const struct iommusim_phys *phys, char *text, size_t bytes))
{
	size_t bytes = format(phys, NULL, 0) + 1;
	char *text = malloc(bytes);

	if (!text)
		return say("the host has no memory for the output");
	format(phys, text, bytes);
	printf("\n%s\n%s", title, text);
	free(text);
	return 0;
}

/* An index by order for every zone, in the form of the kernel's own files in debugfs. */
static void print_index(const struct iommusim_phys *phys, const char *title,
                        int (*index)(const struct iommusim_zone_info *info, unsigned order))
{
	struct iommusim_zone_info info;

	printf("\n%s\n", title);
	for (unsigned i = 0; i < iommusim_phys_nr_zones(phys); i++) {
		if (iommusim_phys_zone(phys, i, &info))
			continue;
		printf("Node %u, zone %8s", info.node, iommusim_zone_name(info.zone));
		for (unsigned order = 0; order < iommusim_phys_nr_orders(phys); order++) {
			int value = index(&info, order);
			int size = value < 0 ? -value : value;

			printf(" %s%d.%03d", value < 0 ? "-" : "", size / 1000, size % 1000);
		}
		putchar('\n');
	}
}

static int print_state(const struct options *options, const struct state *state)
{
	state_print(options, state);
	if (print_proc(state->phys, "buddyinfo", iommusim_phys_buddyinfo) ||
	    print_proc(state->phys, "pagetypeinfo", iommusim_phys_pagetypeinfo))
		return EXIT_INPUT;
	print_index(state->phys, "share of free memory that is unusable, by order",
	            iommusim_zone_unusable);
	print_index(state->phys,
	            "external fragmentation index by order (-1.000: a request would not fail)",
	            iommusim_zone_extfrag);
	return EXIT_FINE;
}

static int show_state(int argc, char **argv)
{
	struct options options;
	struct state state;
	int status = options_parse(&options, USE_STATE, argc, argv);

	if (status)
		return status;
	if (options.wants_help)
		return help_state();
	status = state_build(&options, &state);
	if (!status)
		status = print_state(&options, &state);
	state_finish(&state);
	return status;
}

static int help(void)
{
	puts("usage: iommusim show policy [NAME|ALIAS|all]\n"
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
