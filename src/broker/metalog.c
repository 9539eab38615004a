/*
 * Order of a snapshot, so that a crash at any point leaves either the records or a snapshot of them:
 * written to a temporary file, synced, renamed, directory synced; then the log starts a new segment at
 * the snapshot's offset and drops the ones before; then older snapshots go. A snapshot counts when its
 * footer is there and every checksum is right.
 */
#include "broker/metalog.h"

#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "log/checkpoint.h"
#include "log/path.h"
#include "wire/messages.h"

#define RESERVE     (1u << 20)
#define BATCH_BYTES (1u << 20) /* of a snapshot */
#define SUFFIX      ".checkpoint"

enum { CONTROL_SNAPSHOT_HEADER = 3, CONTROL_SNAPSHOT_FOOTER = 4 };

static int snapshot_path(const struct rw_metalog *m, int64_t offset, struct rw_path *path)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%020lld-%010d" SUFFIX, (long long)offset, 0);
    return rw_path_join(path, m->dir, name, NULL);
}

/* ---- writing ---- */

/* The parts of a batch are in place: it becomes the next of the snapshot. */
static int finish_batch(struct rw_builder *b, struct rw_buf *out)
{
    struct rw_slice batch;
    int rc = rw_builder_finish(b, &batch);
    if (rc)
        return rc;
    rw_buf_add(out, batch.p, batch.n);
    int64_t next = b->last_offset + 1;
    b->attributes = 0;
    rw_builder_reset(b, next);
    return out->failed ? RW_E_NOMEM : RW_OK;
}

/* SnapshotHeaderRecord and SnapshotFooterRecord, version 0: int16 version, in the header an int64
 * timestamp, no tagged fields. */
static int add_control(struct rw_builder *b, uint8_t type, int64_t now_ms, struct rw_buf *out)
{
    const uint8_t key[4] = {0, 0, 0, type};
    uint8_t value[11] = {0};
    rw_store_be64(value + 2, (uint64_t)now_ms);
    struct rw_record r = {.offset = -1, .timestamp = now_ms, .key = {key, sizeof(key)}};
    r.value = rw_slice(value, type == CONTROL_SNAPSHOT_HEADER ? sizeof(value) : 3);
    if (type == CONTROL_SNAPSHOT_FOOTER)
        value[2] = 0;
    b->attributes = RW_ATTR_CONTROL;
    int rc = rw_builder_add(b, &r, NULL, 0);
    return rc ? rc : finish_batch(b, out);
}

static int add_record(struct rw_builder *b, const struct rw_meta_record *record, int64_t now_ms,
                      struct rw_buf *scratch)
{
    rw_buf_clear(scratch);
    int rc = rw_meta_record_encode(record, scratch);
    struct rw_record r = {.offset = -1, .timestamp = now_ms, .value = {scratch->p, scratch->n}};
    return rc ? rc : rw_builder_add(b, &r, NULL, 0);
}

static int encode(const struct rw_meta_records *list, int64_t now_ms, struct rw_buf *out)
{
    struct rw_builder b;
    struct rw_buf scratch;
    rw_builder_init(&b);
    rw_buf_init(&scratch);
    b.leader_epoch = 0;
    rw_builder_reset(&b, 0);
    int rc = add_control(&b, CONTROL_SNAPSHOT_HEADER, now_ms, out);
    for (size_t i = 0; i < list->n && rc == RW_OK; i++) {
        rc = add_record(&b, &list->items[i], now_ms, &scratch);
        if (rc == RW_OK && (rw_builder_size(&b) > BATCH_BYTES || i + 1 == list->n))
            rc = finish_batch(&b, out);
    }
    if (rc == RW_OK)
        rc = add_control(&b, CONTROL_SNAPSHOT_FOOTER, now_ms, out);
    rw_buf_deinit(&scratch);
    rw_builder_deinit(&b);
    return rc;
}

static int write_snapshot(const struct rw_metalog *m, const struct rw_meta *meta, int64_t offset,
                          int64_t now_ms)
{
    struct rw_arena arena;
    struct rw_buf bytes;
    struct rw_path path;
    rw_arena_init(&arena, 0);
    rw_buf_init(&bytes);
    struct rw_meta_records list = {.arena = &arena};
    int rc = rw_meta_snapshot(meta, &list);
    if (rc == RW_OK)
        rc = encode(&list, now_ms, &bytes);
    if (rc == RW_OK)
        rc = snapshot_path(m, offset, &path);
    if (rc == RW_OK)
        rc = rw_file_replace(m->env, path.s, bytes.p, bytes.n, true);
    rw_buf_deinit(&bytes);
    rw_arena_deinit(&arena);
    return rc;
}

/* ---- finding ---- */

