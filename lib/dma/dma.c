/* SPDX-License-Identifier: MIT */
/*
 * A buffer's way: pages by the policy, an IOVA range, the list of physically contiguous pieces, the
 * mapping. Each step that fails undoes those before it.
 */
#include <string.h>

#include "base/bits.h"
#include "base/host.h"
#include "base/units.h"
#include "iommusim/dma.h"

#define ZONE_BITS                                                                   \
	(IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_HIGHMEM | \
	 IOMMUSIM_GFP_BIT_COMP)

struct iommusim_dma {
	struct isim_diag diag;
	struct iommusim_dma_config config;
	struct iommusim_page_source source;
	int try32; /* addresses below 4 GiB first */
};

static int check(struct iommusim_dma *dma)
{
	const struct iommusim_dma_config *c = &dma->config;
	unsigned granule_lg2;

	if (!c->kernel || !c->domain || !c->iova || c->mode > IOMMUSIM_DOMAIN_EXTENDED)
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "a device needs a domain, an IOVA space, a mode and a kernel from "
		                 "4.4 on");
	if (c->page_shift < 12 || c->page_shift > 16 || c->nr_orders > IOMMUSIM_MAX_ORDERS)
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "page_shift %u is not 12 .. 16, or nr_orders %u not 1 .. 14",
		                 c->page_shift, c->nr_orders);
	granule_lg2 = iommusim_iova_granule_lg2(c->iova);
	if (iommusim_domain_pgsizes(c->domain) & (isim_bit(granule_lg2) - 1))
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "the IOVA granule 2^%u is above the domain's smallest page",
		                 granule_lg2);
	if (c->mode == IOMMUSIM_DOMAIN_STRICT && granule_lg2 > c->page_shift)
		return isim_fail(&dma->diag, IOMMUSIM_EBUG,
		                 "init_iova_domain() stops with BUG(): granule 2^%u is above the "
		                 "CPU page 2^%u",
		                 granule_lg2, c->page_shift);
	return 0;
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
	d->try32 = c.is_pci && !c.forcedac;
	err = set_source(d, c.source);
	if (!err)
		err = check(d);
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
	host = dma->diag.host;
	isim_free(&host, dma);
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
	err = set_source(d, parts->source);
	if (err) {
		iommusim_dma_destroy(d);
		return err;
	}
	*copy = d;
	return 0;
}

const char *iommusim_dma_error(const struct iommusim_dma *dma)
{
	return dma->diag.text;
}

static uint64_t granule(const struct iommusim_dma *dma)
{
	return isim_bit(iommusim_iova_granule_lg2(dma->config.iova));
}

/* The kernel's own loop of that release. */
static const struct iommusim_policy *default_policy(unsigned kernel)
{
	if (kernel >= IOMMUSIM_KERNEL(6, 4))
		return &iommusim_policy_dma_iommu_6_4;
	if (kernel >= IOMMUSIM_KERNEL(4, 7))
		return &iommusim_policy_dma_iommu_4_7;
	return kernel >= IOMMUSIM_KERNEL(4, 5) ? &iommusim_policy_dma_iommu_4_5
	                                       : &iommusim_policy_dma_iommu_4_4;
}

/* ---- Pages ---- */

static int get_pages(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                     struct iommusim_chunks *chunks)
{
	const struct iommusim_dma_config *c = &dma->config;
	struct iommusim_chunk_job job = { .policy = req->policy ? req->policy
		                                                : default_policy(c->kernel),
		                          .req = { .size = req->size,
		                                   .pgsizes = iommusim_domain_pgsizes(c->domain),
		                                   .page_shift = c->page_shift,
		                                   .max_order = c->nr_orders - 1,
		                                   .gfp = req->gfp,
		                                   .attrs = req->attrs,
		                                   .node = c->node },
		                          .source = &dma->source,
		                          .host = &dma->diag.host };

	return iommusim_chunk_alloc(&job, chunks);
}

/* ---- IOVA ---- */

