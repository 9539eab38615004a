/* `rollway pipe`: what its files share. A record comes from the source, goes through the line (parse, filter, format) and to the output;
 * progress is stored when the output is durable. */
#pragma once

#include "cli/connect.h"
#include "cli/pipe_checkpoint.h"
#include "cli/progress.h"
#include "client/consumer.h"
#include "client/producer.h"
#include "logger/sink.h"
#include "pipe/filter.h"
#include "pipe/format.h"
#include "pipe/parse.h"

enum rw_pipe_to { RW_PIPE_TO_STDOUT, RW_PIPE_TO_FILE, RW_PIPE_TO_TOPIC };
enum rw_pipe_on_error { RW_PIPE_FAIL, RW_PIPE_SKIP, RW_PIPE_PASS, RW_PIPE_DLQ };

/* By partition, what the group's offset is; -1: none. */
struct rw_pipe_group {
    int64_t *known, *tried, *found; /* last seen; last sent; just now */
    int n;
};

struct rw_pipe {
    struct rw_cli *cli;
    /* what was asked for */
    const char *from, *topic, *dlq, *key_field, *group; /* from "-": standard input */
    enum rw_pipe_to to;
    enum rw_pipe_format format;
    enum rw_pipe_on_error on_error;
    bool parses, exit_at_end, by_key, from_end;
    int64_t commit_ms, limit;
    enum rw_pipe_parser parser;
    struct rw_pipe_pattern *pattern; /* of the parser, or NULL */
    struct rw_pipe_filter *filter;   /* NULL: all */
    /* running */
    struct rw_cli_client source, target,
        groups; /* of their own: none waits behind the requests of another */
    struct rw_consumer *consumer;
    struct rw_uuid topic_id; /* of the topic that is read; zeros: not known yet */
    struct rw_producer *producer;
    struct rw_lg_sink *file;
    struct rw_pipe_checkpoint checkpoint;
    struct rw_pipe_group group_offsets;
    struct rw_pipe_record fields;    /* of the line */
    struct rw_buf rendered, pending; /* one line; lines for the file */
    size_t pending_lines, pending_max;
    bool beyond;   /* the rest of a line that is too long is passed over */
    int64_t *ends; /* with exit_at_end: per partition */
    int n_open;
    int32_t target_partitions;
    bool dirty; /* something was read since the last commit */
    int64_t dirty_us;
    struct rw_progress progress;
    struct rw_client_err failure; /* the first batch that was not taken */
    int64_t read, read_bytes, written, filtered, dead, skipped;
};

/* pipe_source.c: reads until the end or a signal. Exit code. */
int rw_pipe_read_topic(struct rw_pipe *p);
int rw_pipe_read_stdin(struct rw_pipe *p);

/* One record as it came; partition and offset are -1 for standard input. */
struct rw_pipe_item {
    const char *topic;
    int32_t partition;
    const struct rw_record *record; /* the value's p NULL: a null value */
};

/* pipe_regex.c: what a filter uses for =~. */
extern const struct rw_pipe_regex rw_pipe_regex;

/* pipe_line.c: parse, filter, format, and what happens when that does not go. Exit code. */
int rw_pipe_take(struct rw_pipe *p, const struct rw_pipe_item *r);
/* What was read so far becomes durable, then progress is stored. `last`: there is no other time. */
int rw_pipe_commit(struct rw_pipe *p, bool last);
/* A line that is longer than `most`, of which nothing is kept. Exit code. */
int rw_pipe_too_long(struct rw_pipe *p, size_t most);
/* Stores progress; a disk that is full may have room again. Exit code. */
int rw_pipe_store(struct rw_pipe *p);
/* It is time to. */
bool rw_pipe_commit_due(const struct rw_pipe *p, bool idle);

/* pipe_group.c: where the group is, in partitions that the checkpoint does not know; and where it is now. Exit codes. `last`: as above. */
int rw_pipe_group_ask(struct rw_pipe *p, const struct rw_topic *t);
int rw_pipe_group_commit(struct rw_pipe *p, bool last);
void rw_pipe_group_deinit(struct rw_pipe_group *g);

/* pipe_output.c */
int rw_pipe_output_open(struct rw_pipe *p);
void rw_pipe_output_close(struct rw_pipe *p);
/* One line, rendered (or NULL: a null value). */
int rw_pipe_put(struct rw_pipe *p, const struct rw_pipe_item *r, struct rw_slice value);
int rw_pipe_bury(struct rw_pipe *p, const struct rw_pipe_item *r, const char *code,
                 const char *reason);
/* Written and durable. */
int rw_pipe_output_flush(struct rw_pipe *p);
void rw_pipe_output_tick(struct rw_pipe *p);
