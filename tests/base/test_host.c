/* SPDX-License-Identifier: MIT */
/* The seam to the host: error names and texts, memory, and structs that state their own size. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "base/host.h"

/* ---- Errors and versions ---- */

static const struct err_row {
	const char *name;
	int err;
	const char *want;
} err_rows[] = {
	{ "0 is OK", 0, "OK" },
	{ "5 is EIO", IOMMUSIM_EIO, "EIO" },
	{ "7 is E2BIG", IOMMUSIM_E2BIG, "E2BIG" },
	{ "12 is ENOMEM", IOMMUSIM_ENOMEM, "ENOMEM" },
	{ "14 is EFAULT", IOMMUSIM_EFAULT, "EFAULT" },
	{ "16 is EBUSY", IOMMUSIM_EBUSY, "EBUSY" },
	{ "17 is EEXIST", IOMMUSIM_EEXIST, "EEXIST" },
	{ "19 is ENODEV", IOMMUSIM_ENODEV, "ENODEV" },
	{ "22 is EINVAL", IOMMUSIM_EINVAL, "EINVAL" },
	{ "34 is ERANGE", IOMMUSIM_ERANGE, "ERANGE" },
	{ "121 is EREMOTEIO", IOMMUSIM_EREMOTEIO, "EREMOTEIO" },
	{ "4096 is EHOST", IOMMUSIM_EHOST, "EHOST" },
	{ "4097 is EBUG", IOMMUSIM_EBUG, "EBUG" },
	{ "1 is not an error of ours", 1, "E?" },
	{ "4095 is not an error of ours", 4095, "E?" },
	{ "the largest int is not an error of ours", INT_MAX, "E?" },
};

static void has_its_name_with_either_sign(void **state)
{
	const struct err_row *r = *state;

	assert_string_equal(iommusim_errname(r->err), r->want);
	assert_string_equal(iommusim_errname(-r->err), r->want);
}

static void the_smallest_int_is_not_an_error_of_ours(void **state)
{
	assert_string_equal(iommusim_errname(INT_MIN), "E?");
}

static const struct kernel_row {
	const char *name;
	unsigned kernel, want;
} kernel_rows[] = {
	{ "the default kernel is 6.12", 0, IOMMUSIM_KERNEL(6, 12) },
	{ "4.3 is too old", IOMMUSIM_KERNEL(4, 3), 0 },
	{ "3.19 is too old", IOMMUSIM_KERNEL(3, 19), 0 },
	{ "a version that is no IOMMUSIM_KERNEL is too old", 1, 0 },
	{ "4.4 is the oldest kernel", IOMMUSIM_KERNEL(4, 4), IOMMUSIM_KERNEL(4, 4) },
	{ "6.1 stays", IOMMUSIM_KERNEL(6, 1), IOMMUSIM_KERNEL(6, 1) },
	{ "future kernels stay", IOMMUSIM_KERNEL(7, 0), IOMMUSIM_KERNEL(7, 0) },
};

static void is_accepted_or_not(void **state)
{
	const struct kernel_row *r = *state;

	assert_int_equal(isim_kernel(r->kernel), r->want);
}

static void kernel_versions_compare_in_release_order(void **state)
{
	assert_true(IOMMUSIM_KERNEL(4, 4) < IOMMUSIM_KERNEL(4, 20));
	assert_true(IOMMUSIM_KERNEL(4, 20) < IOMMUSIM_KERNEL(5, 0));
	assert_true(IOMMUSIM_KERNEL(6, 1) < IOMMUSIM_KERNEL(6, 2));
	assert_true(IOMMUSIM_KERNEL(6, 2) < IOMMUSIM_KERNEL(6, 12));
}

/* ---- Structs that state their size ---- */

struct sized {
	size_t size;
	unsigned char byte[8];
};

/* What the caller knows: a struct of @size bytes, the byte at @nonzero (if not 0) being 1. */
static const struct copy_row {
	const char *name;
	size_t size, nonzero;
	int err;
} copy_rows[] = {
	{ "a struct of size 0 is refused", 0, 0, IOMMUSIM_EINVAL },
	{ "a struct that cannot hold its size is refused", sizeof(size_t) - 1, 0, IOMMUSIM_EINVAL },
	{ "a struct of nothing but its size is extended", sizeof(size_t), 0, 0 },
	{ "a shorter struct is extended", sizeof(size_t) + 4, 0, 0 },
	{ "a shorter struct is not read beyond its end", sizeof(size_t) + 4, sizeof(size_t) + 4,
	  0 },
	{ "a struct of the same size is copied", sizeof(struct sized), sizeof(struct sized) - 1,
	  0 },
	{ "a longer struct with zeros at its end is copied", 2 * sizeof(struct sized), 0, 0 },
	{ "a longer struct is refused for its first unknown byte", 2 * sizeof(struct sized),
	  sizeof(struct sized), IOMMUSIM_E2BIG },
	{ "a longer struct is refused for its last byte", 2 * sizeof(struct sized),
	  2 * sizeof(struct sized) - 1, IOMMUSIM_E2BIG },
};

