/* SPDX-License-Identifier: MIT */
/*
 * The recording driver against a plain array of pages; then it and its domain as handles:
 * counters and forks.
 */
#include "domain_test.h"

#include "base/rng.h"

#define NR_PAGES 64

/* Straight to the recording driver, past the domain. */
static uint64_t record(struct rig *rig, struct iommusim_map_pages pages)
{
	uint64_t done = 12345;

	assert_ok(rig->inner.map_pages(rig->inner.ctx, &pages, &done));
	return done;
}

static uint64_t erase(struct rig *rig, uint64_t iova, uint64_t pgsize, uint64_t count)
{
	struct iommusim_gather gather;

	iommusim_gather_init(&gather, rig->domain);
	return rig->inner.unmap_pages(rig->inner.ctx, iova, pgsize, count, &gather);
}

/* Eight pages at 0x8000 that lead to 0x28000. */
static void given_eight_pages(struct rig *rig)
{
	set_up(rig, (struct setup){ .pgsizes = PGSIZES_4K });
	record(rig, (struct iommusim_map_pages){ 0x8000, 0x28000, SZ_4K, 8, RW, 0 });
}

/* ---- Neighbours ---- */

static const struct neighbour {
	const char *name;
	struct iommusim_map_pages pages;
	const char *mapped;
} neighbours[] = {
	{ "pages that go on below are merged",
	  { 0x6000, 0x26000, SZ_4K, 2, RW, 0 },
	  "0x6000+0xa000>0x26000 by 0x1000 rw" },
	{ "pages that go on above are merged",
	  { 0x10000, 0x30000, SZ_4K, 2, RW, 0 },
	  "0x8000+0xa000>0x28000 by 0x1000 rw" },
	{ "pages that lead elsewhere are not",
	  { 0x10000, 0x31000, SZ_4K, 2, RW, 0 },
	  "0x8000+0x8000>0x28000 by 0x1000 rw; 0x10000+0x2000>0x31000 by 0x1000 rw" },
	{ "nor are pages of another size",
	  { 0x10000, 0x30000, 0x2000, 1, RW, 0 },
	  "0x8000+0x8000>0x28000 by 0x1000 rw; 0x10000+0x2000>0x30000 by 0x2000 rw" },
	{ "nor are pages with other rights",
	  { 0x10000, 0x30000, SZ_4K, 2, IOMMUSIM_PROT_READ, 0 },
	  "0x8000+0x8000>0x28000 by 0x1000 rw; 0x10000+0x2000>0x30000 by 0x1000 r" },
	{ "nor are pages behind a gap",
	  { 0x11000, 0x31000, SZ_4K, 1, RW, 0 },
	  "0x8000+0x8000>0x28000 by 0x1000 rw; 0x11000+0x1000>0x31000 by 0x1000 rw" },
	{ "the same pages again change nothing",
	  { 0xa000, 0x2a000, SZ_4K, 2, RW, 0 },
	  "0x8000+0x8000>0x28000 by 0x1000 rw" },
	{ "what is mapped over is replaced",
	  { 0xa000, 0x90000, SZ_4K, 2, RW, 0 },
	  "0x8000+0x2000>0x28000 by 0x1000 rw; 0xa000+0x2000>0x90000 by 0x1000 rw; "
	  "0xc000+0x4000>0x2c000 by 0x1000 rw" },
	{ "all of it may be replaced",
	  { 0, 0x90000, SZ_64K, 2, 0, 0 },
	  "0x0+0x20000>0x90000 by 0x10000 " },
};

static void beside_eight_pages(void **state)
{
	const struct neighbour *n = *state;
	struct rig rig;

	given_eight_pages(&rig);
	assert_int_equal(record(&rig, n->pages), n->pages.pgsize * n->pages.count);
	assert_mapped(&rig, n->mapped);
	tear_down(&rig);
}

static void a_page_that_closes_a_gap_merges_three(void **state)
{
	struct rig rig;

	given_eight_pages(&rig);
	record(&rig, (struct iommusim_map_pages){ 0x11000, 0x31000, SZ_4K, 1, RW, 0 });
	record(&rig, (struct iommusim_map_pages){ 0x10000, 0x30000, SZ_4K, 1, RW, 0 });
	assert_mapped(&rig, "0x8000+0xa000>0x28000 by 0x1000 rw");
	tear_down(&rig);
}

/* ---- Cuts ---- */

