/* SPDX-License-Identifier: MIT */
/* What check found, as the manual has it: which invariants hold for whom, and since when. */
#include "check_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "object.h"
#include "text.h"

#define ALIAS_WIDTH 5
#define WIDTH       80

static unsigned nr_breaking(const struct checked *checked, unsigned nr, unsigned invariant)
{
	unsigned breaking = 0;

	for (unsigned i = 0; i < nr; i++)
		breaking += checked[i].nr_broken[invariant] != 0;
	return breaking;
}

/* Those that hold for all are named in a sentence; the others are columns. */
static void print_kept(const struct checked *checked, unsigned nr)
{
	struct line line = { .len = 0 };

	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
		if (!nr_breaking(checked, nr, n))
			line_add(&line, "%s%s", line.len ? ", " : "", iommusim_invariant_name(n));
	print_narrow("hold always", LABEL_WIDTH + 1, line.len ? line.s : "none");
}

/* The invariants from @first up to @end that someone breaks, for one policy, or their names. */
static void print_row(const struct checked *checked, unsigned nr, const struct checked *row,
                      unsigned first, unsigned end)
{
	struct line line = { .len = 0 };

	line_add(&line, "%-*s", ALIAS_WIDTH - 1,
	         row ? checked_title(checked, nr, (unsigned)(row - checked)).s : "");
	for (unsigned n = first; n < end; n++) {
		const char *name = iommusim_invariant_name(n);

		if (!nr_breaking(checked, nr, n))
			continue;
		line_add(&line, " %-*s", (int)strlen(name),
		         !row                ? name
		         : row->nr_broken[n] ? "no"
		                             : "yes");
	}
	while (line.len && line.s[line.len - 1] == ' ')
		line.len--;
	printf("%.*s\n", (int)line.len, line.s);
}

/* Behind the last invariant that there is room for on lines that start with @first. */
static unsigned end_of_columns(const struct checked *checked, unsigned nr, unsigned first)
{
	size_t width = ALIAS_WIDTH - 1;
	unsigned n = first;

	for (; n < IOMMUSIM_NR_INVARIANTS; n++) {
		if (nr_breaking(checked, nr, n))
			width += 1 + strlen(iommusim_invariant_name(n));
		if (width > WIDTH)
			break;
	}
	return n;
}

/* As many tables as there are columns for. */
static void print_rows(const struct checked *checked, unsigned nr)
{
	for (unsigned first = 0, end; first < IOMMUSIM_NR_INVARIANTS; first = end) {
		end = end_of_columns(checked, nr, first);
		putchar('\n');
		print_row(checked, nr, NULL, first, end);
		for (unsigned i = 0; i < nr; i++)
			print_row(checked, nr, &checked[i], first, end);
	}
}

static void print_policies(const struct checked *checked, unsigned nr)
{
	putchar('\n');
	for (unsigned i = 0; i < nr; i++) {
		const struct iommusim_policy *policy = checked[i].policy;
		const char *path = policy_argument(policy);
		struct line line = { .len = 0 };

		line_add(&line, "%s: %s", name_text(policy->name).s,
		         path == policy->alias ? policy->kernels : name_text(path).s);
		print_narrow(checked_title(checked, nr, i).s, ALIAS_WIDTH, line.s);
	}
}

static unsigned nr_of_history(const struct checked *checked, unsigned nr)
{
	unsigned found = 0;

	for (unsigned i = 0; i < nr; i++)
		found += !strcmp(checked[i].policy->family, "history") &&
		         policy_argument(checked[i].policy) == checked[i].policy->alias;
	return found;
}

/* Were all of the history checked? Else there is no telling since when something holds. */
static int is_whole_history(const struct checked *checked, unsigned nr)
{
	const struct iommusim_policy *policy;
	unsigned all = 0;

	for (size_t i = 0; (policy = iommusim_policy_at(i)) != NULL; i++)
		all += !strcmp(policy->family, "history");
	return nr_of_history(checked, nr) == all;
}

/* From which policy of the history on the invariant holds: the one behind the last that breaks it.
 */
static void print_since(const struct checked *checked, unsigned nr, unsigned invariant)
{
	const struct checked *last = NULL, *since = NULL;

	for (unsigned i = 0; i < nr; i++) {
		if (strcmp(checked[i].policy->family, "history") != 0)
			continue;
		if (checked[i].nr_broken[invariant])
			last = &checked[i], since = NULL;
		else if (!since)
			since = &checked[i];
	}
	if (since && last)
		printf("  holds in the history from %s (%s) on\n", since->policy->name,
		       since->policy->alias);
	else if (since)
		puts("  holds in all of the history");
	else if (last)
		puts("  does not hold in the history to this day");
}

static int is_alike(const struct checked *a, const struct checked *b, unsigned invariant)
{
	if (!a->nr_broken[invariant] || !b->nr_broken[invariant] ||
	    memcmp(&a->world[invariant], &b->world[invariant], sizeof(a->world[0])) != 0)
		return 0;
	return !strcmp(a->text[invariant], b->text[invariant]);
}

/* One command for all that have the same smallest world, where @checked[first] is their first. */
static void print_world(const struct checked *checked, unsigned nr, unsigned first,
                        unsigned invariant)
{
	struct line who = { .len = 0 };

	for (unsigned i = 0; i < nr; i++) {
		if (!is_alike(&checked[first], &checked[i], invariant))
			continue;
		if (i < first)
			return; /* printed with that one */
		line_add(&who, "%s%s", who.len ? "," : "", policy_argument(checked[i].policy));
	}
	print_narrow("  ", 2, checked[first].text[invariant]);
	fputs("    iommusim check ", stdout);
	print_argument(who.s);
	printf(" \\\n        --world '%s'\n", world_text(&checked[first].world[invariant]));
}

static void print_meaning(unsigned invariant)
{
	char lead[32];

	snprintf(lead, sizeof(lead), "%s: ", iommusim_invariant_name(invariant));
	putchar('\n');
	print_narrow(lead, 2, iommusim_invariant_text(invariant));
}

void print_check_table(const struct checked *checked, unsigned nr)
{
	if (checked_nr_broken(checked, nr))
		print_rows(checked, nr);
	print_policies(checked, nr);
	putchar('\n');
	print_kept(checked, nr);
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++) {
		if (!nr_breaking(checked, nr, n))
			continue;
		print_meaning(n);
		if (is_whole_history(checked, nr))
			print_since(checked, nr, n);
		for (unsigned i = 0; i < nr; i++)
			if (checked[i].nr_broken[n])
				print_world(checked, nr, i, n);
	}
}
