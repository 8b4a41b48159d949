/* SPDX-License-Identifier: MIT */
/* A zone as a picture: a character for one pageblock, or for as many as one row and the other need.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include "iommusim.h"

#define PICTURE_COLUMNS 64
#define PICTURE_ROWS    16

/* What a character stands for. */
struct cell {
	unsigned nr_types[IOMMUSIM_NR_MIGRATETYPES]; /* pageblocks; none: a hole */
	uint64_t frames, free;
};

struct picture {
	struct iommusim_zone_info info;
	iommusim_pfn start_pfn; /* of the first cell: where its pageblock starts */
	unsigned cell_lg2;      /* frames of a cell */
	unsigned nr;            /* cells */
	struct cell cell[PICTURE_COLUMNS * PICTURE_ROWS];
};

/* Draw zone number @index. 0, or after a message EXIT_INPUT. */
int picture_draw(const struct iommusim_phys *phys, unsigned index, struct picture *picture);

/* The character: of the type that most pageblocks have, a capital where no frame is free, '.' where
 * all are, ' ' where there is no memory. */
char picture_char(const struct cell *cell);

/* Print it, with ANSI colours or without. */
void picture_print(const struct iommusim_phys *phys, const struct picture *picture, int colour);
void picture_print_legend(int colour);

#endif
