/* SPDX-License-Identifier: MIT */
/* The commands. Each gets its own name as argv[0] and returns an exit status. */
#ifndef COMMANDS_H
#define COMMANDS_H

int cmd_compare(int argc, char **argv);
/* The same, with the document in *root instead of printed; it is the caller's unless the status is
   EXIT_INPUT. */
struct json_object;
int compare_as_json(int argc, char **argv, struct json_object **root);
int cmd_check(int argc, char **argv);
int cmd_try(int argc, char **argv);
int cmd_bisect(int argc, char **argv);
int cmd_matrix(int argc, char **argv);
int cmd_advise(int argc, char **argv);
int cmd_show(int argc, char **argv);

/* Parts of show: argv[0] is what is to be shown. */
int show_driver(int argc, char **argv);
int show_platform(int argc, char **argv);
int show_format(int argc, char **argv);
int show_pgtable(int argc, char **argv);
int show_state(int argc, char **argv);

#endif
