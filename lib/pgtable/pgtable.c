/* SPDX-License-Identifier: MIT */
/* The handle around an engine: creation, copies, checks, and walks that need not be fast. */
#include "pgtable/pgtable.h"

#include <string.h>

#define ARENA_START UINT64_C(0x800000000)
#define ARENA_MAX   (UINT64_C(1) << 47) /* what follows it fits a word of any format */

#define GFP_KERNEL UINT32_C(0xcc0) /* include/linux/gfp_types.h */

static const struct iommusim_pgtable_format *const formats[] = {
	&iommusim_pgtable_arm_lpae_s1,
	&iommusim_pgtable_arm_lpae_s2,
};

const struct iommusim_pgtable_format *iommusim_pgtable_format_at(size_t index)
{
	return index < ISIM_ARRAY_LEN(formats) ? formats[index] : NULL;
}

const struct iommusim_pgtable_format *iommusim_pgtable_format_find(const char *name)
{
	for (size_t i = 0; i < ISIM_ARRAY_LEN(formats); i++)
		if (!strcmp(name, formats[i]->name) || !strcmp(name, formats[i]->kernel_name))
			return formats[i];
	return NULL;
}

static void fill_defaults(struct iommusim_pgtable_config *c)
{
	c->kernel = isim_kernel(c->kernel);
	if (!c->page_shift)
		c->page_shift = 12;
	if (!c->ias)
		c->ias = 48;
	if (!c->oas)
		c->oas = 48;
	if (!c->arena_start)
		c->arena_start = ARENA_START;
}

static int check_config(struct iommusim_pgtable *p)
{
	const struct iommusim_pgtable_config *c = &p->config;

	if (!c->format || !c->kernel || c->page_shift < 12 || c->page_shift > 16)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "page tables need a format, a kernel from 4.4 on and page_shift "
		                 "12 .. 16, not %u",
		                 c->page_shift);
	if (c->ias > 64 || c->oas > 64)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL, "ias %u or oas %u is not 1 .. 64",
		                 c->ias, c->oas);
	if (c->arena_start & (isim_bit(20) - 1) || c->arena_start > ARENA_MAX)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "arena_start 0x%llx is not a multiple of 1 MiB up to 2^47",
		                 (unsigned long long)c->arena_start);
	return 0;
}

/* The memory of @memory, or an empty arena with room for the first table. */
static int open_memory(struct iommusim_pgtable *p, const struct iommusim_table_memory *memory)
{
	int err;

	if (!memory) {
		p->arena.start = p->config.arena_start;
		p->arena.used = p->info.root_bytes; /* room for it as well */
		err = isim_pgtable_grow(p);
		p->arena.used = 0;
		return err;
	}
	p->arena.enough = UINT64_MAX;
	err = isim_copy_sized(&p->memory, sizeof(p->memory), memory);
	if (!err && (!p->memory.alloc_table || !p->memory.free_table || !p->memory.table_at))
		err = isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                "table memory needs alloc_table, free_table and table_at");
	return err;
}

static int open_root(struct iommusim_pgtable *p)
{
	int err = isim_pgtable_new(p, p->info.root_bytes, GFP_KERNEL, &p->info.root);

	if (err)
		return err;
	p->root = isim_pgtable_at(p, p->info.root);
	p->config.format->impl->set_root(p);
	return 0;
}

static void prepare(struct iommusim_pgtable *p)
{
	const struct isim_pgtable_words *w = p->ops->words;

	p->root_words = p->info.root_bytes / p->config.format->word_bytes;
	p->iova_flip = p->config.quirks & IOMMUSIM_QUIRK_ARM_TTBR1 ? UINT64_MAX : 0;
	p->iova_high = ~isim_low_bits(p->info.ias);
	p->pa_high = ~isim_low_bits(p->info.oas);
	memset(p->level_of, ISIM_NO_LEVEL, sizeof(p->level_of));
	for (unsigned level = 0; level < IOMMUSIM_MAX_LEVELS; level++)
		p->level_of[w->granule_lg2 + level * w->index_lg2] = (uint8_t)level;
	for (unsigned prot = 0; prot < ISIM_ARRAY_LEN(p->attributes); prot++)
		p->attributes[prot] = w->attributes(p, prot);
}

