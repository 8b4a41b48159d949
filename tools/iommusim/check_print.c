/* SPDX-License-Identifier: MIT */
/* What check found: one table, and below it the smallest worlds, as commands. */
#include "check_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#if defined(_WIN32)
#include <io.h>
#define isatty _isatty
#else
#include <unistd.h>
#endif
#include "object.h"
#include "text.h"

#define NAME_WIDTH 18
#define PER_TABLE  8 /* policies side by side */

/* isatty() of stderr is descriptor 2 everywhere. */
static int is_terminal(void)
{
	return isatty(2);
}

void progress_show(struct progress *progress, const char *what, uint64_t done)
{
	time_t now;

	if (done % 256 || !is_terminal())
		return;
	now = time(NULL);
	if (!progress->start)
		progress->start = progress->last = now;
	if (now == progress->last)
		return;
	progress->last = now;
	progress->is_shown = 1;
	fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " worlds, %" PRIu64 " a second ", what,
	        done, progress->nr, done / (uint64_t)(now - progress->start));
}

void progress_end(struct progress *progress)
{
	if (progress->is_shown)
		fprintf(stderr, "\r%60s\r", "");
}

/* Of @nr policies those from @first on that one table has room for. */
static void print_table(const struct checked *checked, unsigned nr, unsigned first)
{
	unsigned end = nr - first < PER_TABLE ? nr : first + PER_TABLE;

	printf("\n%-*s", NAME_WIDTH, "broken in worlds");
	for (unsigned i = first; i < end; i++)
		printf(" %6s", checked_title(checked, nr, i).s);
	putchar('\n');
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++) {
		printf("%-*s", NAME_WIDTH, iommusim_invariant_name(n));
		for (unsigned i = first; i < end; i++)
			if (checked[i].nr_broken[n])
				printf(" %6" PRIu64, checked[i].nr_broken[n]);
			else
				printf(" %6s", "-");
		putchar('\n');
	}
}

/* Which column is which shared object. */
static void print_objects(const struct checked *checked, unsigned nr)
{
	const char *lead = "\n";

	for (unsigned i = 0; i < nr; i++) {
		const struct iommusim_policy *policy = checked[i].policy;

		if (policy_argument(policy) == policy->alias)
			continue;
		printf("%s%-6s is %s, %s\n", lead, checked_title(checked, nr, i).s,
		       name_text(policy->name).s, name_text(policy_argument(policy)).s);
		lead = "";
	}
}

static void print_broken(const struct checked *c, unsigned invariant)
{
	char lead[160];

	snprintf(lead, sizeof(lead), "%s, %s: ", name_text(c->policy->name).s,
	         iommusim_invariant_name(invariant));
	putchar('\n');
	print_narrow(lead, 4, iommusim_invariant_text(invariant));
	print_narrow("    here:", 10, c->text[invariant]);
	fputs("    iommusim check ", stdout);
	print_argument(policy_argument(c->policy));
	printf(" --world '%s'\n", world_text(&c->world[invariant]));
}

void print_checked(const struct checked *checked, unsigned nr)
{
	for (unsigned i = 0; i < nr; i += PER_TABLE)
		print_table(checked, nr, i);
	print_objects(checked, nr);
	for (unsigned i = 0; i < nr; i++)
		for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
			if (checked[i].nr_broken[n])
				print_broken(&checked[i], n);
	if (!checked_nr_broken(checked, nr))
		puts("\nNo invariant is broken in any of them.");
}

void print_verdict(const struct iommusim_policy *policy, const struct iommusim_verdict *verdict)
{
	struct line line = { .len = 0 };
	char lead[100];

	snprintf(lead, sizeof(lead), "%s:", name_text(policy->name).s);
	line_add(&line, "%s%s after %" PRIu64 " attempt%s%s", verdict->result ? "fails with " : "",
	         verdict->result ? error_text(verdict->result).s : "success", verdict->attempts,
	         plural(verdict->attempts), verdict->broken ? "; broken:" : "");
	print_narrow(lead, strlen(lead) + 1, line.s);
	if (!verdict->broken)
		puts("    every invariant holds");
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++) {
		snprintf(lead, sizeof(lead), "    %s", iommusim_invariant_name(n));
		if (verdict->broken >> n & 1)
			print_narrow(lead, NAME_WIDTH + 4, verdict->text[n]);
	}
}
