/* SPDX-License-Identifier: MIT */
/** @file pgtable.h  IOMMU page tables: words in memory, exactly as a hardware walker reads them. */
#ifndef IOMMUSIM_PGTABLE_H
#define IOMMUSIM_PGTABLE_H

#include "iommusim/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Protection bits, include/linux/iommu.h. */
#define IOMMUSIM_PROT_READ   1u
#define IOMMUSIM_PROT_WRITE  2u
#define IOMMUSIM_PROT_CACHE  4u
#define IOMMUSIM_PROT_NOEXEC 8u
#define IOMMUSIM_PROT_MMIO   16u
#define IOMMUSIM_PROT_PRIV   32u

/** Quirks, the values of Linux 6.1 and 6.12 (include/linux/io-pgtable.h). */
#define IOMMUSIM_QUIRK_ARM_NS           UINT32_C(0x1)
#define IOMMUSIM_QUIRK_NO_PERMS         UINT32_C(0x2)
#define IOMMUSIM_QUIRK_ARM_MTK_EXT      UINT32_C(0x8)
#define IOMMUSIM_QUIRK_ARM_MTK_TTBR_EXT UINT32_C(0x10)
#define IOMMUSIM_QUIRK_ARM_TTBR1        UINT32_C(0x20)
#define IOMMUSIM_QUIRK_ARM_OUTER_WBWA   UINT32_C(0x40)
#define IOMMUSIM_QUIRK_ARM_HD           UINT32_C(0x80) /* 6.12 */

/** The most levels of any format; level 0 is the table that holds only leaves. */
#define IOMMUSIM_MAX_LEVELS 6

/** Marks that hardware leaves in the words of some formats. */
#define IOMMUSIM_MARK_ACCESSED 1u
#define IOMMUSIM_MARK_DIRTY    2u

/** @count pages of @pgsize bytes each, contiguous on both sides: one driver call. */
struct iommusim_map_pages {
	uint64_t iova, pa, pgsize, count;
	unsigned prot;
	uint32_t gfp; /* for table pages */
};

/** A page-table format. The built-in ones are the constants below; there are no others. */
struct iommusim_pgtable_format {
	const char *name;        /* "arm-lpae-s1" */
	const char *kernel_name; /* "arm_64_lpae_s1" */
	const char *source;      /* of the words: manual and section */
	const char *summary;
	uint32_t quirks;                      /* that some kernel accepts */
	unsigned word_bytes;                  /* of one entry */
	const struct isim_pgtable_impl *impl; /* the library's own */
};

extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae_s1;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae_s2;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae32_s1;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae32_s2;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_arm_mali_lpae;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_arm_v7s;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_dart1;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_dart2;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_amd_v1;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_amd_v2;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_vtd_sl;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_vtd_fl;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_riscv_sv39;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_riscv_sv48;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_riscv_sv57;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_riscv_sv39_napot;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_riscv_sv48_napot;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_riscv_sv57_napot;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_exynos_v1;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_exynos_v5;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_rk_v1;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_rk_v2;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_vsi;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_sun50i;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_omap;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_shmobile;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_tegra_smmu;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_s390_zpci;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_linear_sprd;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_linear_mtk1;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_linear_gart_tegra;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_linear_tce;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_linear_gart64;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_linear_sparc64;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_linear_bcm2712;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_lima;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_etnaviv_v1;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_etnaviv_v2;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_v3d;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_a2xx_gpummu;
extern IOMMUSIM_API const struct iommusim_pgtable_format iommusim_pgtable_ipu_mmu;

/** Built-in format number @index, NULL beyond the last. */
IOMMUSIM_API const struct iommusim_pgtable_format *iommusim_pgtable_format_at(size_t index);

/**
 * The built-in format with that name or kernel name, NULL: none. "arm-v7s-mtk" is arm-v7s, which
 * becomes MediaTek's with the quirks ARM_MTK_EXT and NO_PERMS.
 */
