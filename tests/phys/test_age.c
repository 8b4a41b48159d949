/* SPDX-License-Identifier: MIT */
/*
 * Ageing: the same seed gives the same memory on every host, nothing is lost, and the figures in
 * the header are those of a machine of 4 GiB. With an argument that machine is aged as well.
 */
#include "phys_test.h"

#include "base/rng.h"
#include "phys/zone.h"

#define FRAMES_64M 16384u
#define FRAMES_4G  1048576u

static struct iommusim_age age_of(const char *name, unsigned hours, uint64_t seed)
{
	struct iommusim_age age = { .size = sizeof(age), .hours = hours, .seed = seed };

	age.profile = iommusim_age_profile_find(name);
	assert_non_null(age.profile);
	return age;
}

static struct iommusim_phys *given_aged(const char *name, uint64_t nr_frames, unsigned hours,
                                        uint64_t seed)
{
	struct iommusim_phys_config config = { .nr_zones = 0 };
	struct iommusim_phys *phys = given_zone(config, UINT64_C(1) << 20, nr_frames);
	struct iommusim_age age = age_of(name, hours, seed);

	assert_ok(iommusim_phys_age(phys, &age));
	return phys;
}

static void mix(uint64_t *hash, uint64_t value)
{
	struct isim_rng rng = isim_rng_seed(*hash ^ value);

	*hash = isim_rng_next(&rng);
}

/* One number for all of it: every list in its order, every frame's kind, every pageblock's type. */
static uint64_t hash_of(const struct iommusim_phys *phys)
{
	const struct isim_zone *zone = &phys->zone[0];
	uint64_t hash = 0;

	for (unsigned order = 0; order <= zone->top_order; order++)
		for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
			for (uint32_t at = zone->head[order][type]; at != ISIM_NIL;
			     at = isim_list_next(zone, at, order))
				mix(&hash, at);
	for (uint64_t pfn = zone->config.start_pfn;
	     pfn < zone->config.start_pfn + zone->config.nr_frames; pfn++) {
		mix(&hash, (uint64_t)iommusim_phys_kind(phys, pfn, NULL) & 0xff);
		if (!(pfn % 512))
			mix(&hash, (uint64_t)iommusim_phys_pageblock_type(phys, pfn));
	}
	return hash;
}

static void a_seed_means_the_same_on_every_host(void **state)
{
	static const struct {
		const char *name;
		uint64_t hash;
	} rows[] = {
		{ "phone", UINT64_C(0x06804b241a16d70a) },
		{ "desktop", UINT64_C(0xce88021d61da345c) },
		{ "server", UINT64_C(0xd54842184e9583df) },
	};

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		struct iommusim_phys *phys = given_aged(rows[i].name, FRAMES_64M, 2, 1);
		struct iommusim_phys *other = given_aged(rows[i].name, FRAMES_64M, 2, 2);

		assert_int_equal(hash_of(phys), rows[i].hash);
		assert_int_not_equal(hash_of(other), rows[i].hash);
		iommusim_phys_destroy(phys);
		iommusim_phys_destroy(other);
	}
}

static void no_frame_is_lost(void **state)
{
	static const char *const names[] = { "phone", "desktop", "server" };

	for (unsigned i = 0; i < 3; i++) {
		struct iommusim_phys *phys = given_aged(names[i], 20000, 3, 7);
		struct iommusim_usage usage;
		uint64_t nr = iommusim_phys_nr_free(phys);

		assert_ok(iommusim_phys_usage(phys, 0, &usage));
		for (unsigned kind = 0; kind < IOMMUSIM_NR_PAGE_KINDS; kind++) {
			nr += usage.population[kind];
			assert_int_equal(usage.callers[kind], 0);
		}
		assert_int_equal(nr, 20000);
		if (iommusim_phys_check(phys))
			fail_msg("%s", iommusim_phys_error(phys));
		iommusim_phys_destroy(phys);
	}
}

/* A machine that was used for a while is fragmented, and some of its pageblocks changed type. */
static void memory_looks_used(void **state)
{
	static const char *const names[] = { "phone", "desktop", "server" };

	for (unsigned i = 0; i < 3; i++) {
		struct iommusim_phys *phys = given_aged(names[i], FRAMES_64M, 0, 1);
		struct iommusim_zone_info info;

		assert_ok(iommusim_phys_zone(phys, 0, &info));
		assert_in_range(info.nr_free, FRAMES_64M / 200, FRAMES_64M / 5);
		assert_true(iommusim_zone_unusable(&info, 9) > 500);
		assert_true(iommusim_zone_unusable(&info, 4) > 50);
		assert_in_range(info.nr_pageblocks[IOMMUSIM_UNMOVABLE], 1, 12);
		assert_in_range(info.nr_pageblocks[IOMMUSIM_MOVABLE], 16, 30);
		assert_true(info.nr_pageblocks[IOMMUSIM_RECLAIMABLE] >= 1);
		if (i < 2) /* processes that end leave room for others */
			assert_in_range(iommusim_phys_swap_left(phys), FRAMES_64M / 50,
			                FRAMES_64M / 4);
		iommusim_phys_destroy(phys);
	}
}

