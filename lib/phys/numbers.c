/* SPDX-License-Identifier: MIT */
/*
 * The numbers of zones, from whichever text. lowmem_reserve is printed as a number for each zone
 * that the kernel was configured with, from the lowest on, but without their names; a zone without
 * memory is one of them and may go unnamed.
 */
#include "phys/snapshot.h"

#define MAX_PFN (UINT64_C(1) << 47) /* in pages of 64 KiB, all that 64 bits of address reach */

const char *isim_numbers_name(enum isim_number number)
{
	static const char *const names[ISIM_NR_NUMBERS] = {
		[ISIM_FREE_FRAMES] = "free", [ISIM_BOOST] = "boost",
		[ISIM_MIN] = "min",          [ISIM_LOW] = "low",
		[ISIM_HIGH] = "high",        [ISIM_PROMO] = "promo",
		[ISIM_SPANNED] = "spanned",  [ISIM_PRESENT] = "present",
		[ISIM_MANAGED] = "managed",  [ISIM_CMA_FRAMES] = "cma",
		[ISIM_START] = "start_pfn",  [ISIM_RESERVED_HIGHATOMIC] = "reserved_highatomic",
		[ISIM_FREE_PCP] = "free_pcp"
	};

	return names[number];
}

static int bad(const struct isim_reader *r, const struct isim_numbers *n, enum isim_number number,
               const char *why)
{
	return isim_complain(r->host, IOMMUSIM_EINVAL, "%s:%u: %s, %s: '%llu' %s", r->name,
	                     n->line[number], n->field.s, isim_numbers_name(number),
	                     (unsigned long long)n->value[number], why);
}

static int settle_marks(const struct isim_reader *r, struct isim_numbers *n)
{
	uint64_t *v = n->value;

	if (!n->line[ISIM_PROMO] && v[ISIM_HIGH] >= v[ISIM_LOW])
		v[ISIM_PROMO] = v[ISIM_HIGH] + (v[ISIM_HIGH] - v[ISIM_LOW]);
	for (unsigned mark = ISIM_LOW; mark <= ISIM_PROMO; mark++)
		if (v[mark] < v[mark - 1])
			return bad(r, n, mark, "is below the mark before it");
	if (v[ISIM_BOOST] > v[ISIM_MIN])
		return bad(r, n, ISIM_BOOST, "is above min, which contains it");
	for (unsigned mark = ISIM_MIN; mark <= ISIM_PROMO; mark++)
		v[mark] -= v[ISIM_BOOST];
	return 0;
}

static int check_counts(const struct isim_reader *r, const struct iommusim_snapshot *snap,
                        const struct isim_numbers *n, const struct isim_snapshot_zone *zone)
{
	uint64_t frames = isim_snapshot_free(zone);

	if (frames <= n->value[ISIM_PRESENT])
		return 0;
	return isim_complain(r->host, IOMMUSIM_EINVAL,
	                     "%s:%u: %s: free frames '%llu' are more than the %llu present "
	                     "(%s:%u)",
	                     snap->counts_name, zone->line, n->field.s, (unsigned long long)frames,
	                     (unsigned long long)n->value[ISIM_PRESENT], r->name,
	                     n->line[ISIM_PRESENT]);
}

int isim_numbers_settle(const struct isim_reader *r, const struct iommusim_snapshot *snap,
                        struct isim_numbers *n, const struct isim_snapshot_zone *zone)
{
	int err = settle_marks(r, n);

	if (err)
		return err;
	if (n->value[ISIM_START] > MAX_PFN)
		return bad(r, n, ISIM_START, "is above 2^47");
	if (n->value[ISIM_SPANNED] > UINT32_MAX - (UINT32_C(1) << 14))
		return bad(r, n, ISIM_SPANNED, "is above 2^32 - 2^14 frames");
	if (n->value[ISIM_PRESENT] > UINT32_MAX - (UINT32_C(1) << 14))
		return bad(r, n, ISIM_PRESENT, "is above 2^32 - 2^14 frames");
	if (n->line[ISIM_SPANNED] && n->value[ISIM_PRESENT] > n->value[ISIM_SPANNED])
		return bad(r, n, ISIM_PRESENT, "is more than the zone spans");
	if (n->value[ISIM_MANAGED] > n->value[ISIM_PRESENT])
		return bad(r, n, ISIM_MANAGED, "is more than is present");
	return check_counts(r, snap, n, zone);
}

void isim_numbers_keep(const struct isim_numbers *n, struct isim_snapshot_zone *zone)
{
	struct iommusim_snapshot_zone *told = &zone->told;
	const uint64_t *v = n->value;

	told->has_numbers = 1;
	told->has_span = n->line[ISIM_START] && n->line[ISIM_SPANNED];
	told->start_pfn = v[ISIM_START];
	told->spanned = v[ISIM_SPANNED];
	told->numbers = (struct iommusim_zone_numbers){ .present = v[ISIM_PRESENT],
		                                        .managed = v[ISIM_MANAGED],
		                                        .min = v[ISIM_MIN],
		                                        .low = v[ISIM_LOW],
		                                        .high = v[ISIM_HIGH],
		                                        .promo = v[ISIM_PROMO],
		                                        .boost = v[ISIM_BOOST] };
	told->nr_free = v[ISIM_FREE_FRAMES];
	told->nr_cma = v[ISIM_CMA_FRAMES];
	told->nr_highatomic = v[ISIM_RESERVED_HIGHATOMIC];
	told->nr_pcp = v[ISIM_FREE_PCP];
}

int isim_numbers_total(const struct isim_reader *r, const struct iommusim_snapshot *snap)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < snap->nr_zones; i++) {
		const struct isim_snapshot_zone *zone = &snap->zone[i];

		frames += zone->told.has_span ? zone->told.spanned : zone->told.numbers.present;
		if (frames > ISIM_MAX_FRAMES)
			return isim_complain(
				r->host, IOMMUSIM_EINVAL,
				"%s:%u: %s: frames '%llu' of the zones so far are more than a "
				"machine has",
				r->name, zone->numbers_line,
				isim_text_zone_field(zone->node, zone->zone).s,
				(unsigned long long)frames);
	}
	return 0;
}

/* ---- lowmem_reserve ---- */

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
