/* SPDX-License-Identifier: MIT */
/* The chunk loops of two releases on fresh and on fragmented memory: 4 MiB, per request. */
#include "bench.h"

#define FRAMES_4G   (UINT64_C(1) << 20)
#define NR_REQUESTS 64u

struct world {
	struct iommusim_phys *phys;
	struct iommusim_page_source source;
	const struct iommusim_policy *policy;
	uint64_t nr_attempts;
};

/* With every second page held, or with all free. */
static void create(struct world *world, int is_fragmented)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = 1 << 20,
		                             .nr_frames = FRAMES_4G };
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .zones = &zone,
		                               .nr_zones = 1,
		                               .nothing_free = is_fragmented != 0 };

	must(iommusim_phys_create(&config, &world->phys), "create");
	if (is_fragmented)
		must(iommusim_phys_pin(world->phys, 0, 2), "pin");
	world->source = iommusim_phys_source(world->phys);
}

static void requests(void *ctx)
{
	struct world *world = ctx;
	struct iommusim_chunk_job job = { .policy = world->policy,
		                          .req = { .size = 4 << 20,
		                                   .pgsizes = 0x40201000,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = IOMMUSIM_GFP_KERNEL,
		                                   .node = -1 },
		                          .source = &world->source };

	for (unsigned i = 0; i < NR_REQUESTS; i++) {
		struct iommusim_chunks chunks;

		must(iommusim_chunk_alloc(&job, &chunks), "chunks");
		world->nr_attempts = chunks.nr_attempts;
		must(iommusim_chunk_free(&chunks, &world->source), "free");
		iommusim_chunks_finish(&chunks);
	}
}

static void time_policy(const char *alias, int is_fragmented)
{
	struct world world = { .policy = iommusim_policy_find(alias) };
	char name[80];

	create(&world, is_fragmented);
	snprintf(name, sizeof(name), "4 MiB by %s, %s memory", world.policy->name,
	         is_fragmented ? "fragmented" : "fresh");
	bench(&(struct bench){ name, NR_REQUESTS, NULL, requests, &world });
	figure("attempts of that", "attempts", (double)world.nr_attempts);
	iommusim_phys_destroy(world.phys);
}

int main(void)
{
	static const char *const policies[] = { "P1", "P2", "P5" };

	for (unsigned i = 0; i < 3; i++) {
		time_policy(policies[i], 0);
		time_policy(policies[i], 1);
	}
	return 0;
}
