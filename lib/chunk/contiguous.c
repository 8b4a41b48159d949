/* SPDX-License-Identifier: MIT */
/*
 * Buffers that are one contiguous range, as DMA_ATTR_FORCE_CONTIGUOUS wants them: it comes from an
 * area kept for that (CMA), not from the page allocator, and goes back there whole.
 */
#include "chunk/run.h"

#include "base/bits.h"
#include "iommusim/phys/cma.h"

#define LARGEST (IOMMUSIM_MAX_ORDERS - 1) /* order of a chunk */

/* Make room for the chunks of a range of @count pages. */
static int make_room(struct iommusim_chunk_run *run, uint64_t count)
{
	struct iommusim_chunks *out = run->out;
	int err = isim_grow(&out->host, &out->chunk, &out->cap_chunks, (count >> LARGEST) + LARGEST,
	                    sizeof(*out->chunk));

	return err ? isim_no_memory(&run->diag, "the chunks of a request") : 0;
}

/* A range is all of a buffer. */
static int check_range(struct iommusim_chunk_run *run, uint64_t count)
{
	if (!count)
		return ISIM_MISUSE(run, "the policy has a range of 0 pages");
	if (run->undecided || run->out->nr_chunks)
		return ISIM_MISUSE(run, "the policy has a contiguous range and other pages");
	return 0;
}

/* Pieces in the order of the buffer, for which there is room: the largest first, so that each lies
 * at a multiple of its size in the buffer. */
static void append_pieces(struct iommusim_chunks *out, iommusim_pfn pfn, uint64_t count)
{
	out->is_contiguous = 1;
	out->nr_pages = count;
	while (count) {
		unsigned order = isim_high_bit(count) < LARGEST ? isim_high_bit(count) : LARGEST;

		out->chunk[out->nr_chunks++] = (struct iommusim_chunk){ .pfn = pfn,
			                                                .order = (uint8_t)order,
			                                                .is_split = 1 };
		pfn += isim_bit(order);
		count -= isim_bit(order);
	}
}

/* As many requests as an endless loop of attempts would have made. */
static int check_endless(struct iommusim_chunk_run *run)
{
	uint64_t over = run->out->nr_ranges++ / 64;

	if (over <= 32 || over - 32 <= run->out->plan.count)
		return 0;
	iommusim_chunk_tell(run, IOMMUSIM_FINDING_ENDLESS,
	                    "it asks for contiguous ranges without end");
	return isim_chunk_misuse(run,
	                         isim_fail(&run->diag, IOMMUSIM_EBUG,
	                                   "the policy asks for contiguous ranges without end"));
}

static int free_range(const struct iommusim_page_source *source, iommusim_pfn pfn, uint64_t count)
{
	return source->free_contiguous ? source->free_contiguous(source->ctx, pfn, count)
	                               : -IOMMUSIM_EINVAL;
}

int iommusim_chunk_take_contiguous(struct iommusim_chunk_run *run, uint64_t count,
                                   unsigned align_order, iommusim_pfn *pfn)
{
	const struct iommusim_page_source *source = &run->source;
	int err = count ? check_endless(run) : check_range(run, count);

	if (!err && !source->alloc_contiguous)
		return -IOMMUSIM_ENOMEM;
	if (!err && isim_grow(&run->out->host, &run->range, &run->cap_ranges, run->nr_ranges + 1,
	                      sizeof(*run->range)))
		err = isim_no_memory(&run->diag, "the ranges of a request");
	if (err)
		return err;
	err = source->alloc_contiguous(source->ctx, count, align_order, run->req->gfp, pfn);
	if (!err)
		run->range[run->nr_ranges++] = (struct isim_range){ *pfn, count };
	return err;
}

/* The range of the policy's that is this one; NULL: it holds none such. */
static struct isim_range *find_range(const struct iommusim_chunk_run *run, iommusim_pfn pfn,
                                     uint64_t count)
{
	for (size_t i = 0; i < run->nr_ranges; i++)
		if (run->range[i].pfn == pfn && run->range[i].count == count)
			return &run->range[i];
	return NULL;
}

/* It is the policy's no more, if it was. */
static void forget(struct iommusim_chunk_run *run, iommusim_pfn pfn, uint64_t count)
{
	struct isim_range *range = find_range(run, pfn, count);

	if (range)
		*range = run->range[--run->nr_ranges];
}

int iommusim_chunk_give_back_contiguous(struct iommusim_chunk_run *run, iommusim_pfn pfn,
                                        uint64_t count)
{
	int err = free_range(&run->source, pfn, count);

	if (err)
		return err;
	forget(run, pfn, count);
	run->out->nr_freed += count;
	return 0;
}

int iommusim_chunk_append_contiguous(struct iommusim_chunk_run *run, iommusim_pfn pfn,
                                     uint64_t count)
{
	int err = check_range(run, count);

	if (!err && !find_range(run, pfn, count))
		err = ISIM_MISUSE(run,
		                  "the policy appended a range of %llu pages at pfn 0x%llx, which "
		                  "it does not hold",
		                  (unsigned long long)count, (unsigned long long)pfn);
	if (!err)
		err = make_room(run, count);
	if (err)
		return err;
	append_pieces(run->out, pfn, count);
	forget(run, pfn, count);
	return 0;
}

int iommusim_chunk_contiguous(struct iommusim_chunk_run *run, uint64_t count, unsigned align_order)
{
	iommusim_pfn pfn;
	int err = check_range(run, count);

	if (!err)
		err = make_room(run, count);
	if (!err)
		err = iommusim_chunk_take_contiguous(run, count, align_order, &pfn);
	return err ? err : iommusim_chunk_append_contiguous(run, pfn, count);
}

int isim_chunk_check_no_range(struct iommusim_chunk_run *run)
{
	if (!run->out->is_contiguous)
		return 0;
	return ISIM_MISUSE(run, "the policy has a contiguous range and wants other pages");
}

int isim_chunk_free_contiguous(const struct iommusim_chunks *chunks,
                               const struct iommusim_page_source *source)
{
	struct iommusim_page_source s; /* as much of it as the caller's header knows */
	int err = isim_copy_sized(&s, sizeof(s), source);

	return err ? err : free_range(&s, chunks->chunk[0].pfn, chunks->nr_pages);
}

/* ---- arch/arm: decided before the loop ---- */

static int is_forced(const struct iommusim_chunk_request *req)
{
	return (req->attrs & IOMMUSIM_ATTR_FORCE_CONTIGUOUS) != 0;
}

static int get_range(struct iommusim_chunk_run *run, uint64_t count)
{
	unsigned order = count > 1 ? isim_high_bit(count - 1) + 1 : 0;

	return iommusim_chunk_contiguous(
		run, count, order < IOMMUSIM_CMA_ALIGNMENT ? order : IOMMUSIM_CMA_ALIGNMENT);
}

int isim_chunk_alloc_arm_steps(const struct iommusim_policy *policy,
                               const struct iommusim_chunk_request *req,
                               const struct iommusim_chunk_plan *plan,
                               struct iommusim_chunk_run *run)
{
	return is_forced(req) ? get_range(run, plan->count)
	                      : isim_chunk_alloc_steps(policy, req, plan, run);
}

int isim_chunk_alloc_arm_ladder(const struct iommusim_policy *policy,
                                const struct iommusim_chunk_request *req,
                                const struct iommusim_chunk_plan *plan,
                                struct iommusim_chunk_run *run)
{
	return is_forced(req) ? get_range(run, plan->count)
	                      : isim_chunk_alloc_ladder(policy, req, plan, run);
}
