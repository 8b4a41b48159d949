/* SPDX-License-Identifier: MIT */
/* What every format must do alike, and what bad input comes to in each. */
#include <stdio.h>

#include "format_rows.h"

#define RW (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)

static uint64_t phys(const struct iommusim_pgtable *pgtable, uint64_t iova)
{
	return iommusim_pgtable_iova_to_phys(pgtable, iova);
}

static int map_prot(struct iommusim_pgtable *pgtable, const struct format_row *row, unsigned prot)
{
	struct iommusim_map_pages pages = {
		.iova = row->iova, .pa = row->pa, .pgsize = row->page, .count = 1, .prot = prot
	};
	uint64_t mapped;

	return iommusim_pgtable_map(pgtable, &pages, &mapped);
}

static void leads_where_it_was_mapped(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);
	struct iommusim_pgtable_walk walk;

	map_ok(pgtable, r->iova + r->page, r->pa + 4 * r->page, r->page, 3);
	for (uint64_t i = 1; i < 4; i++)
		assert_int_equal(phys(pgtable, r->iova + i * r->page + 5),
		                 r->pa + (i + 3) * r->page + 5);
	assert_int_equal(phys(pgtable, r->iova), 0);
	assert_int_equal(phys(pgtable, r->iova + 4 * r->page), 0);
	iommusim_pgtable_walk(pgtable, r->iova + 2 * r->page, &walk);
	assert_int_equal(walk.is_mapped, 1);
	assert_int_equal(walk.cause, IOMMUSIM_FAULT_NONE);
	assert_int_equal(walk.pa, r->pa + 5 * r->page);
	assert_int_equal(walk.size, r->page);
	assert_int_equal(walk.prot & RW, RW);
	assert_int_equal(walk.nr, iommusim_pgtable_info(pgtable).nr_levels);
	assert_int_equal(walk.step[walk.nr - 1].level, 0);
	assert_int_equal(unmap(pgtable, r->iova + r->page, r->page, 3), 3 * r->page);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(phys(pgtable, r->iova + i * r->page), 0);
	iommusim_pgtable_walk(pgtable, r->iova + r->page, &walk);
	assert_int_equal(walk.cause, IOMMUSIM_FAULT_NOT_PRESENT);
	iommusim_pgtable_destroy(pgtable);
}

static void has_large_pages(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);
	struct iommusim_mapped_range range;

	if (r->large) {
		map_ok(pgtable, r->iova, r->pa, r->large, 2);
		assert_int_equal(phys(pgtable, r->iova + 2 * r->large - 1),
		                 r->pa + 2 * r->large - 1);
		assert_int_equal(iommusim_pgtable_next(pgtable, 0, &range), 1);
		assert_int_equal(range.iova, r->iova);
		assert_int_equal(range.pa, r->pa);
		assert_int_equal(range.size, 2 * r->large);
		assert_int_equal(range.pgsize, r->large);
		assert_int_equal(unmap(pgtable, r->iova, r->large, 2), 2 * r->large);
	}
	assert_int_equal(iommusim_pgtable_next(pgtable, 0, &range), 0);
	iommusim_pgtable_destroy(pgtable);
}

/* What enum part says. */
static void gives_up_part_of_a_large_page(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);
	uint64_t second = r->iova + r->page, last = r->iova + r->large - r->page;

	if (!r->large) {
		iommusim_pgtable_destroy(pgtable);
		return;
	}
	map_ok(pgtable, r->iova, r->pa, r->large, 1);
	if (r->part == PART_SPLITS) {
		assert_int_equal(unmap(pgtable, second, r->page, 1), r->page);
		assert_int_equal(phys(pgtable, second), 0);
		assert_int_equal(phys(pgtable, r->iova), r->pa);
		assert_int_equal(phys(pgtable, last), r->pa + r->large - r->page);
		assert_int_equal(unmap(pgtable, last, r->page, 1), r->page);
	} else if (r->part == PART_TAKES_ALL) {
		assert_int_equal(unmap(pgtable, second, r->page, 1), r->large);
		assert_int_equal(phys(pgtable, last), 0);
	} else {
		assert_int_equal(unmap(pgtable, second, r->page, 1), 0);
		assert_int_equal(phys(pgtable, second), r->pa + r->page);
		assert_int_equal(unmap(pgtable, r->iova, r->page, 1),
		                 r->part == PART_IS_REFUSED ? 0 : r->large);
		if (r->part == PART_IS_REFUSED)
			assert_int_equal(unmap(pgtable, r->iova, r->large, 1), r->large);
		assert_int_equal(phys(pgtable, last), 0);
	}
	iommusim_pgtable_destroy(pgtable);
}

