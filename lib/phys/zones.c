/* SPDX-License-Identifier: MIT */
/*
 * Zones: their arrays, the order in which a request tries them, and the way from a frame number to
 * its zone. Every array of a zone is zeros when the machine is fresh.
 */
#include "phys/request.h"

#include <assert.h>
#include <string.h>

static const char *const zone_names[IOMMUSIM_NR_ZONES] = { "DMA",     "DMA32",   "Normal",
	                                                   "HighMem", "Movable", "Device" };
static const char *const type_names[IOMMUSIM_NR_MIGRATETYPES] = { "Unmovable",   "Movable",
	                                                          "Reclaimable", "HighAtomic",
	                                                          "CMA",         "Isolate" };

const char *iommusim_zone_name(unsigned zone)
{
	return zone < IOMMUSIM_NR_ZONES ? zone_names[zone] : NULL;
}

const char *iommusim_migratetype_name(unsigned type)
{
	return type < IOMMUSIM_NR_MIGRATETYPES ? type_names[type] : NULL;
}

/* @wanted where the kernel has it, else NORMAL. */
static unsigned configured_or_normal(const struct iommusim_phys *phys, unsigned wanted)
{
	return phys->configured_zones >> wanted & 1 ? wanted : IOMMUSIM_ZONE_NORMAL;
}

/* Models gfp_zone(), include/linux/gfp.h: combinations that its table lacks give the lowest zone.
 */
unsigned isim_highest_zone(const struct iommusim_phys *phys, uint32_t gfp)
{
	int movable = (gfp & IOMMUSIM_GFP_BIT_MOVABLE) != 0;

	switch (gfp & (IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_HIGHMEM)) {
	case 0:
		return IOMMUSIM_ZONE_NORMAL;
	case IOMMUSIM_GFP_BIT_DMA:
		return configured_or_normal(phys, IOMMUSIM_ZONE_DMA);
	case IOMMUSIM_GFP_BIT_DMA32:
		return configured_or_normal(phys, IOMMUSIM_ZONE_DMA32);
	case IOMMUSIM_GFP_BIT_HIGHMEM:
		return movable ? IOMMUSIM_ZONE_MOVABLE
		               : configured_or_normal(phys, IOMMUSIM_ZONE_HIGHMEM);
	default:
		return isim_low_bit(phys->configured_zones);
	}
}

static int zone_overlaps(const struct iommusim_zone_config *a, const struct iommusim_zone_config *b)
{
	if (a->start_pfn <= b->start_pfn)
		return b->start_pfn - a->start_pfn < a->nr_frames;
	return a->start_pfn - b->start_pfn < b->nr_frames;
}

static int check_zone(struct iommusim_phys *phys, const struct iommusim_zone_config *zone,
                      unsigned index)
{
	if (zone->node >= ISIM_MAX_NODES || (unsigned)zone->zone >= IOMMUSIM_NR_ZONES)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "zone %u: there is no node %u or no zone kind %u", index,
		                 zone->node, (unsigned)zone->zone);
	if (!zone->nr_frames || zone->nr_frames > (UINT64_C(1) << 32) - (UINT64_C(1) << 14) ||
	    zone->start_pfn > (UINT64_MAX >> phys->page_shift) + 1 - zone->nr_frames)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "zone %u: %llu frames from pfn %llu are not 1 .. 2^32 - 2^14 "
		                 "frames of a 64-bit address space",
		                 index, (unsigned long long)zone->nr_frames,
		                 (unsigned long long)zone->start_pfn);
	return 0;
}

static int check_zones(struct iommusim_phys *phys, const struct iommusim_zone_config *zones,
                       unsigned nr)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < nr; i++) {
		int err = check_zone(phys, &zones[i], i);

		if (err)
			return err;
		frames += zones[i].nr_frames;
		for (unsigned j = 0; j < i; j++)
			if (zone_overlaps(&zones[i], &zones[j]) ||
			    (zones[i].node == zones[j].node && zones[i].zone == zones[j].zone))
				return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
				                 "zones %u and %u overlap or are the same", j, i);
	}
	if (frames > UINT32_MAX)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "%llu frames are more than 2^32 - 1",
		                 (unsigned long long)frames);
	return 0;
}

static int zone_arrays(const struct iommusim_phys *phys, struct isim_zone *zone)
{
	const struct iommusim_host *host = &phys->diag.host;
	uint64_t top = zone->nr_top;
	uint64_t blocks = top << (zone->top_order - zone->pageblock_order);

	zone->top_link = isim_zalloc(host, top, sizeof(*zone->top_link));
	zone->top_state = isim_zalloc(host, top, sizeof(*zone->top_state));
	zone->leaf = isim_zalloc(host, top, sizeof(*zone->leaf));
	zone->pageblock = isim_zalloc(host, blocks, sizeof(*zone->pageblock));
	if (!zone->top_link || !zone->top_state || !zone->leaf || !zone->pageblock)
		return -IOMMUSIM_EHOST;
	return 0;
}

/* Put the whole top blocks @first .. @end-1, all fresh, on their list: only its ends are written.
 */
