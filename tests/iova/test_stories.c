/* SPDX-License-Identifier: MIT */
/*
 * Two stories that kernel people tell, each with its figure: the depot that is full after hours,
 * and the map of 162 MB that fails with 2 GB free. The figures are printed as comments.
 */
#include <string.h>

#include "test.h"

#include "base/rng.h"

#define LAST32 UINT64_C(0xfffff)
#define LAST48 UINT64_C(0xfffffffff)
#define MB     UINT64_C(256) /* frames of 4 KiB */

/* ---- The depot ---- */

#define NR_CPUS 8
#define DEEPEST 8192 /* requests at a time */

/*
 * Disks on a queue: four CPUs submit, four others get the interrupts. Most of the time few requests
 * are on their way, but now and then a burst comes, and once in hours a deeper one than before.
 */
struct disks {
	struct iommusim_iova *space;
	uint64_t lo[DEEPEST];
	uint64_t nr_requests, nr_tree; /* so many took a range and gave it back; went to the tree */
};

static void note_tree(struct disks *d, uint64_t before)
{
	uint64_t now = iommusim_iova_nr_ranges(d->space);

	d->nr_tree += now > before ? now - before : before - now;
}

static void burst(struct disks *d, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++) {
		struct iommusim_iova_request request = {
			.size = 1, .limit = LAST48, .cpu = i % 4, .flush = 1
		};
		uint64_t before = iommusim_iova_nr_ranges(d->space);

		assert_ok(iommusim_iova_alloc_fast(d->space, &request, &d->lo[i]));
		note_tree(d, before);
	}
	for (unsigned i = 0; i < depth; i++) {
		uint64_t before = iommusim_iova_nr_ranges(d->space);

		assert_ok(iommusim_iova_free_fast(d->space, d->lo[i], 1, 4 + i % 4));
		note_tree(d, before);
	}
	d->nr_requests += depth;
}

/* Tree operations for a thousand requests, once bursts of that depth are nothing new. */
static unsigned tree_share(struct disks *d, unsigned depth)
{
	for (unsigned i = 0; i < 32; i++)
		burst(d, depth);
	d->nr_requests = d->nr_tree = 0;
	for (unsigned i = 0; i < 4; i++)
		burst(d, depth);
	return (unsigned)(d->nr_tree * 1000 / d->nr_requests);
}

static struct disks *given_disks(unsigned kernel)
{
	static struct disks d;
	struct iommusim_iova_config config = { .size = sizeof(config),
		                               .kernel = kernel,
		                               .nr_cpus = NR_CPUS };

	memset(&d, 0, sizeof(d));
	assert_ok(iommusim_iova_create(&config, &d.space));
	return &d;
}

static struct iommusim_iova_stats stats_of(struct iommusim_iova *space, uint64_t limit)
{
	struct iommusim_iova_stats stats;

	assert_ok(iommusim_iova_stats(space, limit, &stats));
	return stats;
}

static void tell_share(struct disks *d, unsigned depth, unsigned share)
{
	struct iommusim_iova_stats stats = stats_of(d->space, LAST48);

	print_message("# bursts of %u: %u tree operations in 1000 requests; %u cached, depot %u\n",
	              depth, share, (unsigned)stats.nr_cached, (unsigned)stats.nr_depot);
}

/* The caches of 6.1 hold 32 magazines and what CPUs have: above that, bursts go to the tree. */
static void the_depot_of_6_1_is_full_after_hours(void **state)
{
	struct disks *d = given_disks(IOMMUSIM_KERNEL(6, 1));
	unsigned share = 0, first_full = 0;

	for (unsigned depth = 512; depth <= DEEPEST; depth += 512) {
		unsigned before = share;

		share = tree_share(d, depth);
		tell_share(d, depth, share);
		assert_true(share >= before || share < 10); /* caches still grow a little */
		if (share > 20 && !first_full)
			first_full = depth;
	}
	assert_in_range(first_full, 32 * 127, 32 * 127 + 4 * 254 + 512);
	assert_int_equal(stats_of(d->space, LAST48).nr_depot, 32);
	assert_in_range(share, 900, 1100);
	iommusim_iova_destroy(d->space);
}

