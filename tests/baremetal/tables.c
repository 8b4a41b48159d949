/* SPDX-License-Identifier: MIT */
/*
 * Makes the parcel of an architecture: for each world tables built by the library at random, and
 * addresses with the library's own answers, which the machine must confirm.
 *
 * usage: tables ARCHITECTURE FILE right|wrong
 * wrong: one answer of each world is none of the library's, so that a machine can show that it
 * looks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "ram.h"
#include "tables.h"

#define NR_STEPS   800u
#define NR_REGIONS 12u
#define NR_WINDOWS 6u

/* A world while it is made. */
struct maker {
	const struct architecture *arch;
	const struct world_spec *spec;
	struct ram *ram;
	struct isim_rng rng;
	struct iommusim_pgtable *pgtable;
	struct iommusim_pgtable_info info;
	struct iommusim_pgtable *two; /* stage 2, or NULL */
	struct iommusim_pgtable_info info_two;
	uint64_t window[NR_WINDOWS]; /* of stage 2 */
	struct world *world;
	uint64_t iova_or; /* bits that all addresses have */
	unsigned seed;
	int is_wrong;
	uint64_t region[NR_REGIONS];
	uint64_t nr_ranges;
	struct range {
		uint64_t iova, bytes, pgsize;
	} range[NR_STEPS];
	struct question *question;
	uint64_t nr_questions, cap_questions;
};

static struct iommusim_pgtable *create(const struct world_spec *spec,
                                       const struct iommusim_table_memory *memory)
{
	struct iommusim_pgtable_config config = spec->config;
	struct iommusim_pgtable *pgtable = NULL;

	config.size = sizeof(config);
	config.format = iommusim_pgtable_format_find(spec->format);
	config.memory = memory;
	if (!config.format || iommusim_pgtable_create(&config, &pgtable))
		die(spec->name);
	return pgtable;
}

static void create_stages(struct maker *m)
{
	struct iommusim_table_memory memory = { .size = sizeof(memory),
		                                .ctx = m->ram,
		                                .alloc_table = alloc_table,
		                                .free_table = free_table,
		                                .table_at = table_at };

	if (m->spec->two) {
		m->two = create(m->spec->two, &memory);
		m->info_two = iommusim_pgtable_info(m->two);
		memory.alloc_table = alloc_nested;
		memory.free_table = free_nested;
		memory.table_at = nested_at;
	}
	m->pgtable = create(m->spec, &memory);
	m->info = iommusim_pgtable_info(m->pgtable);
}

/* ---- Steps at random ---- */

static uint64_t below(struct maker *m, uint64_t n)
{
	return isim_rng_below(&m->rng, n);
}

/* Mostly the smallest. */
static uint64_t choose_size(struct maker *m)
{
	uint64_t left = m->info.pgsizes;

	while (left & (left - 1) && below(m, 3) == 0)
		left &= left - 1;
	return left & ~(left - 1);
}

/* Addresses of the space that are neighbours, so that tables have several entries. */
static void choose_regions(struct maker *m)
{
	unsigned bits = m->spec->iova_bits, table_lg2 = 2 * m->spec->config.page_shift - 3;

	for (unsigned i = 0; i < NR_REGIONS; i++) {
		m->region[i] = below(m, UINT64_C(1) << (bits - table_lg2)) << table_lg2;
	}
}

static uint64_t choose_iova(struct maker *m, uint64_t pgsize)
{
	uint64_t region = m->region[below(m, NR_REGIONS)], granule = m->info.pgsizes;
	uint64_t iova;

	granule &= ~(granule - 1);
	iova = pgsize == granule ? region + below(m, granule / 2) * granule
	                         : (region & ~(pgsize - 1)) + below(m, 6) * pgsize;
	iova &= (UINT64_C(1) << m->spec->iova_bits) - 1;
	if (iova < m->arch->first_iova)
		iova += m->arch->first_iova;
	return iova | m->iova_or;
}

