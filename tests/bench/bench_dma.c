/* SPDX-License-Identifier: MIT */
/* Streaming mappings over Arm page tables: what one map and unmap cost the host. */
#include "bench.h"

#define NR_PAIRS 4096u
#define ENTRIES  256u

struct world {
	struct iommusim_pgtable *pgtable;
	struct iommusim_domain *domain;
	struct iommusim_iova *iova;
	struct iommusim_phys *phys;
	struct iommusim_dma *dma;
	uint64_t size; /* of a piece */
	uint64_t now;
};

static void create(struct world *w, enum iommusim_invalidation invalidation, unsigned untrusted)
{
	struct iommusim_pgtable_config pgtable = { .size = sizeof(pgtable),
		                                   .format = &iommusim_pgtable_arm_lpae_s1,
		                                   .pgsizes = 0x40201000 };
	struct iommusim_driver driver;
	struct iommusim_domain_config domain = { .size = sizeof(domain),
		                                 .pgsizes = 0x40201000,
		                                 .driver = &driver };
	struct iommusim_iova_config iova = { .size = sizeof(iova), .nr_cpus = 1 };
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = 1 << 20,
		                             .nr_frames = 4096 };
	struct iommusim_phys_config phys = { .size = sizeof(phys), .zones = &zone, .nr_zones = 1 };
	struct iommusim_page_source source;
	struct iommusim_dma_config dma = { .size = sizeof(dma),
		                           .invalidation = invalidation,
		                           .is_untrusted = untrusted,
		                           .swiotlb_pa = 1 << 30,
		                           .swiotlb_slots = 32768,
		                           .source = &source };

	must(iommusim_pgtable_create(&pgtable, &w->pgtable), "page tables");
	driver = iommusim_pgtable_driver(w->pgtable);
	must(iommusim_domain_create(&domain, &w->domain), "domain");
	must(iommusim_iova_create(&iova, &w->iova), "iova");
	must(iommusim_phys_create(&phys, &w->phys), "phys");
	source = iommusim_phys_source(w->phys);
	dma.domain = w->domain;
	dma.iova = w->iova;
	must(iommusim_dma_create(&dma, &w->dma), "device");
}

static void destroy(struct world *w)
{
	iommusim_dma_destroy(w->dma);
	iommusim_phys_destroy(w->phys);
	iommusim_iova_destroy(w->iova);
	iommusim_domain_destroy(w->domain);
	iommusim_pgtable_destroy(w->pgtable);
}

static void pairs(void *ctx)
{
	struct world *w = ctx;

	for (unsigned i = 0; i < NR_PAIRS; i++) {
		struct iommusim_dma_mapping m = { .pa = UINT64_C(1) << 32, .size = w->size };

		must(iommusim_dma_map_page(w->dma, &m), "map");
		must(iommusim_dma_unmap_page(w->dma, &m), "unmap");
	}
}

static void lists(void *ctx)
{
	struct world *w = ctx;
	struct iommusim_dma_sg sg[ENTRIES];
	struct iommusim_dma_list list = { .sg = sg, .nr = ENTRIES };
	size_t nr_segments;

	for (unsigned i = 0; i < ENTRIES; i++)
		sg[i] = (struct iommusim_dma_sg){ .page_pa = (UINT64_C(1) << 32) + i * 8192,
			                          .length = 4096 };
	for (unsigned i = 0; i < 64; i++) {
		must(iommusim_dma_map_sg(w->dma, &list, &nr_segments), "map_sg");
		must(iommusim_dma_unmap_sg(w->dma, &list), "unmap_sg");
	}
}

static void time_pairs(const char *name, struct world world,
                       enum iommusim_invalidation invalidation, unsigned untrusted)
{
	create(&world, invalidation, untrusted);
	bench(&(struct bench){ name, NR_PAIRS, NULL, pairs, &world });
	destroy(&world);
}

int main(void)
{
	struct world page = { .size = 4096 }, half = { .size = 2048 }, large = { .size = 1 << 20 };

	time_pairs("map and unmap a page, strict", page, IOMMUSIM_INVALIDATE_STRICT, 0);
	time_pairs("map and unmap a page, lazy", page, IOMMUSIM_INVALIDATE_LAZY, 0);
	time_pairs("map and unmap 1 MiB, strict", large, IOMMUSIM_INVALIDATE_STRICT, 0);
	time_pairs("map and unmap half a page, bounced", half, IOMMUSIM_INVALIDATE_STRICT, 1);
	create(&page, IOMMUSIM_INVALIDATE_STRICT, 0);
	bench(&(struct bench){ "map and unmap an entry of 256", 64 * ENTRIES, NULL, lists, &page });
	destroy(&page);
	return 0;
}
