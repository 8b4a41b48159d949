/* SPDX-License-Identifier: MIT */
/*
 * The rooms put together: memory, a domain over page tables or the recording driver, an IOVA space,
 * a device.
 */
#include "iommusim/machine.h"

#include "base/bits.h"
#include "base/host.h"

struct iommusim_machine {
	struct isim_diag diag;
	struct iommusim_machine_config config;
	struct iommusim_phys *phys;
	struct iommusim_recorder *recorder;  /* this, */
	struct iommusim_table_pages *tables; /* or these */
	struct iommusim_pgtable *pgtable;
	struct iommusim_domain *domain;
	struct iommusim_iova *iova;
	struct iommusim_dma *dma;
};

static int create_recorder(struct iommusim_machine *m)
{
	struct iommusim_recorder_config config = { .size = sizeof(config),
		                                   .keep_calls = m->config.keep_calls,
		                                   .host = &m->diag.host };

	return iommusim_recorder_create(&config, &m->recorder);
}

static int create_tables(struct iommusim_machine *m)
{
	struct iommusim_page_source source = iommusim_phys_source(m->phys);
	struct iommusim_table_pages_config config = {
		.size = sizeof(config),
		.page_shift = iommusim_phys_page_shift(m->phys),
		.source = &source,
		.host = &m->diag.host,
	};

	return m->config.tables_in_phys ? iommusim_table_pages_create(&config, &m->tables) : 0;
}

/*
 * Where the library's own tables lie, in physical addresses: 0: where the format has them. That is
 * at 1 GiB where words are of 32 bits. Memory there would hold the pages that stand for "nothing
 * here" in some formats; then the tables come before it.
 */
static uint64_t arena_start(const struct iommusim_machine *m)
{
	unsigned shift = iommusim_phys_page_shift(m->phys);
	uint64_t first = UINT64_MAX, end = 0, usual = isim_bit(30);
	struct iommusim_zone_info zone;

	for (unsigned i = 0; !iommusim_phys_zone(m->phys, i, &zone); i++) {
		uint64_t start = zone.start_pfn << shift;
		uint64_t zone_end = start + (zone.nr_frames << shift);

		first = start < first ? start : first;
		end = zone_end > end ? zone_end : end;
	}
	if (first > usual || end <= usual || first < isim_bit(28))
		return 0;
	return isim_align_down(first - isim_bit(28), isim_bit(20));
}

/* The page tables; what page sizes they leave are the machine's. */
static int create_pgtable(struct iommusim_machine *m)
{
	struct iommusim_table_memory memory;
	struct iommusim_pgtable_config config = {
		.size = sizeof(config),
		.format = m->config.format,
		.kernel = m->config.kernel,
		.page_shift = iommusim_phys_page_shift(m->phys),
		.pgsizes = m->config.pgsizes,
		.ias = m->config.ias,
		.oas = m->config.oas,
		.quirks = m->config.quirks,
		.is_noncoherent = m->config.is_noncoherent,
		.contiguous = m->config.contiguous,
		.nr_levels = m->config.nr_levels,
		.force_snoop = m->config.force_snoop,
		.section_split = m->config.section_split,
		.hw_dirty = m->config.hw_dirty,
		.window_start = m->config.window_start,
		.arena_start = m->config.tables_in_phys ? 0 : arena_start(m),
		.host = &m->diag.host,
	};
	int err;

	if (m->config.quirks & IOMMUSIM_QUIRK_ARM_TTBR1)
		return isim_fail(&m->diag, IOMMUSIM_EINVAL,
		                 "tables for high addresses map none that a device gets");
	err = create_tables(m);
	if (err)
		return err;
	if (m->tables) {
		memory = iommusim_table_pages_memory(m->tables);
		config.memory = &memory;
	}
	err = iommusim_pgtable_create(&config, &m->pgtable);
	if (!err)
		m->config.pgsizes = iommusim_pgtable_info(m->pgtable).pgsizes;
	return err;
}

