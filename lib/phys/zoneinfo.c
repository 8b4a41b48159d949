/* SPDX-License-Identifier: MIT */
/*
 * Reading /proc/zoneinfo. A zone is a line "Node N, zone NAME" and lines of a name and a number
 * below it; the per-CPU lists repeat some names, with a colon. What has no memory is skipped.
 */
#include "phys/snapshot.h"

#include <stdio.h>
#include <string.h>

#define MAX_NUMBER (UINT64_C(1) << 52)

/* As they stand there; the others are never printed. */
static const struct {
	const char *name;
	unsigned is_needed;
} keys[ISIM_NR_NUMBERS] = {
	[ISIM_FREE_FRAMES] = { "free", 1 }, [ISIM_BOOST] = { "boost", 0 },
	[ISIM_MIN] = { "min", 1 },          [ISIM_LOW] = { "low", 1 },
	[ISIM_HIGH] = { "high", 1 },        [ISIM_PROMO] = { "promo", 0 },
	[ISIM_SPANNED] = { "spanned", 1 },  [ISIM_PRESENT] = { "present", 1 },
	[ISIM_MANAGED] = { "managed", 1 },  [ISIM_CMA_FRAMES] = { "cma", 0 },
	[ISIM_START] = { "start_pfn:", 1 },
};

/* The zone that is being read. */
struct entry {
	struct isim_zone_name name;
	unsigned line; /* of its name; 0: there is none */
	struct isim_numbers numbers;
	unsigned reserve_line;
	uint64_t reserve[IOMMUSIM_NR_ZONES];
	unsigned nr_reserve;
	size_t first_cpu;
};

struct zoneinfo {
	struct isim_reader r;
	struct iommusim_snapshot *snap;
	struct entry entry;
	unsigned names; /* of zones, one bit each */
};

/* ---- The end of a zone ---- */

static int check_is_whole(struct zoneinfo *z)
{
	const struct entry *e = &z->entry;
	const char *missing = e->reserve_line ? NULL : "protection:";

	for (unsigned i = 0; i < ISIM_NR_NUMBERS; i++)
		if (keys[i].is_needed && !e->numbers.line[i] &&
		    (i != ISIM_START || e->numbers.value[ISIM_PRESENT]))
			missing = keys[i].name;
	if (!missing)
		return 0;
	return isim_complain(z->r.host, IOMMUSIM_EINVAL, "%s:%u: %s: '%s' is missing", z->r.name,
	                     e->line, e->name.field.s, missing);
}

static void keep(struct zoneinfo *z, struct isim_snapshot_zone *zone)
{
	const struct entry *e = &z->entry;

	isim_numbers_keep(&e->numbers, zone);
	zone->first_cpu = e->first_cpu;
	zone->told.nr_cpus = (unsigned)(z->snap->nr_pcp - e->first_cpu);
	for (size_t i = e->first_cpu; i < z->snap->nr_pcp; i++)
		zone->told.nr_pcp += z->snap->pcp[i].count;
	zone->numbers_line = e->line;
	zone->nr_reserve = e->nr_reserve;
	memcpy(zone->reserve, e->reserve, sizeof(zone->reserve));
}

static int end_zone(struct zoneinfo *z)
{
	struct entry *e = &z->entry;
	struct isim_snapshot_zone *zone;
	int err = e->line ? check_is_whole(z) : 0;

	if (err || !e->line || !e->numbers.value[ISIM_PRESENT])
		return err;
	zone = isim_snapshot_find(z->snap, e->name.node, e->name.zone);
	if (!zone)
		return isim_complain(z->r.host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: buddyinfo has no such zone", z->r.name, e->line,
		                     e->name.field.s);
	if (zone->numbers_line)
		return isim_complain(z->r.host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: the zone is there twice", z->r.name, e->line,
		                     e->name.field.s);
	err = isim_numbers_settle(&z->r, z->snap, &e->numbers, zone);
	if (!err)
		keep(z, zone);
	return err;
}

/* ---- Lines ---- */

