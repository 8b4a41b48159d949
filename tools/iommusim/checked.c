/* SPDX-License-Identifier: MIT */
/* What is kept of a search: for each invariant a world that breaks it, and what was seen there. */
#include "check_print.h"

#include <stdio.h>
#include <string.h>
#include "guard.h"
#include "text.h"

void checked_see(struct checked *c, const struct iommusim_world *world,
                 const struct iommusim_verdict *verdict)
{
	for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
		if (verdict->broken >> n & 1 && !c->nr_broken[n]++) {
			c->world[n] = *world;
			memcpy(c->text[n], verdict->text[n], sizeof(c->text[n]));
		}
}

int checked_shrink(struct checked *c, unsigned invariant)
{
	struct iommusim_world world = c->world[invariant];
	struct iommusim_verdict verdict;
	int64_t tried;
	int err;

	guard_world(&c->world[invariant]); /* smaller ones of it, too */
	tried = iommusim_world_shrink(c->policy, invariant, NULL, &world);
	err = tried < 0 ? (int)tried : 0;
	if (!err)
		err = iommusim_check_world(c->policy, &world, NULL, &verdict);
	guard_world(NULL);
	if (err)
		return err == -IOMMUSIM_EINVAL ? 0 : err;
	if (!(verdict.broken >> invariant & 1))
		return 0;
	c->world[invariant] = world;
	memcpy(c->text[invariant], verdict.text[invariant], sizeof(c->text[0]));
	return 0;
}

unsigned checked_nr_broken(const struct checked *checked, unsigned nr)
{
	unsigned broken = 0;

	for (unsigned i = 0; i < nr; i++)
		for (unsigned n = 0; n < IOMMUSIM_NR_INVARIANTS; n++)
			broken += checked[i].nr_broken[n] != 0;
	return broken;
}

const char *world_text(const struct iommusim_world *world)
{
	/* Free frames are at most every second one: "8190," each, and a line of the rest. */
	static char text[IOMMUSIM_CHECK_FRAMES / 2 * 5 + 1024];

	iommusim_world_format(world, text, sizeof(text));
	return text;
}

struct column_title checked_title(const struct checked *checked, unsigned nr, unsigned i)
{
	const char *alias = checked[i].policy->alias;
	struct column_title title;
	unsigned before = 0, alike = 0;

	for (unsigned n = 0; n < nr; n++) {
		int is_alike = !strcmp(checked[n].policy->alias, alias);

		alike += (unsigned)is_alike;
		before += is_alike && n < i;
	}
	if (alike > 1)
		snprintf(title.s, sizeof(title.s), "%.3s%u", name_text(alias).s, before + 1);
	else
		snprintf(title.s, sizeof(title.s), "%.6s", name_text(alias).s);
	return title;
}
