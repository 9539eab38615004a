/*
 * Cursors: records in offset order, across segments, batches and damage. A cursor reads ranges of
 * whole batches into memory of its own, checks each batch's CRC before it trusts it, and decodes
 * records from there. It holds no segment while the caller thinks.
 *
 * How much is read grows with use in sequence: a single look-up costs one small read, a scan large
 * ones.
 */
#include "lib/lib.h"

#include <string.h>

#include "base/mem.h"

#define READ_PEEK (6u << 10) /* an index interval, and a batch behind it */
#define READ_MIN  (16u << 10)
#define READ_MAX  (256u << 10)
#define POLL_US   10000 /* how often a read-only log looks for what its writer did */
#define AGAIN_MAX                                                                                  \
    100 /* truncations of the writer, one after the other, before damage is believed */

struct rollway_cursor {
    struct rollway_log *log;
    int64_t offset; /* of the next record */
    unsigned cuts;  /* rollway_cuts() when it was read */
    uint8_t *p;     /* what was read: [at, n) is still to come */
    size_t cap, n, at;
    size_t ahead; /* how much was read last; 0 after a seek */
    struct rw_records records;
    bool in_batch;     /* records stands in the batch before `at` */
    int64_t batch_end; /* offset after that batch */
    struct rollway_header *headers;
    size_t headers_cap;
};

static void forget(struct rollway_cursor *c)
{
    c->n = c->at = 0;
    c->ahead = 0;
    c->in_batch = false;
    c->cuts = rollway_cuts(c->log);
}

static bool was_cut(struct rollway_cursor *c)
{
    return atomic_load(&c->log->cuts) != c->cuts;
}

int rollway_cursor_seek(struct rollway_cursor *c, int64_t offset)
{
    if (!c)
        return rollway_fail_null(NULL);
    struct rollway_log *log = c->log;
    if (offset < rw_log_start(log->log) || offset > rollway_log_end_offset(log))
        return rollway_fail(log, RW_E_RANGE, "offset %lld is outside of [%lld, %lld]",
                            (long long)offset, (long long)rw_log_start(log->log),
                            (long long)rollway_log_end_offset(log));
    c->offset = offset;
    forget(c);
    return RW_OK;
}

int rollway_cursor_new(struct rollway_log *log, int64_t offset, struct rollway_cursor **ret_cursor)
{
    if (!log || !ret_cursor)
        return rollway_fail_null(log);
    struct rollway_cursor *c = rw_zalloc(sizeof(*c));
    if (!c)
        return rollway_fail(log, RW_E_NOMEM, "out of memory");
    c->log = log;
    int rc = rollway_cursor_seek(c, offset);
    if (rc) {
        rollway_cursor_free(c);
        return rc;
    }
    *ret_cursor = c;
    return RW_OK;
}

void rollway_cursor_free(struct rollway_cursor *c)
{
    if (!c)
        return;
    rw_records_deinit(&c->records);
    rw_free(c->headers);
    rw_free(c->p);
    rw_free(c);
}

int64_t rollway_cursor_offset(const struct rollway_cursor *c)
{
    return c ? c->offset : rollway_fail_null(NULL);
}

static int damaged(struct rollway_cursor *c, int64_t at)
{
    int64_t next;
    if (rw_log_skip_damage(c->log->log, at, &next))
        next = rw_log_end(c->log->log);
    return rollway_fail(c->log, RW_E_CORRUPT,
                        "the batch at offset %lld is damaged; intact records go on at offset %lld",
                        (long long)at, (long long)next);
}

static int grow(struct rollway_cursor *c, size_t n)
{
    if (n <= c->cap)
        return RW_OK;
    uint8_t *p = rw_realloc(c->p, n);
    if (!p)
        return RW_E_NOMEM;
    c->p = p;
    c->cap = n;
    return RW_OK;
}

/* Reads the next range of batches. 1: there is one. 0: at the end. */
static int load(struct rollway_cursor *c)
{
    struct rw_log_range range;
    c->n = c->at = 0;
    int rc = grow(c, READ_PEEK);
    if (!rc && !c->ahead)
        rc = rw_log_peek(c->log->log, c->offset, c->p, READ_PEEK, &c->at, &c->n);
    if (rc)
        return rollway_fail_code(c->log, rc, "read");
    if (c->n) {
        c->ahead = READ_PEEK;
        return 1;
    }
    c->ahead = c->ahead < READ_MIN / 2 ? READ_MIN : 2 * c->ahead;
    if (c->ahead > READ_MAX)
        c->ahead = READ_MAX;
    rc = rw_log_read(c->log->log, c->offset, INT64_MAX, c->ahead, true, &range);
    if (rc == RW_E_CORRUPT)
        return damaged(c, c->offset);
    if (rc || !range.n)
        return rollway_fail_code(c->log, rc, "read");
    rc = grow(c, range.n);
    if (!rc)
        rc = rw_file_read_at(range.file, range.at, c->p, range.n, &c->n);
    rw_log_range_release(&range);
    return rc ? rollway_fail_code(c->log, rc, "read") : 1;
}

/* The base offset lies outside of the CRC. Can the batch be what comes at the cursor's offset? */
static bool is_next(const struct rollway_cursor *c, const struct rw_batch *b)
{
    return rw_batch_last_offset(b) >= c->offset &&
           rw_batch_last_offset(b) < rw_log_end(c->log->log) &&
           (b->base_offset <= c->offset || !rw_log_is_contiguous(c->log->log));
}

