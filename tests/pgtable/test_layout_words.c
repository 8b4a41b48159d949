/* SPDX-License-Identifier: MIT */
/*
 * The walkers' decoders, judged by words that the layout document gives: each is read as what was
 * asked for, and no bit of it may flip unseen.
 */
#include "leaf_words.h"
#include "test.h"
#include "text_words.h"

/* What a word says: the decoder's answer as one value that can be compared. */
struct meaning {
	enum walk_cause cause;
	uint64_t pa, size;
	unsigned prot;
};

static struct meaning meaning_of(const struct walk_config *config, unsigned level, uint64_t word)
{
	struct walk_geometry g = { .word_bytes = 8 };
	struct walk_word w = { .config = config, .word = word, .level = level };
	struct meaning m = { .cause = WALK_RANGE };
	uint64_t mask;

	config->format->geometry(config, config->start, &g);
	w.shift = g.level[level].shift;
	m.cause = config->format->decode(&w);
	m.prot = w.veto;
	if (m.cause == WALK_TABLE)
		m.pa = w.pa;
	if (m.cause != WALK_MAPPED)
		return m;
	mask = (UINT64_C(1) << (w.shift + w.run_lg2)) - 1;
	m.size = mask + 1;
	m.pa = w.pa;
	m.prot = (w.prot | (w.veto & WALK_X)) & walk_told(config);
	if (!w.run_step && (w.pa & mask))
		m.cause = WALK_RESERVED;
	return m;
}

static unsigned word_bits(const struct walk_config *config)
{
	struct walk_geometry g = { .word_bytes = 8 };

	config->format->geometry(config, config->start, &g);
	return 8 * g.word_bytes;
}

/* Bits that hardware or the driver may set at will. */
static uint64_t free_bits(const struct walk_config *config)
{
	if (config->format == &walk_amd_v1)
		return UINT64_C(1) << 6;     /* dirty */
	if (config->format == &walk_sparc64) /* context, streaming buffer, cacheable */
		return UINT64_C(0x17ff800000000010);
	return 0;
}

static int is_same(const struct meaning *a, const struct meaning *b)
{
	return a->cause == b->cause && a->pa == b->pa && a->size == b->size && a->prot == b->prot;
}

static void assert_no_bit_flips_unseen(const struct walk_config *config, unsigned level,
                                       uint64_t word)
{
	struct meaning right = meaning_of(config, level, word);

	for (unsigned bit = 0; bit < word_bits(config); bit++) {
		uint64_t flip = UINT64_C(1) << bit;
		struct meaning wrong = meaning_of(config, level, word ^ flip);

		if (!(free_bits(config) & flip) && is_same(&right, &wrong))
			fail_msg("word %#llx: bit %u", (unsigned long long)word, bit);
	}
}

static void assert_means(const struct walk_config *config, unsigned level, uint64_t word,
                         const struct mapping *want)
{
	struct meaning m = meaning_of(config, level, word);

	assert_int_equal(m.cause, want->prot ? WALK_MAPPED : WALK_TABLE);
	assert_int_equal(m.pa, want->pa);
	assert_int_equal(m.size, want->size);
	if (want->prot)
		assert_int_equal(m.prot, walk_expected(config, letters(want->prot)));
	assert_no_bit_flips_unseen(config, level, word);
}

static void is_read_as_it_was_meant(void **state)
{
	const struct word_row *row = *state;
	struct mapping want = { .pa = row->pa, .size = row->size, .prot = row->prot };

	assert_means(&row->config, row->level, row->word, &want);
}

static void assert_column(const struct column *column, const struct asked *asked, size_t nr,
                          size_t index)
{
	for (size_t i = 0; i < nr; i++) {
		struct mapping want = { .pa = column->pa,
			                .size = column->size,
			                .prot = asked[i].prot };

		assert_means(&column->config, column->level, asked[i].word[index], &want);
	}
}

static const struct word_table {
	const char *name;
	const struct column *column;
	size_t nr_columns;
	const struct asked *asked;
	size_t nr_asked;
} word_tables[] = {
	{ "long descriptors", RUNS(lpae_columns), RUNS(lpae_words) },
	{ "short descriptors", RUNS(v7s_columns), RUNS(v7s_words) },
	{ "MediaTek's short descriptors", RUNS(mtk_columns), RUNS(mtk_words) },
	{ "Exynos", RUNS(exynos_columns), RUNS(exynos_words) },
};

static void are_read_as_they_were_asked_for(void **state)
{
	const struct word_table *table = *state;

	for (size_t i = 0; i < table->nr_columns; i++)
		assert_column(&table->column[i], table->asked, table->nr_asked, i);
}

/* A walker for each of the forty formats that have a table. */
static void there_are_forty(void **state)
{
	assert_int_equal(WALK_NR_FORMATS, 40);
	for (size_t i = 0; i < WALK_NR_FORMATS; i++)
		assert_ptr_equal(walk_format_find(walk_formats[i]->name), walk_formats[i]);
	assert_null(walk_format_find("pamu"));
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(word_tables) + ARRAY_LEN(word_rows) + 1];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(word_tables); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(are_read_as_they_were_asked_for,
		                                          &word_tables[i]);
	for (size_t i = 0; i < ARRAY_LEN(word_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(is_read_as_it_was_meant, &word_rows[i]);
	tests[nr++] = (struct CMUnitTest)cmocka_unit_test(there_are_forty);
	return RUN_TESTS(tests);
}
