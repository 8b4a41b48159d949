/* SPDX-License-Identifier: MIT */
/* Runs of words: what compilers make vectors of. */
#include "pgtable/word.h"

ISIM_VECTORIZE struct pt_summary isim_words_summarize32(const uint32_t *words, uint64_t nr)
{
	uint32_t all = UINT32_MAX, any = 0;

	for (uint64_t i = 0; i < nr; i++) {
		all &= words[i];
		any |= words[i];
	}
	return (struct pt_summary){ all, any };
}

ISIM_VECTORIZE struct pt_summary isim_words_summarize64(const uint64_t *words, uint64_t nr)
{
	struct pt_summary s = { UINT64_MAX, 0 };

	for (uint64_t i = 0; i < nr; i++) {
		s.all &= words[i];
		s.any |= words[i];
	}
	return s;
}

ISIM_VECTORIZE void isim_words_fill32(uint32_t *words, uint32_t word, uint32_t step, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++, word += step)
		words[i] = isim_le32(word);
}

ISIM_VECTORIZE void isim_words_fill64(uint64_t *words, uint64_t word, uint64_t step, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++, word += step)
		words[i] = isim_le64(word);
}

ISIM_VECTORIZE void isim_words_fill32_be(uint32_t *words, uint32_t word, uint32_t step, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++, word += step)
		words[i] = isim_be32(word);
}

ISIM_VECTORIZE void isim_words_fill64_be(uint64_t *words, uint64_t word, uint64_t step, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++, word += step)
		words[i] = isim_be64(word);
}
