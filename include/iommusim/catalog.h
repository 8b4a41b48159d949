/* SPDX-License-Identifier: MIT */
/** @file catalog.h  Real IOMMU drivers and machines: facts, one row each. */
#ifndef IOMMUSIM_CATALOG_H
#define IOMMUSIM_CATALOG_H

#include "iommusim/base.h"
#include "iommusim/pgtable.h"
#include "iommusim/phys/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Who gets the pages of a DMA buffer behind a driver, one bit each; none: 0. */
#define IOMMUSIM_BACKEND_DMA_IOMMU 1u /* drivers/iommu/dma-iommu.c: its chunk policy applies */
#define IOMMUSIM_BACKEND_ARM       2u /* arch/arm/mm/dma-mapping.c, with its fixed orders */
#define IOMMUSIM_BACKEND_OWN       4u /* the driver or its architecture itself */

enum iommusim_catalog_kind {
	IOMMUSIM_CATALOG_DRIVER,
	IOMMUSIM_CATALOG_LIBRARY,     /* page-table code as such, no driver's domain */
	IOMMUSIM_CATALOG_HYPOTHETICAL /* no such hardware is known */
};

/**
 * A driver in one configuration. Texts are never NULL; lists in them are separated by ';'. Columns
 * of the CSV file that it comes from have the same names, but where a comment says otherwise.
 */
struct iommusim_catalog_driver {
	const char *id, *driver, *config;
	/* IOMMUSIM_KERNEL() of the release in which the facts begin and end; last 0: still so.
	   Releases of 2.6 are all 2.6. */
	unsigned first_kernel, last_kernel;
	unsigned first_is_inferred, last_is_inferred; /* 1: a '~' in the file */
	uint64_t pgsizes; /* pgsize_bitmap: what the DMA layer sees; 0: no paging */
	uint64_t min_granule;
	unsigned iova_bits, pa_bits; /* of the page table; 0: not known */
	const char *page_table_format;
	int levels; /* 0: none in memory; -1: not applicable */
	const char *contiguous_hint, *cpu_archs;
	unsigned page_shifts; /* cpu_page_sizes: bit n stands for pages of 2^n bytes */
	const char *coherent_walk;
	unsigned backends;                      /* uses_dma_iommu: IOMMUSIM_BACKEND_* */
	unsigned has_aperture;                  /* 0: it comes from firmware or the device */
	uint64_t aperture_start, aperture_last; /* last: aperture_end */
	const char *source_file, *kernel_read;
	unsigned is_verified;
	const char *notes;
	enum iommusim_catalog_kind kind; /* row_kind */
};

/** What a master of a platform can address. */
struct iommusim_catalog_mask {
	const char *name;
	uint64_t last;     /* the highest address; the kernel's default of 32 bits where */
	unsigned is_known; /* this is 0 */
};

/** A buffer that is usual on a platform. */
struct iommusim_catalog_buffer {
	const char *name;
	uint64_t bytes;
};

/** A machine with one kernel page size. */
struct iommusim_catalog_platform {
	const char *id, *name, *cpu_arch;
	unsigned page_shift; /* log2 of cpu_page_size */
	uint64_t ram_bytes;  /* an example */
	const char *iommu_driver_id, *dma_masters;
	const struct iommusim_catalog_mask *masks; /* dma_masks */
	size_t nr_masks;
	const struct iommusim_catalog_buffer *buffers; /* buffer_sizes */
	size_t nr_buffers;
	const char *why, *confidence, *notes;
};

/** Built-in row number @index, NULL beyond the last. */
IOMMUSIM_API const struct iommusim_catalog_driver *iommusim_catalog_driver_at(size_t index);
IOMMUSIM_API const struct iommusim_catalog_platform *iommusim_catalog_platform_at(size_t index);

