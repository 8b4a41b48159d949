/* SPDX-License-Identifier: MIT */
/* Unmapping, and the IOTLB entries that it leaves behind, gathered as long as they adjoin. */
#include "domain_test.h"

#include "base/rng.h"

/* ---- Unmapping what the recording driver has ---- */

static void given_two_ends_and_a_middle(struct rig *rig, struct setup setup)
{
	setup.pgsizes = PGSIZES_4K;
	set_up(rig, setup);
	assert_ok(map(rig, 0x1ff000, 0x801ff000, 0x402000));
	new_calls(rig);
	new_told(rig);
}

static void a_range_off_the_granule_is_not_unmapped(void **state)
{
	struct rig rig;

	given_two_ends_and_a_middle(&rig, (struct setup){ .kernel = 0 });
	assert_int_equal(iommusim_domain_unmap(rig.domain, 0x200000, 0x800), 0);
	assert_int_equal(iommusim_domain_unmap(rig.domain, 0x200800, 0x1000), 0);
	assert_int_equal(rig.nr_logged, 2);
	assert_calls(&rig, "");
	assert_told(&rig, "sync nothing; sync nothing");
	tear_down(&rig);
}

static void the_line_about_it_names_no_physical_address(void **state)
{
	char line[256];
	struct rig rig;

	given_two_ends_and_a_middle(&rig, (struct setup){ .kernel = 0 });
	iommusim_domain_unmap(rig.domain, 0x200000, 0x800);
	memcpy(line, rig.logged, sizeof(line));
	tear_down(&rig);
	assert_string_equal(line, "unaligned: iova 0x200000 size 0x800 min_pagesz 0x1000");
}

static void without_page_sizes_nothing_is_unmapped(void **state)
{
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = 0 });
	assert_int_equal(iommusim_domain_unmap(rig.domain, 0, SZ_4K), 0);
	assert_int_equal(rig.nr_logged, 0);
	assert_calls(&rig, "");
	assert_told(&rig, "sync nothing");
	tear_down(&rig);
}

/* ---- What an unmap costs ---- */

static void each_change_of_page_size_costs_a_flush(void **state)
{
	struct rig rig;

	given_two_ends_and_a_middle(&rig, (struct setup){ .kernel = 0 });
	iommusim_domain_unmap(rig.domain, 0x1ff000, 0x402000);
	assert_told(&rig, "sync 0x1ff000 +0x1000 by 0x1000; sync 0x200000 +0x400000 by 0x200000; "
	                  "unmap 0x1ff000 +0x402000: 0x402000; sync 0x600000 +0x1000 by 0x1000");
	assert_int_equal(iommusim_domain_stats(rig.domain).nr_iotlb_sync, 3);
	tear_down(&rig);
}

static void pages_of_one_size_cost_one_flush(void **state)
{
	const unsigned kernels[] = { IOMMUSIM_KERNEL(5, 13), IOMMUSIM_KERNEL(6, 12) };

	for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
		struct rig rig;

		set_up(&rig, (struct setup){ .kernel = kernels[i], .pgsizes = PGSIZES_4K });
		assert_ok(map(&rig, 0x1ff000, 0x1ff000, SZ_2M));
		iommusim_domain_unmap(rig.domain, 0x1ff000, SZ_2M);
		assert_int_equal(iommusim_domain_stats(rig.domain).nr_unmap_calls, i ? 1 : 512);
		assert_int_equal(iommusim_domain_stats(rig.domain).nr_iotlb_sync, 1);
		tear_down(&rig);
	}
}

static void the_driver_is_told_what_to_invalidate(void **state)
{
	struct rig rig;

	given_two_ends_and_a_middle(&rig, (struct setup){ .with_sync = 1 });
	iommusim_domain_unmap(rig.domain, 0x200000, 0x401000);
	assert_told(&rig, "sync_iotlb 0x200000..0x5fffff by 0x200000; "
	                  "sync 0x200000 +0x400000 by 0x200000; "
	                  "unmap 0x200000 +0x401000: 0x401000; "
	                  "sync_iotlb 0x600000..0x600fff by 0x1000; "
	                  "sync 0x600000 +0x1000 by 0x1000");
	tear_down(&rig);
}

