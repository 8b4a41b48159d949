/* SPDX-License-Identifier: MIT */
/*
 * One policy in one world: run it, free what it got, run it again elsewhere, and say which
 * invariants did not hold.
 */
#include "iommusim/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/compiler.h"
#include "base/host.h"
#include "base/units.h"
#include "check/witness.h"
#include "check/world.h"

/* One run of the policy. */
struct trial {
	struct isim_witness witness;
	struct iommusim_chunks chunks;
	int result;
	int is_clean; /* after everything was freed all is as before */
	iommusim_pfn base;
};

struct judge {
	const struct iommusim_world *world;
	struct iommusim_verdict *verdict;
	char said[160]; /* the library's first message, "": none */
};

static void keep_first(void *ctx, const char *line)
{
	struct judge *j = ctx;

	if (!j->said[0])
		snprintf(j->said, sizeof(j->said), "%s", line);
}

static void ISIM_PRINTF(3, 4) broken(struct judge *j, unsigned invariant, const char *fmt, ...)
{
	va_list args;

	if (j->verdict->broken >> invariant & 1)
		return;
	j->verdict->broken |= 1u << invariant;
	va_start(args, fmt);
	vsnprintf(j->verdict->text[invariant], sizeof(j->verdict->text[invariant]), fmt, args);
	va_end(args);
}

static void finish(struct trial *t)
{
	iommusim_chunks_finish(&t->chunks);
	isim_witness_close(&t->witness);
}

/* What the policy's callers make of the world's gfp. */
static uint32_t callers_gfp(const struct iommusim_policy *policy, uint32_t gfp)
{
	struct iommusim_policy p; /* as much of it as the caller's header knows */

	if (isim_copy_sized(&p, sizeof(p), policy) || p.takes_comp)
		return gfp;
	return gfp & ~IOMMUSIM_GFP_BIT_COMP;
}

/* Run the policy on memory at @base, and give the buffer back. 0 or -EHOST. */
static int run(struct trial *t, const struct iommusim_policy *policy,
               const struct iommusim_world *world, int node, const struct iommusim_host *host)
{
	struct iommusim_page_source source;
	struct iommusim_chunk_job job = { .policy = policy, .source = &source, .host = host };
	int err = isim_witness_open(&t->witness, world, t->base, host);

	memset(&t->chunks, 0, sizeof(t->chunks));
	if (err)
		return err;
	source = isim_witness_source(&t->witness);
	job.req = (struct iommusim_chunk_request){ .size = world->bytes,
		                                   .pgsizes = world->pgsizes,
		                                   .page_shift = world->page_shift,
		                                   .max_order = world->max_order,
		                                   .gfp = callers_gfp(policy, world->gfp),
		                                   .attrs = world->attrs,
		                                   .node = node };
	t->result = iommusim_chunk_alloc(&job, &t->chunks);
	return t->result == -IOMMUSIM_EHOST ? t->result : 0;
}

/* The judgement of the chunks needs them; the one of what is left does not. */
static void give_back(struct trial *t)
{
	struct iommusim_page_source source = isim_witness_source(&t->witness);

	if (!t->result)
		iommusim_chunk_free(&t->chunks, &source);
	t->is_clean = isim_witness_is_as_before(&t->witness);
}

static const char *plural(uint64_t nr)
{
	return nr == 1 ? "" : "s";
}

/* How a request with that result ends. */
static const char *end_of(int result, char *text, size_t bytes)
{
	const char *what = !result                      ? "is served"
	                   : result == -IOMMUSIM_ENOMEM ? "gives up without memory"
	                   : result == -IOMMUSIM_EBUG   ? "does what Linux would not survive"
	                   : result == -IOMMUSIM_EINVAL ? "misuses its calls"
	                                                : "ends with an error";

	if (!result)
		snprintf(text, bytes, "%s", what);
	else if (strcmp(iommusim_errname(result), "E?") != 0 && result < 0)
		snprintf(text, bytes, "%s (%s)", what, iommusim_errname(result));
	else
		snprintf(text, bytes, "%s that is none: %d", what, result);
	return text;
}

