/* SPDX-License-Identifier: MIT */
/*
 * One physically contiguous piece: the granules that hold it are mapped whole, at an IOVA with the
 * same offset in the granule. A piece that must not drag its neighbours along is bounced.
 */
#include "dma/device.h"

uint32_t isim_dma_atomic_gfp(const struct iommusim_dma *dma)
{
	return dma->config.kernel < IOMMUSIM_KERNEL(6, 12) ? IOMMUSIM_GFP_ATOMIC_6_1
	                                                   : IOMMUSIM_GFP_ATOMIC_6_12;
}

unsigned isim_dma_prot(const struct iommusim_dma *dma, enum iommusim_dma_direction direction,
                       uint32_t attrs)
{
	unsigned prot = dma->config.is_noncoherent ? 0 : IOMMUSIM_PROT_CACHE;

	if (direction != IOMMUSIM_DMA_FROM_DEVICE)
		prot |= IOMMUSIM_PROT_READ;
	if (direction != IOMMUSIM_DMA_TO_DEVICE)
		prot |= IOMMUSIM_PROT_WRITE;
	return attrs & IOMMUSIM_ATTR_PRIVILEGED ? prot | IOMMUSIM_PROT_PRIV : prot;
}

/* ---- The range ---- */

static int check_range(struct iommusim_dma *dma, const struct isim_dma_range *range)
{
	uint64_t granule = isim_dma_granule(dma);

	if (!range->size || range->size - 1 > UINT64_MAX - range->pa ||
	    range->size > UINT64_MAX - 2 * granule)
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "0x%llx bytes at 0x%llx are no range to map",
		                 (unsigned long long)range->size, (unsigned long long)range->pa);
	if (dma->config.kernel >= IOMMUSIM_KERNEL(6, 12) &&
	    dma->config.min_align_mask > granule - 1)
		return isim_fail(
			&dma->diag, IOMMUSIM_EINVAL,
			"the device needs the address bits 0x%llx kept, a granule is 0x%llx",
			(unsigned long long)dma->config.min_align_mask,
			(unsigned long long)granule);
	return 0;
}

int isim_dma_map_range(struct iommusim_dma *dma, const struct isim_dma_range *range, uint64_t *addr)
{
	uint64_t granule = isim_dma_granule(dma), off = range->pa & (granule - 1);
	struct iommusim_map map = { .pa = range->pa - off,
		                    .size = isim_align_up(range->size + off, granule),
		                    .prot = range->prot,
		                    .gfp = isim_dma_atomic_gfp(dma) };
	int err = check_range(dma, range);

	if (!err)
		err = isim_dma_get_iova(dma, map.size, range->mask, &map.iova);
	if (err)
		return err;
	err = iommusim_domain_map(dma->config.domain, &map);
	if (err) {
		isim_dma_put_iova(dma, map.iova, map.size);
		return err;
	}
	dma->stats.nr_map++;
	*addr = map.iova + off;
	return 0;
}

uint64_t isim_dma_unmap(struct iommusim_dma *dma, uint64_t iova, uint64_t size, int may_queue)
{
	struct iommusim_gather gather;
	uint64_t done;

	iommusim_gather_init(&gather, dma->config.domain);
	gather.is_queued = may_queue && isim_flush_queue_is_on(&dma->queue);
	done = iommusim_domain_unmap_fast(dma->config.domain, iova, size, &gather);
	if (!gather.is_queued)
		iommusim_gather_sync(&gather);
	return done;
}

void isim_dma_release_iova(struct iommusim_dma *dma, uint64_t iova, uint64_t size)
{
	dma->stats.nr_unmap++;
	if (isim_flush_queue_is_on(&dma->queue))
		isim_flush_queue_add(dma, iova, size);
	else
		isim_dma_put_iova(dma, iova, size);
}

int isim_dma_unmap_range(struct iommusim_dma *dma, uint64_t addr, uint64_t size)
{
	uint64_t granule = isim_dma_granule(dma), off = addr & (granule - 1);
	uint64_t iova = addr - off, bytes = isim_align_up(size + off, granule);
	uint64_t done = isim_dma_unmap(dma, iova, bytes, 1);

	isim_dma_release_iova(dma, iova, bytes);
	if (done == bytes)
		return 0;
	return isim_fail(
		&dma->diag, IOMMUSIM_EIO, "the driver unmapped 0x%llx of 0x%llx bytes at 0x%llx",
		(unsigned long long)done, (unsigned long long)bytes, (unsigned long long)iova);
}

/* ---- Bouncing ---- */

/* What kmalloc() makes of @size: 8 .. 64 and 96, 128, 192, then powers of two. */
static uint64_t slab_bytes(uint64_t size)
{
	uint64_t bytes = isim_pow2_up(size < 8 ? 8 : size);

	if (bytes == 128 && size <= 96)
		return 96;
	return bytes == 256 && size <= 192 ? 192 : bytes;
}

int isim_dma_is_small(const struct iommusim_dma *dma, uint64_t size,
                      enum iommusim_dma_direction direction)
{
	uint64_t align = dma->config.kmalloc_align;

	if (!align || dma->config.kernel < IOMMUSIM_KERNEL(6, 5) || !dma->config.is_noncoherent ||
	    direction == IOMMUSIM_DMA_TO_DEVICE)
		return 0;
	return size < 2 * align && (slab_bytes(size) & (align - 1)) != 0;
}

int isim_dma_needs_bounce(const struct iommusim_dma *dma, uint64_t pa, uint64_t size,
                          enum iommusim_dma_direction direction)
{
	if (!((pa | size) & (isim_dma_granule(dma) - 1)))
		return 0;
	return dma->config.is_untrusted || isim_dma_is_small(dma, size, direction);
}

