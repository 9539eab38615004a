/* The file appender's state, for sink_file.c and its settings (sink_file_set.c). */
#pragma once

#include "logger/rotate.h"
#include "logger/sink.h"
#include "os/append_file.h"

enum rw_lg_sync { RW_LG_SYNC_NEVER, RW_LG_SYNC_INTERVAL, RW_LG_SYNC_ALWAYS };

struct rw_lg_file {
    struct rw_lg_sink sink;
    /* settings */
    char path[RW_LG_PATH];
    int64_t size_max, interval_ms; /* 0: not by it */
    struct rw_lg_keep keep;
    enum rw_lg_sync sync;
    int64_t sync_ms;
    bool share;
    /* state */
    struct rw_os_append file;
    bool locked, dirty;
    int prepared;   /* what mark() came to, for the write that follows */
    int64_t period; /* of the interval, in which the file was begun */
    int lost_sync;  /* what the last sync of a file that is closed by now came to */
    int64_t synced_ms, tidied_ms, rotate_again_ms;
    struct rw_lg_tidy tidy;
};

int rw_lg_file_set(struct rw_lg_sink *s, struct rw_str key, struct rw_str value,
                   struct rw_err *ret_err);
