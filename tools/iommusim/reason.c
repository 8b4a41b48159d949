/* SPDX-License-Identifier: MIT */
/* A verdict in words: the chunk or run that is off the granule, the attempt that failed last. */
#include "reason.h"

#include <inttypes.h>
#include "units.h"

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_MAPPABLE] = "mappable",
		[VERDICT_BY_LUCK] = "by luck",
		[VERDICT_OUT_OF_MEMORY] = "out of memory",
		[VERDICT_BROKEN] = "broken",
		[VERDICT_REFUSED] = "refused",
	};

	return names[verdict];
}

const char *step_name(const struct result *result)
{
	static const char *const names[] = {
		[IOMMUSIM_DMA_DONE] = "",       [IOMMUSIM_DMA_CHECK] = "check",
		[IOMMUSIM_DMA_PAGES] = "pages", [IOMMUSIM_DMA_IOVA] = "iova",
		[IOMMUSIM_DMA_MAP] = "map",
	};

	return result->witness.err ? names[result->witness.failed] : "";
}

const char *error_name(const struct result *result)
{
	if (result->witness.err == -IOMMUSIM_EBUG)
		return "BUG";
	return result->witness.err ? iommusim_errname(result->witness.err) : "";
}

static uint64_t page_of(const struct report *report)
{
	return UINT64_C(1) << report->options->page_shift;
}

/* Where a piece leaves the granule: at its start or, if that is on it, at its end. */
static void describe_offset(const struct iommusim_misfit *misfit, uint64_t granule,
                            struct line *line)
{
	uint64_t start = misfit->pa & (granule - 1);
	uint64_t end = (misfit->pa + misfit->size) & (granule - 1);

	line_add(line, "%s %s past a %s boundary", start ? "starts" : "ends",
	         size_exact(start ? start : end).s, size_exact(granule).s);
}

static void describe_run(const struct result *result, struct line *line)
{
	const struct witness *witness = &result->witness;
	const struct iommusim_misfit *misfit = &witness->misfit;

	if (misfit->nr_chunks == 1)
		line_add(line, "chunk %lu (order %u) alone", (unsigned long)misfit->chunk,
		         witness->order);
	else
		line_add(line, "run of %lu chunks from chunk %lu (order %u)",
		         (unsigned long)misfit->nr_chunks, (unsigned long)misfit->chunk,
		         witness->order);
	line_add(line, " at pa 0x%" PRIx64 ", %s: ", misfit->pa, size_exact(misfit->size).s);
	describe_offset(misfit, granule_of(result->pgsizes), line);
	line_add(line, "; iommu_map() says %s", error_name(result));
}

static void describe_luck(const struct result *result, struct line *line)
{
	const struct witness *witness = &result->witness;
	const struct iommusim_misfit *misfit = &witness->misfit;

	line_add(line,
	         "chunk %lu (order %u) at pa 0x%" PRIx64 ", %s: ", (unsigned long)misfit->chunk,
	         witness->order, misfit->pa, size_exact(misfit->size).s);
	describe_offset(misfit, granule_of(result->pgsizes), line);
	line_add(line, "; its neighbours happen to adjoin it");
}

/* The power of two that an IOVA range of @bytes is aligned to. */
static uint64_t power_above(uint64_t bytes)
{
	uint64_t power = 1;

	while (power < bytes && power << 1)
		power <<= 1;
	return power;
}

static int has_aperture(const struct report *report, const struct result *result)
{
	const struct iommusim_catalog_driver *row = report->options->rows[result->iommu];

	return row && row->has_aperture && (row->aperture_start || row->aperture_last < UINT32_MAX);
}

/* arch/arm asked for a range in place of its loop. */
static int wanted_range(const struct result *result)
{
	return result->attrs & IOMMUSIM_ATTR_FORCE_CONTIGUOUS && !result->witness.nr_tried;
}

static void describe_no_range(const struct report *report, const struct result *result,
                              struct line *line)
{
	uint64_t most = page_of(report) << IOMMUSIM_CMA_ALIGNMENT;
	uint64_t align = power_above(result->witness.bytes);

	if (report->options->cma)
		line_add(line, "the CMA area of %s has no range left for %s, aligned to %s",
		         size_exact(report->options->cma).s, size_exact(result->witness.bytes).s,
		         size_exact(align < most ? align : most).s);
	else
		line_add(line, "there is no CMA area (--cma)");
	line_add(line, "; no other memory is asked for");
}

static void describe_shortage(const struct report *report, const struct result *result,
                              struct line *line)
{
	const struct witness *witness = &result->witness;

