/* SPDX-License-Identifier: MIT */
/* Names with wildcards: '*' is any text, '?' any character. */
#ifndef GLOB_H
#define GLOB_H

int glob_matches(const char *glob, const char *text);

#endif
