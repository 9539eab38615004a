/* What the commands on log files share. */
#pragma once

#include "cli/command.h"
#include "log/path.h"
#include "rollway/log.h"

/* Sorted names in a directory for which want(name) holds. Free with log_names_free(). */
struct log_names {
    char **at;
    size_t n, cap;
};
RW_MUST int rw_log_names(const char *dir, bool (*want)(const char *name), struct log_names *ret);
void rw_log_names_free(struct log_names *names);
bool rw_log_name_is_segment(const char *name);
/* Does the directory hold segments itself? */
bool rw_log_is_log_dir(const char *dir);
/* Calls each() for dir when it is a log, else for every log right below it. Returns the worst exit code;
 * says so when there is none. */
int rw_log_each_dir(struct rw_cli *cli, const char *dir,
                    int (*each)(struct rw_cli *cli, const char *dir, void *arg), void *arg);
/* Opens through the library; reports a failure and returns its exit code in *ret_exit. */
struct rollway_log *rw_log_cli_open(struct rw_cli *cli, const char *dir,
                                    const struct rollway_log_options *options, int *ret_exit);
/* The message and exit code of a failed library call. */
int rw_log_cli_fail(struct rw_cli *cli, const struct rollway_log *log, int code);
