/* SPDX-License-Identifier: MIT */
/*
 * IOVA ranges, handed out from the top down. The set holds every range and, at the very end, the
 * anchor: one frame that is always there, so that every search has a place to start. The order of
 * the search, its hints and its shortcuts are Linux's, since they decide which frame comes out.
 */
#include "iova/space.h"

/* The first releases with what is known of them only from changelogs. */
#define MAX32       IOMMUSIM_KERNEL(4, 20)
#define SECOND_PASS IOMMUSIM_KERNEL(5, 11)

static int check_config(struct iommusim_iova *space, const struct iommusim_iova_config *c)
{
	if (c->granule_lg2 > 32)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL, "granule_lg2 %u is not 1 .. 32",
		                 c->granule_lg2);
	if (c->start == ISIM_IOVA_ANCHOR)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL, "start 2^64 - 1 leaves no frame");
	if (!isim_kernel(c->kernel))
		return isim_fail(&space->diag, IOMMUSIM_EINVAL, "the kernel is older than 4.4");
	if (c->nr_cpus > IOMMUSIM_IOVA_MAX_CPUS)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL, "%u CPUs are more than %u",
		                 c->nr_cpus, IOMMUSIM_IOVA_MAX_CPUS);
	return 0;
}

static void put_anchor(struct iommusim_iova *space)
{
	uint32_t anchor = isim_ranges_insert(&space->set, ISIM_IOVA_ANCHOR, ISIM_IOVA_ANCHOR);

	space->hint32 = space->hint64 = anchor;
}

static int set_up(struct iommusim_iova *s, const struct iommusim_iova_config *c)
{
	s->kernel = isim_kernel(c->kernel);
	s->granule_lg2 = c->granule_lg2 ? c->granule_lg2 : 12;
	s->start = c->start ? c->start : 1;
	s->d32 = s->max32 = isim_bit(32 - s->granule_lg2);
	s->nr_online = c->nr_cpus;
	isim_ranges_init(&s->set, &s->diag.host);
	if (isim_ranges_reserve(&s->set, 1) ||
	    isim_magazines_init(&s->cache, &s->diag.host, c->nr_cpus))
		return isim_no_memory(&s->diag, "an IOVA space");
	put_anchor(s);
	return 0;
}

int iommusim_iova_create(const struct iommusim_iova_config *config, struct iommusim_iova **space)
{
	struct iommusim_iova_config c;
	int err = isim_copy_sized(&c, sizeof(c), config);
	struct iommusim_iova *s =
		err ? NULL : isim_handle(c.host, sizeof(*s), "an IOVA space", &err);

	if (!s)
		return err;
	err = check_config(s, &c);
	if (!err)
		err = set_up(s, &c);
	if (err)
		iommusim_iova_destroy(s);
	else
		*space = s;
	return err;
}

void iommusim_iova_destroy(struct iommusim_iova *space)
{
	struct iommusim_host host;

	if (!space)
		return;
	host = space->diag.host;
	isim_ranges_finish(&space->set);
	isim_magazines_finish(&space->cache, &host);
	isim_free(&host, space);
}

int iommusim_iova_fork(const struct iommusim_iova *space, struct iommusim_iova **copy)
{
	struct iommusim_iova *s = isim_zalloc(&space->diag.host, 1, sizeof(*s));
	uint64_t nr = iommusim_iova_nr_ranges(space);

	if (!s)
		return -IOMMUSIM_EHOST;
	*s = *space;
	if (isim_ranges_fork(&space->set, &s->set)) {
		isim_free(&space->diag.host, s);
		return -IOMMUSIM_EHOST;
	}
	if (isim_magazines_fork(&space->cache, &space->diag.host, nr, &s->cache)) {
		iommusim_iova_destroy(s);
		return -IOMMUSIM_EHOST;
	}
	*copy = s;
	return 0;
}

const char *iommusim_iova_error(const struct iommusim_iova *space)
{
	return space->diag.text;
}

/* ---- Searching ---- */

