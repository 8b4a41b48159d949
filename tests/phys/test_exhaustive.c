/* SPDX-License-Identifier: MIT */
/*
 * Fallback between migratetypes, seen whole in a small world: two pageblocks of four pages, each
 * page free or in use, movable or not, every pair of pageblock types, every order, three kinds of
 * request, both fallback generations; each beside the obvious allocator of oracle.h.
 *
 * test_exhaustive [PART PARTS]: one part of all states; without arguments 1 % of them, chosen by a
 * fixed seed.
 */
#define ORACLE_FRAMES 8

#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "oracle.h"
#include "phys_test.h"

#define NR_PAGES    8u
#define NR_PATTERNS 6561u /* 3^8: free, movable, unmovable */
#define NR_TYPES    3u
#define NR_STATES   (NR_PATTERNS * NR_TYPES * NR_TYPES * 2)
#define NR_ORDERS   4u
#define FIRST_PFN   (UINT64_C(1) << 20)
#define SEED        20161019u

/* One state: what each page is, the types of the pageblocks, the generation with its kernel. */
struct state {
	unsigned page[NR_PAGES]; /* 0 free, 1 movable, 2 unmovable */
	unsigned type[2];
	enum iommusim_fallback fallback;
	unsigned kernel;
};

static struct state state_of(unsigned number)
{
	struct state s = { .fallback = IOMMUSIM_FALLBACK_A, .kernel = IOMMUSIM_KERNEL(6, 1) };

	if (number % 2) {
		s.fallback = IOMMUSIM_FALLBACK_C;
		s.kernel = IOMMUSIM_KERNEL(6, 12);
	}
	number /= 2;
	for (unsigned i = 0; i < 2; i++, number /= NR_TYPES)
		s.type[i] = number % NR_TYPES;
	for (unsigned i = 0; i < NR_PAGES; i++, number /= 3)
		s.page[i] = number % 3;
	return s;
}

/* ---- The same state on both sides ---- */

static void open_oracle(struct oracle *o, const struct state *s)
{
	struct oracle_zone *z = &o->zone[0];

	memset(o, 0, sizeof(*o));
	o->fallback = s->fallback;
	o->configured_zones = 1u << IOMMUSIM_ZONE_NORMAL; /* without DMA32: no NOFRAGMENT */
	o->nr_zones = 1;
	z->config = (struct iommusim_zone_config){ .zone = IOMMUSIM_ZONE_NORMAL,
		                                   .start_pfn = FIRST_PFN,
		                                   .nr_frames = NR_PAGES };
	z->start = FIRST_PFN;
	z->end = FIRST_PFN + NR_PAGES;
	z->max_order = NR_ORDERS - 1;
	z->pageblock_order = 2;
	z->kernel = s->kernel;
	for (unsigned i = 0; i < NR_PAGES; i++) {
		*type_of(z, FIRST_PFN + i) = s->type[i / 4];
		*page_of(z, FIRST_PFN + i) =
			(struct page){ .state = PAGE_USED, .movable = s->page[i] == 1 };
	}
	for (unsigned i = 0; i < NR_PAGES; i++)
		if (!s->page[i])
			free_by_type(z, FIRST_PFN + i, 0);
}

/* Take everything as movable; a page that is to be unmovable is freed and taken again. */
static struct iommusim_phys *open_phys(const struct state *s)
{
	struct iommusim_phys *phys = given_zone(
		(struct iommusim_phys_config){ .kernel = s->kernel,
	                                       .nr_orders = NR_ORDERS,
	                                       .pageblock_order = 2,
	                                       .fallback = s->fallback,
	                                       .configured_zones = 1u << IOMMUSIM_ZONE_NORMAL },
		FIRST_PFN, NR_PAGES);

	take_everything_movable(phys);
	for (unsigned i = 0; i < NR_PAGES; i++) {
		if (s->page[i] == 2) {
			assert_ok(iommusim_phys_free(phys, FIRST_PFN + i, 0));
			assert_int_equal(take(phys, 0, KERNEL), FIRST_PFN + i);
		}
	}
	for (unsigned i = 0; i < NR_PAGES; i += 4)
		assert_ok(iommusim_phys_set_pageblock_type(phys, FIRST_PFN + i, s->type[i / 4]));
	for (unsigned i = 0; i < NR_PAGES; i++)
		if (!s->page[i])
			assert_ok(iommusim_phys_free(phys, FIRST_PFN + i, 0));
	return phys;
}

