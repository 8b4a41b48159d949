/* SPDX-License-Identifier: MIT */
/* What check found, as a file of CMocka tests: one for each policy and invariant that it breaks. */
#include "check_print.h"

#include <stdio.h>
#include <string.h>
#include "object.h"
#include "options.h"

#define NAME_BYTES  40 /* of a policy in a test's name: with the rest C tells 63 apart */
#define PIECE_WIDTH 60 /* of a world's text on a line */

struct identifier {
	char s[NAME_BYTES + 16];
};

static int is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A name as the start of a C identifier. */
static struct identifier identifier_of(const char *name)
{
	struct identifier id = { "" };
	size_t at = 0;

	if (!is_letter(*name))
		at = strlen(strcpy(id.s, "policy_"));
	for (; *name && at < NAME_BYTES - 1; name++)
		id.s[at++] = is_letter(*name) || is_digit(*name) ? *name : '_';
	return id;
}

static int is_taken(const struct identifier *ids, unsigned nr, const struct identifier *id)
{
	for (unsigned i = 0; i < nr; i++)
		if (!strcmp(ids[i].s, id->s))
			return 1;
	return 0;
}

/* Other policies may have the same name, or one that differs in odd characters only. */
static void name_policies(const struct checked *checked, unsigned nr, struct identifier *ids)
{
	for (unsigned i = 0; i < nr; i++) {
		struct identifier base = identifier_of(checked[i].policy->name);

		ids[i] = base;
		for (unsigned n = 2; is_taken(ids, i, &ids[i]); n++)
			snprintf(ids[i].s, sizeof(ids[i].s), "%.*s_%u", NAME_BYTES, base.s, n);
	}
}

/* "no-vain-order" as in a name, or in that of its constant. */
static void print_invariant(unsigned invariant, int is_constant)
{
	for (const char *c = iommusim_invariant_name(invariant); *c; c++)
		putchar(!is_letter(*c) ? '_' : is_constant ? *c - 'a' + 'A' : *c);
}

static void print_test_name(const struct identifier *id, unsigned invariant)
{
	printf("%s_is_", id->s);
	print_invariant(invariant, 0);
}

/* Bytes of a C string; a question mark may start a trigraph. */
static void print_string(const char *text, size_t length)
{
	putchar('"');
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || c >= 0x7f)
			printf("\\%03o", c);
		else
			printf("%s%c", strchr("\"\\?", c) ? "\\" : "", c);
	}
	putchar('"');
}

/* On lines that are broken behind blanks, if there are any. */
static void print_pieces(const char *text)
{
	while (*text) {
		size_t length = strlen(text), blank = PIECE_WIDTH;

		if (length > PIECE_WIDTH) {
			while (blank && text[blank - 1] != ' ')
				blank--;
			length = blank ? blank : PIECE_WIDTH;
		}
		fputs("\n\t\t", stdout);
		print_string(text, length);
		text += length;
	}
}

static int is_own(const struct checked *c)
{
	return policy_argument(c->policy) != c->policy->alias;
}

static void print_policy(const struct checked *c)
{
	const char *name = is_own(c) ? policy_argument(c->policy) : c->policy->name;

	fputs(is_own(c) ? "policy_in(" : "iommusim_policy_find(", stdout);
	if (is_own(c) && !strchr(name, '/'))
		fputs("\"./\" ", stdout);
	print_string(name, strlen(name));
	putchar(')');
}

static void print_test(const struct checked *c, const struct identifier *id, unsigned invariant)
{
	fputs("\nstatic void ", stdout);
	print_test_name(id, invariant);
	fputs("(void **state)\n{\n"
	      "\tstatic const char text[] =",
	      stdout);
	print_pieces(world_text(&c->world[invariant]));
	fputs(";\n"
	      "\tconst struct iommusim_policy *policy =\n"
	      "\t\t",
	      stdout);
	print_policy(c);
	fputs(";\n"
	      "\tstruct iommusim_world world;\n"
	      "\tstruct iommusim_verdict verdict;\n\n"
	      "\t(void)state;\n"
	      "\tassert_non_null(policy);\n"
	      "\tassert_int_equal(iommusim_world_parse(text, &world, NULL), 0);\n"
	      "\tassert_int_equal(iommusim_check_world(policy, &world, NULL, &verdict), 0);\n"
	      "\tassert_string_equal(verdict.text[IOMMUSIM_INVARIANT_",
	      stdout);
	print_invariant(invariant, 1);
	puts("], \"\");\n}");
}

static void print_head(const struct checked *checked, unsigned nr)
{
	int any_own = 0;

	for (unsigned i = 0; i < nr; i++)
		any_own |= is_own(&checked[i]);
	printf("/*\n"
	       " * Written by iommusim check: each test passes once its policy keeps the "
	       "invariant.\n"
	       " * cc -std=c11 FILE.c -liommusim -lcmocka%s\n"
	       " */\n"
	       "%s"
	       "#include <setjmp.h>\n#include <stdarg.h>\n#include <stddef.h>\n"
	       "#include <stdint.h>\n#include <cmocka.h>\n#include <iommusim/check.h>\n",
	       any_own ? " -ldl" : "", any_own ? "#include <dlfcn.h>\n" : "");
	if (any_own)
		puts("\n/* What the shared object exports; NULL: it cannot be loaded. */\n"
		     "static const struct iommusim_policy *policy_in(const char *path)\n{\n"
		     "\tvoid *object = dlopen(path, RTLD_NOW);\n"
		     "\tconst struct iommusim_policy_export *found =\n"
		     "\t\tobject ? dlsym(object, \"iommusim_exported_policy\") : NULL;\n\n"
		     "\treturn found ? found->policy : NULL;\n}");
}

unsigned print_check_tests(const struct checked *checked, unsigned nr)
{
	static struct identifier ids[MAX_POLICIES];
	unsigned nr_tests = checked_nr_broken(checked, nr);

	if (!nr_tests)
		return 0;
	name_policies(checked, nr, ids);
	print_head(checked, nr);
	for (unsigned i = 0; i < nr; i++)
		for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
			if (checked[i].nr_broken[n])
				print_test(&checked[i], &ids[i], n);
	puts("\nint main(void)\n{\n\tconst struct CMUnitTest tests[] = {");
	for (unsigned i = 0; i < nr; i++)
		for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
			if (checked[i].nr_broken[n]) {
				fputs("\t\tcmocka_unit_test(", stdout);
				print_test_name(&ids[i], n);
				puts("),");
			}
	puts("\t};\n\n\treturn cmocka_run_group_tests(tests, NULL, NULL);\n}");
	return nr_tests;
}
