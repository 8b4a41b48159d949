/* SPDX-License-Identifier: MIT */
/* A world as one line of "name=value" fields, written and read. */
#include "check/world.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/compiler.h"

/* Text being put together: what does not fit is counted, not written. */
struct out {
	char *text;
	size_t bytes, need;
};

static void put(struct out *out, const char *piece)
{
	if (out->need < out->bytes)
		snprintf(out->text + out->need, out->bytes - out->need, "%s", piece);
	out->need += strlen(piece);
}

static void put_number(struct out *out, const char *lead, uint64_t n)
{
	char text[24];

	put(out, lead);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	put(out, text);
}

static void put_hex(struct out *out, const char *lead, uint64_t n)
{
	char text[24];

	put(out, lead);
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)n);
	put(out, text);
}

/* "4K" for 4096: a power of two. */
static void put_size(struct out *out, const char *lead, uint64_t size)
{
	static const char *const units[] = { "", "K", "M", "G", "T", "P", "E" };
	unsigned lg2 = isim_low_bit(size);

	put_number(out, lead, isim_bit(lg2 % 10));
	put(out, units[lg2 / 10]);
}

static void put_sizes(struct out *out, const char *lead, uint64_t sizes)
{
	for (; sizes; sizes &= sizes - 1, lead = ",")
		put_size(out, lead, sizes);
}

/* Runs of frames or of attempts: "0-3,8". */
static void put_runs(struct out *out, const char *lead, unsigned nr,
                     int (*has)(const struct iommusim_world *, unsigned),
                     const struct iommusim_world *world)
{
	for (unsigned at = 0, end; at < nr; at = end) {
		for (end = at; end < nr && has(world, end); end++)
			;
		if (end == at) {
			end++;
			continue;
		}
		put_number(out, lead, at);
		if (end - at > 1)
			put_number(out, "-", end - 1);
		lead = ",";
	}
}

static int fails(const struct iommusim_world *world, unsigned attempt)
{
	return world->fail >> attempt & 1;
}

static int frees(const struct iommusim_world *world, unsigned frame)
{
	return isim_world_is_free(world, frame);
}

size_t iommusim_world_format(const struct iommusim_world *world, char *text, size_t bytes)
{
	struct out out = { text, bytes, 0 };

	if (bytes)
		text[0] = 0;
	put_size(&out, "page=", isim_bit(world->page_shift));
	put_number(&out, " order=", world->max_order);
	put_sizes(&out, " pgsizes=", world->pgsizes);
	put_number(&out, " bytes=", world->bytes);
	put_hex(&out, " gfp=", world->gfp);
	put_hex(&out, " attrs=", world->attrs);
	put_number(&out, " frames=", world->nr_frames);
	put(&out, " free=");
	put_runs(&out, "", world->nr_frames, frees, world);
	if (world->fail) {
		put(&out, " fail=");
		put_runs(&out, "", 64, fails, world);
	}
	return out.need;
}

/* ---- Reading ---- */

/* A number, decimal or with 0x; *text moves behind it. 0: there is none, or it is too large. */
static int take_number(const char **text, uint64_t *n)
{
	static const char digits[] = "0123456789abcdef";
	unsigned base = 10;
	const char *start;

	if ((*text)[0] == '0' && (*text)[1] == 'x') {
		base = 16;
		*text += 2;
	}
	*n = 0;
	for (start = *text; **text; ++*text) {
		const char *digit = strchr(digits, **text);

		if (!digit || (unsigned)(digit - digits) >= base)
			break;
		if (*n > (UINT64_MAX - 15) / base)
			return 0;
		*n = *n * base + (uint64_t)(digit - digits);
	}
	return *text != start;
}

/* A power of two with a unit. */
static int take_size(const char **text, uint64_t *size)
{
	static const char units[] = "KMGTPE";
	const char *unit;
	unsigned lg2;

	if (!take_number(text, size) || !*size || *size & (*size - 1))
		return 0;
	unit = **text ? strchr(units, **text) : NULL;
	if (!unit)
		return 1;
	++*text;
	lg2 = isim_low_bit(*size) + 10 * (unsigned)(unit - units + 1);
	if (lg2 > 63)
		return 0;
	*size = isim_bit(lg2);
	return 1;
}

