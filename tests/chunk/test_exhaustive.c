/* SPDX-License-Identifier: MIT */
/*
 * A world small enough to be seen whole: a zone of 16 pages, every pattern of free and busy ones,
 * every count of pages, every policy and every order mask. What each run did is replayed against
 * policies written down again from their rules, over nothing but a bitmap.
 *
 * test_exhaustive [PART PARTS]: all patterns of one part of the world; without arguments 1 % of the
 * world, chosen by a fixed seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "test.h"

#define NR_PAGES    16u
#define NR_PATTERNS (1u << NR_PAGES)
#define MAX_ORDER   4u
#define NR_MASKS    (1u << (MAX_ORDER + 1))
#define FIRST_PFN   (UINT64_C(1) << 20)
#define SEED        20160303u

#define R      IOMMUSIM_GFP_BIT_NORETRY
#define SINGLE IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES

/* ---- The replay ---- */

struct replay {
	const struct iommusim_chunks *chunks;
	uint32_t free; /* bit n: page n of the zone is free */
	size_t at;     /* the attempt that comes next */
	uint64_t left; /* pages still to get */
	int is_wrong;
};

static unsigned high_bit(uint64_t x)
{
	unsigned n = 0;

	while (x >>= 1)
		n++;
	return n;
}

/* The pages of an aligned block, as bits. */
static uint32_t block_bits(unsigned page, unsigned order)
{
	return ((UINT32_C(1) << (1u << order)) - 1) << page;
}

static int has_block(uint32_t free, unsigned order)
{
	for (unsigned page = 0; order <= MAX_ORDER && page < NR_PAGES; page += 1u << order)
		if ((free & block_bits(page, order)) == block_bits(page, order))
			return 1;
	return 0;
}

/* The next attempt was at @order, with NORETRY or not, and went as the bitmap says. 1: success. */
static int went(struct replay *replay, unsigned order, int is_noretry)
{
	const struct iommusim_attempt *attempt = &replay->chunks->attempt[replay->at];
	uint64_t page = attempt->pfn - FIRST_PFN;
	int is_there = has_block(replay->free, order);

	if (replay->at++ >= replay->chunks->nr_attempts || attempt->order != order ||
	    !(attempt->gfp & R) != !is_noretry || (attempt->pfn == IOMMUSIM_NO_PFN) != !is_there) {
		replay->is_wrong = 1;
		return 0;
	}
	if (!is_there)
		return 0;
	if (page >= NR_PAGES || page & ((1u << order) - 1) ||
	    (replay->free & block_bits((unsigned)page, order)) !=
	            block_bits((unsigned)page, order)) {
		replay->is_wrong = 1; /* not aligned, or not free: handed out twice */
		return 0;
	}
	replay->free &= ~block_bits((unsigned)page, order);
	replay->left -= UINT64_C(1) << order;
	return 1;
}

/* ---- The policies, once more; each returns whether all pages were got ---- */

static int replay_p1(struct replay *replay, uint32_t mask, int single)
{
	while (replay->left && !replay->is_wrong) {
		unsigned order = high_bit(replay->left);

		while (!went(replay, order, order > 0))
			if (replay->is_wrong || order-- == 0)
				return 0;
	}
	return 1;
}

static int replay_sticky(struct replay *replay, unsigned order)
{
	while (replay->left && !replay->is_wrong) {
		if (order > high_bit(replay->left))
			order = high_bit(replay->left);
		while (!went(replay, order, order > 0))
			if (replay->is_wrong || order-- == 0)
				return 0;
	}
	return 1;
}

static int replay_p2(struct replay *replay, uint32_t mask, int single)
{
	return replay_sticky(replay, MAX_ORDER);
}

static int replay_p3(struct replay *replay, uint32_t mask, int single)
{
	return replay_sticky(replay, single ? 0 : MAX_ORDER);
}

