/* SPDX-License-Identifier: MIT */
/*
 * How a snapshot's free blocks divide over the migratetypes. The two files were read at different
 * moments: where they disagree buddyinfo's counts hold, and pagetypeinfo's shares are bent to them.
 */
#include "phys/snapshot.h"

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

int isim_snapshot_divide(struct iommusim_snapshot *snap, const char *name, unsigned types)
{
	if (!snap->pageblock_order)
		return isim_complain(&snap->host, IOMMUSIM_EINVAL,
		                     "%s: 'Page block order:' is missing", name);
	for (unsigned i = 0; i < snap->nr_zones; i++) {
		struct isim_snapshot_zone *zone = &snap->zone[i];

		if (!zone->has_blocks || zone->types != types)
			return isim_complain(&snap->host, IOMMUSIM_EINVAL,
			                     "%s: node %u, zone %s: free counts of a type or "
			                     "numbers of blocks are missing",
			                     name, zone->node, iommusim_zone_name(zone->zone));
		for (unsigned order = 0; order < snap->nr_orders; order++)
			snap->notes.nr_adjusted += agree(zone, order);
	}
	snap->notes.has_types = 1;
	return 0;
}

void isim_snapshot_all_movable(struct iommusim_snapshot *snap)
{
	for (unsigned i = 0; i < snap->nr_zones; i++)
		for (unsigned order = 0; order < snap->nr_orders; order++)
			snap->zone[i].by_type[order][IOMMUSIM_MOVABLE] = snap->zone[i].nr[order];
}
