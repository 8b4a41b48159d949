/* SPDX-License-Identifier: MIT */
/*
 * Memory for tables: the arena, one piece of host memory whose offsets are physical addresses, or
 * whatever the embedder's functions say. Freed tables of the arena are used again, the last first.
 * Which tables there are stands in lib/pgtable/live.c, so that words never have to be believed.
 */
#include "pgtable/live.h"
#include "pgtable/word.h"

/* include/linux/gfp_types.h: HIGH, KSWAPD_RECLAIM and, in 6.1, ATOMIC. */
#define GFP_ATOMIC_6_1  UINT32_C(0xa20)
#define GFP_ATOMIC_6_12 UINT32_C(0x820)

void isim_pgtable_forget_found(struct iommusim_pgtable *p)
{
	memset(p->found, 0, sizeof(p->found));
}

/* The most and the fewest bytes that a table below the first has. */
static uint64_t most_bytes(const struct iommusim_pgtable *p)
{
	uint64_t most = 0;

	for (unsigned level = 0; level < IOMMUSIM_MAX_LEVELS; level++)
		if (level != p->top && p->table_bytes[level] > most)
			most = p->table_bytes[level];
	return most;
}

static uint64_t fewest_bytes(const struct iommusim_pgtable *p)
{
	uint64_t fewest = p->table_bytes[0];

	for (unsigned level = 1; level < IOMMUSIM_MAX_LEVELS; level++)
		if (p->table_bytes[level] && p->table_bytes[level] < fewest)
			fewest = p->table_bytes[level];
	return fewest;
}

/* Tables that one call may need: a whole path, and as many first tables above the old one. */
#define PER_CALL (2 * IOMMUSIM_MAX_LEVELS)

/* The bytes of that many. */
static uint64_t room_for_a_call(const struct iommusim_pgtable *p)
{
	return PER_CALL * most_bytes(p);
}

static int move_arena(struct iommusim_pgtable *p, uint64_t cap)
{
	struct isim_pgtable_arena *arena = &p->arena;
	unsigned char *bytes = isim_zalloc(&p->diag.host, cap, 1);

	if (!bytes)
		return isim_no_memory(&p->diag, "page tables");
	if (arena->bytes) {
		memcpy(bytes, arena->bytes, (size_t)arena->used);
		isim_live_move(p, bytes);
	}
	isim_free(&p->diag.host, arena->bytes);
	arena->bytes = bytes;
	arena->cap = cap;
	arena->limit = cap - most_bytes(p);
	isim_pgtable_forget_found(p);
	return 0;
}

/* Tables that may be live before the registry has to grow, with room for one call. */
static uint64_t live_limit(const struct iommusim_pgtable *p)
{
	return p->nr_live_slots / 2 - PER_CALL;
}

int isim_pgtable_grow(struct iommusim_pgtable *p)
{
	struct isim_pgtable_arena *arena = &p->arena;
	uint64_t room = room_for_a_call(p), need = arena->used + room, by_live;

	if (!p->nr_live_slots || p->info.nr_tables > live_limit(p)) {
		int err = isim_live_grow(p);

		if (err)
			return err;
	}
	if (p->memory.size) {
		arena->enough = live_limit(p);
		return 0;
	}
	if (need > arena->cap || !arena->bytes) {
		int err = move_arena(p, 2 * need);

		if (err)
			return err;
	}
	/* No more tables than fit below @used, so one comparison serves both. */
	by_live = live_limit(p) * fewest_bytes(p);
	arena->enough = arena->cap - room < by_live ? arena->cap - room : by_live;
	if (arena->enough < arena->used) /* freed tables: fewer are live than fit */
		arena->enough = arena->used;
	return 0;
}

/* ---- Taking and giving back ---- */

/* Room was reserved. */
static uint64_t take_from_arena(struct iommusim_pgtable *p, uint64_t bytes)
{
	struct isim_pgtable_arena *arena = &p->arena;
	uint64_t *first = &arena->free[isim_high_bit(bytes)], pa = *first;
	unsigned char *table;

	if (!pa) {
		arena->used = isim_align_up(arena->used, bytes) + bytes;
		return arena->start + arena->used - bytes;
	}
	table = arena->bytes + (pa - arena->start);
	memcpy(first, table, sizeof(*first));
	memset(table, 0, sizeof(*first));
	if (*first && ((*first - arena->start) & (bytes - 1) ||
	               *first - arena->start >= arena->limit || isim_live_has(p, *first)))
		*first = 0; /* somebody wrote into a freed table */
	return pa;
}

static void give_to_arena(struct iommusim_pgtable *p, uint64_t pa, void *table, uint64_t bytes)
{
	uint64_t *first = &p->arena.free[isim_high_bit(bytes)];

	memset(table, 0, (size_t)bytes);
	memcpy(table, first, sizeof(*first));
	*first = pa;
}

