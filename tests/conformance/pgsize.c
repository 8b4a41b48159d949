/* SPDX-License-Identifier: MIT */
/* iommu_map() and iommu_unmap() over a driver that records its calls, may cap them and may fail. */
#include "record.h"

static int is_pgsize(const struct record *record)
{
	return (field_is(record, "op", "map") || field_is(record, "op", "unmap")) &&
	       has_field(record, "pgsizes");
}

static int is_map(const struct record *record)
{
	return field_is(record, "op", "map");
}

/* The call that fails, counted from 1; 0: none. */
static uint64_t failing_call(struct record *record)
{
	return field_u64(record, "fail") + 1;
}

static int create_recorder(struct record *record, struct iommusim_recorder **recorder)
{
	struct iommusim_recorder_config config = { .size = sizeof(config),
		                                   .cap = field_u64(record, "cap"),
		                                   .keep_calls = 1 };

	if (is_map(record))
		config.fail_map = failing_call(record);
	else
		config.fail_unmap = failing_call(record);
	return iommusim_recorder_create(&config, recorder);
}

static void compare_calls(struct record *record, const struct iommusim_recorder *recorder)
{
	struct json_object *calls = field(record, "calls");
	size_t nr;
	const struct iommusim_driver_call *call = iommusim_recorder_calls(recorder, &nr);

	for (size_t i = 0; i < nr && i < length_of(calls); i++) {
		struct json_object *want = item(calls, i);
		const char *kind = json_object_get_string(item(want, 0));

		compare_at(record, "the kind of call", i, (unsigned char)call[i].kind,
		           kind ? (unsigned char)kind[0] : 0);
		compare_at(record, "the page size of call", i, call[i].pgsize,
		           item_u64(record, want, 1));
		compare_at(record, "the page count of call", i, call[i].count,
		           item_u64(record, want, 2));
		compare_at(record, "the pages done by call", i, call[i].done,
		           item_u64(record, want, 3));
	}
	compare_u64(record, "the number of calls", nr, length_of(calls));
}

/* An error is a negative number, and a BUG() its name. */
static void compare_map_result(struct record *record, int err)
{
	struct json_object *want = field(record, "ret");

	if (field_is(record, "ret", "BUG"))
		compare_u64(record, "stopping with BUG()", err == -IOMMUSIM_EBUG, 1);
	else
		compare_u64(record, "the result", (uint64_t)(int64_t)err, number(record, want));
}

static void run_on(struct record *record, struct iommusim_domain *domain)
{
	struct iommusim_map map = { .iova = field_u64(record, "iova"),
		                    .size = field_u64(record, "size"),
		                    .prot = IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE,
		                    .gfp = IOMMUSIM_GFP_KERNEL };

	if (is_map(record)) {
		map.pa = field_u64(record, "pa");
		compare_map_result(record, iommusim_domain_map(domain, &map));
		return;
	}
	compare_u64(record, "the bytes unmapped", iommusim_domain_unmap(domain, map.iova, map.size),
	            field_u64(record, "ret"));
}

static void run_pgsize(struct record *record)
{
	struct iommusim_recorder *recorder = NULL;
	struct iommusim_domain *domain = NULL;
	struct iommusim_driver driver;
	struct iommusim_domain_config config = { .size = sizeof(config),
		                                 .kernel = record->kernel,
		                                 .pgsizes = field_u64(record, "pgsizes"),
		                                 .driver = &driver };
	int err = create_recorder(record, &recorder);

	if (!err) {
		driver = iommusim_recorder_driver(recorder);
		err = iommusim_domain_create(&config, &domain);
	}
	if (err) {
		differ(record, "there is no such domain: %s", iommusim_errname(err));
	} else {
		run_on(record, domain);
		compare_calls(record, recorder);
	}
	iommusim_domain_destroy(domain);
	iommusim_recorder_destroy(recorder);
}

const struct kind kind_pgsize = { "pgsize", is_pgsize, run_pgsize };
