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

	if (iommusim_pgtable_create(config, &pgtable)) {
		if (!*tables->why)
			snprintf(tables->why, sizeof(tables->why), "%s refuses it",
			         tables->format->name);
		tables->format = NULL;
		return;
	}
	tables->pgsizes = iommusim_pgtable_info(pgtable).pgsizes;
	iommusim_pgtable_destroy(pgtable);
	tables->is_refused = 0;
	if (tables->pgsizes == row->pgsizes || config->contiguous)
		return;
	snprintf(tables->why, sizeof(tables->why), "%s makes other page sizes of it: 0x%llx",
	         tables->format->name, (unsigned long long)tables->pgsizes);
	tables->format = NULL;
	tables->pgsizes = row->pgsizes;
}

/* Tables with a word for each page of a window are here for that many pages at most. Simplifies:
   what firmware makes as large as it likes, or the memory, has 2^20. */
#define MAX_WINDOW_LG2 20

/* Bits that tell the bytes of a row's aperture apart. */
static unsigned aperture_bits(const struct iommusim_catalog_driver *row)
{
	return row->has_aperture ? isim_high_bit((row->aperture_last - row->aperture_start) | 1) + 1
	                         : row->iova_bits;
}

static unsigned window_bits(const struct iommusim_catalog_driver *row)
{
	unsigned bits = aperture_bits(row), most = isim_low_bit(row->pgsizes) + MAX_WINDOW_LG2;

	return bits < most ? bits : most;
}

/* Which format, and its widths; "" or why there is none. */
static const char *choose_tables(const struct iommusim_catalog_driver *row,
                                 struct iommusim_catalog_tables *tables)
{
	const struct isim_catalog_format *format = isim_catalog_format(row->page_table_format);

	if (!row->pgsizes)
		return "the driver does no paging";
	if (!strcmp(row->page_table_format, "none"))
		return row->levels > 0 ? "the layout of its page tables is not known"
		                       : "the driver has no page tables in memory";
	if (!format || !*format->pgtable)
		return "this library does not have the format";
	tables->format = iommusim_pgtable_format_find(format->pgtable);
	tables->quirks = format->quirks;
	tables->ias = format->is_window ? window_bits(row) : row->iova_bits;
	tables->is_refused = !format->is_window; /* else what is refused is this library's size */
	tables->oas = row->pa_bits;
	tables->nr_levels = tables->format == &iommusim_pgtable_amd_v2 && row->levels > 0
	                            ? (unsigned)row->levels
	                            : 0;
	tables->window_start = format->is_window ? row->aperture_start : 0;
	return "";
}

static int is_arm_long(const struct iommusim_pgtable_format *format)
{
	return format == &iommusim_pgtable_arm_lpae_s1 || format == &iommusim_pgtable_arm_lpae_s2;
}

struct iommusim_catalog_tables
iommusim_catalog_driver_tables(const struct iommusim_catalog_driver *row, unsigned page_shift,
                               unsigned kernel, unsigned contiguous)
{
	struct iommusim_catalog_tables tables = { .pgsizes = row->pgsizes };
	struct iommusim_host host = { .size = sizeof(host), .log = keep_line, .log_ctx = &tables };
	const char *why = choose_tables(row, &tables);
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = tables.format,
		                                  .kernel = kernel,
		                                  .page_shift = page_shift,
		                                  .pgsizes = row->pgsizes,
		                                  .ias = tables.ias,
		                                  .oas = tables.oas,
		                                  .quirks = tables.quirks,
		                                  .window_start = tables.window_start,
		                                  .nr_levels = tables.nr_levels,
		                                  .host = &host };

	config.contiguous = contiguous && is_arm_long(tables.format);
	if (tables.format)
		try_tables(row, &config, &tables);
	else
		snprintf(tables.why, sizeof(tables.why), "%s", why);
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
                                unsigned kernel, unsigned contiguous)
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

	if (iommusim_catalog_driver_tables(row, page_shift, kernel, contiguous).is_refused)
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
