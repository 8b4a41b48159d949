/* SPDX-License-Identifier: MIT */
/*
 * Reading the two /proc files. A line is taken word by word; whatever is not as the kernel prints
 * it is worded with the file, the line, the field and the value, and ends the reading.
 */
#include "phys/snapshot.h"

#include <stdio.h>
#include <string.h>

/* A stretch of text. */
struct word {
	const char *text;
	size_t length;
};

/* One file being read, line by line, and the line, word by word. */
struct reader {
	struct iommusim_snapshot *snap;
	const char *name;
	struct word rest;                              /* of the file */
	struct word line;                              /* what is left of the line */
	unsigned nr;                                   /* number of the line, from 1 */
	int column_type[IOMMUSIM_NR_MIGRATETYPES + 1]; /* "Number of blocks type"; -1 ends it */
	unsigned columns;                              /* the same, one bit each */
	uint64_t nr_pageblocks;                        /* of the zones so far */
};

/* More would take gigabytes of the host's memory, and minutes. */
#define MAX_SPREAD (UINT64_C(1) << 27)

#define MAX_FRAMES (UINT32_MAX - (UINT32_C(1) << 20))

#define WORD(w) (int)((w).length < 40 ? (w).length : 40), (w).text

static int is(struct word w, const char *text)
{
	return w.length == strlen(text) && !memcmp(w.text, text, w.length);
}

static int starts(struct word w, const char *text)
{
	return w.length >= strlen(text) && !memcmp(w.text, text, strlen(text));
}

/* The next word of the line; length 0: there is none. */
static struct word next_word(struct reader *r)
{
	struct word w;

	while (r->line.length && (*r->line.text == ' ' || *r->line.text == '\t')) {
		r->line.text++;
		r->line.length--;
	}
	w.text = r->line.text;
	for (w.length = 0; w.length < r->line.length; w.length++)
		if (w.text[w.length] == ' ' || w.text[w.length] == '\t')
			break;
	r->line.text += w.length;
	r->line.length -= w.length;
	return w;
}

/* Take the comma off the end of a word. 1, or 0: there is none. */
static int take_comma(struct word *w)
{
	if (!w->length || w->text[w->length - 1] != ',')
		return 0;
	w->length--;
	return 1;
}

/* Step to the next line; 0: there is none. */
static int next_line(struct reader *r)
{
	const char *end;

	if (!r->rest.length)
		return 0;
	end = memchr(r->rest.text, '\n', r->rest.length);
	r->line.text = r->rest.text;
	r->line.length = end ? (size_t)(end - r->rest.text) : r->rest.length;
	r->rest.text += r->line.length + (end != NULL);
	r->rest.length -= r->line.length + (end != NULL);
	if (r->line.length && r->line.text[r->line.length - 1] == '\r')
		r->line.length--;
	r->nr++;
	return 1;
}

static int bad_line(const struct reader *r, const char *field, struct word value, const char *why)
{
	return isim_complain(&r->snap->host, IOMMUSIM_EINVAL, "%s:%u: %s: '%.*s' %s", r->name,
	                     r->nr, field, WORD(value), why);
}

/* Nothing more may follow. */
static int end_of_line(struct reader *r, const char *field)
{
	struct word w = next_word(r);

	return w.length ? bad_line(r, field, w, "is one word too many") : 0;
}

/* A decimal number below 2^32. 1, or 0: it is not one. */
static int to_number(struct word w, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < w.length; i++) {
		if (w.text[i] < '0' || w.text[i] > '9')
			return 0;
		*value = *value * 10 + (uint64_t)(w.text[i] - '0');
		if (*value > UINT32_MAX)
			return 0;
	}
	return w.length != 0;
}

static int check_text(struct reader *r)
{
	unsigned line = 1;

	if (!r->rest.length)
		return isim_complain(&r->snap->host, IOMMUSIM_EINVAL, "%s: the file is empty",
		                     r->name);
	for (size_t i = 0; i < r->rest.length; i++) {
		unsigned char c = (unsigned char)r->rest.text[i];

		line += c == '\n';
		if (c >= 0x20 ? c < 0x7f : c == '\n' || c == '\t' || c == '\r')
			continue;
		return isim_complain(&r->snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: byte %lu: 0x%02x is not text", r->name, line,
		                     (unsigned long)i, c);
	}
	return 0;
}

