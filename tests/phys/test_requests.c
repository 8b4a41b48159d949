/* SPDX-License-Identifier: MIT */
/*
 * Random requests, frees, drains and numbers in random worlds with watermarks and per-CPU lists,
 * against the obvious allocator of oracle.h and oracle_attempt.h: every block, every list, every
 * number after every step, and the validator.
 *
 * test_requests [WORLDS]: so many worlds of each row; without an argument a few.
 */
#define ORACLE_FRAMES 1100

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#include "base/rng.h"
#include "oracle_attempt.h"

#define STEPS 400 /* in a world */

static unsigned nr_worlds = 12;

static const struct row {
	const char *name;
	unsigned kernel;
	int sets_types; /* pageblocks get random types now and then */
	unsigned seed;
} rows[] = {
	{ "Linux 6.1", IOMMUSIM_KERNEL(6, 1), 0, 1000 },
	{ "Linux 6.12", IOMMUSIM_KERNEL(6, 12), 0, 2000 },
	{ "Linux 6.1, pageblocks of every type", IOMMUSIM_KERNEL(6, 1), 1, 3000 },
	{ "Linux 6.12, pageblocks of every type", IOMMUSIM_KERNEL(6, 12), 1, 4000 },
};

struct walk {
	const struct row *row;
	unsigned seed, step;
	unsigned greed; /* requests in ten steps; the others free */
	struct isim_rng rng;
	struct iommusim_phys *phys;
	struct request_oracle *r;
	unsigned nr_granted, nr_slow, nr_refused, nr_freed, nr_bulk, nr_oom, nr_reserved;
};

static unsigned below(struct walk *walk, uint64_t n)
{
	return (unsigned)isim_rng_below(&walk->rng, n);
}

static int one_in(struct walk *walk, unsigned n)
{
	return below(walk, n) == 0;
}

static const char *where(const struct walk *walk)
{
	static char text[40];

	snprintf(text, sizeof(text), "seed %u, step %u", walk->seed, walk->step);
	return text;
}

/* ---- Comparing ---- */

static void assert_same_pfns(const struct walk *walk, const char *what, const iommusim_pfn *got,
                             const iommusim_pfn *want, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		if (got[i] != want[i])
			fail_msg("%s: %s: block %u is 0x%llx, not 0x%llx", where(walk), what, i,
			         (unsigned long long)got[i], (unsigned long long)want[i]);
}

static void assert_same_number(const struct walk *walk, const char *what, int64_t got, int64_t want)
{
	if (got != want)
		fail_msg("%s: %s is %lld, not %lld", where(walk), what, (long long)got,
		         (long long)want);
}

static void assert_same_lists(const struct walk *walk, unsigned zone)
{
	const struct oracle_zone *z = &walk->r->base.zone[zone];
	static iommusim_pfn pfns[ORACLE_FRAMES + 1];

	for (unsigned order = 0; order <= z->max_order; order++)
		for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
			struct iommusim_list_id id = { zone, order, type };
			const struct list *want = &z->list[order][type];
			int nr = iommusim_phys_list(walk->phys, id, pfns, ARRAY_LEN(pfns));
			char what[40];

			snprintf(what, sizeof(what), "zone %u, list [%u][%u]", zone, order, type);
			assert_same_number(walk, what, nr, want->nr);
			assert_same_pfns(walk, what, pfns, want->pfn, want->nr);
		}
	for (uint64_t pfn = z->start; pfn < z->end; pfn++)
		assert_same_number(walk, "a pageblock's type",
		                   iommusim_phys_pageblock_type(walk->phys, pfn),
		                   z->pageblock[(pfn >> z->pageblock_order) -
		                                (z->start >> z->pageblock_order)]);
}

