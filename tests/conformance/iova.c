/* SPDX-License-Identifier: MIT */
/* Sequences of calls of the IOVA allocator, its caches and the work that trims them. */
#include <string.h>

#include "record.h"

struct run {
	struct record *record;
	struct iommusim_iova *space;
	struct json_object *op; /* [letter, arguments..., result] */
	size_t index;
	unsigned cpu;
};

static int is_iova(const struct record *record)
{
	return has_field(record, "granule") && has_field(record, "start_pfn") &&
	       has_field(record, "ops");
}

static uint64_t argument(const struct run *run, size_t i)
{
	return item_u64(run->record, run->op, i);
}

static void compare(const struct run *run, const char *what, uint64_t got, uint64_t want)
{
	compare_at(run->record, what, run->index, got, want);
}

/* A call that has one of two outcomes, 0 or @refusal. */
static int outcome(const struct run *run, int err, int refusal)
{
	if (err && err != -refusal)
		differ(run->record, "call %lu returns %s", (unsigned long)run->index,
		       iommusim_errname(err));
	return !err;
}

/* Ranges are [lo, hi], and 0 where there is none. */
static void compare_range(const struct run *run, int is_there,
                          const struct iommusim_iova_range *range)
{
	struct json_object *want = item(run->op, length_of(run->op) - 1);

	compare(run, "the length of the range of call", is_there ? 2 : 0, length_of(want));
	if (!is_there || !length_of(want))
		return;
	compare(run, "the first frame of call", range->lo, item_u64(run->record, want, 0));
	compare(run, "the last frame of call", range->hi, item_u64(run->record, want, 1));
}

static void run_alloc(struct run *run)
{
	uint64_t lo = 0;
	int err = iommusim_iova_alloc(run->space, argument(run, 1), argument(run, 2),
	                              (int)argument(run, 3), &lo);

	outcome(run, err, IOMMUSIM_ENOMEM);
	compare(run, "the frame of call", lo, argument(run, 4));
}

static void run_alloc_fast(struct run *run)
{
	struct iommusim_iova_request request = { .size = argument(run, 1),
		                                 .limit = argument(run, 2),
		                                 .flush = (int)argument(run, 3),
		                                 .cpu = run->cpu };
	uint64_t lo = 0;

	outcome(run, iommusim_iova_alloc_fast(run->space, &request, &lo), IOMMUSIM_ENOMEM);
	compare(run, "the frame of call", lo, argument(run, 4));
}

static void run_free(struct run *run)
{
	iommusim_iova_free(run->space, argument(run, 1));
}

static void run_free_fast(struct run *run)
{
	outcome(run,
	        iommusim_iova_free_fast(run->space, argument(run, 1), argument(run, 2), run->cpu),
	        0);
}

static void run_reserve(struct run *run)
{
	struct iommusim_iova_range range = { argument(run, 1), argument(run, 2) };
	int err = iommusim_iova_reserve(run->space, &range);

	compare_range(run, outcome(run, err, IOMMUSIM_EINVAL), &range);
}

static void run_find(struct run *run)
{
	struct iommusim_iova_range range = { 0, 0 };

	compare_range(run, iommusim_iova_find(run->space, argument(run, 1), &range), &range);
}

static void run_cpu(struct run *run)
{
	run->cpu = (unsigned)argument(run, 1);
}

static void run_work(struct run *run)
{
	compare(run, "the work pending at call", iommusim_iova_trim(run->space, ~0u),
	        argument(run, 1));
}

static const struct op {
	const char *letter;
	size_t length;
	void (*run)(struct run *run);
} ops[] = {
	{ "a", 5, run_alloc },     { "A", 5, run_alloc_fast }, { "f", 2, run_free },
	{ "F", 3, run_free_fast }, { "r", 4, run_reserve },    { "q", 3, run_find },
	{ "c", 2, run_cpu },       { "w", 2, run_work },
};

static void run_op(struct run *run)
{
	const char *letter = json_object_get_string(item(run->op, 0));

	for (size_t i = 0; letter && i < ARRAY_LEN(ops); i++)
		if (!strcmp(letter, ops[i].letter) && length_of(run->op) == ops[i].length) {
			ops[i].run(run);
			return;
		}
	differ(run->record, "operation %lu is unknown", (unsigned long)run->index);
}

static void compare_tree(struct run *run)
{
	struct json_object *tree = field(run->record, "tree");
	struct iommusim_iova_range range = { 0, 0 };
	uint64_t from = 0;

	for (size_t i = 0; i < length_of(tree); i++) {
		if (!iommusim_iova_next(run->space, from, &range))
			break;
		compare_at(run->record, "the first frame of range", i, range.lo,
		           item_u64(run->record, item(tree, i), 0));
		compare_at(run->record, "the last frame of range", i, range.hi,
		           item_u64(run->record, item(tree, i), 1));
		from = range.hi + 1;
	}
	compare_u64(run->record, "the number of ranges", iommusim_iova_nr_ranges(run->space),
	            length_of(tree));
}

static void compare_end(struct run *run)
{
	compare_u64(run->record, "max32", iommusim_iova_max32(run->space),
	            field_u64(run->record, "max32"));
	if (has_field(run->record, "tree_n"))
		compare_u64(run->record, "the number of ranges",
		            iommusim_iova_nr_ranges(run->space), field_u64(run->record, "tree_n"));
	else
		compare_tree(run);
}

static unsigned log2_of(struct record *record, uint64_t granule)
{
	unsigned n = 0;

	while (n < 63 && granule >> n > 1)
		n++;
	if (granule != UINT64_C(1) << n)
		differ(record, "the granule is no power of two");
	return n;
}

static void run_iova(struct record *record)
{
	struct iommusim_iova_config config = { .size = sizeof(config), .kernel = record->kernel };
	struct run run = { .record = record };
	struct json_object *list = field(record, "ops");
	int err;

	config.granule_lg2 = log2_of(record, field_u64(record, "granule"));
	config.start = field_u64(record, "start_pfn");
	if (field_u64(record, "rcache"))
		config.nr_cpus = (unsigned)field_u64(record, "ncpus");
	err = iommusim_iova_create(&config, &run.space);
	if (err) {
		differ(record, "there is no such space: %s", iommusim_errname(err));
		return;
	}
	for (; run.index < length_of(list) && !record->difference[0]; run.index++) {
		run.op = item(list, run.index);
		run_op(&run);
	}
	compare_end(&run);
	iommusim_iova_destroy(run.space);
}

const struct kind kind_iova = { "iova", is_iova, run_iova };
