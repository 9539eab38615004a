/*
 * Where `rollway logger` sends its messages: a socket that a syslog daemon listens at, a topic, or the appenders of a
 * configuration of librollway-logger. One at a time.
 */
#pragma once

#include "cli/connect.h"
#include "cli/logger_line.h"

struct rw_logger_out;

struct rw_logger_message {
    const struct rw_syslog_head *head;
    struct rw_str text;   /* what stands before the message; empty where there is no form */
    struct rw_slice body; /* the message */
};

/* How to reach a syslog daemon. */
struct rw_logger_socket {
    const char *path;          /* of a socket in the file system; used when server is NULL */
    const char *server, *port; /* port NULL: the usual one */
    bool tcp, octet_count;
    bool errors; /* one that is not there is told, and fails the command */
};

/* Each returns an exit code and has told what is wrong. *ret_out NULL with RW_EXIT_OK: nobody is there, and that is
 * fine. */
int rw_logger_to_socket(struct rw_cli *cli, const struct rw_logger_socket *where,
                        struct rw_logger_out **ret_out);
int rw_logger_to_topic(struct rw_cli *cli, const char *topic, struct rw_logger_out **ret_out);
int rw_logger_to_config(struct rw_cli *cli, const char *file, const char *application,
                        struct rw_logger_out **ret_out);

int rw_logger_send(struct rw_logger_out *o, const struct rw_logger_message *m);
/* Everything is where it was to go, durable where that can be; frees. The exit code of it all; o may be NULL. */
int rw_logger_end(struct rw_logger_out *o);

/* One entry of the journal in its native protocol, at this socket. An exit code. */
int rw_logger_to_journal(struct rw_cli *cli, const char *path, const struct rw_buf *entry);