/* Steps into the next batch that was read. 1, 0: none left (or cut off by a truncation), negative. */
static int next_batch(struct rollway_cursor *c)
{
    struct rw_batch b;
    if (c->at >= c->n)
        return 0;
    int rc = rw_batch_check(c->p + c->at, c->n - c->at, &b);
    /* Not what was expected behind other batches: read anew from there, and be told what is wrong. */
    if (rc == RW_E_SHORT || (!rc && !is_next(c, &b))) {
        c->at = c->n = 0;
        return 0;
    }
    if (rc) {
        c->at = c->n = 0;
        return damaged(c, c->offset);
    }
    size_t size = rw_batch_size(&b);
    c->batch_end = rw_batch_last_offset(&b) + 1;
    /* Markers of transactions are not data. */
    if (rw_batch_is_control(&b)) {
        c->records.left = 0;
        c->records.batch = b;
    } else {
        rc = rw_records_open(&c->records, c->p + c->at, size);
        if (rc)
            return rc == RW_E_NOMEM ? rollway_fail_code(c->log, rc, "read") : damaged(c, c->offset);
    }
    c->at += size;
    c->in_batch = !rw_batch_is_control(&b);
    if (!c->in_batch)
        c->offset = c->batch_end;
    return 1;
}

static int give(struct rollway_cursor *c, const struct rw_record *r, struct rollway_record *ret)
{
    size_t n = (size_t)r->headers_count;
    if (n > c->headers_cap) {
        struct rollway_header *p = rw_realloc_array(c->headers, n, sizeof(*p));
        if (!p)
            return rollway_fail_code(c->log, RW_E_NOMEM, "read");
        c->headers = p;
        c->headers_cap = n;
    }
    struct rw_slice left = r->headers;
    for (size_t i = 0; i < n; i++) {
        struct rw_record_header h;
        if (rw_record_next_header(&left, &h) != 1)
            return damaged(c, c->offset);
        c->headers[i] = (struct rollway_header){h.key.p, (size_t)h.key.n, h.value.p, h.value.n};
    }
    *ret = (struct rollway_record){r->offset,  r->timestamp, r->key.p,   r->key.n,
                                   r->value.p, r->value.n,   c->headers, n};
    return 1;
}

int rollway_cursor_next(struct rollway_cursor *c, struct rollway_record *ret_record)
{
    if (!c || !ret_record)
        return rollway_fail_null(c ? c->log : NULL);
    bool caught_up = false;
    int again = 0, doubts = 0;
    for (;;) {
        /* What was read may be gone. */
        if (was_cut(c))
            forget(c);
        if (c->in_batch) {
            struct rw_record r;
            int rc = rw_records_next(&c->records, &r);
            if (rc < 0) {
                c->in_batch = false;
                return damaged(c, c->offset);
            }
            if (rc == 1 && r.offset < c->offset)
                continue;
            if (rc == 1) {
                rc = give(c, &r, ret_record);
                if (rc == 1)
                    c->offset = r.offset + 1;
                return rc;
            }
            c->in_batch = false;
            if (c->offset < c->batch_end)
                c->offset = c->batch_end;
        }
        int rc = next_batch(c);
        if (rc == 0)
            rc = load(c);
        if (rc < 0 && was_cut(c))
            continue;
        /* Beside a writer it may be no damage but a truncation that was not heard of yet. */
        bool doubt = rc == RW_E_CORRUPT && c->log->options.read_only && again++ < AGAIN_MAX;
        if ((rc < 0 && !doubt) || (rc == 0 && caught_up))
            return rc;
        if (rc <= 0) {
            int up = rollway_catch_up(c->log);
            if (up || (doubt && !was_cut(c) && doubts == ROLLWAY_DOUBTS_MAX))
                return up ? up : rc;
            if (doubt && !was_cut(c)) {
                doubts++;
                rollway_pause(c->log);
                forget(c);
            }
            caught_up = !doubt;
        }
    }
}

int rollway_cursor_wait(struct rollway_cursor *c, int timeout_ms)
{
    if (!c)
        return rollway_fail_null(NULL);
    struct rollway_log *log = c->log;
    struct rw_sync *sync = log->env->sync;
    int64_t now = rw_mono_us(log->env->clock);
    int64_t until = timeout_ms < 0 ? INT64_MAX : now + (int64_t)timeout_ms * 1000;
    int rc = log->options.read_only ? rollway_catch_up(log) : RW_OK;
    if (rc || rollway_log_end_offset(log) > c->offset)
        return rc ? rc : 1;
    rollway_lock_append(log);
    atomic_fetch_add(&log->waiters, 1);
    while (rollway_end(log) <= c->offset && now < until) {
        int64_t pause = until == INT64_MAX ? -1 : until - now;
        if (log->options.read_only) {
            if (pause < 0 || pause > POLL_US)
                pause = POLL_US;
        }
        (void)sync->wait(sync, log->grown, log->append, pause);
        if (log->options.read_only && (rc = rollway_refresh(log)) != RW_OK)
            break;
        now = rw_mono_us(log->env->clock);
    }
    atomic_fetch_sub(&log->waiters, 1);
    bool more = rollway_end(log) > c->offset;
    rollway_unlock_append(log);
    return rc ? rollway_fail_code(log, rc, "refresh") : more;
}
