/* SPDX-License-Identifier: MIT */
/* JSON put together piece by piece, and the memory that every run starts from. */
#ifndef JSON_H
#define JSON_H

#include <json-c/json.h>
#include "options.h"
#include "state.h"

/* What is no UTF-8, of a file's name, is put as question marks. */
void json_put_text(struct json_object *object, const char *key, const char *text);
void json_put_number(struct json_object *object, const char *key, uint64_t number);

/* The array, the object @key of @object, empty; the object at the end of @array. */
struct json_object *json_put_array(struct json_object *object, const char *key);
struct json_object *json_put_object(struct json_object *object, const char *key);
struct json_object *json_append_object(struct json_object *array);

/* Where the memory came from, what was assumed, and the texts of /proc, as "state" of @inputs. */
void json_put_state(struct json_object *inputs, const struct options *options,
                    const struct state *state);

/* Print @root and free it. 0, or after a message EXIT_INPUT. */
int json_print(struct json_object *root);

#endif