/* Byte i of the caller's struct, after its size, holds i + 1. */
static void fill_source(unsigned char *src, const struct copy_row *r)
{
	memset(src, 0, 3 * sizeof(struct sized));
	memcpy(src, &r->size, sizeof(r->size));
	for (size_t i = sizeof(size_t); i < r->size && i < sizeof(struct sized); i++)
		src[i] = (unsigned char)(i + 1);
	if (r->nonzero)
		src[r->nonzero] = 1;
}

static void is_copied_or_refused(void **state)
{
	const struct copy_row *r = *state;
	unsigned char src[3 * sizeof(struct sized)];
	struct sized dst, before, want = { .size = 0 };

	fill_source(src, r);
	memset(&dst, 0xee, sizeof(dst));
	before = dst;
	assert_err(isim_copy_sized(&dst, sizeof(dst), src), r->err);
	if (r->err) {
		assert_memory_equal(&dst, &before, sizeof(dst));
		return;
	}
	memcpy(&want, src, r->size < sizeof(want) ? r->size : sizeof(want));
	assert_memory_equal(&dst, &want, sizeof(dst));
}

static void no_struct_at_all_is_refused(void **state)
{
	struct sized dst = { .size = 7 };

	assert_err(isim_copy_sized(&dst, sizeof(dst), NULL), IOMMUSIM_EINVAL);
	assert_int_equal(dst.size, 7);
}

/* ---- Hosts ---- */

static void a_host_of_defaults_has_memory_and_is_silent(void **state)
{
	struct isim_diag diag = { .text = "" };
	unsigned char *bytes;

	assert_ok(isim_host_init(&diag.host, NULL));
	assert_int_equal(diag.host.size, sizeof(diag.host));
	bytes = isim_zalloc(&diag.host, 3, 5);
	assert_non_null(bytes);
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(bytes[i], 0);
	isim_free(&diag.host, bytes);
	isim_free(&diag.host, NULL);
	assert_false(isim_wants_events(&diag));
	isim_event(&diag, &(struct iommusim_event){ .kind = IOMMUSIM_EVENT_MAP });
	assert_err(isim_fail(&diag, IOMMUSIM_EIO, "nobody listens"), IOMMUSIM_EIO);
}

static void *own_zalloc(void *ctx, size_t bytes)
{
	*(size_t *)ctx = bytes;
	return calloc(1, bytes);
}

static void own_log(void *ctx, const char *line)
{
	snprintf(ctx, 256, "%s", line);
}

static void own_event(void *ctx, const struct iommusim_event *event)
{
	*(struct iommusim_event *)ctx = *event;
}

static void own_free(void *ctx, void *ptr)
{
	*(size_t *)ctx = 0;
	free(ptr);
}

static void every_missing_service_gets_its_default(void **state)
{
	size_t asked = 0;
	struct iommusim_host given = {
		.size = sizeof(given), .zalloc = own_zalloc, .free = own_free, .memory_ctx = &asked
	};
	struct iommusim_host host;
	void *ptr;

	assert_ok(isim_host_init(&host, &given));
	ptr = isim_zalloc(&host, 3, 5);
	assert_non_null(ptr);
	assert_int_equal(asked, 15);
	assert_non_null(host.log);
	isim_free(&host, ptr);
	assert_int_equal(asked, 0);
}

static void memory_of_one_allocator_is_not_freed_by_another(void **state)
{
	struct iommusim_host given = { .size = sizeof(given), .zalloc = own_zalloc };
	struct iommusim_host host;

	assert_err(isim_host_init(&host, &given), IOMMUSIM_EINVAL);
	given.zalloc = NULL;
	given.free = own_free;
	assert_err(isim_host_init(&host, &given), IOMMUSIM_EINVAL);
}

static void a_host_from_an_older_library_has_no_later_services(void **state)
{
	char line[256] = "";
	struct iommusim_host host, given = { .size = offsetof(struct iommusim_host, log),
		                             .log = own_log,
		                             .log_ctx = line };

	assert_ok(isim_host_init(&host, &given));
	assert_int_equal(host.size, sizeof(host));
	assert_err(isim_complain(&host, IOMMUSIM_EIO, "unheard"), IOMMUSIM_EIO);
	assert_string_equal(line, "");
}

