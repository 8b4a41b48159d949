/* SPDX-License-Identifier: MIT */
/** @file machine.h  Memory, an IOMMU domain and a device put together, and copied together. */
#ifndef IOMMUSIM_MACHINE_H
#define IOMMUSIM_MACHINE_H

#include "iommusim/base.h"
#include "iommusim/catalog.h"
#include "iommusim/dma.h"
#include "iommusim/domain.h"
#include "iommusim/iova.h"
#include "iommusim/pgtable.h"
#include "iommusim/phys.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Tables in pages of a machine ---- */

/** In every field but @size and @source, zero means "the default". */
struct iommusim_table_pages_config {
	size_t size;         /* sizeof(struct iommusim_table_pages_config), in bytes */
	unsigned page_shift; /* log2 of the source's page size in bytes, 12 .. 16; default 12 */
	const struct iommusim_page_source *source; /* copied */
	const struct iommusim_host *host;
};

struct iommusim_table_pages; /* opaque: table memory whose pages come from a page source */

/**
 * Table memory that takes its pages from @config->source, of order 0 where a table is a page, with
 * the gfp that the page tables ask for and ZERO. Tables below a page share pages with their like;
 * simplifies: Linux takes them from a slab cache, which may hold on to more of its pages. The words
 * themselves are in the host's memory.
 * Returns 0; -IOMMUSIM_EINVAL, -IOMMUSIM_E2BIG, -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_table_pages_create(const struct iommusim_table_pages_config *config,
                                             struct iommusim_table_pages **pages);

/** Forget what is left. Pages that tables still use stay with the source's owner. */
IOMMUSIM_API void iommusim_table_pages_destroy(struct iommusim_table_pages *pages);

/**
 * A copy of all tables in @copy, over @source, on which the same pages are in use. Returns 0,
 * -IOMMUSIM_EINVAL or -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_table_pages_fork(const struct iommusim_table_pages *pages,
                                           const struct iommusim_page_source *source,
                                           struct iommusim_table_pages **copy);

/** The table memory of @pages; valid as long as it lives. */
IOMMUSIM_API struct iommusim_table_memory
iommusim_table_pages_memory(struct iommusim_table_pages *pages);

/* ---- The machine ---- */

/** In every field but @size and @phys, zero means "the default". New fields go at the end. */
struct iommusim_machine_config {
	size_t size; /* sizeof(struct iommusim_machine_config), in bytes */
	unsigned kernel;
	/* Taken over: destroyed with the machine, on failure left alone. */
	struct iommusim_phys *phys;
	uint64_t pgsizes; /* default: the CPU page size, 2 MiB and 1 GiB */
	enum iommusim_domain_mode mode;
	uint64_t coherent_mask; /* default 2^32 - 1 */
	unsigned is_pci;
	unsigned keep_calls; /* 1: the recording driver remembers every call */
	const struct iommusim_host *host;
	/* The domain's page tables; default: none, the domain drives a recording driver. The page
	   sizes are narrowed to those that the format leaves. */
	const struct iommusim_pgtable_format *format;
	unsigned ias, oas; /* of the page tables, as in struct iommusim_pgtable_config */
	uint32_t quirks;   /* not ARM_TTBR1: a device gets low addresses */
	unsigned is_noncoherent;
	unsigned tables_in_phys; /* 1: table pages are pages of @phys; default: they cost none */
	/* Of the page tables, as in struct iommusim_pgtable_config. */
	unsigned contiguous, nr_levels, force_snoop;
	enum iommusim_section_split section_split;
	unsigned hw_dirty;
	uint64_t window_start;
	/* What the domain maps, both ends included, in bytes: addresses are handed out from its
	   first granule on, but never 0. Default: all that the page tables map. */
	uint64_t aperture_start, aperture_last;
};

struct iommusim_machine; /* opaque */

/**
 * Put a machine together: @config->phys as the page source, a domain over page tables or the
 * recording driver, an IOVA space of the domain's granule and a device. Returns 0; as
 * iommusim_dma_create() (of a device that reaches nothing of the aperture, too) and the rooms below
 * it.
 */
IOMMUSIM_API int iommusim_machine_create(const struct iommusim_machine_config *config,
                                         struct iommusim_machine **machine);
IOMMUSIM_API void iommusim_machine_destroy(struct iommusim_machine *machine);

