/* SPDX-License-Identifier: MIT */
/** @file attempt.h  What a request went through; requests for many pages; the CPUs' lists. */
#ifndef IOMMUSIM_PHYS_ATTEMPT_H
#define IOMMUSIM_PHYS_ATTEMPT_H

#include "iommusim/phys.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What the last request of a machine went through. Costs of its steps are told as events. Without
 * IOMMUSIM_PHYS_WATERMARKS an attempt is one walk, or two where breaking up pageblocks is put off.
 */
struct iommusim_attempt_report {
	uint64_t nr_reclaimed;   /* frames */
	uint16_t nr_walks;       /* over the zonelist, from the fast path to the end */
	uint16_t nr_compactions; /* rounds of direct compaction, put off or not */
	uint16_t nr_reclaims;    /* rounds of direct reclaim */
	uint8_t is_slow;         /* 1: the fast path was not enough */
	uint8_t wakes_kswapd;    /* 1: kswapd was woken; here it does nothing */
	uint8_t is_oom;          /* 1: Linux would kill a process and try again */
	uint8_t would_loop;      /* 1: Linux would go on without an end; here the request failed */
};

IOMMUSIM_API void iommusim_phys_report(const struct iommusim_phys *phys,
                                       struct iommusim_attempt_report *report);

/**
 * Up to @nr single pages in one go into @pfns, @req->order being 0: those that the first zone with
 * enough above its low mark serves from the per-CPU list; if that is none, one ordinary request.
 * Models alloc_pages_bulk(), mm/page_alloc.c, Linux 6.1 and 6.12; without per-CPU lists it is one
 * ordinary request. There is no event but those of refills and of that request.
 *
 * Returns the number of pages, which may be less than @nr, but is not 0; else as
 * iommusim_phys_alloc().
 */
IOMMUSIM_API int iommusim_phys_alloc_bulk(struct iommusim_phys *phys,
                                          const struct iommusim_page_request *req,
                                          iommusim_pfn *pfns, unsigned nr);

/** Free a block as iommusim_phys_free() does, on @cpu: its per-CPU list takes it. */
IOMMUSIM_API int iommusim_phys_free_on(struct iommusim_phys *phys, iommusim_pfn pfn, unsigned order,
                                       unsigned cpu);

/**
 * Free @nr single pages, in this order, on @cpu. Returns 0; -IOMMUSIM_EINVAL: one of them is not a
 * single page in use, or stands there twice; -IOMMUSIM_EHOST. On error none was freed.
 */
IOMMUSIM_API int iommusim_phys_free_bulk(struct iommusim_phys *phys, const iommusim_pfn *pfns,
                                         unsigned nr, unsigned cpu);

/**
 * Empty all per-CPU lists into the free lists. Returns the number of frames. Models
 * drain_all_pages().
 */
IOMMUSIM_API uint64_t iommusim_phys_drain(struct iommusim_phys *phys);

/**
 * What a worker of Linux does on @cpu about once a second: pending changes go to the counters, and
 * (6.12) lists that are longer than they need be give some back. Models refresh_cpu_vm_stats(),
 * mm/vmstat.c. Returns the number of frames given back, or -IOMMUSIM_EINVAL: no such CPU.
 */
IOMMUSIM_API int iommusim_phys_decay(struct iommusim_phys *phys, unsigned cpu);

#ifdef __cplusplus
}
#endif

#endif
