/* SPDX-License-Identifier: MIT */
/*
 * Making a world smaller: every way to take something away is tried in turn, the coarse ones first,
 * and what keeps the invariant broken is kept. It ends when no way helps any more.
 */
#include "check/world.h"

#include <string.h>

#include "base/bits.h"
#include "base/compiler.h"

struct shrinking {
	iommusim_shows_fn shows;
	void *ctx;
	unsigned only_order; /* of the policies; 0: any */
	struct iommusim_world best;
	int64_t tried;
	int err;
};

/* Does @world show what is looked for? */
static int shows(struct shrinking *s, const struct iommusim_world *world)
{
	int it = s->shows(s->ctx, world);

	s->err = it < 0 ? it : 0;
	return it > 0;
}

/* Can it be run at all? */
static int is_world(const struct shrinking *s, const struct iommusim_world *world)
{
	return isim_world_is_valid(world) && (!s->only_order || world->max_order == s->only_order);
}

/* Take @world if it shows it, too. */
static int accept(struct shrinking *s, const struct iommusim_world *world)
{
	if (s->err || !is_world(s, world) || !memcmp(world, &s->best, sizeof(*world)))
		return 0;
	s->tried++;
	if (!shows(s, world))
		return 0;
	s->best = *world;
	return 1;
}

static void cut_memory(struct iommusim_world *w, unsigned frames)
{
	for (unsigned i = frames; i < w->nr_frames; i++)
		isim_world_set_free(w, i, 0);
	w->nr_frames = frames;
}

/* Numbers towards their smallest: @part of them is left, out of 8. */
static int fewer_bytes(struct shrinking *s)
{
	uint64_t page = isim_bit(s->best.page_shift);
	int any = 0;

	for (unsigned part = 1; part < 8; part++) {
		struct iommusim_world w = s->best;

		w.bytes = isim_align_up(w.bytes / 8 * part, page);
		any |= accept(s, &w);
	}
	for (int again = 1; again;) {
		struct iommusim_world w = s->best;

		w.bytes = w.bytes & (page - 1) ? isim_align_up(w.bytes, page) : w.bytes - page;
		again = w.bytes ? accept(s, &w) : 0;
		any |= again;
	}
	return any;
}

static int fewer_frames(struct shrinking *s)
{
	int any = 0;

	for (unsigned part = 1; part < 8; part++) {
		struct iommusim_world w = s->best;

		cut_memory(&w, w.nr_frames / 8 * part);
		any |= accept(s, &w);
	}
	for (int again = 1; again;) {
		struct iommusim_world w = s->best;

		cut_memory(&w, w.nr_frames - 1);
		again = accept(s, &w);
		any |= again;
	}
	return any;
}

/* Fewer free frames: aligned stretches, the large ones first. */
static int fewer_free(struct shrinking *s)
{
	int any = 0;

	for (unsigned size = 1u << isim_high_bit(s->best.nr_frames); size; size /= 2)
		for (unsigned at = 0; at < s->best.nr_frames; at += size) {
			struct iommusim_world w = s->best;

			for (unsigned i = at; i < at + size && i < w.nr_frames; i++)
				isim_world_set_free(&w, i, 0);
			any |= accept(s, &w);
		}
	return any;
}

/* Free frames move down by half of where they are, so that memory can end earlier. */
static int lower_free(struct shrinking *s)
{
	struct iommusim_world w = s->best;
	unsigned step = 1u << s->best.max_order;

	if (s->best.nr_frames <= step)
		return 0;
	for (unsigned i = 0; i < w.nr_frames; i++)
		isim_world_set_free(
			&w, i, i + step < w.nr_frames && isim_world_is_free(&s->best, i + step));
	return accept(s, &w);
}

static int fewer_orders(struct shrinking *s)
{
	int any = 0;

	for (unsigned order = 0; order < s->best.max_order; order++) {
		struct iommusim_world w = s->best;

		w.max_order = order;
		any |= accept(s, &w);
	}
	return any;
}

/* Fewer page sizes; then each of them smaller. */
static int simpler_pgsizes(struct shrinking *s)
{
	int any = 0;

	for (unsigned bit = 64; bit-- > 0;) {
		struct iommusim_world w = s->best;

		if (!(w.pgsizes >> bit & 1))
			continue;
		w.pgsizes &= ~isim_bit(bit);
		if (accept(s, &w)) {
			any = 1;
			continue;
		}
		w = s->best;
		if (bit <= w.page_shift || w.pgsizes >> (bit - 1) & 1)
			continue;
		w.pgsizes ^= isim_bit(bit) | isim_bit(bit - 1);
		any |= accept(s, &w);
	}
	return any;
}

