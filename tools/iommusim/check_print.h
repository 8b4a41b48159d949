/* SPDX-License-Identifier: MIT */
/* What check found, printed. */
#ifndef CHECK_PRINT_H
#define CHECK_PRINT_H

#include <time.h>
#include "iommusim.h"

/* One policy: for each invariant the worlds in which it is broken, the smallest of them, and what
   is seen in that. */
struct checked {
	const struct iommusim_policy *policy;
	uint64_t nr_broken[IOMMUSIM_NR_INVARIANTS];
	struct iommusim_world world[IOMMUSIM_NR_INVARIANTS];
	char text[IOMMUSIM_NR_INVARIANTS][160];
};

/* Count what @verdict says; the first world that breaks an invariant is kept. */
void checked_see(struct checked *c, const struct iommusim_world *world,
                 const struct iommusim_verdict *verdict);

/* Make the world small that breaks @invariant. One that does not break it any more, as with a
   policy that is not deterministic, stays as it was first seen. 0, or the host's error. */
int checked_shrink(struct checked *c, unsigned invariant);

/* What a column calls policy @i of @nr: its alias, with a number where others have the same. */
struct column_title {
	char s[8];
};

struct column_title checked_title(const struct checked *checked, unsigned nr, unsigned i);

/* Invariants that do not hold, of all policies together. */
unsigned checked_nr_broken(const struct checked *checked, unsigned nr);

/* A world as text, however large. It stays until the next call. */
const char *world_text(const struct iommusim_world *world);

/* Table of invariants and policies, then what shows that one does not hold. */
void print_checked(const struct checked *checked, unsigned nr);

/* A C file with a CMocka test for each invariant that does not hold; how many those are. */
unsigned print_check_tests(const struct checked *checked, unsigned nr);

/* The same for the manual: who keeps what since when, and one world for all that it shows. */
void print_check_table(const struct checked *checked, unsigned nr);

void print_verdict(const struct iommusim_policy *policy, const struct iommusim_verdict *verdict);

/* A line on a terminal's stderr, at most once a second. */
struct progress {
	uint64_t nr;
	time_t start, last;
	int is_shown;
};

void progress_show(struct progress *progress, const char *what, uint64_t done);
void progress_end(struct progress *progress);

#endif
