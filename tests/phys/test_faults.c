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

static void a_snapshot_fails_whole(void **state)
{
	static const char text[] = "Node 0, zone DMA 9 9 9 9 9 9 9 9 9 9 1\n";
	struct iommusim_text buddy = { "buddyinfo", text, sizeof(text) - 1 };
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_phys_config config = { .size = sizeof(config), .host = &host };
		struct iommusim_snapshot *snapshot = NULL;
		struct iommusim_phys *phys = NULL;

		err = iommusim_snapshot_parse(&host, &buddy, NULL, &snapshot);
		if (!err)
			err = iommusim_phys_create_snapshot(&config, snapshot, NULL, &phys);
		if (err) {
			assert_err(err, IOMMUSIM_EHOST);
			assert_null(phys);
		}
		iommusim_snapshot_destroy(snapshot);
		iommusim_phys_destroy(phys);
		assert_int_equal(fault.nr_live, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation_fails_whole),
		cmocka_unit_test(a_fork_fails_whole),
		cmocka_unit_test(every_call_changes_nothing_when_the_host_fails),
		cmocka_unit_test(states_fail_and_the_machine_can_be_destroyed),
		cmocka_unit_test(a_snapshot_fails_whole),
	};

	return RUN_TESTS(tests);
}
