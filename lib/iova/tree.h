/* SPDX-License-Identifier: MIT */
/*
 * The ranges of a space in ascending order, in a tree of wide nodes whose entries say which hole
 * below a range is the largest: the highest hole that a size fits is found without visiting others.
 * The last range is always there: it is the anchor.
 */
#ifndef ISIM_IOVA_TREE_H
#define ISIM_IOVA_TREE_H

#include "base/host.h"

#define ISIM_TREE_WIDTH  32
#define ISIM_TREE_HEIGHT 24 /* more than 2^64 insertions can make */
#define ISIM_NO_LEAF     UINT32_MAX

/* A range, and the largest size-aligned size that fits between the one below and it. */
struct isim_tree_range {
	uint64_t lo, hi, fit;
};

struct isim_tree_leaf {
	struct isim_tree_range range[ISIM_TREE_WIDTH];
	uint32_t nr;
	uint32_t prev, next; /* leaves; next also links unused ones */
};

/*
 * What is below an entry: its last frame, the largest fit and the largest hole of its ranges. The
 * hole below the lowest range of all is left out: it changes with every allocation of a space that
 * grows downwards, and is looked at when no other will do.
 */
struct isim_tree_sum {
	uint64_t hi, fit, hole;
};

struct isim_tree_entry {
	struct isim_tree_sum sum;
	uint32_t child;
};

struct isim_tree_inner {
	struct isim_tree_entry entry[ISIM_TREE_WIDTH];
	uint32_t nr;
	uint32_t next; /* of the unused ones */
};

struct isim_tree {
	struct iommusim_host host;
	struct isim_tree_leaf *leaf;
	struct isim_tree_inner *inner;
	size_t leaf_cap, inner_cap;         /* nodes there is room for */
	uint32_t nr_leaves, nr_inners;      /* nodes ever used */
	uint32_t unused_leaf, unused_inner; /* first of those used no longer */
	uint32_t nr_unused_leaves, nr_unused_inners;
	uint32_t root;   /* a leaf if the height is 0 */
	unsigned height; /* levels above the leaves */
	uint64_t nr;     /* ranges, the anchor included */
};

/* Where a range is: its leaf, and the entries above, [0] being the parent of the leaf. */
struct isim_tree_place {
	uint32_t leaf;
	unsigned slot;
	uint32_t inner[ISIM_TREE_HEIGHT];
	unsigned at[ISIM_TREE_HEIGHT];
};

/* A tree with the anchor [@anchor, @anchor] alone. 0 or -EHOST; finish() either way. */
int isim_tree_init(struct isim_tree *tree, const struct iommusim_host *host, uint64_t anchor);
void isim_tree_finish(struct isim_tree *tree);

/* A copy in @copy, uninitialised. 0 or -EHOST; finish() either way. */
int isim_tree_fork(const struct isim_tree *tree, struct isim_tree *copy);

/* Make room for one insertion, which then cannot fail. 0 or -EHOST. */
int isim_tree_reserve(struct isim_tree *tree);

/* Is there room for one: for a split on each level, and a new root? */
static inline int isim_tree_has_room(const struct isim_tree *tree)
{
	return tree->nr_leaves - tree->nr_unused_leaves < tree->leaf_cap &&
	       tree->nr_inners - tree->nr_unused_inners + tree->height < tree->inner_cap;
}

/* The lowest range that ends at or above @x, which is not above the anchor. */
void isim_tree_find(const struct isim_tree *tree, uint64_t x, struct isim_tree_place *place);

/* The highest range below @place with a hole below it for @size. 1; 0: there is none. */
int isim_tree_find_hole(const struct isim_tree *tree, uint64_t size, int aligned,
                        struct isim_tree_place *place);

/* Insert a range into the hole below @place, where there is room for it. @place is lost. */
void isim_tree_insert(struct isim_tree *tree, struct isim_tree_place *place, uint64_t lo,
                      uint64_t hi);

/* Remove the range at @place, which is lost, and is not the anchor. */
void isim_tree_remove(struct isim_tree *tree, struct isim_tree_place *place);

/* Let the range at @place start at @lo, below its start and above the range below. */
void isim_tree_extend(struct isim_tree *tree, const struct isim_tree_place *place, uint64_t lo);

static inline const struct isim_tree_range *isim_tree_at(const struct isim_tree *tree,
                                                         const struct isim_tree_place *place)
{
	return &tree->leaf[place->leaf].range[place->slot];
}

/* The first frame above the range below that in @slot of leaf @n; 0 if there is none. */
static inline uint64_t isim_tree_below(const struct isim_tree *tree, uint32_t n, unsigned slot)
{
	const struct isim_tree_leaf *leaf = &tree->leaf[n];

	if (slot)
		return leaf->range[slot - 1].hi + 1;
	if (leaf->prev == ISIM_NO_LEAF)
		return 0;
	leaf = &tree->leaf[leaf->prev];
	return leaf->range[leaf->nr - 1].hi + 1;
}

static inline int isim_tree_is_lowest(const struct isim_tree *tree,
                                      const struct isim_tree_place *place)
{
	return !place->slot && tree->leaf[place->leaf].prev == ISIM_NO_LEAF;
}

/* The range above @place, which is not the anchor. */
static inline const struct isim_tree_range *isim_tree_above(const struct isim_tree *tree,
                                                            const struct isim_tree_place *place)
{
	const struct isim_tree_leaf *leaf = &tree->leaf[place->leaf];

	if (place->slot + 1 < leaf->nr)
		return &leaf->range[place->slot + 1];
	return &tree->leaf[leaf->next].range[0];
}

#endif
