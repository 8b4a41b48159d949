/* SPDX-License-Identifier: MIT */
/*
 * Runs a policy: records its attempts, keeps its chunks, and gives everything back when it fails.
 * Room for the record of an attempt is made before the attempt, so that a page once handed out is
 * never lost to a failure of the host.
 */
#include "chunk/run.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/compiler.h"
#include "base/units.h"

int iommusim_chunk_plan(const struct iommusim_policy *policy,
                        const struct iommusim_chunk_request *req, struct iommusim_chunk_plan *plan)
{
	struct iommusim_policy p; /* as much of it as the caller's header knows */
	int err = isim_copy_sized(&p, sizeof(p), policy);

	if (err)
		return err;
	if (!req->size || req->page_shift < 12 || req->page_shift > 16 ||
	    req->max_order >= IOMMUSIM_MAX_ORDERS)
		return -IOMMUSIM_EINVAL;
	return (p.plan ? p.plan : isim_chunk_plan_mask)(policy, req, plan);
}

/* ---- What a policy calls ---- */

int isim_chunk_misuse(struct iommusim_chunk_run *run, int err)
{
	if (!run->misuse)
		run->misuse = err;
	return err;
}

static int make_room(struct iommusim_chunk_run *run)
{
	struct iommusim_chunks *out = run->out;
	int err = isim_grow(&out->host, &out->attempt, &out->cap_attempts, out->nr_attempts + 1,
	                    sizeof(*out->attempt));

	if (!err)
		err = isim_grow(&out->host, &out->chunk, &out->cap_chunks, out->nr_chunks + 1,
		                sizeof(*out->chunk));
	return err ? isim_no_memory(&run->diag, "the attempts of a request") : 0;
}

static void record(struct iommusim_chunk_run *run, const struct iommusim_page_request *req,
                   int result)
{
	struct iommusim_chunks *out = run->out;
	struct iommusim_attempt *attempt = &out->attempt[out->nr_attempts++];
	unsigned last = IOMMUSIM_MAX_ORDERS + 1;
	unsigned slot = req->order < last ? req->order : last;
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_ATTEMPT,
		                        .order = (uint8_t)req->order,
		                        .gfp = req->gfp,
		                        .result = result };

	*attempt = (struct iommusim_attempt){ .pfn = IOMMUSIM_NO_PFN,
		                              .gfp = req->gfp,
		                              .order = (uint8_t)req->order };
	if (!result) {
		attempt->pfn = run->block.pfn;
		attempt->zone = run->block.zone;
		attempt->migratetype = run->block.migratetype;
	}
	out->nr_tried[slot]++;
	out->nr_failed[slot] += result != 0;
	event.pfn = attempt->pfn;
	isim_event(&run->diag, &event);
}

/*
 * More attempts than any loop of the kernel makes, which steps down through all orders for each
 * page at worst.
 */
static int is_endless(const struct iommusim_chunk_run *run)
{
	uint64_t over = run->out->nr_attempts / 64;

	return over > 32 && over - 32 > run->out->plan.count;
}

static int give_up_endless(struct iommusim_chunk_run *run)
{
	char text[80];

	snprintf(text, sizeof(text), "after attempt %llu it makes attempts without end",
	         (unsigned long long)run->out->nr_attempts - 1);
	iommusim_chunk_tell(run, IOMMUSIM_FINDING_ENDLESS, text);
	return isim_chunk_misuse(
		run, isim_fail(&run->diag, IOMMUSIM_EBUG, "the policy makes attempts without end"));
}

/* One attempt, recorded; the block is in run->block. */
static int attempt(struct iommusim_chunk_run *run, unsigned order, uint32_t gfp)
{
	struct iommusim_page_request req = { .order = order, .gfp = gfp, .node = run->req->node };
	int err;

	if (run->undecided)
		return ISIM_MISUSE(run, "the policy neither kept nor dropped pfn 0x%llx",
		                   (unsigned long long)run->block.pfn);
	if (order >= 64)
		return ISIM_MISUSE(run, "the policy tried order %u", order);
	if (is_endless(run))
		return give_up_endless(run);
	err = isim_chunk_check_no_range(run);
	if (!err)
		err = make_room(run);
	if (err)
		return err;
	err = run->source.alloc_pages(run->source.ctx, &req, &run->block);
	if (!err || err == -IOMMUSIM_ENOMEM)
		record(run, &req, err);
	return err;
}

