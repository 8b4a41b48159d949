/* SPDX-License-Identifier: MIT */
/* Page tables: what a configuration comes to, and every word after every operation. */
#include "tables.h"

#include <stdio.h>
#include <string.h>

/* The tables of a record and a domain over them. */
struct bench {
	struct tables tables;
	struct iommusim_pgtable *pgtable;
	struct iommusim_domain *domain;
	unsigned is_stopped; /* the kernel has stopped with BUG() */
};

/* The configuration as a record of its own. */
static struct record cfg_of(const struct record *record)
{
	struct record cfg = { .kernel = record->kernel };

	json_object_object_get_ex(record->json, "cfg", &cfg.json);
	return cfg;
}

static int is_pgtable(const struct record *record)
{
	struct record cfg = cfg_of(record);
	struct json_object *fmt = NULL;

	json_object_object_get_ex(cfg.json, "fmt", &fmt);
	return has_field(record, "ops") && fmt &&
	       iommusim_pgtable_format_find(json_object_get_string(fmt));
}

/* ---- Configuration ---- */

/* A field of @cfg that not every format has. */
static uint64_t optional(struct record *cfg, const char *key, uint64_t otherwise)
{
	return has_field(cfg, key) ? field_u64(cfg, key) : otherwise;
}

/* VT-d says how many levels may hold large pages instead of page sizes. */
static uint64_t pgsizes_of(struct record *cfg)
{
	static const uint64_t by_levels[] = { 0x1000, 0x201000, 0x40201000 };
	uint64_t sp = optional(cfg, "sp", ARRAY_LEN(by_levels));

	return sp < ARRAY_LEN(by_levels) ? by_levels[sp] : optional(cfg, "pgsize", 0);
}

static int create_pgtable(struct bench *bench, struct record *record)
{
	struct record cfg = cfg_of(record);
	struct iommusim_table_memory memory = tables_memory(&bench->tables);
	struct iommusim_pgtable_config config = {
		.size = sizeof(config),
		.format = iommusim_pgtable_format_find(field_text(&cfg, "fmt")),
		.kernel = record->kernel,
		.page_shift = (unsigned)field_u64(record, "ps"),
		.pgsizes = pgsizes_of(&cfg),
		.ias = (unsigned)optional(&cfg, "ias", 0),
		.oas = (unsigned)optional(&cfg, "oas", 0),
		.quirks = (uint32_t)optional(&cfg, "quirks", 0),
		.is_noncoherent = !optional(&cfg, "coh", 1),
		.nr_levels = (unsigned)optional(&cfg, "gpt", 0),
		.force_snoop = (unsigned)optional(&cfg, "snp", 0),
		.memory = &memory,
	};

	tables_init(&bench->tables, field_u64(&cfg, "base"), config.format->word_bytes);
	if (cfg.difference[0])
		differ(record, "%s", cfg.difference);
	return iommusim_pgtable_create(&config, &bench->pgtable);
}

/* Fields of the register @registers, an object of res. */
static void compare_registers(struct record *record, struct json_object *registers,
                              const struct iommusim_pgtable_info *info)
{
	const struct {
		const char *name;
		unsigned value;
	} fields[] = {
		{ "ips", info->tcr_ips }, { "ps", info->tcr_ips },    { "tg", info->tcr_tg },
		{ "sh", info->tcr_sh },   { "orgn", info->tcr_orgn }, { "irgn", info->tcr_irgn },
		{ "tsz", info->tcr_tsz }, { "sl", info->tcr_sl },
	};
	struct json_object *value;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (json_object_object_get_ex(registers, fields[i].name, &value))
			compare_u64(record, fields[i].name, fields[i].value, number(record, value));
}

static void compare_roots(struct record *record, struct json_object *roots,
                          const struct iommusim_pgtable_info *info)
{
	compare_u64(record, "the number of first tables", info->nr_roots, length_of(roots));
	for (size_t i = 0; i < info->nr_roots && i < length_of(roots); i++)
		compare_at(record, "first table", i, info->roots[i], item_u64(record, roots, i));
}

