/* SPDX-License-Identifier: MIT */
/* A machine as its texts tell of it: the zones that they have in common, and what must agree. */
#include "phys/snapshot.h"

#include <string.h>

struct isim_snapshot_zone *isim_snapshot_find(struct iommusim_snapshot *snap, unsigned node,
                                              unsigned zone)
{
	for (unsigned i = 0; i < snap->nr_zones; i++)
		if (snap->zone[i].node == node && snap->zone[i].zone == zone)
			return &snap->zone[i];
	return NULL;
}

struct isim_snapshot_zone *isim_snapshot_add(struct isim_reader *r, struct iommusim_snapshot *snap,
                                             const struct isim_zone_name *name)
{
	struct isim_snapshot_zone *zone = &snap->zone[snap->nr_zones];
	const char *wrong = NULL;

	if (isim_snapshot_find(snap, name->node, name->zone))
		wrong = "the zone is there twice";
	else if (snap->nr_zones == ISIM_MAX_ZONES)
		wrong = "there are more than 64 zones";
	if (wrong) {
		isim_complain(r->host, IOMMUSIM_EINVAL, "%s:%u: %s: %s", r->name, r->nr,
		              name->field.s, wrong);
		return NULL;
	}
	zone->node = name->node;
	zone->zone = name->zone;
	zone->line = r->nr;
	snap->nr_zones++;
	return zone;
}

uint64_t isim_snapshot_free(const struct isim_snapshot_zone *zone)
{
	uint64_t frames = 0;

	for (unsigned order = 0; order < IOMMUSIM_MAX_ORDERS; order++)
		frames += zone->nr[order] << order;
	return frames;
}

int isim_snapshot_count(const struct isim_reader *r, const struct iommusim_snapshot *snap,
                        const struct isim_snapshot_zone *zone, struct isim_totals *total)
{
	struct isim_field field = isim_text_zone_field(zone->node, zone->zone);

	total->frames += isim_snapshot_free(zone);
	for (unsigned order = 0; order + 1 < snap->nr_orders; order++)
		total->spread += zone->nr[order] << (order + 1);
	if (total->frames > ISIM_MAX_FRAMES)
		return isim_complain(r->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: free frames '%llu' are more than a machine has",
		                     r->name, r->nr, field.s, (unsigned long long)total->frames);
	if (total->spread > ISIM_MAX_SPREAD)
		return isim_complain(r->host, IOMMUSIM_EINVAL,
		                     "%s:%u: %s: free blocks below the largest order spread over "
		                     "'%llu' frames, more than 2^27",
		                     r->name, r->nr, field.s, (unsigned long long)total->spread);
	return 0;
}

static int read_proc(struct iommusim_snapshot *snap, const struct iommusim_snapshot_texts *texts)
{
	int err = isim_buddyinfo_read(snap, texts->buddyinfo);

	if (!err && texts->pagetypeinfo)
		err = isim_pagetypeinfo_read(snap, texts->pagetypeinfo);
	else
		isim_snapshot_all_movable(snap);
	if (!err && texts->zoneinfo)
		err = isim_zoneinfo_read(snap, texts->zoneinfo);
	return err;
}

int iommusim_snapshot_read(const struct iommusim_host *host,
                           const struct iommusim_snapshot_texts *texts,
                           struct iommusim_snapshot **snapshot)
{
	struct iommusim_snapshot_texts t;
	struct iommusim_snapshot *snap;
	struct iommusim_host h;
	int err = isim_host_init(&h, host);

	if (!err)
		err = isim_copy_sized(&t, sizeof(t), texts);
	if (err)
		return err;
	if (!t.splat == !t.buddyinfo || (t.splat && (t.pagetypeinfo || t.zoneinfo)))
		return isim_complain(&h, IOMMUSIM_EINVAL,
		                     "a snapshot needs a buddyinfo, or a report and nothing else");
	snap = isim_zalloc(&h, 1, sizeof(*snap));
	if (!snap)
		return isim_complain(&h, IOMMUSIM_EHOST, "the host has no memory for a snapshot");
	snap->host = h;
	err = t.splat ? isim_splat_read(snap, t.splat) : read_proc(snap, &t);
	if (err) {
		iommusim_snapshot_destroy(snap);
		return err;
	}
	*snapshot = snap;
	return 0;
}

int iommusim_snapshot_parse(const struct iommusim_host *host, const struct iommusim_text *buddyinfo,
                            const struct iommusim_text *pagetypeinfo,
                            struct iommusim_snapshot **snapshot)
{
	struct iommusim_snapshot_texts texts = { .size = sizeof(texts),
		                                 .buddyinfo = buddyinfo,
		                                 .pagetypeinfo = pagetypeinfo };

	return iommusim_snapshot_read(host, &texts, snapshot);
}

unsigned iommusim_snapshot_nr_zones(const struct iommusim_snapshot *snapshot)
{
	return snapshot->nr_zones;
}

int iommusim_snapshot_zone(const struct iommusim_snapshot *snapshot, unsigned index,
                           struct iommusim_snapshot_zone *zone)
{
	if (index >= snapshot->nr_zones)
		return -IOMMUSIM_EINVAL;
	*zone = snapshot->zone[index].told;
	zone->node = snapshot->zone[index].node;
	zone->zone = (enum iommusim_zone)snapshot->zone[index].zone;
	return 0;
}

int iommusim_snapshot_pcp(const struct iommusim_snapshot *snapshot, unsigned zone, unsigned index,
                          struct iommusim_snapshot_pcp *pcp)
{
	if (zone >= snapshot->nr_zones || index >= snapshot->zone[zone].told.nr_cpus)
		return -IOMMUSIM_EINVAL;
	*pcp = snapshot->pcp[snapshot->zone[zone].first_cpu + index];
	return 0;
}

const struct iommusim_splat *iommusim_snapshot_splat(const struct iommusim_snapshot *snapshot)
{
	return snapshot->has_splat ? &snapshot->splat : NULL;
}

void iommusim_snapshot_destroy(struct iommusim_snapshot *snapshot)
{
	struct iommusim_host host;

	if (!snapshot)
		return;
	host = snapshot->host;
	isim_free(&host, snapshot->pcp);
	isim_free(&host, snapshot);
}
