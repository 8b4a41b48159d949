/* SPDX-License-Identifier: MIT */
/*
 * Ageing: a seeded workload over simulated time. In each step objects end, users take their share
 * in turns, and where a zone runs low, reclaim frees what it can.
 */
#include "phys/lives.h"
#include "phys/population.h"
#include "phys/slow.h"

#include <string.h>

#include "base/rng.h"

#define MAX_USERS  16u
#define MAX_HOURS  10000u
#define MAX_FRAMES (UINT32_C(1) << 31)
#define HOUR       3600u
#define TURN       32u /* frames that a user takes before the next one is asked */

/* What a user is owed, in thousandths of a frame times an hour, and what it is building. */
struct grower {
	uint64_t credit;
	uint32_t object, left; /* left: frames that it still lacks, 0: none is open */
	int is_awake;
};

struct ager {
	struct isim_lives lives;
	struct iommusim_phys *phys;
	const struct iommusim_age_profile *profile;
	struct isim_rng rng;
	struct grower grower[MAX_USERS];
	int err; /* the host has no memory */
};

static const uint64_t frame_price = (uint64_t)HOUR * 1000;

/* A number of @lo .. @hi, every power of two as likely as another. */
static uint32_t draw(struct ager *a, uint32_t lo, uint32_t hi)
{
	uint64_t base, value;

	if (lo < 1)
		lo = 1;
	if (hi <= lo)
		return lo;
	base = (uint64_t)lo << isim_rng_below(&a->rng, isim_high_bit(hi / lo) + 1);
	value = base + isim_rng_below(&a->rng, base);
	return value < hi ? (uint32_t)value : hi;
}

/* ---- Ends ---- */

/* Free a block. Returns its frames. */
static uint32_t give_back(struct ager *a, const struct isim_zone *zone, uint32_t frame)
{
	unsigned order = isim_block_order(isim_state(zone, frame));

	a->err = iommusim_phys_free(a->phys, zone->base + frame, order);
	return 1u << order;
}

/* What was dirty was written meanwhile: it stays as clean cache until it is reclaimed. */
static void clean(struct isim_zone *zone, uint32_t frame)
{
	unsigned state = isim_state(zone, frame), order = isim_block_order(state);

	isim_count_unused(zone, state);
	state = isim_used_state(order, IOMMUSIM_PAGE_CACHE) | ISIM_POPULATION;
	isim_set_state(zone, frame, order, state);
	isim_count_used(zone, state);
}

static uint64_t step_after(const struct ager *a, uint64_t seconds)
{
	return a->lives.step + 1 + seconds / a->profile->step;
}

static int is_anon(const struct ager *a, uint32_t object)
{
	unsigned kind = a->profile->users[a->lives.object[object].user].kind;

	return kind == IOMMUSIM_PAGE_ANON || kind == IOMMUSIM_PAGE_HUGE;
}

/* All of a process that ends is freed, what was swapped out as well. Returns the frames freed. */
static uint32_t end_process(struct ager *a, uint32_t object)
{
	struct isim_zone *zone;
	uint32_t frame, nr = 0;

	while (!a->err && (zone = isim_object_pop(&a->lives, object, &frame)) != NULL)
		nr += give_back(a, zone, frame);
	a->phys->swap_left += a->lives.object[object].nr - nr;
	a->lives.object[object].nr = 0;
	return nr;
}

/* The object ends; a part of it, if its user has stragglers, goes on as another object. */
static void end_object(struct ager *a, uint32_t object)
{
	unsigned index = a->lives.object[object].user;
	const struct iommusim_age_user *user = &a->profile->users[index];
	uint32_t life = a->lives.object[object].life, rest = ISIM_NIL, frame;
	struct isim_zone *zone;

	life = life > UINT32_MAX / 8 ? UINT32_MAX : life * 8;
	while (!a->err && (zone = isim_object_pop(&a->lives, object, &frame)) != NULL) {
		if (user->kind == IOMMUSIM_PAGE_DIRTY) {
			clean(zone, frame);
		} else if (user->straggle && isim_rng_below(&a->rng, 1000) < user->straggle) {
			if (rest == ISIM_NIL)
				a->err = isim_object_open(&a->lives, index, life, &rest);
			if (!a->err)
				isim_object_add(&a->lives, rest, zone, frame);
		} else {
			give_back(a, zone, frame);
		}
	}
	if (rest != ISIM_NIL)
		isim_object_close(&a->lives, rest, step_after(a, life));
}

static void end_due(struct ager *a)
{
	uint32_t object;

	while (!a->err && (object = isim_object_due(&a->lives, a->lives.step)) != ISIM_NIL) {
		if (is_anon(a, object))
			end_process(a, object);
		else
			end_object(a, object);
		isim_object_drop(&a->lives, object);
	}
}

