/* SPDX-License-Identifier: MIT */
/* Words of live tables that nobody wrote. */
#ifndef CORRUPT_H
#define CORRUPT_H

#include "base/rng.h"
#include "pgtable/word.h"
#include "test.h"

static inline const struct isim_pgtable_live *any_table(struct iommusim_pgtable *p,
                                                        struct isim_rng *rng)
{
	uint64_t slot = isim_rng_below(rng, p->nr_live_slots);

	while (!p->live[slot].words)
		slot = (slot + 1) & (p->nr_live_slots - 1);
	return &p->live[slot];
}

/* Random bits, a word that leads to some table or beside one, or the word of another entry. */
static inline uint64_t any_word(struct iommusim_pgtable *p, struct isim_rng *rng)
{
	const struct isim_pgtable_words *w = p->ops->words;
	const struct isim_pgtable_live *live = any_table(p, rng);
	unsigned above = 1 + (unsigned)isim_rng_below(rng, IOMMUSIM_MAX_LEVELS - 1);

	switch (w->table ? isim_rng_below(rng, 4) : 3 * isim_rng_below(rng, 2)) {
	case 0:
		return isim_rng_next(rng);
	case 1:
		return w->table(p, live->pa, above);
	case 2:
		return w->table(p, live->pa + 4096 * isim_rng_below(rng, 4), above) ^
		       isim_rng_next(rng) >> isim_rng_below(rng, 64);
	default:
		return pt_get(w, live->words, isim_rng_below(rng, 256));
	}
}

static inline void corrupt(struct iommusim_pgtable *p, struct isim_rng *rng)
{
	const struct isim_pgtable_words *w = p->ops->words;
	const struct isim_pgtable_live *live = any_table(p, rng);
	uint64_t nr = p->table_bytes[live->level] / w->word_bytes, word = any_word(p, rng);
	uint64_t many = isim_rng_below(rng, 8) ? 1 : 1 + isim_rng_below(rng, nr);
	uint64_t first = isim_rng_below(rng, nr - many + 1);

	for (uint64_t i = first; i < first + many; i++)
		pt_put(w, live->words, i, word);
}

#endif
