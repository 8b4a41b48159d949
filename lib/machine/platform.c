/* SPDX-License-Identifier: MIT */
/* Machines of the catalogue: what a platform's row leaves open is settled here, and said so. */
#include <string.h>

#include "base/bits.h"
#include "base/compiler.h"
#include "base/host.h"
#include "iommusim/machine.h"

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

/* How memory is cut into zones, by architecture: RAM starts at @start, and each zone ends, in RAM
 * below @low, where the next begins. */
static const struct layout {
	const char *arch;
	struct {
		enum iommusim_zone zone;
		uint64_t start, most; /* bytes; most 0: all the rest */
	} part[IOMMUSIM_PLATFORM_ZONES];
	unsigned nr;
} layouts[] = {
	{ "x86_64",
	  { { IOMMUSIM_ZONE_DMA, 0, MIB(16) },
	    { IOMMUSIM_ZONE_DMA32, MIB(16), GIB(3) - MIB(16) },
	    { IOMMUSIM_ZONE_NORMAL, GIB(4), 0 } },
	  3 },
	{ "arm64",
	  { { IOMMUSIM_ZONE_DMA, GIB(1), GIB(3) }, { IOMMUSIM_ZONE_NORMAL, GIB(4), 0 } },
	  2 },
	{ "riscv",
	  { { IOMMUSIM_ZONE_DMA32, GIB(2), GIB(2) }, { IOMMUSIM_ZONE_NORMAL, GIB(4), 0 } },
	  2 },
	{ "arm",
	  { { IOMMUSIM_ZONE_NORMAL, GIB(1), MIB(760) },
	    { IOMMUSIM_ZONE_HIGHMEM, GIB(1) + MIB(760), 0 } },
	  2 },
	{ "", { { IOMMUSIM_ZONE_NORMAL, 0, 0 } }, 1 },
};

static const struct layout *layout_of(const char *arch)
{
	const struct layout *layout = layouts;

	while (*layout->arch && strcmp(layout->arch, arch) != 0)
		layout++;
	return layout;
}

/* RAM below what the IOMMU's words can say starts at 0 where it would not fit from @start on. */
static uint64_t start_of(const struct iommusim_catalog_platform *platform, uint64_t start)
{
	const struct iommusim_catalog_driver *row =
		iommusim_catalog_driver_find(platform->iommu_driver_id);
	uint64_t last = row && row->pa_bits ? isim_low_bits(row->pa_bits) : UINT64_MAX;

	return start && platform->ram_bytes - 1 > last - start ? 0 : start;
}

unsigned iommusim_platform_zones(const struct iommusim_catalog_platform *platform,
                                 struct iommusim_zone_config *zones)
{
	const struct layout *layout = layout_of(platform->cpu_arch);
	uint64_t first = layout->part[0].start, start = start_of(platform, first);
	uint64_t left = platform->ram_bytes;
	unsigned nr = 0;

	for (unsigned i = 0; i < layout->nr && left >> platform->page_shift; i++) {
		uint64_t most = layout->part[i].most + (i ? 0 : first - start);
		uint64_t bytes = most && most < left ? most : left;

		zones[nr++] = (struct iommusim_zone_config){
			.zone = layout->part[i].zone,
			.start_pfn = (i ? layout->part[i].start : start) >> platform->page_shift,
			.nr_frames = bytes >> platform->page_shift,
		};
		left -= bytes;
	}
	return nr;
}

uint64_t iommusim_platform_mask(const struct iommusim_catalog_platform *platform,
                                const char *master)
{
	for (size_t i = 0; i < platform->nr_masks; i++)
		if (!master || !strcmp(platform->masks[i].name, master))
			return platform->masks[i].last;
	return UINT32_MAX;
}

