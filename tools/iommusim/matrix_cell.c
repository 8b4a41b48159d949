/* SPDX-License-Identifier: MIT */
/* A cell: two outcomes held against each other, in a class and in words. */
#include <inttypes.h>
#include <string.h>

#include "matrix.h"
#include "object.h"
#include "units.h"

const char *domain_name(enum matrix_domain domain)
{
	return domain == MATRIX_STRICT ? "strict" : "unmanaged";
}

/* Whether it is @policy that gets the pages of a DMA domain of @row. */
static int is_used(const struct iommusim_policy *policy, const struct iommusim_catalog_driver *row)
{
	unsigned backend = policy->is_arm ? IOMMUSIM_BACKEND_ARM : IOMMUSIM_BACKEND_DMA_IOMMU;

	return (row->backends & backend) != 0;
}

size_t matrix_block_cells(const struct matrix_options *options)
{
	return (size_t)options->nr_states * options->nr_sizes * options->common.nr_attrs *
	       options->common.nr_policies;
}

static unsigned nr_domains(const struct matrix_options *options)
{
	return (options->domains & 1) + (options->domains >> 1 & 1);
}

size_t matrix_nr_cells(const struct matrix *matrix)
{
	return matrix->nr_subjects * nr_domains(matrix->options) *
	       matrix_block_cells(matrix->options);
}

static void find_outcomes(const struct matrix *matrix, struct cell *cell)
{
	const struct matrix_options *options = matrix->options;
	size_t at =
		(cell->subject->machine * options->nr_states + cell->state) * options->nr_sizes +
		cell->size;

	at = (at * options->common.nr_attrs + cell->attrs) * matrix_nr_policies(options);
	cell->base = &matrix->outcomes[at];
	cell->outcome = &matrix->outcomes[at + 1 + cell->policy];
}

struct cell matrix_cell(const struct matrix *matrix, size_t index)
{
	const struct matrix_options *options = matrix->options;
	const struct options *common = &options->common;
	struct cell cell;

	cell.policy = (unsigned)(index % common->nr_policies);
	index /= common->nr_policies;
	cell.attrs = (unsigned)(index % common->nr_attrs);
	index /= common->nr_attrs;
	cell.size = (unsigned)(index % options->nr_sizes);
	index /= options->nr_sizes;
	cell.state = (unsigned)(index % options->nr_states);
	index /= options->nr_states;
	cell.domain = options->domains == 3 ? (enum matrix_domain)(index & 1)
	                                    : (enum matrix_domain)(options->domains >> 1);
	cell.subject = &matrix->subjects[index / nr_domains(options)];
	cell.machine = &matrix->machines[cell.subject->machine];
	find_outcomes(matrix, &cell);
	cell.class = matrix_class_of(cell.base, cell.outcome);
	if (cell.domain == MATRIX_STRICT && cell.subject->is_refused)
		cell.class = CLASS_REFUSED;
	else if (cell.domain == MATRIX_STRICT &&
	         !is_used(common->policies[cell.policy], cell.subject->row))
		cell.class = CLASS_UNUSED;
	return cell;
}

int cell_has_figures(const struct cell *cell)
{
	return cell->class != CLASS_UNUSED && cell->class != CLASS_REFUSED &&
	       cell->class != CLASS_UNSIMULATED;
}

const char *cell_evidence(const struct cell *cell)
{
	return !cell_has_figures(cell)        ? "none"
	       : cell->machine->config.format ? "tables"
	                                      : "recorded";
}

static void more(struct line *line, const char *what, uint64_t now, uint64_t before)
{
	if (now > before)
		line_add(line, "%s%" PRIu64 " instead of %" PRIu64 " %s", line->len ? ", " : "",
		         now, before, what);
}

static void describe_misfit(const struct cell *cell, struct line *line)
{
	const struct outcome *o = cell->outcome;
	uint64_t granule = granule_of(cell->machine->config.pgsizes);

	line_add(line, "from chunk %u (order %u) on %s at pa 0x%" PRIx64 ", off the granule of %s",
	         o->chunk, o->order, size_exact(o->size).s, o->pa, size_exact(granule).s);
	if (o->verdict == VERDICT_BROKEN)
		line_add(line, "; map says %s", iommusim_errname(o->err));
	else
		line_add(line, "; its neighbours happen to adjoin it");
	if (cell->class == CLASS_BROKEN && cell->base->verdict == VERDICT_OUT_OF_MEMORY)
		line_add(line, "; the base finds no %s",
		         cell->base->step == IOMMUSIM_DMA_IOVA ? "IOVA range" : "memory");
	line_add(line, " (%s)", cell_evidence(cell));
	if (cell->subject->is_refused && !cell->machine->config.format)
		line_add(line, "; %s", cell->subject->why);
}

