/* SPDX-License-Identifier: MIT */
/* Texts of a machine for the tests of what reads them. */
#ifndef IMPORT_TEST_H
#define IMPORT_TEST_H

#include "phys_test.h"

/* The last line that was logged. */
struct log {
	char line[256];
	unsigned nr;
};

static inline void keep_line(void *ctx, const char *line)
{
	struct log *log = ctx;

	snprintf(log->line, sizeof(log->line), "%s", line);
	log->nr++;
}

static inline struct iommusim_host host_with(struct log *log)
{
	struct iommusim_host host = { .size = sizeof(host), .log = keep_line, .log_ctx = log };

	log->line[0] = 0;
	log->nr = 0;
	return host;
}

static inline struct iommusim_text text_of(const char *name, const char *text)
{
	struct iommusim_text t = { name, text, strlen(text) };

	return t;
}

/* Texts by name; NULL: not there. */
struct texts {
	const char *buddy, *types, *zones, *splat;
};

static inline int read_texts(struct log *log, struct texts from,
                             struct iommusim_snapshot **snapshot)
{
	struct iommusim_host host = host_with(log);
	struct iommusim_text b = text_of("buddyinfo", from.buddy ? from.buddy : "");
	struct iommusim_text t = text_of("pagetypeinfo", from.types ? from.types : "");
	struct iommusim_text z = text_of("zoneinfo", from.zones ? from.zones : "");
	struct iommusim_text s = text_of("splat", from.splat ? from.splat : "");
	struct iommusim_snapshot_texts texts = { .size = sizeof(texts),
		                                 .buddyinfo = from.buddy ? &b : NULL,
		                                 .pagetypeinfo = from.types ? &t : NULL,
		                                 .zoneinfo = from.zones ? &z : NULL,
		                                 .splat = from.splat ? &s : NULL };

	return iommusim_snapshot_read(&host, &texts, snapshot);
}

static inline struct iommusim_phys *create_from(struct texts texts,
                                                struct iommusim_snapshot_notes *notes)
{
	struct iommusim_phys_config config = { .size = sizeof(config) };
	struct iommusim_snapshot *snapshot;
	struct iommusim_phys *phys;
	struct log log;

	log.line[0] = 0;
	if (read_texts(&log, texts, &snapshot))
		fail_msg("%s", log.line);
	if (iommusim_phys_create_snapshot(&config, snapshot, notes, &phys))
		fail_msg("%s", log.line);
	iommusim_snapshot_destroy(snapshot);
	assert_ok(iommusim_phys_check(phys));
	return phys;
}

static inline void assert_buddyinfo(const struct iommusim_phys *phys, const char *want)
{
	char text[4096];

	assert_true(iommusim_phys_buddyinfo(phys, text, sizeof(text)) < sizeof(text));
	assert_string_equal(text, want);
}

static inline void assert_refused(struct texts texts, const char *line)
{
	struct iommusim_snapshot *snapshot = NULL;
	struct log log;

	assert_err(read_texts(&log, texts, &snapshot), IOMMUSIM_EINVAL);
	assert_null(snapshot);
	assert_int_equal(log.nr, 1);
	assert_string_equal(log.line, line);
}

#endif
