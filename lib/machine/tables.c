/* SPDX-License-Identifier: MIT */
/*
 * Table memory whose pages come from a page source. The words are in host memory; which page they
 * belong to is an ordered set of address ranges, each with its words under the same number.
 */
#include <string.h>

#include "base/bits.h"
#include "base/ranges.h"
#include "base/units.h"
#include "iommusim/machine.h"

struct iommusim_table_pages {
	struct isim_diag diag;
	unsigned page_shift;
	struct iommusim_page_source source;
	struct isim_ranges set; /* bytes of each table */
	void **words;           /* by node of the set */
	size_t cap_words;
	uint64_t partial; /* the page with room for another table below a page; 0: there is none */
};

static int set_source(struct iommusim_table_pages *t, const struct iommusim_page_source *source)
{
	int err = isim_copy_sized(&t->source, sizeof(t->source), source);

	if (err || (t->source.alloc_pages && t->source.free_pages && t->page_shift >= 12 &&
	            t->page_shift <= 16))
		return err;
	return isim_fail(&t->diag, IOMMUSIM_EINVAL,
	                 "table pages need alloc_pages, free_pages and page_shift 12 .. 16, not %u",
	                 t->page_shift);
}

int iommusim_table_pages_create(const struct iommusim_table_pages_config *config,
                                struct iommusim_table_pages **pages)
{
	struct iommusim_table_pages_config c;
	int err = isim_copy_sized(&c, sizeof(c), config);
	struct iommusim_table_pages *t =
		err ? NULL : isim_handle(c.host, sizeof(*t), "table pages", &err);

	if (!t)
		return err;
	t->page_shift = c.page_shift ? c.page_shift : 12;
	isim_ranges_init(&t->set, &t->diag.host);
	err = set_source(t, c.source);
	if (err) {
		iommusim_table_pages_destroy(t);
		return err;
	}
	*pages = t;
	return 0;
}

static uint64_t bytes_of(const struct iommusim_table_pages *t, uint32_t node)
{
	return t->set.node[node].hi - t->set.node[node].lo + 1;
}

void iommusim_table_pages_destroy(struct iommusim_table_pages *pages)
{
	struct iommusim_host host;

	if (!pages)
		return;
	host = pages->diag.host;
	for (uint32_t n = pages->set.first; pages->words && n != ISIM_NO_NODE;
	     n = pages->set.node[n].next)
		isim_free(&host, pages->words[n]);
	isim_ranges_finish(&pages->set);
	isim_free(&host, pages->words);
	isim_free(&host, pages);
}

/* Copies of the words of @from; what is missing on failure is NULL. */
static int copy_words(struct iommusim_table_pages *t, const struct iommusim_table_pages *from)
{
	const struct iommusim_host *host = &t->diag.host;

	t->cap_words = from->set.nr_used;
	t->words = t->cap_words ? isim_zalloc(host, t->cap_words, sizeof(*t->words)) : NULL;
	if (t->cap_words && !t->words)
		return -IOMMUSIM_EHOST;
	for (uint32_t n = from->set.first; n != ISIM_NO_NODE; n = from->set.node[n].next) {
		t->words[n] = isim_zalloc(host, bytes_of(from, n), 1);
		if (!t->words[n])
			return -IOMMUSIM_EHOST;
		memcpy(t->words[n], from->words[n], (size_t)bytes_of(from, n));
	}
	return 0;
}

int iommusim_table_pages_fork(const struct iommusim_table_pages *pages,
                              const struct iommusim_page_source *source,
                              struct iommusim_table_pages **copy)
{
	struct iommusim_table_pages *t = isim_zalloc(&pages->diag.host, 1, sizeof(*t));
	int err;

	if (!t)
		return -IOMMUSIM_EHOST;
	t->diag.host = pages->diag.host;
	t->page_shift = pages->page_shift;
	t->partial = pages->partial;
	err = isim_ranges_fork(&pages->set, &t->set);
	if (err) {
		isim_free(&pages->diag.host, t);
		return err;
	}
	err = copy_words(t, pages);
	if (!err)
		err = set_source(t, source);
	if (err) {
		iommusim_table_pages_destroy(t);
		return err;
	}
	*copy = t;
	return 0;
}

