/* SPDX-License-Identifier: MIT */
/** @file check.h  Finds what is wrong with a chunk policy: small worlds, invariants, shrinking. */
#ifndef IOMMUSIM_CHECK_H
#define IOMMUSIM_CHECK_H

#include "iommusim/base.h"
#include "iommusim/chunk.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The most page frames that a world has. */
#define IOMMUSIM_CHECK_FRAMES 8192u

/**
 * What must hold of a policy, one bit each of a set. The last five concern attempts and places:
 * what is wasteful or unwise, not wrong.
 */
enum iommusim_invariant {
	IOMMUSIM_INVARIANT_KEEPS_PAGES, /* after the buffer is freed all is free as before */
	IOMMUSIM_INVARIANT_RIGHT_COUNT, /* success means exactly what was planned, and enough */
	IOMMUSIM_INVARIANT_LEGAL_FREE, /* frees what is in use, of its order, split before singly */
	IOMMUSIM_INVARIANT_GIVES_UP_CLEANLY, /* a failure gives everything back, and is told as one
	                                      */
	IOMMUSIM_INVARIANT_MAPPABLE,         /* every run starts and ends on the domain's granule */
	IOMMUSIM_INVARIANT_NO_FINDING,       /* the kernel's loop does nothing undefined here */
	IOMMUSIM_INVARIANT_DETERMINISTIC,    /* the same world gives the same attempts and chunks */
	IOMMUSIM_INVARIANT_INDEPENDENT,   /* so does memory elsewhere, and a node that is named */
	IOMMUSIM_INVARIANT_ALIGNED,       /* a chunk lies in the buffer as its largest page needs */
	IOMMUSIM_INVARIANT_NO_VAIN_ORDER, /* no order above the largest is tried */
	IOMMUSIM_INVARIANT_OPPORTUNISTIC, /* full effort only where no smaller order is left; no
	                                     NOFAIL */
	IOMMUSIM_INVARIANT_BOUNDED,       /* attempts: at most pages and orders together, and 2 */
	IOMMUSIM_INVARIANT_LAST_RESORT,   /* nothing is given up without the caller's full effort */
	IOMMUSIM_NR_INVARIANTS
};

/** Its name ("mappable") and its meaning in a line; NULL: none such. */
IOMMUSIM_API const char *iommusim_invariant_name(unsigned invariant);
IOMMUSIM_API const char *iommusim_invariant_text(unsigned invariant);

/** One situation: memory, an IOMMU, a request, and attempts that fail whatever is free. */
struct iommusim_world {
	unsigned page_shift; /* 12 .. 16 */
	unsigned max_order;  /* 0 .. 13, the largest order of the page allocator */
	uint64_t pgsizes;    /* of the domain, bytes; not 0 */
	uint64_t bytes;      /* of the request; 1 .. IOMMUSIM_CHECK_FRAMES pages */
	uint32_t gfp, attrs; /* COMP is taken off where the policy's callers may not pass it */
	uint64_t fail;       /* bit n: attempt n, from 0, fails */
	unsigned nr_frames;  /* 1 .. IOMMUSIM_CHECK_FRAMES, from a multiple of 2^max_order on */
	uint8_t free[IOMMUSIM_CHECK_FRAMES / 8]; /* bit n % 8 of byte n / 8: frame n is free */
};

/** What a policy did in a world. */
struct iommusim_verdict {
	uint32_t broken;   /* one bit per iommusim_invariant that does not hold */
	int result;        /* of the request: 0, -IOMMUSIM_ENOMEM … */
	uint64_t attempts; /* that it made */
	/* What was seen first against each invariant, in words; "" where it holds. */
	char text[IOMMUSIM_NR_INVARIANTS][160];
	uint32_t findings; /* IOMMUSIM_FINDING_* of the first run */
};

/**
 * Run @policy in @world and judge it. Returns 0 with @verdict filled; -IOMMUSIM_EINVAL: a world out
 * of the ranges above, or of another max_order than that which the policy is for (only_order);
 * -IOMMUSIM_EHOST.
 */
IOMMUSIM_API int iommusim_check_world(const struct iommusim_policy *policy,
                                      const struct iommusim_world *world,
                                      const struct iommusim_host *host,
                                      struct iommusim_verdict *verdict);

/** World number @index of the endless list that @seed names: the same on every host. */
IOMMUSIM_API void iommusim_world_generate(uint64_t seed, uint64_t index,
                                          struct iommusim_world *world);

