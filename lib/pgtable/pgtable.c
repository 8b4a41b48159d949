/* SPDX-License-Identifier: MIT */
/* The handle around an engine: creation, copies, checks, and walks that need not be fast. */
#include "pgtable/live.h"

#include <string.h>

#define ARENA_START UINT64_C(0x800000000)
#define ARENA_MAX   (UINT64_C(1) << 47) /* what follows it fits a word of any format */

#define MAX_WINDOW_LG2 26u /* pages of a linear table */

#define GFP_KERNEL UINT32_C(0xcc0) /* include/linux/gfp_types.h */

static void fill_defaults(struct iommusim_pgtable_config *c)
{
	static const struct isim_pgtable_impl none = { .ias = 0 };
	const struct isim_pgtable_impl *impl = c->format ? c->format->impl : &none;

	c->kernel = isim_kernel(c->kernel);
	if (!c->page_shift)
		c->page_shift = 12;
	if (!c->ias)
		c->ias = impl->ias ? impl->ias : 48;
	if (!c->oas)
		c->oas = impl->oas ? impl->oas : 48;
	if (!c->arena_start)
		c->arena_start = impl->arena_start ? impl->arena_start : ARENA_START;
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
	if (c->contiguous > 1)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL, "contiguous is 0 or 1, not %u",
		                 c->contiguous);
	if (c->arena_start & (isim_bit(20) - 1) || c->arena_start > ARENA_MAX)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "arena_start 0x%llx is not a multiple of 1 MiB up to 2^47",
		                 (unsigned long long)c->arena_start);
	return 0;
}

/* The memory of @memory, or an empty arena with room for the first tables. */
static int open_memory(struct iommusim_pgtable *p, const struct iommusim_table_memory *memory)
{
	int err;

	if (!memory) {
		uint64_t blanks = p->config.format->impl->blank_page_bytes;

		if (p->ops->words->has_blanks)
			blanks += p->table_bytes[0];
		p->arena.start = p->config.arena_start;
		/* room for them as well, after what empty entries lead to */
		p->arena.used = isim_align_up(blanks, p->info.root_bytes) +
		                p->info.nr_roots * p->info.root_bytes;
		err = isim_pgtable_grow(p);
		p->arena.used = 0;
		return err;
	}
	err = isim_copy_sized(&p->memory, sizeof(p->memory), memory);
	if (!err && (!p->memory.alloc_table || !p->memory.free_table || !p->memory.table_at))
		err = isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                "table memory needs alloc_table, free_table and table_at");
	p->memory.size = sizeof(p->memory);
	return err ? err : isim_pgtable_grow(p);
}

static int open_roots(struct iommusim_pgtable *p)
{
	for (unsigned i = 0; i < p->info.nr_roots; i++) {
		uint64_t pa;
		int err = isim_pgtable_new(p, p->top, GFP_KERNEL, &pa);

		if (err)
			return err;
		p->info.roots[i] = pa;
		p->roots[i] = isim_pgtable_find(p, pa, p->top)->words;
	}
	p->info.root = p->info.roots[0];
	p->root = p->roots[0];
	if (p->config.format->impl->set_root)
		p->config.format->impl->set_root(p);
	else
		p->info.ttbr = p->info.root;
	return 0;
}

static void find_empty(struct iommusim_pgtable *p)
{
	for (unsigned level = 0; p->ops->words->empty && level <= p->top; level++)
		p->empty[level] = p->ops->words->empty(p, level);
}

/* The page that empty entries lead to, whose address must be one that a leaf can have. */
static int open_blank_page(struct iommusim_pgtable *p)
{
	const struct isim_pgtable_words *w = p->ops->words;
	int err = isim_pgtable_new(p, p->top + 1, GFP_KERNEL, &p->blank_page);
	uint64_t word;

	if (err)
		return err;
	find_empty(p);
	word = p->empty[0] & isim_low_bits(8 * w->word_bytes);
	return w->address(p, word, 0) == p->blank_page
	               ? 0
	               : isim_fail(&p->diag, IOMMUSIM_ERANGE,
	                           "no word can hold the address 0x%llx of the blank page",
	                           (unsigned long long)p->blank_page);
}

