/* SPDX-License-Identifier: MIT */
/* A device: what it is made of, what it refuses, its settings, its clock. */
#include "dma/device.h"

#include <string.h>

static int refuse_granule(struct iommusim_dma *dma, enum iommusim_granule_user user)
{
	const struct iommusim_granule_rule *rule = iommusim_granule_rule(user, dma->config.kernel);

	return isim_fail(&dma->diag, -rule->err, "%s: granule 2^%u is above the CPU page 2^%u: %s",
	                 rule->check, iommusim_iova_granule_lg2(dma->config.iova),
	                 dma->config.page_shift, rule->effect);
}

static int check_granule(struct iommusim_dma *dma)
{
	const struct iommusim_dma_config *c = &dma->config;
	unsigned granule_lg2 = iommusim_iova_granule_lg2(c->iova);

	if (iommusim_domain_pgsizes(c->domain) & (isim_bit(granule_lg2) - 1))
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "the IOVA granule 2^%u is above the domain's smallest page",
		                 granule_lg2);
	if (granule_lg2 <= c->page_shift)
		return 0;
	if (c->mode == IOMMUSIM_DOMAIN_STRICT)
		return refuse_granule(dma, IOMMUSIM_GRANULE_DMA);
	if (c->mode == IOMMUSIM_DOMAIN_PROPOSAL_2021 && c->is_untrusted)
		return refuse_granule(dma, IOMMUSIM_GRANULE_PROPOSAL);
	return 0;
}

/* 0 .. 0111: a mask of low bits. */
static int is_low_mask(uint64_t mask)
{
	return !(mask & (mask + 1));
}

static int check_parts(struct iommusim_dma *dma)
{
	const struct iommusim_dma_config *c = &dma->config;

	if (!c->kernel || !c->domain || !c->iova || c->mode > IOMMUSIM_DOMAIN_PROPOSAL_2021)
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "a device needs a domain, an IOVA space, a mode and a kernel from "
		                 "4.4 on");
	if (c->page_shift < 12 || c->page_shift > 16 || c->nr_orders > IOMMUSIM_MAX_ORDERS)
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "page_shift %u is not 12 .. 16, or nr_orders %u not 1 .. 14",
		                 c->page_shift, c->nr_orders);
	return 0;
}

static int check_streaming(struct iommusim_dma *dma)
{
	const struct iommusim_dma_config *c = &dma->config;

	if (c->max_seg_size > UINT32_MAX || !is_low_mask(c->seg_boundary) ||
	    !is_low_mask(c->min_align_mask) ||
	    (c->kmalloc_align && !isim_is_pow2(c->kmalloc_align)))
		return isim_fail(
			&dma->diag, IOMMUSIM_EINVAL,
			"max_seg_size 0x%llx, seg_boundary 0x%llx, min_align_mask 0x%llx or "
			"kmalloc_align %u is out of range",
			(unsigned long long)c->max_seg_size, (unsigned long long)c->seg_boundary,
			(unsigned long long)c->min_align_mask, c->kmalloc_align);
	if (c->invalidation > IOMMUSIM_INVALIDATE_LAZY_SINGLE ||
	    c->nr_cpus > IOMMUSIM_DMA_MAX_CPUS ||
	    (c->invalidation == IOMMUSIM_INVALIDATE_LAZY_SINGLE &&
	     c->kernel < IOMMUSIM_KERNEL(6, 7)))
		return isim_fail(
			&dma->diag, IOMMUSIM_EINVAL,
			"this kernel has no invalidation %u, or there are more than %d CPUs",
			(unsigned)c->invalidation, IOMMUSIM_DMA_MAX_CPUS);
	return 0;
}

