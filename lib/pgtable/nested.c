/* SPDX-License-Identifier: MIT */
/*
 * Two stages: a walk of the first asks the second about every address that it meets. Stage 1 finds
 * its words by the addresses that it knows, so its own walk comes first, and is then cut where
 * stage 2 would not have let it read on.
 */
#include "pgtable/word.h"

#define PERMISSIONS (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE | IOMMUSIM_PROT_CACHE)
#define LIMITS      (IOMMUSIM_PROT_NOEXEC | IOMMUSIM_PROT_MMIO | IOMMUSIM_PROT_PRIV)

int iommusim_pgtable_nests(const struct iommusim_pgtable_format *stage1,
                           const struct iommusim_pgtable_format *stage2)
{
	return (stage1->impl->stage1 & stage2->impl->stage2) != 0;
}

static int nests(const struct iommusim_pgtable *stage1, const struct iommusim_pgtable *stage2)
{
	return iommusim_pgtable_nests(stage1->config.format, stage2->config.format) &&
	       !(stage1->config.quirks & IOMMUSIM_QUIRK_ARM_MTK_EXT);
}

/* May @access be made to @ipa? If not, stage 2 has the fault. */
static int passes(const struct iommusim_pgtable *stage2, uint64_t ipa, unsigned access,
                  struct iommusim_nested_walk *walk)
{
	walk->ipa = ipa;
	walk->cause = iommusim_pgtable_access(stage2, ipa, access, &walk->stage2);
	walk->nr_words += walk->stage2.nr;
	walk->stage = walk->cause ? 2 : 0;
	return !walk->cause;
}

/* Stage 1 has read word number @nr - 1 as its last. */
static void cut(struct iommusim_pgtable_walk *walk, unsigned nr)
{
	struct iommusim_pgtable_walk rest = { .nr = nr };

	memcpy(rest.step, walk->step, nr * sizeof(walk->step[0]));
	*walk = rest;
}

static uint64_t address_of(const struct iommusim_pgtable *p,
                           const struct iommusim_pgtable_walk *walk, unsigned step)
{
	return walk->step[step].table + walk->step[step].index * p->ops->words->word_bytes;
}

/* The word that would be next, of a table that is not there. */
static uint64_t address_after(const struct iommusim_pgtable *p,
                              const struct iommusim_pgtable_walk *walk, uint64_t iova)
{
	const struct isim_pgtable_words *w = p->ops->words;
	uint64_t word = walk->step[walk->nr - 1].word;
	unsigned level = walk->step[walk->nr - 1].level;

	return w->address(p, word, level) + pt_index(w, p, iova, level - 1) * w->word_bytes;
}

/* Does stage 2 let stage 1 read all the words of walk->stage1? It ends where not. */
static int reads_tables(const struct iommusim_pgtable *stage1,
                        const struct iommusim_pgtable *stage2, uint64_t iova,
                        struct iommusim_nested_walk *walk)
{
	for (unsigned i = 0; i < walk->stage1.nr; i++) {
		if (!passes(stage2, address_of(stage1, &walk->stage1, i), IOMMUSIM_ACCESS_READ,
		            walk)) {
			cut(&walk->stage1, i);
			return 0;
		}
		walk->nr_words++;
	}
	return walk->stage1.cause != IOMMUSIM_FAULT_TABLE ||
	       passes(stage2, address_after(stage1, &walk->stage1, iova), IOMMUSIM_ACCESS_READ,
	              walk);
}

/* Both stages have a page: the part that they have in common. */
static void combine(struct iommusim_nested_walk *walk)
{
	const struct iommusim_pgtable_walk *a = &walk->stage1, *b = &walk->stage2;

	walk->is_mapped = 1;
	walk->pa = b->pa + (walk->ipa & (b->size - 1));
	walk->size = a->size < b->size ? a->size : b->size;
	walk->prot = (a->prot & b->prot & PERMISSIONS) | ((a->prot | b->prot) & LIMITS);
}

int iommusim_pgtable_access_nested(const struct iommusim_pgtable *stage1,
                                   const struct iommusim_pgtable *stage2, uint64_t iova,
                                   unsigned access, struct iommusim_nested_walk *walk)
{
	enum iommusim_fault_cause cause;

	if (!nests(stage1, stage2))
		return -IOMMUSIM_EINVAL;
	memset(walk, 0, sizeof(*walk));
	walk->is_table = 1;
	cause = iommusim_pgtable_access(stage1, iova, access, &walk->stage1);
	if (!reads_tables(stage1, stage2, iova, walk))
		return 0;
	if (cause) {
		walk->stage = 1;
		walk->cause = cause;
		return 0;
	}
	walk->is_table = 0;
	passes(stage2, walk->stage1.pa + (iova & (walk->stage1.size - 1)), access, walk);
	if (walk->stage2.is_mapped)
		combine(walk);
	return 0;
}

int iommusim_pgtable_mark_nested(struct iommusim_pgtable *stage1,
                                 const struct iommusim_pgtable *stage2, uint64_t iova,
                                 unsigned marks, struct iommusim_nested_walk *walk)
{
	enum iommusim_fault_cause cause;

	if (!nests(stage1, stage2))
		return -IOMMUSIM_EINVAL;
	memset(walk, 0, sizeof(*walk));
	walk->is_table = 1;
	cause = iommusim_pgtable_access(stage1, iova, IOMMUSIM_ACCESS_PRIV, &walk->stage1);
	if (!reads_tables(stage1, stage2, iova, walk))
		return -IOMMUSIM_EFAULT;
	if (cause && cause != IOMMUSIM_FAULT_ACCESS_FLAG)
		return -IOMMUSIM_EINVAL;
	if (!passes(stage2, walk->ipa, IOMMUSIM_ACCESS_WRITE, walk))
		return -IOMMUSIM_EFAULT;
	return iommusim_pgtable_mark(stage1, iova, marks);
}
