/* SPDX-License-Identifier: MIT */
/*
 * iommusim advise: with and without DMA_ATTR_ALLOC_SINGLE_PAGES, what does the allocator of a
 * platform pay for a buffer, and what does the IOMMU get for it? The attribute says that the IOTLB
 * does not matter, so the access pattern decides which of the two counts.
 */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "advise.h"
#include "say.h"
#include "text.h"
#include "values.h"

const char *const access_names[NR_ACCESSES] = { "sequential", "rotate", "random" };

static int help(void)
{
	puts("usage: iommusim advise --platform ID [OPTION]...\n");
	print_wrapped(
		"", 0,
		"Say whether DMA_ATTR_ALLOC_SINGLE_PAGES suits the buffers of a driver on a "
		"platform, with what each choice costs the page allocator and gives the IOMMU, "
		"in memory that is fresh and fragmented.");
	puts("\n  --platform ID        a machine of iommusim show platform\n"
	     "  --size SIZE          the buffers, as 16x4M; repeat for more (default: the "
	     "platform's)\n"
	     "  --access PATTERN     sequential (default), rotate or random: how the device reads "
	     "them\n"
	     "  --kernel VERSION     6.1 or 6.12 (default)\n"
	     "  --help               print this\n");
	advise_print_rule();
	return EXIT_FINE;
}

static int take_access(struct question *question, const char *value)
{
	for (unsigned i = 0; i < NR_ACCESSES; i++) {
		if (!strcmp(access_names[i], value)) {
			question->access = (enum access)i;
			return 0;
		}
	}
	return say("--access: '%s' is none of sequential, rotate, random", value);
}

static int take_platform(struct question *question, const char *value)
{
	question->platform = iommusim_catalog_platform_find(value);
	return question->platform
	               ? 0
	               : say("--platform: '%s' is none (iommusim show platform lists them)",
	                     name_text(value).s);
}

static int take(struct question *question, const char *name, const char *value)
{
	if (!strcmp(name, "platform"))
		return take_platform(question, value);
	if (!strcmp(name, "access"))
		return take_access(question, value);
	if (!strcmp(name, "size"))
		return value_buffers(&question->common, value);
	if (!strcmp(name, "kernel"))
		return value_kernel(&question->common, value);
	return say("unknown option '--%s'", name);
}

/* 1: the help is wanted. */
static int parse(struct question *question, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		char name[16];

		if (!strcmp(argv[i], "--help"))
			return 1;
		if (strncmp(argv[i], "--", 2) != 0)
			return say("unexpected argument '%s'", argv[i]);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(argv[i] + 2, "="), argv[i] + 2);
		if (!value && i + 1 == argc)
			return say("%s: its value is missing", argv[i]);
		if (take(question, name, value ? value + 1 : argv[++i]))
			return EXIT_INPUT;
	}
	return 0;
}

/* Whose loop gets the pages there. */
static const struct iommusim_policy *policy_of(const struct iommusim_catalog_driver *row,
                                               const struct iommusim_catalog_platform *platform,
                                               unsigned kernel)
{
	int is_arm = !strcmp(platform->cpu_arch, "arm");

	if (is_arm && row->backends & IOMMUSIM_BACKEND_ARM)
		return &iommusim_policy_arm_orders_4_6;
	if (!is_arm && row->backends & IOMMUSIM_BACKEND_DMA_IOMMU)
		return iommusim_policy_of_kernel(kernel);
	return NULL;
}

/* The platform's own buffers where none are named. */
static int set_sizes(struct question *question)
{
	const struct iommusim_catalog_platform *platform = question->platform;
	char text[32];
	int status = 0;

	if (question->common.nr_buffers)
		return 0;
	if (!platform->nr_buffers)
		return value_buffers(&question->common, "4M");
	for (size_t i = 0; !status && i < platform->nr_buffers; i++) {
		snprintf(text, sizeof(text), "%" PRIu64, platform->buffers[i].bytes);
		status = value_buffers(&question->common, text);
	}
	return status;
}

static int settle(struct question *question)
{
	struct iommusim_catalog_outcome outcome;

	if (!question->platform)
		return say("advise: which platform? --platform ID (iommusim show platform lists "
		           "them)");
	question->row = iommusim_catalog_driver_find(question->platform->iommu_driver_id);
	outcome = iommusim_catalog_driver_outcome(question->row, question->platform->page_shift,
	                                          question->common.kernel, 0);
	if (outcome.err)
		return say("%s: %s (%s)", question->platform->id, outcome.what,
		           iommusim_errname(outcome.err));
	if (!question->row->pgsizes)
		return say("%s: its masters have no IOMMU; buffers are contiguous",
		           question->platform->id);
	question->policy = policy_of(question->row, question->platform, question->common.kernel);
	if (!question->policy)
		return say("%s: the driver %s gets its pages itself, no chunk policy applies",
		           question->platform->id, question->row->driver);
	return set_sizes(question);
}

int cmd_advise(int argc, char **argv)
{
	static const uint32_t attrs[] = { 0, IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES };
	struct question question = { .common = { .kernel = IOMMUSIM_KERNEL(6, 12) } };
	struct answer answers[NR_ADVISE_STATES][2];
	int status = parse(&question, argc, argv);

	if (status == 1)
		return help();
	if (!status)
		status = settle(&question);
	for (unsigned i = 0; !status && i < NR_ADVISE_STATES * 2; i++)
		status = advise_answer(&question, advise_states[i / 2], attrs[i % 2],
		                       &answers[i / 2][i % 2]);
	if (!status)
		advise_print(&question, answers);
	return status;
}
