/* SPDX-License-Identifier: MIT */
/*
 * Random calls in random worlds against the obvious allocator of oracle.h: block, zone and source
 * list of every request, every free list in order and every pageblock type after every step. A
 * world is drawn from its seed; a difference is reported with the seed and the step.
 */
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "base/rng.h"
#include "oracle.h"

#define WORLDS 32  /* of a row, with ascending seeds */
#define STEPS  450 /* in a world */

static const struct row {
	const char *name;
	unsigned kernel;
	enum iommusim_fallback fallback;
	int sets_types; /* pageblocks get random types now and then */
	unsigned seed;
} rows[] = {
	{ "Linux 6.1, generation A", IOMMUSIM_KERNEL(6, 1), IOMMUSIM_FALLBACK_A, 0, 100 },
	{ "Linux 6.12, generation C", IOMMUSIM_KERNEL(6, 12), IOMMUSIM_FALLBACK_C, 0, 200 },
	{ "Linux 6.1, generation C", IOMMUSIM_KERNEL(6, 1), IOMMUSIM_FALLBACK_C, 0, 300 },
	{ "Linux 6.12, generation A", IOMMUSIM_KERNEL(6, 12), IOMMUSIM_FALLBACK_A, 0, 400 },
	{ "Linux 6.1, generation A, pageblocks of every type", IOMMUSIM_KERNEL(6, 1),
	  IOMMUSIM_FALLBACK_A, 1, 500 },
	{ "Linux 6.12, generation C, pageblocks of every type", IOMMUSIM_KERNEL(6, 12),
	  IOMMUSIM_FALLBACK_C, 1, 600100 },
	{ "Linux 6.1, generation C, pageblocks of every type", IOMMUSIM_KERNEL(6, 1),
	  IOMMUSIM_FALLBACK_C, 1, 700930 },
	{ "Linux 6.12, generation A, pageblocks of every type", IOMMUSIM_KERNEL(6, 12),
	  IOMMUSIM_FALLBACK_A, 1, 800 },
};

struct walk {
	const struct row *row;
	unsigned seed, step;
	unsigned greed; /* requests in ten steps; the others free */
	struct isim_rng rng;
	struct iommusim_phys *phys;
	struct oracle *oracle;
	iommusim_pfn pfns[ORACLE_LISTED];
	/* What the worlds of the row came to, so that none is idle. */
	unsigned nr_granted, nr_fallbacks, nr_refused, nr_freed, nr_not_freed, nr_split;
};

/* ---- What the oracle has in use ---- */

static void oracle_use(struct oracle_zone *z, const struct take *take, uint32_t gfp)
{
	for (uint64_t at = 0; at < isim_bit(take->order); at++)
		page_of(z, take->pfn + at)->movable = take->type == IOMMUSIM_MOVABLE;
	page_of(z, take->pfn)->state = PAGE_USED;
	page_of(z, take->pfn)->order = take->order;
	page_of(z, take->pfn)->compound = take->order && gfp & IOMMUSIM_GFP_BIT_COMP;
}

/* The zone in which a block in use of just this order starts at @pfn. */
static struct oracle_zone *zone_of_used(struct oracle *o, uint64_t pfn, unsigned order)
{
	for (unsigned i = 0; i < o->nr_zones; i++) {
		struct oracle_zone *z = &o->zone[i];

		if (is_in_zone(z, pfn) && page_of(z, pfn)->state == PAGE_USED &&
		    page_of(z, pfn)->order == order)
			return z;
	}
	return NULL;
}

static int oracle_free(struct oracle *o, uint64_t pfn, unsigned order)
{
	struct oracle_zone *z = zone_of_used(o, pfn, order);

	if (!z)
		return -IOMMUSIM_EINVAL;
	memset(page_of(z, pfn), 0, sizeof(struct page) << order);
	free_by_type(z, pfn, order);
	return 0;
}

