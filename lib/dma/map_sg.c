/* SPDX-License-Identifier: MIT */
/*
 * A list under one IOVA range: entries are padded to granules, and those before a boundary to the
 * boundary; then what adjoins on the device's side is merged. Lengths have 32 bits, as in Linux.
 */
#include "dma/device.h"

#include <string.h>

/* What the first pass knows of the list so far. */
struct layout {
	uint64_t total;           /* bytes of IOVA */
	struct iommusim_sg *last; /* entry that is mapped, NULL: none yet */
};

static uint64_t pa_of(const struct iommusim_dma_sg *e)
{
	return e->page_pa + e->offset;
}

static uint64_t offset_in_granule(const struct iommusim_dma *dma, const struct iommusim_dma_sg *e)
{
	return e->offset & (isim_dma_granule(dma) - 1);
}

/* @e becomes @bytes longer than it is. Its length has 32 bits: 6.1 lets it wrap, 6.12 gives up. */
static int lengthen(struct iommusim_dma *dma, struct iommusim_sg *e, uint64_t bytes)
{
	uint64_t size = e->size + bytes;

	e->size = size & UINT32_MAX;
	if (size <= UINT32_MAX || dma->config.kernel < IOMMUSIM_KERNEL(6, 12))
		return 0;
	return isim_fail(&dma->diag, IOMMUSIM_EINVAL, "an entry of 0x%llx bytes exceeds 32 bits",
	                 (unsigned long long)size);
}

/* Bytes to skip so that an entry of @size bytes does not cross a boundary. */
static uint64_t gap_before(const struct iommusim_dma *dma, const struct layout *layout,
                           uint64_t size)
{
	uint64_t boundary = dma->config.seg_boundary;
	uint64_t gap = (boundary - layout->total + 1) & boundary;

	return gap && gap < size - 1 ? gap : 0;
}

static int place(struct iommusim_dma *dma, const struct iommusim_dma_sg *e, struct iommusim_sg *out,
                 struct layout *layout)
{
	uint64_t off = offset_in_granule(dma, e);
	uint64_t size = isim_align_up(e->length + off, isim_dma_granule(dma));
	uint64_t gap = gap_before(dma, layout, size);
	int err;

	*out = (struct iommusim_sg){ pa_of(e) - off, 0 };
	err = lengthen(dma, out, size);
	if (!err && gap && layout->last)
		err = lengthen(dma, layout->last, gap);
	layout->total += gap + size;
	layout->last = out;
	return err;
}

/* The list for the domain, one entry for each, in dma->scratch; a peer's maps nothing. */
static int lay_out(struct iommusim_dma *dma, const struct iommusim_dma_list *list,
                   struct layout *layout)
{
	int err = 0;

	for (size_t i = 0; !err && i < list->nr; i++) {
		const struct iommusim_dma_sg *e = &list->sg[i];

		if (e->is_bus)
			dma->scratch[i] = (struct iommusim_sg){ pa_of(e), 0 };
		else
			err = place(dma, e, &dma->scratch[i], layout);
	}
	return err;
}

/* ---- Segments ---- */

struct segments {
	struct iommusim_dma_sg *sg;
	size_t nr;
	uint32_t length; /* of the last one, while something may be added to it; else 0 */
};

static void forget(struct iommusim_dma_list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		list->sg[i].dma_addr = IOMMUSIM_DMA_ERROR;
		list->sg[i].dma_length = 0;
		list->sg[i].dma_is_bus = 0;
	}
}

static void new_segment(struct segments *s, uint64_t addr, uint32_t length, uint32_t is_bus)
{
	struct iommusim_dma_sg *out = &s->sg[s->nr++];

	out->dma_addr = addr;
	out->dma_length = length;
	out->dma_is_bus = is_bus;
	s->length = is_bus ? 0 : length;
}

/* May entry @e, which begins at @addr, be added to the last segment? In 32 bits: a segment that is
   too long already takes everything. */
static int may_merge(const struct iommusim_dma *dma, const struct segments *s, uint64_t addr,
                     const struct iommusim_dma_sg *e)
{
	return s->length && !offset_in_granule(dma, e) && (addr & dma->config.seg_boundary) &&
	       (uint32_t)dma->config.max_seg_size - s->length >= e->length;
}

/* Models __finalise_sg(). */
static size_t make_segments(const struct iommusim_dma *dma, struct iommusim_dma_list *list,
                            uint64_t iova)
{
	struct segments s = { .sg = list->sg };

	for (size_t i = 0; i < list->nr; i++) {
		const struct iommusim_dma_sg e = list->sg[i];
		uint64_t off = offset_in_granule(dma, &e), size = dma->scratch[i].size;

		if (e.is_bus) {
			new_segment(&s, e.bus_addr, e.length, 1);
			continue;
		}
		if (may_merge(dma, &s, iova, &e)) {
			s.length += e.length;
			s.sg[s.nr - 1].dma_length = s.length;
		} else {
			new_segment(&s, iova + off, e.length, 0);
		}
		iova += size;
		if ((uint32_t)(e.length + off) < size)
			s.length = 0;
	}
	return s.nr;
}

/* ---- Mapping ---- */

