/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include <string.h>
#include "file.h"
#include "say.h"
#include "text.h"
#include "units.h"

static struct iommusim_catalog *own;
static struct file own_text;
static const char *own_path;

int rows_read(const char *path)
{
	struct name_text name = name_text(path);
	struct said said = { "" };
	struct iommusim_host host = { .size = sizeof(host), .log = said_log, .log_ctx = &said };
	struct iommusim_text text = { .name = name.s };
	const char *wrong;

	if (own)
		return strcmp(own_path, path) ? say("--driver-file: only one file") : 0;
	wrong = file_read(path, &own_text);
	if (wrong)
		return say("--driver-file: '%s' cannot be read (%s)", name.s, wrong);
	text.text = own_text.text;
	text.bytes = own_text.bytes;
	if (iommusim_catalog_parse(&host, &text, &own))
		return say("%s", said.line);
	own_path = path;
	return 0;
}

static const struct iommusim_catalog_driver *find_own(const char *id)
{
	const struct iommusim_catalog_driver *row;
	size_t i = 0;

	if (!own)
		return NULL;
	while ((row = iommusim_catalog_at(own, i++)) != NULL && strcmp(row->id, id) != 0)
		;
	return row;
}

/* Number @index of the user's rows that stand for no other. */
static const struct iommusim_catalog_driver *new_at(size_t index)
{
	const struct iommusim_catalog_driver *row;

	for (size_t i = 0; (row = iommusim_catalog_at(own, i)) != NULL; i++)
		if (!iommusim_catalog_driver_find(row->id) && !index--)
			return row;
	return NULL;
}

const struct iommusim_catalog_driver *rows_at(size_t index)
{
	const struct iommusim_catalog_driver *row = iommusim_catalog_driver_at(index), *mine;
	size_t nr = 0;

	if (row) {
		mine = find_own(row->id);
		return mine ? mine : row;
	}
	while (iommusim_catalog_driver_at(nr))
		nr++;
	return own ? new_at(index - nr) : NULL;
}

const struct iommusim_catalog_driver *rows_find(const char *id)
{
	const struct iommusim_catalog_driver *mine = find_own(id);

	return mine ? mine : iommusim_catalog_driver_find(id);
}
