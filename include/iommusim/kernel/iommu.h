/* SPDX-License-Identifier: MIT */
/**
 * @file iommu.h  The IOMMU of the request, as far as the callers of the loop see it: a bitmap of
 * page sizes, and mappings that are refused where a run is off the smallest of them.
 */
#ifndef IOMMUSIM_KERNEL_IOMMU_H
#define IOMMUSIM_KERNEL_IOMMU_H

#include "iommusim/kernel/dma.h"

#define IOMMU_READ   1
#define IOMMU_WRITE  2
#define IOMMU_CACHE  4
#define IOMMU_NOEXEC 8
#define IOMMU_MMIO   16
#define IOMMU_PRIV   32

struct iova_domain {
	unsigned long granule, start_pfn;
};

struct iova {
	unsigned long pfn_hi, pfn_lo;
};

struct iommu_dma_cookie {
	struct iova_domain iovad;
	struct iommu_domain *fq_domain; /* NULL: nothing is freed later */
};

struct iommu_domain_geometry {
	dma_addr_t aperture_start, aperture_end;
	bool force_aperture;
};

struct iommu_ops {
	unsigned long pgsize_bitmap;
};

struct iommu_domain {
	unsigned type;
	const struct iommu_ops *ops;
	unsigned long pgsize_bitmap;
	void *iova_cookie; /* struct iommu_dma_cookie, before 4.11 its first member */
	struct iommu_domain_geometry geometry;
	struct iommu_dma_cookie isim_cookie;
	struct iommu_ops isim_ops;
	dma_addr_t isim_next; /* addresses are handed out downwards from here */
};

static const bool isim_kernel_no_key = false;
#define iommu_deferred_attach_enabled isim_kernel_no_key

static inline struct iommu_domain *iommu_get_domain_for_dev(struct device *dev)
{
	return dev->isim_domain;
}

#define iommu_get_dma_domain(dev)          iommu_get_domain_for_dev(dev)
#define iommu_deferred_attach(dev, domain) ((void)(dev), (void)(domain), 0)

static inline unsigned long iova_shift(const struct iova_domain *iovad)
{
	return __ffs(iovad->granule);
}

static inline size_t iova_align(const struct iova_domain *iovad, size_t size)
{
	return ALIGN(size, iovad->granule);
}

static inline size_t iova_offset(const struct iova_domain *iovad, dma_addr_t iova)
{
	return (size_t)iova & (iovad->granule - 1);
}

/** dma-iommu's own, which is not pasted: an address aligned to the size, rounded up. */
static inline dma_addr_t isim_kernel_iova(struct iommu_domain *domain, size_t size)
{
	u64 align = 1ULL << fls64(size - 1);

	if (size > domain->isim_next || align > domain->isim_next)
		return 0;
	domain->isim_next = ALIGN_DOWN(domain->isim_next - size, align);
	return domain->isim_next;
}

/** Maps nothing, but refuses as iommu_map() does what is off the smallest page. */
static inline ssize_t isim_kernel_map_sg(struct iommu_domain *domain, dma_addr_t iova,
                                         struct scatterlist *sgl, unsigned int nents)
{
	unsigned long low = domain->pgsize_bitmap & -domain->pgsize_bitmap;
	struct scatterlist *sg = sgl;
	size_t mapped = 0;
	u64 start = 0, len = 0;

	for (unsigned i = 0; i <= nents; i++) {
		if (i < nents && len && sg_phys(sg) == start + len) {
			len += sg->length;
		} else {
			if (len && ((start | len | (iova + mapped)) & (low - 1)))
				return -EINVAL;
			mapped += len;
			if (i < nents) {
				start = sg_phys(sg);
				len = sg->length;
			}
		}
		if (i < nents)
			sg = sg_next(sg);
	}
	return (ssize_t)mapped;
}

/** A remapped buffer is known by its pages: its address is theirs. */
static inline void *dma_common_pages_remap(struct page **pages, size_t size, pgprot_t prot,
                                           const void *caller)
{
	(void)size, (void)prot, (void)caller;
	return pages;
}

/** As it was called up to 4.10: a range in pages. */
static inline struct iova *isim_kernel_alloc_iova(struct iommu_domain *domain, size_t size)
{
	struct iova *iova = kzalloc(sizeof(*iova), 0);
	unsigned long shift = iova_shift(&domain->isim_cookie.iovad);
	dma_addr_t address = isim_kernel_iova(domain, size);

	if (iova) {
		isim_kernel_slot_of(iova)->is_result = true; /* it goes with the mapping */
		iova->pfn_lo = (unsigned long)(address >> shift);
		iova->pfn_hi = iova->pfn_lo + (size >> shift) - 1;
	}
	return iova;
}

