/* SPDX-License-Identifier: MIT */
/*
 * Workers: each takes the next job that nobody has, a machine in one state, and fills that job's
 * outcomes, which no other job touches. So their number changes nothing but the time.
 */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L /* sysconf(), isatty(), sigaction() */
#endif

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "matrix.h"
#include "values.h"

#if defined(HAVE_PTHREAD)
#include <pthread.h>
#endif
#if !defined(_WIN32)
#include <unistd.h>
#endif

#define MAX_WORKERS   256
#define MAX_SHIFTS    17 /* log2 of the largest CPU page, and 1 */
#define SAVE_INTERVAL 2  /* seconds */

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
	is_interrupted = 1;
}

struct crew {
	struct matrix *matrix;
	struct state *states; /* by page shift, then state */
	size_t next, nr_jobs;
	int status;
	int has_terminal;
	time_t last_save;
#if defined(HAVE_PTHREAD)
	pthread_mutex_t lock;
#endif
};

static void lock(struct crew *crew)
{
#if defined(HAVE_PTHREAD)
	pthread_mutex_lock(&crew->lock);
#endif
}

static void unlock(struct crew *crew)
{
#if defined(HAVE_PTHREAD)
	pthread_mutex_unlock(&crew->lock);
#endif
}

static struct state *state_of(const struct crew *crew, unsigned page_shift, size_t state)
{
	return &crew->states[page_shift * crew->matrix->options->nr_states + state];
}

static int build_state(struct crew *crew, unsigned page_shift, size_t number)
{
	const struct matrix_options *options = crew->matrix->options;
	struct options scratch = { .page_shift = page_shift,
		                   .kernel = options->common.kernel,
		                   .seed = options->common.seed,
		                   .memory = matrix_memory(options, page_shift),
		                   .memory_start = MATRIX_START };
	struct state *state = state_of(crew, page_shift, number);
	int status = value_state(&scratch, options->states[number]);

	scratch.random.seed = scratch.age.seed = scratch.seed;
	if (!status)
		status = state_build(&scratch, state);
	if (!status)
		status = state_suits(state, options->base);
	for (unsigned i = 0; !status && i < options->common.nr_policies; i++)
		status = state_suits(state, options->common.policies[i]);
	return status;
}

/* The states of every CPU page that some machine has. */
static int build_states(struct crew *crew)
{
	const struct matrix *matrix = crew->matrix;
	int status = 0;

	crew->states = calloc(MAX_SHIFTS * matrix->options->nr_states, sizeof(*crew->states));
	if (!crew->states)
		return say("the host has no memory for the states");
	for (size_t m = 0; m < matrix->nr_machines; m++)
		for (size_t s = 0; !status && s < matrix->options->nr_states; s++)
			if (!state_of(crew, matrix->machines[m].page_shift, s)->phys)
				status = build_state(crew, matrix->machines[m].page_shift, s);
	return status;
}

static void finish_states(struct crew *crew)
{
	for (size_t i = 0; crew->states && i < MAX_SHIFTS * crew->matrix->options->nr_states; i++)
		state_finish(&crew->states[i]);
	free(crew->states);
}

/*
 * The outcomes of an earlier machine that differs in its tables only, in the same state; NULL: none
 * is there yet. Where the pages were not to be had there it is the same here, and need not be run:
 * searching a full memory in vain is what takes longest.
 */
static const struct outcome *find_twin(struct crew *crew, size_t job)
{
	const struct matrix *matrix = crew->matrix;
	size_t states = matrix->options->nr_states;
	const struct matrix_machine *machine = &matrix->machines[job / states];
	const struct outcome *twin = NULL;

	lock(crew);
	for (size_t m = 0, at = job % states; !twin && m < job / states; m++, at += states)
		if (matrix->machines[m].config.pgsizes == machine->config.pgsizes &&
		    matrix->machines[m].page_shift == machine->page_shift && matrix->is_done[at])
			twin = &matrix->outcomes[at * matrix_job_outcomes(matrix->options)];
	unlock(crew);
	return twin;
}

static int has_no_pages(const struct outcome *outcome)
{
	return outcome->err == -IOMMUSIM_ENOMEM && outcome->step == IOMMUSIM_DMA_PAGES;
}

