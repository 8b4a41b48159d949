/* SPDX-License-Identifier: MIT */
/*
 * Reading the report of a failed allocation out of a kernel log. A line has a prefix of any kind,
 * so its words are searched for those that make it a line of the report; every other line is
 * somebody else's. What the console broke off a list of free blocks is found on a later line.
 */
#include "phys/snapshot.h"

#include <stdio.h>
#include <string.h>

#define MAX_KB (UINT64_C(1) << 42)

static const struct {
	const char *name;
	enum isim_number number;
	unsigned is_needed;
} keys[] = {
	{ "free:", ISIM_FREE_FRAMES, 1 },  { "boost:", ISIM_BOOST, 0 },
	{ "min:", ISIM_MIN, 1 },           { "low:", ISIM_LOW, 1 },
	{ "high:", ISIM_HIGH, 1 },         { "reserved_highatomic:", ISIM_RESERVED_HIGHATOMIC, 0 },
	{ "present:", ISIM_PRESENT, 1 },   { "managed:", ISIM_MANAGED, 1 },
	{ "free_pcp:", ISIM_FREE_PCP, 0 }, { "free_cma:", ISIM_CMA_FRAMES, 0 },
};

/* The list of free blocks of one zone. */
struct list {
	unsigned line; /* where it starts; 0: not there yet */
	unsigned nr;   /* orders so far */
	unsigned ended;
	uint64_t kb; /* of the blocks so far */
};

struct report {
	struct isim_reader r;
	struct iommusim_snapshot *snap;
	unsigned header_line, memory_line; /* "Mem-Info:" */
	uint64_t page_kb;                  /* 0: not known yet */
	unsigned open;                     /* 1: the list of zone @last is not at its end */
	unsigned last;                     /* zone of the last list or line of numbers */
	struct isim_totals total;
	struct list list[ISIM_MAX_ZONES];
	struct isim_numbers numbers[ISIM_MAX_ZONES]; /* in kB */
};

static int missing(const struct report *p, unsigned line, const char *field, const char *what)
{
	return isim_complain(p->r.host, IOMMUSIM_EINVAL, "%s:%u: %s: %s missing", p->r.name, line,
	                     field, what);
}

/* ---- The numbers of a zone ---- */

/* "7616kB", "0KB" */
static int read_kb(struct report *p, const char *field, struct isim_word w, uint64_t *kb)
{
	struct isim_word number = w;

	if (!isim_text_take_end(&number, 'B') ||
	    (!isim_text_take_end(&number, 'k') && !isim_text_take_end(&number, 'K')) ||
	    !isim_text_number(number, MAX_KB, kb))
		return isim_text_bad(&p->r, field, w, "is not a number of kB");
	return 0;
}

static int read_number(struct report *p, struct isim_numbers *n, struct isim_word w)
{
	for (size_t i = 0; i < ISIM_ARRAY_LEN(keys); i++) {
		enum isim_number number = keys[i].number;
		char field[128];

		if (!isim_text_starts(w, keys[i].name))
			continue;
		w.text += strlen(keys[i].name);
		w.length -= strlen(keys[i].name);
		snprintf(field, sizeof(field), "%s, %s", n->field.s, isim_numbers_name(number));
		if (n->line[number])
			return isim_text_bad(&p->r, field, w, "is there for the second time");
		n->line[number] = p->r.nr;
		return read_kb(p, field, w, &n->value[number]);
	}
	return 0;
}

/* "Node 0 DMA free:7616kB boost:0kB …": what is behind the name. */
static int read_numbers(struct report *p, const struct isim_zone_name *name)
{
	struct isim_snapshot_zone *zone = isim_snapshot_add(&p->r, p->snap, name);
	struct isim_numbers *n;
	struct isim_word w;
	int err = zone ? 0 : -IOMMUSIM_EINVAL;

	if (err)
		return err;
	zone->numbers_line = p->r.nr;
	p->last = p->snap->nr_zones - 1;
	n = &p->numbers[p->last];
	n->field = name->field;
	for (w = isim_text_word(&p->r); !err && w.length; w = isim_text_word(&p->r))
		err = read_number(p, n, w);
	for (size_t i = 0; !err && i < ISIM_ARRAY_LEN(keys); i++)
		if (keys[i].is_needed && !n->line[keys[i].number])
			err = isim_complain(p->r.host, IOMMUSIM_EINVAL,
			                    "%s:%u: %s: '%s' is missing", p->r.name, p->r.nr,
			                    n->field.s, keys[i].name);
	return err;
}

