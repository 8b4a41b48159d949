/* SPDX-License-Identifier: MIT */
/* The figures with and without the attribute, and the advice that follows from them by one rule. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "advise.h"
#include "iommusim.h"
#include "text.h"
#include "units.h"

/* ---- The rule ---- */

enum figure { FIGURE_LOST, FIGURE_WORK, FIGURE_LEAVES, NR_FIGURES };

/* What an attempt in vain counts as, in attempts that succeed. Published measurements have 0.2 ms
 * and more for one that compacts, 0.1 to 0.3 us for a page from the free lists. */
#define VAIN_WEIGHT 1000

/* What counts first. */
static const enum figure orders[NR_ACCESSES][NR_FIGURES] = {
	[ACCESS_SEQUENTIAL] = { FIGURE_LOST, FIGURE_WORK, FIGURE_LEAVES },
	[ACCESS_ROTATE] = { FIGURE_LOST, FIGURE_LEAVES, FIGURE_WORK },
	[ACCESS_RANDOM] = { FIGURE_LOST, FIGURE_LEAVES, FIGURE_WORK },
};

void advise_print_rule(void)
{
	print_wrapped(
		"", 0,
		"The rule: of these figures the first that differs in any memory decides, by the "
		"memory in which it differs most, and less is better. For sequential access, where "
		"each entry is used once: lost, work, entries. For rotate and random, where an "
		"entry "
		"that the IOTLB cannot hold is read again: lost, entries, work. Memory in which "
		"neither choice gets a buffer is left out. Where the same rule says the opposite "
		"for one memory alone, a line \"but\" says so.");
	putchar('\n');
	print_wrapped(
		"", 0,
		"In vain are attempts that failed above order 0 though they may reclaim. Work "
		"is attempts, and 1000 more for each in vain: one that compacts takes 0.2 ms "
		"and more, one that finds a page 0.1 to 0.3 us. Lost is a buffer that lacks "
		"memory, or addresses (IOVA), or whose pages cannot be mapped (mapping).");
}

static uint64_t nr_lost(const struct answer *answer)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < NR_LACKS; i++)
		nr += answer->lost[i];
	return nr;
}

static uint64_t work_of(const struct answer *answer)
{
	return answer->tried + VAIN_WEIGHT * answer->vain;
}

static uint64_t figure_of(const struct answer *answer, enum figure figure)
{
	if (figure == FIGURE_LOST)
		return nr_lost(answer);
	return figure == FIGURE_WORK ? work_of(answer) : answer->leaves;
}

/* A figure that decides, in a memory; figure NR_FIGURES: none does. */
struct reason {
	enum figure figure;
	unsigned state;
};

/* [attribute]: how far apart they are. */
static uint64_t distance(const struct answer *answer, enum figure figure)
{
	uint64_t none = figure_of(&answer[0], figure), single = figure_of(&answer[1], figure);

	return none > single ? none - single : single - none;
}

/* The first figure that differs in the memories @first .. @end - 1. */
static struct reason reason_of(const struct question *question,
                               struct answer answers[NR_ADVISE_STATES][2], unsigned first,
                               unsigned end)
{
	struct reason reason = { NR_FIGURES, first };
	uint64_t most = 0;

	for (unsigned f = 0; !most && f < NR_FIGURES; f++) {
		enum figure figure = orders[question->access][f];

		for (unsigned i = first; i < end; i++) {
			uint64_t nr_buffers = question->common.nr_buffers;
			int is_idle = nr_lost(&answers[i][0]) == nr_buffers &&
			              nr_lost(&answers[i][1]) == nr_buffers;

			if (is_idle || distance(answers[i], figure) <= most)
				continue;
			most = distance(answers[i], figure);
			reason.figure = figure;
			reason.state = i;
		}
	}
	return reason;
}

/* 1: the attribute is the better choice. */
static int is_for_single(struct answer answers[NR_ADVISE_STATES][2], const struct reason *reason)
{
	const struct answer *answer = answers[reason->state];

	return figure_of(&answer[1], reason->figure) < figure_of(&answer[0], reason->figure);
}

/* ---- In words ---- */

static const char *choice_name(int is_single)
{
	return is_single ? "single pages" : "no attribute";
}

