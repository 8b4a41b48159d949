/* SPDX-License-Identifier: MIT */
/* Blocks in use as compaction and reclaim see them: whose they are, what can be done with them. */
#ifndef ISIM_PHYS_POPULATION_H
#define ISIM_PHYS_POPULATION_H

#include "phys/request.h"

/*
 * Is it a set of single pages that share metadata, rather than one block? So are the population's
 * blocks, but for kernel memory and huge pages.
 */
int isim_is_set_of_pages(unsigned state);

/* Make single frames of the block in use at @frame. 0, or -EHOST with nothing changed. */
int isim_used_split(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame);

/* May the block in use at @frame move to @to, or be taken? Tells its owner. */
int isim_ask_move(const struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t frame,
                  uint32_t to);
int isim_ask_take(const struct iommusim_phys *phys, const struct isim_zone *zone, uint32_t frame);

/* Free the block in use at @frame, not larger than a pageblock; its owner knows. */
void isim_used_free(const struct iommusim_phys *phys, struct isim_zone *zone, uint32_t frame);

/* The block in use at @frame, a caller's, becomes the population's. */
void isim_adopt(struct isim_zone *zone, uint32_t frame);

/* Frames that reclaim looks at in one zone, until it has @wanted. */
struct isim_round {
	uint64_t wanted, freed;
	int may_write, may_swap; /* write-back, and shrinkers that need it; swapping */
	struct iommusim_reclaim_counts counts;
};

void isim_reclaim_zone(struct iommusim_phys *phys, struct isim_zone *zone,
                       struct isim_round *round);

#endif
