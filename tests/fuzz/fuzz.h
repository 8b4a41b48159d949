/* SPDX-License-Identifier: MIT */
/*
 * What every fuzzer of a parser does. Its input are texts with a 0 between them. A text is refused
 * in one printable line or it is read; then the machine that it tells of is sound, and what it
 * prints is read again as the same machine. Anything else ends the program.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "witness.h"

#define MAX_TEXTS 3

/* Cut @data into at most @nr texts; what is not there has no text. */
void fuzz_cut(const uint8_t *data, size_t bytes, struct iommusim_text *texts, unsigned nr);

/* Read them, rebuild the machine for @kernel, and check all that is said above. */
void fuzz_texts(const struct iommusim_snapshot_texts *texts, unsigned kernel);

#endif
