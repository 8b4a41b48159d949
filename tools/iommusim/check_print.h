/* SPDX-License-Identifier: MIT */
/* What check found, printed. */
#ifndef CHECK_PRINT_H
#define CHECK_PRINT_H

#include <time.h>
#include "iommusim.h"

/* One policy: for each invariant the worlds in which it is broken, and the smallest of them. */
struct checked {
	const struct iommusim_policy *policy;
	uint64_t nr_broken[IOMMUSIM_NR_INVARIANTS];
	struct iommusim_world world[IOMMUSIM_NR_INVARIANTS];
};

/* Table of invariants and policies, then what shows that one does not hold. */
void print_checked(const struct checked *checked, unsigned nr, int as_test);

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
