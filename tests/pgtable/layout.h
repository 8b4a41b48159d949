/* SPDX-License-Identifier: MIT */
/* A table given as its words, and what is mapped by it. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "walk_formats.h"

/* Words @first to @last of a table, each @step above the one before. */
struct run {
	uint64_t table;
	unsigned first, last;
	uint64_t word, step;
};

/* @nr pages of @size bytes each. */
struct mapping {
	uint64_t iova, pa, size;
	unsigned nr;
	const char *prot; /* letters: r, w, c cached, x not executable, m device, p privileged */
};

struct example {
	const char *name;
	struct walk_config config;
	const struct run *run;
	size_t nr_runs;
	const struct mapping *mapping;
	size_t nr_mappings;
	uint64_t root_bytes; /* 0: it does not say */
	uint64_t hole;       /* 0: or an address that must not be mapped */
	unsigned is_big_endian;
};

#define RUNS(array) (array), sizeof(array) / sizeof((array)[0])

/* Letters as the walkers' bits. */
static inline unsigned letters(const char *prot)
{
	static const char all[] = "rwcxmp";
	unsigned bits = 0;

	for (; *prot; prot++)
		bits |= 1u << (strchr(all, *prot) - all);
	return bits;
}

#endif
