/* SPDX-License-Identifier: MIT */
/* Fuzzes a kernel log with the report of a failed allocation. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct iommusim_text text = { "log", (const char *)data, bytes };
	struct iommusim_snapshot_texts texts = { .size = sizeof(texts), .splat = &text };

	fuzz_texts(&texts, bytes % 2 ? IOMMUSIM_KERNEL(6, 1) : IOMMUSIM_KERNEL(6, 12));
	return 0;
}
