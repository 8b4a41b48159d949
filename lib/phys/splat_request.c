/* SPDX-License-Identifier: MIT */
/* What the report of a failed allocation says of the request: order, gfp, task and kernel. */
#include "phys/snapshot.h"

#include <string.h>

const char isim_splat_header[] = "page allocation failure: order:";

/* "8, mode:0xcc0(GFP_KERNEL), nodemask=..." */
int isim_splat_read_header(struct isim_reader *r, struct isim_word rest,
                           struct iommusim_splat *splat)
{
	static const char field[] = "page allocation failure";
	struct isim_word w;
	uint64_t order;

	r->line = rest;
	w = isim_text_word(r);
	isim_text_take_end(&w, ',');
	if (!isim_text_number(w, IOMMUSIM_MAX_ORDERS - 1, &order))
		return isim_text_bad(r, field, w, "is not an order of 0 .. 13");
	splat->order = (unsigned)order;
	w = isim_text_word(r);
	isim_text_take_end(&w, ',');
	if (!isim_text_starts(w, "mode:0x") || isim_text_is(w, "mode:0x"))
		return isim_text_bad(r, field, w, "is not 'mode:0x...'");
	isim_text_copy(splat->mode, sizeof(splat->mode), isim_text_behind(w, "mode:"));
	return 0;
}

/* "6.12.117+deb12-amd64": as IOMMUSIM_KERNEL(), 0 for what is no supported kernel. */
static unsigned kernel_of(struct isim_word release)
{
	struct isim_word minor = isim_text_behind(release, ".");
	uint64_t high, low = 0;

	release.length = minor.text ? (size_t)(minor.text - release.text) - 1 : 0;
	while (minor.length && !isim_text_number(minor, 255, &low))
		minor.length--;
	if (!minor.length || !isim_text_number(release, 255, &high))
		return 0;
	return isim_kernel(IOMMUSIM_KERNEL((unsigned)high, (unsigned)low));
}

/* The word before "#1" is the release. */
static void read_release(struct isim_reader *r, struct iommusim_splat *splat)
{
	struct isim_word w, last = { NULL, 0 };

	for (w = isim_text_word(r); w.length && *w.text != '#'; w = isim_text_word(r))
		last = w;
	if (!w.length || !last.length || *last.text < '0' || *last.text > '9')
		return;
	isim_text_copy(splat->release, sizeof(splat->release), last);
	splat->kernel = kernel_of(last);
}

/* "busybox Tainted: G OE 6.1.0-56-amd64 #1 Debian 6.1.192-2" */
void isim_splat_read_task(struct isim_reader *r, struct isim_word rest,
                          struct iommusim_splat *splat)
{
	static const char *const ends[] = { " Tainted:", " Not tainted", " Kdump:" };
	struct isim_word task = rest;

	for (size_t i = 0; i < ISIM_ARRAY_LEN(ends); i++) {
		struct isim_word w = isim_text_behind(task, ends[i]);

		if (w.text)
			task.length = (size_t)(w.text - task.text) - strlen(ends[i]);
	}
	isim_text_copy(splat->task, sizeof(splat->task), task);
	r->line = rest;
	read_release(r, splat);
}

/* The names in brackets, or where they are unknown the number before them. */
void isim_splat_settle_gfp(struct iommusim_splat *splat)
{
	struct isim_word mode = { splat->mode, strlen(splat->mode) };
	struct isim_word names = isim_text_behind(mode, "(");
	char text[sizeof(splat->mode)];

	if (names.text && isim_text_take_end(&names, ')')) {
		isim_text_copy(text, sizeof(text), names);
		if (!iommusim_gfp_parse(text, splat->kernel, &splat->gfp))
			return;
	}
	mode.length = strcspn(splat->mode, "(");
	isim_text_copy(text, sizeof(text), mode);
	if (iommusim_gfp_parse(text, splat->kernel, &splat->gfp))
		splat->gfp = 0;
}
