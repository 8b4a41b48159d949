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
};

#define WORD(w) (int)((w).length < 40 ? (w).length : 40), (w).text

static int is(struct word w, const char *text)
{
	return w.length == strlen(text) && !memcmp(w.text, text, w.length);
}

static int starts(struct word w, const char *text)
{
	return w.length >= strlen(text) && !memcmp(w.text, text, strlen(text));
}

/* The next word of the line, without a trailing comma; length 0: there is none. */
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
	if (w.length && w.text[w.length - 1] == ',')
		w.length--;
	return w;
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

/* "Node N, zone NAME". 0 or a worded error. */
static int read_zone(struct reader *r, unsigned *node, unsigned *zone, char *field)
{
	struct word w = next_word(r);
	uint64_t nr;
	int kind;

	if (!is(w, "Node"))
		return bad_line(r, "line", w, "is not 'Node'");
	w = next_word(r);
	if (!to_number(w, &nr) || nr >= ISIM_MAX_NODES)
		return bad_line(r, "node", w, "is not a node number below 64");
	*node = (unsigned)nr;
	w = next_word(r);
	if (!is(w, "zone"))
		return bad_line(r, "line", w, "is not 'zone'");
	w = next_word(r);
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

static int check_frames(const struct reader *r, const char *field,
                        const struct isim_snapshot_zone *zone, uint64_t *total)
{
	for (unsigned order = 0; order < r->snap->nr_orders; order++)
		*total += zone->nr[order] << order;
	if (*total > UINT32_MAX - (UINT32_C(1) << 20))
		return isim_complain(&r->snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: free frames '%llu' are more than a machine has",
		                     r->name, r->nr, field, (unsigned long long)*total);
	return 0;
}

static int read_buddy_line(struct reader *r, uint64_t *total)
{
	struct iommusim_snapshot *snap = r->snap;
	struct isim_snapshot_zone *zone = &snap->zone[snap->nr_zones];
	unsigned node, kind, capped;
	char field[48];
	int err = read_zone(r, &node, &kind, field);

	if (err)
		return err;
	if (snap->nr_zones == ISIM_MAX_ZONES || find_zone(snap, node, kind))
		return isim_complain(&snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: the zone is there twice, or there are more than "
		                     "64 zones",
		                     r->name, r->nr, field);
	zone->node = node;
	zone->zone = kind;
	err = read_counts(r, field, zone->nr, &capped);
	if (!err && capped)
		err = isim_complain(&snap->host, IOMMUSIM_EINVAL, "%s:%u: %s: '>' is not a count",
		                    r->name, r->nr, field);
	snap->nr_zones++;
	return err ? err : check_frames(r, field, zone, total);
}

static int read_buddyinfo(struct reader *r)
{
	uint64_t total = 0;
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
	r->snap->pageblock_order = (unsigned)order;
	return 0;
}

static int read_block_columns(struct reader *r)
{
	int nr = 0;
	struct word w;

	for (int i = 0; i < 4; i++)
		next_word(r); /* Number of blocks type */
	for (w = next_word(r); w.length; w = next_word(r)) {
		int type = find_name(w, iommusim_migratetype_name);

		if (type < 0 || nr == IOMMUSIM_NR_MIGRATETYPES)
			return bad_line(r, "Number of blocks type", w, "is not a migratetype");
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
	snprintf(where, sizeof(where), "%s, type %s", field,
	         iommusim_migratetype_name((unsigned)type));
	err = read_counts(r, where, counts, &capped);
	for (unsigned order = 0; !err && order < r->snap->nr_orders; order++) {
		zone->by_type[order][type] = counts[order];
		zone->capped[order] |= (capped >> order & 1) << type;
	}
	zone->has_types |= 1;
	return err;
}

static int read_block_row(struct reader *r, struct isim_snapshot_zone *zone, const char *field)
{
	for (int i = 0; r->column_type[i] >= 0; i++) {
		struct word w = next_word(r);

		if (!to_number(w, &zone->nr_pageblocks[r->column_type[i]]))
			return bad_line(r, field, w, "is not a count of 0 .. 2^32 - 1");
	}
	if (next_word(r).length)
		return isim_complain(&r->snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: more counts than migratetypes", r->name, r->nr,
		                     field);
	zone->has_types |= 2;
	return 0;
}

static int read_type_row(struct reader *r)
{
	struct isim_snapshot_zone *zone;
	struct word line, w;
	unsigned node, kind;
	char field[48];
	int err = read_zone(r, &node, &kind, field);

	if (err)
		return err;
	zone = find_zone(r->snap, node, kind);
	if (!zone)
		return isim_complain(&r->snap->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: buddyinfo has no such zone", r->name, r->nr,
		                     field);
	line = r->line;
	w = next_word(r);
	if (is(w, "type"))
		return read_free_row(r, zone, field);
	if (r->column_type[0] < 0)
		return bad_line(r, field, w, "is not 'type'");
	r->line = line;
	return read_block_row(r, zone, field);
}

static int read_pagetypeinfo(struct reader *r)
{
	int err = 0;

	while (!err && next_line(r)) {
		struct word line = r->line;

		if (!next_word(r).length || starts(line, "Pages per block:") ||
		    starts(line, "Free pages count"))
			continue;
		r->line = line;
		if (starts(line, "Number of mixed blocks"))
			break; /* kernels with page_owner */
		if (starts(line, "Page block order:"))
			err = read_block_order(r);
		else if (starts(line, "Number of blocks type"))
			err = read_block_columns(r);
		else
			err = read_type_row(r);
	}
	return err;
}

/* ---- Bringing the two together ---- */

static unsigned largest_type(const uint64_t *by_type)
{
	unsigned best = IOMMUSIM_MOVABLE;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		if (by_type[type] > by_type[best])
			best = type;
	return best;
}

/* Make the counts by type of one order add up to buddyinfo's. Returns 1 if they did not. */
static unsigned agree(struct isim_snapshot_zone *zone, unsigned order)
{
	uint64_t *by_type = zone->by_type[order];
	uint64_t sum = 0, want = zone->nr[order];

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		sum += by_type[type];
	if (sum == want)
		return 0;
	if (sum < want && zone->capped[order]) {
		by_type[isim_low_bit(zone->capped[order])] += want - sum;
		return 0;
	}
	if (sum < want)
		by_type[largest_type(by_type)] += want - sum;
	while (sum > want) {
		uint64_t *most = &by_type[largest_type(by_type)];
		uint64_t cut = sum - want < *most ? sum - want : *most;

		*most -= cut;
		sum -= cut;
	}
	return 1;
}

static int divide_by_type(struct iommusim_snapshot *snap, const struct reader *r)
{
	if (!snap->pageblock_order)
		return isim_complain(&snap->host, IOMMUSIM_EINVAL,
		                     "%s: 'Page block order:' is missing", r->name);
	for (unsigned i = 0; i < snap->nr_zones; i++) {
		struct isim_snapshot_zone *zone = &snap->zone[i];

		if (zone->has_types != 3)
			return isim_complain(&snap->host, IOMMUSIM_EINVAL,
			                     "%s: node %u, zone %s: free counts or numbers of "
			                     "blocks are missing",
			                     r->name, zone->node, iommusim_zone_name(zone->zone));
		for (unsigned order = 0; order < snap->nr_orders; order++)
			snap->notes.nr_adjusted += agree(zone, order);
	}
	snap->notes.has_types = 1;
	return 0;
}

static void all_movable(struct iommusim_snapshot *snap)
{
	for (unsigned i = 0; i < snap->nr_zones; i++)
		for (unsigned order = 0; order < snap->nr_orders; order++)
			snap->zone[i].by_type[order][IOMMUSIM_MOVABLE] = snap->zone[i].nr[order];
}

static int read_both(struct iommusim_snapshot *snap, const struct iommusim_text *buddyinfo,
                     const struct iommusim_text *pagetypeinfo)
{
	struct reader r;
	int err = reader_init(&r, snap, buddyinfo);

	if (!err)
		err = read_buddyinfo(&r);
	if (err || !pagetypeinfo) {
		all_movable(snap);
		return err;
	}
	err = reader_init(&r, snap, pagetypeinfo);
	if (!err)
		err = read_pagetypeinfo(&r);
	return err ? err : divide_by_type(snap, &r);
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
