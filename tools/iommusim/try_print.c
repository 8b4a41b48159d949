/* SPDX-License-Identifier: MIT */
/* What a trial found, for people and for programs. */
#include "try.h"

#include <inttypes.h>
#include <stdio.h>
#include "json.h"
#include "object.h"
#include "text.h"

static int is_kept(const struct trial *t, unsigned invariant)
{
	return !t->checked[0].nr_broken[invariant] && !t->checked[1].nr_broken[invariant];
}

/* ---- Text ---- */

/* Whose the reference is. */
static const char *other_name(const struct trial *t)
{
	return t->against ? "other" : "Linux's";
}

/* Findings may be as many as the reference has, but not in the same worlds. */
static void print_mark(const struct trial *t, unsigned invariant)
{
	if (!t->reference || !(t->worse >> invariant & 1))
		putchar('\n');
	else if (invariant == IOMMUSIM_INVARIANT_NO_FINDING && t->checked[1].nr_broken[invariant])
		printf("  worse in %" PRIu64 "\n", t->nr_own);
	else
		puts("  worse");
}

static void print_heading(const struct trial *t)
{
	printf(t->reference ? "\n%-18s %7s %7s\n" : "\n%-18s %7s\n", "broken in worlds", "yours",
	       other_name(t));
}

static void print_worlds(const struct trial *t)
{
	unsigned nr = t->reference ? 2 : 1, told = 0;

	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++) {
		if (is_kept(t, n))
			continue;
		if (!told++)
			print_heading(t);
		printf("%-18s", iommusim_invariant_name(n));
		for (unsigned who = 0; who < nr; who++)
			printf(" %7" PRIu64, t->checked[who].nr_broken[n]);
		print_mark(t, n);
	}
	if (!t->nr_given_up)
		return;
	if (!told)
		print_heading(t);
	printf("%-18s %7" PRIu64 " %7s  worse\n", "gives up", t->nr_given_up, "-");
}

static void print_world(const struct iommusim_world *world)
{
	print_narrow("  world", 10, world_text(world));
}

static void print_broken(const struct trial *t, unsigned invariant)
{
	char lead[32];

	snprintf(lead, sizeof(lead), "%s: ", iommusim_invariant_name(invariant));
	putchar('\n');
	print_narrow(lead, 2, iommusim_invariant_text(invariant));
	print_narrow("  what", 10, t->checked[0].text[invariant]);
	print_world(&t->checked[0].world[invariant]);
}

/* What each does there. */
static void print_both(const struct trial *t, const struct iommusim_difference *difference)
{
	char lead[16];

	print_narrow("  yours", 10, difference->text[0]);
	snprintf(lead, sizeof(lead), "  %s", other_name(t));
	print_narrow(lead, 10, difference->text[1]);
}

static void print_given_up(const struct trial *t)
{
	struct line line = { .len = 0 };

	line_add(&line,
	         "it fails where %s is served with what can be mapped; in the smallest such world "
	         "they part at attempt %" PRId64 " (counted from 0)",
	         name_text(t->reference->name).s, t->given_up_where.attempt);
	putchar('\n');
	print_narrow("gives up: ", 2, line.s);
	print_world(&t->given_up);
	print_both(t, &t->given_up_where);
}

static void print_difference(const struct trial *t)
{
	struct line line = { .len = 0 };

	line_add(&line,
	         "different from %s in %" PRIu64 " of %" PRIu64
	         " world%s; in the smallest, first at attempt %" PRId64 " (counted from 0)",
	         name_text(t->reference->name).s, t->nr_different, t->worlds, plural(t->worlds),
	         t->difference.attempt);
	putchar('\n');
	print_narrow("", 0, line.s);
	print_world(&t->different);
	print_both(t, &t->difference);
}

/* A built-in policy, a shared object, or why there is none. */
static void describe_reference(const struct iommusim_policy *reference, struct line *line)
{
	const char *path = reference ? policy_argument(reference) : NULL;

	if (!reference)
		line_add(line, "none is known that it is a version of; --against names one");
	else if (path != reference->alias)
		line_add(line, "%s, %s", name_text(reference->name).s, name_text(path).s);
	else
		line_add(line, "%s (%s), %s", reference->name, path, reference->kernels);
}

