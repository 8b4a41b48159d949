/* SPDX-License-Identifier: MIT */
/*
 * A user's own drivers: CSV with a header line, LF or CRLF, double quotes around what holds commas,
 * quotes or line ends. The text is copied once; fields are unescaped where they stand.
 */
#include <string.h>

#include "base/host.h"
#include "catalog/catalog.h"

struct iommusim_catalog {
	struct iommusim_host host;
	char *text;
	struct iommusim_catalog_driver *row;
	size_t nr_rows, cap_rows;
};

/* A field, and where it starts, from 1. */
struct field {
	char *text;
	size_t line, column;
};

#define MAX_FIELDS 64

struct reader {
	const char *name;
	struct isim_diag diag;
	char *at, *end, *line_start;
	size_t line;
	struct field field[MAX_FIELDS];
	size_t nr_fields;
	enum isim_catalog_column column_of[MAX_FIELDS]; /* by position, from the header */
	size_t nr_columns;
};

static int fail(struct reader *r, const struct field *at, const char *column, const char *why)
{
	if (!column)
		return isim_fail(&r->diag, IOMMUSIM_EINVAL, "%s:%zu:%zu: %s", r->name, at->line,
		                 at->column, why);
	return isim_fail(&r->diag, IOMMUSIM_EINVAL, "%s:%zu:%zu: %s: '%.40s' %s", r->name, at->line,
	                 at->column, column, at->text, why);
}

/* Where the reader is. */
static struct field here(const struct reader *r)
{
	return (struct field){ r->at, r->line, (size_t)(r->at - r->line_start) + 1 };
}

static int fail_here(struct reader *r, const char *why)
{
	struct field at = here(r);

	return fail(r, &at, NULL, why);
}

static int at_field_end(const struct reader *r)
{
	return r->at == r->end || *r->at == ',' || *r->at == '\n' || *r->at == '\r';
}

/* Behind the opening quote, up to what follows the closing one; *last gets the text's end. */
static int read_quoted(struct reader *r, const struct field *field, char **last)
{
	char *to = field->text;

	for (;;) {
		if (r->at == r->end)
			return fail(r, field, NULL, "a quote that is not closed");
		if (*r->at == '"' && (r->at + 1 == r->end || r->at[1] != '"'))
			break;
		r->at += *r->at == '"';
		if (*r->at == '\n') {
			r->line++;
			r->line_start = r->at + 1;
		}
		*to++ = *r->at++;
	}
	r->at++;
	*last = to;
	return at_field_end(r) ? 0 : fail_here(r, "text after a closing quote");
}

static int read_plain(struct reader *r, char **last)
{
	for (; !at_field_end(r); r->at++)
		if (*r->at == '"')
			return fail_here(r, "a quote inside a field");
	*last = r->at;
	return 0;
}

/* A text that could do harm where it is printed. */
static int has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && !strchr("\t\r\n", *text)) || *text == 0x7f)
			return 1;
	return 0;
}

