/* SPDX-License-Identifier: MIT */
/* A scanner that knows as much of C as tells a definition from a mention. */
#include "own.h"

#include <ctype.h>
#include <string.h>

static int is_of_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Behind the line, and those that it goes on in. */
static const char *skip_directive(const char *at)
{
	while (*at && *at != '\n')
		at += at[0] == '\\' && at[1] ? 2 : 1;
	return at;
}

static const char *skip_comment(const char *at)
{
	const char *end = at[1] == '*' ? strstr(at + 2, "*/") : NULL;

	if (at[1] == '/')
		return skip_directive(at);
	return end ? end + 2 : at + strlen(at);
}

static const char *skip_literal(const char *at)
{
	char quote = *at++;

	while (*at && *at != quote)
		at += at[0] == '\\' && at[1] ? 2 : 1;
	return *at ? at + 1 : at;
}

static int is_first_of_line(const char *text, const char *at)
{
	while (at > text && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	return at == text || at[-1] == '\n';
}

/* Behind what @at starts and does not count; @at: it counts. */
static const char *skip(const char *text, const char *at)
{
	if (*at == '/' && (at[1] == '*' || at[1] == '/'))
		return skip_comment(at);
	if (*at == '"' || *at == '\'')
		return skip_literal(at);
	return *at == '#' && is_first_of_line(text, at) ? skip_directive(at) : at;
}

/* Where in the text one is. */
struct scan {
	int braces, parentheses;
	int is_named; /* what stands at file scope since the last end of something has the name */
};

/* Take one mark. True if a body starts, of what has the name. */
static int take_mark(struct scan *scan, char mark, int is_at_margin)
{
	int is_outside = !scan->braces && !scan->parentheses;

	if (mark == '{' && is_outside && scan->is_named)
		return 1;
	if (mark == '(' || mark == ')')
		scan->parentheses += mark == '(' ? 1 : -1;
	else if (mark == '{')
		scan->braces++;
	else if (mark == '}')
		scan->braces = is_at_margin ? 0 : scan->braces - 1; /* both branches of an #if */
	if (mark == '}' && is_at_margin)
		scan->parentheses = 0;
	if (is_outside && mark == ';')
		scan->is_named = 0;
	return 0;
}

int text_defines(const char *text, const char *name)
{
	struct scan scan = { 0 };
	size_t length = strlen(name);

	for (const char *at = text; *at;) {
		const char *next = skip(text, at);

		if (next == at && is_of_name(*at)) {
			while (is_of_name(*next))
				next++;
			if (!scan.braces && !scan.parentheses && (size_t)(next - at) == length &&
			    !memcmp(at, name, length))
				scan.is_named = 1;
		} else if (next == at) {
			if (take_mark(&scan, *at, at == text || at[-1] == '\n'))
				return 1;
			next++;
		}
		at = next;
	}
	return 0;
}
