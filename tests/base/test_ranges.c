/* SPDX-License-Identifier: MIT */
/*
 * The set of ranges against a sorted array that is searched from its start: the same ranges, the
 * same nodes, the same neighbours after every random step.
 */
#include <string.h>

#include "test.h"

#include "base/ranges.h"
#include "base/rng.h"

#define STEPS 3000
#define MOST  96 /* ranges in one set */

/* The oracle: every range and the node it has, in ascending order. */
struct book {
	struct {
		uint64_t lo, hi;
		uint32_t node;
	} range[MOST];
	unsigned nr;
};

/* Index of the first range that ends at or above @x; book->nr: none does. */
static unsigned first_at_or_above(const struct book *book, uint64_t x)
{
	unsigned i = 0;

	while (i < book->nr && book->range[i].hi < x)
		i++;
	return i;
}

static uint32_t node_at(const struct book *book, unsigned i)
{
	return i < book->nr ? book->range[i].node : ISIM_NO_NODE;
}

static void note_insert(struct book *book, uint64_t lo, uint64_t hi, uint32_t node)
{
	unsigned i = first_at_or_above(book, lo);

	memmove(&book->range[i + 1], &book->range[i], (book->nr - i) * sizeof(book->range[0]));
	book->range[i].lo = lo;
	book->range[i].hi = hi;
	book->range[i].node = node;
	book->nr++;
}

static void note_remove(struct book *book, unsigned i)
{
	book->nr--;
	memmove(&book->range[i], &book->range[i + 1], (book->nr - i) * sizeof(book->range[0]));
}

/* No child above its parent, and every link to a child has one back. */
static void assert_heap(const struct isim_ranges *set, uint32_t n)
{
	const uint32_t child[] = { set->node[n].left, set->node[n].right };

	for (unsigned i = 0; i < 2; i++) {
		if (child[i] == ISIM_NO_NODE)
			continue;
		assert_int_equal(set->node[child[i]].parent, n);
		assert_true(set->node[child[i]].priority <= set->node[n].priority);
	}
}

static void assert_same(const struct isim_ranges *set, const struct book *book)
{
	assert_int_equal(set->nr, book->nr);
	assert_int_equal(set->first, node_at(book, 0));
	assert_int_equal(set->last, book->nr ? node_at(book, book->nr - 1) : ISIM_NO_NODE);
	for (unsigned i = 0; i < book->nr; i++) {
		const struct isim_range_node *node = &set->node[book->range[i].node];

		assert_int_equal(node->lo, book->range[i].lo);
		assert_int_equal(node->hi, book->range[i].hi);
		assert_int_equal(node->next, node_at(book, i + 1));
		assert_int_equal(node->prev, i ? node_at(book, i - 1) : ISIM_NO_NODE);
		assert_heap(set, book->range[i].node);
	}
}

static void assert_found(const struct isim_ranges *set, const struct book *book, uint64_t x)
{
	assert_int_equal(isim_ranges_at_or_above(set, x),
	                 node_at(book, first_at_or_above(book, x)));
}

/* ---- Random steps ---- */

/* Where the numbers come from: 0 and 2^64 - 1 are as good as any other. */
static const struct world {
	const char *name;
	uint64_t lowest, highest, longest, seed;
} worlds[] = {
	{ "a few small numbers", 0, 40, 3, 1 },
	{ "numbers from 0", 0, 400, 8, 2 },
	{ "numbers up to 2^64 - 1", UINT64_MAX - 400, UINT64_MAX, 8, 3 },
	{ "single numbers next to each other", 1000, 1100, 1, 4 },
	{ "all 64-bit numbers", 0, UINT64_MAX, UINT64_MAX / 64, 5 },
};

static void insert_some(struct isim_ranges *set, struct book *book, struct isim_rng *rng,
                        const struct world *w)
{
	uint64_t lo = isim_rng_range(rng, w->lowest, w->highest);
	uint64_t more = isim_rng_below(rng, w->longest);
	unsigned i = first_at_or_above(book, lo);
	uint64_t last = i < book->nr ? book->range[i].lo - 1 : w->highest;

	if (book->nr == MOST || (i < book->nr && book->range[i].lo <= lo))
		return;
	if (more > last - lo)
		more = last - lo;
	assert_ok(isim_ranges_reserve(set, 1));
	note_insert(book, lo, lo + more, isim_ranges_insert(set, lo, lo + more));
}

static void remove_some(struct isim_ranges *set, struct book *book, struct isim_rng *rng)
{
	unsigned i;

	if (!book->nr)
		return;
	i = (unsigned)isim_rng_below(rng, book->nr);
	isim_ranges_remove(set, book->range[i].node);
	note_remove(book, i);
}

