/* SPDX-License-Identifier: MIT */
/** @file iommusim.h  Every public header of libiommusim. */
#ifndef IOMMUSIM_H
#define IOMMUSIM_H

#include "iommusim/base.h"
#include "iommusim/phys.h"
#include "iommusim/phys/attempt.h"
#include "iommusim/phys/cma.h"
#include "iommusim/phys/exact.h"
#include "iommusim/phys/state.h"
#include "iommusim/phys/population.h"
#include "iommusim/pgtable.h"
#include "iommusim/iova.h"
#include "iommusim/chunk.h"
#include "iommusim/domain.h"
#include "iommusim/dma.h"
#include "iommusim/catalog.h"
#include "iommusim/machine.h"
#include "iommusim/check.h"

#endif
