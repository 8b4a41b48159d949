/* SPDX-License-Identifier: MIT */
/* Drivers that answer as they are told: some do less than they are asked, some more, some lie. */
#include "domain_test.h"

/* The call that comes next, the bytes it says are done, and its result. */
struct step {
	char kind; /* 0: no further call */
	uint64_t iova, pgsize, count;
	uint64_t done;
	int err;
};

struct script {
	const struct step *step;
};

static const struct step *next_step(void *ctx, char kind, uint64_t iova, uint64_t pgsize)
{
	struct script *script = ctx;

	assert_int_equal(script->step->kind, kind);
	assert_int_equal(script->step->iova, iova);
	assert_int_equal(script->step->pgsize, pgsize);
	return script->step++;
}

static int play_map(void *ctx, const struct iommusim_map_pages *pages, uint64_t *done)
{
	const struct step *step = next_step(ctx, 'm', pages->iova, pages->pgsize);

	assert_int_equal(step->count, pages->count);
	*done = step->done;
	return step->err;
}

static uint64_t play_unmap(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                           struct iommusim_gather *gather)
{
	const struct step *step = next_step(ctx, 'u', iova, pgsize);

	assert_int_equal(step->count, count);
	return step->done;
}

static uint64_t play_iova_to_phys(void *ctx, uint64_t iova)
{
	return 0;
}

static const struct scene {
	const char *name;
	uint64_t iova, pa, size; /* pa 0: unmapped, not mapped */
	struct step step[6];
	int err;
	uint64_t unmapped;
	const char *told;
} scenes[] = {
	{ "a leaf that the driver splits",
	  0x200000,
	  0,
	  0x1000,
	  { { 'u', 0x200000, SZ_4K, 1, 0x1000, 0 } },
	  0,
	  0x1000,
	  "unmap 0x200000 +0x1000: 0x1000; sync nothing" },
	{ "a leaf that goes whole",
	  0x200000,
	  0,
	  0x1000,
	  { { 'u', 0x200000, SZ_4K, 1, 0x200000, 0 } },
	  0,
	  0x200000,
	  "unmap 0x200000 +0x1000: 0x200000; sync nothing" },
	{ "a leaf that the driver refuses to split",
	  0x200000,
	  0,
	  0x1000,
	  { { 'u', 0x200000, SZ_4K, 1, 0, 0 } },
	  0,
	  0,
	  "unmap 0x200000 +0x1000: 0x0; sync nothing" },
	{ "a leaf that goes whole from its middle on",
	  0x201000,
	  0,
	  0x2000,
	  { { 'u', 0x201000, SZ_4K, 2, 0x200000, 0 } },
	  0,
	  0x200000,
	  "unmap 0x201000 +0x2000: 0x200000; sync nothing" },
	{ "a hole ends it, though more is mapped behind",
	  0x200000,
	  0,
	  0x3000,
	  { { 'u', 0x200000, SZ_4K, 3, 0x1000, 0 }, { 'u', 0x201000, SZ_4K, 2, 0, 0 } },
	  0,
	  0x1000,
	  "unmap 0x200000 +0x3000: 0x1000; sync nothing" },
	{ "small pages go as one large page",
	  0x200000,
	  0,
	  0x200000,
	  { { 'u', 0x200000, SZ_2M, 1, 0x200000, 0 } },
	  0,
	  0x200000,
	  "unmap 0x200000 +0x200000: 0x200000; sync nothing" },
	{ "more than asked for counts, and moves on by as much",
	  0x1ff000,
	  0,
	  0x401000,
	  { { 'u', 0x1ff000, SZ_4K, 1, 0x3000, 0 },
	    { 'u', 0x202000, SZ_4K, 510, 0x1fe000, 0 },
	    { 'u', 0x400000, SZ_2M, 1, 0x200000, 0 } },
	  0,
	  0x401000,
	  "unmap 0x1ff000 +0x401000: 0x401000; sync nothing" },
	{ "what a failing map call did is undone too",
	  0x1ff000,
	  0x801ff000,
	  0x402000,
	  { { 'm', 0x1ff000, SZ_4K, 1, 0x1000, 0 },
	    { 'm', 0x200000, SZ_2M, 2, 0x200000, -IOMMUSIM_ENOMEM },
	    { 'u', 0x1ff000, SZ_4K, 1, 0x1000, 0 },
	    { 'u', 0x200000, SZ_2M, 1, 0x200000, 0 } },
	  IOMMUSIM_ENOMEM,
	  0,
	  "unmap 0x1ff000 +0x201000: 0x201000; sync nothing" },
	{ "what is undone need not be cut as it was mapped",
	  0x200000,
	  0x10001000,
	  0x201000,
	  { { 'm', 0x200000, SZ_4K, 513, 0x200000, 0 },
	    { 'm', 0x400000, SZ_4K, 1, 0, -IOMMUSIM_EEXIST },
	    { 'u', 0x200000, SZ_2M, 1, 0x200000, 0 } },
	  IOMMUSIM_EEXIST,
	  0,
	  "unmap 0x200000 +0x200000: 0x200000; sync nothing" },
	{ "a driver that maps nothing and calls it success",
	  0x1000,
	  0x1000,
	  0x2000,
	  { { 'm', 0x1000, SZ_4K, 2, 0, 0 } },
	  IOMMUSIM_EIO,
	  0,
	  "unmap 0x1000 +0x0: 0x0; sync nothing" },
};

