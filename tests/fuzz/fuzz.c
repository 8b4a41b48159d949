/* SPDX-License-Identifier: MIT */
/* What every fuzzer of a parser does: see fuzz.h. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MAX_MEMORY ((size_t)8 << 20) /* of the host: a text can ask for gigabytes */

void fuzz_cut(const uint8_t *data, size_t bytes, struct iommusim_text *texts, unsigned nr)
{
	static const char *const names[MAX_TEXTS] = { "first", "second", "third" };
	const char *text = (const char *)data;

	for (unsigned i = 0; i < nr; i++) {
		const char *end = bytes && i + 1 < nr ? memchr(text, 0, bytes) : NULL;
		size_t length = end ? (size_t)(end - text) : bytes;

		texts[i] = (struct iommusim_text){ names[i], length || !i ? text : NULL, length };
		text += length + (end != NULL);
		bytes -= length + (end != NULL);
	}
}

/* The text that @print makes, with a 0 behind it. Freed by the caller. */
static char *text_of(const struct iommusim_phys *phys,
                     size_t (*print)(const struct iommusim_phys *phys, char *text, size_t bytes))
{
	size_t bytes = print(phys, NULL, 0) + 1;
	char *text = malloc(bytes);

	if (!text)
		witness_stop("fuzz", "the host has no memory");
	print(phys, text, bytes);
	return text;
}

/* 0 with a sound machine, or 1: refused or too large, as it may be. */
static int rebuild(const struct iommusim_snapshot_texts *texts, unsigned kernel,
                   struct witness *witness, struct iommusim_phys **phys)
{
	struct iommusim_host host = witness_host(witness);
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .kernel = kernel,
		                               .host = &host };
	struct iommusim_snapshot *snapshot = NULL;
	int err = iommusim_snapshot_read(&host, texts, &snapshot);

	if (!err)
		err = iommusim_phys_create_snapshot(&config, snapshot, NULL, phys);
	iommusim_snapshot_destroy(snapshot);
	if (err && err != -IOMMUSIM_EINVAL && err != -IOMMUSIM_EHOST)
		witness_stop("an error that is none of a parser's", iommusim_errname(err));
	if (err && witness->nr_lines != 1)
		witness_stop("an error without its line", witness->line);
	if (!err && witness->nr_lines)
		witness_stop("a line without an error", witness->line);
	return err != 0;
}

/* What the machine prints is the same machine. */
static void read_again(const struct iommusim_phys *phys, unsigned kernel)
{
	char *buddies = text_of(phys, iommusim_phys_buddyinfo), *again;
	char *types = text_of(phys, iommusim_phys_pagetypeinfo), *types_again;
	struct iommusim_text b = { "buddyinfo", buddies, strlen(buddies) };
	struct iommusim_text t = { "pagetypeinfo", types, strlen(types) };
	struct iommusim_snapshot_texts texts = { .size = sizeof(texts),
		                                 .buddyinfo = &b,
		                                 .pagetypeinfo = &t };
	struct witness witness = { .left = MAX_MEMORY };
	struct iommusim_phys *copy = NULL;

	if (rebuild(&texts, kernel, &witness, &copy)) {
		if (!strstr(witness.line, "no memory") && !strstr(witness.line, "spread over"))
			witness_stop("what was printed is refused", witness.line);
	} else {
		again = text_of(copy, iommusim_phys_buddyinfo);
		types_again = text_of(copy, iommusim_phys_pagetypeinfo);
		if (strcmp(again, buddies) != 0)
			witness_stop("buddyinfo is another one", again);
		if (strncmp(types_again, types, strcspn(types, "b")) != 0)
			witness_stop("pagetypeinfo is another one", types_again);
		free(again);
		free(types_again);
	}
	iommusim_phys_destroy(copy);
	free(buddies);
	free(types);
}

void fuzz_texts(const struct iommusim_snapshot_texts *texts, unsigned kernel)
{
	struct witness witness = { .left = MAX_MEMORY };
	struct iommusim_phys *phys = NULL;

	if (!rebuild(texts, kernel, &witness, &phys)) {
		if (iommusim_phys_check(phys))
			witness_stop("the machine is not sound", iommusim_phys_error(phys));
		read_again(phys, kernel);
	}
	iommusim_phys_destroy(phys);
	if (witness.left != MAX_MEMORY)
		witness_stop("memory is lost", witness.line);
}