static int begin_zone(struct zoneinfo *z)
{
	int err = end_zone(z);

	if (err)
		return err;
	memset(&z->entry, 0, sizeof(z->entry));
	z->entry.line = z->r.nr;
	z->entry.first_cpu = z->snap->nr_pcp;
	err = isim_text_zone(&z->r, &z->entry.name);
	if (!err && z->entry.name.comma)
		err = isim_text_bad(&z->r, z->entry.name.field.s, isim_text_word(&z->r),
		                    "follows a comma");
	z->entry.numbers.field = z->entry.name.field;
	z->names |= err ? 0 : 1u << z->entry.name.zone;
	return err ? err : isim_text_end(&z->r, z->entry.name.field.s);
}

/* The number behind a name, and nothing more. */
static int read_number(struct zoneinfo *z, const char *name, uint64_t *value)
{
	struct isim_word w = isim_text_word(&z->r);
	char field[128];

	snprintf(field, sizeof(field), "%s, %s", z->entry.name.field.s, name);
	if (!isim_text_number(w, MAX_NUMBER, value))
		return isim_text_bad(&z->r, field, w, "is not a number of 0 .. 2^52");
	return isim_text_end(&z->r, field);
}

static int read_key(struct zoneinfo *z, enum isim_number number)
{
	struct isim_numbers *n = &z->entry.numbers;
	int err = read_number(z, isim_numbers_name(number), &n->value[number]);

	if (!err && n->line[number])
		err = isim_complain(z->r.host, IOMMUSIM_EINVAL,
		                    "%s:%u: %s, %s: '%llu' is there for the second time", z->r.name,
		                    z->r.nr, n->field.s, isim_numbers_name(number),
		                    (unsigned long long)n->value[number]);
	n->line[number] = z->r.nr;
	return err;
}

/* "protection: (0, 1922, 4397)" */
static int read_protection(struct zoneinfo *z)
{
	struct entry *e = &z->entry;
	const char *field = "protection";
	struct isim_word w = isim_text_word(&z->r);

	if (e->reserve_line)
		return isim_text_bad(&z->r, field, w, "is there for the second time");
	e->reserve_line = z->r.nr;
	if (!isim_text_starts(w, "("))
		return isim_text_bad(&z->r, field, w, "does not start with '('");
	w.text++;
	w.length--;
	for (;; w = isim_text_word(&z->r)) {
		int is_last = !isim_text_take_end(&w, ',');

		if (is_last && !isim_text_take_end(&w, ')'))
			return isim_text_bad(&z->r, field, w, "does not end with ',' or ')'");
		if (e->nr_reserve == IOMMUSIM_NR_ZONES)
			return isim_text_bad(&z->r, field, w, "is one number too many");
		if (!isim_text_number(w, MAX_NUMBER, &e->reserve[e->nr_reserve++]))
			return isim_text_bad(&z->r, field, w, "is not a number of 0 .. 2^52");
		if (is_last)
			return isim_text_end(&z->r, field);
	}
}

/* A line of a CPU's list. 1: it was none. */
static int read_pcp(struct zoneinfo *z, struct isim_word name)
{
	struct iommusim_snapshot *snap = z->snap;
	struct iommusim_snapshot_pcp *pcp = snap->pcp + snap->nr_pcp;
	uint64_t cpu;
	int err;

	if (isim_text_is(name, "cpu:")) {
		err = read_number(z, "cpu", &cpu);
		pcp->cpu = (unsigned)cpu;
		snap->nr_pcp += !err;
		return err;
	}
	if (snap->nr_pcp == z->entry.first_cpu)
		return 1;
	pcp--;
	if (isim_text_is(name, "count:"))
		return read_number(z, "count", &pcp->count);
	if (isim_text_is(name, "batch:"))
		return read_number(z, "batch", &pcp->batch);
	if (isim_text_is(name, "high_min:"))
		return read_number(z, "high_min", &pcp->high_min);
	if (isim_text_is(name, "high_max:"))
		return read_number(z, "high_max", &pcp->high_max);
	if (!isim_text_is(name, "high:"))
		return 1;
	err = read_number(z, "high", &pcp->high);
	pcp->high_min = pcp->high_max = pcp->high;
	return err;
}

