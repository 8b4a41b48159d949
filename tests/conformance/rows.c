/* SPDX-License-Identifier: MIT */
/* Run-length rows of a recording. */
#include "rows.h"

#include <inttypes.h>
#include <string.h>

struct rows rows_of(struct record *record, struct json_object *call, const char *name,
                    const char *stepped)
{
	struct rows rows = { .record = record, .name = name, .stepped = stepped };

	json_object_object_get_ex(call, name, &rows.list);
	rows.nr_columns = (unsigned)strlen(stepped);
	return rows;
}

/* More in one run than any machine that was recorded has frames: it would keep us busy for ever. */
#define ROWS_MOST (UINT64_C(1) << 24)

/* The first row of the next run, and its steps. */
static int next_run(struct rows *rows)
{
	struct json_object *run = item(rows->list, rows->run);
	size_t at = rows->nr_columns;

	if (!run)
		return 0;
	rows->run++;
	for (unsigned i = 0; i < rows->nr_columns; i++)
		rows->row[i] = item_u64(rows->record, run, i);
	rows->left = at < length_of(run) ? item_u64(rows->record, run, at) : 1;
	if (rows->left > ROWS_MOST) {
		differ(rows->record, "%s has a run of %" PRIu64 " rows", rows->name, rows->left);
		rows->left = 0;
	}
	for (unsigned i = 0; i < rows->nr_columns; i++)
		rows->step[i] = rows->stepped[i] == 's' && at + 1 < length_of(run)
		                        ? item_u64(rows->record, run, ++at)
		                        : 0;
	return rows->left != 0;
}

int rows_next(struct rows *rows)
{
	if (rows->left > 1) {
		rows->left--;
		for (unsigned i = 0; i < rows->nr_columns; i++)
			rows->row[i] += rows->step[i];
	} else if (!next_run(rows)) {
		return 0;
	}
	rows->nr++;
	return 1;
}

void rows_end(struct rows *rows)
{
	if (rows_next(rows))
		differ(rows->record, "%s has more than %lu rows", rows->name,
		       (unsigned long)rows->nr - 1);
}

void rows_expect(struct rows *rows, const uint64_t *value)
{
	if (!rows_next(rows)) {
		differ(rows->record, "%s has only %lu rows", rows->name, (unsigned long)rows->nr);
		return;
	}
	for (unsigned i = 0; i < rows->nr_columns; i++)
		if (value[i] != ROWS_ANY && value[i] != rows->row[i])
			differ(rows->record,
			       "column %u of row %lu of %s is 0x%" PRIx64 ", not 0x%" PRIx64, i,
			       (unsigned long)rows->nr - 1, rows->name, value[i], rows->row[i]);
}
