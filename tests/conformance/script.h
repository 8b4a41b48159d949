/* SPDX-License-Identifier: MIT */
/* The page source that a record describes: which attempt succeeds, and where its block lies. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "record.h"

struct script {
	char mode;           /* 'F', 'B', 'P' */
	const char *pattern; /* P: one character per attempt, the last one repeats */
	int64_t blocks[IOMMUSIM_MAX_ORDERS]; /* F, B: left at each order, -1: without end */
	unsigned page_shift, max_order;
	uint64_t cursor, gap; /* bytes */
	uint64_t nr_freed;    /* single pages */
};

/* The largest order of the kernel's buddy allocator. */
unsigned max_order_of(unsigned page_shift);

/* Read the record's stub. */
void script_init(struct script *script, struct record *record, unsigned page_shift);
struct iommusim_page_source script_source(struct script *script);

#endif