/* "lowmem_reserve[]: 0 433 433": what is behind it belongs to the zone before. */
static int read_reserve(struct report *p)
{
	struct isim_snapshot_zone *zone = &p->snap->zone[p->last];
	struct isim_word w;

	if (!p->snap->nr_zones || zone->nr_reserve)
		return 0;
	for (w = isim_text_word(&p->r); w.length; w = isim_text_word(&p->r)) {
		if (zone->nr_reserve == IOMMUSIM_NR_ZONES)
			return isim_text_bad(&p->r, "lowmem_reserve", w, "is one number too many");
		if (!isim_text_number(w, MAX_KB, &zone->reserve[zone->nr_reserve++]))
			return isim_text_bad(&p->r, "lowmem_reserve", w, "is not a number");
	}
	return 0;
}

/* ---- The free blocks of a zone ---- */

/* "1904*4kB". 1, or 0: it is something else. */
static int is_item(struct isim_word w, uint64_t *count, uint64_t *kb)
{
	struct isim_word size = isim_text_behind(w, "*");

	if (!size.text)
		return 0;
	w.length = (size_t)(size.text - w.text) - 1;
	return isim_text_take_end(&size, 'B') && isim_text_take_end(&size, 'k') &&
	       isim_text_number(w, UINT32_MAX, count) && isim_text_number(size, MAX_KB, kb);
}

static int add_item(struct report *p, struct isim_word w, uint64_t count, uint64_t kb)
{
	struct isim_snapshot_zone *zone = &p->snap->zone[p->last];
	struct list *list = &p->list[p->last];
	const char *field = p->numbers[p->last].field.s;

	if (list->nr == IOMMUSIM_MAX_ORDERS)
		return isim_text_bad(&p->r, field, w, "is one order too many");
	if (!p->page_kb && (kb < 4 || kb > 64 || !isim_is_pow2(kb)))
		return isim_text_bad(&p->r, field, w, "is no CPU page of 4kB .. 64kB");
	if (!p->page_kb)
		p->page_kb = kb;
	if (kb != p->page_kb << list->nr)
		return isim_text_bad(&p->r, field, w, "is not the order that comes next");
	zone->nr[list->nr] = zone->by_type[list->nr][IOMMUSIM_MOVABLE] = count;
	list->nr++;
	list->kb += count * kb;
	return 0;
}

/* "(UM)" behind an item: its blocks are shared equally. */
static int share(struct report *p, struct isim_word w)
{
	static const char letters[] = "UMEHCI"; /* in the order of the migratetypes */
	struct isim_snapshot_zone *zone = &p->snap->zone[p->last];
	unsigned order = p->list[p->last].nr - 1;
	uint64_t count = zone->nr[order], nr = w.length - 2;

	zone->by_type[order][IOMMUSIM_MOVABLE] = 0;
	for (size_t i = 1; i + 1 < w.length; i++) {
		const char *letter = strchr(letters, w.text[i]);

		if (!letter || !*letter)
			return isim_text_bad(&p->r, p->numbers[p->last].field.s, w,
			                     "are not letters of migratetypes");
		zone->by_type[order][letter - letters] += count / nr + (i == 1 ? count % nr : 0);
	}
	return 0;
}

/* "= 7616kB" */
static int end_list(struct report *p)
{
	struct list *list = &p->list[p->last];
	const char *field = p->numbers[p->last].field.s;
	struct isim_word w = isim_text_word(&p->r);
	uint64_t kb;
	int err = read_kb(p, field, w, &kb);

	if (err)
		return err;
	if (kb != list->kb)
		return isim_text_bad(&p->r, field, w, "is not the sum of its blocks");
	list->ended = 1;
	p->open = 0;
	if (!p->snap->nr_orders)
		p->snap->nr_orders = list->nr;
	return isim_snapshot_count(&p->r, p->snap, &p->snap->zone[p->last], &p->total);
}

