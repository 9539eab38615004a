/*
 * Producer state at open and after a truncation: the newest snapshot that is intact, then the headers
 * of all batches after it. Where asked, leader epochs are noted on the way.
 */
#include "log/state.h"

#include <string.h>

#include "base/mem.h"
#include "log/checkpoint.h"

struct search {
    struct rw_log *log;
    int64_t below; /* look at snapshots below this offset */
    int64_t best;
    int64_t keep_from, keep_to;
};

static int see_snapshot(void *arg, const char *name)
{
    struct search *q = arg;
    int64_t offset;
    const char *suffix;
    if (rw_name_parse(name, &offset, &suffix) && strcmp(suffix, RW_SUFFIX_SNAPSHOT) == 0 &&
        offset < q->below && offset > q->best)
        q->best = offset;
    return RW_OK;
}

static int drop_snapshot(void *arg, const char *name)
{
    struct search *q = arg;
    int64_t offset;
    const char *suffix;
    struct rw_path path;
    if (!rw_name_parse(name, &offset, &suffix) || strcmp(suffix, RW_SUFFIX_SNAPSHOT) != 0 ||
        (offset >= q->keep_from && offset < q->keep_to))
        return RW_OK;
    int rc = rw_path_join(&path, q->log->dir, name, NULL);
    if (q->log->snapshot_at == offset)
        q->log->snapshot_at = -1;
    return rc ? rc : rw_file_remove(q->log->env, path.s);
}

int rw_log_drop_snapshots(struct rw_log *log, int64_t keep_from, int64_t keep_to)
{
    struct search q = {.log = log, .keep_from = keep_from, .keep_to = keep_to};
    return log->env->vfs->ops->list(log->env->vfs, log->dir, drop_snapshot, &q);
}

/* Loads snapshot files from the newest on until one is intact. *ret_from: what it covers up to. */
static int load_snapshot(struct rw_log *log, int64_t *ret_from)
{
    struct rw_vfs *vfs = log->env->vfs;
    struct search q = {.log = log, .below = atomic_load(&log->end) + 1};
    struct rw_buf bytes;
    rw_buf_init(&bytes);
    int rc;
    for (;;) {
        q.best = -1;
        rc = vfs->ops->list(vfs, log->dir, see_snapshot, &q);
        if (rc || q.best < 0)
            break;
        struct rw_path path;
        rw_buf_clear(&bytes);
        rc = rw_path_of(&path, log->dir, q.best, RW_SUFFIX_SNAPSHOT, NULL);
        if (!rc)
            rc = rw_file_load(log->env, path.s, &bytes);
        if (!rc)
            rc = rw_snapshot_decode(&log->producers, rw_slice(bytes.p, bytes.n));
        if (rc == RW_OK || rc == RW_E_NOMEM || rc == RW_E_IO)
            break;
        rw_diag(log->env->diag, RW_WARN, "log", "a producer snapshot is not usable",
                rw_kv_str("path", path.s), rw_kv_code("error", rc));
        rc = rw_file_remove(log->env, path.s);
        if (rc)
            break;
        q.below = q.best;
    }
    rw_buf_deinit(&bytes);
    log->snapshot_at = rc ? -1 : q.best;
    *ret_from = q.best;
    return rc;
}

static int replay_batch(struct rw_log *log, struct rw_scan *scan, bool epochs, int64_t now_ms)
{
    const struct rw_batch *b = &scan->batch;
    int rc = RW_OK;
    if (epochs) {
        rc = rw_epochs_reserve(&log->epochs, 1);
        if (rc)
            return rc;
        rw_epochs_assign(&log->epochs, b->leader_epoch, b->base_offset);
    }
    if (b->producer_id < 0)
        return RW_OK;
    rc = rw_producers_reserve(&log->producers, b->producer_id);
    const uint8_t *body = NULL;
    if (!rc && rw_batch_is_control(b)) {
        rc = rw_scan_body(scan, &body);
        /* Cut off under our feet or damaged: not more than the marker of that batch is unknown. */
        if (rc == RW_E_SHORT)
            return RW_OK;
    }
    if (!rc)
        rw_log_note_producer(log, b, body, now_ms);
    return rc;
}

static int replay_segment(struct rw_log *log, struct rw_segment *s, int64_t from, bool epochs,
                          int64_t now_ms)
{
    struct rw_scan scan;
    struct rw_locate at = {.at = 0};
    int rc = from > s->base ? rw_log_locate(log, s, s->size, from, &at) : RW_OK;
    if (rc == RW_E_CORRUPT)
        at.at = 0;
    else if (rc)
        return rc;
    rw_scan_init(&scan, s->file, at.at, s->size, NULL, 64u << 10);
    int64_t next = s->base;
    for (;;) {
        rc = rw_scan_next(&scan);
        if (rc == RW_E_CORRUPT || rc == RW_E_SHORT) {
            rc = rw_scan_resync(&scan, next, INT64_MAX);
            if (rc == 1)
                continue;
        }
        if (rc != 1)
            break;
        next = rw_batch_last_offset(&scan.batch) + 1;
        if (next <= from)
            continue;
        rc = replay_batch(log, &scan, epochs, now_ms);
        if (rc)
            break;
    }
    rw_scan_deinit(&scan);
    return rc;
}

int rw_log_load_producers(struct rw_log *log, bool epochs)
{
    int64_t from;
    rw_producers_clear(&log->producers);
    int rc = load_snapshot(log, &from);
    /* A checkpoint of epochs that is lost altogether is made again from all batches. */
    if (epochs && !log->epochs.n)
        from = -1;
    if (from < atomic_load(&log->start))
        from = log->segments[0]->base;
    if (rc || from >= atomic_load(&log->end))
        return rc;
    /* When a producer was last heard of is not in the log; "now" never forgets one too early. */
    int64_t now_ms = rw_wall_ms(log->env->clock);
    for (size_t i = rw_log_segment_at(log, from); i < log->segments_n && !rc; i++)
        rc = replay_segment(log, log->segments[i], from, epochs, now_ms);
    return rc;
}
