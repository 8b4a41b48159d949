/* SPDX-License-Identifier: MIT */
/*
 * The tree of ranges: which sizes fit a hole, against trying all of them; then random insertions
 * and removals, with every entry of every node computed anew from what is below it.
 */
#include <string.h>

#include "test.h"

#include "base/rng.h"
#include "iova/fit.h"
#include "iova/tree.h"

/* ---- Holes ---- */

static uint64_t pow2_up(uint64_t size)
{
	uint64_t align = 1;

	while (align < size)
		align *= 2;
	return align;
}

/* The largest size that has an aligned place, by trying every size from the top. */
static uint64_t fit_by_trying(uint64_t from, uint64_t end)
{
	for (uint64_t size = end - from; size > 1; size--) {
		uint64_t lo = (end - size) & ~(pow2_up(size) - 1);

		if (lo >= from)
			return size;
	}
	return 1;
}

static void the_largest_fit_is_that_of_trying_every_size(void **state)
{
	for (uint64_t base = 0; base <= UINT64_C(1) << 40; base = base ? base << 8 : 256)
		for (uint64_t from = base > 64 ? base - 64 : base; from < base + 140; from++)
			for (uint64_t end = from + 1; end <= from + 140; end++)
				assert_int_equal(isim_largest_fit(from, end),
				                 fit_by_trying(from, end));
	assert_int_equal(isim_largest_fit(0, UINT64_MAX), UINT64_MAX);
	assert_int_equal(isim_largest_fit(1, UINT64_MAX), (UINT64_C(1) << 63) - 1);
	assert_int_equal(isim_largest_fit(1, UINT64_C(1) << 63), UINT64_C(1) << 62);
	assert_int_equal(isim_largest_fit(UINT64_MAX - 1, UINT64_MAX), 1);
}

static void smaller_sizes_fit_too(void **state)
{
	for (uint64_t from = 1; from < 70; from++)
		for (uint64_t end = from + 1; end < 140; end++)
			for (uint64_t size = 1; size <= end - from; size++) {
				uint64_t lo = (end - size) & ~(pow2_up(size) - 1);

				assert_int_equal(lo >= from, size <= isim_largest_fit(from, end));
			}
}

/* ---- The whole tree, checked ---- */

struct walk {
	const struct isim_tree *tree;
	uint64_t nr, below; /* ranges met; the first frame above the last of them */
	uint32_t prev;      /* leaf */
	uint32_t nr_leaves, nr_inners;
};

static void add(struct isim_tree_sum *sum, const struct isim_tree_sum *more)
{
	sum->hi = more->hi;
	if (more->fit > sum->fit)
		sum->fit = more->fit;
	if (more->hole > sum->hole)
		sum->hole = more->hole;
}

static struct isim_tree_sum check_leaf(struct walk *walk, uint32_t n)
{
	const struct isim_tree_leaf *leaf = &walk->tree->leaf[n];
	struct isim_tree_sum sum = { 0, 0, 0 };

	assert_in_range(leaf->nr, 1, ISIM_TREE_WIDTH);
	assert_int_equal(leaf->prev, walk->prev);
	if (walk->prev != ISIM_NO_LEAF)
		assert_int_equal(walk->tree->leaf[walk->prev].next, n);
	for (uint32_t i = 0; i < leaf->nr; i++) {
		const struct isim_tree_range *r = &leaf->range[i];
		struct isim_tree_sum own = { r->hi, 0, r->lo - walk->below };

		assert_true(r->lo >= walk->below && r->hi >= r->lo);
		own.fit = own.hole ? isim_largest_fit(walk->below, r->lo) : 0;
		assert_int_equal(r->fit, own.fit);
		if (!walk->below) /* the lowest of all does not count */
			own.fit = own.hole = 0;
		add(&sum, &own);
		walk->below = r->hi + 1;
		walk->nr++;
	}
	walk->prev = n;
	walk->nr_leaves++;
	return sum;
}

static struct isim_tree_sum check_node(struct walk *walk, unsigned level, uint32_t n)
{
	const struct isim_tree_inner *inner = &walk->tree->inner[n];
	struct isim_tree_sum sum = { 0, 0, 0 };

