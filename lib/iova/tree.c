/* SPDX-License-Identifier: MIT */
/*
 * A B+ tree over two arrays of nodes, so that a fork is a copy. Keys are the ends of ranges, since
 * those never move. A node that becomes empty is given back and others are left as they are; hence
 * the height is at most that of the largest set so far.
 */
#include "iova/tree.h"

#include <string.h>

#include "iova/fit.h"

#define FULL ISIM_TREE_WIDTH

/* ---- Memory ---- */

static void forget_arrays(struct isim_tree *tree)
{
	tree->leaf = NULL;
	tree->inner = NULL;
	tree->leaf_cap = tree->inner_cap = 0;
}

void isim_tree_finish(struct isim_tree *tree)
{
	isim_free(&tree->host, tree->leaf);
	isim_free(&tree->host, tree->inner);
	forget_arrays(tree);
}

static int make_arrays(struct isim_tree *tree, uint64_t nr_leaves, uint64_t nr_inners)
{
	if (isim_grow(&tree->host, &tree->leaf, &tree->leaf_cap, nr_leaves, sizeof(*tree->leaf)))
		return -IOMMUSIM_EHOST;
	return isim_grow(&tree->host, &tree->inner, &tree->inner_cap, nr_inners,
	                 sizeof(*tree->inner));
}

int isim_tree_fork(const struct isim_tree *tree, struct isim_tree *copy)
{
	*copy = *tree;
	forget_arrays(copy);
	if (make_arrays(copy, tree->nr_leaves, tree->nr_inners))
		return -IOMMUSIM_EHOST;
	memcpy(copy->leaf, tree->leaf, tree->nr_leaves * sizeof(*tree->leaf));
	if (tree->nr_inners)
		memcpy(copy->inner, tree->inner, tree->nr_inners * sizeof(*tree->inner));
	return 0;
}

int isim_tree_reserve(struct isim_tree *tree)
{
	if (isim_tree_has_room(tree))
		return 0;
	return make_arrays(tree, (uint64_t)tree->nr_leaves - tree->nr_unused_leaves + 1,
	                   (uint64_t)tree->nr_inners - tree->nr_unused_inners + tree->height + 1);
}

static uint32_t take_leaf(struct isim_tree *tree)
{
	uint32_t n = tree->unused_leaf;

	if (!tree->nr_unused_leaves)
		return tree->nr_leaves++;
	tree->unused_leaf = tree->leaf[n].next;
	tree->nr_unused_leaves--;
	return n;
}

static void give_leaf(struct isim_tree *tree, uint32_t n)
{
	tree->leaf[n].next = tree->unused_leaf;
	tree->unused_leaf = n;
	tree->nr_unused_leaves++;
}

static uint32_t take_inner(struct isim_tree *tree)
{
	uint32_t n = tree->unused_inner;

	if (!tree->nr_unused_inners)
		return tree->nr_inners++;
	tree->unused_inner = tree->inner[n].next;
	tree->nr_unused_inners--;
	return n;
}

static void give_inner(struct isim_tree *tree, uint32_t n)
{
	tree->inner[n].next = tree->unused_inner;
	tree->unused_inner = n;
	tree->nr_unused_inners++;
}

/* ---- What entries say ---- */

static void set_fit(struct isim_tree *tree, uint32_t n, unsigned slot)
{
	struct isim_tree_range *range = &tree->leaf[n].range[slot];
	uint64_t below = isim_tree_below(tree, n, slot);

	range->fit = below < range->lo ? isim_largest_fit(below, range->lo) : 0;
}

static struct isim_tree_sum sum_of_leaf(const struct isim_tree *tree, uint32_t n)
{
	const struct isim_tree_leaf *leaf = &tree->leaf[n];
	uint64_t below = isim_tree_below(tree, n, 0);
	struct isim_tree_sum sum = { .hi = leaf->range[leaf->nr - 1].hi };

	for (uint32_t i = 0; i < leaf->nr; i++) {
		const struct isim_tree_range *r = &leaf->range[i];

		if (below) {
			if (r->fit > sum.fit)
				sum.fit = r->fit;
			if (r->lo - below > sum.hole)
				sum.hole = r->lo - below;
		}
		below = r->hi + 1;
	}
	return sum;
}

static struct isim_tree_sum sum_of_inner(const struct isim_tree *tree, uint32_t n)
{
	const struct isim_tree_inner *inner = &tree->inner[n];
	struct isim_tree_sum sum = inner->entry[inner->nr - 1].sum;

	for (uint32_t i = 0; i + 1 < inner->nr; i++) {
		const struct isim_tree_sum *s = &inner->entry[i].sum;

		if (s->fit > sum.fit)
			sum.fit = s->fit;
		if (s->hole > sum.hole)
			sum.hole = s->hole;
	}
	return sum;
}

