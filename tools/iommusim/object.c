/* SPDX-License-Identifier: MIT */
/*
 * Policies from shared objects. What an object exports is copied into a struct of this program's
 * size, so that an older object's policy has all the members; what it does not say is "-".
 */
#include "object.h"

#include <stdio.h>
#include <string.h>
#ifdef HAVE_DLOPEN
#include <dlfcn.h>
#endif
#include "options.h"
#include "say.h"

#define SYMBOL "iommusim_exported_policy"

static struct object {
	char path[4096];
	struct iommusim_policy policy;
	const struct iommusim_policy_kin *kin; /* NULL: none */
	unsigned kernel;
} objects[MAX_POLICIES];
static unsigned nr_objects;

static int ends_with(struct slice name, const char *end)
{
	size_t len = strlen(end);

	return name.len > len && !memcmp(name.start + name.len - len, end, len);
}

int is_object(struct slice name)
{
	return memchr(name.start, '/', name.len) || ends_with(name, ".so") ||
	       ends_with(name, ".dylib");
}

#ifdef HAVE_DLOPEN
/* dlopen()'s words start with the path, which the message has already. */
static const char *reason_of(const char *words, const char *path)
{
	size_t len = strlen(path);

	if (!words)
		return "unknown reason";
	return !strncmp(words, path, len) && !strncmp(words + len, ": ", 2) ? words + len + 2
	                                                                    : words;
}

/* What the object at @path exports. NULL after a message. */
static const struct iommusim_policy_export *open_object(const char *path)
{
	char slashed[4098];
	FILE *file = fopen(path, "rb");
	const struct iommusim_policy_export *export;
	void *handle;

	if (!file) {
		say("--policy: '%s' cannot be opened", path);
		return NULL;
	}
	fclose(file);
	snprintf(slashed, sizeof(slashed), "%s%s", strchr(path, '/') ? "" : "./", path);
	handle = dlopen(slashed, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		say("--policy: '%s' is no shared object that can be loaded: %s", path,
		    reason_of(dlerror(), slashed));
		return NULL;
	}
	export = dlsym(handle, SYMBOL);
	if (!export)
		say("--policy: '%s' has no symbol " SYMBOL " (IOMMUSIM_EXPORT_POLICY() makes one)",
		    path);
	return export;
}
#else
static const struct iommusim_policy_export *open_object(const char *path)
{
	say("--policy: '%s': this program was built without dlopen(), which loads shared objects",
	    path);
	return NULL;
}
#endif

static int is_beyond_zero(const struct iommusim_policy *policy, size_t bytes)
{
	for (size_t i = sizeof(*policy); i < bytes; i++)
		if (((const unsigned char *)policy)[i])
			return 0;
	return 1;
}

/* Copy what @export says into @object. 0, or EXIT_INPUT after a message. */
static int take(struct object *object, const struct iommusim_policy_export *export)
{
	const char *path = object->path;
	size_t bytes = export->policy_bytes;

	if (export->abi != IOMMUSIM_POLICY_ABI)
		return say("--policy: '%s' has policy ABI %u, this program has %u", path,
		           export->abi, IOMMUSIM_POLICY_ABI);
	if (bytes < offsetof(struct iommusim_policy, params) || !export->policy ||
	    export->policy->size != bytes)
		return say("--policy: '%s': its policy has %zu bytes and says %zu", path, bytes,
		           export->policy ? export->policy->size : 0);
	if (!is_beyond_zero(export->policy, bytes))
		return say("--policy: '%s' uses members of a newer struct iommusim_policy (%zu "
		           "bytes; %zu here)",
		           path, bytes, sizeof(object->policy));
	memset(&object->policy, 0, sizeof(object->policy));
	memcpy(&object->policy, export->policy,
	       bytes < sizeof(object->policy) ? bytes : sizeof(object->policy));
	object->policy.size = sizeof(object->policy);
	object->kin = export->kin;
	object->kernel = export->kernel;
	return object->policy.alloc ? 0
	                            : say("--policy: '%s': its policy has no function alloc", path);
}

/* Printers want every text. */
static void fill_in(struct object *object)
{
	struct iommusim_policy *p = &object->policy;
	const char **texts[] = { &p->kernels, &p->source, &p->summary, &p->quirks };
	const char *name = strrchr(object->path, '/');

	if (!p->name)
		p->name = name ? name + 1 : object->path;
	if (!p->alias)
		p->alias = "own";
	if (!p->family)
		p->family = "own";
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!*texts[i])
			*texts[i] = "-";
}

const struct iommusim_policy *object_policy(struct slice path)
{
	struct object *object = &objects[nr_objects];
	const struct iommusim_policy_export *export;

	for (unsigned i = 0; i < nr_objects; i++)
		if (slice_is(path, objects[i].path))
			return &objects[i].policy;
	if (nr_objects == MAX_POLICIES || path.len >= sizeof(object->path)) {
		say("--policy: too many shared objects, or too long a path");
		return NULL;
	}
	memcpy(object->path, path.start, path.len);
	object->path[path.len] = 0;
	export = open_object(object->path);
	if (!export || take(object, export))
		return NULL;
	fill_in(object);
	nr_objects++;
	return &object->policy;
}

static const struct object *object_of(const struct iommusim_policy *policy)
{
	for (unsigned i = 0; i < nr_objects; i++)
		if (policy == &objects[i].policy)
			return &objects[i];
	return NULL;
}

const char *policy_argument(const struct iommusim_policy *policy)
{
	const struct object *object = object_of(policy);

	return object ? object->path : policy->alias;
}

/* The release that a text like "4.7 to 6.3" or "about 3.9" starts with, as 1000 * major + minor;
 * 0: none. */
static unsigned first_release(const char *kernels)
{
	unsigned major = 0, minor = 0;
	const char *at = kernels + strcspn(kernels, "0123456789");

	for (; *at >= '0' && *at <= '9'; at++)
		major = major * 10 + (unsigned)(*at - '0');
	if (*at++ != '.' || major > 99)
		return 0;
	for (; *at >= '0' && *at <= '9' && minor < 1000; at++)
		minor = minor * 10 + (unsigned)(*at - '0');
	return major * 1000 + minor;
}

const struct iommusim_policy *object_reference(const struct iommusim_policy *policy)
{
	const struct object *object = object_of(policy);
	const struct iommusim_policy *best = NULL, *p;
	unsigned last, best_release = 0;

	if (!object || !object->kin)
		return NULL;
	last = object->kernel < object->kin->last ? object->kernel : object->kin->last;
	for (size_t i = 0; (p = iommusim_policy_at(i)) != NULL; i++) {
		unsigned release = first_release(p->kernels);

		if (strncmp(p->name, object->kin->like, strlen(object->kin->like)) != 0 ||
		    !release || release > last || release < best_release)
			continue;
		best = p;
		best_release = release;
	}
	return best;
}
