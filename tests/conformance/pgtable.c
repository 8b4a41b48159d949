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

static int create_pgtable(struct bench *bench, struct record *record)
{
	struct record cfg = cfg_of(record);
	struct iommusim_table_memory memory = tables_memory(&bench->tables);
	struct iommusim_pgtable_config config = {
		.size = sizeof(config),
		.format = iommusim_pgtable_format_find(field_text(&cfg, "fmt")),
		.kernel = record->kernel,
		.page_shift = (unsigned)field_u64(record, "ps"),
		.pgsizes = field_u64(&cfg, "pgsize"),
		.ias = (unsigned)field_u64(&cfg, "ias"),
		.oas = (unsigned)field_u64(&cfg, "oas"),
		.quirks = (uint32_t)field_u64(&cfg, "quirks"),
		.is_noncoherent = !field_u64(&cfg, "coh"),
		.memory = &memory,
	};

	tables_init(&bench->tables, field_u64(&cfg, "base"), config.page_shift);
	if (cfg.difference[0])
		differ(record, "%s", cfg.difference);
	return iommusim_pgtable_create(&config, &bench->pgtable);
}

/* Fields of @key, an object of res; a field that the record lacks is not compared. */
static void compare_registers(struct record *record, struct json_object *res, const char *key,
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
	struct json_object *registers = NULL, *value;

	if (!json_object_object_get_ex(res, key, &registers))
		return;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (json_object_object_get_ex(registers, fields[i].name, &value))
			compare_u64(record, fields[i].name, fields[i].value, number(record, value));
}

static void compare_info(struct record *record, struct json_object *res,
                         const struct iommusim_pgtable_info *info)
{
	struct json_object *value;

	if (json_object_object_get_ex(res, "pgsize_bitmap", &value))
		compare_u64(record, "pgsize_bitmap", info->pgsizes, number(record, value));
	if (json_object_object_get_ex(res, "ias", &value))
		compare_u64(record, "ias", info->ias, number(record, value));
	if (json_object_object_get_ex(res, "oas", &value))
		compare_u64(record, "oas", info->oas, number(record, value));
	if (json_object_object_get_ex(res, "ttbr", &value) ||
	    json_object_object_get_ex(res, "vttbr", &value))
		compare_u64(record, "ttbr", info->ttbr, number(record, value));
	if (json_object_object_get_ex(res, "mair", &value))
		compare_u64(record, "mair", info->mair, number(record, value));
	compare_registers(record, res, "tcr", info);
	compare_registers(record, res, "vtcr", info);
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

	compare_u64(record, "the result of M", (uint64_t)(int64_t)err, arg(record, op, 5));
}

static void run_u(struct record *record, struct bench *bench, struct json_object *op)
{
	uint64_t done = iommusim_pgtable_unmap(bench->pgtable, arg(record, op, 1),
	                                       arg(record, op, 2), arg(record, op, 3), NULL);

	compare_u64(record, "the result of u", done, arg(record, op, 4));
}

static void run_U(struct record *record, struct bench *bench, struct json_object *op)
{
	uint64_t done =
		iommusim_domain_unmap(bench->domain, arg(record, op, 1), arg(record, op, 2));

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

static void run_configured(struct record *record, struct bench *bench, struct json_object *res)
{
	struct iommusim_pgtable_info info = iommusim_pgtable_info(bench->pgtable);

	compare_info(record, res, &info);
	if (create_domain(bench, record))
		differ(record, "there is no such domain");
	if (record->difference[0])
		return;
	run_ops(record, bench);
	tables_compare(record, &bench->tables, field(record, "words"));
	tables_compare_list(record, &bench->tables, field(record, "tables"));
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