static void meets_a_page_that_is_there(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);
	uint64_t at = r->iova + 3 * r->page;
	struct iommusim_map_pages pages = {
		.iova = r->iova, .pa = r->pa, .pgsize = r->page, .count = 8, .prot = RW
	};
	uint64_t mapped;
	int err;

	map_ok(pgtable, at, r->pa + 64 * r->page, r->page, 1);
	err = iommusim_pgtable_map(pgtable, &pages, &mapped);
	if (r->replaces || r->keeps) {
		assert_ok(err);
		assert_int_equal(mapped, 8 * r->page);
		assert_int_equal(phys(pgtable, at),
		                 r->replaces ? r->pa + 3 * r->page : r->pa + 64 * r->page);
	} else {
		assert_err(err, IOMMUSIM_EEXIST);
		assert_int_equal(phys(pgtable, at), r->pa + 64 * r->page);
		for (uint64_t i = 0; i < 8; i++)
			if (i != 3)
				assert_int_equal(phys(pgtable, r->iova + i * r->page),
				                 i * r->page < mapped ? r->pa + i * r->page : 0);
	}
	iommusim_pgtable_destroy(pgtable);
}

/* ---- Bad input ---- */

static void refuses_what_is_no_page_size(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);
	static const uint64_t sizes[] = { 0, 1, 0x800, 0x3000, 0x600000, UINT64_MAX };
	struct iommusim_map_pages pages = { .iova = r->iova, .pa = r->pa, .count = 1, .prot = RW };
	uint64_t nr_tables = iommusim_pgtable_info(pgtable).nr_tables;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint64_t mapped = 1;

		pages.pgsize = sizes[i];
		assert_err(iommusim_pgtable_map(pgtable, &pages, &mapped), IOMMUSIM_EINVAL);
		assert_int_equal(mapped, 0);
		assert_int_equal(unmap(pgtable, r->iova, sizes[i], 1), 0);
	}
	assert_int_equal(iommusim_pgtable_info(pgtable).nr_tables, nr_tables);
	iommusim_pgtable_destroy(pgtable);
}

static void refuses_neither_read_nor_write(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);

	assert_err(map_prot(pgtable, r, 0), IOMMUSIM_EINVAL);
	assert_err(map_prot(pgtable, r, IOMMUSIM_PROT_CACHE | IOMMUSIM_PROT_PRIV), IOMMUSIM_EINVAL);
	assert_int_equal(phys(pgtable, r->iova), 0);
	iommusim_pgtable_destroy(pgtable);
}

/* As in Linux: what it knows nothing of changes nothing. */
static void ignores_protection_bits_that_nobody_knows(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *one = given_format(r), *other = given_format(r);
	struct iommusim_pgtable_walk a, b;

	assert_ok(map_prot(one, r, RW));
	assert_ok(map_prot(other, r, RW | ~63u));
	iommusim_pgtable_walk(one, r->iova, &a);
	iommusim_pgtable_walk(other, r->iova, &b);
	assert_int_equal(a.step[a.nr - 1].word, b.step[b.nr - 1].word);
	iommusim_pgtable_destroy(one);
	iommusim_pgtable_destroy(other);
}

