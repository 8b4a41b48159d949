/* SPDX-License-Identifier: MIT */
/* Two outcomes held against each other: every class, and which of two reasons counts. */
#include "test.h"

#include "../../tools/iommusim/matrix.h"

#define MAPPED(...)                                      \
	{                                                \
		.verdict = VERDICT_MAPPABLE, __VA_ARGS__ \
	}
#define LUCKY(...)                                      \
	{                                               \
		.verdict = VERDICT_BY_LUCK, __VA_ARGS__ \
	}
#define BROKEN                            \
	{                                 \
		.verdict = VERDICT_BROKEN \
	}
#define NO_MEMORY                                \
	{                                        \
		.verdict = VERDICT_OUT_OF_MEMORY \
	}
#define UNSIMULATED_                       \
	{                                  \
		.verdict = VERDICT_REFUSED \
	}

static const struct row {
	const char *name;
	struct outcome base, outcome;
	enum matrix_class want;
} rows[] = {
	{ "equal", MAPPED(.pages = 4, .tried = 2), MAPPED(.pages = 4, .tried = 2), CLASS_OK },
	{ "fewer of all", MAPPED(.pages = 4, .tried = 2, .leaves = 3, .vain = 1),
	  MAPPED(.pages = 2), CLASS_OK },
	{ "broken", MAPPED(.pages = 1), BROKEN, CLASS_BROKEN },
	{ "broken, luck before", LUCKY(.pages = 1), BROKEN, CLASS_BROKEN },
	{ "broken instead of no memory", NO_MEMORY, BROKEN, CLASS_BROKEN },
	{ "both broken", BROKEN, BROKEN, CLASS_ALIKE },
	{ "no memory", MAPPED(.pages = 1), NO_MEMORY, CLASS_NO_MEMORY },
	{ "no memory, luck before", LUCKY(.pages = 1), NO_MEMORY, CLASS_NO_MEMORY },
	{ "both without memory", NO_MEMORY, NO_MEMORY, CLASS_ALIKE },
	{ "no memory instead of broken", BROKEN, NO_MEMORY, CLASS_ALIKE },
	{ "mapped instead of broken", BROKEN, MAPPED(.tried = 9, .pages = 9), CLASS_OK },
	{ "luck instead of no memory", NO_MEMORY, LUCKY(.tried = 9), CLASS_OK },
	{ "by luck", MAPPED(.pages = 1), LUCKY(.pages = 9, .tried = 9), CLASS_BY_LUCK },
	{ "both by luck", LUCKY(.pages = 1), LUCKY(.pages = 1), CLASS_OK },
	{ "mapped instead of by luck", LUCKY(.pages = 1), MAPPED(.pages = 1), CLASS_OK },
	{ "more pages", MAPPED(.pages = 4, .tried = 4), MAPPED(.pages = 5, .tried = 9),
	  CLASS_MORE_MEMORY },
	{ "more attempts", MAPPED(.tried = 1, .leaves = 9), MAPPED(.tried = 2), CLASS_SLOWER },
	{ "more leaves", MAPPED(.leaves = 1, .tried = 9), MAPPED(.leaves = 2), CLASS_SLOWER },
	{ "more in vain", MAPPED(.vain = 1, .tried = 9), MAPPED(.vain = 2), CLASS_SLOWER },
	{ "more tables", MAPPED(.tables = 1), MAPPED(.tables = 2), CLASS_OK },
	{ "not simulated", UNSIMULATED_, UNSIMULATED_, CLASS_UNSIMULATED },
};

static void has_its_class(void **state)
{
	const struct row *r = *state;

	assert_int_equal(matrix_class_of(&r->base, &r->outcome), r->want);
}

static void every_class_has_a_name_of_its_own(void **state)
{
	for (unsigned i = 0; i < NR_CLASSES; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(class_name((enum matrix_class)i),
			                        class_name((enum matrix_class)j));
}

int main(void)
{
	struct CMUnitTest tests[1 + ARRAY_LEN(rows)] = {
		cmocka_unit_test(every_class_has_a_name_of_its_own),
	};
	size_t nr = 1;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(has_its_class, &rows[i]);
	return RUN_TESTS(tests);
}