IOMMUSIM_API const struct iommusim_pgtable_format *iommusim_pgtable_format_find(const char *name);

/**
 * Where tables live, if not in the library's arena. Sizes are powers of two, at least a CPU page
 * but for v7s, whose second-level tables have 1 KiB; a table's physical address is a multiple of
 * its size.
 */
struct iommusim_table_memory {
	size_t size; /* sizeof(struct iommusim_table_memory), in bytes */
	void *ctx;
	/* Zeroed memory of @bytes bytes: its physical address. 0 or a negative error. @gfp is that
	   of the map; GFP_KERNEL for the first table, GFP_ATOMIC where a block is split. */
	int (*alloc_table)(void *ctx, uint64_t bytes, uint32_t gfp, uint64_t *pa);
	void (*free_table)(void *ctx, uint64_t pa, uint64_t bytes);
	/* The host's pointer to the table at @pa, aligned for its words; valid until it is freed.
	   Asked once for each table. */
	void *(*table_at)(void *ctx, uint64_t pa);
};

/**
 * Linux 6.1 and 6.12 lose the address of a v7s section that is split: its pages lead to physical
 * address 0 and on. FIXED keeps it.
 */
enum iommusim_section_split { IOMMUSIM_SPLIT_AS_LINUX, IOMMUSIM_SPLIT_FIXED };

/** In every field but @size, @format and @pgsizes, zero means "the default". New fields go at the
    end. */
struct iommusim_pgtable_config {
	size_t size; /* sizeof(struct iommusim_pgtable_config), in bytes */
	const struct iommusim_pgtable_format *format;
	unsigned kernel;         /* IOMMUSIM_KERNEL(); default 6.12 */
	unsigned page_shift;     /* 12 .. 16, log2 of the CPU page size in bytes; default 12 */
	uint64_t pgsizes;        /* what the hardware offers, in bytes, one bit each; AMD: they are
	                            the kernel's, for v1 of 6.12 those of a boot option if just
	                            these are named: 4K alone, or 4K, 2M and 1G */
	unsigned ias, oas;       /* bits of input and output addresses, 1 .. 64; default 48 */
	uint32_t quirks;         /* IOMMUSIM_QUIRK_* */
	unsigned is_noncoherent; /* 1: the walker does not snoop the CPU's caches */
	const struct iommusim_table_memory *memory; /* copied; default: the library's arena */
	/* Physical address of the arena's first table: a multiple of 1 MiB up to 2^47; default
	   32 GiB. */
	uint64_t arena_start;
	const struct iommusim_host *host;
	/* Arm long descriptors: 1: the page sizes grow by those of the contiguous hint (16 words of
	   4K or 2M; 128 of 16K, 32 of 32M; 32 of 64K or 512M), and sizes that leave no granule may
	   be runs of the largest granule that has them all: 2M and 1G of 16K. Linux never sets it.
	   */
	unsigned contiguous;
	/* AMD v2 only: 4 or 5 (6.12); default 4. */
	unsigned nr_levels;
	/* VT-d only: 1: leaves snoop the CPU's caches, whatever a device asks for. */
	unsigned force_snoop;
	/* v7s only: what a section that is split leads to. */
	enum iommusim_section_split section_split;
	/* RISC-V of Linux 6.13 only: 1: the unit sets accessed and dirty bits by itself. */
	unsigned hw_dirty;
	/* Tables of one level, and BCM2712: the first address that they map, a multiple of the
	   page; the window has 2^ias bytes from there. Default: that of the format. */
	uint64_t window_start;
};

struct iommusim_pgtable; /* opaque: the tables of one domain */

