/* SPDX-License-Identifier: MIT */
/* Signals and exits while a function of a policy runs: the last words of a process. */
#if !defined(_WIN32) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sigaltstack, setitimer */
#endif
#include "guard.h"

#include "options.h"
#include "say.h"

struct guarded {
	const char *argument;
	struct iommusim_policy original; /* its functions */
};

static struct guarded guarded[MAX_POLICIES];
static unsigned nr_guarded;

/* Of each thread: whose function runs, with what. */
static _Thread_local struct {
	const struct guarded *whose; /* NULL: none does */
	const struct iommusim_chunk_request *req;
	const struct iommusim_chunk_run *run; /* NULL: a plan is made */
	uint64_t calls;
} now;
static _Thread_local const struct iommusim_world *world;

void guard_world(const struct iommusim_world *next)
{
	world = next;
}

#ifdef _WIN32
static void watch(void)
{
}
#else
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include "check_print.h"

#define PATIENCE    2   /* seconds of CPU without an attempt */
#define MAX_THREADS 256 /* matrix has no more workers */

/* Nothing else is to be said after this: it is not safe in a handler, and better than nothing. */
static void give_up(const char *what)
{
	const struct guarded *g = now.whose;

	now.whose = NULL;
	fflush(stdout);
	if (world)
		say("policy %s (%s) %s in the world '%s'", g->original.name, g->argument, what,
		    world_text(world));
	else
		say("policy %s (%s) %s when it is asked for %" PRIu64 " bytes", g->original.name,
		    g->argument, what, now.req->size);
	_exit(EXIT_VERDICT);
}

static void crashed(int signal)
{
	char what[80];

	if (!now.whose) { /* a fault of this program */
		sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
		return;
	}
	snprintf(what, sizeof(what), "crashes (%s)", strsignal(signal));
	give_up(what);
}

/* Twice at the same place of the same call: it does not come on. */
static void ticked(int signal)
{
	static _Thread_local uint64_t calls;
	static _Thread_local size_t attempts;
	size_t made;

	(void)signal;
	if (!now.whose)
		return;
	made = now.run ? iommusim_chunk_nr_attempts(now.run) : 0;
	if (calls == now.calls && attempts == made)
		give_up("does not come to an end");
	calls = now.calls;
	attempts = made;
}

static void exits(void)
{
	if (now.whose)
		give_up("ends the program");
}

static void watch(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	static _Alignas(16) unsigned char stack[65536]; /* its own may be used up */
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_flags = SA_ONSTACK | SA_RESTART };
	struct itimerval timer = { { PATIENCE, 0 }, { PATIENCE, 0 } };

	sigemptyset(&action.sa_mask);
	sigaltstack(&own, NULL);
	action.sa_handler = crashed;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, NULL);
	action.sa_handler = ticked;
	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &timer, NULL);
	for (unsigned i = 0; i < MAX_THREADS; i++) /* each that ends the program needs its own */
		atexit(exits);
}
#endif

/* A copy of a policy has its name. */
static const struct guarded *guarded_of(const struct iommusim_policy *policy)
{
	const struct guarded *g = guarded;

	while (g->original.name != policy->name)
		g++;
	return g;
}

static void enter(const struct guarded *g, const struct iommusim_chunk_request *req,
                  const struct iommusim_chunk_run *run)
{
	now.whose = g;
	now.req = req;
	now.run = run;
	now.calls++;
}

static int guarded_plan(const struct iommusim_policy *policy,
                        const struct iommusim_chunk_request *req, struct iommusim_chunk_plan *plan)
{
	const struct guarded *g = guarded_of(policy);
	int err;

	enter(g, req, NULL);
	err = g->original.plan(policy, req, plan);
	now.whose = NULL;
	return err;
}

static int guarded_alloc(const struct iommusim_policy *policy,
                         const struct iommusim_chunk_request *req,
                         const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	const struct guarded *g = guarded_of(policy);
	int err;

	enter(g, req, run);
	err = g->original.alloc(policy, req, plan, run);
	now.whose = NULL;
	return err;
}

void guard_policy(struct iommusim_policy *policy, const char *argument)
{
	if (!nr_guarded)
		watch();
	guarded[nr_guarded++] = (struct guarded){ argument, *policy };
	policy->alloc = guarded_alloc;
	if (policy->plan)
		policy->plan = guarded_plan;
}
