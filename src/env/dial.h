/*
 * Blocking stream connections to servers, with a limit on every wait. For clients: the command line, the
 * logging library's broker appender, tools. The broker's own sockets are in the event loop (env/net.h).
 *
 * Implementations: os/dial.c and in tests a server in memory; each embeds the structs as first members.
 * Not thread-safe: one dialer and its streams belong to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/code.h"

struct rw_dialer;
struct rw_stream;

struct rw_dial_ops {
    /* Resolves and connects, trying each address in turn. RW_E_DNS, RW_E_REFUSED, RW_E_TIMEOUT,
     * RW_E_CANCELED, RW_E_LIMIT, RW_E_NOMEM; ret_err (may be NULL) says which address and why. */
    int (*connect)(struct rw_dialer *d, const char *host, uint16_t port, int64_t timeout_us,
                   struct rw_stream **ret_stream, struct rw_err *ret_err);
    void (*close)(struct rw_stream *s);
    /* Sends all of it, or RW_E_TIMEOUT, RW_E_CLOSED, RW_E_CANCELED: then the stream is of no more
     * use. */
    int (*send)(struct rw_stream *s, const void *p, size_t n, int64_t timeout_us);
    /* At least one byte, or RW_E_TIMEOUT, RW_E_CLOSED (end or reset), RW_E_CANCELED. timeout_us 0
     * only takes what is there. */
    int (*recv)(struct rw_stream *s, void *p, size_t n, int64_t timeout_us, size_t *ret_n);
    /* Waits until one of the streams can be read (or has ended): its place in *ret_i. RW_E_TIMEOUT,
     * RW_E_CANCELED. n may be 0: then it only waits. */
    int (*wait)(struct rw_dialer *d, struct rw_stream *const *streams, size_t n, int64_t timeout_us,
                size_t *ret_i);
};

struct rw_dialer {
    const struct rw_dial_ops *ops;
    /* Asked during waits, at least twice a second and after each signal; true gives the wait up with
     * RW_E_CANCELED. May be NULL. */
    bool (*canceled)(void *arg);
    void *canceled_arg;
};

struct rw_stream {
    const struct rw_dial_ops *ops;
    struct rw_dialer *dialer;
};

RW_MUST static inline int rw_dial(struct rw_dialer *d, const char *host, uint16_t port,
                                  int64_t timeout_us, struct rw_stream **ret_stream,
                                  struct rw_err *ret_err)
{
    return d->ops->connect(d, host, port, timeout_us, ret_stream, ret_err);
}

/* s may be NULL. */
static inline void rw_stream_close(struct rw_stream *s)
{
    if (s)
        s->ops->close(s);
}

RW_MUST static inline int rw_stream_send(struct rw_stream *s, const void *p, size_t n,
                                         int64_t timeout_us)
{
    return s->ops->send(s, p, n, timeout_us);
}

RW_MUST static inline int rw_stream_recv(struct rw_stream *s, void *p, size_t n, int64_t timeout_us,
                                         size_t *ret_n)
{
    return s->ops->recv(s, p, n, timeout_us, ret_n);
}

RW_MUST static inline int rw_dial_wait(struct rw_dialer *d, struct rw_stream *const *streams,
                                       size_t n, int64_t timeout_us, size_t *ret_i)
{
    return d->ops->wait(d, streams, n, timeout_us, ret_i);
}
