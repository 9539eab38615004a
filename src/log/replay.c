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
    bool dropped_above;
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
    q->dropped_above |= offset >= q->keep_to;
    return rc ? rc : rw_file_remove(q->log->env, path.s);
}

int rw_log_drop_snapshots(struct rw_log *log, int64_t keep_from, int64_t keep_to)
{
    struct search q = {.log = log, .keep_from = keep_from, .keep_to = keep_to};
    struct rw_vfs *vfs = log->env->vfs;
    int rc = vfs->ops->list(vfs, log->dir, drop_snapshot, &q);
    /* The log will grow past those offsets again, with other batches: a crash must not bring back a
     * snapshot that tells of the old ones. */
    return rc || !q.dropped_above ? rc : vfs->ops->sync_dir(vfs, log->dir);
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

/* Where a replay begins, for each of the two things that are read from the batches. INT64_MAX: not. */
struct replay {
    int64_t producers_from, epochs_from;
    int64_t now_ms;
};

static int replay_batch(struct rw_log *log, struct rw_scan *scan, const struct replay *r)
{
    const struct rw_batch *b = &scan->batch;
    int rc = RW_OK;
    if (rw_batch_last_offset(b) >= r->epochs_from) {
        rc = rw_epochs_reserve(&log->epochs, 1);
        if (rc)
            return rc;
        rw_epochs_assign(&log->epochs, b->leader_epoch, b->base_offset);
    }
    if (b->producer_id < 0 || rw_batch_last_offset(b) < r->producers_from)
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
        rw_log_note_producer(log, b, body, r->now_ms);
    return rc;
}

static int replay_segment(struct rw_log *log, size_t i, int64_t from, const struct replay *r)
{
    struct rw_segment *s = log->segments[i];
    int64_t end = rw_log_segment_end(log, i);
    struct rw_scan scan;
    struct rw_locate at = {.at = 0};
    int rc = from > s->base ? rw_log_locate(log, s, s->size, end, from, &at) : RW_OK;
    if (rc == RW_E_CORRUPT)
        at.at = 0;
    else if (rc)
        return rc;
    rw_log_scan(log, s, at.at, s->size, end, NULL, 64u << 10, &scan);
    for (;;) {
        rc = rw_scan_next(&scan);
        if (rc == RW_E_CORRUPT || rc == RW_E_SHORT) {
            rc = rw_scan_resync(&scan);
            if (rc == 1)
                continue;
        }
        if (rc != 1)
            break;
        if (rw_batch_last_offset(&scan.batch) < from)
            continue;
        rc = replay_batch(log, &scan, r);
        if (rc)
            break;
    }
    rw_scan_deinit(&scan);
    return rc;
}

int rw_log_load_producers(struct rw_log *log, int64_t epochs_from)
{
    int64_t from;
    rw_producers_clear(&log->producers);
    int rc = load_snapshot(log, &from);
    int64_t base = log->segments[0]->base;
    if (from < base) {
        /* Batches between the snapshot and the first segment are gone. With that hole the state would
         * refuse what follows; a producer that is not known is let in. */
        rw_producers_clear(&log->producers);
        from = base;
    }
    /* "now": when a producer was last heard of is not in the log; this never forgets one too early. */
    const struct replay r = {
        .producers_from = from, .epochs_from = epochs_from, .now_ms = rw_wall_ms(log->env->clock)};
    if (!rc && from > base)
        rc = rw_log_recall_batches(log, from, r.now_ms);
    if (epochs_from < from)
        from = epochs_from > base ? epochs_from : base;
    if (rc || from >= atomic_load(&log->end))
        return rc;
    for (size_t i = rw_log_segment_at(log, from); i < log->segments_n && !rc; i++)
        rc = replay_segment(log, i, from, &r);
    return rc;
}
