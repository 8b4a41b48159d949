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

/* What may stand between fields: a text that was broken into lines is the same world. */
#define BLANKS " \t\r\n"

static int is_end(char c)
{
	return !c || strchr(BLANKS, c);
}

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
	if (is_end(**text))
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

/* A number up to @most. */
static int take_up_to(const char **text, uint64_t most, uint64_t *n)
{
	return take_number(text, n) && *n <= most;
}

static int take_word(const char **text, uint32_t *word)
{
	uint64_t n;
	int ok = take_up_to(text, UINT32_MAX, &n);

	*word = ok ? (uint32_t)n : 0;
	return ok;
}

static int take_page(const char **text, struct iommusim_world *w)
{
	uint64_t size;

	if (!take_size(text, &size) || size < isim_bit(12) || size > isim_bit(16))
		return 0;
	w->page_shift = isim_low_bit(size);
	return 1;
}

static int take_order(const char **text, struct iommusim_world *w)
{
	uint64_t n;
	int ok = take_up_to(text, IOMMUSIM_MAX_ORDERS - 1, &n);

	w->max_order = ok ? (unsigned)n : 0;
	return ok;
}

static int take_pgsizes(const char **text, struct iommusim_world *w)
{
	return take_sizes(text, &w->pgsizes);
}

static int take_bytes(const char **text, struct iommusim_world *w)
{
	return take_number(text, &w->bytes) && w->bytes;
}

static int take_gfp(const char **text, struct iommusim_world *w)
{
	return take_word(text, &w->gfp);
}

static int take_attrs(const char **text, struct iommusim_world *w)
{
	return take_word(text, &w->attrs);
}

static int take_frames(const char **text, struct iommusim_world *w)
{
	uint64_t n;
	int ok = take_up_to(text, IOMMUSIM_CHECK_FRAMES, &n);

	w->nr_frames = ok ? (unsigned)n : 0;
	return ok && n;
}

static int take_free(const char **text, struct iommusim_world *w)
{
	return take_runs(text, IOMMUSIM_CHECK_FRAMES, w->free);
}

static int take_fail(const char **text, struct iommusim_world *w)
{
	uint8_t bits[8];

	w->fail = 0;
	if (!take_runs(text, 64, bits))
		return 0;
	for (unsigned i = 0; i < 64; i++)
		w->fail |= (uint64_t)(bits[i / 8] >> i % 8 & 1) << i;
	return 1;
}

enum { PAGE, ORDER, PGSIZES, BYTES, GFP, ATTRS, FRAMES, FREE, FAIL, NR_FIELDS };

static const struct field {
	const char *name;
	int (*take)(const char **text, struct iommusim_world *w);
	const char *allowed;
} fields[NR_FIELDS] = {
	[PAGE] = { "page", take_page, "4K, 8K, 16K, 32K or 64K" },
	[ORDER] = { "order", take_order, "0 to 13" },
	[PGSIZES] = { "pgsizes", take_pgsizes, "one or more powers of two, as 4K,2M" },
	[BYTES] = { "bytes", take_bytes, "1 to 8192 times the page size" },
	[GFP] = { "gfp", take_gfp, "0 to 0xffffffff" },
	[ATTRS] = { "attrs", take_attrs, "0 to 0xffffffff" },
	[FRAMES] = { "frames", take_frames, "1 to 8192" },
	[FREE] = { "free", take_free, "none or some of the frames, from 0 on, as 0-3,8" },
	[FAIL] = { "fail", take_fail, "none or some of the attempts 0 to 63, as 0-3,8" },
};

/* Which field starts at @text; NR_FIELDS: none does. */
static unsigned field_at(const char *text)
{
	size_t length = strcspn(text, "=" BLANKS);

	for (unsigned i = 0; i < NR_FIELDS; i++)
		if (length == strlen(fields[i].name) && !memcmp(text, fields[i].name, length))
			return i;
	return NR_FIELDS;
}

const char *iommusim_world_field_text(const char *at)
{
	unsigned i = field_at(at);

	return i < NR_FIELDS ? fields[i].allowed : NULL;
}

/* Read the field at *text, and move behind it. */
static int take_field(const char **text, struct iommusim_world *w, const char **seen)
{
	unsigned i = field_at(*text);

	if (i == NR_FIELDS || seen[i]) /* none, or twice */
		return 0;
	seen[i] = *text;
	*text += strlen(fields[i].name);
	if (**text != '=')
		return 0;
	++*text;
	return fields[i].take(text, w) && is_end(**text);
}

/* The field of @seen that the others do not allow; NULL: they fit together. */
static const char *misfit(const struct iommusim_world *w, const char *const *seen)
{
	if (w->bytes > (uint64_t)IOMMUSIM_CHECK_FRAMES << w->page_shift)
		return seen[BYTES];
	for (unsigned i = w->nr_frames; i < IOMMUSIM_CHECK_FRAMES; i++)
		if (isim_world_is_free(w, i))
			return seen[FREE];
	return NULL;
}

static int wrong(const char *field, const char **at)
{
	if (at)
		*at = field;
	return -IOMMUSIM_EINVAL;
}

int iommusim_world_parse(const char *text, struct iommusim_world *world, const char **at)
{
	struct iommusim_world w = { .page_shift = 12,
		                    .max_order = 10,
		                    .pgsizes = 4096,
		                    .bytes = 4096,
		                    .gfp = IOMMUSIM_GFP_KERNEL,
		                    .nr_frames = 16 };
	const char *seen[NR_FIELDS] = { NULL }, *field;

	for (text += strspn(text, BLANKS); *text; text += strspn(text, BLANKS)) {
		field = text;
		if (!take_field(&text, &w, seen))
			return wrong(field, at);
	}
	for (unsigned i = 0; !seen[FREE] && i < 16 && i < w.nr_frames; i++)
		isim_world_set_free(&w, i, 1);
	field = misfit(&w, seen);
	if (field)
		return wrong(field, at);
	*world = w;
	return 0;
}