static int same_list(const struct iommusim_phys *phys, const struct oracle_zone *z, unsigned order,
                     unsigned type)
{
	struct iommusim_list_id id = { .order = order, .type = type };
	const struct list *list = &z->list[order][type];
	iommusim_pfn pfns[NR_PAGES];

	if (iommusim_phys_list(phys, id, pfns, NR_PAGES) != (int)list->nr)
		return 0;
	return !memcmp(pfns, list->pfn, list->nr * sizeof(*pfns));
}

static int same_memory(const struct iommusim_phys *phys, const struct oracle_zone *z)
{
	for (unsigned order = 0; order < NR_ORDERS; order++)
		for (unsigned type = 0; type < NR_TYPES; type++)
			if (!same_list(phys, z, order, type))
				return 0;
	for (unsigned i = 0; i < 2; i++)
		if (iommusim_phys_pageblock_type(phys, FIRST_PFN + 4 * i) != (int)z->pageblock[i])
			return 0;
	return 1;
}

/* ---- Runs ---- */

static struct oracle before, after;
static unsigned long nr_runs, nr_granted, nr_fallbacks;

/* One request on a copy of the state. 1: both sides agree. */
static int agree(const struct iommusim_phys *phys, unsigned order, unsigned type)
{
	struct iommusim_page_request req = { .order = order, .gfp = type << 3, .node = -1 };
	struct iommusim_page_block block = { .pfn = IOMMUSIM_NO_PFN };
	struct iommusim_phys *copy;
	struct oracle_zone *granted;
	struct take take;
	int err, ok;

	after = before;
	granted = oracle_take(&after, &req, &take);
	assert_ok(iommusim_phys_fork(phys, &copy));
	err = iommusim_phys_alloc(copy, &req, &block);
	ok = err == (granted ? 0 : -IOMMUSIM_ENOMEM) && same_memory(copy, &after.zone[0]);
	if (granted)
		ok = ok && block.pfn == take.pfn && block.migratetype == take.found_on;
	nr_runs++;
	nr_granted += granted != NULL;
	nr_fallbacks += granted && take.found_on != type;
	iommusim_phys_destroy(copy);
	return ok;
}

static void run_state(unsigned number)
{
	struct state s = state_of(number);
	struct iommusim_phys *phys = open_phys(&s);

	open_oracle(&before, &s);
	if (!same_memory(phys, &before.zone[0]))
		fail_msg("state %u is not the same on both sides", number);
	for (unsigned order = 0; order < NR_ORDERS; order++)
		for (unsigned type = 0; type < NR_TYPES; type++)
			if (!agree(phys, order, type))
				fail_msg("state %u, order %u, type %u", number, order, type);
	iommusim_phys_destroy(phys);
}

static void report(void)
{
	printf("# %lu requests, %lu granted, %lu of them by fallback\n", nr_runs, nr_granted,
	       nr_fallbacks);
	assert_true(nr_granted && nr_granted < nr_runs && nr_fallbacks);
}

/* From the command line: which of how many parts. */
static unsigned part, parts;

static void every_request_is_served_as_the_obvious_allocator_does(void **state)
{
	for (unsigned number = part; number < NR_STATES; number += parts)
		run_state(number);
	report();
}

static void a_hundredth_is_served_as_the_obvious_allocator_does(void **state)
{
	struct isim_rng rng = isim_rng_seed(SEED);

	printf("# seed %u\n", SEED);
	for (unsigned i = 0; i < NR_STATES / 100; i++)
		run_state((unsigned)isim_rng_below(&rng, NR_STATES));
	report();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest all[] = { cmocka_unit_test(
		every_request_is_served_as_the_obvious_allocator_does) };
	const struct CMUnitTest some[] = { cmocka_unit_test(
		a_hundredth_is_served_as_the_obvious_allocator_does) };

	if (argc != 3)
		return RUN_TESTS(some);
	part = (unsigned)strtoul(argv[1], NULL, 10);
	parts = (unsigned)strtoul(argv[2], NULL, 10);
	return RUN_TESTS(all);
}