static void judge_result(struct judge *j, const struct trial *t)
{
	uint64_t got = t->chunks.nr_pages, want = t->chunks.plan.count;
	uint64_t least = isim_bytes_to_pages(j->world->bytes, j->world->page_shift);
	char text[64];

	j->verdict->result = t->result;
	j->verdict->attempts = t->chunks.nr_attempts;
	j->verdict->findings = t->chunks.findings;
	if (t->result == -IOMMUSIM_EINVAL && !t->witness.is_illegal)
		broken(j, IOMMUSIM_INVARIANT_RIGHT_COUNT, "%s",
		       j->said[0] ? j->said : "it says that its own request is invalid");
	if (!t->result && got != want)
		broken(j, IOMMUSIM_INVARIANT_RIGHT_COUNT, "%llu page%s instead of %llu",
		       (unsigned long long)got, plural(got), (unsigned long long)want);
	if (!t->result && want < least)
		broken(j, IOMMUSIM_INVARIANT_RIGHT_COUNT, "%llu page%s planned for %llu bytes",
		       (unsigned long long)want, want == 1 ? " is" : "s are",
		       (unsigned long long)j->world->bytes);
	if (t->result && t->result != -IOMMUSIM_ENOMEM && t->result != -IOMMUSIM_EINVAL &&
	    (t->result != -IOMMUSIM_EBUG || !t->chunks.findings))
		broken(j, IOMMUSIM_INVARIANT_GIVES_UP_CLEANLY, "the request %s",
		       end_of(t->result, text, sizeof(text)));
	if (t->chunks.findings)
		broken(j, IOMMUSIM_INVARIANT_NO_FINDING, "%s",
		       t->chunks.told[0] ? t->chunks.told
		                         : iommusim_finding_text(t->chunks.findings));
}

static void judge_left(struct judge *j, const struct trial *t)
{
	if (t->witness.is_illegal)
		broken(j, IOMMUSIM_INVARIANT_LEGAL_FREE, "%s", t->witness.text);
	if (t->is_clean)
		return;
	if (t->result)
		broken(j, IOMMUSIM_INVARIANT_GIVES_UP_CLEANLY,
		       "the request failed and keeps %llu page%s",
		       (unsigned long long)t->witness.held, plural(t->witness.held));
	else
		broken(j, IOMMUSIM_INVARIANT_KEEPS_PAGES, "%llu page%s lost once it is freed",
		       (unsigned long long)t->witness.held, t->witness.held == 1 ? " is" : "s are");
}

static void judge_places(struct judge *j, const struct trial *t)
{
	const struct iommusim_world *w = j->world;
	uint64_t page = isim_bit(w->page_shift), offset = 0;
	uint64_t granule = isim_bit(isim_low_bit(w->pgsizes));
	struct iommusim_misfit misfit;

	if (t->result)
		return;
	if (iommusim_chunks_fit(&t->chunks, w->page_shift, granule > page ? granule : page,
	                        &misfit) == IOMMUSIM_FIT_NOT)
		broken(j, IOMMUSIM_INVARIANT_MAPPABLE,
		       "a run of %llu bytes from frame %llu on is off the granule of %llu",
		       (unsigned long long)misfit.size,
		       (unsigned long long)((misfit.pa >> w->page_shift) - t->base),
		       (unsigned long long)granule);
	for (size_t i = 0; i < t->chunks.nr_chunks; i++) {
		uint64_t bytes = page << t->chunks.chunk[i].order;
		uint64_t usable = w->pgsizes & isim_low_bits(isim_high_bit(bytes) + 1);
		uint64_t need = usable ? isim_bit(isim_high_bit(usable)) : 0;

		if (need > page && offset & (need - 1))
			broken(j, IOMMUSIM_INVARIANT_ALIGNED,
			       "chunk %zu, order %u, lies %llu bytes into the buffer and a page of "
			       "%llu cannot map it",
			       i, t->chunks.chunk[i].order, (unsigned long long)offset,
			       (unsigned long long)need);
		offset += bytes;
	}
}

