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
	const char *text, *at; /* behind what was scanned */
	const char *token;     /* the name or mark that comes next */
	int braces, parentheses;
	int brackets;    /* of arrays, outside of functions and their parameters */
	int in_function; /* the braces are its own, not those of a structure or an initializer */
	char last;       /* the mark, or the name's first letter, before this one */
};

/* Find the next name or mark that counts. Its length; 0: there is none. */
static size_t find_next(struct scan *scan)
{
	for (const char *next; *scan->at; scan->at = next) {
		next = skip(scan->text, scan->at);
		if (next == scan->at && !isspace((unsigned char)*next))
			break;
		next += next == scan->at;
	}
	scan->token = scan->at;
	while (is_of_name(*scan->at))
		scan->at++;
	if (*scan->at && scan->at == scan->token)
		scan->at++;
	return (size_t)(scan->at - scan->token);
}

static int is_outside(const struct scan *scan)
{
	return !scan->braces && !scan->parentheses;
}

static int is_name(const struct scan *scan, const char *name)
{
	size_t length = (size_t)(scan->at - scan->token);

	return length == strlen(name) && !memcmp(scan->token, name, length);
}

/* In an array's brackets, or at the first of them. */
static void count_bracket(struct scan *scan, char mark)
{
	int is_array = !scan->in_function && !scan->parentheses;

	if (mark == '[' && (scan->brackets || is_array))
		scan->brackets++;
	else if (mark == ']' && scan->brackets)
		scan->brackets--;
}

static void open_brace(struct scan *scan)
{
	scan->in_function |= scan->last == ')';
	scan->braces++;
}

/* One at the margin closes all: both branches of an #if may have opened some. */
static void close_brace(struct scan *scan)
{
	int is_at_margin = scan->token == scan->text || scan->token[-1] == '\n';

	scan->braces = is_at_margin ? 0 : scan->braces - 1;
	if (is_at_margin)
		scan->parentheses = scan->brackets = 0;
	if (!scan->braces)
		scan->in_function = 0;
}

/* Go over what was found. */
static void count(struct scan *scan)
{
	char mark = *scan->token;

	if (mark == '(' || mark == ')')
		scan->parentheses += mark == '(' ? 1 : -1;
	else if (mark == '{')
		open_brace(scan);
	else if (mark == '}')
		close_brace(scan);
	else
		count_bracket(scan, mark);
	scan->last = mark;
}

int text_defines(const char *text, const char *name)
{
	struct scan scan = { .text = text, .at = text };
	int is_named = 0; /* what stands at file scope since the last end of something has it */

	for (; find_next(&scan); count(&scan)) {
		if (!is_outside(&scan))
			continue;
		if (is_name(&scan, name))
			is_named = 1;
		else if (*scan.token == ';')
			is_named = 0;
		else if (*scan.token == '{' && is_named)
			return 1;
	}
	return 0;
}

int text_has_array_of(const char *text, const char *name)
{
	struct scan scan = { .text = text, .at = text };

	for (; find_next(&scan); count(&scan))
		if (scan.brackets && is_name(&scan, name))
			return 1;
	return 0;
}
