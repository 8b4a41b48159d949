/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the page tables of one family of formats. The input is a configuration and then calls,
 * between which words of tables are overwritten. Whatever a table holds, no call reads outside of
 * it, loops or frees what it did not take; as long as the words are the library's own, what is
 * mapped is there, and the ways to ask for it agree.
 */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

#include "pgtable/pgtable.h"

#define MAX_MEMORY ((size_t)1 << 20) /* of the host */
#define MAX_CALLS  256

/* FUZZ_FAMILY: how the names of the formats begin, with a comma behind each. */
static const char family[] = FUZZ_FAMILY;

struct run {
	const uint8_t *data;
	size_t bytes;
	struct witness witness;
	struct tables tables;
	struct iommusim_pgtable *pgtable;
	struct iommusim_pgtable_info info;
	struct iommusim_pgtable_config config;
	uint64_t iova;   /* of the last call */
	uint64_t pgsize; /* of the last map */
	int is_corrupt;
};

/* ---- What the input says ---- */

static unsigned get(struct run *run)
{
	if (!run->bytes)
		return 0;
	run->bytes--;
	return *run->data++;
}

static uint64_t get_bytes(struct run *run, unsigned nr)
{
	uint64_t value = 0;

	while (nr--)
		value = value << 8 | get(run);
	return value;
}

/* Any number, but small ones shifted by a multiple of 4, from either end, are likely. */
static uint64_t get_number(struct run *run)
{
	unsigned how = get(run);
	uint64_t value;

	if (how >= 0xf0)
		return get_bytes(run, 8);
	value = get_bytes(run, how & 0x80 ? 2 : 1) << 4 * (how & 15);
	return how & 0x40 ? ~value : value;
}

/* Near the last address, or anywhere. */
static uint64_t get_iova(struct run *run)
{
	unsigned how = get(run);

	if (how < 0xa0) /* -8 .. +8 pages of 4K, or of 2M */
		return run->iova + ((uint64_t)(how & 15) - 8) * (how & 16 ? 0x200000 : 0x1000);
	return run->config.window_start + get_number(run);
}

static uint64_t get_pgsize(struct run *run)
{
	unsigned how = get(run), nr = how & 7;
	uint64_t sizes = run->info.pgsizes;

	if (how >= 0xf0)
		return get_number(run);
	while (nr-- && sizes & (sizes - 1))
		sizes &= sizes - 1;
	return sizes & (~sizes + 1);
}

static uint64_t get_count(struct run *run)
{
	unsigned how = get(run);

	return how < 0xf8 ? how & 0x80 ? (uint64_t)(how & 0x7f) * 16 : how & 0x7f : get_number(run);
}

static const struct iommusim_pgtable_format *get_format(struct run *run)
{
	const struct iommusim_pgtable_format *formats[64];
	unsigned nr = 0;

	for (size_t i = 0; iommusim_pgtable_format_at(i); i++) {
		const struct iommusim_pgtable_format *format = iommusim_pgtable_format_at(i);
		const char *prefix = family;

		for (; *prefix; prefix = strchr(prefix, ',') + 1)
			if (!strncmp(format->name, prefix, strcspn(prefix, ",")))
				break;
		if (*prefix && nr < ISIM_ARRAY_LEN(formats))
			formats[nr++] = format;
	}
	if (!nr)
		witness_stop("no format begins with any of", family);
	return formats[get(run) % nr];
}

/* ---- The configuration ---- */

/* A table of one level is kept small. */
static unsigned default_ias(const struct iommusim_pgtable_format *format)
{
	const char *name = format->name;

	return !strncmp(name, "linear", 6) || !strcmp(name, "v3d") || !strncmp(name, "a2xx", 4) ? 20
	                                                                                        : 0;
}

