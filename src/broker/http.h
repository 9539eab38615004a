/*
 * The broker's HTTP/1.1 server on shard 0: /metrics, /livez, /readyz, /healthz. Used on shard 0 only,
 * but for new, bind and free, which come before the loops run and after.
 */
#pragma once

#include "base/buf.h"
#include "broker/shard.h"

struct rw_http;

struct rw_http_args {
    struct rw_broker *broker;
    /* Refuse requests whose Host is not a name of this machine's loopback, so that a web page can not
     * reach a developer's broker through a name of its own (DNS rebinding). */
    bool check_host;
    /* Adds a line per reason why the broker is not ready; none: it is. */
    void (*unready)(void *arg, struct rw_buf *reasons);
    void *arg;
};

struct rw_http *rw_http_new(const struct rw_http_args *args);
RW_MUST int rw_http_bind(struct rw_http *h, const char *host, uint16_t port,
                         struct rw_err *ret_err);
uint16_t rw_http_port(const struct rw_http *h);
RW_MUST int rw_http_open(struct rw_http *h);
/* Ends all connections; closed(arg) is called when none is left, perhaps at once. */
void rw_http_close(struct rw_http *h, void (*closed)(void *arg), void *arg);
/* After close, or when it was never opened. h may be NULL. */
void rw_http_free(struct rw_http *h);
