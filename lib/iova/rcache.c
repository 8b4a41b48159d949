/* SPDX-License-Identifier: MIT */
/*
 * The caches of freed ranges. A CPU takes from and puts to the magazine that it has loaded; when
 * that is empty or full it changes it for its other one, then for one of the depot. Cached ranges
 * stay in the tree. Models drivers/iommu/iova.c, Linux 6.1 and 6.12.
 */
#include "iova/space.h"

/* Largest size, in frames, that is rounded: 1 << (IOVA_RANGE_CACHE_MAX_SIZE - 1). */
#define FAST_SIZES 32

#define OLD_DEPOT_SIZE 32 /* MAX_GLOBAL_MAGS */

/* The first release with depots that grow and are trimmed. */
#define LARGE_DEPOT IOMMUSIM_KERNEL(6, 7)

static int has_caches(const struct iommusim_iova *space)
{
	return space->cache.nr_cpus > 0;
}

static unsigned order_of(uint64_t size)
{
	uint64_t rounded = isim_pow2_up(size);

	return rounded ? isim_high_bit(rounded) : 64;
}

static struct isim_cpu_cache *cpu_cache(struct iommusim_iova *space, unsigned cpu, unsigned order)
{
	return &space->cache.cpu[(size_t)cpu * ISIM_CACHE_ORDERS + order];
}

static void swap_magazines(struct isim_cpu_cache *c)
{
	uint32_t loaded = c->loaded;

	c->loaded = c->prev;
	c->prev = loaded;
}

/* ---- Depots ---- */

static void push_depot(struct iommusim_iova *space, unsigned order, uint32_t n)
{
	struct isim_depot *depot = &space->cache.depot[order];

	space->cache.mag[n].older = depot->newest;
	depot->newest = n;
	depot->nr++;
}

static uint32_t pop_depot(struct iommusim_iova *space, unsigned order)
{
	struct isim_depot *depot = &space->cache.depot[order];
	uint32_t n = depot->newest;

	depot->newest = space->cache.mag[n].older;
	depot->nr--;
	return n;
}

/* Let the depot's magazines stand the other way round. */
static void turn_depot(struct iommusim_iova *space, unsigned order)
{
	struct isim_depot *depot = &space->cache.depot[order];
	uint32_t n = depot->newest;

	depot->newest = ISIM_NO_MAGAZINE;
	for (uint32_t left = depot->nr; left; left--) {
		uint32_t older = space->cache.mag[n].older;

		space->cache.mag[n].older = depot->newest;
		depot->newest = n;
		n = older;
	}
}

static void arm(struct iommusim_iova *space, unsigned order)
{
	for (unsigned i = 0; i < space->nr_pending; i++)
		if (space->pending[i] == order)
			return;
	space->pending[space->nr_pending++] = (unsigned char)order;
}

/* ---- From magazines to the tree ---- */

static void empty_magazine(struct iommusim_iova *space, uint32_t n)
{
	struct isim_magazine *mag = &space->cache.mag[n];
	struct iommusim_iova_range range;

	for (uint32_t i = 0; i < mag->nr; i++)
		isim_iova_drop(space, mag->frame[i], &range);
	mag->nr = 0;
}

static void empty_and_give(struct iommusim_iova *space, uint32_t n)
{
	empty_magazine(space, n);
	isim_magazines_give(&space->cache, n);
}

static void empty_cpu(struct iommusim_iova *space, unsigned cpu)
{
	for (unsigned order = 0; order < ISIM_CACHE_ORDERS; order++) {
		const struct isim_cpu_cache *c = cpu_cache(space, cpu, order);

		empty_magazine(space, c->loaded);
		empty_magazine(space, c->prev);
	}
}

/* Before Linux 6.7 the oldest magazine first, later the newest. */
static void empty_depot(struct iommusim_iova *space, unsigned order)
{
	if (space->kernel < LARGE_DEPOT)
		turn_depot(space, order);
	while (space->cache.depot[order].nr)
		empty_and_give(space, pop_depot(space, order));
}