/* Memory is short and nothing can be reclaimed: end the process that would end next. */
static void kill_one(struct ager *a)
{
	for (uint32_t step = a->lives.step + 1; step < a->lives.nr_steps; step++)
		for (uint32_t o = a->lives.due[step]; o != ISIM_NIL; o = a->lives.object[o].next)
			if (is_anon(a, o) && (end_process(a, o) || a->err))
				return;
}

/* ---- Keeping memory free ---- */

/* Where kswapd starts and stops: the profile's marks, or the zone's where they are higher. */
static void marks_of(const struct ager *a, const struct isim_zone *zone, uint64_t *low,
                     uint64_t *high)
{
	uint64_t frames = zone->end - zone->first;
	uint64_t least[2] = { 0, 0 };

	if (a->phys->features & IOMMUSIM_PHYS_WATERMARKS) {
		least[0] = isim_mark(zone, ISIM_ALLOC_LOW);
		least[1] = isim_mark(zone, ISIM_ALLOC_HIGH);
	}
	*low = frames * a->profile->low / 1000;
	*high = frames * a->profile->high / 1000;
	*low = *low > least[0] ? *low : least[0];
	*high = *high > least[1] ? *high : least[1];
}

/* kswapd, in every zone. What boosted the marks is balanced then. */
static void balance(struct ager *a)
{
	for (unsigned i = 0; i < a->phys->nr_zones; i++) {
		struct isim_zone *zone = &a->phys->zone[i];
		struct isim_round round = { .may_write = 1, .may_swap = 1 };
		uint64_t low, high, free = zone->nr_free;

		marks_of(a, zone, &low, &high);
		if (free >= low)
			continue;
		round.wanted = high - free;
		isim_reclaim_zone(a->phys, zone, &round);
		zone->numbers.boost = 0;
		if (free + round.freed < low / 2)
			kill_one(a);
	}
}

/* kcompactd: until there is a whole pageblock again, as for a huge page. */
static void compact(struct ager *a)
{
	unsigned features = a->phys->features, every = a->profile->compact_every;
	struct isim_attempt attempt = { .order = a->phys->pageblock_order,
		                        .type = IOMMUSIM_MOVABLE,
		                        .highest = IOMMUSIM_NR_ZONES - 1 };

	if (!every || (uint64_t)a->lives.step * a->profile->step % every >= a->profile->step)
		return;
	a->phys->features |= IOMMUSIM_PHYS_COMPACTION;
	isim_compact(a->phys, &attempt, ISIM_COMPACT_SYNC_LIGHT);
	a->phys->features = features;
}

/* ---- Growth ---- */

/* A block for @user, of the largest of its orders that there is. Its order in *order. */
static struct isim_zone *take(struct ager *a, const struct iommusim_age_user *user,
                              unsigned largest, uint32_t *frame, unsigned *order)
{
	struct iommusim_page_request req = { .gfp = user->gfp, .node = -1, .kind = user->kind };
	const unsigned orders[] = { user->order, user->fallback, 0 };
	struct iommusim_page_block block;

	for (unsigned i = 0; i < 3; i++) {
		struct isim_zone *zone;
		int err;

		if (orders[i] > largest || (i && orders[i] >= orders[i - 1]))
			continue;
		*order = req.order = orders[i];
		if (!*order && user->kind == IOMMUSIM_PAGE_HUGE)
			req.kind = IOMMUSIM_PAGE_ANON;
		err = iommusim_phys_alloc(a->phys, &req, &block);
		if (!err) {
			zone = isim_zone_of(a->phys, block.pfn, frame);
			isim_adopt(zone, *frame);
			return zone;
		}
		if (err != -IOMMUSIM_ENOMEM)
			a->err = err;
	}
	return NULL;
}

/* Start an object of @user, if it has such. */
static void open_object(struct ager *a, unsigned index)
{
	const struct iommusim_age_user *user = &a->profile->users[index];
	uint32_t most = a->lives.nr_frames / 16;
	uint32_t life = user->max_life ? draw(a, user->min_life, user->max_life) : 0;
	struct grower *g = &a->grower[index];

	g->left = draw(a, user->min_size, user->max_size < most ? user->max_size : most);
	g->object = ISIM_NIL;
	if (life)
		a->err = isim_object_open(&a->lives, index, life, &g->object);
}

static void close_object(struct ager *a, struct grower *g)
{
	g->left = 0;
	if (g->object != ISIM_NIL)
		isim_object_close(&a->lives, g->object,
		                  step_after(a, a->lives.object[g->object].life));
}

/* One turn of a user: returns whether it wants another. */
static int grow(struct ager *a, unsigned index)
{
	const struct iommusim_age_user *user = &a->profile->users[index];
	struct grower *g = &a->grower[index];
	uint32_t taken = 0, frame = 0;
	unsigned order;

	if (!g->left)
		open_object(a, index);
	while (!a->err && taken < TURN && g->left && g->credit >= frame_price) {
		unsigned largest = isim_high_bit(g->left);
		struct isim_zone *zone = take(a, user, largest, &frame, &order);
		uint64_t price = frame_price << order;

		if (!zone) {
			g->credit = 0;
			break;
		}
		if (g->object != ISIM_NIL)
			isim_object_add(&a->lives, g->object, zone, frame);
		g->credit -= price < g->credit ? price : g->credit;
		g->left -= 1u << order;
		taken += 1u << order;
	}
	if (!a->err && (!g->left || !taken))
		close_object(a, g);
	return g->credit >= frame_price;
}

