/*
 * A Kafka connection. It belongs to one shard; everything here is called on that shard's thread.
 *
 *   input.c     socket -> chunks -> frames
 *   pipeline.c  frame -> request -> handler -> answer in request order
 *   output.c    answers -> socket, with file ranges by sendfile
 *   conn.c      life: adopt, readiness, idle time, close; who may read now
 *
 * Reading stops ("mute") for any of the reasons in enum rw_mute and goes on when none is left. What
 * happens within a turn of the loop is collected: a connection with news is dirty, and the
 * end-of-turn hook encodes, sends and reads on for each dirty one, so that many small answers leave
 * with one system call.
 */
#pragma once

#include "broker/memory.h"
#include "broker/request.h"
#include "broker/service.h"
#include "broker/shard.h"

/* From the configuration; named there. */
struct rw_limits {
    size_t request_bytes_max;   /* socket.request.max.bytes: one frame */
    size_t memory_bytes;        /* queued.max.request.bytes: requests and answers, all shards */
    size_t arena_bytes_max;     /* decoded request and answer, per request */
    uint32_t in_flight_max;     /* requests of one connection not yet answered */
    size_t in_flight_bytes_max; /* their frames; one larger frame alone is let through */
    size_t output_bytes_max;    /* encoded answers that the peer has not taken yet */
    uint32_t output_ranges_max; /* file ranges among them */
    int64_t idle_us;            /* connections.max.idle.ms */
    int64_t stall_us;           /* a frame that began must go on within this time */
    int64_t linger_us;          /* the peer has finished sending: how long answers may take */
    int64_t pressure_us;        /* memory is short: how long a peer may hold some and do nothing */
    size_t pressure_rate;       /* or how slow it may send, in bytes per second */
    int listen_backlog;         /* socket.listen.backlog.size */
    int32_t socket_send_bytes;  /* socket.send.buffer.bytes; -1: the system decides */
    int32_t socket_receive_bytes;   /* socket.receive.buffer.bytes */
    int32_t connections_room;       /* what the limit of open files allows */
    int64_t files_max;              /* that the process may have open; 0: unknown */
    int32_t connections_max;        /* max.connections, but never more than that */
    int32_t connections_per_ip_max; /* max.connections.per.ip */
};

/* Kafka's defaults, and ours where Kafka has none. */
void rw_limits_init(struct rw_limits *l);

enum rw_mute {
    RW_MUTE_MEMORY = 1,    /* the shard has no chunk to give */
    RW_MUTE_IN_FLIGHT = 2, /* too many unanswered requests */
    RW_MUTE_OUTPUT = 4,    /* the peer does not read its answers */
    RW_MUTE_THROTTLE = 8,  /* KIP-219 */
    RW_MUTE_END = 16,      /* the peer has finished, or we will close */
    RW_MUTE_ORDER = 32     /* a request is not where it takes its place yet */
};

/* One request and what the runtime knows about it. */
struct rw_call {
    struct rw_request req;
    struct rw_chunk *chunk; /* holds the frame; NULL: not needed any more */
    size_t frame_bytes;
    size_t charged;         /* of the arena, to the shard's memory */
    bool over;              /* it is over the memory's limit */
    size_t hurried;         /* told to end early: about what that will give back */
    struct rw_link patient; /* in the shard's list while it is parked and may be hurried */
    int16_t error; /* ApiVersions in a version that we do not know: answered without handler */
    bool parked;   /* the handler returned without being done */
    bool done;
    bool canceled;
    struct rw_call *next_free;
};

/* Encoded answers on their way out. Kept apart from the connection, so that idle ones need none. */
struct rw_output {
    struct rw_writer w;
    struct rw_log_range *ranges; /* one per w.inserts */
    bool *warm;                  /* likewise */
    size_t cap_ranges;
    size_t sent;  /* bytes of w.buf */
    size_t range; /* index of the next range */
    size_t range_sent;
    size_t range_warm; /* bytes of it that are in the page cache */
};

struct rw_cold_read;

struct rw_conn {
    struct rw_link link;  /* by last activity, oldest first */
    struct rw_link dirty; /* self-linked when it is not */
    struct rw_shard *shard;
    struct rw_sock *sock;            /* NULL: dead, waits for what still refers to it */
    struct rw_msg msg;               /* carries it between shards */
    void (*gone)(struct rw_conn *c); /* on shard 0: frees it */
    int listener;                    /* index in the configuration's listeners */
    unsigned mute;
    bool closing;  /* close when everything encoded has left; other requests are dropped */
    bool released; /* dead, and on its way to gone(): in `dead`, then in a message */
    int64_t active_us;

    struct rw_chunk *in;
    size_t at, n; /* unread bytes of `in` */
    size_t read_hint;
    int64_t frame_from_us; /* when the frame began that is not complete; 0: there is none */
    struct rw_memory_waiter waiter;

