/* SPDX-License-Identifier: MIT */
/* The validator must be able to say no: one thing of a sound machine is changed behind its back. */
#include "phys_test.h"

#include "phys/request.h"

#define START 1024

/* Pageblocks of order 3, pages in use, and a few on per-CPU lists. */
static struct iommusim_phys *given_sound_machine(void)
{
	struct iommusim_phys *phys = given_zone(
		(struct iommusim_phys_config){
			.nr_orders = 6, .pageblock_order = 3, .features = IOMMUSIM_PHYS_PCP },
		START, 256);
	iommusim_pfn pages[3];

	take(phys, 4, MOVABLE);
	take(phys, 1, MOVABLE);
	for (unsigned i = 0; i < 3; i++)
		pages[i] = take(phys, 0, KERNEL);
	for (unsigned i = 0; i < 2; i++)
		assert_ok(iommusim_phys_free(phys, pages[i], 0));
	assert_ok(iommusim_phys_check(phys));
	return phys;
}

/* The first frame whose state has @bits of @mask. */
static uint32_t find(const struct isim_zone *zone, unsigned mask, unsigned bits)
{
	uint32_t frame = zone->first;

	while ((isim_state(zone, frame) & mask) != bits ||
	       isim_top_state(zone, frame >> 5) != ISIM_CUT)
		frame++;
	return frame;
}

static uint32_t find_free(const struct isim_zone *zone)
{
	return find(zone, ISIM_STATE_BITS, ISIM_FREE);
}

static uint32_t find_pcp(const struct isim_zone *zone)
{
	return find(zone, 15u << ISIM_KIND_SHIFT | ISIM_STATE_BITS,
	            ISIM_KIND_PCP << ISIM_KIND_SHIFT | ISIM_USED);
}

static struct isim_ring *some_ring(struct isim_zone *zone)
{
	struct isim_ring *ring = zone->pcp[0].list;

	while (ring->nr < 2)
		ring++;
	return ring;
}

static void forget_a_free_block(struct isim_zone *zone)
{
	uint32_t frame = find_free(zone);
	unsigned state = isim_state(zone, frame);

	isim_list_del(zone, frame, isim_block_order(state), isim_block_type(state));
}

static void put_on_another_list(struct isim_zone *zone)
{
	uint32_t frame = find_free(zone);
	unsigned state = isim_state(zone, frame);

	isim_list_del(zone, frame, isim_block_order(state), isim_block_type(state));
	isim_list_add(zone, frame, isim_block_order(state), IOMMUSIM_RECLAIMABLE, 0);
}

static void of_no_type(struct isim_zone *zone)
{
	uint32_t frame = find_free(zone);

	isim_set_state(zone, frame, 0, isim_state(zone, frame) | 7u << ISIM_TYPE_SHIFT);
}

static void of_no_block(struct isim_zone *zone)
{
	isim_set_state(zone, find_free(zone), 0, ISIM_INNER);
}

static void free_two_buddies(struct isim_zone *zone)
{
	uint32_t frame = find(zone, ISIM_STATE_BITS | ISIM_ORDER_BITS, ISIM_FREE | 2);
	unsigned type = isim_block_type(isim_state(zone, frame));

	isim_list_del(zone, frame, 2, type);
	isim_list_add(zone, frame, 1, type, 0);
	isim_list_add(zone, frame + 2, 1, type, 0);
}

static void mark_a_frame_inside(struct isim_zone *zone)
{
	uint32_t frame = find(zone, ISIM_STATE_BITS | ISIM_ORDER_BITS, ISIM_FREE | 2);

	isim_set_state(zone, frame + 1, 0, isim_used_state(0, IOMMUSIM_PAGE_ANON));
}

static void not_aligned(struct isim_zone *zone)
{
	uint32_t frame = find_pcp(zone) | 1;

	isim_set_state(zone, frame, 0, isim_used_state(1, IOMMUSIM_PAGE_ANON));
}

static void count_blocks_wrong(struct isim_zone *zone)
{
	unsigned order = isim_low_bit(zone->nonempty[IOMMUSIM_UNMOVABLE]);

	zone->nr_blocks[order][IOMMUSIM_UNMOVABLE]--;
}