int iommusim_chunk_try(struct iommusim_chunk_run *run, unsigned order, uint32_t gfp,
                       iommusim_pfn *pfn)
{
	int err = attempt(run, order, gfp);

	if (err)
		return err;
	run->block_order = order;
	run->undecided = 1;
	if (pfn)
		*pfn = run->block.pfn;
	return 0;
}

static int nothing_to_decide(struct iommusim_chunk_run *run)
{
	return ISIM_MISUSE(run, "the policy has no block to keep or drop");
}

int iommusim_chunk_drop(struct iommusim_chunk_run *run)
{
	if (!run->undecided)
		return nothing_to_decide(run);
	run->undecided = 0;
	return run->source.free_pages(run->source.ctx, run->block.pfn, run->block_order);
}

static void append(struct iommusim_chunk_run *run, int is_split)
{
	struct iommusim_chunks *out = run->out;

	out->chunk[out->nr_chunks++] = (struct iommusim_chunk){ .pfn = run->block.pfn,
		                                                .order = (uint8_t)run->block_order,
		                                                .is_split = (uint8_t)is_split };
	out->nr_pages += isim_bit(run->block_order);
	run->undecided = 0;
}

int iommusim_chunk_keep(struct iommusim_chunk_run *run)
{
	int err = 0;

	if (!run->undecided)
		return nothing_to_decide(run);
	if (run->block_order)
		err = run->source.split_page(run->source.ctx, run->block.pfn, run->block_order);
	if (!err)
		append(run, 1);
	return err;
}

int iommusim_chunk_keep_block(struct iommusim_chunk_run *run)
{
	if (!run->undecided)
		return nothing_to_decide(run);
	append(run, 0);
	return 0;
}

/* Give back the pages of the split block from number @first on, up to @end. */
static int free_pages(struct iommusim_chunk_run *run, uint64_t first, uint64_t end)
{
	int err = 0;

	for (uint64_t i = first; !err && i < end; i++)
		err = run->source.free_pages(run->source.ctx, run->block.pfn + i, 0);
	return err;
}

int iommusim_chunk_keep_part(struct iommusim_chunk_run *run, uint64_t count)
{
	struct iommusim_chunks *out = run->out;
	unsigned order = run->block_order;
	int err;

	if (!run->undecided || !count || count > isim_bit(order))
		return nothing_to_decide(run);
	err = isim_grow(&out->host, &out->chunk, &out->cap_chunks, out->nr_chunks + 64,
	                sizeof(*out->chunk));
	if (err)
		return isim_no_memory(&run->diag, "the chunks of a request");
	if (order)
		err = run->source.split_page(run->source.ctx, run->block.pfn, order);
	if (err)
		return err;
	err = free_pages(run, count, isim_bit(order));
	for (; count;
	     count &= ~isim_bit(run->block_order), run->block.pfn += isim_bit(run->block_order)) {
		run->block_order = isim_high_bit(count);
		append(run, 1);
	}
	return err;
}

void iommusim_chunk_find(struct iommusim_chunk_run *run, uint32_t finding)
{
	run->out->findings |= finding;
}

const char *iommusim_finding_text(uint32_t findings)
{
	static const struct {
		uint32_t bit;
		const char *text;
	} texts[] = {
		{ IOMMUSIM_FINDING_STALE_BLOCK,
		  "the kernel's loop goes on with a block that it has freed" },
		{ IOMMUSIM_FINDING_LEAK, "the kernel's loop does not give back the first page of a "
		                         "request that fails" },
		{ IOMMUSIM_FINDING_BEFORE_PAGE,
		  "the kernel's loop gives back what lies before its page array" },
		{ IOMMUSIM_FINDING_BAD_FREE, "frees what cannot be freed so" },
		{ IOMMUSIM_FINDING_BAD_SPLIT, "splits what cannot be split so" },
		{ IOMMUSIM_FINDING_BAD_PAGE, "the page array holds what it must not" },
		{ IOMMUSIM_FINDING_MEMORY, "touches memory that is not its own" },
		{ IOMMUSIM_FINDING_WARN, "WARN_ON()" },
		{ IOMMUSIM_FINDING_BUG, "BUG_ON()" },
		{ IOMMUSIM_FINDING_ENDLESS, "does not come to an end" },
		{ IOMMUSIM_FINDING_LOST_TAIL,
		  "the kernel frees by the caller's size: what rounding added is lost" },
	};

	for (size_t i = 0; i < ISIM_ARRAY_LEN(texts); i++)
		if (findings & texts[i].bit)
			return texts[i].text;
	return findings ? "does what has no name here" : NULL;
}

