/* The way of a command to the cluster: connection options, what listings share, and errors in words with
 * their exit code. */
#pragma once

#include "cli/command.h"
#include "client/cluster.h"

struct rw_cli_client {
    struct rw_cli *cli;
    struct rw_dialer dialer;
    struct rw_cluster *cluster;
    struct rw_client_err err; /* of the last call that failed */
};

/* -o wide, of every command that shows a table. */
#define RW_OPTION_OUTPUT                                                                           \
    {                                                                                              \
        "output", 'o', RW_OPT_STRING, "FORMAT", "wide: every column", "wide"                       \
    }
/* RW_EXIT_OK, or the exit code of a refusal in words. */
int rw_cli_wide(struct rw_cli *cli, bool *ret_wide);

/* Sets up from --brokers, --timeout, --connect-timeout; connects to nothing yet. timeout_ms: the limit
 * of the whole command when --timeout is not given, 0: none. Returns an exit code. */
int rw_cli_client_init(struct rw_cli_client *c, struct rw_cli *cli, int64_t timeout_ms);
void rw_cli_client_deinit(struct rw_cli_client *c);
/* Runs work() with a client and memory of its own for requests and answers. Returns an exit code. */
int rw_cli_with_client(struct rw_cli *cli, int64_t timeout_ms,
                       int (*work)(struct rw_cli *, struct rw_cli_client *, struct rw_arena *));
/* Prints c->err; the exit code for `rc`. */
int rw_cli_client_fail(struct rw_cli_client *c, int rc);
/* The same for a Kafka error code of one item: "rollway: WHAT: NAME (words)". */
int rw_cli_client_fail_kafka(struct rw_cli_client *c, int16_t error, struct rw_str message,
                             const char *what);
/* rw_cluster_call() with c->err. */
RW_MUST int rw_cli_client_call(struct rw_cli_client *c, int32_t node, int16_t api_key, int16_t cap,
                               const void *request, struct rw_arena *arena, void **ret_response);
/* rw_cluster_call_controller() with c->err. */
RW_MUST int rw_cli_controller_call(struct rw_cli_client *c, int16_t api_key, int16_t cap,
                                   const void *request, struct rw_arena *arena,
                                   bool (*moved)(const void *response), void **ret_response);
/* The exit code for several items: `failed` of `n`, `first` is the exit code of the first failure. */
int rw_cli_exit_of_many(int n, int failed, int first);