static void assert_same_pcp(const struct walk *walk, unsigned zone, unsigned cpu)
{
	const struct pcp *want = &walk->r->pcp[zone][cpu];
	struct iommusim_pcp_id id = { zone, cpu, 0 };
	static iommusim_pfn pfns[ORACLE_FRAMES + 1];
	struct iommusim_pcp_state s;

	for (; id.list < IOMMUSIM_PCP_LISTS; id.list++) {
		char what[40];

		snprintf(what, sizeof(what), "zone %u, CPU %u, list %u", zone, cpu, id.list);
		assert_same_number(walk, what,
		                   iommusim_phys_pcp_list(walk->phys, id, pfns, ARRAY_LEN(pfns)),
		                   want->list[id.list].nr);
		assert_same_pfns(walk, what, pfns, want->list[id.list].pfn, want->list[id.list].nr);
	}
	assert_ok(iommusim_phys_pcp(walk->phys, id, &s));
	assert_same_number(walk, "count", s.count, pcp_count(want));
	assert_same_number(walk, "high", s.high, want->high);
	assert_same_number(walk, "factor", s.factor, want->factor);
	assert_same_number(walk, "free_count", s.free_count, want->free_count);
	assert_same_number(walk, "flags", s.flags, want->flags);
	assert_same_number(walk, "pending", s.pending, walk->r->marks[zone].pending[cpu]);
}

static void assert_same(struct walk *walk)
{
	for (unsigned i = 0; i < walk->r->base.nr_zones; i++) {
		const struct marks *m = &walk->r->marks[i];
		struct iommusim_zone_counters c;
		struct iommusim_zone_numbers n;

		assert_same_lists(walk, i);
		for (unsigned cpu = 0; cpu < 2; cpu++)
			assert_same_pcp(walk, i, cpu);
		assert_ok(iommusim_phys_counters(walk->phys, i, &c));
		assert_ok(iommusim_phys_numbers(walk->phys, i, &n));
		assert_same_number(walk, "the counter", (int64_t)c.nr_free_pages,
		                   m->counter > 0 ? m->counter : 0);
		assert_same_number(walk, "the zone's flags", c.flags, m->flags);
		assert_same_number(walk, "the reserve", (int64_t)c.nr_reserved_highatomic,
		                   (int64_t)m->reserved);
		assert_same_number(walk, "the boost", (int64_t)n.boost, (int64_t)m->n.boost);
	}
	if (!walk->row->sets_types && iommusim_phys_check(walk->phys))
		fail_msg("%s: %s", where(walk), iommusim_phys_error(walk->phys));
}

/* ---- Drawing a world ---- */

/* One to three zones of a few pageblocks; a world's orders are those of 4 KiB pages, or fewer. */
static void draw_zones(struct walk *walk)
{
	static const enum iommusim_zone kinds[] = { IOMMUSIM_ZONE_NORMAL, IOMMUSIM_ZONE_DMA32,
		                                    IOMMUSIM_ZONE_DMA };
	struct oracle *o = &walk->r->base;
	unsigned max_order = one_in(walk, 4) ? 10 : 2 + below(walk, 6);
	unsigned pageblock_order = max_order == 10 ? 9 : 1 + below(walk, max_order);
	uint64_t from = below(walk, 3000);

	o->nr_zones = 1 + below(walk, 3);
	for (unsigned i = 0; i < o->nr_zones; i++) {
		struct oracle_zone *z = &o->zone[i];
		uint64_t most = max_order == 10 ? ORACLE_FRAMES - 300 : 400;

		z->max_order = max_order;
		z->pageblock_order = pageblock_order;
		z->kernel = walk->row->kernel;
		z->config.zone = kinds[i];
		z->config.node = i && one_in(walk, 4);
		z->start = from + below(walk, 100);
		z->end = z->start + 100 + below(walk, most - 100);
		z->config.start_pfn = z->start;
		z->config.nr_frames = z->end - z->start;
		from = z->end;
		boot_zone(z);
		z->marks = &walk->r->marks[i];
		z->marks->counter = (int64_t)z->config.nr_frames;
	}
}

static void create_phys(struct walk *walk, unsigned min_free_kbytes)
{
	const struct oracle *o = &walk->r->base;
	struct iommusim_zone_config zones[ORACLE_ZONES];
	struct iommusim_phys_config config = {
		.size = sizeof(config),
		.kernel = walk->row->kernel,
		.nr_orders = o->zone[0].max_order + 1,
		.pageblock_order = o->zone[0].pageblock_order,
		.zones = zones,
		.nr_zones = o->nr_zones,
		.configured_zones = o->configured_zones,
		.features = IOMMUSIM_PHYS_WATERMARKS | IOMMUSIM_PHYS_PCP |
		            IOMMUSIM_PHYS_HIGHATOMIC | IOMMUSIM_PHYS_CMA,
		.nr_cpus = 2,
		.min_free_kbytes = min_free_kbytes,
	};

	for (unsigned i = 0; i < o->nr_zones; i++)
		zones[i] = o->zone[i].config;
	assert_ok(iommusim_phys_create(&config, &walk->phys));
}