/* Does an allocation with @gfp reclaim, and try again? */
static int is_full_effort(uint32_t gfp)
{
	return gfp & IOMMUSIM_GFP_BIT_DIRECT_RECLAIM && !(gfp & IOMMUSIM_GFP_BIT_NORETRY);
}

/* Did it do what may have any consequence, and is the request ended for it? */
static int is_undefined(const struct trial *t)
{
	return t->result &&
	       t->chunks.findings &
	               (IOMMUSIM_FINDING_STALE_BLOCK | IOMMUSIM_FINDING_BEFORE_PAGE |
	                IOMMUSIM_FINDING_BAD_FREE | IOMMUSIM_FINDING_BAD_SPLIT |
	                IOMMUSIM_FINDING_BAD_PAGE | IOMMUSIM_FINDING_MEMORY | IOMMUSIM_FINDING_BUG);
}

/* Is a page of the IOMMU larger than @bytes, as far as Linux sees them? */
static int is_below_granule(const struct iommusim_world *w, uint64_t bytes)
{
	uint64_t sizes = w->pgsizes & UINT32_MAX;

	return sizes && bytes < isim_bit(isim_low_bit(sizes));
}

/*
 * The last attempt, if any, was no failure, and yet it gave up: as it may where no block is large
 * enough to be mapped, or one that it got is not.
 */
static void judge_early_end(struct judge *j, const struct trial *t)
{
	uint64_t page = isim_bit(j->world->page_shift);

	if (t->chunks.nr_ranges || is_below_granule(j->world, page << j->world->max_order))
		return;
	for (size_t i = 0; i < t->chunks.nr_attempts; i++)
		if (t->chunks.attempt[i].pfn != IOMMUSIM_NO_PFN &&
		    is_below_granule(j->world, page << t->chunks.attempt[i].order))
			return;
	if (t->chunks.nr_attempts)
		broken(j, IOMMUSIM_INVARIANT_LAST_RESORT,
		       "it gives up after attempt %zu, which got what it asked for",
		       t->chunks.nr_attempts - 1);
	else
		broken(j, IOMMUSIM_INVARIANT_LAST_RESORT, "it gives up before any attempt");
}

/* Of the attempts that failed at the end, one of the lowest order must have the full effort. */
static void judge_last_resort(struct judge *j, const struct trial *t)
{
	const struct iommusim_attempt *a = t->chunks.attempt, *lowest = NULL;

	if (t->result != -IOMMUSIM_ENOMEM || !is_full_effort(j->world->gfp) || is_undefined(t))
		return;
	for (size_t i = t->chunks.nr_attempts; i-- > 0 && a[i].pfn == IOMMUSIM_NO_PFN;)
		if (!lowest || a[i].order < lowest->order ||
		    (a[i].order == lowest->order && is_full_effort(a[i].gfp)))
			lowest = &a[i];
	if (!lowest)
		judge_early_end(j, t);
	else if (!is_full_effort(lowest->gfp))
		broken(j, IOMMUSIM_INVARIANT_LAST_RESORT,
		       "attempt %zu, order %u, is the last resort and %s", (size_t)(lowest - a),
		       lowest->order,
		       lowest->gfp & IOMMUSIM_GFP_BIT_DIRECT_RECLAIM ? "says NORETRY"
		                                                     : "reclaims nothing");
}

