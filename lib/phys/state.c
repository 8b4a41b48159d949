/* SPDX-License-Identifier: MIT */
/*
 * Memory that was used for a while, made on purpose: every n-th block pinned, or frames freed at
 * random. Both start from a machine on which nothing is free and cover each zone once, upwards.
 */
#include "phys/request.h"

#include "base/rng.h"

/* Frames of a zone between two areas of the contiguous allocator, which no state touches. */
struct stretch {
	uint32_t first, end;
};

static struct stretch before_zone(const struct isim_zone *zone)
{
	return (struct stretch){ zone->first, zone->first };
}

/* Go on to the next one behind @s. 0: there is none. */
static int next_stretch(const struct iommusim_phys *phys, const struct isim_zone *zone,
                        struct stretch *s)
{
	uint32_t at = s->end, area = 0, past = 0;

	while (isim_cma_next(phys, zone, at, &area, &past) && area == at)
		at = past;
	*s = (struct stretch){ at, area > at ? area : zone->end };
	return s->first < s->end;
}

/* All frames must be as they were created: in use by nobody. */
static int open_state(struct iommusim_phys *phys, unsigned order)
{
	if (!phys->is_untouched)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "the machine has a state already, or was not created with "
		                 "nothing_free");
	if (order >= phys->nr_orders)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "order %u is not 0 .. %u", order,
		                 phys->nr_orders - 1);
	return 0;
}

static int no_memory(struct iommusim_phys *phys, int err)
{
	return err ? isim_no_memory(&phys->diag, "the frames of a state") : 0;
}

/* ---- Pinned blocks ---- */

static int pin_stretch(const struct iommusim_phys *phys, struct isim_zone *zone,
                       struct stretch stretch, uint64_t step)
{
	uint64_t past = (zone->base + stretch.first) % step; /* since the last frame to hold */
	uint64_t held = stretch.first + (past ? step - past : 0);
	uint32_t at = stretch.first;
	int err = 0;

	while (!err && held < stretch.end) {
		err = isim_release(phys, zone, at, (uint32_t)held, IOMMUSIM_MOVABLE);
		at = (uint32_t)held + 1;
		if (!err)
			err = isim_occupy(phys, zone, (uint32_t)held, at, IOMMUSIM_PAGE_KERNEL);
		held += step;
	}
	return err ? err : isim_release(phys, zone, at, stretch.end, IOMMUSIM_MOVABLE);
}

static int pin_zone(const struct iommusim_phys *phys, struct isim_zone *zone, uint64_t step)
{
	struct stretch stretch = before_zone(zone);
	int err = 0;

	while (!err && next_stretch(phys, zone, &stretch))
		err = pin_stretch(phys, zone, stretch, step);
	return err;
}

int iommusim_phys_pin(struct iommusim_phys *phys, unsigned order, uint64_t stride)
{
	int err = open_state(phys, order);

	if (err)
		return err;
	if (!stride || stride > UINT32_MAX)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "stride %llu is not 1 .. 2^32 - 1",
		                 (unsigned long long)stride);
	phys->is_untouched = 0;
	for (unsigned i = 0; !err && i < phys->nr_zones; i++)
		err = pin_zone(phys, &phys->zone[i], stride << order);
	return no_memory(phys, err);
}

/* ---- Random ---- */

/* What is left to hand out while the blocks of all zones are visited once, upwards. */
struct scatter {
	const struct iommusim_phys *phys;
	struct isim_rng rng;
	unsigned order;
	uint64_t whole_blocks, whole_wanted; /* blocks not visited yet; to be freed whole */
	uint64_t cut_blocks, cut_frames;     /* to be freed in part; frames to free there */
};

/* Free @quota frames of the block of 2^@order at @frame, in random pieces. */
static int scatter_block(struct scatter *s, struct isim_zone *zone, uint32_t frame, unsigned order,
                         uint32_t quota)
{
	uint32_t half = (1u << order) / 2, left;
	int err;

	if (!quota)
		return isim_occupy(s->phys, zone, frame, frame + (1u << order), IOMMUSIM_PAGE_ANON);
	if (quota == 1u << order)
		return isim_release(s->phys, zone, frame, frame + quota, IOMMUSIM_MOVABLE);
	left = (uint32_t)isim_rng_range(&s->rng, quota > half ? quota - half : 0,
	                                quota < half ? quota : half);
	err = scatter_block(s, zone, frame, order - 1, left);
	return err ? err : scatter_block(s, zone, frame + half, order - 1, quota - left);
}