static void configure(struct run *run)
{
	static const uint64_t pgsizes[] = { ~UINT64_C(0), 0x40201000, 0x2004000,
		                            0x20010000,   0x1111000,  0x1000,
		                            0x40211000,   0x101000,   UINT64_C(1) << 14 };
	static const unsigned kernels[] = { 0, IOMMUSIM_KERNEL(6, 1), IOMMUSIM_KERNEL(6, 12),
		                            IOMMUSIM_KERNEL(6, 13) };
	struct iommusim_pgtable_config *config = &run->config;
	unsigned flags = get(run), more = get(run);

	config->size = sizeof(*config);
	config->format = get_format(run);
	config->kernel = kernels[flags & 3];
	config->page_shift = flags & 4 ? 12 + 2 * (get(run) & 3) : 0;
	config->pgsizes = pgsizes[get(run) % ISIM_ARRAY_LEN(pgsizes)];
	if (!strncmp(config->format->name, "amd", 3) && !(flags & 8))
		config->pgsizes = 0;
	config->ias = flags & 16 ? get(run) & 127 : default_ias(config->format);
	config->oas = flags & 32 ? get(run) & 127 : 0;
	config->quirks = flags & 64 ? config->format->quirks & (uint32_t)get_bytes(run, 1) : 0;
	config->quirks |= more == 0xff ? (uint32_t)get_bytes(run, 4) : 0;
	config->is_noncoherent = more & 1;
	config->contiguous = more >> 1 & 1;
	config->nr_levels = more & 4 ? 4 + (get(run) & 1) : 0;
	config->force_snoop = more >> 3 & 1;
	config->section_split = more & 16 ? IOMMUSIM_SPLIT_FIXED : IOMMUSIM_SPLIT_AS_LINUX;
	config->hw_dirty = more >> 5 & 1;
	config->window_start = more & 64 ? get_number(run) : 0;
	config->arena_start = more & 128 ? get_number(run) << 20 : 0;
}

/* ---- What must be true of any table ---- */

/* Each word read lies in a table that was taken. */
static void check_steps(const struct run *run, const struct iommusim_pgtable_walk *walk)
{
	unsigned word_bytes = run->config.format->word_bytes;

	if (walk->nr > IOMMUSIM_MAX_LEVELS)
		witness_stop("walk", "more steps than levels");
	for (unsigned i = 0; i < walk->nr && run->config.memory; i++)
		if (!tables_at(&run->tables, walk->step[i].table + walk->step[i].index * word_bytes,
		               word_bytes))
			witness_stop("walk", "a word that is in no table");
	if (walk->is_mapped ? !run->is_corrupt && (walk->cause == IOMMUSIM_FAULT_NOT_PRESENT ||
	                                           walk->cause == IOMMUSIM_FAULT_TABLE)
	                    : walk->cause == IOMMUSIM_FAULT_NONE)
		witness_stop("walk", "a page, but a cause why there is none, or neither");
}

/*
 * Addresses that every question has the same opinion on. Of those that the levels of AMD v1 do not
 * cover a walk ignores the high bits, where iova_to_phys() has nothing.
 */
static int is_inside(const struct run *run, uint64_t iova)
{
	unsigned covered = 12 + 9 * iommusim_pgtable_info(run->pgtable).nr_levels;

	if (!strcmp(run->config.format->name, "amd-v1") && covered < 64 && iova >> covered)
		return 0;
	return run->info.window_bytes ? iova - run->info.window_start < run->info.window_bytes
	                              : run->info.ias >= 64 || iova >> run->info.ias == 0;
}

static void check_walk(const struct run *run, uint64_t iova)
{
	struct iommusim_pgtable_walk walk;
	uint64_t pa = iommusim_pgtable_iova_to_phys(run->pgtable, iova);

	iommusim_pgtable_walk(run->pgtable, iova, &walk);
	check_steps(run, &walk);
	if (run->is_corrupt || !is_inside(run, iova))
		return;
	if (pa != (walk.is_mapped ? walk.pa + (iova & (walk.size - 1)) : 0))
		witness_stop("walk", "not where iova_to_phys() leads");
}

/* Each range ends above the last, and is where a walk finds it. */
static void check_ranges(const struct run *run)
{
	struct iommusim_mapped_range range = { 0 };
	uint64_t end = 0;

	for (unsigned i = 0; i < 64; i++, end = range.iova + range.size) {
		if ((i && !end) || !iommusim_pgtable_next(run->pgtable, end, &range))
			return;
		if (!range.size || range.size % range.pgsize || range.iova + range.size - 1 < end)
			witness_stop("ranges", "none, in pieces or out of order");
		if (!run->is_corrupt && range.iova >= end && is_inside(run, range.iova) &&
		    iommusim_pgtable_iova_to_phys(run->pgtable, range.iova) != range.pa)
			witness_stop("ranges", "not where iova_to_phys() leads");
	}
}

static void check_count(const struct run *run)
{
	struct iommusim_pgtable_info info = iommusim_pgtable_info(run->pgtable);

	if (run->config.memory && info.nr_tables != run->tables.nr)
		witness_stop("info", "another number of tables than were taken");
}

/* ---- Calls ---- */

