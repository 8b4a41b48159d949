/* SPDX-License-Identifier: MIT */
/* The image's parts: what the machine-independent one needs of a machine. */
#ifndef GUEST_H
#define GUEST_H

#include "parcel.h"

/* Where the host put the parcel. */
extern const uint64_t machine_parcel;

void machine_putc(char c);

/* End the emulator. */
void machine_exit(int is_ok);

/* Make the MMU use the world's tables. */
void machine_enter(const struct world *world);

/* Does the machine answer as the library does? NULL, or what is different; @got: the address. */
const char *machine_ask(const struct world *world, const struct question *question, uint64_t *got);

/* Called by the machine's first instructions. */
void guest_main(void);

#endif
