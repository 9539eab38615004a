/*
 * Answers on their way out. All encoded answers of a connection lie one after another in one writer;
 * its inserts say where file ranges come in between. Bytes go by send (MSG_MORE when a range follows),
 * ranges by sendfile. Both stop when the socket is full and go on when it is writable.
 *
 * A range that is not in the page cache would make sendfile wait for the disk, and with it all
 * connections of the shard: such a range is read by a job first, and the connection waits alone. It is
 * read a window at a time, as the peer takes it: many peers that stop reading do not push each other, and
 * everybody else, out of the cache.
 *
 * Nothing is encoded while rw_output_full(): what the peer does not take stays undecided.
 */
#include "broker/conn.h"

#include <string.h>
#include "base/assert.h"
#include "base/mem.h"
#include "broker/metrics.h"

/* One connection may not keep a turn for ever, however fast its peer reads. */
#define TURN_BYTES (4u << 20)
#define COLD_CHUNK 131072u
/* Much more than a socket takes at a time, little against the cache. */
#define COLD_WINDOW (4u << 20)
/* Sent bytes are cut from the front of the writer when there are this many, and they are most of it. */
#define COMPACT_MIN 262144u
#define SPARE_BYTES 65536u

struct rw_cold_read {
    struct rw_job job;
    struct rw_conn *c;
    struct rw_file *file;
    uint64_t at;
    size_t n;
    int code;
};

bool rw_output_pending(const struct rw_conn *c)
{
    return c->out.sent < c->out.w.buf.n || c->out.range < c->out.w.n_inserts;
}

bool rw_output_full(const struct rw_conn *c)
{
    const struct rw_limits *l = c->shard->conns->limits;
    return c->out.w.buf.n - c->out.sent >= l->output_bytes_max ||
           c->out.w.n_inserts - c->out.range >= l->output_ranges_max;
}

/* ---- memory ---- */

void rw_output_prepare(struct rw_conn *c)
{
    struct rw_conns *conns = c->shard->conns;
    if (!c->out.w.buf.p && conns->n_spare)
        c->out = conns->spare[--conns->n_spare];
}

void rw_output_deinit(struct rw_output *o)
{
    rw_writer_deinit(&o->w);
    rw_free(o->ranges);
    rw_free(o->warm);
    *o = (struct rw_output){0};
    rw_writer_init(&o->w);
}

/* Everything has been sent: the memory goes to whoever answers next. */
static void recycle(struct rw_conn *c)
{
    struct rw_conns *conns = c->shard->conns;
    struct rw_output *o = &c->out;
    rw_writer_clear(&o->w);
    o->sent = o->range = o->range_sent = o->range_warm = 0;
    if (o->w.buf.cap > SPARE_BYTES || conns->n_spare == RW_COUNT(conns->spare)) {
        rw_output_deinit(o);
        return;
    }
    conns->spare[conns->n_spare++] = *o;
    *o = (struct rw_output){0};
    rw_writer_init(&o->w);
}

void rw_output_charge(struct rw_conn *c)
{
    rw_memory_charge(c->shard->memory, &c->out_charged, c->out.w.buf.cap);
}

void rw_output_drop(struct rw_conn *c)
{
    struct rw_output *o = &c->out;
    for (size_t i = o->range; i < o->w.n_inserts; i++)
        rw_log_range_release(&o->ranges[i]);
    rw_output_deinit(o);
    rw_output_charge(c);
}

bool rw_output_keep_ranges(struct rw_output *o, size_t from)
{
    size_t n = o->w.n_inserts;
    if (n > o->cap_ranges) {
        size_t cap = n < 8 ? 8 : n * 2;
        struct rw_log_range *ranges = rw_realloc_array(o->ranges, cap, sizeof(*ranges));
        if (!ranges)
            return false;
        o->ranges = ranges;
        bool *warm = rw_realloc_array(o->warm, cap, sizeof(*warm));
        if (!warm)
            return false;
        o->warm = warm;
        o->cap_ranges = cap;
    }
    for (size_t i = from; i < n; i++) {
        struct rw_request_range *r = o->w.inserts[i].ext;
        RW_ASSERT(r->range.file && r->range.n == o->w.inserts[i].n);
        o->ranges[i] = r->range;
        o->warm[i] = r->warm;
        r->range.file = NULL; /* moved */
        o->w.inserts[i].ext = NULL;
    }
    return true;
}

static void compact(struct rw_output *o)
{
    if (o->sent < COMPACT_MIN || o->sent < o->w.buf.n / 2)
        return;
    size_t cut = o->sent, gone = o->range, left = o->w.n_inserts - gone;
    rw_buf_consume(&o->w.buf, cut);
    for (size_t i = 0; i < left; i++) {
        o->w.inserts[i] = o->w.inserts[gone + i];
        o->w.inserts[i].at -= cut;
        o->ranges[i] = o->ranges[gone + i];
        o->warm[i] = o->warm[gone + i];
    }
    o->w.n_inserts = left;
    o->range = 0;
    o->sent = 0;
}

/* ---- cold ranges ---- */