void iommusim_iova_flush(struct iommusim_iova *space)
{
	if (!has_caches(space))
		return;
	for (unsigned cpu = 0; cpu < space->cache.nr_cpus; cpu++)
		if (!space->cache.offline[cpu])
			empty_cpu(space, cpu);
	for (unsigned order = 0; order < ISIM_CACHE_ORDERS; order++)
		empty_depot(space, order);
}

/* ---- Getting ---- */

/* Load a magazine that has something. 1, or 0: there is none. */
static int load_something(struct iommusim_iova *space, struct isim_cpu_cache *c, unsigned order)
{
	const struct isim_magazine *mag = space->cache.mag;

	if (mag[c->loaded].nr)
		return 1;
	if (mag[c->prev].nr) {
		swap_magazines(c);
		return 1;
	}
	if (!space->cache.depot[order].nr)
		return 0;
	isim_magazines_give(&space->cache, c->loaded);
	c->loaded = pop_depot(space, order);
	return 1;
}

/* The frame put last that is not above @most. If the loaded magazine has none, there is none. */
static int get(struct iommusim_iova *space, struct isim_cpu_cache *c, unsigned order, uint64_t most,
               uint64_t *lo)
{
	struct isim_magazine *mag;
	uint32_t i;

	if (!load_something(space, c, order))
		return 0;
	mag = &space->cache.mag[c->loaded];
	for (i = mag->nr; i && mag->frame[i - 1] > most; i--)
		;
	if (!i)
		return 0;
	*lo = mag->frame[i - 1];
	mag->frame[i - 1] = mag->frame[--mag->nr];
	return 1;
}

static int check_cpu(struct iommusim_iova *space, unsigned cpu)
{
	if (!has_caches(space) || (cpu < space->cache.nr_cpus && !space->cache.offline[cpu]))
		return 0;
	return isim_fail(&space->diag, IOMMUSIM_EINVAL, "CPU %u is not one of %u, or offline", cpu,
	                 space->cache.nr_cpus);
}

/* @size is rounded, and there is room on the host. */
static int alloc_fast(struct iommusim_iova *space, const struct iommusim_iova_request *request,
                      uint64_t size, uint64_t *lo)
{
	unsigned order = order_of(size);
	int err;

	if (order < ISIM_CACHE_ORDERS && has_caches(space) &&
	    get(space, cpu_cache(space, request->cpu, order), order, request->limit + 1 - size, lo))
		return 0;
	err = isim_iova_take(space, size, request->limit + 1, 1, lo);
	if (!err || !request->flush)
		return err;
	iommusim_iova_flush(space);
	return isim_iova_take(space, size, request->limit + 1, 1, lo);
}

/* Sizes that the caches serve are rounded, so that what is freed fits what is asked for later. */
static uint64_t rounded(const struct iommusim_iova *space, uint64_t size)
{
	return size < FAST_SIZES && space->kernel >= ISIM_IOVA_CACHES ? isim_pow2_up(size) : size;
}

int iommusim_iova_alloc_fast(struct iommusim_iova *space,
                             const struct iommusim_iova_request *request, uint64_t *lo)
{
	uint64_t size = rounded(space, request->size);
	int err;

	if (!request->size)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL, "an IOVA range of 0 frames");
	if (check_cpu(space, request->cpu))
		return -IOMMUSIM_EINVAL;
	err = isim_iova_reserve_room(space);
	if (!err)
		err = alloc_fast(space, request, size, lo);
	if (err)
		isim_iova_tell_failure(space, size, err);
	else
		isim_iova_tell(space, IOMMUSIM_EVENT_IOVA_ALLOC, *lo, size);
	return err;
}

/* ---- Putting ---- */

/*
 * Let the loaded magazine have room. 0, or -EHOST. A magazine that the depot has no room for is
 * stored in @surplus.
 */
