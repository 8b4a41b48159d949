/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU lists. A request that finds its list empty fills it in one go, in the order in which the
 * blocks come off the free lists, and takes its head; a freed block is pushed at the head, and
 * when there are too many some go back from the tails. How many, in both directions, is tuned by
 * what happened lately, differently by release. Models rmqueue_pcplist(), free_unref_page(), and
 * free_pcppages_bulk(), mm/page_alloc.c, Linux 6.1.192 and 6.12.117.
 */
#include "phys/request.h"

#include <string.h>

static int is_6_12(const struct iommusim_phys *phys)
{
	return phys->kernel >= IOMMUSIM_KERNEL(6, 12);
}

static int32_t least(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

/* The upper limit wins where the two cross. */
static int32_t clamp(int32_t x, int32_t low, int32_t high)
{
	return least(most(x, low), high);
}

static unsigned order_of(const struct iommusim_phys *phys, unsigned list)
{
	return list < 12 ? list / 3 : phys->thp_order;
}

/* ---- Rings ---- */

static int ring_reserve(const struct iommusim_phys *phys, struct isim_ring *ring, uint32_t need)
{
	uint32_t cap = ring->cap ? ring->cap : 16;
	uint32_t *slot;

	if (need <= ring->cap)
		return 0;
	while (cap < need)
		cap *= 2;
	slot = isim_zalloc(&phys->diag.host, cap, sizeof(*slot));
	if (!slot)
		return -IOMMUSIM_EHOST;
	for (uint32_t i = 0; i < ring->nr; i++)
		slot[i] = ring->slot[(ring->head + i) & (ring->cap - 1)];
	isim_free(&phys->diag.host, ring->slot);
	ring->slot = slot;
	ring->cap = cap;
	ring->head = 0;
	return 0;
}

static void push_head(struct isim_ring *ring, uint32_t frame)
{
	assert(ring->nr < ring->cap);
	ring->head = (ring->head - 1) & (ring->cap - 1);
	ring->slot[ring->head] = frame;
	ring->nr++;
}

static void push_tail(struct isim_ring *ring, uint32_t frame)
{
	assert(ring->nr < ring->cap);
	ring->slot[(ring->head + ring->nr++) & (ring->cap - 1)] = frame;
}

static uint32_t pop_head(struct isim_ring *ring)
{
	uint32_t frame = ring->slot[ring->head];

	ring->head = (ring->head + 1) & (ring->cap - 1);
	ring->nr--;
	return frame;
}

static uint32_t pop_tail(struct isim_ring *ring)
{
	return ring->slot[(ring->head + --ring->nr) & (ring->cap - 1)];
}

uint32_t isim_pcp_frame(const struct isim_ring *ring, uint32_t index)
{
	return ring->slot[(ring->head + index) & (ring->cap - 1)];
}

int isim_pcp_put(const struct iommusim_phys *phys, struct isim_zone *zone, struct isim_pcp *pcp,
                 struct isim_freed freed)
{
	unsigned order = order_of(phys, freed.list);
	int err = ring_reserve(phys, &pcp->list[freed.list], pcp->list[freed.list].nr + 1);

	if (err)
		return err;
	push_tail(&pcp->list[freed.list], freed.frame);
	pcp->count += 1 << order;
	isim_set_state(zone, freed.frame, order, isim_pcp_state(order, freed.type));
	return 0;
}

/* ---- Drain ---- */

static void free_drained(struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu,
                         uint32_t frame)
{
	unsigned state = isim_state(zone, frame);
	struct isim_freeing how = { .order = isim_block_order(state),
		                    .type = isim_block_type(state),
		                    .retag = is_6_12(phys) };

	if (how.retag || zone->nr_isolated)
		how.type = isim_pageblock(zone, frame);
	if (how.type != IOMMUSIM_ISOLATE)
		isim_account(zone, cpu, 1 << how.order);
	isim_set_state(zone, frame, how.order, ISIM_INNER);
	isim_block_free(zone, frame, how);
}

static void tell(const struct iommusim_phys *phys, const struct isim_zone *zone,
                 enum iommusim_event_kind kind, const struct isim_take *take, int32_t frames)
{
	struct iommusim_event event = { .kind = kind,
		                        .zone = (uint8_t)zone->config.zone,
		                        .nr_pages = (uint64_t)frames };

	if (take) {
		event.order = (uint8_t)take->order;
		event.migratetype = (uint8_t)take->type;
	}
	isim_event(&phys->diag, &event);
}

/* Free at least @nr frames, if there are as many: whole lists from their tails, @list first. */
static void drain(struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu, unsigned list,
                  int32_t nr)
{
	struct isim_pcp *pcp = &zone->pcp[cpu];
	int32_t before = pcp->count, left = least(nr, pcp->count);

	for (; left > 0; list = (list + 1) % ISIM_PCP_LISTS) {
		struct isim_ring *ring = &pcp->list[list];
		int32_t size = ring->nr ? 1 << order_of(phys, list) : 0;

		for (; left > 0 && ring->nr; left -= size) {
			pcp->count -= size;
			free_drained(phys, zone, cpu, pop_tail(ring));
		}
	}
	if (before != pcp->count && isim_wants_events(&phys->diag))
		tell(phys, zone, IOMMUSIM_EVENT_PCP_DRAIN, NULL, before - pcp->count);
}

static void drain_zone(struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu)
{
	struct isim_pcp *pcp = &zone->pcp[cpu];

	while (pcp->count)
		drain(phys, zone, cpu, 0, most(pcp->batch << ISIM_PCP_SCALE, 1));
}

uint64_t isim_pcp_drain_all(struct iommusim_phys *phys)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < phys->nr_zones && phys->zone[i].pcp; i++)
		for (unsigned cpu = 0; cpu < phys->nr_cpus; cpu++) {
			frames += (uint64_t)phys->zone[i].pcp[cpu].count;
			drain_zone(phys, &phys->zone[i], cpu);
		}
	return frames;
}