/* Anywhere, or in the memory that the machine has; as many pages as there are. */
static void choose_pa(struct maker *m, struct iommusim_map_pages *pages)
{
	uint64_t start = m->arch->ram_start, last = m->arch->ram_last, nr;

	if (m->two) { /* where stage 2 has pages */
		start = m->window[below(m, NR_WINDOWS)] & ~(pages->pgsize - 1);
		last = start + pages->pgsize * 40 - 1;
	}
	if (!last)
		last = (UINT64_C(1) << m->info.oas) - 1;
	pages->count = 1;
	if (pages->pgsize - 1 > last - start)
		return; /* a page larger than memory, from 0: only a part of it is there */
	nr = (last - start + 1) / pages->pgsize;
	pages->count += below(m, nr < 12 ? nr : 12);
	pages->pa = start + below(m, nr - pages->count + 1) * pages->pgsize;
}

static void map_step(struct maker *m)
{
	uint64_t pgsize = choose_size(m), mapped = 0;
	struct iommusim_map_pages pages = { .iova = choose_iova(m, pgsize),
		                            .pgsize = pgsize,
		                            .prot = (unsigned)below(m, 64) };

	choose_pa(m, &pages);
	pages.prot |= pages.prot & 3 ? 0 : GRANTS_READ;
	if (iommusim_pgtable_map(m->pgtable, &pages, &mapped) || !mapped)
		return; /* a page is there already, or the space ends */
	m->world->nr_mappings += mapped / pgsize;
	m->range[m->nr_ranges++] = (struct range){ pages.iova, mapped, pgsize };
}

/* Some pages of what was mapped, of its size or smaller. */
static void unmap_step(struct maker *m)
{
	const struct range *range = &m->range[below(m, m->nr_ranges)];
	uint64_t smallest = m->info.pgsizes & ~(m->info.pgsizes - 1);
	uint64_t size = below(m, 2) ? range->pgsize : smallest;
	uint64_t offset = below(m, range->bytes / size) * size;

	iommusim_pgtable_unmap(m->pgtable, range->iova + offset, size, 1, NULL);
}

/* ---- Questions, with the answers as things are in the end ---- */

static int is_in_space(const struct maker *m, uint64_t iova)
{
	uint64_t low = iova - m->iova_or;

	return low < UINT64_C(1) << m->spec->iova_bits && low >= m->arch->first_iova;
}

static int is_in_ram(const struct maker *m, uint64_t pa)
{
	return !m->arch->ram_last || (pa >= m->arch->ram_start && pa + 8 <= m->arch->ram_last);
}

/* What Arm's PAR_EL1 would tell; an ipa beyond stage 2 is a translation fault at its level 0. */
static uint32_t fault_of(const struct iommusim_nested_walk *walk)
{
	const struct iommusim_pgtable_walk *last = walk->stage == 1 ? &walk->stage1 : &walk->stage2;
	uint32_t what = walk->cause == IOMMUSIM_FAULT_PERMISSION    ? 3
	                : walk->cause == IOMMUSIM_FAULT_ACCESS_FLAG ? 2
	                                                            : 1;

	if (!walk->cause)
		return 0;
	return FAULT_IS | (walk->stage == 2 ? FAULT_STAGE2 : 0) |
	       (walk->stage == 2 && walk->is_table ? FAULT_TABLE : 0) | what << 2 |
	       (last->nr ? 3 - last->step[last->nr - 1].level : 0);
}

static void ask_nested(struct maker *m, struct question *q)
{
	static const unsigned accesses[] = { IOMMUSIM_ACCESS_READ | IOMMUSIM_ACCESS_PRIV,
		                             IOMMUSIM_ACCESS_WRITE | IOMMUSIM_ACCESS_PRIV,
		                             IOMMUSIM_ACCESS_READ };
	struct iommusim_nested_walk walk;

	for (unsigned i = 0; i < 3; i++) {
		if (iommusim_pgtable_access_nested(m->pgtable, m->two, q->iova, accesses[i], &walk))
			die("the stages do not nest");
		q->faults |= fault_of(&walk) << 8 * i;
		if (!i && !walk.cause) {
			q->is_mapped = 1;
			q->pa = walk.pa;
		}
	}
}

static void keep(struct maker *m, struct question q)
{
	if (m->nr_questions == m->cap_questions)
		die("too many questions");
	m->question[m->nr_questions++] = q;
}

