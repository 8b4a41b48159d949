/* SPDX-License-Identifier: MIT */
/* Machines that are asked by loads, stores and jumps: what loads.c needs of them. */
#ifndef LOADS_H
#define LOADS_H

#include "guest.h"

enum outcome { DONE, PAGE_FAULT, OTHER_FAULT };

/* Through the world's tables. */
enum outcome machine_load(const struct world *world, uint64_t iova, uint64_t *value);
enum outcome machine_store(const struct world *world, uint64_t iova, uint64_t value);

/* Run what is at @iova; it comes back at once. */
enum outcome machine_jump(const struct world *world, uint64_t iova);

/* Past all tables. */
void machine_poke(uint64_t pa, uint64_t value);
uint64_t machine_peek(uint64_t pa);

/* Instructions that come back to machine_jump(). */
extern const uint64_t machine_code;

#endif
