/* SPDX-License-Identifier: MIT */
/*
 * Can the chunks of a buffer be mapped? The domain sees runs: neighbouring chunks that adjoin
 * physically. A run must start and end on the granule; where chunks do not but runs do, it was
 * luck.
 */
#include "iommusim/chunk.h"

#include "base/bits.h"
#include "base/units.h"

static int on_granule(const struct iommusim_misfit *stretch, uint64_t granule)
{
	return !((stretch->pa | stretch->size) & (granule - 1));
}

/* The run that starts with chunk @first. */
static struct iommusim_misfit run_from(const struct iommusim_chunks *chunks, unsigned page_shift,
                                       size_t first)
{
	struct iommusim_misfit run = { .chunk = first };

	run.pa = isim_pfn_to_pa(chunks->chunk[first].pfn, page_shift);
	for (size_t i = first; i < chunks->nr_chunks; i++) {
		const struct iommusim_chunk *chunk = &chunks->chunk[i];

		if (isim_pfn_to_pa(chunk->pfn, page_shift) != run.pa + run.size)
			break;
		run.size += isim_pages_to_bytes(isim_bit(chunk->order), page_shift);
		run.nr_chunks++;
	}
	return run;
}

enum iommusim_fit iommusim_chunks_fit(const struct iommusim_chunks *chunks, unsigned page_shift,
                                      uint64_t granule, struct iommusim_misfit *misfit)
{
	enum iommusim_fit fit = IOMMUSIM_FIT_ALWAYS;

	for (size_t i = 0; i < chunks->nr_chunks;) {
		struct iommusim_misfit run = run_from(chunks, page_shift, i);

		if (!on_granule(&run, granule)) {
			*misfit = run;
			return IOMMUSIM_FIT_NOT;
		}
		i += run.nr_chunks;
	}
	for (size_t i = 0; i < chunks->nr_chunks && fit == IOMMUSIM_FIT_ALWAYS; i++) {
		const struct iommusim_chunk *chunk = &chunks->chunk[i];
		struct iommusim_misfit one = { .chunk = i,
			                       .nr_chunks = 1,
			                       .pa = isim_pfn_to_pa(chunk->pfn, page_shift),
			                       .size = isim_pages_to_bytes(isim_bit(chunk->order),
			                                                   page_shift) };

		if (!on_granule(&one, granule)) {
			*misfit = one;
			fit = IOMMUSIM_FIT_BY_LUCK;
		}
	}
	return fit;
}
