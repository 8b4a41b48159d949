/* SPDX-License-Identifier: MIT */
/* Lists of a recording: rows that end in a number of alike rows and the steps between them. */
#ifndef ROWS_H
#define ROWS_H

#include "record.h"

#define MAX_COLUMNS 5

/* A walk over a list, run by run and in each run row by row. */
struct rows {
	struct record *record;
	const char *name;
	struct json_object *list;
	unsigned nr_columns;
	const char *stepped; /* one character per column: 's' if it steps, '-' if not */
	size_t run;          /* the run that comes next */
	uint64_t left;       /* rows left of this one */
	uint64_t row[MAX_COLUMNS], step[MAX_COLUMNS];
	size_t nr; /* rows so far */
};

/* Walk the list @name of @call, which may be missing: then it is empty. */
struct rows rows_of(struct record *record, struct json_object *call, const char *name,
                    const char *stepped);

/* The next row, in rows->row. 0: there is none. */
int rows_next(struct rows *rows);

/* Note a difference if there are rows left. */
void rows_end(struct rows *rows);

/* Note a difference unless there is a next row with @value in each column but those that are
   ROWS_ANY. */
#define ROWS_ANY UINT64_C(0xdeadbeef00000000)
void rows_expect(struct rows *rows, const uint64_t *value);

#endif
