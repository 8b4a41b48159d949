/* SPDX-License-Identifier: MIT */
/*
 * From counts to a memory that has them: spans that are large enough (span.c), filled upwards, each
 * region greedily, from the largest block down, which uses them as well as can be.
 */
#include "phys/snapshot.h"

#include <string.h>

/* One zone: what is still to be placed, and where it goes. */
struct layout {
	const struct iommusim_phys *phys;
	struct isim_zone *zone;
	const struct isim_span *span;
	uint32_t limit; /* behind the memory, as a frame number of the zone */
	uint64_t left[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES]; /* free blocks */
	uint64_t planned[IOMMUSIM_NR_MIGRATETYPES]; /* pageblocks for small blocks */
	uint64_t cut[IOMMUSIM_NR_MIGRATETYPES];     /* the same, those that are cut */
	uint64_t blocks[IOMMUSIM_NR_MIGRATETYPES];  /* pageblocks that have no place yet */
	uint64_t nr_added;
};

/* ---- Filling ---- */

static void use_pageblock(struct layout *l, uint32_t frame, unsigned type)
{
	isim_set_pageblock(l->zone, frame, type);
	if (l->blocks[type])
		l->blocks[type]--;
	else
		l->nr_added++;
}

/* Is anything of @type and smaller than @order still to be placed? */
static int any_left(const struct layout *l, unsigned order, unsigned type)
{
	uint64_t left = 0;

	for (unsigned o = 0; o < order; o++)
		left |= l->left[o][type];
	return left != 0;
}

/* Is the stretch of 2^@order frames inside the zone's memory, all of it? */
static int is_inside(const struct layout *l, uint32_t frame, unsigned order)
{
	return frame >= l->zone->first && frame < l->limit && l->limit - frame >= 1u << order;
}

static int is_outside(const struct layout *l, uint32_t frame, unsigned order)
{
	return frame >= l->limit || l->zone->first >= frame + (1u << order);
}

/* What is inside of a stretch is in use. */
static int use(struct layout *l, uint32_t frame, unsigned order, unsigned type)
{
	uint32_t first = frame > l->zone->first ? frame : l->zone->first;
	uint32_t end = l->limit - frame < 1u << order ? l->limit : frame + (1u << order);

	return isim_occupy(l->phys, l->zone, first, end, isim_kind_of_type(type));
}

/* Place a free block of @order, of a type that still has some. 1, 0: none has, or an error. */
static int place_free(struct layout *l, uint32_t frame, unsigned order, unsigned type)
{
	int err;

	if (!l->left[order][type] || !is_inside(l, frame, order))
		return 0;
	l->left[order][type]--;
	err = isim_release(l->phys, l->zone, frame, frame + (1u << order), type);
	return err ? err : 1;
}

/* Fill a region inside a pageblock, or a part of it, with blocks of its type. */
static int fill_region(struct layout *l, uint32_t frame, unsigned order, unsigned type)
{
	uint32_t half = (1u << order) / 2;
	int placed;

	if (is_outside(l, frame, order))
		return 0;
	if (!any_left(l, order, type))
		return use(l, frame, order, type);
	placed = place_free(l, frame, order - 1, type);
	if (placed < 0)
		return placed;
	if (!placed) {
		int err = fill_region(l, frame, order - 1, type);

		if (err)
			return err;
	}
	if (!placed || !is_inside(l, frame, order))
		placed = place_free(l, frame + half, order - 1, type);
	else
		placed = 0;
	if (placed)
		return placed < 0 ? placed : 0;
	return fill_region(l, frame + half, order - 1, type);
}

/* Is any block still to be placed? */
static int is_any_left(const struct layout *l)
{
	int any = 0;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		any |= any_left(l, IOMMUSIM_MAX_ORDERS, type);
	return any;
}

/* Pageblocks that @type's free blocks will still take. */
static uint64_t pageblocks_to_come(const struct layout *l, unsigned type)
{
	unsigned pageblock_order = l->zone->pageblock_order;
	uint64_t nr = l->planned[type] + l->cut[type];

	for (unsigned order = pageblock_order; order <= l->zone->top_order; order++)
		nr += l->left[order][type] << (order - pageblock_order);
	return nr;
}

/* The first type of which there are pageblocks that its free blocks do not take; Movable if there
 * are none. */
static unsigned first_type_left(const struct layout *l)
{
	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		if (l->blocks[type] > pageblocks_to_come(l, type))
			return type;
	return IOMMUSIM_MOVABLE;
}

/* The first type that has pageblocks planned for its small blocks. */
static unsigned next_type(struct layout *l)
{
	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		if (l->planned[type]) {
			l->planned[type]--;
			return type;
		}
	return ISIM_NO_TYPE;
}

