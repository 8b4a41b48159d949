/* SPDX-License-Identifier: MIT */
/* An attempt: what is asked, and one walk over the zonelist. */
#ifndef ISIM_PHYS_ATTEMPT_H
#define ISIM_PHYS_ATTEMPT_H

#include "phys/request.h"
#include "phys/slow.h"

/* A request on its way, and what it got. */
struct isim_walk {
	struct isim_attempt attempt;
	unsigned cpu;
	unsigned aflags;
	struct isim_zone *preferred; /* the first zone of the walk; NULL: there is none */
	struct isim_zone *zone;      /* out */
	uint32_t frame;              /* out */
	unsigned found_on;           /* out: type of the list */
};

static inline int isim_walk_may_use(const struct isim_walk *walk, const struct isim_zone *zone)
{
	return (unsigned)zone->config.zone <= walk->attempt.highest &&
	       !(walk->attempt.this_node && zone->config.node != walk->attempt.node);
}

/* Understand @req. 0, -EINVAL worded, or -ENOMEM: no such order. */
int isim_walk_start(struct iommusim_phys *phys, const struct iommusim_page_request *req,
                    struct isim_walk *walk);

/* Make the host memory that the attempt may need, so that it cannot fail half way. 0 or -EHOST. */
int isim_walk_reserve(struct iommusim_phys *phys, const struct isim_walk *walk);

/*
 * Walk the zonelist, twice where NOFRAGMENT found nothing. 0 with the block in @walk, -ENOMEM, or
 * -EHOST on a machine without features. Models get_page_from_freelist(), mm/page_alloc.c, Linux
 * 6.1.192 and 6.12.117.
 */
int isim_freelist(struct iommusim_phys *phys, struct isim_walk *walk);

/* kswapd is woken for the attempt. */
void isim_wake_kswapd(struct iommusim_phys *phys, const struct isim_walk *walk,
                      const struct isim_zone *zone);

/* What follows where the fast path found nothing. 0 or -ENOMEM. Models
   __alloc_pages_slowpath(). */
int isim_slow_path(struct iommusim_phys *phys, struct isim_walk *walk);

/* Mark the block of @walk as in use. */
void isim_walk_finish(const struct isim_walk *walk, const struct iommusim_page_request *req);

#endif