static uint64_t address_limit(const struct iommusim_dma_config *c)
{
	uint64_t limit = c->coherent_mask;

	if (c->bus_limit && c->bus_limit < limit)
		limit = c->bus_limit;
	if (c->aperture_last && c->aperture_last < limit)
		limit = c->aperture_last;
	return limit;
}

/*
 * Models iommu_dma_alloc_iova(): a PCI device tries below 4 GiB first, 6.1 for every request, 6.12
 * until that failed once.
 */
static int get_iova(struct iommusim_dma *dma, uint64_t size, uint64_t *iova)
{
	unsigned shift = iommusim_iova_granule_lg2(dma->config.iova);
	uint64_t limit = address_limit(&dma->config), lo;
	struct iommusim_iova_request low = { .size = size >> shift, .limit = UINT32_MAX >> shift };
	struct iommusim_iova_request any = { .size = size >> shift,
		                             .limit = limit >> shift,
		                             .flush = 1 };
	int err = -IOMMUSIM_ENOMEM;

	if (dma->try32 && limit > UINT32_MAX) {
		err = iommusim_iova_alloc_fast(dma->config.iova, &low, &lo);
		if (err == -IOMMUSIM_ENOMEM && dma->config.kernel >= IOMMUSIM_KERNEL(6, 12))
			dma->try32 = 0;
	}
	if (err == -IOMMUSIM_ENOMEM)
		err = iommusim_iova_alloc_fast(dma->config.iova, &any, &lo);
	if (!err)
		*iova = lo << shift;
	return err;
}

/* ---- Scatterlist ---- */

/* Entries are physically contiguous, shorter than 4 GiB and @size bytes together. */
static int build_list(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	unsigned shift = dma->config.page_shift;
	uint64_t most = isim_bit(32) - isim_bit(shift), left = buffer->size;
	const struct iommusim_chunks *chunks = &buffer->chunks;
	size_t cap = 0;

	for (size_t i = 0; i < chunks->nr_chunks && left; i++) {
		uint64_t pa = isim_pfn_to_pa(chunks->chunk[i].pfn, shift);
		uint64_t bytes = isim_bit(chunks->chunk[i].order + shift);
		struct iommusim_sg *last = buffer->nr_sg ? &buffer->sg[buffer->nr_sg - 1] : NULL;
		uint64_t joined = 0;

		if (bytes > left)
			bytes = left;
		left -= bytes;
		if (last && last->pa + last->size == pa)
			joined = bytes < most - last->size ? bytes : most - last->size;
		if (joined)
			last->size += joined;
		for (bytes -= joined, pa += joined; bytes;) {
			uint64_t piece = bytes < most ? bytes : most;

			if (isim_grow(&dma->diag.host, &buffer->sg, &cap, buffer->nr_sg + 1,
			              sizeof(*buffer->sg)))
				return isim_no_memory(&dma->diag, "a scatterlist");
			buffer->sg[buffer->nr_sg++] = (struct iommusim_sg){ pa, piece };
			pa += piece;
			bytes -= piece;
		}
	}
	return 0;
}

/* ---- Mapping ---- */

static int map_buffer(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                      struct iommusim_dma_buffer *buffer)
{
	struct iommusim_map_list list = { .iova = buffer->dma_addr,
		                          .sg = buffer->sg,
		                          .nr = buffer->nr_sg,
		                          .prot = IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE |
		                                  IOMMUSIM_PROT_CACHE,
		                          .gfp = req->gfp & ~ZONE_BITS };
	uint64_t mapped = 0;
	int err;

	if (req->attrs & IOMMUSIM_ATTR_PRIVILEGED)
		list.prot |= IOMMUSIM_PROT_PRIV;
	if (dma->config.kernel < IOMMUSIM_KERNEL(6, 12))
		list.gfp = IOMMUSIM_GFP_ATOMIC_6_1;
	err = iommusim_domain_map_sg(dma->config.domain, &list, &mapped);
	if (err || mapped == buffer->size)
		return err;
	iommusim_domain_unmap(dma->config.domain, buffer->dma_addr, mapped);
	return isim_fail(&dma->diag, IOMMUSIM_EINVAL, "the pages hold %llu of %llu bytes to map",
	                 (unsigned long long)mapped, (unsigned long long)buffer->size);
}

