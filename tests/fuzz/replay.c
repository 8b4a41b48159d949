/* SPDX-License-Identifier: MIT */
/*
 * A fuzzer without libFuzzer, for any compiler: the files that are named, and of each some that are
 * damaged at random, the same ones in every run.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define MAX_BYTES ((size_t)1 << 20)

/* Words that readers have an opinion on. */
static const char *const words[] = { "-1", "4294967296", "18446744073709551616",
	                             ">",  ",",          "0",
	                             " ",  "\n",         "Node",
	                             "(",  "=",          "\xff" };

static void overwrite(struct isim_rng *rng, uint8_t *data, size_t bytes)
{
	const char *word = words[isim_rng_below(rng, sizeof(words) / sizeof(*words))];
	size_t at = (size_t)isim_rng_below(rng, bytes);
	size_t length = strlen(word) < bytes - at ? strlen(word) : bytes - at;

	memcpy(data + at, word, length);
}

/* A stretch of it moves to another place: lines change their order. */
static void move(struct isim_rng *rng, uint8_t *data, size_t bytes)
{
	size_t length = (size_t)isim_rng_below(rng, bytes / 2 + 1);
	size_t from = (size_t)isim_rng_below(rng, bytes - length + 1);
	size_t to = (size_t)isim_rng_below(rng, bytes - length + 1);

	memmove(data + to, data + from, length);
}

static void damage(struct isim_rng *rng, uint8_t *data, size_t *bytes)
{
	for (uint64_t n = isim_rng_range(rng, 1, 4); n && *bytes; n--) {
		switch (isim_rng_below(rng, 4)) {
		case 0:
			data[isim_rng_below(rng, *bytes)] = (uint8_t)isim_rng_below(rng, 128);
			break;
		case 1:
			overwrite(rng, data, *bytes);
			break;
		case 2:
			move(rng, data, *bytes);
			break;
		default:
			*bytes = (size_t)isim_rng_below(rng, *bytes + 1);
		}
	}
}

/* Each copy is as large as its text: a sanitizer sees what is read beyond. */
static void try_copies(const uint8_t *data, size_t bytes, unsigned rounds)
{
	struct isim_rng rng = isim_rng_seed(bytes);

	LLVMFuzzerTestOneInput(data, bytes);
	for (unsigned round = 0; round < rounds; round++) {
		uint8_t *copy = malloc(bytes ? bytes : 1), *exact;
		size_t left = bytes;

		if (!copy)
			abort();
		memcpy(copy, data, bytes);
		damage(&rng, copy, &left);
		exact = malloc(left ? left : 1);
		if (!exact)
			abort();
		memcpy(exact, copy, left);
		LLVMFuzzerTestOneInput(exact, left);
		free(exact);
		free(copy);
	}
}

static int try_file(const char *path, unsigned rounds)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(MAX_BYTES);
	size_t bytes;

	if (!file || !data) {
		fprintf(stderr, "%s cannot be read\n", path);
		return 1;
	}
	bytes = fread(data, 1, MAX_BYTES, file);
	fclose(file);
	try_copies(data, bytes, rounds);
	free(data);
	return 0;
}

/* ROUNDS FILE... */
int main(int argc, char **argv)
{
	int status = argc < 3;

	for (int i = 2; i < argc; i++)
		status |= try_file(argv[i], (unsigned)strtoul(argv[1], NULL, 10));
	return status;
}
