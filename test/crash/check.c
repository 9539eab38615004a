/* The oracle: is the log that came back one of those that the model allows? */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const struct entry *entry_at(const struct model *m, int64_t offset)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].last >= offset)
            return m->entries[i].first <= offset ? &m->entries[i] : NULL;
    return NULL;
}

static bool check_bounds(struct world *w)
{
    const struct model *m = &w->m;
    int64_t start = rw_log_start(w->log), end = rw_log_end(w->log);
    int64_t most = m->n ? m->entries[m->n - 1].last + 1 : m->start_most;
    if (start < m->start_least)
        return world_fail(w, "the start went back: %lld, checkpointed was %lld", (long long)start,
                          (long long)m->start_least);
    if (start > m->start_most)
        return world_fail(w, "the start jumped: %lld, nobody asked for more than %lld",
                          (long long)start, (long long)m->start_most);
    if (end < m->promised)
        return world_fail(w, "lost: the log ends at %lld, flushed was %lld", (long long)end,
                          (long long)m->promised);
    if (end > most)
        return world_fail(w, "the log ends at %lld, never appended was anything above %lld",
                          (long long)end, (long long)most);
    return true;
}

/* Batches of one range must be the model's entries from *offset on, byte by byte. */
static bool check_bytes(struct world *w, const uint8_t *p, size_t n, int64_t *offset)
{
    while (n > 0) {
        struct rw_batch b;
        if (rw_batch_check(p, n, &b))
            return world_fail(w, "torn: no whole batch at offset %lld", (long long)*offset);
        const struct entry *e = entry_at(&w->m, b.base_offset);
        if (!e || e->first != b.base_offset || e->last < *offset || e->first > *offset)
            return world_fail(w, "batch %lld where offset %lld was expected",
                              (long long)b.base_offset, (long long)*offset);
        if (e->n != rw_batch_size(&b) || memcmp(e->bytes, p, e->n))
            return world_fail(w, "batch %lld is not what was appended", (long long)e->first);
        *offset = e->last + 1;
        p += e->n;
        n -= e->n;
    }
    return true;
}

static bool check_content(struct world *w)
{
    int64_t offset = rw_log_start(w->log), end = rw_log_end(w->log);
    while (offset < end) {
        struct rw_log_range r;
        int rc = rw_log_read(w->log, offset, INT64_MAX, 1 << 20, true, &r);
        if (rc || r.n == 0) {
            if (!rc)
                rw_log_range_release(&r);
            return world_fail(w, "reading at %lld below the end %lld: %s, %s", (long long)offset,
                              (long long)end, rw_code_name(rc), rc ? "" : "nothing there");
        }
        uint8_t *p = rw_alloc(r.n);
        size_t n = 0;
        rc = rw_file_read_at(r.file, r.at, p, r.n, &n);
        bool ok = rc || n != r.n ? world_fail(w, "the range of %lld is not readable: %s",
                                              (long long)offset, rw_code_name(rc))
                                 : check_bytes(w, p, n, &offset);
        rw_free(p);
        rw_log_range_release(&r);
        if (!ok)
            return false;
    }
    return offset == end || world_fail(w, "content ends at %lld, the log says %lld",
                                       (long long)offset, (long long)end);
}

static void on_bad(void *arg, const char *file, uint64_t at, int code, const char *why)
{
    world_fail(arg, "verify: %s at %llu: %s, %s", file, (unsigned long long)at, rw_code_name(code),
               why);
}

static bool check_verify(struct world *w)
{
    struct rw_log_verify v = {.first_bad_offset = -1, .report = on_bad, .arg = w};
    int rc = rw_log_verify(w->log, &v);
    if (rc || v.bad_batches || v.bad_index_entries)
        return world_fail(w, "verify: %s, %llu bad batches, %llu bad index entries",
                          rw_code_name(rc), (unsigned long long)v.bad_batches,
                          (unsigned long long)v.bad_index_entries);
    return true;
}

