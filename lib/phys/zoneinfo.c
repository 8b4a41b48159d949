/* SPDX-License-Identifier: MIT */
/*
 * Reading /proc/zoneinfo. A zone is a line "Node N, zone NAME" and lines of a name and a number
 * below it; the per-CPU lists repeat some names, with a colon. What has no memory is skipped.
 */
#include "phys/snapshot.h"

#include <stdio.h>
#include <string.h>

#define MAX_NUMBER (UINT64_C(1) << 52)

enum key { FREE, BOOST, MIN, LOW, HIGH, PROMO, SPANNED, PRESENT, MANAGED, CMA, START_PFN, NR_KEYS };

static const struct {
	const char *name;
	unsigned is_needed;
} keys[NR_KEYS] = {
	[FREE] = { "free", 1 },
	[BOOST] = { "boost", 0 },
	[MIN] = { "min", 1 },
	[LOW] = { "low", 1 },
	[HIGH] = { "high", 1 },
	[PROMO] = { "promo", 0 },
	[SPANNED] = { "spanned", 1 },
	[PRESENT] = { "present", 1 },
	[MANAGED] = { "managed", 1 },
	[CMA] = { "cma", 0 },
	[START_PFN] = { "start_pfn:", 1 },
};

/* The zone that is being read. */
struct entry {
	struct isim_zone_name name;
	unsigned line;              /* of its name; 0: there is none */
	unsigned key_line[NR_KEYS]; /* 0: not there yet */
	uint64_t value[NR_KEYS];
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

static int bad_entry(struct zoneinfo *z, unsigned line, const char *what, uint64_t value,
                     const char *why)
{
	return isim_complain(z->r.host, IOMMUSIM_EINVAL, "%s:%u: %s, %s: '%llu' %s", z->r.name,
	                     line, z->entry.name.field.s, what, (unsigned long long)value, why);
}

/* ---- The end of a zone ---- */

static int check_is_whole(struct zoneinfo *z)
{
	const struct entry *e = &z->entry;
	const char *missing = e->reserve_line ? NULL : "protection:";

	for (unsigned key = 0; key < NR_KEYS; key++)
		if (keys[key].is_needed && !e->key_line[key] &&
		    (key != START_PFN || e->value[PRESENT]))
			missing = keys[key].name;
	if (!missing)
		return 0;
	return isim_complain(z->r.host, IOMMUSIM_EINVAL, "%s:%u: %s: '%s' is missing", z->r.name,
	                     e->line, e->name.field.s, missing);
}

/* Marks as they are without the boost, which the kernel adds to what it prints. */
static int settle_marks(struct zoneinfo *z)
{
	struct entry *e = &z->entry;
	uint64_t *v = e->value;

	if (!e->key_line[PROMO]) {
		v[PROMO] = v[HIGH] + (v[HIGH] - v[LOW]);
		e->key_line[PROMO] = e->key_line[HIGH];
	}
	for (unsigned key = LOW; key <= PROMO; key++)
		if (v[key] < v[key - 1])
			return bad_entry(z, e->key_line[key], keys[key].name, v[key],
			                 "is below the mark before it");
	if (v[BOOST] > v[MIN])
		return bad_entry(z, e->key_line[BOOST], "boost", v[BOOST],
		                 "is above min, which contains it");
	for (unsigned key = MIN; key <= PROMO; key++)
		v[key] -= v[BOOST];
	return 0;
}

static int check_sizes(struct zoneinfo *z)
{
	const struct entry *e = &z->entry;
	const uint64_t *v = e->value;

	if (v[SPANNED] > UINT32_MAX - (UINT32_C(1) << 14))
		return bad_entry(z, e->key_line[SPANNED], "spanned", v[SPANNED],
		                 "is above 2^32 - 2^14 frames");
	if (v[PRESENT] > v[SPANNED])
		return bad_entry(z, e->key_line[PRESENT], "present", v[PRESENT],
		                 "is more than the zone spans");
	if (v[MANAGED] > v[PRESENT])
		return bad_entry(z, e->key_line[MANAGED], "managed", v[MANAGED],
		                 "is more than is present");
	return 0;
}

static int check_counts(struct zoneinfo *z, const struct isim_snapshot_zone *zone)
{
	uint64_t frames = isim_snapshot_free(zone);

	if (frames <= z->entry.value[PRESENT])
		return 0;
	return isim_complain(
		z->r.host, IOMMUSIM_EINVAL,
		"%s:%u: %s: free frames '%llu' are more than the %llu present "
		"(%s:%u)",
		z->snap->counts_name, zone->line, z->entry.name.field.s, (unsigned long long)frames,
		(unsigned long long)z->entry.value[PRESENT], z->r.name, z->entry.key_line[PRESENT]);
}

static void keep(struct zoneinfo *z, struct isim_snapshot_zone *zone)
{
	const struct entry *e = &z->entry;
	struct iommusim_snapshot_zone *told = &zone->told;

	told->has_span = told->has_numbers = 1;
	told->start_pfn = e->value[START_PFN];
	told->spanned = e->value[SPANNED];
	told->numbers = (struct iommusim_zone_numbers){ .present = e->value[PRESENT],
		                                        .managed = e->value[MANAGED],
		                                        .min = e->value[MIN],
		                                        .low = e->value[LOW],
		                                        .high = e->value[HIGH],
		                                        .promo = e->value[PROMO],
		                                        .boost = e->value[BOOST] };
	told->nr_free = e->value[FREE];
	told->nr_cma = e->value[CMA];
	zone->first_cpu = e->first_cpu;
	told->nr_cpus = (unsigned)(z->snap->nr_pcp - e->first_cpu);
	for (size_t i = e->first_cpu; i < z->snap->nr_pcp; i++)
		told->nr_pcp += z->snap->pcp[i].count;
	zone->numbers_line = e->line;
	zone->nr_reserve = e->nr_reserve;
	memcpy(zone->reserve, e->reserve, sizeof(zone->reserve));
}

static int end_zone(struct zoneinfo *z)
{
	const struct entry *e = &z->entry;
	struct isim_snapshot_zone *zone;
	int err = e->line ? check_is_whole(z) : 0;

	if (err || !e->line || !e->value[PRESENT])
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
	err = settle_marks(z);
	if (!err)
		err = check_sizes(z);
	if (!err)
		err = check_counts(z, zone);
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

static int read_key(struct zoneinfo *z, unsigned key)
{
	struct entry *e = &z->entry;
	int err = read_number(z, keys[key].name, &e->value[key]);

	if (!err && e->key_line[key])
		err = bad_entry(z, z->r.nr, keys[key].name, e->value[key],
		                "is there for the second time");
	e->key_line[key] = z->r.nr;
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
	for (unsigned key = 0; key < NR_KEYS; key++)
		if (isim_text_is(w, keys[key].name))
			return read_key(z, key);
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
	return isim_snapshot_reserve(&z->r, z->snap, z->names);
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
