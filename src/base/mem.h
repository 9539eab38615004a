/*
 * All heap allocation goes through here, so that tests can fail the n-th one, for every n.
 * NULL means out of memory; the caller reports RW_E_NOMEM. Thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void *rw_alloc(size_t size);
void *rw_zalloc(size_t size);
void *rw_realloc(void *p, size_t size);
/* count * size with an overflow check (NULL on overflow). */
void *rw_alloc_array(size_t count, size_t size);
void *rw_realloc_array(void *p, size_t count, size_t size);
/* Room for one more behind the n items (of `size` bytes) of an array that has room for *cap: the array, or a
 * larger one in its place. NULL: no memory, and the array is as it was. */
void *rw_array_grow(void *p, size_t n, size_t *cap, size_t size);
char *rw_strdup(const char *s);
void *rw_memdup(const void *p, size_t size);
void rw_free(void *p);

/* Tests: the n-th allocation from now (1-based) fails, and all later ones too if `sticky`. 0 = off. */
void rw_mem_fail_at(uint64_t n, int sticky);
/* Tests: allocations made since the last rw_mem_fail_at(). */
uint64_t rw_mem_count(void);
