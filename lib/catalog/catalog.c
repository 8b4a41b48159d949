/* SPDX-License-Identifier: MIT */
/* Looking rows up, and what follows from one. */
#include "catalog/catalog.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/compiler.h"

const struct iommusim_catalog_driver *iommusim_catalog_driver_at(size_t index)
{
	return index < isim_catalog_drivers_nr ? &isim_catalog_drivers[index] : NULL;
}

const struct iommusim_catalog_platform *iommusim_catalog_platform_at(size_t index)
{
	return index < isim_catalog_platforms_nr ? &isim_catalog_platforms[index] : NULL;
}

const struct iommusim_catalog_driver *iommusim_catalog_driver_find(const char *id)
{
	for (size_t i = 0; i < isim_catalog_drivers_nr; i++)
		if (!strcmp(isim_catalog_drivers[i].id, id))
			return &isim_catalog_drivers[i];
	return NULL;
}

const struct iommusim_catalog_platform *iommusim_catalog_platform_find(const char *id)
{
	for (size_t i = 0; i < isim_catalog_platforms_nr; i++)
		if (!strcmp(isim_catalog_platforms[i].id, id))
			return &isim_catalog_platforms[i];
	return NULL;
}

int iommusim_catalog_driver_in(const struct iommusim_catalog_driver *row, unsigned kernel)
{
	return row->first_kernel <= kernel && (!row->last_kernel || kernel <= row->last_kernel);
}

const struct iommusim_catalog_driver *iommusim_catalog_driver_next(const char *driver,
                                                                   unsigned kernel, size_t *index)
{
	while (*index < isim_catalog_drivers_nr) {
		const struct iommusim_catalog_driver *row = &isim_catalog_drivers[(*index)++];

		if ((!driver || !strcmp(row->driver, driver)) &&
		    (!kernel || iommusim_catalog_driver_in(row, kernel)))
			return row;
	}
	return NULL;
}

const struct isim_catalog_format *isim_catalog_format(const char *key)
{
	for (size_t i = 0; i < isim_catalog_formats_nr; i++)
		if (!strcmp(isim_catalog_formats[i].key, key))
			return &isim_catalog_formats[i];
	return NULL;
}

static void keep_line(void *ctx, const char *line)
{
	struct iommusim_catalog_tables *tables = ctx;

	if (!*tables->why)
		snprintf(tables->why, sizeof(tables->why), "%s refuses it: %s",
		         tables->format->name, line);
}

/* Create such tables once, to see what becomes of the page sizes. */
static void try_tables(const struct iommusim_catalog_driver *row,
                       const struct iommusim_pgtable_config *config,
                       struct iommusim_catalog_tables *tables)
{
	struct iommusim_pgtable *pgtable;
	uint64_t left;

	tables->is_refused = 1;
	if (iommusim_pgtable_create(config, &pgtable)) {
		if (!*tables->why)
			snprintf(tables->why, sizeof(tables->why), "%s refuses it",
			         tables->format->name);
		tables->format = NULL;
		return;
	}
	left = iommusim_pgtable_info(pgtable).pgsizes;
	iommusim_pgtable_destroy(pgtable);
	tables->is_refused = 0;
	if (left == row->pgsizes)
		return;
	snprintf(tables->why, sizeof(tables->why), "%s makes other page sizes of it: 0x%llx",
	         tables->format->name, (unsigned long long)left);
	tables->format = NULL;
}

struct iommusim_catalog_tables
iommusim_catalog_driver_tables(const struct iommusim_catalog_driver *row, unsigned page_shift,
                               unsigned kernel)
{
	const struct isim_catalog_format *format = isim_catalog_format(row->page_table_format);
	struct iommusim_catalog_tables tables = { NULL, 0, 0, "" };
	struct iommusim_host host = { .size = sizeof(host), .log = keep_line, .log_ctx = &tables };
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .kernel = kernel,
		                                  .page_shift = page_shift,
		                                  .pgsizes = row->pgsizes,
		                                  .ias = row->iova_bits,
		                                  .oas = row->pa_bits,
		                                  .host = &host };
	const char *why = "this library does not have the format";

	if (!row->pgsizes)
		why = "the driver does no paging";
	else if (!strcmp(row->page_table_format, "none"))
		why = "the driver has no page tables in memory";
	else if (format && *format->pgtable)
		tables.format = iommusim_pgtable_format_find(format->pgtable);
	else if (iommusim_pgtable_format_find(row->page_table_format))
		why = "such tables have one word for every smallest page, or map a window only; "
		      "here "
		      "the calls of the driver are recorded";
	if (!tables.format) {
		snprintf(tables.why, sizeof(tables.why), "%s", why);
		return tables;
	}
	if (!(format->quirks & ~tables.format->quirks))
		tables.quirks = format->quirks;
	config.format = tables.format;
	config.quirks = tables.quirks;
	try_tables(row, &config, &tables);
	return tables;
}

/* Drivers that check the granule themselves, before the DMA layer can stop with BUG(). */
static const struct check {
	const char *driver;
	unsigned first_kernel;
	int err;
	const char *what;
} checks[] = {
	{ "virtio-iommu", IOMMUSIM_KERNEL(6, 12), -IOMMUSIM_ENODEV,
	  "virtio-iommu refuses the domain: its granule is above the CPU page" },
	{ "virtio-iommu", 0, -IOMMUSIM_EINVAL,
	  "virtio-iommu refuses the domain: its granule is above the CPU page" },
	{ "apple-dart", 0, -IOMMUSIM_EINVAL,
	  "apple-dart refuses to attach a translated domain: its page is above the CPU page; "
	  "bypass "
	  "or identity only" },
};

struct iommusim_catalog_outcome
iommusim_catalog_driver_outcome(const struct iommusim_catalog_driver *row, unsigned page_shift,
                                unsigned kernel)
{
	static const struct iommusim_catalog_outcome works = { 0, "works" };
	static const struct iommusim_catalog_outcome own = {
		0, "works: its own backend maps whole pages of the IOMMU around a buffer"
	};
	static const struct iommusim_catalog_outcome arm = {
		0, "made: arch/arm has no check, each chunk must fit the granule by itself"
	};
	static const struct iommusim_catalog_outcome none = { 0, "not made: it has no DMA domain" };
	static const struct iommusim_catalog_outcome refused = {
		-IOMMUSIM_EINVAL,
		"the page-table allocation refuses the page sizes, no domain is made"
	};
	static const struct iommusim_catalog_outcome bug = {
		-IOMMUSIM_EBUG,
		"init_iova_domain() stops with BUG(): the granule is above the CPU page"
	};

	if (iommusim_catalog_driver_tables(row, page_shift, kernel).is_refused)
		return refused;
	if (!row->pgsizes || row->min_granule <= isim_bit(page_shift))
		return works;
	for (size_t i = 0; i < ISIM_ARRAY_LEN(checks); i++)
		if (!strcmp(checks[i].driver, row->driver) && kernel >= checks[i].first_kernel)
			return (struct iommusim_catalog_outcome){ checks[i].err, checks[i].what };
	if (row->backends & IOMMUSIM_BACKEND_DMA_IOMMU)
		return bug;
	if (row->backends & IOMMUSIM_BACKEND_ARM)
		return arm;
	return row->backends & IOMMUSIM_BACKEND_OWN ? own : none;
}