/* That page, and a table of such entries. */
static int open_blanks(struct iommusim_pgtable *p)
{
	int err = p->config.format->impl->blank_page_bytes ? open_blank_page(p) : 0;

	if (!err && p->ops->words->has_blanks)
		err = isim_pgtable_new(p, 0, GFP_KERNEL, &p->blank_table);
	find_empty(p);
	return err;
}

static void prepare(struct iommusim_pgtable *p)
{
	const struct isim_pgtable_words *w = p->ops->words;

	p->info.format = p->config.format;
	p->iova_flip = p->config.quirks & IOMMUSIM_QUIRK_ARM_TTBR1 ? UINT64_MAX : 0;
	p->iova_high = w->is_aliasing ? 0 : ~isim_low_bits(p->info.ias);
	p->pa_high = ~isim_low_bits(p->info.oas);
	for (unsigned form = 0; form < ISIM_NR_FORMS; form++)
		for (unsigned prot = 0; prot < ISIM_ARRAY_LEN(p->attributes[form]); prot++)
			p->attributes[form][prot] = w->attributes(p, prot, form);
	find_empty(p);
}

void isim_pgtable_set_geometry(struct iommusim_pgtable *p, const struct isim_pgtable_words *w,
                               unsigned nr_levels, unsigned root_index_lg2, unsigned min_lg2)
{
	uint64_t min = isim_bit(min_lg2);

	p->top = nr_levels - 1;
	p->root_index_lg2 = root_index_lg2;
	memset(p->place, ISIM_NO_LEVEL, sizeof(p->place));
	for (unsigned level = 0; level < nr_levels; level++) {
		unsigned lg2 = level == p->top ? root_index_lg2 : isim_pgtable_index_lg2(w, level);
		uint64_t bytes = isim_bit(lg2) * w->word_bytes;

		p->table_bytes[level] = bytes > min ? bytes : min;
		isim_pgtable_add_run(p, level, 0, isim_pgtable_shift(w, level));
	}
	p->root_words = p->table_bytes[p->top] / w->word_bytes;
	p->info.nr_levels = nr_levels;
	p->info.nr_roots = 1;
	p->info.root_bytes = p->table_bytes[p->top];
	p->info.table_bytes = p->table_bytes[0];
}

void isim_pgtable_add_run(struct iommusim_pgtable *p, unsigned level, unsigned run_lg2,
                          unsigned page_lg2)
{
	p->place[page_lg2] = (struct isim_pgtable_place){ (uint8_t)level, (uint8_t)run_lg2 };
}

int isim_pgtable_check_quirks(struct iommusim_pgtable *p, uint32_t quirks)
{
	uint32_t unknown = p->config.quirks & ~quirks;

	return unknown ? isim_fail(&p->diag, IOMMUSIM_EINVAL, "%s knows no quirks 0x%x",
	                           p->config.format->name, (unsigned)unknown)
	               : 0;
}

int isim_pgtable_fit(struct iommusim_pgtable *p, const struct isim_pgtable_ops *ops,
                     uint64_t pgsizes, unsigned ias, unsigned oas)
{
	const struct iommusim_pgtable_config *c = &p->config;

	p->ops = ops;
	p->info.pgsizes = c->pgsizes ? c->pgsizes & pgsizes : pgsizes;
	p->info.ias = c->ias < ias ? c->ias : ias;
	p->info.oas = c->oas < oas ? c->oas : oas;
	if (!p->info.pgsizes)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "%s has page sizes 0x%llx, none of 0x%llx", c->format->name,
		                 (unsigned long long)pgsizes, (unsigned long long)c->pgsizes);
	return isim_pgtable_check_quirks(p, 0);
}

