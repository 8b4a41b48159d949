/* SPDX-License-Identifier: MIT */
/* IOTLB entries that went stale are gathered as long as they adjoin, then invalidated together. */
#include "domain/domain.h"

void iommusim_gather_init(struct iommusim_gather *gather, struct iommusim_domain *domain)
{
	*gather = (struct iommusim_gather){ .domain = domain, .start = UINT64_MAX };
}

void iommusim_gather_sync(struct iommusim_gather *gather)
{
	struct iommusim_domain *domain = gather->domain;
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_IOTLB_SYNC };

	domain->stats.nr_iotlb_sync++;
	if (gather->start <= gather->last) {
		event.iova = gather->start;
		event.size = gather->last - gather->start + 1;
		event.pa = gather->pgsize;
	}
	if (domain->driver.sync_iotlb)
		domain->driver.sync_iotlb(domain->driver.ctx, gather);
	isim_event(&domain->diag, &event);
	iommusim_gather_init(gather, domain);
}

/* Does [@start, @last] neither overlap nor adjoin what was gathered? */
static int is_disjoint(const struct iommusim_gather *gather, uint64_t start, uint64_t last)
{
	return gather->last != 0 && (last + 1 < gather->start || start > gather->last + 1);
}

void iommusim_gather_add_pages(struct iommusim_gather *gather, uint64_t iova, uint64_t pgsize,
                               uint64_t count)
{
	uint64_t last = iova + pgsize * count - 1;

	if (!count || gather->is_queued)
		return;
	if ((gather->pgsize && gather->pgsize != pgsize) ||
	    is_disjoint(gather, iova, iova + pgsize - 1))
		iommusim_gather_sync(gather);
	gather->pgsize = pgsize;
	if (iova < gather->start)
		gather->start = iova;
	if (last > gather->last)
		gather->last = last;
}

void iommusim_gather_add_page(struct iommusim_gather *gather, uint64_t iova, uint64_t pgsize)
{
	iommusim_gather_add_pages(gather, iova, pgsize, 1);
}

void iommusim_domain_flush_all(struct iommusim_domain *domain)
{
	struct iommusim_event event = { .kind = IOMMUSIM_EVENT_IOTLB_FLUSH_ALL };

	domain->stats.nr_iotlb_flush_all++;
	if (domain->driver.flush_iotlb_all)
		domain->driver.flush_iotlb_all(domain->driver.ctx);
	isim_event(&domain->diag, &event);
}
