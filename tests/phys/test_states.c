/* SPDX-License-Identifier: MIT */
/* Fresh, pinned and random memory, and how little a large fresh machine costs. */
#include "phys_test.h"

static struct iommusim_phys *given_nothing_free(uint64_t start, uint64_t frames)
{
	return given_zone((struct iommusim_phys_config){ .nothing_free = 1 }, start, frames);
}

static void pinning_every_second_page_leaves_single_pages_only(void **state)
{
	struct iommusim_phys *phys = given_nothing_free(0, 4096);

	assert_int_equal(iommusim_phys_nr_free(phys), 0);
	assert_ok(iommusim_phys_check(phys));
	assert_ok(iommusim_phys_pin(phys, 0, 2));
	assert_int_equal(iommusim_phys_nr_free(phys), 2048);
	assert_int_equal(iommusim_phys_nr_free_blocks(phys, 0), 2048);
	assert_int_equal(take(phys, 0, MOVABLE), 1);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static const struct pin_row {
	const char *name;
	unsigned order;
	uint64_t stride;
	uint64_t nr_blocks[11]; /* free, of 4096 frames */
} pin_rows[] = {
	{ "every block of order 4: one block of each smaller order is left of it",
	  4,
	  1,
	  { 256, 256, 256, 256 } },
	{ "every second one: its neighbours stay whole", 4, 2, { 128, 128, 128, 128, 128 } },
	{ "every eighth one: the seven between merge", 4, 8, { 32, 32, 32, 32, 32, 32, 32 } },
	{ "a stride beyond the zone: the first frame only",
	  10,
	  100,
	  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3 } },
};

