/* SPDX-License-Identifier: MIT */
/*
 * iommusim advise: with and without DMA_ATTR_ALLOC_SINGLE_PAGES, what does the allocator of a
 * platform pay for a buffer, and what does the IOMMU get for it? The attribute says that the IOTLB
 * does not matter, so the access pattern decides which of the two counts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "advise.h"
#include "commands.h"
#include "say.h"
#include "text.h"
#include "units.h"
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
	     "  --help               print this");
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
		return kernel < IOMMUSIM_KERNEL(6, 4) ? &iommusim_policy_dma_iommu_4_7
		                                      : &iommusim_policy_dma_iommu_6_4;
	return NULL;
}

static uint64_t nr_lost(const struct answer *answer)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < NR_LACKS; i++)
		nr += answer->lost[i];
	return nr;
}

static void print_answer(const char *state, const char *attrs, const struct answer *answer)
{
	printf("  %-18s%-14s%9" PRIu64 "%9" PRIu64 "%9" PRIu64 "%9" PRIu64 "  %-8s", state, attrs,
	       answer->tried, answer->vain, answer->chunks, answer->leaves,
	       answer->largest ? size_exact(answer->largest).s : "-");
	if (nr_lost(answer))
		printf("%" PRIu64 " buffers not to be had", nr_lost(answer));
	putchar('\n');
}

/* Entries that larger chunks save: [attribute]. */
static uint64_t saved(const struct answer *answer)
{
	return answer[0].leaves < answer[1].leaves ? answer[1].leaves - answer[0].leaves : 0;
}

/* What the figures come to: [state][attribute]. */
static void print_advice(const struct question *question,
                         struct answer answers[NR_ADVISE_STATES][2])
{
	const struct answer *none = &answers[1][0], *single = &answers[1][1];
	unsigned gain = 0; /* the state in which larger chunks save most entries */
	int same = 1;
	uint64_t nr_failed = 0;
	struct line line = { .len = 0 };

	for (unsigned i = 0; i < NR_ADVISE_STATES; i++) {
		if (saved(answers[i]) > saved(answers[gain]))
			gain = i;
		same &= answers[i][0].tried == answers[i][1].tried &&
		        answers[i][0].leaves == answers[i][1].leaves;
		nr_failed += nr_lost(&answers[i][0]) + nr_lost(&answers[i][1]);
	}
	if (nr_failed == 2 * NR_ADVISE_STATES * question->common.nr_buffers)
		line_add(&line, "none: no buffer of such a size is to be had, with or without it");
	else if (same)
		line_add(&line, "either: the attribute changes nothing for buffers of these sizes");
	else if (question->access == ACCESS_SEQUENTIAL && none->vain > single->vain)
		line_add(&line,
		         "single pages: a device that reads on uses each entry once, and in "
		         "fragmented memory %" PRIu64 " attempts are in vain without the "
		         "attribute, %" PRIu64 " with it",
		         none->vain, single->vain);
	else if (saved(answers[gain]))
		line_add(&line,
		         "no attribute%s: the buffers take %" PRIu64 " entries instead of %" PRIu64
		         " in memory %s; one that the IOTLB cannot hold is read again at %s access",
		         question->has_entries ? ""
		                               : ", if its tables have entries for larger pages",
		         answers[gain][0].leaves, answers[gain][1].leaves, advise_states[gain],
		         access_names[question->access]);
	else
		line_add(&line, "single pages: larger chunks give no fewer entries here");
	print_wrapped("advice", LABEL_WIDTH, line.s);
}

static int advise(const struct question *question)
{
	static const uint32_t attrs[] = { 0, IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES };
	struct answer answers[NR_ADVISE_STATES][2];
	struct line line = { .len = 0 };

	for (unsigned i = 0; i < NR_ADVISE_STATES * 2; i++)
		if (advise_answer(question, advise_states[i / 2], attrs[i % 2],
		                  &answers[i / 2][i % 2]))
			return EXIT_INPUT;
	line_add(&line, "%s: %s", question->platform->id, question->platform->name);
	print_wrapped("platform", LABEL_WIDTH, line.s);
	line.len = 0;
	line_add(&line, "%s, {%s}, CPU pages of %s", question->row->id,
	         pgsizes_text(question->row->pgsizes, ',').s,
	         size_exact(UINT64_C(1) << question->platform->page_shift).s);
	print_wrapped("iommu", LABEL_WIDTH, line.s);
	line.len = 0;
	line_add(&line, "%s (%s), Linux %s", question->policy->name, question->policy->alias,
	         kernel_name(question->common.kernel));
	print_wrapped("policy", LABEL_WIDTH, line.s);
	printf("\n  %-18s%-14s%9s%9s%9s%9s  %s\n", "memory", "attributes", "attempts", "in vain",
	       "chunks", "entries", "largest page");
	for (unsigned i = 0; i < NR_ADVISE_STATES * 2; i++)
		print_answer(advise_states[i / 2], attrs_name(attrs[i % 2]),
		             &answers[i / 2][i % 2]);
	putchar('\n');
	print_advice(question, answers);
	if (*question->row->notes)
		print_wrapped("of the row", LABEL_WIDTH, question->row->notes);
	print_wrapped("assumed", LABEL_WIDTH,
	              question->has_entries
	                      ? "no costs; entries are the leaves in the tables; fragmented memory "
	                        "is one zone"
	                      : "no costs; entries are the pages that the driver is asked for, as "
	                        "it has no tables in memory; fragmented memory is one zone");
	return EXIT_FINE;
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
	                                          question->common.kernel);
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
	question->has_entries = advise_has_entries(question);
	return set_sizes(question);
}

int cmd_advise(int argc, char **argv)
{
	struct question question = { .common = { .kernel = IOMMUSIM_KERNEL(6, 12) } };
	int status = parse(&question, argc, argv);

	if (status == 1)
		return help();
	if (!status)
		status = settle(&question);
	return status ? status : advise(&question);
}
