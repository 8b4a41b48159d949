/* SPDX-License-Identifier: MIT */
/* iommusim try: from a file of kernel code to what is wrong with it, and what is new in it. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guard.h"
#include "object.h"
#include "say.h"
#include "text.h"
#include "try.h"
#include "units.h"

static int help(void)
{
	puts("usage: iommusim try [OPTION]... [OPTION OF compare]... [--] FILE.c\n");
	print_narrow(
		"", 0,
		"Compile a file with a function of the kernel, unmodified, between #include "
		"<iommusim/kernel.h> and IOMMUSIM_KERNEL_POLICY(function); run it in many small "
		"worlds, as check does; compare its attempts with those of the built-in policy of "
		"its release; and print the smallest world that shows what is wrong, and where "
		"the two part. A policy with IOMMUSIM_EXPORT_POLICY() will do as well. With "
		"options of compare, compare both on that machine, too.");
	putchar('\n');
	print_narrow("  --version V", 23,
	             "the release that the text is of, 3.0 to 6.19 (default 6.12)");
	print_narrow("  --against POLICY", 23, "compare with this one instead");
	print_narrow("  --include DIR", 23, "look for headers there first; may be repeated");
	print_narrow("  --worlds N", 23, "how many (default 1000)");
	print_narrow("  --seed N", 23, "of the worlds (default 1)");
	print_narrow("  --format FORMAT", 23,
	             "table (default) or json: one document, with that of compare in it");
	print_narrow("  --help", 23, "print this");
	putchar('\n');
	print_narrow("", 0,
	             "The compiler is the one that the environment's CC names, or cc. A binary of "
	             "pasted kernel text is under the kernel's licence, GPL-2.0; it is removed "
	             "as soon as it is loaded.");
	putchar('\n');
	print_narrow(
		"", 0,
		"Exit status: 0; 1 if an invariant is broken that the built-in policy keeps, if "
		"there is a finding that it has not, or if the request fails where it is served "
		"with what can be mapped; 2 for bad usage or input, or if the file does not "
		"compile.");
	return EXIT_FINE;
}

/* ---- The command line ---- */

/* A number of a release, which is not written 06. */
static int read_part(struct slice text, uint64_t *number)
{
	return read_number(text, number) || *number > 999 || (text.len > 1 && text.start[0] == '0');
}

static int read_version(struct trial *t, const char *value)
{
	static const uint64_t last_minor[] = { [3] = 19, [4] = 20, [5] = 19, [6] = 19 };
	struct slice rest = slice_of(value);
	struct slice major = slice_cut(&rest, '.');
	uint64_t numbers[2] = { 0, 0 };

	if (read_part(major, &numbers[0]) || read_part(rest, &numbers[1]))
		return say("--version: '%s' is no release, as 4.9 or 6.12", value);
	if (numbers[0] < 3 || numbers[0] >= ARRAY_LEN(last_minor) ||
	    numbers[1] > last_minor[numbers[0]])
		return say("--version: '%s' is none of the releases 3.0 to 6.19", value);
	t->compilation.kernel = (unsigned)(numbers[0] * 1000 + numbers[1]);
	return 0;
}

static int read_format(struct trial *t, const char *value)
{
	t->is_json = !strcmp(value, "json");
	return t->is_json || !strcmp(value, "table")
	               ? 0
	               : say("--format: '%s' is neither table nor json", value);
}

static int read_count(const char *name, const char *value, uint64_t least, uint64_t *n)
{
	const char *wrong = read_number(slice_of(value), n);

	if (!wrong && *n < least)
		wrong = "is too small: at least one";
	return wrong ? say("--%s: '%s' %s", name, value, wrong) : 0;
}

static int read_option(struct trial *t, const char *name, char *value)
{
	struct compilation *c = &t->compilation;

	if (!strcmp(name, "version"))
		return read_version(t, value);
	if (!strcmp(name, "format"))
		return read_format(t, value);
	if (!strcmp(name, "worlds"))
		return read_count(name, value, 1, &t->worlds);
	if (!strcmp(name, "seed"))
		return read_count(name, value, 0, &t->seed);
	if (!strcmp(name, "against")) {
		t->against = value;
		return 0;
	}
	if (c->nr_includes == MAX_INCLUDES)
		return say("--include: more than %d", MAX_INCLUDES);
	c->includes[c->nr_includes++] = value;
	return 0;
}

