/* SPDX-License-Identifier: MIT */
/* The live tables of a domain by physical address. */
#ifndef ISIM_PGTABLE_LIVE_H
#define ISIM_PGTABLE_LIVE_H

#include "pgtable/pgtable.h"

/* Room for twice as many. 0 or -EHOST. */
int isim_live_grow(struct iommusim_pgtable *p);

/* Is there a table at @pa, of whatever level? */
int isim_live_has(const struct iommusim_pgtable *p, uint64_t pa);

/* There is room, and the table is not there. */
void isim_live_add(struct iommusim_pgtable *p, uint64_t pa, void *words, unsigned level);
void isim_live_remove(struct iommusim_pgtable *p, struct isim_pgtable_live *live);

/* The arena is going to @bytes: words with it. */
void isim_live_move(struct iommusim_pgtable *p, unsigned char *bytes);

/* Where the table memory says that the tables are. -EINVAL: it lacks one. */
int isim_live_look_up(struct iommusim_pgtable *p);

/* Give back what is outside of the arena. */
void isim_live_free_all(struct iommusim_pgtable *p);

#endif
