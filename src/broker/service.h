/*
 * What the runtime (shards, connections, start and stop) asks of the broker's content: partitions,
 * metadata, coordinators and the handlers of api/. One table, so that the runtime is tested with a
 * content of a few lines.
 */
#pragma once

#include "base/buf.h"
#include "broker/request.h"
#include "broker/shard.h"

struct rw_service {
    const struct rw_handler_row *handlers;
    size_t n_handlers;

    /* Opens data directories, recovers logs, replays metadata. On the thread that starts the
     * broker, may block; shards run already, but have no connections. Sets broker->node. A failure
     * must have undone itself. ret_err: words for the operator. */
    int (*open)(struct rw_broker *b, struct rw_err *ret_err);
    /* On each shard's thread, once, after open and before its first connection: sets the shard's
     * pieces. RW_E_NOMEM ends the start. */
    int (*start)(struct rw_shard *s);
    /* On each shard's thread, when connections are gone (all requests were canceled or done):
     * flush, close logs, end jobs and timers; then call stopped(s), at once or later, from this
     * shard. The shard's pieces are freed by then. Also called when start() was not, or failed. */
    void (*stop)(struct rw_shard *s, void (*stopped)(struct rw_shard *s));
    /* After all shards have stopped; the loops do not run any more. clean: leave the clean-shutdown
     * mark. Called only after open() succeeded. */
    void (*close)(struct rw_broker *b, bool clean);
    /* On shard 0. Adds one line of words per reason why the broker can not serve; none: it can. May
     * be NULL. */
    void (*unready)(struct rw_shard *s, struct rw_buf *reasons);
    /* On each shard: adds its partitions, on shard 0 also the brokers, to a scrape. RW_E_NOMEM. May be
     * NULL. */
    int (*measure)(struct rw_shard *s, struct rw_metrics *sum);
    /* SIGHUP: read again what may be read again. On shard 0. May be NULL. */
    void (*reload)(struct rw_shard *s);
};

/* The real one. */
extern const struct rw_service rw_service;