/* A name and a number that are of no use here; "per-node stats", "vm stats threshold: 6". */
static int skip_line(struct zoneinfo *z, struct isim_word name)
{
	uint64_t value;
	struct isim_word w;

	if (isim_text_is(name, "pagesets"))
		return isim_text_end(&z->r, "pagesets");
	w = isim_text_word(&z->r);
	if (isim_text_is(name, "per-node") && isim_text_is(w, "stats"))
		return isim_text_end(&z->r, "per-node stats");
	if (isim_text_is(name, "vm") && isim_text_is(w, "stats") &&
	    isim_text_is(isim_text_word(&z->r), "threshold:"))
		w = isim_text_word(&z->r);
	if (!isim_text_number(w, UINT64_MAX, &value))
		return isim_text_bad(&z->r, z->entry.name.field.s, name,
		                     "is not a name with a number behind it");
	return isim_text_end(&z->r, z->entry.name.field.s);
}

static int read_line(struct zoneinfo *z)
{
	struct isim_word line = z->r.line, w = isim_text_word(&z->r);
	int err;

	if (!w.length)
		return 0;
	if (isim_text_is(w, "Node") || !z->entry.line) {
		z->r.line = line;
		return begin_zone(z);
	}
	if (isim_text_is(w, "pages"))
		w = isim_text_word(&z->r);
	for (unsigned i = 0; i < ISIM_NR_NUMBERS; i++)
		if (keys[i].name && isim_text_is(w, keys[i].name))
			return read_key(z, i);
	if (isim_text_is(w, "protection:"))
		return read_protection(z);
	err = read_pcp(z, w);
	return err > 0 ? skip_line(z, w) : err;
}

/* ---- All zones ---- */

/* As many lists as the text has CPUs, so that there is room. */
static int make_room(struct iommusim_snapshot *snap, const struct iommusim_text *text)
{
	static const char cpu[] = "cpu:";
	uint64_t nr = 1;

	for (size_t i = 0; i + strlen(cpu) <= text->bytes; i++)
		nr += !memcmp(text->text + i, cpu, strlen(cpu));
	snap->pcp = isim_zalloc(&snap->host, nr, sizeof(*snap->pcp));
	if (!snap->pcp)
		return isim_complain(&snap->host, IOMMUSIM_EHOST,
		                     "the host has no memory for a snapshot");
	return 0;
}

static int overlap(const struct iommusim_snapshot_zone *a, const struct iommusim_snapshot_zone *b)
{
	return a->start_pfn - b->start_pfn < b->spanned || b->start_pfn - a->start_pfn < a->spanned;
}

static int check_zones(struct zoneinfo *z)
{
	const struct isim_snapshot_zone *zone = z->snap->zone;
	int err;

	for (unsigned i = 0; i < z->snap->nr_zones; i++) {
		struct isim_field field = isim_text_zone_field(zone[i].node, zone[i].zone);

		if (!zone[i].numbers_line)
			return isim_complain(z->r.host, IOMMUSIM_EINVAL, "%s: %s is missing",
			                     z->r.name, field.s);
		for (unsigned j = 0; j < i; j++)
			if (overlap(&zone[i].told, &zone[j].told))
				return isim_complain(
					z->r.host, IOMMUSIM_EINVAL,
					"%s:%u: %s: start_pfn '%llu' and span overlap %s",
					z->r.name, zone[i].numbers_line, field.s,
					(unsigned long long)zone[i].told.start_pfn,
					isim_text_zone_field(zone[j].node, zone[j].zone).s);
	}
	err = isim_numbers_total(&z->r, z->snap);
	return err ? err : isim_snapshot_reserve(&z->r, z->snap, z->names);
}

int isim_zoneinfo_read(struct iommusim_snapshot *snap, const struct iommusim_text *text)
{
	struct zoneinfo z = { .snap = snap };
	int err = isim_text_open(&z.r, &snap->host, text, 0);

	if (!err)
		err = make_room(snap, text);
	while (!err && isim_text_next_line(&z.r))
		err = read_line(&z);
	if (!err)
		err = end_zone(&z);
	if (!err)
		err = check_zones(&z);
	snap->notes.has_span = snap->notes.has_numbers = !err;
	return err;
}
