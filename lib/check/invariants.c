/* SPDX-License-Identifier: MIT */
/* What the invariants are called, and what they mean. */
#include "iommusim/check.h"

static const struct invariant {
	const char *name, *text;
} invariants[IOMMUSIM_NR_INVARIANTS] = {
	[IOMMUSIM_INVARIANT_KEEPS_PAGES] = { "keeps-pages", "no page is lost: once the buffer is "
	                                                    "freed all is free as before" },
	[IOMMUSIM_INVARIANT_RIGHT_COUNT] = { "right-count",
	                                     "success means exactly the pages that were planned, "
	                                     "and enough of them" },
	[IOMMUSIM_INVARIANT_LEGAL_FREE] = { "legal-free",
	                                    "only what is in use is freed, as the "
	                                    "block it is, split before page by page" },
	[IOMMUSIM_INVARIANT_GIVES_UP_CLEANLY] = { "gives-up-cleanly",
	                                          "a failure gives everything back and is told" },
	[IOMMUSIM_INVARIANT_MAPPABLE] = { "mappable", "every contiguous run starts and ends on the "
	                                              "domain's granule" },
	[IOMMUSIM_INVARIANT_NO_FINDING] = { "no-finding",
	                                    "the kernel's loop does nothing undefined" },
	[IOMMUSIM_INVARIANT_DETERMINISTIC] = { "deterministic",
	                                       "the same world gives the same attempts" },
	[IOMMUSIM_INVARIANT_INDEPENDENT] = { "independent", "so does memory that starts elsewhere, "
	                                                    "and a node that is named" },
	[IOMMUSIM_INVARIANT_ALIGNED] = { "aligned",
	                                 "a chunk's offset in the buffer suits the largest "
	                                 "page that could map it" },
	[IOMMUSIM_INVARIANT_NO_VAIN_ORDER] = { "no-vain-order",
	                                       "no order above the largest is tried" },
	[IOMMUSIM_INVARIANT_OPPORTUNISTIC] = { "opportunistic",
	                                       "where a smaller order is left an attempt says "
	                                       "NORETRY, or reclaims nothing; NOFAIL is the "
	                                       "caller's alone" },
	[IOMMUSIM_INVARIANT_BOUNDED] = { "bounded", "at most as many attempts as pages and orders "
	                                            "together, and 2 more" },
	[IOMMUSIM_INVARIANT_LAST_RESORT] = { "last-resort",
	                                     "where the caller may block and says no NORETRY, it "
	                                     "gives up only when the last order failed with the "
	                                     "full effort" },
};

const char *iommusim_invariant_name(unsigned invariant)
{
	return invariant < IOMMUSIM_NR_INVARIANTS ? invariants[invariant].name : NULL;
}

const char *iommusim_invariant_text(unsigned invariant)
{
	return invariant < IOMMUSIM_NR_INVARIANTS ? invariants[invariant].text : NULL;
}
