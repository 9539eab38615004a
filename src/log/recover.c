/*
 * Loading the segments of a log, after a clean close or after a crash.
 *
 * Below the recovery point everything was synced: what is wrong there is damage of the medium. It is
 * reported and left alone, so that what is intact around it stays readable and nothing that was
 * acknowledged disappears. At or above the recovery point the first batch that is not whole is where
 * the last writes were torn: it and everything after it was never promised to anybody and is cut off.
 *
 * Read-only: nothing is changed on disk; the log ends before the first batch that is not whole.
 */
#include "log/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log/checkpoint.h"

#define CHUNK (1u << 20)

/* ---- what is in the directory ---- */

struct listing {
    struct rw_log *log;
    int64_t *bases, *swaps;
    size_t bases_n, bases_cap, swaps_n, swaps_cap;
    int64_t min_cleaned;
};

static int add_offset(int64_t **list, size_t *n, size_t *cap, int64_t v)
{
    int64_t *p = rw_array_grow(*list, *n, cap, sizeof(*p));
    if (!p)
        return RW_E_NOMEM;
    *list = p;
    (*list)[(*n)++] = v;
    return RW_OK;
}

static int unlink_name(struct rw_log *log, const char *name)
{
    struct rw_path path;
    int rc = rw_path_join(&path, log->dir, name, NULL);
    return rc ? rc : rw_file_remove(log->env, path.s);
}

static int see_name(void *arg, const char *name)
{
    struct listing *l = arg;
    int64_t base;
    const char *suffix;
    bool ours = rw_name_parse(name, &base, &suffix);
    if (ours && strcmp(suffix, RW_SUFFIX_LOG) == 0)
        return add_offset(&l->bases, &l->bases_n, &l->bases_cap, base);
    if (l->log->read_only)
        return RW_OK;
    if (rw_name_ends(name, RW_SUFFIX_TMP))
        return unlink_name(l->log, name);
    if (!ours)
        return RW_OK;
    if (rw_name_ends(suffix, RW_SUFFIX_DELETED))
        return unlink_name(l->log, name);
    if (rw_name_ends(suffix, RW_SUFFIX_CLEANED)) {
        if (base < l->min_cleaned)
            l->min_cleaned = base;
        return unlink_name(l->log, name);
    }
    if (strcmp(suffix, RW_SUFFIX_LOG RW_SUFFIX_SWAP) == 0)
        return add_offset(&l->swaps, &l->swaps_n, &l->swaps_cap, base);
    if (rw_name_ends(suffix, RW_SUFFIX_SWAP))
        return unlink_name(l->log, name); /* indexes of swapped segments are rebuilt */
    return RW_OK;
}

