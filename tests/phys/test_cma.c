/* SPDX-License-Identifier: MIT */
/* Areas of the contiguous allocator: who may borrow from them, and how they are called back. */
#include "phys_test.h"

#define START 4096

/* 64 MiB, of which 8 MiB from pfn 8192 on are an area. */
static struct iommusim_phys *given_area(unsigned features)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .features = features }, START, 1 << 14);

	assert_int_equal(iommusim_phys_cma_create(phys, 8192, 2048), 0);
	assert_ok(iommusim_phys_check(phys));
	return phys;
}

static void an_area_is_free_and_of_its_own_type(void **state)
{
	struct iommusim_phys *phys = given_area(0);

	assert_list(phys, 10, CMA, "9216 8192");
	assert_list(phys, 10, MOVABLE,
	            "4096 5120 6144 7168 10240 11264 12288 13312 14336 15360 "
	            "16384 17408 18432 19456");
	assert_int_equal(iommusim_phys_nr_free(phys), 1 << 14);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 8192 + 600), IOMMUSIM_CMA);
	assert_int_equal(iommusim_phys_pageblock_type(phys, 8191), IOMMUSIM_MOVABLE);
	iommusim_phys_destroy(phys);
}

/* Only movable requests of a machine with the feature, once all else is taken. */
static void only_what_can_move_borrows(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct iommusim_phys *phys = given_area(i & 1 ? IOMMUSIM_PHYS_CMA : 0);
		uint32_t gfp = i & 2 ? MOVABLE : KERNEL;
		struct iommusim_page_request req = { .order = 9, .gfp = gfp, .node = -1 };
		struct iommusim_page_block block;
		unsigned nr = 0;

		while (!iommusim_phys_alloc(phys, &req, &block))
			nr++;
		assert_int_equal(nr, i == 3 ? 32 : 28);
		iommusim_phys_destroy(phys);
	}
}

/* While most of what is free is an area's, it is borrowed first. */
static void areas_are_borrowed_first_while_they_are_most(void **state)
{
	struct iommusim_phys *phys = given_area(IOMMUSIM_PHYS_CMA);
	struct iommusim_page_request req = { .order = 10, .gfp = MOVABLE, .node = -1 };
	struct iommusim_page_block block;

	for (unsigned i = 0; i < 13; i++) {
		assert_ok(iommusim_phys_alloc(phys, &req, &block));
		assert_int_equal(block.migratetype, IOMMUSIM_MOVABLE);
	}
	assert_ok(iommusim_phys_alloc(phys, &req, &block)); /* 2 of the 3 that are left */
	assert_int_equal(block.migratetype, IOMMUSIM_CMA);
	assert_ok(iommusim_phys_alloc(phys, &req, &block)); /* 1 of 2 */
	assert_int_equal(block.migratetype, IOMMUSIM_MOVABLE);
	iommusim_phys_destroy(phys);
}