/* ---- As table memory ---- */

static unsigned order_of(const struct iommusim_table_pages *t, uint64_t bytes)
{
	return isim_high_bit(bytes) > t->page_shift ? isim_high_bit(bytes) - t->page_shift : 0;
}

static int is_small(const struct iommusim_table_pages *t, uint64_t bytes)
{
	return bytes < isim_bit(t->page_shift);
}

/* Is there a table with a byte at @pa or above it, up to @last? */
static int is_used(const struct iommusim_table_pages *t, uint64_t pa, uint64_t last)
{
	uint32_t node = isim_ranges_at_or_above(&t->set, pa);

	return node != ISIM_NO_NODE && t->set.node[node].lo <= last;
}

/* Room for @bytes in the page that has some; the page is the last one asked for if this fills it.
 */
static uint64_t take_part(struct iommusim_table_pages *t, uint64_t bytes)
{
	uint64_t end = t->partial + isim_bit(t->page_shift), pa = t->partial, next;

	while (is_used(t, pa, pa + bytes - 1))
		pa += bytes;
	next = pa + bytes;
	while (next < end && is_used(t, next, next + bytes - 1))
		next += bytes;
	if (next >= end)
		t->partial = 0;
	return pa;
}

/* Pages for @bytes, or part of one: what is below a page shares pages with its like. */
static int take_pages(struct iommusim_table_pages *t, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	struct iommusim_page_request req = { .order = order_of(t, bytes),
		                             .gfp = gfp | IOMMUSIM_GFP_BIT_ZERO,
		                             .node = -1 };
	struct iommusim_page_block block;
	int err = 0;

	if (!is_small(t, bytes) || !t->partial) {
		err = t->source.alloc_pages(t->source.ctx, &req, &block);
		if (err)
			return err;
		*pa = isim_pfn_to_pa(block.pfn, t->page_shift);
		if (is_small(t, bytes))
			t->partial = *pa;
	}
	if (is_small(t, bytes))
		*pa = take_part(t, bytes);
	return 0;
}

static int alloc_table(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	struct iommusim_table_pages *t = ctx;
	void *words = NULL;
	int err = isim_ranges_reserve(&t->set, 1);

	if (!err)
		err = isim_grow(&t->diag.host, &t->words, &t->cap_words,
		                (uint64_t)t->set.nr_used + 1, sizeof(*t->words));
	if (!err)
		words = isim_zalloc(&t->diag.host, bytes, 1);
	if (!words)
		return isim_no_memory(&t->diag, "a page table");
	err = take_pages(t, bytes, gfp, pa);
	if (err) {
		isim_free(&t->diag.host, words);
		return err;
	}
	t->words[isim_ranges_insert(&t->set, *pa, *pa + bytes - 1)] = words;
	return 0;
}

static void free_table(void *ctx, uint64_t pa, uint64_t bytes)
{
	struct iommusim_table_pages *t = ctx;
	uint64_t page = isim_align_down(pa, isim_bit(t->page_shift));
	uint32_t node = isim_ranges_at_or_above(&t->set, pa);

	isim_free(&t->diag.host, t->words[node]);
	t->words[node] = NULL;
	isim_ranges_remove(&t->set, node);
	if (is_small(t, bytes) && is_used(t, page, page + isim_bit(t->page_shift) - 1)) {
		t->partial = page;
		return;
	}
	if (t->partial == page)
		t->partial = 0;
	t->source.free_pages(t->source.ctx, isim_pa_to_pfn(pa, t->page_shift), order_of(t, bytes));
}

static void *table_at(void *ctx, uint64_t pa)
{
	const struct iommusim_table_pages *t = ctx;

	return t->words[isim_ranges_at_or_above(&t->set, pa)];
}

struct iommusim_table_memory iommusim_table_pages_memory(struct iommusim_table_pages *pages)
{
	struct iommusim_table_memory memory = { .size = sizeof(memory),
		                                .ctx = pages,
		                                .alloc_table = alloc_table,
		                                .free_table = free_table,
		                                .table_at = table_at };

	return memory;
}
