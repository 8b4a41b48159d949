/* SPDX-License-Identifier: MIT */
/* What a trial found, for people and for programs. */
#include "try.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "json.h"
#include "text.h"

static int is_kept(const struct trial *t, unsigned invariant)
{
	return !t->checked[0].nr_broken[invariant] && !t->checked[1].nr_broken[invariant];
}

/* ---- Text ---- */

static void print_worlds(const struct trial *t)
{
	printf("\n%-18s %7s %7s\n", "worlds against", "yours", t->reference ? "Linux's" : "");
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++) {
		if (is_kept(t, n))
			continue;
		printf("%-18s", iommusim_invariant_name(n));
		for (unsigned who = 0; who < (t->reference ? 2u : 1u); who++)
			printf(" %7" PRIu64, t->checked[who].nr_broken[n]);
		puts(t->worse >> n & 1 ? "  worse" : "");
	}
}

static void print_world(const struct iommusim_world *world)
{
	print_wrapped("  world", 10, world_text(world));
}

static void print_worse(const struct trial *t, unsigned invariant)
{
	printf("\n%s: %s\n", iommusim_invariant_name(invariant),
	       iommusim_invariant_text(invariant));
	print_wrapped("  what", 10, t->checked[0].text[invariant]);
	print_world(&t->checked[0].world[invariant]);
}

static void print_difference(const struct trial *t)
{
	printf("\ndifferent from %s in %" PRIu64 " of %" PRIu64 " worlds, first at attempt %" PRId64
	       " of\n",
	       t->reference->name, t->nr_different, t->worlds, t->difference.attempt);
	print_world(&t->different);
	print_wrapped("  yours", 10, t->difference.text[0]);
	print_wrapped("  Linux's", 10, t->difference.text[1]);
}

void try_print(const struct trial *t)
{
	printf("%-10s %s, %s, as of Linux %u.%u\n", "yours", t->mine->name, t->compilation.file,
	       t->compilation.kernel / 1000, t->compilation.kernel % 1000);
	if (t->reference)
		printf("%-10s %s (%s), %s\n", "Linux's", t->reference->name, t->reference->alias,
		       t->reference->kernels);
	printf("%-10s %" PRIu64 ", seed %" PRIu64 "\n", "worlds", t->worlds, t->seed);
	print_worlds(t);
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
		if (t->worse >> n & 1)
			print_worse(t, n);
	if (t->nr_different)
		print_difference(t);
	else if (t->reference)
		printf("\nthe same attempts and results as %s in all of them\n",
		       t->reference->name);
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

static void put_difference(struct json_object *root, const struct trial *t)
{
	struct json_object *object = json_put_object(root, "difference");

	json_put_number(object, "worlds", t->nr_different);
	if (!t->nr_different)
		return;
	json_put_number(object, "attempt", (uint64_t)t->difference.attempt);
	put_world(object, &t->different);
	json_put_text(object, "yours", t->difference.text[0]);
	json_put_text(object, "reference", t->difference.text[1]);
}

int try_print_json(const struct trial *t, struct json_object *compared)
{
	struct json_object *root = json_object_new_object(), *array;

	json_put_text(root, "program", "iommusim " IOMMUSIM_VERSION);
	put_policies(root, t);
	json_put_number(root, "worlds", t->worlds);
	json_put_number(root, "seed", t->seed);
	json_put_text(root, "verdict", t->worse ? "worse" : "fine");
	array = json_put_array(root, "broken");
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
		if (!is_kept(t, n))
			put_invariant(array, t, n);
	if (t->reference)
		put_difference(root, t);
	if (compared)
		json_object_object_add(root, "comparison", compared);
	return json_print(root);
}
