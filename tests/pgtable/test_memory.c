/* SPDX-License-Identifier: MIT */
/* Where tables live: failures at every point, memory of the caller's, what a freed table costs. */
#include "pgtable/pgtable.h"
#include "pgtable_test.h"
#include "table_memory.h"

#define S1 (&iommusim_pgtable_arm_lpae_s1)

/* One table of each level, a split through two levels, and enough for the arena to move. */
static int exercise(struct iommusim_pgtable *pgtable)
{
	struct iommusim_map_pages pages = {
		.iova = SZ_1G, .pa = SZ_1G, .pgsize = SZ_1G, .count = 1, .prot = IOMMUSIM_PROT_READ
	};
	uint64_t mapped;
	int err = iommusim_pgtable_map(pgtable, &pages, &mapped);

	if (err)
		return err;
	if (unmap(pgtable, SZ_1G + SZ_4K, SZ_4K, 1) != SZ_4K)
		return -IOMMUSIM_EHOST;
	pages.pgsize = SZ_4K;
	for (unsigned i = 0; !err && i < 40; i++) {
		pages.iova = 4 * SZ_1G + i * SZ_2M;
		err = iommusim_pgtable_map(pgtable, &pages, &mapped);
	}
	return err;
}

static void the_host_may_fail_at_any_allocation(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_pgtable_config config = { .size = sizeof(config),
			                                  .format = S1,
			                                  .pgsizes = SZ_4K | SZ_2M | SZ_1G,
			                                  .host = &host };
		struct iommusim_pgtable *pgtable = NULL;

		err = iommusim_pgtable_create(&config, &pgtable);
		if (!err)
			err = exercise(pgtable);
		assert_err(err, err ? IOMMUSIM_EHOST : 0);
		fault.fail_at = 0;
		if (err && pgtable) /* it goes on where it was */
			assert_ok(try_map(pgtable, 0, 0, SZ_4K, 3));
		iommusim_pgtable_destroy(pgtable);
		assert_int_equal(fault.nr_live, 0);
	}
}

static void a_fork_survives_any_failure_of_the_host(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = 0 };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
						.format = S1, .host = &host }),
					*copy = NULL;

		fault.fail_at = fault.nr_allocs + n;
		err = iommusim_pgtable_fork(pgtable, NULL, &copy);
		assert_err(err, err ? IOMMUSIM_EHOST : 0);
		iommusim_pgtable_destroy(copy);
		iommusim_pgtable_destroy(pgtable);
		assert_int_equal(fault.nr_live, 0);
	}
}

/* Memory of the test's own, of which the n-th table cannot be had. */
struct pool {
	unsigned char *table[64];
	unsigned nr, live, asked, fail_at;
};

static int pool_alloc(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	struct pool *pool = ctx;

	if (++pool->asked == pool->fail_at || pool->nr == ARRAY_LEN(pool->table))
		return -IOMMUSIM_ENOMEM;
	pool->table[pool->nr] = calloc(1, (size_t)bytes);
	assert_non_null(pool->table[pool->nr]);
	*pa = ++pool->nr * SZ_64K;
	pool->live++;
	return 0;
}

static void pool_free(void *ctx, uint64_t pa, uint64_t bytes)
{
	struct pool *pool = ctx;

	free(pool->table[pa / SZ_64K - 1]);
	pool->table[pa / SZ_64K - 1] = NULL;
	pool->live--;
}

static void *pool_at(void *ctx, uint64_t pa)
{
	return ((struct pool *)ctx)->table[pa / SZ_64K - 1];
}

static int with_pool(struct pool *pool, struct iommusim_pgtable **pgtable)
{
	struct iommusim_table_memory memory = { .size = sizeof(memory),
		                                .ctx = pool,
		                                .alloc_table = pool_alloc,
		                                .free_table = pool_free,
		                                .table_at = pool_at };
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = S1,
		                                  .pgsizes = SZ_4K | SZ_2M | SZ_1G,
		                                  .memory = &memory };

	return iommusim_pgtable_create(&config, pgtable);
}

