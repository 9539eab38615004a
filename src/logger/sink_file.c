/*
 * Lines into a file.
 *
 * Everything is asked of the system when it is needed: where `path` leads (once a second, and under the lock when several processes share
 * the file), how long the file is (before each write). So it does not matter who moves, cuts or removes it, and when. Rotation happens
 * only between chunks. With share = true the lock is held from mark() to the end of write(): the offset that was told is where the
 * bytes go, and what a killed process left of a line is cut off by who comes next.
 */
#include "logger/sink_file.h"

#include <stdio.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/mem.h"
#include "os/os.h"
#include "os/ticks.h"

enum { LOCK_MS = 5000, TAIL = 4096, TIDY_EVERY_MS = 60000, REOPENS = 16 };

static struct rw_lg_file *file_of(struct rw_lg_sink *s)
{
    return (struct rw_lg_file *)s;
}

static int64_t now_ms(void)
{
    return rw_os_wall_ns() / 1000000;
}

static int64_t period_of(const struct rw_lg_file *f, int64_t ms)
{
    return f->interval_ms ? ms / f->interval_ms : 0;
}

static void close_file(struct rw_lg_file *f)
{
    if (f->file.fd >= 0 && f->dirty && f->sync != RW_LG_SYNC_NEVER)
        f->lost_sync = rw_os_append_sync(&f->file);
    rw_os_append_close(&f->file);
    f->locked = f->dirty = false;
}

static int open_file(struct rw_lg_file *f)
{
    int rc = rw_os_append_open(f->path, f->keep.mode, &f->file);
    uint64_t size;
    int64_t modified;
    if (!rc)
        rc = rw_os_append_size(&f->file, &size, &modified);
    if (rc)
        return rc;
    f->period = period_of(f, size ? modified : now_ms());
    return RW_OK;
}

static void unlock(struct rw_lg_file *f)
{
    if (f->locked)
        rw_os_append_unlock(&f->file);
    f->locked = false;
}

/* The file at `path`, locked when it is shared: somebody may have rotated it while we waited for the lock. */
static int ready(struct rw_lg_file *f)
{
    for (int i = 0; i < REOPENS; i++) {
        int rc = f->file.fd < 0 ? open_file(f) : RW_OK;
        if (rc || !f->share || !f->file.regular || f->locked)
            return rc;
        rc = rw_os_append_lock(&f->file, LOCK_MS);
        if (rc)
            return rc == RW_E_TIMEOUT ? RW_E_AGAIN : rc;
        f->locked = true;
        if (rw_os_append_is_at(&f->file, f->path))
            return RW_OK;
        close_file(f);
    }
    return RW_E_AGAIN;
}

/* Cuts what stands behind the last line end, of the last `TAIL` bytes or from `from` on; *size is what remains. */
static void cut_tail(struct rw_lg_file *f, uint64_t *size)
{
    char tail[TAIL];
    uint64_t end = *size;
    while (end > 0) {
        uint64_t at = end > TAIL ? end - TAIL : 0;
        size_t n;
        if (rw_os_append_read(&f->file, at, tail, (size_t)(end - at), &n) || n != end - at)
            return;
        const char *line = memrchr(tail, '\n', n);
        if (line || at == 0) {
            end = line ? at + (uint64_t)(line - tail) + 1 : 0;
            break;
        }
        end = at;
    }
    if (end < *size && rw_os_append_cut(&f->file, end) == RW_OK)
        *size = end;
}

/* ---- rotation ---- */

static bool is_time(const struct rw_lg_file *f, uint64_t size, size_t more)
{
    if (!f->file.regular || size == 0)
        return false;
    return (f->size_max && size + more > (uint64_t)f->size_max) ||
           (f->interval_ms && period_of(f, now_ms()) != f->period);
}

static int rotate(struct rw_lg_file *f)
{
    /* Somebody moved it already: then there is nothing of ours there to be moved. */
    int rc = rw_os_append_is_at(&f->file, f->path) ? rw_lg_rotate(f->path, now_ms()) : RW_OK;
    if (rc && rc != RW_E_NOT_FOUND)
        return rc;
    close_file(f);
    rc = ready(f);
    rw_lg_tidy_start(&f->tidy);
    f->tidied_ms = now_ms();
    return rc;
}

