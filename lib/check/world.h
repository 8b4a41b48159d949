/* SPDX-License-Identifier: MIT */
/* What the parts of the room share of a world. */
#ifndef ISIM_CHECK_WORLD_H
#define ISIM_CHECK_WORLD_H

#include "iommusim/check.h"

/* All numbers in their ranges. */
int isim_world_is_valid(const struct iommusim_world *world);

/* The one largest order that it is for, 0: any. */
unsigned isim_policy_only_order(const struct iommusim_policy *policy);

/* Is it of the largest order that @policy is for? */
int isim_world_suits(const struct iommusim_world *world, const struct iommusim_policy *policy);

static inline void isim_world_set_free(struct iommusim_world *world, unsigned frame, int free)
{
	uint8_t bit = (uint8_t)(1u << (frame % 8));

	if (free)
		world->free[frame / 8] |= bit;
	else
		world->free[frame / 8] &= (uint8_t)~bit;
}

static inline int isim_world_is_free(const struct iommusim_world *world, unsigned frame)
{
	return world->free[frame / 8] >> (frame % 8) & 1;
}

#endif
