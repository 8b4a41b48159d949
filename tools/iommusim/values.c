/* SPDX-License-Identifier: MIT */
/* The values of options: each function reads one into the options, or says what is wrong with it.
 */
#include "values.h"

#include <string.h>
#include "object.h"
#include "say.h"
#include "text.h"
#include "units.h"

/* A word of the command line and the number that it stands for. */
struct word {
	const char *name;
	unsigned value;
};

static const struct word attrs_words[] = {
	{ "none", 0 },
	{ "single-pages", IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES },
	{ "force-contiguous", IOMMUSIM_ATTR_FORCE_CONTIGUOUS },
	{ NULL, 0 },
};

static const struct word mode_words[] = {
	{ "strict", IOMMUSIM_DOMAIN_STRICT },
	{ "extended", IOMMUSIM_DOMAIN_EXTENDED },
	{ NULL, 0 },
};

static const struct word kernel_words[] = {
	{ "6.1", IOMMUSIM_KERNEL(6, 1) },
	{ "6.12", IOMMUSIM_KERNEL(6, 12) },
	{ NULL, 0 },
};

static const struct word page_words[] = {
	{ "4K", 12 }, { "8K", 13 }, { "16K", 14 }, { "64K", 16 }, { NULL, 0 },
};

static const struct word yes_words[] = { { "yes", 1 }, { "no", 0 }, { NULL, 0 } };

static const struct word format_words[] = {
	{ "table", FORMAT_TABLE },
	{ "json", FORMAT_JSON },
	{ "csv", FORMAT_CSV },
	{ NULL, 0 },
};

static const char *word_name(const struct word *words, unsigned value)
{
	while (words->name && words->value != value)
		words++;
	return words->name ? words->name : "?";
}

static int bad(const char *option, struct slice value, const char *wrong)
{
	return say("--%s: '%.*s' %s", option, (int)value.len, value.start, wrong);
}

/* The word that @value is, in @words; NULL after a message that lists them. */
static const struct word *find_word(const struct word *words, const char *option,
                                    struct slice value)
{
	struct line line = { .len = 0 };

	for (const struct word *w = words; w->name; w++) {
		if (slice_is(value, w->name))
			return w;
		line_add(&line, "%s%s", w == words ? "is none of " : ", ", w->name);
	}
	bad(option, value, line.s);
	return NULL;
}

int value_memory(struct options *options, const char *value)
{
	const char *wrong = read_size(slice_of(value), &options->memory);

	return wrong ? bad("memory", slice_of(value), wrong) : 0;
}

int value_memory_start(struct options *options, const char *value)
{
	const char *wrong = read_size(slice_of(value), &options->memory_start);

	return wrong ? bad("memory-start", slice_of(value), wrong) : 0;
}

int value_cma(struct options *options, const char *value)
{
	const char *wrong = read_size(slice_of(value), &options->cma);

	return wrong ? bad("cma", slice_of(value), wrong) : 0;
}

int value_buddyinfo(struct options *options, const char *value)
{
	options->buddyinfo = value;
	return 0;
}

int value_pagetypeinfo(struct options *options, const char *value)
{
	options->pagetypeinfo = value;
	return 0;
}

int value_zoneinfo(struct options *options, const char *value)
{
	options->zoneinfo = value;
	return 0;
}

int value_splat(struct options *options, const char *value)
{
	options->splat = value;
	return 0;
}

static int parse_pin(struct options *options, struct slice rest)
{
	struct slice order = slice_cut(&rest, '/');
	const char *wrong = read_number(order, &options->pin_order);

	if (wrong)
		return say("--state pin: order: '%.*s' %s", (int)order.len, order.start, wrong);
	if (options->pin_order >= IOMMUSIM_MAX_ORDERS)
		return say("--state pin: order: '%.*s' is above %d", (int)order.len, order.start,
		           IOMMUSIM_MAX_ORDERS - 1);
	wrong = read_number(rest, &options->pin_stride);
	if (!wrong && !options->pin_stride)
		wrong = "is not at least 1";
	if (wrong)
		return say("--state pin: stride: '%.*s' %s", (int)rest.len, rest.start, wrong);
	return 0;
}

static int bad_random(const char *field, struct slice value, const char *wrong)
{
	return say("--state random: %s: '%.*s' %s", field, (int)value.len, value.start, wrong);
}

static int parse_random(struct options *options, struct slice rest)
{
	struct slice free_share = slice_cut(&rest, ',');
	struct slice unusable = slice_cut(&rest, '@');
	uint64_t order;
	const char *wrong = read_permille(free_share, &options->random.free_permille);

	if (wrong)
		return bad_random("free", free_share, wrong);
	wrong = read_permille(unusable, &options->random.unusable_permille);
	if (wrong)
		return bad_random("unusable", unusable, wrong);
	wrong = read_number(rest, &order);
	if (!wrong && order >= IOMMUSIM_MAX_ORDERS)
		wrong = "is above 13";
	if (wrong)
		return bad_random("order", rest, wrong);
	options->random.order = (unsigned)order;
	return 0;
}