/* Where each leader epoch ends, and the first record at or after some times. */
static bool check_lookups(struct world *w)
{
    int64_t start = rw_log_start(w->log), end = rw_log_end(w->log);
    for (size_t i = 0; i < w->m.n; i++) {
        const struct entry *e = &w->m.entries[i];
        if (e->first < start)
            continue;
        int64_t want_end = end;
        for (size_t k = i; k < w->m.n && want_end == end; k++)
            if (w->m.entries[k].epoch > e->epoch)
                want_end = w->m.entries[k].first;
        int32_t epoch = -2;
        int64_t at = -2;
        rw_log_epoch_end(w->log, e->epoch, &epoch, &at);
        if (epoch != e->epoch || at != want_end)
            return world_fail(w, "epoch %d ends at %lld (answer: epoch %d, %lld)", e->epoch,
                              (long long)want_end, epoch, (long long)at);
        if (i % 4)
            continue;
        int64_t ts = e->base_ts + (int64_t)(i % 3), want = -1;
        for (size_t k = 0; k < w->m.n && want < 0; k++)
            for (int64_t o = w->m.entries[k].first; o <= w->m.entries[k].last && want < 0; o++)
                if (o >= start && w->m.entries[k].base_ts + o - w->m.entries[k].first >= ts)
                    want = o;
        struct rw_log_position pos = {-2, -2, -2};
        int rc = rw_log_find_time(w->log, ts, INT64_MAX, &pos);
        if (rc || pos.offset != want)
            return world_fail(w, "first record at time %lld is %lld (answer: %s, %lld)",
                              (long long)ts, (long long)want, rw_code_name(rc),
                              (long long)pos.offset);
    }
    return true;
}

static int resend(struct world *w, const struct entry *e, struct rw_append_info *ret_info)
{
    struct rw_buf copy;
    rw_buf_init(&copy);
    rw_buf_add(&copy, e->bytes, e->n);
    rw_batch_set_base_offset(copy.p, 0);
    const struct rw_append_args args = {.leader_epoch = w->epoch,
                                        .as_leader = true,
                                        .allow_zstd = true,
                                        .now_ms = rw_wall_ms(w->e.env.clock)};
    int rc = rw_log_append(w->log, copy.p, copy.n, &args, ret_info);
    rw_buf_deinit(&copy);
    return rc;
}

/* Producer state is what a recomputation from the log gives, seen from outside: the last batch of each
 * producer is known as a duplicate, and a gap in its sequence is refused. */
static bool check_producers(struct world *w)
{
    for (int64_t pid = 1000; pid < 1000 + WORLD_PRODUCERS; pid++) {
        const struct entry *last = NULL;
        for (size_t i = 0; i < w->m.n; i++)
            if (w->m.entries[i].pid == pid && w->m.entries[i].first >= rw_log_start(w->log))
                last = &w->m.entries[i];
        if (!last)
            continue;
        struct rw_append_info info = {0};
        int rc = resend(w, last, &info);
        if (rc || !info.duplicate || info.first_offset != last->first ||
            info.last_offset != last->last)
            return world_fail(w, "twice: producer %lld's batch %lld sent again: %s, %s at %lld",
                              (long long)pid, (long long)last->first, rw_code_name(rc),
                              info.duplicate ? "duplicate" : "new", (long long)info.first_offset);
        struct rw_buf gap;
        rw_buf_init(&gap);
        struct entry e = {.pid = pid, .epoch = w->epoch, .base_ts = w->last_ts};
        e.sequence = rw_sequence_add(world_next_sequence(w, pid), 7);
        rc = world_build(w, &gap, &e, 1);
        const struct rw_append_args args = {.leader_epoch = w->epoch,
                                            .as_leader = true,
                                            .allow_zstd = true,
                                            .now_ms = rw_wall_ms(w->e.env.clock)};
        if (!rc)
            rc = rw_log_append(w->log, gap.p, gap.n, &args, &info);
        rw_buf_deinit(&gap);
        if (rc != RW_E_SEQUENCE)
            return world_fail(w, "producer %lld: a gap in the sequence was answered %s",
                              (long long)pid, rw_code_name(rc));
    }
    return true;
}

bool world_check(struct world *w)
{
    if (w->why[0] || !check_bounds(w) || !check_content(w))
        return false;
    struct model *m = &w->m;
    int64_t start = rw_log_start(w->log), end = rw_log_end(w->log);
    /* From here on this is the log: what is not in it was never promised. */
    int64_t promised = m->promised;
    world_model_truncate(w, end);
    m->promised = promised;
    m->cut_least = -1;
    if (rw_log_durable(w->log) > m->promised)
        m->promised = rw_log_durable(w->log); /* whoever says so is held to it */
    if (start > m->start_most)
        m->start_most = start;
    return check_verify(w) && check_lookups(w) && check_producers(w);
}