int isim_pgtable_fit_window(struct iommusim_pgtable *p, const struct isim_pgtable_ops *ops,
                            uint64_t pgsizes, unsigned ias, unsigned oas)
{
	const struct isim_pgtable_impl *impl = p->config.format->impl;
	const struct isim_pgtable_words *w = ops->words;
	uint64_t start = p->config.window_start, bytes;
	int err = isim_pgtable_fit(p, ops, pgsizes, ias, oas);
	unsigned lg2 = p->info.ias;

	if (err)
		return err;
	bytes = isim_low_bits(lg2);
	if (impl->window_bytes && bytes > impl->window_bytes - 1)
		bytes = impl->window_bytes - 1;
	start = start ? start : impl->window_start;
	if (lg2 < w->granule_lg2 || lg2 - w->granule_lg2 > MAX_WINDOW_LG2 ||
	    start & isim_low_bits(w->granule_lg2) || start > UINT64_MAX - bytes)
		return isim_fail(
			&p->diag, IOMMUSIM_EINVAL,
			"a window of 2^%u bytes at 0x%llx is not one of 1 to 2^%u pages of "
			"2^%u bytes",
			lg2, (unsigned long long)start, MAX_WINDOW_LG2, w->granule_lg2);
	p->window_start = p->info.window_start = start;
	p->window_last = start + bytes;
	p->info.window_bytes = bytes + 1;
	isim_pgtable_set_geometry(p, w, w->nr_levels, lg2 - isim_pgtable_shift(w, w->nr_levels - 1),
	                          p->config.page_shift);
	return 0;
}

int isim_pgtable_bug(struct iommusim_pgtable *p, const char *why, uint64_t address)
{
	p->info.nr_bugs++;
	return isim_fail(&p->diag, IOMMUSIM_EBUG, "%s: 0x%llx", why, (unsigned long long)address);
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
	if (p->config.format->impl->blank_page_bytes)
		p->table_bytes[p->top + 1] = p->config.format->impl->blank_page_bytes;
	err = open_memory(p, p->config.memory);
	if (!err)
		err = open_blanks(p);
	return err ? err : open_roots(p);
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
	for (unsigned i = 0; pgtable->live && i < pgtable->info.nr_roots; i++)
		if (pgtable->memory.size && pgtable->roots[i])
			isim_pgtable_free_tree(pgtable, pgtable->info.roots[i], pgtable->top);
	isim_live_free_all(pgtable);
	isim_free(&host, pgtable->live);
	isim_free(&host, pgtable->arena.bytes);
	isim_free(&host, pgtable);
}

/* ---- Copies ---- */

static int copy_arena(struct iommusim_pgtable *copy, const struct isim_pgtable_arena *arena)
{
	copy->arena.bytes = isim_zalloc(&copy->diag.host, arena->cap, 1);
	if (!copy->arena.bytes)
		return -IOMMUSIM_EHOST;
	memcpy(copy->arena.bytes, arena->bytes, (size_t)arena->used);
	isim_live_move(copy, copy->arena.bytes);
	return 0;
}

/* The copies of its tables that the owner of @memory made. */
static int copy_elsewhere(struct iommusim_pgtable *copy, const struct iommusim_table_memory *memory)
{
	int err = isim_copy_sized(&copy->memory, sizeof(copy->memory), memory);

	if (err || !copy->memory.table_at || !copy->memory.alloc_table || !copy->memory.free_table)
		return err ? err : -IOMMUSIM_EINVAL;
	copy->memory.size = sizeof(copy->memory);
	return isim_live_look_up(copy);
}

