/* SPDX-License-Identifier: MIT */
/* The machine: create, fork, destroy, and as a page source. */
#include "phys/request.h"

#include <string.h>

#define DEFAULT_AREA 0

static int check_shape(struct iommusim_phys *phys, const struct iommusim_phys_config *config)
{
	if (!phys->kernel)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "kernel %u is older than 4.4",
		                 config->kernel);
	if (phys->page_shift < 12 || phys->page_shift > 16)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "page_shift %u is not 12 .. 16",
		                 phys->page_shift);
	if (phys->nr_orders > IOMMUSIM_MAX_ORDERS)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "nr_orders %u is not 1 .. %u",
		                 phys->nr_orders, IOMMUSIM_MAX_ORDERS);
	if (phys->pageblock_order >= phys->nr_orders)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "pageblock_order %u is not 1 .. %u",
		                 phys->pageblock_order, phys->nr_orders - 1);
	if (phys->features & ~IOMMUSIM_PHYS_ALL || phys->nr_cpus > 256)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "features 0x%x or nr_cpus %u, up to 256, are unknown",
		                 phys->features, phys->nr_cpus);
	if ((unsigned)phys->fallback > IOMMUSIM_FALLBACK_C)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no fallback generation %u",
		                 (unsigned)phys->fallback);
	return 0;
}

/* What a kernel with this page size has: arm64's 16K and 64K, else 4K. */
static unsigned default_orders(unsigned page_shift)
{
	return page_shift >= 16 ? 14 : page_shift >= 14 ? 12 : 11;
}

static void set_shape(struct iommusim_phys *phys, const struct iommusim_phys_config *config)
{
	unsigned block;

	phys->kernel = isim_kernel(config->kernel);
	phys->page_shift = config->page_shift ? config->page_shift : 12;
	phys->nr_orders = config->nr_orders;
	if (!phys->nr_orders)
		phys->nr_orders = default_orders(phys->page_shift);
	block = phys->page_shift >= 14 ? default_orders(phys->page_shift) - 1 : 9;
	if (block > phys->nr_orders - 1)
		block = phys->nr_orders - 1;
	phys->pageblock_order = config->pageblock_order ? config->pageblock_order : block;
	phys->configured_zones = config->configured_zones | 1u << IOMMUSIM_ZONE_NORMAL;
	if (!config->configured_zones)
		phys->configured_zones |= 1u << IOMMUSIM_ZONE_DMA | 1u << IOMMUSIM_ZONE_DMA32 |
		                          1u << IOMMUSIM_ZONE_MOVABLE;
	phys->is_untouched = config->nothing_free != 0;
	phys->features = config->features;
	phys->min_free_kbytes = config->min_free_kbytes;
	phys->thp = config->thp;
	phys->thp_order = phys->page_shift >= 16 ? 13 : phys->page_shift >= 14 ? 11 : 9;
	if (phys->thp_order >= phys->nr_orders)
		phys->thp_order = ~0u;
	phys->nr_cpus = config->nr_cpus ? config->nr_cpus : 1;
	phys->fallback = config->fallback;
	if (phys->fallback == IOMMUSIM_FALLBACK_DEFAULT)
		phys->fallback = phys->kernel < IOMMUSIM_KERNEL(6, 12) ? IOMMUSIM_FALLBACK_A
		                                                       : IOMMUSIM_FALLBACK_C;
}

static int create_spares(struct iommusim_phys *phys)
{
	if (!phys->features)
		return 0;
	phys->spares = isim_zalloc(&phys->diag.host, 1, sizeof(*phys->spares));
	return phys->spares ? 0 : isim_no_memory(&phys->diag, "the spare leaves");
}

int iommusim_phys_create(const struct iommusim_phys_config *config, struct iommusim_phys **phys)
{
	struct iommusim_phys_config c;
	int err = isim_copy_sized(&c, sizeof(c), config);
	struct iommusim_phys *p = err ? NULL : isim_handle(c.host, sizeof(*p), "phys", &err);

	if (!p)
		return err;
	set_shape(p, &c);
	err = check_shape(p, &c);
	if (!err)
		err = create_spares(p);
	if (!err)
		err = isim_zones_create(p, &c);
	if (err) {
		iommusim_phys_destroy(p);
		return err;
	}
	*phys = p;
	return 0;
}

void iommusim_phys_destroy(struct iommusim_phys *phys)
{
	struct iommusim_host host;

	if (!phys)
		return;
	host = phys->diag.host;
	isim_zones_destroy(phys);
	isim_spares_destroy(phys);
	isim_cmas_destroy(phys);
	isim_free(&host, phys);
}

int iommusim_phys_fork(const struct iommusim_phys *phys, struct iommusim_phys **copy)
{
	struct iommusim_phys *p = isim_zalloc(&phys->diag.host, 1, sizeof(*p));

	if (!p)
		return -IOMMUSIM_EHOST;
	*p = *phys;
	memset(&p->owner, 0, sizeof(p->owner));
	p->spares = NULL;
	p->zone = NULL;
	p->nr_zones = 0;
	if (isim_cmas_fork(p, phys) || create_spares(p) || isim_zones_fork(p, phys)) {
		iommusim_phys_destroy(p);
		return -IOMMUSIM_EHOST;
	}
	*copy = p;
	return 0;
}

const char *iommusim_phys_error(const struct iommusim_phys *phys)
{
	return phys->diag.text;
}

/* ---- As a page source ---- */

static int source_alloc(void *ctx, const struct iommusim_page_request *req,
                        struct iommusim_page_block *block)
{
	return iommusim_phys_alloc(ctx, req, block);
}

static int source_free(void *ctx, iommusim_pfn pfn, unsigned order)
{
	return iommusim_phys_free(ctx, pfn, order);
}

static int source_split(void *ctx, iommusim_pfn pfn, unsigned order)
{
	return iommusim_phys_split(ctx, pfn, order);
}

static int source_alloc_contiguous(void *ctx, uint64_t count, unsigned align_order, uint32_t gfp,
                                   iommusim_pfn *pfn)
{
	struct iommusim_phys *phys = ctx;

	(void)gfp; /* the area decides */
	return phys->nr_cma ? iommusim_phys_cma_alloc(phys, DEFAULT_AREA, count, align_order, pfn)
	                    : -IOMMUSIM_ENOMEM;
}

static int source_free_contiguous(void *ctx, iommusim_pfn pfn, uint64_t count)
{
	return iommusim_phys_cma_free(ctx, DEFAULT_AREA, pfn, count);
}

struct iommusim_page_source iommusim_phys_source(struct iommusim_phys *phys)
{
	struct iommusim_page_source source = { .size = sizeof(source),
		                               .ctx = phys,
		                               .alloc_pages = source_alloc,
		                               .free_pages = source_free,
		                               .split_page = source_split,
		                               .alloc_contiguous = source_alloc_contiguous,
		                               .free_contiguous = source_free_contiguous };

	return source;
}