static void unmap_fast_leaves_the_flush_to_the_caller(void **state)
{
	struct iommusim_gather gather;
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = SZ_4K });
	iommusim_gather_init(&gather, rig.domain);
	assert_int_equal(iommusim_domain_unmap_fast(rig.domain, 0x5000, 0x2000, &gather), 0x2000);
	assert_int_equal(iommusim_domain_unmap_fast(rig.domain, 0x7000, 0x1000, &gather), 0x1000);
	assert_int_equal(iommusim_domain_unmap_fast(rig.domain, 0x8800, 0x1000, &gather), 0);
	assert_told(&rig, "unmap 0x5000 +0x2000: 0x2000; unmap 0x7000 +0x1000: 0x1000");
	assert_int_equal(gather.start, 0x5000);
	assert_int_equal(gather.last, 0x7fff);
	assert_int_equal(gather.pgsize, SZ_4K);
	iommusim_gather_sync(&gather);
	assert_told(&rig, "sync 0x5000 +0x3000 by 0x1000");
	tear_down(&rig);
}

static void a_flush_empties_the_gather(void **state)
{
	struct iommusim_gather gather;
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = SZ_4K, .with_sync = 1 });
	iommusim_gather_init(&gather, rig.domain);
	iommusim_gather_add_page(&gather, SZ_2M, SZ_2M);
	iommusim_gather_sync(&gather);
	assert_ptr_equal(gather.domain, rig.domain);
	assert_true(gather.start > gather.last);
	assert_int_equal(gather.pgsize, 0);
	iommusim_gather_sync(&gather); /* told to the driver all the same */
	assert_told(&rig, "sync_iotlb 0x200000..0x3fffff by 0x200000; "
	                  "sync 0x200000 +0x200000 by 0x200000; "
	                  "sync_iotlb 0xffffffffffffffff..0x0 by 0x0; sync nothing");
	assert_int_equal(iommusim_domain_stats(rig.domain).nr_iotlb_sync, 2);
	tear_down(&rig);
}

/* ---- What adjoins ---- */

static const struct rule {
	const char *name;
	struct {
		uint64_t iova, pgsize, count;
	} add[3];
	const char *told; /* before the last flush, and by it */
} rules[] = {
	{ "one page", { { 0x5000, SZ_4K, 1 } }, "sync 0x5000 +0x1000 by 0x1000" },
	{ "no page", { { 0x5000, SZ_4K, 0 } }, "sync nothing" },
	{ "no page between others changes nothing",
	  { { 0x5000, SZ_4K, 1 }, { 0x200000, SZ_2M, 0 }, { 0x6000, SZ_4K, 1 } },
	  "sync 0x5000 +0x2000 by 0x1000" },
	{ "a page above adjoins",
	  { { 0x5000, SZ_4K, 1 }, { 0x6000, SZ_4K, 1 } },
	  "sync 0x5000 +0x2000 by 0x1000" },
	{ "a page below adjoins",
	  { { 0x5000, SZ_4K, 1 }, { 0x4000, SZ_4K, 1 } },
	  "sync 0x4000 +0x2000 by 0x1000" },
	{ "a gap of a page above",
	  { { 0x5000, SZ_4K, 1 }, { 0x7000, SZ_4K, 1 } },
	  "sync 0x5000 +0x1000 by 0x1000; sync 0x7000 +0x1000 by 0x1000" },
	{ "a gap of a page below",
	  { { 0x5000, SZ_4K, 1 }, { 0x3000, SZ_4K, 1 } },
	  "sync 0x5000 +0x1000 by 0x1000; sync 0x3000 +0x1000 by 0x1000" },
	{ "pages from below come one by one: the first does not adjoin",
	  { { 0x5000, SZ_4K, 1 }, { 0x3000, SZ_4K, 2 } },
	  "sync 0x5000 +0x1000 by 0x1000; sync 0x3000 +0x2000 by 0x1000" },
	{ "another size, though it adjoins",
	  { { 0x1ff000, SZ_4K, 1 }, { 0x200000, SZ_2M, 1 } },
	  "sync 0x1ff000 +0x1000 by 0x1000; sync 0x200000 +0x200000 by 0x200000" },
	{ "a hole is not closed later",
	  { { 0x5000, SZ_4K, 1 }, { 0x7000, SZ_4K, 1 }, { 0x6000, SZ_4K, 1 } },
	  "sync 0x5000 +0x1000 by 0x1000; sync 0x6000 +0x2000 by 0x1000" },
	{ "pages from address 0 on",
	  { { 0, SZ_4K, 1 }, { 0x1000, SZ_4K, 1 } },
	  "sync 0x0 +0x2000 by 0x1000" },
	{ "the last page of the address space",
	  { { -SZ_4K, SZ_4K, 1 } },
	  "sync 0xfffffffffffff000 +0x1000 by 0x1000" },
};

