/* SPDX-License-Identifier: MIT */
/*
 * Text of a kernel: a line is taken word by word, and whatever is not as the kernel prints it is
 * worded with the file, the line, the field and the value.
 */
#include "phys/text.h"

#include <stdio.h>
#include <string.h>

#include "phys/zone.h"

int isim_text_is(struct isim_word w, const char *text)
{
	return w.length == strlen(text) && !memcmp(w.text, text, w.length);
}

int isim_text_starts(struct isim_word w, const char *text)
{
	return w.length >= strlen(text) && !memcmp(w.text, text, strlen(text));
}

struct isim_word isim_text_word(struct isim_reader *r)
{
	struct isim_word w;

	while (r->line.length && (*r->line.text == ' ' || *r->line.text == '\t')) {
		r->line.text++;
		r->line.length--;
	}
	w.text = r->line.text;
	for (w.length = 0; w.length < r->line.length; w.length++)
		if (w.text[w.length] == ' ' || w.text[w.length] == '\t')
			break;
	r->line.text += w.length;
	r->line.length -= w.length;
	return w;
}

struct isim_word isim_text_behind(struct isim_word in, const char *text)
{
	size_t length = strlen(text);

	for (; in.length >= length; in.text++, in.length--)
		if (!memcmp(in.text, text, length))
			return (struct isim_word){ in.text + length, in.length - length };
	return (struct isim_word){ NULL, 0 };
}

void isim_text_copy(char *to, size_t bytes, struct isim_word from)
{
	size_t n = from.length < bytes - 1 ? from.length : bytes - 1;

	for (size_t i = 0; i < n; i++) {
		to[i] = from.text[i];
		if ((unsigned char)to[i] < ' ' || (unsigned char)to[i] > '~')
			to[i] = '?';
	}
	to[n] = 0;
}

int isim_text_take_end(struct isim_word *w, char c)
{
	if (!w->length || w->text[w->length - 1] != c)
		return 0;
	w->length--;
	return 1;
}

int isim_text_next_line(struct isim_reader *r)
{
	const char *end;

	if (!r->rest.length)
		return 0;
	end = memchr(r->rest.text, '\n', r->rest.length);
	r->line.text = r->rest.text;
	r->line.length = end ? (size_t)(end - r->rest.text) : r->rest.length;
	r->rest.text += r->line.length + (end != NULL);
	r->rest.length -= r->line.length + (end != NULL);
	if (r->line.length && r->line.text[r->line.length - 1] == '\r')
		r->line.length--;
	r->nr++;
	return 1;
}

int isim_text_bad(const struct isim_reader *r, const char *field, struct isim_word value,
                  const char *why)
{
	char shown[41];

	isim_text_copy(shown, sizeof(shown), value);
	return isim_complain(r->host, IOMMUSIM_EINVAL, "%s:%u: %s: '%s' %s", r->name, r->nr, field,
	                     shown, why);
}

int isim_text_end(struct isim_reader *r, const char *field)
{
	struct isim_word w = isim_text_word(r);

	return w.length ? isim_text_bad(r, field, w, "is one word too many") : 0;
}

int isim_text_number(struct isim_word w, uint64_t max, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < w.length; i++) {
		uint64_t digit = (uint64_t)(w.text[i] - '0');

		if (w.text[i] < '0' || w.text[i] > '9' || *value > (max - digit) / 10)
			return 0;
		*value = *value * 10 + digit;
	}
	return w.length != 0;
}

static int is_text(unsigned char c, int any_language)
{
	if (c >= 0x80)
		return any_language;
	return c >= ' ' ? c != 0x7f : c == '\n' || c == '\t' || c == '\r';
}

int isim_text_open(struct isim_reader *r, const struct iommusim_host *host,
                   const struct iommusim_text *text, int any_language)
{
	unsigned line = 1;

	memset(r, 0, sizeof(*r));
	r->host = host;
	r->name = text->name ? text->name : "input";
	r->rest.text = text->text;
	r->rest.length = text->bytes;
	if (!text->bytes)
		return isim_complain(host, IOMMUSIM_EINVAL, "%s: the file is empty", r->name);
	for (size_t i = 0; i < text->bytes; i++) {
		unsigned char c = (unsigned char)text->text[i];

		line += c == '\n';
		if (!is_text(c, any_language))
			return isim_complain(host, IOMMUSIM_EINVAL,
			                     "%s:%u: byte %lu: 0x%02x is not text", r->name, line,
			                     (unsigned long)i, c);
	}
	return 0;
}

int isim_text_find(struct isim_word w, const char *(*name_of)(unsigned))
{
	for (unsigned i = 0; name_of(i); i++)
		if (isim_text_is(w, name_of(i)))
			return (int)i;
	return -1;
}

struct isim_field isim_text_zone_field(unsigned node, unsigned zone)
{
	struct isim_field field;

	snprintf(field.s, sizeof(field.s), "node %u, zone %s", node, iommusim_zone_name(zone));
	return field;
}

int isim_text_zone(struct isim_reader *r, struct isim_zone_name *name)
{
	struct isim_word w = isim_text_word(r);
	uint64_t nr;
	int kind;

	if (!isim_text_is(w, "Node"))
		return isim_text_bad(r, "line", w, "is not 'Node'");
	w = isim_text_word(r);
	if (!isim_text_take_end(&w, ','))
		return isim_text_bad(r, "node", w, "has no comma behind it");
	if (!isim_text_number(w, ISIM_MAX_NODES - 1, &nr))
		return isim_text_bad(r, "node", w, "is not a node number below 64");
	name->node = (unsigned)nr;
	w = isim_text_word(r);
	if (!isim_text_is(w, "zone"))
		return isim_text_bad(r, "line", w, "is not 'zone'");
	w = isim_text_word(r);
	name->comma = isim_text_take_end(&w, ',');
	kind = isim_text_find(w, iommusim_zone_name);
	if (kind < 0)
		return isim_text_bad(r, "zone", w, "is not the name of a zone");
	name->zone = (unsigned)kind;
	name->field = isim_text_zone_field(name->node, name->zone);
	return 0;
}
