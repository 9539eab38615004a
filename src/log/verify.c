/*
 * Verification: every batch (CRC, order), every record (decoded), every index entry. Damage is counted
 * and reported, and the scan goes on behind it.
 *
 * The checksum covers every intact batch without its base offset and leader epoch, in order, so that
 * replicas of one partition agree on it however their segments are cut.
 */
#include "log/state.h"

#include "base/mem.h"

#define CHUNK (1u << 20)

struct check {
    struct rw_log *log;
    struct rw_segment *s;
    struct rw_log_verify *v;
    struct rw_records records;
    int64_t next; /* behind the last batch */
    int64_t end;  /* where the segment ends */
    uint64_t size;
};

static void damage(struct check *c, const char *suffix, uint64_t at, int64_t offset, int code,
                   const char *why)
{
    struct rw_log_verify *v = c->v;
    v->bad_batches++;
    if (v->first_bad_offset < 0)
        v->first_bad_offset = offset;
    struct rw_path path;
    if (v->report && rw_path_of(&path, c->log->dir, c->s->base, suffix, NULL) == RW_OK)
        v->report(v->arg, path.s, at, code, why);
}

static void bad_entry(struct check *c, const char *suffix, uint32_t i, uint32_t entry_size,
                      const char *why)
{
    struct rw_log_verify *v = c->v;
    v->bad_index_entries++;
    struct rw_path path;
    if (v->report && rw_path_of(&path, c->log->dir, c->s->base, suffix, NULL) == RW_OK)
        v->report(v->arg, path.s, (uint64_t)i * entry_size, RW_E_CORRUPT, why);
}

/* FNV-1a over 8-byte words: not for adversaries, and the CRC has been checked already. */
static uint64_t mix(uint64_t h, const uint8_t *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8)
        h = (h ^ rw_load_be64(p)) * 0x100000001b3u;
    for (; n; p++, n--)
        h = (h ^ *p) * 0x100000001b3u;
    return h ^ (h >> 29);
}

static int check_records(struct check *c, const struct rw_batch *b, const uint8_t *body,
                         const char **ret_why)
{
    int rc = rw_records_open(&c->records, body, rw_batch_size(b));
    struct rw_record record;
    int64_t last = b->base_offset - 1;
    while (!rc && (rc = rw_records_next(&c->records, &record)) == 1) {
        rc = record.offset > last && record.offset <= rw_batch_last_offset(b) ? 0 : RW_E_CORRUPT;
        last = record.offset;
        c->v->records++;
    }
    *ret_why = "the records can not be decoded";
    return rc;
}

static int check_batch(struct check *c, struct rw_scan *scan)
{
    const struct rw_batch *b = &scan->batch;
    const uint8_t *body;
    const char *why = "the CRC does not match";
    int rc = rw_scan_check(scan, &body);
    if (!rc)
        rc = check_records(c, b, body, &why);
    if (rc == RW_E_NOMEM || rc == RW_E_IO)
        return rc;
    if (rc) {
        damage(c, RW_SUFFIX_LOG, scan->at, b->base_offset, rc, why);
    } else {
        c->v->batches++;
        c->v->bytes += rw_batch_size(b);
        c->v->checksum = mix(c->v->checksum, body + 8, 4);
        c->v->checksum = mix(c->v->checksum, body + 16, rw_batch_size(b) - 16);
    }
    c->next = rw_batch_last_offset(b) + 1;
    return RW_OK;
}

static int check_log(struct check *c)
{
    struct rw_scan scan;
    bool hole = atomic_load(&c->log->contiguous); /* at the end it would be damage */
    rw_log_scan(c->log, c->s, 0, c->size, c->end, NULL, CHUNK, &scan);
    int rc;
    while ((rc = rw_scan_next(&scan)) != 0) {
        if (c->v->stop && c->v->stop(c->v->arg)) {
            rc = RW_E_CANCELED;
            break;
        }
        if (rc == 1) {
            rc = check_batch(c, &scan);
            if (rc)
                break;
            continue;
        }
        if (rc != RW_E_CORRUPT && rc != RW_E_SHORT)
            break;
        damage(c, RW_SUFFIX_LOG, scan.next, c->next, RW_E_CORRUPT,
               "this is not a batch that can be here");
        hole = false; /* what follows is told with it */
        rc = rw_scan_resync(&scan);
        if (rc != 1)
            break;
    }
    rw_scan_deinit(&scan);
    /* What lies below the start is not missed: an empty log may end behind its last batch. */
    if (!rc && hole && c->next < c->end && atomic_load(&c->log->start) < c->end)
        damage(c, RW_SUFFIX_LOG, c->size, c->next, RW_E_CORRUPT,
               "batches between this segment and the next are missing");
    return rc;
}

