/*
 * Dead letters (batch/dead_letter.h), read one after the other from a topic or from a log that the broker appender of the logging library
 * keeps in its spool, and the note of which were replayed.
 */
#pragma once

#include "batch/dead_letter.h"
#include "cli/connect.h"
#include "cli/log_common.h"
#include "cli/offsets.h"
#include "client/consumer.h"

enum { RW_DEAD_HEADERS_MAX = 256 };

struct rw_dead_letter {
    const char *topic; /* of dead letters */
    int32_t partition;
    int64_t offset, timestamp;
    struct rw_slice key, value;
    const struct rw_record_header *headers; /* all of them */
    int n_headers;
    /* Of the headers; p NULL: it has none. */
    struct rw_slice reason, code, from_topic, from_partition, from_offset, time;
    int64_t replayed;
};

/* Where letters are: a topic (log_dir NULL) or a log. */
struct rw_dead_place {
    struct rw_cli_client *client;
    const char *topic;
    const char *log_dir;
    int32_t n_partitions;
    int64_t *starts, *ends; /* by partition; [start, end) is there */
};

/* Asks for the offsets. A result code; client->err is set. */
RW_MUST int rw_dead_open(struct rw_dead_place *p, struct rw_cli_client *client, const char *topic,
                         const char *log_dir);
void rw_dead_close(struct rw_dead_place *p);
/* Every letter of the range, that of a partition in order. each(): RW_OK goes on, 1 ends it, a code is passed on. Ends at what was the end
 * when the place was opened. */
RW_MUST int rw_dead_read(struct rw_dead_place *p, const struct rw_offset_range *range,
                         int (*each)(void *arg, const struct rw_dead_letter *letter), void *arg);

/* A header's text as a number that is not negative; -1: it is none. */
int64_t rw_dead_number(struct rw_slice text);
bool rw_dead_is(struct rw_slice text, const char *value);

/* ---- what was replayed (dead_progress.c) ---- */

struct rw_dead_range {
    int32_t partition;
    int64_t from, to; /* both included */
};

struct rw_dead_progress {
    char path[4096];
    struct rw_file *lock;
    struct rw_dead_range *at; /* sorted, none touches another */
    size_t n, cap;
};

/* Reads the file, and keeps others from it. RW_E_LOCKED; RW_E_CORRUPT, and what the system says. */
RW_MUST int rw_dead_progress_open(struct rw_dead_progress *p, const char *path);
bool rw_dead_progress_has(const struct rw_dead_progress *p, int32_t partition, int64_t offset);
RW_MUST int rw_dead_progress_add(struct rw_dead_progress *p, int32_t partition, int64_t offset);
/* Durable when it returns. */
RW_MUST int rw_dead_progress_save(struct rw_dead_progress *p);
/* Up to where everything from `start` on was replayed. */
int64_t rw_dead_progress_until(const struct rw_dead_progress *p, int32_t partition, int64_t start);
void rw_dead_progress_close(struct rw_dead_progress *p);