static void a_host_without_its_size_is_refused_but_usable(void **state)
{
	struct iommusim_host host, given = { .size = 0 };
	void *ptr;

	assert_err(isim_host_init(&host, &given), IOMMUSIM_EINVAL);
	ptr = isim_zalloc(&host, 1, 1);
	assert_non_null(ptr);
	isim_free(&host, ptr);
}

static void a_host_from_a_newer_library_is_refused_if_it_wants_more(void **state)
{
	struct {
		struct iommusim_host host;
		size_t unknown;
	} given = { .host = { .size = sizeof(given) } };
	struct iommusim_host host;

	assert_ok(isim_host_init(&host, &given.host));
	assert_int_equal(host.size, sizeof(host));
	given.unknown = 1;
	assert_err(isim_host_init(&host, &given.host), IOMMUSIM_E2BIG);
}

static void events_reach_the_host_that_wants_them(void **state)
{
	struct iommusim_event seen = { .result = 0 },
			      event = { .kind = IOMMUSIM_EVENT_UNMAP, .size = 42 };
	struct iommusim_host given = { .size = sizeof(given),
		                       .event = own_event,
		                       .event_ctx = &seen };
	struct isim_diag diag;

	assert_ok(isim_host_init(&diag.host, &given));
	assert_true(isim_wants_events(&diag));
	isim_event(&diag, &event);
	assert_int_equal(seen.kind, IOMMUSIM_EVENT_UNMAP);
	assert_int_equal(seen.size, 42);
}

/* ---- Messages ---- */

static struct isim_diag given_diag(char *line)
{
	struct iommusim_host given = { .size = sizeof(given), .log = own_log, .log_ctx = line };
	struct isim_diag diag = { .text = "" };

	assert_ok(isim_host_init(&diag.host, &given));
	return diag;
}

static void a_failure_is_kept_logged_and_returned(void **state)
{
	char line[256] = "";
	struct isim_diag diag = given_diag(line);

	assert_int_equal(isim_fail(&diag, IOMMUSIM_EINVAL, "no order %u of %s", 12u, "phys"),
	                 -IOMMUSIM_EINVAL);
	assert_string_equal(diag.text, "no order 12 of phys");
	assert_string_equal(line, "no order 12 of phys");
}

static void a_complaint_is_logged_and_returned(void **state)
{
	char line[256] = "";
	struct isim_diag diag = given_diag(line);

	assert_int_equal(isim_complain(&diag.host, IOMMUSIM_ERANGE, "line %d", -1),
	                 -IOMMUSIM_ERANGE);
	assert_string_equal(diag.text, "");
	assert_string_equal(line, "line -1");
}

static void a_text_that_is_too_long_is_cut(void **state)
{
	char line[256] = "";
	struct isim_diag diag = given_diag(line);
	char text[400];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	assert_err(isim_fail(&diag, IOMMUSIM_EIO, "%s", text), IOMMUSIM_EIO);
	assert_int_equal(strlen(diag.text), sizeof(diag.text) - 1);
	assert_string_equal(line, diag.text);
	line[0] = 0;
	assert_err(isim_complain(&diag.host, IOMMUSIM_EIO, "%s", text), IOMMUSIM_EIO);
	assert_string_equal(line, diag.text);
}

static void running_out_of_host_memory_has_one_wording(void **state)
{
	char line[256] = "";
	struct isim_diag diag = given_diag(line);

	assert_int_equal(isim_no_memory(&diag, "a test"), -IOMMUSIM_EHOST);
	assert_string_equal(diag.text, "the host has no memory for a test");
	assert_string_equal(line, diag.text);
}

/* ---- Memory ---- */

static void a_size_that_overflows_is_no_memory(void **state)
{
	struct iommusim_fault fault = { 0 };
	struct iommusim_host host = iommusim_host_failing(&fault);

	assert_null(isim_zalloc(&host, UINT64_MAX, 2));
	assert_null(isim_zalloc(&host, UINT64_MAX / 2 + 1, 2));
	assert_null(isim_zalloc(&host, SIZE_MAX / 16 + (uint64_t)1, 16));
	assert_int_equal(fault.nr_allocs, 0);
}