static int create_phys(const struct iommusim_platform_config *c, struct iommusim_phys **phys)
{
	struct iommusim_zone_config zones[IOMMUSIM_PLATFORM_ZONES];
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .kernel = c->kernel,
		                               .page_shift = c->platform->page_shift,
		                               .zones = zones,
		                               .host = c->host };

	config.nr_zones = iommusim_platform_zones(c->platform, zones);
	for (unsigned i = 0; i < config.nr_zones; i++)
		config.configured_zones |= 1u << zones[i].zone;
	return iommusim_phys_create(&config, phys);
}

static int is_pci(const struct iommusim_catalog_platform *platform)
{
	return strstr(platform->dma_masters, "pcie") || strstr(platform->dma_masters, "nvme");
}

static void set_aperture(struct iommusim_machine_config *config,
                         const struct iommusim_catalog_driver *row)
{
	uint64_t mask = config->coherent_mask ? config->coherent_mask : UINT32_MAX;
	uint64_t mapped = isim_low_bits(config->ias);

	if (!row->has_aperture ||
	    (config->format && !config->window_start && row->aperture_start > mapped))
		return;
	config->aperture_start = row->aperture_start;
	config->aperture_last = row->aperture_last;
	config->coherent_mask = mask < row->aperture_start ? row->aperture_last : mask;
}

void iommusim_machine_use_row(struct iommusim_machine_config *config,
                              const struct iommusim_catalog_driver *row, unsigned page_shift)
{
	struct iommusim_catalog_tables tables = iommusim_catalog_driver_tables(
		row, page_shift, isim_kernel(config->kernel), config->contiguous);

	config->pgsizes = tables.pgsizes;
	config->format = tables.format;
	config->quirks = tables.quirks;
	config->ias = tables.format ? tables.ias : 0;
	config->oas = tables.format ? tables.oas : 0;
	config->window_start = tables.window_start;
	config->nr_levels = tables.nr_levels;
	config->is_noncoherent = !strcmp(row->coherent_walk, "no");
	set_aperture(config, row);
}

static int create(const struct iommusim_platform_config *c,
                  const struct iommusim_catalog_driver *row, struct iommusim_machine **machine)
{
	struct iommusim_machine_config config = {
		.size = sizeof(config),
		.kernel = c->kernel,
		.phys = c->phys,
		.mode = c->mode,
		.coherent_mask = iommusim_platform_mask(c->platform, c->master),
		.is_pci = (unsigned)is_pci(c->platform),
		.host = c->host,
		.tables_in_phys = c->tables_in_phys,
	};
	int err;

	iommusim_machine_use_row(&config, row, c->platform->page_shift);
	err = config.phys ? 0 : create_phys(c, &config.phys);
	if (err)
		return err;
	err = iommusim_machine_create(&config, machine);
	if (err && !c->phys)
		iommusim_phys_destroy(config.phys);
	return err;
}

int iommusim_machine_create_platform(const struct iommusim_platform_config *config,
                                     struct iommusim_machine **machine)
{
	struct iommusim_platform_config c;
	struct iommusim_host host;
	int err = isim_copy_sized(&c, sizeof(c), config);

	if (!err)
		err = isim_host_init(&host, c.host);
	if (err)
		return err;
	if (!c.platform)
		return isim_complain(&host, IOMMUSIM_EINVAL, "a machine needs a platform");
	if (!isim_kernel(c.kernel))
		return isim_complain(&host, IOMMUSIM_EINVAL, "an unknown kernel version");
	if (c.phys && iommusim_phys_page_shift(c.phys) != c.platform->page_shift)
		return isim_complain(&host, IOMMUSIM_EINVAL,
		                     "%s has CPU pages of 2^%u bytes, its memory of 2^%u",
		                     c.platform->id, c.platform->page_shift,
		                     iommusim_phys_page_shift(c.phys));
	if (!c.driver)
		c.driver = iommusim_catalog_driver_find(c.platform->iommu_driver_id);
	if (!c.driver || !c.driver->pgsizes)
		return isim_complain(&host, IOMMUSIM_ENODEV, "%s has no paging IOMMU",
		                     c.platform->id);
	return create(&c, c.driver, machine);
}