static int oracle_split(struct oracle *o, uint64_t pfn, unsigned order)
{
	struct oracle_zone *z = zone_of_used(o, pfn, order);

	if (!z || page_of(z, pfn)->compound)
		return -IOMMUSIM_EINVAL;
	for (uint64_t at = 0; at < isim_bit(order); at++) {
		page_of(z, pfn + at)->state = PAGE_USED;
		page_of(z, pfn + at)->order = 0;
	}
	return 0;
}

/* ---- Comparing ---- */

static const char *where(const struct walk *walk)
{
	static char text[40];

	snprintf(text, sizeof(text), "seed %u, step %u", walk->seed, walk->step);
	return text;
}

static void assert_same_error(const struct walk *walk, const char *call, int err, int want)
{
	if (err != want)
		fail_msg("%s: %s: %s, not %s", where(walk), call, iommusim_errname(err),
		         iommusim_errname(want));
}

static void assert_same_list(struct walk *walk, unsigned zone, unsigned order, unsigned type)
{
	struct iommusim_list_id id = { .zone = zone, .order = order, .type = type };
	const struct list *want = &walk->oracle->zone[zone].list[order][type];
	int nr = iommusim_phys_list(walk->phys, id, walk->pfns, ORACLE_LISTED);

	if (nr != (int)want->nr)
		fail_msg("%s: zone %u, order %u, %s: %d blocks, not %u", where(walk), zone, order,
		         iommusim_migratetype_name(type), nr, want->nr);
	for (unsigned i = 0; i < want->nr; i++)
		if (walk->pfns[i] != want->pfn[i])
			fail_msg("%s: zone %u, order %u, %s: block %u is 0x%llx, not 0x%llx",
			         where(walk), zone, order, iommusim_migratetype_name(type), i,
			         (unsigned long long)walk->pfns[i],
			         (unsigned long long)want->pfn[i]);
}

static void assert_same_types(struct walk *walk, struct oracle_zone *z)
{
	uint64_t size = isim_bit(z->pageblock_order);

	for (uint64_t pfn = z->start; pfn < z->end; pfn = isim_align_down(pfn, size) + size) {
		int type = iommusim_phys_pageblock_type(walk->phys, pfn);

		if (type != (int)*type_of(z, pfn))
			fail_msg("%s: the pageblock of 0x%llx: type %d, not %u", where(walk),
			         (unsigned long long)pfn, type, *type_of(z, pfn));
	}
}

static void assert_same(struct walk *walk)
{
	for (unsigned i = 0; i < walk->oracle->nr_zones; i++) {
		struct oracle_zone *z = &walk->oracle->zone[i];

		for (unsigned order = 0; order <= z->max_order; order++)
			for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
				assert_same_list(walk, i, order, type);
		assert_same_types(walk, z);
	}
}

/* Linux 6.1 does not retag what it merges, so generation C there leaves blocks on other types'
 * lists, as does setting types from outside: nothing that the validator knows. */
static void assert_sound(struct walk *walk)
{
	const struct row *row = walk->row;

	if (row->sets_types ||
	    (row->kernel < IOMMUSIM_KERNEL(6, 12) && row->fallback == IOMMUSIM_FALLBACK_C))
		return;
	if (iommusim_phys_check(walk->phys))
		fail_msg("%s: %s", where(walk), iommusim_phys_error(walk->phys));
}

/* ---- Drawing a world ---- */

static unsigned below(struct walk *walk, uint64_t n)
{
	return (unsigned)isim_rng_below(&walk->rng, n);
}

static int one_in(struct walk *walk, unsigned n)
{
	return below(walk, n) == 0;
}

/* Mostly node 0, mostly the zones of a 64-bit machine; at most one of a kind in a node. The first
 * zone is one that requests without zone bits may use. */
static void draw_kind(struct walk *walk, struct iommusim_zone_config *config)
{
	static const enum iommusim_zone kinds[] = { IOMMUSIM_ZONE_NORMAL,  IOMMUSIM_ZONE_NORMAL,
		                                    IOMMUSIM_ZONE_NORMAL,  IOMMUSIM_ZONE_DMA32,
		                                    IOMMUSIM_ZONE_DMA32,   IOMMUSIM_ZONE_DMA,
		                                    IOMMUSIM_ZONE_HIGHMEM, IOMMUSIM_ZONE_MOVABLE };

	do {
		config->node = one_in(walk, 2) ? below(walk, 3) : 0;
		config->zone = kinds[below(walk, walk->oracle->nr_zones ? ARRAY_LEN(kinds) : 6)];
	} while (zone_of(walk->oracle, config->node, config->zone));
}

