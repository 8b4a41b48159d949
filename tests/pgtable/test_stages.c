/* SPDX-License-Identifier: MIT */
/*
 * Two stages at random: the library's nested walk against an oracle made of the independent
 * walkers, and over words that nobody wrote.
 *
 * usage: test_stages [NR_SEEDS]
 */
#include <stdio.h>
#include <stdlib.h>

#include "corrupt.h"
#include "nested_world.h"

static unsigned nr_seeds = 20;

#define ARM(what, walk_what, page, in, out, flag)                              \
	{                                                                      \
		&iommusim_pgtable_arm_##what, &walk_arm_##walk_what, in, flag, \
		{                                                              \
			.page_shift = page, .ias = in, .oas = out,             \
			.contiguous = ((flag)&WALK_CONTIGUOUS) != 0,           \
			.is_noncoherent = ((flag)&WALK_NONCOHERENT) != 0,      \
		}                                                              \
	}
#define X86(what, walk_what, in, flag, version, levels)                                     \
	{                                                                                   \
		&iommusim_pgtable_##what, &walk_##walk_what, in, flag,                      \
		{                                                                           \
			.page_shift = 12, .ias = in, .kernel = version, .nr_levels = levels \
		}                                                                           \
	}
#define SV(what, in, flag)                                                    \
	{                                                                     \
		&iommusim_pgtable_riscv_##what, &walk_riscv_##what, in, flag, \
		{                                                             \
			.page_shift = 12                                      \
		}                                                             \
	}

#define LINUX_6_1 IOMMUSIM_KERNEL(6, 1)

static const struct nested_row rows[] = {
	{ "Arm 4K over 4K", ARM(lpae_s1, lpae_s1, 12, 48, 48, 0),
	  ARM(lpae_s2, lpae_s2, 12, 40, 40, 0) },
	{ "Arm 4K over 4K, 48 bits", ARM(lpae_s1, lpae_s1, 12, 39, 48, WALK_NONCOHERENT),
	  ARM(lpae_s2, lpae_s2, 12, 48, 48, 0) },
	{ "Arm 4K over 64K", ARM(lpae_s1, lpae_s1, 12, 48, 44, 0),
	  ARM(lpae_s2, lpae_s2, 16, 44, 48, 0) },
	{ "Arm 64K over 4K", ARM(lpae_s1, lpae_s1, 16, 48, 48, 0),
	  ARM(lpae_s2, lpae_s2, 12, 44, 44, WALK_NONCOHERENT) },
	{ "Arm 16K over 16K", ARM(lpae_s1, lpae_s1, 14, 47, 48, 0),
	  ARM(lpae_s2, lpae_s2, 14, 48, 48, 0) },
	{ "Arm 4K over 4K, contiguous", ARM(lpae_s1, lpae_s1, 12, 48, 48, WALK_CONTIGUOUS),
	  ARM(lpae_s2, lpae_s2, 12, 40, 40, WALK_CONTIGUOUS) },
	{ "Arm 32-bit over 32-bit", ARM(lpae32_s1, lpae_s1, 12, 32, 40, 0),
	  ARM(lpae32_s2, lpae_s2, 12, 40, 40, 0) },
	{ "Arm short descriptors over 64-bit ones", ARM(v7s, v7s, 12, 32, 32, 0),
	  ARM(lpae_s2, lpae_s2, 12, 40, 40, 0) },
	{ "Intel, 48 bits", X86(vtd_fl, x86_64_fl, 48, 0, 0, 0), X86(vtd_sl, vtd_sl, 48, 0, 0, 0) },
	{ "Intel of Linux 6.1, 57 bits over 39", X86(vtd_fl, x86_64_fl, 57, WALK_XD, LINUX_6_1, 0),
	  X86(vtd_sl, vtd_sl, 39, 0, LINUX_6_1, 0) },
	{ "AMD, 4 levels", X86(amd_v2, x86_64_amd_v2, 48, 0, 0, 4),
	  X86(amd_v1, amd_v1, 52, 0, 0, 0) },
	{ "AMD, 5 levels", X86(amd_v2, x86_64_amd_v2, 57, 0, 0, 5),
	  X86(amd_v1, amd_v1, 52, 0, LINUX_6_1, 0) },
	{ "RISC-V Sv39 over Sv48", SV(sv39, 38, WALK_XD), SV(sv48, 47, WALK_XD) },
	{ "RISC-V Sv57 over Sv39", SV(sv57_napot, 56, 0), SV(sv39, 38, WALK_XD) },
	{ "RISC-V with Svnapot", SV(sv48_napot, 47, 0), SV(sv57_napot, 56, 0) },
};

