/* SPDX-License-Identifier: MIT */
/*
 * Who uses a phone, a desktop and a server. Rates are shares of memory, so that machines of
 * different size age alike.
 */
#include "phys/zone.h"

#include <string.h>

#define KERNEL IOMMUSIM_PAGE_KERNEL
#define SLAB   IOMMUSIM_PAGE_SLAB
#define CACHE  IOMMUSIM_PAGE_CACHE
#define DIRTY  IOMMUSIM_PAGE_DIRTY
#define ANON   IOMMUSIM_PAGE_ANON
#define THP    IOMMUSIM_PAGE_HUGE

/* Nobody reclaims directly: kswapd does. */
#define NOWAIT  (IOMMUSIM_GFP_KERNEL & ~IOMMUSIM_GFP_BIT_DIRECT_RECLAIM)
#define SHRINKS (NOWAIT | IOMMUSIM_GFP_BIT_RECLAIMABLE)
#define USER    (IOMMUSIM_GFP_HIGHUSER & ~IOMMUSIM_GFP_BIT_DIRECT_RECLAIM)
#define MOVABLE (USER | IOMMUSIM_GFP_BIT_MOVABLE)

/* Name, kind, gfp; order, fallback; standing, flow; sizes; lives; pause, straggle. */
static const struct iommusim_age_user phone_users[] = {
	{ "kernel", KERNEL, NOWAIT, 0, 0, 50, 6, 1, 64, 1, 14400, 0, 10 },
	{ "page tables", KERNEL, NOWAIT, 0, 0, 3, 12, 4, 256, 30, 7200, 0, 0 },
	{ "stacks", KERNEL, NOWAIT, 2, 0, 5, 5, 16, 512, 30, 7200, 0, 0 },
	{ "slab", KERNEL, NOWAIT, 1, 0, 15, 20, 8, 1024, 1, 3600, 0, 60 },
	{ "inodes", SLAB, SHRINKS, 2, 0, 10, 20, 4, 256, 0, 0, 0, 0 },
	{ "network", KERNEL, NOWAIT, 3, 0, 0, 60, 8, 256, 1, 8, 8, 0 },
	{ "graphics", KERNEL, USER, 4, 0, 0, 120, 64, 8192, 5, 1800, 5, 0 },
	{ "camera", KERNEL, USER, 8, 4, 0, 40, 2048, 32768, 20, 600, 600, 0 },
	{ "apps", ANON, MOVABLE, 0, 0, 200, 500, 1024, 32768, 60, 7200, 30, 0 },
	{ "heaps", ANON, MOVABLE, 0, 0, 0, 150, 16, 512, 1, 120, 0, 0 },
	{ "files", CACHE, MOVABLE, 0, 0, 150, 300, 4, 4096, 0, 0, 0, 0 },
	{ "written", DIRTY, MOVABLE, 0, 0, 0, 40, 1, 512, 5, 30, 0, 0 },
};

static const struct iommusim_age_user desktop_users[] = {
	{ "kernel", KERNEL, NOWAIT, 0, 0, 25, 2, 1, 64, 1, 43200, 0, 10 },
	{ "page tables", KERNEL, NOWAIT, 0, 0, 4, 5, 4, 256, 10, 28800, 0, 0 },
	{ "stacks", KERNEL, NOWAIT, 2, 0, 2, 2, 4, 256, 10, 28800, 0, 0 },
	{ "slab", KERNEL, NOWAIT, 2, 0, 10, 8, 8, 512, 1, 14400, 0, 40 },
	{ "inodes", SLAB, SHRINKS, 2, 0, 10, 10, 4, 1024, 0, 0, 0, 0 },
	{ "network", KERNEL, NOWAIT, 3, 0, 0, 20, 8, 512, 1, 8, 16, 0 },
	{ "graphics", KERNEL, USER, 9, 4, 10, 40, 16, 16384, 10, 7200, 10, 0 },
	{ "huge pages", THP, MOVABLE, 9, 0, 30, 40, 512, 32768, 60, 14400, 60, 0 },
	{ "programs", ANON, MOVABLE, 0, 0, 150, 100, 64, 65536, 10, 28800, 20, 0 },
	{ "heaps", ANON, MOVABLE, 0, 0, 0, 60, 16, 1024, 1, 600, 0, 0 },
	{ "files", CACHE, MOVABLE, 0, 0, 150, 100, 4, 16384, 0, 0, 0, 0 },
	{ "written", DIRTY, MOVABLE, 0, 0, 0, 20, 1, 2048, 5, 30, 0, 0 },
};

static const struct iommusim_age_user server_users[] = {
	{ "kernel", KERNEL, NOWAIT, 0, 0, 20, 1, 1, 64, 1, 345600, 0, 10 },
	{ "page tables", KERNEL, NOWAIT, 0, 0, 5, 1, 4, 256, 60, 172800, 0, 0 },
	{ "slab", KERNEL, NOWAIT, 3, 0, 10, 2, 8, 512, 10, 86400, 0, 40 },
	{ "inodes", SLAB, SHRINKS, 2, 0, 20, 4, 4, 4096, 0, 0, 0, 0 },
	{ "network", KERNEL, NOWAIT, 3, 0, 10, 6, 8, 2048, 10, 600, 16, 5 },
	{ "huge pages", THP, MOVABLE, 9, 0, 150, 4, 512, 32768, 600, 172800, 60, 0 },
	{ "services", ANON, MOVABLE, 0, 0, 250, 8, 1024, 65536, 60, 172800, 60, 0 },
	{ "jobs", ANON, MOVABLE, 0, 0, 0, 8, 16, 4096, 10, 3600, 6, 0 },
	{ "files", CACHE, MOVABLE, 0, 0, 100, 14, 4, 65536, 0, 0, 0, 0 },
	{ "logs", DIRTY, MOVABLE, 0, 0, 0, 6, 1, 256, 5, 30, 0, 0 },
};

#define USERS(list) .users = list, .nr_users = sizeof(list) / sizeof((list)[0])

static const struct iommusim_age_profile profiles[] = {
	{ .name = "phone",
	  .summary = "apps that come and go, buffers, compressed swap",
	  .hours = 8,
	  .step = 1,
	  .low = 25,
	  .high = 40,
	  .swap = 300,
	  .compact_every = 120,
	  USERS(phone_users) },
	{ .name = "desktop",
	  .summary = "long-running programs, large files, huge pages",
	  .hours = 24,
	  .step = 2,
	  .low = 12,
	  .high = 25,
	  .swap = 250,
	  .compact_every = 300,
	  USERS(desktop_users) },
	{ .name = "server",
	  .summary = "services that stay, cache that fills the rest, huge pages",
	  .hours = 168,
	  .step = 10,
	  .low = 10,
	  .high = 15,
	  .swap = 50,
	  .compact_every = 7200,
	  USERS(server_users) },
};

const struct iommusim_age_profile *iommusim_age_profile_at(size_t index)
{
	return index < sizeof(profiles) / sizeof(profiles[0]) ? &profiles[index] : NULL;
}

const struct iommusim_age_profile *iommusim_age_profile_find(const char *name)
{
	const struct iommusim_age_profile *p;

	for (size_t i = 0; (p = iommusim_age_profile_at(i)) != NULL; i++)
		if (!strcmp(p->name, name))
			break;
	return p;
}
