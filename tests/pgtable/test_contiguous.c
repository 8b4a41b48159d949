/* SPDX-License-Identifier: MIT */
/* Arm's contiguous hint: pages of 16, 32 or 128 words, and what becomes of them. */
#include "pgtable_test.h"

#define CONTIGUOUS (UINT64_C(1) << 52)

static const struct row {
	const char *name;
	unsigned page_shift;
	uint64_t pgsizes, want; /* offered, and what is left */
	uint64_t page, run;     /* one word, and all of a run */
} rows[] = {
	{ "16 of 4K", 12, SZ_4K | SZ_2M | SZ_1G, SZ_4K | SZ_64K | SZ_2M | SZ_32M | SZ_1G, SZ_4K,
	  SZ_64K },
	{ "16 of 2M", 12, SZ_4K | SZ_2M | SZ_1G, SZ_4K | SZ_64K | SZ_2M | SZ_32M | SZ_1G, SZ_2M,
	  SZ_32M },
	{ "128 of 16K", 14, SZ_16K | SZ_32M, SZ_16K | SZ_2M | SZ_32M | SZ_1G, SZ_16K, SZ_2M },
	{ "32 of 32M", 14, SZ_16K | SZ_32M, SZ_16K | SZ_2M | SZ_32M | SZ_1G, SZ_32M, SZ_1G },
	{ "32 of 64K", 16, SZ_64K | SZ_512M, SZ_64K | SZ_2M | SZ_512M | SZ_1G * 16, SZ_64K, SZ_2M },
	{ "32 of 512M", 16, SZ_64K | SZ_512M, SZ_64K | SZ_2M | SZ_512M | SZ_1G * 16, SZ_512M,
	  SZ_1G * 16 },
};

static struct iommusim_pgtable *given_hints(const struct row *r,
                                            const struct iommusim_pgtable_format *format)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = format,
	                                                        .page_shift = r->page_shift,
	                                                        .pgsizes = r->pgsizes,
	                                                        .contiguous = 1 });

	assert_int_equal(iommusim_pgtable_info(pgtable).pgsizes, r->want);
	return pgtable;
}

static uint64_t word_of(const struct iommusim_pgtable *pgtable, uint64_t iova)
{
	struct iommusim_pgtable_walk walk;

	iommusim_pgtable_walk(pgtable, iova, &walk);
	return walk.step[walk.nr - 1].word;
}

static void has_the_hint_in_every_word(void **state)
{
	const struct row *r = *state;
	struct iommusim_pgtable *pgtable = given_hints(r, &iommusim_pgtable_arm_lpae_s1);
	struct iommusim_pgtable_walk walk;
	uint64_t pa = 3 * r->run;

	map_ok(pgtable, r->run, pa, r->run, 1);
	map_ok(pgtable, 2 * r->run, pa, r->page, 1);
	for (uint64_t at = 0; at < r->run; at += r->page) {
		iommusim_pgtable_walk(pgtable, r->run + at, &walk);
		assert_int_equal(walk.size, r->run);
		assert_int_equal(walk.pa, pa);
		assert_true(word_of(pgtable, r->run + at) & CONTIGUOUS);
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, r->run + at + 9),
		                 pa + at + 9);
	}
	/* but for the hint and the address a word is that of a page alone */
	assert_int_equal(word_of(pgtable, r->run) & ~CONTIGUOUS, word_of(pgtable, 2 * r->run));
	assert_err(try_map(pgtable, r->run + r->page, pa, r->page, 1), IOMMUSIM_EEXIST);
	assert_int_equal(unmap(pgtable, r->run, r->run, 1), r->run);
	assert_int_equal(word_of(pgtable, r->run), 0);
	iommusim_pgtable_destroy(pgtable);
}