/* Loads are of eight bytes: they must not leave the page. */
static void ask(struct maker *m, uint64_t iova)
{
	struct question q = { .iova = m->arch->ram_last ? iova & ~UINT64_C(7) : iova };
	struct iommusim_pgtable_walk walk;

	if (!is_in_space(m, iova))
		return;
	if (m->two) {
		ask_nested(m, &q);
		keep(m, q);
		return;
	}
	iommusim_pgtable_walk(m->pgtable, q.iova, &walk);
	q.level = (uint32_t)(m->info.nr_levels - walk.nr);
	if (walk.is_mapped) {
		q.is_mapped = 1;
		q.prot = walk.prot;
		q.pa = walk.pa + (q.iova & (walk.size - 1));
	}
	if (iommusim_pgtable_iova_to_phys(m->pgtable, q.iova) != q.pa)
		die("iova_to_phys() and walk() differ");
	if (q.is_mapped && !is_in_ram(m, q.pa))
		return;
	keep(m, q);
}

static void ask_about(struct maker *m, const struct range *range)
{
	uint64_t end = range->iova + range->bytes;

	ask(m, range->iova);
	ask(m, range->iova - 1);
	ask(m, end - 1);
	ask(m, end);
	for (unsigned i = 0; i < 6; i++)
		ask(m, range->iova + below(m, range->bytes));
}

/* The last page is said to be the one beside it. */
static void spoil(struct maker *m)
{
	uint64_t i = m->nr_questions;

	while (i-- > 0 && !m->question[i].is_mapped)
		;
	m->question[i].pa ^= UINT64_C(1) << m->spec->config.page_shift;
}

static void put_questions(struct maker *m)
{
	uint64_t bytes = m->nr_questions * sizeof(*m->question);

	m->world->nr_questions = m->nr_questions;
	m->world->questions = take(m->ram, bytes, 4096);
	memcpy(at(m->ram, m->world->questions), m->question, (size_t)bytes);
}

/* The image itself, where it must be seen through the tables. */
static void map_image(struct maker *m)
{
	struct iommusim_map_pages pages = { .pgsize = UINT64_C(1) << 21, .count = 1, .prot = 3 };
	uint64_t mapped;

	while (pages.iova < m->arch->image_bytes) {
		if (iommusim_pgtable_map(m->pgtable, &pages, &mapped))
			die("the image cannot be mapped");
		pages.pa = pages.iova += pages.pgsize;
	}
}

/* ---- Stage 2 ---- */

static void choose_windows(struct maker *m)
{
	uint64_t last = UINT64_C(1) << (m->spec->two->iova_bits - 30);

	for (unsigned i = 0; i < NR_WINDOWS; i++)
		m->window[i] = (16 + below(m, last - 16)) << 30;
}

static void map_two(struct maker *m, struct iommusim_map_pages pages)
{
	uint64_t mapped = 0;

	iommusim_pgtable_map(m->two, &pages, &mapped); /* or something is there */
}

/* All that may be a table of stage 1, but for some pages, and a part of the windows. */
static void map_stage_2(struct maker *m, uint64_t first)
{
	uint64_t size = m->info_two.pgsizes & ~(m->info_two.pgsizes - 1);
	struct iommusim_map_pages pages = { .pgsize = size, .count = 1 };

	first &= ~(size - 1);
	for (uint64_t pa = first; pa < m->ram->start + m->ram->used; pa += size) {
		pages.iova = ipa_of(pa);
		pages.pa = pa;
		pages.prot = below(m, 12) ? 1 + 2 * (unsigned)below(m, 2) : (unsigned)below(m, 4);
		if (pages.prot)
			map_two(m, pages);
	}
	for (unsigned i = 0; i < NR_STEPS / 2; i++) {
		uint64_t window = m->window[below(m, NR_WINDOWS)];
		unsigned large = (unsigned)below(m, 4) == 0;

		pages.pgsize = large ? m->info_two.pgsizes & ~(size) : size;
		pages.pgsize &= ~(pages.pgsize - 1);
		pages.iova = (window & ~(pages.pgsize - 1)) + below(m, 2000) * pages.pgsize;
		pages.count = 1 + below(m, 40);
		pages.pa = below(m, (UINT64_C(1) << m->info_two.oas) / pages.pgsize - 40) *
		           pages.pgsize;
		pages.prot = below(m, 3) ? 3 : 1 + (unsigned)below(m, 2);
		map_two(m, pages);
	}
}

