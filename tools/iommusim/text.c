/* SPDX-License-Identifier: MIT */
/* Lines for people, broken at blanks; names, arguments and errors as they read them. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "iommusim.h"

#define WIDTH  100
#define NARROW 80

void line_add(struct line *line, const char *fmt, ...)
{
	size_t room = sizeof(line->s) - line->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line->s + line->len, room, fmt, args);
	va_end(args);
	if (n > 0)
		line->len += (size_t)n < room ? (size_t)n : room - 1;
}

size_t utf8_length(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : 0;

	if (*s >= 0xf0 && *s < 0xf5)
		n = 4;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

void print_quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static int is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

struct name_text name_text(const char *name)
{
	struct name_text text = { "" };
	size_t length = strlen(name), room = sizeof(text.s) - 1, at = 0;

	if (length > room) { /* its end tells most */
		name += length - (room - 3);
		at = strlen(strcpy(text.s, "..."));
	}
	while (*name) {
		size_t n = is_control(*name) ? 0 : utf8_length(name);

		memcpy(text.s + at, n ? name : "?", n ? n : 1);
		at += n ? n : 1;
		name += n ? n : 1;
	}
	text.s[at] = 0;
	return text;
}

static void print_within(size_t width, const char *lead, size_t indent, const char *text)
{
	size_t column = (size_t)printf("%-*s", (int)indent, lead);
	int is_first = 1;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (!is_first && column + 1 + word > width) {
			printf("\n%*s", (int)indent, "");
			column = indent;
			is_first = 1;
		}
		printf("%s%.*s", is_first ? "" : " ", (int)word, text);
		column += word + !is_first;
		is_first = 0;
		text += word;
		text += strspn(text, " ");
	}
	putchar('\n');
}

void print_wrapped(const char *lead, size_t indent, const char *text)
{
	print_within(WIDTH, lead, indent, text);
}

void print_narrow(const char *lead, size_t indent, const char *text)
{
	print_within(NARROW, lead, indent, text);
}

void print_argument(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./,:=+@%-";

	if (*text && !text[strspn(text, plain)]) {
		fputs(text, stdout);
		return;
	}
	putchar('\'');
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	putchar('\'');
}

const char *plural(uint64_t nr)
{
	return nr == 1 ? "" : "s";
}

struct error_text error_text(int err)
{
	static const struct {
		int err;
		const char *words;
	} known[] = {
		{ IOMMUSIM_EIO, "an I/O error" },
		{ IOMMUSIM_E2BIG, "too large" },
		{ IOMMUSIM_ENOMEM, "no memory" },
		{ IOMMUSIM_EFAULT, "a bad address" },
		{ IOMMUSIM_EBUSY, "in use" },
		{ IOMMUSIM_EEXIST, "it is there already" },
		{ IOMMUSIM_ENODEV, "no such device" },
		{ IOMMUSIM_EINVAL, "an invalid argument" },
		{ IOMMUSIM_ERANGE, "out of range" },
		{ IOMMUSIM_EREMOTEIO, "an error of the other side" },
		{ IOMMUSIM_EHOST, "the host has no memory" },
		{ IOMMUSIM_EBUG, "what Linux would not survive" },
	};
	struct error_text text;

	snprintf(text.s, sizeof(text.s), "%d (no error that it may return)", err);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (err == -known[i].err)
			snprintf(text.s, sizeof(text.s), "%s (%s)", iommusim_errname(err),
			         known[i].words);
	return text;
}
