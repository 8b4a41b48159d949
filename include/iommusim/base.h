/* SPDX-License-Identifier: MIT */
/** @file base.h  What every room shares: errors, the host's services, events, kernel versions. */
#ifndef IOMMUSIM_BASE_H
#define IOMMUSIM_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(IOMMUSIM_BUILDING)
#define IOMMUSIM_API __declspec(dllexport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define IOMMUSIM_API __attribute__((visibility("default")))
#else
#define IOMMUSIM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** A page frame number: physical address divided by the CPU page size. */
typedef uint64_t iommusim_pfn;

/** No page frame: a failed attempt. */
#define IOMMUSIM_NO_PFN UINT64_MAX

/**
 * Errors are returned negated. The numbers are Linux's on every host; the last two are beyond
 * Linux's range, so that a result of the simulation is never mistaken for a failure of the host.
 */
enum iommusim_errno {
	IOMMUSIM_EIO = 5,
	IOMMUSIM_E2BIG = 7,
	IOMMUSIM_ENOMEM = 12, /* the simulated memory, or the IOVA space, ran out */
	IOMMUSIM_EFAULT = 14,
	IOMMUSIM_EBUSY = 16,
	IOMMUSIM_EEXIST = 17,
	IOMMUSIM_ENODEV = 19,
	IOMMUSIM_EINVAL = 22,
	IOMMUSIM_ERANGE = 34,
	IOMMUSIM_EREMOTEIO = 121,
	IOMMUSIM_EHOST = 4096, /* the host has no memory */
	IOMMUSIM_EBUG = 4097   /* Linux would stop here with BUG(), or use freed memory */
};

/** The name of @err (either sign), as "ENOMEM"; "OK" for 0, "E?" for what is not an error of ours.
 */
IOMMUSIM_API const char *iommusim_errname(int err);

/**
 * A Linux release as one number that compares in release order: IOMMUSIM_KERNEL(6, 12).
 * In a config struct 0 means the default, 6.12. Versions before 4.4 are refused. A release means
 * the stable tree that was read: 6.1 is 6.1.192, 6.12 is 6.12.117.
 */
#define IOMMUSIM_KERNEL(major, minor) ((unsigned)(major)*1000u + (unsigned)(minor))

/** One line of text about what went wrong, without a newline. */
typedef void (*iommusim_log_fn)(void *ctx, const char *line);

/** What happened. Fields that a kind does not name are 0. */
enum iommusim_event_kind {
	IOMMUSIM_EVENT_PAGE_ALLOC = 1, /* order gfp migratetype zone pfn(NO_PFN: failed) result
	                                  nr_scanned(blocks cut in half for it) */
	IOMMUSIM_EVENT_PAGE_FREE,      /* order zone pfn(the first of them) nr_pages */
	IOMMUSIM_EVENT_FALLBACK,       /* order other_order migratetype other_type flag zone pfn */
	IOMMUSIM_EVENT_ATTEMPT,    /* order gfp pfn result: a chunk policy asked its page source */
	IOMMUSIM_EVENT_IOVA_ALLOC, /* iova(0: failed) size result */
	IOMMUSIM_EVENT_IOVA_FREE,  /* iova size */
	IOMMUSIM_EVENT_MAP,        /* iova pa size result: one physically contiguous run */
	IOMMUSIM_EVENT_UNMAP,      /* iova size, pa: bytes really unmapped */
	IOMMUSIM_EVENT_IOTLB_SYNC, /* iova: first byte, size: bytes, pa: page size of the entries */
	IOMMUSIM_EVENT_COMPACT,    /* order migratetype zone flag(enum iommusim_compact_result)
	                              nr_scanned nr_pages(moved): one zone */
	IOMMUSIM_EVENT_RECLAIM,    /* zone flag(enum iommusim_page_kind) nr_scanned nr_pages(taken):
	                              one kind of one zone; nr_scanned is told with the first */
	IOMMUSIM_EVENT_FREELIST,   /* order gfp flag(mark: 0 min, 1 low, 2 high) result nr_scanned:
	                              one walk over the zonelist, and the zones that it looked at */
	IOMMUSIM_EVENT_SLOW,       /* order gfp: an attempt leaves the fast path */
	IOMMUSIM_EVENT_KSWAPD,     /* order zone: kswapd is woken */
	IOMMUSIM_EVENT_PCP_REFILL, /* order migratetype zone nr_pages */
	IOMMUSIM_EVENT_PCP_DRAIN,  /* zone nr_pages */
	IOMMUSIM_EVENT_PAGE_SPLIT, /* order zone pfn nr_pages */
	IOMMUSIM_EVENT_OOM,        /* order gfp: Linux would kill a process now */
	IOMMUSIM_EVENT_IOTLB_FLUSH_ALL, /* every entry of the domain */
	IOMMUSIM_EVENT_BOUNCE, /* pa: the memory, iova: the bounce buffer for it, size, result */
	IOMMUSIM_EVENT_ADDRESS_LOST /* iova size: a v7s section was split as Linux does it: what is
	                               left of it leads to physical address 0 and on */
};

/**
 * One event, told once per public call or allocation attempt, never per page. In a FALLBACK event
 * other_order is the order of the block that was found, other_type the list it was found on, and
 * flag is 1 if its pageblock now has the type that was asked for (mm_page_alloc_extfrag's
 * change_ownership).
 */
struct iommusim_event {
	enum iommusim_event_kind kind;
	int result; /* 0 or a negative error */
	uint32_t gfp;
	uint8_t order, other_order, migratetype, other_type;
	uint8_t zone, flag;
	iommusim_pfn pfn;
	uint64_t iova, pa, size; /* bytes */
	uint64_t nr_scanned, nr_pages;
};

typedef void (*iommusim_event_fn)(void *ctx, const struct iommusim_event *event);

/**
 * What the embedder provides. Any member may be NULL (its default), and so may a pointer to the
 * whole struct; but zalloc and free go together. It is copied into each handle that is created with
 * it; a fork inherits it.
 */
struct iommusim_host {
	size_t size;                              /* sizeof(struct iommusim_host), in bytes */
	void *(*zalloc)(void *ctx, size_t bytes); /* zeroed memory, or NULL; default: calloc() */
	void (*free)(void *ctx, void *ptr);       /* default: free(); NULL is never passed */
	void *memory_ctx;
	iommusim_log_fn log; /* default: silent */
	void *log_ctx;
	iommusim_event_fn event; /* default: none */
	void *event_ctx;
};

/** Fault injection: counts the allocations of a host and makes one of them fail. */
struct iommusim_fault {
	uint64_t nr_allocs; /* calls of zalloc so far */
	uint64_t fail_at;   /* the call with this number, from 1, returns NULL; 0: none does */
	uint64_t nr_live;   /* blocks not freed yet */
};

/**
 * A host with the default services whose @fault->fail_at-th allocation fails. @fault is the
 * caller's and must outlive every handle created with the result.
 */
IOMMUSIM_API struct iommusim_host iommusim_host_failing(struct iommusim_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