static int bad_age(const char *field, struct slice value, const char *wrong)
{
	return say("--state age: %s: '%.*s' %s", field, (int)value.len, value.start, wrong);
}

static int parse_age(struct options *options, struct slice rest)
{
	int has_hours = strchr(rest.start, '/') != NULL;
	struct slice name = slice_cut(&rest, '/');
	struct iommusim_age *age = &options->age;
	uint64_t hours = 0;
	const char *wrong = NULL;

	age->size = sizeof(*age);
	for (size_t i = 0; (age->profile = iommusim_age_profile_at(i)) != NULL; i++)
		if (slice_is(name, age->profile->name))
			break;
	if (!age->profile)
		return bad_age("profile", name, "is none of phone, desktop, server");
	if (has_hours)
		wrong = read_number(rest, &hours);
	if (!wrong && has_hours && (!hours || hours > 10000))
		wrong = "is not 1 .. 10000";
	if (wrong)
		return bad_age("hours", rest, wrong);
	age->hours = (unsigned)hours;
	return 0;
}

int value_state(struct options *options, const char *value)
{
	struct slice rest = slice_of(value);
	struct slice kind = slice_cut(&rest, ':');

	options->state_text = value;
	if (!strcmp(value, "fresh")) {
		options->state = STATE_FRESH;
		return 0;
	}
	if (slice_is(kind, "pin")) {
		options->state = STATE_PIN;
		return parse_pin(options, rest);
	}
	if (slice_is(kind, "random")) {
		options->state = STATE_RANDOM;
		return parse_random(options, rest);
	}
	if (slice_is(kind, "age")) {
		options->state = STATE_AGE;
		return parse_age(options, rest);
	}
	return bad("state", slice_of(value),
	           "is none of fresh, pin:ORDER/STRIDE, random:FREE%,UNUSABLE%@ORDER, "
	           "age:PROFILE[/HOURS]");
}

int value_page_size(struct options *options, const char *value)
{
	const struct word *word = find_word(page_words, "page-size", slice_of(value));

	if (!word)
		return EXIT_INPUT;
	options->page_shift = word->value;
	options->has_page_shift = 1;
	return 0;
}

int value_kernel(struct options *options, const char *value)
{
	const struct word *word = find_word(kernel_words, "kernel", slice_of(value));

	if (!word)
		return EXIT_INPUT;
	options->kernel = word->value;
	options->has_kernel = 1;
	return 0;
}

int value_seed(struct options *options, const char *value)
{
	const char *wrong = read_number(slice_of(value), &options->seed);

	return wrong ? bad("seed", slice_of(value), wrong) : 0;
}

/* 4M, or 16x4M. */
int value_buffers(struct options *options, const char *value)
{
	struct slice rest = slice_of(value);
	struct slice count = { "1", 1 };
	struct buffers buffers;
	const char *wrong;

	if (strchr(value, 'x'))
		count = slice_cut(&rest, 'x');
	wrong = read_number(count, &buffers.count);
	if (wrong)
		wrong = "does not start with a number of buffers, as 16x4M";
	else
		wrong = read_size(rest, &buffers.bytes);
	if (!wrong && !buffers.count)
		wrong = "is a number of 0 buffers (sizes are decimal)";
	if (!wrong && buffers.count > MAX_BUFFERS - options->nr_buffers)
		wrong = "makes more than 65536 buffers";
	if (!wrong && buffers.bytes > (UINT64_MAX - options->buffer_bytes) / buffers.count)
		wrong = "makes more than 2^64 - 1 bytes";
	if (!wrong && options->nr_sizes == MAX_SIZES)
		wrong = "is one size too many";
	if (wrong)
		return bad("size", slice_of(value), wrong);
	options->sizes[options->nr_sizes++] = buffers;
	options->nr_buffers += buffers.count;
	options->buffer_bytes += buffers.count * buffers.bytes;
	return 0;
}

int value_pgsizes(struct options *options, const char *value)
{
	struct slice text = slice_of(value);
	uint64_t pgsizes;
	const char *wrong = read_pgsizes(&text, &pgsizes);

	if (wrong)
		return bad("pgsizes", text, wrong);
	if (granule_of(pgsizes) < 2 || granule_of(pgsizes) > MAX_GRANULE)
		wrong = "has its smallest page outside 2 bytes .. 4G";
	else if (options->nr_iommus == MAX_IOMMUS)
		wrong = "is one IOMMU too many";
	if (wrong)
		return bad("pgsizes", slice_of(value), wrong);
	options->pgsizes[options->nr_iommus++] = pgsizes;
	options->seen_pgsizes = 1;
	return 0;
}

