/* SPDX-License-Identifier: MIT */
/*
 * The machine's memory as its callers see it: create, fork, allocate, free, split, look. A request
 * walks the zonelist; the first zone that has a block serves it.
 */
#include "phys/zone.h"

#include <string.h>

static int check_shape(struct iommusim_phys *phys, const struct iommusim_phys_config *config)
{
	if (!phys->kernel)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "kernel %u is older than 4.4",
		                 config->kernel);
	if (phys->page_shift < 12 || phys->page_shift > 16)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "page_shift %u is not 12 .. 16",
		                 phys->page_shift);
	if (phys->nr_orders > IOMMUSIM_MAX_ORDERS)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "nr_orders %u is not 1 .. %u",
		                 phys->nr_orders, IOMMUSIM_MAX_ORDERS);
	if (phys->pageblock_order >= phys->nr_orders)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "pageblock_order %u is not 1 .. %u",
		                 phys->pageblock_order, phys->nr_orders - 1);
	if (phys->features & ~IOMMUSIM_PHYS_ALL || phys->nr_cpus > 256)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "features 0x%x or nr_cpus %u, up to 256, are unknown",
		                 phys->features, phys->nr_cpus);
	if ((unsigned)phys->fallback > IOMMUSIM_FALLBACK_C)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no fallback generation %u",
		                 (unsigned)phys->fallback);
	return 0;
}

/* What a kernel with this page size has: arm64's 16K and 64K, else 4K. */
static unsigned default_orders(unsigned page_shift)
{
	return page_shift >= 16 ? 14 : page_shift >= 14 ? 12 : 11;
}

static void set_shape(struct iommusim_phys *phys, const struct iommusim_phys_config *config)
{
	unsigned block;

	phys->kernel = isim_kernel(config->kernel);
	phys->page_shift = config->page_shift ? config->page_shift : 12;
	phys->nr_orders = config->nr_orders;
	if (!phys->nr_orders)
		phys->nr_orders = default_orders(phys->page_shift);
	block = phys->page_shift >= 14 ? default_orders(phys->page_shift) - 1 : 9;
	if (block > phys->nr_orders - 1)
		block = phys->nr_orders - 1;
	phys->pageblock_order = config->pageblock_order ? config->pageblock_order : block;
	phys->configured_zones = config->configured_zones | 1u << IOMMUSIM_ZONE_NORMAL;
	if (!config->configured_zones)
		phys->configured_zones |= 1u << IOMMUSIM_ZONE_DMA | 1u << IOMMUSIM_ZONE_DMA32 |
		                          1u << IOMMUSIM_ZONE_MOVABLE;
	phys->is_untouched = config->nothing_free != 0;
	phys->features = config->features;
	phys->nr_cpus = config->nr_cpus ? config->nr_cpus : 1;
	phys->fallback = config->fallback;
	if (phys->fallback == IOMMUSIM_FALLBACK_DEFAULT)
		phys->fallback = phys->kernel < IOMMUSIM_KERNEL(6, 12) ? IOMMUSIM_FALLBACK_A
		                                                       : IOMMUSIM_FALLBACK_C;
}

int iommusim_phys_create(const struct iommusim_phys_config *config, struct iommusim_phys **phys)
{
	struct iommusim_phys_config c;
	int err = isim_copy_sized(&c, sizeof(c), config);
	struct iommusim_phys *p = err ? NULL : isim_handle(c.host, sizeof(*p), "phys", &err);

	if (!p)
		return err;
	set_shape(p, &c);
	err = check_shape(p, &c);
	if (!err)
		err = isim_zones_create(p, &c);
	if (err) {
		iommusim_phys_destroy(p);
		return err;
	}
	*phys = p;
	return 0;
}

void iommusim_phys_destroy(struct iommusim_phys *phys)
{
	struct iommusim_host host;

	if (!phys)
		return;
	host = phys->diag.host;
	isim_zones_destroy(phys);
	isim_free(&host, phys);
}

int iommusim_phys_fork(const struct iommusim_phys *phys, struct iommusim_phys **copy)
{
	struct iommusim_phys *p = isim_zalloc(&phys->diag.host, 1, sizeof(*p));

	if (!p)
		return -IOMMUSIM_EHOST;
	*p = *phys;
	if (isim_zones_fork(p, phys)) {
		iommusim_phys_destroy(p);
		return -IOMMUSIM_EHOST;
	}
	*copy = p;
	return 0;
}

const char *iommusim_phys_error(const struct iommusim_phys *phys)
{
	return phys->diag.text;
}

/* ---- Allocation ---- */

static unsigned migratetype_of(uint32_t gfp)
{
	return gfp >> 3 & 3;
}

/* One walk over the zonelist. */
struct walk {
	struct isim_take take;
	unsigned node, highest;
	const struct isim_zone *preferred; /* the first zone of the walk; NULL: there is none */
	int this_node;
	int nofragment;         /* do not break up another type's pageblocks */
	struct isim_zone *zone; /* out */
	uint32_t frame;         /* out */
};

