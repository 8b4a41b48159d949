/* SPDX-License-Identifier: MIT */
/*
 * Random calls of several CPUs against the obvious caches, whole magazines copied about, over the
 * obvious allocator. Frames, hints and ranges must be the same after every step.
 */
#include <string.h>

#include "iova/oracle.h"

#include "base/rng.h"
#include "iova/space.h"

#define NR_CPUS 3
#define MAG     127
#define ORDERS  6
#define K61     IOMMUSIM_KERNEL(6, 1)
#define K612    IOMMUSIM_KERNEL(6, 12)

struct mag {
	int nr;
	uint64_t frame[MAG];
};

struct caches {
	int is_old, nr_online;
	int offline[NR_CPUS];
	struct mag loaded[NR_CPUS][ORDERS], prev[NR_CPUS][ORDERS];
	struct mag depot[ORDERS][64];
	int nr_depot[ORDERS];
	unsigned pending[ORDERS];
	int nr_pending;
};

static void empty(struct oracle *o, struct mag *mag)
{
	for (int i = 0; i < mag->nr; i++)
		oracle_free(o, mag->frame[i]);
	mag->nr = 0;
}

static void swap(struct mag *a, struct mag *b)
{
	struct mag was = *a;

	*a = *b;
	*b = was;
}

static int cache_get(struct caches *c, unsigned cpu, unsigned order, uint64_t most, uint64_t *lo)
{
	struct mag *m = &c->loaded[cpu][order];

	if (!m->nr && c->prev[cpu][order].nr)
		swap(m, &c->prev[cpu][order]);
	else if (!m->nr && c->nr_depot[order])
		*m = c->depot[order][--c->nr_depot[order]];
	for (int i = m->nr - 1; i >= 0; i--)
		if (m->frame[i] <= most) {
			*lo = m->frame[i];
			m->frame[i] = m->frame[--m->nr];
			return 1;
		}
	return 0;
}

static void be_pending(struct caches *c, unsigned order)
{
	for (int i = 0; i < c->nr_pending; i++)
		if (c->pending[i] == order)
			return;
	c->pending[c->nr_pending++] = order;
}

static void cache_put(struct caches *c, struct oracle *o, unsigned cpu, unsigned order,
                      uint64_t frame)
{
	struct mag *m = &c->loaded[cpu][order], surplus = { .nr = 0 };

	if (m->nr == MAG && c->prev[cpu][order].nr < MAG) {
		swap(m, &c->prev[cpu][order]);
	} else if (m->nr == MAG) {
		if (c->is_old && c->nr_depot[order] == 32)
			surplus = *m;
		else
			c->depot[order][c->nr_depot[order]++] = *m;
		if (!c->is_old)
			be_pending(c, order);
		m->nr = 0;
	}
	m->frame[m->nr++] = frame;
	empty(o, &surplus);
}

static void cache_empty_cpu(struct caches *c, struct oracle *o, int cpu)
{
	for (int order = 0; order < ORDERS; order++) {
		empty(o, &c->loaded[cpu][order]);
		empty(o, &c->prev[cpu][order]);
	}
}

static void cache_flush(struct caches *c, struct oracle *o)
{
	for (int cpu = 0; cpu < NR_CPUS; cpu++)
		if (!c->offline[cpu])
			cache_empty_cpu(c, o, cpu);
	for (int order = 0; order < ORDERS; order++) {
		for (int i = 0; i < c->nr_depot[order]; i++)
			empty(o, &c->depot[order][c->is_old ? i : c->nr_depot[order] - 1 - i]);
		c->nr_depot[order] = 0;
	}
}

static int cache_trim(struct caches *c, struct oracle *o, unsigned orders)
{
	unsigned was[ORDERS];
	int nr_was = c->nr_pending, nr = 0;

	memcpy(was, c->pending, sizeof(was));
	c->nr_pending = 0;
	for (int i = 0; i < nr_was; i++)
		if (!(orders & 1u << was[i]))
			be_pending(c, was[i]);
	for (int i = 0; i < nr_was; i++) {
		if (!(orders & 1u << was[i]))
			continue;
		nr++;
		if (c->nr_depot[was[i]] > c->nr_online) {
			empty(o, &c->depot[was[i]][--c->nr_depot[was[i]]]);
			be_pending(c, was[i]);
		}
	}
	return nr;
}

