/* SPDX-License-Identifier: MIT */
/* iommusim check: worlds in which a policy does what it should not, the smallest that show it. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_print.h"
#include "guard.h"
#include "iommusim.h"
#include "options.h"
#include "say.h"
#include "text.h"
#include "units.h"

struct request {
	struct options named; /* only its policies are used */
	uint64_t worlds, seed;
	struct iommusim_small_worlds bounds; /* frames 0: not exhaustive */
	const char *world;                   /* NULL: not given */
	const char *seen;                    /* "worlds" or "seed", NULL: neither is given */
	int as_test, as_table;
};

static void help_worlds(void)
{
	static const char *const fields[][2] = {
		{ "page", "CPU page" },
		{ "order", "the largest order of the page allocator" },
		{ "pgsizes", "page sizes of the IOMMU" },
		{ "bytes", "size of the request" },
		{ "gfp", "its flags, as in Linux 6.12" },
		{ "attrs", "its attributes, of which 0x80 is DMA_ATTR_ALLOC_SINGLE_PAGES" },
		{ "frames", "page frames that there are" },
		{ "free", "those that are free" },
		{ "fail", "attempts that fail, whatever is free" },
	};

	puts("\nfields of a world, as in --world 'page=4K order=1 frames=4 free=0-1,3'");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		struct line line = { .len = 0 };
		char lead[64];

		snprintf(lead, sizeof(lead), "  %s", fields[i][0]);
		line_add(&line, "%s: %s", fields[i][1], iommusim_world_field_text(fields[i][0]));
		print_narrow(lead, 23, line.s);
	}
}

static void help_invariants(void)
{
	puts("\ninvariants");
	for (unsigned i = 0; i < IOMMUSIM_NR_INVARIANTS; i++) {
		char lead[64];

		snprintf(lead, sizeof(lead), "  %s", iommusim_invariant_name(i));
		print_narrow(lead, 23, iommusim_invariant_text(i));
	}
}

static int help(void)
{
	puts("usage: iommusim check [OPTION]... POLICY[,POLICY]...\n");
	print_narrow(
		"", 0,
		"Run policies in many small worlds (memory, page sizes, request, attempts that "
		"fail), say which invariants do not always hold, and print for each the "
		"smallest world that shows it. POLICY is a name, an alias, a family, all, "
		"every or a shared object, as for compare.");
	putchar('\n');
	print_narrow("  --worlds N", 23, "how many (default 20000)");
	print_narrow("  --seed N", 23, "of the worlds (default 1)");
	print_narrow("  --exhaustive F,P,O", 23,
	             "instead: every world of F frames, 1 to P pages and page sizes of orders 0 to "
	             "O, each with and without single-pages; at most 16,16,4");
	print_narrow("  --world TEXT", 23, "instead: one world, as this command prints it");
	print_narrow("  --table", 23,
	             "print which invariants hold for which policy, since which release, and "
	             "each smallest world once for all that it shows");
	print_narrow("  --test", 23,
	             "print a C file of CMocka tests instead, one for each invariant that is "
	             "broken");
	print_narrow("  --help", 23, "print this");
	help_worlds();
	help_invariants();
	putchar('\n');
	print_narrow("", 0,
	             "Exit status: 0; 1 if an invariant does not hold of a policy that is named by "
	             "its own name; 2 for bad usage or input.");
	return EXIT_FINE;
}

/* ---- The command line ---- */

static int read_count(const char *option, const char *value, uint64_t least, uint64_t most,
                      uint64_t *n)
{
	const char *wrong = read_number(slice_of(value), n);

	if (!wrong && *n < least)
		wrong = "is too small: at least one";
	if (!wrong && *n > most)
		wrong = "is too large";
	return wrong ? say("--%s: '%s' %s", option, value, wrong) : 0;
}

static int refuse_bounds(const char *value)
{
	return say("--exhaustive: '%s' is not three numbers from 1,1,0 to 16,16,4", value);
}

static int read_bounds(const char *value, struct iommusim_small_worlds *bounds)
{
	struct slice rest = slice_of(value);
	unsigned *const fields[] = { &bounds->frames, &bounds->pages, &bounds->max_order };

	bounds->attrs = IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		uint64_t n = 0;

		if (read_number(slice_cut(&rest, ','), &n) || n > 16)
			return refuse_bounds(value);
		*fields[i] = (unsigned)n;
	}
	if (rest.len || value[strlen(value) - 1] == ',' || !iommusim_small_worlds_count(bounds))
		return refuse_bounds(value);
	return 0;
}