static void set_regs(struct maker *m)
{
	uint64_t two[8] = { 0 }, *regs = m->world->regs;

	m->arch->set_regs(m->spec, &m->info, regs);
	if (!m->two)
		return;
	m->info_two = iommusim_pgtable_info(m->two);
	m->arch->set_regs(m->spec->two, &m->info_two, two);
	regs[0] = 3;
	regs[4] = two[1];
	regs[5] = m->info_two.root;
}

static void make_world(struct maker *m)
{
	uint64_t first = m->ram->start + m->ram->used;

	create_stages(m);
	if (m->two)
		choose_windows(m);
	if (m->spec->config.quirks & IOMMUSIM_QUIRK_ARM_TTBR1)
		m->iova_or = ~UINT64_C(0) << m->spec->iova_bits;
	choose_regions(m);
	map_image(m);
	for (unsigned step = 0; step < NR_STEPS; step++)
		if (m->nr_ranges && !below(m, 5))
			unmap_step(m);
		else
			map_step(m);
	if (m->two)
		map_stage_2(m, first);
	for (uint64_t i = 0; i < m->nr_ranges; i++)
		ask_about(m, &m->range[i]);
	for (unsigned i = 0; i < 200; i++)
		ask(m, m->iova_or | below(m, UINT64_C(1) << m->spec->iova_bits));
	snprintf(m->world->name, sizeof(m->world->name), "%s, seed %u", m->spec->name, m->seed);
	m->info = iommusim_pgtable_info(m->pgtable);
	m->world->root = m->info.root;
	m->world->nr_levels = m->info.nr_levels;
	set_regs(m);
	if (m->is_wrong)
		spoil(m);
	put_questions(m);
	m->ram->is_kept = 1;
	iommusim_pgtable_destroy(m->pgtable);
	iommusim_pgtable_destroy(m->two);
	m->ram->is_kept = 0;
}

static void write_parcel(const struct ram *ram, const char *path)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(ram->bytes, 1, (size_t)ram->used, file) != ram->used || fclose(file))
		die(path);
}

static void make_parcel(const struct architecture *arch, struct ram *ram, int is_wrong)
{
	struct maker *m = calloc(1, sizeof(*m));
	uint64_t parcel = take(ram, sizeof(struct parcel), 4096);
	uint64_t worlds = take(ram, arch->nr_specs * sizeof(struct world), 4096);

	if (!m)
		die("no memory");
	*(struct parcel *)at(ram, parcel) = (struct parcel){ PARCEL_MAGIC, arch->nr_specs, worlds };
	for (size_t i = 0; i < arch->nr_specs; i++) {
		m->question = calloc(NR_STEPS + 20, 10 * sizeof(*m->question));
		*m = (struct maker){
			.arch = arch,
			.spec = &arch->spec[i],
			.ram = ram,
			.seed = (unsigned)i + 1,
			.is_wrong = is_wrong,
			.rng = isim_rng_seed(i + 1),
			.world = (struct world *)at(ram, worlds) + i,
			.question = m->question,
			.cap_questions = (NR_STEPS + 20) * 10,
		};
		if (!m->question)
			die("no memory");
		make_world(m);
		free(m->question);
	}
	free(m);
}

int main(int argc, char **argv)
{
	const struct architecture *arch = argc == 4 ? architecture_find(argv[1]) : NULL;
	struct ram ram = { .bytes = calloc(1, PARCEL_BYTES) };

	if (!arch || !ram.bytes)
		die("usage: tables ARCHITECTURE FILE right|wrong");
	ram.start = arch->parcel;
	make_parcel(arch, &ram, !strcmp(argv[3], "wrong"));
	write_parcel(&ram, argv[2]);
	free(ram.bytes);
	return 0;
}
