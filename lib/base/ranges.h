/* SPDX-License-Identifier: MIT */
/*
 * An ordered set of disjoint ranges [lo, hi] of 64-bit numbers: a treap for look-ups, threaded by
 * links to the neighbours for walks. Nodes are numbers below 2^32 - 1 that stay valid until
 * removed; callers keep what belongs to a range in an array of their own under the same number.
 */
#ifndef ISIM_RANGES_H
#define ISIM_RANGES_H

#include "base/host.h"

#define ISIM_NO_NODE UINT32_MAX

struct isim_range_node {
	uint64_t lo, hi;
	uint32_t left, right, parent; /* of the tree; ISIM_NO_NODE: none */
	uint32_t prev, next; /* neighbours in ascending order; next also links free nodes */
	uint32_t priority;   /* no child has a higher one */
};

struct isim_ranges {
	struct iommusim_host host;
	struct isim_range_node *node;
	size_t cap;       /* nodes there is room for */
	uint32_t nr_used; /* nodes ever used; those above have never been */
	uint32_t nr;      /* ranges in the set */
	uint32_t root, first, last, free;
};

void isim_ranges_init(struct isim_ranges *set, const struct iommusim_host *host);
void isim_ranges_finish(struct isim_ranges *set);

/* A copy in @copy, uninitialised: 0, or -EHOST with nothing to finish. */
int isim_ranges_fork(const struct isim_ranges *set, struct isim_ranges *copy);

/* Make room for @more insertions, which then cannot fail. 0 or -EHOST. */
int isim_ranges_reserve(struct isim_ranges *set, uint32_t more);

/* Insert a range that overlaps none; room was reserved. Returns its node. */
uint32_t isim_ranges_insert(struct isim_ranges *set, uint64_t lo, uint64_t hi);
void isim_ranges_remove(struct isim_ranges *set, uint32_t node);

/* The lowest range that ends at or above @x, or ISIM_NO_NODE. It contains @x if its lo <= @x. */
uint32_t isim_ranges_at_or_above(const struct isim_ranges *set, uint64_t x);

#endif