static const struct cut {
	const char *name;
	uint64_t iova, count;
	const char *mapped;
} cuts[] = {
	{ "unmapping the head", 0x7000, 3, "0xa000+0x6000>0x2a000 by 0x1000 rw" },
	{ "unmapping the tail", 0xe000, 3, "0x8000+0x6000>0x28000 by 0x1000 rw" },
	{ "unmapping the middle", 0xa000, 1,
	  "0x8000+0x2000>0x28000 by 0x1000 rw; 0xb000+0x5000>0x2b000 by 0x1000 rw" },
	{ "unmapping more than all", 0x0, 32, "" },
	{ "unmapping beside it is reported as done", 0x10000, 8,
	  "0x8000+0x8000>0x28000 by 0x1000 rw" },
};

static void of_eight_pages(void **state)
{
	const struct cut *c = *state;
	struct rig rig;

	given_eight_pages(&rig);
	assert_int_equal(erase(&rig, c->iova, SZ_4K, c->count), c->count * SZ_4K);
	assert_mapped(&rig, c->mapped);
	tear_down(&rig);
}

static void the_next_range_is_the_first_that_ends_above(void **state)
{
	struct iommusim_mapped_range range = { .iova = 1 };
	struct rig rig;

	given_eight_pages(&rig);
	assert_int_equal(iommusim_recorder_next(rig.recorder, 0, &range), 1);
	assert_int_equal(range.iova, 0x8000);
	range.iova = 1;
	assert_int_equal(iommusim_recorder_next(rig.recorder, 0xffff, &range), 1);
	assert_int_equal(range.iova, 0x8000);
	range.iova = 1;
	assert_int_equal(iommusim_recorder_next(rig.recorder, 0x10000, &range), 0);
	assert_int_equal(range.iova, 1);
	tear_down(&rig);
}

/* ---- Caps and failures ---- */

static void a_cap_limits_both_ways(void **state)
{
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = PGSIZES_4K, .cap = 1 });
	assert_ok(map(&rig, 0x200000, 0x200000, 0x401000));
	assert_calls(&rig, "m 0x200000>0x200000 2M*2/1; m 0x400000>0x400000 2M*1; "
	                   "m 0x600000>0x600000 4K*1");
	assert_int_equal(iommusim_domain_unmap(rig.domain, 0x200000, 0x401000), 0x401000);
	assert_calls(&rig, "u 0x200000 2M*2/1; u 0x400000 2M*1; u 0x600000 4K*1");
	assert_mapped(&rig, "");
	tear_down(&rig);
}

static void one_map_call_fails_and_all_unmap_calls_from_one_on(void **state)
{
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = SZ_4K, .fail_map = 2, .fail_unmap = 2 });
	assert_ok(map(&rig, 0x1000, 0x1000, SZ_4K));
	assert_err(map(&rig, 0x5000, 0x5000, SZ_4K), IOMMUSIM_ENOMEM);
	assert_ok(map(&rig, 0x2000, 0x2000, SZ_4K * 2));
	assert_int_equal(iommusim_domain_unmap(rig.domain, 0x1000, SZ_4K), SZ_4K);
	assert_int_equal(iommusim_domain_unmap(rig.domain, 0x2000, SZ_4K), 0);
	assert_int_equal(iommusim_domain_unmap(rig.domain, 0x3000, SZ_4K), 0);
	assert_calls(&rig, "m 0x1000>0x1000 4K*1; m 0x5000>0x5000 4K*1/0; m 0x2000>0x2000 4K*2; "
	                   "u 0x1000 4K*1; u 0x2000 4K*1/0; u 0x3000 4K*1/0");
	assert_told(&rig, "map 0x1000>0x1000 +0x1000; unmap 0x5000 +0x0: 0x0; sync nothing; "
	                  "map 0x2000>0x2000 +0x2000; unmap 0x1000 +0x1000: 0x1000; "
	                  "sync 0x1000 +0x1000 by 0x1000; unmap 0x2000 +0x1000: 0x0; sync nothing; "
	                  "unmap 0x3000 +0x1000: 0x0; sync nothing");
	assert_mapped(&rig, "0x2000+0x2000>0x2000 by 0x1000 rw");
	tear_down(&rig);
}

static void a_map_beyond_the_last_address_is_refused(void **state)
{
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = SZ_4K });
	assert_err(map(&rig, 0 - SZ_4K, SZ_1G, 2 * SZ_4K), IOMMUSIM_ERANGE);
	assert_mapped(&rig, "");
	assert_ok(map(&rig, 0 - SZ_4K, SZ_1G, SZ_4K));
	assert_int_equal(iommusim_domain_iova_to_phys(rig.domain, UINT64_MAX), SZ_1G + 0xfff);
	tear_down(&rig);
}

