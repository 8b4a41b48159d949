/* SPDX-License-Identifier: MIT */
/* The state of a machine, compared with a recorded one. */
#include "state.h"

static int is_6_12(const struct world *world)
{
	return world->kernel >= IOMMUSIM_KERNEL(6, 12);
}

static uint64_t nr_blocks(const struct iommusim_zone_info *info, unsigned order)
{
	uint64_t nr = 0;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		nr += info->nr_blocks[order][type];
	return nr;
}

static uint64_t nr_on_list(const struct world *world, unsigned zone, unsigned list)
{
	static iommusim_pfn pfns[1 << 20];
	int nr = iommusim_phys_pcp_list(world->phys, (struct iommusim_pcp_id){ zone, 0, list },
	                                pfns, ARRAY_LEN(pfns));

	return nr > 0 ? (uint64_t)nr : 0;
}

/* Counts of one zone; the difference in @call. */
static void compare_counts(const struct world *world, struct record *call, unsigned zone,
                           struct json_object *json)
{
	struct json_object *free = member(json, "free"), *types = member(json, "by_migratetype");
	struct iommusim_zone_info info;
	char key[4];

	iommusim_phys_zone(world->phys, zone, &info);
	for (unsigned order = 0; order < world->nr_orders; order++)
		compare_at(call, "free", order, nr_blocks(&info, order),
		           item_u64(call, free, order));
	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
		struct json_object *row;

		list_key(type, key);
		row = member(types, key);
		for (unsigned order = 0; order < world->nr_orders; order++)
			compare_at(call, "by_migratetype", type * 100 + order,
			           info.nr_blocks[order][type],
			           row ? item_u64(call, row, order) : 0);
	}
	for (unsigned list = 0; list < IOMMUSIM_PCP_LISTS; list++) {
		list_key(list, key);
		compare_at(call, "pcp", list, nr_on_list(world, zone, list),
		           (uint64_t)number_or_0(member(json, "pcp"), key));
	}
}

int state_is_where(const struct world *world, const struct record *call)
{
	struct record probe = { .json = call->json, .kernel = call->kernel };
	struct json_object *zones = field(&probe, "buddy_before");

	for (unsigned i = 0; i < world->nr_zones; i++)
		if (member(zones, world->name[i]))
			compare_counts(world, &probe, i, member(zones, world->name[i]));
	return !probe.difference[0];
}

static void compare_variables(const struct world *world, struct record *call, unsigned zone,
                              struct json_object *json, int worker_ran)
{
	struct json_object *pcp = member(json, "pcp_state");
	const char *factor = is_6_12(world) ? "alloc_factor" : "free_factor";
	struct iommusim_pcp_state s;
	struct iommusim_zone_counters c;
	struct iommusim_zone_numbers n;
	int64_t high = number_or_0(pcp, "high");

	iommusim_phys_pcp(world->phys, (struct iommusim_pcp_id){ .zone = zone }, &s);
	iommusim_phys_counters(world->phys, zone, &c);
	iommusim_phys_numbers(world->phys, zone, &n);
	compare_u64(call, "watermark_boost", n.boost,
	            (uint64_t)number_or_0(json, "watermark_boost"));
	compare_u64(call, "nr_reserved_highatomic", c.nr_reserved_highatomic,
	            (uint64_t)number_or_0(json, "nr_reserved_highatomic"));
	if (!pcp)
		return;
	compare_u64(call, "zone_flags", c.flags, (uint64_t)number_or_0(json, "zone_flags"));
	compare_u64(call, factor, s.factor, (uint64_t)number_or_0(pcp, factor));
	if (!worker_ran || high > s.high)
		compare_u64(call, "high", (uint64_t)s.high, (uint64_t)high);
	compare_u64(call, "free_count", (uint64_t)s.free_count,
	            (uint64_t)number_or_0(pcp, "free_count"));
	compare_u64(call, "flags", s.flags, (uint64_t)number_or_0(pcp, "flags"));
	if (!worker_ran)
		compare_u64(call, "nr_free_pending", (uint64_t)s.pending,
		            (uint64_t)number_or_0(json, "nr_free_pending"));
}

/* A worker that folds pending changes, and lowers the length of lists, left traces in some zone. */
static int did_worker_run(const struct world *world, struct json_object *zones)
{
	int ran = 0;

	for (unsigned i = 0; i < world->nr_zones; i++) {
		struct json_object *zone = member(zones, world->name[i]);
		struct json_object *pcp = member(zone, "pcp_state");
		struct iommusim_pcp_state s;

		iommusim_phys_pcp(world->phys, (struct iommusim_pcp_id){ .zone = i }, &s);
		ran |= s.pending && !number_or_0(zone, "nr_free_pending");
		ran |= is_6_12(world) && pcp && number_or_0(pcp, "high") < s.high;
	}
	return ran;
}

void state_compare(const struct world *world, struct record *call, struct json_object *zones)
{
	int worker_ran = did_worker_run(world, zones);

	for (unsigned i = 0; i < world->nr_zones; i++) {
		struct json_object *zone = member(zones, world->name[i]);

		if (!zone)
			continue;
		compare_counts(world, call, i, zone);
		compare_variables(world, call, i, zone, worker_ran);
	}
}

/* One list against the recorded one. */
static void compare_list(struct record *call, const char *what, const iommusim_pfn *pfns, int nr,
                         struct rows rows)
{
	int at = 0;

	while (rows_next(&rows)) {
		if (at < nr)
			compare_at(call, what, (size_t)at, pfns[at], rows.row[0]);
		at++;
	}
	compare_u64(call, what, (uint64_t)nr, (uint64_t)at);
}

static void compare_zone_lists(const struct world *world, struct record *call, unsigned zone,
                               struct json_object *lists)
{
	static iommusim_pfn pfns[1 << 20];
	char key[4];

	for (unsigned order = 0; order < world->nr_orders; order++)
		for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
			struct iommusim_list_id id = { zone, order, type };
			int nr = iommusim_phys_list(world->phys, id, pfns, ARRAY_LEN(pfns));

			compare_list(call, "free list", pfns, nr,
			             list_rows(call, member(lists, "free_lists"), order, type));
		}
	for (unsigned list = 0; list < IOMMUSIM_PCP_LISTS; list++) {
		struct iommusim_pcp_id id = { zone, 0, list };
		int nr = iommusim_phys_pcp_list(world->phys, id, pfns, ARRAY_LEN(pfns));

		list_key(list, key);
		compare_list(call, "per-CPU list", pfns, nr,
		             rows_of(call, member(lists, "pcp_lists"), key, "s"));
	}
}

void state_compare_lists(const struct world *world, struct record *call)
{
	struct json_object *zones = field(call, "lists_before");

	for (unsigned i = 0; i < world->nr_zones; i++)
		compare_zone_lists(world, call, i, member(zones, world->name[i]));
}