/* "00000000000000000042-0000000000.checkpoint" is 42. */
static bool parse_name(const char *name, int64_t *ret_offset)
{
    int64_t offset = 0;
    for (int i = 0; i < 20; i++)
        if (name[i] < '0' || name[i] > '9' || __builtin_mul_overflow(offset, 10, &offset) ||
            __builtin_add_overflow(offset, name[i] - '0', &offset))
            return false;
    if (name[20] != '-' || strspn(name + 21, "0123456789") != 10 || strcmp(name + 31, SUFFIX) != 0)
        return false;
    *ret_offset = offset;
    return true;
}

struct found {
    int64_t below; /* looks for the newest one below this offset */
    int64_t offset;
};

static int look_at(void *arg, const char *name)
{
    struct found *f = arg;
    int64_t offset;
    if (parse_name(name, &offset) && offset < f->below && offset > f->offset)
        f->offset = offset;
    return RW_OK;
}

/* -1: there is none. */
static int newest_below(const struct rw_metalog *m, int64_t below, int64_t *ret_offset)
{
    struct found f = {below, -1};
    int rc = m->env->vfs->ops->list(m->env->vfs, m->dir, look_at, &f);
    *ret_offset = f.offset;
    return rc == RW_E_NOT_FOUND ? RW_OK : rc;
}

static void remove_older(const struct rw_metalog *m)
{
    int64_t offset;
    struct rw_path path;
    while (newest_below(m, m->snapshot, &offset) == RW_OK && offset >= 0)
        if (snapshot_path(m, offset, &path) || rw_file_remove(m->env, path.s))
            return; /* with the next snapshot */
}

static bool is_control(struct rw_slice batch, const struct rw_batch *b, int16_t want)
{
    struct rw_records records = {0};
    struct rw_record record;
    int16_t type;
    int32_t epoch;
    bool is = rw_batch_is_control(b) && rw_records_open(&records, batch.p, batch.n) == RW_OK &&
              rw_records_next(&records, &record) == 1 &&
              rw_control_type(&record, &type, &epoch) == RW_OK && type == want;
    rw_records_deinit(&records);
    return is;
}

/* Header first, footer last, whole batches with right checksums between. */
static int check_snapshot(struct rw_slice all)
{
    bool first = true, ended = false;
    while (all.n > 0) {
        struct rw_batch b;
        int rc = ended ? (int)RW_E_CORRUPT : rw_batch_check(all.p, all.n, &b);
        if (rc)
            return rc == RW_E_NOMEM ? rc : RW_E_CORRUPT;
        struct rw_slice batch = rw_slice(all.p, rw_batch_size(&b));
        if (first && !is_control(batch, &b, CONTROL_SNAPSHOT_HEADER))
            return RW_E_CORRUPT;
        ended = is_control(batch, &b, CONTROL_SNAPSHOT_FOOTER);
        first = false;
        all = rw_slice(all.p + batch.n, all.n - batch.n);
    }
    return ended ? RW_OK : RW_E_CORRUPT;
}

/* The newest one that is whole, into ret. */
static int load_snapshot(struct rw_metalog *m, struct rw_buf *ret)
{
    int64_t offset = INT64_MAX;
    for (;;) {
        struct rw_path path;
        int rc = newest_below(m, offset, &offset);
        m->snapshot = 0;
        if (rc || offset < 0)
            return rc;
        rc = snapshot_path(m, offset, &path);
        if (rc == RW_OK)
            rc = rw_file_load(m->env, path.s, ret);
        if (rc == RW_OK)
            rc = check_snapshot(rw_slice(ret->p, ret->n));
        m->snapshot = offset;
        if (rc != RW_E_CORRUPT)
            return rc;
        rw_diag(m->env->diag, RW_ERROR, "metadata", "a damaged snapshot is not used",
                rw_kv_str("file", path.s));
        rw_buf_clear(ret);
    }
}

/* ---- the log ---- */

static int read_range(const struct rw_log_range *range, struct rw_buf *into)
{
    size_t got = 0;
    uint8_t *p = rw_buf_extend(into, range->n);
    if (!p)
        return RW_E_NOMEM;
    int rc = rw_file_read_at(range->file, range->at, p, range->n, &got);
    return rc ? rc : got == range->n ? RW_OK : RW_E_CORRUPT;
}

static int read_log(struct rw_metalog *m, struct rw_buf *ret)
{
    int64_t at = m->snapshot, end = rw_log_end(m->log);
    while (at < end) {
        struct rw_log_range range;
        size_t from = ret->n;
        int rc = rw_log_read(m->log, at, INT64_MAX, 1u << 20, true, &range);
        if (rc)
            return rc;
        if (range.n == 0)
            return RW_E_CORRUPT;
        rc = read_range(&range, ret);
        rw_log_range_release(&range);
        while (rc == RW_OK && from < ret->n) {
            struct rw_batch b;
            rc = rw_batch_check(ret->p + from, ret->n - from, &b);
            if (rc == RW_OK) {
                from += rw_batch_size(&b);
                m->since += rw_batch_size(&b);
                at = rw_batch_last_offset(&b) + 1;
            }
        }
        if (rc)
            return rc;
    }
    return RW_OK;
}