static int is_usable(const struct walk *walk, const struct isim_zone *zone)
{
	return (unsigned)zone->config.zone <= walk->highest &&
	       !(walk->this_node && zone->config.node != walk->node);
}

static const struct isim_zone *preferred_zone(const struct iommusim_phys *phys,
                                              const struct walk *walk)
{
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		const struct isim_zone *zone = &phys->zone[phys->zonelist[walk->node][i]];

		if (is_usable(walk, zone))
			return zone;
	}
	return NULL;
}

/*
 * Breaking up pageblocks is put off as long as a lower zone might serve: where the kernel has
 * DMA32 and the walk starts at NORMAL (and, with more nodes than one, its node has a DMA32).
 * Models alloc_flags_nofragment(), mm/page_alloc.c, Linux 6.1 and 6.12.
 */
static int wants_nofragment(const struct iommusim_phys *phys, const struct walk *walk)
{
	int has_dma32 = phys->nr_nodes == 1;

	if (!(phys->configured_zones >> IOMMUSIM_ZONE_DMA32 & 1) || !walk->preferred ||
	    walk->preferred->config.zone != IOMMUSIM_ZONE_NORMAL)
		return 0;
	for (unsigned i = 0; i < phys->nr_zones; i++)
		has_dma32 |= phys->zone[i].config.node == walk->preferred->config.node &&
		             phys->zone[i].config.zone == IOMMUSIM_ZONE_DMA32;
	return has_dma32;
}

/* Try each zone once. 0 with walk->zone set, -ENOMEM, -EHOST, or -EBUSY: walk again, fragmenting.
 */
static int walk_zones(struct iommusim_phys *phys, struct walk *walk)
{
	int err = 0;

	walk->take.min_order = walk->take.order;
	walk->take.nofragment = walk->nofragment;
	if (walk->nofragment && walk->take.min_order < phys->pageblock_order)
		walk->take.min_order = phys->pageblock_order;
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		struct isim_zone *zone = &phys->zone[phys->zonelist[walk->node][i]];

		if (!is_usable(walk, zone))
			continue;
		if (walk->nofragment && zone->config.node != walk->preferred->config.node)
			break; /* a remote zone is worse than a fragmented local one */
		walk->frame = isim_zone_take(phys, zone, &walk->take, &err);
		if (err || walk->frame != ISIM_NIL) {
			walk->zone = zone;
			return err;
		}
	}
	return walk->nofragment ? -IOMMUSIM_EBUSY : -IOMMUSIM_ENOMEM;
}

static int alloc_block(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                       struct walk *walk)
{
	int err;

	if (migratetype_of(req->gfp) == 3)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "gfp 0x%x is both movable and reclaimable", (unsigned)req->gfp);
	if ((unsigned)req->kind >= IOMMUSIM_PAGE_RESERVED)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "there is no page kind %u to ask for", (unsigned)req->kind);
	if (req->node < -1 || req->node >= (int)ISIM_MAX_NODES)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no node %d", req->node);
	if (req->order >= phys->nr_orders)
		return -IOMMUSIM_ENOMEM;
	walk->take.order = req->order;
	walk->take.type = migratetype_of(req->gfp);
	walk->node = req->node < 0 ? 0 : (unsigned)req->node;
	walk->highest = isim_highest_zone(phys, req->gfp);
	walk->this_node = (req->gfp & IOMMUSIM_GFP_BIT_THISNODE) != 0;
	walk->preferred = preferred_zone(phys, walk);
	walk->nofragment = wants_nofragment(phys, walk);
	err = walk_zones(phys, walk);
	if (err == -IOMMUSIM_EBUSY) {
		walk->nofragment = 0;
		err = walk_zones(phys, walk);
	}
	if (err == -IOMMUSIM_EHOST)
		isim_no_memory(&phys->diag, "the frames of a block");
	return err;
}

static void tell_alloc(const struct iommusim_phys *phys, const struct iommusim_page_request *req,
                       const struct walk *walk, int result)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_PAGE_ALLOC,
		                        .order = (uint8_t)req->order,
		                        .gfp = req->gfp,
		                        .migratetype = (uint8_t)migratetype_of(req->gfp),
		                        .pfn = IOMMUSIM_NO_PFN,
		                        .result = result };

	if (!result) {
		event.zone = (uint8_t)walk->zone->config.zone;
		event.pfn = walk->zone->base + walk->frame;
	}
	isim_event(&phys->diag, &event);
}

static enum iommusim_page_kind kind_of(const struct iommusim_page_request *req)
{
	return req->kind != IOMMUSIM_PAGE_BY_GFP ? req->kind
	                                         : isim_kind_of_type(migratetype_of(req->gfp));
}

int iommusim_phys_alloc(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                        struct iommusim_page_block *block)
{
	struct walk walk = { .frame = ISIM_NIL };
	int err = alloc_block(phys, req, &walk);
	unsigned state;

	if (isim_wants_events(&phys->diag))
		tell_alloc(phys, req, &walk, err);
	if (err)
		return err;
	state = isim_used_state(req->order, kind_of(req));
	if (req->gfp & IOMMUSIM_GFP_BIT_COMP && req->order)
		state |= ISIM_COMPOUND;
	isim_set_state(walk.zone, walk.frame, req->order, state);
	block->pfn = walk.zone->base + walk.frame;
	block->zone = (uint8_t)walk.zone->config.zone;
	block->migratetype = (uint8_t)walk.take.found_on;
	return 0;
}

