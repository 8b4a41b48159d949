/* SPDX-License-Identifier: MIT */
/*
 * The host that fuzzers give to the library: its memory is limited and counted, and what it is told
 * is one printable line each. Anything else ends the program.
 */
#ifndef WITNESS_H
#define WITNESS_H

#include "iommusim.h"

/* What the library was given and what it said. */
struct witness {
	size_t left; /* bytes of the host's memory */
	unsigned nr_lines;
	char line[256];
};

/* The entry that libFuzzer calls. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* End the program: @what is wrong, of which @more tells. */
_Noreturn void witness_stop(const char *what, const char *more);

struct iommusim_host witness_host(struct witness *witness);

#endif
