/* SPDX-License-Identifier: MIT */
/* The numbers of a zone: how many of its frames are the allocator's, and where its marks are. */
#include "phys/zone.h"

int iommusim_phys_numbers(const struct iommusim_phys *phys, unsigned index,
                          struct iommusim_zone_numbers *numbers)
{
	if (index >= phys->nr_zones)
		return -IOMMUSIM_EINVAL;
	*numbers = phys->zone[index].numbers;
	return 0;
}

int iommusim_phys_set_numbers(struct iommusim_phys *phys, unsigned index,
                              const struct iommusim_zone_numbers *numbers)
{
	const struct iommusim_zone_numbers *n = numbers;

	if (index >= phys->nr_zones)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL, "there is no zone number %u", index);
	if (!n->managed || n->managed > n->present ||
	    n->present > phys->zone[index].config.nr_frames)
		return isim_fail(
			&phys->diag, IOMMUSIM_EINVAL,
			"zone %u: managed %llu and present %llu are not 1 .. %llu, ascending",
			index, (unsigned long long)n->managed, (unsigned long long)n->present,
			(unsigned long long)phys->zone[index].config.nr_frames);
	if (n->min > n->low || n->low > n->high || n->high > n->promo)
		return isim_fail(&phys->diag, IOMMUSIM_EINVAL,
		                 "zone %u: marks %llu, %llu, %llu, %llu are not ascending", index,
		                 (unsigned long long)n->min, (unsigned long long)n->low,
		                 (unsigned long long)n->high, (unsigned long long)n->promo);
	phys->zone[index].numbers = *numbers;
	return 0;
}
