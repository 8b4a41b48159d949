/* SPDX-License-Identifier: MIT */
/* The allocator's state in a recording, loaded into a machine. */
#include "state.h"

#include <inttypes.h>
#include <string.h>

#define THP_LISTS 12u /* the first per-CPU list of huge pages */

static int is_6_12(const struct world *world)
{
	return world->kernel >= IOMMUSIM_KERNEL(6, 12);
}

/* A walk over the pageblocks of a zone: rows whose runs follow each other without a step. */
struct blocks {
	struct rows rows;
	uint64_t size, start; /* of a pageblock; of the zone */
	size_t run;
	uint64_t next; /* first frame of the next pageblock of the run */
	iommusim_pfn pfn;
	unsigned type;
	uint64_t nr_movable;
};

static struct blocks blocks_of(const struct world *world, struct record *call,
                               struct json_object *lists, unsigned zone)
{
	return (struct blocks){ .rows = rows_of(call, lists, "pageblocks", "---"),
		                .size = UINT64_C(1) << world->pageblock_order,
		                .start = world->zone[zone].start_pfn };
}

static int blocks_next(struct blocks *b)
{
	if (!rows_next(&b->rows))
		return 0;
	b->pfn = b->run == b->rows.run ? b->next : b->rows.row[0];
	b->run = b->rows.run;
	b->next = (b->pfn & ~(b->size - 1)) + b->size;
	if (b->pfn < b->start)
		b->pfn = b->start;
	b->type = (unsigned)b->rows.row[1];
	b->nr_movable = b->rows.row[2];
	return 1;
}

static void set_types(struct world *world, struct record *call, struct json_object *lists,
                      unsigned zone)
{
	struct blocks b = blocks_of(world, call, lists, zone);

	while (blocks_next(&b))
		if (iommusim_phys_set_pageblock_type(world->phys, b.pfn, b.type) < 0)
			differ(call, "pageblock 0x%" PRIx64 ": no such frame or type", b.pfn);
}

/* Pages of each type in each pageblock, where the recording does not tell the blocks' types. */
static void count(const struct world *world, iommusim_pfn pfn, unsigned order, unsigned type)
{
	uint64_t first = world->first_pfn >> world->pageblock_order;
	uint64_t size = UINT64_C(1) << world->pageblock_order, left = UINT64_C(1) << order;

	for (; left; pfn += size) {
		uint64_t part = left < size ? left : size;

		world->tally[(pfn >> world->pageblock_order) - first][type] += (uint32_t)part;
		left -= part;
	}
}

static void guess_types(const struct world *world, unsigned zone)
{
	uint64_t first = world->first_pfn >> world->pageblock_order;
	uint64_t size = UINT64_C(1) << world->pageblock_order;
	const struct iommusim_zone_config *config = &world->zone[zone];
	iommusim_pfn pfn = config->start_pfn;

	while (pfn < config->start_pfn + config->nr_frames) {
		const uint32_t *nr = world->tally[(pfn >> world->pageblock_order) - first];
		unsigned best = IOMMUSIM_UNMOVABLE;

		for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
			best = nr[type] > nr[best] ? type : best;
		iommusim_phys_set_pageblock_type(world->phys, pfn, best);
		pfn = (pfn & ~(size - 1)) + size;
	}
}

static void put_free(struct world *world, struct record *call, struct json_object *orders,
                     unsigned zone)
{
	for (unsigned order = 0; order < world->nr_orders; order++)
		for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
			struct iommusim_list_id id = { zone, order, type };
			struct rows rows = list_rows(call, orders, order, type);

			while (rows_next(&rows)) {
				if (iommusim_phys_put_free(world->phys, id, rows.row[0])) {
					differ(call, "lists_before: %s",
					       iommusim_phys_error(world->phys));
					return;
				}
				count(world, rows.row[0], order, type);
			}
		}
}

/* Before 6.12 a page's type is that of its list; of a huge page that is not movable, its block's.
 */
static unsigned type_on_list(const struct world *world, unsigned list, iommusim_pfn pfn)
{
	if (list < THP_LISTS)
		return list % 3;
	if (list > THP_LISTS)
		return IOMMUSIM_MOVABLE;
	return (unsigned)iommusim_phys_pageblock_type(world->phys, pfn);
}

static void put_pcp(struct world *world, struct record *call, struct json_object *lists,
                    unsigned zone)
{
	for (unsigned list = 0; list < IOMMUSIM_PCP_LISTS; list++) {
		struct iommusim_pcp_id id = { zone, 0, list };
		struct rows rows;
		char key[4];

		unsigned order = list < THP_LISTS ? list / 3 : world->pageblock_order;

		list_key(list, key);
		rows = rows_of(call, lists, key, "s");
		while (rows_next(&rows)) {
			unsigned type = type_on_list(world, list, rows.row[0]);

			if (iommusim_phys_put_pcp(world->phys, id, type, rows.row[0])) {
				differ(call, "lists_before: %s", iommusim_phys_error(world->phys));
				return;
			}
			count(world, rows.row[0], order, type);
		}
	}
}