static void list_fresh_tops(struct isim_zone *zone, uint32_t first, uint32_t end)
{
	unsigned order = zone->top_order;

	assert(order < IOMMUSIM_MAX_ORDERS);
	if (first >= end)
		return;
	zone->head[order][IOMMUSIM_MOVABLE] = first << order;
	zone->tail[order][IOMMUSIM_MOVABLE] = (end - 1) << order;
	zone->top_link[first].prev = ISIM_NIL - (first - 1);
	zone->top_link[end - 1].next = ISIM_NIL - end;
	zone->nr_blocks[order][IOMMUSIM_MOVABLE] = end - first;
	zone->nonempty[IOMMUSIM_MOVABLE] |= 1u << order;
	zone->nr_free += (uint64_t)(end - first) << order;
}

/* Frames of the edge's top block that lie outside of the zone are in use for good. */
static int reserve_edges(const struct iommusim_phys *phys, struct isim_zone *zone)
{
	int err = isim_occupy(phys, zone, 0, zone->first, IOMMUSIM_PAGE_RESERVED);

	if (err)
		return err;
	return isim_occupy(phys, zone, zone->end, zone->nr_top << zone->top_order,
	                   IOMMUSIM_PAGE_RESERVED);
}

static int boot(const struct iommusim_phys *phys, struct isim_zone *zone, int nothing_free)
{
	unsigned order = zone->top_order;
	uint32_t size = 1u << order;
	uint32_t whole_first = (zone->first + size - 1) >> order;
	uint32_t whole_end = zone->end >> order;
	uint32_t head_end = whole_first << order < zone->end ? whole_first << order : zone->end;
	int err = reserve_edges(phys, zone);

	if (err || nothing_free)
		return err ? err
		           : isim_occupy(phys, zone, zone->first, zone->end,
		                         IOMMUSIM_PAGE_RESERVED);
	err = isim_release(phys, zone, zone->first, head_end, IOMMUSIM_MOVABLE);
	list_fresh_tops(zone, whole_first, whole_end);
	if (!err && whole_end << order > head_end)
		head_end = whole_end << order;
	return err ? err : isim_release(phys, zone, head_end, zone->end, IOMMUSIM_MOVABLE);
}

static int zone_create(const struct iommusim_phys *phys, struct isim_zone *zone,
                       const struct iommusim_zone_config *config, int nothing_free)
{
	unsigned top_order = phys->nr_orders - 1;
	int err;

	zone->config = *config;
	zone->numbers.present = zone->numbers.managed = config->nr_frames;
	zone->top_order = top_order;
	zone->pageblock_order = phys->pageblock_order;
	zone->base = isim_align_down(config->start_pfn, isim_bit(top_order));
	zone->first = (uint32_t)(config->start_pfn - zone->base);
	zone->end = zone->first + (uint32_t)config->nr_frames;
	zone->nr_top = ((zone->end - 1) >> top_order) + 1;
	memset(zone->head, 0xff, sizeof(zone->head));
	memset(zone->tail, 0xff, sizeof(zone->tail));
	err = zone_arrays(phys, zone);
	if (!err && phys->features)
		err = isim_pcps_create(phys, zone);
	return err ? err : boot(phys, zone, nothing_free);
}

/* @node's zones, from the highest down. */
static unsigned append_node(struct iommusim_phys *phys, uint8_t *list, unsigned nr, unsigned node)
{
	for (unsigned kind = IOMMUSIM_NR_ZONES; kind-- > 0;)
		for (unsigned i = 0; i < phys->nr_zones; i++)
			if (phys->zone[i].config.node == node &&
			    phys->zone[i].config.zone == (enum iommusim_zone)kind)
				list[nr++] = (uint8_t)i;
	return nr;
}

/* Nodes equally far away come in ascending order, those numbered below the preferred one last. */
static void fill_zonelist(struct iommusim_phys *phys, unsigned node, uint64_t nodes)
{
	uint64_t above = nodes & ~isim_low_bits(node);
	unsigned nr = 0;

	for (uint64_t left = above; left; left &= left - 1)
		nr = append_node(phys, phys->zonelist[node], nr, isim_low_bit(left));
	for (uint64_t left = nodes & ~above; left; left &= left - 1)
		nr = append_node(phys, phys->zonelist[node], nr, isim_low_bit(left));
}

static unsigned preferred_zone(const struct iommusim_phys *phys, unsigned node, unsigned highest)
{
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		unsigned index = phys->zonelist[node][i];

		if ((unsigned)phys->zone[index].config.zone <= highest)
			return index;
	}
	return ISIM_NO_ZONE;
}

/* A node without zones is like the next one that has some, which is filled before it. */
static void fill_nodes(struct iommusim_phys *phys, uint64_t nodes)
{
	for (unsigned i = 0, node = isim_high_bit(nodes); i < ISIM_MAX_NODES; i++) {
		unsigned after = (node + 1) % ISIM_MAX_NODES;

		if (nodes >> node & 1) {
			fill_zonelist(phys, node, nodes);
			for (unsigned zone = 0; zone < IOMMUSIM_NR_ZONES; zone++)
				phys->preferred[node][zone] =
					(uint8_t)preferred_zone(phys, node, zone);
		} else {
			memcpy(phys->zonelist[node], phys->zonelist[after],
			       sizeof(phys->zonelist[node]));
			memcpy(phys->preferred[node], phys->preferred[after],
			       sizeof(phys->preferred[node]));
		}
		node = (node - 1) % ISIM_MAX_NODES;
	}
}

