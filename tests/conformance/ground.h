/* SPDX-License-Identifier: MIT */
/* Recordings of real kernels: one machine, call after call. */
#ifndef GROUND_H
#define GROUND_H

#include "record.h"

struct totals {
	unsigned long nr_passed, nr_failed, nr_skipped;
};

/* Replay the recording @json of the file @path and add to @totals. What differs is printed. */
void ground_truth(struct json_object *json, const char *path, struct totals *totals);

#endif