static void cut_a_list(struct isim_zone *zone)
{
	unsigned order = isim_low_bit(zone->nonempty[IOMMUSIM_UNMOVABLE]);

	zone->tail[order][IOMMUSIM_UNMOVABLE] = ISIM_NIL;
}

static void forget_a_mask(struct isim_zone *zone)
{
	zone->nonempty[IOMMUSIM_ISOLATE] |= 1;
}

static void count_free_wrong(struct isim_zone *zone)
{
	zone->nr_free++;
}

static void pageblock_of_no_type(struct isim_zone *zone)
{
	isim_set_pageblock(zone, find(zone, ISIM_STATE_BITS | ISIM_ORDER_BITS, ISIM_USED | 4), 9);
}

static void count_pcp_wrong(struct isim_zone *zone)
{
	zone->pcp[0].count++;
}

static void lose_a_pcp_block(struct isim_zone *zone)
{
	struct isim_ring *ring = some_ring(zone);

	zone->pcp[0].count -= 1 << isim_block_order(isim_state(zone, ring->slot[ring->head]));
	ring->head = (ring->head + 1) & (ring->cap - 1);
	ring->nr--;
}

static void list_a_pcp_block_twice(struct isim_zone *zone)
{
	struct isim_ring *ring = some_ring(zone);

	ring->slot[ring->head] = ring->slot[(ring->head + 1) & (ring->cap - 1)];
}

static void list_a_used_page(struct isim_zone *zone)
{
	struct isim_ring *ring = some_ring(zone);
	uint32_t frame = ring->slot[ring->head];

	isim_set_state(
		zone, frame, 0,
		isim_used_state(isim_block_order(isim_state(zone, frame)), IOMMUSIM_PAGE_ANON));
}

static void list_a_free_page(struct isim_zone *zone)
{
	struct isim_ring *ring = some_ring(zone);

	ring->slot[ring->head] = find_free(zone);
}

static void owe_nobody(struct isim_zone *zone)
{
	zone->pending++;
}

static const struct row {
	const char *name;
	void (*change)(struct isim_zone *zone);
	const char *complaint;
} rows[] = {
	{ "a free block is forgotten", forget_a_free_block, "a free block is on no list" },
	{ "a free block is on another type's list", put_on_another_list,
	  "a free block is not on its pageblock's list" },
	{ "a free block has no type", of_no_type, "a free block of no migratetype" },
	{ "a frame belongs to nobody", of_no_block, "a frame belongs to no block" },
	{ "two buddies are free", free_two_buddies, "a free block and its buddy are not merged" },
	{ "a frame inside a block is marked", mark_a_frame_inside,
	  "a frame inside a block has a state" },
	{ "a block is not aligned", not_aligned, "a block is not aligned to its size" },
	{ "a list's count is wrong", count_blocks_wrong, "the number of free frames is wrong" },
	{ "a list's tail is lost", cut_a_list, "a list ends early" },
	{ "an empty list is said to have blocks", forget_a_mask, "the mask of lists is wrong" },
	{ "free frames are miscounted", count_free_wrong, "the number of free frames is wrong" },
	{ "a pageblock has no type", pageblock_of_no_type, "a pageblock has no migratetype" },
	{ "a per-CPU count is wrong", count_pcp_wrong, "a per-CPU count is wrong" },
	{ "a per-CPU block is lost", lose_a_pcp_block, "a block is on no per-CPU list" },
	{ "a per-CPU block is there twice", list_a_pcp_block_twice,
	  "a block is on two per-CPU lists" },
	{ "a per-CPU block is in use", list_a_used_page,
	  "the frames in use of a kind are miscounted" },
	{ "a per-CPU block is free", list_a_free_page, "a per-CPU list has no such block" },
	{ "a counter owes to no CPU", owe_nobody, "what the CPUs owe the counter is wrong" },
};

static void the_validator_says_no(void **state)
{
	const struct row *row = *state;
	struct iommusim_phys *phys = given_sound_machine();

	row->change(&phys->zone[0]);
	assert_err(iommusim_phys_check(phys), IOMMUSIM_EINVAL);
	if (!strstr(iommusim_phys_error(phys), row->complaint))
		fail_msg("'%s', not '%s'", iommusim_phys_error(phys), row->complaint);
	iommusim_phys_destroy(phys);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest)TEST_ROW(the_validator_says_no, &rows[i]);
	return RUN_TESTS(tests);
}
