/* SPDX-License-Identifier: MIT */
/*
 * What a machine's memory looks like from outside: counts, lists, the fragmentation indices, and
 * the text of /proc/buddyinfo and /proc/pagetypeinfo.
 */
#include "phys/zone.h"

#include <stdio.h>
#include <string.h>

unsigned iommusim_phys_nr_zones(const struct iommusim_phys *phys)
{
	return phys->nr_zones;
}

unsigned iommusim_phys_nr_orders(const struct iommusim_phys *phys)
{
	return phys->nr_orders;
}

unsigned iommusim_phys_pageblock_order(const struct iommusim_phys *phys)
{
	return phys->pageblock_order;
}

unsigned iommusim_phys_page_shift(const struct iommusim_phys *phys)
{
	return phys->page_shift;
}

/* The first frame of the block that @frame is in: frames inside have no state. */
static uint32_t block_of(const struct isim_zone *zone, uint32_t frame)
{
	unsigned order = 0;

	while (!(isim_state(zone, frame & ~((1u << order) - 1)) & ISIM_STATE_BITS))
		order++;
	order = isim_block_order(isim_state(zone, frame & ~((1u << order) - 1)));
	return frame & ~((1u << order) - 1);
}

/* Is any of the frames @at .. @end-1 somebody's, or free? */
static int has_memory(const struct isim_zone *zone, uint32_t at, uint32_t end)
{
	while (at < end) {
		uint32_t head = block_of(zone, at);
		unsigned state = isim_state(zone, head);

		if ((state & ISIM_STATE_BITS) != ISIM_USED ||
		    isim_block_kind(state) != IOMMUSIM_PAGE_RESERVED)
			return 1;
		at = head + (1u << isim_block_order(state));
	}
	return 0;
}

/*
 * The zone's last pageblock that has memory. Behind it may be a hole, no longer than what is not
 * present; its pageblocks are not counted, as Linux counts none that is not online.
 */
static uint32_t last_pageblock(const struct isim_zone *zone)
{
	uint64_t hole = zone->config.nr_frames - zone->numbers.present;
	uint32_t end = zone->end;

	while (hole) {
		uint32_t start = (end - 1) >> zone->pageblock_order << zone->pageblock_order;

		if (start <= zone->first || end - start > hole || has_memory(zone, start, end))
			break;
		hole -= end - start;
		end = start;
	}
	return (end - 1) >> zone->pageblock_order;
}

static void count_pageblocks(const struct isim_zone *zone, struct iommusim_zone_info *info)
{
	uint32_t last = last_pageblock(zone);

	for (uint32_t i = zone->first >> zone->pageblock_order; i <= last; i++)
		info->nr_pageblocks[zone->pageblock[i] ^ IOMMUSIM_MOVABLE]++;
}

int iommusim_phys_zone(const struct iommusim_phys *phys, unsigned index,
                       struct iommusim_zone_info *info)
{
	const struct isim_zone *zone;

	if (index >= phys->nr_zones)
		return -IOMMUSIM_EINVAL;
	zone = &phys->zone[index];
	memset(info, 0, sizeof(*info));
	info->node = zone->config.node;
	info->zone = zone->config.zone;
	info->start_pfn = zone->config.start_pfn;
	info->nr_frames = zone->config.nr_frames;
	for (unsigned order = 0; order < phys->nr_orders; order++)
		for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
			uint64_t nr = zone->nr_blocks[order][type];

			info->nr_blocks[order][type] = nr;
			if (type != IOMMUSIM_ISOLATE)
				info->nr_free += nr << order;
		}
	count_pageblocks(zone, info);
	return 0;
}

static uint64_t zone_free_blocks(const struct isim_zone *zone, unsigned order)
{
	uint64_t nr = 0;

	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		nr += zone->nr_blocks[order][type];
	return nr;
}

uint64_t iommusim_phys_nr_free_blocks(const struct iommusim_phys *phys, unsigned order)
{
	uint64_t nr = 0;

	if (order >= phys->nr_orders)
		return 0;
	for (unsigned i = 0; i < phys->nr_zones; i++)
		nr += zone_free_blocks(&phys->zone[i], order);
	return nr;
}

uint64_t iommusim_phys_nr_free(const struct iommusim_phys *phys)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < phys->nr_zones; i++)
		for (unsigned order = 0; order < phys->nr_orders; order++)
			nr += (zone_free_blocks(&phys->zone[i], order) -
			       phys->zone[i].nr_blocks[order][IOMMUSIM_ISOLATE])
			      << order;
	return nr;
}

int iommusim_phys_list(const struct iommusim_phys *phys, struct iommusim_list_id list,
                       iommusim_pfn *pfns, unsigned max)
{
	const struct isim_zone *zone;
	uint32_t frame;
	int nr = 0;

	if (list.zone >= phys->nr_zones || list.order >= phys->nr_orders ||
	    list.type >= IOMMUSIM_NR_MIGRATETYPES)
		return -IOMMUSIM_EINVAL;
	zone = &phys->zone[list.zone];
	frame = zone->head[list.order][list.type];
	for (; frame != ISIM_NIL && max > 0; max--) {
		pfns[nr++] = zone->base + frame;
		frame = isim_list_next(zone, frame, list.order);
	}
	return nr;
}

int iommusim_phys_pageblock_type(const struct iommusim_phys *phys, iommusim_pfn pfn)
{
	uint32_t frame;
	const struct isim_zone *zone = isim_zone_of(phys, pfn, &frame);

	return zone ? (int)isim_pageblock(zone, frame) : -IOMMUSIM_EINVAL;
}