/**
 * An independent copy in @copy, in the identical state. Buffers of the original are freed on the
 * original; on the copy they stay mapped. Returns 0 or -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_machine_fork(const struct iommusim_machine *machine,
                                       struct iommusim_machine **copy);

/** The parts. They belong to the machine. */
IOMMUSIM_API struct iommusim_phys *iommusim_machine_phys(struct iommusim_machine *machine);
IOMMUSIM_API struct iommusim_domain *iommusim_machine_domain(struct iommusim_machine *machine);
IOMMUSIM_API struct iommusim_iova *iommusim_machine_iova(struct iommusim_machine *machine);
IOMMUSIM_API struct iommusim_dma *iommusim_machine_dma(struct iommusim_machine *machine);
/** One of these two is NULL: a machine has page tables or a recording driver. */
IOMMUSIM_API struct iommusim_recorder *iommusim_machine_recorder(struct iommusim_machine *machine);
IOMMUSIM_API struct iommusim_pgtable *iommusim_machine_pgtable(struct iommusim_machine *machine);

/* ---- Machines of the catalogue ---- */

/**
 * Fill in what @config has of an IOMMU from @row, for memory with pages of 2^@page_shift bytes:
 * page sizes, page tables as iommusim_catalog_driver_tables() has them for its kernel and
 * contiguous (none where there are none), coherence of the walk, the aperture. A coherent_mask (0:
 * of 32 bits) that ends before the aperture becomes the aperture's end: a device behind it is taken
 * to reach it. Simplifies: an aperture that starts above what the page tables map is taken from 0
 * on.
 */
IOMMUSIM_API void iommusim_machine_use_row(struct iommusim_machine_config *config,
                                           const struct iommusim_catalog_driver *row,
                                           unsigned page_shift);

#define IOMMUSIM_PLATFORM_ZONES 3

/**
 * The zones of @platform into @zones; returns their number. x86-64: DMA below 16 MiB, DMA32 up to
 * 3 GiB of RAM, the rest from 4 GiB on. arm64 and riscv: RAM starts at 1 GiB (2 GiB for riscv; 0
 * where the IOMMU's pa_bits would not reach its end, as on RK3399), DMA (DMA32) below 4 GiB, then
 * Normal. arm: 760 MiB Normal from 1 GiB on, the rest HighMem. Others: Normal from 0. Simplifies:
 * no holes, one node, whole pages of 2^page_shift only.
 */
IOMMUSIM_API unsigned iommusim_platform_zones(const struct iommusim_catalog_platform *platform,
                                              struct iommusim_zone_config *zones);

/** The mask of @master, a name in dma_masks (NULL: the first); the kernel's default of 32 bits
    where the row does not name it. */
IOMMUSIM_API uint64_t iommusim_platform_mask(const struct iommusim_catalog_platform *platform,
                                             const char *master);

/** In every field but @size and @platform, zero means "the default". */
struct iommusim_platform_config {
	size_t size; /* sizeof(struct iommusim_platform_config), in bytes */
	const struct iommusim_catalog_platform *platform;
	unsigned kernel;
	const char *master; /* whose mask the device has; default: the first */
	enum iommusim_domain_mode mode;
	unsigned tables_in_phys;
	const struct iommusim_host *host;
	const struct iommusim_catalog_driver *driver; /* default: the platform's */
	/* Memory with pages of the platform's size. Taken over: destroyed with the machine, on
	   failure left alone. Default: the platform's own, fresh. */
	struct iommusim_phys *phys;
};

/**
 * A machine as the catalogue has it: its memory, fresh or @config->phys, with the CPU page, the
 * IOMMU's page sizes and tables (a recording driver where iommusim_catalog_driver_tables() has
 * none), and a device, as iommusim_machine_use_row() has it.
 * Returns 0; -IOMMUSIM_ENODEV (logged): the platform's masters have no paging IOMMU;
 * -IOMMUSIM_EINVAL (logged): no platform, an unknown kernel, or memory with pages of another size;
 * -IOMMUSIM_EBUG as iommusim_dma_create(); or as iommusim_machine_create() and the rooms below it.
 */
IOMMUSIM_API int iommusim_machine_create_platform(const struct iommusim_platform_config *config,
                                                  struct iommusim_machine **machine);

#ifdef __cplusplus
}
#endif

#endif
