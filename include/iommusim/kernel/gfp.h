/* SPDX-License-Identifier: MIT */
/**
 * @file gfp.h  gfp flags by their names in the release that IOMMUSIM_KERNEL_VERSION names.
 *
 * The numbers are those of Linux 6.1 and 6.12 throughout, as in the rest of the library; what a
 * release has no name for is not defined, and what no longer means anything is 0.
 */
#ifndef IOMMUSIM_KERNEL_GFP_H
#define IOMMUSIM_KERNEL_GFP_H

#include "iommusim/kernel/types.h"
#include "iommusim/phys/gfp.h"

#define __GFP_DMA            ((gfp_t)IOMMUSIM_GFP_BIT_DMA)
#define __GFP_HIGHMEM        ((gfp_t)IOMMUSIM_GFP_BIT_HIGHMEM)
#define __GFP_DMA32          ((gfp_t)IOMMUSIM_GFP_BIT_DMA32)
#define __GFP_MOVABLE        ((gfp_t)IOMMUSIM_GFP_BIT_MOVABLE)
#define __GFP_RECLAIMABLE    ((gfp_t)IOMMUSIM_GFP_BIT_RECLAIMABLE)
#define __GFP_HIGH           ((gfp_t)IOMMUSIM_GFP_BIT_HIGH)
#define __GFP_IO             ((gfp_t)IOMMUSIM_GFP_BIT_IO)
#define __GFP_FS             ((gfp_t)IOMMUSIM_GFP_BIT_FS)
#define __GFP_ZERO           ((gfp_t)IOMMUSIM_GFP_BIT_ZERO)
#define __GFP_DIRECT_RECLAIM ((gfp_t)IOMMUSIM_GFP_BIT_DIRECT_RECLAIM)
#define __GFP_KSWAPD_RECLAIM ((gfp_t)IOMMUSIM_GFP_BIT_KSWAPD_RECLAIM)
#define __GFP_WRITE          ((gfp_t)IOMMUSIM_GFP_BIT_WRITE)
#define __GFP_NOWARN         ((gfp_t)IOMMUSIM_GFP_BIT_NOWARN)
#define __GFP_NOFAIL         ((gfp_t)IOMMUSIM_GFP_BIT_NOFAIL)
#define __GFP_NORETRY        ((gfp_t)IOMMUSIM_GFP_BIT_NORETRY)
#define __GFP_MEMALLOC       ((gfp_t)IOMMUSIM_GFP_BIT_MEMALLOC)
#define __GFP_COMP           ((gfp_t)IOMMUSIM_GFP_BIT_COMP)
#define __GFP_NOMEMALLOC     ((gfp_t)IOMMUSIM_GFP_BIT_NOMEMALLOC)
#define __GFP_HARDWALL       ((gfp_t)IOMMUSIM_GFP_BIT_HARDWALL)
#define __GFP_THISNODE       ((gfp_t)IOMMUSIM_GFP_BIT_THISNODE)
#define __GFP_ACCOUNT        ((gfp_t)IOMMUSIM_GFP_BIT_ACCOUNT)
#define __GFP_RECLAIM        ((gfp_t)IOMMUSIM_GFP_RECLAIM)

#if IOMMUSIM_KERNEL_VERSION >= 4013
#define __GFP_RETRY_MAYFAIL ((gfp_t)IOMMUSIM_GFP_BIT_RETRY_MAYFAIL)
#else
#define __GFP_REPEAT     ((gfp_t)IOMMUSIM_GFP_BIT_RETRY_MAYFAIL)
#define __GFP_OTHER_NODE ((gfp_t)0)
#endif
#if IOMMUSIM_KERNEL_VERSION < 4015
#define __GFP_COLD    ((gfp_t)0)
#define __GFP_NOTRACK ((gfp_t)0)
#endif
#if IOMMUSIM_KERNEL_VERSION < 4004
#define __GFP_WAIT      __GFP_RECLAIM
#define __GFP_NO_KSWAPD ((gfp_t)0)
#elif IOMMUSIM_KERNEL_VERSION < 6003
#define __GFP_ATOMIC ((gfp_t)IOMMUSIM_GFP_BIT_ATOMIC)
#endif

#define GFP_KERNEL           ((gfp_t)IOMMUSIM_GFP_KERNEL)
#define GFP_USER             ((gfp_t)IOMMUSIM_GFP_USER)
#define GFP_HIGHUSER         ((gfp_t)IOMMUSIM_GFP_HIGHUSER)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_KERNEL_ACCOUNT   (GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_NOIO             __GFP_RECLAIM
#define GFP_NOFS             (__GFP_RECLAIM | __GFP_IO)
#define GFP_DMA              __GFP_DMA
#define GFP_DMA32            __GFP_DMA32
#define GFP_TRANSHUGE_LIGHT \
	((GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#if IOMMUSIM_KERNEL_VERSION >= 4004 && IOMMUSIM_KERNEL_VERSION < 6003
#define GFP_ATOMIC ((gfp_t)IOMMUSIM_GFP_ATOMIC_6_1)
#define GFP_NOWAIT ((gfp_t)IOMMUSIM_GFP_NOWAIT_6_1)
#else
#define GFP_ATOMIC ((gfp_t)IOMMUSIM_GFP_ATOMIC_6_12)
#define GFP_NOWAIT ((gfp_t)IOMMUSIM_GFP_NOWAIT_6_12)
#endif

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

#define gfpflags_normal_context(gfp) gfpflags_allow_blocking(gfp)

#endif