static void judge_attempts(struct judge *j, const struct trial *t)
{
	const struct iommusim_chunks *c = &t->chunks;
	unsigned max = j->world->max_order;
	uint64_t spare = max + 1 + 2; /* orders, and two more */

	if (is_undefined(t)) /* how it goes on says nothing */
		return;
	for (size_t i = 0; i < c->nr_attempts; i++) {
		const struct iommusim_attempt *a = &c->attempt[i];
		uint32_t nofail = a->gfp & ~j->world->gfp & IOMMUSIM_GFP_BIT_NOFAIL;

		if (nofail)
			broken(j, IOMMUSIM_INVARIANT_OPPORTUNISTIC,
			       "attempt %zu, order %u, says NOFAIL, which the caller does not", i,
			       a->order);
		if (a->order > max)
			broken(j, IOMMUSIM_INVARIANT_NO_VAIN_ORDER,
			       "attempt %zu is at order %u, the largest is %u", i, a->order, max);
		if (is_full_effort(a->gfp) && a->pfn == IOMMUSIM_NO_PFN && i + 1 < c->nr_attempts &&
		    a[1].order < a->order)
			broken(j, IOMMUSIM_INVARIANT_OPPORTUNISTIC,
			       "attempt %zu, order %u, reclaims and retries, though order %u is "
			       "left",
			       i, a->order, a[1].order);
	}
	if (c->nr_attempts > spare && c->nr_attempts - spare > c->plan.count)
		broken(j, IOMMUSIM_INVARIANT_BOUNDED, "%zu attempts for %llu pages", c->nr_attempts,
		       (unsigned long long)c->plan.count);
}

/* The number of the first attempt in which two runs differ; -1: none does. */
static int64_t first_difference(const struct trial *a, const struct trial *b)
{
	size_t nr = a->chunks.nr_attempts < b->chunks.nr_attempts ? a->chunks.nr_attempts
	                                                          : b->chunks.nr_attempts;

	for (size_t i = 0; i < nr; i++) {
		const struct iommusim_attempt *x = &a->chunks.attempt[i],
					      *y = &b->chunks.attempt[i];
		uint64_t x_at = x->pfn == IOMMUSIM_NO_PFN ? x->pfn : x->pfn - a->base;
		uint64_t y_at = y->pfn == IOMMUSIM_NO_PFN ? y->pfn : y->pfn - b->base;

		if (x->order != y->order || x->gfp != y->gfp || x_at != y_at)
			return (int64_t)i;
	}
	if (a->chunks.nr_attempts != b->chunks.nr_attempts || a->result != b->result)
		return (int64_t)nr;
	return -1;
}

/* Run it once more: at the same place, or with @elsewhere at another, for a node by its name. */
static int judge_again(struct judge *j, const struct iommusim_policy *policy,
                       const struct iommusim_host *host, const struct trial *first,
                       struct trial *again)
{
	int elsewhere = again->base != first->base;
	int err = run(again, policy, j->world, elsewhere ? 0 : -1, host);
	int64_t at;

	if (err)
		return err;
	at = first_difference(first, again);
	give_back(again);
	if (at >= 0)
		broken(j,
		       elsewhere ? IOMMUSIM_INVARIANT_INDEPENDENT
		                 : IOMMUSIM_INVARIANT_DETERMINISTIC,
		       "attempt %lld is another one %s", (long long)at,
		       elsewhere ? "on memory elsewhere" : "the second time");
	return 0;
}

/* Where memory starts: at 4 GiB of frames, or as much higher again. */
static iommusim_pfn base_of(const struct iommusim_world *world, unsigned which)
{
	return (isim_bit(32) >> world->page_shift) + which * isim_bit(14 + world->max_order);
}

static int judge_all(struct judge *j, const struct iommusim_policy *policy,
                     const struct iommusim_host *host, struct trial *trial)
{
	int err;

	trial[0].base = trial[1].base = base_of(j->world, 0);
	trial[2].base = base_of(j->world, 1);
	err = run(&trial[0], policy, j->world, -1, host);
	if (err)
		return err;
	judge_result(j, &trial[0]);
	judge_places(j, &trial[0]);
	judge_attempts(j, &trial[0]);
	judge_last_resort(j, &trial[0]);
	give_back(&trial[0]);
	judge_left(j, &trial[0]);
	err = judge_again(j, policy, host, &trial[0], &trial[1]);
	return err ? err : judge_again(j, policy, host, &trial[0], &trial[2]);
}