static int open_tables(struct iommusim_pgtable *p)
{
	int err;

	fill_defaults(&p->config);
	err = check_config(p);
	if (!err)
		err = p->config.format->impl->configure(p);
	if (err)
		return err;
	prepare(p);
	err = open_memory(p, p->config.memory);
	return err ? err : open_root(p);
}

int iommusim_pgtable_create(const struct iommusim_pgtable_config *config,
                            struct iommusim_pgtable **pgtable)
{
	struct iommusim_pgtable_config c;
	int err = isim_copy_sized(&c, sizeof(c), config);
	struct iommusim_pgtable *p =
		err ? NULL : isim_handle(c.host, sizeof(*p), "page tables", &err);

	if (!p)
		return err;
	p->config = c;
	err = open_tables(p);
	if (err) {
		iommusim_pgtable_destroy(p);
		return err;
	}
	p->config.host = NULL;
	p->config.memory = NULL;
	*pgtable = p;
	return 0;
}

void iommusim_pgtable_destroy(struct iommusim_pgtable *pgtable)
{
	struct iommusim_host host;

	if (!pgtable)
		return;
	host = pgtable->diag.host;
	if (pgtable->root && !pgtable->arena.bytes)
		isim_pgtable_free_tree(pgtable, pgtable->info.root, pgtable->top);
	isim_free(&host, pgtable->arena.bytes);
	isim_free(&host, pgtable);
}

static int copy_arena(struct iommusim_pgtable *copy, const struct isim_pgtable_arena *arena)
{
	copy->arena.bytes = isim_zalloc(&copy->diag.host, arena->cap, 1);
	if (!copy->arena.bytes)
		return -IOMMUSIM_EHOST;
	memcpy(copy->arena.bytes, arena->bytes, (size_t)arena->used);
	return 0;
}

int iommusim_pgtable_fork(const struct iommusim_pgtable *pgtable,
                          const struct iommusim_table_memory *memory,
                          struct iommusim_pgtable **copy)
{
	struct iommusim_pgtable *p;
	int err;

	if (!pgtable->arena.bytes != (memory != NULL))
		return -IOMMUSIM_EINVAL;
	p = isim_zalloc(&pgtable->diag.host, 1, sizeof(*p));
	if (!p)
		return -IOMMUSIM_EHOST;
	*p = *pgtable;
	isim_pgtable_forget_found(p);
	err = memory ? open_memory(p, memory) : copy_arena(p, &pgtable->arena);
	if (err) {
		isim_free(&pgtable->diag.host, p);
		return err;
	}
	p->root = isim_pgtable_at(p, p->info.root);
	*copy = p;
	return 0;
}

const char *iommusim_pgtable_error(const struct iommusim_pgtable *pgtable)
{
	return pgtable->diag.text;
}

struct iommusim_pgtable_info iommusim_pgtable_info(const struct iommusim_pgtable *pgtable)
{
	return pgtable->info;
}

/* ---- The engine, behind its checks ---- */

static int is_out_of_range(const struct iommusim_pgtable *p, uint64_t iova)
{
	return ((iova ^ p->iova_flip) & p->iova_high) != 0;
}

static int has_size(const struct iommusim_pgtable *p, uint64_t pgsize)
{
	return pgsize && !(pgsize & ~p->info.pgsizes);
}

int iommusim_pgtable_map(struct iommusim_pgtable *pgtable, const struct iommusim_map_pages *pages,
                         uint64_t *mapped)
{
	int err;

	*mapped = 0;
	if (!has_size(pgtable, pages->pgsize))
		return -IOMMUSIM_EINVAL;
	if (is_out_of_range(pgtable, pages->iova) || pages->pa & pgtable->pa_high)
		return -IOMMUSIM_ERANGE;
	if (!(pages->prot & (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)))
		return -IOMMUSIM_EINVAL;
	err = isim_pgtable_reserve(pgtable);
	return err ? err : pgtable->ops->map(pgtable, pages, mapped);
}