static int replay_a4(struct replay *replay, uint32_t mask, int single)
{
	static const unsigned orders[] = { 9, 8, 4, 0 };
	unsigned i = single ? 3 : 0;

	while (replay->left && !replay->is_wrong) {
		if (orders[i] > high_bit(replay->left)) {
			i++;
			continue;
		}
		if (went(replay, orders[i], orders[i] > 0))
			continue;
		if (i++ == 3)
			return 0;
	}
	return 1;
}

static int replay_mask(struct replay *replay, uint32_t mask, int single)
{
	while (replay->left && !replay->is_wrong) {
		unsigned order;

		mask &= (UINT32_C(2) << high_bit(replay->left)) - 1;
		if (!mask)
			return 0;
		order = high_bit(mask);
		if (!went(replay, order, mask != UINT32_C(1) << order))
			mask &= ~(UINT32_C(1) << order);
	}
	return 1;
}

static const struct subject {
	const char *name;
	int (*replay)(struct replay *replay, uint32_t mask, int single);
	int looks_at_mask, looks_at_attrs;
} subjects[] = {
	{ "P1", replay_p1, 0, 0 }, { "P2", replay_p2, 0, 0 },   { "P3", replay_p3, 0, 1 },
	{ "A4", replay_a4, 0, 1 }, { "P4", replay_mask, 1, 0 }, { "P5", replay_mask, 1, 0 },
};

/* ---- The world ---- */

struct world {
	struct iommusim_phys *phys;
	struct iommusim_page_source source;
	uint32_t pattern;
	uint64_t nr_blocks[MAX_ORDER + 1]; /* free, before the first run */
	uint64_t nr_cases, nr_failed;      /* that ran out of memory */
};

/* The pages of @pattern are free, all others are in use. */
static void open_pattern(struct world *world, uint32_t pattern)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = FIRST_PFN,
		                             .nr_frames = NR_PAGES };
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .nr_orders = MAX_ORDER + 1,
		                               .pageblock_order = MAX_ORDER,
		                               .zones = &zone,
		                               .nr_zones = 1 };
	struct iommusim_page_request req = { .gfp = IOMMUSIM_GFP_KERNEL, .node = -1 };
	struct iommusim_page_block block;

	assert_ok(iommusim_phys_create(&config, &world->phys));
	for (unsigned i = 0; i < NR_PAGES; i++)
		assert_ok(iommusim_phys_alloc(world->phys, &req, &block));
	for (unsigned page = 0; page < NR_PAGES; page++)
		if (pattern >> page & 1)
			assert_ok(iommusim_phys_free(world->phys, FIRST_PFN + page, 0));
	world->pattern = pattern;
	world->source = iommusim_phys_source(world->phys);
	for (unsigned order = 0; order <= MAX_ORDER; order++)
		world->nr_blocks[order] = iommusim_phys_nr_free_blocks(world->phys, order);
}

static int is_as_before(const struct world *world)
{
	for (unsigned order = 0; order <= MAX_ORDER; order++)
		if (iommusim_phys_nr_free_blocks(world->phys, order) != world->nr_blocks[order])
			return 0;
	return 1;
}

/* The chunks are the attempts that succeeded, in their order. */
static int are_chunks(const struct iommusim_chunks *chunks)
{
	size_t nr = 0;

	for (size_t i = 0; i < chunks->nr_attempts; i++) {
		if (chunks->attempt[i].pfn == IOMMUSIM_NO_PFN)
			continue;
		if (nr == chunks->nr_chunks || chunks->chunk[nr].pfn != chunks->attempt[i].pfn ||
		    chunks->chunk[nr++].order != chunks->attempt[i].order)
			return 0;
	}
	return nr == chunks->nr_chunks;
}

/* What one run is about. */
struct trial {
	const struct subject *subject;
	const struct iommusim_policy *policy;
	uint64_t count;
	uint32_t mask;
	int single;
};

/* Is @err what the replay says, and is every page where it belongs? */
static int is_right(struct world *world, const struct trial *trial,
                    const struct iommusim_chunks *chunks, int err)
{
	struct replay replay = { .chunks = chunks, .free = world->pattern, .left = trial->count };
	int got_all = trial->subject->replay(&replay, trial->mask, trial->single);

	world->nr_cases++;
	world->nr_failed += err != 0;
	if (replay.is_wrong || replay.at != chunks->nr_attempts || !are_chunks(chunks))
		return 0;
	if (err)
		return err == -IOMMUSIM_ENOMEM && !got_all && is_as_before(world);
	return got_all && !replay.left;
}