static void allocations_are_counted_and_one_of_them_fails(void **state)
{
	struct iommusim_fault fault = { .fail_at = 2 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	void *first = isim_zalloc(&host, 1, 8), *third;

	assert_int_equal(host.size, sizeof(host));
	assert_non_null(first);
	assert_null(isim_zalloc(&host, 1, 8));
	third = isim_zalloc(&host, 1, 8);
	assert_non_null(third);
	assert_int_equal(fault.nr_allocs, 3);
	assert_int_equal(fault.nr_live, 2);
	isim_free(&host, first);
	isim_free(&host, NULL);
	assert_int_equal(fault.nr_live, 1);
	isim_free(&host, third);
	assert_int_equal(fault.nr_live, 0);
	assert_int_equal(fault.nr_allocs, 3);
}

static void no_bytes_are_memory_too(void **state)
{
	struct iommusim_fault fault = { 0 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	void *ptr = isim_zalloc(&host, 0, 8);

	assert_non_null(ptr);
	isim_free(&host, ptr);
	assert_int_equal(fault.nr_live, 0);
}

static const struct grow_row {
	const char *name;
	size_t cap;
	uint64_t need;
	size_t want;
} grow_rows[] = {
	{ "nothing needs no room", 0, 0, 0 },
	{ "the first element makes room for eight", 0, 1, 8 },
	{ "many at once", 0, 100, 128 },
	{ "what fits does not grow", 8, 8, 8 },
	{ "one more doubles", 8, 9, 16 },
	{ "a great deal more doubles until it fits", 8, 33, 64 },
	{ "a capacity that is no power of two doubles too", 5, 6, 10 },
};

static void array_grows(void **state)
{
	const struct grow_row *r = *state;
	struct iommusim_fault fault = { 0 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	uint32_t *array = NULL;
	size_t cap = r->cap;

	if (cap)
		array = isim_zalloc(&host, cap, sizeof(*array));
	for (size_t i = 0; i < cap; i++)
		array[i] = (uint32_t)i + 1;
	assert_ok(isim_grow(&host, &array, &cap, r->need, sizeof(*array)));
	assert_int_equal(cap, r->want);
	for (size_t i = 0; i < cap; i++)
		assert_int_equal(array[i], i < r->cap ? i + 1 : 0);
	assert_int_equal(fault.nr_live, cap != 0);
	isim_free(&host, array);
}

static void an_array_that_cannot_grow_stays_as_it_was(void **state)
{
	struct iommusim_fault fault = { 0 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	uint32_t *array = isim_zalloc(&host, 8, sizeof(*array)), *before = array;
	size_t cap = 8;

	array[7] = 77;
	fault.fail_at = 2;
	assert_err(isim_grow(&host, &array, &cap, 9, sizeof(*array)), IOMMUSIM_EHOST);
	assert_err(isim_grow(&host, &array, &cap, UINT64_C(1) << 63, sizeof(*array)),
	           IOMMUSIM_EHOST);
	assert_err(isim_grow(&host, &array, &cap, UINT64_MAX, sizeof(*array)), IOMMUSIM_EHOST);
	assert_ptr_equal(array, before);
	assert_int_equal(cap, 8);
	assert_int_equal(array[7], 77);
	isim_free(&host, array);
	assert_int_equal(fault.nr_live, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_int_is_not_an_error_of_ours),
		cmocka_unit_test(kernel_versions_compare_in_release_order),
		cmocka_unit_test(no_struct_at_all_is_refused),
		cmocka_unit_test(a_host_of_defaults_has_memory_and_is_silent),
		cmocka_unit_test(every_missing_service_gets_its_default),
		cmocka_unit_test(memory_of_one_allocator_is_not_freed_by_another),
		cmocka_unit_test(a_host_from_an_older_library_has_no_later_services),
		cmocka_unit_test(a_host_without_its_size_is_refused_but_usable),
		cmocka_unit_test(a_host_from_a_newer_library_is_refused_if_it_wants_more),
		cmocka_unit_test(events_reach_the_host_that_wants_them),
		cmocka_unit_test(a_failure_is_kept_logged_and_returned),
		cmocka_unit_test(a_complaint_is_logged_and_returned),
		cmocka_unit_test(a_text_that_is_too_long_is_cut),
		cmocka_unit_test(running_out_of_host_memory_has_one_wording),
		cmocka_unit_test(a_size_that_overflows_is_no_memory),
		cmocka_unit_test(allocations_are_counted_and_one_of_them_fails),
		cmocka_unit_test(no_bytes_are_memory_too),
		cmocka_unit_test(an_array_that_cannot_grow_stays_as_it_was),
	};
	struct CMUnitTest all[ARRAY_LEN(tests) + ARRAY_LEN(err_rows) + ARRAY_LEN(kernel_rows) +
	                      ARRAY_LEN(copy_rows) + ARRAY_LEN(grow_rows)];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(err_rows); i++)
		all[nr++] =
			(struct CMUnitTest)TEST_ROW(has_its_name_with_either_sign, &err_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(kernel_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(is_accepted_or_not, &kernel_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(copy_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(is_copied_or_refused, &copy_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(grow_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(array_grows, &grow_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		all[nr++] = tests[i];
	return RUN_TESTS(all);
}