/* Small numbers, so that limits are met. */
static void draw_pcp(struct walk *walk, unsigned zone, unsigned cpu)
{
	struct pcp *pcp = &walk->r->pcp[zone][cpu];
	int is_6_12 = walk->row->kernel >= IOMMUSIM_KERNEL(6, 12);
	struct iommusim_pcp_state s = { .batch = 1 + (int)below(walk, 8), .pending = 0 };

	s.high_min = (int)below(walk, 40);
	s.high_max = s.high_min + (one_in(walk, 4) ? 0 : (int)below(walk, 60));
	s.high = one_in(walk, 3) ? (int)below(walk, 100) : s.high_min;
	s.free_count = is_6_12 ? (int)below(walk, 20) : 0;
	s.factor = (uint8_t)below(walk, 6);
	s.flags = is_6_12 ? (uint8_t)below(walk, 4) : 0;
	s.pending = (int32_t)walk->r->marks[zone].pending[cpu];
	pcp->batch = s.batch;
	pcp->high = s.high;
	pcp->high_min = s.high_min;
	pcp->high_max = s.high_max;
	pcp->free_count = s.free_count;
	pcp->factor = s.factor;
	pcp->flags = s.flags;
	assert_ok(iommusim_phys_set_pcp(walk->phys, (struct iommusim_pcp_id){ zone, cpu, 0 }, &s));
}

static void draw_counters(struct walk *walk, unsigned zone)
{
	struct marks *m = &walk->r->marks[zone];
	struct iommusim_zone_counters c;

	assert_ok(iommusim_phys_counters(walk->phys, zone, &c));
	m->threshold = c.stat_threshold = (int32_t)below(walk, 12);
	m->flags = c.flags = below(walk, 8);
	assert_ok(iommusim_phys_set_counters(walk->phys, zone, &c));
}

static void draw_world(struct walk *walk)
{
	/* DMA 1, DMA32 2, NORMAL 4, MOVABLE 16. */
	static const unsigned configured[] = { 0x17, 0x16, 0x14, 0x15 };

	walk->r->base.configured_zones = configured[below(walk, ARRAY_LEN(configured))];
	walk->r->base.fallback = walk->row->kernel < IOMMUSIM_KERNEL(6, 12) ? IOMMUSIM_FALLBACK_A
	                                                                    : IOMMUSIM_FALLBACK_C;
	walk->greed = 6;
	draw_zones(walk);
	create_phys(walk, 4 + below(walk, 400));
	for (unsigned i = 0; i < walk->r->base.nr_zones; i++) {
		assert_ok(iommusim_phys_numbers(walk->phys, i, &walk->r->marks[i].n));
		draw_counters(walk, i);
		for (unsigned cpu = 0; cpu < 2; cpu++)
			draw_pcp(walk, i, cpu);
	}
}

/* ---- Steps ---- */

static uint32_t some_gfp(struct walk *walk)
{
	static const uint32_t zones[] = { 0, 0, 0, 1, 4 };
	static const uint32_t types[] = { 0, IOMMUSIM_GFP_BIT_MOVABLE,
		                          IOMMUSIM_GFP_BIT_RECLAIMABLE };
	static const uint32_t bits[] = { IOMMUSIM_GFP_BIT_HIGH, IOMMUSIM_GFP_BIT_DIRECT_RECLAIM,
		                         IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM, IOMMUSIM_GFP_BIT_IO,
		                         IOMMUSIM_GFP_BIT_NORETRY };
	static const uint32_t rare[] = { IOMMUSIM_GFP_BIT_ATOMIC,   IOMMUSIM_GFP_BIT_RETRY_MAYFAIL,
		                         IOMMUSIM_GFP_BIT_NOFAIL,   IOMMUSIM_GFP_BIT_MEMALLOC,
		                         IOMMUSIM_GFP_BIT_THISNODE, IOMMUSIM_GFP_BIT_NOMEMALLOC };
	uint32_t gfp = zones[below(walk, ARRAY_LEN(zones))] | types[below(walk, ARRAY_LEN(types))];

	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		gfp |= below(walk, 2) ? bits[i] : 0;
	for (size_t i = 0; i < ARRAY_LEN(rare); i++)
		gfp |= one_in(walk, 12) ? rare[i] : 0;
	return gfp;
}