int iommusim_check_world(const struct iommusim_policy *policy, const struct iommusim_world *world,
                         const struct iommusim_host *host, struct iommusim_verdict *verdict)
{
	struct iommusim_verdict v = { .broken = 0 };
	struct judge j = { .world = world, .verdict = &v };
	struct iommusim_host h;
	struct trial *trial;
	int err = isim_host_init(&h, host);

	if (!err && (!isim_world_is_valid(world) || !isim_world_suits(world, policy)))
		err = -IOMMUSIM_EINVAL;
	if (err)
		return err;
	h.log = keep_first; /* what a policy does wrong is a result here */
	h.log_ctx = &j;
	trial = isim_zalloc(&h, 3, sizeof(*trial));
	if (!trial)
		return -IOMMUSIM_EHOST;
	err = judge_all(&j, policy, &h, trial);
	for (unsigned i = 0; i < 3; i++)
		finish(&trial[i]);
	isim_free(&h, trial);
	if (!err)
		*verdict = v;
	return err;
}

/* ---- Two policies in one world ---- */

/* What a run did at attempt @at, or how it ended there. */
static void describe(const struct trial *t, uint64_t at, char *text, size_t bytes)
{
	const struct iommusim_attempt *a;
	char gfp[120], got[40] = "failed";

	if (at >= t->chunks.nr_attempts) {
		end_of(t->result, text, bytes);
		return;
	}
	a = &t->chunks.attempt[at];
	iommusim_gfp_format(a->gfp, IOMMUSIM_KERNEL(6, 12), gfp, sizeof(gfp));
	if (a->pfn != IOMMUSIM_NO_PFN)
		snprintf(got, sizeof(got), "got frame %llu",
		         (unsigned long long)(a->pfn - t->base));
	snprintf(text, bytes, "order %u, %s, %s", a->order, gfp, got);
}

/*
 * Does @ended stop at attempt @at because what its loop does there is undefined, and does that of
 * @other do such things, too? Then they are the same as far as anything can be said.
 */
static int is_same_until(const struct trial *ended, const struct trial *other, int64_t at)
{
	return is_undefined(ended) && (uint64_t)at == ended->chunks.nr_attempts &&
	       is_undefined(other);
}

static int compare(const struct iommusim_policy *const *policy, const struct iommusim_world *world,
                   const struct iommusim_host *host, struct trial *trial,
                   struct iommusim_difference *difference)
{
	int64_t at;
	int err = 0;

	for (unsigned i = 0; i < 2 && !err; i++) {
		trial[i].base = base_of(world, 0);
		err = run(&trial[i], policy[i], world, -1, host);
	}
	if (err)
		return err;
	at = first_difference(&trial[0], &trial[1]);
	if (at >= 0 &&
	    (is_same_until(&trial[0], &trial[1], at) || is_same_until(&trial[1], &trial[0], at)))
		at = -1;
	memset(difference, 0, sizeof(*difference));
	difference->attempt = at;
	for (unsigned i = 0; i < 2 && at >= 0; i++)
		describe(&trial[i], (uint64_t)at, difference->text[i], sizeof(difference->text[i]));
	return 0;
}

int iommusim_check_difference(const struct iommusim_policy *policy,
                              const struct iommusim_policy *other,
                              const struct iommusim_world *world, const struct iommusim_host *host,
                              struct iommusim_difference *difference)
{
	const struct iommusim_policy *both[2] = { policy, other };
	struct iommusim_host h;
	struct trial *trial;
	int err = isim_host_init(&h, host);

	if (!err && (!isim_world_is_valid(world) || !isim_world_suits(world, policy) ||
	             !isim_world_suits(world, other)))
		err = -IOMMUSIM_EINVAL;
	if (err)
		return err;
	h.log = NULL;
	trial = isim_zalloc(&h, 2, sizeof(*trial));
	if (!trial)
		return -IOMMUSIM_EHOST;
	err = compare(both, world, &h, trial, difference);
	finish(&trial[0]);
	finish(&trial[1]);
	isim_free(&h, trial);
	return err;
}
