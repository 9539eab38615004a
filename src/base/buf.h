/*
 * A growable byte buffer that owns its memory. Errors are sticky: after a failed growth `failed` is
 * set, further writes do nothing, and the caller checks once at the end. Not thread-safe.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

struct rw_buf {
    uint8_t *p;
    size_t n;   /* bytes used */
    size_t cap; /* bytes allocated */
    bool failed;
};

void rw_buf_init(struct rw_buf *b);
void rw_buf_deinit(struct rw_buf *b);
/* n = 0, failed = false; keeps the memory. */
void rw_buf_clear(struct rw_buf *b);
/* Makes room for `extra` more bytes; false (and failed) when memory is refused. */
bool rw_buf_reserve(struct rw_buf *b, size_t extra);
/* Extends by n bytes and returns where they start, NULL on failure. */
uint8_t *rw_buf_extend(struct rw_buf *b, size_t n);
void rw_buf_add(struct rw_buf *b, const void *p, size_t n);
void rw_buf_add_u8(struct rw_buf *b, uint8_t v);
void rw_buf_add_be16(struct rw_buf *b, uint16_t v);
void rw_buf_add_be32(struct rw_buf *b, uint32_t v);
void rw_buf_add_be64(struct rw_buf *b, uint64_t v);
void rw_buf_add_str(struct rw_buf *b, const char *s);
void rw_buf_printf(struct rw_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rw_buf_vprintf(struct rw_buf *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* The content as a C string (a NUL is kept after the end, not counted); "" after a failure. */
const char *rw_buf_cstr(struct rw_buf *b);
/* Removes the first n bytes. */
void rw_buf_consume(struct rw_buf *b, size_t n);