/* From 6.7 on the caches hold any burst, and then let it go: one magazine each 100 ms. */
static void the_depot_of_6_12_grows_and_is_trimmed(void **state)
{
	struct disks *d = given_disks(IOMMUSIM_KERNEL(6, 12));
	unsigned nr_runs = 0;

	for (unsigned depth = 512; depth <= DEEPEST; depth += 512)
		assert_in_range(tree_share(d, depth), 0, 10);
	tell_share(d, DEEPEST, 0);
	while (iommusim_iova_trim(d->space, 63))
		nr_runs++;
	assert_int_equal(stats_of(d->space, LAST48).nr_depot, NR_CPUS);
	print_message("# %u00 ms later: depot %u\n", nr_runs, NR_CPUS);
	assert_in_range(nr_runs, 50, 64);
	iommusim_iova_destroy(d->space);
}

/* ---- The 32-bit space of a phone ---- */

#define NR_BUFFERS 300
#define TARGET     (162 * MB)
#define FREE_2G    (2048 * MB)

struct buffer {
	uint64_t lo, size;
};

struct phone {
	struct iommusim_iova *space;
	struct isim_rng rng;
	struct buffer buffer[NR_BUFFERS];
	unsigned nr;
	uint64_t frames; /* of all buffers */
};

/* Most have up to 4 MB, one in twelve up to 400 MB. */
static uint64_t some_size(struct phone *p)
{
	return 1 + isim_rng_below(&p->rng, isim_rng_below(&p->rng, 12) ? 4 * MB : 400 * MB);
}

/* Large buffers live shorter: of two, the larger goes. */
static void drop_some(struct phone *p)
{
	struct buffer *b = &p->buffer[isim_rng_below(&p->rng, p->nr)];
	struct buffer *other = &p->buffer[isim_rng_below(&p->rng, p->nr)];

	if (other->size > b->size)
		b = other;
	iommusim_iova_free(p->space, b->lo);
	p->frames -= b->size;
	*b = p->buffer[--p->nr];
}

/* One buffer more; as many go as it takes to leave 2 GB free. */
static void live_on(struct phone *p)
{
	struct buffer b = { 0, some_size(p) };

	while (p->nr == NR_BUFFERS || (p->nr && p->frames + b.size > LAST32 - FREE_2G))
		drop_some(p);
	if (iommusim_iova_alloc(p->space, b.size, LAST32, 1, &b.lo))
		return;
	p->frames += b.size;
	p->buffer[p->nr++] = b;
}

/* The map on a copy of the space, so that it goes on as if nobody had asked. */
static int map_fails(const struct phone *p, int aligned)
{
	struct iommusim_iova *copy = NULL;
	uint64_t lo = 0;
	int err;

	assert_ok(iommusim_iova_fork(p->space, &copy));
	err = iommusim_iova_alloc(copy, TARGET, LAST32, aligned, &lo);
	iommusim_iova_destroy(copy);
	return err == -IOMMUSIM_ENOMEM;
}

static void a_map_of_162_mb_fails_with_2_gb_free(void **state)
{
	struct iommusim_iova_config config = { .size = sizeof(config) };
	struct phone p = { .rng = isim_rng_seed(162) };
	unsigned nr_failed = 0, nr_unaligned = 0, nr_tries = 0;
	struct iommusim_iova_stats stats;

	assert_ok(iommusim_iova_create(&config, &p.space));
	for (unsigned i = 0; i < 20000; i++) {
		live_on(&p);
		if (p.nr < 100)
			continue;
		nr_tries++;
		nr_unaligned += (unsigned)map_fails(&p, 0);
		if (!map_fails(&p, 1))
			continue;
		stats = stats_of(p.space, LAST32);
		assert_true(stats.nr_free >= FREE_2G);
		assert_true(stats.largest_fit < TARGET);
		if (!nr_failed++)
			print_message("# 162 MB fail: %u MB free in %u holes, the largest %u MB, "
			              "room for %u MB at most, %u buffers\n",
			              (unsigned)(stats.nr_free / MB), (unsigned)stats.nr_holes,
			              (unsigned)(stats.largest_hole / MB),
			              (unsigned)(stats.largest_fit / MB), p.nr);
	}
	print_message("# of %u maps %u fail, of unaligned ones %u\n", nr_tries, nr_failed,
	              nr_unaligned);
	assert_true(nr_failed > 0 && nr_failed < nr_tries);
	assert_true(nr_unaligned < nr_failed);
	iommusim_iova_destroy(p.space);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_depot_of_6_1_is_full_after_hours),
		cmocka_unit_test(the_depot_of_6_12_grows_and_is_trimmed),
		cmocka_unit_test(a_map_of_162_mb_fails_with_2_gb_free),
	};

	return RUN_TESTS(tests);
}