/* What is mapped stays as it was: a 1G block that could not be split, a page that was not added. */
static void any_table_may_be_missing(void **state)
{
	for (unsigned n = 1; n <= 8; n++) {
		struct pool pool = { .fail_at = n };
		struct iommusim_pgtable *pgtable = NULL;
		int err = with_pool(&pool, &pgtable);

		assert_err(err, n == 1 ? IOMMUSIM_ENOMEM : 0);
		if (!err && !try_map(pgtable, SZ_1G, SZ_1G, SZ_1G, 1)) {
			uint64_t unmapped = unmap(pgtable, SZ_1G + SZ_4K, SZ_4K, 1);

			assert_int_equal(unmapped, n == 3 || n == 4 ? 0 : SZ_4K);
			assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_1G + SZ_4K),
			                 unmapped ? 0 : SZ_1G + SZ_4K);
			assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_1G), SZ_1G);
			err = try_map(pgtable, 0, SZ_2M, SZ_4K, 1);
			assert_err(err, n == 5 || n == 6 ? IOMMUSIM_ENOMEM : 0);
			assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 0),
			                 err ? 0 : SZ_2M);
		}
		iommusim_pgtable_destroy(pgtable);
		assert_int_equal(pool.live, 0);
	}
}

static int far_alloc(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	*pa = UINT64_C(1) << 48;
	*(uint32_t *)ctx = gfp;
	return 0;
}

static void far_free(void *ctx, uint64_t pa, uint64_t bytes)
{
	*(uint32_t *)ctx |= 1;
}

static void an_address_that_no_word_can_hold_is_given_back(void **state)
{
	uint32_t gfp = 0;
	struct iommusim_table_memory memory = { .size = sizeof(memory),
		                                .ctx = &gfp,
		                                .alloc_table = far_alloc,
		                                .free_table = far_free,
		                                .table_at = pool_at };
	struct iommusim_pgtable_config config = {
		.size = sizeof(config), .format = S1, .pgsizes = SZ_4K, .memory = &memory
	};
	struct iommusim_pgtable *pgtable = NULL;

	assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_ERANGE);
	assert_null(pgtable);
	assert_int_equal(gfp, IOMMUSIM_GFP_KERNEL | 1);
}

/* Not even the page that empty entries lead to. */
static void a_blank_page_that_no_word_can_hold_is_given_back(void **state)
{
	static const char *const names[] = { "linear-sparc64", "etnaviv-v1", "ipu-mmu" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct memory tables = { .next = UINT64_C(1) << 48 };
		struct iommusim_table_memory memory = { .size = sizeof(memory),
			                                .ctx = &tables,
			                                .alloc_table = alloc_table,
			                                .free_table = free_table,
			                                .table_at = table_at };
		struct iommusim_pgtable_config config = {
			.size = sizeof(config),
			.format = iommusim_pgtable_format_find(names[i]),
			.pgsizes = SZ_4K | SZ_4K * 2,
			.memory = &memory,
		};
		struct iommusim_pgtable *pgtable = NULL;

		assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_ERANGE);
		for (unsigned k = 0; k < tables.nr; k++)
			assert_null(tables.table[k].data);
	}
}

/* A table that goes is invalidated at once, the leaves with the unmap. */
static void a_table_costs_a_flush_of_its_own(void **state)
{
	struct iommusim_pgtable *pgtable =
		given_pgtable((struct iommusim_pgtable_config){ .format = S1 });
	struct iommusim_driver driver = iommusim_pgtable_driver(pgtable);
	struct iommusim_domain_config config = { .size = sizeof(config),
		                                 .pgsizes = SZ_4K | SZ_2M | SZ_1G,
		                                 .driver = &driver };
	struct iommusim_domain *domain;

	assert_ok(iommusim_domain_create(&config, &domain));
	map_ok(pgtable, 0, SZ_1G, SZ_4K, 512);
	assert_int_equal(iommusim_domain_unmap(domain, 0, SZ_2M), SZ_2M);
	assert_int_equal(iommusim_domain_stats(domain).nr_iotlb_sync, 2);
	map_ok(pgtable, 0, SZ_1G, SZ_4K, 512);
	assert_int_equal(iommusim_domain_unmap(domain, 0, SZ_1M), SZ_1M);
	assert_int_equal(iommusim_domain_stats(domain).nr_iotlb_sync, 3);
	iommusim_domain_destroy(domain);
	iommusim_pgtable_destroy(pgtable);
}

