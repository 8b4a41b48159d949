/* SPDX-License-Identifier: MIT */
/* The obvious page allocator, second part: requests on their way through the zones. */
#ifndef PHYS_ORACLE_ALLOC_H
#define PHYS_ORACLE_ALLOC_H

#include "oracle.h"

/* gfp_zone(). Combinations that GFP_ZONE_TABLE lacks read as zone 0, the lowest that there is. */
static unsigned highest_zone(const struct oracle *o, uint32_t gfp)
{
	static const unsigned wanted[8] = { IOMMUSIM_ZONE_NORMAL, IOMMUSIM_ZONE_DMA,
		                            IOMMUSIM_ZONE_HIGHMEM, 0, IOMMUSIM_ZONE_DMA32 };
	unsigned bits = gfp & 7; /* DMA, HIGHMEM, DMA32 */

	if (bits & (bits - 1))
		return isim_low_bit(o->configured_zones);
	if (bits == IOMMUSIM_GFP_BIT_HIGHMEM && gfp & IOMMUSIM_GFP_BIT_MOVABLE)
		return IOMMUSIM_ZONE_MOVABLE;
	return o->configured_zones >> wanted[bits] & 1 ? wanted[bits] : IOMMUSIM_ZONE_NORMAL;
}

static struct oracle_zone *zone_of(struct oracle *o, unsigned node, unsigned kind)
{
	for (unsigned i = 0; i < o->nr_zones; i++)
		if (o->zone[i].config.node == node && (unsigned)o->zone[i].config.zone == kind)
			return &o->zone[i];
	return NULL;
}

/* The usable part of build_zonelists(): the nodes from @req's own on, each downwards; then NULL. */
static void build_zonelist(struct oracle *o, const struct iommusim_page_request *req,
                           struct oracle_zone *list[ORACLE_ZONES + 1])
{
	unsigned first = req->node < 0 ? 0 : (unsigned)req->node;
	unsigned nr_nodes = req->gfp & IOMMUSIM_GFP_BIT_THISNODE ? 1 : ORACLE_NODES;

	for (unsigned i = 0; i < nr_nodes; i++)
		for (unsigned kind = highest_zone(o, req->gfp) + 1; kind-- > 0;) {
			*list = zone_of(o, (first + i) % ORACLE_NODES, kind);
			list += *list != NULL;
		}
	*list = NULL;
}

/* alloc_flags_nofragment(): with more nodes than one, the preferred zone's must have a DMA32. */
static int wants_nofragment(struct oracle *o, const struct oracle_zone *preferred)
{
	int is_only_node = 1;

	for (unsigned i = 0; i < o->nr_zones; i++)
		is_only_node &= o->zone[i].config.node == preferred->config.node;
	return o->configured_zones >> IOMMUSIM_ZONE_DMA32 & 1 &&
	       preferred->config.zone == IOMMUSIM_ZONE_NORMAL &&
	       (is_only_node || zone_of(o, preferred->config.node, IOMMUSIM_ZONE_DMA32));
}

/* __rmqueue(): the block, cut and on no list, in @take. 0: none. */
static int take_from_zone(const struct oracle *o, struct oracle_zone *z, struct take *take)
{
	take->found_on = take->type;
	take->min_order = take->order;
	if (take->nofragment && take->order < z->pageblock_order)
		take->min_order = z->pageblock_order;
	take->pfn = take_own(z, take, take->type);
	if (take->pfn == IOMMUSIM_NO_PFN && o->fallback == IOMMUSIM_FALLBACK_A)
		take->pfn = take_fallback_a(z, take);
	else if (take->pfn == IOMMUSIM_NO_PFN)
		take->pfn = take_fallback_c(z, take);
	return take->pfn != IOMMUSIM_NO_PFN;
}

/* A scan of get_page_from_freelist(): the zone that had a block. NOFRAGMENT ends where it would
 * lead away from the preferred zone's node. */
static struct oracle_zone *scan_zones(const struct oracle *o, struct oracle_zone *const *list,
                                      struct take *take)
{
	unsigned node = list[0]->config.node;

	for (; *list && !(take->nofragment && (*list)->config.node != node); list++)
		if (take_from_zone(o, *list, take))
			return *list;
	return NULL;
}

/* __alloc_pages(): the zone and @take; NULL: no block. */
static inline struct oracle_zone *
oracle_take(struct oracle *o, const struct iommusim_page_request *req, struct take *take)
{
	struct oracle_zone *list[ORACLE_ZONES + 1], *z;

	*take = (struct take){ .order = req->order, .type = req->gfp >> 3 & 3 };
	build_zonelist(o, req, list);
	if (!list[0] || req->order > list[0]->max_order)
		return NULL;
	take->nofragment = wants_nofragment(o, list[0]);
	z = scan_zones(o, list, take);
	if (z || !take->nofragment)
		return z;
	take->nofragment = 0;
	return scan_zones(o, list, take);
}

#endif
