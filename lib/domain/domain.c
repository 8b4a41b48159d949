/* SPDX-License-Identifier: MIT */
/*
 * A range is cut into pages of the sizes that the domain has, and handed to the driver call by
 * call; what fails half-way is undone. History is in two places: before 5.14 a call was for one
 * page, and 6.12 checks in another order than 6.1.
 */
#include "domain/domain.h"

#include <assert.h>

#include "base/bits.h"
#include "iommusim/phys.h"

#define REFUSED_GFP                                                                 \
	(IOMMUSIM_GFP_BIT_DMA | IOMMUSIM_GFP_BIT_DMA32 | IOMMUSIM_GFP_BIT_HIGHMEM | \
	 IOMMUSIM_GFP_BIT_COMP)

int iommusim_domain_create(const struct iommusim_domain_config *config,
                           struct iommusim_domain **domain)
{
	struct iommusim_domain_config c;
	int err = isim_copy_sized(&c, sizeof(c), config);
	struct iommusim_domain *d = err ? NULL : isim_handle(c.host, sizeof(*d), "a domain", &err);

	if (!d)
		return err;
	d->kernel = isim_kernel(c.kernel);
	d->pgsizes = c.pgsizes;
	err = isim_copy_sized(&d->driver, sizeof(d->driver), c.driver);
	if (!err && (!d->kernel || !d->driver.map_pages || !d->driver.unmap_pages ||
	             !d->driver.iova_to_phys))
		err = isim_fail(&d->diag, IOMMUSIM_EINVAL,
		                "a domain needs map_pages, unmap_pages, iova_to_phys and a kernel "
		                "from 4.4 on");
	if (err) {
		iommusim_domain_destroy(d);
		return err;
	}
	*domain = d;
	return 0;
}

int iommusim_domain_fork(const struct iommusim_domain *domain, const struct iommusim_driver *driver,
                         struct iommusim_domain **copy)
{
	struct iommusim_domain_config config = { .size = sizeof(config),
		                                 .kernel = domain->kernel,
		                                 .pgsizes = domain->pgsizes,
		                                 .driver = driver,
		                                 .host = &domain->diag.host };
	int err = iommusim_domain_create(&config, copy);

	if (!err)
		(*copy)->stats = domain->stats;
	return err;
}

void iommusim_domain_destroy(struct iommusim_domain *domain)
{
	struct iommusim_host host;

	if (!domain)
		return;
	host = domain->diag.host;
	isim_free(&host, domain);
}

const char *iommusim_domain_error(const struct iommusim_domain *domain)
{
	return domain->diag.text;
}

struct iommusim_domain_stats iommusim_domain_stats(const struct iommusim_domain *domain)
{
	return domain->stats;
}

uint64_t iommusim_domain_pgsizes(const struct iommusim_domain *domain)
{
	return domain->pgsizes;
}

/* The page size and number of the next driver call. */
static uint64_t pick(const struct iommusim_domain *domain, const struct iommusim_map *map,
                     uint64_t *count)
{
	uint64_t pgsize = iommusim_pgsize(domain->pgsizes, map, count);

	if (domain->kernel < IOMMUSIM_KERNEL(5, 14) && *count)
		*count = 1;
	return pgsize;
}

static uint64_t granule(const struct iommusim_domain *domain)
{
	return domain->pgsizes & (~domain->pgsizes + 1);
}

static int is_off_granule(const struct iommusim_domain *domain, uint64_t bits)
{
	return (bits & (granule(domain) - 1)) != 0;
}

/* ---- Unmapping ---- */

/* Driver call after driver call, until a hole or the end. Returns the bytes unmapped. */
static uint64_t unmap_range(struct iommusim_domain *domain, uint64_t iova, uint64_t size,
                            struct iommusim_gather *gather)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_UNMAP, .iova = iova, .size = size };
	uint64_t done = 0;

	domain->stats.nr_unmap++;
	while (done < size) {
		struct iommusim_map left = { .iova = iova, .pa = iova, .size = size - done };
		uint64_t count, bytes, pgsize = pick(domain, &left, &count);

		if (!pgsize)
			break;
		domain->stats.nr_unmap_calls++;
		bytes = domain->driver.unmap_pages(domain->driver.ctx, iova, pgsize, count, gather);
		if (!bytes)
			break;
		iova += bytes;
		done += bytes;
	}
	event.pa = done;
	isim_event(&domain->diag, &event);
	return done;
}

uint64_t iommusim_domain_unmap_fast(struct iommusim_domain *domain, uint64_t iova, uint64_t size,
                                    struct iommusim_gather *gather)
{
	if (!domain->pgsizes)
		return 0;
	if (is_off_granule(domain, iova | size)) {
		isim_fail(&domain->diag, IOMMUSIM_EINVAL,
		          "unaligned: iova 0x%llx size 0x%llx min_pagesz 0x%llx",
		          (unsigned long long)iova, (unsigned long long)size,
		          (unsigned long long)granule(domain));
		return 0;
	}
	return unmap_range(domain, iova, size, gather);
}

uint64_t iommusim_domain_unmap(struct iommusim_domain *domain, uint64_t iova, uint64_t size)
{
	struct iommusim_gather gather;
	uint64_t done;

	iommusim_gather_init(&gather, domain);
	done = iommusim_domain_unmap_fast(domain, iova, size, &gather);
	iommusim_gather_sync(&gather);
	return done;
}

/* ---- Mapping ---- */

