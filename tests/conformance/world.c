/* SPDX-License-Identifier: MIT */
/* The memory of a recorded machine: its zones and their numbers. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "replay.h"

struct json_object *member(struct json_object *json, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(json, key, &value);
	return value;
}

/* A number of a recording, 0 where it is absent. */
int64_t number_or_0(struct json_object *json, const char *key)
{
	struct json_object *value = member(json, key);

	return value ? json_object_get_int64(value) : 0;
}

void list_key(unsigned list, char key[4])
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
struct rows list_rows(struct record *call, struct json_object *orders, unsigned order,
                      unsigned type)
{
	static const char *const types[IOMMUSIM_NR_MIGRATETYPES] = { "0", "1", "2", "3", "4", "5" };
	char key[4];

	list_key(order, key);
	return rows_of(call, member(orders, key), types[type], "s");
}

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

/* Lists of events that name frames: which columns hold an order, and its first pfn. */
static const struct events {
	const char *list, *stepped;
	unsigned order, pfn;
} events[] = {
	{ "attempts", "--s-", 0, 2 },
	{ "other_allocs", "----s", 1, 4 },
	{ "frees", "-s", 0, 1 },
};

/* Note the frames of the events of a call. */
static void name_frames(struct world *world, struct json_object *call, const struct events *e)
{
	struct record record = { .json = call };
	struct rows rows = rows_of(&record, call, e->list, e->stepped);

	while (rows_next(&rows))
		for (uint64_t i = 0; i < UINT64_C(1) << (rows.row[e->order] & 15); i++)
			if (rows.row[e->pfn] + i - world->first_pfn <
			    world->end_pfn - world->first_pfn)
				world->is_named[rows.row[e->pfn] + i - world->first_pfn] = 1;
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
	if (!env->difference[0] &&
	    (world->pageblock_order > 13 || world->end_pfn <= world->first_pfn ||
	     world->end_pfn - world->first_pfn > UINT64_C(1) << 28))
		differ(env, "pageblock_order %u, or frames up to %" PRIu64 ", out of range",
		       world->pageblock_order, world->end_pfn);
	if (env->difference[0])
		return;
	world->is_named = must(calloc((size_t)(world->end_pfn - world->first_pfn) + 1, 1));
	world->tally = must(
		calloc((size_t)((world->end_pfn - world->first_pfn) >> world->pageblock_order) + 2,
	               sizeof(*world->tally)));
	for (size_t i = 0; i < length_of(calls); i++)
		for (size_t j = 0; j < sizeof(events) / sizeof(events[0]); j++)
			name_frames(world, item(calls, i), &events[j]);
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

void world_create(struct world *world, struct record *call)
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
