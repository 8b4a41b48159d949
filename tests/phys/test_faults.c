/* SPDX-License-Identifier: MIT */
/* The n-th host allocation fails, for every n: an error, nothing changed, nothing leaked. */
#include "phys_test.h"

static const struct iommusim_zone_config zones[] = {
	{ .zone = IOMMUSIM_ZONE_DMA32, .start_pfn = 3, .nr_frames = 40 },
	{ .zone = IOMMUSIM_ZONE_NORMAL, .start_pfn = 64, .nr_frames = 64 },
};

static int create(struct iommusim_fault *fault, unsigned nothing_free, struct iommusim_phys **phys)
{
	struct iommusim_host host = iommusim_host_failing(fault);
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .nr_orders = 5,
		                               .pageblock_order = 3,
		                               .zones = zones,
		                               .nr_zones = 2,
		                               .nothing_free = nothing_free,
		                               .host = &host };

	return iommusim_phys_create(&config, phys);
}

static struct iommusim_phys *given(struct iommusim_fault *fault, unsigned nothing_free)
{
	struct iommusim_phys *phys = NULL;

	memset(fault, 0, sizeof(*fault));
	assert_ok(create(fault, nothing_free, &phys));
	return phys;
}

static void creation_fails_whole(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_phys *phys = NULL;

		err = create(&fault, 0, &phys);
		if (err) {
			assert_err(err, IOMMUSIM_EHOST);
			assert_null(phys);
		}
		iommusim_phys_destroy(phys);
		assert_int_equal(fault.nr_live, 0);
	}
}

static void a_fork_fails_whole(void **state)
{
	struct iommusim_fault fault;
	struct iommusim_phys *phys = given(&fault, 0), *copy = NULL;
	uint64_t live = fault.nr_live;
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		fault.fail_at = fault.nr_allocs + n;
		err = iommusim_phys_fork(phys, &copy);
		if (err) {
			assert_err(err, IOMMUSIM_EHOST);
			assert_int_equal(fault.nr_live, live);
		}
	}
	iommusim_phys_destroy(copy);
	iommusim_phys_destroy(phys);
	assert_int_equal(fault.nr_live, 0);
}

/* All lists as text: two machines with the same text are in the same state. */
static void describe(const struct iommusim_phys *phys, char *text, size_t bytes)
{
	size_t at = iommusim_phys_pagetypeinfo(phys, text, bytes);

	for (unsigned zone = 0; zone < iommusim_phys_nr_zones(phys); zone++)
		for (unsigned order = 0; order < 5; order++)
			for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
				struct iommusim_list_id id = { zone, order, type };
				iommusim_pfn pfns[64];
				int nr = iommusim_phys_list(phys, id, pfns, 64);

				for (int i = 0; i < nr; i++)
					at += (size_t)snprintf(text + at, bytes - at,
					                       "%u/%u/%u %u\n", zone, order, type,
					                       (unsigned)pfns[i]);
			}
	assert_true(at < bytes);
}

/* One operation of a fixed sequence; what it takes it keeps in @held. */
static int operate(struct iommusim_phys *phys, unsigned step, struct iommusim_page_block *held)
{
	static const struct iommusim_page_request requests[] = {
		{ .order = 0, .gfp = KERNEL }, { .order = 4, .gfp = MOVABLE },
		{ .order = 2, .gfp = KERNEL }, { .order = 1, .gfp = MOVABLE },
		{ .order = 3, .gfp = KERNEL }, { .order = 0, .gfp = MOVABLE },
	};
	unsigned nr = ARRAY_LEN(requests);

	if (step < nr)
		return iommusim_phys_alloc(phys, &requests[step], &held[step]);
	if (step < 2 * nr)
		return iommusim_phys_split(phys, held[step - nr].pfn, requests[step - nr].order);
	return iommusim_phys_free(phys, held[step - 2 * nr].pfn, 0);
}

static void every_call_changes_nothing_when_the_host_fails(void **state)
{
	static char before[16384], after[16384];
	struct iommusim_page_block held[6];
	struct iommusim_fault fault;
	struct iommusim_phys *phys = given(&fault, 0);
	unsigned nr_failed = 0;

	for (unsigned step = 0; step < 18; step++) {
		int err = -IOMMUSIM_EHOST;

		for (uint64_t n = 1; err; n++) {
			describe(phys, before, sizeof(before));
			fault.fail_at = fault.nr_allocs + n;
			err = operate(phys, step, held);
			if (!err)
				break;
			assert_err(err, IOMMUSIM_EHOST);
			describe(phys, after, sizeof(after));
			assert_string_equal(after, before);
			assert_ok(iommusim_phys_check(phys));
			nr_failed++;
		}
		fault.fail_at = 0;
		assert_ok(iommusim_phys_check(phys));
	}
	assert_true(nr_failed >= 2); /* blocks of the highest order were cut */
	iommusim_phys_destroy(phys);
	assert_int_equal(fault.nr_live, 0);
}