/* No attributes, plain gfp, no failures, CPU pages of 4K. */
static int simpler_rest(struct shrinking *s)
{
	struct iommusim_world w = s->best;
	unsigned down = s->best.page_shift - 12;
	int any = 0;

	w.attrs = 0;
	any |= accept(s, &w);
	w = s->best;
	w.gfp = IOMMUSIM_GFP_KERNEL;
	any |= accept(s, &w);
	for (unsigned bit = 32; bit-- > 0;) {
		w = s->best;
		w.gfp = (w.gfp & ~(UINT32_C(1) << bit)) | IOMMUSIM_GFP_KERNEL;
		any |= accept(s, &w);
	}
	w = s->best;
	w.fail = 0;
	any |= accept(s, &w);
	for (unsigned bit = 64; bit-- > 0;) {
		w = s->best;
		w.fail &= ~isim_bit(bit);
		any |= accept(s, &w);
	}
	w = s->best;
	w.page_shift = 12;
	w.bytes = w.bytes >> down ? w.bytes >> down : 1;
	w.pgsizes = w.pgsizes >> down ? w.pgsizes >> down : 1;
	return any | accept(s, &w);
}

/*
 * The smallest worlds at once, in which several things change together: up to 8 pages, page sizes
 * of orders 0 to 2, memory that is all free, half free or full, at most one attempt that fails.
 */
static int tiny_world(struct shrinking *s, unsigned pages, unsigned orders, unsigned memory)
{
	struct iommusim_world w = s->best;

	w.page_shift = 12;
	w.max_order = s->only_order ? s->only_order : 2;
	w.gfp = IOMMUSIM_GFP_KERNEL;
	w.pgsizes = (uint64_t)orders << 12;
	w.bytes = (uint64_t)pages << 12;
	w.nr_frames = 4 * pages;
	memset(w.free, 0, sizeof(w.free));
	for (unsigned i = 0; i < w.nr_frames; i++)
		isim_world_set_free(&w, i, memory == 0 || (memory == 1 && i % 2));
	for (unsigned attempt = 0; attempt <= 6; attempt++) {
		w.fail = isim_bit(attempt) >> 1;
		if (accept(s, &w))
			return 1;
	}
	return 0;
}

static void try_tiny(struct shrinking *s)
{
	for (unsigned pages = 1; pages <= 8; pages++)
		for (unsigned orders = 1; orders < 8; orders++)
			for (unsigned memory = 0; memory < 3; memory++)
				if (tiny_world(s, pages, orders, memory))
					return;
}

static int64_t shrink(struct shrinking *s, struct iommusim_world *world)
{
	static int (*const ways[])(
		struct shrinking *) = { fewer_bytes, fewer_orders,    fewer_frames, fewer_free,
		                        lower_free,  simpler_pgsizes, simpler_rest };
	int any = 1;

	s->best = *world;
	if (!is_world(s, world) || (!shows(s, world) && !s->err))
		s->err = -IOMMUSIM_EINVAL;
	if (!s->err && s->best.bytes > 4096)
		try_tiny(s);
	while (any && !s->err) {
		any = 0;
		for (unsigned i = 0; i < ISIM_ARRAY_LEN(ways); i++)
			any |= ways[i](s);
	}
	if (s->err)
		return s->err;
	*world = s->best;
	return s->tried;
}

int64_t iommusim_world_shrink_while(iommusim_shows_fn shows_it, void *ctx,
                                    struct iommusim_world *world)
{
	struct shrinking s = { .shows = shows_it, .ctx = ctx };

	return shrink(&s, world);
}

/* ---- What is shown ---- */

struct shown {
	const struct iommusim_policy *policy, *other;
	unsigned invariant;
	const struct iommusim_host *host;
};

static int breaks_invariant(void *ctx, const struct iommusim_world *world)
{
	const struct shown *s = ctx;
	struct iommusim_verdict verdict;
	int err = iommusim_check_world(s->policy, world, s->host, &verdict);

	return err ? err : (int)(verdict.broken >> s->invariant & 1);
}

static int parts_them(void *ctx, const struct iommusim_world *world)
{
	const struct shown *s = ctx;
	struct iommusim_difference difference;
	int err = iommusim_check_difference(s->policy, s->other, world, s->host, &difference);

	return err ? err : difference.attempt >= 0;
}

int64_t iommusim_world_shrink(const struct iommusim_policy *policy, unsigned invariant,
                              const struct iommusim_host *host, struct iommusim_world *world)
{
	struct shown shown = { .policy = policy, .invariant = invariant, .host = host };
	struct shrinking s = { .shows = breaks_invariant,
		               .ctx = &shown,
		               .only_order = isim_policy_only_order(policy) };

	return invariant < IOMMUSIM_NR_INVARIANTS ? shrink(&s, world) : -IOMMUSIM_EINVAL;
}

int64_t iommusim_world_shrink_difference(const struct iommusim_policy *policy,
                                         const struct iommusim_policy *other,
                                         const struct iommusim_host *host,
                                         struct iommusim_world *world)
{
	struct shown shown = { .policy = policy, .other = other, .host = host };
	struct shrinking s = { .shows = parts_them,
		               .ctx = &shown,
		               .only_order = isim_policy_only_order(policy) };

	if (!s.only_order)
		s.only_order = isim_policy_only_order(other);
	return shrink(&s, world);
}