static void calls_are_kept_only_when_asked_for(void **state)
{
	struct iommusim_recorder_config config = { .size = sizeof(config) };
	struct iommusim_map_pages pages = { 0, SZ_2M, SZ_4K, 1, RW, 0 };
	struct iommusim_recorder *recorder;
	struct iommusim_driver driver;
	uint64_t done;
	size_t nr = 1;

	assert_ok(iommusim_recorder_create(&config, &recorder));
	driver = iommusim_recorder_driver(recorder);
	assert_ok(driver.map_pages(driver.ctx, &pages, &done));
	assert_int_equal(driver.iova_to_phys(driver.ctx, 0xfff), SZ_2M + 0xfff);
	iommusim_recorder_calls(recorder, &nr);
	assert_int_equal(nr, 0);
	iommusim_recorder_destroy(recorder);
}

/* ---- Random calls against an array ---- */

/* What one page of 4 KiB leads to. */
struct page {
	uint8_t is_mapped;
	uint64_t pa, pgsize;
	unsigned prot;
};

static void note(struct page *book, const struct iommusim_map_pages *p, uint64_t bytes,
                 unsigned is_mapped)
{
	for (uint64_t off = 0; off < bytes; off += SZ_4K)
		book[(p->iova + off) / SZ_4K] =
			(struct page){ (uint8_t)is_mapped, p->pa + off, p->pgsize, p->prot };
}

static int follows(const struct page *a, const struct page *b)
{
	return a->is_mapped && b->is_mapped && a->pa + SZ_4K == b->pa && a->pgsize == b->pgsize &&
	       a->prot == b->prot;
}

/* Page by page the same, and cut exactly where two pages do not follow each other. */
static void assert_same(const struct rig *rig, const struct page *book)
{
	for (uint64_t i = 0; i < NR_PAGES; i++) {
		uint64_t iova = i * SZ_4K, at = iova + 0x123;
		struct iommusim_mapped_range r = { .iova = UINT64_MAX };
		int found = iommusim_recorder_next(rig->recorder, iova, &r) && r.iova <= iova;

		assert_int_equal(found, book[i].is_mapped);
		assert_int_equal(rig->inner.iova_to_phys(rig->inner.ctx, at),
		                 found ? book[i].pa + 0x123 : 0);
		if (!found)
			continue;
		assert_int_equal(r.pgsize, book[i].pgsize);
		assert_int_equal(r.prot, book[i].prot);
		assert_int_equal(r.iova<iova, i> 0 && follows(&book[i - 1], &book[i]));
		assert_int_equal(r.iova + r.size > iova + SZ_4K,
		                 i + 1 < NR_PAGES && follows(&book[i], &book[i + 1]));
	}
}

/* Few targets, so that neighbours often go on. */
static struct iommusim_map_pages some_pages(struct isim_rng *rng)
{
	uint64_t pages = isim_rng_below(rng, 4) ? 1 : 4;
	uint64_t start = isim_rng_below(rng, NR_PAGES / pages) * pages;
	struct iommusim_map_pages p = { .iova = start * SZ_4K, .pgsize = pages * SZ_4K };

	p.count = 1 + isim_rng_below(rng, (NR_PAGES - start) / pages);
	p.pa = p.iova + SZ_1G * (1 + isim_rng_below(rng, 2));
	p.prot = isim_rng_below(rng, 8) ? RW : IOMMUSIM_PROT_READ;
	return p;
}

static void step(struct rig *rig, struct isim_rng *rng, struct page *book)
{
	struct iommusim_map_pages p = some_pages(rng);
	uint64_t want =
		(rig->setup.cap && rig->setup.cap < p.count ? rig->setup.cap : p.count) * p.pgsize;
	unsigned is_map = isim_rng_below(rng, 2) != 0;

	if (is_map)
		assert_int_equal(record(rig, p), want);
	else
		assert_int_equal(erase(rig, p.iova, p.pgsize, p.count), want);
	note(book, &p, want, is_map);
}

static void the_book_is_that_of_an_array(void **state)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct isim_rng rng = isim_rng_seed(seed);
		struct page book[NR_PAGES] = { { 0 } };
		struct rig rig;

		print_message("# seed %u\n", (unsigned)seed);
		set_up(&rig, (struct setup){ .pgsizes = SZ_4K, .cap = seed % 2 ? 3 : 0 });
		for (unsigned i = 0; i < 1500; i++) {
			step(&rig, &rng, book);
			assert_same(&rig, book);
		}
		tear_down(&rig);
	}
}

/* ---- Counters and forks ---- */