/* A pageblock in use, of a type that has no place yet for all that were counted. */
static int use_pageblock_of_any(struct layout *l, uint32_t frame)
{
	unsigned type = first_type_left(l);

	use_pageblock(l, frame, type);
	return use(l, frame, l->zone->pageblock_order, type);
}

/* A pageblock that is no free block. */
static int fill_pageblock(struct layout *l, uint32_t frame)
{
	unsigned order = l->zone->pageblock_order, type;

	if (is_inside(l, frame, order))
		type = next_type(l);
	else
		type = l->span->edge_type[frame >= l->zone->first];
	if (type == ISIM_NO_TYPE)
		return use_pageblock_of_any(l, frame);
	l->cut[type] -= l->cut[type] && !is_inside(l, frame, order);
	use_pageblock(l, frame, type);
	return fill_region(l, frame, order, type);
}

/* A whole free block of a pageblock or more, of the first type that has one left. */
static int fill_free(struct layout *l, uint32_t frame, unsigned order)
{
	if (!is_inside(l, frame, order))
		return 0;
	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
		uint32_t size = 1u << l->zone->pageblock_order;

		if (!l->left[order][type])
			continue;
		for (uint32_t at = frame; at < frame + (1u << order); at += size)
			use_pageblock(l, at, type);
		return place_free(l, frame, order, type);
	}
	return 0;
}

/* A region of a pageblock or more, or a part of it: below it, one free half where there is one to
 * place; where it is cut, both may be free. */
static int fill_large(struct layout *l, uint32_t frame, unsigned order)
{
	uint32_t half = (1u << order) / 2;
	int placed;

	if (is_outside(l, frame, order))
		return 0;
	if (order == l->zone->pageblock_order)
		return fill_pageblock(l, frame);
	placed = fill_free(l, frame, order - 1);
	if (placed < 0)
		return placed;
	if (!placed) {
		int err = fill_large(l, frame, order - 1);

		if (err)
			return err;
	}
	if (!placed || !is_inside(l, frame, order))
		placed = fill_free(l, frame + half, order - 1);
	else
		placed = 0;
	if (placed)
		return placed < 0 ? placed : 0;
	return fill_large(l, frame + half, order - 1);
}

/* A whole top block in use, of one type: without metadata for its frames. 1; 0: it cannot be; or an
 * error. */
static int fill_used(struct layout *l, uint32_t frame)
{
	uint32_t size = 1u << l->zone->top_order, block = 1u << l->zone->pageblock_order;
	unsigned type = first_type_left(l);
	int err;

	if (is_any_left(l) || l->blocks[type] < size / block ||
	    !is_inside(l, frame, l->zone->top_order))
		return 0;
	for (uint32_t at = frame; at < frame + size; at += block)
		use_pageblock(l, at, type);
	err = isim_occupy(l->phys, l->zone, frame, frame + size, isim_kind_of_type(type));
	return err ? err : 1;
}

/* Whole top blocks come first, and then those that the memory's start or end cuts. */
static int fill_top(struct layout *l, uint32_t frame)
{
	unsigned order = l->zone->top_order;
	int placed = fill_free(l, frame, order);

	if (!placed)
		placed = fill_used(l, frame);
	return placed ? placed : fill_large(l, frame, order);
}

/* The hole behind the memory is in use for good, as it was created; what shares a top block with
 * the memory has to be told again. */
static int fill_hole(struct layout *l)
{
	uint64_t top_end = isim_align_up(l->limit, isim_bit(l->zone->top_order));
	uint32_t end = top_end < l->zone->end ? (uint32_t)top_end : l->zone->end;

	return isim_occupy(l->phys, l->zone, l->limit, end, IOMMUSIM_PAGE_RESERVED);
}

static int fill_zone(struct layout *l, const struct isim_snapshot_zone *from)
{
	int err = fill_hole(l);

	memcpy(l->left, from->by_type, sizeof(l->left));
	memcpy(l->blocks, from->nr_pageblocks, sizeof(l->blocks));
	memcpy(l->planned, l->span->pageblocks, sizeof(l->planned));
	for (unsigned i = 0; i < 2; i++)
		if (l->span->edge_type[i] != ISIM_NO_TYPE)
			l->cut[l->span->edge_type[i]]++;
	for (uint32_t at = 0; err >= 0 && at < l->limit; at += 1u << l->zone->top_order)
		err = fill_top(l, at);
	assert(err < 0 || !is_any_left(l));
	return err < 0 ? err : 0;
}

/* ---- The machine ---- */

/* Choose all spans. 0 or a worded error. */
static int place_zones(const struct iommusim_snapshot *snap,
                       const struct iommusim_phys_config *config, struct isim_span *spans,
                       struct iommusim_zone_config *zones)
{
	struct isim_zone shape = { .top_order = snap->nr_orders - 1,
		                   .pageblock_order = config->pageblock_order };
	uint64_t end = 0;