static void put_iova(struct iommusim_dma *dma, uint64_t iova)
{
	iommusim_iova_free(dma->config.iova, iova >> iommusim_iova_granule_lg2(dma->config.iova));
}

/* The chunks stay listed, so that a caller can see what could not be mapped. */
static void give_pages_back(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	struct iommusim_chunks *chunks = &buffer->chunks;
	size_t nr = chunks->nr_chunks;

	chunks->nr_freed = chunks->nr_pages;
	iommusim_chunk_free(chunks, &dma->source);
	chunks->nr_chunks = nr;
}

static int map_pages_of(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                        struct iommusim_dma_buffer *buffer)
{
	uint64_t size = isim_align_up(buffer->chunks.plan.size, granule(dma));
	int err;

	buffer->failed = IOMMUSIM_DMA_IOVA;
	err = size ? get_iova(dma, size, &buffer->dma_addr) : -IOMMUSIM_ENOMEM;
	if (err)
		return err;
	buffer->size = size;
	buffer->failed = IOMMUSIM_DMA_MAP;
	err = build_list(dma, buffer);
	if (!err)
		err = map_buffer(dma, req, buffer);
	if (err)
		put_iova(dma, buffer->dma_addr);
	return err;
}

int iommusim_dma_alloc_chunks(struct iommusim_dma *dma, const struct iommusim_dma_request *req,
                              struct iommusim_dma_buffer *buffer)
{
	int err;

	memset(buffer, 0, sizeof(*buffer));
	buffer->failed = IOMMUSIM_DMA_PAGES;
	err = get_pages(dma, req, &buffer->chunks);
	if (err)
		return err;
	err = map_pages_of(dma, req, buffer);
	if (err) {
		give_pages_back(dma, buffer);
		return err;
	}
	buffer->failed = IOMMUSIM_DMA_DONE;
	return 0;
}

int iommusim_dma_alloc_noncontiguous(struct iommusim_dma *dma,
                                     const struct iommusim_dma_request *req,
                                     struct iommusim_dma_buffer *buffer)
{
	if (req->attrs & ~IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES || req->gfp & IOMMUSIM_GFP_BIT_COMP) {
		memset(buffer, 0, sizeof(*buffer));
		buffer->failed = IOMMUSIM_DMA_CHECK;
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
		                 "attributes 0x%x or COMP in gfp 0x%x are refused",
		                 (unsigned)req->attrs, (unsigned)req->gfp);
	}
	return iommusim_dma_alloc_chunks(dma, req, buffer);
}

/* All of it, whatever the driver says of the unmap. */
static int give_back(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	uint64_t done = iommusim_domain_unmap(dma->config.domain, buffer->dma_addr, buffer->size);
	int err;

	put_iova(dma, buffer->dma_addr);
	err = iommusim_chunk_free(&buffer->chunks, &dma->source);
	if (err || done == buffer->size)
		return err;
	return isim_fail(&dma->diag, IOMMUSIM_EIO,
	                 "the driver unmapped 0x%llx of 0x%llx bytes at 0x%llx",
	                 (unsigned long long)done, (unsigned long long)buffer->size,
	                 (unsigned long long)buffer->dma_addr);
}

int iommusim_dma_free(struct iommusim_dma *dma, struct iommusim_dma_buffer *buffer)
{
	int err = 0;

	if (buffer->failed == IOMMUSIM_DMA_DONE && buffer->size)
		err = give_back(dma, buffer);
	iommusim_chunks_finish(&buffer->chunks);
	if (buffer->sg)
		isim_free(&dma->diag.host, buffer->sg);
	memset(buffer, 0, sizeof(*buffer));
	return err;
}