/* Behind somebody else's words, is the sum of the blocks so far what follows? */
static int is_end(struct report *p)
{
	struct isim_word rest = p->r.line, w = isim_text_word(&p->r);
	uint64_t kb;

	p->r.line = rest;
	return isim_text_take_end(&w, 'B') && isim_text_take_end(&w, 'k') &&
	       isim_text_number(w, MAX_KB, &kb) && p->list[p->last].nr && kb == p->list[p->last].kb;
}

/* Take the rest of the line, from the first word that belongs to a list. */
static int read_list(struct report *p)
{
	struct isim_word w;
	int err = 0, is_ours = 0;

	for (w = isim_text_word(&p->r); !err && w.length && p->open; w = isim_text_word(&p->r)) {
		uint64_t count, kb;

		if (is_item(w, &count, &kb))
			err = add_item(p, w, count, kb);
		else if (isim_text_is(w, "=") && (is_ours || is_end(p)))
			err = end_list(p);
		else if (is_ours && *w.text == '(' && w.text[w.length - 1] == ')' && w.length > 2)
			err = share(p, w);
		else if (is_ours)
			return isim_text_bad(&p->r, p->numbers[p->last].field.s, w,
			                     "is no number of blocks");
		else
			continue;
		is_ours = 1;
	}
	return err;
}

static int begin_list(struct report *p, const struct isim_zone_name *name)
{
	struct isim_snapshot_zone *zone = isim_snapshot_find(p->snap, name->node, name->zone);

	if (!zone)
		return missing(p, p->r.nr, name->field.s, "the line with 'free:' is");
	p->last = (unsigned)(zone - p->snap->zone);
	if (p->list[p->last].line)
		return isim_complain(p->r.host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: the free blocks are there twice", p->r.name,
		                     p->r.nr, name->field.s);
	p->list[p->last].line = zone->line = p->r.nr;
	p->open = 1;
	return read_list(p);
}

/* ---- Lines ---- */

/* Does @name start a line of a zone's numbers (1), or of its free blocks (2)? These follow its name
 * and a colon, unless the console broke the line there. */
static int starts_zone(struct report *p, struct isim_word name, int has_colon, int is_numbered)
{
	struct isim_word rest = p->r.line, next = isim_text_word(&p->r);
	uint64_t count, kb;

	p->r.line = rest;
	if (isim_text_find(name, iommusim_zone_name) < 0)
		return 0;
	if (!has_colon)
		return isim_text_starts(next, "free:");
	return is_item(next, &count, &kb) || (is_numbered && !next.length) ? 2 : 0;
}

/* Before a zone's name stands, in most kernels, "Node N". */
static int read_memory_line(struct report *p)
{
	struct isim_word line = p->r.line, w, last[2] = { { NULL, 0 }, { NULL, 0 } };

	for (w = isim_text_word(&p->r); w.length; w = isim_text_word(&p->r)) {
		struct isim_word name = w;
		int is_numbered = last[0].length && isim_text_is(last[0], "Node");
		int has_colon = isim_text_take_end(&name, ':');
		int what = starts_zone(p, name, has_colon, is_numbered);
		struct isim_zone_name zone = { 0, 0, 0, { "" } };
		uint64_t node = 0;

		if (isim_text_is(w, "lowmem_reserve[]:"))
			return read_reserve(p);
		if (what) {
			if (is_numbered && !isim_text_number(last[1], ISIM_MAX_NODES - 1, &node))
				return isim_text_bad(&p->r, "node", last[1],
				                     "is not a node number below 64");
			zone.node = (unsigned)node;
			zone.zone = (unsigned)isim_text_find(name, iommusim_zone_name);
			zone.field = isim_text_zone_field(zone.node, zone.zone);
			return what == 2 ? begin_list(p, &zone) : read_numbers(p, &zone);
		}
		last[0] = last[1];
		last[1] = w;
	}
	p->r.line = line;
	return p->open ? read_list(p) : 0;
}

/* The level, "<4>", which adjoins the first word. */
static void skip_level(struct isim_word *line)
{
	struct isim_word level = *line, rest = isim_text_behind(*line, ">");
	uint64_t number;

	if (!rest.text || *level.text != '<')
		return;
	level = (struct isim_word){ level.text + 1, (size_t)(rest.text - level.text) - 2 };
	if (isim_text_number(level, UINT32_MAX, &number))
		*line = rest;
}

