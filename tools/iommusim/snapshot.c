/* SPDX-License-Identifier: MIT */
/* The built-in machine: 4 GiB after weeks of use, no free block of 2 MiB left. Made up. */
#include "state.h"

const char snapshot_buddyinfo[] = "Node 0, zone    DMA32 1204 853 570 293 132 51 20 7 3 0 0\n"
				  "Node 0, zone   Normal 4381 2977 1812 804 311 97 22 5 1 0 0\n";

const char snapshot_pagetypeinfo[] =
	"Page block order: 9\n"
	"Pages per block:  512\n"
	"\n"
	"Free pages count per migrate type at order 0 1 2 3 4 5 6 7 8 9 10\n"
	"Node 0, zone    DMA32, type   Unmovable 412 276 151 60 21 8 3 1 0 0 0\n"
	"Node 0, zone    DMA32, type     Movable 633 489 377 214 104 41 17 6 3 0 0\n"
	"Node 0, zone    DMA32, type Reclaimable 159 88 42 19 7 2 0 0 0 0 0\n"
	"Node 0, zone   Normal, type   Unmovable 1208 804 402 133 41 9 2 0 0 0 0\n"
	"Node 0, zone   Normal, type     Movable 2611 1840 1203 540 211 63 15 4 1 0 0\n"
	"Node 0, zone   Normal, type Reclaimable 562 333 207 131 59 25 5 1 0 0 0\n"
	"\n"
	"Number of blocks type Unmovable Movable Reclaimable\n"
	"Node 0, zone    DMA32 96 1388 44\n"
	"Node 0, zone   Normal 118 359 35\n";
