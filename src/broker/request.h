/*
 * One request on its way through the broker, and what a handler in api/ may do with it.
 *
 * The pipeline has read the header, looked the API up, checked authentication and throttling, and
 * decoded the body into `in`. A handler fills `out` and calls rw_request_done() exactly once: at once,
 * or later, from the same shard, after it parked the request (waits, mailbox round trips). Responses
 * leave in request order whatever order they finish in.
 *
 * Memory: `in`, `out` and all they point to live in `arena`; strings and record bytes of `in` are views
 * into the frame, which stays until the response has been sent.
 */
#pragma once

#include "base/arena.h"
#include "base/list.h"
#include "wire/api.h"

struct rw_conn;
struct rw_shard;

struct rw_request {
    struct rw_shard *shard; /* the connection's shard: handler and rw_request_done() run there */
    struct rw_conn *conn;
    const struct rw_api *api;
    struct rw_request_header header;
    struct rw_arena arena;
    void *in;         /* struct rw_<api>_request, decoded */
    void *out;        /* struct rw_<api>_response, initialised to defaults */
    bool no_response; /* acks=0: send nothing */
    bool close_after; /* close the connection instead of answering (acks=0 error) */
    int64_t arrived_us;
    void *state; /* the handler's own, while parked */
    /* Called when the connection dies while the request is parked: the handler must forget it and
     * call rw_request_done() as soon as nothing refers to it any more. NULL: wait for done. */
    void (*cancel)(struct rw_request *req);
    struct rw_link link; /* the connection's queue, in request order */
};

typedef void rw_handler(struct rw_request *req);

/* Encodes `out`, queues it for sending and frees the request when it has left. */
void rw_request_done(struct rw_request *req);

/* Handlers by API key; one file each: api/produce.c has rw_handle_produce. */
struct rw_handler_row {
    int16_t api_key;
    rw_handler *handle;
};
extern const struct rw_handler_row rw_handlers[];
extern const size_t rw_handlers_count;