/** What a configuration came to. Fields that a format does not have are 0. */
struct iommusim_pgtable_info {
	const struct iommusim_pgtable_format *format;
	uint64_t pgsizes;                 /* what is left of the configured ones */
	unsigned ias, oas;                /* as lowered */
	unsigned nr_levels;               /* that a walk of the smallest page reads */
	uint64_t root;                    /* physical address of the first table */
	uint64_t root_bytes, table_bytes; /* memory of the first table, of each other */
	uint64_t nr_tables;               /* now, the first one included */
	/* Register fields; ttbr is vttbr and tcr_sl a field of vtcr for stage 2, ttbr is transtab
	   and mair memattr for Mali. */
	uint64_t ttbr, mair;
	unsigned tcr_ips, tcr_tg, tcr_sh, tcr_orgn, tcr_irgn, tcr_tsz, tcr_sl;
	uint64_t tables_bytes; /* memory of all tables now */
	unsigned nr_roots;     /* first tables: 1, up to 4 for DART */
	uint64_t roots[4];     /* their physical addresses; roots[0] is root */
	uint32_t prrr, nmrr;   /* v7s: registers */
	/* Calls at which Linux would have stopped with BUG(); they changed nothing. */
	uint64_t nr_bugs;
	uint64_t window_start, window_bytes; /* tables of one level, BCM2712: what they map */
};

/**
 * Create the first table. Models alloc_io_pgtable_ops() of the format: the page sizes are narrowed
 * to those of one granule, the address widths lowered to what the format can have. Differs: words
 * are those of Linux 6.1 and 6.12 for earlier versions, too.
 *
 * Returns 0; -IOMMUSIM_EINVAL (logged): Linux refuses the configuration (differs: so is an ias not
 * above the granule, or with v7s below 20, with which Linux has no table at all); -IOMMUSIM_ENOMEM:
 * the table memory has no page; -IOMMUSIM_E2BIG: the config comes from a newer header;
 * -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_pgtable_create(const struct iommusim_pgtable_config *config,
                                         struct iommusim_pgtable **pgtable);

/** Free every table and the handle. NULL is allowed. */
IOMMUSIM_API void iommusim_pgtable_destroy(struct iommusim_pgtable *pgtable);

/**
 * An independent copy in @copy. Its tables are in @memory, which must hold copies of them at the
 * same addresses; NULL where they are in the arena, which is copied with them. Returns 0,
 * -IOMMUSIM_EINVAL (@memory is not what the tables need) or -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_pgtable_fork(const struct iommusim_pgtable *pgtable,
                                       const struct iommusim_table_memory *memory,
                                       struct iommusim_pgtable **copy);

IOMMUSIM_API const char *iommusim_pgtable_error(const struct iommusim_pgtable *pgtable);
IOMMUSIM_API struct iommusim_pgtable_info
iommusim_pgtable_info(const struct iommusim_pgtable *pgtable);

/**
 * One driver call: map pages as map_pages() of the format's driver in Linux 6.1 and 6.12 does.
 * *mapped gets the bytes mapped.
 *
 * Long descriptors, Mali, DART: until the end of the table that holds the leaves; a leaf in the way
 * is an error, a table in the way is freed. v7s: page after page, else the same; with an error
 * *mapped tells what was done before. AMD: page after page; what is in the way is replaced, of a
 * larger page all of it; *mapped as v7s. VT-d: the whole range in the largest pages that fit, which
 * replace what there is, but a page of 4K that is there stays; what a failed call wrote stays
 * though *mapped is 0.
 *
 * Returns 0 with at least one page mapped (none for a count of 0, which AMD v2 refuses);
 * -IOMMUSIM_EINVAL: a page size that is not there, addresses that are no multiple of it (VT-d),
 * neither READ nor WRITE; -IOMMUSIM_ERANGE: beyond ias or oas (AMD and DART: any iova has a
 * meaning), or a table address that no word can hold; -IOMMUSIM_EEXIST: a leaf is there (tables
 * before it that were in the way are gone, with what they mapped, as in Linux); -IOMMUSIM_ENOMEM:
 * no table page (tables that were added on the way stay, as in Linux); -IOMMUSIM_EFAULT: VT-d: the
 * range ends beyond ias; differs: a word is corrupt, a large page of VT-d is in the way and Linux
 * would take its data for a table, or the words of a v7s page would run over the end of their
 * table; -IOMMUSIM_EBUG: Linux would stop with BUG() (AMD v1: addresses that are no multiple of the
 * page size; VT-d before 6.12: a range that wraps), nothing changed; -IOMMUSIM_EHOST: *mapped tells
 * how far it got.
 */