static void the_lowest_aligned_place_is_taken(void **state)
{
	struct iommusim_phys *phys = given_area(IOMMUSIM_PHYS_ALL);
	iommusim_pfn a, b, c;

	assert_ok(iommusim_phys_cma_alloc(phys, 0, 5, 0, &a));
	assert_ok(iommusim_phys_cma_alloc(phys, 0, 16, 4, &b));
	assert_ok(iommusim_phys_cma_alloc(phys, 0, 3, 1, &c));
	assert_int_equal(a, 8192);
	assert_int_equal(b, 8208);
	assert_int_equal(c, 8198);
	assert_ok(iommusim_phys_check(phys));
	assert_ok(iommusim_phys_cma_free(phys, 0, a, 5));
	assert_ok(iommusim_phys_cma_free(phys, 0, b, 16));
	assert_ok(iommusim_phys_cma_free(phys, 0, c, 3));
	assert_err(iommusim_phys_cma_free(phys, 0, c, 3), IOMMUSIM_EINVAL);
	iommusim_phys_drain(phys);
	assert_list(phys, 10, CMA, "8192 9216");
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void a_page_in_use_makes_a_place_busy(void **state)
{
	struct iommusim_phys *phys = given_area(IOMMUSIM_PHYS_CMA);
	struct iommusim_page_request req = { .gfp = MOVABLE, .node = -1 };
	struct iommusim_page_block block;
	iommusim_pfn pfn;

	do
		assert_ok(iommusim_phys_alloc(phys, &req, &block));
	while (block.migratetype != IOMMUSIM_CMA);
	assert_int_equal(block.pfn, 9216);
	assert_err(iommusim_phys_cma_alloc(phys, 0, 2048, 0, &pfn), IOMMUSIM_ENOMEM);
	assert_ok(iommusim_phys_cma_alloc(phys, 0, 256, 8, &pfn));
	assert_int_equal(pfn, 8192);
	assert_ok(iommusim_phys_cma_alloc(phys, 0, 512, 9, &pfn));
	assert_int_equal(pfn, 8704);
	assert_ok(iommusim_phys_cma_alloc(phys, 0, 512, 9, &pfn)); /* not 9216 */
	assert_int_equal(pfn, 9728);
	assert_err(iommusim_phys_cma_alloc(phys, 0, 512, 9, &pfn), IOMMUSIM_ENOMEM);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* The free blocks of the pageblocks that were isolated come back at the tails. */
static void what_lies_beside_goes_to_the_tails(void **state)
{
	struct iommusim_phys *phys = given_area(IOMMUSIM_PHYS_CMA);
	iommusim_pfn pfn;

	assert_ok(iommusim_phys_cma_alloc(phys, 0, 512, 9, &pfn));
	assert_list(phys, 9, CMA, "8704");
	assert_ok(iommusim_phys_cma_alloc(phys, 0, 256, 8, &pfn));
	assert_int_equal(pfn, 8704);
	assert_list(phys, 8, CMA, "8960");
	assert_list(phys, 9, CMA, "");
	iommusim_phys_destroy(phys);
}

static void a_fork_has_the_same_areas(void **state)
{
	struct iommusim_phys *phys = given_area(IOMMUSIM_PHYS_ALL), *copy = NULL;
	iommusim_pfn a, b;

	assert_ok(iommusim_phys_cma_alloc(phys, 0, 100, 0, &a));
	assert_ok(iommusim_phys_fork(phys, &copy));
	assert_ok(iommusim_phys_cma_alloc(phys, 0, 100, 0, &a));
	assert_ok(iommusim_phys_cma_alloc(copy, 0, 100, 0, &b));
	assert_int_equal(a, b);
	iommusim_phys_destroy(phys);
	assert_ok(iommusim_phys_cma_free(copy, 0, 8192, 200));
	assert_ok(iommusim_phys_check(copy));
	iommusim_phys_destroy(copy);
}

/* The area may be made after the source. */
static void a_page_source_takes_from_the_first_area(void **state)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .features = 0 }, START, 1 << 14);
	struct iommusim_page_source source = iommusim_phys_source(phys);
	iommusim_pfn pfn = 1;

	assert_err(source.alloc_contiguous(source.ctx, 8, 0, KERNEL, &pfn), IOMMUSIM_ENOMEM);
	assert_err(source.free_contiguous(source.ctx, START, 8), IOMMUSIM_EINVAL);
	assert_int_equal(pfn, 1);
	assert_int_equal(iommusim_phys_cma_create(phys, 8192, 512), 0);
	assert_int_equal(iommusim_phys_cma_create(phys, 4096, 1024), 1);
	assert_ok(source.alloc_contiguous(source.ctx, 5, 0, KERNEL, &pfn));
	assert_int_equal(pfn, 8192);
	assert_ok(source.alloc_contiguous(source.ctx, 200, 8, KERNEL, &pfn));
	assert_int_equal(pfn, 8192 + 256);
	assert_err(source.alloc_contiguous(source.ctx, 600, 0, KERNEL, &pfn), IOMMUSIM_ENOMEM);
	assert_ok(source.free_contiguous(source.ctx, 8192, 5));
	assert_err(source.free_contiguous(source.ctx, 8192, 5), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static const struct state_row {
	const char *name;
	iommusim_pfn start;
	uint64_t nr_frames;
	unsigned orders, pageblock;
	iommusim_pfn area[2][2]; /* first frame, frames */
} state_rows[] = {
	{ "an area at the end", 4096, 8192, 11, 9, { { 11264, 1024 } } },
	{ "half of a top block at the start", 4096, 8192, 11, 9, { { 4096, 512 } } },
	{ "two in one top block", 4096, 8192, 11, 9, { { 8704, 512 }, { 8192, 512 } } },
	{ "two apart", 4096, 8192, 11, 9, { { 5120, 512 }, { 7168, 2048 } } },
	{ "all of the zone", 4096, 2048, 11, 9, { { 4096, 2048 } } },
	{ "a zone with cut ends", 4097, 8190, 11, 9, { { 4608, 512 }, { 11264, 512 } } },
	{ "pageblocks far below the top", 4096, 4096, 11, 3, { { 4104, 8 }, { 5000, 1016 } } },
	{ "pageblocks as large as the top", 4096, 8192, 11, 10, { { 5120, 2048 } } },
};

/* A machine on which nothing is free yet, with the areas of @r. */
static struct iommusim_phys *given_areas(const struct state_row *r)
{
	struct iommusim_phys *phys =
		given_zone((struct iommusim_phys_config){ .nothing_free = 1,
	                                                  .nr_orders = r->orders,
	                                                  .pageblock_order = r->pageblock },
	                   r->start, r->nr_frames);
	uint64_t frames = 0;

	for (unsigned i = 0; i < 2 && r->area[i][1]; i++) {
		assert_int_equal(iommusim_phys_cma_create(phys, r->area[i][0], r->area[i][1]), i);
		assert_err(iommusim_phys_cma_create(phys, r->area[i][0], 1u << r->pageblock),
		           IOMMUSIM_EINVAL);
		assert_ok(iommusim_phys_check(phys));
		frames += r->area[i][1];
		assert_int_equal(iommusim_phys_nr_free(phys), frames);
	}
	return phys;
}

/* Each area can be had whole, and is free again after. Returns the frames of all. */
static uint64_t assert_areas_are_free(struct iommusim_phys *phys, const struct state_row *r)
{
	uint64_t frames = 0;
	iommusim_pfn pfn;

	for (unsigned i = 0; i < 2 && r->area[i][1]; i++) {
		assert_ok(iommusim_phys_cma_alloc(phys, i, r->area[i][1], 0, &pfn));
		assert_int_equal(pfn, r->area[i][0]);
		assert_ok(iommusim_phys_cma_free(phys, i, pfn, r->area[i][1]));
		frames += r->area[i][1];
	}
	assert_ok(iommusim_phys_check(phys));
	return frames;
}

static void a_state_is_made_around_the_areas(void **state)
{
	const struct state_row *r = *state;
	struct iommusim_random_state random = { 300, 1000, 3, 7 };
	struct iommusim_phys *phys = given_areas(r);
	uint64_t others, held = 0;

	assert_ok(iommusim_phys_pin(phys, 1, 2));
	others = r->nr_frames - assert_areas_are_free(phys, r);
	for (iommusim_pfn pfn = r->start; pfn < r->start + r->nr_frames; pfn++) {
		int in_area = 0;

		for (unsigned i = 0; i < 2; i++)
			in_area |= pfn - r->area[i][0] < r->area[i][1];
		held += !in_area && pfn % 4 == 0;
	}
	assert_int_equal(iommusim_phys_nr_free(phys), r->nr_frames - held);
	iommusim_phys_destroy(phys);

	phys = given_areas(r);
	assert_ok(iommusim_phys_randomize(phys, &random));
	assert_int_equal(iommusim_phys_nr_free(phys),
	                 assert_areas_are_free(phys, r) + others * 300 / 1000);
	iommusim_phys_destroy(phys);
}

static void nonsense_is_refused(void **state)
{
	struct iommusim_phys *phys = given_area(0);
	iommusim_pfn pfn;

	assert_err(iommusim_phys_cma_create(phys, 10240, 100), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_cma_create(phys, 10241, 512), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_cma_create(phys, 0, 512), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_cma_create(phys, START, 1 << 15), IOMMUSIM_EINVAL);
	assert_int_equal(take(phys, 0, KERNEL), START);
	assert_err(iommusim_phys_cma_create(phys, START, 512), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_cma_alloc(phys, 1, 1, 0, &pfn), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_cma_alloc(phys, 0, 0, 0, &pfn), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_cma_alloc(phys, 0, 4096, 0, &pfn), IOMMUSIM_ENOMEM);
	assert_err(iommusim_phys_cma_free(phys, 0, 8192, 1), IOMMUSIM_EINVAL);
	assert_err(iommusim_phys_cma_free(phys, 0, START, 1), IOMMUSIM_EINVAL);
	for (unsigned i = 1; i < IOMMUSIM_CMA_AREAS; i++)
		assert_int_equal(iommusim_phys_cma_create(phys, 10240 + 512 * (i - 1), 512), i);
	assert_err(iommusim_phys_cma_create(phys, 5120, 512), IOMMUSIM_EINVAL);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* Create, take, fork and free with every host allocation failing in turn. */
static void nothing_is_lost_when_the_host_fails(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 0; err; n++) {
		struct iommusim_fault fault = { .fail_at = 0 };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_phys *copy = NULL,
				     *phys = given_zone(
					     (struct iommusim_phys_config){
						     .features = IOMMUSIM_PHYS_ALL, .host = &host },
					     START, 1 << 14);
		iommusim_pfn pfn = 0;

		fault.fail_at = fault.nr_allocs + n + 1;
		err = iommusim_phys_cma_create(phys, 8192, 2048);
		if (!err)
			err = iommusim_phys_cma_alloc(phys, 0, 40, 3, &pfn);
		if (!err)
			err = iommusim_phys_fork(phys, &copy);
		if (!err)
			err = iommusim_phys_cma_free(phys, 0, pfn, 40);
		if (err)
			assert_err(err, IOMMUSIM_EHOST);
		assert_ok(iommusim_phys_check(phys));
		iommusim_phys_destroy(phys);
		iommusim_phys_destroy(copy);
		assert_int_equal(fault.nr_live, 0);
	}
}

int main(void)
{
	struct CMUnitTest tests[10 + ARRAY_LEN(state_rows)] = {
		cmocka_unit_test(an_area_is_free_and_of_its_own_type),
		cmocka_unit_test(only_what_can_move_borrows),
		cmocka_unit_test(areas_are_borrowed_first_while_they_are_most),
		cmocka_unit_test(the_lowest_aligned_place_is_taken),
		cmocka_unit_test(a_page_in_use_makes_a_place_busy),
		cmocka_unit_test(what_lies_beside_goes_to_the_tails),
		cmocka_unit_test(a_fork_has_the_same_areas),
		cmocka_unit_test(a_page_source_takes_from_the_first_area),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(nothing_is_lost_when_the_host_fails),
	};
	size_t nr = 10;

	for (size_t i = 0; i < ARRAY_LEN(state_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(a_state_is_made_around_the_areas,
		                                          &state_rows[i]);
	return RUN_TESTS(tests);
}