static void describe_shortage(const struct outcome *outcome, struct line *line)
{
	if (outcome->step == IOMMUSIM_DMA_IOVA)
		line_add(line, "no IOVA range is left");
	else if (!outcome->tried)
		line_add(line, "no page size is within reach of the page allocator");
	else
		line_add(line, "no block of order %u, the last resort", outcome->order);
}

static const char *failure_of(const struct outcome *outcome)
{
	return outcome->verdict == VERDICT_BROKEN   ? "broken"
	       : outcome->step == IOMMUSIM_DMA_IOVA ? "out of IOVA ranges"
	                                            : "out of memory";
}

static void describe_figures(const struct cell *cell, struct line *line)
{
	more(line, "pages", cell->outcome->pages, cell->base->pages);
	more(line, "attempts", cell->outcome->tried, cell->base->tried);
	more(line, "leaf entries", cell->outcome->leaves, cell->base->leaves);
	more(line, "attempts above order 0 in vain", cell->outcome->vain, cell->base->vain);
}

void cell_describe(const struct cell *cell, struct line *line)
{
	switch (cell->class) {
	case CLASS_OK:
		break;
	case CLASS_UNUSED:
		line_add(line, cell->subject->row->backends
		                       ? "another allocator serves these domains"
		                       : "it has no DMA domain");
		break;
	case CLASS_REFUSED:
		line_add(line, "%s", cell->subject->refusal);
		break;
	case CLASS_UNSIMULATED:
		line_add(line, "its smallest page, %s, is above 4G",
		         size_exact(granule_of(cell->machine->config.pgsizes)).s);
		break;
	case CLASS_ALIKE:
		line_add(line, "%s, and so is the base", failure_of(cell->outcome));
		if (cell->base->verdict != cell->outcome->verdict)
			line_add(line, " (%s)", failure_of(cell->base));
		break;
	case CLASS_SLOWER:
	case CLASS_MORE_MEMORY:
		describe_figures(cell, line);
		break;
	case CLASS_NO_MEMORY:
		describe_shortage(cell->outcome, line);
		break;
	default:
		describe_misfit(cell, line);
	}
}

/* As a shell takes it for one word. */
static void add_word(struct line *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./,:=@%+";

	if (*word && !word[strspn(word, plain)]) {
		line_add(line, " %s", word);
		return;
	}
	line_add(line, " '");
	for (; *word; word++)
		line_add(line, *word == '\'' ? "'\\''" : "%c", *word);
	line_add(line, "'");
}

/* The IOMMU: a row, which may be of the user's file. */
static void add_iommu(const struct matrix *matrix, const struct cell *cell, struct line *line)
{
	const struct iommusim_catalog_driver *row = cell->subject->row;

	if (row != iommusim_catalog_driver_find(row->id)) {
		line_add(line, " --driver-file");
		add_word(line, matrix->options->driver_file);
	}
	line_add(line, " --iommu %s", row->id);
	if (matrix->options->common.contiguous)
		line_add(line, " --contiguous yes");
}

static void add_policies(const struct matrix *matrix, const struct cell *cell, struct line *line)
{
	const struct matrix_options *options = matrix->options;

	line_add(line, " --policy");
	add_word(line, policy_argument(options->base));
	line_add(line, " --policy");
	add_word(line, policy_argument(options->common.policies[cell->policy]));
}

void cell_command(const struct matrix *matrix, const struct cell *cell, struct line *line)
{
	const struct matrix_options *options = matrix->options;
	unsigned page_shift = cell->machine->page_shift;

	if (cell->class == CLASS_UNUSED || cell->class == CLASS_UNSIMULATED)
		return;
	line_add(line, "iommusim compare");
	add_iommu(matrix, cell, line);
	line_add(line, " --page-size %s --memory %s --memory-start 1G --state %s",
	         size_exact(UINT64_C(1) << page_shift).s,
	         size_exact(matrix_memory(options, page_shift)).s, options->states[cell->state]);
	if (options->common.seed != 1)
		line_add(line, " --seed %" PRIu64, options->common.seed);
	line_add(line, " --kernel %s --size %s", kernel_name(options->common.kernel),
	         size_exact(options->sizes[cell->size]).s);
	add_policies(matrix, cell, line);
	line_add(line, " --attrs %s --domain %s", attrs_name(options->common.attrs[cell->attrs]),
	         cell->domain == MATRIX_STRICT ? "strict" : "extended");
}
