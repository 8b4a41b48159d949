/* SPDX-License-Identifier: MIT */
/* Messages: one line on stderr each, as "iommusim: lower case, no full stop". */
#ifndef SAY_H
#define SAY_H

#if defined(__MINGW32__)
#include <stdio.h> /* __MINGW_PRINTF_FORMAT, unless it is an older one */
#endif

#if defined(__MINGW32__) && defined(__MINGW_PRINTF_FORMAT)
#define SAY_PRINTF(fmt, args) __attribute__((format(__MINGW_PRINTF_FORMAT, fmt, args)))
#elif defined(__GNUC__)
#define SAY_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SAY_PRINTF(fmt, args)
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum exit_status {
	EXIT_FINE,
	EXIT_VERDICT, /* a policy that the user named is broken */
	EXIT_INPUT    /* bad usage or input, or the host failed */
};

/* Print the line, whatever bytes the arguments hold. Returns EXIT_INPUT. */
int say(const char *fmt, ...) SAY_PRINTF(1, 2);

/* What the library logged: kept, not printed, since a refusal may be a result. */
struct said {
	char line[512]; /* the first line since it was emptied, "" if there was none */
};

/* An iommusim_log_fn; @ctx is a struct said. */
void said_log(void *ctx, const char *line);

#endif