/* No word may claim a region of which a part is gone. */
static void loses_the_hint_with_any_of_its_pages(void **state)
{
	const struct row *r = *state;
	struct iommusim_pgtable *pgtable = given_hints(r, &iommusim_pgtable_arm_lpae_s2);

	map_ok(pgtable, r->run, r->run, r->run, 2);
	assert_int_equal(unmap(pgtable, r->run + 3 * r->page, r->page, 2), 2 * r->page);
	for (uint64_t at = 0; at < r->run; at += r->page) {
		int is_gone = at == 3 * r->page || at == 4 * r->page;

		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, r->run + at),
		                 is_gone ? 0 : r->run + at);
		assert_int_equal(word_of(pgtable, r->run + at) & CONTIGUOUS, 0);
	}
	assert_true(word_of(pgtable, 2 * r->run) & CONTIGUOUS);
	iommusim_pgtable_destroy(pgtable);
}

/* One range over the end of one run and the whole of the next. */
static void breaks_at_both_ends_of_a_range(void **state)
{
	const struct row *r = *state;
	struct iommusim_pgtable *pgtable = given_hints(r, &iommusim_pgtable_arm_lpae_s1);
	uint64_t from = 2 * r->run - r->page, nr = r->run / r->page + 2;

	map_ok(pgtable, r->run, r->run, r->run, 3);
	assert_int_equal(unmap(pgtable, from, r->page, nr), nr * r->page);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, from - r->page), from - r->page);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, from), 0);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 3 * r->run), 0);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 3 * r->run + r->page),
	                 3 * r->run + r->page);
	assert_int_equal(word_of(pgtable, r->run) & CONTIGUOUS, 0);
	assert_int_equal(word_of(pgtable, 3 * r->run + r->page) & CONTIGUOUS, 0);
	iommusim_pgtable_destroy(pgtable);
}

static void needs_aligned_addresses(void **state)
{
	const struct row *r = *state;
	struct iommusim_pgtable *pgtable = given_hints(r, &iommusim_pgtable_arm_lpae_s1);

	assert_err(try_map(pgtable, r->run, r->page, r->run, 1), IOMMUSIM_EINVAL);
	assert_err(try_map(pgtable, r->page, r->run, r->run, 1), IOMMUSIM_EINVAL);
	iommusim_pgtable_destroy(pgtable);
}

/* The domain sees the sizes: 2 MiB that are aligned to 64K take 32 runs, not 512 pages. */
static void a_domain_uses_the_sizes(void **state)
{
	struct iommusim_pgtable *pgtable = given_hints(&rows[0], &iommusim_pgtable_arm_lpae_s1);
	struct iommusim_driver driver = iommusim_pgtable_driver(pgtable);
	struct iommusim_domain_config config = { .size = sizeof(config),
		                                 .pgsizes = rows[0].want,
		                                 .driver = &driver };
	struct iommusim_map map = {
		.iova = SZ_2M, .pa = SZ_1G + SZ_64K, .size = SZ_2M, .prot = IOMMUSIM_PROT_READ
	};
	struct iommusim_mapped_range range;
	struct iommusim_domain *domain;

	assert_ok(iommusim_domain_create(&config, &domain));
	assert_ok(iommusim_domain_map(domain, &map));
	assert_int_equal(iommusim_pgtable_next(pgtable, 0, &range), 1);
	assert_int_equal(range.pgsize, SZ_64K);
	assert_int_equal(range.size, SZ_2M);
	assert_int_equal(iommusim_domain_unmap(domain, SZ_2M, SZ_2M), SZ_2M);
	assert_int_equal(iommusim_pgtable_next(pgtable, 0, &range), 0);
	iommusim_domain_destroy(domain);
	iommusim_pgtable_destroy(pgtable);
}