IOMMUSIM_API int iommusim_pgtable_map(struct iommusim_pgtable *pgtable,
                                      const struct iommusim_map_pages *pages, uint64_t *mapped);

/** Who must be told of entries that a walker may have cached. Both members may be NULL. */
struct iommusim_pgtable_flush {
	void *ctx;
	/* @count leaves of @pgsize bytes each are gone. */
	void (*leaves)(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count);
	/* A table that covered @bytes bytes is about to be freed. */
	void (*table)(void *ctx, uint64_t iova, uint64_t bytes);
};

/**
 * One driver call: unmap pages as unmap_pages() of the format's driver in Linux 6.1 and 6.12 does.
 * @flush may be NULL.
 *
 * Long descriptors, Mali, DART: until the end of the table that holds the pages, or a hole; part of
 * a larger leaf splits it, of contiguous words takes their hint. v7s: page after page until one is
 * not there; part of a section splits it (enum iommusim_section_split), part of a supersection only
 * in its first section. AMD: page after page until a table is not there, where a hole in a table of
 * level 0 counts and a larger page goes, and counts, as a whole; no table is freed. VT-d: the
 * range, at least what the entry covers that is found at @iova, with the tables in it.
 *
 * Returns the bytes unmapped: 0 where nothing is mapped (not with VT-d), out of range, for a page
 * size that is not there, where splitting found no table page (what is mapped does not change,
 * though a block may have been split in part), where Linux would stop with BUG() (info.nr_bugs
 * counts, VT-d before 6.12) and, which differs, where it would take a page's data for a table: a
 * range of VT-d that starts or ends in the middle of a large page.
 */
IOMMUSIM_API uint64_t iommusim_pgtable_unmap(struct iommusim_pgtable *pgtable, uint64_t iova,
                                             uint64_t pgsize, uint64_t count,
                                             const struct iommusim_pgtable_flush *flush);

/**
 * The physical address behind @iova, 0: not mapped. Models iova_to_phys(): beyond ias VT-d and AMD
 * v1 have nothing, the others ignore the bits.
 */
IOMMUSIM_API uint64_t iommusim_pgtable_iova_to_phys(const struct iommusim_pgtable *pgtable,
                                                    uint64_t iova);

/** Why a walk ends without a page that may be used. */
enum iommusim_fault_cause {
	IOMMUSIM_FAULT_NONE,
	IOMMUSIM_FAULT_NOT_PRESENT,  /* an empty entry */
	IOMMUSIM_FAULT_TABLE,        /* a word leads to a table that is not there: it is corrupt */
	IOMMUSIM_FAULT_RESERVED,     /* bits that must be 0, or a leaf where there may be none */
	IOMMUSIM_FAULT_ADDRESS_SIZE, /* an address beyond ias, or a page beyond oas */
	IOMMUSIM_FAULT_ACCESS_FLAG,  /* the access flag is clear */
	IOMMUSIM_FAULT_PERMISSION    /* the page is there, but not for that access */
};

/** What a walker reads on its way. */
struct iommusim_pgtable_walk {
	unsigned nr; /* words read, from the first table on */
	struct {
		uint64_t table; /* physical address of the table */
		uint64_t index; /* of the word in it */
		uint64_t word;  /* its value */
		uint64_t size;  /* bytes that the word covers */
		unsigned level; /* of the table */
	} step[IOMMUSIM_MAX_LEVELS];
	/* The leaf, if there is one. */
	unsigned is_mapped;
	uint64_t pa, size; /* bytes: where the whole leaf leads */
	unsigned prot;     /* IOMMUSIM_PROT_*, as far as the word tells */
	unsigned marks;    /* IOMMUSIM_MARK_* */
	/* NOT_PRESENT, TABLE, and what the words themselves are faulty of. */
	enum iommusim_fault_cause cause;
};

