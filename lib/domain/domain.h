/* SPDX-License-Identifier: MIT */
/* An IOMMU domain, as its parts see it. */
#ifndef ISIM_DOMAIN_DOMAIN_H
#define ISIM_DOMAIN_DOMAIN_H

#include "base/host.h"
#include "iommusim/domain.h"

struct iommusim_domain {
	struct isim_diag diag;
	unsigned kernel;
	uint64_t pgsizes;
	struct iommusim_driver driver;
	struct iommusim_domain_stats stats;
};

#endif