/* Ages on a machine that a caller already has pages of: those stay what and where they are. */
static void a_callers_blocks_stay(void **state)
{
	struct iommusim_phys_config config = { .nr_zones = 0 };
	struct iommusim_phys *phys = given_zone(config, 0, FRAMES_64M);
	struct iommusim_age age = age_of("phone", 1, 1);
	iommusim_pfn pfn[50];
	struct iommusim_usage usage;

	for (unsigned i = 0; i < 50; i++)
		pfn[i] = take(phys, i % 4, MOVABLE);
	assert_ok(iommusim_phys_age(phys, &age));
	assert_ok(iommusim_phys_usage(phys, 0, &usage));
	assert_int_equal(usage.callers[IOMMUSIM_PAGE_ANON], 12 * 15 + 3);
	for (unsigned i = 0; i < 50; i++)
		assert_ok(iommusim_phys_free(phys, pfn[i], i % 4));
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* What was built is there to be moved and taken afterwards, and to be aged again. */
static void life_goes_on(void **state)
{
	struct iommusim_phys *phys = given_aged("desktop", FRAMES_64M, 2, 1);
	struct iommusim_zone_info before, after;
	struct iommusim_age age = age_of("server", 1, 1);
	struct iommusim_reclaim_counts counts;

	assert_ok(iommusim_phys_reclaim(phys, 0, FRAMES_64M / 4, &counts));
	assert_true(counts.nr_clean && counts.nr_written && counts.nr_swapped && counts.nr_shrunk);
	assert_ok(iommusim_phys_zone(phys, 0, &before));
	assert_ok(iommusim_phys_compact(phys, NULL));
	assert_ok(iommusim_phys_zone(phys, 0, &after));
	assert_int_equal(after.nr_free, before.nr_free);
	for (unsigned order = 2; order < 9; order++)
		assert_true(iommusim_zone_unusable(&after, order) <
		            iommusim_zone_unusable(&before, order));
	assert_ok(iommusim_phys_age(phys, &age));
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void a_fork_goes_on_alike(void **state)
{
	struct iommusim_phys *phys = given_aged("desktop", FRAMES_64M, 2, 1), *copy;
	uint64_t hash = hash_of(phys);

	assert_ok(iommusim_phys_fork(phys, &copy));
	assert_int_equal(hash_of(copy), hash);
	assert_ok(iommusim_phys_reclaim(copy, 0, 1000, NULL));
	assert_ok(iommusim_phys_compact(copy, NULL));
	assert_int_equal(hash_of(phys), hash);
	assert_ok(iommusim_phys_reclaim(phys, 0, 1000, NULL));
	assert_ok(iommusim_phys_compact(phys, NULL));
	assert_int_equal(hash_of(phys), hash_of(copy));
	assert_int_not_equal(hash_of(phys), hash);
	iommusim_phys_destroy(copy);
	iommusim_phys_destroy(phys);
}

static void two_zones_age_together(void **state)
{
	static const struct iommusim_zone_config zones[] = {
		{ .zone = IOMMUSIM_ZONE_DMA32, .start_pfn = 5000, .nr_frames = 8000 },
		{ .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 20001, .nr_frames = 9000 },
	};
	static const unsigned kernels[] = { IOMMUSIM_KERNEL(6, 1), IOMMUSIM_KERNEL(6, 12) };

	for (unsigned i = 0; i < 2; i++) {
		struct iommusim_phys_config config = {
			.size = sizeof(config), .kernel = kernels[i], .zones = zones, .nr_zones = 2
		};
		struct iommusim_age age = age_of("phone", 1, 1);
		struct iommusim_usage usage;
		struct iommusim_phys *phys;

		assert_ok(iommusim_phys_create(&config, &phys));
		assert_ok(iommusim_phys_age(phys, &age));
		assert_ok(iommusim_phys_check(phys));
		for (unsigned zone = 0; zone < 2; zone++) {
			assert_ok(iommusim_phys_usage(phys, zone, &usage));
			assert_true(usage.population[IOMMUSIM_PAGE_CACHE] > 1000);
		}
		iommusim_phys_destroy(phys);
	}
}

static void count(void *ctx, const struct iommusim_event *event)
{
	++*(unsigned *)ctx;
}

static void it_is_not_told(void **state)
{
	unsigned nr_told = 0;
	struct iommusim_host host = { .size = sizeof(host), .event = count, .event_ctx = &nr_told };
	struct iommusim_phys_config config = { .host = &host };
	struct iommusim_phys *phys = given_zone(config, 0, 4096);
	struct iommusim_age age = age_of("phone", 1, 1);

	assert_ok(iommusim_phys_age(phys, &age));
	assert_int_equal(nr_told, 0);
	assert_ok(iommusim_phys_compact(phys, NULL));
	assert_int_equal(nr_told, 1);
	iommusim_phys_destroy(phys);
}

static void bad_input_is_refused(void **state)
{
	struct iommusim_phys_config config = { .nr_zones = 0 };
	struct iommusim_phys *phys = given_zone(config, 0, 1024);
	struct iommusim_age_profile profile = *iommusim_age_profile_at(0);
	struct iommusim_age age = age_of("phone", 0, 1);

	assert_null(iommusim_age_profile_find("fridge"));
	assert_null(iommusim_age_profile_at(3));
	age.hours = 10001;
	assert_err(iommusim_phys_age(phys, &age), IOMMUSIM_EINVAL);
	age.hours = 0;
	age.profile = NULL;
	assert_err(iommusim_phys_age(phys, &age), IOMMUSIM_EINVAL);
	age.profile = &profile;
	profile.nr_users = 17;
	assert_err(iommusim_phys_age(phys, &age), IOMMUSIM_EINVAL);
	profile = *iommusim_age_profile_at(0);
	profile.step = 0;
	assert_err(iommusim_phys_age(phys, &age), IOMMUSIM_EINVAL);
	profile = *iommusim_age_profile_at(0);
	profile.low = profile.high + 1;
	assert_err(iommusim_phys_age(phys, &age), IOMMUSIM_EINVAL);
	assert_int_equal(iommusim_phys_nr_free(phys), 1024);
	iommusim_phys_destroy(phys);
	config.nothing_free = 1;
	phys = given_zone(config, 0, 1024);
	profile = *iommusim_age_profile_at(0);
	assert_err(iommusim_phys_age(phys, &age), IOMMUSIM_EINVAL);
	iommusim_phys_destroy(phys);
}

/* The machine is sound after each failure, only not aged to the end; nothing leaks. */
static void the_hosts_failure_leaves_a_sound_machine(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = 0 };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_phys_config config = { .host = &host };
		struct iommusim_phys *phys = given_zone(config, 0, 4096);
		struct iommusim_age age = age_of("phone", 1, 1);

		fault.fail_at = fault.nr_allocs + n;
		err = iommusim_phys_age(phys, &age);
		assert_err(err, err ? IOMMUSIM_EHOST : 0);
		assert_ok(iommusim_phys_check(phys));
		iommusim_phys_destroy(phys);
		assert_int_equal(fault.nr_live, 0);
		if (!err)
			assert_true(n > 5);
	}
}

