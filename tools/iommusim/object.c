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
#include "guard.h"
#include "options.h"
#include "say.h"

#define SYMBOL  "iommusim_exported_policy"
#define REBUILD "rebuild it against this program's headers, of iommusim " IOMMUSIM_VERSION

static struct object {
	char path[4200];  /* or what stands for it in lists of policies */
	char said[4200];  /* how messages start: whose it is */
	const char *file; /* that it was made of; NULL: not known */
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

/* It can be loaded and exports nothing. */
static void say_no_symbol(const struct object *object)
{
	if (object->file)
		say("%s has no IOMMUSIM_KERNEL_POLICY(function)", object->said);
	else
		say("%s has no symbol " SYMBOL " (IOMMUSIM_EXPORT_POLICY() makes one)",
		    object->said);
}

/* What the object at @path exports. NULL after a message. */
static const struct iommusim_policy_export *open_object(const struct object *object,
                                                        const char *path)
{
	char slashed[4210];
	FILE *file = fopen(path, "rb");
	const struct iommusim_policy_export *export;
	void *handle;

	if (!file) {
		say("%s cannot be opened", object->said);
		return NULL;
	}
	fclose(file);
	snprintf(slashed, sizeof(slashed), "%s%s", strchr(path, '/') ? "" : "./", path);
	handle = dlopen(slashed, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		say("%s %s: %s", object->said,
		    object->file ? "cannot be loaded" : "is no shared object that can be loaded",
		    reason_of(dlerror(), slashed));
		return NULL;
	}
	export = dlsym(handle, SYMBOL);
	if (!export)
		say_no_symbol(object);
	return export;
}
#else
static const struct iommusim_policy_export *open_object(const struct object *object,
                                                        const char *path)
{
	(void)path;
	say("%s: this program was built without dlopen(), which loads shared objects",
	    object->said);
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
	const char *said = object->said;
	size_t bytes = export->policy_bytes;

	if (export->abi != IOMMUSIM_POLICY_ABI)
		return say("%s has policy ABI %u, this program has %u: " REBUILD, said, export->abi,
		           IOMMUSIM_POLICY_ABI);
	if (!export->policy)
		return say("%s exports no policy, but NULL", said);
	if (bytes < offsetof(struct iommusim_policy, params))
		return say("%s has a struct iommusim_policy of %zu bytes, this program one of "
		           "%zu: " REBUILD,
		           said, bytes, sizeof(object->policy));
	if (export->policy->size != bytes)
		return say("%s has a struct iommusim_policy of %zu bytes that says .size = %zu: it "
		           "is to be its sizeof",
		           said, bytes, export->policy->size);
	if (!is_beyond_zero(export->policy, bytes))
		return say("%s uses members of a newer struct iommusim_policy, of %zu bytes, this "
		           "program has one of %zu: " REBUILD,
		           said, bytes, sizeof(object->policy));
	memset(&object->policy, 0, sizeof(object->policy));
	memcpy(&object->policy, export->policy,
	       bytes < sizeof(object->policy) ? bytes : sizeof(object->policy));
	object->policy.size = sizeof(object->policy);
	object->kin = export->kin;
	object->kernel = export->kernel;
	if (object->policy.only_order >= IOMMUSIM_MAX_ORDERS)
		return say("%s: its policy's only_order, %u, is above %d", said,
		           object->policy.only_order, IOMMUSIM_MAX_ORDERS - 1);
	return object->policy.alloc ? 0 : say("%s: its policy has no function alloc", said);
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

static const struct iommusim_policy *find(struct slice path)
{
	for (unsigned i = 0; i < nr_objects; i++)
		if (slice_is(path, objects[i].path))
			return &objects[i].policy;
	return NULL;
}

/* Room for one more, that is called @path. NULL after a message. */
static struct object *make_room(struct slice path)
{
	struct object *object = &objects[nr_objects];

	if (nr_objects == MAX_POLICIES || path.len >= sizeof(object->path)) {
		say("--policy: too many shared objects, or too long a path");
		return NULL;
	}
	memcpy(object->path, path.start, path.len);
	object->path[path.len] = 0;
	return object;
}

static const struct iommusim_policy *load(struct object *object, const char *path)
{
	const struct iommusim_policy_export *export = open_object(object, path);

	if (!export || take(object, export))
		return NULL;
	fill_in(object);
	guard_policy(&object->policy, object->path);
	nr_objects++;
	return &object->policy;
}

const struct iommusim_policy *object_policy(struct slice path)
{
	const struct iommusim_policy *known = find(path);
	struct object *object = known ? NULL : make_room(path);

	if (!object)
		return known;
	object->file = NULL;
	snprintf(object->said, sizeof(object->said), "policy '%.*s'", (int)path.len, path.start);
	return load(object, object->path);
}

const struct iommusim_policy *object_policy_of(const char *path, const char *file, const char *name)
{
	struct object *object = make_room(slice_of(name));

	if (!object)
		return NULL;
	object->file = file;
	snprintf(object->said, sizeof(object->said), "try: '%.4180s'", file);
	return load(object, path);
}

static const struct object *object_of(const struct iommusim_policy *policy)
{
	for (unsigned i = 0; i < nr_objects; i++)
		if (policy == &objects[i].policy)
			return &objects[i];
	return NULL;
}

void object_restrict(const struct iommusim_policy *policy, unsigned order)
{
	for (unsigned i = 0; i < nr_objects; i++)
		if (policy == &objects[i].policy)
			objects[i].policy.only_order = order;
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
