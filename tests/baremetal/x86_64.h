/* SPDX-License-Identifier: MIT */
/* Numbers that assembly and C share. */
#ifndef X86_64_H
#define X86_64_H

#define MACHINE_PARCEL  0x10000000
#define WORLD_NR_LEVELS 136 /* offsetof(struct world, nr_levels) */

#endif
