/* SPDX-License-Identifier: MIT */
/*
 * lowmem_reserve, as printed: a number for each zone that the kernel was configured with, from the
 * lowest on, but without their names. A zone without memory is one of them and may go unnamed.
 */
#include "phys/snapshot.h"

#include <string.h>

/* The zones, @nr of them, that a kernel with @seen has: NORMAL and MOVABLE always, then what is
 * usual. 0: there are not that many. */
static unsigned configured_zones(unsigned seen, unsigned nr)
{
	static const unsigned usual[] = { IOMMUSIM_ZONE_DMA32, IOMMUSIM_ZONE_DEVICE,
		                          IOMMUSIM_ZONE_DMA, IOMMUSIM_ZONE_HIGHMEM };
	unsigned zones = seen | 1u << IOMMUSIM_ZONE_NORMAL | 1u << IOMMUSIM_ZONE_MOVABLE;
	unsigned count = 0;

	for (unsigned zone = 0; zone < IOMMUSIM_NR_ZONES; zone++)
		count += zones >> zone & 1;
	for (unsigned i = 0; i < ISIM_ARRAY_LEN(usual) && count < nr; i++) {
		count += !(zones >> usual[i] & 1);
		zones |= 1u << usual[i];
	}
	return count == nr ? zones : 0;
}

/* By the highest zone of a request; one that the kernel has not is the one below it. */
static void spread_reserve(struct isim_snapshot_zone *zone, unsigned zones)
{
	uint64_t *to = zone->told.numbers.lowmem_reserve;
	unsigned at = 0;

	for (unsigned i = 0; i < IOMMUSIM_NR_ZONES; i++)
		if (zones >> i & 1)
			to[i] = zone->reserve[at++];
		else
			to[i] = i ? to[i - 1] : 0;
}

int isim_snapshot_reserve(const struct isim_reader *r, struct iommusim_snapshot *snap,
                          unsigned seen)
{
	for (unsigned i = 0; i < snap->nr_zones; i++) {
		struct isim_snapshot_zone *zone = &snap->zone[i];
		unsigned zones = configured_zones(seen, zone->nr_reserve);

		if (!zones || zone->nr_reserve != snap->zone[0].nr_reserve)
			return isim_complain(
				r->host, IOMMUSIM_EINVAL,
				"%s:%u: %s: '%u' numbers of protection are not one for each zone",
				r->name, zone->numbers_line,
				isim_text_zone_field(zone->node, zone->zone).s, zone->nr_reserve);
		spread_reserve(zone, zones);
		snap->configured_zones = zones;
	}
	return 0;
}