static int do_job(struct crew *crew, size_t job)
{
	const struct outcome *twin = find_twin(crew, job);
	struct matrix *matrix = crew->matrix;
	const struct matrix_options *options = matrix->options;
	const struct options *common = &options->common;
	const struct matrix_machine *machine = &matrix->machines[job / options->nr_states];
	size_t policies = matrix_nr_policies(options);
	struct outcome *outcomes = &matrix->outcomes[job * matrix_job_outcomes(options)];
	int status = 0;

	for (size_t i = 0; !status && i < matrix_job_outcomes(options); i++) {
		size_t policy = i % policies, rest = i / policies;
		struct matrix_run run = {
			.machine = machine,
			.phys = state_of(crew, machine->page_shift, job % options->nr_states)->phys,
			.policy = policy ? common->policies[policy - 1] : options->base,
			.size = options->sizes[rest / common->nr_attrs],
			.attrs = common->attrs[rest % common->nr_attrs],
		};

		if (twin && has_no_pages(&twin[i]))
			outcomes[i] = twin[i];
		else
			status = matrix_run_one(&run, &outcomes[i]);
	}
	return status;
}

/* The next job that is to be done, or nr_jobs. */
static size_t take_job(struct crew *crew)
{
	size_t job;

	lock(crew);
	while (crew->next < crew->nr_jobs && crew->matrix->is_done[crew->next])
		crew->next++;
	job = crew->status || is_interrupted ? crew->nr_jobs : crew->next;
	crew->next += job < crew->nr_jobs;
	unlock(crew);
	return job;
}

static void report_job(struct crew *crew, size_t job, int status)
{
	struct matrix *matrix = crew->matrix;

	lock(crew);
	if (status && !crew->status)
		crew->status = status;
	if (!status) {
		matrix->is_done[job] = 1;
		matrix->nr_done++;
	}
	if (crew->has_terminal)
		fprintf(stderr, "\r%lu of %lu jobs", (unsigned long)matrix->nr_done,
		        (unsigned long)crew->nr_jobs);
	if (matrix->options->resume && time(NULL) >= crew->last_save + SAVE_INTERVAL) {
		if (matrix_save(matrix))
			crew->status = EXIT_INPUT;
		crew->last_save = time(NULL);
	}
	unlock(crew);
}

static void *work(void *arg)
{
	struct crew *crew = arg;
	size_t job;

	while ((job = take_job(crew)) < crew->nr_jobs)
		report_job(crew, job, do_job(crew, job));
	return NULL;
}

static size_t nr_workers(const struct crew *crew)
{
	uint64_t nr = crew->matrix->options->nr_jobs;

#if !defined(_WIN32)
	if (!nr) {
		long cores = sysconf(_SC_NPROCESSORS_ONLN);

		nr = cores > 0 ? (uint64_t)cores : 1;
	}
#endif
	return nr < 1 ? 1 : nr > MAX_WORKERS ? MAX_WORKERS : (size_t)nr;
}

/* A worker that cannot be started is done without. */
static void work_together(struct crew *crew)
{
#if defined(HAVE_PTHREAD)
	pthread_t workers[MAX_WORKERS];
	size_t nr = 0, wanted = nr_workers(crew) - 1;

	pthread_mutex_init(&crew->lock, NULL);
	while (nr < wanted && !pthread_create(&workers[nr], NULL, work, crew))
		nr++;
	work(crew);
	while (nr)
		pthread_join(workers[--nr], NULL);
	pthread_mutex_destroy(&crew->lock);
#else
	(void)nr_workers;
	work(crew);
#endif
}

static void watch_signals(void)
{
#if !defined(_WIN32)
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = interrupt;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
#else
	signal(SIGINT, interrupt);
#endif
}

static int end(const struct crew *crew)
{
	const struct matrix *matrix = crew->matrix;
	const char *resume = matrix->options->resume;

	if (crew->has_terminal)
		fprintf(stderr, "\r%*s\r", 40, "");
	if (crew->status)
		return crew->status;
	if (resume && matrix_save(matrix))
		return EXIT_INPUT;
	if (matrix->nr_done == crew->nr_jobs)
		return 0;
	return say("interrupted after %lu of %lu jobs%s", (unsigned long)matrix->nr_done,
	           (unsigned long)crew->nr_jobs,
	           resume ? "; the same command goes on from there"
	                  : " (--resume FILE would have kept them)");
}

int matrix_run(struct matrix *matrix)
{
	struct crew crew = { .matrix = matrix, .last_save = time(NULL) };
	int status;

	crew.nr_jobs = matrix->nr_machines * matrix->options->nr_states;
#if !defined(_WIN32)
	crew.has_terminal = isatty(STDERR_FILENO);
#endif
	if (matrix->options->resume)
		watch_signals();
	status = build_states(&crew);
	if (!status) {
		work_together(&crew);
		status = end(&crew);
	}
	finish_states(&crew);
	return status;
}
