/* SPDX-License-Identifier: MIT */
/*
 * Magazines are elements of one array, so that a fork is a copy. A depot holds full ones only,
 * hence so many frames need no more than so many magazines, and the room can be made beforehand:
 * freeing a range never asks the host.
 */
#include "iova/magazine.h"

#include <string.h>

static size_t nr_cpu_caches(const struct isim_magazines *pool)
{
	return (size_t)pool->nr_cpus * ISIM_CACHE_ORDERS;
}

/* Two for each CPU and order, however empty, and the depots' full ones. */
static uint64_t most_in_use(const struct isim_magazines *pool, uint64_t nr_frames)
{
	return pool->nr_cpus ? UINT64_C(2) * nr_cpu_caches(pool) + nr_frames / ISIM_MAGAZINE_SIZE
	                     : 0;
}

static int get_arrays(struct isim_magazines *pool, const struct iommusim_host *host,
                      uint64_t nr_frames)
{
	if (!pool->nr_cpus)
		return isim_magazines_reserve(pool, host, 0);
	pool->cpu = isim_zalloc(host, nr_cpu_caches(pool), sizeof(*pool->cpu));
	pool->offline = isim_zalloc(host, pool->nr_cpus, sizeof(*pool->offline));
	if (!pool->cpu || !pool->offline)
		return -IOMMUSIM_EHOST;
	return isim_magazines_reserve(pool, host, nr_frames);
}

int isim_magazines_init(struct isim_magazines *pool, const struct iommusim_host *host,
                        unsigned nr_cpus)
{
	int err;

	memset(pool, 0, sizeof(*pool));
	pool->nr_cpus = nr_cpus;
	pool->unused = ISIM_NO_MAGAZINE;
	for (unsigned order = 0; order < ISIM_CACHE_ORDERS; order++)
		pool->depot[order].newest = ISIM_NO_MAGAZINE;
	err = get_arrays(pool, host, 0);
	if (err)
		return err;
	for (size_t i = 0; i < nr_cpu_caches(pool); i++) {
		pool->cpu[i].loaded = isim_magazines_take(pool);
		pool->cpu[i].prev = isim_magazines_take(pool);
	}
	return 0;
}

void isim_magazines_finish(struct isim_magazines *pool, const struct iommusim_host *host)
{
	isim_free(host, pool->cpu);
	isim_free(host, pool->offline);
	isim_free(host, pool->mag);
	pool->cpu = NULL;
	pool->offline = NULL;
	pool->mag = NULL;
}

int isim_magazines_fork(const struct isim_magazines *pool, const struct iommusim_host *host,
                        uint64_t nr_frames, struct isim_magazines *copy)
{
	int err;

	*copy = *pool;
	copy->cpu = NULL;
	copy->offline = NULL;
	copy->mag = NULL;
	copy->cap = 0;
	copy->nr_reserved = pool->nr_cpus ? 0 : UINT64_MAX;
	if (!pool->nr_cpus)
		return 0;
	err = get_arrays(copy, host, nr_frames);
	if (!err)
		err = isim_grow(host, &copy->mag, &copy->cap, pool->nr_used, sizeof(*copy->mag));
	if (err)
		return err;
	memcpy(copy->cpu, pool->cpu, nr_cpu_caches(pool) * sizeof(*pool->cpu));
	memcpy(copy->offline, pool->offline, pool->nr_cpus * sizeof(*pool->offline));
	memcpy(copy->mag, pool->mag, pool->nr_used * sizeof(*pool->mag));
	return 0;
}

int isim_magazines_reserve(struct isim_magazines *pool, const struct iommusim_host *host,
                           uint64_t nr_frames)
{
	uint64_t most = most_in_use(pool, nr_frames);

	if (isim_grow(host, &pool->mag, &pool->cap, most, sizeof(*pool->mag)))
		return -IOMMUSIM_EHOST;
	pool->nr_reserved =
		pool->nr_cpus ? (pool->cap - most) * ISIM_MAGAZINE_SIZE + nr_frames : UINT64_MAX;
	return 0;
}

uint32_t isim_magazines_take(struct isim_magazines *pool)
{
	uint32_t n = pool->unused;

	if (n != ISIM_NO_MAGAZINE)
		pool->unused = pool->mag[n].older;
	else
		n = pool->nr_used++;
	pool->mag[n].nr = 0;
	pool->nr_in_use++;
	return n;
}

void isim_magazines_give(struct isim_magazines *pool, uint32_t n)
{
	pool->mag[n].older = pool->unused;
	pool->unused = n;
	pool->nr_in_use--;
}