    struct rw_link calls; /* in request order */
    uint32_t in_flight;
    size_t in_flight_bytes;
    bool dispatching; /* a handler of this connection is on the stack */

    struct rw_output out;
    size_t out_charged; /* of out's buffer, to the shard's memory */
    bool blocked;       /* the socket takes no more */
    struct rw_cold_read *cold;
    struct rw_timer throttle;

    /* Answers since the last turn's end that arrived together, for the latency histogram. */
    int16_t latency_api;
    uint32_t latency_n;
    int64_t latency_from_us;

    char client_id[48]; /* of the last request, cut; for diagnostics */
    struct rw_net_peer peer;
};

/* The connections of a shard (conn.c). */
struct rw_conns {
    struct rw_shard *shard;
    const struct rw_limits *limits;
    struct rw_link all; /* by activity */
    struct rw_link dirty;
    struct rw_link dead; /* released in this turn, by `dirty`: the stack may still refer to them */
    uint32_t count;
    struct rw_hook hook;
    struct rw_timer sweep;
    const struct rw_handler_row *handlers[128]; /* by API key */
    struct rw_link patient; /* requests that could end early, the first parked first */
    size_t hurried;         /* what those that were told to will give back */
    struct rw_call *free_calls;
    uint32_t n_free_calls;
    struct rw_output spare[32];
    uint32_t n_spare;
    bool stopping;
    int64_t stop_at_us; /* stopping: when what is left is cut off */
    void (*stopped)(struct rw_shard *s);
};

RW_MUST int rw_conns_new(struct rw_shard *s, const struct rw_limits *limits);
/* All connections must be gone. */
void rw_conns_free(struct rw_shard *s);
/* Takes over a connection whose sock, listener and gone are set. In any case gone(c) is called on shard
 * 0 in the end. */
void rw_conns_adopt(struct rw_shard *s, struct rw_conn *c);
/* No new requests; what is in flight is answered within grace_us; then stopped(s). */
void rw_conns_stop(struct rw_shard *s, int64_t grace_us, void (*stopped)(struct rw_shard *s));

/* ---- for handlers ---- */

static inline int rw_conn_listener(const struct rw_conn *c)
{
    return c->listener;
}

static inline const struct rw_net_peer *rw_conn_peer(const struct rw_conn *c)
{
    return &c->peer;
}

/* ---- between the files of a connection ---- */

void rw_conn_dirty(struct rw_conn *c);
void rw_conn_touch(struct rw_conn *c);
void rw_conn_mute(struct rw_conn *c, enum rw_mute why, bool on);
/* Now; answers that have not left are lost. why: words for the log line; NULL: an ordinary end. */
void rw_conn_abort(struct rw_conn *c, const char *why);
/* After what is encoded has left. */
void rw_conn_finish(struct rw_conn *c);
/* Frees a dead connection once nothing refers to it. */
void rw_conn_release(struct rw_conn *c);

void rw_input_read(struct rw_conn *c);
/* Handles complete frames as long as reading is allowed. */
void rw_input_pump(struct rw_conn *c);
/* After it waited for memory. False: it has to wait again and has not come as far as a request. */
bool rw_input_again(struct rw_conn *c);
/* True when a frame has begun and not ended. */
bool rw_input_partial(const struct rw_conn *c);

/* Decodes and dispatches one frame that lies in c->in. False: the connection was aborted. */
bool rw_pipeline_frame(struct rw_conn *c, const uint8_t *frame, size_t n);
/* Encodes finished answers in request order, up to the output limits. */
void rw_pipeline_encode(struct rw_conn *c);
/* Tells parked requests that nobody waits for them. */
void rw_pipeline_cancel(struct rw_conn *c);
/* Ends waits that may end early: the peer will ask nothing more, or the broker stops. */
void rw_pipeline_hurry(struct rw_conn *c);
/* The same for requests of any connection, because memory is short: until so many bytes are about to come
 * back. True when it told one. */
bool rw_calls_hurry(struct rw_conns *conns, size_t enough);
void rw_pipeline_latency(struct rw_conn *c, int64_t now_us);
void rw_calls_free(struct rw_conns *conns);

void rw_output_send(struct rw_conn *c);
bool rw_output_pending(const struct rw_conn *c);
bool rw_output_full(const struct rw_conn *c);
/* Makes room to remember the ranges of the inserts from..end; false: out of memory. */
bool rw_output_keep_ranges(struct rw_output *o, size_t from);
/* Gets the output a writer from the spare ones, when it has none. */
void rw_output_prepare(struct rw_conn *c);
/* Counts its buffer as the shard's memory; after it may have changed. */
void rw_output_charge(struct rw_conn *c);
/* Drops everything in it. */
void rw_output_drop(struct rw_conn *c);
void rw_output_deinit(struct rw_output *o);