static unsigned some_order(struct walk *walk)
{
	unsigned nr = walk->r->base.zone[0].max_order + 2;

	return one_in(walk, 3) ? below(walk, nr) : below(walk, nr < 4 ? nr : 4);
}

static void use(const struct walk *walk, struct oracle_zone *z, const struct take *take)
{
	(void)walk;
	for (uint64_t at = 0; at < isim_bit(take->order); at++)
		page_of(z, take->pfn + at)->movable = take->type == IOMMUSIM_MOVABLE;
}

static void alloc_some(struct walk *walk)
{
	struct iommusim_page_request req = { .order = some_order(walk),
		                             .gfp = some_gfp(walk),
		                             .node = (int)below(walk, 3) - 1,
		                             .cpu = below(walk, 2) };
	struct iommusim_page_block block = { IOMMUSIM_NO_PFN, 0, 0 };
	struct iommusim_attempt_report report;
	struct take take = { .pfn = IOMMUSIM_NO_PFN };
	int err = iommusim_phys_alloc(walk->phys, &req, &block);
	struct oracle_zone *z = request_alloc(walk->r, &req, &take);

	iommusim_phys_report(walk->phys, &report);
	if (err != (z ? 0 : -IOMMUSIM_ENOMEM) || (z && block.pfn != take.pfn))
		fail_msg("%s: order %u, gfp 0x%x, node %d: %s, 0x%llx, not 0x%llx", where(walk),
		         req.order, (unsigned)req.gfp, req.node, iommusim_errname(err),
		         (unsigned long long)block.pfn, z ? (unsigned long long)take.pfn : 0);
	assert_same_number(walk, "the number of walks", report.nr_walks, walk->r->nr_walks);
	assert_same_number(walk, "is_oom", report.is_oom, walk->r->is_oom);
	assert_same_number(walk, "would_loop", report.would_loop, walk->r->would_loop);
	if (z)
		use(walk, z, &take);
	walk->nr_granted += z != NULL;
	walk->nr_refused += z == NULL;
	walk->nr_slow += z && report.is_slow;
	walk->nr_oom += report.is_oom;
	walk->nr_reserved += z && z->marks->reserved;
}

static void alloc_bulk(struct walk *walk)
{
	struct iommusim_page_request req = { .gfp = some_gfp(walk),
		                             .node = (int)below(walk, 3) - 1,
		                             .cpu = below(walk, 2) };
	iommusim_pfn got[40], want[40];
	unsigned nr = 2 + below(walk, 39), nr_want;
	int err = iommusim_phys_alloc_bulk(walk->phys, &req, got, nr);

	nr_want = request_bulk(walk->r, &req, want, nr);
	for (unsigned i = 0; i < nr_want; i++)
		for (unsigned zone = 0; zone < walk->r->base.nr_zones; zone++) {
			struct oracle_zone *z = &walk->r->base.zone[zone];
			struct take take = { .pfn = want[i], .type = req.gfp >> 3 & 3 };

			if (is_in_zone(z, want[i]))
				use(walk, z, &take);
		}
	if (!nr_want) {
		struct take take;
		struct oracle_zone *z = request_alloc(walk->r, &req, &take);

		if (z)
			use(walk, z, &take);
		want[0] = take.pfn;
		nr_want = z != NULL;
	}
	walk->nr_bulk += nr_want > 1;
	if (!nr_want && err == -IOMMUSIM_ENOMEM)
		return;
	assert_same_number(walk, "a bulk request", err, nr_want);
	assert_same_pfns(walk, "a bulk request", got, want, nr_want);
}

/* A block in use, from a random frame on. 0: there is none. */
static struct oracle_zone *find_used(struct walk *walk, uint64_t *pfn, unsigned *order)
{
	struct oracle_zone *z = &walk->r->base.zone[below(walk, walk->r->base.nr_zones)];
	unsigned nr = (unsigned)z->config.nr_frames, first = below(walk, nr);

	for (unsigned i = first; i < first + nr; i++) {
		if (z->page[i % nr].state != PAGE_USED)
			continue;
		*pfn = z->start + i % nr;
		*order = z->page[i % nr].order;
		return z;
	}
	return NULL;
}