int iommusim_chunk_get(struct iommusim_chunk_run *run, unsigned order, uint32_t gfp)
{
	int err = iommusim_chunk_try(run, order, gfp, NULL);

	return err ? err : iommusim_chunk_keep(run);
}

int iommusim_chunk_split_huge(struct iommusim_chunk_run *run)
{
	int err;

	if (!run->undecided)
		return nothing_to_decide(run);
	if (!run->source.split_huge_page)
		return -IOMMUSIM_EINVAL;
	err = run->source.split_huge_page(run->source.ctx, run->block.pfn, run->block_order);
	if (err)
		return -IOMMUSIM_EINVAL;
	append(run, 1);
	return 0;
}

/* ---- What a policy with its own books calls ---- */

int iommusim_chunk_take(struct iommusim_chunk_run *run, unsigned order, uint32_t gfp,
                        iommusim_pfn *pfn)
{
	int err = attempt(run, order, gfp);

	if (!err)
		*pfn = run->block.pfn;
	return err;
}

int iommusim_chunk_give_back(struct iommusim_chunk_run *run, iommusim_pfn pfn, unsigned order)
{
	int err = run->source.free_pages(run->source.ctx, pfn, order);

	if (!err)
		run->out->nr_freed += isim_bit(order);
	return err;
}

int iommusim_chunk_split(struct iommusim_chunk_run *run, iommusim_pfn pfn, unsigned order,
                         int is_compound)
{
	if (!is_compound)
		return run->source.split_page(run->source.ctx, pfn, order);
	if (!run->source.split_huge_page)
		return -IOMMUSIM_EINVAL;
	return run->source.split_huge_page(run->source.ctx, pfn, order);
}

/* Does @chunk lie in the block that attempt @at got? */
static int is_within(const struct iommusim_attempt *at, const struct iommusim_chunk *chunk)
{
	uint64_t offset = chunk->pfn - at->pfn; /* large where it lies before */

	return at->pfn != IOMMUSIM_NO_PFN && at->order >= chunk->order &&
	       offset <= isim_bit(at->order) - isim_bit(chunk->order);
}

/*
 * Was @chunk, or what it is a part of, ever got? Attempts are searched from the last one found
 * outwards: blocks are appended in the order of the attempts, or backwards.
 */
static int was_got(struct iommusim_chunk_run *run, const struct iommusim_chunk *chunk)
{
	const struct iommusim_attempt *attempt = run->out->attempt;
	size_t nr = run->out->nr_attempts, from = run->appended;

	for (size_t step = 0; step <= from || from + step < nr; step++) {
		if (from + step < nr && is_within(&attempt[from + step], chunk)) {
			run->appended = from + step;
			return 1;
		}
		if (step <= from && from - step < nr && is_within(&attempt[from - step], chunk)) {
			run->appended = from - step;
			return 1;
		}
	}
	return 0;
}

int iommusim_chunk_append(struct iommusim_chunk_run *run, const struct iommusim_chunk *chunk)
{
	struct iommusim_chunks *out = run->out;
	int err;

	if (chunk->order >= IOMMUSIM_MAX_ORDERS)
		return ISIM_MISUSE(run, "the policy appended order %u", chunk->order);
	if (!was_got(run, chunk))
		return ISIM_MISUSE(
			run, "the policy appended order %u at pfn 0x%llx, which no attempt got",
			chunk->order, (unsigned long long)chunk->pfn);
	err = isim_chunk_check_no_range(run);
	if (err)
		return err;
	err = isim_grow(&out->host, &out->chunk, &out->cap_chunks, out->nr_chunks + 1,
	                sizeof(*out->chunk));
	if (err)
		return isim_no_memory(&run->diag, "the chunks of a request");
	out->chunk[out->nr_chunks++] = *chunk;
	out->nr_pages += isim_bit(chunk->order);
	return 0;
}

void iommusim_chunk_tell(struct iommusim_chunk_run *run, uint32_t finding, const char *text)
{
	char *told = run->out->told;

	run->out->findings |= finding;
	if (told[0])
		return;
	snprintf(told, sizeof(run->out->told), "%s", text);
	for (; *told; told++)
		if ((unsigned char)*told < ' ' ||
		    *told == 0x7f) /* it is one line, for a terminal */
			*told = '?';
}

size_t iommusim_chunk_nr_attempts(const struct iommusim_chunk_run *run)
{
	return run->out->nr_attempts;
}