/* What is below entry @at of node @n, which is @level levels above the leaves' parents. */
static struct isim_tree_sum sum_of_child(const struct isim_tree *tree, unsigned level, uint32_t n)
{
	return level ? sum_of_inner(tree, n) : sum_of_leaf(tree, n);
}

static struct isim_tree_sum *sum_at(const struct isim_tree *tree,
                                    const struct isim_tree_place *place, unsigned level)
{
	return &tree->inner[place->inner[level]].entry[place->at[level]].sum;
}

/* The leaf of @place has changed: let the entries above say so, as far up as they change. */
static void refresh(struct isim_tree *tree, const struct isim_tree_place *place)
{
	uint32_t child = place->leaf;

	for (unsigned level = 0; level < tree->height; level++) {
		struct isim_tree_sum *sum = sum_at(tree, place, level);
		struct isim_tree_sum now = sum_of_child(tree, level, child);

		if (now.hi == sum->hi && now.fit == sum->fit && now.hole == sum->hole)
			return;
		*sum = now;
		child = place->inner[level];
	}
}

/*
 * A hole of the leaf of @place has shrunk that @was so large. Where another was larger, the entries
 * above say what is still true.
 */
static void refresh_smaller(struct isim_tree *tree, const struct isim_tree_place *place,
                            const struct isim_tree_sum *was)
{
	const struct isim_tree_sum *sum = tree->height ? sum_at(tree, place, 0) : was;

	if (was->fit == sum->fit || was->hole == sum->hole)
		refresh(tree, place);
}

/* The hole below @place has grown, and nothing else changed. */
static void refresh_larger(struct isim_tree *tree, const struct isim_tree_place *place)
{
	const struct isim_tree_range *range = isim_tree_at(tree, place);
	uint64_t hole = range->lo - isim_tree_below(tree, place->leaf, place->slot);

	for (unsigned level = 0; level < tree->height; level++) {
		struct isim_tree_sum *sum = sum_at(tree, place, level);

		if (range->fit <= sum->fit && hole <= sum->hole)
			return;
		if (range->fit > sum->fit)
			sum->fit = range->fit;
		if (hole > sum->hole)
			sum->hole = hole;
	}
}

int isim_tree_init(struct isim_tree *tree, const struct iommusim_host *host, uint64_t anchor)
{
	memset(tree, 0, sizeof(*tree));
	tree->host = *host;
	if (isim_tree_reserve(tree))
		return -IOMMUSIM_EHOST;
	tree->root = take_leaf(tree);
	tree->leaf[tree->root] = (struct isim_tree_leaf){ .range = { { anchor, anchor, 0 } },
		                                          .nr = 1,
		                                          .prev = ISIM_NO_LEAF,
		                                          .next = ISIM_NO_LEAF };
	tree->nr = 1;
	set_fit(tree, tree->root, 0);
	return 0;
}

/* ---- Inserting ---- */

/* Where to split: what grows downwards leaves more behind than ahead. */
static unsigned split_point(unsigned at)
{
	return at < FULL / 4 ? FULL / 4 : FULL / 2;
}

/* Move what is at @at and above to a new node, whose number is returned. */
static uint32_t split_leaf(struct isim_tree *tree, uint32_t n, unsigned at)
{
	uint32_t right = take_leaf(tree);
	struct isim_tree_leaf *from = &tree->leaf[n], *to = &tree->leaf[right];

	to->nr = from->nr - at;
	memcpy(to->range, from->range + at, to->nr * sizeof(*to->range));
	from->nr = at;
	to->prev = n;
	to->next = from->next;
	from->next = right;
	if (to->next != ISIM_NO_LEAF)
		tree->leaf[to->next].prev = right;
	return right;
}

static uint32_t split_inner(struct isim_tree *tree, uint32_t n, unsigned at)
{
	uint32_t right = take_inner(tree);
	struct isim_tree_inner *from = &tree->inner[n], *to = &tree->inner[right];

	to->nr = from->nr - at;
	memcpy(to->entry, from->entry + at, to->nr * sizeof(*to->entry));
	from->nr = at;
	return right;
}

/*
 * Split the child below the entry of @place on @level, whose node has room for one more. @place
 * then goes through the half that it is in. @n and @at are the child, and the place in it.
 */
static void split_child(struct isim_tree *tree, struct isim_tree_place *place, unsigned level,
                        uint32_t *n, unsigned *at)
{
	struct isim_tree_inner *inner = &tree->inner[place->inner[level]];
	struct isim_tree_entry *entry = &inner->entry[place->at[level]];
	unsigned point = split_point(*at);
	uint32_t right = level ? split_inner(tree, *n, point) : split_leaf(tree, *n, point);

	memmove(entry + 1, entry, (inner->nr - place->at[level]) * sizeof(*entry));
	inner->nr++;
	entry[0].sum = sum_of_child(tree, level, *n);
	entry[1].sum = sum_of_child(tree, level, right);
	entry[1].child = right;
	if (*at < point)
		return;
	*n = right;
	*at -= point;
	place->at[level]++;
}