/* The file that the next n bytes go to. A rotation that fails (no right to rename) does not keep lines from being written. */
static int prepare(struct rw_lg_file *f, size_t n, uint64_t *ret_size)
{
    *ret_size = 0;
    int rc = ready(f);
    if (!rc)
        rc = rw_os_append_size(&f->file, ret_size, NULL);
    if (rc || !f->file.regular)
        return rc;
    if (f->share)
        cut_tail(f, ret_size);
    if (is_time(f, *ret_size, n) && now_ms() >= f->rotate_again_ms) {
        if (rotate(f))
            f->rotate_again_ms = now_ms() + TIDY_EVERY_MS;
        rc = ready(f);
        if (!rc)
            rc = rw_os_append_size(&f->file, ret_size, NULL);
    }
    return rc;
}

static bool mark(struct rw_lg_sink *s, size_t n, struct rw_lg_mark *ret_mark)
{
    struct rw_lg_file *f = file_of(s);
    uint64_t size;
    f->prepared = prepare(f, n, &size);
    if (f->prepared || !f->file.regular)
        return false;
    *ret_mark = (struct rw_lg_mark){f->file.device, f->file.inode, size};
    return true;
}

/* ---- after a kill ---- */

static bool holds(struct rw_os_append *f, uint64_t at, uint64_t length, uint32_t hash)
{
    char piece[TAIL];
    uint32_t crc = 0;
    while (length > 0) {
        size_t want = length < TAIL ? (size_t)length : TAIL, n;
        if (rw_os_append_read(f, at, piece, want, &n) || n != want)
            return false;
        crc = rw_crc32c(crc, piece, n);
        at += n;
        length -= n;
    }
    return crc == hash;
}

static bool settled(struct rw_lg_sink *s, const struct rw_lg_mark *m, uint64_t length,
                    uint32_t hash)
{
    struct rw_lg_file *f = file_of(s);
    char path[RW_LG_PATH];
    if (ready(f) || !f->file.regular) {
        unlock(f);
        return false;
    }
    struct rw_os_append other = {.fd = -1}, *at = &f->file;
    if (f->file.device != m->device || f->file.inode != m->inode) {
        if (!rw_lg_rotated_find(f->path, m->device, m->inode, path) ||
            rw_os_append_open(path, 0, &other)) {
            unlock(f);
            return false;
        }
        at = &other;
    }
    uint64_t size = 0;
    bool found = holds(at, m->offset, length, hash);
    /* A part of it, and nothing of anybody else's behind: in a shared file the next writer has done this already. */
    bool part = !found && !f->share && rw_os_append_size(at, &size, NULL) == RW_OK &&
                size > m->offset && size < m->offset + length;
    if (part && rw_os_append_cut(at, m->offset))
        part = false; /* it stays, and is there twice */
    rw_os_append_close(&other);
    unlock(f);
    return found;
}

/* ---- writing ---- */

/* What went out of a chunk is kept up to its last line end; the rest is taken back, when nobody has written behind it. */
static size_t keep_lines(struct rw_lg_file *f, const struct rw_lg_chunk *chunk, uint64_t from,
                         size_t n)
{
    const char *line = n ? memrchr(chunk->p, '\n', n) : NULL;
    size_t whole = line ? (size_t)(line - chunk->p) + 1 : 0;
    uint64_t size;
    if (whole < n && f->file.regular && rw_os_append_size(&f->file, &size, NULL) == RW_OK &&
        size == from + n && rw_os_append_cut(&f->file, from + whole))
        return whole; /* a piece of a line stays behind; the line itself comes again, whole */
    return whole;
}

static int write_chunk(struct rw_lg_sink *s, const struct rw_lg_chunk *chunk, size_t *ret_n)
{
    struct rw_lg_file *f = file_of(s);
    uint64_t from = 0;
    size_t n = 0;
    *ret_n = 0;
    int rc = f->prepared;
    f->prepared = RW_OK;
    if (!rc)
        rc = f->file.fd < 0 || (f->share && !f->locked) ? prepare(f, chunk->n, &from)
                                                        : rw_os_append_size(&f->file, &from, NULL);
    if (!rc)
        rc = rw_os_append_write(&f->file, chunk->p, chunk->n, &n);
    if (n)
        f->dirty = true;
    if (rc)
        n = keep_lines(f, chunk, from, n);
    unlock(f);
    if (rc && rc != RW_E_AGAIN && rc != RW_E_FULL)
        close_file(f); /* its device may be gone, and another one there at the next try */
    *ret_n = n;
    return rc;
}