/* Make @nr of the pageblock's frames in use movable: first such that no event names. */
static void put_movable(struct world *world, iommusim_pfn pfn, uint64_t nr)
{
	uint64_t size = UINT64_C(1) << world->pageblock_order;

	for (unsigned named = 0; named < 2; named++)
		for (uint64_t i = 0; nr && i < size; i++) {
			uint64_t at = pfn + i - world->first_pfn;

			if (at < world->end_pfn - world->first_pfn && world->is_named[at] == named)
				nr -= !iommusim_phys_put_used(world->phys, pfn + i, 0,
				                              IOMMUSIM_PAGE_MOVABLE);
		}
}

static void put_all_movable(struct world *world, struct record *call, struct json_object *lists,
                            unsigned zone)
{
	struct blocks b = blocks_of(world, call, lists, zone);

	while (blocks_next(&b))
		put_movable(world, b.pfn & ~(b.size - 1), b.nr_movable);
}

void state_load_lists(struct world *world, struct record *call)
{
	struct json_object *zones = field(call, "lists_before");
	size_t nr_blocks =
		(size_t)((world->end_pfn - world->first_pfn) >> world->pageblock_order) + 2;
	int are_told = 1;

	world_lose(world);
	world_create(world, call);
	memset(world->tally, 0, nr_blocks * sizeof(*world->tally));
	for (unsigned i = 0; !call->difference[0] && i < world->nr_zones; i++) {
		struct json_object *lists = member(zones, world->name[i]);

		set_types(world, call, lists, i);
		put_free(world, call, member(lists, "free_lists"), i);
		put_pcp(world, call, member(lists, "pcp_lists"), i);
		put_all_movable(world, call, lists, i);
		if (!member(lists, "pageblocks")) {
			guess_types(world, i);
			are_told = 0;
		}
	}
	if (are_told && !call->difference[0] && iommusim_phys_check(world->phys))
		differ(call, "lists_before: %s", iommusim_phys_error(world->phys));
}

static void load_marks(struct world *world, struct json_object *zone, unsigned index)
{
	struct iommusim_zone_numbers n;
	struct record none = { .json = NULL };
	struct json_object *marks = member(zone, "watermark");

	iommusim_phys_numbers(world->phys, index, &n);
	n.boost = (uint64_t)number_or_0(zone, "watermark_boost");
	if (length_of(marks) >= 3) {
		n.min = item_u64(&none, marks, 0);
		n.low = item_u64(&none, marks, 1);
		n.high = item_u64(&none, marks, 2);
		n.promo = n.high + (n.high - n.low);
	}
	iommusim_phys_set_numbers(world->phys, index, &n);
}

/* What the recorder of older files did not write is what follows from the marks. */
static void load_pcp(struct world *world, struct json_object *zone, unsigned index, uint64_t frames)
{
	struct iommusim_pcp_id id = { .zone = index };
	struct json_object *pcp = member(zone, "pcp_state");
	struct iommusim_pcp_state s;

	iommusim_phys_pcp(world->phys, id, &s);
	s.pending = (int32_t)number_or_0(zone, "nr_free_pending");
	if (!member(zone, "stat_threshold"))
		s.pending = (int32_t)((int64_t)frames - number_or_0(zone, "nr_free_pages"));
	if (pcp) {
		s.batch = (int32_t)number_or_0(pcp, "batch");
		s.high = (int32_t)number_or_0(pcp, "high");
		s.high_min = (int32_t)number_or_0(pcp, "high_min");
		s.high_max = (int32_t)number_or_0(pcp, "high_max");
		s.free_count = (int32_t)number_or_0(pcp, "free_count");
		s.factor =
			(uint8_t)number_or_0(pcp, is_6_12(world) ? "alloc_factor" : "free_factor");
		s.flags = (uint8_t)number_or_0(pcp, "flags");
	}
	iommusim_phys_set_pcp(world->phys, id, &s);
}

static void load_counters(struct world *world, struct json_object *zone, unsigned index)
{
	struct iommusim_zone_counters c;
	struct iommusim_zone_numbers n;

	iommusim_phys_counters(world->phys, index, &c);
	iommusim_phys_numbers(world->phys, index, &n);
	c.nr_reserved_highatomic = (uint64_t)number_or_0(zone, "nr_reserved_highatomic");
	c.flags = (unsigned)number_or_0(zone, "zone_flags");
	if (member(zone, "stat_threshold"))
		c.stat_threshold = (int32_t)number_or_0(zone, "stat_threshold");
	else if (is_6_12(world) && (uint64_t)number_or_0(zone, "nr_free_pages") <= n.high + n.boost)
		c.flags |= IOMMUSIM_ZONE_FLAG_BELOW_HIGH;
	iommusim_phys_set_counters(world->phys, index, &c);
}

void state_load_numbers(struct world *world, struct record *call)
{
	struct json_object *zones = field(call, "buddy_before");

	for (unsigned i = 0; i < world->nr_zones; i++) {
		struct json_object *zone = member(zones, world->name[i]);
		struct iommusim_zone_info info;

		if (!zone)
			continue;
		iommusim_phys_zone(world->phys, i, &info);
		load_marks(world, zone, i);
		load_pcp(world, zone, i, info.nr_free);
		load_counters(world, zone, i);
	}
}