/* ---- With features ---- */

/* Lists of CPU 0, and all that the numbers say, behind the free lists. */
static void describe_all(const struct iommusim_phys *phys, char *text, size_t bytes)
{
	size_t at;

	describe(phys, text, bytes);
	at = strlen(text);
	for (unsigned zone = 0; zone < iommusim_phys_nr_zones(phys); zone++) {
		struct iommusim_pcp_id id = { .zone = zone };
		struct iommusim_pcp_state s;
		struct iommusim_zone_counters c;
		struct iommusim_zone_numbers n;

		assert_ok(iommusim_phys_pcp(phys, id, &s));
		assert_ok(iommusim_phys_counters(phys, zone, &c));
		assert_ok(iommusim_phys_numbers(phys, zone, &n));
		at += (size_t)snprintf(text + at, bytes - at, "%d %d %d %d %u %u %u %u\n",
		                       s.pending, s.count, s.high, s.free_count, s.factor, s.flags,
		                       c.flags, (unsigned)n.boost);
		for (; id.list < IOMMUSIM_PCP_LISTS; id.list++) {
			iommusim_pfn pfns[64];
			int nr = iommusim_phys_pcp_list(phys, id, pfns, 64);

			for (int i = 0; i < nr; i++)
				at += (size_t)snprintf(text + at, bytes - at, "%u: %u\n", id.list,
				                       (unsigned)pfns[i]);
		}
	}
	assert_true(at < bytes);
}

static int create_featured(struct iommusim_fault *fault, struct iommusim_phys **phys)
{
	struct iommusim_host host = iommusim_host_failing(fault);
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .nr_orders = 5,
		                               .pageblock_order = 3,
		                               .zones = zones,
		                               .nr_zones = 2,
		                               .min_free_kbytes = 16,
		                               .features = IOMMUSIM_PHYS_ALL,
		                               .nr_cpus = 2,
		                               .host = &host };

	return iommusim_phys_create(&config, phys);
}

static void a_machine_with_features_is_created_and_forked_whole(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_phys *phys = NULL, *copy = NULL;
		struct iommusim_page_request req = { .order = 1, .gfp = KERNEL };
		struct iommusim_page_block block;

		err = create_featured(&fault, &phys);
		if (!err)
			err = iommusim_phys_alloc(phys, &req, &block);
		if (!err)
			err = iommusim_phys_fork(phys, &copy);
		if (err)
			assert_err(err, IOMMUSIM_EHOST);
		iommusim_phys_destroy(phys);
		iommusim_phys_destroy(copy);
		assert_int_equal(fault.nr_live, 0);
	}
}

/* One operation of a fixed sequence. */
static int operate_featured(struct iommusim_phys *phys, unsigned step,
                            struct iommusim_page_block *held)
{
	static const struct iommusim_page_request requests[] = {
		{ .order = 0, .gfp = KERNEL },
		{ .order = 3, .gfp = MOVABLE },
		{ .order = 1, .gfp = KERNEL, .cpu = 1 },
		{ .order = 0, .gfp = MOVABLE },
		{ .order = 2, .gfp = IOMMUSIM_GFP_BIT_HIGH },
	};
	static iommusim_pfn pfns[8];
	static int nr_pfns;

	switch (step) {
	case 5:
		nr_pfns = iommusim_phys_alloc_bulk(
			phys, &(struct iommusim_page_request){ .gfp = KERNEL, .cpu = 1 }, pfns, 8);
		return nr_pfns < 0 ? nr_pfns : 0;
	case 6:
		return iommusim_phys_free_bulk(phys, pfns, (unsigned)nr_pfns, 0);
	case 7:
		return iommusim_phys_put_used(phys, held[1].pfn, 3, IOMMUSIM_PAGE_ANON);
	case 8:
		return iommusim_phys_put_used(phys, held[1].pfn + 1, 0, IOMMUSIM_PAGE_KERNEL);
	case 9:
		return iommusim_phys_put_pcp(phys,
		                             (struct iommusim_pcp_id){ held[1].zone == 2, 1, 1 },
		                             IOMMUSIM_MOVABLE, held[1].pfn + 1);
	case 10:
		return iommusim_phys_free_on(phys, held[0].pfn, 0, 1);
	case 11:
		return iommusim_phys_free(phys, held[3].pfn, 0);
	case 12:
		return iommusim_phys_free(phys, held[2].pfn, 1);
	default:
		return iommusim_phys_alloc(phys, &requests[step], &held[step]);
	}
}