static void refuses_what_is_beyond_its_width(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);
	struct iommusim_pgtable_info info = iommusim_pgtable_info(pgtable);
	int want = r->keeps ? IOMMUSIM_EFAULT : IOMMUSIM_ERANGE;

	if (r->is_checked) {
		uint64_t beyond = info.window_start + (UINT64_C(1) << info.ias);

		assert_err(try_map(pgtable, beyond, r->pa, r->page, 1), want);
		assert_err(try_map(pgtable, 0 - 2 * r->page, r->pa, r->page, 1), want);
		assert_int_equal(unmap(pgtable, beyond, r->page, 1), 0);
		assert_int_equal(unmap(pgtable, 0 - r->page, r->page, 1), 0);
		assert_int_equal(
			iommusim_pgtable_access(pgtable, beyond, IOMMUSIM_ACCESS_READ, NULL),
			IOMMUSIM_FAULT_ADDRESS_SIZE);
	}
	if (!r->keeps && !r->replaces)
		assert_err(try_map(pgtable, r->iova, UINT64_C(1) << info.oas, r->page, 1),
		           IOMMUSIM_ERANGE);
	assert_int_equal(phys(pgtable, r->iova), 0);
	iommusim_pgtable_destroy(pgtable);
}

static void does_nothing_for_no_pages(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);
	struct iommusim_map_pages pages = {
		.iova = r->iova, .pa = r->pa, .pgsize = r->page, .prot = RW
	};
	uint64_t mapped = 1;
	int err = iommusim_pgtable_map(pgtable, &pages, &mapped);

	assert_true(!err || err == -IOMMUSIM_EINVAL);
	assert_int_equal(mapped, 0);
	assert_int_equal(phys(pgtable, r->iova), 0);
	if (!r->keeps) /* VT-d counts the hole that it finds */
		assert_int_equal(unmap(pgtable, r->iova, r->page, 0), 0);
	iommusim_pgtable_destroy(pgtable);
}

/* Sizes whose bytes wrap: nothing hangs, and nothing is reported that is not there. */
static void survives_counts_that_wrap(void **state)
{
	const struct format_row *r = *state;
	static const uint64_t counts[] = { UINT64_MAX, UINT64_C(1) << 52, UINT64_C(1) << 63 };

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		struct iommusim_pgtable *pgtable = given_format(r);

		map_ok(pgtable, r->iova, r->pa, r->page, 2);
		unmap(pgtable, r->iova, r->page, counts[i]);
		unmap(pgtable, 0 - r->page, r->page, counts[i]);
		iommusim_pgtable_destroy(pgtable);
	}
}

/* ---- Accesses and marks ---- */

static void tells_why_an_access_fails(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);
	struct iommusim_pgtable_walk walk;

	assert_int_equal(iommusim_pgtable_access(pgtable, r->iova, IOMMUSIM_ACCESS_READ, &walk),
	                 r->grows ? IOMMUSIM_FAULT_ADDRESS_SIZE : IOMMUSIM_FAULT_NOT_PRESENT);
	assert_ok(map_prot(pgtable, r, IOMMUSIM_PROT_READ));
	assert_int_equal(iommusim_pgtable_access(pgtable, r->iova, IOMMUSIM_ACCESS_READ, &walk),
	                 IOMMUSIM_FAULT_NONE);
	assert_int_equal(walk.pa, r->pa);
	assert_int_equal(iommusim_pgtable_access(pgtable, r->iova, IOMMUSIM_ACCESS_WRITE, NULL),
	                 r->no_perms ? IOMMUSIM_FAULT_NONE : IOMMUSIM_FAULT_PERMISSION);
	iommusim_pgtable_destroy(pgtable);
}

struct told {
	uint64_t iova[8], size[8];
	unsigned marks[8], nr;
};

static void tell(void *ctx, uint64_t iova, uint64_t size, unsigned marks)
{
	struct told *told = ctx;

	assert_true(told->nr < 8);
	told->iova[told->nr] = iova;
	told->size[told->nr] = size;
	told->marks[told->nr++] = marks;
}

