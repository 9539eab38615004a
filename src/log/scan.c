/*
 * The batch walker. Invariant: [p, p + p_n) always mirrors the file at p_at. The bytes of a file
 * below the published size never change while a scan runs (but for a truncation, which shows up as
 * a short read and is reported as RW_E_SHORT).
 *
 * Does not decide what to do about damage: recovery truncates, readers report, verify counts.
 */
#include "log/scan.h"

#include <string.h>

#include "base/mem.h"

void rw_scan_init(struct rw_scan *s, struct rw_file *file, uint64_t at, uint64_t limit, void *room,
                  size_t chunk)
{
    *s = (struct rw_scan){.file = file, .next = at, .at = at, .limit = limit, .chunk = chunk};
    s->p = room;
    s->p_cap = room ? chunk : 0;
}

void rw_scan_deinit(struct rw_scan *s)
{
    if (s->p_owned)
        rw_free(s->p);
    s->p = NULL;
    s->p_owned = false;
}

static int reserve(struct rw_scan *s, size_t n)
{
    size_t want = n > s->chunk ? n : s->chunk;
    if (s->p_cap >= want)
        return RW_OK;
    uint8_t *p = rw_alloc(want);
    if (!p)
        return RW_E_NOMEM;
    if (s->p_owned)
        rw_free(s->p);
    s->p = p;
    s->p_owned = true;
    s->p_cap = want;
    s->p_n = 0;
    return RW_OK;
}

/* Makes [at, at + n) available; RW_E_SHORT when the limit or the file ends before. */
static int need(struct rw_scan *s, uint64_t at, size_t n, const uint8_t **ret_p)
{
    if (at + n > s->limit)
        return RW_E_SHORT;
    if (at >= s->p_at && at + n <= s->p_at + s->p_n) {
        *ret_p = s->p + (at - s->p_at);
        return RW_OK;
    }
    int rc = reserve(s, n);
    if (rc)
        return rc;
    size_t want = n > s->chunk ? n : s->chunk;
    if (want > s->limit - at)
        want = (size_t)(s->limit - at);
    s->p_n = 0;
    size_t got = 0;
    rc = rw_file_read_at(s->file, at, s->p, want, &got);
    if (rc)
        return rc;
    s->p_at = at;
    s->p_n = got;
    *ret_p = s->p;
    return got >= n ? RW_OK : RW_E_SHORT;
}

int rw_scan_next(struct rw_scan *s)
{
    if (s->next >= s->limit)
        return 0;
    const uint8_t *p;
    int rc = need(s, s->next, RW_BATCH_HEADER_SIZE, &p);
    if (rc)
        return rc;
    struct rw_batch batch;
    rc = rw_batch_decode(p, RW_BATCH_HEADER_SIZE, &batch);
    if (rc == RW_E_UNSUPPORTED)
        rc = RW_E_CORRUPT;
    if (rc)
        return rc;
    if (rw_batch_size(&batch) > RW_SCAN_BATCH_MAX || batch.base_offset < 0)
        return RW_E_CORRUPT;
    if (s->next + rw_batch_size(&batch) > s->limit)
        return RW_E_SHORT;
    s->batch = batch;
    s->at = s->next;
    s->next += rw_batch_size(&batch);
    return 1;
}

int rw_scan_body(struct rw_scan *s, const uint8_t **ret_p)
{
    return need(s, s->at, rw_batch_size(&s->batch), ret_p);
}

int rw_scan_check(struct rw_scan *s, const uint8_t **ret_p)
{
    const uint8_t *p;
    int rc = rw_scan_body(s, &p);
    if (rc)
        return rc;
    if (rw_batch_crc(p, rw_batch_size(&s->batch)) != s->batch.crc)
        return RW_E_CORRUPT;
    *ret_p = p;
    return RW_OK;
}

int rw_scan_is_zero(struct rw_file *file, uint64_t from, uint64_t to, bool *ret_zero)
{
    uint8_t room[8 << 10];
    *ret_zero = false;
    while (from < to) {
        size_t want = to - from < sizeof(room) ? (size_t)(to - from) : sizeof(room), n = 0;
        int rc = rw_file_read_at(file, from, room, want, &n);
        if (rc)
            return rc;
        if (n == 0)
            break;
        if (room[0] || memcmp(room, room + 1, n - 1) != 0)
            return RW_OK;
        from += n;
    }
    *ret_zero = true;
    return RW_OK;
}

/* Could a batch start at p? Cheap tests first: this runs for every byte of a damaged stretch. */
static bool plausible(const uint8_t *p, int64_t offset_min, int64_t offset_max)
{
    if (p[16] != RW_BATCH_MAGIC)
        return false;
    int64_t offset = (int64_t)rw_load_be64(p);
    return offset >= offset_min && offset <= offset_max;
}

int rw_scan_resync(struct rw_scan *s, int64_t offset_min, int64_t offset_max)
{
    uint64_t damage = s->next;
    for (uint64_t at = damage + 1; at + RW_BATCH_HEADER_SIZE <= s->limit; at++) {
        const uint8_t *p;
        int rc = need(s, at, RW_BATCH_HEADER_SIZE, &p);
        if (rc == RW_E_SHORT)
            break;
        if (rc)
            return rc;
        if (!plausible(p, offset_min, offset_max))
            continue;
        s->next = at;
        rc = rw_scan_next(s);
        if (rc == 1)
            rc = rw_scan_check(s, &p);
        else
            rc = rc ? rc : RW_E_SHORT;
        if (rc == RW_OK) {
            s->next = at;
            return 1;
        }
        if (rc != RW_E_CORRUPT && rc != RW_E_SHORT)
            return rc;
    }
    s->next = damage;
    return 0;
}
