/* SPDX-License-Identifier: MIT */
/*
 * The state of one machine's memory, and how a frame's metadata is reached.
 *
 * Inside a zone, frames are 32-bit numbers counted from the start of its first block of the highest
 * order (the "top" order). A top block that was never cut is one entry of three flat arrays, whose
 * zeroed form means "free, Movable, between its neighbours on the list": a fresh machine is all
 * zeros, however large. A top block that is cut has a leaf: 16 bits a frame, and a pair of list
 * links for every two frames, since two halves of a pair are never both the first frame of a free
 * block (they would have merged). A leaf is kept once it exists.
 */
#ifndef ISIM_PHYS_ZONE_H
#define ISIM_PHYS_ZONE_H

#include <assert.h>

#include "base/bits.h"
#include "base/host.h"
#include "iommusim/phys.h"
#include "iommusim/phys/state.h"

#define ISIM_NIL       UINT32_MAX /* no frame, no top block */
#define ISIM_MAX_ZONES 64u
#define ISIM_MAX_NODES 64u

/*
 * The 16 bits of the first frame of a block: order (0..3), type of the list it is on, or was taken
 * from (4..6), state (7..8), compound (9), kind (10..13). A frame inside a block has 0.
 */
#define ISIM_ORDER_BITS 0xfu
#define ISIM_TYPE_SHIFT 4u
#define ISIM_STATE_BITS 0x180u
#define ISIM_INNER      0x000u
#define ISIM_FREE       0x080u
#define ISIM_USED       0x100u
#define ISIM_CUT        0x180u /* of a top block: its leaf has the state */
#define ISIM_COMPOUND   0x200u
#define ISIM_KIND_SHIFT 10u

struct isim_link {
	uint32_t next, prev;
};

struct isim_zone {
	struct iommusim_zone_config config;
	struct iommusim_zone_numbers numbers;
	uint64_t base;       /* pfn of frame 0, a multiple of the top block */
	uint32_t first, end; /* frames of the zone: first .. end-1 */
	uint32_t nr_top;     /* top blocks, partial ones at the edges included */
	unsigned top_order, pageblock_order;
	/* By top block. Links are stored as the difference to the block after (next) and the
	   block before (prev), states and types as the difference to a fresh one: all zeros. */
	struct isim_link *top_link;
	uint16_t *top_state;
	void **leaf;
	uint8_t *pageblock; /* by pageblock */
	uint32_t head[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES];
	uint32_t tail[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES];
	uint32_t nr_blocks[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES];
	uint32_t nonempty[IOMMUSIM_NR_MIGRATETYPES]; /* bit n: list [n][type] has a block */
};

struct iommusim_phys {
	struct isim_diag diag;
	unsigned kernel, page_shift, nr_orders, pageblock_order, configured_zones;
	enum iommusim_fallback fallback;
	unsigned features, nr_cpus;
	unsigned is_untouched; /* 1: created with nothing_free, and no state built yet */
	unsigned nr_zones, nr_nodes;
	struct isim_zone *zone;
	/* Zones by preferred node: its own from the highest down, then the other nodes'. */
	uint8_t zonelist[ISIM_MAX_NODES][ISIM_MAX_ZONES];
};

static inline unsigned isim_block_order(unsigned state)
{
	return state & ISIM_ORDER_BITS;
}

static inline unsigned isim_block_type(unsigned state)
{
	return state >> ISIM_TYPE_SHIFT & 7;
}

static inline unsigned isim_block_kind(unsigned state)
{
	return state >> ISIM_KIND_SHIFT & 15;
}

static inline unsigned isim_free_state(unsigned order, unsigned type)
{
	return ISIM_FREE | type << ISIM_TYPE_SHIFT | order;
}

static inline unsigned isim_used_state(unsigned order, enum iommusim_page_kind kind)
{
	return ISIM_USED | (unsigned)kind << ISIM_KIND_SHIFT | order;
}

static inline unsigned isim_top_state(const struct isim_zone *zone, uint32_t top)
{
	return zone->top_state[top] ^ isim_free_state(zone->top_order, IOMMUSIM_MOVABLE);
}

static inline void isim_set_top_state(struct isim_zone *zone, uint32_t top, unsigned state)
{
	zone->top_state[top] =
		(uint16_t)(state ^ isim_free_state(zone->top_order, IOMMUSIM_MOVABLE));
}

static inline uint32_t isim_leaf_index(const struct isim_zone *zone, uint32_t frame)
{
	return frame & (uint32_t)(isim_bit(zone->top_order) - 1);
}

/* The 16 bits of each frame of a leaf, and behind them the links of each pair. */
static inline uint16_t *isim_leaf_states(const struct isim_zone *zone, uint32_t frame)
{
	return zone->leaf[frame >> zone->top_order];
}

static inline struct isim_link *isim_leaf_link(const struct isim_zone *zone, uint32_t frame)
{
	void *links = isim_leaf_states(zone, frame) + isim_bit(zone->top_order);

	return (struct isim_link *)links + (isim_leaf_index(zone, frame) >> 1);
}

/* State of the frame; for any frame of a top block that is not cut, the block's. */
static inline unsigned isim_state(const struct isim_zone *zone, uint32_t frame)
{
	unsigned state = isim_top_state(zone, frame >> zone->top_order);

	if (state != ISIM_CUT)
		return state;
	return isim_leaf_states(zone, frame)[isim_leaf_index(zone, frame)];
}