/* Step number @i: two hundred in which the set mostly grows, then as many in which it shrinks. */
static void step(struct isim_ranges *set, struct book *book, struct isim_rng *rng,
                 const struct world *w, unsigned i)
{
	if (isim_rng_below(rng, 10) < (i / 200 % 2 ? 2u : 8u))
		insert_some(set, book, rng, w);
	else
		remove_some(set, book, rng);
	assert_same(set, book);
	assert_found(set, book, isim_rng_range(rng, w->lowest, w->highest));
	assert_found(set, book, 0);
	assert_found(set, book, UINT64_MAX);
}

static struct isim_ranges given_a_set(struct iommusim_fault *fault)
{
	struct iommusim_host host;
	struct isim_ranges set;

	memset(fault, 0, sizeof(*fault));
	host = iommusim_host_failing(fault);
	isim_ranges_init(&set, &host);
	return set;
}

static void ranges_are_those_of_a_sorted_array(void **state)
{
	const struct world *w = *state;
	struct isim_rng rng = isim_rng_seed(w->seed);
	struct iommusim_fault fault;
	struct isim_ranges set = given_a_set(&fault);
	struct book book = { .nr = 0 };

	print_message("# seed %u\n", (unsigned)w->seed);
	assert_same(&set, &book);
	for (unsigned i = 0; i < STEPS; i++)
		step(&set, &book, &rng, w, i);
	while (book.nr)
		remove_some(&set, &book, &rng);
	assert_same(&set, &book);
	assert_found(&set, &book, 0);
	isim_ranges_finish(&set);
	assert_int_equal(fault.nr_live, 0);
}

/* ---- Forks ---- */

static void a_fork_goes_its_own_way(void **state)
{
	const struct world *w = &worlds[1];
	struct isim_rng rng = isim_rng_seed(6);
	struct iommusim_fault fault;
	struct isim_ranges set = given_a_set(&fault), copy;
	struct book book = { .nr = 0 }, copy_book;

	print_message("# seed 6\n");
	for (unsigned i = 0; i < 200; i++)
		step(&set, &book, &rng, w, 0);
	assert_ok(isim_ranges_fork(&set, &copy));
	copy_book = book;
	for (unsigned i = 0; i < 200; i++) {
		step(&set, &book, &rng, w, i);
		assert_same(&copy, &copy_book);
		step(&copy, &copy_book, &rng, w, i);
		assert_same(&set, &book);
	}
	isim_ranges_finish(&set);
	assert_same(&copy, &copy_book);
	isim_ranges_finish(&copy);
	assert_int_equal(fault.nr_live, 0);
}

static void a_fork_of_nothing_is_empty_and_usable(void **state)
{
	struct iommusim_fault fault;
	struct isim_ranges set = given_a_set(&fault), copy;
	struct book book = { .nr = 0 };

	assert_ok(isim_ranges_fork(&set, &copy));
	assert_int_equal(fault.nr_live, 0);
	assert_same(&copy, &book);
	assert_ok(isim_ranges_reserve(&copy, 1));
	note_insert(&book, 1, 2, isim_ranges_insert(&copy, 1, 2));
	assert_same(&copy, &book);
	isim_ranges_finish(&copy);
	isim_ranges_finish(&set);
	assert_int_equal(fault.nr_live, 0);
}

/* ---- The host has no memory ---- */

/* Ranges 0, 10, 20 … of 5 numbers each. */
static struct book fill(struct isim_ranges *set, unsigned nr)
{
	struct book book = { .nr = 0 };

	for (uint64_t lo = 0; book.nr < nr; lo += 10) {
		assert_ok(isim_ranges_reserve(set, 1));
		note_insert(&book, lo, lo + 4, isim_ranges_insert(set, lo, lo + 4));
	}
	return book;
}

static void room_that_cannot_be_had_changes_nothing(void **state)
{
	struct iommusim_fault fault;
	struct isim_ranges set = given_a_set(&fault);
	struct book book = fill(&set, 8);
	unsigned nr_failed = 0;

	while (book.nr < 40) {
		uint64_t lo = book.nr * UINT64_C(10);

		fault.fail_at = fault.nr_allocs + 1;
		if (isim_ranges_reserve(&set, 1)) {
			nr_failed++;
			assert_same(&set, &book);
			assert_int_equal(fault.nr_live, 1);
			assert_ok(isim_ranges_reserve(&set, 1));
		}
		note_insert(&book, lo, lo + 4, isim_ranges_insert(&set, lo, lo + 4));
		assert_same(&set, &book);
	}
	assert_int_equal(nr_failed, 3); /* at 8, 16 and 32 nodes */
	isim_ranges_finish(&set);
	assert_int_equal(fault.nr_live, 0);
}

