/* SPDX-License-Identifier: MIT */
/* Sizes, shares and page-size sets. Numbers are unsigned 64-bit throughout; nothing wraps. */
#include "units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "say.h"

static const char *const suffixes[] = { "", "K", "M", "G", "T", "P", "E" };

struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

int slice_is(struct slice slice, const char *text)
{
	return slice.len == strlen(text) && !memcmp(slice.start, text, slice.len);
}

struct slice slice_cut(struct slice *rest, char separator)
{
	struct slice head = *rest;
	const char *found = rest->len ? memchr(rest->start, separator, rest->len) : NULL;

	if (!found) {
		*rest = (struct slice){ rest->start + rest->len, 0 };
		return head;
	}
	head.len = (size_t)(found - head.start);
	rest->start = found + 1;
	rest->len -= head.len + 1;
	return head;
}

const char *read_number(struct slice text, uint64_t *number)
{
	uint64_t n = 0;

	if (!text.len)
		return "is not a number";
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.start[i] - '0');

		if (digit > 9)
			return "is not a number";
		if (n > (UINT64_MAX - digit) / 10)
			return "is above 2^64 - 1";
		n = n * 10 + digit;
	}
	*number = n;
	return NULL;
}

const char *read_address(struct slice text, uint64_t *address)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t n = 0;

	if (text.len < 3 || text.start[0] != '0' || text.start[1] != 'x')
		return read_number(text, address);
	for (size_t i = 2; i < text.len; i++) {
		char c = text.start[i] >= 'A' && text.start[i] <= 'F'
		                 ? (char)(text.start[i] - 'A' + 'a')
		                 : text.start[i];
		const char *digit = memchr(digits, c, 16);

		if (!digit)
			return "is not a number";
		if (n >> 60)
			return "is above 2^64 - 1";
		n = n << 4 | (uint64_t)(digit - digits);
	}
	*address = n;
	return NULL;
}

/* The shift of a suffix such as K or m, 0: it is none. */
static unsigned suffix_shift(char c)
{
	char upper = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;

	for (unsigned i = 1; i < ARRAY_LEN(suffixes); i++)
		if (*suffixes[i] == upper)
			return 10 * i;
	return 0;
}

const char *read_size(struct slice text, uint64_t *bytes)
{
	unsigned shift = text.len ? suffix_shift(text.start[text.len - 1]) : 0;
	uint64_t n;
	const char *wrong;

	if (shift)
		text.len--;
	wrong = read_number(text, &n);
	if (wrong && strstr(wrong, "number"))
		return "is not a size, as 4096, 64K or 4M";
	if (wrong)
		return wrong;
	if (n > UINT64_MAX >> shift)
		return "is above 2^64 - 1 bytes";
	if (!n)
		return "is not at least 1 byte";
	*bytes = n << shift;
	return NULL;
}

const char *read_permille(struct slice text, unsigned *share)
{
	static const char *const wrong = "is not a share in per cent with at most one decimal";
	int has_tenth = text.len && memchr(text.start, '.', text.len);
	uint64_t whole, tenth = 0;
	struct slice head;

	if (text.len && text.start[text.len - 1] == '%')
		text.len--;
	head = slice_cut(&text, '.');
	if (read_number(head, &whole))
		return wrong;
	if (has_tenth && (text.len != 1 || read_number(text, &tenth)))
		return wrong;
	if (whole > 100 || whole * 10 + tenth > 1000)
		return "is above 100 per cent";
	*share = (unsigned)(whole * 10 + tenth);
	return NULL;
}

static int is_power(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* One page size, or all from one to another. */
static const char *read_pgsize(struct slice item, uint64_t *pgsizes)
{
	int is_range = item.len && memchr(item.start, '-', item.len);
	struct slice first = slice_cut(&item, '-');
	uint64_t low, high;
	const char *wrong = read_size(first, &low);

	high = low;
	if (!wrong && is_range)
		wrong = read_size(item, &high);
	if (wrong)
		return wrong;
	if (!is_power(low) || !is_power(high))
		return "is not a power of two";
	if (low > high)
		return "is a range from high to low";
	*pgsizes |= (high | (high - 1)) & ~(low - 1);
	return NULL;
}

const char *read_pgsizes(struct slice *text, uint64_t *pgsizes)
{
	struct slice rest = *text;
	const char *wrong;
	uint64_t all = 0;
	int is_last;

	do {
		is_last = !rest.len || !memchr(rest.start, ',', rest.len);
		*text = slice_cut(&rest, ',');
		wrong = read_pgsize(*text, &all);
	} while (!wrong && !is_last);
	if (!wrong)
		*pgsizes = all;
	return wrong;
}

struct size_text size_exact(uint64_t bytes)
{
	struct size_text text;
	unsigned unit = 0;

	while (bytes && unit + 1 < ARRAY_LEN(suffixes) && !(bytes & 1023)) {
		bytes >>= 10;
		unit++;
	}
	snprintf(text.s, sizeof(text.s), "%" PRIu64 "%s", bytes, suffixes[unit]);
	return text;
}

struct size_text size_about(uint64_t bytes)
{
	struct size_text text = size_exact(bytes);
	unsigned unit = 0;
	uint64_t rest = 0;

	if (strlen(text.s) <= 5)
		return text;
	while (bytes >> (10 * unit) >= 1024)
		unit++;
	rest = bytes & ((UINT64_C(1) << (10 * unit)) - 1);
	bytes = (bytes >> (10 * unit)) * 10;
	rest = ((rest >> (unit > 1 ? 10 * (unit - 1) : 0)) * 10 + 512) >> 10; /* to the nearest */
	bytes += rest;
	snprintf(text.s, sizeof(text.s), "%" PRIu64 ".%" PRIu64 "%s", bytes / 10, bytes % 10,
	         suffixes[unit]);
	return text;
}

uint64_t granule_of(uint64_t pgsizes)
{
	return pgsizes & (~pgsizes + 1);
}

unsigned log2_of(uint64_t power)
{
	unsigned n = 0;

	while (power >>= 1)
		n++;
	return n;
}

/* The last of the powers of two in a row that starts with @low. */
static uint64_t row_end(uint64_t pgsizes, uint64_t low)
{
	while (low << 1 & pgsizes)
		low <<= 1;
	return low;
}

struct pgsizes_text pgsizes_text(uint64_t pgsizes, char separator)
{
	const char between[] = { separator, 0 };
	struct pgsizes_text text = { "" };
	size_t at = 0;

	while (pgsizes) {
		uint64_t low = granule_of(pgsizes);
		uint64_t high = row_end(pgsizes, low);

		if (high < low << 2)
			high = low;
		at += (size_t)snprintf(text.s + at, sizeof(text.s) - at, "%s%s%s%s",
		                       at ? between : "", size_exact(low).s, high > low ? "-" : "",
		                       high > low ? size_exact(high).s : "");
		pgsizes &= ~(high | (high - 1));
	}
	return text;
}
