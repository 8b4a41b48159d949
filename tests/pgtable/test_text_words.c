/* SPDX-License-Identifier: MIT */
/*
 * The words that the layouts give in their text, for formats without vectors: the library must
 * write them when it is asked for what they say. And the catalogue's names must find the formats.
 */
#include "leaf_words.h"
#include "pgtable_test.h"
#include "text_words.h"

/* Formats that vectors prove. */
static int has_vectors(const struct walk_format *format)
{
	static const char *const names[] = { "arm-", "x86-64-", "vtd-", "amd-", "dart" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strncmp(format->name, names[i], strlen(names[i])))
			return 1;
	return 0;
}

static struct iommusim_pgtable *given_row(const struct word_row *row)
{
	const struct walk_config *c = &row->config;
	struct iommusim_pgtable_config config = {
		.size = sizeof(config),
		.format = iommusim_pgtable_format_find(c->format->name),
		.kernel = IOMMUSIM_KERNEL(6, 13),
		.hw_dirty = (c->flags & WALK_HW_DIRTY) != 0,
	};
	struct iommusim_pgtable *pgtable = NULL;

	assert_non_null(config.format);
	if (!strncmp(c->format->name, "riscv-", 6) && !(c->flags & WALK_XD))
		config.kernel = IOMMUSIM_KERNEL(6, 19);
	if (c->format == &walk_tce)
		config.pgsizes = row->size;
	assert_ok(iommusim_pgtable_create(&config, &pgtable));
	return pgtable;
}

static unsigned prot_of(const struct word_row *row)
{
	unsigned bits = letters(row->prot);

	return (bits & WALK_R ? IOMMUSIM_PROT_READ : 0) |
	       (bits & WALK_W ? IOMMUSIM_PROT_WRITE : 0) |
	       (bits & WALK_X ? IOMMUSIM_PROT_NOEXEC : 0);
}

static void the_library_writes_the_word(void **state)
{
	const struct word_row *row = *state;
	struct iommusim_pgtable *pgtable = given_row(row);
	struct iommusim_map_pages pages = {
		.iova = iommusim_pgtable_info(pgtable).window_start + 2 * row->size,
		.pa = row->pa,
		.pgsize = row->size,
		.count = 1,
		.prot = prot_of(row),
	};
	struct iommusim_pgtable_walk walk;
	uint64_t mapped;

	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	assert_int_equal(mapped, row->size);
	iommusim_pgtable_walk(pgtable, pages.iova, &walk);
	assert_int_equal(walk.step[walk.nr - 1].word, row->word);
	assert_int_equal(walk.step[walk.nr - 1].level, row->level);
	iommusim_pgtable_destroy(pgtable);
}

static void exynos_words_are_written(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(exynos_columns); i++) {
		const struct column *c = &exynos_columns[i];

		for (size_t j = 0; j < ARRAY_LEN(exynos_words); j++) {
			struct word_row row = {
				.name = c->name,
				.config = c->config,
				.level = c->level,
				.word = exynos_words[j].word[i],
				.pa = c->pa,
				.size = c->size,
				.prot = exynos_words[j].prot,
			};
			void *asked = &row;

			the_library_writes_the_word(&asked);
		}
	}
}

/* What the library says of every name that the catalogue of drivers uses. */
static void the_catalogue_finds_all_formats(void **state)
{
	static const char *const names[] = {
		"a2xx-gpummu",
		"amd-v1",
		"arm-lpae-s1",
		"arm-lpae-s2",
		"arm-mali-lpae",
		"arm-v7s",
		"arm-v7s-mtk",
		"dart1",
		"dart2",
		"etnaviv-v1",
		"etnaviv-v2",
		"exynos-v1",
		"exynos-v5",
		"ipu-mmu",
		"lima",
		"linear-bcm2712",
		"linear-gart64",
		"linear-gart-tegra",
		"linear-mtk1",
		"linear-sparc64",
		"linear-sprd",
		"linear-tce",
		"omap",
		"riscv-sv39",
		"riscv-sv48",
		"riscv-sv57",
		"riscv-sv39-napot",
		"riscv-sv48-napot",
		"rk-v1",
		"riscv-sv57-napot",
		"rk-v2",
		"s390-zpci",
		"shmobile",
		"sun50i",
		"tegra-smmu",
		"v3d",
		"vsi",
		"vtd-sl",
		"x86-64-amd-v2",
		"x86-64-fl",
	};

	assert_int_equal(ARRAY_LEN(names), WALK_NR_FORMATS);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_non_null(iommusim_pgtable_format_find(names[i]));
	for (size_t i = 0; i < WALK_NR_FORMATS; i++)
		assert_non_null(iommusim_pgtable_format_find(walk_formats[i]->name));
	assert_null(iommusim_pgtable_format_find("pamu"));
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(word_rows) + 2];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(word_rows); i++)
		if (word_rows[i].prot && !has_vectors(word_rows[i].config.format))
			tests[nr++] = (struct CMUnitTest)TEST_ROW(the_library_writes_the_word,
			                                          &word_rows[i]);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(exynos_words_are_written);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(the_catalogue_finds_all_formats);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("text words", tests, nr, NULL, NULL);
}