static int fill_copy(struct iommusim_pgtable *copy, const struct iommusim_pgtable *from,
                     const struct iommusim_table_memory *memory)
{
	*copy = *from;
	copy->arena.bytes = NULL;
	isim_pgtable_forget_found(copy);
	copy->live = isim_zalloc(&from->diag.host, from->nr_live_slots, sizeof(*copy->live));
	if (!copy->live)
		return -IOMMUSIM_EHOST;
	memcpy(copy->live, from->live, (size_t)from->nr_live_slots * sizeof(*copy->live));
	return memory ? copy_elsewhere(copy, memory) : copy_arena(copy, &from->arena);
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
	err = fill_copy(p, pgtable, memory);
	if (err) {
		isim_free(&pgtable->diag.host, p->live);
		isim_free(&pgtable->diag.host, p);
		return err;
	}
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

/* ---- The engine ---- */

int iommusim_pgtable_map(struct iommusim_pgtable *pgtable, const struct iommusim_map_pages *pages,
                         uint64_t *mapped)
{
	*mapped = 0;
	return pgtable->ops->map(pgtable, pages, mapped);
}

uint64_t iommusim_pgtable_unmap(struct iommusim_pgtable *pgtable, uint64_t iova, uint64_t pgsize,
                                uint64_t count, const struct iommusim_pgtable_flush *flush)
{
	struct iommusim_map_pages pages = { .iova = iova, .pgsize = pgsize, .count = count };

	return pgtable->ops->unmap(pgtable, &pages, flush);
}

uint64_t iommusim_pgtable_iova_to_phys(const struct iommusim_pgtable *pgtable, uint64_t iova)
{
	return pgtable->ops->iova_to_phys(pgtable, iova);
}

void iommusim_pgtable_walk(const struct iommusim_pgtable *pgtable, uint64_t iova,
                           struct iommusim_pgtable_walk *walk)
{
	pgtable->ops->walk(pgtable, iova, walk);
}

/* ---- Ranges ---- */

/* The first and the last address that the tables can map. */
static void span_of(const struct iommusim_pgtable *p, uint64_t *first, uint64_t *last)
{
	unsigned roots_lg2;
	uint64_t low;

	if (p->ops->words->has_window) {
		*first = p->window_start;
		*last = p->window_last;
		return;
	}
	roots_lg2 = isim_high_bit(p->info.nr_roots);
	low = isim_low_bits(isim_pgtable_shift(p->ops->words, p->top) + p->root_index_lg2 +
	                    roots_lg2);

	*first = p->config.quirks & IOMMUSIM_QUIRK_ARM_TTBR1 ? ~low : 0;
	*last = *first | low;
}

/* What can be passed over where there is no leaf: what the first empty entry covers. */
static uint64_t hole_of(const struct iommusim_pgtable *p, const struct iommusim_pgtable_walk *walk)
{
	unsigned i = 0;

	while (i + 1 < walk->nr &&
	       p->ops->words->kind(p, walk->step[i].word, walk->step[i].level) != ISIM_WORD_EMPTY)
		i++;
	return walk->step[i].size;
}

int isim_pgtable_next_leaf(const struct iommusim_pgtable *p, uint64_t *iova,
                           struct iommusim_pgtable_walk *walk)
{
	uint64_t first, last;

	span_of(p, &first, &last);
	if (*iova < first)
		*iova = first;
	while (*iova <= last) {
		uint64_t size;

		iommusim_pgtable_walk(p, *iova, walk);
		size = walk->is_mapped ? walk->size : hole_of(p, walk);
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

	if (!isim_pgtable_next_leaf(pgtable, &at, &walk))
		return 0;
	*range = (struct iommusim_mapped_range){ at, walk.pa, 0, walk.size, walk.prot };
	do {
		range->size += walk.size;
		at += walk.size;
		iommusim_pgtable_walk(pgtable, at, &walk);
	} while (at && walk.is_mapped && walk.size == range->pgsize &&
	         walk.pa == range->pa + range->size && walk.prot == range->prot &&
	         !isim_pgtable_is_out_of_range(pgtable, at));
	return 1;
}
