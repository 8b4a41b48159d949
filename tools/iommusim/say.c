/* SPDX-License-Identifier: MIT */
/* Messages: one line on stderr each, as "iommusim: lower case, no full stop". */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

/* An argument with a newline in it must not make a message two lines. */
static void one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			*text = '?';
}

int say(const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	one_line(line);
	fprintf(stderr, "iommusim: %s\n", line);
	return EXIT_INPUT;
}

void said_log(void *ctx, const char *line)
{
	struct said *said = ctx;

	if (!said->line[0])
		snprintf(said->line, sizeof(said->line), "%s", line);
}
