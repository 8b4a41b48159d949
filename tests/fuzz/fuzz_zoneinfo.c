/* SPDX-License-Identifier: MIT */
/* Fuzzes /proc/zoneinfo, behind the buddyinfo of the same machine; and, at the end, its
 * pagetypeinfo. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct iommusim_text text[3];
	struct iommusim_snapshot_texts texts = { .size = sizeof(texts),
		                                 .buddyinfo = &text[0],
		                                 .zoneinfo = &text[1] };

	fuzz_cut(data, bytes, text, 3);
	texts.pagetypeinfo = text[2].text ? &text[2] : NULL;
	fuzz_texts(&texts, bytes % 2 ? IOMMUSIM_KERNEL(6, 1) : IOMMUSIM_KERNEL(6, 12));
	return 0;
}
