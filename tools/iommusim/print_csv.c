/* SPDX-License-Identifier: MIT */
/* One row per result; lists are "key:count" separated by semicolons, keys orders or page sizes. */
#include "print.h"

#include <inttypes.h>
#include <stdio.h>
#include "reason.h"
#include "units.h"

static const char header[] =
	"state,kernel,page_size,domain,sizes,seed,pgsizes,policy,alias,attrs,verdict,buffers,"
	"buffers_with_verdict,"
	"tried,failed,chunks,leaf_entries,pgtable,table_pages,table_words,map_calls,iova_first,"
	"iova_last,tried_by_order,"
	"failed_by_order,chunks_by_order,leaf_entries_by_size,free_blocks_by_order,step,error,"
	"reason";

/* The counters that are not 0, behind a comma. With @is_log2 their index is the key's log2. */
static void put_list(const uint64_t *counters, unsigned n, int is_log2)
{
	int is_first = 1;

	putchar(',');
	for (unsigned i = 0; i < n; i++) {
		if (!counters[i])
			continue;
		printf("%s%" PRIu64 ":%" PRIu64, is_first ? "" : ";",
		       is_log2 ? UINT64_C(1) << i : (uint64_t)i, counters[i]);
		is_first = 0;
	}
}

static void put_inputs(const struct report *report)
{
	const struct options *options = report->options;
	struct line state = { .len = 0 };

	state_describe(options, report->state, &state);
	print_quoted(state.s);
	printf(",%s,%" PRIu64 ",%s,", kernel_name(options->kernel),
	       UINT64_C(1) << options->page_shift, mode_name(options->mode));
	for (unsigned i = 0; i < options->nr_sizes; i++)
		printf("%s%" PRIu64 "x%" PRIu64, i ? ";" : "", options->sizes[i].count,
		       options->sizes[i].bytes);
	printf(",%" PRIu64, options->seed);
}

static void put_totals(const struct result *result)
{
	printf(",%" PRIu64 ",%" PRIu64, result->nr_buffers, result->nr_alike);
	printf(",%" PRIu64, sum(result->nr_tried, NR_ORDERS));
	printf(",%" PRIu64, sum(result->nr_failed, NR_ORDERS));
	printf(",%" PRIu64, sum(result->nr_chunks, NR_ORDERS));
	printf(",%" PRIu64, sum(result->nr_leaves, NR_SIZES));
	if (result->format)
		printf(",%s,%" PRIu64 ",%" PRIu64, result->format->name, result->nr_tables,
		       result->nr_words);
	else
		printf(",none,,");
	printf(",%" PRIu64, result->nr_map_calls);
	if (result->iova <= result->iova_last)
		printf(",%" PRIu64 ",%" PRIu64, result->iova, result->iova_last);
	else
		printf(",,");
}

static void put_result(const struct report *report, const struct result *result)
{
	struct line reason = { .len = 0 };

	put_inputs(report);
	printf(",%s,%s,%s,%s,%s", pgsizes_text(result->pgsizes, ';').s, result->policy->name,
	       result->policy->alias, attrs_name(result->attrs), verdict_name(result->verdict));
	put_totals(result);
	put_list(result->nr_tried, NR_ORDERS, 0);
	put_list(result->nr_failed, NR_ORDERS, 0);
	put_list(result->nr_chunks, NR_ORDERS, 0);
	put_list(result->nr_leaves, NR_SIZES, 1);
	put_list(result->free_blocks, NR_ORDERS, 0);
	reason_describe(report, result, &reason);
	printf(",%s,%s,", step_name(result), error_name(result));
	print_quoted(reason.s);
	putchar('\n');
}

void print_csv(const struct report *report)
{
	puts(header);
	for (size_t i = 0; i < report->nr_results; i++)
		put_result(report, &report->results[i]);
}
