/*
 * Laying out, creating and checking the shared file. Nothing here is on the way of a record.
 */
#include "logger/shared.h"

#include <stdio.h>
#include <string.h>
#include "env/env.h"
#include "os/os.h"

enum { PAGE = 4096 };

static uint64_t pages(uint64_t n)
{
    return (n + PAGE - 1) / PAGE * PAGE;
}

/* Where everything lies, from the sizes alone: the finder computes it again to check a file. */
static void lay_out(struct rw_lg_shared *h)
{
    h->controls_at = PAGE;
    h->loggers_at = h->controls_at + pages((uint64_t)h->rings * RW_LG_RING_CONTROL);
    h->dictionary_at = h->loggers_at + pages((uint64_t)RW_LG_LOGGERS * RW_LG_NAME);
    h->journal_at = h->dictionary_at + pages(h->dictionary_bytes);
    h->rings_at = h->journal_at + pages(h->journal_bytes);
    h->file_bytes = h->rings_at + h->rings * pages(h->ring_bytes);
}

static void set_up_rings(struct rw_lg_map *m)
{
    struct rw_lg_shared *h = rw_lg_header(m);
    for (unsigned i = 0; i < h->rings; i++) {
        struct rw_lg_ring *r = rw_lg_ring(m, i);
        r->index = (uint16_t)i;
        r->bytes = h->ring_bytes;
        r->data = m->mem.p + h->rings_at + i * pages(h->ring_bytes);
    }
}

/* A name that nobody has: processes come and go with the same id, in containers too. */
static int create(const struct rw_lg_shape *shape, uint32_t pid, uint64_t bytes,
                  struct rw_lg_map *m)
{
    if (!shape->dir)
        return rw_os_shared_create(NULL, bytes, &m->mem);
    int rc = RW_E_EXISTS;
    for (unsigned n = 0; rc == RW_E_EXISTS && n < 1000; n++) {
        int size = snprintf(m->path, sizeof(m->path), "%s/%s.%u.%u.rings", shape->dir, shape->name,
                            pid, n);
        if (size < 0 || (size_t)size >= sizeof(m->path))
            return RW_E_TOO_BIG;
        rc = rw_os_shared_create(m->path, bytes, &m->mem);
    }
    return rc;
}

int rw_lg_map_new(const struct rw_lg_shape *shape, uint32_t pid, struct rw_lg_map *ret_map,
                  struct rw_err *ret_err)
{
    struct rw_lg_shared h = {.magic = RW_LG_MAGIC,
                             .version = RW_LG_VERSION,
                             .pid = pid,
                             .ring_bytes = shape->ring_bytes,
                             .journal_bytes = shape->journal_bytes,
                             .dictionary_bytes = shape->dictionary_bytes,
                             .rings = shape->rings,
                             .dictionary_used = 8}; /* 0 is no call site */
    snprintf(h.name, sizeof(h.name), "%s", shape->name);
    lay_out(&h);
    struct rw_lg_map m = {.path = ""};
    int rc = create(shape, pid, h.file_bytes, &m);
    if (rc)
        return rw_err_set(ret_err, rc, "the file of the rings in %s: %s",
                          shape->dir ? shape->dir : "memory", rw_code_text(rc));
    if (rw_os_shared_populate(&m.mem, 0, h.dictionary_at)) {
        memcpy(m.mem.p, &h, sizeof(h));
        set_up_rings(&m);
        if (rw_lg_ring_populate(&m, 0)) {
            *ret_map = m;
            return RW_OK;
        }
    }
    rw_lg_map_unlink(&m);
    rw_lg_map_free(&m);
    return rw_err_set(ret_err, RW_E_FULL, "no room for the rings in %s",
                      shape->dir ? shape->dir : "memory");
}