static void keeps_marks_until_they_are_read(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r);
	unsigned dirty = r->marks & IOMMUSIM_MARK_DIRTY;
	struct iommusim_marks_request all = { r->iova, 8 * r->page, dirty, 1 };
	struct iommusim_marks_request five = { r->iova, 5 * r->page, dirty, 0 };
	struct told told = { .nr = 0 };

	map_ok(pgtable, r->iova, r->pa + r->page, r->page, 8);
	if (!r->marks) {
		assert_err(iommusim_pgtable_mark(pgtable, r->iova, IOMMUSIM_MARK_DIRTY),
		           IOMMUSIM_EINVAL);
		assert_err(iommusim_pgtable_read_marks(pgtable, &all, tell, &told),
		           IOMMUSIM_EINVAL);
	} else if (dirty) { /* pages may be dirty from the start, as Linux maps them */
		assert_ok(iommusim_pgtable_read_marks(pgtable, &all, NULL, NULL));
		assert_ok(iommusim_pgtable_mark(pgtable, r->iova + 5 * r->page, dirty));
		assert_ok(iommusim_pgtable_read_marks(pgtable, &five, tell, &told));
		assert_int_equal(told.nr, 0);
		for (unsigned i = 0; i < 3; i++) {
			all.clear = i > 0;
			assert_ok(iommusim_pgtable_read_marks(pgtable, &all, tell, &told));
		}
		assert_int_equal(told.nr, 2);
		assert_int_equal(told.iova[1], r->iova + 5 * r->page);
		assert_int_equal(told.size[1], r->page);
		assert_int_equal(told.marks[1], dirty);
		assert_int_equal(phys(pgtable, r->iova + 5 * r->page), r->pa + 6 * r->page);
	}
	assert_err(iommusim_pgtable_mark(pgtable, r->iova + 9 * r->page, r->marks),
	           IOMMUSIM_EINVAL);
	iommusim_pgtable_destroy(pgtable);
}

/* ---- Copies ---- */

static void is_copied_whole(void **state)
{
	const struct format_row *r = *state;
	struct iommusim_pgtable *pgtable = given_format(r), *copy = NULL;

	map_ok(pgtable, r->iova, r->pa, r->page, 2);
	assert_ok(iommusim_pgtable_fork(pgtable, NULL, &copy));
	map_ok(copy, r->iova + 2 * r->page, r->pa, r->page, 1);
	assert_int_equal(unmap(pgtable, r->iova, r->page, 2), 2 * r->page);
	iommusim_pgtable_destroy(pgtable);
	assert_int_equal(phys(copy, r->iova + r->page), r->pa + r->page);
	assert_int_equal(phys(copy, r->iova + 2 * r->page), r->pa);
	iommusim_pgtable_destroy(copy);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*function)(void **state);
	} functions[] = {
		{ "a page leads where it was mapped", leads_where_it_was_mapped },
		{ "large pages lead where they were mapped", has_large_pages },
		{ "part of a large page goes as Linux does it", gives_up_part_of_a_large_page },
		{ "a page that is there is met as Linux does it", meets_a_page_that_is_there },
		{ "what is no page size is refused", refuses_what_is_no_page_size },
		{ "neither read nor write is refused", refuses_neither_read_nor_write },
		{ "unknown protection bits change nothing",
		  ignores_protection_bits_that_nobody_knows },
		{ "what is beyond the width is refused", refuses_what_is_beyond_its_width },
		{ "no pages are nothing to do", does_nothing_for_no_pages },
		{ "counts that wrap do no harm", survives_counts_that_wrap },
		{ "an access that fails has a cause", tells_why_an_access_fails },
		{ "marks stay until they are read", keeps_marks_until_they_are_read },
		{ "a copy shares nothing", is_copied_whole },
	};
	struct CMUnitTest tests[ARRAY_LEN(format_rows) * ARRAY_LEN(functions)];
	static char names[ARRAY_LEN(tests)][96];
	size_t nr = 0;

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