/* This block's share of the frames still to be freed, give or take; never all of the block. */
static uint32_t draw_quota(struct scatter *s)
{
	uint64_t most = (isim_bit(s->order) - 1), later = (s->cut_blocks - 1) * most;
	uint64_t least = s->cut_frames > later ? s->cut_frames - later : 0;
	uint64_t mean = s->cut_frames / s->cut_blocks;
	uint64_t spread = mean < most - mean ? mean : most - mean;
	uint64_t quota = isim_rng_range(&s->rng, mean - spread / 2, mean + (spread + 1) / 2);

	if (quota < least || s->cut_blocks == 1)
		quota = least;
	if (quota > s->cut_frames)
		quota = s->cut_frames;
	s->cut_blocks--;
	s->cut_frames -= quota;
	return (uint32_t)quota;
}

static int scatter_next(struct scatter *s, struct isim_zone *zone, uint32_t frame)
{
	if (isim_rng_below(&s->rng, s->whole_blocks--) < s->whole_wanted) {
		s->whole_wanted--;
		return scatter_block(s, zone, frame, s->order, 1u << s->order);
	}
	return scatter_block(s, zone, frame, s->order, draw_quota(s));
}

/* Whole blocks of @order in @all: those at its edges that are cut stay in use. */
static struct stretch whole_blocks(struct stretch all, unsigned order)
{
	uint32_t size = 1u << order;
	struct stretch whole = { (all.first + size - 1) & ~(size - 1), all.end & ~(size - 1) };

	if (whole.first > whole.end)
		whole.first = whole.end = all.first;
	return whole;
}

static int scatter_stretch(struct scatter *s, struct isim_zone *zone, struct stretch all)
{
	struct stretch whole = whole_blocks(all, s->order);
	int err = isim_occupy(s->phys, zone, all.first, whole.first, IOMMUSIM_PAGE_ANON);

	for (uint32_t at = whole.first; !err && at < whole.end; at += 1u << s->order)
		err = scatter_next(s, zone, at);
	return err ? err : isim_occupy(s->phys, zone, whole.end, all.end, IOMMUSIM_PAGE_ANON);
}

static int scatter_zone(struct scatter *s, struct isim_zone *zone)
{
	struct stretch stretch = before_zone(zone);
	int err = 0;

	while (!err && next_stretch(s->phys, zone, &stretch))
		err = scatter_stretch(s, zone, stretch);
	return err;
}

/* Turn the shares into numbers of blocks and frames. */
static int plan_scatter(struct iommusim_phys *phys, const struct iommusim_random_state *state,
                        struct scatter *s)
{
	uint64_t frames = 0, free, unusable;

	for (unsigned i = 0; i < phys->nr_zones; i++) {
		struct stretch stretch = before_zone(&phys->zone[i]);

		while (next_stretch(phys, &phys->zone[i], &stretch)) {
			struct stretch whole = whole_blocks(stretch, state->order);

			s->whole_blocks += (whole.end - whole.first) >> state->order;
			frames += stretch.end - stretch.first;
		}
	}
	free = frames * state->free_permille / 1000;
	unusable = free * state->unusable_permille / 1000;
	s->whole_wanted = (free - unusable + isim_bit(state->order) / 2) >> state->order;
	if (s->whole_wanted > s->whole_blocks)
		s->whole_wanted = s->whole_blocks;
	if (unusable && free > s->whole_wanted << state->order)
		s->cut_frames = free - (s->whole_wanted << state->order);
	s->cut_blocks = s->whole_blocks - s->whole_wanted;
	if (s->cut_frames > s->cut_blocks * (isim_bit(state->order) - 1))
		return isim_fail(
			&phys->diag, IOMMUSIM_EINVAL,
			"%u.%u%% free, of which %u.%u%% unusable at order %u, is impossible",
			state->free_permille / 10, state->free_permille % 10,
			state->unusable_permille / 10, state->unusable_permille % 10, state->order);
	return 0;
}

int iommusim_phys_randomize(struct iommusim_phys *phys, const struct iommusim_random_state *state)
{
	struct scatter s = { .phys = phys, .order = state->order };
	int err = open_state(phys, state->order);

	if (err)
		return err;
	if (state->free_permille > 1000 || state->unusable_permille > 1000)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "shares %u and %u are not 0 .. 1000 thousandths",
		                 state->free_permille, state->unusable_permille);
	s.rng = isim_rng_seed(state->seed);
	err = plan_scatter(phys, state, &s);
	if (err)
		return err;
	phys->is_untouched = 0;
	for (unsigned i = 0; !err && i < phys->nr_zones; i++)
		err = scatter_zone(&s, &phys->zone[i]);
	return no_memory(phys, err);
}
