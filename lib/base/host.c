/* SPDX-License-Identifier: MIT */
/* The seam to the host: memory, error texts, and the structs whose size the caller states. */
#include "base/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *default_zalloc(void *ctx, size_t bytes)
{
	return calloc(1, bytes);
}

static void default_free(void *ctx, void *ptr)
{
	free(ptr);
}

static void default_log(void *ctx, const char *line)
{
}

int isim_copy_sized(void *dst, size_t bytes, const void *src)
{
	size_t given;

	if (!src)
		return -IOMMUSIM_EINVAL;
	memcpy(&given, src, sizeof(given));
	if (given < sizeof(given))
		return -IOMMUSIM_EINVAL;
	for (size_t i = bytes; i < given; i++)
		if (((const unsigned char *)src)[i])
			return -IOMMUSIM_E2BIG;
	memset(dst, 0, bytes);
	memcpy(dst, src, given < bytes ? given : bytes);
	return 0;
}

int isim_host_init(struct iommusim_host *out, const struct iommusim_host *host)
{
	int err = 0;

	memset(out, 0, sizeof(*out));
	if (host)
		err = isim_copy_sized(out, sizeof(*out), host);
	if (!err && !out->zalloc != !out->free)
		err = -IOMMUSIM_EINVAL;
	out->size = sizeof(*out);
	if (!out->zalloc || !out->free) {
		out->zalloc = default_zalloc;
		out->free = default_free;
	}
	if (!out->log)
		out->log = default_log;
	return err;
}

void *isim_zalloc(const struct iommusim_host *host, uint64_t count, size_t bytes)
{
	if (bytes && count > SIZE_MAX / bytes)
		return NULL;
	return host->zalloc(host->memory_ctx, (size_t)count * bytes);
}

void isim_free(const struct iommusim_host *host, void *ptr)
{
	if (ptr)
		host->free(host->memory_ctx, ptr);
}

int isim_grow(const struct iommusim_host *host, void *array, size_t *cap, uint64_t need,
              size_t bytes)
{
	uint64_t want = *cap ? *cap : 8;
	void *old, *fresh;

	if (need <= *cap)
		return 0;
	if (need > UINT64_MAX / 2)
		return -IOMMUSIM_EHOST;
	while (want < need)
		want *= 2;
	fresh = isim_zalloc(host, want, bytes);
	if (!fresh)
		return -IOMMUSIM_EHOST;
	memcpy(&old, array, sizeof(old));
	if (old)
		memcpy(fresh, old, *cap * bytes);
	isim_free(host, old);
	memcpy(array, &fresh, sizeof(fresh));
	*cap = (size_t)want;
	return 0;
}

int isim_fail(struct isim_diag *diag, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(diag->text, sizeof(diag->text), fmt, args);
	va_end(args);
	diag->host.log(diag->host.log_ctx, diag->text);
	return -err;
}

int isim_complain(const struct iommusim_host *host, int err, const char *fmt, ...)
{
	char text[sizeof(((struct isim_diag *)0)->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	host->log(host->log_ctx, text);
	return -err;
}

int isim_no_memory(struct isim_diag *diag, const char *what)
{
	return isim_fail(diag, IOMMUSIM_EHOST, "the host has no memory for %s", what);
}

void *isim_handle(const struct iommusim_host *host, size_t bytes, const char *what, int *err)
{
	struct iommusim_host h;
	struct isim_diag *diag = NULL;

	*err = isim_host_init(&h, host);
	if (*err)
		return NULL;
	diag = isim_zalloc(&h, 1, bytes);
	if (diag)
		diag->host = h;
	else
		*err = isim_complain(&h, IOMMUSIM_EHOST, "the host has no memory for %s", what);
	return diag;
}

unsigned isim_kernel(unsigned kernel)
{
	if (!kernel)
		return IOMMUSIM_KERNEL(6, 12);
	return kernel < IOMMUSIM_KERNEL(4, 4) ? 0 : kernel;
}

const char *iommusim_errname(int err)
{
	switch (err < 0 ? 0u - (unsigned)err : (unsigned)err) {
	case 0:
		return "OK";
	case IOMMUSIM_EIO:
		return "EIO";
	case IOMMUSIM_E2BIG:
		return "E2BIG";
	case IOMMUSIM_ENOMEM:
		return "ENOMEM";
	case IOMMUSIM_EFAULT:
		return "EFAULT";
	case IOMMUSIM_EBUSY:
		return "EBUSY";
	case IOMMUSIM_EEXIST:
		return "EEXIST";
	case IOMMUSIM_ENODEV:
		return "ENODEV";
	case IOMMUSIM_EINVAL:
		return "EINVAL";
	case IOMMUSIM_ERANGE:
		return "ERANGE";
	case IOMMUSIM_EREMOTEIO:
		return "EREMOTEIO";
	case IOMMUSIM_EHOST:
		return "EHOST";
	case IOMMUSIM_EBUG:
		return "EBUG";
	default:
		return "E?";
	}
}

static void *failing_zalloc(void *ctx, size_t bytes)
{
	struct iommusim_fault *fault = ctx;
	void *ptr;

	if (++fault->nr_allocs == fault->fail_at)
		return NULL;
	ptr = calloc(1, bytes ? bytes : 1);
	fault->nr_live += ptr != NULL;
	return ptr;
}

static void failing_free(void *ctx, void *ptr)
{
	struct iommusim_fault *fault = ctx;

	fault->nr_live--;
	free(ptr);
}

struct iommusim_host iommusim_host_failing(struct iommusim_fault *fault)
{
	struct iommusim_host host = { .size = sizeof(host),
		                      .zalloc = failing_zalloc,
		                      .free = failing_free,
		                      .memory_ctx = fault };

	return host;
}
