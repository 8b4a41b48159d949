/* SPDX-License-Identifier: MIT */
/* Whole small files in memory. Their size is not asked for: files in /proc have none. */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L /* open(), fcntl(), fdopen() */
#endif

#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if !defined(_WIN32)
#include <fcntl.h>
#include <unistd.h>
#endif

/* A kernel log is larger than anything in /proc; /dev/zero ends here, too. */
#define MAX_BYTES ((size_t)1 << 24)

void file_free(struct file *file)
{
	free(file->text);
	*file = (struct file){ NULL, 0 };
}

static const char *read_stream(FILE *stream, struct file *file)
{
	file->text = malloc(MAX_BYTES + 1);
	if (!file->text)
		return "the host has no memory for it";
	file->bytes = fread(file->text, 1, MAX_BYTES + 1, stream);
	if (ferror(stream))
		return strerror(errno);
	return file->bytes > MAX_BYTES ? "it is larger than 16 MiB" : NULL;
}

/* A pipe that nobody writes to is empty: opening it does not wait for a writer. */
static FILE *open_stream(const char *path)
{
#if defined(_WIN32)
	return fopen(path, "rb");
#else
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	FILE *stream;

	if (fd < 0)
		return NULL;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	stream = fdopen(fd, "rb");
	if (!stream)
		close(fd);
	return stream;
#endif
}

const char *file_read(const char *path, struct file *file)
{
	const char *wrong;
	FILE *stream = open_stream(path);

	*file = (struct file){ NULL, 0 };
	if (!stream)
		return strerror(errno);
	wrong = read_stream(stream, file);
	fclose(stream);
	if (wrong)
		file_free(file);
	return wrong;
}