/* ---- Random calls ---- */

struct owned {
	uint64_t lo, size;
};

static struct walk {
	struct isim_rng rng;
	struct iommusim_iova *space;
	struct oracle oracle;
	struct caches caches;
	struct owned owned[ORACLE_MOST];
	unsigned nr_owned;
	int most_depot;
	unsigned nr_refused, nr_trimmed;
} walk;

static unsigned order_of(uint64_t size)
{
	unsigned order = 0;

	while (UINT64_C(1) << order < size)
		order++;
	return order;
}

static int expect_alloc(const struct iommusim_iova_request *r, uint64_t *lo)
{
	uint64_t size = r->size < 32 ? UINT64_C(1) << order_of(r->size) : r->size;
	int err;

	if (size <= 32 && cache_get(&walk.caches, r->cpu, order_of(size), r->limit + 1 - size, lo))
		return 0;
	err = oracle_alloc(&walk.oracle, size, r->limit, 1, lo);
	if (!err || !r->flush)
		return err;
	cache_flush(&walk.caches, &walk.oracle);
	return oracle_alloc(&walk.oracle, size, r->limit, 1, lo);
}

static unsigned some_cpu(void)
{
	unsigned cpu =
		isim_rng_below(&walk.rng, 3) ? 0 : (unsigned)isim_rng_below(&walk.rng, NR_CPUS);

	while (walk.caches.offline[cpu])
		cpu = (cpu + 1) % NR_CPUS;
	return cpu;
}

static void alloc_some(uint64_t top)
{
	uint64_t dice = isim_rng_below(&walk.rng, 32), got = 7, want = 7;
	struct iommusim_iova_request r = { .size = dice > 3 ? 1 : UINT64_C(1) << dice,
		                           .cpu = some_cpu() };
	int err;

	if (walk.oracle.nr > ORACLE_MOST - 2)
		return;
	if (!isim_rng_below(&walk.rng, 20))
		r.size = isim_rng_range(&walk.rng, 1, 70);
	r.limit = isim_rng_below(&walk.rng, 8) ? top : isim_rng_below(&walk.rng, top);
	r.flush = isim_rng_below(&walk.rng, 50) == 0;
	err = iommusim_iova_alloc_fast(walk.space, &r, &got);
	assert_err(err, expect_alloc(&r, &want));
	assert_int_equal(got, err ? 7 : want);
	if (err)
		walk.nr_refused++;
	else
		walk.owned[walk.nr_owned++] = (struct owned){ got, r.size };
}

static void free_some(void)
{
	unsigned cpu = some_cpu(), order;
	struct owned *own;

	if (!walk.nr_owned)
		return;
	own = &walk.owned[isim_rng_below(&walk.rng, walk.nr_owned)];
	order = order_of(own->size);
	assert_ok(iommusim_iova_free_fast(walk.space, own->lo, own->size, cpu));
	if (order < ORDERS)
		cache_put(&walk.caches, &walk.oracle, cpu, order, own->lo);
	else
		oracle_free(&walk.oracle, own->lo);
	*own = walk.owned[--walk.nr_owned];
}

static void turn_some_cpu(void)
{
	unsigned cpu = (unsigned)isim_rng_below(&walk.rng, NR_CPUS);
	int is_online = isim_rng_below(&walk.rng, 2) > 0;

	if (walk.caches.offline[cpu] == !is_online)
		return;
	if (!is_online && walk.caches.nr_online == 1)
		return;
	assert_ok(iommusim_iova_set_online(walk.space, cpu, is_online));
	walk.caches.offline[cpu] = !is_online;
	walk.caches.nr_online += is_online ? 1 : -1;
	if (!is_online)
		cache_empty_cpu(&walk.caches, &walk.oracle, (int)cpu);
}

static void work_some(void)
{
	unsigned orders = (unsigned)isim_rng_below(&walk.rng, 64);
	int nr = cache_trim(&walk.caches, &walk.oracle, orders);

	assert_int_equal(iommusim_iova_trim(walk.space, orders), nr);
	walk.nr_trimmed += (unsigned)nr;
}