static struct iommusim_driver driver_of(struct iommusim_machine *m)
{
	return m->pgtable ? iommusim_pgtable_driver(m->pgtable)
	                  : iommusim_recorder_driver(m->recorder);
}

static int create_domain(struct iommusim_machine *m)
{
	struct iommusim_driver driver = driver_of(m);
	struct iommusim_domain_config config = { .size = sizeof(config),
		                                 .kernel = m->config.kernel,
		                                 .pgsizes = m->config.pgsizes,
		                                 .driver = &driver,
		                                 .host = &m->diag.host };

	return iommusim_domain_create(&config, &m->domain);
}

/* The first address that the aperture and the page tables leave. */
static uint64_t first_address(const struct iommusim_machine *m)
{
	uint64_t window = m->pgtable ? iommusim_pgtable_info(m->pgtable).window_start : 0;

	return window > m->config.aperture_start ? window : m->config.aperture_start;
}

static int create_iova(struct iommusim_machine *m)
{
	unsigned granule_lg2 = isim_low_bit(m->config.pgsizes);
	struct iommusim_iova_config config = { .size = sizeof(config),
		                               .granule_lg2 = granule_lg2,
		                               .start = first_address(m) >> granule_lg2,
		                               .host = &m->diag.host };

	return iommusim_iova_create(&config, &m->iova);
}

/* The last address that the aperture and the page tables leave; 0: there is no limit. */
static uint64_t last_address(const struct iommusim_machine *m)
{
	struct iommusim_pgtable_info info;
	uint64_t last = m->config.aperture_last ? m->config.aperture_last : UINT64_MAX;
	uint64_t mapped = UINT64_MAX;

	if (m->pgtable) {
		info = iommusim_pgtable_info(m->pgtable);
		mapped = info.window_bytes ? info.window_start + (info.window_bytes - 1)
		                           : isim_low_bits(info.ias);
	}
	last = mapped < last ? mapped : last;
	return last == UINT64_MAX ? 0 : last;
}

static int create_dma(struct iommusim_machine *m)
{
	struct iommusim_page_source source = iommusim_phys_source(m->phys);
	struct iommusim_dma_config config = { .size = sizeof(config),
		                              .kernel = m->config.kernel,
		                              .page_shift = iommusim_phys_page_shift(m->phys),
		                              .nr_orders = iommusim_phys_nr_orders(m->phys),
		                              .mode = m->config.mode,
		                              .coherent_mask = m->config.coherent_mask,
		                              .is_pci = m->config.is_pci,
		                              .aperture_start = first_address(m),
		                              .aperture_last = last_address(m),
		                              .domain = m->domain,
		                              .iova = m->iova,
		                              .source = &source,
		                              .host = &m->diag.host };

	return iommusim_dma_create(&config, &m->dma);
}

/* A machine without its parts. NULL: the host has no memory. */
static struct iommusim_machine *empty_machine(const struct iommusim_machine_config *config,
                                              const struct iommusim_host *host)
{
	struct iommusim_machine *m = isim_zalloc(host, 1, sizeof(*m));

	if (!m)
		return NULL;
	m->diag.host = *host;
	m->config = *config;
	m->config.phys = NULL;
	m->config.host = NULL;
	return m;
}

int iommusim_machine_create(const struct iommusim_machine_config *config,
                            struct iommusim_machine **machine)
{
	struct iommusim_machine_config c;
	struct iommusim_machine *m;
	struct iommusim_host host;
	int err = isim_copy_sized(&c, sizeof(c), config);

