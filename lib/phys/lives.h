/* SPDX-License-Identifier: MIT */
/*
 * Objects of a machine that ages: which blocks each is made of, and when it ends. The blocks of an
 * object are a ring that runs through the object itself, so that a block can leave it, or be
 * replaced by another, without looking for the object. A block in no ring stays until reclaimed.
 */
#ifndef ISIM_PHYS_LIVES_H
#define ISIM_PHYS_LIVES_H

#include "phys/zone.h"

struct isim_object {
	struct isim_link ring;
	uint32_t next; /* ends in the same step, or is unused as well; ISIM_NIL: the last */
	uint32_t life; /* seconds */
	uint32_t nr;   /* frames that it was given */
	uint8_t user;
};

struct isim_lives {
	struct iommusim_phys *phys;
	uint32_t nr_frames, nr_steps, step;
	uint32_t first[ISIM_MAX_ZONES]; /* node of the first frame of each zone */
	struct isim_link *link;         /* by frame */
	struct isim_object *object;
	size_t nr_objects, cap_objects;
	uint32_t unused; /* first unused object */
	uint32_t *due;   /* by step: the first object that ends then */
};

/* 0 or -EHOST; isim_lives_finish() in any case. */
int isim_lives_init(struct isim_lives *lives, struct iommusim_phys *phys, uint32_t nr_steps);
void isim_lives_finish(struct isim_lives *lives);

/* A new object without blocks in *object. 0 or -EHOST. */
int isim_object_open(struct isim_lives *lives, unsigned user, uint32_t life, uint32_t *object);

/* It has all its blocks: it ends in step @due; beyond the last step, never. */
void isim_object_close(struct isim_lives *lives, uint32_t object, uint64_t due);

/* The first object that ends in step @step, off the list; NIL: none is left. */
uint32_t isim_object_due(struct isim_lives *lives, uint32_t step);

/* Nothing is left of it. */
void isim_object_drop(struct isim_lives *lives, uint32_t object);

/* The block that starts at @frame becomes the object's, the last one. */
void isim_object_add(struct isim_lives *lives, uint32_t object, const struct isim_zone *zone,
                     uint32_t frame);

/* The object's first block, taken out of it; NULL: it has none. */
struct isim_zone *isim_object_pop(struct isim_lives *lives, uint32_t object, uint32_t *frame);

/* The functions of a page owner, @ctx being the lives. */
int isim_lives_moved(void *ctx, iommusim_pfn from, iommusim_pfn to, unsigned order);
int isim_lives_taken(void *ctx, iommusim_pfn pfn, unsigned order);

#endif
