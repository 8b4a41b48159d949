/* SPDX-License-Identifier: MIT */
/* Worked examples: after some operations all words of all tables are those of the kernel's code. */
#include "examples_lpae.h"
#include "examples_other.h"
#include "table_memory.h"

static uint64_t word_at(const unsigned char *bytes, unsigned width)
{
	uint64_t word = 0;

	for (unsigned i = width; i-- > 0;)
		word = word << 8 | bytes[i];
	return word;
}

static void run_ops(struct iommusim_pgtable *pgtable, const struct example *e)
{
	for (size_t i = 0; i < ARRAY_LEN(e->ops); i++) {
		struct iommusim_map_pages pages = { e->ops[i].iova,   e->ops[i].pa,
			                            e->ops[i].pgsize, e->ops[i].count,
			                            e->ops[i].prot,   0 };
		uint64_t got = 0;

		if (e->ops[i].op == MAP)
			assert_ok(iommusim_pgtable_map(pgtable, &pages, &got));
		else if (e->ops[i].op == UNMAP)
			got = unmap(pgtable, pages.iova, pages.pgsize, pages.count);
		else if (e->ops[i].op == TRANSLATE)
			got = iommusim_pgtable_iova_to_phys(pgtable, pages.iova);
		assert_int_equal(got, e->ops[i].want);
	}
}

/* All of the example's words are there, and there are no others. */
static void compare_words(const struct memory *memory, const struct example *e)
{
	unsigned width = e->config.format->word_bytes;
	uint64_t want = 0, got = 0;

	for (size_t i = 0; i < ARRAY_LEN(e->words) && e->words[i].nr; i++) {
		unsigned table = find_table(memory, e->words[i].table);

		assert_true(table < memory->nr);
		want += e->words[i].nr;
		for (uint64_t j = 0; j < e->words[i].nr; j++)
			assert_int_equal(
				word_at(memory->table[table].data + (e->words[i].index + j) * width,
			                width),
				e->words[i].value + j * e->words[i].step);
	}
	for (unsigned i = 0; i < memory->nr; i++)
		for (uint64_t j = 0; memory->table[i].data && j < memory->table[i].bytes;
		     j += width)
			got += word_at(memory->table[i].data + j, width) != 0;
	assert_int_equal(got, want);
}

static void leaves_the_words_of_the_kernel(void **state)
{
	const struct example *e = *state;
	struct memory memory = { .next = e->base };
	struct iommusim_table_memory tables = memory_tables(&memory);
	struct iommusim_pgtable_config config = e->config;
	struct iommusim_pgtable *pgtable;

	config.memory = &tables;
	config.size = sizeof(config);
	assert_ok(iommusim_pgtable_create(&config, &pgtable));
	assert_int_equal(iommusim_pgtable_info(pgtable).pgsizes, e->pgsizes);
	assert_int_equal(iommusim_pgtable_info(pgtable).ias, e->ias);
	assert_int_equal(iommusim_pgtable_info(pgtable).oas, e->oas);
	if (e->ttbr)
		assert_int_equal(iommusim_pgtable_info(pgtable).ttbr, e->ttbr);
	run_ops(pgtable, e);
	compare_words(&memory, e);
	iommusim_pgtable_destroy(pgtable);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(lpae_examples) + ARRAY_LEN(other_examples)];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(lpae_examples); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(leaves_the_words_of_the_kernel,
		                                          &lpae_examples[i]);
	for (size_t i = 0; i < ARRAY_LEN(other_examples); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(leaves_the_words_of_the_kernel,
		                                          &other_examples[i]);
	return RUN_TESTS(tests);
}
