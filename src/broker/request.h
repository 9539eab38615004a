/*
 * One request on its way through the broker, and what a handler in api/ may do with it.
 *
 * The pipeline has read the header, looked the API up, checked authentication and throttling, and
 * decoded the body into `in`. A handler fills `out` and calls rw_request_done() exactly once: at
 * once, or later, from the same shard, after it parked the request (waits, mailbox round trips).
 * Responses leave in request order whatever order they finish in.
 *
 * Memory: `in`, `out` and all they point to live in `arena`; strings and record bytes of `in` are
 * views into the frame, which stays until the response has been encoded (or rw_request_drop_frame()).
 */
#pragma once

#include "base/arena.h"
#include "base/list.h"
#include "log/log.h"
#include "wire/api.h"

struct rw_conn;
struct rw_shard;

/* A piece of a log that goes out with a response; see rw_request_add_range(). */
struct rw_request_range {
    struct rw_log_range range;
    bool warm; /* known to be in the page cache */
    struct rw_request_range *next;
};

struct rw_request {
    struct rw_shard *shard; /* the connection's shard: handler and rw_request_done() run there */
    struct rw_conn *conn;
    const struct rw_api *api;
    struct rw_request_header header;
    struct rw_arena arena;
    void *in;  /* struct rw_<api>_request, decoded */
    void *out; /* struct rw_<api>_response, initialised to defaults */
    /* p != NULL: the answer's body, encoded already and without an error, is sent in place of `out`.
     * Lives as long as the shard does. */
    struct rw_slice encoded;
    bool no_response;    /* acks=0: send nothing */
    bool close_after;    /* close the connection instead of answering (acks=0 error) */
    int32_t throttle_ms; /* KIP-219: answer, then leave the connection unread for this long */
    int64_t arrived_us;
    void *state; /* the handler's own, while parked */
    /* Called when the connection dies while the request is parked: the handler must forget it and
     * call rw_request_done() as soon as nothing refers to it any more. NULL: wait for done. */
    void (*cancel)(struct rw_request *req);
    /* Set by handlers that wait for something better to answer: answer with what there is, at once or
     * later. Called at most once, when nobody should wait any more, while the peer still listens. */
    void (*hurry)(struct rw_request *req);
    struct rw_link link; /* the connection's queue, in request order */
    struct rw_request_range *ranges;
};

typedef void rw_handler(struct rw_request *req);

/* The answer is complete: `out` is encoded when its turn has come, and the request is freed then.
 * It may be gone when this returns. */
void rw_request_done(struct rw_request *req);

/* The request is about to be parked, and others will work in its arena: counts what it holds so far. */
void rw_request_parks(struct rw_request *req);

/* For a parked request that may wait for long: gives the frame back. Nothing may refer to it any more; `in` is
 * NULL then, and the header has no client id. */
void rw_request_drop_frame(struct rw_request *req);

/*
 * Takes over a range of a log that shall travel by sendfile. Returns what to put into
 * rw_wire_records.ext (with n = range.n); NULL when memory is refused (the range is released then).
 * Released when it has been sent, or when the request ends in any other way. warm: appended so
 * recently that it is in the page cache for sure; saves the probe.
 */
void *rw_request_add_range(struct rw_request *req, const struct rw_log_range *take_range,
                           bool warm);

/* Handlers by API key; one file each: api/produce.c has rw_handle_produce. */
struct rw_handler_row {
    int16_t api_key;
    rw_handler *handle;
    /* It counts the error codes of its answers itself, row by row as they come about (rw_metric_error());
     * otherwise the pipeline looks for them in what is sent. */
    bool counts_errors;
};
/* The table is in api/table.c; broker/service.h hands it to the runtime. */
extern const struct rw_handler_row rw_handlers[];
extern const size_t rw_handlers_count;