static struct iommusim_driver player(struct script *script)
{
	struct iommusim_driver driver = { .size = sizeof(driver),
		                          .ctx = script,
		                          .map_pages = play_map,
		                          .unmap_pages = play_unmap,
		                          .iova_to_phys = play_iova_to_phys };

	return driver;
}

static void is_played(void **state)
{
	const struct scene *s = *state;
	struct script script = { s->step };
	struct iommusim_driver driver = player(&script);
	struct rig rig;

	set_up(&rig, (struct setup){ .pgsizes = PGSIZES_4K, .driver = &driver });
	if (s->pa)
		assert_err(map(&rig, s->iova, s->pa, s->size), s->err);
	else
		assert_int_equal(iommusim_domain_unmap(rig.domain, s->iova, s->size), s->unmapped);
	assert_int_equal(script.step->kind, 0);
	assert_told(&rig, s->told);
	tear_down(&rig);
}

/* A driver that claims to have mapped too much, or half a page. */
struct lie {
	uint64_t said, unmapped; /* bytes */
};

static int lie_map(void *ctx, const struct iommusim_map_pages *pages, uint64_t *done)
{
	*done = ((const struct lie *)ctx)->said;
	return 0;
}

static uint64_t obey_unmap(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                           struct iommusim_gather *gather)
{
	((struct lie *)ctx)->unmapped += pgsize * count;
	return pgsize * count;
}

static int map_two_pages(struct rig *rig, uint64_t said, uint64_t *unmapped)
{
	struct lie lie = { .said = said };
	struct iommusim_driver driver = { .ctx = &lie,
		                          .map_pages = lie_map,
		                          .unmap_pages = obey_unmap,
		                          .iova_to_phys = play_iova_to_phys };

	int err;

	set_up(rig, (struct setup){ .pgsizes = PGSIZES_4K, .driver = &driver });
	err = map(rig, 0x1000, 0x9000, 0x2000);
	*unmapped = lie.unmapped;
	return err;
}

static void a_driver_that_lies_is_found_out(void **state)
{
	struct rig rig;
	uint64_t unmapped;

	assert_err(map_two_pages(&rig, 0x3000, &unmapped), IOMMUSIM_EIO);
	assert_int_equal(unmapped, 0x2000); /* what was asked for, not what it claims */
	assert_string_equal(iommusim_domain_error(rig.domain),
	                    "the driver says it mapped 0x3000 bytes of 2 pages of 0x1000");
	assert_null(strchr(rig.told.s, '>')); /* no map event */
	tear_down(&rig);
	assert_err(map_two_pages(&rig, 0x1800, &unmapped), IOMMUSIM_EIO);
	assert_int_equal(unmapped, 0x2000); /* the half page too */
	assert_null(strchr(rig.told.s, '>'));
	tear_down(&rig);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(scenes) + 1] = {
		cmocka_unit_test(a_driver_that_lies_is_found_out),
	};

	for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
		tests[i + 1] = (struct CMUnitTest)TEST_ROW(is_played, &scenes[i]);
	return RUN_TESTS(tests);
}