/* An address of what was mapped, or next to it, or any. */
static uint64_t choose_iova(struct nested_world *world)
{
	uint64_t at = world->iova[below(world, world->nr_iovas < ARRAY_LEN(world->iova)
	                                               ? world->nr_iovas
	                                               : ARRAY_LEN(world->iova))];

	if (!below(world, 20))
		return below(world, UINT64_C(2) << world->one.row->bits);
	return at + below(world, below(world, 2) ? 16 * SZ_4K : 2 * SZ_2M);
}

static int is_below(const struct stage *s, uint64_t iova)
{
	/* Linux's AMD v2 has addresses that alias. */
	return s->row->format != &iommusim_pgtable_amd_v2 || !(iova >> s->row->bits);
}

static void assert_as_told(const struct iommusim_nested_walk *got, const struct outcome *want)
{
	assert_int_equal(got->stage, want->stage);
	assert_int_equal(got->cause, want->cause);
	assert_int_equal(got->is_table, want->is_table);
	assert_int_equal(got->ipa, want->ipa);
	assert_int_equal(got->nr_words, want->nr_words);
	if (want->cause)
		return;
	assert_int_equal(got->pa, want->pa);
	assert_int_equal(got->size, want->size);
	assert_int_equal(got->prot, want->prot);
}

static void ask(struct nested_world *world, unsigned nr[3])
{
	uint64_t iova = choose_iova(world);
	unsigned access = 1 + (unsigned)below(world, 15);
	struct iommusim_nested_walk got;
	struct outcome want;

	if (!is_below(&world->one, iova))
		return;
	want = oracle(world, iova, access);
	assert_ok(iommusim_pgtable_access_nested(world->one.pgtable, world->two.pgtable, iova,
	                                         access, &got));
	assert_as_told(&got, &want);
	nr[want.stage]++;
}

static void both_walks_end_alike(void **state)
{
	const struct nested_row *row = *state;
	struct nested_world *world = malloc(sizeof(*world));
	unsigned nr[3] = { 0 };

	assert_non_null(world);
	for (unsigned seed = 1; seed <= nr_seeds; seed++) {
		open_world(world, row, seed);
		for (unsigned i = 0; i < 400; i++)
			ask(world, nr);
		close_world(world);
	}
	free(world);
	printf("# %s, seeds 1 to %u: %u accesses pass, %u fault in stage 1, %u in stage 2\n",
	       row->name, nr_seeds, nr[0], nr[1], nr[2]);
	for (unsigned i = 0; i < 3; i++)
		assert_true(nr[i] >= nr_seeds * 3);
}

/* Each word may be anything: a walk ends, and stays in the tables. */
static void random_words_do_no_harm(void **state)
{
	const struct nested_row *row = *state;
	struct nested_world *world = malloc(sizeof(*world));
	struct iommusim_nested_walk walk;

	assert_non_null(world);
	for (unsigned seed = 1; seed <= nr_seeds; seed++) {
		open_world(world, row, seed);
		for (unsigned i = 0; i < 300; i++) {
			corrupt(below(world, 2) ? world->one.pgtable : world->two.pgtable,
			        &world->rng);
			assert_ok(iommusim_pgtable_access_nested(
				world->one.pgtable, world->two.pgtable, choose_iova(world),
				1 + (unsigned)below(world, 15), &walk));
			assert_true(walk.nr_words <=
			            IOMMUSIM_MAX_LEVELS * (IOMMUSIM_MAX_LEVELS + 2));
			assert_int_equal(!walk.cause, !walk.stage);
			iommusim_pgtable_mark_nested(world->one.pgtable, world->two.pgtable,
			                             choose_iova(world), (unsigned)below(world, 4),
			                             &walk);
		}
		close_world(world);
	}
	free(world);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[2 * ARRAY_LEN(rows)];
	static char names[ARRAY_LEN(rows)][96];
	size_t nr = 0;

	if (argc > 1)
		nr_seeds = (unsigned)strtoul(argv[1], NULL, 10);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		tests[nr++] = (struct CMUnitTest)TEST_ROW(both_walks_end_alike, &rows[i]);
		snprintf(names[i], sizeof(names[i]), "%s: random words do no harm", rows[i].name);
		tests[nr] = (struct CMUnitTest)TEST_ROW(random_words_do_no_harm, &rows[i]);
		tests[nr++].name = names[i];
	}
	return RUN_TESTS(tests);
}
