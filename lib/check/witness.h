/* SPDX-License-Identifier: MIT */
/* A page source that watches: memory of one world, and what is done with its frames. */
#ifndef ISIM_CHECK_WITNESS_H
#define ISIM_CHECK_WITNESS_H

#include "iommusim/check.h"
#include "iommusim/phys.h"

/* What a frame is, as far as the policy's calls say. */
enum isim_frame { ISIM_FRAME_UNKNOWN, ISIM_FRAME_INNER, ISIM_FRAME_BLOCK, ISIM_FRAME_PAGE };

struct isim_witness {
	struct iommusim_phys *phys;
	const struct iommusim_world *world;
	iommusim_pfn base;                    /* of the world's first frame */
	uint64_t attempts;                    /* so far */
	uint64_t held;                        /* frames that the policy has */
	int result;                           /* of the last attempt */
	int is_illegal;                       /* something was freed or split that could not be */
	char text[120];                       /* the first such thing in words */
	uint8_t frame[IOMMUSIM_CHECK_FRAMES]; /* of the world's frames */
	uint8_t order[IOMMUSIM_CHECK_FRAMES]; /* of those that start a block or are single */
};

/* Build the world's memory, its first frame at @base, a multiple of 2^max_order. 0 or an error. */
int isim_witness_open(struct isim_witness *witness, const struct iommusim_world *world,
                      iommusim_pfn base, const struct iommusim_host *host);
void isim_witness_close(struct isim_witness *witness);

struct iommusim_page_source isim_witness_source(struct isim_witness *witness);

/* Is exactly that free that was at the start? */
int isim_witness_is_as_before(const struct isim_witness *witness);

#endif
