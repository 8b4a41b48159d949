/* SPDX-License-Identifier: MIT */
/* Reading /proc/pagetypeinfo: the free blocks by migratetype, and the pageblocks of each. */
#include "phys/snapshot.h"

#include <stdio.h>

/* The file being read, and what its lines said so far. */
struct typed {
	struct isim_reader r;
	struct iommusim_snapshot *snap;
	int column_type[IOMMUSIM_NR_MIGRATETYPES + 1]; /* "Number of blocks type"; -1 ends it */
	unsigned columns;                              /* the same, one bit each */
	uint64_t nr_pageblocks;                        /* of the zones so far */
};

/* The fourth word of a line whose first three say what it is. */
static struct isim_word fourth_word(struct isim_reader *r)
{
	for (int i = 0; i < 3; i++)
		isim_text_word(r);
	return isim_text_word(r);
}

static int read_block_order(struct typed *t)
{
	static const char field[] = "Page block order";
	struct isim_word w = fourth_word(&t->r);
	uint64_t order;

	if (!isim_text_number(w, UINT32_MAX, &order) || order < 1 || order >= t->snap->nr_orders)
		return isim_text_bad(&t->r, field, w, "is not an order of buddyinfo above 0");
	if (t->snap->pageblock_order)
		return isim_text_bad(&t->r, field, w, "is there for the second time");
	t->snap->pageblock_order = (unsigned)order;
	return isim_text_end(&t->r, field);
}

static int read_block_pages(struct typed *t)
{
	static const char field[] = "Pages per block";
	struct isim_word w = fourth_word(&t->r);
	uint64_t pages;

	if (!isim_text_number(w, UINT32_MAX, &pages) || !t->snap->pageblock_order ||
	    pages != isim_bit(t->snap->pageblock_order))
		return isim_text_bad(&t->r, field, w, "is not 2 to the pageblock order");
	return isim_text_end(&t->r, field);
}

static int read_block_columns(struct typed *t)
{
	static const char field[] = "Number of blocks type";
	int nr = 0;
	struct isim_word w;

	fourth_word(&t->r); /* Number of blocks type */
	if (t->columns)
		return isim_text_bad(&t->r, field, t->r.line, "is there for the second time");
	for (w = isim_text_word(&t->r); w.length; w = isim_text_word(&t->r)) {
		int type = isim_text_find(w, iommusim_migratetype_name);

		if (type < 0)
			return isim_text_bad(&t->r, field, w, "is not a migratetype");
		if (t->columns >> type & 1)
			return isim_text_bad(&t->r, field, w, "is there twice");
		t->columns |= 1u << type;
		t->column_type[nr++] = type;
		t->column_type[nr] = -1;
	}
	return 0;
}

static int read_free_row(struct typed *t, struct isim_snapshot_zone *zone, const char *field)
{
	uint64_t counts[IOMMUSIM_MAX_ORDERS];
	struct isim_word w = isim_text_word(&t->r);
	int type = isim_text_find(w, iommusim_migratetype_name);
	unsigned capped;
	char where[128];
	int err;

	if (type < 0)
		return isim_text_bad(&t->r, field, w, "is not a migratetype");
	if (zone->types >> type & 1)
		return isim_text_bad(&t->r, field, w, "is there twice");
	snprintf(where, sizeof(where), "%s, type %s", field,
	         iommusim_migratetype_name((unsigned)type));
	err = isim_buddyinfo_counts(&t->r, &t->snap->nr_orders, where, counts, &capped);
	for (unsigned order = 0; !err && order < t->snap->nr_orders; order++) {
		zone->by_type[order][type] = counts[order];
		zone->capped[order] |= (capped >> order & 1) << type;
	}
	zone->types |= 1u << type;
	return err;
}

static int read_block_row(struct typed *t, struct isim_snapshot_zone *zone, const char *field)
{
	if (zone->has_blocks)
		return isim_text_bad(&t->r, field, t->r.line, "are counts for the second time");
	for (int i = 0; t->column_type[i] >= 0; i++) {
		uint64_t *nr = &zone->nr_pageblocks[t->column_type[i]];
		struct isim_word w = isim_text_word(&t->r);

		if (!isim_text_number(w, UINT32_MAX, nr))
			return isim_text_bad(&t->r, field, w, "is not a count of 0 .. 2^32 - 1");
		t->nr_pageblocks += *nr;
		if (t->nr_pageblocks << t->snap->pageblock_order > ISIM_MAX_FRAMES)
			return isim_text_bad(&t->r, field, w,
			                     "pageblocks are more than a machine has");
	}
	zone->has_blocks = 1;
	return isim_text_end(&t->r, field);
}

static int read_row(struct typed *t)
{
	struct isim_snapshot_zone *zone;
	struct isim_word line, w;
	struct isim_zone_name name;
	int err = isim_text_zone(&t->r, &name);

	if (err)
		return err;
	zone = isim_snapshot_find(t->snap, name.node, name.zone);
	if (!zone)
		return isim_complain(t->r.host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: buddyinfo has no such zone", t->r.name, t->r.nr,
		                     name.field.s);
	line = t->r.line;
	w = isim_text_word(&t->r);
	if (name.comma && isim_text_is(w, "type"))
		return read_free_row(t, zone, name.field.s);
	if (name.comma || t->column_type[0] < 0)
		return isim_text_bad(&t->r, name.field.s, w, "is not 'type' behind a comma");
	t->r.line = line;
	return read_block_row(t, zone, name.field.s);
}

static int read_line(struct typed *t)
{
	struct isim_word line = t->r.line;

	if (!isim_text_word(&t->r).length || isim_text_starts(line, "Free pages count"))
		return 0;
	t->r.line = line;
	if (isim_text_starts(line, "Page block order:"))
		return read_block_order(t);
	if (isim_text_starts(line, "Pages per block:"))
		return read_block_pages(t);
	if (isim_text_starts(line, "Number of blocks type"))
		return read_block_columns(t);
	return read_row(t);
}

int isim_pagetypeinfo_read(struct iommusim_snapshot *snap, const struct iommusim_text *text)
{
	struct typed t = { .snap = snap, .column_type = { -1 } };
	int err = isim_text_open(&t.r, &snap->host, text, 0);

	while (!err && isim_text_next_line(&t.r)) {
		if (isim_text_starts(t.r.line, "Number of mixed blocks"))
			break; /* kernels with page_owner */
		err = read_line(&t);
	}
	return err ? err : isim_snapshot_divide(snap, t.r.name, t.columns);
}