static void add_pair(struct line *line, const struct answer *answer, enum figure figure)
{
	uint64_t none = figure_of(&answer[0], figure), single = figure_of(&answer[1], figure);
	const char *noun = figure == FIGURE_LOST   ? "lost"
	                   : figure == FIGURE_WORK ? "attempts"
	                                           : "entries";

	if (figure == FIGURE_WORK && (answer[0].vain || answer[1].vain))
		line_add(line,
		         "work %" PRIu64 " without it (%" PRIu64 " of %" PRIu64
		         " attempts in vain), %" PRIu64 " with it (%" PRIu64 " of %" PRIu64 ")",
		         none, answer[0].vain, answer[0].tried, single, answer[1].vain,
		         answer[1].tried);
	else
		line_add(line, "%s %" PRIu64 " without it, %" PRIu64 " with it", noun, none,
		         single);
}

static void print_advice(const struct question *question,
                         struct answer answers[NR_ADVISE_STATES][2], const struct reason *reason)
{
	struct line line = { .len = 0 };

	line_add(&line, "%s", choice_name(is_for_single(answers, reason)));
	if (reason->figure == FIGURE_LEAVES && !advise_has_entries(question))
		line_add(&line, ", if there are entries for larger pages");
	line_add(&line, ": ");
	add_pair(&line, answers[reason->state], reason->figure);
	line_add(&line, ", in memory %s", advise_states[reason->state]);
	if (reason->figure == FIGURE_LEAVES)
		line_add(&line, "; one that the IOTLB cannot hold is read again at %s access",
		         access_names[question->access]);
	else if (reason->figure != FIGURE_LOST && question->access == ACCESS_SEQUENTIAL)
		line_add(&line, "; a device that reads on uses each entry once");
	print_wrapped("advice", LABEL_WIDTH, line.s);
}

/* Where the other choice is the better one. */
static void print_but(const struct question *question, struct answer answers[NR_ADVISE_STATES][2],
                      int is_single)
{
	struct line line = { .len = 0 };

	for (unsigned i = 0; i < NR_ADVISE_STATES; i++) {
		struct reason reason = reason_of(question, answers, i, i + 1);

		if (reason.figure == NR_FIGURES || is_for_single(answers, &reason) == is_single)
			continue;
		if (line.len)
			line_add(&line, ", ");
		else
			line_add(&line, "%s in memory ", choice_name(!is_single));
		line_add(&line, "%s (", advise_states[i]);
		add_pair(&line, answers[i], reason.figure);
		line_add(&line, ")");
	}
	if (line.len)
		print_wrapped("but", LABEL_WIDTH, line.s);
}

static int is_all_lost(const struct question *question, struct answer answers[NR_ADVISE_STATES][2])
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < NR_ADVISE_STATES * 2; i++)
		nr += nr_lost(&answers[i / 2][i % 2]);
	return nr == NR_ADVISE_STATES * 2 * question->common.nr_buffers;
}

static void print_verdict(const struct question *question,
                          struct answer answers[NR_ADVISE_STATES][2])
{
	struct reason reason = reason_of(question, answers, 0, NR_ADVISE_STATES);

	if (is_all_lost(question, answers)) {
		print_wrapped("advice", LABEL_WIDTH,
		              "none: no buffer of such a size is to be had, with or without it");
	} else if (reason.figure == NR_FIGURES) {
		print_wrapped("advice", LABEL_WIDTH,
		              "either: the attribute changes nothing for buffers of these sizes");
	} else {
		print_advice(question, answers, &reason);
		print_but(question, answers, is_for_single(answers, &reason));
	}
}

/* ---- The table ---- */

#define NR_COLUMNS 9
#define NR_ROWS    (1 + NR_ADVISE_STATES * 2)

struct cell {
	char s[80];
};

static struct cell cell_of(const char *text)
{
	struct cell cell;

	snprintf(cell.s, sizeof(cell.s), "%.*s", (int)sizeof(cell.s) - 1, text);
	return cell;
}

static struct cell count(uint64_t number)
{
	struct cell cell;

	snprintf(cell.s, sizeof(cell.s), "%" PRIu64, number);
	return cell;
}

/* "0", "56: memory", or "3: 2 memory, 1 IOVA". */
static struct cell losses(const struct answer *answer)
{
	static const char *const names[NR_LACKS] = { "memory", "IOVA", "mapping" };
	struct line line = { .len = 0 };
	uint64_t all = nr_lost(answer);
	const char *before = ": ";

	line_add(&line, "%" PRIu64, all);
	for (unsigned i = 0; i < NR_LACKS; i++) {
		if (!answer->lost[i])
			continue;
		line_add(&line, "%s", before);
		if (answer->lost[i] < all)
			line_add(&line, "%" PRIu64 " ", answer->lost[i]);
		line_add(&line, "%s", names[i]);
		before = ", ";
	}
	return cell_of(line.s);
}