static int compare_offsets(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int swap_end(struct rw_log *log, int64_t base, int64_t *ret_end)
{
    struct rw_path path;
    struct rw_file *f;
    uint64_t size = 0;
    int rc = rw_path_of(&path, log->dir, base, RW_SUFFIX_LOG, RW_SUFFIX_SWAP);
    if (!rc)
        rc = rw_vfs_open(log->env->vfs, path.s, RW_OPEN_READ, &f);
    if (rc)
        return rc;
    rc = f->ops->size(f, &size);
    struct rw_scan scan;
    rw_scan_init(&scan, f, 0, size, NULL, 64u << 10);
    int64_t end = base + 1;
    while (!rc && (rc = rw_scan_next(&scan)) == 1) {
        end = rw_batch_last_offset(&scan.batch) + 1;
        rc = RW_OK;
    }
    rw_scan_deinit(&scan);
    rw_file_close(f);
    *ret_end = end;
    return rc == RW_E_SHORT ? RW_E_CORRUPT : rc;
}

/* The result of a compaction is damaged. As long as what it was made from is there, that is what counts;
 * without it, it is all there is, and goes the way of every damaged segment. */
static int damaged_swap(struct listing *l, int64_t base, const char *path, bool *ret_dropped)
{
    *ret_dropped = false;
    for (size_t i = 0; i < l->bases_n; i++)
        *ret_dropped |= l->bases[i] == base;
    rw_diag(l->log->env->diag, RW_ERROR, "log", "the result of a compaction is damaged",
            rw_kv_str("path", path), rw_kv_int("dropped", *ret_dropped));
    return *ret_dropped ? rw_file_remove(l->log->env, path) : RW_OK;
}

/* A compaction was interrupted after its result was complete: finish it (Kafka's LogLoader). When a
 * .cleaned file is left as well, the result that it belonged to is not complete. */
static int finish_swaps(struct listing *l)
{
    struct rw_log *log = l->log;
    struct rw_vfs *vfs = log->env->vfs;
    int rc = RW_OK;
    for (size_t i = 0; i < l->swaps_n && !rc; i++) {
        struct rw_path swap, path;
        int64_t end = 0;
        rc = rw_path_of(&swap, log->dir, l->swaps[i], RW_SUFFIX_LOG, RW_SUFFIX_SWAP);
        if (!rc && l->swaps[i] >= l->min_cleaned) {
            rc = rw_file_remove(log->env, swap.s);
            continue;
        }
        if (!rc)
            rc = swap_end(log, l->swaps[i], &end);
        if (rc == RW_E_CORRUPT) {
            bool dropped;
            rc = damaged_swap(l, l->swaps[i], swap.s, &dropped);
            if (dropped)
                continue;
        }
        size_t kept = 0;
        for (size_t j = 0; j < l->bases_n && !rc; j++) {
            if (l->bases[j] < l->swaps[i] || l->bases[j] >= end) {
                l->bases[kept++] = l->bases[j];
                continue;
            }
            rc = rw_path_of(&path, log->dir, l->bases[j], RW_SUFFIX_LOG, NULL);
            if (!rc && l->bases[j] != l->swaps[i])
                rc = rw_file_remove(log->env, path.s);
        }
        if (!rc) {
            l->bases_n = kept;
            rc = rw_path_of(&path, log->dir, l->swaps[i], RW_SUFFIX_LOG, NULL);
        }
        if (!rc)
            rc = vfs->ops->rename(vfs, swap.s, path.s);
        if (!rc)
            rc = add_offset(&l->bases, &l->bases_n, &l->bases_cap, l->swaps[i]);
        struct rw_path index;
        if (!rc && rw_path_of(&index, log->dir, l->swaps[i], RW_SUFFIX_INDEX, NULL) == RW_OK)
            rc = rw_file_remove(log->env, index.s);
    }
    return rc;
}

/* ---- one segment ---- */

struct pass {
    struct rw_log *log;
    struct rw_segment *s;
    struct rw_scan scan;
    int64_t next;  /* behind the last good batch */
    int64_t below; /* where the next segment starts */
    int64_t trust; /* below this offset damage is kept, at or above it cut off */
    bool check;    /* verify CRCs */
    bool note;     /* rebuild indexes */
    bool rewrite;  /* at and above `trust`, what is read may not be on the disk: write it again */
    uint64_t good; /* end of the last good batch */
    uint64_t bad;  /* batches or stretches that are damaged and kept */
    bool lost;     /* the rest of the file can not be read, and is kept */
};

static void report(struct pass *p, const char *what, uint64_t at)
{
    rw_diag(p->log->env->diag, RW_ERROR, "log", what, rw_kv_str("dir", p->log->dir),
            rw_kv_int("segment", p->s->base), rw_kv_uint("position", at),
            rw_kv_int("offset", p->next));
}

static void take(struct pass *p)
{
    const struct rw_batch *b = &p->scan.batch;
    if (p->note) {
        if (rw_segment_tails_full(p->s))
            rw_log_spill(p->log, p->s, false);
        rw_segment_note(p->s, b, p->scan.at, p->log->config.index_interval_bytes);
    }
    if (p->s->first_timestamp < 0 && p->scan.at == 0)
        p->s->first_timestamp = b->max_timestamp;
    if (b->max_timestamp > p->s->max_timestamp) {
        p->s->max_timestamp = b->max_timestamp;
        p->s->max_timestamp_offset = rw_batch_last_offset(b);
    }
    p->next = rw_batch_last_offset(b) + 1;
    p->good = p->scan.next;
    rw_log_remember_last(p->log, p->scan.at, b->crc);
}

/*
 * What a process wrote before it died is read from the page cache, and a sync of it may have failed: the
 * kernel has then marked the pages clean without having written them, and the next sync succeeds. So the
 * cache is written, where it still can be, and given up; the scan reads what the disk has. A file system
 * that does not give it up (tmpfs) gets the bytes once more.
 */
static int see_the_disk(struct pass *p)
{
    struct rw_file *f = p->s->file;
    int rc = f->ops->sync_data(f);
    if (rc || !p->s->size)
        return rc;
    f->ops->advise(f, 0, 0, false); /* the whole file: parts of a large page are not given up */
    p->rewrite = f->ops->is_cached(f, 0, p->s->size);
    return RW_OK;
}

static int check_one(struct pass *p)
{
    const uint8_t *body;
    int rc = rw_scan_next(&p->scan);
    if (rc != 1)
        return rc == RW_E_SHORT ? RW_E_CORRUPT : rc;
    const struct rw_batch *b = &p->scan.batch;
    rc = p->check ? rw_scan_check(&p->scan, &body) : RW_OK;
    if (rc == RW_OK && p->rewrite && rw_batch_last_offset(b) >= p->trust)
        rc = rw_file_write_at(p->s->file, p->scan.at, body, rw_batch_size(b));
    if (rc == RW_OK)
        return 1;
    if (rc == RW_E_CORRUPT || rc == RW_E_SHORT) {
        /* The header is in order: when it lies in what was synced, the chain goes on behind it. */
        if (b->base_offset < p->trust && rc == RW_E_CORRUPT) {
            p->bad++;
            report(p, "a batch is damaged (CRC); it is kept", p->scan.at);
            return 1;
        }
        p->scan.next = p->scan.at;
        return RW_E_CORRUPT;
    }
    return rc;
}

/* Walks over the segment from `from`. Stops at the end, or at the place to cut (p->good). */
static int walk(struct pass *p, uint64_t from)
{
    int64_t below = p->s->base > INT64_MAX - INT32_MAX ? INT64_MAX : p->s->base + INT32_MAX + 1;
    rw_log_scan(p->log, p->s, from, p->s->size, p->below < below ? p->below : below, NULL,
                p->check ? CHUNK : 64u << 10, &p->scan);
    p->good = from;
    int rc;
    while ((rc = check_one(p)) != 0) {
        if (rc == RW_E_CORRUPT && p->next < p->trust) {
            uint64_t at = p->scan.next;
            p->bad++;
            report(p, "a stretch of the segment is damaged; it is kept", at);
            rc = rw_scan_resync(&p->scan);
            if (rc == 1)
                continue;
            if (rc == 0) {
                p->lost = true;
                break;
            }
        }
        if (rc != 1)
            break;
        take(p);
    }
    rw_scan_deinit(&p->scan);
    return rc == RW_E_CORRUPT || rc == 1 ? RW_OK : rc;
}

int rw_log_rebuild_indexes(struct rw_log *log, struct rw_segment *s, int64_t next_base)
{
    rw_diag(log->env->diag, RW_WARN, "log", "rebuilding the indexes of a segment",
            rw_kv_str("dir", log->dir), rw_kv_int("segment", s->base));
    rw_segment_new_indexes_aside(s, log->dir, &log->config);
    struct pass p = {
        .log = log, .s = s, .next = s->base, .below = next_base, .trust = INT64_MAX, .note = true};
    int rc = walk(&p, 0);
    rw_log_spill(log, s, false);
    rw_segment_note_end(s);
    rw_log_spill(log, s, true);
    int placed = rw_segment_place_indexes(s, log->dir, rc == RW_OK && rw_log_is_indexed(s));
    if (placed == RW_E_FULL) /* not even for a name: this process goes on with what it has */
        placed = rw_segment_place_indexes(s, log->dir, false);
    log->dir_changes++;
    return rc ? rc : placed;
}

/* Where the last entries of both indexes are known to tell everything about. The one of times may be
 * older: a writer in another process writes each when its tail is full. */
static uint64_t known_to(struct rw_log *log, struct rw_segment *s, int64_t next_base)
{
    uint8_t entry[RW_TIME_ENTRY_SIZE];
    struct rw_locate at;
    if (!rw_index_last(&s->offsets, entry))
        return 0;
    uint64_t position = (uint64_t)rw_offset_entry_decode(entry).position;
    if (!log->read_only)
        return position;
    if (!rw_index_last(&s->times, entry) ||
        rw_log_locate(log, s, s->size, next_base, s->base + rw_time_entry_decode(entry).relative,
                      &at))
        return 0;
    return at.at < position ? at.at : position;
}

/* The end of the last segment of a clean or read-only log: from the last index entry on. */
static int find_end(struct rw_log *log, struct rw_segment *s, int64_t next_base, int64_t trust,
                    int64_t *ret_next, bool *ret_torn)
{
    const struct pass begin = {.log = log,
                               .s = s,
                               .next = s->base,
                               .below = next_base,
                               .trust = trust,
                               .check = log->read_only};
    struct pass p = begin;
    uint64_t from = known_to(log, s, next_base);
    int rc = walk(&p, from);
    /* Torn where the last entry leads: the end lies before it. */
    if (!rc && from && p.good == from) {
        p = begin;
        rc = walk(&p, 0);
    }
    *ret_next = p.next;
    *ret_torn = p.good != s->size;
    if (log->read_only)
        s->size = p.good;
    return rc;
}

/* CRC scan with new indexes; cuts off what is torn. *ret_stop: later segments must go. */
static int scan_segment(struct rw_log *log, struct rw_segment *s, int64_t next_base, int64_t trust,
                        int64_t *ret_next, bool *ret_stop)
{
    struct pass p = {.log = log,
                     .s = s,
                     .next = s->base,
                     .below = next_base,
                     .trust = trust,
                     .check = true,
                     .note = true};
    rw_segment_new_indexes(s, log->dir, &log->config);
    log->dir_changes++; /* else an old index could come back in place of the new one */
    int rc = see_the_disk(&p);
    if (!rc)
        rc = walk(&p, 0);
    if (rc)
        return rc;
    *ret_next = p.next;
    *ret_stop = false;
    if (p.lost) {
        s->keep_tail = true;
        s->size = p.good;
    } else if (p.bad && p.next < trust && p.good == s->size) {
        s->keep_tail = true; /* the last batch hides where it ended */
    } else if (p.good != s->size) {
        bool zeros;
        rc = rw_scan_is_zero(s->file, p.good, s->size, &zeros);
        if (rc)
            return rc;
        rw_diag(log->env->diag, zeros ? RW_INFO : RW_WARN, "log",
                zeros ? "cutting off zeros behind the end"
                      : "cutting off what a crash left unfinished",
                rw_kv_str("dir", log->dir), rw_kv_int("segment", s->base),
                rw_kv_int("offset", p.next), rw_kv_uint("bytes", s->size - p.good));
        log->cut_bytes += zeros ? 0 : s->size - p.good;
        s->size = p.good; /* the file follows in cut_torn_end() */
        *ret_stop = true;
    }
    s->synced = 0;
    s->reserved = s->file_end = s->size;
    return rc;
}

/* Behind the torn end nothing counts. */
static int remove_segment(struct rw_log *log, int64_t base)
{
    struct rw_path path;
    struct rw_stat st;
    int rc = rw_path_of(&path, log->dir, base, RW_SUFFIX_LOG, NULL);
    if (!rc)
        rc = log->env->vfs->ops->stat(log->env->vfs, path.s, &st);
    if (!rc && st.size && log->no_cut)
        rc = RW_E_CORRUPT;
    if (rc)
        return rc;
    rw_diag(log->env->diag, RW_WARN, "log", "removing a segment behind the torn end",
            rw_kv_str("dir", log->dir), rw_kv_int("segment", base));
    log->cut_bytes += st.size;
    rc = rw_segment_rename_deleted(log->env, log->dir, base);
    return rc ? rc : rw_segment_unlink_deleted(log->env, log->dir, base);
}

/* ---- all segments ---- */

/* What was written before record batch v2 is no batch, but neither is it what a crash left: to cut it off
 * would be to lose it. */
static int refuse_old_format(struct rw_log *log, struct rw_segment *s)
{
    bool old = false;
    int rc = s->size ? rw_scan_is_old_format(s->file, 0, s->size, &old) : RW_OK;
    if (!old)
        return rc;
    rw_diag(log->env->diag, RW_ERROR, "log", "a segment has messages from before record batch v2",
            rw_kv_str("dir", log->dir), rw_kv_int("segment", s->base));
    return RW_E_UNSUPPORTED;
}

/* A segment that is not looked at as a whole: below the recovery point, or of a log that is not to be
 * repaired. */
static int trust_segment(struct rw_log *log, struct rw_segment *s,
                         const struct rw_log_open_args *args, int64_t next_base, bool last,
                         int64_t *ret_next, bool *ret_stop)
{
    bool torn = false;
    int rc = RW_OK;
    bool indexed = rw_segment_load_indexes(s, log->dir, log->read_only, next_base);
    if (!indexed && !log->read_only && s->size)
        rc = rw_log_rebuild_indexes(log, s, next_base);
    else if (!indexed && !log->read_only)
        rw_segment_new_indexes(s, log->dir, &log->config);
    if (!rc && (last || (!indexed && log->read_only)))
        rc = find_end(log, s, next_base, last ? args->recovery_point : INT64_MAX, ret_next, &torn);
    /* The mark said clean, the file does not: believe the file. */
    if (!rc && torn && last && !log->read_only)
        rc = scan_segment(log, s, next_base, args->recovery_point, ret_next, ret_stop);
    /* The same for a log that was closed: what the mark vouches for is not there. */
    if (!rc && last && args->clean && !log->read_only && *ret_next < args->recovery_point)
        s->keep_tail = true;
    if (!last)
        *ret_next = next_base;
    return rc;
}

static int load_opened(struct rw_log *log, struct rw_segment *s,
                       const struct rw_log_open_args *args, int64_t next_base, bool last,
                       int64_t *ret_next, bool *ret_stop)
{
    bool scan = !log->read_only && !args->clean && next_base > args->recovery_point;
    uint64_t cut_before = log->cut_bytes;
    int rc = s->base >= args->recovery_point ? refuse_old_format(log, s) : RW_OK;
    if (!rc)
        rc = scan ? scan_segment(log, s, next_base, args->recovery_point, ret_next, ret_stop)
                  : trust_segment(log, s, args, next_base, last, ret_next, ret_stop);
    /* Rubbish behind the last batch, and the next segment goes on where that batch ended: the rest of a
     * write that failed. Nothing is missing, so nothing else has to go. */
    if (!rc && *ret_stop && !last && *ret_next == next_base) {
        *ret_stop = false;
        rc = s->file->ops->truncate(s->file, s->size);
    }
    if (!rc && *ret_stop && log->no_cut && log->cut_bytes > cut_before)
        rc = RW_E_CORRUPT;
    s->sealed = !last;
    return !rc && scan && !last ? rw_log_close_indexes(log, s) : rc;
}

static int load_one(struct rw_log *log, const struct rw_log_open_args *args, int64_t base,
                    int64_t next_base, bool last, int64_t *ret_next, bool *ret_stop)
{
    struct rw_segment *s;
    int rc = rw_log_reserve_segment(log);
    if (!rc)
        rc = rw_segment_open(log->env, log->dir, base, &log->config, log->read_only, &s);
    if (rc)
        return rc;
    *ret_stop = false;
    *ret_next = next_base;
    rc = load_opened(log, s, args, next_base, last, ret_next, ret_stop);
    if (rc)
        rw_segment_unref(s);
    else
        rw_log_push_segment(log, s);
    return rc;
}

/*
 * Cuts the last segment off where it was torn. The segments behind it are gone by then, and durably:
 * were the cut to survive a second crash and they too, the gap would look like a compacted one. The
 * cut itself must be durable before something new is written there, else old bytes could come back
 * behind the new ones. So must a cut that was made before the process died and never synced: nothing
 * tells it from none, so that every open after a crash syncs.
 */
static int cut_torn_end(struct rw_log *log, bool cut)
{
    struct rw_segment *s = rw_log_active(log);
    int rc = log->env->vfs->ops->sync_dir(log->env->vfs, log->dir);
    if (!rc && cut)
        rc = s->file->ops->truncate(s->file, s->size);
    return rc ? rc : s->file->ops->sync_full(s->file);
}

static int load_segments(struct rw_log *log, const struct rw_log_open_args *args,
                         const struct listing *l)
{
    int64_t end = 0;
    bool stop = false, cut = false;
    int rc = RW_OK;
    for (size_t i = 0; i < l->bases_n && !rc; i++) {
        if (stop) {
            rc = remove_segment(log, l->bases[i]);
            continue;
        }
        bool last = i + 1 == l->bases_n;
        rc =
            load_one(log, args, l->bases[i], last ? INT64_MAX : l->bases[i + 1], last, &end, &stop);
        cut |= stop;
        /* The tail of this segment was not written any more, but the name of the next one was. */
        if (!rc && !last && log->contiguous && !log->read_only && end < l->bases[i + 1] &&
            end >= args->recovery_point)
            stop = true;
    }
    bool crashed = !args->clean && !log->read_only;
    if (!rc && log->segments_n && (stop || crashed || log->dir_synced != log->dir_changes)) {
        log->dir_synced = log->dir_changes;
        rc = cut_torn_end(log, cut);
    }
    if (!rc && log->segments_n)
        rw_log_active(log)->sealed = false;
    atomic_store(&log->end, end);
    return rc;
}

static int start_empty(struct rw_log *log, int64_t offset)
{
    struct rw_segment *s;
    if (log->read_only)
        return RW_E_NOT_FOUND;
    int rc = rw_log_reserve_segment(log);
    if (!rc)
        rc = rw_segment_create(log->env, log->dir, offset, &log->config, &s);
    if (rc)
        return rc;
    rw_log_push_segment(log, s);
    atomic_store(&log->end, offset);
    /* Before a second segment can follow: without the first one, the log would start there. */
    return log->env->vfs->ops->sync_dir(log->env->vfs, log->dir);
}

static int load_epochs(struct rw_log *log)
{
    struct rw_path path;
    struct rw_buf text;
    rw_buf_init(&text);
    int rc = rw_path_join(&path, log->dir, RW_EPOCHS_NAME, NULL);
    if (!rc)
        rc = rw_file_load(log->env, path.s, &text);
    if (!rc)
        rc = rw_epochs_parse(&log->epochs, (const char *)text.p, text.n);
    rw_buf_deinit(&text);
    return rc;
}

/* Positions that follow from the segments and what the caller knows. */
static int settle(struct rw_log *log, const struct rw_log_open_args *args)
{
    int64_t end = atomic_load(&log->end), first = log->segments[0]->base;
    struct rw_segment *active = rw_log_active(log);
    int rc = RW_OK;
    /* The rest of the last segment is lost: go on in a new one, at an offset that was never given. */
    if (active->keep_tail && !log->read_only) {
        int64_t base = end > args->recovery_point ? end : args->recovery_point;
        atomic_store(&log->end, base);
        rc = rw_log_unmark_contiguous(log);
        if (!rc)
            rc = rw_log_roll_at(log, base > active->base ? base : active->base + 1);
        if (rc)
            return rc;
        end = rw_log_active(log)->base;
        atomic_store(&log->end, end);
    }
    int64_t start = args->start_offset > first ? args->start_offset : first;
    if (!rc && start > end && !log->read_only)
        return rw_log_reset(log, start);
    atomic_store(&log->start, start > end ? end : start);
    int64_t durable =
        args->clean || log->read_only || args->recovery_point > end ? end : args->recovery_point;
    atomic_store(&log->durable,
                 durable > atomic_load(&log->start) ? durable : atomic_load(&log->start));
    return rc;
}

static int load_listing(struct rw_log *log, const struct rw_log_open_args *args, struct listing *l)
{
    int rc = log->env->vfs->ops->list(log->env->vfs, log->dir, see_name, l);
    if (!rc && !log->read_only)
        rc = finish_swaps(l);
    if (rc)
        return rc;
    if (l->bases_n)
        qsort(l->bases, l->bases_n, sizeof(*l->bases), compare_offsets);
    bool cleaned;
    log->contiguous = rw_log_is_marked_contiguous(log);
    rc = rw_log_was_cleaned(log, &cleaned);
    if (!rc && cleaned && !log->read_only)
        rc = rw_log_unmark_contiguous(log);
    if (cleaned || log->config.cleanup_compact)
        log->contiguous = false;
    if (!rc)
        rc = load_segments(log, args, l);
    if (!rc && !log->segments_n)
        rc = start_empty(log, args->start_offset > 0 ? args->start_offset : 0);
    bool empty = !rc && log->segments_n == 1 && rw_log_active(log)->size == 0;
    if (empty && !log->read_only && !log->contiguous && !log->config.cleanup_compact && !cleaned)
        rc = rw_log_mark_contiguous(log);
    return rc;
}

int rw_log_load(struct rw_log *log, const struct rw_log_open_args *args)
{
    struct listing l = {.log = log, .min_cleaned = INT64_MAX};
    int rc = load_listing(log, args, &l);
    rw_free(l.bases);
    rw_free(l.swaps);
    int epochs = rc ? rc : load_epochs(log);
    if (!rc && (epochs == RW_E_NOMEM || epochs == RW_E_IO))
        rc = epochs;
    if (!rc && !log->read_only)
        rc = rw_log_finish_cut(log);
    if (!rc)
        rc = settle(log, args);
    log->last_end = atomic_load(&log->end);
    if (rc || log->read_only)
        return rc;
    /* What epochs and snapshots say about offsets above the recovery point may come from before an
     * earlier crash or truncation, when other records had those offsets: read it from the log again. */
    int64_t known = atomic_load(&log->end);
    if (!args->clean && args->recovery_point < known)
        known = args->recovery_point;
    rw_epochs_truncate_end(&log->epochs, known);
    rw_epochs_truncate_start(&log->epochs, atomic_load(&log->start));
    /* The start had moved on when they were written, and a crash brought it back. */
    if (!args->clean && log->epochs.n && log->epochs.at[0].start > atomic_load(&log->start))
        rw_epochs_clear(&log->epochs);
    rc = rw_log_drop_snapshots(log, 0, known + 1);
    int64_t epochs_from = log->epochs.n && epochs == RW_OK ? known : 0;
    if (args->clean && epochs == RW_OK)
        epochs_from = INT64_MAX;
    return rc ? rc : rw_log_load_producers(log, epochs_from);
}