/* ---- Free and split ---- */

/* The block in use of @order that starts at @pfn; NULL with the error worded. */
static struct isim_zone *used_block(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order,
                                    uint32_t *frame)
{
	struct isim_zone *zone = isim_zone_of(phys, pfn, frame);
	unsigned state;

	if (!zone || order >= phys->nr_orders || pfn & (isim_bit(order) - 1))
		goto none;
	if (!isim_starts_block(zone, *frame, ISIM_USED | order))
		goto none;
	state = isim_state(zone, *frame);
	if (isim_block_kind(state) == IOMMUSIM_PAGE_RESERVED)
		goto none;
	return zone;
none:
	isim_fail(&phys->diag, IOMMUSIM_EINVAL,
	          "pfn 0x%llx does not start a block in use of order %u", (unsigned long long)pfn,
	          order);
	return NULL;
}

/* Linux 6.12 frees more than a pageblock piece by piece, each piece to its own type's list. */
static int free_pieces(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                       unsigned order)
{
	struct isim_freeing how = { .order = zone->pageblock_order, .retag = 1 };
	int err = order == zone->top_order ? isim_leaf_reserve(phys, zone, frame) : 0;

	if (err)
		return isim_no_memory(&phys->diag, "the frames of a block");
	isim_set_state(zone, frame, order, ISIM_INNER);
	if (order == zone->top_order)
		isim_top_cut(zone, frame);
	for (uint32_t at = 0; at < 1u << order; at += 1u << how.order) {
		how.type = isim_pageblock(zone, frame + at);
		isim_block_free(zone, frame + at, how);
	}
	return 0;
}

/* Do the pageblocks of the block have types that differ? */
static int types_differ(const struct isim_zone *zone, uint32_t frame, unsigned order)
{
	for (uint32_t at = 0; at < 1u << order; at += 1u << zone->pageblock_order)
		if (isim_pageblock(zone, frame + at) != isim_pageblock(zone, frame))
			return 1;
	return 0;
}

static void tell_free(const struct iommusim_phys *phys, const struct isim_zone *zone,
                      iommusim_pfn pfn, unsigned order)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_PAGE_FREE,
		                        .order = (uint8_t)order,
		                        .zone = (uint8_t)zone->config.zone,
		                        .pfn = pfn };

	isim_event(&phys->diag, &event);
}

int iommusim_phys_free(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order)
{
	struct isim_freeing how = { .order = order,
		                    .retag = phys->kernel >= IOMMUSIM_KERNEL(6, 12) };
	struct isim_zone *zone;
	uint32_t frame;

	zone = used_block(phys, pfn, order, &frame);
	if (!zone)
		return -IOMMUSIM_EINVAL;
	if (how.retag && order > zone->pageblock_order && types_differ(zone, frame, order)) {
		int err = free_pieces(phys, zone, frame, order);

		if (err)
			return err;
	} else {
		how.type = isim_pageblock(zone, frame);
		isim_set_state(zone, frame, order, ISIM_INNER);
		isim_block_free(zone, frame, how);
	}
	tell_free(phys, zone, pfn, order);
	return 0;
}

int iommusim_phys_split(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order)
{
	struct isim_zone *zone;
	uint32_t frame;
	unsigned state;

	zone = used_block(phys, pfn, order, &frame);
	if (!zone)
		return -IOMMUSIM_EINVAL;
	state = isim_state(zone, frame);
	if (state & ISIM_COMPOUND)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "pfn 0x%llx is a compound block",
		                 (unsigned long long)pfn);
	if (!order)
		return 0;
	if (order == zone->top_order) {
		if (isim_leaf_reserve(phys, zone, frame))
			return isim_no_memory(&phys->diag, "the frames of a block");
		isim_top_cut(zone, frame);
	}
	state &= ~ISIM_ORDER_BITS;
	for (uint32_t i = 0; i < 1u << order; i++)
		isim_leaf_states(zone, frame)[isim_leaf_index(zone, frame) + i] = (uint16_t)state;
	return 0;
}

/* ---- As a page source ---- */

static int source_alloc(void *ctx, const struct iommusim_page_request *req,
                        struct iommusim_page_block *block)
{
	return iommusim_phys_alloc(ctx, req, block);
}

static int source_free(void *ctx, iommusim_pfn pfn, unsigned order)
{
	return iommusim_phys_free(ctx, pfn, order);
}

static int source_split(void *ctx, iommusim_pfn pfn, unsigned order)
{
	return iommusim_phys_split(ctx, pfn, order);
}

struct iommusim_page_source iommusim_phys_source(struct iommusim_phys *phys)
{
	struct iommusim_page_source source = { .size = sizeof(source),
		                               .ctx = phys,
		                               .alloc_pages = source_alloc,
		                               .free_pages = source_free,
		                               .split_page = source_split };

	return source;
}