static int read_header(struct report *p, struct isim_word rest)
{
	p->header_line = p->r.nr;
	return isim_splat_read_header(&p->r, rest, &p->snap->splat);
}

/* 1: the next report starts. */
static int read_line(struct report *p)
{
	struct isim_word rest = isim_text_behind(p->r.line, isim_splat_header);

	skip_level(&p->r.line);
	if (rest.text)
		return p->header_line ? 1 : read_header(p, rest);
	if (!p->header_line)
		return 0;
	if (p->memory_line)
		return read_memory_line(p);
	rest = isim_text_behind(p->r.line, " Comm: ");
	if (rest.text && !p->snap->splat.task[0])
		isim_splat_read_task(&p->r, rest, &p->snap->splat);
	else if (isim_text_behind(p->r.line, "Mem-Info:").text)
		p->memory_line = p->r.nr;
	return 0;
}

/* ---- The end ---- */

/* From kB to frames. */
static int settle_numbers(struct report *p, unsigned index)
{
	struct isim_numbers *n = &p->numbers[index];
	struct isim_snapshot_zone *zone = &p->snap->zone[index];
	int err;

	for (unsigned i = 0; i < ISIM_NR_NUMBERS; i++) {
		if (n->value[i] % p->page_kb)
			return isim_complain(p->r.host, IOMMUSIM_EINVAL,
			                     "%s:%u: %s, %s: '%llukB' are not whole pages of "
			                     "%ukB",
			                     p->r.name, n->line[i], n->field.s,
			                     isim_numbers_name(i), (unsigned long long)n->value[i],
			                     (unsigned)p->page_kb);
		n->value[i] /= p->page_kb;
	}
	err = isim_numbers_settle(&p->r, p->snap, n, zone);
	if (!err)
		isim_numbers_keep(n, zone);
	return err;
}

static int check_zone(struct report *p, unsigned index)
{
	const struct list *list = &p->list[index];
	const struct isim_snapshot_zone *zone = &p->snap->zone[index];
	const char *field = p->numbers[index].field.s;

	if (!zone->nr_reserve)
		return missing(p, zone->numbers_line, field, "'lowmem_reserve[]:' is");
	if (!list->line)
		return missing(p, zone->numbers_line, field, "the free blocks are");
	if (!list->ended)
		return missing(p, list->line, field, "the end of the free blocks, '= ...kB', is");
	if (list->nr < 11 || list->nr != p->snap->nr_orders)
		return isim_complain(p->r.host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: '%u' orders of free blocks are not %u", p->r.name,
		                     list->line, field, list->nr,
		                     p->snap->nr_orders < 11 ? 11 : p->snap->nr_orders);
	return settle_numbers(p, index);
}

static int check_is_whole(struct report *p)
{
	unsigned seen = 0;
	int err = 0;

	if (!p->header_line)
		return isim_complain(p->r.host, IOMMUSIM_EINVAL, "%s: no line of the file has '%s'",
		                     p->r.name, isim_splat_header);
	if (!p->memory_line)
		return missing(p, p->header_line, "the report", "'Mem-Info:' is");
	if (!p->snap->nr_zones)
		return missing(p, p->memory_line, "the report", "every zone is");
	for (unsigned i = 0; !err && i < p->snap->nr_zones; i++) {
		err = check_zone(p, i);
		seen |= 1u << p->snap->zone[i].zone;
	}
	if (!err)
		err = isim_numbers_total(&p->r, p->snap);
	return err ? err : isim_snapshot_reserve(&p->r, p->snap, seen);
}

int isim_splat_read(struct iommusim_snapshot *snap, const struct iommusim_text *text)
{
	struct report p = { .snap = snap };
	int err = isim_text_open(&p.r, &snap->host, text, 1);

	snprintf(snap->counts_name, sizeof(snap->counts_name), "%s", p.r.name);
	while (!err && isim_text_next_line(&p.r))
		err = read_line(&p);
	if (err >= 0)
		err = check_is_whole(&p);
	if (err)
		return err;
	isim_splat_settle_gfp(&snap->splat);
	snap->page_shift = snap->splat.page_shift = 10 + isim_low_bit(p.page_kb);
	snap->has_splat = snap->notes.has_numbers = 1;
	return 0;
}