/** The built-in row with that id, NULL: none. */
IOMMUSIM_API const struct iommusim_catalog_driver *iommusim_catalog_driver_find(const char *id);
IOMMUSIM_API const struct iommusim_catalog_platform *iommusim_catalog_platform_find(const char *id);

/** The first row from number *@index on that is of @driver (the column; NULL: any) and holds for
    @kernel (0: any). *@index becomes the number after it. NULL: there is none. */
IOMMUSIM_API const struct iommusim_catalog_driver *
iommusim_catalog_driver_next(const char *driver, unsigned kernel, size_t *index);

/** Whether @row's facts hold for @kernel. */
IOMMUSIM_API int iommusim_catalog_driver_in(const struct iommusim_catalog_driver *row,
                                            unsigned kernel);

/** The page tables of a row: what struct iommusim_pgtable_config is to have. */
struct iommusim_catalog_tables {
	const struct iommusim_pgtable_format *format; /* NULL: none, driver calls are recorded */
	uint32_t quirks;
	unsigned is_refused; /* 1: Linux's own code refuses such tables */
	char why[240];       /* why there is none, "" */
	uint64_t pgsizes;    /* of the domain: the row's, with the contiguous hint perhaps more */
	unsigned ias, oas;
	uint64_t window_start; /* of tables that map a window: the row's aperture_start */
	unsigned nr_levels;    /* of AMD v2, else 0 */
};

/**
 * Which format of the pgtable room @row has, under CPU pages of 2^@page_shift bytes, in Linux
 * @kernel: one that makes exactly the row's page sizes and address widths; else why there is none
 * (this library lacks the format, or Linux's own code refuses or changes the page sizes). With
 * @contiguous 1 Arm's long descriptors have the contiguous hint, which Linux never sets, and the
 * page sizes that it adds; other rows are not changed by it.
 */
IOMMUSIM_API struct iommusim_catalog_tables
iommusim_catalog_driver_tables(const struct iommusim_catalog_driver *row, unsigned page_shift,
                               unsigned kernel, unsigned contiguous);

/** What a kernel does where a domain's granule is above the CPU page. */
struct iommusim_catalog_outcome {
	int err;          /* negative error, -IOMMUSIM_EBUG: BUG(); 0: it works */
	const char *what; /* in words, naming the check */
};

/**
 * What Linux @kernel (6.1 or 6.12) does with a DMA domain of @row under CPU pages of
 * 2^@page_shift bytes, with tables as iommusim_catalog_driver_tables() has them. Source: the notes
 * of the rows, the checks of the page-table code, and granule-against-page checks of
 * init_iova_domain(), virtio-iommu, apple-dart.
 */
IOMMUSIM_API struct iommusim_catalog_outcome
iommusim_catalog_driver_outcome(const struct iommusim_catalog_driver *row, unsigned page_shift,
                                unsigned kernel, unsigned contiguous);

/* ---- Rows of a user's own ---- */

struct iommusim_catalog; /* opaque: rows that were read from a text */

/**
 * Read drivers from @csv, which has a header line with the columns of the built-in file, in any
 * order. Returns 0; -IOMMUSIM_EINVAL with one log line "NAME:LINE:COLUMN: column: 'value' …" (bytes
 * from 1): not CSV, a missing or unknown column, an empty line, a number that is none, a row that
 * contradicts itself (min_granule is not the lowest bit, an unknown page-table format, an aperture
 * outside iova_bits where the notes do not speak of it and its end is not all ones), an id twice;
 * -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_catalog_parse(const struct iommusim_host *host,
                                        const struct iommusim_text *csv,
                                        struct iommusim_catalog **catalog);
IOMMUSIM_API void iommusim_catalog_destroy(struct iommusim_catalog *catalog);

/** Row number @index, NULL beyond the last. Valid as long as @catalog. */
IOMMUSIM_API const struct iommusim_catalog_driver *
iommusim_catalog_at(const struct iommusim_catalog *catalog, size_t index);

#ifdef __cplusplus
}
#endif

#endif
