/* SPDX-License-Identifier: MIT */
/*
 * The recording driver: no page table, but a book of which range leads where, one entry per call.
 * An unmap cuts entries from their start, so it needs no memory unless it begins inside of one.
 */
#include "domain/domain.h"

#include <string.h>

#include "base/ranges.h"

/* What belongs to a range of the set, under the same number. */
struct target {
	uint64_t pa, pgsize;
	unsigned prot;
};

struct iommusim_recorder {
	struct isim_diag diag;
	struct iommusim_recorder_config config;
	uint64_t nr_map, nr_unmap; /* calls */
	struct isim_ranges set;
	struct target *target;
	size_t cap_targets;
	struct iommusim_driver_call *call;
	size_t nr_calls, cap_calls;
};

int iommusim_recorder_create(const struct iommusim_recorder_config *config,
                             struct iommusim_recorder **recorder)
{
	struct iommusim_recorder_config c;
	int err = isim_copy_sized(&c, sizeof(c), config);
	struct iommusim_recorder *r =
		err ? NULL : isim_handle(c.host, sizeof(*r), "a recording driver", &err);

	if (!r)
		return err;
	r->config = c;
	isim_ranges_init(&r->set, &r->diag.host);
	*recorder = r;
	return 0;
}

void iommusim_recorder_destroy(struct iommusim_recorder *recorder)
{
	struct iommusim_host host;

	if (!recorder)
		return;
	host = recorder->diag.host;
	isim_ranges_finish(&recorder->set);
	isim_free(&host, recorder->target);
	isim_free(&host, recorder->call);
	isim_free(&host, recorder);
}

/* A copy of @nr elements; NULL where there are none, or no memory. */
static void *copy_array(const struct iommusim_host *host, const void *from, size_t nr, size_t bytes)
{
	void *to = nr ? isim_zalloc(host, nr, bytes) : NULL;

	if (to)
		memcpy(to, from, nr * bytes);
	return to;
}

int iommusim_recorder_fork(const struct iommusim_recorder *recorder,
                           struct iommusim_recorder **copy)
{
	const struct iommusim_host *host = &recorder->diag.host;
	size_t nr_targets = recorder->set.nr_used;
	struct iommusim_recorder *r = isim_zalloc(host, 1, sizeof(*r));

	if (!r)
		return -IOMMUSIM_EHOST;
	*r = *recorder;
	r->target = copy_array(host, recorder->target, nr_targets, sizeof(*r->target));
	r->cap_targets = nr_targets;
	r->call = copy_array(host, recorder->call, recorder->nr_calls, sizeof(*r->call));
	r->cap_calls = recorder->nr_calls;
	if (isim_ranges_fork(&recorder->set, &r->set))
		r->set.node = NULL;
	if ((nr_targets && (!r->target || !r->set.node)) || (r->nr_calls && !r->call)) {
		iommusim_recorder_destroy(r);
		return -IOMMUSIM_EHOST;
	}
	*copy = r;
	return 0;
}

/* ---- The book ---- */

/* Room for @more ranges. */
static int make_room(struct iommusim_recorder *r, uint32_t more)
{
	int err = isim_ranges_reserve(&r->set, more);

	return err ? err
	           : isim_grow(&r->diag.host, &r->target, &r->cap_targets,
	                       (uint64_t)r->set.nr_used + more, sizeof(*r->target));
}

static int make_room_for_call(struct iommusim_recorder *r)
{
	return r->config.keep_calls ? isim_grow(&r->diag.host, &r->call, &r->cap_calls,
	                                        r->nr_calls + 1, sizeof(*r->call))
	                            : 0;
}

static void note_call(struct iommusim_recorder *r, const struct iommusim_driver_call *call)
{
	if (r->config.keep_calls)
		r->call[r->nr_calls++] = *call;
}

static void insert(struct iommusim_recorder *r, const struct isim_range_node *range,
                   const struct target *target)
{
	r->target[isim_ranges_insert(&r->set, range->lo, range->hi)] = *target;
}

/* Take lo .. hi out of the book: what overlaps is cut, at most one range into two. */
static void erase(struct iommusim_recorder *r, uint64_t lo, uint64_t hi)
{
	uint32_t n = isim_ranges_at_or_above(&r->set, lo);

	while (n != ISIM_NO_NODE && r->set.node[n].lo <= hi) {
		struct isim_range_node old = r->set.node[n];
		struct target target = r->target[n];

		isim_ranges_remove(&r->set, n);
		if (old.lo < lo)
			insert(r, &(struct isim_range_node){ .lo = old.lo, .hi = lo - 1 }, &target);
		if (old.hi > hi) {
			target.pa += hi + 1 - old.lo;
			insert(r, &(struct isim_range_node){ .lo = hi + 1, .hi = old.hi }, &target);
		}
		n = old.next;
	}
}

