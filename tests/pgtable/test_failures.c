/* SPDX-License-Identifier: MIT */
/*
 * Every format when memory fails at every point, and when its tables hold random words: nothing is
 * lost, nothing loops, nothing outside of a table is touched (the sanitizers see to that).
 */
#include <stdio.h>

#include "corrupt.h"
#include "format_rows.h"
#include "table_memory.h"

#define RW (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)

/* ---- The host ---- */

static int map(struct iommusim_pgtable *pgtable, const struct format_row *r, uint64_t at,
               uint64_t pgsize, uint64_t count)
{
	struct iommusim_map_pages pages = {
		.iova = r->iova + at, .pa = r->pa + at, .pgsize = pgsize, .count = count, .prot = RW
	};
	uint64_t mapped;

	return iommusim_pgtable_map(pgtable, &pages, &mapped);
}

/* Tables enough for the arena and the list of tables to grow, and a large page that is split. */
static int exercise(struct iommusim_pgtable *pgtable, const struct format_row *r)
{
	uint64_t stride = (r->large ? r->large : r->page) * 8;
	int err = 0;

	for (uint64_t i = 0; !err && i < 80; i++)
		err = map(pgtable, r, i * stride, r->page, 2);
	if (!err && r->large)
		err = map(pgtable, r, 4 * r->large, r->large, 1);
	if (!err && r->large && r->part != PART_IS_REFUSED &&
	    !unmap(pgtable, r->iova + 4 * r->large, r->page, 1))
		err = -IOMMUSIM_EHOST;
	return err;
}

static void survives_any_failure_of_the_host(void **state)
{
	const struct format_row *r = *state;
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct iommusim_pgtable_config config = r->config;
		struct iommusim_pgtable *pgtable = NULL, *copy = NULL;

		config.size = sizeof(config);
		config.host = &host;
		if (!config.pgsizes)
			config.pgsizes = SZ_4K | SZ_2M | SZ_1G;
		err = iommusim_pgtable_create(&config, &pgtable);
		if (!err)
			err = exercise(pgtable, r);
		if (!err)
			err = iommusim_pgtable_fork(pgtable, NULL, &copy);
		assert_err(err, err ? IOMMUSIM_EHOST : 0);
		fault.fail_at = 0;
		if (err && pgtable) { /* it goes on where it was */
			unmap(pgtable, r->iova, r->page, 1);
			assert_ok(map(pgtable, r, 0, r->page, 1));
			assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, r->iova), r->pa);
		}
		iommusim_pgtable_destroy(copy);
		iommusim_pgtable_destroy(pgtable);
		assert_int_equal(fault.nr_live, 0);
	}
}

/* ---- Table memory that ends ---- */

/* The tests' memory, of which allocation number @fail_at and all after it fail. */
struct short_memory {
	struct memory memory;
	unsigned asked, fail_at;
};

static int short_alloc(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa)
{
	struct short_memory *memory = ctx;

	if (++memory->asked >= memory->fail_at)
		return -IOMMUSIM_ENOMEM;
	return alloc_table(&memory->memory, bytes, gfp, pa);
}

static struct iommusim_pgtable *with_memory(const struct format_row *r, struct short_memory *memory)
{
	struct iommusim_table_memory tables = { .size = sizeof(tables),
		                                .ctx = memory,
		                                .alloc_table = short_alloc,
		                                .free_table = free_table,
		                                .table_at = table_at };
	struct iommusim_pgtable_config config = r->config;
	struct iommusim_pgtable *pgtable = NULL;
	int err;

	memory->memory.next = TABLES_AT >> 6; /* below 4 GiB */
	config.size = sizeof(config);
	config.memory = &tables;
	if (!config.pgsizes)
		config.pgsizes = SZ_4K | SZ_2M | SZ_1G;
	err = iommusim_pgtable_create(&config, &pgtable);
	assert_err(err, pgtable ? 0 : IOMMUSIM_ENOMEM);
	return pgtable;
}

static void nothing_is_left(const struct short_memory *memory)
{
	for (unsigned i = 0; i < memory->memory.nr; i++)
		assert_null(memory->memory.table[i].data);
}

/* What is reported as mapped is, what is not is not; VT-d keeps what it wrote, as Linux does. */
static void reports_how_far_it_got(const struct format_row *r, struct iommusim_pgtable *pgtable)
{
	uint64_t mapped, nr = 3000;
	struct iommusim_map_pages pages = {
		.iova = r->iova, .pa = r->pa + r->page, .pgsize = r->page, .count = nr, .prot = RW
	};
	int err = iommusim_pgtable_map(pgtable, &pages, &mapped);

	assert_true(!err || err == -IOMMUSIM_ENOMEM);
	assert_true(mapped <= nr * r->page);
	for (uint64_t i = 0; i < nr && !r->keeps; i++)
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, r->iova + i * r->page),
		                 i * r->page < mapped ? r->pa + (i + 1) * r->page : 0);
}

static void survives_tables_that_cannot_be_had(void **state)
{
	const struct format_row *r = *state;

	for (unsigned n = 1; n < 16; n++) {
		struct short_memory memory = { .fail_at = n };
		struct iommusim_pgtable *pgtable = with_memory(r, &memory);

		if (pgtable)
			reports_how_far_it_got(r, pgtable);
		iommusim_pgtable_destroy(pgtable);
		nothing_is_left(&memory);
	}
}

