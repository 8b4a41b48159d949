/* SPDX-License-Identifier: MIT */
/* Recordings, replayed with the free lists rebuilt and every frame number predicted. */
#ifndef PAGES_H
#define PAGES_H

#include "record.h"

/* Replay the recording @json of the file @path. What differs is printed. */
void pages_replay(struct json_object *json, const char *path);

/* Print a line for each folder seen. Returns the number of calls that differ. */
unsigned long pages_report(void);

#endif
