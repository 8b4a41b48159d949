/* SPDX-License-Identifier: MIT */
/* Reading /proc/buddyinfo: a line per zone, the free blocks of every order. */
#include "phys/snapshot.h"

#include <stdio.h>

#define MIN_ORDERS 11u

int isim_buddyinfo_counts(struct isim_reader *r, unsigned *nr_orders, const char *zone,
                          uint64_t *counts, unsigned *capped)
{
	unsigned nr = 0;
	char field[160];
	struct isim_word w;

	*capped = 0;
	for (w = isim_text_word(r); w.length; w = isim_text_word(r), nr++) {
		snprintf(field, sizeof(field), "%s, order %u", zone, nr);
		if (nr == IOMMUSIM_MAX_ORDERS)
			return isim_text_bad(r, field, w, "is one count too many");
		if (*w.text == '>' && w.length > 1) {
			*capped |= 1u << nr;
			w.text++;
			w.length--;
		}
		if (!isim_text_number(w, UINT32_MAX, &counts[nr]))
			return isim_text_bad(r, field, w, "is not a count of 0 .. 2^32 - 1");
	}
	if (!*nr_orders)
		*nr_orders = nr;
	if (nr < MIN_ORDERS || nr != *nr_orders)
		return isim_complain(r->host, IOMMUSIM_EINVAL, "%s:%u: %s: %u counts are not %u",
		                     r->name, r->nr, zone, nr,
		                     *nr_orders < MIN_ORDERS ? MIN_ORDERS : *nr_orders);
	return 0;
}

static int read_line(struct isim_reader *r, struct iommusim_snapshot *snap,
                     struct isim_totals *total)
{
	struct isim_snapshot_zone *zone;
	struct isim_zone_name name;
	unsigned capped;
	int err = isim_text_zone(r, &name);

	if (err)
		return err;
	if (name.comma)
		return isim_text_bad(r, name.field.s, isim_text_word(r), "follows a comma");
	zone = isim_snapshot_add(r, snap, &name);
	if (!zone)
		return -IOMMUSIM_EINVAL;
	err = isim_buddyinfo_counts(r, &snap->nr_orders, name.field.s, zone->nr, &capped);
	if (!err && capped)
		err = isim_complain(r->host, IOMMUSIM_EINVAL, "%s:%u: %s: '>' is not a count",
		                    r->name, r->nr, name.field.s);
	return err ? err : isim_snapshot_count(r, snap, zone, total);
}

int isim_buddyinfo_read(struct iommusim_snapshot *snap, const struct iommusim_text *text)
{
	struct isim_totals total = { 0, 0 };
	struct isim_reader r;
	int err = isim_text_open(&r, &snap->host, text, 0);

	while (!err && isim_text_next_line(&r)) {
		struct isim_word line = r.line;

		if (!isim_text_word(&r).length)
			continue;
		r.line = line;
		err = read_line(&r, snap, &total);
	}
	if (!err && !snap->nr_zones)
		err = isim_complain(&snap->host, IOMMUSIM_EINVAL, "%s: the file has no zones",
		                    r.name);
	snprintf(snap->counts_name, sizeof(snap->counts_name), "%s", r.name);
	return err;
}