/* All users in turns, until each has taken its share. */
static void grow_all(struct ager *a)
{
	int more = 1;

	while (more && !a->err) {
		more = 0;
		for (unsigned i = 0; i < a->profile->nr_users && !a->err; i++) {
			if (!a->grower[i].is_awake)
				continue;
			balance(a);
			a->grower[i].is_awake = grow(a, i);
			more |= a->grower[i].is_awake;
		}
	}
}

static void step(struct ager *a)
{
	end_due(a);
	for (unsigned i = 0; i < a->profile->nr_users; i++) {
		const struct iommusim_age_user *user = &a->profile->users[i];
		struct grower *g = &a->grower[i];

		g->credit += (uint64_t)a->lives.nr_frames * user->flow * a->profile->step;
		g->is_awake = g->credit >= frame_price &&
		              (user->pause < 2 || !isim_rng_below(&a->rng, user->pause));
	}
	if (!a->err)
		grow_all(a);
	if (!a->err)
		compact(a);
}

/* What is taken at boot never ends: objects that are closed beyond the last step. */
static void boot(struct ager *a)
{
	a->lives.step = a->lives.nr_steps;
	for (unsigned i = 0; i < a->profile->nr_users; i++) {
		a->grower[i].credit =
			(uint64_t)a->lives.nr_frames * a->profile->users[i].standing * HOUR;
		a->grower[i].is_awake = a->grower[i].credit >= frame_price;
	}
	grow_all(a);
	for (unsigned i = 0; i < a->profile->nr_users && !a->err; i++)
		close_object(a, &a->grower[i]);
	a->lives.step = 0;
}

/* kcompactd runs by the clock here, so how often it failed says nothing about the next request. */
static void forget_failures(struct iommusim_phys *phys)
{
	for (unsigned i = 0; i < phys->nr_zones; i++) {
		struct isim_progress *p = &phys->zone[i].progress;

		p->considered = 0;
		p->defer_shift = p->order_failed = 0;
	}
}

static void live(struct ager *a)
{
	boot(a);
	for (; a->lives.step < a->lives.nr_steps && !a->err; a->lives.step++)
		step(a);
	forget_failures(a->phys);
}

static int check_age(struct iommusim_phys *phys, const struct iommusim_age *age)
{
	const struct iommusim_age_profile *p = age->profile;

	if (phys->is_untouched)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "nothing is free on the machine: it cannot age");
	if (!p || !p->nr_users || p->nr_users > MAX_USERS || !p->step || p->step > HOUR ||
	    p->low > p->high || p->high > 1000)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "the profile has not 1 .. %u users, a step of 1 .. %u seconds "
		                 "and low <= high <= 1000",
		                 MAX_USERS, HOUR);
	if (age->hours > MAX_HOURS)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "%u hours are not 0 .. %u",
		                 age->hours, MAX_HOURS);
	return 0;
}

static uint64_t all_frames(const struct iommusim_phys *phys)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < phys->nr_zones; i++)
		nr += phys->zone[i].config.nr_frames;
	return nr;
}

int iommusim_phys_age(struct iommusim_phys *phys, const struct iommusim_age *age)
{
	struct ager a = { .phys = phys };
	iommusim_event_fn event = phys->diag.host.event;
	struct iommusim_age c;
	uint64_t frames = all_frames(phys), seconds;
	int err = isim_copy_sized(&c, sizeof(c), age);

	if (!err)
		err = check_age(phys, &c);
	if (err)
		return err;
	if (frames > MAX_FRAMES)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "%llu frames are more than 2^31",
		                 (unsigned long long)frames);
	a.profile = c.profile;
	a.rng = isim_rng_seed(c.seed);
	seconds = (uint64_t)(c.hours ? c.hours : a.profile->hours) * HOUR;
	a.err = isim_lives_init(&a.lives, phys, (uint32_t)(seconds / a.profile->step));
	phys->swap_left = frames * a.profile->swap / 1000;
	phys->diag.host.event = NULL;
	phys->ager = (struct iommusim_page_owner){ .size = sizeof(phys->ager),
		                                   .ctx = &a.lives,
		                                   .moved = isim_lives_moved,
		                                   .taken = isim_lives_taken };
	if (!a.err)
		live(&a);
	memset(&phys->ager, 0, sizeof(phys->ager));
	phys->diag.host.event = event;
	isim_lives_finish(&a.lives);
	return a.err ? isim_no_memory(&phys->diag, "a machine that ages") : 0;
}
