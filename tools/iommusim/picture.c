/* SPDX-License-Identifier: MIT */
/* A zone as a picture: pageblocks by the type they are, free frames by the lists they are on. */
#include "picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "say.h"
#include "units.h"

static const struct {
	char letter;
	unsigned colour; /* ANSI */
	const char *name;
} types[IOMMUSIM_NR_MIGRATETYPES] = {
	[IOMMUSIM_UNMOVABLE] = { 'U', 31, "Unmovable" },
	[IOMMUSIM_MOVABLE] = { 'M', 32, "Movable" },
	[IOMMUSIM_RECLAIMABLE] = { 'R', 33, "Reclaimable" },
	[IOMMUSIM_HIGHATOMIC] = { 'H', 35, "HighAtomic" },
	[IOMMUSIM_CMA] = { 'C', 36, "CMA" },
	[IOMMUSIM_ISOLATE] = { 'I', 34, "Isolate" },
};

static struct cell *cell_at(struct picture *picture, iommusim_pfn pfn)
{
	return &picture->cell[(pfn - picture->start_pfn) >> picture->cell_lg2];
}

/* Pageblocks that have memory: those that are counted come first, behind them is a hole. */
static void draw_types(const struct iommusim_phys *phys, struct picture *picture)
{
	uint64_t size = UINT64_C(1) << iommusim_phys_pageblock_order(phys), nr = 0;
	uint64_t end = picture->info.start_pfn + picture->info.nr_frames;
	iommusim_pfn pfn = picture->info.start_pfn;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		nr += picture->info.nr_pageblocks[type];
	while (nr-- && pfn < end) {
		iommusim_pfn next = (pfn | (size - 1)) + 1;
		struct cell *cell = cell_at(picture, pfn);
		int type = iommusim_phys_pageblock_type(phys, pfn);

		if (type >= 0)
			cell->nr_types[type]++;
		cell->frames += (next < end ? next : end) - pfn;
		pfn = next;
	}
}

/* A free block may reach over several cells. */
static void draw_block(struct picture *picture, iommusim_pfn pfn, uint64_t frames)
{
	uint64_t size = UINT64_C(1) << picture->cell_lg2;

	while (frames) {
		uint64_t left = size - ((pfn - picture->start_pfn) & (size - 1));
		uint64_t here = left < frames ? left : frames;

		cell_at(picture, pfn)->free += here;
		pfn += here;
		frames -= here;
	}
}

static int draw_list(const struct iommusim_phys *phys, struct iommusim_list_id list,
                     struct picture *picture)
{
	uint64_t nr = picture->info.nr_blocks[list.order][list.type];
	iommusim_pfn *pfns = nr ? calloc((size_t)nr, sizeof(*pfns)) : NULL;
	int found = pfns ? iommusim_phys_list(phys, list, pfns, (unsigned)nr) : 0;

	for (int i = 0; i < found; i++)
		draw_block(picture, pfns[i], UINT64_C(1) << list.order);
	free(pfns);
	return nr && !found ? say("the host has no memory for the picture") : 0;
}

int picture_draw(const struct iommusim_phys *phys, unsigned index, struct picture *picture)
{
	unsigned order = iommusim_phys_pageblock_order(phys);
	struct iommusim_list_id list = { .zone = index };
	uint64_t end;
	int status = 0;

	memset(picture, 0, sizeof(*picture));
	iommusim_phys_zone(phys, index, &picture->info);
	end = picture->info.start_pfn + picture->info.nr_frames;
	for (picture->cell_lg2 = order;; picture->cell_lg2++) {
		picture->start_pfn = picture->info.start_pfn >> order << order;
		picture->nr = (unsigned)(((end - 1 - picture->start_pfn) >> picture->cell_lg2) + 1);
		if (picture->nr <= ARRAY_LEN(picture->cell))
			break;
	}
	draw_types(phys, picture);
	for (list.order = 0; list.order < iommusim_phys_nr_orders(phys); list.order++)
		for (list.type = 0; !status && list.type < IOMMUSIM_NR_MIGRATETYPES; list.type++)
			status = draw_list(phys, list, picture);
	return status;
}

/* The type of most pageblocks; NR_MIGRATETYPES: there is none. */
static unsigned type_of(const struct cell *cell)
{
	unsigned best = IOMMUSIM_NR_MIGRATETYPES, most = 0;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		if (cell->nr_types[type] > most) {
			most = cell->nr_types[type];
			best = type;
		}
	return best;
}

char picture_char(const struct cell *cell)
{
	unsigned type = type_of(cell);

	if (type == IOMMUSIM_NR_MIGRATETYPES)
		return ' ';
	if (cell->free == cell->frames)
		return '.';
	return (char)(types[type].letter + (cell->free ? 'a' - 'A' : 0));
}

/* ANSI: bold where nothing is free, dim where half and more is. */
static unsigned intensity(const struct cell *cell)
{
	return !cell->free ? 1 : cell->free * 2 < cell->frames ? 22 : 2;
}

static void print_row(const struct cell *cells, unsigned nr, int colour)
{
	unsigned last_type = IOMMUSIM_NR_MIGRATETYPES, last_intensity = 0;

	for (unsigned i = 0; i < nr; i++) {
		unsigned type = type_of(&cells[i]), bright = intensity(&cells[i]);

		if (colour && type < IOMMUSIM_NR_MIGRATETYPES &&
		    (type != last_type || bright != last_intensity)) {
			printf("\033[0;%u;%um", bright, types[type].colour);
			last_type = type;
			last_intensity = bright;
		}
		putchar(picture_char(&cells[i]));
	}
	printf("%s\n", last_type < IOMMUSIM_NR_MIGRATETYPES ? "\033[0m" : "");
}

void picture_print(const struct iommusim_phys *phys, const struct picture *picture, int colour)
{
	unsigned shift = iommusim_phys_page_shift(phys), in_cell;

	in_cell = 1u << (picture->cell_lg2 - iommusim_phys_pageblock_order(phys));
	printf("\nNode %u, zone %s: a character is %u pageblock%s, %s\n", picture->info.node,
	       iommusim_zone_name(picture->info.zone), in_cell, in_cell > 1 ? "s" : "",
	       size_exact(UINT64_C(1) << (picture->cell_lg2 + shift)).s);
	for (unsigned at = 0; at < picture->nr; at += PICTURE_COLUMNS) {
		unsigned left = picture->nr - at;
		uint64_t pfn = picture->start_pfn + ((uint64_t)at << picture->cell_lg2);

		printf("0x%011" PRIx64 "  ", pfn << shift);
		print_row(&picture->cell[at], left < PICTURE_COLUMNS ? left : PICTURE_COLUMNS,
		          colour);
	}
}

void picture_print_legend(int colour)
{
	printf("\n");
	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		if (colour)
			printf("\033[0;%um", types[i].colour);
		printf("%c %s%s%s", types[i].letter, types[i].name, colour ? "\033[0m" : "",
		       i + 1 < ARRAY_LEN(types) ? "  " : "\n");
	}
	printf("capital: no page is free; small: some are; '.': all are; blank: no memory%s\n",
	       colour ? "\nbold: no page is free; dim: half of them and more are" : "");
}
