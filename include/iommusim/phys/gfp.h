/* SPDX-License-Identifier: MIT */
/** @file gfp.h  gfp flags: what a request may do, and which zones and pages serve it. */
#ifndef IOMMUSIM_PHYS_GFP_H
#define IOMMUSIM_PHYS_GFP_H

#include "iommusim/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** gfp flags, the values of Linux 6.1 and 6.12 (include/linux/gfp_types.h). */
#define IOMMUSIM_GFP_BIT_DMA            UINT32_C(0x1)
#define IOMMUSIM_GFP_BIT_HIGHMEM        UINT32_C(0x2)
#define IOMMUSIM_GFP_BIT_DMA32          UINT32_C(0x4)
#define IOMMUSIM_GFP_BIT_MOVABLE        UINT32_C(0x8)
#define IOMMUSIM_GFP_BIT_RECLAIMABLE    UINT32_C(0x10)
#define IOMMUSIM_GFP_BIT_HIGH           UINT32_C(0x20)
#define IOMMUSIM_GFP_BIT_IO             UINT32_C(0x40)
#define IOMMUSIM_GFP_BIT_FS             UINT32_C(0x80)
#define IOMMUSIM_GFP_BIT_ZERO           UINT32_C(0x100)
#define IOMMUSIM_GFP_BIT_ATOMIC         UINT32_C(0x200) /* 6.1 only */
#define IOMMUSIM_GFP_BIT_DIRECT_RECLAIM UINT32_C(0x400)
#define IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM UINT32_C(0x800)
#define IOMMUSIM_GFP_BIT_WRITE          UINT32_C(0x1000)
#define IOMMUSIM_GFP_BIT_NOWARN         UINT32_C(0x2000)
#define IOMMUSIM_GFP_BIT_RETRY_MAYFAIL  UINT32_C(0x4000)
#define IOMMUSIM_GFP_BIT_NOFAIL         UINT32_C(0x8000)
#define IOMMUSIM_GFP_BIT_NORETRY        UINT32_C(0x10000)
#define IOMMUSIM_GFP_BIT_MEMALLOC       UINT32_C(0x20000)
#define IOMMUSIM_GFP_BIT_COMP           UINT32_C(0x40000)
#define IOMMUSIM_GFP_BIT_NOMEMALLOC     UINT32_C(0x80000)
#define IOMMUSIM_GFP_BIT_HARDWALL       UINT32_C(0x100000)
#define IOMMUSIM_GFP_BIT_THISNODE       UINT32_C(0x200000)
#define IOMMUSIM_GFP_BIT_ACCOUNT        UINT32_C(0x400000)
#define IOMMUSIM_GFP_BIT_ZEROTAGS       UINT32_C(0x800000)

#define IOMMUSIM_GFP_RECLAIM     (IOMMUSIM_GFP_BIT_DIRECT_RECLAIM | IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM)
#define IOMMUSIM_GFP_KERNEL      (IOMMUSIM_GFP_RECLAIM | IOMMUSIM_GFP_BIT_IO | IOMMUSIM_GFP_BIT_FS)
#define IOMMUSIM_GFP_USER        (IOMMUSIM_GFP_KERNEL | IOMMUSIM_GFP_BIT_HARDWALL)
#define IOMMUSIM_GFP_HIGHUSER    (IOMMUSIM_GFP_USER | IOMMUSIM_GFP_BIT_HIGHMEM)
#define IOMMUSIM_GFP_NOWAIT_6_1  IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM
#define IOMMUSIM_GFP_NOWAIT_6_12 (IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM | IOMMUSIM_GFP_BIT_NOWARN)
#define IOMMUSIM_GFP_ATOMIC_6_12 (IOMMUSIM_GFP_BIT_HIGH | IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM)
#define IOMMUSIM_GFP_ATOMIC_6_1  (IOMMUSIM_GFP_ATOMIC_6_12 | IOMMUSIM_GFP_BIT_ATOMIC)

/**
 * Print @gfp as trace events do ("GFP_KERNEL|__GFP_ZERO", "none") into @text of @bytes bytes, cut
 * short where it does not fit. Returns the length that it needs, without the final 0. @kernel
 * decides what GFP_ATOMIC and GFP_NOWAIT are. Source: show_gfp_flags(),
 * include/trace/events/mmflags.h.
 */
IOMMUSIM_API size_t iommusim_gfp_format(uint32_t gfp, unsigned kernel, char *text, size_t bytes);

/**
 * Read what iommusim_gfp_format() prints, in any order of names, "0x…" for bits without one.
 * Returns 0, or -IOMMUSIM_EINVAL (an unknown name or no name) with @gfp untouched.
 */
IOMMUSIM_API int iommusim_gfp_parse(const char *text, unsigned kernel, uint32_t *gfp);

#ifdef __cplusplus
}
#endif

#endif