static int read_option(struct request *r, const char *name, const char *value)
{
	if (!strcmp(name, "worlds") || !strcmp(name, "seed"))
		r->seen = name;
	if (!strcmp(name, "worlds"))
		return read_count(name, value, 1, UINT64_C(1) << 40, &r->worlds);
	if (!strcmp(name, "seed"))
		return read_count(name, value, 0, UINT64_MAX, &r->seed);
	if (!strcmp(name, "exhaustive"))
		return read_bounds(value, &r->bounds);
	r->world = value;
	return 0;
}

/* "--name value" or "--name=value"; *i moves behind what was read. */
static int read_valued(struct request *r, int argc, char **argv, int *i)
{
	static const char *const names[] = { "worlds", "seed", "exhaustive", "world" };
	const char *given = argv[*i] + 2, *value = strchr(given, '=');
	size_t length = value ? (size_t)(value - given) : strlen(given);

	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		if (strlen(names[n]) != length || strncmp(names[n], given, length) != 0)
			continue;
		value = value ? value + 1 : *i + 1 < argc ? argv[++*i] : NULL;
		return value ? read_option(r, names[n], value)
		             : say("--%s: its value is missing", names[n]);
	}
	return say("unknown option '--%.*s'", (int)length, given);
}

/* The policies of one argument, through the option that compare has for them. */
static int read_policies(struct request *r, char *text)
{
	struct options more;
	char *argv[] = { "check", "--policy", text };
	int status = options_parse(&more, USE_COMPARE, 3, argv);

	for (unsigned i = 0; !status && i < more.nr_policies; i++) {
		if (r->named.nr_policies == MAX_POLICIES)
			return say("more than %d policies", MAX_POLICIES);
		r->named.policies[r->named.nr_policies] = more.policies[i];
		r->named.is_named[r->named.nr_policies++] = more.is_named[i];
	}
	return status;
}

static int parse(struct request *r, int argc, char **argv)
{
	int status = 0;

	for (int i = 1; !status && i < argc; i++) {
		if (!strcmp(argv[i], "--help"))
			r->named.wants_help = 1;
		else if (!strcmp(argv[i], "--test"))
			r->as_test = 1;
		else if (!strcmp(argv[i], "--table"))
			r->as_table = 1;
		else if (!strncmp(argv[i], "--", 2))
			status = read_valued(r, argc, argv, &i);
		else
			status = read_policies(r, argv[i]);
	}
	if (status || r->named.wants_help)
		return status;
	if (!r->named.nr_policies)
		return say("check: which policy? (iommusim show policy lists them)");
	if (r->bounds.frames && r->seen)
		return say("--exhaustive: does not go with --%s", r->seen);
	if (r->world && r->bounds.frames)
		return say("--world: does not go with --exhaustive");
	if (r->as_test && r->world)
		return say("--test: does not go with --world");
	if (r->as_table && (r->world || r->as_test))
		return say("--table: does not go with --%s", r->world ? "world" : "test");
	return 0;
}

/* ---- Searching ---- */

static void world_at(const struct request *r, uint64_t i, struct iommusim_world *world)
{
	if (r->bounds.frames)
		iommusim_small_worlds_at(&r->bounds, i, world);
	else
		iommusim_world_generate(r->seed, i, world);
}

static int host_failed(void)
{
	return say("the host has no memory for a world");
}

/* Run all worlds; for each invariant the first that breaks it is kept, then made small. */
static int search(const struct request *r, uint64_t nr, struct checked *c)
{
	struct progress progress = { .nr = nr };

	for (uint64_t i = 0; i < nr; i++) {
		struct iommusim_verdict verdict;
		struct iommusim_world world;

		world_at(r, i, &world);
		iommusim_world_suit(&world, c->policy);
		guard_world(&world);
		if (iommusim_check_world(c->policy, &world, NULL, &verdict))
			return host_failed();
		checked_see(c, &world, &verdict);
		progress_show(&progress, c->policy->alias, i + 1);
	}
	guard_world(NULL);
	progress_end(&progress);
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
		if (c->nr_broken[n] && checked_shrink(c, n))
			return host_failed();
	return 0;
}

