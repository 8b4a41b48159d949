/* SPDX-License-Identifier: MIT */
/*
 * A page source that follows a script. Orders above the largest fail and use nothing up. A block
 * that is handed out lies at the next multiple of its size, a gap behind the one before.
 */
#include "script.h"

#include <string.h>

#define FIRST_PA UINT64_C(0x100000000)

unsigned max_order_of(unsigned page_shift)
{
	return page_shift == 16 ? 13 : page_shift == 14 ? 11 : 10;
}

/* Is there a block of exactly @order? It is gone then. */
static int take(struct script *script, unsigned order)
{
	if (script->blocks[order] > 0)
		script->blocks[order]--;
	else
		return script->blocks[order] < 0;
	return 1;
}

/* Take the smallest block that is large enough and leave its halves behind. */
static int take_and_split(struct script *script, unsigned order)
{
	unsigned have = order;

	while (have <= script->max_order && !take(script, have))
		have++;
	if (have > script->max_order)
		return 0;
	while (have-- > order)
		if (script->blocks[have] >= 0)
			script->blocks[have]++;
	return 1;
}

static int next_character(struct script *script)
{
	char now = script->pattern[0];

	if (now && script->pattern[1])
		script->pattern++;
	return now == '1';
}

static int is_granted(struct script *script, unsigned order)
{
	if (order > script->max_order)
		return 0;
	if (script->mode == 'P')
		return next_character(script);
	return script->mode == 'B' ? take_and_split(script, order) : take(script, order);
}

static int script_alloc(void *ctx, const struct iommusim_page_request *req,
                        struct iommusim_page_block *block)
{
	struct script *script = ctx;
	uint64_t bytes;

	if (!is_granted(script, req->order))
		return -IOMMUSIM_ENOMEM;
	bytes = UINT64_C(1) << (req->order + script->page_shift);
	script->cursor = (script->cursor + bytes - 1) & ~(bytes - 1);
	*block = (struct iommusim_page_block){ .pfn = script->cursor >> script->page_shift };
	script->cursor += bytes + script->gap;
	return 0;
}

static int script_free(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct script *script = ctx;

	script->nr_freed += UINT64_C(1) << order;
	return 0;
}

static int script_split(void *ctx, iommusim_pfn pfn, unsigned order)
{
	return 0;
}

void script_init(struct script *script, struct record *record, unsigned page_shift)
{
	struct json_object *stub = field(record, "stub"), *arg = item(stub, 1);
	const char *mode = json_object_get_string(item(stub, 0));

	memset(script, 0, sizeof(*script));
	script->mode = mode ? mode[0] : 0;
	script->page_shift = page_shift;
	script->max_order = max_order_of(page_shift);
	script->cursor = FIRST_PA;
	script->gap = item_u64(record, stub, 2) << page_shift;
	if (!script->mode || !strchr("FBP", script->mode))
		differ(record, "the stub has no mode F, B or P");
	else if (script->mode == 'P' && json_object_is_type(arg, json_type_string))
		script->pattern = json_object_get_string(arg);
	else if (script->mode == 'P')
		differ(record, "the stub has no pattern");
	else
		for (unsigned order = 0; order <= script->max_order; order++)
			script->blocks[order] = (int64_t)item_u64(record, arg, order);
}

struct iommusim_page_source script_source(struct script *script)
{
	struct iommusim_page_source source = { .size = sizeof(source),
		                               .ctx = script,
		                               .alloc_pages = script_alloc,
		                               .free_pages = script_free,
		                               .split_page = script_split };

	return source;
}