/* ---- The header's table ---- */

static const struct figures {
	const char *name;
	unsigned unusable[11];  /* by order, in thousandths */
	unsigned pageblocks[3]; /* Unmovable, Movable, Reclaimable, of 2048 */
	unsigned free_permille;
} figures[] = {
	{ "phone", { 0, 10, 103, 308, 538, 721, 827, 959, 965, 976, 1000 }, { 262, 1691, 95 }, 42 },
	{ "desktop",
	  { 0, 3, 49, 284, 427, 708, 810, 824, 824, 833, 1000 },
	  { 205, 1706, 137 },
	  26 },
	{ "server",
	  { 0, 5, 76, 177, 406, 867, 995, 1000, 1000, 1000, 1000 },
	  { 185, 1710, 153 },
	  15 },
};

static void the_headers_figures_are_those_of_4_gib(void **state)
{
	const struct figures *f = *state;
	struct iommusim_phys *phys = given_aged(f->name, FRAMES_4G, 0, 1);
	struct iommusim_zone_info info;

	assert_ok(iommusim_phys_zone(phys, 0, &info));
	for (unsigned order = 0; order < 11; order++)
		assert_int_equal(iommusim_zone_unusable(&info, order), f->unusable[order]);
	for (unsigned type = 0; type < 3; type++)
		assert_int_equal(info.nr_pageblocks[type], f->pageblocks[type]);
	assert_int_equal(info.nr_free * 1000 / FRAMES_4G, f->free_permille);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest quick[] = {
		cmocka_unit_test(a_seed_means_the_same_on_every_host),
		cmocka_unit_test(no_frame_is_lost),
		cmocka_unit_test(memory_looks_used),
		cmocka_unit_test(a_callers_blocks_stay),
		cmocka_unit_test(life_goes_on),
		cmocka_unit_test(a_fork_goes_on_alike),
		cmocka_unit_test(two_zones_age_together),
		cmocka_unit_test(it_is_not_told),
		cmocka_unit_test(bad_input_is_refused),
		cmocka_unit_test(the_hosts_failure_leaves_a_sound_machine),
	};
	const struct CMUnitTest slow[] = {
		TEST_ROW(the_headers_figures_are_those_of_4_gib, &figures[0]),
		TEST_ROW(the_headers_figures_are_those_of_4_gib, &figures[1]),
		TEST_ROW(the_headers_figures_are_those_of_4_gib, &figures[2]),
	};

	(void)argv;
	return argc > 1 ? RUN_TESTS(slow) : RUN_TESTS(quick);
}