static void pins_the_wanted_blocks(void **state)
{
	const struct pin_row *r = *state;
	struct iommusim_phys *phys = given_nothing_free(0, 4096);

	assert_ok(iommusim_phys_pin(phys, r->order, r->stride));
	for (unsigned order = 0; order < 11; order++)
		assert_int_equal(iommusim_phys_nr_free_blocks(phys, order), r->nr_blocks[order]);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void pins_count_from_frame_zero_wherever_the_zone_starts(void **state)
{
	struct iommusim_phys *phys = given_nothing_free(1001, 3000);

	assert_ok(iommusim_phys_pin(phys, 3, 2));
	assert_ok(iommusim_phys_check(phys));
	assert_int_equal(iommusim_phys_nr_free(phys), 3000 - 188); /* 1008, 1024 .. 4000 */
	assert_err(iommusim_phys_free(phys, 1008, 1), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_free(phys, 1008, 0)); /* a held page is a page in use like any */
	iommusim_phys_destroy(phys);
}

static void states_need_a_machine_with_nothing_free(void **state)
{
	struct iommusim_random_state random = { .free_permille = 500, .order = 4, .seed = 1 };
	struct iommusim_phys *phys = given_zone((struct iommusim_phys_config){ 0 }, 0, 4096);

	assert_err(iommusim_phys_pin(phys, 0, 2), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_randomize(phys, &random), IOMMUSIM_EINVAL);
	iommusim_phys_destroy(phys);
	phys = given_nothing_free(0, 4096);
	assert_err(iommusim_phys_pin(phys, 11, 2), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_pin(phys, 0, 0), IOMMUSIM_EINVAL);
	random.order = 11;
	assert_err(iommusim_phys_randomize(phys, &random), IOMMUSIM_EINVAL);
	random = (struct iommusim_random_state){ .free_permille = 1001 };
	assert_err(iommusim_phys_randomize(phys, &random), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_pin(phys, 0, 1)); /* nothing is free, but everything is held */
	assert_err(iommusim_phys_pin(phys, 4, 2), IOMMUSIM_EINVAL);
	random = (struct iommusim_random_state){ .free_permille = 500, .order = 9 };
	assert_err(iommusim_phys_randomize(phys, &random), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* Whole blocks of 2^order frames cannot meet a share better than to half a block. */
static void assert_shares(const struct iommusim_random_state *random, uint64_t start)
{
	struct iommusim_phys *phys = given_nothing_free(start, 1 << 16);
	struct iommusim_zone_info info;
	int of_all, of_free;

	assert_ok(iommusim_phys_randomize(phys, random));
	assert_ok(iommusim_phys_check(phys));
	assert_ok(iommusim_phys_zone(phys, 0, &info));
	of_all = (int)((500u << random->order) / info.nr_frames) + 1;
	of_free = (int)((500u << random->order) / info.nr_free) + 1;
	assert_true(abs((int)(info.nr_free * 1000 / info.nr_frames) - (int)random->free_permille) <=
	            of_all);
	assert_true(abs(iommusim_zone_unusable(&info, random->order) -
	                (int)random->unusable_permille) <= of_free);
	iommusim_phys_destroy(phys);
}

static void random_memory_has_the_wanted_shares(void **state)
{
	for (unsigned free = 100; free <= 500; free += 100)
		for (unsigned unusable = 0; unusable <= 1000; unusable += 100)
			for (unsigned order = 1; order <= 10; order++) {
				struct iommusim_random_state random = { free, unusable, order,
					                                free + unusable };

				if (order > 1 || unusable <= 500)
					assert_shares(&random, unusable * 7);
			}
}

static void the_seed_decides_alone(void **state)
{
	struct iommusim_random_state random = { 300, 800, 9, 42 };
	char a[256], b[256], c[256];
	char *texts[] = { a, b, c };

	for (unsigned i = 0; i < 3; i++) {
		struct iommusim_phys *phys = given_nothing_free(0, 1 << 16);

		random.seed = i < 2 ? 42 : 43;
		assert_ok(iommusim_phys_randomize(phys, &random));
		assert_true(iommusim_phys_buddyinfo(phys, texts[i], sizeof(a)) < sizeof(a));
		iommusim_phys_destroy(phys);
	}
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	/* The same numbers on every host: */
	assert_string_equal(a, "Node 0, zone   Normal   3380   1570    751    343    124     29  "
	                       "    2      2      0      8      0 \n");
}

static void impossible_shares_are_refused(void **state)
{
	static const struct iommusim_random_state impossible[] = {
		{ 300, 1, 0, 1 },    /* nothing is unusable at order 0 */
		{ 1000, 500, 9, 1 }, /* all free, yet half of it in pieces */
	};

	for (size_t i = 0; i < ARRAY_LEN(impossible); i++) {
		struct iommusim_phys *phys = given_nothing_free(0, 4096);

		assert_err(iommusim_phys_randomize(phys, &impossible[i]), IOMMUSIM_EINVAL);
		iommusim_phys_destroy(phys);
	}
}

/* Bytes handed out by the host. */
struct meter {
	uint64_t bytes;
};

static void *metered_zalloc(void *ctx, size_t bytes)
{
	((struct meter *)ctx)->bytes += bytes;
	return calloc(1, bytes);
}

static void metered_free(void *ctx, void *ptr)
{
	free(ptr);
}

static struct iommusim_phys *given_metered(struct meter *meter, uint64_t frames)
{
	struct iommusim_host host = { .size = sizeof(host),
		                      .zalloc = metered_zalloc,
		                      .free = metered_free,
		                      .memory_ctx = meter };

	return given_zone((struct iommusim_phys_config){ .host = &host }, 0, frames);
}

static void a_fresh_tebibyte_costs_less_than_8_mebibytes(void **state)
{
	struct meter meter = { 0 };
	struct iommusim_phys *phys = given_metered(&meter, UINT64_C(1) << 28);

	assert_in_range(meter.bytes, 1, 8 << 20);
	assert_int_equal(take(phys, 10, KERNEL), 0);
	assert_int_equal(take(phys, 0, KERNEL), 1024);
	assert_in_range(meter.bytes, 1, 8 << 20);
	iommusim_phys_destroy(phys);
}

static void fragmented_memory_costs_at_most_10_bytes_a_page(void **state)
{
	struct meter meter = { 0 };
	struct iommusim_phys *phys = given_metered(&meter, 1 << 16);

	for (unsigned i = 0; i < 1 << 16; i++)
		take(phys, 0, KERNEL);
	for (iommusim_pfn pfn = 1; pfn < 1 << 16; pfn += 2)
		assert_ok(iommusim_phys_free(phys, pfn, 0));
	assert_in_range(meter.bytes, 1, 10 << 16);
	print_message("# %u hundredths of a byte per page\n", (unsigned)(meter.bytes * 100 >> 16));
	iommusim_phys_destroy(phys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pinning_every_second_page_leaves_single_pages_only),
		TEST_ROW(pins_the_wanted_blocks, &pin_rows[0]),
		TEST_ROW(pins_the_wanted_blocks, &pin_rows[1]),
		TEST_ROW(pins_the_wanted_blocks, &pin_rows[2]),
		TEST_ROW(pins_the_wanted_blocks, &pin_rows[3]),
		cmocka_unit_test(pins_count_from_frame_zero_wherever_the_zone_starts),
		cmocka_unit_test(states_need_a_machine_with_nothing_free),
		cmocka_unit_test(random_memory_has_the_wanted_shares),
		cmocka_unit_test(the_seed_decides_alone),
		cmocka_unit_test(impossible_shares_are_refused),
		cmocka_unit_test(a_fresh_tebibyte_costs_less_than_8_mebibytes),
		cmocka_unit_test(fragmented_memory_costs_at_most_10_bytes_a_page),
	};

	return RUN_TESTS(tests);
}