	if (witness->failed == IOMMUSIM_DMA_IOVA)
		line_add(line, "no IOVA range left %s for %s, aligned to %s, in pages of %s",
		         has_aperture(report, result) ? "in the aperture" : "below 4G",
		         size_exact(witness->bytes).s, size_exact(power_above(witness->bytes)).s,
		         size_exact(granule_of(result->pgsizes)).s);
	else if (wanted_range(result))
		describe_no_range(report, result, line);
	else if (!witness->nr_tried)
		line_add(line,
		         "no page size is within reach of the page allocator: nothing was tried");
	else
		line_add(line,
		         "no free block of order %u (%s)%s, the last resort: attempt %" PRIu64
		         " failed, %" PRIu64 " page%s given back",
		         witness->order, size_exact(page_of(report) << witness->order).s,
		         report->state->has_marks ? " above the watermarks" : "", witness->nr_tried,
		         witness->nr_freed, plural(witness->nr_freed));
}

static void describe_refusal(const struct report *report, const struct result *result,
                             struct line *line)
{
	if (result->refusal) {
		line_add(line, "%s (%s)", result->refusal, error_name(result));
		return;
	}
	line_add(line,
	         "init_iova_domain() stops with BUG(): the granule, %s, is above the CPU page, %s",
	         size_exact(granule_of(result->pgsizes)).s, size_exact(page_of(report)).s);
}

/* A policy of one's own that ends otherwise than with ENOMEM, or was ended by the library. */
static void describe_end(const struct result *result, struct line *line)
{
	const char *why = result->finding[0] ? result->finding : result->told;
	uint64_t tried = result->witness.nr_tried;

	line_add(line, "the policy ends with %s after %" PRIu64 " attempt%s%s%s",
	         error_text(result->witness.err).s, tried, plural(tried), *why ? ": " : "", why);
}

void reason_describe(const struct report *report, const struct result *result, struct line *line)
{
	if (result->verdict == VERDICT_MAPPABLE)
		return;
	if (result->verdict != VERDICT_REFUSED && result->nr_buffers > 1)
		line_add(line, "%" PRIu64 " of %" PRIu64 " buffers, the first is number %lu (%s): ",
		         result->nr_alike, result->nr_buffers,
		         (unsigned long)result->witness.buffer + 1,
		         size_exact(result->witness.bytes).s);
	if (result->verdict == VERDICT_REFUSED)
		describe_refusal(report, result, line);
	else if (result->verdict == VERDICT_BROKEN && result->witness.failed == IOMMUSIM_DMA_PAGES)
		describe_end(result, line);
	else if (result->verdict == VERDICT_BROKEN && result->witness.err == -IOMMUSIM_ERANGE)
		line_add(line, "some of its pages are at physical addresses that the page tables "
		               "cannot hold; iommu_map() says ERANGE");
	else if (result->verdict == VERDICT_BROKEN)
		describe_run(result, line);
	else if (result->verdict == VERDICT_BY_LUCK)
		describe_luck(result, line);
	else
		describe_shortage(report, result, line);
}

/* What stands before item @i of @nr in a list of words. */
static const char *between(unsigned i, unsigned nr)
{
	return !i ? "" : i + 1 < nr ? ", " : " and ";
}

void request_describe(const struct options *options, struct line *line)
{
	char gfp[256];

	iommusim_gfp_format(options->gfp, options->kernel, gfp, sizeof(gfp));
	for (unsigned i = 0; i < options->nr_sizes; i++) {
		const struct buffers *buffers = &options->sizes[i];

		line_add(line, "%s%" PRIu64 "%s of %s", between(i, options->nr_sizes),
		         buffers->count,
		         i                     ? ""
		         : buffers->count == 1 ? " buffer"
		                               : " buffers",
		         size_exact(buffers->bytes).s);
	}
	line_add(line, ", %s%s", gfp, options->nr_buffers > 1 ? ", all held at the same time" : "");
}

void linux_describe(const struct options *options, struct line *line)
{
	uint64_t page = UINT64_C(1) << options->page_shift;
	unsigned nr = 0, told = 0;

	if (options->mode != IOMMUSIM_DOMAIN_EXTENDED)
		return;
	for (unsigned i = 0; i < options->nr_iommus; i++)
		nr += !options->rows[i] && granule_of(options->pgsizes[i]) > page;
	for (unsigned i = 0; i < options->nr_iommus; i++) {
		if (options->rows[i] || granule_of(options->pgsizes[i]) <= page)
			continue;
		line_add(line, "%s{%s}",
		         told ? between(told, nr) : "Linux itself cannot make a DMA domain for ",
		         pgsizes_text(options->pgsizes[i], ',').s);
		told++;
	}
	if (nr)
		line_add(line,
		         ": init_iova_domain() stops with BUG(), since the smallest page is above "
		         "the CPU "
		         "page of %s. Only an unmanaged domain, mapped with iommu_map(), can have "
		         "it.",
		         size_exact(page).s);
}
