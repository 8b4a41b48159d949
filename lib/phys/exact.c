/* SPDX-License-Identifier: MIT */
/* The state put together piece by piece, and read back. */
#include "phys/request.h"

/* The zone of an aligned block of @order at @pfn that lies in it; NULL with the error worded. */
static struct isim_zone *zone_of_block(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order,
                                       uint32_t *frame)
{
	struct isim_zone *zone = isim_zone_of(phys, pfn, frame);

	if (zone && order < phys->nr_orders && !(pfn & (isim_bit(order) - 1)) &&
	    zone->end - *frame >= isim_bit(order))
		return zone;
	isim_fail(&phys->diag, IOMMUSIM_EINVAL, "pfn 0x%llx starts no block of order %u in a zone",
	          (unsigned long long)pfn, order);
	return NULL;
}

/* Word what isim_block_carve() returned. */
static int carved(struct iommusim_phys *phys, iommusim_pfn pfn, int err)
{
	if (err == -IOMMUSIM_EINVAL)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "some frames of the block at pfn 0x%llx are not in use",
		                 (unsigned long long)pfn);
	phys->is_untouched = 0;
	return err ? isim_no_memory(&phys->diag, "the frames of a block") : 0;
}

int iommusim_phys_put_used(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order,
                           enum iommusim_page_kind kind)
{
	uint32_t frame;
	struct isim_zone *zone = zone_of_block(phys, pfn, order, &frame);

	if (!zone)
		return -IOMMUSIM_EINVAL;
	if (kind == IOMMUSIM_PAGE_BY_GFP || (unsigned)kind >= IOMMUSIM_NR_PAGE_KINDS)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no page kind %u",
		                 (unsigned)kind);
	return carved(phys, pfn, isim_block_carve(phys, zone, frame, order, kind));
}

int iommusim_phys_put_free(struct iommusim_phys *phys, struct iommusim_list_id list,
                           iommusim_pfn pfn)
{
	uint32_t frame;
	struct isim_zone *zone = zone_of_block(phys, pfn, list.order, &frame);
	int err;

	if (!zone)
		return -IOMMUSIM_EINVAL;
	if (list.zone >= phys->nr_zones || zone != &phys->zone[list.zone] ||
	    list.type >= IOMMUSIM_NR_MIGRATETYPES)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "pfn 0x%llx is not of zone %u, or there is no type %u",
		                 (unsigned long long)pfn, list.zone, list.type);
	err = carved(phys, pfn,
	             isim_block_carve(phys, zone, frame, list.order, IOMMUSIM_PAGE_RESERVED));
	if (err)
		return err;
	isim_list_add(zone, frame, list.order, list.type, 1);
	return 0;
}

/* ---- Per-CPU lists ---- */

/* The lists of one CPU and zone; NULL with the error worded. */
static struct isim_pcp *find_pcp(struct iommusim_phys *phys, struct iommusim_pcp_id id)
{
	if (phys->features && id.zone < phys->nr_zones && id.cpu < phys->nr_cpus)
		return &phys->zone[id.zone].pcp[id.cpu];
	isim_fail(&phys->diag, IOMMUSIM_EINVAL,
	          "there are no per-CPU lists, or not of zone %u and CPU %u", id.zone, id.cpu);
	return NULL;
}

/* The order of a list's blocks; ~0: there is no such list. */
static unsigned order_of(const struct iommusim_phys *phys, unsigned list)
{
	unsigned order = list < 12 ? list / 3 : phys->thp_order;

	return list < ISIM_PCP_LISTS && order < phys->nr_orders ? order : ~0u;
}

int iommusim_phys_put_pcp(struct iommusim_phys *phys, struct iommusim_pcp_id id, unsigned type,
                          iommusim_pfn pfn)
{
	struct isim_freed block = { .order = order_of(phys, id.list), .list = id.list };
	struct isim_pcp *pcp = find_pcp(phys, id);
	struct isim_zone *zone;
	int err;

	if (!pcp)
		return -IOMMUSIM_EINVAL;
	if (!(phys->features & IOMMUSIM_PHYS_PCP) || block.order == ~0u ||
	    type >= IOMMUSIM_NR_MIGRATETYPES)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "there is no per-CPU list %u, or no type %u", id.list, type);
	block.type = type;
	zone = zone_of_block(phys, pfn, block.order, &block.frame);
	if (!zone)
		return -IOMMUSIM_EINVAL;
	if (zone != &phys->zone[id.zone])
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "pfn 0x%llx is not of zone %u",
		                 (unsigned long long)pfn, id.zone);
	if (isim_pcp_reserve_free(phys, pcp, id.list, 1))
		return isim_no_memory(&phys->diag, "a per-CPU list");
	err = carved(
		phys, pfn,
		isim_block_carve(phys, zone, block.frame, block.order, IOMMUSIM_PAGE_RESERVED));
	return err ? err : isim_pcp_put(phys, zone, pcp, block);
}