/* From @from on: whole blocks of the highest order, or any start and any length. */
static void draw_span(struct walk *walk, struct oracle_zone *z, uint64_t from)
{
	uint64_t top = isim_bit(z->max_order);
	uint64_t most = one_in(walk, 2) ? 2 * top : z->max_order == 10 ? ORACLE_FRAMES : 500;

	z->start = from + (one_in(walk, 2) ? below(walk, 300) : 0);
	z->end = z->start + 1 + below(walk, most);
	if (one_in(walk, 2))
		z->start = isim_align_up(z->start, isim_bit(below(walk, z->max_order + 1)));
	if (one_in(walk, 3)) {
		z->start = isim_align_up(z->start, top);
		z->end = isim_align_up(z->end, top);
	}
	if (z->end > z->start + ORACLE_FRAMES)
		z->end = z->start + ORACLE_FRAMES;
	if (z->end <= z->start)
		z->end = z->start + 1;
	z->config.start_pfn = z->start;
	z->config.nr_frames = z->end - z->start;
}

static void draw_zones(struct walk *walk, unsigned max_order, unsigned pageblock_order)
{
	struct oracle *o = walk->oracle;
	unsigned nr = 1 + below(walk, ORACLE_ZONES);
	uint64_t from = 5 + below(walk, 5000);

	while (o->nr_zones < nr) {
		struct oracle_zone *z = &o->zone[o->nr_zones];

		z->max_order = max_order;
		z->pageblock_order = pageblock_order;
		z->kernel = walk->row->kernel;
		draw_kind(walk, &z->config);
		draw_span(walk, z, from);
		from = z->end;
		boot_zone(z);
		o->nr_zones++;
	}
}

static void create_phys(struct walk *walk, unsigned configured_zones)
{
	const struct oracle *o = walk->oracle;
	struct iommusim_zone_config zones[ORACLE_ZONES];
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .kernel = walk->row->kernel,
		                               .nr_orders = o->zone[0].max_order + 1,
		                               .pageblock_order = o->zone[0].pageblock_order,
		                               .zones = zones,
		                               .nr_zones = o->nr_zones,
		                               .fallback = walk->row->fallback,
		                               .configured_zones = configured_zones };

	for (unsigned i = 0; i < o->nr_zones; i++)
		zones[i] = o->zone[i].config;
	assert_ok(iommusim_phys_create(&config, &walk->phys));
}

/* A third of the worlds has the orders of a machine with 4 KiB pages, the others any. */
static void draw_world(struct walk *walk)
{
	/* DMA 1, DMA32 2, NORMAL 4, HIGHMEM 8, MOVABLE 16; 0: the default. */
	static const unsigned configured[] = { 0, 0x17, 0x17, 0x16, 0x16, 0x1f, 0x14, 0x15 };
	unsigned zones = configured[below(walk, ARRAY_LEN(configured))];
	unsigned max_order = 1 + below(walk, 10), pageblock_order = 1 + below(walk, max_order);

	if (one_in(walk, 3)) {
		max_order = 10;
		pageblock_order = 9;
	}
	walk->oracle->fallback = walk->row->fallback;
	walk->oracle->configured_zones = zones ? zones : 0x17;
	walk->greed = 5;
	draw_zones(walk, max_order, pageblock_order);
	create_phys(walk, zones);
}

/* ---- Steps ---- */

static unsigned some_order(struct walk *walk)
{
	unsigned nr = walk->oracle->zone[0].max_order + 1;

	switch (below(walk, 4)) {
	case 0:
		return below(walk, nr + 1); /* with one that does not exist */
	case 1:
		return below(walk, nr);
	default:
		return below(walk, 1 + below(walk, nr));
	}
}