static void requests_calls_and_pages_are_counted(void **state)
{
	struct iommusim_sg sg[] = { { 0x1000, SZ_4K }, { 0x9000, SZ_4K } };
	struct iommusim_map_list list = { 0, sg, 2, RW, 0 };
	struct iommusim_domain_stats stats;
	struct rig rig;
	uint64_t done;

	set_up(&rig, (struct setup){ .pgsizes = PGSIZES_4K });
	assert_ok(map(&rig, 0x3ff000, 0x801ff000, 0x402000));
	assert_ok(iommusim_domain_map_sg(rig.domain, &list, &done));
	iommusim_domain_unmap(rig.domain, 0x3ff000, 0x402000);
	stats = iommusim_domain_stats(rig.domain);
	assert_int_equal(stats.nr_map, 3);
	assert_int_equal(stats.nr_unmap, 1);
	assert_int_equal(stats.nr_map_calls, 5);
	assert_int_equal(stats.nr_unmap_calls, 3);
	assert_int_equal(stats.nr_mapped[12], 4);
	assert_int_equal(stats.nr_mapped[21], 2);
	assert_int_equal(stats.nr_iotlb_sync, 3);
	tear_down(&rig);
}

static void a_fork_goes_its_own_way(void **state)
{
	struct rig rig, copy = { .nr_seen = 0 };

	set_up(&rig, (struct setup){ .kernel = IOMMUSIM_KERNEL(5, 13), .pgsizes = PGSIZES_4K });
	assert_ok(map(&rig, 0x8000, 0x28000, 0x8000));
	assert_ok(fork_both(&rig, &copy.recorder, &copy.domain));
	assert_int_equal(iommusim_domain_pgsizes(copy.domain), PGSIZES_4K);
	assert_int_equal(iommusim_domain_unmap(copy.domain, 0xa000, 0x2000), 0x2000);
	assert_ok(map(&rig, 0x10000, 0x90000, SZ_4K));
	assert_mapped(&copy, "0x8000+0x2000>0x28000 by 0x1000 rw; "
	                     "0xc000+0x4000>0x2c000 by 0x1000 rw");
	assert_mapped(&rig, "0x8000+0x8000>0x28000 by 0x1000 rw; "
	                    "0x10000+0x1000>0x90000 by 0x1000 rw");
	assert_int_equal(iommusim_domain_stats(copy.domain).nr_map_calls, 8);
	assert_int_equal(iommusim_domain_stats(copy.domain).nr_unmap_calls, 2);
	assert_int_equal(iommusim_domain_stats(rig.domain).nr_map_calls, 9);
	assert_int_equal(iommusim_domain_stats(rig.domain).nr_unmap_calls, 0);
	iommusim_domain_destroy(copy.domain);
	iommusim_recorder_destroy(copy.recorder);
	tear_down(&rig);
}

static void forks_stay_true_to_their_books(void **state)
{
	const uint64_t seed = 7;
	struct isim_rng rng = isim_rng_seed(seed);
	struct page book[NR_PAGES] = { { 0 } };
	struct rig rig;

	print_message("# seed %u\n", (unsigned)seed);
	set_up(&rig, (struct setup){ .pgsizes = SZ_4K });
	for (unsigned i = 0; i < 300; i++) {
		struct iommusim_recorder *copy;

		assert_ok(iommusim_recorder_fork(rig.recorder, &copy));
		for (unsigned n = 0; n < 3; n++)
			erase(&rig, isim_rng_below(&rng, NR_PAGES) * SZ_4K, SZ_4K, 1);
		iommusim_recorder_destroy(rig.recorder);
		rig.recorder = copy;
		rig.inner = iommusim_recorder_driver(copy);
		assert_same(&rig, book);
		step(&rig, &rng, book);
	}
	tear_down(&rig);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(neighbours) + ARRAY_LEN(cuts) + 10];
	const struct CMUnitTest others[] = {
		cmocka_unit_test(a_page_that_closes_a_gap_merges_three),
		cmocka_unit_test(the_next_range_is_the_first_that_ends_above),
		cmocka_unit_test(a_cap_limits_both_ways),
		cmocka_unit_test(one_map_call_fails_and_all_unmap_calls_from_one_on),
		cmocka_unit_test(a_map_beyond_the_last_address_is_refused),
		cmocka_unit_test(calls_are_kept_only_when_asked_for),
		cmocka_unit_test(the_book_is_that_of_an_array),
		cmocka_unit_test(requests_calls_and_pages_are_counted),
		cmocka_unit_test(a_fork_goes_its_own_way),
		cmocka_unit_test(forks_stay_true_to_their_books),
	};
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(neighbours); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(beside_eight_pages, &neighbours[i]);
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(of_eight_pages, &cuts[i]);
	memcpy(&tests[nr], others, sizeof(others));
	return RUN_TESTS(tests);
}