uint64_t iommusim_phys_drain(struct iommusim_phys *phys)
{
	return isim_pcp_drain_all(phys);
}

/* Models decay_pcp_high(), mm/page_alloc.c, Linux 6.12: as many as were drained. */
static int32_t decay(struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu)
{
	struct isim_pcp *pcp = &zone->pcp[cpu];
	int32_t before = pcp->count;

	if (pcp->high > pcp->high_min)
		pcp->high = most(most(pcp->count - (pcp->batch << ISIM_PCP_SCALE),
		                      pcp->high - pcp->high / 8),
		                 pcp->high_min);
	while (pcp->count > pcp->high)
		drain(phys, zone, cpu, 0, least(pcp->count - pcp->high, pcp->batch));
	return before - pcp->count;
}

int iommusim_phys_decay(struct iommusim_phys *phys, unsigned cpu)
{
	int frames = 0;

	if (cpu >= phys->nr_cpus)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no CPU %u", cpu);
	for (unsigned i = 0; i < phys->nr_zones && phys->zone[i].pcp; i++) {
		struct isim_zone *zone = &phys->zone[i];

		zone->pending -= zone->pcp[cpu].pending;
		zone->pcp[cpu].pending = 0;
		if (is_6_12(phys))
			frames += decay(phys, zone, cpu);
	}
	return frames;
}

/* ---- Allocation ---- */

/* Blocks to fill an empty list with. Models nr_pcp_alloc(), Linux 6.12. */
static int32_t nr_to_alloc(struct isim_pcp *pcp, const struct isim_zone *zone, unsigned order)
{
	int32_t batch = order ? pcp->batch : pcp->batch << pcp->factor;
	int32_t room;

	pcp->high = clamp(pcp->high, pcp->high_min, pcp->high_max);
	if (pcp->high < pcp->batch)
		return 1;
	if (pcp->high_min != pcp->high_max && !(zone->flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH))
		pcp->high = least(pcp->high + batch, pcp->high_max);
	if (!order) {
		room = most(pcp->high - pcp->count - pcp->batch, pcp->batch);
		if (batch <= room && pcp->factor < ISIM_PCP_SCALE)
			pcp->factor++;
		batch = least(batch, room);
	}
	return batch > 1 ? most(batch >> order, 2) : batch;
}

static int32_t nr_to_alloc_6_1(const struct isim_pcp *pcp, unsigned order)
{
	return pcp->batch > 1 ? most(pcp->batch >> order, 2) : pcp->batch;
}

/* The most that a refill may ask for. */
static int32_t most_to_alloc(const struct iommusim_phys *phys, const struct isim_pcp *pcp,
                             unsigned order)
{
	if (is_6_12(phys) && !order)
		return most(pcp->batch << ISIM_PCP_SCALE, 2);
	return most(pcp->batch >> order, 2);
}

int isim_pcp_reserve_refill(struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu,
                            unsigned order, unsigned list)
{
	struct isim_pcp *pcp = &zone->pcp[cpu];
	uint32_t blocks = (uint32_t)most_to_alloc(phys, pcp, order);
	uint64_t tops = ((uint64_t)blocks << order >> zone->top_order) + 2;
	int err = ring_reserve(phys, &pcp->list[list], blocks);

	if (tops > zone->nr_top)
		tops = zone->nr_top;
	return err ? err : isim_spares_reserve(phys, (unsigned)tops);
}