static void fill_row(struct cell *row, const char *state, uint32_t attrs,
                     const struct answer *answer)
{
	row[0] = cell_of(state);
	row[1] = cell_of(attrs_name(attrs));
	row[2] = count(answer->tried);
	row[3] = count(answer->vain);
	row[4] = count(work_of(answer));
	row[5] = count(answer->chunks);
	row[6] = count(answer->leaves);
	row[7] = cell_of(answer->largest ? size_exact(answer->largest).s : "-");
	row[8] = losses(answer);
}

static int width_of(struct cell rows[NR_ROWS][NR_COLUMNS], unsigned column)
{
	size_t width = 0;

	for (unsigned i = 0; i < NR_ROWS; i++)
		if (strlen(rows[i][column].s) > width)
			width = strlen(rows[i][column].s);
	return (int)width;
}

/* Figures are flush right. */
static void print_table(struct answer answers[NR_ADVISE_STATES][2])
{
	static const char *const titles[NR_COLUMNS] = { "memory",  "attributes", "attempts",
		                                        "in vain", "work",       "chunks",
		                                        "entries", "largest",    "lost: lacking" };
	struct cell rows[NR_ROWS][NR_COLUMNS];

	for (unsigned i = 0; i < NR_COLUMNS; i++)
		rows[0][i] = cell_of(titles[i]);
	for (unsigned i = 1; i < NR_ROWS; i++)
		fill_row(rows[i], advise_states[(i - 1) / 2],
		         i % 2 ? 0 : IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES,
		         &answers[(i - 1) / 2][(i - 1) % 2]);
	for (unsigned i = 0; i < NR_ROWS; i++) {
		for (unsigned k = 0; k + 1 < NR_COLUMNS; k++) {
			int width = width_of(rows, k);

			printf("  %*s", k < 2 ? -width : width, rows[i][k].s);
		}
		printf("  %s\n", rows[i][NR_COLUMNS - 1].s);
	}
}

/* ---- All of it ---- */

static void print_head(const struct question *question)
{
	const struct options *common = &question->common;
	struct line line = { .len = 0 };

	line_add(&line, "%s: %s", question->platform->id, question->platform->name);
	print_wrapped("platform", LABEL_WIDTH, line.s);
	line.len = 0;
	line_add(&line, "%s, {%s}, CPU pages of %s", question->row->id,
	         pgsizes_text(question->row->pgsizes, ',').s,
	         size_exact(UINT64_C(1) << question->platform->page_shift).s);
	print_wrapped("iommu", LABEL_WIDTH, line.s);
	line.len = 0;
	line_add(&line, "%s (%s), Linux %s", question->policy->name, question->policy->alias,
	         kernel_name(common->kernel));
	print_wrapped("policy", LABEL_WIDTH, line.s);
	line.len = 0;
	for (unsigned i = 0; i < common->nr_sizes; i++) {
		line_add(&line, "%s", i ? ", " : "");
		if (common->sizes[i].count > 1)
			line_add(&line, "%" PRIu64 "x", common->sizes[i].count);
		line_add(&line, "%s", size_exact(common->sizes[i].bytes).s);
	}
	print_wrapped("buffers", LABEL_WIDTH, line.s);
}

static void print_tail(const struct question *question)
{
	struct line line = { .len = 0 };

	if (!iommusim_catalog_driver_in(question->row, question->common.kernel)) {
		line_add(&line,
		         "this row is of other releases than Linux %s, see iommusim show driver %s",
		         kernel_name(question->common.kernel), question->row->id);
		print_wrapped("beware", LABEL_WIDTH, line.s);
		line.len = 0;
	}
	if (*question->row->notes)
		print_wrapped("of the row", LABEL_WIDTH, question->row->notes);
	line_add(&line,
	         "all buffers are held at a time; in vain: failed above order 0, though it may "
	         "reclaim; work: attempts, and %d more for each in vain; entries are ",
	         VAIN_WEIGHT);
	line_add(&line, advise_has_entries(question)
	                        ? "the leaves in the tables"
	                        : "the pages that the driver is asked for, as it has no tables in "
	                          "memory");
	line_add(&line, "; fragmented memory is one zone from 1G on, of at most 3G");
	print_wrapped("assumed", LABEL_WIDTH, line.s);
}

void advise_print(const struct question *question, struct answer answers[NR_ADVISE_STATES][2])
{
	print_head(question);
	putchar('\n');
	print_table(answers);
	putchar('\n');
	print_verdict(question, answers);
	print_tail(question);
}