	for (unsigned i = 0; i < snap->nr_zones; i++) {
		const struct isim_snapshot_zone *from = &snap->zone[i];

		if (isim_span_choose(from, &shape, config->page_shift, end, &spans[i]))
			return isim_complain(
				&snap->host, IOMMUSIM_EINVAL,
				"%s:%u: %s: free frames '%llu', in these blocks, do not fit into "
				"the %llu that it spans",
				snap->counts_name, from->line,
				isim_text_zone_field(from->node, from->zone).s,
				(unsigned long long)isim_snapshot_free(from),
				(unsigned long long)from->told.spanned);
		zones[i].node = from->node;
		zones[i].zone = (enum iommusim_zone)from->zone;
		zones[i].start_pfn = spans[i].start_pfn;
		zones[i].nr_frames = spans[i].end_pfn - spans[i].start_pfn;
		end = spans[i].end_pfn;
	}
	return 0;
}

static int fill_zones(struct iommusim_phys *phys, const struct iommusim_snapshot *snap,
                      const struct isim_span *spans, uint64_t *nr_added)
{
	for (unsigned i = 0; i < snap->nr_zones; i++) {
		struct isim_zone *zone = &phys->zone[i];
		struct layout l = { .phys = phys,
			            .zone = zone,
			            .span = &spans[i],
			            .limit = (uint32_t)(spans[i].limit - zone->base) };

		if (fill_zone(&l, &snap->zone[i]))
			return isim_no_memory(&phys->diag, "the frames of a snapshot");
		*nr_added += l.nr_added;
	}
	return 0;
}

/* A zone whose frames are all reserved has none managed, but that is nothing to model. */
static int set_numbers(struct iommusim_phys *phys, const struct iommusim_snapshot *snap)
{
	int err = 0;

	for (unsigned i = 0; !err && i < snap->nr_zones; i++) {
		struct iommusim_zone_numbers numbers = snap->zone[i].told.numbers;

		numbers.managed += !numbers.managed;
		if (snap->zone[i].told.has_numbers)
			err = iommusim_phys_set_numbers(phys, i, &numbers);
	}
	return err;
}

/* What the snapshot decides of @config. 0 or a worded error. */
static int set_config(const struct iommusim_snapshot *snap, struct iommusim_phys_config *config)
{
	unsigned known = snap->page_shift;

	if (known && config->page_shift && config->page_shift != known)
		return isim_complain(&snap->host, IOMMUSIM_EINVAL,
		                     "page_shift %u is not that of the report, %u",
		                     config->page_shift, known);
	if (!config->page_shift)
		config->page_shift = known ? known : 12;
	if (config->page_shift < 12 || config->page_shift > 16)
		return isim_complain(&snap->host, IOMMUSIM_EINVAL, "page_shift %u is not 12 .. 16",
		                     config->page_shift);
	config->nr_orders = snap->nr_orders;
	config->pageblock_order = snap->pageblock_order;
	if (!config->pageblock_order)
		config->pageblock_order = config->page_shift < 14 ? 9 : snap->nr_orders - 1;
	if (!config->configured_zones)
		config->configured_zones = snap->configured_zones;
	config->nr_zones = snap->nr_zones;
	config->nothing_free = 1;
	config->size = sizeof(*config);
	return 0;
}

static int build(struct iommusim_phys *phys, const struct iommusim_snapshot *snap,
                 const struct isim_span *spans, struct iommusim_snapshot_notes *notes)
{
	uint64_t nr_added = 0;
	int err;

	phys->is_untouched = 0;
	err = fill_zones(phys, snap, spans, &nr_added);
	if (!err)
		err = set_numbers(phys, snap);
	if (err || !notes)
		return err;
	*notes = snap->notes;
	notes->nr_added = notes->has_types ? nr_added : 0;
	return 0;
}

int iommusim_phys_create_snapshot(const struct iommusim_phys_config *config,
                                  const struct iommusim_snapshot *snapshot,
                                  struct iommusim_snapshot_notes *notes,
                                  struct iommusim_phys **phys)
{
	struct iommusim_zone_config zones[ISIM_MAX_ZONES];
	struct isim_span spans[ISIM_MAX_ZONES];
	struct iommusim_phys_config c;
	struct iommusim_phys *p;
	int err = isim_copy_sized(&c, sizeof(c), config);

	memset(zones, 0, sizeof(zones));
	if (!err)
		err = set_config(snapshot, &c);
	if (!err)
		err = place_zones(snapshot, &c, spans, zones);
	c.zones = zones;
	if (!err)
		err = iommusim_phys_create(&c, &p);
	if (err)
		return err;
	err = build(p, snapshot, spans, notes);
	if (err) {
		iommusim_phys_destroy(p);
		return err;
	}
	*phys = p;
	return 0;
}