/* Can a word hold the address of a table of @level? */
static int is_good_address(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	const struct isim_pgtable_words *w = p->ops->words;
	const struct isim_pgtable_impl *impl = p->config.format->impl;
	unsigned above = level + 1 < IOMMUSIM_MAX_LEVELS ? level + 1 : level;

	if (impl->holds_table)
		return impl->holds_table(p, pa);
	return !w->table || w->address(p, w->table(p, pa, above), above) == pa;
}

static void give(struct iommusim_pgtable *p, uint64_t pa, void *table, uint64_t bytes)
{
	if (p->memory.size)
		p->memory.free_table(p->memory.ctx, pa, bytes);
	else
		give_to_arena(p, pa, table, bytes);
}

static void *words_of_new(const struct iommusim_pgtable *p, uint64_t pa)
{
	if (p->memory.size)
		return p->memory.table_at(p->memory.ctx, pa);
	return p->arena.bytes + (pa - p->arena.start);
}

/* A table of @bytes that nothing is known of. */
static int take(struct iommusim_pgtable *p, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	if (p->memory.size)
		return p->memory.alloc_table(p->memory.ctx, bytes, gfp, pa);
	*pa = take_from_arena(p, bytes);
	return 0;
}

static int refuse(struct iommusim_pgtable *p, uint64_t pa, uint64_t bytes)
{
	int err = p->config.format->impl->bad_table;

	give(p, pa, p->memory.size ? NULL : words_of_new(p, pa), bytes);
	return isim_fail(&p->diag, err ? err : IOMMUSIM_ERANGE,
	                 "no word can hold the table address 0x%llx", (unsigned long long)pa);
}

/* Words of empty entries that are not 0. */
static void make_empty(struct iommusim_pgtable *p, void *table, unsigned level)
{
	const struct isim_pgtable_words *w = p->ops->words;

	if (p->empty[level])
		pt_fill(w,
		        (struct pt_span){ table, 0, p->table_bytes[level] / w->word_bytes, level },
		        p->empty[level], 0);
}

int isim_pgtable_new(struct iommusim_pgtable *p, unsigned level, uint32_t gfp, uint64_t *pa)
{
	uint64_t bytes = p->table_bytes[level];
	int err = take(p, bytes, gfp, pa);
	void *table;

	if (err)
		return err;
	if (ISIM_UNLIKELY(!is_good_address(p, *pa, level)))
		return refuse(p, *pa, bytes);
	table = words_of_new(p, *pa);
	if (ISIM_UNLIKELY(!table || isim_live_has(p, *pa)))
		return isim_fail(&p->diag, IOMMUSIM_EFAULT,
		                 "the table memory has no table at 0x%llx, or gave it before",
		                 (unsigned long long)*pa);
	make_empty(p, table, level);
	isim_live_add(p, *pa, table, level);
	return 0;
}

uint32_t isim_pgtable_atomic(const struct iommusim_pgtable *p)
{
	return p->config.kernel < IOMMUSIM_KERNEL(6, 12) ? GFP_ATOMIC_6_1 : GFP_ATOMIC_6_12;
}

void isim_pgtable_drop(struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	struct isim_pgtable_live *live = isim_pgtable_find(p, pa, level);
	void *table;

	if (!live)
		return;
	table = live->words;
	isim_pgtable_forget_found(p);
	isim_live_remove(p, live);
	give(p, pa, table, p->table_bytes[level]);
}

/* ---- Whole trees ---- */

/* A table on the way down, and the next of its words to look at. */
struct step {
	void *table;
	uint64_t pa, at, nr;
};

static struct step step_into(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	struct isim_pgtable_live *live = isim_pgtable_find(p, pa, level);
	unsigned lg2 =
		level == p->top ? p->root_index_lg2 : isim_pgtable_index_lg2(p->ops->words, level);

	return (struct step){ live ? live->words : NULL, pa, 0, live && level ? isim_bit(lg2) : 0 };
}

/* The next word from step->at on that leads to a table, with @at behind it; 0: there is none. */
static uint64_t next_child(const struct iommusim_pgtable *p, struct step *step, unsigned level)
{
	const struct isim_pgtable_words *w = p->ops->words;

	while (step->at < step->nr) {
		uint64_t word = pt_get(w, step->table, step->at++);

		if (w->kind(p, word, level) == ISIM_WORD_TABLE)
			return word;
	}
	return 0;
}

void isim_pgtable_free_tree(struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	const struct isim_pgtable_words *w = p->ops->words;
	struct step path[IOMMUSIM_MAX_LEVELS] = { { NULL, 0, 0, 0 } };
	unsigned l = level;

	path[l] = step_into(p, pa, l);
	for (;;) {
		uint64_t word = next_child(p, &path[l], l);

		if (word) {
			path[l - 1] = step_into(p, w->address(p, word, l), l - 1);
			l--;
			continue;
		}
		isim_pgtable_drop(p, path[l].pa, l);
		if (l++ == level)
			return;
	}
}
