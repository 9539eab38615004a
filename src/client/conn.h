/*
 * One connection to one broker: frames, correlation, version negotiation, pipelining.
 *
 * Requests may be sent without waiting; responses come back in the order of the requests. After any
 * error the connection is of no more use: close it. Not thread-safe.
 */
#pragma once

#include "base/arena.h"
#include "client/error.h"
#include "env/dial.h"
#include "env/env.h"
#include "wire/api.h"
#include "wire/messages.h"

#define RW_CONN_KEYS_MAX     128 /* API keys that are remembered from ApiVersions */
#define RW_CONN_PIPELINE_MAX 64  /* requests without a response yet */
/* Below 0x15030000: the first bytes of a TLS alert must not pass for a size. */
#define RW_CONN_RESPONSE_MAX (256u << 20)

struct rw_conn_sent {
    const struct rw_api *api;
    int32_t correlation_id;
    int16_t version;
    void *tag;
    int64_t sent_us;
};

struct rw_conn {
    const struct rw_env *env;
    struct rw_stream *stream;
    char address[280]; /* "host:port", for messages */
    const char *client_id;
    int32_t next_correlation_id;
    struct {
        int16_t min, max;
    } versions[RW_CONN_KEYS_MAX]; /* max -1: the broker does not have it */
    struct rw_conn_sent sent[RW_CONN_PIPELINE_MAX];
    unsigned sent_head, sent_n;
    struct rw_writer out;
    uint8_t *in;
    size_t in_at, in_n, in_cap;
    uint64_t bytes_in, bytes_out;
};

struct rw_conn_reply {
    struct rw_conn_sent request;
    struct rw_reader body; /* valid until the next rw_conn_receive() */
};

/* Connects and negotiates. client_id must outlive the connection. */
RW_MUST int rw_conn_open(const struct rw_env *env, struct rw_dialer *dialer, const char *host,
                         uint16_t port, const char *client_id, int64_t timeout_us,
                         struct rw_conn **ret_conn, struct rw_client_err *err);
void rw_conn_close(struct rw_conn *c); /* NULL is fine */

/* The version to speak for an API, at most `cap`; -1 when there is no common one. */
int16_t rw_conn_version(const struct rw_conn *c, int16_t api_key, int16_t cap);

/* Sends a request (the generated struct). RW_E_UNSUPPORTED: no common version; RW_E_AGAIN: too many are
 * under way. `expect_reply` false (Produce with acks=0): no response will come. */
RW_MUST int rw_conn_send(struct rw_conn *c, int16_t api_key, int16_t cap, const void *request,
                         void *tag, bool expect_reply, int64_t timeout_us,
                         struct rw_client_err *err);
/* The next response. RW_E_TIMEOUT leaves the connection usable. */
RW_MUST int rw_conn_receive(struct rw_conn *c, struct rw_arena *arena, int64_t timeout_us,
                            struct rw_conn_reply *ret_reply, struct rw_client_err *err);
/* Decodes the body into a new struct in the reader's arena. */
RW_MUST int rw_conn_decode(struct rw_conn *c, struct rw_conn_reply *reply, void **ret_response,
                           struct rw_client_err *err);
/* Send, receive, decode; nothing else may be under way. */
RW_MUST int rw_conn_call(struct rw_conn *c, int16_t api_key, int16_t cap, const void *request,
                         struct rw_arena *arena, int64_t timeout_us, void **ret_response,
                         struct rw_client_err *err);
/* True when a whole response lies in memory: rw_conn_receive() will not wait. */
bool rw_conn_has_reply(const struct rw_conn *c);
