/* SPDX-License-Identifier: MIT */
/* A cell: two outcomes held against each other, in a class and in words. */
#include <inttypes.h>
#include <string.h>

#include "matrix.h"
#include "units.h"

const char *class_name(enum matrix_class class)
{
	static const char *const names[] = { "ok",        "not used",  "refused",
		                             "both fail", "slower",    "more memory",
		                             "by luck",   "no memory", "broken" };

	return names[class];
}

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

static int fails(const struct outcome *outcome)
{
	return outcome->verdict >= VERDICT_OUT_OF_MEMORY;
}

static enum matrix_class class_of(const struct outcome *base, const struct outcome *outcome)
{
	if (outcome->verdict == VERDICT_REFUSED)
		return CLASS_REFUSED;
	if (outcome->verdict == VERDICT_BROKEN && base->verdict != VERDICT_BROKEN)
		return CLASS_BROKEN;
	if (fails(outcome))
		return fails(base) ? CLASS_ALIKE : CLASS_NO_MEMORY;
	if (fails(base))
		return CLASS_OK;
	if (outcome->verdict == VERDICT_BY_LUCK && base->verdict != VERDICT_BY_LUCK)
		return CLASS_BY_LUCK;
	if (outcome->pages > base->pages)
		return CLASS_MORE_MEMORY;
	if (outcome->tried > base->tried || outcome->leaves > base->leaves ||
	    outcome->vain > base->vain)
		return CLASS_SLOWER;
	return CLASS_OK;
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
	cell.class = class_of(cell.base, cell.outcome);
	if (cell.domain == MATRIX_STRICT && cell.subject->is_refused)
		cell.class = CLASS_REFUSED;
	else if (cell.domain == MATRIX_STRICT &&
	         !is_used(common->policies[cell.policy], cell.subject->row))
		cell.class = CLASS_UNUSED;
	return cell;
}

const char *cell_evidence(const struct cell *cell)
{
	return cell->machine->config.format ? "tables" : "recorded";
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

	line_add(line, "from chunk %u (order %u) %s at pa 0x%" PRIx64 ", off pages of %s", o->chunk,
	         o->order, size_exact(o->size).s, o->pa, size_exact(granule).s);
	if (o->verdict == VERDICT_BROKEN)
		line_add(line, "; map says %s", iommusim_errname(o->err));
	else
		line_add(line, "; its neighbours happen to adjoin it");
	if (cell->class == CLASS_BROKEN && cell->base->verdict == VERDICT_OUT_OF_MEMORY)
		line_add(line, "; the base finds no memory");
	line_add(line, " (%s)", cell_evidence(cell));
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

void cell_describe(const struct cell *cell, struct line *line)
{
	if (cell->class == CLASS_REFUSED)
		line_add(line, "%s",
		         *cell->subject->refusal ? cell->subject->refusal
		                                 : "not simulated: pages above 4G only");
	else if (cell->class == CLASS_UNUSED)
		line_add(line, "another allocator serves these domains");
	else if (cell->class == CLASS_BROKEN || cell->class == CLASS_BY_LUCK)
		describe_misfit(cell, line);
	else if (cell->class == CLASS_NO_MEMORY)
		describe_shortage(cell->outcome, line);
	else if (cell->class == CLASS_ALIKE)
		line_add(line, "the base is %s, too",
		         cell->base->verdict == VERDICT_BROKEN ? "broken" : "out of memory");
	if (cell->class != CLASS_SLOWER && cell->class != CLASS_MORE_MEMORY)
		return;
	more(line, "pages", cell->outcome->pages, cell->base->pages);
	more(line, "attempts", cell->outcome->tried, cell->base->tried);
	more(line, "leaf entries", cell->outcome->leaves, cell->base->leaves);
	more(line, "attempts above order 0 in vain", cell->outcome->vain, cell->base->vain);
}

/* Whether compare, which has tables of the default widths, makes the same page sizes. */
static int is_default(const struct matrix *matrix, const struct matrix_machine *machine)
{
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = machine->config.format,
		                                  .kernel = matrix->options->common.kernel,
		                                  .page_shift = machine->page_shift,
		                                  .pgsizes = machine->config.pgsizes };
	struct iommusim_pgtable *pgtable;
	int is_same;

	if (!config.format || iommusim_pgtable_create(&config, &pgtable))
		return 0;
	is_same = iommusim_pgtable_info(pgtable).pgsizes == machine->config.pgsizes;
	iommusim_pgtable_destroy(pgtable);
	return is_same;
}

void cell_command(const struct matrix *matrix, const struct cell *cell, struct line *line)
{
	const struct matrix_options *options = matrix->options;
	const struct matrix_machine *m = cell->machine;
	int is_strict = cell->domain == MATRIX_STRICT;

	line_add(line, "iommusim compare --memory %s --memory-start 1G --state %s --page-size %s",
	         size_exact(matrix_memory(options, m->page_shift)).s, options->states[cell->state],
	         size_exact(UINT64_C(1) << m->page_shift).s);
	if (options->common.seed != 1)
		line_add(line, " --seed %" PRIu64, options->common.seed);
	line_add(line, " --kernel %s --size %s --pgsizes %s --policy %s,%s --attrs %s --domain %s",
	         kernel_name(options->common.kernel), size_exact(options->sizes[cell->size]).s,
	         pgsizes_text(m->config.pgsizes, ',').s, options->base->alias,
	         options->common.policies[cell->policy]->alias,
	         attrs_name(options->common.attrs[cell->attrs]), is_strict ? "strict" : "extended");
	line_add(line, " --pgtable %s", is_default(matrix, m) ? m->config.format->name : "none");
}
