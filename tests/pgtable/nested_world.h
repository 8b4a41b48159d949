/* SPDX-License-Identifier: MIT */
/*
 * Tables of two stages at random, and an oracle that walks them: the independent walker of stage 1
 * reads each word by the address that the independent walker of stage 2 gives for it. Words of
 * stage 1 are in the test's memory by physical address, which is nowhere equal to the ipa.
 */
#ifndef NESTED_WORLD_H
#define NESTED_WORLD_H

#include <string.h>

#include "base/rng.h"
#include "table_memory.h"
#include "walk_formats.h"

#define TABLES_IPA UINT64_C(0x40000000)
#define HOST       (UINT64_C(1) << 35)  /* physical addresses of stage 1 tables */
#define SHUFFLE    UINT64_C(0x1a00000)  /* bits that differ, too */
#define SIZES      UINT64_C(0x63315000) /* up to 1 GiB, of all formats */
#define SIZES_RUN  UINT64_C(0x2010000)  /* of Arm with the contiguous hint */
#define NR_WINDOWS 4u

/* A format and a configuration, and what the walker must know of it. */
struct stage_row {
	const struct iommusim_pgtable_format *format;
	const struct walk_format *walked;
	unsigned bits, flags; /* of an address; WALK_* */
	struct iommusim_pgtable_config config;
};

struct nested_row {
	const char *name;
	struct stage_row one, two;
};

struct stage {
	const struct stage_row *row;
	struct iommusim_pgtable *pgtable;
	struct memory memory; /* of stage 1 by ipa */
	struct walk_config walker;
	uint64_t granule, pgsizes;
	unsigned oas;
};

/* What an access comes to. */
struct outcome {
	unsigned stage, is_table;
	enum iommusim_fault_cause cause;
	uint64_t ipa, pa, size;
	unsigned prot, nr_words;
};

struct nested_world {
	struct isim_rng rng;
	struct stage one, two;
	uint64_t window[NR_WINDOWS];   /* of ipas, where pages lead */
	uint64_t iova[3 * NR_WINDOWS]; /* where some pages are */
	unsigned nr_iovas;
	/* The oracle, while it walks: reads of stage 1, each with the words of stage 2 for it. */
	unsigned nr_reads;
	struct {
		uint64_t ipa;
		unsigned nr_words;
	} read[256];
	enum walk_cause refused; /* WALK_MAPPED: nothing was */
};

/* ---- The oracle ---- */

static inline uint64_t host_of(uint64_t ipa)
{
	return (ipa ^ SHUFFLE) + HOST;
}

/* Words that a walk reads before it ends with @answer. */
static inline unsigned words_of(const struct walk_config *walker, uint64_t iova,
                                const struct walk_answer *answer)
{
	struct walk_geometry g = { .iova = iova };

	return walker->format->geometry(walker, iova, &g) ? g.nr_levels - answer->level : 0;
}

#define NOT_GRANTED ((enum walk_cause)99)

/* Stage 2 for @access: where it leads, or the cause. */
static inline struct walk_answer through_two(const struct nested_world *world, uint64_t ipa,
                                             unsigned access, unsigned *nr_words)
{
	struct walk_answer answer = walk(&world->two.walker, ipa);
	unsigned prot = answer.prot;

	*nr_words = words_of(&world->two.walker, ipa, &answer);
	if (answer.cause != WALK_MAPPED)
		return answer;
	if ((access & IOMMUSIM_ACCESS_READ && !(prot & WALK_R)) ||
	    (access & IOMMUSIM_ACCESS_WRITE && !(prot & WALK_W)) ||
	    (access & IOMMUSIM_ACCESS_EXECUTE && prot & WALK_X))
		answer.cause = NOT_GRANTED;
	return answer;
}

/* A word of stage 1. */
static inline int read_nested(void *ctx, uint64_t pa, unsigned char *bytes, unsigned nr)
{
	struct nested_world *world = ctx;
	unsigned nr_words;
	struct walk_answer answer = through_two(world, pa, IOMMUSIM_ACCESS_READ, &nr_words);

	assert_true(world->nr_reads < ARRAY_LEN(world->read));
	world->read[world->nr_reads].ipa = pa;
	world->read[world->nr_reads++].nr_words = nr_words;
	world->refused = answer.cause;
	return answer.cause == WALK_MAPPED &&
	       read_tables(&world->one.memory, (answer.pa - HOST) ^ SHUFFLE, bytes, nr);
}