/** Give @world the max_order that @policy is for; it stays as it is where that may be any. */
IOMMUSIM_API void iommusim_world_suit(struct iommusim_world *world,
                                      const struct iommusim_policy *policy);

/**
 * Make @world smaller as long as @invariant stays broken: fewer bytes, frames, orders, page sizes,
 * flags and failures; not orders for a policy that is for one only. Returns the number of worlds
 * tried, or as iommusim_check_world(); -IOMMUSIM_EINVAL also: the invariant holds in @world, or
 * there is no such one.
 */
IOMMUSIM_API int64_t iommusim_world_shrink(const struct iommusim_policy *policy, unsigned invariant,
                                           const struct iommusim_host *host,
                                           struct iommusim_world *world);

/**
 * @world as text that iommusim_world_parse() reads: "page=4K order=10 pgsizes=4K,2M bytes=12288
 * gfp=0xcc0 attrs=0x80 frames=16 free=0-3,8 fail=1". Returns the length that it needs, without the
 * final 0.
 */
IOMMUSIM_API size_t iommusim_world_format(const struct iommusim_world *world, char *text,
                                          size_t bytes);

/**
 * Read fields with blanks or line ends between. Those that are not there have the values of:
 * page=4K order=10 pgsizes=4K bytes=4096 gfp=0xcc0 attrs=0 frames=16 free=0-15, as far as there are
 * frames, and nothing fails. Returns 0 or -IOMMUSIM_EINVAL with *at, unless it is NULL, at the
 * field that is wrong.
 */
IOMMUSIM_API int iommusim_world_parse(const char *text, struct iommusim_world *world,
                                      const char **at);

/**
 * What may be the value of the field that starts at @at: "0 to 13" at "order=99". NULL: a world has
 * no such field.
 */
IOMMUSIM_API const char *iommusim_world_field_text(const char *at);

/** Where two policies part. */
struct iommusim_difference {
	int64_t attempt;   /* the first that differs, from 0; -1: none does, and the result is the
	                      same */
	char text[2][240]; /* what each did then, in words */
};

/**
 * Run two policies in the same world and compare their attempts (order, gfp, frame) and results.
 * Where the loop of one would do something undefined it is ended; the other is the same if it made
 * the same attempts until then, and has findings, too.
 * Returns 0 with @difference filled, or as iommusim_check_world().
 */
IOMMUSIM_API int iommusim_check_difference(const struct iommusim_policy *policy,
                                           const struct iommusim_policy *other,
                                           const struct iommusim_world *world,
                                           const struct iommusim_host *host,
                                           struct iommusim_difference *difference);

/** As iommusim_world_shrink(), as long as the two policies differ in @world. */
IOMMUSIM_API int64_t iommusim_world_shrink_difference(const struct iommusim_policy *policy,
                                                      const struct iommusim_policy *other,
                                                      const struct iommusim_host *host,
                                                      struct iommusim_world *world);

/** Does @world show what is looked for? 1, 0, or a negative error, which ends the search. */
typedef int (*iommusim_shows_fn)(void *ctx, const struct iommusim_world *world);

/**
 * As iommusim_world_shrink(), as long as @shows is 1 for it. Returns the number of worlds tried; or
 * the error of @shows; -IOMMUSIM_EINVAL: it is 0 for @world, or that is out of the ranges above.
 */
IOMMUSIM_API int64_t iommusim_world_shrink_while(iommusim_shows_fn shows, void *ctx,
                                                 struct iommusim_world *world);

/** Every world within small bounds. */
struct iommusim_small_worlds {
	unsigned frames;    /* 1 .. 16: every pattern of free frames */
	unsigned pages;     /* 1 .. 16: every request of 1 .. pages CPU pages */
	unsigned max_order; /* 0 .. 4: and every set of page sizes of orders 0 .. max_order */
	uint32_t attrs;     /* both without and, if not 0, with these */
};

/** How many worlds those are. 0: bounds out of range. */
IOMMUSIM_API uint64_t iommusim_small_worlds_count(const struct iommusim_small_worlds *bounds);

/** World number @index of them, 0 .. count - 1. */
IOMMUSIM_API void iommusim_small_worlds_at(const struct iommusim_small_worlds *bounds,
                                           uint64_t index, struct iommusim_world *world);

#ifdef __cplusplus
}
#endif

#endif
