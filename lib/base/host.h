/* SPDX-License-Identifier: MIT */
/*
 * The one seam to the host: memory, log and events. Every handle holds a copy of the embedder's
 * struct with the defaults filled in, so the calls below never test for NULL.
 */
#ifndef ISIM_HOST_H
#define ISIM_HOST_H

#include "base/compiler.h"
#include "iommusim/base.h"

/* A handle's host and the text of its last error. */
struct isim_diag {
	struct iommusim_host host;
	char text[200];
};

/* @host, or the defaults, into @out. 0, -EINVAL (one of zalloc and free without the other) or
 * -E2BIG. */
int isim_host_init(struct iommusim_host *out, const struct iommusim_host *host);

/*
 * A zeroed handle of @bytes bytes that starts with a struct isim_diag, with @host or the defaults
 * in it. NULL with -EHOST, worded "the host has no memory for @what", or as isim_host_init() in
 * *err.
 */
void *isim_handle(const struct iommusim_host *host, size_t bytes, const char *what, int *err);

/* @count elements of @bytes each, zeroed; NULL: no memory, or the product overflows. */
void *isim_zalloc(const struct iommusim_host *host, uint64_t count, size_t bytes);
void isim_free(const struct iommusim_host *host, void *ptr);

/*
 * Make room for @need elements in the array at @array (a pointer to a pointer), which has room for
 * *cap; at least doubles. 0, or -EHOST with nothing changed.
 */
int isim_grow(const struct iommusim_host *host, void *array, size_t *cap, uint64_t need,
              size_t bytes);

/*
 * Word an error once: keep it as the handle's text, hand it to the log, return -@err.
 * isim_complain() is for calls that have no handle yet.
 */
int isim_fail(struct isim_diag *diag, int err, const char *fmt, ...) ISIM_PRINTF(3, 4);
int isim_complain(const struct iommusim_host *host, int err, const char *fmt, ...)
	ISIM_PRINTF(3, 4);

/* -EHOST, worded "the host has no memory for @what". */
int isim_no_memory(struct isim_diag *diag, const char *what);

static inline void isim_event(const struct isim_diag *diag, const struct iommusim_event *event)
{
	if (ISIM_UNLIKELY(diag->host.event != NULL))
		diag->host.event(diag->host.event_ctx, event);
}

static inline int isim_wants_events(const struct isim_diag *diag)
{
	return diag->host.event != NULL;
}

/*
 * Copy a struct of the caller's that starts with its size into @dst of @bytes: a shorter one is
 * extended with zeros, a longer one refused with -E2BIG unless its tail is all zeros. NULL or size
 * 0 is -EINVAL.
 */
int isim_copy_sized(void *dst, size_t bytes, const void *src);

/* A config's kernel version: the default for 0, 0 for one that is not supported. */
unsigned isim_kernel(unsigned kernel);

#endif