static inline dma_addr_t iova_dma_addr(const struct iova_domain *iovad, const struct iova *iova)
{
	return (dma_addr_t)iova->pfn_lo << iova_shift(iovad);
}

static inline void isim_kernel_free_iova(struct iova_domain *iovad, struct iova *iova)
{
	(void)iovad;
	kfree(iova);
}

#define cookie_iovad(domain) (&((struct iommu_dma_cookie *)(domain)->iova_cookie)->iovad)

/* Until 5.14 a size, 0 for failure; since then it may be an error. Five arguments, and gfp since
   6.2. */
#if IOMMUSIM_KERNEL_VERSION < 5015
static inline size_t isim_kernel_mapped(ssize_t mapped)
{
	return mapped < 0 ? 0 : (size_t)mapped;
}
#else
#define isim_kernel_mapped(mapped) (mapped)
#endif
#define iommu_map_sg(domain, iova, sg, nents, ...) \
	isim_kernel_mapped(isim_kernel_map_sg(domain, iova, sg, nents))
#define iommu_map_sg_atomic(domain, iova, sg, nents, ...) \
	isim_kernel_mapped(isim_kernel_map_sg(domain, iova, sg, nents))
#define iommu_unmap(domain, iova, size) ((void)(domain), (void)(iova), (size_t)(size))
#define iommu_map(domain, iova, pa, size, ...)                                                 \
	(((iova) | (pa) | (size)) & (((domain)->pgsize_bitmap & -(domain)->pgsize_bitmap) - 1) \
	         ? -EINVAL                                                                     \
	         : 0)

/** What is to be flushed later: nothing is noted in it. */
struct iommu_iotlb_gather {
	unsigned long start, end;
	size_t pgsize;
#if IOMMUSIM_KERNEL_VERSION < 5018
	struct page *freelist;
#else
	struct list_head freelist;
#endif
	bool queued;
};

static inline void iommu_iotlb_gather_init(struct iommu_iotlb_gather *gather)
{
	*gather = (struct iommu_iotlb_gather){ .start = ULONG_MAX };
}

/* With a gather since 5.3. */
#define iommu_unmap_fast(domain, iova, size, ...) iommu_unmap(domain, iova, size)
#define iommu_iotlb_sync(domain, gather)          ((void)(domain), (void)(gather))
#define iommu_tlb_sync(domain, ...)               ((void)(domain))

/* ---- What stands beside the loop in its file: unless it is pasted, too ---- */

#ifndef IOMMUSIM_KERNEL_OWN_ALLOC_IOVA
#define iommu_dma_alloc_iova(domain, size, ...) isim_kernel_iova(domain, size)
/* Of an IOVA domain, since 4.9 of an IOMMU domain. */
#define __alloc_iova(where, size, ...)                                                   \
	isim_kernel_alloc_iova(                                                          \
		_Generic((where), struct iommu_domain *                                  \
	                 : (where), default                                              \
	                 : container_of(where, struct iommu_domain, isim_cookie.iovad)), \
		size)
#endif
#ifndef IOMMUSIM_KERNEL_OWN_FREE_IOVA
#define iommu_dma_free_iova(cookie, iova, ...) ((void)(cookie), (void)(iova))
#define __free_iova(iovad, iova)               isim_kernel_free_iova(iovad, iova)
#endif
/* Of a domain, since 5.3 of a device; without a size before 4.11. */
#ifndef IOMMUSIM_KERNEL_OWN_UNMAP
#define __iommu_dma_unmap(where, iova, ...) ((void)(where), (void)(iova))
#endif
#ifndef IOMMUSIM_KERNEL_OWN_DEFERRED_ATTACH
#define iommu_dma_deferred_attach(dev, domain) iommu_deferred_attach(dev, domain)
#endif
#ifndef IOMMUSIM_KERNEL_OWN_INFO_TO_PROT
#define dma_info_to_prot(dir, coherent, attrs) \
	((void)(dir), (void)(coherent), (void)(attrs), IOMMU_READ | IOMMU_WRITE)
#endif
#ifndef IOMMUSIM_KERNEL_OWN_FREE_PAGES
static inline void __iommu_dma_free_pages(struct page **pages, int count)
{
	for (int i = count - 1; i >= 0; i--)
		__free_page(pages[i]);
	kvfree(pages);
}
#endif

#endif
