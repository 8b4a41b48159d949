/* SPDX-License-Identifier: MIT */
/* The allocator's state in a recording: loaded into a machine, and compared with one. */
#include "state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

#define THP_LISTS 12u /* the first per-CPU list of huge pages */

static struct json_object *member(struct json_object *json, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(json, key, &value);
	return value;
}

/* A number of a recording, 0 where it is absent. */
static int64_t number_or_0(struct json_object *json, const char *key)
{
	struct json_object *value = member(json, key);

	return value ? json_object_get_int64(value) : 0;
}

static int is_6_12(const struct world *world)
{
	return world->kernel >= IOMMUSIM_KERNEL(6, 12);
}

/* ---- The machine ---- */

static unsigned zone_named(const char *name)
{
	unsigned zone = 0;

	while (zone < IOMMUSIM_NR_ZONES && strcmp(iommusim_zone_name(zone), name))
		zone++;
	return zone;
}

static void open_zone(struct world *world, struct json_object *json)
{
	struct record zone = { .json = json };
	struct iommusim_zone_config *config = &world->zone[world->nr_zones];
	unsigned kind = zone_named(field_text(&zone, "name"));

	config->zone = (enum iommusim_zone)kind;
	config->start_pfn = field_u64(&zone, "start_pfn");
	config->nr_frames = field_u64(&zone, "spanned");
	if (kind == IOMMUSIM_NR_ZONES || zone.difference[0] || world->nr_zones == STATE_ZONES - 1) {
		differ(&world->environment, "zone '%s': %s", field_text(&zone, "name"),
		       zone.difference);
		return;
	}
	world->name[world->nr_zones++] = field_text(&zone, "name");
	if (!world->end_pfn || config->start_pfn < world->first_pfn)
		world->first_pfn = config->start_pfn;
	if (config->start_pfn + config->nr_frames > world->end_pfn)
		world->end_pfn = config->start_pfn + config->nr_frames;
}

/* Note the frames of a list of events: the order in column @order, the pfn in column @pfn. */
static void name_frames(struct world *world, struct json_object *call, const char *list,
                        const char *stepped, unsigned order, unsigned pfn)
{
	struct record record = { .json = call };
	struct rows rows = rows_of(&record, call, list, stepped);

	while (rows_next(&rows))
		for (uint64_t i = 0; i < UINT64_C(1) << (rows.row[order] & 15); i++)
			if (rows.row[pfn] + i - world->first_pfn <
			    world->end_pfn - world->first_pfn)
				world->is_named[rows.row[pfn] + i - world->first_pfn] = 1;
}

void world_open(struct world *world, struct json_object *json, struct json_object *calls)
{
	struct record *env = &world->environment;
	struct json_object *zones;

	env->json = member(json, "environment");
	world->kernel = strncmp(field_text(env, "kernel"), "6.12", 4) ? IOMMUSIM_KERNEL(6, 1)
	                                                              : IOMMUSIM_KERNEL(6, 12);
	world->page_shift = log2_of(field_u64(env, "page_size"));
	world->nr_orders = (unsigned)field_u64(env, "buddy_orders");
	world->pageblock_order = (unsigned)field_u64(env, "pageblock_order");
	zones = field(env, "zones");
	for (size_t i = 0; i < length_of(zones); i++)
		open_zone(world, item(zones, i));
	if (env->difference[0])
		return;
	world->is_named = must(calloc(world->end_pfn - world->first_pfn + 1, 1));
	world->tally =
		must(calloc(((world->end_pfn - world->first_pfn) >> world->pageblock_order) + 2,
	                    sizeof(*world->tally)));
	for (size_t i = 0; i < length_of(calls); i++) {
		struct json_object *call = item(calls, i);

		name_frames(world, call, "attempts", "--s-", 0, 2);
		name_frames(world, call, "other_allocs", "----s", 1, 4);
		name_frames(world, call, "frees", "-s", 0, 1);
	}
}

void world_lose(struct world *world)
{
	iommusim_phys_destroy(world->phys);
	world->phys = NULL;
}

void world_close(struct world *world)
{
	world_lose(world);
	free(world->is_named);
	free(world->tally);
}

/* ---- Loading ---- */

/* Places among the reserves: DMA, DMA32, Normal, Movable, Device; there is no HighMem. */
static void read_reserve(struct record *zone, struct iommusim_zone_numbers *n)
{
	static const unsigned place[] = { IOMMUSIM_ZONE_DMA, IOMMUSIM_ZONE_DMA32,
		                          IOMMUSIM_ZONE_NORMAL, IOMMUSIM_ZONE_MOVABLE,
		                          IOMMUSIM_ZONE_DEVICE };
	struct json_object *list = field(zone, "lowmem_reserve");

	for (size_t i = 0; i < ARRAY_LEN(place) && i < length_of(list); i++)
		n->lowmem_reserve[place[i]] = item_u64(zone, list, i);
	n->lowmem_reserve[IOMMUSIM_ZONE_HIGHMEM] = n->lowmem_reserve[IOMMUSIM_ZONE_NORMAL];
}

static void set_numbers(struct world *world, struct record *call, unsigned index)
{
	struct record zone = { .json = item(field(&world->environment, "zones"), index) };
	struct record marks = { .json = field(&zone, "watermark") };
	struct iommusim_zone_numbers n = { .present = field_u64(&zone, "present"),
		                           .managed = field_u64(&zone, "managed"),
		                           .min = field_u64(&marks, "min"),
		                           .low = field_u64(&marks, "low"),
		                           .high = field_u64(&marks, "high") };

	n.promo = n.high + (n.high - n.low);
	read_reserve(&zone, &n);
	if (zone.difference[0] || marks.difference[0] ||
	    iommusim_phys_set_numbers(world->phys, index, &n))
		differ(call, "zone %s: numbers: %s%s %s", world->name[index], zone.difference,
		       marks.difference, iommusim_phys_error(world->phys));
}

static void create(struct world *world, struct record *call)
{
	struct iommusim_phys_config config = {
		.size = sizeof(config),
		.kernel = world->kernel,
		.page_shift = world->page_shift,
		.nr_orders = world->nr_orders,
		.pageblock_order = world->pageblock_order,
		.zones = world->zone,
		.nr_zones = world->nr_zones,
		.nothing_free = 1,
		.features = IOMMUSIM_PHYS_WATERMARKS | IOMMUSIM_PHYS_PCP |
		            IOMMUSIM_PHYS_HIGHATOMIC | IOMMUSIM_PHYS_CMA,
	};
	int err = iommusim_phys_create(&config, &world->phys);

	if (err)
		differ(call, "there is no such machine: %s", iommusim_errname(err));
	for (unsigned i = 0; !err && i < world->nr_zones; i++)
		set_numbers(world, call, i);
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

static void list_key(unsigned list, char key[4])
{
	key[0] = (char)('0' + list % 10);
	key[1] = 0;
	if (list >= 10) {
		key[0] = '1';
		key[1] = (char)('0' + list % 10);
		key[2] = 0;
	}
}

/* The rows of free_lists[order][type]. */
static struct rows list_rows(struct record *call, struct json_object *orders, unsigned order,
                             unsigned type)
{
	static const char *const types[IOMMUSIM_NR_MIGRATETYPES] = { "0", "1", "2", "3", "4", "5" };
	char key[4];

	list_key(order, key);
	return rows_of(call, member(orders, key), types[type], "s");
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
	size_t nr_blocks = ((world->end_pfn - world->first_pfn) >> world->pageblock_order) + 2;
	int are_told = 1;

	world_lose(world);
	create(world, call);
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

/* ---- Comparing ---- */

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
