/*
 * What may come next on a command line. Pure: topic names and files come from the caller, who is told
 * that they are wanted.
 */
#pragma once

#include "cli/command.h"

/*
 * words[0..n): what stands after "rollway", the last one being typed (maybe empty). Appends candidates
 * as "word\tdescription\n" (the description may be missing), only those that begin with the last word.
 * *ret_want: "topic", "file", "dir" ... when the caller shall add names of that kind, else NULL;
 * *ret_prefix: what each of those names must be prefixed with ("--name="), "" mostly.
 */
void rw_complete(struct rw_buf *out, const struct rw_command *const *table, int n,
                 const char *const *words, const char **ret_want, char ret_prefix[64]);
