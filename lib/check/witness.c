/* SPDX-License-Identifier: MIT */
/*
 * Frames are simulated memory like any other; beside it stands what each of them was handed out as,
 * so that a free or a split that Linux would not survive is noticed and refused.
 */
#include "check/witness.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "check/world.h"
#include "phys/zone.h"

/* Free the runs of frames that the world has free, upwards. */
static int free_runs(struct isim_witness *w)
{
	struct isim_zone *zone = &w->phys->zone[0];
	unsigned nr = w->world->nr_frames;
	int err = 0;

	for (unsigned at = 0, end; !err && at < nr; at = end) {
		for (end = at + 1; end < nr && isim_world_is_free(w->world, end) ==
		                                       isim_world_is_free(w->world, at);
		     end++)
			;
		if (isim_world_is_free(w->world, at))
			err = isim_release(w->phys, zone, at, end, IOMMUSIM_MOVABLE);
		else
			err = isim_occupy(w->phys, zone, at, end, IOMMUSIM_PAGE_KERNEL);
	}
	return err;
}

int isim_witness_open(struct isim_witness *witness, const struct iommusim_world *world,
                      iommusim_pfn base, const struct iommusim_host *host)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = base,
		                             .nr_frames = world->nr_frames };
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .page_shift = world->page_shift,
		                               .nr_orders = world->max_order + 1,
		                               .zones = &zone,
		                               .nr_zones = 1,
		                               .nothing_free = 1,
		                               .host = host };
	int err;

	memset(witness, 0, offsetof(struct isim_witness, frame));
	memset(witness->frame, ISIM_FRAME_UNKNOWN, world->nr_frames); /* not all of a large array */
	witness->world = world;
	witness->base = base;
	err = iommusim_phys_create(&config, &witness->phys);
	if (err)
		return err;
	err = free_runs(witness);
	if (err)
		isim_witness_close(witness);
	return err;
}

void isim_witness_close(struct isim_witness *witness)
{
	iommusim_phys_destroy(witness->phys);
	witness->phys = NULL;
}

static int illegal(struct isim_witness *w, const char *what, iommusim_pfn pfn, unsigned order)
{
	if (!w->is_illegal)
		snprintf(w->text, sizeof(w->text), "%s frame %lld as order %u: %s", what,
		         (long long)(pfn - w->base), order,
		         pfn - w->base >= w->world->nr_frames          ? "it is not in memory"
		         : w->frame[pfn - w->base] == ISIM_FRAME_PAGE  ? "it is a single page"
		         : w->frame[pfn - w->base] == ISIM_FRAME_BLOCK ? "it is a block not split"
		         : w->frame[pfn - w->base] == ISIM_FRAME_INNER
		                 ? "it is inside a block not split"
		                 : "it is not the policy's");
	w->is_illegal = 1;
	return -IOMMUSIM_EINVAL;
}

/* May the block of @order at @pfn be freed or split as that? */
static int is_held(const struct isim_witness *w, iommusim_pfn pfn, unsigned order)
{
	uint64_t at = pfn - w->base;

	if (at >= w->world->nr_frames)
		return 0;
	if (w->frame[at] == ISIM_FRAME_PAGE)
		return order == 0;
	return w->frame[at] == ISIM_FRAME_BLOCK && w->order[at] == order;
}

static void mark(struct isim_witness *w, iommusim_pfn pfn, unsigned order, enum isim_frame as)
{
	uint64_t at = pfn - w->base;

	memset(w->frame + at, as == ISIM_FRAME_BLOCK ? ISIM_FRAME_INNER : (int)as,
	       (size_t)isim_bit(order));
	if (as == ISIM_FRAME_BLOCK)
		w->frame[at] = ISIM_FRAME_BLOCK;
	w->order[at] = (uint8_t)order;
}

static int witness_alloc(void *ctx, const struct iommusim_page_request *req,
                         struct iommusim_page_block *block)
{
	struct isim_witness *w = ctx;
	uint64_t attempt = w->attempts++;
	struct iommusim_page_request plain = *req;
	int err;

	if (attempt < 64 && w->world->fail >> attempt & 1)
		return w->result = -IOMMUSIM_ENOMEM;
	/* One zone: which one is asked for decides nothing here. */
	plain.gfp &= ~(IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_THISNODE);
	err = iommusim_phys_alloc(w->phys, &plain, block);
	w->result = err;
	if (err)
		return err;
	mark(w, block->pfn, req->order, req->order ? ISIM_FRAME_BLOCK : ISIM_FRAME_PAGE);
	w->held += isim_bit(req->order);
	return 0;
}

static int witness_free(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct isim_witness *w = ctx;
	int err;

	if (!is_held(w, pfn, order))
		return illegal(w, "frees", pfn, order);
	err = iommusim_phys_free(w->phys, pfn, order);
	if (err)
		return err;
	mark(w, pfn, order, ISIM_FRAME_UNKNOWN);
	w->held -= isim_bit(order);
	return 0;
}

static int witness_split(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct isim_witness *w = ctx;
	int err;

	if (!order || !is_held(w, pfn, order))
		return illegal(w, "splits", pfn, order);
	err = iommusim_phys_split(w->phys, pfn, order);
	if (err == -IOMMUSIM_EINVAL)
		return illegal(w, "splits the compound block at", pfn, order);
	if (!err)
		mark(w, pfn, order, ISIM_FRAME_PAGE);
	return err;
}

struct iommusim_page_source isim_witness_source(struct isim_witness *witness)
{
	struct iommusim_page_source source = { .size = sizeof(source),
		                               .ctx = witness,
		                               .alloc_pages = witness_alloc,
		                               .free_pages = witness_free,
		                               .split_page = witness_split };

	return source;
}

int isim_witness_is_as_before(const struct isim_witness *witness)
{
	const struct isim_zone *zone = &witness->phys->zone[0];

	for (uint32_t at = 0; at < witness->world->nr_frames;) {
		unsigned state = isim_state(zone, at);
		uint32_t end = at + (1u << isim_block_order(state));
		int free = (state & ISIM_STATE_BITS) == ISIM_FREE;

		for (; at < end && at < witness->world->nr_frames; at++)
			if (isim_world_is_free(witness->world, at) != free)
				return 0;
	}
	return 1;
}