	if (!level)
		return check_leaf(walk, n);
	assert_in_range(inner->nr, 1, ISIM_TREE_WIDTH);
	for (uint32_t i = 0; i < inner->nr; i++) {
		struct isim_tree_sum below = check_node(walk, level - 1, inner->entry[i].child);

		assert_memory_equal(&below, &inner->entry[i].sum, sizeof(below));
		add(&sum, &below);
	}
	walk->nr_inners++;
	return sum;
}

static void assert_sound(const struct isim_tree *tree)
{
	struct walk walk = { .tree = tree, .prev = ISIM_NO_LEAF };

	check_node(&walk, tree->height, tree->root);
	assert_int_equal(walk.nr, tree->nr);
	assert_int_equal(walk.below, 0); /* that is 2^64: the anchor comes last */
	assert_int_equal(tree->leaf[walk.prev].next, ISIM_NO_LEAF);
	assert_int_equal(walk.nr_leaves + tree->nr_unused_leaves, tree->nr_leaves);
	assert_int_equal(walk.nr_inners + tree->nr_unused_inners, tree->nr_inners);
	assert_in_range(tree->nr_leaves, 1, tree->leaf_cap);
	assert_in_range(tree->nr_inners, 0, tree->inner_cap);
}

/* ---- Random steps ---- */

static const struct world {
	const char *name;
	uint64_t frames, longest, seed;
	unsigned nr_steps; /* so many mostly insert, as many mostly remove, three times over */
	unsigned height;   /* that must be reached */
} worlds[] = {
	{ "forty frames", 40, 3, 1, 100, 0 },
	{ "a thousand frames, close together", 1000, 4, 2, 900, 1 },
	{ "many frames, ranges far apart", UINT64_C(1) << 36, 64, 3, 4000, 2 },
	{ "many short ranges", 100000, 2, 4, 40000, 3 },
	{ "all frames", UINT64_MAX - 1, UINT64_MAX / 512, 5, 600, 1 },
};

static void insert_some(struct isim_tree *tree, struct isim_rng *rng, const struct world *w)
{
	uint64_t lo = isim_rng_below(rng, w->frames), hi = lo + isim_rng_below(rng, w->longest);
	struct isim_tree_place place;

	isim_tree_find(tree, lo, &place);
	if (isim_tree_at(tree, &place)->lo <= lo)
		return;
	if (hi < lo || hi >= isim_tree_at(tree, &place)->lo)
		hi = isim_tree_at(tree, &place)->lo - 1;
	assert_ok(isim_tree_reserve(tree));
	isim_tree_insert(tree, &place, lo, hi);
	isim_tree_find(tree, hi, &place);
	assert_int_equal(isim_tree_at(tree, &place)->lo, lo);
	assert_int_equal(isim_tree_at(tree, &place)->hi, hi);
}

/* The range at or above some frame: removed, or made longer. */
static void change_some(struct isim_tree *tree, struct isim_rng *rng, const struct world *w)
{
	struct isim_tree_place place;
	uint64_t below, lo;

	isim_tree_find(tree, isim_rng_below(rng, w->frames), &place);
	lo = isim_tree_at(tree, &place)->lo;
	if (lo == UINT64_MAX)
		return;
	below = isim_tree_below(tree, place.leaf, place.slot);
	if (below < lo && !isim_rng_below(rng, 16))
		isim_tree_extend(tree, &place, isim_rng_range(rng, below, lo - 1));
	else
		isim_tree_remove(tree, &place);
}

/* The highest hole below @place by looking at every one. 1 if there is one for @size. */
static int walk_to_hole(const struct isim_tree *tree, uint64_t size, int aligned,
                        struct isim_tree_place *place)
{
	for (;;) {
		uint64_t below = isim_tree_below(tree, place->leaf, place->slot), lo;

		if (!below)
			return 0;
		isim_tree_find(tree, below - 1, place);
		below = isim_tree_below(tree, place->leaf, place->slot);
		lo = isim_tree_at(tree, place)->lo;
		if (lo - below < size)
			continue;
		if (!aligned || ((lo - size) & ~(pow2_up(size) - 1)) >= below)
			return 1;
	}
}