static int check_memory(struct iommusim_dma *dma)
{
	const struct iommusim_dma_config *c = &dma->config;
	uint64_t granule = isim_dma_granule(dma), bytes = c->swiotlb_slots << ISIM_SLOT_LG2;

	if (c->swiotlb_slots % ISIM_SEGMENT || bytes >> ISIM_SLOT_LG2 != c->swiotlb_slots ||
	    c->swiotlb_pa & (granule - 1) || c->swiotlb_pa + bytes < c->swiotlb_pa)
		return isim_fail(
			&dma->diag, IOMMUSIM_EINVAL, "0x%llx slots at 0x%llx are no bounce buffers",
			(unsigned long long)c->swiotlb_slots, (unsigned long long)c->swiotlb_pa);
	if (c->pool_pages &&
	    (!isim_is_pow2(c->pool_pages) || isim_high_bit(c->pool_pages) >= c->nr_orders))
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "an atomic pool of %llu pages is no block of the page source",
		                 (unsigned long long)c->pool_pages);
	return 0;
}

/* Models iommu_dma_init_domain() for a device without DMA ranges; what 6.1 looks at is taken for
 * what the device has until 6.10. */
static int check_aperture(struct iommusim_dma *dma)
{
	const struct iommusim_dma_config *c = &dma->config;
	uint64_t limit =
		c->bus_limit && c->bus_limit < c->coherent_mask ? c->bus_limit : c->coherent_mask;

	if (c->aperture_last && c->aperture_last < c->aperture_start)
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "the aperture ends at 0x%llx, below its start 0x%llx",
		                 (unsigned long long)c->aperture_last,
		                 (unsigned long long)c->aperture_start);
	if (c->kernel < IOMMUSIM_KERNEL(6, 10) && limit < c->aperture_start)
		return isim_fail(&dma->diag, IOMMUSIM_EFAULT,
		                 "specified DMA range outside IOMMU capability: it ends at 0x%llx, "
		                 "the aperture starts at 0x%llx",
		                 (unsigned long long)limit, (unsigned long long)c->aperture_start);
	return 0;
}

static int check(struct iommusim_dma *dma)
{
	int err = check_parts(dma);

	if (!err)
		err = check_streaming(dma);
	if (!err)
		err = check_memory(dma);
	if (!err)
		err = check_aperture(dma);
	return err ? err : check_granule(dma);
}

static int set_source(struct iommusim_dma *dma, const struct iommusim_page_source *source)
{
	int err = isim_copy_sized(&dma->source, sizeof(dma->source), source);

	if (err || (dma->source.alloc_pages && dma->source.free_pages && dma->source.split_page))
		return err;
	return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
	                 "a page source needs alloc_pages, free_pages and split_page");
}

static void fill_defaults(struct iommusim_dma_config *c)
{
	c->kernel = isim_kernel(c->kernel);
	if (!c->page_shift)
		c->page_shift = 12;
	if (!c->nr_orders)
		c->nr_orders = c->page_shift >= 16 ? 14 : c->page_shift >= 14 ? 12 : 11;
	if (!c->coherent_mask)
		c->coherent_mask = UINT32_MAX;
	if (!c->streaming_mask)
		c->streaming_mask = UINT32_MAX;
	if (!c->max_seg_size)
		c->max_seg_size = UINT32_C(0x10000);
	if (!c->seg_boundary)
		c->seg_boundary = UINT64_MAX;
	if (!c->nr_cpus)
		c->nr_cpus = 1;
}

static int init_parts(struct iommusim_dma *dma)
{
	int err = isim_flush_queue_init(dma);

	if (!err)
		err = isim_swiotlb_init(dma);
	return err ? err : isim_pool_init(dma);
}

int iommusim_dma_create(const struct iommusim_dma_config *config, struct iommusim_dma **dma)
{
	struct iommusim_dma_config c;
	int err = isim_copy_sized(&c, sizeof(c), config);
	struct iommusim_dma *d = err ? NULL : isim_handle(c.host, sizeof(*d), "a device", &err);

	if (!d)
		return err;
	fill_defaults(&c);
	d->config = c;
	d->try32 = c.is_pci && !c.forcedac && c.kernel >= IOMMUSIM_KERNEL(4, 11);
	err = set_source(d, c.source);
	if (!err)
		err = check(d);
	if (!err)
		err = init_parts(d);
	if (err) {
		iommusim_dma_destroy(d);
		return err;
	}
	*dma = d;
	return 0;
}

