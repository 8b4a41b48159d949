/* SPDX-License-Identifier: MIT */
/* Formats against page sizes: one that would narrow them is not that of the IOMMU. */
#include "tables.h"

#include <string.h>
#include "units.h"

/* The tables that @format makes of @pgsizes; without page sizes: it refuses them. */
static struct iommusim_pgtable_info
look(const struct options *options, const struct iommusim_pgtable_format *format, uint64_t pgsizes)
{
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = format,
		                                  .kernel = options->kernel,
		                                  .page_shift = options->page_shift,
		                                  .pgsizes = pgsizes,
		                                  .contiguous = options->contiguous };
	struct iommusim_pgtable_info info = { .pgsizes = 0 };
	struct iommusim_pgtable *pgtable;

	if (iommusim_pgtable_create(&config, &pgtable))
		return info;
	info = iommusim_pgtable_info(pgtable);
	iommusim_pgtable_destroy(pgtable);
	return info;
}

static uint64_t left_by(const struct options *options, const struct iommusim_pgtable_format *format,
                        uint64_t pgsizes)
{
	return look(options, format, pgsizes).pgsizes;
}

/* Frames of the memory, from 0 up to the last one. */
static uint64_t end_pfn(const struct state *state)
{
	struct iommusim_zone_info zone;
	uint64_t end = 0;

	for (unsigned i = 0; !iommusim_phys_zone(state->phys, i, &zone); i++)
		if (zone.start_pfn + zone.nr_frames > end)
			end = zone.start_pfn + zone.nr_frames;
	return end;
}

/* Can the tables hold the addresses of the memory, which may not be known yet? */
static int has_room(const struct iommusim_pgtable_info *info, const struct state *state)
{
	return !state ||
	       !((end_pfn(state) - 1) >> (info->oas - iommusim_phys_page_shift(state->phys)));
}

static const struct iommusim_pgtable_format *format_of(const struct options *options,
                                                       const struct state *state, uint64_t pgsizes)
{
	const struct iommusim_pgtable_format *format;

	if (options->has_pgtable)
		return options->pgtable;
	for (size_t i = 0; (format = iommusim_pgtable_format_at(i)) != NULL; i++) {
		struct iommusim_pgtable_info info = look(options, format, pgsizes);

		if (info.pgsizes == pgsizes && has_room(&info, state))
			return format;
	}
	return NULL;
}

/* A device behind tables of one window reaches it. */
static void reach_window(const struct options *options, struct iommusim_machine_config *config)
{
	struct iommusim_pgtable_info info = look(options, config->format, config->pgsizes);

	if (info.window_start > UINT32_MAX)
		config->coherent_mask = info.window_start + (info.window_bytes - 1);
}

/* Page sizes that the hint adds are those of Arm's tables, by default of stage 1. */
static int add_runs(struct options *options, unsigned i)
{
	const struct iommusim_pgtable_format *format =
		options->has_pgtable ? options->pgtable : &iommusim_pgtable_arm_lpae_s1;
	uint64_t pgsizes = options->pgsizes[i];
	uint64_t left = format ? left_by(options, format, pgsizes) : 0;

	if ((left & pgsizes) != pgsizes)
		return say("--contiguous: page sizes %s, with CPU pages of %s, are not those of "
		           "tables with the hint",
		           pgsizes_text(pgsizes, ',').s,
		           size_exact(UINT64_C(1) << options->page_shift).s);
	options->pgsizes[i] = left;
	return 0;
}

static int check_format(const struct options *options, uint64_t pgsizes)
{
	uint64_t left = left_by(options, options->pgtable, pgsizes);

	if (left == pgsizes)
		return 0;
	return say("--pgtable: '%s' leaves of the page sizes %s, with CPU pages of %s, %s",
	           options->pgtable->name, pgsizes_text(pgsizes, ',').s,
	           size_exact(UINT64_C(1) << options->page_shift).s,
	           left ? pgsizes_text(left, ',').s : "none");
}

int tables_settle(struct options *options)
{
	int status = 0;

	for (unsigned i = 0; !status && i < options->nr_iommus; i++) {
		if (options->rows[i])
			options->pgsizes[i] = tables_machine(options, NULL, i).pgsizes;
		else if (options->contiguous)
			status = add_runs(options, i);
		if (!status && options->pgtable)
			status = check_format(options, options->pgsizes[i]);
	}
	return status;
}

struct iommusim_catalog_outcome tables_outcome(const struct options *options, size_t iommu)
{
	static const struct iommusim_catalog_outcome works = { 0, "" };

	return options->rows[iommu] && options->mode == IOMMUSIM_DOMAIN_STRICT
	               ? iommusim_catalog_driver_outcome(options->rows[iommu], options->page_shift,
	                                                 options->kernel, options->contiguous)
	               : works;
}

struct iommusim_machine_config tables_machine(const struct options *options,
                                              const struct state *state, size_t iommu)
{
	struct iommusim_machine_config config = {
		.size = sizeof(config),
		.kernel = options->kernel,
		.mode = options->mode,
		.contiguous = options->contiguous,
		.host = state ? &state->host : NULL,
	};

	if (options->rows[iommu]) {
		iommusim_machine_use_row(&config, options->rows[iommu], options->page_shift);
		config.mode = IOMMUSIM_DOMAIN_EXTENDED; /* tables_outcome() has asked */
		return config;
	}
	config.pgsizes = options->pgsizes[iommu];
	config.format = format_of(options, state, config.pgsizes);
	if (config.format)
		reach_window(options, &config);
	return config;
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
