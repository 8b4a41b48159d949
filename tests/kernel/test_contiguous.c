/* SPDX-License-Identifier: MIT */
/*
 * Contiguous ranges of code in the kernel's idiom, on a machine with an area: where it asks as
 * arch/arm does it gets what the built-in policies get, and each misuse is found.
 */
#include "test.h"

#include <string.h>

#include "ranges.h"

#define AREA (UINT64_C(1) << 20) /* its first frame, of 1,024 */

#define IDIOMS_WITH_RANGES(X)    \
	X(arm_3_9, "A2")         \
	X(arm_4_6, "A4")         \
	X(arm_4_8, "A4")         \
	X(contiguous_4_6, "A4")  \
	X(contiguous_4_12, "A4") \
	X(contiguous_6_1, "A4")

#define DECLARE(name, policy) extern const struct iommusim_policy_export idiom_##name;
IDIOMS_WITH_RANGES(DECLARE)
extern const struct iommusim_policy_export range_policy;

static const struct idiom_row {
	const char *name, *policy;
	const struct iommusim_policy_export *exported;
} idiom_rows[] = {
#define LIST_IDIOM(name, policy) { #name " equals " policy, policy, &idiom_##name },
	IDIOMS_WITH_RANGES(LIST_IDIOM)
};

#define IOMMUSIM_OK        0
#define IOMMUSIM_FINDING_0 0u

static const struct range_row {
	const char *name, *text;
	int kind, result;
	uint32_t finding;
} range_rows[] = {
#define LIST_RANGE(name, result, finding, text) \
	{ #name, text, RANGE_##name, -IOMMUSIM_##result, IOMMUSIM_FINDING_##finding },
	RANGE_KINDS(LIST_RANGE)
};

static struct iommusim_phys *given_area(void)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = AREA,
		                             .nr_frames = 4096 };
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .zones = &zone,
		                               .nr_zones = 1 };
	struct iommusim_phys *phys = NULL;

	assert_ok(iommusim_phys_create(&config, &phys));
	assert_int_equal(iommusim_phys_cma_create(phys, AREA, 1024), 0);
	return phys;
}

static int get_buffer(struct iommusim_phys *phys, const struct iommusim_policy *policy,
                      uint64_t pages, struct iommusim_chunks *chunks)
{
	struct iommusim_page_source source = iommusim_phys_source(phys);
	struct iommusim_chunk_job job = { .policy = policy,
		                          .req = { .size = pages * SZ_4K,
		                                   .pgsizes = SZ_4K,
		                                   .page_shift = 12,
		                                   .max_order = 10,
		                                   .gfp = IOMMUSIM_GFP_KERNEL,
		                                   .attrs = IOMMUSIM_ATTR_FORCE_CONTIGUOUS,
		                                   .node = -1 },
		                          .source = &source };

	return iommusim_chunk_alloc(&job, chunks);
}

static void free_buffer(struct iommusim_phys *phys, struct iommusim_chunks *chunks)
{
	struct iommusim_page_source source = iommusim_phys_source(phys);

	assert_ok(iommusim_chunk_free(chunks, &source));
	iommusim_chunks_finish(chunks);
}

static void finish(struct iommusim_phys *phys)
{
	iommusim_pfn pfn;

	assert_int_equal(iommusim_phys_nr_free(phys), 4096);
	assert_ok(iommusim_phys_cma_alloc(phys, 0, 1024, 0, &pfn)); /* nothing of it is held */
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

static void assert_same(const struct iommusim_chunks *a, const struct iommusim_chunks *b)
{
	assert_int_equal(a->is_contiguous, b->is_contiguous);
	assert_int_equal(a->findings, 0);
	assert_int_equal(a->nr_attempts, b->nr_attempts);
	assert_int_equal(a->nr_pages, b->nr_pages);
	assert_int_equal(a->nr_chunks, b->nr_chunks);
	for (size_t i = 0; i < a->nr_chunks; i++) {
		assert_int_equal(a->chunk[i].pfn, b->chunk[i].pfn);
		assert_int_equal(a->chunk[i].order, b->chunk[i].order);
		assert_int_equal(a->chunk[i].is_split, b->chunk[i].is_split);
	}
}

/* Several held at once, one of which there is no room for; freed from the second on. */
static void gets_and_frees_the_same_ranges(void **state)
{
	static const uint64_t pages[] = { 1, 45, 3, 300, 600, 256 };
	static const uint64_t wanted[] = { 0, 64, 4, 256, 0, 768 };
	const struct idiom_row *r = *state;
	const struct iommusim_policy *policy[2] = { r->exported->policy,
		                                    iommusim_policy_find(r->policy) };
	struct iommusim_phys *phys[2] = { given_area(), given_area() };
	struct iommusim_chunks chunks[2][ARRAY_LEN(pages)];

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		for (unsigned p = 0; p < 2; p++)
			assert_err(get_buffer(phys[p], policy[p], pages[i], &chunks[p][i]),
			           pages[i] == 600 ? IOMMUSIM_ENOMEM : 0);
		assert_same(&chunks[0][i], &chunks[1][i]);
		assert_int_equal(chunks[0][i].nr_attempts, 0);
		if (pages[i] != 600)
			assert_int_equal(chunks[0][i].chunk[0].pfn, AREA + wanted[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		for (unsigned p = 0; p < 2; p++)
			free_buffer(phys[p], &chunks[p][(i + 1) % ARRAY_LEN(pages)]);
	finish(phys[0]);
	finish(phys[1]);
}

static void is_found(void **state)
{
	const struct range_row *r = *state;
	struct iommusim_phys *phys = given_area();
	struct iommusim_chunks chunks;

	range_kind = r->kind;
	assert_err(get_buffer(phys, range_policy.policy, 8, &chunks), r->result);
	assert_int_equal(chunks.findings & r->finding, r->finding);
	assert_int_equal(!chunks.findings, !r->finding);
	if (!strstr(chunks.told, r->text))
		assert_string_equal(chunks.told, r->text);
	if (!r->result) {
		assert_int_equal(chunks.is_contiguous, 1);
		assert_int_equal(iommusim_phys_nr_free(phys), 4096 - 8);
		free_buffer(phys, &chunks);
	}
	iommusim_chunks_finish(&chunks);
	range_kind = RANGE_KEPT;
	finish(phys);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(idiom_rows) + ARRAY_LEN(range_rows)];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(idiom_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(gets_and_frees_the_same_ranges, &idiom_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(range_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_found, &range_rows[i]);
	return RUN_TESTS(tests);
}