int iommusim_phys_pcp_list(const struct iommusim_phys *phys, struct iommusim_pcp_id id,
                           iommusim_pfn *pfns, unsigned max)
{
	const struct isim_ring *ring;
	unsigned nr = 0;

	if (!phys->features || id.zone >= phys->nr_zones || id.cpu >= phys->nr_cpus ||
	    id.list >= ISIM_PCP_LISTS || max > INT32_MAX)
		return -IOMMUSIM_EINVAL;
	ring = &phys->zone[id.zone].pcp[id.cpu].list[id.list];
	for (; nr < max && nr < ring->nr; nr++)
		pfns[nr] = phys->zone[id.zone].base + isim_pcp_frame(ring, nr);
	return (int)nr;
}

int iommusim_phys_pcp(const struct iommusim_phys *phys, struct iommusim_pcp_id id,
                      struct iommusim_pcp_state *state)
{
	const struct isim_pcp *pcp;

	if (!phys->features || id.zone >= phys->nr_zones || id.cpu >= phys->nr_cpus)
		return -IOMMUSIM_EINVAL;
	pcp = &phys->zone[id.zone].pcp[id.cpu];
	*state = (struct iommusim_pcp_state){ .pending = pcp->pending,
		                              .count = pcp->count,
		                              .batch = pcp->batch,
		                              .high = pcp->high,
		                              .high_min = pcp->high_min,
		                              .high_max = pcp->high_max,
		                              .free_count = pcp->free_count,
		                              .factor = pcp->factor,
		                              .flags = pcp->flags };
	return 0;
}

/* Numbers with which nothing overflows when batch is shifted or numbers are added. */
#define MOST (1 << 29)

static int are_legal(const struct iommusim_pcp_state *s)
{
	return s->batch >= 1 && s->batch <= 1 << 16 && s->high >= 0 && s->high <= MOST &&
	       s->high_min >= 0 && s->high_min <= MOST && s->high_max >= 0 && s->high_max <= MOST &&
	       s->free_count >= 0 && s->free_count <= MOST && s->factor <= ISIM_PCP_SCALE &&
	       s->flags <= 3 && s->pending >= -MOST && s->pending <= MOST;
}

int iommusim_phys_set_pcp(struct iommusim_phys *phys, struct iommusim_pcp_id id,
                          const struct iommusim_pcp_state *state)
{
	struct isim_pcp *pcp = find_pcp(phys, id);

	if (!pcp)
		return -IOMMUSIM_EINVAL;
	if (!are_legal(state))
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "a number of the per-CPU lists of zone %u is out of range",
		                 id.zone);
	phys->zone[id.zone].pending += state->pending - pcp->pending;
	pcp->pending = state->pending;
	pcp->batch = state->batch;
	pcp->high = state->high;
	pcp->high_min = state->high_min;
	pcp->high_max = state->high_max;
	pcp->free_count = state->free_count;
	pcp->factor = state->factor;
	pcp->flags = state->flags;
	return 0;
}

/* ---- Counters ---- */

int iommusim_phys_counters(const struct iommusim_phys *phys, unsigned zone,
                           struct iommusim_zone_counters *counters)
{
	const struct isim_zone *z;

	if (!phys->features || zone >= phys->nr_zones)
		return -IOMMUSIM_EINVAL;
	z = &phys->zone[zone];
	*counters = (struct iommusim_zone_counters){
		.nr_free_pages = (uint64_t)isim_nr_free_counted(z),
		.nr_free_cma = isim_frames_of(z, IOMMUSIM_CMA),
		.nr_reserved_highatomic = z->nr_reserved_highatomic,
		.stat_threshold = z->stat_threshold,
		.flags = z->flags,
	};
	return 0;
}

int iommusim_phys_set_counters(struct iommusim_phys *phys, unsigned zone,
                               const struct iommusim_zone_counters *counters)
{
	struct isim_zone *z;

	if (!phys->features || zone >= phys->nr_zones)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "there is no zone number %u, or it has no counters", zone);
	if (counters->stat_threshold < 0 || counters->stat_threshold >= 1 << 15 ||
	    counters->flags > 7 || counters->nr_reserved_highatomic > UINT32_MAX)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "a counter of zone %u is out of range", zone);
	z = &phys->zone[zone];
	z->nr_reserved_highatomic = counters->nr_reserved_highatomic;
	z->stat_threshold = counters->stat_threshold;
	z->flags = counters->flags;
	return 0;
}

int iommusim_phys_nr_movable(const struct iommusim_phys *phys, iommusim_pfn pfn)
{
	uint32_t frame, end;
	const struct isim_zone *zone = isim_zone_of(phys, pfn, &frame);
	int nr = 0;

	if (!zone)
		return -IOMMUSIM_EINVAL;
	frame &= ~((1u << zone->pageblock_order) - 1);
	end = frame + (1u << zone->pageblock_order);
	for (uint32_t at = frame; at < end && at < zone->end;) {
		uint32_t start = isim_block_start(zone, at);
		unsigned state = isim_state(zone, start);
		uint32_t next = start + (1u << isim_block_order(state));

		next = next < end ? next : end;
		if ((state & ISIM_STATE_BITS) == ISIM_USED &&
		    isim_is_movable(isim_block_kind(state)))
			nr += (int)(next - at);
		at = next;
	}
	return nr;
}
