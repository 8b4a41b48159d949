/* SPDX-License-Identifier: MIT */
/**
 * @file kernel.h  Functions pasted from the kernel compile unmodified and run as a policy.
 *
 *	#include <iommusim/kernel.h>
 *	... the text of __iommu_dma_alloc_pages(), or of one of its relatives ...
 *	IOMMUSIM_KERNEL_POLICY(__iommu_dma_alloc_pages)
 *
 * Build it with cc -std=gnu11 -shared -fPIC, -DIOMMUSIM_KERNEL_VERSION=4009 for text of Linux 4.9,
 * and name the shared object where a policy is named; or let "iommusim try FILE.c" do both. What is
 * pasted must bring the functions of its own file with it; those of other files are here.
 *
 * What stands beside the loops in their files the headers have, too. Text that defines it itself
 * needs, compiled by hand, the macro that leaves it out (iommusim try finds that by itself):
 *	IOMMUSIM_KERNEL_OWN_FREE_PAGES      __iommu_dma_free_pages()
 *	IOMMUSIM_KERNEL_OWN_ALLOC_IOVA      iommu_dma_alloc_iova(), __alloc_iova()
 *	IOMMUSIM_KERNEL_OWN_FREE_IOVA       iommu_dma_free_iova(), __free_iova()
 *	IOMMUSIM_KERNEL_OWN_UNMAP           __iommu_dma_unmap()
 *	IOMMUSIM_KERNEL_OWN_DEFERRED_ATTACH iommu_dma_deferred_attach()
 *	IOMMUSIM_KERNEL_OWN_INFO_TO_PROT    dma_info_to_prot()
 *	IOMMUSIM_KERNEL_OWN_ORDER_ARRAY     iommu_order_array[]
 *	IOMMUSIM_KERNEL_OWN_CLEAR_BUFFER    __dma_clear_buffer()
 *	IOMMUSIM_KERNEL_OWN_TYPE_TAKE       ttm_pool_type_take()
 *
 * MAX_ORDER differs between worlds and machines, so that it is a run-time value here. Text before
 * 6.8 that has arrays of that size at file scope, as TTM's, needs a constant for the largest order,
 * 1 to 13: -DIOMMUSIM_KERNEL_LARGEST_ORDER=10, that of kernels with pages of 4K (iommusim try adds
 * it by itself). The policy is for that largest order only (only_order).
 *
 * The names are the kernel's, the code is not: it is written from behaviour. A binary of pasted
 * kernel text, however, is under the kernel's licence, GPL-2.0.
 *
 * Misuse of pages and memory is a finding with the attempt after which it happened
 * (IOMMUSIM_FINDING_*): freed twice, lost, used after it was freed, freed before it was split,
 * freed or split as another order, an array that is too short. Nothing of it crashes the program.
 * Writes beside an array are seen in every world; reads right behind it where the buffer's number
 * of pages has an odd number of bits set, and right before it in the other worlds.
 *
 * Differs from the kernel: pages have no contents; alloc_pages_node() looks at the node of the
 * request; kmalloc() always has memory; an area for contiguous ranges (CMA) is there if the page
 * source has one; one thread at a time.
 * Needs a POSIX host, and gcc or clang with GNU C11.
 */
#ifndef IOMMUSIM_KERNEL_H
#define IOMMUSIM_KERNEL_H

#include "iommusim/kernel/types.h"
#include "iommusim/kernel/run.h"
#include "iommusim/kernel/macros.h"
#include "iommusim/kernel/gfp.h"
#include "iommusim/kernel/mm.h"
#include "iommusim/kernel/slab.h"
#include "iommusim/kernel/list.h"
#include "iommusim/kernel/scatterlist.h"
#include "iommusim/kernel/dma.h"
#include "iommusim/kernel/iommu.h"
#include "iommusim/kernel/families.h"
#include "iommusim/kernel/place.h"
#include "iommusim/kernel/call.h"
#include "iommusim/kernel/policy.h"

#endif
