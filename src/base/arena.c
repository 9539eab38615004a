/* Region allocator: a list of chunks, each twice the one before, up to 64 KiB. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

#define FIRST_CHUNK 2048u
#define LARGE_CHUNK 65536u

struct rw_arena_chunk {
    struct rw_arena_chunk *next; /* older chunk */
    size_t size;
    uint8_t data[] __attribute__((aligned(8)));
};

void rw_arena_init(struct rw_arena *a, size_t limit)
{
    *a = (struct rw_arena){.limit = limit};
}

static void use_chunk(struct rw_arena *a, struct rw_arena_chunk *c)
{
    a->head = c;
    a->at = c->data;
    a->end = c->data + c->size;
}

void rw_arena_deinit(struct rw_arena *a)
{
    while (a->head) {
        struct rw_arena_chunk *c = a->head;
        a->head = c->next;
        rw_free(c);
    }
    *a = (struct rw_arena){.limit = a->limit};
}

void rw_arena_reset(struct rw_arena *a)
{
    a->used = 0;
    if (!a->head)
        return;
    while (a->head->next) {
        struct rw_arena_chunk *c = a->head;
        a->head = c->next;
        rw_free(c);
    }
    use_chunk(a, a->head);
}

static bool grow(struct rw_arena *a, size_t need)
{
    size_t size = a->head ? a->head->size * 2 : FIRST_CHUNK;
    if (size > LARGE_CHUNK)
        size = LARGE_CHUNK;
    if (size < need)
        size = need;
    struct rw_arena_chunk *c = rw_alloc(sizeof(*c) + size);
    if (!c)
        return false;
    c->next = a->head;
    c->size = size;
    use_chunk(a, c);
    return true;
}

void *rw_arena_alloc_more(struct rw_arena *a, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct rw_arena_chunk) - 7)
        return NULL;
    size = (size + 7) & ~(size_t)7;
    if (a->limit && (size > a->limit || a->used > a->limit - size))
        return NULL;
    /* Without a chunk there is no address to hand out, not even for nothing; NULL means refused. */
    if ((!a->head || (size_t)(a->end - a->at) < size) && !grow(a, size))
        return NULL;
    void *p = a->at;
    a->at += size;
    a->used += size;
    return p;
}

void *rw_arena_zalloc(struct rw_arena *a, size_t size)
{
    void *p = rw_arena_alloc(a, size);
    if (p)
        memset(p, 0, size);
    return p;
}

void *rw_arena_array(struct rw_arena *a, size_t count, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : rw_arena_zalloc(a, total);
}

char *rw_arena_cstr(struct rw_arena *a, struct rw_str s)
{
    if (s.n < 0)
        return NULL;
    char *p = rw_arena_alloc(a, (size_t)s.n + 1);
    if (p) {
        if (s.n)
            memcpy(p, s.p, (size_t)s.n);
        p[s.n] = 0;
    }
    return p;
}

struct rw_str rw_arena_str(struct rw_arena *a, const char *s)
{
    return rw_str(rw_arena_cstr(a, rw_str(s)));
}

char *rw_arena_printf(struct rw_arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *p = n < 0 ? NULL : rw_arena_alloc(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return p;
}