/* Is there a field before @field in @text that has its name? */
static int is_second(const char *text, const char *field)
{
	size_t length = strcspn(field, "=") + 1;

	for (; text < field; text += strspn(text, " \t\r\n")) {
		if (!strncmp(text, field, length))
			return 1;
		text += strcspn(text, " \t\r\n");
	}
	return 0;
}

/* What is wrong with the field of the world @text that starts at @field. */
static int refuse_field(const char *text, const char *field)
{
	const char *allowed = iommusim_world_field_text(field);
	int whole = (int)strcspn(field, " \t\r\n"), name = (int)strcspn(field, "= \t\r\n");

	if (!allowed)
		return say("--world: '%.*s' is no field: they are page, order, pgsizes, bytes, "
		           "gfp, attrs, frames, free and fail",
		           whole, field);
	if (is_second(text, field))
		return say("--world: %.*s is there twice", name, field);
	if (name == whole)
		return say("--world: %.*s has no value; it is %s", name, field, allowed);
	return say("--world: %.*s is %s, not '%.*s'", name, field, allowed, whole - name - 1,
	           field + name + 1);
}

/* Is each policy for the largest order of the world? 0, or EXIT_INPUT after a message. */
static int suit_one_world(const struct request *r, const struct iommusim_world *world)
{
	for (unsigned i = 0; i < r->named.nr_policies; i++) {
		const struct iommusim_policy *policy = r->named.policies[i];

		if (policy->only_order && policy->only_order != world->max_order)
			return say("--world: order is %u, and policy %s is for a largest order of "
			           "%u only",
			           world->max_order, name_text(policy->name).s, policy->only_order);
	}
	return 0;
}

static int check_one_world(const struct request *r)
{
	struct iommusim_world world;
	const char *at = NULL;
	int status = EXIT_FINE;

	if (iommusim_world_parse(r->world, &world, &at))
		return refuse_field(r->world, at);
	if (suit_one_world(r, &world))
		return EXIT_INPUT;
	guard_world(&world);
	for (unsigned i = 0; i < r->named.nr_policies; i++) {
		struct iommusim_verdict verdict;

		if (iommusim_check_world(r->named.policies[i], &world, NULL, &verdict))
			return host_failed();
		print_verdict(r->named.policies[i], &verdict);
		if (verdict.broken)
			status = EXIT_VERDICT;
	}
	return status;
}

static void print_all(const struct request *r, const struct checked *all, uint64_t nr_worlds)
{
	unsigned nr = r->named.nr_policies;

	if (r->as_test) {
		if (!print_check_tests(all, nr))
			fputs("iommusim: no invariant is broken: there is no test to print\n",
			      stderr);
		return;
	}
	if (r->bounds.frames)
		printf("worlds     all %" PRIu64 " within %u frame%s, %u page%s, order %u\n",
		       nr_worlds, r->bounds.frames, plural(r->bounds.frames), r->bounds.pages,
		       plural(r->bounds.pages), r->bounds.max_order);
	else
		printf("worlds     %" PRIu64 ", seed %" PRIu64 "\n", nr_worlds, r->seed);
	print_narrow(r->as_table ? "table" : "figures", LABEL_WIDTH,
	             r->as_table ? "yes: the invariant holds in all of them; no: not in some"
	                         : "of how many of them break an invariant; -: none does");
	if (r->as_table)
		print_check_table(all, nr);
	else
		print_checked(all, nr);
}

static int check_all(const struct request *r)
{
	uint64_t nr = r->bounds.frames ? iommusim_small_worlds_count(&r->bounds) : r->worlds;
	struct checked *all = calloc(r->named.nr_policies, sizeof(*all));
	int status = all ? EXIT_FINE : host_failed();
	int verdict = EXIT_FINE;

	for (unsigned i = 0; !status && i < r->named.nr_policies; i++) {
		all[i].policy = r->named.policies[i];
		status = search(r, nr, &all[i]);
		if (r->named.is_named[i] && checked_nr_broken(&all[i], 1))
			verdict = EXIT_VERDICT;
	}
	if (!status)
		print_all(r, all, nr);
	free(all);
	return status ? status : verdict;
}

int cmd_check(int argc, char **argv)
{
	static struct request r; /* some kilobytes */
	int status;

	r = (struct request){ .worlds = 20000, .seed = 1 };
	status = parse(&r, argc, argv);
	if (status)
		return status;
	if (r.named.wants_help)
		return help();
	return r.world ? check_one_world(&r) : check_all(&r);
}
