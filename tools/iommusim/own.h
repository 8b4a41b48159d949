/* SPDX-License-Identifier: MIT */
/* What a C text defines itself, and what it sizes its arrays by. */
#ifndef OWN_H
#define OWN_H

/*
 * Does the text define @name at file scope: a function with its body, or an object with values in
 * braces? Comments, literals, directives, declarations and calls do not count. Both branches of an
 * #if do.
 */
int text_defines(const char *text, const char *name);

/*
 * Does the text have @name in the brackets of an array at file scope, or of one in a structure,
 * where it must be a constant?
 */
int text_has_array_of(const char *text, const char *name);

#endif