void isim_dma_sync_device(struct iommusim_dma *dma, uint64_t size, uint32_t attrs)
{
	if (dma->config.is_noncoherent && !(attrs & IOMMUSIM_ATTR_SKIP_CPU_SYNC))
		dma->stats.synced_for_device += size;
}

void isim_dma_sync_cpu(struct iommusim_dma *dma, uint64_t size, uint32_t attrs)
{
	if (dma->config.is_noncoherent && !(attrs & IOMMUSIM_ATTR_SKIP_CPU_SYNC))
		dma->stats.synced_for_cpu += size;
}

static int writes_memory(enum iommusim_dma_direction direction)
{
	return direction != IOMMUSIM_DMA_TO_DEVICE;
}

int isim_dma_bounce(struct iommusim_dma *dma, uint64_t *pa, uint64_t size)
{
	int err = isim_swiotlb_get(dma, pa, size);

	if (!err)
		dma->stats.copied_in += size;
	return err;
}

void isim_dma_unbounce(struct iommusim_dma *dma, uint64_t pa, const struct iommusim_dma_mapping *m)
{
	if (!isim_swiotlb_has(dma, pa))
		return;
	if (writes_memory(m->direction) && !(m->attrs & IOMMUSIM_ATTR_SKIP_CPU_SYNC))
		dma->stats.copied_out += m->size;
	isim_swiotlb_put(dma, pa);
}

/* ---- Pages ---- */

int iommusim_dma_map_page(struct iommusim_dma *dma, struct iommusim_dma_mapping *mapping)
{
	struct isim_dma_range range = { .pa = mapping->pa,
		                        .size = mapping->size,
		                        .mask = dma->config.streaming_mask,
		                        .prot = isim_dma_prot(dma, mapping->direction,
		                                              mapping->attrs) };
	int is_bounced = isim_dma_needs_bounce(dma, range.pa, range.size, mapping->direction);
	int err = check_range(dma, &range);

	mapping->dma_addr = IOMMUSIM_DMA_ERROR;
	if (!err && is_bounced)
		err = isim_dma_bounce(dma, &range.pa, mapping->size);
	if (err)
		return err;
	isim_dma_sync_device(dma, mapping->size, mapping->attrs);
	err = isim_dma_map_range(dma, &range, &mapping->dma_addr);
	if (err && is_bounced)
		isim_swiotlb_put(dma, range.pa);
	return err;
}

int iommusim_dma_unmap_page(struct iommusim_dma *dma, const struct iommusim_dma_mapping *mapping)
{
	uint64_t pa = iommusim_domain_iova_to_phys(dma->config.domain, mapping->dma_addr);
	int err;

	isim_dma_sync_cpu(dma, mapping->size, mapping->attrs);
	err = isim_dma_unmap_range(dma, mapping->dma_addr, mapping->size);
	isim_dma_unbounce(dma, pa, mapping);
	return err;
}

int iommusim_dma_map_resource(struct iommusim_dma *dma, struct iommusim_dma_mapping *mapping)
{
	unsigned prot = isim_dma_prot(dma, mapping->direction, mapping->attrs);
	struct isim_dma_range range = { .pa = mapping->pa,
		                        .size = mapping->size,
		                        .mask = dma->config.streaming_mask,
		                        .prot = (prot & ~IOMMUSIM_PROT_CACHE) |
		                                IOMMUSIM_PROT_MMIO };

	mapping->dma_addr = IOMMUSIM_DMA_ERROR;
	return isim_dma_map_range(dma, &range, &mapping->dma_addr);
}

int iommusim_dma_unmap_resource(struct iommusim_dma *dma,
                                const struct iommusim_dma_mapping *mapping)
{
	return isim_dma_unmap_range(dma, mapping->dma_addr, mapping->size);
}

/* ---- Looking at a mapping that stays ---- */

static int check_part(struct iommusim_dma *dma, const struct iommusim_dma_mapping *mapping,
                      uint64_t offset, uint64_t size)
{
	if (offset <= mapping->size && size <= mapping->size - offset)
		return 0;
	return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
	                 "0x%llx bytes at 0x%llx are beyond the mapping of 0x%llx",
	                 (unsigned long long)size, (unsigned long long)offset,
	                 (unsigned long long)mapping->size);
}

static int is_bounced(const struct iommusim_dma *dma, const struct iommusim_dma_mapping *mapping)
{
	return isim_swiotlb_has(
		dma, iommusim_domain_iova_to_phys(dma->config.domain, mapping->dma_addr));
}

int iommusim_dma_sync_for_cpu(struct iommusim_dma *dma, const struct iommusim_dma_mapping *mapping,
                              uint64_t offset, uint64_t size)
{
	int err = check_part(dma, mapping, offset, size);

	if (err)
		return err;
	isim_dma_sync_cpu(dma, size, 0);
	if (is_bounced(dma, mapping) && writes_memory(mapping->direction))
		dma->stats.copied_out += size;
	return 0;
}

int iommusim_dma_sync_for_device(struct iommusim_dma *dma,
                                 const struct iommusim_dma_mapping *mapping, uint64_t offset,
                                 uint64_t size)
{
	int err = check_part(dma, mapping, offset, size);

	if (err)
		return err;
	if (is_bounced(dma, mapping) && mapping->direction != IOMMUSIM_DMA_FROM_DEVICE)
		dma->stats.copied_in += size;
	isim_dma_sync_device(dma, size, 0);
	return 0;
}