/* All zone bits and both type bits, as likely as makes sense: both types at once are refused. */
static uint32_t some_gfp(struct walk *walk)
{
	static const uint32_t zones[] = { 0, 0, 0, 0, 0, 1, 2, 4, 2, 0, 3, 5, 6 };
	static const uint32_t types[] = { 0, IOMMUSIM_GFP_BIT_MOVABLE,
		                          IOMMUSIM_GFP_BIT_RECLAIMABLE };
	uint32_t gfp = zones[below(walk, ARRAY_LEN(zones))] | types[below(walk, ARRAY_LEN(types))];

	if (one_in(walk, 8))
		gfp |= IOMMUSIM_GFP_BIT_THISNODE;
	if (one_in(walk, 8))
		gfp |= IOMMUSIM_GFP_BIT_COMP;
	if (one_in(walk, 200))
		gfp |= IOMMUSIM_GFP_BIT_MOVABLE | IOMMUSIM_GFP_BIT_RECLAIMABLE;
	return gfp;
}

/* -1 and 0 .. 2, which may have no zone for the request; 3 and 63 have none at all. */
static int some_node(struct walk *walk)
{
	static const int nodes[] = { -1, 0, 0, 0, 1, 2, 3, 63 };

	return nodes[below(walk, ARRAY_LEN(nodes))];
}

static void alloc_some(struct walk *walk)
{
	struct iommusim_page_request req = { .order = some_order(walk),
		                             .gfp = some_gfp(walk),
		                             .node = some_node(walk) };
	struct iommusim_page_block block = { IOMMUSIM_NO_PFN, 0, 0 };
	int is_legal = (req.gfp >> 3 & 3) != 3;
	int err = iommusim_phys_alloc(walk->phys, &req, &block);
	struct take take;
	struct oracle_zone *z = is_legal ? oracle_take(walk->oracle, &req, &take) : NULL;

	if (!z) {
		assert_same_error(walk, "alloc", err,
		                  is_legal ? -IOMMUSIM_ENOMEM : -IOMMUSIM_EINVAL);
		walk->nr_refused++;
		return;
	}
	assert_same_error(walk, "alloc", err, 0);
	if (block.pfn != take.pfn || block.zone != (unsigned)z->config.zone ||
	    block.migratetype != take.found_on)
		fail_msg("%s: order %u, gfp 0x%x, node %d: 0x%llx of %s, found on %u, not 0x%llx "
		         "of %s, found on %u",
		         where(walk), req.order, (unsigned)req.gfp, req.node,
		         (unsigned long long)block.pfn, iommusim_zone_name(block.zone),
		         block.migratetype, (unsigned long long)take.pfn,
		         iommusim_zone_name(z->config.zone), take.found_on);
	oracle_use(z, &take, req.gfp);
	walk->nr_granted++;
	walk->nr_fallbacks += take.found_on != take.type;
}

/* The first block in use from a random frame of @z on. 0: there is none. */
static int find_used(struct walk *walk, struct oracle_zone *z, uint64_t *pfn, unsigned *order)
{
	unsigned nr = (unsigned)z->config.nr_frames, first = below(walk, nr);

	for (unsigned i = first; i < first + nr; i++) {
		if (z->page[i % nr].state != PAGE_USED)
			continue;
		*pfn = z->start + i % nr;
		*order = z->page[i % nr].order;
		return 1;
	}
	return 0;
}

/* A block in use; sometimes another order or another frame, in a zone or just outside. */
static void draw_block(struct walk *walk, uint64_t *pfn, unsigned *order)
{
	unsigned nr = walk->oracle->nr_zones, first = below(walk, nr), i = 0;
	struct oracle_zone *z = &walk->oracle->zone[first];

	while (i < nr && !find_used(walk, &walk->oracle->zone[(first + i) % nr], pfn, order))
		i++;
	if (i == nr || one_in(walk, 32))
		*pfn = z->start - 5 + below(walk, z->config.nr_frames + 10);
	if (i == nr || one_in(walk, 16))
		*order = some_order(walk);
}