static int sync_now(struct rw_lg_file *f)
{
    int lost = f->lost_sync; /* of a file that was rotated since */
    f->lost_sync = RW_OK;
    if (lost || !f->dirty || f->file.fd < 0)
        return lost;
    f->synced_ms = now_ms();
    f->dirty =
        false; /* a sync that failed says nothing when it is tried again: it is reported once */
    return rw_os_append_sync(&f->file);
}

static int sync_file(struct rw_lg_sink *s, bool flush)
{
    struct rw_lg_file *f = file_of(s);
    if (f->sync == RW_LG_SYNC_NEVER)
        return RW_OK;
    int64_t now = now_ms();
    bool due = now - f->synced_ms >= f->sync_ms || now < f->synced_ms;
    return f->sync == RW_LG_SYNC_ALWAYS || flush || due ? sync_now(f) : RW_OK;
}

static void reopen(struct rw_lg_sink *s)
{
    struct rw_lg_file *f = file_of(s);
    unlock(f);
    close_file(f);
    f->prepared = RW_OK; /* the next write opens it */
}

static void tick(struct rw_lg_sink *s, int64_t ms)
{
    struct rw_lg_file *f = file_of(s);
    uint64_t size;
    if (f->sync == RW_LG_SYNC_INTERVAL)
        (void)sync_file(s, false);
    if (f->file.fd >= 0 && !rw_os_append_is_at(&f->file, f->path))
        reopen(s);
    /* By time it is rotated although nothing is written. */
    if (f->interval_ms && f->file.fd >= 0 && period_of(f, ms) != f->period) {
        (void)prepare(f, 0, &size);
        if (size == 0)
            f->period = period_of(f, ms);
        unlock(f);
    }
    if (f->file.regular && (ms - f->tidied_ms >= TIDY_EVERY_MS || ms < f->tidied_ms)) {
        rw_lg_tidy_start(&f->tidy);
        f->tidied_ms = ms;
    }
}

static int is_complete(struct rw_lg_sink *s, struct rw_err *ret_err)
{
    return file_of(s)->path[0] ? RW_OK
                               : rw_err_set(ret_err, RW_E_INVAL, "path: a file appender needs one");
}

static int open_sink(struct rw_lg_sink *s, struct rw_err *ret_err)
{
    struct rw_lg_file *f = file_of(s);
    rw_lg_tidy_init(&f->tidy, f->path, &f->keep);
    int rc = open_file(f);
    if (rc == RW_E_FULL || rc == RW_E_IO || rc == RW_E_LIMIT)
        return RW_OK; /* that may pass */
    if (rc)
        return rw_err_set(ret_err, rc, "path: %s", rw_os_last_error());
    if (f->file.regular) /* what an earlier process left half done */
        rw_lg_tidy_start(&f->tidy);
    f->tidied_ms = now_ms();
    return RW_OK;
}

static void free_sink(struct rw_lg_sink *s)
{
    struct rw_lg_file *f = file_of(s);
    unlock(f);
    close_file(f);
    rw_lg_tidy_end(&f->tidy, true);
    rw_free(f);
}

static const struct rw_lg_sink_ops ops = {.type = "file",
                                          .lines = true,
                                          .set = rw_lg_file_set,
                                          .ready = is_complete,
                                          .open = open_sink,
                                          .mark = mark,
                                          .settled = settled,
                                          .write = write_chunk,
                                          .sync = sync_file,
                                          .reopen = reopen,
                                          .tick = tick,
                                          .free = free_sink};

struct rw_lg_sink *rw_lg_sink_file(void)
{
    struct rw_lg_file *f = rw_zalloc(sizeof(*f));
    if (!f)
        return NULL;
    f->sink.ops = &ops;
    f->file.fd = -1;
    f->keep.mode = 0640;
    return &f->sink;
}