/* Of pages that are there VT-d keeps some of 4K, and DART 2 loses bits of their address. */
static int maps_faithfully(const struct run *run)
{
	const char *name = run->config.format->name;

	return !run->is_corrupt && strncmp(name, "vtd", 3) != 0 && strcmp(name, "x86-64-fl") != 0 &&
	       !(strcmp(name, "dart2") == 0 && run->info.pgsizes & 0x1000);
}

static struct iommusim_map_pages get_pages(struct run *run)
{
	struct iommusim_map_pages pages = { 0 };
	unsigned how;

	pages.iova = get_iova(run);
	pages.pgsize = get_pgsize(run);
	pages.count = get_count(run);
	how = get(run);
	pages.prot = how & 63;
	pages.pa = get_number(run);
	if (how & 0x80)
		pages.pa &= ~(pages.pgsize - 1);
	if (!(how & 0x40))
		pages.iova &= ~(pages.pgsize - 1);
	return pages;
}

/* Small pages of AMD v1 may replace a part of a larger one, whose rest Linux reads by its first
   word and hardware by its own. */
static int may_cut(struct run *run, uint64_t pgsize)
{
	uint64_t before = run->pgsize;

	run->pgsize = pgsize;
	return before && before != pgsize && !strcmp(run->config.format->name, "amd-v1");
}

static void call_map(struct run *run)
{
	struct iommusim_map_pages pages = get_pages(run);
	uint64_t mapped, size = pages.pgsize * pages.count;
	int err;

	if ((pages.pa | pages.iova) & (pages.pgsize - 1) || may_cut(run, pages.pgsize))
		run->is_corrupt = 1; /* garbage in */
	err = iommusim_pgtable_map(run->pgtable, &pages, &mapped);
	run->iova = pages.iova;
	if (mapped > size && size / (pages.pgsize | (pages.pgsize == 0)) == pages.count)
		witness_stop("map", "more than was asked for");
	if (!err && mapped && pages.pa && maps_faithfully(run) && is_inside(run, pages.iova) &&
	    (run->info.oas >= 64 || !(pages.pa >> run->info.oas)) &&
	    iommusim_pgtable_iova_to_phys(run->pgtable, pages.iova) != pages.pa)
		witness_stop("map", "the page is not where it was mapped");
}

static void call_unmap(struct run *run)
{
	uint64_t iova = get_iova(run), pgsize = get_pgsize(run), count = get_count(run), unmapped;

	iova &= get(run) & 0x40 ? ~UINT64_C(0) : ~(pgsize - 1);
	if (iova & (pgsize - 1))
		run->is_corrupt = 1; /* garbage in */
	unmapped = iommusim_pgtable_unmap(run->pgtable, iova, pgsize, count, NULL);
	run->iova = iova;
	if (unmapped && count && maps_faithfully(run) && is_inside(run, iova) &&
	    iommusim_pgtable_iova_to_phys(run->pgtable, iova))
		witness_stop("unmap", "the page is still there");
}

static void call_access(struct run *run)
{
	struct iommusim_pgtable_walk walk;
	uint64_t iova = get_iova(run);
	enum iommusim_fault_cause cause =
		iommusim_pgtable_access(run->pgtable, iova, get(run) & 15, &walk);

	check_steps(run, &walk);
	if (!iommusim_fault_cause_name(cause))
		witness_stop("access", "a cause without a name");
	if (cause == IOMMUSIM_FAULT_NONE && !walk.is_mapped)
		witness_stop("access", "allowed where nothing is mapped");
	check_walk(run, iova);
}

static void call_mark(struct run *run)
{
	uint64_t iova = get_iova(run);
	unsigned marks = get(run) & 3;
	struct iommusim_pgtable_walk walk;

	if (iommusim_pgtable_mark(run->pgtable, iova, marks))
		return;
	iommusim_pgtable_walk(run->pgtable, iova, &walk);
	if (!run->is_corrupt && (walk.marks & marks) != marks)
		witness_stop("mark", "it is not there");
}

static void call_read_marks(struct run *run)
{
	unsigned how = get(run);
	struct iommusim_marks_request request = { .marks = how & 3, .clear = how >> 2 & 1 };

	request.iova = get_iova(run);
	request.size = get_number(run);
	(void)iommusim_pgtable_read_marks(run->pgtable, &request, NULL, NULL);
}