static int map_layout(struct iommusim_dma *dma, const struct iommusim_dma_list *list,
                      uint64_t total, uint64_t *iova)
{
	struct iommusim_map_list map = { .sg = dma->scratch,
		                         .nr = list->nr,
		                         .prot = isim_dma_prot(dma, list->direction, list->attrs),
		                         .gfp = isim_dma_atomic_gfp(dma) };
	uint64_t mapped = 0;
	int err = isim_dma_get_iova(dma, total, dma->config.streaming_mask, &map.iova);

	if (err)
		return err;
	err = iommusim_domain_map_sg(dma->config.domain, &map, &mapped);
	if (!err && mapped < total)
		err = isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                "only 0x%llx of 0x%llx bytes of the list were mapped",
		                (unsigned long long)mapped, (unsigned long long)total);
	if (err)
		isim_dma_put_iova(dma, map.iova, total);
	else
		dma->stats.nr_map++;
	*iova = map.iova;
	return err;
}

/* What Linux lets through to the caller; the host's failures are ours. */
static int visible(int err)
{
	return !err || err == -IOMMUSIM_ENOMEM || err == -IOMMUSIM_EREMOTEIO ||
	                       err == -IOMMUSIM_EHOST
	               ? err
	               : -IOMMUSIM_EINVAL;
}

static int map_whole(struct iommusim_dma *dma, struct iommusim_dma_list *list, size_t *nr_segments)
{
	struct layout layout = { 0, NULL };
	uint64_t iova = 0;
	int err;

	if (isim_grow(&dma->diag.host, &dma->scratch, &dma->cap_scratch, list->nr,
	              sizeof(*dma->scratch)))
		return isim_no_memory(&dma->diag, "a list of padded entries");
	err = lay_out(dma, list, &layout);
	if (!err && layout.total)
		err = map_layout(dma, list, layout.total, &iova);
	if (err)
		return visible(err);
	*nr_segments = make_segments(dma, list, iova);
	return 0;
}

/* ---- Entry by entry, through bounce buffers ---- */

static struct iommusim_dma_mapping mapping_of(const struct iommusim_dma_list *list, size_t i)
{
	return (struct iommusim_dma_mapping){ .pa = pa_of(&list->sg[i]),
		                              .size = list->sg[i].length,
		                              .direction = list->direction,
		                              .attrs = list->attrs,
		                              .dma_addr = list->sg[i].dma_addr };
}

static int unmap_each(struct iommusim_dma *dma, const struct iommusim_dma_list *list, size_t nr)
{
	int first = 0;

	for (size_t i = 0; i < nr; i++) {
		struct iommusim_dma_mapping m = mapping_of(list, i);
		int err = iommusim_dma_unmap_page(dma, &m);

		if (err && !first)
			first = err;
	}
	return first;
}

static int map_each(struct iommusim_dma *dma, struct iommusim_dma_list *list, size_t *nr_segments)
{
	for (size_t i = 0; i < list->nr; i++) {
		struct iommusim_dma_mapping m = mapping_of(list, i);
		int err = iommusim_dma_map_page(dma, &m);

		if (err) {
			list->attrs |= IOMMUSIM_ATTR_SKIP_CPU_SYNC;
			unmap_each(dma, list, i);
			return err == -IOMMUSIM_EHOST ? err : -IOMMUSIM_EIO;
		}
		list->sg[i].dma_addr = m.dma_addr;
		list->sg[i].dma_length = list->sg[i].length;
	}
	*nr_segments = list->nr;
	return 0;
}

static int must_bounce(const struct iommusim_dma *dma, const struct iommusim_dma_list *list)
{
	if (dma->config.is_untrusted)
		return 1;
	for (size_t i = 0; i < list->nr; i++)
		if (isim_dma_is_small(dma, list->sg[i].length, list->direction))
			return 1;
	return 0;
}

/* ---- Calls ---- */

static int check_list(struct iommusim_dma *dma, const struct iommusim_dma_list *list)
{
	size_t i = 0;

	while (i < list->nr && list->sg[i].length)
		i++;
	if (list->nr && i == list->nr)
		return 0;
	return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
	                 "the list has no entry, or one without bytes");
}

static uint64_t bytes_of(const struct iommusim_dma_list *list)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < list->nr; i++)
		bytes += list->sg[i].is_bus ? 0 : list->sg[i].length;
	return bytes;
}

int iommusim_dma_map_sg(struct iommusim_dma *dma, struct iommusim_dma_list *list,
                        size_t *nr_segments)
{
	uint32_t attrs = list->attrs;
	int err = check_list(dma, list);

	forget(list);
	list->is_split = 0;
	if (err)
		return err;
	list->is_split = (unsigned)must_bounce(dma, list);
	if (list->is_split) {
		err = map_each(dma, list, nr_segments);
	} else {
		isim_dma_sync_device(dma, bytes_of(list), list->attrs);
		err = map_whole(dma, list, nr_segments);
	}
	list->attrs = attrs;
	if (err)
		forget(list);
	return err;
}

/* From the first byte to the last that is not a peer's. 0: there is none, or it ends at 2^64. */
static uint64_t span_of(const struct iommusim_dma_list *list, uint64_t *start)
{
	uint64_t end = 0;

	for (size_t i = 0; i < list->nr; i++) {
		const struct iommusim_dma_sg *e = &list->sg[i];

		if (e->dma_is_bus)
			continue;
		if (!e->dma_length)
			break;
		if (!end)
			*start = e->dma_addr;
		end = e->dma_addr + e->dma_length;
	}
	return end;
}

int iommusim_dma_unmap_sg(struct iommusim_dma *dma, struct iommusim_dma_list *list)
{
	uint64_t start = 0, end;
	int err = 0;

	if (list->is_split) {
		err = unmap_each(dma, list, list->nr);
	} else {
		isim_dma_sync_cpu(dma, bytes_of(list), list->attrs);
		end = span_of(list, &start);
		if (end)
			err = isim_dma_unmap_range(dma, start, end - start);
	}
	forget(list);
	return err;
}