/* Log and snapshot must meet. */
static int join(struct rw_metalog *m)
{
    int64_t start = rw_log_start(m->log), end = rw_log_end(m->log);
    if (m->snapshot < start) {
        rw_diag(m->env->diag, RW_ERROR, "metadata",
                "the snapshot is missing that the log goes on from", rw_kv_str("dir", m->dir),
                rw_kv_int("log_start", start), rw_kv_int("snapshot", m->snapshot));
        return RW_E_CORRUPT;
    }
    if (m->snapshot <= end)
        return RW_OK;
    /* It was durable before the snapshot was made, so a disk lost it; nothing of it is needed. */
    rw_diag(m->env->diag, RW_WARN, "metadata", "the log ends before its snapshot: begun anew",
            rw_kv_int("log_end", end), rw_kv_int("snapshot", m->snapshot));
    return rw_log_reset(m->log, m->snapshot);
}

static int open_log(struct rw_metalog *m, bool clean)
{
    struct rw_log_config config;
    struct rw_log_open_args args = {
        .clean = clean, .start_offset = m->snapshot, .topic_name = "__cluster_metadata"};
    rw_log_config_init(&config);
    config.retention_ms = config.retention_bytes = -1;
    config.timestamp_after_max_ms = config.timestamp_before_max_ms = INT64_MAX;
    config.batch_bytes_max = 64 << 20;
    config.preallocate = true;
    config.keep_reserved = true; /* the disk may be full when the broker starts again */
    config.zeros_ahead_bytes =
        0; /* appends are few, and on a full disk it lives from what is reserved */
    return rw_log_open(m->env, m->dir, &config, &args, &m->log);
}

/* Space for changes to come: on a disk without one free byte topics can still be deleted. */
static void reserve(const struct rw_metalog *m)
{
    int rc = rw_log_reserve(m->log, RESERVE);
    if (rc && rc != RW_E_UNSUPPORTED)
        rw_diag(m->env->diag, RW_WARN, "metadata", "no space is reserved for changes of topics",
                rw_kv_code("error", rc));
}

int rw_metalog_open(struct rw_metalog *m, const struct rw_env *env, const char *root, bool clean,
                    struct rw_buf *ret_batches)
{
    struct rw_path path;
    *m = (struct rw_metalog){.env = env};
    rw_builder_init(&m->builder);
    int rc = rw_path_join(&path, root, "__cluster_metadata-0", NULL);
    if (rc == RW_OK && !(m->dir = rw_strdup(path.s)))
        rc = RW_E_NOMEM;
    if (rc == RW_OK)
        rc = load_snapshot(m, ret_batches);
    if (rc == RW_OK)
        rc = open_log(m, clean);
    if (rc == RW_OK)
        rc = join(m);
    /* What only the cache kept over a crash is about to be told to everybody. */
    if (rc == RW_OK)
        rc = rw_log_flush(m->log, NULL);
    if (rc == RW_OK)
        rc = read_log(m, ret_batches);
    if (rc == RW_OK)
        reserve(m);
    return rc;
}

int rw_metalog_close(struct rw_metalog *m)
{
    int rc = m->log ? rw_log_close(m->log, true) : RW_OK;
    rw_builder_deinit(&m->builder);
    rw_free(m->dir);
    *m = (struct rw_metalog){0};
    return rc;
}

int rw_metalog_append(struct rw_metalog *m, const struct rw_meta_records *list, int64_t now_ms)
{
    struct rw_append_info info;
    const struct rw_append_args args = {
        .as_leader = true, .allow_zstd = true, .internal = true, .now_ms = now_ms};
    struct rw_buf scratch;
    int rc = RW_OK;
    rw_buf_init(&scratch);
    rw_builder_reset(&m->builder, 0);
    for (size_t i = 0; i < list->n && rc == RW_OK; i++)
        rc = add_record(&m->builder, &list->items[i], now_ms, &scratch);
    rw_buf_deinit(&scratch);
    if (rc == RW_OK)
        rc = rw_builder_finish(&m->builder, &m->batch);
    if (rc == RW_OK)
        rc = rw_log_append(m->log, (uint8_t *)(uintptr_t)m->batch.p, m->batch.n, &args, &info);
    if (rc == RW_OK)
        m->since += m->batch.n;
    return rc;
}

int rw_metalog_snapshot(struct rw_metalog *m, const struct rw_meta *meta, int64_t now_ms)
{
    int64_t offset = rw_log_end(m->log);
    if (offset == m->snapshot)
        return RW_OK;
    int rc = write_snapshot(m, meta, offset, now_ms);
    if (rc)
        return rc;
    m->snapshot = offset;
    m->since = 0;
    rc = rw_log_roll(m->log);
    if (rc == RW_OK)
        rc = rw_log_trim(m->log, offset);
    if (rc)
        return rc;
    rw_log_unlink_deleted(m->log, INT64_MAX);
    remove_older(m);
    reserve(m);
    return RW_OK;
}
