/* SPDX-License-Identifier: MIT */
/* What check found, as the manual has it: which invariants hold for whom, and since when. */
#include "check_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "object.h"
#include "text.h"

#define ALIAS_WIDTH 5

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
	print_wrapped("hold always", LABEL_WIDTH + 1, line.len ? line.s : "none");
}

static void print_row(const struct checked *checked, unsigned nr, const struct checked *row)
{
	struct line line = { .len = 0 };

	line_add(&line, "%-*s", ALIAS_WIDTH, row ? row->policy->alias : "");
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++) {
		const char *name = iommusim_invariant_name(n);

		if (nr_breaking(checked, nr, n))
			line_add(&line, "%-*s", (int)strlen(name) + 1,
			         !row                ? name
			         : row->nr_broken[n] ? "no"
			                             : "yes");
	}
	print_wrapped(line.s, line.len, row ? row->policy->kernels : "kernels");
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
	print_wrapped("  ", 2, checked[first].text[invariant]);
	printf("    iommusim check %s \\\n        --world '%s'\n", who.s,
	       world_text(&checked[first].world[invariant]));
}

void print_check_table(const struct checked *checked, unsigned nr)
{
	putchar('\n');
	print_row(checked, nr, NULL);
	for (unsigned i = 0; i < nr; i++)
		print_row(checked, nr, &checked[i]);
	putchar('\n');
	print_kept(checked, nr);
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++) {
		if (!nr_breaking(checked, nr, n))
			continue;
		printf("\n%s: %s\n", iommusim_invariant_name(n), iommusim_invariant_text(n));
		print_since(checked, nr, n);
		for (unsigned i = 0; i < nr; i++)
			if (checked[i].nr_broken[n])
				print_world(checked, nr, i, n);
	}
}