/* What the configuration came to, field by field; one that is not known differs. */
static void compare_info(struct record *record, struct json_object *res,
                         const struct iommusim_pgtable_info *info)
{
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
		{ "pgsize_bitmap", info->pgsizes },
		{ "ias", info->ias },
		{ "oas", info->oas },
		{ "gaw", info->ias },
		{ "agaw", (info->ias - 30) / 9 },
		{ "levels", info->nr_levels },
		{ "mode", info->nr_levels },
		{ "root", info->root },
		{ "ttbr", info->ttbr },
		{ "vttbr", info->ttbr },
		{ "transtab", info->ttbr },
		{ "mair", info->mair },
		{ "memattr", info->mair },
		{ "prrr", info->prrr },
		{ "nmrr", info->nmrr },
		{ "tcr", 0 },
		{ "n_ttbrs", info->nr_roots },
	};

	json_object_object_foreach(res, name, value)
	{
		size_t i = 0;

		while (i < ARRAY_LEN(fields) && strcmp(fields[i].name, name) != 0)
			i++;
		if (json_object_is_type(value, json_type_object))
			compare_registers(record, value, info);
		else if (json_object_is_type(value, json_type_array))
			compare_roots(record, value, info);
		else if (i < ARRAY_LEN(fields))
			compare_u64(record, name, fields[i].value, number(record, value));
		else
			differ(record, "there is no such result of a configuration: %s", name);
	}
}

static int create_domain(struct bench *bench, struct record *record)
{
	struct iommusim_driver driver = iommusim_pgtable_driver(bench->pgtable);
	struct iommusim_domain_config config = {
		.size = sizeof(config),
		.kernel = record->kernel,
		.pgsizes = iommusim_pgtable_info(bench->pgtable).pgsizes,
		.driver = &driver,
	};

	return iommusim_domain_create(&config, &bench->domain);
}

/* ---- Operations ---- */

/* The arguments of an operation by position, 1 is the first. */
static uint64_t arg(struct record *record, struct json_object *op, size_t index)
{
	return item_u64(record, op, index);
}

/* Is the result number @index "BUG"? Then the kernel has stopped, and we said so. */
static int is_bug(struct record *record, struct bench *bench, struct json_object *op, size_t index)
{
	struct json_object *value = item(op, index);
	const char *text = json_object_get_string(value);
	unsigned is = text && !strcmp(text, "BUG");

	compare_u64(record, "stopping with BUG()",
	            iommusim_pgtable_info(bench->pgtable).nr_bugs != 0, is);
	bench->is_stopped = is;
	return is != 0;
}

/* A driver call: ["m", iova, pa, pgsize, count, prot, ret, mapped]. */
static void run_m(struct record *record, struct bench *bench, struct json_object *op)
{
	struct iommusim_map_pages pages = { .iova = arg(record, op, 1),
		                            .pa = arg(record, op, 2),
		                            .pgsize = arg(record, op, 3),
		                            .count = arg(record, op, 4),
		                            .prot = (unsigned)arg(record, op, 5) };
	uint64_t mapped = 0;
	int err = iommusim_pgtable_map(bench->pgtable, &pages, &mapped);

	if (is_bug(record, bench, op, 6))
		return;
	compare_u64(record, "the result of m", (uint64_t)(int64_t)err, arg(record, op, 6));
	compare_u64(record, "the bytes mapped", mapped, arg(record, op, 7));
}

/* iommu_map(): ["M", iova, pa, size, prot, ret]. */
static void run_M(struct record *record, struct bench *bench, struct json_object *op)
{
	struct iommusim_map map = { .iova = arg(record, op, 1),
		                    .pa = arg(record, op, 2),
		                    .size = arg(record, op, 3),
		                    .prot = (unsigned)arg(record, op, 4) };
	int err = iommusim_domain_map(bench->domain, &map);

	if (!is_bug(record, bench, op, 5))
		compare_u64(record, "the result of M", (uint64_t)(int64_t)err, arg(record, op, 5));
}