static void is_gathered(void **state)
{
	const struct rule *r = *state;
	struct iommusim_gather gather;
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = PGSIZES_4K });
	iommusim_gather_init(&gather, rig.domain);
	for (size_t i = 0; i < ARRAY_LEN(r->add); i++)
		iommusim_gather_add_pages(&gather, r->add[i].iova, r->add[i].pgsize,
		                          r->add[i].count);
	iommusim_gather_sync(&gather);
	assert_told(&rig, r->told);
	tear_down(&rig);
}

/* The oracle: what is stale and not flushed yet, one mark per page. */
struct marks {
	uint8_t stale[64];
	uint64_t pgsize, nr_flushes;
};

static void flush(struct marks *marks)
{
	memset(marks, 0, sizeof(marks->stale));
	marks->pgsize = 0;
	marks->nr_flushes++;
}

/* Does any of the @pgsize pages at @page, or a neighbour of them, have a mark? */
static int touches(const struct marks *marks, uint64_t page, uint64_t pgsize)
{
	for (uint64_t i = 0; i < 64; i++)
		if (marks->stale[i] && i + 1 >= page && i <= page + pgsize)
			return 1;
	return 0;
}

static void mark(struct marks *marks, uint64_t page, uint64_t pgsize)
{
	if (marks->pgsize && (marks->pgsize != pgsize || !touches(marks, page, pgsize)))
		flush(marks);
	marks->pgsize = pgsize;
	memset(&marks->stale[page], 1, (size_t)pgsize);
}

static void assert_marked(const struct iommusim_gather *gather, const struct marks *marks)
{
	for (uint64_t i = 0; i < 64; i++)
		assert_int_equal(gather->start <= i * SZ_4K && i * SZ_4K < gather->last,
		                 marks->stale[i]);
	assert_int_equal(gather->pgsize, marks->pgsize * SZ_4K);
	assert_int_equal(iommusim_domain_stats(gather->domain).nr_iotlb_sync, marks->nr_flushes);
}

static void random_pages_are_gathered_one_by_one(void **state)
{
	const uint64_t seed = 42;
	struct isim_rng rng = isim_rng_seed(seed);
	struct marks marks = { .pgsize = 0 };
	struct iommusim_gather gather;
	struct rig rig;

	print_message("# seed %u\n", (unsigned)seed);
	set_up(&rig, (struct setup){ .pgsizes = PGSIZES_4K });
	iommusim_gather_init(&gather, rig.domain);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t pgsize = isim_rng_below(&rng, 8) ? 1 : 4;
		uint64_t page = isim_rng_below(&rng, 64 / pgsize) * pgsize;
		uint64_t count = isim_rng_below(&rng, (64 - page) / pgsize % 8 + 1);

		iommusim_gather_add_pages(&gather, page * SZ_4K, pgsize * SZ_4K, count);
		for (uint64_t n = 0; n < count; n++)
			mark(&marks, page + n * pgsize, pgsize);
		assert_marked(&gather, &marks);
		wipe(&rig.told);
	}
	tear_down(&rig);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rules) + 9];
	const struct CMUnitTest others[] = {
		cmocka_unit_test(a_range_off_the_granule_is_not_unmapped),
		cmocka_unit_test(the_line_about_it_names_no_physical_address),
		cmocka_unit_test(without_page_sizes_nothing_is_unmapped),
		cmocka_unit_test(each_change_of_page_size_costs_a_flush),
		cmocka_unit_test(pages_of_one_size_cost_one_flush),
		cmocka_unit_test(the_driver_is_told_what_to_invalidate),
		cmocka_unit_test(unmap_fast_leaves_the_flush_to_the_caller),
		cmocka_unit_test(a_flush_empties_the_gather),
		cmocka_unit_test(random_pages_are_gathered_one_by_one),
	};
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_gathered, &rules[i]);
	memcpy(&tests[nr], others, sizeof(others));
	return RUN_TESTS(tests);
}
