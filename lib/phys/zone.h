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
#include "iommusim/phys/attempt.h"
#include "iommusim/phys/exact.h"
#include "iommusim/phys/population.h"
#include "iommusim/phys/state.h"

#define ISIM_NIL       UINT32_MAX /* no frame, no top block */
#define ISIM_MAX_ZONES 64u
#define ISIM_MAX_NODES 64u
#define ISIM_NO_ZONE   0xffu

/*
 * The 16 bits of the first frame of a block: order (0..3), type of the list it is on, or was taken
 * from (4..6), state (7..8), compound (9), kind (10..13), seen (14), held by no caller (15). A
 * frame inside a block has 0.
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
#define ISIM_SEEN       0x4000u /* while a list of frames is checked */
#define ISIM_POPULATION 0x8000u /* in use, but not by a caller */
#define ISIM_KIND_PCP   15u     /* on a per-CPU list: in use, but by nobody */

struct isim_link {
	uint32_t next, prev;
};

/* Where compaction and reclaim of a zone stand. Zeros: at the beginning. */
struct isim_progress {
	/* First frames of the pageblocks that the scanners go on with: of the one that moves, by
	   asynchronous or not; of the one that finds room, 0: the last. */
	uint32_t migrate[2], room;
	/* After a failure: tries put off so far, log2 of those to put off, least order. */
	uint32_t considered;
	unsigned defer_shift, order_failed;
	uint32_t hand; /* groups of frames that reclaim has looked at */
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
	uint32_t nr_used[2][IOMMUSIM_NR_PAGE_KINDS]; /* frames: the callers', the population's */
	struct isim_progress progress;
	uint64_t nr_free; /* frames on the free lists, those of type Isolate excepted */
	uint64_t nr_cuts; /* blocks cut in half so far */
	/* What features need: NULL without any. */
	struct isim_pcp *pcp; /* by CPU */
	int64_t pending;      /* of all CPUs: changes that the counter does not have yet */
	int32_t stat_threshold;
	unsigned flags;                  /* IOMMUSIM_ZONE_FLAG_* */
	uint64_t nr_reserved_highatomic; /* frames */
	uint32_t nr_isolated;            /* pageblocks of type Isolate */
};

/* ---- Per-CPU lists ---- */

#define ISIM_PCP_LISTS    14u /* orders 0 to 3 by type, and two of the huge page's order */
#define ISIM_PCP_SCALE    5u  /* the most that batch is shifted by */
#define ISIM_COSTLY_ORDER 3u  /* larger orders are not asked of reclaim for long */

/* Frames in a ring, from the head on. Its room is made before a call changes anything. */
struct isim_ring {
	uint32_t *slot;
	uint32_t cap, head, nr; /* cap: 0 or a power of two */
};

struct isim_pcp {
	int32_t pending; /* frames that this CPU owes the zone's counter */
	int32_t count;   /* frames on the lists */
	int32_t batch, high, high_min, high_max;
	int32_t free_count; /* 6.12: frames freed lately */
	uint8_t factor;     /* 6.1: free_factor; 6.12: alloc_factor */
	uint8_t flags;
	struct isim_ring list[ISIM_PCP_LISTS];
};

struct isim_spares {
	void **leaf;
	size_t cap;
	unsigned nr;
};