static int reader_init(struct reader *r, struct iommusim_snapshot *snap,
                       const struct iommusim_text *text)
{
	memset(r, 0, sizeof(*r));
	r->snap = snap;
	r->name = text->name ? text->name : "input";
	r->rest.text = text->text;
	r->rest.length = text->bytes;
	r->column_type[0] = -1;
	return check_text(r);
}

static int find_name(struct word w, const char *(*name_of)(unsigned))
{
	for (unsigned i = 0; name_of(i); i++)
		if (is(w, name_of(i)))
			return (int)i;
	return -1;
}

/* "Node N, zone NAME", with a comma behind it or not. 0 or a worded error. */
static int read_zone(struct reader *r, unsigned *node, unsigned *zone, char *field, int *comma)
{
	struct word w = next_word(r);
	uint64_t nr;
	int kind;

	if (!is(w, "Node"))
		return bad_line(r, "line", w, "is not 'Node'");
	w = next_word(r);
	if (!take_comma(&w))
		return bad_line(r, "node", w, "has no comma behind it");
	if (!to_number(w, &nr) || nr >= ISIM_MAX_NODES)
		return bad_line(r, "node", w, "is not a node number below 64");
	*node = (unsigned)nr;
	w = next_word(r);
	if (!is(w, "zone"))
		return bad_line(r, "line", w, "is not 'zone'");
	w = next_word(r);
	*comma = take_comma(&w);
	kind = find_name(w, iommusim_zone_name);
	if (kind < 0)
		return bad_line(r, "zone", w, "is not the name of a zone");
	*zone = (unsigned)kind;
	sprintf(field, "node %u, zone %s", *node, iommusim_zone_name(*zone));
	return 0;
}

static struct isim_snapshot_zone *find_zone(struct iommusim_snapshot *snap, unsigned node,
                                            unsigned zone)
{
	for (unsigned i = 0; i < snap->nr_zones; i++)
		if (snap->zone[i].node == node && snap->zone[i].zone == zone)
			return &snap->zone[i];
	return NULL;
}

/* The counts of one line, an order each, as many as the first line had. */
static int read_counts(struct reader *r, const char *zone, uint64_t *counts, unsigned *capped)
{
	unsigned nr = 0;
	char field[64];
	struct word w;

	*capped = 0;
	for (w = next_word(r); w.length; w = next_word(r), nr++) {
		snprintf(field, sizeof(field), "%s, order %u", zone, nr);
		if (nr == IOMMUSIM_MAX_ORDERS)
			return bad_line(r, field, w, "is one count too many");
		if (*w.text == '>' && w.length > 1) {
			*capped |= 1u << nr;
			w.text++;
			w.length--;
		}
		if (!to_number(w, &counts[nr]))
			return bad_line(r, field, w, "is not a count of 0 .. 2^32 - 1");
	}
	if (!r->snap->nr_orders)
		r->snap->nr_orders = nr;
	if (nr < 11 || nr != r->snap->nr_orders)
		return isim_complain(&r->snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: %u counts are not %u", r->name, r->nr, zone, nr,
		                     r->snap->nr_orders < 11 ? 11 : r->snap->nr_orders);
	return 0;
}

/* ---- buddyinfo ---- */

/* What the zones read so far have, all together. */
struct totals {
	uint64_t frames; /* free */
	uint64_t spread; /* frames of the regions that hold a free block below the largest order */
};

static int check_totals(const struct reader *r, const char *field,
                        const struct isim_snapshot_zone *zone, struct totals *total)
{
	for (unsigned order = 0; order < IOMMUSIM_MAX_ORDERS; order++) {
		total->frames += zone->nr[order] << order;
		if (order + 1 < r->snap->nr_orders)
			total->spread += zone->nr[order] << (order + 1);
	}
	if (total->frames > MAX_FRAMES)
		return isim_complain(&r->snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: free frames '%llu' are more than a machine has",
		                     r->name, r->nr, field, (unsigned long long)total->frames);
	if (total->spread > MAX_SPREAD)
		return isim_complain(&r->snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: free blocks below the largest order spread over "
		                     "'%llu' frames, more than 2^27",
		                     r->name, r->nr, field, (unsigned long long)total->spread);
	return 0;
}

