/* SPDX-License-Identifier: MIT */
/* Policies from shared objects. */
#ifndef OBJECT_H
#define OBJECT_H

#include "iommusim.h"
#include "units.h"

/* Is it the path of a shared object, not a policy's name? It has a slash, or ends as they do. */
int is_object(struct slice name);

/*
 * The policy that the shared object at @path exports; the same again for the same path. It stays
 * until the program ends. NULL after a message.
 */
const struct iommusim_policy *object_policy(struct slice path);

/*
 * The policy that @object has, which was made of @file. In a list of policies its name is @name,
 * with a slash in it. NULL after a message.
 */
const struct iommusim_policy *object_policy_of(const char *object, const char *file,
                                               const char *name);

/* @policy, from a shared object, is for this largest order only from now on. */
void object_restrict(const struct iommusim_policy *policy, unsigned order);

/* What a command line calls @policy: its alias, or the path that it comes from. */
const char *policy_argument(const struct iommusim_policy *policy);

/*
 * The built-in policy that @policy, from a shared object, is a version of: of those that it names
 * as its kin the newest one up to its release. NULL: it names none, or none is that old.
 */
const struct iommusim_policy *object_reference(const struct iommusim_policy *policy);

#endif
