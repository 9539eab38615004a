/*
 * What happened to each of several things: a line each (or a JSON array), failures on stderr in text
 * mode, and the exit code of it all.
 */
#pragma once

#include "cli/connect.h"
#include "base/json.h"

struct rw_results {
    struct rw_cli_client *client;
    const char *kind; /* "topic": the JSON member that names the thing */
    struct rw_json json;
    int n, failed, first; /* first: the exit code of the first failure */
};

void rw_results_begin(struct rw_results *r, struct rw_cli_client *client, const char *kind);
/* One thing. error 0: `done` says what happened ("created"); in text mode the line is "DONE KIND NAME". */
void rw_results_add(struct rw_results *r, struct rw_str name, const char *done, int16_t error,
                    struct rw_str message);
/* The exit code. */
int rw_results_end(struct rw_results *r);

/* "retention.ms=7d" is sent as 604800000 and "segment.bytes=1GiB" as 1073741824: units are for people.
 * Splits at the first '='; false when there is none. value_buf must live as long as *ret_value. */
bool rw_config_split(const char *text, struct rw_str *ret_name, struct rw_str *ret_value,
                     char value_buf[32]);
