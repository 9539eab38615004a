/*
 * The batch walker. Invariant: [p, p + p_n) always mirrors the file at p_at. The bytes of a file
 * below the published size never change while a scan runs (but for a truncation, which shows up as
 * a short read and is reported as RW_E_SHORT).
 *
 * The base offset lies outside of a batch's CRC: whether it can be right is decided here, for everybody,
 * from its neighbours (in_order). Does not decide what to do about damage: recovery truncates, readers
 * report, verify counts.
 */
#include "log/scan.h"

#include <string.h>

#include "base/mem.h"

void rw_scan_init(struct rw_scan *s, struct rw_file *file, uint64_t at, uint64_t limit, void *room,
                  size_t chunk)
{
    *s = (struct rw_scan){
        .file = file, .next = at, .at = at, .limit = limit, .chunk = chunk, .below = INT64_MAX};
    s->p = room;
    s->p_cap = room ? chunk : 0;
}

void rw_scan_expect(struct rw_scan *s, int64_t offset, int64_t below, bool contiguous)
{
    s->offset = offset;
    s->below = below;
    s->contiguous = contiguous;
    s->placed = s->next == 0;
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

/* Makes [at, at + n) available, and up to `ahead` bytes if they have to be read; RW_E_SHORT when the limit
 * or the file ends before. */
static int need_ahead(struct rw_scan *s, uint64_t at, size_t n, size_t ahead, const uint8_t **ret_p)
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
    size_t want = n > ahead ? n : ahead;
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

static int need(struct rw_scan *s, uint64_t at, size_t n, const uint8_t **ret_p)
{
    return need_ahead(s, at, n, s->chunk, ret_p);
}

static bool in_order(const struct rw_scan *s, const struct rw_batch *b)
{
    return b->base_offset >= s->offset && rw_batch_last_offset(b) < s->below &&
           !(s->contiguous && s->placed && b->base_offset != s->offset);
}

/* The batch at `at`; RW_E_CORRUPT when its bytes are not what its CRC says. */
static int check(struct rw_scan *s, uint64_t at, const struct rw_batch *b, const uint8_t **ret_p)
{
    const uint8_t *p;
    int rc = need(s, at, rw_batch_size(b), &p);
    if (rc)
        return rc;
    if (rw_batch_crc(p, rw_batch_size(b)) != b->crc)
        return RW_E_CORRUPT;
    *ret_p = p;
    return RW_OK;
}

/* The batch does not go on where the one before it ends. When that one is damaged, its last offset
 * (inside of the CRC) is worth nothing, and this one is right if it is intact and comes after it. */
static int out_of_order(struct rw_scan *s, const struct rw_batch *b)
{
    const uint8_t *p;
    if (!s->has_batch || b->base_offset <= s->batch.base_offset ||
        rw_batch_last_offset(b) >= s->below)
        return RW_E_CORRUPT;
    int rc = check(s, s->at, &s->batch, &p);
    if (rc != RW_E_CORRUPT)
        return rc ? rc : RW_E_CORRUPT;
    return check(s, s->next, b, &p);
}

int rw_scan_next(struct rw_scan *s)
{
    if (s->next >= s->limit)
        return 0;
    const uint8_t *p;
    /* Behind a batch as large as a chunk there is probably another one: nothing of it but the header would
     * be looked at. */
    size_t ahead = s->batch_bytes < s->chunk ? s->chunk : 0;
    int rc = need_ahead(s, s->next, RW_BATCH_HEADER_SIZE, ahead, &p);
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
    if (!in_order(s, &batch) && (rc = out_of_order(s, &batch)) != RW_OK)
        return rc;
    s->batch = batch;
    s->at = s->next;
    s->batch_bytes = rw_batch_size(&batch);
    s->next += s->batch_bytes;
    s->offset = rw_batch_last_offset(&batch) + 1;
    s->placed = s->has_batch = true;
    return 1;
}

int rw_scan_body(struct rw_scan *s, const uint8_t **ret_p)
{
    return need(s, s->at, rw_batch_size(&s->batch), ret_p);
}

int rw_scan_check(struct rw_scan *s, const uint8_t **ret_p)
{
    return check(s, s->at, &s->batch, ret_p);
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

/* CRC-32 as in Ethernet and zlib, bit by bit: for one message at most of a log that is then refused. */
static uint32_t old_crc(uint32_t crc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return crc;
}

int rw_scan_is_old_format(struct rw_file *file, uint64_t at, uint64_t limit, bool *ret_old)
{
    enum { SIZE_AT = 8, CRC_AT = 12, MAGIC_AT = 16, BODY_MIN = 14 }; /* crc to two empty fields */
    uint8_t room[8 << 10];
    size_t n = 0;
    *ret_old = false;
    int rc = rw_file_read_at(file, at, room, MAGIC_AT + 1, &n);
    if (rc || n <= MAGIC_AT || room[MAGIC_AT] >= RW_BATCH_MAGIC)
        return rc;
    uint32_t size = rw_load_be32(room + SIZE_AT), want = rw_load_be32(room + CRC_AT);
    if (size < BODY_MIN || size > RW_SCAN_BATCH_MAX || at + CRC_AT + size > limit)
        return RW_OK;
    uint32_t crc = UINT32_MAX;
    uint64_t end = at + CRC_AT + size;
    for (uint64_t from = at + MAGIC_AT; from < end; from += n) {
        size_t chunk = end - from < sizeof(room) ? (size_t)(end - from) : sizeof(room);
        rc = rw_file_read_at(file, from, room, chunk, &n);
        if (rc || n < chunk)
            return rc;
        crc = old_crc(crc, room, n);
    }
    *ret_old = ~crc == want;
    return RW_OK;
}

/* Could a batch start at p? Cheap tests first: this runs for every byte of a damaged stretch. */
static bool plausible(const struct rw_scan *s, const uint8_t *p)
{
    if (p[16] != RW_BATCH_MAGIC)
        return false;
    int64_t offset = (int64_t)rw_load_be64(p);
    return offset >= s->offset && offset < s->below;
}

/* RW_OK: an intact batch starts there, and is the next one. */
static int try_at(struct rw_scan *s, uint64_t at)
{
    const uint8_t *p;
    s->next = at;
    s->placed = s->has_batch = false; /* there is a gap, and nothing to compare with */
    int rc = rw_scan_next(s);
    if (rc != 1)
        return rc ? rc : RW_E_SHORT;
    rc = rw_scan_check(s, &p);
    s->has_batch = false;
    if (rc)
        return rc;
    s->next = at;
    s->offset = s->batch.base_offset;
    s->placed = true;
    return RW_OK;
}

int rw_scan_resync(struct rw_scan *s)
{
    const struct rw_scan before = *s;
    const uint8_t *p;
    uint64_t at = s->next + 1;
    int64_t lowest = s->offset;
    int rc = s->has_batch ? check(s, s->at, &s->batch, &p) : RW_OK;
    if (rc == RW_E_NOMEM || rc == RW_E_IO)
        return rc;
    if (rc) { /* then its length led astray, perhaps */
        at = s->at + 1;
        lowest = s->batch.base_offset;
    }
    for (rc = RW_OK; at + RW_BATCH_HEADER_SIZE <= s->limit; at++) {
        s->offset = lowest;
        rc = need(s, at, RW_BATCH_HEADER_SIZE, &p);
        if (rc)
            break;
        if (!plausible(s, p))
            continue;
        rc = try_at(s, at);
        if (rc == RW_OK)
            return 1;
        if (rc != RW_E_CORRUPT && rc != RW_E_SHORT)
            break;
    }
    s->next = before.next;
    s->offset = before.offset;
    s->placed = before.placed;
    s->has_batch = false;
    return rc == RW_E_NOMEM || rc == RW_E_IO ? rc : 0;
}
