/* SPDX-License-Identifier: MIT */
/*
 * Which tables there are: a hash of their addresses with linear probing, never more than half full.
 * Whatever a corrupted word says, only what stands here is freed or, outside of the arena, read.
 */
#include "pgtable/live.h"

#include <string.h>

#define FIRST_SLOTS 64u

/* Tables are at least 1 KiB: the low bits of their addresses say nothing. */
static uint64_t slot_of(const struct iommusim_pgtable *p, uint64_t pa)
{
	return ((pa >> 10) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (p->nr_live_slots - 1);
}

static uint64_t next_slot(const struct iommusim_pgtable *p, uint64_t slot)
{
	return (slot + 1) & (p->nr_live_slots - 1);
}

/* The live table at @pa, or the free entry where one would be. */
static struct isim_pgtable_live *look_up(const struct iommusim_pgtable *p, uint64_t pa)
{
	uint64_t slot = slot_of(p, pa);

	while (p->live[slot].words && p->live[slot].pa != pa)
		slot = next_slot(p, slot);
	return &p->live[slot];
}

int isim_live_has(const struct iommusim_pgtable *p, uint64_t pa)
{
	return look_up(p, pa)->words != NULL;
}

struct isim_pgtable_live *isim_pgtable_find(const struct iommusim_pgtable *p, uint64_t pa,
                                            unsigned level)
{
	struct isim_pgtable_live *live = look_up(p, pa);

	return live->words && live->level == level ? live : NULL;
}

void *isim_pgtable_elsewhere(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	const struct isim_pgtable_live *live = isim_pgtable_find(p, pa, level);

	return live ? live->words : NULL;
}

static void put(struct iommusim_pgtable *p, struct isim_pgtable_live live)
{
	uint64_t slot = slot_of(p, live.pa);

	while (p->live[slot].words)
		slot = next_slot(p, slot);
	p->live[slot] = live;
}

void isim_live_add(struct iommusim_pgtable *p, uint64_t pa, void *words, unsigned level)
{
	put(p, (struct isim_pgtable_live){ pa, words, level });
	p->info.nr_tables++;
	p->info.tables_bytes += p->table_bytes[level];
	if (p->memory.size)
		p->arena.used = p->info.nr_tables;
}

/* What was pushed on by the one that goes moves back, so that no search stops short of it. */
void isim_live_remove(struct iommusim_pgtable *p, struct isim_pgtable_live *live)
{
	uint64_t hole = (uint64_t)(live - p->live), slot = hole;

	p->info.nr_tables--;
	p->info.tables_bytes -= p->table_bytes[live->level];
	if (p->memory.size)
		p->arena.used = p->info.nr_tables;
	for (;;) {
		p->live[hole].words = NULL;
		for (;;) {
			uint64_t home;

			slot = next_slot(p, slot);
			if (!p->live[slot].words)
				return;
			home = slot_of(p, p->live[slot].pa);
			/* Is home outside of (hole, slot], counted in a circle? */
			if (((slot - home) & (p->nr_live_slots - 1)) >=
			    ((slot - hole) & (p->nr_live_slots - 1)))
				break;
		}
		p->live[hole] = p->live[slot];
		hole = slot;
	}
}

int isim_live_grow(struct iommusim_pgtable *p)
{
	struct isim_pgtable_live *old = p->live;
	uint64_t nr_old = p->nr_live_slots, nr = nr_old ? 2 * nr_old : FIRST_SLOTS;
	struct isim_pgtable_live *live = isim_zalloc(&p->diag.host, nr, sizeof(*live));

	if (!live)
		return isim_no_memory(&p->diag, "the list of page tables");
	p->live = live;
	p->nr_live_slots = nr;
	for (uint64_t i = 0; i < nr_old; i++)
		if (old[i].words)
			put(p, old[i]);
	isim_free(&p->diag.host, old);
	return 0;
}

/* The first tables are among them. */
static void find_roots(struct iommusim_pgtable *p)
{
	for (unsigned i = 0; i < ISIM_MAX_ROOTS; i++)
		if (p->roots[i])
			p->roots[i] = isim_pgtable_find(p, p->info.roots[i], p->top)->words;
	p->root = p->roots[0];
}

void isim_live_move(struct iommusim_pgtable *p, unsigned char *bytes)
{
	for (uint64_t i = 0; i < p->nr_live_slots; i++)
		if (p->live[i].words)
			p->live[i].words = bytes + (p->live[i].pa - p->arena.start);
	find_roots(p);
}

int isim_live_look_up(struct iommusim_pgtable *p)
{
	for (uint64_t i = 0; i < p->nr_live_slots; i++) {
		void *words = p->live[i].words;

		if (words)
			words = p->memory.table_at(p->memory.ctx, p->live[i].pa);
		if (p->live[i].words && !words)
			return -IOMMUSIM_EINVAL;
		p->live[i].words = words;
	}
	find_roots(p);
	return 0;
}

void isim_live_free_all(struct iommusim_pgtable *p)
{
	for (uint64_t i = 0; p->memory.size && i < p->nr_live_slots; i++)
		if (p->live[i].words)
			p->memory.free_table(p->memory.ctx, p->live[i].pa,
			                     p->table_bytes[p->live[i].level]);
}