int isim_pcp_reserve_free(const struct iommusim_phys *phys, struct isim_pcp *pcp, unsigned list,
                          uint32_t nr)
{
	return ring_reserve(phys, &pcp->list[list], pcp->list[list].nr + nr);
}

static void refill(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                   unsigned list)
{
	struct isim_pcp *pcp = &zone->pcp[take->cpu];
	struct isim_ring *ring = &pcp->list[list];
	int32_t nr = is_6_12(phys) ? nr_to_alloc(pcp, zone, take->order)
	                           : nr_to_alloc_6_1(pcp, take->order);
	int32_t got = 0, frames;
	int err = 0;

	take->mode = ISIM_TAKE_NORMAL;
	for (; got < nr; got++) {
		uint32_t frame = isim_zone_take(phys, zone, take, &err);

		if (frame == ISIM_NIL)
			break;
		push_tail(ring, frame);
		isim_set_state(zone, frame, take->order,
		               isim_pcp_state(take->order, take->taken_as));
		if (!is_6_12(phys))
			take->untold += 1 << take->order;
	}
	take->untold = 0;
	frames = got << take->order;
	pcp->count += frames;
	if (!is_6_12(phys) && frames)
		isim_account(zone, take->cpu, -frames);
	if (frames && isim_wants_events(&phys->diag))
		tell(phys, zone, IOMMUSIM_EVENT_PCP_REFILL, take, frames);
}

uint32_t isim_pcp_take(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                       unsigned list, int is_bulk)
{
	struct isim_pcp *pcp = &zone->pcp[take->cpu];
	struct isim_ring *ring = &pcp->list[list];
	uint32_t frame;

	if (!is_bulk) {
		if (is_6_12(phys))
			pcp->free_count >>= 1;
		else
			pcp->factor >>= 1;
	}
	if (!ring->nr)
		refill(phys, zone, take, list);
	if (!ring->nr)
		return ISIM_NIL;
	frame = pop_head(ring);
	pcp->count -= 1 << take->order;
	take->found_on = isim_block_type(isim_state(zone, frame));
	return frame;
}

/* ---- Freeing ---- */

/* How long the lists may be, and how many frames to drain if they are longer. */
struct limits {
	int32_t high, nr;
};

/* Models nr_pcp_high() and nr_pcp_free(), Linux 6.1. */
static struct limits limits_6_1(struct isim_pcp *pcp, const struct isim_zone *zone, unsigned order)
{
	struct limits limits = { pcp->high, pcp->count };
	int32_t wanted = pcp->batch << pcp->factor, room;

	if (pcp->factor && order && order <= ISIM_COSTLY_ORDER) {
		limits.high = 0; /* high-order blocks merge in a cold cache: all of it */
		return limits;
	}
	if (zone->flags & IOMMUSIM_ZONE_FLAG_RECLAIM)
		limits.high = least(pcp->batch << 2, pcp->high);
	if (pcp->count < limits.high)
		return limits;
	room = limits.high - pcp->batch;
	if (limits.high < pcp->batch) {
		limits.nr = 1;
		return limits;
	}
	if (wanted < room && pcp->factor < ISIM_PCP_SCALE)
		pcp->factor++;
	limits.nr = clamp(wanted, pcp->batch, room);
	return limits;
}

/* Models nr_pcp_high(), Linux 6.12. */
static int32_t high_6_12(struct isim_pcp *pcp, const struct isim_zone *zone, int all)
{
	int32_t recent = most(pcp->free_count, pcp->batch), high;

	high = pcp->high = clamp(pcp->high, pcp->high_min, pcp->high_max);
	if (all) {
		pcp->high = most(high - (pcp->batch << ISIM_PCP_SCALE), pcp->high_min);
		return 0;
	}
	if (zone->flags & IOMMUSIM_ZONE_FLAG_RECLAIM) {
		pcp->high = most(high - recent, pcp->high_min);
		return least(pcp->batch << 2, pcp->high);
	}
	if (pcp->high_min == pcp->high_max)
		return high;
	if (zone->flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH) {
		pcp->high = most(high - recent, pcp->high_min);
		return most(pcp->count, pcp->high_min);
	}
	if (pcp->count >= high && high < pcp->free_count + pcp->batch)
		pcp->high = clamp(pcp->free_count + pcp->batch, pcp->high_min, pcp->high_max);
	return high;
}

