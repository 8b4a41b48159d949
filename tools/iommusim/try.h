/* SPDX-License-Identifier: MIT */
/* A file of kernel code on trial: what was asked, found, and how it is printed. */
#ifndef TRY_H
#define TRY_H

#include "check_print.h"
#include "commands.h"
#include "compiler.h"
#include "options.h"

#define MAX_ARGS 128

struct trial {
	struct compilation compilation;
	uint64_t worlds, seed;
	const char *against; /* NULL: by its type and release */
	const struct iommusim_policy *mine, *reference;
	struct checked checked[2]; /* mine, the reference */
	uint32_t worse;            /* where mine is, one bit per invariant, and: */
#define WORSE_GIVES_UP (UINT32_C(1) << IOMMUSIM_NR_INVARIANTS)
	uint64_t nr_given_up; /* worlds in which mine fails, and the reference serves well */
	struct iommusim_world given_up;            /* the first, then the smallest */
	struct iommusim_difference given_up_where; /* in that */
	uint64_t nr_own; /* worlds with a finding of mine, and none of the reference */
	uint64_t nr_different;
	struct iommusim_world different; /* the first world in which they do, then the smallest */
	struct iommusim_difference difference; /* in that */
	char *compare[MAX_ARGS];               /* options for compare */
	int nr_compare;
	int is_json;
	int wants_help;
};

void try_print(const struct trial *t);

/* With the document of compare, unless it is NULL, which is freed. 0, or after a message
   EXIT_INPUT. */
int try_print_json(const struct trial *t, struct json_object *compared);

#endif
