/* SPDX-License-Identifier: MIT */
/*
 * Which page size comes next, and how many: the worked examples, the edges, and random ranges
 * against the rule as it reads in prose. And what a domain with page sizes is made of.
 */
#include "domain_test.h"

#include "base/rng.h"

#define ROUNDS    20000
#define BIT63     (UINT64_C(1) << 63)
#define TOP(size) (UINT64_MAX - (size) + 1) /* the last so many bytes of the address space */

/* ---- The worked examples ---- */

static void is_cut_into(void **state)
{
	const struct split *row = *state;
	struct iommusim_map left = { .iova = row->iova, .pa = row->pa, .size = row->size };
	struct text text = { .at = 0 };
	uint64_t nr_pages = 0;

	while (left.size) {
		uint64_t count, pgsize = iommusim_pgsize(row->pgsizes, &left, &count);
		char line[48];

		assert_true(pgsize && count);
		name_pages(line, sizeof(line), pgsize, count);
		say(&text, line);
		left.iova += pgsize * count;
		left.pa += pgsize * count;
		left.size -= pgsize * count;
		nr_pages += count;
	}
	assert_string_equal(text.s, row->pages);
	assert_int_equal(nr_pages, row->nr_old);
}

/* ---- The edges ---- */

static const struct edge {
	const char *name;
	uint64_t pgsizes, iova, pa, size;
	uint64_t want, count;
} edges[] = {
	{ "nothing is cut into nothing", PGSIZES_4K, 0, 0, 0, 0, 0 },
	{ "without page sizes nothing fits", 0, 0, 0, SZ_4K, 0, 0 },
	{ "less than the smallest page fits nothing", PGSIZES_64K, 0, 0, SZ_4K, 0, 0 },
	{ "an iova off the granule fits nothing", PGSIZES_64K, SZ_4K, 0, SZ_64K, 0, 0 },
	{ "a pa off the granule fits nothing", PGSIZES_64K, 0, SZ_4K, SZ_64K, 0, 0 },
	{ "a part of a page behind whole ones is left", SZ_4K, 0, 0, 0x2800, SZ_4K, 2 },
	{ "one size, aligned to more", SZ_4K, SZ_2M, SZ_2M, SZ_2M, SZ_4K, 512 },
	{ "one size of 1 byte", 1, 5, 7, 11, 1, 11 },
	{ "one size of 1 GiB", SZ_1G, SZ_1G, 0, 2 * SZ_1G, SZ_1G, 2 },
	{ "the pa limits the size", PGSIZES_4K, SZ_1G, SZ_2M, SZ_1G, SZ_2M, 512 },
	{ "the iova limits the size", PGSIZES_4K, SZ_2M, SZ_1G, SZ_1G, SZ_2M, 512 },
	{ "the length limits the size", PGSIZES_4K, 0, 0, SZ_1G - SZ_4K, SZ_2M, 511 },
	{ "address 0 is aligned to every size", PGSIZES_ALL, 0, 0, BIT63, BIT63, 1 },
	{ "off alike, up to the boundary", PGSIZES_4K, 0x1fd000, 0x3fd000, SZ_1G, SZ_4K, 3 },
	{ "off differently, up to the end", PGSIZES_4K, 0x1fd000, 0x3fc000, 2 * SZ_2M, SZ_4K,
	  1024 },
	{ "just room for the large page behind the head", PGSIZES_4K, 0x1ff000, 0x1ff000,
	  SZ_2M + SZ_4K, SZ_4K, 1 },
	{ "a byte too little for it", PGSIZES_4K, 0x1ff000, 0x1ff000, SZ_2M + SZ_4K - 1, SZ_4K,
	  512 },
	{ "the top of the address space does not wrap", SZ_4K | SZ_2M, TOP(SZ_2M), TOP(SZ_2M),
	  SZ_2M, SZ_2M, 1 },
	{ "nor does the last page", SZ_4K | SZ_2M, TOP(SZ_4K), TOP(SZ_4K), SZ_4K, SZ_4K, 1 },
	{ "a head that ends at the last large page", SZ_4K | SZ_2M, TOP(SZ_2M + SZ_4K),
	  TOP(SZ_2M + SZ_4K), SZ_2M + SZ_4K, SZ_4K, 1 },
	{ "the distance to a page of 2^63 does not wrap", SZ_4K | BIT63, 0, 0, 3 * SZ_4K, SZ_4K,
	  3 },
	{ "nor does it in the upper half", SZ_4K | BIT63, BIT63, BIT63, 3 * SZ_4K, SZ_4K, 3 },
	{ "the longest range of all", SZ_4K | BIT63, 0, 0, UINT64_MAX, BIT63, 1 },
	{ "the longest range of the longest head", SZ_4K | BIT63, SZ_4K, SZ_4K, TOP(SZ_4K), SZ_4K,
	  (BIT63 - SZ_4K) / SZ_4K },
};