static int read_buddy_line(struct reader *r, struct totals *total)
{
	struct iommusim_snapshot *snap = r->snap;
	struct isim_snapshot_zone *zone = &snap->zone[snap->nr_zones];
	unsigned node, kind, capped;
	char field[48];
	int comma, err = read_zone(r, &node, &kind, field, &comma);

	if (err)
		return err;
	if (comma)
		return bad_line(r, field, next_word(r), "follows a comma");
	if (find_zone(snap, node, kind))
		return isim_complain(&snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: the zone is there twice", r->name, r->nr, field);
	if (snap->nr_zones == ISIM_MAX_ZONES)
		return isim_complain(&snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: there are more than 64 zones", r->name, r->nr,
		                     field);
	zone->node = node;
	zone->zone = kind;
	err = read_counts(r, field, zone->nr, &capped);
	if (!err && capped)
		err = isim_complain(&snap->host, IOMMUSIM_EINVAL, "%s:%u: %s: '>' is not a count",
		                    r->name, r->nr, field);
	snap->nr_zones++;
	return err ? err : check_totals(r, field, zone, total);
}

static int read_buddyinfo(struct reader *r)
{
	struct totals total = { 0, 0 };
	int err = 0;

	while (!err && next_line(r)) {
		struct word line = r->line;

		if (!next_word(r).length)
			continue;
		r->line = line;
		err = read_buddy_line(r, &total);
	}
	if (!err && !r->snap->nr_zones)
		err = isim_complain(&r->snap->host, IOMMUSIM_EINVAL, "%s: the file has no zones",
		                    r->name);
	return err;
}

/* ---- pagetypeinfo ---- */

static int read_block_order(struct reader *r)
{
	struct word w;
	uint64_t order;

	for (int i = 0; i < 3; i++)
		next_word(r); /* Page block order: */
	w = next_word(r);
	if (!to_number(w, &order) || order < 1 || order >= r->snap->nr_orders)
		return bad_line(r, "Page block order", w, "is not an order of buddyinfo above 0");
	if (r->snap->pageblock_order)
		return bad_line(r, "Page block order", w, "is there for the second time");
	r->snap->pageblock_order = (unsigned)order;
	return end_of_line(r, "Page block order");
}

static int read_block_pages(struct reader *r)
{
	struct word w;
	uint64_t pages;

	for (int i = 0; i < 3; i++)
		next_word(r); /* Pages per block: */
	w = next_word(r);
	if (!to_number(w, &pages) || !r->snap->pageblock_order ||
	    pages != isim_bit(r->snap->pageblock_order))
		return bad_line(r, "Pages per block", w, "is not 2 to the pageblock order");
	return end_of_line(r, "Pages per block");
}

static int read_block_columns(struct reader *r)
{
	static const char field[] = "Number of blocks type";
	int nr = 0;
	struct word w;

	for (int i = 0; i < 4; i++)
		next_word(r); /* Number of blocks type */
	if (r->columns)
		return bad_line(r, field, r->line, "is there for the second time");
	for (w = next_word(r); w.length; w = next_word(r)) {
		int type = find_name(w, iommusim_migratetype_name);

		if (type < 0)
			return bad_line(r, field, w, "is not a migratetype");
		if (r->columns >> type & 1)
			return bad_line(r, field, w, "is there twice");
		r->columns |= 1u << type;
		r->column_type[nr++] = type;
		r->column_type[nr] = -1;
	}
	return 0;
}

static int read_free_row(struct reader *r, struct isim_snapshot_zone *zone, const char *field)
{
	uint64_t counts[IOMMUSIM_MAX_ORDERS];
	struct word w = next_word(r);
	int type = find_name(w, iommusim_migratetype_name);
	unsigned capped;
	char where[80];
	int err;

	if (type < 0)
		return bad_line(r, field, w, "is not a migratetype");
	if (zone->types >> type & 1)
		return bad_line(r, field, w, "is there twice");
	snprintf(where, sizeof(where), "%s, type %s", field,
	         iommusim_migratetype_name((unsigned)type));
	err = read_counts(r, where, counts, &capped);
	for (unsigned order = 0; !err && order < r->snap->nr_orders; order++) {
		zone->by_type[order][type] = counts[order];
		zone->capped[order] |= (capped >> order & 1) << type;
	}
	zone->types |= 1u << type;
	return err;
}

static int read_block_row(struct reader *r, struct isim_snapshot_zone *zone, const char *field)
{
	if (zone->has_blocks)
		return bad_line(r, field, r->line, "are counts for the second time");
	for (int i = 0; r->column_type[i] >= 0; i++) {
		uint64_t *nr = &zone->nr_pageblocks[r->column_type[i]];
		struct word w = next_word(r);

		if (!to_number(w, nr))
			return bad_line(r, field, w, "is not a count of 0 .. 2^32 - 1");
		r->nr_pageblocks += *nr;
		if (r->nr_pageblocks << r->snap->pageblock_order > MAX_FRAMES)
			return bad_line(r, field, w, "pageblocks are more than a machine has");
	}
	zone->has_blocks = 1;
	return end_of_line(r, field);
}

static int read_type_row(struct reader *r)
{
	struct isim_snapshot_zone *zone;
	struct word line, w;
	unsigned node, kind;
	char field[48];
	int comma, err = read_zone(r, &node, &kind, field, &comma);

	if (err)
		return err;
	zone = find_zone(r->snap, node, kind);
	if (!zone)
		return isim_complain(&r->snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: buddyinfo has no such zone", r->name, r->nr,
		                     field);
	line = r->line;
	w = next_word(r);
	if (comma && is(w, "type"))
		return read_free_row(r, zone, field);
	if (comma || r->column_type[0] < 0)
		return bad_line(r, field, w, "is not 'type' behind a comma");
	r->line = line;
	return read_block_row(r, zone, field);
}

static int read_pagetypeinfo(struct reader *r)
{
	int err = 0;

	while (!err && next_line(r)) {
		struct word line = r->line;

		if (!next_word(r).length || starts(line, "Free pages count"))
			continue;
		r->line = line;
		if (starts(line, "Number of mixed blocks"))
			break; /* kernels with page_owner */
		if (starts(line, "Page block order:"))
			err = read_block_order(r);
		else if (starts(line, "Pages per block:"))
			err = read_block_pages(r);
		else if (starts(line, "Number of blocks type"))
			err = read_block_columns(r);
		else
			err = read_type_row(r);
	}
	return err;
}

/* ---- Both files ---- */

static int read_both(struct iommusim_snapshot *snap, const struct iommusim_text *buddyinfo,
                     const struct iommusim_text *pagetypeinfo)
{
	struct reader r;
	int err = reader_init(&r, snap, buddyinfo);

	if (!err)
		err = read_buddyinfo(&r);
	if (err || !pagetypeinfo) {
		isim_snapshot_all_movable(snap);
		return err;
	}
	err = reader_init(&r, snap, pagetypeinfo);
	if (!err)
		err = read_pagetypeinfo(&r);
	return err ? err : isim_snapshot_divide(snap, r.name, r.columns);
}

int iommusim_snapshot_parse(const struct iommusim_host *host, const struct iommusim_text *buddyinfo,
                            const struct iommusim_text *pagetypeinfo,
                            struct iommusim_snapshot **snapshot)
{
	struct iommusim_snapshot *snap;
	struct iommusim_host h;
	int err = isim_host_init(&h, host);

	if (err)
		return err;
	snap = isim_zalloc(&h, 1, sizeof(*snap));
	if (!snap)
		return isim_complain(&h, IOMMUSIM_EHOST, "the host has no memory for a snapshot");
	snap->host = h;
	err = read_both(snap, buddyinfo, pagetypeinfo);
	if (err) {
		iommusim_snapshot_destroy(snap);
		return err;
	}
	*snapshot = snap;
	return 0;
}

void iommusim_snapshot_destroy(struct iommusim_snapshot *snapshot)
{
	struct iommusim_host host;

	if (!snapshot)
		return;
	host = snapshot->host;
	isim_free(&host, snapshot);
}
