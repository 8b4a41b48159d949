/* SPDX-License-Identifier: MIT */
/* Formats against page sizes: one that would narrow them is not that of the IOMMU. */
#include "tables.h"

#include <string.h>
#include "units.h"

/* The page sizes that @format makes of @pgsizes; 0: it refuses them. */
static uint64_t left_by(const struct options *options, const struct iommusim_pgtable_format *format,
                        uint64_t pgsizes)
{
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = format,
		                                  .kernel = options->kernel,
		                                  .page_shift = options->page_shift,
		                                  .pgsizes = pgsizes };
	struct iommusim_pgtable *pgtable;
	uint64_t left;

	if (iommusim_pgtable_create(&config, &pgtable))
		return 0;
	left = iommusim_pgtable_info(pgtable).pgsizes;
	iommusim_pgtable_destroy(pgtable);
	return left;
}

const struct iommusim_pgtable_format *tables_format(const struct options *options, uint64_t pgsizes)
{
	const struct iommusim_pgtable_format *format;

	if (options->has_pgtable)
		return options->pgtable;
	for (size_t i = 0; (format = iommusim_pgtable_format_at(i)) != NULL; i++)
		if (left_by(options, format, pgsizes) == pgsizes)
			return format;
	return NULL;
}

int tables_check(const struct options *options)
{
	for (unsigned i = 0; options->pgtable && i < options->nr_iommus; i++) {
		uint64_t pgsizes = options->pgsizes[i];
		uint64_t left = left_by(options, options->pgtable, pgsizes);

		if (left != pgsizes)
			return say("--pgtable: '%s' leaves of the page sizes %s, with CPU pages of "
			           "%s, %s",
			           options->pgtable->name, pgsizes_text(pgsizes, ',').s,
			           size_exact(UINT64_C(1) << options->page_shift).s,
			           left ? pgsizes_text(left, ',').s : "none");
	}
	return 0;
}

struct iommusim_machine_config tables_machine(const struct options *options,
                                              const struct state *state, uint64_t pgsizes)
{
	return (struct iommusim_machine_config){
		.size = sizeof(struct iommusim_machine_config),
		.kernel = options->kernel,
		.pgsizes = pgsizes,
		.mode = options->mode,
		.format = tables_format(options, pgsizes),
		.host = &state->host,
	};
}

void tables_count(const struct iommusim_pgtable *pgtable, struct tables_count *count)
{
	struct iommusim_pgtable_info info = iommusim_pgtable_info(pgtable);
	struct iommusim_mapped_range range;
	uint64_t at = 0;

	memset(count, 0, sizeof(*count));
	count->nr_tables = info.nr_tables;
	count->bytes = info.tables_bytes;
	count->nr_words = info.nr_tables - info.nr_roots; /* every table but the first has a word */
	while (iommusim_pgtable_next(pgtable, at, &range)) {
		struct iommusim_pgtable_walk walk;

		iommusim_pgtable_walk(pgtable, range.iova, &walk);
		count->nr_leaves[log2_of(range.pgsize)] += range.size / range.pgsize;
		count->nr_words += range.size / walk.step[walk.nr - 1].size;
		at = range.iova + range.size;
		if (!at)
			return;
	}
}
