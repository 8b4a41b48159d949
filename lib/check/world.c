/* SPDX-License-Identifier: MIT */
/*
 * Worlds: made by a seed, made smaller, counted. Small ones come first and most: what goes wrong in
 * a large world mostly does in a small one, with few orders, where it can be read.
 */
#include "check/world.h"

#include <string.h>

#include "base/bits.h"
#include "base/compiler.h"
#include "base/host.h"
#include "base/rng.h"
#include "base/units.h"

int isim_world_is_valid(const struct iommusim_world *w)
{
	uint64_t most = (uint64_t)IOMMUSIM_CHECK_FRAMES << w->page_shift;

	return w->page_shift >= 12 && w->page_shift <= 16 && w->max_order < IOMMUSIM_MAX_ORDERS &&
	       w->pgsizes && w->bytes && w->bytes <= most && w->nr_frames &&
	       w->nr_frames <= IOMMUSIM_CHECK_FRAMES;
}

/* ---- Of one largest order ---- */

unsigned isim_policy_only_order(const struct iommusim_policy *policy)
{
	struct iommusim_policy p; /* as much of it as the caller's header knows */

	return isim_copy_sized(&p, sizeof(p), policy) ? 0 : p.only_order;
}

int isim_world_suits(const struct iommusim_world *world, const struct iommusim_policy *policy)
{
	unsigned only = isim_policy_only_order(policy);

	return !only || world->max_order == only;
}

void iommusim_world_suit(struct iommusim_world *world, const struct iommusim_policy *policy)
{
	unsigned only = isim_policy_only_order(policy);

	if (only)
		world->max_order = only;
}

/* ---- By a seed ---- */

/* One of every 16 worlds has the orders of a real kernel, the others few. */
static void draw_pages(struct isim_rng *rng, struct iommusim_world *w)
{
	static const struct {
		unsigned shift, max_order;
	} real[] = { { 12, 10 }, { 12, 10 }, { 14, 11 }, { 16, 13 } };
	unsigned i = (unsigned)isim_rng_below(rng, ISIM_ARRAY_LEN(real));

	w->page_shift = real[i].shift;
	w->max_order = real[i].max_order;
	if (isim_rng_below(rng, 16)) {
		w->page_shift = 12;
		w->max_order = (unsigned)isim_rng_below(rng, 6);
	}
}

/* A granule of a CPU page mostly, or of more, and larger sizes. */
static void draw_pgsizes(struct isim_rng *rng, struct iommusim_world *w)
{
	unsigned low = w->page_shift, orders = w->max_order + 2;

	if (!isim_rng_below(rng, 2))
		low += (unsigned)isim_rng_below(rng, w->max_order + 1);
	else if (!isim_rng_below(rng, 8))
		low -= (unsigned)isim_rng_below(rng, 3);
	w->pgsizes = isim_bit(low);
	if (!isim_rng_below(rng, 4))
		w->pgsizes |= isim_low_bits(low + orders) & ~isim_low_bits(low);
	else
		for (unsigned n = (unsigned)isim_rng_below(rng, 3); n; n--)
			w->pgsizes |= isim_bit(low + (unsigned)isim_rng_below(rng, orders));
}

static void draw_request(struct isim_rng *rng, struct iommusim_world *w)
{
	static const uint32_t more[] = { 0,
		                         0,
		                         0,
		                         IOMMUSIM_GFP_BIT_ZERO,
		                         IOMMUSIM_GFP_BIT_NOWARN,
		                         IOMMUSIM_GFP_BIT_RETRY_MAYFAIL,
		                         IOMMUSIM_GFP_BIT_DMA32 };
	uint64_t pages = isim_bit((unsigned)isim_rng_below(rng, w->max_order + 3));

	if (pages > IOMMUSIM_CHECK_FRAMES / 2)
		pages = IOMMUSIM_CHECK_FRAMES / 2;
	pages = isim_rng_range(rng, 1, pages + (pages >> 1));
	w->bytes = isim_pages_to_bytes(pages, w->page_shift);
	if (!isim_rng_below(rng, 8))
		w->bytes -= isim_rng_below(rng, isim_bit(w->page_shift));
	w->gfp = IOMMUSIM_GFP_KERNEL | more[isim_rng_below(rng, ISIM_ARRAY_LEN(more))];
	w->attrs = isim_rng_below(rng, 3) ? 0 : IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES;
}

