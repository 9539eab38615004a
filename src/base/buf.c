/* Growable byte buffer: doubles, keeps one spare byte for a NUL. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>
#include "base/bytes.h"
#include "base/mem.h"

void rw_buf_init(struct rw_buf *b)
{
    *b = (struct rw_buf){0};
}

void rw_buf_deinit(struct rw_buf *b)
{
    rw_free(b->p);
    *b = (struct rw_buf){0};
}

void rw_buf_clear(struct rw_buf *b)
{
    b->n = 0;
    b->failed = false;
}

bool rw_buf_reserve(struct rw_buf *b, size_t extra)
{
    if (b->failed)
        return false;
    if (extra < b->cap - b->n)
        return true;
    size_t need, cap = b->cap ? b->cap : 64;
    if (__builtin_add_overflow(b->n, extra, &need) || ++need == 0) {
        b->failed = true;
        return false;
    }
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    uint8_t *p = rw_realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

uint8_t *rw_buf_extend(struct rw_buf *b, size_t n)
{
    if (!rw_buf_reserve(b, n))
        return NULL;
    uint8_t *at = b->p + b->n;
    b->n += n;
    return at;
}

void rw_buf_add(struct rw_buf *b, const void *p, size_t n)
{
    uint8_t *at = rw_buf_extend(b, n);
    if (at && n)
        memcpy(at, p, n);
}

void rw_buf_add_u8(struct rw_buf *b, uint8_t v)
{
    rw_buf_add(b, &v, 1);
}

void rw_buf_add_be16(struct rw_buf *b, uint16_t v)
{
    uint8_t *at = rw_buf_extend(b, 2);
    if (at)
        rw_store_be16(at, v);
}

void rw_buf_add_be32(struct rw_buf *b, uint32_t v)
{
    uint8_t *at = rw_buf_extend(b, 4);
    if (at)
        rw_store_be32(at, v);
}

void rw_buf_add_be64(struct rw_buf *b, uint64_t v)
{
    uint8_t *at = rw_buf_extend(b, 8);
    if (at)
        rw_store_be64(at, v);
}

void rw_buf_add_str(struct rw_buf *b, const char *s)
{
    rw_buf_add(b, s, strlen(s));
}

void rw_buf_vprintf(struct rw_buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n < 0)
        b->failed = true;
    else if (rw_buf_reserve(b, (size_t)n)) {
        vsnprintf((char *)b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void rw_buf_printf(struct rw_buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    rw_buf_vprintf(b, format, args);
    va_end(args);
}

const char *rw_buf_cstr(struct rw_buf *b)
{
    if (!rw_buf_reserve(b, 0))
        return "";
    b->p[b->n] = 0;
    return (const char *)b->p;
}

void rw_buf_consume(struct rw_buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}