/** Walk the tables for @iova, whose range is not checked, up to a word that is empty, faulty or a
    leaf. */
IOMMUSIM_API void iommusim_pgtable_walk(const struct iommusim_pgtable *pgtable, uint64_t iova,
                                        struct iommusim_pgtable_walk *walk);

/** What a device wants to do with an address. */
#define IOMMUSIM_ACCESS_READ    1u
#define IOMMUSIM_ACCESS_WRITE   2u
#define IOMMUSIM_ACCESS_EXECUTE 4u
#define IOMMUSIM_ACCESS_PRIV    8u /* privileged: only such an access may use a PRIV page */

/**
 * Walk the tables for an access of IOMMUSIM_ACCESS_*, as hardware does, and say why it fails. Here
 * the range is checked, unless the format has no range; that of AMD v1 is what the levels that
 * there are now cover. @walk may be NULL. Simplifies: marks are left as they are
 * (iommusim_pgtable_mark()), and so is everything else.
 */
IOMMUSIM_API enum iommusim_fault_cause
iommusim_pgtable_access(const struct iommusim_pgtable *pgtable, uint64_t iova, unsigned access,
                        struct iommusim_pgtable_walk *walk);

/**
 * Do tables of @stage1 work over tables of @stage2, which translate every address that the first
 * hold? 1: yes. Those are the pairs of real hardware: Arm stage 1 (v7s, too) over stage 2, 64-bit
 * descriptors not over 32-bit ones; VT-d first level over second level; AMD v2 over v1; RISC-V over
 * RISC-V of any number of levels. All others do not: 0.
 */
IOMMUSIM_API int iommusim_pgtable_nests(const struct iommusim_pgtable_format *stage1,
                                        const struct iommusim_pgtable_format *stage2);

/** An access through two stages. What stage 1 calls physical is an intermediate address, ipa. */
struct iommusim_nested_walk {
	struct iommusim_pgtable_walk stage1; /* the words that were read */
	struct iommusim_pgtable_walk stage2; /* the last one, of @ipa; nr 0: there was none */
	uint64_t ipa;                        /* of the last byte that stage 2 was asked for */
	unsigned is_table; /* 1: that is a word of stage 1, 0: what @iova leads to */
	unsigned nr_words; /* read in all */
	unsigned stage;    /* that faults, 1 or 2; 0: none does */
	enum iommusim_fault_cause cause;
	/* Where stage 1 allows the access and stage 2 has a page for it. */
	unsigned is_mapped;
	uint64_t pa;   /* of the byte that @iova leads to */
	uint64_t size; /* bytes of the smaller of both pages: these are contiguous around @pa */
	unsigned prot; /* what both grant */
};

/**
 * Walk tables of @stage1 for an access of IOMMUSIM_ACCESS_*, each address in them through @stage2,
 * as hardware does: to read a word of stage 1 its ipa must be readable, then stage 1 must allow the
 * access, then stage 2 must allow it to the ipa that stage 1 leads to. The first of these that
 * fails is the fault. An ipa beyond the ias of stage 2 is ADDRESS_SIZE of stage 2 (Arm calls it a
 * translation fault); a table of stage 1 that is not there is TABLE of stage 1, unless stage 2
 * faults at its ipa. @stage1 keeps its words by ipa, wherever stage 2 says that they are.
 *
 * Models Arm DDI 0487, D8.2 and D8.4 (two stages of translation; S1PTW is stage 2 with is_table);
 * VT-d, 3.8 (nested translation); AMD 48882, 2.2.6 (guest and nested page tables); RISC-V
 * Privileged, 18.5 (two-stage address translation). Simplifies: words of stage 1 are only read, so
 * that read-only pages may hold them (iommusim_pgtable_mark_nested()); memory types do not matter
 * for a walk (Arm's HCR_EL2.PTW is 0); what holds the address of the first table (Intel's PASID
 * entries, AMD's GCR3 table) is not read. Differs: stage 2 of RISC-V has Linux's Sv39, Sv48 or Sv57
 * with the first table and addresses of stage 1, not the two more bits of Sv39x4 and so on.
 *
 * Returns 0 with *walk filled, of which the cause may be a fault; -IOMMUSIM_EINVAL, *walk
 * untouched: these tables do not nest (nor do v7s tables with MediaTek's extension).
 */