/* Free or not: whole aligned blocks, by halves down to single frames. */
static void draw_block(struct isim_rng *rng, struct iommusim_world *w, unsigned first,
                       unsigned order, unsigned percent)
{
	unsigned size = 1u << order;
	uint64_t r = isim_rng_below(rng, 100);

	if (order && r >= percent && r < 70) {
		draw_block(rng, w, first, order - 1, percent);
		draw_block(rng, w, first + size / 2, order - 1, percent);
		return;
	}
	for (unsigned i = first; i < first + size && i < w->nr_frames; i++)
		isim_world_set_free(w, i, r < percent || (!order && r < 50));
}

static void draw_memory(struct isim_rng *rng, struct iommusim_world *w)
{
	uint64_t pages = isim_bytes_to_pages(w->bytes, w->page_shift);
	uint64_t granule = isim_bit(isim_low_bit(w->pgsizes)) >> w->page_shift;
	uint64_t most = IOMMUSIM_CHECK_FRAMES - (pages > granule ? pages : granule);
	unsigned percent = (unsigned)isim_rng_below(rng, 60);

	w->nr_frames = (unsigned)((pages > granule ? pages : granule) +
	                          isim_rng_below(rng, most < 4 * pages ? most + 1 : 4 * pages + 1));
	if (!isim_rng_below(rng, 4))
		percent = 100;
	for (unsigned at = 0; at < w->nr_frames; at += 1u << w->max_order)
		draw_block(rng, w, at, w->max_order, percent);
}

void iommusim_world_generate(uint64_t seed, uint64_t index, struct iommusim_world *world)
{
	struct isim_rng rng = isim_rng_seed(seed ^ index * UINT64_C(0xd1342543de82ef95));

	memset(world, 0, sizeof(*world));
	isim_rng_next(&rng);
	draw_pages(&rng, world);
	draw_pgsizes(&rng, world);
	draw_request(&rng, world);
	draw_memory(&rng, world);
	if (!isim_rng_below(&rng, 4))
		world->fail = isim_rng_next(&rng) & isim_rng_next(&rng);
	if (!isim_rng_below(&rng, 8))
		world->gfp |= IOMMUSIM_GFP_BIT_COMP;
}

/* ---- All small ones ---- */

uint64_t iommusim_small_worlds_count(const struct iommusim_small_worlds *bounds)
{
	if (!bounds->frames || bounds->frames > 16 || !bounds->pages || bounds->pages > 16 ||
	    bounds->max_order > 4)
		return 0;
	return isim_bit(bounds->frames) * bounds->pages * (isim_bit(bounds->max_order + 1) - 1) *
	       (bounds->attrs ? 2 : 1);
}

void iommusim_small_worlds_at(const struct iommusim_small_worlds *bounds, uint64_t index,
                              struct iommusim_world *world)
{
	uint64_t sets = isim_bit(bounds->max_order + 1) - 1;
	uint64_t pattern = index & (isim_bit(bounds->frames) - 1);

	index >>= bounds->frames;
	memset(world, 0, sizeof(*world));
	world->page_shift = 12;
	world->max_order = bounds->max_order;
	world->gfp = IOMMUSIM_GFP_KERNEL;
	world->nr_frames = bounds->frames;
	world->free[0] = (uint8_t)pattern;
	world->free[1] = (uint8_t)(pattern >> 8);
	world->pgsizes = (index % sets + 1) << 12;
	index /= sets;
	world->bytes = (index % bounds->pages + 1) << 12;
	world->attrs = index / bounds->pages ? bounds->attrs : 0;
}