static int take_sizes(const char **text, uint64_t *sizes)
{
	uint64_t size;

	*sizes = 0;
	do {
		if (!take_size(text, &size))
			return 0;
		*sizes |= size;
	} while (**text == ',' && (*text)++);
	return 1;
}

/* "0-3,8", or nothing: a bit each, below @nr. */
static int take_runs(const char **text, uint64_t nr, uint8_t *bits)
{
	uint64_t first, last;

	memset(bits, 0, (size_t)(nr + 7) / 8);
	if (!**text || **text == ' ')
		return 1;
	do {
		if (!take_number(text, &first))
			return 0;
		last = first;
		if (**text == '-' && (++*text, !take_number(text, &last)))
			return 0;
		if (first > last || last >= nr)
			return 0;
		for (; first <= last; first++)
			bits[first / 8] |= (uint8_t)(1u << first % 8);
	} while (**text == ',' && (*text)++);
	return 1;
}

static int take_fail(const char **text, uint64_t *fail)
{
	uint8_t bits[8];

	*fail = 0;
	if (!take_runs(text, 64, bits))
		return 0;
	for (unsigned i = 0; i < 64; i++)
		*fail |= (uint64_t)(bits[i / 8] >> i % 8 & 1) << i;
	return 1;
}

/* A number up to @most. */
static int take_up_to(const char **text, uint64_t most, uint64_t *n)
{
	return take_number(text, n) && *n <= most;
}

/* The value of the field that @name names. */
static int take_field(const char *name, size_t length, const char **text, struct iommusim_world *w)
{
	uint64_t n = 0;
	int ok = 0;

#define IS(field) (length == strlen(field) && !memcmp(name, field, length))
	if (IS("page") && (ok = take_size(text, &n)))
		w->page_shift = isim_low_bit(n);
	else if (IS("order") && (ok = take_up_to(text, IOMMUSIM_MAX_ORDERS - 1, &n)))
		w->max_order = (unsigned)n;
	else if (IS("pgsizes"))
		ok = take_sizes(text, &w->pgsizes);
	else if (IS("bytes"))
		ok = take_number(text, &w->bytes);
	else if (IS("gfp") && (ok = take_up_to(text, UINT32_MAX, &n)))
		w->gfp = (uint32_t)n;
	else if (IS("attrs") && (ok = take_up_to(text, UINT32_MAX, &n)))
		w->attrs = (uint32_t)n;
	else if (IS("frames") && (ok = take_up_to(text, IOMMUSIM_CHECK_FRAMES, &n)))
		w->nr_frames = (unsigned)n;
	else if (IS("free"))
		ok = take_runs(text, IOMMUSIM_CHECK_FRAMES, w->free);
	else if (IS("fail"))
		ok = take_fail(text, &w->fail);
#undef IS
	return ok;
}

static int has_free_beyond(const struct iommusim_world *w)
{
	for (unsigned i = w->nr_frames; i < IOMMUSIM_CHECK_FRAMES; i++)
		if (isim_world_is_free(w, i))
			return 1;
	return 0;
}

int iommusim_world_parse(const char *text, struct iommusim_world *world, const char **at)
{
	struct iommusim_world w = { .page_shift = 12,
		                    .max_order = 10,
		                    .pgsizes = 4096,
		                    .bytes = 4096,
		                    .gfp = IOMMUSIM_GFP_KERNEL,
		                    .nr_frames = 16,
		                    .free = { 0xff, 0xff } };
	const char *field = text;

	for (;;) {
		size_t length;

		text += strspn(text, " ");
		field = text;
		if (!*text)
			break;
		length = strcspn(text, "= ");
		text += length;
		if (*text != '=' || (++text, !take_field(field, length, &text, &w)) ||
		    (*text && *text != ' '))
			goto wrong;
	}
	if (isim_world_is_valid(&w) && !has_free_beyond(&w)) {
		*world = w;
		return 0;
	}
wrong:
	if (at)
		*at = field;
	return -IOMMUSIM_EINVAL;
}
