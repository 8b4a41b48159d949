/* SPDX-License-Identifier: MIT */
/*
 * A treap over an array of nodes. Priorities are a hash of the node's number, so the shape, and
 * with it the cost, is the same on every host; the order of ranges never depends on it.
 */
#include "base/ranges.h"

#include <string.h>

#include "base/rng.h"

void isim_ranges_init(struct isim_ranges *set, const struct iommusim_host *host)
{
	memset(set, 0, sizeof(*set));
	set->host = *host;
	set->root = set->first = set->last = set->free = ISIM_NO_NODE;
}

void isim_ranges_finish(struct isim_ranges *set)
{
	if (set->node)
		isim_free(&set->host, set->node);
	set->node = NULL;
}

int isim_ranges_fork(const struct isim_ranges *set, struct isim_ranges *copy)
{
	*copy = *set;
	copy->node = NULL;
	copy->cap = 0;
	if (!set->nr_used)
		return 0;
	copy->node = isim_zalloc(&set->host, set->nr_used, sizeof(*copy->node));
	if (!copy->node)
		return -IOMMUSIM_EHOST;
	copy->cap = set->nr_used;
	memcpy(copy->node, set->node, set->nr_used * sizeof(*copy->node));
	return 0;
}

int isim_ranges_reserve(struct isim_ranges *set, uint32_t more)
{
	uint64_t spare = set->nr_used - set->nr;

	if (more <= spare)
		return 0;
	return isim_grow(&set->host, &set->node, &set->cap, set->nr_used + (more - spare),
	                 sizeof(*set->node));
}

static uint32_t take_node(struct isim_ranges *set)
{
	uint32_t n = set->free;

	if (n != ISIM_NO_NODE)
		set->free = set->node[n].next;
	else
		n = set->nr_used++;
	return n;
}

/* Let @to stand where @from stood under its parent. */
static void replace_child(struct isim_ranges *set, uint32_t from, uint32_t to)
{
	uint32_t parent = set->node[from].parent;

	if (parent == ISIM_NO_NODE)
		set->root = to;
	else if (set->node[parent].left == from)
		set->node[parent].left = to;
	else
		set->node[parent].right = to;
	if (to != ISIM_NO_NODE)
		set->node[to].parent = parent;
}

/* Let @n, a child, change places with its parent. */
static void rotate_up(struct isim_ranges *set, uint32_t n)
{
	struct isim_range_node *node = set->node;
	uint32_t parent = node[n].parent;
	uint32_t inner;

	replace_child(set, parent, n);
	if (node[parent].left == n) {
		inner = node[n].right;
		node[parent].left = inner;
		node[n].right = parent;
	} else {
		inner = node[n].left;
		node[parent].right = inner;
		node[n].left = parent;
	}
	if (inner != ISIM_NO_NODE)
		node[inner].parent = parent;
	node[parent].parent = n;
}

/* Hang the new leaf @n into the tree and between its neighbours. */
static void attach(struct isim_ranges *set, uint32_t n)
{
	struct isim_range_node *node = set->node;
	uint32_t parent = ISIM_NO_NODE, prev = ISIM_NO_NODE, next = ISIM_NO_NODE;

	for (uint32_t at = set->root; at != ISIM_NO_NODE;) {
		parent = at;
		if (node[n].lo < node[at].lo) {
			next = at;
			at = node[at].left;
		} else {
			prev = at;
			at = node[at].right;
		}
	}
	node[n].parent = parent;
	if (parent == ISIM_NO_NODE)
		set->root = n;
	else if (parent == next)
		node[parent].left = n;
	else
		node[parent].right = n;
	node[n].prev = prev;
	node[n].next = next;
	*(prev == ISIM_NO_NODE ? &set->first : &node[prev].next) = n;
	*(next == ISIM_NO_NODE ? &set->last : &node[next].prev) = n;
}

uint32_t isim_ranges_insert(struct isim_ranges *set, uint64_t lo, uint64_t hi)
{
	uint32_t n = take_node(set);
	struct isim_range_node *node = set->node;
	struct isim_rng rng = isim_rng_seed(n);

	node[n] = (struct isim_range_node){ .lo = lo,
		                            .hi = hi,
		                            .left = ISIM_NO_NODE,
		                            .right = ISIM_NO_NODE,
		                            .priority = (uint32_t)isim_rng_next(&rng) };
	attach(set, n);
	while (node[n].parent != ISIM_NO_NODE && node[node[n].parent].priority < node[n].priority)
		rotate_up(set, n);
	set->nr++;
	return n;
}

void isim_ranges_remove(struct isim_ranges *set, uint32_t n)
{
	struct isim_range_node *node = set->node;
	uint32_t prev = node[n].prev, next = node[n].next;

	while (node[n].left != ISIM_NO_NODE && node[n].right != ISIM_NO_NODE) {
		uint32_t left = node[n].left, right = node[n].right;

		rotate_up(set, node[left].priority > node[right].priority ? left : right);
	}
	replace_child(set, n, node[n].left != ISIM_NO_NODE ? node[n].left : node[n].right);
	*(prev == ISIM_NO_NODE ? &set->first : &node[prev].next) = next;
	*(next == ISIM_NO_NODE ? &set->last : &node[next].prev) = prev;
	node[n].next = set->free;
	set->free = n;
	set->nr--;
}

uint32_t isim_ranges_at_or_above(const struct isim_ranges *set, uint64_t x)
{
	const struct isim_range_node *node = set->node;
	uint32_t found = ISIM_NO_NODE;

	for (uint32_t at = set->root; at != ISIM_NO_NODE;) {
		if (node[at].hi >= x) {
			found = at;
			at = node[at].left;
		} else {
			at = node[at].right;
		}
	}
	return found;
}
