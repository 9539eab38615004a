/* Configuration of topics and brokers, changed (IncrementalAlterConfigs). */
#pragma once

#include "cli/connect.h"

struct rw_alter {
    int8_t type;                /* RW_RESOURCE_TOPIC, RW_RESOURCE_BROKER */
    const struct rw_str *names; /* whose configuration; a broker's id, "" for all brokers */
    int n_names;
    const char *noun;      /* "topic" */
    int first_set, n_sets; /* operands that are KEY=VALUE, beside those of --set */
};

/* What the options --set, --delete, --append, --subtract and --dry of the command say, done; an exit
 * code, after telling how it went. */
int rw_cli_alter(struct rw_cli_client *client, struct rw_arena *arena, const struct rw_alter *what);
