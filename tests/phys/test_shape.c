/* SPDX-License-Identifier: MIT */
/* What a config comes to: orders by page size, generation by kernel, zones at the edges. */
#include "phys_test.h"

#include "phys/zone.h"

static const struct shape {
	const char *name;
	unsigned page_shift, nr_orders, pageblock_order;
} shapes[] = {
	{ "4K pages have orders 0 to 10 and pageblocks of 2M", 12, 11, 9 },
	{ "16K pages have orders 0 to 11, a pageblock is the largest", 14, 12, 11 },
	{ "64K pages have orders 0 to 13, a pageblock is the largest", 16, 14, 13 },
};

static void page_size_decides_the_orders(void **state)
{
	const struct shape *s = *state;
	struct iommusim_phys_config config = { .page_shift = s->page_shift };
	struct iommusim_phys *phys = given_zone(config, 1 << 14, 1 << 14);

	assert_int_equal(iommusim_phys_nr_orders(phys), s->nr_orders);
	assert_int_equal(iommusim_phys_pageblock_order(phys), s->pageblock_order);
	iommusim_phys_destroy(phys);
}

static const struct generation {
	const char *name;
	unsigned kernel;
	enum iommusim_fallback fallback;
} generations[] = {
	{ "6.1 steals", IOMMUSIM_KERNEL(6, 1), IOMMUSIM_FALLBACK_A },
	{ "6.11 steals", IOMMUSIM_KERNEL(6, 11), IOMMUSIM_FALLBACK_A },
	{ "6.12 claims", IOMMUSIM_KERNEL(6, 12), IOMMUSIM_FALLBACK_C },
	{ "so does the default", 0, IOMMUSIM_FALLBACK_C },
};

static void kernel_decides_the_generation(void **state)
{
	const struct generation *g = *state;
	struct iommusim_phys_config config = { .kernel = g->kernel };
	struct iommusim_phys *phys = given_zone(config, 0, 1024);

	assert_int_equal(phys->fallback, g->fallback);
	iommusim_phys_destroy(phys);
}

static int create(uint64_t start, uint64_t frames, unsigned nr)
{
	struct iommusim_zone_config zones[3] = {
		{ 0, IOMMUSIM_ZONE_NORMAL, start, frames },
		{ 1, IOMMUSIM_ZONE_NORMAL, start + frames, frames },
		{ 2, IOMMUSIM_ZONE_NORMAL, start + 2 * frames, frames },
	};
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .zones = zones,
		                               .nr_zones = nr };
	struct iommusim_phys *phys = NULL;
	int err = iommusim_phys_create(&config, &phys);

	iommusim_phys_destroy(phys);
	return err;
}

static void a_zone_may_end_where_addresses_do(void **state)
{
	uint64_t end = UINT64_C(1) << 52;

	(void)state;
	assert_ok(create(end - 4096, 4096, 1));
	assert_err(create(end - 4095, 4096, 1), IOMMUSIM_EINVAL);
	assert_err(create(end, 1, 1), IOMMUSIM_EINVAL);
}

static void a_machine_has_less_than_two_to_the_32_frames(void **state)
{
	uint64_t third = (UINT64_C(1) << 32) / 3 + 1;

	(void)state;
	assert_ok(create(0, third - 4096, 3));
	assert_err(create(0, third, 3), IOMMUSIM_EINVAL);
	assert_err(create(0, (UINT64_C(1) << 32) - (1 << 14) + 1, 1), IOMMUSIM_EINVAL);
}

/* The validator's own rule: a pair that Linux would have merged is a defect. */
static void free_buddies_left_apart_are_noticed(void **state)
{
	struct iommusim_phys_config config = { .nothing_free = 1 };
	struct iommusim_phys *phys = given_zone(config, 0, 1024);
	struct isim_zone *zone = &phys->zone[0];

	(void)state;
	assert_ok(isim_occupy(phys, zone, 0, 2, IOMMUSIM_PAGE_KERNEL));
	assert_ok(isim_occupy(phys, zone, 2, 1024, IOMMUSIM_PAGE_KERNEL));
	assert_ok(iommusim_phys_check(phys));
	isim_set_state(zone, 0, 0, 0);
	isim_list_add(zone, 0, 0, IOMMUSIM_MOVABLE, 0);
	isim_list_add(zone, 1, 0, IOMMUSIM_MOVABLE, 0);
	assert_err(iommusim_phys_check(phys), IOMMUSIM_EINVAL);
	assert_non_null(strstr(iommusim_phys_error(phys), "not merged"));
	iommusim_phys_destroy(phys);
}

/* 6.1 does not retag what merges, so a block may stay on the list of another type. */
static void mixed_generations_pass_the_check(void **state)
{
	struct iommusim_phys_config config = { .kernel = IOMMUSIM_KERNEL(6, 1),
		                               .fallback = IOMMUSIM_FALLBACK_C,
		                               .nr_orders = 6,
		                               .pageblock_order = 3 };
	struct iommusim_phys *phys = given_zone(config, 0, 64);
	iommusim_pfn block[8], page;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		block[i] = take(phys, 3, MOVABLE);
	assert_ok(iommusim_phys_free(phys, block[1], 3));
	page = take(phys, 0, KERNEL);
	assert_ok(iommusim_phys_free(phys, page, 0));
	for (unsigned i = 0; i < 8; i++)
		if (i != 1)
			assert_ok(iommusim_phys_free(phys, block[i], 3));
	assert_ok(iommusim_phys_check(phys));
	assert_int_equal(iommusim_phys_nr_free(phys), 64);
	iommusim_phys_destroy(phys);
}

int main(void)
{
	struct CMUnitTest tests[4 + ARRAY_LEN(shapes) + ARRAY_LEN(generations)] = {
		cmocka_unit_test(a_zone_may_end_where_addresses_do),
		cmocka_unit_test(a_machine_has_less_than_two_to_the_32_frames),
		cmocka_unit_test(free_buddies_left_apart_are_noticed),
		cmocka_unit_test(mixed_generations_pass_the_check),
	};
	size_t nr = 4;

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(page_size_decides_the_orders, &shapes[i]);
	for (size_t i = 0; i < ARRAY_LEN(generations); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(kernel_decides_the_generation, &generations[i]);
	return RUN_TESTS(tests);
}