static void free_some(struct walk *walk)
{
	unsigned order = 0, cpu = below(walk, 2);
	uint64_t pfn = 0;
	struct oracle_zone *z = find_used(walk, &pfn, &order);

	if (!z)
		return;
	assert_ok(iommusim_phys_free_on(walk->phys, pfn, order, cpu));
	request_free(walk->r, z, pfn, order, cpu);
	assert_err(iommusim_phys_free_on(walk->phys, pfn, order, cpu), IOMMUSIM_EINVAL);
	walk->nr_freed++;
}

/* Not Isolate: what that means to counters is for whoever isolates. */
static void set_some_type(struct walk *walk)
{
	struct oracle_zone *z = &walk->r->base.zone[below(walk, walk->r->base.nr_zones)];
	uint64_t pfn = z->start + below(walk, z->config.nr_frames);
	unsigned type = below(walk, IOMMUSIM_ISOLATE);

	*type_of(z, pfn) = type;
	assert_ok(iommusim_phys_set_pageblock_type(walk->phys, pfn, type));
}

static void fork_and_go_on(struct walk *walk)
{
	struct iommusim_phys *copy = NULL;

	assert_ok(iommusim_phys_fork(walk->phys, &copy));
	iommusim_phys_destroy(walk->phys);
	walk->phys = copy;
}

static void rare_step(struct walk *walk)
{
	unsigned zone = below(walk, walk->r->base.nr_zones), cpu = below(walk, 2);

	switch (below(walk, 6)) {
	case 0:
		iommusim_phys_drain(walk->phys);
		request_drain(walk->r);
		break;
	case 1:
		assert_true(iommusim_phys_decay(walk->phys, cpu) >= 0);
		request_decay(walk->r, cpu);
		break;
	case 2:
		draw_pcp(walk, zone, cpu);
		break;
	case 3:
		draw_counters(walk, zone);
		break;
	case 4:
		fork_and_go_on(walk);
		break;
	default:
		if (walk->row->sets_types)
			set_some_type(walk);
	}
}

static void step(struct walk *walk)
{
	if (one_in(walk, 50))
		walk->greed = 1 + below(walk, 9);
	if (one_in(walk, 16))
		rare_step(walk);
	else if (below(walk, 10) >= walk->greed)
		free_some(walk);
	else if (one_in(walk, 20))
		alloc_bulk(walk);
	else
		alloc_some(walk);
	assert_same(walk);
}

static void walk_a_world(struct walk *walk)
{
	walk->rng = isim_rng_seed(walk->seed);
	walk->r = calloc(1, sizeof(*walk->r));
	assert_non_null(walk->r);
	draw_world(walk);
	assert_same(walk);
	for (walk->step = 1; walk->step <= STEPS; walk->step++)
		step(walk);
	iommusim_phys_destroy(walk->phys);
	free(walk->r);
}

static void every_step_leaves_the_state_that_the_obvious_allocator_leaves(void **state)
{
	const struct row *row = *state;
	struct walk walk = { .row = row };
	unsigned steps = nr_worlds * STEPS;

	print_message("# seeds %u to %u\n", row->seed, row->seed + nr_worlds - 1);
	for (walk.seed = row->seed; walk.seed < row->seed + nr_worlds; walk.seed++)
		walk_a_world(&walk);
	print_message("# %u granted, %u by the slow path, %u not; %u freed; %u in bulk, %u oom, "
	              "%u beside a reserve\n",
	              walk.nr_granted, walk.nr_slow, walk.nr_refused, walk.nr_freed, walk.nr_bulk,
	              walk.nr_oom, walk.nr_reserved);
	assert_true(walk.nr_granted > steps / 8);
	assert_true(walk.nr_slow > steps / 100);
	assert_true(walk.nr_refused > steps / 100);
	assert_true(walk.nr_freed > steps / 8);
	assert_true(walk.nr_bulk > steps / 500);
	assert_true(walk.nr_oom > 0);
	assert_true(walk.nr_reserved > 0);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	if (argc > 1)
		nr_worlds = (unsigned)strtoul(argv[1], NULL, 10);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest)TEST_ROW(
			every_step_leaves_the_state_that_the_obvious_allocator_leaves, &rows[i]);
	return RUN_TESTS(tests);
}