static inline enum iommusim_fault_cause cause_of(enum walk_cause cause)
{
	switch ((int)cause) {
	case WALK_MAPPED:
		return IOMMUSIM_FAULT_NONE;
	case WALK_ABSENT:
		return IOMMUSIM_FAULT_NOT_PRESENT;
	case WALK_RANGE:
		return IOMMUSIM_FAULT_ADDRESS_SIZE;
	case WALK_ACCESS_FLAG:
		return IOMMUSIM_FAULT_ACCESS_FLAG;
	case NOT_GRANTED:
		return IOMMUSIM_FAULT_PERMISSION;
	default:
		fail_msg("a walker found words that nobody wrote: %d", (int)cause);
		return IOMMUSIM_FAULT_RESERVED;
	}
}

static inline int one_refuses(unsigned prot, unsigned access)
{
	return (access & IOMMUSIM_ACCESS_READ && !(prot & WALK_R)) ||
	       (access & IOMMUSIM_ACCESS_WRITE && !(prot & WALK_W)) ||
	       (access & IOMMUSIM_ACCESS_EXECUTE && prot & WALK_X) ||
	       (!(access & IOMMUSIM_ACCESS_PRIV) && prot & WALK_P);
}

/* The first @nr reads of stage 1, of which the last was not made if it was refused. What the walker
   reads after them is the rest of a run. */
static inline void count_reads(const struct nested_world *world, unsigned nr, struct outcome *o)
{
	o->nr_words = nr - (world->refused != WALK_MAPPED);
	for (unsigned i = 0; i < nr; i++) {
		o->nr_words += world->read[i].nr_words;
		o->ipa = world->read[i].ipa;
	}
}

static inline struct outcome oracle(struct nested_world *world, uint64_t iova, unsigned access)
{
	struct walk_answer one, two;
	struct outcome o = { .is_table = 1 };
	unsigned nr_words;

	world->nr_reads = 0;
	world->refused = WALK_MAPPED;
	one = walk(&world->one.walker, iova);
	count_reads(world, words_of(&world->one.walker, iova, &one), &o);
	o.stage = world->refused != WALK_MAPPED ? 2 : 1;
	o.cause = cause_of(o.stage == 2 ? world->refused : one.cause);
	if (!o.cause && one_refuses(one.prot, access))
		o.cause = IOMMUSIM_FAULT_PERMISSION;
	if (o.cause)
		return o;
	two = through_two(world, one.pa, access, &nr_words);
	o.is_table = 0;
	o.ipa = one.pa;
	o.nr_words += nr_words;
	o.cause = cause_of(two.cause);
	o.stage = o.cause ? 2 : 0;
	o.pa = two.pa;
	o.size = one.size < two.size ? one.size : two.size;
	o.prot = (one.prot & two.prot & (WALK_R | WALK_W | WALK_C)) |
	         ((one.prot | two.prot) & (WALK_X | WALK_M | WALK_P));
	return o;
}

/* ---- Making a world ---- */

static inline uint64_t below(struct nested_world *world, uint64_t n)
{
	return isim_rng_below(&world->rng, n);
}

static inline void open_stage(struct stage *s, const struct stage_row *row)
{
	struct iommusim_table_memory memory = { .size = sizeof(memory),
		                                .ctx = &s->memory,
		                                .alloc_table = alloc_table,
		                                .free_table = free_table,
		                                .table_at = table_at };
	struct iommusim_pgtable_config config = row->config;
	struct iommusim_pgtable_info info;

	config.size = sizeof(config);
	config.format = row->format;
	config.memory = &memory;
	config.pgsizes = row->format == &iommusim_pgtable_amd_v1 ? 0 : SIZES;
	s->row = row;
	assert_ok(iommusim_pgtable_create(&config, &s->pgtable));
	info = iommusim_pgtable_info(s->pgtable);
	s->pgsizes = info.pgsizes & (SIZES | SIZES_RUN);
	s->granule = s->pgsizes & ~(s->pgsizes - 1);
	s->oas = info.oas < 48 ? info.oas : 48;
	s->walker = (struct walk_config){ .format = row->walked,
		                          .granule_lg2 = row->config.page_shift,
		                          .ias = row->bits,
		                          .oas = s->oas,
		                          .flags = row->flags };
}

/* The registers change as tables grow. */
static inline void read_registers(struct stage *s)
{
	struct iommusim_pgtable_info info = iommusim_pgtable_info(s->pgtable);

	s->walker.nr_levels = info.nr_levels;
	s->walker.root[0] = info.root;
}

static inline uint64_t choose_size(struct nested_world *world, const struct stage *s)
{
	uint64_t left = s->pgsizes;

	while (left & (left - 1) && below(world, 2))
		left &= left - 1;
	return left & ~(left - 1);
}

static inline unsigned choose_prot(struct nested_world *world)
{
	return (below(world, 4) ? 3 : 1 + (unsigned)below(world, 2)) |
	       ((unsigned)below(world, 16) << 2);
}

