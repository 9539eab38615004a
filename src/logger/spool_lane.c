/* One lane of the spool: its log, how far it is shipped, and its batches as they are sent. */
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "log/path.h"
#include "logger/spool.h"

enum {
    SEGMENTS = 16, /* the spool is dropped by segments: a sixteenth is lost at once */
    INDEX_INTERVAL = 64 * 1024,
    INDEX_BYTES = 64 * 1024,
    BATCH_MAX = 64 * 1024 * 1024
};
#define SEGMENT_MIN (256 * 1024)
#define SEGMENT_MAX (64 * 1024 * 1024)

void rw_lg_lane_config(const struct rw_lg_lane *l, struct rw_log_config *c)
{
    rw_log_config_init(c);
    int64_t segment = l->spool->o.bytes / SEGMENTS;
    c->segment_bytes = segment < SEGMENT_MIN   ? SEGMENT_MIN
                       : segment > SEGMENT_MAX ? SEGMENT_MAX
                                               : segment;
    c->segment_ms = INT64_MAX;
    c->segment_jitter_ms = 0;
    c->index_interval_bytes = INDEX_INTERVAL;
    c->index_bytes_max = INDEX_BYTES;
    c->retention_ms = -1;
    c->retention_bytes = -1;
    c->file_delete_delay_ms = 0;
    c->batch_bytes_max = BATCH_MAX;
    c->timestamp_before_max_ms = INT64_MAX;
    c->timestamp_after_max_ms = INT64_MAX;
}

static int open_shipped(struct rw_lg_lane *l, const char *dir, bool *ret_found)
{
    struct rw_path path;
    const struct rw_env *env = l->spool->env;
    l->at = (struct rw_lg_shipped){.producer_id = RW_NO_PRODUCER_ID, .partition = -1};
    int rc = rw_path_join(&path, dir, "shipped", NULL);
    return rc ? rc : rw_lg_slot_open(&l->slot, env, path.s, &l->at, sizeof(l->at), ret_found);
}

/* Everything below `point` was there when the process died, and is still in the page cache or on the disk. */
static int open_log(struct rw_lg_lane *l, const char *dir, int64_t point)
{
    struct rw_log_config config;
    struct rw_log_open_args args = {.recovery_point = point, .start_offset = l->at.acked};
    rw_lg_lane_config(l, &config);
    return rw_log_open(l->spool->env, dir, &config, &args, &l->log);
}

static int make_dir(const struct rw_env *env, const char *dir)
{
    int rc = env->vfs->ops->mkdir(env->vfs, dir);
    return rc == RW_E_EXISTS ? RW_OK : rc;
}

/* After a restart of the machine the log may be shorter than it was, and offsets be given again that the broker has already seen under the
 * old identity: it gets a new one. */
static void trust(struct rw_lg_lane *l, bool found)
{
    int64_t start = rw_log_start(l->log), end = rw_log_end(l->log);
    bool same = found && memcmp(l->at.boot, l->spool->boot, RW_LG_BOOT) == 0;
    if (l->at.acked < start) {
        l->at.acked = start;
        same = false;
    }
    /* With nothing waiting nothing is in doubt. */
    if (!same || l->at.acked >= end) {
        l->at.producer_id = RW_NO_PRODUCER_ID;
        l->at.partition = -1;
        l->at.split_until = 0;
    }
    memcpy(l->at.boot, l->spool->boot, RW_LG_BOOT);
    l->ready = end;
}

int rw_lg_lane_open(struct rw_lg_spool *s, const char *topic, int32_t number,
                    struct rw_lg_lane **ret_lane)
{
    struct rw_path dir;
    char name[RW_LG_TOPIC + 16];
    bool found = false;
    struct rw_lg_lane *l = rw_zalloc(sizeof(*l));
    if (!l)
        return RW_E_NOMEM;
    l->spool = s;
    l->number = number;
    snprintf(l->topic, sizeof(l->topic), "%s", topic);
    snprintf(name, sizeof(name), "%s-%d", topic, number);
    int rc = rw_path_join(&dir, s->path, name, NULL);
    if (!rc)
        rc = make_dir(s->env, dir.s);
    if (!rc)
        rc = open_shipped(l, dir.s, &found);
    if (!rc)
        rc = open_log(l, dir.s,
                      found && memcmp(l->at.boot, s->boot, RW_LG_BOOT) == 0 ? l->at.acked : 0);
    if (rc) {
        rw_lg_slot_close(&l->slot);
        rw_free(l);
        return rc;
    }
    trust(l, found);
    *ret_lane = l;
    return RW_OK;
}

