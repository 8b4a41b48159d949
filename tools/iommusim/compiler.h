/* SPDX-License-Identifier: MIT */
/* The system's C compiler, for one file of kernel code. */
#ifndef COMPILER_H
#define COMPILER_H

#define MAX_INCLUDES 16

struct compilation {
	const char *file;
	unsigned kernel;                    /* IOMMUSIM_KERNEL() */
	const char *includes[MAX_INCLUDES]; /* folders, before the library's own */
	unsigned nr_includes;
	char folder[4096], object[4200]; /* what it made; "" before */
	const char *name;                /* the end of that, without a comma */
};

/*
 * Compile into a shared object in a folder of its own, with the compiler that the environment's CC
 * names, else cc; what that says goes to stderr. 0, or EXIT_INPUT after a message.
 */
int compile(struct compilation *c);

/* Remove what it made; its name, c->object, stays. More than once does no harm. */
void compilation_remove(struct compilation *c);

#endif
