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
#define PER_TABLE  12 /* policies side by side */

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

static void print_table(const struct checked *checked, unsigned nr)
{
	printf("\n%-*s", NAME_WIDTH, "worlds against");
	for (unsigned i = 0; i < nr; i++)
		printf(" %6s", checked[i].policy->alias);
	putchar('\n');
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++) {
		printf("%-*s", NAME_WIDTH, iommusim_invariant_name(n));
		for (unsigned i = 0; i < nr; i++)
			if (checked[i].nr_broken[n])
				printf(" %6" PRIu64, checked[i].nr_broken[n]);
			else
				printf(" %6s", "-");
		putchar('\n');
	}
}

static void print_broken(const struct checked *c, unsigned invariant)
{
	printf("\n%s, %s\n", c->policy->name, iommusim_invariant_name(invariant));
	print_wrapped("    ", 4, c->text[invariant]);
	printf("    iommusim check %s --world '%s'\n", policy_argument(c->policy),
	       world_text(&c->world[invariant]));
}

void print_checked(const struct checked *checked, unsigned nr)
{
	for (unsigned i = 0; i < nr; i += PER_TABLE)
		print_table(checked + i, nr - i < PER_TABLE ? nr - i : PER_TABLE);
	for (unsigned i = 0; i < nr; i++)
		for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
			if (checked[i].nr_broken[n])
				print_broken(&checked[i], n);
	if (!checked_nr_broken(checked, nr))
		puts("\nNo invariant is broken in any of them.");
}

void print_verdict(const struct iommusim_policy *policy, const struct iommusim_verdict *verdict)
{
	printf("%s: %s after %" PRIu64 " attempts; ", policy->name,
	       verdict->result ? iommusim_errname(verdict->result) : "success", verdict->attempts);
	if (!verdict->broken) {
		puts("every invariant holds");
		return;
	}
	puts("broken:");
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++) {
		char lead[64];

		snprintf(lead, sizeof(lead), "    %s", iommusim_invariant_name(n));
		if (verdict->broken >> n & 1)
			print_wrapped(lead, NAME_WIDTH + 4, verdict->text[n]);
	}
}
