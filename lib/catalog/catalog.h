/* SPDX-License-Identifier: MIT */
/* The tables that are generated from the CSV files, and what a row must be. */
#ifndef ISIM_CATALOG_CATALOG_H
#define ISIM_CATALOG_CATALOG_H

#include "iommusim/catalog.h"

/* Which format of the pgtable room a key of the files means; @pgtable "" where there is none. Some
   map no more than the aperture: a window. */
struct isim_catalog_format {
	const char *key, *pgtable;
	uint32_t quirks;
	unsigned is_window;
};

extern const struct isim_catalog_format isim_catalog_formats[];
extern const size_t isim_catalog_formats_nr;
extern const struct iommusim_catalog_driver isim_catalog_drivers[];
extern const size_t isim_catalog_drivers_nr;
extern const struct iommusim_catalog_platform isim_catalog_platforms[];
extern const size_t isim_catalog_platforms_nr;

/* The format with that key, NULL: none. */
const struct isim_catalog_format *isim_catalog_format(const char *key);

/* The columns of drivers.csv, in its order. */
enum isim_catalog_column {
	ISIM_COLUMN_ID,
	ISIM_COLUMN_DRIVER,
	ISIM_COLUMN_CONFIG,
	ISIM_COLUMN_FIRST_KERNEL,
	ISIM_COLUMN_LAST_KERNEL,
	ISIM_COLUMN_PGSIZES,
	ISIM_COLUMN_MIN_GRANULE,
	ISIM_COLUMN_IOVA_BITS,
	ISIM_COLUMN_PA_BITS,
	ISIM_COLUMN_FORMAT,
	ISIM_COLUMN_LEVELS,
	ISIM_COLUMN_CONTIGUOUS_HINT,
	ISIM_COLUMN_CPU_ARCHS,
	ISIM_COLUMN_CPU_PAGE_SIZES,
	ISIM_COLUMN_COHERENT_WALK,
	ISIM_COLUMN_BACKENDS,
	ISIM_COLUMN_APERTURE_START,
	ISIM_COLUMN_APERTURE_END,
	ISIM_COLUMN_SOURCE_FILE,
	ISIM_COLUMN_KERNEL_READ,
	ISIM_COLUMN_VERIFIED,
	ISIM_COLUMN_NOTES,
	ISIM_COLUMN_KIND,
	ISIM_CATALOG_COLUMNS
};

extern const char *const isim_catalog_columns[ISIM_CATALOG_COLUMNS];

/* A field that is wrong, and why. */
struct isim_catalog_wrong {
	enum isim_catalog_column column;
	char why[96];
};

/*
 * Make a row of the texts of its columns, which it keeps. 0, or -EINVAL with @wrong filled. The
 * checks are those of generate.py.
 */
int isim_catalog_row(const char *const *text, struct iommusim_catalog_driver *row,
                     struct isim_catalog_wrong *wrong);

#endif