/* 2M and 1G have no granule, but are runs of 16K and 32M; without the hint Linux refuses them. */
static void sizes_that_are_only_runs_are_runs_of_a_granule(void **state)
{
	static const struct only {
		uint64_t pgsizes, page, word, want;
	} onlys[] = { { SZ_2M | SZ_1G, SZ_2M, SZ_16K, SZ_2M | SZ_1G },
		      { SZ_2M | SZ_1G, SZ_1G, SZ_32M, SZ_2M | SZ_1G },
		      { SZ_2M, SZ_2M, SZ_64K, SZ_2M },
		      { SZ_2M | SZ_32M, SZ_2M, SZ_16K, SZ_2M | SZ_32M | SZ_1G } };

	for (size_t i = 0; i < ARRAY_LEN(onlys); i++) {
		const struct only *o = &onlys[i];
		struct iommusim_pgtable_config config = { .size = sizeof(config),
			                                  .format = &iommusim_pgtable_arm_lpae_s1,
			                                  .pgsizes = o->pgsizes };
		struct iommusim_pgtable *pgtable;

		assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_EINVAL);
		config.contiguous = 1;
		assert_ok(iommusim_pgtable_create(&config, &pgtable));
		assert_int_equal(iommusim_pgtable_info(pgtable).pgsizes, o->want);
		map_ok(pgtable, o->page, 3 * o->page, o->page, 1);
		for (uint64_t at = 0; at < o->page; at += o->word) {
			uint64_t word = word_of(pgtable, o->page + at);

			assert_true(word & CONTIGUOUS);
			assert_int_equal(word & (o->page - 1) & ~(o->word - 1), at);
		}
		assert_int_equal(unmap(pgtable, o->page, o->page, 1), o->page);
		assert_int_equal(word_of(pgtable, o->page), 0);
		iommusim_pgtable_destroy(pgtable);
	}
}

/* A block of a run is split: the run goes first, then the block. */
static void a_block_of_a_run_is_split(void **state)
{
	struct iommusim_pgtable *pgtable = given_hints(&rows[1], &iommusim_pgtable_arm_lpae_s1);

	map_ok(pgtable, SZ_32M, SZ_32M, SZ_32M, 1);
	assert_int_equal(unmap(pgtable, SZ_32M + SZ_2M + SZ_4K, SZ_4K, 1), SZ_4K);
	for (uint64_t at = 0; at < SZ_32M; at += SZ_4K)
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_32M + at),
		                 at == SZ_2M + SZ_4K ? 0 : SZ_32M + at);
	assert_int_equal(word_of(pgtable, SZ_32M) & CONTIGUOUS, 0);
	assert_int_equal(unmap(pgtable, SZ_32M, SZ_2M, 1), SZ_2M);
	iommusim_pgtable_destroy(pgtable);
}

/* 2^60 runs are more words than a number has. */
static void any_count_ends_with_the_table(void **state)
{
	const struct row *r = &rows[0];
	struct iommusim_pgtable *pgtable = given_hints(r, &iommusim_pgtable_arm_lpae_s1);
	struct iommusim_map_pages pages = { .iova = SZ_2M - 2 * r->run,
		                            .pa = SZ_2M,
		                            .pgsize = r->run,
		                            .count = UINT64_C(1) << 60,
		                            .prot = IOMMUSIM_PROT_READ };
	uint64_t mapped;

	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	assert_int_equal(mapped, 2 * r->run);
	assert_int_equal(unmap(pgtable, pages.iova, r->run, pages.count), mapped);
	iommusim_pgtable_destroy(pgtable);
}

int main(void)
{
	struct CMUnitTest tests[4 + 4 * ARRAY_LEN(rows)] = {
		cmocka_unit_test(a_domain_uses_the_sizes),
		cmocka_unit_test(a_block_of_a_run_is_split),
		cmocka_unit_test(sizes_that_are_only_runs_are_runs_of_a_granule),
		cmocka_unit_test(any_count_ends_with_the_table),
	};
	size_t nr = 4;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		tests[nr++] = (struct CMUnitTest)TEST_ROW(has_the_hint_in_every_word, &rows[i]);
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(loses_the_hint_with_any_of_its_pages, &rows[i]);
		tests[nr++] = (struct CMUnitTest)TEST_ROW(breaks_at_both_ends_of_a_range, &rows[i]);
		tests[nr++] = (struct CMUnitTest)TEST_ROW(needs_aligned_addresses, &rows[i]);
	}
	return RUN_TESTS(tests);
}
