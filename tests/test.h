/* SPDX-License-Identifier: MIT */
/* What every unit test starts from: CMocka, and the few assertions it lacks. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "iommusim.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A call that must succeed; the error's name shows where it does not. */
#define assert_ok(call)       assert_string_equal(iommusim_errname(call), "OK")
#define assert_err(call, err) assert_string_equal(iommusim_errname(call), iommusim_errname(err))

/* One CMocka test per row of a table: TEST_ROW(test, &rows[i]) with the row's name as the test's.
 */
#define TEST_ROW(function, row)                               \
	{                                                     \
		.name = (row)->name, .test_func = (function), \
		.initial_state = (void *)(uintptr_t)(row)     \
	}

/* SZ_4K … as the kernel writes them. */
#define SZ_4K   UINT64_C(0x1000)
#define SZ_16K  UINT64_C(0x4000)
#define SZ_64K  UINT64_C(0x10000)
#define SZ_1M   UINT64_C(0x100000)
#define SZ_2M   UINT64_C(0x200000)
#define SZ_32M  UINT64_C(0x2000000)
#define SZ_512M UINT64_C(0x20000000)
#define SZ_1G   UINT64_C(0x40000000)

/* Run the group and print TAP, whatever the environment says. */
#define RUN_TESTS(tests) \
	(cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests(tests, NULL, NULL))

#endif