/* A fork answers as the original does; then it goes, or the original does. */
static void call_fork(struct run *run)
{
	struct tables tables;
	struct iommusim_table_memory memory = tables_memory(&tables);
	struct iommusim_pgtable *copy = NULL;
	uint64_t iova = get_iova(run);

	if (run->config.memory)
		tables_copy(&tables, &run->tables);
	else
		tables.nr = 0;
	if (iommusim_pgtable_fork(run->pgtable, run->config.memory ? &memory : NULL, &copy)) {
		while (tables.nr)
			free(tables.table[--tables.nr].data);
		return;
	}
	if (!run->is_corrupt && iommusim_pgtable_iova_to_phys(copy, iova) !=
	                                iommusim_pgtable_iova_to_phys(run->pgtable, iova))
		witness_stop("fork", "another page");
	iommusim_pgtable_destroy(copy);
	if (tables.nr)
		witness_stop("fork", "tables are left");
}

/* Some word of some table, or the bytes of the arena. */
static unsigned char *get_word(struct run *run)
{
	unsigned word_bytes = run->config.format->word_bytes, which = get(run);
	uint64_t index = get_bytes(run, 2), bytes;
	unsigned char *words;

	if (!run->config.memory) {
		words = run->pgtable->arena.bytes;
		bytes = run->pgtable->arena.used;
		index += (uint64_t)which << 9;
	} else if (run->tables.nr) {
		which %= run->tables.nr;
		words = run->tables.table[which].data;
		bytes = run->tables.table[which].bytes;
	} else {
		return NULL;
	}
	return bytes < word_bytes ? NULL : words + index % (bytes / word_bytes) * word_bytes;
}

/* The address of a table, so that the word leads back, astray or nowhere. */
static uint64_t get_table(struct run *run)
{
	unsigned which = get(run);

	if (run->config.memory && run->tables.nr)
		return run->tables.table[which % run->tables.nr].pa;
	return run->info.root + which * run->info.table_bytes;
}

/* Another word with the address of a table, another word, a bit of itself, or anything. */
static void call_corrupt(struct run *run)
{
	unsigned how = get(run), word_bytes = run->config.format->word_bytes;
	unsigned char *word = get_word(run), *other = get_word(run), value[8];
	uint64_t number;

	if (!word || !other)
		return;
	run->is_corrupt = 1;
	if (how & 1) {
		memmove(word, other, word_bytes);
	} else if (how & 2) {
		word[how >> 2 & (word_bytes - 1)] ^= (unsigned char)(1u << (how >> 5));
	} else {
		number = how & 4 ? get_table(run) | get(run) : get_number(run);
		for (unsigned i = 0; i < 8; i++)
			value[i] = (unsigned char)(number >> 8 * i);
		memcpy(word, value, word_bytes);
	}
}

/* How many more tables there may be. */
static void call_limits(struct run *run)
{
	run->tables.left = get(run) & 31;
}

static void call(struct run *run)
{
	switch (get(run) & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		call_map(run);
		break;
	case 5:
	case 6:
	case 7:
		call_unmap(run);
		break;
	case 8:
		call_access(run);
		break;
	case 9:
		call_mark(run);
		break;
	case 10:
		call_read_marks(run);
		break;
	case 11:
		check_ranges(run);
		break;
	case 12:
		call_fork(run);
		break;
	case 13:
	case 14:
		call_corrupt(run);
		break;
	default:
		call_limits(run);
	}
	check_walk(run, run->iova);
	check_count(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct run run = { .data = data, .bytes = bytes };
	struct iommusim_host host = witness_host(&run.witness);
	struct iommusim_table_memory memory = tables_memory(&run.tables);
	unsigned how = get(&run);
	size_t budget = MAX_MEMORY >> (how >> 4);
	int err;

	run.witness.left = budget;
	run.tables.left = MAX_TABLES;
	run.tables.next = how & 2 ? get_number(&run) : UINT64_C(0x80000000);
	configure(&run);
	run.config.host = &host;
	run.config.memory = how & 1 ? &memory : NULL;
	err = iommusim_pgtable_create(&run.config, &run.pgtable);
	if (err && err != -IOMMUSIM_ENOMEM && run.witness.nr_lines != 1)
		witness_stop("create", "an error without its line");
	if (!err) {
		run.info = iommusim_pgtable_info(run.pgtable);
		for (unsigned i = 0; i < MAX_CALLS && run.bytes; i++)
			call(&run);
		iommusim_pgtable_destroy(run.pgtable);
	}
	if (run.witness.left != budget || run.tables.nr)
		witness_stop("memory is lost", run.witness.line);
	return 0;
}