static void assert_same_hole(const struct isim_tree *tree, struct isim_rng *rng,
                             const struct world *w)
{
	struct isim_tree_place got, want;
	uint64_t size = 1 + isim_rng_below(rng, 4 * w->longest / 3 + 1);
	int aligned = isim_rng_below(rng, 2) > 0, is_there;

	isim_tree_find(tree, isim_rng_below(rng, w->frames), &got);
	want = got;
	is_there = walk_to_hole(tree, size, aligned, &want);
	assert_int_equal(isim_tree_find_hole(tree, size, aligned, &got), is_there);
	if (is_there)
		assert_int_equal(isim_tree_at(tree, &got)->hi, isim_tree_at(tree, &want)->hi);
}

static struct isim_tree given_tree(struct iommusim_fault *fault)
{
	struct iommusim_host host = iommusim_host_failing(fault);
	struct isim_tree tree;

	assert_ok(isim_tree_init(&tree, &host, UINT64_MAX));
	return tree;
}

static void steps(struct isim_tree *tree, struct isim_rng *rng, const struct world *w,
                  unsigned *height)
{
	for (unsigned i = 0; i < 6 * w->nr_steps; i++) {
		if (isim_rng_below(rng, 10) < (i / w->nr_steps % 2 ? 2u : 8u))
			insert_some(tree, rng, w);
		else
			change_some(tree, rng, w);
		if (tree->height > *height)
			*height = tree->height;
		if (i % (1 + w->nr_steps / 100))
			continue;
		assert_sound(tree);
		assert_same_hole(tree, rng, w);
	}
}

static void every_entry_says_what_is_below_it(void **state)
{
	const struct world *w = *state;
	struct iommusim_fault fault = { 0 };
	struct isim_tree tree = given_tree(&fault), copy;
	struct isim_rng rng = isim_rng_seed(w->seed);
	unsigned height = 0;

	print_message("# seed %u\n", (unsigned)w->seed);
	steps(&tree, &rng, w, &height);
	assert_int_equal(height, w->height);
	assert_ok(isim_tree_fork(&tree, &copy));
	steps(&copy, &rng, w, &height);
	assert_sound(&tree);
	isim_tree_finish(&tree);
	assert_sound(&copy);
	isim_tree_finish(&copy);
	assert_int_equal(fault.nr_live, 0);
}

/* In an order that leaves nodes of one range each behind, the height falls with the number. */
static void a_tree_that_is_emptied_is_low_again(void **state)
{
	struct iommusim_fault fault = { 0 };
	struct isim_tree tree = given_tree(&fault);
	struct isim_tree_place place;

	for (uint64_t lo = 50000; lo-- > 1;) {
		assert_ok(isim_tree_reserve(&tree));
		isim_tree_find(&tree, lo * 2, &place);
		isim_tree_insert(&tree, &place, lo * 2, lo * 2);
	}
	assert_int_equal(tree.height, 3);
	assert_in_range(tree.nr_leaves, 50000 / ISIM_TREE_WIDTH, 50000 / 23); /* three quarters */
	for (uint64_t odd = 2; odd-- > 0;)
		for (uint64_t lo = 50000; lo-- > 1;)
			if (lo % 64 == 0 ? !odd : odd) {
				isim_tree_find(&tree, lo * 2, &place);
				isim_tree_remove(&tree, &place);
			}
	assert_sound(&tree);
	assert_int_equal(tree.nr, 1);
	assert_int_equal(tree.height, 0);
	isim_tree_finish(&tree);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(worlds) + 3] = {
		cmocka_unit_test(the_largest_fit_is_that_of_trying_every_size),
		cmocka_unit_test(smaller_sizes_fit_too),
		cmocka_unit_test(a_tree_that_is_emptied_is_low_again),
	};

	for (size_t i = 0; i < ARRAY_LEN(worlds); i++)
		tests[i + 3] =
			(struct CMUnitTest)TEST_ROW(every_entry_says_what_is_below_it, &worlds[i]);
	return RUN_TESTS(tests);
}
