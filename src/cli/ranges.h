/* Small lists that several commands read: partitions ("0,2,5-7"), topics by name or regular expression. */
#pragma once

#include "cli/connect.h"

struct rw_int_list {
    int32_t *v;
    int n;
};

/* Appends; false when the text is none. Values up to 100,000. */
bool rw_parse_partitions(const char *text, struct rw_int_list *list);

struct rw_name_list {
    char **v;
    int n;
};

void rw_name_list_deinit(struct rw_name_list *l);
RW_MUST int rw_name_list_add(struct rw_name_list *l, const char *name);
/*
 * The topics that the operands from `first` on name: literally, or with `regex` all topics that one of
 * the expressions (regex.h, anchored at both ends) matches. No operands: all topics. Internal ones
 * only with `internal` or by their literal name. Asks the cluster where it must. Exit code.
 */
int rw_cli_topics(struct rw_cli_client *c, int first, bool regex, bool internal,
                  struct rw_name_list *ret_list);