/* The nodes that have a zone, one bit each; their number goes to the machine. */
static uint64_t find_nodes(struct iommusim_phys *phys)
{
	uint64_t nodes = 0;

	for (unsigned i = 0; i < phys->nr_zones; i++) {
		uint64_t bit = isim_bit(phys->zone[i].config.node);

		phys->nr_nodes += !(nodes & bit);
		nodes |= bit;
	}
	return nodes;
}

int isim_zones_create(struct iommusim_phys *phys, const struct iommusim_phys_config *config)
{
	struct iommusim_zone_config normal = { .zone = IOMMUSIM_ZONE_NORMAL,
		                               .start_pfn = isim_bit(32) >> phys->page_shift,
		                               .nr_frames = isim_bit(30) >> phys->page_shift };
	const struct iommusim_zone_config *zones = config->nr_zones ? config->zones : &normal;
	unsigned nr = config->nr_zones ? config->nr_zones : 1;
	int err;

	if (nr > ISIM_MAX_ZONES || !zones)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "%u zones are not 1 .. %u", nr,
		                 ISIM_MAX_ZONES);
	err = check_zones(phys, zones, nr);
	if (err)
		return err;
	phys->zone = isim_zalloc(&phys->diag.host, nr, sizeof(*phys->zone));
	if (!phys->zone)
		goto no_memory;
	phys->nr_zones = nr;
	for (unsigned i = 0; i < nr; i++)
		if (zone_create(phys, &phys->zone[i], &zones[i], config->nothing_free != 0))
			goto no_memory;
	fill_nodes(phys, find_nodes(phys));
	for (unsigned gfp = 0; gfp < 16; gfp++)
		phys->highest[gfp] = (uint8_t)isim_highest_zone(phys, gfp);
	if (phys->features)
		isim_marks_set(phys);
	return 0;
no_memory:
	return isim_no_memory(&phys->diag, "the zones");
}

static void zone_destroy(const struct iommusim_host *host, struct isim_zone *zone)
{
	for (uint32_t i = 0; zone->leaf && i < zone->nr_top; i++)
		isim_free(host, zone->leaf[i]);
	isim_free(host, zone->top_link);
	isim_free(host, zone->top_state);
	isim_free(host, zone->leaf);
	isim_free(host, zone->pageblock);
}

void isim_zones_destroy(struct iommusim_phys *phys)
{
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		zone_destroy(&phys->diag.host, &phys->zone[i]);
		isim_pcps_destroy(phys, &phys->zone[i]);
	}
	isim_free(&phys->diag.host, phys->zone);
}

static int copy_leaves(const struct iommusim_phys *phys, struct isim_zone *copy,
                       const struct isim_zone *zone)
{
	size_t bytes = (size_t)isim_bit(zone->top_order) *
	               (sizeof(uint16_t) + sizeof(struct isim_link) / 2);

	for (uint32_t i = 0; i < zone->nr_top; i++) {
		if (!zone->leaf[i])
			continue;
		copy->leaf[i] = isim_zalloc(&phys->diag.host, 1, bytes);
		if (!copy->leaf[i])
			return -IOMMUSIM_EHOST;
		memcpy(copy->leaf[i], zone->leaf[i], bytes);
	}
	return 0;
}

static int zone_fork(const struct iommusim_phys *phys, struct isim_zone *copy,
                     const struct isim_zone *zone)
{
	uint64_t top = zone->nr_top;
	uint64_t blocks = top << (zone->top_order - zone->pageblock_order);
	int err;

	*copy = *zone;
	copy->top_link = NULL;
	copy->top_state = NULL;
	copy->leaf = NULL;
	copy->pageblock = NULL;
	copy->pcp = NULL;
	err = zone_arrays(phys, copy);
	if (!err && zone->pcp)
		err = isim_pcps_fork(phys, copy, zone);
	if (err)
		return err;
	memcpy(copy->top_link, zone->top_link, (size_t)top * sizeof(*copy->top_link));
	memcpy(copy->top_state, zone->top_state, (size_t)top * sizeof(*copy->top_state));
	memcpy(copy->pageblock, zone->pageblock, (size_t)blocks * sizeof(*copy->pageblock));
	return copy_leaves(phys, copy, zone);
}

int isim_zones_fork(struct iommusim_phys *copy, const struct iommusim_phys *phys)
{
	copy->zone = isim_zalloc(&phys->diag.host, phys->nr_zones, sizeof(*copy->zone));
	copy->nr_zones = 0;
	if (!copy->zone)
		return -IOMMUSIM_EHOST;
	copy->nr_zones = phys->nr_zones;
	for (unsigned i = 0; i < phys->nr_zones; i++)
		if (zone_fork(phys, &copy->zone[i], &phys->zone[i]))
			return -IOMMUSIM_EHOST;
	return 0;
}