static void free_some(struct walk *walk)
{
	uint64_t pfn = 0;
	unsigned order = 0;
	int want;

	draw_block(walk, &pfn, &order);
	want = oracle_free(walk->oracle, pfn, order);
	assert_same_error(walk, "free", iommusim_phys_free(walk->phys, pfn, order), want);
	walk->nr_freed += want == 0;
	walk->nr_not_freed += want != 0;
	if (one_in(walk, 4)) /* freed twice, or refused twice */
		assert_same_error(walk, "free again", iommusim_phys_free(walk->phys, pfn, order),
		                  -IOMMUSIM_EINVAL);
}

static void split_some(struct walk *walk)
{
	uint64_t pfn = 0;
	unsigned order = 0;
	int want;

	draw_block(walk, &pfn, &order);
	want = oracle_split(walk->oracle, pfn, order);
	assert_same_error(walk, "split", iommusim_phys_split(walk->phys, pfn, order), want);
	walk->nr_split += want == 0;
}

/* No block moves: lists and pageblocks disagree from here on, and both sides must make of it the
 * same. */
static void set_some_type(struct walk *walk)
{
	struct oracle_zone *z = &walk->oracle->zone[below(walk, walk->oracle->nr_zones)];
	uint64_t pfn = z->start + below(walk, z->config.nr_frames);
	unsigned type = below(walk, IOMMUSIM_NR_MIGRATETYPES);

	*type_of(z, pfn) = type;
	assert_ok(iommusim_phys_set_pageblock_type(walk->phys, pfn, type));
}

static void fork_and_go_on(struct walk *walk)
{
	struct iommusim_phys *copy = NULL;

	assert_ok(iommusim_phys_fork(walk->phys, &copy));
	assert_same(walk);
	iommusim_phys_destroy(walk->phys);
	walk->phys = copy;
}

static void step(struct walk *walk)
{
	if (one_in(walk, 50))
		walk->greed = 1 + below(walk, 9);
	if (one_in(walk, 100))
		fork_and_go_on(walk);
	if (walk->row->sets_types && one_in(walk, 20))
		set_some_type(walk);
	if (below(walk, 10) < walk->greed)
		alloc_some(walk);
	else if (one_in(walk, 16))
		split_some(walk);
	else
		free_some(walk);
	assert_same(walk);
	if (walk->step % 64 == 0)
		assert_sound(walk);
}

static void walk_a_world(struct walk *walk)
{
	walk->rng = isim_rng_seed(walk->seed);
	walk->oracle = calloc(1, sizeof(*walk->oracle));
	assert_non_null(walk->oracle);
	draw_world(walk);
	assert_same(walk);
	for (walk->step = 1; walk->step <= STEPS; walk->step++)
		step(walk);
	iommusim_phys_destroy(walk->phys);
	free(walk->oracle);
}

static void every_call_leaves_the_lists_that_the_obvious_allocator_leaves(void **state)
{
	const struct row *row = *state;
	struct walk walk = { .row = row };

	print_message("# seeds %u to %u\n", row->seed, row->seed + WORLDS - 1);
	for (walk.seed = row->seed; walk.seed < row->seed + WORLDS; walk.seed++)
		walk_a_world(&walk);
	print_message("# %u granted, %u by fallback, %u not; %u freed, %u not; %u split\n",
	              walk.nr_granted, walk.nr_fallbacks, walk.nr_refused, walk.nr_freed,
	              walk.nr_not_freed, walk.nr_split);
	assert_true(walk.nr_granted > WORLDS * STEPS / 5);
	assert_true(walk.nr_fallbacks > WORLDS * STEPS / 50);
	assert_true(walk.nr_refused > WORLDS * STEPS / 50);
	assert_true(walk.nr_freed > WORLDS * STEPS / 5);
	assert_true(walk.nr_not_freed > WORLDS * STEPS / 50);
	assert_true(walk.nr_split > WORLDS);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest)TEST_ROW(
			every_call_leaves_the_lists_that_the_obvious_allocator_leaves, &rows[i]);
	return RUN_TESTS(tests);
}
