/* SPDX-License-Identifier: MIT */
/* A smallest page of the IOMMU that is larger than the CPU page: who refuses it, where, since when.
 */
#include "base/host.h"
#include "iommusim/dma.h"

static const struct row {
	enum iommusim_granule_user user;
	unsigned since; /* 0: ever */
	struct iommusim_granule_rule rule;
} rows[] = {
	{ IOMMUSIM_GRANULE_DMA,
	  0,
	  { -IOMMUSIM_EBUG, "init_iova_domain()", "the kernel stops with BUG()" } },
	{ IOMMUSIM_GRANULE_DART,
	  IOMMUSIM_KERNEL(5, 15),
	  { -IOMMUSIM_EINVAL, "apple_dart_attach_dev()",
	    "paging domains are refused, the default domain is forced to identity" } },
	{ IOMMUSIM_GRANULE_IOMMUFD,
	  IOMMUSIM_KERNEL(6, 2),
	  { -IOMMUSIM_EINVAL, "iopt_table_add_domain()", "the domain is not attached" } },
	{ IOMMUSIM_GRANULE_VFIO,
	  0,
	  { 0, "vfio_dma_do_map()", "maps that are not multiples of the granule are EINVAL" } },
	{ IOMMUSIM_GRANULE_UNMANAGED,
	  0,
	  { 0, "iommu_map()", "maps that are not multiples of the granule are EINVAL" } },
	{ IOMMUSIM_GRANULE_PROPOSAL,
	  0,
	  { -IOMMUSIM_EFAULT, "iommu_check_page_size()",
	    "accepted for trusted devices only: granules hold foreign memory" } },
};

const struct iommusim_granule_rule *iommusim_granule_rule(enum iommusim_granule_user user,
                                                          unsigned kernel)
{
	kernel = isim_kernel(kernel);
	for (size_t i = 0; kernel && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].user == user && kernel >= rows[i].since)
			return &rows[i].rule;
	return NULL;
}