/* One pass: down from @node, below @high and not below @low. */
struct pass {
	uint64_t size, mask; /* the first frame has no bit outside of the mask */
	uint64_t high, low;
	uint32_t node;
	uint64_t found;
};

static int search_down(const struct iommusim_iova *space, struct pass *pass)
{
	const struct isim_range_node *node = space->set.node;

	do {
		if (node[pass->node].lo < pass->high)
			pass->high = node[pass->node].lo;
		pass->found = (pass->high - pass->size) & pass->mask;
		pass->node = node[pass->node].prev;
	} while (pass->node != ISIM_NO_NODE && pass->found <= node[pass->node].hi &&
	         pass->found >= pass->low);
	return pass->high >= pass->size && pass->found >= pass->low;
}

/* The lowest range that starts at or above @frame: at worst the anchor. */
static uint32_t starts_at_or_above(const struct iommusim_iova *space, uint64_t frame)
{
	uint32_t node = isim_ranges_at_or_above(&space->set, frame);

	return space->set.node[node].lo < frame ? space->set.node[node].next : node;
}

/*
 * Below the hint first; if that fails and the hint was not at the limit, once more above it. Models
 * __alloc_and_insert_iova_range(), drivers/iommu/iova.c, Linux 6.1 and 6.12.
 */
static int find_room(const struct iommusim_iova *space, uint64_t size, uint64_t limit, int aligned,
                     uint64_t *lo)
{
	uint32_t hint = limit <= space->d32 ? space->hint32 : space->hint64;
	uint64_t retry_from = space->set.node[hint].hi;
	struct pass pass = { .size = size,
		             .mask = aligned ? ~(isim_pow2_up(size) - 1) : UINT64_MAX,
		             .high = limit,
		             .low = space->start,
		             .node = hint };
	int ok = search_down(space, &pass);

	if (!ok && retry_from < limit && space->kernel >= SECOND_PASS) {
		pass.high = limit;
		pass.low = retry_from + 1;
		pass.node = starts_at_or_above(space, limit);
		ok = search_down(space, &pass);
	}
	*lo = pass.found;
	return ok;
}

int isim_iova_reserve_room(struct iommusim_iova *space)
{
	uint64_t nr = iommusim_iova_nr_ranges(space) + 1;

	if (isim_ranges_reserve(&space->set, 1) ||
	    isim_magazines_reserve(&space->cache, &space->diag.host, nr))
		return isim_no_memory(&space->diag, "an IOVA range");
	return 0;
}

int isim_iova_take(struct iommusim_iova *space, uint64_t size, uint64_t limit, int aligned,
                   uint64_t *lo)
{
	uint32_t node;

	if (limit <= space->d32 && size >= space->max32 && space->kernel >= MAX32)
		return -IOMMUSIM_ENOMEM;
	if (!find_room(space, size, limit, aligned, lo)) {
		space->max32 = size; /* for 64-bit requests too */
		return -IOMMUSIM_ENOMEM;
	}
	node = isim_ranges_insert(&space->set, *lo, *lo + size - 1);
	if (*lo + size - 1 < space->d32)
		space->hint32 = node;
	else
		space->hint64 = node;
	return 0;
}

void isim_iova_tell(const struct iommusim_iova *space, const struct iommusim_event *event,
                    uint64_t lo, uint64_t size)
{
	struct iommusim_event e = *event;

	e.iova = lo << space->granule_lg2;
	e.size = size << space->granule_lg2;
	isim_event(&space->diag, &e);
}

int iommusim_iova_alloc(struct iommusim_iova *space, uint64_t size, uint64_t limit, int aligned,
                        uint64_t *lo)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_IOVA_ALLOC };
	uint64_t found = 0;

	if (!size)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL, "an IOVA range of 0 frames");
	event.result = isim_iova_reserve_room(space);
	if (!event.result)
		event.result = isim_iova_take(space, size, limit + 1, aligned, &found);
	if (!event.result)
		*lo = found;
	isim_iova_tell(space, &event, event.result ? 0 : found, size);
	return event.result;
}

