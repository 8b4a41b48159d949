/* SPDX-License-Identifier: MIT */
/*
 * The memory of the caches: magazines of frames, two for each CPU and order of size, and a depot of
 * full ones for each order. Nothing here knows the tree.
 */
#ifndef ISIM_IOVA_MAGAZINE_H
#define ISIM_IOVA_MAGAZINE_H

#include "base/host.h"

#define ISIM_CACHE_ORDERS  6   /* IOVA_RANGE_CACHE_MAX_SIZE */
#define ISIM_MAGAZINE_SIZE 127 /* IOVA_MAG_SIZE */
#define ISIM_NO_MAGAZINE   UINT32_MAX

struct isim_magazine {
	uint32_t older; /* the one below in its depot, or the next unused one */
	uint32_t nr;
	uint64_t frame[ISIM_MAGAZINE_SIZE];
};

/* What a CPU has of one order. */
struct isim_cpu_cache {
	uint32_t loaded, prev;
};

struct isim_depot {
	uint32_t newest; /* ISIM_NO_MAGAZINE: none */
	uint32_t nr;
};

struct isim_magazines {
	unsigned nr_cpus;           /* 0: there are no caches */
	struct isim_cpu_cache *cpu; /* [nr_cpus * ISIM_CACHE_ORDERS], order by order for each CPU */
	unsigned char *offline;     /* [nr_cpus] */
	struct isim_depot depot[ISIM_CACHE_ORDERS];
	struct isim_magazine *mag;
	size_t cap;         /* magazines there is room for */
	uint32_t nr_used;   /* magazines ever used */
	uint32_t nr_in_use; /* those of the CPUs and the depots: what is not unused */
	uint32_t unused;
	uint64_t nr_reserved; /* frames that have room */
};

/* Every CPU is online and has nothing. 0 or -EHOST; finish() either way. */
int isim_magazines_init(struct isim_magazines *pool, const struct iommusim_host *host,
                        unsigned nr_cpus);
void isim_magazines_finish(struct isim_magazines *pool, const struct iommusim_host *host);

/* A copy in @copy, uninitialised, with room for @nr_frames. 0 or -EHOST; finish() either way. */
int isim_magazines_fork(const struct isim_magazines *pool, const struct iommusim_host *host,
                        uint64_t nr_frames, struct isim_magazines *copy);

/* Make room for @nr_frames, in whichever magazines they will be. 0 or -EHOST. */
int isim_magazines_reserve(struct isim_magazines *pool, const struct iommusim_host *host,
                           uint64_t nr_frames);

/* Is there an unused one, without asking the host? */
static inline int isim_magazines_have_room(const struct isim_magazines *pool)
{
	return pool->nr_in_use < pool->cap;
}

/* An empty one, of the room there is; and give one back. */
uint32_t isim_magazines_take(struct isim_magazines *pool);
void isim_magazines_give(struct isim_magazines *pool, uint32_t n);

#endif