/* An option of compare, with its value: kept for it. */
static int pass_on(struct trial *t, int argc, char **argv, int *i)
{
	if (!strcmp(argv[*i], "--policy") || !strncmp(argv[*i], "--policy=", 9))
		return say("--policy: try has its own, the file; --against names another to "
		           "compare it with");
	if (t->nr_compare > MAX_ARGS - 8)
		return say("try: too many options");
	t->compare[t->nr_compare++] = argv[*i];
	if (!strchr(argv[*i], '=') && *i + 1 < argc)
		t->compare[t->nr_compare++] = argv[++*i];
	return 0;
}

/* "--name value" or "--name=value"; *i moves behind what was read. */
static int read_valued(struct trial *t, int argc, char **argv, int *i)
{
	static const char *const names[] = { "version", "worlds",  "seed",
		                             "against", "include", "format" };
	char *given = argv[*i] + 2, *value = strchr(given, '=');
	size_t length = value ? (size_t)(value - given) : strlen(given);

	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		if (strlen(names[n]) != length || strncmp(names[n], given, length) != 0)
			continue;
		value = value ? value + 1 : *i + 1 < argc ? argv[++*i] : NULL;
		return value ? read_option(t, names[n], value)
		             : say("--%s: its value is missing", names[n]);
	}
	return pass_on(t, argc, argv, i);
}

static int take_file(struct trial *t, const char *file)
{
	if (t->compilation.file)
		return say("try: one file, not '%s' too", file);
	t->compilation.file = file;
	return 0;
}

static int parse(struct trial *t, int argc, char **argv)
{
	int status = 0, only_files = 0;

	for (int i = 1; !status && i < argc && !t->wants_help; i++) {
		if (only_files || strncmp(argv[i], "--", 2) != 0)
			status = take_file(t, argv[i]);
		else if (!argv[i][2])
			only_files = 1;
		else if (!strcmp(argv[i], "--help"))
			t->wants_help = 1;
		else
			status = read_valued(t, argc, argv, &i);
	}
	if (!status && !t->wants_help && !t->compilation.file)
		return say("try: which file?");
	return status;
}

/* The options that are for compare must be right before anything is run. */
static int check_compare(struct trial *t)
{
	struct options options;

	return t->nr_compare > 1 ? options_parse(&options, USE_COMPARE, t->nr_compare, t->compare)
	                         : 0;
}

/* ---- Searching ---- */

static int host_failed(void)
{
	return say("the host has no memory for a world");
}

/* Judge one of the two in @world. 0, or EXIT_INPUT after a message. */
static int judge(struct checked *c, const struct iommusim_world *world,
                 struct iommusim_verdict *verdict)
{
	if (iommusim_check_world(c->policy, world, NULL, verdict))
		return host_failed();
	checked_see(c, world, verdict);
	return 0;
}

/* The first world in which there is a finding of mine, and none of the reference, is kept. */
static void see_own(struct trial *t, const struct iommusim_world *world,
                    const struct iommusim_verdict *mine, const struct iommusim_verdict *reference)
{
	unsigned n = IOMMUSIM_INVARIANT_NO_FINDING;

	if (!mine->findings || (reference && reference->findings) || t->nr_own++)
		return;
	t->checked[0].world[n] = *world;
	memcpy(t->checked[0].text[n], mine->text[n], sizeof(mine->text[n]));
}

/* Does mine fail, where the reference gets what can be mapped, and nothing fails by plan? */
static int is_given_up(const struct iommusim_world *world, const struct iommusim_verdict *mine,
                       const struct iommusim_verdict *reference)
{
	return !world->fail && mine->result && !reference->result &&
	       !(reference->broken >> IOMMUSIM_INVARIANT_MAPPABLE & 1);
}

