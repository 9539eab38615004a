/*
 * The last lines, in memory: for tests, for a status page, for a crash report. A ring of bytes; whole lines leave at its old end when
 * new ones come. Read from any thread while the appender writes.
 */
#include "logger/sink_memory.h"

#include <pthread.h>
#include "base/mem.h"
#include "logger/sink_set.h"

enum { BYTES = 1024 * 1024, BYTES_MIN = 1024 };

struct memory {
    struct rw_lg_sink sink;
    pthread_mutex_t lock;
    int64_t bytes, lines_max; /* lines_max 0: without limit */
    char *ring;
    size_t at, n, lines; /* the oldest byte, how many */
};

static int set(struct rw_lg_sink *s, struct rw_str key, struct rw_str v, struct rw_err *err)
{
    struct memory *m = (struct memory *)s;
    if (rw_str_is(key, "bytes"))
        return rw_lg_set_bytes(key, v, &m->bytes, err);
    if (rw_str_is(key, "lines"))
        return rw_lg_set_count(key, v, &m->lines_max, err);
    return RW_E_NOT_FOUND;
}

static int open_sink(struct rw_lg_sink *s, struct rw_err *err)
{
    struct memory *m = (struct memory *)s;
    if (m->bytes < BYTES_MIN)
        return rw_err_set(err, RW_E_INVAL, "bytes: at least %d", BYTES_MIN);
    m->ring = rw_alloc((size_t)m->bytes);
    return m->ring ? RW_OK : rw_err_set(err, RW_E_NOMEM, "bytes: no memory");
}

static char *byte(struct memory *m, size_t i)
{
    return m->ring + (m->at + i) % (size_t)m->bytes;
}

static void forget_line(struct memory *m)
{
    size_t n = 0;
    while (n < m->n && *byte(m, n++) != '\n')
        ;
    m->at = (m->at + n) % (size_t)m->bytes;
    m->n -= n;
    m->lines--;
}

static void keep(struct memory *m, const char *line, size_t n)
{
    if (n > (size_t)m->bytes) /* its end would be lost; its start says more */
        n = (size_t)m->bytes;
    while (m->n &&
           (m->n + n > (size_t)m->bytes || (m->lines_max && m->lines >= (size_t)m->lines_max)))
        forget_line(m);
    size_t to = (m->at + m->n) % (size_t)m->bytes;
    size_t first = n < (size_t)m->bytes - to ? n : (size_t)m->bytes - to;
    memcpy(m->ring + to, line, first);
    memcpy(m->ring, line + first, n - first);
    m->n += n;
    m->lines++;
    *byte(m, m->n - 1) = '\n';
}

static int write_chunk(struct rw_lg_sink *s, const struct rw_lg_chunk *chunk, size_t *ret_n)
{
    struct memory *m = (struct memory *)s;
    pthread_mutex_lock(&m->lock);
    for (size_t at = 0; at < chunk->n;) {
        const char *end = memchr(chunk->p + at, '\n', chunk->n - at);
        size_t n = end ? (size_t)(end - chunk->p) + 1 - at : chunk->n - at;
        keep(m, chunk->p + at, n);
        at += n;
    }
    pthread_mutex_unlock(&m->lock);
    *ret_n = chunk->n;
    return RW_OK;
}

size_t rw_lg_memory_copy(struct rw_lg_sink *s, char *out, size_t size, size_t *ret_n)
{
    struct memory *m = (struct memory *)s;
    pthread_mutex_lock(&m->lock);
    size_t all = m->n, skip = 0;
    if (all > size) {
        skip = all - size;
        while (skip < all && *byte(m, skip - 1) != '\n')
            skip++;
    }
    *ret_n = all - skip;
    for (size_t i = skip; i < all; i++)
        out[i - skip] = *byte(m, i);
    pthread_mutex_unlock(&m->lock);
    return all;
}

static void free_sink(struct rw_lg_sink *s)
{
    struct memory *m = (struct memory *)s;
    pthread_mutex_destroy(&m->lock);
    rw_free(m->ring);
    rw_free(m);
}

static const struct rw_lg_sink_ops ops = {.type = "memory",
                                          .lines = true,
                                          .set = set,
                                          .open = open_sink,
                                          .write = write_chunk,
                                          .free = free_sink};

struct rw_lg_sink *rw_lg_sink_memory(void)
{
    struct memory *m = rw_zalloc(sizeof(*m));
    if (!m)
        return NULL;
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        rw_free(m);
        return NULL;
    }
    m->sink.ops = &ops;
    m->bytes = BYTES;
    return &m->sink;
}