static int check_map(struct iommusim_domain *domain, const struct iommusim_map *map)
{
	if (domain->kernel >= IOMMUSIM_KERNEL(6, 12) && map->gfp & REFUSED_GFP)
		return isim_fail(&domain->diag, IOMMUSIM_EINVAL, "gfp 0x%x has a zone or COMP flag",
		                 (unsigned)map->gfp);
	if (!domain->pgsizes)
		return isim_fail(&domain->diag, IOMMUSIM_ENODEV, "the domain has no page sizes");
	if (is_off_granule(domain, map->iova | map->pa | map->size))
		return isim_fail(&domain->diag, IOMMUSIM_EINVAL,
		                 "unaligned: iova 0x%llx pa 0x%llx size 0x%llx min_pagesz 0x%llx",
		                 (unsigned long long)map->iova, (unsigned long long)map->pa,
		                 (unsigned long long)map->size,
		                 (unsigned long long)granule(domain));
	return 0;
}

/* Whole pages, not more than asked for, and at least one where it succeeded. */
static int is_credible(const struct iommusim_map_pages *pages, uint64_t mapped, int err)
{
	return (mapped || err) && mapped <= pages->pgsize * pages->count &&
	       !(mapped & (pages->pgsize - 1));
}

/* A driver that cannot be right: everything that was asked of it is rolled back. */
static int disbelieve(struct iommusim_domain *domain, const struct iommusim_map_pages *pages,
                      uint64_t *mapped)
{
	uint64_t said = *mapped;

	if (said)
		*mapped = pages->pgsize * pages->count;
	return isim_fail(&domain->diag, IOMMUSIM_EIO,
	                 "the driver says it mapped 0x%llx bytes of %llu pages of 0x%llx",
	                 (unsigned long long)said, (unsigned long long)pages->count,
	                 (unsigned long long)pages->pgsize);
}

/* One driver call for the head of @left, which shrinks by what was mapped. */
static int map_head(struct iommusim_domain *domain, struct iommusim_map *left)
{
	struct iommusim_map_pages pages = {
		.iova = left->iova, .pa = left->pa, .prot = left->prot, .gfp = left->gfp
	};
	uint64_t mapped = 0;
	int err;

	pages.pgsize = pick(domain, left, &pages.count);
	assert(pages.pgsize); /* the granule always fits */
	domain->stats.nr_map_calls++;
	err = domain->driver.map_pages(domain->driver.ctx, &pages, &mapped);
	if (!is_credible(&pages, mapped, err))
		err = disbelieve(domain, &pages, &mapped);
	domain->stats.nr_mapped[isim_low_bit(pages.pgsize)] += mapped / pages.pgsize;
	left->iova += mapped;
	left->pa += mapped;
	left->size -= mapped;
	return err;
}

static void tell_map(const struct iommusim_domain *domain, const struct iommusim_map *map,
                     int result)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_MAP,
		                        .iova = map->iova,
		                        .pa = map->pa,
		                        .size = map->size,
		                        .result = result };

	if (!result)
		isim_event(&domain->diag, &event);
}

int iommusim_domain_map_nosync(struct iommusim_domain *domain, const struct iommusim_map *map)
{
	struct iommusim_map left = *map;
	int err = check_map(domain, map);

	if (err)
		return err;
	domain->stats.nr_map++;
	while (!err && left.size)
		err = map_head(domain, &left);
	if (err)
		iommusim_domain_unmap(domain, map->iova, map->size - left.size);
	tell_map(domain, map, err);
	return err;
}

/* 6.1 has no way to fail here. */
int iommusim_domain_sync_map(struct iommusim_domain *domain, uint64_t iova, uint64_t size)
{
	int err = 0;

	if (domain->driver.sync_map)
		err = domain->driver.sync_map(domain->driver.ctx, iova, size);
	return domain->kernel >= IOMMUSIM_KERNEL(6, 12) ? err : 0;
}

int iommusim_domain_map(struct iommusim_domain *domain, const struct iommusim_map *map)
{
	int err = iommusim_domain_map_nosync(domain, map);

	if (err)
		return err;
	err = iommusim_domain_sync_map(domain, map->iova, map->size);
	if (err)
		iommusim_domain_unmap(domain, map->iova, map->size);
	return err;
}

/* Map the run that ends before entry @e, if there is one and @e does not go on where it ends. */
static int end_run(struct iommusim_domain *domain, const struct iommusim_sg *e,
                   struct iommusim_map *run)
{
	int err;

	if (!run->size || e->pa == run->pa + run->size)
		return 0;
	err = iommusim_domain_map_nosync(domain, run);
	if (err)
		return err;
	run->iova += run->size;
	run->size = 0;
	return 0;
}

/* Run by run; the last entry is looked at twice, the second time to end its run. */
static int map_runs(struct iommusim_domain *domain, const struct iommusim_map_list *list,
                    struct iommusim_map *run)
{
	for (size_t i = 0; i <= list->nr && list->nr; i++) {
		const struct iommusim_sg *e = &list->sg[i < list->nr ? i : list->nr - 1];
		int err = end_run(domain, e, run);

		if (err)
			return err;
		if (!run->size)
			run->pa = e->pa;
		run->size += e->size;
	}
	return 0;
}

int iommusim_domain_map_sg(struct iommusim_domain *domain, const struct iommusim_map_list *list,
                           uint64_t *mapped)
{
	struct iommusim_map run = { .iova = list->iova, .prot = list->prot, .gfp = list->gfp };
	int err = map_runs(domain, list, &run);
	uint64_t done = run.iova - list->iova;

	if (!err)
		err = iommusim_domain_sync_map(domain, list->iova, done);
	if (err) {
		iommusim_domain_unmap(domain, list->iova, done);
		return err;
	}
	*mapped = done;
	return 0;
}

uint64_t iommusim_domain_iova_to_phys(const struct iommusim_domain *domain, uint64_t iova)
{
	return domain->driver.iova_to_phys(domain->driver.ctx, iova);
}