struct iommusim_phys {
	struct isim_diag diag;
	unsigned kernel, page_shift, nr_orders, pageblock_order, configured_zones;
	enum iommusim_fallback fallback;
	unsigned features, nr_cpus;
	unsigned thp_order;       /* of a huge page, which has per-CPU lists too; ~0: none has */
	unsigned min_free_kbytes; /* 0: by the size of the machine */
	unsigned thp;             /* huge pages raise min_free_kbytes */
	unsigned is_untouched;    /* 1: created with nothing_free, and no state built yet */
	unsigned nr_zones, nr_nodes;
	struct isim_zone *zone;
	struct iommusim_page_owner owner; /* who is told of the callers' pages */
	struct iommusim_page_owner ager;  /* who is told of the population's, while it ages */
	uint64_t swap_left;               /* frames */
	/* Zones by preferred node: its own from the highest down, then the other nodes'. */
	uint8_t zonelist[ISIM_MAX_NODES][ISIM_MAX_ZONES];
	/* What they lead to: the highest zone by the gfp's four zone bits, and the first zone of a
	   walk by preferred node and highest zone; NO_ZONE: none. */
	uint8_t highest[16];
	uint8_t preferred[ISIM_MAX_NODES][IOMMUSIM_NR_ZONES];
	/* Leaves made before they are needed, by calls that may cut more than one top block. */
	struct isim_spares *spares;            /* NULL without features */
	struct iommusim_attempt_report report; /* of the last request */
	struct isim_cma *cma;
	unsigned nr_cma;
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

static inline unsigned isim_pcp_state(unsigned order, unsigned type)
{
	return ISIM_USED | ISIM_KIND_PCP << ISIM_KIND_SHIFT | type << ISIM_TYPE_SHIFT | order;
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

/* Note that a block is in use from now on, or not any more. */
static inline void isim_count_used(struct isim_zone *zone, unsigned state)
{
	zone->nr_used[(state & ISIM_POPULATION) != 0][isim_block_kind(state)] +=
		1u << isim_block_order(state);
}

static inline void isim_count_unused(struct isim_zone *zone, unsigned state)
{
	zone->nr_used[(state & ISIM_POPULATION) != 0][isim_block_kind(state)] -=
		1u << isim_block_order(state);
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
	zone->nr_isolated += type == IOMMUSIM_ISOLATE;
	zone->nr_isolated -= isim_pageblock(zone, frame) == IOMMUSIM_ISOLATE;
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

/* ---- The counter of free frames, which lags behind the lists ---- */

/* Note a change of the free lists, made by @cpu. */
static inline void isim_account(struct isim_zone *zone, unsigned cpu, int32_t change)
{
	struct isim_pcp *pcp = zone->pcp;
	int32_t pending;

	if (!pcp)
		return;
	pending = pcp[cpu].pending + change;
	zone->pending += change;
	if (pending > zone->stat_threshold || pending < -zone->stat_threshold) {
		zone->pending -= pending;
		pending = 0;
	}
	pcp[cpu].pending = pending;
}

/* NR_FREE_PAGES, as the tests of marks read it. */
static inline int64_t isim_nr_free_counted(const struct isim_zone *zone)
{
	int64_t counted = (int64_t)zone->nr_free - zone->pending;

	return counted > 0 ? counted : 0;
}

static inline uint32_t isim_frames_of(const struct isim_zone *zone, unsigned type)
{
	uint32_t frames = 0;

	for (uint32_t orders = zone->nonempty[type]; orders; orders &= orders - 1)
		frames += zone->nr_blocks[isim_low_bit(orders)][type] << isim_low_bit(orders);
	return frames;
}

/* ---- zones.c: which zone ---- */

/* The zone that holds @pfn, and its frame number there; NULL: none. */
static inline struct isim_zone *isim_zone_of(const struct iommusim_phys *phys, iommusim_pfn pfn,
                                             uint32_t *frame)
{
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		struct isim_zone *zone = &phys->zone[i];

		if (pfn - zone->config.start_pfn < zone->config.nr_frames) {
			*frame = (uint32_t)(pfn - zone->base);
			return zone;
		}
	}
	return NULL;
}

/* The highest zone that @gfp allows. */
unsigned isim_highest_zone(const struct iommusim_phys *phys, uint32_t gfp);

/* Check the config's zones, allocate their arrays and fill the zonelists. 0 or a worded error. */
int isim_zones_create(struct iommusim_phys *phys, const struct iommusim_phys_config *config);
void isim_zones_destroy(struct iommusim_phys *phys);
int isim_zones_fork(struct iommusim_phys *copy, const struct iommusim_phys *phys);

/* ---- buddy.c: blocks and lists ---- */

/* Give the top block of @frame a leaf. 0, or -EHOST with nothing changed. */
int isim_leaf_create(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame);

/* The same, from the spare leaves as long as there are some. */
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

/* Mark @first .. @end-1, which were RESERVED, in one block or more, as blocks in use of @kind that
   no caller holds. */
int isim_occupy(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t first,
                uint32_t end, enum iommusim_page_kind kind);

/* First frame of the block that @frame is in. */
uint32_t isim_block_start(const struct isim_zone *zone, uint32_t frame);

/* The machine's spare leaves: make sure of @nr. 0 or -EHOST. */
int isim_spares_reserve(const struct iommusim_phys *phys, unsigned nr);
void isim_spares_destroy(const struct iommusim_phys *phys);

/*
 * Make the 2^@order frames at @frame, which are all in use, one block in use of @kind: larger
 * blocks are cut, smaller ones joined. 0, -EINVAL: some are not in use; -EHOST.
 */
int isim_block_carve(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                     unsigned order, enum iommusim_page_kind kind);

/* ---- fallback.c: pages of another type ---- */

/* What an attempt may do, mm/internal.h, Linux 6.12. */
#define ISIM_ALLOC_MIN           0u
#define ISIM_ALLOC_LOW           1u
#define ISIM_ALLOC_HIGH          2u
#define ISIM_ALLOC_MARK          3u /* mask of the three above */
#define ISIM_ALLOC_NO_WATERMARKS 4u
#define ISIM_ALLOC_NON_BLOCK     0x10u
#define ISIM_ALLOC_MIN_RESERVE   0x20u
#define ISIM_ALLOC_CMA           0x80u
#define ISIM_ALLOC_NOFRAGMENT    0x100u
#define ISIM_ALLOC_HIGHATOMIC    0x200u
#define ISIM_ALLOC_KSWAPD        0x800u
#define ISIM_ALLOC_RESERVES      (ISIM_ALLOC_NON_BLOCK | ISIM_ALLOC_MIN_RESERVE | ISIM_ALLOC_HIGHATOMIC)

/* How far a 6.12 refill had to go for the last block, and starts with for the next. */
enum isim_take_mode { ISIM_TAKE_NORMAL, ISIM_TAKE_CMA, ISIM_TAKE_CLAIM, ISIM_TAKE_STEAL };

struct isim_take {
	unsigned order, type;
	unsigned aflags; /* ISIM_ALLOC_* */
	unsigned cpu;
	enum isim_take_mode mode;
	int32_t untold;    /* frames taken by this refill that the counter is not told of yet */
	unsigned found_on; /* out: type of the list that it was found on */
	unsigned taken_as; /* out: type of the list that it was taken off: a steal moves it first */
};

/* A block for @take from @zone, cut and unlisted; NIL: none, or -EHOST in @err, nothing changed.
 * From 6.12 on the counter knows of it; before, the caller tells it. */
uint32_t isim_zone_take(struct iommusim_phys *phys, struct isim_zone *zone, struct isim_take *take,
                        int *err);

/*
 * Do the free frames and those like a request of type @start's own make up at least half of the
 * pageblock of the free block at @frame, which is smaller and does not reach out of the zone's end?
 * Where it begins before the zone, @frame stands for its first.
 */
int isim_pageblock_is_ours(const struct isim_zone *zone, uint32_t frame, unsigned start);

/* Move the free blocks of @frame's pageblock, if it does not reach out of the zone, to the tails of
   @type's lists; the pageblock keeps its type. The frames moved. */
uint32_t isim_pageblock_move(struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame,
                             unsigned type, unsigned cpu);

#endif