	if (!err)
		err = isim_host_init(&host, c.host);
	if (err)
		return err;
	if (!c.phys)
		return isim_complain(&host, IOMMUSIM_EINVAL, "a machine needs memory");
	if (!c.pgsizes)
		c.pgsizes =
			isim_bit(iommusim_phys_page_shift(c.phys)) | isim_bit(21) | isim_bit(30);
	m = empty_machine(&c, &host);
	if (!m)
		return isim_complain(&host, IOMMUSIM_EHOST, "the host has no memory for a machine");
	m->phys = c.phys;
	err = c.format ? create_pgtable(m) : create_recorder(m);
	if (!err)
		err = create_domain(m);
	if (!err)
		err = create_iova(m);
	if (!err)
		err = create_dma(m);
	if (err) {
		m->phys = NULL;
		iommusim_machine_destroy(m);
		return err;
	}
	*machine = m;
	return 0;
}

void iommusim_machine_destroy(struct iommusim_machine *machine)
{
	struct iommusim_host host;

	if (!machine)
		return;
	host = machine->diag.host;
	iommusim_dma_destroy(machine->dma);
	iommusim_iova_destroy(machine->iova);
	iommusim_domain_destroy(machine->domain);
	iommusim_recorder_destroy(machine->recorder);
	iommusim_pgtable_destroy(machine->pgtable);
	iommusim_table_pages_destroy(machine->tables);
	iommusim_phys_destroy(machine->phys);
	isim_free(&host, machine);
}

/* Page tables, with the pages they are in, or the recording driver. */
static int fork_tables(struct iommusim_machine *m, const struct iommusim_machine *from)
{
	struct iommusim_page_source source = iommusim_phys_source(m->phys);
	struct iommusim_table_memory memory;
	int err;

	if (!from->pgtable)
		return iommusim_recorder_fork(from->recorder, &m->recorder);
	if (!from->tables)
		return iommusim_pgtable_fork(from->pgtable, NULL, &m->pgtable);
	err = iommusim_table_pages_fork(from->tables, &source, &m->tables);
	if (err)
		return err;
	memory = iommusim_table_pages_memory(m->tables);
	return iommusim_pgtable_fork(from->pgtable, &memory, &m->pgtable);
}

static int fork_parts(struct iommusim_machine *m, const struct iommusim_machine *from)
{
	struct iommusim_page_source source;
	struct iommusim_dma_config parts = { .source = &source };
	struct iommusim_driver driver;
	int err = iommusim_phys_fork(from->phys, &m->phys);

	if (!err)
		err = fork_tables(m, from);
	if (!err)
		err = iommusim_iova_fork(from->iova, &m->iova);
	if (err)
		return err;
	driver = driver_of(m);
	err = iommusim_domain_fork(from->domain, &driver, &m->domain);
	if (err)
		return err;
	source = iommusim_phys_source(m->phys);
	parts.domain = m->domain;
	parts.iova = m->iova;
	return iommusim_dma_fork(from->dma, &parts, &m->dma);
}

int iommusim_machine_fork(const struct iommusim_machine *machine, struct iommusim_machine **copy)
{
	struct iommusim_machine *m = empty_machine(&machine->config, &machine->diag.host);
	int err;

	if (!m)
		return -IOMMUSIM_EHOST;
	err = fork_parts(m, machine);
	if (err) {
		iommusim_machine_destroy(m);
		return err;
	}
	*copy = m;
	return 0;
}

struct iommusim_phys *iommusim_machine_phys(struct iommusim_machine *machine)
{
	return machine->phys;
}

struct iommusim_domain *iommusim_machine_domain(struct iommusim_machine *machine)
{
	return machine->domain;
}

struct iommusim_iova *iommusim_machine_iova(struct iommusim_machine *machine)
{
	return machine->iova;
}

struct iommusim_dma *iommusim_machine_dma(struct iommusim_machine *machine)
{
	return machine->dma;
}

struct iommusim_recorder *iommusim_machine_recorder(struct iommusim_machine *machine)
{
	return machine->recorder;
}

struct iommusim_pgtable *iommusim_machine_pgtable(struct iommusim_machine *machine)
{
	return machine->pgtable;
}
