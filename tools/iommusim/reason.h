/* SPDX-License-Identifier: MIT */
/* A verdict in words, the same for every output format. */
#ifndef REASON_H
#define REASON_H

#include "compare.h"
#include "text.h"

const char *verdict_name(enum verdict verdict);

/* The step that failed, "" if none did. */
const char *step_name(const struct result *result);

/* "ENOMEM" …, "BUG" where Linux stops, "" where nothing failed. */
const char *error_name(const struct result *result);

/* Why the verdict is not mappable; "" where it is. */
void reason_describe(const struct report *report, const struct result *result, struct line *line);

/* "16 buffers of 4M and 1 of 12K". */
void request_describe(const struct options *options, struct line *line);

/* How Linux itself treats those IOMMUs that only extended domains accept; "" where there are none.
 */
void linux_describe(const struct options *options, struct line *line);

#endif
