/* SPDX-License-Identifier: MIT */
/* A machine of 4 GiB that is aged, copied, compacted and reclaimed. */
#include "bench.h"

#define FRAMES_4G (UINT64_C(1) << 20)

struct world {
	struct iommusim_phys *phys, *copy;
	const struct iommusim_age_profile *profile;
	uint64_t nr_scanned, nr_taken;
};

static void create(void *ctx)
{
	struct world *world = ctx;
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = 1 << 20,
		                             .nr_frames = FRAMES_4G };
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .zones = &zone,
		                               .nr_zones = 1 };

	iommusim_phys_destroy(world->phys);
	must(iommusim_phys_create(&config, &world->phys), "create");
}

static void age(void *ctx)
{
	struct world *world = ctx;
	struct iommusim_age how = { .size = sizeof(how), .profile = world->profile, .seed = 1 };

	must(iommusim_phys_age(world->phys, &how), "age");
}

static void forget_copy(void *ctx)
{
	struct world *world = ctx;

	iommusim_phys_destroy(world->copy);
	world->copy = NULL;
}

static void copy(void *ctx)
{
	struct world *world = ctx;

	must(iommusim_phys_fork(world->phys, &world->copy), "fork");
}

static void copy_anew(void *ctx)
{
	forget_copy(ctx);
	copy(ctx);
}

static void compact(void *ctx)
{
	struct world *world = ctx;
	struct iommusim_compact_counts counts;

	must(iommusim_phys_compact(world->copy, &counts), "compact");
	world->nr_scanned = counts.nr_scanned;
}

static void reclaim(void *ctx)
{
	struct world *world = ctx;
	struct iommusim_reclaim_counts counts;

	must(iommusim_phys_reclaim(world->copy, 0, FRAMES_4G / 4, &counts), "reclaim");
	world->nr_taken =
		counts.nr_clean + counts.nr_written + counts.nr_swapped + counts.nr_shrunk;
}

int main(void)
{
	struct world world = { .phys = NULL };

	for (size_t i = 0; (world.profile = iommusim_age_profile_at(i)) != NULL; i++) {
		char name[64];

		snprintf(name, sizeof(name), "age 4 GiB as a %s", world.profile->name);
		bench(&(struct bench){ name, 1, create, age, &world });
	}
	bench(&(struct bench){ "fork of an aged 4 GiB", 1, forget_copy, copy, &world });
	copy_anew(&world); /* once, for the number of blocks that it looks at, or takes */
	compact(&world);
	bench(&(struct bench){ "compact all, per block looked at", world.nr_scanned, copy_anew,
	                       compact, &world });
	copy_anew(&world);
	reclaim(&world);
	bench(&(struct bench){ "reclaim a quarter, per page", world.nr_taken, copy_anew, reclaim,
	                       &world });
	forget_copy(&world);
	iommusim_phys_destroy(world.phys);
	return 0;
}