/* ---- Freeing, reserving, looking ---- */

/* The node that contains @frame; ISIM_NO_NODE: none does, or the anchor. */
static uint32_t node_of(const struct iommusim_iova *space, uint64_t frame)
{
	uint32_t node = isim_ranges_at_or_above(&space->set, frame);

	if (node == ISIM_NO_NODE || node == space->set.last || space->set.node[node].lo > frame)
		return ISIM_NO_NODE;
	return node;
}

int isim_iova_drop(struct iommusim_iova *space, uint64_t frame, struct iommusim_iova_range *range)
{
	const struct isim_range_node *node = space->set.node;
	uint32_t n = node_of(space, frame);

	if (n == ISIM_NO_NODE)
		return 0;
	*range = (struct iommusim_iova_range){ node[n].lo, node[n].hi };
	if (n == space->hint32 || (range->hi < space->d32 && range->lo >= node[space->hint32].lo))
		space->hint32 = node[n].next;
	if (range->lo < space->d32)
		space->max32 = space->d32;
	if (range->lo >= node[space->hint64].lo)
		space->hint64 = node[n].next;
	isim_ranges_remove(&space->set, n);
	return 1;
}

void iommusim_iova_free(struct iommusim_iova *space, uint64_t frame)
{
	const struct iommusim_event event = { .kind = IOMMUSIM_EVENT_IOVA_FREE };
	struct iommusim_iova_range range;

	if (isim_iova_drop(space, frame, &range))
		isim_iova_tell(space, &event, range.lo, range.hi - range.lo + 1);
}

int iommusim_iova_reserve(struct iommusim_iova *space, struct iommusim_iova_range *range)
{
	uint64_t last = UINT64_MAX >> space->granule_lg2, lo = range->lo, hi = range->hi;
	struct isim_range_node *node;
	uint32_t n;

	if (lo > hi || hi > last)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL,
		                 "frames 0x%llx .. 0x%llx are not a range of a 64-bit space",
		                 (unsigned long long)lo, (unsigned long long)hi);
	if (isim_iova_reserve_room(space))
		return -IOMMUSIM_EHOST;
	node = space->set.node;
	n = isim_ranges_at_or_above(&space->set, lo);
	while (n != space->set.last && node[n].lo <= hi && node[n].hi >= lo) {
		if (lo < node[n].lo)
			node[n].lo = lo;
		if (hi > node[n].hi)
			lo = node[n].hi + 1;
		if (lo >= node[n].lo && hi <= node[n].hi) {
			*range = (struct iommusim_iova_range){ node[n].lo, node[n].hi };
			return 0;
		}
		n = node[n].next;
	}
	isim_ranges_insert(&space->set, lo, hi);
	*range = (struct iommusim_iova_range){ lo, hi };
	return 0;
}

int iommusim_iova_find(const struct iommusim_iova *space, uint64_t frame,
                       struct iommusim_iova_range *range)
{
	uint32_t n = node_of(space, frame);

	if (n == ISIM_NO_NODE)
		return 0;
	*range = (struct iommusim_iova_range){ space->set.node[n].lo, space->set.node[n].hi };
	return 1;
}

int iommusim_iova_next(const struct iommusim_iova *space, uint64_t frame,
                       struct iommusim_iova_range *range)
{
	uint32_t n = isim_ranges_at_or_above(&space->set, frame);

	if (n == ISIM_NO_NODE || n == space->set.last)
		return 0;
	*range = (struct iommusim_iova_range){ space->set.node[n].lo, space->set.node[n].hi };
	return 1;
}

uint64_t iommusim_iova_nr_ranges(const struct iommusim_iova *space)
{
	return space->set.nr - 1;
}

uint64_t iommusim_iova_max32(const struct iommusim_iova *space)
{
	return space->max32;
}

unsigned iommusim_iova_granule_lg2(const struct iommusim_iova *space)
{
	return space->granule_lg2;
}