/* One world for both. The reference is not judged where it does the same, and that is right. */
static int run_world(struct trial *t, const struct iommusim_world *world, uint32_t *findings)
{
	struct iommusim_difference difference = { .attempt = -1 };
	struct iommusim_verdict verdict, other;
	int status;

	if (judge(&t->checked[0], world, &verdict))
		return EXIT_INPUT;
	*findings = verdict.findings;
	if (!t->reference) {
		see_own(t, world, &verdict, NULL);
		return 0;
	}
	if (iommusim_check_difference(t->mine, t->reference, world, NULL, &difference))
		return host_failed();
	if (difference.attempt >= 0 && !t->nr_different++) {
		t->different = *world;
		t->difference = difference;
	}
	if (difference.attempt < 0 && !verdict.broken)
		return 0;
	status = judge(&t->checked[1], world, &other);
	if (status)
		return status;
	see_own(t, world, &verdict, &other);
	if (is_given_up(world, &verdict, &other) && !t->nr_given_up++)
		t->given_up = *world;
	return 0;
}

/* All worlds; code that does not end is not run in more than the first that shows it. */
static int search(struct trial *t)
{
	struct progress progress = { .nr = t->worlds };
	uint32_t findings = 0;
	int status = 0;

	for (uint64_t i = 0; !status && i < t->worlds; i++) {
		struct iommusim_world world;

		iommusim_world_generate(t->seed, i, &world);
		iommusim_world_suit(&world, t->mine);
		guard_world(&world);
		status = run_world(t, &world, &findings);
		progress_show(&progress, "try", i + 1);
		if (findings & IOMMUSIM_FINDING_ENDLESS)
			t->worlds = i + 1;
	}
	progress_end(&progress);
	guard_world(NULL);
	return status;
}

/* ---- What is worse, in the smallest worlds ---- */

/*
 * What mine does against the invariant in the smallest world that shows it; of findings, in the
 * first one where the smallest is one for which the reference has findings, too.
 */
static int conclude_worse(struct trial *t, unsigned invariant)
{
	struct checked first = t->checked[0];
	struct iommusim_verdict verdict;

	/* Code that does not end takes its time in each. */
	if (iommusim_check_world(t->mine, &t->checked[0].world[invariant], NULL, &verdict))
		return host_failed();
	if (!(verdict.findings & IOMMUSIM_FINDING_ENDLESS) &&
	    checked_shrink(&t->checked[0], invariant))
		return host_failed();
	if (invariant != IOMMUSIM_INVARIANT_NO_FINDING || !t->reference)
		return 0;
	if (iommusim_check_world(t->reference, &t->checked[0].world[invariant], NULL, &verdict))
		return host_failed();
	if (verdict.findings)
		t->checked[0] = first;
	return 0;
}

/* The smallest world in which they differ, and where; the same again where they do no more. */
static int shrink_difference(const struct trial *t, struct iommusim_world *world,
                             struct iommusim_difference *difference)
{
	struct iommusim_difference found;
	struct iommusim_world smaller = *world;
	int64_t tried = iommusim_world_shrink_difference(t->mine, t->reference, NULL, &smaller);
	int err = tried < 0 ? (int)tried : 0;

	if (!err)
		err = iommusim_check_difference(t->mine, t->reference, &smaller, NULL, &found);
	if (err)
		return err == -IOMMUSIM_EINVAL ? 0 : host_failed();
	if (found.attempt < 0)
		return 0;
	*world = smaller;
	*difference = found;
	return 0;
}

static int shows_given_up(void *ctx, const struct iommusim_world *world)
{
	const struct trial *t = ctx;
	struct iommusim_verdict mine, reference;
	int err;

	if (t->mine->only_order && t->mine->only_order != world->max_order)
		return 0;
	err = iommusim_check_world(t->mine, world, NULL, &mine);
	if (!err)
		err = iommusim_check_world(t->reference, world, NULL, &reference);
	return err ? err : is_given_up(world, &mine, &reference);
}

/* The smallest world in which mine gives up, and where they part there. */
static int conclude_given_up(struct trial *t)
{
	int64_t tried = iommusim_world_shrink_while(shows_given_up, t, &t->given_up);

	t->worse |= WORSE_GIVES_UP;
	if ((tried < 0 && tried != -IOMMUSIM_EINVAL) ||
	    iommusim_check_difference(t->mine, t->reference, &t->given_up, NULL,
	                              &t->given_up_where))
		return host_failed();
	return 0;
}

