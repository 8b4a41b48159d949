/* SPDX-License-Identifier: MIT */
/* The outputs of a comparison. */
#ifndef PRINT_H
#define PRINT_H

#include "compare.h"

void print_table(const struct report *report);
void print_csv(const struct report *report);
struct json_object;
struct json_object *report_as_json(const struct report *report);

#endif
