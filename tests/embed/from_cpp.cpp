/* SPDX-License-Identifier: MIT */
/* The library from C++11: a buffer of 6 MB is one IOVA range, and what it leads to is memory. */
#include <iommusim.h>

#include <memory>

struct destroy {
	void operator()(iommusim_machine *machine) const
	{
		iommusim_machine_destroy(machine);
	}
};

static std::unique_ptr<iommusim_machine, destroy> create_machine()
{
	iommusim_phys_config memory = iommusim_phys_config();
	iommusim_machine_config config = iommusim_machine_config();
	iommusim_machine *machine = nullptr;

	memory.size = sizeof(memory);
	config.size = sizeof(config);
	if (!iommusim_phys_create(&memory, &config.phys) &&
	    iommusim_machine_create(&config, &machine))
		iommusim_phys_destroy(config.phys);
	return std::unique_ptr<iommusim_machine, destroy>(machine);
}

static bool is_mapped(const iommusim_machine &machine, const iommusim_dma_buffer &buffer)
{
	iommusim_domain *domain = iommusim_machine_domain(const_cast<iommusim_machine *>(&machine));

	for (uint64_t at = 0; at < buffer.size; at += 4096)
		if (!iommusim_domain_iova_to_phys(domain, buffer.dma_addr + at))
			return false;
	return buffer.size == 6000 << 10;
}

int main()
{
	auto machine = create_machine();
	iommusim_dma_request req = iommusim_dma_request();
	iommusim_dma_buffer buffer;
	bool ok;

	if (!machine)
		return 1;
	req.size = 6000 << 10;
	req.gfp = IOMMUSIM_GFP_KERNEL;
	ok = !iommusim_dma_alloc_noncontiguous(iommusim_machine_dma(machine.get()), &req, &buffer);
	ok = ok && is_mapped(*machine, buffer);
	return iommusim_dma_free(iommusim_machine_dma(machine.get()), &buffer) || !ok;
}
