/* SPDX-License-Identifier: MIT */
/** @file chunk.h  Chunk policies: which buddy orders are asked for to back one DMA buffer. */
#ifndef IOMMUSIM_CHUNK_H
#define IOMMUSIM_CHUNK_H

#include "iommusim/base.h"
#include "iommusim/phys.h"

#ifdef __cplusplus
extern "C" {
#endif

/** DMA attributes, include/linux/dma-mapping.h, Linux 4.8 and later. */
#define IOMMUSIM_ATTR_WEAK_ORDERING      UINT32_C(0x2)
#define IOMMUSIM_ATTR_WRITE_COMBINE      UINT32_C(0x4)
#define IOMMUSIM_ATTR_NO_KERNEL_MAPPING  UINT32_C(0x10)
#define IOMMUSIM_ATTR_SKIP_CPU_SYNC      UINT32_C(0x20)
#define IOMMUSIM_ATTR_FORCE_CONTIGUOUS   UINT32_C(0x40)
#define IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES UINT32_C(0x80)
#define IOMMUSIM_ATTR_NO_WARN            UINT32_C(0x100)
#define IOMMUSIM_ATTR_PRIVILEGED         UINT32_C(0x200)

/** What a driver asks for, and what a policy may know of the machine. */
struct iommusim_chunk_request {
	uint64_t size;       /* bytes, at least 1 */
	uint64_t pgsizes;    /* the domain's pgsize_bitmap */
	unsigned page_shift; /* log2 of the CPU page size in bytes */
	unsigned max_order;  /* largest order of the page allocator (OMAX) */
	uint32_t gfp;        /* the caller's */
	uint32_t attrs;      /* IOMMUSIM_ATTR_* */
	int node;            /* -1: any */
};

/** What a policy makes of a request before the first page is asked for. */
struct iommusim_chunk_plan {
	uint64_t size;  /* bytes to map, rounded where the policy rounds that early */
	uint64_t count; /* CPU pages to get */
	uint64_t mask;  /* bit n: blocks of order n are useful; 0 where the policy does not look */
};

/** One attempt: a call into the page allocator. */
struct iommusim_attempt {
	iommusim_pfn pfn; /* IOMMUSIM_NO_PFN: it failed */
	uint32_t gfp;
	uint8_t order;
	uint8_t zone;        /* of the block; 0 where it failed */
	uint8_t migratetype; /* of the list the block came from; 0 where it failed */
};

/** A physically contiguous block that a policy chose. */
struct iommusim_chunk {
	iommusim_pfn pfn;
	uint8_t order;
	uint8_t is_split; /* 1: freed page by page; 0: freed as the block it was */
};

/** What a policy did: filled by iommusim_chunk_alloc(), the arrays are its own until _finish(). */
struct iommusim_chunks {
	struct iommusim_chunk_plan plan;
	struct iommusim_chunk *chunk; /* in buffer order */
	size_t nr_chunks;
	struct iommusim_attempt *attempt; /* in the order they were made, on failure too */
	size_t nr_attempts;
	uint64_t nr_pages; /* CPU pages in the chunks */
	uint64_t nr_freed; /* CPU pages given back by a request that failed */
	/* Plain counters by order; attempts beyond the largest order count in the last one. */
	uint64_t nr_tried[IOMMUSIM_MAX_ORDERS + 2], nr_failed[IOMMUSIM_MAX_ORDERS + 2];
	struct iommusim_host host;
	size_t cap_chunks, cap_attempts;
	uint32_t findings; /* IOMMUSIM_FINDING_*: what the kernel's loop does wrong here */
	char told[160];    /* the first finding that a policy put in words, "" if none did */
	/* 1: the buffer is one contiguous range of an area (CMA), which no attempt got and which is
	   given back whole, whatever the chunks say. They are its pieces, in ascending order. */
	unsigned is_contiguous;
	uint64_t nr_ranges; /* contiguous ranges that were asked for */
};

/**
 * What a loop of the kernel does that is undefined or loses pages. It is told, not reproduced: the
 * simulated request goes on, or ends, with every page in one place.
 */
#define IOMMUSIM_FINDING_STALE_BLOCK UINT32_C(0x1) /* goes on with a block that it has freed */
#define IOMMUSIM_FINDING_LEAK        UINT32_C(0x2) /* never gives back some page of a failure */
/* Gives back what lies before its page array. */
#define IOMMUSIM_FINDING_BEFORE_PAGE UINT32_C(0x4)
#define IOMMUSIM_FINDING_BAD_FREE    UINT32_C(0x8)   /* frees what cannot be freed so */
#define IOMMUSIM_FINDING_BAD_SPLIT   UINT32_C(0x10)  /* splits what cannot be split so */
#define IOMMUSIM_FINDING_BAD_PAGE    UINT32_C(0x20)  /* its page array holds what it must not */
#define IOMMUSIM_FINDING_MEMORY      UINT32_C(0x40)  /* touches memory that is not its own */
#define IOMMUSIM_FINDING_WARN        UINT32_C(0x80)  /* WARN_ON() */
#define IOMMUSIM_FINDING_BUG         UINT32_C(0x100) /* BUG_ON() */
#define IOMMUSIM_FINDING_ENDLESS     UINT32_C(0x200) /* does not come to an end */

/* Success, but its way to free counts the pages of the size before it was rounded. */
#define IOMMUSIM_FINDING_LOST_TAIL UINT32_C(0x400)

/** The first of @findings in words, NULL if there is none. */
IOMMUSIM_API const char *iommusim_finding_text(uint32_t findings);

struct iommusim_chunk_run; /* opaque: one request being served */

/**
 * A chunk policy. A policy of your own needs alloc; a name stands in messages; other members may be
 * NULL.
 *
 * plan turns the request into a number of pages; NULL: as Linux 6.4 and later (size rounded up to
 * the smallest page size of the domain, mask of the useful orders).
 *
 * alloc gets plan->count pages with the functions below. It returns 0, or the negative error that
 * made it give up: then everything it had kept is given back, the last page first.
 *
 * FORCE_CONTIGUOUS is arch/arm's to look at (A1 to A4), which then asks for one range in place of
 * its loop. The other built-in policies ignore it: their callers decide before the loop, as
 * iommusim_dma_alloc() does.
 */
struct iommusim_policy {
	size_t size;         /* sizeof(struct iommusim_policy), in bytes */
	const char *name;    /* says where and since when: "dma-iommu-4.7" */
	const char *alias;   /* short id: "P4" */
	const char *kernels; /* releases that behave so: "4.7 to 6.3" */
	const char *source;  /* function, file, commit */
	const char *summary; /* the rule in one line */
	int (*plan)(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
	            struct iommusim_chunk_plan *plan);
	int (*alloc)(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
	             const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run);
	const void *params; /* the policy's own */
	const char *family; /* whose loop it is: "history", "arm", "heap" … */
	const char *quirks; /* what surprises, in words */
	/* 1: a request that fails gives back the block that it got first before the others. */
	unsigned first_back_first;
	/* 1: the loop of arch/arm's DMA layer, which serves other devices than dma-iommu does. */
	unsigned is_arm;
	/* 1: callers may pass COMP, as those of dma_alloc() could before about 6.2; 0: they are
	   refused, or COMP is taken off, before. What iommusim_check_world() passes on. */
	unsigned takes_comp;
	/* The one largest order, 1 .. 13, of the page allocators that it is for, as of code that
	   has it as a constant; 0: it is for any. (No kernel has order 0 alone.) */
	unsigned only_order;
};

/** The built-in policies. The history of the loop behind dma_alloc(), in release order: */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_dma_iommu_4_4;      /* P1 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_dma_iommu_4_5;      /* P2 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_single_pages_patch; /* P3 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_arm_orders_4_6;     /* A4 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_dma_iommu_4_7;      /* P4 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_dma_iommu_5_10;     /* P4b */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_dma_iommu_6_4;      /* P5 */

/** Its older versions in arch/arm, and copies. */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_arm_rfc;        /* A0 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_arm_3_5;        /* A1 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_arm_3_9;        /* A2 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_arm_4_1;        /* A3 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_ipu_camera;     /* N1 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_ipu3_imgu;      /* N2 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_msm_4_4;        /* N3 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_automotive_4_9; /* N4 */
/** Proposed, not merged. */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_large_granule; /* P6 */
/** Other allocators with the same idea. */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_ion_2012;         /* H1 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_ion_pools;        /* H2 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_system_heap_5_11; /* H3a */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_system_heap_6_4;  /* H3b */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_vb2_dma_sg;       /* V1 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_ttm_6_1;          /* T1a */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_ttm_6_12;         /* T1b */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_ttm_6_19;         /* T1c */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_i915_internal;    /* I1 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_i915_single;      /* I1s */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_drm_buddy;        /* G1 */
extern IOMMUSIM_API const struct iommusim_policy iommusim_policy_kgsl;             /* Q1 */

/** Built-in policy number @index: the history first, in release order. NULL beyond the last. */
IOMMUSIM_API const struct iommusim_policy *iommusim_policy_at(size_t index);

/** The policy of dma-iommu in a release, IOMMUSIM_KERNEL(); NULL: before 4.4, which has none. */
IOMMUSIM_API const struct iommusim_policy *iommusim_policy_of_kernel(unsigned kernel);

/** The built-in policy with that name or alias, NULL: none. */
IOMMUSIM_API const struct iommusim_policy *iommusim_policy_find(const char *name);

/**
 * The plan that @policy makes of @req. Returns 0; -IOMMUSIM_EINVAL: size 0 or so large that
 * rounding it overflows, page_shift not 12 .. 16.
 */
IOMMUSIM_API int iommusim_chunk_plan(const struct iommusim_policy *policy,
                                     const struct iommusim_chunk_request *req,
                                     struct iommusim_chunk_plan *plan);

/** Everything one call of iommusim_chunk_alloc() needs. */
struct iommusim_chunk_job {
	const struct iommusim_policy *policy;
	struct iommusim_chunk_request req;
	const struct iommusim_chunk_plan *plan; /* NULL: the policy's own */
	const struct iommusim_page_source *source;
	const struct iommusim_host *host; /* NULL: default */
};

/**
 * Get the pages of one buffer. @chunks is the caller's, uninitialised; after any return
 * iommusim_chunks_finish() frees its arrays (the pages are not freed by that).
 *
 * Returns 0; -IOMMUSIM_ENOMEM: the policy ran out of simulated memory (a result), or its mask was
 * empty; -IOMMUSIM_EBUG: the kernel's loop would go on with a freed block here (COMP pages with
 * policies before 5.10), or it makes attempts without end; -IOMMUSIM_EINVAL: as
 * iommusim_chunk_plan(), or the policy is for another largest order than the request's
 * (only_order), or it returned 0 with another number of pages than planned, or misused one of the
 * calls below, whatever it returned then;
 * -IOMMUSIM_EHOST; or the page source's error. On any error no page is kept; the attempts are, but
 * for EHOST.
 */
IOMMUSIM_API int iommusim_chunk_alloc(const struct iommusim_chunk_job *job,
                                      struct iommusim_chunks *chunks);

/**
 * Give the pages back, the last first, as Linux frees a buffer; a contiguous range as that. Returns
 * 0 or the source's error.
 */
IOMMUSIM_API int iommusim_chunk_free(struct iommusim_chunks *chunks,
                                     const struct iommusim_page_source *source);

/** Free the arrays. Safe on a zeroed struct and twice. */
IOMMUSIM_API void iommusim_chunks_finish(struct iommusim_chunks *chunks);

/* ---- For policies ---- */

/**
 * One attempt at 2^@order pages; it is recorded. Returns 0 and the first frame in @pfn, or
 * -IOMMUSIM_ENOMEM; any other error ends the request: return it. -IOMMUSIM_EBUG: there were more
 * than 64 attempts for each page of the plan and 32 more, which is found as endless.
 * -IOMMUSIM_EINVAL: the last block is neither kept nor dropped, the order is above 63, or the
 * buffer is a contiguous range.
 */
IOMMUSIM_API int iommusim_chunk_try(struct iommusim_chunk_run *run, unsigned order, uint32_t gfp,
                                    iommusim_pfn *pfn);

/** Give the block of the last successful attempt back instead of keeping it. */
IOMMUSIM_API int iommusim_chunk_drop(struct iommusim_chunk_run *run);

/** Keep the block of the last successful attempt: split it into pages and append it. */
IOMMUSIM_API int iommusim_chunk_keep(struct iommusim_chunk_run *run);

/** The same, but it stays one block: freed as it was got. */
IOMMUSIM_API int iommusim_chunk_keep_block(struct iommusim_chunk_run *run);

/**
 * Split the block of the last successful attempt, give back all but its first @count pages, in
 * ascending order, and keep those: as one chunk for each bit of @count, the largest first.
 * -IOMMUSIM_EINVAL: @count is 0 or more than the block has.
 */
IOMMUSIM_API int iommusim_chunk_keep_part(struct iommusim_chunk_run *run, uint64_t count);

/** Note that the kernel's loop would do @finding (IOMMUSIM_FINDING_*) here. */
IOMMUSIM_API void iommusim_chunk_find(struct iommusim_chunk_run *run, uint32_t finding);

/** Try and, on success, keep. */
IOMMUSIM_API int iommusim_chunk_get(struct iommusim_chunk_run *run, unsigned order, uint32_t gfp);

/** Try to split the compound block of the last successful attempt and keep it; -IOMMUSIM_EINVAL:
   the source cannot, the block is still to be kept or dropped. */
IOMMUSIM_API int iommusim_chunk_split_huge(struct iommusim_chunk_run *run);

/**
 * Make one contiguous range of @count pages from an area (CMA), aligned to 2^@align_order pages,
 * the whole buffer, as arch/arm does with FORCE_CONTIGUOUS; the source is given the request's gfp.
 * It is no attempt and is not recorded as one. Its chunks are cut as the bits of @count, the
 * largest first, none above order 13.
 *
 * Returns 0; -IOMMUSIM_ENOMEM: there is no such range, or no area; -IOMMUSIM_EINVAL: @count is 0,
 * or the policy has other pages; -IOMMUSIM_EHOST; or the source's error. -IOMMUSIM_EBUG: there were
 * more requests than 64 for each page of the plan and 32 more, which is found as endless.
 */
IOMMUSIM_API int iommusim_chunk_contiguous(struct iommusim_chunk_run *run, uint64_t count,
                                           unsigned align_order);

/* ---- For policies that keep their own books, as code from a kernel does ---- */

/** As iommusim_chunk_try(), but the block is the policy's until it gives it back or appends it. */
IOMMUSIM_API int iommusim_chunk_take(struct iommusim_chunk_run *run, unsigned order, uint32_t gfp,
                                     iommusim_pfn *pfn);

/** Give back a block that was taken, or a page of one that was split. 0 or the source's error. */
IOMMUSIM_API int iommusim_chunk_give_back(struct iommusim_chunk_run *run, iommusim_pfn pfn,
                                          unsigned order);

/** Split a block that was taken into pages; @is_compound: one got with COMP. 0 or the source's
    error; -IOMMUSIM_EINVAL: a compound block, and the source cannot. */
IOMMUSIM_API int iommusim_chunk_split(struct iommusim_chunk_run *run, iommusim_pfn pfn,
                                      unsigned order, int is_compound);

/**
 * Append what was taken to the buffer's chunks: from now on it is the buffer's. @chunk->order may
 * be less than what was taken, if that was split. 0; -IOMMUSIM_EINVAL: its order is above 13, or no
 * attempt of this request got it; -IOMMUSIM_EHOST: it is still the policy's.
 */
IOMMUSIM_API int iommusim_chunk_append(struct iommusim_chunk_run *run,
                                       const struct iommusim_chunk *chunk);

/** As iommusim_chunk_contiguous(), but the range is the policy's until it gives it back or appends
    it; @pfn is its first frame. */
IOMMUSIM_API int iommusim_chunk_take_contiguous(struct iommusim_chunk_run *run, uint64_t count,
                                                unsigned align_order, iommusim_pfn *pfn);

/** Give back a range that was taken, whole. 0, -IOMMUSIM_EINVAL: there is no area, or the source's
    error. */
IOMMUSIM_API int iommusim_chunk_give_back_contiguous(struct iommusim_chunk_run *run,
                                                     iommusim_pfn pfn, uint64_t count);

/** Make a range that was taken the whole buffer. 0; -IOMMUSIM_EINVAL: @count is 0, the buffer has
    other pages, or the policy holds no such range; -IOMMUSIM_EHOST: after an error it is still the
    policy's. */
IOMMUSIM_API int iommusim_chunk_append_contiguous(struct iommusim_chunk_run *run, iommusim_pfn pfn,
                                                  uint64_t count);

/** As iommusim_chunk_find(), with what happened in words, of which the first are kept. */
IOMMUSIM_API void iommusim_chunk_tell(struct iommusim_chunk_run *run, uint32_t finding,
                                      const char *text);

/** Attempts so far. */
IOMMUSIM_API size_t iommusim_chunk_nr_attempts(const struct iommusim_chunk_run *run);

/* ---- Policies in shared objects ---- */

/** Of the structures below, and of the functions that a policy calls. */
#define IOMMUSIM_POLICY_ABI 1u

/** Which built-in policies a policy is a version of. */
struct iommusim_policy_kin {
	const char *like; /* how their names start: "dma-iommu" */
	unsigned last;    /* the last release that has it, IOMMUSIM_KERNEL() */
};

/**
 * What a shared object with a policy exports, under the name iommusim_exported_policy. The program
 * refuses another ABI, and a policy of another size than its own unless its tail is zero.
 */
struct iommusim_policy_export {
	uint32_t abi;                          /* IOMMUSIM_POLICY_ABI */
	uint32_t policy_bytes;                 /* sizeof(struct iommusim_policy) */
	const struct iommusim_policy *policy;  /* it is copied; the object stays loaded */
	const struct iommusim_policy_kin *kin; /* NULL: of none */
	unsigned kernel;                       /* the release that it is of, 0 without kin */
};

#ifndef IOMMUSIM_POLICY_SYMBOL
#define IOMMUSIM_POLICY_SYMBOL iommusim_exported_policy
#endif

#ifdef _WIN32
#define IOMMUSIM_EXPORTED __declspec(dllexport)
#elif defined(__GNUC__)
#define IOMMUSIM_EXPORTED __attribute__((visibility("default")))
#else
#define IOMMUSIM_EXPORTED
#endif

#ifdef __cplusplus
#define IOMMUSIM_EXTERN_C extern "C"
#else
#define IOMMUSIM_EXTERN_C extern
#endif

/** Once, at file scope: export @name, a struct iommusim_policy, from the shared object. */
#define IOMMUSIM_EXPORT_POLICY(name) IOMMUSIM_EXPORT_POLICY_OF(name, NULL, 0)

/** The same, with the last two members of struct iommusim_policy_export. */
#define IOMMUSIM_EXPORT_POLICY_OF(name, kin, kernel)                                         \
	IOMMUSIM_EXTERN_C IOMMUSIM_EXPORTED const struct iommusim_policy_export              \
		IOMMUSIM_POLICY_SYMBOL;                                                      \
	const struct iommusim_policy_export IOMMUSIM_POLICY_SYMBOL = {                       \
		IOMMUSIM_POLICY_ABI, (uint32_t)sizeof(struct iommusim_policy), &(name), kin, \
		kernel                                                                       \
	}

/* ---- Judging the result against a granule ---- */

/** Whether chunks can be mapped, design of the verdicts. */
enum iommusim_fit {
	IOMMUSIM_FIT_ALWAYS,  /* every chunk starts and ends on the granule */
	IOMMUSIM_FIT_BY_LUCK, /* some do not, but every physically contiguous run does */
	IOMMUSIM_FIT_NOT      /* a run does not start and end on the granule */
};

/** The first chunk or run that is not on the granule. */
struct iommusim_misfit {
	size_t chunk;      /* index of the chunk (by luck), or of the one that starts the run */
	size_t nr_chunks;  /* chunks in the run; 1 where it is a chunk */
	uint64_t pa, size; /* bytes */
};

/** Judge @chunks for mappings of at least @granule bytes (a power of two). @misfit is filled unless
    the result is FIT_ALWAYS. */
IOMMUSIM_API enum iommusim_fit iommusim_chunks_fit(const struct iommusim_chunks *chunks,
                                                   unsigned page_shift, uint64_t granule,
                                                   struct iommusim_misfit *misfit);

#ifdef __cplusplus
}
#endif

#endif
