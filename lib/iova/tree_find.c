/* SPDX-License-Identifier: MIT */
/* The ways down the tree: to a frame, and to the highest hole for a size. */
#include "iova/tree.h"

/* Ask for all of a node at once; the search in it would ask for one piece after the other. */
static void prefetch(const void *node, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 64)
		ISIM_PREFETCH((const char *)node + i);
}

void isim_tree_find(const struct isim_tree *tree, uint64_t x, struct isim_tree_place *place)
{
	uint32_t n = tree->root;
	const struct isim_tree_leaf *leaf;
	unsigned lo = 0, hi;

	for (unsigned level = tree->height; level-- > 0;) {
		const struct isim_tree_inner *inner = &tree->inner[n];

		prefetch(inner, sizeof(*inner));
		for (lo = 0, hi = inner->nr - 1; lo < hi;) {
			unsigned mid = (lo + hi) / 2;

			if (inner->entry[mid].sum.hi >= x)
				hi = mid;
			else
				lo = mid + 1;
		}
		place->inner[level] = n;
		place->at[level] = lo;
		n = inner->entry[lo].child;
	}
	leaf = &tree->leaf[n];
	prefetch(leaf, sizeof(*leaf));
	for (lo = 0, hi = leaf->nr - 1; lo < hi;) {
		unsigned mid = (lo + hi) / 2;

		if (leaf->range[mid].hi >= x)
			hi = mid;
		else
			lo = mid + 1;
	}
	place->leaf = n;
	place->slot = lo;
}

/* The highest slot below @slot of @leaf with such a hole; @slot: there is none. */
static unsigned hole_in_leaf(const struct isim_tree *tree, uint32_t n, unsigned slot, uint64_t size,
                             int aligned)
{
	const struct isim_tree_leaf *leaf = &tree->leaf[n];

	for (unsigned i = slot; i-- > 0;) {
		uint64_t below;

		if (aligned && leaf->range[i].fit >= size)
			return i;
		if (aligned)
			continue;
		below = isim_tree_below(tree, n, i);
		if (leaf->range[i].lo - below >= size)
			return i;
	}
	return slot;
}

/* The highest entry below @at of inner node @n with such a hole; @at: there is none. */
static unsigned hole_in_inner(const struct isim_tree *tree, uint32_t n, unsigned at, uint64_t size,
                              int aligned)
{
	const struct isim_tree_inner *inner = &tree->inner[n];

	for (unsigned i = at; i-- > 0;)
		if ((aligned ? inner->entry[i].sum.fit : inner->entry[i].sum.hole) >= size)
			return i;
	return at;
}

/* The last resort: the lowest range, of which no entry tells. */
static int hole_below_all(const struct isim_tree *tree, uint64_t size, int aligned,
                          struct isim_tree_place *place)
{
	struct isim_tree_place lowest;
	const struct isim_tree_range *range;

	if (isim_tree_is_lowest(tree, place))
		return 0;
	isim_tree_find(tree, 0, &lowest);
	range = isim_tree_at(tree, &lowest);
	if ((aligned ? range->fit : range->lo) < size)
		return 0;
	*place = lowest;
	return 1;
}

int isim_tree_find_hole(const struct isim_tree *tree, uint64_t size, int aligned,
                        struct isim_tree_place *place)
{
	unsigned level = 0, at;
	uint32_t n;

	at = hole_in_leaf(tree, place->leaf, place->slot, size, aligned);
	if (at < place->slot) {
		place->slot = at;
		return 1;
	}
	for (;; level++) {
		if (level == tree->height)
			return hole_below_all(tree, size, aligned, place);
		at = hole_in_inner(tree, place->inner[level], place->at[level], size, aligned);
		if (at < place->at[level])
			break;
	}
	for (;; level--) {
		place->at[level] = at;
		n = tree->inner[place->inner[level]].entry[at].child;
		if (!level)
			break;
		place->inner[level - 1] = n;
		at = hole_in_inner(tree, n, tree->inner[n].nr, size, aligned);
	}
	place->leaf = n;
	place->slot = hole_in_leaf(tree, n, tree->leaf[n].nr, size, aligned);
	return 1;
}
