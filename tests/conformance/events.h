/* SPDX-License-Identifier: MIT */
/* The events of one recorded call: attempts, other allocations and frees, in their order. */
#ifndef EVENTS_H
#define EVENTS_H

#include "state.h"

/* A call on its way: three lists of events, merged. */
struct run {
	struct world *world;
	struct record *call;
	struct rows attempts, others, frees, order; /* order: the sequence, or empty */
	uint64_t left;                              /* events left of the sequence's row */
	int has_sequence;
	int other_waits;     /* others.row is read and not yet taken */
	struct record names; /* of their rows: the first column is no number */
	uint64_t nr_attempts, nr_attempts_ok, nr_others, nr_others_ok;
};

void run_start(struct run *run, struct world *world, struct record *call);

/* Let them all happen on the machine and compare each page that it gives. */
void run_events(struct run *run);

#endif
