/* SPDX-License-Identifier: MIT */
/* The allocator's state in a recording: loaded into a machine, and compared with one. */
#ifndef STATE_H
#define STATE_H

#include "rows.h"

#define STATE_ZONES 8

/* The memory of a recorded machine. */
struct world {
	unsigned kernel, page_shift, nr_orders, pageblock_order;
	struct record environment;
	unsigned nr_zones;
	const char *name[STATE_ZONES]; /* in the recording */
	struct iommusim_zone_config zone[STATE_ZONES];
	struct iommusim_phys *phys; /* NULL: its state is not known */
	/* Frames that some event of the recording names: these do not count as movable. */
	unsigned char *is_named;
	iommusim_pfn first_pfn, end_pfn;
	/* By pageblock: pages of each type, where the recording does not tell the block's. */
	uint32_t (*tally)[IOMMUSIM_NR_MIGRATETYPES];
};

/* Read the environment. A difference in world->environment: it is no such recording. */
void world_open(struct world *world, struct json_object *json, struct json_object *calls);
void world_close(struct world *world);

/* A machine with the zones of the recording and nothing free; a difference in @call: none. */
void world_create(struct world *world, struct record *call);

/* Forget the state. */
void world_lose(struct world *world);

/* Replace the state by the lists that were written before @call. */
void state_load_lists(struct world *world, struct record *call);

/* Take over the numbers that were written before @call. */
void state_load_numbers(struct world *world, struct record *call);

/* Are the numbers of free and per-CPU blocks before @call those of the state? */
int state_is_where(const struct world *world, const struct record *call);

/* Compare counts, per-CPU variables, boost and flags with @zones, a buddy_before or buddy_after. */
void state_compare(const struct world *world, struct record *call, struct json_object *zones);

/* Compare the lists, entry by entry, with those before @call. */
void state_compare_lists(const struct world *world, struct record *call);

/* ---- What is where in a recording ---- */

/* A member of an object, NULL where it is absent. */
struct json_object *member(struct json_object *json, const char *key);

/* A number of a recording, 0 where it is absent. */
int64_t number_or_0(struct json_object *json, const char *key);

/* The key of a list or order below 100. */
void list_key(unsigned list, char key[4]);

/* The rows of free_lists[order][type]. */
struct rows list_rows(struct record *call, struct json_object *orders, unsigned order,
                      unsigned type);

#endif