/* Is @frame the first of a block that has exactly this order and state? */
static inline int isim_starts_block(const struct isim_zone *zone, uint32_t frame, unsigned state)
{
	unsigned order = isim_block_order(state);

	if (frame & (uint32_t)(isim_bit(order) - 1))
		return 0;
	return (isim_state(zone, frame) & (ISIM_STATE_BITS | ISIM_ORDER_BITS)) == state;
}

/* Write the state of the block of @order at @frame; below the top order its top block is cut. */
static inline void isim_set_state(struct isim_zone *zone, uint32_t frame, unsigned order,
                                  unsigned state)
{
	if (order == zone->top_order)
		isim_set_top_state(zone, frame >> order, state);
	else
		isim_leaf_states(zone, frame)[isim_leaf_index(zone, frame)] = (uint16_t)state;
}

static inline unsigned isim_pageblock(const struct isim_zone *zone, uint32_t frame)
{
	return zone->pageblock[frame >> zone->pageblock_order] ^ IOMMUSIM_MOVABLE;
}

static inline void isim_set_pageblock(struct isim_zone *zone, uint32_t frame, unsigned type)
{
	zone->pageblock[frame >> zone->pageblock_order] = (uint8_t)(type ^ IOMMUSIM_MOVABLE);
}

/* Frames that count as movable where a pageblock is judged: on an LRU list, or a driver's. */
static inline int isim_is_movable(unsigned kind)
{
	return kind >= IOMMUSIM_PAGE_CACHE && kind <= IOMMUSIM_PAGE_PINNED;
}

/* The kind of what is in use in a pageblock of @type, where nothing better is known. */
static inline enum iommusim_page_kind isim_kind_of_type(unsigned type)
{
	if (type == IOMMUSIM_MOVABLE)
		return IOMMUSIM_PAGE_ANON;
	return type == IOMMUSIM_RECLAIMABLE ? IOMMUSIM_PAGE_SLAB : IOMMUSIM_PAGE_KERNEL;
}

/* Types whose free buddies merge across pageblocks of different type. */
static inline int isim_mergeable(unsigned type)
{
	return type <= IOMMUSIM_RECLAIMABLE;
}

/* ---- zones.c: which zone ---- */

/* The zone that holds @pfn, and its frame number there; NULL: none. */
struct isim_zone *isim_zone_of(const struct iommusim_phys *phys, iommusim_pfn pfn, uint32_t *frame);

/* The highest zone that @gfp allows. */
unsigned isim_highest_zone(const struct iommusim_phys *phys, uint32_t gfp);

/* Check the config's zones, allocate their arrays and fill the zonelists. 0 or a worded error. */
int isim_zones_create(struct iommusim_phys *phys, const struct iommusim_phys_config *config);
void isim_zones_destroy(struct iommusim_phys *phys);
int isim_zones_fork(struct iommusim_phys *copy, const struct iommusim_phys *phys);

/* ---- buddy.c: blocks and lists ---- */

/* Give the top block of @frame a leaf. 0, or -EHOST with nothing changed. */
int isim_leaf_reserve(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame);

/* Turn a top block that is free and on no list, or in use, into a cut one; it has a leaf. */
void isim_top_cut(struct isim_zone *zone, uint32_t frame);

void isim_list_add(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type,
                   int to_tail);
void isim_list_del(struct isim_zone *zone, uint32_t frame, unsigned order, unsigned type);
uint32_t isim_list_next(const struct isim_zone *zone, uint32_t frame, unsigned order);

/* Cut the free, unlisted block of order @have down to @want; upper halves go to @type's lists. */
void isim_block_split(struct isim_zone *zone, uint32_t frame, unsigned have, unsigned want,
                      unsigned type);

/* The smallest sufficient block of @type's own lists, cut to @order, unlisted; NIL: none. The host
   may have no memory for its leaf: -EHOST in @err and nothing changed. */
uint32_t isim_take_smallest(const struct iommusim_phys *phys, struct isim_zone *zone,
                            unsigned order, unsigned type, int *err);

/* Free the unlisted block at @frame onto @type's lists, merging. It has no state any more. */
struct isim_freeing {
	unsigned order, type;
	int to_tail;
	int retag; /* 6.12: a buddy's pageblocks take the type */
};
void isim_block_free(struct isim_zone *zone, uint32_t frame, struct isim_freeing how);

/*
 * Free the frames @first .. @end-1, which are in use, as boot does: upwards, in the largest aligned
 * blocks, to the tails of @type's lists. The pageblocks keep their types. 0 or -EHOST.
 */
int isim_release(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t first,
                 uint32_t end, unsigned type);

/* Mark @first .. @end-1, which were in use as one block or more, as blocks in use of @kind. */
int isim_occupy(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t first,
                uint32_t end, enum iommusim_page_kind kind);

/* ---- fallback.c: pages of another type ---- */

struct isim_take {
	unsigned order, type;
	unsigned min_order; /* of a block taken from another type */
	int nofragment;     /* do not break up another type's pageblocks */
	unsigned found_on;  /* out: type of the list it came from */
};

/* A block for @take from @zone, cut and unlisted; NIL: none, or -EHOST in @err, nothing changed. */
uint32_t isim_zone_take(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                        int *err);

#endif