/* Does the range of node @b go on where that of @a ends? */
static int goes_on(const struct iommusim_recorder *r, uint32_t a, uint32_t b)
{
	const struct isim_range_node *node = r->set.node;
	uint64_t bytes;

	if (a == ISIM_NO_NODE || b == ISIM_NO_NODE || node[a].hi + 1 != node[b].lo)
		return 0;
	bytes = node[b].lo - node[a].lo;
	return r->target[a].pa + bytes == r->target[b].pa &&
	       r->target[a].pgsize == r->target[b].pgsize && r->target[a].prot == r->target[b].prot;
}

static void enter(struct iommusim_recorder *r, const struct iommusim_map_pages *pages,
                  uint64_t bytes)
{
	struct target target = { pages->pa, pages->pgsize, pages->prot };
	struct isim_range_node range = { .lo = pages->iova, .hi = pages->iova + bytes - 1 };

	erase(r, range.lo, range.hi);
	insert(r, &range, &target);
}

/* ---- As a driver ---- */

static uint64_t capped(const struct iommusim_recorder *r, uint64_t count)
{
	return r->config.cap && r->config.cap < count ? r->config.cap : count;
}

/* Is one range cut into two when lo .. hi is taken out of it? */
static int cuts_in_two(const struct iommusim_recorder *r, uint64_t lo, uint64_t hi)
{
	uint32_t n = isim_ranges_at_or_above(&r->set, lo);

	return n != ISIM_NO_NODE && r->set.node[n].lo < lo && r->set.node[n].hi > hi;
}

static int record_map(void *ctx, const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct iommusim_recorder *r = ctx;
	struct iommusim_driver_call call = { 'm',          pages->iova, pages->pa,  pages->pgsize,
		                             pages->count, 0,           pages->prot };
	*mapped = 0;
	r->nr_map++;
	if (pages->iova + (pages->pgsize * pages->count - 1) < pages->iova)
		return isim_fail(
			&r->diag, IOMMUSIM_ERANGE, "%llu pages of 0x%llx at 0x%llx go beyond 2^64",
			(unsigned long long)pages->count, (unsigned long long)pages->pgsize,
			(unsigned long long)pages->iova);
	/* The new range, and one that it cuts in two. */
	if (make_room(r, 2) || make_room_for_call(r))
		return isim_no_memory(&r->diag, "a mapped range");
	if (r->nr_map == r->config.fail_map) {
		note_call(r, &call);
		return -IOMMUSIM_ENOMEM;
	}
	call.done = capped(r, pages->count);
	*mapped = call.done * pages->pgsize;
	enter(r, pages, *mapped);
	note_call(r, &call);
	return 0;
}

static uint64_t record_unmap(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                             struct iommusim_gather *gather)
{
	struct iommusim_recorder *r = ctx;
	struct iommusim_driver_call call = { 'u', iova, 0, pgsize, count, 0, 0 };

	r->nr_unmap++;
	if (!r->config.fail_unmap || r->nr_unmap < r->config.fail_unmap)
		call.done = capped(r, count);
	if (call.done && cuts_in_two(r, iova, iova + call.done * pgsize - 1) && make_room(r, 1)) {
		isim_no_memory(&r->diag, "what an unmap leaves: it does nothing");
		return 0;
	}
	if (call.done) {
		erase(r, iova, iova + call.done * pgsize - 1);
		iommusim_gather_add_pages(gather, iova, pgsize, call.done);
	}
	if (make_room_for_call(r))
		isim_no_memory(&r->diag, "the call of an unmap, which is done but not remembered");
	else
		note_call(r, &call);
	return call.done * pgsize;
}

static uint64_t record_iova_to_phys(void *ctx, uint64_t iova)
{
	const struct iommusim_recorder *r = ctx;
	uint32_t n = isim_ranges_at_or_above(&r->set, iova);

	if (n == ISIM_NO_NODE || r->set.node[n].lo > iova)
		return 0;
	return r->target[n].pa + (iova - r->set.node[n].lo);
}

struct iommusim_driver iommusim_recorder_driver(struct iommusim_recorder *recorder)
{
	struct iommusim_driver driver = { .size = sizeof(driver),
		                          .ctx = recorder,
		                          .map_pages = record_map,
		                          .unmap_pages = record_unmap,
		                          .iova_to_phys = record_iova_to_phys };

	return driver;
}

const struct iommusim_driver_call *iommusim_recorder_calls(const struct iommusim_recorder *recorder,
                                                           size_t *nr)
{
	*nr = recorder->nr_calls;
	return recorder->call;
}

int iommusim_recorder_next(const struct iommusim_recorder *recorder, uint64_t iova,
                           struct iommusim_mapped_range *range)
{
	const struct isim_range_node *node = recorder->set.node;
	uint32_t first = isim_ranges_at_or_above(&recorder->set, iova), last = first;

	if (first == ISIM_NO_NODE)
		return 0;
	while (goes_on(recorder, node[first].prev, first))
		first = node[first].prev;
	while (goes_on(recorder, last, node[last].next))
		last = node[last].next;
	*range = (struct iommusim_mapped_range){ .iova = node[first].lo,
		                                 .pa = recorder->target[first].pa,
		                                 .size = node[last].hi - node[first].lo + 1,
		                                 .pgsize = recorder->target[first].pgsize,
		                                 .prot = recorder->target[first].prot };
	return 1;
}
