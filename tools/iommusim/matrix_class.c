/* SPDX-License-Identifier: MIT */
/* What one outcome is to another. */
#include "matrix.h"

const char *class_name(enum matrix_class class)
{
	static const char *const names[NR_CLASSES] = {
		[CLASS_OK] = "ok",
		[CLASS_UNUSED] = "not used",
		[CLASS_REFUSED] = "refused",
		[CLASS_UNSIMULATED] = "not simulated",
		[CLASS_ALIKE] = "both fail",
		[CLASS_SLOWER] = "slower",
		[CLASS_MORE_MEMORY] = "more memory",
		[CLASS_BY_LUCK] = "by luck",
		[CLASS_NO_MEMORY] = "no memory",
		[CLASS_BROKEN] = "broken",
	};

	return names[class];
}

static int fails(const struct outcome *outcome)
{
	return outcome->verdict >= VERDICT_OUT_OF_MEMORY;
}

enum matrix_class matrix_class_of(const struct outcome *base, const struct outcome *outcome)
{
	if (outcome->verdict == VERDICT_REFUSED)
		return CLASS_UNSIMULATED;
	if (outcome->verdict == VERDICT_BROKEN && base->verdict != VERDICT_BROKEN)
		return CLASS_BROKEN;
	if (fails(outcome))
		return fails(base) ? CLASS_ALIKE : CLASS_NO_MEMORY;
	if (fails(base))
		return CLASS_OK;
	if (outcome->verdict == VERDICT_BY_LUCK && base->verdict != VERDICT_BY_LUCK)
		return CLASS_BY_LUCK;
	if (outcome->pages > base->pages)
		return CLASS_MORE_MEMORY;
	if (outcome->tried > base->tried || outcome->leaves > base->leaves ||
	    outcome->vain > base->vain)
		return CLASS_SLOWER;
	return CLASS_OK;
}