static void a_fork_that_cannot_be_had_leaves_nothing(void **state)
{
	struct iommusim_fault fault;
	struct isim_ranges set = given_a_set(&fault), copy;
	struct book book = fill(&set, 20);

	fault.fail_at = fault.nr_allocs + 1;
	assert_err(isim_ranges_fork(&set, &copy), IOMMUSIM_EHOST);
	assert_int_equal(fault.nr_live, 1);
	assert_same(&set, &book);
	isim_ranges_finish(&set);
	assert_int_equal(fault.nr_live, 0);
}

static void reserved_room_needs_no_more_memory(void **state)
{
	struct iommusim_fault fault;
	struct isim_ranges set = given_a_set(&fault);
	struct book book = fill(&set, 7);
	uint64_t before;

	isim_ranges_remove(&set, book.range[3].node);
	note_remove(&book, 3);
	assert_ok(isim_ranges_reserve(&set, 50));
	before = fault.nr_allocs;
	for (uint64_t i = 0; i < 50; i++)
		note_insert(&book, 100 + i, 100 + i, isim_ranges_insert(&set, 100 + i, 100 + i));
	assert_int_equal(fault.nr_allocs, before);
	assert_same(&set, &book);
	isim_ranges_finish(&set);
	assert_int_equal(fault.nr_live, 0);
}

static void nodes_that_were_removed_are_room(void **state)
{
	struct iommusim_fault fault;
	struct isim_ranges set = given_a_set(&fault);
	struct book book = fill(&set, 15);
	uint64_t before = fault.nr_allocs;

	isim_ranges_remove(&set, book.range[0].node);
	assert_ok(isim_ranges_reserve(&set, 2)); /* that one and the sixteenth */
	assert_int_equal(fault.nr_allocs, before);
	assert_ok(isim_ranges_reserve(&set, 3));
	assert_int_equal(fault.nr_allocs, before + 1);
	isim_ranges_finish(&set);
}

/* ---- Nodes ---- */

static void removed_nodes_are_used_again(void **state)
{
	struct iommusim_fault fault;
	struct isim_ranges set = given_a_set(&fault);
	struct book book = fill(&set, 8);

	for (uint64_t i = 0; i < 100; i++) {
		isim_ranges_remove(&set, book.range[i % 8].node);
		note_remove(&book, (unsigned)(i % 8));
		assert_ok(isim_ranges_reserve(&set, 1));
		note_insert(&book, 1000 + i, 1000 + i,
		            isim_ranges_insert(&set, 1000 + i, 1000 + i));
		assert_same(&set, &book);
	}
	assert_int_equal(set.nr_used, 8);
	assert_int_equal(fault.nr_allocs, 1);
	isim_ranges_finish(&set);
}

static unsigned depth_of(const struct isim_ranges *set, uint32_t n)
{
	unsigned depth = 0;

	for (; n != ISIM_NO_NODE; n = set->node[n].parent)
		depth++;
	return depth;
}

static void ranges_in_ascending_order_make_no_long_branch(void **state)
{
	struct iommusim_fault fault;
	struct isim_ranges set = given_a_set(&fault);

	for (uint64_t lo = 0; lo < 4096; lo++) {
		assert_ok(isim_ranges_reserve(&set, 1));
		isim_ranges_insert(&set, lo, lo);
	}
	for (uint32_t n = set.first; n != ISIM_NO_NODE; n = set.node[n].next)
		assert_in_range(depth_of(&set, n), 1, 48); /* 12 at best */
	isim_ranges_finish(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ROW(ranges_are_those_of_a_sorted_array, &worlds[0]),
		TEST_ROW(ranges_are_those_of_a_sorted_array, &worlds[1]),
		TEST_ROW(ranges_are_those_of_a_sorted_array, &worlds[2]),
		TEST_ROW(ranges_are_those_of_a_sorted_array, &worlds[3]),
		TEST_ROW(ranges_are_those_of_a_sorted_array, &worlds[4]),
		cmocka_unit_test(a_fork_goes_its_own_way),
		cmocka_unit_test(a_fork_of_nothing_is_empty_and_usable),
		cmocka_unit_test(room_that_cannot_be_had_changes_nothing),
		cmocka_unit_test(a_fork_that_cannot_be_had_leaves_nothing),
		cmocka_unit_test(reserved_room_needs_no_more_memory),
		cmocka_unit_test(nodes_that_were_removed_are_room),
		cmocka_unit_test(removed_nodes_are_used_again),
		cmocka_unit_test(ranges_in_ascending_order_make_no_long_branch),
	};

	return RUN_TESTS(tests);
}
