/* SPDX-License-Identifier: MIT */
/*
 * Rings of nodes. A node is a number from 1: first every frame of every zone, then every object; 0
 * in a link means that the node is in no ring.
 */
#include "phys/lives.h"

int isim_lives_init(struct isim_lives *lives, struct iommusim_phys *phys, uint32_t nr_steps)
{
	const struct iommusim_host *host = &phys->diag.host;
	uint32_t node = 1;

	*lives = (struct isim_lives){ .phys = phys, .nr_steps = nr_steps, .unused = ISIM_NIL };
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		lives->first[i] = node;
		node += phys->zone[i].end - phys->zone[i].first;
	}
	lives->nr_frames = node - 1;
	lives->link = isim_zalloc(host, lives->nr_frames, sizeof(*lives->link));
	lives->due = isim_zalloc(host, nr_steps, sizeof(*lives->due));
	if (!lives->link || !lives->due)
		return -IOMMUSIM_EHOST;
	for (uint32_t i = 0; i < nr_steps; i++)
		lives->due[i] = ISIM_NIL;
	return 0;
}

void isim_lives_finish(struct isim_lives *lives)
{
	const struct iommusim_host *host = &lives->phys->diag.host;

	isim_free(host, lives->link);
	isim_free(host, lives->due);
	isim_free(host, lives->object);
}

/* ---- Nodes ---- */

static struct isim_link *link_of(struct isim_lives *lives, uint32_t node)
{
	if (node <= lives->nr_frames)
		return &lives->link[node - 1];
	return &lives->object[node - 1 - lives->nr_frames].ring;
}

static uint32_t object_node(const struct isim_lives *lives, uint32_t object)
{
	return lives->nr_frames + 1 + object;
}

static uint32_t frame_node(const struct isim_lives *lives, const struct isim_zone *zone,
                           uint32_t frame)
{
	return lives->first[zone - lives->phys->zone] + (frame - zone->first);
}

static uint32_t pfn_node(const struct isim_lives *lives, iommusim_pfn pfn)
{
	uint32_t frame = 0;
	const struct isim_zone *zone = isim_zone_of(lives->phys, pfn, &frame);

	return frame_node(lives, zone, frame);
}

static struct isim_zone *frame_of(const struct isim_lives *lives, uint32_t node, uint32_t *frame)
{
	unsigned i = lives->phys->nr_zones - 1;

	while (lives->first[i] > node)
		i--;
	*frame = node - lives->first[i] + lives->phys->zone[i].first;
	return &lives->phys->zone[i];
}

static void unlink_node(struct isim_lives *lives, uint32_t node)
{
	struct isim_link *link = link_of(lives, node);

	link_of(lives, link->prev)->next = link->next;
	link_of(lives, link->next)->prev = link->prev;
	*link = (struct isim_link){ 0, 0 };
}

/* Put @node between @prev and the one behind it. */
static void link_behind(struct isim_lives *lives, uint32_t node, uint32_t prev)
{
	struct isim_link *before = link_of(lives, prev);
	uint32_t next = before->next;

	*link_of(lives, node) = (struct isim_link){ next, prev };
	before->next = node;
	link_of(lives, next)->prev = node;
}

int isim_lives_taken(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct isim_lives *lives = ctx;
	uint32_t node = pfn_node(lives, pfn);

	(void)order;
	if (link_of(lives, node)->next)
		unlink_node(lives, node);
	return 0;
}

int isim_lives_moved(void *ctx, iommusim_pfn from, iommusim_pfn to, unsigned order)
{
	struct isim_lives *lives = ctx;
	uint32_t node = pfn_node(lives, from), prev = link_of(lives, node)->prev;

	(void)order;
	if (!prev)
		return 0;
	unlink_node(lives, node);
	link_behind(lives, pfn_node(lives, to), prev);
	return 0;
}

/* ---- Objects ---- */

int isim_object_open(struct isim_lives *lives, unsigned user, uint32_t life, uint32_t *object)
{
	uint32_t new = lives->unused, node;

	if (new == ISIM_NIL) {
		new = (uint32_t)lives->nr_objects;
		if (isim_grow(&lives->phys->diag.host, &lives->object, &lives->cap_objects,
		              (uint64_t) new + 1, sizeof(*lives->object)))
			return -IOMMUSIM_EHOST;
		lives->nr_objects++;
	} else {
		lives->unused = lives->object[new].next;
	}
	node = object_node(lives, new);
	lives->object[new] =
		(struct isim_object){ { node, node }, ISIM_NIL, life, 0, (uint8_t)user };
	*object = new;
	return 0;
}

void isim_object_drop(struct isim_lives *lives, uint32_t object)
{
	lives->object[object].next = lives->unused;
	lives->unused = object;
}

void isim_object_close(struct isim_lives *lives, uint32_t object, uint64_t due)
{
	if (due >= lives->nr_steps)
		return;
	lives->object[object].next = lives->due[due];
	lives->due[due] = object;
}

uint32_t isim_object_due(struct isim_lives *lives, uint32_t step)
{
	uint32_t object = lives->due[step];

	if (object != ISIM_NIL)
		lives->due[step] = lives->object[object].next;
	return object;
}

void isim_object_add(struct isim_lives *lives, uint32_t object, const struct isim_zone *zone,
                     uint32_t frame)
{
	link_behind(lives, frame_node(lives, zone, frame), lives->object[object].ring.prev);
	lives->object[object].nr += 1u << isim_block_order(isim_state(zone, frame));
}

struct isim_zone *isim_object_pop(struct isim_lives *lives, uint32_t object, uint32_t *frame)
{
	uint32_t node = lives->object[object].ring.next;

	if (node == object_node(lives, object))
		return NULL;
	unlink_node(lives, node);
	return frame_of(lives, node, frame);
}