static void add_root(struct isim_tree *tree, struct isim_tree_place *place)
{
	uint32_t n = take_inner(tree);
	struct isim_tree_entry *entry = &tree->inner[n].entry[0];

	entry->sum = sum_of_child(tree, tree->height, tree->root);
	entry->child = tree->root;
	tree->inner[n].nr = 1;
	place->inner[tree->height] = n;
	place->at[tree->height] = 0;
	tree->root = n;
	tree->height++;
}

/* The leaf of @place is full: split it, and above it whatever is full too. */
static void make_room(struct isim_tree *tree, struct isim_tree_place *place)
{
	unsigned level = 0;

	while (level < tree->height && tree->inner[place->inner[level]].nr == FULL)
		level++;
	if (level == tree->height)
		add_root(tree, place);
	for (; level; level--)
		split_child(tree, place, level, &place->inner[level - 1], &place->at[level - 1]);
	split_child(tree, place, 0, &place->leaf, &place->slot);
}

void isim_tree_insert(struct isim_tree *tree, struct isim_tree_place *place, uint64_t lo,
                      uint64_t hi)
{
	struct isim_tree_range *range;
	struct isim_tree_leaf *leaf;
	struct isim_tree_sum was = { .fit = isim_tree_at(tree, place)->fit };

	was.hole = isim_tree_at(tree, place)->lo - isim_tree_below(tree, place->leaf, place->slot);
	if (tree->leaf[place->leaf].nr == FULL)
		make_room(tree, place);
	leaf = &tree->leaf[place->leaf];
	range = &leaf->range[place->slot];
	memmove(range + 1, range, (leaf->nr - place->slot) * sizeof(*range));
	*range = (struct isim_tree_range){ .lo = lo, .hi = hi };
	leaf->nr++;
	tree->nr++;
	set_fit(tree, place->leaf, place->slot);
	set_fit(tree, place->leaf, place->slot + 1);
	if (isim_tree_is_lowest(tree, place)) {
		place->slot++; /* what was the lowest counts now */
		refresh_larger(tree, place);
	} else {
		refresh_smaller(tree, place, &was);
	}
}

/* ---- Removing, extending ---- */

static void remove_leaf(struct isim_tree *tree, uint32_t n)
{
	struct isim_tree_leaf *leaf = &tree->leaf[n];

	if (leaf->prev != ISIM_NO_LEAF)
		tree->leaf[leaf->prev].next = leaf->next;
	tree->leaf[leaf->next].prev = leaf->prev; /* the last one holds the anchor */
	give_leaf(tree, n);
}

/* A root with one child is no use. */
static void lower_root(struct isim_tree *tree)
{
	while (tree->height && tree->inner[tree->root].nr == 1) {
		uint32_t n = tree->root;

		tree->root = tree->inner[n].entry[0].child;
		tree->height--;
		give_inner(tree, n);
	}
}

/* The leaf of @place is empty: remove it, and above it whatever becomes empty with it. */
static void remove_empty(struct isim_tree *tree, const struct isim_tree_place *place)
{
	unsigned level = 0;
	struct isim_tree_inner *inner;
	struct isim_tree_entry *entry;
	uint32_t child;

	remove_leaf(tree, place->leaf);
	while (tree->inner[place->inner[level]].nr == 1)
		give_inner(tree, place->inner[level++]);
	inner = &tree->inner[place->inner[level]];
	entry = &inner->entry[place->at[level]];
	inner->nr--;
	memmove(entry, entry + 1, (inner->nr - place->at[level]) * sizeof(*entry));
	for (child = place->inner[level++]; level < tree->height; level++) {
		entry = &tree->inner[place->inner[level]].entry[place->at[level]];
		entry->sum = sum_of_inner(tree, child);
		child = place->inner[level];
	}
	lower_root(tree);
}

void isim_tree_remove(struct isim_tree *tree, struct isim_tree_place *place)
{
	struct isim_tree_leaf *leaf = &tree->leaf[place->leaf];
	struct isim_tree_range *range = &leaf->range[place->slot];
	uint64_t above = isim_tree_above(tree, place)->hi;
	int was_lowest = isim_tree_is_lowest(tree, place);

	leaf->nr--;
	tree->nr--;
	memmove(range, range + 1, (leaf->nr - place->slot) * sizeof(*range));
	if (place->slot == leaf->nr) {
		if (leaf->nr)
			refresh(tree, place);
		else
			remove_empty(tree, place);
		isim_tree_find(tree, above, place);
	}
	set_fit(tree, place->leaf, place->slot);
	if (was_lowest)
		refresh(tree, place); /* the one above counts no longer */
	else
		refresh_larger(tree, place);
}

void isim_tree_extend(struct isim_tree *tree, const struct isim_tree_place *place, uint64_t lo)
{
	tree->leaf[place->leaf].range[place->slot].lo = lo;
	set_fit(tree, place->leaf, place->slot);
	refresh(tree, place); /* a hole has shrunk */
}