#define HIGH_ORDER_BEFORE 1u
#define HIGH_ORDER_BATCH  2u

/* Models free_unref_page_commit() and nr_pcp_free(), Linux 6.12. */
static struct limits limits_6_12(struct isim_pcp *pcp, const struct isim_zone *zone, unsigned order)
{
	struct limits limits;
	int is_high_order = order && order <= ISIM_COSTLY_ORDER;
	int all = is_high_order && pcp->free_count >= pcp->batch &&
	          (pcp->flags & HIGH_ORDER_BEFORE) &&
	          (!(pcp->flags & HIGH_ORDER_BATCH) || pcp->count >= pcp->batch);

	pcp->flags &= (uint8_t)~HIGH_ORDER_BEFORE;
	if (is_high_order)
		pcp->flags |= HIGH_ORDER_BEFORE;
	if (pcp->free_count < pcp->batch << ISIM_PCP_SCALE)
		pcp->free_count += 1 << order;
	limits.high = high_6_12(pcp, zone, all);
	if (all)
		limits.nr = least(pcp->count, pcp->batch << ISIM_PCP_SCALE);
	else if (limits.high < pcp->batch)
		limits.nr = 1;
	else
		limits.nr = clamp(pcp->free_count, pcp->batch, limits.high - pcp->batch);
	return limits;
}

/* After a drain the zone may have what requests missed. */
static void end_shortage(const struct iommusim_phys *phys, struct isim_zone *zone)
{
	struct isim_mark_test test = { .highest = IOMMUSIM_ZONE_MOVABLE,
		                       .mark = isim_mark(zone, ISIM_ALLOC_HIGH) };

	if (zone->flags & IOMMUSIM_ZONE_FLAG_BELOW_HIGH && isim_mark_passes(phys, zone, &test))
		zone->flags &= ~IOMMUSIM_ZONE_FLAG_BELOW_HIGH;
}

void isim_pcp_free(struct iommusim_phys *phys, struct isim_zone *zone, unsigned cpu,
                   struct isim_freed freed)
{
	struct isim_pcp *pcp = &zone->pcp[cpu];
	struct limits limits;

	if (is_6_12(phys))
		pcp->factor >>= 1;
	push_head(&pcp->list[freed.list], freed.frame);
	pcp->count += 1 << freed.order;
	isim_set_state(zone, freed.frame, freed.order, isim_pcp_state(freed.order, freed.type));
	limits = is_6_12(phys) ? limits_6_12(pcp, zone, freed.order)
	                       : limits_6_1(pcp, zone, freed.order);
	if (pcp->count < limits.high)
		return;
	drain(phys, zone, cpu, freed.list, limits.nr);
	if (is_6_12(phys))
		end_shortage(phys, zone);
}

/* ---- The machine's ---- */

int isim_pcps_create(const struct iommusim_phys *phys, struct isim_zone *zone)
{
	zone->pcp = isim_zalloc(&phys->diag.host, phys->nr_cpus, sizeof(*zone->pcp));
	return zone->pcp ? 0 : -IOMMUSIM_EHOST;
}

void isim_pcps_destroy(const struct iommusim_phys *phys, struct isim_zone *zone)
{
	for (unsigned cpu = 0; zone->pcp && cpu < phys->nr_cpus; cpu++)
		for (unsigned list = 0; list < ISIM_PCP_LISTS; list++)
			isim_free(&phys->diag.host, zone->pcp[cpu].list[list].slot);
	isim_free(&phys->diag.host, zone->pcp);
}

static int copy_ring(const struct iommusim_phys *phys, struct isim_ring *copy,
                     const struct isim_ring *ring)
{
	*copy = (struct isim_ring){ NULL, 0, 0, 0 };
	if (ring_reserve(phys, copy, ring->nr))
		return -IOMMUSIM_EHOST;
	for (uint32_t i = 0; i < ring->nr; i++)
		push_tail(copy, isim_pcp_frame(ring, i));
	return 0;
}

int isim_pcps_fork(const struct iommusim_phys *phys, struct isim_zone *copy,
                   const struct isim_zone *zone)
{
	int err = isim_pcps_create(phys, copy);

	for (unsigned cpu = 0; !err && cpu < phys->nr_cpus; cpu++) {
		struct isim_pcp *to = &copy->pcp[cpu];

		*to = zone->pcp[cpu];
		memset(to->list, 0, sizeof(to->list));
		for (unsigned list = 0; !err && list < ISIM_PCP_LISTS; list++)
			err = copy_ring(phys, &to->list[list], &zone->pcp[cpu].list[list]);
	}
	return err;
}
