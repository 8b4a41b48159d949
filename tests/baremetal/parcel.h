/* SPDX-License-Identifier: MIT */
/*
 * What the host hands to the machine: page tables as bytes of memory, and questions with the
 * answers that the library gives. It lies in the machine's memory at an address both know.
 */
#ifndef PARCEL_H
#define PARCEL_H

#include <stddef.h>
#include <stdint.h>

#define PARCEL_MAGIC UINT64_C(0x6c65637261507420)

/* What a page grants: the library's protection bits. */
#define GRANTS_READ   1u
#define GRANTS_WRITE  2u
#define GRANTS_CACHE  4u
#define GRANTS_NOEXEC 8u
#define GRANTS_MMIO   16u
#define GRANTS_PRIV   32u

#define ANY_LEVEL 0xffu

struct question {
	uint64_t iova, pa;
	uint32_t is_mapped, prot;
	uint32_t level;  /* where the walk ends: 0 is the level of leaves alone */
	uint32_t faults; /* of two stages: the faults of reading, writing, a user's reading */
};

/* A fault of two stages in eight bits, 0: none; the low ones are what and at which level. */
#define FAULT_IS     0x80u
#define FAULT_STAGE2 0x40u
#define FAULT_TABLE  0x20u /* while a table of stage 1 was read */
#define FAULT_WHAT   0x1fu

/* One set of tables. */
struct world {
	char name[64];
	uint64_t regs[8]; /* what they mean is the matter of each architecture */
	uint64_t root;
	uint64_t nr_levels;
	uint64_t nr_questions, questions; /* physical address */
	uint64_t nr_mappings;
};

struct parcel {
	uint64_t magic, nr_worlds, worlds; /* physical address */
};

#endif
