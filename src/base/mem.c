/* The one place that calls malloc. A counter lets tests refuse the n-th allocation. */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* 0: off. The counter runs only while armed, so that production pays one predictable branch. */
static atomic_uint_fast64_t fail_at;
static atomic_uint_fast64_t counted;
static atomic_int fail_sticky;
static atomic_int armed;

static bool refused(void)
{
    if (__builtin_expect(!atomic_load_explicit(&armed, memory_order_relaxed), 1))
        return false;
    uint64_t n = atomic_fetch_add(&counted, 1) + 1;
    uint64_t at = atomic_load(&fail_at);
    return at && (n == at || (n > at && atomic_load(&fail_sticky)));
}

void *rw_alloc(size_t size)
{
    return refused() ? NULL : malloc(size ? size : 1);
}

void *rw_zalloc(size_t size)
{
    return refused() ? NULL : calloc(1, size ? size : 1);
}

void *rw_realloc(void *p, size_t size)
{
    return refused() ? NULL : realloc(p, size ? size : 1);
}

void *rw_alloc_array(size_t count, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : rw_alloc(total);
}

void *rw_realloc_array(void *p, size_t count, size_t size)
{
    size_t total;
    return __builtin_mul_overflow(count, size, &total) ? NULL : rw_realloc(p, total);
}

void *rw_array_grow(void *p, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return p;
    size_t bigger = *cap ? *cap * 2 : 16;
    void *grown = rw_realloc_array(p, bigger, size);
    if (grown)
        *cap = bigger;
    return grown;
}

void *rw_memdup(const void *p, size_t size)
{
    void *copy = rw_alloc(size);
    if (copy && size)
        memcpy(copy, p, size);
    return copy;
}

char *rw_strdup(const char *s)
{
    return rw_memdup(s, strlen(s) + 1);
}

void rw_free(void *p)
{
    free(p);
}

void rw_mem_fail_at(uint64_t n, int sticky)
{
    atomic_store(&counted, 0);
    atomic_store(&fail_at, n);
    atomic_store(&fail_sticky, sticky);
    atomic_store(&armed, 1);
}

uint64_t rw_mem_count(void)
{
    return atomic_load(&counted);
}