uint64_t iommusim_pgtable_unmap(struct iommusim_pgtable *pgtable, uint64_t iova, uint64_t pgsize,
                                uint64_t count, const struct iommusim_pgtable_flush *flush)
{
	struct iommusim_map_pages pages = { .iova = iova, .pgsize = pgsize, .count = count };

	if (!has_size(pgtable, pgsize) || !count || is_out_of_range(pgtable, iova) ||
	    isim_pgtable_reserve(pgtable))
		return 0;
	return pgtable->ops->unmap(pgtable, &pages, flush);
}

uint64_t iommusim_pgtable_iova_to_phys(const struct iommusim_pgtable *pgtable, uint64_t iova)
{
	return pgtable->ops->iova_to_phys(pgtable, iova);
}

/* ---- Walks ---- */

static unsigned shift_of(const struct iommusim_pgtable *p, unsigned level)
{
	const struct isim_pgtable_words *w = p->ops->words;

	return w->granule_lg2 + level * w->index_lg2;
}

static uint64_t index_of(const struct iommusim_pgtable *p, uint64_t iova, unsigned level)
{
	unsigned bits = level == p->top ? p->root_index_lg2 : p->ops->words->index_lg2;

	return iova >> shift_of(p, level) & isim_low_bits(bits);
}

void iommusim_pgtable_walk(const struct iommusim_pgtable *pgtable, uint64_t iova,
                           struct iommusim_pgtable_walk *walk)
{
	const struct isim_pgtable_words *w = pgtable->ops->words;
	uint64_t pa = pgtable->info.root;

	memset(walk, 0, sizeof(*walk));
	for (unsigned level = pgtable->top;; level--) {
		uint64_t index = index_of(pgtable, iova, level);
		uint64_t word = isim_le64(isim_pgtable_at(pgtable, pa)[index]);
		enum isim_word_kind kind = w->kind(word, level);

		walk->step[walk->nr].table = pa;
		walk->step[walk->nr].index = index;
		walk->step[walk->nr++].word = word;
		pa = w->address(word);
		if (kind == ISIM_WORD_LEAF) {
			walk->is_mapped = 1;
			walk->pa = pa;
			walk->size = isim_bit(shift_of(pgtable, level));
			walk->prot = w->prot(word);
		}
		if (kind != ISIM_WORD_TABLE || !level)
			return;
	}
}

/* The first and the last address that the tables can map. */
static void span_of(const struct iommusim_pgtable *p, uint64_t *first, uint64_t *last)
{
	uint64_t low = isim_low_bits(shift_of(p, p->top) + p->root_index_lg2);

	*first = p->config.quirks & IOMMUSIM_QUIRK_ARM_TTBR1 ? ~low : 0;
	*last = *first | low;
}

/* The leaf of the first mapped page at or above *iova, which moves to its start. 0: none. */
static int next_leaf(const struct iommusim_pgtable *p, uint64_t *iova,
                     struct iommusim_pgtable_walk *walk)
{
	uint64_t first, last;

	span_of(p, &first, &last);
	if (*iova < first)
		*iova = first;
	while (*iova <= last) {
		uint64_t size;

		iommusim_pgtable_walk(p, *iova, walk);
		size = isim_bit(shift_of(p, p->top + 1 - walk->nr));
		*iova = isim_align_down(*iova, size);
		if (walk->is_mapped)
			return 1;
		if (size > last - *iova)
			return 0;
		*iova += size;
	}
	return 0;
}

int iommusim_pgtable_next(const struct iommusim_pgtable *pgtable, uint64_t iova,
                          struct iommusim_mapped_range *range)
{
	struct iommusim_pgtable_walk walk;
	uint64_t at = iova;

	if (!next_leaf(pgtable, &at, &walk))
		return 0;
	*range = (struct iommusim_mapped_range){ at, walk.pa, 0, walk.size, walk.prot };
	do {
		range->size += walk.size;
		at += walk.size;
		iommusim_pgtable_walk(pgtable, at, &walk);
	} while (at && walk.is_mapped && walk.size == range->pgsize &&
	         walk.pa == range->pa + range->size && walk.prot == range->prot &&
	         !is_out_of_range(pgtable, at));
	return 1;
}
