/* SPDX-License-Identifier: MIT */
/** @file policy.h  Runs a pasted function as a policy, and survives what it does. */
#ifndef IOMMUSIM_KERNEL_POLICY_H
#define IOMMUSIM_KERNEL_POLICY_H

#include "iommusim/kernel/call.h"

/** What the params of such a policy point to. */
struct isim_kernel_entry {
	isim_kernel_fn function;
	const struct isim_kernel_convention *convention;
};

/* ---- Signals ---- */

#define ISIM_KERNEL_NR_SIGNALS 5
/** Milliseconds of CPU time for one call; later ones get less. */
#ifndef ISIM_KERNEL_PATIENCE
#define ISIM_KERNEL_PATIENCE 2000
#endif

static inline int isim_kernel_signal(unsigned i)
{
	static const int numbers[ISIM_KERNEL_NR_SIGNALS] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE,
		                                             SIGVTALRM };

	return numbers[i];
}

/* In the library, only time is survived: it is looked at when the pasted code goes on. */
static inline void isim_kernel_caught(int signal, siginfo_t *info, void *context)
{
	struct isim_kernel_run *now = isim_kernel.now;

	(void)context;
	now->is_late |= signal == SIGVTALRM;
	if (now->in_library && signal == SIGVTALRM)
		return;
	if (now->in_library) { /* our own mistake: it happens again, and is fatal */
		sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
		return;
	}
	now->signal = signal;
	now->address = info->si_addr;
	siglongjmp(now->escape, 1);
}

static inline void isim_kernel_set_timer(long microseconds)
{
	struct itimerval timer = { .it_value = { .tv_sec = microseconds / 1000000,
		                                 .tv_usec = microseconds % 1000000 } };

	setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

static inline void isim_kernel_catch(struct sigaction *before, stack_t *stack_before)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	stack_t stack = { .ss_sp = isim_kernel.stack, .ss_size = sizeof(isim_kernel.stack) };

	sigaltstack(&stack, stack_before); /* the code's own may be used up */
	action.sa_sigaction = isim_kernel_caught;
	sigemptyset(&action.sa_mask);
	for (unsigned i = 0; i < ISIM_KERNEL_NR_SIGNALS; i++)
		sigaction(isim_kernel_signal(i), &action, &before[i]);
	isim_kernel_set_timer(isim_kernel.was_late ? 20000 : ISIM_KERNEL_PATIENCE * 1000L);
}

static inline void isim_kernel_uncatch(const struct sigaction *before, const stack_t *stack_before)
{
	isim_kernel_set_timer(0);
	for (unsigned i = 0; i < ISIM_KERNEL_NR_SIGNALS; i++)
		sigaction(isim_kernel_signal(i), &before[i], NULL);
	sigaltstack(stack_before, NULL);
}

/** An access to @slot, at @address in it or in its guard pages, in words. */
static inline void isim_kernel_tell_slot(const struct isim_kernel_slot *slot, const void *address)
{
	const char *where = "";

	if ((uintptr_t)address < (uintptr_t)slot->ptr)
		where = "memory before ";
	else if ((uintptr_t)address - (uintptr_t)slot->ptr >= slot->bytes)
		where = "memory behind ";
	isim_kernel_tell(IOMMUSIM_FINDING_MEMORY, "touches %san array of %zu bytes%s", where,
	                 slot->bytes, slot->is_free ? " that it freed" : "");
}

/** The access at @address in words. */
static inline void isim_kernel_tell_access(const void *address)
{
	const struct isim_kernel_slot *slot = isim_kernel_slot_of(address);
	uintptr_t behind_empty = (uintptr_t)address - (uintptr_t)ZERO_SIZE_PTR;
	const struct isim_kernel_run *now =
		isim_kernel.now; /* above the stack of the pasted code */

	if (slot)
		isim_kernel_tell_slot(slot, address);
	else if (isim_kernel.now->has_empty && behind_empty < 4096)
		isim_kernel_tell(IOMMUSIM_FINDING_MEMORY,
		                 "touches an array of 0 bytes (offset %zu)", (size_t)behind_empty);
	else if ((uintptr_t)address - ISIM_KERNEL_FREED_LRU < sizeof(struct page))
		isim_kernel_tell(IOMMUSIM_FINDING_MEMORY,
		                 "follows the list entry of a page that it gave back");
	else if ((uintptr_t)now - (uintptr_t)address < (uintptr_t)1 << 26)
		isim_kernel_tell(IOMMUSIM_FINDING_MEMORY, "uses up the stack");
	else if ((uintptr_t)address < 65536)
		isim_kernel_tell(IOMMUSIM_FINDING_MEMORY,
		                 "uses a pointer that is NULL, or no address (offset %zu)",
		                 (size_t)(uintptr_t)address);
	else if (isim_kernel_is_contents(address))
		isim_kernel_tell(IOMMUSIM_FINDING_MEMORY,
		                 "looks into a page: pages have no contents here");
	else
		isim_kernel_tell(IOMMUSIM_FINDING_MEMORY, "uses a wild pointer, %p", address);
}

