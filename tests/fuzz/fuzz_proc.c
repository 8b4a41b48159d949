/* SPDX-License-Identifier: MIT */
/* Fuzzes /proc/buddyinfo and, behind a 0, /proc/pagetypeinfo. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct iommusim_text text[2];
	struct iommusim_snapshot_texts texts = { .size = sizeof(texts), .buddyinfo = &text[0] };

	fuzz_cut(data, bytes, text, 2);
	texts.pagetypeinfo = text[1].text ? &text[1] : NULL;
	fuzz_texts(&texts, bytes % 2 ? IOMMUSIM_KERNEL(6, 1) : IOMMUSIM_KERNEL(6, 12));
	return 0;
}