static void run(struct world *world, const struct trial *trial)
{
	struct iommusim_chunk_plan plan = { trial->count << 12, trial->count, trial->mask };
	struct iommusim_chunk_job job = { .policy = trial->policy,
		                          .req = { .size = trial->count << 12,
		                                   .pgsizes = SZ_4K,
		                                   .page_shift = 12,
		                                   .max_order = MAX_ORDER,
		                                   .gfp = IOMMUSIM_GFP_KERNEL,
		                                   .attrs = trial->single ? SINGLE : 0,
		                                   .node = -1 },
		                          .plan = &plan,
		                          .source = &world->source };
	struct iommusim_chunks chunks;
	int err = iommusim_chunk_alloc(&job, &chunks);

	if (!is_right(world, trial, &chunks, err))
		fail_msg("%s%s, pattern 0x%04x, count %u, mask 0x%02x", trial->subject->name,
		         trial->single ? " single-pages" : "", (unsigned)world->pattern,
		         (unsigned)trial->count, (unsigned)trial->mask);
	if (!err && (iommusim_chunk_free(&chunks, &world->source) || !is_as_before(world)))
		fail_msg("%s, pattern 0x%04x, count %u: pages are lost", trial->subject->name,
		         (unsigned)world->pattern, (unsigned)trial->count);
	iommusim_chunks_finish(&chunks);
}

/* One policy on one pattern: every count, every mask or attribute that it looks at. */
static void run_subject(struct world *world, const struct subject *subject)
{
	struct trial trial = { .subject = subject, .policy = iommusim_policy_find(subject->name) };
	uint32_t nr_masks = subject->looks_at_mask ? NR_MASKS : 1;

	for (trial.count = 1; trial.count <= NR_PAGES; trial.count++)
		for (trial.mask = 0; trial.mask < nr_masks; trial.mask++)
			for (trial.single = 0; trial.single <= subject->looks_at_attrs;
			     trial.single++)
				run(world, &trial);
}

static void run_pattern(struct world *world, uint32_t pattern)
{
	open_pattern(world, pattern);
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
		run_subject(world, &subjects[i]);
	assert_ok(iommusim_phys_check(world->phys));
	iommusim_phys_destroy(world->phys);
}

static void report(const struct world *world)
{
	printf("# %lu runs, %lu of them out of memory\n", (unsigned long)world->nr_cases,
	       (unsigned long)world->nr_failed);
	assert_true(world->nr_failed && world->nr_failed < world->nr_cases);
}

/* From the command line: which of how many parts; 0 parts: a hundredth at random. */
static unsigned part, parts;

static void every_run_is_as_the_rules_say(void **state)
{
	struct world world = { .nr_cases = 0 };

	for (uint32_t pattern = part; pattern < NR_PATTERNS; pattern += parts)
		run_pattern(&world, pattern);
	report(&world);
}

static void a_hundredth_is_as_the_rules_say(void **state)
{
	struct world world = { .nr_cases = 0 };
	struct isim_rng rng = isim_rng_seed(SEED);

	printf("# seed %u\n", SEED);
	for (unsigned i = 0; i < NR_PATTERNS / 100; i++)
		run_pattern(&world, (uint32_t)isim_rng_below(&rng, NR_PATTERNS));
	report(&world);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest all[] = { cmocka_unit_test(every_run_is_as_the_rules_say) };
	const struct CMUnitTest some[] = { cmocka_unit_test(a_hundredth_is_as_the_rules_say) };

	if (argc != 3)
		return RUN_TESTS(some);
	part = (unsigned)strtoul(argv[1], NULL, 10);
	parts = (unsigned)strtoul(argv[2], NULL, 10);
	return RUN_TESTS(all);
}