static void cold_work(struct rw_job *job)
{
    struct rw_cold_read *r = RW_CONTAINER(job, struct rw_cold_read, job);
    uint8_t *bytes = rw_alloc(COLD_CHUNK);
    if (!bytes)
        return; /* sendfile will wait for the disk instead */
    r->file->ops->advise(r->file, r->at, r->n, true);
    for (size_t done = 0; done < r->n && !r->code;) {
        size_t want = r->n - done < COLD_CHUNK ? r->n - done : COLD_CHUNK, got = 0;
        r->code = rw_file_read_at(r->file, r->at + done, bytes, want, &got);
        if (got == 0)
            break;
        done += got;
    }
    rw_free(bytes);
}

static void cold_done(struct rw_job *job)
{
    struct rw_cold_read *r = RW_CONTAINER(job, struct rw_cold_read, job);
    struct rw_conn *c = r->c;
    size_t warm = c->out.range_sent + r->n;
    int code = r->code;
    rw_free(r);
    c->cold = NULL;
    if (!c->sock) {
        rw_output_drop(c);
        rw_conn_release(c);
        return;
    }
    c->out.range_warm = warm;
    if (code) {
        rw_diag(c->shard->env->diag, RW_ERROR, "conn", "closed: stored data can not be read",
                rw_kv_str("peer", c->peer.text), rw_kv_code("error", code));
        rw_conn_abort(c, NULL);
        return;
    }
    rw_conn_dirty(c);
}

/* True when more of the range may be sent now; otherwise a job fetches it. */
static bool warm(struct rw_conn *c)
{
    struct rw_output *o = &c->out;
    struct rw_log_range *range = &o->ranges[o->range];
    if (o->warm[o->range])
        o->range_warm = range->n;
    if (o->range_sent < o->range_warm)
        return true;
    size_t left = range->n - o->range_sent, window = left < COLD_WINDOW ? left : COLD_WINDOW;
    uint64_t at = range->at + o->range_sent;
    struct rw_cold_read *r = NULL;
    if (!range->file->ops->is_cached(range->file, at, window))
        r = rw_zalloc(sizeof(*r));
    if (!r) { /* there; or no memory, and slow is better than failed */
        o->range_warm = o->range_sent + window;
        return true;
    }
    rw_metric_add(c->shard->metrics, RW_METRIC_COLD_READS, 1);
    r->c = c;
    r->file = range->file;
    r->at = at;
    r->n = window;
    r->job.work = cold_work;
    r->job.done = cold_done;
    c->cold = r;
    rw_shard_submit(c->shard, RW_JOB_READ, &r->job);
    return false;
}

/* ---- sending ---- */

/* The bytes up to the next range, or up to the end. */
static int send_bytes(struct rw_conn *c, size_t *ret_n)
{
    struct rw_output *o = &c->out;
    bool range_next = o->range < o->w.n_inserts;
    size_t end = range_next ? o->w.inserts[o->range].at : o->w.buf.n;
    struct rw_iov iov = {o->w.buf.p + o->sent, end - o->sent};
    int code = rw_sock_send(c->sock, &iov, 1, range_next, ret_n);
    if (code == RW_OK)
        o->sent += *ret_n;
    return code;
}

static int send_range(struct rw_conn *c, size_t *ret_n)
{
    struct rw_output *o = &c->out;
    struct rw_log_range *range = &o->ranges[o->range];
    int code = rw_sock_send_file(c->sock, range->file, range->at + o->range_sent,
                                 o->range_warm - o->range_sent, ret_n);
    if (code)
        return code;
    o->range_sent += *ret_n;
    if (o->range_sent == range->n) {
        rw_log_range_release(range);
        o->range++;
        o->range_sent = o->range_warm = 0;
    }
    return RW_OK;
}

static bool at_range(const struct rw_output *o)
{
    return o->range < o->w.n_inserts && o->sent == o->w.inserts[o->range].at;
}

static void failed(struct rw_conn *c, int code)
{
    if (code == RW_E_AGAIN || code == RW_E_NOMEM) {
        c->blocked = true;
        return;
    }
    if (code != RW_E_CLOSED)
        rw_diag(c->shard->env->diag, RW_ERROR, "conn", "closed: stored data can not be sent",
                rw_kv_str("peer", c->peer.text), rw_kv_code("error", code));
    rw_conn_abort(c, NULL);
}

void rw_output_send(struct rw_conn *c)
{
    size_t total = 0;
    while (!c->blocked && !c->cold && rw_output_pending(c)) {
        size_t n = 0;
        bool range = at_range(&c->out);
        if (range && !warm(c))
            break;
        int code = range ? send_range(c, &n) : send_bytes(c, &n);
        total += n;
        if (code) {
            failed(c, code);
            break;
        }
        if (total >= TURN_BYTES) {
            c->blocked = true; /* go on when the loop comes round again */
            break;
        }
    }
    if (total) {
        rw_metric_add(c->shard->metrics, RW_METRIC_BYTES_OUT, (int64_t)total);
        if (c->sock)
            rw_conn_touch(c);
    }
    if (!c->sock)
        return;
    if (!rw_output_pending(c) && c->out.w.buf.p)
        recycle(c);
    else
        compact(&c->out);
    rw_output_charge(c);
}