/* ---- Giving back ---- */

static int free_chunk(const struct iommusim_page_source *source, const struct iommusim_chunk *chunk)
{
	int err = 0, first = 0;

	if (!chunk->is_split)
		return source->free_pages(source->ctx, chunk->pfn, chunk->order);
	for (uint64_t i = isim_bit(chunk->order); i-- > 0;) {
		err = source->free_pages(source->ctx, chunk->pfn + i, 0);
		if (err && !first)
			first = err;
	}
	return first;
}

static int free_all(const struct iommusim_chunks *chunks, const struct iommusim_page_source *source,
                    unsigned first_first)
{
	int first = 0;

	if (chunks->is_contiguous && chunks->nr_chunks)
		return isim_chunk_free_contiguous(chunks, source);
	for (size_t n = chunks->nr_chunks, i = 0; i < n; i++) {
		int err = free_chunk(source, &chunks->chunk[first_first ? i : n - 1 - i]);

		if (err && !first)
			first = err;
	}
	return first;
}

int iommusim_chunk_free(struct iommusim_chunks *chunks, const struct iommusim_page_source *source)
{
	int err = free_all(chunks, source, 0);

	chunks->nr_chunks = 0;
	chunks->nr_pages = 0;
	return err;
}

void iommusim_chunks_finish(struct iommusim_chunks *chunks)
{
	if (chunks->chunk)
		isim_free(&chunks->host, chunks->chunk);
	if (chunks->attempt)
		isim_free(&chunks->host, chunks->attempt);
	memset(chunks, 0, sizeof(*chunks));
}

/* ---- Running ---- */

static const char *name_of(const struct iommusim_policy *policy)
{
	return policy->name ? policy->name : "without a name";
}

static int run_policy(struct iommusim_chunk_run *run, const struct iommusim_policy *policy,
                      unsigned first_back_first)
{
	struct iommusim_chunks *out = run->out;
	int err = policy->alloc(policy, run->req, &out->plan, run);

	if (run->misuse)
		err = run->misuse;
	if (!err && (run->undecided || out->nr_pages != out->plan.count))
		err = isim_fail(&run->diag, IOMMUSIM_EINVAL,
		                "policy %s got %llu of %llu pages and calls that success",
		                name_of(policy), (unsigned long long)out->nr_pages,
		                (unsigned long long)out->plan.count);
	if (!err) {
		out->nr_freed = 0;
		return 0;
	}
	if (run->undecided)
		iommusim_chunk_drop(run);
	free_all(out, &run->source, first_back_first);
	out->nr_freed += out->nr_pages;
	out->nr_pages = 0;
	return err;
}

int iommusim_chunk_alloc(const struct iommusim_chunk_job *job, struct iommusim_chunks *chunks)
{
	struct iommusim_chunk_run run = { .req = &job->req, .out = chunks };
	struct iommusim_policy policy; /* as much of it as the caller's header knows */
	int err;

	memset(chunks, 0, sizeof(*chunks));
	err = isim_host_init(&chunks->host, job->host);
	if (err)
		return err;
	run.diag.host = chunks->host;
	err = isim_copy_sized(&run.source, sizeof(run.source), job->source);
	if (!err)
		err = isim_copy_sized(&policy, sizeof(policy), job->policy);
	if (err)
		return err;
	if (!policy.alloc || !run.source.alloc_pages || !run.source.free_pages ||
	    !run.source.split_page || !run.source.alloc_contiguous != !run.source.free_contiguous)
		return isim_fail(
			&run.diag, IOMMUSIM_EINVAL,
			"a policy needs alloc; a page source needs alloc_pages, free_pages "
			"and split_page, and free_contiguous with alloc_contiguous");
	if (policy.only_order && policy.only_order != job->req.max_order)
		return isim_fail(&run.diag, IOMMUSIM_EINVAL,
		                 "policy %s is for a largest order of %u only, not %u",
		                 name_of(job->policy), policy.only_order, job->req.max_order);
	if (job->plan)
		chunks->plan = *job->plan;
	else
		err = iommusim_chunk_plan(job->policy, &job->req, &chunks->plan);
	if (err)
		return isim_fail(&run.diag, -err, "policy %s has no plan for %llu bytes",
		                 name_of(job->policy), (unsigned long long)job->req.size);
	err = run_policy(&run, job->policy, policy.first_back_first);
	if (run.range)
		isim_free(&chunks->host, run.range);
	return err;
}