static void check_indexes(struct check *c, const struct rw_index_view *offsets,
                          const struct rw_index_view *times, int64_t end)
{
    uint8_t p[RW_TIME_ENTRY_SIZE];
    struct rw_offset_entry before = {-1, -1};
    for (uint32_t i = 0; i < offsets->n; i++) {
        if (!rw_index_view_entry(offsets, i, p))
            break;
        struct rw_offset_entry e = rw_offset_entry_decode(p);
        if (e.relative <= before.relative || e.position <= before.position)
            bad_entry(c, RW_SUFFIX_INDEX, i, RW_OFFSET_ENTRY_SIZE, "the entries do not ascend");
        else if (!rw_offset_entry_is_true(e, c->s->base, c->s->file, c->size))
            bad_entry(c, RW_SUFFIX_INDEX, i, RW_OFFSET_ENTRY_SIZE,
                      "no batch with that last offset starts there");
        before = e;
    }
    struct rw_time_entry last = {-1, -1};
    for (uint32_t i = 0; i < times->n; i++) {
        if (!rw_index_view_entry(times, i, p))
            break;
        struct rw_time_entry e = rw_time_entry_decode(p);
        if (e.timestamp <= last.timestamp || e.relative < last.relative ||
            c->s->base + e.relative >= end)
            bad_entry(c, RW_SUFFIX_TIMEINDEX, i, RW_TIME_ENTRY_SIZE, "the entries do not ascend");
        last = e;
    }
}

int rw_log_verify(struct rw_log *log, struct rw_log_verify *v)
{
    v->batches = v->records = v->bytes = v->bad_batches = v->bad_index_entries = 0;
    v->checksum = 0xcbf29ce484222325u;
    v->first_bad_offset = -1;
    struct check c = {.log = log, .v = v};
    int rc = RW_OK;
    bool last = true;
    do {
        struct rw_segment *s =
            rw_log_hold(log, atomic_load(&log->start), c.s, &c.size, &c.end, &last);
        rw_segment_unref(c.s);
        c.s = s;
        if (!s)
            break;
        c.next = s->base;
        struct rw_index_view offsets, times;
        rw_log_lock(log);
        rw_index_view(&s->offsets, &offsets);
        rw_index_view(&s->times, &times);
        rw_log_unlock(log);
        rc = check_log(&c);
        if (!rc)
            check_indexes(&c, &offsets, &times, c.end);
    } while (!rc && !last);
    rw_segment_unref(c.s);
    rw_records_deinit(&c.records);
    return rc;
}

static int rest_of(struct rw_segment *s, uint64_t size, bool last, uint64_t *ret_bytes)
{
    uint64_t file_size;
    bool zeros = false;
    int rc = s->file->ops->size(s->file, &file_size);
    if (!rc && last && file_size > size)
        rc = rw_scan_is_zero(s->file, size, file_size, &zeros);
    *ret_bytes = !rc && !zeros && file_size > size ? file_size - size : 0;
    return rc;
}

int rw_log_rest(struct rw_log *log, uint64_t *ret_bytes)
{
    struct rw_segment *before = NULL;
    uint64_t total = 0;
    bool last = false;
    int rc = RW_OK;
    while (!rc && !last) {
        uint64_t size, bytes = 0;
        int64_t next;
        struct rw_segment *s =
            rw_log_hold(log, atomic_load(&log->start), before, &size, &next, &last);
        rw_segment_unref(before);
        before = s;
        if (!s)
            break;
        rc = rest_of(s, size, last, &bytes);
        total += bytes;
    }
    rw_segment_unref(before);
    if (!rc)
        *ret_bytes = total;
    return rc;
}