IOMMUSIM_API int iommusim_pgtable_access_nested(const struct iommusim_pgtable *stage1,
                                                const struct iommusim_pgtable *stage2,
                                                uint64_t iova, unsigned access,
                                                struct iommusim_nested_walk *walk);

/** A word for a cause: "not present", "permission". */
IOMMUSIM_API const char *iommusim_fault_cause_name(enum iommusim_fault_cause cause);

/**
 * Set IOMMUSIM_MARK_* in the word that a walk of @iova ends at, as hardware does at an access.
 * Returns 0; -IOMMUSIM_EINVAL: nothing is mapped there, or the word cannot have that mark.
 */
IOMMUSIM_API int iommusim_pgtable_mark(struct iommusim_pgtable *pgtable, uint64_t iova,
                                       unsigned marks);

/**
 * The same in a word of @stage1, which is a write to its ipa: stage 2 must allow that. *walk tells
 * of the reads of stage 1 and of that write, not of where the page is; marks of stage 2 stay.
 * Returns 0; -IOMMUSIM_EINVAL: these tables do not nest, or as iommusim_pgtable_mark(), also where
 * stage 1 has a fault that is no clear access flag; -IOMMUSIM_EFAULT: stage 2 faults, *walk tells
 * why. In all these cases nothing changed.
 */
IOMMUSIM_API int iommusim_pgtable_mark_nested(struct iommusim_pgtable *stage1,
                                              const struct iommusim_pgtable *stage2, uint64_t iova,
                                              unsigned marks, struct iommusim_nested_walk *walk);

/** Whoever reads marks: @size bytes from @iova on are one page with @marks, which are not 0. */
typedef void (*iommusim_marks_fn)(void *ctx, uint64_t iova, uint64_t size, unsigned marks);

/** Which marks of which pages. */
struct iommusim_marks_request {
	uint64_t iova, size; /* bytes: every page that has one of them */
	unsigned marks;      /* IOMMUSIM_MARK_* */
	unsigned clear;      /* 1: they are cleared */
};

/**
 * Tell @fn of every page of @request with one of its marks, and clear those if it says so. Models
 * read_and_clear_dirty() of struct iommu_dirty_ops, Linux 6.12, for each format that has such bits.
 * @fn may be NULL. Returns 0; -IOMMUSIM_EINVAL: the format has no such marks, or the range wraps.
 */
IOMMUSIM_API int iommusim_pgtable_read_marks(struct iommusim_pgtable *pgtable,
                                             const struct iommusim_marks_request *request,
                                             iommusim_marks_fn fn, void *ctx);

/** Leaves of one size that go on physically with the same protection. */
struct iommusim_mapped_range {
	uint64_t iova, pa, size, pgsize; /* bytes */
	unsigned prot;
};

/**
 * The first mapped leaves that end above @iova, as one range. Where @iova is inside of a leaf the
 * range starts with it. Returns 1, or 0: there are none.
 */
IOMMUSIM_API int iommusim_pgtable_next(const struct iommusim_pgtable *pgtable, uint64_t iova,
                                       struct iommusim_mapped_range *range);

#ifdef __cplusplus
}
#endif

#endif