/* No table for a split: what is mapped stays as it is. */
static void a_split_without_a_table_changes_nothing(void **state)
{
	const struct format_row *r = *state;
	struct short_memory memory = { .fail_at = UINT32_MAX };
	struct iommusim_pgtable *pgtable = with_memory(r, &memory);
	uint64_t at = r->iova + r->page, nr_tables;

	if (r->large && r->part == PART_SPLITS) {
		assert_ok(map(pgtable, r, 0, r->large, 1));
		nr_tables = iommusim_pgtable_info(pgtable).nr_tables;
		memory.fail_at = 0;
		if (!unmap(pgtable, at, r->page, 1)) {
			assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, at),
			                 r->pa + r->page);
			assert_int_equal(iommusim_pgtable_info(pgtable).nr_tables, nr_tables);
		} else { /* words of a run need no table */
			assert_int_equal(r->large, SZ_64K);
		}
	}
	iommusim_pgtable_destroy(pgtable);
	nothing_is_left(&memory);
}

/* ---- Corruption ---- */

static uint64_t any_address(const struct format_row *r, struct isim_rng *rng)
{
	switch (isim_rng_below(rng, 3)) {
	case 0:
		return isim_rng_next(rng) >> isim_rng_below(rng, 64);
	default:
		return r->iova + isim_rng_below(rng, 4096) * r->page;
	}
}

static void use(struct iommusim_pgtable *p, const struct format_row *r, struct isim_rng *rng)
{
	uint64_t at = any_address(r, rng), mapped;
	uint64_t pgsize = r->large && isim_rng_below(rng, 2) ? r->large : r->page;
	struct iommusim_map_pages pages = { .iova = at & ~(pgsize - 1),
		                            .pa = r->pa,
		                            .pgsize = pgsize,
		                            .count = 1 + isim_rng_below(rng, 700),
		                            .prot = 1 + (unsigned)isim_rng_below(rng, 63) };
	struct iommusim_mapped_range range;
	struct iommusim_pgtable_walk walk;

	switch (isim_rng_below(rng, 5)) {
	case 0:
		iommusim_pgtable_map(p, &pages, &mapped);
		break;
	case 1:
		unmap(p, pages.iova, pgsize, pages.count);
		break;
	case 2:
		iommusim_pgtable_iova_to_phys(p, at);
		break;
	case 3:
		iommusim_pgtable_next(p, at, &range);
		break;
	default:
		iommusim_pgtable_access(p, at, 1, &walk);
		assert_in_range(walk.nr, 0, IOMMUSIM_MAX_LEVELS);
		iommusim_pgtable_mark(p, at, (unsigned)isim_rng_below(rng, 4));
		iommusim_pgtable_read_marks(
			p, &(struct iommusim_marks_request){ at, 64 * r->page, 3, 1 }, NULL, NULL);
	}
}

static void play(const struct format_row *r, struct iommusim_pgtable *pgtable, struct isim_rng *rng,
                 unsigned nr_steps)
{
	map(pgtable, r, 0, r->page, 600);
	for (unsigned i = 0; i < nr_steps; i++) {
		if (!isim_rng_below(rng, 4))
			corrupt(pgtable, rng);
		use(pgtable, r, rng);
	}
}

static unsigned nr_rounds = 3;

static void survives_random_words(void **state)
{
	const struct format_row *r = *state;

	for (unsigned seed = 1; seed <= nr_rounds; seed++) {
		struct isim_rng rng = isim_rng_seed(seed);
		struct short_memory memory = { .fail_at = UINT32_MAX };
		struct iommusim_pgtable *elsewhere = with_memory(r, &memory);
		struct iommusim_pgtable *arena = given_format(r);

		play(r, elsewhere, &rng, 60);
		iommusim_pgtable_destroy(elsewhere);
		nothing_is_left(&memory); /* each table came back, and once */
		play(r, arena, &rng, 60);
		iommusim_pgtable_destroy(arena);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*function)(void **state);
	} functions[] = {
		{ "the host may fail at any allocation", survives_any_failure_of_the_host },
		{ "any table may be missing", survives_tables_that_cannot_be_had },
		{ "a split without a table changes nothing",
		  a_split_without_a_table_changes_nothing },
		{ "random words in tables do no harm", survives_random_words },
	};
	struct CMUnitTest tests[ARRAY_LEN(format_rows) * ARRAY_LEN(functions)];
	static char names[ARRAY_LEN(tests)][96];
	size_t nr = 0;

	if (argc > 1)
		nr_rounds = (unsigned)strtoul(argv[1], NULL, 10);
	for (size_t i = 0; i < ARRAY_LEN(format_rows); i++)
		for (size_t j = 0; j < ARRAY_LEN(functions); j++, nr++) {
			snprintf(names[nr], sizeof(names[nr]), "%s: %s", format_rows[i].name,
			         functions[j].name);
			tests[nr] =
				(struct CMUnitTest)TEST_ROW(functions[j].function, &format_rows[i]);
			tests[nr].name = names[nr];
		}
	return RUN_TESTS(tests);
}
