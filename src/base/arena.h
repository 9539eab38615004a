/*
 * Region allocator: one per request, reset when the response has left. Everything taken from it is
 * freed together. It has a limit, so that a hostile request can not grow it without bound.
 * Not thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

struct rw_arena_chunk;

struct rw_arena {
    struct rw_arena_chunk *head;
    uint8_t *at;
    uint8_t *end;
    size_t used;  /* bytes handed out since the last reset, with padding */
    size_t limit; /* upper bound for `used`; 0 = none */
};

void rw_arena_init(struct rw_arena *a, size_t limit);
void rw_arena_deinit(struct rw_arena *a);
/* Frees all but the first chunk. */
void rw_arena_reset(struct rw_arena *a);
/* rw_arena_alloc() when the chunk is used up. */
void *rw_arena_alloc_more(struct rw_arena *a, size_t size);
/* 8-byte aligned, not zeroed; NULL when memory is refused or the limit is reached. */
static inline void *rw_arena_alloc(struct rw_arena *a, size_t size)
{
    size_t padded = (size + 7) & ~(size_t)7; /* a size that wraps to 0 is left to the other one */
    if (__builtin_expect(padded == 0 || padded > (size_t)(a->end - a->at) ||
                             (a->limit && padded > a->limit - a->used),
                         0))
        return rw_arena_alloc_more(a, size);
    void *p = a->at;
    a->at += padded;
    a->used += padded;
    return p;
}
void *rw_arena_zalloc(struct rw_arena *a, size_t size);
/* count * size, overflow-checked, zeroed. */
void *rw_arena_array(struct rw_arena *a, size_t count, size_t size);
/* NUL-terminated copy. NULL for a null string or when refused. */
char *rw_arena_cstr(struct rw_arena *a, struct rw_str s);
struct rw_str rw_arena_str(struct rw_arena *a, const char *s);
char *rw_arena_printf(struct rw_arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