/* One field; what ends it is in *delimiter, and passed. */
static int read_field(struct reader *r, char *delimiter)
{
	struct field field = here(r);
	int err, is_quoted = r->at < r->end && *r->at == '"';
	char *last = NULL;

	if (r->nr_fields == MAX_FIELDS)
		return fail_here(r, "too many fields");
	r->at += is_quoted;
	err = is_quoted ? read_quoted(r, &field, &last) : read_plain(r, &last);
	if (err)
		return err;
	r->field[r->nr_fields++] = field;
	if (r->at < r->end && *r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
		r->at++;
	*delimiter = r->at < r->end ? *r->at : '\n';
	if (*delimiter == '\r')
		return fail_here(r, "a carriage return alone");
	if (r->at < r->end)
		r->at++;
	if (*delimiter == '\n') {
		r->line++;
		r->line_start = r->at;
	}
	*last = 0; /* on the delimiter or before it */
	if (memchr(field.text, 0, (size_t)(last - field.text)))
		return fail(r, &field, NULL, "a zero byte");
	return has_control(field.text) ? fail(r, &field, NULL, "a control character in a field")
	                               : 0;
}

/* The fields of the next record. 1: there is one; 0: none; negative: an error. */
static int read_record(struct reader *r)
{
	char delimiter = ',';
	int err = 0;

	r->nr_fields = 0;
	if (r->at == r->end)
		return 0;
	while (!err && delimiter == ',')
		err = read_field(r, &delimiter);
	return err ? err : 1;
}

static int find_column(const char *name)
{
	for (int i = 0; i < ISIM_CATALOG_COLUMNS; i++)
		if (!strcmp(isim_catalog_columns[i], name))
			return i;
	return -1;
}

static int read_header(struct reader *r)
{
	unsigned seen = 0;
	int err = read_record(r);
	struct field start = { r->end, 1, 1 };

	if (err < 0)
		return err;
	for (size_t i = 0; i < r->nr_fields; i++) {
		int column = find_column(r->field[i].text);

		if (column < 0 || seen >> column & 1)
			return fail(r, &r->field[i], "header", "is no column, or there twice");
		seen |= 1u << column;
		r->column_of[i] = (enum isim_catalog_column)column;
	}
	r->nr_columns = r->nr_fields;
	for (int i = 0; i < ISIM_CATALOG_COLUMNS; i++)
		if (!(seen >> i & 1))
			return isim_fail(&r->diag, IOMMUSIM_EINVAL,
			                 "%s:%zu:%zu: the column %s is missing", r->name,
			                 start.line, start.column, isim_catalog_columns[i]);
	return 0;
}

/* The record's field that is column @column. */
static const struct field *field_of(const struct reader *r, enum isim_catalog_column column)
{
	size_t i = 0;

	while (r->column_of[i] != column)
		i++;
	return &r->field[i];
}

static int read_row(struct reader *r, struct iommusim_catalog *catalog)
{
	const char *text[ISIM_CATALOG_COLUMNS];
	struct iommusim_catalog_driver row;
	struct isim_catalog_wrong wrong;

	if (r->nr_fields == 1 && !*r->field[0].text)
		return fail(r, &r->field[0], NULL, "an empty line");
	if (r->nr_fields != r->nr_columns)
		return isim_fail(&r->diag, IOMMUSIM_EINVAL, "%s:%zu:%zu: %zu fields instead of %zu",
		                 r->name, r->field[0].line, r->field[0].column, r->nr_fields,
		                 r->nr_columns);
	for (size_t i = 0; i < r->nr_fields; i++)
		text[r->column_of[i]] = r->field[i].text;
	if (isim_catalog_row(text, &row, &wrong))
		return fail(r, field_of(r, wrong.column), isim_catalog_columns[wrong.column],
		            wrong.why);
	for (size_t i = 0; i < catalog->nr_rows; i++)
		if (!strcmp(catalog->row[i].id, row.id))
			return fail(r, field_of(r, ISIM_COLUMN_ID), "id", "is there twice");
	if (isim_grow(&r->diag.host, &catalog->row, &catalog->cap_rows, catalog->nr_rows + 1,
	              sizeof(row)))
		return isim_no_memory(&r->diag, "a catalogue");
	catalog->row[catalog->nr_rows++] = row;
	return 0;
}

/* Some editors put a byte order mark before the text. */
static void skip_mark(struct reader *r)
{
	if (r->end - r->at >= 3 && !memcmp(r->at, "\xef\xbb\xbf", 3))
		r->at += 3;
	r->line_start = r->at;
}

static int read_all(struct reader *r, struct iommusim_catalog *catalog)
{
	int err, more = 1;

	skip_mark(r);
	err = read_header(r);

	while (!err && more > 0) {
		more = read_record(r);
		if (more > 0)
			err = read_row(r, catalog);
	}
	return err ? err : more;
}

int iommusim_catalog_parse(const struct iommusim_host *host, const struct iommusim_text *csv,
                           struct iommusim_catalog **catalog)
{
	struct reader r = { .name = csv->name ? csv->name : "csv", .line = 1 };
	struct iommusim_catalog *c;
	int err = isim_host_init(&r.diag.host, host);

	if (err)
		return err;
	c = isim_zalloc(&r.diag.host, 1, sizeof(*c));
	if (!c)
		return isim_no_memory(&r.diag, "a catalogue");
	c->host = r.diag.host;
	c->text = isim_zalloc(&c->host, (uint64_t)csv->bytes + 1, 1);
	if (c->text) {
		if (csv->bytes)
			memcpy(c->text, csv->text, csv->bytes);
		r.at = c->text;
		r.end = c->text + csv->bytes;
		err = read_all(&r, c);
	} else {
		err = isim_no_memory(&r.diag, "a catalogue");
	}
	if (err) {
		iommusim_catalog_destroy(c);
		return err;
	}
	*catalog = c;
	return 0;
}

void iommusim_catalog_destroy(struct iommusim_catalog *catalog)
{
	struct iommusim_host host;

	if (!catalog)
		return;
	host = catalog->host;
	if (catalog->row)
		isim_free(&host, catalog->row);
	if (catalog->text)
		isim_free(&host, catalog->text);
	isim_free(&host, catalog);
}

const struct iommusim_catalog_driver *iommusim_catalog_at(const struct iommusim_catalog *catalog,
                                                          size_t index)
{
	return index < catalog->nr_rows ? &catalog->row[index] : NULL;
}