void iommusim_dma_destroy(struct iommusim_dma *dma)
{
	struct iommusim_host host;

	if (!dma)
		return;
	isim_flush_queue_finish(dma);
	isim_swiotlb_finish(dma);
	isim_pool_finish(dma);
	host = dma->diag.host;
	isim_free(&host, dma->scratch);
	isim_free(&host, dma);
}

/* A half-built copy: its pages and ranges are the original's. */
static void drop_copy(struct iommusim_dma *dma)
{
	struct iommusim_host host = dma->diag.host;

	isim_flush_queue_drop(dma);
	isim_swiotlb_finish(dma);
	isim_pool_drop(dma);
	isim_free(&host, dma);
}

static int fork_parts(struct iommusim_dma *dma, const struct iommusim_dma *from,
                      const struct iommusim_page_source *source)
{
	int err = set_source(dma, source);

	if (!err)
		err = isim_flush_queue_fork(dma, from);
	if (!err)
		err = isim_swiotlb_fork(dma, from);
	return err ? err : isim_pool_fork(dma, from);
}

int iommusim_dma_fork(const struct iommusim_dma *dma, const struct iommusim_dma_config *parts,
                      struct iommusim_dma **copy)
{
	struct iommusim_dma *d = isim_zalloc(&dma->diag.host, 1, sizeof(*d));
	int err;

	if (!d)
		return -IOMMUSIM_EHOST;
	*d = *dma;
	d->config.domain = parts->domain;
	d->config.iova = parts->iova;
	d->queue.entry = NULL;
	d->queue.ring = NULL;
	d->swiotlb.slot = NULL;
	d->pool.is_used = NULL;
	d->scratch = NULL;
	d->cap_scratch = 0;
	err = fork_parts(d, dma, parts->source);
	if (err) {
		drop_copy(d);
		return err;
	}
	*copy = d;
	return 0;
}

const char *iommusim_dma_error(const struct iommusim_dma *dma)
{
	return dma->diag.text;
}

/* ---- Settings ---- */

void iommusim_dma_set_masks(struct iommusim_dma *dma, uint64_t streaming, uint64_t coherent)
{
	dma->config.streaming_mask = streaming;
	dma->config.coherent_mask = coherent;
}

int iommusim_dma_set_segments(struct iommusim_dma *dma, uint64_t max_seg_size,
                              uint64_t seg_boundary)
{
	if (!max_seg_size || max_seg_size > UINT32_MAX || !is_low_mask(seg_boundary))
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "segments of 0x%llx bytes, or with the boundary 0x%llx, cannot be",
		                 (unsigned long long)max_seg_size,
		                 (unsigned long long)seg_boundary);
	dma->config.max_seg_size = max_seg_size;
	dma->config.seg_boundary = seg_boundary;
	return 0;
}

int iommusim_dma_set_cpu(struct iommusim_dma *dma, unsigned cpu)
{
	if (cpu >= dma->config.nr_cpus)
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL, "there is no CPU %u", cpu);
	dma->cpu = cpu;
	return 0;
}

/* ---- What it is ---- */

struct iommusim_dma_stats iommusim_dma_stats(const struct iommusim_dma *dma)
{
	return dma->stats;
}

uint64_t iommusim_dma_max_mapping(const struct iommusim_dma *dma)
{
	uint64_t most = (uint64_t)ISIM_SEGMENT << ISIM_SLOT_LG2;

	if (!dma->config.is_untrusted || !dma->swiotlb.slot)
		return UINT64_MAX;
	return most - isim_align_up(dma->config.min_align_mask, isim_bit(ISIM_SLOT_LG2));
}

uint64_t iommusim_dma_opt_mapping(const struct iommusim_dma *dma)
{
	return isim_bit(dma->config.page_shift) << 5;
}

uint64_t iommusim_dma_merge_boundary(const struct iommusim_dma *dma)
{
	return isim_dma_granule(dma) - 1;
}