/* A file that lies there may be anything. */
static bool makes_sense(const struct rw_lg_shared *h, size_t bytes)
{
    if (memcmp(h->magic, RW_LG_MAGIC, sizeof(h->magic)) != 0)
        return false;
    if (h->rings < 1 || h->rings > UINT16_MAX || h->ring_bytes < PAGE || h->journal_bytes < PAGE ||
        (h->ring_bytes & (h->ring_bytes - 1)) || (h->journal_bytes & (h->journal_bytes - 1)) ||
        h->ring_bytes > bytes || h->journal_bytes > bytes || h->dictionary_bytes > bytes)
        return false;
    struct rw_lg_shared again = *h;
    lay_out(&again);
    return again.file_bytes == h->file_bytes && h->file_bytes == bytes &&
           again.rings_at == h->rings_at && again.controls_at == h->controls_at &&
           again.loggers_at == h->loggers_at && again.dictionary_at == h->dictionary_at &&
           again.journal_at == h->journal_at && h->loggers <= RW_LG_LOGGERS &&
           h->dictionary_used <= h->dictionary_bytes && memchr(h->name, 0, sizeof(h->name));
}

static int map_found(const char *path, bool copy, struct rw_lg_map *ret_map, struct rw_err *ret_err)
{
    struct rw_lg_map m;
    if (snprintf(m.path, sizeof(m.path), "%s", path) >= (int)sizeof(m.path))
        return rw_err_set(ret_err, RW_E_TOO_BIG, "%s: the path is too long", path);
    int rc = copy ? rw_os_shared_copy(path, PAGE, &m.mem) : rw_os_shared_open(path, PAGE, &m.mem);
    if (rc == RW_E_LOCKED)
        return rw_err_set(ret_err, rc, "%s: its process is alive", path);
    if (rc == RW_E_SHORT)
        return rw_err_set(ret_err, RW_E_CORRUPT, "%s: not a file of rings, or damaged", path);
    if (rc)
        return rw_err_set(ret_err, rc, "%s: %s", path, rw_code_text(rc));
    const struct rw_lg_shared *h = rw_lg_header(&m);
    uint32_t version = h->version;
    if (memcmp(h->magic, RW_LG_MAGIC, sizeof(h->magic)) == 0 && version != RW_LG_VERSION) {
        rw_os_shared_close(&m.mem);
        return rw_err_set(ret_err, RW_E_UNSUPPORTED,
                          "%s: rings of format %u, this is %u; the version of Rollway that wrote "
                          "them can read them",
                          path, version, RW_LG_VERSION);
    }
    if (!makes_sense(h, m.mem.n)) {
        rw_os_shared_close(&m.mem);
        return rw_err_set(ret_err, RW_E_CORRUPT, "%s: not a file of rings, or damaged", path);
    }
    set_up_rings(&m);
    if (copy)
        m.path[0] = 0;
    *ret_map = m;
    return RW_OK;
}

int rw_lg_map_open(const char *path, struct rw_lg_map *ret_map, struct rw_err *ret_err)
{
    return map_found(path, false, ret_map, ret_err);
}

int rw_lg_map_copy(const char *path, struct rw_lg_map *ret_map, struct rw_err *ret_err)
{
    return map_found(path, true, ret_map, ret_err);
}

void rw_lg_map_unlink(struct rw_lg_map *m)
{
    if (m->path[0])
        (void)rw_os_env()->vfs->ops->unlink(rw_os_env()->vfs, m->path);
    m->path[0] = 0;
}

void rw_lg_map_free(struct rw_lg_map *m)
{
    rw_os_shared_close(&m->mem);
}

void rw_lg_map_retire(struct rw_lg_map *m)
{
    const struct rw_lg_shared *h = rw_lg_header(m);
    if (h->closed)
        rw_os_shared_release(&m->mem, h->journal_at, h->file_bytes - h->journal_at);
    /* What was not written is for the next start, in this process, too. */
    rw_os_shared_let_go(&m->mem);
}

static size_t ring_at(const struct rw_lg_map *m, unsigned i)
{
    const struct rw_lg_shared *h = rw_lg_header(m);
    return h->rings_at + i * pages(h->ring_bytes);
}

bool rw_lg_ring_populate(struct rw_lg_map *m, unsigned i)
{
    return rw_os_shared_populate(&m->mem, ring_at(m, i), rw_lg_header(m)->ring_bytes);
}

void rw_lg_ring_release(struct rw_lg_map *m, unsigned i)
{
    rw_os_shared_release(&m->mem, ring_at(m, i), rw_lg_header(m)->ring_bytes);
}