int iommusim_phys_set_pageblock_type(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned type)
{
	uint32_t frame;
	struct isim_zone *zone = isim_zone_of(phys, pfn, &frame);

	if (!zone || type >= IOMMUSIM_NR_MIGRATETYPES)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "pfn 0x%llx is in no zone, or there is no migratetype %u",
		                 (unsigned long long)pfn, type);
	isim_set_pageblock(zone, frame, type);
	return 0;
}

/* ---- Indices ---- */

/* Free frames, free blocks, and how many blocks of @order they would make. */
struct sums {
	uint64_t frames, blocks, suitable;
};

static struct sums sum_blocks(const struct iommusim_zone_info *info, unsigned order)
{
	struct sums sums = { 0, 0, 0 };

	for (unsigned o = 0; o < IOMMUSIM_MAX_ORDERS; o++) {
		uint64_t nr = 0;

		for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
			nr += info->nr_blocks[o][type];
		sums.blocks += nr;
		sums.frames += nr << o;
		if (o >= order)
			sums.suitable += nr << (o - order);
	}
	return sums;
}

int iommusim_zone_unusable(const struct iommusim_zone_info *info, unsigned order)
{
	struct sums sums = sum_blocks(info, order);

	if (!sums.suitable)
		return 1000;
	return (int)((sums.frames - (sums.suitable << order)) * 1000 / sums.frames);
}

int iommusim_zone_extfrag(const struct iommusim_zone_info *info, unsigned order)
{
	struct sums sums = sum_blocks(info, order);

	if (!sums.blocks)
		return 0;
	if (sums.suitable)
		return -1000;
	return 1000 - (int)((1000 + (order < 64 ? sums.frames * 1000 >> order : 0)) / sums.blocks);
}

/* ---- /proc text ---- */

/* Text that may be longer than its buffer. */
struct out {
	char *text;
	size_t bytes, need;
};

static void put(struct out *out, const char *text)
{
	size_t length = strlen(text);

	if (out->need < out->bytes) {
		size_t room = out->bytes - out->need - 1;

		memcpy(out->text + out->need, text, length < room ? length : room);
		out->text[out->need + (length < room ? length : room)] = 0;
	}
	out->need += length;
}

static void put_number(struct out *out, int width, uint64_t nr)
{
	char text[32];

	snprintf(text, sizeof(text), "%*llu ", width, (unsigned long long)nr);
	put(out, text);
}

static void put_zone(struct out *out, const struct isim_zone *zone)
{
	char text[48];

	snprintf(text, sizeof(text), "Node %u, zone %8s ", zone->config.node,
	         iommusim_zone_name(zone->config.zone));
	put(out, text);
}

size_t iommusim_phys_buddyinfo(const struct iommusim_phys *phys, char *text, size_t bytes)
{
	struct out out = { text, bytes, 0 };

	for (unsigned i = 0; i < phys->nr_zones; i++) {
		put_zone(&out, &phys->zone[i]);
		for (unsigned order = 0; order < phys->nr_orders; order++)
			put_number(&out, 6, zone_free_blocks(&phys->zone[i], order));
		put(&out, "\n");
	}
	return out.need;
}

static int has_cma(const struct iommusim_phys *phys)
{
	struct iommusim_zone_info info;
	uint64_t nr = 0;

	for (unsigned i = 0; i < phys->nr_zones; i++) {
		iommusim_phys_zone(phys, i, &info);
		nr += info.nr_pageblocks[IOMMUSIM_CMA];
		for (unsigned order = 0; order < phys->nr_orders; order++)
			nr += info.nr_blocks[order][IOMMUSIM_CMA];
	}
	return nr != 0;
}

static void put_free_row(struct out *out, const struct iommusim_phys *phys,
                         const struct isim_zone *zone, unsigned type)
{
	char text[80];

	snprintf(text, sizeof(text), "Node %4u, zone %8s, type %12s ", zone->config.node,
	         iommusim_zone_name(zone->config.zone), iommusim_migratetype_name(type));
	put(out, text);
	for (unsigned order = 0; order < phys->nr_orders; order++)
		put_number(out, 6, zone->nr_blocks[order][type]);
	put(out, "\n");
}

static void put_block_row(struct out *out, const struct isim_zone *zone, unsigned skip)
{
	struct iommusim_zone_info info = { 0 };

	count_pageblocks(zone, &info);
	put_zone(out, zone);
	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		if (type != skip)
			put_number(out, 12, info.nr_pageblocks[type]);
	put(out, "\n");
}

size_t iommusim_phys_pagetypeinfo(const struct iommusim_phys *phys, char *text, size_t bytes)
{
	struct out out = { text, bytes, 0 };
	unsigned skip = has_cma(phys) ? IOMMUSIM_NR_MIGRATETYPES : IOMMUSIM_CMA;
	char line[128];

	snprintf(line, sizeof(line), "Page block order: %u\nPages per block:  %u\n\n%-43s ",
	         phys->pageblock_order, 1u << phys->pageblock_order,
	         "Free pages count per migrate type at order");
	put(&out, line);
	for (unsigned order = 0; order < phys->nr_orders; order++)
		put_number(&out, 6, order);
	put(&out, "\n");
	for (unsigned i = 0; i < phys->nr_zones; i++)
		for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
			if (type != skip)
				put_free_row(&out, phys, &phys->zone[i], type);
	snprintf(line, sizeof(line), "\n%-23s", "Number of blocks type ");
	put(&out, line);
	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++) {
		snprintf(line, sizeof(line), "%12s ", iommusim_migratetype_name(type));
		if (type != skip)
			put(&out, line);
	}
	put(&out, "\n");
	for (unsigned i = 0; i < phys->nr_zones; i++)
		put_block_row(&out, &phys->zone[i], skip);
	return out.need;
}