/* Mine is worse where the reference keeps an invariant, and where there are findings of its own. */
static int is_worse(const struct trial *t, unsigned invariant)
{
	if (invariant == IOMMUSIM_INVARIANT_NO_FINDING)
		return t->nr_own != 0;
	return t->checked[0].nr_broken[invariant] && !t->checked[1].nr_broken[invariant];
}

static int conclude(struct trial *t)
{
	int status = 0;

	for (unsigned n = 0; !status && n < IOMMUSIM_NR_INVARIANTS; n++) {
		if (!is_worse(t, n))
			continue;
		t->worse |= 1u << n;
		status = conclude_worse(t, n);
	}
	if (!status && t->nr_given_up)
		status = conclude_given_up(t);
	if (!status && t->nr_different)
		status = shrink_difference(t, &t->different, &t->difference);
	return status;
}

/* ---- All of it ---- */

/* Both are for the same largest orders. 0, or EXIT_INPUT after a message. */
static int agree_on_order(struct trial *t)
{
	unsigned order = t->reference->only_order;

	if (!order || order == t->mine->only_order)
		return 0;
	if (t->mine->only_order)
		return say("--against: '%s' is for a largest order of %u only, %s for one of %u",
		           t->against, order, name_text(t->mine->name).s, t->mine->only_order);
	object_restrict(t->mine, order);
	return 0;
}

static int find_reference(struct trial *t)
{
	t->reference = object_reference(t->mine);
	if (t->against)
		t->reference = is_object(slice_of(t->against)) ? object_policy(slice_of(t->against))
		                                               : iommusim_policy_find(t->against);
	if (t->against && !t->reference)
		return say("--against: '%s' is no policy (iommusim show policy lists them)",
		           t->against);
	t->checked[0].policy = t->mine;
	t->checked[1].policy = t->reference;
	return t->reference ? agree_on_order(t) : 0;
}

/* compare, with the options that are its own and both policies. */
static int run_compare(struct trial *t, struct json_object **root)
{
	static char both[5000];
	int argc = t->nr_compare;

	snprintf(both, sizeof(both), "%s%s%s", t->reference ? policy_argument(t->reference) : "",
	         t->reference ? "," : "", t->compilation.name);
	t->compare[argc++] = "--policy";
	t->compare[argc++] = both;
	t->compare[argc] = NULL;
	return root ? compare_as_json(argc, t->compare, root) : cmd_compare(argc, t->compare);
}

/* Text is printed before the comparison; the one document of JSON has that in it. */
static int print(struct trial *t)
{
	struct json_object *root = NULL;
	int status = EXIT_FINE, printed;

	if (!t->is_json)
		try_print(t);
	if (!t->is_json && t->nr_compare > 1)
		putchar('\n');
	if (t->nr_compare > 1)
		status = run_compare(t, t->is_json ? &root : NULL);
	if (status == EXIT_INPUT || !t->is_json)
		return status;
	printed = try_print_json(t, root);
	return printed ? printed : status;
}

static int try(struct trial *t)
{
	int status = compile(&t->compilation);

	if (status)
		return status;
	t->mine = object_policy_of(t->compilation.object, t->compilation.file, t->compilation.name);
	compilation_remove(&t->compilation); /* what is loaded stays */
	if (!t->mine)
		return EXIT_INPUT;
	status = find_reference(t);
	if (!status)
		status = search(t);
	if (!status)
		status = conclude(t);
	if (!status)
		status = print(t);
	return status == EXIT_FINE && t->worse ? EXIT_VERDICT : status;
}

int cmd_try(int argc, char **argv)
{
	static struct trial t; /* some kilobytes */
	static char name[] = "compare";
	int status;

	t = (struct trial){ .worlds = 1000, .seed = 1, .compilation = { .kernel = 6012 } };
	t.compare[t.nr_compare++] = name;
	status = parse(&t, argc, argv);
	if (!status && !t.wants_help)
		status = check_compare(&t);
	if (!status)
		status = t.wants_help ? help() : try(&t);
	compilation_remove(&t.compilation);
	return status;
}