/* AMD would leave parts of pages that it overwrites: there, only where nothing is yet. */
static inline void map_some(struct stage *s, struct iommusim_map_pages pages)
{
	struct iommusim_mapped_range range;
	uint64_t mapped;

	if (s->row->format == &iommusim_pgtable_amd_v1 &&
	    iommusim_pgtable_next(s->pgtable, pages.iova, &range) &&
	    range.iova < pages.iova + pages.pgsize * pages.count)
		return;
	iommusim_pgtable_map(s->pgtable, &pages, &mapped); /* or not: it may be out of range */
	read_registers(s);
}

/* Windows below both 4 GiB and the top of stage 2; and one behind it, where stage 1 gets there. */
static inline void choose_windows(struct nested_world *world)
{
	unsigned bits = world->two.row->bits, oas = world->one.oas;

	world->window[0] = UINT64_C(2) << 30;
	world->window[1] = UINT64_C(3) << 30;
	world->window[2] = UINT64_C(1) << ((bits < oas ? bits : oas) - 1);
	world->window[3] = UINT64_C(1) << (bits < oas ? bits : oas - 1);
}

/* Some pages, near the start of @at. */
static inline struct iommusim_map_pages choose_pages(struct nested_world *world,
                                                     const struct stage *s, uint64_t at)
{
	struct iommusim_map_pages pages = { .pgsize = choose_size(world, s),
		                            .prot = choose_prot(world) };
	uint64_t nr = pages.pgsize < (1 << 20) ? 600 : 3;

	pages.iova = (at & ~(pages.pgsize - 1)) + below(world, nr) * pages.pgsize;
	pages.count = 1 + below(world, 9);
	return pages;
}

static inline void map_stage_1(struct nested_world *world)
{
	uint64_t space = UINT64_C(1) << world->one.row->bits;
	uint64_t at = below(world, 3) ? (space >> 1 << below(world, 2)) & (space - 1)
	                              : below(world, space);
	struct iommusim_map_pages pages = choose_pages(world, &world->one, at);

	if (pages.iova > space - 10 * SZ_1G)
		pages.iova &= SZ_1G - 1;
	pages.pa = world->window[below(world, 8) ? below(world, 3) : 3] & ~(pages.pgsize - 1);
	pages.pa += below(world, pages.pgsize < SZ_1M ? 600 : 2) * pages.pgsize;
	world->iova[world->nr_iovas++ % ARRAY_LEN(world->iova)] = pages.iova;
	map_some(&world->one, pages);
}

static inline void map_stage_2(struct nested_world *world)
{
	struct iommusim_map_pages pages =
		choose_pages(world, &world->two, world->window[below(world, 3)]);

	pages.pa = below(world, (UINT64_C(1) << world->two.oas) / pages.pgsize - 10) * pages.pgsize;
	map_some(&world->two, pages);
}

/* Where stage 1 has its tables: stage 2 leads to them, but not to @one_in of its pages. */
static inline void map_tables(struct nested_world *world, unsigned one_in)
{
	const struct memory *memory = &world->one.memory;
	uint64_t size = world->two.granule, done = 0;

	for (unsigned i = 0; i < memory->nr; i++) {
		uint64_t at = memory->table[i].pa & ~(size - 1);

		for (at = at > done ? at : done; at < memory->table[i].pa + memory->table[i].bytes;
		     at += size) {
			unsigned prot = one_in && !below(world, one_in)
			                        ? (unsigned)below(world, 4)
			                        : 1 + 2 * (unsigned)below(world, 2);

			done = at + size;
			if (prot)
				map_some(&world->two, (struct iommusim_map_pages){
							      at, host_of(at), size, 1, prot, 0 });
		}
	}
}

static inline void open_world(struct nested_world *world, const struct nested_row *row,
                              uint64_t seed)
{
	memset(world, 0, sizeof(*world));
	world->rng = isim_rng_seed(seed);
	world->one.memory.next = TABLES_IPA;
	world->two.memory.next = TABLES_AT;
	open_stage(&world->one, &row->one);
	open_stage(&world->two, &row->two);
	world->one.walker.read = read_nested;
	world->one.walker.ctx = world;
	world->two.walker.read = read_tables;
	world->two.walker.ctx = &world->two.memory;
	read_registers(&world->one);
	read_registers(&world->two);
	choose_windows(world);
	for (unsigned i = 0; i < 24; i++) {
		map_stage_1(world);
		map_stage_2(world);
	}
	map_tables(world, seed % 2 ? 0 : 6);
}

static inline void close_world(struct nested_world *world)
{
	iommusim_pgtable_destroy(world->one.pgtable);
	iommusim_pgtable_destroy(world->two.pgtable);
	for (unsigned i = 0; i < world->one.memory.nr; i++)
		assert_null(world->one.memory.table[i].data);
	for (unsigned i = 0; i < world->two.memory.nr; i++)
		assert_null(world->two.memory.table[i].data);
}

#endif