static void is_chosen(void **state)
{
	const struct edge *e = *state;
	struct iommusim_map map = { .iova = e->iova, .pa = e->pa, .size = e->size };
	uint64_t count = 12345;

	assert_int_equal(iommusim_pgsize(e->pgsizes, &map, &count), e->want);
	assert_int_equal(count, e->count);
}

/* ---- The rule as it reads ---- */

/* The largest page size that both addresses are multiples of and that the range has room for. */
static uint64_t obvious_page(uint64_t pgsizes, const struct iommusim_map *map)
{
	for (unsigned bit = 64; bit-- > 0;) {
		uint64_t page = UINT64_C(1) << bit;

		if (pgsizes & page && map->iova % page == 0 && map->pa % page == 0 &&
		    map->size >= page)
			return page;
	}
	return 0;
}

static uint64_t next_larger(uint64_t pgsizes, uint64_t page)
{
	for (unsigned bit = 0; bit < 64; bit++)
		if (UINT64_C(1) << bit > page && pgsizes & UINT64_C(1) << bit)
			return UINT64_C(1) << bit;
	return 0;
}

/* Pages up to where the next larger size could take over, or to the end where it never can. */
static uint64_t obvious_count(uint64_t pgsizes, const struct iommusim_map *map, uint64_t page)
{
	uint64_t larger = next_larger(pgsizes, page), head;

	if (!larger || map->iova % larger != map->pa % larger)
		return map->size / page;
	head = larger - map->iova % larger;
	if (head > map->size || map->size - head < larger)
		return map->size / page;
	return head / page;
}

/* A number with a random count of low bits cleared: aligned to this and that. */
static uint64_t some_address(struct isim_rng *rng)
{
	uint64_t value = isim_rng_next(rng) >> isim_rng_below(rng, 64);

	return value & (UINT64_MAX << isim_rng_below(rng, 64));
}

static struct iommusim_map some_range(struct isim_rng *rng)
{
	struct iommusim_map map = { .iova = some_address(rng) };

	/* Often congruent: else the distance to the next boundary hardly matters. */
	map.pa = isim_rng_below(rng, 2) ? some_address(rng) : map.iova ^ some_address(rng);
	map.size = isim_rng_next(rng) >> isim_rng_below(rng, 64);
	return map;
}

static void random_ranges_follow_the_rule(void **state)
{
	const uint64_t seed = 20210616;
	struct isim_rng rng = isim_rng_seed(seed);

	print_message("# seed %u\n", (unsigned)seed);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t pgsizes = isim_rng_next(&rng) & isim_rng_next(&rng);
		struct iommusim_map map = some_range(&rng);
		uint64_t count, page = iommusim_pgsize(pgsizes, &map, &count);

		assert_int_equal(page, obvious_page(pgsizes, &map));
		assert_int_equal(count, page ? obvious_count(pgsizes, &map, page) : 0);
	}
}

/* ---- Counting changes no page ---- */

static void advance(struct iommusim_map *map, uint64_t bytes)
{
	map->iova += bytes;
	map->pa += bytes;
	map->size -= bytes;
}

/* The pages that follow each other one by one with the size of the first. */
static uint64_t pages_of_one_size(uint64_t pgsizes, struct iommusim_map map)
{
	uint64_t first = obvious_page(pgsizes, &map), nr = 0;

	while (map.size && obvious_page(pgsizes, &map) == first) {
		advance(&map, first);
		nr++;
	}
	return nr;
}

static void a_count_is_as_many_pages_as_come_one_by_one(void **state)
{
	const uint64_t seed = 514;
	struct isim_rng rng = isim_rng_seed(seed);

	print_message("# seed %u\n", (unsigned)seed);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t pgsizes = 1 | isim_rng_below(&rng, 512);
		struct iommusim_map map = { .iova = isim_rng_below(&rng, 1024),
			                    .size = isim_rng_below(&rng, 512) };

		map.pa = map.iova ^ isim_rng_below(&rng, 16) * isim_rng_below(&rng, 64);
		while (map.size) {
			uint64_t count, page = iommusim_pgsize(pgsizes, &map, &count);

			assert_int_equal(count, pages_of_one_size(pgsizes, map));
			advance(&map, page * count);
		}
	}
}