static void assert_same(void)
{
	struct iommusim_iova_range range = { 0, 0 };
	struct iommusim_iova_stats stats;
	uint64_t from = 0, nr_depot = 0;

	for (int i = 0; i < walk.oracle.nr - 1; i++) {
		assert_int_equal(iommusim_iova_next(walk.space, from, &range), 1);
		assert_memory_equal(&range, &walk.oracle.range[i], sizeof(range));
		from = range.hi + 1;
	}
	for (int order = 0; order < ORDERS; order++)
		nr_depot += (uint64_t)walk.caches.nr_depot[order];
	if (walk.caches.nr_depot[0] > walk.most_depot)
		walk.most_depot = walk.caches.nr_depot[0];
	assert_ok(iommusim_iova_stats(walk.space, UINT64_MAX - 1, &stats));
	assert_int_equal(stats.nr_depot, nr_depot);
}

static const struct world {
	const char *name;
	unsigned kernel;
	uint64_t top; /* frames */
	unsigned phase, nr_steps;
	int depot; /* magazines of order 0 that must be reached */
	uint64_t seed;
} worlds[] = {
	{ "6.1, three CPUs, crowded", K61, 3000, 1500, 30000, 2, 1 },
	{ "6.12, three CPUs, crowded", K612, 3000, 1500, 30000, 2, 2 },
	{ "6.1, three CPUs, until the depot is full", K61, 0xfffff, 9000, 45000, 32, 3 },
	{ "6.12, three CPUs, around 4 GiB", K612, 0x100fff, 9000, 45000, 32, 4 },
	{ "6.6 has the depot of 6.1", IOMMUSIM_KERNEL(6, 6), 3000, 1500, 20000, 1, 5 },
	{ "6.7 has that of 6.12", IOMMUSIM_KERNEL(6, 7), 3000, 1500, 20000, 1, 6 },
};

static void step(const struct world *w, unsigned i)
{
	uint64_t dice = isim_rng_below(&walk.rng, 10000);

	if (dice < 1)
		turn_some_cpu();
	else if (dice < 20)
		work_some();
	else if (dice < (i / w->phase % 2 ? 500u : 9500u))
		alloc_some(w->top);
	else
		free_some();
	assert_int_equal(walk.space->hint32, walk.oracle.hint32);
	assert_int_equal(walk.space->hint64, walk.oracle.hint64);
	assert_int_equal(iommusim_iova_max32(walk.space), walk.oracle.max32);
	assert_int_equal(iommusim_iova_nr_ranges(walk.space), walk.oracle.nr - 1);
}

static struct iommusim_iova *given_space(unsigned kernel)
{
	struct iommusim_iova_config config = { .size = sizeof(config),
		                               .kernel = kernel,
		                               .nr_cpus = NR_CPUS };
	struct iommusim_iova *space = NULL;

	assert_ok(iommusim_iova_create(&config, &space));
	return space;
}

static void every_call_does_what_the_obvious_caches_do(void **state)
{
	const struct world *w = *state;

	memset(&walk, 0, sizeof(walk));
	walk.rng = isim_rng_seed(w->seed);
	print_message("# seed %u\n", (unsigned)w->seed);
	walk.space = given_space(w->kernel);
	oracle_init(&walk.oracle, 1, 12);
	walk.caches.is_old = w->kernel < IOMMUSIM_KERNEL(6, 7);
	walk.caches.nr_online = NR_CPUS;
	for (unsigned i = 0; i < w->nr_steps; i++) {
		step(w, i);
		if (i % 200 == 0)
			assert_same();
	}
	assert_in_range(walk.most_depot, w->depot, 10000);
	assert_true(walk.caches.is_old || walk.nr_trimmed > 2);
	iommusim_iova_destroy(walk.space);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(worlds)];

	for (size_t i = 0; i < ARRAY_LEN(worlds); i++)
		tests[i] = (struct CMUnitTest)TEST_ROW(every_call_does_what_the_obvious_caches_do,
		                                       &worlds[i]);
	return RUN_TESTS(tests);
}