static inline void isim_kernel_tell_signal(struct isim_kernel_run *now)
{
	if (now->signal == SIGVTALRM) {
		isim_kernel.was_late = 1;
		isim_kernel_tell(IOMMUSIM_FINDING_ENDLESS, "goes on for too long");
	} else if (now->signal == SIGSEGV || now->signal == SIGBUS) {
		isim_kernel_tell_access(now->address);
	} else {
		isim_kernel_tell(IOMMUSIM_FINDING_MEMORY, "divides by 0, or is no code");
	}
}

/* ---- The policy's functions ---- */

static inline int isim_kernel_plan(const struct iommusim_policy *policy,
                                   const struct iommusim_chunk_request *req,
                                   struct iommusim_chunk_plan *plan)
{
	static const struct iommusim_policy newest = { .size = sizeof(struct iommusim_policy) };
	const struct isim_kernel_entry *entry = policy->params;
	uint64_t page = (uint64_t)1 << req->page_shift;

	if (entry->convention->plan == ISIM_KERNEL_MASK)
		return iommusim_chunk_plan(&newest, req, plan);
	plan->size = req->size;
	plan->count = req->size / page + (req->size % page != 0);
	plan->mask = 0;
	return 0;
}

/** Call it; come back, whatever it does. */
static inline int isim_kernel_guarded(struct isim_kernel_run *now,
                                      const struct isim_kernel_entry *entry,
                                      struct isim_kernel_given *given)
{
	if (!sigsetjmp(now->escape, 0))
		return entry->convention->call(entry->function, given);
	if (now->signal) {
		isim_kernel_tell_signal(now);
		now->err = -IOMMUSIM_EBUG;
	}
	now->in_library = 0;
	return now->err;
}

static inline int isim_kernel_alloc(const struct iommusim_policy *policy,
                                    const struct iommusim_chunk_request *req,
                                    const struct iommusim_chunk_plan *plan,
                                    struct iommusim_chunk_run *run)
{
	const struct isim_kernel_entry *entry = policy->params;
	struct isim_kernel_run now = { .req = req, .plan = plan, .run = run };
	struct sigaction before[ISIM_KERNEL_NR_SIGNALS];
	struct isim_kernel_given given;
	stack_t stack_before;
	int err = isim_kernel_reserve();

	if (err)
		return err;
	if (plan->count > UINT_MAX)
		return -IOMMUSIM_EINVAL;
	given = isim_kernel_given(&now, entry->convention);
	isim_kernel_settle(&given);
	isim_kernel.now = &now;
	isim_kernel_catch(before, &stack_before);
	err = isim_kernel_guarded(&now, entry, &given);
	isim_kernel_uncatch(before, &stack_before);
	isim_kernel_end_pages(&now, !now.err);
	isim_kernel_end_memory(&now, !now.err && (err || !entry->convention->keeps_memory));
	isim_kernel.now = NULL;
	free(now.block);
	return err;
}

/**
 * Once, behind the text: make @pasted the policy that this shared object exports. Its type says
 * how it is called: the lists in call.h (ISIM_KERNEL_PAGE_CALLS and others) are of those that can
 * be.
 */
#define IOMMUSIM_KERNEL_POLICY(pasted)                                                           \
	_Static_assert(isim_kernel_has_convention(pasted),                                       \
	               "no calling convention for a function of this type (see "                 \
	               "iommusim/kernel/call.h for those there are)");                           \
	static const struct isim_kernel_entry isim_kernel_entry = {                              \
		.function = (isim_kernel_fn)(pasted),                                            \
		.convention = isim_kernel_convention_of(pasted),                                 \
	};                                                                                       \
	static const struct iommusim_policy isim_kernel_policy = {                               \
		.size = sizeof(struct iommusim_policy),                                          \
		.name = #pasted,                                                                 \
		.source = "pasted",                                                              \
		.plan = isim_kernel_plan,                                                        \
		.alloc = isim_kernel_alloc,                                                      \
		.params = &isim_kernel_entry,                                                    \
		.family = "pasted",                                                              \
		.takes_comp = IOMMUSIM_KERNEL_VERSION < 6002,                                    \
		.only_order = isim_kernel_only_order,                                            \
	};                                                                                       \
	IOMMUSIM_EXPORT_POLICY_OF(isim_kernel_policy, &(isim_kernel_convention_of(pasted)->kin), \
	                          IOMMUSIM_KERNEL_VERSION);

#endif
