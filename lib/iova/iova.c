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

static int set_up(struct iommusim_iova *s, const struct iommusim_iova_config *c)
{
	unsigned nr_cpus = isim_kernel(c->kernel) < ISIM_IOVA_CACHES ? 0 : c->nr_cpus;

	s->kernel = isim_kernel(c->kernel);
	s->granule_lg2 = c->granule_lg2 ? c->granule_lg2 : 12;
	s->start = c->start ? c->start : 1;
	s->d32 = s->max32 = isim_bit(32 - s->granule_lg2);
	s->nr_online = nr_cpus;
	s->hint32 = s->hint64 = ISIM_IOVA_ANCHOR;
	if (isim_tree_init(&s->tree, &s->diag.host, ISIM_IOVA_ANCHOR) ||
	    isim_magazines_init(&s->cache, &s->diag.host, nr_cpus))
		return isim_no_memory(&s->diag, "an IOVA space");
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
	isim_tree_finish(&space->tree);
	isim_magazines_finish(&space->cache, &host);
	isim_free(&host, space);
}

int iommusim_iova_fork(const struct iommusim_iova *space, struct iommusim_iova **copy)
{
	struct iommusim_iova *s = isim_zalloc(&space->diag.host, 1, sizeof(*s));
	uint64_t nr = iommusim_iova_nr_ranges(space);
	int err;

	if (!s)
		return -IOMMUSIM_EHOST;
	*s = *space;
	err = isim_tree_fork(&space->tree, &s->tree);
	if (isim_magazines_fork(&space->cache, &space->diag.host, nr, &s->cache) || err) {
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

/* One pass: down from @place, below @high and not below @low. */
struct pass {
	uint64_t size, mask; /* the first frame has no bit outside of the mask */
	uint64_t high, low;
	struct isim_tree_place place; /* the range above the hole that is looked at */
	uint64_t found;
};

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The lowest range that starts at or above @frame: at worst the anchor. */
static void starts_at_or_above(const struct isim_tree *tree, uint64_t frame,
                               struct isim_tree_place *place)
{
	isim_tree_find(tree, frame, place);
	if (isim_tree_at(tree, place)->lo < frame)
		isim_tree_find(tree, isim_tree_above(tree, place)->hi, place);
}

/* Is there a place in the hole below pass->place, for which pass->high is the end? */
static int fits(struct pass *pass, uint64_t below)
{
	pass->found = (pass->high - pass->size) & pass->mask;
	return pass->high >= pass->size && pass->found >= max(below, pass->low);
}

/*
 * The highest hole that the size fits. The topmost may be cut by @high; those below are what the
 * tree says, but for the one that is cut by @low, and where that does not fit, none below does.
 */
static int search_down(const struct isim_tree *tree, struct pass *pass)
{
	struct isim_tree_place *place = &pass->place;

	if (isim_tree_at(tree, place)->lo > pass->high)
		starts_at_or_above(tree, pass->high, place);
	else
		pass->high = isim_tree_at(tree, place)->lo;
	if (fits(pass, isim_tree_below(tree, place->leaf, place->slot)))
		return 1;
	if (!isim_tree_find_hole(tree, pass->size, pass->mask != UINT64_MAX, place))
		return 0;
	pass->high = isim_tree_at(tree, place)->lo;
	return fits(pass, 0);
}

/*
 * Below the hint first; if that fails and the hint was not at the limit, once more above it. Models
 * __alloc_and_insert_iova_range(), drivers/iommu/iova.c, Linux 6.1 and 6.12.
 */
static int find_room(const struct iommusim_iova *space, uint64_t limit, struct pass *pass)
{
	uint64_t hint = limit <= space->d32 ? space->hint32 : space->hint64;

	pass->high = limit;
	pass->low = space->start;
	isim_tree_find(&space->tree, hint, &pass->place);
	if (search_down(&space->tree, pass))
		return 1;
	if (hint >= limit || space->kernel < SECOND_PASS)
		return 0;
	pass->high = limit;
	pass->low = hint + 1;
	starts_at_or_above(&space->tree, limit, &pass->place);
	return search_down(&space->tree, pass);
}

int isim_iova_make_room(struct iommusim_iova *space)
{
	uint64_t nr = iommusim_iova_nr_ranges(space) + 1;

	if (isim_tree_reserve(&space->tree) ||
	    isim_magazines_reserve(&space->cache, &space->diag.host, nr))
		return isim_no_memory(&space->diag, "an IOVA range");
	return 0;
}

int isim_iova_take(struct iommusim_iova *space, uint64_t size, uint64_t limit, int aligned,
                   uint64_t *lo)
{
	struct pass pass;

	if (limit <= space->d32 && size >= space->max32 && space->kernel >= MAX32)
		return -IOMMUSIM_ENOMEM;
	pass.size = size;
	pass.mask = aligned ? ~(isim_pow2_up(size) - 1) : UINT64_MAX;
	if (!find_room(space, limit, &pass)) {
		space->max32 = size; /* for 64-bit requests too */
		return -IOMMUSIM_ENOMEM;
	}
	*lo = pass.found;
	isim_tree_insert(&space->tree, &pass.place, *lo, *lo + size - 1);
	*(*lo + size - 1 < space->d32 ? &space->hint32 : &space->hint64) = *lo + size - 1;
	return 0;
}

int iommusim_iova_alloc(struct iommusim_iova *space, uint64_t size, uint64_t limit, int aligned,
                        uint64_t *lo)
{
	int err;

	if (!size)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL, "an IOVA range of 0 frames");
	err = isim_iova_reserve_room(space);
	if (!err)
		err = isim_iova_take(space, size, limit + 1, aligned, lo);
	if (err)
		isim_iova_tell_failure(space, size, err);
	else
		isim_iova_tell(space, IOMMUSIM_EVENT_IOVA_ALLOC, *lo, size);
	return err;
}

/* ---- Freeing, reserving, looking ---- */

/* Find the range that contains @frame. 1, or 0: none does, or the anchor. */
static int find(const struct iommusim_iova *space, uint64_t frame, struct isim_tree_place *place)
{
	if (frame == ISIM_IOVA_ANCHOR)
		return 0;
	isim_tree_find(&space->tree, frame, place);
	return isim_tree_at(&space->tree, place)->lo <= frame;
}

/* A hint is before or after a range as their ends are. */
int isim_iova_drop(struct iommusim_iova *space, uint64_t frame, struct iommusim_iova_range *range)
{
	struct isim_tree_place place;
	uint64_t above;

	if (!find(space, frame, &place))
		return 0;
	range->lo = isim_tree_at(&space->tree, &place)->lo;
	range->hi = isim_tree_at(&space->tree, &place)->hi;
	above = isim_tree_above(&space->tree, &place)->hi;
	if (range->hi == space->hint32 || (range->hi < space->d32 && range->hi >= space->hint32))
		space->hint32 = above;
	if (range->lo < space->d32)
		space->max32 = space->d32;
	if (range->hi >= space->hint64)
		space->hint64 = above;
	isim_tree_remove(&space->tree, &place);
	return 1;
}

void iommusim_iova_free(struct iommusim_iova *space, uint64_t frame)
{
	struct iommusim_iova_range range;

	if (isim_iova_drop(space, frame, &range))
		isim_iova_tell(space, IOMMUSIM_EVENT_IOVA_FREE, range.lo, range.hi - range.lo + 1);
}

int iommusim_iova_reserve(struct iommusim_iova *space, struct iommusim_iova_range *range)
{
	uint64_t last = UINT64_MAX >> space->granule_lg2, lo = range->lo, hi = range->hi;
	struct isim_tree_place place;
	struct isim_tree_range met;

	if (lo > hi || hi > last)
		return isim_fail(&space->diag, IOMMUSIM_EINVAL,
		                 "frames 0x%llx .. 0x%llx are not a range of a 64-bit space",
		                 (unsigned long long)lo, (unsigned long long)hi);
	if (isim_iova_reserve_room(space))
		return -IOMMUSIM_EHOST;
	for (;;) {
		isim_tree_find(&space->tree, lo, &place);
		met = *isim_tree_at(&space->tree, &place);
		if (met.lo > hi)
			break;
		if (lo < met.lo)
			isim_tree_extend(&space->tree, &place, lo);
		if (hi <= met.hi) {
			*range = (struct iommusim_iova_range){ lo < met.lo ? lo : met.lo, met.hi };
			return 0;
		}
		lo = met.hi + 1;
	}
	isim_tree_insert(&space->tree, &place, lo, hi);
	*range = (struct iommusim_iova_range){ lo, hi };
	return 0;
}

int iommusim_iova_find(const struct iommusim_iova *space, uint64_t frame,
                       struct iommusim_iova_range *range)
{
	struct isim_tree_place place;

	if (!find(space, frame, &place))
		return 0;
	range->lo = isim_tree_at(&space->tree, &place)->lo;
	range->hi = isim_tree_at(&space->tree, &place)->hi;
	return 1;
}

int iommusim_iova_next(const struct iommusim_iova *space, uint64_t frame,
                       struct iommusim_iova_range *range)
{
	struct isim_tree_place place;

	isim_tree_find(&space->tree, frame, &place);
	if (isim_tree_at(&space->tree, &place)->lo == ISIM_IOVA_ANCHOR)
		return 0;
	range->lo = isim_tree_at(&space->tree, &place)->lo;
	range->hi = isim_tree_at(&space->tree, &place)->hi;
	return 1;
}

uint64_t iommusim_iova_nr_ranges(const struct iommusim_iova *space)
{
	return space->tree.nr - 1;
}

uint64_t iommusim_iova_max32(const struct iommusim_iova *space)
{
	return space->max32;
}

unsigned iommusim_iova_granule_lg2(const struct iommusim_iova *space)
{
	return space->granule_lg2;
}
