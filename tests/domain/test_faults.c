/* SPDX-License-Identifier: MIT */
/* A host without memory: whatever is created or asked for is there whole, or not at all. */
#include "domain_test.h"

static void a_config_of_size_0_makes_no_recorder(void **state)
{
	struct iommusim_recorder_config config = { .size = 0 };
	struct iommusim_recorder *recorder = NULL;

	assert_err(iommusim_recorder_create(&config, &recorder), IOMMUSIM_EINVAL);
	assert_null(recorder);
	iommusim_recorder_destroy(recorder);
}

static void creation_fails_whole(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct rig rig;

		err = try_set_up(&rig, (struct setup){ .pgsizes = SZ_4K, .fail_alloc = n });
		if (err) {
			assert_err(err, IOMMUSIM_EHOST);
			assert_null(rig.domain);
			assert_int_equal(rig.nr_logged, 1);
		}
		tear_down(&rig);
	}
}

static void a_fork_fails_whole(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct rig rig, copy = { .nr_seen = 0 };
		uint64_t live;

		set_up(&rig, (struct setup){ .pgsizes = SZ_4K });
		assert_ok(map(&rig, 0x8000, 0x28000, 0x8000));
		live = rig.fault.nr_live;
		rig.fault.fail_at = rig.fault.nr_allocs + n;
		err = fork_both(&rig, &copy.recorder, &copy.domain);
		if (err) {
			assert_err(err, IOMMUSIM_EHOST);
			assert_null(copy.domain);
		}
		iommusim_domain_destroy(copy.domain);
		iommusim_recorder_destroy(copy.recorder);
		assert_int_equal(rig.fault.nr_live, live);
		tear_down(&rig);
	}
}

/* Is the request a map? The others cut a page out of the middle of the large range. */
static int is_map(unsigned i)
{
	return i % 5 == 0;
}

static int request(struct rig *rig, unsigned i)
{
	struct iommusim_sg sg[] = { { 0x1000, 0x3000 }, { 0x9000, 0x3000 } };
	struct iommusim_map_list list = { i * 0x10000, sg, 2, RW, 0 };
	uint64_t done;

	if (is_map(i))
		return iommusim_domain_map_sg(rig->domain, &list, &done);
	if (iommusim_domain_unmap(rig->domain, SZ_1G + (2 * i + 1) * SZ_4K, SZ_4K))
		return 0;
	assert_non_null(strstr(rig->logged, "the host has no memory"));
	return -IOMMUSIM_EHOST;
}

static void requests_change_nothing_when_the_host_fails(void **state)
{
	static struct text before;
	unsigned nr_failed[2] = { 0, 0 };
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = SZ_4K });
	assert_ok(map(&rig, SZ_1G, SZ_1G, SZ_1M));
	for (unsigned i = 0; i < 40; i++) {
		int err = -IOMMUSIM_EHOST;

		for (uint64_t n = 1; err; n++) {
			say_mapped(&before, rig.recorder);
			rig.fault.fail_at = rig.fault.nr_allocs + n;
			err = request(&rig, i);
			wipe(&rig.told);
			if (!err)
				break;
			assert_err(err, IOMMUSIM_EHOST);
			assert_mapped(&rig, before.s);
			nr_failed[is_map(i)]++;
		}
		rig.fault.fail_at = 0;
		wipe(&rig.told);
	}
	assert_true(nr_failed[0] && nr_failed[1]);
	tear_down(&rig);
}

/* What is unmapped from its start is unmapped, remembered or not. */
static void an_unmap_needs_no_memory(void **state)
{
	struct rig rig;
	size_t nr;

	set_up(&rig, (struct setup){ .pgsizes = SZ_4K });
	assert_ok(map(&rig, 0, SZ_1G, 64 * SZ_4K));
	for (unsigned i = 0; i < 64; i++) {
		rig.fault.fail_at = rig.fault.nr_allocs + 1;
		assert_int_equal(iommusim_domain_unmap(rig.domain, i * SZ_4K, SZ_4K), SZ_4K);
		wipe(&rig.told);
	}
	rig.fault.fail_at = 0;
	assert_mapped(&rig, "");
	iommusim_recorder_calls(rig.recorder, &nr);
	assert_true(nr < 65);
	assert_non_null(strstr(rig.logged, "not remembered"));
	tear_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unmap_needs_no_memory),
		cmocka_unit_test(a_config_of_size_0_makes_no_recorder),
		cmocka_unit_test(creation_fails_whole),
		cmocka_unit_test(a_fork_fails_whole),
		cmocka_unit_test(requests_change_nothing_when_the_host_fails),
	};

	return RUN_TESTS(tests);
}
