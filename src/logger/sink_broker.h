/* The broker sink: what its files share (sink_broker.c, sink_broker_set.c). */
#pragma once

#include "logger/ship_thread.h"
#include "logger/sink.h"

struct rw_lg_broker {
    struct rw_lg_sink sink;
    struct rw_lg_ship_options ship;
    struct rw_lg_spool_options o;
    char topic[RW_LG_TOPIC];
    enum rw_codec codec;
    bool sync_each;
    int64_t sync_ms;  /* 0: never, unless sync_each */
    int64_t drain_ms; /* shipping goes on so long at the end */
    struct rw_lg_spool *spool;
    struct rw_lg_shipper *shipper;
    struct rw_lg_lane *lanes[RW_LG_THREAD_LANES];
    struct rw_builder builders[RW_LG_THREAD_LANES];
    struct rw_lg_spooled *out; /* the chunk's batches */
    size_t n_out, out_cap;
    int64_t synced_ms;
    int64_t tell_ns; /* that lines were dropped: not again before */
    bool dirty;
    _Atomic uint64_t lost; /* lines that did not fit a batch */
};

int rw_lg_broker_set(struct rw_lg_sink *s, struct rw_str key, struct rw_str v, struct rw_err *err);