static void print_head(const struct trial *t)
{
	struct line line = { .len = 0 };

	line_add(&line, "%s, %s, as of Linux %u.%u", name_text(t->mine->name).s,
	         name_text(t->compilation.file).s, t->compilation.kernel / 1000,
	         t->compilation.kernel % 1000);
	print_narrow("yours", LABEL_WIDTH, line.s);
	line.len = 0;
	describe_reference(t->reference, &line);
	print_narrow(other_name(t), LABEL_WIDTH, line.s);
	line.len = 0;
	line_add(&line, "%" PRIu64 ", seed %" PRIu64, t->worlds, t->seed);
	if (t->mine->only_order)
		line_add(&line, ", all of largest order %u", t->mine->only_order);
	print_narrow("worlds", LABEL_WIDTH, line.s);
}

void try_print(const struct trial *t)
{
	print_head(t);
	print_worlds(t);
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
		if (t->worse >> n & 1)
			print_broken(t, n);
	if (t->nr_given_up)
		print_given_up(t);
	if (t->nr_different)
		print_difference(t);
	else if (t->reference)
		printf("\nthe same attempts and results as %s in all of them\n",
		       name_text(t->reference->name).s);
	if (!t->worse)
		puts(t->reference ? "\nNothing is worse." : "\nNo invariant is broken.");
}

/* ---- JSON ---- */

static void put_policies(struct json_object *root, const struct trial *t)
{
	struct json_object *yours = json_put_object(root, "yours"), *linux_s;
	unsigned kernel = t->compilation.kernel;
	char version[16];

	snprintf(version, sizeof(version), "%u.%u", kernel / 1000, kernel % 1000);
	json_put_text(yours, "policy", t->mine->name);
	json_put_text(yours, "file", t->compilation.file);
	json_put_text(yours, "version", version);
	if (!t->reference)
		return;
	linux_s = json_put_object(root, "reference");
	json_put_text(linux_s, "policy", t->reference->name);
	json_put_text(linux_s, "alias", t->reference->alias);
	json_put_text(linux_s, "kernels", t->reference->kernels);
}

static void put_world(struct json_object *object, const struct iommusim_world *world)
{
	json_put_text(object, "world", world_text(world));
}

static void put_invariant(struct json_object *array, const struct trial *t, unsigned invariant)
{
	struct json_object *item = json_append_object(array);
	int is_worse = t->worse >> invariant & 1;

	json_put_text(item, "invariant", iommusim_invariant_name(invariant));
	json_put_text(item, "text", iommusim_invariant_text(invariant));
	json_put_number(item, "yours", t->checked[0].nr_broken[invariant]);
	if (t->reference)
		json_put_number(item, "reference", t->checked[1].nr_broken[invariant]);
	json_object_object_add(item, "worse", json_object_new_boolean(is_worse));
	if (!is_worse)
		return;
	json_put_text(item, "what", t->checked[0].text[invariant]);
	put_world(item, &t->checked[0].world[invariant]);
}

static void put_difference(struct json_object *object, uint64_t nr_worlds,
                           const struct iommusim_world *world,
                           const struct iommusim_difference *difference)
{
	json_put_number(object, "worlds", nr_worlds);
	if (!nr_worlds)
		return;
	json_put_number(object, "attempt", (uint64_t)difference->attempt);
	put_world(object, world);
	json_put_text(object, "yours", difference->text[0]);
	json_put_text(object, "reference", difference->text[1]);
}

int try_print_json(const struct trial *t, struct json_object *compared)
{
	struct json_object *root = json_object_new_object(), *array;

	json_put_text(root, "program", "iommusim " IOMMUSIM_VERSION);
	put_policies(root, t);
	json_put_number(root, "worlds", t->worlds);
	json_put_number(root, "seed", t->seed);
	if (t->mine->only_order)
		json_put_number(root, "largest_order", t->mine->only_order);
	json_put_text(root, "verdict", t->worse ? "worse" : "fine");
	array = json_put_array(root, "broken");
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
		if (!is_kept(t, n))
			put_invariant(array, t, n);
	if (t->reference) {
		put_difference(json_put_object(root, "gives_up"), t->nr_given_up, &t->given_up,
		               &t->given_up_where);
		put_difference(json_put_object(root, "difference"), t->nr_different, &t->different,
		               &t->difference);
	}
	if (compared)
		json_object_object_add(root, "comparison", compared);
	return json_print(root);
}