/* What each table was asked for with. */
struct asked {
	struct pool pool;
	uint32_t gfp[8];
};

static int asked_alloc(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	struct asked *asked = ctx;

	asked->gfp[asked->pool.asked] = gfp;
	return pool_alloc(&asked->pool, bytes, gfp, pa);
}

static void each_table_is_asked_for_as_linux_does(void **state)
{
	static const unsigned kernels[] = { IOMMUSIM_KERNEL(6, 1), IOMMUSIM_KERNEL(6, 12) };
	static const uint32_t atomic[] = { IOMMUSIM_GFP_ATOMIC_6_1, IOMMUSIM_GFP_ATOMIC_6_12 };

	for (unsigned i = 0; i < 2; i++) {
		struct asked asked = { .gfp = { 0 } };
		struct iommusim_table_memory memory = { .size = sizeof(memory),
			                                .ctx = &asked,
			                                .alloc_table = asked_alloc,
			                                .free_table = pool_free,
			                                .table_at = pool_at };
		struct iommusim_map_pages pages = { .pgsize = SZ_1G,
			                            .count = 1,
			                            .prot = IOMMUSIM_PROT_READ,
			                            .gfp = IOMMUSIM_GFP_USER };
		struct iommusim_pgtable *pgtable = given_pgtable((struct iommusim_pgtable_config){
			.format = S1, .kernel = kernels[i], .memory = &memory });
		uint64_t mapped;

		assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
		assert_int_equal(unmap(pgtable, 0, SZ_2M, 1), SZ_2M);
		assert_int_equal(asked.gfp[0], IOMMUSIM_GFP_KERNEL);
		assert_int_equal(asked.gfp[1], IOMMUSIM_GFP_USER);
		assert_int_equal(asked.gfp[2], atomic[i]);
		iommusim_pgtable_destroy(pgtable);
	}
}

static void tables_elsewhere_are_copied_by_their_owner(void **state)
{
	struct pool pool = { .fail_at = 0 };
	struct iommusim_pgtable *pgtable, *copy;

	assert_ok(with_pool(&pool, &pgtable));
	assert_err(iommusim_pgtable_fork(pgtable, NULL, &copy), IOMMUSIM_EINVAL);
	iommusim_pgtable_destroy(pgtable);
}

/* A window of 16 pages and one of 2^20, with each format that has one. */
static void a_window_of_any_size_fits_into_the_arena(void **state)
{
	static const unsigned widths[] = { 14, 17, 20, 32 };

	for (size_t i = 0; iommusim_pgtable_format_at(i); i++) {
		for (unsigned k = 0; k < ISIM_ARRAY_LEN(widths); k++) {
			struct iommusim_pgtable_config config = {
				.size = sizeof(config),
				.format = iommusim_pgtable_format_at(i),
				.pgsizes = ~UINT64_C(0),
				.ias = widths[k],
			};
			struct iommusim_pgtable *pgtable = NULL;

			if (iommusim_pgtable_create(&config, &pgtable))
				continue; /* it has no such window */
			assert_true(pgtable->arena.used <= pgtable->arena.cap);
			iommusim_pgtable_destroy(pgtable);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_host_may_fail_at_any_allocation),
		cmocka_unit_test(a_fork_survives_any_failure_of_the_host),
		cmocka_unit_test(a_window_of_any_size_fits_into_the_arena),
		cmocka_unit_test(any_table_may_be_missing),
		cmocka_unit_test(an_address_that_no_word_can_hold_is_given_back),
		cmocka_unit_test(a_blank_page_that_no_word_can_hold_is_given_back),
		cmocka_unit_test(each_table_is_asked_for_as_linux_does),
		cmocka_unit_test(a_table_costs_a_flush_of_its_own),
		cmocka_unit_test(tables_elsewhere_are_copied_by_their_owner),
	};

	return RUN_TESTS(tests);
}