/* ---- Configs ---- */

static int obey_map(void *ctx, const struct iommusim_map_pages *pages, uint64_t *done)
{
	*done = pages->pgsize * pages->count;
	return 0;
}

static uint64_t obey_unmap(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                           struct iommusim_gather *gather)
{
	return pgsize * count;
}

static uint64_t obey_iova_to_phys(void *ctx, uint64_t iova)
{
	return iova;
}

#define CONFIG(size, kernel)                    \
	{                                       \
		size, kernel, SZ_4K, NULL, NULL \
	}
#define KNOWN  sizeof(struct iommusim_domain_config)
#define DRIVER sizeof(struct iommusim_driver)
#define OBEY   NULL, obey_map, obey_unmap, obey_iova_to_phys, NULL, NULL, NULL

/* A config or driver of a newer header has something behind what we know. */
static const struct config {
	const char *name;
	struct iommusim_domain_config config;
	uint64_t config_tail;
	struct iommusim_driver driver;
	uint64_t driver_tail;
	int want;
} configs[] = {
	{ "4.4 and the least of drivers",
	  CONFIG(KNOWN, IOMMUSIM_KERNEL(4, 4)),
	  0,
	  { DRIVER, OBEY },
	  0,
	  0 },
	{ "4.3", CONFIG(KNOWN, IOMMUSIM_KERNEL(4, 3)), 0, { DRIVER, OBEY }, 0, IOMMUSIM_EINVAL },
	{ "a config of size 0", CONFIG(0, 0), 0, { DRIVER, OBEY }, 0, IOMMUSIM_EINVAL },
	{ "a newer config that asks for nothing new",
	  CONFIG(KNOWN + 8, 0),
	  0,
	  { DRIVER, OBEY },
	  0,
	  0 },
	{ "a newer config that asks for more",
	  CONFIG(KNOWN + 8, 0),
	  1,
	  { DRIVER, OBEY },
	  0,
	  IOMMUSIM_E2BIG },
	{ "a newer driver that can do no more", CONFIG(KNOWN, 0), 0, { DRIVER + 8, OBEY }, 0, 0 },
	{ "a newer driver that can do more",
	  CONFIG(KNOWN, 0),
	  0,
	  { DRIVER + 8, OBEY },
	  1,
	  IOMMUSIM_E2BIG },
	{ "a driver of size 0", CONFIG(KNOWN, 0), 0, { 0, OBEY }, 0, IOMMUSIM_EINVAL },
	{ "a driver without map_pages",
	  CONFIG(KNOWN, 0),
	  0,
	  { DRIVER, NULL, NULL, obey_unmap, obey_iova_to_phys, NULL, NULL, NULL },
	  0,
	  IOMMUSIM_EINVAL },
	{ "a driver without unmap_pages",
	  CONFIG(KNOWN, 0),
	  0,
	  { DRIVER, NULL, obey_map, NULL, obey_iova_to_phys, NULL, NULL, NULL },
	  0,
	  IOMMUSIM_EINVAL },
	{ "a driver without iova_to_phys",
	  CONFIG(KNOWN, 0),
	  0,
	  { DRIVER, NULL, obey_map, obey_unmap, NULL, NULL, NULL, NULL },
	  0,
	  IOMMUSIM_EINVAL },
};

static void makes_a_domain_or_not(void **state)
{
	struct config c = *(const struct config *)*state;
	struct iommusim_fault fault = { 0 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	struct iommusim_domain *domain = NULL;

	c.config.driver = &c.driver;
	c.config.host = &host;
	assert_err(iommusim_domain_create(&c.config, &domain), c.want);
	assert_int_equal(domain == NULL, c.want != 0);
	iommusim_domain_destroy(domain);
	assert_int_equal(fault.nr_live, 0);
}

int main(void)
{
	struct CMUnitTest tests[NR_SPLITS + ARRAY_LEN(edges) + ARRAY_LEN(configs) + 2];
	size_t nr = 0;

	for (size_t i = 0; i < NR_SPLITS; i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_cut_into, split_at(i));
	for (size_t i = 0; i < ARRAY_LEN(edges); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_chosen, &edges[i]);
	for (size_t i = 0; i < ARRAY_LEN(configs); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(makes_a_domain_or_not, &configs[i]);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(random_ranges_follow_the_rule);
	tests[nr++] =
		(struct CMUnitTest)cmocka_unit_test(a_count_is_as_many_pages_as_come_one_by_one);
	return RUN_TESTS(tests);
}
