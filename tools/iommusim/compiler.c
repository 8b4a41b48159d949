/* SPDX-License-Identifier: MIT */
/*
 * The system's C compiler, run without a shell: no name of a file is ever taken for more than a
 * name.
 */
#if !defined(_WIN32) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* mkdtemp(), popen() */
#endif
#include "compiler.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "own.h"
#include "say.h"

#ifndef _WIN32
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS 96
#define MAX_TEXT  ((size_t)1 << 20) /* bytes of a file that are looked at */

/* An argument list under construction. */
struct words {
	char *word[MAX_WORDS + 1];
	unsigned nr;
};

static void add(struct words *words, const char *word)
{
	if (words->nr == MAX_WORDS)
		return;
	words->word[words->nr] = strdup(word);
	words->nr += words->word[words->nr] != NULL;
	words->word[words->nr] = NULL;
}

/* "ccache gcc" are two. */
static void add_all(struct words *words, const char *text)
{
	char *copy = strdup(text), *rest = NULL;

	for (char *word = copy ? strtok_r(copy, " \t\n", &rest) : NULL; word;
	     word = strtok_r(NULL, " \t\n", &rest))
		add(words, word);
	free(copy);
}

static void words_finish(struct words *words)
{
	while (words->nr)
		free(words->word[--words->nr]);
}

static int has_headers(const char *folder)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/iommusim/kernel.h", folder);
	return !access(path, R_OK);
}

/* The folder of the headers: of this build, as installed, or what pkg-config says. */
static void add_headers(struct words *words)
{
	static const char *const folders[] = { INCLUDE_HERE, INCLUDE_INSTALLED };
	char text[4096];
	size_t length;
	FILE *pipe;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (!has_headers(folders[i]))
			continue;
		add(words, "-I");
		add(words, folders[i]);
		return;
	}
	pipe = popen("pkg-config --cflags iommusim 2>/dev/null", "r");
	length = pipe ? fread(text, 1, sizeof(text) - 1, pipe) : 0;
	text[length] = 0;
	add_all(words, text);
	if (pipe)
		pclose(pipe);
}

/*
 * What stands beside the loops in their files the headers have, too, in case that the loop alone
 * was pasted. Where the file defines it itself, the headers must not.
 */
static void add_own(struct words *words, const char *text)
{
	static const struct {
		const char *name, *option;
	} owns[] = {
		{ "__iommu_dma_free_pages", "-DIOMMUSIM_KERNEL_OWN_FREE_PAGES" },
		{ "iommu_dma_alloc_iova", "-DIOMMUSIM_KERNEL_OWN_ALLOC_IOVA" },
		{ "__alloc_iova", "-DIOMMUSIM_KERNEL_OWN_ALLOC_IOVA" },
		{ "iommu_dma_free_iova", "-DIOMMUSIM_KERNEL_OWN_FREE_IOVA" },
		{ "__free_iova", "-DIOMMUSIM_KERNEL_OWN_FREE_IOVA" },
		{ "__iommu_dma_unmap", "-DIOMMUSIM_KERNEL_OWN_UNMAP" },
		{ "iommu_dma_deferred_attach", "-DIOMMUSIM_KERNEL_OWN_DEFERRED_ATTACH" },
		{ "dma_info_to_prot", "-DIOMMUSIM_KERNEL_OWN_INFO_TO_PROT" },
		{ "iommu_order_array", "-DIOMMUSIM_KERNEL_OWN_ORDER_ARRAY" },
		{ "ttm_pool_type_take", "-DIOMMUSIM_KERNEL_OWN_TYPE_TAKE" },
		{ "__dma_clear_buffer", "-DIOMMUSIM_KERNEL_OWN_CLEAR_BUFFER" },
	};

	for (size_t i = 0; i < ARRAY_LEN(owns); i++)
		if (text_defines(text, owns[i].name))
			add(words, owns[i].option);
}

/*
 * The largest order differs between worlds; text with arrays of that size gets a constant, that of
 * kernels with pages of 4K.
 */
static void add_order(struct words *words, const char *text)
{
	if (!strstr(text, "IOMMUSIM_KERNEL_LARGEST_ORDER") &&
	    (text_has_array_of(text, "MAX_ORDER") || text_has_array_of(text, "MAX_PAGE_ORDER")))
		add(words, "-DIOMMUSIM_KERNEL_LARGEST_ORDER=10");
}

/* What the file's text asks for. */
static void add_needs(struct words *words, const char *file)
{
	char *text = calloc(1, MAX_TEXT);
	FILE *in = fopen(file, "rb");

	if (text && in)
		text[fread(text, 1, MAX_TEXT - 1, in)] = 0;
	if (text) {
		add_own(words, text);
		add_order(words, text);
	}
	if (in)
		fclose(in);
	free(text);
}

/* The file; behind "./" where it would be taken for an option. */
static void add_file(struct words *words, const char *file)
{
	char path[4200];

	snprintf(path, sizeof(path), "./%s", file);
	add(words, file[0] == '-' ? path : file);
}