void rw_lg_lane_close(struct rw_lg_lane *l)
{
    (void)rw_log_close(l->log, true); /* the next open looks at the log itself */
    rw_lg_slot_close(&l->slot);
    rw_free(l);
}

int rw_lg_lane_save(struct rw_lg_lane *l, bool sync)
{
    int rc = rw_lg_slot_store(&l->slot, &l->at, sizeof(l->at), sync);
    if (!rc && l->at.acked > rw_log_start(l->log)) {
        rc = rw_log_trim(l->log, l->at.acked);
        rw_log_unlink_deleted(l->log, INT64_MAX);
    }
    return rc;
}

int rw_lg_lane_cut(struct rw_lg_lane *l, int64_t end)
{
    int rc = rw_log_end(l->log) > end ? rw_log_truncate(l->log, end) : RW_OK;
    l->ready = rw_log_end(l->log);
    return rc;
}

/* ---- reading ---- */

static int load(struct rw_lg_lane *l, int64_t offset, struct rw_buf *out)
{
    struct rw_log_range range;
    size_t got = 0;
    int rc = rw_log_read(l->log, offset, INT64_MAX, 1, true, &range);
    if (rc)
        return rc;
    rw_buf_clear(out);
    uint8_t *p = range.n ? rw_buf_extend(out, range.n) : NULL;
    rc = range.n == 0 ? RW_E_RANGE
         : p          ? rw_file_read_at(range.file, range.at, p, range.n, &got)
                      : RW_E_NOMEM;
    if (!rc && got != range.n)
        rc = RW_E_CORRUPT;
    rw_log_range_release(&range);
    return rc;
}

/* A new batch of the records from `offset` on. */
static int rebuild(const struct rw_buf *whole, int64_t offset, bool single, struct rw_buf *out)
{
    struct rw_records records = {0};
    struct rw_record r;
    struct rw_builder b;
    struct rw_slice finished;
    int rc = rw_records_open(&records, whole->p, whole->n);
    rw_builder_init(&b);
    b.codec = rw_batch_codec(&records.batch);
    rw_builder_reset(&b, offset);
    while (!rc && !(single && b.count > 0)) {
        int more = rw_records_next(&records, &r);
        if (more <= 0) {
            rc = more;
            break;
        }
        if (r.offset >= offset)
            rc = rw_builder_copy(&b, &r);
    }
    if (!rc)
        rc = b.count > 0 ? rw_builder_finish(&b, &finished) : RW_E_CORRUPT;
    if (!rc) {
        rw_buf_clear(out);
        rw_buf_add(out, finished.p, finished.n);
        rc = out->failed ? RW_E_NOMEM : RW_OK;
    }
    rw_builder_deinit(&b);
    rw_records_deinit(&records);
    return rc;
}

int rw_lg_lane_read(struct rw_lg_lane *l, int64_t offset, bool single, struct rw_buf *scratch,
                    struct rw_buf *out, int64_t *ret_end)
{
    struct rw_batch b;
    int rc = load(l, offset, out);
    if (!rc)
        rc = rw_batch_check(out->p, out->n, &b);
    if (!rc && b.base_offset > offset)
        rc = RW_E_CORRUPT;
    if (!rc && (b.base_offset < offset || (single && b.records_count > 1))) {
        struct rw_buf whole = *out;
        *out = *scratch;
        *scratch = whole;
        rc = rebuild(scratch, offset, single, out);
        if (!rc)
            rc = rw_batch_decode(out->p, out->n, &b);
    }
    if (!rc) {
        *ret_end = offset + b.last_offset_delta + 1;
        return RW_OK;
    }
    if (rc != RW_E_CORRUPT && rc != RW_E_SHORT && rc != RW_E_UNSUPPORTED)
        return rc;
    /* Behind the batch, where its header can be believed; else where the log says. */
    rc = rw_log_skip_damage(l->log, offset, ret_end);
    if (!rc && *ret_end <= offset)
        *ret_end = offset + 1;
    return rc ? rc : RW_E_CORRUPT;
}
