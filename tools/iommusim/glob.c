/* SPDX-License-Identifier: MIT */
/* Matching with one step back: to the last '*', which then takes one character more. */
#include "glob.h"

#include <stddef.h>

int glob_matches(const char *glob, const char *text)
{
	const char *star = NULL, *taken = text;

	while (*text) {
		if (*glob == '*') {
			star = ++glob;
			taken = text;
		} else if (*glob == '?' || *glob == *text) {
			glob++;
			text++;
		} else if (star) {
			glob = star;
			text = ++taken;
		} else {
			return 0;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}