int value_iommu(struct options *options, const char *value)
{
	if (options->nr_iommus == MAX_IOMMUS)
		return bad("iommu", slice_of(value), "is one IOMMU too many");
	options->iommus[options->nr_iommus++] = value;
	options->seen_pgsizes = 1;
	return 0;
}

int value_driver_file(struct options *options, const char *value)
{
	options->driver_file = value;
	return 0;
}

int value_contiguous(struct options *options, const char *value)
{
	const struct word *word = find_word(yes_words, "contiguous", slice_of(value));

	if (!word)
		return EXIT_INPUT;
	options->contiguous = word->value;
	return 0;
}

static int add_policy(struct options *options, const struct iommusim_policy *policy,
                      unsigned is_named)
{
	for (unsigned i = 0; i < options->nr_policies; i++) {
		if (options->policies[i] == policy) {
			options->is_named[i] |= is_named;
			return 0;
		}
	}
	if (options->nr_policies == MAX_POLICIES)
		return say("--policy: more than %d policies", MAX_POLICIES);
	options->policies[options->nr_policies] = policy;
	options->is_named[options->nr_policies++] = is_named;
	return 0;
}

/* All policies of a family, or of every one; *nr gets their number. */
static int add_family(struct options *options, struct slice family, unsigned *nr)
{
	const struct iommusim_policy *policy;
	int every = slice_is(family, "every"), status = 0;

	*nr = 0;
	for (size_t i = 0; !status && (policy = iommusim_policy_at(i)) != NULL; i++) {
		if (!every && !slice_is(family, policy->family))
			continue;
		status = add_policy(options, policy, 0);
		++*nr;
	}
	return status;
}

int value_all_policies(struct options *options)
{
	unsigned nr;

	return add_family(options, slice_of("history"), &nr);
}

static int add_policy_named(struct options *options, struct slice name)
{
	const struct iommusim_policy *policy;
	unsigned nr;
	int status;

	if (slice_is(name, "all"))
		return value_all_policies(options);
	if (is_object(name)) {
		policy = object_policy(name);
		return policy ? add_policy(options, policy, 1) : EXIT_INPUT;
	}
	status = add_family(options, name, &nr);
	if (status || nr)
		return status;
	for (size_t i = 0; (policy = iommusim_policy_at(i)) != NULL; i++)
		if (slice_is(name, policy->name) || slice_is(name, policy->alias))
			return add_policy(options, policy, 1);
	return bad("policy", name, "is no policy (iommusim show policy lists them)");
}

/* Hand each item of a comma list, of which there is at least one, to @add. */
static int for_each_item(struct options *options, const char *value,
                         int (*add)(struct options *options, struct slice item))
{
	struct slice rest = slice_of(value);
	int is_last, status;

	do {
		is_last = !strchr(rest.start, ',');
		status = add(options, slice_cut(&rest, ','));
	} while (!status && !is_last);
	return status;
}

int value_policy(struct options *options, const char *value)
{
	return for_each_item(options, value, add_policy_named);
}

static int add_attrs(struct options *options, struct slice name)
{
	const struct word *word = find_word(attrs_words, "attrs", name);

	if (!word)
		return EXIT_INPUT;
	for (unsigned i = 0; i < options->nr_attrs; i++)
		if (options->attrs[i] == word->value)
			return 0;
	options->attrs[options->nr_attrs++] = word->value;
	return 0;
}

int value_attrs(struct options *options, const char *value)
{
	return for_each_item(options, value, add_attrs);
}

int value_domain(struct options *options, const char *value)
{
	const struct word *word = find_word(mode_words, "domain", slice_of(value));

	if (!word)
		return EXIT_INPUT;
	options->mode = (enum iommusim_domain_mode)word->value;
	options->has_mode = 1;
	return 0;
}

int value_format(struct options *options, const char *value)
{
	const struct word *word = find_word(format_words, "format", slice_of(value));

	if (!word)
		return EXIT_INPUT;
	options->format = (enum format)word->value;
	return 0;
}

int value_pgtable(struct options *options, const char *value)
{
	options->has_pgtable = 1;
	options->pgtable = iommusim_pgtable_format_find(value);
	if (!options->pgtable && strcmp(value, "none") != 0)
		return bad("pgtable", slice_of(value),
		           "is no format (iommusim show format lists them) and not none");
	return 0;
}

int value_iova(struct options *options, const char *value)
{
	const char *wrong = read_address(slice_of(value), &options->iova);

	if (wrong)
		return bad("iova", slice_of(value), wrong);
	options->has_iova = 1;
	return 0;
}

const char *attrs_name(uint32_t attrs)
{
	return word_name(attrs_words, attrs);
}

const char *mode_name(enum iommusim_domain_mode mode)
{
	return word_name(mode_words, (unsigned)mode);
}

const char *kernel_name(unsigned kernel)
{
	return word_name(kernel_words, kernel);
}