static void calls_with_features_change_nothing_when_the_host_fails(void **state)
{
	static char before[32768], after[32768];
	struct iommusim_page_block held[5];
	struct iommusim_fault fault = { 0 };
	struct iommusim_phys *phys = NULL;
	unsigned nr_failed = 0;

	assert_ok(create_featured(&fault, &phys));
	for (unsigned step = 0; step < 13; step++) {
		int err = -IOMMUSIM_EHOST;

		for (uint64_t n = 1; err; n++) {
			describe_all(phys, before, sizeof(before));
			fault.fail_at = fault.nr_allocs + n;
			err = operate_featured(phys, step, held);
			if (!err)
				break;
			assert_err(err, IOMMUSIM_EHOST);
			describe_all(phys, after, sizeof(after));
			assert_string_equal(after, before);
			nr_failed++;
		}
		fault.fail_at = 0;
		assert_ok(iommusim_phys_check(phys));
	}
	assert_true(nr_failed >= 8); /* lists, leaves, spare leaves */
	iommusim_phys_destroy(phys);
	assert_int_equal(fault.nr_live, 0);
}

static void states_fail_and_the_machine_can_be_destroyed(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_random_state random = { 400, 500, 2, 1 };
		struct iommusim_fault fault;
		struct iommusim_phys *phys = given(&fault, 1);

		fault.fail_at = fault.nr_allocs + n;
		err = n % 2 ? iommusim_phys_pin(phys, 0, 2)
		            : iommusim_phys_randomize(phys, &random);
		if (err)
			assert_err(err, IOMMUSIM_EHOST);
		iommusim_phys_destroy(phys);
		assert_int_equal(fault.nr_live, 0);
	}
}

#define COUNTS "9*4kB (U) 9*8kB (U) 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB "

static const char buddies[] = "Node 0, zone DMA 9 9 9 9 9 9 9 9 9 9 1\n";
static const char zone_numbers[] =
	"Node 0, zone DMA\npages free 1\nmin 0\nlow 0\nhigh 0\nspanned 20001\npresent 19999\n"
	"managed 19000\nprotection: (0, 0, 0)\ncpu: 0\ncount: 1\nhigh: 1\nbatch: 1\n"
	"start_pfn: 1\n";
static const char splat[] =
	"x: page allocation failure: order:1, mode:0x1\nMem-Info:\n"
	"Node 0 DMA free:4kB min:0kB low:0kB high:0kB present:80000kB managed:70000kB\n"
	"lowmem_reserve[]: 0 0 0\nNode 0 DMA: " COUNTS "0*4096kB = 108kB\n";

/* 0, or what the reading or the rebuilding returned. */
static int rebuild(struct iommusim_fault *fault, const struct iommusim_snapshot_texts *texts)
{
	struct iommusim_host host = iommusim_host_failing(fault);
	struct iommusim_phys_config config = { .size = sizeof(config), .host = &host };
	struct iommusim_snapshot *snapshot = NULL;
	struct iommusim_phys *phys = NULL;
	int err = iommusim_snapshot_read(&host, texts, &snapshot);

	if (!err)
		err = iommusim_phys_create_snapshot(&config, snapshot, NULL, &phys);
	if (err)
		assert_null(phys);
	iommusim_snapshot_destroy(snapshot);
	iommusim_phys_destroy(phys);
	return err;
}

static void a_snapshot_fails_whole(void **state)
{
	struct iommusim_text b = { "buddyinfo", buddies, sizeof(buddies) - 1 };
	struct iommusim_text z = { "zoneinfo", zone_numbers, sizeof(zone_numbers) - 1 };
	struct iommusim_text s = { "splat", splat, sizeof(splat) - 1 };
	struct iommusim_snapshot_texts texts[] = {
		{ .size = sizeof(*texts), .buddyinfo = &b },
		{ .size = sizeof(*texts), .buddyinfo = &b, .zoneinfo = &z },
		{ .size = sizeof(*texts), .splat = &s },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int err = -IOMMUSIM_EHOST;

		for (uint64_t n = 1; err; n++) {
			struct iommusim_fault fault = { .fail_at = n };

			err = rebuild(&fault, &texts[i]);
			if (err)
				assert_err(err, IOMMUSIM_EHOST);
			assert_int_equal(fault.nr_live, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation_fails_whole),
		cmocka_unit_test(a_fork_fails_whole),
		cmocka_unit_test(every_call_changes_nothing_when_the_host_fails),
		cmocka_unit_test(a_machine_with_features_is_created_and_forked_whole),
		cmocka_unit_test(calls_with_features_change_nothing_when_the_host_fails),
		cmocka_unit_test(states_fail_and_the_machine_can_be_destroyed),
		cmocka_unit_test(a_snapshot_fails_whole),
	};

	return RUN_TESTS(tests);
}