static void run_u(struct record *record, struct bench *bench, struct json_object *op)
{
	uint64_t done = iommusim_pgtable_unmap(bench->pgtable, arg(record, op, 1),
	                                       arg(record, op, 2), arg(record, op, 3), NULL);

	if (!is_bug(record, bench, op, 4))
		compare_u64(record, "the result of u", done, arg(record, op, 4));
}

static void run_U(struct record *record, struct bench *bench, struct json_object *op)
{
	uint64_t done =
		iommusim_domain_unmap(bench->domain, arg(record, op, 1), arg(record, op, 2));

	if (!is_bug(record, bench, op, 3))
		compare_u64(record, "the result of U", done, arg(record, op, 3));
}

static void run_t(struct record *record, struct bench *bench, struct json_object *op)
{
	uint64_t iova = arg(record, op, 1);

	compare_u64(record, "the result of t", iommusim_pgtable_iova_to_phys(bench->pgtable, iova),
	            arg(record, op, 2));
}

static void run_f(struct record *record, struct bench *bench, struct json_object *op)
{
	bench->tables.left = arg(record, op, 1);
}

static void run_d(struct record *record, struct bench *bench, struct json_object *op)
{
	tables_compare(record, &bench->tables, item(op, 1));
}

static void run_op(struct record *record, struct bench *bench, struct json_object *op)
{
	static const struct {
		const char *name;
		void (*run)(struct record *record, struct bench *bench, struct json_object *op);
	} ops[] = {
		{ "m", run_m }, { "M", run_M }, { "u", run_u }, { "U", run_U },
		{ "t", run_t }, { "f", run_f }, { "d", run_d },
	};
	const char *name = json_object_get_string(item(op, 0));

	for (size_t i = 0; name && i < ARRAY_LEN(ops); i++) {
		if (!strcmp(name, ops[i].name)) {
			ops[i].run(record, bench, op);
			return;
		}
	}
	differ(record, "there is no operation %s", name ? name : "");
}

static void run_ops(struct record *record, struct bench *bench)
{
	struct json_object *ops = field(record, "ops");

	for (size_t i = 0; i < length_of(ops) && !record->difference[0]; i++) {
		run_op(record, bench, item(ops, i));
		if (record->difference[0]) {
			size_t used = strlen(record->difference);

			snprintf(record->difference + used, sizeof(record->difference) - used,
			         " (operation %lu)", (unsigned long)i);
		}
	}
}

/* What a format with a growing root says at the end; the others have no such fields. */
static void compare_root(struct record *record, const struct bench *bench)
{
	struct iommusim_pgtable_info info = iommusim_pgtable_info(bench->pgtable);

	if (has_field(record, "root"))
		compare_u64(record, "the root at the end", info.root, field_u64(record, "root"));
	if (has_field(record, "mode"))
		compare_u64(record, "the mode at the end", info.nr_levels,
		            field_u64(record, "mode"));
}

static void run_configured(struct record *record, struct bench *bench, struct json_object *res)
{
	struct iommusim_pgtable_info info = iommusim_pgtable_info(bench->pgtable);

	compare_info(record, res, &info);
	if (create_domain(bench, record))
		differ(record, "there is no such domain");
	if (record->difference[0])
		return;
	run_ops(record, bench);
	if (bench->is_stopped)
		return;
	tables_compare(record, &bench->tables, field(record, "words"));
	tables_compare_list(record, &bench->tables, field(record, "tables"));
	compare_root(record, bench);
}

static void run_pgtable(struct record *record)
{
	struct bench bench = { .pgtable = NULL };
	struct json_object *res = field(record, "res");
	int err = create_pgtable(&bench, record);

	if (err && res)
		differ(record, "the configuration is refused with %s", iommusim_errname(err));
	else if (!err && !res)
		differ(record, "the configuration is accepted");
	else if (!err)
		run_configured(record, &bench, res);
	iommusim_domain_destroy(bench.domain);
	iommusim_pgtable_destroy(bench.pgtable);
	tables_finish(&bench.tables);
}

const struct kind kind_pgtable = { "pgtable", is_pgtable, run_pgtable };
