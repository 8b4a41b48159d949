/* SPDX-License-Identifier: MIT */
/*
 * Policies from shared objects are code of somebody else in this process. Where one crashes, ends
 * the program, or spins, it is said which, and with which request, and the exit status is that of a
 * broken policy.
 */
#ifndef GUARD_H
#define GUARD_H

#include "iommusim.h"

/* From now on the functions of @policy, which a command line calls @argument, are watched. Both
   stay the caller's and are used until the program ends. */
void guard_policy(struct iommusim_policy *policy, const char *argument);

/* The world in which policies run from now on, NULL: none. */
void guard_world(const struct iommusim_world *world);

#endif