static int load_room(struct iommusim_iova *space, struct isim_cpu_cache *c, unsigned order,
                     uint32_t *surplus)
{
	struct isim_magazines *pool = &space->cache;
	uint32_t full = c->loaded;

	if (pool->mag[full].nr < ISIM_MAGAZINE_SIZE)
		return 0;
	if (pool->mag[c->prev].nr < ISIM_MAGAZINE_SIZE) {
		swap_magazines(c);
		return 0;
	}
	if (!isim_magazines_have_room(pool) &&
	    isim_grow(&space->diag.host, &pool->mag, &pool->cap, pool->cap + 1, sizeof(*pool->mag)))
		return isim_no_memory(&space->diag, "frames that were freed twice");
	c->loaded = isim_magazines_take(pool);
	if (space->kernel < LARGE_DEPOT && pool->depot[order].nr == OLD_DEPOT_SIZE) {
		*surplus = full;
		return 0;
	}
	push_depot(space, order, full);
	if (space->kernel >= LARGE_DEPOT)
		arm(space, order);
	return 0;
}

static int put(struct iommusim_iova *space, struct isim_cpu_cache *c, unsigned order,
               uint64_t frame)
{
	uint32_t surplus = ISIM_NO_MAGAZINE;
	int err = load_room(space, c, order, &surplus);
	struct isim_magazine *mag;

	if (err)
		return err;
	mag = &space->cache.mag[c->loaded];
	mag->frame[mag->nr++] = frame;
	if (surplus != ISIM_NO_MAGAZINE)
		empty_and_give(space, surplus);
	return 0;
}

int iommusim_iova_free_fast(struct iommusim_iova *space, uint64_t frame, uint64_t size,
                            unsigned cpu)
{
	unsigned order = order_of(size);
	struct iommusim_iova_range range;
	int err = check_cpu(space, cpu);

	if (err)
		return err;
	if (order < ISIM_CACHE_ORDERS && has_caches(space))
		err = put(space, cpu_cache(space, cpu, order), order, frame);
	else if (!isim_iova_drop(space, frame, &range))
		return 0;
	if (!err)
		isim_iova_tell(space, IOMMUSIM_EVENT_IOVA_FREE, frame, rounded(space, size));
	return err;
}

/* ---- Trimming, CPUs ---- */

/* At most one magazine; due again only after one. */
static void trim_depot(struct iommusim_iova *space, unsigned order)
{
	if (space->cache.depot[order].nr <= space->nr_online)
		return;
	empty_and_give(space, pop_depot(space, order));
	arm(space, order);
}

unsigned iommusim_iova_trim(struct iommusim_iova *space, unsigned orders)
{
	unsigned char due[ISIM_CACHE_ORDERS];
	unsigned nr_due = 0, left = 0;

	for (unsigned i = 0; i < space->nr_pending; i++) {
		if (orders & 1u << space->pending[i])
			due[nr_due++] = space->pending[i];
		else
			space->pending[left++] = space->pending[i];
	}
	space->nr_pending = left;
	for (unsigned i = 0; i < nr_due; i++)
		trim_depot(space, due[i]);
	return nr_due;
}

unsigned iommusim_iova_pending(const struct iommusim_iova *space)
{
	unsigned orders = 0;

	for (unsigned i = 0; i < space->nr_pending; i++)
		orders |= 1u << space->pending[i];
	return orders;
}

int iommusim_iova_set_online(struct iommusim_iova *space, unsigned cpu, int is_online)
{
	unsigned char *offline = space->cache.offline;

	if (cpu >= space->cache.nr_cpus)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL, "CPU %u is not one of %u", cpu,
		                 space->cache.nr_cpus);
	if (offline[cpu] == !is_online)
		return 0;
	if (!is_online && space->nr_online == 1)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL, "CPU %u is the last one", cpu);
	offline[cpu] = !is_online;
	space->nr_online += is_online ? 1u : -1u;
	if (!is_online)
		empty_cpu(space, cpu);
	return 0;
}