static void command_line(const struct compilation *c, struct words *words)
{
	/* What the kernel is built with as errors, too. */
	static const char *const options[] = {
		"-std=gnu11",
		"-O1",
		"-Wall",
		"-Werror=implicit-function-declaration",
		"-Werror=int-conversion",
		"-Werror=incompatible-pointer-types",
		"-fPIC",
		"-shared",
#ifdef __APPLE__
		"-undefined",
		"dynamic_lookup",
#endif
	};
	const char *cc = getenv("CC");
	char define[64];

	add_all(words, cc && *cc ? cc : "cc");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		add(words, options[i]);
	snprintf(define, sizeof(define), "-DIOMMUSIM_KERNEL_VERSION=%u", c->kernel);
	add(words, define);
	for (unsigned i = 0; i < c->nr_includes; i++) {
		add(words, "-I");
		add(words, c->includes[i]);
	}
	add_headers(words);
	add_needs(words, c->file);
	add(words, "-o");
	add(words, c->object);
	add(words, "-x");
	add(words, "c");
	add_file(words, c->file);
}

/* ---- Signals that end the program, while there is a folder to remove ---- */

#define NR_ENDS 3
static const int ends[NR_ENDS] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t ended; /* by which */
static volatile pid_t compiling;    /* 0: nothing is */

static void note_end(int number)
{
	ended = number;
	if (compiling)
		kill(compiling, SIGTERM);
}

/* What is ignored stays so. */
static void catch_ends(struct sigaction *before)
{
	for (unsigned i = 0; i < NR_ENDS; i++) {
		struct sigaction action = { .sa_handler = note_end };

		sigemptyset(&action.sa_mask);
		sigaction(ends[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(ends[i], &action, NULL);
	}
}

static void release_ends(const struct sigaction *before)
{
	for (unsigned i = 0; i < NR_ENDS; i++)
		sigaction(ends[i], &before[i], NULL);
}

/* Start it; no signal comes between it and the note that it runs. 0 or -1. */
static int start(char **argv)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	compiling = ended ? -1 : fork();
	if (!compiling) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		dup2(2, 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (compiling < 0)
		compiling = 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return compiling ? 0 : -1;
}

/* Run it; what it prints goes to stderr. Its exit status, -1: it could not be run. */
static int run(char **argv)
{
	int status;

	if (start(argv))
		return -1;
	while (waitpid(compiling, &status, 0) < 0 && errno == EINTR)
		;
	compiling = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int make_folder(struct compilation *c)
{
	static const char name[] = "/iommusim-XXXXXX";
	const char *parent = getenv("TMPDIR");
	size_t length;

	if (!parent || !*parent)
		parent = "/tmp";
	length = strlen(parent);
	if (length >= sizeof(c->folder) - sizeof(name))
		return say("try: the environment's TMPDIR is too long");
	snprintf(c->folder, sizeof(c->folder), "%s%s", parent, name);
	if (!mkdtemp(c->folder)) {
		c->folder[0] = 0;
		return say("try: no folder can be made in '%s' (the environment's TMPDIR, or "
		           "/tmp): %s",
		           parent, strerror(errno));
	}
	snprintf(c->object, sizeof(c->object), "%s/policy.so", c->folder);
	c->name = c->object + length + 1;
	return 0;
}

static int check_file(const char *file)
{
	struct stat about;

	if (access(file, R_OK))
		return say("try: '%s' cannot be opened", file);
	if (!stat(file, &about) && S_ISDIR(about.st_mode))
		return say("try: '%s' is a folder", file);
	return 0;
}

static int compile_in_folder(struct compilation *c)
{
	struct words words = { .nr = 0 };
	int status = make_folder(c);

	if (status)
		return status;
	command_line(c, &words);
	fflush(NULL);
	status = words.nr ? run(words.word) : -1;
	if (ended)
		status = EXIT_INPUT;
	else if (status == 127 || status < 0)
		say("try: the compiler '%s' cannot be run (the environment's CC names one)",
		    words.nr ? words.word[0] : "");
	else if (status)
		say("try: '%s' does not compile as code of Linux %u.%u (--version tells of which "
		    "it is)",
		    c->file, c->kernel / 1000, c->kernel % 1000);
	else if (access(c->object, R_OK))
		status = say("try: the compiler '%s' made no file", words.word[0]);
	words_finish(&words);
	return status ? EXIT_INPUT : 0;
}

int compile(struct compilation *c)
{
	struct sigaction before[NR_ENDS];
	int status = check_file(c->file);

	if (status)
		return status;
	catch_ends(before);
	status = compile_in_folder(c);
	if (ended)
		compilation_remove(c);
	release_ends(before);
	if (ended)
		raise(ended);
	return status;
}

void compilation_remove(struct compilation *c)
{
	if (!c->folder[0])
		return;
	unlink(c->object);
	rmdir(c->folder);
	c->folder[0] = 0;
}

#else

int compile(struct compilation *c)
{
	(void)c;
	return say("try: needs a POSIX host");
}

void compilation_remove(struct compilation *c)
{
	(void)c;
}

#endif
